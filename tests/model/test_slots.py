"""Promises about how full a slot is: what is counted, and that the rule goes by the same number."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import lifecycle
from holdfast.model.calendar import local_clock, local_to_epoch, service_day
from holdfast.model.claims import LIVE, ClaimView
from holdfast.model.entries import ClaimId
from holdfast.model.events import Form
from holdfast.model.reservation import BLOCK, View
from holdfast.model.slots import Slot, covers, slots
from holdfast.model.venue import Venue
from holdfast.model.vocabulary import SLOT_KINDS
from tests.model.asked import hotel, restaurant, said

DAY = "2026-06-30"
DATE = datetime.date.fromisoformat(DAY)
TABLES = [
    {"id": "T1", "kind": "table", "seats": [1, 4]},
    {"id": "T2", "kind": "table", "seats": [1, 2]},
    {"id": "BAR", "kind": "pool", "capacity": 6, "counts": "people"},
    {"id": "OLD", "kind": "table", "seats": [1, 8], "active": False},
]
WHEN = {"from": f"{DAY}T19:00", "to": f"{DAY}T21:00"}


def house(**changes: Any) -> Venue:
    given: dict[str, Any] = {"resources": TABLES, "policies": {}, "covers_per_slot": None}
    return restaurant(**given | changes)


def claim(at: Venue, start: str, end: str, resource: str = "T1", quantity: int = 1) -> ClaimView:
    return ClaimView(
        id=ClaimId(b"o" * 16, 0), state=LIVE, resource=resource, start=local_to_epoch(at, start),
        end=local_to_epoch(at, end), quantity=quantity, buffer=0, holder="hub", decided=True,
        stamp=0, replaces=None,
    )  # fmt: skip


def party(at: Venue, time: str, size: int, status: str = "confirmed", **more: Any) -> View:
    start = local_to_epoch(at, f"{DAY}T{time}")
    return View(
        id=b"%016d" % size, status=status, starts_at=start, ends_at=start + 5_400,
        party_size=size, **more,
    )  # fmt: skip


def by_start(at: Venue, *views: View, blocks: tuple[View, ...] = ()) -> dict[str, Slot]:
    return {local_clock(at, one.start): one for one in slots(at, DATE, views, blocks)}


def told(slot: Slot) -> tuple[int | None, int, int, int | None]:
    return slot.total, slot.covers.reserved, slot.covers.pending, slot.available


# --- what is counted ------------------------------------------------------------------------------


def test_what_stands_is_reserved_what_is_open_is_pending_and_what_is_over_counts_nowhere():
    at = house(covers_per_slot=24)
    place: dict[str, Any] = {"claims": (claim(at, f"{DAY}T19:00", f"{DAY}T20:30"),)}
    found = by_start(
        at,
        party(at, "19:00", 2),
        party(at, "19:05", 3, "checked_in"),
        party(at, "19:14", 4, "completed"),
        party(at, "19:00", 5, "commit_pending"),
        party(at, "19:00", 6, "intent", form=Form("hold"), **place),
        party(at, "19:00", 1, "intent", form=Form("waitlist")),
        *(party(at, "19:00", 9, one) for one in ("cancelled", "no_show", "expired")),
        party(at, "19:00", 9, "commit_failed"),
        party(at, "19:00", 9, form=Form(BLOCK, use="maintenance"), **place),
        party(at, "19:15", 7),
    )
    assert told(found["19:00"]) == (24, 9, 11, 4)
    assert told(found["19:15"]) == (24, 7, 0, 17)
    assert told(found["18:45"]) == (24, 0, 0, 24)


def test_without_a_limit_the_seats_of_all_that_is_active_are_the_total():
    at = house()
    assert told(by_start(at, party(at, "19:00", 5))["19:00"]) == (12, 5, 0, 7)


def test_where_any_party_may_sit_nothing_limits_the_covers():
    at = house(resources=[*TABLES, {"id": "B1", "kind": "bay"}])
    assert told(by_start(at, party(at, "19:00", 5))["19:00"]) == (None, 5, 0, None)


def test_what_is_blocked_or_shut_when_the_slot_begins_has_no_seats_in_it():
    garden = {"from": f"{DAY}T20:00", "to": f"{DAY}T21:00", "name": "wedding", "resources": ["T2"]}
    at = house(blackouts=[garden])
    block = View(
        id=b"b" * 16, status="confirmed", form=Form(BLOCK, use="maintenance"), claims=(
            claim(at, f"{DAY}T19:00", f"{DAY}T20:00"),
            claim(at, f"{DAY}T19:00", f"{DAY}T20:00", "BAR", 2),
        ),
    )  # fmt: skip
    found = by_start(at, blocks=(block,))
    totals = [found[time].total for time in ("18:45", "19:00", "19:45", "20:00", "21:00")]
    assert totals == [12, 6, 6, 10, 12]
    limited = by_start(house(blackouts=[garden], covers_per_slot=9), blocks=(block,))
    assert {one.total for one in limited.values()} == {9}, "a limit is the limit"


def test_a_closed_slot_is_for_nobody_and_says_how_many_are_in_it_all_the_same():
    at = house(slot_overrides=[WHEN | {"kind": "weather"}], covers_per_slot=24)
    found = by_start(at, party(at, "19:30", 6), party(at, "19:30", 2, "commit_pending"))
    assert told(found["19:30"]) == (0, 6, 2, -8)
    assert (found["19:30"].override or 0) == at.slot_overrides[0]
    assert told(found["21:00"]) == (24, 0, 0, 24)
    assert found["21:00"].override is None


def test_a_blackout_of_all_the_venue_is_named():
    at = house(blackouts=[{"from": DAY, "to": DAY, "name": "painters"}], covers_per_slot=24)
    assert {(one.total, one.blackout) for one in by_start(at).values()} == {(0, "painters")}


# --- which slots ----------------------------------------------------------------------------------


def test_the_slots_of_a_day_are_those_in_which_something_may_begin_or_does():
    at = house()
    found = by_start(at, party(at, "23:20", 2), party(at, "10:07", 2))
    # Lunch from 12 to 3 and dinner from 6 to 11.30, for at least an hour and a half.
    assert list(found) == [
        "10:00", *clocks("12:00", "13:30"), *clocks("18:00", "22:00"), "23:15",
    ]  # fmt: skip
    assert told(found["23:15"]) == (12, 2, 0, 10)


def clocks(first: str, last: str) -> list[str]:
    at, end = (int(one[:2]) * 60 + int(one[3:]) for one in (first, last))
    return [f"{one // 60:02d}:{one % 60:02d}" for one in range(at, end + 1, 15)]


def test_a_service_of_the_night_is_of_the_day_on_which_it_began():
    at = house()
    wednesday = datetime.date(2026, 7, 1)
    late = View(
        id=b"l" * 16, status="confirmed", party_size=2,
        starts_at=local_to_epoch(at, "2026-07-02T00:30"),
    )  # fmt: skip
    found = slots(at, wednesday, [late], ())
    assert local_clock(at, found[-1].start) == "00:30"
    assert told(found[-1]) == (12, 2, 0, 10)
    assert slots(at, datetime.date(2026, 7, 2), [], ()) == [], "closed on Thursdays"


def test_a_house_that_sells_nights_has_no_slots():
    assert slots(hotel(), DATE, [], ()) == []


# --- one number -----------------------------------------------------------------------------------

HOUSES = st.builds(
    lambda limit, kind, own, least: house(
        covers_per_slot=limit,
        slot_overrides=[
            WHEN
            | {"kind": kind}
            | ({} if own is None else {"covers_per_slot": own})
            | ({"min_party": least} if kind == "normal" and least else {})
        ],
    ),
    st.none() | st.integers(1, 12),
    st.sampled_from(sorted(SLOT_KINDS)),
    st.none() | st.integers(1, 12),
    st.sampled_from([0, 2]),
)
SHOWN = st.sampled_from(sorted(set(lifecycle.STATUSES) - {
    lifecycle.PAYMENT_PENDING, lifecycle.PAYMENT_CONFIRMED, lifecycle.CANCEL_PENDING,
    lifecycle.REFUND_PENDING,
}))  # fmt: skip
PARTIES = st.lists(
    st.tuples(st.integers(18 * 60, 22 * 60), st.integers(1, 9), SHOWN, st.booleans()), max_size=12
)


def sitting(at: Venue, told: list[tuple[int, int, str, bool]]) -> list[View]:
    place = (claim(at, f"{DAY}T19:00", f"{DAY}T20:30"),)
    return [
        party(at, f"{time // 60:02d}:{time % 60:02d}", size, status,
              claims=place if placed else ())
        for time, size, status, placed in told
    ]  # fmt: skip


@given(at=HOUSES, parties=PARTIES)
def test_available_is_total_less_reserved_less_pending_always_and_nobody_is_counted_twice(
    at: Venue, parties: list[tuple[int, int, str, bool]]
):
    views = sitting(at, parties)
    found = slots(at, DATE, views, ())
    for one in found:
        if one.total is None:
            assert one.available is None
        else:
            assert one.available == one.total - one.covers.reserved - one.covers.pending
            assert one.total >= 0 and one.covers.reserved >= 0 and one.covers.pending >= 0
    whole = covers(views, *service_day(at, DATE))
    assert sum(one.covers.together for one in found) == whole.together


@given(
    at=HOUSES, parties=PARTIES, size=st.integers(1, 14), kind=st.sampled_from(["guest", "walk_in"])
)
def test_a_party_is_refused_for_the_covers_of_a_slot_exactly_where_it_is_more_than_available(
    at: Venue, parties: list[tuple[int, int, str, bool]], size: int, kind: str
):
    """Of what is refused for its size or its time beside, the covers are asked all the same."""
    views = sitting(at, parties)
    for one in slots(at, DATE, views, ()):
        start = local_clock(at, one.start)
        already = covers(views, one.start, one.end).together
        found = said(at, f"{DAY}T{start}", pacing=already, party_size=size, kind=kind)
        closed = one.override is not None and one.override.kind != "normal"
        limited = at.covers_per_slot is not None or (
            one.override is not None and one.override.covers_per_slot is not None
        )
        if closed:
            assert one.available is not None and one.available <= 0
            assert "slot-override" in found
        elif limited:
            assert one.available is not None
            assert ("pacing" in found) == (size > one.available)
        else:
            assert "pacing" not in found
