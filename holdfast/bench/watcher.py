"""A node in a process of its own that prints when it sees each reservation.

Run as `python -m holdfast.bench.watcher DIRECTORY`. The times are of the system's monotonic clock,
which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from holdfast.node.node import Node
from holdfast.node.replica import Change
from holdfast.node.runtime import Runtime


async def watch(directory: Path) -> None:
    node = Node.open(directory)

    def seen(change: Change) -> None:
        now = time.monotonic_ns()
        for reservation in change.reservations:
            print("seen", reservation.hex(), now, flush=True)

    node.listeners.append(seen)
    runtime = Runtime(node)
    await runtime.start()
    while runtime.link is not None and runtime.link.state != "connected":
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(watch(Path(sys.argv[1])))
