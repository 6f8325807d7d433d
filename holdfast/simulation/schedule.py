"""A schedule: what happens, where and when, as data that can be thinned out and replayed.

Owns the form of a step and of a scenario. What a step does stands in `workload` and `faults`; a
step whose machine or reservation is not there (because another step was taken out) does nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens at `at_ms` of true time since the beginning.

    `number` names the step for ever, also in a schedule from which others were taken: what it draws
    at random depends on it alone.
    """

    number: int
    at_ms: int
    what: str
    machine: str
    detail: dict[str, Any] = {}

    def __str__(self) -> str:
        hours, rest = divmod(self.at_ms // 1000, 3600)
        told = " ".join(f"{name}={value}" for name, value in self.detail.items())
        return (
            f"#{self.number} {hours:02}:{rest // 60:02}:{rest % 60:02} "
            f"{self.machine}: {self.what} {told}".rstrip()
        )


class Device(msgspec.Struct, frozen=True):
    """A device that has joined before the first step."""

    name: str
    role: str
    venue: str
    hostile: bool = False


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A seed, who takes part, and what happens to them. `wishes` are the allotments of each venue's
    file."""

    seed: int
    venues: tuple[str, ...]
    wishes: dict[str, list[dict[str, Any]]] = {}
    devices: tuple[Device, ...]
    steps: tuple[Step, ...]
