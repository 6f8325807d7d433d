"""One run: a scenario played on the real code, every step looked at, healed and judged.

Owns the loop and what a run returns. The same scenario gives the same digest, whatever the machine,
the process or its hash seed.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import msgspec

from holdfast.model.errors import (
    BadTransition,
    Conflict,
    Forbidden,
    Gone,
    HoldfastError,
    Invalid,
    NotAvailable,
    NotFound,
    RoleForbidden,
    RuleViolated,
    Unauthorised,
    Unreachable,
)
from holdfast.node import returning
from holdfast.node.node import Node
from holdfast.simulation import healing, held, workload
from holdfast.simulation.faults import DOINGS, LOSING
from holdfast.simulation.healing import Answered
from holdfast.simulation.machines import Crash, Machine
from holdfast.simulation.oracles import Oracles, Violation
from holdfast.simulation.people import COMMANDS, right_of, rights_of
from holdfast.simulation.schedule import Scenario, Step
from holdfast.simulation.world import HUB, World

REFUSALS: Final = (
    NotAvailable, BadTransition, RuleViolated, Conflict, Gone, NotFound, Invalid, RoleForbidden
)  # fmt: skip
"""What a call may be answered for a good reason."""
CUT_OFF: Final = (Unreachable, Forbidden, Unauthorised, RuleViolated, Conflict)
"""What an exchange may end with while things are broken: nobody there, shut out, two hubs."""

FRESH_EVERY: Final = 80
"""Steps after which one replica folds all that it holds anew."""

_MEMORY: Final = "/dev/shm"  # noqa: S108 - a directory of its own is made in it


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a seed. `digest` covers every byte sent and everything told to anybody;
    `seconds` are the processor's; `exceptions` counts the honest ones (DESIGN §5.12) by kind;
    `answers` what calls were told."""

    seed: int
    digest: str
    steps: int
    seconds: float
    violations: list[Violation]
    exceptions: dict[str, int]
    answers: dict[str, int]
    entries: int


def play(scenario: Scenario) -> Result:
    """Play a scenario to its end, or to the first step that violates something."""
    began = time.process_time()
    scratch = tempfile.TemporaryDirectory(prefix="holdfast-simulation-", dir=_in_memory())
    with scratch as directory, _quiet_logs():
        player = Player(scenario, Path(directory))
        player.play()
    return Result(
        seed=scenario.seed,
        digest=player.world.trace.hex(),
        steps=player.played,
        seconds=time.process_time() - began,
        violations=player.oracles.violations,
        exceptions=dict(sorted(player.oracles.exceptions.items())),
        answers=dict(sorted((player.answers + player.mishaps).items())),
        entries=player.entries,
    )


def _in_memory() -> str | None:
    """A place for the disks of a run that is no disk, where the system has one and nobody chose
    another: no power is cut here, and a run is shorter by a sixth."""
    usable = "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK | os.X_OK)
    return _MEMORY if usable else None


@contextmanager
def _quiet_logs() -> Generator[None, None, None]:
    """Faults are warned of by the hundred, which is right and of no interest here."""
    logger = logging.getLogger("holdfast")
    before, propagated = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.propagate = propagated


class Player:
    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self.world = World(directory, scenario.seed)
        self.oracles = Oracles(self.world)
        self.answered: list[Answered] = []
        self.answers: Counter[str] = Counter()
        self.played = 0
        self.entries = 0

    @property
    def mishaps(self) -> Counter[str]:
        """What the network did to messages, by kind."""
        happened = self.world.network.happened
        return Counter({f"message: {kind}": count for kind, count in happened.items()})

    def play(self) -> None:
        with self.world.installed():
            if self._tried(self._begin) and self._played_all():
                self._tried(self._end)

    def _tried(self, part: object) -> bool:
        """Whether a part of the run came to its end; an error that nobody foresaw is a find."""
        try:
            part()  # type: ignore[operator]
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.oracles.report(
                "no unforeseen error",
                f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})",
            )
        return not self.oracles.violations

    def _begin(self) -> None:
        world = self.world
        world.make_hub()
        for venue in self.scenario.venues:
            world.make_venue(venue, self.scenario.wishes.get(venue, []))
        for device in self.scenario.devices:
            world.chance.begin(f"join {device.name}")
            world.join(device.name, device.role, device.venue, hostile=device.hostile)
        self.oracles.look()

    def _played_all(self) -> bool:
        for step in self.scenario.steps:
            self.oracles.step = step.number
            self.world.chance.begin(f"step {step.number}")
            self.world.advance(max(0.0, step.at_ms - self.world.elapsed_ms))
            if not self._tried(lambda step=step: self._take(step)):
                return False
            self.played += 1
        self.oracles.step = -1
        return True

    def _take(self, step: Step) -> None:
        self._run_jobs()
        machine = self.world.machines.get(step.machine)
        if machine is None:
            return
        try:
            outcome = self._do(machine, step)
        except Crash as crash:
            self.world.drop(crash.machine)
            outcome = "crashed"
        self.answers[f"{step.what}: {outcome}"] += 1
        self.world.trace.add(str(step), outcome)
        self.oracles.look()
        if step.number % FRESH_EVERY == FRESH_EVERY // 2:
            self.oracles.look_afresh(step.number // FRESH_EVERY)

    def _run_jobs(self) -> None:
        """Since the step before, every process that runs has let lapse what was its to end."""
        for machine in self.world.running():
            if not self.oracles.keeping.keeps(machine):
                continue
            try:
                lapsed = held.let_lapse(self.world, machine)
            except Crash as crash:
                self.world.drop(crash.machine)
                lapsed = 1
            if lapsed:
                self.answers["lapsed"] += 1
                self.world.trace.add("lapsed", machine.name)
                self.oracles.look()

    def _do(self, machine: Machine, step: Step) -> str:
        if step.what in workload.KINDS or step.what in held.KINDS:
            return self._call(machine, step)
        if step.what == "jobs":
            # They have run: time has come so far, and nothing else happens.
            return "done"
        if step.what == "sync":
            return self._sync(machine)
        if step.what == "settle":
            return self._settle(machine)
        if step.what in LOSING:
            self._foresee_loss(machine, step)
        try:
            return DOINGS[step.what](self.world, machine, step) or "done"
        except CUT_OFF as error:
            return type(error).__name__
        except HoldfastError as error:
            if step.what not in ("attack", "meet", *COMMANDS):
                raise
            return type(error).__name__
        except httpx.TransportError as error:
            if step.what != "attack":
                raise
            return type(error).__name__

    def _foresee_loss(self, machine: Machine, step: Step) -> None:
        if step.what == "revoke_right":
            taken = right_of(self.world, step)
            if taken is not None:
                self.oracles.before_revoking(taken.right.resources)
        elif step.what == "shut_out":
            # Also of one that is switched off: it cannot be asked what it sold and told nobody.
            self.oracles.before_revoking(rights_of(self.world, step))
        elif step.what == "recover":
            self.oracles.before_recovering()
        elif step.what == "proceed":
            self.oracles.before_proceeding("proceeded without a device")
        elif step.what == "wipe":
            self.oracles.before_loss(machine, "hub wiped")
        elif machine.name in (self.world.images if step.what == "rollback" else self.world.backups):
            whose = "hub" if machine.name == HUB else "device"
            self.oracles.before_loss(machine, f"{whose} went back to an older disk")

    def _call(self, machine: Machine, step: Step) -> str:
        replica = machine.replica
        if replica is None:
            return "down"
        venue = machine.venue or self.scenario.venues[step.number % len(self.scenario.venues)]
        book = self.world.book(venue)
        before = replica.tip(book)[0]
        perform = held.perform if step.what in held.KINDS else workload.perform
        with self.world.on(machine):
            kept = held.kept(replica, venue, step)
            try:
                view = perform(replica, venue, step)
            except REFUSALS as error:
                return type(error).__name__
        if view is None:
            return "nothing to do"
        if kept:
            self.oracles.keeping.converted(machine, kept, view)
        made = step.what in ("reserve", "walk_in") or step.what in held.MAKING
        told = Answered(machine.name, book, view.id, view.code, made=made)
        record = replica.record(view.id, book)
        own = replica.identity.incarnation
        if record is not None:
            told.operations = [
                seen.operation for seen in record.seen if seen.node == own and seen.n > before
            ]
        self.answered.append(told)
        self.world.trace.add(view.id, view.code, view.status)
        return view.status

    def _sync(self, machine: Machine) -> str:
        if not isinstance(machine.replica, Node):
            return "down"
        self.world.advance(10)
        self.world.network.messages = 0
        try:
            with self.world.on(machine):
                returning.release(machine.replica)
                outcome = machine.replica.sync()
        except CUT_OFF as error:
            return type(error).__name__
        if outcome["books_differing"]:
            self.oracles.report("same entries, same book", f"{machine.name} says that books differ")
        return "done"

    def _settle(self, machine: Machine) -> str:
        """The regular look at what waits."""
        if machine.replica is None:
            return "down"
        with self.world.on(machine):
            for name in sorted(machine.replica.books):
                machine.replica.settle(name, [])
        return "done"

    def _end(self) -> None:
        healing.heal(self.world, self.oracles)
        if self.oracles.violations:
            return
        healing.judge(self.world, self.oracles, self.answered)
        hub = self.world.the_hub
        for book in sorted(hub.books):
            for chain in hub.store.journal.chains(book):
                self.world.trace.add(chain.incarnation, chain.branch, chain.head)
                self.entries += chain.length
