"""Metadata: other programs' ids and numbers, and nothing that a person wrote by accident."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.limits import METADATA_BYTES_MAX, METADATA_NUMBER_MAX
from holdfast.model.metadata import check_metadata

CLEAR = [
    "Ann Smith", "ann@example.org", "+39 055 123456", "no nuts, please", "Città", "Ann\n", "安",
    "<b>", "ann smith", "ann_smith", "tel:+39055",
]  # fmt: skip
METADATA_GOOD: list[dict[str, Any]] = [
    {},
    {"crm": 1, "crm.contact": "crm:4711", "a.b.c.d": None},
    {"loyalty.member": "01973b5e-0000-7000-8000-000000000000"},
    {"pos.check": "deadbeefdeadbeef", "pos.day": "2027-06-01"},
    {"pos.at": "2027-06-01T19:30:00Z", "pos.then": "2027-06-01T19:30:00+02:00"},
    {"who": "agent_" + "0" * 32, "again": "RES-2026-7K3M9Q"},
    {"nested": {"list": [1, 2.5, True, None, ["crm:1"]]}},
    {"pos.cents": 999_999_999, "pos.balance": -999_999_999, "pos.rate": 0.125},
    {"crm.contact": "crm:4711000000", "pos.table": "pos:T4"},
]
METADATA_BAD: list[Any] = [
    None, [], "text", 1, {"Crm": 1}, {"crm note": 1}, {"": 1}, {"a" * 33: 1}, {1: 1},
    {"a.b.c.d.e": 1}, {"a": "tel:0551234"}, {"a": "mailto:ann"}, {"a": "name:Ann"},
    {"a": "guest:Mario_Rossi"}, {"a": "crm:mario-rossi"}, {"a": "crm:"}, {"a": "a:1"},
    {"a": "phone:055"}, {"a": "email:x"}, {"a": b"bytes"}, {"a": {"B": 1}}, {"a": {1: 1}},
    {"a": [[[[[1]]]]]}, {"a": [1] * METADATA_BYTES_MAX},
    *({"a": clear} for clear in CLEAR), *({"a": [{"b": clear}]} for clear in CLEAR),
]  # fmt: skip


@pytest.mark.parametrize("metadata", METADATA_GOOD)
def test_metadata_holds_numbers_and_the_ids_of_other_systems(metadata: dict[str, Any]) -> None:
    assert check_metadata(metadata) is None


@pytest.mark.parametrize("metadata", METADATA_BAD, ids=repr)
def test_metadata_holds_nothing_that_a_person_wrote_and_says_why(metadata: Any) -> None:
    problem = check_metadata(metadata)
    assert problem is not None and "metadata" in problem
    assert "Smith" not in problem, "what is refused is not repeated into a log"


@pytest.mark.parametrize(
    "number", [39_055_123_456, 1_000_000_000, -1_000_000_000, 2**70, 1e9, 39055123456.0, 1e308]
)
def test_a_number_as_long_as_a_telephone_number_is_refused_with_the_way_out(number: float) -> None:
    for metadata in ({"crm.contact": number}, {"crm": {"contacts": [1, number]}}):
        problem = check_metadata(metadata)
        assert problem is not None and "at most 999,999,999" in problem
        assert "system:identifier" in problem
        assert str(number) not in problem


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_write_is_no_number(number: float) -> None:
    assert check_metadata({"a": number}) is not None


@given(st.from_regex(r"[a-z][a-z0-9-]{1,31}:[A-Za-z_-]{1,64}", fullmatch=True))
def test_an_identifier_without_a_digit_is_never_one(text: str) -> None:
    assert check_metadata({"crm.contact": text}) is not None


@given(st.integers(-METADATA_NUMBER_MAX, METADATA_NUMBER_MAX) | st.floats(-1e8, 1e8))
def test_counts_and_amounts_pass(number: float) -> None:
    assert check_metadata({"pos.amount": number}) is None
