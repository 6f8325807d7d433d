"""Ids of things: unique without asking, in the order of their making, and spelt in one way."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.ids import import_id, may_name, parse_uuid, reservation_id, uuid_text

NOON = 1_750_000_000_000
LIFE, OTHER = b"L" * 16, b"O" * 16
LIVES = st.binary(min_size=16, max_size=16)
ENTROPY = st.binary(min_size=3, max_size=3)
TIME = st.integers(0, (1 << 48) - 1)


@given(LIVES, TIME, ENTROPY)
def test_an_id_is_a_uuid_of_version_7_with_its_time(
    life: bytes, now_ms: int, entropy: bytes
) -> None:
    value = uuid.UUID(bytes=reservation_id(life, now_ms, entropy))
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert value.int >> 80 == now_ms


@given(LIVES, ENTROPY, ENTROPY)
def test_24_bits_tell_ids_of_one_life_and_millisecond_apart_and_order_them(
    life: bytes, a: bytes, b: bytes
) -> None:
    first, second = reservation_id(life, NOON, a), reservation_id(life, NOON, b)
    assert (first == second) is (a == b)
    assert (first < second) is (a < b)


@given(LIVES, LIVES, TIME, TIME, ENTROPY, ENTROPY)
def test_ids_sort_by_the_time_of_their_making(
    one: bytes, other: bytes, x: int, y: int, a: bytes, b: bytes
) -> None:
    if x != y:
        assert (reservation_id(one, x, a) < reservation_id(other, y, b)) is (x < y)


@given(LIVES, TIME, ENTROPY)
def test_a_life_may_name_what_it_gave_and_no_other_life_may(
    life: bytes, now_ms: int, entropy: bytes
) -> None:
    value = reservation_id(life, now_ms, entropy)
    assert may_name(value, life)
    for place in range(16):
        for bit in (1, 0x10, 0x80):
            other = bytes([*life[:place], life[place] ^ bit, *life[place + 1 :]])
            assert not may_name(value, other)


@given(LIVES, TIME, ENTROPY, st.integers(0, 127))
def test_an_id_with_one_bit_changed_is_nobodys(
    life: bytes, now_ms: int, entropy: bytes, bit: int
) -> None:
    value = int.from_bytes(reservation_id(life, now_ms, entropy), "big") ^ 1 << bit
    assert not may_name(value.to_bytes(16, "big"), life)


@given(st.binary(max_size=20))
def test_bytes_that_no_life_gave_may_not_be_named(value: bytes) -> None:
    imported = len(value) == 16 and value[6] >> 4 == 8 and value[8] >> 6 == 2
    assert may_name(value, LIFE) is imported


@given(st.text(max_size=20))
def test_an_imported_records_id_may_be_named_by_every_life(key: str) -> None:
    value = import_id("demo/trattoria", key)
    assert uuid.UUID(bytes=value).version == 8
    assert may_name(value, LIFE)
    assert may_name(value, OTHER)


@pytest.mark.parametrize(
    ("life", "now_ms", "entropy"),
    [(b"short", NOON, bytes(3)), (LIFE, -1, bytes(3)), (LIFE, 1 << 48, bytes(3)),
     (LIFE, NOON, bytes(2)), (LIFE, NOON, bytes(10))],
)  # fmt: skip
def test_an_id_is_not_made_of_anything_else(life: bytes, now_ms: int, entropy: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        reservation_id(life, now_ms, entropy)


@given(LIVES, TIME, ENTROPY)
def test_an_id_comes_back_from_its_text(life: bytes, now_ms: int, entropy: bytes) -> None:
    value = reservation_id(life, now_ms, entropy)
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
