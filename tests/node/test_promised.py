"""Who was told "it is booked" and has lost the place is told from who only wished for one.

The desk holds T1 and T2, by a right to each, the kiosk T3; the rest is the hub's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model import lifecycle
from holdfast.model.reservation import View
from holdfast.node import inspection, promised
from holdfast.node.decisions import verify_decision
from holdfast.node.hub import Hub
from holdfast.node.service import Service
from tests.kit import TRATTORIA, Fleet, exchange_once

ALLOTTED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [
        {"holder": "desk", "resources": ["T1"]},
        {"holder": "desk", "resources": ["T2"]},
        {"holder": "kiosk", "resources": ["T3"]},
    ]
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, ALLOTTED) as made:
        made.join("desk")
        made.join("kiosk")
        made.sync_all()
        yield made


def revoke(fleet: Fleet, resource: str) -> None:
    hub = fleet.the_hub
    [held] = hub.rights(fleet.book).of_resource(resource)
    hub.granting.revoke(held.right.id, "stranded")
    hub.settle(fleet.book)


def rejoin(fleet: Fleet, name: str) -> None:
    with fleet._clock_of(name):
        code = fleet.the_hub.invite(fleet.venue_id, "front-desk", name).code
        fleet.nodes[name].rejoin(code)


def lost(replica: Service, fleet: Fleet, view: View) -> dict[str, Any] | None:
    return promised.lost(replica, fleet.now(replica, view))


def assert_lost(fleet: Fleet, view: View, how: str, by: str) -> None:
    for replica in fleet.replicas():
        assert fleet.now(replica, view).status == lifecycle.COMMIT_FAILED, replica.name
        found = lost(replica, fleet, view)
        assert found is not None, replica.name
        assert (found["how"], found["by"]) == (how, by)


def test_a_guaranteed_sale_that_a_revocation_took_is_told_from_a_wish_and_comes_first(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    wish = fleet.reserve(desk, "19:00", ["T4"])
    fleet.reserve(hub, "19:00", ["T4"])
    sold = fleet.reserve(desk, "19:00", ["T1"])
    assert sold.assurance == "guaranteed"
    revoke(fleet, "T1")
    other = fleet.reserve(hub, "19:00", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert_lost(fleet, sold, "revoked", "desk")
    assert lost(hub, fleet, wish) is None
    words = "was promised, lost by revocation of desk's allotment"
    for replica in fleet.replicas():
        first, second = inspection.exceptions(replica)
        assert (first["code"], first["promised"], first["kind"]) == (sold.code, True, "displaced")
        assert first["lost_promise"] == {"how": "revoked", "by": "desk", "words": words}
        assert first["detail"].startswith(f"{sold.code} {words}: {other.code} has it.")
        assert (second["code"], second["promised"], second["lost_promise"]) == (
            wish.code, False, None,
        )  # fmt: skip
        assert verify_decision(replica, sold.code)["lost_promise"]["words"] == words
        assert verify_decision(replica, wish.code)["promised"] is False


def test_an_exception_has_what_is_needed_to_find_the_guest(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    wish = fleet.reserve(desk, "19:00", ["T4"], party=3)
    fleet.reserve(hub, "19:00", ["T4"])
    fleet.heal()
    fleet.sync_all()
    [item] = inspection.exceptions(desk)
    assert item["code"] == wish.code
    assert (item["party_size"], item["resources"]) == (3, ["T4"])
    assert item["starts_at"].startswith("2027-06-03T19:00")
    assert "guest" not in item, "who may read cards is the face's to say"


def test_what_was_admitted_and_lost_by_a_revocation_was_promised(fleet: Fleet):
    desk, kiosk, hub = fleet.nodes["desk"], fleet.nodes["kiosk"], fleet.the_hub
    fleet.cut("desk", "kiosk")
    asked = fleet.reserve(kiosk, "19:00", ["T1"])
    exchange_once(kiosk, desk)
    exchange_once(desk, kiosk)
    exchange_once(kiosk, desk)
    assert fleet.now(kiosk, asked).assurance == "admitted"
    revoke(fleet, "T1")
    fleet.reserve(hub, "19:00", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert_lost(fleet, asked, "revoked", "desk")


def test_who_was_sent_elsewhere_by_a_right_that_was_revoked_was_promised(fleet: Fleet):
    """The desk gives T2, which is its own still; it answers by its right to T1, which it has lost
    and has not heard of, after the hub's refusal (seed 133476 of the simulator)."""
    desk, kiosk, hub = fleet.nodes["desk"], fleet.nodes["kiosk"], fleet.the_hub
    fleet.reserve(desk, "19:00", ["T1"])
    fleet.sync(desk)
    fleet.reserve(hub, "19:00", ["T4"])
    asked = fleet.reserve(kiosk, "19:00", ["T1"], may_move=True)
    fleet.sync(kiosk)
    fleet.cut("desk", "kiosk")
    revoke(fleet, "T1")
    assert fleet.now(hub, asked).status == lifecycle.COMMIT_FAILED
    assert lost(hub, fleet, asked) is None, "nobody has promised anything yet"
    exchange_once(kiosk, desk)
    exchange_once(desk, kiosk)
    exchange_once(kiosk, desk)
    told = fleet.now(kiosk, asked)
    assert (told.status, [claim.resource for claim in told.live]) == ("confirmed", ["T2"])
    fleet.heal()
    fleet.sync_all()
    assert_lost(fleet, asked, "revoked", "desk")


def test_what_a_device_sold_that_was_shut_out_was_promised(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    hub.revoke("desk", "lost")
    fleet.reserve(hub, "19:00", ["T1"])
    rejoin(fleet, "desk")
    fleet.heal()
    fleet.sync_all()
    assert_lost(fleet, sold, "shut_out", "desk")


def test_what_a_copy_sold_whose_life_was_closed_was_promised(fleet: Fleet):
    clone = fleet.clone_unnoticed("desk", "clone")
    desk = fleet.nodes["desk"]
    fleet.cut("desk", "clone", "kiosk")
    one = fleet.reserve(desk, "19:00", ["T1"])
    fleet.clocks.advance(seconds=1)
    two = fleet.reserve(clone, "19:00", ["T1"])
    fleet.heal()
    fleet.sync_all(5)
    loser = next(
        view for view in (one, two)
        if fleet.now(fleet.the_hub, view).status == lifecycle.COMMIT_FAILED
    )  # fmt: skip
    assert_lost(fleet, loser, "closed", "desk")


def test_what_a_hub_sold_that_was_lost_was_promised(fleet: Fleet):
    """The hub's newest backup is older than its last sale, and the only device that had heard of it
    is not waited for."""
    hub, kiosk = fleet.the_hub, fleet.nodes["kiosk"]
    backup = fleet.copy("hub", "backup")
    sold = fleet.reserve(fleet.the_hub, "19:00", ["T4"])
    fleet.sync(kiosk)
    assert fleet.now(kiosk, sold).assurance == "guaranteed"
    fleet.stop_hub()
    restored = fleet.open("hub", backup)
    assert isinstance(restored, Hub)
    assert restored is not hub
    fleet.cut("kiosk")
    fleet.sync_all()
    restored.recover(proceed=True)
    fleet.reserve(restored, "19:00", ["T4"])
    rejoin(fleet, "kiosk")
    fleet.heal()
    fleet.sync_all(5)
    assert_lost(fleet, sold, "recovered", "hub")


def test_a_promise_that_is_asked_for_again_says_so_until_it_is_decided(fleet: Fleet):
    desk = fleet.nodes["desk"]
    fleet.cut("desk", "kiosk")
    sold = fleet.reserve(desk, "19:00", ["T1"])
    revoke(fleet, "T1")
    fleet.reserve(fleet.the_hub, "19:00", ["T1"])
    fleet.heal("kiosk")
    fleet.sync_all()
    exchange_once(fleet.nodes["kiosk"], desk)
    exchange_once(desk, fleet.nodes["kiosk"])
    view = fleet.now(desk, sold)
    assert (view.status, view.assurance) == (lifecycle.COMMIT_PENDING, "provisional")
    found = lost(desk, fleet, sold)
    assert found is not None
    assert found["how"] == "revoked"


def test_what_still_has_a_place_or_was_cancelled_has_lost_no_promise(fleet: Fleet):
    desk, hub = fleet.nodes["desk"], fleet.the_hub
    fleet.cut("desk")
    kept = fleet.reserve(desk, "19:00", ["T1"])
    gone = fleet.reserve(desk, "21:00", ["T1"])
    revoke(fleet, "T1")
    fleet.reserve(hub, "21:00", ["T1"])
    desk.reservations.cancel(gone.code)
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(hub, kept).status == lifecycle.CONFIRMED
    assert lost(hub, fleet, kept) is None
    assert lost(hub, fleet, gone) is None
    assert inspection.exceptions(hub) == []
