"""Who may have a guest forgotten, and which cards an erasure destroys (DESIGN §8).

Owns that rule. It reads entries and nothing else, so that replicas with the same entries agree on
what counts, in whatever order they came. Only a device's being shut out ever takes an erasure's
worth away; what was destroyed by then stays destroyed. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

ERASERS: Final = ("front-desk", "venue-server", "hub")
"""Roles whose erasures count. A kiosk that was taken over erases nobody; neither does a channel.

An erasure is a fact (DESIGN §4.6): it counts also beyond the head at which its writer's life was
closed, as the restore of an honest device brings about. It does not count beyond the head at which
its writer was shut out (`reach`)."""


class Erasure(NamedTuple):
    """A `guest.erased` of a writer who may. `also` are cards with a later stamp that its writer
    knew, which a clock ahead of its own had written."""

    operation: bytes
    agent_id: str
    stamp: int
    also: frozenset[bytes]
    reason: str
    writer: bytes


class Life(NamedTuple):
    """One life of a device: what its certificates say, and the lives that it goes on after."""

    name: str
    role: str
    serials: frozenset[bytes]
    succeeds: tuple[bytes, ...]


class Head(NamedTuple):
    """Where a chain stood: how many entries it had, and the last one's hash."""

    entries: int
    hash: bytes


NOTHING: Final = Head(0, b"")


class ShutOut(NamedTuple):
    """One `node.revoked` that counts: the certificates that it names, where each life ended, and
    its stamp."""

    serials: frozenset[bytes]
    heads: Mapping[bytes, Head]
    stamp: int = 0


def reach(
    life: bytes, lives: Mapping[bytes, Life], shut_outs: Collection[ShutOut]
) -> tuple[Head, ...] | None:
    """The heads up to which a life's erasures count, each on its own branch; None: all of them.

    Nothing that a device in bad hands writes after it was shut out destroys anything, whoever
    passes it on. Who was let in again is in good hands: a later life of the same device, one that
    is not shut out itself, vouches for all that the earlier ones wrote; when that one is shut out
    too, they count up to where its shutting out found them.
    """
    shut = _shutting(life, lives, shut_outs)
    if not shut:
        return None
    heads = [_named(life, shut)]
    known = lives[life]
    for other, later in lives.items():
        if life in later.succeeds and (later.name, later.role) == (known.name, known.role):
            again = _shutting(other, lives, shut_outs)
            if not again:
                return None
            heads.append(_named(life, again))
    return tuple(heads)


def _shutting(
    life: bytes, lives: Mapping[bytes, Life], shut_outs: Collection[ShutOut]
) -> list[ShutOut]:
    """What shuts a life out: by its name, or (one that began unheard) by its certificate."""
    serials = lives[life].serials
    return [one for one in shut_outs if life in one.heads or serials & one.serials]


def _named(life: bytes, shut: Iterable[ShutOut]) -> Head:
    """The first head that was named for a life; where none was, nobody had heard of it."""
    return min((one.heads[life] for one in shut if life in one.heads), default=NOTHING)


class Occurrence(NamedTuple):
    """A card in an entry: whose it is, and the entry's stamp."""

    agent: str
    stamp: int


def covering(
    card: bytes, found: Iterable[Occurrence], erasures: dict[str, list[Erasure]]
) -> Erasure | None:
    """The first erasure, by its stamp, that a card falls under; None where it lives.

    It covers every card of the person whose entry is not later than itself, and those that it
    names. Of a card that stands in several entries, which only the life that sealed it can have
    written, one is enough: nobody revives a card by writing it again.
    """
    covers = [
        erasure
        for one in found
        for erasure in erasures.get(one.agent, ())
        if one.stamp <= erasure.stamp or card in erasure.also
    ]
    return min(covers, key=lambda erasure: (erasure.stamp, erasure.operation), default=None)
