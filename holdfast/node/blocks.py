"""Blocks: places that the house takes out of use, once or again and again.

Owns the reading of a request, what stands in the way of it, and its writing: all dates and all
resources of a request, or none. A block is a making like any other (`events.Form`): it takes its
place from the right of whoever writes it, asks the holder where that is another, and is freed by
being cancelled. With `force` it stands over reservations, which stay as they are: a person finds
them another place.
"""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.model import calendar, lifecycle, vocabulary, wall
from holdfast.model.entries import Claim
from holdfast.model.errors import Conflict, Invalid, NotFound
from holdfast.model.events import Form, ReservationCreated
from holdfast.model.limits import CLAIMS_PER_ENTRY_MAX
from holdfast.model.offers import VenueIndex
from holdfast.model.pseudonyms import walk_in_agent_id
from holdfast.model.recurrence import occurrences
from holdfast.model.reservation import BLOCK, View, shown_claims
from holdfast.node import marking, recording, reserving, selling
from holdfast.node.reasons import reason_code
from holdfast.node.requests import BlockRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service

FORCED: Final = "management"
"""Why a block may stand over what was sold: the house says so."""
_SHOWN: Final = 50
_GONE: Final = (lifecycle.CANCELLED, lifecycle.EXPIRED, lifecycle.COMPLETED)


def block(replica: Service, request: BlockRequest) -> list[View]:
    """Take resources out of use, on every date of a recurrence: all of them or none.

    Raises Invalid, Conflict (with `conflicts`, the ids in the way) unless `force`, RoleForbidden.
    """
    venue = replica.venue(request.venue)
    reason = _words(request)
    times = occurrences(
        venue.venue,
        wall.local_to_epoch(venue.venue, request.starts_at, "starts_at"),
        wall.local_to_epoch(venue.venue, request.ends_at, "ends_at"),
        request.rrule,
    )
    if times[0][0] >= times[0][1]:
        raise Invalid.field("ends_at", "must be after starts_at")
    if any(one[1] > then[0] for one, then in pairwise(sorted(times))):
        raise Invalid.field("rrule", "its dates overlap; make each shorter, or fewer")
    wanted = [_claims(venue, request, start, end) for start, end in times]
    with replica.transaction():
        if not request.force:
            _require_free(replica, venue, [claim for claims in wanted for claim in claims])
        series = os.urandom(16) if len(wanted) > 1 else b""
        form = Form(BLOCK, use=request.kind, reason=reason, series=series)
        return [_write(replica, venue, request, claims, form) for claims in wanted]


def unblock(replica: Service, reference: str, *, series: bool = False) -> list[View]:
    """Put what was taken out of use back, on one date or all later ones of its series. Raises
    NotFound, BadTransition."""
    with replica.transaction():
        view = found(replica, reference)
        assert view.form is not None
        ending = [view]
        if series and view.form.series:
            ending += [
                one
                for one in in_use(replica, recording.venue_of(view), view.starts_at)
                if one.id != view.id and one.form is not None
                and one.form.series == view.form.series
            ]  # fmt: skip
        return [marking.cancel(replica, one.code, "other", "venue", late=True) for one in ending]


def found(replica: Service, reference: str) -> View:
    """A block, by id or code. Raises NotFound."""
    view = recording.find(replica, reference)
    if view.form is None or view.form.form != BLOCK:
        raise NotFound(f"{reference} is a reservation, and no block")
    return view


def in_use(
    replica: Service, venue: str, starts_from: int | None = None, starts_before: int | None = None
) -> list[View]:
    """The blocks of a venue that stand, in the order of their starts. Raises NotFound."""
    replica.venue(venue)
    views = replica.store.projections.select(
        book=replica.book_of(venue), form=BLOCK, starts_from=starts_from,
        starts_before=starts_before, limit=10_000,
    )  # fmt: skip
    return [view for view in views if view.status not in _GONE]


def conflicts(replica: Service, view: View) -> list[View]:
    """The reservations whose place a block stands over: a person finds them another."""
    ids: dict[bytes, None] = {}
    occupancy = replica.store.projections.occupancy(view.book)
    for claim in shown_claims(view):
        for held in occupancy.overlapping(claim.resource, claim.start, claim.end):
            if held.live and held.reservation != view.id:
                ids[held.reservation] = None
    return [one for one in (replica.view(other, view.book) for other in ids) if one is not None]


def _words(request: BlockRequest) -> str:
    if request.kind not in vocabulary.BLOCK_KINDS:
        allowed = ", ".join(sorted(vocabulary.BLOCK_KINDS))
        raise Invalid.field("kind", f"must be one of {allowed}")
    if not request.resources or len(request.resources) > CLAIMS_PER_ENTRY_MAX:
        raise Invalid.field("resources", f"name 1 to {CLAIMS_PER_ENTRY_MAX} of them")
    if len(set(request.resources)) < len(request.resources):
        raise Invalid.field("resources", "names one of them twice")
    if not request.reason:
        return ""
    return reason_code(request.reason, vocabulary.BLOCK_REASONS, has_note=True)


def _claims(venue: VenueIndex, request: BlockRequest, start: int, end: int) -> list[Claim]:
    claims = []
    for name in request.resources:
        resource = venue.resource(name)
        if resource is None:
            raise Invalid.field("resources", f"{name!r} is no resource of {venue.venue.name}")
        quantity = request.quantity or resource.capacity
        if not 1 <= quantity <= resource.capacity:
            raise Invalid.field("quantity", f"{name} has {resource.capacity}, not {quantity}")
        claims.append(Claim(name, start, end, quantity))
    return claims


def _require_free(replica: Service, venue: VenueIndex, claims: list[Claim]) -> None:
    occupancy = replica.store.projections.occupancy(replica.book_of(venue.venue.id))
    in_the_way: dict[bytes, None] = {}
    for claim in claims:
        capacity = venue.resource_by_id[claim.resource].capacity
        if occupancy.free(claim.resource, capacity, claim.start, claim.end) < claim.quantity:
            for held in occupancy.overlapping(claim.resource, claim.start, claim.end):
                in_the_way[held.reservation] = None
    if not in_the_way:
        return
    book = replica.book_of(venue.venue.id)
    views = [view for one in in_the_way if (view := replica.view(one, book)) is not None]
    codes = [view.code for view in sorted(views, key=lambda view: (view.starts_at, view.id))]
    raise Conflict(
        f"{len(codes)} in the way: {', '.join(codes[:5])}{' …' if len(codes) > 5 else ''}; move "
        "them first, or block the place all the same (`force`) and find them another",
        conflicts=codes[:_SHOWN],
    )


def _write(
    replica: Service, venue: VenueIndex, request: BlockRequest, claims: list[Claim], form: Form
) -> View:
    terms = selling.terms(replica, venue, claims)
    override = ""
    if request.force and not terms.guaranteed:
        terms = selling.terms(replica, venue, claims, override=True, blocking=True)
        override = FORCED if terms.overbooked or not terms.guaranteed else ""
    made = tuple(
        msgspec.structs.replace(
            claim, right=terms.rights[at] if terms.guaranteed else b"", asks=terms.asks
        )
        for at, claim in enumerate(claims)
    )
    book, now_ms = replica.book_of(request.venue), replica.clock.now_ms()
    block_id = replica.reservation_ids.next(replica.identity.incarnation, now_ms)
    agent = walk_in_agent_id(os.urandom(20))
    card = reserving.sealed_card(
        replica, venue, agent, {"note": request.note} if request.note else None
    )
    event = ReservationCreated(
        agent_id=agent,
        party_size=1,
        code=reserving.next_code(replica, venue, book, now_ms // 1000),
        service_date=calendar.service_date(venue.venue, claims[0].start).isoformat(),
        kind="house",
        card=card,
        override=override,
        form=form,
    )
    with recording.refused_as_invalid():
        replica.append(book, event, subject=block_id, claims=made)
    return recording.view_of(replica, block_id, book)
