"""The holder's answer to a provisional claim: admitted, moved or displaced (DESIGN §5.4).

Owns that rule and nothing else: it reads the request, the venue and what is occupied, and returns
a plan; writing it as an entry is the holder's business. In this version the hub holds every right,
so that the capacity it looks at is all there is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from holdfast.model.areas import area_named
from holdfast.model.capacity import Occupancy
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.lifecycle import CHECKED_IN
from holdfast.model.limits import WON_SHOWN_MAX
from holdfast.model.offers import VenueIndex, equal_choices
from holdfast.model.reservation import DEAD, ENDED, PENDING, STANDBY, ClaimView, View


class Verdict(NamedTuple):
    """What the holder will write: the claims it stands for, and the claims it ends with it."""

    verdict: str
    reason: str
    claims: tuple[Claim, ...]
    ends: tuple[ClaimId, ...] = ()
    won: tuple[bytes, ...] = ()
    from_resources: tuple[str, ...] = ()


def decide(view: View, operation: bytes, venue: VenueIndex, occupancy: Occupancy) -> Verdict:
    """Judge the claims that one operation asked for, against live claims only.

    A standby claim is judged as if the claim it replaces were gone, and its admission ends that
    one in the same entry; a standby whose old claim is already over loses to whoever ended it.
    """
    asked = [
        c for c in view.claims if c.id.operation == operation and c.state in (PENDING, STANDBY)
    ]
    claims = tuple(_as_claim(claim) for claim in asked)
    replaced = tuple(c.replaces for c in asked if c.replaces is not None)
    if replaced:
        # What was refused, or was to stand elsewhere, was given up for nobody: the wish that
        # followed it stands. What was had and ended was given up for another.
        given_up = {
            claim.id
            for claim in view.claims
            if claim.state == ENDED or (claim.state == DEAD and not claim.decided)
        }
        if view.live and not given_up.isdisjoint(replaced):
            return Verdict("displaced", "superseded", claims)
    ends = tuple(claim.id for claim in view.live) if replaced else ()
    if len({claim.resource for claim in claims}) < len(claims):
        # Nobody honest asks for one resource twice in one breath; each would be judged as if alone.
        return Verdict("displaced", "resource-repeated", claims)
    missing = [c for c in claims if not _fits(c, venue, occupancy, ends)]
    if not missing:
        return Verdict("admitted", "free", claims, ends)
    if any(venue.resource(claim.resource) is None for claim in claims):
        return Verdict("displaced", "no-such-resource", claims)
    won = _in_the_way(missing, occupancy, ends, view.id)
    # Guests who sit already are not sent elsewhere by a machine: a person finds them a place.
    if view.may_move and not replaced and view.status != CHECKED_IN:
        moved = _elsewhere(view, claims, venue, occupancy)
        if moved is not None:
            return Verdict(
                "moved", "taken", moved, ends, won, tuple(claim.resource for claim in claims)
            )
    return Verdict("displaced", "taken", claims, (), won)


def _as_claim(claim: ClaimView) -> Claim:
    return Claim(claim.resource, claim.start, claim.end, claim.quantity, claim.buffer)


def _fits(
    claim: Claim, venue: VenueIndex, occupancy: Occupancy, ignoring: Collection[ClaimId]
) -> bool:
    resource = venue.resource(claim.resource)
    if resource is None:
        return False
    free = occupancy.free(
        claim.resource, resource.capacity, claim.start, claim.end, ignoring=ignoring, live_only=True
    )
    return free >= claim.quantity


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
    view: View, claims: tuple[Claim, ...], venue: VenueIndex, occupancy: Occupancy
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
        if all(_fits(claim, venue, occupancy, ()) for claim in moved):
            return moved
    return None
