"""Rules about who asks: how many one person may have, make and move, and what the house gives them.

Owns what a tier, tags and a person's own bounds come to. Where those stand is the asker's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import astuple

from holdfast.model import calendar
from holdfast.model.rules.question import (
    AHEAD,
    GUESTS,
    MAKE,
    MOVE,
    Made,
    Question,
    Rule,
    Standing,
    Violation,
)
from holdfast.model.rules.wording import times_text
from holdfast.model.venue import PersonLimits, Venue
from holdfast.model.wall import DAY_SECONDS

SELF_SERVICE: Final = frozenset({"website", "app"})
"""Sources at which people reserve by themselves, whoever's token carries it."""
WEEK_SECONDS: Final = 7 * DAY_SECONDS
"""The longest time that `rates` looks back."""


# --- what somebody may ----------------------------------------------------------------------------


def limits_of(venue: Venue, standing: Standing) -> PersonLimits:
    """What a person may at a venue: the most that everybody, their tier or one of their tags has.
    None: no limit. What the house allows one person beside that stands in `restrictions`."""
    policies = venue.policies
    limits = policies.of_everybody
    if not standing.tier and not standing.tags:
        return limits
    rows = [row for tier, row in policies.tiers if tier == standing.tier]
    rows += [row for tag, row in policies.tags if tag in standing.tags]
    for row in rows:
        limits = PersonLimits(*map(_more, astuple(limits), astuple(row)))
    return limits


def _more(has: int | None, given: int | None) -> int | None:
    """Of a row, None says nothing; of what one has, it is without end."""
    return has if has is None or given is None else max(has, given)


# --- the rules ------------------------------------------------------------------------------------


def _concurrent(question: Question) -> Iterator[Violation]:
    """Whoever stands at a screen reads the limit, and not how many another person has."""
    limit = limits_of(question.venue, question.standing).concurrent
    if limit is None or question.standing.ahead < limit:
        return
    message = "None can be made ahead for this guest; please speak to the staff."
    if limit:
        many = f"{limit} reservation{'' if limit == 1 else 's'}"
        message = (
            f"One guest may have {many} ahead at {question.venue.name} at a time: one of them must "
            "be over or cancelled first."
        )
    yield Violation("concurrent", message)


def _reschedules(question: Question) -> Iterator[Violation]:
    proposal, moved = question.proposal, question.standing.reschedules
    limit = limits_of(question.venue, question.standing).max_reschedules
    if limit is None or proposal.present is None or proposal.starts_as_before or moved < limit:
        return
    message = f"It was moved to another time {times_text(moved)}, and may be {times_text(limit)}"
    if not limit:
        message = "A guest may not move it to another time here"
    yield Violation("reschedules", f"{message}; the staff can still move it.")


class _Window(NamedTuple):
    """So many within `seconds`; `here`: of those at this venue."""

    name: str
    seconds: int
    here: bool
    words: str


_WINDOWS: Final = (
    _Window("per_hour", 3_600, False, "within an hour"),
    _Window("per_day", DAY_SECONDS, False, "within 24 hours"),
    _Window("per_venue_day", DAY_SECONDS, True, "within 24 hours here"),
    _Window("per_venue_week", WEEK_SECONDS, True, "within 7 days here"),
)


def _rates(question: Question) -> Iterator[Violation]:
    """A window slides, and is half-open: what was made just so long ago is not in it any more."""
    rates = question.venue.policies.rates
    if rates is None:
        return
    found: list[tuple[int, str]] = []
    for window in _WINDOWS:
        limit: int | None = getattr(rates, window.name)
        among = _in_window(question, window)
        if limit is not None and len(among) >= limit:
            # The next is possible once fewer than the limit are left in the window.
            until = among[len(among) - limit] + window.seconds
            many = f"{limit} reservation{'' if limit == 1 else 's'}"
            found.append((until, f"{many} may be made for one guest {window.words}"))
    if found:
        until = max(until for until, _ in found)
        message = " and ".join(words for _, words in found)
        yield Violation("rates", f"{message}; {_again(question, until)}.", until - question.now_s)


def _in_window(question: Question, window: _Window) -> list[int]:
    """When those were made that a window counts, the oldest first."""

    def counts(made: Made) -> bool:
        here = not window.here or made.venue == question.venue.id
        return here and question.now_s - made.at_s < window.seconds

    return sorted(made.at_s for made in question.standing.made if counts(made))


def _again(question: Question, until: int) -> str:
    venue = question.venue
    clock = calendar.local_clock(venue, until + 59)
    day = calendar.local_date(venue, until + 59)
    on = "" if day == calendar.local_date(venue, question.now_s) else f" on {day:%A} {day}"
    return f"the next one from {clock}{on}"


CONCURRENT: Final = Rule(
    id="concurrent",
    asks="The person has not as many reservations ahead at the venue as one may have: not over, "
    "with an end to come.",
    set_by="`policies.concurrent`, `tiers`, `tags`",
    binds=AHEAD,
    steps=frozenset({MAKE}),
    check=_concurrent,
)
RESCHEDULES: Final = Rule(
    id="reschedules",
    asks="Whoever has the reservation has not moved it to another start too often. What the staff "
    "moved is not counted, and what came to nothing neither.",
    set_by="`policies.max_reschedules`, `tiers`, `tags`",
    binds=GUESTS,
    steps=frozenset({MOVE}),
    by_guest=True,
    check=_reschedules,
)
RATES: Final = Rule(
    id="rates",
    asks="Not too many were made for the person of late, those that were called off included. The "
    "hour and the day count all that is known here, the others those of the venue.",
    set_by="`policies.rates`",
    binds=GUESTS,
    steps=frozenset({MAKE}),
    by_guest=True,
    check=_rates,
)
