"""The floor of a venue at an instant: which tables are free, due, taken, to be cleaned, out of use.

Owns what each state means (features H-44 and H-45) and which steps a person may take from it. It is
worked out from folded reservations and blocks, and from who said that a table is clean, whenever
somebody looks; it decides nothing about capacity, which claims alone do. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from holdfast.model import calendar, lifecycle
from holdfast.model.claims import ClaimView
from holdfast.model.errors import BadTableTransition
from holdfast.model.moments import Told, completed_at_ms, completing
from holdfast.model.reservation import View, shown_claims
from holdfast.model.sitting import sat_at, sitting
from holdfast.model.venue import Resource, Venue

AVAILABLE: Final = "available"
RESERVED: Final = "reserved"
OCCUPIED: Final = "occupied"
CLEANING: Final = "cleaning"
BLOCKED: Final = "blocked"
INACTIVE: Final = "inactive"
STATES: Final = (AVAILABLE, RESERVED, OCCUPIED, CLEANING, BLOCKED, INACTIVE)
MARKS: Final = (AVAILABLE, RESERVED, OCCUPIED, CLEANING)
"""States that somebody may name who says how a table stands, in the order of the cycle."""
RESERVED_MINUTES: Final = 60
"""How long before its start a reservation shows at its table, where the venue says nothing."""

AHEAD_SECONDS: Final = 2 * 86_400
"""How far ahead of an instant the next reservation of a table is looked for."""

_DUE: Final = frozenset({lifecycle.CONFIRMED, lifecycle.COMMIT_PENDING})


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A resource at an instant.

    `since_ms` is when it came to be so, as far as anybody said, Unix milliseconds; 0: not told.
    `party` are those who sit there, `due` those who are awaited now, late ones too, in the order of
    their starts, and `next` who comes after that. `block` is what takes it out of use. `taken` and
    `promised` are how much of it they have, as the resource counts.
    """

    resource: Resource
    state: str
    since_ms: int = 0
    party: tuple[View, ...] = ()
    due: tuple[View, ...] = ()
    next: View | None = None
    block: View | None = None
    taken: int = 0
    promised: int = 0


class Cleaned(msgspec.Struct, frozen=True):
    """Somebody said that a table is clean: an entry's stamp."""

    resource: str
    stamp: int


def tables(
    venue: Venue,
    now_s: int,
    told: Iterable[Told],
    blocks: Iterable[View],
    cleaned: Iterable[Cleaned],
) -> list[Table]:
    """Every resource of a venue, in the order of its file, at an instant (epoch seconds).

    `told` are the reservations of the service date, and of others those that reach into the
    instant; what matters to no resource is passed over. `blocks` are those that stand.
    """
    stamps: dict[str, int] = {}
    for mark in cleaned:
        stamps[mark.resource] = max(mark.stamp, stamps.get(mark.resource, 0))
    room = _Room(venue, now_s, stamps)
    for one in told:
        room.add(one)
    for block in blocks:
        room.block(block)
    return [room.table(resource) for resource in venue.resources]


class _Room:
    """What is known of each resource, gathered reservation by reservation."""

    def __init__(self, venue: Venue, now_s: int, cleaned: Mapping[str, int]) -> None:
        self._venue, self._now_s, self._cleaned = venue, now_s, cleaned
        self._today = calendar.service_date(venue, now_s)
        minutes = venue.policies.reserved_minutes
        self._ahead_s = (RESERVED_MINUTES if minutes is None else minutes) * 60
        self._sitting: dict[str, list[tuple[View, int]]] = {}
        self._coming: dict[str, list[tuple[View, int]]] = {}
        self._left: dict[str, int] = {}
        self._blocks: dict[str, list[tuple[View, ClaimView]]] = {}

    def add(self, told: Told) -> None:
        view = told.view
        if view.status == lifecycle.CHECKED_IN:
            self._add_sitting(view)
        elif view.status == lifecycle.COMPLETED:
            self._add_left(told)
        elif view.status in _DUE:
            for claim in shown_claims(view):
                if claim.end - claim.buffer > self._now_s:
                    self._coming.setdefault(claim.resource, []).append((view, claim.quantity))

    def _add_sitting(self, view: View) -> None:
        """Whose visit nobody ended is not here for ever: on another service date they have gone."""
        today = view.service_date == self._today.isoformat()
        if not today and view.ends_at <= self._now_s:
            return
        sits = sitting(view)
        amount = {claim.resource: claim.quantity for claim in view.claims}
        for resource in dict.fromkeys(place[0] for place in sits.places) if sits else ():
            self._sitting.setdefault(resource, []).append((view, amount.get(resource, 1)))

    def _add_left(self, told: Told) -> None:
        """A table that somebody left on this service date is cleaned, until somebody says that it
        is clean, or the venue's time for it has passed."""
        said = completing(told.seen)
        at_ms = completed_at_ms(told.seen)
        if said is None or not 0 < at_ms <= self._now_s * 1000 + 999:
            return
        if calendar.service_date(self._venue, at_ms // 1000) != self._today:
            return
        minutes = self._venue.policies.cleaning_minutes
        if minutes is not None and self._now_s >= at_ms // 1000 + minutes * 60:
            return
        for resource in sat_at(told.view):
            if said.stamp > self._cleaned.get(resource, 0):
                self._left[resource] = max(at_ms, self._left.get(resource, 0))

    def block(self, view: View) -> None:
        for claim in shown_claims(view):
            if claim.start <= self._now_s < claim.end:
                self._blocks.setdefault(claim.resource, []).append((view, claim))

    # --- as a table -----------------------------------------------------------------------------

    def table(self, resource: Resource) -> Table:
        name = resource.id
        here = sorted(self._sitting.get(name, ()), key=lambda one: one[0].checked_in_at_ms)
        coming = sorted(self._coming.get(name, ()), key=lambda one: (one[0].starts_at, one[0].id))
        due = [one for one in coming if one[0].starts_at <= self._now_s + self._ahead_s]
        later = [one[0] for one in coming if one not in due]
        blocks = self._blocks.get(name, ())
        taken, promised = (sum(amount for _, amount in some) for some in (here, due))
        shut = sum(claim.quantity for _, claim in blocks)
        left = 0 if resource.pool else self._left.get(name, 0)
        since = 0
        if not resource.pool and here:
            state, since = OCCUPIED, here[0][0].checked_in_at_ms
        elif resource.pool and taken and taken + shut >= resource.capacity:
            state = OCCUPIED
        elif not resource.active:
            state = INACTIVE
        elif shut >= resource.capacity:
            state, since = BLOCKED, min(claim.start for _, claim in blocks) * 1000
        elif left:
            state, since = CLEANING, left
        elif due and taken + promised + shut >= resource.capacity:
            state = RESERVED
        else:
            state = AVAILABLE
        return Table(
            resource=resource,
            state=state,
            since_ms=since,
            party=tuple(view for view, _ in here),
            due=tuple(view for view, _ in due),
            next=later[0] if later else None,
            block=blocks[0][0] if blocks else None,
            taken=taken,
            promised=promised,
        )


# --- steps ----------------------------------------------------------------------------------------

STAYS: Final = ""
CHECK_IN: Final = "check_in"
COMPLETE: Final = "complete"
CLEAN: Final = "clean"


def step(table: Table, wanted: str) -> str:
    """What brings a table to the state that somebody says it is in: STAYS (it is so already),
    CHECK_IN of who is due, COMPLETE of who sits there, or CLEAN. Raises BadTableTransition for any
    other jump: available → reserved → occupied → cleaning → available."""
    name, state = table.resource.id, table.state
    if table.resource.pool:
        raise BadTableTransition(f"{name} is a pool and has no state of its own", state)
    if wanted == state or (wanted == AVAILABLE and state == RESERVED):
        return STAYS
    if (state, wanted) == (RESERVED, OCCUPIED):
        return CHECK_IN
    if (state, wanted) == (OCCUPIED, CLEANING):
        _require_one(table.party, name)
        return COMPLETE
    if (state, wanted) == (CLEANING, AVAILABLE):
        return CLEAN
    raise BadTableTransition(f"{name} is {state}, not {_BEFORE[wanted]}: {_WAY_OUT[wanted]}", state)


_BEFORE: Final = {
    AVAILABLE: CLEANING, RESERVED: AVAILABLE, OCCUPIED: RESERVED, CLEANING: OCCUPIED,
}  # fmt: skip
_WAY_OUT: Final = {
    AVAILABLE: "complete the visit of who sits there, or put the table back into use",
    RESERVED: "make a reservation for it",
    OCCUPIED: "clean it first, or make a walk-in for who has come",
    CLEANING: "only a table that somebody leaves is to be cleaned",
}


def _require_one(views: Sequence[View], name: str) -> None:
    if len(views) > 1:
        codes = ", ".join(view.code for view in views)
        raise BadTableTransition(
            f"several parties sit at {name} ({codes}); complete each of them by itself", OCCUPIED
        )
