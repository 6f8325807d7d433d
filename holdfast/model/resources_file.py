"""The reading of a venue file's `resources` and of the `floors` they stand on, with every fault
named.

Owns their keys, their bounds and what they mean to each other. What a resource is stands in
`venue`.
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.model.limits import (
    FEATURES_PER_RESOURCE_MAX,
    FLOORS_PER_VENUE_MAX,
    NAME_CHARS_MAX,
    PARTY_MAX,
    PLAN_MAX,
    RESOURCES_PER_VENUE_MAX,
    URL_CHARS_MAX,
)
from holdfast.model.reading import Reader, shown
from holdfast.model.venue import ACCESSIBLE, Floor, Resource
from holdfast.model.vocabulary import COUNTS, SHAPES, TABLE_TYPES

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
FEATURE: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
FEATURE_MEANS: Final = "a word of a-z, 0-9, - and _ that begins with a letter (32 at most)"
URL: Final = re.compile(r"(https?://|/)[^\s\x00-\x1f\x7f]*")
URL_MEANS: Final = "an address: https://… or a path that begins with /"
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.*?\[\]!-]{1,64}")
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_AREA: Final = re.compile(r"(?=.*[A-Za-z0-9])[^\W_][^\x00-\x1f\x7f]{0,63}")
_AREA_MEANS: Final = "an area's name: 64 characters at most, and a letter a-z or a digit among them"
_ID_MEANS: Final = "an id: letters, digits and - _ . (64 at most)"


def read_floors(reader: Reader) -> tuple[Floor, ...]:
    """The plans on which the resources stand, in the order of the file."""
    floors: list[Floor] = []
    for number, item in enumerate(reader.items("floors", FLOORS_PER_VENUE_MAX)):
        inner = Reader(item, f"floors[{number}]", reader.faults)
        floor = Floor(
            id=inner.text("id", pattern=ID, means=_ID_MEANS),
            name=inner.text("name", "", chars_max=NAME_CHARS_MAX),
            image=inner.text("image", "", pattern=URL, means=URL_MEANS, chars_max=URL_CHARS_MAX),
            size=_pair(inner, "size", 1),
        )
        inner.finish()
        if floor.id and any(floor.id == other.id for other in floors):
            inner.fault("id", f"{floor.id!r} is already the id of a floor")
        floors.append(floor)
    return tuple(floors)


def read_resources(reader: Reader, floors: tuple[Floor, ...]) -> tuple[Resource, ...]:
    items = reader.items("resources", RESOURCES_PER_VENUE_MAX)
    if not items and not reader.faults.errors_at("resources"):
        reader.fault("resources", "is required: at least one table, bay, room or pool")
    resources: list[Resource] = []
    place_by_id: dict[str, int] = {}
    for number, item in enumerate(items):
        inner = Reader(item, f"resources[{number}]", reader.faults)
        resource = _resource(inner)
        if resource.id in place_by_id:
            first = place_by_id[resource.id]
            message = f"{resource.id!r} is already the id of resources[{first}]"
            inner.faults.add_duplicate(inner.at("id"), message)
        elif resource.id:
            place_by_id[resource.id] = number
        if resource.floor and resource.floor not in {floor.id for floor in floors}:
            inner.fault("floor", f"there is no floor {resource.floor!r}")
        resources.append(resource)
    _check_names(reader, resources)
    for number, resource in enumerate(resources):
        for place, other in enumerate(resource.combines_with):
            path = f"resources[{number}].combines_with[{place}]"
            if other == resource.id:
                reader.faults.add(path, "a resource cannot combine with itself")
            elif other not in place_by_id:
                reader.faults.add(path, f"there is no resource {other!r}")
            elif resource.pool or resources[place_by_id[other]].pool:
                reader.faults.add(path, "pools do not combine; only units such as tables do")
    combining = {one.id for one in resources if one.combines_with}
    combining |= {other for one in resources for other in one.combines_with}
    for number, resource in enumerate(resources):
        if resource.combined_capacity is not None and resource.id not in combining:
            path = f"resources[{number}].combined_capacity"
            reader.faults.add(path, "does nothing: this resource combines with no other")
    return tuple(resources)


def _check_names(reader: Reader, resources: list[Resource]) -> None:
    """A name is that of one resource, and no other's id: people call it by either."""
    by_word = {resource.id: number for number, resource in enumerate(resources)}
    for number, resource in enumerate(resources):
        if resource.name and by_word.setdefault(resource.name, number) != number:
            first = by_word[resource.name]
            message = f"{resource.name!r} is already the name or id of resources[{first}]"
            reader.faults.add_duplicate(f"resources[{number}].name", message)


def _resource(inner: Reader) -> Resource:
    kind = inner.text("kind", pattern=_KIND, means="a kind such as table, bay, room or pool")
    pool = kind == "pool" or inner.has("counts")
    capacity = inner.optional_integer("capacity", 1, PARTY_MAX)
    if pool and capacity is None:
        if not inner.has("capacity"):
            inner.fault("capacity", "is required for a pool")
    elif capacity is not None and not pool and capacity != 1:
        # "capacity: 4" of a table nearly always means its seats.
        inner.fault(
            "capacity",
            f"a {kind or 'resource'} is one unit: for its seats write `seats: [1, {capacity}]`, "
            "for many of a kind write `counts: units` or `counts: people`",
        )
    counts = inner.text("counts", "people" if pool else "units", one_of=COUNTS)
    seats_min, seats_max = _seats(inner, pool and counts == "people")
    resource = Resource(
        id=inner.text("id", pattern=ID, means=_ID_MEANS),
        kind=kind,
        capacity=(capacity or 1) if pool else 1,
        pool=pool,
        counts="people" if counts == "people" else "units",
        seats_min=seats_min,
        seats_max=seats_max,
        # An area stands in entries as a code made of these letters and digits (`areas`).
        area=inner.text("area", "", pattern=_AREA, means=_AREA_MEANS),
        priority=inner.integer("priority", 0, -1_000_000, 1_000_000),
        combines_with=tuple(dict.fromkeys(inner.texts("combines_with", RESOURCES_PER_VENUE_MAX))),
        name=inner.text("name", "", chars_max=NAME_CHARS_MAX),
        type=inner.text("type", "", one_of=TABLE_TYPES),
        features=_features(inner),
        accessible=inner.flag("accessible", False),
        active=inner.flag("active", True),
        online=inner.flag("online", True),
        combined_capacity=inner.optional_integer("combined_capacity", 1, PARTY_MAX),
        floor=inner.text("floor", "", pattern=ID, means=_ID_MEANS),
        position=_pair(inner, "position", 0),
        size=_pair(inner, "size", 1),
        shape=inner.text("shape", "", one_of=SHAPES),
    )
    inner.finish()
    return resource


def _features(inner: Reader) -> tuple[str, ...]:
    words = inner.texts("features", FEATURES_PER_RESOURCE_MAX)
    for number, word in enumerate(words):
        if not FEATURE.fullmatch(word):
            inner.fault(f"features[{number}]", f"{shown(word)} is not {FEATURE_MEANS}")
        elif word == ACCESSIBLE:
            inner.fault(f"features[{number}]", "is a key of its own: `accessible: true`")
    return tuple(sorted(set(words)))


def _pair(inner: Reader, name: str, least: int) -> tuple[int, int] | None:
    """Two numbers on a plan: across, and down."""
    value = inner.value(name)
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        inner.fault(name, "must be a pair such as [40, 25]: across and down, as the plan counts")
        return None
    across, down = (inner.whole(inner.at(name), one, least, PLAN_MAX) for one in value)
    return None if across is None or down is None else (across, down)


def _seats(inner: Reader, counts_people: bool) -> tuple[int, int | None]:
    value = inner.value("seats")
    if value is None:
        return 1, None
    if counts_people:
        inner.fault("seats", "a pool that counts people has a capacity and no seats")
        return 1, None
    pair = value if isinstance(value, list | tuple) else [1, value]
    if len(pair) != 2:
        inner.fault("seats", "must be a pair such as [1, 4]: the smallest and the largest party")
        return 1, None
    path = inner.at("seats")
    smallest = inner.whole(path, pair[0], 1, PARTY_MAX)
    largest = inner.whole(path, pair[1], 1, PARTY_MAX)
    if smallest is not None and largest is not None and smallest > largest:
        inner.fault("seats", f"the smallest party ({smallest}) is above the largest ({largest})")
    return smallest or 1, largest


def read_patterns(inner: Reader, ids: set[str], *, required: bool = True) -> tuple[str, ...]:
    """The resources that an entry of a list is about: ids, or patterns."""
    patterns = tuple(inner.texts("resources", RESOURCES_PER_VENUE_MAX))
    if not patterns and required and not inner.has("resources"):
        inner.fault("resources", "is required: ids or patterns such as T*")
    for place, pattern in enumerate(patterns):
        path = f"resources[{place}]"
        if not _PATTERN.fullmatch(pattern):
            inner.fault(path, f"{pattern!r} is neither an id nor a pattern such as T*")
        elif pattern not in ids and not re.search(r"[*?\[]", pattern):
            # A pattern may wait for resources that come later; a name is a slip of the pen.
            inner.fault(path, f"there is no resource {pattern!r}")
    return patterns
