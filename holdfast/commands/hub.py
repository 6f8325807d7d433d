"""`holdfast hub`: the centre of a tenant."""

from __future__ import annotations

import datetime
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.asking_first import confirm, device_at_stake, yes_option
from holdfast.commands.options import (
    Group,
    all_reasons,
    data_option,
    directory_option,
    json_option,
    read_span,
    reason_option,
)
from holdfast.commands.running import run_options
from holdfast.commands.secrets import ask_new_passphrase, passphrase_option, read_root_file
from holdfast.model.roles import NODE_ROLES
from holdfast.model.vocabulary import REVOKE_REASONS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_CLOCKS: Final = {"disciplined": "set", "holdover": "was set", "undisciplined": "not set"}


@click.group(cls=Group)
def hub() -> None:
    """The centre of a tenant: make it, run it, invite nodes, look after the fleet."""


@hub.command()
@directory_option
@click.option("--tenant", required=True, metavar="NAME", help="The organisation or city.")
@click.option(
    "--root",
    "root_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Use this root key, as export-root wrote it, instead of a new one.",
)
@passphrase_option
@json_option
def init(
    data: Path, tenant: str, root_file: Path | None, passphrase_stdin: bool, as_json: bool
) -> None:
    """Make a hub in a new directory.

    \b
    Such as:
      holdfast hub init --data hub --tenant rome

    The passphrase of an encrypted root key is asked for, or read from standard input.
    """
    from holdfast.commands.output import copied, say, show_json
    from holdfast.node.hub import Hub

    root, passphrase = (
        read_root_file(root_file, from_stdin=passphrase_stdin) if root_file else (None, b"")
    )
    made = Hub.init(data, tenant, root, passphrase=passphrase)
    try:
        name = made.name
    finally:
        made.close()
    where = shlex.quote(str(data))
    following = f"holdfast venue import FILE --data {where}"
    if root_file:
        # The devices bring the venues: an import would begin them anew beside what they have.
        following = f"holdfast hub run --data {where}"
    if as_json:
        show_json({"directory": str(data), "tenant": tenant, "name": name, "next": following})
        return
    say(f"The hub of {tenant} is in {data}; its admin token is in {data / 'admin-token'}.")
    copied([f"The root key can be kept offline: holdfast hub export-root FILE --data {where}"])
    if root_file:
        say(
            "This tenant had a hub before: nothing is sold here until its devices have been heard "
            f"and you say so (holdfast hub recover --data {where}), or that there are none "
            "(--proceed). Do not import the venue file: the devices bring it. Run the hub at the "
            "old address, then let each of them exchange (`holdfast sync now` there)."
        )
    copied([f"next: {following}"])


@hub.command("export-root")
@directory_option
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--plain", is_flag=True, help="Do not encrypt the file: who opens it has the key.")
@passphrase_option
@click.option(
    "--remove", is_flag=True, help="Then delete the key here; FILE may be of an earlier export."
)
@json_option
def export_root(
    data: Path, file: Path, plain: bool, passphrase_stdin: bool, remove: bool, as_json: bool
) -> None:
    """Write the root key to a file, to be kept offline; the hub may go on running.

    The file is encrypted (PKCS 8) with the passphrase that is asked for, or is read from standard
    input with --passphrase-stdin; without one it is not.
    With --remove the hub keeps its issuing certificate, which admits and renews devices for ten
    years; what takes the root key then are `hub renew-issuer` and `hub init --root`.

    \b
    Such as:
      holdfast hub export-root /media/usb/root.pem --remove --data hub
    """
    from holdfast.commands.output import remark, say, show_json
    from holdfast.commands.session import require_directory
    from holdfast.node.issuing import export_root as write_root
    from holdfast.node.timekeeping import Timekeeper

    require_directory(data)
    if file.exists() and not remove:
        raise click.BadParameter(f"{file} exists already; name another file, or remove it first")
    if file.exists():
        _, passphrase = read_root_file(file, from_stdin=passphrase_stdin)
    else:
        passphrase = b"" if plain else ask_new_passphrase(from_stdin=passphrase_stdin)
    write_root(data, file, passphrase, remove=remove, now_ms=Timekeeper().now_ms())
    if not passphrase and not plain:
        remark(
            "The file is not encrypted: who opens it has the key (--passphrase-stdin encrypts it)."
        )
    if as_json:
        show_json({"file": str(file), "removed": remove})
        return
    say(f"The root key is in {file}. Keep it offline: who has it can make nodes of this tenant.")
    if remove:
        say(
            "It is not here any more. A new issuing certificate takes it (hub renew-issuer --root "
            "FILE), and so does a hub that is built anew (hub init --root FILE)."
        )


@hub.command("renew-issuer")
@directory_option
@click.option(
    "--root",
    "root_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The root key, as export-root wrote it.",
)
@passphrase_option
@json_option
def renew_issuer(data: Path, root_file: Path, passphrase_stdin: bool, as_json: bool) -> None:
    """Give the hub a new issuing certificate, with the root key; the hub may go on running.

    \b
    Such as:
      holdfast hub renew-issuer --root /media/usb/root.pem --data hub

    What the one before has issued stays good. The root key is read and not kept. The passphrase of
    an encrypted one is asked for, or read from standard input.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import require_directory
    from holdfast.node.issuing import renew
    from holdfast.node.timekeeping import Timekeeper

    require_directory(data)
    pem, passphrase = read_root_file(root_file, from_stdin=passphrase_stdin)
    made = renew(data, pem, passphrase, Timekeeper().now_ms())
    ends = datetime.datetime.fromtimestamp(made.ends_ms / 1000, datetime.UTC)
    if as_json:
        show_json({"ends_at": ends.isoformat()})
    else:
        say(f"The hub issues certificates with a new one of its own, until {ends:%d %B %Y}.")


@hub.command("rotate-key")
@data_option
@json_option
def rotate_key(data: Path, as_json: bool) -> None:
    """Give the hub a new key and certificate, and retire the old ones.

    Join codes that are still open name the old key: they are withdrawn, so make new ones.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.post("/certificate/renew", {"new_key": True})
    if as_json:
        show_json(answer)
    else:
        say(f"The hub has a new key, certified until {answer['ends_at'][:10]}.")


@hub.command("invites")
@data_option
@click.option("--withdraw", metavar="NAME", help="Make the open codes for this device void.")
@json_option
def invites(data: Path, withdraw: str | None, as_json: bool) -> None:
    """The join codes that are still open: for whom, until when, how many tries are left.

    The codes themselves are kept nowhere. `--withdraw NAME` (or VENUE/NAME, or the code's id)
    makes them void.
    """
    from holdfast.commands.output import remark, say, show_json, show_table
    from holdfast.commands.session import open_session, quoted
    from holdfast.commands.words import clock_text

    with open_session(data) as session:
        if withdraw is not None:
            answer = session.request("DELETE", f"/invites/{quoted(withdraw)}").data
        else:
            answer = session.get("/invites")
    if as_json:
        show_json(answer)
        return
    if withdraw is not None:
        say(f"{len(answer['items'])} withdrawn; who has such a code cannot join with it any more.")
        return
    show_table(
        ["id", "node", "role", "venue", "until", "tries left"],
        (
            [
                one["id"],
                one["name"],
                one["role"],
                one["venue"],
                clock_text(one["expires_at"]),
                one["tries_left"],
            ]
            for one in answer["items"]
        ),
        empty="No join code is open: `holdfast hub invite` makes one.",
    )
    if answer["items"]:
        remark("a code is withdrawn with `holdfast hub invites --withdraw ID`")


@hub.command()
@directory_option
@run_options(port=8470)
def run(data: Path, **options: Any) -> int:
    """Serve; prints `ready http://HOST:PORT` on a line of its own once it accepts."""
    from holdfast.commands.running import run_directory

    return run_directory(data, "hub", **options)


@hub.command()
@data_option
@click.option("--venue", required=True, metavar="V", help="The venue that the node serves.")
@click.option("--role", required=True, type=click.Choice(NODE_ROLES), help="What it is.")
@click.option("--name", required=True, metavar="NAME", help="Its name, as allotments call it.")
@click.option(
    "--expires", callback=read_span, default="1h", show_default=True, help="Such as 30m or 2d."
)
@json_option
def invite(data: Path, venue: str, role: str, name: str, expires: int, as_json: bool) -> None:
    """Make a one-time join code for a node; it is the last word printed.

    \b
    Such as:
      holdfast hub invite --venue trattoria --role front-desk \\
          --name desk --data hub
    """
    from holdfast.commands.output import remark, say, show_json
    from holdfast.commands.session import open_session
    from holdfast.commands.words import clock_text

    body = {"venue": venue, "role": role, "name": name, "expires_seconds": expires}
    with open_session(data) as session:
        made = session.post("/invites", body)
        fleet = session.get("/nodes")["items"]
    if any((one["name"], one["venue"]) == (name, venue) and not one["revoked"] for one in fleet):
        remark(
            f"{venue} has a device {name} already. With this code it rejoins; a new device of that "
            "name would be a second one, until the first is shut out with `holdfast hub revoke`."
        )
    if as_json:
        show_json(made)
        return
    say(f"Join code for {name} ({role}) at {venue}, once, until {clock_text(made['expires_at'])}:")
    say(made["code"])


@hub.command()
@data_option
@click.option("--all", "every", is_flag=True, help="Also the lives that a device has ended.")
@json_option
def nodes(data: Path, every: bool, as_json: bool) -> None:
    """The fleet: role, venue, when last seen, how much is not sent, clock, version.

    A device that was restored, copied or let in again goes on as another life; the earlier ones are
    only shown with --all, after it.
    """
    from holdfast.commands.fleet import with_followers
    from holdfast.commands.output import Column, remark, show_json, show_table
    from holdfast.commands.session import open_session
    from holdfast.commands.words import ago_text, counted

    with open_session(data) as session:
        answer = session.get("/nodes")
    if as_json:
        show_json(answer)
        return
    now = datetime.datetime.now(datetime.UTC)
    lives = with_followers(answer["items"])
    ended = sum(follower is not None for _, follower in lives)
    if ended and not every:
        lives = [(node, follower) for node, follower in lives if follower is None]
    show_table(
        [
            *("node", "role"),
            Column("venue", drop=3),
            *("state", "last seen", "unsent", "clock"),
            Column("version", drop=2),
            Column("life", drop=1),
        ],
        (
            [
                node.get("name"),
                node.get("role"),
                node.get("venue"),
                _state_words(node, follower),
                ago_text(node.get("last_seen_at"), now) or "never",
                node.get("queued"),
                _CLOCKS.get(str(node.get("clock_state")), node.get("clock_state")),
                str(node.get("version") or "").removeprefix("holdfast-"),
                # A life is known by its first letters wherever people read it.
                str(node.get("incarnation") or "")[:8],
            ]
            for node, follower in lives
        ),
        empty="No device has joined yet: `holdfast hub invite` makes the code with which one does.",
    )
    if ended and not every:
        remark(f"{counted(ended, 'earlier life', 'earlier lives')} left out; --all shows them")


def _state_words(node: dict[str, Any], follower: dict[str, Any] | None) -> str:
    if follower is not None:
        return f"ended, goes on as {str(follower.get('incarnation'))[:8]}"
    concerns = node.get("concerns") or {}
    return ", ".join(
        words
        for said, words in (
            (node.get("revoked"), "shut out"),
            (concerns.get("oversold"), "sold too much"),
            (concerns.get("branches"), "two histories"),
            (concerns.get("quarantined"), f"{concerns.get('quarantined')} set aside"),
            (concerns.get("refused"), f"{concerns.get('refused')} refused"),
            (concerns.get("keys"), f"{concerns.get('keys')} keys without a card"),
            (concerns.get("renewals"), "two ask to renew: copied keys?"),
        )
        if said
    )


@hub.command(epilog=all_reasons(REVOKE_REASONS))
@click.argument("node")
@data_option
@reason_option(REVOKE_REASONS)
@yes_option
@json_option
def revoke(node: str, data: Path, reason: str, yes: bool, as_json: bool) -> None:
    """Shut a node out; its certificates are good no more, and what it has not sent is unknown.

    The name is free: another device may join with a new code for it, and the device itself may come
    back with such a code (`holdfast node rejoin`); what it had not sent goes out then.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        confirm(f"Shut {node} out?", lambda: device_at_stake(session, node), yes=yes)
        answer = session.post(f"/nodes/{quoted(node)}/revoke", {"reason": reason})
    if as_json:
        show_json(answer)
    else:
        say(
            f"{node} is shut out: its certificates are good no more. Should the device come back, "
            "or another one take the name: `holdfast hub invite` makes a code, for `holdfast node "
            "rejoin` on that device, or for `holdfast node join` on another."
        )


@hub.command()
@data_option
@click.option("--proceed", is_flag=True, help="Go on; first revokes every node not heard of.")
@click.option("--dry-run", is_flag=True, help="Only show who was heard; change nothing.")
@yes_option
@json_option
def recover(data: Path, proceed: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """End the recovery of a restored hub where every device was heard; else show who was not.

    \b
    Such as:
      holdfast hub recover --dry-run --data hub

    With --proceed the hub goes on without those not heard: they are shut out, and what they sold
    and did not send is no promise any more.
    """
    from holdfast.commands.output import show_json
    from holdfast.commands.recovering import say_recovery
    from holdfast.commands.session import open_session

    if proceed and dry_run:
        raise click.UsageError("--dry-run only shows: leave --proceed out")
    with open_session(data) as session:
        if proceed:
            confirm("Go on without them?", lambda: _lost_by_proceeding(session), yes=yes)
        body = {"proceed": proceed} | ({"dry_run": True} if dry_run else {})
        answer = session.post("/hub/recover", body)
    if as_json:
        show_json(answer)
    else:
        say_recovery(answer, dry_run=dry_run, proceeded=proceed)


def _lost_by_proceeding(session: Session) -> list[str]:
    """Who would be shut out, and what goes with them."""
    from holdfast.commands.recovering import waiting_lines

    answer = session.post("/hub/recover", {"dry_run": True})
    lines = waiting_lines(answer)
    for one in answer["before"]:
        for device in one["not_heard"]:
            lines += device_at_stake(session, device["name"], one["venue"])
    return [*lines, "Who has not been heard is shut out."] if lines else []
