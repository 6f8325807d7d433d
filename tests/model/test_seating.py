"""Seating a service better: never worse, nobody where somebody else sits, and, with a solver, best.

Small venues are held against every plan that there is.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import seating
from holdfast.model.offers import Choice, VenueIndex
from holdfast.model.seating import NOWHERE, Party, Plan, Score
from holdfast.model.venue import parse_venue
from holdfast.node import exact_seating

HOUR = 3_600
INDEX = VenueIndex(
    parse_venue(
        {
            "venue": "corner", "name": "Corner", "kind": "restaurant", "time_zone": "UTC",
            "resources": [
                {"id": "T1", "kind": "table", "seats": [1, 2]},
                {"id": "T2", "kind": "table", "seats": [1, 4], "combines_with": ["T3"]},
                {"id": "T3", "kind": "table", "seats": [1, 4]},
                {"id": "T4", "kind": "table", "seats": [2, 6]},
            ],
        }
    )
)  # fmt: skip


def party(name: str, size: int, start: int = 19, end: int = 21, at: str = "") -> Party:
    """A party from hour to hour, at these tables."""
    choices = INDEX.offers(size, 1, "table", "")
    sits = tuple(at.split("+")) if at else ()
    names = [choice.resources for choice in choices]
    place = names.index(sits) if at else NOWHERE
    return Party(name.encode(), start * HOUR, end * HOUR, size, choices, place)


def seats(parties: Sequence[Party], plan: Plan) -> dict[str, str]:
    found = {}
    for one in parties:
        choice = one.at(plan[one.id])
        found[one.id.decode()] = "+".join(choice.resources) if choice is not None else ""
    return found


def possible(parties: Sequence[Party], plan: Plan) -> bool:
    """Whether nobody sits where somebody else does, and who had a place has one."""
    met = any(
        seating.clash(one, plan[one.id], other, plan[other.id])
        for one, other in itertools.combinations(parties, 2)
    )
    kept = all(plan[one.id] != NOWHERE for one in parties if one.present != NOWHERE)
    return kept and not met


def best_of_all(parties: Sequence[Party]) -> Score:
    """The least score of every plan that there is."""
    places = [range(NOWHERE, len(one.choices)) for one in parties]
    plans = (
        {one.id: place for one, place in zip(parties, chosen, strict=True)}
        for chosen in itertools.product(*places)
    )
    return min(seating.score(parties, plan) for plan in plans if possible(parties, plan))


@st.composite
def services(draw: st.DrawFn) -> list[Party]:
    """Up to five parties, some of them at a table that nobody else has then, some without one."""
    found: list[Party] = []
    for number in range(draw(st.integers(1, 5))):
        start, size = draw(st.integers(18, 21)), draw(st.integers(1, 8))
        one = party(f"p{number}", size, start, start + draw(st.integers(1, 3)))
        free = [
            place
            for place in range(len(one.choices))
            if not any(seating.clash(one, place, other, other.present) for other in found)
        ]
        place = draw(st.sampled_from([NOWHERE, *free]))
        found.append(Party(one.id, one.start, one.end, one.size, one.choices, place))
    return found


@given(services())
def test_a_proposal_is_never_worse_and_seats_nobody_twice(parties: list[Party]):
    plan = seating.improved(parties)
    assert possible(parties, plan)
    assert seating.score(parties, plan) <= seating.score(parties, seating.present(parties))
    assert plan == seating.improved(parties)


@given(services())
def test_a_good_plan_seats_nearly_as_many_as_the_best(parties: list[Party]):
    found, best = seating.score(parties, seating.improved(parties)), best_of_all(parties)
    assert best <= found
    # With one party without a place there is no choice whom to seat: then it is as good.
    if sum(one.present == NOWHERE for one in parties) <= 1:
        assert found.unseated == best.unseated


@pytest.mark.skipif(not exact_seating.installed(), reason="holdfast[solver] is not installed")
@given(services())
def test_with_a_solver_no_plan_is_better(parties: list[Party]):
    plan = exact_seating.best(parties)
    assert plan is not None and possible(parties, plan)
    assert seating.score(parties, plan) == best_of_all(parties)


@given(services())
def test_a_plan_is_carried_out_step_by_step_each_into_a_free_place(parties: list[Party]):
    plan = seating.improved(parties)
    steps = seating.steps(parties, plan)
    if steps is None:
        return
    by_id = {one.id: one for one in parties}
    now = seating.present(parties)
    for step in steps:
        mover = by_id[step.party]
        assert not any(
            seating.clash(mover, step.place, other, now[other.id])
            for other in parties
            if other.id != mover.id
        )
        now[step.party] = step.place
    assert now == plan


def test_somebody_moves_so_that_a_larger_party_finds_room():
    parties = [party("a", 2, at="T4"), party("b", 5)]
    plan = seating.improved(parties)
    assert seats(parties, plan) == {"a": "T1", "b": "T4"}
    assert [step.party for step in seating.steps(parties, plan) or []] == [b"a", b"b"]


def test_a_chain_of_parties_moves_on_so_that_one_more_is_seated():
    parties = [
        party("a", 2, at="T1"), party("b", 2, at="T2"), party("c", 4, at="T4"), party("d", 6),
    ]  # fmt: skip
    plan = seating.improved(parties)
    assert seating.score(parties, plan).unseated == 0
    assert seats(parties, plan)["d"] == "T4"


def test_who_sits_well_stays_where_they_are():
    parties = [party("a", 2, at="T1"), party("b", 4, at="T3"), party("c", 6, at="T4")]
    plan = seating.improved(parties)
    assert plan == seating.present(parties)
    assert seating.steps(parties, plan) == []


def test_parties_that_change_places_wait_at_a_third_one():
    parties = [party("a", 2, 18, 20, at="T2"), party("b", 2, 19, 21, at="T3")]
    swapped = {
        one.id: [choice.resources for choice in one.choices].index((other,))
        for one, other in zip(parties, ("T3", "T2"), strict=True)
    }
    steps = seating.steps(parties, swapped)
    assert steps is not None
    assert [step.party for step in steps] == [b"a", b"b", b"a"]
    everywhere = [*parties, party("c", 1, 18, 22, at="T1"), party("d", 4, 18, 22, at="T4")]
    plan = {one.id: one.present for one in everywhere} | swapped
    assert seating.steps(everywhere, plan) is None


def test_what_is_better_is_said_in_one_order():
    corner = (Choice(("T1",), (1,), 2), Choice(("T2", "T3"), (1, 1), 0))
    one = Party(b"a", 0, 1, 4, corner, 0)
    assert seating.score([one], {b"a": NOWHERE}) == (4, 0, 0, 1)
    assert seating.score([one], {b"a": 1}) == (0, 0, 2, 1)
    assert seating.score([one], {b"a": 0}) == (0, 2, 1, 0)
