"""One exchange between two replicas: what to ask, what to answer, what to take in.

Owns both halves of the protocol over a replica's store; bytes on the wire and signatures are the
transport's (`serving`, `transport`). The same code runs between any two replicas (DESIGN §7).

A reader's cursor says how far it is in the other side's journal. Where there is none, or it is of
another life of the other side, both compare heads by chain hash, which also finds forks and heals
what a cursor cannot see.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model.card_ids import DIGEST_BYTES, SEALED_TO_BYTES
from holdfast.model.errors import Forbidden, Invalid, Unreachable
from holdfast.model.limits import (
    CARD_KEY_BYTES_MAX,
    CARD_KEYS_AGAIN,
    CARD_KEYS_PER_MESSAGE,
    CARD_KEYS_WAITING_MAX,
    CHAINS_PER_BOOK_MAX,
    EXCHANGE_ENTRIES,
    EXCHANGE_FRAME_BYTES,
    FRAME_ENTRY_BYTES,
    IDLE_ROUNDS_MAX,
    PAGE_ENTRIES,
    SMALL_MERGE_ENTRIES,
    TRAIL_SPACING,
)
from holdfast.model.roles import CARD_READERS
from holdfast.node.identity import HUB_ROLE
from holdfast.node.replica import SOFTWARE, Merged
from holdfast.store.cards import CardKey
from holdfast.store.journal import ChainRow, JournalRow
from holdfast.sync.messages import (
    PROTOCOL_VERSION,
    TRAIL_HASH_BYTES,
    CardKeyItem,
    Cursor,
    ExchangeRequest,
    ExchangeResponse,
    Frame,
    Head,
    NodeStatus,
)
from holdfast.sync.pages import PageKey, state_vector
from holdfast.sync.seals import chain_start, client_id

if TYPE_CHECKING:
    from holdfast.node.service import Service

log = logging.getLogger("holdfast.exchange")


@dataclass
class Peer:
    """What this replica knows of the other side of one book.

    `heads` are the other side's chains by incarnation; None until it has told them. `refused` are
    chains that it does not take: they are offered again by the next sync, not by the next round.
    `keys_later` are versions of card keys that it did not take, and `keys_due` those of them that
    this sync offers again; `keys_offered` the round that carried keys last, and their versions.
    """

    book: str
    incarnation: bytes = b""
    heads: dict[bytes, list[Head]] | None = None
    cursor: Cursor | None = None
    keys_sent: int = 0
    round: int = 0
    idle_mismatches: int = 0
    refused: set[bytes] = field(default_factory=set)
    keys_later: list[int] = field(default_factory=list)
    keys_due: list[int] = field(default_factory=list)
    keys_offered: tuple[int, list[tuple[int, bytes]]] = (0, [])

    def begin_sync(self) -> None:
        """What it refused before is offered again; of card keys some, in turn."""
        self.refused.clear()
        waiting = [*self.keys_due, *self.keys_later]
        self.keys_due, self.keys_later = waiting[:CARD_KEYS_AGAIN], waiting[CARD_KEYS_AGAIN:]

    def begin_anew(self) -> None:
        """Another life answers: nothing is known of what it holds."""
        self.heads, self.cursor, self.keys_sent = None, None, 0
        self.keys_due, self.keys_later = [], []


@dataclass
class Round:
    """What one round did."""

    pushed: int = 0
    pulled: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    more: bool = False
    differing: bool = False
    hub_changed: bool = False
    touched: list[bytes] = field(default_factory=list)
    state: str = "serving"
    moved: bool = False


def next_idle(idle: int, outcome: Round) -> int:
    """How many rounds in a row now changed nothing on either side. Raises Unreachable where it is
    to be given up for now: an exchange that goes in circles must not go on for ever."""
    if outcome.moved or not outcome.more:
        return 0
    if idle + 1 >= IDLE_ROUNDS_MAX:
        raise Unreachable(
            "the exchange with the hub makes no progress although there is more to tell; it is "
            "tried again later, and the log of both sides says what was refused"
        )
    return idle + 1


class Exchange:
    """Both halves, for one replica."""

    def __init__(self, replica: Service) -> None:
        self._r = replica

    # --- heads ----------------------------------------------------------------------------------

    def heads(self, book: str) -> tuple[Head, ...]:
        """Every branch of every chain of a book, as held here."""
        return tuple(
            Head(
                chain.incarnation,
                chain.length,
                chain.head,
                state_vector(
                    client_id(book, chain.incarnation, (chain.length - 1) // PAGE_ENTRIES),
                    (chain.length - 1) % PAGE_ENTRIES + 1,
                ),
                self._trail(chain),
            )
            for chain in self._r.store.journal.chains(book)
            if chain.length
        )

    def _trail(self, chain: ChainRow) -> bytes:
        journal = self._r.store.journal
        places = range(TRAIL_SPACING, chain.length + 1, TRAIL_SPACING)
        return b"".join((journal.hash_at(chain, n) or b"")[:TRAIL_HASH_BYTES] for n in places)

    def _alike(self, chain: ChainRow, head: Head) -> int:
        """How many entries a branch and a head that is not on it have in common, rounded down to
        the spacing of the trail."""
        journal = self._r.store.journal
        low, high = 0, min(len(head.trail) // TRAIL_HASH_BYTES, chain.length // TRAIL_SPACING)
        while low < high:
            middle = (low + high + 1) // 2
            ours = journal.hash_at(chain, middle * TRAIL_SPACING) or b""
            start = (middle - 1) * TRAIL_HASH_BYTES
            if ours[:TRAIL_HASH_BYTES] == head.trail[start : start + TRAIL_HASH_BYTES]:
                low = middle
            else:
                high = middle - 1
        return low * TRAIL_SPACING

    def heads_digest(self, book: str) -> bytes:
        """Equal on two replicas exactly when they hold the same entries of a book."""
        digest = hashlib.sha256(book.encode())
        chains = [c for c in self._r.store.journal.chains(book) if c.length]
        for incarnation, length, head in sorted((c.incarnation, c.length, c.head) for c in chains):
            digest.update(incarnation + length.to_bytes(8, "big") + head)
        return digest.digest()

    def book_digest(self, book: str) -> bytes:
        return self._r.store.projections.book_digest(book).total.to_bytes(32, "big")

    # --- frames ---------------------------------------------------------------------------------

    def frames_lacking(
        self, book: str, heads: dict[bytes, list[Head]], skip: Collection[bytes] = ()
    ) -> tuple[list[Frame], bool]:
        """What the other side lacks, by its heads; True if there is more than fits a message."""
        budget = _Budget()
        for chain in self._r.store.journal.chains(book):
            if chain.incarnation in skip or not chain.length:
                continue
            have = self._held_by(chain, heads.get(chain.incarnation, []))
            self._add_frames(book, chain, have, chain.length, budget)
            if budget.full:
                return budget.frames, True
        return budget.frames, False

    def _held_by(self, chain: ChainRow, heads: Sequence[Head]) -> int:
        """How many of a branch's entries the other side holds, as far as its heads tell."""
        journal = self._r.store.journal
        have = 0
        for head in heads:
            matching = [
                branch
                for branch in journal.branches(chain.book, chain.incarnation)
                if branch.length >= head.entries
                and journal.hash_at(branch, head.entries) == head.hash
            ]
            if matching:
                have = max(have, *(min(head.entries, journal.shared(chain, m)) for m in matching))
            else:
                alike = self._alike(chain, head)
                if head.entries > chain.length and alike + TRAIL_SPACING > chain.length:
                    # It is ahead of us, or on a branch that we have not seen: its frames will tell.
                    alike = chain.length
                have = max(have, alike)
        return have

    def _add_frames(
        self, book: str, chain: ChainRow, have: int, upto: int, budget: _Budget
    ) -> None:
        journal = self._r.store.journal
        own = self._r.is_own(chain)
        author = self._r.book(book).authors.get(chain.incarnation)
        while have < upto and not budget.full:
            page = have // PAGE_ENTRIES
            first = page * PAGE_ENTRIES
            wanted = min(upto, first + PAGE_ENTRIES, have + budget.entries_left)
            # Who reads it must know a new key before anything is sealed with it (DESIGN §4.3).
            wanted = author.cut(have, wanted) if author is not None else wanted
            wanted = journal.within_bytes(chain, have, wanted, FRAME_ENTRY_BYTES)
            if own:
                cut, seal = wanted, self._r.seal_own(chain, wanted)
            else:
                sealed = journal.seal_for(chain, have, wanted)
                if sealed is None or sealed[0] > first + PAGE_ENTRIES:
                    return
                cut, seal = sealed
            update = self._r.pages.update(
                PageKey(chain.id, page),
                client_id(book, chain.incarnation, page),
                have - first,
                cut - first,
            )
            base = journal.hash_at(chain, have) or chain_start(book, chain.incarnation)
            budget.add(Frame(chain.incarnation, page, base, update, cut, seal), cut - have)
            have = cut

    def _feed(self, book: str, after: int, skip: bytes) -> tuple[list[Frame], int, bool]:
        """The journal after a sequence number, as frames: (frames, new position, more)."""
        rows = self._r.store.journal.since(book, after, EXCHANGE_ENTRIES)
        taken, size = 0, 0
        for row in rows:
            taken, size = taken + 1, size + len(row.entry)
            if size > EXCHANGE_FRAME_BYTES:
                break
        window = rows[:taken]
        more = len(rows) == EXCHANGE_ENTRIES or taken < len(rows)
        budget = _Budget(limit=False)
        for chain_id, first, last in _ranges(window):
            chain = self._r.store.journal.chain_by_id(chain_id)
            if chain.incarnation != skip or self._forked(chain):
                self._add_frames(book, chain, first - 1, last, budget)
        position = window[-1].seq if more and window else self._r.store.journal.last_seq
        return budget.frames, position, more

    def _forked(self, chain: ChainRow) -> bool:
        """Whether a chain has a second branch, which its own writer must see too."""
        return len(self._r.store.journal.branches(chain.book, chain.incarnation)) > 1

    # --- asking ---------------------------------------------------------------------------------

    def request(self, peer: Peer, *, pull: bool = True) -> ExchangeRequest:
        """The next question of a round; marks what it carries as sent."""
        with self._r.lock:
            frames: list[Frame] = []
            more = False
            if peer.heads is not None:
                frames, more = self.frames_lacking(peer.book, peer.heads, peer.refused)
            # A key whose entry is not known there is worth nothing, and only few are taken.
            keys = self._keys_for(peer) if peer.heads is not None and not more else []
            peer.round += 1
            peer.keys_offered = (peer.round, [(version, item.card) for version, item in keys])
            compare = peer.heads is None or peer.cursor is None
            return ExchangeRequest(
                PROTOCOL_VERSION,
                peer.book,
                self._r.identity.incarnation,
                peer.round,
                self._r.clock.now_ms(),
                peer.cursor,
                self.heads(peer.book) if compare else None,
                tuple(frames),
                tuple(item for _, item in keys),
                more,
                self._node_status(),
                pull,
            )

    def _node_status(self) -> NodeStatus:
        status = self._r.clock.interval()
        queued = self._r.store.queue.waiting() if self._r.keeps_queue else 0
        return NodeStatus(
            queued, status.state, status.latest - status.best, SOFTWARE, self._r.identity.number
        )

    def _keys_for(self, peer: Peer) -> list[tuple[int, CardKeyItem]]:
        """The next card keys for the other side: first those that it is to be offered again."""
        again = self._r.store.cards.keys_at(peer.keys_due)
        return _items(again) if again else self._keys_after(peer.book, peer.keys_sent)

    def _keys_after(self, book: str, version: int) -> list[tuple[int, CardKeyItem]]:
        return _items(self._r.store.cards.keys_since(book, version, CARD_KEYS_PER_MESSAGE))

    def absorb(self, peer: Peer, request: ExchangeRequest, response: ExchangeResponse) -> Round:
        """Take an answer in: verdicts, changes, keys, cursor; then compare."""
        outcome = Round(state=response.state)
        if peer.incarnation and peer.incarnation != response.sender:
            outcome.hub_changed = True
            peer.begin_anew()
        peer.incarnation = response.sender
        with self._r.transaction():
            merged = self._r.merge(peer.book, response.frames, "hub")
            outcome.moved |= self._take_keys(peer.book, response.keys, further=True).news > 0
            met = peer.cursor is None and response.cursor is not None
            if response.cursor is not None:
                # Stretches of the feed that this replica wrote itself bring nothing and are passed.
                outcome.moved |= peer.cursor is not None and response.cursor.seq > peer.cursor.seq
                peer.cursor = response.cursor
            if response.heads is not None:
                peer.heads = by_incarnation(response.heads)
            self._note_acks(peer, request, response, outcome)
            # What a device holds it decides like the hub: with what one exchange brought (§5.4).
            self._r.after_merge(
                peer.book, response.sender, response.more, not response.more, merged
            )
        self._note_sent(peer, request, response, outcome)
        self._note_peer_has(peer, merged)
        if request.keys and response.round == request.round:
            self._note_keys_sent(peer, request.round, response.keys_later)
            outcome.moved = True
        outcome.pulled = merged.entries
        outcome.moved |= bool(merged.entries or outcome.pushed or merged.refused)
        outcome.touched = list(merged.reservations)
        # Another life answered with its heads alone: the next round compares them.
        outcome.more = response.more or outcome.hub_changed or self._lacks(peer)
        # A hub that recovers has heard only who knows it already: the next round is from such.
        outcome.more |= met and response.state == "recovering"
        outcome.differing = self._compare(peer, request, response, merged, outcome)
        return outcome

    @staticmethod
    def _note_keys_sent(peer: Peer, number: int, later: Iterable[bytes]) -> None:
        """What a round carried is there, but for the cards that are to be offered again later."""
        offered = peer.keys_offered[1] if peer.keys_offered[0] == number else []
        not_taken = set(later)
        peer.keys_due = []
        peer.keys_later += [version for version, card in offered if card in not_taken]
        peer.keys_sent = max([peer.keys_sent, *(version for version, _ in offered)])

    def _lacks(self, peer: Peer) -> bool:
        """Whether this replica has more to tell."""
        if peer.heads is None:
            return False
        for chain in self._r.store.journal.chains(peer.book):
            heads = peer.heads.get(chain.incarnation, [])
            if chain.incarnation in peer.refused:
                continue
            if chain.length and self._held_by(chain, heads) < self._sendable(chain):
                return True
        return bool(self._r.store.cards.keys_since(peer.book, peer.keys_sent, 1))

    def _sendable(self, chain: ChainRow) -> int:
        if self._r.is_own(chain):
            return chain.length
        return max(self._r.store.journal.sealed_length(chain), chain.fork_at)

    def _note_acks(
        self, peer: Peer, request: ExchangeRequest, response: ExchangeResponse, outcome: Round
    ) -> None:
        """Settle the queue: everything that the other side has durably, less its exceptions."""
        queue, journal = self._r.store.queue, self._r.store.journal
        now_ms = self._r.clock.now_ms()
        told = [*response.acks]
        told += [(h.incarnation, h.entries, h.hash) for h in response.heads or ()]
        unseen = False
        for incarnation, entries, digest in dict.fromkeys(told):
            chain = self._branch_with(peer.book, incarnation, entries, digest)
            if chain is None:
                unseen = unseen or self._out_of_sight(peer.book, incarnation, entries)
                continue
            outcome.moved |= self._add_head(peer, chain, entries, digest)
            if self._r.keeps_queue:
                for n, verdict, reason in (
                    (v[1], v[2], v[3]) for v in response.verdicts if v[0] == incarnation
                ):
                    queue.mark_verdict(chain.id, n, verdict, reason, now_ms)
                    outcome.verdicts[verdict] = outcome.verdicts.get(verdict, 0) + 1
                merged = queue.mark_merged(chain.id, entries, now_ms)
                if merged:
                    outcome.verdicts["merged"] = outcome.verdicts.get("merged", 0) + merged
                    outcome.pushed += merged
        if unseen and response.heads is None:
            # Without a comparison the same frame would be offered again and again, or a branch that
            # counts be missing here for as long as nothing else makes both sides compare.
            peer.heads, peer.cursor = None, None
        if response.heads is not None and self._r.keeps_queue:
            self._offer_again(peer)
        for incarnation, page, reason in response.refused:
            chain = journal.chain(peer.book, incarnation)
            if reason == "gap" or chain is None:
                # The other side knows less than we thought: compare by chain hash.
                peer.heads, peer.cursor = None, None
                continue
            peer.refused.add(incarnation)
            if self._r.keeps_queue:
                first = page * PAGE_ENTRIES
                queue.mark_refused(chain.id, first, first + PAGE_ENTRIES, reason, now_ms)
                outcome.verdicts["quarantined"] = outcome.verdicts.get("quarantined", 0) + 1

    def _offer_again(self, peer: Peer) -> None:
        """What the other side turns out not to hold is queued again, whatever another life of it
        had acknowledged (§7.6)."""
        for chain in self._r.store.journal.chains(peer.book):
            if self._r.is_own(chain) and peer.heads is not None:
                have = self._held_by(chain, peer.heads.get(chain.incarnation, []))
                if have < chain.length:
                    self._r.store.queue.reopen(chain.id, have)

    def _out_of_sight(self, book: str, incarnation: bytes, entries: int) -> bool:
        """Whether the other side, which has so many entries of a branch that is not held here, has
        what no cursor shows to this replica: more of a chain of its own, as where a copy of this
        directory told it, or another branch of a chain, which came there first."""
        branches = self._r.store.journal.branches(book, incarnation)
        return any(branch.length >= entries or self._r.is_own(branch) for branch in branches)

    def _branch_with(
        self, book: str, incarnation: bytes, entries: int, digest: bytes
    ) -> ChainRow | None:
        """The held branch whose first `entries` end in this hash."""
        journal = self._r.store.journal
        return next(
            (
                branch
                for branch in journal.branches(book, incarnation)
                if journal.hash_at(branch, entries) == digest
            ),
            None,
        )

    def _note_sent(
        self, peer: Peer, request: ExchangeRequest, response: ExchangeResponse, outcome: Round
    ) -> None:
        """What was sent and not refused is held there, even where the other side's heads name a
        branch that is not known here."""
        refused = {incarnation for incarnation, _, _ in response.refused}
        journal = self._r.store.journal
        for frame in request.frames:
            if frame.incarnation in refused:
                outcome.moved = True
                continue
            for branch in journal.branches(peer.book, frame.incarnation):
                digest = journal.hash_at(branch, frame.sealed)
                if digest is not None and journal.seal_at(branch, frame.sealed) == frame.seal:
                    outcome.moved |= self._add_head(peer, branch, frame.sealed, digest)

    def _add_head(self, peer: Peer, branch: ChainRow, entries: int, digest: bytes) -> bool:
        """The other side holds a branch that far; what it held of the same branch is covered. True
        if that is news."""
        if peer.heads is None:
            return False
        journal = self._r.store.journal
        known = peer.heads.get(branch.incarnation, [])
        if any((h.entries, h.hash) == (entries, digest) for h in known):
            return False
        kept = [
            head
            for head in known
            if head.entries > entries or journal.hash_at(branch, head.entries) != head.hash
        ]
        kept.append(Head(branch.incarnation, entries, digest))
        peer.heads[branch.incarnation] = kept
        return True

    def _note_peer_has(self, peer: Peer, merged: Merged) -> None:
        """What it sent, it has."""
        for incarnation, entries, digest in merged.landed:
            branch = self._branch_with(peer.book, incarnation, entries, digest)
            if branch is not None:
                self._add_head(peer, branch, entries, digest)

    def _compare(
        self,
        peer: Peer,
        request: ExchangeRequest,
        response: ExchangeResponse,
        merged: Merged,
        outcome: Round,
    ) -> bool:
        """A sync ends by comparing both sides (§7.6). True if the books differ and stay so."""
        if outcome.more or request.more or not response.digest:
            return False
        if response.digest_heads != self.heads_digest(peer.book):
            # Lag, unless nothing moved: then what one side holds is out of the cursor's sight.
            if not merged.entries and not outcome.pushed:
                peer.idle_mismatches += 1
                if peer.idle_mismatches >= 2:
                    peer.heads, peer.cursor, peer.idle_mismatches = None, None, 0
            return False
        peer.idle_mismatches = 0
        if response.digest == self.book_digest(peer.book):
            return False
        # Same entries, another book: one side's projections are wrong. Ours can be made anew.
        self._r.refold(peer.book)
        return response.digest != self.book_digest(peer.book)

    # --- answering --------------------------------------------------------------------------------

    def answer(
        self, request: ExchangeRequest, speaker: str | None = None, role: str = ""
    ) -> ExchangeResponse:
        """Take a request in and answer it. What it carried is durable when this returns.

        `speaker` and `role` are those in the certificate that signed the request. Raises Forbidden
        where the incarnation that the request speaks for turns out to be another writer's.
        """
        received_ms = self._r.clock.now_ms()
        with self._r.lock:
            merged = self._take_in(request, speaker, role)
            # Outside the transaction: what was destroyed in it must be gone from the files first.
            self._r.forgetting.confirm(request.book)
            return self._respond(request, merged, received_ms, speaker)

    def _take_in(self, request: ExchangeRequest, speaker: str | None, role: str) -> Merged:
        with self._r.transaction():
            merged = self._r.merge(request.book, request.frames, speaker or "")
            author = self._r.book(request.book).authors.get(request.sender)
            if speaker is not None and author is not None and author.info.name != speaker:
                raise Forbidden(f"{speaker} spoke for an incarnation of {author.info.name}")
            further = role in (*CARD_READERS, HUB_ROLE)
            taken = self._take_keys(
                request.book, request.keys, further=further, sender=speaker or ""
            )
            merged.keys_later = taken.later
            small = not request.more and merged.entries <= SMALL_MERGE_ENTRIES
            complete = self._told_all(request)
            if small:
                self._r.after_merge(request.book, request.sender, request.more, complete, merged)
                # What was decided goes out with the answer; sealed here, it needs no second commit.
                self._r.seal_tip(request.book)
        if not small:
            self._r.after_merge(request.book, request.sender, request.more, complete, merged)
        return merged

    def _told_all(self, request: ExchangeRequest) -> bool:
        """Whether the sender holds nothing any more that this replica lacks: only then was it
        heard (§5.9).

        Only a sender who has a cursor of this life can say so: it was given to it when their heads
        were compared. A request without one may have been under way since before this life began,
        and what its writer heard meanwhile from the hub of before is not in it.
        """
        cursor = request.cursor
        journal = self._r.store.journal
        if request.more or cursor is None or not self._is_own(cursor):
            return False
        return all(
            any(
                journal.hash_at(branch, head.entries) == head.hash
                for branch in journal.branches(request.book, head.incarnation)
            )
            for head in request.heads or ()
        )

    def _take_keys(
        self,
        book: str,
        keys: Iterable[CardKeyItem],
        *,
        further: bool,
        sender: str | None = None,
    ) -> TakenKeys:
        """Keep what travels beside the pages. Raises Invalid, and nothing of the message counts.

        A card's first key is known by its bytes, whoever brings it. `further`: the sender reads
        cards, or passes on what others read (the hub): it may bring keys that were sealed anew to
        another of the venue's keys, which nobody else can tell from junk. `sender` is the device's
        name: of one sender only so many keys are kept whose cards no known entry carries, for
        everybody would keep them, and nobody could say what they are. None: the hub, which has
        looked at that.
        """
        cards = self._r.store.cards
        in_force = self._r.book(book).administration.venue_key
        waiting = cards.waiting_of(book, sender) if sender is not None else 0
        taken = 0
        later: list[bytes] = []
        for key in keys:
            _check_key(key)
            if not (further or key.first):
                continue
            card = key.card
            named = (book, key.text_digest, key.key_digest, key.sealed_to, key.sealed)
            if not cards.lacks_key(*named) or (
                key.sealed_to != in_force and cards.holds_key(book, card, in_force)
            ):
                continue
            waits = sender is not None and not cards.is_placed(book, card)
            if waits and waiting >= CARD_KEYS_WAITING_MAX:
                later.append(card)
                continue
            if cards.put_key(*named):
                cards.try_again(book, card)
                self._r.cards_touched.add((book, card))
                taken += 1
                if waits and sender is not None:
                    cards.wait_for_entry(book, card, key.sealed_to, sender)
                    waiting += 1
        if later:
            log.warning(
                "%s sent %d keys of cards that no entry carries; %d wait already, so these were not"
                " taken", sender, len(later), waiting,
            )  # fmt: skip
        return TakenKeys(taken, tuple(later))

    def _respond(
        self, request: ExchangeRequest, merged: Merged, received_ms: int, speaker: str | None
    ) -> ExchangeResponse:
        journal = self._r.store.journal
        book = request.book
        frames: list[Frame] = []
        cursor, more, heads = None, False, None
        valid = request.cursor is not None and self._is_own(request.cursor)
        keys_after = request.cursor.keys if valid and request.cursor is not None else 0
        if request.heads is not None:
            heads = self.heads(book)
        if request.pull and request.heads is not None:
            told = by_incarnation(request.heads[:CHAINS_PER_BOOK_MAX])
            position = journal.last_seq
            frames, more = self.frames_lacking(book, told)
            if not more:
                cursor = Cursor(self._r.identity.incarnation, position, keys_after)
        elif request.pull and valid and request.cursor is not None:
            frames, position, more = self._feed(book, request.cursor.seq, request.sender)
            cursor = Cursor(self._r.identity.incarnation, position, keys_after)
        elif request.pull:
            heads = self.heads(book)
        keys = self._keys_after(book, keys_after) if request.pull else []
        if cursor is not None and keys:
            cursor = Cursor(cursor.incarnation, cursor.seq, keys[-1][0])
            more = more or len(keys) == CARD_KEYS_PER_MESSAGE
        interval = self._r.clock.interval()
        return ExchangeResponse(
            PROTOCOL_VERSION,
            self._r.identity.incarnation,
            request.round,
            received_ms,
            interval.best,
            interval.latest - interval.best,
            tuple(self._acks(book, merged)),
            tuple(self._verdicts(book, merged, request, speaker)),
            tuple(merged.refused),
            tuple(frames),
            tuple(item for _, item in keys),
            cursor,
            heads,
            more,
            self.book_digest(book),
            self.heads_digest(book),
            self._r.exchange_state,
            merged.keys_later,
        )

    def _is_own(self, cursor: Cursor) -> bool:
        """Whether a cursor was given out by this life, of a journal no longer than it is now."""
        return (
            cursor.incarnation == self._r.identity.incarnation
            and cursor.seq <= self._r.store.journal.last_seq
        )

    def _acks(self, book: str, merged: Merged) -> Iterable[tuple[bytes, int, bytes]]:
        for incarnation in merged.acks:
            for chain in self._r.store.journal.branches(book, incarnation):
                yield incarnation, chain.length, chain.head

    def _verdicts(
        self, book: str, merged: Merged, request: ExchangeRequest, speaker: str | None
    ) -> Iterable[tuple[bytes, int, str, str]]:
        """What did not simply merge, told again to a device that compares, of all its lives."""
        yield from merged.verdicts
        if request.heads is None:
            return
        told = {(v[0], v[1]) for v in merged.verdicts}
        authors = self._r.book(book).authors
        for chain in self._r.store.journal.chains(book):
            author = authors.get(chain.incarnation)
            if author is None or author.info.name != speaker:
                continue
            for n, verdict, reason in self._r.store.journal.verdicts(chain, 0, chain.length):
                if (chain.incarnation, n) not in told:
                    yield chain.incarnation, n, verdict, reason

    def news(self, book: str, cursor: Cursor, sender: bytes) -> ExchangeResponse | None:
        """What is new since a live reader's cursor; None if nothing is."""
        with self._r.lock:
            keys = self._keys_after(book, cursor.keys)
            if cursor.seq >= self._r.store.journal.last_seq and not keys:
                return None
            frames, position, more = self._feed(book, cursor.seq, sender)
            new = Cursor(
                self._r.identity.incarnation, position, keys[-1][0] if keys else cursor.keys
            )
            interval = self._r.clock.interval()
            return ExchangeResponse(
                PROTOCOL_VERSION, self._r.identity.incarnation, 0, interval.best, interval.best,
                interval.latest - interval.best, (), (), (), tuple(frames),
                tuple(item for _, item in keys), new, None, more,
                b"" if more else self.book_digest(book), b"" if more else self.heads_digest(book),
                self._r.exchange_state,
            )  # fmt: skip


def _check_key(key: CardKeyItem) -> None:
    """Raises Invalid for what can be no card's key."""
    if not (
        len(key.text_digest) == len(key.key_digest) == DIGEST_BYTES
        and len(key.sealed_to) == SEALED_TO_BYTES
        and 0 < len(key.sealed) <= CARD_KEY_BYTES_MAX
    ):
        raise Invalid("a card's key has two digests of 16 bytes, a venue's key and a sealed key")


class TakenKeys(NamedTuple):
    """How many card keys were news, and the cards whose keys are to be offered again later."""

    news: int
    later: tuple[bytes, ...]


class _Budget:
    """How much more one message may carry."""

    def __init__(self, *, limit: bool = True) -> None:
        self.frames: list[Frame] = []
        self.entries_left = EXCHANGE_ENTRIES if limit else 1 << 30
        self._bytes_left = EXCHANGE_FRAME_BYTES if limit else 1 << 40

    @property
    def full(self) -> bool:
        return self.entries_left <= 0 or self._bytes_left <= 0

    def add(self, frame: Frame, entries: int) -> None:
        self.frames.append(frame)
        self.entries_left -= entries
        self._bytes_left -= len(frame.update)


def _items(keys: Iterable[CardKey]) -> list[tuple[int, CardKeyItem]]:
    """Keys as they travel, with their versions here."""
    return [
        (key.version, CardKeyItem(key.text_digest, key.key_digest, key.sealed, key.sealed_to))
        for key in keys
    ]


def by_incarnation(heads: Iterable[Head]) -> dict[bytes, list[Head]]:
    found: dict[bytes, list[Head]] = {}
    for head in heads:
        found.setdefault(head.incarnation, []).append(head)
    return found


def _ranges(rows: Sequence[JournalRow]) -> list[tuple[int, int, int]]:
    """(chain, first n, last n) of every chain in a window of the journal."""
    found: dict[int, tuple[int, int]] = {}
    for row in rows:
        first, _ = found.get(row.chain, (row.n, row.n))
        found[row.chain] = (first, row.n)
    return [(chain, first, last) for chain, (first, last) in found.items()]
