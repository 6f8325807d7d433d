"""Start times: exactly those at which nothing that is taken stands in the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.availability import ruled_out
from holdfast.model.capacity import Held, Occupancy, Profile
from holdfast.model.entries import ClaimId

DAY = 1_798_761_600
WITHIN = st.integers(DAY - 7_200, DAY + 30 * 3_600)
INTERVALS = st.lists(
    st.tuples(WITHIN, st.integers(1, 40_000)).map(lambda pair: (pair[0], sum(pair))), max_size=12
)


@given(taken=INTERVALS, length=st.integers(1, 30_000))
def test_a_start_is_ruled_out_where_it_would_share_an_instant(
    taken: list[tuple[int, int]], length: int
) -> None:
    bits = ruled_out(taken, DAY, 1_440, length)
    for minute in range(1_440):
        start = DAY + 60 * minute
        meets = any(one < start + length and start < end for one, end in taken)
        assert bool(bits >> minute & 1) is meets, minute
    assert bits < 1 << 1_440


@given(
    claims=st.lists(st.tuples(WITHIN, st.integers(1, 20_000), st.integers(1, 4)), max_size=10),
    capacity=st.integers(1, 6),
    quantity=st.integers(1, 3),
    span=st.tuples(WITHIN, st.integers(1, 90_000)),
)
def test_what_is_taken_is_where_too_little_is_left(
    claims: list[tuple[int, int, int]], capacity: int, quantity: int, span: tuple[int, int]
) -> None:
    held = [
        Held(ClaimId(bytes([number]) * 16, 0), start, start + length, amount, True, b"r" * 16)
        for number, (start, length, amount) in enumerate(claims)
    ]
    occupancy = Occupancy(
        lambda _, start, end: [one for one in held if one.start < end and one.end > start]
    )
    start, end = span[0], sum(span)
    taken = occupancy.taken("T1", capacity, quantity, start, end)
    instants = {start, end - 1}
    instants |= {at for one in held for at in (one.start - 1, one.start, one.end - 1, one.end)}
    for at in instants:
        if start <= at < end:
            level = sum(one.quantity for one in held if one.start <= at < one.end)
            inside = any(first <= at < last for first, last in taken)
            assert inside is (capacity - level < quantity), at
    assert all(start <= first < last <= end for first, last in taken)


def test_a_level_that_only_touches_the_most_is_not_above_it() -> None:
    level = Profile()
    level.shift(100, 200, 1)
    level.shift(200, 300, 1)
    level.shift(150, 160, 1)
    assert level.above(1, 0, 400) == [(150, 160)]
    assert level.above(0, 120, 250) == [(120, 250)]
    assert level.above(2, 0, 400) == []
