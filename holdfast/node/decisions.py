"""One decision looked at and checked: who said yes or no, why, and whether it may be believed.

Owns the shape of `decision verify`. It needs no network: everything that a decision rests on
stands in the book. It repeats no rule of capacity: who may decide is read from the same
administration that the fold reads.
"""

from __future__ import annotations

from typing import Any

from holdfast.model.claims import OVERRIDE, Seen, is_holders_word
from holdfast.model.entries import Claim
from holdfast.model.errors import NotFound
from holdfast.model.events import ClaimDecided
from holdfast.model.ids import uuid_text
from holdfast.node import promised, sales
from holdfast.node.chain_checks import check_entry
from holdfast.node.lookup import (
    claim_shapes,
    decision_shape,
    decisions_in,
    find_record,
    node_name,
    position_of,
    request_in,
    rfc3339_ms,
    subject_of,
)
from holdfast.node.overriding import override_in
from holdfast.node.replica import Replica
from holdfast.node.words import plain_reason
from holdfast.store.journal import ChainRow
from holdfast.store.projections import Record


def decision_detail(replica: Replica, reference: str) -> dict[str, Any]:
    """The newest decision about a reservation (id or code): what was asked, who answered what and
    why, and the chain heads that the answer relied on.

    Raises NotFound for an unknown reservation, and for one that nobody had to decide.
    """
    record, entry, event = _newest(replica, reference)
    venue = record.book.partition("/")[2]
    asked = request_in(record, event)
    return {
        "reservation": uuid_text(record.id),
        "code": record.view.code or None,
        "venue": venue,
        "status": record.view.status,
        "promised": (lost := promised.lost(replica, record.view)) is not None,
        "lost_promise": lost,
        "operation": entry.operation.hex(),
        "decides": event.decides.hex(),
        "decided_at": rfc3339_ms(entry.stamp >> 16),
        **decision_shape(entry, event),
        "why": plain_reason(event.reason),
        "asked_by": asked.author if asked is not None else None,
        "asked": claim_shapes(replica, venue, asked.claims if asked is not None else ()),
        "given": claim_shapes(replica, venue, entry.claims) if event.verdict != "displaced" else [],
        "winners": [_winner(replica, record.book, won) for won in event.won],
        "relied_on": [_relied(replica, record.book, head) for head in event.relied_on],
    }


def verify_decision(replica: Replica, reference: str) -> dict[str, Any]:
    """The decision's detail with `checks`, each true or false, and `ok` where all are true; of what
    was sold without asking anybody, the same of the sale (`sales`).

    `notes` say in words what a false one means. Raises NotFound as `decision_detail` does, for what
    has no place that was sold.
    """
    found = find_record(replica, reference)
    if not decisions_in(replica, found) and found.view.live:
        return sales.verify(replica, found)
    detail = decision_detail(replica, reference)
    record, entry, event = _newest(replica, reference)
    place = position_of(replica, record.book, entry.node, entry.operation, entry.stamp)
    notes: list[str] = []
    checks = dict.fromkeys(("chain", "certificate", "seal"), False)
    if place is None:
        notes.append("the decision's entry is not in the journal")
    else:
        checks.update(check_entry(replica, *place, entry.operation, "decision", notes))
    checks.update(_check_decider(replica, record, entry, event, place, notes))
    checks.update(_check_content(replica, record, entry, event, notes))
    return detail | {"ok": all(checks.values()), "checks": checks, "notes": notes}


def _newest(replica: Replica, reference: str) -> tuple[Record, Seen, ClaimDecided]:
    record = find_record(replica, reference)
    decided = decisions_in(replica, record)
    if not decided:
        asked = "still waits for a decision" if record.view.pending else "needed none"
        raise NotFound(f"{reference} has no decision: it {asked}")
    entry, event = max(decided.values(), key=lambda pair: (pair[0].stamp, pair[0].operation))
    return record, entry, event


def _request(record: Record, event: ClaimDecided) -> Seen | None:
    return next((seen for seen in record.seen if seen.operation == event.decides), None)


# --- what it says -------------------------------------------------------------------------------


def _winner(replica: Replica, book: str, won: bytes) -> dict[str, Any]:
    record = replica.record(won, book)
    known = record is not None and bool(record.seen)
    return {
        "id": uuid_text(won),
        "code": subject_of(replica, book, won) if known else None,
        "status": record.view.status if known and record is not None else None,
        "resources": [claim.resource for claim in record.view.live] if known and record else [],
        "known": known,
    }


def _relied(replica: Replica, book: str, head: tuple[bytes, int, bytes]) -> dict[str, Any]:
    """A chain head that the decider had folded, and whether this replica holds the same."""
    incarnation, entries, first = head
    journal = replica.store.journal
    with replica.lock:
        held = any(
            (journal.hash_at(chain, entries) or b"")[: len(first)] == first
            for chain in journal.branches(book, incarnation)
        )
    return {
        "node": node_name(replica, book, incarnation),
        "incarnation": incarnation.hex(),
        "entries": entries,
        "head": first.hex(),
        "held": held,
    }


# --- whether it may be believed -----------------------------------------------------------------


def _check_decider(
    replica: Replica, record: Record, entry: Seen, event: ClaimDecided,
    place: tuple[ChainRow, int] | None, notes: list[str],
) -> dict[str, bool]:  # fmt: skip
    """Whether the decider had the right to the place where the decision stands in its chain."""
    asked = request_in(record, event)
    entitled = is_holders_word(replica.rights(record.book), entry, event, asked)
    beyond = place is not None and not replica.counts(replica.book(record.book), *place)
    if not entitled:
        notes.append(f"{entry.author} did not hold the right to the place when it decided")
    if beyond:
        notes.append("the decision stands beyond the head at which this life was closed")
    return {"decider": entitled, "not_beyond_close": not beyond}


def _check_content(
    replica: Replica, record: Record, entry: Seen, event: ClaimDecided, notes: list[str]
) -> dict[str, bool]:
    """What it decides is there and was asked; whoever won is known here; its basis is held."""
    asked = request_in(record, event)
    fits = asked is not None
    if asked is not None and event.verdict == "admitted":
        fits = _places(asked.claims) == _places(entry.claims)
    if not fits:
        notes.append("what it decides is not what was asked, or is not held here")
    if event.reason == OVERRIDE and not override_in(replica, record, event.decides):
        fits = False
        notes.append(
            "it says that the place was overbooked on purpose, which nobody who may asked for"
        )
    winners = all(_winner(replica, record.book, won)["known"] for won in event.won)
    if not winners:
        notes.append("a reservation that it says won is not known here")
    relied = all(_relied(replica, record.book, head)["held"] for head in event.relied_on)
    if not relied:
        notes.append("a chain head that it relied on is not held here: synchronise and look again")
    return {"request": fits, "winners": winners, "relied_on": relied}


def _places(claims: tuple[Claim, ...]) -> list[tuple[str, int, int, int]]:
    return [(claim.resource, claim.start, claim.end, claim.quantity) for claim in claims]
