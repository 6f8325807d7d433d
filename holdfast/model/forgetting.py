"""Who may have a guest forgotten, and which cards an erasure destroys (DESIGN §8).

Owns that rule. It reads entries and nothing else, and more entries never bring a card back, so that
every replica destroys the same cards in whatever order the entries came. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

ERASERS: Final = ("front-desk", "venue-server", "hub")
"""Roles whose erasures count. A kiosk that was taken over erases nobody; neither does a channel.

An erasure is a fact (DESIGN §4.6): it counts also beyond the head at which its writer's life was
closed, for what was destroyed cannot be brought back."""


class Erasure(NamedTuple):
    """A `guest.erased` that counts. `also` are cards with a later stamp that its writer knew, which
    a clock ahead of its own had written."""

    operation: bytes
    agent_id: str
    stamp: int
    also: frozenset[bytes]
    reason: str
    writer: bytes


class Occurrence(NamedTuple):
    """A card in an entry: whose it may be, and the entry's stamp."""

    agents: frozenset[str]
    stamp: int


def covering(
    card: bytes, found: Iterable[Occurrence], erasures: dict[str, list[Erasure]]
) -> Erasure | None:
    """The first erasure, by its stamp, that a card falls under; None where it lives.

    It covers every card of the person whose entry is not later than itself, and those that it
    names. Of a card that stands in several entries one is enough: nobody revives a card by writing
    it again.
    """
    covers = [
        erasure
        for one in found
        for agent in one.agents
        for erasure in erasures.get(agent, ())
        if one.stamp <= erasure.stamp or card in erasure.also
    ]
    return min(covers, key=lambda erasure: (erasure.stamp, erasure.operation), default=None)
