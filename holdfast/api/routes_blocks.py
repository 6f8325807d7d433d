"""Blocks over HTTP: take places out of use, look which are, and put them back.

Owns these routes. What a block is stands in `holdfast.node.blocks`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.bookings import found, names_told
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, Replica, answer, caller_of, face_of
from holdfast.api.parsing import (
    PageQuery,
    read_body,
    read_cursor,
    read_limit,
    read_query,
    read_time,
    write_cursor,
)
from holdfast.api.render_forms import render_block
from holdfast.api.shapes.blocks import Block, BlockList
from holdfast.model import wall
from holdfast.model.errors import Invalid
from holdfast.model.ids import uuid_text
from holdfast.model.limits import OCCURRENCES_MAX
from holdfast.model.reservation import BLOCK, View
from holdfast.node import blocks
from holdfast.node.requests import BlockRequest

TAGS = ["blocks"]


class BlockQuery(PageQuery, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}):
    """A venue, a service date, a span of starts, a resource; left out: all."""

    venue: str | None = None
    date: str | None = None
    starts_from: str | None = None
    starts_before: str | None = None
    resource: str | None = None


class BlocksRequest(msgspec.Struct, kw_only=True):
    """Several blocks, all of them or none."""

    items: list[BlockRequest]


class UnblockQuery(msgspec.Struct, kw_only=True):
    """`series`: with all later dates of its recurrence."""

    series: bool = False


@post(
    "/blocks",
    operation_id="createBlock",
    summary="Take places out of use, once or on every date of a recurrence",
    description=(
        "All of them or none. Over reservations it is 409 with `conflicts`, unless `force`: then "
        "they stay as they are, and a person finds them another place. Of a recurrence the answer "
        "is the first date, with all of them as `occurrences`."
    ),
    tags=TAGS,
    opt={"permission": "blocks.change", "reach": VENUES},
    operation_class=operation(body=BlockRequest, keyed=True),
)
async def create_block(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def block() -> str:
        wanted = read_body(body, BlockRequest)
        caller.require(wanted.venue)
        return uuid_text(blocks.block(face.replica, wanted)[0].id)

    answered = await face.answers.once(request, body, 201, block)
    headers = answered.headers | {"Location": f"/api/v1/blocks/{answered.subject}"}
    return await _shown(face, caller, answered.subject, answered.status, headers)


@post(
    "/blocks/bulk",
    operation_id="createBlocks",
    summary="Take many places out of use in one step, or none",
    description="What is wrong with an item is told by its place: `items[1]`.",
    tags=TAGS,
    opt={"permission": "blocks.change", "reach": VENUES},
    operation_class=operation(body=BlocksRequest, keyed=True, answers={201: "what was made"}),
)
async def create_blocks(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def block() -> str:
        wanted = read_body(body, BlocksRequest).items
        if not 1 <= len(wanted) <= OCCURRENCES_MAX:
            raise Invalid.field("items", f"send 1 to {OCCURRENCES_MAX} of them")
        for one in wanted:
            caller.require(one.venue)
        made = blocks.block_all(face.replica, wanted)
        return " ".join(uuid_text(dates[0].id) for dates in made)

    answered = await face.answers.once(request, body, 201, block)

    def shown() -> BlockList:
        items = [
            _block(face.replica, caller, found(face.replica, caller, one, BLOCK))
            for one in answered.subject.split()
        ]
        return BlockList(items=items, next=None)

    return answer(await face.run(shown), answered.status, answered.headers)


@get(
    "/blocks",
    operation_id="listBlocks",
    summary="Which places are out of use",
    tags=TAGS,
    opt={"permission": "blocks.read", "reach": VENUES},
    operation_class=operation(query=BlockQuery),
)
async def list_blocks(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), BlockQuery)
    return answer(await face.run(_listed, face.replica, caller, query))


def _listed(replica: Replica, caller: Caller, query: BlockQuery) -> BlockList:
    if query.venue is not None:
        caller.require(query.venue)
    venue = replica.venue(query.venue).venue if query.venue is not None else None
    if query.date is not None:
        wall.parse_date(query.date)
    views, place = replica.reservations.select(
        venue=query.venue,
        date=query.date,
        starts_from=read_time(venue, query.starts_from, "from"),
        starts_before=read_time(venue, query.starts_before, "to"),
        resource=query.resource,
        limit=read_limit(query.limit),
        cursor=read_cursor(query.cursor),
        among=caller.limited_to(),
        form=BLOCK,
    )
    names = names_told(replica, caller)
    items = [
        render_block(
            replica, view, with_note=_reads_notes(caller), with_others=caller.told_of_others,
            names=names,
        )
        for view in views
    ]  # fmt: skip
    return BlockList(items=items, next=write_cursor(place))


@get(
    "/blocks/{reference:str}",
    operation_id="getBlock",
    summary="One block, by id or code",
    tags=TAGS,
    opt={"permission": "blocks.read", "reach": VENUES},
    operation_class=operation(),
)
async def get_block(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    return await _shown(face_of(request), caller_of(request), reference, 200, {})


@delete(
    "/blocks/{reference:str}",
    operation_id="removeBlock",
    summary="Put the places back into use, on one date or on all later ones of its series",
    tags=TAGS,
    status_code=200,
    opt={"permission": "blocks.change", "reach": VENUES},
    operation_class=operation(query=UnblockQuery),
)
async def remove_block(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), UnblockQuery)

    def unblock() -> str:
        with face.replica.transaction():
            subject = uuid_text(found(face.replica, caller, reference, BLOCK).id)
            blocks.unblock(face.replica, subject, series=query.series)
        return subject

    return await _shown(face, caller, await face.run(unblock), 200, {})


async def _shown(
    face: Face, caller: Caller, reference: str, status: int, headers: dict[str, str]
) -> Response[bytes]:
    def render() -> Block:
        return _block(face.replica, caller, found(face.replica, caller, reference, BLOCK))

    return answer(await face.run(render), status, headers)


def _block(replica: Replica, caller: Caller, view: View) -> Block:
    assert view.form is not None
    dates = blocks.later(replica, view) if view.form.series else None
    return render_block(
        replica, view, with_note=_reads_notes(caller), with_others=caller.told_of_others,
        dates=dates, names=names_told(replica, caller),
    )  # fmt: skip


def _reads_notes(caller: Caller) -> bool:
    """A note is what the house says to itself."""
    return caller.may("guests.read") and caller.role != "guest"


ROUTES: list[HTTPRouteHandler] = [
    create_block,
    create_blocks,
    list_blocks,
    get_block,
    remove_block,
]
