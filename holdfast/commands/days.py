"""A service date as a person says it: `today`, `tomorrow`, `+3`, or the date itself.

Owns these words, for every `--date`, and the question which venue is meant where there is only one.
What the words mean is the venue's to say: its time zone, its service day, and the clock of the
device that is asked. Any other text goes on as it is, to whoever reads dates.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Final

from holdfast.commands.options import only_venue

if TYPE_CHECKING:
    from holdfast.commands.session import Session

DATE_HELP: Final = "A service date: 2026-07-01, today, tomorrow, or +3 for three days on"
_AHEAD: Final = {"today": 0, "tomorrow": 1}
_DAYS: Final = re.compile(r"\+(\d{1,3})")


def date_meant(session: Session, text: str | None, venue: str | None = None) -> str | None:
    """The service date that a word means at a venue (left out: the only one); any other text as it
    is. Raises click.UsageError where a word is said and the venue is not."""
    days = None if text is None else days_ahead(text)
    if days is None:
        return text
    return (_today(session, venue or only_venue(session)) + datetime.timedelta(days)).isoformat()


def days_ahead(text: str) -> int | None:
    """How many days on a word means; None: it is none of these words."""
    word = text.strip().lower()
    counted = _DAYS.fullmatch(word)
    return int(counted[1]) if counted else _AHEAD.get(word)


def _today(session: Session, venue: str) -> datetime.date:
    from holdfast.commands.session import quoted
    from holdfast.model import calendar
    from holdfast.model.venue import parse_venue

    known = parse_venue(session.get(f"/venues/{quoted(venue)}"))
    now = datetime.datetime.fromisoformat(session.get("/clock")["now"])
    return calendar.service_date(known, int(now.timestamp()))
