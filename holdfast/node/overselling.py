"""The hub's answer to a holder that sold more than it has: it takes the right back at that sale.

Owns the proof and the act (DESIGN §4.7, §5.1). Every entry of such a holder is well formed, and
each sale fits the right by itself; only all of them together do not. The holder's own chain shows
it: of the claims that were sold from the right or handed over with it, and take up their places
still, in the order in which the chain granted them, the first that does not fit beside those before
it. Claims that ended in between are not looked at, so that nobody is accused for what had made room
by then. Nor is what the one overbooker of a place sold on purpose: the limit that it knew may have
been another one, and every such sale is an exception that a person sees.

The right is revoked at the head before that entry, also where it is over already: returned, or
closed with its holder, who was not caught in time. What was sold from there on is asked of the hub,
like after any revocation, and stays where there is room.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model.capacity import Profile
from holdfast.model.claims import OCCUPYING, ClaimView
from holdfast.model.entries import ClaimId
from holdfast.model.events import RightRevoked
from holdfast.model.reservation import granting_entry
from holdfast.sync.seals import chain_start

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

OVERSOLD = "oversold"


class _Sale(NamedTuple):
    """A claim that counts against a right; `place` orders sales as their chains do: by the life
    that wrote it and the number of its entry, (-1, 0) where the claim was handed over."""

    place: tuple[int, int]
    claim: ClaimView


def take_back(hub: Hub, name: str, touched: Iterable[bytes] | None) -> int:
    """Revoke every right that turns out to be oversold by what was merged about the `touched`
    reservations (None: about any); call inside a transaction. Returns how many were."""
    if not hub.rights(name):
        return 0
    if touched is None:
        hub.write_projections()
        touched = hub.store.projections.holding_places(name)
    revoked = 0
    for right, claims in _sold(hub, name, touched).items():
        first = _first_too_many(hub, name, right, claims)
        if first is None:
            continue
        life, n = first
        chain = hub.standing(name, life)
        head = hub.store.journal.hash_at(chain, n - 1) or chain_start(name, life)
        hub.append(name, RightRevoked(right, life, n - 1, head, OVERSOLD))
        revoked += 1
    return revoked


def _sold(hub: Hub, name: str, touched: Iterable[bytes]) -> dict[bytes, list[ClaimView]]:
    """By the right that they were sold from, the claims of some reservations that share their
    places with more than that right has."""
    rights = hub.rights(name)
    occupancy = hub.store.projections.occupancy(name)
    found: dict[bytes, list[ClaimView]] = {}
    for reservation in dict.fromkeys(touched):
        record = hub.record(reservation, name)
        for claim in record.view.claims if record is not None else ():
            right = rights.by_id.get(claim.right)
            if right is None or claim.state not in OCCUPYING:
                continue
            beside = occupancy.overlapping(claim.resource, claim.start, claim.end)
            if sum(one.quantity for one in beside if one.live) > right.quantity:
                found.setdefault(right.id, []).append(claim)
    return found


def _first_too_many(
    hub: Hub, name: str, right_id: bytes, suspected: list[ClaimView]
) -> tuple[bytes, int] | None:
    """The entry, as (life, number), by which a right was sold beyond its quantity; None where no
    entry of its holders shows it."""
    rights = hub.rights(name)
    right = rights.by_id[right_id]
    lives = rights.lives(right.holder)
    sales: dict[ClaimId, _Sale] = {}
    occupancy = hub.store.projections.occupancy(name)
    for place in suspected:
        for one in occupancy.overlapping(place.resource, place.start, place.end):
            if not one.live or one.claim in sales:
                continue
            record = hub.record(one.reservation, name)
            assert record is not None
            claim = next(claim for claim in record.view.claims if claim.id == one.claim)
            if claim.right == right_id:
                entry = granting_entry(record.seen, claim, lives)
                if entry is not None:
                    sales[claim.id] = _Sale((lives.index(entry.node), entry.n), claim)
            elif rights.was_handed(claim.id, right_id):
                sales[claim.id] = _Sale((-1, 0), claim)
    levels: dict[str, Profile] = {}
    for sale in sorted(sales.values(), key=lambda one: (one.place, one.claim.id)):
        claim = sale.claim
        level = levels.setdefault(claim.resource, Profile())
        on_purpose = sale.place[0] < 0 or (claim.override and right.whole)
        if level.peak(claim.start, claim.end) + claim.quantity > right.quantity and not on_purpose:
            return lives[sale.place[0]], sale.place[1]
        level.shift(claim.start, claim.end, claim.quantity)
    return None
