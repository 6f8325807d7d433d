"""Reserving and expiring what was never held, by a device that was taken over."""

from __future__ import annotations

import pytest

from holdfast.model.entries import Claim
from holdfast.model.events import Event, ReservationExpired, ReservationReserved
from tests.hostile.builders import AGENT, Town, entry


@pytest.mark.parametrize("event", [ReservationReserved({"agent_id": AGENT}), ReservationExpired()])
@pytest.mark.parametrize("asks", [True, False])
def test_what_is_confirmed_is_neither_reserved_again_nor_expires(
    town: Town, event: Event, asks: bool
) -> None:
    before = town.now(town.sold)
    (had,) = before.live
    asked = (Claim(had.resource, had.start, had.end + 60, 1, replaces=had.id),) if asks else ()
    town.attacker.write(
        entry(event, subject=town.sold.id, follows=before.leaves, claims=asked, ends=(had.id,))
    )
    now = town.now(town.sold)
    assert (now.status, now.agent_id, now.assurance) == ("confirmed", before.agent_id, "admitted")
    town.assert_alive()
