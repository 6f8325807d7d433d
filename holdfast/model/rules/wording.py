"""How the rules write days, moments and lengths in their messages."""

from __future__ import annotations

import datetime

from holdfast.model import calendar
from holdfast.model.venue import Bound, Venue, clock_text


def day_text(day: datetime.date) -> str:
    return f"{day:%A} {day}"


def moment_text(venue: Venue, epoch_s: int) -> str:
    """A day with the time on the venue's wall."""
    day = calendar.local_date(venue, epoch_s)
    return f"{day_text(day)} {calendar.local_clock(venue, epoch_s)}"


def period_text(first: Bound, last: Bound) -> str:
    """A period of the venue file; a last day is in it (`to`), a last time is not (`until`)."""
    until = "until" if last.minutes is not None else "to"
    return f"from {_bound_text(first)} {until} {_bound_text(last)}"


def _bound_text(bound: Bound) -> str:
    at = "" if bound.minutes is None else f" {clock_text(bound.minutes)}"
    return f"{day_text(bound.day)}{at}"


def length_text(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{rest} min"] if rest or not parts else parts)


def times_text(number: int) -> str:
    return "once" if number == 1 else "twice" if number == 2 else f"{number} times"
