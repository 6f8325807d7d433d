"""What runs beside the faces while a process serves: the link to the hub, and the timed jobs.

Owns the scheduler (apscheduler) and the link's life. Started and stopped with the server; nothing
here is needed for embedding.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from holdfast.model.errors import HoldfastError, NotFound
from holdfast.model.limits import (
    IDEMPOTENCY_HOURS,
    LAPSE_SECONDS,
    NTP_INTERVAL_SECONDS,
    RELEASE_SECONDS,
    SETTLE_SECONDS,
)
from holdfast.node import lapsing, returning
from holdfast.node.hub import Hub
from holdfast.node.link import Link
from holdfast.node.node import Node
from holdfast.node.service import Service

log = logging.getLogger("holdfast.jobs")

HOUR_SECONDS: Final = 3_600


class Runtime:
    """`await start()` when the server accepts, `await stop()` before the replica is closed."""

    def __init__(self, replica: Service, executor: Executor | None = None) -> None:
        self.replica = replica
        self._own_executor = executor is None
        self.executor = executor or ThreadPoolExecutor(1, thread_name_prefix="holdfast-store")
        self.link: Link | None = None
        self._scheduler: AsyncIOScheduler | None = None
        self._jobs: dict[str, tuple[float, Callable[[], Any]]] = {}
        self._last: dict[str, dict[str, Any]] = {}
        self._last_lock = threading.Lock()
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._jobs = self._wanted_jobs()
        # No logging of every run: what a job found is in its own log lines.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        for name, (seconds, _) in self._jobs.items():
            self._scheduler.add_job(
                self._run_job, "interval", seconds=seconds, args=[name], id=name, max_instances=1,
                coalesce=True,
            )  # fmt: skip
        self._scheduler.start()
        if isinstance(self.replica, Node):
            self.link = Link(self.replica, self.executor)
            self.link.start()
            self.replica.live_state = self._live_state
        if "ntp" in self._jobs:
            # The first sample at once: until then the clock is undisciplined.
            self._running.add(asyncio.get_running_loop().create_task(self._run_job("ntp")))

    async def stop(self) -> None:
        if self._scheduler is not None:
            await self._end_jobs(self._scheduler)
            self._scheduler = None
        if self.link is not None:
            await self.link.stop()
            if isinstance(self.replica, Node):
                self.replica.live_state = None
            self.link = None
        if self._own_executor:
            await asyncio.to_thread(self.executor.shutdown)

    async def _end_jobs(self, scheduler: AsyncIOScheduler) -> None:
        """Begin none, and let what runs come to its end: it works on the replica, which is closed
        next."""
        scheduler.pause()
        await asyncio.sleep(0)  # What was begun in this turn of the loop is counted now.
        if self._running:
            await asyncio.wait(self._running)
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # The library leaves that to the loop's next turn.

    def _live_state(self) -> str:
        return self.link.state if self.link is not None else "offline"

    # --- jobs -------------------------------------------------------------------------------------

    def _wanted_jobs(self) -> dict[str, tuple[float, Callable[[], Any]]]:
        jobs: dict[str, tuple[float, Callable[[], Any]]] = {
            "sweep": (HOUR_SECONDS, self._sweep),
            "witness": (60, self._keep_witness),
            "settle": (SETTLE_SECONDS, self._settle),
            "lapse": (LAPSE_SECONDS, self._lapse),
            "renew": (HOUR_SECONDS, self._renew),
        }
        if self.replica.settings.ntp:
            jobs["ntp"] = (NTP_INTERVAL_SECONDS, self._sample)
        if isinstance(self.replica, Node):
            jobs["release"] = (RELEASE_SECONDS, self._release)
        return jobs

    async def _run_job(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        # What waits for the network must not hold the store's only thread meanwhile.
        executor = None if name in ("ntp", "renew") else self.executor
        await loop.run_in_executor(executor, self.run_job, name)

    def run_job(self, name: str) -> dict[str, Any]:
        """Run a job now. Raises NotFound."""
        if name not in self._jobs:
            raise NotFound(f"no job {name!r}; there are {', '.join(sorted(self._jobs))}")
        started = self.replica.clock.now_ms()
        result: dict[str, Any] = {"name": name, "started_at_ms": started, "ok": True}
        try:
            self._jobs[name][1]()
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

    def jobs(self) -> list[dict[str, Any]]:
        """Every job with its interval and its last run."""
        # `_jobs` is made once, before anything runs, and never changed.
        with self._last_lock:
            return [
                {"name": name, "every_seconds": seconds, "last": self._last.get(name)}
                for name, (seconds, _) in sorted(self._jobs.items())
            ]

    def _sample(self) -> None:
        replica = self.replica
        if isinstance(replica, Node) and replica.paused:
            return
        replica.clock.sample(replica.settings.ntp)
        if isinstance(replica, Node):
            replica.check_clock()

    def _settle(self) -> None:
        """Backlogs whose next piece never came are no longer waited for, and what was destroyed
        here is confirmed, where somebody was reading when it was."""
        self.replica.forgetting.confirm_all()
        # What is iterated is a copy, made under the lock: books come while this runs, also by
        # other threads of an embedding program. The lock is let go between two books, so that
        # a hub of thousands keeps nobody waiting.
        with self.replica.lock:
            names = list(self.replica.books)
        for name in names:
            with self.replica.lock:
                self.replica.settle(name, [])

    def _lapse(self) -> None:
        """Holds and offers that nobody took are given up, those on the waitlist have theirs."""
        with self.replica.lock:
            names = list(self.replica.books)
        for name in names:
            lapsing.lapse(self.replica, name)

    def _release(self) -> None:
        """What a device holds goes back when its time has come; the link sends it at once."""
        if isinstance(self.replica, Node):
            returning.release(self.replica)

    def _renew(self) -> None:
        """A certificate that nears its end is renewed without a visit."""
        if isinstance(self.replica, Hub | Node):
            self.replica.renew_if_due()

    def _sweep(self) -> None:
        now_ms = self.replica.clock.now_ms()
        with self.replica.transaction():
            self.replica.store.records.sweep_answers(now_ms - IDEMPOTENCY_HOURS * 3_600_000)
        if isinstance(self.replica, Node):
            self.replica.sweep()
        elif isinstance(self.replica, Hub):
            self.replica.admission.sweep()
            with self.replica.transaction():
                self.replica.refusals.sweep()

    def _keep_witness(self) -> None:
        if isinstance(self.replica, Hub | Node):
            self.replica.keep_witness()
