"""The kinds that there are, and how each looks, for whoever draws a plan or a calendar.

Owns this route. The table stands in `holdfast.model.looks`, the same for every venue.
"""

from __future__ import annotations

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer
from holdfast.api.parsing import PageQuery, page_of, read_query
from holdfast.api.shapes.vocabulary import KindLook, KindLooks
from holdfast.model.looks import LOOKS


@get(
    "/vocabulary",
    operation_id="listKinds",
    summary="Kinds of reservations and blocks: text, icon, colour",
    tags=["venues"],
    opt={"permission": "venues.read", "reach": VENUES},
    operation_class=operation(query=PageQuery),
)
async def list_kinds(request: Asking) -> Response[bytes]:
    query = read_query(request.query_params.multi_items(), PageQuery)
    keyed = [
        (
            f"{place:04}",
            KindLook(
                of=look.of, kind=look.kind, text=look.text, icon=look.icon,
                colour=look.colour.name, on_light=look.colour.light, on_dark=look.colour.dark,
            ),
        )
        for place, look in enumerate(LOOKS)
    ]  # fmt: skip
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(KindLooks(items=items, next=place))


ROUTES: list[HTTPRouteHandler] = [list_kinds]
