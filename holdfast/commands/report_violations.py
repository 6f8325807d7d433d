"""`holdfast report violations`: which rules refuse how often, without persons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.commands.options import data_option, json_option

_NAMED = 2
"""So many of the most frequent weekdays, hours and channels stand in a row; `--json` has all."""


@click.command()
@data_option
@click.option("--venue", metavar="V", help="Only this venue.")
@click.option("--from", "first_day", metavar="D", help="Refused on this day or later: 2026-07-01.")
@click.option("--to", "before_day", metavar="D", help="Refused before this day.")
@json_option
def violations(
    data: Path, venue: str | None, first_day: str | None, before_day: str | None, as_json: bool
) -> None:
    """Which rules refuse how often, and for when it was asked.

    Counted at this device alone, and kept for 400 days.

    \b
    Such as:
      holdfast report violations --from 2026-07-01 --data desk
    """
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        names = (
            [venue]
            if venue
            else [one["venue"] for one in session.items("/venues", include="inactive")]
        )
        days = {"from": first_day, "to": before_day}
        items = [
            row
            for name in names
            for row in session.get("/analytics/violations", venue=name, **days)["items"]
        ]
    if as_json:
        show_json({"items": items, "next": None})
        return
    show_table(
        ["rule", "refused", "mostly for", "mostly at", "mostly by", "venue"],
        (
            [
                row["rule"],
                row["count"],
                _most(row["weekdays"]),
                _most({f"{hour}:00": number for hour, number in row["hours"].items()}),
                _most(row["sources"]),
                row["venue"] if len(names) > 1 else "",
            ]
            for row in items
        ),
        empty="no rule has refused anything",
    )


def _most(numbers: dict[str, Any]) -> str:
    """The most frequent names, such as `fri (9), sat (3)`."""
    order = sorted(numbers.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{name.replace('_', ' ')} ({number})" for name, number in order[:_NAMED])
