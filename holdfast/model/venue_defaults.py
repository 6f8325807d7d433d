"""What a venue file gets that says nothing of it: the usual limits of a house with tables.

They are filled in where a file comes in, and stand in the book as if the file had said them. A
venue that is in a book already is read as it stands there: what its keys mean never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

ADVANCE_DAYS: Final = 90
MAX_PARTY: Final = 12
UNLIMITED: Final[Mapping[str, int]] = {"advance_days": ADVANCE_DAYS, "max_party": MAX_PARTY}
"""The policies that have no limit where they are null, and the default of a house with tables."""


def with_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """A venue file with its `policies.advance_days` and `max_party`, where it has tables first and
    says nothing of them; null says: no limit. What is no venue file comes back as it is."""
    policies = document.get("policies", {})
    policies = {} if policies is None else policies
    if not _has_tables(document) or not isinstance(policies, Mapping):
        return document
    missing = {name: value for name, value in UNLIMITED.items() if name not in policies}
    # Who says elsewhere that they take larger parties, or further ahead, has not forgotten it.
    if any(size > MAX_PARTY for size in _sizes(document, policies)):
        missing.pop("max_party", None)
    if any(
        days < ADVANCE_DAYS for days in _numbers(_each(policies, "tiers", "tags"), "advance_days")
    ):
        missing.pop("advance_days", None)
    return document | {"policies": {**policies, **missing}} if missing else document


def _sizes(document: Mapping[str, Any], policies: Mapping[str, Any]) -> Iterator[int]:
    """The parties that the file speaks of: the smallest of all, the smallest of each place, and the
    largest of each slot that is set apart."""
    yield from _numbers([policies], "min_party")
    yield from _numbers(_each(document, "slot_overrides"), "max_party")
    for place in _each(document, "resources"):
        seats = place.get("seats")
        least = seats[0] if isinstance(seats, list | tuple) and seats else seats
        if isinstance(least, int):
            yield least


def _numbers(those: Iterable[Mapping[str, Any]], name: str) -> Iterator[int]:
    return (value for one in those if isinstance(value := one.get(name), int))


def _each(document: Mapping[str, Any], *names: str) -> Iterator[Mapping[str, Any]]:
    """The objects in lists, or under names, of a document, as far as there are any."""
    for name in names:
        listed = document.get(name)
        values = listed.values() if isinstance(listed, Mapping) else listed
        if not isinstance(values, str):
            for one in values if isinstance(values, Iterable) else ():
                if isinstance(one, Mapping):
                    yield one


def _has_tables(document: Mapping[str, Any]) -> bool:
    """Whether the first of its resources is a table; of a lodging's, never."""
    resources = document.get("resources")
    first = resources[0] if isinstance(resources, list | tuple) and resources else None
    tables = isinstance(first, Mapping) and first.get("kind") == "table"
    return tables and document.get("kind") != "lodging"
