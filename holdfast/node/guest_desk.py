"""What a person at the desk asks about guests: who is it, what do we know, hand it all over.

Owns these questions and their answers as JSON values. Only a device that holds the venue's key
answers them, and only once it has heard who was forgotten. What is taken out whole leaves an entry
that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import guest_words, pseudonyms
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.events import GuestExported, ReservationCancelled, SealedCard, card_of
from holdfast.model.ids import uuid_text
from holdfast.model.limits import LIST_LIMIT, LIST_LIMIT_MAX
from holdfast.model.reservation import View
from holdfast.node import (
    guest_details,
    guest_history,
    guest_marks,
    guest_notes,
    guest_scope,
    guest_terms,
)
from holdfast.node.audit import AUDIT_ACTOR, audit_entries
from holdfast.node.guest_index import Found, carrier, sealed_card
from holdfast.node.lookup import node_name, rfc3339_ms, subject_of
from holdfast.node.same_guests import agents_of, merges_at
from holdfast.store.cards import PlacedCard

if TYPE_CHECKING:
    from holdfast.node.service import Service

EXPORT_FORMAT: Final = "holdfast-guest-export"
EXPORT_VERSION: Final = 1
"""1 (2026-11): the first. Raised when a reader of the earlier form would misread the document."""
FITS: Final = {guest_words.EXACT: "exact", guest_words.BEGINNING: "beginning"}
READABLE: Final = "readable"
ERASED: Final = "erased"
UNREADABLE: Final = "unreadable"
CARD_STATES: Final = (READABLE, ERASED, UNREADABLE)
"""Of a card: it can be opened here; its key was destroyed; its key has not come, or fits no key of
the venue that is here."""


def require_reading(replica: Service) -> list[str]:
    """The books whose cards this device reads. Raises Forbidden, RuleViolated."""
    guest_scope.require_unlocked(replica)
    with replica.lock:
        books = [book for book in sorted(replica.books) if replica.cards.reader_in_force(book)]
    if not books:
        raise guest_scope.no_key()
    return books


# --- finding --------------------------------------------------------------------------------------


def find(replica: Service, text: str, limit: int = LIST_LIMIT) -> list[dict[str, Any]]:
    """Guests by name, telephone number or e-mail address, the best `limit` first: each once, with
    the newest card. Raises Forbidden, RuleViolated, Invalid; the text stands in none of them."""
    people: dict[tuple[str, str], Found] = {}
    for book in require_reading(replica):
        for found in replica.cards.index.search(book, text):
            people.setdefault((book, found.placed.agent_id), found)
    ranked = sorted(people.items(), key=lambda one: (one[1].fit, -one[1].placed.stamp))
    lines = (_line(replica, book, agent, found) for (book, agent), found in _once(replica, ranked))
    return list(islice((line for line in lines if line["guest"]), limit))


def _once(
    replica: Service, ranked: Iterable[tuple[tuple[str, str], Found]]
) -> Iterable[tuple[tuple[str, str], Found]]:
    """Each person once, under whichever of their agent ids fits best."""
    told: set[tuple[str, str]] = set()
    for (book, agent), found in ranked:
        if (book, agent) not in told:
            with replica.lock:
                told.update((book, one) for one in agents_of(replica, book, agent))
            yield (book, agent), found


def _line(replica: Service, book: str, agent: str, found: Found) -> dict[str, Any]:
    views = _reservations(replica, book, agent)
    return {
        "agent_id": agent,
        "venue": book.partition("/")[2],
        "fit": FITS[found.fit],
        "guest": _newest_card(replica, book, agent),
        "reservations": len(views),
        "last_code": views[-1].code if views else None,
    }


def _newest_card(replica: Service, book: str, agent: str) -> dict[str, Any]:
    return newest_card(replica, book, _agents(replica, book, agent))


def newest_card(replica: Service, book: str, agents: Sequence[str]) -> dict[str, Any]:
    """What the newest card of these agent ids says that can be opened; empty where none can. The
    note of a cancellation is none of the guest's own words."""
    for placed in reversed(_placed(replica, book, agents)):
        with replica.lock:
            event = carrier(replica, placed)
        if event is not None and not isinstance(event, ReservationCancelled):
            card = _opened(replica, placed, card_of(event)[0])
            if card:
                return card
    return {}


def _placed(replica: Service, book: str, agents: Sequence[str]) -> list[PlacedCard]:
    """The cards of these agent ids, the oldest first. What the house noted about a person is none
    of them."""
    with replica.lock:
        found = [
            card
            for one in agents
            for card in replica.store.cards.placed_of(book, one)
            if card.reservation
        ]
    return sorted(found, key=lambda card: (card.stamp, card.operation))


def _opened(
    replica: Service, placed: PlacedCard, sealed: SealedCard | None
) -> dict[str, Any] | None:
    """A card in clear."""
    if sealed is None:
        return None
    return replica.cards.read(placed.book.partition("/")[2], [placed.agent_id], sealed)


def _reservations(replica: Service, book: str, agent: str) -> list[View]:
    """All of a person's reservations, holds and places on waitlists, by their start."""
    with replica.lock:
        agents = agents_of(replica, book, agent)
    found = [view for one in agents for view in reservations_under(replica, book, one)]
    return sorted(found, key=lambda view: (view.starts_at, view.id))


def reservations_under(replica: Service, book: str, agent: str) -> list[View]:
    """What stands under one agent id."""
    found: list[View] = []
    after: tuple[int, bytes] | None = None
    while True:
        with replica.lock:
            page = replica.store.projections.select(
                book=book, agent_id=agent, form=None, after=after, limit=LIST_LIMIT_MAX
            )
        found += page
        if len(page) < LIST_LIMIT_MAX:
            return found
        after = (page[-1].starts_at, page[-1].id)


# --- naming ---------------------------------------------------------------------------------------


def beginning(replica: Service, text: str, limit: int = LIST_LIMIT) -> list[dict[str, Any]]:
    """Whose agent id begins so, at most `limit` of them in the order of the ids, with how many
    reservations each has here. Pseudonyms alone: every device may tell. Raises Invalid."""
    start = pseudonyms.beginning_of(text)
    if start is None:
        least = pseudonyms.BEGINNING_CHARS_MIN
        raise Invalid.field("begins", f"must be agent_ and {least} to 32 characters of an agent id")
    last = start + pseudonyms.ALPHABET[-1] * (pseudonyms.AGENT_ID_CHARS - len(start))
    with replica.lock:
        erased = {
            agent
            for state in replica.books.values()
            for agent in state.administration.erasures
            if agent.startswith(start)
        }
        known = erased.union(
            replica.store.projections.agents(start, last, limit),
            replica.store.cards.agents(start, last, limit),
            replica.store.restrictions.agents(start, last, limit),
            replica.store.guest_entries.agents(start, last, limit),
        )
    return [_named(replica, agent) for agent in sorted(known)[:limit]]


def _named(replica: Service, agent: str) -> dict[str, Any]:
    with replica.lock:
        books = sorted(replica.books)
    views = [view for book in books for view in reservations_under(replica, book, agent)]
    newest = max(views, key=lambda view: view.starts_at, default=None)
    return {
        "agent_id": agent,
        "reservations": len(views),
        "last_code": newest.code if newest is not None else None,
    }


# --- one person -----------------------------------------------------------------------------------


def show(replica: Service, agent: str) -> list[tuple[str, dict[str, Any], list[View]]]:
    """Of each venue here that knows a person: its book, the newest card, and the reservations.
    Raises Forbidden, RuleViolated, Invalid, NotFound."""
    readable = require_reading(replica)
    known = [book for book in replica.forgetting.known_by_any(agent) if book in readable]
    if not known:
        raise NotFound(f"{agent} is known here in venues alone whose cards are not read here")
    return [
        (book, _newest_card(replica, book, agent), _reservations(replica, book, agent))
        for book in known
    ]


def export(replica: Service, agent: str, by: str = "") -> dict[str, Any]:
    """Everything that this device has of a person, as a document that says its own form: cards in
    every version, reservations with their history, restrictions and profile, who was told to forget
    them.

    That it was taken out is written into the book, once in EXPORT_NOTED_SECONDS for each who asks
    (`by`): what is read again must not grow everybody's history. Raises as `show`.
    """
    found = show(replica, agent)
    with replica.lock:
        asked = [(by, book, one) for book, _, _ in found for one in agents_of(replica, book, agent)]
        unnoted = [one for one in asked if not replica.cards.exports.is_noted(one)]
        if unnoted:
            with replica.transaction():
                for _, book, one in unnoted:
                    replica.append(book, GuestExported(one))
            replica.cards.exports.note(unnoted)
    return {
        "format": EXPORT_FORMAT,
        "version": EXPORT_VERSION,
        "exported_at": rfc3339_ms(replica.clock.now_ms()),
        "exported_by": replica.name,
        "agent_id": agent,
        "venues": [
            {
                "venue": book.partition("/")[2],
                "name": _venue_name(replica, book),
                "cards": _cards(replica, book, agent),
                "reservations": [_history(replica, view) for view in views],
                "erasures": [
                    {
                        "asked_at": rfc3339_ms(one["asked_at_ms"]),
                        "by": one["by"],
                        "reason": one["reason"],
                    }
                    for each in _agents(replica, book, agent)
                    for one in replica.forgetting.report(each)
                    if one["counts"] and one["venue"] == book.partition("/")[2]
                ],
                **_terms(replica, book, agent),
                **known_at(replica, book, agent),
                "notes": guest_notes.exported_at(replica, book, agent),
                "descriptions": guest_details.exported_at(replica, book, agent),
            }
            for book, _, views in found
        ],
    }


def _agents(replica: Service, book: str, agent: str) -> list[str]:
    with replica.lock:
        return sorted(agents_of(replica, book, agent))


def known_at(replica: Service, book: str, agent: str, *, who: bool = False) -> dict[str, Any]:
    """What a venue whose cards are read here knows of a person beside cards and reservations; `who`
    adds who of the house said so."""
    with replica.lock:
        agents = agents_of(replica, book, agent)
        merges = merges_at(replica, book, agents)
        flags = guest_marks.flags_at(replica, book, agent, who=who)
        erasures = replica.book(book).administration.erasures
        erased = sorted(one for one in agents if erasures.get(one))
    return {
        "agent_ids": sorted(agents),
        "erased": erased,
        "merges": merges,
        "flags": flags,
        "details": guest_details.details_at(replica, book, agent),
    }


def page_at(replica: Service, book: str, agent: str) -> dict[str, Any]:
    """`known_at`, with the figures of their reservations and the notes that stand."""
    here = replica.book(book).administration.venue is not None
    notes = guest_notes.items_at(replica, book, agent)
    return {
        **known_at(replica, book, agent, who=True),
        "history": guest_history.history_at(replica, book, agent) if here else None,
        "notes": [one for one in notes if one["withdrawn"] is None],
    }


def _terms(replica: Service, book: str, agent: str) -> dict[str, Any]:
    """What a person may not reserve, and what the house knows them as."""
    with replica.lock:
        return {
            "restrictions": guest_terms.items_at(replica, book, agent),
            "profile": guest_terms.profile_at(replica, book, agent),
        }


def _venue_name(replica: Service, book: str) -> str | None:
    index = replica.book(book).administration.venue
    return index.venue.name if index is not None else None


def _cards(replica: Service, book: str, agent: str) -> list[dict[str, Any]]:
    """Every card of a person, the oldest first; of an erased one only that it was there."""
    cards = replica.store.cards
    shown = []
    for one in _placed(replica, book, _agents(replica, book, agent)):
        with replica.lock:
            sealed, erased = sealed_card(replica, one), cards.erased(book, one.id)
        opened = _opened(replica, one, sealed)
        state = READABLE if opened is not None else ERASED if erased else UNREADABLE
        shown.append(
            {
                "card": one.id.hex(),
                "agent_id": one.agent_id,
                "written_at": rfc3339_ms(one.stamp >> 16),
                "by": _writer(replica, one),
                "reservation": subject_of(replica, book, one.reservation),
                "state": state,
                "guest": opened,
            }
        )
    return shown


def _writer(replica: Service, placed: PlacedCard) -> str:
    record = replica.record(placed.reservation, placed.book)
    for entry in record.seen if record is not None else ():
        if entry.operation == placed.operation:
            return node_name(replica, placed.book, entry.node)
    return "unknown"


def _history(replica: Service, view: View) -> dict[str, Any]:
    changes: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        items, cursor = audit_entries(
            replica, uuid_text(view.id), limit=LIST_LIMIT_MAX, cursor=cursor
        )
        # Who of the house did it is not the guest's to be handed.
        changes += [{name: one[name] for name in one if name not in AUDIT_ACTOR} for one in items]
        if cursor is None:
            break
    return {"id": uuid_text(view.id), "code": view.code, "changes": changes}
