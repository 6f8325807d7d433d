"""Asking once more before something is taken from a device that nobody can give back.

Owns the question, what it names, and when it is asked: at a terminal alone. A script is not asked,
and neither is who says `--yes`.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from holdfast.commands.words import ago_text, clock_text, counted

if TYPE_CHECKING:
    from holdfast.commands.session import Session

Command = TypeVar("Command", bound=Callable[..., Any])
_HELD = ("active", "stranded")


def yes_option(command: Command) -> Command:
    """`--yes`: do not ask."""
    return click.option(
        "--yes",
        is_flag=True,
        help="Do not ask. Where standard input is no terminal nobody is asked.",
    )(command)


def at_a_terminal() -> bool:
    """Whether somebody can be asked, and reads the question there and nowhere else."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, at_stake: Callable[[], Iterable[str]], *, yes: bool) -> None:
    """Say what is at stake, if anything is, and go on only if the person wants that. Raises
    click.Abort for no."""
    from holdfast.commands.output import remark

    if yes or not at_a_terminal():
        return
    lines = list(at_stake())
    if not lines:
        return
    for line in lines:
        remark(line)
    click.confirm(question, abort=True, err=True)


def seen_words(at: Any) -> str:
    """When a device was heard last: such as `last seen 2026-07-02 19:30:05 CEST, 3 min ago`."""
    if not at:
        return "never seen here"
    return f"last seen {clock_text(at)}, {ago_text(at, datetime.datetime.now(datetime.UTC))}"


def device_at_stake(session: Session, name: str, venue: str | None = None) -> list[str]:
    """What is lost with a device, as far as it is known here: a sentence on what it has not sent,
    and one on what it sold. `name` may be VENUE/NAME."""
    named, _, name = name.rpartition("/")
    venue = named or venue
    rows = [
        one
        for one in session.get("/nodes")["items"]
        if one["name"] == name and venue in (None, one["venue"]) and not one["revoked"]
    ]
    if not rows:
        return []
    last = max(rows, key=lambda one: str(one.get("last_seen_at") or ""))
    unsent = last.get("queued")
    waits = f"{counted(unsent, 'operation')} waited there then" if unsent else "nothing waited then"
    lines = [
        f"{name}: {seen_words(last.get('last_seen_at'))}; "
        f"{waits if last.get('last_seen_at') else 'what it wrote is not known'}. What it has "
        "written since, and did not send, is known to nobody else: a sale among it is no promise"
        " any more."
    ]
    held = [
        one
        for one in session.items("/allotments", venue=venue or last["venue"])
        if one["holder"] == name and one["state"] in _HELD
    ]
    return [*lines, sold_words(name, held)]


def sold_words(name: str, held: list[dict[str, Any]]) -> str:
    """What a device holds and has sold that lies ahead, as far as it was heard."""
    if not held:
        return f"{name} holds no allotment."
    places = list(dict.fromkeys(str(id_) for one in held for id_ in one["resources"]))
    sold = sum(int(one.get("sold") or 0) for one in held)
    verb = "is sold and lies" if sold == 1 else "are sold and lie"
    return (
        f"It holds {', '.join(places)}; of these {counted(sold, 'place')} {verb} ahead, as far as "
        "it was heard: that stands, and the hub looks after it from then on."
    )
