"""What an error looks like: a problem (RFC 9457), with the members that some kinds of it have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import Shape, VenueTime, one_of
from holdfast.api.shapes.reservations import FieldError, Status
from holdfast.api.shapes.series import RefusedDate
from holdfast.api.shapes.venues import OutOfUse, Slot
from holdfast.model.errors import HoldfastError
from holdfast.model.floor import STATES

TYPE_PREFIX: Final = "urn:holdfast:error:"


def _tree(kind: type[HoldfastError]) -> Iterator[type[HoldfastError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


STATUS_BY_NAME: Final = {kind.name: kind.status for kind in _tree(HoldfastError)} | {
    "method-not-allowed": 405
}
"""Every problem that there is, by the name at the end of its type, with its HTTP status."""


TYPES: Final = tuple(TYPE_PREFIX + name for name in STATUS_BY_NAME)


class Violation(Shape, kw_only=True):
    """A rule of the venue that says no."""

    rule: Annotated[str, Meta(description="a code")]
    message: Annotated[str, Meta(description="a sentence for a person")]


class Problem(Shape, kw_only=True):
    """An error (RFC 9457), and the way out of it."""

    type: Annotated[
        str,
        one_of(
            TYPES,
            description="which error it is; further members depend on it",
        ),
    ]
    title: Annotated[str, Meta(description="the kind of error in words")]
    status: Annotated[int, Meta(description="the HTTP status")]
    detail: Annotated[str, Meta(description="a sentence that names the thing and the way out")]
    errors: Annotated[
        list[FieldError] | UnsetType,
        Meta(description="`invalid`: every field at fault; `conflict`: every item of several"),
    ] = UNSET
    alternatives: Annotated[
        list[Slot] | UnsetType,
        Meta(
            description="`not-available`: the nearest slots that are believed to be free, of that "
            "day, or where it has too few of a week around it; where an area was asked for, then "
            "the same start in others; of nights, then the same nights in other kinds "
            "(`resource_kind`)"
        ),
    ] = UNSET
    waitlist_available: Annotated[
        bool | UnsetType,
        Meta(description="`not-available`: whether the party can wait for a place that day"),
    ] = UNSET
    violations: Annotated[
        list[Violation] | UnsetType,
        Meta(
            description="`rule-violated`: every rule that says no; `rate-limited`: the rule, where "
            "it is one of the venue"
        ),
    ] = UNSET
    suggestions: Annotated[
        list[Slot] | UnsetType, Meta(description="`rule-violated`: what the rules would allow")
    ] = UNSET
    reservation_status: Annotated[
        Status | UnsetType, Meta(description="`bad-transition`: how the reservation stands")
    ] = UNSET
    table_state: Annotated[
        str | UnsetType,
        one_of(STATES, description="`bad-transition` of a table: how it stands"),
    ] = UNSET
    conflicts: Annotated[
        list[str] | UnsetType,
        Meta(description="`conflict` of a block: ids of the reservations in the way"),
    ] = UNSET
    refused: Annotated[
        list[RefusedDate] | UnsetType,
        Meta(description="`conflict` of a series: the dates that cannot be had, and why"),
    ] = UNSET
    retry_after: Annotated[
        int | UnsetType, Meta(description="`rate-limited`: seconds, as in `Retry-After`")
    ] = UNSET
    reason: Annotated[
        str | UnsetType,
        Meta(
            description="`not-available`: `full`, or `blocked` where all that would do is out of "
            "use. `forbidden`, where no reservation is taken for the guest: why, a code; to who "
            "may read restrictions alone"
        ),
    ] = UNSET
    blocks: Annotated[
        list[OutOfUse] | UnsetType,
        Meta(description="`not-available` that is `blocked`: by what; only for the house"),
    ] = UNSET
    restriction: Annotated[
        str | UnsetType, Meta(description="of `forbidden`: the restriction's id")
    ] = UNSET
    until: Annotated[
        VenueTime | UnsetType | None,
        Meta(description="beside that: until when; null: until it is lifted"),
    ] = UNSET
    taken_as: Annotated[
        str | UnsetType,
        Meta(description="`gone` of an offer that was taken: the code of the reservation"),
    ] = UNSET
    error_id: Annotated[
        str | UnsetType, Meta(description="`internal`: under what the log has it")
    ] = UNSET
