"""`holdfast clock`: the clock, and how wrong it may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.options import Group, data_option, json_option

_REASONS: Final = {
    "no-servers": "there is no time server to ask; name one with --server",
}
_DROPPED: Final = {"hub_disciplined": 2, "age_seconds": 1}


@click.group(cls=Group)
def clock() -> None:
    """The clock, and how wrong it may be."""


@clock.command()
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """What time it is, how wrong that may be, and who says so."""
    from holdfast.commands.output import show_fields, show_json
    from holdfast.commands.screens import clock_fields
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/clock")
    if as_json:
        show_json(answer)
        return
    show_fields(clock_fields(answer))
    if answer["sources"]:
        _show_sources(answer["sources"])


@clock.command()
@data_option
@click.option(
    "--server", "servers", multiple=True, metavar="H", help="host[:port]; may be repeated."
)
@json_option
def sample(data: Path, servers: tuple[str, ...], as_json: bool) -> None:
    """Ask time servers now: those of the settings, or those named."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post("/clock/sample", {"servers": list(servers)} if servers else {})
    if as_json:
        show_json(answer)
        return
    if answer.get("applied"):
        say("The clock is set.")
    else:
        reason = str(answer.get("reason") or "")
        say(f"The clock is as it was: {_REASONS.get(reason, reason.replace('-', ' '))}.")
    if answer.get("servers"):
        _show_sources(answer["servers"])


def _show_sources(items: list[dict[str, Any]]) -> None:
    from holdfast.commands.output import Column, show_table

    columns = list(dict.fromkeys(name for one in items for name in one))
    click.echo("")
    show_table(
        [Column(name.replace("_", " "), drop=_DROPPED.get(name, 0)) for name in columns],
        ([one.get(name) for name in columns] for one in items),
        empty="nobody was asked",
    )
