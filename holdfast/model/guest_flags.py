"""How the house marks a person: VIP, and that something went wrong (features H-21, H-48).

Owns which mark stands. A flag is a word of a list beside a pseudonym: it says nothing of what
happened, which belongs into a sealed note. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, TypeVar

VIP: Final = "vip"
ISSUE: Final = "issue"
FLAGS: Final = (VIP, ISSUE)

Where = TypeVar("Where")


class Flag(NamedTuple, Generic[Where]):
    """A `guest.flagged`, the operation `id`; `where` is its place, which the caller knows."""

    id: bytes
    flag: str
    up: bool
    stamp: int
    where: Where


def standing(written: Iterable[Flag[Where]]) -> dict[str, Flag[Where]]:
    """The newest word on each flag, by flag; of a person with several agent ids, on any of them."""
    found: dict[str, Flag[Where]] = {}
    for one in sorted(written, key=lambda one: (one.stamp, one.id)):
        found[one.flag] = one
    return found
