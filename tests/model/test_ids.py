"""Ids of things: unique without asking, in the order of their making, and spelt in one way."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.ids import parse_uuid, uuid7, uuid_text

NOON = 1_750_000_000_000
ENTROPY = st.binary(min_size=10, max_size=10)
TIME = st.integers(0, (1 << 48) - 1)


@given(TIME, ENTROPY)
def test_an_id_is_a_uuid_of_version_7_with_its_time(now_ms: int, entropy: bytes) -> None:
    value = uuid.UUID(bytes=uuid7(now_ms, entropy))
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert value.int >> 80 == now_ms


@given(ENTROPY, ENTROPY)
def test_74_bits_of_the_randomness_tell_ids_of_one_millisecond_apart(a: bytes, b: bytes) -> None:
    differ = int.from_bytes(a, "big") & (1 << 80) - 1 ^ int.from_bytes(b, "big")
    # Bits 62 to 67 are where version and variant stand.
    used = differ & ~(0b111111 << 62)
    assert (uuid7(NOON, a) != uuid7(NOON, b)) is bool(used)


@given(TIME, TIME, ENTROPY, ENTROPY)
def test_ids_sort_by_the_time_of_their_making(x: int, y: int, a: bytes, b: bytes) -> None:
    if x != y:
        assert (uuid7(x, a) < uuid7(y, b)) is (x < y)


@given(TIME, ENTROPY)
def test_an_id_comes_back_from_its_text(now_ms: int, entropy: bytes) -> None:
    value = uuid7(now_ms, entropy)
    assert parse_uuid(uuid_text(value)) == value
    assert parse_uuid(uuid_text(value).upper()) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "RES-2027-AAAAAA", "0197", "{01973b5e-0000-7000-8000-000000000000}",
        "urn:uuid:01973b5e-0000-7000-8000-000000000000", "01973b5e000070008000000000000000",
        "01973b5e-0000-7000-8000-00000000000g", " 01973b5e-0000-7000-8000-000000000000",
        "٠1973b5e-0000-7000-8000-000000000000",
    ],
)  # fmt: skip
def test_any_other_spelling_is_no_id(text: str) -> None:
    assert parse_uuid(text) is None


@given(st.text(max_size=40))
def test_no_text_at_all_makes_it_fail(text: str) -> None:
    value = parse_uuid(text)
    assert value is None or uuid_text(value) == text.lower()
