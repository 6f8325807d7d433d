"""Who did not come, week by week, and who did not come again and again (FEATURES, R-24).

Owns what is counted. Weeks are those of the calendar, from Monday on, by service date. A guest is
told as a pseudonym and nothing else. Functions of reservations and dates: no clock is asked.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from holdfast.model import lifecycle
from holdfast.model.figures import HOUSE, SEATED, rate
from holdfast.model.forms import form_now
from holdfast.model.reservation import View

REPEATED_LEAST: Final = 2
"""No-shows within the dates, from which on a guest is told."""
_WEEK: Final = datetime.timedelta(days=7)
_DAY: Final = datetime.timedelta(days=1)


class _Week:
    """What is counted of the part of a week that lies within the dates."""

    def __init__(self, first: datetime.date, last: datetime.date) -> None:
        self.first, self.last = first, last
        self.counts: Counter[str] = Counter()

    def add(self, view: View) -> None:
        self.counts["due"] += 1
        if view.status == lifecycle.NO_SHOW:
            self.counts["parties"] += 1
            self.counts["covers"] += view.party_size

    def document(self) -> dict[str, Any]:
        year, number, _ = self.first.isocalendar()
        return {
            "week": f"{year}-W{number:02d}",
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            **_counted(self.counts),
        }


def compute(
    first: datetime.date,
    last: datetime.date,
    views: Iterable[View],
    person_of: Callable[[str], str],
    repeated_max: int,
) -> dict[str, Any]:
    """The figures of the service dates from first to last, a line for each week of them, and the
    guests who did not come REPEATED_LEAST times or more, most first, `repeated_max` at most.

    `views` may have others too. `person_of` names one agent id for all of a person.
    """
    weeks = _weeks(first, last)
    whole: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    came: Counter[str] = Counter()
    latest: dict[str, str] = {}
    for view in views:
        week = _week_of(weeks, view)
        if week is None:
            continue
        week.add(view)
        person = person_of(view.agent_id)
        if view.status == lifecycle.NO_SHOW:
            missed[person] += 1
            latest[person] = max(latest.get(person, ""), view.service_date)
        else:
            came[person] += 1
    for week in weeks:
        whole.update(week.counts)
    repeated = [person for person, many in missed.items() if many >= REPEATED_LEAST]
    repeated.sort(key=lambda one: (-missed[one], [-ord(c) for c in latest[one]], one))
    return {
        **_counted(whole),
        "weeks": [week.document() for week in weeks],
        "repeated_guests": len(repeated),
        "repeated": [
            {
                "agent_id": person,
                "no_shows": missed[person],
                "came": came[person],
                "last": latest[person],
            }
            for person in repeated[:repeated_max]
        ],
    }


def _weeks(first: datetime.date, last: datetime.date) -> list[_Week]:
    weeks = []
    begins = first
    while begins <= last:
        monday = begins - begins.weekday() * _DAY
        weeks.append(_Week(begins, min(last, monday + _WEEK - _DAY)))
        begins = monday + _WEEK
    return weeks


def _week_of(weeks: list[_Week], view: View) -> _Week | None:
    """The week in which a guest was due who came or did not; None: it counts in none."""
    if view.status not in SEATED and view.status != lifecycle.NO_SHOW:
        return None
    if view.kind == HOUSE or form_now(view):
        return None
    day = view.service_date
    return next(
        (one for one in weeks if one.first.isoformat() <= day <= one.last.isoformat()), None
    )


def _counted(counts: Counter[str]) -> dict[str, Any]:
    return {
        "due": counts["due"],
        "parties": counts["parties"],
        "covers": counts["covers"],
        "rate": rate(counts["parties"], counts["due"]),
    }
