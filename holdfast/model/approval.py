"""Whether the house has to agree to what a guest reserved by themself (H-12, H-31).

Owns that rule. It is about words alone: the place is taken, decided and freed as without it, and
nothing here changes a claim. That a reservation needs the house's word stands in its making, by the
venue file that its writer knew, so that a later file changes nothing of what was said; that the
house agreed is a fact of its own, whichever of the two arrives first. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.model import lifecycle

if TYPE_CHECKING:
    from holdfast.model.venue import Venue

INSTANT: Final = "instant"
MANUAL: Final = "manual"
CONFIRMATIONS: Final = (INSTANT, MANUAL)
"""How a venue confirms what guests reserve by themselves: at once, or by the house's word."""
PENDING: Final = "pending"
APPROVED: Final = "approved"
STATES: Final = (PENDING, APPROVED)

_ASKED_OF: Final = lifecycle.OPEN_STATUSES | {lifecycle.INTENT, lifecycle.CHECKED_IN}
"""Statuses in which the house may still say something: of what is over nobody asks any more."""
_GUESTS: Final = "guest"


def is_needed(venue: Venue, kind: str, *, by_themself: bool) -> bool:
    """Whether a reservation of this kind waits for the house's word: one that a guest asks for
    beforehand, with nobody of the house between."""
    return venue.policies.confirmation == MANUAL and kind == _GUESTS and by_themself


def state(status: str, *, given: bool) -> str:
    """How it stands with the house's word, where one is needed: one of STATES, empty where nobody
    asks for it any more. `given`: somebody of the house said it, which stands whatever becomes of
    the reservation."""
    if given:
        return APPROVED
    return PENDING if status in _ASKED_OF else ""
