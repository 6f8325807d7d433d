"""One reservation as everybody sees it: a pure fold over what was written about it.

Owns the two folds of DESIGN §4.5. Capacity first: which claims are live, pending or dead follows
from the entries of the claims' holders alone. Then the lifecycle: transitions in the order that
their `follows` demand, the least stamp first, through the table of `lifecycle`. Nothing in the
second changes the first. The result depends on the set of entries and on nothing else: not on
the order or time of arrival, not on this replica, not on any clock.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from holdfast.model import contradictions, events, lifecycle
from holdfast.model.contradictions import Raised, Resolution
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    ClaimDecided,
    Event,
    ExceptionResolved,
    OperationWithdrawn,
    ReservationAmended,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCreated,
    ReservationMoved,
    SealedCard,
)
from holdfast.model.limits import FROM_PER_ENTRY_MAX

PENDING: Final = "pending"
STANDBY: Final = "standby"
LIVE: Final = "live"
ENDED: Final = "ended"
DEAD: Final = "dead"
OCCUPYING: Final = frozenset({LIVE})

REQUESTS: Final = frozenset({"reservation.created", "reservation.moved"})
TRANSITIONS: Final = frozenset({"reservation.created", *lifecycle.STEP_BY_KIND})


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry about a reservation, as the fold needs it.

    `operation` is the entry's id, `node` the author's incarnation, `author` its name, `holder` True
    where the author answers for the hub's capacity. `content` is empty where it does not count
    (quarantined or of a newer schema): the envelope still does. `n` is its place in its chain.
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


class ClaimView(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A claim with what the holders' entries made of it."""

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


class View(msgspec.Struct, array_like=True, gc=False):
    """The folded reservation: what counts, and nothing else (no card key, no sync state).

    `making` is the operation that made it, of several under one id the one that stands; `walked`
    the one that said last where its guests sit (empty: at their place); `book` is where it stands,
    which whoever folds adds.
    """

    id: bytes
    status: str = lifecycle.COMMIT_PENDING
    assurance: str = "none"
    code: str = ""
    service_date: str = ""
    starts_at: int = 0
    ends_at: int = 0
    party_size: int = 0
    kind: str = "guest"
    source: str = "direct"
    may_move: bool = False
    resource_kind: str = ""
    area: str = ""
    occasion: str = ""
    nights: int = 0
    agent_id: str = ""
    metadata: dict[str, Any] = {}
    card: SealedCard | None = None
    claims: tuple[ClaimView, ...] = ()
    stamp: int = 0
    stamp_node: bytes = b""
    made_by: str = ""
    made_at_ms: int = 0
    decision: Decision | None = None
    pending_change: dict[str, Any] | None = None
    cancel_reason: str = ""
    cancelled_by: str = ""
    checked_in_at_ms: int = 0
    actual_party_size: int = 0
    no_show_at_ms: int = 0
    attendance_confirmed: bool = False
    leaves: tuple[bytes, ...] = ()
    waiting: int = 0
    entries: int = 0
    exceptions: tuple[tuple[str, int], ...] = ()
    making: bytes = b""
    book: str = ""
    walked: bytes = b""

    @property
    def live(self) -> list[ClaimView]:
        return [claim for claim in self.claims if claim.state == LIVE]

    @property
    def pending(self) -> list[ClaimView]:
        return [claim for claim in self.claims if claim.state in (PENDING, STANDBY)]


_encoder = msgspec.msgpack.Encoder(order="deterministic")


def view_digest(view: View) -> bytes:
    """SHA-256 of the folded reservation: 32 bytes, equal wherever the same entries were folded.

    Cards are left out: their bytes are sealed, and a replica that dropped an erased one still shows
    the same reservation. So is the book: each has a digest of its own.
    """
    card, view.card = view.card, None
    book, view.book = view.book, ""
    try:
        return hashlib.sha256(_encoder.encode(view)).digest()
    finally:
        view.card, view.book = card, book


def version_tag(view: View) -> str:
    """What changes with every entry that changes the reservation: 16 hexadecimal digits.

    A stamp cannot be that: after one entry by a clock that runs ahead it stays the same.
    """
    parts = (
        view.entries,
        view.leaves,
        view.decision.operation if view.decision else b"",
        [(claim.id, claim.state) for claim in view.claims],
    )
    return hashlib.sha256(_encoder.encode(parts)).hexdigest()[:16]


def followed(view: View) -> tuple[bytes, ...]:
    """The leaves that the next transition names: all of them, as far as one entry holds them.

    What is left out stays a leaf; the next transition names it.
    """
    return view.leaves[:FROM_PER_ENTRY_MAX]


def fold(reservation: bytes, seen: Sequence[Seen]) -> View:
    """Fold all entries about one reservation, in any order, duplicates included."""
    return _folded(reservation, seen)[0]


def open_exceptions(reservation: bytes, seen: Sequence[Seen]) -> dict[str, Raised]:
    """By kind, what of one reservation a person must look at, with what a resolution names."""
    return _folded(reservation, seen)[1]


def _folded(reservation: bytes, seen: Sequence[Seen]) -> tuple[View, dict[str, Raised]]:
    entries = list(seen)
    if len(entries) > 1:
        unique = {entry.operation: entry for entry in seen}
        entries = sorted(unique.values(), key=_order)
    contents = {entry.operation: _content(entry) for entry in entries}
    view = View(id=reservation, entries=len(entries))
    _fold_claims(view, entries, contents)
    collisions = _fold_lifecycle(view, entries, contents)
    _show_place(view)
    open_now = contradictions.raised(view, collisions)
    if open_now:
        said = list(_resolutions(entries, contents))
        open_now = contradictions.still_open(open_now, said, view.decision)
        view.exceptions = tuple(sorted((kind, one.since_ms) for kind, one in open_now.items()))
    return view, open_now


def _order(entry: Seen) -> tuple[int, bytes, bytes]:
    return (entry.stamp, entry.node, entry.operation)


_decoders = {kind: msgspec.msgpack.Decoder(event) for kind, event in events.EVENT_BY_KIND.items()}


def _content(entry: Seen) -> Event | None:
    """The event, which the gate has checked before; None where only the envelope counts."""
    decoder = _decoders.get(entry.kind)
    if not entry.content or decoder is None:
        return None
    return decoder.decode(entry.content)


# --- capacity: the holders' word ----------------------------------------------------------------


def _fold_claims(view: View, entries: list[Seen], contents: dict[bytes, Event | None]) -> None:
    """Which claims there are and what their holder said of them.

    A claim sold from the writer's own right is live at once; any other waits for a decision. An
    `end` of the holder is final, whatever else arrives (§5.5); of two decisions on one operation,
    which no honest holder writes, the first by stamp stands.
    """
    ended: set[ClaimId] = set()
    decided: dict[bytes, tuple[Seen, ClaimDecided]] = {}
    for entry in entries:
        if entry.holder:
            ended.update(entry.ends)
            event = contents[entry.operation]
            if isinstance(event, ClaimDecided):
                decided.setdefault(event.decides, (entry, event))
    claims: list[ClaimView] = []
    for entry in entries:
        if entry.kind in REQUESTS and entry.claims:
            claims.extend(_requested(entry, ended, decided.get(entry.operation)))
    known = {entry.operation for entry in entries if entry.kind in REQUESTS} if decided else set()
    for operation, (entry, event) in decided.items():
        if event.verdict == "moved":
            claims.extend(
                _claim(entry, index, claim, LIVE, ended, entry.author, True)
                for index, claim in enumerate(entry.claims)
            )
        elif event.verdict == "admitted" and operation not in known:
            # Known from the decision alone: occupied, details not here yet (§4.10).
            claims.extend(
                _claim(entry, index, claim, LIVE, ended, entry.author, True, operation)
                for index, claim in enumerate(entry.claims)
            )
    view.claims = tuple(claims)
    if decided:
        entry, event = max(decided.values(), key=lambda pair: _order(pair[0]))
        view.decision = Decision(
            event.verdict, entry.author, entry.stamp, entry.node, entry.operation, event.decides,
            event.reason, event.won, event.from_resources,
        )  # fmt: skip


def _requested(
    entry: Seen, ended: set[ClaimId], decision: tuple[Seen, ClaimDecided] | None
) -> list[ClaimView]:
    made = []
    for index, claim in enumerate(entry.claims):
        holder = entry.author
        if decision is not None:
            state = LIVE if decision[1].verdict == "admitted" else DEAD
            holder = decision[0].author
        elif claim.right == HUB_RIGHT and entry.holder:
            state = LIVE
        else:
            state = STANDBY if claim.replaces is not None else PENDING
            holder = ""
        made.append(_claim(entry, index, claim, state, ended, holder, decision is not None))
    return made


def _claim(
    entry: Seen,
    index: int,
    claim: Claim,
    state: str,
    ended: set[ClaimId],
    holder: str,
    decided: bool,
    operation: bytes | None = None,
) -> ClaimView:
    claim_id = ClaimId(operation or entry.operation, index)
    if claim_id in ended:
        # What ends before anybody granted it never counted, and neither do its fields.
        state = ENDED if state == LIVE else DEAD
    return ClaimView(
        claim_id, state, claim.resource, claim.start, claim.end, claim.quantity, claim.buffer,
        holder, decided, entry.stamp, claim.replaces,
    )  # fmt: skip


# --- lifecycle: what each transition saw --------------------------------------------------------


def _fold_lifecycle(
    view: View, entries: list[Seen], contents: dict[bytes, Event | None]
) -> dict[str, list[tuple[bytes, int]]]:
    """Apply transitions, those first whose predecessors are applied, the least stamp first.

    Another making under the same id is seen and changes nothing (`_standing`). Sets of transitions
    are bits of a number, because a hostile device may chain thousands of them. Returns the steps
    that contradicted what stood, by the kind of the exception.
    """
    transitions = [
        entry
        for entry in entries
        if entry.kind in TRANSITIONS and contents[entry.operation] is not None
    ]
    withdrawn = _withdrawn(entries, contents) if len(entries) > 1 else set()
    bit: dict[bytes, int] = {}
    ancestors: dict[bytes, int] = {}
    leaves = steps = 0
    status = ""
    collisions: dict[str, list[tuple[bytes, int]]] = {}
    counting = {c.id.operation for c in view.claims if c.state in (LIVE, ENDED)}
    turns = list(_in_turn(transitions))
    view.making = standing = _standing(turns, entries, contents)
    for ready in turns:
        above = 0
        for predecessor in ready.follows:
            above |= ancestors[predecessor] | bit[predecessor]
        own = 1 << len(bit)
        bit[ready.operation], ancestors[ready.operation] = own, above
        void = ready.operation in withdrawn
        if ready.kind == "reservation.created":
            if ready.operation == standing:
                status = _apply_created(view, ready, contents[ready.operation], void)
        elif status and not void:
            # An amendment that it did not see cannot turn a step into a collision: it leaves the
            # status alone, and whose clock is ahead must not decide whether the step counts.
            table = lifecycle.COLLIDE if steps & ~above else lifecycle.NEXT
            outcome = table.get((status, ready.kind))
            if outcome is not None:
                status = outcome.status
                if outcome.exception:
                    collided = collisions.setdefault(outcome.exception, [])
                    collided.append((ready.operation, ready.stamp))
                if not outcome.void:
                    _apply(view, ready, contents[ready.operation], counting)
                if lifecycle.STEP_BY_KIND[ready.kind].to is not None:
                    steps |= own
        leaves = leaves & ~above | own
        if (ready.stamp, ready.node) > (view.stamp, view.stamp_node):
            view.stamp, view.stamp_node = ready.stamp, ready.node
    if view.decision and (view.decision.stamp, view.decision.node) > (view.stamp, view.stamp_node):
        view.stamp, view.stamp_node = view.decision.stamp, view.decision.node
    view.status = status or lifecycle.OPEN
    view.leaves = tuple(sorted(operation for operation, own in bit.items() if leaves & own))
    view.waiting = len(transitions) - len(bit)
    return collisions


def _standing(turns: list[Seen], entries: list[Seen], contents: dict[bytes, Event | None]) -> bytes:
    """The making that stands: the one granted or decided first, else the least.

    Ids are no secret: without this a stamp from the past would make somebody else's reservation
    one's own. When it was granted is the holder's word, not the maker's.
    """
    made = [entry for entry in turns if entry.kind == "reservation.created"]
    if len(made) < 2:
        return made[0].operation if made else b""
    ranks: dict[bytes, tuple[int, tuple[int, bytes, bytes]]] = {}
    for entry in entries:
        event = contents[entry.operation]
        if entry.holder and isinstance(event, ClaimDecided):
            ranks.setdefault(event.decides, (0, _order(entry)))
    for entry in made:
        sold = entry.holder and any(claim.right == HUB_RIGHT for claim in entry.claims)
        ranks.setdefault(entry.operation, (0 if sold else 1, _order(entry)))
    return min(made, key=lambda entry: ranks[entry.operation]).operation


def _in_turn(transitions: list[Seen]) -> Iterator[Seen]:
    """Again and again the first in the list whose predecessors all came; the others never come."""
    if len(transitions) == 1:
        if not transitions[0].follows:
            yield transitions[0]
        return
    missing = [len(set(entry.follows)) for entry in transitions]
    followers: dict[bytes, list[int]] = {}
    for place, entry in enumerate(transitions):
        for predecessor in set(entry.follows):
            followers.setdefault(predecessor, []).append(place)
    ready = [place for place, count in enumerate(missing) if not count]
    while ready:
        entry = transitions[heapq.heappop(ready)]
        yield entry
        for place in followers.get(entry.operation, ()):
            missing[place] -= 1
            if not missing[place]:
                heapq.heappush(ready, place)


def _withdrawn(entries: list[Seen], contents: dict[bytes, Event | None]) -> set[bytes]:
    """Operations that their own writer has withdrawn."""
    found = set()
    for entry in entries:
        event = contents[entry.operation]
        if isinstance(event, OperationWithdrawn) and any(
            one.operation == event.operation and one.node == entry.node for one in entries
        ):
            found.add(event.operation)
    return found


def _apply_created(view: View, entry: Seen, event: Event | None, withdrawn: bool) -> str:
    assert isinstance(event, ReservationCreated)
    view.code, view.service_date, view.party_size = event.code, event.service_date, event.party_size
    view.kind, view.source, view.may_move = event.kind, event.source, event.may_move
    view.resource_kind, view.area, view.occasion = event.resource_kind, event.area, event.occasion
    view.nights, view.agent_id, view.metadata = event.nights, event.agent_id, event.metadata
    view.card, view.made_by = event.card, entry.author
    view.made_at_ms = event.made_at_ms or entry.stamp >> 16
    view.starts_at, view.ends_at = event.starts_at, event.ends_at
    if withdrawn:
        view.cancel_reason, view.cancelled_by = "withdrawn", "system"
        return lifecycle.CANCELLED
    if event.outcome in (lifecycle.COMPLETED, lifecycle.CANCELLED, lifecycle.NO_SHOW):
        if event.outcome == lifecycle.CANCELLED:
            view.cancel_reason, view.cancelled_by = "imported", "guest"
        return event.outcome
    return lifecycle.OPEN


def _apply(view: View, entry: Seen, event: Event | None, counting: set[bytes]) -> None:
    """Overwrite the fields that the transition names."""
    if isinstance(event, ReservationAmended):
        _overwrite(view, event)
    elif isinstance(event, ReservationMoved):
        # A move that its holder has not granted (or refused) changes nothing yet.
        granted = entry.operation in counting or not entry.claims
        if granted:
            _overwrite(view, event)
        if event.walked:
            # Where they sit is a fact, whoever the place belongs to.
            view.walked = entry.operation
        elif granted:
            view.walked = b""
    elif isinstance(event, ReservationCancelled):
        view.cancel_reason, view.cancelled_by = event.reason, event.by
    elif isinstance(event, ReservationCheckedIn):
        view.checked_in_at_ms = event.at_ms or entry.stamp >> 16
        view.actual_party_size = event.actual_party_size or view.party_size
    elif entry.kind == "reservation.no_show":
        view.no_show_at_ms = entry.stamp >> 16
    elif entry.kind == "reservation.attendance_confirmed":
        view.attendance_confirmed = True


def _overwrite(view: View, event: ReservationAmended | ReservationMoved) -> None:
    for field, value in event.fields.items():
        setattr(view, field, value)
    if event.card is not None:
        view.card = event.card


# --- both together ------------------------------------------------------------------------------


def _show_place(view: View) -> None:
    """Time, place and the statuses that only claims can tell."""
    live = [claim for claim in view.claims if claim.state == LIVE]
    pending = [claim for claim in view.claims if claim.state == PENDING]
    standby = [claim for claim in view.claims if claim.state == STANDBY]
    opened = view.status == lifecycle.OPEN
    if opened:
        if live:
            view.status = lifecycle.CONFIRMED
        elif pending or standby:
            view.status = lifecycle.COMMIT_PENDING
        else:
            view.status = lifecycle.COMMIT_FAILED
    if live:
        view.assurance = "admitted" if any(claim.decided for claim in live) else "guaranteed"
    elif pending:
        view.assurance = "provisional"
    if view.status in (lifecycle.CANCELLED, lifecycle.COMMIT_FAILED):
        view.assurance = "none"
    elif pending and view.status in (lifecycle.COMPLETED, lifecycle.NO_SHOW):
        view.assurance = "provisional"
    shown = live or pending or _latest_group(view.claims)
    if shown:
        view.starts_at = min(claim.start for claim in shown)
        view.ends_at = max(claim.end - claim.buffer for claim in shown)
    standby = standing_claims(view)
    if standby and view.status in lifecycle.OPEN_STATUSES | {lifecycle.CHECKED_IN}:
        view.pending_change = {
            "starts_at": min(claim.start for claim in standby),
            "ends_at": max(claim.end - claim.buffer for claim in standby),
            "resources": [claim.resource for claim in standby],
        }


def standing_claims(view: View) -> list[ClaimView]:
    """The change that waits: of several standing by, the one that was asked for last."""
    return _latest_group(tuple(claim for claim in view.claims if claim.state == STANDBY))


def shown_claims(view: View) -> list[ClaimView]:
    """The claims that stand for the reservation's place: live ones, else asked ones, else the
    last."""
    return (
        view.live
        or [claim for claim in view.claims if claim.state == PENDING]
        or _latest_group(view.claims)
    )


def _latest_group(claims: tuple[ClaimView, ...]) -> list[ClaimView]:
    """Of claims that are over, those of the operation that was made last and counted."""
    over = [claim for claim in claims if claim.state == ENDED] or list(claims)
    if not over:
        return []
    last = max(over, key=lambda claim: (claim.stamp, claim.id)).id.operation
    return [claim for claim in over if claim.id.operation == last]


def claims_to_end(view: View, now_s: int) -> list[ClaimView]:
    """Claims whose end is requested and that the holder has not ended yet (§5.5).

    A completed visit asks only for what is left of its time; what has passed frees nothing.
    """
    if view.status not in lifecycle.ENDS_CLAIMS:
        return []
    if view.status == lifecycle.COMPLETED:
        return [claim for claim in view.claims if claim.state == LIVE and claim.end > now_s]
    return [claim for claim in view.claims if claim.state in (LIVE, PENDING, STANDBY)]


def resolutions(seen: Sequence[Seen]) -> Iterator[Resolution]:
    """What people said about exceptions, of all that was seen about one reservation."""
    kinds = [entry for entry in seen if entry.kind == "exception.resolved"]
    yield from _resolutions(kinds, {entry.operation: _content(entry) for entry in kinds})


def _resolutions(
    entries: Sequence[Seen], contents: dict[bytes, Event | None]
) -> Iterator[Resolution]:
    for entry in entries:
        event = contents[entry.operation]
        if isinstance(event, ExceptionResolved):
            yield Resolution(event.exception, event.action, event.about, entry.stamp, entry.node)
