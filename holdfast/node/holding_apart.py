"""Who may do what to a hold, or to an offer, while devices are apart (DESIGN §5.10, decision 0019).

Owns these questions, asked before anything is written. A hold can be used once, so it has homes:
the device that placed it, and the one that has its place to give, whose word makes one reservation
of it. What it is a hold *of* must not change under that word: only who placed it swaps it, one swap
at a time, nobody promises a place of their own in exchange for one that may be another's by now,
and its place does not change hands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.model import lifecycle
from holdfast.model.claims import PENDING, READY, STANDBY
from holdfast.model.errors import BadTransition
from holdfast.model.forms import HOLD, WAITLIST, made_as
from holdfast.model.reservation import View
from holdfast.model.waitlist import is_waiting
from holdfast.node import selling

if TYPE_CHECKING:
    from holdfast.node.service import Service


class Kept(NamedTuple):
    """A place that is held for somebody, from when to when in epoch seconds."""

    start: int
    end: int
    code: str


def require_swappable(replica: Service, view: View) -> None:
    """Whether this device may hold another place instead, of a hold that nobody has reserved.
    Raises BadTransition where another device placed it, or its place is not answered yet; and of
    who waits, while something is offered to them."""
    if view.status != lifecycle.INTENT:
        return
    if is_waiting(view) and (view.occupying or view.pending):
        raise BadTransition(
            f"{view.code} waits, and has an offer: another place can be offered when it has lapsed",
            view.status,
        )
    if not _is_open_hold(view):
        return
    placed_by = _placed_by(replica, view)
    if placed_by:
        raise BadTransition(
            f"{view.code} is held by {placed_by}, which alone may swap its place; reserve it as it "
            "is, or give it back and hold another place",
            view.status,
        )
    if any(claim.state in (PENDING, STANDBY, READY) for claim in view.claims):
        raise BadTransition(
            f"whether the place of {view.code} is held is not answered yet; swap it then, or give "
            "it back and hold another place",
            view.status,
        )


def require_reservable(replica: Service, view: View) -> None:
    """Whether this device may reserve what is held, of a hold: it placed it, or has all of its
    place to give, and no swap waits for an answer. Raises BadTransition."""
    if not _is_open_hold(view):
        return
    if any(claim.state in (STANDBY, READY) for claim in view.claims):
        raise BadTransition(
            f"whether another place is held for {view.code} instead is not answered yet; reserve "
            "it then, or give it back and hold the place that is wanted",
            view.status,
        )
    own = bool(view.live) and all(selling.holds(replica, view.book, one) for one in view.live)
    if not own and (placed_by := _placed_by(replica, view)):
        raise BadTransition(
            f"{view.code} is held by {placed_by}: reserve it there, or where the place is to give; "
            "or give it back and reserve the place here",
            view.status,
        )


def kept_places(replica: Service, book: str) -> dict[str, list[Kept]]:
    """What is held for somebody, or offered to them, and not reserved yet, by resource. Whoever can
    make a reservation of it must have its place to give: it neither changes hands with a grant
    meanwhile, nor is cut in two by a release. Call inside `transaction`."""
    replica.write_projections()
    found: dict[str, list[Kept]] = {}
    for form in (HOLD, WAITLIST):
        for view in replica.store.projections.select(
            book=book, form=form, status=lifecycle.INTENT, limit=-1
        ):
            for claim in view.live:
                kept = Kept(claim.start, claim.end, view.code)
                found.setdefault(claim.resource, []).append(kept)
    return found


def _is_open_hold(view: View) -> bool:
    return made_as(view) == HOLD and view.status == lifecycle.INTENT


def _placed_by(replica: Service, view: View) -> str:
    """The device that placed a hold; empty where it is this one, in whichever of its lives."""
    record = replica.record(view.id, view.book)
    assert record is not None
    lives = (replica.identity.incarnation, *replica.identity.succeeds)
    made = [seen for seen in record.seen if seen.operation == view.making]
    if any(one.holder if replica.role == "hub" else one.node in lives for one in made):
        return ""
    return made[0].author if made else "another device"
