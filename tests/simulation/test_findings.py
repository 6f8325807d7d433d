"""What the simulator found, as short schedules: those that hold now, and those that do not yet."""

from __future__ import annotations

from typing import Any

from holdfast.simulation import Scenario, Step, play
from holdfast.simulation.run import Player
from holdfast.simulation.schedule import Device

HOUR = 3_600_000


def wish(day: int, time: str, resource: str) -> dict[str, Any]:
    return {
        "day": day, "time": time, "party": 2, "resource": resource, "nights": 1,
        "may_move": False, "guest": -1,
    }  # fmt: skip


def scenario(*steps: tuple[str, str, dict[str, Any]], devices: int = 2) -> Scenario:
    """Three-hourly steps of (what, machine, detail) from ten in the morning."""
    return Scenario(
        seed=1,
        venues=("trattoria",),
        devices=tuple(Device(f"desk{n}", "front-desk", "trattoria") for n in range(devices)),
        steps=tuple(
            Step(number=n, at_ms=(10 + 3 * n) * HOUR, what=what, machine=machine, detail=detail)
            for n, (what, machine, detail) in enumerate(steps)
        ),
    )


_A_COPY = scenario(
    ("sync", "desk0", {}),
    ("reserve", "desk0", wish(2, "19:30", "T1")),
    ("clone", "desk0", {"to": "desk0-copy", "noticed": False}),
    ("reserve", "desk0", wish(2, "19:30", "T2")),
    ("sync", "desk0", {}),
    ("sync", "desk0-copy", {}),
)


def test_a_copy_that_is_behind_the_original_comes_to_rest() -> None:
    """The copy knows of its own chain less than the hub, which no cursor shows it."""
    result = play(_A_COPY)
    assert not result.violations, result.violations


def test_a_rebuilt_hub_waits_for_a_device_that_nobody_has_told_it_of(tmp_path) -> None:
    """Desk 0 was last in touch before desk 1 joined; the rebuilt hub hears desk 0 alone, and
    sells what desk 1 was told is its guest's."""
    player = Player(
        scenario(
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk1", {}),
            ("wipe", "hub", {}),
            ("sync", "desk0", {}),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("sync", "desk0", {}),
        ),
        tmp_path,
    )
    player.play()
    assert not player.oracles.violations, player.oracles.violations
    assert not player.oracles.exceptions, dict(player.oracles.exceptions)
