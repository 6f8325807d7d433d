"""Where to look for something that can be had, when what was asked for is refused or full.

Owns the order of looking alone: which days, and for how long, and which of what is found there is
told. What is free there, and whether it breaks no rule, is asked of each start in turn by who knows
what is occupied (`node.offering`).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Final, NamedTuple

from holdfast.model import calendar, wall
from holdfast.model.rules.question import Question
from holdfast.model.rules.sizes import allowed_minutes
from holdfast.model.rules.times import last_day
from holdfast.model.venue import Venue

DAYS_AROUND: Final = 31
"""How many days before and after are looked at: a house that closes for a month is the longest."""

NEARBY_DAYS: Final = 7
"""How many days before and after are looked at where a day is full: whoever wants a Saturday may
have the next one. Each costs the time of an answer about availability, so a refusal has a bound."""

Distance = tuple[int, int]
"""How far a start is from the one that was asked for: in days, and then in seconds by the clock on
the wall, which on another day counts from the same time there."""


class Search(NamedTuple):
    """Service dates in the order of looking, those at one distance together, and the length to look
    for: minutes, or nights."""

    days: tuple[tuple[datetime.date, ...], ...]
    minutes: int | None
    nights: int | None


def search(question: Question) -> Search:
    """Where to look for an alternative to a proposal: from its own day outwards, as far as the
    rules about days let it, for the nearest length that the venue allows."""
    venue, nights = question.venue, question.proposal.nights
    minutes = None if nights is not None else allowed_minutes(question)
    if nights is not None and venue.stays is not None:
        nights = max(1, min(nights, venue.stays.max_nights))
    last = last_day(question)
    wanted = _day_of(question)
    if last is not None:
        # Too far ahead is what was refused: the nearest day that is not.
        wanted = min(wanted, last)
    return Search(_days(question, wanted, last, DAYS_AROUND), minutes, nights)


def nearby(question: Question) -> Search:
    """Where to look for an alternative to what the rules allow and is full: for the same length,
    from its own day outwards, a few days at the most."""
    proposal = question.proposal
    minutes = None if proposal.nights is not None else proposal.length_s // 60
    days = _days(question, _day_of(question), last_day(question), NEARBY_DAYS)
    return Search(days, minutes, proposal.nights)


def _day_of(question: Question) -> datetime.date:
    """The day that was asked for; today, where that is past."""
    today = calendar.service_date(question.venue, question.now_s)
    return max(today, calendar.service_date(question.venue, question.proposal.starts_at))


def _days(
    question: Question, wanted: datetime.date, last: datetime.date | None, around_days: int
) -> tuple[tuple[datetime.date, ...], ...]:
    today = calendar.service_date(question.venue, question.now_s)
    found: list[tuple[datetime.date, ...]] = []
    for days_away in range(around_days + 1):
        away = datetime.timedelta(days=days_away)
        around = dict.fromkeys((wanted - away, wanted + away))
        found.append(tuple(day for day in around if today <= day and (last is None or day <= last)))
    return tuple(days for days in found if days)


def distance(venue: Venue, day: datetime.date, start: int, wanted: int) -> Distance:
    """How far a start of a service date is from the one that was asked for."""
    days = (day - calendar.service_date(venue, wanted)).days
    there, here = (at + wall.utc_offset(venue, at) for at in (start, wanted))
    return abs(days), abs(there - here - days * wall.DAY_SECONDS)


def chosen(distances: Mapping[int, Distance], wanted: int, count: int) -> list[int]:
    """So many of the starts that can be had, in order of time: the nearest before and the nearest
    after, and then the next nearest."""
    near = sorted(distances, key=lambda start: (distances[start], start))
    sides = [
        next((start for start in near if start <= wanted), None),
        next((start for start in near if start > wanted), None),
    ]
    first = [start for start in sides if start is not None]
    others = [start for start in near if start not in first]
    return sorted([*first, *others][:count])
