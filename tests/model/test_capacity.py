"""What is free is what a count of every second would say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import capacity
from holdfast.model.capacity import DAY_SECONDS, Held, Occupancy, Profile
from holdfast.model.entries import ClaimId
from holdfast.model.rights import HUB

BASE = 20_000 * DAY_SECONDS - 12
"""Shortly before midnight, so that small intervals cross it."""


def held(number: int, start: int, end: int, quantity: int = 1, live: bool = True) -> Held:
    claim = ClaimId(number.to_bytes(16, "big"), 0)
    return Held(claim, BASE + start, BASE + end, quantity, live, b"r" * 16)


@st.composite
def some_held(draw: st.DrawFn) -> list[Held]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(1, 4), st.booleans()),
            max_size=12,
        )
    )
    return [held(i, s, s + length, q, live) for i, (s, length, q, live) in enumerate(rows)]


def brute(claims: list[Held], start: int, end: int) -> int:
    return max(
        (sum(h.quantity for h in claims if h.start <= t < h.end) for t in range(start, end)),
        default=0,
    )


def occupancy_of(claims: list[Held]) -> Occupancy:
    def load(resource: str, start: int, end: int) -> list[Held]:
        assert resource == "U"
        return [h for h in claims if h.start < end and h.end > start]

    return Occupancy(load)


@given(some_held(), st.integers(0, 50), st.integers(1, 30))
def test_the_peak_is_what_counting_every_second_gives(claims, start, length):
    first, last = BASE + start, BASE + start + length
    profile = Profile()
    for one in claims:
        profile.shift(one.start, one.end, one.quantity)
    assert profile.peak(first, last) == brute(claims, first, last)
    gone = claims[::2]
    less = profile.without((one.start, one.end, one.quantity) for one in gone)
    assert less.peak(first, last) == brute(claims[1::2], first, last)
    for one in claims:
        profile.shift(one.start, one.end, -one.quantity)
    assert (profile._instants, profile._change_by_instant) == ([], {})


@given(some_held(), st.integers(0, 50), st.integers(1, 30), st.booleans(), st.data())
def test_free_is_capacity_less_the_peak_also_over_midnight(claims, start, length, live, data):
    ignoring = {
        h.claim for h in data.draw(st.lists(st.sampled_from(claims)) if claims else st.just([]))
    }
    first, last = BASE + start, BASE + start + length
    counted = [h for h in claims if h.claim not in ignoring and (h.live or not live)]
    free = occupancy_of(claims).free(
        "U", 5, first, last, ignoring=ignoring, account=b"" if live else None
    )
    assert free == 5 - brute(counted, first, last)


@given(some_held(), some_held(), st.data())
def test_adding_and_removing_keeps_step_with_a_fresh_load(before, added, data):
    added = [h._replace(claim=ClaimId(b"x" + h.claim.operation[1:], 0)) for h in added]
    occupancy = occupancy_of(before)
    for offset in data.draw(st.lists(st.integers(0, 50), max_size=3), label="days touched before"):
        occupancy.free("U", 1, BASE + offset, BASE + offset + 1)
    gone = data.draw(st.lists(st.sampled_from(before), unique=True)) if before else []
    loaded = [*before]
    for one in added:
        loaded.append(one)
        occupancy.add("U", one)
    for one in gone:
        loaded.remove(one)
        occupancy.remove("U", one.claim, one.start, one.end)
    # The loader is asked only for days that were not in memory; those were told of every change.
    for start in range(0, 60, 7):
        known = (BASE + start) // DAY_SECONDS
        if ("U", known) in occupancy._days:
            first, last = BASE + start, min(BASE + start + 5, (known + 1) * DAY_SECONDS)
            assert occupancy.free("U", 9, first, last) == 9 - brute(loaded, first, last)


def test_an_end_and_a_start_at_the_same_instant_do_not_meet():
    claims = [held(1, 0, 10), held(2, 10, 20)]
    assert occupancy_of(claims).free("U", 1, BASE, BASE + 20) == 0
    assert occupancy_of(claims[:1]).free("U", 1, BASE + 10, BASE + 20) == 1


def test_a_claim_over_several_days_is_counted_once():
    long = held(1, 0, 3 * DAY_SECONDS, quantity=2)
    occupancy = occupancy_of([long])
    assert occupancy.overlapping("U", BASE, BASE + 4 * DAY_SECONDS) == [long]
    assert occupancy.free("U", 3, BASE, BASE + 4 * DAY_SECONDS) == 1


def test_memory_is_bounded_and_the_answer_stays(monkeypatch):
    monkeypatch.setattr(capacity, "OCCUPANCY_DAYS_IN_MEMORY", 2)
    claims = [held(day, day * DAY_SECONDS, day * DAY_SECONDS + 5) for day in range(6)]
    occupancy = occupancy_of(claims)
    for _ in range(2):
        for day in range(6):
            at = BASE + day * DAY_SECONDS
            assert occupancy.free("U", 1, at, at + 5) == 0
    assert len(occupancy._days) <= 2


def test_occupants_are_the_live_ones_in_one_order_everywhere():
    claims = [held(2, 5, 10), held(1, 0, 6), held(3, 0, 9, live=False)]
    found = occupancy_of(claims).occupants("U", BASE, BASE + 10)
    assert [h.claim for h in found] == sorted(h.claim for h in claims[:2])
    assert all(h.live for h in found)


def test_who_has_all_of_a_place_by_one_claim_keeps_it_and_no_more_than_that():
    own, part, asked = held(1, 10, 20, 2), held(2, 30, 35), held(3, 40, 50, live=False)
    shared = held(4, 60, 70)._replace(account=b"right", split=BASE + 65)
    occupancy = occupancy_of([own, part, asked, shared, held(5, 0, 90, 4)])

    def keeps(of: Held, start: int, end: int, quantity: int = 1, account: bytes = HUB) -> bool:
        return occupancy.keeps("U", quantity, BASE + start, BASE + end, [of.claim], account)

    assert keeps(own, 10, 20, 2) and keeps(own, 12, 15)
    assert not keeps(own, 10, 20, 3), "more than it has"
    assert not keeps(own, 10, 21) and not keeps(part, 30, 40), "longer than it has it"
    assert not keeps(own, 10, 20, account=b"right"), "of another account"
    assert not keeps(asked, 40, 50), "which nobody gave it"
    assert keeps(shared, 65, 70, account=b"right")
    assert not keeps(shared, 60, 70, account=b"right"), "of which a part went back to the hub"
    assert not occupancy.keeps("U", 1, BASE + 10, BASE + 20, [], HUB), "which it gives up"


def test_ten_thousand_seats_of_one_evening_are_two_instants():
    """A check of a large event costs what begins and ends that day, not what was sold."""
    seats = [held(number, 100, 200) for number in range(10_000)]
    occupancy = occupancy_of(seats)
    assert occupancy.free("U", 10_001, BASE + 120, BASE + 130) == 1
    for day in occupancy._days.values():
        assert len(day._all._instants) <= 2
