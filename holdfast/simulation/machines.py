"""A simulated machine: a disk, clocks of its own, and perhaps a running replica.

Owns what the real world gives a device: true time and how wrong its clocks are, where its directory
stands, when its process dies. What runs on it is the product's own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast.node.service import Service
from holdfast.node.timekeeping import Timekeeper
from holdfast.node.witness import Place

START_MS: Final = 1_811_887_200_000
"""Midnight in Rome before 2027-06-02, a Wednesday."""
BOOTED_MS: Final = 1_000_000.0


class Crash(BaseException):
    """The process of a machine dies here. Derived so that nobody handles it as an error."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.name)
        self.machine = machine


@dataclass
class Clock:
    """A machine's clocks: `off_ms` moves the wall alone; `rate` is how fast both run."""

    off_ms: float = 0.0
    rate: float = 1.0
    passed_ms: float = 0.0

    def wall_ms(self) -> float:
        return START_MS + self.passed_ms + self.off_ms

    def monotonic_ms(self) -> float:
        return BOOTED_MS + self.passed_ms

    def advance(self, true_ms: float) -> None:
        self.passed_ms += true_ms * self.rate

    def correct(self, elapsed_ms: float) -> None:
        """Set the wall right, as a person or a time server does."""
        self.rate = 1.0
        self.off_ms = elapsed_ms - self.passed_ms

    def timekeeper(self) -> Timekeeper:
        return Timekeeper(wall=self.wall_ms, monotonic=self.monotonic_ms)


@dataclass(eq=False)
class Machine:
    """`doubled` where something that believes to be the same device may sell beside it, which
    nothing on it can notice. `replica` is None while its process is down. `crash_at` counts its
    commits down to the one at which it dies, `crash_after` says on which side of it."""

    name: str
    directory: Path
    state: Path
    place: Place
    clock: Clock
    venue: str = ""
    role: str = "hub"
    hostile: bool = False
    replica: Service | None = None
    cut: bool = False
    crash_at: int = 0
    crash_after: bool = False
    noticed: bool = True
    copied: bool = False
    doubled: bool = False
    attacker: object = None

    def committing(self, *, done: bool) -> None:
        """A transaction is about to be committed, or has just been."""
        if not self.crash_at:
            return
        if done == self.crash_after:
            self.crash_at -= 1
            if not self.crash_at:
                raise Crash(self)
