"""What a venue file gets that says nothing of it: the usual limits of a house with tables.

They are filled in where a file comes in, and stand in the book as if the file had said them. A
venue that is in a book already is read as it stands there: what its keys mean never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    least = policies.get("min_party")
    if isinstance(least, int) and least > MAX_PARTY:
        # Who takes none but large parties has not forgotten how large.
        missing.pop("max_party", None)
    return document | {"policies": {**policies, **missing}} if missing else document


def _has_tables(document: Mapping[str, Any]) -> bool:
    """Whether the first of its resources is a table; of a lodging's, never."""
    resources = document.get("resources")
    first = resources[0] if isinstance(resources, list | tuple) and resources else None
    tables = isinstance(first, Mapping) and first.get("kind") == "table"
    return tables and document.get("kind") != "lodging"
