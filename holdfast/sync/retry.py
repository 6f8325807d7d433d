"""When to try again: capped exponential backoff with jitter, and a circuit breaker that probes.

Owns both as pure values; time and randomness are arguments. The base delay doubles with each
failure up to a cap, and half of it is random, so that a thousand devices do not come back in one
breath ("equal jitter"). An open breaker lets nothing through until its time is over, then one
probe.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from holdfast.model.limits import (
    BREAKER_FAILURES,
    BREAKER_OPEN_SECONDS,
    RETRY_BASE_SECONDS,
    RETRY_CAP_SECONDS,
)

BreakerState = Literal["closed", "open", "half-open"]

_DOUBLINGS_MAX: Final = 32


def backoff_seconds(failures: int, random: float) -> float:
    """The pause after so many failures in a row (1 or more); `random` in [0, 1)."""
    # After a night offline there are thousands: more than a float can be doubled.
    doublings = min(max(failures, 1) - 1, _DOUBLINGS_MAX)
    full = min(RETRY_CAP_SECONDS, RETRY_BASE_SECONDS * 2.0**doublings)
    return full * (0.5 + random / 2)


@dataclass(frozen=True)
class Breaker:
    """Failures in a row, and since when (monotonic seconds) nothing is let through."""

    failures: int = 0
    opened_at: float | None = None
    probing: bool = False

    def state(self, now: float) -> BreakerState:
        if self.opened_at is None:
            return "closed"
        return "half-open" if now - self.opened_at >= BREAKER_OPEN_SECONDS else "open"

    def allows(self, now: float) -> bool:
        """Whether an attempt may be made now: always when closed, one probe when half open."""
        state = self.state(now)
        return state == "closed" or (state == "half-open" and not self.probing)

    def attempted(self, now: float) -> Breaker:
        return replace(self, probing=self.state(now) == "half-open")

    def failed(self, now: float) -> Breaker:
        """One more failure; a failed probe opens the breaker again at once."""
        failures = self.failures + 1
        opened = now if failures >= BREAKER_FAILURES else self.opened_at
        return Breaker(failures, opened, False)

    def succeeded(self) -> Breaker:
        return Breaker()

    def wait_seconds(self, now: float, random: float) -> float:
        """How long to wait before the next attempt."""
        delay = backoff_seconds(self.failures, random)
        return max(delay, self.open_seconds(now))

    def open_seconds(self, now: float) -> float:
        """How long nothing is let through from now on; 0 when closed or half open."""
        if self.opened_at is None:
            return 0.0
        return max(0.0, BREAKER_OPEN_SECONDS - (now - self.opened_at))
