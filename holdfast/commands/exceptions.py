"""`holdfast exceptions`: what a person must look at."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.commands.options import Group, data_option, json_option
from holdfast.commands.words import clock_text


@click.group(cls=Group)
def exceptions() -> None:
    """What a person must look at."""


@exceptions.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """What is open, the oldest first."""
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/exceptions")
    if as_json:
        show_json(answer)
        return
    show_table(
        ["id", "what", "about", "since", "detail", "actions"],
        (
            [
                one.get("id"),
                str(one.get("kind", "")).replace("_", " "),
                one.get("subject"),
                clock_text(one.get("since")),
                one.get("detail"),
                one.get("actions"),
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
    """Show one exception, and what can be done about it."""
    from holdfast.commands.output import show_document, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/exceptions/{quoted(exception)}")
    if as_json:
        show_json(found)
    else:
        show_document(found)


@exceptions.command()
@click.argument("exception", metavar="ID")
@data_option
@click.option(
    "--action",
    required=True,
    metavar="A",
    help="acknowledge or cancel; `show` names those that are possible.",
)
@click.option(
    "--reason",
    required=True,
    metavar="R",
    help="What was done, such as called_guest, moved, rebooked, refunded, walked, accepted,"
    " handled, no_action, mistake, test, other. Any other word is answered with the whole list.",
)
@json_option
def resolve(exception: str, data: Path, action: str, reason: str, as_json: bool) -> None:
    """Say what was done about an exception; the answer is kept in the book.

    `--action acknowledge` says that it was seen to, and changes nothing else. `--action cancel`,
    for a displaced reservation, also cancels that reservation. Whoever keeps it for the guest
    offers another time or place with `holdfast reservations move`, and acknowledges.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    body = {"action": action, "reason": reason}
    with open_session(data) as session:
        answer = session.post(f"/exceptions/{quoted(exception)}/resolve", body)
    if as_json:
        show_json(answer)
    else:
        say("Resolved.")
