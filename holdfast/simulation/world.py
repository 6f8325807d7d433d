"""The simulated world: true time, the machines, and the product running on them unchanged.

Owns the joints between the real code and what is simulated: clocks, disks, machine identity,
network and randomness, all put in place by `World.installed` and taken away again. Nothing sleeps,
no thread is started, no socket is opened.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import random
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final
from unittest import mock

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.node import hub as hub_module
from holdfast.node import joining, serving, timekeeping, transport, upkeep, witness
from holdfast.node import node as node_module
from holdfast.node.hub import Hub
from holdfast.node.issuing import ROOT_KEY
from holdfast.node.node import Node
from holdfast.node.service import Service
from holdfast.node.timekeeping import Timekeeper
from holdfast.node.transport import HttpTransport
from holdfast.node.witness import Place
from holdfast.simulation import memory
from holdfast.simulation.chance import Chance
from holdfast.simulation.machines import Clock, Machine
from holdfast.simulation.venues import TENANT, VENUES
from holdfast.simulation.wire import HUB_URL, Network, Wire
from holdfast.store.store import Store

HUB: Final = "hub"


class Trace:
    """A running digest of everything that crossed the network or was told to anybody."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, *parts: bytes | str) -> None:
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            self._digest.update(len(data).to_bytes(8, "big") + data)

    def hex(self) -> str:
        return self._digest.hexdigest()


class World:
    """One hub and its devices. Use inside `installed`."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.chance = Chance(seed)
        self.network = Network()
        self.trace = Trace()
        self.elapsed_ms = 0.0
        self.machines: dict[str, Machine] = {}
        self.backups: dict[str, Path] = {}
        self.images: dict[str, tuple[Path, Path]] = {}
        self.oversold: set[tuple[str, bytes]] = set()
        """(book, reservation) of what a liar sold beyond its right."""
        self._places = 0
        self._made = 0
        self._current: list[Machine] = []
        world = self

        class SimulatedNode(Node):
            """The product's node, whose transport posts through the simulated wire."""

            def transport(self) -> HttpTransport:
                if self._transport is None:
                    wire: Any = Wire(world, world.current)
                    self._transport = HttpTransport(
                        self.hub_url, self.identity, self.settings, client=wire
                    )
                return self._transport

        self._node_class = SimulatedNode

    # --- the joints -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def installed(self) -> Generator[None, None, None]:
        """Inside, production code finds the simulated clocks, disks, network and randomness."""
        self.chance.begin("world")
        atomic = Store.atomic

        @contextlib.contextmanager
        def atomic_or_crash(store: Store, *, durable: bool = True) -> Generator[None, None, None]:
            machine = self._at(store.directory)
            outermost = not store.db.conn.in_transaction
            with atomic(store, durable=durable):
                yield
                if machine is not None and outermost:
                    machine.committing(done=False)
            if machine is not None and outermost:
                machine.committing(done=True)

        with contextlib.ExitStack() as exits:
            exits.enter_context(memory.installed())
            exits.enter_context(self.chance.installed())
            for target, name, value in (
                (Store, "atomic", atomic_or_crash),
                (hub_module, "Timekeeper", self._timekeeper),
                (node_module, "Timekeeper", self._timekeeper),
                (transport, "time", _Wall(self)),
                (serving, "time", _Wall(self)),
                (timekeeping, "time", None),
                (joining, "ask", self._ask),
                (witness, "observe", self._observe),
                (witness, "state_directory", lambda: self.current.state),
                # No power is cut here: what a crash leaves is what was committed.
                (os, "fsync", lambda _: None),
            ):
                exits.enter_context(mock.patch.object(target, name, value))
            try:
                yield
            finally:
                for machine in self.machines.values():
                    machine.crash_at = 0
                    if machine.replica is not None:
                        machine.replica.store.close()

    @property
    def current(self) -> Machine:
        """The machine on which code runs now."""
        return self._current[-1]

    @contextlib.contextmanager
    def on(self, machine: Machine) -> Generator[Machine, None, None]:
        """Inside, code runs on this machine: its clocks, its disk's identity."""
        self._current.append(machine)
        try:
            yield machine
        finally:
            self._current.pop()

    def _timekeeper(self) -> Timekeeper:
        return self.current.clock.timekeeper()

    def _at(self, directory: Path) -> Machine | None:
        return next((m for m in self.machines.values() if m.directory == directory), None)

    def _observe(self, directory: Path) -> Place:
        machine = self._at(directory)
        return machine.place if machine is not None else self.current.place

    def _ask(
        self,
        url: str,
        code: str,
        key: Ed25519PrivateKey,
        sealing: X25519PrivateKey,
        incarnation: bytes,
        trust: object = None,
        device: str = "",
    ) -> joining.Admitted:
        """What `joining.ask` does, without the socket."""
        asked = joining.request_for(code, key, sealing, incarnation, device)
        request = msgspec.msgpack.encode(asked)
        self.trace.add(request)
        hub = self.hub
        assert hub.replica is not None
        with self.on(hub):
            _, _, answer = serving.handle_join(
                hub.replica, "POST", joining.JOIN_PATH, "hub.simulated", {}, request
            )
        return joining.read_answer(answer, code, key, sealing)

    def advance(self, ms: float) -> None:
        self.elapsed_ms += ms
        for machine in self.machines.values():
            machine.clock.advance(ms)

    # --- machines -------------------------------------------------------------------------------

    @property
    def hub(self) -> Machine:
        return self.machines[HUB]

    @property
    def the_hub(self) -> Hub:
        assert isinstance(self.hub.replica, Hub)
        return self.hub.replica

    def running(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.replica is not None]

    def devices(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.name != HUB]

    def book(self, venue: str) -> str:
        return f"{TENANT}/{venue}"

    def new_machine(self, name: str, venue: str = "", role: str = HUB) -> Machine:
        """A machine with an empty disk, in the place of one of the same name if there was one."""
        self._made += 1
        before = self.machines.get(name)
        machine = Machine(
            name,
            self.directory / f"{self._made}-{name}",
            self.directory / "state" / f"{self._made}",
            self.new_place(),
            before.clock if before is not None else self._right_clock(),
            venue,
            role,
        )
        self.machines[name] = machine
        return machine

    def _right_clock(self) -> Clock:
        clock = Clock()
        clock.advance(self.elapsed_ms)
        return clock

    def new_place(self) -> Place:
        self._places += 1
        return Place("machine", "boot", 1, 1000 + self._places, 5000 + self._places)

    def make_hub(self, root: bytes | None = None) -> None:
        machine = self.new_machine(HUB)
        with self.on(machine):
            machine.replica = self._quick(Hub.init(machine.directory, TENANT, root))

    def make_venue(self, venue: str, wishes: list[dict[str, Any]]) -> None:
        document = copy.deepcopy(VENUES[venue])
        if wishes:
            document["allotments"] = copy.deepcopy(wishes)
        with self.on(self.hub):
            self.the_hub.import_venue(document)

    def join(self, name: str, role: str, venue: str, *, hostile: bool = False) -> Machine:
        machine = self.new_machine(name, venue, role)
        machine.hostile = hostile
        with self.on(self.hub):
            code = self.the_hub.invite(venue, role, name).code
        with self.on(machine):
            machine.replica = self._quick(self._node_class.join(HUB_URL, code, machine.directory))
        return machine

    def start(self, machine: Machine) -> Service:
        """Open the directory of a machine that is down. A crash on the way leaves it down."""
        with self.on(machine):
            kind: Any = Hub if machine.name == HUB else self._node_class
            with contextlib.ExitStack() as unnoticed:
                if not machine.noticed:
                    unnoticed.enter_context(mock.patch.object(witness, "check", _nothing))
                machine.replica = self._quick(kind.open(machine.directory))
            machine.noticed = True
            return machine.replica

    @staticmethod
    def _quick(replica: Any) -> Any:
        replica.store.db.conn.execute("PRAGMA synchronous=OFF")
        return replica

    def stop(self, machine: Machine) -> None:
        """End a process as a person does."""
        if machine.replica is not None:
            with self.on(machine):
                machine.replica.close()
            machine.replica = None

    def drop(self, machine: Machine) -> None:
        """The process is gone without a word; its disk is as its last commit left it."""
        machine.crash_at = 0
        if machine.replica is not None:
            machine.replica.store.close()
            machine.replica = None

    # --- disks ----------------------------------------------------------------------------------

    def clone(self, machine: Machine, name: str, *, noticed: bool) -> Machine:
        """A copy of a stopped machine's disk in another one. Unnoticed: everything by which the
        copy could know itself is equal, as after a machine's snapshot was started twice."""
        self.stop(machine)
        copied = self.new_machine(name, machine.venue, machine.role)
        shutil.copytree(machine.directory, copied.directory)
        machine.copied = copied.copied = True
        if not noticed:
            machine.doubled = copied.doubled = True
            copied.place = machine.place
            if machine.state.exists():
                shutil.copytree(machine.state, copied.state)
        return copied

    def back_up(self, machine: Machine) -> None:
        path = self.directory / f"backup-{machine.name}-{len(self.backups)}-{self._made}"
        upkeep.backup_directory(machine.directory, path)
        self.backups[machine.name] = path

    def restore(self, machine: Machine) -> None:
        """Put the last backup on a fresh disk of the machine, which is down afterwards."""
        self.stop(machine)
        self._made += 1
        machine.directory = self.directory / f"{self._made}-{machine.name}"
        machine.place = self.new_place()
        upkeep.restore(self.backups[machine.name], machine.directory)

    def take_image(self, machine: Machine) -> None:
        """A snapshot of the whole machine, its witness included; it is down afterwards."""
        self.stop(machine)
        self._made += 1
        target = self.directory / f"image-{self._made}"
        shutil.copytree(machine.directory, target / "data")
        if machine.state.exists():
            shutil.copytree(machine.state, target / "state")
        self.images[machine.name] = (target / "data", target / "state")

    def roll_back(self, machine: Machine) -> None:
        """Put the snapshot back; nothing on the machine can notice."""
        self.stop(machine)
        data, state = self.images[machine.name]
        for source, target in ((data, machine.directory), (state, machine.state)):
            shutil.rmtree(target, ignore_errors=True)
            if source.exists():
                shutil.copytree(source, target)

    def wipe_hub(self) -> None:
        """The hub's disk is lost; another is made from the tenant's root key, which was kept."""
        root = (self.hub.directory / "keys" / ROOT_KEY).read_bytes()
        self.stop(self.hub)
        self.make_hub(root)

    def rejoin(self, machine: Machine) -> None:
        """A device that was shut out comes back with a new code. Raises what the hub answers."""
        assert isinstance(machine.replica, Node)
        with self.on(self.hub):
            own = machine.replica.identity
            code = self.the_hub.invite(machine.venue, own.role, own.name).code
        with self.on(machine):
            machine.replica.rejoin(code)

    def draw(self, label: str) -> random.Random:
        """A generator for a choice that is made while running, the same in every replay."""
        return random.Random(f"{self.chance.bytes(8).hex()}/{label}")  # noqa: S311


class _Wall:
    """`time` as the modules of the transport see it: the current machine's wall clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def time(self) -> float:
        return self._world.current.clock.wall_ms() / 1000


def _nothing(*_: object) -> list[str]:
    return []
