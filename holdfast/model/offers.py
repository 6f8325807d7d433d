"""Choosing resources for a party: what fits, in the order in which it is offered.

Owns which resources and combinations suit a party, and their order (CONTRACT, `POST
/reservations`). Knows nothing of time: what is free, guaranteed here, or held by whom, is the
caller's to ask of each choice in turn (`node/offering.py`). What is guaranteed here goes before all
others; what the hub holds goes before what a device holds only where both fit equally well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Final

import msgspec

from holdfast.model.errors import Invalid, RuleViolated
from holdfast.model.limits import (
    COMBINATIONS_PER_VENUE_MAX,
    COMBINED_RESOURCES_MAX,
    OFFERS_PER_VENUE_IN_MEMORY,
    RESOURCES_PER_REQUEST_MAX,
)
from holdfast.model.venue import Resource, Venue

_NAMED_MAX: Final = 20

TABLE: Final = "table"
"""The kind of what a chair can be put to."""


class Choice(msgspec.Struct, frozen=True, gc=False):
    """Resources that suit a party, all of them together.

    `waste` is the seats left empty (0 where seats do not count), `priority` the sum of the
    resources' own, `area` the area that they share ("" if they do not).
    """

    resources: tuple[str, ...]
    quantities: tuple[int, ...]
    waste: int = 0
    priority: int = 0
    area: str = ""
    seats: int | None = None

    @property
    def fit(self) -> tuple[int, int]:
        """How well it suits the party: smallest waste, fewest resources. Who may answer for a place
        matters among those that fit equally well, and more than the priority does."""
        return (self.waste, len(self.resources))

    @property
    def order(self) -> tuple[int, int, int, tuple[str, ...]]:
        """Smallest waste, fewest resources, lowest priority, id."""
        return (*self.fit, self.priority, self.resources)


class VenueIndex:
    """A venue and what choosing needs to know of it; make one per version of the venue."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.resource_by_id = {resource.id: resource for resource in venue.resources}
        self.default_kind = venue.resources[0].kind
        remember = lru_cache(maxsize=OFFERS_PER_VENUE_IN_MEMORY)
        self.offers = remember(self._offers)

    def usual_kind(self, area: str = "") -> str:
        """The kind that is meant where none is named: that of the first resource; in an area that
        has none of it that of the first one there."""
        there = [one.kind for one in self.venue.resources if area in ("", one.area)]
        return there[0] if there and self.default_kind not in there else self.default_kind

    @cached_property
    def offline(self) -> frozenset[str]:
        """The resources that people do not get who reserve by themselves."""
        return frozenset(one.id for one in self.venue.resources if not one.online)

    def resource(self, resource_id: str) -> Resource | None:
        return self.resource_by_id.get(resource_id)

    @cached_property
    def neighbours(self) -> dict[str, tuple[str, ...]]:
        """What each unit combines with; one side's word is enough."""
        found: dict[str, set[str]] = {}
        for resource in self.venue.resources:
            for other in resource.combines_with:
                found.setdefault(resource.id, set()).add(other)
                found.setdefault(other, set()).add(resource.id)
        return {resource_id: tuple(sorted(others)) for resource_id, others in found.items()}

    @cached_property
    def combinations(self) -> tuple[tuple[Resource, ...], ...]:
        """Connected sets of units of one kind, pairs first, by id; bounded in number."""
        found: list[tuple[str, ...]] = []
        layer: set[tuple[str, ...]] = {(resource_id,) for resource_id in self.neighbours}
        for _ in range(COMBINED_RESOURCES_MAX - 1):
            layer = self._grown(layer)
            found.extend(sorted(layer)[: COMBINATIONS_PER_VENUE_MAX - len(found)])
            if len(found) >= COMBINATIONS_PER_VENUE_MAX:
                break
        return tuple(tuple(self.resource_by_id[one] for one in together) for together in found)

    def _grown(self, layer: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
        grown: set[tuple[str, ...]] = set()
        for together in sorted(layer):
            kind = self.resource_by_id[together[0]].kind
            for member in together:
                for other in self.neighbours[member]:
                    if other not in together and self.resource_by_id[other].kind == kind:
                        grown.add(tuple(sorted((*together, other))))
            # All of one size are needed before the first few can be taken, but not millions.
            if len(grown) > 4 * COMBINATIONS_PER_VENUE_MAX:
                break
        return grown

    def _offers(
        self,
        party: int,
        quantity: int,
        kind: str,
        area: str,
        features: frozenset[str] = frozenset(),
    ) -> tuple[Choice, ...]:
        """Every choice of a kind, in order; remembered, as parties repeat all day."""

        def suits(resource: Resource) -> bool:
            here = resource.active and area in ("", resource.area)
            return here and features <= resource.all_features

        fitting = [
            choice
            for resource in self.venue.resources
            if resource.kind == kind and suits(resource)
            if (choice := _single(resource, party, quantity)) is not None
        ]
        if quantity == 1:
            for together in self.combinations:
                if together[0].kind != kind:
                    continue
                if not all(map(suits, together)):
                    continue
                choice = _combined(together, party)
                if choice is not None:
                    fitting.append(choice)
        fitting.sort(key=lambda choice: choice.order)
        return tuple(fitting)


def candidates(
    index: VenueIndex,
    party_size: int,
    quantity: int | None = None,
    resource_kind: str | None = None,
    area: str | None = None,
    wanted_resources: Sequence[str] = (),
    *,
    below_minimum: bool = False,
    one_chair_more: bool = False,
    features: Sequence[str] = (),
) -> Iterator[Choice]:
    """What suits the party, best first: smallest waste, fewest resources, lowest priority, id.

    `resource_kind` left out: `VenueIndex.usual_kind`. `area` is the venue's own name
    of one (`areas.area_asked`). `quantity` (default 1) is for pools that count units. Every
    resource of a choice has all of the `features`, and is active. `wanted_resources` are taken all
    together, as the one choice there is; then kind, area and features do not matter, and
    `below_minimum` lets a small party have a large table, which a host may decide and a guest may
    not; `one_chair_more` puts one to each table, which a supervisor may (H-41). The choice is then
    for more than its `seats` (`is_tight`).

    Raises `Invalid` for names or numbers that mean nothing here, and `RuleViolated` where the
    wanted resources do not suit the party.
    """
    amount = 1 if quantity is None else quantity
    if amount < 1:
        raise Invalid.field("quantity", f"must be at least 1, not {amount}")
    if party_size < 1:
        raise Invalid.field("party_size", f"must be at least 1, not {party_size}")
    if wanted_resources:
        chairs = len(wanted_resources) if one_chair_more else 0
        wanted = _wanted(index, party_size, amount, wanted_resources, below_minimum, chairs)
        return iter((wanted,))
    kind = resource_kind or index.usual_kind(area or "")
    of_kind = [resource for resource in index.venue.resources if resource.kind == kind]
    if not of_kind:
        kinds = sorted({resource.kind for resource in index.venue.resources})
        raise Invalid.field("resource_kind", f"{kind!r} is none of {', '.join(kinds)}")
    if amount > 1 and not any(resource.pool for resource in of_kind):
        raise Invalid.field("quantity", f"counts the units of a pool, and no {kind} is a pool")
    if features:
        there = sorted({word for one in index.venue.resources for word in one.all_features})
        for word in features:
            if word not in there:
                one_of = f"is none of {', '.join(there)}" if there else "is unknown: there are none"
                raise Invalid.field("features", f"{word!r} {one_of}")
        return iter(index.offers(party_size, amount, kind, area or "", frozenset(features)))
    return iter(index.offers(party_size, amount, kind, area or ""))


def named_choice(
    index: VenueIndex, party_size: int, quantity: int | None, wanted_resources: Sequence[str]
) -> Choice:
    """These resources together, whether or not they suit the party: its guests sit there already.

    Raises `Invalid` for names that mean nothing here.
    """
    resources = _named(index, wanted_resources)
    return Choice(
        tuple(resource.id for resource in resources),
        _amounts(resources, party_size, 1 if quantity is None else quantity),
        0,
        sum(resource.priority for resource in resources),
        _shared_area(resources),
        None,
    )


def equal_choices(
    index: VenueIndex,
    taken: Sequence[str],
    party_size: int,
    quantity: int,
    area: str | None = None,
) -> Iterator[Choice]:
    """What a decider may move a claim on `taken` to: equal or larger, of the same kind.

    The same area first (`area`, else that of what was taken), then in the order of `candidates`.
    `quantity` is the sum of the claim's quantities; it counts for pools of units alone.
    """
    before = [index.resource_by_id[one] for one in taken if one in index.resource_by_id]
    if not before:
        return iter(())
    units = quantity if any(resource.counts_units for resource in before) else 1
    seats = _seats_of(before, units)
    here = area or _shared_area(before)
    found = [
        choice
        for choice in index.offers(party_size, units, before[0].kind, "")
        if set(choice.resources) != set(taken) and _at_least(choice.seats, seats)
    ]
    # Sorting is stable: within an area the order of the offers stays.
    found.sort(key=lambda choice: bool(here) and choice.area != here)
    return iter(found)


def most_people(index: VenueIndex, kind: str, area: str = "", quantity: int = 1) -> int | None:
    """The largest party that a resource of a kind takes, alone or put together with others; None:
    not limited by seats. 0: there is none of that kind and area."""
    most = 0
    for resource in index.venue.resources:
        if resource.kind != kind or area not in ("", resource.area) or not resource.active:
            continue
        seats = resource.capacity if resource.counts_people else _seats_of([resource], quantity)
        if seats is None:
            return None
        most = max(most, seats if resource.counts_people or quantity <= resource.capacity else 0)
    for together in index.combinations if quantity == 1 else ():
        if together[0].kind != kind or not all(one.active for one in together):
            continue
        if all(area in ("", one.area) for one in together):
            most = max(most, _seats_of(together, 1) or 0)
    return most


# --- fitting ------------------------------------------------------------------------------------


def _single(resource: Resource, party: int, quantity: int) -> Choice | None:
    if resource.counts_people:
        if party > resource.capacity:
            return None
        return Choice((resource.id,), (party,), 0, resource.priority, resource.area)
    if quantity > resource.capacity or party < resource.seats_min:
        return None
    seats = None if resource.seats_max is None else resource.seats_max * quantity
    if seats is not None and party > seats:
        return None
    waste = 0 if seats is None else seats - party
    return Choice((resource.id,), (quantity,), waste, resource.priority, resource.area, seats)


def _combined(together: tuple[Resource, ...], party: int) -> Choice | None:
    """Tables put together; one without a number of seats takes any party alone."""
    seats = _seats_of(together, 1)
    if seats is None or not sum(resource.seats_min for resource in together) <= party <= seats:
        return None
    return Choice(
        tuple(resource.id for resource in together),
        (1,) * len(together),
        seats - party,
        sum(resource.priority for resource in together),
        _shared_area(together),
        seats,
    )


def is_tight(choice: Choice, party_size: int) -> bool:
    """Whether a party has more people than the places of a choice have seats."""
    return choice.seats is not None and party_size > choice.seats


def _wanted(
    index: VenueIndex,
    party: int,
    quantity: int,
    wanted: Sequence[str],
    below_minimum: bool,
    chairs: int,
) -> Choice:
    resources = _named(index, wanted)
    if quantity > 1 and not any(resource.pool for resource in resources):
        raise Invalid.field(
            "quantity", "counts the units of a pool; name each table, bay or room instead"
        )
    quantities = _amounts(resources, party, quantity)
    for one in resources:
        if not one.active:
            message = f"{one.id} is not in use; name another place, or none, and one is found."
            raise RuleViolated(message, [{"rule": "inactive", "message": message}])
    for one, amount in zip(resources, quantities, strict=True):
        if amount > one.capacity:
            what = "people" if one.counts_people else "units"
            raise _unsuitable(f"{one.id} has {one.capacity} {what}, and {amount} are asked for.")
    seats = _seats_of(resources, quantity)
    names = " and ".join(resource.id for resource in resources)
    if any(one.kind != TABLE or one.pool for one in resources):
        chairs = 0
    if seats is not None and party > seats + chairs:
        more = f", and {seats + chairs} with a chair more at each" if chairs else ""
        raise _unsuitable(f"A party of {party} does not fit: {names} seat {seats} at most{more}.")
    smallest = sum(resource.seats_min for resource in resources)
    if seats is not None and party < smallest and not below_minimum:
        verb = "is" if len(resources) == 1 else "are"
        raise _unsuitable(
            f"{names} {verb} for {smallest} or more, and this is a party of {party}: "
            "name a smaller place, or none, and one that fits is found."
        )
    waste = 0 if seats is None else max(0, seats - party)
    return Choice(
        tuple(resource.id for resource in resources),
        quantities,
        waste,
        sum(resource.priority for resource in resources),
        _shared_area(resources),
        seats,
    )


def _amounts(resources: Sequence[Resource], party: int, quantity: int) -> tuple[int, ...]:
    """How much of each: people, units, or the whole table."""
    return tuple(
        party if one.counts_people else quantity if one.counts_units else 1 for one in resources
    )


def _named(index: VenueIndex, wanted: Sequence[str]) -> list[Resource]:
    if len(wanted) > RESOURCES_PER_REQUEST_MAX:
        raise Invalid.field("resources", f"{RESOURCES_PER_REQUEST_MAX} at most are allowed")
    resources: list[Resource] = []
    errors: list[dict[str, str]] = []
    for number, resource_id in enumerate(wanted):
        resource = index.resource(resource_id)
        field = f"resources[{number}]"
        if resource is None:
            message = f"{index.venue.id} has no resource {resource_id!r}; there are {_some(index)}"
            errors.append({"field": field, "message": message})
        elif resource in resources:
            errors.append({"field": field, "message": f"{resource_id!r} is named twice"})
        else:
            resources.append(resource)
    if errors:
        raise Invalid(f"{errors[0]['field']}: {errors[0]['message']}", errors)
    return resources


def _some(index: VenueIndex) -> str:
    """The resources that somebody may have meant, as many as a line has room for."""
    names = list(index.resource_by_id)
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return f"{', '.join(names[:_NAMED_MAX])}{more}"


def _unsuitable(message: str) -> RuleViolated:
    return RuleViolated(message, [{"rule": "seats", "message": message}])


def _seats_of(resources: Sequence[Resource], quantity: int) -> int | None:
    """The people that these take together; None: not limited by seats."""
    seats = 0
    for resource in resources:
        if resource.seats_max is None:
            return None
        seats += resource.seats_max * (quantity if resource.counts_units else 1)
    together = [one.combined_capacity for one in resources if one.combined_capacity is not None]
    if len(resources) > 1 and together:
        return min(together)
    return seats


def _shared_area(resources: Sequence[Resource]) -> str:
    areas = {resource.area for resource in resources}
    return areas.pop() if len(areas) == 1 else ""


def _at_least(seats: int | None, wanted: int | None) -> bool:
    """Whether `seats` is equal or larger; None is unlimited."""
    return seats is None or (wanted is not None and seats >= wanted)
