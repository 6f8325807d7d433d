"""Offering what became free to whoever is next in line, by itself, where the venue asks for it.

Owns when that is looked at, and the act; who gets what, `model.next_in_line` says. A replica offers
only what it may sell by its own right, so that an offer is kept, and that two of them offer one
party something only where they do not know of each other (docs/decisions/0015): then one place
comes of it. Each look is made anew from what is free: nothing needs to be remembered over a
restart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from holdfast.model import next_in_line, rules, waitlist
from holdfast.model.entries import Claim
from holdfast.model.errors import Forbidden, HoldfastError, Invalid, RuleViolated
from holdfast.model.limits import OFFER_SECONDS
from holdfast.model.next_in_line import Allowed, Has, Offer
from holdfast.model.offers import Choice, VenueIndex
from holdfast.model.reservation import View
from holdfast.node import asking, offering, restricting, selling, waiting
from holdfast.node.asking import Asked, Place
from holdfast.node.restricting import STAFF

if TYPE_CHECKING:
    from holdfast.node.replica import Change
    from holdfast.node.service import Service

log = logging.getLogger("holdfast.waitlist")


class NextInLine:
    """Looks after every change that this replica wrote; the job `offer` does it for the rest."""

    def __init__(self, replica: Service) -> None:
        self._r = replica
        self._looking = False

    def look_after(self, changes: Iterable[Change]) -> None:
        """Something was written here: what that freed goes on at once. Raises nothing."""
        if self._looking:
            return
        self._looking = True
        try:
            # A transaction may have decided hundreds: each book is looked at once.
            for book in dict.fromkeys(change.book for change in changes if change.own):
                self._look(book)
        finally:
            self._looking = False

    def _look(self, book: str) -> None:
        try:
            offer(self._r, book)
        except HoldfastError as error:
            # What was written stands; the job comes back to this.
            log.warning(
                "nobody was offered what became free at %s: %s; it is looked at again in %d s",
                book, error.detail, OFFER_SECONDS,
            )  # fmt: skip


def offer_all(replica: Service) -> int:
    """Offer what is free in any book. Returns how many offers were made."""
    with replica.lock:
        names = list(replica.books)
    return sum(offer(replica, name) for name in names)


def offer(replica: Service, name: str) -> int:
    """Offer what is free in a book to those whose turn it is. Returns how many offers were made.
    Raises what writing raises."""
    venue = replica.book(name).administration.venue
    minutes = venue.venue.policies.waitlist_offer_minutes if venue is not None else None
    if venue is None or minutes is None or not replica.may_decide(name):
        return 0
    with replica.lock:
        if not replica.in_transaction and not replica.store.projections.held(name):
            # Most that is written is written while nobody waits.
            return 0
    made = 0
    with replica.transaction():
        replica.write_projections()
        has, allowed = _has(replica, name, venue), _allowed(replica, venue)
        now_ms = replica.clock.now_ms()
        for line in _lines(replica, name):
            for found in next_in_line.plan(venue, line, now_ms, has, allowed):
                made += _give(replica, venue, found, allowed, minutes)
    return made


def _give(
    replica: Service, venue: VenueIndex, found: Offer, allowed: Allowed, minutes: int
) -> bool:
    view = found.view
    # The offers before this one count as well for the rules, such as that of pacing.
    if not allowed(view, found.start, found.end, found.choice):
        return False
    if not replica.has_room(view.book, view.id):
        return False
    buffer = venue.venue.buffer_minutes * 60
    place = Place(found.start, found.end, None, view.party_size, None, buffer)
    try:
        waiting.give(replica, venue, view, place, found.choice, minutes=minutes)
    except Invalid as error:
        # What one of them cannot be offered must not keep the others from theirs.
        log.warning("%s was offered nothing: %s", view.code, error.detail)
        return False
    return True


def _lines(replica: Service, name: str) -> list[list[waitlist.Place]]:
    """The line of each day on which somebody waits."""
    by_date: dict[str, list[View]] = {}
    for view in replica.store.projections.held(name):
        if waitlist.is_waiting(view):
            by_date.setdefault(view.service_date, []).append(view)
    if not by_date:
        return []
    venue = name.partition("/")[2]
    return [waiting.line(replica, venue, date) for date in sorted(by_date)]


def _has(replica: Service, name: str, venue: VenueIndex) -> Has:
    own = selling.stock(replica, name, venue)
    occupancy = replica.store.projections.occupancy(name)

    def has(claim: Claim) -> bool:
        # Whom somebody else has asked for it is not passed over either.
        capacity = venue.resource_by_id[claim.resource].capacity
        free = occupancy.free(claim.resource, capacity, claim.start, claim.end)
        return free >= claim.quantity and own.right_for(claim, ()) is not None

    return has


def _allowed(replica: Service, venue: VenueIndex) -> Allowed:
    """By itself the house offers only what its rules let a guest reserve; a person may offer
    more."""

    def allowed(view: View, start: int, end: int, choice: Choice) -> bool:
        place = Place(start, end, None, view.party_size, None, venue.venue.buffer_minutes * 60)
        asked = Asked("guest", view.source, view.agent_id, moved=view)
        wanted = asking.proposal(place, asked, rules.MAKE)
        known = asking.standing(replica, venue, asked)
        question = asking.question(replica, venue, wanted, asked, known)
        if replica.rules.violations(question):
            return False
        if not offering.left_open(venue, wanted, [choice]):
            return False
        try:
            restricting.require(
                replica, venue, view.agent_id, "guest", start=start, exclude=view.id, asking=STAFF
            )
        except (Forbidden, RuleViolated):
            return False
        return True

    return allowed
