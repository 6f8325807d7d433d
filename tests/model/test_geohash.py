"""Geohashes are those that everybody else works out, and a venue's is worked out once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import geohash
from holdfast.model.errors import Invalid
from holdfast.model.venue import parse_venue, to_document

PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("latitude", "longitude", "known"),
    [
        (57.64911, 10.40744, "u4pruydqqvj"),
        (42.605, -5.603, "ezs42"),
        (-25.382708, -49.265506, "6gkzwgjzn820"),
        (37.8324, 112.5584, "ww8p1r4t8"),
        (90.0, 180.0, "zzzz"),
        (-90.0, -180.0, "0000"),
    ],
)
def test_known_places_have_their_known_geohash(latitude: float, longitude: float, known: str):
    assert geohash.encode(latitude, longitude, len(known)) == known


@given(PLACES)
def test_a_shorter_one_is_the_beginning_of_a_longer_one(place: tuple[float, float]):
    assert geohash.encode(*place).startswith(geohash.encode(*place, 4))


# --- of a venue -----------------------------------------------------------------------------------


def venue(**profile: Any) -> dict[str, Any]:
    return {
        "venue": "osteria", "name": "Osteria", "kind": "restaurant", "time_zone": "Europe/Rome",
        "resources": [{"id": "T1", "kind": "table"}], "profile": profile,
    }  # fmt: skip


def test_a_venue_keeps_the_geohash_of_its_place_and_its_file_says_the_place_once():
    read = parse_venue(venue(geo=[57.64911, 10.40744]))
    assert read.profile.geohash == "u4pruydqq"
    assert to_document(read)["profile"] == {"geo": [57.64911, 10.40744]}
    assert parse_venue(to_document(read)) == read


def test_a_geohash_alone_is_kept_as_it_is_said():
    read = parse_venue(venue(geohash="u4pr"))
    assert to_document(read)["profile"] == {"geohash": "u4pr"}
    assert parse_venue(to_document(read)) == read


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ({"geohash": "u4ai"}, "is not a geohash"),
        ({"geohash": "u4pruydqqvj"}, "is not a geohash"),
    ],
)
def test_what_is_none_is_a_fault(profile: dict[str, Any], says: str):
    with pytest.raises(Invalid) as caught:
        parse_venue(venue(**profile))
    (fault,) = caught.value.extra["errors"]
    assert fault["field"] == "profile.geohash" and says in fault["message"]


def test_who_reads_a_venue_changes_its_place_and_writes_it_back_has_changed_its_place():
    there = {"geo": [57.64911, 10.40744]}
    shown = parse_venue(venue(geohash="sr2y", **there))
    assert to_document(shown) == to_document(parse_venue(venue(**there)))
