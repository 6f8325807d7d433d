"""`holdfast node`: a device that takes reservations."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from holdfast.commands.options import Group, data_option, directory_option, json_option
from holdfast.commands.running import run_options


@click.group(cls=Group)
def node() -> None:
    """A device that takes reservations: join a hub, run, look at its state."""


_code_option = click.option(
    "--code",
    required=True,
    metavar="CODE",
    envvar="HOLDFAST_JOIN_CODE",
    show_envvar=True,
    help="What `holdfast hub invite` printed; `-`: from standard input, so that no other user of "
    "this machine reads it in the list of processes.",
)


def _given(code: str) -> str:
    """A join code as it was given. Raises UsageError for standard input that has none."""
    if code != "-":
        return code
    found = sys.stdin.readline().strip()
    if not found:
        raise click.UsageError("`--code -` reads the join code from standard input, which is empty")
    return found


@node.command()
@click.argument("url")
@_code_option
@click.option(
    "--ca",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM: who signed the hub's TLS certificate, if no public authority did.",
)
@directory_option
@json_option
def join(url: str, code: str, ca: Path | None, data: Path, as_json: bool) -> None:
    """Make a node in a new directory, with a code from the hub.

    \b
    At the hub:
      holdfast hub invite --venue trattoria --role front-desk \\
          --name desk --data hub
    Then on the device, with the code that this prints:
      holdfast node join http://HUB:8470 --code CODE --data desk
      holdfast node run --data desk
    """
    from holdfast.commands.output import copied, say, show_json
    from holdfast.node.node import Node

    joined = Node.join(url, _given(code), data, ca)
    try:
        name, venues = joined.name, joined.venue_ids()
    finally:
        joined.close()
    following = f"holdfast node run --data {shlex.quote(str(data))}"
    if as_json:
        show_json({"directory": str(data), "name": name, "venues": venues, "next": following})
        return
    say(f"{name} has joined {url} for {', '.join(venues)}; it is in {data}.")
    copied([f"next: {following}"])


@node.command()
@_code_option
@data_option
@json_option
def rejoin(code: str, data: Path, as_json: bool) -> None:
    """Renew a device's certificate with a new code for the same name, and keep its data.

    \b
    Such as:
      holdfast node rejoin --code CODE --data desk

    It also lets in a device that was shut out: with a new code for its name it goes on in its
    directory, and what it had not sent goes out.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post("/sync/rejoin", {"code": _given(code)})
    if as_json:
        show_json(answer)
    else:
        say(f"Joined {answer['hub']} again; what is new comes with the next exchange.")


@node.command("rotate-key")
@data_option
@json_option
def rotate_key(data: Path, as_json: bool) -> None:
    """Give a device a new key and certificate, and retire the old ones; the hub must be in reach.

    Whoever else has the old key, as from a stolen copy, speaks for nobody once the hub has heard
    of the new one. Certificates are renewed by themselves and need no command.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post("/certificate/renew", {"new_key": True})
        session.post("/sync/now")
    if as_json:
        show_json(answer)
    else:
        say(f"The device has a new key, certified until {answer['ends_at'][:10]}.")


@node.command("set-hub")
@click.argument("url")
@data_option
@json_option
def set_hub(url: str, data: Path, as_json: bool) -> None:
    """Tell a node that its hub has another address now.

    \b
    Such as:
      holdfast node set-hub https://hub.example:8470 --data desk
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post("/sync/hub", {"url": url})
    if as_json:
        show_json(answer)
    else:
        say(f"The hub is at {answer['hub']} from now on.")


@node.command()
@directory_option
@run_options(port=8471)
def run(data: Path, **options: Any) -> int:
    """Serve; prints `ready http://HOST:PORT` on a line of its own, and never waits for the hub."""
    from holdfast.commands.running import run_directory

    return run_directory(data, "node", **options)


@node.command()
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """One screen: identity, exchange, queue, clock, books, disk."""
    from holdfast.commands.output import copied, show_fields, show_json
    from holdfast.commands.screens import status_fields, way_out_lines
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/status")
        running = session.running
    if as_json:
        show_json(answer)
    else:
        show_fields(status_fields(answer, running=running))
        copied(way_out_lines(answer.get("sync") or {}, data))


@node.command()
@directory_option
@click.option("--user", default="holdfast", show_default=True, help="The account it runs under.")
def unit(data: Path, user: str) -> None:
    """Print a systemd unit, such as for /etc/systemd/system/holdfast.service."""
    from holdfast.commands.session import is_hub

    click.echo(unit_text(_program(), data.resolve(), "hub" if is_hub(data) else "node", user))


def unit_text(program: str, directory: Path, role: str, user: str) -> str:
    """A systemd unit that restarts the process, and lets it write to its directory only."""
    return f"""\
[Unit]
Description=Holdfast {role} ({_unit_quoted(str(directory)).strip('"')})
# Not network-online.target: a {role} works without a network.
After=network.target

[Service]
User={user}
ExecStart={_unit_quoted(program)} {role} run --data {_unit_quoted(str(directory))}
Restart=always
RestartSec=2
KillSignal=SIGTERM
TimeoutStopSec=30
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=read-only
ProtectSystem=strict
ReadWritePaths={_unit_quoted(str(directory))}
StateDirectory=holdfast
Environment=HOLDFAST_STATE=/var/lib/holdfast

[Install]
WantedBy=multi-user.target"""


def _unit_quoted(text: str) -> str:
    """As systemd reads a word: quoted, with its own marks doubled."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != text or " " in text else text


def _program() -> str:
    beside = Path(sys.executable).parent / "holdfast"
    return str(beside) if beside.exists() else shutil.which("holdfast") or "holdfast"
