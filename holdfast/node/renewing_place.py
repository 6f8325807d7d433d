"""The place of guests who were marked as a no-show and came after all.

Owns what they are given: with the mark their place was given up (DESIGN §5.5), so it is asked for
anew. Where this replica has it to give they have it at once, or another that suits where somebody
sits there now. Where another holds it, and may be giving it away at this moment, that one answers:
of the same place, so that it decides between its own two words and nobody else's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from holdfast.model import wall
from holdfast.model.areas import area_named
from holdfast.model.claims import LIVE, READY, SPARE, STANDBY, ClaimView, wish_of
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.errors import BadTransition, NotAvailable
from holdfast.model.offers import Choice, VenueIndex, candidates
from holdfast.model.reservation import View, shown_claims, wished_claims
from holdfast.model.rights import HUB
from holdfast.node import offering, recording, selling
from holdfast.node.asking import Asked, Place, proposal

if TYPE_CHECKING:
    from holdfast.node.service import Service


def claims_of(replica: Service, view: View) -> tuple[tuple[Claim, ...], tuple[ClaimId, ...]]:
    """What is asked for, or sold, when a no-show is taken back, and what ends with it; nothing
    where nothing had been given up. Raises NotAvailable where nothing is free that suits, and
    BadTransition where a change of place waits for its answer elsewhere."""
    if not view.claims or _nothing_given_up(replica, view):
        return (), ()
    held = [*view.occupying, *view.pending]
    own = selling.own_ends(replica, view, held)
    others = [claim for claim in held if claim.id not in own]
    if others:
        return _asked_again(replica, view, others), ()
    claims = _to_be_had(replica, view, own)
    return claims, own


def _nothing_given_up(replica: Service, view: View) -> bool:
    """Whether their time had passed when they were marked, or the mark was imported: then the place
    stays theirs."""
    now_ms = replica.clock.now_ms()
    marked_ms = view.no_show_at_ms or now_ms
    return bool(view.live) and all(claim.end * 1000 <= marked_ms for claim in view.live)


def _asked_again(replica: Service, view: View, others: list[ClaimView]) -> tuple[Claim, ...]:
    """The same place, asked of the one who holds it, or was asked for it."""
    if any(claim.state in (STANDBY, READY, SPARE) for claim in others):
        raise BadTransition(
            f"whether {view.code} could be moved is not answered yet; take the no-show back then, "
            "or seat the guests as a walk-in",
            view.status,
        )
    rights = replica.rights(view.book)
    holders = {
        rights.holder(claim.id, claim.right, claim.end) if claim.state == LIVE else claim.asks
        for claim in others
    }
    holder = holders.pop() if len(holders) == 1 else HUB
    asks = b"" if holder == HUB else holder
    same = view.live or wished_claims(view)
    return tuple(msgspec.structs.replace(wish_of(claim), asks=asks) for claim in same)


def _to_be_had(replica: Service, view: View, ending: tuple[ClaimId, ...]) -> tuple[Claim, ...]:
    """The same place for the same time, else another that suits, else one for the rest of their
    time: sold where this replica has the right to it, else asked for."""
    venue = replica.venue(recording.venue_of(view))
    before = shown_claims(view)
    start, end = min(claim.start for claim in before), max(claim.end for claim in before)
    buffer = before[0].buffer
    now_s = replica.clock.now_ms() // 1000 // 60 * 60
    spans = [start, now_s] if start < now_s < end else [start]
    same = Choice(
        tuple(claim.resource for claim in before), tuple(claim.quantity for claim in before)
    )
    stands = all(
        (resource := venue.resource(name)) is not None and resource.active
        for name in same.resources
    )
    found = None
    if stands:
        found = _free(replica, venue, [same], [start], end, ending)
    found = found or _free(
        replica, venue, _suitable(venue, view, start, end, buffer), spans, end, ending
    )
    if found is None:
        until = wall.format_time(venue.venue, end)[11:16]
        raise NotAvailable(
            f"the place of {view.code} was given up with the no-show and is taken since, and "
            f"nothing else is free until {until}: put its guests on the waitlist, or seat them as "
            "a walk-in when something is",
            [],
        )
    begin, choice = found
    wanted = [
        Claim(resource, begin, end, quantity, buffer)
        for resource, quantity in zip(choice.resources, choice.quantities, strict=True)
    ]
    terms = selling.terms(replica, venue, wanted, ending)
    if not terms.guaranteed:
        return tuple(msgspec.structs.replace(claim, asks=terms.asks) for claim in wanted)
    return tuple(
        msgspec.structs.replace(claim, right=right)
        for claim, right in zip(wanted, terms.rights, strict=True)
    )


def _suitable(venue: VenueIndex, view: View, start: int, end: int, buffer: int) -> list[Choice]:
    """Every other choice, those in the area that they asked for first."""
    first = venue.resource(shown_claims(view)[0].resource)
    quantity = None
    if first is not None and first.counts_units:
        quantity = sum(claim.quantity for claim in shown_claims(view))
    kind = None if first is None else first.kind
    area = area_named(venue, view.area)
    place = Place(start, end - buffer, view.nights or None, view.party_size, quantity, buffer)
    wanted = proposal(place, Asked(view.kind, moved=view, resource_kind=kind))
    found: list[Choice] = []
    for wished in dict.fromkeys((area, None)):
        fitting = candidates(
            venue, view.party_size, quantity, kind, wished, below_minimum=view.kind != "guest"
        )
        found += offering.left_open(venue, wanted, list(fitting))
    return found


def _free(
    replica: Service,
    venue: VenueIndex,
    choices: list[Choice],
    starts: list[int],
    end: int,
    ignoring: tuple[ClaimId, ...],
) -> tuple[int, Choice] | None:
    """The first start from which one of the choices is free until the end, with that choice."""
    for start in starts:
        found = offering.first_free(replica, venue, choices, start, end, ignoring=ignoring)
        if found is not None:
            return start, found
    return None
