"""Reservation codes: unique without asking anybody, telling nothing, and easy to read out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.codes import (
    ALPHABET,
    COUNTERS,
    code,
    fallback_code,
    is_code,
    normalise_code,
    permute,
    read_code,
    unpermute,
)
from tests.vectors_crypto import vectors

KEY = bytes(range(32))
OTHER_KEY = bytes(32)
INCARNATION = bytes(range(16, 32))
COUNTER = st.integers(0, COUNTERS - 1)
PREFIX = st.integers(0, 1023)
YEAR = st.integers(1900, 2999)


@pytest.mark.parametrize("known", vectors()["codes"])
def test_a_code_never_changes_with_the_software(known):
    key = bytes.fromhex(known["key"])
    assert code(known["year"], known["prefix"], known["counter"], key) == known["code"]
    assert read_code(known["code"], key) == (known["prefix"], known["counter"])


@pytest.mark.parametrize("known", vectors()["fallback_codes"])
def test_a_long_code_never_changes_with_the_software(known):
    made = fallback_code(
        known["year"], bytes.fromhex(known["incarnation"]), known["counter"],
        bytes.fromhex(known["key"]),
    )  # fmt: skip
    assert made == known["code"]


def test_a_prefix_never_gives_one_code_twice():
    """All 2^20 counters of a prefix, not a sample: uniqueness is by construction."""
    seen = bytearray(COUNTERS)
    for counter in range(COUNTERS):
        seen[permute(counter, KEY)] = 1
    assert seen.count(1) == COUNTERS


@given(COUNTER, st.binary(min_size=16, max_size=32))
def test_a_code_leads_back_to_its_counter(counter, key):
    assert unpermute(permute(counter, key), key) == counter


@given(YEAR, PREFIX, COUNTER)
def test_a_code_is_six_characters_and_leads_back_to_who_made_it(year, prefix, counter):
    made = code(year, prefix, counter, KEY)
    assert is_code(made)
    assert len(made) == len("RES-2026-XXXXXX")
    assert made.startswith(f"RES-{year}-")
    assert read_code(made, KEY) == (prefix, counter)


def test_codes_do_not_count_aloud():
    """Somebody with two codes in a row learns nothing of how many lie between two others."""
    values = [permute(counter, KEY) for counter in range(2_000)]
    steps = {(after - before) % COUNTERS for before, after in pairwise(values)}
    assert len(steps) > 1_950
    halves = sum(value >= COUNTERS // 2 for value in values)
    assert 850 < halves < 1_150


def test_two_tenants_codes_come_in_different_orders():
    same = sum(permute(counter, KEY) == permute(counter, OTHER_KEY) for counter in range(10_000))
    assert same < 10


@given(YEAR, st.integers(0, 2**63), st.integers(0, 2**63))
def test_a_long_code_is_never_taken_for_a_short_one(year, counter, other):
    made = fallback_code(year, INCARNATION, counter, KEY)
    assert is_code(made)
    assert len(made) == len("RES-2026-XXXXXXXX")
    assert read_code(made, KEY) is None
    assert (made == fallback_code(year, INCARNATION, other, KEY)) == (counter == other)


def test_long_codes_of_two_devices_differ():
    one = {fallback_code(2026, INCARNATION, n, KEY) for n in range(5_000)}
    other = {fallback_code(2026, bytes(16), n, KEY) for n in range(5_000)}
    assert len(one | other) == 10_000


@pytest.mark.parametrize(
    ("year", "prefix", "counter"),
    [
        (2026, -1, 0),
        (2026, 1024, 0),
        (2026, 0, -1),
        (2026, 0, COUNTERS),
        (10_000, 0, 0),
        (-1, 0, 0),
    ],
)
def test_what_does_not_fit_into_a_code_is_refused(year, prefix, counter):
    with pytest.raises(ValueError, match="out of range"):
        code(year, prefix, counter, KEY)


@given(YEAR, PREFIX, COUNTER, st.randoms(use_true_random=False))
def test_a_code_is_understood_as_people_type_it(year, prefix, counter, random):
    made = code(year, prefix, counter, KEY)
    typed = made.translate(str.maketrans({"0": random.choice("0Oo"), "1": random.choice("1IiLl")}))
    typed = typed.replace("-", random.choice(["-", "", " ", " - ", "–"]))
    typed = random.choice([str.lower, str.upper, str.title])(typed)
    assert normalise_code(f" {typed}\n") == made


@pytest.mark.parametrize(
    "text",
    [
        "", "RES", "RES-2026", "RES-2026-ABCDE", "RES-2026-ABCDEFG", "RES-2026-ABCDEFGHJ",
        "XYZ-2026-ABCDEF", "RES-20X6-ABCDEF", "RES-2026-ABCDEU", "ABCDEF",
        "RES-٢٠٢٦-ABCDEF", "RES-2026-ABCDEß", "RES-2026-ABCDE²",
        "019a0000-0000-7000-8000-000000000000",
    ],
)  # fmt: skip
def test_what_is_no_code_is_not_taken_for_one(text):
    assert normalise_code(text) is None
    assert not is_code(text)
    assert read_code(text, KEY) is None


def test_a_code_is_printed_in_one_way_only():
    made = code(2026, 7, 7, KEY)
    assert not any(map(is_code, [made.lower(), made.replace("-", ""), made + "\n", " " + made]))
    assert not set("ILOU") & set(ALPHABET)
