"""Blocks: places that the house takes out of use, once or again and again.

Owns the reading of a request, what stands in the way of it, and its writing: all dates and all
resources of a request, or none. A block is a making like any other (`events.Form`): it takes its
place from the right of whoever writes it, asks the holder where that is another, and is freed by
being cancelled. With `force` it stands over reservations, which stay as they are: a person finds
them another place.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from holdfast.model import calendar, lifecycle, vocabulary, wall
from holdfast.model.entries import Claim
from holdfast.model.errors import Conflict, Invalid, NotFound
from holdfast.model.events import Form, ReservationCreated
from holdfast.model.forms import form_now
from holdfast.model.ids import uuid_text
from holdfast.model.limits import CLAIMS_PER_ENTRY_MAX, OCCURRENCES_MAX
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
"""Ids that a conflict has; its sentence names _NAMED codes."""
_NAMED: Final = 5
_LISTED_MAX: Final = 10_000
_GONE: Final = (lifecycle.CANCELLED, lifecycle.EXPIRED, lifecycle.COMPLETED)


class _Plan(NamedTuple):
    """A request that was understood: what it takes on each of its dates."""

    request: BlockRequest
    venue: VenueIndex
    dates: list[list[Claim]]
    form: Form


def block(replica: Service, request: BlockRequest) -> list[View]:
    """Take resources out of use, on every date of a recurrence: all of them or none.

    Raises Invalid, NotFound, Conflict (with `conflicts`, the ids in the way) unless `force`,
    RoleForbidden.
    """
    plan = _planned(replica, request)
    with replica.transaction():
        if not request.force:
            _require_free(replica, plan)
        return _written(replica, plan)


def block_all(replica: Service, requests: Sequence[BlockRequest]) -> list[list[View]]:
    """The same for several requests, in one step: all of them or none. What is wrong with each is
    told by its place. Raises what `block` does."""
    plans = _all_planned(replica, requests)
    if sum(len(plan.dates) for plan in plans) > OCCURRENCES_MAX:
        raise Invalid.field("items", f"have more than {OCCURRENCES_MAX} dates together; send less")
    made: list[list[View]] = []
    refused: dict[int, Conflict] = {}
    with replica.transaction():
        own: set[bytes] = set()
        for n, plan in enumerate(plans):
            try:
                if not plan.request.force:
                    _require_free(replica, plan, own)
                made.append(_written(replica, plan))
                own.update(view.id for view in made[-1])
            except Conflict as error:
                refused[n] = error
        if refused:
            raise _refusal(refused)
    return made


def _all_planned(replica: Service, requests: Sequence[BlockRequest]) -> list[_Plan]:
    plans, faults = [], []
    for n, request in enumerate(requests):
        try:
            plans.append(_planned(replica, request))
        except Invalid as error:
            faults += [
                {"field": f"items[{n}].{one['field']}", "message": one["message"]}
                for one in error.extra["errors"]
            ]
    if faults:
        raise Invalid("; ".join(f"{one['field']}: {one['message']}" for one in faults), faults)
    return plans


def _refusal(refused: dict[int, Conflict]) -> Conflict:
    """What stands in the way of each item; nothing of the others was written either."""
    ids = dict.fromkeys(one for error in refused.values() for one in error.extra["conflicts"])
    errors = [
        {"field": f"items[{n}]", "message": error.detail} for n, error in sorted(refused.items())
    ]
    told = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
    return Conflict(
        f"nothing was taken out of use: {told}", conflicts=list(ids)[:_SHOWN], errors=errors
    )


def _planned(replica: Service, request: BlockRequest) -> _Plan:
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
    dates = [_claims(venue, request, start, end) for start, end in times]
    series = os.urandom(16) if len(dates) > 1 else b""
    form = Form(BLOCK, use=request.kind, reason=reason, series=series)
    return _Plan(request, venue, dates, form)


def _written(replica: Service, plan: _Plan) -> list[View]:
    return [_write(replica, plan.venue, plan.request, claims, plan.form) for claims in plan.dates]


def unblock(replica: Service, reference: str, *, series: bool = False) -> list[View]:
    """Put what was taken out of use back, on one date or all later ones of its series. Raises
    NotFound, BadTransition."""
    with replica.transaction():
        view = found(replica, reference)
        assert view.form is not None
        ending = [view]
        if series:
            ending += [one for one in later(replica, view) if one.id != view.id]
        return [
            marking.cancel(replica, uuid_text(one.id), "other", "venue", late=True)
            for one in ending
        ]


def later(replica: Service, view: View) -> list[View]:
    """The blocks of a series that stand, from this one on; of one that is alone, none."""
    assert view.form is not None
    if not view.form.series:
        return []
    return [
        one
        for one in in_use(replica, recording.venue_of(view), view.starts_at)
        if one.form is not None and one.form.series == view.form.series
    ]


def found(replica: Service, reference: str) -> View:
    """A block, by id or code. Raises NotFound."""
    view = recording.find(replica, reference)
    if view.form is None or view.form.form != BLOCK:
        raise NotFound(f"{reference} is a reservation, and no block")
    return view


def note_agents(replica: Service, reference: str) -> list[str]:
    """The agent ids under which the note of a block is sealed, of every date of its series,
    whatever became of it. A block is nobody's reservation: these ids stand for no person. Raises
    NotFound."""
    with replica.lock:
        view = found(replica, reference)
        if view.form is None or not view.form.series:
            return [view.agent_id]
        views = [
            one
            for status in (None, *_GONE)
            for one in replica.store.projections.select(
                book=view.book, form=BLOCK, status=status, limit=-1
            )
        ]
    series = view.form.series
    return sorted({one.agent_id for one in views if one.form and one.form.series == series})


def in_use(
    replica: Service, venue: str, starts_from: int | None = None, starts_before: int | None = None
) -> list[View]:
    """The blocks of a venue that stand, in the order of their starts. Raises NotFound."""
    replica.venue(venue)
    with replica.lock:
        return replica.store.projections.select(
            book=replica.book_of(venue), form=BLOCK, starts_from=starts_from,
            starts_before=starts_before, limit=_LISTED_MAX,
        )  # fmt: skip


def is_block(view: View) -> bool:
    """Whether something was made to take places out of use."""
    return view.form is not None and view.form.form == BLOCK


def conflicts(replica: Service, view: View) -> list[View]:
    """The reservations whose place a block stands over: a person finds them another."""
    if view.status in _GONE:
        return []
    with replica.lock:
        venue = replica.book(view.book).administration.venue
        occupancy = replica.store.projections.occupancy(view.book)
        ids: dict[bytes, None] = {}
        for claim in shown_claims(view):
            resource = venue.resource(claim.resource) if venue is not None else None
            capacity = resource.capacity if resource is not None else 0
            if occupancy.free(claim.resource, capacity, claim.start, claim.end) < 0:
                ids |= {
                    held.reservation: None
                    for held in occupancy.overlapping(claim.resource, claim.start, claim.end)
                    if held.live and held.reservation != view.id
                }
        return _by_start(replica, view.book, ids)


def _by_start(replica: Service, book: str, ids: Collection[bytes]) -> list[View]:
    views = [view for one in ids if (view := replica.view(one, book)) is not None]
    return sorted(views, key=lambda view: (view.starts_at, view.id))


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
        quantity = resource.capacity if request.quantity is None else request.quantity
        if not 1 <= quantity <= resource.capacity:
            raise Invalid.field("quantity", f"{name} has {resource.capacity}, not {quantity}")
        claims.append(Claim(name, start, end, quantity))
    return claims


def _require_free(replica: Service, plan: _Plan, own: Collection[bytes] = ()) -> None:
    """Raises Conflict, which names what is in the way; `own` was made by the same request."""
    book = replica.book_of(plan.venue.venue.id)
    occupancy = replica.store.projections.occupancy(book)
    in_the_way: dict[bytes, None] = {}
    for claim in (claim for claims in plan.dates for claim in claims):
        capacity = plan.venue.resource_by_id[claim.resource].capacity
        if occupancy.free(claim.resource, capacity, claim.start, claim.end) < claim.quantity:
            for held in occupancy.overlapping(claim.resource, claim.start, claim.end):
                in_the_way[held.reservation] = None
    if not in_the_way:
        return
    views = [view for view in _by_start(replica, book, in_the_way) if view.id not in own]
    if not views:
        raise Conflict("overlaps with another item of the same request", conflicts=[])
    standing = [view for view in views if view.status not in _GONE]
    views, over = standing or views, not standing
    codes = [view.code for view in views]
    named = ", ".join(codes[:_NAMED]) + (" …" if len(codes) > _NAMED else "")
    way_out = "move them first, or block the place all the same (`force`) and find them another"
    if all(form_now(view) == BLOCK for view in views):
        way_out = "blocked already; take that block away first, or block it once more (`force`)"
    if over:
        way_out = (
            "ended already, but who holds the place has not answered yet; try again after the next "
            "exchange, or block it all the same (`force`)"
        )
    raise Conflict(
        f"{len(codes)} in the way: {named}; {way_out}",
        conflicts=[uuid_text(view.id) for view in views[:_SHOWN]],
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
