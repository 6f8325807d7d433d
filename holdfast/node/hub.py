"""The hub: a replica that holds every right of this version, decides, and admits nodes.

Owns decisions (written on its own chain), ends, closes, recovery after a restore, venues, join
codes and the fleet. The rules it applies stand in `holdfast.model`.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model import deciding, lifecycle
from holdfast.model.administration import serial_bytes
from holdfast.model.entries import ClaimId
from holdfast.model.errors import (
    Conflict,
    DirectoryError,
    Invalid,
    NotFound,
    RuleViolated,
    TooLarge,
)
from holdfast.model.events import (
    ChainCertified,
    ChainClosed,
    ClaimDecided,
    ClaimEnded,
    CodesGranted,
    Event,
    NodeRevoked,
    VenueConfigured,
    VenueKeyAccepted,
)
from holdfast.model.limits import (
    BACKLOG_PATIENCE_SECONDS,
    CLAIMS_PER_ENTRY_MAX,
    DECISIONS_PER_TRANSACTION,
    HEADS_PER_DECISION_MAX,
    TOUCHED_EARLY_MAX,
    VENUE_BYTES_MAX,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import PENDING, STANDBY, View, claims_to_end
from holdfast.model.venue import Venue, parse_venue, to_document
from holdfast.model.vocabulary import REVOKE_REASONS
from holdfast.node import directories, join_codes, lives, settings
from holdfast.node import identity as certificates
from holdfast.node.keys import read_signing_key, write_signing_key
from holdfast.node.local_identity import LocalIdentity, new_life
from holdfast.node.reasons import reason_code
from holdfast.node.replica import Merged, Written
from holdfast.node.service import Service
from holdfast.node.timekeeping import Timekeeper
from holdfast.store.projections import Record
from holdfast.store.records import CertificateRow
from holdfast.store.store import Store

ROOT_KEY: Final = "root.pem"
REBUILT_KEY: Final = "rebuilt"
ROLES: Final = ("front-desk", "kiosk", "venue-server", "channel")
PREFIXES: Final = 1024


class Invite(NamedTuple):
    code: str
    expires_at_ms: int


class Hub(Service):
    """Opened with `Hub.open(directory)`, made with `Hub.init(directory, tenant)`."""

    role = "hub"
    sells = True
    keeps_queue = False

    # --- life -----------------------------------------------------------------------------------

    @classmethod
    def init(cls, directory: Path, tenant: str, root: bytes | None = None, **overrides: Any) -> Hub:
        """Make a hub in a new directory: root key (or the given one), keys, database, token.

        After a kill at any moment there is a whole hub or none. Raises Invalid, DirectoryError.
        """
        if not _is_name(tenant):
            raise Invalid.field("tenant", "must be 1-64 of a-z, 0-9 and -")
        now_ms = Timekeeper().now_ms()
        root_key = certificates.load_root_key(root) if root else Ed25519PrivateKey.generate()
        root_certificate = certificates.make_root(tenant, root_key, now_ms)
        key = Ed25519PrivateKey.generate()
        incarnation, nonce = new_life(key)
        leaf = certificates.issue(
            root_key, root_certificate, tenant, "*", "hub", "hub", key.public_key(), now_ms
        )
        identity = LocalIdentity(
            tenant, "*", "hub", "hub", incarnation, 1, key, [leaf], root_certificate,
            X25519PrivateKey.generate(), certificates.derive_pseudonym_key(root_key), [], [],
            nonce,
        )  # fmt: skip
        with directories.making(directory, **overrides) as store:
            identity.save_keys(store.directory)
            write_signing_key(store.directory / "keys" / ROOT_KEY, root_key)
            with store.atomic():
                identity.save(store.records)
                store.records.put("role", b"hub")
                if root is not None:
                    # The tenant had a hub before, and its devices know what that one sold.
                    store.records.put(REBUILT_KEY, b"1")
        return cls.open(directory, **overrides)

    @classmethod
    def open(cls, directory: Path, **overrides: Any) -> Hub:
        """Open an existing hub. Raises DirectoryError and its children."""
        chosen = settings.load(directory, **overrides)
        directories.require(directory)
        store = Store(directory, synchronous=chosen.synchronous)
        try:
            identity, reasons = lives.identity_at_start(directory, store)
            hub = cls(directory, store, identity, Timekeeper(), chosen)
            hub.other_life = reasons
            hub.keep_witness()
            for name in list(hub.books):
                hub.await_backlogs(name)
                hub.settle(name)
        except BaseException:
            store.close()
            raise
        return hub

    def __init__(self, *arguments: Any) -> None:
        self.other_life: list[str] = []
        self._backlogs: dict[tuple[str, bytes], float] = {}
        self._met: dict[str, set[str]] = {}
        self._greeted: set[tuple[str, bytes, int]] = set()
        self._relied: dict[str, dict[int, bytes]] = {}
        self._touched_early: dict[tuple[str, bytes], dict[bytes, None]] = {}
        super().__init__(*arguments)

    def keep_witness(self) -> None:
        with self.lock:
            lives.keep_witness(self.directory, self.store, self.identity.incarnation)

    def close(self) -> None:
        self.keep_witness()
        super().close()

    def export_root(self, path: Path) -> None:
        """Copy the root key out, to be kept offline. Raises DirectoryError if the file exists."""
        export_root(self.directory, path)

    def _root_key(self) -> Ed25519PrivateKey:
        path = self.directory / "keys" / ROOT_KEY
        if not path.exists():
            raise DirectoryError(
                f"the hub cannot admit anybody without its root key: put {path} back there while "
                "devices join, and take it away again after; the code stays good until it expires"
            )
        return read_signing_key(path)

    # --- venues ---------------------------------------------------------------------------------

    def import_venue(self, document: dict[str, Any]) -> Venue:
        """Create or update a venue from its file. Raises Invalid, TooLarge, RuleViolated."""
        venue = parse_venue(document)
        data = msgspec.json.encode(to_document(venue))
        if len(data) > VENUE_BYTES_MAX:
            raise TooLarge(
                f"a venue file has at most {VENUE_BYTES_MAX} bytes, this one {len(data)}"
            )
        name = self.book_of(venue.id)
        with self.transaction():
            present = self.book(name).administration.venue
            if present is not None and present.venue == venue:
                return venue
            self.append(name, VenueConfigured(data))
            self._grant_codes(name, self.identity.incarnation)
        return venue

    def venues(self) -> list[VenueIndex]:
        return [self.venue(venue_id) for venue_id in self.venue_ids()]

    # --- codes ----------------------------------------------------------------------------------

    def _grant_codes(self, name: str, incarnation: bytes) -> None:
        """Give an incarnation a prefix of its own in this book, if it has none."""
        if incarnation in self.book(name).administration.prefixes:
            return
        taken = {
            prefix
            for book in self.books.values()
            for prefixes in book.administration.prefixes.values()
            for prefix in prefixes
        }
        free = [prefix for prefix in range(PREFIXES) if prefix not in taken]
        if free:
            # At random: a hub that was wiped may not know yet what the one before it granted.
            self.append(name, CodesGranted(incarnation, (secrets.choice(free),)))

    # --- admission ------------------------------------------------------------------------------

    def invite(self, venue: str, role: str, name: str, expires_s: int = 3600) -> Invite:
        """A one-time join code. Raises NotFound, Invalid."""
        self.venue(venue)
        if role not in ROLES:
            raise Invalid.field("role", f"must be one of {', '.join(ROLES)}")
        if not _is_name(name) or name == "hub":
            raise Invalid.field("name", "must be 1-64 of a-z, 0-9 and -, and not hub")
        expires = self.clock.now_ms() + expires_s * 1000
        code = join_codes.make(os.urandom(32), self.identity.key.public_key())
        offer = join_codes.offer(code, venue, role, name, expires)
        with self.transaction():
            self.store.records.put_offer(offer.id, join_codes.encode_offer(offer))
        return Invite(code.text, expires)

    def admit(
        self, offer_id: str, proof: bytes, transcript: bytes, request: Any
    ) -> tuple[join_codes.JoinOffer, bytes]:
        """Check a join request against its offer and issue the node's certificate.

        Returns the offer and the certificate (DER). A wrong proof uses up a try, durably; what
        fails at the hub uses up nothing. Raises Unauthorised, DirectoryError.
        """
        with self.lock:
            data = self.store.records.offer(offer_id)
            offer, failure = join_codes.attempt(data, proof, transcript, self.clock.now_ms())
            if failure is not None:
                if offer is not None:
                    with self.transaction():
                        self.store.records.put_offer(offer_id, join_codes.encode_offer(offer))
                raise failure
            assert offer is not None
            leaf = certificates.issue(
                self._root_key(), self.identity.root, self.identity.tenant, offer.venue, offer.role,
                offer.name, request.public_key, self.clock.now_ms(),
            )  # fmt: skip
            book = self.book_of(offer.venue)
            # With the last that can fail, and in its transaction: what fails leaves the code good.
            with self.transaction():
                self.store.records.put_certificate(
                    CertificateRow(
                        serial_bytes(certificates.serial_of(leaf)), book, offer.name, offer.role,
                        self.clock.now_ms(),
                    )
                )  # fmt: skip
                if self.may_write(book):
                    self._grant_codes(book, request.incarnation)
                self.store.records.drop_offer(offer_id)
            return offer, leaf

    def revoke(self, node: str, reason: str) -> None:
        """Shut a node out: its exchanges are refused from now on, also where it was never heard.

        `node` is its name, or VENUE/NAME where several venues have one of that name; `reason` one
        of REVOKE_REASONS. The name may be invited again: what is shut out are the certificates
        that were issued so far. Raises NotFound, Invalid, Conflict.
        """
        code = reason_code(reason, REVOKE_REASONS)
        venue, _, name = node.rpartition("/")
        with self.transaction():
            admitted = {
                book: serials
                for book in sorted(self.books)
                if venue in ("", book.partition("/")[2])
                and (serials := self._serials_of(book, name))
            }
            if not admitted:
                raise NotFound(f"no node {node!r} that is not shut out is known to this hub")
            if len(admitted) > 1:
                options = " or ".join(f"{book.partition('/')[2]}/{name}" for book in admitted)
                raise Conflict(f"several venues have a device {name}; say {options}")
            for book in admitted:
                self._revoke_in(book, name, code)

    def _serials_of(self, book: str, name: str) -> set[bytes]:
        """The certificates of a name that are not shut out yet: those that this hub issued, and
        those that chains show (a hub before it may have issued them)."""
        state = self.book(book)
        found = {
            serial_bytes(serial)
            for author in state.authors.values()
            if author.info.name == name and not author.info.is_hub
            for serial in author.serials
        }
        found.update(
            row.serial
            for row in self.store.records.certificates()
            if (row.book, row.node) == (book, name)
        )
        return found - state.administration.revoked

    def _revoke_in(self, book: str, name: str, reason: str) -> None:
        heads = tuple(
            (incarnation, chain.length, chain.head)
            for incarnation, author in self.book(book).authors.items()
            if author.info.name == name
            and not author.info.is_hub
            and (chain := self.store.journal.chain(book, incarnation)) is not None
        )
        serials = tuple(sorted(self._serials_of(book, name)))
        self.append(book, NodeRevoked(name, serials, heads, reason))

    def nodes(self) -> list[dict[str, Any]]:
        """The fleet as last seen, newest life of each node first; then the devices that joined and
        were never heard."""
        with self.lock:
            rows = self.store.records.fleet()
            issued = self.store.records.certificates()
        found = []
        for row in rows:
            book = self.book(row.book)
            author = book.authors.get(row.incarnation)
            detail = msgspec.msgpack.decode(row.detail)
            found.append(
                {
                    "name": row.node,
                    "role": row.role,
                    "venue": row.book.partition("/")[2],
                    "last_seen_at_ms": row.last_seen_ms,
                    "queued": detail.get("queued"),
                    "clock_state": detail.get("clock_state"),
                    "uncertainty_ms": detail.get("uncertainty_ms"),
                    "version": detail.get("software"),
                    "incarnation": row.incarnation.hex(),
                    "number": detail.get("number"),
                    "revoked": author is not None
                    and book.administration.is_revoked(author.serials),
                }
            )
        heard = {(row.book, row.node) for row in rows}
        for certificate in issued:
            if (certificate.book, certificate.node) not in heard:
                found.append(self._never_heard(certificate))
        return found

    def _never_heard(self, row: CertificateRow) -> dict[str, Any]:
        nothing = dict.fromkeys(
            ("queued", "clock_state", "uncertainty_ms", "version", "incarnation", "number")
        )
        return {
            "name": row.node,
            "role": row.role,
            "venue": row.book.partition("/")[2],
            "last_seen_at_ms": 0,
            **nothing,
            "revoked": row.serial in self.book(row.book).administration.revoked,
        }

    # --- recovery -------------------------------------------------------------------------------

    def may_write(self, name: str) -> bool:
        """Whether this hub sells, grants and decides in a book: neither recovering nor replaced."""
        return not (self.recovering(name) or self.replaced(name))

    def replaced(self, name: str) -> bool:
        """Whether another life of the hub has closed this one: it serves what it holds and writes
        nothing any more, for nothing of it would count (§5.9)."""
        book = self.books.get(name)
        return book is not None and self.identity.incarnation in book.administration.closes

    def recovering(self, name: str) -> bool:
        """Whether another life of the hub wrote in this book and is not closed yet, or may have
        and no device of the book has been heard (§5.9)."""
        with self.lock:
            return bool(self._unclosed_hubs(name)) or self._unheard(name)

    def _unheard(self, name: str) -> bool:
        """Whether this hub was rebuilt from a root key and knows nothing of this book yet."""
        records = self.store.records
        return records.get(REBUILT_KEY) is not None and records.get(_heard_key(name)) is None

    def _unclosed_hubs(self, name: str) -> list[bytes]:
        book = self.books.get(name)
        if book is None:
            return []
        return [
            incarnation
            for incarnation, author in book.authors.items()
            if author.info.is_hub
            and incarnation != self.identity.incarnation
            and incarnation not in book.administration.closes
        ]

    @property
    def exchange_state(self) -> str:
        with self.lock:
            if any(self.replaced(name) for name in self.books):
                return "replaced"
            waiting = any(self.recovering(name) for name in self.books) or (
                not self.books and self.store.records.get(REBUILT_KEY) is not None
            )
        return "recovering" if waiting else "serving"

    def _expected(self, name: str) -> set[str]:
        """Names of the unrevoked nodes of a book: all must be heard before a recovery ends."""
        book = self.book(name)
        return {
            author.info.name
            for author in book.authors.values()
            if not author.info.is_hub and not book.administration.is_revoked(author.serials)
        }

    def recover(self, proceed: bool = False) -> dict[str, Any]:
        """Leave `recovering` in every book whose nodes have all been heard.

        With `proceed` a person says to go on without the missing ones: they are revoked first, at
        the head that this hub holds. Returns, per venue, who is still missing.
        """
        missing: dict[str, list[str]] = {}
        if proceed:
            with self.transaction():
                self.store.records.drop(REBUILT_KEY)
        with self.lock:
            names = sorted(self.books)
        for name in names:
            if not self.recovering(name):
                continue
            with self.lock:
                silent = sorted(self._expected(name) - self._met.get(name, set()))
            if not proceed and (silent or self._unheard(name) or self._rivalled(name)):
                missing[name.partition("/")[2]] = silent
                continue
            with self.transaction():
                self._close_hubs(name)
                for node in silent:
                    self._revoke_in(name, node, "not_heard_in_recovery")
            self.settle(name)
        return {"state": self.exchange_state, "missing": missing}

    def _rivalled(self, name: str) -> bool:
        """Whether another life of the hub claims to follow the one that this one follows: which
        of the two goes on is for a person to say (§5.9)."""
        return bool(self.book(name).administration.rivals)

    def _close_hubs(self, name: str) -> None:
        """Close every earlier life of the hub at the head held here: what counts of it is named."""
        self.store.records.put(_heard_key(name), b"1")
        for incarnation in self._unclosed_hubs(name):
            chain = self.store.journal.chain(name, incarnation)
            assert chain is not None
            self.append(
                name, ChainClosed(incarnation, b"", chain.length, chain.head, "hub_recovered")
            )
        self._grant_codes(name, self.identity.incarnation)

    def append(self, name: str, event: Event, **fields: Any) -> Written:
        """As any replica, but nothing is sold, granted or decided while recovering, and nothing
        at all is written once another life of the hub took over. Raises RuleViolated."""
        if self.replaced(name):
            message = (
                "This hub was replaced: another one was rebuilt or restored and goes on in its "
                "place. Stop it, and send the devices to the other with `holdfast node set-hub`."
            )
            raise RuleViolated(message, [{"rule": "replaced", "message": message}])
        harmless = isinstance(event, ChainClosed | ChainCertified | NodeRevoked)
        if not harmless and self.recovering(name):
            message = (
                "This hub was restored and has not heard every device yet, so it may not know what "
                "its predecessor sold. Let the devices connect, or run `holdfast hub recover`."
            )
            raise RuleViolated(message, [{"rule": "recovering", "message": message}])
        return super().append(name, event, **fields)

    # --- deciding -------------------------------------------------------------------------------

    def after_merge(
        self, name: str, sender: bytes, more: bool, complete: bool, merged: Merged
    ) -> None:
        """What follows a merge: the sender's backlog noted, decisions, ends, closes.

        `complete`: the sender holds nothing that the hub lacks, so that it counts as heard.
        """
        key = (name, sender)
        if more:
            self._backlogs[key] = self.clock.monotonic_ms() + BACKLOG_PATIENCE_SECONDS * 1000
            # What this piece cancelled is freed with the last one, which need not touch it again.
            early = self._touched_early.setdefault(key, {})
            if len(early) < TOUCHED_EARLY_MAX:
                early.update(merged.reservations)
            return
        self._backlogs.pop(key, None)
        author = self.book(name).authors.get(sender)
        if author is not None and complete:
            self._met.setdefault(name, set()).add(author.info.name)
        if self.replaced(name):
            return
        if self.recovering(name):
            met = self._met.get(name, set())
            if met and self._expected(name) <= met and not self._rivalled(name):
                with self.transaction():
                    self._close_hubs(name)
                self.settle(name)
            return
        with self.transaction():
            self._greet(name, sender)
            self._accept_venue_key(name)
        self.settle(name, [*self._touched_early.pop(key, {}), *merged.reservations])

    def rolled_back(self) -> None:
        """Nobody counts as heard or greeted by what was not kept."""
        self._met.clear()
        self._greeted.clear()
        self._relied.clear()

    def _greet(self, name: str, sender: bytes) -> None:
        """New lives of known nodes: close the ones before them, and let them make codes."""
        book = self.book(name)
        if (name, sender, len(book.authors)) in self._greeted:
            return
        for incarnation, author in list(book.authors.items()):
            if author.info.is_hub or incarnation in book.administration.closes:
                continue
            # A copied directory leaves two lives that both go on: only a life that says so follows
            # another one, or the two would close each other for ever.
            succeeded = any(
                incarnation in book.administration.succeeds.get(other, ())
                for other, info in ((o, a.info) for o, a in book.authors.items())
                if info.name == author.info.name
            )
            if succeeded:
                chain = self.store.journal.chain(name, incarnation)
                if chain is not None:
                    self.append(
                        name,
                        ChainClosed(incarnation, b"", chain.length, chain.head, "succeeded"),
                    )
        if sender in book.authors and sender not in book.administration.closes:
            # Only whoever speaks gets a prefix: they are few, and names can be made up.
            self._grant_codes(name, sender)
        self._greeted.add((name, sender, len(book.authors)))

    def _accept_venue_key(self, name: str) -> None:
        """Bring the first key that a front desk published into force; later ones, whatever their
        stamps say, do not take its place by themselves."""
        administration = self.book(name).administration
        key = administration.venue_key
        if key and key not in administration.accepted:
            self.append(name, VenueKeyAccepted(key))

    def settle(self, name: str, touched: list[bytes] | None = None) -> int:
        """Decide what waits and end what is to be freed. Returns how many entries that took.

        `touched` are the reservations that may ask for an end; None: look at all.
        """
        if not self.may_write(name):
            return 0
        written = self._decide_all(name)
        with self.transaction():
            if touched is None:
                now_s = self.clock.now_ms() // 1000
                statuses = tuple(lifecycle.ENDS_CLAIMS)
                self.write_projections()
                touched = self.store.projections.ending(name, statuses, now_s)
            for reservation in touched:
                record = self.record(reservation, name)
                if record is not None:
                    written += self._end_requested(name, record.view)
        return written

    def _decide_all(self, name: str) -> int:
        """Decide every claim asked of the hub, in stamp order, in transactions of bounded size."""
        venue = self.book(name).administration.venue
        if venue is None:
            return 0
        with self.lock:
            waiting = self.store.projections.undecided(name)
            late = self._behind_backlog(name)
            decidable = [row for row in waiting if row[1] not in late]
            written = 0
            for start in range(0, len(decidable), DECISIONS_PER_TRANSACTION):
                with self.transaction():
                    heads = self._relied_on(name)
                    for _, _, operation, reservation in decidable[
                        start : start + DECISIONS_PER_TRANSACTION
                    ]:
                        written += self._decide_one(name, venue, operation, reservation, heads)
            return written

    def await_backlogs(self, name: str) -> None:
        """After a start: what is undecided may be the first half of a backlog, whose rest cancels
        some of it. Its writers are waited for like any backlog (§5.4)."""
        until = self.clock.monotonic_ms() + BACKLOG_PATIENCE_SECONDS * 1000
        for _, writer, _, _ in self.store.projections.undecided(name):
            self._backlogs[name, writer] = until

    def _behind_backlog(self, name: str) -> set[bytes]:
        """Incarnations whose backlog is still coming in: a later piece may cancel (§5.4)."""
        now = self.clock.monotonic_ms()
        for key in [key for key, until in self._backlogs.items() if until < now]:
            del self._backlogs[key]
        senders = {sender for book, sender in self._backlogs if book == name}
        authors = self.book(name).authors
        names = {authors[sender].info.name for sender in senders if sender in authors}
        return {inc for inc, author in authors.items() if author.info.name in names} | senders

    def _relied_on(self, name: str) -> tuple[tuple[bytes, int, bytes], ...]:
        """The heads that moved since the last decisions here: with those named before, all that
        this decision was made in sight of."""
        named = self._relied.setdefault(name, {})
        moved = []
        for chain in self.store.journal.chains(name):
            if chain.incarnation != self.identity.incarnation and named.get(chain.id) != chain.head:
                named[chain.id] = chain.head
                moved.append((chain.incarnation, chain.length, chain.head[:8]))
        return tuple(moved[:HEADS_PER_DECISION_MAX])

    def _decide_one(
        self,
        name: str,
        venue: VenueIndex,
        operation: bytes,
        reservation: bytes,
        heads: tuple[tuple[bytes, int, bytes], ...],
    ) -> int:
        record = self.record(reservation, name)
        if record is None:
            return 0
        view = record.view
        asked = [
            claim
            for claim in view.claims
            if claim.id.operation == operation and claim.state in (PENDING, STANDBY)
        ]
        if not asked:
            return 0
        if view.status in (lifecycle.CANCELLED, lifecycle.EXPIRED):
            # Cancelled before it was decided: it gets its end and displaces nobody (§5.4).
            self._end(name, view, tuple(claim.id for claim in asked), "cancelled")
            return 1
        made = view.making and self._is_making(record, operation)
        if (made and operation != view.making) or (
            view.live and all(claim.replaces is None for claim in asked)
        ):
            # One record that was brought in on two devices: a reservation has one place.
            self._end(name, view, tuple(claim.id for claim in asked), "superseded")
            return 1
        verdict = deciding.decide(view, operation, venue, self.store.projections.occupancy(name))
        if not view.code and verdict.verdict == "admitted":
            verdict = verdict._replace(verdict="displaced", reason="quarantined", ends=())
        self.append(
            name,
            ClaimDecided(
                operation, verdict.verdict, verdict.reason, verdict.won, heads,
                verdict.from_resources,
            ),
            subject=view.id,
            claims=verdict.claims,
            ends=verdict.ends,
        )  # fmt: skip
        return 1

    @staticmethod
    def _is_making(record: Record, operation: bytes) -> bool:
        return any(
            seen.operation == operation and seen.kind == "reservation.created"
            for seen in record.seen
        )

    def _end_requested(self, name: str, view: View) -> int:
        ending = claims_to_end(view, self.clock.now_ms() // 1000)
        if not ending:
            return 0
        claims = tuple(claim.id for claim in ending)
        for start in range(0, len(claims), CLAIMS_PER_ENTRY_MAX):
            self._end(name, view, claims[start : start + CLAIMS_PER_ENTRY_MAX], view.status)
        return 1

    def _end(self, name: str, view: View, claims: tuple[ClaimId, ...], reason: str) -> None:
        self.append(name, ClaimEnded(reason), subject=view.id, ends=claims)


def export_root(directory: Path, path: Path) -> None:
    """Copy the root key of a hub's directory into a new file, also while the hub runs.

    Raises DirectoryError if the file exists or the key is not there.
    """
    source = directory / "keys" / ROOT_KEY
    if path.exists():
        raise DirectoryError(f"{path} exists; choose another file for the root key")
    if not source.exists():
        raise DirectoryError(
            f"{source} is not there: only a hub has a root key, unless it is kept offline already"
        )
    write_signing_key(path, read_signing_key(source))


def _heard_key(book: str) -> str:
    return f"rebuilt.heard.{book}"


def _is_name(text: str) -> bool:
    return (
        0 < len(text) <= 64
        and all(c.isascii() and (c.islower() or c.isdigit() or c == "-") for c in text)
        and text[0] != "-"
    )
