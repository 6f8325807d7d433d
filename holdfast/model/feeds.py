"""What a calendar program is told of a reservation: which event it is, and how often it changed.

Owns the events of a feed, without anything personal: no name, no agent id, nothing of a card, no
occasion, no metadata. How they are written down (RFC 5545) is the face's business. Pure: everything
but how long a cancelled one is still told follows from the entries of the book alone, so that every
replica that has the same entries tells the same events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from holdfast.model import lifecycle, wall
from holdfast.model.claims import Seen
from holdfast.model.entries import HUB_RIGHT
from holdfast.model.events import ClaimDecided, ClaimEnded
from holdfast.model.forms import WAITLIST, form_now
from holdfast.model.ids import uuid_text
from holdfast.model.moments import Told
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import BLOCK, View, content_of, shown_claims
from holdfast.model.rights import Rights

TENTATIVE: Final = "TENTATIVE"
CONFIRMED: Final = "CONFIRMED"
CANCELLED: Final = "CANCELLED"

STATUS: Final = {
    lifecycle.INTENT: TENTATIVE,
    lifecycle.PAYMENT_PENDING: TENTATIVE,
    lifecycle.PAYMENT_CONFIRMED: TENTATIVE,
    lifecycle.COMMIT_PENDING: TENTATIVE,
    lifecycle.CONFIRMED: CONFIRMED,
    lifecycle.CHECKED_IN: CONFIRMED,
    lifecycle.COMPLETED: CONFIRMED,
    # The place was kept for them, and is in the book as theirs.
    lifecycle.NO_SHOW: CONFIRMED,
    # It stood in the feed as tentative, and no place came of it.
    lifecycle.COMMIT_FAILED: CANCELLED,
    lifecycle.CANCEL_PENDING: CANCELLED,
    lifecycle.REFUND_PENDING: CANCELLED,
    lifecycle.CANCELLED: CANCELLED,
    lifecycle.EXPIRED: CANCELLED,
}
"""What RFC 5545 calls each status of a reservation."""

_IN_WORDS: Final = {
    lifecycle.INTENT: "held",
    lifecycle.PAYMENT_PENDING: "provisional",
    lifecycle.PAYMENT_CONFIRMED: "provisional",
    lifecycle.COMMIT_PENDING: "provisional",
    lifecycle.CHECKED_IN: "here",
    lifecycle.NO_SHOW: "did not come",
    lifecycle.COMMIT_FAILED: "could not be had",
    lifecycle.CANCEL_PENDING: "cancelled",
    lifecycle.REFUND_PENDING: "cancelled",
}
_KINDS: Final = {"walk_in": "walk-in", "house": "house use"}


class Window(NamedTuple):
    """What a feed tells: events that touch [start, end), epoch seconds; of cancelled ones those
    that changed at `cancelled_since_ms` (Unix milliseconds) or later; `resource` empty: of all."""

    start: int
    end: int
    cancelled_since_ms: int
    resource: str = ""


class FeedEvent(NamedTuple):
    """One event. `start` and `end` are epoch seconds, without the buffer (`end` not after `start`:
    not known); `changed_ms` Unix milliseconds; `stay`: whole nights, from one date to another."""

    uid: str
    sequence: int
    changed_ms: int
    status: str
    summary: str
    description: str
    location: str
    start: int
    end: int
    stay: bool


class Standing(NamedTuple):
    """How often what a reservation rests on beside its own entries has changed: each right by its
    id, and the lives whose chains were closed."""

    changes_by_right: Mapping[bytes, int]
    closed: frozenset[bytes]


def standing(rights: Rights, closed: Iterable[bytes]) -> Standing:
    """The standing of a book, by its rights and the lives whose chains were closed. Each number
    only ever grows as entries arrive."""
    return Standing(
        {
            right.id: len(rights.lives(right.holder)) + rights.taken_back(right.id)
            for right in rights.by_id.values()
        },
        frozenset(closed),
    )


def events(
    index: VenueIndex, rows: Iterable[Told], window: Window, rests_on: Standing
) -> Iterator[FeedEvent]:
    """The events of a window, in the order of the rows."""
    for told in rows:
        if is_told(told.view, window):
            yield event(index, told, rests_on)


def is_told(view: View, window: Window) -> bool:
    """Whether a reservation, a hold or a block stands in the feed of a window. Who only waits for a
    place has none to show."""
    if form_now(view) == WAITLIST and not view.occupying:
        return False
    if view.starts_at >= window.end or max(view.ends_at, view.starts_at + 1) <= window.start:
        return False
    if STATUS[view.status] == CANCELLED and view.stamp >> 16 < window.cancelled_since_ms:
        return False
    return not window.resource or window.resource in _resources(view)


def event(index: VenueIndex, told: Told, rests_on: Standing) -> FeedEvent:
    """A reservation as an event."""
    view = told.view
    dates = wall.local_date(index.venue, view.starts_at), wall.local_date(index.venue, view.ends_at)
    return FeedEvent(
        uid=uuid_text(view.id),
        sequence=sequence(told, rests_on),
        changed_ms=view.stamp >> 16,
        status=STATUS[view.status],
        summary=_summary(index, view),
        description=view.code,
        location=_location(index, view),
        start=view.starts_at,
        end=view.ends_at,
        stay=view.nights > 0 and dates[0] < dates[1],
    )


def to_guest(index: VenueIndex, view: View, event: FeedEvent) -> FeedEvent:
    """An event as the guest's own calendar tells it: where to go, for how many, and the code. Under
    the same id and sequence, so that a newer file replaces it."""
    venue = index.venue
    at = venue.profile.address
    town = " ".join(part for part in (at.postal_code, at.city) if part)
    lines = [f"{view.code}, {'1 person' if view.party_size == 1 else f'{view.party_size} people'}"]
    lines += [one for one in (venue.profile.contact.phone,) if one]
    return event._replace(
        summary=venue.name,
        description="\n".join(lines),
        location=", ".join(part for part in (at.street, town, at.country) if part),
    )


def sequence(told: Told, rests_on: Standing) -> int:
    """How often it changed (RFC 5546, 2.1.4): grows with whatever can change its time, place or
    status, and is the same wherever the same entries are.

    The entries about it are counted, which no replica ever has fewer of. A stamp could not do: an
    entry from a device that was offline comes late and may bear an old one. And since a place is
    one's own only by a right of the holder, what became of those rights is counted too: a grant
    that comes after the sale, a holder's next life, a right that was taken back, a closed chain.
    """
    seen = told.seen
    changes = told.view.entries - 1
    if rests_on.closed:
        changes += len({entry.node for entry in seen} & rests_on.closed)
    if rests_on.changes_by_right:
        named = {right for entry in seen for right in _rights_named(entry)}
        changes += sum(rests_on.changes_by_right.get(right, 0) for right in named)
    return changes


def _rights_named(entry: Seen) -> Iterator[bytes]:
    for claim in entry.claims:
        if claim.right and claim.right != HUB_RIGHT:
            yield claim.right
    if entry.kind in ("claim.decided", "claim.ended"):
        said = content_of(entry)
        if isinstance(said, ClaimDecided | ClaimEnded):
            yield from said.by


# --- in words -------------------------------------------------------------------------------------


def _summary(index: VenueIndex, view: View) -> str:
    """Such as `Table T1, party of 4, confirmed`."""
    parts = [_places(index, view), _use(view)]
    if view.kind != "house":
        parts.append(f"party of {view.party_size}")
    parts.append(_IN_WORDS.get(view.status, view.status))
    return ", ".join(part for part in parts if part)


def _use(view: View) -> str:
    """What a block takes the place for, or what kind of reservation it is, where that says more."""
    if view.form is not None and view.form.form == BLOCK:
        return "out of use" if view.form.use == "blocked" else view.form.use.replace("_", " ")
    return _KINDS.get(view.kind, "")


def _places(index: VenueIndex, view: View) -> str:
    """The resources with what they are, such as `Table T3 + Table T4` or `2 × ROOM-A`."""
    named = []
    for claim in shown_claims(view):
        resource = index.resource(claim.resource)
        if resource is None or resource.pool:
            many = resource is not None and resource.counts_units and claim.quantity > 1
            named.append(f"{claim.quantity} × {claim.resource}" if many else claim.resource)
        else:
            kind = resource.kind.replace("_", " ").replace("-", " ")
            named.append(f"{kind[:1].upper()}{kind[1:]} {resource.id}")
    return " + ".join(dict.fromkeys(named))


def _location(index: VenueIndex, view: View) -> str:
    """The resources, and the area that they share."""
    names = _resources(view)
    known = [index.resource(name) for name in names]
    areas = {resource.area if resource is not None else "" for resource in known}
    area = areas.pop() if len(areas) == 1 else ""
    where = ", ".join(names)
    return f"{where} ({area})" if where and area else where


def _resources(view: View) -> list[str]:
    return list(dict.fromkeys(claim.resource for claim in shown_claims(view)))
