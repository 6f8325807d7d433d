"""What a right covers where: from the entries alone, whatever the order in which they came."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.entries import Claim, ClaimId
from holdfast.model.events import RightGranted, RightReturned, RightRevoked
from holdfast.model.rights import FOREVER, HUB, Rights

DESK, NEXT, KIOSK = b"D" * 16, b"N" * 16, b"K" * 16
RIGHT, OTHER = b"r" * 16, b"o" * 16
DAY = 1_000_000


class Close(NamedTuple):
    entries: int


def grant(**changes: object) -> RightGranted:
    fields = {"holder": DESK, "resources": ("T1", "T2"), "quantity": 2, "start": 0, "end": FOREVER}
    return RightGranted(**{**fields, **changes})  # type: ignore[arg-type]


def granted(**changes: object) -> Rights:
    rights = Rights()
    rights.granted(RIGHT, 1, grant(**changes))
    return rights


def claim(start: int = DAY, end: int = DAY + 100, resource: str = "T1", quantity: int = 1) -> Claim:
    return Claim(resource, start, end, quantity)


@pytest.mark.parametrize(
    ("wanted", "node", "expected"),
    [
        (claim(), DESK, True),
        (claim(), KIOSK, False),
        (claim(resource="T3"), DESK, False),
        (claim(quantity=3), DESK, False),
        (claim(start=DAY - 1), DESK, False),
        (claim(end=2 * DAY + 1), DESK, False),
        (claim(start=DAY, end=2 * DAY), DESK, True),
    ],
    ids=str,
)
def test_a_right_covers_its_resources_in_its_quantity_at_its_instants(
    wanted: Claim, node: bytes, expected: bool
) -> None:
    rights = granted(start=DAY, end=2 * DAY)
    assert rights.covers(RIGHT, node, 5, wanted) is expected


def test_a_right_that_nobody_granted_yet_is_not_known_and_not_refused() -> None:
    assert Rights().covers(RIGHT, DESK, 5, claim()) is None


def test_nothing_is_sold_behind_a_return_a_revoked_head_or_a_closed_one() -> None:
    returned = granted()
    returned.returned(DESK, 5, 1, OTHER, RightReturned((RIGHT,)))
    revoked = granted()
    revoked.revoked(1, OTHER, RightRevoked(RIGHT, DESK, 4, bytes(32)))
    closed = Rights({DESK: Close(4)})
    closed.granted(RIGHT, 1, grant())
    shut = granted()
    shut.shut_out(DESK, 4, 1)
    for rights in (returned, revoked, closed, shut):
        assert [rights.covers(RIGHT, DESK, n, claim()) for n in (3, 4, 6)] == [True, True, False]
        assert rights.now(RIGHT) is None
        assert rights.holder(ClaimId(b"c" * 16, 0), RIGHT, DAY) == HUB


def test_what_a_device_ended_before_a_grant_is_not_ended_by_it() -> None:
    """It had lost an earlier right unawares and moved somebody away, whom the hub kept; the place
    is handed back to it with the guest in it."""
    one = ClaimId(b"c" * 16, 0)
    rights = granted(since=5, handed=((b"v" * 16, one.operation, one.index),))
    assert not rights.held(DESK, 5, one, b"", DAY)
    assert rights.held(DESK, 6, one, b"", DAY)


def test_another_devices_return_gives_nothing_back() -> None:
    rights = granted()
    rights.returned(KIOSK, 1, 1, OTHER, RightReturned((RIGHT,)))
    assert rights.covers(RIGHT, DESK, 9, claim())
    assert rights.now(RIGHT) is not None


def test_what_was_handed_over_counts_against_the_newest_right_that_is_in_force() -> None:
    one = ClaimId(b"c" * 16, 0)
    rights = granted(handed=((b"v" * 16, one.operation, one.index),))
    account = rights.account(one, b"", DAY)
    assert account is not None and account.right.id == RIGHT
    assert rights.holder(one, b"", DAY) == DESK
    assert rights.held(DESK, 9, one, b"", DAY)
    assert not rights.held(KIOSK, 9, one, b"", DAY)
    rights.returned(DESK, 10, 1, OTHER, RightReturned((RIGHT,)))
    assert rights.account(one, b"", DAY) is None
    assert rights.held(DESK, 9, one, b"", DAY), (
        "what it ended before it gave the right back is ended"
    )


def test_a_chain_that_ends_on_purpose_passes_its_rights_on() -> None:
    rights = granted()
    rights.returned(DESK, 4, 1, OTHER, RightReturned((RIGHT,), DAY))
    rights.succeeded(DESK, 5, NEXT)
    held = rights.now(RIGHT)
    assert held is not None and (held.holder, held.start) == (NEXT, DAY)
    assert rights.covers(RIGHT, NEXT, 1, claim())
    assert not rights.covers(RIGHT, NEXT, 1, claim(start=DAY - 1)), "given back by the life before"


def test_a_life_that_was_shut_out_passes_nothing_on_behind_that_head() -> None:
    rights = granted()
    rights.succeeded(DESK, 5, NEXT)
    assert rights.covers(RIGHT, NEXT, 1, claim())
    rights.shut_out(DESK, 4, 1)
    assert not rights.covers(RIGHT, NEXT, 1, claim())
    assert rights.now(RIGHT) is None


def test_what_was_released_and_granted_again_counts_against_the_right_that_has_it() -> None:
    one = ClaimId(b"c" * 16, 0)
    rights = granted(handed=((b"v" * 16, one.operation, one.index),))
    rights.returned(DESK, 5, 1, b"e" * 16, RightReturned((RIGHT,), 2 * DAY))
    assert rights.account(one, b"", DAY) is None, "its instants went back to the hub"
    again = grant(holder=KIOSK, end=2 * DAY, handed=((b"v" * 16, one.operation, one.index),))
    rights.granted(OTHER, 2, again)
    account = rights.account(one, b"", DAY)
    assert account is not None and account.right.id == OTHER


def test_whoever_is_asked_answers_while_it_has_the_right_to_all_of_it() -> None:
    rights = granted(resources=("T1",))
    rights.granted(OTHER, 2, grant(holder=KIOSK, resources=("T2",)))
    t1, t2 = claim(), claim(resource="T2")
    assert rights.answering([(DESK, t1)]) == DESK
    assert rights.answering([(KIOSK, t1)]) == HUB, "the kiosk has no right to T1"
    assert rights.answering([(DESK, t1), (KIOSK, t2)]) == HUB, "nobody has both"
    rights.returned(DESK, 5, 1, b"e" * 16, RightReturned((RIGHT,)))
    assert rights.answering([(DESK, t1)]) == HUB


def test_who_holds_less_than_is_asked_for_has_no_answer_and_the_hub_gives_it() -> None:
    """A device's word counts for what it has the right to: it would decide in vain for ever."""
    rights = granted(quantity=2)
    assert rights.answering([(DESK, claim(quantity=2))]) == DESK
    assert rights.answering([(DESK, claim(quantity=3))]) == HUB
    assert not rights.answers_by(DESK, claim(quantity=3))


RETURNS = st.lists(
    st.tuples(st.integers(2, 40), st.integers(0, 5).map(lambda hour: hour * 100)),
    unique_by=lambda one: one[0],
    max_size=8,
)


@given(RETURNS, st.integers(1, 45), st.integers(0, 700), st.randoms(use_true_random=False))
def test_returns_in_any_order_leave_what_was_not_given_back_before(
    returns: list[tuple[int, int]], n: int, start: int, shuffle: random.Random
) -> None:
    """Against the plain reading: all that was returned before this entry, one by one."""
    rights = Rights()
    written = [("return", one) for one in returns] + [("grant", None)]
    shuffle.shuffle(written)
    for what, one in written:
        if what == "grant":
            rights.granted(RIGHT, 1, grant())
        elif one is not None:
            rights.returned(DESK, one[0], 1, OTHER, RightReturned((RIGHT,), one[1]))
    before = [until for place, until in returns if place < n]
    expected = 0 not in before and start >= max(before, default=0)
    assert rights.covers(RIGHT, DESK, n, claim(start=start, end=start + 50)) is expected
