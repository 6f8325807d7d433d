"""Whether a record is whole: every chain, certificate and seal of a database, checked offline.

Owns that check and its report. It reads a data directory beside a running process, or a backup
file, and writes nothing. It believes neither projections nor kept hashes: hashes are computed from
the entries' bytes, and keys come from certificates that the tenant's root signed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.model.errors import DirectoryError, HoldfastError
from holdfast.model.events import ChainCertified, ChainKeyChanged
from holdfast.node.identity import Identity, verify_certificate, verify_renewed
from holdfast.store.readonly import ChainOnDisk, EntryOnDisk, ReadOnlyStore
from holdfast.sync import gate
from holdfast.sync.seals import chain_next, chain_start, verify_seal

ROOT_META_KEY: Final = "identity.root"
BAD_SHOWN_MAX: Final = 20


class BadEntry(msgspec.Struct, frozen=True):
    """Where a record is not whole. `n` counts a chain's entries from 1."""

    book: str
    node: str
    incarnation: str
    n: int
    what: str

    def __str__(self) -> str:
        return f"book {self.book}, node {self.node}, entry {self.n}: {self.what}"


class VerifyReport(msgspec.Struct):
    """The outcome. `root` says what certificates were checked against: `given`, `in-file`, or
    `missing`, with which nothing can be whole. `unsealed` entries are covered by no seal yet."""

    file: str
    ok: bool = False
    root: str = "missing"
    chains: int = 0
    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    first_bad: BadEntry | None = None
    bad: list[BadEntry] = []
    notes: list[str] = []

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        shown: dict[str, Any] = msgspec.to_builtins(self)
        return shown


@dataclass
class _Author:
    """The writer of a chain as its entries say, with the entry at which each key begins."""

    proven: Identity | None = None
    keys: list[tuple[int, Ed25519PublicKey]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.proven.name if self.proven is not None else "unknown"

    def key_at(self, n: int) -> Ed25519PublicKey | None:
        return next((key for first, key in reversed(self.keys) if first <= n), None)

    def up_to(self, n: int) -> _Author:
        """As it was after entry n, where a branch begins."""
        return _Author(self.proven, [each for each in self.keys if each[0] <= n + 1])


class _Bad(Exception):
    """Entry n of the chain at hand is not what was written."""

    def __init__(self, n: int, what: str) -> None:
        super().__init__(what)
        self.n = n


def verify_store(database_path: Path, root: bytes | None = None) -> VerifyReport:
    """Check a database file, or the one in a data directory; `root` is the tenant's root
    certificate, else the one in the file is taken.

    Raises DirectoryError where nothing can be opened; what is damaged inside is in the report.
    """
    with ReadOnlyStore(database_path) as store:
        report = VerifyReport(str(store.path), bad=[], notes=[])
        anchor = _anchor(store, root, report)
        authors: dict[tuple[str, bytes], _Author] = {}
        for chain in store.chains():
            _verify_chain(store, chain, anchor, authors, report)
    if report.unsealed:
        report.notes.append(
            f"{report.unsealed} entries are not sealed yet: their chain holds, but a seal, "
            "which is made when they are sent, does not vouch for them"
        )
    report.first_bad = report.bad[0] if report.bad else None
    report.ok = not report.bad and report.root != "missing"
    return report


def _anchor(store: ReadOnlyStore, root: bytes | None, report: VerifyReport) -> bytes | None:
    inside = store.meta(ROOT_META_KEY)
    anchor = root if root is not None else inside
    if root is not None:
        report.root = "given"
        if inside is not None and inside != root:
            report.notes.append("the root certificate in the file is not the one that was given")
    elif inside is not None:
        report.root = "in-file"
    else:
        report.notes.append(
            "the file holds no root certificate: who wrote it cannot be checked; "
            "give the tenant's root certificate"
        )
    return anchor


def _verify_chain(
    store: ReadOnlyStore,
    chain: ChainOnDisk,
    root: bytes | None,
    authors: dict[tuple[str, bytes], _Author],
    report: VerifyReport,
) -> None:
    trunk = authors.get((chain.book, chain.incarnation))
    if chain.branch and trunk is not None:
        author = trunk.up_to(chain.fork_at)
    else:
        author = authors.setdefault((chain.book, chain.incarnation), _Author())
    report.chains += 1
    try:
        _walk(store, chain, author, root, report)
    except _Bad as bad:
        if len(report.bad) < BAD_SHOWN_MAX:
            report.bad.append(
                BadEntry(chain.book, author.name, chain.incarnation.hex(), bad.n, str(bad))
            )


def _walk(
    store: ReadOnlyStore,
    chain: ChainOnDisk,
    author: _Author,
    root: bytes | None,
    report: VerifyReport,
) -> None:
    """One chain from its start, entry by entry. Raises _Bad at the first that is wrong."""
    n = sealed = chain.fork_at
    try:
        head = _base(store, chain)
        seals = dict(store.seals(chain.id))
        for row in store.entries(chain.id, n):
            if row.n != n + 1:
                raise _Bad(n + 1, f"is missing; the next one kept is {row.n}")
            head = chain_next(head, row.entry)
            if head != row.hash:
                raise _Bad(row.n, "its bytes do not give the chain hash that was kept for it")
            n = row.n
            _learn_key(chain, row, author, root)
            report.entries += 1
            signature = seals.pop(n, None)
            if signature is not None:
                _check_seal(chain, author, n, head, signature, sealed)
                sealed = n
                report.seals += 1
    except DirectoryError as error:
        raise _Bad(n + 1, f"cannot be read: {error.detail}") from error
    if seals:
        raise _Bad(n + 1, f"is missing, though a seal covers {max(seals)} entries")
    report.unsealed += n - sealed


def _base(store: ReadOnlyStore, chain: ChainOnDisk) -> bytes:
    """What the chain's first entry continues; a branch goes on from its trunk."""
    if not chain.fork_at:
        return chain_start(chain.book, chain.incarnation)
    trunk = next(
        other
        for other in store.chains()
        if (other.book, other.incarnation, other.branch) == (chain.book, chain.incarnation, b"")
    )
    base = store.hash_at(trunk.id, chain.fork_at)
    if base is None or base != chain.start:
        raise _Bad(chain.fork_at, "is not what the second branch of this chain goes on from")
    return base


def _check_seal(
    chain: ChainOnDisk, author: _Author, n: int, head: bytes, signature: bytes, sealed: int
) -> None:
    key = author.key_at(n)
    if key is not None and verify_seal(key, chain.book, chain.incarnation, n, head, signature):
        return
    # Which of them cannot be known: their hashes were made to fit, the signature could not be.
    which = f"entries {sealed + 1} to {n}" if n > sealed + 1 else "this entry"
    raise _Bad(sealed + 1, f"the seal over {which} does not verify: they are not what was sealed")


def _learn_key(chain: ChainOnDisk, row: EntryOnDisk, author: _Author, root: bytes | None) -> None:
    if row.n > 1 and b"chain.key_changed" not in row.entry:
        return
    event = gate.judge(chain.incarnation, row.n, row.hash, row.entry).event
    if row.n == 1:
        if not isinstance(event, ChainCertified):
            raise _Bad(1, "is no certificate, with which every chain begins")
        author.proven = _certified(chain, event.certificates, root)
        author.keys = [(1, _key(author.proven, 1, event.certificates))]
    elif isinstance(event, ChainKeyChanged):
        renewed = None
        if author.proven is not None and root is not None:
            # One that is not this writer's changes nothing, here as in the fold.
            renewed = verify_renewed(author.proven, event.certificates, root)
            if renewed is None:
                return
        author.keys.append((row.n + 1, _key(renewed, row.n, event.certificates)))


def _certified(
    chain: ChainOnDisk, certificates: tuple[bytes, ...], root: bytes | None
) -> Identity | None:
    """The writer whom the root certified for this book; None where there is no root to ask."""
    if root is None:
        return None
    try:
        proven = verify_certificate(certificates, root)
    except HoldfastError as error:
        raise _Bad(1, f"its certificate is not the tenant's: {error.detail}") from error
    tenant, _, venue = chain.book.partition("/")
    if proven.tenant != tenant or proven.venue not in (venue, "*"):
        raise _Bad(1, f"its certificate is for {proven.tenant}/{proven.venue}, not for this book")
    return proven


def _key(proven: Identity | None, n: int, certificates: tuple[bytes, ...]) -> Ed25519PublicKey:
    return proven.public_key if proven is not None else _unproven_key(n, certificates)


def _unproven_key(n: int, certificates: tuple[bytes, ...]) -> Ed25519PublicKey:
    """Without a root the seals can still be held against what the chain says of itself."""
    try:
        key = x509.load_der_x509_certificate(certificates[0]).public_key()
    except (ValueError, IndexError) as error:
        raise _Bad(n, "its certificate cannot be read") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _Bad(n, "its certificate has no Ed25519 key")
    return key
