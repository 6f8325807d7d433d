"""How many streams guests without a token have open: of one session, and of one address.

Owns this count. A stream costs the one worker something whenever anything is written, as long as it
is open, so that no bucket of requests bounds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import Final, TypeVar
from weakref import finalize

from holdfast.model.errors import RateLimited
from holdfast.model.limits import GUEST_STREAMS_MAX, GUEST_STREAMS_PER_ADDRESS_MAX

_Event = TypeVar("_Event")
_Whose = TypeVar("_Whose", bytes, str)
_RETRY_SECONDS: Final = 5


class GuestStreams:
    """The open streams of guests' sessions; call in the event loop."""

    def __init__(self) -> None:
        self._by_session: Counter[bytes] = Counter()
        self._by_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._by_address.total()

    def opened(self, session: bytes, address: str) -> Callable[[], None]:
        """Count one. Returns what ends it, once however often it is called. Raises RateLimited."""
        for count, most, whose in (
            (self._by_session[session], GUEST_STREAMS_MAX, "this browser"),
            (self._by_address[address], GUEST_STREAMS_PER_ADDRESS_MAX, "this address"),
        ):
            if count >= most:
                raise RateLimited(
                    f"{whose} watches {most} times already; close one of its pages, or reload "
                    "instead of watching",
                    _RETRY_SECONDS,
                )
        self._by_session[session] += 1
        self._by_address[address] += 1
        is_open = True

        def end() -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                _less(self._by_session, session)
                _less(self._by_address, address)

        return end


def _less(counter: Counter[_Whose], whose: _Whose) -> None:
    counter[whose] -= 1
    if not counter[whose]:
        del counter[whose]


async def _ending(
    events: AsyncGenerator[_Event, None], end: Callable[[], None]
) -> AsyncGenerator[_Event, None]:
    try:
        async for event in events:
            yield event
    finally:
        end()
        await events.aclose()


def counted(
    events: AsyncGenerator[_Event, None], end: Callable[[], None]
) -> AsyncGenerator[_Event, None]:
    """The same events; `end` is called when they are over, also where whoever asked is gone before
    the first one: what was never begun has no end of its own."""
    watched = _ending(events, end)
    finalize(watched, end)
    return watched
