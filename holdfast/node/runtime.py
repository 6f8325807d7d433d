"""What runs beside the faces while a process serves: the link to the hub, and the timed jobs.

Owns the scheduler (apscheduler) and the link's life; what the jobs do stands in `jobs`. Started and
stopped with the server; nothing here is needed for embedding.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor, ThreadPoolExecutor

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from holdfast.node.jobs import AT_START, NETWORKED, Jobs
from holdfast.node.link import Link
from holdfast.node.node import Node
from holdfast.node.service import Service


class Runtime:
    """`await start()` when the server accepts, `await stop()` before the replica is closed."""

    def __init__(self, replica: Service, executor: Executor | None = None) -> None:
        self.replica = replica
        self.jobs = Jobs(replica)
        self._own_executor = executor is None
        self.executor = executor or ThreadPoolExecutor(1, thread_name_prefix="holdfast-store")
        self.link: Link | None = None
        self._scheduler: AsyncIOScheduler | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        # No logging of every run: what a job found is in its own log lines.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        for name, seconds in self.jobs.seconds_by_name.items():
            self._scheduler.add_job(
                self._run_job, "interval", seconds=seconds, args=[name], id=name, max_instances=1,
                # However late it is (a machine that slept, a loop that was busy), what was missed
                # is caught up: once, since a run does all that is due by then.
                coalesce=True, misfire_grace_time=None,
            )  # fmt: skip
        self._scheduler.start()
        self.jobs.next_ms = self._next_ms
        if isinstance(self.replica, Node):
            self.link = Link(self.replica, self.executor)
            self.link.start()
            self.replica.live_state = self._live_state
        for name in AT_START:
            if name in self.jobs.seconds_by_name:
                self._running.add(asyncio.get_running_loop().create_task(self._run_job(name)))

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

    def _next_ms(self, name: str) -> int | None:
        job = self._scheduler.get_job(name) if self._scheduler is not None else None
        due = job.next_run_time if job is not None else None
        return None if due is None else int(due.timestamp() * 1000)

    def _live_state(self) -> str:
        return self.link.state if self.link is not None else "offline"

    async def _run_job(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        executor = None if name in NETWORKED else self.executor
        await loop.run_in_executor(executor, self.jobs.run, name)
