"""Which venue and which person a question about guests means, and who may ask it where.

Owns what every command about guests asks first: the venue that is meant, the books that whoever
asks may look at, whether a device answers at all, and the name of who wrote something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from holdfast.model.errors import Forbidden, Invalid, RuleViolated
from holdfast.model.offers import VenueIndex
from holdfast.model.pseudonyms import is_agent_id
from holdfast.model.roles import CARD_READERS, HUB
from holdfast.node.lookup import node_name

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service

Sees = Callable[[str], bool]
"""Which venues, by their ids, whoever asks may look at."""


def everywhere(venue: str) -> bool:
    """Every venue may be looked at."""
    return True


def books_seen(replica: Service, sees: Sees) -> list[str]:
    """The books that whoever asks may look at."""
    with replica.lock:
        return [book for book in sorted(replica.books) if sees(book.partition("/")[2])]


def venue_meant(replica: Service, venue: str | None, sees: Sees) -> VenueIndex:
    """The venue that is meant. Raises NotFound, Invalid where it must be named."""
    if venue is not None:
        return replica.venue(venue)
    ids = [one for one in replica.venue_ids() if sees(one)]
    if len(ids) != 1:
        known = ", ".join(ids) or "none yet"
        raise Invalid.field("venue", f"say for which; known here: {known}")
    return replica.venue(ids[0])


def require_agent(agent: str, field: str = "agent_id") -> None:
    """Raises Invalid for what is no agent id."""
    if not is_agent_id(agent):
        raise Invalid.field(field, "must be agent_ and 32 characters")


def receives(replica: Replica) -> bool:
    """Whether this is a device of the house at which somebody receives guests, or the hub: no
    other tells what the house knows of a person."""
    return replica.identity.role in (*CARD_READERS, HUB)


def require_house(replica: Replica) -> None:
    """Raises Forbidden at a device where anybody may stand."""
    if not receives(replica):
        raise Forbidden(
            f"a device of the role {replica.identity.role} tells nothing of guests; "
            "ask at a front desk or at the hub"
        )


def require_reading(replica: Service, book: str) -> None:
    """Raises Forbidden, RuleViolated where this device does not open what is sealed for a venue."""
    require_unlocked(replica)
    with replica.lock:
        reads = replica.cards.reader_in_force(book) is not None
    if not reads:
        raise no_key()


def require_unlocked(replica: Service) -> None:
    """Raises RuleViolated where this device has not heard yet who was forgotten."""
    if replica.cards.locked:
        message = (
            "This directory was restored or copied, and may hold guests who were forgotten since. "
            "Let it exchange with the hub once (`holdfast sync now`; a hub hears every device, see "
            "`holdfast hub recover`); then it shows guests again."
        )
        raise RuleViolated(message, [{"rule": "restored", "message": message}])


def no_key() -> Forbidden:
    """What a device says that opens no card of a venue."""
    return Forbidden(
        "this device does not hold the venue's key and reads no guest's card; do this at a "
        "front desk, or, where this is a new one, after its next exchange (a hub reads cards "
        "where a front desk let it: `holdfast venue share-key`)"
    )


def writer_at(replica: Replica, book: str, chain: int) -> str:
    """The name of the device whose chain has this row."""
    return node_name(replica, book, replica.store.journal.chain_by_id(chain).incarnation)
