"""Facts that contradict each other: what a person must look at, and what a person can do about it.

Owns the one table of exceptions and answers that the fold, the faces and the documentation read,
and what a resolution covers (DESIGN §4.5, §4.6). A resolution is about what its writer saw:
whatever contradicts later is another exception. No capacity changes by anything here. What two
reservations contradict each other in is found by `sitting`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.model import lifecycle

if TYPE_CHECKING:
    from holdfast.model.claims import Decision
    from holdfast.model.reservation import View

DISPLACED: Final = "displaced"
SEATED_WITHOUT_PLACE: Final = "seated_without_place"
TWO_PARTIES: Final = "two_parties"
OVERBOOKED: Final = "overbooked"
PARTNER_TWICE: Final = "partner_reference_twice"

# What a person does about it. The words are codes of entries: they are never renamed.
MOVE: Final = "move"
WALK: Final = "walk"
OVERBOOK: Final = "overbook"
KEEP_BOTH: Final = "keep-both"
REFUND_LATER: Final = "refund-later"
CANCEL: Final = "cancel"
ACKNOWLEDGE: Final = "acknowledge"


class Answer(NamedTuple):
    """One thing that can be done: its code, and what it does in a host's words.

    `does` is the deed beside the record of it: MOVE, WALK, OVERBOOK, CANCEL, or empty where the
    record of what a person decided is all.
    """

    action: str
    words: str
    does: str = ""


_MOVE: Final = Answer(
    MOVE, "Gives them another free place: name it, or another time. They keep what they have until"
    " the new place is certain.", MOVE,
)  # fmt: skip
_WALK: Final = Answer(
    WALK, "They sit at another place now: name it. This is recorded even where that place is"
    " promised to somebody else; whether it is theirs, its holder decides.", WALK,
)  # fmt: skip
_SEEN: Final = Answer(ACKNOWLEDGE, "Records that it was seen to, and changes nothing else.")

ANSWERS: Final[dict[str, tuple[Answer, ...]]] = {
    DISPLACED: (
        _MOVE,
        Answer(
            OVERBOOK, "Asks again for the place that could not be had (or for one that is named),"
            " beyond the capacity, within the limit of the venue file; the reason says why.",
            OVERBOOK,
        ),
        Answer(CANCEL, "Cancels it, because nothing else suits the guest.", CANCEL),
        Answer(
            REFUND_LATER, "Cancels it, and records that what the guest paid is still to be given"
            " back.", CANCEL,
        ),
        _SEEN,
    ),
    OVERBOOKED: (_MOVE, _SEEN),
    SEATED_WITHOUT_PLACE: (
        _MOVE,
        _WALK,
        Answer(KEEP_BOTH, "Leaves them where they sit, beside whoever the place is promised to."),
        _SEEN,
    ),
    TWO_PARTIES: (
        _MOVE,
        _WALK,
        Answer(KEEP_BOTH, "Leaves both parties where they sit: they share the place."),
        _SEEN,
    ),
    "seated_though_cancelled": (
        _MOVE,
        _WALK,
        Answer(KEEP_BOTH, "Leaves them where they sit; the cancellation stays on record beside"
               " it."),
        Answer(REFUND_LATER, "Records that a cancellation fee is still to be given back."),
        _SEEN,
    ),
    "no_show_and_checked_in": (
        Answer(KEEP_BOTH, "They are here; the no-show stays on record beside it."),
        Answer(REFUND_LATER, "Records that a no-show fee is still to be given back."),
        _SEEN,
    ),
    "no_show_and_cancelled": (
        Answer(REFUND_LATER, "Records that a no-show fee is still to be given back."),
        _SEEN,
    ),
    "checked_in_twice": (
        _MOVE,
        _WALK,
        Answer(KEEP_BOTH, "Two parties came on it, and both stay: make a walk-in for the other."),
        Answer(ACKNOWLEDGE, "It is one party; what was written last counts. Nothing else changes."),
    ),
    PARTNER_TWICE: (
        Answer(CANCEL, "Cancels this one as a duplicate; the other stays as it is.", CANCEL),
        Answer(KEEP_BOTH, "Leaves both: they are two parties whom the partner calls by one"
               " reference."),
        _SEEN,
    ),
}  # fmt: skip
"""The kinds of exceptions that reservations raise, and the answers to each, the likeliest first."""

KINDS: Final = frozenset(ANSWERS)
ACTIONS: Final = frozenset(answer.action for answers in ANSWERS.values() for answer in answers)
PLACING: Final = frozenset({MOVE, WALK, OVERBOOK})
"""Actions that name a place."""

_DEED_FROM: Final = {
    MOVE: lifecycle.STEP_BY_NAME["moved"].sources,
    WALK: frozenset({lifecycle.CHECKED_IN}),
    OVERBOOK: lifecycle.STEP_BY_NAME["moved"].sources,
    CANCEL: lifecycle.STEP_BY_NAME["cancelled"].sources,
}
_AHEAD_OR_HERE: Final = lifecycle.OPEN_STATUSES | {lifecycle.CHECKED_IN}


def answers_to(kind: str, status: str) -> tuple[Answer, ...]:
    """What can be done about a kind of exception while the reservation stands at `status`."""
    return tuple(
        answer
        for answer in ANSWERS.get(kind, (_SEEN,))
        if not answer.does or status in _DEED_FROM[answer.does]
    )


# --- what one reservation raises ----------------------------------------------------------------


class Raised(NamedTuple):
    """Since when (Unix milliseconds), and 16 bytes that name what contradicts: others, once more
    does."""

    since_ms: int
    about: bytes


class Resolution(NamedTuple):
    """What one person said: of an entry of the kind `exception.resolved`."""

    kind: str
    action: str
    about: bytes
    stamp: int
    node: bytes


def raised(view: View, collisions: Mapping[str, Sequence[tuple[bytes, int]]]) -> dict[str, Raised]:
    """By kind, all that a folded reservation raises, whether resolved or not.

    `collisions`: for each kind of the lifecycle's table the steps, in the order of the fold, that
    raised it, as (operation, stamp).
    """
    found = {
        kind: Raised(steps[0][1] >> 16, digest(operation for operation, _ in steps))
        for kind, steps in collisions.items()
    }
    if view.status == lifecycle.COMMIT_FAILED and view.decision is not None:
        found[DISPLACED] = Raised(view.decision.stamp >> 16, view.decision.operation)
    blocks = view.form is not None and view.form.form == "block"
    if view.override and not blocks and view.status in _AHEAD_OR_HERE:
        sold = next(claim for claim in view.live if claim.override)
        found[OVERBOOKED] = Raised(sold.stamp >> 16, sold.id.operation)
    if view.status == lifecycle.CHECKED_IN and view.claims and not view.live and not view.pending:
        asked_last = max(view.claims, key=lambda claim: (claim.stamp, claim.id))
        found[SEATED_WITHOUT_PLACE] = Raised(view.checked_in_at_ms, asked_last.id.operation)
    return found


def still_open(
    found: dict[str, Raised], resolutions: Iterable[Resolution], decision: Decision | None
) -> dict[str, Raised]:
    """What no resolution covers."""
    left = dict(found)
    for one in resolutions:
        if one.kind in left and _covers(one, left[one.kind], decision):
            del left[one.kind]
    return left


def _covers(one: Resolution, item: Raised, decision: Decision | None) -> bool:
    """Whether a resolution is about what is raised now, and not about something earlier.

    One that names nothing covers what there is of its kind: of a displacement, what was decided
    before it.
    """
    if one.about:
        return one.about == item.about
    if one.kind != DISPLACED or decision is None:
        return True
    return (one.stamp, one.node) >= (decision.stamp, decision.node)


def digest(parts: Iterable[bytes]) -> bytes:
    """16 bytes that stand for a set of ids."""
    return hashlib.sha256(b"".join(sorted(parts))).digest()[:16]
