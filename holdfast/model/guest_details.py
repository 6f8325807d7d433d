"""What a person prefers, eats and agrees to, field by field (features H-24, H-26).

Owns the fields, what may stand in them, and the rule by which two devices' words about one person
come together: of each field the newest stands. All of it is sealed: diet is a matter of health, and
whoever has the number to send a message to reads here whether one may be sent. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

TEXTS: Final = {"preferences": 2_000, "dietary": 1_000}
"""In one's own words, with the most characters of each."""
LANGUAGE: Final = "language"
TIME_ZONE: Final = "time_zone"
CHANNELS: Final = ("email", "sms", "whatsapp")
"""Ways to send a guest a message; yes, no, or (null) nobody asked."""
MARKETING: Final = "marketing"
"""Whether the guest agreed to be sent what they did not ask for."""
SWITCHES: Final = (*CHANNELS, MARKETING)
FIELDS: Final = (*TEXTS, LANGUAGE, TIME_ZONE, *SWITCHES)

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}\Z")
"""A language tag (BCP 47), as far as its form goes."""


class Said(NamedTuple):
    """What one entry says: its operation and stamp, and its fields; None takes a field away."""

    id: bytes
    stamp: int
    fields: Mapping[str, Any]


class Standing(NamedTuple):
    """A field as it stands, and the operation that said so."""

    value: Any
    by: bytes
    stamp: int


def standing(said: Iterable[Said]) -> dict[str, Standing]:
    """Each field that has a value: the newest word on it. What no field is, or no value of it, is
    as if it were not said: whoever sealed it may have put in anything."""
    found: dict[str, Standing] = {}
    for one in sorted(said, key=lambda one: (one.stamp, one.id)):
        for field, value in one.fields.items():
            if problem(field, value) is None:
                found[field] = Standing(value, one.id, one.stamp)
    return {field: found[field] for field in FIELDS if field in found and _has(found[field])}


def _has(field: Standing) -> bool:
    return field.value is not None


def problem(field: str, value: Any) -> str | None:
    """Why this is no value of a field, in words; None: it is one. That it is text without control
    characters, and names a time zone that there is, is for whoever writes to see to."""
    if field not in FIELDS:
        return f"unknown; there are {', '.join(FIELDS)}"
    if value is None:
        return None
    if field in SWITCHES:
        return None if isinstance(value, bool) else "must be true, false or null"
    if not isinstance(value, str) or not value:
        return "must be text, or null to take it away"
    if field == LANGUAGE:
        return None if _LANGUAGE.match(value) else "must be a language tag such as it or pt-BR"
    if len(value) > TEXTS.get(field, 64):
        return f"has at most {TEXTS.get(field, 64)} characters"
    return None
