"""`holdfast exceptions`: what a person must look at."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from holdfast.commands.options import Group, all_reasons, data_option, json_option, reason_option
from holdfast.commands.words import ago_text
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.vocabulary import RESOLVE_REASONS


@click.group(cls=Group)
def exceptions() -> None:
    """What a person must look at."""


@exceptions.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """What is open, the oldest first."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/exceptions")
    if as_json:
        show_json(answer)
        return
    now = datetime.datetime.now(datetime.UTC)
    show_table(
        [
            *("about", "what", "since", "detail"),
            Column("actions", drop=1),
            Column("id", drop=2),
        ],
        (
            [
                _called(one),
                str(one.get("kind", "")).replace("_", " "),
                ago_text(one.get("since"), now),
                one.get("detail"),
                one.get("actions"),
                one.get("id"),
            ]
            for one in answer["items"]
        ),
        empty="nothing that a person must look at",
    )


@exceptions.command()
@click.argument("exception", metavar="ID")
@data_option
@json_option
def show(exception: str, data: Path, as_json: bool) -> None:
    """Show one exception, by its id or what it is about, and what can be done about it."""
    from holdfast.commands.output import show_document, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/exceptions/{quoted(_named(session, exception))}")
    if as_json:
        show_json(found)
    else:
        show_document(found)


@exceptions.command(epilog=all_reasons(RESOLVE_REASONS))
@click.argument("exception", metavar="ID")
@data_option
@click.option(
    "--action",
    required=True,
    metavar="A",
    help="acknowledge or cancel; `show` names those that are possible.",
)
@reason_option(RESOLVE_REASONS, "What was done, such as")
@json_option
def resolve(exception: str, data: Path, action: str, reason: str, as_json: bool) -> None:
    """Say what was done about an exception; the answer is kept in the book.

    `--action acknowledge` says that it was seen to, and changes nothing else. `--action cancel`,
    for a displaced reservation, also cancels that reservation. Whoever keeps it for the guest
    offers another time or place with `holdfast reservations move`, and acknowledges.

    \b
    Such as:
      holdfast exceptions resolve RES-2026-ABC123 --action acknowledge \\
          --reason guest_called --data desk
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    body = {"action": action, "reason": reason}
    with open_session(data) as session:
        named = _named(session, exception)
        answer = session.post(f"/exceptions/{quoted(named)}/resolve", body)
    if as_json:
        show_json(answer)
    else:
        say("Resolved.")


def _called(item: dict[str, Any]) -> str:
    """What a person calls it by: the reservation's code, else what it is about."""
    return str(item.get("code") or item.get("subject") or "")


def _named(session: Any, text: str) -> str:
    """The id of the exception that a person means, by its id or by what it is about.

    Raises NotFound, Invalid.
    """
    if "." in text:
        return text
    found = [one["id"] for one in session.get("/exceptions")["items"] if _called(one) == text]
    if not found:
        raise NotFound(f"nothing open about {text}; `holdfast exceptions list` shows what is")
    if len(found) > 1:
        raise Invalid(f"{len(found)} are open about {text}; name one: {', '.join(found)}")
    return str(found[0])
