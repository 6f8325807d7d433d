"""The measurements: what each figure means stands with the function that takes it.

Owns timing and nothing else; processes and sample data are the neighbours'.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from holdfast.bench import evenings, processes, workload
from holdfast.node.exchange import Exchange
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.runtime import Runtime

RUNS: Final = 5
Progress = Callable[[str], None]


class Bench:
    """One benchmark in one directory, with a hub process that all measurements share."""

    def __init__(self, directory: Path, quick: bool, progress: Progress) -> None:
        self.directory = directory
        self.quick = quick
        self.progress = progress
        self.state = directory / "state"
        os.environ["HOLDFAST_STATE"] = str(self.state)
        self.results: dict[str, Any] = {}
        self._next = 0

    def requests(self, count: int) -> list[Any]:
        first, self._next = self._next, self._next + count
        return list(workload.requests(first, count))

    def run(self) -> dict[str, Any]:
        hub = Hub.init(self.directory / "hub", "bench")
        hub.import_venue(workload.venue_document())
        codes = [hub.invite(workload.VENUE, "front-desk", f"node-{n}").code for n in range(4)]
        hub.close()
        self.import_time()
        with processes.running(
            ["-m", "holdfast", "hub", "run", "--data", str(self.directory / "hub"), "--port", "0"],
            self.state,
        ) as child:
            url = processes.ready_line(child)
            node = Node.join(url, codes[0], self.directory / "node-0")
            try:
                self.reserve(node)
                self.push(node)
            finally:
                node.close()
            self.pull(url, codes[1])
            self.live(url, codes[2], codes[3])
            self.start()
            self.results["hub_rss_mb"] = round(processes.resident_mb(child.pid), 1)
        self.results.update(
            evenings.measure(self.directory, self.state, self.progress, quick=self.quick)
        )
        self.growth()
        return self.results

    # --- one reservation --------------------------------------------------------------------------

    def reserve(self, node: Node) -> None:
        """One durable reservation against one raw transaction that writes the same bytes in three
        rows, both with synchronous=FULL, taken in turns."""
        self.progress("one reservation, and what SQLite itself costs")
        count = 200 if self.quick else 500
        ours, floors = [], []
        for one in self.requests(50):
            node.reservations.create(one)
        before = _bytes_written(node)
        for run in range(RUNS):
            batch = self.requests(count)
            started = time.perf_counter()
            for one in batch:
                node.reservations.create(one)
            ours.append((time.perf_counter() - started) / count)
            row = (_bytes_written(node) - before) // (count * (run + 1) + 1) // 3
            floors.append(self._floor(count, max(row, 100)))
        self.results["reserve_us"] = round(statistics.median(ours) * 1e6, 1)
        self.results["reserve_floor_us"] = round(statistics.median(floors) * 1e6, 1)
        self.results["reserve_floor_ratio"] = round(
            statistics.median(o / f for o, f in zip(ours, floors, strict=True)), 2
        )

    def _floor(self, count: int, size: int) -> float:
        """Seconds of one transaction with three rows of `size` bytes each."""
        path = self.directory / "floor.db"
        fresh = not path.exists()
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            if fresh:
                for table in ("a", "b", "c"):
                    connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, body BLOB)")
            body = os.urandom(size)
            started = time.perf_counter()
            for _ in range(count):
                connection.execute("BEGIN")
                connection.execute("INSERT INTO a (body) VALUES (?)", (body,))
                connection.execute("INSERT INTO b (body) VALUES (?)", (body,))
                connection.execute("INSERT INTO c (body) VALUES (?)", (body,))
                connection.execute("COMMIT")
            return (time.perf_counter() - started) / count
        finally:
            connection.close()

    # --- many -------------------------------------------------------------------------------------

    def push(self, node: Node) -> None:
        """10,000 queued operations until the hub has them durable, folded and decided; until this
        node has every decision too (`agreed`); and the bytes on the wire for each operation that
        is pushed, compressed, without HTTP's own."""
        count = 10_000
        self.progress(f"{count:,} queued operations to the hub")
        node.sync()
        rates, sizes, agreed = [], [], []
        for _ in range(1 if self.quick else 3):
            for one in self.requests(count):
                node.reservations.create(one)
            sent = node.transport().bytes_out
            started = time.perf_counter()
            self._push_until_decided(node)
            rates.append(count / (time.perf_counter() - started))
            sizes.append((node.transport().bytes_out - sent) / count)
            node.sync()
            agreed.append(count / (time.perf_counter() - started))
            assert node.store.queue.waiting() == 0, "the hub left operations without a verdict"
            waiting = node.store.projections.undecided(node.home)
            assert not waiting, f"{len(waiting)} operations are undecided after the push"
        self.results["push_ops_per_second"] = round(statistics.median(rates))
        self.results["agreed_ops_per_second"] = round(statistics.median(agreed))
        self.results["wire_bytes_per_op"] = round(statistics.median(sizes), 1)

    def _push_until_decided(self, node: Node) -> None:
        """The rounds of a sync, up to the answer to the last piece: the hub decides before it."""
        while True:
            request = node.ask(node.peer)
            response = node.transport().exchange(request)
            if not request.more and request.frames:
                node.exchange.absorb(node.peer, request, response)
                return
            node.exchange.absorb(node.peer, request, response)

    def pull(self, url: str, code: str) -> None:
        """A second, empty node, from its join to having everything."""
        self.progress("an empty node gets everything")
        started = time.perf_counter()
        node = Node.join(url, code, self.directory / "node-1")
        took = time.perf_counter() - started
        held = node.store.projections.count(node.home)
        node.close()
        self.results["pull_seconds"] = round(took, 3)
        self.results["pull_operations"] = held
        self.results["pull_ops_per_second"] = round(held / took)
        self.results["pull_10k_seconds"] = round(took * 10_000 / held, 3)

    # --- live -------------------------------------------------------------------------------------

    def live(self, url: str, first: str, second: str) -> None:
        """From the call on one node until another one, in another process, shows it."""
        self.progress("one operation, seen on another node")
        Node.join(url, second, self.directory / "node-3").close()
        node = Node.join(url, first, self.directory / "node-2")
        with processes.running(
            ["-m", "holdfast.bench.watcher", str(self.directory / "node-3")], self.state
        ) as watcher:
            processes.ready_line(watcher)
            stop = _run_beside(node)
            try:
                taken = sorted(self._seen_after(node, watcher) for _ in range(200))
            finally:
                stop()
                node.close()
        self.results["live_p50_ms"] = round(statistics.median(taken), 2)
        self.results["live_p99_ms"] = round(taken[int(len(taken) * 0.99) - 1], 2)

    def _seen_after(self, node: Node, watcher: subprocess.Popen[str]) -> float:
        (request,) = self.requests(1)
        started = time.monotonic_ns()
        view = node.reservations.create(request)
        while True:
            words = processes.ready_line(watcher, "seen").split()
            if words[0] == view.id.hex():
                break
        # The pace of a busy desk, not a flood: what is measured is one operation, not a queue.
        time.sleep(0.01)
        return (int(words[1]) - started) / 1e6

    # --- growth -----------------------------------------------------------------------------------

    def growth(self) -> None:
        """One more operation and its merge after a long history, against the same after a short
        one: on a node and a hub in this process, so that nothing but their work is timed."""
        small, large = 1_000, 20_000 if self.quick else 100_000
        self.progress(f"one more after {small:,} and after {large:,}")
        hub = Hub.init(self.directory / "growth-hub", "bench", synchronous="NORMAL")
        hub.import_venue(workload.venue_document())
        node = _joined_in_memory(hub, self.directory / "growth-node")
        self._next = 0
        self._fill(hub, node, small)
        short = self._one_more(hub, node)
        self._fill(hub, node, large)
        long = self._one_more(hub, node)
        node.close()
        hub.close()
        self.results["growth_operations"] = large
        self.results["growth_short_us"] = round(short * 1e6, 1)
        self.results["growth_long_us"] = round(long * 1e6, 1)
        self.results["growth_ratio"] = round(long / short, 2)

    def _fill(self, hub: Hub, node: Node, upto: int) -> None:
        while self._next < upto:
            with node.transaction():
                for one in self.requests(min(500, upto - self._next)):
                    node.reservations.create(one)
            if self._next % 5_000 == 0 or self._next >= upto:
                _exchange(hub, node)

    def _one_more(self, hub: Hub, node: Node) -> float:
        taken = []
        for one in self.requests(300):
            started = time.perf_counter()
            node.reservations.create(one)
            _exchange(hub, node)
            taken.append(time.perf_counter() - started)
        return statistics.median(taken)

    # --- starting ---------------------------------------------------------------------------------

    def start(self) -> None:
        """From starting the process of a node with this history until it says ready, and its
        memory then."""
        self.progress("a node starts")
        taken, memory = [], []
        for _ in range(3 if self.quick else RUNS):
            started = time.perf_counter()
            with processes.running(
                ["-m", "holdfast", "node", "run", "--data", str(self.directory / "node-1"),
                 "--port", "0"], self.state,
            ) as child:  # fmt: skip
                processes.ready_line(child)
                taken.append(time.perf_counter() - started)
                memory.append(processes.resident_mb(child.pid))
        self.results["node_ready_seconds"] = round(statistics.median(taken), 3)
        self.results["node_rss_mb"] = round(statistics.median(memory), 1)

    def import_time(self) -> None:
        """`import holdfast`, in a new interpreter, less the interpreter itself."""
        program = (
            "import time; t = time.perf_counter(); import holdfast; "
            "print((time.perf_counter() - t) * 1000)"
        )
        taken = [
            float(
                subprocess.run(
                    [sys.executable, "-c", program], capture_output=True, text=True, check=True
                ).stdout
            )
            for _ in range(RUNS)
        ]
        self.results["import_ms"] = round(statistics.median(taken), 1)


def _bytes_written(node: Node) -> int:
    """The bytes of rows that reservations have made in a node's database so far."""
    total = 0
    for sql in (
        "SELECT coalesce(sum(length(entry) + length(hash)), 0) FROM journal",
        "SELECT coalesce(sum(length(view) + length(seen) + 150), 0) FROM reservations",
        "SELECT count(*) * 120 FROM operations",
        "SELECT count(*) * 120 FROM claims",
    ):
        total += int(node.store.db.execute(sql).fetchone()[0])
    return total


def _run_beside(node: Node) -> Callable[[], None]:
    """Run a node's link in a thread of its own. Returns what stops it."""
    loop = asyncio.new_event_loop()
    executor = ThreadPoolExecutor(1)
    connected = threading.Event()

    async def serve() -> Runtime:
        runtime = Runtime(node, executor)
        await runtime.start()
        while runtime.link is not None and runtime.link.state != "connected":
            await asyncio.sleep(0.01)
        connected.set()
        return runtime

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runtime = asyncio.run_coroutine_threadsafe(serve(), loop).result(30)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(runtime.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        executor.shutdown()
        loop.close()

    return stop


def _joined_in_memory(hub: Hub, directory: Path) -> Node:
    """A node of a hub in the same process: joined for real, exchanging without a socket."""
    from holdfast.bench.memory import join

    node = join(hub, directory, workload.VENUE, synchronous="NORMAL")
    _exchange(hub, node)
    return node


def _exchange(hub: Hub, node: Node) -> None:
    while True:
        request = node.ask(node.peer)
        outcome = node.exchange.absorb(node.peer, request, Exchange(hub).answer(request))
        if not outcome.more and node.peer.heads is not None:
            return
