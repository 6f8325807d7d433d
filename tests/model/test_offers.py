"""Promises about choosing tables, bays and rooms for a party."""

from __future__ import annotations

import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import limits
from holdfast.model.errors import Invalid, RuleViolated
from holdfast.model.offers import Choice, VenueIndex, candidates, equal_choices, most_people
from holdfast.model.venue import parse_venue


def index(*resources: dict[str, Any]) -> VenueIndex:
    return VenueIndex(
        parse_venue(
            {
                "venue": "corner",
                "name": "Corner",
                "kind": "restaurant",
                "time_zone": "Europe/Rome",
                "resources": list(resources),
            }
        )
    )


def table(name: str, seats: Any = (1, 4), **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "table", "seats": list(seats), **more}


def rooms(name: str, capacity: int, seats: int | None = None, **more: Any) -> dict[str, Any]:
    made = {"id": name, "kind": "pool", "counts": "units", "capacity": capacity, **more}
    return made if seats is None else {**made, "seats": [1, seats]}


HALL = {"id": "HALL", "kind": "pool", "capacity": 120}


def offered(of: VenueIndex, party: int, **asked: Any) -> list[str]:
    return ["+".join(choice.resources) for choice in candidates(of, party, **asked)]


def equal(
    of: VenueIndex, taken: list[str], party: int, quantity: int = 1, **asked: Any
) -> list[str]:
    return ["+".join(one.resources) for one in equal_choices(of, taken, party, quantity, **asked)]


# --- the order ----------------------------------------------------------------------------------


def test_the_smallest_waste_comes_first_then_fewest_resources_then_priority_then_id() -> None:
    of = index(
        table("T9", [1, 6]),
        table("T4", [1, 4], priority=2),
        table("T3", [1, 4], priority=1),
        table("T2", [1, 4], priority=1),
        table("A1", [1, 2], combines_with=["A2"]),
        table("A2", [1, 2]),
    )
    assert offered(of, 4) == ["T2", "T3", "T4", "A1+A2", "T9"]
    assert offered(of, 2)[:2] == ["A1", "A2"]


def test_a_small_party_is_not_offered_a_table_for_many() -> None:
    of = index(table("T1", [1, 2]), table("T2", [4, 6]))
    assert offered(of, 2) == ["T1"]
    assert offered(of, 3) == []


def test_an_area_is_a_filter_and_combinations_keep_to_it() -> None:
    of = index(
        table("T1", [1, 2], area="Main", combines_with=["T2", "T3"]),
        table("T2", [1, 2], area="Main"),
        table("T3", [1, 2], area="Garden"),
    )
    assert offered(of, 4, area="Main") == ["T1+T2"]
    assert offered(of, 2, area="Garden") == ["T3"]
    assert offered(of, 4) == ["T1+T2", "T1+T3", "T1+T2+T3"]


def test_the_first_resources_kind_is_meant_unless_another_is_named() -> None:
    of = index(table("T1"), {"id": "BAY-1", "kind": "bay"}, HALL)
    assert offered(of, 2) == ["T1"]
    assert offered(of, 2, resource_kind="bay") == ["BAY-1"]
    assert offered(of, 50, resource_kind="pool") == ["HALL"]


def test_a_unit_without_seats_takes_any_party() -> None:
    assert offered(index({"id": "BAY-1", "kind": "bay"}), 30) == ["BAY-1"]


# --- combinations -------------------------------------------------------------------------------


def test_only_listed_tables_combine_and_one_sides_word_is_enough() -> None:
    of = index(table("T1", combines_with=["T2"]), table("T2"), table("T3"))
    assert offered(of, 7) == ["T1+T2"]
    assert offered(of, 9) == []


def test_a_chain_of_tables_combines_up_to_four() -> None:
    names = [f"T{n}" for n in range(1, 7)]
    chain = [
        table(name, [1, 2], combines_with=names[n + 1 : n + 2]) for n, name in enumerate(names)
    ]
    of = index(*chain)
    assert offered(of, 6) == ["T1+T2+T3", "T2+T3+T4", "T3+T4+T5", "T4+T5+T6",
                              "T1+T2+T3+T4", "T2+T3+T4+T5", "T3+T4+T5+T6"]  # fmt: skip
    assert len(of.combinations[-1]) == limits.COMBINED_RESOURCES_MAX
    assert offered(of, 9) == []


def test_a_combination_seats_the_sum_and_wants_the_sum_at_least() -> None:
    of = index(table("T1", [2, 4], combines_with=["T2"]), table("T2", [3, 5]))
    (choice,) = candidates(of, 6)
    assert (choice.seats, choice.waste, choice.quantities) == (9, 3, (1, 1))
    assert offered(of, 4) == ["T1", "T2"]


def test_tables_of_different_kinds_do_not_combine() -> None:
    of = index(table("T1", combines_with=["D1"]), {**table("D1"), "kind": "desk"})
    assert offered(of, 6) == []


def test_a_hall_in_which_all_combines_has_a_bounded_number_of_combinations() -> None:
    names = [f"T{n:03d}" for n in range(120)]
    of = index(*(table(name, [1, 4], combines_with=[n for n in names if n != name])
                 for name in names))  # fmt: skip
    assert len(of.combinations) == limits.COMBINATIONS_PER_VENUE_MAX
    assert offered(of, 8)[0] == "T000+T001"


# --- pools --------------------------------------------------------------------------------------


def test_a_pool_of_people_takes_the_party_and_one_of_units_the_quantity() -> None:
    assert next(candidates(index(HALL), 7)).quantities == (7,)
    assert next(candidates(index(HALL), 7, 3)).quantities == (7,)
    assert next(candidates(index(rooms("DBL", 9)), 7)).quantities == (1,)
    assert next(candidates(index(rooms("DBL", 9)), 7, 4)).quantities == (4,)
    assert offered(index(HALL), 121) == []
    assert offered(index(rooms("DBL", 9)), 2, quantity=10) == []


def test_a_party_must_fit_the_rooms_it_asks_for() -> None:
    of = index(rooms("DBL", 9, 2), rooms("FAM", 3, 4))
    assert offered(of, 3) == ["FAM"]
    assert offered(of, 5) == []
    assert offered(of, 4, quantity=2) == ["DBL", "FAM"]


# --- named resources ----------------------------------------------------------------------------


def wanted(of: VenueIndex, party: int, *names: str, **asked: Any) -> Choice:
    (choice,) = candidates(of, party, wanted_resources=names, **asked)
    return choice


def test_named_resources_are_taken_all_together() -> None:
    of = index(table("T1", [1, 2]), table("T5", [1, 4]), HALL)
    choice = wanted(of, 5, "T5", "T1")
    assert (choice.resources, choice.quantities, choice.waste) == (("T5", "T1"), (1, 1), 1)
    assert wanted(of, 9, "T1", "HALL").quantities == (1, 9)


@pytest.mark.parametrize(
    ("party", "names", "says"),
    [
        (3, ["T1"], "T1 seat 2 at most"),
        (7, ["T1", "T2"], "T1 and T2 seat 6 at most"),
        (1, ["T2"], "T2 is for 2 or more"),
        (121, ["HALL"], "HALL has 120 people"),
        (5, ["DBL"], "DBL seat 2 at most"),
    ],
)
def test_named_resources_that_do_not_suit_the_party_are_refused_with_the_reason(
    party: int, names: list[str], says: str
) -> None:
    of = index(table("T1", [1, 2]), table("T2", [2, 4]), HALL, rooms("DBL", 3, 2))
    with pytest.raises(RuleViolated, match=says) as caught:
        candidates(of, party, wanted_resources=names)
    assert [one["rule"] for one in caught.value.extra["violations"]] == ["seats"]


def test_a_host_may_give_a_small_party_a_large_table() -> None:
    of = index(table("T2", [2, 4]))
    assert wanted(of, 1, "T2", below_minimum=True).resources == ("T2",)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"wanted_resources": ["T1", "T9", "T1"]}, "resources[1]"),
        ({"wanted_resources": ["T1"], "quantity": 2}, "quantity"),
        ({"quantity": 2}, "quantity"),
        ({"quantity": 0}, "quantity"),
        ({"resource_kind": "room"}, "resource_kind"),
    ],
)
def test_what_means_nothing_here_is_refused_by_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        candidates(index(table("T1", area="Main")), 2, **asked)
    assert caught.value.extra["errors"][0]["field"] == field


# --- moving -------------------------------------------------------------------------------------


def test_a_claim_moves_to_something_equal_or_larger_in_its_own_area_first() -> None:
    of = index(
        table("T1", [1, 4], area="Main"),
        table("T2", [1, 4], area="Garden"),
        table("T3", [1, 6], area="Main"),
        table("T4", [1, 2], area="Main", combines_with=["T5"]),
        table("T5", [1, 2], area="Main"),
    )
    assert equal(of, ["T1"], 2) == ["T4+T5", "T3", "T2"]
    assert equal(of, ["T1"], 2, area="Garden")[0] == "T2"
    assert equal(of, ["T4", "T5"], 4, 2) == ["T1", "T3", "T2"]


def test_a_claim_is_never_moved_to_what_was_taken_or_to_another_kind() -> None:
    of = index(table("T1"), {"id": "BAY-1", "kind": "bay"}, table("T2"))
    assert equal(of, ["T1"], 2) == ["T2"]
    assert equal(of, ["BAY-1"], 2) == []
    assert equal(of, ["gone"], 2) == []


def test_rooms_move_to_a_type_that_sleeps_as_many() -> None:
    of = index(rooms("DBL", 9, 2), rooms("FAM", 3, 4), rooms("SGL", 9, 1))
    assert equal(of, ["DBL"], 1) == ["FAM"]
    assert equal(of, ["DBL"], 4, 2) == ["FAM"]
    assert equal(of, ["FAM"], 2) == []


# --- properties ---------------------------------------------------------------------------------

seat_pairs = st.tuples(st.integers(1, 3), st.integers(0, 5)).map(lambda s: [s[0], s[0] + s[1]])


@given(data=st.data(), seats=st.lists(seat_pairs, min_size=1, max_size=6), party=st.integers(1, 20))
def test_every_choice_fits_is_connected_and_comes_in_order(
    data: st.DataObject, seats: list[Any], party: int
) -> None:
    names = [f"T{n}" for n in range(len(seats))]
    links = data.draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names))))
    of = index(
        *(
            table(name, pair, combines_with=[b for a, b in links if a == name != b])
            for name, pair in zip(names, seats, strict=True)
        )
    )
    choices = list(candidates(of, party))
    assert [choice.order for choice in choices] == sorted(choice.order for choice in choices)
    assert len({choice.resources for choice in choices}) == len(choices)
    for choice in choices:
        chosen = [of.resource_by_id[name] for name in choice.resources]
        assert sum(one.seats_min for one in chosen) <= party
        assert choice.waste == sum(one.seats_max or 0 for one in chosen) - party >= 0
        reached = {choice.resources[0]}
        for _ in choice.resources:
            reached |= {b for a, b in links if a in reached and b in choice.resources}
            reached |= {a for a, b in links if b in reached and a in choice.resources}
        assert reached == set(choice.resources)


def test_the_first_of_two_hundred_tables_is_found_at_once() -> None:
    of = index(*(table(f"T{n:03d}", [1, 2 + n % 7]) for n in range(200)))
    next(candidates(of, 4))
    best = min(timeit.repeat(lambda: next(candidates(of, 4)), number=500, repeat=5)) / 500
    # The aim is 50 µs; a busy machine gets four times that.
    assert best < 200e-6


# --- the largest party --------------------------------------------------------------------------


def test_the_largest_party_counts_what_can_be_put_together_and_keeps_to_kind_and_area() -> None:
    of = index(
        table("T1", [1, 4], area="Main", combines_with=["T2"]),
        table("T2", [1, 4], area="Main"),
        table("T3", [2, 6], area="Garden"),
        rooms("DOUBLE", 3, 2),
        HALL,
    )
    assert most_people(of, "table") == 8
    assert most_people(of, "table", "Garden") == 6
    assert most_people(of, "pool", quantity=1) == 120
    assert most_people(of, "sauna") == 0


def test_who_takes_several_units_of_a_pool_has_the_seats_of_all_of_them() -> None:
    of = index(rooms("DOUBLE", 3, 2))
    assert [most_people(of, "pool", quantity=n) for n in (1, 3, 4)] == [2, 6, 0]


def test_a_place_without_a_number_of_seats_takes_any_party() -> None:
    assert most_people(index({"id": "SPOT", "kind": "spot"}), "spot") is None
