"""What the shapes share: instants, dates, closed lists of words, and lists that come in pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from holdfast.store.queue import STATES

Item = TypeVar("Item")


class Shape(msgspec.Struct, kw_only=True):
    """The base of every answer."""


class Who(Shape, kw_only=True):
    """Who of the house did something, or which application, as the device that wrote it says."""

    agent_id: Annotated[str, Meta(description="pseudonym")]
    name: Annotated[
        str | None, Meta(description="of a login or token of this device; null: not known here")
    ]


def one_of(words: Iterable[str], *, description: str = "") -> Meta:
    """A text of a closed list. The document names the words; the list stands where they arise."""
    return Meta(description=description or None, extra_json_schema={"enum": list(words)})


VenueTime = Annotated[
    str,
    Meta(
        description="RFC 3339, with the venue's offset at that instant",
        extra_json_schema={"format": "date-time"},
    ),
]
UtcTime = Annotated[
    str, Meta(description="RFC 3339 in UTC", extra_json_schema={"format": "date-time"})
]
Date = Annotated[str, Meta(description="`YYYY-MM-DD`", extra_json_schema={"format": "date"})]
Identity = Annotated[str, Meta(description="UUIDv7", extra_json_schema={"format": "uuid"})]
Digest = Annotated[str, Meta(description="64 hexadecimal digits")]
Life = Annotated[
    str, Meta(description="an incarnation, one life of one device: 32 hexadecimal digits")
]
StampText = Annotated[
    str,
    Meta(
        description=(
            "a hybrid timestamp: Unix milliseconds, a counter and the writer's incarnation, in "
            "hexadecimal digits; they sort as texts"
        )
    ),
]
OperationId = Annotated[str, Meta(description="an operation: 32 hexadecimal digits")]
OperationState = Annotated[
    str,
    one_of(
        STATES,
        description=(
            "the fate of what was written here; `deferred`: of a newer schema, counts after an "
            "upgrade; `quarantined`: can never count"
        ),
    ),
]


class Items(Shape, Generic[Item], kw_only=True):
    """A page of a list."""

    items: list[Item]
    next: Annotated[
        str | None, Meta(description="`cursor` of the next page; null: this is the last")
    ]


class QueueCounts(Shape, kw_only=True):
    """How many of the operations written here have come to each fate; finished ones stay 7 days."""

    queued: Annotated[int, Meta(description="waits for the next exchange")]
    sent: Annotated[int, Meta(description="on its way, not answered yet")]
    merged: Annotated[int, Meta(description="the hub has it")]
    deferred: Annotated[int, Meta(description="of a newer schema than the hub's")]
    quarantined: Annotated[int, Meta(description="can never count; withdraw it")]
    withdrawn: Annotated[int, Meta(description="given up by its writer")]
