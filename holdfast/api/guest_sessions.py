"""Guests who have no token: who may become one by opening the guests' page, and what they are then.

Owns the two switches that are asked, the device's (`guest_page`) and the venue's (`accepting`), and
the agent id that such a guest is known by. The session itself is made in `sessions`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from holdfast.api.callers import Caller, permissions_of
from holdfast.api.sessions import GUEST
from holdfast.model.errors import Forbidden
from holdfast.model.pseudonyms import AGENT_BYTES, walk_in_agent_id

if TYPE_CHECKING:
    from holdfast.api.face import Replica

_ROLE: Final = "guest"


class Guests:
    """The guests of one replica. Nothing is kept of them here: a guest is an agent id, which their
    sessions name and their reservations stand under."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def standing(self, agent_id: str) -> Caller | None:
        """Whom a guest's session stands for: nobody while the device's switch is off."""
        if not self._open:
            return None
        return Caller(
            f"guest {agent_id}", _ROLE, _ROLE, _ROLE, permissions_of(_ROLE), agent_id=agent_id,
            origin=(GUEST, agent_id),
        )  # fmt: skip

    def newcomer(self, venue: str | None) -> tuple[str, str]:
        """Whom the session of a new guest is of: an agent id of random bits, which says nothing of
        anybody. Raises Forbidden where one of the switches is off (the venues', where none is
        named: all of them), NotFound for no venue."""
        if not self._open:
            raise Forbidden(
                "guests do not reserve here by themselves; whoever runs this device lets them with "
                '`guest_page = "on"` in its config.toml and a restart'
            )
        asked = [venue] if venue is not None else self._replica.venue_ids()
        known = [self._replica.venue(one).venue for one in asked]
        if not any(one.accepting and one.active for one in known):
            names = ", ".join(one.name for one in known) or "This device"
            raise Forbidden(f"{names}: no reservations online at present; please call or come by")
        return GUEST, walk_in_agent_id(os.urandom(AGENT_BYTES))

    @property
    def _open(self) -> bool:
        return self._replica.settings.guest_page == "on"
