"""Saying what was done about an exception, whatever kind it is of.

Owns the way from an exception's id to who acts on it. What reservations raise is answered in the
book, for every replica (`contradicting`). Quarantined entries and second branches are looked at
device by device: "acknowledged" is remembered here alone, so that the same thing is still open
elsewhere. Two hubs are never acknowledged: what they sell twice goes on until one is stopped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from holdfast.model.errors import Invalid, NotFound, RuleViolated
from holdfast.model.vocabulary import resolve_reasons
from holdfast.node import inspection
from holdfast.node.contradicting import Item
from holdfast.node.reasons import reason_code

if TYPE_CHECKING:
    from holdfast.node.service import Service


def resolve(
    replica: Service,
    exception_id: str,
    action: str,
    reason: str,
    resources: Sequence[str] = (),
    starts_at: str | None = None,
) -> None:
    """Do one of an open exception's `actions` and record it, or neither; `action` and `reason` are
    codes, `resources` and `starts_at` the place where the action needs one.

    Raises NotFound for what is not open, Invalid for another action or for a reason that is on no
    list, RuleViolated for what no answer ends, and what the action itself raises.
    """
    action = action_code(action)
    code = reason_code(reason, resolve_reasons(action))
    kind, about = inspection.parse_exception_id(exception_id)
    with replica.transaction():
        item = _open(replica, exception_id)
        allowed = item["actions"]
        if not allowed:
            raise RuleViolated(item["detail"], [{"rule": kind, "message": item["detail"]}])
        if kind in inspection.ANSWERED_HERE:
            _acknowledge(replica, exception_id, action, code, allowed)
            return
        book = replica.book_of(item["venue"])
        replica.resolve_exception(about, kind, action, code, resources, starts_at, book)


def action_code(typed: str) -> str:
    """An action as a person types it: "Keep both" is `keep-both`."""
    return re.sub(r"[\s_-]+", "-", typed.strip().lower())


def _acknowledge(
    replica: Service, exception_id: str, action: str, code: str, allowed: list[str]
) -> None:
    if action not in allowed:
        raise Invalid.field("action", f"must be one of {', '.join(allowed)}")
    kept = {"action": action, "reason": code, "at_ms": replica.clock.now_ms()}
    replica.store.records.put(
        inspection.acknowledgement_key(exception_id), msgspec.json.encode(kept)
    )


def _open(replica: Service, exception_id: str) -> Item:
    for item in inspection.exceptions(replica):
        if item["id"] == exception_id:
            return item
    raise NotFound(f"no open exception {exception_id}; it may have been resolved")
