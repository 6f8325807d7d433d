"""`holdfast queue`: the operations written here, and the fate of each."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.options import (
    Group,
    all_reasons,
    data_option,
    json_option,
    reason_option,
    target_argument,
)
from holdfast.commands.words import counted, due_text, operation_words, sync_words
from holdfast.model.errors import HoldfastError, Invalid, NotFound
from holdfast.model.vocabulary import WITHDRAW_REASONS

_STATES = ("queued", "sent", "merged", "deferred", "quarantined", "withdrawn")
_ID_CHARS: Final = 8
_WHOLE_ID_CHARS: Final = 32
_LETTERS_MIN: Final = 4
_NAMED_MAX: Final = 5


@click.group(cls=Group)
def queue() -> None:
    """The operations written here, and the fate of each."""


@queue.command("list")
@data_option
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@json_option
def list_(data: Path, state: str | None, as_json: bool) -> None:
    """List operations; finished ones stay for seven days.

    \b
    Such as:
      holdfast queue list --state queued --data desk
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = _all(session, state)
        at_hub = not as_json and session.get("/sync").get("hub") is None
    if as_json:
        show_json(answer)
        return
    now = datetime.datetime.now(datetime.UTC)
    show_table(
        [
            Column("operation", short=_ID_CHARS),
            *("what", "about", "state"),
            Column("tries", drop=2),
            Column("next try", drop=1),
            "reason",
        ],
        (
            [
                one.get("id"),
                operation_words(one.get("kind")),
                one.get("subject"),
                sync_words(one.get("state")),
                # One try is as it should be, and needs no column.
                one.get("attempts") if (one.get("attempts") or 0) > 1 else "",
                due_text(one.get("next_attempt_at"), now),
                one.get("reason"),
            ]
            for one in answer["items"]
        ),
        empty=_nothing(state, at_hub=at_hub),
    )


@queue.command()
@click.argument("operation", metavar="OP")
@data_option
@json_option
def show(operation: str, data: Path, as_json: bool) -> None:
    """Show one operation; OP is its id, the first letters of it, or the reservation's code.

    \b
    Such as:
      holdfast queue show RES-2026-ABC123 --data desk
    """
    from holdfast.commands.output import show_fields, show_json
    from holdfast.commands.screens import operation_fields
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/queue/{quoted(_named(session, operation))}")
    if as_json:
        show_json(found)
    else:
        show_fields(operation_fields(found))


@queue.command()
@data_option
@json_option
def stats(data: Path, as_json: bool) -> None:
    """How many operations are in each state."""
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        counts = session.get("/queue", limit=1)["counts"]
    if as_json:
        show_json({"counts": counts})
    else:
        show_table(["state", "", "operations"], ([s, sync_words(s), n] for s, n in counts.items()))


@queue.command()
@click.argument("operation", metavar="[OP]", required=False)
@data_option
@json_option
def retry(operation: str | None, data: Path, as_json: bool) -> None:
    """Try one operation again now, or all that are not finished."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        if operation is None:
            waiting = [one["id"] for s in ("queued", "sent") for one in _all(session, s)["items"]]
        else:
            waiting = [_named(session, operation)]
        for one in waiting:
            session.post(f"/queue/{quoted(one)}/retry")
    if as_json:
        show_json({"retried": waiting})
    else:
        say(f"{len(waiting)} to be tried again now.")


@queue.command(epilog=all_reasons(WITHDRAW_REASONS))
@click.argument("operation", metavar="OP")
@data_option
@reason_option(WITHDRAW_REASONS)
@json_option
def withdraw(operation: str, data: Path, reason: str, as_json: bool) -> None:
    """Give up an operation that the hub refused for good (quarantined).

    \b
    Such as:
      holdfast queue list --state quarantined --data desk
      holdfast queue withdraw RES-2026-ABC123 \\
          --reason entered_by_mistake --data desk

    OP is the operation's id, its first letters, or the code of the reservation it is about.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        operation = _named(session, operation)
        answer = session.post(f"/queue/{quoted(operation)}/withdraw", {"reason": reason})
    if as_json:
        show_json(answer)
    else:
        say(f"{operation} is withdrawn.")


@queue.command()
@target_argument("file")
@data_option
@json_option
def export(file: Path, data: Path, as_json: bool) -> None:
    """Write the whole queue to a file, as JSON."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = _all(session, None)
    write_new(file, json.dumps(answer, indent=2, ensure_ascii=False).encode())
    if as_json:
        show_json({"file": str(file), "operations": len(answer["items"])})
    else:
        count = len(answer["items"])
        say(f"{counted(count, 'operation')} {'is' if count == 1 else 'are'} in {file}.")


def write_new(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read and that did not exist; raises HoldfastError."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
    except OSError as error:
        raise HoldfastError(
            f"{file} cannot be written ({error.strerror}); name another file"
        ) from error


def _named(session: Any, text: str) -> str:
    """The id of the operation that a person means: by its id, the first letters of it as a list
    shows them, or the code of the reservation that it is about. Raises NotFound, Invalid."""
    if len(text) == _WHOLE_ID_CHARS:
        return text
    wanted = text.rstrip("…")
    items = session.items("/queue")
    found = [
        str(one["id"])
        for one in items
        if one.get("subject") == wanted
        or (len(wanted) >= _LETTERS_MIN and str(one["id"]).startswith(wanted.lower()))
    ]
    if not found:
        raise NotFound(f"no operation {text} in this queue; finished ones stay 7 days")
    if len(found) > 1:
        ids = ", ".join(found[:_NAMED_MAX])
        raise Invalid(f"{len(found)} operations are meant by {text}; name one: {ids}")
    return found[0]


def _nothing(state: str | None, *, at_hub: bool) -> str:
    if at_hub:
        return "No queue here: what is written at the hub has arrived already. Devices have one."
    if state is not None:
        return f"Nothing in the queue that is {state}; without --state all of it is listed."
    return (
        "Nothing in the queue: each change that is written on this device stands here, until seven"
        " days after the hub has taken it."
    )


def _all(session: Any, state: str | None) -> dict[str, Any]:
    """The queue with every page of its items."""
    items = session.items("/queue", state=state)
    return {"counts": session.get("/queue", limit=1)["counts"], "items": items, "next": None}
