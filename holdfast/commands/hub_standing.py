"""What a person is told of the hub while writing: out of reach, shut out, or nobody to ask it.

Owns these remarks, all on standard error: what was written is kept whatever they say. What became
of it is said once, when it is known.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.commands.output import remark
from holdfast.commands.screens import SHUT_OUT

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_PENDING: Final = "commit_pending"
_HELD: Final = "intent"


class Waiting(NamedTuple):
    """Whether a decision is waited for, and what is known of why none may come."""

    seconds: int | None
    patient: bool
    why: str = ""
    way_out: str = ""


def plan_to_wait(session: Session, seconds: int | None) -> Waiting:
    """Whether waiting for a decision makes sense. Says only that it waits, where the hub is out of
    reach: whether an answer is needed at all is not known yet.

    `seconds` is how long the person wants to wait; None: not at all.
    """
    if seconds is None:
        return Waiting(None, patient=False)
    standing = session.get("/sync")
    if _is_hub(standing) or (standing.get("state") == "connected" and session.running):
        return Waiting(seconds, patient=True)
    if standing.get("reason") == SHUT_OUT:
        return Waiting(None, patient=False)  # `warn_if_shut_out` says it, once it is written.
    data = shlex.quote(str(session.directory))
    if not session.running:
        return Waiting(
            seconds,
            patient=False,
            why="this device's process does not run, so that nobody is asked, and there is nothing"
            " to wait for",
            way_out=f"`holdfast node run --data {data}` or `holdfast sync now --data {data}` asks",
        )
    if standing.get("state") == "paused":
        return Waiting(
            seconds,
            patient=False,
            why="sync is paused on this device, so that there is nothing to wait for",
            way_out=f"`holdfast sync resume --data {data}` ends the pause",
        )
    remark(f"The hub is out of reach; if an answer is needed, {seconds} s are waited for it.")
    return Waiting(seconds, patient=True, why="the hub is out of reach")


def say_what_waiting_brought(session: Session, waiting: Waiting, made: dict[str, Any]) -> None:
    """The last word to somebody who wanted to wait: nothing where it is decided, else that it stays
    provisional, why, and what happens next."""
    if waiting.seconds is None or not _is_asked_for(made):
        return
    data = shlex.quote(str(session.directory))
    why = waiting.why or f"no answer came within {waiting.seconds} s"
    way_out = waiting.way_out or (
        "it is asked for again by itself, and "
        f"`holdfast reservations show {made['code']} --data {data}` shows the answer"
    )
    asked = made.get("waits_for")
    holder = asked if asked and asked != "hub" else "the hub"
    remark(f"note: {why}. {made['code']} stays provisional until {holder} answers: {way_out}.")


def _is_asked_for(made: dict[str, Any]) -> bool:
    """Whether a place was asked for and nobody has answered: for a reservation, or to be held."""
    held = made.get("status") == _HELD and made.get("assurance") == "provisional"
    return held or made.get("status") == _PENDING


def warn_if_shut_out(session: Session) -> None:
    """After a write: what is written on a device that was shut out reaches nobody."""
    if is_shut_out(session):
        data = shlex.quote(str(session.directory))
        remark(
            "warning: the hub has shut this device out: this is written here and reaches nobody. "
            f"`holdfast sync status --data {data}` says what to do."
        )


def is_shut_out(session: Session) -> bool:
    """Whether the hub has shut this device out, and told it so."""
    standing = session.get("/sync")
    return not _is_hub(standing) and standing.get("reason") == SHUT_OUT


def _is_hub(standing: dict[str, Any]) -> bool:
    return standing.get("hub") is None
