"""The cycle of a table: available, reserved, occupied, cleaning, and no other jump."""

from __future__ import annotations

import pytest

from holdfast.model import floor
from holdfast.model.errors import BadTransition
from holdfast.model.floor import AVAILABLE, BLOCKED, CLEANING, INACTIVE, OCCUPIED, RESERVED, Table
from holdfast.model.reservation import View
from holdfast.model.venue import Resource

LEGAL = {
    (AVAILABLE, AVAILABLE): floor.STAYS,
    (RESERVED, RESERVED): floor.STAYS,
    (OCCUPIED, OCCUPIED): floor.STAYS,
    (CLEANING, CLEANING): floor.STAYS,
    # Who is due there does not make a clean table dirty.
    (RESERVED, AVAILABLE): floor.STAYS,
    (RESERVED, OCCUPIED): floor.CHECK_IN,
    (OCCUPIED, CLEANING): floor.COMPLETE,
    (CLEANING, AVAILABLE): floor.CLEAN,
}


def table(state: str, **changes: object) -> Table:
    fields = {"resource": Resource("T1", "table"), "state": state, "party": (View(b"a" * 16),)}
    return Table(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", floor.MARKS)
@pytest.mark.parametrize("state", floor.STATES)
def test_a_table_takes_the_steps_of_the_cycle_and_no_other(state: str, wanted: str):
    if (state, wanted) in LEGAL:
        assert floor.step(table(state), wanted) == LEGAL[state, wanted]
        return
    with pytest.raises(BadTransition) as refused:
        floor.step(table(state), wanted)
    assert refused.value.present_status == state
    assert f"T1 is {state}" in refused.value.detail


def test_nothing_is_out_of_use_that_a_mark_could_put_back():
    assert {BLOCKED, INACTIVE}.isdisjoint(floor.MARKS)


def test_of_several_parties_at_one_table_each_is_completed_by_itself():
    two = (View(b"a" * 16, code="RES-A"), View(b"b" * 16, code="RES-B"))
    with pytest.raises(BadTransition, match="RES-A, RES-B"):
        floor.step(table(OCCUPIED, party=two), CLEANING)


def test_a_pool_has_no_state_that_somebody_says():
    bar = Resource("BAR", "pool", capacity=8, pool=True)
    with pytest.raises(BadTransition, match="is a pool"):
        floor.step(table(AVAILABLE, resource=bar), AVAILABLE)
