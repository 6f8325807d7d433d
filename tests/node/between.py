"""What lies between a node and its hub: a proxy that lets through what a test wants.

It knows HTTP's first lines and WebSocket's frames, and nothing of Holdfast.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.node.live import Bell, Loop

BINARY, CLOSE = 2, 8


class Between:
    """A way to the hub with a port of its own.

    `live` says what becomes of WebSocket upgrades: `pass`; a status to answer; `drop` them without
    a word; `swallow` them for ever. `requests` counts the plain
    requests by path, `upgrades` the tries to go live, `frames` the binary WebSocket frames by
    direction (`out` to the hub, `in` from it); `live_open` live channels stand. `heard` are the
    messages of those frames, `closed` the code with which each side last ended a channel.

    `bend` makes of a message in a direction those that are passed on instead; `retell` of the head
    of an upgrade, or of its answer, the one that is passed on.
    """

    def __init__(self, hub_url: str, bell: Bell, live: int | str = "pass", port: int = 0) -> None:
        self.live = live
        self.requests: Counter[str] = Counter()
        self.frames: Counter[str] = Counter()
        self.upgrades = 0
        self.live_open = 0
        self.heard: list[tuple[str, bytes]] = []
        self.closed: dict[str, int] = {}
        self.bend: Callable[[str, bytes], list[bytes]] = lambda _, message: [message]
        self.retell: Callable[[str, bytes], bytes] = lambda _, head: head
        self._hub = urlsplit(hub_url)
        self._bell = bell
        self._loop = Loop()
        self._port = port
        self._handlers: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server = self._loop.call(self._listen)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self._loop.call(self._end)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    async def _end(self) -> None:
        self._server.close()
        for task in list(self._handlers):
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # One of the two sides left, or the test is over.
        finally:
            self._handlers.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._bell.ring()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        live = b"upgrade: websocket" in head.lower()
        self._count(head, live)
        if not live:
            await self._forward(reader, writer, head, live)
        elif self.live == "pass":
            self.live_open += 1
            try:
                await self._forward(reader, writer, head, live)
            finally:
                self.live_open -= 1
        else:
            await self._refuse(writer)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, live: bool
    ) -> None:
        hub_reader, hub_writer = await asyncio.open_connection(self._hub.hostname, self._hub.port)
        ways = [
            asyncio.ensure_future(self._pass(reader, hub_writer, "out", live, head)),
            asyncio.ensure_future(self._pass(hub_reader, writer, "in", live, b"")),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            hub_writer.close()
            with contextlib.suppress(OSError):
                await hub_writer.wait_closed()

    def _count(self, head: bytes, live: bool) -> None:
        if live:
            self.upgrades += 1
        else:
            self.requests[head.split(b" ", 2)[1].decode()] += 1
        self._bell.ring()

    async def _refuse(self, writer: asyncio.StreamWriter) -> None:
        if self.live == "swallow":
            await asyncio.Event().wait()
        elif isinstance(self.live, int):
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.live)
            await writer.drain()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        direction: str,
        live: bool,
        head: bytes,
    ) -> None:
        writer.write(self.retell("out", head) if live and head else head)
        if live:
            if direction == "in":
                writer.write(self.retell("in", await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
            while True:
                await self._frame(reader, writer, direction)
        while data := await reader.read(65_536):
            if direction == "out" and data.startswith(b"POST "):
                self._count(data, live=False)
            writer.write(data)
            await writer.drain()

    async def _frame(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        """One frame (RFC 6455, 5.2); a binary one is a whole message here."""
        head = await reader.readexactly(2)
        length = head[1] & 0x7F
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8))
        mask = await reader.readexactly(4) if head[1] & 0x80 else b""
        body = _masked(await reader.readexactly(length), mask)
        kind, passed = head[0] & 0x0F, [body]
        if kind == BINARY:
            assert head[0] & 0x80, "a message in several frames"
            self.heard.append((direction, body))
            passed = self.bend(direction, body)
            self.frames[direction] += 1
        elif kind == CLOSE:
            self.closed[direction] = int.from_bytes(body[:2])
        self._bell.ring()
        for message in passed:
            writer.write(_frame(head[0], message, mask))
        await writer.drain()


def _masked(body: bytes, mask: bytes) -> bytes:
    if not mask:
        return body
    stream = (mask * (len(body) // 4 + 1))[: len(body)]
    return (int.from_bytes(body) ^ int.from_bytes(stream)).to_bytes(len(body))


def _frame(first: int, body: bytes, mask: bytes) -> bytes:
    length = len(body)
    if length < 126:
        size = bytes([length])
    elif length < 1 << 16:
        size = b"\x7e" + length.to_bytes(2)
    else:
        size = b"\x7f" + length.to_bytes(8)
    marked = bytes([size[0] | (0x80 if mask else 0)]) + size[1:]
    return bytes([first]) + marked + mask + _masked(body, mask)
