"""The best seating there is, by a solver: HiGHS, where `holdfast[solver]` is installed.

Owns the translation of parties into an integer programme. What is better, and what a plan may do,
`model.seating` says; without the solver its own search is used.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Sequence
from typing import Any, Final

from holdfast.model.limits import SOLVER_SECONDS
from holdfast.model.seating import NOWHERE, Party, Plan, Score

MODULE: Final = "highspy"
NAME: Final = "highs"


def installed() -> bool:
    """Whether the solver is there."""
    return importlib.util.find_spec(MODULE) is not None


def best(parties: Sequence[Party]) -> Plan | None:
    """A plan with the least score; None where the solver did not prove one within SOLVER_SECONDS.

    The parts of the score are brought to their least one after the other, each with those before it
    fixed: weights that are large enough for all of them at once would be beyond what a solver of
    floating point numbers tells apart.
    """
    highspy: Any = importlib.import_module(MODULE)
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False), ("threads", 1), ("random_seed", 0), ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.0),
    ):  # fmt: skip
        solver.setOptionValue(option, value)
    began = time.monotonic()
    here = {
        (party.id, place): solver.addBinary()
        for party in parties
        for place in range(len(party.choices))
    }
    for party in parties:
        places = [here[party.id, place] for place in range(len(party.choices))]
        if party.present != NOWHERE:
            solver.addConstr(sum(places) == 1)
        elif places:
            solver.addConstr(sum(places) <= 1)
    for group in _meeting(parties):
        solver.addConstr(sum(here[one] for one in group) <= 1)
    for costs in _costs(parties):
        if not costs:
            continue
        left = began + SOLVER_SECONDS - time.monotonic()
        if left <= 0:
            return None
        solver.setOptionValue("time_limit", left + solver.getRunTime())
        goal = sum(cost * here[one] for one, cost in costs.items())
        solver.minimize(goal)
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        least = round(sum(cost * solver.val(here[one]) for one, cost in costs.items()))
        solver.addConstr(goal <= least)
    return {
        party.id: next(
            (
                place
                for place in range(len(party.choices))
                if solver.val(here[party.id, place]) > 0.5
            ),
            NOWHERE,
        )
        for party in parties
    }


def _meeting(parties: Sequence[Party]) -> list[list[tuple[bytes, int]]]:
    """Choices of which one can be had at most: those that need one resource at one instant. Whoever
    meet there are all there when the last of them comes."""
    users: dict[str, list[tuple[Party, int]]] = {}
    for party in parties:
        for place, choice in enumerate(party.choices):
            for resource in choice.resources:
                users.setdefault(resource, []).append((party, place))
    groups: dict[tuple[tuple[bytes, int], ...], None] = {}
    for resource in sorted(users):
        for instant in sorted({party.start for party, _ in users[resource]}):
            group = [
                (party.id, place)
                for party, place in users[resource]
                if party.start <= instant < party.end
            ]
            if len({one for one, _ in group}) > 1:
                groups[tuple(group)] = None
    return [list(group) for group in groups]


def _costs(parties: Sequence[Party]) -> list[dict[tuple[bytes, int], int]]:
    """What each choice adds to the parts of the score, in their order."""
    parts: list[dict[tuple[bytes, int], int]] = [{} for _ in Score._fields]
    for party in parties:
        for place, choice in enumerate(party.choices):
            unseated = -party.size if party.present == NOWHERE else 0
            adds = (unseated, choice.waste, len(choice.resources), int(place != party.present))
            for part, cost in zip(parts, adds, strict=True):
                if cost:
                    part[party.id, place] = cost
    return parts
