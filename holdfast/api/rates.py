"""How often somebody may ask: token buckets on the monotonic clock, in bounded memory.

Owns the counting. A library's middleware was looked at: Litestar's counts by address before anybody
is known, in fixed windows (twice the limit may come around the end of one) and in a store that
grows with the callers. Nothing is written down: after a restart everybody begins anew; wrong PINs,
for which that would matter, are counted elsewhere (`staff`).
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from holdfast.model.errors import RateLimited
from holdfast.model.limits import (
    CALENDARS_AT_ONCE,
    CALENDARS_PER_SECOND,
    CALLERS_COUNTED_MAX,
    CONTACTS_AT_ONCE_SHARE,
    CONTACTS_PER_MINUTE_SHARE,
    GUESTS_AT_ONCE,
    GUESTS_PER_SECOND,
    SYNC_REQUESTS_PER_SECOND,
    WRONG_TOKENS_AT_ONCE,
    WRONG_TOKENS_PER_SECOND,
)

BOOKING_ROLES: Final = frozenset({"kiosk", "guest"})
"""Roles in the hands of people whom nobody looks at."""
_IPV6_PREFIX: Final = 64


class Rate(NamedTuple):
    """So many a second, and so many at once after a pause. `what` is called so in the refusal."""

    what: str
    per_second: float
    at_once: float


class Buckets:
    """One bucket for each caller; `clock` returns milliseconds and never goes back."""

    def __init__(
        self, rate: Rate, clock: Callable[[], float], *, kept: int = CALLERS_COUNTED_MAX
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._kept = kept
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, who: str) -> None:
        """Count one. Raises RateLimited, which counts nothing and says when to come again."""
        wait_s = self._take(who)
        if wait_s > 0:
            seconds = max(1, math.ceil(wait_s))
            raise RateLimited(
                f"too many {self._rate.what}; try again in {seconds} "
                f"second{'s' if seconds > 1 else ''}",
                seconds,
            )

    def _take(self, who: str) -> float:
        """Seconds until one is left; 0 where it was taken."""
        now_ms = self._clock()
        full = self._rate.at_once
        left, since_ms = self._left.pop(who, (full, now_ms))
        now_ms = max(now_ms, since_ms)
        left = min(full, left + (now_ms - since_ms) / 1_000 * self._rate.per_second)
        taken = left >= 1
        self._left[who] = (left - 1 if taken else left, now_ms)
        while len(self._left) > self._kept:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._rate.per_second


class Rates:
    """The bounds of one HTTP face."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        requests_per_second: float,
        bookings_per_minute: float,
    ) -> None:
        per_minute = bookings_per_minute
        self.requests = Buckets(
            Rate("requests", requests_per_second, 5 * requests_per_second), clock
        )
        self.bookings = Buckets(
            Rate("reservations asked for", per_minute / 60, max(1.0, per_minute)), clock
        )
        self.writes = Buckets(
            Rate("changes sent by guests", per_minute / 60, max(1.0, per_minute)), clock
        )
        """Whatever guests without a token write, by address."""
        self.contacts = Buckets(
            Rate(
                "telephone numbers and e-mail addresses given",
                per_minute * CONTACTS_PER_MINUTE_SHARE / 60,
                max(1.0, per_minute * CONTACTS_AT_ONCE_SHARE),
            ),
            clock,
        )
        """Those of such writes that say how a guest is reached; taken from in the worker alone."""
        self.calendars = Buckets(Rate("calendars", CALENDARS_PER_SECOND, CALENDARS_AT_ONCE), clock)
        self.guests = Buckets(Rate("new guests", GUESTS_PER_SECOND, GUESTS_AT_ONCE), clock)
        self.wrong = Buckets(
            Rate("wrong tokens", WRONG_TOKENS_PER_SECOND, WRONG_TOKENS_AT_ONCE), clock
        )
        self.sync = Buckets(
            Rate("exchanges", SYNC_REQUESTS_PER_SECOND, 4 * SYNC_REQUESTS_PER_SECOND), clock
        )


def address_of(client: tuple[str, int] | None) -> str:
    """Whose address a request came from; of IPv6 the network, of which one machine has all."""
    if client is None:
        return ""
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return client[0]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)
