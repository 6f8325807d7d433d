"""The deterministic simulator: the real code under one seed, with everything that can go wrong.

Owns what `holdfast simulate` does: many seeds one after another, each replayed from its number. The
hub, the nodes, their exchange, stores, gate, seals and signatures are the product's own; clocks,
network, disks' faults and randomness are simulated. docs/simulation.md tells what it asks and what
it does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from holdfast.simulation.faults import FAULTS
from holdfast.simulation.oracles import Violation
from holdfast.simulation.run import Result, play
from holdfast.simulation.scenario import make_scenario
from holdfast.simulation.schedule import Scenario, Step
from holdfast.simulation.shrink import shrink

NODES: Final = 3
DAYS: Final = 2

__all__ = [
    "DAYS",
    "FAULTS",
    "NODES",
    "Result",
    "Scenario",
    "Step",
    "Violation",
    "make_scenario",
    "play",
    "replay_line",
    "run_seeds",
    "shortest",
    "shrink",
]


def run_seeds(
    first: int, count: int, nodes: int = NODES, days: int = DAYS,
    faults: Collection[str] = tuple(FAULTS),
) -> Iterator[Result]:  # fmt: skip
    """Play seed after seed."""
    for seed in range(first, first + count):
        yield play(make_scenario(seed, nodes, days, faults))


def shortest(
    result: Result, nodes: int = NODES, days: int = DAYS, faults: Collection[str] = tuple(FAULTS)
) -> Scenario:
    """The steps that it takes to violate the oracle which a result violated first."""
    oracle, _, shown_after = result.violations[0]

    def fails(scenario: Scenario) -> bool:
        return any(violation.oracle == oracle for violation in play(scenario).violations)

    scenario = make_scenario(result.seed, nodes, days, faults)
    if shown_after >= 0:
        # What comes later was never played.
        steps = tuple(step for step in scenario.steps if step.number <= shown_after)
        scenario = msgspec.structs.replace(scenario, steps=steps)
    return shrink(scenario, fails)


def replay_line(seed: int, nodes: int, days: int, faults: Collection[str]) -> str:
    """The command that plays a seed again."""
    line = f"holdfast simulate --seeds 1 --first-seed {seed} --nodes {nodes} --days {days}"
    chosen = [name for name in FAULTS if name in faults]
    if len(chosen) < len(FAULTS):
        line += f" --faults {','.join(chosen) or 'none'}"
    return line
