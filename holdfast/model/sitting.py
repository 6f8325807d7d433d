"""Two parties at one table: a contradiction between reservations, which no fold of one can see.

Owns where the guests of a reservation sit, and which of them sit at one unit at one time. It is
worked out from folded reservations whenever somebody looks, and stands in no view and no digest:
equal entries give equal views, and these equal pairs, whatever the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from holdfast.model import lifecycle
from holdfast.model.claims import ClaimView
from holdfast.model.contradictions import PLACING, TWO_PARTIES, Resolution, digest
from holdfast.model.entries import ClaimId
from holdfast.model.reservation import View, shown_claims, standing_claims


class Sitting(NamedTuple):
    """Who sits where, from when until when (epoch seconds, half-open, without the buffer)."""

    reservation: bytes
    checked_in_at_ms: int
    places: tuple[tuple[str, int, int], ...]


class TwoParties(NamedTuple):
    """Parties at one unit at once: `later` was seated after all of `others` (ids in order)."""

    later: bytes
    others: tuple[bytes, ...]
    resource: str
    since_ms: int

    @property
    def about(self) -> bytes:
        """16 bytes: these at this place, whoever is asked."""
        return digest((self.later, *self.others, self.resource.encode()))


def sitting(view: View) -> Sitting | None:
    """Where the guests of a reservation sit, as far as anybody said; None if they do not.

    A walk says it. Else it is where their reservation stands, and, once somebody has asked for
    another place, there: whoever asked is seeing to it, and where that is refused the old place
    stands again. A claim that was refused or ended is where they sit all the same.
    """
    if view.status != lifecycle.CHECKED_IN:
        return None
    walked = [claim for claim in view.claims if claim.id.operation == view.walked]
    asked = standing_claims(view)
    if walked and not (asked and _last(asked) > _last(walked)):
        claims = walked
    else:
        claims = asked or shown_claims(view)
    places = tuple((claim.resource, claim.start, claim.end - claim.buffer) for claim in claims)
    return Sitting(view.id, view.checked_in_at_ms, places)


def sat_at(view: View) -> list[str]:
    """The resources at which a party sits that is here, or sat last that has gone."""
    sits = sitting(view)
    if sits is not None:
        return list(dict.fromkeys(place[0] for place in sits.places))
    walked = [claim for claim in view.claims if claim.id.operation == view.walked]
    return list(dict.fromkeys(claim.resource for claim in walked or shown_claims(view)))


def seated_at(view: View) -> list[str]:
    """The resources at which the guests sit, where somebody said that they went to others than the
    reservation's; else empty."""
    sits = sitting(view) if view.walked else None
    return [resource for resource, _, _ in sits.places] if sits is not None else []


def _last(claims: Iterable[ClaimView]) -> tuple[int, ClaimId]:
    return max((claim.stamp, claim.id) for claim in claims)


def two_parties(sittings: Iterable[Sitting], is_unit: Callable[[str], bool]) -> list[TwoParties]:
    """Who sits at a unit (a resource of capacity 1) at which others sit at the same time.

    Told once of whoever was seated last; where they share several units, of the first one.
    """
    by_resource: dict[str, list[tuple[int, int, Sitting]]] = {}
    for one in sittings:
        for resource, start, end in one.places:
            if is_unit(resource):
                by_resource.setdefault(resource, []).append((start, end, one))
    met: dict[Sitting, dict[Sitting, str]] = {}
    for resource in sorted(by_resource):
        present: list[tuple[int, Sitting]] = []
        for start, end, one in sorted(by_resource[resource]):
            present = [(until, other) for until, other in present if until > start]
            for _, other in present:
                if other.reservation != one.reservation:
                    first, second = sorted((one, other), key=_seated)
                    met.setdefault(second, {}).setdefault(first, resource)
            present.append((end, one))
    return [
        TwoParties(
            later.reservation,
            tuple(sorted(other.reservation for other in others)),
            min(others.values()),
            later.checked_in_at_ms,
        )
        for later, others in sorted(met.items(), key=lambda item: _seated(item[0]))
    ]


def _seated(one: Sitting) -> tuple[int, bytes]:
    return one.checked_in_at_ms, one.reservation


def is_resolved(found: TwoParties, resolutions: Iterable[Resolution]) -> bool:
    """Whether somebody decided that they may sit there, or saw to it otherwise.

    A move or a walk ends it by what it does; while it has not, or where it was refused, it is told
    again.
    """
    return any(
        one.kind == TWO_PARTIES and one.about == found.about and one.action not in PLACING
        for one in resolutions
    )
