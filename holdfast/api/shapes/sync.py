"""How the queue, the exchange with the hub and the clock look."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import (
    Date,
    Items,
    OperationId,
    OperationState,
    QueueCounts,
    Shape,
    StampText,
    UtcTime,
    VenueTime,
    one_of,
)
from holdfast.api.shapes.reservations import Decision

# --- the queue ------------------------------------------------------------------------------------


class Concerned(Shape, kw_only=True):
    """Whom an operation is about, as it stands here now."""

    form: Annotated[
        str,
        one_of(("reservation", "hold", "waitlist", "block"), description="what it is now"),
    ]
    name: Annotated[
        str | None,
        Meta(description="of the guest; null: unknown, or not for this replica or token to read"),
    ]
    service_date: Date
    starts_at: VenueTime
    party_size: Annotated[int, Meta(description="people")]
    resources: Annotated[list[str], Meta(description="ids of what it has, or asks for")]


class Operation(Shape, kw_only=True):
    """Something written here, and its fate."""

    id: OperationId
    kind: Annotated[str, Meta(description="such as reservation.created")]
    subject: Annotated[str, Meta(description="how people call it: a reservation's code, or an id")]
    venue: Annotated[str, Meta(description="id of the venue")]
    stamp: StampText
    state: OperationState
    attempts: Annotated[int, Meta(description="exchanges that carried it and failed")]
    next_attempt_at: Annotated[UtcTime | None, Meta(description="null: with the next exchange")]
    reason: Annotated[str | None, Meta(description="why it is not merged, in words")]
    decision: Decision | None
    reservation: Annotated[str | None, Meta(description="id of the reservation that it is about")]
    written_at: UtcTime
    about: Annotated[Concerned | None, Meta(description="null: it is about no reservation")]


class OperationList(Items[Operation], kw_only=True):
    """What was written here, in the order of writing, or with `newest` the last first."""

    counts: QueueCounts


# --- the exchange with the hub --------------------------------------------------------------------


class SyncStatus(Shape, kw_only=True):
    """How the exchange with the hub stands. A hub has none: it is where the others connect."""

    state: Annotated[
        str,
        one_of(
            ("connected", "offline", "paused", "backing_off"),
            description="`backing_off`: it failed more than once, and is tried less often",
        ),
    ]
    reason: Annotated[
        str | None,
        Meta(
            description="`revoked`: the hub has shut this device out; `expired`: its certificate "
            "has ended; else null"
        ),
    ]
    detail: Annotated[str | None, Meta(description="why the state is as it is, in words")]
    way_out: Annotated[
        list[str], Meta(description="commands that let a device in again that is not heard")
    ]
    hub: Annotated[str | None, Meta(description="URL of the hub; null at the hub")]
    last_exchange_at: Annotated[
        UtcTime | None, Meta(description="at the hub: when any device was last heard")
    ]
    queued: Annotated[int, Meta(description="operations that wait for an answer of the hub")]
    queue: Annotated[QueueCounts | UnsetType, Meta(description="at a node")] = UNSET
    books_differing: Annotated[
        list[str] | UnsetType,
        Meta(description="at a node: ids of venues whose books differed after the last exchange"),
    ] = UNSET
    last_error: Annotated[
        str | UnsetType,
        Meta(description="at a node: why the last exchange failed; empty: it did not"),
    ] = UNSET


class SyncLine(Shape, kw_only=True):
    """A line of the log."""

    at: UtcTime
    event: Annotated[str, Meta(description="a code")]
    detail: Annotated[str, Meta(description="what happened, in words")]


class SyncLog(Items[SyncLine], kw_only=True):
    """What the exchange did lately, the oldest line first."""


class Exchanged(Shape, kw_only=True):
    """What an exchange did."""

    pushed: Annotated[int, Meta(description="entries sent")]
    pulled: Annotated[int, Meta(description="entries received")]
    verdicts: Annotated[dict[str, int], Meta(description="how many of ours got which verdict")]
    books_differing: Annotated[
        list[str], Meta(description="ids of venues whose books differ; empty: both sides agree")
    ]
    hub_state: Annotated[
        str,
        one_of(
            ("serving", "recovering"),
            description="`recovering`: restored, and waiting to hear every device",
        ),
    ]


# --- the clock ------------------------------------------------------------------------------------

ClockState = Annotated[
    str,
    one_of(
        ("disciplined", "holdover", "undisciplined"),
        description="`holdover`: was disciplined, and heard nothing for a while",
    ),
]


class TimeSource(Shape, kw_only=True):
    """What a time server, or the hub, last said."""

    source: Annotated[str, Meta(description="`host[:port]`, or hub")]
    result: Annotated[
        str,
        one_of(
            ("agrees", "falseticker", "undecided", "refused", "not-needed"),
            description="`undecided`: believed, but no majority",
        ),
    ]
    reason: Annotated[str | None, Meta(description="a code; null: believed")]
    offset_ms: Annotated[float | UnsetType, Meta(description="of our wall clock, milliseconds")] = (
        UNSET
    )
    delay_ms: Annotated[float | UnsetType, Meta(description="of the round trip")] = UNSET
    error_ms: Annotated[float | UnsetType, Meta(description="how far off it may be")] = UNSET
    stratum: Annotated[int | UnsetType | None, Meta(description="NTP's; null: not known")] = UNSET
    kiss: Annotated[str | UnsetType, Meta(description="NTP's kiss code")] = UNSET
    hub_disciplined: Annotated[
        bool | UnsetType, Meta(description="of the hub: whether something disciplines its clock")
    ] = UNSET
    age_seconds: Annotated[float, Meta(description="since it answered")]


class ClockStep(Shape, kw_only=True):
    """A jump of the operating system's clock."""

    at: UtcTime
    by_ms: Annotated[int, Meta(description="milliseconds")]
    followed: Annotated[bool, Meta(description="whether Holdfast's clock went with it")]


class ClockStatus(Shape, kw_only=True):
    """What Holdfast's clock says, and how wrong it may be."""

    state: ClockState
    offset_ms: Annotated[
        float, Meta(description="Holdfast's clock less the operating system's, milliseconds")
    ]
    uncertainty_ms: Annotated[float, Meta(description="how wrong it may be, milliseconds")]
    earliest: Annotated[UtcTime, Meta(description="it is not before this")]
    latest: Annotated[UtcTime, Meta(description="it is not after this")]
    now: UtcTime
    disciplined_by: Annotated[str | None, Meta(description="what set it; null: nothing did")]
    sources: list[TimeSource]
    test_wall_ms: Annotated[
        float, Meta(description="what a test adds to the operating system's clock")
    ]
    steps_noticed: Annotated[int, Meta(description="how often it jumped since the process began")]
    steps: Annotated[list[ClockStep], Meta(description="the newest of them")]


class ClockSample(Shape, kw_only=True):
    """What time servers said, just now."""

    applied: Annotated[bool, Meta(description="whether the clock was set by it")]
    reason: Annotated[str | None, Meta(description="a code: why it was not")]
    state: ClockState
    offset_ms: Annotated[
        float, Meta(description="Holdfast's clock less the operating system's, milliseconds")
    ]
    uncertainty_ms: Annotated[float, Meta(description="how wrong it may be, milliseconds")]
    servers: list[TimeSource]
