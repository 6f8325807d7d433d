"""Stamps: what orders entries never goes back, whatever the clocks do."""

from __future__ import annotations

import timeit
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.errors import Invalid
from holdfast.model.hlc import (
    COUNTER_MAX,
    MS_MAX,
    MS_READABLE_MAX,
    PACKED_MAX,
    Stamp,
    merge,
    tick,
)
from holdfast.model.limits import STAMP_AHEAD_MS_MAX

NODE = "00112233445566778899aabbccddeeff"
NOON = 1_750_000_000_000
FAR = NOON + STAMP_AHEAD_MS_MAX + 1
"""One millisecond too far ahead for a clock whose latest is NOON."""


def at(ms: int, counter: int = 0) -> int:
    return Stamp(ms, counter, NODE).packed


class Tick(NamedTuple):
    now_ms: int
    expected: tuple[int, int]
    remark: str


TICKS = [
    Tick(NOON, (NOON, 0), "the first entry of a new node has the clock's time"),
    Tick(NOON, (NOON, 1), "a second within the millisecond counts"),
    Tick(NOON + 1, (NOON + 1, 0), "time goes on: the counter begins anew"),
    Tick(NOON - 7_200_000, (NOON + 1, 1), "the clock was set back two hours: count on"),
    Tick(0, (NOON + 1, 2), "the clock's battery died: count on"),
    Tick(NOON + 1, (NOON + 1, 3), "the clock comes back to where the stamps stand: count on"),
    Tick(NOON + 5_000, (NOON + 5_000, 0), "the clock overtakes its stamps: follow it again"),
]


def test_a_nodes_own_stamps_only_rise_whatever_its_clock_does() -> None:
    last = 0
    for row in TICKS:
        stamp = tick(last, row.now_ms)
        assert stamp > last, row.remark
        assert Stamp.unpack(stamp, NODE)[:2] == row.expected, row.remark
        last = stamp


class Merge(NamedTuple):
    last: int
    remote: int
    expected: int
    remark: str


MERGES = [
    Merge(at(NOON - 9), at(NOON - 5), at(NOON), "all of it is past: the clock's time"),
    Merge(at(NOON - 9), at(NOON), at(NOON, 1), "the same millisecond elsewhere: after it"),
    Merge(at(NOON + 3, 7), at(NOON + 3, 2), at(NOON + 3, 8), "own counter is higher: after it"),
    Merge(at(NOON + 3, 2), at(NOON + 3, 7), at(NOON + 3, 8), "their counter is higher: after it"),
    Merge(at(NOON), at(NOON + 900), at(NOON + 900, 1), "a clock slightly fast is followed"),
    Merge(at(NOON + 900), at(NOON), at(NOON + 900, 1), "and stays followed"),
    Merge(at(NOON), at(FAR - 1), at(FAR - 1, 1), "exactly the bound is still followed"),
    Merge(at(NOON), at(FAR), at(NOON), "one more is not: nothing moves"),
    Merge(at(NOON), at(FAR, COUNTER_MAX), at(NOON), "nor by its counter"),
    Merge(at(NOON), PACKED_MAX, at(NOON), "the end of time moves nobody"),
    Merge(at(NOON), at(NOON, COUNTER_MAX), at(NOON + 1), "a full counter carries"),
]


@pytest.mark.parametrize("row", MERGES, ids=lambda row: row.remark)
def test_a_stamp_from_elsewhere_is_followed_within_the_bound(row: Merge) -> None:
    assert merge(row.last, row.remote, now_ms=NOON, latest_ms=NOON) == row.expected


def test_an_uncertain_clock_follows_from_the_latest_that_it_may_be() -> None:
    assert merge(at(NOON), at(FAR), now_ms=NOON, latest_ms=NOON + 1) == at(FAR, 1)


def test_the_65_536th_stamp_of_a_millisecond_carries_into_the_next() -> None:
    assert tick(at(NOON, COUNTER_MAX), NOON) == at(NOON + 1, 0)


@pytest.mark.parametrize(
    ("last", "now_ms"), [(0, MS_MAX + 1), (PACKED_MAX, NOON)], ids=["clock", "counted on"]
)
def test_time_beyond_48_bits_of_milliseconds_is_an_error_and_no_wrong_order(
    last: int, now_ms: int
) -> None:
    with pytest.raises(Invalid, match="beyond 48 bits"):
        tick(last, now_ms)


def test_until_the_year_6429_a_packed_stamp_fits_a_signed_column() -> None:
    assert at(MS_READABLE_MAX, COUNTER_MAX) == 2**63 - 1


def test_the_text_of_a_stamp_is_as_documented() -> None:
    text = str(Stamp(0x0123456789AB, 0xCDEF, NODE))
    assert text == f"0123456789ab-cdef-{NODE}"
    assert Stamp.parse(text) == (0x0123456789AB, 0xCDEF, NODE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        f"123456789ab-cdef-{NODE}",
        f"0123456789AB-cdef-{NODE}",
        f"0123456789ab-cdef-{NODE[:-1]}",
        f"0123456789ab-cdef-{NODE}\n",
        f" 0123456789ab-cdef-{NODE}",
        f"0123456789ab_cdef-{NODE}",
        f"+123456789ab-cdef-{NODE}",
        f"٠123456789ab-cdef-{NODE}",  # an Arabic digit, which int() would take
    ],
)
def test_text_that_is_no_stamp_is_refused_with_the_form_expected(text: str) -> None:
    with pytest.raises(Invalid, match="12 hex digits") as caught:
        Stamp.parse(text)
    assert caught.value.extra["errors"][0]["field"] == "stamp"


@pytest.mark.parametrize("stamp", [Stamp(MS_MAX + 1, 0, NODE), Stamp(0, 65_536, NODE)])
def test_a_stamp_out_of_range_has_neither_packed_nor_text_form(stamp: Stamp) -> None:
    with pytest.raises(Invalid, match="do not fit"):
        _ = stamp.packed
    with pytest.raises(Invalid, match="do not fit"):
        str(stamp)


@pytest.mark.parametrize("packed", [-1, PACKED_MAX + 1])
def test_a_packed_stamp_out_of_range_is_refused(packed: int) -> None:
    with pytest.raises(Invalid, match="64 bits"):
        Stamp.unpack(packed, NODE)


# --- properties ---------------------------------------------------------------------------------

packed_stamps = st.integers(0, at(MS_MAX - 1))
instants = st.integers(-(10**12), MS_MAX - 1)
nodes = st.text("0123456789abcdef", min_size=32, max_size=32)
stamps = st.builds(Stamp, st.integers(0, MS_MAX), st.integers(0, COUNTER_MAX), nodes)


@given(packed_stamps, instants)
def test_a_tick_is_after_the_last_and_not_before_now(last: int, now_ms: int) -> None:
    stamp = tick(last, now_ms)
    assert stamp > last
    assert stamp >> 16 >= now_ms


@given(packed_stamps, packed_stamps, instants, instants)
def test_a_merge_is_after_both_unless_the_other_is_too_far_ahead(
    last: int, remote: int, now_ms: int, latest_ms: int
) -> None:
    merged = merge(last, remote, now_ms, latest_ms)
    if remote >> 16 > latest_ms + STAMP_AHEAD_MS_MAX:
        assert merged == last
    else:
        assert merged > last
        assert merged > remote
        assert merged >> 16 >= now_ms


@given(st.lists(st.tuples(instants, st.none() | packed_stamps), min_size=1))
def test_no_sequence_of_writing_and_merging_ever_reuses_a_stamp(
    history: list[tuple[int, int | None]],
) -> None:
    last, written = 0, []
    for now_ms, remote in history:
        if remote is None:
            last = tick(last, now_ms)
            written.append(last)
        else:
            last = merge(last, remote, now_ms, latest_ms=now_ms)
    assert written == sorted(set(written))


@given(stamps, stamps)
def test_text_packed_and_tuple_sort_alike(one: Stamp, other: Stamp) -> None:
    assert (str(one) < str(other)) == (one < other)
    assert (one.packed < other.packed) == (one[:2] < other[:2])


@given(stamps)
def test_text_and_packed_forms_lose_nothing(stamp: Stamp) -> None:
    assert Stamp.parse(str(stamp)) == stamp
    assert Stamp.unpack(stamp.packed, stamp.node) == stamp


def test_stamping_costs_next_to_nothing_beside_a_write() -> None:
    """A bound with an order of magnitude to spare, for busy machines: 0003-clock.md has figures."""
    calls, last = 2_000, at(NOON)
    seconds = min(timeit.repeat(lambda: tick(last, NOON), number=calls, repeat=5))
    assert seconds / calls < 5e-6
