"""Directed schedules: steps written by hand, what is to come of them, and rules switched off.

Owns the form of a script and the playing of it. A script is played on the real code like any seed,
with the same oracles; beside those it may say what each of its reservations ends as, and what
callers were answered.
"""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from holdfast.model.entries import Claim
from holdfast.model.events import ClaimDecided
from holdfast.node import exchange
from holdfast.node.node import Node
from holdfast.simulation import Scenario, Step, Violation, faults
from holdfast.simulation.machines import Machine
from holdfast.simulation.run import Player, _in_memory, _quiet_logs
from holdfast.simulation.schedule import Device
from holdfast.simulation.venues import VENUES
from holdfast.simulation.world import HUB, World

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE

Off = Callable[[], AbstractContextManager[Any]]
"""Inside, a rule of the product does not hold."""

Line = tuple[Any, ...]
"""(what, machine), (what, machine, detail) or (what, machine, detail, hour). Without an hour it
comes `apart_ms` after the line before, the first at ten in the morning."""


def replaced(target: Any, name: str, value: Any, **more: Any) -> Off:
    return lambda: mock.patch.object(target, name, value, **more)


def few_entries_a_message(count: int) -> Off:
    """A backlog goes in pieces."""
    return replaced(exchange, "EXCHANGE_ENTRIES", count)


def wish(day: int, time: str, resource: str, **more: Any) -> dict[str, Any]:
    """The detail of a `reserve`: two people who want this table and no other."""
    return {
        "day": day, "time": time, "party": 2, "resource": resource, "nights": 1,
        "may_move": False, "guest": -1, **more,
    }  # fmt: skip


def holds(holder: str, *resources: str, **more: Any) -> dict[str, Any]:
    """An allotment of the venue file."""
    return {"holder": holder, "resources": list(resources), **more}


FIRST: Final = {"pick": 0.0}
"""The first (or only) reservation, right or device that a step could be about."""


def scenario(
    *lines: Line,
    devices: int = 2,
    allotments: Sequence[dict[str, Any]] = (),
    stranger: bool = False,
    kiosks: Collection[str] = (),
    apart_ms: int = 10 * MINUTE,
) -> Scenario:
    """Front desks `desk0`, `desk1` ... of the trattoria, `kiosks` among them, and perhaps a hostile
    one."""
    steps, at = [], 10 * HOUR
    for number, (what, machine, *rest) in enumerate(lines):
        if len(rest) > 1:
            at = max(at, int(rest[1] * HOUR))
        detail = rest[0] if rest else {}
        steps.append(Step(number=number, at_ms=at, what=what, machine=machine, detail=detail))
        at += apart_ms
    names = [f"desk{n}" for n in range(devices)]
    desks = [
        Device(name, "kiosk" if name in kiosks else "front-desk", "trattoria") for name in names
    ]
    if stranger:
        desks.append(Device("stranger", "kiosk", "trattoria", hostile=True))
    return Scenario(
        seed=1,
        venues=("trattoria",),
        wishes={"trattoria": list(allotments)},
        devices=tuple(desks),
        steps=tuple(steps),
    )


@dataclass(frozen=True)
class Script:
    """One rule, how it is switched off, and a schedule that shows it.

    `oracles` may speak up when it is off. `ends`: what the reservations are in the end, in the
    order of their making; `told`: how often calls were answered what, as `what: answer`.
    `always` is in force in both runs, such as messages that carry few entries.
    """

    rule: str
    off: Off
    steps: Scenario
    oracles: Collection[str]
    ends: tuple[str, ...] = ()
    told: dict[str, int] = field(default_factory=dict)
    always: Off = contextlib.nullcontext

    def check(self) -> None:
        """With the rule on nothing is found; with the rule off something is."""
        found = self.play(off=False)
        assert not found, f"with the rule on: {found[0]}"
        found = self.play(off=True)
        assert found, f"nobody noticed that {self.rule!r} was off"
        assert found[0].oracle in self.oracles, found[0]

    def play(self, *, off: bool) -> list[Violation]:
        """What the oracles find with the rule on, or off."""
        scratch = tempfile.TemporaryDirectory(prefix="holdfast-script-", dir=_in_memory())
        with (
            scratch as directory,
            _quiet_logs(),
            mock.patch.dict(faults.DOINGS, DOINGS),
            self.always(),
            self.off() if off else contextlib.nullcontext(),
        ):
            player = Player(self.steps, Path(directory))
            player.play()
        found = list(player.oracles.violations)
        if not found:
            found = [Violation("as the script says", told, -1) for told in self._missed(player)]
        return found

    def _missed(self, player: Player) -> Generator[str, None, None]:
        for what, times in self.told.items():
            if player.answers[what] != times:
                yield f"{what} {player.answers[what]} times, not {times}: {dict(player.answers)}"
        shown = player.oracles.shown.get(HUB, {})
        made = [told for told in player.answered if told.made]
        ends = tuple(
            one.status if (one := shown.get((told.book, told.reservation))) else "unknown"
            for told in made
        )
        if self.ends and ends != self.ends:
            yield f"{ends}, not {self.ends}"


# --- steps that no fault plans --------------------------------------------------------------------


def _answer_other(world: World, machine: Machine, step: Step) -> None:
    """A hostile holder decides what nobody asked of it: it gives a place that it has where another
    was asked for, moves the party there, or turns it away."""
    node = machine.replica
    assert isinstance(node, Node)
    own = next(held for held in node.rights(node.home).active() if held.holder == node.account)
    with world.on(machine), node.transaction():
        for _, _, operation, asking in node.store.projections.undecided(node.home):
            view = node.view(asking)
            assert view is not None
            decided = ClaimDecided(
                operation, step.detail["verdict"], "taken", by=(own.right.id,) * len(view.pending)
            )
            claims = tuple(
                Claim(own.right.resources[0], one.start, one.end, one.quantity, right=own.right.id)
                for one in view.pending
            )
            node.append(node.home, decided, subject=asking, claims=claims)


def _lower(world: World, machine: Machine, step: Step) -> None:
    """The house imports its venue file again, with a smaller hall."""
    document = copy.deepcopy(VENUES["trattoria"])
    document["allotments"] = step.detail["allotments"]
    for resource in document["resources"]:
        if resource["id"] == "HALL":
            resource["capacity"] = step.detail["capacity"]
    with world.on(machine):
        world.the_hub.import_venue(document)


def _spoil(world: World, machine: Machine, step: Step) -> None:
    """What a device derived from its journal is wrong."""
    assert machine.replica is not None
    with machine.replica.transaction():
        store = machine.replica.store
        store.db.conn.execute("UPDATE digests SET total = ?", (bytes(32),))
        store.projections.reload()


DOINGS: Final = {
    "answer_other": _answer_other,
    "spoil": _spoil,
    "lower": _lower,
}
