"""The claims of one reservation: what was asked for, sold, decided and ended, by whose word.

Owns the first fold of DESIGN §4.5: which claims are in force follows from the entries of their
holders alone, and from the rights of the book. Nothing of the lifecycle changes it. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    ClaimDecided,
    ClaimEnded,
    Event,
    ReservationCreated,
    ReservationMoved,
    RightGranted,
)
from holdfast.model.rights import Rights

PENDING: Final = "pending"
STANDBY: Final = "standby"
READY: Final = "ready"
SPARE: Final = "spare"
LIVE: Final = "live"
ENDED: Final = "ended"
DEAD: Final = "dead"
OCCUPYING: Final = frozenset({LIVE, READY, SPARE})
"""Claims that take up capacity. READY is a standby claim whose holder granted it while the holder
of the old one has not ended that yet; SPARE one that was not picked, and that its holder ends
(DESIGN §5.6)."""

NO_RIGHTS: Final = Rights()
"""Of a book in which nothing was granted: everything is the hub's."""

RENEWED: Final = "reservation.no_show_undone"
"""What was given up with a no-show is asked for anew by whoever takes the no-show back."""

REQUESTS: Final = frozenset(
    {"reservation.created", "reservation.moved", "reservation.reserved", RENEWED}
)
_REQUESTING: Final = (ReservationCreated, ReservationMoved)

RESERVED: Final = "reservation.reserved"

OVERRIDE: Final = "override"
"""Why a decision admitted what had no room: somebody asked for it who may (`overbooking`)."""


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry about a reservation, as the fold needs it.

    `operation` is the entry's id, `node` the author's incarnation, `author` its name, `holder` True
    where the author answers for the hub's capacity. `content` is empty where it does not count
    (quarantined or of a newer schema): the envelope still does. `n` is its place in its chain, and
    `counts` False where it stands on a branch, or behind a head, of which no sale or decision does.
    `blocks`: the author's role takes places out of use (`roles.BLOCKERS`).
    """

    operation: bytes
    kind: str
    stamp: int
    node: bytes
    author: str
    holder: bool
    follows: tuple[bytes, ...]
    claims: tuple[Claim, ...]
    ends: tuple[ClaimId, ...]
    content: bytes
    n: int = 0
    counts: bool = True
    blocks: bool = True


class ClaimView(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A claim with what the holders' entries made of it.

    `right` is what it was sold or decided from (empty: the hub's), or (while pending) the right
    that is not known here yet; `asks` the incarnation that was asked (empty: the hub). `override`:
    it was granted beyond the capacity, on purpose.
    """

    id: ClaimId
    state: str
    resource: str
    start: int
    end: int
    quantity: int
    buffer: int
    holder: str
    decided: bool
    stamp: int
    replaces: ClaimId | None
    right: bytes = b""
    asks: bytes = b""
    override: bool = False


class Decision(msgspec.Struct, frozen=True, array_like=True, gc=False):
    verdict: str
    by: str
    stamp: int
    node: bytes
    operation: bytes
    decides: bytes
    reason: str
    won: tuple[bytes, ...]
    from_resources: tuple[str, ...]


def wish_of(claim: ClaimView) -> Claim:
    """What a claim asks for, as its envelope said it, but for rights and turns."""
    return Claim(claim.resource, claim.start, claim.end, claim.quantity, claim.buffer)


order: Final[Callable[[Seen], tuple[int, bytes, bytes]]] = attrgetter("stamp", "node", "operation")
"""The order in which entries about one reservation are read, whoever has them."""


# --- whose word counts --------------------------------------------------------------------------


class _Judge:
    """Whether an entry is its holder's word, by the book's rights (DESIGN §4.7, §5.1)."""

    def __init__(self, rights: Rights, unknown: set[bytes]) -> None:
        self._rights = rights
        self._unknown = unknown

    def sells(self, entry: Seen, claim: Claim) -> bool | None:
        """Whether an entry sells a claim from its writer's own right. None: nobody knows yet."""
        if entry.holder:
            return claim.right == HUB_RIGHT
        return self._has(entry, claim.right, claim)

    def _has(self, entry: Seen, right: bytes, claim: Claim) -> bool | None:
        """Whether a device has, where an entry of its stands, the right that it names, to all of a
        claim. None: nobody knows yet."""
        if not entry.counts or not right or right == HUB_RIGHT:
            return False
        covered = self._rights.covers(right, entry.node, entry.n, claim)
        if covered is None:
            self._unknown.add(right)
        return covered

    def decides(self, entry: Seen, event: ClaimDecided, asked: Seen | None) -> bool:
        """Whether a decision counts: the hub's, or that of a device that was asked, and that has
        the right to all that was asked, and to all that it gives, where the decision stands in its
        chain.

        It names those rights: what a device said without one, or by one that it had lost, does not
        come to count when the hub grants it the same place another day. And a right alone makes
        nobody the judge: of a pool several have shares, and who has one answers for what it was
        asked, not for what another sold or was asked for (§5.3).
        """
        if entry.holder:
            return True
        if not entry.claims:
            return False
        if asked is None:
            # Whom the request asks nobody here knows yet: what it gives is occupied, no more.
            return event.verdict != "displaced" and self._gives(entry)
        if not asked.claims or not all(self._is_asked(entry, _asks(one)) for one in asked.claims):
            return False
        if event.verdict == "admitted":
            wanted = [_extent(one) for one in asked.claims]
            return wanted == [_extent(one) for one in entry.claims] and self._gives(entry)
        if event.verdict == "moved" and not self._gives(entry):
            return False
        return self._answers(entry, event.by, asked.claims)

    def _gives(self, entry: Seen) -> bool:
        """Whether an entry's writer has the rights that it names to all that it gives."""
        return all([self.sells(entry, claim) for claim in entry.claims])

    def _is_asked(self, entry: Seen, asks: bytes) -> bool:
        """Whether an entry is by the device that was asked, in whichever of its lives."""
        return bool(asks) and entry.node in self._rights.lives(asks)

    def _answers(self, entry: Seen, by: tuple[bytes, ...], asked: tuple[Claim, ...]) -> bool:
        """Whether a device has the rights that it names to all that was asked, one for each."""
        if len(by) != len(asked):
            return False
        return all([self._has(entry, *pair) for pair in zip(by, asked, strict=True)])

    def ends(self, entry: Seen, claim: ClaimView, by: bytes) -> bool:
        """Whether an entry's writer is the holder of a claim or, `by` a right that it names, the
        one that was asked to decide it."""
        if entry.holder:
            return True
        if not entry.counts:
            return False
        if claim.state in (PENDING, STANDBY):
            asked = self._is_asked(entry, claim.asks)
            return asked and bool(self._has(entry, by, wish_of(claim)))
        return self._rights.held(entry.node, entry.n, claim.id, claim.right, claim.end)


class _Ending(NamedTuple):
    """An entry that ends claims: in favour of which operation, and by which right each. `itself`:
    it sells or grants that operation's claims with the same word."""

    entry: Seen
    favour: bytes
    by: tuple[bytes, ...] = ()
    itself: bool = True

    def of(self, *names: ClaimId) -> bytes | None:
        """The right that is named for a claim (empty: none); None where it is not ended here."""
        for at, ended in enumerate(self.entry.ends):
            if ended in names:
                return self.by[at] if at < len(self.by) else b""
        return None


def is_holders_word(rights: Rights, entry: Seen, event: ClaimDecided, asked: Seen | None) -> bool:
    """Whether a decision counts: its writer is the hub, or was asked and had the right to all of
    it."""
    return _Judge(rights, set()).decides(entry, event, asked)


class _Decided(dict[bytes, tuple[Seen, ClaimDecided]]):
    """By operation the decision that stands: the hub's, else that of the device that was asked; of
    several the first that came, whose order is that of the stamps (`order`).

    The hub answers only what the asked one can answer no more. So of two words no honest device
    wrote the other one, whatever stamp it bears.
    """

    def hear(
        self, judge: _Judge, entry: Seen, event: ClaimDecided, asked: dict[bytes, Seen]
    ) -> None:
        known = self.get(event.decides)
        if (known is None or (entry.holder and not known[0].holder)) and judge.decides(
            entry, event, asked.get(event.decides)
        ):
            self[event.decides] = entry, event


def decisions(
    seen: Iterable[Seen], contents: Mapping[bytes, Event | None], rights: Rights
) -> dict[bytes, tuple[Seen, ClaimDecided]]:
    """By operation the decision that stands, of all entries about one reservation."""
    judge, decided = _Judge(rights, set()), _Decided()
    entries = sorted(seen, key=order)
    asked = {entry.operation: entry for entry in entries if entry.kind in REQUESTS}
    for entry in entries:
        event = contents.get(entry.operation)
        if isinstance(event, ClaimDecided):
            decided.hear(judge, entry, event, asked)
    return decided


def _asks(claim: Claim) -> bytes:
    """Whom a claim asks: who names a right asks the hub, where it has not got it (§4.3, §5.7)."""
    return b"" if claim.right else claim.asks


def _extent(claim: Claim) -> tuple[str, int, int, int]:
    return claim.resource, claim.start, claim.end, claim.quantity


def fold_claims(
    entries: list[Seen],
    contents: dict[bytes, Event | None],
    rights: Rights,
    unknown: set[bytes],
) -> tuple[tuple[ClaimView, ...], Decision | None]:
    """Which claims there are and what their holders said of them, with the last decision.

    `entries` are all about one reservation, in the order of `order`; rights that nobody has granted
    yet, as far as is known here, are added to `unknown`.

    A claim sold from the writer's own right is live at once; any other waits for a decision. An
    `end` of the holder is final, whatever else arrives (§5.5).
    """
    judge = _Judge(rights, unknown)
    asked = {entry.operation: entry for entry in entries if entry.kind in REQUESTS}
    decided = _Decided()
    ending: list[_Ending] = []
    vouched: dict[ClaimId, tuple[Seen, Claim]] = {}
    for entry in entries:
        event = contents[entry.operation] if entry.kind not in REQUESTS else None
        if isinstance(event, ClaimDecided):
            decided.hear(judge, entry, event, asked)
            # Who is turned away keeps what they have, so such an answer ends nothing.
            if entry.ends and event.verdict != "displaced":
                ending.append(_Ending(entry, event.decides))
        elif isinstance(event, RightGranted):
            for (_, operation, index), claim in zip(event.handed, entry.claims, strict=False):
                vouched.setdefault(ClaimId(operation, index), (entry, claim))
        elif entry.ends:
            if isinstance(event, ClaimEnded):
                ending.append(_Ending(entry, event.favour, event.by, itself=False))
            else:
                ending.append(_Ending(entry, entry.operation))
    claims: list[ClaimView] = []
    for entry in asked.values():
        if entry.claims:
            over = _overrides(contents[entry.operation])
            claims.extend(_requested(entry, over, decided.get(entry.operation), vouched, judge))
    named: dict[ClaimId, ClaimId] = {}
    for operation, (entry, event) in decided.items():
        if event.verdict == "moved":
            claims.extend(
                _claim(ClaimId(entry.operation, index), entry, claim, LIVE, True)
                for index, claim in enumerate(entry.claims)
            )
        elif event.verdict == "admitted" and operation not in asked:
            # Known from the decision alone: occupied, details not here yet (§4.10).
            for index, claim in enumerate(entry.claims):
                asked_as = claim_id = ClaimId(operation, index)
                if not entry.holder:
                    if asked_as in vouched:
                        continue
                    # Nothing here says that the operation is this reservation's: under its name a
                    # device could take the place of another reservation's claim in every table.
                    claim_id = ClaimId(entry.operation, index)
                    named[claim_id] = asked_as
                over = event.reason == OVERRIDE
                claims.append(_claim(claim_id, entry, claim, LIVE, True, override=over))
    if vouched:
        found = {claim.id for claim in claims}
        claims.extend(
            _claim(one, entry, claim, LIVE, True)
            for one, (entry, claim) in vouched.items()
            if one not in found
        )
    favoured: dict[ClaimId, bytes] = {}
    gave_way: set[ClaimId] = set()
    if ending:
        claims = [
            _ended(claim, named.get(claim.id, claim.id), ending, judge, favoured, gave_way)
            for claim in claims
        ]
    if len(claims) > 1:
        claims = _taken_turns(_whole(claims), favoured, gave_way, asked, decided)
    if not decided:
        return tuple(claims), None
    entry, event = max(decided.values(), key=lambda pair: order(pair[0]))
    last = Decision(
        event.verdict, entry.author, entry.stamp, entry.node, entry.operation, event.decides,
        event.reason, event.won, event.from_resources,
    )  # fmt: skip
    return tuple(claims), last


def _overrides(event: Event | None) -> bool:
    return isinstance(event, _REQUESTING) and bool(event.override)


def _requested(
    entry: Seen,
    override: bool,
    decision: tuple[Seen, ClaimDecided] | None,
    vouched: dict[ClaimId, tuple[Seen, Claim]],
    judge: _Judge,
) -> list[ClaimView]:
    """The claims of one operation, which is sold whole or not at all. `override`: it asked for what
    is beyond the capacity, if need be; whoever sells by itself says so only where it was needed."""
    made = []
    words = [] if decision is not None else [judge.sells(entry, claim) for claim in entry.claims]
    sells = False if False in words else None if None in words else True
    for index, claim in enumerate(entry.claims):
        claim_id = ClaimId(entry.operation, index)
        if decision is not None:
            answer, event = decision
            state = LIVE if event.verdict == "admitted" else DEAD
            sold = answer.claims[index] if index < len(answer.claims) else claim
            over = override and state == LIVE and event.reason == OVERRIDE
            made.append(
                _claim(
                    claim_id, entry, claim, state, True, answer.author, _right_of(sold), b"", over
                )
            )
            continue
        if sells:
            made.append(
                _claim(
                    claim_id, entry, claim, LIVE, False, entry.author, _right_of(claim), b"",
                    override,
                )
            )  # fmt: skip
        elif claim_id in vouched:
            # The hub handed it to somebody as granted: who granted it is not here yet (§4.10).
            made.append(_claim(claim_id, entry, claim, LIVE, not claim.right, ""))
        else:
            state = STANDBY if claim.replaces is not None else PENDING
            awaited = claim.right if sells is None else b""
            made.append(_claim(claim_id, entry, claim, state, False, "", awaited, _asks(claim)))
    return made


def _right_of(claim: Claim) -> bytes:
    return b"" if claim.right == HUB_RIGHT else claim.right


def _claim(
    claim_id: ClaimId,
    entry: Seen,
    claim: Claim,
    state: str,
    decided: bool,
    holder: str | None = None,
    right: bytes | None = None,
    asks: bytes = b"",
    override: bool = False,
) -> ClaimView:
    return ClaimView(
        claim_id, state, claim.resource, claim.start, claim.end, claim.quantity, claim.buffer,
        entry.author if holder is None else holder, decided, entry.stamp, claim.replaces,
        _right_of(claim) if right is None else right, asks, override,
    )  # fmt: skip


def _ended(
    claim: ClaimView,
    named: ClaimId,
    ending: list[_Ending],
    judge: _Judge,
    favoured: dict[ClaimId, bytes],
    gave_way: set[ClaimId],
) -> ClaimView:
    """A claim after what its holder ended, who calls it `named`; `favoured` notes for which
    operation it gave way, and `gave_way` that it did so by a word apart: that operation may have
    stood already."""
    for end in ending:
        by = end.of(claim.id, named)
        if by is not None and judge.ends(end.entry, claim, by):
            favoured[claim.id] = end.favour
            if not end.itself:
                gave_way.add(claim.id)
            # What ends before anybody granted it never counted, and neither do its fields.
            return msgspec.structs.replace(claim, state=ENDED if claim.state == LIVE else DEAD)
    return claim


def _whole(claims: list[ClaimView]) -> list[ClaimView]:
    """An operation is sold whole or not at all: of a wish of which a part was ended nothing is
    asked for any more, or an answer to the rest would be one to all of it."""
    over = {claim.id.operation for claim in claims if claim.state == DEAD}
    if not over:
        return claims
    return [
        msgspec.structs.replace(claim, state=DEAD)
        if claim.state in (PENDING, STANDBY) and claim.id.operation in over
        else claim
        for claim in claims
    ]


def _taken_turns(
    claims: list[ClaimView],
    favoured: dict[ClaimId, bytes],
    gave_way: set[ClaimId],
    asked: dict[bytes, Seen],
    decided: dict[bytes, tuple[Seen, ClaimDecided]],
) -> list[ClaimView]:
    """One set of claims is in force; what stands beside it waits for its turn or is to be ended.

    A granted standby claim is in force once the holder of the old one ended that in its favour, or
    where there was nothing to give up (§5.6). Where two holders gave a place without knowing of
    each other the earlier one stands, and so does nothing of what another took the place of, nor
    what was given elsewhere for a wish that another was made to replace. Of somebody who waits what
    they accepted stands before what they were only offered (§5.10). What is this reservation's
    by its writer's word alone stands behind all that is not: any device could put a place of its
    own beside another's sale, with a stamp from before it.
    """
    by_id = {claim.id: claim for claim in claims}
    winners = set(favoured.values())
    after = [_in_turn_of(claim, by_id, favoured, gave_way, winners) for claim in claims]
    standing = {claim.id.operation: claim.stamp for claim in after if claim.state == LIVE}
    if len(standing) > 1:
        passed = {claim.id.operation for claim in claims if favoured.get(claim.id, b"") in standing}
        passed |= _answers_passed_over(after, by_id, decided)
        left = {operation: at for operation, at in standing.items() if operation not in passed}
        leads = _leads(claims, favoured, asked, decided)
        accepted = _follow(_accepted(asked, favoured), leads)
        founded = _follow(_founding(asked, decided), leads) | accepted
        first = min(
            left or standing,
            key=lambda one: (one not in accepted, one not in founded, standing[one], one),
        )
        after = [
            msgspec.structs.replace(claim, state=SPARE)
            if claim.state == LIVE and claim.id.operation != first
            else claim
            for claim in after
        ]
    return _kept_over(after, favoured, asked) if any(one.override for one in after) else after


def _kept_over(
    claims: list[ClaimView], favoured: Mapping[ClaimId, bytes], asked: Mapping[bytes, Seen]
) -> list[ClaimView]:
    """What was asked for anew after a no-show and is had, of a place beyond the capacity, by what
    was given up for it, is beyond it itself: whoever has a place keeps it (`Occupancy.keeps`)."""
    while True:
        over = {
            (favoured[one.id], one.resource, one.start, one.end, one.quantity)
            for one in claims
            if one.override and one.id in favoured
        }
        after = [
            msgspec.structs.replace(one, override=True)
            if not one.override
            and (entry := asked.get(one.id.operation)) is not None
            and entry.kind == RENEWED
            and (one.id.operation, one.resource, one.start, one.end, one.quantity) in over
            else one
            for one in claims
        ]
        if after == claims:
            return claims
        claims = after


def _answers_passed_over(
    claims: Iterable[ClaimView],
    by_id: Mapping[ClaimId, ClaimView],
    decided: Mapping[bytes, tuple[Seen, ClaimDecided]],
) -> set[bytes]:
    """The decisions that gave a place elsewhere for a wish which one that is had was made to
    replace. Whoever made that had not seen the answer, and a guest who was told that they sit where
    they asked to last is not sent back by a holder that answers what they asked first."""
    found = set()
    for claim in claims:
        passed: set[ClaimId] = set()
        above = claim.replaces if claim.state == LIVE else None
        while above is not None and above not in passed:
            passed.add(above)
            answer = decided.get(above.operation)
            if answer is not None and answer[1].verdict == "moved":
                found.add(answer[0].operation)
            above = old.replaces if (old := by_id.get(above)) is not None else None
    return found


def _accepted(asked: Mapping[bytes, Seen], favoured: Mapping[ClaimId, bytes]) -> set[bytes]:
    """The operations that reserved what was offered to somebody who waited: of a making that asked
    for no place. Such a one names the offer whose place it takes, or its writer ended that for it;
    else any device could write that its own table was accepted, and put that before the rest."""
    if any(one.claims for one in asked.values() if one.kind == "reservation.created"):
        return set()
    ended_for = set(favoured.values())
    return {
        one
        for one, entry in asked.items()
        if entry.kind == RESERVED
        and (
            entry.holder
            or one in ended_for
            or any(claim.replaces is not None for claim in entry.claims)
        )
    }


def _founding(
    asked: Mapping[bytes, Seen], decided: Mapping[bytes, tuple[Seen, ClaimDecided]]
) -> set[bytes]:
    """The operations whose claims are this reservation's by more than their writer's word: its
    making and what the hub said."""
    found = {
        operation
        for operation, entry in asked.items()
        if entry.holder or entry.kind == "reservation.created"
    }
    for operation, (entry, _) in decided.items():
        if entry.holder:
            found |= {operation, entry.operation}
    return found


def _leads(
    claims: Iterable[ClaimView],
    favoured: Mapping[ClaimId, bytes],
    asked: Mapping[bytes, Seen],
    decided: Mapping[bytes, tuple[Seen, ClaimDecided]],
) -> set[tuple[bytes, bytes]]:
    """What follows from which operation: the answer to it, what names one of its claims as what it
    replaces, and what such a claim was ended for."""
    leads = {(claim.operation, favour) for claim, favour in favoured.items()}
    leads |= {(one.replaces.operation, one.id.operation) for one in claims if one.replaces}
    return leads | {
        (operation, entry.operation)
        for operation, (entry, _) in decided.items()
        if operation in asked and not entry.holder
    }


def _follow(found: set[bytes], leads: set[tuple[bytes, bytes]]) -> set[bytes]:
    """These operations and all that follows from them."""
    while new := {to for above, to in leads if above in found} - found:
        found = found | new
    return found


def _in_turn_of(
    claim: ClaimView,
    by_id: dict[ClaimId, ClaimView],
    favoured: dict[ClaimId, bytes],
    gave_way: set[ClaimId],
    winners: set[bytes],
) -> ClaimView:
    favour = favoured.get(claim.id, b"")
    # By its stamp alone a sale may look older than what it took the place of: clocks differ.
    stood = claim.id in gave_way and _stood_before(favour, claim.id, by_id)
    if claim.state == ENDED and stood:
        # It gave way to what stood already: it was never in force, and its fields never count.
        return msgspec.structs.replace(claim, state=DEAD)
    if claim.replaces is None or claim.state not in (LIVE, ENDED):
        return claim
    old = _given_up(claim, by_id, winners)
    waits = old is not None and old.state == LIVE
    lost = old is not None and old.state == ENDED and claim.id.operation not in winners
    if not (waits or lost):
        return claim
    if claim.state == ENDED:
        return msgspec.structs.replace(claim, state=DEAD)
    return msgspec.structs.replace(claim, state=READY if waits else SPARE)


def _stood_before(operation: bytes, claim: ClaimId, by_id: dict[ClaimId, ClaimView]) -> bool:
    """Whether what a claim was ended in favour of stood without it, and did not end it itself: its
    claims are older, and name nothing that leads to this one."""
    own = [one for one in by_id.values() if one.id.operation == operation]
    if not own or min(one.stamp for one in own) > by_id[claim].stamp:
        return False
    todo = [one.replaces for one in own]
    passed: set[ClaimId] = set()
    while todo:
        above = todo.pop()
        if above is None or above in passed:
            continue
        passed.add(above)
        if above.operation == claim.operation:
            return False
        if (old := by_id.get(above)) is not None:
            todo.append(old.replaces)
    return True


def _given_up(
    claim: ClaimView, by_id: dict[ClaimId, ClaimView], winners: set[bytes]
) -> ClaimView | None:
    """What a standby claim would take the place of: the claim that it names or, where that one
    never came into force, the one which that was to replace."""
    chain: list[ClaimView] = []
    passed: set[ClaimId] = set()
    above = claim.replaces
    while above is not None and above not in passed and above in by_id:
        passed.add(above)
        chain.append(by_id[above])
        above = by_id[above].replaces
    had: ClaimView | None = None
    for old in reversed(chain):
        if old.replaces is None:
            had = old
        elif old.state in (LIVE, ENDED) and (
            old.id.operation in winners or had is None or had.state not in (LIVE, ENDED)
        ):
            # Its turn came: something was ended for it, or there was nothing to give up.
            had = old
    return had
