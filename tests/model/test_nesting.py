"""Nesting: the same bytes get the same verdict, however much stack the reader has left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.contents import decode_content
from holdfast.model.entries import SCHEMA, Entry, Malformed
from holdfast.model.events import ReservationAmended, encode_content
from holdfast.model.limits import NESTING_MAX
from holdfast.model.metadata import check_metadata
from holdfast.model.nesting import nested_too_deeply

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False),
    st.binary(max_size=300), st.text(max_size=300),
    st.builds(msgspec.msgpack.Ext, st.integers(-128, 127), st.binary(max_size=300)),
)  # fmt: skip


def nested(depth: int, leaf: Any = 1) -> Any:
    for _ in range(depth):
        leaf = {"a": leaf}
    return leaf


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(LEAVES, max_size=20), st.lists(LEAVES, max_size=3)),
        min_size=NESTING_MAX - 3, max_size=NESTING_MAX + 3,
    )
)  # fmt: skip
def test_depth_is_told_whatever_stands_beside(levels):
    value: Any = b"\x91" * 200
    for as_map, before, after in levels:
        members = [*before, value, *after]
        value = dict(enumerate(members)) if as_map else members
    data = msgspec.msgpack.encode(value)
    assert nested_too_deeply(data) == (len(levels) > NESTING_MAX)


@pytest.mark.parametrize("opener", [b"\x91", b"\x81\xa1a", b"\xdd\0\0\0\x01", b"\xdf\0\0\0\1\1"])
def test_the_bound_is_sharp_and_bytes_that_are_cut_off_do_no_harm(opener):
    assert not nested_too_deeply(opener * NESTING_MAX)
    assert nested_too_deeply(opener * (NESTING_MAX + 1))
    assert nested_too_deeply(opener * 50_000)
    for length in range(len(opener) * NESTING_MAX):
        assert not nested_too_deeply((opener * NESTING_MAX)[:length])


def with_little_stack(left: int, act: Callable[[], Any]) -> Any:
    """What `act` says where the interpreter has only so many calls left."""
    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1  # type: ignore[assignment]
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(used + left)
    try:
        return act()
    finally:
        sys.setrecursionlimit(before)


def verdict(content: bytes) -> str:
    entry = Entry("reservation.amended", 1, 0, b"r" * 16, (), (), (), SCHEMA, content)
    try:
        decode_content(entry)
    except Malformed as problem:
        return str(problem)
    return "merged"


@pytest.mark.parametrize("depth", [3, 4, 5, 20, NESTING_MAX, 200, 930, 960, 999])
def test_the_verdict_on_nested_metadata_is_the_same_with_a_full_and_an_empty_stack(depth):
    content = b"\x91" + msgspec.msgpack.encode({"metadata": {}})[:-1] + b"\x81\xa1a" * depth + b"\1"
    said = {with_little_stack(left, lambda: verdict(content)) for left in (80, 300, 2_000)}
    if depth <= 5:
        assert said == {"merged"}
    else:
        deep = depth + 2 > NESTING_MAX
        assert said == {"content-unreadable" if deep else "text-not-a-code:metadata"}


@pytest.mark.parametrize("depth", [6, 300, 930, 960])
def test_metadata_is_refused_by_its_depth_before_anything_recurses(depth):
    problem = with_little_stack(60, lambda: check_metadata(nested(depth)))
    assert problem is not None and "nested" in problem


def test_what_cannot_be_encoded_is_malformed_and_no_crash():
    for value in (2**70, nested(100_000)):
        with pytest.raises(Malformed, match="content-unreadable"):
            encode_content(ReservationAmended({"metadata": {"a": value}}))
