"""A series: reservations that were asked for together, by one rule (S-28).

Owns how they are known to belong together. Each is a reservation like any other, with a life of its
own; they share a name in their `metadata` and the guest whose they are. So nobody but that guest's
own reservations belongs to a series, whatever a device writes, and one that was given to somebody
else has left it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from holdfast.model.reservation import View

KEY: Final = "series.id"
"""Where the name stands in `metadata`: 32 hexadecimal digits."""
_NAME: Final = re.compile(r"[0-9a-f]{32}\Z")


def named(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    """The metadata of a reservation that belongs to a series; an empty name: to none."""
    other = {key: value for key, value in metadata.items() if key != KEY}
    return other | {KEY: name} if name else other


def series_of(view: View) -> str:
    """The name of the series that a reservation belongs to; empty: to none."""
    name = view.metadata.get(KEY)
    return name if isinstance(name, str) and _NAME.match(name) else ""


def members(view: View, others: Iterable[View]) -> list[View]:
    """Of a guest's reservations, those of one's own series, in the order of their starts."""
    name = series_of(view)
    found = [
        one
        for one in others
        if name
        and series_of(one) == name
        and (one.book, one.agent_id) == (view.book, view.agent_id)
    ]
    return sorted(found, key=lambda one: (one.starts_at, one.id))
