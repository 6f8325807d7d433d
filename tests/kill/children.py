"""What is killed: small programs that open a directory, work in a loop and tell what was answered.

Owns the work of the child processes and the words in which they tell it. They never stop by
themselves while their parent lives, so that each kill finds one at work; what they told is what
must still be true after it.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

from holdfast.model.errors import BadTransition, NotAvailable, Unauthorised, Unreachable
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.node import exchange, joining, serving, transport, witness
from holdfast.node.challenges import CHALLENGE_REASON
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.requests import CreateRequest, PatchRequest
from holdfast.node.service import Service
from holdfast.node.upkeep import backup_directory
from holdfast.sync.messages import ExchangeRequest, ExchangeResponse, decode, encode
from tests.kill.places import URL, VENUE, a_start, asking, venue_document


class Ear(Protocol):
    """Where words go: a pipe's end, or a list in the same process."""

    def send(self, word: Any, /) -> None: ...


class Told:
    """The child's end of a pipe: `ask` before an operation, `answer` when its caller has it."""

    def __init__(self, pipe: Ear) -> None:
        self._pipe = pipe

    def ask(self, subject: bytes | None, what: str) -> None:
        self._pipe.send(("ask", subject, what))

    def answer(self, view: View) -> None:
        self._pipe.send(("answer", view.id, view.code, view.status, view.party_size, view.leaves))

    def say(self, word: str, value: Any = None) -> None:
        self._pipe.send((word, value))


class PipedNode(Node):
    """A node whose way to the hub is a pipe: the real bytes and signatures, no socket."""

    wire: Any = None

    def transport(self) -> Any:
        if self.wire is None:
            raise Unreachable("there is no hub at the other end; this device goes on alone")
        return self.wire


class Wire:
    """The asking end of a pipe to a hub."""

    def __init__(self, node: Node, pipe: Connection) -> None:
        self._node = node
        self._pipe = pipe

    def exchange(self, request: ExchangeRequest) -> ExchangeResponse:
        body = encode(request)
        url = URL + transport.EXCHANGE_PATH
        try:
            _, answer = transport.converse(
                self._node.identity, url, body, lambda headers: self.carry(headers, body)
            )
        except (EOFError, OSError) as error:
            raise Unreachable("the hub died; this device goes on alone") from error
        return decode(answer, ExchangeResponse)

    def carry(self, headers: dict[str, str], body: bytes) -> bytes:
        self._pipe.send((headers, body))
        return heard(self._pipe.recv())

    def close(self) -> None:
        """The pipe belongs to whoever made it."""


def heard(answer: bytes | str) -> bytes:
    """What `said` says. Raises Unauthorised where it is a challenge to be signed."""
    if isinstance(answer, str):
        raise Unauthorised("sign this", reason=CHALLENGE_REASON, challenge=answer)
    return answer


class Direct(Wire):
    """To a hub in this process."""

    def __init__(self, node: Node, hub: Hub) -> None:
        self._node = node
        self._hub = hub

    def carry(self, headers: dict[str, str], body: bytes) -> bytes:
        return answer_one(self._hub, headers, body)


def joined(hub: Hub, name: str, role: str, directory: Path) -> PipedNode:
    """A node that a hub in this process has admitted, and that has its venue's book."""
    code = hub.invite(VENUE, role, name).code
    with mock.patch.object(joining, "ask", asking(hub)):
        node = PipedNode.join(URL, code, directory)
    assert isinstance(node, PipedNode)
    node.wire = Direct(node, hub)
    node.sync()
    # A desk makes the venue's key once it knows that nobody else did; this brings it to the hub.
    node.sync()
    return node


def answer_one(hub: Hub, headers: dict[str, str], body: bytes) -> bytes:
    """The hub's half of one message, signatures and all."""
    status, _, answer = serving.handle_exchange(
        hub, "POST", transport.EXCHANGE_PATH, "hub.test", headers, body
    )
    assert status == 200
    return answer


def said(hub: Hub, headers: dict[str, str], body: bytes) -> bytes | str:
    """What goes back through a pipe: the answer, or the challenge to be signed (`heard`)."""
    try:
        return answer_one(hub, headers, body)
    except Unauthorised as error:
        return transport.challenge_of(error)


def settle_in(state: str, piece: int = 0) -> None:
    """Where this process keeps its witness, and how many entries a message carries at most."""
    os.environ[witness.STATE_VARIABLE] = state
    if piece:
        vars(exchange)["EXCHANGE_ENTRIES"] = piece


def open_as(role: str, directory: Path) -> Service:
    return Hub.open(directory) if role == "hub" else PipedNode.open(directory)


# --- writing ------------------------------------------------------------------------------------


def operations(replica: Service, rng: random.Random, told: Told) -> Iterator[None]:
    """Guests without end: most reserve, some come with a name, some change or cancel."""
    mine: list[bytes] = []
    while True:
        choice = rng.random()
        subject = rng.choice(mine) if mine and choice > 0.7 else None
        try:
            if subject is None:
                told.ask(None, "create")
                view = replica.reservations.create(a_guest(rng, replica))
                mine.append(view.id)
            elif choice > 0.85:
                told.ask(subject, "cancel")
                view = replica.reservations.cancel(
                    uuid_text(subject), "guest_request", "guest", None
                )
                mine.remove(subject)
            else:
                told.ask(subject, "amend")
                view = replica.reservations.amend(uuid_text(subject), a_change(rng))
        except (NotAvailable, BadTransition):
            told.say("refused")
            continue
        told.answer(view)
        yield


def a_guest(rng: random.Random, replica: Service) -> CreateRequest:
    table = rng.random() < 0.2
    named = replica.role == "node" and rng.random() < 0.2
    return CreateRequest(
        venue=VENUE, starts_at=a_start(rng), party_size=2,
        resources=[f"T{rng.randrange(1, 5)}" if table else "HALL"],
        guest={"name": "Ann B", "phone": "+39 06 1234567"} if named else None,
    )  # fmt: skip


def write_forever(state: str, role: str, directory: Path, seed: str, pipe: Connection) -> None:
    """Open a directory and reserve, amend and cancel until killed."""
    settle_in(state)
    told, rng = Told(pipe), random.Random(seed)
    replica = open_as(role, directory)
    told.say("open")
    for _ in operations(replica, rng, told):
        pass


def a_change(rng: random.Random) -> PatchRequest:
    """Of the occasion, or of the party, which asks for another claim."""
    if rng.random() < 0.5:
        return PatchRequest(occasion=rng.choice(("birthday", "business", "date")))
    return PatchRequest(party_size=rng.randrange(1, 5))


# --- merging ------------------------------------------------------------------------------------


def serve_forever(state: str, directory: Path, piece: int, pipe: Connection) -> None:
    """A hub that answers exchanges; it ends in good order when the other end is closed."""
    settle_in(state, piece)
    hub = Hub.open(directory)
    pipe.send("open")
    with contextlib.suppress(EOFError):
        while True:
            headers, body = pipe.recv()
            pipe.send(said(hub, headers, body))
    hub.close()


def exchange_forever(
    state: str, directory: Path, piece: int, seed: str, telling: Connection, hub: Connection
) -> None:
    """A node that reserves a little and synchronises, again and again."""
    settle_in(state, piece)
    told, rng = Told(telling), random.Random(seed)
    node = PipedNode.open(directory)
    assert isinstance(node, PipedNode)
    node.wire = Wire(node, hub)
    told.say("open")
    work = operations(node, rng, told)
    while True:
        for _ in range(rng.randrange(4)):
            next(work)
        told.say("synced", node.sync()["pulled"])


# --- other work ---------------------------------------------------------------------------------


def import_forever(state: str, directory: Path, first: int, pipe: Connection) -> None:
    """Import the venue's file in ever new versions."""
    settle_in(state)
    hub = Hub.open(directory)
    told = Told(pipe)
    told.say("open")
    version = first
    while True:
        told.say("ask", version)
        hub.import_venue(venue_document(version))
        told.say("answer", version)
        version += 1


def back_up_forever(state: str, directory: Path, target: Path, pipe: Connection) -> None:
    """Write backups one over the other, of a directory that is in use."""
    settle_in(state)
    hub = Hub.open(directory)
    told, work = Told(pipe), operations(hub, random.Random(0), Told(_Nobody()))
    told.say("open")
    while True:
        next(work)
        backup_directory(directory, target)
        told.say("answer", None)


def make_hub(state: str, directory: Path, pipe: Connection) -> None:
    """Make a hub with its venue, and stay."""
    settle_in(state)
    told = Told(pipe)
    told.say("open")
    hub = Hub.init(directory, "demo")
    told.say("made", hub.identity.incarnation)
    hub.import_venue(venue_document(1))
    told.say("imported", None)
    pipe.poll(None)


def init_until(state: str, directory: Path, moment: int, pipe: Connection) -> None:
    """Make a hub, and die before the given look at the file system, if it comes to that."""
    settle_in(state)
    told = Told(pipe)
    with dying_at(moment, told):
        hub = Hub.init(directory, "demo")
        told.say("made", hub.identity.incarnation)
    pipe.poll(None)


def join_until(
    state: str, hub_directory: Path, directory: Path, moment: int, pipe: Connection
) -> None:
    """Join a hub in this process, and die before the given look at the file system."""
    settle_in(state)
    told, hub = Told(pipe), Hub.open(hub_directory)
    code = hub.invite(VENUE, "kiosk", "kiosk").code
    with mock.patch.object(joining, "ask", asking(hub)), dying_at(moment, told):
        node = PipedNode.join(URL, code, directory)
        told.say("made", node.identity.incarnation)
    pipe.poll(None)


def start_until(state: str, directory: Path, moment: int, pipe: Connection) -> None:
    """Open a hub and keep its witness, and die before the given look at the file system."""
    settle_in(state)
    told = Told(pipe)
    with dying_at(moment, told):
        hub = Hub.open(directory)
        hub.keep_witness()
        told.say("made", hub.identity.incarnation)
    pipe.poll(None)


@contextlib.contextmanager
def dying_at(moment: int, told: Told) -> Iterator[None]:
    """Whoever looks at the file system (opens, makes, renames, removes, connects) dies just before
    the look of that number; else it is told at the end how many there were."""
    looks, watching = 0, True

    def look(event: str, _: Any) -> None:
        nonlocal looks
        if watching and event in _LOOKS:
            looks += 1
            if looks == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    yield
    watching = False
    told.say("looks", looks)


_LOOKS = frozenset(
    {
        "open", "os.chmod", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
        "os.scandir", "shutil.rmtree", "sqlite3.connect", "tempfile.mkstemp",
    }
)  # fmt: skip


def hold_forever(state: str, role: str, directory: Path, pipe: Connection) -> None:
    """Hold a directory as a running process does, doing nothing."""
    settle_in(state)
    replica = open_as(role, directory)
    pipe.send("open")
    with contextlib.suppress(EOFError):
        pipe.recv()
    replica.close()


class _Nobody:
    """Where nobody listens."""

    def send(self, word: Any) -> None:
        """Forgotten."""
