"""Reserving and expiring what was never held, by a device that was taken over."""

from __future__ import annotations

import pytest

from holdfast.model.entries import Claim
from holdfast.model.errors import RoleForbidden
from holdfast.model.events import (
    Event,
    ReservationAmended,
    ReservationCancelled,
    ReservationExpired,
    ReservationMoved,
    ReservationReserved,
)
from holdfast.model.reservation import View
from holdfast.node import blocks
from holdfast.node.requests import BlockRequest, PatchRequest
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


# --- what is out of use ---------------------------------------------------------------------------


@pytest.fixture
def repair(town: Town) -> View:
    """T4 is out of use for two hours, by the desk's word."""
    (made,) = blocks.block(
        town.desk,
        BlockRequest(
            venue="trattoria", kind="maintenance", reason="broken", resources=["T4"],
            starts_at="2027-06-05T10:00", ends_at="2027-06-05T12:00",
        ),
    )  # fmt: skip
    town.fleet.sync_all()
    return town.now(made)


@pytest.mark.parametrize(
    "event", [ReservationCancelled("other", "venue"), ReservationAmended({"occasion": "date"})]
)
def test_a_kiosk_puts_nothing_back_into_use_and_changes_nothing_of_it(
    town: Town, repair: View, event: Event
) -> None:
    (had,) = repair.live
    town.attacker.write(
        entry(event, subject=repair.id, follows=repair.leaves, ends=(had.id,)),
    )
    town.fleet.sync_all()
    now = town.now(repair)
    assert (now.status, now.live, now.occasion) == ("confirmed", [had], "")
    # The desk is not kept from it by what does not count.
    blocks.unblock(town.desk, repair.code)
    town.fleet.sync_all()
    assert (town.now(repair).status, town.now(repair).live) == ("cancelled", [])
    town.assert_alive()


def test_a_kiosk_takes_nothing_out_of_use_at_another_time(town: Town, repair: View) -> None:
    (had,) = repair.live
    later = Claim(had.resource, had.start + 5 * 86_400, had.end + 5 * 86_400, 1, replaces=had.id)
    town.attacker.write(
        entry(
            ReservationMoved({}), subject=repair.id, follows=repair.leaves, claims=(later,),
            ends=(had.id,),
        )
    )  # fmt: skip
    town.fleet.sync_all(6)
    assert [(one.start, one.state) for one in town.now(repair).claims] == [(had.start, had.state)]
    town.assert_alive()


def test_an_honest_kiosk_is_told_so(town: Town, repair: View) -> None:
    kiosk = town.fleet.join("door", "kiosk")
    town.fleet.sync_all()
    with pytest.raises(RoleForbidden, match="nor puts it back"):
        kiosk.reservations.cancel(repair.code, late=True)
    with pytest.raises(RoleForbidden):
        kiosk.reservations.amend(repair.code, PatchRequest(occasion="date"))
