"""What this replica can offer: the first free choice, slots with what remains, the nearest of them.

Owns the join of the venue's calendar, choices and rules with what is occupied here. Reads only.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.model import availability, calendar, rules, wall
from holdfast.model.areas import area_asked
from holdfast.model.capacity import Occupancy
from holdfast.model.coming import Comers
from holdfast.model.entries import EPOCH_SECONDS_MAX, Claim, ClaimId
from holdfast.model.errors import Invalid
from holdfast.model.limits import SLOT_DAYS_MAX, SUGGESTED_SLOTS_LOOKED_AT_MAX
from holdfast.model.offers import Choice, VenueIndex, candidates
from holdfast.model.out_of_use import FULL
from holdfast.model.reservation import View
from holdfast.model.rules import blackouts
from holdfast.model.rules.slots import SLOT_OVERRIDE
from holdfast.model.rules.suggesting import Distance, Search, chosen, distance
from holdfast.model.slot_overrides import override_at
from holdfast.node import asking, out_of_use, selling
from holdfast.node.asking import Asked, Place
from holdfast.node.out_of_use import OutOfUse
from holdfast.node.requests import AvailabilityRequest

if TYPE_CHECKING:
    from holdfast.node.service import Service


WALK_IN: Final = "walk_in"


class Slot(NamedTuple):
    """One start time: the best choice (None: cannot be had, and why) and how much remains."""

    start: int
    end: int
    choice: Choice | None
    remaining: int
    assurance: str
    reason: str
    blocks: tuple[View, ...] = ()
    """What it is out of use by, as far as whoever asks is told."""


def first_free(
    replica: Service,
    venue: VenueIndex,
    choices: Iterable[Choice],
    start: int,
    end: int,
    *,
    ignoring: Collection[ClaimId] = (),
    free: bool = False,
) -> Choice | None:
    """The choice to take for [start, end): the first that would be guaranteed here and now, however
    it fits; else of what is free as far as is known here the best fit, and of equal ones the first
    that the hub can answer for, who always answers: another device may be away. What nobody can
    answer for alone comes last. `free`: that all of them are is known already."""
    occupancy = replica.store.projections.occupancy(replica.book_of(venue.venue.id))
    divided = bool(replica.rights(replica.book_of(venue.venue.id)))
    asked = split = None
    by_hub = False
    for choice in choices:
        if not (free or _is_free(occupancy, venue, choice, start, end, ignoring)):
            continue
        if not divided:
            return choice
        terms = selling.terms(replica, venue, claims_for(choice, start, end), ignoring)
        if terms.guaranteed:
            return choice
        held = bool(terms.asks) or _is_held(replica, venue, choice, start, end)
        if held and not terms.asks and len(choice.resources) > 1:
            split = split or choice
        elif asked is None or (not held and not by_hub and choice.fit == asked.fit):
            asked, by_hub = choice, not held
    return asked or split


def _is_free(
    occupancy: Occupancy,
    venue: VenueIndex,
    choice: Choice,
    start: int,
    end: int,
    ignoring: Collection[ClaimId],
) -> bool:
    return all(
        occupancy.free(
            name, venue.resource_by_id[name].capacity, start, end, ignoring=ignoring
        ) >= quantity
        for name, quantity in zip(choice.resources, choice.quantities, strict=True)
    )  # fmt: skip


def _is_held(replica: Service, venue: VenueIndex, choice: Choice, start: int, end: int) -> bool:
    """Whether devices have rights to units of a choice. Where they are put together and no device
    is asked, they have several holders: nobody can answer for all."""
    rights = replica.rights(replica.book_of(venue.venue.id))
    return any(
        held.covers(name, start, end)
        for name in choice.resources
        if not venue.resource_by_id[name].pool
        for held in rights.of_resource(name)
    )


def claims_for(choice: Choice, start: int, end: int) -> list[Claim]:
    """What a choice would occupy, asked of nobody yet."""
    return [
        Claim(resource, start, end, quantity)
        for resource, quantity in zip(choice.resources, choice.quantities, strict=True)
    ]


def assurance_of(replica: Service, venue: VenueIndex, choice: Choice, start: int, end: int) -> str:
    """What a reservation of a choice would be here and now: guaranteed or provisional."""
    terms = selling.terms(replica, venue, claims_for(choice, start, end))
    return "guaranteed" if terms.guaranteed else "provisional"


def slots(
    replica: Service,
    venue: VenueIndex,
    request: AvailabilityRequest,
    asked: Asked = asking.NOBODY,
) -> list[Slot]:
    """Every start time asked for, in order; of a person who is named, by what they may, and of a
    walk-in from now on. Raises Invalid for a request that makes no sense."""
    if request.party_size < 1:
        raise Invalid.field("party_size", "must be at least 1")
    look = _look(replica, venue, request, asked)
    first, before = _span(venue, request)
    found = []
    for day in _days(venue, request):
        starts = list(_starts(venue, request, day))
        if request.kind == WALK_IN:
            starts = _from_now_on(venue, day, starts, look.now_s)
        asked_for = [one for one in starts if first <= one[0] < before]
        found += _on_day(look, day, asked_for, full=request.include_full)
    return found


def nearest(
    replica: Service,
    venue: VenueIndex,
    request: AvailabilityRequest,
    asked: Asked,
    where: Search,
    start: int,
    count: int,
) -> list[Slot]:
    """The slots nearest to a start that can be had, in order of time; no more days are looked at
    than are needed."""
    look = _look(replica, venue, request, asked)
    found: dict[int, Slot] = {}
    distances: dict[int, Distance] = {}
    looked = 0
    for days in where.days:
        if len(found) >= count or looked >= SUGGESTED_SLOTS_LOOKED_AT_MAX:
            break
        for day in days:
            starts = list(_starts(venue, request, day))
            looked += len(starts)
            for slot in _on_day(look, day, starts):
                found[slot.start] = slot
                distances[slot.start] = distance(venue.venue, day, slot.start, start)
    return [found[at] for at in chosen(distances, start, count)]


def elsewhere(
    replica: Service, venue: VenueIndex, request: AvailabilityRequest, asked: Asked, start: int
) -> list[Slot]:
    """The slot of one start in each other area than the one that is asked for, where it can be had
    there: the best place first. What stands in no area, or is put together across two, counts as
    one of them."""
    here = area_asked(venue, request.area)
    by_area: dict[str, list[Choice]] = {}
    for choice in _fitting(venue, msgspec.structs.replace(request, area=None)):
        if choice.area != here:
            by_area.setdefault(choice.area, []).append(choice)
    day = calendar.service_date(venue.venue, start)
    at = [minutes for begins, minutes in _starts(venue, request, day) if begins == start]
    if not by_area or not at:
        return []
    look = _look(replica, venue, request, asked)
    place = _place(venue, request, day, start, at[0])
    found = [_slot(look._replace(fitting=some), place, some) for some in by_area.values()]
    had = [(slot.choice.order, slot) for slot in found if slot.choice is not None]
    return [slot for _, slot in sorted(had, key=lambda one: one[0])]


class _Look(NamedTuple):
    """What one request is answered from, read once for all the starts that it asks about."""

    replica: Service
    venue: VenueIndex
    request: AvailabilityRequest
    asked: Asked
    standing: rules.Standing
    fitting: list[Choice]
    now_s: int


def _look(replica: Service, venue: VenueIndex, request: AvailabilityRequest, asked: Asked) -> _Look:
    known = asking.standing(replica, venue, asked)
    now_s = replica.clock.now_ms() // 1000
    return _Look(replica, venue, request, asked, known, _fitting(venue, request), now_s)


def _on_day(
    look: _Look,
    day: datetime.date,
    starts: list[tuple[int, int | None]],
    *,
    full: bool = False,
) -> list[Slot]:
    """The slots of a service date that can be had; `full`: also those that cannot."""
    openings = _openings(look.replica, look.venue, look.fitting, starts, look.asked)
    come = _comers(look.replica, look.venue, starts, look.asked)
    out = _out_of_use(look, starts) if full else None
    found = []
    for start, minutes in starts:
        choices = look.fitting if openings is None else openings.at(start)
        # Why not is asked of no start that nobody is shown.
        if choices or full:
            place = _place(look.venue, look.request, day, start, minutes)
            slot = _slot(look, place, choices, come, out, free=openings is not None)
            if slot.choice is not None or full:
                found.append(slot)
    return found


def _starts(
    venue: VenueIndex, request: AvailabilityRequest, day: datetime.date
) -> Iterable[tuple[int, int | None]]:
    """The start times of a service date, each with its minutes; None: nights."""
    minutes = request.duration_minutes
    if minutes is None and request.nights is None and not calendar.sells_nights(venue.venue):
        minutes = calendar.default_minutes(venue.venue, request.party_size)
    if minutes is not None and minutes < 1:
        raise Invalid.field("duration_minutes", "must be at least 1")
    return [(start, minutes) for start in calendar.slot_starts(venue.venue, day, minutes)]


def _from_now_on(
    venue: VenueIndex, day: datetime.date, starts: list[tuple[int, int | None]], now_s: int
) -> list[tuple[int, int | None]]:
    """What whoever stands there may begin at: this minute, at an offered start or not, and what is
    to come. Nights begin when they begin."""
    if not starts or starts[0][1] is None:
        return starts
    this_minute = now_s - now_s % availability.MINUTE
    later = [one for one in starts if one[0] > this_minute]
    if calendar.service_date(venue.venue, now_s) != day:
        return later
    return [(this_minute, starts[0][1]), *later]


def _days(venue: VenueIndex, request: AvailabilityRequest) -> list[datetime.date]:
    if request.date is not None:
        return [wall.parse_date(request.date)]
    if request.starts_from is None or request.starts_before is None:
        raise Invalid.field("date", "give date, or from and to")
    first = calendar.service_date(
        venue.venue, wall.local_to_epoch(venue.venue, request.starts_from, "from")
    )
    last = calendar.service_date(
        venue.venue, wall.local_to_epoch(venue.venue, request.starts_before, "to")
    )
    days = (last - first).days + 1
    if days > SLOT_DAYS_MAX:
        raise Invalid.field("to", f"at most {SLOT_DAYS_MAX} days at once")
    return [first + datetime.timedelta(days=offset) for offset in range(max(days, 0))]


def _span(venue: VenueIndex, request: AvailabilityRequest) -> tuple[int, int]:
    """The starts that are asked for: from the first instant on, before the second."""
    if request.starts_from is None or request.starts_before is None:
        return 0, EPOCH_SECONDS_MAX
    first = wall.local_to_epoch(venue.venue, request.starts_from, "from")
    return first, wall.local_to_epoch(venue.venue, request.starts_before, "to")


def _fitting(venue: VenueIndex, request: AvailabilityRequest) -> list[Choice]:
    return list(
        candidates(
            venue,
            request.party_size,
            request.quantity,
            request.resource_kind,
            area_asked(venue, request.area),
            features=request.features,
        )
    )


class Openings:
    """Which choices are free at which starts of a day, worked out for all of them together."""

    def __init__(
        self,
        occupancy: Occupancy,
        venue: VenueIndex,
        choices: Iterable[Choice],
        first: int,
        last: int,
        length: int,
    ) -> None:
        self._first = first
        minutes = (last - first) // availability.MINUTE + 1
        ruled_out: dict[tuple[str, int], int] = {}
        self._choices: list[tuple[Choice, int]] = []
        self._full = -1
        for choice in choices:
            bits = 0
            for name, quantity in zip(choice.resources, choice.quantities, strict=True):
                key = (name, quantity)
                if key not in ruled_out:
                    capacity = venue.resource_by_id[name].capacity
                    taken = occupancy.taken(name, capacity, quantity, first, last + length)
                    ruled_out[key] = availability.ruled_out(taken, first, minutes, length)
                bits |= ruled_out[key]
            self._choices.append((choice, bits))
            self._full &= bits

    def at(self, start: int) -> list[Choice]:
        """The choices that are free from a start on, the best first."""
        minute = (start - self._first) // availability.MINUTE
        at = 1 << minute
        if self._full & at:
            return []
        return [choice for choice, bits in self._choices if not bits & at]


def _openings(
    replica: Service,
    venue: VenueIndex,
    choices: list[Choice],
    starts: list[tuple[int, int | None]],
    asked: Asked,
) -> Openings | None:
    """None where each start is asked about by itself: for stays, and where what is moved has its
    own place, which is free to it."""
    if not starts or not choices:
        return None
    lengths = {minutes for _, minutes in starts}
    minutes = lengths.pop()
    if lengths or minutes is None:
        return None
    first, last = starts[0][0], starts[-1][0]
    length = minutes * 60 + venue.venue.buffer_minutes * 60
    own = () if asked.moved is None else asked.moved.claims
    if any(claim.start < last + length and claim.end > first for claim in own):
        return None
    occupancy = replica.store.projections.occupancy(replica.book_of(venue.venue.id))
    return Openings(occupancy, venue, choices, first, last, length)


def _comers(
    replica: Service, venue: VenueIndex, starts: list[tuple[int, int | None]], asked: Asked
) -> Comers | None:
    """Those who come while something may that starts then; None where nobody counts them."""
    lengths = [minutes * 60 for _, minutes in starts if minutes is not None]
    if not lengths:
        return None
    return asking.comers(replica, venue, asked, starts[0][0], starts[-1][0], max(lengths))


def _out_of_use(look: _Look, starts: list[tuple[int, int | None]]) -> OutOfUse | None:
    """The blocks that may be why nothing is free at one of these starts."""
    if not starts:
        return None
    lengths = [minutes * 60 for _, minutes in starts if minutes is not None]
    length = max(lengths, default=((look.request.nights or 1) + 1) * wall.DAY_SECONDS)
    before = starts[-1][0] + length + look.venue.venue.buffer_minutes * 60
    return OutOfUse(look.replica, look.venue, starts[0][0], before)


def _place(
    venue: VenueIndex,
    request: AvailabilityRequest,
    day: datetime.date,
    start: int,
    minutes: int | None,
) -> Place:
    nights = None
    if minutes is None:
        nights = request.nights or 1
        start, end = calendar.stay_interval(venue.venue, day, nights)
    else:
        end = start + minutes * 60
    buffer = venue.venue.buffer_minutes * 60
    return Place(start, end, nights, request.party_size, request.quantity, buffer)


def _slot(
    look: _Look,
    place: Place,
    choices: list[Choice],
    come: Comers | None = None,
    out: OutOfUse | None = None,
    *,
    free: bool = False,
) -> Slot:
    """What can be had of some choices at a place; `free`: they are known to be free. `out`: where
    it is asked why nothing can."""
    replica, venue, asked = look.replica, look.venue, look.asked
    start, end = place.start, place.end
    wanted = asking.proposal(place, asked)
    question = asking.question(replica, venue, wanted, asked, look.standing, come, look.now_s)
    broken = replica.rules.violations(question)
    if broken:
        return Slot(start, end, None, 0, "none", broken[0].rule)
    choices = left_open(venue, wanted, choices)
    fitting = choices or left_open(venue, wanted, look.fitting)
    if not fitting:
        return Slot(start, end, None, 0, "none", _why_shut(venue, wanted, look.fitting))
    ignoring = {claim.id for claim in asked.moved.claims} if asked.moved is not None else ()
    occupied_end = end + place.buffer
    choice = first_free(replica, venue, choices, start, occupied_end, ignoring=ignoring, free=free)
    if choice is None:
        reason, views = (FULL, []) if out is None else out.why(fitting, start, occupied_end)
        told = () if asking.by_themself(asked) else tuple(views)
        return Slot(start, end, None, 0, "none", reason, told)
    remaining = _remaining(replica, venue, choices, start, occupied_end, free=free)
    assurance = assurance_of(replica, venue, choice, start, occupied_end)
    return Slot(start, end, choice, remaining, assurance, "")


def _why_shut(venue: VenueIndex, wanted: rules.Proposal, fitting: list[Choice]) -> str:
    if not fitting:
        return "party"
    return "blackouts" if given_to(venue, wanted, fitting) else "online"


def given_to(
    venue: VenueIndex, wanted: rules.Proposal, choices: list[Choice], had: Collection[str] = ()
) -> list[Choice]:
    """The choices that somebody may have who reserves by themself: what is kept for the telephone
    and the door only where they `had` it already."""
    kept = venue.offline.difference(had)
    if not kept or not wanted.by_guest:
        return choices
    return [choice for choice in choices if kept.isdisjoint(choice.resources)]


def left_open(
    venue: VenueIndex, wanted: rules.Proposal, choices: list[Choice], had: Collection[str] = ()
) -> list[Choice]:
    """Of those, the choices that no blackout of a part of the venue shuts for whoever is bound by
    it."""
    choices = given_to(venue, wanted, choices, had)
    if not venue.venue.blackouts or wanted.bound_as not in blackouts.BLACKOUTS.binds:
        return choices
    shut = [one for one in blackouts.met_by(venue.venue, wanted) if one.resources]
    return [
        choice
        for choice in choices
        if not any(blackouts.shuts(blackout, choice.resources) for blackout in shut)
    ]


def _remaining(
    replica: Service, venue: VenueIndex, choices: list[Choice], start: int, end: int, *, free: bool
) -> int:
    """How much is left: free places of pools, free single units, or 1 where only tables put
    together would do. `free`: the choices are known to be free."""
    occupancy = replica.store.projections.occupancy(replica.book_of(venue.venue.id))
    total = 0
    for choice in choices:
        if len(choice.resources) == 1:
            resource = venue.resource_by_id[choice.resources[0]]
            if free and resource.capacity == 1:
                total += 1
            else:
                total += max(0, occupancy.free(resource.id, resource.capacity, start, end))
    return max(total, 1)


def render_slot(venue: VenueIndex, slot: Slot) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "starts_at": wall.format_time(venue.venue, slot.start),
        "ends_at": wall.format_time(venue.venue, slot.end),
        "resources": list(slot.choice.resources) if slot.choice else [],
        "assurance": slot.assurance,
        "remaining": slot.remaining,
    }
    if slot.reason:
        shown["reason"] = slot.reason
        if slot.blocks:
            shown["blocks"] = out_of_use.told(venue, slot.blocks)
        override = override_at(venue.venue, slot.start)
        if slot.reason == SLOT_OVERRIDE.id and override is not None:
            shown["override"] = override.kind
    return shown
