"""What changes, as it changes: server-sent events with ids, resumed from a bounded memory.

Owns the ring of recent changes and the waiting for one. A change is remembered by name only; the
object is rendered when it is sent, so that a watcher always gets the present state and a merge of
thousands costs no rendering that nobody reads.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple

from holdfast.model.limits import STREAM_CHANGES_KEPT, STREAM_KEEPALIVE_SECONDS
from holdfast.node.replica import Change


class Changed(NamedTuple):
    """One change: its number, the kind of thing, which one (empty: there is only one), and the
    book that it stands in."""

    number: int
    event: str
    subject: bytes
    book: str = ""


class Changes:
    """The recent changes of one replica, and everybody who waits for the next."""

    def __init__(self) -> None:
        self._life: Final = secrets.token_hex(4)
        self._ring: deque[Changed] = deque(maxlen=STREAM_CHANGES_KEPT)
        self._last = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: set[asyncio.Event] = set()
        self.closed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def stop(self) -> None:
        self._loop = None

    def committed(self, change: Change) -> None:
        """The replica's listener: called after each commit, in whatever thread made it."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._remember, change)

    def _remember(self, change: Change) -> None:
        venue = change.book.partition("/")[2]
        for reservation in change.reservations:
            self._add("reservation", reservation, change.book)
        if change.venue:
            self._add("venue", venue.encode())
        self._add("queue", b"")
        self._wake()

    def publish(self, event: str) -> None:
        """A change that no commit tells of, such as a paused sync; call in the event loop."""
        self._add(event, b"")
        self._wake()

    def look_again(self) -> None:
        """Let every watcher look whether it may go on; call in the event loop."""
        self._wake()

    def _add(self, event: str, subject: bytes, book: str = "") -> None:
        self._last += 1
        self._ring.append(Changed(self._last, event, subject, book))

    def close(self) -> None:
        """End every watch, so that a server that stops need not wait for its watchers."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    # --- watching -------------------------------------------------------------------------------

    def id_of(self, number: int) -> str:
        return f"{self._life}-{number}"

    def resume(self, last_event_id: str | None) -> int | None:
        """The number after which to go on; None where what came since is not known any more."""
        if last_event_id is None:
            return self._last
        life, _, text = last_event_id.partition("-")
        if life != self._life or not text.isdecimal() or len(text) > 18:
            return None
        number = int(text)
        oldest = self._ring[0].number if self._ring else self._last + 1
        return number if oldest - 1 <= number <= self._last else None

    @property
    def last(self) -> int:
        return self._last

    def after(self, number: int) -> list[Changed] | None:
        """What came after a number, of each thing only the newest; None where some is forgotten."""
        oldest = self._ring[0].number if self._ring else self._last + 1
        if number < oldest - 1:
            return None
        newest: dict[tuple[str, bytes, str], Changed] = {}
        for changed in self._ring:
            if changed.number > number:
                key = changed.event, changed.subject, changed.book
                newest.pop(key, None)
                newest[key] = changed
        return list(newest.values())

    async def watch(self) -> AsyncGenerator[bool, None]:
        """Yields True whenever something changed and False when nothing did for a while; ends at
        `close`. The first True comes at once."""
        woken = asyncio.Event()
        woken.set()
        self._watchers.add(woken)
        try:
            while not self.closed:
                try:
                    async with asyncio.timeout(STREAM_KEEPALIVE_SECONDS):
                        await woken.wait()
                except TimeoutError:
                    yield False
                    continue
                woken.clear()
                if not self.closed:
                    yield True
        finally:
            self._watchers.discard(woken)

    async def until_closed(self) -> None:
        """Return when `close` was called."""
        async for _ in self.watch():
            pass
