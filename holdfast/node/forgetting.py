"""Forgetting a guest: what entries erase is destroyed here, and this device says so.

Owns the way from `guest.erased` to bytes that are gone: in the transaction that brings the last of
entry, card and key together the key is destroyed; the write-ahead log is emptied; then an entry of
one's own confirms it. Which cards an erasure covers stands in `model.forgetting`; the bytes are
`store.cards`' business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.model.entries import Malformed, decode
from holdfast.model.errors import Forbidden, Invalid, NotFound
from holdfast.model.events import GuestErased, GuestErasureConfirmed
from holdfast.model.forgetting import ERASERS, Erasure, Occurrence, covering
from holdfast.model.limits import ERASURES_PER_ENTRY_MAX
from holdfast.model.pseudonyms import is_agent_id
from holdfast.model.vocabulary import ERASE_REASONS
from holdfast.node.identity import HUB_ROLE
from holdfast.node.lookup import node_name
from holdfast.node.reasons import reason_code
from holdfast.node.same_guests import agents_everywhere

if TYPE_CHECKING:
    from holdfast.node.service import Service

CONFIRMED: Final = "confirmed"
WAITING: Final = "waiting"
SHUT_OUT: Final = "shut_out"
STATES: Final = (CONFIRMED, WAITING, SHUT_OUT)
"""Of a device: it has destroyed what it held; it has not said so yet; it was shut out, and what it
holds nobody will hear of."""


class Device(NamedTuple):
    """A device of a book and when it was last heard, Unix milliseconds; 0: never."""

    name: str
    role: str
    last_seen_ms: int
    revoked: bool


class Forgetting:
    def __init__(self, replica: Service) -> None:
        self._r = replica
        self._to_scrub = True
        """Whether the write-ahead log may hold what was destroyed; nobody knows at the start."""
        self._all_said: dict[str, tuple[bytes, int]] = {}
        """By book: the life that has confirmed all erasures, and at which change of them."""

    # --- destroying -----------------------------------------------------------------------------

    def destroy_covered(self) -> None:
        """Destroy what this transaction has brought together; call at its end, inside it.

        Whatever came last (the erasure, the card's entry, the key), a commit never holds the key of
        a card that an erasure in the same book covers.
        """
        r = self._r
        if not (r.cards_touched or r.erasures_touched):
            return
        touched = set(r.cards_touched)
        for book, agent in r.erasures_touched:
            touched.update((book, one.id) for one in r.store.cards.placed_of(book, agent))
        for book, card in sorted(touched):
            self._destroy_if_covered(book, card)
            self._keep_newest(book, card)

    def _destroy_if_covered(self, book: str, card: bytes) -> None:
        erasures = self._r.book(book).administration.erasures
        if not erasures:
            return
        cards = self._r.store.cards
        # A key whose entry has not come yet opens nothing; it is judged when the entry comes.
        found = [Occurrence(one.agent_id, one.stamp) for one in cards.placed(book, card)]
        erasure = covering(card, found, erasures)
        if erasure is not None:
            cards.erase(book, card, erasure.operation, erasure.stamp >> 16)
            self._r.notes_opened.clear()
            self._to_scrub = True

    def _keep_newest(self, book: str, card: bytes) -> None:
        """A key that is here sealed to the venue's key in force needs no other one beside it."""
        cards = self._r.store.cards
        keys = cards.keys(book, card)
        in_force = self._r.book(book).administration.venue_key
        if len(keys) > 1 and any(key.sealed_to == in_force for key in keys):
            cards.destroy_keys(book, card, keep=in_force)
            self._to_scrub = True

    # --- confirming -----------------------------------------------------------------------------

    def confirm(self, book: str) -> bool:
        """Say on one's own chain what was destroyed here. Returns whether anything was written.

        First the write-ahead log is emptied; while somebody still reads an older state nothing is
        said, and it is tried again with the next exchange.
        """
        r = self._r
        with r.lock:
            if r.in_transaction or not self._scrubbed():
                return False
            state = r.books.get(book)
            if state is None or not state.administration.erasures:
                return False
            own = r.identity.incarnation
            known = (own, state.administration.erasures_changes)
            if self._all_said.get(book) == known:
                return False
            waiting = state.administration.unconfirmed(own)
            if not waiting:
                self._all_said[book] = known
            if not waiting or not r.may_confirm(book):
                return False
            operations = sorted(erasure.operation for erasure in waiting)
            with r.transaction():
                for first in range(0, len(operations), ERASURES_PER_ENTRY_MAX):
                    named = tuple(operations[first : first + ERASURES_PER_ENTRY_MAX])
                    r.append(book, GuestErasureConfirmed(named))
            return True

    def _scrubbed(self) -> bool:
        """Whether no file holds what was destroyed here."""
        if self._to_scrub:
            self._to_scrub = not self._r.store.scrub()
        return not self._to_scrub

    def confirm_all(self) -> None:
        """`confirm`, in every book."""
        with self._r.lock:
            books = list(self._r.books)
        for book in books:
            self.confirm(book)

    # --- asking ---------------------------------------------------------------------------------

    def erase(self, agent: str, reason: str) -> list[dict[str, Any]]:
        """Forget a person in every book of this replica that knows them, and return what `report`
        says of it. Whoever is merged with them, at whatever venue, is them: a merge that is heard
        of later has nobody forgotten, since what is destroyed cannot be brought back.

        Reservations stay, under the agent id alone. Raises Invalid, Forbidden where this device may
        not, NotFound for somebody of whom nothing is known here.
        """
        r = self._r
        if r.identity.role not in ERASERS:
            raise Forbidden(
                f"a {r.identity.role} erases nobody; do this at a front desk or at the hub"
            )
        code = reason_code(reason, ERASE_REASONS)
        with r.transaction():
            books = self.known_by_any(agent)
            agents = agents_everywhere(r, agent)
            for book in books:
                for one in agents:
                    if self._knows(book, one):
                        r.append(book, GuestErased(one, code, self._dated_ahead(book, one)))
        for book in books:
            self.confirm(book)
        return [item for one in agents for item in self.report(one)]

    def known_by_any(self, agent: str) -> list[str]:
        """The books that know a person, under whatever agent id that is merged with theirs
        somewhere. Raises Invalid, NotFound."""
        self.require_known(agent)
        with self._r.lock:
            agents = agents_everywhere(self._r, agent)
            return [
                book
                for book in sorted(self._r.books)
                if any(self._knows(book, one) for one in agents)
            ]

    def require_known(self, agent: str) -> list[str]:
        """The books that know a person. Raises Invalid, NotFound."""
        if not is_agent_id(agent):
            raise Invalid.field("agent_id", "must be agent_ and 32 characters")
        with self._r.lock:
            known = [book for book in sorted(self._r.books) if self._knows(book, agent)]
        if not known:
            raise NotFound(
                f"nothing of {agent} is known here; `holdfast reservations show` and "
                "`holdfast guests find` tell a guest's agent id"
            )
        return known

    def _knows(self, book: str, agent: str) -> bool:
        store = self._r.store
        return bool(
            store.projections.select(book=book, agent_id=agent, form=None, limit=1)
            or store.cards.placed_of(book, agent)
            or store.restrictions.knows(book, agent)
            or store.guest_entries.knows(book, agent)
            or agent in self._r.book(book).administration.erasures
        )

    def _dated_ahead(self, book: str, agent: str) -> tuple[bytes, ...]:
        """Cards of a person that are known here and that a clock ahead of this one's has dated."""
        now = max(self._r.last_stamp, self._r.clock.now_ms() << 16)
        placed = self._r.store.cards.placed_of(book, agent)
        later = {one.id for one in placed if one.stamp > now}
        return tuple(sorted(later))[:ERASURES_PER_ENTRY_MAX]

    # --- showing --------------------------------------------------------------------------------

    def report(self, agent: str | None = None) -> list[dict[str, Any]]:
        """Every erasure that is known here, or those of one person, the oldest first: whether it
        counts, who has destroyed what they held, and whose word is awaited."""
        with self._r.lock:
            shown = []
            for book in sorted(self._r.books):
                erasures = self._erasures(book, agent)
                devices = self._devices(book) if erasures else []
                shown += [self._shown(book, erasure, devices) for erasure in erasures]
            return shown

    def _erasures(self, book: str, agent: str | None) -> list[Erasure]:
        written = self._r.book(book).administration.erasures_written.values()
        chosen = [one for one in written if agent in (None, one.agent_id)]
        return sorted(chosen, key=lambda one: (one.stamp, one.operation))

    def _shown(
        self, book: str, erasure: Erasure, known: list[tuple[bytes, Device]]
    ) -> dict[str, Any]:
        administration = self._r.book(book).administration
        counts = erasure in administration.erasures.get(erasure.agent_id, ())
        confirmed = administration.confirmed.get(erasure.operation, {})
        devices = [_standing(device, confirmed.get(life)) for life, device in known]
        return {
            "id": erasure.operation.hex(),
            "agent_id": erasure.agent_id,
            "venue": book.partition("/")[2],
            "reason": erasure.reason or None,
            "by": node_name(self._r, book, erasure.writer),
            "asked_at_ms": erasure.stamp >> 16,
            "counts": counts,
            "complete": counts and all(one["state"] == CONFIRMED for one in devices),
            "devices": devices,
        }

    def _devices(self, book: str) -> list[tuple[bytes, Device]]:
        """Each device by its newest life, the hub first: an earlier one's word says nothing of a
        directory that was restored since. Of one that has written nothing the life is empty."""
        joined = {one.name: one for one in self._r.devices_joined(book)}
        lives = dict(self._newest_lives(book))
        found = []
        for name in sorted(lives.keys() | joined.keys(), key=lambda name: (name != "hub", name)):
            life, device = lives.get(name) or (b"", joined[name])
            register = joined.get(name, device)
            seen = max(device.last_seen_ms, register.last_seen_ms)
            revoked = device.revoked and register.revoked
            found.append((life, Device(name, device.role, seen, revoked)))
        return found

    def _newest_lives(self, book: str) -> Iterable[tuple[str, tuple[bytes, Device]]]:
        """By name: the newest life of each device that nobody has closed, else the newest."""
        state = self._r.book(book)
        administration = state.administration
        newest: dict[str, tuple[tuple[bool, int, bytes], Device]] = {}
        for incarnation, author in state.authors.items():
            info = author.info
            followed = incarnation in administration.succeeded or any(
                incarnation in before for before in administration.succeeds.values()
            )
            standing = incarnation not in administration.closes and not followed
            rank = (standing, info.number, incarnation)
            name = "hub" if info.is_hub else info.name
            if name not in newest or rank > newest[name][0]:
                role = HUB_ROLE if info.is_hub else info.role
                revoked = not info.is_hub and administration.is_revoked(author.serials[-1:])
                seen = self._last_written_ms(book, incarnation)
                newest[name] = (rank, Device(name, role, seen, revoked))
        return [(name, (rank[2], device)) for name, (rank, device) in newest.items()]

    def _last_written_ms(self, book: str, incarnation: bytes) -> int:
        """When a life wrote its last entry that is known here."""
        journal = self._r.store.journal
        chain = journal.chain(book, incarnation)
        if chain is None or not chain.length:
            return 0
        try:
            return decode(journal.entries(chain, chain.length - 1, chain.length)[0]).stamp >> 16
        except Malformed:
            return 0


def _standing(device: Device, stamp: int | None) -> dict[str, Any]:
    """How it stands with one device that confirmed with this stamp, or (None) has not."""
    state = CONFIRMED if stamp is not None else SHUT_OUT if device.revoked else WAITING
    return {
        "name": device.name,
        "role": device.role,
        "state": state,
        "confirmed_at_ms": stamp >> 16 if stamp is not None else None,
        "last_seen_at_ms": device.last_seen_ms or None,
    }
