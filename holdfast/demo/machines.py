"""The demo's machines: real processes of `holdfast`, each with a directory, a port and an end.

Owns starting and stopping them and the calls to their HTTP interface. Knows nothing of the story.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import httpx

from holdfast.model.errors import HoldfastError

READY_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0
COMMAND_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 10.0
LOOK_AGAIN_SECONDS: Final = 0.01


class DemoFailed(HoldfastError):
    """The story could not go on: a process did not start, refused, or did not get there in time."""

    name = "demo-failed"


class Machine:
    """A hub or node of the demo: its directory and, while it runs, its process and its URL."""

    def __init__(self, name: str, role: str, directory: Path, environment: Mapping[str, str]):
        self.name = name
        self.role = role
        self.directory = directory
        self.url = ""
        self.stopped_with: int | None = None
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self._client: httpx.Client | None = None

    def start(self) -> None:
        """Start the process and wait for its `ready` line. Raises DemoFailed."""
        self._process = subprocess.Popen(
            [*_PROGRAM, self.role, "run", "--data", str(self.directory), "--port", "0"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Ctrl-C in the terminal is for the demo, which then stops its machines one by one.
            start_new_session=True,
        )
        line = _first_line(self._process)
        if not line.startswith("ready http"):
            raise DemoFailed(f"the {self.name} did not start: {line or 'it said nothing'}")
        self.url = line.removeprefix("ready ")
        token = (self.directory / "admin-token").read_text("utf-8").strip()
        self._client = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )

    def get(self, path: str, **params: Any) -> Any:
        """The document at a path under `/api/v1`. Raises DemoFailed."""
        return self._call("GET", path, params=params)

    def find(self, reservation: str) -> dict[str, Any] | None:
        """A reservation as this machine shows it; None where it has not arrived."""
        found = self._answer("GET", f"/reservations/{reservation}")
        if found.status_code == httpx.codes.NOT_FOUND:
            return None
        document: dict[str, Any] = self._good(found, "GET", "/reservations")
        return document

    def post(self, path: str, body: Any = None) -> Any:
        """What a POST answers. Raises DemoFailed."""
        return self._call("POST", path, json={} if body is None else body)

    def _call(self, method: str, path: str, **more: Any) -> Any:
        return self._good(self._answer(method, path, **more), method, path)

    def _answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        if self._client is None:
            raise DemoFailed(f"the {self.name} is not running")
        try:
            return self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise DemoFailed(f"the {self.name} gave no answer to {method} {path}") from error

    def _good(self, response: httpx.Response, method: str, path: str) -> Any:
        try:
            document = response.json()
        except ValueError as error:
            raise DemoFailed(f"the {self.name} answered {method} {path} without JSON") from error
        if response.status_code >= 400:
            raise DemoFailed(f"the {self.name} refused {method} {path}: {document.get('detail')}")
        return document

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def holds_bytes(self, needle: bytes) -> bool:
        """Whether these bytes stand in any file of the machine's directory."""
        return any(
            needle in path.read_bytes() for path in self.directory.rglob("*") if path.is_file()
        )

    def ask_to_stop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait_until_stopped(self) -> None:
        """Wait for the process's end, and make an end of it if it takes too long."""
        if self._process is None:
            return
        try:
            self.stopped_with = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.stopped_with = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Machines:
    """All machines of one demo in a temporary directory; used in a `with` statement, which stops
    them by their process ids and removes the directory, however it is left."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="holdfast-demo-")
        self.directory = Path(self._temporary.name)
        # The developer's own settings are not the demo's, and the witness stays in the directory.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")}
        self.environment = kept | {"HOLDFAST_STATE": str(self.directory / "state")}
        self.all: list[Machine] = []

    def add(self, name: str, role: str) -> Machine:
        self.all.append(Machine(name, role, self.directory / name, self.environment))
        return self.all[-1]

    def command(self, *words: object) -> str:
        """Run one `holdfast` command; returns its standard output. Raises DemoFailed."""
        done = subprocess.run(
            [*_PROGRAM, *map(str, words)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            said = done.stderr.strip() or f"status {done.returncode}"
            raise DemoFailed(f"holdfast {' '.join(map(str, words[:2]))}: {said}")
        return done.stdout

    def stop(self) -> None:
        for machine in self.all:
            machine.ask_to_stop()
        for machine in self.all:
            machine.wait_until_stopped()

    def __enter__(self) -> Machines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _undisturbed():
            try:
                self.stop()
            finally:
                self._temporary.cleanup()


@contextlib.contextmanager
def _undisturbed() -> Generator[None, None, None]:
    """A second Ctrl-C must not leave processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def wait_for(what: str, look: Callable[[], bool], seconds: float) -> float:
    """Look until it is so; returns after how many milliseconds. Raises DemoFailed at the end."""
    began = time.monotonic()
    while not look():
        if time.monotonic() - began > seconds:
            raise DemoFailed(f"waited {seconds:g} s in vain: {what}")
        # Other processes' states are polled as any visitor would; nothing tells this one of them.
        time.sleep(LOOK_AGAIN_SECONDS)
    return (time.monotonic() - began) * 1000


_PROGRAM: Final = [sys.executable, "-m", "holdfast"]


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
    return process.stdout.readline().strip() if readable else ""
