"""Books as folded in memory: who writes their chains, and what they say about themselves.

Owns the way from the journal's administrative entries to a `BookState`: certificates, keys, closes
and which branch of a closed chain counts, quotas of chains. What a fold means stands in
`model.administration`; reservations are the projections' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from holdfast.model.administration import Administration, WriterInfo
from holdfast.model.errors import HoldfastError
from holdfast.model.events import ChainCertified, ChainClosed, ChainKeyChanged
from holdfast.model.limits import CHAINS_PER_BOOK_MAX, CHAINS_PER_CERTIFICATE_MAX
from holdfast.node.identity import Identity, verify_certificate
from holdfast.store.journal import ChainRow, Journal
from holdfast.sync import gate
from holdfast.sync.gate import Judged, Refused


@dataclass(slots=True)
class ChainAuthor:
    """Who writes a chain: what the certificate says, the serial numbers of all it had, the first
    one first, and the keys with the entry each begins at."""

    info: WriterInfo
    venue: str
    serials: list[int]
    keys: list[tuple[int, Ed25519PublicKey]]

    def key_at(self, n: int) -> Ed25519PublicKey:
        """The key that a seal over the first n entries must be signed with."""
        key = self.keys[0][1]
        for first, candidate in self.keys:
            if first <= n:
                key = candidate
        return key


@dataclass
class BookState:
    """A book as folded in memory: its administration and the authors of its chains."""

    name: str
    administration: Administration = field(default_factory=Administration)
    authors: dict[bytes, ChainAuthor] = field(default_factory=dict)


class Books:
    """The books of one replica, over its journal; `root` gives the tenant's root certificate."""

    def __init__(self, journal: Journal, root: Callable[[], bytes]) -> None:
        self._journal = journal
        self._root = root
        self.by_name: dict[str, BookState] = {}

    def fold(self, name: str) -> None:
        """Fold what the journal says about a book itself, in an order that arrival does not decide:
        who writes, then what was closed (a later life of the hub first), then all that must be
        read up to those heads and no further."""
        book = self.by_name[name] = BookState(name)
        journal = self._journal
        stages: tuple[list[tuple[ChainRow, Judged]], ...] = ([], [], [])
        for row in journal.administration(name):
            judged = gate.judge(row.n, row.hash, row.entry)
            who = isinstance(judged.event, ChainCertified | ChainKeyChanged)
            stage = 0 if who else 1 if isinstance(judged.event, ChainClosed) else 2
            stages[stage].append((journal.chain_by_id(row.chain), judged))

        def latest_life(item: tuple[ChainRow, Judged]) -> tuple[int, bytes, int]:
            author = book.authors.get(item[0].incarnation)
            return (
                -author.info.number if author is not None else 0,
                item[0].incarnation,
                item[1].n,
            )

        for chain, judged in (*stages[0], *sorted(stages[1], key=latest_life), *stages[2]):
            self.absorb(book, chain, judged)

    def require_room(self, book: BookState, author: gate.Author) -> None:
        """Everybody keeps every chain, so that no device may begin any number of them. Raises
        Refused."""
        assert isinstance(author, ChainAuthor)
        chains = self._journal.chains(book.name)
        own = sum(
            1
            for chain in chains
            if (known := book.authors.get(chain.incarnation)) is not None
            and known.serials[0] == author.serials[0]
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
        return ChainAuthor(info, identity.venue, [identity.serial], [(1, identity.public_key)])

    def _renewed(self, event: ChainKeyChanged) -> Identity | None:
        """What a later certificate says; None where it is none of ours, and changes nothing."""
        try:
            return verify_certificate(event.certificates, self._root())
        except HoldfastError:
            return None

    def counts(self, book: BookState, chain: ChainRow, n: int) -> bool:
        """Whether entry n of a branch counts as its writer's word: not beyond the head at which
        the hub closed the chain, and on the branch that has this head (DESIGN §4.3)."""
        close = book.administration.closes.get(chain.incarnation)
        if close is None:
            return True
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

    def absorb(self, book: BookState, chain: ChainRow, judged: Judged) -> bool:
        """Fold an entry about the book. True if reservations must be folded anew because of it."""
        event, entry, incarnation = judged.event, judged.entry, chain.incarnation
        if event is None or entry is None:
            return False
        author = book.authors.get(incarnation)
        if author is None:
            if not isinstance(event, ChainCertified) or judged.n != 1:
                return False
            author = book.authors[incarnation] = self.certify(book.name, incarnation, event)
        elif isinstance(event, ChainKeyChanged):
            renewed = self._renewed(event)
            if renewed and (renewed.name, renewed.venue) == (author.info.name, author.venue):
                author.keys.append((judged.n + 1, renewed.public_key))
                author.serials.append(renewed.serial)
        closed = book.administration.absorb(
            author.info, judged.n, entry.stamp, event, counts=self.counts(book, chain, judged.n)
        )
        if closed is None:
            return False
        close = book.administration.closes[closed]
        beyond = any(
            branch.length > close.entries for branch in self._journal.branches(book.name, closed)
        )
        return beyond or closed in book.administration.hubs
