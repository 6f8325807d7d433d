"""The deterministic simulator: the real code under one seed, with everything that can go wrong.

Owns what `holdfast simulate` does: many seeds, each replayed from its number. The
hub, the nodes, their exchange, stores, gate, seals and signatures are the product's own; clocks,
network, disks' faults and randomness are simulated. docs/simulation.md tells what it asks and what
it does not.
"""

from __future__ import annotations

import functools
import gc
import multiprocessing
import signal
from collections.abc import Collection, Generator
from concurrent.futures import ProcessPoolExecutor
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
    faults: Collection[str] = tuple(FAULTS), jobs: int = 1,
) -> Generator[Result, None, None]:  # fmt: skip
    """Play seed after seed, in so many processes; the results come in the order of the seeds.

    Ctrl-C raises KeyboardInterrupt here, once the seeds that are being played are through.
    """
    if jobs <= 1 or count == 1:
        for seed in range(first, first + count):
            yield play(make_scenario(seed, nodes, days, faults))
        return
    # Each process begins anew: a run puts its own clocks and randomness in the place of the real.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(jobs, count), mp_context=context, initializer=_begin_process
    ) as pool:
        plays = functools.partial(_play_seed, nodes=nodes, days=days, faults=tuple(faults))
        try:
            yield from pool.map(plays, range(first, first + count))
        finally:
            pool.shutdown(cancel_futures=True)


def _begin_process() -> None:
    """Ctrl-C is for the process that asked: it takes what was found, and lets the seeds that are
    being played come to their end. What is imported stays, so the collector need not look at it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()


def _play_seed(seed: int, nodes: int, days: int, faults: tuple[str, ...]) -> Result:
    return play(make_scenario(seed, nodes, days, faults))


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
