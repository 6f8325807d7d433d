"""Next in line: who of those that wait is offered what became free, by itself (S-13, H-50).

Owns the plan. It looks at what is free and not at what became so: a place that was freed while
nobody looked is found the next time, and what was offered already is not free any more. Pure: the
line, the time, and what can be had are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from holdfast.model import calendar, contradictions, wall
from holdfast.model.areas import area_named
from holdfast.model.claims import ENDED
from holdfast.model.entries import Claim
from holdfast.model.errors import HoldfastError
from holdfast.model.limits import OFFERS_UNANSWERED_MAX
from holdfast.model.offers import Choice, VenueIndex, candidates
from holdfast.model.reservation import View
from holdfast.model.waitlist import DISPLACED, WAITING, Place, lapsed_offers, waits_until_ms

Has = Callable[[Claim], bool]
"""Whether whoever plans can give a place at once, by its own right."""
Allowed = Callable[[View, int, int, Choice], bool]
"""Whether the house's rules let somebody have a choice for [start, end)."""


class Offer(NamedTuple):
    """What somebody is to be offered: [start, end) in epoch seconds, without the buffer."""

    view: View
    start: int
    end: int
    choice: Choice


def plan(
    venue: VenueIndex, line: Iterable[Place], now_ms: int, has: Has, allowed: Allowed
) -> list[Offer]:
    """Who of one day's line is offered what, in the order of the turns, nobody twice.

    Who let an offer go by comes after those who did not, is not offered the same start again, and
    after OFFERS_UNANSWERED_MAX nothing more. For who was displaced a place that would do is kept,
    since only a person can give it to them.
    """
    free = _Free(venue, has)
    found = []
    for place in sorted(line, key=_turn):
        kept = place.state == DISPLACED
        if not (_is_kept_for(place.view) if kept else _is_open(place, now_ms)):
            continue
        offer = _first(venue, place.view, now_ms // 1000, free, None if kept else allowed)
        if offer is not None:
            free.take(offer)
            if not kept:
                found.append(offer)
    return found


def _turn(place: Place) -> tuple[bool, int, int]:
    waits = place.state != DISPLACED
    return waits, waits * lapsed_offers(place.view), place.position


def _is_open(place: Place, now_ms: int) -> bool:
    """Whether somebody can be offered something by itself now."""
    return (
        place.state == WAITING
        and place.view.form is not None
        and now_ms < waits_until_ms(place.view)
        and lapsed_offers(place.view) < OFFERS_UNANSWERED_MAX
    )


def _is_kept_for(view: View) -> bool:
    """Whether a person has still to see to somebody who was displaced."""
    return any(kind == contradictions.DISPLACED for kind, _ in view.exceptions)


def _first(
    venue: VenueIndex, view: View, now_s: int, free: _Free, allowed: Allowed | None
) -> Offer | None:
    """The first that fits of what is free."""
    try:
        starts, length, choices = wishes(venue, view)
    except HoldfastError:
        # Of a venue file of other days, or of a device that writes what it likes: nothing fits.
        return None
    gone = {claim.start for claim in view.claims if claim.state == ENDED}
    for start in starts:
        if start < now_s or (allowed is not None and start in gone):
            continue
        wish = (view.party_size, view.resource_kind, view.area, start, length)
        if wish in free.full:
            continue
        fitting = (one for one in choices if free.fits(one, start, start + length))
        choice = None
        for choice in fitting:
            if allowed is None or allowed(view, start, start + length, choice):
                return Offer(view, start, start + length, choice)
        if choice is None:
            free.full.add(wish)
    return None


def wishes(
    venue: VenueIndex, view: View, wanted: Sequence[str] = ()
) -> tuple[list[int], int, list[Choice]]:
    """What somebody waits for: the starts that would do, in epoch seconds, for how many seconds,
    and the places, best first; `wanted`: these and no others. Raises Invalid, RuleViolated where
    the venue has no such place."""
    choices = list(
        candidates(
            venue, view.party_size, None, view.resource_kind or None,
            area_named(venue, view.area) or None, tuple(wanted),
        )
    )  # fmt: skip
    if view.form is None or not view.form.latest:
        # Who was displaced had asked for one time.
        return [view.starts_at], view.ends_at - view.starts_at, choices
    minutes = calendar.default_minutes(venue.venue, view.party_size)
    starts = [
        start
        for start in calendar.slot_starts(venue.venue, wall.parse_date(view.service_date), minutes)
        if view.form.earliest <= start <= view.form.latest
    ]
    return starts, minutes * 60, choices


class _Free:
    """What is free, less what the plan has given away."""

    def __init__(self, venue: VenueIndex, has: Has) -> None:
        self._has, self._buffer = has, venue.venue.buffer_minutes * 60
        self._known: dict[tuple[str, int, int, int], bool] = {}
        self._taken: dict[str, list[tuple[int, int, int]]] = {}
        self.full: set[tuple[int, str, str, int, int]] = set()
        """Parties (their size, what they want and where), starts and lengths for which nothing is
        free: a plan only takes, so that it stays so for all who wish the same."""

    def take(self, offer: Offer) -> None:
        for claim in self._claims(offer.choice, offer.start, offer.end):
            taken = self._taken.setdefault(claim.resource, [])
            taken.append((claim.start, claim.end, claim.quantity))

    def fits(self, choice: Choice, start: int, end: int) -> bool:
        return all(self._room(claim) for claim in self._claims(choice, start, end))

    def _claims(self, choice: Choice, start: int, end: int) -> Iterable[Claim]:
        for name, quantity in zip(choice.resources, choice.quantities, strict=True):
            yield Claim(name, start, end + self._buffer, quantity, self._buffer)

    def _room(self, claim: Claim) -> bool:
        """Whether there is room for it and for all that was taken of the same place meanwhile:
        rather too little than too much, what is left is looked at again soon."""
        beside = sum(
            quantity
            for start, end, quantity in self._taken.get(claim.resource, ())
            if start < claim.end and claim.start < end
        )
        key = (claim.resource, claim.start, claim.end, claim.quantity + beside)
        known = self._known.get(key)
        if known is None:
            # Many wait for the same times: each place is looked at once.
            known = self._known[key] = self._has(
                Claim(claim.resource, claim.start, claim.end, key[3], claim.buffer)
            )
        return known
