"""`holdfast clock`: the clock, and how wrong it may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.commands.options import Group, data_option, json_option


@click.group(cls=Group)
def clock() -> None:
    """The clock, and how wrong it may be."""


@clock.command()
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """State, offset and uncertainty, and who says so."""
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/clock")
    _show(answer, as_json)


@clock.command()
@data_option
@click.option(
    "--server", "servers", multiple=True, metavar="H", help="host[:port]; may be repeated."
)
@json_option
def sample(data: Path, servers: tuple[str, ...], as_json: bool) -> None:
    """Ask time servers now: those of the settings, or those named."""
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post("/clock/sample", {"servers": list(servers)} if servers else {})
    _show(answer, as_json)


def _show(answer: dict[str, Any], as_json: bool) -> None:
    from holdfast.commands.output import show_document, show_json, show_table

    if as_json:
        show_json(answer)
        return
    lists = {name: answer[name] for name in ("sources", "results") if answer.get(name)}
    show_document({name: value for name, value in answer.items() if name not in lists})
    for items in lists.values():
        columns = list(dict.fromkeys(name for one in items for name in one))
        show_table(columns, ([one.get(name) for name in columns] for one in items))
