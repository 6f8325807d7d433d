"""From when on somebody has not shown up, and who is to be marked."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.model import no_shows
from holdfast.model.errors import Invalid
from holdfast.model.reservation import View
from holdfast.model.venue import Venue, parse_venue, to_document
from holdfast.model.wall import format_time, local_to_epoch

DAY = 86_400


def venue(time_zone: str = "Europe/Rome", **policies: Any) -> Venue:
    return parse_venue(
        {
            "venue": "v", "name": "V", "kind": "centre", "time_zone": time_zone,
            "policies": {"mark_no_shows": True} | policies,
            "resources": [{"id": "T1", "kind": "table"}],
        }
    )  # fmt: skip


def reserved(at: Venue, start: str, **fields: Any) -> View:
    begin = local_to_epoch(at, start)
    shape = {"status": "confirmed", "kind": "guest", "starts_at": begin} | fields
    view = View(id=b"1" * 16)
    for name, value in shape.items():
        setattr(view, name, value)
    return view


def due(at: Venue, start: str, **fields: Any) -> str:
    return format_time(at, no_shows.due_at(at, reserved(at, start, **fields)))[:16]


def test_a_seating_is_due_after_the_grace_of_its_venue():
    assert due(venue(), "2027-06-03T19:30") == "2027-06-03T19:45"
    assert due(venue(no_show_grace_minutes=0), "2027-06-03T19:30") == "2027-06-03T19:30"
    assert due(venue(no_show_grace_minutes=45), "2027-06-03T19:30") == "2027-06-03T20:15"


def test_a_stay_is_due_at_the_later_of_twelve_hours_and_the_next_noon():
    assert due(venue(), "2027-06-03T15:00", nights=2) == "2027-06-04T12:00"
    assert due(venue(), "2027-06-03T23:30", nights=1) == "2027-06-04T12:00"
    assert due(venue(no_show_grace_minutes=5), "2027-06-03T15:00", nights=1) == "2027-06-04T12:00"
    # In the night of the change to summer time the clock jumps from 02:00 to 03:00.
    assert due(venue(), "2027-03-27T15:00", nights=1) == "2027-03-28T12:00"


def planned(at: Venue, view: View, later_s: int, **more: Any) -> list[View]:
    arguments: dict[str, Any] = {"mine": lambda _: True, "heard_s": lambda: None} | more
    return no_shows.plan(at, [view], view.starts_at + later_s, **arguments)


def test_nobody_is_marked_before_the_time_nor_a_week_after_it():
    at = venue()
    view = reserved(at, "2027-06-03T19:30")
    assert planned(at, view, 15 * 60 - 1) == []
    assert planned(at, view, 15 * 60) == [view]
    assert planned(at, view, 15 * 60 + 7 * DAY) == [view]
    assert planned(at, view, 15 * 60 + 7 * DAY + 1) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "checked_in"}, {"status": "cancelled"}, {"status": "commit_pending"},
        {"kind": "walk_in"}, {"kind": "house"}, {"no_show_at_ms": 1},
        {"pending_change": {"starts_at": 1}},
    ],
)  # fmt: skip
def test_only_a_guest_who_is_expected_is_marked_and_only_once(fields: dict[str, Any]):
    at = venue()
    assert planned(at, reserved(at, "2027-06-03T19:30", **fields), 3600) == []


def test_only_where_the_venue_asks_for_it_and_only_by_one_replica():
    silent = venue(mark_no_shows=False)
    assert planned(silent, reserved(silent, "2027-06-03T19:30"), 3600) == []
    at = venue()
    view = reserved(at, "2027-06-03T19:30")
    assert planned(at, view, 3600, mine=lambda _: False) == []


def test_a_device_that_may_have_checked_them_in_is_waited_for_one_day():
    at = venue()
    view = reserved(at, "2027-06-03T19:30")
    before, after = view.starts_at, view.starts_at + 16 * 60
    assert planned(at, view, 3600, heard_s=lambda: before) == []
    assert planned(at, view, 3600, heard_s=lambda: after) == [view]
    assert planned(at, view, 15 * 60 + DAY - 1, heard_s=lambda: before) == []
    assert planned(at, view, 15 * 60 + DAY, heard_s=lambda: before) == [view]


def test_what_the_venue_file_says_is_checked_and_written_only_where_it_says_something():
    assert to_document(venue(no_show_grace_minutes=5))["policies"]["no_show_grace_minutes"] == 5
    assert to_document(venue())["policies"]["mark_no_shows"] is True
    assert "mark_no_shows" not in to_document(venue(mark_no_shows=False))["policies"]
    with pytest.raises(Invalid, match="does nothing without mark_no_shows"):
        venue(mark_no_shows=False, no_show_grace_minutes=5)
    with pytest.raises(Invalid, match="must be true or false"):
        venue(mark_no_shows=1)
