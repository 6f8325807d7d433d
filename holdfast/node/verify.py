"""Whether a record is whole: every chain, certificate and seal of a database, checked offline.

Owns that check and its report. It reads a data directory beside a running process, or a backup
file, and writes nothing. It believes neither projections nor kept hashes: hashes are computed from
the entries' bytes, and keys come from certificates that the tenant's root signed. What is not there
any more is missed by what it left: a gap in the order of arrival, a seal that is due, a reservation
that rests on it. Entries that were taken out at the end with every trace of them can be missed by
nobody here; other devices have them.
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
from holdfast.node.local_identity import own_lives
from holdfast.store.readonly import ChainOnDisk, EntryOnDisk, ReadOnlyStore
from holdfast.sync import gate
from holdfast.sync.seals import chain_next, chain_start, verify_seal

ROOT_META_KEY: Final = "identity.root"
BAD_SHOWN_MAX: Final = 20


class BadEntry(msgspec.Struct, frozen=True):
    """Where a record is not whole. `n` counts a chain's entries from 1; 0: whose it was, and which,
    nobody can say."""

    book: str
    node: str
    incarnation: str
    n: int
    what: str

    def __str__(self) -> str:
        if not self.n:
            return self.what
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


@dataclass
class _Found:
    """What was met on the way: the writers, how far each wrote, and whose chains are this
    directory's own (None: it does not say)."""

    own: frozenset[bytes] | None
    authors: dict[tuple[str, bytes], _Author] = field(default_factory=dict)
    length: dict[tuple[str, bytes], int] = field(default_factory=dict)


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
        found = _Found(own_lives(store))
        for chain in store.chains():
            _verify_chain(store, chain, anchor, found, report)
        _verify_complete(store, found, report)
    if report.unsealed:
        report.notes.append(
            f"{report.unsealed} {'entry is' if report.unsealed == 1 else 'entries are'} not sealed "
            "yet: the chain holds, but a seal, which is made when something is sent, does not "
            "vouch for the newest of it"
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
    found: _Found,
    report: VerifyReport,
) -> None:
    writer = (chain.book, chain.incarnation)
    trunk = found.authors.get(writer)
    if chain.branch and trunk is not None:
        author = trunk.up_to(chain.fork_at)
    else:
        author = found.authors.setdefault(writer, _Author())
    report.chains += 1
    foreign = found.own is not None and chain.incarnation not in found.own
    try:
        length = _walk(store, chain, author, root, report, foreign=foreign)
        found.length[writer] = max(length, found.length.get(writer, 0))
    except _Bad as bad:
        _note(report, BadEntry(chain.book, author.name, chain.incarnation.hex(), bad.n, str(bad)))


def _note(report: VerifyReport, bad: BadEntry) -> None:
    if len(report.bad) < BAD_SHOWN_MAX:
        report.bad.append(bad)


def _verify_complete(store: ReadOnlyStore, found: _Found, report: VerifyReport) -> None:
    """What was taken out of chains that hold together without it. What is wrong already is not
    told twice."""
    if report.bad:
        return
    try:
        missed: dict[tuple[str, bytes], BadEntry] = {}
        for trace in store.traces():
            writer = (trace.book, trace.incarnation)
            length = found.length.get(writer, 0)
            if trace.n > length and writer not in missed:
                author = found.authors.get(writer, _Author())
                what = f"is missing, with all up to entry {trace.n}: {trace.what}"
                missed[writer] = BadEntry(
                    trace.book, author.name, trace.incarnation.hex(), length + 1, what
                )
        for bad in missed.values():
            _note(report, bad)
        for first, last in store.missing_rows() if not missed else ():
            count = last - first + 1
            what = (
                f"{count} of the entries that came in here {'is' if count == 1 else 'are'} missing "
                f"(place {first} in the order of arrival)"
            )
            _note(report, BadEntry("unknown", "unknown", "", 0, what))
    except DirectoryError as error:
        report.notes.append(f"whether entries were taken out was not looked at: {error.detail}")


def _walk(
    store: ReadOnlyStore,
    chain: ChainOnDisk,
    author: _Author,
    root: bytes | None,
    report: VerifyReport,
    *,
    foreign: bool,
) -> int:
    """One chain from its start, entry by entry. Returns its length. Raises _Bad at the first that
    is wrong. `foreign`: another device wrote it, so that nothing of it was taken in unsealed."""
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
    if foreign and n > sealed:
        raise _Bad(
            sealed + 1,
            f"is covered by no seal, nor is what follows up to entry {n}: a seal is missing, "
            "for nothing of another device is kept without one",
        )
    report.unsealed += n - sealed
    return n


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
