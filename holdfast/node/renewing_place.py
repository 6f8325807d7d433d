"""The place of guests who were marked as a no-show and came after all.

Owns what they are given: with the mark their place was given up (DESIGN §5.5), so it is asked for
anew. Where this replica has it to give they have it at once, or another that suits where somebody
sits there now. Where another holds it, and may be giving it away at this moment, that one answers,
of places of its own: it decides between its own words and nobody else's (decision 0024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from holdfast.model import wall
from holdfast.model.areas import area_named
from holdfast.model.claims import ENDED, LIVE, READY, SPARE, STANDBY, ClaimView, wish_of
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
    held = [*view.occupying, *view.pending]
    own = selling.own_ends(replica, view, held)
    others = [claim for claim in held if claim.id not in own]
    if any(claim.state in (STANDBY, READY, SPARE) for claim in others):
        raise BadTransition(
            f"whether {view.code} could be moved is not answered yet; take the no-show back then, "
            "or seat the guests as a walk-in",
            view.status,
        )
    if not view.claims or _nothing_given_up(view):
        return (), ()
    had = _had(view)
    home = _home(replica, view, had)
    if others:
        return tuple(replace(wish_of(claim), asks=home) for claim in had), ()
    return _to_be_had(replica, view, had, home, own), own


def _nothing_given_up(view: View) -> bool:
    """Whether their time had passed when they were marked, or nobody marked them here: the no-show
    was imported. Then the place is theirs still."""
    return bool(view.live) and all(
        not view.no_show_at_ms or claim.end * 1000 <= view.no_show_at_ms for claim in view.live
    )


def _had(view: View) -> list[ClaimView]:
    """The whole of the place that they had, or had asked for: also where a part of it is ended."""
    shown = view.live or wished_claims(view) or shown_claims(view)
    operations = {claim.id.operation for claim in shown}
    return [
        claim
        for claim in view.claims
        if claim.id.operation in operations and (claim in shown or claim.state == ENDED)
    ]


def _home(replica: Service, view: View, had: list[ClaimView]) -> bytes:
    """Who alone gives a place: who held the one that was given up, or was asked for it. Two devices
    that take a no-show back apart would else each give one of their own."""
    rights = replica.rights(view.book)
    homes = {
        rights.holder(claim.id, claim.right, claim.end)
        if claim.state in (LIVE, ENDED)
        else rights.asked(claim.asks, wish_of(claim))
        for claim in had
    }
    return homes.pop() if len(homes) == 1 else HUB


def _to_be_had(
    replica: Service, view: View, had: list[ClaimView], home: bytes, ending: tuple[ClaimId, ...]
) -> tuple[Claim, ...]:
    """The same place for the same time, else another that suits, else one for the rest of their
    time: of what its home has, and where this replica is that, of what others have."""
    venue = replica.venue(recording.venue_of(view))
    start, end = min(claim.start for claim in had), max(claim.end for claim in had)
    buffer = had[0].buffer
    now_s = replica.clock.now_ms() // 1000 // 60 * 60
    spans = [start, now_s] if start < now_s < end else [start]
    same = Choice(tuple(claim.resource for claim in had), tuple(claim.quantity for claim in had))
    own = home == replica.account
    found = None
    if all(
        (resource := venue.resource(name)) is not None and resource.active
        for name in same.resources
    ):
        found = _free(replica, venue, [same], [start], end, ending)
    if found is None:
        others = _suitable(venue, view, had, start, end)
        if not own:
            others = [one for one in others if _asked(replica, venue, one, start, end) == home]
        found = _free(replica, venue, others, spans, end, ending)
    if found is None:
        until = wall.format_time(venue.venue, end)[:16].replace("T", " ")
        raise NotAvailable(
            f"the place of {view.code} was given up with the no-show and is taken since, and "
            f"nothing else is free until {until}: put its guests on the waitlist, or seat them as "
            "a walk-in when something is",
            [],
        )
    begin, choice = found
    wanted = [replace(claim, buffer=buffer) for claim in offering.claims_for(choice, begin, end)]
    if not own:
        return tuple(replace(claim, asks=home) for claim in wanted)
    terms = selling.terms(replica, venue, wanted, ending)
    if not terms.guaranteed:
        return tuple(replace(claim, asks=terms.asks) for claim in wanted)
    return tuple(
        replace(claim, right=right) for claim, right in zip(wanted, terms.rights, strict=True)
    )


def _asked(replica: Service, venue: VenueIndex, choice: Choice, start: int, end: int) -> bytes:
    """Who would be asked for a choice."""
    wanted = offering.claims_for(choice, start, end)
    return selling.terms(replica, venue, wanted, sell=False).asks


def _suitable(
    venue: VenueIndex, view: View, had: list[ClaimView], start: int, end: int
) -> list[Choice]:
    """Every other choice, those in the area that they asked for first."""
    first = venue.resource(had[0].resource)
    quantity = None
    if first is not None and first.counts_units:
        quantity = sum(claim.quantity for claim in had)
    kind = None if first is None else first.kind
    area = area_named(venue, view.area)
    place = Place(
        start, end - had[0].buffer, view.nights or None, view.party_size, quantity, had[0].buffer
    )
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
