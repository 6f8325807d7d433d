"""A supervisor's override at this replica: read, checked, and what it may have.

Owns whose word here asks for a place beyond the capacity, which place is taken where none is named,
and what is said where the limit forbids it. The rule itself is `model.overbooking`'s; a device that
is asked by another reads the same words from the entry.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from holdfast.model import calendar, overbooking
from holdfast.model.claims import REQUESTS
from holdfast.model.entries import ClaimId
from holdfast.model.errors import Invalid, RoleForbidden, RuleViolated
from holdfast.model.offers import Choice, VenueIndex
from holdfast.model.reservation import content_of
from holdfast.model.roles import OVERRIDERS
from holdfast.model.vocabulary import OVERRIDE_REASONS
from holdfast.node import offering, selling
from holdfast.node.reasons import reason_code
from holdfast.node.requests import Override

if TYPE_CHECKING:
    from holdfast.node.replica import Replica
    from holdfast.node.service import Service
    from holdfast.store.projections import Record


def reason_of(replica: Service, override: Override | None) -> str:
    """The code of an override that a request asks for; empty where it asks for none. Raises
    Invalid for a word that is on no list, RoleForbidden at a device that nobody of the house stands
    at."""
    if override is None:
        return ""
    code = reason_code(override.reason, OVERRIDE_REASONS, field="override.reason")
    role = replica.identity.role
    if role not in OVERRIDERS:
        raise RoleForbidden(
            f"a {role} overbooks nothing: nobody of the house stands there. Make the reservation "
            "at a front desk or at the hub."
        )
    return code


def override_in(replica: Replica, record: Record, operation: bytes) -> str:
    """The reason with which an operation asks for a place beyond the capacity, if its writer
    may."""
    for seen in record.seen:
        if seen.operation == operation and seen.kind in REQUESTS:
            author = replica.book(record.book).authors.get(seen.node)
            if author is not None:
                return overbooking.override_of(content_of(seen), author.info.role)
    return ""


def goes_beyond(
    replica: Service,
    venue: VenueIndex,
    choice: Choice,
    start: int,
    end: int,
    *,
    ignoring: Collection[ClaimId] = (),
) -> bool:
    """Whether a choice of which enough is left in all is had from nobody, as far as is known here:
    neither this replica nor the one that would be asked has so much of it."""
    claims = offering.claims_for(choice, start, end)
    terms = selling.terms(replica, venue, claims, ignoring)
    if terms.guaranteed:
        return False
    book = replica.book_of(venue.venue.id)
    stock = selling.stock_of(replica, book, venue, terms.asks)
    return any(stock.right_for(claim, ignoring) is None for claim in claims)


def least_overbooked(
    replica: Service,
    venue: VenueIndex,
    choices: Sequence[Choice],
    start: int,
    end: int,
    *,
    ignoring: Collection[ClaimId] = (),
) -> Choice:
    """Of choices none of which is free, the one that goes least beyond the capacity, as far as is
    known here; among equals what this replica can sell by itself, then the first. Raises
    RuleViolated where the limit forbids all of them."""
    found: list[tuple[int, bool, int]] = []
    problems: list[str] = []
    for number, choice in enumerate(choices):
        short, problem = _shortage(replica, venue, choice, start, end, ignoring)
        if problem:
            problems.append(problem)
            continue
        claims = offering.claims_for(choice, start, end)
        terms = selling.terms(replica, venue, claims, ignoring, override=True)
        found.append((short, not terms.guaranteed, number))
    if not found:
        raise _refused(problems)
    return choices[min(found)[2]]


def _shortage(
    replica: Service,
    venue: VenueIndex,
    choice: Choice,
    start: int,
    end: int,
    ignoring: Collection[ClaimId],
) -> tuple[int, str]:
    """How many places of a choice are missing, with all that is asked for; and why it cannot be
    overbooked, in a sentence."""
    book = replica.book_of(venue.venue.id)
    occupancy, rights = replica.store.projections.occupancy(book), replica.rights(book)
    missing, holders = 0, set()
    for name, quantity in zip(choice.resources, choice.quantities, strict=True):
        capacity = venue.resource_by_id[name].capacity
        short = quantity - occupancy.free(name, capacity, start, end, ignoring=ignoring)
        limit = overbooking.limit(venue.venue, name, start, end)
        holders.add(overbooking.overbooker(rights, name, start, end))
        if short > limit or quantity > capacity:
            return 0, _over_limit(venue, name, start, limit)
        missing += max(short, 0)
    if None in holders or len(holders) > 1:
        return 0, (
            f"Nobody may overbook {' and '.join(choice.resources)} at that time: no holder alone"
            " has it for all of it. Take another time or place, or let the devices return it"
            " (`holdfast allotments return`)."
        )
    return missing, ""


def _over_limit(venue: VenueIndex, resource: str, start: int, limit: int) -> str:
    date = calendar.service_date(venue.venue, start).isoformat()
    if not limit:
        return (
            f"{resource} on {date} may not be overbooked: the limit is 0. Take another time or "
            "place, or set a limit under `overbooking` in the venue file."
        )
    return (
        f"{resource} on {date} is overbooked by its limit of {limit} already. Take another time or "
        "place, or raise the limit under `overbooking` in the venue file."
    )


def _refused(problems: Sequence[str]) -> RuleViolated:
    message = problems[0] if problems else "Nothing here suits this party."
    return RuleViolated(message, [{"rule": "overbooking-limit", "message": message}])


def require_place(override: str, moves: bool) -> None:
    """An override is for a place: a change that asks for none cannot use it. Raises Invalid."""
    if override and not moves:
        raise Invalid.field(
            "override", "is for a change of time, place or size, and nothing of that is asked for"
        )
