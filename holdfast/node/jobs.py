"""The timed jobs of a replica: which there are, how often each runs, what it does.

Owns the table, the running of one job and how the last run of each went. When a job runs is its
callers' business: the scheduler of a process that serves (`runtime`), or a person.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from holdfast.model.errors import HoldfastError, NotFound
from holdfast.model.limits import (
    IDEMPOTENCY_HOURS,
    LAPSE_SECONDS,
    NO_SHOW_SECONDS,
    NTP_INTERVAL_SECONDS,
    OFFER_SECONDS,
    RELEASE_SECONDS,
    SETTLE_SECONDS,
)
from holdfast.node import lapsing, next_in_line, no_shows, returning
from holdfast.node.acting import NOBODY, acting
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.service import Service

log = logging.getLogger("holdfast.jobs")

HOUR_SECONDS: Final = 3_600
NETWORKED: Final = frozenset({"ntp", "renew"})
"""Jobs that wait for the network: they must not hold the store's only thread meanwhile."""
AT_START: Final = ("ntp", "renew", "sweep")
"""Jobs that also run as soon as a process serves: until the first sample the clock is
undisciplined, and a device that is switched off every evening may never run for as long as the
others wait for their first turn. What comes within a minute anyway is not here."""
NAMES: Final = (
    "lapse", "no-show", "ntp", "offer", "release", "renew", "settle", "sweep", "witness",
)  # fmt: skip
"""Every job that a replica may have."""


class Jobs:
    """The jobs of one replica. They never take the process down: what fails is told and logged."""

    def __init__(self, replica: Service) -> None:
        self._replica = replica
        self._table = self._wanted()
        self._last: dict[str, dict[str, Any]] = {}
        self._last_lock = threading.Lock()
        self.next_ms: Callable[[str], int | None] = lambda _: None
        """When a job runs next by itself, Unix milliseconds; None: nothing runs them here."""

    @property
    def seconds_by_name(self) -> dict[str, float]:
        """How often each is to run."""
        return {name: seconds for name, (seconds, _) in self._table.items()}

    def run(self, name: str) -> dict[str, Any]:
        """Run a job now; says how it went, and how many things it did where it counts them. Raises
        NotFound."""
        self.require(name)
        started = self._replica.clock.now_ms()
        result: dict[str, Any] = {"name": name, "started_at_ms": started, "ok": True}
        try:
            # A person's word may start it; what it does is the device's own act.
            with acting(NOBODY):
                done = self._table[name][1]()
            if type(done) is int:
                result["count"] = done
        except HoldfastError as error:
            result.update(ok=False, detail=error.detail)
            log.warning("job %s failed: %s", name, error.detail)
        except Exception as error:
            # A job that fails today runs again tomorrow; its traceback is in the log.
            result.update(ok=False, detail=f"{type(error).__name__}; the log says more")
            log.exception("job %s failed", name)
        with self._last_lock:
            self._last[name] = result
        return result

    def require(self, name: str) -> None:
        """Raises NotFound for what is no job here."""
        if name not in self._table:
            raise NotFound(f"no job {name!r}; there are {', '.join(sorted(self._table))}")

    def listed(self) -> list[dict[str, Any]]:
        """Every job with its interval, its last run since this process started, and its next."""
        # The table is made once, before anything runs, and never changed.
        with self._last_lock:
            return [
                {
                    "name": name,
                    "every_seconds": seconds,
                    "last": self._last.get(name),
                    "next_ms": self.next_ms(name),
                }
                for name, (seconds, _) in sorted(self._table.items())
            ]

    # --- what each does -----------------------------------------------------------------------

    def _wanted(self) -> dict[str, tuple[float, Callable[[], Any]]]:
        jobs: dict[str, tuple[float, Callable[[], Any]]] = {
            "sweep": (HOUR_SECONDS, self._sweep),
            "witness": (60, self._keep_witness),
            "settle": (SETTLE_SECONDS, self._settle),
            "lapse": (LAPSE_SECONDS, self._lapse),
            "offer": (OFFER_SECONDS, self._offer),
            "no-show": (NO_SHOW_SECONDS, self._no_show),
            "renew": (HOUR_SECONDS, self._renew),
        }
        if self._replica.settings.ntp:
            jobs["ntp"] = (NTP_INTERVAL_SECONDS, self._sample)
        if isinstance(self._replica, Node):
            jobs["release"] = (RELEASE_SECONDS, self._release)
        return jobs

    def _sample(self) -> None:
        replica = self._replica
        if isinstance(replica, Node) and replica.paused:
            return
        replica.clock.sample(replica.settings.ntp)
        if isinstance(replica, Node):
            replica.check_clock()

    def _settle(self) -> None:
        """Backlogs whose next piece never came are no longer waited for, and what was destroyed
        here is confirmed, where somebody was reading when it was."""
        replica = self._replica
        replica.forgetting.confirm_all()
        # What is iterated is a copy, made under the lock: books come while this runs, also by
        # other threads of an embedding program. The lock is let go between two books, so that
        # a hub of thousands keeps nobody waiting.
        with replica.lock:
            names = list(replica.books)
        for name in names:
            with replica.lock:
                replica.settle(name, [])

    def _lapse(self) -> int:
        """Holds and offers that nobody took are given up, and those on the waitlist whose time is
        over wait no more."""
        return lapsing.lapse_all(self._replica)

    def _offer(self) -> int:
        """What became free is offered to whoever is next in line."""
        return next_in_line.offer_all(self._replica)

    def _no_show(self) -> int:
        """Who did not come is marked, where the venue asks for it."""
        return no_shows.mark_all(self._replica)

    def _release(self) -> int:
        """What a device holds goes back when its time has come; the link sends it at once."""
        return returning.release(self._replica) if isinstance(self._replica, Node) else 0

    def _renew(self) -> None:
        """A certificate that nears its end is renewed without a visit."""
        if isinstance(self._replica, Hub | Node):
            self._replica.renew_if_due()

    def _sweep(self) -> None:
        replica = self._replica
        now_ms = replica.clock.now_ms()
        with replica.transaction():
            replica.store.records.sweep_answers(now_ms - IDEMPOTENCY_HOURS * 3_600_000)
        if isinstance(replica, Node):
            replica.sweep()
        elif isinstance(replica, Hub):
            replica.admission.sweep()
            with replica.transaction():
                replica.refusals.sweep()

    def _keep_witness(self) -> None:
        if isinstance(self._replica, Hub | Node):
            self._replica.keep_witness()
