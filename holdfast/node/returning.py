"""Giving rights back to the hub: by a person's word, or because their time has come.

Owns the returns that a device writes (DESIGN §5.7): all that is left of a right, or the instants
before a release. The release is checked against the clock's latest time, and sales ended before
the return is written (`selling`); what counts is the return, never the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from holdfast.model.errors import NotFound
from holdfast.model.events import RightReturned
from holdfast.model.limits import RIGHTS_PER_ENTRY_MAX
from holdfast.model.rights import Held
from holdfast.node import holding_apart, selling
from holdfast.node.holding_apart import Kept

if TYPE_CHECKING:
    from holdfast.node.node import Node


def give_back(node: Node, right: bytes) -> None:
    """Return all that is left of one's own right; its live claims pass to the hub. Raises
    NotFound."""
    with node.transaction():
        held = node.rights(node.home).now(right)
        if held is None or held.holder != node.account:
            raise NotFound(
                "this device holds no such allotment; `holdfast allotments list` shows what it has"
            )
        node.append(node.home, RightReturned((right,)))


def release(node: Node) -> int:
    """Return the instants whose release has come, to the venue's slot. Returns how many rights
    that concerned. Does nothing before the clock can tell.

    What is held for somebody, or offered to them, is not cut in two: nobody could reserve it then.
    Its instants go back when it has been reserved or has lapsed, which holds bring within minutes.
    """
    with node.transaction():
        administration = node.book(node.home).administration
        if administration.venue is None or node.clock.interval().state == "undisciplined":
            return 0
        due: dict[int, list[Held]] = {}
        kept: dict[str, list[Kept]] | None = None
        for held in administration.rights.active():
            if held.holder != node.account or held.right.release_minutes <= 0:
                continue
            until = selling.may_sell(node, held)
            if held.start >= until:
                continue
            kept = holding_apart.kept_places(node, node.home) if kept is None else kept
            until = _before_kept(until, (kept.get(one, ()) for one in held.right.resources))
            if held.start < until:
                due.setdefault(until, []).append(held)
        for until, rights in due.items():
            for first in range(0, len(rights), RIGHTS_PER_ENTRY_MAX):
                some = rights[first : first + RIGHTS_PER_ENTRY_MAX]
                node.append(node.home, RightReturned(tuple(held.right.id for held in some), until))
        return sum(len(rights) for rights in due.values())


def _before_kept(until: int, kept: Iterable[Iterable[Kept]]) -> int:
    """The latest instant, not after `until`, that lies within no place that is kept."""
    for one in sorted(chain.from_iterable(kept), key=lambda one: one.start, reverse=True):
        if one.start < until < one.end:
            until = one.start
    return until
