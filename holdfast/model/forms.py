"""What was made as something else than a reservation, and what it is now.

Owns the one question by which lists, streams and faces tell holds, places on the waitlist, blocks
and reservations apart. Pure.
"""

from __future__ import annotations

from typing import Final

from holdfast.model import lifecycle
from holdfast.model.reservation import BLOCK, View

HOLD: Final = "hold"
WAITLIST: Final = "waitlist"

_UNRESERVED: Final = (lifecycle.INTENT, lifecycle.EXPIRED, lifecycle.CANCELLED)


def form_now(view: View) -> str:
    """`hold`, `waitlist` or `block`; empty: a reservation.

    A hold and a place on the waitlist are reservations from the moment on that somebody reserved
    them. What lapsed or was given back before never was one.
    """
    if view.form is None:
        return ""
    if view.form.form == BLOCK or (view.status in _UNRESERVED and not view.reserving):
        return view.form.form
    return ""


def made_as(view: View) -> str:
    """What it was made as, whatever became of it."""
    return view.form.form if view.form is not None else ""
