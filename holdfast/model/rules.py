"""What a venue allows: the rules that are checked where one writes, each written once.

Owns the rules and which of them bind whom. Never capacity: what is free is another question, and
a rule broken by two replicas at once takes nobody's place away (DESIGN §1, "party, covers"). No
merge asks for them: what was done elsewhere was done.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Final

import msgspec

from holdfast.model import calendar
from holdfast.model.limits import NIGHTS_MAX, PARTY_MAX
from holdfast.model.venue import Venue
from holdfast.model.wall import DAY_SECONDS

CANCEL_CUTOFF: Final = "cancel-cutoff"
_EVERYTHING: Final = frozenset(
    {
        "duration",
        "party",
        "nights",
        "past",
        "cutoff",
        "advance",
        "closed",
        "hours",
        "slot",
        "pacing",
        CANCEL_CUTOFF,
    }
)
_PLANNED_AHEAD: Final = frozenset({"past", "cutoff", "advance", "slot", CANCEL_CUTOFF})
RULES_BY_KIND: Final = {
    "guest": _EVERYTHING,
    "walk_in": _EVERYTHING - _PLANNED_AHEAD,
    "house": _EVERYTHING - _PLANNED_AHEAD,
}
"""Who stands at the desk, and the house itself, need not ask ahead, start on the slot or call off
in time."""
OF_THE_START: Final = _PLANNED_AHEAD | {"closed"}
"""Rules about when something starts: a change that leaves the start alone breaks none of them."""
RULES_OF_IMPORTS: Final = frozenset({"duration"})
"""History happened, whatever the rules of today."""


class Proposal(msgspec.Struct, frozen=True):
    """What somebody wants to write. Instants are epoch seconds; `nights` None: not a stay."""

    party_size: int
    starts_at: int
    ends_at: int
    kind: str = "guest"
    nights: int | None = None
    imported: bool = False


class Violation(msgspec.Struct, frozen=True):
    """One rule that says no: its code, and a sentence for a tired host."""

    rule: str
    message: str


def violations(
    venue: Venue, proposal: Proposal, now_s: int, pacing: int = 0
) -> list[dict[str, str]]:
    """Every rule that the proposal breaks, as `[{rule, message}]`; empty: allowed.

    `pacing` is the number of covers that already start in the proposal's slot
    (`calendar.slot_of`), the proposal's own not included.
    """
    binding = RULES_OF_IMPORTS if proposal.imported else RULES_BY_KIND[proposal.kind]
    return [
        {"rule": found.rule, "message": found.message}
        for found in _all(venue, proposal, now_s, pacing)
        if found.rule in binding
    ]


def cancel_violations(venue: Venue, kind: str, starts_at: int, now_s: int) -> list[dict[str, str]]:
    """The rule against calling off too late, as `[{rule, message}]`; empty: it may be called off.

    `kind` is the reservation's, `starts_at` its start in epoch seconds. The span is one of elapsed
    time: on the night of a clock change the last moment is an hour off by the wall clock.
    """
    cutoff = venue.policies.cancel_cutoff_minutes
    if cutoff is None or CANCEL_CUTOFF not in RULES_BY_KIND[kind]:
        return []
    last = starts_at - cutoff * 60
    if now_s <= last:
        return []
    before = f"up to {_length_text(cutoff)} before the start" if cutoff else "up to the start"
    message = (
        f"It begins on {_moment(venue, starts_at)} and could be cancelled {before}, until "
        f"{_moment(venue, last)}. After that a supervisor or an admin may."
    )
    return [{"rule": CANCEL_CUTOFF, "message": message}]


def waiting_violations(
    venue: Venue, party_size: int, day: datetime.date, now_s: int
) -> list[dict[str, str]]:
    """Why a party cannot wait for a place on a service date, as `[{rule, message}]`; empty: it
    can. What is full or too soon now is what it waits about."""
    return [
        {"rule": found.rule, "message": found.message}
        for found in _waiting(venue, party_size, day, now_s)
    ]


def _waiting(venue: Venue, party_size: int, day: datetime.date, now_s: int) -> Iterator[Violation]:
    yield from _party(venue, party_size)
    today = calendar.service_date(venue, now_s)
    if day < today:
        yield Violation("past", f"{_day(day)} is over; now it is {_moment(venue, now_s)}.")
    yield from _advance(venue, day, today)
    if calendar.sells_nights(venue):
        yield Violation("nights", f"{venue.name} sells nights, for which there is no waitlist.")
    elif not calendar.slot_starts(venue, day, calendar.default_minutes(venue, party_size)):
        yield Violation("closed", f"{venue.name} has no start time on {_day(day)}.")


def _all(venue: Venue, proposal: Proposal, now_s: int, pacing: int) -> Iterator[Violation]:
    yield from _length(venue, proposal)
    yield from _party(venue, proposal.party_size)
    yield from _notice(venue, proposal, now_s)
    if proposal.nights is None:
        yield from _seating(venue, proposal)
        yield from _pacing(venue, proposal, pacing)
    elif calendar.local_date(venue, proposal.starts_at) in venue.closed:
        day = calendar.local_date(venue, proposal.starts_at)
        yield Violation("closed", f"Nobody can arrive on {_day(day)}: {venue.name} is closed.")


def _length(venue: Venue, proposal: Proposal) -> Iterator[Violation]:
    length = proposal.ends_at - proposal.starts_at
    if length <= 0:
        yield Violation("duration", "The end must be after the start.")
    elif length > NIGHTS_MAX * DAY_SECONDS:
        yield Violation("duration", f"Nothing can be reserved for more than {NIGHTS_MAX} days.")
    if proposal.nights is None:
        return
    if venue.stays is None:
        yield Violation("nights", f"{venue.name} has no overnight stays.")
    elif not 1 <= proposal.nights <= venue.stays.max_nights:
        yield Violation(
            "nights",
            f"A stay has 1 to {venue.stays.max_nights} nights here, not {proposal.nights}.",
        )


def _party(venue: Venue, party_size: int) -> Iterator[Violation]:
    policies = venue.policies
    largest = PARTY_MAX if policies.max_party is None else policies.max_party
    if party_size < policies.min_party:
        yield Violation(
            "party", f"A party of {party_size} is too small: {policies.min_party} at least."
        )
    elif party_size > largest:
        yield Violation("party", f"A party of {party_size} is too large: {largest} at most.")


def _notice(venue: Venue, proposal: Proposal, now_s: int) -> Iterator[Violation]:
    """`past`, or else `cutoff`; and `advance`."""
    today = calendar.service_date(venue, now_s)
    day = calendar.service_date(venue, proposal.starts_at)
    # A room for tonight can be had after check-in has begun; a table at 19:00 cannot at 19:30.
    over = proposal.starts_at < now_s if proposal.nights is None else day < today
    cutoff = venue.policies.cutoff_minutes
    if over:
        yield Violation(
            "past",
            f"{_moment(venue, proposal.starts_at)} is over; now it is {_moment(venue, now_s)}. "
            "A guest who is here already is a walk-in.",
        )
    elif cutoff and proposal.starts_at < now_s + cutoff * 60:
        yield Violation(
            "cutoff",
            f"{_moment(venue, proposal.starts_at)} is too soon: reservations close "
            f"{_length_text(cutoff)} before the start.",
        )
    yield from _advance(venue, day, today)


def _advance(venue: Venue, day: datetime.date, today: datetime.date) -> Iterator[Violation]:
    advance = venue.policies.advance_days
    if advance is not None and (day - today).days > advance:
        last = today + datetime.timedelta(days=advance)
        yield Violation(
            "advance",
            f"{_day(day)} is too far ahead: reservations are taken {advance} days ahead, "
            f"until {_day(last)}.",
        )


def _seating(venue: Venue, proposal: Proposal) -> Iterator[Violation]:
    start, end = proposal.starts_at, proposal.ends_at
    clock = calendar.local_clock(venue, start)
    hours = calendar.describe_hours(venue, start)
    if not calendar.within_hours(venue, start, start + 1):
        yield Violation("hours", f"{venue.name} is not open at {clock}: {hours}.")
    elif end > start and not calendar.within_hours(venue, start, end):
        until = calendar.local_clock(venue, end)
        yield Violation("hours", f"{clock} to {until} does not fit the opening hours: {hours}.")
    elif not calendar.on_grid(venue, start):
        before, after = calendar.slot_of(venue, start)
        yield Violation(
            "slot",
            f"{clock} is between two start times; take {calendar.local_clock(venue, before)} "
            f"or {calendar.local_clock(venue, after)}.",
        )


def _pacing(venue: Venue, proposal: Proposal, already: int) -> Iterator[Violation]:
    limit = venue.covers_per_slot
    if limit is not None and already + proposal.party_size > limit:
        first, last = calendar.slot_of(venue, proposal.starts_at)
        yield Violation(
            "pacing",
            f"From {calendar.local_clock(venue, first)} to {calendar.local_clock(venue, last)} "
            f"{already} covers already start, and {limit} may: "
            f"{proposal.party_size} more are too many.",
        )


def _day(day: datetime.date) -> str:
    return f"{day:%A} {day}"


def _moment(venue: Venue, epoch_s: int) -> str:
    day = calendar.local_date(venue, epoch_s)
    return f"{_day(day)} {calendar.local_clock(venue, epoch_s)}"


def _length_text(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{rest} min"] if rest or not parts else parts)
