"""Ids of reservations: never the same one twice, whatever the clock does."""

from __future__ import annotations

import os
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.ids import may_name
from holdfast.node.reservation_ids import ReservationIds
from tests.kit import START_MS, Fleet

LIFE = b"L" * 16


def test_ten_thousand_of_one_millisecond_are_all_different_and_rise() -> None:
    for start in (b"\0\0\0", b"\xff\xff\xf0"):
        ids = ReservationIds()
        with mock.patch.object(os, "urandom", return_value=start):
            made = [ids.next(LIFE, START_MS) for _ in range(10_000)]
        assert len(set(made)) == 10_000
        assert made == sorted(made)
        assert all(may_name(each, LIFE) for each in made)
        times = {int.from_bytes(each[:6], "big") for each in made}
        assert times == ({START_MS} if start == b"\0\0\0" else {START_MS, START_MS + 1})


@given(st.lists(st.integers(-2, (1 << 48) - 2), max_size=30))
def test_a_clock_that_goes_back_or_stands_gives_no_id_again(times: list[int]) -> None:
    ids = ReservationIds()
    # The worst that randomness can do: it says the same each time.
    with mock.patch.object(os, "urandom", return_value=b"\xff\xff\xff"):
        made = [ids.next(LIFE, now_ms) for now_ms in times]
    assert len(set(made)) == len(made)
    assert made == sorted(made)


def test_what_a_new_millisecond_begins_with_is_random() -> None:
    ids = ReservationIds()
    with mock.patch.object(os, "urandom", return_value=b"\x12\x34\x56") as random:
        made = ids.next(LIFE, START_MS)
        ids.next(LIFE, START_MS)
        assert random.call_count == 1, "the second one follows the first"
        ids.next(LIFE, START_MS + 1)
        assert random.call_count == 2
    assert made.hex()[12:].startswith("7123915")


def test_a_desk_whose_clock_stands_makes_reservations_under_ids_of_its_own(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    made = [fleet.reserve(desk, f"{hour}:30", ["T1"]) for hour in (12, 14, 16, 18, 20)]
    assert len({view.id for view in made}) == len(made)
    assert all(may_name(view.id, desk.identity.incarnation) for view in made)
    assert not any(may_name(view.id, fleet.the_hub.identity.incarnation) for view in made)
