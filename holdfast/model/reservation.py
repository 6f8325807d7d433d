"""One reservation as everybody sees it: a pure fold over what was written about it.

Owns the second fold of DESIGN §4.5, after that of the claims (`claims`): the lifecycle, with
transitions in the order that their `follows` demand, the least stamp first, through the table of
`lifecycle`. Nothing in it changes the first. The result depends on the set of entries and on
nothing else: not on the order or time of arrival, not on this replica, not on any clock.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import msgspec

from holdfast.model import approval, contradictions, events, lifecycle
from holdfast.model.claims import (
    ENDED,
    LIVE,
    NO_RIGHTS,
    OCCUPYING,
    PENDING,
    READY,
    RENEWED,
    RESERVED,
    SPARE,
    STANDBY,
    ClaimView,
    Decision,
    Seen,
    fold_claims,
    order,
)
from holdfast.model.contradictions import Raised, Resolution
from holdfast.model.entries import ClaimId
from holdfast.model.events import (
    ClaimDecided,
    Event,
    ExceptionResolved,
    Form,
    OperationWithdrawn,
    ReservationAmended,
    ReservationApproved,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCreated,
    ReservationMoved,
    ReservationReserved,
    SealedCard,
)
from holdfast.model.limits import FROM_PER_ENTRY_MAX
from holdfast.model.rights import Rights

BLOCK: Final = "block"
_NO_SHOW: Final = lifecycle.STEP_BY_NAME["no_show"].kind
_UNDECIDED: Final = (PENDING, STANDBY, READY)
TRANSITIONS: Final = frozenset({"reservation.created", *lifecycle.STEP_BY_KIND})


class View(msgspec.Struct, array_like=True, gc=False):
    """The folded reservation: what counts, and nothing else (no card key, no sync state).

    `making` is the operation that made it, of several under one id the one that stands; `walked`
    the one that said last where its guests sit (empty: at their place); `book` is where it stands,
    which whoever folds adds. `override`: why it has a place beyond the capacity, empty where it was
    not sold so. `form`: what it was made as, where that is no plain reservation; `expires_at_ms`:
    until when it, or what is offered to it, is kept while nobody has reserved it. `reserving`: the
    operation that reserved it, or asked for its place anew when a no-show was taken back.
    `approval`: how it stands with the house's word (`approval.state`).
    `partner`: the digest of its partner's reference (`partners`); empty: it has none.
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
    override: str = ""
    form: Form | None = None
    expires_at_ms: int = 0
    reserving: bytes = b""
    approval: str = ""
    partner: bytes = b""

    @property
    def live(self) -> list[ClaimView]:
        return [claim for claim in self.claims if claim.state == LIVE]

    @property
    def occupying(self) -> list[ClaimView]:
        return [claim for claim in self.claims if claim.state in OCCUPYING]

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


def fold(
    reservation: bytes,
    seen: Sequence[Seen],
    rights: Rights = NO_RIGHTS,
    unknown: set[bytes] | None = None,
) -> View:
    """Fold all entries about one reservation, in any order, duplicates included.

    `rights` are the book's. Rights that entries name and nobody has granted yet, as far as is known
    here, are added to `unknown`: the fold may change when their grants arrive.
    """
    return _folded(reservation, seen, rights, unknown)[0]


def open_exceptions(
    reservation: bytes, seen: Sequence[Seen], rights: Rights = NO_RIGHTS
) -> dict[str, Raised]:
    """By kind, what of one reservation a person must look at, with what a resolution names."""
    return _folded(reservation, seen, rights, None)[1]


def _folded(
    reservation: bytes, seen: Sequence[Seen], rights: Rights, unknown: set[bytes] | None
) -> tuple[View, dict[str, Raised]]:
    entries = list(seen)
    if len(entries) > 1:
        unique = {entry.operation: entry for entry in seen}
        entries = sorted(unique.values(), key=order)
    contents = {entry.operation: content_of(entry) for entry in entries}
    view = View(id=reservation, entries=len(entries))
    if False in [entry.blocks for entry in entries] and any(map(_makes_block, contents.values())):
        # Who may not take a place out of use does not put it back, or another in its stead; what
        # it says of the claims is the word of their holder, or nobody's.
        entries = [entry for entry in entries if entry.blocks or entry.kind not in TRANSITIONS]
    found = set() if unknown is None else unknown
    view.claims, view.decision = fold_claims(entries, contents, rights, found)
    collisions, promised = _fold_lifecycle(view, entries, contents)
    _show_place(view, promised)
    view.override = _override(view, contents)
    view.approval = _approval(view, contents)
    open_now = contradictions.raised(view, collisions)
    if open_now:
        said = list(_resolutions(entries, contents))
        open_now = contradictions.still_open(open_now, said, view.decision)
        view.exceptions = tuple(sorted((kind, one.since_ms) for kind, one in open_now.items()))
    return view, open_now


def _makes_block(event: Event | None) -> bool:
    return (
        isinstance(event, ReservationCreated)
        and event.form is not None
        and event.form.form == BLOCK
    )


_decoders = {kind: msgspec.msgpack.Decoder(event) for kind, event in events.EVENT_BY_KIND.items()}


def content_of(entry: Seen) -> Event | None:
    """The event, which the gate has checked before; None where only the envelope counts."""
    decoder = _decoders.get(entry.kind)
    if not entry.content or decoder is None:
        return None
    return decoder.decode(entry.content)


def granting_entry(
    seen: Sequence[Seen], claim: ClaimView, writers: Collection[bytes]
) -> Seen | None:
    """The entry by which one of these incarnations granted a claim: its decision, or the sale from
    its own right. None where it is the word of somebody else."""
    for entry in seen:
        if entry.node not in writers:
            continue
        if entry.operation == claim.id.operation:
            if not claim.decided or entry.kind == "claim.decided":
                return entry
        elif claim.decided and entry.kind == "claim.decided":
            event = content_of(entry)
            if isinstance(event, ClaimDecided) and event.decides == claim.id.operation:
                return entry
    return None


# --- lifecycle: what each transition saw --------------------------------------------------------


def _fold_lifecycle(
    view: View, entries: list[Seen], contents: dict[bytes, Event | None]
) -> tuple[dict[str, list[tuple[bytes, int]]], set[bytes]]:
    """Apply transitions, those first whose predecessors are applied, the least stamp first.

    Another making under the same id is seen and changes nothing (`_standing`). Sets of transitions
    are bits of a number, because a hostile device may chain thousands of them. Returns the steps
    that contradicted what stood, by the kind of the exception, and the operations that reserved
    what was held, or asked anew for what a no-show had given up, or were written in sight of that.
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
    turns = _in_turn(transitions)
    view.making = standing = _standing(view, turns, entries, contents)
    given = counting | {
        event.decides
        for operation, event in contents.items()
        if operation in counting and isinstance(event, ClaimDecided)
    }
    reserving = _reserving(view, turns, given, withdrawn)
    marks = taken_back = 0
    for ready in turns:
        above = 0
        for predecessor in ready.follows:
            above |= ancestors[predecessor] | bit[predecessor]
        own = 1 << len(bit)
        bit[ready.operation], ancestors[ready.operation] = own, above
        void = ready.operation in withdrawn
        if ready.kind == RESERVED and ready.operation != reserving:
            void = True
        if ready.kind == "reservation.created":
            if ready.operation == standing:
                status = _apply_created(view, ready, contents[ready.operation], void)
        elif status and not void:
            # An amendment that it did not see cannot turn a step into a collision: it leaves the
            # status alone, and whose clock is ahead must not decide whether the step counts.
            unseen = steps & ~above
            if ready.kind == RENEWED:
                taken_back |= above
                # Of several marks that knew nothing of each other each is taken back by itself.
                if status == lifecycle.NO_SHOW and not marks & ~taken_back:
                    unseen = 0
            elif ready.kind == _NO_SHOW:
                marks |= own
            table = lifecycle.COLLIDE if unseen else lifecycle.NEXT
            outcome = table.get((status, ready.kind))
            if outcome is not None:
                status = outcome.status
                if outcome.exception:
                    collided = collisions.setdefault(outcome.exception, [])
                    collided.append((ready.operation, ready.stamp))
                if not outcome.void:
                    _apply(view, ready, contents[ready.operation], counting)
                if lifecycle.STEP_BY_KIND[ready.kind].to is not None and not (
                    # What came too late to be reserved or to expire turned nothing.
                    outcome.void and ready.kind in lifecycle.BEFORE_OPEN
                ):
                    steps |= own
        leaves = leaves & ~above | own
        if (ready.stamp, ready.node) > (view.stamp, view.stamp_node):
            view.stamp, view.stamp_node = ready.stamp, ready.node
    if view.decision and (view.decision.stamp, view.decision.node) > (view.stamp, view.stamp_node):
        view.stamp, view.stamp_node = view.decision.stamp, view.decision.node
    view.status = status or lifecycle.OPEN
    view.leaves = tuple(sorted([operation for operation, own in bit.items() if leaves & own]))
    view.waiting = len(transitions) - len(bit)
    renewing = _renewing(view, turns, bit, ancestors, withdrawn)
    if renewing:
        view.reserving = _first_given(view, turns, given, renewing)
    if not view.reserving:
        return collisions, set()
    reserved = 0
    for operation in renewing or [view.reserving]:
        reserved |= bit[operation]
    seen_by = {one for one in bit if (bit[one] | ancestors[one]) & reserved}
    for entry in entries:
        event = contents[entry.operation]
        if not isinstance(event, ClaimDecided):
            continue
        # Whoever gives up what was promised for what is decided here promises that instead, also
        # where the wish for it is not known: a copied device is not told what bears its own name.
        if event.decides in seen_by or any(one.operation in seen_by for one in entry.ends):
            seen_by |= {entry.operation, event.decides}
    return collisions, seen_by


def _renewing(
    view: View,
    turns: list[Seen],
    bit: dict[bytes, int],
    ancestors: dict[bytes, int],
    withdrawn: set[bytes],
) -> list[bytes]:
    """The operations that asked for a place anew when they took a no-show back, of which none saw
    another: what an earlier one was given was given up with a later mark. Who knew nothing of a
    move that is had, as that knew nothing of the mark, asks for nothing: they have a place."""
    live = {claim.id.operation for claim in view.claims if claim.state == LIVE}
    moves = [
        one.operation for one in turns if one.kind == "reservation.moved" and one.operation in live
    ]
    found = [
        one.operation
        for one in turns
        if one.kind == RENEWED
        and one.claims
        and one.operation not in withdrawn
        and all(
            bit[move] & ancestors[one.operation] or bit[one.operation] & ancestors[move]
            for move in moves
        )
    ]
    if len(found) < 2:
        return found
    seen = 0
    for operation in found:
        seen |= ancestors[operation]
    return [operation for operation in found if not seen & bit[operation]]


def _reserving(view: View, turns: list[Seen], given: set[bytes], withdrawn: set[bytes]) -> bytes:
    """The operation that reserved what was held: whoever was told that it is theirs has it under
    their own name. Empty: nobody did."""
    found = [
        entry.operation
        for entry in turns
        if entry.kind == RESERVED and entry.operation not in withdrawn
    ]
    return _first_given(view, turns, given, found)


def _first_given(view: View, turns: list[Seen], given: set[bytes], found: list[bytes]) -> bytes:
    """Of several that asked without knowing of each other the one that was given the place, else
    the one that was given another one since, else the first that may yet be, else the first."""
    if len(found) < 2:
        return found[0] if found else b""
    waits = {claim.id.operation for claim in view.claims if claim.state in _UNDECIDED}

    def rank(one: bytes) -> int:
        led = {one}
        for entry in turns:
            if not led.isdisjoint(entry.follows):
                led.add(entry.operation)
        return 0 if one in given else 1 if led & given else 2 if one in waits else 3

    # Of several of one rank the one that came first: `min` returns that.
    return min(found, key=rank)


def _standing(
    view: View, turns: list[Seen], entries: list[Seen], contents: dict[bytes, Event | None]
) -> bytes:
    """The making that stands: the one granted or decided first, else the least.

    Under an id of version 7 only the life that gave it makes a reservation; but every device
    derives the same id for an imported record, and ids are no secret: without this a stamp from the
    past would make somebody else's import one's own. When it was granted is the holder's word, not
    the maker's.
    """
    made = [entry for entry in turns if entry.kind == "reservation.created"]
    if len(made) < 2:
        return made[0].operation if made else b""
    ranks: dict[bytes, tuple[int, tuple[int, bytes, bytes]]] = {}
    for entry in entries:
        event = contents[entry.operation]
        if entry.holder and isinstance(event, ClaimDecided):
            ranks.setdefault(event.decides, (0, order(entry)))
    own = {claim.id.operation for claim in view.occupying if not claim.decided}
    for entry in made:
        sold = entry.operation in own
        ranks.setdefault(entry.operation, (0 if sold else 1, order(entry)))
    return min(made, key=lambda entry: ranks[entry.operation]).operation


def _in_turn(transitions: list[Seen]) -> list[Seen]:
    """Again and again the first in the list whose predecessors all came; the others never come."""
    if len(transitions) == 1:
        return [] if transitions[0].follows else transitions
    turns: list[Seen] = []
    missing = [len(set(entry.follows)) for entry in transitions]
    followers: dict[bytes, list[int]] = {}
    for place, entry in enumerate(transitions):
        for predecessor in set(entry.follows):
            followers.setdefault(predecessor, []).append(place)
    ready = [place for place, count in enumerate(missing) if not count]
    while ready:
        entry = transitions[heapq.heappop(ready)]
        turns.append(entry)
        for place in followers.get(entry.operation, ()):
            missing[place] -= 1
            if not missing[place]:
                heapq.heappush(ready, place)
    return turns


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
    view.form, view.partner = event.form, event.partner
    if event.form is not None:
        view.expires_at_ms = event.form.expires_at_ms
    if withdrawn:
        view.cancel_reason, view.cancelled_by = "withdrawn", "system"
        return lifecycle.CANCELLED
    if event.outcome in (lifecycle.COMPLETED, lifecycle.CANCELLED, lifecycle.NO_SHOW):
        if event.outcome == lifecycle.CANCELLED:
            view.cancel_reason, view.cancelled_by = "imported", "guest"
        return event.outcome
    waits = event.form is not None and event.form.form != BLOCK
    return lifecycle.INTENT if waits else lifecycle.OPEN


def _apply(view: View, entry: Seen, event: Event | None, counting: set[bytes]) -> None:
    """Overwrite the fields that the transition names."""
    if isinstance(event, ReservationAmended):
        _overwrite(view, event)
    elif isinstance(event, ReservationMoved):
        # A move that its holder has not granted (or refused) changes nothing yet.
        granted = entry.operation in counting or not entry.claims
        if isinstance(event, ReservationReserved):
            view.reserving = entry.operation
            granted = True
        if granted:
            _overwrite(view, event)
        elif "expires_at_ms" in event.fields:
            # Until when an offer is kept was said with it, whoever has the place.
            view.expires_at_ms = event.fields["expires_at_ms"]
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


def _override(view: View, contents: dict[bytes, Event | None]) -> str:
    """Why the place that is had was sold beyond the capacity, or the one that it was kept of."""
    if not any(claim.override and claim.state == LIVE for claim in view.claims):
        return ""
    over = [claim for claim in view.claims if claim.override]
    for claim in sorted(over, key=lambda claim: (claim.state == LIVE, claim.stamp), reverse=True):
        event = contents.get(claim.id.operation)
        if isinstance(event, ReservationCreated | ReservationMoved) and event.override:
            return event.override
    return ""


def _approval(view: View, contents: dict[bytes, Event | None]) -> str:
    """How it stands with the house's word, of the making that stands."""
    made = contents.get(view.making)
    if not isinstance(made, ReservationCreated) or not made.needs_approval:
        return ""
    given = any(isinstance(event, ReservationApproved) for event in contents.values())
    return approval.state(view.status, given=given)


# --- both together ------------------------------------------------------------------------------


def _show_place(view: View, promised: Collection[bytes]) -> None:
    """Time, place and the statuses that only claims can tell.

    Of what was reserved only claims that are `promised`, by that or in sight of it, promise the
    guest anything: what was held or offered before, or beside it, its holder may let lapse without
    knowing of it. So it is with what was asked for anew after a no-show: what was had before was
    given up with that.
    """
    live = [claim for claim in view.claims if claim.state == LIVE]
    pending = _asked(view)
    had = [claim for claim in live if claim.id.operation in promised] if view.reserving else live
    waits = pending or any(claim.state in (STANDBY, READY) for claim in view.claims)
    if view.status == lifecycle.OPEN:
        if had:
            view.status = lifecycle.CONFIRMED
        elif waits:
            view.status = lifecycle.COMMIT_PENDING
        else:
            view.status = lifecycle.COMMIT_FAILED
    if had:
        view.assurance = "admitted" if any([claim.decided for claim in had]) else "guaranteed"
    elif pending or live:
        view.assurance = "provisional"
    if view.status in _WITHOUT_PLACE:
        view.assurance = "none"
    elif pending and view.status in (lifecycle.COMPLETED, lifecycle.NO_SHOW):
        view.assurance = "provisional"
    shown = live or pending or _latest_group(view.claims)
    if shown:
        view.starts_at = min([claim.start for claim in shown])
        view.ends_at = max([claim.end - claim.buffer for claim in shown])
    standby = standing_claims(view)
    if standby and standby[0].id.operation != view.reserving and view.status in _MOVABLE:
        view.pending_change = {
            "starts_at": min(claim.start for claim in standby),
            "ends_at": max(claim.end - claim.buffer for claim in standby),
            "resources": [claim.resource for claim in standby],
        }


_MOVABLE: Final = lifecycle.OPEN_STATUSES | {lifecycle.INTENT, lifecycle.CHECKED_IN}
_WITHOUT_PLACE: Final = (lifecycle.CANCELLED, lifecycle.COMMIT_FAILED, lifecycle.EXPIRED)


def standing_claims(view: View) -> list[ClaimView]:
    """The change that waits: of several standing by, the one that was asked for last."""
    return _latest_group([claim for claim in view.claims if claim.state in (STANDBY, READY)])


def wished_claims(view: View) -> list[ClaimView]:
    """What was asked for last and is not decided: of several wishes one, and never all at once."""
    return _latest_group(view.pending)


def shown_claims(view: View) -> list[ClaimView]:
    """The claims that stand for the reservation's place: live ones, else asked ones, else the
    last."""
    return view.live or _asked(view) or _latest_group(view.claims)


def _asked(view: View) -> list[ClaimView]:
    """What is asked for and not decided: by the making that stands, if it is that. What was asked
    under the same id by another's entry must not show as this reservation's place."""
    pending = [claim for claim in view.claims if claim.state == PENDING]
    return [claim for claim in pending if claim.id.operation == view.making] or pending


def _latest_group(claims: Sequence[ClaimView]) -> list[ClaimView]:
    """Of claims that are over, those of the operation that was made last and counted."""
    if not claims:
        return []
    over = [claim for claim in claims if claim.state == ENDED] or list(claims)
    last = max(over, key=lambda claim: (claim.stamp, claim.id)).id.operation
    return [claim for claim in over if claim.id.operation == last]


def claims_to_end(view: View, now_s: int) -> list[ClaimView]:
    """Claims whose end is requested and that the holder has not ended yet (§5.5).

    A completed visit asks only for what is left of its time, and a no-show for what was left when
    it was marked: what had passed frees nothing, and is there still when the mark is taken back.
    """
    if view.status not in lifecycle.ENDS_CLAIMS:
        # What was held for a reserving that was refused is held for nobody any more.
        lost = view.reserving and view.status == lifecycle.COMMIT_FAILED
        return [one for one in view.claims if one.state == SPARE or (lost and one.state == LIVE)]
    if view.status not in (lifecycle.COMPLETED, lifecycle.NO_SHOW):
        return [*view.occupying, *view.pending]
    if view.status == lifecycle.NO_SHOW and not view.no_show_at_ms:
        # An imported visit that nobody came to: no mark says from when on it is over.
        return []
    after_ms = max(now_s * 1000, view.no_show_at_ms)
    ending = [one for one in view.occupying if one.state != LIVE or one.end * 1000 > after_ms]
    return [*ending, *view.pending] if view.status == lifecycle.NO_SHOW else ending


def picked(view: View) -> tuple[bytes, list[ClaimView]] | None:
    """The move that the old claims' holders are to give way to, and those claims; None where no
    move waits for them. A later wish that was made in sight of another stands for it; of wishes
    that knew nothing of each other the least is taken (§5.6)."""
    ready = [claim for claim in view.claims if claim.state == READY]
    if not ready or not view.live:
        return None
    by_id = {claim.id: claim for claim in view.claims}
    passed: set[ClaimId] = set()
    for claim in ready:
        above = claim.replaces
        while above is not None and above not in passed:
            passed.add(above)
            above = old.replaces if (old := by_id.get(above)) is not None else None
    latest = [claim for claim in ready if claim.id not in passed] or ready
    first = min(latest, key=lambda claim: (claim.stamp, claim.id))
    return first.id.operation, view.live


def resolutions(seen: Sequence[Seen]) -> Iterator[Resolution]:
    """What people said about exceptions, of all that was seen about one reservation."""
    kinds = [entry for entry in seen if entry.kind == "exception.resolved"]
    yield from _resolutions(kinds, {entry.operation: content_of(entry) for entry in kinds})


def _resolutions(
    entries: Sequence[Seen], contents: dict[bytes, Event | None]
) -> Iterator[Resolution]:
    for entry in entries:
        event = contents[entry.operation]
        if isinstance(event, ExceptionResolved):
            yield Resolution(event.exception, event.action, event.about, entry.stamp, entry.node)
