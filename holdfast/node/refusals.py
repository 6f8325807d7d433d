"""What the rules refuse at this replica, counted: which rule, when, by which channel, never whom.

Owns the counting and the sums. A refusal is counted after the transaction in which it came up, so
that it stands although that one left nothing; what succeeds writes nothing here. Counting never
fails an answer.
"""

from __future__ import annotations

import datetime
import logging
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import calendar, rules
from holdfast.model.limits import VIOLATIONS_KEPT_DAYS
from holdfast.model.vocabulary import WEEKDAYS
from holdfast.node.logs import exception_text
from holdfast.store.violations import Pattern

if TYPE_CHECKING:
    from holdfast.node.service import Service

log = logging.getLogger("holdfast.rules")

FIRST_DAY: Final = "0000-00-00"
AFTER_ALL_DAYS: Final = "9999-99-99"


class Refusals:
    """The refusals of one replica."""

    def __init__(self, replica: Service) -> None:
        self._r = replica
        self._waiting: list[Pattern] = []

    def note(self, question: rules.Question, broken: Iterable[str]) -> None:
        """Count that rules have refused a proposal; a rule that speaks twice is counted once."""
        venue, wanted = question.venue, question.proposal
        start = calendar.service_date(venue, wanted.starts_at)
        self._waiting += [
            Pattern(
                self._r.book_of(venue.id),
                calendar.service_date(venue, question.now_s).isoformat(),
                rule,
                wanted.kind,
                wanted.source,
                start.weekday(),
                int(calendar.local_clock(venue, wanted.starts_at)[:2]),
            )
            for rule in dict.fromkeys(broken)
        ]
        if not self._r.in_transaction:
            self.write()

    def write(self) -> None:
        """Write what was noted in a transaction that is over."""
        if not self._waiting:
            return
        patterns, self._waiting = self._waiting, []
        try:
            with self._r.transaction(durable=False):
                self._r.store.violations.add(patterns)
        except Exception as error:  # whoever was refused is told so, whatever the disk says
            log.warning("%s refusals were not counted\n%s", len(patterns), exception_text(error))

    def sweep(self) -> None:
        """Forget what is older than it is kept; call in a transaction."""
        now_s = self._r.clock.now_ms() / 1000
        today = datetime.datetime.fromtimestamp(now_s, datetime.UTC).date()
        kept = today - datetime.timedelta(days=VIOLATIONS_KEPT_DAYS)
        self._r.store.violations.sweep(kept.isoformat())

    def report(
        self, venue: str, first: str | None = None, before: str | None = None
    ) -> list[dict[str, Any]]:
        """How often each rule refused something at a venue, the most frequent first, by kind,
        channel, weekday and hour: of the days from `first` on and before `before`."""
        with self._r.lock:
            rows = self._r.store.violations.between(
                self._r.book_of(venue), first or FIRST_DAY, before or AFTER_ALL_DAYS
            )
        found: dict[str, dict[str, Any]] = {}
        for pattern, number in rows:
            shown = found.setdefault(pattern.rule, _nothing(venue, pattern))
            shown["count"] += number
            shown["last_day"] = pattern.day
            shown["kinds"][pattern.kind] += number
            shown["sources"][pattern.source] += number
            shown["weekdays"][WEEKDAYS[pattern.weekday]] += number
            shown["hours"][f"{pattern.hour:02}"] += number
        return sorted(found.values(), key=lambda shown: (-shown["count"], shown["rule"]))


def _nothing(venue: str, pattern: Pattern) -> dict[str, Any]:
    """A rule's row before anything is added up."""
    empty: dict[str, Counter[str]] = {
        name: Counter() for name in ("kinds", "sources", "weekdays", "hours")
    }
    days = {"first_day": pattern.day, "last_day": pattern.day}
    return {"venue": venue, "rule": pattern.rule, "count": 0, **days, **empty}
