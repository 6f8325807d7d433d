"""Whose word makes a reservation of what was held or offered, and whose it is then."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from holdfast.model.claims import ENDED, LIVE
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    ClaimDecided,
    ClaimEnded,
    Form,
    ReservationCreated,
    ReservationMoved,
    ReservationReserved,
    RightGranted,
)
from holdfast.model.reservation import fold
from holdfast.model.rights import Rights
from tests.model.test_words_of_holders import DESK, HUB, ID, KIOSK, OWN, written

HUBS: Final = (Claim("T1", 100, 200, right=HUB_RIGHT),)
MADE: Final = written(
    5,
    ReservationCreated(
        "agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03",
        form=Form("waitlist", 10**14, 100, 200),
    ),
    HUB,
)  # fmt: skip
OFFERED: Final = written(
    6, ReservationMoved({"expires_at_ms": 10**14}), HUB, HUBS, follows=(MADE.operation,)
)
TAKEN: Final = written(
    9, ReservationReserved(), HUB, HUBS, (ClaimId(OFFERED.operation, 0),), (OFFERED.operation,)
)


@pytest.mark.parametrize("stamp", [4, 7])
def test_nobody_takes_an_accepted_place_by_a_stamp_from_before(stamp: int) -> None:
    """The kiosk puts a table of its own in the place of the hub's, and may end it when it likes."""
    rights = Rights()
    rights.granted(OWN, 1, RightGranted(KIOSK, ("T2",), 1, 0, 1000))
    own = (Claim("T2", 100, 200, right=OWN),)
    lie = written(stamp, ReservationReserved(), KIOSK, own, follows=(MADE.operation,))
    told = fold(ID, [MADE, OFFERED, TAKEN], rights)
    assert (told.status, told.live[0].resource) == ("confirmed", "T1")
    view = fold(ID, [MADE, OFFERED, TAKEN, lie], rights)
    assert [claim.resource for claim in view.live] == ["T1"]


def test_who_was_given_another_place_has_it_though_somebody_else_reserved_the_same_hold() -> None:
    """Ann was refused what was held, and then given another table; Ben's wish for the same hold,
    which nobody has answered, comes after that."""
    wish = Claim("T1", 100, 200)
    held = written(
        5,
        ReservationCreated(
            "", 2, "RES-2027-BBBBBB", "2027-06-03", form=Form("hold", 10**14)
        ),
        DESK, (wish,),
    )  # fmt: skip
    first = ClaimId(held.operation, 0)
    again = msgspec.structs.replace(wish, replaces=first)
    ann, ben = ("agent_" + letter * 32 for letter in "ab")
    by_ann = written(6, ReservationReserved({"agent_id": ann}), HUB, (again,),
                     follows=(held.operation,))  # fmt: skip
    by_ben = written(7, ReservationReserved({"agent_id": ben}), KIOSK, (again,),
                     follows=(held.operation,))  # fmt: skip
    refused = written(8, ClaimDecided(by_ann.operation, "displaced", "taken"), HUB)
    moved = written(9, ReservationMoved({}), HUB, (Claim("T4", 100, 200, right=HUB_RIGHT),),
                    follows=(by_ann.operation,))  # fmt: skip
    view = fold(ID, [held, by_ann, by_ben, refused, moved])
    assert (view.agent_id, [claim.resource for claim in view.live]) == (ann, ["T4"])
    # Before she was given one, Ben may yet be.
    assert fold(ID, [held, by_ann, by_ben, refused]).agent_id == ben


def test_what_a_reserving_took_the_place_of_was_had_whatever_the_clocks_say() -> None:
    """Seed 189: whose clock is an hour ahead holds a table of the desk's, which grants and reserves
    it. By the stamps the reserving is older than the hold; it did not stand before it all the same,
    and the next who reserves that hold comes too late."""
    rights = Rights()
    rights.granted(OWN, 1, RightGranted(DESK, ("T2",), 1, 0, 1000))
    making = ReservationCreated("", 2, "RES-2027-CCCCCC", "2027-06-03", form=Form("hold", 10**14))
    held = written(90, making, KIOSK, (Claim("T2", 100, 200, asks=DESK),))
    first = ClaimId(held.operation, 0)
    sold = (Claim("T2", 100, 200, right=OWN),)
    granted = written(5, ClaimDecided(held.operation, "admitted", "free"), DESK, sold)
    taken = written(6, ReservationReserved(), DESK, sold, (first,), (held.operation,))
    view = fold(ID, [held, granted, taken], rights)
    states = {claim.id: claim.state for claim in view.claims}
    assert (states[first], states[ClaimId(taken.operation, 0)]) == (ENDED, LIVE)


def test_who_was_given_another_place_has_it_though_their_wish_for_it_is_not_known() -> None:
    """Seed 117154: a copied device is not told what bears its own name, and hears of the move by
    the hub's word alone."""
    moved = written(10, ReservationMoved({}), DESK, (Claim("T3", 100, 200),),
                    follows=(TAKEN.operation,))  # fmt: skip
    given = (Claim("T3", 100, 200, right=HUB_RIGHT),)
    word = written(11, ClaimDecided(moved.operation, "admitted", "free"), HUB, given,
                   (ClaimId(TAKEN.operation, 0),))  # fmt: skip
    view = fold(ID, [MADE, OFFERED, TAKEN, word])
    assert (view.status, view.assurance) == ("confirmed", "admitted")
    assert [claim.resource for claim in view.live] == ["T3"]
    # What is given beside it, and ends nothing of it, is no answer to who reserved.
    beside = written(11, ClaimDecided(moved.operation, "admitted", "free"), HUB, given)
    ended = written(12, ClaimEnded("released"), HUB, (), (ClaimId(TAKEN.operation, 0),))
    assert fold(ID, [MADE, OFFERED, TAKEN, beside, ended]).status == "commit_failed"
