"""Between replicas: exchange, join, and the live channel, passed to whoever speaks them.

Owns the HTTP and WebSocket side only. Messages, signatures and certificates are
`holdfast.node.serving`'s; these requests carry no bearer token, they are signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from litestar import Response, WebSocket, post, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler

from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, Replica, face_of
from holdfast.api.permissions import PUBLIC
from holdfast.model.errors import HoldfastError, Unauthorised
from holdfast.model.limits import EXCHANGE_BYTES_MAX, LIVE_FIRST_MESSAGE_SECONDS
from holdfast.node import serving
from holdfast.node.transport import CLOSE_REFUSED, close_reason
from holdfast.sync.messages import CONTENT_TYPE

TAGS = ["between replicas"]
CLOSE_STOPPING = 1001

Socket: TypeAlias = WebSocket[Any, Any, State]
Handle = Callable[
    [Replica, str, str, str, dict[str, str], bytes], tuple[int, dict[str, str], bytes]
]


async def _pass(request: Asking, handle: Handle) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()
    status, headers, answered = await face.run(
        handle,
        face.replica,
        request.method,
        _path_and_query(request),
        request.headers.get("host", ""),
        {name.lower(): value for name, value in request.headers.items()},
        body,
    )
    own = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    kinds = [value for name, value in headers.items() if name.lower() == "content-type"]
    return Response(
        answered,
        status_code=status,
        headers=own,
        media_type=kinds[0] if kinds else CONTENT_TYPE,
    )


def _path_and_query(connection: Asking | Socket) -> str:
    path = connection.scope.get("raw_path") or connection.scope["path"].encode()
    query = connection.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _post(path: str, operation_id: str, summary: str, handle: Handle) -> HTTPRouteHandler:
    @post(
        path,
        operation_id=operation_id,
        summary=summary,
        tags=TAGS,
        status_code=200,
        opt={"permission": PUBLIC, "signed": True},
        request_max_body_size=EXCHANGE_BYTES_MAX,
        operation_class=operation(media_type=CONTENT_TYPE, body_type=CONTENT_TYPE, public=True),
    )
    async def passed(request: Asking) -> Response[bytes]:
        return await _pass(request, handle)

    return passed


@websocket("/sync/v1/live", opt={"permission": PUBLIC, "signed": True})
async def live(socket: Socket) -> None:
    """The live channel: what either side has, as soon as it has it."""
    face: Face = socket.app.state.face
    headers = {name.lower(): value for name, value in socket.headers.items()}
    try:
        session = serving.LiveSession.accept(
            face.replica, "GET", _path_and_query(socket), headers.get("host", ""), headers
        )
    except HoldfastError as error:
        await socket.close(code=CLOSE_REFUSED, reason=close_reason(error))
        return
    tasks: list[asyncio.Task[None]] = []
    try:
        await socket.accept(headers=session.upgrade_headers)
        face.live[session.device] += 1
        tasks += [
            asyncio.create_task(_receive(face, socket, session)),
            asyncio.create_task(_push(face, socket, session)),
            asyncio.create_task(face.changes.until_closed()),
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await socket.close(code=CLOSE_STOPPING)
    except WebSocketDisconnect:
        pass  # The other side left, which is how live channels end.
    except HoldfastError as error:
        await socket.close(code=CLOSE_REFUSED, reason=close_reason(error))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            face.live[session.device] -= 1
        session.close()


async def _receive(face: Face, socket: Socket, session: serving.LiveSession) -> None:
    sealed = await _first(socket)
    while True:
        # Here and not in the store's thread: what does not open is nobody's, and costs no work.
        asked = session.keys.open(sealed)
        await _say(socket, session, await face.run(session.receive, asked))
        sealed = await socket.receive_bytes()


async def _first(socket: Socket) -> bytes:
    """The first message, which shows that the upgrade was no repetition: who only heard one has no
    key to make it with. Raises Unauthorised if none comes."""
    try:
        async with asyncio.timeout(LIVE_FIRST_MESSAGE_SECONDS):
            return await socket.receive_bytes()
    except TimeoutError as error:
        raise Unauthorised("no message followed the upgrade to the live channel") from error


async def _push(face: Face, socket: Socket, session: serving.LiveSession) -> None:
    while True:
        await session.wait()
        news = await face.run(session.news)
        if news is not None:
            await _say(socket, session, news)


async def _say(socket: Socket, session: serving.LiveSession, message: bytes) -> None:
    # Answers and news are counted as one row: nothing else may go out between seal and sending.
    async with session.turn:
        await socket.send_bytes(session.keys.seal(message))


ROUTES: list[HTTPRouteHandler | WebsocketRouteHandler] = [
    _post("/sync/v1/exchange", "exchange", "Exchange entries", serving.handle_exchange),
    _post("/sync/v1/join", "join", "Join with a one-time code", serving.handle_join),
    _post("/sync/v1/renew", "renew", "Renew a certificate", serving.handle_renew),
    live,
]
