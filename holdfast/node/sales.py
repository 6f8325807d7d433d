"""One sale looked at and checked: by which right a place was guaranteed, and whether it may be.

Owns the shape of `decision verify` for what was sold without asking anybody. It needs no network:
the sale stands in the seller's chain, the grant in the hub's, and what else was sold from the same
right is folded here. It repeats no rule of rights: what a right covers, `model.rights` says.
"""

from __future__ import annotations

from typing import Any, Final

from holdfast.model import overbooking
from holdfast.model.claims import REQUESTS, ClaimView, Seen, wish_of
from holdfast.model.forms import made_as
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import BLOCK
from holdfast.model.rights import HUB, Right
from holdfast.node.chain_checks import check_entry
from holdfast.node.lookup import claim_shapes, node_name, position_of, rfc3339_ms, venue_time
from holdfast.node.replica import Replica
from holdfast.store.journal import ChainRow
from holdfast.store.projections import Record

GUARANTEED: Final = "guaranteed"


def verify(replica: Replica, record: Record) -> dict[str, Any]:
    """What was sold, from which right, with `checks`, each true or false, and `ok` where all are
    true; `notes` say in words what a false one means.

    `chain`, `certificate` and `seal` are of the entries that sold it (`written_here` instead of
    `seal` where this device wrote it and has not sent it yet), `grant` is of the hub's entry that
    granted the right, `right` says that the seller had it there, and `not_oversold` that no more
    was sold from it than it has.
    """
    notes: list[str] = []
    checks: dict[str, bool] = {}
    sold: list[dict[str, Any]] = []
    live = record.view.live
    venue = record.book.partition("/")[2]
    sellers = {claim.id.operation: _seller(record, claim) for claim in live}
    for entry in sellers.values():
        _merge(checks, _check_sale(replica, record, entry, notes))
    for right in dict.fromkeys(claim.right for claim in live):
        known, found = _check_grant(replica, record, right, notes)
        _merge(checks, found)
        sold.append(_right_shape(replica, record.book, known))
    for claim in live:
        entry = sellers[claim.id.operation]
        _merge(checks, {"right": entry is not None and _had(replica, record, entry, claim, notes)})
        _merge(checks, {"not_oversold": _fits(replica, record, claim, notes)})
    last = max(
        (entry for entry in sellers.values() if entry), key=lambda one: one.stamp, default=None
    )
    by = last.author if last is not None else live[0].holder
    return {
        "reservation": uuid_text(record.id),
        "code": record.view.code or None,
        "venue": venue,
        "status": record.view.status,
        "promised": False,
        "lost_promise": None,
        "operation": None if last is None else last.operation.hex(),
        "decided_at": None if last is None else rfc3339_ms(last.stamp >> 16),
        "verdict": GUARANTEED,
        "by": by,
        "why": _words(sold, by),
        "sold_from": sold,
        "given": claim_shapes(replica, venue, live),
        "ok": all(checks.values()),
        "checks": checks,
        "notes": list(dict.fromkeys(notes)),
    }


def _merge(checks: dict[str, bool], found: dict[str, bool]) -> None:
    """A check holds where it holds of every entry that it is made of."""
    for name, holds in found.items():
        checks[name] = holds and checks.get(name, True)


def _seller(record: Record, claim: ClaimView) -> Seen | None:
    return next(
        (
            one
            for one in record.seen
            if one.operation == claim.id.operation and one.kind in REQUESTS
        ),
        None,
    )


def _right_shape(replica: Replica, book: str, right: Right | None) -> dict[str, Any]:
    """What a place was sold from: an allotment, or (id null) what the hub granted to nobody."""
    if right is None:
        return {"id": None, "holder": "hub", "resources": [], "granted_at": None}
    return {
        "id": right.id.hex(),
        "holder": node_name(replica, book, right.holder),
        "resources": list(right.resources),
        "granted_at": rfc3339_ms(right.stamp >> 16),
    }


def _words(sold: list[dict[str, Any]], by: str) -> str:
    named = [one for one in sold if one["id"]]
    if not named:
        return "guaranteed by the hub, from what is granted to nobody"
    ids = ", ".join(one["id"][:8] for one in named)
    return f"guaranteed by {by}'s allotment of {', '.join(named[0]['resources'])} ({ids})"


def _check_sale(
    replica: Replica, record: Record, entry: Seen | None, notes: list[str]
) -> dict[str, bool]:
    """Whether the entry that sold it is whole, sealed and its writer's."""
    checks = dict.fromkeys(("chain", "certificate", "seal"), False)
    if entry is None:
        notes.append("the entry that sold it is not here yet: synchronise and look again")
        return checks
    place = position_of(replica, record.book, entry.node, entry.operation, entry.stamp)
    if place is None:
        notes.append("the entry that sold it is not in the journal")
        return checks
    return _check_entry(replica, place, entry.operation, "sale", notes)


def _check_entry(
    replica: Replica, place: tuple[ChainRow, int], operation: bytes, what: str, notes: list[str]
) -> dict[str, bool]:
    """As `check_entry`; what this device wrote itself and has not sent yet nobody has sealed, and
    nobody needs to."""
    chain, n = place
    own = chain.incarnation == replica.identity.incarnation and not chain.branch
    if not own or replica.store.journal.seal_for(chain, n - 1, n) is not None:
        return check_entry(replica, chain, n, operation, what, notes)
    found = check_entry(replica, chain, n, operation, what, [])
    if not found["chain"]:
        notes.append(f"the chain up to the {what} is not what its hashes say")
    del found["seal"]
    return found | {"written_here": found["chain"]}


def _check_grant(
    replica: Replica, record: Record, right: bytes, notes: list[str]
) -> tuple[Right | None, dict[str, bool]]:
    """The right, and whether the hub's entry that granted it is whole, sealed and the hub's."""
    if right == HUB:
        return None, {}
    known = replica.rights(record.book).by_id.get(right)
    if known is None:
        notes.append("the grant of its allotment is not here yet: synchronise and look again")
        return None, {"grant": False}
    for hub in sorted(replica.book(record.book).administration.hubs):
        place = position_of(replica, record.book, hub, right, known.stamp)
        if place is not None:
            return known, {
                "grant": all(check_entry(replica, *place, right, "grant", notes).values())
            }
    notes.append("the hub's entry that granted its allotment is not in the journal")
    return known, {"grant": False}


def _had(replica: Replica, record: Record, entry: Seen, claim: ClaimView, notes: list[str]) -> bool:
    """Whether the seller had the right to all of a claim where the sale stands in its chain."""
    if claim.right == HUB:
        if not entry.holder:
            notes.append(f"{entry.author} is not the hub, or its life is closed before the sale")
        return entry.holder
    rights = replica.rights(record.book)
    if entry.counts and rights.covers(claim.right, entry.node, entry.n, wish_of(claim)):
        return True
    starts = venue_time(replica, record.book.partition("/")[2], claim.start)
    notes.append(
        f"{entry.author} did not hold {claim.resource} at {starts} when it sold it: the allotment "
        "was given back, revoked or closed before, or does not reach so far"
    )
    return False


def _fits(replica: Replica, record: Record, claim: ClaimView, notes: list[str]) -> bool:
    """Whether no more is sold, of the right that a claim counts against now, than it has; what the
    house took out of use besides is no sale."""
    held = replica.rights(record.book).account(claim.id, claim.right, claim.end)
    index = replica.book(record.book).administration.venue
    resource = index.resource(claim.resource) if index is not None else None
    if index is None or resource is None:
        notes.append(f"the venue has no {claim.resource} here, so that nobody can add up its sales")
        return False
    size = resource.capacity if held is None else held.right.quantity
    account = HUB if held is None else held.right.id
    occupancy = replica.store.projections.occupancy(record.book)
    blocks = [
        one.claim
        for one in occupancy.overlapping(claim.resource, claim.start, claim.end)
        if (view := replica.view(one.reservation, record.book)) is not None
        and made_as(view) == BLOCK
    ]
    start = claim.start if held is None else max(claim.start, held.start)
    free = occupancy.free(claim.resource, size, start, claim.end, ignoring=blocks, account=account)
    beyond = overbooking.limit(index.venue, claim.resource, claim.start, claim.end)
    if free + beyond < 0:
        notes.append(f"{-free} more of {claim.resource} is sold at that time than there is")
        return False
    return True
