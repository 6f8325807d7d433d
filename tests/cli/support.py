"""What the tests of the command line are made of: commands in this process and in their own."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from holdfast.cli import holdfast

ROOT = Path(__file__).parent.parent.parent
PROGRAM = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'holdfast'; from holdfast.cli import main; main()",
]
VENUE = ROOT / "examples" / "trattoria.yaml"


def _next_open_tuesday() -> datetime.date:
    """A Tuesday soon after which two more days follow that the sample venue is open on."""
    day = datetime.date.today() + datetime.timedelta(days=7)
    day += datetime.timedelta(days=(1 - day.weekday()) % 7)
    closed = datetime.timedelta(days=7) if day.month == 12 and 23 <= day.day <= 25 else None
    return day + (closed or datetime.timedelta())


DAYS = [(_next_open_tuesday() + datetime.timedelta(days=n)).isoformat() for n in range(3)]
DAY = DAYS[0]

Run = Callable[..., Result]


def make_hub(directory: Path) -> Path:
    """A hub with the sample venue."""
    for words in (
        ["hub", "init", "--data", directory, "--tenant", "rome"],
        ["venue", "import", VENUE, "--data", directory],
    ):
        done = CliRunner().invoke(holdfast, [str(word) for word in words])
        assert done.exit_code == 0, done.output
    return directory


def program(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a process of its own."""
    return subprocess.run(
        [*PROGRAM, *(str(word) for word in words)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


START_SECONDS = 90
"""After which a process that is not ready will not be: a busy machine takes ten times as long."""


class Running:
    """A `hub run` or `node run` that has said `ready`."""

    def __init__(self, role: str, directory: Path, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, role, "run", "--data", str(directory), "--port", str(port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        # Should it never get ready, the read below ends because the process does.
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        self.first_line = self.process.stdout.readline()
        watchdog.cancel()
        self.url = self.first_line.removeprefix("ready ").strip()

    def stop(self, signal_number: int = 15) -> tuple[int, str]:
        """Tell it to stop; returns its exit status and what it wrote to standard error."""
        self.process.send_signal(signal_number)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


def joined_desk(place: Path) -> Path:
    """A front desk with the sample venue, whose hub cannot be reached any more."""
    hub = make_hub(place / "hub")
    running = Running("hub", hub)
    join_desk(hub, running.url, place / "desk")
    assert running.stop() == (0, "")
    return place / "desk"


def join_desk(hub: Path, url: str, directory: Path) -> None:
    """Join a front desk called `desk` to a hub that is served."""
    invited = program("hub", "invite", "--venue", "trattoria", "--role", "front-desk",
                      "--name", "desk", "--data", hub)  # fmt: skip
    done = program("node", "join", url, "--code", invited.stdout.split()[-1], "--data", directory)
    assert done.returncode == 0, done.stderr


@contextmanager
def asked_both_ways(request: pytest.FixtureRequest, directory: Path) -> Iterator[Path]:
    """A node's directory with its process where the parameter is `running`, else without."""
    if request.param == "stopped":
        yield directory
        return
    process = Running("node", directory)
    yield directory
    assert process.stop()[0] == 0


def document(done: Result | subprocess.CompletedProcess[str]) -> Any:
    """The one JSON document on standard output; the command must have succeeded."""
    status = done.exit_code if isinstance(done, Result) else done.returncode
    assert status == 0, f"{done.stdout}{done.stderr}"
    return json.loads(done.stdout)
