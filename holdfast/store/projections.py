"""Folded reservations, their claims, digests and exceptions: what can always be folded anew.

Owns those tables and a bounded cache over them with write-back: a merge of thousands of entries
touches each reservation in memory and writes it once, at `flush`, inside the caller's
transaction. It knows how rows look, not how a fold decides. A reservation is named by its book
and its id: nothing crosses a book, not even an id that somebody uses in two of them (DESIGN §1).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
from sqlite_utils import Database

from holdfast.model.approval import PENDING as PENDING_WORD
from holdfast.model.capacity import Held, Occupancy, days
from holdfast.model.claims import LIVE, OCCUPYING, PENDING, STANDBY, Seen
from holdfast.model.entries import ClaimId
from holdfast.model.forms import form_now
from holdfast.model.limits import (
    DATES_IN_MEMORY,
    ENTRIES_PER_RESERVATION_MAX,
    RESERVATIONS_IN_MEMORY,
)
from holdfast.model.reservation import View, fold, view_digest
from holdfast.model.rights import Rights

_view_encoder = msgspec.msgpack.Encoder()
_view_decoder = msgspec.msgpack.Decoder(View)
_seen_decoder = msgspec.msgpack.Decoder(list[Seen])

Key = tuple[str, bytes]
"""A book and a reservation in it."""

Row = tuple[str, int, int, int, int, bytes]
"""A claim as it is stored: resource, start, end, quantity, whether it is granted (0: it waits,
1: it is in force, 2: beside what it is to replace), and the right that it was sold from."""

Indexed = tuple[str, int, str, str, str, bytes]
"""What is looked for: code, starts_at, agent_id, what it is now, the house's word, the partner."""

MODULUS: Final = 1 << 256
_IDS_PER_QUERY: Final = 500


class StoredClaim(NamedTuple):
    """A claim as it stands in the tables, of any reservation."""

    id: ClaimId
    resource: str
    start: int
    end: int
    quantity: int
    live: int
    right: bytes
    reservation: bytes


@dataclass(slots=True)
class Stored:
    """What stands on disk of a reservation, to write only differences."""

    date: str = ""
    digest: int = 0
    entries: int = 0
    waiting: int = 0
    claims: dict[ClaimId, Row] = field(default_factory=dict)
    written: dict[ClaimId, Row] = field(default_factory=dict)
    exceptions: tuple[tuple[str, int], ...] = ()
    indexed: Indexed | None = None
    """None where there is no row yet."""


@dataclass(slots=True)
class Record:
    """One reservation: everything seen of it, its folded view, and whether the view is stale."""

    id: bytes
    book: str
    seen: list[Seen]
    view: View
    stored: Stored
    stale: bool = False

    @property
    def key(self) -> Key:
        return self.book, self.id


@dataclass(slots=True)
class DateDigest:
    """Sum (mod 2^256) of the digests of a service date's reservations, and how many there are."""

    total: int = 0
    reservations: int = 0
    entries: int = 0
    waiting: int = 0


class Projections:
    """`rights_of` gives the rights of a book, which its administration folds."""

    def __init__(self, db: Database) -> None:
        self._c = db.conn
        self.rights_of: Callable[[str], Rights] = lambda _: Rights()
        self._cache: OrderedDict[Key, Record] = OrderedDict()
        self._dirty: dict[Key, Record] = {}
        self._stale: dict[Key, Record] = {}
        self._dirty_places: dict[tuple[str, str, int], set[bytes]] = {}
        self._pending: dict[str, dict[bytes, tuple[int, bytes, bytes, bytes]]] = {}
        self._digests: dict[tuple[str, str], DateDigest] = {}
        self._totals: dict[str, DateDigest] = {}
        """Of each book that was asked for, until something of it is written."""
        self._moved_digests: set[tuple[str, str]] = set()
        self._reaches: dict[tuple[str, str], int] = {}
        self._awaited: set[tuple[bytes, str, bytes]] = set()
        self._occupancies: dict[str, Occupancy] = {}
        self.reload()

    def reload(self) -> None:
        """Drop everything in memory: after a rollback it may run ahead of the disk."""
        self._cache.clear()
        self._dirty.clear()
        self._stale.clear()
        self._dirty_places.clear()
        self._digests.clear()
        self._totals.clear()
        self._moved_digests.clear()
        self._awaited.clear()
        for occupancy in self._occupancies.values():
            occupancy.forget()
        self._pending.clear()
        for row in self._c.execute(
            "SELECT book, stamp, node, operation, reservation FROM claims WHERE live = 0"
        ):
            self._pending.setdefault(row[0], {})[row[3]] = (row[1], row[2], row[3], row[4])
        self._reaches = {
            (row[0], row[1]): row[2]
            for row in self._c.execute("SELECT book, resource, seconds FROM reaches")
        }

    @property
    def dirty(self) -> bool:
        """Whether something was seen that is not on disk yet."""
        return bool(self._dirty)

    def clear_book(self, book: str) -> None:
        """Forget the folded state of a book on disk too, so that it can be folded anew."""
        for table in ("reservations", "claims", "digests", "exceptions", "awaited"):
            self._c.execute(f"DELETE FROM {table} WHERE book = ?", (book,))  # noqa: S608
        by_book: tuple[dict[Any, Any], ...] = (
            self._cache, self._dirty, self._stale, self._dirty_places, self._digests,
        )  # fmt: skip
        for known in by_book:
            for key in [key for key in known if key[0] == book]:
                del known[key]
        self._moved_digests = {key for key in self._moved_digests if key[0] != book}
        self._pending.pop(book, None)
        self._totals.pop(book, None)
        self._occupancy(book).forget()

    # --- reservations ---------------------------------------------------------------------------

    def get(self, book: str, reservation: bytes) -> Record | None:
        """A reservation, folded with all that was seen so far."""
        record = self._known(book, reservation)
        if record is not None and record.stale:
            self._refold(record)
        return record

    def _known(self, book: str, reservation: bytes) -> Record | None:
        """A reservation as it was last folded."""
        record = self._cache.get((book, reservation))
        if record is None:
            record = self._load(book, reservation)
            if record is not None:
                self._remember(record)
        return record

    def _remember(self, record: Record) -> None:
        self._cache[record.key] = record
        self._trim()

    def books_of(self, reservation: bytes) -> list[str]:
        """The books in which an id is in use: one, unless somebody used another venue's."""
        found = {book for book, one in self._dirty if one == reservation}
        found.update(
            row[0]
            for row in self._c.execute("SELECT book FROM reservations WHERE id = ?", (reservation,))
        )
        return sorted(found)

    def _load(self, book: str, reservation: bytes) -> Record | None:
        row = self._c.execute(
            f"SELECT {_RECORD_COLUMNS} FROM reservations WHERE id = ? AND book = ?",  # noqa: S608
            (reservation, book),
        ).fetchone()
        return None if row is None else _record(book, row)

    def preload(self, book: str, reservations: Iterable[bytes]) -> None:
        """Bring reservations that are about to be asked for one by one into memory, many at a
        time."""
        wanted = [one for one in dict.fromkeys(reservations) if (book, one) not in self._cache]
        for some in _pieces(wanted):
            for row in self._c.execute(
                f"SELECT {_RECORD_COLUMNS} FROM reservations"  # noqa: S608
                f" WHERE book = ? AND id IN ({_marks(some)})",
                (book, *some),
            ):
                self._remember(_record(book, row))

    def new_among(self, book: str, reservations: Iterable[bytes]) -> set[bytes]:
        """Those of the ids that nothing is known of in a book yet, asked for many at a time."""
        wanted = [one for one in reservations if (book, one) not in self._cache]
        found: set[bytes] = set()
        for some in _pieces(wanted):
            found.update(
                row[0]
                for row in self._c.execute(
                    "SELECT id FROM reservations"  # noqa: S608
                    f" WHERE book = ? AND id IN ({_marks(some)})",
                    (book, *some),
                )
            )
        return set(wanted) - found

    def _trim(self) -> None:
        while len(self._cache) > RESERVATIONS_IN_MEMORY:
            key, record = self._cache.popitem(last=False)
            if key in self._dirty:
                self._cache[key] = record
                if len(self._dirty) >= RESERVATIONS_IN_MEMORY:
                    break

    def see(
        self,
        book: str,
        reservation: bytes,
        seen: Seen,
        *,
        fresh: bool = False,
        limited: bool = False,
    ) -> None:
        """Add one entry about a reservation; it is folded when it is next read or flushed.

        `fresh`: the caller has just made the id, so that there is nothing to look for. `limited`:
        of its writer only the first ENTRIES_PER_RESERVATION_MAX count, in the order of its chain
        and of its second branches after that, whatever the order in which they arrive.
        """
        key = (book, reservation)
        record = self._cache.get(key) if fresh else self._known(book, reservation)
        if record is None:
            record = Record(reservation, book, [], View(reservation, book=book), Stored())
            self._remember(record)
        if limited and len(record.seen) >= ENTRIES_PER_RESERVATION_MAX:
            own = _written_by(record, seen.node)
            if len(own) >= ENTRIES_PER_RESERVATION_MAX:
                last = max(own, key=_place)
                if _place(seen) >= _place(last):
                    return
                record.seen.remove(last)
        record.seen.append(seen)
        record.stale = True
        self._dirty[key] = self._stale[key] = record

    def room_for(self, book: str, reservation: bytes, node: bytes) -> bool:
        """Whether one more entry of this writer about the reservation would count."""
        record = self._known(book, reservation)
        return (
            record is None
            or len(record.seen) < ENTRIES_PER_RESERVATION_MAX
            or len(_written_by(record, node)) < ENTRIES_PER_RESERVATION_MAX
        )

    def rights_moved(self, book: str, granted: bytes = b"") -> None:
        """A right was granted, given back or revoked: claims may count against another account, and
        those that waited for this grant are folded anew."""
        self._occupancy(book).forget()
        if not granted:
            return
        waiting = [
            row[0]
            for row in self._c.execute(
                "SELECT reservation FROM awaited WHERE right_id = ? AND book = ?", (granted, book)
            )
        ]
        waiting += [one for right, name, one in self._awaited if (right, name) == (granted, book)]
        self._c.execute("DELETE FROM awaited WHERE right_id = ? AND book = ?", (granted, book))
        # A device's answer to what waits may have come before the grant that it rests on.
        waiting += [row[3] for row in self._pending.get(book, {}).values()]
        for reservation in dict.fromkeys(waiting):
            record = self._known(book, reservation)
            if record is not None:
                record.stale = True
                self._dirty[record.key] = self._stale[record.key] = record

    def _refold(self, record: Record) -> None:
        unknown: set[bytes] = set()
        rights = self.rights_of(record.book)
        record.view = fold(record.id, record.seen, rights, unknown)
        for right in unknown:
            self._awaited.add((right, record.book, record.id))
        record.view.book = record.book
        record.stale = False
        self._stale.pop(record.key, None)
        self._follow_claims(record, rights)

    def _follow_claims(self, record: Record, rights: Rights) -> None:
        """Keep the occupancy in memory in step with the folded claims."""
        now = _held_rows(record.view)
        before = record.stored.claims
        if now == before:
            return
        occupancy = self._occupancy(record.book)
        # Most keep their place: what is decided about them changes the rest of the row.
        for resource, start, end in {row[:3] for row in (*before.values(), *now.values())}:
            for day in days(start, end):
                self._dirty_places.setdefault((record.book, resource, day), set()).add(record.id)
        for claim_id, (resource, start, end, *_) in before.items():
            if claim_id not in now:
                occupancy.remove(resource, claim_id, start, end)
        for claim_id, row in now.items():
            if before.get(claim_id) != row:
                occupancy.add(row[0], _held(claim_id, row, record.id, rights))
        self._follow_pending(record, before, now)
        # `stored.claims` is what the occupancy shows; the disk follows at flush.
        record.stored.claims = now

    def _follow_pending(
        self,
        record: Record,
        before: dict[ClaimId, Row],
        now: dict[ClaimId, Row],
    ) -> None:
        """Keep the list of what waits for a decision in step; it is short and stays in memory."""
        pending = self._pending.setdefault(record.book, {})
        for claim_id, held in before.items():
            if not held[4] and claim_id not in now:
                pending.pop(claim_id.operation, None)
        if all([held[4] for held in now.values()]):
            for claim_id in now:
                pending.pop(claim_id.operation, None)
            return
        node = {seen.operation: seen.node for seen in record.seen}
        for claim in record.view.claims:
            if claim.state in (PENDING, STANDBY):
                operation = claim.id.operation
                pending[operation] = (claim.stamp, node.get(operation, b""), operation, record.id)
            elif claim.state in OCCUPYING:
                pending.pop(claim.id.operation, None)

    def flush(self) -> list[Record]:
        """Write every touched reservation. Returns them, in the order of being touched."""
        touched = list(self._dirty.values())
        if not touched:
            return []
        rows: list[tuple[Any, ...]] = []
        changes: list[tuple[Any, ...]] = []
        claims: list[tuple[Any, ...]] = []
        gone: list[tuple[Any, ...]] = []
        for record in touched:
            if record.stale:
                self._refold(record)
            self._row(record, rows, changes)
            self._claim_rows(record, gone, claims)
            self._put_exceptions(record)
        self._many(
            "DELETE FROM claims WHERE book = ? AND resource = ? AND start = ?"
            " AND operation = ? AND idx = ?",
            gone,
        )
        self._many(
            "INSERT OR REPLACE INTO reservations (id, book, code, date, starts_at, status,"
            " agent_id, form, approval, partner, digest, entries, waiting, view, seen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._many(
            "UPDATE reservations SET date = ?, status = ?, digest = ?, entries = ?, waiting = ?,"
            " view = ?, seen = ? WHERE id = ? AND book = ?",
            changes,
        )
        self._many(
            'INSERT OR REPLACE INTO claims (operation, idx, book, resource, start, "end", quantity,'
            " live, right_id, stamp, node, reservation)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            claims,
        )
        if self._awaited:
            self._c.executemany("INSERT OR IGNORE INTO awaited VALUES (?, ?, ?)", self._awaited)
            self._awaited.clear()
        self._write_digests()
        self._dirty.clear()
        self._dirty_places.clear()
        self._trim()
        return touched

    def _many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """One statement for each row; of most a small transaction has none."""
        if rows:
            self._c.executemany(sql, rows)

    def _row(
        self, record: Record, rows: list[tuple[Any, ...]], changes: list[tuple[Any, ...]]
    ) -> None:
        """Collect a reservation's row: whole, or (where nothing indexed changed, which spares the
        indexes) what is new in it."""
        view, stored = record.view, record.stored
        digest = view_digest(view)
        number = int.from_bytes(digest, "big")
        self._shift(record, number)
        stored.date, stored.digest = view.service_date, number
        stored.entries, stored.waiting = view.entries, view.waiting
        packed, seen = _view_encoder.encode(view), _view_encoder.encode(record.seen)
        indexed = _indexed(view)
        if stored.indexed == indexed:
            changes.append(
                (
                    view.service_date, view.status, digest, view.entries, view.waiting, packed,
                    seen, record.id, record.book,
                )
            )  # fmt: skip
            return
        stored.indexed = indexed
        rows.append(
            (
                record.id, record.book, view.code, view.service_date, view.starts_at, view.status,
                view.agent_id, *indexed[3:], digest, view.entries, view.waiting, packed, seen,
            )
        )  # fmt: skip

    def _claim_rows(
        self, record: Record, gone: list[tuple[Any, ...]], rows: list[tuple[Any, ...]]
    ) -> None:
        """Collect what differs between the claims on disk and the folded ones."""
        now, before = record.stored.claims, record.stored.written
        if now == before:
            return
        book = record.book
        for claim_id, old in before.items():
            new = now.get(claim_id)
            # A row of the same key is overwritten where it stands.
            if new is None or new[:2] != old[:2]:
                gone.append((book, old[0], old[1], claim_id.operation, claim_id.index))
        by_id = {claim.id: claim for claim in record.view.claims}
        node = {seen.operation: seen.node for seen in record.seen}
        for claim_id, held in now.items():
            if before.get(claim_id) == held:
                continue
            resource, start, end, quantity, live, right = held
            key = (book, resource)
            if end - start > self._reaches.get(key, 0):
                self._reaches[key] = end - start
                self._c.execute(
                    "INSERT OR REPLACE INTO reaches VALUES (?, ?, ?)", (*key, end - start)
                )
            rows.append(
                (
                    claim_id.operation, claim_id.index, book, resource, start, end, quantity,
                    live, right, by_id[claim_id].stamp, node.get(claim_id.operation, b""),
                    record.id,
                )
            )  # fmt: skip
        record.stored.written = now

    def _put_exceptions(self, record: Record) -> None:
        if record.view.exceptions == record.stored.exceptions:
            return
        self._c.execute(
            "DELETE FROM exceptions WHERE reservation = ? AND book = ?", (record.id, record.book)
        )
        self._c.executemany(
            "INSERT INTO exceptions (reservation, kind, book, since_ms) VALUES (?, ?, ?, ?)",
            [(record.id, kind, record.book, since) for kind, since in record.view.exceptions],
        )
        record.stored.exceptions = record.view.exceptions

    # --- digests --------------------------------------------------------------------------------

    def _shift(self, record: Record, digest: int) -> None:
        stored, view = record.stored, record.view
        if stored.entries:
            old = self._date(record.book, stored.date)
            self._moved_digests.add((record.book, stored.date))
            old.total = (old.total - stored.digest) % MODULUS
            old.reservations -= 1
            old.entries -= stored.entries
            old.waiting -= stored.waiting
        new = self._date(record.book, view.service_date)
        self._moved_digests.add((record.book, view.service_date))
        new.total = (new.total + digest) % MODULUS
        new.reservations += 1
        new.entries += view.entries
        new.waiting += view.waiting

    def _date(self, book: str, date: str) -> DateDigest:
        known = self._digests.get((book, date))
        if known is None:
            row = self._c.execute(
                "SELECT total, reservations, entries, waiting FROM digests"
                " WHERE book = ? AND date = ?",
                (book, date),
            ).fetchone()
            known = DateDigest()
            if row is not None:
                known = DateDigest(int.from_bytes(row[0], "big"), row[1], row[2], row[3])
            self._digests[book, date] = known
        return known

    def _write_digests(self) -> None:
        self._c.executemany(
            "INSERT OR REPLACE INTO digests (book, date, total, reservations, entries, waiting)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (*key, d.total.to_bytes(32, "big"), d.reservations, d.entries, d.waiting)
                for key in self._moved_digests
                if (d := self._digests[key])
            ],
        )
        for book, _ in self._moved_digests:
            self._totals.pop(book, None)
        self._moved_digests.clear()
        if len(self._digests) > DATES_IN_MEMORY:
            self._digests.clear()

    def date_digest(self, book: str, date: str) -> DateDigest:
        return self._date(book, date)

    def book_digest(self, book: str) -> DateDigest:
        """The whole book: the sum over its dates. Costs what there are dates, not reservations."""
        known = self._totals.get(book)
        if known is not None:
            return known
        whole = self._totals[book] = DateDigest()
        for row in self._c.execute(
            "SELECT total, reservations, entries, waiting FROM digests WHERE book = ?", (book,)
        ):
            whole.total = (whole.total + int.from_bytes(row[0], "big")) % MODULUS
            whole.reservations += row[1]
            whole.entries += row[2]
            whole.waiting += row[3]
        return whole

    def dates(self, book: str) -> list[tuple[str, int]]:
        return [
            (row[0], row[1])
            for row in self._c.execute(
                "SELECT date, reservations FROM digests WHERE book = ? AND reservations > 0"
                " ORDER BY date",
                (book,),
            )
        ]

    # --- capacity -------------------------------------------------------------------------------

    def occupancy(self, book: str) -> Occupancy:
        """What is held, with all that was seen so far: ask again after each change.

        A claim that was admitted a moment ago must stand in the way of the next one that is
        judged in the same transaction, hence nothing may be waiting to be folded.
        """
        self._refold_stale()
        return self._occupancy(book)

    def _refold_stale(self) -> None:
        for record in list(self._stale.values()):
            self._refold(record)

    def _occupancy(self, book: str) -> Occupancy:
        known = self._occupancies.get(book)
        if known is None:

            def load(resource: str, start: int, end: int) -> Iterable[Held]:
                return self._held(book, resource, start, end)

            def granted(resource: str) -> Iterable[tuple[int, int, int]]:
                return [
                    (held.start, held.end, held.right.quantity)
                    for held in self.rights_of(book).of_resource(resource)
                ]

            known = self._occupancies[book] = Occupancy(load, granted)
        return known

    def _held(self, book: str, resource: str, start: int, end: int) -> list[Held]:
        # What this transaction has folded and not yet written overrides all that the disk has of a
        # reservation: a claim that was known from its decision alone has another name by now.
        touched: set[bytes] = set()
        for day in days(start, end):
            touched |= self._dirty_places.get((book, resource, day), set())
        reach = self._reaches.get((book, resource), 0)
        rights = self.rights_of(book)
        found = [
            _held(ClaimId(row[0], row[1]), (resource, *row[2:7]), row[7], rights)
            for row in self._c.execute(
                'SELECT operation, idx, start, "end", quantity, live, right_id, reservation'
                " FROM claims"
                ' WHERE book = ? AND resource = ? AND start < ? AND start > ? AND "end" > ?',
                (book, resource, end, start - reach - 1, start),
            )
            if row[7] not in touched
        ]
        for reservation in touched:
            for claim_id, row in self._dirty[book, reservation].stored.claims.items():
                if row[0] == resource and row[1] < end and row[2] > start:
                    found.append(_held(claim_id, row, reservation, rights))
        return found

    def claims_of(self, book: str, resource: str, start: int, end: int) -> list[StoredClaim]:
        """Every claim of a resource that touches [start, end), as far as it is flushed."""
        reach = self._reaches.get((book, resource), 0)
        return [
            StoredClaim(ClaimId(row[0], row[1]), resource, *row[2:])
            for row in self._c.execute(
                'SELECT operation, idx, start, "end", quantity, live, right_id, reservation'
                " FROM claims WHERE book = ? AND resource = ? AND start < ? AND start > ?"
                ' AND "end" > ? ORDER BY start',
                (book, resource, end, start - reach - 1, start),
            )
        ]

    def standing(self, book: str, now_s: int) -> list[StoredClaim]:
        """Every granted claim that is not over, as far as it is flushed."""
        return [
            StoredClaim(ClaimId(row[0], row[1]), *row[2:])
            for row in self._c.execute(
                'SELECT operation, idx, resource, start, "end", quantity, live, right_id,'
                ' reservation FROM claims WHERE book = ? AND live > 0 AND "end" > ?',
                (book, now_s),
            )
        ]

    def undecided(self, book: str) -> list[tuple[int, bytes, bytes, bytes]]:
        """(stamp, author's incarnation, operation, reservation) of claims that wait, stamp
        order."""
        self._refold_stale()
        return sorted(self._pending.get(book, {}).values())

    def ending(self, book: str, statuses: tuple[str, ...], now_s: int) -> list[bytes]:
        """Reservations of these statuses that hold or ask for capacity still ahead, and those with
        a place beside the one that it is to replace."""
        marks = ", ".join("?" * len(statuses))
        return [
            row[0]
            for row in self._c.execute(
                "SELECT r.id FROM reservations r WHERE r.book = ? AND r.id IN"  # noqa: S608
                ' (SELECT reservation FROM claims WHERE book = ? AND "end" > ?)'
                f" AND r.status IN ({marks}) UNION SELECT reservation FROM claims"
                " WHERE book = ? AND live = 2 ORDER BY 1",
                (book, book, now_s, *statuses, book),
            )
        ]

    # --- reading --------------------------------------------------------------------------------

    def by_long_code(self, code: str) -> list[Key]:
        """The reservations of an eight-character code; shorter ones lead to their entry."""
        rows = self._c.execute(
            "SELECT book, id FROM reservations WHERE code = ? AND length(code) > 15"
            " ORDER BY book, id",
            (code,),
        )
        return [(row[0], row[1]) for row in rows]

    def select(
        self,
        *,
        book: str | None = None,
        among: Collection[str] | None = None,
        date: str | None = None,
        starts_from: int | None = None,
        starts_before: int | None = None,
        status: str | None = None,
        agent_id: str | None = None,
        form: str | None = "",
        waiting: bool = False,
        approval: str | None = None,
        after: tuple[int, bytes] | None = None,
        limit: int = 50,
    ) -> list[View]:
        """Views sorted by (starts_at, id), of the books `among` which they are to be, else of all;
        `after` is the last one's key of the page before; `limit` −1: all of them.

        Reservations; with a `form`, what is that now (`forms.form_now`) and, unless a status is
        named, stands; None: everything. `waiting`: only who stands, or may stand, on a waitlist.
        `approval`: only those with which it stands so (`approval.STATES`).
        """
        where: list[str] = ["entries > 0", "code <> ''"]
        values: list[Any] = []
        for clause, value in (
            ("book = ?", book), ("date = ?", date), ("starts_at >= ?", starts_from),
            ("starts_at < ?", starts_before), ("status = ?", status), ("agent_id = ?", agent_id),
        ):  # fmt: skip
            if value is not None:
                where.append(clause)
                values.append(value)
        if waiting:
            where.append("form <> 'block' AND status IN ('intent', 'commit_failed')")
        elif form is not None:
            where.append("form = ?")
            values.append(form)
            if form and status is None:
                where.append("status NOT IN ('cancelled', 'expired', 'completed')")
        if approval is not None:
            # Written out, so that the index of those that wait for the house's word is used.
            where.append("approval = 'pending'" if approval == PENDING_WORD else "approval = ?")
            values += [] if approval == PENDING_WORD else [approval]
        if among is not None:
            where.append(f"book IN ({', '.join('?' * len(among))})")
            values += among
        if after is not None:
            where.append("(starts_at, id) > (?, ?)")
            values += list(after)
        sql = (
            f"SELECT view FROM reservations WHERE {' AND '.join(where)}"  # noqa: S608
            " ORDER BY starts_at, id LIMIT ?"
        )
        return [_view_decoder.decode(row[0]) for row in self._c.execute(sql, (*values, limit))]

    def with_partner(self, book: str, partner: bytes) -> list[View]:
        """What was made under a partner's reference, as far as it is flushed."""
        rows = self._c.execute(
            "SELECT view FROM reservations WHERE book = ? AND partner = ? AND partner <> x''"
            " ORDER BY id",
            (book, partner),
        )
        return [_view_decoder.decode(row[0]) for row in rows]

    def partners_twice(self, book: str, statuses: Collection[str]) -> list[bytes]:
        """The digests of partners' references under which several reservations of these statuses
        were made."""
        rows = self._c.execute(
            "SELECT partner FROM reservations WHERE book = ? AND partner <> x''"  # noqa: S608
            f" AND status IN ({', '.join('?' * len(statuses))})"
            " GROUP BY partner HAVING count(*) > 1",
            (book, *statuses),
        )
        return [row[0] for row in rows]

    def agents(self, first: str, last: str, limit: int) -> list[str]:
        """Agent ids of reservations from `first` to `last` as texts are ordered, each once."""
        rows = self._c.execute(
            "SELECT DISTINCT agent_id FROM reservations WHERE agent_id BETWEEN ? AND ?"
            " AND entries > 0 AND code <> '' AND form <> 'block' ORDER BY agent_id LIMIT ?",
            (first, last, limit),
        )
        return [row[0] for row in rows]

    def count(self, book: str) -> int:
        row = self._c.execute(
            "SELECT coalesce(sum(reservations), 0) FROM digests WHERE book = ?", (book,)
        ).fetchone()
        return int(row[0])

    def count_forms(self, book: str) -> dict[str, tuple[int, int]]:
        """How many are now no reservation, by what they are (`forms.form_now`): all that ever were,
        and those that stand."""
        rows = self._c.execute(
            "SELECT form, count(*), sum(status NOT IN ('cancelled', 'expired', 'completed'))"
            " FROM reservations WHERE book = ? AND form <> '' AND entries > 0 GROUP BY form",
            (book,),
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def held(self, book: str) -> list[View]:
        """What nobody has reserved yet: holds, offers, and who waits, as far as it is flushed."""
        return [
            _view_decoder.decode(row[0])
            for row in self._c.execute(
                "SELECT view FROM reservations WHERE book = ? AND status = 'intent'"
                " AND code <> '' ORDER BY id",
                (book,),
            )
        ]

    def longest_seconds(self, book: str) -> int:
        """The longest that anything in a book ever took."""
        return max((most for (of, _), most in self._reaches.items() if of == book), default=0)

    def checked_in(self, book: str, starts_from: int) -> list[View]:
        """The reservations whose guests are here, of those that start at or after an instant."""
        return [
            _view_decoder.decode(row[0])
            for row in self._c.execute(
                "SELECT view FROM reservations WHERE book = ? AND status = 'checked_in'"
                " AND starts_at >= ?",
                (book, starts_from),
            )
        ]

    def exceptions(self, book: str | None = None) -> list[tuple[str, bytes, str, int]]:
        """(book, reservation, kind, since) of what a person must look at, the oldest first."""
        clause, values = ("WHERE book = ?", (book,)) if book else ("", ())
        return [
            (row[0], row[1], row[2], row[3])
            for row in self._c.execute(
                f"SELECT book, reservation, kind, since_ms FROM exceptions {clause}"  # noqa: S608
                " ORDER BY since_ms, reservation, book, kind",
                values,
            )
        ]


_RECORD_COLUMNS: Final = "id, date, digest, entries, waiting, view, seen"


def _record(book: str, row: tuple[Any, ...]) -> Record:
    """A record from its row's _RECORD_COLUMNS."""
    view = _view_decoder.decode(row[5])
    held = _held_rows(view)
    stored = Stored(
        row[1], int.from_bytes(row[2], "big"), row[3], row[4], held, held, view.exceptions,
        _indexed(view),
    )  # fmt: skip
    return Record(row[0], book, _seen_decoder.decode(row[6]), view, stored)


def _indexed(view: View) -> Indexed:
    return (view.code, view.starts_at, view.agent_id, form_now(view), view.approval, view.partner)


def _pieces(ids: list[bytes]) -> Iterable[list[bytes]]:
    return (ids[at : at + _IDS_PER_QUERY] for at in range(0, len(ids), _IDS_PER_QUERY))


def _marks(ids: list[bytes]) -> str:
    return ",".join("?" * len(ids))


def _written_by(record: Record, node: bytes) -> list[Seen]:
    return [seen for seen in record.seen if seen.node == node]


def _place(seen: Seen) -> tuple[bool, int, bytes]:
    """Where an entry stands in its writer's chain; the id parts those of two branches. What does
    not count comes after all that does: a second branch takes nobody's room."""
    return not seen.counts, seen.n, seen.operation


def _held_rows(view: View) -> dict[ClaimId, Row]:
    return {
        claim.id: (
            claim.resource, claim.start, claim.end, claim.quantity,
            0 if claim.state not in OCCUPYING else 1 if claim.state == LIVE else 2, claim.right,
        )
        for claim in view.claims
        if claim.state in OCCUPYING or claim.state in (PENDING, STANDBY)
    }  # fmt: skip


def _held(claim: ClaimId, row: Row, reservation: bytes, rights: Rights) -> Held:
    """A stored claim as the occupancy counts it, by the rights as they are held now."""
    _, start, end, quantity, live, right = row
    if live and rights:
        held = rights.account(claim, right, end)
        if held is not None:
            return Held(claim, start, end, quantity, True, reservation, held.right.id, held.start)
    return Held(claim, start, end, quantity, bool(live), reservation)
