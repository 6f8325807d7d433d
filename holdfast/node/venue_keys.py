"""The venue's keys at a device that reads cards: made, handed on, followed by another, kept.

Owns DIR/keys/venue*.key and the entries about them. Cards' keys are sealed to the public half in
force; the private half goes from one reading device to the next inside entries that the hub only
forwards. When a device that holds it is stolen, another key takes its place: it is published and
handed to everybody else in one run of entries, the hub's word brings it into force, and every card
key that can be opened here is sealed to it anew (DESIGN §8).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from holdfast.model.errors import Conflict, Forbidden
from holdfast.model.events import VenueKeyHanded, VenueKeyPublished
from holdfast.model.limits import VENUE_KEYS_MAX
from holdfast.model.roles import CARD_READERS, HUB, READS_BY_LEAVE
from holdfast.node import cards
from holdfast.node.keys import read_secret, write_secret
from holdfast.store.cards import CardKey

if TYPE_CHECKING:
    from holdfast.node.service import Service

VENUE_KEY_FILE: Final = "venue.key"
HANDED_BY: Final = 2
"""So many devices hand a key to one that reads cards."""
KEYS_PER_ROUND: Final = 256
"""Card keys that are sealed anew after one exchange; each costs a quarter of a millisecond."""


class VenueKeys:
    def __init__(self, replica: Service) -> None:
        self._r = replica
        self._path = replica.directory / "keys" / VENUE_KEY_FILE
        self._loaded: dict[bytes, X25519PrivateKey] | None = None
        self._passed: tuple[bytes, int, int] = (b"", 0, 0)
        """Up to which card key all were tried, for which key in force and number of readers."""
        self._opened: dict[str, tuple[bytes, X25519PrivateKey]] = {}
        """At the hub: by book the key that it was handed, and the bytes that it was opened from."""

    # --- holding --------------------------------------------------------------------------------

    @property
    def _held(self) -> dict[bytes, X25519PrivateKey]:
        """The private keys that are here, by their public halves; the one in `venue.key` first.
        Read once: this process alone writes them."""
        if self._loaded is None:
            self._loaded = {public_of(key): key for key in keys_in(self._path.parent)}
        return self._loaded

    def private_key(self) -> X25519PrivateKey | None:
        """The venue's private key, where this replica holds it."""
        return next(iter(self._held.values()), None) if self._path.exists() else None

    def readers(self, book: str) -> list[X25519PrivateKey]:
        """The venue's key, then those it took the place of at this device, or will follow it."""
        lent = self._lent(book)
        return [*self._held.values()] if lent is None else [lent]

    def in_force(self, book: str) -> X25519PrivateKey | None:
        """The private half of the key in force; None where this device does not hold it."""
        public = self._r.book(book).administration.venue_key
        return self._held.get(public) or self._lent(book)

    def _lent(self, book: str) -> X25519PrivateKey | None:
        """The key in force as the hub was handed it; None where it was not.

        It is opened from its entry and kept on no disk, so that a key that follows, or another
        life of the hub, ends the reading by itself.
        """
        if self._r.identity.role != READS_BY_LEAVE:
            return None
        administration = self._r.book(book).administration
        public, own = administration.venue_key, self._r.identity.incarnation
        handed = administration.handed_by(public, own).values()
        known = self._opened.get(book)
        if known is not None and known[0] in handed:
            return known[1]
        self._opened.pop(book, None)
        if public not in administration.published:
            return None
        for sealed in handed:
            key = self._accepted(book, public, sealed)
            if key is not None:
                self._opened[book] = (sealed, key)
                return key
        return None

    def _accepted(self, book: str, public: bytes, sealed: bytes) -> X25519PrivateKey | None:
        """The private key that was handed to this device; None where it is not the one it says."""
        key = cards.accept_key(sealed, self._r.identity.sealing_private, book)
        return key if key is not None and public_of(key) == public else None

    def _keep(self, key: X25519PrivateKey) -> None:
        """On disk before anybody hears of it: a key that is lost cannot be made again."""
        write_secret(self._beside(public_of(key)), key.private_bytes_raw())
        self._held[public_of(key)] = key

    def _put_in_force(self, public: bytes) -> None:
        """Let `venue.key` be this one from now on; what another one sealed stays readable."""
        held = self._held
        present = self.private_key()
        if present is not None and public_of(present) == public:
            return
        if present is not None:
            write_secret(self._beside(public_of(present)), present.private_bytes_raw())
        write_secret(self._path, held[public].private_bytes_raw())
        self._beside(public).unlink(missing_ok=True)
        others = {other: key for other, key in held.items() if other != public}
        self._loaded = {public: held[public], **others}

    def _beside(self, public: bytes) -> Path:
        """Where a key stands that is not in force."""
        return self._path.with_name(f"venue-{public.hex()[:16]}.key")

    # --- making and handing on ------------------------------------------------------------------

    def ensure(self, book: str) -> None:
        """The first device of a venue that reads cards makes its key and publishes the public
        half."""
        # Two threads that both find none would make two, and one of them would be lost.
        with self._r.lock:
            administration = self._r.book(book).administration
            if self._r.identity.role not in CARD_READERS or administration.venue_key:
                return
            private = self.private_key()
            if private is None:
                private = X25519PrivateKey.generate()
                self._keep(private)
                self._put_in_force(public_of(private))
            with self._r.transaction():
                self._r.append(book, VenueKeyPublished(public_of(private)))

    def pass_on(self, book: str) -> None:
        """Hand the venue's key to reading devices that have none, and take what was handed to this.

        It travels as an entry, sealed to the receiving device's own key: the hub only forwards it.
        """
        # Devices come by merges, which other threads make.
        with self._r.lock:
            self._take(book)
            administration = self._r.book(book).administration
            held = self._held
            if administration.venue_key in held:
                self._put_in_force(administration.venue_key)
                held = self._held
            # Two that were cut off may each have made a key, and cards were sealed to both: every
            # reader gets each. One that another took the place of is handed to nobody any more.
            current = [
                public
                for public in held
                if public in administration.published
                and (public == administration.venue_key or public not in administration.accepted)
            ]
            lacking = [
                (incarnation, sealing_key, public)
                for incarnation, sealing_key in self._recipients(book)
                for public in current
                if self._lacks(book, incarnation, public)
            ]
            if not lacking:
                return
            with self._r.transaction():
                for incarnation, sealing_key, public in lacking:
                    self._hand(book, incarnation, sealing_key, held[public])

    def _lacks(self, book: str, recipient: bytes, public: bytes) -> bool:
        """Whether this device is to hand a key to another: it has not done so yet, and fewer than
        HANDED_BY others have. Whether what they handed is good nobody but the recipient can see, so
        that one hand-over by a device in bad hands must not be the last."""
        state = self._r.book(book)
        administration = state.administration
        handed = administration.handed_by(public, recipient)
        if self._r.identity.incarnation in handed:
            # Also where this device was shut out, or it would hand it on without end.
            return False
        known = administration.published.get(public)
        if known is not None and known[1] == recipient:
            return False
        names = {
            author.info.name
            for life in handed
            if (author := state.authors.get(life)) is not None
            and not administration.is_revoked(author.serials[-1:])
        }
        return self._r.name not in names and len(names) < HANDED_BY

    def _take(self, book: str) -> None:
        """Keep the keys that were handed to this life and are not here yet."""
        administration, held = self._r.book(book).administration, self._held
        own = administration.handed.get(self._r.identity.incarnation, {})
        before = len(held)
        for public, handed in own.items():
            if public in held or public not in administration.published:
                continue
            if public != administration.venue_key and len(held) >= VENUE_KEYS_MAX:
                continue
            keys = (self._accepted(book, public, sealed) for sealed in handed.values())
            key = next((one for one in keys if one is not None), None)
            if key is not None:
                self._keep(key)
        if len(held) > before:
            with self._r.transaction():
                self._r.store.cards.try_again(book)

    def _recipients(self, book: str) -> list[tuple[bytes, bytes]]:
        """The lives, and their sealing keys, of the other devices that read cards: none that was
        shut out, and none that is over."""
        state = self._r.book(book)
        administration = state.administration
        return [
            (incarnation, sealing_key)
            for incarnation, sealing_key in administration.desks.items()
            if incarnation != self._r.identity.incarnation
            and incarnation not in administration.closes
            and not administration.is_revoked(state.authors[incarnation].serials[-1:])
        ]

    def _hand(
        self, book: str, incarnation: bytes, sealing_key: bytes, key: X25519PrivateKey
    ) -> None:
        recipient = X25519PublicKey.from_public_bytes(sealing_key)
        sealed = cards.hand_key(key, recipient, book)
        self._r.append(book, VenueKeyHanded(incarnation, public_of(key), sealed))

    def share_with_hub(self, book: str) -> dict[str, Any]:
        """Let the hub read this venue's cards: hand it the key in force, once, by an entry that
        everybody keeps. What takes it back is another key (`rotate`).

        Raises Forbidden where this device may not read cards itself, Conflict where no hub has
        been heard of.
        """
        r = self._r
        with r.lock:
            private = self._required(book)
            public, administration = public_of(private), r.book(book).administration
            hubs = {
                life: sealing_key
                for life, sealing_key in administration.hub_keys.items()
                if life not in administration.closes
            }
            if not hubs:
                raise Conflict("no hub has been heard of here; run `holdfast sync now` first")
            own = r.identity.incarnation
            lacking = [life for life in hubs if own not in administration.handed_by(public, life)]
            if lacking:
                with r.transaction():
                    for life in lacking:
                        self._hand(book, life, hubs[life], private)
        return {
            "venue": book.partition("/")[2],
            "public_key": public.hex(),
            "handed_to": [HUB],
        }

    # --- another key ----------------------------------------------------------------------------

    def rotate(self, book: str) -> dict[str, Any]:
        """Make a key that follows the one in force, and hand it to every reading device that was
        not shut out. The hub brings it into force when it hears of it.

        Raises Forbidden where this device reads no cards, or does not hold the key in force though
        somebody in good hands made it; Conflict where another is on its way already.
        """
        r = self._r
        with r.lock:
            self._require_may_follow(book)
            before = r.book(book).administration.venue_key
            waiting = self._waiting(book, before)
            if waiting:
                raise Conflict(
                    f"{waiting} has made a new key already, and the hub has not heard of it; "
                    "connect that device, or shut it out first if it is not in good hands"
                )
            new = X25519PrivateKey.generate()
            self._keep(new)
            recipients = self._recipients(book)
            with r.transaction():
                # Handed before it is published: whoever knows the key has what brings it to all.
                for incarnation, sealing_key in recipients:
                    self._hand(book, incarnation, sealing_key, new)
                r.append(book, VenueKeyPublished(public_of(new), before))
            names = sorted({r.name_of(book, incarnation) for incarnation, _ in recipients})
        return {
            "venue": book.partition("/")[2],
            "public_key": public_of(new).hex(),
            "follows": before.hex(),
            "handed_to": names,
        }

    def _require_may_follow(self, book: str) -> None:
        """Whether this device may make a key that follows the one in force. Raises Forbidden.

        It need not hold that one if its maker was shut out: a stolen desk may have been the only
        one, or have put a key of its own in force before anybody noticed.
        """
        if self._r.identity.role not in CARD_READERS:
            raise Forbidden("this device reads no guest's card; do this at a front desk")
        public = self._r.book(book).administration.venue_key
        maker = self._maker(book, public) if public else "nobody yet"
        if public not in self._held and maker:
            raise Forbidden(
                "this device does not hold the venue's key; do this at a front desk that shows "
                f"guests' names. If there is none, shut out the device that made it ({maker}) at "
                "the hub, sync, and try again"
            )

    def _maker(self, book: str, public: bytes) -> str:
        """Who made a key of the venue's; empty where that device was shut out."""
        state = self._r.book(book)
        author = state.authors.get(state.administration.published[public][1])
        if author is None or state.administration.is_revoked(author.serials[-1:]):
            return ""
        return author.info.name

    def _required(self, book: str) -> X25519PrivateKey:
        """The key in force, at a device that answers for it. Raises Forbidden elsewhere."""
        private = self.in_force(book)
        if private is None or self._r.identity.role not in CARD_READERS:
            raise Forbidden(
                "this device does not hold the venue's key; do this at a front desk that shows "
                "guests' names"
            )
        return private

    def _waiting(self, book: str, before: bytes) -> str:
        """Who made a key that waits to take the place of this one; empty: nobody in good hands."""
        successors = self._r.book(book).administration.successors(before)
        return next((maker for one in successors if (maker := self._maker(book, one))), "")

    def seal_anew(self, book: str, limit: int = KEYS_PER_ROUND) -> int:
        """Seal card keys that are sealed to another key to the one in force, `limit` at a time.
        Returns how many; the old ones are destroyed in the same commit, here, and elsewhere when
        the new ones arrive there.

        Only to a key whose private half is here, and that the hub has accepted: the hub then has
        the entries that hand it to everybody else, so that no card is lost with this device.
        """
        r = self._r
        with r.lock:
            private = self.in_force(book)
            accepted = r.book(book).administration.accepted
            if private is None or public_of(private) not in accepted or r.cards.locked:
                return 0
            public, readers = public_of(private), self.readers(book)
            known, count, passed = self._passed
            after = passed if (known, count) == (public, len(readers)) else 0
            waiting = r.store.cards.keys_not_for(book, public, after, limit)
            if not waiting:
                return 0
            made = 0
            with r.transaction():
                for key in waiting:
                    sealed = self._sealed_anew(book, key, readers, private)
                    if sealed is not None:
                        made += r.store.cards.put_key(
                            book, key.text_digest, key.key_digest, public, sealed
                        )
                        r.cards_touched.add((book, key.id))
            self._passed = (public, len(readers), waiting[-1].version)
            return made

    def _sealed_anew(
        self,
        book: str,
        key: CardKey,
        readers: list[X25519PrivateKey],
        private: X25519PrivateKey,
    ) -> bytes | None:
        for reader in readers:
            found = cards.seal_key_anew(
                key.sealed, reader, private.public_key(), book, key.text_digest
            )
            if found is not None:
                return found
        return None


def keys_in(directory: Path) -> list[X25519PrivateKey]:
    """All of the venue's keys in a directory of keys, the present one first. Raises
    DirectoryDamaged."""
    present = directory / VENUE_KEY_FILE
    paths = [*([present] if present.exists() else []), *sorted(directory.glob("venue-*.key"))]
    return [X25519PrivateKey.from_private_bytes(read_secret(path)) for path in paths]


def public_of(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
