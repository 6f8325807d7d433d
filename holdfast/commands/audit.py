"""`holdfast audit` and `holdfast decision`: what was changed, and whether the record is whole."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.options import Group, data_option, json_option
from holdfast.commands.words import clock_text, counted, plain
from holdfast.node.words import sentences

_KEY: Final = re.compile("[0-9a-f]{32,}")
"""Keys and digests; a table shows their first letters, `--json` all."""


@click.group(cls=Group)
def audit() -> None:
    """Every change: who, what, when; and whether the record is whole."""


@audit.command("list")
@data_option
@click.option("--reservation", metavar="ID", help="Only of this one.")
@click.option("--from", "since", metavar="TIME", help="From this time on.")
@click.option("--to", "until", metavar="TIME", help="Before this time.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@json_option
def list_(
    data: Path,
    reservation: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Every change, in order: when, who, what, before and after."""
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    filters = {"reservation": reservation, "from": since, "to": until}
    with open_session(data) as session:
        items = session.items("/audit", limit, **filters)
    if as_json:
        show_json({"items": items, "next": None})
        return
    show_table(
        ["when", "who", "what", "about", "changed"],
        (
            [
                one.get("at"),
                one.get("node"),
                one.get("what") or one.get("kind"),
                one.get("code") or one.get("reservation") or one.get("venue"),
                _changes(one.get("before") or {}, one.get("after") or {}),
            ]
            for one in items
        ),
        empty="nothing was changed",
        by_day="here",
    )


@audit.command()
@click.argument(
    "file",
    required=False,
    metavar="[FILE]",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--data",
    "data",
    envvar="HOLDFAST_DATA",
    show_envvar=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The data directory, where no backup file is named.",
)
@json_option
def verify(file: Path | None, data: Path | None, as_json: bool) -> int:
    """Check every chain and seal, also of a backup file; status 1 names the first fault."""
    from holdfast.commands.output import remark, say, show_json
    from holdfast.commands.session import DATABASE_NAME, require_directory
    from holdfast.node.verify import verify_store

    if file is None:
        if data is None:
            raise click.UsageError("name a backup file, or a directory with --data")
        if data.is_file():
            raise click.UsageError(
                f"{data} is a file; to check a backup: "
                f"holdfast audit verify {shlex.quote(str(data))}"
            )
        require_directory(data)
        file = data / DATABASE_NAME
    report = verify_store(file)
    if as_json:
        show_json(as_document(report))
    if report.ok:
        if not as_json:
            say(
                f"{file}: every chain and seal holds "
                f"({counted(report.chains, 'chain')}, {counted(report.entries, 'entry', 'entries')}"
                f", {counted(report.seals, 'seal')})."
            )
        return 0
    remark(f"error: {file} is not whole: {report.first_bad or sentences(report.notes)}")
    return 1


@click.group(cls=Group)
def decision() -> None:
    """The decisions about provisional reservations."""


@decision.command("verify")
@click.argument("reservation", metavar="ID")
@data_option
@json_option
def verify_decision_of(reservation: str, data: Path, as_json: bool) -> int:
    """Decide again from what the decision names, and compare; status 1 where they differ."""
    from holdfast.commands.output import remark, show_fields, show_json
    from holdfast.commands.reading import read_replica
    from holdfast.commands.screens import decision_fields
    from holdfast.node.decisions import verify_decision

    with read_replica(data) as replica:
        found = verify_decision(replica, reservation)
    if as_json:
        show_json(found)
    else:
        show_fields(decision_fields(found))
    if found.get("ok", True):
        return 0
    notes = sentences(map(str, found.get("notes") or []))
    remark(f"error: the decision about {reservation} cannot be confirmed: {notes}")
    return 1


def _changes(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Such as `status commit_pending > confirmed`; fields that are and were empty say nothing."""
    words = []
    for name, value in after.items():
        old, new = _brief(before.get(name)), _brief(value)
        if old != new:
            words.append(f"{name.replace('_', ' ')} {f'{old} > ' if old else ''}{new or 'none'}")
    return ", ".join(words)


def _brief(value: Any) -> str:
    """A value in few words; `--json` shows what has parts of its own."""
    if not value:
        return ""
    if isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict)):
        return f"({len(value)})"
    text = clock_text(plain(value))
    return f"{text[:8]}…" if _KEY.fullmatch(text) else text


def as_document(report: Any) -> dict[str, Any]:
    """A report of the inspection as JSON values."""
    import msgspec

    document = msgspec.to_builtins(report, str_keys=True)
    return document if isinstance(document, dict) else {"report": document}
