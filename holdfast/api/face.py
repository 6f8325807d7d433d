"""What every route needs: the replica, the one writer thread, who calls, and the answer's form.

Owns the life of the face beside the web server: its worker, who may call, its idempotent answers,
its stream of changes. Routes get it from the request and keep no state of their own.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
from litestar import Request, Response
from litestar.datastructures import State

from holdfast.api.auth import Access
from holdfast.api.callers import Caller
from holdfast.api.guest_streams import GuestStreams
from holdfast.api.idempotency import Answers
from holdfast.api.metrics import Metrics
from holdfast.api.problems import problem_of
from holdfast.api.stream import Changes
from holdfast.model.errors import Forbidden, HoldfastError
from holdfast.node.hub import Hub
from holdfast.node.jobs import Jobs
from holdfast.node.node import Node

log = logging.getLogger("holdfast.api")

Replica: TypeAlias = Hub | Node
Asking: TypeAlias = Request[Any, Any, State]
Result = TypeVar("Result")
_READERS: Final = 1


class Face:
    """The HTTP face of one replica."""

    def __init__(
        self,
        replica: Replica,
        admin_token: str,
        hosts: frozenset[str],
        executor: Executor | None = None,
        jobs: Jobs | None = None,
    ) -> None:
        self.replica = replica
        self.jobs = jobs or Jobs(replica)
        self.hosts = hosts | {name.lower() for name in replica.settings.hosts}
        self.access = Access(replica, admin_token, self.run)
        self.answers = Answers(replica, self.run)
        self.changes = Changes()
        self.guest_streams = GuestStreams()
        self.metrics = Metrics()
        self.exchanging = asyncio.Lock()
        self.live: Counter[tuple[str, str]] = Counter()
        """Open live channels, by venue and name of the device."""
        self._reading = asyncio.Semaphore(_READERS)
        self._later: set[asyncio.Task[None]] = set()
        self._own_worker = executor is None
        self._worker = executor or ThreadPoolExecutor(1, thread_name_prefix="holdfast-store")

    async def start(self) -> None:
        """Begin to watch the replica; call in the event loop that serves."""
        self.changes.start(asyncio.get_running_loop())
        self.replica.listeners.append(self.changes.committed)
        await self.run(self.answers.sweep)
        # What came due while nobody served: a command that opens the directory starts no jobs.
        await self.run(self.jobs.run, "lapse")

    async def stop(self) -> None:
        self.close_streams()
        self.replica.listeners.remove(self.changes.committed)
        self.changes.stop()
        await asyncio.gather(*self._later)
        if self._own_worker:
            await asyncio.to_thread(self._worker.shutdown)

    def close_streams(self) -> None:
        """End every open stream, so that a server that stops need not wait for its watchers."""
        self.changes.close()

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Call the replica in the one thread that does: writers queue up instead of contending,
        and the event loop stays free. For whom it is done (`node.acting`) goes with the call."""
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        return await loop.run_in_executor(self._worker, context.run, work, *arguments)

    async def read(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Call what reads much from a snapshot, beside the worker: nobody who writes waits for it,
        and so many run at once that they leave the machine to others."""
        async with self._reading:
            return await asyncio.to_thread(work, *arguments)

    def later(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do in the worker what nobody waits for; what fails of it is logged."""

        async def do() -> None:
            try:
                await self.run(work, *arguments)
            except HoldfastError as error:
                log.warning("%s", error.detail)
            except Exception as error:  # the last line of defence: logged under an id
                problem_of(error)

        task = asyncio.get_running_loop().create_task(do())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def hub(self) -> Hub:
        """The replica as a hub. Raises Forbidden on a node."""
        if not isinstance(self.replica, Hub):
            raise Forbidden("this is a node; do this at the hub")
        return self.replica

    def node(self) -> Node:
        """The replica as a node. Raises Forbidden on the hub."""
        if not isinstance(self.replica, Node):
            raise Forbidden("this is the hub, which waits for its nodes; do this at a node")
        return self.replica


def face_of(request: Asking) -> Face:
    face: Face = request.app.state.face
    return face


def caller_of(request: Asking) -> Caller:
    """Who sent this request; the guard has put it there."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def answer(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response[bytes]:
    """A JSON answer."""
    return Response(
        content if isinstance(content, bytes) else msgspec.json.encode(content),
        status_code=status,
        headers=headers,
        media_type="application/json",
    )
