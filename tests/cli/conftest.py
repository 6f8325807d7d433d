"""Fixtures of the command line's tests; what they are made of stands in `support`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from holdfast.cli import holdfast
from tests.cli.support import Run, Running, make_hub


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands send this process's log into their directory; other tests want it where it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [one for one in root.handlers if one not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.getLogger("holdfast").setLevel(logging.NOTSET)
    logging.captureWarnings(False)


@pytest.fixture
def run() -> Run:
    """Run a command line in this process."""

    def call(*words: object, stdin: str | None = None, **environment: str) -> Result:
        return CliRunner().invoke(holdfast, [str(w) for w in words], input=stdin, env=environment)

    return call


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with the sample venue, shared by the tests of a module."""
    return make_hub(tmp_path_factory.mktemp("cli") / "hub")


@pytest.fixture
def serve() -> Iterator[Callable[[str, Path], Running]]:
    """Start a directory's process; what still runs at the end is stopped."""
    started: list[Running] = []

    def start(role: str, directory: Path) -> Running:
        started.append(Running(role, directory))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()
