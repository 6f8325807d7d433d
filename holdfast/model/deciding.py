"""The holder's answer to a provisional claim: admitted, moved or displaced (DESIGN §5.4).

Owns that rule and nothing else: it reads the request, the venue, what the decider has to sell and
what is occupied, and returns a plan; writing it as an entry is the holder's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from holdfast.model.areas import area_named
from holdfast.model.capacity import Occupancy
from holdfast.model.claims import (
    DEAD,
    ENDED,
    LIVE,
    OVERRIDE,
    PENDING,
    STANDBY,
    ClaimView,
    wish_of,
)
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.lifecycle import CHECKED_IN
from holdfast.model.limits import WON_SHOWN_MAX
from holdfast.model.offers import VenueIndex, equal_choices
from holdfast.model.overbooking import OVER_LIMIT, Overbooking
from holdfast.model.reservation import View
from holdfast.model.rights import HUB, Held, Rights

NOT_HELD: Final = "not-held"
"""Why what nobody has was refused: another has the right to sell it."""


class Stock(Protocol):
    """What a decider has to sell."""

    def right_for(self, claim: Claim, ignoring: Collection[ClaimId]) -> bytes | None:
        """The right from which all of a claim can be sold, as the claim's envelope names it; None
        where there is no room. `ignoring` are claims that end with the sale: whoever has all of the
        place by one of them keeps it, whatever stands there besides."""
        ...


class HubStock:
    """What the hub has: whatever was granted to nobody."""

    def __init__(self, venue: VenueIndex, occupancy: Occupancy) -> None:
        self._venue, self._occupancy = venue, occupancy

    def right_for(self, claim: Claim, ignoring: Collection[ClaimId]) -> bytes | None:
        resource = self._venue.resource(claim.resource)
        if resource is None:
            return None
        free = self._occupancy.free(
            claim.resource, resource.capacity, claim.start, claim.end,
            ignoring=ignoring, account=HUB,
        )  # fmt: skip
        return HUB if free >= claim.quantity or self._keeps(claim, ignoring) else None

    def _keeps(self, claim: Claim, ignoring: Collection[ClaimId]) -> bool:
        return self._occupancy.keeps(
            claim.resource, claim.quantity, claim.start, claim.end, ignoring, HUB
        )


class GrantedStock:
    """What one incarnation of a device has: its rights, each with a quantity of its own.
    `from_when` says from which start on a right may still be sold (epoch seconds)."""

    def __init__(
        self,
        rights: Rights,
        node: bytes,
        occupancy: Occupancy,
        from_when: Callable[[Held], int],
    ) -> None:
        self._rights, self._node, self._occupancy = rights, node, occupancy
        self._from_when = from_when

    def right_for(self, claim: Claim, ignoring: Collection[ClaimId]) -> bytes | None:
        for held in self._rights.of_holder(self._node, claim.resource, claim.start, claim.end):
            if self._occupancy.keeps(
                claim.resource, claim.quantity, claim.start, claim.end, ignoring, held.right.id
            ):
                # Also what is about to go back: it was sold from this right before.
                return held.right.id
            if claim.start < self._from_when(held):
                continue
            free = self._occupancy.free(
                claim.resource, held.right.quantity, claim.start, claim.end,
                ignoring=ignoring, account=held.right.id,
            )  # fmt: skip
            if free >= claim.quantity:
                return held.right.id
        return None


class Verdict(NamedTuple):
    """What the holder will write: the claims it stands for, and the claims it ends with it."""

    verdict: str
    reason: str
    claims: tuple[Claim, ...]
    ends: tuple[ClaimId, ...] = ()
    won: tuple[bytes, ...] = ()
    from_resources: tuple[str, ...] = ()


def answerer(rights: Rights, view: View, operation: bytes) -> bytes:
    """Who answers what waits of an operation: the device that all of its claims can be asked of,
    else the hub (HUB).

    The hub, too, where a part of it is had already, as when the right to the other part was
    revoked: a device's word is one to all that was asked, and would count for nothing.
    """
    claims = [claim for claim in view.claims if claim.id.operation == operation]
    if any(claim.state not in (PENDING, STANDBY) for claim in claims):
        return HUB
    return rights.answering((claim.asks, wish_of(claim)) for claim in claims)


def decide(
    view: View,
    operation: bytes,
    venue: VenueIndex,
    stock: Stock,
    occupancy: Occupancy,
    own: Collection[ClaimId],
    beyond: Overbooking | None = None,
) -> Verdict:
    """Judge the claims that one operation asked for, against granted claims only. `own` are the
    claims of the reservation whose holder decides here; `beyond` is what the decider may sell
    beyond the capacity, where the operation asks for that and its writer may.

    A standby claim is judged as if what it replaces were gone, as far as the decider holds that,
    and its admission ends it in the same entry; what another holds goes on until that one ends it
    (§5.6). A standby whose old claim is already over loses to whoever ended it.
    """
    asked = [
        c for c in view.claims if c.id.operation == operation and c.state in (PENDING, STANDBY)
    ]
    claims = tuple([wish_of(claim) for claim in asked])
    replaced = tuple([c.replaces for c in asked if c.replaces is not None])
    reserves = operation == view.reserving
    if replaced:
        # What was refused, or was to stand elsewhere, was given up for nobody: the wish that
        # followed it stands. What was had and ended was given up for another.
        given_up = {
            claim.id
            for claim in view.claims
            if claim.state == ENDED or (claim.state == DEAD and not claim.decided)
        }
        # Who reserves takes the place of whatever is held for them: of two offers that knew
        # nothing of each other, the one that was accepted need not be the one that was granted.
        if view.live and not reserves and not given_up.isdisjoint(replaced):
            return Verdict("displaced", "superseded", claims)
        by_id = {claim.id: claim for claim in view.claims}
        if view.form is not None and any(_had_above(one, by_id) == ENDED for one in asked):
            # What was only held, and has lapsed, is nobody's any more.
            return Verdict("displaced", "superseded", claims)
    takes_over = replaced or reserves
    ends = tuple(claim.id for claim in view.live if claim.id in own) if takes_over else ()
    if len({claim.resource for claim in claims}) < len(claims):
        # Nobody honest asks for one resource twice in one breath; each would be judged as if alone.
        return Verdict("displaced", "resource-repeated", claims)
    sold, missing = _sold(claims, stock, ends)
    if not missing:
        return Verdict("admitted", "free", sold, ends)
    if any(venue.resource(claim.resource) is None for claim in claims):
        return Verdict("displaced", "no-such-resource", claims)
    won = _in_the_way(missing, occupancy, ends, view.id)
    # Guests who sit already are not sent elsewhere by a machine: a person finds them a place.
    # Nor is what another holds given up for a place elsewhere.
    free_to_move = len(ends) == len(view.live) if reserves else not replaced
    if view.may_move and free_to_move and view.status != CHECKED_IN:
        moved = _elsewhere(view, claims, venue, stock, ends)
        if moved is not None:
            return Verdict(
                "moved", "taken", moved, ends, won, tuple(claim.resource for claim in claims)
            )
    if beyond is not None:
        over, missing = _sold(claims, stock, ends, beyond)
        if not missing:
            return Verdict("admitted", OVERRIDE, over, ends)
        if all(beyond.room(claim, ends) is not None for claim in missing):
            return Verdict("displaced", OVER_LIMIT, claims, (), won)
    # Where nobody sits in the way, somebody else has the right to it.
    return Verdict("displaced", "taken" if won else NOT_HELD, claims, (), won)


def _had_above(claim: ClaimView, by_id: Mapping[ClaimId, ClaimView]) -> str:
    """The state of the nearest claim that was in force, of those that a wish follows; empty: none
    was."""
    passed: set[ClaimId] = set()
    above = claim.replaces
    while above is not None and above not in passed and above in by_id:
        passed.add(above)
        if by_id[above].state in (LIVE, ENDED):
            return by_id[above].state
        above = by_id[above].replaces
    return ""


def _sold(
    claims: tuple[Claim, ...],
    stock: Stock,
    ignoring: Collection[ClaimId],
    beyond: Stock | None = None,
) -> tuple[tuple[Claim, ...], list[Claim]]:
    """The claims with the right that each is sold from, and those for which there is no room, not
    even `beyond` the capacity where that may be asked."""
    sold, missing = [], []
    for claim in claims:
        right = stock.right_for(claim, ignoring)
        if right is None and beyond is not None:
            right = beyond.right_for(claim, ignoring)
        if right is None:
            missing.append(claim)
        else:
            sold.append(msgspec.structs.replace(claim, right=right) if right else claim)
    return tuple(sold), missing


def _in_the_way(
    missing: list[Claim], occupancy: Occupancy, ignoring: Collection[ClaimId], own: bytes
) -> tuple[bytes, ...]:
    found: dict[bytes, None] = {}
    for claim in missing:
        for held in occupancy.occupants(claim.resource, claim.start, claim.end, ignoring=ignoring):
            if held.reservation != own:
                found[held.reservation] = None
    return tuple(found)[:WON_SHOWN_MAX]


def _elsewhere(
    view: View,
    claims: tuple[Claim, ...],
    venue: VenueIndex,
    stock: Stock,
    ignoring: Collection[ClaimId],
) -> tuple[Claim, ...] | None:
    """The first equal or larger choice that is free for the whole time, all of it."""
    first = claims[0]
    taken = tuple(claim.resource for claim in claims)
    quantity = sum(claim.quantity for claim in claims)
    for choice in equal_choices(
        venue, taken, view.party_size, quantity, area_named(venue, view.area)
    ):
        moved = tuple(
            Claim(resource, first.start, first.end, amount, first.buffer)
            for resource, amount in zip(choice.resources, choice.quantities, strict=True)
        )
        sold, missing = _sold(moved, stock, ignoring)
        if not missing:
            return sold
    return None
