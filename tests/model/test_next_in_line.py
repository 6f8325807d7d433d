"""Who is offered what: the plan, of a line, a time, and what can be had."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import next_in_line, waitlist
from holdfast.model.entries import Claim
from holdfast.model.events import Form
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View
from holdfast.model.venue import parse_venue
from holdfast.model.wall import local_to_epoch
from tests.kit import DAY, TRATTORIA

VENUE = VenueIndex(
    parse_venue(
        TRATTORIA
        | {
            "buffer_minutes": 15,
            "resources": [
                {"id": "T1", "kind": "table", "seats": [1, 2]},
                {"id": "T2", "kind": "table", "seats": [1, 2]},
                {"id": "T3", "kind": "table", "seats": [3, 4]},
                {"id": "HALL", "kind": "pool", "capacity": 5, "counts": "people"},
            ],
        }
    )
)
EVENING = local_to_epoch(VENUE.venue, f"{DAY}T19:30")
NOW_MS = (EVENING - 3600) * 1000


def party(n: int, size: int = 2, *, kind: str = "", **form: Any) -> View:
    """The n-th that came; it waits for 19:30 unless it says otherwise."""
    shape = {"expires_at_ms": EVENING * 1000, "earliest": EVENING, "latest": EVENING} | form
    return View(
        id=n.to_bytes(16, "big"), party_size=size, status="intent", service_date=DAY,
        resource_kind=kind, made_at_ms=NOW_MS - 1_000 + n, form=Form("waitlist", **shape),
    )  # fmt: skip


def planned(*views: View, capacity: dict[str, int]) -> list[tuple[int, tuple[str, ...], int]]:
    """(who, what, minutes after 19:30) of each offer."""

    def has(claim: Claim) -> bool:
        return capacity.get(claim.resource, 0) >= claim.quantity

    found = next_in_line.plan(
        VENUE, waitlist.line(views), NOW_MS, has, lambda view, start, end, choice: True
    )
    return [
        (int.from_bytes(one.view.id, "big"), one.choice.resources, (one.start - EVENING) // 60)
        for one in found
    ]


def test_each_place_goes_to_the_first_whom_it_fits():
    views = [party(1, 4), party(2), party(3), party(4, priority=5), party(5)]
    assert planned(*views, capacity={"T1": 1, "T2": 1}) == [(2, ("T1",), 0), (3, ("T2",), 0)]
    assert planned(*views, capacity={"T3": 1}) == [(1, ("T3",), 0)]


def test_what_the_plan_gave_away_is_given_to_nobody_else_not_even_its_buffer():
    wide: dict[str, Any] = {"latest": EVENING + 3 * 3600}
    found = planned(party(1), party(2, **wide), party(3, **wide), capacity={"T1": 1})
    assert found == [(1, ("T1",), 0), (2, ("T1",), 120)], "90 minutes, 15 to clean, half-hour slots"


def test_shares_of_a_pool_add_up():
    views = [party(n, size, kind="pool") for n, size in enumerate((2, 4, 3, 1), 1)]
    assert [who for who, _, _ in planned(*views, capacity={"HALL": 5})] == [1, 3]


def test_nobody_is_offered_what_is_past_or_beyond_their_time():
    assert planned(party(1, expires_at_ms=NOW_MS), capacity={"T1": 1}) == []
    early: dict[str, Any] = {"earliest": EVENING - 7200, "latest": EVENING - 3601}
    assert planned(party(1, **early), capacity={"T1": 1}) == []


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(0, 3)), max_size=8),
    st.fixed_dictionaries({name: st.integers(0, 1) for name in ("T1", "T2", "T3")}),
)
def test_nothing_is_offered_twice_at_one_time_and_nobody_twice(
    wishes: list[tuple[int, int, int]], capacity: dict[str, int]
):
    views = [
        party(n, size, earliest=EVENING + 1800 * first, latest=EVENING + 1800 * (first + more))
        for n, (size, first, more) in enumerate(wishes, 1)
    ]
    found = planned(*views, capacity=capacity)
    assert len({who for who, _, _ in found}) == len(found)
    for at, (_, (name,), start) in enumerate(found):
        assert capacity[name]
        assert all(other[1] != (name,) or abs(other[2] - start) >= 105 for other in found[at + 1 :])
