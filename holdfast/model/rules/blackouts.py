"""The periods in which a venue, or a part of it, takes nobody.

Owns what such a period shuts; when it begins and ends stands in `periods`. Whatever meets it is
refused, also what began before: single slots are the business of `rules.slots`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator
from typing import Final

from holdfast.model import periods
from holdfast.model.rules.question import GUESTS, Proposal, Question, Rule, Violation
from holdfast.model.rules.wording import period_text
from holdfast.model.venue import Blackout, Venue


def period(venue: Venue, blackout: Blackout, *, nights: bool) -> tuple[int, int]:
    """[first instant, first instant after it) of a blackout; `nights`: as a stay meets it."""
    return periods.period(venue, blackout.first, blackout.last, nights=nights)


def overlapping(venue: Venue, start: int, end: int, *, nights: bool) -> list[Blackout]:
    """The blackouts that [start, end) meets, in the order of the file."""
    found = []
    for blackout in venue.blackouts:
        first, after = period(venue, blackout, nights=nights)
        if start < after and first < end:
            found.append(blackout)
    return found


def shuts(blackout: Blackout, resources: Collection[str]) -> bool:
    """Whether a blackout leaves these resources to nobody: it names one of them, or none at all."""
    return not blackout.resources or any(
        fnmatch.fnmatchcase(resource, pattern)
        for resource in resources
        for pattern in blackout.resources
    )


def met_by(venue: Venue, proposal: Proposal) -> list[Blackout]:
    """The blackouts that a proposal meets, whatever resources they are about; one that the present
    time meets already says nothing to a change of something else."""
    nights = proposal.nights is not None
    found = overlapping(venue, proposal.starts_at, proposal.ends_at, nights=nights)
    if proposal.present is not None:
        before = overlapping(venue, *proposal.present, nights=nights)
        found = [blackout for blackout in found if blackout not in before]
    return found


def violation(blackout: Blackout, where: str) -> Violation:
    """That a blackout says no, of the venue or of a part of it."""
    when = period_text(blackout.first, blackout.last)
    return Violation("blackouts", f"{where} takes no reservations {when} ({blackout.name}).")


def _blackouts(question: Question) -> Iterator[Violation]:
    venue, proposal = question.venue, question.proposal
    if not venue.blackouts:
        return
    for blackout in met_by(venue, proposal):
        if not blackout.resources:
            yield violation(blackout, venue.name)
        elif proposal.resources and shuts(blackout, proposal.resources):
            named = [one for one in proposal.resources if shuts(blackout, [one])]
            yield violation(blackout, " and ".join(named))


BLACKOUTS: Final = Rule(
    id="blackouts",
    asks="It meets no period in which the venue, or what was named of it, takes nobody. Where the "
    "place is left to choose, such places are not chosen.",
    set_by="`blackouts`",
    binds=GUESTS,
    elsewhen=True,
    check=_blackouts,
)
