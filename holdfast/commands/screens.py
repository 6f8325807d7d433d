"""The screens that say how a device stands: its link, its queue, its clock, all of them together.

Owns which of an answer's fields a person needs and what they are called; `--json` has all of them.
Pure: answers in, names and values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.commands.words import (
    clock_words,
    connection_words,
    size_text,
    span_text,
    sync_words,
)

Fields = list[tuple[str, Any]]


def sync_fields(answer: Mapping[str, Any]) -> Fields:
    """How it stands with the hub; of the queue what is not as it should be."""
    differing = answer.get("books_differing") or []
    return [
        ("exchange", connection_words(answer.get("state"))),
        ("hub", answer.get("hub")),
        ("last exchange", answer.get("last_exchange_at") or "never"),
        ("last problem", answer.get("last_error")),
        ("not sent yet", answer.get("queued")),
        *_unusual(answer.get("queue") or {}),
        ("differs from the hub", differing),
    ]


def round_fields(answer: Mapping[str, Any]) -> Fields:
    """What an exchange did."""
    verdicts = answer.get("verdicts") or {}
    differing = answer.get("books_differing") or []
    return [
        ("sent", answer.get("pushed")),
        ("received", answer.get("pulled")),
        *((sync_words(state), count) for state, count in verdicts.items() if state != "merged"),
        ("same as the hub", "no: " + ", ".join(differing) if differing else "yes"),
        ("hub", "recovering: it decides nothing yet" if _recovering(answer) else None),
    ]


def _recovering(answer: Mapping[str, Any]) -> bool:
    return answer.get("hub_state") == "recovering"


def clock_fields(answer: Mapping[str, Any]) -> Fields:
    """The time, and how wrong it may be."""
    by = {"ntp": "time servers", "hub": "the hub"}.get(str(answer.get("disciplined_by")))
    added = answer.get("test_wall_ms")
    return [
        ("clock", clock_words(answer.get("state"))),
        ("now", answer.get("now")),
        ("set by", by),
        ("this machine is off by", span_text(answer.get("offset_ms")) if by else None),
        ("may be wrong by", span_text(answer.get("uncertainty_ms"))),
        ("jumps noticed", answer.get("steps_noticed") or None),
        ("bent for a test by", span_text(added) if added else None),
    ]


def status_fields(answer: Mapping[str, Any], *, running: bool) -> Fields:
    """One screen: identity, exchange, queue, clock, books, disk."""
    sync = answer.get("sync")
    role = answer.get("node_role") or answer.get("role")
    life = f"{answer.get('number')} ({str(answer.get('incarnation'))[:8]})"
    disk = answer.get("disk") or {}
    venue = answer.get("venue")
    return [
        ("name", f"{answer.get('name')} ({role})"),
        ("tenant", answer.get("tenant")),
        ("venue", None if venue == "*" else venue),
        ("process", "running" if running else "not running"),
        *(sync_fields(sync) if sync else _unusual(answer.get("queue") or {})),
        *(row for row in clock_fields(answer.get("clock") or {}) if row[0] != "now"),
        *(
            (f"book of {book.get('venue')}", f"{book.get('reservations')} reservations")
            for book in answer.get("books") or []
        ),
        ("database", size_text(disk.get("database_bytes"))),
        ("directory", answer.get("directory")),
        ("life", life),
        ("why another life", answer.get("other_life")),
    ]


def _unusual(counts: Mapping[str, Any]) -> Fields:
    """States of operations that somebody should know of, where there are any."""
    return [
        (sync_words(state), counts[state])
        for state in ("deferred", "quarantined")
        if counts.get(state)
    ]
