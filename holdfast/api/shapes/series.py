"""How reservations look that were asked for together, by one rule."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Shape, VenueTime, one_of
from holdfast.api.shapes.reservations import Reservation
from holdfast.api.shapes.venues import Slot


class RefusedDate(Shape, kw_only=True):
    """A date of a recurrence that cannot be had."""

    starts_at: VenueTime
    error: Annotated[
        str,
        one_of(
            ("not-available", "rule-violated", "rate-limited"),
            description="what a request for this date alone is answered with",
        ),
    ]
    detail: Annotated[str, Meta(description="why, a sentence for a person")]
    alternatives: Annotated[
        list[Slot], Meta(description="the nearest slots that can be had, as far as is known here")
    ]


class Series(Shape, kw_only=True):
    """What became of the dates of a recurrence, each list in their order."""

    series: Annotated[
        str, Meta(description="32 hexadecimal digits, as in the `series` of each of them")
    ]
    items: Annotated[list[Reservation], Meta(description="what was made")]
    refused: Annotated[list[RefusedDate], Meta(description="what could not be had; empty: all was")]
