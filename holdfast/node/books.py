"""Books as folded in memory: who writes their chains, and what they say about themselves.

Owns the way from the journal's administrative entries to a `BookState`: certificates, keys, closes
and which branch of a closed chain counts, quotas of chains. What a fold means stands in
`model.administration`; reservations are the projections' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.model.administration import Administration, Close, WriterInfo, serial_bytes
from holdfast.model.errors import HoldfastError
from holdfast.model.events import (
    ChainCertified,
    ChainClosed,
    ChainKeyChanged,
    ChainSucceeded,
    Event,
    GuestErased,
    NodeRevoked,
    RightRevoked,
)
from holdfast.model.forgetting import Head, Life, reach
from holdfast.model.limits import CHAINS_PER_BOOK_MAX, CHAINS_PER_CERTIFICATE_MAX
from holdfast.node.identity import Identity, verify_certificate, verify_renewed
from holdfast.store.journal import ChainRow, Journal
from holdfast.sync import gate
from holdfast.sync.gate import Judged, Refused


class KeyChange(NamedTuple):
    """From entry `first` on a chain is sealed with `key`, on the branch whose entry before that
    has this `hash` (empty: the key with which the chain begins)."""

    first: int
    key: Ed25519PublicKey
    hash: bytes


@dataclass(slots=True)
class ChainAuthor:
    """Who writes a chain: what its first certificate says, all the certificates it had, the first
    one first, and the keys with the entry each begins at."""

    info: WriterInfo
    certified: list[Identity]
    keys: list[KeyChange]

    @property
    def role(self) -> str:
        """What the certificate says: no later one of the chain changes it."""
        return self.info.role

    @property
    def venue(self) -> str:
        return self.certified[0].venue

    @property
    def serials(self) -> list[int]:
        """The numbers of all its certificates, and of those that they renew."""
        return list(dict.fromkeys(n for one in self.certified for n in one.serials))

    @property
    def bearer(self) -> tuple[int, int]:
        """The numbers by which whoever goes on with the chain can be shut out."""
        return self.certified[-1].serials

    def key_at(self, n: int, hash_at: gate.HashAt) -> Ed25519PublicKey:
        """The key that a seal over the first n entries must be signed with, on the branch with
        these hashes."""
        change = max(
            (
                change
                for change in self.keys
                if change.first <= n
                and (not change.hash or hash_at(change.first - 1) == change.hash)
            ),
            key=lambda change: change.first,
        )
        return change.key

    def cut(self, after: int, upto: int) -> int:
        """Where a frame from entry `after` on ends: a key must be known before it seals."""
        return min((c.first - 1 for c in self.keys if after < c.first - 1 < upto), default=upto)


class Closing(NamedTuple):
    """An entry that closes a chain: when and where it stands, and what it says."""

    stamp: int
    hash: bytes
    chain: ChainRow
    n: int
    closed: bytes
    close: Close


@dataclass
class BookState:
    """A book as folded in memory: its administration, the authors of its chains, every close that
    was written, by chain and number, the serial numbers of certificates whose key its writer has
    replaced by another, and by operation where each erasure stands. `erasures_moved`: which of them
    count is to be asked again; `erasures_waiting` are the writers of some that do not count.

    `replaced_ms` says by line from when the certificate is that last took the place of one with
    another key (`not_before_ms`): older ones of its line are good no more, known or not. Whoever
    copied a key may have had certificates issued with it that no chain shows.
    """

    name: str
    administration: Administration = field(default_factory=Administration)
    authors: dict[bytes, ChainAuthor] = field(default_factory=dict)
    closings: dict[tuple[int, int], Closing] = field(default_factory=dict)
    superseded: set[int] = field(default_factory=set)
    replaced_ms: dict[int, int] = field(default_factory=dict)
    erased_at: dict[bytes, tuple[ChainRow, int]] = field(default_factory=dict)
    erasures_moved: bool = False
    erasures_waiting: set[bytes] = field(default_factory=set)


class Books:
    """The books of one replica, over its journal; `root` gives the tenant's root certificate."""

    def __init__(self, journal: Journal, root: Callable[[], bytes]) -> None:
        self._journal = journal
        self._root = root
        self.by_name: dict[str, BookState] = {}

    def fold(self, name: str) -> None:
        """Fold what the journal says about a book itself, in an order that arrival does not decide:
        who writes, then what was closed, then all that must be read up to those heads and no
        further."""
        book = self.by_name[name] = BookState(name)
        journal = self._journal
        rest: list[tuple[ChainRow, Judged]] = []
        closed: list[tuple[ChainRow, Judged]] = []
        for row in journal.administration(name):
            chain = journal.chain_by_id(row.chain)
            judged = gate.judge(chain.incarnation, row.n, row.hash, row.entry)
            if isinstance(judged.event, ChainCertified | ChainKeyChanged):
                self.absorb(book, chain, judged)
            elif isinstance(judged.event, ChainClosed):
                closed.append((chain, judged))
            else:
                rest.append((chain, judged))
        for chain, judged in closed:
            self._note_closing(book, chain, judged)
        self._resolve(book)
        for chain, judged in rest:
            self.absorb(book, chain, judged)
        self.count_erasures(book)

    def require_room(self, book: BookState, author: gate.Author) -> None:
        """Everybody keeps every chain, so that no device may begin any number of them. Raises
        Refused."""
        assert isinstance(author, ChainAuthor)
        chains = self._journal.chains(book.name)
        own = sum(
            1
            for chain in chains
            if (known := book.authors.get(chain.incarnation)) is not None
            and known.certified[0].line == author.certified[0].line
        )
        if len(chains) >= CHAINS_PER_BOOK_MAX or own >= CHAINS_PER_CERTIFICATE_MAX:
            raise Refused("too-many-chains")

    def certify(self, name: str, incarnation: bytes, event: ChainCertified) -> ChainAuthor:
        """Who a chain's certificate says its writer is. Raises Refused."""
        try:
            identity = verify_certificate(event.certificates, self._root())
        except HoldfastError as error:
            raise Refused("certificate-invalid") from error
        tenant, _, venue = name.partition("/")
        if identity.tenant != tenant or identity.venue not in (venue, "*"):
            raise Refused("certificate-foreign")
        is_hub = identity.role == "hub"
        if (identity.venue == "*") != is_hub:
            raise Refused("certificate-foreign")
        info = WriterInfo(incarnation, identity.name, identity.role, event.number, is_hub)
        return ChainAuthor(info, [identity], [KeyChange(1, identity.public_key, b"")])

    def _renew(self, book: BookState, author: ChainAuthor, chain: ChainRow, judged: Judged) -> None:
        """A writer goes on with another certificate. One whose key is replaced is good no more:
        whoever else has that key speaks for nobody (§4.3)."""
        event = judged.event
        assert isinstance(event, ChainKeyChanged)
        renewed = verify_renewed(author.certified[0], event.certificates, self._root())
        if renewed is None:
            return
        before = author.certified
        author.certified = [*before, renewed]
        author.keys.append(KeyChange(judged.n + 1, renewed.public_key, judged.hash))
        if not self.counts(book, chain, judged.n):
            return
        book.superseded.update(one.serial for one in before if one.public_key != renewed.public_key)
        if before[-1].public_key != renewed.public_key:
            for line in {one.line for one in author.certified}:
                known = book.replaced_ms.get(line, 0)
                book.replaced_ms[line] = max(known, renewed.not_before_ms)

    def counts(self, book: BookState, chain: ChainRow, n: int) -> bool:
        """Whether entry n of a branch counts as its writer's word: not beyond the head at which
        the hub closed the chain, and on the branch that has this head (DESIGN §4.3)."""
        close = book.administration.closes.get(chain.incarnation)
        if close is not None:
            return self._within(book, chain, n, close)
        if not chain.parent and len(self._journal.branches(book.name, chain.incarnation)) == 1:
            return True
        # Not closed yet: of several branches everybody takes the same one for the hub's word.
        standing = self.standing(book, chain.incarnation)
        # Of its own chain an entry that is being written is not in the journal yet.
        return standing.id == chain.id or n <= self._journal.shared(chain, standing)

    def standing(self, book: BookState, incarnation: bytes) -> ChainRow:
        """Of a chain's branches the one that counts until a close names one: the one that the hub
        knew when it shut the device out and gave its places to others; else, where two part, the
        one whose next entry is older (then: has the lesser hash); a longer one over its own
        beginning. So a sale is not undone by one that was made later."""
        journal = self._journal
        branches = journal.branches(book.name, incarnation)
        if len(branches) > 1:
            for shut_out in book.administration.shut_outs.values():
                head = shut_out.heads.get(incarnation)
                for branch in branches if head is not None and head.entries else ():
                    assert head is not None
                    if journal.hash_at(branch, head.entries) == head.hash:
                        return branch
        first, *others = branches
        for other in others:
            shared = journal.shared(first, other)
            if self._next(other, shared) < self._next(first, shared):
                first = other
        return first

    def _next(self, branch: ChainRow, after: int) -> tuple[int, bytes]:
        """(stamp, hash) of a branch's next entry; beyond all where it has none."""
        digest = self._journal.hash_at(branch, after + 1)
        if digest is None:
            return 1 << 64, b""
        (data,) = self._journal.entries(branch, after, after + 1)
        judged = gate.judge(branch.incarnation, after + 1, digest, data)
        return (judged.entry.stamp if judged.entry is not None else 0), digest

    def _within(self, book: BookState, chain: ChainRow, n: int, close: Close) -> bool:
        """Whether entry n of a branch stands at or before the head that a close names."""
        if n > close.entries:
            return False
        journal = self._journal
        branches = journal.branches(book.name, chain.incarnation)
        if len(branches) == 1:
            return True
        for branch in branches:
            if journal.hash_at(branch, close.entries) == close.head:
                return n <= journal.shared(chain, branch)
        return True  # Nobody can tell yet: the branch that counts has not arrived.

    # --- closes ---------------------------------------------------------------------------------

    def _note_closing(self, book: BookState, chain: ChainRow, judged: Judged) -> None:
        author = book.authors.get(chain.incarnation)
        if author is None or not author.info.is_hub or judged.entry is None:
            return
        event = judged.event
        assert isinstance(event, ChainClosed)
        close = Close(event.entries, event.head, event.branch, chain.incarnation)
        book.closings[chain.id, judged.n] = Closing(
            judged.entry.stamp, judged.hash, chain, judged.n, event.incarnation, close
        )

    def _resolve(self, book: BookState) -> set[bytes]:
        """Which closes count. Returns the incarnations for which that is new.

        A close by a life of the hub that was itself closed before it wrote so does not count, if
        that other close counts. It follows from the entries alone, whatever the order in which they
        came; of two lives that closed each other unknowingly, the earlier close stands.
        """
        waiting = sorted(book.closings.values(), key=lambda closing: closing[:2])
        standing: list[Closing] = []
        while waiting:
            free = [
                one
                for one in waiting
                if not any(self._voids(book, other, one) for other in waiting if other is not one)
            ]
            free = free or waiting[:1]
            standing += free
            waiting = [
                one
                for one in waiting
                if one not in free and not any(self._voids(book, other, one) for other in free)
            ]
        administration = book.administration
        before = dict(administration.closes)
        administration.closes.clear()
        administration.closers.clear()
        for closing in sorted(standing, key=lambda closing: closing[:2]):
            administration.closes.setdefault(closing.closed, closing.close)
            administration.closers.setdefault(closing.closed, set()).add(closing.close.by)
        now = administration.closes
        return {one for one in before.keys() | now.keys() if before.get(one) != now.get(one)}

    def _voids(self, book: BookState, one: Closing, other: Closing) -> bool:
        """Whether one close, if it counts, leaves another beyond what counts of its writer."""
        if one.closed != other.close.by:
            return False
        return not self._within(book, other.chain, other.n, one.close)

    # --- erasures -------------------------------------------------------------------------------

    def count_erasures(self, book: BookState, grown: bytes = b"") -> set[str]:
        """Bring up to date which erasures count, after entries were absorbed, or after a chain grew
        that may now show a head. Returns the agent ids of the guests for whom that is new."""
        administration = book.administration
        written = administration.erasures_written
        if not written or not (book.erasures_moved or grown in book.erasures_waiting):
            return set()
        book.erasures_moved = False
        lives = self._lives(book)
        shut_outs = administration.shut_outs.values()
        reached = {
            writer: reach(writer, lives, shut_outs) if writer not in administration.hubs else None
            for writer in {erasure.writer for erasure in written.values()}
        }
        counting = {
            operation
            for operation, erasure in written.items()
            if self._reached(book, *book.erased_at[operation], reached[erasure.writer])
        }
        book.erasures_waiting = {
            erasure.writer for operation, erasure in written.items() if operation not in counting
        }
        return administration.count_erasures(counting)

    def vouched(self, book: BookState, chain: ChainRow, n: int) -> bool:
        """Whether what entry n of a branch says of a person counts: a fact, as an erasure is, does
        unless it stands beyond the head at which its writer was shut out (`forgetting.reach`)."""
        administration = book.administration
        if not administration.shut_outs or chain.incarnation in administration.hubs:
            return True
        shut_outs = administration.shut_outs.values()
        heads = reach(chain.incarnation, self._lives(book), shut_outs)
        return self._reached(book, chain, n, heads)

    @staticmethod
    def _lives(book: BookState) -> dict[bytes, Life]:
        return {
            incarnation: Life(
                author.info.name,
                author.role,
                frozenset(map(serial_bytes, author.serials)),
                book.administration.succeeds.get(incarnation, ()),
            )
            for incarnation, author in book.authors.items()
        }

    def _reached(
        self, book: BookState, chain: ChainRow, n: int, heads: tuple[Head, ...] | None
    ) -> bool:
        """Whether entry n of a branch stands on one with one of these heads, and not beyond it. As
        long as the head has not arrived here it does not: what is destroyed is destroyed."""
        if heads is None:
            return True
        journal = self._journal
        return any(
            n <= min(head.entries, journal.shared(chain, branch))
            for head in heads
            for branch in journal.branches(book.name, chain.incarnation)
            if journal.hash_at(branch, head.entries) == head.hash
        )

    # --- one entry ------------------------------------------------------------------------------

    def absorb(self, book: BookState, chain: ChainRow, judged: Judged) -> bool:
        """Fold an entry about the book. True if reservations must be folded anew because of it."""
        event, entry, incarnation = judged.event, judged.entry, chain.incarnation
        if event is None or entry is None or (isinstance(event, ChainCertified) and judged.n != 1):
            # What opens a chain is proved where it opens it, and says nothing anywhere else.
            return False
        author = book.authors.get(incarnation)
        if author is None:
            if not isinstance(event, ChainCertified) or judged.n != 1:
                return False
            author = book.authors[incarnation] = self.certify(book.name, incarnation, event)
        elif isinstance(event, ChainKeyChanged):
            self._renew(book, author, chain, judged)
        if isinstance(event, ChainClosed):
            before = set(book.administration.closes)
            self._note_closing(book, chain, judged)
            return any(
                closed in before or self._takes_back(book, closed) for closed in self._resolve(book)
            )
        counts = self.counts(book, chain, judged.n)
        if isinstance(event, GuestErased):
            book.erased_at.setdefault(judged.operation, (chain, judged.n))
        book.erasures_moved |= isinstance(event, GuestErased | NodeRevoked | ChainCertified)
        book.administration.absorb(
            author.info, judged.n, entry.stamp, event, operation=judged.operation, counts=counts
        )
        if isinstance(event, ChainSucceeded) and counts and event.by in book.authors:
            # What the next life wrote came before the word that passed the rights on to it.
            return bool(book.administration.rights)
        return counts and self._ends_rights(book, author, event)

    def _ends_rights(self, book: BookState, author: ChainAuthor, event: Event) -> bool:
        """Whether the hub just named a head, short of what is held here, up to which a holder's
        sales count."""
        if not author.info.is_hub:
            return False
        heads: list[tuple[bytes, int]] = []
        if isinstance(event, RightRevoked):
            heads = [(event.holder, event.entries)]
        elif isinstance(event, NodeRevoked):
            heads = [(incarnation, entries) for incarnation, entries, _ in event.heads]
        writers = book.administration.rights.writers() if heads else set()
        return any(
            branch.length > entries
            for incarnation, entries in heads
            if incarnation in writers
            for branch in self._journal.branches(book.name, incarnation)
        )

    def _takes_back(self, book: BookState, closed: bytes) -> bool:
        """Whether a new close changes what was folded already."""
        close = book.administration.closes[closed]
        branches = self._journal.branches(book.name, closed)
        return (
            closed in book.administration.hubs
            or len(branches) > 1
            or any(branch.length > close.entries for branch in branches)
        )
