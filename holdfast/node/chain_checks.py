"""Whether one entry of a chain may be believed: its hashes, its seal, its writer's certificate.

Owns that check for whatever repeats a judgement offline (`decisions`, `sales`). It needs no network
and trusts nothing but the tenant's root. What the entry says is not its business.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.model.errors import HoldfastError
from holdfast.model.events import ChainCertified, ChainKeyChanged
from holdfast.node.identity import Identity, verify_certificate, verify_renewed
from holdfast.node.replica import Replica
from holdfast.store.journal import ChainRow
from holdfast.sync import gate
from holdfast.sync.seals import chain_next, chain_start, verify_seal


def check_entry(
    replica: Replica, chain: ChainRow, n: int, operation: bytes, what: str, notes: list[str]
) -> dict[str, bool]:
    """Whether entry n of a chain is what its writer wrote: the chain is hashed again from its first
    entry, and a seal over the entry verified with the key that a certificate of the tenant's root
    gives. `what` it is calls it in the notes, such as `decision`.
    """
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
    whole = hashes[:n] == kept and hashes[n - 1][:16] == operation
    if not whole:
        notes.append(f"the chain up to the {what} is not what its hashes say")
    keys = _keys(replica, chain, hashes, entries, what, notes)
    verified = False
    if sealed is None:
        notes.append(f"no seal covers the {what} yet; one is made when it is sent")
    elif keys:
        upto, signature = sealed
        key = next(key for first, key in reversed(keys) if first <= upto)
        verified = len(hashes) >= upto and verify_seal(
            key, chain.book, chain.incarnation, upto, hashes[upto - 1], signature
        )
        if not verified:
            notes.append(f"the seal over the {what} does not verify")
    return {"chain": whole, "certificate": bool(keys), "seal": verified}


def _keys(
    replica: Replica,
    chain: ChainRow,
    hashes: list[bytes],
    entries: list[bytes],
    what: str,
    notes: list[str],
) -> list[tuple[int, Ed25519PublicKey]]:
    """The writer's keys with the entry each begins at, read anew from its certificates; none
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
            notes.append(
                f"the certificate of the {what}'s writer is not the tenant's: {error.detail}"
            )
            return []
        tenant, _, venue = chain.book.partition("/")
        if first.tenant != tenant or first.venue not in ("*", venue):
            notes.append(
                f"the certificate of the {what}'s writer is for {first.tenant}/{first.venue}"
            )
            return []
        keys.append((1, first.public_key))
    return keys
