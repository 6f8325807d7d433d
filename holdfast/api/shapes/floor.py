"""How the floor of a venue looks at an instant: its tables, who sits there, who is awaited."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import Date, Identity, Shape, VenueTime, one_of
from holdfast.api.shapes.reservations import Assurance, Code, GuestCard, Occasion, Status
from holdfast.api.shapes.venues import FloorEntry, ResourceEntry
from holdfast.model import vocabulary
from holdfast.model.floor import STATES

TableStateWord = Annotated[
    str,
    one_of(
        STATES,
        description=(
            "`reserved`: somebody is due there soon, or late; `cleaning`: somebody left it, and "
            "nobody has said that it is clean; `blocked`: out of use for a time; `inactive`: the "
            "venue file says so"
        ),
    ),
]


class PartyAtTable(Shape, kw_only=True):
    """Who sits at a table, or is awaited there."""

    id: Identity
    code: Code
    status: Status
    assurance: Assurance
    starts_at: VenueTime
    ends_at: VenueTime
    party_size: Annotated[int, Meta(description="people; of who is here as many as came")]
    checked_in_at: VenueTime | None
    occasion: Occasion | None
    area: Annotated[str | None, Meta(description="the area asked for")]
    may_move: Annotated[bool, Meta(description="they take another place as well")]
    guest: Annotated[
        GuestCard | UnsetType,
        Meta(description="only where this replica can read it and the token may"),
    ] = UNSET


class BlockAtTable(Shape, kw_only=True):
    """What a table is out of use for."""

    id: Identity
    code: Code
    kind: Annotated[str, one_of(sorted(vocabulary.BLOCK_KINDS), description="what it is used for")]
    reason: Annotated[str | None, Meta(description="why, a code; null: nobody said")]
    ends_at: VenueTime


class TableState(ResourceEntry, kw_only=True):
    """A resource of the venue file, and how it stands."""

    state: TableStateWord
    since: Annotated[VenueTime | None, Meta(description="since when; null: nobody said")]
    party: Annotated[list[PartyAtTable], Meta(description="who sits there")]
    due: Annotated[list[PartyAtTable], Meta(description="who is awaited now; late ones first")]
    next_party: Annotated[
        PartyAtTable | None, Meta(description="who comes after that, today or tomorrow")
    ]
    block: BlockAtTable | None
    taken: Annotated[int, Meta(description="how much of it is sat at, as the resource counts")]
    promised: Annotated[int, Meta(description="how much of it is due, as the resource counts")]


class StateCounts(Shape, kw_only=True):
    """How many resources stand how."""

    available: Annotated[int, Meta(description="free")]
    reserved: Annotated[int, Meta(description="somebody is due there")]
    occupied: Annotated[int, Meta(description="somebody sits there")]
    cleaning: Annotated[int, Meta(description="to be cleaned")]
    blocked: Annotated[int, Meta(description="out of use for a time")]
    inactive: Annotated[int, Meta(description="out of use by the venue file")]


class FloorTotals(Shape, kw_only=True):
    """What is in use of a floor: inactive resources are not counted among `tables` and `seats`."""

    tables: Annotated[int, Meta(description="resources that are active")]
    seats: Annotated[int, Meta(description="people whom they take; without a number: none")]
    states: StateCounts


class FloorPlan(FloorEntry, Shape, kw_only=True):
    """A plan, and what stands on it."""

    totals: FloorTotals


class Floor(Shape, kw_only=True):
    """The floor of a venue at an instant, as far as this replica knows."""

    venue: Annotated[str, Meta(description="id of the venue")]
    at: VenueTime
    date: Annotated[Date, Meta(description="the service date of that instant")]
    floors: Annotated[list[FloorPlan], Meta(description="in the order of the venue file")]
    totals: FloorTotals
    items: Annotated[list[TableState], Meta(description="in the order of the venue file")]
