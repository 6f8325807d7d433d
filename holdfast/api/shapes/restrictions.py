"""How restrictions of a person and their profile look to who may read them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Items, OperationId, Shape, UtcTime, VenueTime, one_of
from holdfast.model import restrictions


class RestrictionLift(Shape, kw_only=True):
    """That a restriction binds no more."""

    reason: Annotated[str, Meta(description="a code")]
    by: Annotated[str, Meta(description="name of the device where it was lifted")]
    lifted_at: UtcTime


class Restriction(Shape, kw_only=True):
    """What a person may not reserve at a venue."""

    id: OperationId
    agent_id: Annotated[str, Meta(description="pseudonym of the guest")]
    venue: Annotated[str, Meta(description="id of the venue that it is for")]
    restriction: Annotated[
        str,
        one_of(
            restrictions.KINDS,
            description=(
                "`booking-ban`: no reservation; `max-concurrent`: so many to come at a time; "
                "`max-advance-days`: so many days ahead"
            ),
        ),
    ]
    value: Annotated[int | None, Meta(description="its number; null: it has none")]
    until: Annotated[
        VenueTime | None,
        Meta(description="the first instant at which it binds no more; null: when it is lifted"),
    ]
    reason: Annotated[str, Meta(description="a code")]
    state: Annotated[str, one_of(restrictions.STATES, description="by this device's clock")]
    by: Annotated[str, Meta(description="name of the device where it was made")]
    made_at: UtcTime
    lifted: RestrictionLift | None


class RestrictionList(Items[Restriction], kw_only=True):
    """Restrictions, the oldest first."""


class GuestProfile(Shape, kw_only=True):
    """What a venue knows a person as."""

    agent_id: Annotated[str, Meta(description="pseudonym of the guest")]
    venue: Annotated[str, Meta(description="id of the venue")]
    tier: Annotated[str | None, Meta(description="a code; null: none")]
    tags: Annotated[list[str], Meta(description="codes")]
    by: Annotated[
        str | None, Meta(description="name of the device where it was set; null: it never was")
    ]
    set_at: UtcTime | None
