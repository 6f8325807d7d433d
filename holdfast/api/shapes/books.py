"""How books, exceptions and the record of changes look."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import (
    Digest,
    Identity,
    Items,
    Life,
    OperationId,
    Shape,
    UtcTime,
    VenueTime,
    one_of,
)
from holdfast.api.shapes.reservations import GuestCard, LostPromise

# --- books ----------------------------------------------------------------------------------------


class BookLine(Shape, kw_only=True):
    """A book in short."""

    book: Annotated[str, Meta(description="tenant and venue")]
    venue: Annotated[str, Meta(description="id of the venue")]
    digest: Digest
    entries: Annotated[int, Meta(description="how many entries")]
    reservations: Annotated[int, Meta(description="how many reservations")]
    waiting: Annotated[int, Meta(description="entries whose predecessors have not come yet")]
    chains: Annotated[int, Meta(description="lives of devices that wrote here")]
    forks: Annotated[int, Meta(description="second branches of chains")]


class BookList(Items[BookLine], kw_only=True):
    """The books held here, by venue."""


class Page(Shape, kw_only=True):
    """A page: up to 4,096 entries of one chain."""

    node: Annotated[str, Meta(description="name of its writer")]
    incarnation: Life
    page: Annotated[int, Meta(description="its number in the chain, from 0")]
    entries: Annotated[int, Meta(description="how many entries")]
    verified: Annotated[bool, Meta(description="a seal that was checked covers all of it")]
    branch: Annotated[
        str | UnsetType, Meta(description="only of a second branch: which, in hexadecimal digits")
    ] = UNSET


class Head(Shape, kw_only=True):
    """Where a chain ends."""

    node: Annotated[str, Meta(description="name of its writer")]
    incarnation: Life
    entries: Annotated[int, Meta(description="how many entries")]
    hash: Annotated[str, Meta(description="of its last entry, in hexadecimal digits")]
    branch: Annotated[
        str | UnsetType, Meta(description="only of a second branch: which, in hexadecimal digits")
    ] = UNSET


class BookOfDate(Shape, kw_only=True):
    """What is held of one service date. Of nothing known: no entries."""

    digest: Annotated[
        Digest,
        Meta(
            description="of the folded reservations, equal on all that hold the same entries: 64 "
            "hexadecimal digits"
        ),
    ]
    entries: Annotated[int, Meta(description="how many entries")]
    schema: Annotated[int, Meta(description="version of the entries' schema")]
    waiting: Annotated[int, Meta(description="entries whose predecessors have not come yet")]
    reservations: Annotated[int, Meta(description="how many reservations")]
    pages: list[Page]


class Book(BookOfDate, kw_only=True):
    """What is held of a whole book. Of nothing known: no entries."""

    heads: list[Head]


# --- exceptions -----------------------------------------------------------------------------------


class Choice(Shape, kw_only=True):
    """One thing that can be done about an exception."""

    action: Annotated[str, Meta(description="what `resolve` takes")]
    does: Annotated[str, Meta(description="what it does, for a person")]


class NeedsPerson(Shape, kw_only=True):
    """What a person must look at."""

    id: Annotated[str, Meta(description="what it is about, and its kind")]
    kind: Annotated[str, Meta(description="such as displaced, two_parties or quarantined")]
    subject: Annotated[str, Meta(description="id of the reservation, or how people call it")]
    venue: Annotated[str, Meta(description="id of the venue")]
    detail: Annotated[str, Meta(description="what happened and what to do")]
    since: UtcTime
    actions: Annotated[list[str], Meta(description="what `resolve` takes; empty: nothing here")]
    choices: Annotated[list[Choice], Meta(description="the same actions, in words")]
    others: Annotated[
        list[str] | UnsetType,
        Meta(description="of parties at one table: ids of those who sat there before"),
    ] = UNSET
    code: Annotated[
        str | UnsetType | None, Meta(description="of a reservation: what people call it")
    ] = UNSET
    service_date: Annotated[
        str | UnsetType | None, Meta(description="of a reservation: `YYYY-MM-DD`")
    ] = UNSET
    starts_at: Annotated[
        VenueTime | UnsetType,
        Meta(description="of a reservation: RFC 3339, with the venue's offset at that instant"),
    ] = UNSET
    party_size: Annotated[int | UnsetType, Meta(description="of a reservation: people")] = UNSET
    resources: Annotated[
        list[str] | UnsetType,
        Meta(description="of a reservation: ids of what it has, or asked for last"),
    ] = UNSET
    promised: Annotated[
        bool | UnsetType,
        Meta(
            description="of a reservation: the guest was told that it is booked, and it has no "
            "place now; such items come first"
        ),
    ] = UNSET
    lost_promise: Annotated[
        LostPromise | UnsetType | None,
        Meta(description="of a reservation: how its promise was lost; null: none was"),
    ] = UNSET
    guest: Annotated[
        GuestCard | UnsetType,
        Meta(
            description="of a reservation: only where this replica can read the card and the token "
            "may; not in the stream"
        ),
    ] = UNSET


class NeedsPersonList(Items[NeedsPerson], kw_only=True):
    """What a person must look at: first who was promised a place and lost it, then the oldest."""


class Resolved(Shape, kw_only=True):
    """What was said about an exception, and done."""

    id: Annotated[str, Meta(description="what it is about, and its kind")]
    state: Annotated[str, one_of(("resolved",), description="how it stands now")]
    action: Annotated[str, Meta(description="what was done")]
    reason: Annotated[str, Meta(description="a code")]


# --- the record of changes ------------------------------------------------------------------------


class Change(Shape, kw_only=True):
    """One entry: who, when, what, and what it changed. Nothing personal stands in it."""

    venue: Annotated[str, Meta(description="id of the venue")]
    node: Annotated[str, Meta(description="name of its writer")]
    role: Annotated[str, Meta(description="of its writer, such as front-desk or hub")]
    incarnation: Life
    kind: Annotated[str, Meta(description="such as reservation.created")]
    what: Annotated[str, Meta(description="the kind in words")]
    at: VenueTime
    uncertainty_ms: Annotated[
        int, Meta(description="how wrong the writer's clock may have been, milliseconds")
    ]
    operation: OperationId
    reservation: Identity | None
    code: Annotated[str | None, Meta(description="of the reservation: what people call it")]
    counts: Annotated[bool, Meta(description="false: quarantined, or of a newer schema")]
    before: Annotated[dict[str, Any], Meta(description="fields that it changed, as they were")]
    after: Annotated[dict[str, Any], Meta(description="fields that it changed, as they became")]
    by: Annotated[
        str | UnsetType | None,
        Meta(
            description="pseudonym of the person or application that did it; null: the device; not "
            "in a guest's export"
        ),
    ] = UNSET
    by_name: Annotated[
        str | UnsetType | None,
        Meta(description="of a login or token of this device; null: not known here; as `by`"),
    ] = UNSET


class ChangeList(Items[Change], kw_only=True):
    """Changes, the oldest first. `next` leads on, or with `newest` back."""
