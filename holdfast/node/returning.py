"""Giving rights back to the hub: by a person's word, or because their time has come.

Owns the returns that a device writes (DESIGN §5.7): all that is left of a right, or the instants
before a release. The release is checked against the clock's latest time, and sales ended before
the return is written (`selling`); what counts is the return, never the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model.errors import NotFound
from holdfast.model.events import RightReturned
from holdfast.model.limits import RIGHTS_PER_ENTRY_MAX
from holdfast.model.rights import Held
from holdfast.node import selling

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
    that concerned. Does nothing before the clock can tell."""
    with node.transaction():
        administration = node.book(node.home).administration
        if administration.venue is None or node.clock.interval().state == "undisciplined":
            return 0
        due: dict[int, list[Held]] = {}
        for held in administration.rights.active():
            if held.holder != node.account or held.right.release_minutes <= 0:
                continue
            until = selling.may_sell(node, held)
            if held.start < until:
                due.setdefault(until, []).append(held)
        for until, rights in due.items():
            for first in range(0, len(rights), RIGHTS_PER_ENTRY_MAX):
                some = rights[first : first + RIGHTS_PER_ENTRY_MAX]
                node.append(node.home, RightReturned(tuple(held.right.id for held in some), until))
        return sum(len(rights) for rights in due.values())
