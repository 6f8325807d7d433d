"""What a person may not reserve at a venue, and what the house knows a person as.

Owns which restrictions are in force at an instant, which profile stands, and the rules that follow
for whoever writes. Capacity and merges never ask: what was written elsewhere before a restriction
was heard of stands. It reads entries and nothing else, so that replicas with the same entries
agree, in whatever order they came. Pure.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from holdfast.model import lifecycle

BAN: Final = "booking-ban"
MAX_CONCURRENT: Final = "max-concurrent"
MAX_ADVANCE: Final = "max-advance-days"
KINDS: Final = (BAN, MAX_CONCURRENT, MAX_ADVANCE)
"""No reservation; so many to come at a time; so many days ahead."""
WITH_VALUE: Final = (MAX_CONCURRENT, MAX_ADVANCE)

IN_FORCE: Final = "in_force"
EXPIRED: Final = "expired"
LIFTED: Final = "lifted"
STATES: Final = (IN_FORCE, EXPIRED, LIFTED)

TAKES_ONE: Final = (
    lifecycle.INTENT, lifecycle.PAYMENT_PENDING, lifecycle.PAYMENT_CONFIRMED,
    lifecycle.COMMIT_PENDING, lifecycle.CONFIRMED, lifecycle.CHECKED_IN,
)  # fmt: skip
"""Statuses in which a reservation counts against `max-concurrent` and the rule `concurrent`, until
its end: it has a place or may get it."""
CONCURRENT: Final = "concurrent"
ADVANCE: Final = "advance"
"""The rules' codes; `advance` is the venue's rule too, which binds everybody (`rules`)."""
PERSON: Final = "person"
"""What a screen calls every rule by which a person is refused."""
LIMITED_KIND: Final = "guest"
"""Who stands at the desk, and the house itself, ask for nothing to come: a limit binds neither."""

DISCREET: Final = "Reservations for this person are not taken here; please speak to the staff."
"""All that a screen says at which anybody may stand, whatever stands behind it."""


class Restriction(NamedTuple):
    """A `guest.restricted`. `id` is its operation; `until_ms` 0: until it is lifted."""

    id: bytes
    agent_id: str
    kind: str
    reason: str
    value: int
    until_ms: int
    stamp: int


class Lift(NamedTuple):
    """A `guest.restriction_lifted`, the operation `id`, of the `restriction` with that id."""

    id: bytes
    restriction: bytes
    reason: str
    stamp: int


class Profile(NamedTuple):
    """A `guest.profiled`, the operation `id`."""

    id: bytes
    agent_id: str
    tier: str
    tags: tuple[str, ...]
    stamp: int


def lift_of(restriction: Restriction, lifts: Iterable[Lift]) -> Lift | None:
    """The lift to name, of those that are known: the first by its stamp. One is enough, whatever
    its stamp; one that names something unknown waits."""
    found = [lift for lift in lifts if lift.restriction == restriction.id]
    return min(found, key=lambda lift: (lift.stamp, lift.id), default=None)


def state_of(restriction: Restriction, lifts: Iterable[Lift], now_ms: int) -> str:
    """How a restriction stands at an instant: at `until_ms` itself it binds no more."""
    if lift_of(restriction, lifts) is not None:
        return LIFTED
    over = restriction.until_ms and now_ms >= restriction.until_ms
    return EXPIRED if over else IN_FORCE


def in_force(
    found: Iterable[Restriction], lifts: Collection[Lift], now_ms: int
) -> list[Restriction]:
    """What binds at an instant, of each kind the strictest first."""
    binding = [one for one in found if state_of(one, lifts, now_ms) == IN_FORCE]
    return sorted(binding, key=_strictness)


def strictest(binding: Iterable[Restriction], kind: str) -> Restriction | None:
    """The restriction of a kind that the others of that kind add nothing to."""
    return min((one for one in binding if one.kind == kind), key=_strictness, default=None)


def _strictness(one: Restriction) -> tuple[int, int, bool, int, bytes]:
    """The least value first; of equal ones that which lasts longest."""
    return KINDS.index(one.kind), one.value, bool(one.until_ms), -one.until_ms, one.id


def profile_of(written: Iterable[Profile]) -> Profile | None:
    """The profile that stands: the newest, whole."""
    return max(written, key=lambda one: (one.stamp, one.id), default=None)


# --- rules for whoever writes ---------------------------------------------------------------------


def concurrent_violations(
    binding: Sequence[Restriction], kind: str, to_come: int
) -> list[dict[str, str]]:
    """The rule against one reservation more than a person may have, as `[{rule, message}]`.

    `kind` is that of the reservation that is asked for, `to_come` how many of theirs end later
    and count (`TAKES_ONE`), it not included.
    """
    limit = strictest(binding, MAX_CONCURRENT)
    if kind != LIMITED_KIND or limit is None or to_come < limit.value:
        return []
    has = f"{to_come} reservation{'' if to_come == 1 else 's'} to come"
    message = f"This guest has {has}, and may have {limit.value} at a time ({_why(limit)})."
    return [{"rule": CONCURRENT, "message": message}]


def advance_violations(
    binding: Sequence[Restriction], kind: str, day: datetime.date, today: datetime.date
) -> list[dict[str, str]]:
    """The rule against reserving further ahead than a person may, as `[{rule, message}]`.

    `day` is the service date that is asked for, `today` the present one; `kind` as above.
    """
    limit = strictest(binding, MAX_ADVANCE)
    if kind != LIMITED_KIND or limit is None or (day - today).days <= limit.value:
        return []
    last = today + datetime.timedelta(days=limit.value)
    days = f"{limit.value} day{'' if limit.value == 1 else 's'}"
    message = (
        f"{day:%A} {day} is too far ahead for this guest, who may reserve {days} ahead, until "
        f"{last:%A} {last} ({_why(limit)})."
    )
    return [{"rule": ADVANCE, "message": message}]


def _why(one: Restriction) -> str:
    return f"{one.reason.replace('_', ' ')}; restriction {one.id.hex()}"
