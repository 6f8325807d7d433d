"""Making a failing schedule small: steps are dropped while it still fails in the same way."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from holdfast.simulation.schedule import Scenario, Step

PLAYS_MAX = 400
"""Plays that one shrinking may cost; what is left then is small enough to read."""


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    """The smallest scenario found that still fails: chunks of steps are dropped, then single ones.

    `fails` plays a scenario. The result is one from which no single step can be dropped, unless
    PLAYS_MAX was reached before.
    """
    steps = list(scenario.steps)
    plays = 0
    size = max(1, len(steps) // 2)
    while steps and plays < PLAYS_MAX:
        dropped = False
        start = 0
        while start < len(steps) and plays < PLAYS_MAX:
            fewer = steps[:start] + steps[start + size :]
            plays += 1
            if fails(_with(scenario, fewer)):
                steps, dropped = fewer, True
            else:
                start += size
        if size > 1:
            size = max(1, size // 2)
        elif not dropped:
            break
    return _with(scenario, steps)


def _with(scenario: Scenario, steps: list[Step]) -> Scenario:
    return msgspec.structs.replace(scenario, steps=tuple(steps))
