"""What the rules refuse at a replica, what it offers instead, and what it keeps of that."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from holdfast.model import lifecycle, restrictions
from holdfast.model.errors import Invalid, NotAvailable, RateLimited, RuleViolated, StorageFull
from holdfast.model.limits import VIOLATIONS_KEPT_DAYS
from holdfast.model.mapping import ImportRecord
from holdfast.model.pseudonyms import agent_id
from holdfast.model.reservation import View
from holdfast.node import holds, waiting
from holdfast.node.requests import (
    AvailabilityRequest,
    CreateRequest,
    HoldRequest,
    PatchRequest,
    WaitRequest,
)
from holdfast.node.service import Service
from holdfast.store import violations
from tests.kit import DAY, HOTEL, OPEN, TRATTORIA, Fleet

AGENT, OTHER = ("agent_" + letter * 32 for letter in "ab")
TODAY = "2027-06-02"  # a Wednesday, 10:13 in Rome

Ruled = Callable[..., AbstractContextManager[Fleet]]


@pytest.fixture
def ruled(tmp_path: Path) -> Ruled:
    """A trattoria with other policies."""

    def make(policies: dict[str, Any], **changes: Any) -> Fleet:
        venue = copy.deepcopy(TRATTORIA) | {"policies": policies} | changes
        return Fleet(tmp_path, venue)

    return make


def refused(work: Callable[[], Any]) -> RuleViolated:
    with pytest.raises(RuleViolated) as caught:
        work()
    return caught.value


def rules_of(error: RuleViolated | RateLimited) -> list[str]:
    return [one["rule"] for one in error.extra["violations"]]


class _NotKept(Exception):
    """What was tried is undone."""


def booked(fleet: Fleet, replica: Service, slot: dict[str, Any], party: int = 2) -> View:
    """The reservation that a suggestion is, if it is accepted; it is not kept, so that the next
    suggestion can be tried too."""
    wanted = CreateRequest(
        venue=fleet.venue_id, starts_at=slot["starts_at"], ends_at=slot["ends_at"],
        party_size=party, resources=slot["resources"],
    )  # fmt: skip
    with contextlib.suppress(_NotKept), replica.transaction():
        view = replica.reservations.create(wanted)
        raise _NotKept
    return view


# --- what is offered instead ----------------------------------------------------------------------


def test_who_breaks_two_rules_is_told_both_and_every_alternative_can_be_booked(ruled: Ruled):
    with ruled({"advance_days": 14, "min_minutes": 60}) as fleet:
        desk = fleet.join("desk")
        error = refused(
            lambda: fleet.reserve(desk, "2027-06-17T19:30", ["T1"], duration_minutes=30)
        )
        assert rules_of(error) == ["duration", "advance"]
        suggestions = error.extra["suggestions"]
        assert len(suggestions) == 3
        # The last day that may be had, the nearest hours of it, and the least length.
        assert all(slot["starts_at"].startswith("2027-06-16") for slot in suggestions)
        for slot in suggestions:
            view = booked(fleet, desk, slot)
            assert view.ends_at - view.starts_at == 3_600


@pytest.mark.parametrize(("minutes", "offered"), [(30, 60), (240, 120)])
def test_whose_length_is_wrong_may_have_the_same_start_for_the_nearest_that_is_right(
    ruled: Ruled, minutes: int, offered: int
):
    with ruled({"min_minutes": 60, "max_minutes": 120}) as fleet:
        hub = fleet.the_hub
        error = refused(lambda: fleet.reserve(hub, "19:30", duration_minutes=minutes))
        starts = [slot["starts_at"] for slot in error.extra["suggestions"]]
        assert "2027-06-03T19:30:00+02:00" in starts
        for slot in error.extra["suggestions"]:
            view = booked(fleet, hub, slot)
            assert view.ends_at - view.starts_at == offered * 60


def test_alternatives_lie_before_and_after_a_closed_time(ruled: Ruled):
    closing = {"from": "2027-06-10", "to": "2027-06-20", "name": "painters"}
    with ruled({}, blackouts=[closing]) as fleet:
        hub = fleet.the_hub
        error = refused(lambda: fleet.reserve(hub, "2027-06-15T12:00"))
        assert rules_of(error) == ["blackouts"]
        assert "painters" in error.detail
        days = {slot["starts_at"][:10] for slot in error.extra["suggestions"]}
        assert days == {"2027-06-09", "2027-06-21"}
        for slot in error.extra["suggestions"]:
            booked(fleet, hub, slot)


def test_a_stay_that_is_too_long_may_have_the_longest_that_is_allowed(tmp_path: Path):
    with Fleet(tmp_path, HOTEL | {"policies": {"advance_days": 14}}) as fleet:
        hub = fleet.the_hub
        error = refused(lambda: fleet.reserve(hub, "2027-06-05T15:00", nights=40))
        assert rules_of(error) == ["nights"]
        first = error.extra["suggestions"][0]
        assert first["starts_at"].startswith("2027-06-04")
        assert any(slot["starts_at"][:10] == "2027-06-05" for slot in error.extra["suggestions"])
        stay = fleet.reserve(hub, first["starts_at"], first["resources"], ends_at=first["ends_at"])
        assert stay.nights == 30


def test_where_no_other_time_helps_none_is_offered(ruled: Ruled):
    with ruled({"max_party": 4, "concurrent": 1}) as fleet:
        hub = fleet.the_hub
        assert refused(lambda: fleet.reserve(hub, "19:30", party=5)).extra["suggestions"] == []
        fleet.reserve(hub, "12:00", agent_id=AGENT)
        error = refused(lambda: fleet.reserve(hub, "07:00", agent_id=AGENT))
        assert rules_of(error) == ["hours", "concurrent"]
        assert error.extra["suggestions"] == []


def test_what_is_suggested_is_of_the_kind_and_area_that_was_asked_for(ruled: Ruled):
    with ruled({}) as fleet:
        hub = fleet.the_hub
        error = refused(lambda: fleet.reserve(hub, "19:40", area="Garden"))
        assert {tuple(slot["resources"]) for slot in error.extra["suggestions"]} == {("T4",)}
        error = refused(lambda: fleet.reserve(hub, "19:40", resource_kind="pool"))
        assert {tuple(slot["resources"]) for slot in error.extra["suggestions"]} == {("HALL",)}


def test_who_named_an_area_is_offered_it_first_and_then_the_same_start_elsewhere(ruled: Ruled):
    with ruled({}) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "19:30", ["T4"], party=4)

        def offered(**asked: Any) -> list[tuple[str, list[str]]]:
            with pytest.raises((NotAvailable, RuleViolated)) as caught:
                fleet.reserve(hub, "19:30", **asked)
            extra = caught.value.extra
            slots = extra.get("alternatives") or extra["suggestions"]
            return [(slot["starts_at"][11:16], slot["resources"]) for slot in slots]

        there = [("17:30", ["T4"]), ("18:00", ["T4"]), ("21:00", ["T4"])]
        assert offered(party=4, area="garden") == [*there, ("19:30", ["T3"])]
        fleet.reserve(hub, "19:30", ["T3"], party=4)
        assert offered(party=4, area="Garden") == there, "nothing is free elsewhere either"
        assert offered(party=4, area="main")[-1][0] != "19:30"
        assert offered(party=1, area="Garden") == [("19:30", ["T1"])], "the garden takes no one"


def test_an_area_may_be_called_as_the_venue_writes_it_or_as_answers_show_it(ruled: Ruled):
    with ruled({}) as fleet:
        hub = fleet.the_hub
        assert fleet.slots(hub, 4, area="garden") == fleet.slots(hub, 4, area="Garden") != []
        made = fleet.reserve(hub, "19:30", party=4, area="garden")
        assert ([claim.resource for claim in made.claims], made.area) == (["T4"], "garden")
        held = holds.place(
            hub,
            HoldRequest(venue="trattoria", starts_at=f"{DAY}T12:30", party_size=4, area="garden"),
        )
        assert held.area == "garden"
        moved = fleet.move(hub, made, area="Main")
        assert (moved.area, moved.claims[-1].resource) == ("main", "T3")
        asks: tuple[Callable[[], Any], ...] = (
            lambda: fleet.reserve(hub, "19:30", area="Roof"),
            lambda: fleet.reserve(hub, "19:30", ["T1"], area="Roof"),
            lambda: fleet.slots(hub, area="Roof"),
            lambda: fleet.move(hub, made, area="Roof"),
            lambda: waiting.join(
                hub, WaitRequest(venue="trattoria", date=DAY, party_size=2, area="Roof")
            ),
        )
        for ask in asks:
            with pytest.raises(Invalid, match="'Roof' is none of Garden, Main") as caught:
                ask()
            assert caught.value.extra["errors"][0]["field"] == "area"


def test_no_more_people_sit_there_at_once_than_may(ruled: Ruled):
    """Eight at once, whole evenings through: who has left, and a buffer, are in nobody's way."""
    hall = [{"id": "HALL", "kind": "pool", "capacity": 40, "counts": "people"}]
    with ruled({}, covers_at_once=8, buffer_minutes=15, resources=hall) as fleet:
        hub = fleet.the_hub
        early = fleet.reserve(hub, "18:00", ["HALL"], party=5)
        late = fleet.reserve(hub, "19:30", ["HALL"], party=5)
        waiting.join(hub, WaitRequest(venue="trattoria", date=DAY, party_size=8))

        def free(party: int) -> list[str]:
            slots = fleet.slots(hub, party)
            starts = [slot["starts_at"][11:16] for slot in slots]
            return [start for start in starts if "16:00" <= start <= "21:30"]

        assert "18:30" in free(3), "two parties of five follow each other"
        assert free(4) == ["16:00", "16:30", "21:00", "21:30"]
        error = refused(lambda: fleet.reserve(hub, "18:30", party=4))
        assert rules_of(error) == ["seated"]
        assert "18:30 and 20:00 5 covers already sit here at once, and 8 may" in str(error)
        assert [slot["starts_at"][11:16] for slot in error.extra["suggestions"]] == [
            "16:00", "16:30", "21:00",
        ]  # fmt: skip
        assert rules_of(refused(lambda: fleet.move(hub, late, time="19:00"))) == ["seated"]
        assert fleet.move(hub, late, time="20:00", party_size=8).party_size == 8
        fleet.clocks.advance(hours=32)
        hub.reservations.check_in(early.code)
        hub.reservations.complete(early.code)
        assert fleet.reserve(hub, "18:30", party=8).status == "confirmed"


def test_a_full_house_is_no_alternative_and_the_next_free_hour_is(ruled: Ruled):
    one = [{"id": "T1", "kind": "table", "seats": [1, 4]}]
    with ruled({}, resources=one) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "19:00")
        error = refused(lambda: fleet.reserve(hub, "19:40"))
        starts = [slot["starts_at"][11:16] for slot in error.extra["suggestions"]]
        assert starts == ["17:30", "20:30", "21:00"]


def test_who_moves_to_another_time_is_not_in_their_own_way(ruled: Ruled):
    one = [{"id": "T1", "kind": "table", "seats": [1, 4]}]
    with ruled({}, resources=one) as fleet:
        view = fleet.reserve(fleet.the_hub, "19:00")
        error = refused(lambda: fleet.move(fleet.the_hub, view, time="19:40"))
        starts = [slot["starts_at"][11:16] for slot in error.extra["suggestions"]]
        # Seven o'clock is what they have.
        assert starts == ["19:30", "20:00"]
        fleet.move(fleet.the_hub, view, time=starts[-1])


def test_what_is_taken_still_comes_with_the_free_hours_of_that_day(ruled: Ruled):
    with ruled({}) as fleet:
        fleet.reserve(fleet.the_hub, "19:30", ["T1"])
        with pytest.raises(NotAvailable) as caught:
            fleet.reserve(fleet.the_hub, "20:00", ["T1"])
        assert caught.value.extra["alternatives"]


# --- one person -----------------------------------------------------------------------------------


def test_the_third_reservation_ahead_is_refused_until_one_is_over_or_called_off(ruled: Ruled):
    with ruled({"concurrent": 2}) as fleet:
        desk = fleet.join("desk")
        first = fleet.reserve(desk, f"{TODAY}T12:00", agent_id=AGENT)
        second = fleet.reserve(desk, "19:30", agent_id=AGENT)

        def third() -> View:
            return fleet.reserve(desk, "21:00", agent_id=AGENT)

        assert rules_of(refused(third)) == ["concurrent"]
        fleet.reserve(desk, "21:00", agent_id=OTHER)
        fleet.reserve(desk, "21:00")
        desk.reservations.cancel(second.code)
        assert third().status == lifecycle.COMMIT_PENDING
        assert rules_of(refused(third)) == ["concurrent"]
        # The first ends at half past one, and until then it is not over.
        fleet.clocks.advance(minutes=(first.ends_at - desk.clock.now_ms() // 1000 - 1) / 60)
        assert rules_of(refused(third)) == ["concurrent"]
        fleet.clocks.advance(seconds=1)
        third()


def test_those_who_stand_at_the_desk_and_what_the_house_takes_are_not_counted_out(ruled: Ruled):
    with ruled({"concurrent": 1}) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "19:30", agent_id=AGENT)
        fleet.reserve(hub, "19:30", agent_id=AGENT, kind="walk_in")
        fleet.reserve(hub, "19:30", agent_id=AGENT, kind="house")
        assert rules_of(refused(lambda: fleet.reserve(hub, "12:00", agent_id=AGENT))) == [
            "concurrent"
        ]


def test_two_in_one_transaction_see_each_other(ruled: Ruled):
    with ruled({"concurrent": 1, "rates": {"per_hour": 1}}) as fleet:
        hub = fleet.the_hub

        def both() -> None:
            with hub.transaction():
                fleet.reserve(hub, "19:30", agent_id=AGENT)
                fleet.reserve(hub, "12:00", agent_id=AGENT, source="website")

        assert rules_of(refused(both)) == ["concurrent", "rates"]
        assert hub.store.persons.ahead(fleet.book, AGENT, 0, restrictions.TAKES_ONE) == 0


def by_guest(fleet: Fleet, replica: Service, time: str, agent: str = AGENT) -> View:
    return replica.reservations.create(fleet.request(time, agent_id=agent), by_guest=True)


def test_so_many_an_hour_and_those_called_off_count_and_those_refused_do_not(ruled: Ruled):
    with ruled({"rates": {"per_hour": 2}}) as fleet:
        hub = fleet.the_hub
        by_guest(fleet, hub, "19:30")
        fleet.clocks.advance(minutes=10)
        refused(lambda: by_guest(fleet, hub, "07:00"))
        hub.reservations.cancel(by_guest(fleet, hub, "20:30").code)
        with pytest.raises(RateLimited) as caught:
            by_guest(fleet, hub, "21:00")
        assert caught.value.extra["retry_after"] == 50 * 60
        assert rules_of(caught.value) == ["rates"]
        by_guest(fleet, hub, "21:00", OTHER)
        # Broken with others it is one of them.
        assert rules_of(refused(lambda: by_guest(fleet, hub, "07:00"))) == ["hours", "rates"]
        fleet.clocks.advance(seconds=50 * 60 - 1)
        with pytest.raises(RateLimited) as caught:
            by_guest(fleet, hub, "21:00")
        assert caught.value.extra["retry_after"] == 1
        fleet.clocks.advance(seconds=1)
        by_guest(fleet, hub, "21:00")


def test_the_desk_books_for_the_same_account_as_often_as_it_is_asked_to(ruled: Ruled):
    with ruled({"rates": {"per_hour": 1}}) as fleet:
        desk = fleet.join("desk")
        for hour in range(10, 16):
            fleet.reserve(desk, f"{hour}:00", ["HALL"], agent_id=AGENT, source="corporate")
        for source in ("website", "app"):
            with pytest.raises(RateLimited):
                fleet.reserve(desk, "19:30", agent_id=AGENT, source=source)
        # A website's reservation that the desk moves is the desk's deed.
        view = fleet.reserve(desk, "16:00", agent_id=OTHER, source="website")
        fleet.move(desk, view, time="16:30")


def test_what_other_devices_made_counts_once_it_is_known_here(ruled: Ruled):
    with ruled({"rates": {"per_hour": 1}, "concurrent": 2}) as fleet:
        desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
        fleet.reserve(desk, "19:30", agent_id=AGENT)
        by_guest(fleet, kiosk, "12:00")
        fleet.sync_all()
        for replica in (desk, kiosk, fleet.the_hub):
            error = refused(lambda at=replica: by_guest(fleet, at, "21:00"))  # type: ignore[misc]
            assert rules_of(error) == ["concurrent", "rates"]


def test_a_hub_counts_the_hour_over_all_venues_and_the_week_for_each(ruled: Ruled):
    with ruled({"rates": {"per_hour": 2, "per_venue_week": 2}}) as fleet:
        hub = fleet.the_hub
        hub.import_venue(HOTEL)

        def at_hotel(day: int) -> View:
            wanted = fleet.request(
                f"2027-06-{day:02}T15:00", venue="hotel", agent_id=AGENT, nights=1
            )
            return hub.reservations.create(wanted, by_guest=True)

        at_hotel(5)
        by_guest(fleet, hub, "19:30")
        with pytest.raises(RateLimited, match="within an hour"):
            by_guest(fleet, hub, "21:00")
        fleet.clocks.advance(hours=1)
        at_hotel(7)
        by_guest(fleet, hub, "21:00")
        fleet.clocks.advance(hours=2)
        with pytest.raises(RateLimited, match="within 7 days here"):
            by_guest(fleet, hub, "2027-06-05T19:30")
        at_hotel(9)


def test_records_of_another_system_are_ahead_and_not_made_of_late(ruled: Ruled):
    with ruled({"concurrent": 2, "rates": {"per_hour": 1}}) as fleet:
        hub = fleet.the_hub
        known = agent_id(hub.identity.pseudonym_key, "anna")
        record = ImportRecord(
            line=2, key="a" * 64, starts_at="2027-06-03T12:00", ends_at="2027-06-03T13:30",
            party_size=2, user_id="anna",
        )  # fmt: skip
        hub.reservations.import_records(fleet.venue_id, [record])
        by_guest(fleet, hub, "19:30", known)
        error = refused(lambda: by_guest(fleet, hub, "21:00", known))
        assert rules_of(error) == ["concurrent", "rates"]


def test_a_guest_moves_a_reservation_so_often_and_the_staff_after_that(ruled: Ruled):
    with ruled({"max_reschedules": 2}) as fleet:
        desk = fleet.join("desk")
        view = fleet.reserve(desk, "19:30", ["T3"], agent_id=AGENT)

        def move(time: str, **who: Any) -> View:
            return desk.reservations.amend(
                view.code, asking_for(starts_at=f"2027-06-03T{time}"), **who
            )

        move("18:00")
        move("18:30", by_guest=True)
        fleet.sync_all()
        desk.reservations.amend(view.code, asking_for(party_size=3), by_guest=True)
        desk.reservations.amend(view.code, asking_for(resources=["T4"]), by_guest=True)
        move("20:00", by_guest=True)
        fleet.sync_all()
        error = refused(lambda: move("20:30", by_guest=True))
        assert rules_of(error) == ["reschedules"]
        assert "twice" in error.detail and "staff" in error.detail
        desk.reservations.amend(view.code, asking_for(party_size=2), by_guest=True)
        move("20:30")
        assert rules_of(refused(lambda: move("21:00", by_guest=True))) == ["reschedules"]
        fleet.sync_all()
        fleet.assert_agree()


def asking_for(**changes: Any) -> PatchRequest:
    return PatchRequest(**changes)


def test_what_is_offered_to_a_person_is_what_they_may_have(ruled: Ruled):
    with ruled({"concurrent": 1, "rates": {"per_hour": 1}}) as fleet:
        hub = fleet.the_hub
        fleet.reserve(hub, "12:00", agent_id=AGENT)

        def slots(**who: Any) -> list[dict[str, Any]]:
            guest = who.pop("by_guest", False)
            request = AvailabilityRequest(
                venue=fleet.venue_id, party_size=2, date="2027-06-03", include_full=True, **who
            )
            return hub.reservations.availability(request, by_guest=guest)

        assert any(slot["resources"] for slot in slots())
        assert any(slot["resources"] for slot in slots(agent_id=OTHER))
        assert {slot.get("reason") for slot in slots(agent_id=AGENT)} == {"concurrent"}


# --- a part of the house --------------------------------------------------------------------------

PARTY = {"from": "2027-06-03T18:00", "to": "2027-06-04", "name": "wedding", "resources": ["T*"]}


def test_what_is_shut_is_neither_chosen_nor_offered_nor_had_by_name(ruled: Ruled):
    some = PARTY | {"resources": ["T1", "T2", "T3"]}
    with ruled({}, blackouts=[some]) as fleet:
        hub = fleet.the_hub
        view = fleet.reserve(hub, "19:30")
        assert [claim.resource for claim in view.claims] == ["T4"]
        assert {tuple(slot["resources"]) for slot in fleet.slots(hub, date="2027-06-04")} == {
            ("T4",)
        }
        error = refused(lambda: fleet.reserve(hub, "19:30", ["T2"]))
        assert rules_of(error) == ["blackouts"]
        assert "T2" in error.detail and "wedding" in error.detail
        # The house itself may: that is what it is shut for.
        fleet.reserve(hub, "19:30", ["T2"], kind="house")


def test_where_all_that_would_do_is_shut_the_period_is_named_and_another_day_offered(ruled: Ruled):
    with ruled({}, blackouts=[PARTY]) as fleet:
        hub = fleet.the_hub
        error = refused(lambda: fleet.reserve(hub, "19:30"))
        assert rules_of(error) == ["blackouts"]
        assert "wedding" in error.detail
        for slot in error.extra["suggestions"]:
            booked(fleet, hub, slot)
        assert {slot["reason"] for slot in fleet.slots(hub, include_full=True, date="2027-06-04")
                } == {"blackouts"}  # fmt: skip
        view = fleet.reserve(hub, "12:00", ["T1"])
        error = refused(lambda: fleet.move(hub, view, time="19:30"))
        assert rules_of(error) == ["blackouts"]


# --- what is kept ---------------------------------------------------------------------------------


def counted(replica: Service, **days: Any) -> dict[str, int]:
    venue = replica.venue_ids()[0]
    return {one["rule"]: one["count"] for one in replica.refusals.report(venue, **days)}


def test_each_refusal_is_counted_for_the_rules_that_said_no(ruled: Ruled):
    with ruled({"max_party": 12, "cancel_cutoff_minutes": 10_000}) as fleet:
        desk = fleet.join("desk")
        for _ in range(3):
            refused(lambda: fleet.reserve(desk, "19:40", party=13, source="website"))
        refused(lambda: fleet.reserve(desk, "12:07", kind="guest", source="phone"))
        view = fleet.reserve(desk, "19:30")
        refused(lambda: fleet.move(desk, view, time="07:00"))
        refused(lambda: desk.reservations.cancel(view.code))
        refused(lambda: fleet.reserve(desk, "19:30", party=9))
        assert counted(desk) == {
            "slot": 4, "party": 3, "hours": 1, "cancel-cutoff": 1, "seats": 1,
        }  # fmt: skip
        (slot,) = (one for one in desk.refusals.report(fleet.venue_id) if one["rule"] == "slot")
        assert slot | {"sources": dict(slot["sources"])} == {
            "venue": "trattoria", "rule": "slot", "count": 4,
            "first_day": TODAY, "last_day": TODAY,
            "kinds": {"guest": 4}, "sources": {"website": 3, "phone": 1},
            "weekdays": {"thu": 4}, "hours": {"19": 3, "12": 1},
        }  # fmt: skip
        assert counted(fleet.the_hub) == {}, "each replica counts what it refused itself"


def test_what_is_counted_names_no_person_and_stands_after_a_restart(ruled: Ruled):
    with ruled({"concurrent": 1}) as fleet:
        desk = fleet.join("desk")
        fleet.reserve(desk, "19:30", agent_id=AGENT)
        refused(lambda: fleet.reserve(desk, "21:00", agent_id=AGENT))
        rows = [tuple(row) for row in desk.store.db.conn.execute("SELECT * FROM violations")]
        assert rows == [
            (fleet.book, TODAY, "concurrent", "guest", "direct", 3, 21, 1),
        ]  # fmt: skip
        assert counted(fleet.crash("desk")) == {"concurrent": 1}


def test_days_are_asked_for_from_one_on_and_before_another_and_old_ones_go(ruled: Ruled):
    with ruled({"max_party": 4, "advance_days": 730}) as fleet:
        desk = fleet.join("desk")

        def too_many() -> None:
            refused(lambda: fleet.reserve(desk, "2028-12-01T12:00", party=5))

        too_many()
        fleet.clocks.advance(hours=24)
        too_many()
        too_many()
        assert counted(desk) == {"party": 3}
        assert counted(desk, first="2027-06-03") == {"party": 2}
        assert counted(desk, before="2027-06-03") == {"party": 1}
        assert counted(desk, first="2027-06-04") == {}
        fleet.clocks.advance(hours=24 * (VIOLATIONS_KEPT_DAYS - 1))
        desk.sweep()
        assert counted(desk) == {"party": 3}
        fleet.clocks.advance(hours=24)
        desk.sweep()
        assert counted(desk) == {"party": 2}


def test_a_day_has_room_for_so_many_patterns_and_those_known_go_on_counting(
    ruled: Ruled, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(violations, "VIOLATION_PATTERNS_PER_DAY_MAX", 2)
    with ruled({"max_party": 4}) as fleet:
        hub = fleet.the_hub

        def too_many(hour: int) -> None:
            refused(lambda: fleet.reserve(hub, f"{hour}:00", party=5))

        for hour in (12, 13, 14, 12):
            too_many(hour)
        (shown,) = hub.refusals.report(fleet.venue_id)
        assert shown["hours"] == {"12": 2, "13": 1}
        fleet.clocks.advance(hours=24)
        refused(lambda: fleet.reserve(hub, "2027-06-10T14:00", party=5))
        assert counted(hub) == {"party": 4}


def test_what_succeeds_writes_nothing_of_it_and_what_is_refused_writes_nothing_else(
    ruled: Ruled, monkeypatch: pytest.MonkeyPatch
):
    with ruled({"max_party": 4}) as fleet:
        desk = fleet.join("desk")
        written: list[Any] = []
        monkeypatch.setattr(desk.store.violations, "add", written.append)
        before = desk.tip(fleet.book)[0]
        fleet.reserve(desk, "19:30")
        assert written == []
        refused(lambda: fleet.reserve(desk, "19:30", party=5))
        assert len(written) == 1
        assert desk.tip(fleet.book)[0] == before + 1


def test_a_full_disk_changes_nothing_of_the_answer(ruled: Ruled, monkeypatch: pytest.MonkeyPatch):
    with ruled({"max_party": 4}) as fleet:
        desk = fleet.join("desk")

        def full(_: Any) -> None:
            raise StorageFull("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(desk.store.violations, "add", full)
            assert rules_of(refused(lambda: fleet.reserve(desk, "19:30", party=5))) == ["party"]
        assert counted(desk) == {}
        fleet.reserve(desk, "19:30")


@pytest.fixture
def always(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, TRATTORIA | {"hours": {"wed": OPEN}}) as made:
        yield made


def test_a_house_that_opens_once_a_week_offers_the_next_time(always: Fleet):
    error = refused(lambda: always.reserve(always.the_hub, "2027-06-07T12:00"))
    days = {slot["starts_at"][:10] for slot in error.extra["suggestions"]}
    assert days <= {"2027-06-09", "2027-06-02"} and days
