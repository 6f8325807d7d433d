"""`holdfast staff`: who may log in by PIN at a device."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from holdfast.commands.options import STAFF_ROLES, Group, data_option, json_option
from holdfast.commands.words import clock_text


@click.group(cls=Group)
def staff() -> None:
    """Who may log in by PIN at this device, and at no other."""


pin_option = click.option(
    "--pin-stdin", is_flag=True, help="Read the PIN from standard input, one line."
)


@staff.command()
@click.argument("name", metavar="NAME")
@data_option
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES), help="What they may do.")
@pin_option
@json_option
def add(name: str, data: Path, role: str, pin_stdin: bool, as_json: bool) -> None:
    """Let somebody log in; the PIN, 4 to 10 digits, is asked for and not shown.

    \b
    Such as:
      holdfast staff add Zoë --role staff --data desk
      holdfast staff add Zoë --role staff --pin-stdin --data desk < pin.txt

    What somebody may do comes from the role, and from nothing else: `staff` takes, changes and
    moves reservations; `supervisor` also overbooks, resolves exceptions, hands out allotments and
    forgets guests; `read-only` looks. docs/access.md has the whole table.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    pin = read_pin(from_stdin=pin_stdin)
    with open_session(data) as session:
        added = session.post("/staff", {"name": name, "role": role, "pin": pin})
    if as_json:
        show_json(added)
    else:
        say(f"{added['name']} ({role}) can log in at this device.")


@staff.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """Who may log in at this device."""
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/staff")
    if as_json:
        show_json(answer)
        return
    show_table(
        ["name", "role", "added", "last login", "locked until"],
        (
            [
                one.get("name"),
                one.get("role"),
                clock_text(one.get("made_at")),
                clock_text(one.get("used_at")),
                clock_text(one.get("locked_until")),
            ]
            for one in answer["items"]
        ),
        empty="nobody logs in by PIN here; `holdfast staff add NAME --role staff`",
    )


@staff.command("set-pin")
@click.argument("name", metavar="NAME")
@data_option
@pin_option
@json_option
def set_pin(name: str, data: Path, pin_stdin: bool, as_json: bool) -> None:
    """Give somebody another PIN; they are logged out, and a lock is opened."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    pin = read_pin(from_stdin=pin_stdin)
    with open_session(data) as session:
        changed = session.request("PUT", f"/staff/{quoted(name)}/pin", body={"pin": pin}).data
    if as_json:
        show_json(changed)
    else:
        say(f"{changed['name']} has a new PIN.")


@staff.command()
@click.argument("name", metavar="NAME")
@data_option
@json_option
def unlock(name: str, data: Path, as_json: bool) -> None:
    """Let somebody try again after wrong PINs, and this device with them."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        unlocked = session.post(f"/staff/{quoted(name)}/unlock")
    if as_json:
        show_json(unlocked)
    else:
        say(f"{unlocked['name']} can log in again.")


@staff.command()
@click.argument("name", metavar="NAME")
@data_option
@json_option
def remove(name: str, data: Path, as_json: bool) -> None:
    """Let somebody log in here no more, and log them out."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        removed = session.request("DELETE", f"/staff/{quoted(name)}").data
    if as_json:
        show_json(removed)
    else:
        say(f"{removed['name']} cannot log in here any more.")


def read_pin(*, from_stdin: bool) -> str:
    """A PIN, typed twice at a terminal without being shown, or one line of standard input. It is no
    argument: every user of a machine sees those in the list of processes. Raises click.UsageError
    where standard input has nothing at all."""
    if not from_stdin and sys.stdin.isatty():
        return str(click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError(
            "no PIN: there is no terminal to ask at, and nothing on standard input; with"
            " --pin-stdin it is read from there, one line"
            if not from_stdin
            else "no PIN: --pin-stdin reads one line of standard input, and that is empty"
        )
    return line.rstrip("\r\n")
