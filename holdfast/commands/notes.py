"""`holdfast notes`: what staff tell each other about a service, on several devices at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.commands.days import date_meant
from holdfast.commands.options import Group, all_reasons, data_option, json_option, reason_option
from holdfast.commands.words import time_text
from holdfast.model.vocabulary import ERASE_REASONS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_venue = click.argument("venue", metavar="VENUE")
_date = click.argument("date", metavar="[DATE]", default="today")
_service = click.option(
    "--service", metavar="S", default="", help="Such as dinner; left out: the whole day."
)


@click.group(cls=Group)
def notes() -> None:
    """What staff tell each other about a service; DATE is today where it is left out."""


@notes.command()
@_venue
@_date
@_service
@data_option
@json_option
def show(venue: str, date: str, service: str, data: Path, as_json: bool) -> None:
    """What the notes say, and who wrote in them last.

    \b
    Such as:
      holdfast notes show trattoria --service dinner --data desk
    """
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        found, _ = _read(session, venue, date, service)
    _show(found, as_json)


@notes.command()
@_venue
@_date
@click.argument("text", metavar="TEXT|-")
@_service
@data_option
@json_option
def append(venue: str, date: str, text: str, service: str, data: Path, as_json: bool) -> None:
    """Add a line at the end of the notes.

    \b
    Such as:
      echo "No fish." | holdfast notes append trattoria today - --data desk

    With `-` the text is read from standard input: what stands in a command line every user of the
    machine can see.
    """
    from holdfast.commands.session import open_session

    line = _typed(text).strip("\n")
    if not line.strip():
        raise click.UsageError("there is no text to add")
    with open_session(data) as session:
        found, tag = _read(session, venue, date, service)
        before = found["text"]
        gap = "\n" if before and not before.endswith("\n") else ""
        changed = _write(session, found, tag, f"{before}{gap}{line}\n")
    _show(changed, as_json)


@notes.command()
@_venue
@_date
@click.argument("source", metavar="[-]", required=False)
@_service
@data_option
@json_option
def edit(
    venue: str, date: str, source: str | None, service: str, data: Path, as_json: bool
) -> None:
    """Change the notes in $EDITOR, or to what standard input says (`-`).

    \b
    Such as:
      holdfast notes edit trattoria --service dinner --data desk

    What others write meanwhile is merged with it. While the editor is open the text stands in a
    file of its own that only you can read, and that is deleted afterwards.
    """
    from holdfast.commands.output import remark
    from holdfast.commands.session import open_session

    if source is None and date == "-":
        date, source = "today", "-"
    if source not in (None, "-"):
        raise click.UsageError("give - to read standard input, or nothing to open an editor")
    with open_session(data) as session:
        found, tag = _read(session, venue, date, service)
    # The editor may be open for an hour: meanwhile the directory is free for others.
    text = _typed("-") if source else click.edit(found["text"], extension=".txt")
    if source and not text.strip():
        raise click.UsageError("standard input is empty; take all of it out in the editor")
    if text is None or text == found["text"]:
        remark("nothing was changed")
        _show(found, as_json)
        return
    with open_session(data) as session:
        changed = _write(session, found, tag, text)
    _show(changed, as_json)


@notes.command(epilog=all_reasons(ERASE_REASONS))
@_venue
@_date
@_service
@reason_option(ERASE_REASONS)
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
@json_option
def clear(
    venue: str, date: str, service: str, reason: str, yes: bool, data: Path, as_json: bool
) -> None:
    """Destroy the notes of a service on every device, with all that they ever said.

    \b
    Such as:
      holdfast notes clear trattoria 2026-07-01 --reason retention --data desk

    It cannot be undone. A device that is offline follows when it comes back; `holdfast guests
    erasures` shows who has. To take words out, edit the notes: what they said stays readable to
    the venue until they are cleared.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found, _ = _read(session, venue, date, service)
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("say --yes to clear notes where nobody can be asked")
            click.confirm(f"Destroy the notes of {_called(found)}?", abort=True, err=True)
        items: list[dict[str, Any]] = []
        if found["edits"] or found["unreadable"]:
            path = f"/guests/{quoted(found['agent_id'])}"
            items = session.request("DELETE", path, params={"reason": reason}).data["items"]
    if as_json:
        show_json({"items": items})
    elif not items:
        say(f"There are no notes of {_called(found)}.")
    else:
        waiting = [one["name"] for one in items[-1]["devices"] if one["state"] == "waiting"]
        say(f"The notes of {_called(found)} are destroyed here.")
        if waiting:
            say(f"Waiting for {', '.join(waiting)}; `holdfast guests erasures` shows who has.")
        say("Backups made before today hold them until they are deleted.")


def _typed(text: str) -> str:
    """Of the command line, or of standard input."""
    return sys.stdin.read() if text == "-" else text


def _path(venue: str, date: str) -> str:
    from holdfast.commands.session import quoted

    return f"/venues/{quoted(venue)}/notes/{quoted(date)}"


def _read(session: Session, venue: str, date: str, service: str) -> tuple[dict[str, Any], str]:
    """The notes, and the tag that names their state."""
    day = date_meant(session, date, venue) or date
    found = session.request("GET", _path(venue, day), params={"service": service})
    return found.data, found.headers["ETag"]


def _write(session: Session, found: dict[str, Any], tag: str, text: str) -> dict[str, Any]:
    """Change the notes that were read so."""
    changed: dict[str, Any] = session.request(
        "PUT",
        _path(found["venue"], found["date"]),
        params={"service": found["service"]},
        body={"text": text},
        headers={"If-Match": tag},
    ).data
    return changed


def _called(found: dict[str, Any]) -> str:
    service = f", {found['service']}" if found["service"] else ""
    return f"{found['venue']} on {found['date']}{service}"


def _show(found: dict[str, Any], as_json: bool) -> None:
    from holdfast.commands.output import remark, say, show_json

    if as_json:
        show_json(found)
        return
    if found["text"]:
        for line in found["text"].rstrip("\n").split("\n"):
            say(line)
    else:
        remark(f"nothing is noted for {_called(found)}")
    for one in found["unplaced"]:
        words = " ".join(one["text"].split())
        remark(f"written by {one['by']} into notes that are not there any more: {words}")
    if found["updated_at"]:
        who = found["author"] or found["updated_by"]
        remark(f"last edit: {who}, {time_text(found['updated_at'])}, at {found['updated_by']}")
    if found["unreadable"]:
        remark(f"{found['unreadable']} edits cannot be read here, as yet or ever")
