"""How the kill tests kill, how often, and what must be true afterwards.

Owns the count and the seed, the child processes and their end, the ledger of what was answered, and
the examination of a directory whose process was killed. The moments of killing are random delays by
design; everything else waits for an event.

`HOLDFAST_KILLS=5000 pytest tests/kill` kills so often; `HOLDFAST_KILLS=5000:SEED` draws the same
delays and operations again (when the kernel gives whom its turn, no seed decides).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from holdfast.model.entries import decode
from holdfast.node.audit import verify_store
from holdfast.node.lookup import by_code
from holdfast.node.service import Service
from holdfast.store.readonly import ReadOnlyStore
from tests.kill import children
from tests.kill.places import BOOK

AnyService = TypeVar("AnyService", bound=Service)

ROOT = Path(__file__).parent.parent.parent
KILLS_ORDINARY = 210
PATIENCE_SECONDS = 60
"""A child that says nothing for so long is stuck, which is a failure."""


def _asked() -> tuple[int, str]:
    count, _, seed = os.environ.get("HOLDFAST_KILLS", "").partition(":")
    return int(count or KILLS_ORDINARY), seed


def histories(ordinary: int) -> range:
    """How many histories a test goes through: `ordinary` ones, or more where more was asked for."""
    return range(max(1, -(-ordinary * _asked()[0] // KILLS_ORDINARY)))


@cache
def _base_seed() -> str:
    return _asked()[1] or secrets.token_hex(4)


def dice(test: str, number: int) -> random.Random:
    """The random numbers of one history; what replays it stands in the output of a failure."""
    count, base = _asked()[0], _base_seed()
    print(f"replay: HOLDFAST_KILLS={count}:{base} pytest tests/kill -k '{test} and {number}'")
    return random.Random(f"{base}/{test}/{number}")


# --- processes ----------------------------------------------------------------------------------


@cache
def nursery() -> Any:
    """Where children come from: a process that has everything imported, and forks them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "tests.kill.children", "holdfast.api.server"])
    with mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT)}):
        forkserver.ensure_running()
    return context


@dataclass
class Child:
    """A real process, and our ends of its pipes."""

    process: Any
    pipes: tuple[Connection, ...]

    @property
    def pipe(self) -> Connection:
        return self.pipes[0]

    def receive(self) -> Any:
        """The next word. Raises EOFError where the child has died."""
        assert self.pipe.poll(PATIENCE_SECONDS), "the child says nothing any more"
        return self.pipe.recv()

    def kill(self) -> None:
        """SIGKILL; it must have been at work until then."""
        self.process.kill()
        self.process.join(PATIENCE_SECONDS)
        assert self.process.exitcode == -signal.SIGKILL, (
            f"the child had ended by itself, with status {self.process.exitcode}"
        )

    def rest(self) -> list[Any]:
        """Everything that it had told before it died; half a word is no word."""
        words = []
        with contextlib.suppress(EOFError, OSError):
            while self.pipe.poll(PATIENCE_SECONDS):
                words.append(self.pipe.recv())
        return words


@contextlib.contextmanager
def child(
    work: Callable[..., None], *arguments: Any, pipes: int = 1
) -> Generator[Child, None, None]:
    """Start a child with the far ends of so many pipes; it is gone when this ends."""
    ends = [multiprocessing.Pipe() for _ in range(pipes)]
    state = os.environ["HOLDFAST_STATE"]
    process = nursery().Process(target=work, args=(state, *arguments, *(far for _, far in ends)))
    process.start()
    for _, far in ends:
        # Ours must be the only near end and theirs the only far one, or nobody sees the other die.
        far.close()
    try:
        yield Child(process, tuple(near for near, _ in ends))
    finally:
        for near, _ in ends:
            near.close()
        if process.is_alive():
            process.join(PATIENCE_SECONDS if process.exitcode is None and pipes == 0 else 0.0)
            process.kill()
        process.join(PATIENCE_SECONDS)
        process.close()


def work_until_killed(
    one: Child, rng: random.Random, longest_ms: float, most_words: int = 120
) -> list[Any]:
    """Let a child work until a random moment (while it opens; after some milliseconds; at some
    word that it tells), kill it, and return all that it told."""
    words: list[Any] = []
    style = rng.choice(("opening", "time", "time", "word"))
    if style == "word":
        for _ in range(rng.randrange(1, most_words)):
            words.append(one.receive())
    else:
        if style == "time":
            words.append(one.receive())
        deadline = time.monotonic() + rng.uniform(0, longest_ms) / 1000
        while (left := deadline - time.monotonic()) > 0:
            if one.pipe.poll(left):
                words.append(one.pipe.recv())
    one.kill()
    return words + one.rest()


# --- what was answered --------------------------------------------------------------------------


@dataclass
class Ledger:
    """What callers were answered, and what was asked when the process died."""

    codes: dict[bytes, str] = field(default_factory=dict)
    statuses: dict[bytes, str] = field(default_factory=dict)
    operations: dict[bytes, set[bytes]] = field(default_factory=dict)
    unanswered: set[bytes] = field(default_factory=set)

    def hear(self, words: list[Any]) -> None:
        """Take in what one life told, to its end."""
        asked: bytes | None = None
        for word in words:
            if word[0] == "ask":
                asked = word[1]
            elif word[0] == "answer":
                self.answered(*word[1:])
                asked = None
            elif word[0] == "refused":
                asked = None
        if asked is not None:
            self.unanswered.add(asked)

    def answered(
        self, reservation: bytes, code: str, status: str, _: int, leaves: tuple[bytes, ...]
    ) -> None:
        self.codes[reservation] = code
        self.statuses[reservation] = status
        self.operations.setdefault(reservation, set()).update(leaves)

    def check(self, replica: Service, *, alone: bool = False) -> None:
        """All that was answered is there: id, code, each operation; `alone`: also the status,
        which nobody else can have changed."""
        for reservation, code in self.codes.items():
            record = replica.record(reservation)
            assert record is not None, f"{replica.name} lost {code}, which was answered"
            assert record.view.code == code
            assert by_code(replica, code) == (record.book, reservation), (
                f"{code} finds something else"
            )
            lost = self.operations[reservation] - {seen.operation for seen in record.seen}
            assert not lost, f"{replica.name} lost {len(lost)} answered operations of {code}"
            if alone and reservation not in self.unanswered:
                assert record.view.status == self.statuses[reservation], code


class _Into:
    """The near end of a pipe without a process: what is told goes into a ledger's words."""

    def __init__(self) -> None:
        self.words: list[tuple[object, ...]] = []

    def send(self, word: tuple[object, ...]) -> None:
        self.words.append(word)


def write(replica: Service, ledger: Ledger, rng: random.Random, count: int) -> None:
    into = _Into()
    work: Iterator[None] = children.operations(replica, rng, children.Told(into))
    for _ in range(count):
        next(work)
    ledger.hear([*into.words, ("refused",)])


# --- what must be true of a directory -----------------------------------------------------------


def reopened(
    role: str, directory: Path, incarnation: bytes, rng: random.Random | None = None
) -> Service:
    """Open what was killed: whole, the same life, its shown state what a fresh fold gives, and
    every operation written here in the queue."""
    report = verify_store(directory)
    assert report.ok, f"{directory}: {report.first_bad or report.notes}"
    replica = quick(children.open_as(role, directory))
    try:
        examine(replica, incarnation)
        if rng is not None and rng.random() < 0.1:
            assert replica.store.check() == []
    except BaseException:
        replica.store.close()
        raise
    return replica


def quick(replica: AnyService) -> AnyService:
    """Who is not killed here need not wait for the disk: that a kill loses nothing depends on those
    who are, and they do."""
    replica.store.db.conn.execute("PRAGMA synchronous=OFF")
    return replica


def examine(replica: Service, incarnation: bytes) -> None:
    """See `reopened`."""
    assert getattr(replica, "other_life", []) == [], "a kill is no copy and no restore"
    assert replica.identity.incarnation == incarnation
    shown = _projected(replica)
    for book in list(replica.books):
        replica.refold(book)
    assert _projected(replica) == shown, "what is shown is not what a fresh fold gives"
    if replica.keeps_queue:
        _queue_is_complete(replica)


def _projected(replica: Service) -> dict[bytes, bytes]:
    with ReadOnlyStore(replica.directory) as store:
        return store.projected()


def _queue_is_complete(replica: Service) -> None:
    chain = replica.store.journal.chain(BOOK, replica.identity.incarnation)
    if chain is None:
        return
    entries = replica.store.journal.entries(chain, 0, chain.length)
    written = {n for n, entry in enumerate(entries, 1) if decode(entry).subject}
    queued = {op.n for op in replica.store.queue.select(limit=1_000_000) if op.chain == chain.id}
    assert written <= queued, f"{len(written - queued)} operations are not in the queue"
    assert queued <= written, "the queue names operations that were never written"


def leave(replica: Service, rng: random.Random) -> None:
    """Stop in good order, or without a word as a process that is killed while idle."""
    if rng.random() < 0.5:
        replica.close()
    else:
        replica.store.close()
