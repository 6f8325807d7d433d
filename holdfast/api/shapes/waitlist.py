"""How the waitlist looks: who waits for a place, since when, and what was offered."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from holdfast.api.shapes.common import (
    Date,
    Identity,
    Items,
    OperationState,
    Shape,
    VenueTime,
    one_of,
)
from holdfast.api.shapes.reservations import (
    Assurance,
    Code,
    GuestCard,
    KnownGuest,
    Status,
    VenueId,
    WaitsFor,
)
from holdfast.model import waitlist


class Offer(Shape, kw_only=True):
    """A place that is held for a party that waits, until it is accepted or lapses."""

    starts_at: VenueTime
    ends_at: VenueTime
    resources: Annotated[list[str], Meta(description="ids")]
    expires_at: VenueTime
    assurance: Assurance
    waits_for: WaitsFor


class WaitingParty(Shape, kw_only=True):
    """A party on the waitlist of a service date, as far as this replica knows."""

    id: Annotated[
        Identity, Meta(description="UUIDv7; the reservation that it becomes has the same")
    ]
    code: Code
    venue: VenueId
    date: Annotated[Date, Meta(description="the service date that it waits for")]
    earliest: Annotated[VenueTime, Meta(description="a place may start from here on")] = field(
        name="from"
    )
    latest: Annotated[VenueTime, Meta(description="and until here")] = field(name="to")
    party_size: Annotated[int, Meta(description="people")]
    area: Annotated[str | None, Meta(description="the area asked for")]
    resource_kind: Annotated[str | None, Meta(description="the kind of resource asked for")]
    position: Annotated[int, Meta(description="in the line, from 1 on; 0: not in it any more")]
    state: Annotated[
        str,
        one_of(
            waitlist.STATES,
            description=(
                "`displaced`: it had asked for a place that was promised to somebody else before, "
                "and stands in front; `accepted`: it has a place"
            ),
        ),
    ]
    status: Status
    priority: Annotated[int, Meta(description="of two, the lower goes first")]
    quoted_minutes: Annotated[
        int | None,
        Meta(description="how long it may take, from what is known here; null: nobody can say"),
    ]
    offer: Offer | None
    agent_id: Annotated[
        str | None,
        Meta(description="pseudonym of the guest; null at a screen that anybody stands at"),
    ]
    made_by: Annotated[
        str, Meta(description="name of the node that made it; empty: not told, as to guests")
    ]
    made_at: VenueTime
    expires_at: Annotated[VenueTime | None, Meta(description="until when it waits at the latest")]
    sync: OperationState
    guest: Annotated[
        GuestCard | UnsetType,
        Meta(description="only where this replica can read the card and the token may"),
    ] = UNSET
    known_as: Annotated[
        list[KnownGuest] | UnsetType, Meta(description="as in reservations; not in lists")
    ] = UNSET


class OfferLink(Shape, kw_only=True):
    """The address at which a party takes what it is offered."""

    secret: Annotated[
        str, Meta(description="whoever has it may take the place; it goes into no URL but a `#`")
    ]
    path: Annotated[str, Meta(description="of the page, behind this replica's address: `/offer#…`")]
    expires_at: Annotated[VenueTime, Meta(description="from then on it is dead")]


class OfferedPlace(Shape, kw_only=True):
    """What is offered, as whoever has the address may know it: no name, and no table."""

    venue: VenueId
    venue_name: Annotated[str, Meta(description="as guests call it")]
    code: Code
    party_size: Annotated[int, Meta(description="people")]
    starts_at: VenueTime
    ends_at: VenueTime
    expires_at: Annotated[VenueTime, Meta(description="until when it may be taken")]


class TakenPlace(Shape, kw_only=True):
    """What was taken, as whoever took it may know it."""

    venue: VenueId
    venue_name: Annotated[str, Meta(description="as guests call it")]
    code: Code
    party_size: Annotated[int, Meta(description="people")]
    starts_at: VenueTime
    ends_at: VenueTime
    status: Status
    assurance: Assurance


class WaitingList(Items[WaitingParty], kw_only=True):
    """Who waits, date by date, in the order of their turns."""
