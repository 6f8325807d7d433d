"""The hub: it decides once, ends what was given up, closes what was succeeded, and admits."""

from __future__ import annotations

import copy
import datetime
from typing import Any
from unittest import mock

import pytest

from holdfast.model import lifecycle
from holdfast.model.errors import (
    DirectoryError,
    Forbidden,
    Invalid,
    NotFound,
    RuleViolated,
    Unauthorised,
)
from holdfast.model.limits import BACKLOG_PATIENCE_SECONDS
from holdfast.node import blocks, taking_away
from holdfast.node.exchange import Exchange, Peer
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.requests import BlockRequest
from holdfast.store import projections
from tests.kit import DAY, TRATTORIA, Fleet, every_view, exchange_once


def test_who_asked_first_by_the_clocks_wins_whoever_comes_first(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("desk", "kiosk")
    first = fleet.reserve(desk, "19:30", ["T1"])
    fleet.clocks.advance(minutes=1)
    second = fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.heal()
    # Both arrive in one exchange: then the stamp decides.
    exchange_once(kiosk, desk)
    fleet.sync(kiosk, desk, kiosk)
    assert fleet.now(kiosk, first).status == lifecycle.CONFIRMED
    assert fleet.now(kiosk, second).status == lifecycle.COMMIT_FAILED
    fleet.assert_agree()


def test_claims_of_one_exchange_are_judged_against_each_other(fleet):
    """Many devices' claims on one table come in one message: exactly one of them has it."""
    desk = fleet.join("desk")
    others = [fleet.join(f"kiosk-{n}", "kiosk") for n in range(4)]
    fleet.cut("desk", *(n.name for n in others))
    views = [fleet.reserve(node, "19:30", ["T1"]) for node in (desk, *others)]
    views += [fleet.reserve(node, "21:30") for node in others]
    for node in others:
        exchange_once(desk, node)
    fleet.heal("desk")
    fleet.sync(desk)
    confirmed = [v for v in views[:5] if fleet.now(desk, v).status == lifecycle.CONFIRMED]
    assert len(confirmed) == 1
    seated = [fleet.now(desk, v) for v in views[5:]]
    assert sorted(c.resource for v in seated for c in v.live) == ["T1", "T2", "T3", "T4"]
    fleet.heal()
    fleet.sync_all()
    fleet.assert_agree()


def test_the_displaced_are_an_exception_until_a_person_resolves_it(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("kiosk")
    first = fleet.reserve(desk, "19:30", ["T1"])
    lost = fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.sync(desk)
    fleet.heal()
    fleet.sync_all()
    shown = fleet.now(desk, lost)
    assert (shown.status, shown.assurance) == (lifecycle.COMMIT_FAILED, "none")
    assert shown.decision.won == (first.id,)
    assert [kind for kind, _ in shown.exceptions] == ["displaced"]
    assert [row[1:3] for row in desk.store.projections.exceptions(fleet.book)] == [
        (lost.id, "displaced")
    ]
    with pytest.raises(Invalid):
        desk.resolve_exception(lost.id, "displaced", "shrug", "called_guest")
    resolved = desk.resolve_exception(lost.id, "displaced", "cancel", "called_guest")
    assert (resolved.status, resolved.exceptions) == (lifecycle.CANCELLED, ())
    fleet.sync_all()
    assert all(r.store.projections.exceptions() == [] for r in fleet.replicas())
    fleet.assert_agree()


def test_a_displaced_reservation_can_be_moved_to_a_free_time(fleet):
    desk = fleet.join("desk")
    fleet.cut("desk")
    fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    lost = fleet.reserve(desk, "19:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(desk, lost).status == lifecycle.COMMIT_FAILED
    fleet.move(desk, lost, time="21:30")
    fleet.sync_all()
    assert fleet.now(desk, lost).status == lifecycle.CONFIRMED
    assert fleet.now(desk, lost).exceptions == ()
    fleet.assert_agree()


def test_the_chain_of_a_succeeded_life_is_closed_at_the_head_that_the_hub_holds(fleet):
    desk = fleet.join("desk")
    fleet.reserve(desk, "12:00", ["T1"])
    fleet.sync_all()
    unsent = fleet.reserve(desk, "14:00", ["T1"])
    old = desk.identity.incarnation
    restored = fleet.copy("desk", "restored")
    fleet.nodes.pop("desk").close()
    desk = fleet.open("desk", restored)
    assert isinstance(desk, Node)
    assert (desk.identity.number, desk.other_life != []) == (2, True)
    fleet.sync_all()
    close = fleet.the_hub.book(fleet.book).administration.closes[old]
    chain = fleet.the_hub.store.journal.chain(fleet.book, old)
    assert chain is not None
    assert (close.entries, close.head) == (chain.length, chain.head)
    assert fleet.now(fleet.the_hub, unsent).status == lifecycle.CONFIRMED, "what was answered"
    again = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    assert fleet.now(desk, again).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_a_hub_that_dies_between_merging_and_deciding_waits_for_the_rest_and_decides(fleet):
    """What is undecided at a start may be half a backlog: its writer is heard out first."""
    desk = fleet.join("desk")
    kept = fleet.reserve(desk, "12:00", ["T1"])
    fleet.sync_all()
    asked = fleet.reserve(desk, "19:30", ["T1"])
    desk.reservations.cancel(kept.code)
    with mock.patch.object(Hub, "after_merge", lambda *_: None):
        desk.sync()
    assert fleet.now(fleet.the_hub, asked).status == lifecycle.COMMIT_PENDING
    hub = fleet.crash("hub")
    assert fleet.now(hub, asked).status == lifecycle.COMMIT_PENDING
    assert fleet.now(hub, kept).live == [], "ends are written at once"
    fleet.sync_all()
    assert fleet.now(hub, asked).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_a_writer_that_is_never_heard_again_is_not_waited_for_for_ever(fleet):
    desk = fleet.join("desk")
    asked = fleet.reserve(desk, "19:30", ["T1"])
    with mock.patch.object(Hub, "after_merge", lambda *_: None):
        desk.sync()
    hub = fleet.crash("hub")
    hub.settle(fleet.book, [])
    assert fleet.now(hub, asked).status == lifecycle.COMMIT_PENDING
    fleet.clocks.advance(seconds=BACKLOG_PATIENCE_SECONDS + 1)
    hub.settle(fleet.book, [])
    assert fleet.now(hub, asked).status == lifecycle.CONFIRMED


def test_recover_names_who_is_missing_and_proceeds_when_told(fleet):
    fleet.join("desk")
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    backup = fleet.copy("hub", "backup")
    fleet.stop_hub()
    hub = fleet.open("hub", backup)
    assert isinstance(hub, Hub)
    assert hub.exchange_state == "recovering"
    assert hub.recover() == {
        "state": "recovering", "missing": {"trattoria": ["desk", "kiosk"]}, "shut_out": {},
    }  # fmt: skip
    with pytest.raises(RuleViolated, match="recover"):
        hub.import_venue({**copy.deepcopy(TRATTORIA), "buffer_minutes": 5})
    fleet.sync(fleet.nodes["desk"])
    assert hub.recover()["missing"] == {"trattoria": ["kiosk"]}
    with pytest.raises(RuleViolated):
        fleet.reserve(hub, "19:30")  # What fails at the hub meanwhile costs nobody his hearing.
    assert hub.recover(proceed=True) == {
        "state": "serving", "missing": {}, "shut_out": {"trattoria": ["kiosk"]},
    }  # fmt: skip
    assert [node["name"] for node in hub.nodes() if node["revoked"]] == ["kiosk"]
    with pytest.raises(Forbidden):
        fleet.nodes["kiosk"].sync()
    assert fleet.nodes["desk"].sync()["hub_state"] == "serving"


def test_a_node_that_only_asks_for_heads_was_not_heard(fleet):
    """A recovering hub must not go on before a device has given back what it knows."""
    desk = fleet.join("desk")
    backup = fleet.copy("hub", "backup")
    sold = fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.sync(desk)
    fleet.stop_hub()
    hub = fleet.open("hub", backup)
    assert isinstance(hub, Hub)
    request = desk.exchange.request(desk.peer)
    Exchange(hub).answer(request)
    assert hub.recover()["state"] == "recovering"
    fleet.sync(desk)
    assert hub.recover()["state"] == "serving"
    assert fleet.now(hub, sold).status == lifecycle.CONFIRMED


def test_what_was_under_way_since_before_the_hub_was_lost_is_no_hearing(fleet):
    """A device told its heads to the hub of before; that message comes to the new one late, and
    what the device heard of the old hub after it is not in it (seed 91750)."""
    desk = fleet.join("desk")
    backup = fleet.copy("hub", "backup")
    late = Exchange(desk).request(Peer(desk.home))
    sold = fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.sync(desk)
    fleet.stop_hub()
    hub = fleet.open("hub", backup)
    assert isinstance(hub, Hub)
    Exchange(hub).answer(late)
    assert hub.recover()["missing"] == {"trattoria": ["desk"]}
    fleet.sync(desk)
    assert hub.recover()["state"] == "serving"
    assert fleet.now(hub, sold).status == lifecycle.CONFIRMED


def test_a_join_code_is_used_once_and_wrong_ones_use_up_its_tries(fleet):
    code = fleet.the_hub.invite("trattoria", "kiosk", "kiosk").code
    with fleet._clock_of("kiosk"):
        node = fleet._node_class.join("http://hub.test", code, fleet.directory / "kiosk")
        fleet.nodes["kiosk"] = node
        with pytest.raises(Unauthorised):
            fleet._node_class.join("http://hub.test", code, fleet.directory / "twice")
        with pytest.raises(DirectoryError):
            fleet._node_class.join("http://hub.test", code, fleet.directory / "kiosk")
    assert not (fleet.directory / "twice").exists()


def test_an_expired_code_admits_nobody(fleet):
    code = fleet.the_hub.invite("trattoria", "kiosk", "late", 60).code
    fleet.clocks.advance(minutes=2)
    with fleet._clock_of("late"), pytest.raises(Unauthorised):
        fleet._node_class.join("http://hub.test", code, fleet.directory / "late")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nowhere", "kiosk", "k"), NotFound), (("trattoria", "boss", "k"), Invalid),
        (("trattoria", "kiosk", "hub"), Invalid), (("trattoria", "kiosk", "K 1"), Invalid),
    ],
)  # fmt: skip
def test_an_invitation_that_makes_no_sense_is_refused(fleet, arguments, error):
    with pytest.raises(error):
        fleet.the_hub.invite(*arguments)


def test_a_node_of_one_venue_gets_nothing_of_another(fleet, tmp_path):
    other = {**copy.deepcopy(TRATTORIA), "venue": "osteria", "name": "Osteria"}
    fleet.the_hub.import_venue(other)
    fleet.reserve(fleet.the_hub, "19:30", ["T1"], venue="osteria")
    desk = fleet.join("desk")
    fleet.sync_all()
    assert desk.venue_ids() == ["trattoria"]
    request = desk.exchange.request(Peer("demo/osteria"))
    with pytest.raises(Forbidden):
        desk.transport().exchange(request)


def without(name: str) -> dict[str, Any]:
    smaller = copy.deepcopy(TRATTORIA)
    smaller["resources"] = [
        resource | {"combines_with": []} for resource in smaller["resources"]
        if resource["id"] != name
    ]  # fmt: skip
    return smaller


def smaller_hall(capacity: int) -> dict[str, Any]:
    smaller = copy.deepcopy(TRATTORIA)
    smaller["resources"][-1]["capacity"] = capacity
    return smaller


def test_a_table_is_not_taken_away_under_its_guests(fleet):
    hub, desk = fleet.the_hub, fleet.join("desk")
    views = [fleet.reserve(desk, f"{hour:02}:00", ["T3"]) for hour in (9, 11, 13, 15, 17, 19)]
    hub.reservations.cancel(fleet.reserve(hub, "12:00", ["T1"]).code)
    fleet.sync_all()
    with pytest.raises(RuleViolated) as refused:
        hub.import_venue(without("T3"))
    (violation,) = refused.value.extra["violations"]
    assert violation["rule"] == "reserved"
    codes = ", ".join(view.code for view in views[:5])
    assert f"T3 is still reserved: {codes} and 1 more." in violation["message"]
    assert "active: false" in violation["message"]
    assert "T3" in hub.venue("trattoria").resource_by_id
    hub.import_venue(without("T1"))
    assert fleet.now(hub, views[0]).status == lifecycle.CONFIRMED


def test_a_table_goes_when_its_guests_have_left_or_moved_and_whatever_blocks_it(fleet):
    hub = fleet.the_hub
    served, moved = (fleet.reserve(hub, time, ["T1"]) for time in ("09:00", "19:00"))
    block = BlockRequest(
        venue="trattoria", kind="maintenance", resources=["T1"], starts_at=f"{DAY}T12:00",
        ends_at=f"{DAY}T14:00",
    )  # fmt: skip
    blocks.block(hub, block)
    with pytest.raises(RuleViolated, match="T1 is still reserved"):
        hub.import_venue(without("T1"))
    fleet.move(hub, moved, resources=["T2"])
    fleet.clocks.advance(hours=23)
    with pytest.raises(RuleViolated, match=f"T1 is still reserved: {served.code}. "):
        hub.import_venue(without("T1"))
    hub.reservations.check_in(served.code)
    hub.reservations.complete(served.code)
    assert "T1" not in {resource.id for resource in hub.import_venue(without("T1")).resources}


def test_a_pool_is_not_made_smaller_than_what_is_promised_of_it_at_one_instant(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "19:00", ["HALL"], party=4)
    fleet.reserve(hub, "20:30", ["HALL"], party=7)
    other = fleet.reserve(hub, "19:30", ["HALL"], party=3)
    with pytest.raises(RuleViolated, match="HALL with 9 left is still reserved: ") as refused:
        hub.import_venue(smaller_hall(9))
    assert view.code in str(refused.value)
    hub.reservations.cancel(other.code)
    hub.import_venue(smaller_hall(7))


def test_a_venue_that_shrinks_ends_no_confirmed_reservation(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T2"])
    fleet.sync_all()
    # Versions of before it was asked who stands there are in books for ever.
    with mock.patch.object(taking_away, "require_nobody_there"):
        fleet.the_hub.import_venue(without("T2"))
    asked = fleet.reserve(desk, "21:30", ["T2"])
    fleet.sync_all()
    assert fleet.now(desk, view).status == lifecycle.CONFIRMED
    refused = fleet.now(desk, asked)
    assert (refused.status, refused.decision.reason) == (
        lifecycle.COMMIT_FAILED, "no-such-resource",
    )  # fmt: skip
    desk.reservations.cancel(view.code)
    fleet.sync_all()
    assert fleet.now(desk, view).live == []


def test_every_decision_names_what_it_relied_on_and_is_the_only_one(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    for hour in range(8, 22, 2):
        fleet.reserve(desk, f"{hour:02}:00", ["T1"])
        fleet.reserve(kiosk, f"{hour:02}:00", ["T1"])
    fleet.sync_all()
    for view in every_view(fleet.the_hub, fleet.book):
        record = fleet.the_hub.record(view.id)
        assert record is not None
        decided = [seen for seen in record.seen if seen.kind == "claim.decided"]
        assert len(decided) == 1
    fleet.assert_agree()


def test_the_fleet_view_shows_who_was_heard_and_who_was_shut_out(fleet):
    fleet.join("desk")
    kiosk = fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    fleet.the_hub.revoke("kiosk", "stolen")
    rows = {row["name"]: row for row in fleet.the_hub.nodes()}
    assert (rows["kiosk"]["revoked"], rows["desk"]["revoked"]) == (True, False)
    assert rows["kiosk"]["incarnation"] == kiosk.identity.incarnation.hex()
    assert rows["desk"]["queued"] == 0
    with pytest.raises(NotFound):
        fleet.the_hub.revoke("nobody", "stolen")


def test_two_hubs_that_both_follow_one_stop_every_node_that_meets_them(fleet):
    """A backup of a hub is restored twice, and both copies go on without hearing of each other."""
    copies = [fleet.copy("hub", name) for name in ("one", "two")]
    desk = fleet.join("desk")
    for number, directory in enumerate(copies):
        fleet.stop_hub()
        hub = fleet.open("hub", directory)
        assert isinstance(hub, Hub)
        assert hub.recover() == {"state": "serving", "missing": {}, "shut_out": {}}
        desk.reset_peer()
        if number == 0:
            fleet.sync(desk)
    with pytest.raises(RuleViolated, match="two hubs"):
        fleet.sync(desk)
    assert desk.rivals


def test_messages_come_to_an_end_whatever_is_there_to_say(fleet: Fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    for hour in range(8, 20, 2):
        fleet.reserve(desk, f"{hour:02}:00", ["T1"])
        fleet.reserve(kiosk, f"{hour:02}:00", ["T2"], guest=None)
    fleet.sync_all()
    fleet.rounds = 0
    fleet.sync_all(1)
    assert fleet.rounds <= 4, "with nothing to say, one round each is enough"


def test_a_hub_made_from_an_exported_root_sells_nothing_before_a_device_was_heard(tmp_path):
    """A root key that was exported means that there was a hub, and that devices may know of it."""
    first = Hub.init(tmp_path / "first", "demo")
    first.export_root(tmp_path / "root.pem")
    first.close()
    rebuilt = Hub.init(tmp_path / "second", "demo", (tmp_path / "root.pem").read_bytes())
    try:
        assert rebuilt.exchange_state == "recovering"
        with pytest.raises(RuleViolated, match="hub recover"):
            rebuilt.import_venue(TRATTORIA)
        assert rebuilt.recover(proceed=True)["state"] == "serving"
        assert rebuilt.import_venue(TRATTORIA).id in rebuilt.venue_ids()
    finally:
        rebuilt.close()


def test_a_backlog_on_one_table_costs_what_is_on_each_day_and_not_what_is_in_it(fleet):
    """A venue with few tables must not pay for the whole backlog at each decision."""
    desk = fleet.join("desk")
    fleet.cut("desk")
    first = datetime.date.fromisoformat(DAY)
    count = 120
    for number in range(count):
        day = (first + datetime.timedelta(days=number)).isoformat()
        fleet.reserve(desk, f"{day}T19:30", ["T1"])
    fleet.heal()
    # Every place that is looked at, on the disk or folded, goes through this.
    with mock.patch.object(projections, "_held", side_effect=projections._held) as looked:
        fleet.sync(desk)
    assert len(every_view(fleet.the_hub, fleet.book)) == count
    assert count <= looked.call_count <= 4 * count
