"""The same reference of a partner twice is one reservation (H-18), as far as a device has heard.

Owns the way from a reference to what was made under it here, and what devices that were apart made
under one. A reference goes no further than this: what is written and looked for is its digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model import partners
from holdfast.model.errors import Invalid
from holdfast.model.partners import PARTNER_SOURCES, SameReference
from holdfast.model.reservation import View, resolutions
from holdfast.node.replica import Replica
from holdfast.node.requests import CreateRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service


def digest_in(replica: Replica, request: CreateRequest) -> bytes:
    """What an entry has of a request's partner reference; empty where it has none. Raises
    Invalid."""
    if request.partner_reference is None:
        return b""
    if request.source not in PARTNER_SOURCES:
        named = " or ".join(sorted(PARTNER_SOURCES))
        raise Invalid.field("partner_reference", f"is a partner's: give it with a source, {named}")
    return _digest(replica, request.venue, request.source, request.partner_reference)


def known(replica: Replica, request: CreateRequest) -> View | None:
    """The reservation that was made under a request's partner reference, as far as this device has
    heard of one: whatever else the request says, and whatever became of it. Raises Invalid."""
    partner = digest_in(replica, request)
    return partners.first_of(_made_under(replica, replica.book_of(request.venue), partner))


def find(replica: Service, venue: str, reference: str, source: str | None = None) -> list[View]:
    """All that was made at a venue under a reference: of this source, or of any that a partner
    has. Raises Invalid, NotFound."""
    replica.venue(venue)
    if source is not None and source not in PARTNER_SOURCES:
        raise Invalid.field("source", f"must be one of {', '.join(sorted(PARTNER_SOURCES))}")
    asked = [source] if source is not None else sorted(PARTNER_SOURCES)
    found = [
        view
        for one in asked
        for view in _made_under(
            replica, replica.book_of(venue), _digest(replica, venue, one, reference)
        )
    ]
    return sorted(found, key=lambda view: (view.starts_at, view.id))


def twice(replica: Replica, book: str) -> list[SameReference]:
    """What stands more than once under one reference, less that of which a person said that both
    stay. Call under the lock."""
    found = []
    for partner in replica.store.projections.partners_twice(book, partners.STANDING):
        same = partners.same_reference(replica.store.projections.with_partner(book, partner))
        if same is not None and not _is_resolved(replica, book, same):
            found.append(same)
    return sorted(found, key=lambda one: (one.since_ms, one.spare))


def _is_resolved(replica: Replica, book: str, same: SameReference) -> bool:
    """Whichever of them it was said of: who sits down meanwhile is not the spare one any more."""
    records = [replica.record(one, book) for one in (same.spare, *same.others)]
    return any(partners.is_resolved(same, resolutions(record.seen)) for record in records if record)


def _digest(replica: Replica, venue: str, source: str, reference: str) -> bytes:
    problem = partners.problem_of(reference)
    if problem is not None:
        raise Invalid.field("partner_reference", problem)
    key = replica.identity.pseudonym_key
    return partners.digest_of(key, replica.book_of(venue), source, reference)


def _made_under(replica: Replica, book: str, partner: bytes) -> list[View]:
    if not partner:
        return []
    with replica.lock:
        if replica.in_transaction:
            # What the same transaction made before counts.
            replica.write_projections()
        return replica.store.projections.with_partner(book, partner)
