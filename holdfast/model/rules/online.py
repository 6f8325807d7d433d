"""The rules about whether a venue is there for anybody at all, and what people reserve by
themselves: whether the venue lets them at present, and which of its places it keeps for the
telephone and the door."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from holdfast.model.rules.question import AHEAD, MAKE, RESERVING, Question, Rule, Violation
from holdfast.model.venue import Venue


def out_of_service(venue: Venue) -> Violation:
    """What is said of such a venue, whatever is asked of it."""
    return Violation(
        "inactive",
        f"{venue.name} is out of service and takes nothing new; what is reserved there stands.",
    )


def _inactive(question: Question) -> Iterator[Violation]:
    """What is said of a venue that is out of service (FEATURES, H-05)."""
    if not question.venue.active:
        yield out_of_service(question.venue)


INACTIVE: Final = Rule(
    id="inactive",
    asks="The venue is in service.",
    set_by="`active`",
    binds=RESERVING,
    # Whoever has a reservation is served to its end, and may be moved meanwhile.
    steps=frozenset({MAKE}),
    check=_inactive,
)


def _online(question: Question) -> Iterator[Violation]:
    venue, proposal = question.venue, question.proposal
    ahead = proposal.bound_as in AHEAD and not proposal.starts_as_before
    if ahead and not venue.accepting:
        yield Violation(
            "online",
            f"{venue.name} takes no reservations online at present; its staff do, at the venue "
            "and by telephone.",
        )
        return
    kept = {one.id for one in venue.resources if not one.online}
    named = [one for one in proposal.resources if one in kept]
    if named:
        yield not_online(named)


def not_online(resources: Collection[str]) -> Violation:
    """What is said of places that people do not get who reserve by themselves."""
    what = " and ".join(resources) if resources else "What fits here"
    verb = "are" if len(resources) > 1 else "is"
    return Violation(
        "online",
        f"{what} {verb} not reserved online; ask the staff, at the venue or by telephone.",
    )


ONLINE: Final = Rule(
    id="online",
    asks="The venue takes reservations online, and the place is one of those that it gives so.",
    set_by="`accepting`, `resources[].online`",
    binds=RESERVING,
    by_guest=True,
    check=_online,
)
