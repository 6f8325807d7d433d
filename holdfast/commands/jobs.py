"""`holdfast jobs`: what a process does by itself again and again, and one of it now."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.options import Group, data_option, json_option
from holdfast.commands.words import span_text

_DOES: Final = {
    "lapse": "gives up what was held and not reserved in time",
    "no-show": "marks who did not come",
    "ntp": "asks the time servers",
    "offer": "offers who waits what became free",
    "release": "gives tables back to the hub at the agreed time",
    "renew": "renews this device's papers at the hub in time",
    "settle": "stops waiting for devices that stay silent",
    "sweep": "deletes what is kept for a time only",
    "witness": "makes sure that a copied directory is noticed",
}


@click.group(cls=Group)
def jobs() -> None:
    """What a running process does by itself, again and again."""


@jobs.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """The jobs, and how they went last since the process started."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/jobs")
    if as_json:
        show_json(answer)
        return
    show_table(
        ["job", "does", "every", Column("last", drop=2), "how it went", Column("next", drop=1)],
        (
            [
                one.get("name"),
                _DOES.get(str(one.get("name"))),
                span_text(one["every_seconds"] * 1000),
                (one.get("last") or {}).get("started_at"),
                _went(one.get("last")),
                one.get("next_at"),
            ]
            for one in answer["items"]
        ),
    )


@jobs.command()
@click.argument("name", metavar="NAME")
@data_option
@json_option
def run(name: str, data: Path, as_json: bool) -> int:
    """Run a job now, whether the process runs or not; status 1: it failed.

    \b
    Such as:
      holdfast jobs run lapse --data desk
    """
    from holdfast.commands.output import remark, say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        answer = session.post(f"/jobs/{quoted(name)}/run", {})
    last = answer["last"]
    if as_json:
        show_json(answer)
    elif last["ok"]:
        say(f"{name}: {_went(last)}.")
    if last["ok"]:
        return 0
    remark(f"error: the job {name} failed: {last['detail']}; it runs again when its time comes")
    return 1


def _went(last: Any) -> str:
    if not isinstance(last, dict):
        return ""
    if not last.get("ok"):
        return f"FAILED: {last.get('detail')}"
    count = last.get("count")
    return "done" if count is None else f"done, {count or 'nothing'} due"
