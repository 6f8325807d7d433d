"""The rules of DESIGN §5 and §4.5 read plainly: all of it from all entries, every time anew.

Owns a second reading of the two folds that shares no code with `holdfast.model`: who had which
right where, which claims stand, which status the steps lead to. It is slow and short; where it and
the folds differ, one of them is wrong. It reads each book as one chain for each writer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from holdfast.model.entries import Claim, ClaimId
from holdfast.model.events import (
    ClaimDecided,
    ClaimEnded,
    Event,
    NodeRevoked,
    ReservationCreated,
    ReservationMoved,
    RightGranted,
    RightReturned,
    RightRevoked,
)

HUB: Final = b"H" * 16
ASKED, HAD, OVER = "asked", "had", "over"
LAST: Final = 1 << 40
"""A place behind every entry."""


class Word(NamedTuple):
    """An entry as everybody reads it: `n` is its place in its writer's chain."""

    node: bytes
    n: int
    stamp: int
    operation: bytes
    event: Event
    subject: bytes = b""
    follows: tuple[bytes, ...] = ()
    claims: tuple[Claim, ...] = ()
    ends: tuple[ClaimId, ...] = ()

    @property
    def order(self) -> tuple[int, bytes, bytes]:
        return self.stamp, self.node, self.operation


class Standing(NamedTuple):
    """A claim and what became of it; `right` is what it was sold from (empty: the hub's), `asks`
    the device that a wish asks (empty: the hub)."""

    state: str
    resource: str
    start: int
    end: int
    quantity: int
    right: bytes
    asks: bytes = b""


class Plain:
    def __init__(self, words: Iterable[Word]) -> None:
        one_each = {word.operation: word for word in words}
        self.words = sorted(one_each.values(), key=lambda word: word.order)
        self.grants = {
            word.operation: word.event
            for word in self.words
            if word.node == HUB and isinstance(word.event, RightGranted)
        }

    # --- rights ---------------------------------------------------------------------------------

    def window(self, right: bytes, node: bytes, n: int) -> tuple[int, int] | None:
        """The instants of a right that a node had when it wrote its entry n."""
        grant = self.grants.get(right)
        if grant is None or grant.holder != node:
            return None
        start = grant.start
        for word in self.words:
            event = word.event
            if isinstance(event, RightReturned) and word.node == node and word.n < n:
                if right in event.rights:
                    start = max(start, event.until or grant.end)
            elif isinstance(event, RightRevoked) and word.node == HUB and event.right == right:
                if n > event.entries:
                    return None
            elif (
                isinstance(event, NodeRevoked)
                and word.node == HUB
                and any(head[0] == node and n > head[1] for head in event.heads)
            ):
                return None
        return (start, grant.end) if start < grant.end else None

    def covers(self, right: bytes, node: bytes, n: int, claim: Claim) -> bool:
        had = self.window(right, node, n)
        return (
            had is not None
            and claim.resource in self.grants[right].resources
            and claim.quantity <= self.grants[right].quantity
            and had[0] <= claim.start
            and claim.end <= had[1]
        )

    def in_force(self) -> dict[bytes, tuple[int, int]]:
        """What each right covers after all that was written, of those that cover anything."""
        found = {
            right: self.window(right, grant.holder, LAST) for right, grant in self.grants.items()
        }
        return {right: window for right, window in found.items() if window is not None}

    def handed(self, claim: ClaimId) -> list[bytes]:
        """The rights with which a claim was handed over."""
        return [
            right
            for right, grant in self.grants.items()
            if any(ClaimId(one[1], one[2]) == claim for one in grant.handed)
        ]

    def account(self, claim: ClaimId, standing: Standing) -> bytes:
        """What a claim counts against now: the newest right in force that it came with, or b""."""
        force = self.in_force()
        stamps = {word.operation: word.stamp for word in self.words}
        found = [
            right
            for right in {standing.right, *self.handed(claim)}
            if right in force and force[right][0] < standing.end
        ]
        return max(found, key=lambda right: (stamps[right], right), default=b"")

    # --- claims ---------------------------------------------------------------------------------

    def sells(self, word: Word, claim: Claim) -> bool:
        if word.node == HUB:
            return claim.right == b"hub"
        return claim.right not in (b"", b"hub") and self.covers(
            claim.right, word.node, word.n, claim
        )

    def answers(self, word: Word, by: Iterable[bytes], claims: Iterable[Claim]) -> bool:
        """Whether a word names, for each claim, a right to all of it that its writer has there."""
        pairs = list(zip(by, claims, strict=False))
        return len(pairs) == len(list(claims)) and all(
            self.covers(right, word.node, word.n, claim) for right, claim in pairs
        )

    def decides(self, word: Word) -> bool:
        """Whether a decision is the word of who was asked, and had the right to all of it."""
        event = word.event
        assert isinstance(event, ClaimDecided)
        if word.node == HUB:
            return True
        asked = [
            one
            for one in self.words
            if one.operation == event.decides
            and isinstance(one.event, ReservationCreated | ReservationMoved)
        ]
        gives = bool(word.claims) and all(self.sells(word, one) for one in word.claims)
        if not asked:
            return gives and event.verdict != "displaced"
        wanted = asked[0].claims
        if not word.claims or not wanted or {_asks(one) for one in wanted} != {word.node}:
            return False
        if event.verdict == "admitted":
            return gives and _extents(asked[0]) == _extents(word)
        return self.answers(word, event.by, wanted) and (gives or event.verdict == "displaced")

    def ends(self, word: Word, claim: ClaimId, called: ClaimId, standing: Standing) -> bool:
        """Whether an `end` is its holder's, or of who was to decide the claim. Who turns a wish
        away ends nothing with it: the guest keeps what they had."""
        if isinstance(word.event, ClaimDecided) and word.event.verdict == "displaced":
            return False
        if word.node == HUB:
            return True
        if standing.state == ASKED:
            wish = Claim(standing.resource, standing.start, standing.end, standing.quantity)
            named = word.event.by if isinstance(word.event, ClaimEnded) else ()
            by = dict(zip(word.ends, named, strict=False))
            if word.node != standing.asks:
                return False
            return self.answers(word, [by.get(claim) or by.get(called) or b""], [wish])
        had = [
            self.window(right, word.node, word.n) for right in (standing.right, *self.handed(claim))
        ]
        return any(window is not None and window[0] < standing.end for window in had)

    def claims(self) -> dict[ClaimId, Standing]:
        """Every claim that was ever asked for or had."""
        found: dict[ClaimId, Standing] = {}
        requests = [
            word
            for word in self.words
            if isinstance(word.event, ReservationCreated | ReservationMoved)
        ]
        answers: dict[bytes, Word] = {}
        for word in self.words:
            if isinstance(word.event, ClaimDecided) and self.decides(word):
                known = answers.setdefault(word.event.decides, word)
                if word.node == HUB != known.node:
                    answers[word.event.decides] = word
        for word in requests:
            answer = answers.get(word.operation)
            sold = all(self.sells(word, claim) for claim in word.claims)
            for index, claim in enumerate(word.claims):
                one = ClaimId(word.operation, index)
                state, right = HAD if sold else ASKED, claim.right if sold else b""
                if answer is not None:
                    assert isinstance(answer.event, ClaimDecided)
                    state = HAD if answer.event.verdict == "admitted" else OVER
                    right = answer.claims[index].right if index < len(answer.claims) else b""
                elif not sold and self.handed(one):
                    state, right = HAD, claim.right
                found[one] = _standing(state, claim, right)._replace(asks=_asks(claim))
        called: dict[ClaimId, ClaimId] = {}
        asked = {word.operation for word in requests}
        for operation, answer in answers.items():
            assert isinstance(answer.event, ClaimDecided)
            verdict = answer.event.verdict
            if verdict == "moved" or (verdict == "admitted" and operation not in asked):
                # What is known from a device's answer alone goes by the answer's name.
                unproven = answer.node != HUB and verdict == "admitted"
                new = answer.operation if unproven or verdict == "moved" else operation
                for index, claim in enumerate(answer.claims):
                    if unproven and self.handed(ClaimId(operation, index)):
                        continue
                    found[ClaimId(new, index)] = _standing(HAD, claim, claim.right)
                    if unproven:
                        called[ClaimId(new, index)] = ClaimId(operation, index)
        for word in self.words:
            if isinstance(word.event, RightGranted) and word.node == HUB:
                for claim, (_, operation, index) in zip(
                    word.claims, word.event.handed, strict=True
                ):
                    found.setdefault(ClaimId(operation, index), _standing(HAD, claim, claim.right))
        after = {
            one: self._after_ends(one, called.get(one, one), standing)
            for one, standing in found.items()
        }
        over = {one.operation for one, standing in after.items() if standing.state == OVER}
        return {
            one: standing._replace(state=OVER)
            if standing.state == ASKED and one.operation in over
            else standing
            for one, standing in after.items()
        }

    def _after_ends(self, one: ClaimId, called: ClaimId, standing: Standing) -> Standing:
        for word in self.words:
            if {one, called} & set(word.ends) and self.ends(word, one, called, standing):
                return standing._replace(state=OVER)
        return standing


def _standing(state: str, claim: Claim, right: bytes) -> Standing:
    sold_from = b"" if right == b"hub" else right
    return Standing(state, claim.resource, claim.start, claim.end, claim.quantity, sold_from)


def _asks(claim: Claim) -> bytes:
    return b"" if claim.right else claim.asks


def _extents(word: Word) -> list[tuple[str, int, int, int]]:
    return [(one.resource, one.start, one.end, one.quantity) for one in word.claims]


def level(claims: Iterable[Standing], at: int) -> int:
    """How much is taken at one instant."""
    return sum(one.quantity for one in claims if one.start <= at < one.end)
