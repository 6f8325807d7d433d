"""What a book says about itself: who carries on after a life, and whose closes make two lives of
the hub rivals."""

from __future__ import annotations

import pytest

from holdfast.model.administration import Administration, Close, WriterInfo
from holdfast.model.events import ChainSucceeded

FIRST, SECOND, THIRD, DESK = (bytes([n]) * 16 for n in range(1, 5))


def book(closed: bytes, by: set[bytes], also: dict[bytes, bytes] | None = None) -> Administration:
    """A book of a hub's three lives, in which some of them closed a chain; `also` are further
    closes, by whom."""
    administration = Administration(hubs={FIRST, SECOND, THIRD})
    administration.closers[closed] = by
    administration.closes[closed] = Close(2, bytes(32), b"", min(by))
    for one, closer in (also or {}).items():
        administration.closers[one] = {closer}
        administration.closes[one] = Close(3, bytes(32), b"", closer)
    return administration


@pytest.mark.parametrize(
    ("administration", "rivals"),
    [
        pytest.param(book(FIRST, {SECOND}), set(), id="one that follows is no rival"),
        pytest.param(book(FIRST, {SECOND, THIRD}), {SECOND, THIRD}, id="two that follow one are"),
        pytest.param(
            book(FIRST, {SECOND, THIRD}, {THIRD: SECOND}), set(), id="until one of them is closed"
        ),
        pytest.param(
            book(DESK, {FIRST, SECOND}),
            set(),
            id="a device's fork is closed again by a hub that was restored and does not know",
        ),
    ],
)
def test_rivals_are_lives_that_closed_the_same_life_of_the_hub(
    administration: Administration, rivals: set[bytes]
) -> None:
    assert administration.rivals == rivals


def test_a_life_is_carried_on_by_the_one_that_it_named_where_its_word_counts() -> None:
    """A copied or set-back device names another life than its original did."""
    writer = WriterInfo(DESK, "desk", "front-desk", 1, False)
    administration = Administration()
    for by, counts in ((FIRST, False), (SECOND, True), (THIRD, False)):
        administration.absorb(
            writer, 5, 1, ChainSucceeded(by, "clock_corrected"), operation=by, counts=counts
        )
    assert administration.succeeded == {DESK: SECOND}
    assert administration.rights.lives(DESK) == [DESK, SECOND]
