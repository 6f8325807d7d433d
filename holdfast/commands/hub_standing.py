"""What a person is told of the hub while writing: out of reach, shut out, or nobody to ask it.

Owns these remarks, all on standard error: what was written is kept whatever they say.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from holdfast.commands.output import remark
from holdfast.commands.screens import SHUT_OUT

if TYPE_CHECKING:
    from holdfast.commands.session import Session


def will_be_answered(session: Session, seconds: int | None) -> bool:
    """Whether waiting for a decision makes sense; says at once where the hub is out of reach.

    `seconds` is how long the person wants to wait; None: not at all.
    """
    if seconds is None:
        return False
    standing = session.get("/sync")
    if _is_hub(standing) or (standing.get("state") == "connected" and session.running):
        return True
    if standing.get("reason") == SHUT_OUT:
        return False  # `warn_if_shut_out` says it, once it is written.
    if not session.running:
        data = shlex.quote(str(session.directory))
        remark(
            "note: this device's process does not run, so that nobody is asked, and there is "
            "nothing to wait for. What this device may not sell by itself stays provisional until "
            f"`holdfast node run --data {data}` or `holdfast sync now --data {data}`."
        )
        return False
    cut = standing.get("state") == "paused"
    why = "sync is paused on this device" if cut else "the hub is out of reach"
    remark(
        f"note: {why}. What this device may not sell by itself stays provisional until whoever "
        "holds the place hears of it. "
        + ("Not waiting for that." if cut else f"Waiting for it, {seconds} s at the most.")
    )
    return not cut


def warn_if_shut_out(session: Session) -> None:
    """After a write: what is written on a device that was shut out reaches nobody."""
    standing = session.get("/sync")
    if not _is_hub(standing) and standing.get("reason") == SHUT_OUT:
        data = shlex.quote(str(session.directory))
        remark(
            "warning: the hub has shut this device out: this is written here and reaches nobody. "
            f"`holdfast sync status --data {data}` says what to do."
        )


def _is_hub(standing: dict[str, Any]) -> bool:
    return standing.get("hub") is None
