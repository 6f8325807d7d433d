"""The journal: every entry of every chain, the truth on disk.

Owns the tables `chains`, `journal`, `seals`, `aside`, `verdicts` and `administration`. Bytes in,
bytes out: it does not know what an entry says. All methods run inside their caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlite_utils import Database

from holdfast.model.limits import ASIDE_MAX, ASIDE_PER_SENDER_MAX, SEAL_SPACING


@dataclass(slots=True)
class ChainRow:
    """One chain as it stands: `length` entries, the hash of the last in `head`.

    `branch` is empty for the branch that this replica saw first; another one is named by the chain
    hash of its first entry that differs, and holds the entries after `fork_at`, behind the first
    `fork_at` entries of `parent`. `before` is the hash before the last entry, where that was
    appended since the chains were read; empty: the journal has it.
    """

    id: int
    book: str
    incarnation: bytes
    branch: bytes
    fork_at: int
    length: int
    head: bytes
    parent: int = 0
    before: bytes = b""


class JournalRow(NamedTuple):
    seq: int
    chain: int
    n: int
    hash: bytes
    entry: bytes


class Journal:
    """Reads and appends. Chains are kept in memory, their entries are not."""

    def __init__(self, db: Database) -> None:
        self._c = db.conn
        self._chains: dict[tuple[str, bytes, bytes], ChainRow] = {}
        self._by_id: dict[int, ChainRow] = {}
        self._by_book: dict[str, dict[bytes, list[ChainRow]]] = {}
        self.reload()

    def reload(self) -> None:
        """Read the chains again: after a rollback, memory must not run ahead of the disk."""
        self._chains.clear()
        self._by_id.clear()
        self._by_book.clear()
        for row in self._c.execute(
            "SELECT c.id, c.book, c.incarnation, c.branch, c.fork_at, coalesce(j.n, c.fork_at),"
            " coalesce(j.hash, c.start), c.parent FROM chains c LEFT JOIN journal j"
            " ON j.chain = c.id AND j.n = (SELECT max(n) FROM journal WHERE chain = c.id)"
            " ORDER BY c.id"
        ):
            self._remember(ChainRow(*row))
        row = self._c.execute("SELECT max(seq) FROM journal").fetchone()
        self.last_seq: int = row[0] or 0

    def _remember(self, chain: ChainRow) -> None:
        self._chains[chain.book, chain.incarnation, chain.branch] = chain
        self._by_id[chain.id] = chain
        self._by_book.setdefault(chain.book, {}).setdefault(chain.incarnation, []).append(chain)

    # --- chains ---------------------------------------------------------------------------------

    def chain(self, book: str, incarnation: bytes, branch: bytes = b"") -> ChainRow | None:
        return self._chains.get((book, incarnation, branch))

    def chain_by_id(self, chain_id: int) -> ChainRow:
        return self._by_id[chain_id]

    def chains(self, book: str) -> list[ChainRow]:
        """All chains of a book, in the order in which this replica met them."""
        rows = self._by_book.get(book, {}).values()
        return sorted((c for branches in rows for c in branches), key=lambda c: c.id)

    def branches(self, book: str, incarnation: bytes) -> list[ChainRow]:
        """The branches of one chain, in the order in which this replica met them."""
        return list(self._by_book.get(book, {}).get(incarnation, ()))

    def books(self) -> list[str]:
        return sorted(self._by_book)

    def new_chain(self, book: str, incarnation: bytes, start: bytes) -> ChainRow:
        """A chain of which nothing was held; `start` is the hash before its first entry."""
        return self._insert(ChainRow(0, book, incarnation, b"", 0, 0, start))

    def new_branch(self, base: ChainRow, branch: bytes, fork_at: int, start: bytes) -> ChainRow:
        """A branch that shares the first `fork_at` entries of `base`; `start` is the hash there."""
        while base.parent and fork_at <= base.fork_at:
            base = self._by_id[base.parent]
        return self._insert(
            ChainRow(0, base.book, base.incarnation, branch, fork_at, fork_at, start, base.id)
        )

    def _insert(self, chain: ChainRow) -> ChainRow:
        cursor = self._c.execute(
            "INSERT INTO chains (book, incarnation, branch, fork_at, start, parent)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (chain.book, chain.incarnation, chain.branch, chain.fork_at, chain.head, chain.parent),
        )
        assert cursor.lastrowid is not None
        chain.id = cursor.lastrowid
        self._remember(chain)
        return chain

    def shared(self, ours: ChainRow, theirs: ChainRow) -> int:
        """How many entries two branches of one chain have in common."""
        limits = dict(self._lineage(ours))
        for row, limit in self._lineage(theirs):
            if row in limits:
                return min(limit, limits[row])
        return 0

    def _lineage(self, chain: ChainRow) -> Iterator[tuple[int, int]]:
        """The rows that hold a branch's entries, its own first, each with the last entry there."""
        limit = chain.length
        yield chain.id, limit
        while chain.parent:
            limit = min(limit, chain.fork_at)
            chain = self._by_id[chain.parent]
            yield chain.id, limit

    def _segments(self, chain: ChainRow, after: int, upto: int) -> list[tuple[int, int, int]]:
        """(row, after, upto) of the pieces that hold a branch's entries, in order."""
        found = []
        while True:
            low = max(after, chain.fork_at)
            if upto > low:
                found.append((chain.id, low, upto))
            if not chain.parent or after >= chain.fork_at:
                return found[::-1]
            upto = min(upto, chain.fork_at)
            chain = self._by_id[chain.parent]

    def _column(self, column: str, chain: ChainRow, after: int, upto: int) -> list[Any]:
        return [
            row[0]
            for segment in self._segments(chain, after, upto)
            for row in self._c.execute(
                f"SELECT {column} FROM journal"  # noqa: S608
                " WHERE chain = ? AND n > ? AND n <= ? ORDER BY n",
                segment,
            )
        ]

    # --- entries --------------------------------------------------------------------------------

    def append_one(self, chain: ChainRow, entry: bytes, digest: bytes) -> int:
        """Append one entry; the hot path of a local write. Returns its sequence number."""
        self.last_seq = seq = self.last_seq + 1
        chain.length += 1
        chain.before, chain.head = chain.head, digest
        self._c.execute(
            "INSERT INTO journal (seq, chain, n, hash, entry) VALUES (?, ?, ?, ?, ?)",
            (seq, chain.id, chain.length, digest, entry),
        )
        return seq

    def append(self, chain: ChainRow, entries: Sequence[bytes], hashes: Sequence[bytes]) -> int:
        """Append a run of entries. Returns the first one's sequence number."""
        first = self.last_seq + 1
        start = chain.length + 1
        self._c.executemany(
            "INSERT INTO journal (seq, chain, n, hash, entry) VALUES (?, ?, ?, ?, ?)",
            [
                (first + i, chain.id, start + i, digest, entry)
                for i, (entry, digest) in enumerate(zip(entries, hashes, strict=True))
            ],
        )
        self.last_seq += len(entries)
        chain.length += len(entries)
        chain.before = hashes[-2] if len(hashes) > 1 else chain.head
        chain.head = hashes[-1]
        return first

    def entries(self, chain: ChainRow, after: int, upto: int) -> list[bytes]:
        """Entries `after`+1 … `upto` of a chain; a branch shares those up to its fork."""
        return self._column("entry", chain, after, upto)

    def within_bytes(self, chain: ChainRow, after: int, upto: int, limit: int) -> int:
        """The largest n up to `upto` so that entries `after`+1 … n have at most `limit` bytes; at
        least one entry, however large."""
        if upto <= after + 1:
            return after + 1
        total, last = 0, after
        for entry in self.sizes(chain, after, upto):
            total += entry
            if total > limit and last > after:
                break
            last += 1
        return max(last, after + 1)

    def sizes(self, chain: ChainRow, after: int, upto: int) -> list[int]:
        """The lengths of entries `after`+1 … `upto`."""
        return self._column("length(entry)", chain, after, upto)

    def hashes(self, chain: ChainRow, after: int, upto: int) -> list[bytes]:
        """The chain hashes after entries `after`+1 … `upto`."""
        return self._column("hash", chain, after, upto)

    def hash_at(self, chain: ChainRow, n: int) -> bytes | None:
        """The chain hash after entry n; None for n = 0 or beyond the end."""
        if n == chain.length and n > 0:
            return chain.head
        if n < 1 or n > chain.length:
            return None
        if n == chain.length - 1 and chain.before:
            return chain.before
        while chain.parent and n <= chain.fork_at:
            chain = self._by_id[chain.parent]
        row = self._c.execute(
            "SELECT hash FROM journal WHERE chain = ? AND n = ?", (chain.id, n)
        ).fetchone()
        return row[0] if row else None

    def since(self, book: str, after_seq: int, limit: int) -> list[JournalRow]:
        """The change feed: what this replica journaled in a book after a sequence number."""
        return [
            JournalRow(*row)
            for row in self._c.execute(
                # CROSS JOIN keeps SQLite from reading a whole chain to sort it.
                "SELECT j.seq, j.chain, j.n, j.hash, j.entry FROM journal j"
                " CROSS JOIN chains c ON c.id = j.chain WHERE j.seq > ? AND c.book = ?"
                " ORDER BY j.seq LIMIT ?",
                (after_seq, book, limit),
            )
        ]

    def walk(self, after_seq: int = 0) -> Iterable[JournalRow]:
        """Everything, in the order of arrival, for folding anew and for verification."""
        cursor = self._c.execute(
            "SELECT seq, chain, n, hash, entry FROM journal WHERE seq > ? ORDER BY seq",
            (after_seq,),
        )
        return (JournalRow(*row) for row in cursor)

    def walk_back(self, before_seq: int | None = None) -> Iterable[JournalRow]:
        """The same from the newest to the oldest; `before_seq` None: from the very last."""
        cursor = self._c.execute(
            "SELECT seq, chain, n, hash, entry FROM journal WHERE seq < ? ORDER BY seq DESC",
            (self.last_seq + 1 if before_seq is None else before_seq,),
        )
        return (JournalRow(*row) for row in cursor)

    def entry(self, chain_id: int, n: int) -> bytes | None:
        row = self._c.execute(
            "SELECT entry FROM journal WHERE chain = ? AND n = ?", (chain_id, n)
        ).fetchone()
        return row[0] if row else None

    # --- seals ----------------------------------------------------------------------------------

    def put_seal(self, chain: ChainRow, n: int, signature: bytes, *, anchor: bool = False) -> None:
        """Keep a seal, and of older ones at most one for every `SEAL_SPACING` entries: a relay can
        cut there, and a device that seals every entry does not fill the disk with signatures.

        `anchor`: the entries that it covers anew are large, so that it is kept for good: without
        it a relay could not cut what it passes on small enough.
        """
        segment = (n - 1) // SEAL_SPACING * SEAL_SPACING
        self._c.execute(
            "DELETE FROM seals WHERE chain = ? AND n > ? AND n < ? AND anchor = 0",
            (chain.id, segment, n),
        )
        self._c.execute(
            "INSERT OR REPLACE INTO seals (chain, n, signature, anchor) VALUES (?, ?, ?, ?)",
            (chain.id, n, signature, anchor),
        )

    def seal_at(self, chain: ChainRow, n: int) -> bytes | None:
        row = self._c.execute(
            "SELECT signature FROM seals WHERE chain = ? AND n = ?", (chain.id, n)
        ).fetchone()
        return row[0] if row else None

    def seal_for(self, chain: ChainRow, after: int, wanted: int) -> tuple[int, bytes] | None:
        """Where to cut a chain that is relayed: the largest sealed n up to `wanted`, else the
        smallest beyond it; None where nothing after `after` is sealed."""
        row = self._c.execute(
            "SELECT n, signature FROM seals WHERE chain = ? AND n > ? AND n <= ?"
            " ORDER BY n DESC LIMIT 1",
            (chain.id, after, wanted),
        ).fetchone()
        if row is None:
            row = self._c.execute(
                "SELECT n, signature FROM seals WHERE chain = ? AND n > ? ORDER BY n LIMIT 1",
                (chain.id, max(after, wanted)),
            ).fetchone()
        return (row[0], row[1]) if row else None

    def sealed_length(self, chain: ChainRow) -> int:
        row = self._c.execute("SELECT max(n) FROM seals WHERE chain = ?", (chain.id,)).fetchone()
        return row[0] or 0

    # --- what does not count --------------------------------------------------------------------

    def put_verdicts(self, rows: Iterable[tuple[bytes, int, int, str, str]]) -> None:
        """(operation, chain, n, verdict, reason) of entries that did not simply merge."""
        self._c.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?)", rows)

    def verdicts(self, chain: ChainRow, after: int, upto: int) -> list[tuple[int, str, str]]:
        return [
            (row[0], row[1], row[2])
            for row in self._c.execute(
                "SELECT n, verdict, reason FROM verdicts WHERE chain = ? AND n > ? AND n <= ?"
                " ORDER BY n",
                (chain.id, after, upto),
            )
        ]

    def quarantined(self, book: str) -> list[tuple[bytes, bytes, int, str, str]]:
        """(operation, incarnation, n, verdict, reason) of everything set aside by the gate."""
        return [
            tuple(row)
            for row in self._c.execute(
                "SELECT v.operation, c.incarnation, v.n, v.verdict, v.reason FROM verdicts v"
                " JOIN chains c ON c.id = v.chain WHERE c.book = ? ORDER BY c.id, v.n",
                (book,),
            )
        ]

    def put_aside(
        self, book: str, incarnation: bytes, sender: str, n: int, reason: str, at_ms: int,
        frame: bytes,
    ) -> None:  # fmt: skip
        """Keep bytes that no seal covers or that the gate refused: the newest that each device
        sent, so that no flood drives out what is held against another, and the newest of all."""
        self._c.execute(
            "INSERT INTO aside (book, incarnation, branch, n, reason, at_ms, frame, sender)"
            " VALUES (?, ?, x'', ?, ?, ?, ?, ?)",
            (book, incarnation, n, reason, at_ms, frame, sender),
        )
        for clause, values, keep in (
            ("book = ? AND sender = ?", (book, sender), ASIDE_PER_SENDER_MAX),
            ("1", (), ASIDE_MAX),
        ):
            self._c.execute(
                f"DELETE FROM aside WHERE {clause} AND id <= (SELECT id FROM aside"  # noqa: S608
                f" WHERE {clause} ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (*values, *values, keep),
            )

    def refused_frames(self, book: str) -> dict[str, int]:
        """How many frames that are kept aside were refused, by the name of who sent them."""
        return dict(
            self._c.execute(
                "SELECT sender, count(*) FROM aside WHERE book = ? AND reason <> 'seal-missing'"
                " GROUP BY sender",
                (book,),
            )
        )

    def put_administration(self, book: str, seqs: Iterable[int]) -> None:
        self._c.executemany(
            "INSERT OR IGNORE INTO administration (seq, book) VALUES (?, ?)",
            [(seq, book) for seq in seqs],
        )

    def administration(self, book: str) -> list[JournalRow]:
        """The entries that are about the book and not about a reservation, oldest first."""
        return [
            JournalRow(*row)
            for row in self._c.execute(
                "SELECT j.seq, j.chain, j.n, j.hash, j.entry FROM administration a"
                " JOIN journal j ON j.seq = a.seq WHERE a.book = ? ORDER BY a.seq",
                (book,),
            )
        ]
