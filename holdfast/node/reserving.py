"""Making a reservation: the request read and checked, a place chosen, one entry written.

Owns the words that a request may use, who the guest is to the book, the next code and the sealing
of the card; amending uses the same. On the hub the claim is sold from its own right and confirmed
at once, and so it is on a node that holds the right to it; any other claim asks the right's holder
and stays provisional until that one has decided.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from holdfast.model import approval, calendar, codes, vocabulary, wall
from holdfast.model.areas import area_asked, area_code
from holdfast.model.errors import Invalid
from holdfast.model.events import Form, ReservationCreated, SealedCard
from holdfast.model.metadata import check_metadata
from holdfast.model.offers import Choice, VenueIndex, candidates
from holdfast.model.pseudonyms import agent_id as pseudonym
from holdfast.model.pseudonyms import is_agent_id, walk_in_agent_id
from holdfast.model.reservation import View
from holdfast.node import (
    banned_contacts,
    offering,
    overriding,
    partnering,
    placing,
    recording,
    restricting,
)
from holdfast.node.asking import Asked, Place, by_themself
from holdfast.node.requests import CreateRequest
from holdfast.node.restricting import STAFF, Asking
from holdfast.node.tracing import step

if TYPE_CHECKING:
    from holdfast.node.service import Service


def create(
    replica: Service,
    request: CreateRequest,
    asking: Asking = STAFF,
    *,
    by_guest: bool = False,
    form: Form | None = None,
) -> View:
    """Make a reservation, or (with a form) a hold: confirmed at once where this replica holds the
    right, else provisional. With an override it may be beyond the capacity, where there is no room
    otherwise. `asking`: what whoever asks may be told of a guest who is restricted; `by_guest`:
    whoever it is for asks by themself, with nobody of the house between. Under a partner's
    reference that was heard of before, the reservation that has it, and nothing is made. Raises
    Invalid, RuleViolated, RateLimited, NotAvailable, Forbidden."""
    with step("request"):
        venue = replica.venue(request.venue)
        before = partnering.known(replica, request)
        if before is not None:
            return before
        place = placing.place_of(venue, request)
        check_words(request.kind, request.source, request.occasion, request.metadata)
        override = overriding.reason_of(replica, request.override)
        agent = agent_of(replica, request.user_id, request.agent_id)
    with step("person"):
        limits = restricting.check(
            replica, venue, agent, request.kind, start=place.start, takes_one=True, asking=asking
        )
    source = request.source or ("walk_in" if request.kind == "walk_in" else "direct")
    asked = Asked(
        request.kind, source, agent, by_guest, tuple(request.resources), request.resource_kind,
        area_asked(venue, request.area) or None, features=tuple(request.features),
    )  # fmt: skip
    with replica.transaction():
        with step("rules"):
            placing.check_rules(replica, venue, place, asked, limits, plain=asking.plain)
        with step("availability"):
            choice, beyond = _choose(replica, venue, place, request, asked, plain=asking.plain)
        with step("contact"):
            banned_contacts.require(
                replica, venue, agent, request.guest, request.kind, asking=asking,
                insists=request.override is not None,
            )  # fmt: skip
        with step("right"):
            written = placing.claims_of(
                replica, venue, place, choice, override=override, beyond=beyond
            )
        reservation = replica.reservation_ids.next(
            replica.identity.incarnation, replica.clock.now_ms()
        )
        book = replica.book_of(request.venue)
        card = sealed_card(replica, venue, agent, request.guest)
        event = ReservationCreated(
            agent_id=agent,
            party_size=place.party_size,
            code=next_code(replica, venue, book, replica.clock.now_ms() // 1000),
            service_date=calendar.service_date(venue.venue, place.start).isoformat(),
            kind=request.kind,
            source=source,
            # Who asked for a window is not given a corner instead.
            may_move=not (request.resources or request.features)
            if request.may_move is None
            else request.may_move,
            resource_kind=request.resource_kind or "",
            area=area_code(asked.area or ""),
            occasion=request.occasion or "",
            nights=place.nights or 0,
            card=card,
            metadata=request.metadata,
            override=written.override,
            form=form,
            needs_approval=approval.is_needed(
                venue.venue, request.kind, by_themself=by_themself(asked)
            ),
            partner=partnering.digest_in(replica, request),
        )
        with step("create"), recording.refused_as_invalid():
            replica.append(book, event, subject=reservation, claims=written.claims)
        return recording.view_of(replica, reservation, book)


def _choose(
    replica: Service,
    venue: VenueIndex,
    place: Place,
    request: CreateRequest,
    asked: Asked,
    *,
    plain: bool,
) -> tuple[Choice, bool]:
    """The choice to take, and whether that is beyond the capacity."""
    found = candidates(
        venue,
        place.party_size,
        place.quantity,
        request.resource_kind,
        asked.area,
        asked.resources,
        below_minimum=request.kind != "guest",
        one_chair_more=request.override is not None,
        features=asked.features,
    )
    choices = placing.permitted(replica, venue, place, asked, list(found))
    end = place.end + place.buffer
    choice = offering.first_free(replica, venue, choices, place.start, end)
    if choice is not None:
        insists = request.override is not None
        return choice, insists and overriding.goes_beyond(replica, venue, choice, place.start, end)
    if request.override is not None and choices:
        return overriding.least_overbooked(replica, venue, choices, place.start, end), True
    raise placing.not_available(replica, venue, place, asked, choices, plain=plain)


def check_words(
    kind: str, source: str | None, occasion: str | None, metadata: dict[str, Any]
) -> None:
    """Raises Invalid, naming every field at fault."""
    problems = []
    for field, value, allowed in (
        ("kind", kind, vocabulary.RESERVATION_KINDS),
        ("source", source, vocabulary.SOURCES),
        ("occasion", occasion, vocabulary.OCCASIONS),
    ):
        if value is not None and value not in allowed:
            message = f"must be one of {', '.join(sorted(allowed))}"
            problems.append({"field": field, "message": message})
    problem = check_metadata(metadata) if metadata else None
    if problem:
        problems.append({"field": "metadata", "message": problem})
    if problems:
        detail = "; ".join(f"{p['field']}: {p['message']}" for p in problems)
        raise Invalid(detail, problems)


def agent_of(replica: Service, user_id: str | None, agent: str | None) -> str:
    """Who the guest is to the book: a pseudonym of `user_id`, the one given, or one made up for a
    walk-in. Raises Invalid."""
    return named_agent(replica, user_id, agent) or walk_in_agent_id(os.urandom(20))


def named_agent(replica: Service, user_id: str | None, agent: str | None) -> str:
    """The same of whoever is named; empty where nobody is. Raises Invalid."""
    if user_id is not None and agent is not None:
        raise Invalid.field("agent_id", "give user_id or agent_id, not both")
    if user_id is not None:
        if not user_id:
            raise Invalid.field("user_id", "must not be empty; leave it out for a walk-in")
        return pseudonym(replica.identity.pseudonym_key, user_id)
    if agent is not None and not is_agent_id(agent):
        raise Invalid.field("agent_id", "must be agent_ and 32 characters")
    return agent or ""


def next_code(replica: Service, venue: VenueIndex, book: str, made_s: int) -> str:
    """The next code of this incarnation: its chain position under a granted prefix, with the
    venue-local year of making."""
    position = replica.tip(book)[0] + 1
    year = wall.local_date(venue.venue, made_s).year
    prefixes = replica.book(book).administration.prefixes.get(replica.identity.incarnation, ())
    round_, counter = divmod(position, codes.COUNTERS)
    if round_ < len(prefixes):
        return codes.code(year, prefixes[round_], counter, replica.identity.pseudonym_key)
    return codes.fallback_code(
        year, replica.identity.incarnation, position, replica.identity.pseudonym_key
    )


def sealed_card(
    replica: Service, venue: VenueIndex, agent: str, guest: dict[str, Any] | None
) -> SealedCard | None:
    """Seal what is known of the guest; the card's key goes into the key store, not the page."""
    if not guest:
        return None
    return replica.cards.seal(venue.venue.id, agent, guest)
