"""A calendar file is read event by event: what each says, and line by line what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.model.calendar_file import is_calendar, read_events
from holdfast.model.errors import Invalid
from holdfast.model.mapping import ImportRecord, RowProblem, read_mapping, read_records
from holdfast.model.mapping_file import CALENDAR_COLUMNS


def calendar(*lines: str, before: tuple[str, ...] = ()) -> list[str]:
    """One event with a UID and a start, and these lines; its BEGIN is line 3 without `before`."""
    own = [line.partition(":")[0].partition(";")[0].upper() for line in lines]
    given = [
        line for line in ("UID:1@old.example", "DTSTART:20270603T173000Z")
        if line.partition(":")[0] not in own
    ]  # fmt: skip
    event = ["BEGIN:VEVENT", *given, *lines, "END:VEVENT"]
    return ["BEGIN:VCALENDAR", "VERSION:2.0", *before, *event, "END:VCALENDAR"]


def row(*lines: str, before: tuple[str, ...] = ()) -> dict[str, Any]:
    ((_, found),) = [one for one in read_events(calendar(*lines, before=before))
                     if not isinstance(one, RowProblem)]  # fmt: skip
    return dict(found)


def problem(*lines: str) -> RowProblem:
    (found,) = read_events(calendar(*lines))
    assert isinstance(found, RowProblem)
    return found


def records(lines: list[str], **mapping: Any) -> list[ImportRecord | RowProblem]:
    read = read_mapping({"venue": "trattoria", **mapping}, calendar=True)
    rows = [one for one in read_events(lines) if not isinstance(one, RowProblem)]
    return list(read_records(read, rows))


def record(*lines: str, **mapping: Any) -> ImportRecord:
    (found,) = records(calendar(*lines), **mapping)
    assert isinstance(found, ImportRecord)
    return found


def test_an_event_has_the_columns_that_a_mapping_may_name():
    assert set(row()) == set(CALENDAR_COLUMNS)


@pytest.mark.parametrize(
    ("line", "starts_at"),
    [
        ("DTSTART:20270603T173000Z", "2027-06-03T17:30:00+00:00"),
        ("DTSTART;TZID=Europe/Rome:20270603T193000", "2027-06-03T19:30:00+02:00"),
        ("DTSTART;TZID=W. Europe Standard Time:20270603T193000", "2027-06-03T19:30:00+02:00"),
        ("DTSTART;TZID=/vendor.example/Europe/Rome:20270603T193000", "2027-06-03T19:30:00+02:00"),
        ("DTSTART:20270603T193000", "2027-06-03T19:30:00"),
        ("DTSTART;VALUE=DATE:20270603", "2027-06-03"),
        ("dtstart:20270603T173000Z", "2027-06-03T17:30:00+00:00"),
    ],
)
def test_a_time_is_of_its_zone_or_the_venues(line: str, starts_at: str):
    assert row(line)["starts_at"] == starts_at


def test_a_zone_that_the_file_defines_is_known_wherever_it_stands():
    zone = ("BEGIN:VTIMEZONE", "TZID:The Old Server", "BEGIN:STANDARD", "DTSTART:19700101T000000",
            "TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE")  # fmt: skip
    start = "DTSTART;TZID=The Old Server:20270603T193000"
    lines = calendar(start)
    for text in (calendar(start, before=zone), [*lines[:-1], *zone, lines[-1]]):
        ((_, found),) = read_events(text)  # type: ignore[misc]
        assert found["starts_at"] == "2027-06-03T19:30:00+03:00"


@pytest.mark.parametrize(
    ("lines", "nights", "ends_at"),
    [
        (["DTEND:20270603T190000Z"], "", "2027-06-03T19:00:00+00:00"),
        (["DURATION:PT90M"], "", "2027-06-03T19:00:00+00:00"),
        ([], "", ""),
        (["DTSTART;VALUE=DATE:20270603", "DTEND;VALUE=DATE:20270606"], "3", ""),
        (["DTSTART;VALUE=DATE:20270603", "DURATION:P2D"], "2", ""),
        (["DTSTART;VALUE=DATE:20270603"], "1", ""),
    ],
)
def test_an_event_says_how_long_it_is(lines: list[str], nights: str, ends_at: str):
    found = row(*lines)
    assert (found["nights"], found["ends_at"]) == (nights, ends_at)


@pytest.mark.parametrize(
    ("lines", "rule", "line", "said"),
    [
        (["UID:"], "no_uid", 3, "no UID"),
        (["DTSTART:20271303T173000Z"], "date", 5, "DTSTART"),
        (["DTSTART:"], "date", 5, "DTSTART"),
        (["DTSTART;TZID=Middle-earth/Shire:20270603T193000"], "zone", 5, "Middle-earth"),
        (["DTEND:soon"], "date", 6, "DTEND"),
        (["DTEND;VALUE=DATE:20270604"], "date", 6, "ends with a time, or the other way"),
        (["DURATION:ninety"], "date", 6, "DURATION"),
        (["SEQUENCE:two"], "number", 6, "SEQUENCE"),
        (["SEQUENCE:-1"], "number", 6, "SEQUENCE"),
        (["SUMMARY:A regular", "RRULE:FREQ=WEEKLY"], "repeats", 7, "1@old.example repeats"),
        (["RDATE:20270604T173000Z"], "repeats", 6, "RDATE"),
        (["SUMMARY:\udcff"], "encoding", 3, "UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_single_reservation_is_told_with_its_line(
    lines: list[str], rule: str, line: int, said: str
):
    found = problem(*lines)
    assert (found.rule, found.line, found.left_out) == (rule, line, True)
    assert said in found.message


def test_one_event_at_fault_keeps_no_other_out():
    broken = ["BEGIN:VEVENT", "UID:2", "DTSTART:never", "END:VEVENT"]
    cut = ["BEGIN:VEVENT", "UID:3", "DTSTART:20270603T173000Z"]
    fine = calendar()
    found = list(read_events([*fine[:-1], *broken, *cut, *fine[2:]]))
    assert [one.line if isinstance(one, RowProblem) else one[0] for one in found] == [3, 9, 11, 14]
    assert [isinstance(one, RowProblem) for one in found] == [False, True, True, False]


def test_a_line_of_an_event_that_nobody_needs_is_told_and_the_event_comes_in():
    found = list(read_events(calendar("a line that a text was broken into")))
    assert [isinstance(one, RowProblem) for one in found] == [True, False]
    assert isinstance(found[0], RowProblem)
    assert (found[0].rule, found[0].left_out) == ("property", False)


def test_a_reminder_inside_an_event_says_nothing_of_the_reservation():
    alarm = ["BEGIN:VALARM", "TRIGGER:-PT15M", "ACTION:DISPLAY", "DESCRIPTION:Soon", "END:VALARM"]
    assert row("DESCRIPTION:By the window", *alarm)["description"] == "By the window"


def test_the_guest_is_the_first_who_is_to_come_or_what_the_event_is_called():
    person = 'ATTENDEE;CN="Ricci, Anna":MAILTO:anna@example.org'
    found = record("SUMMARY:Table for 4", person)
    assert dict(found.guest) == {"name": "Ricci, Anna", "email": "anna@example.org"}
    assert dict(record("SUMMARY:Rossi\\, the usual").guest) == {"name": "Rossi, the usual"}
    assert dict(record("SUMMARY:x", "ATTENDEE;CN=Anna:invalid:nomail").guest) == {"name": "Anna"}


@pytest.mark.parametrize(
    ("summary", "party"),
    [
        ("Rossi, 4 guests", 4),
        ("Dinner (12 pax)", 12),
        ("Party of 3", 3),
        ("Guests: 5", 5),
        ("Table for 2 at 8", 2),
    ],
)
def test_a_party_is_found_in_what_people_write(summary: str, party: int):
    found = record(f"SUMMARY:{summary}")
    assert (found.party_size, found.notes) == (party, ())


def test_a_party_that_is_not_said_is_two_and_told():
    found = record("SUMMARY:Reserved")
    assert found.party_size == 2
    assert [(note.rule, note.left_out) for note in found.notes] == [("party_assumed", False)]


def test_a_mapping_says_where_the_party_and_the_place_stand():
    mapping = {
        "find": [{"column": "party", "in": ["description"], "pattern": r"Personen (\d+)"}],
        "resource": {"column": "location", "values": {"Fenster": "T1"}},
        "guest": {"requests": "description"},
    }
    found = record("DESCRIPTION:Personen 6", "LOCATION:Fenster", **mapping)
    assert (found.party_size, found.resource) == (6, "T1")
    assert dict(found.guest) == {"requests": "Personen 6"}
    (odd,) = records(calendar("DESCRIPTION:sechs", "LOCATION:Fenster"), **mapping)
    assert isinstance(odd, RowProblem)
    assert odd.rule == "not_found"


def test_what_is_no_reservation_is_passed_over_where_the_mapping_says_so():
    mapping = {
        "find": [{"column": "what", "in": ["summary"], "pattern": "(Reserved)", "default": "no"}],
        "where": {"what": "Reserved"},
        "party": {"columns": ["party"]},
    }
    mapping["find"].append(  # type: ignore[attr-defined]
        {"column": "party", "in": ["description"], "pattern": r"(\d)", "default": "2"}
    )
    assert records(calendar("SUMMARY:CLOSED - Not available"), **mapping) == []
    assert len(records(calendar("SUMMARY:Reserved"), **mapping)) == 1


def test_an_event_is_the_same_by_its_uid_and_which_time_of_it():
    first = record("SUMMARY:x")
    again = record("SUMMARY:y", "SEQUENCE:3", "DTSTART:20270604T173000Z")
    other = record("SUMMARY:x", "RECURRENCE-ID:20270603T173000Z")
    assert first.key == again.key != other.key
    assert (first.sequence, again.sequence) == (0, 3)


@pytest.mark.parametrize(
    ("lines", "before", "status"),
    [
        ([], (), "confirmed"),
        (["STATUS:CONFIRMED"], (), "confirmed"),
        (["STATUS:TENTATIVE"], (), "confirmed"),
        (["STATUS:cancelled"], (), "cancelled"),
        ([], ("METHOD:CANCEL",), "cancelled"),
        # What a guest writes, in a folded line or as if it were a property, calls nothing off.
        (["DESCRIPTION:please", " METHOD:CANCEL"], (), "confirmed"),
        (["METHOD:CANCEL"], (), "confirmed"),
    ],
)
def test_a_calendar_says_what_is_called_off(lines: list[str], before: tuple[str, ...], status: str):
    (found,) = records(calendar(*lines, before=before))
    assert isinstance(found, ImportRecord)
    assert found.status == status


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"column": "party", "in": ["summary"], "pattern": "("}, "no regular expression"),
        ({"column": "party", "in": ["summary"], "pattern": "x"}, "no group"),
        ({"column": "party", "pattern": "(x)"}, "columns to look in"),
        ({"column": "party", "in": ["summary"], "pattern": "(x)", "more": 1}, "not a field"),
    ],
)
def test_a_pattern_that_finds_nothing_is_a_fault_of_the_mapping(found: dict[str, Any], said: str):
    with pytest.raises(Invalid) as caught:
        read_mapping({"venue": "v", "find": [found]}, calendar=True)
    (error,) = caught.value.extra["errors"]
    assert error["field"].startswith("find[0]")
    assert said in error["message"]


def test_a_calendar_is_known_by_its_name_or_by_its_first_line():
    assert is_calendar("Feed.ICS", "")
    assert is_calendar("download", "BEGIN:VCALENDAR\r\n")
    assert not is_calendar("rows.csv", "number,when\n")
