"""Finding reservations by what a partner calls them.

Owns this route. It is a POST because a reference is anything that somebody typed, and what stands
in a URL stands in logs; what it means says `holdfast.node.partnering`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.parsing import read_body
from holdfast.api.routes_reservations import TAGS, rendered
from holdfast.node import partnering


class PartnerQuery(msgspec.Struct, kw_only=True):
    """A partner's reference at a venue; `source` left out: of any partner."""

    venue: str
    partner_reference: str
    source: str | None = None


@post(
    "/reservations/search",
    operation_id="searchReservations",
    summary="Reservations by a partner's reference",
    description="It is kept nowhere. There are several where devices that were apart took it.",
    tags=TAGS,
    status_code=200,
    opt={"permission": "reservations.read", "reach": VENUES},
    operation_class=operation(body=PartnerQuery, keyed=True),
)
async def search_reservations(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    wanted = read_body(body, PartnerQuery)
    caller.require(wanted.venue)

    def look() -> bytes:
        found = partnering.find(face.replica, wanted.venue, wanted.partner_reference, wanted.source)
        return rendered(face.replica, caller, [one for one in found if caller.knows(one)], None)

    shown = await face.run(look)
    # What was found is not kept for a replay: it looks again.
    answered = await face.answers.once(request, body, 200, lambda: "")
    return answer(shown, answered.status, answered.headers)


ROUTES: list[HTTPRouteHandler] = [search_reservations]
