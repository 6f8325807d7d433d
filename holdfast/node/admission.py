"""Who belongs to the fleet: join codes, certificates, code prefixes, shutting out, the fleet view.

Owns the hub's register of what it issued and everything about one device. What a device sells or
writes is `holding`'s and the book's business.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.model.administration import serial_bytes
from holdfast.model.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unauthorised,
)
from holdfast.model.events import ChainClosed, CodesGranted, NodeRevoked, VenueKeyAccepted
from holdfast.model.limits import CERTIFICATES_PER_DAY_MAX, CODE_PREFIXES
from holdfast.model.roles import NODE_ROLES
from holdfast.model.vocabulary import REVOKE_REASONS
from holdfast.node import identity as certificates
from holdfast.node import join_codes, standing
from holdfast.node.conduct import KINDS, Conduct
from holdfast.node.identity import HUB_ROLE, Identity, fingerprint
from holdfast.node.reasons import reason_code
from holdfast.store.records import CertificateRow, RenewalRow
from holdfast.sync.seals import chain_start

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

log = logging.getLogger("holdfast.certificates")


class Invite(NamedTuple):
    code: str
    expires_at_ms: int


class Admission:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._greeted: set[tuple[str, bytes, int]] = set()

    def forget(self) -> None:
        """Nobody counts as greeted by what was not kept."""
        self._greeted.clear()

    def invite(self, venue: str, role: str, name: str, expires_s: int = 3600) -> Invite:
        """A one-time join code. Raises NotFound, Invalid."""
        self._hub.venue(venue)
        if role not in NODE_ROLES:
            raise Invalid.field("role", f"must be one of {', '.join(NODE_ROLES)}")
        if not is_name(name) or name == "hub":
            raise Invalid.field("name", "must be 1-64 of a-z, 0-9 and -, and not hub")
        expires = self._hub.clock.now_ms() + expires_s * 1000
        code = join_codes.make(os.urandom(32), self._hub.identity.key.public_key())
        offer = join_codes.offer(code, venue, role, name, expires)
        with self._hub.transaction():
            self._hub.store.records.put_offer(offer.id, join_codes.encode_offer(offer))
        return Invite(code.text, expires)

    def admit(
        self, offer_id: str, proof: bytes, transcript: bytes, request: Any
    ) -> tuple[join_codes.JoinOffer, list[bytes]]:
        """Check a join request against its offer and issue the node's certificate.

        Returns the offer and the certificate chain. A wrong proof uses up a try, durably; what
        fails at the hub uses up nothing. Raises Unauthorised, DirectoryError.
        """
        with self._hub.lock:
            data = self._hub.store.records.offer(offer_id)
            offer, failure = join_codes.attempt(data, proof, transcript, self._hub.clock.now_ms())
            if failure is not None:
                if offer is not None:
                    with self._hub.transaction():
                        self._hub.store.records.put_offer(offer_id, join_codes.encode_offer(offer))
                raise failure
            assert offer is not None
            self._require_meant(offer, request)
            chain = self._hub.issuer().issue(
                self._hub.identity.tenant, offer.venue, offer.role, offer.name,
                request.public_key, self._hub.clock.now_ms(),
            )  # fmt: skip
            book = self._hub.book_of(offer.venue)
            # With the last that can fail, and in its transaction: what fails leaves the code good.
            with self._hub.transaction():
                self._register(chain, book, offer.name, offer.role)
                if self._hub.recovery.may_write(book):
                    self.grant_codes(book, request.incarnation)
                self._hub.store.records.drop_offer(offer_id)
            return offer, chain

    def renew(self, sender: Identity, key: Ed25519PublicKey) -> list[bytes]:
        """Issue a newer certificate to a device that proved that it has the present one, once: for
        the same key it is answered with the same, also when the answer was lost on its way.

        Raises Forbidden for one that was shut out, Unauthorised where its key was replaced, or the
        certificate was renewed for another key, RateLimited, DirectoryError.
        """
        hub = self._hub
        book = hub.book_of(sender.venue)
        with hub.lock:
            if sender.role == HUB_ROLE or book not in hub.books:
                raise Forbidden("only a device of one of this hub's venues gets certificates here")
            standing.require_good(hub.book(book), sender)
            hub.require_writing(book, harmless=True)
            made = self._renewed(sender, key.public_bytes_raw())
            if made is not None:
                return made
            now_ms = hub.clock.now_ms()
            recent = [
                row
                for row in hub.store.records.certificates()
                if (row.book, row.node) == (book, sender.name)
                and row.issued_at_ms > now_ms - 86_400_000
            ]
            if len(recent) >= CERTIFICATES_PER_DAY_MAX:
                message = f"{sender.name} was given {len(recent)} certificates within a day"
                raise RateLimited(message, 3_600)
            # Never older than the one in force, whatever happened to this hub's clock: what is
            # older is refused (`standing.require_good`).
            after_ms = hub.book(book).replaced_ms.get(sender.line, 0) + certificates.BACKDATED_MS
            issued_ms = max(now_ms, after_ms)
            chain = hub.issuer().issue(*sender.writer, key, issued_ms, sender.line)
            row = RenewalRow(
                serial_bytes(sender.serial), book, sender.name, key.public_bytes_raw(),
                msgspec.msgpack.encode(chain),
            )  # fmt: skip
            with hub.transaction():
                self._register(chain, book, sender.name, sender.role)
                hub.store.records.put_renewal(row)
            return chain

    def _renewed(self, sender: Identity, key: bytes) -> list[bytes] | None:
        """What this certificate was renewed with already; None: nothing yet.

        Whoever copied a key could else have certificates of its own for as long as nobody has heard
        of its owner's. Now the second of the two is refused, and somebody looks. Raises
        Unauthorised.
        """
        records = self._hub.store.records
        known = records.renewal(serial_bytes(sender.serial))
        if known is None or known.key == key:
            return msgspec.msgpack.decode(known.certificates, type=list[bytes]) if known else None
        with self._hub.transaction():
            records.refuse_renewal(known.serial)
        log.warning(
            "%s asked for a certificate for another key than the one that its certificate %x was "
            "renewed for: somebody may have a copy of its keys; ask there, and shut it out if "
            "nobody lost a key", sender.name, sender.serial,
        )  # fmt: skip
        raise Unauthorised(
            f"the certificate of {sender.name} was renewed for another key already. If that key was"
            " lost, make a new code at the hub, and rejoin: `holdfast node rejoin --code CODE`. If"
            f" nobody knows of it, somebody else has its keys: `holdfast hub revoke {sender.name} "
            "--reason stolen` first, and `holdfast node rotate-key` afterwards",
            reason=standing.RENEWED,
        )

    # --- codes that are open ----------------------------------------------------------------------

    def open_codes(self) -> list[join_codes.JoinOffer]:
        """The codes with which a device can still join, those that end first first."""
        now_ms = self._hub.clock.now_ms()
        with self._hub.lock:
            kept = map(join_codes.decode_offer, self._hub.store.records.offers())
            found = [one for one in kept if one.expires_at_ms > now_ms and one.tries_left > 0]
        return sorted(found, key=lambda one: (one.expires_at_ms, one.id))

    def withdraw(self, which: str) -> list[join_codes.JoinOffer]:
        """Make open codes void: the one of this id, or those of a device (NAME or VENUE/NAME).
        Raises NotFound where there is none."""
        with self._hub.transaction():
            found = [
                one
                for one in self.open_codes()
                if which in (one.id, one.name, f"{one.venue}/{one.name}")
            ]
            if not found:
                raise NotFound(f"no open join code is for {which!r}: `holdfast hub invites` lists")
            for one in found:
                self._hub.store.records.drop_offer(one.id)
        return found

    def withdraw_all(self) -> None:
        """Make every code void that was handed out."""
        with self._hub.transaction():
            for data in self._hub.store.records.offers():
                self._hub.store.records.drop_offer(join_codes.decode_offer(data).id)

    def sweep(self) -> None:
        """Forget codes whose time was over a day ago: until then they are told why they fail."""
        before = self._hub.clock.now_ms() - 86_400_000
        with self._hub.transaction():
            for data in self._hub.store.records.offers():
                held = join_codes.decode_offer(data)
                if held.expires_at_ms < before:
                    self._hub.store.records.drop_offer(held.id)

    # --- certificates and code prefixes -----------------------------------------------------------

    def _register(self, chain: list[bytes], book: str, name: str, role: str) -> None:
        """Remember what was issued: by its number it is shut out, also where it is never seen."""
        serial = serial_bytes(certificates.serial_of(chain[0]))
        now_ms = self._hub.clock.now_ms()
        row = CertificateRow(serial, book, name, role, now_ms)
        self._hub.store.records.put_certificate(row)

    def _require_meant(self, offer: join_codes.JoinOffer, request: Any) -> None:
        """Whether this hub and this device are meant, asked before the code is used up. Raises
        Unauthorised."""
        own = fingerprint(self._hub.identity.key.public_key())
        if request.fingerprint != own[: join_codes.FINGERPRINT_BYTES]:
            raise Unauthorised(
                "this join code is another hub's, or its last letters were mistyped; "
                "copy all of it, and check the address"
            )
        meant = f"{offer.venue}/{offer.name}"
        if request.device not in ("", meant):
            raise Unauthorised(
                f"this join code is for {meant}, and {request.device} asks with it; "
                "make one for that name, or join in a new directory"
            )

    def grant_codes(self, name: str, incarnation: bytes) -> None:
        """Give an incarnation a prefix of its own in this book, if it has none."""
        if incarnation in self._hub.book(name).administration.prefixes:
            return
        taken = {
            prefix
            for book in self._hub.books.values()
            for prefixes in book.administration.prefixes.values()
            for prefix in prefixes
        }
        free = [prefix for prefix in range(CODE_PREFIXES) if prefix not in taken]
        if free:
            # At random: a hub that was wiped may not know yet what the one before it granted.
            self._hub.append(name, CodesGranted(incarnation, (secrets.choice(free),)))

    def greet(self, name: str, sender: bytes) -> None:
        """New lives of known nodes: close the ones before them, and let them make codes."""
        book = self._hub.book(name)
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
            if succeeded and self._hub.store.journal.chain(name, incarnation) is not None:
                # The branch that counts so far goes on counting: nothing is taken back by this.
                chain = self._hub.standing(name, incarnation)
                self._hub.append(
                    name,
                    ChainClosed(incarnation, chain.branch, chain.length, chain.head, "succeeded"),
                )
        self._close_unwritten(name)
        if sender in book.authors and sender not in book.administration.closes:
            # Only whoever speaks gets a prefix: they are few, and names can be made up.
            self.grant_codes(name, sender)
        self._greeted.add((name, sender, len(book.authors)))

    def close_forks(self, name: str, forked: Iterable[bytes]) -> None:
        """Close devices' chains that turn out to have a second branch, on the one that this hub met
        first: what it decided in sight of that stays true (§4.3). A hub that recovers decided
        nothing, and closes them where they count so far."""
        book = self._hub.book(name)
        for incarnation in sorted(forked):
            author = book.authors.get(incarnation)
            if author is None or author.info.is_hub or incarnation in book.administration.closes:
                continue
            first = self._hub.store.journal.branches(name, incarnation)[0]
            serving = self._hub.recovery.may_write(name)
            chain = first if serving else self._hub.standing(name, incarnation)
            self._hub.append(
                name, ChainClosed(incarnation, chain.branch, chain.length, chain.head, "forked")
            )

    def _close_unwritten(self, name: str) -> None:
        """Close lives that rights passed to and that never wrote a word, because the device died
        at that moment and went on as yet another: its rights would wait for nobody."""
        book = self._hub.book(name)
        succeeds = book.administration.succeeds
        for held in list(book.administration.rights.active()):
            first = book.authors.get(held.right.holder)
            if first is None or held.holder in book.authors:
                continue
            if any(
                held.holder in succeeds.get(life, ())
                for life, author in book.authors.items()
                if author.info.name == first.info.name
            ):
                self._hub.append(
                    name,
                    ChainClosed(held.holder, b"", 0, chain_start(name, held.holder), "succeeded"),
                )

    def accept_venue_key(self, name: str) -> None:
        """Bring the first key that a front desk published into force. Later ones, whatever their
        stamps say, take its place only where they say that they follow it, and were made by a
        device that is not shut out; of two the first. The other then follows none in force."""
        book = self._hub.book(name)
        administration = book.administration
        key = administration.venue_key
        if key and key not in administration.accepted:
            self._hub.append(name, VenueKeyAccepted(key))
        for successor in administration.successors(key) if key else ():
            writer = book.authors.get(administration.published[successor][1])
            if writer is not None and not administration.is_revoked(writer.serials[-1:]):
                self._hub.append(name, VenueKeyAccepted(successor))
                return

    def revoke(self, node: str, reason: str) -> None:
        """Shut a node out: its exchanges are refused from now on, also where it was never heard.

        `node` is its name, or VENUE/NAME where several venues have one of that name; `reason` one
        of REVOKE_REASONS. The name may be invited again: what is shut out are the certificates
        that were issued so far. Raises NotFound, Invalid, Conflict.
        """
        code = reason_code(reason, REVOKE_REASONS)
        venue, _, name = node.rpartition("/")
        with self._hub.transaction():
            admitted = {
                book: serials
                for book in sorted(self._hub.books)
                if venue in ("", book.partition("/")[2])
                and (serials := self._serials_of(book, name))
            }
            if not admitted:
                raise NotFound(f"no node {node!r} that is not shut out is known to this hub")
            if len(admitted) > 1:
                options = " or ".join(f"{book.partition('/')[2]}/{name}" for book in admitted)
                raise Conflict(f"several venues have a device {name}; say {options}")
            for book in admitted:
                self.revoke_in(book, name, code)

    def _serials_of(self, book: str, name: str) -> set[bytes]:
        """The certificates of a name that are not shut out yet: those that this hub issued, and
        those that chains show (a hub before it may have issued them)."""
        state = self._hub.book(book)
        found = {
            serial_bytes(serial)
            for author in state.authors.values()
            if author.info.name == name and not author.info.is_hub
            for serial in author.serials
        }
        found.update(
            row.serial
            for row in self._hub.store.records.certificates()
            if (row.book, row.node) == (book, name)
        )
        return found - state.administration.revoked

    def revoke_in(self, book: str, name: str, reason: str) -> None:
        heads = tuple(
            (incarnation, chain.length, chain.head)
            for incarnation, author in self._hub.book(book).authors.items()
            if author.info.name == name
            and not author.info.is_hub
            and (chain := self._hub.store.journal.chain(book, incarnation)) is not None
        )
        serials = tuple(sorted(self._serials_of(book, name)))
        self._hub.append(book, NodeRevoked(name, serials, heads, reason))

    def shut_out_lives(self, book: str, lives: set[bytes]) -> None:
        """Go on without devices that a recovering hub has not heard: each is shut out, at the head
        held here; one whose certificate another life bears too, which was heard, is closed."""
        authors = self._hub.book(book).authors
        borne = {n for life in authors.keys() - lives for n in authors[life].serials}
        for life in sorted(lives):
            author = authors[life]
            chain = self._hub.store.journal.chain(book, life)
            assert chain is not None
            if borne.intersection(author.serials):
                self._hub.append(
                    book, ChainClosed(life, b"", chain.length, chain.head, "not_heard_in_recovery")
                )
            else:
                serials = tuple(sorted(map(serial_bytes, author.serials)))
                heads = ((life, chain.length, chain.head),)
                self._hub.append(
                    book, NodeRevoked(author.info.name, serials, heads, "not_heard_in_recovery")
                )

    def nodes(self) -> list[dict[str, Any]]:
        """The fleet as last seen, newest life of each node first; then the devices that joined and
        were never heard."""
        with self._hub.lock:
            rows = self._hub.store.records.fleet()
            issued = self._hub.store.records.certificates()
            conduct = {book: Conduct(self._hub, book) for book in {row.book for row in rows}}
        found = []
        for row in rows:
            book = self._hub.book(row.book)
            author = book.authors.get(row.incarnation)
            chain = self._hub.store.journal.chain(row.book, row.incarnation)
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
                    "entries": 0 if chain is None else chain.length,
                    "revoked": author is not None and book.administration.is_revoked(author.bearer),
                    "concerns": conduct[row.book].of(row.incarnation, row.node),
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
            "entries": 0,
            "revoked": row.serial in self._hub.book(row.book).administration.revoked,
            "concerns": dict.fromkeys(KINDS, 0),
        }


def is_name(text: str) -> bool:
    """Whether a tenant, venue or device may be called so: 1-64 of a-z, 0-9 and -."""
    return (
        0 < len(text) <= 64
        and all(c.isascii() and (c.islower() or c.isdigit() or c == "-") for c in text)
        and text[0] != "-"
    )
