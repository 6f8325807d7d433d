"""Whether whoever reserves was here before under another agent id: somebody who gives the number or
the address of a guest whom this venue knows (H-20, H-24).

Owns this question, for the faces of the house alone. It merges nobody and refuses nothing (whom
the house bans `banned_contacts` refuses): families share a telephone, and a person at the desk
knows. It asks the index of this device, so that it is answered offline too, and only where cards
can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.model import guest_words
from holdfast.model.figures import HOUSE
from holdfast.model.forms import made_as
from holdfast.model.limits import AGENTS_PER_CONTACT_MAX
from holdfast.model.reservation import BLOCK, View
from holdfast.node import restricting, visitors
from holdfast.node.guest_index import sealed_card
from holdfast.node.guest_scope import receives
from holdfast.node.same_guests import agents_of
from holdfast.store.cards import PlacedCard

if TYPE_CHECKING:
    from holdfast.node.service import Service


def known_as(replica: Service, view: View) -> list[dict[str, Any]]:
    """The guests of other agent ids who have a number or an address of a reservation's card, with
    what the house knows of each; who came most often first. Each person once, and nobody who was
    merged with its guest. Empty where this device does not tell, or so many have that contact that
    it tells nobody from another."""
    if not view.agent_id or view.kind == HOUSE or made_as(view) == BLOCK or not receives(replica):
        return []
    card = replica.reservations.guest(view, own=True)
    if not card:
        return []
    by_agent = sharing(replica, view.book, view.agent_id, card)
    found = [_told(replica, view.book, agent, by) for agent, by in by_agent.items()]
    # Sorting is stable: of equals, whose card is the newest.
    return sorted(found, key=lambda one: (-one["visits"], -one["no_shows"]))


def sharing(replica: Service, book: str, agent: str, card: dict[str, Any]) -> dict[str, list[str]]:
    """By what each other person than `agent` agrees with a card: under the agent id of their newest
    card that does, newest first, each person once.

    Nobody where this device tells nothing of guests, or opens no card; nobody either where more
    than AGENTS_PER_CONTACT_MAX have that contact, which it learns from opening so many cards.
    """
    words = guest_words.words_for_contacts(card)
    if not words or not receives(replica) or replica.cards.locked:
        return {}
    with replica.lock:
        seen = set(agents_of(replica, book, agent))
    found: dict[str, list[str]] = {}
    for placed in replica.cards.index.with_contact(book, words):
        if placed.agent_id in seen:
            continue
        by = guest_words.contacts_in_common(card, _opened(replica, placed))
        if by:
            found[placed.agent_id] = by
            if len(found) > AGENTS_PER_CONTACT_MAX:
                return {}
            with replica.lock:
                seen.update(agents_of(replica, book, placed.agent_id))
    return found


def _opened(replica: Service, placed: PlacedCard) -> dict[str, Any]:
    """A card in clear: what the index found is looked at before anything is said of it."""
    with replica.lock:
        sealed = sealed_card(replica, placed)
    if sealed is None:
        return {}
    return replica.cards.read(placed.book.partition("/")[2], [placed.agent_id], sealed) or {}


def _told(replica: Service, book: str, agent: str, by: list[str]) -> dict[str, Any]:
    with replica.lock:
        bound = restricting.in_force(replica, book, agent)
    return {
        "agent_id": agent,
        "by": by,
        **visitors.known_of(replica, book, agent),
        "restrictions": sorted({one.kind for one in bound}),
    }
