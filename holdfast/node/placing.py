"""When, for how many, and where: a request as the venue's calendar, rules and resources see it.

Owns the way from a request to claims, which making and moving a reservation have in common, and
what is said when nothing is free. Writes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.model import calendar, rules, wall
from holdfast.model.claims import READY
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.errors import Invalid, NotAvailable, RuleViolated
from holdfast.model.offers import Choice, VenueIndex, most_people
from holdfast.model.reservation import View, standing_claims
from holdfast.node import offering, selling
from holdfast.node.requests import AvailabilityRequest, CreateRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service


ALTERNATIVES: Final = 3


@dataclass(frozen=True, slots=True)
class Place:
    """When, how long and for how many: a request that the venue's calendar has understood."""

    start: int
    end: int
    nights: int | None
    party_size: int
    quantity: int | None
    buffer: int


def place_of(venue: VenueIndex, request: CreateRequest) -> Place:
    """The place that a request asks for. Raises Invalid, RuleViolated."""
    if request.party_size < 1:
        raise Invalid.field("party_size", f"must be at least 1, not {request.party_size}")
    interval = calendar.reservation_interval(
        venue.venue,
        request.starts_at,
        request.party_size,
        duration_minutes=request.duration_minutes,
        ends_at=request.ends_at,
        nights=request.nights,
    )
    return Place(
        interval.start, interval.end, interval.nights, request.party_size, request.quantity,
        venue.venue.buffer_minutes * 60,
    )  # fmt: skip


def check_rules(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    kind: str,
    exclude: bytes = b"",
    start: int | None = None,
) -> None:
    """What the venue does not want, told with alternatives; `exclude` is the reservation that is
    being moved, `start` its present start: who only goes to another table, or stays longer, is not
    told that the start is over. Raises RuleViolated."""
    pacing = 0
    if venue.venue.covers_per_slot is not None and place.nights is None:
        pacing = offering.covers_in_slot(replica, venue, place.start, exclude)
    found = rules.violations(
        venue.venue,
        rules.Proposal(place.party_size, place.start, place.end, kind, place.nights),
        replica.clock.now_ms() // 1000,
        pacing,
    )
    if start == place.start:
        found = [violation for violation in found if violation["rule"] not in rules.OF_THE_START]
    if found:
        raise RuleViolated(
            " ".join(violation["message"] for violation in found),
            found,
            _alternatives(replica, venue, place),
        )


def not_available(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    resources: Sequence[str],
    kind: str | None = None,
    area: str | None = None,
) -> NotAvailable | RuleViolated:
    """The error to raise where no choice is free, with the nearest slots that are.

    RuleViolated where there is no choice at any time: another time would not help.
    """
    if not resources:
        here = (kind or venue.default_kind, area or "")
        if not venue.offers(place.party_size, place.quantity or 1, *here):
            return never(venue, place.party_size, place.quantity or 1, *here)
    what = " and ".join(resources) if resources else f"a place for {place.party_size}"
    when = wall.format_time(venue.venue, place.start)[:16].replace("T", " ")
    alternatives = _alternatives(replica, venue, place)
    way_out = "try one of the alternatives" if alternatives else "try another time or day"
    return NotAvailable(
        f"{what} at {when} is not free at {venue.venue.name}; {way_out}",
        alternatives,
        waitlist_available=_may_wait(replica, venue, place),
    )


def _may_wait(replica: Service, venue: VenueIndex, place: Place) -> bool:
    """Whether who did not get a place may wait for one on that day."""
    day = calendar.service_date(venue.venue, place.start)
    now_s = replica.clock.now_ms() // 1000
    return place.nights is None and not rules.waiting_violations(
        venue.venue, place.party_size, day, now_s
    )


def never(venue: VenueIndex, party_size: int, quantity: int, kind: str, area: str) -> RuleViolated:
    """For a party that no resource of a kind and area, and no combination of them, ever takes."""
    most = most_people(venue, kind, area, quantity)
    where = f"{kind} of {venue.venue.name}" + (f" in {area}" if area else "")
    together = "" if quantity > 1 else ", and no combination,"
    if most is None or party_size <= most:
        message = f"No {where}{together} is for {party_size} at any time; name the place."
    elif most == 0:
        message = f"No {where} has {quantity} units; ask for fewer."
    else:
        message = (
            f"No {where}{together} takes {party_size} people at any time: {most} at the "
            "most. Make several reservations."
        )
    return RuleViolated(message, [{"rule": "seats", "message": message}])


def _alternatives(replica: Service, venue: VenueIndex, place: Place) -> list[dict[str, Any]]:
    """The nearest free slots of the same service date."""
    request = AvailabilityRequest(
        venue=venue.venue.id,
        party_size=place.party_size,
        date=calendar.service_date(venue.venue, place.start).isoformat(),
        duration_minutes=None if place.nights else (place.end - place.start) // 60,
        nights=place.nights,
        quantity=place.quantity,
    )
    with contextlib.suppress(Invalid, RuleViolated):
        slots = offering.slots(replica, venue, request)
        slots.sort(key=lambda slot: abs(slot.start - place.start))
        near = sorted(slots[:ALTERNATIVES], key=lambda slot: slot.start)
        return [offering.render_slot(venue, slot) for slot in near]
    return []


class Written(NamedTuple):
    """The claims of a choice, what ends with them, and the reason that the entry names for being
    granted beyond the capacity; none where the writer sells within it."""

    claims: tuple[Claim, ...]
    ends: tuple[ClaimId, ...]
    override: str


def claims_of(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    choice: Choice,
    view: View | None = None,
    *,
    sold: bool = True,
    override: str = "",
    beyond: bool = False,
) -> Written:
    """The claims of a choice, and what ends with them of the reservation that is moved.

    From rights of one's own they count at once, and what is one's own of the old ends in the same
    entry; what others hold is named, and stays until its holder ends it (DESIGN §5.6). `sold`
    False: they are asked for like anybody's, of this replica too. `override` is the reason of
    somebody who may have a place beyond the capacity; `beyond`: there is no other.
    """
    wanted = [
        Claim(resource, place.start, place.end + place.buffer, quantity, place.buffer)
        for resource, quantity in zip(choice.resources, choice.quantities, strict=True)
    ]
    live, waiting = ([], []) if view is None else (view.live, view.pending)
    own = () if view is None else selling.own_ends(replica, view, live)
    if view is None or len(own) < len(live):
        # What another holds, even in part, is given up by all its holders together.
        own = ()
    elif not any(claim.state == READY for claim in view.claims):
        own += selling.own_ends(replica, view, waiting)
    terms = selling.terms(replica, venue, wanted, own, sell=sold, override=beyond)
    # A pending change is what the next one follows. What was granted beside the old place is never
    # ended on its holder's own view: the old place may be given up for it at this moment (§5.6).
    standing = [] if view is None else standing_claims(view)
    named = [claim.id for claim in standing or [*live, *waiting]]
    if terms.guaranteed:
        named = [claim.id for claim in [*standing, *live, *waiting] if claim.id not in own]
    made = tuple(
        msgspec.structs.replace(
            claim,
            right=terms.rights[index] if terms.guaranteed else b"",
            asks=terms.asks,
            replaces=named[min(index, len(named) - 1)] if named else None,
        )
        for index, claim in enumerate(wanted)
    )
    if terms.guaranteed:
        return Written(made, own, override if terms.overbooked else "")
    return Written(made, (), override)
