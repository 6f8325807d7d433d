"""Real processes for the benchmark: a hub that serves, a node that says when it sees something.

Owns starting and stopping them; each is stopped by the pid that was started.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

from holdfast.model.errors import Unreachable

READY_SECONDS: Final = 30


def environment(state: Path) -> dict[str, str]:
    """The child's environment: its witness stays inside the benchmark's directory."""
    return {**os.environ, "HOLDFAST_STATE": str(state), "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def running(arguments: list[str], state: Path) -> Generator[subprocess.Popen[str], None, None]:
    """A child process of this Python, stopped when the block ends."""
    child = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(state),
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def ready_line(child: subprocess.Popen[str], word: str = "ready") -> str:
    """The rest of the line that begins with a word. Raises Unreachable if it does not come."""
    assert child.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        readable, _, _ = select.select([child.stdout], [], [], deadline - time.monotonic())
        line = child.stdout.readline() if readable else ""
        if line.startswith(word):
            return line[len(word) :].strip()
        if not line:
            break
    raise Unreachable(f"the benchmark's process {child.args!r} did not become ready")


def resident_mb(pid: int) -> float:
    """The resident memory of a process, in MB; 0 where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
