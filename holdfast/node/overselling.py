"""The hub's answer to a holder that sold more than it has: it takes the right back at that sale.

Owns the proof and the act (DESIGN §4.7, §5.1). Every entry of such a holder is well formed, and
each sale fits the right by itself; only all of them together do not. The holder's own chain shows
it: among the claims that still count against the right, in the order in which the chain granted
them, the first that does not fit beside those before it. Claims that ended in between are not
looked at, so that nobody is accused for what had made room by then. Nor is what the one overbooker
of a place sold on purpose: the limit that it knew may have been another one, and every such sale is
an exception that a person sees. The right is revoked at the head before that entry; what was sold
from there on is asked of the hub, like after any revocation, and stays where there is room.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model.capacity import Profile
from holdfast.model.claims import OCCUPYING, ClaimView
from holdfast.model.events import RightRevoked
from holdfast.model.reservation import granting_entry
from holdfast.model.rights import Held
from holdfast.sync.seals import chain_start

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

OVERSOLD = "oversold"


class _Sale(NamedTuple):
    """A claim that counts against a right; `place` orders sales as their chains do: by the life
    that wrote it and the number of its entry, (-1, 0) where the claim was handed over."""

    place: tuple[int, int]
    claim: ClaimView


def take_back(hub: Hub, name: str, touched: Iterable[bytes]) -> int:
    """Revoke every right that turns out to be oversold by what was merged about the `touched`
    reservations; call inside a transaction. Returns how many were."""
    suspects = _suspects(hub, name, touched)
    revoked = 0
    for right, claims in suspects.items():
        held = hub.rights(name).now(right)
        first = None if held is None else _first_too_many(hub, name, held, claims)
        if held is None or first is None:
            continue
        life, n = first
        chain = hub.standing(name, life)
        head = hub.store.journal.hash_at(chain, n - 1) or chain_start(name, life)
        hub.append(name, RightRevoked(right, life, n - 1, head, OVERSOLD))
        revoked += 1
    return revoked


def _suspects(
    hub: Hub, name: str, touched: Iterable[bytes]
) -> dict[bytes, list[tuple[str, int, int]]]:
    """By right, where more than it has counts against it: (resource, from, to)."""
    rights = hub.rights(name)
    found: dict[bytes, list[tuple[str, int, int]]] = {}
    if not rights:
        return found
    occupancy = hub.store.projections.occupancy(name)
    for reservation in dict.fromkeys(touched):
        record = hub.record(reservation, name)
        for claim in record.view.claims if record is not None else ():
            if claim.state not in OCCUPYING:
                continue
            held = rights.account(claim.id, claim.right, claim.end)
            if held is None:
                continue
            start = max(claim.start, held.start)
            free = occupancy.free(
                claim.resource, held.right.quantity, start, claim.end, account=held.right.id
            )
            if free < 0:
                found.setdefault(held.right.id, []).append((claim.resource, start, claim.end))
    return found


def _first_too_many(
    hub: Hub, name: str, held: Held, places: list[tuple[str, int, int]]
) -> tuple[bytes, int] | None:
    """The entry, as (life, number), by which a right was sold beyond its quantity; None where no
    entry of its holders shows it."""
    lives = hub.rights(name).lives(held.right.holder)
    sales: dict[object, _Sale] = {}
    occupancy = hub.store.projections.occupancy(name)
    for resource, start, end in places:
        for one in occupancy.overlapping(resource, start, end):
            if not one.live or one.account != held.right.id or one.claim in sales:
                continue
            record = hub.record(one.reservation, name)
            assert record is not None
            claim = next(claim for claim in record.view.claims if claim.id == one.claim)
            entry = granting_entry(record.seen, claim, lives)
            place = (-1, 0) if entry is None else (lives.index(entry.node), entry.n)
            sales[one.claim] = _Sale(place, claim)
    levels: dict[str, Profile] = {}
    for sale in sorted(sales.values(), key=lambda one: (one.place, one.claim.id)):
        claim = sale.claim
        level = levels.setdefault(claim.resource, Profile())
        start = max(claim.start, held.start)
        on_purpose = sale.place[0] < 0 or (claim.override and held.right.whole)
        too_many = level.peak(start, claim.end) + claim.quantity > held.right.quantity
        if too_many and not on_purpose:
            return lives[sale.place[0]], sale.place[1]
        level.shift(start, claim.end, claim.quantity)
    return None
