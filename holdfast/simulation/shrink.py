"""Making a failing schedule small: steps are dropped while it still fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import msgspec

from holdfast.simulation.schedule import Scenario, Step

PLAYS_MAX = 400
"""Plays that one shrinking may cost; what is left then is small enough to read."""


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    """The smallest scenario found that still fails.

    All steps of one machine are dropped, then all of one kind, since most have nothing to do with
    it; then chunks, then single steps. `fails` plays a scenario. The result is one from which no
    single step can be dropped, unless PLAYS_MAX was reached before.
    """
    shrinking = _Shrinking(scenario, fails)
    shrinking.drop_groups(lambda step: step.machine)
    shrinking.drop_groups(lambda step: step.what)
    size = max(1, len(shrinking.steps) // 2)
    while size > 1:
        shrinking.drop_chunks(size)
        size //= 2
    while shrinking.drop_chunks(1):
        pass
    return shrinking.with_steps(shrinking.steps)


class _Shrinking:
    """The steps that are left, and how often it was played."""

    def __init__(self, scenario: Scenario, fails: Callable[[Scenario], bool]) -> None:
        self._scenario = scenario
        self._fails = fails
        self._plays = 0
        self.steps = list(scenario.steps)

    def with_steps(self, steps: list[Step]) -> Scenario:
        return msgspec.structs.replace(self._scenario, steps=tuple(steps))

    def _keep(self, fewer: list[Step]) -> bool:
        """Go on with fewer steps, if it still fails."""
        if len(fewer) == len(self.steps) or self._plays >= PLAYS_MAX:
            return False
        self._plays += 1
        if not self._fails(self.with_steps(fewer)):
            return False
        self.steps = fewer
        return True

    def drop_groups(self, group: Callable[[Step], Hashable]) -> None:
        for one in dict.fromkeys(group(step) for step in self.steps):
            self._keep([step for step in self.steps if group(step) != one])

    def drop_chunks(self, size: int) -> bool:
        """Whether any chunk of this many steps could be dropped."""
        dropped = False
        start = 0
        while start < len(self.steps) and self._plays < PLAYS_MAX:
            if self._keep(self.steps[:start] + self.steps[start + size :]):
                dropped = True
            else:
                start += size
        return dropped
