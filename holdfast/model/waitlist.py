"""The waitlist: who waits for a place on a day, and in which order.

Owns the line and the rule of whose turn it is; what is offered to whom stands in `next_in_line`. A
place in the line is a making without claims (`events.Form`); an offer gives it claims for some
minutes. Who was displaced by a merge stands before everybody (DESIGN §5.4). Pure: the views of a
day are arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from holdfast.model import lifecycle
from holdfast.model.claims import ENDED
from holdfast.model.forms import WAITLIST, made_as
from holdfast.model.reservation import BLOCK, View

WAITING: Final = "waiting"
OFFERED: Final = "offered"
ACCEPTED: Final = "accepted"
REMOVED: Final = "removed"
EXPIRED: Final = "expired"
DISPLACED: Final = "displaced"
STATES: Final = (WAITING, OFFERED, ACCEPTED, REMOVED, EXPIRED, DISPLACED)


class Place(NamedTuple):
    """A place in the line, from 1 on; 0 for who is not in it any more."""

    view: View
    position: int
    state: str


def is_waiting(view: View) -> bool:
    """Whether a reservation was made as a place on the waitlist."""
    return made_as(view) == WAITLIST


def state_of(view: View) -> str:
    """What became of somebody who waits, or was displaced."""
    if view.status == lifecycle.INTENT:
        return OFFERED if view.occupying or view.pending else WAITING
    if view.status == lifecycle.EXPIRED:
        return EXPIRED
    if view.status == lifecycle.CANCELLED:
        return REMOVED
    if view.status == lifecycle.COMMIT_FAILED:
        return DISPLACED
    return ACCEPTED


def line(views: Iterable[View]) -> list[Place]:
    """Everybody who waits, in the order of their turns: who was displaced, then the lowest
    `priority`, then who came first; equal on every replica that knows the same.
    """
    waiting = [view for view in views if is_in_line(view)]
    waiting.sort(key=_turn)
    return [Place(view, number, state_of(view)) for number, view in enumerate(waiting, 1)]


def is_in_line(view: View) -> bool:
    """Whether somebody still waits: without a place, or with one that was only offered."""
    if view.status == lifecycle.COMMIT_FAILED:
        return made_as(view) != BLOCK
    return view.status == lifecycle.INTENT and is_waiting(view)


def _turn(view: View) -> tuple[int, int, int, bytes]:
    if view.status == lifecycle.COMMIT_FAILED or view.form is None:
        return 0, 0, view.made_at_ms, view.id
    return 1, view.form.priority, view.made_at_ms, view.id


def lapsed_offers(view: View) -> int:
    """How often an offer to somebody was not taken: who let one go by waits behind the others."""
    return len({claim.id.operation for claim in view.claims if claim.state == ENDED})
