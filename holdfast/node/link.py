"""The live link of a running node to its hub: pushes at once, hears at once, comes back by itself.

Owns the WebSocket to the hub, the polling that stands in for it, and the pauses between attempts.
The rounds themselves are `exchange`'s; this module knows nothing of what they carry.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from holdfast.model.errors import Forbidden, HoldfastError, Unauthorised, Unreachable
from holdfast.model.limits import (
    CONNECT_TIMEOUT_SECONDS,
    EXCHANGE_BYTES_MAX,
    EXCHANGE_TIMEOUT_SECONDS,
    KEEP_ALIVE_SECONDS,
)
from holdfast.node.exchange import Peer, Round
from holdfast.node.node import Node
from holdfast.node.replica import Change
from holdfast.node.transport import LIVE_PATH, signed_headers
from holdfast.sync.messages import (
    PROTOCOL_VERSION,
    ExchangeRequest,
    ExchangeResponse,
    decode,
    encode,
)
from holdfast.sync.retry import Breaker

log = logging.getLogger("holdfast.link")

Result = TypeVar("Result")
_NEWS: Final = ExchangeRequest(PROTOCOL_VERSION, "", b"", 0, 0)


class Link:
    """Runs as one asyncio task; everything that touches the store runs in `executor`."""

    def __init__(self, node: Node, executor: Executor) -> None:
        self._node = node
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._again = asyncio.Event()
        self._stopping = False
        self._breaker = Breaker()
        self._peer: Peer = node.new_peer()
        self._answers: dict[int, asyncio.Future[ExchangeResponse]] = {}
        self._task: asyncio.Task[None] | None = None
        self._session: asyncio.Task[None] | None = None
        self.state = "offline"

    def start(self) -> None:
        self._node.listeners.append(self._changed)
        self._node.controls.append(self._controlled)
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        self._stopping = True
        self._node.listeners.remove(self._changed)
        self._node.controls.remove(self._controlled)
        for task in (self._session, self._task):
            if task is not None:
                task.cancel()
                # The hub may go at the same moment; what it said last matters to nobody now.
                with contextlib.suppress(
                    asyncio.CancelledError, OSError, WebSocketException, HoldfastError
                ):
                    await task

    # --- signals from other threads ---------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        if change.own:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _controlled(self, what: str) -> None:
        """Pause, resume, retry or a new hub address: look again at once."""
        self._loop.call_soon_threadsafe(self._look_again, what)

    def _look_again(self, what: str) -> None:
        if what in ("pause", "hub") and self._session is not None:
            self._session.cancel()
        if what in ("resume", "retry", "hub"):
            self._breaker = self._breaker.succeeded()
        self._again.set()
        self._wake.set()

    async def _store(self, function: Callable[..., Result], *arguments: Any) -> Result:
        return await self._loop.run_in_executor(self._executor, function, *arguments)

    # --- life -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._stopping:
            if await self._store(lambda: self._node.paused):
                self.state = "paused"
                await self._pause(None)
                continue
            now = self._loop.time()
            if not self._breaker.allows(now):
                await self._pause(self._breaker.wait_seconds(now, random.random()))  # noqa: S311
                continue
            self._breaker = self._breaker.attempted(now)
            await self._attempt()

    async def _attempt(self) -> None:
        """One connection, until it breaks; then the pause that its failure deserves."""
        self._session = self._loop.create_task(self._connected())
        try:
            await self._session
        except asyncio.CancelledError:
            if self._stopping:
                raise
            return
        except (OSError, WebSocketException, TimeoutError, HoldfastError) as error:
            await self._failed(error)
        finally:
            self._session = None

    async def _failed(self, error: Exception) -> None:
        problem = error if isinstance(error, HoldfastError) else _problem(error, self._node.hub_url)
        now = self._loop.time()
        self._breaker = self._breaker.failed(now)
        wait = self._breaker.wait_seconds(now, random.random())  # noqa: S311
        self.state = "backing_off" if self._breaker.failures > 1 else "offline"
        due = self._node.clock.now_ms() + int(wait * 1000)
        await self._store(self._node.failed_round, problem, due)
        if self._breaker.failures in (1, 5):
            log.info("the hub is out of reach: %s", problem.detail)
        await self._pause(wait)

    async def _pause(self, seconds: float | None) -> None:
        self._again.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._again.wait(), seconds)

    # --- connected --------------------------------------------------------------------------------

    async def _connected(self) -> None:
        url = self._node.hub_url
        self._peer = self._node.new_peer()
        await self._store(self._node.prepare)
        address = url + LIVE_PATH
        headers = signed_headers(self._node.identity, "GET", address, b"")
        plain = self._node.settings.sync_compression == "none"
        if plain:
            headers["Holdfast-Compression"] = "none"
        async with connect(
            "ws" + address.removeprefix("http"),
            additional_headers=headers,
            compression=None,
            max_size=EXCHANGE_BYTES_MAX,
            open_timeout=CONNECT_TIMEOUT_SECONDS,
            ping_interval=KEEP_ALIVE_SECONDS,
            ping_timeout=KEEP_ALIVE_SECONDS,
            close_timeout=1,
            proxy=None,
        ) as socket:
            reader = self._loop.create_task(self._read(socket))
            try:
                await self._converse(socket, reader, compress=not plain)
            finally:
                reader.cancel()
                self._answers.clear()
                self.state = "offline"
                with contextlib.suppress(
                    asyncio.CancelledError, OSError, WebSocketException, HoldfastError
                ):
                    await reader

    async def _converse(
        self, socket: ClientConnection, reader: asyncio.Task[None], *, compress: bool
    ) -> None:
        """Rounds whenever there is something to say; news comes through the reader meanwhile."""
        while True:
            self._wake.clear()
            total = Round()
            while True:
                outcome = await self._round(socket, reader, compress=compress)
                total.pushed += outcome.pushed
                total.pulled += outcome.pulled
                total.differing, total.state = outcome.differing, outcome.state
                if not outcome.more:
                    break
            self.state = "connected"
            self._breaker = self._breaker.succeeded()
            await self._store(self._node.end_round, total)
            waiting = self._loop.create_task(self._wake.wait())
            done, _ = await asyncio.wait(
                {waiting, reader}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            waiting.cancel()
            if reader in done:
                await reader
                raise Unreachable(f"the hub at {self._node.hub_url} closed the connection")

    async def _round(
        self, socket: ClientConnection, reader: asyncio.Task[None], *, compress: bool
    ) -> Round:
        request, data = await self._store(self._ask, compress)
        future: asyncio.Future[ExchangeResponse] = self._loop.create_future()
        self._answers[request.round] = future
        sent = self._node.clock.monotonic_ms()
        await socket.send(data)
        both: set[asyncio.Future[Any]] = {future, reader}
        done, _ = await asyncio.wait(
            both,
            timeout=EXCHANGE_TIMEOUT_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if future not in done:
            if reader in done:
                await reader
            raise Unreachable(f"the hub at {self._node.hub_url} did not answer")
        return await self._store(self._answered, request, future.result(), sent)

    def _ask(self, compress: bool) -> tuple[ExchangeRequest, bytes]:
        request = self._node.exchange.request(self._peer)
        self._node.mark_sent()
        return request, encode(request, compress=compress)

    def _answered(self, request: ExchangeRequest, response: ExchangeResponse, sent: float) -> Round:
        self._node.sample_hub(
            sent, response.received_at_ms, response.sent_at_ms, response.uncertainty_ms
        )
        with self._node.lock:
            outcome = self._node.exchange.absorb(self._peer, request, response)
        again = self._node.after_round()
        outcome.more = outcome.more or again or self._peer.heads is None
        return outcome

    async def _read(self, socket: ClientConnection) -> None:
        async for data in socket:
            if isinstance(data, str):
                raise Unreachable("the hub sent text where an exchange was expected")
            response = decode(data, ExchangeResponse)
            if response.round:
                future = self._answers.pop(response.round, None)
                if future is not None and not future.done():
                    future.set_result(response)
                continue
            outcome = await self._store(self._news, response)
            if outcome.more:
                self._wake.set()

    def _news(self, response: ExchangeResponse) -> Round:
        if self._peer.incarnation != response.sender:
            return Round(more=True)
        with self._node.lock:
            outcome = self._node.exchange.absorb(self._peer, _NEWS, response)
        if self._node.after_round():
            outcome.more = True
        return outcome


def _problem(error: Exception, url: str) -> HoldfastError:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in (401, 403):
            kind = Unauthorised if status == 401 else Forbidden
            return kind(f"the hub at {url} does not admit this device ({status}); rejoin it")
        return Unreachable(f"the hub at {url} answered {status}")
    if isinstance(error, InvalidHandshake):
        return Unreachable(f"the hub at {url} does not speak the live protocol")
    return Unreachable(
        f"the hub at {url} cannot be reached ({type(error).__name__}); "
        "this device goes on alone and tries again"
    )
