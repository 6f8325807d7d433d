"""Who may be one person: pairs of agent ids whose cards have the same number or address (H-24).

Owns this question. The blind index says which words agree; both cards are opened before a pair is
shown. Nobody is merged by it: families share a telephone, and a person at the desk knows.
"""

from __future__ import annotations

from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import guest_words
from holdfast.model.limits import AGENTS_PER_CONTACT_MAX
from holdfast.node import guest_desk
from holdfast.node.guest_index import sealed_card
from holdfast.node.guest_scope import Sees, everywhere, require_reading, venue_meant
from holdfast.node.same_guests import agents_of

if TYPE_CHECKING:
    from holdfast.node.service import Service

EMAIL: Final = "email"
PHONE: Final = "phone"
BY: Final = (EMAIL, PHONE)


def duplicates(
    replica: Service,
    *,
    venue: str | None = None,
    limit: int,
    after: tuple[str, str] | None = None,
    sees: Sees = everywhere,
) -> list[dict[str, Any]]:
    """Pairs of guests of a venue who have a number or an address in common and are not merged, by
    their agent ids; `after` names the last pair of the page before.

    What more than AGENTS_PER_CONTACT_MAX of them have tells nobody from another. Raises Invalid,
    NotFound, Forbidden, RuleViolated.
    """
    index = venue_meant(replica, venue, sees)
    book = replica.book_of(index.venue.id)
    require_reading(replica, book)
    replica.cards.index.keep_up(book, None)
    found: list[dict[str, Any]] = []
    for first, second in _pairs(replica, book):
        if after is not None and (first, second) <= after:
            continue
        with replica.lock:
            merged = second in agents_of(replica, book, first)
        by = [] if merged else _in_common(replica, book, first, second)
        if by:
            people = [_shown(replica, book, one) for one in (first, second)]
            found.append({"venue": index.venue.id, "by": by, "guests": people})
            if len(found) == limit:
                break
    return found


def _pairs(replica: Service, book: str) -> list[tuple[str, str]]:
    with replica.lock:
        rows = replica.store.cards.sharing(book)
    pairs: set[tuple[str, str]] = set()
    for _, same in groupby(rows, key=lambda row: row[0]):
        agents = sorted({agent for _, _, agent in same})
        if len(agents) <= AGENTS_PER_CONTACT_MAX:
            pairs.update(combinations(agents, 2))
    return sorted(pairs)


def _in_common(replica: Service, book: str, first: str, second: str) -> list[str]:
    """By what two guests agree, looked at in the cards themselves: hashes may agree by chance."""
    words = _contacts(replica, book, first) & _contacts(replica, book, second)
    found = {EMAIL if word.startswith("e") else PHONE for word in words}
    return [one for one in BY if one in found]


def _contacts(replica: Service, book: str, agent: str) -> frozenset[str]:
    found: set[str] = set()
    with replica.lock:
        placed = [one for one in replica.store.cards.placed_of(book, agent) if one.reservation]
        sealed = [sealed_card(replica, one) for one in placed]
    for card in sealed:
        opened = replica.cards.read(book.partition("/")[2], [agent], card) if card else None
        found |= guest_words.contacts_of_card(opened or {})
    return frozenset(found)


def _shown(replica: Service, book: str, agent: str) -> dict[str, Any]:
    views = guest_desk.reservations_under(replica, book, agent)
    return {
        "agent_id": agent,
        "guest": guest_desk.newest_card(replica, book, [agent]),
        "reservations": len(views),
        "last_code": views[-1].code if views else None,
    }


def cursor_of(pair: dict[str, Any]) -> str:
    """What names a pair in a list."""
    return " ".join(one["agent_id"] for one in pair["guests"])


def read_cursor(text: str | None) -> tuple[str, str] | None:
    """The pair that a cursor names; None where there is none."""
    if text is None:
        return None
    first, _, second = text.partition(" ")
    return first, second
