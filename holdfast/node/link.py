"""The live link of a running node to its hub: pushes at once, hears at once, comes back by itself.

Owns the WebSocket to the hub, the polling that stands in for it where something in between lets no
WebSocket through, and the pauses between attempts. The rounds themselves are `exchange`'s; this
module knows nothing of what they carry.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from holdfast.model.errors import Forbidden, HoldfastError, Unauthorised, Unreachable
from holdfast.model.limits import (
    CONNECT_TIMEOUT_SECONDS,
    EXCHANGE_BYTES_MAX,
    EXCHANGE_TIMEOUT_SECONDS,
    KEEP_ALIVE_SECONDS,
    LIVE_AGAIN_SECONDS,
    RETRY_CAP_SECONDS,
)
from holdfast.node.exchange import Peer, Round, next_idle
from holdfast.node.http_signatures import (
    CERTIFICATE_HEADER,
    LIVE_KEY_HEADER,
    SIGNATURE_HEADER,
    verify_response,
)
from holdfast.node.node import Node
from holdfast.node.replica import Change
from holdfast.node.transport import (
    CLOSE_REFUSED,
    LIVE_PATH,
    close_reason,
    in_words,
    signed_headers,
)
from holdfast.sync import live_keys
from holdfast.sync.live_keys import LiveKeys
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


class _Asked(NamedTuple):
    """A round whose answer has not come; `outcome` is there once the answer was taken in."""

    request: ExchangeRequest
    sent_ms: float
    outcome: asyncio.Future[Round]


class _Channel:
    """An open live channel: messages as they are said, sealed on the wire."""

    def __init__(self, socket: ClientConnection, keys: LiveKeys) -> None:
        self._socket = socket
        self._keys = keys

    async def send(self, message: bytes) -> None:
        await self._socket.send(self._keys.seal(message))

    async def messages(self) -> AsyncIterator[bytes]:
        """What comes in. Raises Unauthorised, once the channel is closed, for what does not
        open."""
        async for sealed in self._socket:
            try:
                message = self._keys.open(sealed if isinstance(sealed, bytes) else b"")
            except Unauthorised as error:
                await self._socket.close(CLOSE_REFUSED, close_reason(error))
                raise
            yield message


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
        self._asked: dict[int, _Asked] = {}
        self._answered_live = False
        self._polling = False
        self._polled: asyncio.Future[dict[str, Any]] | None = None
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
        if self._polled is not None and not self._polled.done():
            # A request cannot be called back; who closes the node next must not close it under it.
            await asyncio.wait({self._polled})

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
            # Whatever is called from here on is seen: nothing clears it before the next look.
            self._again.clear()
            try:
                await self._step()
            except Exception:
                # A mistake of ours or a full disk must not leave the device alone until a restart.
                log.exception("the link to the hub failed; it begins anew")
                self.state = "offline"
                self._breaker = self._breaker.failed(self._loop.time())
                await self._pause(RETRY_CAP_SECONDS)

    async def _step(self) -> None:
        """Wait for what must be over first, or else try once."""
        if await self._store(self._is_paused):
            self.state = "paused"
            await self._pause(None)
            return
        now = self._loop.time()
        if not self._breaker.allows(now):
            await self._pause(self._breaker.open_seconds(now))
            return
        self._breaker = self._breaker.attempted(now)
        await self._attempt()

    def _is_paused(self) -> bool:
        return self._node.paused

    async def _attempt(self) -> None:
        """One connection, until it breaks; then the pause that its failure deserves."""
        self._session = self._loop.create_task(self._connected())
        try:
            await self._session
        except asyncio.CancelledError:
            self.state = "offline"
            if self._stopping:
                raise
        except (OSError, WebSocketException, HoldfastError) as error:
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
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._again.wait(), seconds)

    async def _until_woken(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    # --- connected --------------------------------------------------------------------------------

    async def _connected(self) -> None:
        """Live, or else by plain requests; ends with the error that ended it."""
        if await self._store(self._is_paused):
            return  # Paused since `_step` looked, when there was no session yet to cancel.
        self._answered_live = False
        try:
            await self._live()
        except (WebSocketException, TimeoutError, Unreachable, Unauthorised) as error:
            if self._answered_live:
                raise
            # Something is there and does not speak with us live: perhaps a proxy that lets only
            # plain requests through. If it is the hub that refuses, its answer says why.
            await self._poll(error)

    async def _poll(self, refused: Exception) -> None:
        """Plain requests, until the live channel is worth another try."""
        seconds = self._node.settings.poll_seconds
        until = self._loop.time() + max(LIVE_AGAIN_SECONDS, seconds)
        while True:
            self._wake.clear()
            # It waits for the network, so it must not hold the store's only thread meanwhile.
            self._polled = self._loop.run_in_executor(None, self._node.poll)
            await asyncio.shield(self._polled)
            self.state = "connected"
            self._breaker = self._breaker.succeeded()
            if not self._polling:
                self._polling = True
                detail = f"no live channel ({type(refused).__name__}); every {seconds:g} s"
                log.info("polling: %s", detail)
                await self._store(self._node.log_sync, "polling", detail)
            left = until - self._loop.time()
            if left <= 0:
                return
            await self._until_woken(min(seconds, left))

    # --- live -------------------------------------------------------------------------------------

    async def _live(self) -> None:
        url = self._node.hub_url
        self._peer = self._node.new_peer()
        await self._store(self._node.prepare)
        address = url + LIVE_PATH
        own = X25519PrivateKey.generate()
        headers = signed_headers(self._node.identity, "GET", address, b"", live_keys.write_key(own))
        plain = self._node.settings.sync_compression == "none"
        if plain:
            headers["Holdfast-Compression"] = "none"
        # Reads files, and must not hold the store's only thread meanwhile.
        trust = await self._loop.run_in_executor(None, self._node.trust)
        async with connect(
            "ws" + address.removeprefix("http"),
            ssl=trust,
            additional_headers=headers,
            compression=None,
            max_size=EXCHANGE_BYTES_MAX,
            open_timeout=CONNECT_TIMEOUT_SECONDS,
            ping_interval=KEEP_ALIVE_SECONDS,
            ping_timeout=KEEP_ALIVE_SECONDS,
            close_timeout=1,
            proxy=None,
        ) as socket:
            channel = _Channel(socket, self._agree(socket, headers, own))
            reader = self._loop.create_task(self._read(channel))
            reader.add_done_callback(lambda _: self._wake.set())
            try:
                await self._converse(channel, reader, compress=not plain)
            finally:
                reader.cancel()
                self._asked.clear()
                with contextlib.suppress(
                    asyncio.CancelledError, OSError, WebSocketException, HoldfastError
                ):
                    await reader

    def _agree(
        self, socket: ClientConnection, sent: dict[str, str], own: X25519PrivateKey
    ) -> LiveKeys:
        """The keys of this channel. The answer to the upgrade must be signed by a hub of this
        tenant, over this request and the hub's own fresh key.

        Raises Unauthorised before anything of the queue has left this device.
        """
        answer = dict(socket.response.headers.raw_items()) if socket.response else {}
        found = {name.lower(): value for name, value in answer.items()}
        hub = self._node.verify_hub(found.get(CERTIFICATE_HEADER.lower(), ""))
        verify_response(101, found, b"", sent, hub.public_key, live=True)
        hub_key = live_keys.read_key(found[LIVE_KEY_HEADER.lower()])
        return live_keys.for_node(own, hub_key, sent[SIGNATURE_HEADER])

    async def _converse(
        self, channel: _Channel, reader: asyncio.Task[None], *, compress: bool
    ) -> None:
        """Rounds whenever there is something to say; news comes through the reader meanwhile."""
        while True:
            self._wake.clear()
            total, idle = Round(), 0
            while True:
                outcome = await self._round(channel, reader, compress=compress)
                idle = next_idle(idle, outcome)
                total.pushed += outcome.pushed
                total.pulled += outcome.pulled
                total.differing, total.state = outcome.differing, outcome.state
                if not outcome.more:
                    break
            self._answered_live, self._polling = True, False
            self._breaker = self._breaker.succeeded()
            await self._store(self._node.end_round, total, self._peer)
            self.state = "connected"
            await self._until_woken(KEEP_ALIVE_SECONDS)
            await self._still_there(reader)

    async def _still_there(self, reader: asyncio.Task[None]) -> None:
        if reader.done():
            await reader
            raise Unreachable(f"the hub at {self._node.hub_url} closed the connection")

    async def _round(
        self, channel: _Channel, reader: asyncio.Task[None], *, compress: bool
    ) -> Round:
        request, data = await self._store(self._ask, compress)
        outcome: asyncio.Future[Round] = self._loop.create_future()
        self._asked[request.round] = _Asked(request, self._node.clock.monotonic_ms(), outcome)
        await channel.send(data)
        both: set[asyncio.Future[Any]] = {outcome, reader}
        await asyncio.wait(
            both, timeout=EXCHANGE_TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if not outcome.done():
            await self._still_there(reader)
            raise Unreachable(f"the hub at {self._node.hub_url} did not answer")
        return outcome.result()

    def _ask(self, compress: bool) -> tuple[ExchangeRequest, bytes]:
        request = self._node.ask(self._peer)
        return request, encode(request, compress=compress)

    async def _read(self, channel: _Channel) -> None:
        """Take in answers and news, one after the other: their cursors go forward only so."""
        async for data in channel.messages():
            response = decode(data, ExchangeResponse)
            if response.round:
                asked = self._asked.pop(response.round, None)
                if asked is not None:
                    outcome = await self._store(self._answered, asked, response)
                    asked.outcome.set_result(outcome)
            elif await self._store(self._news, response):
                self._wake.set()

    def _answered(self, asked: _Asked, response: ExchangeResponse) -> Round:
        self._node.sample_hub(
            asked.sent_ms, response.received_at_ms, response.sent_at_ms, response.uncertainty_ms
        )
        with self._node.lock:
            outcome = self._node.exchange.absorb(self._peer, asked.request, response)
        again = self._node.after_round()
        outcome.more = outcome.more or again or self._peer.heads is None
        return outcome

    def _news(self, response: ExchangeResponse) -> bool:
        """Take news in. True if a round is needed."""
        if self._peer.incarnation != response.sender:
            return True
        with self._node.lock:
            outcome = self._node.exchange.absorb(self._peer, _NEWS, response)
        again = self._node.after_round()
        # What comes in pieces goes on by itself; asked for as well, it would come twice.
        return again or (outcome.more and not response.more)


def _problem(error: Exception, url: str) -> HoldfastError:
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        if error.rcvd.code == CLOSE_REFUSED:
            return Forbidden(f"the hub at {url} refuses this device: {error.rcvd.reason}")
        return Unreachable(f"the hub at {url} closed the connection ({error.rcvd.code})")
    return Unreachable(
        f"the hub at {url} cannot be reached: {in_words(error)}; "
        "this device goes on alone and tries again"
    )
