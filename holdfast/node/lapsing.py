"""What lapses by the clock: holds, offers, and places on the waitlist whose time is over.

Owns the plan (which of them are due, pure) and the act. A hold and an offer lapse only by an entry
of who holds their claims; `expires_at` is data (DESIGN §5.10). What nobody holds a place for, who
made it ends, or the hub. Both may run as often as one likes: what has lapsed is not due again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.model import waitlist
from holdfast.model.claims import ClaimView
from holdfast.model.events import ClaimEnded, ReservationExpired
from holdfast.model.limits import CLAIMS_PER_ENTRY_MAX, HOLD_GRACE_MS
from holdfast.model.reservation import View
from holdfast.node import recording, selling

if TYPE_CHECKING:
    from holdfast.node.service import Service

LAPSED: Final = "lapsed"


class Due(NamedTuple):
    """Something that is to lapse now: the whole of it, or only what was offered to it."""

    view: View
    whole: bool


def plan(
    views: Iterable[View],
    now_ms: int,
    holds: Callable[[View, ClaimView], bool],
    answers: Callable[[View], bool],
) -> list[Due]:
    """What is due of the views that nobody has reserved. `holds`: whether a claim is this
    replica's to end; `answers`: whether this replica ends what nobody holds a place for."""
    found = []
    for view in views:
        over = waitlist.is_waiting(view) and now_ms >= waitlist.waits_until_ms(view)
        held = view.occupying
        if held:
            if now_ms < view.expires_at_ms + HOLD_GRACE_MS * any(one.decided for one in held):
                continue
            # Of places that came to have two holders either lets the whole lapse.
            if any(holds(view, claim) for claim in held):
                found.append(Due(view, over or not waitlist.is_waiting(view)))
        elif answers(view) and (over or now_ms >= view.expires_at_ms):
            # Also what was asked for and never decided: whoever asked does not wait any more.
            found.append(Due(view, over or not waitlist.is_waiting(view)))
    return [one for one in found if one.whole or one.view.occupying]


def due(replica: Service, name: str) -> list[Due]:
    """What this replica would let lapse in a book now, as far as it is written."""
    if not replica.may_confirm(name):
        return []
    planned = plan(
        replica.store.projections.held(name),
        replica.clock.now_ms(),
        lambda view, claim: selling.holds(replica, name, claim),
        lambda view: _is_own(replica, view),
    )
    # What has no room for another entry must not keep the rest from lapsing.
    return [one for one in planned if replica.has_room(name, one.view.id)]


def lapse(replica: Service, name: str) -> int:
    """Let lapse what is due in a book. Returns how many did."""
    if not replica.may_confirm(name):
        return 0
    with replica.transaction():
        replica.write_projections()
        lapsed = due(replica, name)
        for view, whole in lapsed:
            held = [claim for claim in view.occupying if selling.holds(replica, name, claim)]
            if whole:
                ends = selling.own_ends(replica, view, [*view.occupying, *view.pending])
                recording.write(replica, view, ReservationExpired(), ends=ends)
            elif replica.may_decide(name):
                named = tuple(claim.id for claim in held[:CLAIMS_PER_ENTRY_MAX])
                replica.append(name, ClaimEnded(LAPSED), subject=view.id, ends=named)
    return len(lapsed)


def lapse_all(replica: Service) -> int:
    """Let lapse what is due in any book. Returns how many did."""
    with replica.lock:
        names = list(replica.books)
    return sum(lapse(replica, name) for name in names)


def _is_own(replica: Service, view: View) -> bool:
    if replica.role == "hub":
        return True
    record = replica.record(view.id, view.book)
    lives = (replica.identity.incarnation, *replica.identity.succeeds)
    return record is not None and any(
        seen.operation == view.making and seen.node in lives for seen in record.seen
    )
