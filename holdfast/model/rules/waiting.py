"""Whether a party can wait for a place on a day: the rules about who and how far ahead.

What is full, or too soon, is what it waits about; those rules are not asked.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from holdfast.model import calendar
from holdfast.model.rules import online, sizes, times
from holdfast.model.rules.question import NOBODY, Proposal, Question, Violation
from holdfast.model.rules.wording import day_text, moment_text
from holdfast.model.venue import Venue


def waiting_violations(
    venue: Venue, party_size: int, day: datetime.date, now_s: int, *, by_guest: bool = False
) -> list[Violation]:
    """Why a party cannot wait for a place on a service date; empty: it can. `by_guest`: nobody of
    the house is between."""
    return list(_all(venue, party_size, day, now_s, by_guest))


def _all(
    venue: Venue, party_size: int, day: datetime.date, now_s: int, by_guest: bool
) -> Iterator[Violation]:
    first, _ = calendar.service_day(venue, day)
    wanted = Proposal(party_size=party_size, starts_at=first, ends_at=first + 60)
    question = Question(venue, wanted, now_s, NOBODY)
    yield from online.INACTIVE.check(question)
    yield from sizes.PARTY.check(question)
    if day < calendar.service_date(venue, now_s):
        yield Violation("past", f"{day_text(day)} is over; now it is {moment_text(venue, now_s)}.")
    yield from times.ADVANCE.check(question)
    if by_guest:
        yield from online.ONLINE.check(question)
    if calendar.sells_nights(venue):
        yield Violation("nights", f"{venue.name} sells nights, for which there is no waitlist.")
    elif not calendar.slot_starts(venue, day, calendar.default_minutes(venue, party_size)):
        yield Violation("closed", f"{venue.name} has no start time on {day_text(day)}.")
