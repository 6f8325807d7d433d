"""Whether whoever reserves gives the number or the address of a guest from whom the house takes no
reservation (H-25).

Owns that question, for whoever makes a reservation at a device that looks contacts up. It is the
ban of `restricting`, with its words; what differs is how sure one is: families share a telephone,
so that a supervisor may insist. A device that reads no card cannot ask, and what it takes stands;
staff sees at a desk whose contact it is (`known_guests`).

Ask it last, of what would be taken otherwise. Who could ask it first, with a party too large or a
day that is closed, would learn of any number whether it is that of such a guest, and leave nothing
behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.model import restrictions
from holdfast.model.figures import HOUSE
from holdfast.model.offers import VenueIndex
from holdfast.model.restrictions import Restriction
from holdfast.node import known_guests, restricting
from holdfast.node.restricting import Asking

if TYPE_CHECKING:
    from holdfast.node.service import Service


def require(
    replica: Service,
    venue: VenueIndex,
    agent: str,
    card: dict[str, Any] | None,
    kind: str,
    *,
    asking: Asking,
    insists: bool = False,
) -> None:
    """Raises Forbidden where another guest with a contact of this card is banned. `insists`: a
    supervisor knows, and takes the reservation all the same."""
    if insists or asking.settles or kind == HOUSE or not card:
        return
    ban = _ban(replica, replica.book_of(venue.venue.id), agent, card)
    if ban is not None:
        raise restricting.banned(replica, venue, ban, told=asking.told, by_contact=True)


def _ban(replica: Service, book: str, agent: str, card: dict[str, Any]) -> Restriction | None:
    """The strictest ban of somebody else with a contact of a card. None too where so many have it
    that it tells nobody from another: it is a hotel's reception, say."""
    with replica.lock:
        # Most houses ban nobody, and then no card is opened.
        if not restricting.bans_anybody(replica, book):
            return None
        found = [
            one
            for other in known_guests.sharing(replica, book, agent, card)
            for one in restricting.in_force(replica, book, other)
        ]
    return restrictions.strictest(found, restrictions.BAN)
