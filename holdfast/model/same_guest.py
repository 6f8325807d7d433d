"""Which agent ids are one person at a venue.

Owns the rule. A merge ties two agent ids, whichever is named first; it counts until an entry takes
back just that merge, whatever the stamps say. Who is tied to whom, directly or by others, is one
person. So replicas with the same entries agree, whatever chains of merges devices wrote apart from
each other, and nobody is the first of them. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from holdfast.model.events import Event, GuestMerged, GuestUnmerged
from holdfast.model.limits import AGENTS_FOLLOWED_MAX


class Tie(NamedTuple):
    """A merge that counts: its operation, and the agent id at its other end."""

    id: bytes
    other: str


def ties(agent: str, written: Iterable[tuple[bytes, Event]]) -> list[Tie]:
    """The merges of an agent id that were not taken back, of all that was written of it, by the
    operations. A word against a merge of other people is none."""
    merges: dict[bytes, str] = {}
    undone: dict[bytes, set[str]] = {}
    for operation, event in written:
        if isinstance(event, GuestMerged | GuestUnmerged):
            other = event.other if event.agent_id == agent else event.agent_id
            if isinstance(event, GuestMerged):
                merges[operation] = other
            else:
                for merge in event.merges:
                    undone.setdefault(merge, set()).add(other)
    return [
        Tie(operation, other)
        for operation, other in sorted(merges.items())
        if other not in undone.get(operation, ())
    ]


def same_as(agent: str, others_of: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """Every agent id of the person whose is `agent`, itself first, the others in their order.

    `others_of` gives those that are tied to one directly. Of a person with more than
    AGENTS_FOLLOWED_MAX the nearest are told.
    """
    found = [agent]
    known = {agent}
    reached = [agent]
    while reached and len(found) < AGENTS_FOLLOWED_MAX:
        beyond = {other for one in reached for other in others_of(one)} - known
        reached = sorted(beyond)[: AGENTS_FOLLOWED_MAX - len(found)]
        known.update(reached)
        found += reached
    return (agent, *sorted(found[1:]))
