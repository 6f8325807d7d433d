"""Which hub's word counts when there were several, and who is shut out: DESIGN §4.3, §5.7, §5.9."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from holdfast.model import lifecycle
from holdfast.model.errors import Conflict, Forbidden, NotFound, RuleViolated
from holdfast.model.ids import uuid_text
from holdfast.node import witness
from holdfast.node.exchange import Exchange
from holdfast.node.hub import Hub
from tests.kit import TRATTORIA, Fleet, assert_same_book


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as made:
        yield made


def follow(fleet: Fleet, hub: Hub) -> Hub:
    """All devices dial this hub from now on."""
    fleet.hub = hub
    for node in fleet.nodes.values():
        node.reset_peer()
    return hub


def test_of_a_forked_hub_only_the_branch_that_was_closed_counts(fleet: Fleet) -> None:
    """A snapshot of the hub's machine goes on beside it and sells a table again. The hub that takes
    over names one head: what the other branch says up to that number counts for nothing."""
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    target = fleet.copy("hub", "snapshot")
    first = fleet.the_hub
    one = fleet.reserve(first, "19:30", ["T1"])
    fleet.reserve(first, "12:00", ["T2"])
    fleet.sync(desk)
    with mock.patch.object(witness, "check", return_value=[]):
        second = fleet.open("hub", target)
    assert isinstance(second, Hub)
    follow(fleet, second)
    other = fleet.reserve(second, "19:30", ["T1"])
    fleet.sync(kiosk)
    fleet.wipe_hub()
    follow(fleet, fleet.the_hub)
    first.close()
    fleet.sync(desk, kiosk)
    fleet.the_hub.recover()
    fleet.sync_all(4)
    statuses = {fleet.now(fleet.the_hub, view).status for view in (one, other)}
    assert statuses == {lifecycle.CONFIRMED, lifecycle.COMMIT_FAILED}
    fleet.assert_agree()


def test_a_hub_that_meets_its_own_other_history_recovers_and_sells_nothing_twice(
    fleet: Fleet,
) -> None:
    """The hub's machine is set back to a snapshot that nobody notices, and it sells a table again
    that a desk has seen sold. It notices when it meets that desk, and so does everybody."""
    desk = fleet.join("desk")
    fleet.sync_all()
    snapshot = fleet.copy("hub", "snapshot")
    first = fleet.the_hub
    one = fleet.reserve(first, "19:30", ["T1"])
    fleet.sync(desk)
    first.close()
    fleet.clocks.advance(minutes=5)
    with mock.patch.object(witness, "check", return_value=[]):
        hub = fleet.open("hub", snapshot)
    assert isinstance(hub, Hub)
    other = fleet.reserve(hub, "19:30", ["T1"])
    follow(fleet, hub)
    fleet.sync(desk)
    assert (hub.identity.number, hub.exchange_state) == (2, "recovering")
    fleet.sync(desk)
    assert hub.recover()["state"] == "serving", "the only device was heard"
    for _ in range(3):
        fleet.sync(desk)
    assert fleet.now(hub, one).status == lifecycle.CONFIRMED, "the sale that was made first"
    assert fleet.now(hub, other).status == lifecycle.COMMIT_FAILED
    assert [kind for kind, _ in fleet.now(desk, other).exceptions] == ["displaced"]
    fleet.assert_agree()
    fleet.reopen("hub")
    assert fleet.the_hub.identity.number == 2
    fleet.sync(desk)
    fleet.assert_agree()


def test_a_hub_that_was_replaced_and_comes_back_writes_nothing_more(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.sync_all()
    root = fleet.directory / "root.pem"
    fleet.the_hub.export_root(root)
    former = fleet.the_hub
    with fleet._clock_of("hub"):
        fresh = fleet.quick(Hub.init(fleet.directory / "fresh", "demo", root.read_bytes()))
    follow(fleet, fresh)
    fleet.sync(desk, desk)
    assert fresh.recover()["state"] == "serving"
    fleet.sync(desk)
    follow(fleet, former)
    with pytest.raises(RuleViolated, match="replaced by another one"):
        desk.sync()
    assert former.exchange_state == "replaced"
    written = former.tip(fleet.book)
    for hour in (12, 14, 16):
        asked = fleet.reserve(desk, f"{hour}:00", ["T1"])
        desk.reservations.cancel(asked.code)
        with pytest.raises(RuleViolated):
            desk.sync()
    assert former.tip(fleet.book) == written
    with pytest.raises(RuleViolated, match="This hub was replaced"):
        fleet.reserve(former, "20:00", ["T2"])
    follow(fleet, fresh)
    kept = fleet.reserve(desk, "21:00", ["T1"])
    fleet.sync(desk, desk)
    assert fleet.now(desk, kept).status == lifecycle.CONFIRMED
    former.close()


def test_of_two_hubs_that_follow_one_a_person_keeps_one_and_the_devices_go_on(
    fleet: Fleet,
) -> None:
    copies = [fleet.copy("hub", name) for name in ("one", "two")]
    desk = fleet.join("desk")
    hubs: list[Hub] = []
    for directory in copies:
        fleet.stop_hub()
        hub = fleet.open("hub", directory)
        assert isinstance(hub, Hub)
        hub.recover()
        hubs.append(hub)
        follow(fleet, hub)
        if len(hubs) == 1:
            fleet.sync(desk)
    with pytest.raises(RuleViolated, match="two hubs"):
        desk.sync()
    kept = hubs[1]
    assert kept.exchange_state == "recovering", "it has heard of the other one from the desk"
    assert kept.recover()["missing"] == {"trattoria": []}
    assert kept.recover(proceed=True)["state"] == "serving"
    fleet.sync(desk, desk)
    assert not desk.rivals
    sold = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync(desk, desk)
    assert fleet.now(desk, sold).status == lifecycle.CONFIRMED


def test_a_name_that_was_shut_out_is_given_to_another_device(fleet: Fleet) -> None:
    """Certificates are shut out, not names: the tablet that takes the stolen one's place bears
    its name and its allotments."""
    stolen = fleet.join("desk")
    fleet.sync_all()
    fleet.the_hub.revoke("desk", "stolen")
    with pytest.raises(Forbidden, match="shut out"):
        stolen.sync()
    del fleet.nodes["desk"]
    code = fleet.the_hub.invite("trattoria", "front-desk", "desk").code
    with fleet._clock_of("desk"):
        fresh = fleet._node_class.join("http://hub.test", code, fleet.directory / "desk-2")
    fleet.nodes["desk"] = fleet.quick(fresh)
    sold = fleet.reserve(fresh, "19:30", ["T1"])
    fleet.sync(fresh, fresh)
    assert fleet.now(fresh, sold).status == lifecycle.CONFIRMED
    with pytest.raises(Forbidden, match="shut out"):
        stolen.sync()
    assert sorted(row["revoked"] for row in fleet.the_hub.nodes()) == [False, True]
    stolen.close()


def test_a_device_that_was_never_heard_can_be_shut_out(fleet: Fleet) -> None:
    fleet.cut("kiosk")
    kiosk = fleet.join("kiosk", "kiosk")
    (row,) = fleet.the_hub.nodes()
    assert (row["name"], row["last_seen_at_ms"], row["revoked"]) == ("kiosk", 0, False)
    fleet.the_hub.revoke("kiosk", "lost")
    fleet.heal()
    with pytest.raises(Forbidden, match="shut out"):
        kiosk.sync()
    (row,) = fleet.the_hub.nodes()
    assert row["revoked"]
    with pytest.raises(NotFound):
        fleet.the_hub.revoke("kiosk", "lost")


def test_a_device_is_shut_out_while_the_hub_recovers(fleet: Fleet) -> None:
    """A thief must not gain time because a disk failed in the same night."""
    fleet.join("desk")
    kiosk = fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    backup = fleet.copy("hub", "backup")
    fleet.stop_hub()
    hub = fleet.open("hub", backup)
    assert isinstance(hub, Hub)
    assert hub.exchange_state == "recovering"
    hub.revoke("kiosk", "stolen")
    with pytest.raises(Forbidden):
        kiosk.sync()
    fleet.sync(fleet.nodes["desk"])
    assert hub.recover()["state"] == "serving", "nobody waits for a device that was shut out"


def test_one_name_in_two_venues_is_shut_out_where_it_was_said(fleet: Fleet) -> None:
    fleet.the_hub.import_venue({**copy.deepcopy(TRATTORIA), "venue": "osteria"})
    here = fleet.join("desk")
    with fleet._clock_of("desk"):
        code = fleet.the_hub.invite("osteria", "front-desk", "desk").code
        there = fleet._node_class.join("http://hub.test", code, fleet.directory / "there")
    fleet.nodes["there"] = fleet.quick(there)
    fleet.sync_all()
    with pytest.raises(Conflict, match="osteria/desk or trattoria/desk"):
        fleet.the_hub.revoke("desk", "stolen")
    fleet.the_hub.revoke("osteria/desk", "stolen")
    with pytest.raises(Forbidden):
        there.sync()
    here.sync()


def test_a_code_that_two_copies_of_a_device_gave_names_both_reservations(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.sync_all()
    twin = fleet.clone_unnoticed("desk", "twin")
    desk = fleet.nodes["desk"]
    one, other = fleet.reserve(desk, "19:30", ["T1"]), fleet.reserve(twin, "19:30", ["T2"])
    assert one.code == other.code
    fleet.sync(desk, twin)
    with pytest.raises(Conflict, match="names 2 reservations") as told:
        fleet.the_hub.reservations.find(one.code)
    assert all(uuid_text(view.id) in told.value.detail for view in (one, other))
    assert fleet.the_hub.reservations.find(uuid_text(other.id)).live[0].resource == "T2"


def test_of_two_hubs_that_closed_each_other_all_take_the_same_one_for_replaced(
    fleet: Fleet,
) -> None:
    """Somebody says `--proceed` at both. Which close stands follows from the entries: it is the
    same at every replica, in whatever order they came, and after a restart."""
    copies = [fleet.copy("hub", name) for name in ("one", "two")]
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    fleet.stop_hub()
    hubs: list[Hub] = []
    for directory in copies:
        hub = fleet.open("hub", directory)
        assert isinstance(hub, Hub)
        hub.recover(proceed=True)
        hubs.append(hub)
    for hub, node in zip(hubs, (desk, kiosk), strict=True):
        follow(fleet, hub)
        node.sync()
    for node, other in ((desk, hubs[1]), (kiosk, hubs[0])):
        follow(fleet, other)
        with contextlib.suppress(RuleViolated):
            node.sync()
    for hub in hubs:
        hub.recover(proceed=True)
    for _ in range(3):
        for hub in hubs:
            follow(fleet, hub)
            for node in (desk, kiosk):
                with contextlib.suppress(RuleViolated):
                    node.sync()
    assert sorted(hub.exchange_state for hub in hubs) == ["replaced", "serving"]
    replicas = [*hubs, desk, kiosk]
    heads = {Exchange(replica).heads_digest(fleet.book) for replica in replicas}
    assert len(heads) == 1
    assert_same_book(replicas, fleet.book)
    states = [hub.exchange_state for hub in hubs]
    for hub, state in zip(hubs, states, strict=True):
        hub.close()
        again = fleet.open("hub", hub.directory)
        assert again.exchange_state == state
        again.close()


def test_a_card_that_was_sealed_to_a_key_which_lost_is_readable_at_every_desk(
    fleet: Fleet,
) -> None:
    """A desk is cut off as soon as it has made the venue's key; another desk's comes into force."""
    calls = fleet.join("calls", "channel")
    synchronise = fleet._node_class.sync
    calls_of: list[str] = []

    def cut_after_one(node: Any) -> Any:
        calls_of.append(node.name)
        if calls_of.count("desk-1") >= 2:
            fleet.cut("desk-1")
        return synchronise(node)

    with mock.patch.object(fleet._node_class, "sync", cut_after_one):
        first = fleet.join("desk-1")
    anna = fleet.reserve(first, "12:00", ["T1"], guest={"name": "Anna"})
    fleet.clocks.advance(seconds=1)
    others = [fleet.join("desk-2"), fleet.join("desk-3")]
    fleet.sync_all(2)
    bert = fleet.reserve(calls, "14:00", ["T1"], guest={"name": "Bert"})
    fleet.heal()
    fleet.sync_all(4)
    keys = {node.book(fleet.book).administration.venue_key for node in fleet.nodes.values()}
    assert len(keys) == 1
    for desk in (first, *others):
        for view, name in ((anna, "Anna"), (bert, "Bert")):
            card = desk.reservations.guest(fleet.now(desk, view))
            assert card is not None and card["name"] == name, f"{desk.name} cannot read {name}"
    assert calls.reservations.guest(fleet.now(calls, anna)) is None
    fleet.assert_agree()
