"""The store at random against lists and dicts: what was committed is there, nothing else is.

Transactions of any of the store's writes, some of which fail in the middle; a process that ends or
dies between them. After each, everything that the store reads from its caches and its tables is
what plain lists say.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from holdfast.model import capacity
from holdfast.model.claims import LIVE, OCCUPYING, PENDING, STANDBY, Seen
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    Event,
    ReservationAmended,
    ReservationCancelled,
    ReservationCreated,
    ReservationMoved,
    RightGranted,
    encode_content,
)
from holdfast.model.reservation import View, fold, view_digest
from holdfast.model.rights import FOREVER, Rights
from holdfast.store import database, journal
from holdfast.store.projections import MODULUS
from holdfast.store.queue import QUARANTINED, QUEUED, SENT, WITHDRAWN
from holdfast.store.store import Store
from tests.machines import played

BOOKS: Final = ("demo/a", "demo/b")
HUB, DESK = b"H" * 16, b"D" * 16
RIGHT: Final = b"R" * 16
DAY: Final = 86_400
WAITING: Final = (QUEUED, SENT)
SPACING: Final = 4

MOVES: Final = {
    "queued": {"sent", "merged", "deferred", "quarantined", "withdrawn"},
    "sent": {"queued", "merged", "deferred", "quarantined", "withdrawn"},
    "merged": {"queued", "deferred", "quarantined", "withdrawn"},
    "deferred": {"queued", "merged", "quarantined", "withdrawn"},
    "quarantined": {"merged", "deferred", "withdrawn"},
    "withdrawn": set(),
}
"""Where an operation may go in one call; a new life of the hub makes what was over queued again."""


class Boom(Exception):
    """Something that no code expects."""


@dataclass
class Row:
    """An operation in the queue, as a list knows it."""

    id: bytes
    state: str = QUEUED
    attempts: int = 0


@dataclass
class Truth:
    """All that was written, in lists: of each chain its whole run of (hash, entry)."""

    chains: dict[tuple[str, bytes, bytes], list[tuple[bytes, bytes]]] = field(default_factory=dict)
    feed: list[tuple[str, bytes]] = field(default_factory=list)
    seals: dict[tuple[str, bytes, bytes], dict[int, bool]] = field(default_factory=dict)
    queue: dict[tuple[int, int], Row] = field(default_factory=dict)
    settings: dict[str, bytes] = field(default_factory=dict)
    seen: dict[tuple[str, bytes], list[Seen]] = field(default_factory=dict)
    granted: set[str] = field(default_factory=set)
    made: int = 0

    def rights(self, book: str) -> Rights:
        rights = Rights()
        if book in self.granted:
            rights.granted(RIGHT, 1, RightGranted(DESK, ("T1",), 1, 0, FOREVER))
        return rights

    def views(self, book: str) -> dict[bytes, View]:
        rights = self.rights(book)
        return {
            reservation: fold(reservation, seen, rights)
            for (name, reservation), seen in self.seen.items()
            if name == book
        }


Act = tuple[str, int, int, int]
JOURNAL: Final = ("chain", "branch", "append", "append", "seal")
QUEUE: Final = (
    "put", "put", "put", "sent", "failed", "merged", "verdict", "refused", "withdrawn", "reopen",
)  # fmt: skip
BOOK: Final = ("see", "see", "see", "see", "look", "grant", "refold", "setting")


def some_of(names: tuple[str, ...]) -> st.SearchStrategy[list[Act]]:
    small = st.integers(0, 7)
    return st.lists(st.tuples(st.sampled_from(names), small, small, small), min_size=1, max_size=8)


acts = st.one_of(
    some_of(JOURNAL), some_of(QUEUE), some_of(BOOK), some_of((*JOURNAL, *QUEUE, *BOOK))
)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._limits = mock.patch.multiple(journal, SEAL_SPACING=SPACING)
        self._limits.start()
        # Little memory: what is read comes from the disk as often as not.
        self._memory = mock.patch.multiple(capacity, OCCUPANCY_DAYS_IN_MEMORY=1)
        self._memory.start()
        self.root = Path(tempfile.mkdtemp(prefix="holdfast-store-"))
        self.number = 0
        self.truth = Truth()
        self.open(self.root / "0")

    def open(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self.store = Store(directory, synchronous="OFF")
        self.know_rights()

    def know_rights(self) -> None:
        self.rights = {book: self.truth.rights(book) for book in BOOKS}
        self.store.projections.rights_of = lambda book: self.rights[book]

    def teardown(self) -> None:
        self.store.close()
        self._memory.stop()
        self._limits.stop()
        shutil.rmtree(self.root)

    # --- transactions ---------------------------------------------------------------------------

    @rule(some=acts, fails=st.sampled_from([False, False, True]))
    def transaction(self, some: list[Act], fails: bool) -> None:
        before = copy.deepcopy(self.truth)
        states = {place: row.state for place, row in before.queue.items()}
        try:
            with self.store.atomic():
                for name, one, two, three in some:
                    getattr(self, f"do_{name}")(one, two, three)
                self.store.projections.flush()
                if fails:
                    raise Boom
        except Boom:
            self.truth = before
            self.know_rights()
            return
        for place, row in self.truth.queue.items():
            assert states.get(place) != WITHDRAWN or row.state == WITHDRAWN

    @rule(some=acts)
    def transaction_that_fails_before_it_is_folded(self, some: list[Act]) -> None:
        before = copy.deepcopy(self.truth)
        try:
            with self.store.atomic():
                for name, one, two, three in some:
                    getattr(self, f"do_{name}")(one, two, three)
                raise Boom
        except Boom:
            self.truth = before
            self.know_rights()

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.open(self.store.directory)

    @rule()
    def die(self) -> None:
        """The files as they are on disk at this moment are all that is left."""
        self.number += 1
        target = self.root / str(self.number)
        target.mkdir()
        for name in (database.FILE_NAME, database.FILE_NAME + "-wal"):
            if (self.store.directory / name).exists():
                shutil.copy(self.store.directory / name, target / name)
        self.store.close()
        self.open(target)

    # --- journal --------------------------------------------------------------------------------

    def the_chain(self, which: int) -> tuple[str, bytes, bytes] | None:
        names = list(self.truth.chains)
        return names[which % len(names)] if names else None

    def row(self, name: tuple[str, bytes, bytes]) -> journal.ChainRow:
        found = self.store.journal.chain(*name)
        assert found is not None
        return found

    def do_chain(self, which: int, *_: int) -> None:
        name = (BOOKS[which % 2], bytes([which % 3 + 1]) * 16, b"")
        if name not in self.truth.chains:
            self.store.journal.new_chain(name[0], name[1], b"start" + name[1])
            self.truth.chains[name] = []

    def do_branch(self, which: int, at: int, _: int) -> None:
        name = self.the_chain(which)
        if name is None or not self.truth.chains[name]:
            return
        run = self.truth.chains[name]
        fork_at = at % (len(run) + 1)
        self.truth.made += 1
        branch = (name[0], name[1], self.truth.made.to_bytes(32, "big"))
        start = run[fork_at - 1][0] if fork_at else b"start" + name[1]
        self.store.journal.new_branch(self.row(name), branch[2], fork_at, start)
        self.truth.chains[branch] = run[:fork_at]
        self.do_append(len(self.truth.chains) - 1, at, 1)

    def do_append(self, which: int, count: int, size: int) -> None:
        name = self.the_chain(which)
        if name is None:
            return
        new = []
        for _ in range(count % 4 + 1):
            self.truth.made += 1
            new.append((self.truth.made.to_bytes(32, "big"), b"e" * (1 + size * 3)))
        row = self.row(name)
        if len(new) == 1:
            self.store.journal.append_one(row, new[0][1], new[0][0])
        else:
            self.store.journal.append(row, [e for _, e in new], [h for h, _ in new])
        self.truth.chains[name] = self.truth.chains[name] + new
        self.truth.feed += [(name[0], digest) for digest, _ in new]

    def do_seal(self, which: int, n: int, anchor: int) -> None:
        name = self.the_chain(which)
        if name is None or not self.truth.chains[name]:
            return
        at = n % len(self.truth.chains[name]) + 1
        kept = anchor % 3 == 0
        self.store.journal.put_seal(self.row(name), at, b"s%d" % at, anchor=kept)
        seals = self.truth.seals.setdefault(name, {})
        segment = (at - 1) // SPACING * SPACING
        self.truth.seals[name] = {
            m: anchored for m, anchored in seals.items() if anchored or not segment < m < at
        } | {at: kept}

    # --- queue ----------------------------------------------------------------------------------

    def do_put(self, chain: int, *_: int) -> None:
        chain %= 2
        n = max((place[1] for place in self.truth.queue if place[0] == chain), default=0) + 1
        self.truth.made += 1
        operation = self.truth.made.to_bytes(16, "big")
        self.store.queue.put(operation, chain, n, "reservation.created", b"r" * 16, n)
        self.truth.queue[chain, n] = Row(operation)

    def turn(
        self, where: Callable[[int, int, Row], bool], state: str | None, attempt: bool = False
    ) -> None:
        for (chain, n), row in self.truth.queue.items():
            if where(chain, n, row):
                assert state is None or state == row.state or state in MOVES[row.state]
                row.state = state or row.state
                row.attempts += attempt

    def do_sent(self, chain: int, upto: int, _: int) -> None:
        chain %= 2
        self.store.queue.mark_sent(chain, upto, 5)
        self.turn(lambda c, n, r: c == chain and n <= upto and r.state in WAITING, SENT, True)

    def do_failed(self, *_: int) -> None:
        self.store.queue.mark_failed(9, "unreachable")
        self.turn(lambda c, n, r: r.state in WAITING, QUEUED)

    def do_merged(self, chain: int, upto: int, _: int) -> None:
        chain %= 2
        waited = sum(
            r.state in WAITING and n <= upto for (c, n), r in self.truth.queue.items() if c == chain
        )
        assert self.store.queue.mark_merged(chain, upto, 7) == waited
        self.turn(lambda c, n, r: c == chain and n <= upto and r.state in WAITING, "merged")

    def do_verdict(self, chain: int, n: int, which: int) -> None:
        verdict = ("merged", "deferred", "quarantined")[which % 3]
        self.store.queue.mark_verdict(chain % 2, n, verdict, "why", 8)
        self.turn(lambda c, m, r: (c, m) == (chain % 2, n) and r.state != WITHDRAWN, verdict)

    def do_refused(self, chain: int, after: int, upto: int) -> None:
        self.store.queue.mark_refused(chain % 2, after, upto, "not-an-append", 8)
        self.turn(
            lambda c, n, r: c == chain % 2 and after < n <= upto and r.state in WAITING, QUARANTINED
        )

    def do_withdrawn(self, chain: int, n: int, _: int) -> None:
        row = self.truth.queue.get((chain % 2, n))
        if row is not None:
            self.store.queue.mark_withdrawn(row.id, "error", 8)
            row.state = WITHDRAWN

    def do_reopen(self, chain: int, after: int, _: int) -> None:
        chain %= 2
        again = ("merged", "sent", "deferred")
        count = sum(
            c == chain and n > after and r.state in again for (c, n), r in self.truth.queue.items()
        )
        assert self.store.queue.reopen(chain, after) == count
        self.turn(lambda c, n, r: c == chain and n > after and r.state in again, QUEUED)

    # --- records and projections ----------------------------------------------------------------

    def do_setting(self, key: int, value: int, drop: int) -> None:
        name = f"k{key}"
        if drop > 5:
            self.store.records.drop(name)
            self.truth.settings.pop(name, None)
        else:
            self.store.records.put(name, bytes([value]))
            self.truth.settings[name] = bytes([value])

    def do_see(self, which: int, what: int, place: int) -> None:
        """One more entry about one of a few reservations."""
        book, reservation = BOOKS[which % 2], bytes([which // 2 % 2 + 1]) * 16
        story = self.truth.seen.setdefault((book, reservation), [])
        self.truth.made += 1
        operation = self.truth.made.to_bytes(16, "big")
        asked = [seen for seen in story if seen.claims and seen.kind != "claim.decided"]
        last = asked[-1] if asked else None
        claim = Claim(f"T{place % 2 + 1}", DAY - 200 + 50 * place, DAY + 60 * place - 100)
        event, by, more = _written(what, place, claim, last, story)
        follows = (story[0].operation,) if story else ()
        seen = Seen(
            operation, KIND_BY_EVENT[type(event)], self.truth.made << 16, by,
            "hub" if by == HUB else "desk", by == HUB, follows, more.get("claims", ()),
            more.get("ends", ()), encode_content(event), self.truth.made,
        )  # fmt: skip
        story.append(seen)
        self.store.projections.see(book, reservation, seen, fresh=len(story) == 1)

    def do_grant(self, which: int, *_: int) -> None:
        book = BOOKS[which % 2]
        if book not in self.truth.granted:
            self.truth.granted.add(book)
            self.rights[book] = self.truth.rights(book)
            self.store.projections.rights_moved(book, RIGHT)

    def do_look(self, which: int, *_: int) -> None:
        """In the middle of a transaction, with what it has folded and not written yet."""
        self.check_book(BOOKS[which % 2])

    def do_refold(self, which: int, *_: int) -> None:
        """The folded state is forgotten and made again from what was seen."""
        book = BOOKS[which % 2]
        projections = self.store.projections
        projections.flush()
        before = projections.book_digest(book)
        projections.clear_book(book)
        for (name, reservation), story in self.truth.seen.items():
            for seen in reversed(story) if name == book else ():
                projections.see(book, reservation, seen)
        projections.flush()
        assert projections.book_digest(book) == before

    # --- what must be true ----------------------------------------------------------------------

    @invariant()
    def the_journal_is_the_lists(self) -> None:
        held = self.store.journal
        for name, run in self.truth.chains.items():
            row = self.row(name)
            hashes, entries = [h for h, _ in run], [e for _, e in run]
            assert row.length == len(run)
            assert row.head == (hashes[-1] if hashes else b"start" + name[1])
            wanted = [None, *hashes, None]
            assert [held.hash_at(row, n) for n in range(len(run) + 2)] == wanted
            for after in range(0, len(run), 2):
                for upto in {after + 1, len(run)}:
                    assert held.entries(row, after, upto) == entries[after:upto]
                    assert held.hashes(row, after, upto) == hashes[after:upto]
                for limit in (1, 20, 60):
                    cut = _within(entries, after, limit)
                    assert held.within_bytes(row, after, len(run), limit) == cut
            seals = self.truth.seals.get(name, {})
            assert held.sealed_length(row) == max(seals, default=0)
            for n in range(1, len(run) + 1):
                assert (held.seal_at(row, n) is not None) == (n in seals)
                below = [m for m in seals if m <= n]
                above = [m for m in seals if m > n]
                cut_at = max(below, default=min(above, default=0))
                found = held.seal_for(row, 0, n)
                assert (found[0] if found else 0) == cut_at
        for book in BOOKS:
            names = [name for name in self.truth.chains if name[0] == book]
            assert [(c.book, c.incarnation, c.branch) for c in held.chains(book)] == names
            for one in names:
                for other in names:
                    if one[1] == other[1]:
                        runs = self.truth.chains[one], self.truth.chains[other]
                        assert held.shared(self.row(one), self.row(other)) == _common(*runs)

    @invariant()
    def the_feed_is_in_the_order_of_writing(self) -> None:
        feed = self.truth.feed
        assert self.store.journal.last_seq == len(feed)
        assert [row.hash for row in self.store.journal.walk()] == [digest for _, digest in feed]
        for book in BOOKS:
            for cursor in {0, len(feed) // 2}:
                wanted = [
                    (seq, digest)
                    for seq, (name, digest) in enumerate(feed, 1)
                    if name == book and seq > cursor
                ]
                found = [(r.seq, r.hash) for r in self.store.journal.since(book, cursor, 5)]
                assert found == wanted[:5]

    @invariant()
    def the_queue_is_the_list(self) -> None:
        queue = self.store.queue
        rows = {(o.chain, o.n): Row(o.id, o.state, o.attempts) for o in queue.select(limit=1000)}
        assert rows == self.truth.queue
        assert queue.waiting() == sum(row.state in WAITING for row in rows.values())
        assert sum(queue.counts().values()) == len(rows)

    @invariant()
    def settings_are_the_dict(self) -> None:
        found = {f"k{n}": value for n in range(8) if (value := self.store.records.get(f"k{n}"))}
        assert {key: value for key, value in self.truth.settings.items() if value} == found

    @invariant()
    def the_books_are_what_a_fresh_fold_says(self) -> None:
        for book in BOOKS:
            self.check_book(book)
            self.check_rows(book)

    def check_book(self, book: str) -> None:
        """What is read through memory: views, occupancy, what waits."""
        projections = self.store.projections
        views = self.truth.views(book)
        for reservation, view in views.items():
            record = projections.get(book, reservation)
            assert record is not None
            assert view_digest(record.view) == view_digest(view)
        occupancy = projections.occupancy(book)
        held = [
            (claim.resource, claim.id, claim.start, claim.end, claim.state in OCCUPYING, view.id)
            for view in views.values()
            for claim in view.claims
            if claim.state in OCCUPYING or claim.state in (PENDING, STANDBY)
        ]
        for resource in ("T1", "T2"):
            found = occupancy.overlapping(resource, 0, 4 * DAY)
            shown = [(resource, h.claim, h.start, h.end, h.live, h.reservation) for h in found]
            assert sorted(shown) == sorted(one for one in held if one[0] == resource)
            free = occupancy.free(resource, 9, DAY - 50, DAY + 60)
            peak = max(
                sum(h[2] <= at < h[3] for h in held if h[0] == resource)
                for at in range(DAY - 50, DAY + 60)
            )
            assert free == 9 - peak
        waiting = {
            (claim.id.operation, view.id)
            for view in views.values()
            for claim in view.claims
            if claim.state in (PENDING, STANDBY)
        }
        assert {row[2:] for row in projections.undecided(book)} == waiting

    def check_rows(self, book: str) -> None:
        """What stands in the tables."""
        views = self.truth.views(book)
        execute = self.store.db.conn.execute
        total = sum(int.from_bytes(view_digest(view), "big") for view in views.values()) % MODULUS
        digest = self.store.projections.book_digest(book)
        assert (digest.total, digest.reservations) == (total, len(views))
        assert digest.entries == sum(view.entries for view in views.values())
        rows = execute("SELECT id, status, date FROM reservations WHERE book = ?", (book,))
        assert {tuple(row) for row in rows} == {
            (view.id, view.status, view.service_date) for view in views.values()
        }
        rows = execute("SELECT operation, idx, live FROM claims WHERE book = ?", (book,))
        assert {(ClaimId(row[0], row[1]), row[2]) for row in rows} == {
            (claim.id, 0 if claim.state not in OCCUPYING else 1 if claim.state == LIVE else 2)
            for view in views.values()
            for claim in view.claims
            if claim.state in OCCUPYING or claim.state in (PENDING, STANDBY)
        }
        found = {row[1:3] for row in self.store.projections.exceptions(book)}
        assert found == {(v.id, kind) for v in views.values() for kind, _ in v.exceptions}


def _written(
    what: int, place: int, claim: Claim, last: Seen | None, story: list[Seen]
) -> tuple[Event, bytes, dict[str, Any]]:
    """An event, its writer and its envelope: the first of a story makes, the others follow."""
    if last is None or not story:
        event = ReservationCreated(
            "agent_" + "a" * 32, 2, "RES-2027-AAAAAA", f"2027-06-0{place % 3 + 1}"
        )
        right, by = ((HUB_RIGHT, HUB), (RIGHT, DESK), (b"", DESK))[what % 3]
        return event, by, {"claims": (Claim(claim.resource, claim.start, claim.end, right=right),)}
    first = ClaimId(last.operation, 0)
    if what in (0, 1):
        wish = Claim(claim.resource, claim.start, claim.end, replaces=first)
        return ReservationMoved({"service_date": "2027-06-04"}), DESK, {"claims": (wish,)}
    if what in (2, 3):
        verdict = "admitted" if what == 2 else "displaced"
        return ClaimDecided(last.operation, verdict), HUB, {"claims": last.claims}
    if what == 4:
        return ClaimEnded("cancelled"), HUB if place % 2 else DESK, {"ends": (first,)}
    if what == 5:
        return ReservationCancelled("guest_request", "guest"), DESK, {}
    return ReservationAmended({"service_date": f"2027-06-0{place + 1}"}), DESK, {}


def _within(entries: list[bytes], after: int, limit: int) -> int:
    upto = after + 1
    while upto < len(entries) and sum(map(len, entries[after : upto + 1])) <= limit:
        upto += 1
    return upto


def _common(one: list[tuple[bytes, bytes]], other: list[tuple[bytes, bytes]]) -> int:
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


TestStoreMachine = played(StoreMachine, examples=40, steps=16)
