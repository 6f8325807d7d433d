"""The waitlist at this replica: joined, offered, accepted, left.

Owns the commands; whose turn it is `model.waitlist` says. An offer is a place that is held for
somebody who waits: it is accepted by reserving it (`holds.reserve`), and lapses like a hold
(`lapsing`). Two devices may offer one guest a place each without knowing of each other: the claims
of one set are in force, as for any reservation, so that nobody gets two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.model import approval, calendar, lifecycle, waitlist, wall
from holdfast.model.areas import area_asked, area_code, area_named
from holdfast.model.errors import (
    BadTransition,
    Conflict,
    Gone,
    Invalid,
    NotAvailable,
    NotFound,
    RuleViolated,
)
from holdfast.model.events import Form, ReservationCreated, ReservationMoved
from holdfast.model.forms import WAITLIST
from holdfast.model.ids import uuid_text
from holdfast.model.limits import (
    HOLD_MINUTES_MAX,
    PRIORITY_MAX,
    WAITING_PER_DEVICE_MAX,
    WAITLIST_DAYS,
)
from holdfast.model.next_in_line import wishes
from holdfast.model.offers import Choice, VenueIndex, candidates
from holdfast.model.reservation import View
from holdfast.model.roles import GUEST_FACING
from holdfast.model.rules import Violation, online
from holdfast.model.rules.waiting import waiting_violations
from holdfast.model.waitlist import Place
from holdfast.node import (
    banned_contacts,
    holds,
    marking,
    offering,
    placing,
    recording,
    reserving,
    restricting,
)
from holdfast.node.asking import Asked, by_themself
from holdfast.node.asking import Place as Seat
from holdfast.node.requests import OfferRequest, ReserveRequest, WaitRequest
from holdfast.node.restricting import STAFF, Asking

if TYPE_CHECKING:
    from holdfast.node.service import Service

_CLOCK: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)\Z")
_ALL: Final = -1
"""A line is put in order before anything is cut off: whoever makes up places must not choose which
of the others are read."""
OFFER_MINUTES: Final = 15


def join(
    replica: Service, request: WaitRequest, asking: Asking = STAFF, *, by_guest: bool = False
) -> View:
    """Put a party on the waitlist of a service date; `by_guest`: they ask by themselves. Raises
    Invalid, NotFound, RuleViolated where
    it could never be offered a place then, Conflict where it would not count, Forbidden."""
    venue = replica.venue(request.venue)
    day = wall.parse_date(request.date)
    first, last = _window(venue, request)
    if request.party_size < 1:
        raise Invalid.field("party_size", f"must be at least 1, not {request.party_size}")
    if not 0 <= request.priority <= PRIORITY_MAX:
        raise Invalid.field("priority", f"must be 0 to {PRIORITY_MAX}")
    reserving.check_words("guest", request.source, None, {})
    area = area_asked(venue, request.area)
    now_ms = replica.clock.now_ms()
    if last * 1000 < now_ms:
        raise Invalid.field("to", "is over; ask for a later time or day")
    agent = reserving.agent_of(replica, request.user_id, request.agent_id)
    asked = Asked("guest", request.source or "direct", agent, by_guest)
    found = waiting_violations(
        venue.venue, request.party_size, day, now_ms // 1000, by_guest=by_themself(asked)
    )
    _require_possible(venue, request, area, found)
    restricting.require(replica, venue, agent, "guest", start=first, exclude=b"", asking=asking)
    until = min(now_ms + WAITLIST_DAYS * 86_400_000, last * 1000)
    with replica.transaction():
        _require_room(replica, request)
        banned_contacts.require(replica, venue, agent, request.guest, "guest", asking=asking)
        book = replica.book_of(request.venue)
        place = replica.reservation_ids.next(replica.identity.incarnation, now_ms)
        event = ReservationCreated(
            agent_id=agent,
            party_size=request.party_size,
            code=reserving.next_code(replica, venue, book, now_ms // 1000),
            service_date=day.isoformat(),
            source=asked.source,
            resource_kind=request.resource_kind or "",
            area=area_code(area),
            card=reserving.sealed_card(replica, venue, agent, request.guest),
            starts_at=first,
            ends_at=last,
            form=Form(WAITLIST, until, first, last, request.priority),
            needs_approval=approval.is_needed(
                venue.venue, asked.kind, by_themself=by_themself(asked)
            ),
        )
        with recording.refused_as_invalid():
            replica.append(book, event, subject=place)
        return recording.view_of(replica, place, book)


def _require_possible(
    venue: VenueIndex, request: WaitRequest, area: str, found: list[Violation]
) -> None:
    if found:
        raise placing.refusal(found, [])
    kind = request.resource_kind or venue.usual_kind(area)
    if next(candidates(venue, request.party_size, None, kind, area or None), None) is None:
        raise placing.never(venue, request.party_size, 1, kind, area)


def line(replica: Service, venue: str, date: str) -> list[Place]:
    """Who waits for a place on a service date, in order. Raises NotFound, Invalid."""
    replica.venue(venue)
    wall.parse_date(date)
    with replica.lock:
        book = replica.book_of(venue)
        views = replica.store.projections.select(book=book, date=date, limit=_ALL, waiting=True)
        return waitlist.line(views, _screens(replica, book))


def lines(replica: Service, venue: str) -> list[Place]:
    """Who waits at a venue from today on, date by date. Raises NotFound."""
    index = replica.venue(venue).venue
    today = calendar.service_date(index, replica.clock.now_ms() // 1000)
    with replica.lock:
        book = replica.book_of(venue)
        views = replica.store.projections.select(
            book=book, starts_from=calendar.service_day(index, today)[0], waiting=True, limit=_ALL
        )
        screens = _screens(replica, book)
    by_date: dict[str, list[View]] = {}
    for view in views:
        by_date.setdefault(view.service_date, []).append(view)
    return [
        place
        for date in sorted(by_date.keys() - {""})
        for place in waitlist.line(by_date[date], screens)
    ]


def _screens(replica: Service, book: str) -> frozenset[str]:
    """The names of the devices at which guests ask by themselves, whatever life of theirs."""
    authors = replica.authors(book).values()
    return frozenset(one.info.name for one in authors if one.role in GUEST_FACING)


def _require_room(replica: Service, request: WaitRequest) -> None:
    """Raises Conflict where one place more of this device would count for nothing."""
    own = replica.identity
    if own.role not in GUEST_FACING:
        return
    waiting = sum(
        one.view.made_by == own.name for one in line(replica, request.venue, request.date)
    )
    if waiting >= WAITING_PER_DEVICE_MAX:
        raise Conflict(
            f"{own.name} has put {waiting} parties on the waitlist of {request.date}, which is all "
            "that count of it; a front desk puts further ones there"
        )


def place_of(replica: Service, view: View) -> Place:
    """Where somebody stands in the line; position 0: not in it any more."""
    for place in line(replica, recording.venue_of(view), view.service_date):
        if place.view.id == view.id:
            return place
    return Place(view, 0, waitlist.state_of(view))


def offer(replica: Service, reference: str, request: OfferRequest) -> View:
    """Hold a place for somebody who waits: the first that fits, or the one that is named. Raises
    NotAvailable where none is free, RuleViolated where the venue is out of service, Invalid, Gone,
    BadTransition."""
    if request.minutes is not None and not 1 <= request.minutes <= HOLD_MINUTES_MAX:
        raise Invalid.field("minutes", f"must be 1 to {HOLD_MINUTES_MAX}")
    with replica.transaction():
        view = _waiting(replica, reference)
        if view.occupying or view.pending:
            raise BadTransition(f"{view.code} has an offer already", view.status)
        venue = replica.venue(recording.venue_of(view))
        usual = venue.venue.policies.waitlist_offer_minutes or OFFER_MINUTES
        minutes = usual if request.minutes is None else request.minutes
        if not venue.venue.active:
            said = online.out_of_service(venue.venue)
            raise RuleViolated(said.message, [{"rule": said.rule, "message": said.message}])
        found = fitting(replica, venue, view, request)
        if found is None:
            raise NotAvailable(
                f"nothing is free for {view.party_size} in the time that {view.code} waits for"
            )
        return give(replica, venue, view, *found, minutes=minutes)


def fitting(
    replica: Service, venue: VenueIndex, view: View, request: OfferRequest
) -> tuple[Seat, Choice] | None:
    """The first place that fits somebody who waits, as far as is known here; of a venue that is out
    of service, none."""
    assert view.form is not None
    if not venue.venue.active:
        return None
    now_s = replica.clock.now_ms() // 1000
    buffer = venue.venue.buffer_minutes * 60
    starts, length, choices = wishes(venue, view, request.resources)
    if request.starts_at is not None:
        starts = [wall.local_to_epoch(venue.venue, request.starts_at)]
    for start in starts:
        if max(view.form.earliest, now_s) <= start <= view.form.latest:
            end = start + length
            choice = offering.first_free(replica, venue, choices, start, end + buffer)
            if choice is not None:
                return Seat(start, end, None, view.party_size, None, buffer), choice
    return None


def give(
    replica: Service,
    venue: VenueIndex,
    view: View,
    place: Seat,
    choice: Choice,
    *,
    minutes: int,
) -> View:
    """Write an offer. Call inside `transaction`."""
    until = replica.clock.now_ms() + minutes * 60_000
    date = calendar.service_date(venue.venue, place.start).isoformat()
    written = placing.claims_of(replica, venue, place, choice, view)
    fields = {"expires_at_ms": until}
    if date != view.service_date:
        raise Invalid.field("starts_at", f"is on {date}; {view.code} waits for {view.service_date}")
    return recording.write(
        replica, view, ReservationMoved(fields), claims=written.claims, ends=written.ends
    )


def accept(
    replica: Service,
    reference: str,
    request: ReserveRequest,
    asking: Asking = STAFF,
    *,
    by_guest: bool = False,
) -> View:
    """Take what was offered. Raises Gone where the offer has lapsed, NotAvailable where there is
    none, BadTransition, and as `holds.reserve`."""
    view = _waiting(replica, reference)
    if view.live or view.pending:
        return holds.take(replica, view, request, asking, by_guest=by_guest)
    if waitlist.lapsed_offers(view):
        raise Gone(f"the offer to {view.code} has lapsed; it still waits for the next one")
    raise NotAvailable(f"nothing is offered to {view.code} yet")


def remove(
    replica: Service, reference: str, reason: str | None = None, *, by_guest: bool = False
) -> View:
    """Leave the waitlist, also for good after having been displaced: that ends what a person was to
    look at, so the house says why; who leaves by themself (`by_guest`) need not. Raises Invalid,
    Gone, BadTransition, NotFound."""
    with replica.transaction():
        view = found(replica, reference)
        if waitlist.state_of(view) != waitlist.DISPLACED:
            view = _standing(view)
        elif reason is None and not by_guest:
            raise Invalid.field(
                "reason",
                f"{view.code} waits because its place was promised to somebody else before; to "
                f"take it off ends that case (`holdfast exceptions show {view.code}`). Say why, as "
                "`--reason guest_request` or `--reason found_alternative`, or give them another "
                f"place: `holdfast exceptions resolve {view.code} --action move`",
            )
        return marking.cancel(replica, uuid_text(view.id), reason or "not_needed", late=True)


def found(replica: Service, reference: str) -> View:
    """Somebody who waits or waited, or was displaced. Raises NotFound."""
    view = recording.find(replica, reference)
    if not waitlist.is_waiting(view) and not waitlist.is_in_line(view):
        raise NotFound(f"{reference} is not on the waitlist")
    return view


def quoted_minutes(replica: Service, place: Place, now_s: int) -> int | None:
    """How long somebody will wait, as far as this replica can tell: until as many fitting places
    start to be free as there are parties before them. None: not within their time."""
    view = place.view
    if view.form is None or place.state != waitlist.WAITING:
        return None
    venue = replica.venue(recording.venue_of(view))
    length = calendar.default_minutes(venue.venue, view.party_size) * 60
    buffer = venue.venue.buffer_minutes * 60
    area = area_named(venue, view.area) or None
    choices = [
        choice
        for choice in candidates(venue, view.party_size, None, view.resource_kind or None, area)
        if len(choice.resources) == 1
    ]
    occupancy = replica.store.projections.occupancy(view.book)
    step = venue.venue.slot_minutes * 60
    start = max(view.form.earliest, now_s)
    while start <= view.form.latest:
        free = sum(
            max(0, occupancy.free(name, venue.resource_by_id[name].capacity, start, end))
            for choice in choices
            for name in choice.resources
            if (end := start + length + buffer)
        )
        if free >= place.position:
            return max(0, -(-(start - now_s) // 60))
        start = start - start % step + step
    return None


def _waiting(replica: Service, reference: str) -> View:
    view = found(replica, reference)
    if waitlist.state_of(view) == waitlist.DISPLACED:
        raise BadTransition(
            f"{view.code} lost its place; a person gives it another (`holdfast exceptions resolve "
            f"{view.code} --action move`)",
            view.status,
        )
    return _standing(view)


def _standing(view: View) -> View:
    if view.status == lifecycle.EXPIRED:
        raise Gone(f"{view.code} waited in vain; its time is over")
    if view.status != lifecycle.INTENT:
        state = waitlist.state_of(view)
        raise BadTransition(f"{view.code} does not wait any more: it was {state}", view.status)
    return view


def _window(venue: VenueIndex, request: WaitRequest) -> tuple[int, int]:
    """The first and the last start that would do, in epoch seconds."""
    start, end = calendar.service_day(venue.venue, wall.parse_date(request.date))
    first = _instant(venue, request, request.earliest, "from", start)
    last = _instant(venue, request, request.latest, "to", end - 1)
    if not start <= first <= last < end:
        raise Invalid.field("to", f"from and to must lie in {request.date}, and from before to")
    return first, last


def _instant(
    venue: VenueIndex, request: WaitRequest, text: str | None, field: str, otherwise: int
) -> int:
    if text is None:
        return otherwise
    clock = _CLOCK.match(text)
    if clock is None:
        return wall.local_to_epoch(venue.venue, text, field)
    minutes = int(clock[1]) * 60 + int(clock[2])
    if minutes < venue.venue.day_starts_at:
        # After midnight of a service that began the evening before.
        minutes += 24 * 60
    return wall.wall_to_epoch(venue.venue, wall.parse_date(request.date), minutes)
