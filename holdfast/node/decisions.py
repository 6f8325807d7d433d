"""One decision looked at and checked: who said yes or no, why, and whether it may be believed.

Owns the shape of `decision verify`. It needs no network: everything that a decision rests on
stands in the book. It repeats no rule of capacity: who may decide is read from the same
administration that the fold reads.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.model.claims import OVERRIDE, Seen, is_holders_word
from holdfast.model.entries import Claim
from holdfast.model.errors import HoldfastError, NotFound
from holdfast.model.events import ChainCertified, ChainKeyChanged, ClaimDecided
from holdfast.model.ids import uuid_text
from holdfast.node.identity import Identity, verify_certificate, verify_renewed
from holdfast.node.lookup import (
    decision_shape,
    decisions_in,
    find_record,
    node_name,
    position_of,
    request_in,
    rfc3339_ms,
    subject_of,
    venue_time,
)
from holdfast.node.overriding import override_in
from holdfast.node.replica import Replica
from holdfast.node.words import plain_reason
from holdfast.store.journal import ChainRow
from holdfast.store.projections import Record
from holdfast.sync import gate
from holdfast.sync.seals import chain_next, chain_start, verify_seal


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
        "operation": entry.operation.hex(),
        "decides": event.decides.hex(),
        "decided_at": rfc3339_ms(entry.stamp >> 16),
        **decision_shape(entry, event),
        "why": plain_reason(event.reason),
        "asked_by": asked.author if asked is not None else None,
        "asked": _claims(replica, venue, asked.claims if asked is not None else ()),
        "given": _claims(replica, venue, entry.claims) if event.verdict != "displaced" else [],
        "winners": [_winner(replica, record.book, won) for won in event.won],
        "relied_on": [_relied(replica, record.book, head) for head in event.relied_on],
    }


def verify_decision(replica: Replica, reference: str) -> dict[str, Any]:
    """The decision's detail with `checks`, each true or false, and `ok` where all are true.

    `notes` say in words what a false one means. Raises NotFound as `decision_detail` does.
    """
    detail = decision_detail(replica, reference)
    record, entry, event = _newest(replica, reference)
    place = position_of(replica, record.book, entry.node, entry.operation, entry.stamp)
    notes: list[str] = []
    checks = dict.fromkeys(("chain", "certificate", "seal"), False)
    if place is None:
        notes.append("the decision's entry is not in the journal")
    else:
        checks.update(_check_chain(replica, *place, entry, notes))
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


def _claims(replica: Replica, venue: str, claims: tuple[Claim, ...]) -> list[dict[str, Any]]:
    return [
        {
            "resource": claim.resource,
            "quantity": claim.quantity,
            "starts_at": venue_time(replica, venue, claim.start),
            "ends_at": venue_time(replica, venue, claim.end - claim.buffer),
        }
        for claim in claims
    ]


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


def _check_chain(
    replica: Replica, chain: ChainRow, n: int, entry: Seen, notes: list[str]
) -> dict[str, bool]:
    """The chain is hashed again from its first entry, and a seal over the decision verified with
    the key that a certificate of the tenant's root gives."""
    with replica.lock:
        entries = replica.store.journal.entries(chain, 0, chain.length)
        sealed = replica.store.journal.seal_for(chain, n - 1, n)
    hashes = []
    head = chain_start(chain.book, chain.incarnation)
    for data in entries:
        head = chain_next(head, data)
        hashes.append(head)
    with replica.lock:
        kept = replica.store.journal.hashes(chain, 0, n)
    whole = hashes[:n] == kept and hashes[n - 1][:16] == entry.operation
    if not whole:
        notes.append("the chain up to the decision is not what its hashes say")
    keys = _keys(replica, chain, hashes, entries, notes)
    verified = False
    if sealed is None:
        notes.append("no seal covers the decision yet; one is made when it is sent")
    elif keys:
        upto, signature = sealed
        key = next(key for first, key in reversed(keys) if first <= upto)
        verified = len(hashes) >= upto and verify_seal(
            key, chain.book, chain.incarnation, upto, hashes[upto - 1], signature
        )
        if not verified:
            notes.append("the seal over the decision does not verify")
    return {"chain": whole, "certificate": bool(keys), "seal": verified}


def _keys(
    replica: Replica, chain: ChainRow, hashes: list[bytes], entries: list[bytes], notes: list[str]
) -> list[tuple[int, Ed25519PublicKey]]:
    """The decider's keys with the entry each begins at, read anew from its certificates; none
    where the root did not sign each for this tenant's hub or for a device of this venue."""
    keys: list[tuple[int, Ed25519PublicKey]] = []
    first: Identity | None = None
    for n, (digest, data) in enumerate(zip(hashes, entries, strict=True), 1):
        if n > 1 and b"chain.key_changed" not in data:
            continue
        event = gate.judge(chain.incarnation, n, digest, data).event
        if not isinstance(event, ChainCertified if n == 1 else ChainKeyChanged):
            continue
        if first is not None:
            renewed = verify_renewed(first, event.certificates, replica.identity.root)
            if renewed is not None:
                keys.append((n + 1, renewed.public_key))
            continue
        try:
            first = verify_certificate(event.certificates, replica.identity.root)
        except HoldfastError as error:
            notes.append(f"the decider's certificate is not the tenant's: {error.detail}")
            return []
        tenant, _, venue = chain.book.partition("/")
        if first.tenant != tenant or first.venue not in ("*", venue):
            notes.append(f"the decider's certificate is for {first.tenant}/{first.venue}")
            return []
        keys.append((1, first.public_key))
    return keys


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
