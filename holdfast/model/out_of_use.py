"""Whether a place is out of use, and not taken: what blocks alone leave of it.

Owns the one rule by which nothing free is called `blocked` and not `full`: no place that would do
is in use then, whatever else is reserved there. A block that takes a part of a pool does not make
the pool out of use for whoever the rest would do for. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from holdfast.model.capacity import Profile
from holdfast.model.offers import Choice

FULL: Final = "full"
"""Why nothing is free: others have it, or asked for it first."""
BLOCKED: Final = "blocked"
"""Why nothing is free: all that would do is out of use."""

Taken = tuple[int, int, int]
"""What a block takes of a resource: [start, end) in epoch seconds, and how much."""


def all_out_of_use(
    choices: Sequence[Choice],
    capacity_of: Callable[[str], int],
    blocked: Callable[[str], Iterable[Taken]],
    start: int,
    end: int,
) -> bool:
    """Whether blocks alone keep each of some choices from [start, end); of no choice, no."""
    levels: dict[str, int] = {}

    def in_use(name: str) -> int:
        if name not in levels:
            profile = Profile()
            for taken in blocked(name):
                profile.shift(*taken)
            levels[name] = capacity_of(name) - profile.peak(start, end)
        return levels[name]

    return bool(choices) and all(
        any(
            in_use(name) < quantity
            for name, quantity in zip(choice.resources, choice.quantities, strict=True)
        )
        for choice in choices
    )
