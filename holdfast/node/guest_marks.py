"""VIP and issue flags of a person: set, taken away, shown (features H-21, H-48).

Owns these commands and their answers as JSON values. Which word stands is `model.guest_flags`'
rule; each change is an entry, which the audit shows with what stood before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.model import guest_flags
from holdfast.model.errors import Invalid
from holdfast.model.events import GuestFlagged
from holdfast.model.guest_flags import FLAGS, Flag
from holdfast.node import actors
from holdfast.node.guest_scope import (
    Sees,
    everywhere,
    require_agent,
    require_house,
    venue_meant,
    writer_at,
)
from holdfast.node.recording import refused_as_invalid
from holdfast.node.same_guests import agents_of
from holdfast.store.guest_entries import GuestEntry

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service


def set_flag(
    replica: Service,
    agent: str,
    flag: str,
    up: bool,
    *,
    venue: str | None = None,
    sees: Sees = everywhere,
) -> dict[str, Any]:
    """Mark a person at a venue, or take the mark away, and return what stands; said again it
    changes nothing. Raises Invalid, NotFound, and Forbidden at a device whose word would count for
    nothing."""
    require_house(replica)
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    if flag not in FLAGS:
        raise Invalid.field("flag", f"must be one of {', '.join(FLAGS)}")
    book = replica.book_of(index.venue.id)
    with replica.transaction():
        present = standing_at(replica, book, agent).get(flag)
        # The same once more would be kept by everybody, for ever, and say nothing.
        if up != (present is not None and present.up):
            with refused_as_invalid():
                replica.append(book, GuestFlagged(agent, flag, up))
    # Who did it is read from the journal, where it stands now.
    with replica.lock:
        return flags_at(replica, book, agent, who=True)


def flags(
    replica: Service, agent: str, *, venue: str | None = None, sees: Sees = everywhere
) -> dict[str, Any]:
    """How a venue marks a person. Raises Invalid, NotFound, Forbidden."""
    require_house(replica)
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    with replica.lock:
        return flags_at(replica, replica.book_of(index.venue.id), agent, who=True)


def flags_at(replica: Replica, book: str, agent: str, *, who: bool = False) -> dict[str, Any]:
    """The same of a book; `who` adds who of the house said so, which the guest is not told. Call
    under the lock."""
    standing = standing_at(replica, book, agent)
    known = actors.names(replica) if who and standing else {}
    shown: dict[str, Any] = {"agent_id": agent, "venue": book.partition("/")[2]}
    for flag in FLAGS:
        one = standing.get(flag)
        shown[flag] = {
            "up": one is not None and one.up,
            "by": writer_at(replica, book, one.where.chain) if one is not None else None,
            "set_at_ms": one.stamp >> 16 if one is not None else None,
        }
        if who:
            by = "" if one is None else actors.by_at(replica, one.where.chain, one.where.n)
            shown[flag]["set_by"] = actors.shown(replica, by, known)
    return shown


def standing_at(replica: Replica, book: str, agent: str) -> dict[str, Flag[GuestEntry]]:
    """The newest word on each flag of a person, under whatever agent id. Call under the lock."""
    found = [
        Flag(one.id, one.said.flag, one.said.up, one.stamp, one)
        for each in agents_of(replica, book, agent)
        for one in replica.store.guest_entries.of(book, each, "guest.flagged")
        if isinstance(one.said, GuestFlagged) and replica.vouched(book, one.chain, one.n)
    ]
    return guest_flags.standing(found)


def stood_before(replica: Replica, book: str, operation: bytes, event: GuestFlagged) -> bool:
    """Whether a flag was up before an entry about it, by the entries of the same agent id. Call
    under the lock."""
    earlier = False
    for one in replica.store.guest_entries.of(book, event.agent_id, "guest.flagged"):
        if one.id == operation:
            return earlier
        if (
            isinstance(one.said, GuestFlagged)
            and one.said.flag == event.flag
            and replica.vouched(book, one.chain, one.n)
        ):
            earlier = one.said.up
    return earlier
