"""Promises that were given and do not stand: who was told "booked" and has no place now.

Owns how such a reservation is told from one whose wish was displaced, and by which of the cases of
DESIGN §5.12 the promise was lost. It reads what the folds made of the entries and changes nothing
of it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from holdfast.model import lifecycle
from holdfast.model.administration import Administration
from holdfast.model.claims import ENDED, OCCUPYING, REQUESTS, Seen, decisions, order
from holdfast.model.entries import HUB_RIGHT
from holdfast.model.events import ClaimDecided, Event
from holdfast.model.forms import form_now
from holdfast.model.reservation import View, content_of

REVOKED: Final = "revoked"
SHUT_OUT: Final = "shut_out"
CLOSED: Final = "closed"
RECOVERED: Final = "recovered"
HOW: Final = (REVOKED, SHUT_OUT, CLOSED, RECOVERED)
"""How a promise is lost: the allotment that it was sold from was revoked; the device that gave it
was shut out; the life that gave it was a copy, or was restored, and is closed; the hub that gave it
was lost, and the one that follows had not heard of it."""

_WITHOUT_PLACE: Final = (lifecycle.COMMIT_FAILED, lifecycle.COMMIT_PENDING, lifecycle.CHECKED_IN)


class Lost(NamedTuple):
    """How a promise was lost (one of HOW), and the name of the device that had given it."""

    how: str
    by: str


def may_be_lost(view: View) -> bool:
    """Whether a reservation has no place although it may have been promised one: what `lost` needs
    no entries for."""
    return view.status in _WITHOUT_PLACE and not view.live and not form_now(view)


def lost(view: View, seen: Sequence[Seen], administration: Administration) -> Lost | None:
    """How the last promise of a reservation was lost that has no place now; None where nobody was
    promised one, or where the reservation is over.

    A promise is a sale from a right that its writer named, or the word of whoever was asked. One
    that stood and was ended since, as by a move, was not lost.
    """
    if not may_be_lost(view):
        return None
    contents = {entry.operation: content_of(entry) for entry in seen}
    standing = {
        entry.operation for entry, _ in decisions(seen, contents, administration.rights).values()
    }
    stood = {one.id.operation for one in view.claims if one.state in OCCUPYING | {ENDED}}
    for entry in sorted(seen, key=order, reverse=True):
        if entry.operation in standing | stood:
            continue
        decided = view.status == lifecycle.COMMIT_FAILED
        how = _how(entry, _promised_by(entry, contents), administration, decided)
        if how:
            return Lost(how, entry.author)
    return None


def _promised_by(entry: Seen, contents: Mapping[bytes, Event | None]) -> tuple[bytes, ...]:
    """The rights that an entry promises a place by, as it names them; empty: it promises none.

    Whoever sends a guest elsewhere answers by a right to what was asked, and gives by another one.
    """
    named = tuple(claim.right for claim in entry.claims)
    if entry.kind in REQUESTS:
        return named if all(named) else ()
    event = contents.get(entry.operation)
    if isinstance(event, ClaimDecided) and event.verdict != "displaced":
        # The hub's word names no right of its own.
        return tuple(right or HUB_RIGHT for right in (*named, *event.by))
    return ()


def _how(entry: Seen, named: Sequence[bytes], administration: Administration, decided: bool) -> str:
    """Why a promise does not count; empty where its writer never had what it names, so that it was
    none to begin with, or where that is not known here. `decided`: the place was refused since, so
    that a grant of which nothing is known is not merely late."""
    rights, recovered = administration.rights, administration.hubs & administration.closes.keys()
    for right in named:
        if right == HUB_RIGHT:
            if entry.node in recovered:
                return RECOVERED
            continue
        known = rights.by_id.get(right)
        if known is None:
            if recovered and decided:
                # Granted by a life of the hub, behind the head up to which that one counts.
                return RECOVERED
            continue
        if entry.node not in (known.holder, *rights.lives(known.holder)):
            continue
        ended = rights.ended(right)
        if ended is not None and ended.how == "closed" and ended.stamp:
            return SHUT_OUT
        if not entry.counts:
            return CLOSED
        if ended is not None and ended.how in ("revoked", "closed"):
            return REVOKED if ended.how == "revoked" else CLOSED
    return ""
