"""Key figures, worked out by hand beside them, and that parts add up to the whole."""

from __future__ import annotations

import datetime
import random
import statistics
from collections import Counter
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import calendar, lifecycle
from holdfast.model.claims import DEAD, ENDED, LIVE, PENDING, ClaimView, Seen
from holdfast.model.entries import ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    Event,
    Form,
    OperationWithdrawn,
    ReservationCancelled,
    ReservationCompleted,
    ReservationReserved,
    encode_content,
)
from holdfast.model.figure_lines import line
from holdfast.model.figures import BOOKED, compute, reaches
from holdfast.model.reservation import BLOCK, View
from holdfast.model.venue import Venue, parse_venue

THURSDAY, FRIDAY = datetime.date(2027, 6, 3), datetime.date(2027, 6, 4)
VENUE = parse_venue(
    {
        "venue": "trattoria", "name": "Trattoria", "kind": "restaurant",
        "time_zone": "Europe/Rome", "day_starts_at": "04:00", "buffer_minutes": 15,
        "hours": {"thu": [["12:00", "15:00"], ["18:00", "24:00"]], "fri": [["18:00", "02:00"]]},
        "policies": {"cancel_cutoff_minutes": 120},
        "resources": [
            {"id": "T1", "kind": "table", "seats": [1, 4]},
            {"id": "T2", "kind": "table", "seats": [1, 4], "combines_with": ["T1"]},
            {"id": "HALL", "kind": "pool", "capacity": 10, "counts": "people"},
        ],
    }
)  # fmt: skip
OPEN = {"2027-06-03": 9 * 60, "2027-06-04": 8 * 60}


class Row(NamedTuple):
    view: View
    seen: list[Seen]


def at(text: str, venue: Venue = VENUE) -> int:
    return calendar.local_to_epoch(venue, text)


def row(
    start: str,
    end: str = "",
    *,
    status: str = lifecycle.CONFIRMED,
    places: dict[str, int] | None = None,
    state: str = LIVE,
    events: dict[str, Event] | None = None,
    made: str = "2027-06-01T12:00",
    venue: Venue = VENUE,
    **fields: Any,
) -> Row:
    """A reservation from a start to an end, local times; `events` by their local time."""
    begins = at(start, venue)
    ends = at(end, venue) if end else begins + 5_400
    claims = tuple(
        ClaimView(
            ClaimId(b"c" * 16, index), state, name, begins, ends + 900, quantity, 900, "hub",
            False, 1, None,
        )
        for index, (name, quantity) in enumerate((places or {"T1": 1}).items())
    )  # fmt: skip
    seen = [
        Seen(
            f"{n:016d}".encode(), KIND_BY_EVENT[type(event)], at(when, venue) * 1_000 << 16,
            b"D" * 16, "desk", False, (), (), (), encode_content(event), n,
        )
        for n, (when, event) in enumerate((events or {}).items())
    ]  # fmt: skip
    known: dict[str, Any] = {
        "status": status, "starts_at": begins, "ends_at": ends, "claims": claims,
        "party_size": 2, "made_at_ms": at(made, venue) * 1_000, "code": "RES-2027-ABC123",
        "service_date": calendar.service_date(venue, begins).isoformat(),
        "assurance": "guaranteed",
    }  # fmt: skip
    for event in (events or {}).values():
        if isinstance(event, ReservationCancelled):
            known |= {"cancel_reason": event.reason, "cancelled_by": event.by}
    return Row(View(b"r" * 16, **(known | fields)), seen)


def off(by: str = "guest") -> ReservationCancelled:
    return ReservationCancelled("guest_request", by)


EVENING = [
    # Came as three of two, stayed 100 of 90 minutes.
    row("2027-06-03T19:00", status="completed", state=ENDED, source="phone",
        checked_in_at_ms=at("2027-06-03T19:10") * 1_000, actual_party_size=3,
        events={"2027-06-03T20:50": ReservationCompleted()}),
    # Another system says that they came, and not for how long; 8 at two tables, 60 minutes.
    row("2027-06-03T12:00", "2027-06-03T13:00", status="completed", party_size=8,
        places={"T1": 1, "T2": 1}, source="import", made="2027-05-31T12:00"),
    # A walk-in that is here, until after the house closes.
    row("2027-06-03T23:30", "2027-06-04T00:30", status="checked_in", kind="walk_in",
        source="walk_in", places={"T2": 1}, made="2027-06-03T23:30",
        checked_in_at_ms=at("2027-06-03T23:30") * 1_000, actual_party_size=2),
    row("2027-06-03T19:30", status="no_show", party_size=5, places={"HALL": 5},
        assurance="admitted", made="2027-06-03T12:00"),
    row("2027-06-03T18:00", "2027-06-03T19:00", kind="house", party_size=4, places={"T2": 1}),
    row("2027-06-03T21:00", status="commit_pending", state=PENDING, assurance="provisional"),
    row("2027-06-03T21:00", status="commit_failed", state=DEAD, assurance="none"),
    # Called off: two hours ahead is in time, a second less is late; the venue, and nobody knows.
    row("2027-06-03T20:00", status="cancelled", state=ENDED, assurance="none",
        events={"2027-06-03T18:00": off()}),
    row("2027-06-03T20:00", status="cancelled", state=ENDED, assurance="none",
        events={"2027-06-03T18:00:01": off()}),
    row("2027-06-03T20:00", status="cancelled", state=ENDED, assurance="none",
        events={"2027-06-02T10:00": off("venue")}),
    row("2027-06-03T20:00", status="cancelled", state=ENDED, assurance="none",
        cancelled_by="guest", cancel_reason="imported"),
    # The next service date; and after midnight of this one.
    row("2027-06-04T19:00", override="vip_guest"),
    row("2027-06-04T01:00", "2027-06-04T02:00", places={"HALL": 1}, party_size=1),
]  # fmt: skip


def test_an_evening_worked_out_by_hand():
    whole, (day,), resources = compute(VENUE, THURSDAY, THURSDAY, EVENING)
    assert whole.figures() == day.figures()
    assert whole.figures(day_starts_at=240) == {
        "reservations": 12,
        "statuses": {
            "commit_pending": 1, "commit_failed": 1, "confirmed": 2, "checked_in": 1,
            "completed": 2, "cancelled": 4, "no_show": 1,
        },
        "kinds": {"guest": 10, "walk_in": 1, "house": 1},
        "sources": {"direct": 9, "phone": 1, "import": 1, "walk_in": 1},
        "assurances": {"guaranteed": 5, "admitted": 1, "provisional": 1, "none": 5},
        "overbooked": 0,
        # 2 came as 3, 8, the walk-in's 2, 5 who did not come, and 1 after midnight.
        "parties": {"booked": 5, "seated": 3},
        "covers": {"booked": 2 + 8 + 2 + 5 + 1, "seated": 3 + 8 + 2},
        "party_sizes": [
            {"party_size": 1, "parties": 1}, {"party_size": 2, "parties": 2},
            {"party_size": 5, "parties": 1}, {"party_size": 8, "parties": 1},
        ],
        "walk_ins": {"parties": 1, "covers": 2},
        "repeats": {"parties": 0, "rate": 0.0},
        "no_shows": {"parties": 1, "covers": 5, "rate": 0.25},
        "cancellations": {
            "total": 4, "by_guest": 3, "by_venue": 1, "by_system": 0,
            "in_time": 2, "late": 1, "undated": 1,
        },
        "waitlist": {
            "joined": 0, "offered": 0, "accepted": 0, "lapsed": 0, "removed": 0, "expired": 0,
            "waiting": 0, "conversion": None,
        },
        # 55 h, 72 h, 7.5 h and 61 h: of four the middle two.
        "rate_limits": {"rates": 0, "concurrent": 0, "reschedules": 0},
        "holds": {
            "made": 0, "reserved": 0, "given_back": 0, "lapsed": 0, "refused": 0, "open": 0,
            "conversion": None,
        },
        "time_to_book_seconds": {"holds": 0, "median": None, "mean": None},
        "lead_minutes": {
            "parties": 4, "median": (55 + 61) / 2 * 60, "mean": (55 + 72 + 7.5 + 61) / 4 * 60,
        },
        "turn_minutes": {
            "parties": 1, "median": 100.0, "mean": 100.0,
            "planned_median": 90.0, "planned_mean": 90.0,
        },
        "hours": [
            {"hour": "12:00", "parties": 1, "covers": 8},
            {"hour": "19:00", "parties": 2, "covers": 7},
            {"hour": "23:00", "parties": 1, "covers": 2},
            {"hour": "01:00", "parties": 1, "covers": 1},
        ],
        # T1 90 + 60; T2 60, 30 until the house closes, and the house's own 60; five in the hall 90.
        "utilisation": {
            "booked_minutes": 90 + 60 + 60 + 30 + 60 + 5 * 90,
            "open_minutes": 540 * 12,
            "rate": round(750 / 6480, 4),
        },
    }  # fmt: skip
    assert resources == [
        {"resource": "T1", "kind": "table", "booked_minutes": 150, "open_minutes": 540,
         "rate": 0.2778},
        {"resource": "T2", "kind": "table", "booked_minutes": 150, "open_minutes": 540,
         "rate": 0.2778},
        {"resource": "HALL", "kind": "pool", "booked_minutes": 450, "open_minutes": 5400,
         "rate": 0.0833},
    ]  # fmt: skip


def test_a_range_counts_each_on_its_service_date():
    whole, days, _ = compute(VENUE, THURSDAY, FRIDAY, EVENING)
    assert [day.figures()["reservations"] for day in days] == [12, 1]
    assert [day.open_minutes for day in days] == [12 * minutes for minutes in OPEN.values()]
    assert whole.figures()["reservations"] == 13
    assert whole.figures()["overbooked"] == 1


def test_of_nothing_there_is_no_rate():
    whole, _, resources = compute(VENUE, THURSDAY, THURSDAY, [])
    figures = whole.figures()
    assert figures["no_shows"]["rate"] is None and figures["utilisation"]["rate"] == 0.0
    assert figures["lead_minutes"] == {"parties": 0, "median": None, "mean": None}
    assert (figures["statuses"], figures["hours"], figures["party_sizes"]) == ({}, [], [])
    closed = compute(VENUE, THURSDAY - datetime.timedelta(days=1), THURSDAY, [])[1][0].figures()
    assert closed["utilisation"] == {"booked_minutes": 0, "open_minutes": 0, "rate": None}
    assert [one["rate"] for one in resources] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("policies", "when", "expected"),
    [
        ({"cancel_cutoff_minutes": 120}, "17:59", "in_time"),
        ({"cancel_cutoff_minutes": 120}, "18:01", "late"),
        ({"cancel_cutoff_minutes": 0}, "19:59", "in_time"),
        ({}, "19:59", "in_time"),
        ({}, "20:01", "late"),
    ],
)
def test_late_is_after_the_venues_limit_and_without_one_after_the_start(
    policies: dict[str, int], when: str, expected: str
):
    venue = parse_venue(
        {
            "venue": "v", "name": "V", "kind": "restaurant", "time_zone": "Europe/Rome",
            "policies": policies, "resources": [{"id": "T1", "kind": "table", "seats": [1, 4]}],
        }
    )  # fmt: skip
    called_off = row(
        "2027-06-03T20:00", status="cancelled", state=ENDED, venue=venue,
        events={f"2027-06-03T{when}": off()},
    )  # fmt: skip
    whole, _, _ = compute(venue, THURSDAY, THURSDAY, [called_off])
    found = whole.figures()["cancellations"]
    assert {name: found[name] for name in ("in_time", "late", "undated")} == {
        name: int(name == expected) for name in ("in_time", "late", "undated")
    }


@pytest.mark.parametrize(
    ("said", "expected"),
    [("2027-06-03", "in_time"), ("2027-06-04", "late"), ("soon", "undated"), (None, "undated")],
)
def test_another_systems_cancellation_is_of_the_date_that_it_says(said: Any, expected: str):
    metadata = {} if said is None else {"import.status_at": said}
    imported = row(
        "2027-06-03T20:00", status="cancelled", state=ENDED, cancelled_by="guest",
        cancel_reason="imported", metadata=metadata,
    )  # fmt: skip
    whole, _, _ = compute(VENUE, THURSDAY, THURSDAY, [imported])
    assert whole.figures()["cancellations"][expected] == 1


def test_what_its_writer_withdrew_is_a_cancellation_of_that_time():
    withdrawn = row(
        "2027-06-03T20:00", status="cancelled", state=DEAD, cancelled_by="system",
        cancel_reason="withdrawn", making=b"m" * 16,
        events={"2027-06-02T20:00": OperationWithdrawn(b"m" * 16, "full")},
    )  # fmt: skip
    whole, _, _ = compute(VENUE, THURSDAY, THURSDAY, [withdrawn])
    found = whole.figures()["cancellations"]
    assert (found["by_system"], found["in_time"]) == (1, 1)


def test_a_stay_is_counted_on_its_arrival_and_takes_each_of_its_nights():
    hotel = parse_venue(
        {
            "venue": "hotel", "name": "Hotel", "kind": "lodging", "time_zone": "Europe/Lisbon",
            "stays": {"check_in": "15:00", "check_out": "11:00"},
            "resources": [
                {"id": "DOUBLE", "kind": "room", "capacity": 2, "counts": "units", "seats": [1, 2]}
            ],
        }
    )  # fmt: skip
    stay = row("2027-06-02T15:00", "2027-06-05T11:00", venue=hotel, places={"DOUBLE": 1}, nights=3)
    whole, days, _ = compute(hotel, THURSDAY, FRIDAY, [stay])
    assert whole.figures()["reservations"] == 0
    assert [day.figures()["utilisation"]["rate"] for day in days] == [0.5, 0.5]
    arrival, last = datetime.date(2027, 6, 2), datetime.date(2027, 6, 5)
    whole, days, (rooms,) = compute(hotel, arrival, last, [stay])
    assert [day.booked_minutes for day in days] == [1200, 1200, 1200, 0]
    assert (whole.figures()["reservations"], rooms["rate"]) == (1, 3 / 8)


def test_what_stood_where_the_venue_has_nothing_any_more_takes_no_open_time():
    gone = row("2027-06-03T19:00", places={"T9": 1})
    whole, _, _ = compute(VENUE, THURSDAY, THURSDAY, [gone])
    assert whole.figures()["parties"]["booked"] == 1 and whole.booked_minutes == 0


def test_all_that_matters_to_some_dates_starts_within_reach():
    start, before = reaches(VENUE, THURSDAY, FRIDAY, 7_200)
    assert start <= at("2027-06-03T04:00") - 7_200
    assert before >= at("2027-06-05T04:00")


# --- parts and the whole --------------------------------------------------------------------------

moments = st.integers(0, 6 * 96 - 1)
rows = st.lists(
    st.builds(
        lambda quarter, status, kind, size, place, by, source, assurance, actual: row(
            f"{THURSDAY + datetime.timedelta(days=quarter // 96 - 1)}"
            f"T{quarter % 96 // 4:02d}:{quarter % 4 * 15:02d}",
            status=status, kind=kind, party_size=size, places={place: 1}, source=source,
            assurance=assurance, actual_party_size=actual, cancelled_by=by,
            state=LIVE if status in BOOKED else ENDED,
            checked_in_at_ms=at("2027-06-03T19:00") * 1_000,
            events={"2027-06-03T20:00": ReservationCompleted()} if actual else {},
        ),
        moments,
        st.sampled_from(lifecycle.STATUSES),
        st.sampled_from(["guest", "walk_in", "house"]),
        st.integers(1, 12),
        st.sampled_from(["T1", "T2", "HALL", "T9"]),
        st.sampled_from(["guest", "venue", "system", ""]),
        st.sampled_from(["phone", "direct"]),
        st.sampled_from(["guaranteed", "admitted", "provisional", "none"]),
        st.integers(0, 3),
    ),
    max_size=25,
)  # fmt: skip
ADDED = [
    name
    for name, value in line(compute(VENUE, THURSDAY, THURSDAY, [])[0].figures()).items()
    if isinstance(value, int) and not name.startswith(("lead", "turn_m", "turn_planned"))
]
"""The columns that are numbers of things, and not lengths or shares."""


@given(rows)
def test_every_reservation_is_in_one_part_of_each_division(told: list[Row]):
    # What begins in the early hours belongs to the date before.
    first, last = THURSDAY - datetime.timedelta(days=2), THURSDAY + datetime.timedelta(days=4)
    whole, _, resources = compute(VENUE, first, last, told)
    figures = whole.figures()
    total = figures["reservations"]
    assert total == len(told)
    for division in ("statuses", "kinds", "sources", "assurances"):
        assert sum(figures[division].values()) == total, division
    statuses = Counter(figures["statuses"])
    parties, covers = figures["parties"], figures["covers"]
    booked = [one.view for one in told if one.view.status in BOOKED and one.view.kind != "house"]
    assert parties["booked"] == len(booked) <= sum(statuses[one] for one in BOOKED)
    assert covers["booked"] == sum(view.party_size for view in booked)
    for counted in (figures["party_sizes"], figures["hours"]):
        assert sum(one["parties"] for one in counted) == parties["booked"]
    assert (
        sum(one["parties"] * one["party_size"] for one in figures["party_sizes"])
        == (covers["booked"])
    )
    assert figures["lead_minutes"]["parties"] + figures["walk_ins"]["parties"] == parties["booked"]
    cancelled = figures["cancellations"]
    assert cancelled["total"] == sum(cancelled[f"by_{by}"] for by in ("guest", "venue", "system"))
    assert cancelled["total"] == sum(cancelled[one] for one in ("in_time", "late", "undated"))
    assert figures["turn_minutes"]["parties"] <= statuses["completed"]
    use = figures["utilisation"]
    for name in ("booked_minutes", "open_minutes"):
        assert use[name] == sum(one[name] for one in resources)


@given(rows, st.randoms(use_true_random=False))
def test_a_range_is_the_union_of_its_days_and_no_order_matters(told: list[Row], rng: random.Random):
    first, last = THURSDAY - datetime.timedelta(days=1), THURSDAY + datetime.timedelta(days=4)
    whole, days, _ = compute(VENUE, first, last, told)
    lines = [line(day.figures()) for day in days]
    together = line(whole.figures())
    for name in ADDED:
        assert sum(one[name] for one in lines) == together[name], name
    shuffled = list(told)
    rng.shuffle(shuffled)
    assert line(compute(VENUE, first, last, shuffled)[0].figures()) == together
    for number, alone in enumerate(lines):
        day = first + datetime.timedelta(days=number)
        assert line(compute(VENUE, day, day, told)[0].figures()) == alone


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_the_median_is_what_statistics_says(minutes: list[int]):
    told = [row("2027-06-03T19:00", made=f"2027-06-03T18:{59 - minute:02d}") for minute in minutes]
    lead = compute(VENUE, THURSDAY, THURSDAY, told)[0].figures()["lead_minutes"]
    assert lead["median"] == statistics.median(minute + 1 for minute in minutes)
    assert lead["mean"] == round(statistics.mean(minute + 1 for minute in minutes), 1)


def test_what_is_held_or_waited_for_is_no_reservation_and_a_block_closes_its_place():
    """Two blocks that overlap close a place once; of a pool as much as they take."""
    block = Form(BLOCK, use="maintenance", reason="broken")
    rows = [
        row("2027-06-03T12:00", status="intent", form=Form("hold")),
        row("2027-06-03T13:00", "2027-06-03T14:00", form=block, kind="house"),
        row("2027-06-03T13:30", "2027-06-03T14:30", form=block, kind="house"),
        row("2027-06-03T13:00", "2027-06-03T14:00", form=block, places={"HALL": 2}),
        row("2027-06-03T16:00", "2027-06-03T17:00", form=block, status="cancelled", state=ENDED),
    ]
    none, _, unused = compute(VENUE, THURSDAY, THURSDAY, [])
    whole, (day,), resources = compute(VENUE, THURSDAY, THURSDAY, rows)
    # A block of an hour stands 75 minutes, its buffer included, as `row` makes it.
    closed = {"T1": 105, "HALL": 2 * 75}
    assert whole.figures()["reservations"] == 0
    assert none.open_minutes - whole.open_minutes == sum(closed.values())
    assert day.open_minutes == whole.open_minutes
    for before, after in zip(unused, resources, strict=True):
        taken = before["open_minutes"] - after["open_minutes"]
        assert taken == closed.get(before["resource"], 0)


# --- who waits, and who comes again -------------------------------------------------------------


TOOK = b"o" * 16
"""The operation by which they reserved what was offered."""
AGAIN = "agent_again"


def waits(status: str, *, state: str = "", **fields: Any) -> Row:
    """Somebody on the waitlist; `state`: of the place that they were offered."""
    found = row("2027-06-03T19:00", status=status, state=state or LIVE, form=Form("waitlist"))
    claims = found.view.claims if state else ()
    return Row(msgspec.structs.replace(found.view, claims=claims, **fields), [])


def test_of_those_who_wait_it_is_told_what_became_of_each():
    """Eight joined. Accepted are two, of whom one called off later; nobody had the place that was
    asked of another device for the last but one."""
    rows = [
        waits("confirmed", state=LIVE, reserving=TOOK),
        waits(
            "cancelled",
            state=ENDED,
            cancel_reason="guest_request",
            cancelled_by="guest",
            reserving=TOOK,
        ),
        waits("cancelled", cancel_reason="not_needed", cancelled_by="guest"),
        waits("expired", state=ENDED),
        waits("expired"),
        waits("intent", state=ENDED),
        waits("intent", state=DEAD),
        waits("intent", state=LIVE),
    ]
    whole, (day,), _ = compute(VENUE, THURSDAY, THURSDAY, rows)
    found = whole.figures()
    assert found["waitlist"] == {
        "joined": 8, "offered": 5, "accepted": 2, "lapsed": 2, "removed": 1, "expired": 2,
        "waiting": 3, "conversion": 0.4,
    }  # fmt: skip
    # Who accepted has a reservation like any other; the others have none.
    assert (found["reservations"], found["parties"]["booked"]) == (2, 1)
    told = line(day.figures())
    assert (told["waitlist_joined"], told["waitlist_conversion"]) == (8, 0.4)


def held(status: str, after_seconds: int = 0, **fields: Any) -> Row:
    """A hold of 1 June, 12:00; `after_seconds`: when it was reserved."""
    found = row("2027-06-03T19:00", status=status, form=Form("hold"), **fields)
    if not after_seconds:
        return found
    taken_ms = found.view.made_at_ms + after_seconds * 1_000
    seen = Seen(
        TOOK, "reservation.reserved", taken_ms << 16, b"D" * 16, "desk", False, (), (), (),
        encode_content(ReservationReserved({})), 1,
    )  # fmt: skip
    return Row(msgspec.structs.replace(found.view, reserving=TOOK), [seen])


def test_of_holds_it_is_told_what_became_of_each_and_how_long_booking_took():
    """Seven were held. Four were reserved, after 20, 40, 90 and 600 seconds, of which one was
    called off later; one is open: 4 of 6."""
    rows = [
        held("confirmed", 20),
        held("completed", 600, state=ENDED),
        held("cancelled", 40, cancel_reason="guest_request", cancelled_by="guest"),
        held("commit_pending", 90, state=PENDING),
        held("cancelled", cancel_reason="not_needed", cancelled_by="guest"),
        held("expired", state=ENDED),
        held("intent"),
        row("2027-06-03T20:00"),
    ]
    whole, (day, _), _ = compute(VENUE, THURSDAY, FRIDAY, rows)
    found = whole.figures()
    assert found["holds"] == {
        "made": 7, "reserved": 4, "given_back": 1, "lapsed": 1, "refused": 0, "open": 1,
        "conversion": 0.6667,
    }  # fmt: skip
    assert found["time_to_book_seconds"] == {"holds": 4, "median": 65.0, "mean": 187.5}
    # Who reserved has a reservation like any other, and so has who held nothing; others have none.
    assert (found["reservations"], found["waitlist"]["joined"]) == (5, 0)
    told = line(day.figures())
    assert (told["holds_made"], told["holds_conversion"]) == (7, 0.6667)
    assert told["time_to_book_seconds_median"] == 65.0


def test_a_hold_that_nobody_had_a_place_for_was_refused_and_did_not_lapse():
    rows = [held("intent", state=DEAD), held("expired", state=DEAD), held("confirmed", 20)]
    found = compute(VENUE, THURSDAY, THURSDAY, rows)[0].figures()["holds"]
    assert (found["made"], found["refused"], found["lapsed"], found["open"]) == (3, 2, 0, 0)
    assert found["conversion"] == 1.0


def test_a_hold_reserved_by_a_clock_that_runs_behind_took_no_time_and_not_less():
    early = held("confirmed", -30)
    found = compute(VENUE, THURSDAY, THURSDAY, [early])[0].figures()["time_to_book_seconds"]
    assert found == {"holds": 1, "median": 0.0, "mean": 0.0}


def test_of_no_holds_there_is_no_share_and_no_time():
    found = compute(VENUE, THURSDAY, THURSDAY, [row("2027-06-03T20:00")])[0].figures()
    assert found["holds"]["conversion"] is None
    assert found["time_to_book_seconds"] == {"holds": 0, "median": None, "mean": None}


def test_who_came_again_is_told_of_those_who_came():
    """A regular who is still to come, or did not come, is none of them."""
    rows = [
        row("2027-06-03T12:00", status="completed", agent_id=AGAIN),
        row("2027-06-03T19:00", status="checked_in", agent_id="agent_new"),
        row("2027-06-03T19:00", status="checked_in", kind="house", agent_id=AGAIN),
        row("2027-06-03T20:00", status="confirmed", agent_id=AGAIN),
        row("2027-06-03T21:00", status="no_show", agent_id=AGAIN),
    ]
    whole, _, _ = compute(VENUE, THURSDAY, THURSDAY, rows, lambda view: view.agent_id == AGAIN)
    assert whole.figures()["repeats"] == {"parties": 1, "rate": 0.5}
