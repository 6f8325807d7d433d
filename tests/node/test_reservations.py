"""What people do with reservations, at a desk, a kiosk and the hub."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.model import lifecycle
from holdfast.model.entries import Claim
from holdfast.model.errors import (
    BadTransition,
    Invalid,
    NotAvailable,
    NotFound,
    RuleViolated,
    Stale,
)
from holdfast.model.events import ReservationAmended, ReservationMoved
from holdfast.model.ids import uuid_text
from holdfast.model.limits import CLAIMS_PER_ENTRY_MAX, FROM_PER_ENTRY_MAX
from holdfast.model.reservation import View, shown_claims, version_tag
from holdfast.node import upkeep
from holdfast.node.hub import Hub
from holdfast.node.requests import PatchRequest
from holdfast.node.service import Service
from tests.kit import DAY, HOTEL, NEXT_DAY, TRATTORIA, Fleet


@pytest.fixture
def hotel(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, HOTEL) as made:
        yield made


# --- making ---------------------------------------------------------------------------------------


def test_the_hub_confirms_at_once_and_a_node_says_provisional(fleet):
    desk = fleet.join("desk")
    sold = fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    asked = fleet.reserve(desk, "19:30", ["T2"])
    assert (sold.status, sold.assurance) == (lifecycle.CONFIRMED, "guaranteed")
    assert (asked.status, asked.assurance) == (lifecycle.COMMIT_PENDING, "provisional")
    fleet.sync_all()
    assert (fleet.now(desk, asked).assurance, desk.reservations.sync_state(asked)) == (
        "admitted", "merged",
    )  # fmt: skip


def test_what_is_known_to_be_taken_is_refused_with_alternatives(fleet):
    desk = fleet.join("desk")
    fleet.reserve(desk, "19:30", ["T1"])
    with pytest.raises(NotAvailable) as refusal:
        fleet.reserve(desk, "20:00", ["T1"])
    alternatives = refusal.value.extra["alternatives"]
    assert alternatives
    assert all(a["starts_at"].startswith(DAY) for a in alternatives)
    fleet.reserve(desk, alternatives[0]["starts_at"], alternatives[0]["resources"])


def test_a_party_that_no_place_ever_takes_is_told_so_and_not_to_try_another_time(fleet):
    hub = fleet.the_hub
    with pytest.raises(RuleViolated) as refusal:
        fleet.reserve(hub, "19:30", party=11)
    assert "takes 11 people at any time: 8 at the most" in refusal.value.detail
    assert "another time" not in refusal.value.detail
    booked = fleet.reserve(hub, "19:30", party=2)
    with pytest.raises(RuleViolated, match="takes 11 people"):
        hub.reservations.amend(booked.code, PatchRequest(party_size=11))


def test_the_smallest_fitting_table_is_chosen_then_a_combination_then_nothing(fleet):
    hub = fleet.the_hub
    chosen = [fleet.reserve(hub, "19:30", party=p) for p in (2, 2, 2, 2)]
    assert [[c.resource for c in v.live] for v in chosen] == [["T1"], ["T2"], ["T3"], ["T4"]]
    with pytest.raises(NotAvailable):
        fleet.reserve(hub, "19:30", party=2)
    together = fleet.reserve(hub, "22:00", party=7)
    assert [c.resource for c in together.live] == ["T3", "T4"]


def test_a_pool_of_people_counts_people(fleet):
    hub = fleet.the_hub
    first = fleet.reserve(hub, "19:30", ["HALL"], party=7)
    assert [(c.resource, c.quantity) for c in first.live] == [("HALL", 7)]
    with pytest.raises(NotAvailable):
        fleet.reserve(hub, "20:00", ["HALL"], party=4)
    fleet.reserve(hub, "20:00", ["HALL"], party=3)
    fleet.reserve(hub, "21:00", ["HALL"], party=7)
    fleet.assert_agree()


@pytest.mark.parametrize("kind", ["spot", "event", "restaurant", "centre"])
def test_what_was_reserved_offline_of_any_kind_of_venue_is_that_venues_at_the_hub(tmp_path, kind):
    """S-01, S-51: what was reserved by who was cut off stays a spot, an event, a business."""
    with Fleet(tmp_path, TRATTORIA | {"venue": f"one-{kind}", "kind": kind}) as fleet:
        desk = fleet.join("desk")
        fleet.cut("desk")
        made = fleet.reserve(desk, "19:30", ["HALL"], party=7)
        assert fleet.now(desk, made).status == lifecycle.COMMIT_PENDING
        fleet.heal()
        fleet.sync_all()
        for replica in (desk, fleet.the_hub):
            shown = fleet.now(replica, made)
            assert (shown.book, shown.status) == (fleet.book, lifecycle.CONFIRMED)
            assert replica.venue(f"one-{kind}").venue.kind == kind


def test_what_remains_of_an_event_is_its_capacity_less_who_attends(fleet):
    """S-50, S-06, S-08: three are left of ten once seven come, none for four, and ten again."""
    hub = fleet.the_hub

    def remaining(party: int) -> int:
        asked = fleet.slots(hub, party, resource_kind="pool", include_full=True)
        (slot,) = [one for one in asked if "T20:00" in one["starts_at"]]
        return int(slot["remaining"])

    assert remaining(1) == 10
    made = fleet.reserve(hub, "19:30", ["HALL"], party=7)
    assert (remaining(1), remaining(3), remaining(4)) == (3, 3, 0)
    hub.reservations.cancel(made.code)
    assert remaining(4) == 10


def test_metadata_outlives_a_change_an_exchange_and_a_backup(fleet, tmp_path):
    """S-65, H-19: what another program keeps with a reservation is kept as it was given."""
    kept = {
        "ai.message": "msg:4711", "ai.score": 0.8375,
        "novel.fabric": {"knots": [1, 2.5, None, ["fabric:7"]], "paid": True},
    }  # fmt: skip
    desk = fleet.join("desk")
    fleet.cut("desk")
    made = fleet.reserve(desk, "19:30", ["HALL"], party=3, metadata=kept)
    fleet.move(desk, made, time="20:00", party_size=4)
    fleet.heal()
    fleet.sync_all()
    assert (fleet.now(fleet.the_hub, made).party_size, fleet.now(desk, made).metadata) == (4, kept)
    upkeep.backup(fleet.the_hub, tmp_path / "copy.db")
    upkeep.restore(tmp_path / "copy.db", tmp_path / "again")
    again = Hub.open(tmp_path / "again")
    try:
        assert fleet.now(again, made).metadata == kept
    finally:
        again.close()


def test_a_pool_of_units_counts_units_over_whole_stays(hotel):
    hub = hotel.the_hub
    stay = hotel.reserve(hub, f"{DAY}T15:00", nights=2, quantity=1)
    assert [(c.resource, c.quantity) for c in stay.live] == [("DOUBLE", 1)]
    hotel.reserve(hub, f"{NEXT_DAY}T15:00", nights=1, party=2)
    with pytest.raises(NotAvailable):
        hotel.reserve(hub, f"{NEXT_DAY}T15:00", nights=1)
    hotel.reserve(hub, "2027-06-05T15:00", nights=2, quantity=2, party=4)
    assert stay.nights == 2
    hotel.assert_agree()


def test_a_stay_may_be_shortened_and_prolonged(hotel):
    desk = hotel.join("desk")
    stay = hotel.reserve(desk, f"{DAY}T15:00", ["R101"], nights=3)
    hotel.sync_all()
    desk.reservations.amend(stay.code, PatchRequest(nights=1))
    hotel.sync_all()
    assert hotel.now(hotel.the_hub, stay).nights == 1
    other = hotel.reserve(desk, "2027-06-05T15:00", ["R101"], nights=1)
    with pytest.raises(NotAvailable):
        desk.reservations.amend(stay.code, PatchRequest(nights=3))
    hotel.sync_all()
    assert hotel.now(desk, other).status == lifecycle.CONFIRMED
    hotel.assert_agree()


def test_codes_are_unique_among_devices_that_do_not_meet(fleet):
    nodes = [fleet.join(name) for name in ("desk", "second", "third")]
    codes = []
    for node, hour in itertools.product([*nodes, fleet.the_hub], range(8, 22)):
        codes.append(fleet.reserve(node, f"{hour:02}:00", ["HALL"], party=1).code)
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("RES-2027-") and len(code) == 15 for code in codes)


def test_a_reservation_is_found_by_its_code_as_people_type_it_and_by_its_id(fleet):
    view = fleet.reserve(fleet.the_hub, "19:30")
    find = fleet.the_hub.reservations.find
    for spelling in (view.code, view.code.lower(), view.code.replace("-", " "), uuid_text(view.id)):
        assert find(spelling).id == view.id
    for wrong in ("RES-2027-ZZZZZZ", "nonsense", "", uuid_text(b"0" * 16)):
        with pytest.raises(NotFound):
            find(wrong)


def test_may_move_lets_the_holder_seat_elsewhere_and_says_where_from(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    fleet.cut("kiosk")
    first = fleet.reserve(desk, "19:30")
    fleet.sync_all()
    second = fleet.reserve(kiosk, "19:30")
    fixed = fleet.reserve(kiosk, "21:30", ["T1"])
    assert (second.may_move, fixed.may_move) == (True, False)
    fleet.heal()
    fleet.sync_all()
    moved = fleet.now(kiosk, second)
    assert moved.status == lifecycle.CONFIRMED
    assert [c.resource for c in moved.live] == ["T2"]
    assert (moved.decision.verdict, moved.decision.from_resources) == ("moved", ("T1",))
    assert moved.decision.won == (first.id,)
    fleet.assert_agree()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"party": 0}, Invalid), ({"kind": "vip"}, Invalid), ({"occasion": "for Anna"}, Invalid),
        ({"metadata": {"note": "likes wine"}}, Invalid), ({"resources": ["T9"]}, Invalid),
        ({"party": 3, "resources": ["T1"]}, RuleViolated), ({"resources": ["T1", "T1"]}, Invalid),
        ({"user_id": "anna", "agent_id": "agent_" + "a" * 32}, Invalid), ({"user_id": ""}, Invalid),
        ({"agent_id": "anna"}, Invalid), ({"time": "2020-01-01T19:30"}, RuleViolated),
        ({"time": "2029-01-01T19:30"}, RuleViolated), ({"time": f"{DAY}T03:00"}, RuleViolated),
        ({"party": 41}, RuleViolated), ({"quantity": 2}, Invalid), ({"venue": "nowhere"}, NotFound),
        ({"guest": {"name": "Anna", "shoe": "38"}}, Invalid),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(fleet, change, error):
    desk = fleet.join("desk")
    before = desk.tip(fleet.book)
    request = {"time": "19:30", **change}
    with pytest.raises(error) as refusal:
        fleet.reserve(desk, **request)
    assert refusal.value.detail
    assert desk.tip(fleet.book) == before


# --- guests ---------------------------------------------------------------------------------------


def test_a_guest_card_is_read_only_at_the_desk(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    guest = {"name": "Anna Rossi", "phone": "+39 055 123"}
    view = fleet.reserve(kiosk, "19:30", guest=guest, user_id="anna")
    assert kiosk.reservations.guest(view) is None
    fleet.sync_all()
    assert desk.reservations.guest(fleet.now(desk, view)) == guest
    assert fleet.the_hub.reservations.guest(fleet.now(fleet.the_hub, view)) is None
    assert kiosk.reservations.guest(fleet.now(kiosk, view)) is None
    for replica in fleet.replicas():
        replica.store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for path in replica.directory.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                for clear in (b"Rossi", b"055 123", b"anna"):
                    assert clear not in data, f"{clear!r} stands in {path.name} at {replica.name}"


def test_the_same_person_has_the_same_agent_id_on_every_device(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    one = fleet.reserve(desk, "19:30", ["T1"], user_id="anna")
    other = fleet.reserve(kiosk, "19:30", ["T2"], user_id="anna")
    stranger = fleet.reserve(kiosk, "21:30", ["T2"])
    assert one.agent_id == other.agent_id != stranger.agent_id
    fleet.sync_all()
    found, _ = desk.reservations.select(agent_id=one.agent_id)
    assert {v.id for v in found} == {one.id, other.id}


# --- changing -------------------------------------------------------------------------------------


def test_a_change_of_time_at_a_node_waits_and_the_old_place_stays(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    changed = fleet.move(desk, view, time="21:30")
    assert (changed.starts_at, changed.status) == (view.starts_at, lifecycle.CONFIRMED)
    assert changed.pending_change["starts_at"] == view.starts_at + 7200
    fleet.sync_all()
    assert fleet.now(desk, view).starts_at == view.starts_at + 7200
    fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.assert_agree()


def test_amending_a_word_leaves_a_pending_change_alone(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    waiting = fleet.move(desk, view, time="21:30").pending_change
    amended = fleet.move(desk, view, occasion="birthday")
    assert (amended.occasion, amended.pending_change) == ("birthday", waiting)
    fleet.sync_all()
    assert fleet.now(desk, view).starts_at == view.starts_at + 7200
    assert fleet.now(desk, view).occasion == "birthday"


def test_another_day_and_back_again_before_the_hub_answers(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T3"], party=3)
    fleet.sync_all()
    fleet.move(desk, view, time=f"{NEXT_DAY}T19:30", party_size=4)
    fleet.move(desk, view, time="12:00", party_size=3)
    fleet.sync_all()
    for replica in fleet.replicas():
        final = fleet.now(replica, view)
        assert (final.service_date, final.party_size) == (DAY, 3)
        assert (final.starts_at, len(final.live)) == (view.starts_at - 27_000, 1)
    fleet.assert_agree()


def test_a_second_wish_is_judged_on_its_own_when_the_first_was_refused(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.cut("desk")
    fleet.move(desk, view, time="12:00")
    fleet.move(desk, view, time="14:00")
    fleet.reserve(fleet.the_hub, "11:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    assert fleet.now(desk, view).starts_at == view.starts_at - 19_800
    fleet.assert_agree()


def test_at_the_hub_a_move_is_done_at_once_and_frees_the_old_place(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "19:30", ["T1"])
    moved = fleet.move(hub, view, time="20:00")
    assert (moved.starts_at, moved.pending_change) == (view.starts_at + 1800, None)
    moved = fleet.move(hub, view, resources=["T2"])
    assert [c.resource for c in moved.live] == ["T2"]
    fleet.reserve(hub, "20:00", ["T1"])
    with pytest.raises(NotAvailable):
        fleet.move(hub, view, resources=["T1"])
    fleet.assert_agree()


def test_a_guest_changes_their_mind_several_times_before_the_hub_answers(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    for time in ("20:00", "21:00", "12:00"):
        fleet.move(desk, view, time=time)
        fleet.clocks.advance(seconds=1)
    fleet.move(desk, view, occasion="birthday")
    fleet.sync_all()
    final = fleet.now(desk, view)
    assert final.status == lifecycle.CONFIRMED
    assert len(final.live) == 1
    assert final.occasion == "birthday"
    assert final.starts_at == view.starts_at - 27_000, "not the time that was asked for last"
    fleet.assert_agree()


def test_a_moved_reservation_then_changed_again_before_the_first_decision(fleet):
    """Taken at the hub meanwhile and movable: the later wish still wins if it can be had."""
    desk = fleet.join("desk")
    fleet.cut("desk")
    view = fleet.reserve(desk, "19:30")
    fleet.move(desk, view, time="21:30")
    fleet.reserve(fleet.the_hub, "19:30", ["T1"])
    fleet.heal()
    fleet.sync_all()
    final = fleet.now(desk, view)
    assert final.status == lifecycle.CONFIRMED
    assert len(final.live) == 1
    assert final.pending_change is None
    fleet.assert_agree()


def test_if_match_refuses_what_was_changed_meanwhile(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "19:30")
    tag = version_tag(view)
    changed = hub.reservations.amend(view.code, PatchRequest(occasion="date"), f'"{tag}"')
    assert changed.occasion == "date"
    with pytest.raises(Stale):
        hub.reservations.amend(view.code, PatchRequest(occasion="other"), f'"{tag}"')


def concurrent_changes(fleet: Fleet, replica: Service, view: View, count: int) -> View:
    """As many devices would write that have not heard of each other."""
    with replica.transaction():
        for number in range(count):
            replica.append(
                fleet.book, ReservationAmended({"party_size": 1 + number % 2}),
                subject=view.id, follows=view.leaves,
            )  # fmt: skip
    return fleet.now(replica, view)


def test_a_reservation_that_many_changed_at_once_stays_usable(fleet):
    hub = fleet.the_hub
    view = concurrent_changes(fleet, hub, fleet.reserve(hub, "19:30"), 130)
    assert len(view.leaves) == 130
    changed = hub.reservations.amend(view.code, PatchRequest(occasion="date"))
    assert (changed.occasion, len(changed.leaves)) == ("date", 130 - FROM_PER_ENTRY_MAX + 1)
    assert hub.reservations.cancel(view.code).status == lifecycle.CANCELLED


def test_a_displacement_of_what_many_changed_at_once_can_be_acknowledged(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk")
    fleet.cut("desk")
    lost = fleet.reserve(desk, "19:30", ["T1"])
    fleet.reserve(kiosk, "19:30", ["T1"])
    fleet.sync(kiosk)
    concurrent_changes(fleet, desk, desk.reservations.amend(
        lost.code, PatchRequest(may_move=False)
    ), 65)  # fmt: skip
    fleet.heal("desk")
    fleet.sync_all()
    assert [kind for kind, _ in fleet.now(desk, lost).exceptions] == ["displaced"]
    after = desk.resolve_exception(lost.id, "displaced", "acknowledge", "called_guest")
    assert after.exceptions == ()


def test_the_hub_cancels_and_moves_what_has_more_claims_than_an_entry_ends(fleet):
    hub = fleet.the_hub
    for change in ("cancel", "move"):
        view = fleet.reserve(hub, "19:30", ["T1"])
        claim = Claim("T9", view.starts_at, view.ends_at)
        with hub.transaction():
            for _ in range(2):
                hub.append(
                    fleet.book, ReservationMoved({}), subject=view.id,
                    follows=fleet.now(hub, view).leaves, claims=(claim,) * CLAIMS_PER_ENTRY_MAX,
                )  # fmt: skip
        assert len(fleet.now(hub, view).claims) == 1 + 2 * CLAIMS_PER_ENTRY_MAX
        if change == "cancel":
            after = hub.reservations.cancel(view.code)
            assert not after.live
        else:
            after = hub.reservations.amend(view.code, PatchRequest(starts_at=f"{DAY}T21:30"))
            assert len(after.live) == 1
        assert not after.pending


def test_what_no_device_would_take_in_is_refused_as_invalid(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "19:30", ["T1"])
    before = hub.tip(fleet.book)
    with pytest.raises(Invalid, match="party-size"):
        hub.reservations.check_in(view.code, 2**40)
    assert hub.tip(fleet.book) == before


def test_a_patch_that_changes_nothing_writes_nothing(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "19:30", ["T1"])
    before = hub.tip(fleet.book)
    for patch in (
        PatchRequest(), PatchRequest(party_size=2), PatchRequest(starts_at=f"{DAY}T19:30"),
        PatchRequest(resources=["T1"]), PatchRequest(duration_minutes=90),
    ):  # fmt: skip
        hub.reservations.amend(view.code, patch)
    assert hub.tip(fleet.book) == before


# --- marking --------------------------------------------------------------------------------------


def test_a_visit_from_arrival_to_departure_frees_what_is_left(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "2027-06-02T12:00", ["T1"])
    fleet.clocks.advance(hours=2)
    seated = hub.reservations.check_in(view.code, 1)
    assert (seated.status, seated.actual_party_size) == (lifecycle.CHECKED_IN, 1)
    with pytest.raises(BadTransition, match="already"):
        hub.reservations.check_in(view.code)
    with pytest.raises(BadTransition):
        hub.reservations.cancel(view.code)
    assert hub.reservations.complete(view.code).status == lifecycle.COMPLETED
    fleet.reserve(hub, "2027-06-02T12:30", ["T1"])
    fleet.assert_agree()


def test_a_cancel_at_a_node_keeps_the_place_occupied_until_the_hub_ends_it(fleet):
    desk = fleet.join("desk")
    view = fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    desk.reservations.cancel(view.code, note="called at noon")
    assert fleet.now(desk, view).status == lifecycle.CANCELLED
    with pytest.raises(NotAvailable):
        fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.reserve(desk, "19:30", ["T1"])
    fleet.sync_all()
    fleet.assert_agree()


NOTICE = TRATTORIA | {"policies": {"cancel_cutoff_minutes": 120}}
"""Who cancels does so two hours before the start at the latest."""


def test_who_cancels_too_late_is_refused_unless_they_may(tmp_path: Path):
    with Fleet(tmp_path, NOTICE) as fleet:
        desk = fleet.join("desk")
        places = (fleet.the_hub, desk)
        early, late = (
            [
                fleet.reserve(at, "2027-06-02T20:00", [table])
                for at, table in zip(places, tables, strict=True)
            ]
            for tables in (("T1", "T2"), ("T3", "T4"))
        )
        minutes = (early[0].starts_at * 1000 - desk.clock.now_ms()) / 60_000
        fleet.clocks.advance(minutes=minutes - 121)
        for replica, view in zip(places, early, strict=True):
            assert replica.reservations.cancel(view.code).status == lifecycle.CANCELLED
        fleet.clocks.advance(minutes=2)
        for replica, view in zip(places, late, strict=True):
            with pytest.raises(RuleViolated) as refusal:
                replica.reservations.cancel(view.code)
            assert [one["rule"] for one in refusal.value.extra["violations"]] == ["cancel-cutoff"]
            assert view.code in refusal.value.detail
            assert fleet.now(replica, view) == view
            assert replica.reservations.cancel(view.code, late=True).status == lifecycle.CANCELLED
        fleet.sync_all()
        fleet.assert_agree()


def test_a_late_cancel_from_elsewhere_is_a_fact_that_no_merge_refuses(tmp_path: Path):
    with Fleet(tmp_path, NOTICE) as fleet:
        desk = fleet.join("desk")
        view = fleet.reserve(desk, "2027-06-02T20:00")
        fleet.sync_all()
        fleet.cut("desk")
        fleet.clocks.advance(minutes=(view.starts_at * 1000 - desk.clock.now_ms()) / 60_000 - 119)
        # The desk's clock is an hour behind: to it there is time enough.
        fleet.clocks.off_ms["desk"] = -3_600_000
        behind = fleet.reopen("desk")
        behind.reservations.cancel(view.code)
        fleet.heal()
        fleet.sync_all()
        assert set(fleet.shown(view).values()) == {lifecycle.CANCELLED}
        assert behind.reservations.sync_state(view) == "merged"
        fleet.assert_agree()


def test_what_got_no_place_is_called_off_at_any_time(tmp_path: Path):
    with Fleet(tmp_path, NOTICE) as fleet:
        desk = fleet.join("desk")
        loser = fleet.reserve(desk, "2027-06-02T20:00", ["T1"])
        fleet.reserve(fleet.the_hub, "2027-06-02T20:00", ["T1"])
        fleet.sync_all()
        assert fleet.now(desk, loser).status == lifecycle.COMMIT_FAILED
        fleet.clocks.advance(minutes=(loser.starts_at * 1000 - desk.clock.now_ms()) / 60_000 - 1)
        assert desk.reservations.cancel(loser.code).status == lifecycle.CANCELLED


def test_a_no_show_only_after_the_start_and_reversible_for_a_day(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "2027-06-02T12:00", ["T1"])
    with pytest.raises(RuleViolated, match="begins at"):
        hub.reservations.no_show(view.code)
    fleet.clocks.advance(hours=3)
    assert hub.reservations.no_show(view.code).status == lifecycle.NO_SHOW
    assert hub.reservations.undo_no_show(view.code).status == lifecycle.CONFIRMED
    hub.reservations.no_show(view.code)
    fleet.clocks.advance(hours=25)
    with pytest.raises(RuleViolated, match="hours ago"):
        hub.reservations.undo_no_show(view.code)


def test_an_undone_no_show_stands_although_somebody_amended_meanwhile(fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    view = fleet.reserve(desk, "2027-06-02T12:00", ["T1"])
    fleet.sync_all()
    fleet.clocks.advance(hours=3)
    fleet.cut("desk", "kiosk")
    desk.reservations.no_show(view.code)
    fleet.move(kiosk, view, occasion="date")
    fleet.clocks.advance(seconds=5)
    desk.reservations.undo_no_show(view.code)
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        assert fleet.now(replica, view).status == lifecycle.CONFIRMED
    fleet.assert_agree()


def test_confirming_twice_changes_nothing_the_second_time(fleet):
    hub = fleet.the_hub
    view = fleet.reserve(hub, "19:30")
    assert hub.reservations.confirm(view.code).attendance_confirmed
    before = hub.tip(fleet.book)
    hub.reservations.confirm(view.code)
    assert hub.tip(fleet.book) == before


def test_when_the_guest_said_it_again_is_when_they_first_did_wherever_it_was_said(fleet):
    """Two devices hear it apart; afterwards all say the earlier time (H-16)."""
    hub, desk = fleet.the_hub, fleet.join("desk")
    view = fleet.reserve(hub, "19:30")
    fleet.sync_all()
    assert hub.reservations.happened(view) == (0, 0)
    fleet.cut("desk")
    first_ms = desk.clock.now_ms()
    desk.reservations.confirm(view.code)
    fleet.clocks.advance(minutes=5)
    hub.reservations.confirm(view.code)
    assert hub.reservations.happened(fleet.now(hub, view))[0] >= first_ms + 300_000
    fleet.heal()
    fleet.sync_all()
    for replica in fleet.replicas():
        said_ms, _ = replica.reservations.happened(fleet.now(replica, view))
        assert 0 <= said_ms - first_ms < 1_000


@pytest.mark.parametrize("word", [{"reason": "because"}, {"by": "anna"}, {"reason": "mario_rossi"}])
def test_reasons_are_codes(fleet, word):
    view = fleet.reserve(fleet.the_hub, "19:30")
    with pytest.raises(Invalid):
        fleet.the_hub.reservations.cancel(view.code, **word)


@pytest.mark.parametrize("typed", ["guest_late", "Guest late", " guest-late ", "GUEST  LATE"])
def test_a_reason_may_be_typed_with_capitals_spaces_and_dashes(fleet, typed):
    view = fleet.reserve(fleet.the_hub, "19:30")
    assert fleet.the_hub.reservations.cancel(view.code, typed).cancel_reason == "guest_late"


@pytest.mark.parametrize("typed", ["illness", "Guest ill", "family emergency"])
def test_a_guests_health_or_family_does_not_stand_in_the_book(fleet, typed):
    view = fleet.reserve(fleet.the_hub, "19:30")
    cancelled = fleet.the_hub.reservations.cancel(view.code, typed)
    assert cancelled.cancel_reason == "personal_reasons"


def test_whoever_cancels_for_a_reason_of_their_own_is_told_of_the_note(fleet):
    view = fleet.reserve(fleet.the_hub, "19:30")
    with pytest.raises(Invalid, match=r"weather.*`other` always fits.*`note`, which is sealed"):
        fleet.the_hub.reservations.cancel(view.code, "his aunt came")


# --- looking --------------------------------------------------------------------------------------


def test_a_list_comes_in_pages_in_order_and_complete(fleet):
    hub = fleet.the_hub
    made = [
        fleet.reserve(hub, f"{hour:02}:00", [table])
        for table in ("T2", "T1")
        for hour in range(8, 22, 2)
    ]
    found, cursor = [], None
    while True:
        page, cursor = hub.reservations.select(venue="trattoria", date=DAY, limit=3, cursor=cursor)
        found += page
        if cursor is None:
            break
    assert [(v.starts_at, v.id) for v in found] == sorted((v.starts_at, v.id) for v in made)
    ones, _ = hub.reservations.select(resource="T1", limit=3)
    assert [shown_claims(v)[0].resource for v in ones] == ["T1"] * 3
    with pytest.raises(Invalid):
        hub.reservations.select(status="happy")
    with pytest.raises(Invalid):
        hub.reservations.select(cursor="x.y")


def test_availability_shows_what_can_be_had_and_why_not_the_rest(fleet):
    desk = fleet.join("desk")
    for table in ("T1", "T2", "T3", "T4"):
        fleet.reserve(desk, "19:30", [table])
    free = {slot["starts_at"][11:16] for slot in fleet.slots(desk)}
    assert {"18:00", "21:00"} <= free
    assert not {"18:30", "19:30", "20:30"} & free
    everything = {s["starts_at"][11:16]: s for s in fleet.slots(desk, include_full=True)}
    assert everything["19:30"]["reason"] == "full"
    assert everything["18:00"]["assurance"] == "provisional"
    assert fleet.slots(fleet.the_hub)[0]["assurance"] == "guaranteed"
