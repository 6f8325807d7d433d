"""Two agent ids of one person: said, taken back, and asked for by everything that counts people.

Owns these commands and the question. Which merges stand is `model.same_guest`'s rule; no fold and
no decision asks. Whom nobody merged with anybody costs one look into an index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.model import same_guest
from holdfast.model.errors import Invalid, RuleViolated
from holdfast.model.events import GuestMerged, GuestUnmerged
from holdfast.model.limits import AGENTS_PER_PERSON_MAX, MERGES_PER_ENTRY_MAX
from holdfast.node.guest_scope import (
    Sees,
    everywhere,
    require_agent,
    require_house,
    venue_meant,
    writer_at,
)
from holdfast.node.lookup import rfc3339_ms
from holdfast.node.recording import refused_as_invalid
from holdfast.store.guest_entries import OF_MERGES, GuestEntry

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service


# --- asking ---------------------------------------------------------------------------------------


def agents_of(replica: Replica, book: str, agent: str) -> tuple[str, ...]:
    """Every agent id of a person at a venue, the one that is asked for first. Call under the
    lock."""
    return same_guest.same_as(agent, lambda one: [tie.other for tie in _ties(replica, book, one)])


def agents_everywhere(replica: Replica, agent: str) -> tuple[str, ...]:
    """Every agent id of a person, by what any of the books here says. Call under the lock."""
    books = sorted(replica.books)

    def others(one: str) -> list[str]:
        return [tie.other for book in books for tie in _ties(replica, book, one)]

    return same_guest.same_as(agent, others)


def _ties(replica: Replica, book: str, agent: str) -> list[same_guest.Tie]:
    found = _written(replica, book, agent)
    return same_guest.ties(agent, ((one.id, one.said) for one in found)) if found else []


def _written(replica: Replica, book: str, agent: str) -> list[GuestEntry]:
    found = replica.store.guest_entries.of(book, agent, *OF_MERGES)
    return [one for one in found if replica.vouched(book, one.chain, one.n)]


def merges_at(replica: Replica, book: str, agents: tuple[str, ...]) -> list[dict[str, Any]]:
    """The merges that make these agent ids one person, the oldest first. Call under the lock."""
    found: dict[bytes, GuestEntry] = {}
    for agent in agents:
        written = {one.id: one for one in _written(replica, book, agent)}
        ties = same_guest.ties(agent, ((one.id, one.said) for one in written.values()))
        found |= {tie.id: written[tie.id] for tie in ties}
    shown = []
    for one in sorted(found.values(), key=lambda one: (one.stamp, one.id)):
        assert isinstance(one.said, GuestMerged)
        shown.append(
            {
                "id": one.id.hex(),
                "agent_ids": sorted((one.said.agent_id, one.said.other)),
                "by": writer_at(replica, book, one.chain),
                "made_at": rfc3339_ms(one.stamp >> 16),
            }
        )
    return shown


# --- saying ---------------------------------------------------------------------------------------


def merge(
    replica: Service,
    agent: str,
    other: str,
    *,
    venue: str | None = None,
    sees: Sees = everywhere,
) -> dict[str, Any]:
    """Say that two agent ids are one person at a venue, and return whom that makes one. Said again
    it changes nothing.

    Raises Invalid, NotFound, RuleViolated, and Forbidden at a device whose word would count for
    nothing.
    """
    require_house(replica)
    index = venue_meant(replica, venue, sees)
    _require_two(agent, other)
    book = replica.book_of(index.venue.id)
    with replica.transaction():
        known = agents_of(replica, book, agent)
        if other not in known:
            several = len(known) + len(agents_of(replica, book, other))
            if several > AGENTS_PER_PERSON_MAX:
                message = (
                    f"that would be one person with {several} agent ids, and "
                    f"{AGENTS_PER_PERSON_MAX} are the most; `holdfast guests unmerge` takes apart "
                    "who was merged by mistake"
                )
                raise RuleViolated(message, [{"rule": "too-many-merged", "message": message}])
            with refused_as_invalid():
                replica.append(book, GuestMerged(agent, other))
        return person_at(replica, book, agent)


def unmerge(
    replica: Service,
    agent: str,
    other: str | None = None,
    *,
    venue: str | None = None,
    sees: Sees = everywhere,
) -> dict[str, Any]:
    """Take back what makes two agent ids one person (`other` left out: what makes one the same as
    anybody), as far as it is known here, and return who is one now. Raises as `merge`, and
    RuleViolated where they are one by way of somebody else."""
    require_house(replica)
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    if other is not None:
        _require_two(agent, other)
    book = replica.book_of(index.venue.id)
    with replica.transaction():
        by_other: dict[str, list[bytes]] = {}
        for tie in _ties(replica, book, agent):
            if other in (None, tie.other):
                by_other.setdefault(tie.other, []).append(tie.id)
        for end, merges in sorted(by_other.items()):
            for first in range(0, len(merges), MERGES_PER_ENTRY_MAX):
                some = tuple(merges[first : first + MERGES_PER_ENTRY_MAX])
                with refused_as_invalid():
                    replica.append(book, GuestUnmerged(agent, end, some))
        if other is not None and other in agents_of(replica, book, agent):
            between = ", ".join(
                sorted({tie.other for tie in _ties(replica, book, agent)} - {other})
            )
            message = (
                f"{agent} and {other} are one person by way of others, to whom {agent} is tied: "
                f"{between}; take one of those ties back"
            )
            raise RuleViolated(message, [{"rule": "merged-by-others", "message": message}])
        return person_at(replica, book, agent)


def person_at(replica: Service, book: str, agent: str) -> dict[str, Any]:
    """Who is one person with somebody at a venue, and by which merges. Call under the lock."""
    agents = agents_of(replica, book, agent)
    return {
        "agent_id": agent,
        "venue": book.partition("/")[2],
        "agent_ids": sorted(agents),
        "merges": merges_at(replica, book, agents),
    }


def _require_two(agent: str, other: str) -> None:
    require_agent(agent)
    require_agent(other, "other")
    if agent == other:
        raise Invalid.field("other", "is the same agent id; name another one")
