"""Who may do what to a hold while devices are apart (DESIGN §5.10).

Owns two questions, asked before anything is written. A hold can be used once. Its holder's word
makes one reservation of it, whoever asks; but what it is a hold *of* must not change under that
word. So only the device that placed it swaps it, one swap at a time, and nobody promises a place of
their own in exchange for one that may have been given to somebody else meanwhile. Decision 0019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model import lifecycle
from holdfast.model.claims import PENDING, READY, STANDBY
from holdfast.model.errors import BadTransition
from holdfast.model.forms import HOLD, made_as
from holdfast.model.reservation import View

if TYPE_CHECKING:
    from holdfast.node.service import Service


def require_swappable(replica: Service, view: View) -> None:
    """Whether this device may hold another place instead, of a hold that nobody has reserved.
    Raises BadTransition where another device placed it, or its place is not answered yet."""
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
    """Whether this device may reserve what is held, of a hold. Raises BadTransition where a swap of
    it is not answered, or another device placed it and nobody has answered that."""
    if not _is_open_hold(view):
        return
    if any(claim.state in (STANDBY, READY) for claim in view.claims):
        raise BadTransition(
            f"whether another place is held for {view.code} instead is not answered yet; reserve "
            "it then, or give it back and hold the place that is wanted",
            view.status,
        )
    if not view.live and (placed_by := _placed_by(replica, view)):
        raise BadTransition(
            f"{view.code} was asked for by {placed_by}, and is not answered yet: reserve it there, "
            "or hold a place of your own",
            view.status,
        )


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
