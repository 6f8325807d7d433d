"""The waitlist: who waits for a place on a day, and in which order.

Owns the line and the rule of whose turn it is; what is offered to whom stands in `next_in_line`. A
place in the line is a making without claims (`events.Form`); an offer gives it claims for some
minutes. Who was displaced by a merge stands before everybody (DESIGN §5.4). Pure: the views of a
day are arguments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from typing import Final, NamedTuple

from holdfast.model import lifecycle
from holdfast.model.claims import ENDED
from holdfast.model.forms import WAITLIST, made_as
from holdfast.model.ids import made_ms
from holdfast.model.limits import WAITING_PER_DEVICE_MAX, WAITLIST_DAYS
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


def line(views: Iterable[View], screens: Set[str] = frozenset()) -> list[Place]:
    """Everybody who waits, in the order of their turns: who was displaced, then the lowest
    `priority`, then who came first; equal on every replica that knows the same.

    `screens` names the devices at which guests ask by themselves: of what each of them wrote the
    first WAITING_PER_DEVICE_MAX count, so that one in bad hands leaves a line to the others.
    """
    waiting = [view for view in views if is_in_line(view)]
    waiting.sort(key=_turn)
    if screens:
        waiting = _less_crowded(waiting, screens)
    return [Place(view, number, state_of(view)) for number, view in enumerate(waiting, 1)]


def _less_crowded(waiting: list[View], screens: Set[str]) -> list[View]:
    found: list[View] = []
    of_device: Counter[str] = Counter()
    for view in waiting:
        if view.made_by in screens:
            of_device[view.made_by] += 1
            if of_device[view.made_by] > WAITING_PER_DEVICE_MAX:
                continue
        found.append(view)
    return found


def is_in_line(view: View) -> bool:
    """Whether somebody still waits: without a place, or with one that was only offered."""
    if view.status == lifecycle.COMMIT_FAILED:
        return made_as(view) != BLOCK
    return view.status == lifecycle.INTENT and is_waiting(view)


def _turn(view: View) -> tuple[int, int, int, bytes]:
    if view.status == lifecycle.COMMIT_FAILED or view.form is None:
        return 0, 0, _came_ms(view), view.id
    return 1, view.form.priority, _came_ms(view), view.id


def _came_ms(view: View) -> int:
    """When somebody came, Unix milliseconds: as the entry says, and not before its id was made."""
    return max(view.made_at_ms, made_ms(view.id) or 0)


def waits_until_ms(view: View) -> int:
    """When somebody's wait is over, Unix milliseconds: as its making says, and WAITLIST_DAYS after
    they came at the latest."""
    assert view.form is not None
    return min(view.form.expires_at_ms, _came_ms(view) + WAITLIST_DAYS * 86_400_000)


def lapsed_offers(view: View) -> int:
    """How often an offer to somebody was not taken: who let one go by waits behind the others."""
    return len({claim.id.operation for claim in view.claims if claim.state == ENDED})
