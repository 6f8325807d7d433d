"""Who calls: a name, a role, and how far it reaches.

Owns the narrowing of a role to some permissions, to some venues, and to one guest. Every question
whether somebody may do or see something is asked here, whatever the caller came by.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from holdfast.api.permissions import IMPLIED, PERMISSIONS
from holdfast.api.rates import BOOKING_ROLES
from holdfast.model.errors import Forbidden
from holdfast.model.reservation import View

NOBODY: frozenset[str] = frozenset()


class Caller(NamedTuple):
    """Who sent a request.

    `token` is what idempotency keys and rate limits go by, and `label` what the log says: never a
    person's name. `venues` empty: every venue. `agent_id` is set for role `guest` alone. `session`
    is the hash of the session that it came by, empty for a bearer token; `origin` is whose rights
    it has: a kind, and which one of it. `by` is the agent id of whoever does what they ask for;
    empty: nobody but the device.
    """

    token: str
    label: str
    name: str
    role: str
    permissions: frozenset[str]
    venues: frozenset[str] = NOBODY
    agent_id: str = ""
    session: bytes = b""
    origin: tuple[str, str] = ("", "")
    by: str = ""

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    @property
    def by_guest(self) -> bool:
        """Whether people ask by themselves with this token, and nobody of the house for them."""
        return self.role in BOOKING_ROLES

    @property
    def told_whose(self) -> bool:
        """Whether it may know whose a reservation is."""
        return self.may("reservations.read")

    @property
    def told_of_others(self) -> bool:
        """Whether it may know which other reservations stand in the way of one: an id is all that
        it takes to find one at a kiosk, and to call it off. Nor is anybody else told which devices
        the house has, and in whose books it is."""
        return self.told_whose and self.role != "guest"

    @property
    def told_who_is_known(self) -> bool:
        """Whether it may know which guest has a number or an address, and what the house knows of
        them: staff alone."""
        return self.may("guests.profile") and self.may("guests.find")

    @property
    def told_who_did(self) -> bool:
        """Whether it may know who of the house did something: who reads the audit, and staff."""
        return self.may("audit.read") or self.may("guests.find")

    # --- venues -----------------------------------------------------------------------------------

    def sees(self, venue: str) -> bool:
        """Whether anything of a venue is this caller's business."""
        return not self.venues or venue in self.venues

    def require(self, venue: str) -> None:
        """Raises Forbidden for another venue, whether there is one of that name or not."""
        if not self.sees(venue):
            raise Forbidden(f"this token is for {self._venues()}; ask there, or with another token")

    def limited_to(self) -> list[str] | None:
        """The venues whose rows it sees; None: all."""
        return sorted(self.venues) or None

    def _venues(self) -> str:
        return ", ".join(sorted(self.venues))

    # --- reservations -----------------------------------------------------------------------------

    def knows(self, view: View) -> bool:
        """Whether a reservation is this caller's business: that it exists is nobody else's."""
        if self.role == "guest" and view.agent_id != self.agent_id:
            return False
        return self.sees(view.book.partition("/")[2])


def permissions_of(role: str, narrowed: Iterable[str] = ()) -> frozenset[str]:
    """The permissions of a role, or those of them that are named. An unknown role has none."""
    whole = PERMISSIONS.get(role, NOBODY)
    left = frozenset(narrowed)
    left |= {IMPLIED[one] for one in left if one in IMPLIED}
    return whole & left if narrowed else whole
