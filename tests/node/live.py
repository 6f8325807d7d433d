"""Devices that run: a hub behind a real socket, nodes with their links, and what lies in between.

Owns builders for tests of the live side. Everything is the product's own code on 127.0.0.1 and real
directories; nothing waits for a fixed time: a `Bell` rings at whatever happens.

    with Devices(tmp_path) as devices:
        desk = devices.node("desk")
        devices.until(desk.connected)
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import datetime
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn

from holdfast.api.app import close_streams, make_app
from holdfast.model.errors import HoldfastError
from holdfast.model.reservation import View
from holdfast.node.exchange import Peer, Round
from holdfast.node.hub import Hub
from holdfast.node.link import Link
from holdfast.node.node import Node
from holdfast.node.requests import CreateRequest
from holdfast.node.runtime import Runtime
from holdfast.node.service import Service
from tests.kit import TENANT, TRATTORIA
from tests.node.certified import Certified

ADMIN = "the-admin-token-of-these-tests"
DAY = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=3)).isoformat()
PATIENCE_SECONDS = 30.0
QUICK: dict[str, Any] = {"synchronous": "NORMAL"}


class Bell:
    """Rung by whatever happens anywhere; who waits for something looks again then."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    def ring(self, *_: object) -> None:
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def until(self, what: Callable[[], Any], promise: str = "") -> None:
        """Wait until `what` is true. Looks when rung, and now and then, for what has no bell."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            heard = self._rung
            # Without the bell's lock: looking takes a replica's, and who holds that one rings.
            if what():
                return
            left = deadline - time.monotonic()
            assert left > 0, f"not within {PATIENCE_SECONDS:g} s: {promise or what}"
            with self._condition:
                if self._rung == heard:
                    self._condition.wait(min(left, 0.2))


class Loop:
    """An event loop in a thread of its own, as every device has it in its process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        # As `asyncio.run` ends: the threads of requests and jobs are waited for.
        self.loop.run_forever()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def call(self, work: Callable[[], Any]) -> Any:
        """Run a coroutine function there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(PATIENCE_SECONDS)

    def tasks(self) -> list[str]:
        """What is still under way there, by name."""

        async def look() -> list[str]:
            mine = asyncio.current_task()
            return [str(task) for task in asyncio.all_tasks() if task is not mine]

        found: list[str] = self.call(look)
        return found

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()


class RingingNode(Node):
    """A node that rings at every end of an exchange, and counts its rounds."""

    bell: Bell
    rounds = 0

    def end_round(self, total: Round, peer: Peer) -> dict[str, Any]:
        done = super().end_round(total, peer)
        self.bell.ring()
        return done

    def failed_round(self, error: HoldfastError, next_attempt_at_ms: int = 0) -> None:
        super().failed_round(error, next_attempt_at_ms)
        self.bell.ring()

    def mark_sent(self) -> None:
        self.rounds += 1
        super().mark_sent()


class Running:
    """A node and the runtime that works for it."""

    def __init__(self, node: RingingNode, bell: Bell) -> None:
        self.node = node
        node.bell = bell
        node.listeners.append(bell.ring)
        self.loop = Loop()
        self.runtime: Runtime = self.loop.call(self._start)

    async def _start(self) -> Runtime:
        runtime = Runtime(self.node)
        await runtime.start()
        return runtime

    @property
    def state(self) -> str:
        return str(self.node.sync_status()["state"])

    def connected(self) -> bool:
        return self.state == "connected" and not self.node.sync_status()["queued"]

    def sees(self, view: View, status: str = "confirmed") -> Callable[[], bool]:
        """Whether this node shows a reservation of another one, for `until`."""

        def look() -> bool:
            found = self.node.view(view.id)
            return found is not None and found.status == status

        return look

    def reserve(self, time: str, *resources: str) -> View:
        return reserve(self.node, time, *resources)

    @property
    def link(self) -> Link:
        assert self.runtime.link is not None
        return self.runtime.link

    def at_rest(self) -> bool:
        """Connected, with nothing on its way and nothing about to be said."""
        # What one piece of news makes a device write is written in the same turn of this thread.
        self.runtime.executor.submit(int).result(PATIENCE_SECONDS)
        return self.connected() and not self.link._asked and not self.link._wake.is_set()

    def stop_runtime(self) -> None:
        self.loop.call(self.runtime.stop)

    def stop(self) -> None:
        self.stop_runtime()
        self.loop.close()
        self.node.close()


def reserve(replica: Service, time: str, *resources: str) -> View:
    return replica.reservations.create(
        CreateRequest(
            venue="trattoria", starts_at=f"{DAY}T{time}", party_size=2, resources=list(resources)
        )
    )


@contextlib.contextmanager
def served(
    hub: Hub, port: int = 0, certified: Certified | None = None
) -> Generator[str, None, None]:
    """A hub behind a real port, with its jobs, in a thread of this process. Gives its URL."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="holdfast-store")
    app = make_app(hub, admin_token=ADMIN, runtime=Runtime(hub, executor), executor=executor)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            log_config=None,
            timeout_graceful_shutdown=2,
            ssl_certfile=certified.certificate if certified else None,
            ssl_keyfile=certified.key if certified else None,
        )
    )
    started = threading.Event()
    startup, shutdown = server.startup, server.shutdown

    async def told(sockets: Any = None) -> None:
        await startup(sockets=sockets)
        started.set()

    async def ended(sockets: Any = None) -> None:
        close_streams(app)
        await shutdown(sockets=sockets)

    server.startup = told  # type: ignore[method-assign]
    server.shutdown = ended  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(PATIENCE_SECONDS), "the hub did not start"
        scheme = "https" if certified else "http"
        yield f"{scheme}://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        executor.shutdown()


class HubProcess:
    """`holdfast hub run`, ready; ended by its pid."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *f"-m holdfast hub run --data {directory} --port {port}".split()],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        watchdog = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        watchdog.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        watchdog.cancel()
        assert line.startswith("ready "), f"the hub did not start: {line!r}"
        self.url = line.removeprefix("ready ").strip()
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=PATIENCE_SECONDS)


class Devices:
    """A hub in this process and the nodes that a test asks for, all stopped at the end."""

    def __init__(self, directory: Path, certified: Certified | None = None) -> None:
        self.directory = directory
        self._certified = certified
        self.bell = Bell()
        self.until = self.bell.until
        self._exits = contextlib.ExitStack()
        self.hub = Hub.init(directory / "hub", TENANT, **QUICK)
        self.hub.import_venue(copy.deepcopy(TRATTORIA))
        self.hub.listeners.append(self.bell.ring)
        self.url = ""

    def __enter__(self) -> Devices:
        self._exits.callback(self.hub.close)
        self.url = self._exits.enter_context(served(self.hub, certified=self._certified))
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def joined(self, name: str, url: str = "", **settings: Any) -> RingingNode:
        """A node that has joined and does not run yet."""
        code = self.hub.invite("trattoria", "front-desk", name).code
        RingingNode.bell = self.bell
        made = RingingNode.join(
            self.url, code, self.directory / name, **{**QUICK, "hub_url": url, **settings}
        )
        assert isinstance(made, RingingNode)
        return made

    def run(self, node: RingingNode) -> Running:
        running = Running(node, self.bell)
        self._exits.callback(running.stop)
        return running

    def node(self, name: str, url: str = "", **settings: Any) -> Running:
        """A node that runs and is connected."""
        running = self.run(self.joined(name, url, **settings))
        self.until(running.connected, f"{name} is connected")
        return running
