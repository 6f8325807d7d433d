"""`holdfast token`: tokens for the HTTP interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.commands.naming import AGENT_HELP, named_agent
from holdfast.commands.options import (
    TOKEN_ROLES,
    Group,
    data_option,
    json_option,
    read_span_if_any,
)
from holdfast.commands.words import clock_text


@click.group(cls=Group)
def token() -> None:
    """Tokens for the HTTP interface."""


@token.command()
@data_option
@click.option("--name", required=True, metavar="N", help="What you call it, to revoke it later.")
@click.option("--role", required=True, type=click.Choice(TOKEN_ROLES), help="What it may do.")
@click.option(
    "--agent",
    "agent_id",
    metavar="AGENT",
    help=f"Whose reservations a guest's token sees. {AGENT_HELP}",
)
@click.option(
    "--venue",
    "venues",
    multiple=True,
    metavar="V",
    help="Only this venue; may be given several times. Left out: all.",
)
@click.option(
    "--may",
    "permissions",
    multiple=True,
    metavar="P",
    help="Only this permission of its role, such as reservations.read; several times. Left out: "
    "all.",
)
@click.option(
    "--expires",
    "expires_seconds",
    metavar="D",
    callback=read_span_if_any,
    help="After this span it is worth nothing, such as 12h or 90d. Left out: it has no end.",
)
@json_option
def create(
    data: Path,
    name: str,
    role: str,
    agent_id: str | None,
    venues: tuple[str, ...],
    permissions: tuple[str, ...],
    expires_seconds: int | None,
    as_json: bool,
) -> None:
    """Make a token; it is the last word printed, and shown this once only."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    if role == "guest" and agent_id is None:
        raise click.UsageError("a guest's token needs --agent: it sees that person's reservations")
    body: dict[str, Any] = {
        "name": name,
        "role": role,
        "venues": list(venues),
        "permissions": list(permissions),
        **({"expires_seconds": expires_seconds} if expires_seconds is not None else {}),
    }
    with open_session(data) as session:
        if agent_id is not None:
            body["agent_id"] = named_agent(session, agent_id)
        made = session.post("/tokens", body)
    if as_json:
        show_json(made)
        return
    end = f", until {clock_text(made['expires_at'])}" if made["expires_at"] else ""
    say(f"Token {name} ({role}{end}); it is shown this once only:")
    say(made["token"])


@token.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """The tokens that were made, without their secrets."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/tokens")
    if as_json:
        show_json(answer)
        return
    show_table(
        [
            "name",
            "role",
            Column("for", drop=2),
            Column("agent", short=14, drop=1),
            Column("made", drop=3),
            Column("last used", drop=4),
            "ends",
        ],
        (
            [
                one.get("name"),
                one.get("role"),
                ", ".join([*one["venues"], *one["permissions"]]),
                one.get("agent_id"),
                clock_text(one.get("made_at")),
                clock_text(one.get("used_at")),
                "revoked" if one.get("revoked_at") else clock_text(one.get("expires_at")),
            ]
            for one in answer["items"]
        ),
        empty="no tokens but the directory's admin-token",
    )


@token.command()
@click.argument("name", metavar="N")
@data_option
@json_option
def revoke(name: str, data: Path, as_json: bool) -> None:
    """End a token at once."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        answer = session.request("DELETE", f"/tokens/{quoted(name)}").data
    if as_json:
        show_json(answer or {"name": name, "revoked": True})
    else:
        say(f"Token {name} is revoked.")
