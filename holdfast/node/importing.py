"""Another system's reservations, brought in: each record once, however often and wherever.

Owns the way from an import's record to one entry on this replica's chain. How a row is read stands
in `holdfast.model.mapping`; what is free, in the same occupancy that every other reservation is
checked against. What happened before needs no opening hours, no notice and no limit of a party:
it happened. It does need a place, as every reservation does.

A reservation's id is derived from its record's key, so that a second import of the same record, on
this device, on another of the venue or on the hub, finds the first. What a calendar has changed
since is told and not done; what it has called off is called off here too, where that is possible.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.model import calendar, ids, lifecycle, vocabulary
from holdfast.model.entries import Claim, Malformed
from holdfast.model.errors import BadTransition, Invalid, RoleForbidden, RuleViolated
from holdfast.model.events import ReservationCreated, SealedCard
from holdfast.model.limits import IMPORT_BATCH_RECORDS, METADATA_NUMBER_MAX, PARTY_MAX
from holdfast.model.mapping import ImportRecord, PlacedRecord, RowProblem, place
from holdfast.model.mapping_file import STATUSES
from holdfast.model.offers import Choice, candidates
from holdfast.model.pseudonyms import agent_id as pseudonym
from holdfast.model.reservation import View
from holdfast.node import marking, offering, reserving, selling

if TYPE_CHECKING:
    from holdfast.node.service import Service

_KEY: Final = re.compile(r"[0-9a-f]{64}")


class ImportReport(msgspec.Struct, frozen=True):
    """What became of records: how many were made, how many were there before, and of the others
    why each is not. A record that is refused may go in when the reason is gone: import again.

    Rules of `refused`: `full`, `party`, `quantity`, `guest`, `no_venue_key`, `record`; those of
    `left_out` are the mapping's (`RowProblem`), some of which were imported all the same.
    `cancelled` are reservations that were here, and that a calendar called off.
    """

    imported: int
    present: int
    left_out: tuple[RowProblem, ...] = ()
    refused: tuple[RowProblem, ...] = ()
    cancelled: int = 0


_SEQUENCE: Final = "import.sequence"
"""How often the event had been changed there when it came, as `metadata` keeps it."""


class _Refusal(Exception):
    """A record that cannot become a reservation now; becomes a `RowProblem`."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class Importer:
    """One import into one venue's book. Raises NotFound for a venue that is not here."""

    def __init__(self, replica: Service, venue_id: str) -> None:
        self._r = replica
        self._index = replica.venue(venue_id)
        self._venue = self._index.venue
        self._book = replica.book_of(venue_id)
        self._now_s = replica.clock.now_ms() // 1000
        self._buffer = self._venue.buffer_minutes * 60
        self._imported = 0
        self._present = 0
        self._cancelled = 0
        self._left_out: list[RowProblem] = []
        self._refused: list[RowProblem] = []

    def run(self, records: Iterable[ImportRecord]) -> ImportReport:
        """Bring records in, many in one transaction: what is durable when the process dies is a
        number of whole batches, and the same import again goes on behind them.

        Raises what writing raises (StorageFull, or RuleViolated on a hub that recovers).
        """
        remaining = iter(records)
        while batch := list(itertools.islice(remaining, IMPORT_BATCH_RECORDS)):
            with self._r.transaction():
                for record in batch:
                    self._take(record)
        return ImportReport(
            self._imported,
            self._present,
            tuple(self._left_out),
            tuple(self._refused),
            self._cancelled,
        )

    def _take(self, record: ImportRecord) -> None:
        try:
            _check(record)
            reservation = ids.import_id(self._book, record.key)
            found = self._r.record(reservation, self._book)
            if found is not None:
                self._meet(found.view, record)
                return
            placed = place(self._venue, record, self._now_s)
            if isinstance(placed, RowProblem):
                self._left_out.append(placed)
                return
            if record.sequence is not None and placed.status == "cancelled":
                message = "was called off there before it ever came here"
                self._left_out.append(RowProblem(record.line, "cancelled", message))
                return
            self._write(reservation, placed)
            self._imported += 1
        except _Refusal as refusal:
            self._refused.append(RowProblem(record.line, refusal.rule, refusal.message))

    def _meet(self, view: View, record: ImportRecord) -> None:
        """What is to be done about a record that is here: nothing, unless a calendar calls off."""
        if record.sequence is None:
            self._present += 1
            return
        if record.sequence < view.metadata.get(_SEQUENCE, 0):
            # An older file than the one that it came from says nothing about what is true now.
            self._present += 1
            self._tell(record, "older", f"{view.code} came from a newer version of this event; "
                       "take a newer file")  # fmt: skip
            return
        if view.status == lifecycle.CANCELLED:
            self._present += 1
            if record.status != "cancelled" and record.sequence > view.metadata.get(_SEQUENCE, 0):
                self._tell(record, "on_again", f"{view.code} is cancelled here, and stands there: "
                           "make it anew here where the guest is to come")  # fmt: skip
            return
        if record.status == "cancelled":
            self._call_off(view, record)
            return
        self._present += 1
        placed = place(self._venue, record, self._now_s)
        if isinstance(placed, PlacedRecord):
            said = _said(placed)
            if any(view.metadata.get(name) not in (None, value) for name, value in said.items()):
                self._tell(record, "changed", f"{view.code} was changed there after it came here; "
                           "compare both, and move the one here where that is right")  # fmt: skip

    def _call_off(self, view: View, record: ImportRecord) -> None:
        try:
            # The other system has said it to the guest; no rule of the venue undoes that.
            marking.cancel(self._r, ids.uuid_text(view.id), "imported", "system", late=True)
        except BadTransition:
            self._present += 1
            self._tell(record, "cancelled_there", f"{view.code} is called off there, and here it "
                       f"is {lifecycle.called(view.status)}: a person decides")  # fmt: skip
        except RoleForbidden as problem:
            raise _Refusal("role", str(problem)) from problem
        else:
            self._cancelled += 1

    def _tell(self, record: ImportRecord, rule: str, message: str) -> None:
        self._left_out.append(RowProblem(record.line, rule, message, left_out=False))

    # --- one record -----------------------------------------------------------------------------

    def _write(self, reservation: bytes, placed: PlacedRecord) -> None:
        record = placed.record
        claims = self._claims(placed)
        agent = self._agent(record)
        event = ReservationCreated(
            agent_id=agent,
            party_size=record.party_size,
            code=reserving.next_code(self._r, self._index, self._book, placed.made_at),
            service_date=calendar.service_date(self._venue, placed.starts_at).isoformat(),
            kind=record.kind,
            source=record.source,
            may_move=not record.resource,
            nights=placed.nights or 0,
            card=self._card(agent, record),
            metadata=_dated(record, placed),
            outcome=placed.status,
            made_at_ms=placed.made_at * 1000,
            # Where there are claims they say when; an entry does not say it twice.
            starts_at=0 if claims else placed.starts_at,
            ends_at=0 if claims else placed.ends_at,
        )
        try:
            self._r.append(self._book, event, subject=reservation, claims=claims)
        except Malformed as problem:
            raise _Refusal("record", f"cannot be kept: {problem}") from problem
        except RoleForbidden as problem:
            raise _Refusal("role", str(problem)) from problem
        # Folded at once: the next record of this transaction sees the place taken.
        self._r.record(reservation, self._book)

    def _claims(self, placed: PlacedRecord) -> tuple[Claim, ...]:
        """What the record occupied: nothing where it was cancelled, or where the guest has left
        before the time that was booked."""
        if placed.status == "cancelled":
            return ()
        if placed.status == "completed" and placed.ends_at > self._now_s:
            return ()
        end = placed.ends_at + self._buffer
        choice = self._choice(placed, end)
        wanted = tuple(
            Claim(resource, placed.starts_at, end, quantity, self._buffer)
            for resource, quantity in zip(choice.resources, choice.quantities, strict=True)
        )
        terms = selling.terms(self._r, self._index, wanted)
        rights = terms.rights or (b"",) * len(wanted)
        return tuple(
            msgspec.structs.replace(claim, right=right, asks=terms.asks)
            for claim, right in zip(wanted, rights, strict=True)
        )

    def _choice(self, placed: PlacedRecord, end: int) -> Choice:
        record = placed.record
        if record.resource:
            choices: Iterable[Choice] = (self._named(record),)
        else:
            choices = self._suitable(record)
        choice = offering.first_free(self._r, self._index, choices, placed.starts_at, end)
        if choice is None:
            what = record.resource or f"no place for {record.party_size}"
            first, last = (
                calendar.format_time(self._venue, at)[:16].replace("T", " ")
                for at in (placed.starts_at, placed.ends_at)
            )
            state = "full" if record.resource else "free"
            raise _Refusal("full", f"{what} is {state} from {first} to {last}")
        return choice

    def _named(self, record: ImportRecord) -> Choice:
        """The resource that the record names, whatever seats it has: they sat there."""
        resource = self._index.resource_by_id[record.resource]
        quantity = record.party_size if resource.counts_people else record.quantity
        if quantity > 1 and not resource.pool:
            raise _Refusal("quantity", f"{resource.id} is one; a pool has a quantity")
        return Choice((resource.id,), (quantity,))

    def _suitable(self, record: ImportRecord) -> Iterable[Choice]:
        try:
            choices = list(
                candidates(self._index, record.party_size, record.quantity, below_minimum=True)
            )
        except Invalid as invalid:
            raise _Refusal("quantity", invalid.detail) from invalid
        if not choices:
            kind = self._index.default_kind
            raise _Refusal("party", f"no {kind} of {self._venue.id} takes {record.party_size}")
        return choices

    def _agent(self, record: ImportRecord) -> str:
        """Who it is: the tenant's pseudonym of the person, else of the record itself, so that
        another device that imports it writes the same."""
        key = self._r.identity.pseudonym_key
        return pseudonym(key, record.user_id or f"\x00import\x00{self._book}\x00{record.key}")

    def _card(self, agent: str, record: ImportRecord) -> SealedCard | None:
        if not record.guest:
            return None
        try:
            return self._r.cards.seal(self._venue.id, agent, dict(record.guest))
        except Invalid as invalid:
            raise _Refusal("guest", invalid.detail) from invalid
        except RuleViolated as violated:
            raise _Refusal("no_venue_key", violated.detail) from violated


def import_records(
    replica: Service, venue_id: str, records: Iterable[ImportRecord]
) -> ImportReport:
    """Bring records in; the same ones again change nothing. Raises NotFound."""
    return Importer(replica, venue_id).run(records)


def _check(record: ImportRecord) -> None:
    """What a mapping's reader guarantees and a record from elsewhere may lack."""
    sequence = record.sequence or 0
    problems = [
        f"{name} {said}"
        for name, fine, said in (
            ("key", _KEY.fullmatch(record.key), "is not 64 hexadecimal digits"),
            ("party_size", 1 <= record.party_size <= PARTY_MAX, f"is not 1 to {PARTY_MAX}"),
            ("quantity", 1 <= record.quantity <= PARTY_MAX, f"is not 1 to {PARTY_MAX}"),
            ("sequence", 0 <= sequence <= METADATA_NUMBER_MAX, "is no count"),
            ("status", record.status in STATUSES, "is none that an import knows"),
            ("source", record.source in vocabulary.SOURCES, "is no known source"),
            ("kind", record.kind in vocabulary.RESERVATION_KINDS, "is no kind of reservation"),
        )
        if not fine
    ]
    if problems:
        raise _Refusal("record", "; ".join(problems))


def _dated(record: ImportRecord, placed: PlacedRecord) -> dict[str, Any]:
    """When it ended as it did, where the other system says so, and what a calendar said of it then:
    there is no other field for either."""
    dated: dict[str, Any] = {}
    if record.status_at and placed.status != "confirmed":
        dated["import.status_at"] = record.status_at[:10]
    return dated | _said(placed)


def _said(placed: PlacedRecord) -> dict[str, Any]:
    """What a calendar says of a reservation, to see later whether it says something else: how often
    it was changed there, and a digest of what stands in clear in the reservation itself. Systems
    change events without counting."""
    record = placed.record
    if record.sequence is None:
        return {}
    text = json.dumps([placed.starts_at, placed.ends_at, record.party_size, record.resource])
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return {_SEQUENCE: record.sequence, "import.digest": digest}
