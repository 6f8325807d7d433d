"""`holdfast sync`: the exchange with the hub."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.commands.options import Group, data_option, json_option
from holdfast.commands.screens import round_fields, sync_fields, way_out_lines
from holdfast.commands.words import clock_text
from holdfast.model.limits import LIST_LIMIT_MAX


@click.group(cls=Group)
def sync() -> None:
    """The exchange with the hub."""


@sync.command()
@data_option
@json_option
def now(data: Path, as_json: bool) -> None:
    """Exchange now, and say what came of it; status 3 where the hub cannot be reached."""
    from holdfast.commands.output import show_fields, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post("/sync/now")
        waiting = 0 if as_json else session.get("/sync")["queued"]
        running = session.running
    if as_json:
        show_json(answer)
    else:
        show_fields(round_fields(answer, waiting=waiting, running=running))


@sync.command()
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """Whether the hub is reached, when last, and what is not sent yet."""
    from holdfast.commands.output import copied, show_fields, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/sync")
    if as_json:
        show_json(answer)
    else:
        show_fields(sync_fields(answer))
        copied(way_out_lines(answer, data))


@sync.command()
@data_option
@json_option
def pause(data: Path, as_json: bool) -> None:
    """Cut hub and time servers, as an unplugged network does; a restart does not end it."""
    told = "Cut off until `holdfast sync resume`."
    _switch(data, "pause", running=told, stopped=told, as_json=as_json)


@sync.command()
@data_option
@json_option
def resume(data: Path, as_json: bool) -> None:
    """End a pause; what waited is then sent by the device's own process, where that runs."""
    _switch(
        data,
        "resume",
        running="Exchanging with the hub again; what waited is sent by itself, now.",
        stopped="The pause is over. This device's process does not run: `holdfast sync now` sends "
        "what waits.",
        as_json=as_json,
    )


@sync.command()
@data_option
@click.option(
    "--limit", type=click.IntRange(1, LIST_LIMIT_MAX), default=50, show_default=True, metavar="N"
)
@json_option
def log(data: Path, limit: int, as_json: bool) -> None:
    """What happened between this replica and the hub, lately."""
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/sync/log", limit=limit)
    if as_json:
        show_json(answer)
        return
    show_table(
        ["when", "what", "detail"],
        (
            [clock_text(one.get("at")), one.get("event"), one.get("detail")]
            for one in answer["items"]
        ),
        empty="nothing happened yet",
    )


def _switch(data: Path, action: str, *, running: str, stopped: str, as_json: bool) -> None:
    """Pause or resume, and say so in the words for a process that runs or does not."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post(f"/sync/{action}")
    if as_json:
        show_json(answer)
    else:
        say(running if session.running else stopped)
