"""Promises about the limits that a venue file with tables gets where it says nothing of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.venue import parse_venue
from holdfast.model.venue_defaults import ADVANCE_DAYS, MAX_PARTY, UNLIMITED, with_defaults

TABLE = {"id": "T1", "kind": "table"}
BAY = {"id": "BAY-1", "kind": "bay"}
USUAL = (90, 12)
LEAST = {"venue": "house", "name": "House", "kind": "restaurant", "time_zone": "UTC",
         "resources": [TABLE]}  # fmt: skip


def limits(
    policies: object = None, *, kind: str = "restaurant", first: Any = TABLE
) -> tuple[int | None, int | None]:
    document: dict[str, Any] = {
        "venue": "house", "name": "House", "kind": kind, "time_zone": "Europe/Rome",
        "resources": [first, {"id": "BAR", "kind": "table"}],
    }  # fmt: skip
    if policies != "left out":
        document["policies"] = policies
    found = parse_venue(with_defaults(document)).policies
    return found.advance_days, found.max_party


@pytest.mark.parametrize("nothing", ["left out", None, {}, {"cutoff_minutes": 30}])
def test_a_house_with_tables_that_says_nothing_has_the_usual_limits(nothing: object):
    assert limits(nothing) == USUAL


def test_lengths_and_start_times_have_their_defaults_too():
    venue = parse_venue(LEAST)
    assert (venue.seating, venue.slot_minutes, venue.policies.min_party) == (((1, 90),), 15, 1)


def test_what_the_file_says_wins_and_null_says_no_limit():
    assert limits({"advance_days": 365, "max_party": 40}) == (365, 40)
    assert limits({"advance_days": 0}) == (0, 12)
    assert limits({"advance_days": None, "max_party": None}) == (None, None)
    assert limits({"max_party": None}) == (90, None)


def test_who_takes_only_large_parties_has_no_largest_one():
    assert limits({"min_party": 20}) == (90, None)


@pytest.mark.parametrize(
    ("kind", "first"),
    [("centre", BAY), ("restaurant", {"id": "HALL", "kind": "pool", "capacity": 10}),
     ("lodging", {"id": "R1", "kind": "room"}), ("lodging", TABLE)],
)  # fmt: skip
def test_other_houses_have_no_limit_unless_they_say_one(kind: str, first: object):
    assert limits(kind=kind, first=first) == (None, None)
    assert limits({"advance_days": 7}, kind=kind, first=first) == (7, None)


def test_a_venue_that_stands_in_a_book_is_read_as_it_stands_there():
    assert parse_venue(LEAST).policies.advance_days is None


def test_the_page_of_the_venue_file_says_these_numbers():
    page = (Path(__file__).parents[2] / "docs" / "venue-file.md").read_text("utf-8")
    for name, number in zip(UNLIMITED, USUAL, strict=True):
        (row,) = re.findall(rf"^\| `{name}` \| .*first place is a table.*$", page, re.MULTILINE)
        assert f"where the first place is a table `{number}` |" in row
    assert f"gets {ADVANCE_DAYS} days and {MAX_PARTY} people" in " ".join(page.split())


@pytest.mark.parametrize(
    "wrong", [{}, {"resources": "T1"}, {"resources": [TABLE], "policies": 7}, {"resources": [7]}]
)
def test_what_is_no_venue_file_is_left_for_its_reader_to_say(wrong: dict[str, Any]):
    assert with_defaults(wrong) == wrong


def test_who_speaks_of_larger_parties_or_shorter_times_has_not_forgotten_the_limit():
    hall = {"id": "HALL", "kind": "table", "seats": [14, 20]}
    assert limits("left out", first=hall) == (90, None)
    evening = {"from": "2026-08-15T18:00", "to": "2026-08-15T20:00"}
    event = evening | {"kind": "normal", "max_party": 20}
    found = with_defaults(LEAST | {"slot_overrides": [event]})["policies"]
    assert found == {"advance_days": 90}
    tiers = {"gold": {"advance_days": 60}}
    assert with_defaults(LEAST | {"policies": {"tiers": tiers}})["policies"] == {
        "tiers": tiers, "max_party": 12,
    }  # fmt: skip


@pytest.mark.parametrize("odd", [7, "ab", [7, "x"], {"a": 7}, None])
def test_what_is_no_venue_file_is_left_to_the_reader(odd: object):
    document = LEAST | {"slot_overrides": odd, "policies": {"tiers": odd}}
    assert with_defaults(document)["policies"]["advance_days"] == 90
