"""Holds: kept for some minutes, reserved once, given up by who holds the place, whoever is cut off.

The desk holds T1 and T2; the rest is the hub's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import BadTransition, Gone, NotAvailable, NotFound, RuleViolated
from holdfast.model.reservation import View
from holdfast.node import holds, lapsing, waiting
from holdfast.node.requests import HoldRequest, PatchRequest, ReserveRequest, WaitRequest
from holdfast.node.service import Service
from tests.kit import TRATTORIA, Fleet

DIVIDED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [{"holder": "desk", "resources": ["T1", "T2"]}]
}
EVENING = "2027-06-04T19:30"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, DIVIDED) as made:
        made.join("desk")
        made.join("kiosk", role="kiosk")
        made.sync_all()
        yield made


def hold(replica: Service, *resources: str, at: str = EVENING, **more: Any) -> View:
    return holds.place(
        replica,
        HoldRequest(
            venue="trattoria", starts_at=at, party_size=2, resources=list(resources), **more
        ),
    )


def told(view: View) -> tuple[str, str]:
    return view.status, view.assurance


def settle(fleet: Fleet) -> None:
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()


def test_a_hold_takes_the_place_and_gives_it_back_when_its_time_is_over(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    fleet.cut("desk", "kiosk")
    view = hold(desk, "T1")
    assert told(view) == ("intent", "guaranteed")
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, EVENING, ["T1"])
    fleet.clocks.advance(seconds=899)
    assert lapsing.lapse(desk, fleet.book) == 0
    fleet.clocks.advance(seconds=2)
    assert lapsing.lapse(desk, fleet.book) == 1
    assert lapsing.lapse(desk, fleet.book) == 0, "what has lapsed is not due again"
    assert told(fleet.now(desk, view)) == ("expired", "none")
    assert fleet.reserve(desk, EVENING, ["T1"]).assurance == "guaranteed"
    settle(fleet)


def test_reserving_keeps_the_place_throughout_and_ends_the_hold(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1")
    done = holds.reserve(
        desk, view.code, ReserveRequest(user_id="u-1", guest={"name": "Ann"}, occasion="birthday")
    )
    assert (done.id, told(done), done.occasion) == (
        view.id,
        ("confirmed", "guaranteed"),
        "birthday",
    )
    assert [claim.resource for claim in done.live] == ["T1"]
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, EVENING, ["T1"])
    fleet.clocks.advance(minutes=60)
    assert lapsing.lapse(desk, fleet.book) == 0
    with pytest.raises(BadTransition):
        holds.reserve(desk, view.code, ReserveRequest())
    settle(fleet)
    assert told(fleet.now(fleet.the_hub, view)) == ("confirmed", "guaranteed")


def test_what_has_lapsed_cannot_be_reserved_even_before_it_is_given_up(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1")
    fleet.clocks.advance(minutes=15)
    with pytest.raises(Gone):
        holds.reserve(desk, view.code, ReserveRequest())
    lapsing.lapse(desk, fleet.book)
    with pytest.raises(Gone):
        holds.release(desk, view.code)


def test_a_hold_is_kept_longer_once_and_thirty_minutes_at_the_most(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1", minutes=20)
    longer = holds.extend(desk, view.code, 30)
    assert longer.expires_at_ms == view.made_at_ms + 30 * 60_000
    with pytest.raises(RuleViolated):
        holds.extend(desk, view.code, 5)
    fleet.clocks.advance(minutes=29)
    assert lapsing.lapse(desk, fleet.book) == 0
    fleet.clocks.advance(minutes=2)
    assert lapsing.lapse(desk, fleet.book) == 1


def test_a_hold_that_is_given_back_frees_the_place_at_once(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1")
    assert holds.release(desk, view.code).status == "cancelled"
    assert fleet.reserve(desk, EVENING, ["T1"]).status == "confirmed"


def test_a_hold_is_swapped_for_another_place_in_one_step(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1")
    moved = desk.reservations.amend(view.code, PatchRequest(resources=["T2"]))
    assert told(moved) == ("intent", "guaranteed")
    assert [claim.resource for claim in moved.live] == ["T2"]
    assert fleet.reserve(desk, EVENING, ["T1"]).status == "confirmed"
    assert holds.reserve(desk, view.code, ReserveRequest()).status == "confirmed"


def test_what_another_holds_is_not_promised_before_its_holder_says_so(fleet: Fleet) -> None:
    """The kiosk's hold of T3 is admitted by the hub; cut off, the kiosk reserves it in time."""
    kiosk = fleet.nodes["kiosk"]
    view = hold(kiosk, "T3")
    assert told(view) == ("intent", "provisional")
    fleet.sync_all()
    assert told(fleet.now(kiosk, view)) == ("intent", "admitted")
    fleet.cut("desk", "kiosk")
    done = holds.reserve(kiosk, view.code, ReserveRequest(user_id="u-2"))
    assert told(done) == ("commit_pending", "provisional")
    assert done.pending_change is None
    settle(fleet)
    assert told(fleet.now(kiosk, view)) == ("confirmed", "admitted")
    assert [claim.resource for claim in fleet.now(kiosk, view).live] == ["T3"]


def test_a_reserving_that_comes_after_the_hold_was_given_up_fails_and_is_told(fleet: Fleet) -> None:
    kiosk, hub = fleet.nodes["kiosk"], fleet.the_hub
    view = hold(kiosk, "T3")
    fleet.sync_all()
    fleet.cut("desk", "kiosk")
    fleet.clocks.advance(minutes=14)
    holds.reserve(kiosk, view.code, ReserveRequest(user_id="u-2"))
    fleet.clocks.advance(minutes=2)
    assert lapsing.lapse(hub, fleet.book) == 1
    other = fleet.reserve(hub, EVENING, ["T3"])
    settle(fleet)
    late = fleet.now(kiosk, view)
    assert told(late) == ("commit_failed", "none")
    assert [kind for kind, _ in late.exceptions] == ["displaced"]
    assert told(fleet.now(kiosk, other)) == ("confirmed", "guaranteed")


def test_a_hold_that_was_refused_promises_nothing_and_troubles_nobody(fleet: Fleet) -> None:
    kiosk = fleet.nodes["kiosk"]
    fleet.cut("desk", "kiosk")
    view = hold(kiosk, "T1")
    fleet.reserve(fleet.nodes["desk"], EVENING, ["T1"])
    settle(fleet)
    refused = fleet.now(kiosk, view)
    assert (told(refused), refused.exceptions) == (("intent", "none"), ())
    with pytest.raises(NotAvailable):
        holds.reserve(kiosk, view.code, ReserveRequest())
    fleet.clocks.advance(minutes=16)
    assert lapsing.lapse(kiosk, fleet.book) == 1
    settle(fleet)


def test_holds_stand_in_no_list_of_reservations_until_they_are_reserved(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1")
    assert desk.reservations.select(venue="trattoria")[0] == []
    assert [one.id for one in desk.reservations.select(status="intent")[0]] == [view.id]
    holds.reserve(desk, view.code, ReserveRequest())
    assert [one.id for one in desk.reservations.select(venue="trattoria")[0]] == [view.id]


def test_what_was_never_reserved_stands_in_no_list_of_reservations(fleet: Fleet) -> None:
    """Nor does it when it was given back, or has lapsed; what was reserved and cancelled does."""
    desk = fleet.nodes["desk"]
    holds.release(desk, hold(desk, "T1").code)
    hold(desk, "T2", minutes=1)
    waiting.remove(desk, waiting.join(desk, WaitRequest(
        venue="trattoria", date="2027-06-04", party_size=2)).code)  # fmt: skip
    kept = hold(desk, "T1")
    holds.reserve(desk, kept.code, ReserveRequest())
    desk.reservations.cancel(kept.code)
    fleet.clocks.advance(minutes=2)
    assert lapsing.lapse(desk, fleet.book) == 1
    assert [one.id for one in desk.reservations.select(venue="trattoria")[0]] == [kept.id]
    assert [one.id for one in desk.reservations.select(status="cancelled")[0]] == [kept.id]
    assert len(desk.reservations.select(status="expired")[0]) == 1


def test_who_embeds_a_node_has_no_jobs_and_what_is_due_lapses_with_the_exchange(
    fleet: Fleet,
) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1")
    fleet.clocks.advance(minutes=16)
    fleet.sync(desk)
    assert told(fleet.now(fleet.the_hub, view)) == ("expired", "none")


def test_a_swap_onto_what_another_holds_waits_and_the_old_place_stays(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    view = hold(desk, "T1")
    fleet.cut("desk")
    swapped = holds.change(desk, view.code, PatchRequest(resources=["T3"]))
    assert told(swapped) == ("intent", "guaranteed")
    assert swapped.pending_change is not None
    assert swapped.pending_change["resources"] == ["T3"]
    settle(fleet)
    now = fleet.now(desk, view)
    assert [claim.resource for claim in now.live] == ["T3"]
    assert now.pending_change is None


def test_what_is_no_hold_is_not_found_among_holds(fleet: Fleet) -> None:
    desk = fleet.nodes["desk"]
    made = fleet.reserve(desk, EVENING, ["T1"])
    acts: list[Callable[[], View]] = [
        lambda: holds.release(desk, made.code),
        lambda: holds.extend(desk, made.code, 5),
        lambda: holds.change(desk, made.code, PatchRequest(resources=["T2"])),
        lambda: holds.reserve(desk, made.code, ReserveRequest()),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert fleet.now(desk, made).status == "confirmed"


def test_a_crash_between_hold_and_expiry_loses_neither(fleet: Fleet) -> None:
    view = hold(fleet.nodes["desk"], "T1")
    desk = fleet.crash("desk")
    assert told(fleet.now(desk, view)) == ("intent", "guaranteed")
    fleet.clocks.advance(minutes=16)
    assert lapsing.lapse(desk, fleet.book) == 1


def test_a_venue_says_how_long_its_holds_last(fleet: Fleet) -> None:
    """F-021: as fifteen minutes do where it says nothing."""
    fleet.the_hub.import_venue(DIVIDED | {"policies": {"hold_minutes": 4}})
    fleet.sync_all()
    desk = fleet.nodes["desk"]
    fleet.cut("desk")
    view = hold(desk, "T1")
    fleet.clocks.advance(seconds=239)
    assert lapsing.lapse_all(desk) == 0
    with pytest.raises(NotAvailable):
        hold(desk, "T1")
    fleet.clocks.advance(seconds=2)
    assert lapsing.lapse_all(desk) == 1
    assert fleet.now(desk, view).status == "expired"
    assert told(hold(desk, "T1")) == ("intent", "guaranteed")
