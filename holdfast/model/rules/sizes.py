"""Rules about how long, for how many, and how many at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from holdfast.model import calendar
from holdfast.model.limits import NIGHTS_MAX, PARTY_MAX
from holdfast.model.rules.question import (
    EVERYBODY,
    GUESTS,
    RESERVING,
    Question,
    Rule,
    Violation,
)
from holdfast.model.rules.wording import length_text
from holdfast.model.slot_overrides import covers_limit
from holdfast.model.wall import DAY_SECONDS


def _duration(question: Question) -> Iterator[Violation]:
    length_s = question.proposal.length_s
    if length_s <= 0:
        yield Violation("duration", "The end must be after the start.")
    elif length_s > NIGHTS_MAX * DAY_SECONDS:
        yield Violation("duration", f"Nothing can be reserved for more than {NIGHTS_MAX} days.")
    elif question.proposal.bound_as in GUESTS:
        yield from _venue_length(question)


def _venue_length(question: Question) -> Iterator[Violation]:
    """The venue's own bounds, of which nights are none, and what has its length already."""
    policies, proposal = question.venue.policies, question.proposal
    present = proposal.present
    if proposal.nights is not None:
        return
    if present is not None and present[1] - present[0] == proposal.length_s:
        return
    least, most = policies.min_minutes, policies.max_minutes
    length = length_text(proposal.length_s // 60)
    if least is not None and proposal.length_s < least * 60:
        yield Violation("duration", f"{length} is too short: {length_text(least)} at least.")
    elif most is not None and proposal.length_s > most * 60:
        yield Violation("duration", f"{length} is too long: {length_text(most)} at most.")


def allowed_minutes(question: Question) -> int:
    """The length nearest to the proposal's that `duration` lets pass, in minutes."""
    policies, proposal = question.venue.policies, question.proposal
    wanted = -(-proposal.length_s // 60)
    if wanted < 1:
        wanted = calendar.default_minutes(question.venue, proposal.party_size)
    return max(policies.min_minutes or 1, min(wanted, policies.max_minutes or _LONGEST_MINUTES))


_LONGEST_MINUTES: Final = NIGHTS_MAX * DAY_SECONDS // 60


def _nights(question: Question) -> Iterator[Violation]:
    venue, nights = question.venue, question.proposal.nights
    if nights is None:
        return
    if venue.stays is None:
        yield Violation("nights", f"{venue.name} has no overnight stays.")
    elif not 1 <= nights <= venue.stays.max_nights:
        yield Violation(
            "nights", f"A stay has 1 to {venue.stays.max_nights} nights here, not {nights}."
        )


def _party(question: Question) -> Iterator[Violation]:
    policies, party = question.venue.policies, question.proposal.party_size
    largest = PARTY_MAX if policies.max_party is None else policies.max_party
    if party < policies.min_party:
        yield Violation("party", f"A party of {party} is too small: {policies.min_party} at least.")
    elif party > largest:
        message = f"A party of {party} is too large: {largest} at most; make several reservations."
        yield Violation("party", message)


def _pacing(question: Question) -> Iterator[Violation]:
    venue, proposal, already = question.venue, question.proposal, question.pacing
    limit = covers_limit(venue, proposal.starts_at)
    if proposal.nights is not None or limit is None or already + proposal.party_size <= limit:
        return
    first, last = calendar.slot_of(venue, proposal.starts_at)
    yield Violation(
        "pacing",
        f"From {calendar.local_clock(venue, first)} to {calendar.local_clock(venue, last)} "
        f"{already} covers already start, and {limit} may: "
        f"{proposal.party_size} more are too many.",
    )


def _seated(question: Question) -> Iterator[Violation]:
    venue, proposal, already = question.venue, question.proposal, question.seated
    limit = venue.covers_at_once
    if proposal.nights is not None or limit is None or already + proposal.party_size <= limit:
        return
    yield Violation(
        "seated",
        f"Between {calendar.local_clock(venue, proposal.starts_at)} and "
        f"{calendar.local_clock(venue, proposal.ends_at)} {already} covers already sit here at "
        f"once, and {limit} may: {proposal.party_size} more are too many.",
    )


DURATION: Final = Rule(
    id="duration",
    asks="The end is after the start, within 365 days; and, of guests and walk-ins, the length is "
    "one that the venue allows. Nights, and a change that keeps the length, have none such.",
    set_by="`policies.min_minutes`, `max_minutes`",
    binds=EVERYBODY,
    elsewhen=True,
    check=_duration,
)
NIGHTS: Final = Rule(
    id="nights",
    asks="A stay has at least one night, at most so many, at a venue that has stays at all.",
    set_by="`stays.max_nights`",
    binds=RESERVING,
    elsewhen=True,
    check=_nights,
)
PARTY: Final = Rule(
    id="party",
    asks="The party is neither too small nor too large.",
    set_by="`policies.min_party`, `max_party`",
    binds=RESERVING,
    check=_party,
)
PACING: Final = Rule(
    id="pacing",
    asks="Not too many people start within one slot, with all reservations that are known here.",
    set_by="`covers_per_slot`, `slot_overrides`",
    binds=RESERVING,
    elsewhen=True,
    check=_pacing,
)
SEATED: Final = Rule(
    id="seated",
    asks="Not too many people sit there at one instant, with all reservations that are known here.",
    set_by="`covers_at_once`",
    binds=RESERVING,
    elsewhen=True,
    check=_seated,
)
