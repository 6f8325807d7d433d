"""Holds: a place kept for some minutes, while a guest pays or types (DESIGN §5.10, §6).

Owns placing, lengthening, giving back and reserving a hold, and the same for what was offered to
somebody who waited. A hold is a reservation that nobody has made yet: the same id, code and claims,
in the status `intent`. Reserving it takes new claims of the same place in the place of the held
ones, in one entry where this replica holds them; else its holder decides, as of any move, and until
then nothing is promised: the holder may be letting it lapse at this moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.model import lifecycle
from holdfast.model.errors import (
    BadTransition,
    Gone,
    Invalid,
    NotAvailable,
    NotFound,
    RuleViolated,
)
from holdfast.model.events import Form, ReservationAmended, ReservationReserved
from holdfast.model.forms import HOLD, made_as
from holdfast.model.ids import uuid_text
from holdfast.model.limits import HOLD_MINUTES_MAX
from holdfast.model.offers import Choice
from holdfast.model.reservation import View, content_of, wished_claims
from holdfast.node import (
    amending,
    banned_contacts,
    holding_apart,
    marking,
    placing,
    recording,
    reserving,
    restricting,
)
from holdfast.node.asking import Asked, Place
from holdfast.node.requests import HoldRequest, PatchRequest, ReserveRequest
from holdfast.node.restricting import STAFF, Asking

if TYPE_CHECKING:
    from holdfast.node.service import Service


def place(
    replica: Service, request: HoldRequest, asking: Asking = STAFF, *, by_guest: bool = False
) -> View:
    """Hold a place, for the venue's `hold_minutes` unless the request says for how long. Raises
    what `reserving.create` does, Invalid for minutes beyond HOLD_MINUTES_MAX."""
    usual = replica.venue(request.venue).venue.policies.hold_minutes
    minutes = _minutes(usual if request.minutes is None else request.minutes)
    form = Form(HOLD, replica.clock.now_ms() + minutes * 60_000)
    return reserving.create(replica, request.wanted(), asking, by_guest=by_guest, form=form)


def extend(replica: Service, reference: str, minutes: int) -> View:
    """Keep a hold longer, once: HOLD_MINUTES_MAX from its making at the most. Raises Gone,
    BadTransition, RuleViolated, Invalid, NotFound."""
    with replica.transaction():
        view = standing(replica, found(replica, reference))
        record = replica.record(view.id, view.book)
        assert record is not None
        if any(
            isinstance(event := content_of(seen), ReservationAmended)
            and "expires_at_ms" in event.fields
            for seen in record.seen
        ):
            message = f"{view.code} was kept longer already; that is possible once."
            raise RuleViolated(message, [{"rule": "extended", "message": message}])
        latest = view.made_at_ms + HOLD_MINUTES_MAX * 60_000
        until = min(view.expires_at_ms + _minutes(minutes) * 60_000, latest)
        return recording.write(replica, view, ReservationAmended({"expires_at_ms": until}))


def change(
    replica: Service,
    reference: str,
    patch: PatchRequest,
    if_match: str | None = None,
    asking: Asking = STAFF,
    *,
    by_guest: bool = False,
) -> View:
    """Hold another place, or another time, instead: the old one is kept until the new one is
    certain. Whoever placed it may, once it was answered (`holding_apart`). Raises what
    `amending.amend` does, and Gone."""
    with replica.transaction():
        view = standing(replica, found(replica, reference))
        return amending.amend(
            replica, uuid_text(view.id), patch, if_match, asking, by_guest=by_guest
        )


def release(replica: Service, reference: str) -> View:
    """Give a hold back. Raises Gone, BadTransition, NotFound."""
    with replica.transaction():
        view = standing(replica, found(replica, reference))
        return marking.cancel(replica, uuid_text(view.id), "not_needed", "guest", late=True)


def reserve(
    replica: Service,
    reference: str,
    request: ReserveRequest,
    asking: Asking = STAFF,
    *,
    by_guest: bool = False,
) -> View:
    """Make a reservation of a hold, at the place where it is held. Raises NotFound, Gone where it
    has lapsed, NotAvailable where no place is held, BadTransition, Invalid, Forbidden, and what
    the rules say of the person, where that is another than it was held for."""
    return take(replica, found(replica, reference), request, asking, by_guest=by_guest)


def take(
    replica: Service,
    view: View,
    request: ReserveRequest,
    asking: Asking = STAFF,
    *,
    by_guest: bool = False,
) -> View:
    """The same of what is held for somebody, in whatever form."""
    with replica.transaction():
        view = standing(replica, view)
        holding_apart.require_reservable(replica, view)
        venue = replica.venue(recording.venue_of(view))
        # Of two offers that nobody has answered the later one is taken, and not both.
        claims = view.live or wished_claims(view)
        if not claims:
            raise NotAvailable(
                f"no place is held for {view.code}; take another time, or ask for the waitlist"
            )
        fields = _fields(replica, view, request)
        agent = str(fields.get("agent_id", view.agent_id))
        restricting.require(
            replica, venue, agent, view.kind, start=view.starts_at, exclude=view.id, asking=asking
        )
        card = None
        if agent != view.agent_id and view.card is not None and not request.guest:
            # Sealed for whoever waited, it would be forgotten with them alone, and not with the
            # person under whose id it goes on being shown.
            raise Invalid.field(
                "guest",
                f"the details of {view.code} were given without this person's id; send them again "
                "with it, or leave the person out",
            )
        if request.guest:
            fields["agent_id"] = agent
            card = reserving.sealed_card(replica, venue, agent, request.guest)
        at = Place(
            min(claim.start for claim in claims),
            max(claim.end - claim.buffer for claim in claims),
            view.nights or None, view.party_size, None, claims[0].buffer,
        )  # fmt: skip
        if agent != view.agent_id:
            # Who may have so many holds none more under no name, to reserve it under theirs.
            source = str(fields.get("source", view.source))
            asked = Asked(view.kind, source, agent, by_guest)
            placing.check_person(replica, venue, at, asked, plain=asking.plain)
        choice = Choice(
            tuple(claim.resource for claim in claims), tuple(claim.quantity for claim in claims)
        )
        banned_contacts.require(replica, venue, agent, request.guest, view.kind, asking=asking)
        written = placing.claims_of(replica, venue, at, choice, view)
        return recording.write(
            replica, view, ReservationReserved(fields, card), claims=written.claims,
            ends=written.ends,
        )  # fmt: skip


def found(replica: Service, reference: str) -> View:
    """What was made as a hold, whatever became of it. Raises NotFound."""
    view = recording.find(replica, reference)
    if made_as(view) != HOLD:
        raise NotFound(f"{reference} is no hold")
    return view


def standing(replica: Service, view: View) -> View:
    """The same, where it is held and has not lapsed. Raises Gone, BadTransition."""
    if view.status == lifecycle.EXPIRED:
        raise Gone(f"{view.code} has lapsed; look for a place again")
    if view.status != lifecycle.INTENT:
        raise BadTransition(
            f"{view.code} is {lifecycle.called(view.status)}, and no hold any more", view.status
        )
    if replica.clock.now_ms() >= view.expires_at_ms:
        raise Gone(f"{view.code} has lapsed; look for a place again")
    return view


def _fields(replica: Service, view: View, request: ReserveRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if request.user_id is not None or request.agent_id is not None:
        fields["agent_id"] = reserving.agent_of(replica, request.user_id, request.agent_id)
    reserving.check_words(view.kind, request.source, request.occasion, request.metadata)
    for name in ("source", "occasion", "may_move"):
        value = getattr(request, name)
        if value is not None:
            fields[name] = value
    if request.metadata:
        fields["metadata"] = request.metadata
    return {name: value for name, value in fields.items() if getattr(view, name) != value}


def _minutes(minutes: int) -> int:
    if not 1 <= minutes <= HOLD_MINUTES_MAX:
        raise Invalid.field("minutes", f"must be 1 to {HOLD_MINUTES_MAX}")
    return minutes
