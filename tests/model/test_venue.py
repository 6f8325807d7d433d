"""Promises about venue files: what is meant by what is left out, and what is said of slips."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import limits
from holdfast.model.errors import Invalid
from holdfast.model.venue import Span, Venue, parse_venue, to_document

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE_FILES = sorted(p.relative_to(EXAMPLES).as_posix() for p in EXAMPLES.rglob("*.yaml"))


def document(**changes: Any) -> dict[str, Any]:
    """The least that is a venue, with changes; None leaves a field out."""
    least: dict[str, Any] = {
        "venue": "corner",
        "name": "Corner",
        "kind": "restaurant",
        "time_zone": "Europe/Rome",
        "resources": [{"id": "T1", "kind": "table", "seats": [1, 4]}],
    }
    least.update(changes)
    return {name: value for name, value in least.items() if value is not None}


def faults(broken: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_venue(broken)
    return {error["field"]: error["message"] for error in caught.value.extra["errors"]}


@pytest.mark.parametrize("name", EXAMPLE_FILES)
def test_every_example_is_a_venue_and_comes_back_the_same(name: str) -> None:
    venue = parse_venue(yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8")))
    written = to_document(venue)
    assert parse_venue(written) == venue
    assert parse_venue(json.loads(json.dumps(written))) == venue
    assert to_document(parse_venue(written)) == written


def test_what_is_left_out_has_the_defaults_of_the_contract() -> None:
    venue = parse_venue(document())
    assert venue.slot_minutes == 15
    assert venue.seating == ((1, 90),)
    assert venue.buffer_minutes == 0
    assert venue.hours is None
    assert venue.covers_per_slot is None
    assert venue.stays is None
    assert venue.policies.hold_minutes == 15
    assert venue.policies.max_party is None
    assert venue.resources[0].priority == 0


def test_words_for_guests_come_back_and_are_left_out_where_there_are_none() -> None:
    words = {"tiers": ["circolo"], "tags": ["wine_club", "licence_b"]}
    venue = parse_venue(document(guests=words))
    assert to_document(venue)["guests"] == words
    assert parse_venue(to_document(venue)) == venue
    assert "guests" not in to_document(parse_venue(document(guests={"tags": []})))


def test_a_lodging_has_stays_without_saying_so() -> None:
    venue = parse_venue(document(kind="lodging"))
    assert venue.stays is not None
    assert (venue.stays.check_in, venue.stays.check_out) == (15 * 60, 11 * 60)


def test_a_day_left_out_is_closed_and_hours_left_out_never_close() -> None:
    venue = parse_venue(document(hours={"tue": [["12:00", "15:00"]]}))
    assert venue.hours is not None
    assert [bool(spans) for spans in venue.hours] == [False, True] + [False] * 5
    assert parse_venue(document()).hours is None


def test_an_end_before_its_start_runs_past_midnight() -> None:
    venue = parse_venue(document(hours={"mon": [["18:00", "02:00"]], "tue": [["18:00", "24:00"]]}))
    assert venue.hours is not None
    assert venue.hours[0] == (Span(18 * 60, 26 * 60),)
    assert venue.hours[1] == (Span(18 * 60, 24 * 60),)


def test_times_that_yaml_read_as_numbers_are_understood() -> None:
    """Unquoted 12:30 reaches us as 750."""
    text = "{mon: [[12:30, 15:00]], tue: [[18:00, 24:00]]}"
    venue = parse_venue(document(hours=yaml.safe_load(text)))
    assert venue.hours is not None
    assert venue.hours[0] == (Span(750, 900),)
    assert venue.hours[1] == (Span(1080, 1440),)


def test_a_bare_hour_is_refused_rather_than_read_as_minutes() -> None:
    found = faults(document(hours={"mon": [[9, 17]]}))
    assert "in quotes" in found["hours.mon[0][0]"]
    assert "hours.mon[0][1]" in found


def test_closed_dates_may_be_quoted_or_not() -> None:
    quoted = parse_venue(document(closed=["2026-12-25"]))
    assert quoted == parse_venue(document(closed=yaml.safe_load("[2026-12-25]")))


@pytest.mark.parametrize("seating", [{2: 75, 4: 90, 8: 120}, {"2": 75, "8": 120, "4": 90}])
def test_seating_by_party_size_is_read_from_yaml_and_json_alike(seating: Any) -> None:
    assert parse_venue(document(seating_minutes=seating)).seating == ((2, 75), (4, 90), (8, 120))


def test_a_pool_counts_people_unless_it_says_units() -> None:
    venue = parse_venue(
        document(
            resources=[
                {"id": "HALL", "kind": "pool", "capacity": 120},
                {"id": "DBL", "kind": "pool", "capacity": 9, "counts": "units", "seats": [1, 2]},
                {"id": "T1", "kind": "table", "seats": [1, 2]},
            ]
        )
    )
    hall, double, table = venue.resources
    assert hall.counts_people and not hall.counts_units
    assert double.counts_units and (double.capacity, double.seats_max) == (9, 2)
    assert not table.pool and table.capacity == 1


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"venue": "Corner House"}, "venue", "a-z 0-9 -"),
        ({"venue": None}, "venue", "required"),
        ({"kind": "pub"}, "kind", "restaurant"),
        ({"time_zone": "Rome"}, "time_zone", "IANA"),
        ({"time_zone": "Europe"}, "time_zone", "IANA"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "IANA"),
        ({"name": 12}, "name", "quotes"),
        ({"day_starts_at": "24:00"}, "day_starts_at", "before 24:00"),
        ({"slot_minutes": 0}, "slot_minutes", "from 1"),
        ({"slot_minutes": True}, "slot_minutes", "whole number"),
        ({"seating_minutes": {}}, "seating_minutes", "empty"),
        ({"seating_minutes": {"two": 75}}, "seating_minutes.two", "whole number"),
        ({"hours": {"monday": []}}, "hours.monday", "'mon'"),
        ({"hours": {"mon": [["12:00"]]}}, "hours.mon[0]", "pair"),
        ({"hours": {"mon": [["12:00", "12:00"]]}}, "hours.mon[0]", "whole day"),
        ({"hours": {"mon": [["24:00", "02:00"]]}}, "hours.mon[0][0]", "00:00"),
        ({"hours": {"mon": [["10:00", "15:00"], ["14:00", "18:00"]]}}, "hours.mon", "overlap"),
        ({"hours": {"mon": [["12:00", "25:00"]]}}, "hours.mon[0][1]", "time of day"),
        ({"closed": ["25/12/2026"]}, "closed[0]", "2026-12-25"),
        ({"covers_per_slot": 0}, "covers_per_slot", "from 1"),
        ({"covers_at_once": 0}, "covers_at_once", "from 1"),
        ({"stays": {"check_in": "10:00", "check_out": "11:00"}}, "stays.check_out", "check_in"),
        ({"policies": {"min_party": 4, "max_party": 2}}, "policies.max_party", "min_party"),
        ({"policies": {"cutof_minutes": 2}}, "policies.cutof_minutes", "cutoff_minutes"),
        ({"resources": []}, "resources", "at least one"),
        ({"resources": None}, "resources", "at least one"),
        ({"resources": {"T1": {}}}, "resources", "list"),
        ({"colour": "red"}, "colour", "not a field"),
        ({"allotments": [{"holder": "d", "resources": ["T"]}]}, "allotments[0].resources[0]", "T"),
        ({"allotments": [{"resources": ["T*"]}]}, "allotments[0].holder", "required"),
        ({"allotments": [{"holder": "desk"}]}, "allotments[0].resources", "required"),
        ({"overbooking": [{"resources": ["T"], "limit": 1}]}, "overbooking[0].resources[0]", "T"),
        ({"overbooking": [{"limit": 1}]}, "overbooking[0].resources", "required"),
        ({"guests": {"tiers": ["Ann Smith"]}}, "guests.tiers[0]", "a-z"),
        ({"guests": {"tags": ["ok", "-"]}}, "guests.tags[1]", "a-z"),
        ({"guests": {"tag": []}}, "guests.tag", "did you mean 'tags'"),
        ({"overbooking": [{"resources": ["T*"]}]}, "overbooking[0].limit", "required"),
        ({"overbooking": [{"resources": ["T*"], "limit": -1}]}, "overbooking[0].limit", "from 0"),
        ({"overbooking": [{"resources": ["T*"], "limit": 1, "from": "24.12."}]},
         "overbooking[0].from", "2026-12-25"),
        ({"overbooking": [{"resources": ["T*"], "limit": 1, "from": "2026-12-25",
          "until": "2026-12-24"}]}, "overbooking[0].until", "2026-12-25"),
        ({"overbooking": [{"resources": ["T*"], "limit": 1, "til": 4}]}, "overbooking[0].til",
         "until"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_path(changes: dict[str, Any], field: str, says: str) -> None:
    found = faults(document(**changes))
    assert list(found) == [field]
    assert says in found[field]


@pytest.mark.parametrize(
    ("resource", "field", "says"),
    [
        ({"kind": "table"}, "id", "required"),
        ({"id": "T 2", "kind": "table"}, "id", "an id"),
        ({"id": "T1", "kind": "table"}, "id", "already"),
        ({"id": "T2"}, "kind", "required"),
        ({"id": "T2", "kind": "table", "seats": [4, 2]}, "seats", "above"),
        ({"id": "T2", "kind": "table", "seats": [4]}, "seats", "pair"),
        ({"id": "T2", "kind": "table", "capacity": 4}, "capacity", "seats: [1, 4]"),
        ({"id": "T2", "kind": "pool"}, "capacity", "required"),
        ({"id": "T2", "kind": "pool", "capacity": 0}, "capacity", "from 1"),
        ({"id": "T2", "kind": "pool", "capacity": 9, "counts": "rooms"}, "counts", "units"),
        ({"id": "T2", "kind": "pool", "capacity": 9, "seats": [1, 2]}, "seats", "no seats"),
        ({"id": "T2", "kind": "table", "combines_with": ["T2"]}, "combines_with[0]", "itself"),
        ({"id": "T2", "kind": "table", "combines_with": ["T9"]}, "combines_with[0]", "T9"),
        ({"id": "T2", "kind": "table", "area": "屋上"}, "area", "a-z"),
        ({"id": "T2", "kind": "table", "seets": [1, 2]}, "seets", "'seats'"),
    ],
)
def test_a_fault_of_a_resource_is_named(resource: dict[str, Any], field: str, says: str) -> None:
    first = {"id": "T1", "kind": "table", "seats": [1, 4]}
    found = faults(document(resources=[first, resource]))
    assert list(found) == [f"resources[1].{field}"]
    assert says in found[f"resources[1].{field}"]


def test_all_faults_are_reported_at_once() -> None:
    broken = document(
        kind="pub",
        hours={"mon": [["noon", "15:00"]]},
        resources=[{"id": "T1", "kind": "table", "seats": "four"}, 7],
        extra=1,
    )
    assert set(faults(broken)) == {
        "kind", "hours.mon[0][0]", "resources[0].seats", "resources[1]", "extra",
    }  # fmt: skip


def test_a_file_that_is_no_object_is_refused_with_a_sentence() -> None:
    assert "must be an object" in faults(["venue"])["document"]


def test_a_venue_has_a_bounded_number_of_resources() -> None:
    many = [{"id": f"T{n}", "kind": "table"} for n in range(limits.RESOURCES_PER_VENUE_MAX + 1)]
    assert "at most" in faults(document(resources=many))["resources"]


def test_parsing_leaves_the_document_as_it_was() -> None:
    given_document = document(hours={"mon": [["12:00", "15:00"]]}, seating_minutes={"2": 75})
    before = copy.deepcopy(given_document)
    parse_venue(given_document)
    assert given_document == before


times = st.integers(0, 1439).map(lambda m: f"{m // 60:02d}:{m % 60:02d}")
spans = st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]).map(list)


@given(
    hours=st.dictionaries(st.sampled_from(["mon", "wed", "sun"]), st.lists(spans, max_size=1)),
    closed=st.lists(st.dates().map(lambda d: d.isoformat()), max_size=3),
    seating=st.one_of(
        st.integers(1, 600), st.dictionaries(st.integers(1, 20), st.integers(1, 600), min_size=1)
    ),
    covers=st.one_of(st.none(), st.integers(1, 500)),
)
def test_writing_and_reading_a_venue_gives_the_same_venue(
    hours: Any, closed: Any, seating: Any, covers: Any
) -> None:
    venue: Venue = parse_venue(
        document(
            hours=hours,
            closed=closed,
            seating_minutes=seating,
            covers_per_slot=covers,
            covers_at_once=covers,
        )
    )
    assert parse_venue(json.loads(json.dumps(to_document(venue)))) == venue
    assert hash(parse_venue(to_document(venue))) == hash(venue)


def test_a_venue_without_a_limit_for_cancelling_is_written_as_before_there_was_one() -> None:
    assert "cancel_cutoff_minutes" not in to_document(parse_venue(document()))["policies"]
    limited = parse_venue(document(policies={"cancel_cutoff_minutes": 120}))
    assert to_document(limited)["policies"]["cancel_cutoff_minutes"] == 120
    assert parse_venue(to_document(limited)) == limited
