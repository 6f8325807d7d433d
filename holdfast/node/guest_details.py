"""What a person prefers, eats and agrees to, at a venue: said field by field, and shown.

Owns these commands and their answers as JSON values. Which word on a field stands is
`model.guest_details`' rule; all of it is sealed like a card, and forgotten like one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast.model import guest_details
from holdfast.model.errors import Invalid, Stale
from holdfast.model.events import GuestDescribed
from holdfast.model.guest_details import FIELDS, TEXTS, TIME_ZONE, Said, Standing
from holdfast.model.limits import GUEST_CARDS_OPENED_MAX
from holdfast.node import cards
from holdfast.node.guest_scope import (
    Sees,
    everywhere,
    require_agent,
    require_reading,
    venue_meant,
    writer_at,
)
from holdfast.node.recording import refused_as_invalid
from holdfast.node.same_guests import agents_of
from holdfast.store.guest_entries import GuestEntry

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service


def describe(
    replica: Service,
    agent: str,
    fields: Mapping[str, Any],
    *,
    venue: str | None = None,
    if_match: str | None = None,
    sees: Sees = everywhere,
) -> dict[str, Any]:
    """Say some fields of what a venue knows of a person, and return how all stand; None takes one
    away, what is not named stays. Raises Invalid, NotFound, Forbidden, RuleViolated; Stale where
    another `version` stands than `if_match`; no error repeats a value."""
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    said = _checked(fields)
    book = replica.book_of(index.venue.id)
    require_reading(replica, book)
    with replica.transaction():
        standing = standing_at(replica, book, agent)
        if if_match is not None and if_match != _version(standing):
            raise Stale(
                "more was said of this guest meanwhile; read it again and repeat the change"
            )
        known = {field: one.value for field, one in standing.items()}
        news = {field: value for field, value in said.items() if known.get(field) != value}
        if news:
            card = replica.cards.seal_fields(index.venue.id, agent, news)
            with refused_as_invalid():
                replica.append(book, GuestDescribed(agent, card))
        return details_at(replica, book, agent)


def details(
    replica: Service, agent: str, *, venue: str | None = None, sees: Sees = everywhere
) -> dict[str, Any]:
    """What a venue knows of a person. Raises Invalid, NotFound, Forbidden, RuleViolated."""
    index = venue_meant(replica, venue, sees)
    require_agent(agent)
    book = replica.book_of(index.venue.id)
    require_reading(replica, book)
    return details_at(replica, book, agent)


def version(
    replica: Service, agent: str, *, venue: str | None = None, sees: Sees = everywhere
) -> str:
    """What changes with every word on a person that counts: 16 hexadecimal digits, from the
    operations alone and from nothing that they say. Raises as `details`."""
    index = venue_meant(replica, venue, sees)
    return _version(standing_at(replica, replica.book_of(index.venue.id), agent))


def _version(standing: Mapping[str, Standing]) -> str:
    said = ";".join(f"{field} {one.by.hex()}" for field, one in standing.items())
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    problems = []
    for field, given in fields.items():
        value = (given.strip() or None) if isinstance(given, str) else given
        problem = guest_details.problem(field, value)
        if problem is None and field in TEXTS and value is not None and not cards.is_text(value):
            problem = "has characters that are no text"
        if problem is None and field == TIME_ZONE and not (value is None or _is_zone(value)):
            problem = "must be a time zone such as Europe/Rome"
        if problem is not None:
            problems.append({"field": field, "message": problem})
        said[field] = value
    if problems:
        detail = "; ".join(f"{one['field']} {one['message']}" for one in problems)
        raise Invalid(detail, problems)
    return said


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def details_at(replica: Service, book: str, agent: str) -> dict[str, Any]:
    """Every field of a person in a book, None where nothing is said, and who said each when."""
    entries = {one.id: one for one in _written(replica, book, agent)}
    standing = standing_at(replica, book, agent)
    with replica.lock:
        return {
            "agent_id": agent,
            "venue": book.partition("/")[2],
            **{field: standing[field].value if field in standing else None for field in FIELDS},
            "said": [
                {
                    "field": field,
                    "by": writer_at(replica, book, entries[one.by].chain),
                    "said_at_ms": one.stamp >> 16,
                }
                for field, one in standing.items()
            ],
        }


def exported_at(replica: Service, book: str, agent: str) -> list[dict[str, Any]]:
    """Everything that was ever said of a person's details in a book, the oldest first, for the
    person; `fields` None where it was erased or its key is not here."""
    shown = []
    for one in _written(replica, book, agent):
        opened = list(_opened(replica, book, [one]))
        with replica.lock:
            shown.append(
                {
                    "by": writer_at(replica, book, one.chain),
                    "said_at_ms": one.stamp >> 16,
                    "fields": dict(opened[0].fields) if opened else None,
                }
            )
    return shown


def standing_at(replica: Service, book: str, agent: str) -> dict[str, Standing]:
    """The fields of a person that have a value, under whatever agent id."""
    found = _written(replica, book, agent)[-GUEST_CARDS_OPENED_MAX:]
    return guest_details.standing(_opened(replica, book, found))


def _written(replica: Replica, book: str, agent: str) -> list[GuestEntry]:
    with replica.lock:
        found = [
            one
            for each in agents_of(replica, book, agent)
            for one in replica.store.guest_entries.of(book, each, "guest.described")
            if replica.vouched(book, one.chain, one.n)
        ]
    return sorted(found, key=lambda one: (one.stamp, one.id))


def _opened(replica: Service, book: str, found: Iterable[GuestEntry]) -> Iterable[Said]:
    for one in found:
        assert isinstance(one.said, GuestDescribed)
        card = replica.cards.read(book.partition("/")[2], [one.said.agent_id], one.said.card)
        if card is not None:
            yield Said(one.id, one.stamp, card)
