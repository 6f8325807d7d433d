"""`holdfast demo` and `holdfast bench`: the product shown and measured on this machine."""

from __future__ import annotations

import click

from holdfast.commands.options import json_option


@click.command()
@click.option("--once", is_flag=True, help="End by itself; status 1 where a claim did not hold.")
@json_option
def demo(once: bool, as_json: bool) -> int:
    """The whole story on this machine: the network is cut, both sides sell, every fate is shown.

    Its hub, front desk and kiosk then stay up until Ctrl-C, so that you can look at them; --once
    ends by itself. With --json the document is printed when the story is told, and without --once
    the three stay up all the same.
    """
    from holdfast.demo import run

    return run(once, as_json)


@click.command()
@click.option("--quick", is_flag=True, help="Within 50 seconds, less exact.")
@json_option
def bench(quick: bool, as_json: bool) -> int:
    """Measure, as ratios to raw SQLite and raw HTTP."""
    from holdfast.bench import run

    return run(quick, as_json)
