"""Adding places up: whether what is shown of a venue exceeds what there is.

Owns the arithmetic of the capacity oracle, made anew from the venue files of the simulation; what
is shown, and by whom, the oracles say.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

from holdfast.simulation.venues import VENUES


class Place(NamedTuple):
    """Some of a resource for [start, end), epoch seconds; `over` is how much of `quantity` was
    overbooked on purpose, `forced` how much was taken out of use over what had been sold."""

    resource: str
    start: int
    end: int
    quantity: int
    over: int = 0
    forced: int = 0


def exceeded(venue: str, places: Iterable[Place]) -> str:
    """Where the places are more than there are, but for what was overbooked on purpose within the
    limit, and what is out of use; empty where they are not."""
    capacities, limits = _CAPACITIES[venue], _LIMITS[venue]
    changes: dict[str, list[tuple[int, int, int, int]]] = {}
    for place in places:
        changes.setdefault(place.resource, []).extend(
            (
                (place.start, place.quantity, place.over, place.forced),
                (place.end, -place.quantity, -place.over, -place.forced),
            )
        )
    for resource, moments in changes.items():
        level = marked = unused = 0
        for at, change, over, forced in sorted(moments):
            level, marked, unused = level + change, marked + over, unused + forced
            allowed = min(marked, limits.get(resource, 0)) + unused
            if level > capacities.get(resource, 0) + allowed:
                return f"{level} of {capacities.get(resource, 0)} of {resource} at {at}"
    return ""


def most_of_one(shown: Iterable[list[Place]]) -> list[Place]:
    """What one reservation takes at the most, by what several machines show of it.

    It is one party: where a machine that lags shows it at a table by an older entry, and another
    by the newer one, it sits there once.
    """
    variants = list(shown)
    found: list[Place] = []
    for resource in sorted({place.resource for places in variants for place in places}):
        own = [[place for place in places if place.resource == resource] for places in variants]
        instants = sorted({at for places in own for place in places for at in place[1:3]})
        for start, end in pairwise(instants):
            levels = [
                (
                    sum(place.quantity for place in places if place.start <= start < place.end),
                    sum(place.over for place in places if place.start <= start < place.end),
                    sum(place.forced for place in places if place.start <= start < place.end),
                )
                for places in own
            ]
            quantity, over, forced = max(levels)
            if quantity:
                found.append(Place(resource, start, end, quantity, over, forced))
    return found


_CAPACITIES: Final[dict[str, dict[str, int]]] = {
    name: {resource["id"]: resource.get("capacity", 1) for resource in venue["resources"]}
    for name, venue in VENUES.items()
}
_LIMITS: Final[dict[str, dict[str, int]]] = {
    name: {
        resource: entry["limit"]
        for entry in venue.get("overbooking", ())
        for resource in entry["resources"]
    }
    for name, venue in VENUES.items()
}
