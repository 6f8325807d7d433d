"""How reservations look that were asked for together, by one rule."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Date, Shape, VenueTime, one_of
from holdfast.api.shapes.reservations import Reservation
from holdfast.api.shapes.venues import Slot
from holdfast.model.patterns import NAMES


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


class GuestPattern(Shape, kw_only=True):
    """A habit of a guest, as far as it can be seen from dates."""

    agent_id: Annotated[str, Meta(description="pseudonym of the guest")]
    venue: Annotated[str, Meta(description="id of the venue")]
    pattern: Annotated[
        str | None,
        one_of((*NAMES, None), description="every week or every other, and on which day"),
    ]
    dates: Annotated[int | None, Meta(description="how many in a row, up to the latest")]
    next: Annotated[
        Date | None, Meta(description="the first of its dates to come that stands in none yet")
    ]
