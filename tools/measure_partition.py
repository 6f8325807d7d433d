"""What becomes of reservations that were made while the network was down: the shares, measured.

Owns one realistic day, many times over: a restaurant's tables are the desk's, a centre's bays the
kiosk's, the hall and the garden the hub's; people call by the arrival curve of the simulator, most
of them for what the one they call sells. From 17:00 to 21:00 everybody is cut off.
`docs/guarantee.md` keeps the figures. Run it with the project's Python:

    python tools/measure_partition.py --days 20
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

from holdfast.model.errors import NotAvailable, RuleViolated
from holdfast.node.requests import CreateRequest
from holdfast.simulation import venues, workload
from holdfast.simulation.faults import DAY_MS, HOUR_MS
from holdfast.simulation.world import HUB, World

TABLES: Final = [f"T{number}" for number in range(1, 17)]
BAYS: Final = [f"BAY-{number}" for number in range(1, 7)]
GARDEN: Final = [f"G{number}" for number in range(1, 9)]
VENUE: Final[dict[str, Any]] = {
    **venues.RESTAURANT,
    "slot_minutes": 15,
    "resources": [
        *({"id": one, "kind": "table", "seats": [1, 2 if number % 2 else 4], "area": "Main"}
          for number, one in enumerate(TABLES)),
        *({"id": one, "kind": "table", "seats": [1, 4], "area": "Garden", "priority": 1}
          for one in GARDEN),
        *({"id": one, "kind": "bay", "seats": [1, 2]} for one in BAYS),
        {"id": "HALL", "kind": "pool", "capacity": 60, "counts": "people"},
    ],
}  # fmt: skip
WISHES: Final = [
    {"holder": "desk", "resources": ["T*"]},
    {"holder": "kiosk", "resources": ["BAY-*"]},
]
CALLS: Final = {"desk": 90, "kiosk": 35, HUB: 70}
KINDS: Final = {
    "desk": ("table",) * 9 + ("pool",),
    "kiosk": ("bay",) * 8 + ("table", "pool"),
    HUB: ("table",) * 5 + ("bay",) * 2 + ("pool",) * 3,
}
CUT_FROM, CUT_UNTIL = 17 * HOUR_MS, 21 * HOUR_MS
PARTIES: Final = (1, 2, 2, 2, 2, 3, 4)
LEAD_DAYS: Final = (0, 0, 0, 0, 1, 1, 2, 5)


def play_day(seed: int, directory: Path) -> Counter[str]:
    """One day. Returns how many reservations of the four hours had which fate."""
    draw = random.Random(f"partition {seed}")  # noqa: S311
    world = World(directory, seed)
    hours, weights = zip(*workload.arrivals(), strict=True)
    calls = sorted(
        (draw.choices(hours, weights)[0] * HOUR_MS + draw.randrange(HOUR_MS), name)
        for name, count in CALLS.items()
        for _ in range(count)
    )
    made: list[tuple[str, bytes, str]] = []
    with world.installed():
        world.make_hub()
        venues_before = dict(venues.VENUES)
        venues.VENUES["trattoria"] = VENUE
        try:
            world.make_venue("trattoria", WISHES)
        finally:
            venues.VENUES.update(venues_before)
        for name, role in (("desk", "front-desk"), ("kiosk", "kiosk")):
            world.join(name, role, "trattoria")
        for at, name in calls:
            world.chance.begin(f"call {at}")
            world.advance(max(0.0, at - world.elapsed_ms))
            offline = CUT_FROM <= at < CUT_UNTIL
            machine = world.machines[name]
            assert machine.replica is not None
            if not offline:
                exchange(world)
            request = a_request(draw, name, at)
            with world.on(machine):
                try:
                    view = machine.replica.reservations.create(request)
                except (NotAvailable, RuleViolated):
                    made.append((name, b"", "refused at once") if offline else ("", b"", ""))
                    continue
            if offline:
                made.append((name, view.id, view.assurance))
        world.advance(max(0.0, DAY_MS - world.elapsed_ms))
        for number in range(3):
            world.chance.begin(f"heal {number}")
            exchange(world)
        return Counter(fate(world, *one) for one in made if one[0])


def exchange(world: World) -> None:
    for name in ("desk", "kiosk", "desk"):
        machine = world.machines[name]
        world.network.messages = 0
        with world.on(machine):
            machine.replica.sync()  # type: ignore[union-attr]


def a_request(draw: random.Random, name: str, at: int) -> CreateRequest:
    kind = draw.choice(KINDS[name])
    day = draw.choice(LEAD_DAYS)
    first = max(12 * 4, at // HOUR_MS * 4 + 4) if day == 0 else 12 * 4
    quarter = draw.randrange(min(first, 22 * 4), 22 * 4 + 1)
    return CreateRequest(
        venue="trattoria",
        starts_at=workload.time_of(day, f"{quarter // 4:02}:{quarter % 4 * 15:02}"),
        party_size=draw.choice(PARTIES if kind != "bay" else (1, 2)),
        resource_kind=kind,
    )


def fate(world: World, name: str, reservation: bytes, told: str) -> str:
    """What the guest was told, and what became of it."""
    if not reservation:
        return told
    view = world.the_hub.view(reservation, world.book("trattoria"))
    assert view is not None
    if told == "guaranteed":
        assert view.status == "confirmed", "a guaranteed reservation did not stand"
        return "guaranteed at once"
    assert view.decision is not None, "a claim was not decided"
    return f"provisional, then {view.decision.verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=20, help="how many days, each from its seed")
    days = parser.parse_args().days
    total: Counter[str] = Counter()
    for seed in range(1, days + 1):
        with tempfile.TemporaryDirectory() as directory:
            total += play_day(seed, Path(directory))
    everybody = total.total()
    print(f"{days} days, {everybody} calls in four hours without a network")
    for what, count in total.most_common():
        print(f"{count / everybody:7.1%}  {count:6}  {what}")


if __name__ == "__main__":
    main()
