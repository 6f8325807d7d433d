"""The key figures of a venue's service dates, worked out from its reservations.

Owns what each figure means; docs/numbers.md has each in a line. Functions of reservations, a venue
and dates: no clock is asked, so that the same entries give the same figures everywhere, also of
days to come. Reservations come one after the other and are not kept: what stays in memory grows
with the dates, the resources and the different values, not with the reservations.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from holdfast.model import lifecycle, wall
from holdfast.model.claims import DEAD, ENDED, LIVE
from holdfast.model.errors import Invalid
from holdfast.model.forms import HOLD, WAITLIST, form_now, made_as
from holdfast.model.moments import Told, cancelled_at_ms, completed_at_ms, reserved_at_ms
from holdfast.model.open_time import OpenTime
from holdfast.model.reservation import BLOCK, View, shown_claims
from holdfast.model.venue import Resource, Venue

BOOKED: Final = frozenset(
    {lifecycle.CONFIRMED, lifecycle.CHECKED_IN, lifecycle.COMPLETED, lifecycle.NO_SHOW}
)
"""The statuses of a reservation that has or had its place: what counts as booked."""
SEATED: Final = frozenset({lifecycle.CHECKED_IN, lifecycle.COMPLETED})
"""Those of guests who came."""
CALLED_OFF: Final = frozenset(
    {lifecycle.CANCELLED, lifecycle.CANCEL_PENDING, lifecycle.REFUND_PENDING}
)
HOUSE: Final = "house"
"""The kind of reservation in which nobody is a guest: it takes its place, and is no party."""

ASSURANCES: Final = ("guaranteed", "admitted", "provisional", "none")
KINDS: Final = ("guest", "walk_in", HOUSE)
CANCELLERS: Final = ("guest", "venue", "system")
WAITED: Final = ("joined", "offered", "accepted", "lapsed", "removed", "expired", "waiting")
"""What is counted of those on the waitlist, of each once."""
HELD: Final = ("made", "reserved", "given_back", "lapsed", "refused", "open")
"""What is counted of holds; the others add up to the first. `refused` had no place at any time."""
LIMITED: Final = ("rates", "concurrent", "reschedules")
"""The rules that say how much one person may have, by their ids: what they refuse is counted."""
_IMPORTED_AT: Final = "import.status_at"
_NOON_MINUTES: Final = 12 * 60


class Tally:
    """What is counted of some reservations. Tallies of parts add up to that of the whole."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.assurances: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.sizes: Counter[int] = Counter()
        self.hours: Counter[int] = Counter()
        self.covers_by_hour: Counter[int] = Counter()
        self.lead: Counter[int] = Counter()
        self.to_book: Counter[int] = Counter()
        self.turn: Counter[int] = Counter()
        self.planned: Counter[int] = Counter()
        self.booked_minutes = 0
        self.open_minutes = 0

    def add(self, venue: Venue, told: Told, came_before: Callable[[View], bool]) -> None:
        """Count a reservation. `came_before`: whether its guest had visited the venue before."""
        view = told.view
        self.statuses[view.status] += 1
        self.kinds[view.kind] += 1
        self.sources[view.source] += 1
        self.assurances[view.assurance] += 1
        self.counts["overbooked"] += bool(view.override)
        if view.status in CALLED_OFF:
            self._add_cancellation(venue, told)
        elif view.status in BOOKED and view.kind != HOUSE:
            self._add_party(venue, view)
            if view.status in SEATED and came_before(view):
                self.counts["repeat_parties"] += 1
            if view.status == lifecycle.COMPLETED:
                self._add_visit(told)

    def _add_party(self, venue: Venue, view: View) -> None:
        size = view.party_size
        self.counts["parties"] += 1
        self.counts["covers"] += size
        self.sizes[size] += 1
        hour = (view.starts_at + wall.utc_offset(venue, view.starts_at)) % 86_400 // 3_600
        self.hours[hour] += 1
        self.covers_by_hour[hour] += size
        if view.status in SEATED:
            self.counts["seated_parties"] += 1
            self.counts["seated_covers"] += view.actual_party_size or size
        elif view.status == lifecycle.NO_SHOW:
            self.counts["no_show_parties"] += 1
            self.counts["no_show_covers"] += size
        if view.kind == "walk_in":
            self.counts["walk_in_parties"] += 1
            self.counts["walk_in_covers"] += size
        else:
            self.lead[max(view.starts_at - view.made_at_ms // 1_000, 0) // 60] += 1

    def add_waiting(self, view: View) -> None:
        """Count who was put on the waitlist, whatever became of them (S-18)."""
        self.counts["waitlist_joined"] += 1
        offered = any(claim.state in (LIVE, ENDED) for claim in view.claims)
        self.counts["waitlist_offered"] += offered
        if view.reserving:
            became = "accepted"
        elif view.status == lifecycle.CANCELLED:
            became = "removed"
        elif view.status == lifecycle.EXPIRED:
            became = "expired"
        else:
            became = "waiting"
        self.counts[f"waitlist_{became}"] += 1
        self.counts["waitlist_lapsed"] += offered and not view.reserving and not view.occupying

    def add_hold(self, told: Told) -> None:
        """Count a hold, whatever became of it, and how long reserving it took (H-76)."""
        view = told.view
        if view.reserving:
            became = "reserved"
            taken_ms = reserved_at_ms(view, told.seen)
            if taken_ms:
                self.to_book[max(taken_ms - view.made_at_ms, 0) // 1_000] += 1
        elif view.status == lifecycle.CANCELLED:
            became = "given_back"
        elif view.claims and all(claim.state == DEAD for claim in view.claims):
            became = "refused"
        elif view.status == lifecycle.EXPIRED:
            became = "lapsed"
        else:
            became = "open"
        self.counts["holds_made"] += 1
        self.counts[f"holds_{became}"] += 1

    def add_refusals(self, rule: str, number: int) -> None:
        """Count what one of the rules in LIMITED refused, at this replica (S-18)."""
        self.counts[f"limited_{rule}"] += number

    def _add_visit(self, told: Told) -> None:
        """How long they were there, where both the coming and the going were said."""
        came_ms, left_ms = told.view.checked_in_at_ms, completed_at_ms(told.seen)
        if came_ms and left_ms >= came_ms:
            self.turn[(left_ms - came_ms) // 60_000] += 1
            self.planned[max(told.view.ends_at - told.view.starts_at, 0) // 60] += 1

    def _add_cancellation(self, venue: Venue, told: Told) -> None:
        by = told.view.cancelled_by
        self.counts[f"cancelled_by_{by if by in CANCELLERS else 'system'}"] += 1
        late = is_late(venue, told)
        if late is None:
            self.counts["cancelled_undated"] += 1
        else:
            self.counts["cancelled_late" if late else "cancelled_in_time"] += 1

    def absorb(self, other: Tally) -> None:
        """Add another tally to this one."""
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
        self.booked_minutes += other.booked_minutes
        self.open_minutes += other.open_minutes

    # --- as figures -----------------------------------------------------------------------------

    def figures(self, day_starts_at: int = 0) -> dict[str, Any]:
        """All figures but those of each resource; `day_starts_at`, minutes after midnight, is where
        the list of hours begins."""
        counts = self.counts
        hours = sorted(self.hours, key=lambda hour: (hour * 60 - day_starts_at) % 1_440)
        return {
            "reservations": self.statuses.total(),
            "statuses": in_life(self.statuses),
            "kinds": _in_order(self.kinds, KINDS),
            "sources": dict(self.sources.most_common()),
            "assurances": _in_order(self.assurances, ASSURANCES),
            "overbooked": counts["overbooked"],
            "parties": {"booked": counts["parties"], "seated": counts["seated_parties"]},
            "covers": {"booked": counts["covers"], "seated": counts["seated_covers"]},
            "party_sizes": [
                {"party_size": size, "parties": self.sizes[size]} for size in sorted(self.sizes)
            ],
            "walk_ins": {"parties": counts["walk_in_parties"], "covers": counts["walk_in_covers"]},
            "repeats": {
                "parties": counts["repeat_parties"],
                "rate": rate(counts["repeat_parties"], counts["seated_parties"]),
            },
            "no_shows": {
                "parties": counts["no_show_parties"],
                "covers": counts["no_show_covers"],
                "rate": rate(
                    counts["no_show_parties"], counts["no_show_parties"] + counts["seated_parties"]
                ),
            },
            "cancellations": {
                "total": sum(self.statuses[status] for status in CALLED_OFF),
                **{f"by_{who}": counts[f"cancelled_by_{who}"] for who in CANCELLERS},
                "in_time": counts["cancelled_in_time"],
                "late": counts["cancelled_late"],
                "undated": counts["cancelled_undated"],
            },
            "waitlist": {
                **{what: counts[f"waitlist_{what}"] for what in WAITED},
                "conversion": rate(
                    counts["waitlist_accepted"],
                    counts["waitlist_joined"] - counts["waitlist_waiting"],
                ),
            },
            "rate_limits": {rule: counts[f"limited_{rule}"] for rule in LIMITED},
            "holds": {
                **{what: counts[f"holds_{what}"] for what in HELD},
                "conversion": rate(
                    counts["holds_reserved"],
                    counts["holds_made"] - counts["holds_refused"] - counts["holds_open"],
                ),
            },
            "time_to_book_seconds": {
                "holds": self.to_book.total(),
                "median": median(self.to_book),
                "mean": mean(self.to_book),
            },
            "lead_minutes": _spread(self.lead),
            "turn_minutes": _spread(self.turn)
            | {"planned_median": median(self.planned), "planned_mean": mean(self.planned)},
            "hours": [
                {
                    "hour": f"{hour:02d}:00",
                    "parties": self.hours[hour],
                    "covers": self.covers_by_hour[hour],
                }
                for hour in hours
            ],
            "utilisation": _utilisation(self.booked_minutes, self.open_minutes),
        }


def compute(
    venue: Venue,
    first: datetime.date,
    last: datetime.date,
    rows: Iterable[Told],
    came_before: Callable[[View], bool] = lambda view: False,
) -> tuple[Tally, list[Tally], list[dict[str, Any]]]:
    """The tally of the service dates from first to last, that of each date, and the use of each
    resource, in the order of the venue file.

    `rows` may have others too: a stay that began earlier takes its nights of these dates, and is
    counted on the date of its arrival alone. Holds and those who wait are no reservations; what is
    out of use is none either, and is not open meanwhile. `came_before`: whether a reservation's
    guest had visited the venue before.
    """
    time = OpenTime(venue, first, last)
    tally_by_date = {day.isoformat(): Tally() for day in time.dates}
    days = list(tally_by_date.values())
    resource_by_id = {resource.id: resource for resource in venue.resources}
    minutes_by_resource: Counter[str] = Counter()
    out_of_use = _OutOfUse(time, resource_by_id)
    for told in rows:
        view = told.view
        form = form_now(view)
        if form == BLOCK:
            out_of_use.add(view)
        tally = tally_by_date.get(view.service_date)
        if tally is not None and made_as(view) == WAITLIST:
            tally.add_waiting(view)
        elif tally is not None and made_as(view) == HOLD:
            tally.add_hold(told)
        if form:
            continue
        if tally is not None:
            tally.add(venue, told, came_before)
        if view.status not in BOOKED:
            continue
        for claim in shown_claims(view):
            if claim.resource not in resource_by_id or claim.state == DEAD:
                continue
            for number, minutes in time.taken(claim.start, claim.end - claim.buffer):
                days[number].booked_minutes += minutes * claim.quantity
                minutes_by_resource[claim.resource] += minutes * claim.quantity
    capacity = sum(resource.capacity for resource in venue.resources)
    whole = Tally()
    closed = out_of_use.minutes()
    for number, (day, minutes) in enumerate(zip(days, time.minutes, strict=True)):
        day.open_minutes = minutes * capacity - sum(each[number] for each in closed.values())
        whole.absorb(day)
    open_minutes = sum(time.minutes)
    return (
        whole,
        days,
        [
            _of_resource(
                resource, minutes_by_resource[resource.id], open_minutes, closed.get(resource.id)
            )
            for resource in venue.resources
        ],
    )


class _OutOfUse:
    """The open minutes that blocks take away, of each resource and date.

    Blocks of one place may overlap, where one was made over the other: at no instant more than
    there is of it is out of use.
    """

    def __init__(self, time: OpenTime, resource_by_id: dict[str, Resource]) -> None:
        self._time = time
        self._resource_by_id = resource_by_id
        self._changes: dict[str, list[tuple[int, int]]] = {}

    def add(self, view: View) -> None:
        """A block, as far as it stands."""
        for claim in shown_claims(view) if view.status in BOOKED else ():
            if claim.resource in self._resource_by_id and claim.state != DEAD:
                self._changes.setdefault(claim.resource, []).extend(
                    [(claim.start, claim.quantity), (claim.end, -claim.quantity)]
                )

    def minutes(self) -> dict[str, Counter[int]]:
        """By resource, of each date by its number."""
        found: dict[str, Counter[int]] = {}
        for resource, changes in self._changes.items():
            most = self._resource_by_id[resource].capacity
            of_date = found[resource] = Counter()
            level, since = 0, 0
            for at, change in sorted(changes):
                if level and at > since:
                    for number, minutes in self._time.taken(since, at):
                        of_date[number] += minutes * min(level, most)
                level, since = level + change, at
        return found


def _of_resource(
    resource: Resource, booked: int, open_minutes: int, out_of_use: Counter[int] | None
) -> dict[str, Any]:
    closed = out_of_use.total() if out_of_use is not None else 0
    return {
        "resource": resource.id,
        "kind": resource.kind,
        **_utilisation(booked, open_minutes * resource.capacity - closed),
    }


def _utilisation(booked: int, open_minutes: int) -> dict[str, Any]:
    return {
        "booked_minutes": booked,
        "open_minutes": open_minutes,
        "rate": rate(booked, open_minutes),
    }


def reaches(
    venue: Venue, first: datetime.date, last: datetime.date, longest_seconds: int
) -> tuple[int, int]:
    """The instants [from, before) between which all starts that matter to these dates lie, where
    nothing lasts longer than `longest_seconds`.

    A service date stands in the entry, as its writer read the venue file of its day; by today's
    file the start may be a little outside of it.
    """
    slack = 3 * wall.DAY_SECONDS
    start = wall.wall_to_epoch(venue, first, 0) - slack
    return start - longest_seconds, wall.wall_to_epoch(venue, last, 0) + slack


def cancelled_in_time(venue: Venue, view: View, at_s: int) -> bool:
    """Whether a reservation was called off (epoch seconds) before the venue's limit for that, as
    the venue file has it now; without one, before the start (H-14)."""
    return at_s <= view.starts_at - (venue.policies.cancel_cutoff_minutes or 0) * 60


def is_late(venue: Venue, told: Told) -> bool | None:
    """Whether what was called off was called off too late for the venue; None: nobody said when."""
    at_s = _cancelled_at(venue, told)
    return None if at_s is None else not cancelled_in_time(venue, told.view, at_s)


def _cancelled_at(venue: Venue, told: Told) -> int | None:
    """When it was called off, epoch seconds; None: nobody said. Another system says the date, which
    stands for its noon as everywhere in an import."""
    at_ms = cancelled_at_ms(told.view, told.seen)
    if at_ms:
        return at_ms // 1_000
    said = told.view.metadata.get(_IMPORTED_AT)
    if not isinstance(said, str):
        return None
    try:
        return wall.wall_to_epoch(venue, wall.parse_date(said, _IMPORTED_AT), _NOON_MINUTES)
    except Invalid:
        return None


# --- numbers --------------------------------------------------------------------------------------


def in_life(statuses: Counter[str]) -> dict[str, int]:
    """How many there are in each status, in the order of a reservation's life."""
    return _in_order(statuses, lifecycle.STATUSES)


def _in_order(counted: Counter[str], words: Sequence[str]) -> dict[str, int]:
    """What there is of each, in the order of a list; what is none of it comes last."""
    known = {word: counted[word] for word in words if counted[word]}
    return known | {word: counted[word] for word in sorted(counted) if word not in known}


def rate(part: int, whole: int) -> float | None:
    """A share to four digits; None of nothing."""
    return round(part / whole, 4) if whole else None


def _spread(values: Counter[int]) -> dict[str, Any]:
    return {"parties": values.total(), "median": median(values), "mean": mean(values)}


def mean(values: Counter[int]) -> float | None:
    """To a digit; None of nothing."""
    if not values:
        return None
    return round(sum(value * many for value, many in values.items()) / values.total(), 1)


def median(values: Counter[int]) -> float | None:
    """The value in the middle, or the mean of the two in the middle."""
    total = values.total()
    if not total:
        return None
    return (_at(values, (total - 1) // 2) + _at(values, total // 2)) / 2


def _at(values: Counter[int], place: int) -> int:
    """The value at a place, from 0 on, of all of them in order."""
    for value in sorted(values):
        place -= values[value]
        if place < 0:
            return value
    raise IndexError(place)
