"""Certificates and join codes over HTTP: renewing one's own, and what codes are still open.

Owns these routes; what they do is `renewing`'s and the hub's admission's.
"""

from __future__ import annotations

import asyncio

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, face_of
from holdfast.api.parsing import PageQuery, page_of, read_body, read_query
from holdfast.api.render import utc_text, with_times
from holdfast.api.shapes import fleet
from holdfast.node.hub import Hub
from holdfast.node.join_codes import JoinOffer
from holdfast.node.node import Node
from holdfast.node.renewing import certificate_document

TAGS = ["administration"]


class RenewRequest(msgspec.Struct, kw_only=True):
    """`new_key`: also make a new key; whoever else has the old one speaks for nobody then."""

    new_key: bool = False


@post(
    "/certificate/renew",
    operation_id="renewCertificate",
    summary="Get a newer certificate for this device or hub",
    description="A device asks its hub, which must be in reach; a hub issues its own.",
    tags=TAGS,
    status_code=200,
    opt={"permission": "sync.change"},
    operation_class=operation(body=RenewRequest, keyed=True),
)
async def renew_certificate(request: Asking) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()
    wanted = read_body(body, RenewRequest)
    replica = face.replica

    async def renew() -> str:
        # Not in the worker: the hub may take its time, and writers must not wait with it.
        if isinstance(replica, Hub | Node):
            await asyncio.to_thread(replica.renew, new_key=wanted.new_key)
        return replica.name

    answered = await face.answers.once_outside(request, body, 200, renew)
    found = with_times(await face.run(certificate_document, replica))
    shown = msgspec.convert(found, fleet.OwnCertificate)
    return answer(shown, answered.status, answered.headers)


@get(
    "/invites",
    operation_id="listInvites",
    summary="The join codes that are still open, without the codes",
    tags=TAGS,
    opt={"permission": "nodes.change"},
    operation_class=operation(query=PageQuery),
)
async def list_invites(request: Asking) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    query = read_query(request.query_params.multi_items(), PageQuery)
    found = [_shown(one) for one in await face.run(hub.admission.open_codes)]
    keyed = [(f"{one.expires_at} {one.id}", one) for one in found]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(fleet.OpenInvites(items=items, next=place))


@delete(
    "/invites/{name:str}",
    operation_id="withdrawInvites",
    summary="Make open join codes void: by their id, or all for a device",
    tags=TAGS,
    status_code=200,
    opt={"permission": "nodes.change"},
    operation_class=operation(),
)
async def withdraw_invites(request: Asking, name: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    hub = face.hub()
    found = [_shown(one) for one in await face.run(hub.admission.withdraw, name)]
    return answer(fleet.OpenInvites(items=found, next=None))


def _shown(offer: JoinOffer) -> fleet.OpenInvite:
    return fleet.OpenInvite(
        id=offer.id,
        name=offer.name,
        role=offer.role,
        venue=offer.venue,
        expires_at=utc_text(offer.expires_at_ms),
        tries_left=offer.tries_left,
    )


ROUTES: list[HTTPRouteHandler] = [renew_certificate, list_invites, withdraw_invites]
