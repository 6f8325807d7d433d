"""How blocks look: places that the house took out of use."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import (
    Identity,
    Items,
    OperationState,
    Shape,
    VenueTime,
    Who,
)
from holdfast.api.shapes.reservations import (
    Assurance,
    Claim,
    Code,
    ServiceDate,
    Status,
    VenueId,
    WaitsFor,
)
from holdfast.api.shapes.venues import BlockKind, BlockReason


class Occurrence(Shape, kw_only=True):
    """One date of a series, which is a block of its own."""

    id: Identity
    code: Code
    starts_at: VenueTime
    ends_at: VenueTime


class Block(Shape, kw_only=True):
    """Places out of use for a time, as far as this replica knows."""

    id: Identity
    code: Code
    venue: VenueId
    service_date: ServiceDate
    kind: BlockKind
    reason: BlockReason
    resources: Annotated[list[str], Meta(description="ids, in the order of `claims`")]
    starts_at: VenueTime
    ends_at: VenueTime
    claims: list[Claim]
    status: Status
    assurance: Assurance
    waits_for: WaitsFor
    series: Annotated[
        str | None,
        Meta(description="32 hexadecimal digits, the same for all dates of a recurrence"),
    ]
    conflicts: Annotated[
        list[str],
        Meta(description="ids of the reservations whose place it takes: find them another"),
    ]
    made_by: Annotated[str, Meta(description="name of the node that made it")]
    made_at: VenueTime
    created_by: Annotated[
        Who | UnsetType | None,
        Meta(description="who made it; null: nobody is named; only for staff"),
    ] = UNSET
    sync: OperationState
    note: Annotated[
        str | UnsetType,
        Meta(description="only where this replica can read it and the token may"),
    ] = UNSET
    occurrences: Annotated[
        list[Occurrence] | UnsetType,
        Meta(description="of a recurrence: the dates that stand, from this one on"),
    ] = UNSET


class BlockList(Items[Block], kw_only=True):
    """Blocks, sorted by `starts_at`, then id."""
