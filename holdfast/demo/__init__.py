"""`holdfast demo`: the whole story on this machine, told by real processes.

Owns the way from a call to a told story and an exit status. What happens stands in `story`, how it
looks in `telling`, and the processes in `machines`.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Generator
from types import FrameType

from holdfast.demo.machines import Machines
from holdfast.demo.story import Story
from holdfast.demo.telling import Telling

__all__ = ["run"]

LOOK_SECONDS = 0.5
_STAYING = (
    "The story is told. Its hub, front desk and kiosk stay up until Ctrl-C, at the addresses in "
    "the document; with --once the demo ends by itself."
)


def run(once: bool, as_json: bool) -> int:
    """Tell the story; returns 0 if every claim of it held, else 1.

    With `once` it ends by itself; otherwise its processes stay up until Ctrl-C. With `as_json` one
    JSON document is all that standard output gets, as soon as the story is told; that the processes
    stay up is said on standard error. Raises DemoFailed where the story could not go on.
    """
    telling = Telling(quiet=as_json)
    with _terminated_like_interrupted(), Machines() as machines:
        story = Story(machines, telling)
        story.tell()
        if as_json:
            print(json.dumps(story.document(), indent=2), flush=True)
        if not once:
            telling.visit(machines.all, story.venue, story.date, story.displaced_code)
            if as_json:
                print(_STAYING, file=sys.stderr, flush=True)
            _stay(machines)
            telling.goodbye()
    telling.verdict(story.claims, story.seconds)
    if once:
        telling.what_next()
    return 0 if story.held else 1


def _stay(machines: Machines) -> None:
    """Until Ctrl-C, or until one of the processes has gone."""
    gone = threading.Event()
    with contextlib.suppress(KeyboardInterrupt):
        while all(machine.runs for machine in machines.all):
            gone.wait(LOOK_SECONDS)


@contextlib.contextmanager
def _terminated_like_interrupted() -> Generator[None, None, None]:
    """SIGTERM ends the demo as Ctrl-C does, so that no process is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
