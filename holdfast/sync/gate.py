"""The gate: what every entry from elsewhere passes, and what the writer's own entries pass too.

Owns the checks of DESIGN §4.2, §4.3 and §4.7. It refuses only what can never become right: bytes
that are no append, a chain that does not continue what is held, a seal that does not verify,
contents with clear text. Who may do what is judged by the fold, from entries. Pure: what this
replica holds comes in as branches, and what is to be journaled goes out as a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.model.contents import check_card, check_content, decode_content
from holdfast.model.entries import SCHEMA, Entry, Malformed, check_envelope, decode
from holdfast.model.events import EVENT_BY_KIND, ChainCertified, Event, ReservationCreated
from holdfast.model.ids import is_derived, may_name
from holdfast.model.limits import ENTRY_BYTES_MAX, FRAME_BYTES_MAX, PAGE_ENTRIES
from holdfast.model.roles import may_write
from holdfast.sync.messages import Frame
from holdfast.sync.pages import Append, NotAnAppend, read_append
from holdfast.sync.seals import chain_run, chain_start, client_id, incarnation_of, verify_seal

MERGED: Final = "merged"
DEFERRED: Final = "deferred"
QUARANTINED: Final = "quarantined"


class Refused(ValueError):
    """A frame of which nothing is kept as counting. The text is the reason code."""


class Judged(NamedTuple):
    """One entry with the gate's verdict; `event` is None where its content does not count."""

    n: int
    hash: bytes
    data: bytes
    entry: Entry | None
    event: Event | None
    verdict: str
    reason: str

    @property
    def operation(self) -> bytes:
        return self.hash[:16]


class Branch(Protocol):
    """What the gate must know of a held branch of the chain."""

    @property
    def length(self) -> int: ...

    def hash_at(self, n: int) -> bytes | None: ...

    def hashes(self, after: int, upto: int) -> list[bytes]: ...


HashAt = Callable[[int], bytes | None]
"""The chain hash after entry n on one branch; None where it is not known."""


class Author(Protocol):
    """Who writes a chain: verified from its first entry."""

    @property
    def role(self) -> str: ...

    def key_at(self, n: int, hash_at: HashAt) -> Ed25519PublicKey: ...


class Certifier(Protocol):
    def __call__(self, event: ChainCertified) -> Author:
        """Verify a chain's first entry against the tenant's root. Raises Refused."""
        ...


class Passed(NamedTuple):
    """What of a frame is to be journaled: `judged` go behind `branch` (an index into the held
    branches, None for a new chain) after its first `after` entries; with `fork` they begin a branch
    of their own there. `aside` are bytes beyond the seal; `append` is the document's part for the
    page cache."""

    branch: int | None
    after: int
    fork: bool
    judged: list[Judged]
    sealed: int
    head: bytes
    append: Append
    aside: list[bytes]
    held: int
    author: Author


def check_frame(
    book: str,
    frame: Frame,
    branches: Sequence[Branch],
    author: Author | None,
    certify: Certifier,
) -> Passed:
    """Judge one frame. Raises Refused with a reason code where nothing of it can be taken in."""
    if len(frame.incarnation) != 16 or not 0 <= frame.page < 1 << 32:
        raise Refused("frame-malformed")
    if len(frame.update) > FRAME_BYTES_MAX:
        raise Refused("update-too-large")
    try:
        append = read_append(frame.update)
    except NotAnAppend as error:
        raise Refused(str(error)) from error
    if append.client != client_id(book, frame.incarnation, frame.page):
        raise Refused("foreign-page")
    first = frame.page * PAGE_ENTRIES + append.clock
    base = _base(book, frame, first, branches)
    hashes = chain_run(base, append.entries)
    index, common = _continues(first, base, hashes, branches)
    if index is None and first > 0:
        raise Refused("gap")
    if not first < frame.sealed <= first + len(hashes):
        raise Refused("seal-missing")
    if author is None:
        author = _first_author(frame.incarnation, first, append.entries, certify)
    head = hashes[frame.sealed - first - 1]

    def hash_at(n: int) -> bytes | None:
        """On the branch of this frame: what it goes on from, then what is in it."""
        if n > first:
            return hashes[n - first - 1]
        return branches[index].hash_at(n) if index is not None else None

    key = author.key_at(frame.sealed, hash_at)
    if not verify_seal(key, book, frame.incarnation, frame.sealed, head, frame.seal):
        raise Refused("seal-invalid")
    covered = frame.sealed - first
    held = branches[index].length if index is not None else 0
    fork = index is not None and first + common < min(held, frame.sealed)
    judged = [
        for_role(judge(frame.incarnation, first + i + 1, hashes[i], append.entries[i]), author.role)
        for i in range(common, covered)
    ]
    return Passed(
        index,
        first + common,
        fork,
        judged,
        frame.sealed,
        head,
        Append(append.client, append.clock, append.entries[:covered]),
        append.entries[covered:],
        held,
        author,
    )


def _base(book: str, frame: Frame, first: int, branches: Sequence[Branch]) -> bytes:
    start = chain_start(book, frame.incarnation)
    if first == 0:
        if frame.base != start:
            raise Refused("chain-start")
        return start
    if not branches:
        raise Refused("gap")
    return frame.base


def _continues(
    first: int, base: bytes, hashes: list[bytes], branches: Sequence[Branch]
) -> tuple[int | None, int]:
    """The held branch that shares most with the frame, and how many of its entries are known."""
    best: int | None = None
    longest = 0
    for index, branch in enumerate(branches):
        if first > branch.length or (first > 0 and branch.hash_at(first) != base):
            continue
        known = branch.hashes(first, min(branch.length, first + len(hashes)))
        common = 0
        for ours, theirs in zip(known, hashes, strict=False):
            if ours != theirs:
                break
            common += 1
        # A branch that the frame simply continues beats one that it forks from.
        if best is None or common > longest:
            best, longest = index, common
    return best, longest


def _first_author(
    incarnation: bytes, first: int, entries: list[bytes], certify: Certifier
) -> Author:
    if first != 0:
        raise Refused("gap")
    judged = judge(incarnation, 1, b"\x00" * 32, entries[0])
    if not isinstance(judged.event, ChainCertified):
        raise Refused("certificate-missing")
    author = certify(judged.event)
    key = author.key_at(1, lambda n: None)
    if incarnation != incarnation_of(key.public_bytes_raw(), judged.event.nonce):
        # Nobody begins a chain under the name of another device's life.
        raise Refused("incarnation-foreign")
    return author


def judge(incarnation: bytes, n: int, digest: bytes, data: bytes) -> Judged:
    """The verdict on the bytes of entry n of this life's chain, for which chain and seal have
    already vouched."""
    try:
        entry = decode(data)
    except Malformed as error:
        return Judged(n, digest, data, None, None, QUARANTINED, str(error))
    try:
        event = decode_content(entry)
        _check_writer(incarnation, entry, event)
    except Malformed as error:
        return Judged(n, digest, data, entry, None, QUARANTINED, str(error))
    if event is not None:
        return Judged(n, digest, data, entry, event, MERGED, "")
    if entry.schema > SCHEMA or entry.kind not in EVENT_BY_KIND:
        return Judged(n, digest, data, entry, None, DEFERRED, "newer-schema")
    return Judged(n, digest, data, entry, None, QUARANTINED, "content-unreadable")


def for_role(judged: Judged, role: str) -> Judged:
    """The verdict for a writer of this role, which its certificate names for good: what a role may
    not write can never become right (`model.roles`)."""
    entry = judged.entry
    if judged.verdict != MERGED or entry is None:
        return judged
    event = judged.event
    made = event if isinstance(event, ReservationCreated) else None
    outcome = made.outcome if made is not None else ""
    form = made.form.form if made is not None and made.form is not None else ""
    partner = made is not None and bool(made.partner)
    if may_write(role, entry.kind, entry.subject, outcome, form, partner=partner):
        return judged
    return judged._replace(event=None, verdict=QUARANTINED, reason="role-forbidden")


def judge_own(
    incarnation: bytes, n: int, digest: bytes, data: bytes, entry: Entry, event: Event
) -> Judged:
    """The same checks on an entry that this replica is about to write.

    Raises Malformed where a merge would refuse it: the caller then answers with an error instead of
    a promise that cannot be kept.
    """
    if len(data) > ENTRY_BYTES_MAX:
        raise Malformed("entry-too-large")
    check_envelope(entry)
    check_content(entry.kind, event)
    _check_writer(incarnation, entry, event)
    return Judged(n, digest, data, entry, event, MERGED, "")


def _check_writer(incarnation: bytes, entry: Entry, event: Event | None) -> None:
    """Nobody makes a reservation under an id that is another's to give or carries a card that
    another sealed, and only a record of another system, which not every role may bring in, says how
    it ended: else a kiosk could make somebody out not to have come. Raises Malformed."""
    if event is not None:
        check_card(incarnation, event)
    if not isinstance(event, ReservationCreated):
        return
    if not may_name(entry.subject, incarnation):
        raise Malformed("id-foreign")
    if event.outcome and not is_derived(entry.subject):
        raise Malformed("outcome-not-imported")
