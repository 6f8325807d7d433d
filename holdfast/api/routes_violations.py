"""What rules refuse, over HTTP: counted here, without persons.

Owns this route. What is counted, and when, stands in `holdfast.node`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.parsing import PageQuery, page_of, read_query
from holdfast.api.shapes import violations
from holdfast.model import wall

TAGS = ["analytics"]


class ViolationQuery(PageQuery, kw_only=True, rename={"first_day": "from", "before_day": "to"}):
    """The refusals at a venue on the days from `from` on and before `to`."""

    venue: str
    first_day: str | None = None
    before_day: str | None = None


@get(
    "/analytics/violations",
    operation_id="reportViolations",
    summary="Which rules refuse how often",
    description="Counted at this replica alone, and kept for 400 days.",
    tags=TAGS,
    opt={"permission": "analytics.read", "reach": VENUES},
    operation_class=operation(query=ViolationQuery),
)
async def report_violations(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), ViolationQuery)
    caller.require(query.venue)
    for name, day in (("from", query.first_day), ("to", query.before_day)):
        if day is not None:
            wall.parse_date(day, name)

    def reported() -> violations.ViolationReport:
        venue = face.replica.venue(query.venue).venue
        rows = face.replica.refusals.report(venue.id, query.first_day, query.before_day)
        keyed = [(f"{number:08}", row) for number, row in enumerate(rows)]
        found, place = page_of(keyed, query.limit, query.cursor)
        return violations.ViolationReport(
            items=msgspec.convert(found, list[violations.RefusedByRule]), next=place
        )

    return answer(await face.run(reported))


ROUTES: list[HTTPRouteHandler] = [report_violations]
