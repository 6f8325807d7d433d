"""The steps of one request, in the order in which they were gone through, for whoever asks.

Owns the list alone. Nothing is decided by it, and where nobody asks, nothing is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Step(NamedTuple):
    """A step that was gone through, how long it took, and whether it refused: nothing comes after
    one that did."""

    name: str
    ms: float
    refused: bool


_steps: ContextVar[list[Step] | None] = ContextVar("holdfast_traced_steps", default=None)


def begin() -> list[Step]:
    """The steps of the rest of this context, which are added as they are gone through; also by
    threads that run in a copy of it."""
    steps: list[Step] = []
    _steps.set(steps)
    return steps


def stop() -> None:
    """Keep no steps from now on."""
    _steps.set(None)


@contextmanager
def step(name: str) -> Iterator[None]:
    """What is done inside is this step. The same one twice in a row is one."""
    steps = _steps.get()
    if steps is None:
        yield
        return
    started = time.perf_counter()
    refused = True
    try:
        yield
        refused = False
    finally:
        ms = (time.perf_counter() - started) * 1_000
        if steps and steps[-1].name == name:
            ms += steps.pop().ms
        steps.append(Step(name, ms, refused))
