"""Promises about bringing another system's reservations in."""

from __future__ import annotations

import csv
import io
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.calendar import format_time, local_to_epoch
from holdfast.model.errors import Invalid
from holdfast.model.mapping import (
    ImportMapping,
    ImportRecord,
    PlacedRecord,
    RowProblem,
    missing_columns,
    place,
    read_mapping,
    read_records,
    row_to_record,
)
from holdfast.model.venue import Venue, parse_venue
from holdfast.model.vocabulary import SOURCES

HOTELS = Path(__file__).parents[2] / "examples" / "hotels"
EXCERPT = (HOTELS / "excerpt.csv").read_text(encoding="utf-8")
NAMES = ["hotel-resort", "hotel-city"]


def mapping_of(name: str) -> ImportMapping:
    return read_mapping(tomllib.loads((HOTELS / f"{name}.toml").read_text(encoding="utf-8")))


def venue_of(name: str) -> Venue:
    return parse_venue(yaml.safe_load((HOTELS / f"{name}.yaml").read_text(encoding="utf-8")))


def rows(text: str = EXCERPT) -> list[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text))
    return [(reader.line_num, row) for row in reader]


def records(name: str) -> list[ImportRecord]:
    found = read_records(mapping_of(name), rows())
    return [one for one in found if isinstance(one, ImportRecord)]


def problems(name: str) -> list[RowProblem]:
    return [one for one in read_records(mapping_of(name), rows()) if isinstance(one, RowProblem)]


# --- the hotels ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "went_in", "left_out"),
    [
        ("hotel-resort", 86, {"no_nights": 3, "nobody": 3, "implausible_party": 3}),
        ("hotel-city", 89, {"no_nights": 3, "nobody": 3}),
    ],
)
def test_each_line_goes_in_or_is_reported_with_the_reason(
    name: str, went_in: int, left_out: dict[str, int]
) -> None:
    assert len(records(name)) == went_in
    assert Counter(problem.rule for problem in problems(name)) == left_out
    assert all(problem.left_out and problem.line > 1 for problem in problems(name))


def test_the_two_mappings_share_the_file_out_between_them() -> None:
    lines = [one.line for name in NAMES for one in records(name)]
    lines += [one.line for name in NAMES for one in problems(name)]
    assert sorted(lines) == [line for line, _ in rows()]


@pytest.mark.parametrize("name", NAMES)
def test_every_record_finds_its_place_in_its_venue(name: str) -> None:
    venue = venue_of(name)
    assert venue.id == mapping_of(name).venue
    now = local_to_epoch(venue, "2020-01-01T12:00")
    for record in records(name):
        placed = place(venue, record, now)
        assert isinstance(placed, PlacedRecord), placed
        assert format_time(venue, placed.starts_at)[11:19] == "15:00:00"
        assert format_time(venue, placed.ends_at)[11:19] == "11:00:00"
        assert placed.made_at <= placed.status_at <= now
        assert record.source in SOURCES
        assert record.nights is not None and venue.stays is not None
        assert record.nights <= venue.stays.max_nights


@pytest.mark.parametrize("name", NAMES)
def test_what_really_happened_fits_the_rooms_there_are(name: str) -> None:
    venue = venue_of(name)
    changes: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for record in records(name):
        placed = place(venue, record, local_to_epoch(venue, "2020-01-01T12:00"))
        assert isinstance(placed, PlacedRecord)
        if placed.status != "cancelled":
            changes[record.resource] += [(placed.starts_at, 1), (placed.ends_at, -1)]
    for resource in venue.resources:
        occupied = peak = 0
        for _, change in sorted(changes[resource.id]):
            occupied += change
            peak = max(peak, occupied)
        assert peak <= resource.capacity


def test_a_no_show_before_its_day_of_arrival_goes_in_and_is_reported() -> None:
    noted = [record for record in records("hotel-resort") if record.notes]
    assert [note.rule for record in noted for note in record.notes] == ["status_before_start"]
    assert noted[0].status == "no_show" and not noted[0].notes[0].left_out
    venue = venue_of("hotel-resort")
    placed = place(venue, noted[0], local_to_epoch(venue, "2020-01-01T12:00"))
    assert isinstance(placed, PlacedRecord) and placed.status_at == placed.starts_at


def test_identical_rows_are_different_reservations() -> None:
    for name in NAMES:
        keys = [record.key for record in records(name)]
        assert len(set(keys)) == len(keys)
    assert len({tuple(row.values()) for _, row in rows()}) < len(rows())


@given(seed=st.randoms(use_true_random=False))
def test_the_keys_do_not_depend_on_the_order_of_the_file(seed: Any) -> None:
    """So that the same file, sorted anew and with its columns moved, changes nothing."""
    shuffled = rows()[:60]
    expected = sorted(_keys(shuffled))
    seed.shuffle(shuffled)
    moved = [(line, dict(reversed(row.items()))) for line, row in shuffled]
    assert sorted(_keys(moved)) == expected


def _keys(numbered: list[tuple[int, dict[str, Any]]]) -> list[str]:
    found = read_records(mapping_of("hotel-resort"), numbered)
    return [one.key for one in found if isinstance(one, ImportRecord)]


def test_what_has_not_begun_is_confirmed_and_only_a_cancelled_one_stays_cancelled() -> None:
    venue = venue_of("hotel-resort")
    before = local_to_epoch(venue, "2015-01-01T12:00")
    statuses: Counter[tuple[str, str]] = Counter()
    for record in records("hotel-resort"):
        placed = place(venue, record, before)
        assert isinstance(placed, PlacedRecord)
        statuses[record.status, placed.status] += 1
        assert placed.made_at <= before and placed.status_at <= before
    assert set(statuses) == {
        ("completed", "confirmed"), ("no_show", "confirmed"), ("cancelled", "cancelled"),
    }  # fmt: skip


# --- one row ------------------------------------------------------------------------------------


def hotel_row(**changes: str) -> dict[str, Any]:
    row = next(row for _, row in rows() if row["hotel"] == "Resort Hotel")
    row |= {
        "arrival_date_year": "2016", "arrival_date_month": "February",
        "arrival_date_day_of_month": "27", "stays_in_weekend_nights": "2",
        "stays_in_week_nights": "1", "adults": "2", "children": "1", "babies": "0",
        "assigned_room_type": "C", "lead_time": "30", "reservation_status": "Check-Out",
        "reservation_status_date": "3/1/2016", "market_segment": "Undefined",
        "distribution_channel": "TA/TO",
    }  # fmt: skip
    return row | changes


def test_a_row_is_read_as_a_person_would_read_it() -> None:
    record = row_to_record(mapping_of("hotel-resort"), 7, hotel_row(children="NA"), 0)
    assert isinstance(record, ImportRecord)
    assert (record.line, record.starts_at, record.nights) == (7, "2016-02-27", 3)
    assert (record.party_size, record.resource, record.status) == (2, "ROOM-C", "completed")
    assert (record.made_at, record.status_at) == ("2016-01-28", "2016-03-01")
    assert record.source == "agency"  # the market segment is undefined: the channel says it


@pytest.mark.parametrize(
    ("changes", "rule", "says"),
    [
        ({"stays_in_weekend_nights": "0", "stays_in_week_nights": "0"}, "no_nights", "day use"),
        ({"adults": "0", "children": "NA"}, "nobody", "is 0"),
        ({"adults": "55"}, "implausible_party", "56"),
        ({"adults": "two"}, "number", "adults is 'two'"),
        ({"adults": "-1"}, "number", "no whole number"),
        ({"adults": "²"}, "number", "no whole number"),
        ({"adults": "9" * 30}, "number", "no whole number"),
        ({"arrival_date_day_of_month": "30"}, "date", "2016 February 30"),
        ({"arrival_date_month": "Febbraio"}, "number", "Febbraio"),
        ({"reservation_status_date": "2016-03-01"}, "date", "reservation_status_date"),
        ({"reservation_status": "Lost"}, "code", "'Lost'"),
        ({"assigned_room_type": "Z"}, "resource", "'Z'"),
    ],
)
def test_a_line_that_cannot_be_read_is_reported_with_its_number_and_why(
    changes: dict[str, str], rule: str, says: str
) -> None:
    found = row_to_record(mapping_of("hotel-resort"), 12, hotel_row(**changes), 0)
    assert isinstance(found, RowProblem)
    assert (found.line, found.rule) == (12, rule)
    assert says in found.message


def test_lines_that_are_too_long_or_too_short_are_reported() -> None:
    header, first, *_ = EXCERPT.splitlines()
    found = read_records(
        mapping_of("hotel-resort"), rows("\n".join([header, first + ",extra", "Resort Hotel,0"]))
    )
    assert [(one.line, one.rule) for one in found if isinstance(one, RowProblem)] == [
        (2, "columns"), (3, "columns"),
    ]  # fmt: skip


def test_a_room_that_the_venue_does_not_have_is_reported() -> None:
    record = row_to_record(mapping_of("hotel-resort"), 3, hotel_row(assigned_room_type="P"), 0)
    assert isinstance(record, ImportRecord)
    found = place(venue_of("hotel-resort"), record, 0)
    assert isinstance(found, RowProblem) and found.rule == "resource"


def test_another_hotels_row_is_passed_over() -> None:
    assert row_to_record(mapping_of("hotel-city"), 2, hotel_row(), 0) is None


@given(st.dictionaries(st.sampled_from(sorted(hotel_row())), st.text(max_size=12)))
def test_no_row_whatever_stops_an_import(changes: dict[str, str]) -> None:
    found = row_to_record(mapping_of("hotel-resort"), 2, hotel_row(**changes), 0)
    if isinstance(found, ImportRecord):
        placed = place(venue_of("hotel-resort"), found, 1_600_000_000)
        assert isinstance(placed, PlacedRecord | RowProblem)


# --- another system: a restaurant ---------------------------------------------------------------

RESTAURANT: dict[str, Any] = {
    "name": "old-book",
    "venue": "trattoria",
    "key": ["number"],
    "starts_at": {"column": "start"},
    "length": {"minutes": "minutes"},
    "party": {"columns": ["covers"]},
    "resource": {"column": "table"},
    "status": {"columns": [{"column": "state", "values": {"ok": "confirmed"}}]},
    "kind": {"default": "guest", "columns": [{"column": "state", "values": {"door": "walk_in"}}]},
    "guest": {"name": "guest", "phone": "phone"},
}
OLD_BOOK = """\
number,start,minutes,covers,table,state,guest,phone
17,2026-07-01T19:30,,2,T1,ok,Ada,+39 06 1
18,2026-07-01T21:00:00+02:00,120,4,,ok,,
19,2026-03-29T02:30,,2,T1,ok,,
20,2026-07-01T19:30,0,2,T1,ok,,
21,1 July,,2,T1,ok,,
"""


def test_a_restaurants_book_comes_in_by_iso_time_and_table() -> None:
    trattoria = parse_venue(yaml.safe_load((HOTELS.parent / "trattoria.yaml").read_text()))
    found = list(read_records(read_mapping(RESTAURANT), rows(OLD_BOOK)))
    first, second, skipped, nothing, unreadable = found
    assert isinstance(first, ImportRecord) and isinstance(second, ImportRecord)
    assert first.guest == (("name", "Ada"), ("phone", "+39 06 1"))
    assert (first.resource, second.resource) == ("T1", "")
    assert isinstance(nothing, RowProblem) and nothing.rule == "length"
    assert isinstance(unreadable, RowProblem) and unreadable.rule == "date"
    now = local_to_epoch(trattoria, "2026-06-01T12:00")
    lengths = []
    for record in (first, second):
        placed = place(trattoria, record, now)
        assert isinstance(placed, PlacedRecord) and placed.status == "confirmed"
        lengths.append((placed.ends_at - placed.starts_at) // 60)
    assert lengths == [75, 120]  # the trattoria's own length for two; the row's
    assert isinstance(skipped, ImportRecord)
    refused = place(trattoria, skipped, now)
    assert isinstance(refused, RowProblem) and "does not exist" in refused.message


def test_a_row_with_a_key_is_the_same_reservation_when_its_content_changes() -> None:
    mapping = read_mapping(RESTAURANT)
    row = rows(OLD_BOOK)[0][1]
    keys = set()
    for table in ("T1", "T2"):
        record = row_to_record(mapping, 2, {**row, "table": table}, 0)
        assert isinstance(record, ImportRecord)
        keys.add(record.key)
    assert len(keys) == 1
    assert "17" not in keys


def test_a_date_and_a_time_may_stand_in_two_columns() -> None:
    mapping = read_mapping(
        {
            "name": "book",
            "venue": "corner",
            "starts_at": {"column": "day", "format": "%d.%m.%Y", "time": "hour"},
            "party": {"columns": ["covers"]},
        }
    )
    record = row_to_record(mapping, 2, {"day": "1.7.2026", "hour": "19:30", "covers": "3"}, 0)
    assert isinstance(record, ImportRecord) and record.starts_at == "2026-07-01T19:30"
    late = row_to_record(mapping, 3, {"day": "1.7.2026", "hour": "late", "covers": "3"}, 0)
    assert isinstance(late, RowProblem) and late.rule == "date"


# --- mappings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_columns_that_a_mapping_needs_are_known_before_the_first_row(name: str) -> None:
    header = rows()[0][1].keys()
    assert missing_columns(mapping_of(name), header) == []
    assert missing_columns(mapping_of(name), header - {"adults"}) == ["adults"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"venue": None}, "venue"),
        ({"starts_at": None}, "starts_at"),
        ({"starts_at": {}}, "starts_at.column"),
        ({"starts_at": {"year": "y"}}, "starts_at.year"),
        ({"starts_at": {"column": "d", "format": "%A"}}, "starts_at.format"),
        ({"party": {}}, "party.columns"),
        ({"length": {"minutes": "m", "nights": ["n"]}}, "length.minutes"),
        ({"resource": {"values": {"A": "ROOM-A"}}}, "resource.column"),
        ({"status": {"default": "seated"}}, "status.default"),
        (
            {"source": {"columns": [{"column": "c", "values": {"x": "tv"}}]}},
            "source.columns[0].values.x",
        ),
        ({"guest": {"surname": "s"}}, "guest.surname"),
        ({"stauts": {}}, "stauts"),
    ],
)
def test_a_fault_of_a_mapping_is_named_with_its_path(changes: dict[str, Any], field: str) -> None:
    changed = {**RESTAURANT, **changes}
    with pytest.raises(Invalid) as caught:
        read_mapping({name: value for name, value in changed.items() if value is not None})
    assert [error["field"] for error in caught.value.extra["errors"]] == [field]
