"""What Node and Hub share beside the replica itself: venue, commands, cards, queue, exceptions.

Owns the composition of those services. What differs (who sells, who decides, who dials) stands in
`node` and `hub`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast.model.administration import serial_bytes
from holdfast.model.errors import NotFound, RuleViolated
from holdfast.model.events import OperationWithdrawn
from holdfast.model.forms import HOLD, WAITLIST
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import BLOCK, View, followed
from holdfast.model.vocabulary import WITHDRAW_REASONS, resolve_reasons
from holdfast.node import contradicting, installed_rules
from holdfast.node.acting import NOBODY, acting
from holdfast.node.forgetting import Device, Forgetting
from holdfast.node.guests import Guests
from holdfast.node.holding import Holding
from holdfast.node.identity import Identity
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.next_in_line import NextInLine
from holdfast.node.reasons import reason_code
from holdfast.node.recording import refused_as_invalid
from holdfast.node.refusals import Refusals
from holdfast.node.replica import Change, Merged, Replica
from holdfast.node.reservations import Reservations
from holdfast.node.service_notes import Opened
from holdfast.node.settings import Settings
from holdfast.node.timekeeping import Timekeeper
from holdfast.store import queue as queue_states
from holdfast.store.records import CertificateRow
from holdfast.store.store import Store


class Service(Replica):
    """A replica with its services. What it may sell, `rights` says: see `selling`."""

    role: str = "node"

    def __init__(
        self,
        directory: Path,
        store: Store,
        identity: LocalIdentity,
        clock: Timekeeper,
        settings: Settings,
    ) -> None:
        self.directory = directory
        self.settings = settings
        # First: opening may end in a rollback, which this one must hear of.
        self.holding = Holding(self)
        self.next_in_line = NextInLine(self)
        self.forgetting = Forgetting(self)
        self.rules = installed_rules.installed().book
        self.refusals = Refusals(self)
        self.notes_opened = Opened()
        super().__init__(store, identity, clock)
        self.reservations = Reservations(self)
        self.cards = Guests(self)

    @property
    def name(self) -> str:
        return self.identity.name

    # --- venues -----------------------------------------------------------------------------------

    def venue_ids(self) -> list[str]:
        # Another thread may be taking a book in, or reading all of them anew after a rollback.
        with self.lock:
            return sorted(
                name.partition("/")[2]
                for name, book in self.books.items()
                if book.administration.venue is not None
            )

    def venue(self, venue_id: str) -> VenueIndex:
        """The venue as configured now. Raises NotFound."""
        with self.lock:
            book = self.books.get(self.book_of(venue_id))
            if book is None or book.administration.venue is None:
                known = ", ".join(self.venue_ids()) or "none yet"
                raise NotFound(f"no venue {venue_id!r} here; known: {known}")
            return book.administration.venue

    def name_of(self, name: str, incarnation: bytes) -> str:
        """What people call the writer of a chain; its number in hexadecimal where it is not known
        here."""
        author = self.book(name).authors.get(incarnation)
        return author.info.name if author is not None else incarnation.hex()

    # --- the queue --------------------------------------------------------------------------------

    def withdraw(self, operation: bytes, reason: str) -> None:
        """The writer's way out for an operation that has no good end (§4.7, CONTRACT `queue`).

        A reservation whose making is withdrawn is cancelled; of any other operation the record says
        that it was withdrawn. Raises Invalid for no reason of the list, NotFound, RuleViolated.
        """
        code = reason_code(reason, WITHDRAW_REASONS)
        with self.transaction():
            row = self.store.queue.get(operation)
            if row is None:
                raise NotFound(f"no operation {operation.hex()} in this queue")
            if row.state in (queue_states.MERGED, queue_states.WITHDRAWN):
                raise RuleViolated(
                    f"operation {operation.hex()} is {row.state}; there is nothing to withdraw, "
                    "change the reservation instead",
                    [{"rule": "finished", "message": f"The operation is {row.state}."}],
                )
            if not row.subject:
                raise RuleViolated(
                    f"operation {operation.hex()} ({row.kind}) is about no reservation, and is not "
                    "withdrawn; take back what it says, where that is possible",
                    [{"rule": "no-reservation", "message": "It is about no reservation."}],
                )
            chain = self.store.journal.chain_by_id(row.chain)
            view = self.view(row.subject, chain.book)
            with refused_as_invalid():
                self.append(
                    chain.book,
                    OperationWithdrawn(operation, code),
                    subject=row.subject,
                    follows=followed(view) if view else (),
                )
            self.store.queue.mark_withdrawn(operation, code, self.clock.now_ms())

    def retry(self, operation: bytes | None = None) -> int:
        """Make waiting operations due now. Returns how many; raises NotFound for an unknown one."""
        with self.transaction():
            if operation is not None and self.store.queue.get(operation) is None:
                raise NotFound(f"no operation {operation.hex()} in this queue")
            return self.store.queue.retry(operation)

    # --- exceptions -------------------------------------------------------------------------------

    def resolve_exception(
        self,
        reservation: bytes,
        kind: str,
        action: str,
        reason: str,
        resources: Sequence[str] = (),
        starts_at: str | None = None,
        book: str = "",
    ) -> View:
        """Record what a person decided about an exception, and do it: see
        `contradicting.resolve`. `book` is needed only where an id is in use in several."""
        code = reason_code(reason, resolve_reasons(action))
        return contradicting.resolve(
            self, book, reservation, kind, action, code, resources, starts_at
        )

    # --- what an exchange needs of its replica ----------------------------------------------------

    @property
    def exchange_state(self) -> str:
        """What an answer says of this replica: `serving`, or `recovering` at a restored hub."""
        return "serving"

    def after_merge(
        self, name: str, sender: bytes, more: bool, complete: bool, merged: Merged
    ) -> None:
        """What follows a merge: the sender's backlog is noted, then decided and ended what is this
        replica's to decide and to end. `complete`: the sender holds nothing that is lacking here.
        """
        if more:
            self.holding.backlog(name, sender, merged.reservations)
            return
        self.holding.backlog_over(name, sender)
        if complete and sender in self.book(name).administration.hubs:
            self.holding.all_told(name)
        self.holding.settle(name, self.holding.touched(name, sender, merged.reservations))

    def before_commit(self) -> None:
        self.forgetting.destroy_covered()
        super().before_commit()

    def transaction_over(self) -> None:
        self.refusals.write()
        super().transaction_over()

    def may_confirm(self, name: str) -> bool:
        """Whether this replica may write in a book what it did; a hub may not while it recovers."""
        return self.identity.incarnation not in self.book(name).administration.closes

    def devices_joined(self, name: str) -> list[Device]:
        """Devices of a book that are known by more than what they wrote: the hub's register."""
        return []

    @property
    def account(self) -> bytes:
        """Whose rights are this replica's own: an incarnation, or HUB for the hub's remainder."""
        return self.identity.incarnation

    def may_decide(self, name: str) -> bool:
        """Whether this replica sells, decides and ends in a book."""
        administration = self.book(name).administration
        return bool(administration.rights) and self.account not in administration.closes

    def told(self, changes: Sequence[Change]) -> None:
        # What a change brings about is nobody's act, whoever brought the change about.
        with acting(NOBODY):
            self.next_in_line.look_after(changes)

    def rolled_back(self) -> None:
        self.holding.forget()

    def settle(self, name: str, touched: list[bytes] | None = None) -> int:
        """Decide what waits and end what was requested: see `Holding.settle`."""
        return self.holding.settle(name, touched)

    def saw_node(self, incarnation: bytes, book: str, node: Identity, detail: bytes) -> None:
        """Remember when a node was heard, and by which certificate: a hub that lost its register
        must be able to shut it out. Only a life whose chain is here is one: names of lives can be
        made up."""
        now_ms = self.clock.now_ms()
        with self.transaction():
            records = self.store.records
            if incarnation in self.book(book).authors:
                records.saw_node(incarnation, book, node.name, node.role, now_ms, detail)
            records.put_certificate(
                CertificateRow(serial_bytes(node.serial), book, node.name, node.role, now_ms)
            )

    def _counts(self, name: str) -> dict[str, Any]:
        """How much of a venue's book is here, by what it is now."""
        projections = self.store.projections
        forms = projections.count_forms(name)
        others = sum(count for count, _ in forms.values())
        standing = {form: count for form, (_, count) in forms.items()}
        return {
            "venue": name.partition("/")[2],
            "reservations": projections.count(name) - others,
            "holds": standing.get(HOLD, 0),
            "waiting": standing.get(WAITLIST, 0),
            "blocks": standing.get(BLOCK, 0),
            "chains": len(self.store.journal.chains(name)),
        }

    def status(self) -> dict[str, Any]:
        """One screen: who this is, its books, its queue, its clock, its disk."""
        with self.lock:
            books = [self._counts(name) for name in sorted(self.books)]
            counts = self.store.queue.counts() if self.keeps_queue else {}
        size = sum(
            path.stat().st_size for path in self.directory.glob("holdfast.db*") if path.is_file()
        )
        return {
            "role": self.role,
            "name": self.name,
            "tenant": self.identity.tenant,
            "venue": self.identity.venue,
            "node_role": self.identity.role,
            "incarnation": self.identity.incarnation.hex(),
            "number": self.identity.number,
            "directory": str(self.directory),
            "books": books,
            "queue": counts,
            "clock": self.clock.status(),
            "disk": {"database_bytes": size},
        }
