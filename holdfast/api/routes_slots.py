"""The slots of a service over HTTP: how full each is, and what its override says.

Owns this route. What is counted stands in `holdfast.model.slots`; what can be had is the business
of `GET /availability`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.parsing import read_query
from holdfast.api.shapes.venues import SlotCovers, SlotList
from holdfast.model import wall
from holdfast.model.slot_overrides import NORMAL
from holdfast.model.slots import Slot
from holdfast.model.venue import Venue
from holdfast.node import slots


class SlotQuery(msgspec.Struct, kw_only=True):
    """The slots of a service date."""

    date: str


@get(
    "/venues/{venue:str}/slots",
    operation_id="getSlots",
    summary="How many people begin in each slot of a service, and how many more may",
    description=(
        "All that begins in a slot counts as the rule `pacing` counts it. Where a limit is set "
        "(`covers_per_slot`), who asks for more than `available` is refused. Which table is free "
        "is another question, of `GET /availability`. A venue that sells nights has no slots."
    ),
    tags=["venues"],
    opt={"permission": "tables.read", "reach": VENUES},
    operation_class=operation(query=SlotQuery),
)
async def get_slots(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    caller_of(request).require(venue)
    query = read_query(request.query_params.multi_items(), SlotQuery)

    def shown() -> SlotList:
        day = wall.parse_date(query.date)
        known = face.replica.venue(venue).venue
        found = slots.shown(face.replica, venue, day)
        return SlotList(
            venue=venue, date=day.isoformat(), items=[_rendered(known, one) for one in found]
        )

    return answer(await face.run(shown))


def _rendered(venue: Venue, slot: Slot) -> SlotCovers:
    return SlotCovers(
        starts_at=wall.format_time(venue, slot.start),
        ends_at=wall.format_time(venue, slot.end),
        total=slot.total,
        reserved=slot.covers.reserved,
        pending=slot.covers.pending,
        available=slot.available,
        override=slot.override.kind if slot.override is not None else NORMAL,
        min_party=slot.min_party,
        max_party=slot.max_party,
        blackout=slot.blackout or None,
    )


ROUTES: list[HTTPRouteHandler] = [get_slots]
