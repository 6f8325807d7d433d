"""The hub: a replica that holds every right that nobody was granted, and admits nodes.

Owns its making and opening, its venues, and the order of what follows a merge. Who belongs to the
fleet is `admission`'s business, when it may write after a restore `recovery`'s, and deciding and
ending claims `holding`'s.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import (
    Invalid,
    RuleViolated,
    Stale,
    TooLarge,
)
from holdfast.model.events import (
    ChainCertified,
    ChainClosed,
    ChainKeyChanged,
    Event,
    NodeRevoked,
    VenueConfigured,
)
from holdfast.model.limits import (
    VENUE_BYTES_MAX,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.rights import HUB
from holdfast.model.venue import Venue, parse_venue, to_document, version_tag
from holdfast.model.venue_defaults import with_defaults
from holdfast.node import (
    directories,
    issuing,
    lives,
    overselling,
    renewing,
    settings,
    taking_away,
)
from holdfast.node import identity as certificates
from holdfast.node.admission import Admission, Invite, is_name
from holdfast.node.forgetting import Device
from holdfast.node.granting import Granting
from holdfast.node.issuing import Issuer
from holdfast.node.keys import write_signing_key
from holdfast.node.local_identity import LocalIdentity, new_life
from holdfast.node.recovery import REBUILT_KEY, Recovery
from holdfast.node.replica import Merged, Written
from holdfast.node.service import Service
from holdfast.node.timekeeping import Timekeeper
from holdfast.store.store import Store

log = logging.getLogger("holdfast.hub")

_HARMLESS: Final = (ChainClosed, ChainCertified, ChainKeyChanged, NodeRevoked)
"""What sells, grants and decides nothing: a hub that recovers may write it."""


class Hub(Service):
    """Opened with `Hub.open(directory)`, made with `Hub.init(directory, tenant)`."""

    role = "hub"
    keeps_queue = False

    # --- life -----------------------------------------------------------------------------------

    @classmethod
    def init(
        cls,
        directory: Path | str,
        tenant: str,
        root: bytes | None = None,
        *,
        passphrase: bytes = b"",
        **overrides: Any,
    ) -> Hub:
        """Make a hub in a new directory: root key (or the given one, in PEM, with the passphrase
        that it is encrypted with), issuer, keys, database, token.

        After a kill at any moment there is a whole hub or none. Raises Invalid, DirectoryError.
        """
        if not is_name(tenant):
            raise Invalid.field("tenant", "must be 1-64 of a-z, 0-9 and -")
        directory = Path(directory)
        now_ms = Timekeeper().now_ms()
        root_key = issuing.read_root(root, passphrase) if root else Ed25519PrivateKey.generate()
        root_certificate = certificates.make_root(tenant, root_key, now_ms)
        key = Ed25519PrivateKey.generate()
        incarnation, nonce = new_life(key)
        issuer = issuing.make(tenant, root_key, root_certificate, now_ms)
        chain = issuer.issue(tenant, "*", "hub", "hub", key.public_key(), now_ms)
        identity = LocalIdentity(
            tenant, "*", "hub", "hub", incarnation, 1, key, chain, root_certificate,
            X25519PrivateKey.generate(), certificates.derive_pseudonym_key(root_key), [], [],
            nonce,
        )  # fmt: skip
        with directories.making(directory, **overrides) as store:
            identity.save_keys(store.directory)
            write_signing_key(store.directory / "keys" / issuing.ROOT_KEY, root_key)
            issuer.save(store.directory)
            with store.atomic():
                identity.save(store.records)
                store.records.put("role", b"hub")
                if root is not None:
                    # The tenant had a hub before, and its devices know what that one sold.
                    store.records.put(REBUILT_KEY, b"1")
        return cls.open(directory, **overrides)

    @classmethod
    def open(cls, directory: Path | str, **overrides: Any) -> Hub:
        """Open an existing hub. Raises DirectoryError and its children."""
        directory = Path(directory)
        chosen = settings.load(directory, **overrides)
        directories.require(directory)
        store = Store(directory, synchronous=chosen.synchronous)
        try:
            identity, reasons = lives.identity_at_start(directory, store)
            hub = cls(directory, store, identity, Timekeeper(), chosen)
            hub.other_life = reasons
            hub.keep_witness()
            for name in list(hub.books):
                hub.check_life(name)
            for name in list(hub.books):
                hub.holding.await_backlogs(name)
                hub.take_all_back(name)
                hub.settle(name)
                hub.cards.index.keep_up(name)
        except BaseException:
            store.close()
            raise
        return hub

    def __init__(self, *arguments: Any) -> None:
        self.other_life: list[str] = []
        self.admission = Admission(self)
        self.recovery = Recovery(self)
        self.granting = Granting(self)
        self._former: LocalIdentity | None = None
        super().__init__(*arguments)

    def keep_witness(self) -> None:
        with self.lock:
            lives.keep_witness(self.directory, self.store, self.identity.incarnation)

    def close(self) -> None:
        self.keep_witness()
        super().close()

    def export_root(self, path: Path, passphrase: bytes = b"", *, remove: bool = False) -> None:
        """Copy the root key out, to be kept offline: see `issuing.export_root`."""
        now_ms = self.clock.now_ms()
        issuing.export_root(self.directory, path, passphrase, remove=remove, now_ms=now_ms)

    def issuer(self) -> Issuer:
        """Who issues certificates here. Raises DirectoryError where that takes the root key."""
        return issuing.issuer_of(
            self.directory, self.identity.tenant, self.identity.root, self.clock.now_ms()
        )

    def renew(self, *, new_key: bool = False) -> None:
        """A newer certificate of the hub's own: see `renewing.renew_hub`."""
        renewing.renew_hub(self, new_key=new_key)

    def renew_if_due(self) -> bool:
        """Renew the hub's own certificate where it nears its end. Raises DirectoryError where that
        takes the root key."""
        if self.exchange_state == "replaced" or not renewing.is_due(self):
            return False
        self.renew()
        return True

    def status(self) -> dict[str, Any]:
        return {**super().status(), "certificate": renewing.certificate_document(self)}

    # --- venues ---------------------------------------------------------------------------------

    def import_venue(self, document: dict[str, Any], if_match: str | None = None) -> Venue:
        """Create or update a venue from its file, with the usual limits where it says nothing of
        them; with `if_match` only that version of it (`version_tag`). Raises Invalid, TooLarge,
        RuleViolated, Stale."""
        venue = parse_venue(with_defaults(document))
        data = msgspec.json.encode(to_document(venue))
        if len(data) > VENUE_BYTES_MAX:
            raise TooLarge(
                f"a venue file has at most {VENUE_BYTES_MAX} bytes, this one {len(data)}"
            )
        name = self.book_of(venue.id)
        with self.transaction():
            present = self.book(name).administration.venue
            if if_match is not None and (present is None or version_tag(present.venue) != if_match):
                raise Stale(
                    f"{venue.id} was changed meanwhile; read it again and repeat the change"
                )
            if present is not None and present.venue == venue:
                return venue
            self._require_own_slug(venue)
            self.granting.require_room(name, venue)
            if present is not None:
                taking_away.require_nobody_there(self, name, present.venue, venue)
            self.append(name, VenueConfigured(data))
            self.admission.grant_codes(name, self.identity.incarnation)
            self.granting.fulfil(name)
        return venue

    def _require_own_slug(self, venue: Venue) -> None:
        """Raises Invalid where another venue of the tenant has the same slug."""
        slug = venue.profile.slug
        for other in self.venues() if slug else ():
            if other.venue.profile.slug == slug and other.venue.id != venue.id:
                raise Invalid.field("profile.slug", f"{slug!r} is already that of {other.venue.id}")

    def venues(self) -> list[VenueIndex]:
        return [self.venue(venue_id) for venue_id in self.venue_ids()]

    # --- the fleet ------------------------------------------------------------------------------

    def invite(self, venue: str, role: str, name: str, expires_s: int = 3600) -> Invite:
        """A one-time join code. Raises NotFound, Invalid."""
        return self.admission.invite(venue, role, name, expires_s)

    def revoke(self, node: str, reason: str) -> None:
        """Shut a node out: see `Admission.revoke`. Raises NotFound, Invalid, Conflict."""
        self.admission.revoke(node, reason)

    def nodes(self) -> list[dict[str, Any]]:
        """The fleet as last seen."""
        return self.admission.nodes()

    # --- after a restore ------------------------------------------------------------------------

    @property
    def exchange_state(self) -> str:
        return self.recovery.exchange_state

    def recover(self, proceed: bool = False) -> dict[str, Any]:
        """Leave `recovering`: see `Recovery.recover`."""
        return self.recovery.recover(proceed)

    def append(self, name: str, event: Event, **fields: Any) -> Written:
        """As any replica, but nothing is sold, granted or decided while recovering, and nothing
        at all is written once another life of the hub took over. Raises RuleViolated."""
        self.require_writing(name, harmless=isinstance(event, _HARMLESS))
        return super().append(name, event, **fields)

    def require_writing(self, name: str, *, harmless: bool = False) -> None:
        """Raises RuleViolated where nothing may be written in a book: replaced, or recovering.
        `harmless`: what is to be written sells, grants and decides nothing."""
        if self.recovery.replaced(name):
            message = (
                "This hub was replaced: another one was rebuilt or restored and goes on in its "
                "place. Stop it, and send the devices to the other with `holdfast node set-hub`."
            )
            raise RuleViolated(message, [{"rule": "replaced", "message": message}])
        if not harmless and self.recovery.recovering(name):
            message = (
                "This hub was restored and has not heard every device yet, so it may not know what "
                "its predecessor sold. Let the devices connect, then run `holdfast hub recover`."
            )
            raise RuleViolated(message, [{"rule": "recovering", "message": message}])

    # --- merging --------------------------------------------------------------------------------

    def after_merge(
        self, name: str, sender: bytes, more: bool, complete: bool, merged: Merged
    ) -> None:
        """What follows a merge: the sender's backlog noted, closes, decisions, ends.

        `complete`: the sender holds nothing that the hub lacks, so that it counts as heard.
        """
        if merged.forked and not self.recovery.replaced(name):
            with self.transaction():
                self.admission.close_forks(name, merged.forked)
        self.check_life(name)
        if self.may_decide(name):
            # Of each piece, whether or not a last one ever comes: in every piece of an honest
            # chain whatever made room stands before what was sold there. And before anything that
            # follows a merge ends a right.
            with self.transaction():
                overselling.take_back(self, name, merged.reservations)
        if more:
            self.holding.backlog(name, sender, merged.reservations)
            return
        self.holding.backlog_over(name, sender)
        if sender in self.book(name).authors and complete:
            with self.transaction():
                self.recovery.heard(name, sender)
        if not self.recovery.may_write(name):
            return
        with self.transaction():
            if not merged.refused:
                # Where a part is missing, a life's last word may be: it is closed when all is here.
                self.admission.greet(name, sender)
            self.admission.accept_venue_key(name)
        touched = self.holding.touched(name, sender, merged.reservations)
        self.holding.settle(name, touched)
        # What waited was decided first: who asked in time is not turned away for a later grant.
        with self.transaction():
            self.granting.fulfil(name)
        self._read_by_leave(name)

    def _read_by_leave(self, name: str) -> None:
        """Keep finding guests where a front desk lets the hub, and no longer than that."""
        if self.identity.incarnation not in self.book(name).administration.handed:
            return
        if self.cards.locked and all(map(self.recovery.may_write, self.books)):
            # Every device was heard, and with them who was forgotten meanwhile.
            self.cards.unlock()
        self.cards.index.keep_up(name)

    def take_all_back(self, name: str) -> None:
        """Take back every right that was oversold, by all that is held of a book."""
        if self.may_decide(name):
            with self.transaction():
                overselling.take_all_back(self, name)

    def may_confirm(self, name: str) -> bool:
        return self.recovery.may_write(name)

    def devices_joined(self, name: str) -> list[Device]:
        return [
            Device(one["name"], one["role"], one["last_seen_at_ms"], one["revoked"])
            for one in self.admission.nodes()
            if one["venue"] == name.partition("/")[2]
        ]

    @property
    def account(self) -> bytes:
        return HUB

    def may_decide(self, name: str) -> bool:
        return self.recovery.may_write(name)

    def check_life(self, name: str) -> None:
        """Go on as another life, which recovers first, where this one turns out to have two
        histories: this hub, or a snapshot of its machine, went on beside it (§4.3, §5.9)."""
        own = self.identity.incarnation
        with self.transaction():
            if len(self.store.journal.branches(name, own)) < 2:
                return
            self._former = self._former or self.identity
            self.identity = self.identity.next_life()
            self.identity.save(self.store.records)
            self.other_life = ["forked"]
        log.warning(
            "another history of this hub was found; it goes on as life %d and recovers first",
            self.identity.number,
        )

    def committed(self) -> None:
        self.recovery.keep()
        if self._former is not None:
            self._former = None
            self.keep_witness()

    def rolled_back(self) -> None:
        """What was remembered beside the store may not be so."""
        super().rolled_back()
        if self._former is not None:
            self.identity, self._former = self._former, None
        self.recovery.forget()
        self.admission.forget()
        self.granting.forget()
