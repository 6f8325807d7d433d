"""`holdfast simulate`: the real code under simulated faults, seed after seed."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from holdfast.commands.options import json_option

if TYPE_CHECKING:
    from holdfast.simulation import Result


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
    simulated, and one seed gives the same run every time.

    \b
    Such as:
      holdfast simulate --seeds 100
      holdfast simulate --first-seed 42 --faults loss,hub-wipe --shrink
    """  # fmt: skip
    from holdfast.commands.output import say, show_json
    from holdfast.simulation import replay_line, run_seeds, shortest

    results: list[Result] = []
    failures: list[dict[str, Any]] = []
    for result in run_seeds(first_seed, seeds, nodes, days, faults, jobs or os.cpu_count() or 1):
        results.append(result)
        if result.violations:
            line = replay_line(result.seed, nodes, days, faults)
            found = result.violations[0]
            click.echo(f"seed {result.seed}: {found.oracle}: {found.told}", err=True)
            click.echo(f"  again: {line}", err=True)
            failure: dict[str, Any] = {
                "seed": result.seed,
                "replay": line,
                "violations": [violation._asdict() for violation in result.violations],
            }
            if shrink:
                left = shortest(result, nodes, days, faults)
                failure["steps"] = [str(step) for step in left.steps]
                for step in failure["steps"]:
                    click.echo(f"  {step}", err=True)
            failures.append(failure)
        elif len(results) % 10 == 0:
            click.echo(f"{len(results)} of {seeds} seeds", err=True)
    exceptions: Counter[str] = Counter()
    for result in results:
        exceptions.update(result.exceptions)
    summary = {
        "seeds": len(results),
        "steps": sum(result.steps for result in results),
        "entries": sum(result.entries for result in results),
        "seconds": round(sum(result.seconds for result in results), 1),
        "failures": failures,
        "exceptions": dict(sorted(exceptions.items())),
        "digests": {str(result.seed): result.digest for result in results},
    }
    if as_json:
        show_json(summary)
    else:
        say(
            f"{summary['seeds']} seeds, {summary['steps']} steps, {summary['entries']} entries in "
            f"{summary['seconds']} seconds: {len(failures)} with a violation."
        )
        for kind, count in summary["exceptions"].items():  # type: ignore[attr-defined]
            say(f"honest exceptions, {kind}: {count}")
    return 1 if failures else 0
