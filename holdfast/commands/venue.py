"""`holdfast venue`: the venues of a tenant, from their files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import click

from holdfast.commands.options import Group, data_option, file_argument, json_option
from holdfast.commands.venue_files import read_venue_file
from holdfast.commands.words import counted
from holdfast.model.errors import HoldfastError, Invalid


@click.group(cls=Group)
def venue() -> None:
    """The venues of a tenant, from their files."""


@venue.command("import")
@file_argument("file")
@data_option
@json_option
def import_(file: Path, data: Path, as_json: bool) -> None:
    """Make or change a venue from a YAML or JSON file, on the hub."""
    from holdfast.commands.output import copied, say, show_json
    from holdfast.commands.session import open_session, quoted

    read = read_venue_file(file)
    identity = read.document.get("venue")
    if not isinstance(identity, str) or not identity:
        needed = Invalid.field("venue", "is required: the venue's id, such as `venue: trattoria`")
        raise read.located(needed)
    with open_session(data) as session:
        try:
            answer = session.request("PUT", f"/venues/{quoted(identity)}", body=read.document)
        except HoldfastError as error:
            raise read.located(error) from error
        devices = [one for one in session.get("/nodes")["items"] if one["venue"] == identity]
        running = session.running
    if as_json:
        show_json(answer.data)
        return
    resources = len(answer.data.get("resources") or [])
    say(f"{answer.data.get('name', identity)} ({identity}): {counted(resources, 'resource')}.")
    where = shlex.quote(str(data))
    if not running:
        copied([f"next: holdfast hub run --data {where}"])
    if not devices:
        invite = f"holdfast hub invite --venue {identity} --role front-desk --name desk"
        copied([f"{'next' if running else 'and while it runs'}: {invite} --data {where}"])


@venue.command("list")
@data_option
@click.option("--all", "everything", is_flag=True, help="Also those that are out of service.")
@json_option
def list_(data: Path, everything: bool, as_json: bool) -> None:
    """The venues known here; those that are featured first."""
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/venues", include="inactive" if everything else None)
    if as_json:
        show_json(answer)
        return
    show_table(
        ["venue", "name", "kind", "time zone", "resources"],
        (
            [
                one.get("venue", one.get("id")),
                one.get("name") + ("" if one.get("active", True) else " (out of service)"),
                one.get("kind"),
                one.get("time_zone"),
                len(one.get("resources") or []),
            ]
            for one in answer["items"]
        ),
        empty="no venues yet; bring one in on the hub: holdfast venue import FILE",
    )


@venue.command()
@click.argument("venue")
@data_option
@json_option
def show(venue: str, data: Path, as_json: bool) -> None:
    """One venue, as its file says it."""
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        document = session.get(f"/venues/{quoted(venue)}")
    if as_json:
        show_json(document)
        return
    import yaml

    click.echo(
        yaml.safe_dump(
            document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=72
        ),
        nl=False,
    )


@venue.command()
@click.argument("venue")
@click.argument("switch", type=click.Choice(["on", "off"]))
@data_option
@json_option
def online(venue: str, switch: str, data: Path, as_json: bool) -> None:
    """Let people reserve by themselves, or stop it, on the hub; the desk goes on either way.

    \b
    Such as:
      holdfast venue online trattoria off --data hub
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        path = f"/venues/{quoted(venue)}"
        found = session.request("GET", path)
        document = found.data | {"accepting": switch == "on"}
        # What somebody changed meanwhile is not changed back.
        match = {"If-Match": found.headers["ETag"]}
        done = session.request("PUT", path, body=document, headers=match).data
    if as_json:
        show_json(done)
        return
    what = "may reserve by themselves" if switch == "on" else "do not reserve by themselves now"
    say(f"At {done['name']} people {what}.")


@venue.command("rotate-key")
@click.argument("venue")
@data_option
@json_option
def rotate_key(venue: str, data: Path, as_json: bool) -> None:
    """Make another key for guests' cards, at a front desk, after one was stolen.

    \b
    Such as:
      holdfast hub revoke desk-2 --reason stolen --data hub
      holdfast venue rotate-key trattoria --data desk

    Shut the stolen device out first: every other one that reads cards gets the new key. It takes
    effect when the hub hears of it; cards are then sealed to it anew by themselves.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        done = session.post(f"/venues/{quoted(venue)}/rotate-key", {})
    if as_json:
        show_json(done)
        return
    others = ", ".join(done["handed_to"]) or "nobody else yet"
    say(f"{venue} has another key as soon as the hub hears of it; it is handed to {others}.")


SHARING: Final = (
    "The hub will read the name, the telephone number and the requests of every guest of {venue}, "
    "and so will whoever runs it or has its disk or a backup of it. What it has read it has read; "
    "`holdfast venue rotate-key {venue}` ends it for what comes later."
)


@venue.command("share-key")
@click.argument("venue")
@data_option
@click.option("--proceed", is_flag=True, help="Do it; without this it is only explained.")
@json_option
def share_key(venue: str, data: Path, proceed: bool, as_json: bool) -> int:
    """Let the hub read this venue's guest cards, at a front desk.

    \b
    Such as:
      holdfast venue share-key trattoria --proceed --data desk
      holdfast venue rotate-key trattoria --data desk

    The second command takes it back. The hub of a tenant reads no guest's card unless somebody
    does this, venue by venue; everybody sees in the audit who did.
    """
    from holdfast.commands.output import remark, say, show_json
    from holdfast.commands.session import open_session, quoted

    warning = SHARING.format(venue=venue)
    if not proceed:
        remark(f"error: nothing was done. {warning} If that is meant: add --proceed.")
        return 1
    with open_session(data) as session:
        done = session.post(f"/venues/{quoted(venue)}/share-key", {})
    if as_json:
        show_json(done)
        return 0
    say(f"The hub gets the key of {venue} with the next exchange. {warning}")
    return 0
