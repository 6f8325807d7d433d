"""Saying what was done about an exception, whatever kind it is of.

Owns the way from an exception's id to who acts on it. Contradictions in a reservation are answered
in the book, for every replica. Quarantined entries and second branches are looked at device by
device: "acknowledged" is remembered here alone, so that the same thing is still open elsewhere. Two
hubs are never acknowledged: what they sell twice goes on until one of them is stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from holdfast.model.errors import Invalid, NotFound, RuleViolated
from holdfast.model.vocabulary import RESOLVE_REASONS
from holdfast.node import inspection
from holdfast.node.reasons import reason_code

if TYPE_CHECKING:
    from holdfast.node.service import Service


def resolve(replica: Service, exception_id: str, action: str, reason: str) -> None:
    """Do one of an open exception's `actions` and record it; `reason` is a code.

    Raises NotFound for what is not open, Invalid for another action or for a reason that is on no
    list, RuleViolated for what no answer ends.
    """
    code = reason_code(reason, RESOLVE_REASONS)
    kind, about = inspection.parse_exception_id(exception_id)
    item = _open(replica, exception_id)
    allowed = item["actions"]
    if not allowed:
        raise RuleViolated(item["detail"], [{"rule": kind, "message": item["detail"]}])
    if action not in allowed:
        raise Invalid.field("action", f"must be one of {', '.join(allowed)}")
    if kind not in inspection.ANSWERED_HERE:
        replica.resolve_exception(about, kind, action, code)
    else:
        kept = {"action": action, "reason": code, "at_ms": replica.clock.now_ms()}
        with replica.transaction():
            replica.store.records.put(
                inspection.acknowledgement_key(exception_id), msgspec.json.encode(kept)
            )


def _open(replica: Service, exception_id: str) -> inspection.Item:
    for item in inspection.exceptions(replica):
        if item["id"] == exception_id:
            return item
    raise NotFound(f"no open exception {exception_id}; it may have been resolved")
