"""`holdfast bench`: run, show, compare with what the product promises.

Owns the table and the targets; measuring is `measures`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from holdfast.bench.measures import Bench


class Target(NamedTuple):
    """A figure, what it is, the bound that must hold and the one that is aimed at."""

    name: str
    what: str
    bound: float
    aim: float
    more_is_better: bool = False


TARGETS: Final = (
    Target("reserve_floor_ratio", "one durable reservation, times raw SQLite", 4, 1.5),
    Target("push_ops_per_second", "operations a second, pushed and decided", 5_000, 12_000, True),
    Target("pull_10k_seconds", "an empty node has 10,000 of them, seconds", 2, 0.8),
    Target("live_p50_ms", "seen on another node, ms, median", 10, 4),
    Target("live_p99_ms", "seen on another node, ms, 99 of 100", 40, 15),
    Target("growth_ratio", "one more after a long history, times a short one", 1.3, 1.0),
    Target("wire_bytes_per_op", "bytes on the wire for an operation in bulk", 250, 100),
    Target("availability_day_ms", "what is free at 50 tables, one day, ms", 2, 1),
    Target("availability_30_days_ms", "what is free at 50 tables, 30 days, ms", 40, 20),
    Target("list_page_ms", "a page of 50 reservations by HTTP, ms", 10, 5),
    Target("node_ready_seconds", "a node is ready, seconds", 1.5, 1.0),
    Target("node_rss_mb", "a node's memory when ready, MB", 120, 100),
    Target("import_ms", "import holdfast, ms", 200, 50),
)


def run(quick: bool = False, json_output: bool = False, **_: Any) -> int:
    """Measure and print. Returns 0; a figure beyond its bound is marked, not an error."""
    screen = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-bench-") as directory,
        screen.status("starting") as status,
    ):
        bench = Bench(Path(directory), quick, lambda text: status.update(f"measuring: {text}"))
        results = bench.run()
    if json_output:
        print(json.dumps({"quick": quick, **results}, indent=2))
        return 0
    Console().print(table(results))
    return 0


def table(results: dict[str, Any]) -> Table:
    shown = Table(title="Holdfast on this machine", title_justify="left")
    for heading in ("what", "measured", "must be", "aim", ""):
        shown.add_column(heading, justify="left" if heading in ("what", "") else "right")
    for target in TARGETS:
        value = results.get(target.name)
        if value is None:
            continue
        sign = "≥" if target.more_is_better else "≤"
        held = value >= target.bound if target.more_is_better else value <= target.bound
        reached = value >= target.aim if target.more_is_better else value <= target.aim
        shown.add_row(
            target.what, f"{value:,}", f"{sign} {target.bound:,}", f"{sign} {target.aim:,}",
            "aim reached" if reached else "holds" if held else "MISSED",
        )  # fmt: skip
    return shown
