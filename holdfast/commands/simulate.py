"""`holdfast simulate`: the real code under simulated faults, seed after seed."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.options import json_option

if TYPE_CHECKING:
    from holdfast.simulation import Result

PROGRESS_SECONDS: Final = 5.0


def _faults(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    from holdfast.simulation import FAULTS

    if value == "all":
        return tuple(FAULTS)
    chosen = [] if value == "none" else [name.strip() for name in value.split(",")]
    unknown = sorted(set(chosen) - set(FAULTS))
    if unknown:
        known = ", ".join(FAULTS)
        raise click.BadParameter(f"unknown: {', '.join(unknown)}; there are all, none, {known}")
    return tuple(name for name in FAULTS if name in chosen)


@click.command()
@click.option(
    "--seeds",
    default=20,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="How many runs, each from its own seed.",
)
@click.option(
    "--first-seed",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    metavar="S",
    help="The first seed.",
)
@click.option(
    "--nodes",
    default=3,
    show_default=True,
    type=click.IntRange(1, 32),
    metavar="K",
    help="Devices beside the hub.",
)
@click.option(
    "--days",
    default=2,
    show_default=True,
    type=click.IntRange(1, 60),
    metavar="D",
    help="Simulated days of a run.",
)
@click.option(
    "--faults",
    default="all",
    callback=_faults,
    metavar="LIST",
    help="Names of faults with commas between them; all, or none.",
)
@click.option(
    "--jobs",
    default=0,
    type=click.IntRange(0, 256),
    metavar="N",
    help="Processes at a time; left out: one for each core.",
)
@click.option("--shrink", is_flag=True, help="Show the fewest steps that still fail.")
@json_option
def simulate(
    seeds: int,
    first_seed: int,
    nodes: int,
    days: int,
    faults: tuple[str, ...],
    jobs: int,
    shrink: bool,
    as_json: bool,
) -> int:
    """Search for a schedule that breaks a promise; status 1 where one was found.

    Hub and devices are the real code on real files; network, clocks, disks and randomness are
    simulated, and one seed gives the same run every time. Ctrl-C ends it with what was found so
    far.

    \b
    Such as:
      holdfast simulate --seeds 100
      holdfast simulate --first-seed 42 --faults loss,hub-wipe --shrink
    """  # fmt: skip
    from holdfast.commands.output import say, show_json
    from holdfast.simulation import replay_line, run_seeds, shortest

    found = _Found(seeds)
    runs = run_seeds(first_seed, seeds, nodes, days, faults, jobs or os.cpu_count() or 1)
    try:
        for result in runs:
            found.add(result)
            if result.violations:
                line = replay_line(result.seed, nodes, days, faults)
                least = shortest(result, nodes, days, faults) if shrink else None
                found.failed(result, line, [str(step) for step in least.steps] if least else None)
    except KeyboardInterrupt:
        found.interrupted = True
        click.echo(f"interrupted after {found.seeds} of {seeds} seeds", err=True)
    finally:
        runs.close()
    summary = found.summary()
    if as_json:
        show_json(summary)
    else:
        say(
            f"{found.seeds} seeds, {found.steps} steps, {found.entries} entries in "
            f"{found.elapsed:.1f} seconds ({found.seconds:.1f} of a processor): "
            f"{len(found.failures)} with a violation."
        )
        for kind, count in sorted(found.exceptions.items()):
            say(f"honest exceptions, {kind}: {count}")
    if found.interrupted and not found.failures:
        raise click.Abort
    return 1 if found.failures else 0


class _Found:
    """What came of the seeds so far: counts, and of a seed only its digest and its failure, so that
    ten thousand of them fit."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seeds = self.steps = self.entries = 0
        self.seconds = 0.0
        self.interrupted = False
        self.exceptions: Counter[str] = Counter()
        self.failures: list[dict[str, Any]] = []
        self.digests: dict[str, str] = {}
        self._began = self._told = time.monotonic()

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.steps += result.steps
        self.entries += result.entries
        self.seconds += result.seconds
        self.exceptions.update(result.exceptions)
        self.digests[str(result.seed)] = result.digest
        now = time.monotonic()
        if now - self._told >= PROGRESS_SECONDS or self.seeds == self.wanted:
            self._told = now
            rest = (now - self._began) / self.seeds * (self.wanted - self.seeds)
            click.echo(
                f"{self.seeds} of {self.wanted} seeds, {len(self.failures)} with a violation, "
                f"{rest:.0f} seconds to go",
                err=True,
            )

    def failed(self, result: Result, line: str, steps: list[str] | None) -> None:
        oracle, told, _ = result.violations[0]
        click.echo(f"seed {result.seed}: {oracle}: {told}", err=True)
        click.echo(f"  again: {line}", err=True)
        failure: dict[str, Any] = {
            "seed": result.seed,
            "replay": line,
            "violations": [violation._asdict() for violation in result.violations],
        }
        if steps is not None:
            failure["steps"] = steps
            for step in steps:
                click.echo(f"  {step}", err=True)
        self.failures.append(failure)

    @property
    def elapsed(self) -> float:
        """Seconds since the first seed."""
        return time.monotonic() - self._began

    def summary(self) -> dict[str, Any]:
        return {
            "seeds": self.seeds,
            "steps": self.steps,
            "entries": self.entries,
            "seconds": round(self.seconds, 1),
            "elapsed_seconds": round(self.elapsed, 1),
            "failures": self.failures,
            "exceptions": dict(sorted(self.exceptions.items())),
            "digests": self.digests,
        }
