"""`holdfast allotments`: who may sell what."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.commands.options import Group, data_option, json_option
from holdfast.commands.words import clock_text


@click.group(cls=Group)
def allotments() -> None:
    """Who may sell what."""


@allotments.command("list")
@data_option
@click.option("--venue", metavar="V", help="Only of this one.")
@json_option
def list_(data: Path, venue: str | None, as_json: bool) -> None:
    """The allotments, and what the venue file wishes; what stands in none is the hub's."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/allotments", venue=venue)
    if as_json:
        show_json(answer)
        return
    show_table(
        [*("holder", "resources", "quantity", "sold", "releases", "state"), Column("id", drop=1)],
        (
            [
                one.get("holder"),
                one.get("resources"),
                one.get("quantity"),
                one.get("sold"),
                clock_text(one.get("releases_at")),
                one.get("state"),
                one.get("id"),
            ]
            for one in answer["items"]
        ),
        empty="no allotments: everything is the hub's",
    )
