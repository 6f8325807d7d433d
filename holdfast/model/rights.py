"""Who may sell what: grants, returns and revocations of rights, folded from entries alone.

Owns the rules of DESIGN §5.1, §5.7 and §5.8: a right is what one grant of the hub hands to one
incarnation; it counts in the holder's chain from the grant up to the holder's own return, the head
at which the hub revoked it, or the head at which the holder's chain was closed. What is granted to
nobody is the hub's. No clock is asked: a release is a return that the holder's node writes.

Everything here follows from the set of entries, whatever their order of arrival: positions are
compared within a chain, and never between chains.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol

from holdfast.model.entries import EPOCH_SECONDS_MAX, Claim, ClaimId
from holdfast.model.events import RightGranted, RightReturned, RightRevoked

FOREVER: Final = EPOCH_SECONDS_MAX
"""The end of a right without an end."""

HUB: Final = b""
"""The account of what is granted to nobody, and the name of the hub where a holder is named."""

_NOW: Final = 1 << 62
"""A place beyond every entry of a chain."""


class Closed(Protocol):
    """The head at which a chain was closed, as far as rights need it."""

    @property
    def entries(self) -> int: ...


class Right(NamedTuple):
    """One grant as it was written. `start` and `end` are epoch seconds; `quantity` holds for each
    of the resources; `release_minutes` -1: never released; `whole`: it was all that there is.
    Entries of the holder's chain up to `since` were written before it, and end nothing that was
    handed over with it."""

    id: bytes
    holder: bytes
    resources: tuple[str, ...]
    quantity: int
    start: int
    end: int
    release_minutes: int
    stamp: int
    whole: bool = False
    since: int = 0


class Held(NamedTuple):
    """A right that somebody holds now: by which incarnation, and which instants are left."""

    right: Right
    holder: bytes
    start: int
    end: int

    def covers(self, resource: str, start: int, end: int) -> bool:
        return resource in self.right.resources and self.start <= start and end <= self.end


class Ended(NamedTuple):
    """How a right came to its end: `returned`, `revoked` or `closed` (its holder's life is over, or
    was shut out). `holder` is the life that had it last; `stamp` of the entry that says so, 0 where
    a close says it; `reason` the code of a revocation."""

    how: str
    holder: bytes
    stamp: int
    reason: str = ""


class _Returned:
    """What one chain gave back of one right, by the place of each return: a right that releases
    gives something back with every slot, and is asked for its window all day."""

    __slots__ = ("places", "stamp", "until")

    def __init__(self) -> None:
        self.places: list[int] = []
        self.until: list[int] = []
        """The furthest that was given back by each place; beyond FOREVER: all of it."""
        self.stamp = 0

    def add(self, n: int, stamp: int, until: int) -> None:
        at = bisect_left(self.places, n)
        self.places.insert(at, n)
        self.until.insert(at, until or FOREVER + 1)
        for later in range(max(at, 1), len(self.until)):
            self.until[later] = max(self.until[later], self.until[later - 1])
        self.stamp = max(self.stamp, stamp)

    def before(self, n: int) -> int:
        """Up to where all was given back before entry n."""
        at = bisect_left(self.places, n)
        return self.until[at - 1] if at else 0


class _Revoked(NamedTuple):
    node: bytes
    entries: int
    stamp: int
    reason: str


class Rights:
    """The rights of one book. `closes` is kept by whoever resolves closes."""

    def __init__(self, closes: Mapping[bytes, Closed] | None = None) -> None:
        self.by_id: dict[bytes, Right] = {}
        self._closes: Mapping[bytes, Closed] = {} if closes is None else closes
        self._returns: dict[tuple[bytes, bytes], _Returned] = {}
        self._revoked: dict[bytes, list[_Revoked]] = {}
        self._shut: dict[bytes, int] = {}
        self._shut_at: dict[bytes, int] = {}
        self._succeeded: dict[bytes, tuple[int, bytes]] = {}
        self._by_resource: dict[str, list[bytes]] = {}
        self._handed: dict[ClaimId, list[bytes]] = {}
        self._last_end: dict[bytes, bytes] = {}
        self.changes = 0
        """Grows with every entry that was folded: what was read before may be another now."""

    def __bool__(self) -> bool:
        return bool(self.by_id)

    # --- folding --------------------------------------------------------------------------------

    def granted(self, right: bytes, stamp: int, event: RightGranted) -> None:
        """A grant that counts: by a life of the hub, not beyond the head where it was closed."""
        if right in self.by_id:
            return
        self.changes += 1
        self.by_id[right] = Right(
            right, event.holder, event.resources, event.quantity, event.start, event.end,
            event.release_minutes, stamp, event.whole, event.since,
        )  # fmt: skip
        for resource in event.resources:
            self._by_resource.setdefault(resource, []).append(right)
        for _, operation, index in event.handed:
            self._handed.setdefault(ClaimId(operation, index), []).append(right)

    def returned(
        self, node: bytes, n: int, stamp: int, operation: bytes, event: RightReturned
    ) -> None:
        """Entry n of a chain gives rights back; it counts for those that its writer holds there."""
        self.changes += 1
        for right in event.rights:
            self._last_end[right] = operation
            self._returns.setdefault((right, node), _Returned()).add(n, stamp, event.until)

    def revoked(self, stamp: int, operation: bytes, event: RightRevoked) -> None:
        """The hub takes a right back: entries of the holder count up to the named head."""
        self.changes += 1
        self._last_end[event.right] = operation
        self._revoked.setdefault(event.right, []).append(
            _Revoked(event.holder, event.entries, stamp, event.reason)
        )

    def shut_out(self, node: bytes, entries: int, stamp: int) -> None:
        """The hub shut a device out: what it wrote beyond this head is no sale and no decision."""
        self.changes += 1
        self._shut_at[node] = min(stamp, self._shut_at.get(node, stamp))
        self._shut[node] = min(entries, self._shut.get(node, entries))

    def succeeded(self, node: bytes, n: int, by: bytes) -> None:
        """A chain ended on purpose, for its clock's sake: its rights pass on (DESIGN §3)."""
        self.changes += 1
        self._succeeded.setdefault(node, (n, by))

    # --- what counted when ----------------------------------------------------------------------

    def covers(self, right: bytes, node: bytes, n: int, claim: Claim) -> bool | None:
        """Whether entry n of a node's chain could sell or decide this from a right. None: the
        grant is not known here yet."""
        known = self.by_id.get(right)
        if known is None:
            return None
        window = self._window(known, node, n)
        return (
            window is not None
            and claim.resource in known.resources
            and claim.quantity <= known.quantity
            and window[0] <= claim.start
            and claim.end <= window[1]
        )

    def held(self, node: bytes, n: int, claim: ClaimId, sold_from: bytes, end: int) -> bool:
        """Whether a node, at entry n of its chain, is the holder of a claim, which lasts until
        `end`: it was sold or decided from a right that the node has there, or handed over with one,
        and not all of its instants went back (`account`)."""
        return any(
            (window := self._window(known, node, n)) is not None and window[0] < end
            for right in (sold_from, *self._handed.get(claim, ()))
            if (known := self.by_id.get(right)) is not None
        )

    def _window(self, right: Right, node: bytes, n: int) -> tuple[int, int] | None:
        """The instants of a right that a node has at entry n of its chain."""
        lives = self.lives(right.holder)
        if node not in lives or n > self._limit(node):
            return None
        if node == right.holder and n <= right.since:
            # What a device ended by a right that it had lost does not come to count by this one.
            return None
        own = lives.index(node)
        for revoked in self._revoked.get(right.id, ()):
            if revoked.node == node and n > revoked.entries:
                return None
            if revoked.node in lives[:own] or revoked.node not in lives:
                return None
        start = right.start
        for life in lives[: own + 1]:
            returned = self._returns.get((right.id, life))
            if returned is not None:
                start = max(start, returned.before(n if life == node else _NOW))
        return (start, right.end) if start < right.end else None

    def _limit(self, node: bytes) -> int:
        close = self._closes.get(node)
        limit = _NOW if close is None else close.entries
        return min(limit, self._shut.get(node, _NOW))

    def lives(self, incarnation: bytes) -> list[bytes]:
        """A life and those that carried on after it, in their order. Behind the head at which a
        life was closed or shut out it passes nothing on."""
        lives = [incarnation]
        while (after := self._succeeded.get(lives[-1])) is not None:
            n, by = after
            if by in lives or n > self._limit(lives[-1]):
                break
            lives.append(by)
        return lives

    # --- who holds what now ---------------------------------------------------------------------

    def now(self, right: bytes) -> Held | None:
        """A right as it is held by all that is known here; None where it went back to the hub."""
        known = self.by_id.get(right)
        if known is None:
            return None
        holder = self.lives(known.holder)[-1]
        if self._limit(holder) < _NOW or self._revoked.get(right):
            return None
        window = self._window(known, holder, _NOW)
        return None if window is None else Held(known, holder, *window)

    def ended(self, right: bytes) -> Ended | None:
        """How a right went back to the hub; None for one that somebody holds, or is not known."""
        known = self.by_id.get(right)
        if known is None or self.now(right) is not None:
            return None
        holder = self.lives(known.holder)[-1]
        revoked = self._revoked.get(right)
        if revoked:
            return Ended("revoked", holder, revoked[0].stamp, revoked[0].reason)
        if self._limit(holder) < _NOW:
            return Ended("closed", holder, self._shut_at.get(holder, 0))
        returned = self._returns.get((right, holder))
        return Ended("returned", holder, returned.stamp if returned is not None else known.stamp)

    def taken_back(self, right: bytes) -> bool:
        """Whether the hub took a right from its holder: revoked it, shut the holder out, or closed
        its chain with nobody to carry on."""
        known = self.by_id.get(right)
        if known is None:
            return False
        holder = self.lives(known.holder)[-1]
        return bool(self._revoked.get(right)) or self._limit(holder) < _NOW

    def active(self) -> Iterator[Held]:
        """Every right that somebody holds now, in the order of the grants."""
        for right in sorted(self.by_id.values(), key=lambda one: (one.stamp, one.id)):
            held = self.now(right.id)
            if held is not None:
                yield held

    def of_resource(self, resource: str) -> list[Held]:
        """The rights to a resource that somebody holds now."""
        found = (self.now(right) for right in self._by_resource.get(resource, ()))
        return [held for held in found if held is not None]

    def of_holder(self, node: bytes, resource: str, start: int, end: int) -> list[Held]:
        """A node's rights to all of [start, end) of a resource."""
        return [
            held
            for held in self.of_resource(resource)
            if held.holder == node and held.covers(resource, start, end)
        ]

    def account(self, claim: ClaimId, sold_from: bytes, end: int) -> Held | None:
        """The right that a claim, which lasts until `end`, is counted against now: the newest in
        force that it was sold from or handed over with, and of which instants of it are left. None:
        the hub's."""
        found = [
            held
            for right in {sold_from, *self._handed.get(claim, ())}
            if (held := self.now(right)) is not None and held.start < end
        ]
        return max(found, key=lambda held: (held.right.stamp, held.right.id), default=None)

    def behind(self, claim: ClaimId, sold_from: bytes) -> list[Right]:
        """Every right that a claim was sold from or handed over with, whoever has it now."""
        named = {sold_from, *self._handed.get(claim, ())}
        return [known for right in sorted(named) if (known := self.by_id.get(right)) is not None]

    def holder(self, claim: ClaimId, sold_from: bytes, end: int) -> bytes:
        """Who alone may end a claim: an incarnation, or HUB. Of a right that was given back up to
        an instant, what ends before it is the hub's (DESIGN §5.7)."""
        held = self.account(claim, sold_from, end)
        return HUB if held is None else held.holder

    def asked(self, asks: bytes, claim: Claim) -> bytes:
        """Who answers a claim that asked somebody: the one it asked, while that one has the right
        to as much of it; else the hub, which always answers (DESIGN §5.3)."""
        if asks == HUB:
            return HUB
        last = self.lives(asks)[-1]
        return last if self.answers_by(last, claim) else HUB

    def answers_by(self, node: bytes, claim: Claim) -> bytes:
        """The right by which a device answers a claim, as its word names it: one to all of it that
        it has now; empty where it has none."""
        for held in self.of_holder(node, claim.resource, claim.start, claim.end):
            if claim.quantity <= held.right.quantity:
                return held.right.id
        return b""

    def answering(self, asked: Iterable[tuple[bytes, Claim]]) -> bytes:
        """Who answers an operation, given whom each of its claims asks: the one device that can
        answer for all of them, else the hub. A claim is never split over two holders."""
        if not self.by_id:
            return HUB
        holders = {self.asked(asks, claim) for asks, claim in asked}
        return holders.pop() if len(holders) == 1 else HUB

    def last_end(self, resources: Iterable[str]) -> bytes:
        """The operation by which a right to any of these came back to the hub last, as the next
        grant names it; empty where none did, or a chain's close did it."""
        over = [
            self.by_id[right]
            for resource in resources
            for right in self._by_resource.get(resource, ())
            if right in self._last_end
        ]
        latest = max(over, key=lambda right: (right.stamp, right.id), default=None)
        return b"" if latest is None else self._last_end[latest.id]

    def writers(self) -> set[bytes]:
        """Every incarnation that ever held a right: which of its entries count matters."""
        return {life for right in self.by_id.values() for life in self.lives(right.holder)}
