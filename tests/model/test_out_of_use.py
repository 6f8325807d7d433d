"""Promises about what is called out of use, and what is called taken."""

from __future__ import annotations

import pytest

from holdfast.model.offers import Choice
from holdfast.model.out_of_use import Taken, all_out_of_use

CAPACITY = {"T1": 1, "T2": 1, "HALL": 10}
T1, T2 = Choice(("T1",), (1,)), Choice(("T2",), (1,))
BOTH = Choice(("T1", "T2"), (1, 1))


def some(people: int) -> Choice:
    return Choice(("HALL",), (people,))


@pytest.mark.parametrize(
    ("choices", "blocked", "out"),
    [
        ([T1], {}, False),
        ([], {"T1": [(0, 99, 1)]}, False),
        ([T1], {"T1": [(10, 20, 1)]}, True),
        # What ends when it begins, or begins when it ends, is not in its way.
        ([T1], {"T1": [(0, 10, 1), (20, 30, 1)]}, False),
        ([T1], {"T1": [(19, 21, 1)]}, True),
        ([T1, T2], {"T1": [(0, 99, 1)]}, False),
        ([T1, T2], {"T1": [(0, 99, 1)], "T2": [(0, 11, 1)]}, True),
        ([BOTH], {"T2": [(0, 99, 1)]}, True),
        ([T1, BOTH], {"T2": [(0, 99, 1)]}, False),
        # Of a pool the rest is in use.
        ([some(4)], {"HALL": [(0, 99, 6)]}, False),
        ([some(5)], {"HALL": [(0, 99, 6)]}, True),
        ([some(5)], {"HALL": [(0, 12, 4), (11, 15, 2)]}, True),
        ([some(5)], {"HALL": [(0, 12, 4), (12, 15, 2)]}, False),
    ],
)
def test_a_place_is_out_of_use_where_blocks_alone_keep_it_from_everybody(
    choices: list[Choice], blocked: dict[str, list[Taken]], out: bool
):
    found = all_out_of_use(
        choices, CAPACITY.__getitem__, lambda name: blocked.get(name, []), 10, 20
    )
    assert found is out
