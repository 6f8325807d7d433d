"""One life or another: opening a directory, noticing a copy or a restore, keeping the witness.

Owns the join of witness, identity and store at start and at stop (DESIGN §5.8). A directory that
is another life goes on at once under a new incarnation, without rights; nothing that the old life
wrote is lost from sight: its chain stands beside the new one and is sent like any other.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from holdfast.model.entries import Malformed, decode
from holdfast.model.errors import StorageFull
from holdfast.node import directories, files, local_identity, witness
from holdfast.node.guests import LOCKED_KEY
from holdfast.node.local_identity import LocalIdentity
from holdfast.store.store import Store

log = logging.getLogger("holdfast.lives")

WITNESS_KEY = "witness"


def identity_at_start(directory: Path, store: Store) -> tuple[LocalIdentity, list[str]]:
    """The identity to go on with, and why it is another life (empty: the same one).

    What a killed process was writing here is removed: the store's lock says that none is at it.
    """
    outside = witness.Outside()
    for written in (directory, directory / directories.KEYS):
        files.sweep(written)
    outside.clear_up()
    identity = local_identity.load(directory, store.records)
    entries, stamp = _own(store, identity.incarnation)
    inside_bytes = store.records.get(WITNESS_KEY)
    inside = witness.Witness.decode(inside_bytes) if inside_bytes else None
    seen = outside.read(identity.incarnation)
    reasons = witness.check(inside, seen, witness.observe(directory), entries, stamp)
    if not reasons:
        return identity, []
    successor = identity.next_life()
    log.warning(
        "%s is another life of %s (%s): incarnation %s goes on as number %d, without rights",
        directory, identity.name, "; ".join(reasons), identity.incarnation.hex()[:8],
        successor.number,
    )  # fmt: skip
    with store.atomic():
        successor.save(store.records)
        place = witness.observe(directory)
        fresh = witness.Witness.of(successor.incarnation, place, {}, 0)
        store.records.put(WITNESS_KEY, fresh.encode())
        if reasons != [witness.MACHINE]:
            # It may be older than what the original has destroyed since (DESIGN §8).
            store.records.put(LOCKED_KEY, b"1")
    return successor, reasons


def keep_witness(directory: Path, store: Store, incarnation: bytes) -> None:
    """Write down where the directory stands and how far it has come on disk; after a commit."""
    entries, stamp = _own(store, incarnation)
    now = witness.Witness.of(incarnation, witness.observe(directory), entries, stamp)
    try:
        with store.atomic():
            store.records.put(WITNESS_KEY, now.encode())
    except StorageFull as error:
        # An older witness testifies to nothing; a full disk must not keep anybody from closing.
        log.warning("no new witness was kept: %s", error.detail)
    witness.Outside().write(now)


def _own(store: Store, incarnation: bytes) -> tuple[dict[str, int], int]:
    """What the database holds of an incarnation: entries by book, and the newest stamp of its own.

    Stamps that were followed or used and then rolled back are not evidence: only entries are.
    """
    entries: dict[str, int] = {}
    stamp = 0
    for name in store.journal.books():
        chain = store.journal.chain(name, incarnation)
        if chain is None or not chain.length:
            continue
        entries[name] = chain.length
        last = store.journal.entries(chain, chain.length - 1, chain.length)
        with contextlib.suppress(Malformed):
            # A copy of this directory in hostile hands may have ended the chain with anything.
            stamp = max(stamp, decode(last[0]).stamp)
    return entries, stamp
