"""From a seed to a scenario: who takes part, what a few days bring, what goes wrong meanwhile."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any, Final

from holdfast.simulation import held, workload
from holdfast.simulation.faults import DAY_MS, FAULTS, HOUR_MS, Planned
from holdfast.simulation.schedule import Device, Scenario, Step
from holdfast.simulation.world import HUB

CALLS_PER_MACHINE: Final = 9
"""Calls of one machine on one day: enough that small places are asked for twice."""
SYNCS_PER_DAY: Final = 7
STRANGER: Final = "stranger"


def make_scenario(
    seed: int, nodes: int = 3, days: int = 2, faults: Collection[str] = tuple(FAULTS)
) -> Scenario:
    """The scenario of a seed: the same arguments give the same one, byte for byte."""
    draw = random.Random(f"scenario {seed}")  # noqa: S311 - replayed, not guessed at
    venues = draw.choices((("trattoria",), ("hotel",), ("trattoria", "hotel")), (7, 2, 2))[0]
    devices = [
        Device(
            f"desk{number}",
            "front-desk" if number % 3 != 1 else "kiosk",
            venues[number % len(venues)] if number > 1 else venues[0],
        )
        for number in range(nodes)
    ]
    names = [device.name for device in devices]
    planned: list[Planned] = []
    for day in range(days):
        machines = [HUB, *names, *names]
        calls = CALLS_PER_MACHINE * (nodes + 1)
        planned += workload.plan_day(draw, day, machines, calls)
        # Drawn apart, so that the rest of a seed stays what it is.
        own = random.Random(f"held {seed} {day}")  # noqa: S311
        planned += held.plan_day(own, day, machines, calls)
        for name in names:
            # Some are in touch all day, some twice.
            for _ in range(draw.choice((2, SYNCS_PER_DAY, SYNCS_PER_DAY))):
                planned.append((_within(draw, day), "sync", name, {}))
        planned += [(_within(draw, day), "settle", HUB, {}) for _ in range(4)]
        planned += _faults_of_day(draw, seed, day, names, faults)
    wishes = {
        venue: _wishes(
            random.Random(f"wishes {seed} {venue}"),  # noqa: S311
            venue,
            [device.name for device in devices if device.venue == venue],
        )
        for venue in venues
    }
    if any(what == "attack" for _, what, _, _ in planned):
        devices.append(Device(STRANGER, "kiosk", venues[0], hostile=True))
        wishes[venues[0]] = [*_stranger_wishes(seed, venues[0]), *wishes[venues[0]]]
    ordered = sorted(planned, key=lambda item: (item[0], item[2], item[1]))
    steps = tuple(
        Step(
            number=number,
            at_ms=at,
            what=what,
            machine=machine,
            detail=workload.with_overrides(seed, what, detail, number),
        )
        for number, (at, what, machine, detail) in enumerate(ordered)
    )
    return Scenario(seed=seed, venues=venues, wishes=wishes, devices=tuple(devices), steps=steps)


def _wishes(draw: random.Random, venue: str, names: list[str]) -> list[dict[str, Any]]:
    """Who is to hold what; in one venue of four nobody but the hub."""
    if not names or draw.random() < 0.25:
        return []
    wishes: list[dict[str, Any]] = []
    for resource in ("T1", "T2", "T3", "T4") if venue == "trattoria" else ("R101",):
        if draw.random() < 0.7:
            wish: dict[str, Any] = {"holder": draw.choice(names), "resources": [resource]}
            release = draw.choice((None, None, 0, 60, 240))
            if release is not None:
                wish["release_minutes"] = release
            wishes.append(wish)
    pool, most = ("HALL", 5) if venue == "trattoria" else ("DOUBLE", 1)
    for name in names[:2]:
        if draw.random() < 0.5:
            quantity = draw.randrange(1, most + 1)
            wishes.append({"holder": name, "resources": [pool], "quantity": quantity})
    return wishes


def _stranger_wishes(seed: int, venue: str) -> list[dict[str, Any]]:
    """Every other hostile device was trusted with something once."""
    draw = random.Random(f"stranger {seed}")  # noqa: S311
    if draw.random() < 0.5:
        return []
    if venue == "hotel":
        return [{"holder": STRANGER, "resources": ["R101"]}]
    resource = draw.choice(("T1", "T2", "T3", "T4", "HALL"))
    wish = {"holder": STRANGER, "resources": [resource]}
    return [{**wish, "quantity": 2} if resource == "HALL" else wish]


def _within(draw: random.Random, day: int) -> int:
    return day * DAY_MS + 8 * HOUR_MS + draw.randrange(16 * HOUR_MS)


def _faults_of_day(
    draw: random.Random, seed: int, day: int, names: list[str], faults: Collection[str]
) -> list[Planned]:
    planned: list[Planned] = []
    for name, fault in FAULTS.items():
        # Drawn for every fault, so that switching one off leaves the others where they are.
        drawn = f"{seed} {day}" if fault.apart else draw.random()
        own = random.Random(f"{drawn} {name}")  # noqa: S311
        if name not in faults:
            continue
        times = int(fault.rate) + (own.random() < fault.rate % 1)
        for _ in range(times):
            machine = HUB if fault.hub else own.choice(names)
            planned += fault.plan(own, _within(own, day), machine)
    return planned
