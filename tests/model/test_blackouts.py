"""Promises about the periods in which a venue, or a part of it, takes nobody."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.model.calendar import format_time, local_to_epoch
from holdfast.model.rules import MOVE, OWN, Proposal, Question
from holdfast.model.rules.blackouts import period
from holdfast.model.venue import Venue
from tests.model.asked import restaurant, said

CHRISTMAS = {"from": "2026-12-24", "to": "2026-12-26", "name": "christmas-closing"}
NOW = "2026-12-01T12:00"


def house(*blackouts: dict[str, Any], **changes: Any) -> Venue:
    """Open always, from midnight on, so that nothing but a blackout says no."""
    tables = [{"id": name, "kind": "table", "seats": [1, 4]} for name in ("T1", "T2", "S1")]
    given: dict[str, Any] = {
        "day_starts_at": "00:00",
        "hours": None,
        "policies": {},
        "resources": tables,
    }
    return restaurant(blackouts=list(blackouts), **given | changes)


def shut(at: Venue, start: str, **changes: Any) -> bool:
    found = said(at, start, now=changes.pop("now", NOW), **changes)
    assert set(found) <= {"blackouts"}, found
    return bool(found)


@pytest.mark.parametrize(
    ("start", "minutes", "refused"),
    [
        ("2026-12-23T22:00", 120, False),  # over at midnight
        ("2026-12-23T22:15", 120, True),
        ("2026-12-24T00:00", 60, True),
        ("2026-12-26T23:45", 15, True),
        ("2026-12-27T00:00", 60, False),
    ],
)
def test_whole_days_are_shut_from_their_first_minute_to_their_last(
    start: str, minutes: int, refused: bool
):
    assert shut(house(CHRISTMAS), start, minutes=minutes) == refused


def test_a_day_is_the_venues_own_which_may_begin_in_the_morning():
    at = house(CHRISTMAS, day_starts_at="04:00")
    assert not shut(at, "2026-12-24T02:00", minutes=120)
    assert shut(at, "2026-12-27T03:45", minutes=15)


@pytest.mark.parametrize(
    ("start", "minutes", "refused"),
    [
        ("2026-12-24T16:00", 120, False),
        ("2026-12-24T16:15", 120, True),
        ("2026-12-26T11:45", 60, True),
        ("2026-12-26T12:00", 60, False),
    ],
)
def test_times_are_shut_to_the_minute(start: str, minutes: int, refused: bool):
    times = {"from": "2026-12-24T18:00", "to": "2026-12-26T12:00", "name": "party"}
    assert shut(house(times), start, minutes=minutes) == refused


def test_the_refusal_names_the_period_and_when_it_is():
    message = said(house(CHRISTMAS), "2026-12-25T12:00", now=NOW)["blackouts"]
    for part in ("Corner", "Thursday 2026-12-24 to Saturday 2026-12-26", "christmas-closing"):
        assert part in message
    until = {"from": "2026-12-24", "to": "2026-12-26T12:00", "name": "party"}
    message = said(house(until), "2026-12-25T12:00", now=NOW)["blackouts"]
    assert "until Saturday 2026-12-26 12:00" in message


def test_every_period_that_is_met_is_named():
    at = house(CHRISTMAS, CHRISTMAS | {"name": "painters"}, CHRISTMAS | {"to": "2026-12-24"})
    noon = local_to_epoch(at, "2026-12-25T12:00")
    wanted = Proposal(party_size=2, starts_at=noon, ends_at=noon + 3_600)
    found = OWN.violations(Question(at, wanted, local_to_epoch(at, NOW)))
    assert [one.message.rpartition("(")[2] for one in found] == [
        "christmas-closing).",
        "painters).",
    ]


def test_a_part_of_the_house_is_shut_to_those_who_name_it():
    at = house(CHRISTMAS | {"resources": ["T*"]})
    assert not shut(at, "2026-12-25T12:00")
    assert not shut(at, "2026-12-25T12:00", resources=("S1",))
    assert shut(at, "2026-12-25T12:00", resources=("S1", "T2"))
    message = said(at, "2026-12-25T12:00", now=NOW, resources=("S1", "T2"))["blackouts"]
    assert message.startswith("T2 takes no reservations")


def test_nights_are_shut_from_check_in_to_check_in():
    at = house(CHRISTMAS, kind="lodging", stays={"check_in": "15:00", "check_out": "11:00"})
    assert not shut(at, "2026-12-23", nights=1)  # leaves in the morning of the 24th
    assert shut(at, "2026-12-23", nights=2)
    assert shut(at, "2026-12-26", nights=1)
    assert not shut(at, "2026-12-27", nights=1)


def test_who_is_there_already_may_have_another_table_but_not_stay_longer_into_it():
    at = house(CHRISTMAS)
    start = local_to_epoch(at, "2026-12-25T12:00")
    kept: dict[str, Any] = {"step": MOVE, "present": (start - 900, start + 4_500)}
    assert not shut(at, "2026-12-25T12:00", **kept)
    before = local_to_epoch(at, "2026-12-23T21:00")
    stays: dict[str, Any] = {"step": MOVE, "present": (before, before + 3_600)}
    assert shut(at, "2026-12-23T21:00", minutes=240, **stays)


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        # The clocks go forward at two, and back at three.
        ("2026-03-29", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
    ],
)
def test_a_day_has_as_many_hours_as_it_has(day: str, begins: str, ends: str):
    at = house({"from": day, "to": day, "name": "clocks"})
    found = period(at, at.blackouts[0], nights=False)
    assert tuple(format_time(at, instant) for instant in found) == (begins, ends)
