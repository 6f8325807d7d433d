"""Rules about when: not in the past, not too soon, not too far ahead, and while it is open."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Final

from holdfast.model import calendar
from holdfast.model.rules.person import limits_of
from holdfast.model.rules.question import AHEAD, CANCEL, RESERVING, Question, Rule, Violation
from holdfast.model.rules.wording import day_text, length_text, moment_text


def _past(question: Question) -> Iterator[Violation]:
    if not _is_over(question):
        return
    venue, starts_at = question.venue, question.proposal.starts_at
    yield Violation(
        "past",
        f"{moment_text(venue, starts_at)} is over; now it is "
        f"{moment_text(venue, question.now_s)}. A guest who is here already is a walk-in.",
    )


def _is_over(question: Question) -> bool:
    """A room for tonight can be had after check-in has begun; a table at 19:00 cannot at 19:30."""
    venue, proposal, now_s = question.venue, question.proposal, question.now_s
    if proposal.nights is None:
        return proposal.starts_at < now_s
    return calendar.service_date(venue, proposal.starts_at) < calendar.service_date(venue, now_s)


def _cutoff(question: Question) -> Iterator[Violation]:
    venue, starts_at = question.venue, question.proposal.starts_at
    minutes = venue.policies.cutoff_minutes
    if minutes and starts_at < question.now_s + minutes * 60 and not _is_over(question):
        yield Violation(
            "cutoff",
            f"{moment_text(venue, starts_at)} is too soon: reservations close "
            f"{length_text(minutes)} before the start.",
        )


def _advance(question: Question) -> Iterator[Violation]:
    last = last_day(question)
    day = calendar.service_date(question.venue, question.proposal.starts_at)
    if last is not None and day > last:
        ahead = (last - calendar.service_date(question.venue, question.now_s)).days
        yield Violation(
            "advance",
            f"{day_text(day)} is too far ahead: reservations are taken {ahead} "
            f"day{'' if ahead == 1 else 's'} ahead, until {day_text(last)}.",
        )


def last_day(question: Question) -> datetime.date | None:
    """The last service date that `advance` lets this person reserve; None: no limit."""
    days = limits_of(question.venue, question.standing).advance_days
    if days is None:
        return None
    return calendar.service_date(question.venue, question.now_s) + datetime.timedelta(days=days)


def _closed(question: Question) -> Iterator[Violation]:
    venue, proposal = question.venue, question.proposal
    if proposal.nights is None:
        return
    day = calendar.local_date(venue, proposal.starts_at)
    if day in venue.closed:
        yield Violation("closed", f"Nobody can arrive on {day_text(day)}: {venue.name} is closed.")


def _hours(question: Question) -> Iterator[Violation]:
    venue, proposal = question.venue, question.proposal
    start, end = proposal.starts_at, proposal.ends_at
    if proposal.nights is not None or calendar.within_hours(venue, start, max(end, start + 1)):
        return
    clock, hours = calendar.local_clock(venue, start), calendar.describe_hours(venue, start)
    if calendar.within_hours(venue, start, start + 1):
        until = calendar.local_clock(venue, end)
        yield Violation("hours", f"{clock} to {until} does not fit the opening hours: {hours}.")
    else:
        yield Violation("hours", f"{venue.name} is not open at {clock}: {hours}.")


def _slot(question: Question) -> Iterator[Violation]:
    venue, proposal = question.venue, question.proposal
    start = proposal.starts_at
    if proposal.nights is not None or calendar.on_grid(venue, start):
        return
    # Where it is closed, or closes too soon, no other start nearby is the way out.
    if not calendar.within_hours(venue, start, max(proposal.ends_at, start + 1)):
        return
    before, after = calendar.slot_of(venue, start)
    yield Violation(
        "slot",
        f"{calendar.local_clock(venue, start)} is between two start times; take "
        f"{calendar.local_clock(venue, before)} or {calendar.local_clock(venue, after)}.",
    )


def _cancel_cutoff(question: Question) -> Iterator[Violation]:
    """The span is one of elapsed time: on the night of a clock change the last moment is an hour
    off by the wall clock."""
    venue, starts_at = question.venue, question.proposal.starts_at
    cutoff = venue.policies.cancel_cutoff_minutes
    if cutoff is None or question.now_s <= starts_at - cutoff * 60:
        return
    before = f"up to {length_text(cutoff)} before the start" if cutoff else "up to the start"
    yield Violation(
        "cancel-cutoff",
        f"It begins on {moment_text(venue, starts_at)} and could be cancelled {before}, until "
        f"{moment_text(venue, starts_at - cutoff * 60)}. After that a supervisor or an admin may.",
    )


PAST: Final = Rule(
    id="past",
    asks="The start is not over; of nights, the day of arrival.",
    of_start=True,
    elsewhen=True,
    check=_past,
)
CUTOFF: Final = Rule(
    id="cutoff",
    asks="The start is not too soon.",
    set_by="`policies.cutoff_minutes`",
    of_start=True,
    elsewhen=True,
    check=_cutoff,
)
ADVANCE: Final = Rule(
    id="advance",
    asks="The day is not too far ahead, in days of the venue.",
    set_by="`policies.advance_days`, `tiers`, `tags`",
    of_start=True,
    elsewhen=True,
    check=_advance,
)
CLOSED: Final = Rule(
    id="closed",
    asks="Of nights: somebody may arrive on that day.",
    set_by="`closed`",
    binds=RESERVING,
    of_start=True,
    elsewhen=True,
    check=_closed,
)
HOURS: Final = Rule(
    id="hours",
    asks="All of it lies within one time of opening. Nights are not held to it.",
    set_by="`hours`, `closed`",
    binds=RESERVING,
    elsewhen=True,
    check=_hours,
)
SLOT: Final = Rule(
    id="slot",
    asks="It starts at one of the times that are offered.",
    set_by="`slot_minutes`",
    of_start=True,
    elsewhen=True,
    check=_slot,
)
CANCEL_CUTOFF: Final = Rule(
    id="cancel-cutoff",
    asks="It is not called off too late; a supervisor or an admin may all the same.",
    set_by="`policies.cancel_cutoff_minutes`",
    binds=AHEAD,
    steps=frozenset({CANCEL}),
    check=_cancel_cutoff,
)
