"""The notes of a service over HTTP, at a device that holds the venue's key.

Owns these routes. What they do stands in `holdfast.node.service_notes`. What notes say is in bodies
and answers alone: no address and no log has it.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.parsing import read_body, read_if_match, read_query
from holdfast.api.render import with_times
from holdfast.api.shapes.service_notes import ServiceNotes
from holdfast.model.errors import Invalid
from holdfast.node import service_notes
from holdfast.node.service_notes import Notes

TAGS = ["notes"]


class ServiceNotesQuery(msgspec.Struct, kw_only=True):
    """Of which service."""

    service: str = ""


class ServiceNotesRequest(msgspec.Struct, kw_only=True):
    """What the notes are to say."""

    text: str


@get(
    "/venues/{venue:str}/notes/{date:str}",
    operation_id="getServiceNotes",
    summary="The notes of a service",
    description="`date` may be `today`: the service date that is now.",
    tags=TAGS,
    opt={"permission": "notes.read", "reach": VENUES},
    operation_class=operation(query=ServiceNotesQuery),
)
async def get_service_notes(
    request: Asking, venue: FromPath[str], date: FromPath[str]
) -> Response[bytes]:
    face = face_of(request)
    caller_of(request).require(venue)
    query = read_query(request.query_params.multi_items(), ServiceNotesQuery)
    found = await face.run(service_notes.read, face.replica, venue, date, query.service)
    return _answer(found)


@put(
    "/venues/{venue:str}/notes/{date:str}",
    operation_id="putServiceNotes",
    summary="Edit the notes of a service",
    description=(
        "`If-Match` is required, and names the state that was edited by the ETag that came with "
        "it: what others wrote since is merged with this, and the answer has both. The same "
        "request again changes nothing more. 412 `stale`: that state is not known here, such as "
        "after the notes were cleared."
    ),
    tags=TAGS,
    opt={"permission": "notes.change", "reach": VENUES},
    operation_class=operation(query=ServiceNotesQuery, body=ServiceNotesRequest, matches=True),
)
async def put_service_notes(
    request: Asking, venue: FromPath[str], date: FromPath[str]
) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    caller.require(venue)
    query = read_query(request.query_params.multi_items(), ServiceNotesQuery)
    base = read_if_match(request.headers.get("if-match"))
    body = await request.body()

    def put_it() -> Notes:
        wanted = read_body(body, ServiceNotesRequest)
        if base is None:
            raise Invalid.field(
                "If-Match",
                "name the state that was edited: the ETag of the GET; what others wrote since is "
                "merged with it",
            )
        return service_notes.write(
            face.replica, venue, date, wanted.text, base, service=query.service, author=caller.name
        )

    return _answer(await face.run(put_it))


def _answer(found: Notes) -> Response[bytes]:
    values = found._asdict()
    tag = values.pop("tag")
    values["unplaced"] = [one._asdict() for one in found.unplaced]
    shown = msgspec.convert(with_times(values), ServiceNotes)
    return answer(shown, headers={"ETag": f'"{tag}"'})


ROUTES: list[HTTPRouteHandler] = [get_service_notes, put_service_notes]
