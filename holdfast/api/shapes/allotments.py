"""How allotments look: who may sell what, and what the venue file wishes."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.shapes.common import Items, Shape, VenueTime, one_of
from holdfast.node.allotments import STATES


class Allotment(Shape, kw_only=True):
    """The right of one device to sell something by itself, or a wish for one."""

    id: Annotated[
        str, Meta(description="32 hexadecimal digits, of the operation that granted it; or a wish")
    ]
    venue: Annotated[str, Meta(description="id of the venue")]
    holder: Annotated[str, Meta(description="name of a node; of a wish also of one to come")]
    resources: Annotated[list[str], Meta(description="ids; of a wish also patterns such as `T*`")]
    quantity: Annotated[int | None, Meta(description="of each resource; null: all of it")]
    sold: Annotated[int, Meta(description="how much of it is sold and lies ahead")]
    valid_from: VenueTime | None
    valid_until: Annotated[VenueTime | None, Meta(description="null: without an end")]
    releases_at: Annotated[
        VenueTime | None,
        Meta(description="when the next of it goes back to the hub; null: never, or at its start"),
    ]
    release_minutes: Annotated[
        int | None, Meta(description="before the start; 0: at the start; null: never")
    ]
    state: Annotated[
        str,
        one_of(
            STATES,
            description=(
                "`stranded`: released by this replica's clock, and its holder's return is not "
                "here; `closed`: its time, or the life of the device that held it, is over; "
                "`wish`: the venue file says so, nobody has it"
            ),
        ),
    ]
    reason: Annotated[str | None, Meta(description="why it stands so, in words")]


class HubsRest(Shape, kw_only=True):
    """What was granted to nobody, so that the hub sells it."""

    venue: Annotated[str, Meta(description="id of the venue")]
    resources: Annotated[list[str], Meta(description="ids")]
    quantity: Annotated[int | None, Meta(description="of each resource; null: all of it")]
    valid_from: Annotated[VenueTime | None, Meta(description="null: now")]
    valid_until: Annotated[VenueTime | None, Meta(description="null: without an end")]


class AllotmentList(Items[Allotment], kw_only=True):
    """What is in force, what ended within seven days, and what the venue file wishes beside it."""

    rest: Annotated[
        list[HubsRest] | UnsetType,
        Meta(description="what is in none of them, and so the hub's; with `include=rest` alone"),
    ] = UNSET
    former: Annotated[
        list[str] | UnsetType,
        Meta(
            description="after `again`: commands that grant what a person had granted to an "
            "earlier life of the device, and the venue file does not name"
        ),
    ] = UNSET
