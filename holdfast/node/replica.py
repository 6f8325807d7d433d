"""A replica: one data directory's books, its own chain in each, and the transaction around them.

Owns what a node and the hub have in common: writing an entry, taking in frames of others, folding,
and telling listeners what changed. Who may decide, and how replicas reach each other, is their
own business (`hub`, `node`, `exchange`). One lock, one writer, one transaction at a time.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from holdfast import __version__
from holdfast.model import events, hlc
from holdfast.model.claims import NO_RIGHTS, Seen
from holdfast.model.contents import card_in
from holdfast.model.entries import SCHEMA, Claim, ClaimId, Entry, encode
from holdfast.model.errors import Conflict, HoldfastError, RuleViolated
from holdfast.model.events import (
    ChainCertified,
    ChainClosed,
    ChainKeyChanged,
    ChainSucceeded,
    Event,
    NodeRevoked,
    RightGranted,
    RightReturned,
    RightRevoked,
    VenueKeyAccepted,
)
from holdfast.model.ids import uuid_text
from holdfast.model.limits import (
    ASIDE_BYTES_MAX,
    ENTRIES_PER_RESERVATION_MAX,
    SMALL_ENTRY_BYTES,
)
from holdfast.model.reservation import View
from holdfast.model.rights import Rights
from holdfast.model.roles import BLOCKERS, require_write
from holdfast.node.acting import by_for
from holdfast.node.books import Books, BookState, ChainAuthor
from holdfast.node.identity import HUB_ROLE
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.reservation_ids import ReservationIds
from holdfast.node.timekeeping import Timekeeper
from holdfast.store import guest_entries, restrictions, service_notes, tables
from holdfast.store.journal import ChainRow
from holdfast.store.projections import Key, Record
from holdfast.store.store import Store
from holdfast.sync import gate
from holdfast.sync.gate import Judged, Passed, Refused
from holdfast.sync.messages import Frame
from holdfast.sync.pages import PageKey, Pages
from holdfast.sync.seals import chain_next, chain_start, sign_seal

SOFTWARE: Final = f"holdfast-{__version__}"
"""What this software calls itself in a chain's first entry and in the fleet view."""

PROJECTION_VERSION: Final = 16
"""Raised when a fold or a schema changes what a reservation looks like: projections are then made
anew from the journal when the directory is opened."""


_APART: Final = frozenset(
    {*restrictions.KINDS, *guest_entries.KINDS, *tables.KINDS, *service_notes.KINDS}
)
"""Entries that tables of their own keep: about a person, a resource or a service, and no
reservation."""


class Written(NamedTuple):
    """An entry of one's own: its operation id, its place, its stamp."""

    operation: bytes
    n: int
    stamp: int


class Change(NamedTuple):
    """What a committed transaction did, for those who watch."""

    book: str
    reservations: list[bytes]
    seq: int
    venue: bool
    own: bool


@dataclass(slots=True)
class Merged:
    """The outcome of taking frames in."""

    acks: dict[bytes, None] = field(default_factory=dict)
    verdicts: list[tuple[bytes, int, str, str]] = field(default_factory=list)
    refused: list[tuple[bytes, int, str]] = field(default_factory=list)
    entries: int = 0
    reservations: dict[bytes, None] = field(default_factory=dict)
    refold: bool = False
    forked: set[bytes] = field(default_factory=set)
    landed: list[tuple[bytes, int, bytes]] = field(default_factory=list)
    keys_later: tuple[bytes, ...] = ()


class _Held(NamedTuple):
    """A chain row as the gate reads it."""

    row: ChainRow
    replica: Replica

    @property
    def length(self) -> int:
        return self.row.length

    def hash_at(self, n: int) -> bytes | None:
        return self.replica.store.journal.hash_at(self.row, n)

    def hashes(self, after: int, upto: int) -> list[bytes]:
        return self.replica.store.journal.hashes(self.row, after, upto)


class Replica:
    """Opened with a store, an identity and a clock, all of which it is given."""

    keeps_queue = True

    def __init__(self, store: Store, identity: LocalIdentity, clock: Timekeeper) -> None:
        self.store = store
        self.identity = identity
        self.clock = clock
        self.lock = threading.RLock()
        self.reservation_ids = ReservationIds()
        self._books = Books(store.journal, lambda: self.identity.root)
        store.projections.rights_of = self.rights
        self.pages = Pages(self._page_entries)
        self.listeners: list[Callable[[Change], None]] = []
        self._own: dict[str, list[tuple[bytes, bytes]]] = {}
        self._queued: list[tuple[bytes, str, int, str, bytes, int]] = []
        self._touched_venue: set[str] = set()
        self._touched: set[str] = set()
        self._wrote: set[str] = set()
        self._written: dict[Key, None] = {}
        self.cards_touched: set[tuple[str, bytes]] = set()
        self.erasures_touched: set[tuple[str, str]] = set()
        self._depth = 0
        self.last_stamp = 0
        self._load()

    # --- opening --------------------------------------------------------------------------------

    def _load(self) -> None:
        self.last_stamp = self.store.records.get_int("clock.high_water")
        for name in self.store.journal.books():
            self._load_book(name)
        if self.store.records.get_int("projection.version") != PROJECTION_VERSION:
            with self.transaction():
                for name in self.books:
                    self._refold(name)
                self.store.records.put_int("projection.version", PROJECTION_VERSION)

    def _load_book(self, name: str) -> None:
        self._books.fold(name)
        journal = self.store.journal
        own = journal.chain(name, self.identity.incarnation)
        if own is not None and own.length:
            (data,) = journal.entries(own, own.length - 1, own.length)
            last = gate.judge(own.incarnation, own.length, own.head, data)
            if last.entry is not None:
                self.last_stamp = max(self.last_stamp, last.entry.stamp)

    @property
    def books(self) -> dict[str, BookState]:
        """What is folded of each book, by its name."""
        return self._books.by_name

    def counts(self, book: BookState, chain: ChainRow, n: int) -> bool:
        """Whether entry n of a branch counts as its writer's word: see `Books.counts`."""
        return self._books.counts(book, chain, n)

    def standing(self, name: str, incarnation: bytes) -> ChainRow:
        """The branch of a chain that counts until a close names one: see `Books.standing`."""
        return self._books.standing(self.book(name), incarnation)

    def _page_entries(self, chain: int, after: int, upto: int) -> list[bytes]:
        return self.store.journal.entries(self.store.journal.chain_by_id(chain), after, upto)

    def close(self) -> None:
        with self.lock:
            self.store.close()

    def book(self, name: str) -> BookState:
        """The book, made on first use."""
        with self.lock:
            state = self.books.get(name)
            if state is None:
                state = self.books[name] = BookState(name)
            return state

    def rights(self, name: str) -> Rights:
        """Who may sell what in a book, by all that is held here."""
        state = self.books.get(name)
        return state.administration.rights if state is not None else NO_RIGHTS

    def book_of(self, venue: str) -> str:
        return f"{self.identity.tenant}/{venue}"

    # --- the transaction ------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        """Whether this thread, which holds the lock, is inside a transaction."""
        return self._depth > 0

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = True) -> Generator[None, None, None]:
        """All that is written inside becomes durable at once, or none of it.

        Not `durable`, for what costs nobody anything if a power cut undoes it: the commit does not
        wait for the disk. Nothing of one's own may be appended in such a transaction."""
        with self.lock:
            if self._depth:
                yield
                return
            changes: list[Change] = []
            self._depth = 1
            # A large merge makes objects that live on; collecting in its middle would look at all
            # of them again and again (measured: a third of the time of a bulk merge).
            collecting = gc.isenabled()
            gc.disable()
            try:
                with self.store.atomic(durable=durable):
                    yield
                    self.before_commit()
                    assert durable or not self._own, "entries of one's own are always durable"
                    changes = self._flush()
                self.committed()
            except BaseException:
                self._own.clear()
                self._wrote.clear()
                self._queued.clear()
                self._written.clear()
                self._forget_touched()
                if self.store.disturbed:
                    self.pages.forget()
                    self._reload_books()
                    self.rolled_back()
                raise
            finally:
                if collecting:
                    gc.enable()
                self._depth = 0
                self._touched_venue.clear()
                self._touched.clear()
                self.transaction_over()
        for change in changes:
            for listener in list(self.listeners):
                listener(change)
        self.told(changes)

    def before_commit(self) -> None:
        """The last of a transaction: what its entries ask of what stands beside them is done in the
        same commit."""
        self._forget_touched()

    def _forget_touched(self) -> None:
        self.cards_touched.clear()
        self.erasures_touched.clear()

    def committed(self) -> None:
        """A transaction is on disk: what was remembered of it beside the store may be relied on."""

    def transaction_over(self) -> None:
        """A transaction has come to its end, whatever became of it: what is to stand although it
        may have failed is written now. Raises nothing."""

    def rolled_back(self) -> None:
        """A transaction failed: what was remembered of it beside the store is to be forgotten."""

    def told(self, changes: Sequence[Change]) -> None:
        """Everybody who watches was told what a transaction did: what it brings about is written
        now, in transactions of its own. Raises nothing."""

    def _reload_books(self) -> None:
        """After a rollback the folded administration may say what the disk does not."""
        self.books.clear()
        with contextlib.suppress(HoldfastError):
            # A disk that cannot even be read speaks up at the next use; the first error goes out.
            for name in self.store.journal.books():
                self._load_book(name)

    def _flush(self) -> list[Change]:
        journal = self.store.journal
        own = set(self._own) | self._wrote
        self._wrote.clear()
        for name, pending in self._own.items():
            chain = journal.chain(name, self.identity.incarnation)
            assert chain is not None
            journal.append(chain, [data for data, _ in pending], [digest for _, digest in pending])
        self._own.clear()
        for operation, name, n, kind, subject, stamp in self._queued:
            chain = journal.chain(name, self.identity.incarnation)
            assert chain is not None
            self.store.queue.put(operation, chain.id, n, kind, subject, stamp)
        self._queued.clear()
        self.write_projections()
        touched = self._touched_venue | self._touched | own
        by_book: dict[str, list[bytes]] = {name: [] for name in touched}
        for book, reservation in self._written:
            by_book.setdefault(book, []).append(reservation)
        self._written.clear()
        return [
            Change(name, ids, journal.last_seq, name in self._touched_venue, name in own)
            for name, ids in by_book.items()
        ]

    def write_projections(self) -> None:
        """Bring the tables up to date with what this transaction has folded, for whoever asks
        them before its end."""
        self._written.update(dict.fromkeys(record.key for record in self.store.projections.flush()))

    # --- writing --------------------------------------------------------------------------------

    def tip(self, name: str) -> tuple[int, bytes]:
        """(entries, chain hash) of one's own chain in a book, this transaction's included."""
        chain = self.store.journal.chain(name, self.identity.incarnation)
        if chain is None:
            return 0, chain_start(name, self.identity.incarnation)
        return self._tip_of(chain)

    def _tip_of(self, chain: ChainRow) -> tuple[int, bytes]:
        pending = self._own.get(chain.book)
        if pending:
            return chain.length + len(pending), pending[-1][1]
        return chain.length, chain.head

    def begin_chain(self, name: str) -> ChainRow:
        """One's own chain in a book, started with the certificate if it is not there yet."""
        known = self.store.journal.chain(name, self.identity.incarnation)
        if known is not None:
            return known
        start = chain_start(name, self.identity.incarnation)
        chain = self.store.journal.new_chain(name, self.identity.incarnation, start)
        first = self.identity.first_certificates
        self.append(
            name,
            ChainCertified(
                tuple(first),
                self.identity.sealing_public,
                self.identity.number,
                tuple(self.identity.succeeds),
                SOFTWARE,
                self.identity.nonce,
            ),
        )
        if self.identity.certificates != first:
            # The life is named after the key that it began with, in books that come later too.
            self.append(name, ChainKeyChanged(tuple(self.identity.certificates)))
        return chain

    def renew_identity(self, renewed: LocalIdentity) -> None:
        """Go on with a newer certificate, for the same key or another: an entry of each chain that
        the old key seals, and that counts from the next entry on (DESIGN §4.3). The keys must be
        on disk already, or a kill in between would leave a directory without its own."""
        before = self.identity
        with self.lock:
            try:
                with self.transaction():
                    self.identity = renewed
                    for name in self.store.journal.books():
                        if self.store.journal.chain(name, renewed.incarnation) is not None:
                            event = ChainKeyChanged(tuple(renewed.certificates))
                            self.append(name, event, queue=False)
                            changed = self.store.journal.chain(name, renewed.incarnation)
                            assert changed is not None
                            self.seal_own(changed, changed.length)
                    renewed.save(self.store.records)
            except BaseException:
                self.identity = before
                raise

    def append(
        self,
        name: str,
        event: Event,
        *,
        subject: bytes = b"",
        follows: tuple[bytes, ...] = (),
        claims: tuple[Claim, ...] = (),
        ends: tuple[ClaimId, ...] = (),
        queue: bool = True,
    ) -> Written:
        """Write one entry on one's own chain; call inside `transaction`.

        The same gate that judges foreign entries judges this one first, so that nothing is
        answered that a merge would refuse (DESIGN §7.2). It names whoever `acting` says.
        """
        kind = events.KIND_BY_EVENT[type(event)]
        made_as = event if isinstance(event, events.ReservationCreated) else None
        outcome = made_as.outcome if made_as is not None else ""
        form = made_as.form.form if made_as is not None and made_as.form is not None else ""
        partner = made_as is not None and bool(made_as.partner)
        require_write(self.identity.role, kind, subject, outcome, form, partner=partner)
        chain = self.begin_chain(name)
        now = self.clock.interval()
        self.last_stamp = stamp = hlc.tick(self.last_stamp, now.best)
        entry = Entry(
            kind, stamp, now.latest - now.best, subject, follows, claims, ends, SCHEMA,
            events.encode_content(event), by_for(kind),
        )  # fmt: skip
        data = encode(entry)
        n, head = self._tip_of(chain)
        digest = chain_next(head, data)
        judged = gate.judge_own(self.identity.incarnation, n + 1, digest, data, entry, event)
        made = kind == "reservation.created"
        if subject and not made and not self.has_room(name, subject):
            message = (
                f"this device has written {ENTRIES_PER_RESERVATION_MAX} changes of this "
                "reservation; change it at another device, or make a new one"
            )
            raise RuleViolated(message, [{"rule": "too-many-changes", "message": message}])
        self._own.setdefault(name, []).append((data, digest))
        book = self.book(name)
        if kind in _APART:
            self._note_apart(book, chain, judged)
            if queue and self.keeps_queue:
                self._queued.append((judged.operation, name, n + 1, kind, b"", stamp))
        elif kind.startswith(_ADMINISTRATIVE):
            self._flush_own_administration(name)
            if self._books.absorb(book, chain, judged):
                self._refold(name)
            else:
                self._move_rights(book, chain, judged)
            self._note_guests(name, event)
            self._count_erasures(self.book(name))
        elif subject:
            self._see(book, chain, judged, fresh=made)
            if queue and self.keeps_queue:
                self._queued.append((judged.operation, name, n + 1, kind, subject, stamp))
        return Written(judged.operation, n + 1, stamp)

    def has_room(self, name: str, subject: bytes) -> bool:
        """Whether one more entry of one's own about a reservation would count."""
        own = self.identity.incarnation
        return self.identity.role == HUB_ROLE or self.store.projections.room_for(name, subject, own)

    def _flush_own_administration(self, name: str) -> None:
        """Journal what is pending so that the administrative entry's sequence number is known."""
        chain = self.store.journal.chain(name, self.identity.incarnation)
        assert chain is not None
        pending = self._own.pop(name)
        self._wrote.add(name)
        self.store.journal.append(chain, [d for d, _ in pending], [h for _, h in pending])
        self.store.journal.put_administration(name, [self.store.journal.last_seq])
        self._touched_venue.add(name)

    # --- taking in --------------------------------------------------------------------------------

    def merge(self, name: str, frames: Sequence[Frame], sender: str = "") -> Merged:
        """Gate, journal and fold frames of others; call inside `transaction`.

        A frame that is refused harms no other frame: its bytes are kept aside with the reason and
        the name of the device that sent it.
        """
        outcome = Merged()
        for frame in frames:
            try:
                self._merge_frame(name, frame, outcome, sender)
            except Refused as refusal:
                outcome.refused.append((frame.incarnation, frame.page, str(refusal)))
                if str(refusal) != "gap" and len(frame.update) <= ASIDE_BYTES_MAX:
                    self.store.journal.put_aside(
                        name, frame.incarnation[:16], sender, frame.page, str(refusal),
                        self.clock.now_ms(), frame.update,
                    )  # fmt: skip
        if outcome.refold:
            self._refold(name)
        self.store.records.put_int("clock.high_water", self.last_stamp)
        return outcome

    def _merge_frame(self, name: str, frame: Frame, outcome: Merged, sender: str) -> None:
        journal = self.store.journal
        book = self.book(name)
        rows = journal.branches(name, frame.incarnation)
        known = book.authors.get(frame.incarnation)

        def certify(event: ChainCertified) -> ChainAuthor:
            return self._books.certify(name, frame.incarnation, event)

        passed = gate.check_frame(name, frame, [_Held(row, self) for row in rows], known, certify)
        outcome.acks[frame.incarnation] = None
        outcome.landed.append((frame.incarnation, passed.sealed, passed.head))
        if passed.aside:
            journal.put_aside(
                name, frame.incarnation, sender, passed.sealed + 1, "seal-missing",
                self.clock.now_ms(), b"".join(passed.aside)[:ASIDE_BYTES_MAX],
            )  # fmt: skip
        if not passed.judged:
            return
        chain = self._chain_for(book, frame.incarnation, passed, rows)
        if passed.fork:
            outcome.forked.add(frame.incarnation)
        first = journal.append(
            chain, [j.data for j in passed.judged], [j.hash for j in passed.judged]
        )
        size = sum(len(judged.data) for judged in passed.judged)
        anchor = size > len(passed.judged) * SMALL_ENTRY_BYTES or isinstance(
            passed.judged[-1].event, ChainKeyChanged
        )
        journal.put_seal(chain, passed.sealed, frame.seal, anchor=anchor)
        if not chain.branch:
            self.pages.merged(PageKey(chain.id, frame.page), passed.append, frame.update)
        self._fold_judged(book, chain, passed, first, outcome)

    def _chain_for(
        self, book: BookState, incarnation: bytes, passed: Passed, rows: list[ChainRow]
    ) -> ChainRow:
        journal = self.store.journal
        if not rows or passed.fork:
            self._books.require_room(book, passed.author)
        start = chain_start(book.name, incarnation)
        if not rows:
            return journal.new_chain(book.name, incarnation, start)
        assert passed.branch is not None
        base = rows[passed.branch]
        if not passed.fork:
            return base
        # Another branch is named by its first entry that differs (DESIGN §4.3).
        head = journal.hash_at(base, passed.after) or start
        return journal.new_branch(base, passed.judged[0].hash, passed.after, head)

    def _fold_judged(
        self, book: BookState, chain: ChainRow, passed: Passed, first_seq: int, outcome: Merged
    ) -> None:
        latest = self.clock.stamp_latest_ms()
        now_ms = self.clock.now_ms()
        not_merged: list[tuple[bytes, int, int, str, str]] = []
        highest = self.last_stamp
        administration = book.administration
        # Of whose entries there are too many depends on the branch that counts.
        outcome.refold |= passed.fork
        if chain.incarnation in administration.hubs | administration.rights.writers():
            # Which branch of it counts may follow only now. From other chains nothing follows.
            branches = self.store.journal.branches(book.name, chain.incarnation)
            outcome.refold |= len(branches) > 1
        fresh = self.store.projections.new_among(
            book.name,
            {judged.entry.subject for judged in passed.judged if judged.entry is not None},
        )
        for offset, judged in enumerate(passed.judged):
            if judged.verdict != gate.MERGED:
                not_merged.append(
                    (judged.operation, chain.id, judged.n, judged.verdict, judged.reason)
                )
                outcome.verdicts.append(
                    (chain.incarnation, judged.n, judged.verdict, judged.reason)
                )
            entry = judged.entry
            if entry is None:
                continue
            if entry.stamp > highest:
                # Its own past, which a disk that was set back had forgotten, it must not repeat,
                # whatever its clock says now; anybody else's stamp only within the bound.
                own = chain.incarnation == self.identity.incarnation
                highest = entry.stamp if own else hlc.merge(highest, entry.stamp, now_ms, latest)
            if entry.kind in _APART:
                self._note_apart(book, chain, judged)
            elif entry.kind.startswith(_ADMINISTRATIVE):
                self.store.journal.put_administration(book.name, [first_seq + offset])
                self._touched_venue.add(book.name)
                if self._books.absorb(book, chain, judged):
                    outcome.refold = True
                else:
                    self._move_rights(book, chain, judged)
                self._note_guests(book.name, judged.event)
            elif entry.subject:
                outcome.reservations[entry.subject] = None
                self._see(book, chain, judged, fresh=entry.subject in fresh)
                fresh.discard(entry.subject)
        self._count_erasures(book, chain.incarnation)
        self.last_stamp = highest
        outcome.entries += len(passed.judged)
        if not_merged:
            self.store.journal.put_verdicts(not_merged)

    # --- folding --------------------------------------------------------------------------------

    def _see(
        self, book: BookState, chain: ChainRow, judged: Judged, *, fresh: bool = False
    ) -> None:
        entry, incarnation = judged.entry, chain.incarnation
        assert entry is not None
        author = book.authors[incarnation].info
        counts = self._books.counts(book, chain, judged.n)
        content = entry.content if judged.event is not None else b""
        self.store.projections.see(
            book.name,
            entry.subject,
            Seen(
                judged.operation, entry.kind, entry.stamp, incarnation, author.name,
                author.is_hub and counts, entry.follows, entry.claims, entry.ends, content,
                judged.n, counts, book.authors[incarnation].role in BLOCKERS,
            ),
            fresh=fresh,
            limited=not author.is_hub,
        )  # fmt: skip
        self._see_card(book, incarnation, judged, entry, entry.subject)

    def _see_card(
        self, book: BookState, life: bytes, judged: Judged, entry: Entry, reservation: bytes
    ) -> None:
        """Note where a card stands, and whose it is; a card is data, whatever else of the entry
        counts. `reservation`: the one that it is part of; empty: it is about the person alone."""
        found = card_in(life, entry, judged.event)
        if found is None:
            return
        card, agent = found
        name = book.name
        self.store.cards.saw(name, card.id, judged.operation, reservation, agent, entry.stamp)
        self.cards_touched.add((name, card.id))

    def _note_guests(self, name: str, event: Event | None) -> None:
        """What an entry about the book asks of the cards in it."""
        if isinstance(event, VenueKeyAccepted):
            several = self.store.cards.with_several_keys(name)
            self.cards_touched.update((name, card) for card in several)

    def _note_apart(self, book: BookState, chain: ChainRow, judged: Judged) -> None:
        """Keep what an entry says of a person, a table or a service. There may be one for every
        guest who ever came, so that none is folded in memory with what a book says of itself."""
        entry = judged.entry
        assert entry is not None
        place = (chain.book, judged.operation, entry.stamp, chain.id, judged.n)
        if entry.kind in tables.KINDS:
            self.store.tables.put(*place, judged.event)
        elif entry.kind in restrictions.KINDS:
            self.store.restrictions.put(*place, judged.event)
        elif entry.kind in service_notes.KINDS:
            self.store.service_notes.put(*place, judged.event)
            self._see_card(book, chain.incarnation, judged, entry, b"")
            self._touched_venue.add(chain.book)
        else:
            self.store.guest_entries.put(*place, judged.event)
            self._see_card(book, chain.incarnation, judged, entry, b"")
        self._touched.add(chain.book)

    def vouched(self, name: str, chain: int, n: int) -> bool:
        """Whether what an entry says of a person counts: see `Books.vouched`."""
        return self._books.vouched(self.book(name), self.store.journal.chain_by_id(chain), n)

    def _count_erasures(self, book: BookState, grown: bytes = b"") -> None:
        """Which erasures count may be another now; whose cards that concerns is looked at before
        the commit."""
        changed = self._books.count_erasures(book, grown)
        self.erasures_touched.update((book.name, agent) for agent in changed)

    def _move_rights(self, book: BookState, chain: ChainRow, judged: Judged) -> None:
        """What follows from a grant, a return or a shut-out for what was folded: claims count
        against other accounts, and a grant vouches for those that it hands over (§4.10)."""
        event, entry = judged.event, judged.entry
        if not isinstance(event, _RIGHTS_MOVE) or entry is None:
            return
        counts = self._books.counts(book, chain, judged.n)
        granted = isinstance(event, RightGranted) and counts
        projections = self.store.projections
        projections.rights_moved(book.name, judged.operation if granted else b"")
        author = book.authors[chain.incarnation].info
        if not (isinstance(event, RightGranted) and granted and author.is_hub):
            return
        handed: dict[bytes, list[int]] = {}
        for place, (reservation, _, _) in enumerate(event.handed[: len(entry.claims)]):
            handed.setdefault(reservation, []).append(place)
        for reservation, places in handed.items():
            part = msgspec.structs.replace(event, handed=tuple(event.handed[i] for i in places))
            projections.see(
                book.name,
                reservation,
                Seen(
                    judged.operation, entry.kind, entry.stamp, chain.incarnation, author.name,
                    True, (), tuple(entry.claims[i] for i in places), (),
                    events.encode_content(part), judged.n,
                ),
            )  # fmt: skip

    def _refold(self, name: str) -> None:
        """Fold a book anew from the journal: after a close that takes decisions back, an upgrade,
        or at the doctor's word."""
        self.store.projections.clear_book(name)
        self.store.cards.clear_book(name)
        self.store.restrictions.clear_book(name)
        self.store.guest_entries.clear_book(name)
        self.store.tables.clear_book(name)
        self.store.service_notes.clear_book(name)
        self._books.fold(name)
        book = self.book(name)
        self.erasures_touched.update((name, agent) for agent in book.administration.erasures)
        journal = self.store.journal
        for row in journal.walk():
            chain = journal.chain_by_id(row.chain)
            if chain.book != name:
                continue
            judged = gate.for_role(
                gate.judge(chain.incarnation, row.n, row.hash, row.entry),
                book.authors[chain.incarnation].role,
            )
            entry = judged.entry
            if entry is not None and entry.kind in _APART:
                self._note_apart(book, chain, judged)
            elif entry is not None and entry.subject and not entry.kind.startswith(_ADMINISTRATIVE):
                self._see(book, chain, judged)
            elif isinstance(judged.event, RightGranted):
                self._move_rights(book, chain, judged)

    def refold(self, name: str) -> None:
        with self.transaction():
            self._refold(name)

    # --- what to send -----------------------------------------------------------------------------

    def is_own(self, chain: ChainRow) -> bool:
        """Whether this directory wrote the chain, in this life or in an earlier one."""
        lives = (self.identity.incarnation, *self.identity.succeeds)
        return not chain.branch and chain.incarnation in lives

    def seal_own(self, chain: ChainRow, upto: int) -> bytes:
        """Sign a chain of one's own up to an entry, where it is cut to be sent. An earlier life's
        rest is sealed too: what it answered must not be lost with it."""
        held = self.store.journal.seal_at(chain, upto)
        if held is not None:
            return held
        head = self.store.journal.hash_at(chain, upto)
        assert head is not None
        return self._sealed(chain, upto, head)

    def _sealed(self, chain: ChainRow, n: int, head: bytes) -> bytes:
        """Seal a chain of one's own with the key that it has at that entry."""
        author = self.book(chain.book).authors.get(chain.incarnation)
        key, before_change = self.identity.key, False
        if author is not None and (len(author.keys) > 1 or self.identity.former):
            needed = author.key_at(n, lambda m: self.store.journal.hash_at(chain, m))
            before_change = any(change.first == n + 1 for change in author.keys)
            key = self.identity.key_of(needed)
        signature = sign_seal(key, chain.book, chain.incarnation, n, head)
        with self.transaction():
            # Nobody can read beyond a new key without the seal that the old one made just there.
            self.store.journal.put_seal(chain, n, signature, anchor=before_change)
        return signature

    def seal_tip(self, name: str) -> None:
        """Sign what this transaction has written, if it has, in the same commit."""
        chain = self.store.journal.chain(name, self.identity.incarnation)
        length, head = self.tip(name)
        if chain is not None and length > chain.length:
            self._sealed(chain, length, head)

    # --- reading ----------------------------------------------------------------------------------

    def view(self, reservation: bytes, book: str = "") -> View | None:
        """The reservation as folded here; see `record`."""
        record = self.record(reservation, book)
        return record.view if record else None

    def record(self, reservation: bytes, book: str = "") -> Record | None:
        """What is known here of a reservation. Raises Conflict where no book is named and the id
        is in use in several: only a device that took another venue's id brings that about."""
        with self.lock:
            projections = self.store.projections
            if book:
                return projections.get(book, reservation)
            books = projections.books_of(reservation)
            if len(books) > 1:
                venues = " and ".join(name.partition("/")[2] for name in books)
                raise Conflict(
                    f"{uuid_text(reservation)} is in use in {venues}; "
                    "name the reservation by its code"
                )
            return projections.get(books[0], reservation) if books else None

    def authors(self, name: str) -> dict[bytes, ChainAuthor]:
        return self.book(name).authors

    def chain_heads(self, name: str) -> Iterable[tuple[ChainRow, Any]]:
        book = self.book(name)
        for chain in self.store.journal.chains(name):
            yield chain, book.authors.get(chain.incarnation)


_RIGHTS_MOVE: Final = (
    RightGranted, RightReturned, RightRevoked, NodeRevoked, ChainSucceeded, ChainClosed,
)  # fmt: skip
_ADMINISTRATIVE: Final = ("chain.", "venue.", "node.", "codes.", "right.", "guest.")
