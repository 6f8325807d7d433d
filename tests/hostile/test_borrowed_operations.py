"""A device that decides, in a reservation of its own, an operation that is another reservation's.

It holds T4 and may decide what is asked of T4; whose operation it names is nobody's to know from
that entry. Whatever it names, nothing of the other reservation is hidden, freed or held up by it.
"""

from __future__ import annotations

import pytest

from holdfast.model.events import ClaimDecided, ClaimEnded, RightReturned
from holdfast.model.reservation import View
from holdfast.model.rights import Held
from tests.hostile.builders import EVENING, Town, claim, created, entry
from tests.kit import START_MS

EARLY = (START_MS << 16) - 9


@pytest.fixture
def right(town: Town) -> Held:
    (held,) = town.hub.granting.grant("trattoria", "kiosk", ["T4"])
    town.fleet.sync_all()
    return held


def borrowing(right: Held, operation: bytes, subject: bytes) -> bytes:
    """A decision of an operation, from the right to T4, that stands in another reservation."""
    place = claim("T4", right=right.right.id)
    return entry(ClaimDecided(operation, "admitted", "free"), subject=subject, claims=(place,))


def sold_by_the_desk(town: Town) -> View:
    town.hub.granting.grant("trattoria", "desk", ["T1"])
    town.fleet.sync_all()
    sold = town.fleet.reserve(town.desk, "2027-06-04T19:30", ["T1"])
    town.fleet.sync_all()
    return sold


def test_a_place_that_was_sold_is_not_hidden_from_who_decides(town: Town, right: Held) -> None:
    sold = town.fleet.reserve(town.hub, "2027-06-04T19:30", ["T1"])
    place = sold.live[0]
    town.fleet.sync_all()
    town.fleet.reopen("hub")
    town.hub = town.fleet.the_hub
    wish, other = town.attacker.new_id(), town.attacker.new_id()
    asked = (claim("T1", start=place.start, end=place.end),)
    town.attacker.write(
        entry(created(code="RES-2027-WWWWWW"), subject=wish, claims=asked, stamp=EARLY),
        entry(created(code="RES-2027-XXXXXX"), subject=other, claims=asked),
        borrowing(right, place.id.operation, other),
    )
    town.fleet.sync(town.desk)
    lost = town.hub.view(wish)
    assert lost is not None and lost.status == "commit_failed"
    assert town.now(sold).status == "confirmed"
    town.assert_alive()


def test_two_claims_of_one_name_count_twice(town: Town, right: Held) -> None:
    first, second = town.attacker.new_id(), town.attacker.new_id()
    own = entry(
        created(code="RES-2027-YYYYYY"), subject=first, claims=(claim("T4", right=right.right.id),)
    )
    town.attacker.write(own)
    view = town.hub.view(first)
    assert view is not None
    town.attacker.write(
        entry(created(code="RES-2027-XXXXXX"), subject=second),
        borrowing(right, view.live[0].id.operation, second),
    )
    ended = town.hub.rights(town.book).ended(right.right.id)
    assert ended is not None and ended.reason == "oversold"
    town.assert_alive()


def test_a_wish_of_another_is_answered_all_the_same(town: Town, right: Held) -> None:
    town.hub.granting.grant("trattoria", "desk", ["T2"])
    town.fleet.sync_all()
    wish = town.fleet.reserve(town.hub, "2027-06-04T19:30", ["T2"])
    other = town.attacker.new_id()
    town.attacker.write(
        entry(created(code="RES-2027-XXXXXX"), subject=other),
        borrowing(right, wish.pending[0].id.operation, other),
    )
    town.fleet.sync(town.desk, town.desk)
    assert town.now(wish).status == "confirmed"
    town.assert_alive()


def test_a_right_that_comes_back_makes_nobody_the_holder_of_anothers_claim(
    town: Town, right: Held
) -> None:
    sold = sold_by_the_desk(town)
    other = town.attacker.new_id()
    town.attacker.write(
        entry(created(code="RES-2027-XXXXXX"), subject=other),
        borrowing(right, sold.live[0].id.operation, other),
        entry(RightReturned((right.right.id,), 0)),
    )
    (again,) = town.hub.granting.grant("trattoria", "kiosk", ["T4"])
    assert again.start <= EVENING
    town.attacker.write(entry(ClaimEnded("cancelled"), subject=sold.id, ends=(sold.live[0].id,)))
    town.fleet.sync(town.desk)
    assert town.now(sold).status == "confirmed"
    assert town.now(sold).live
    town.assert_alive()
