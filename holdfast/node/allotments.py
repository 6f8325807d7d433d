"""Who may sell what, as people see it: the rights of a book, and the wishes that nothing fulfils.

Owns the shape that the contract gives allotments, the words for why one stands as it does, and the
checks of what a person asks for. What a right is, `model.rights` says; what is granted, given back
and taken back is written by `granting` and `returning`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.model import wall
from holdfast.model.errors import Forbidden, Invalid, NotFound, RuleViolated
from holdfast.model.limits import ENDED_RIGHTS_SHOWN_DAYS, PARTY_MAX, RELEASE_MINUTES_MAX
from holdfast.model.offers import VenueIndex
from holdfast.model.rights import FOREVER, Held, Right
from holdfast.model.venue import AllotmentWish, Resource, Venue
from holdfast.node import former_grants, returning, selling
from holdfast.node.acting import handing_over
from holdfast.node.granting import HUB_HOLDER, lives_of, matched, wishes

if TYPE_CHECKING:
    from holdfast.node.hub import Hub
    from holdfast.node.node import Node
    from holdfast.node.service import Service

ACTIVE: Final = "active"
STRANDED: Final = "stranded"
RETURNED: Final = "returned"
REVOKED: Final = "revoked"
CLOSED: Final = "closed"
WISH: Final = "wish"
STATES: Final = (ACTIVE, STRANDED, RETURNED, REVOKED, CLOSED, WISH)
AGAIN: Final = "`holdfast allotments grant --again`"
_ID_CHARS: Final = 32
_UTC: Final = Venue(id="utc", name="UTC", kind="spot", time_zone="UTC", resources=())

Item = dict[str, Any]


# --- looking --------------------------------------------------------------------------------------


def listing(replica: Service, venue_id: str | None = None) -> list[tuple[str, Item]]:
    """Allotments with keys that sort as the list does: by venue, what is in force in the order of
    granting, what ended lately, the wishes in the order of the file. Raises NotFound for a venue
    that is not known here."""
    found: list[tuple[str, Item]] = []
    with replica.lock:
        names = replica.venue_ids() if venue_id is None else [venue_id]
        for name in names:
            index = replica.venue(name)
            book = replica.book_of(name)
            held, over = _in_force_and_over(replica, book)
            found += [
                (f"{name}\0{0}{one.right.stamp:016x}{one.right.id.hex()}", _held(replica, one))
                for one in held
            ]
            found += [
                (f"{name}\0{1}{right.stamp:016x}{right.id.hex()}", item) for right, item in over
            ]
            found += [
                (f"{name}\0{2}{number:08}", item)
                for number, item in _unfulfilled(replica, book, index)
            ]
    return sorted(found, key=lambda pair: pair[0])


def shown(replica: Service, right: bytes) -> Item:
    """One allotment as it stands now. Raises NotFound."""
    with replica.lock:
        book, known = _known(replica, right)
        held = replica.rights(book).now(right)
        if held is None or held.end <= _now_s(replica):
            return _ended(replica, book, known)[1]
        return _held(replica, held)


def parse_id(text: str) -> bytes:
    """The operation id that names a right. Raises NotFound: what is no id names nothing."""
    try:
        right = bytes.fromhex(text) if len(text) == _ID_CHARS else b""
    except ValueError:
        right = b""
    if not right:
        raise no_such(text)
    return right


def no_such(text: str) -> NotFound:
    """What is said of an id that names no right."""
    return NotFound(f"no allotment {text} here; `holdfast allotments list` shows those that are")


def venue_of(replica: Service, right: bytes) -> str:
    """The venue whose right it is. Raises NotFound."""
    with replica.lock:
        return _known(replica, right)[0].partition("/")[2]


def _known(replica: Service, right: bytes) -> tuple[str, Right]:
    for book in replica.books:
        known = replica.rights(book).by_id.get(right)
        if known is not None:
            return book, known
    raise no_such(right.hex())


def _now_s(replica: Service) -> int:
    return replica.clock.now_ms() // 1000


def _in_force_and_over(replica: Service, book: str) -> tuple[list[Held], list[tuple[Right, Item]]]:
    rights, now_s = replica.rights(book), _now_s(replica)
    since = now_s - ENDED_RIGHTS_SHOWN_DAYS * 86_400
    in_force: list[Held] = []
    over: list[tuple[Right, Item]] = []
    for right in rights.by_id.values():
        held = rights.now(right.id)
        if held is not None and held.end > now_s:
            in_force.append(held)
            continue
        at_s, item = _ended(replica, book, right)
        if at_s >= since:
            over.append((right, item))
    return in_force, over


def _held(replica: Service, held: Held) -> Item:
    """A right that somebody holds: `active`, or `stranded` where its release has come by this
    replica's clock and the holder's return has not (DESIGN §5.7)."""
    book, right = _known(replica, held.right.id)
    venue = _venue(replica, book)
    holder = replica.name_of(book, held.holder)
    due = _release_due(venue, held)
    late = due is not None and _now_s(replica) > due + venue.slot_minutes * 60
    reason = None
    if late and due is not None:
        reason = (
            f"released since {wall.local_clock(venue, due)} of {wall.local_date(venue, due)}, and "
            f"{holder} has not given it back yet; `holdfast allotments revoke` at the hub takes it"
        )
    return _item(
        replica, venue, right, holder,
        sold=_sold(replica, book, held),
        valid_from=wall.format_time(venue, held.start),
        releases_at=None if due is None else wall.format_time(venue, due),
        state=STRANDED if late else ACTIVE,
        reason=reason,
    )  # fmt: skip


def _release_due(venue: Venue, held: Held) -> int | None:
    """When the next slot of a right goes back; None: never, or only as its starts pass."""
    if held.right.release_minutes <= 0:
        return None
    slot = venue.slot_minutes * 60
    due = held.start // slot * slot - held.right.release_minutes * 60
    # What lay before the release when it was granted goes back with the holder's first look.
    return max(due, (held.right.stamp >> 16) // 1000)


def _ended(replica: Service, book: str, right: Right) -> tuple[int, Item]:
    """A right that nobody can sell from any more, and since when (epoch seconds)."""
    venue, ended = _venue(replica, book), replica.rights(book).ended(right.id)
    holder = replica.name_of(book, right.holder if ended is None else ended.holder)
    reason: str | None = None
    if ended is None:
        at_s, state, reason = right.end, CLOSED, "its time is over"
    else:
        at_s, state = (ended.stamp >> 16) // 1000, ended.how
        if state == REVOKED:
            reason = ended.reason.replace("_", " ") or None
        elif state == CLOSED and ended.stamp:
            reason = f"the hub has shut {holder} out"
        elif state == CLOSED:
            at_s = _closed_at(replica, book, ended.holder)
            reason = f"the hub has closed the life of {holder} that held it"
    return at_s, _item(
        replica, venue, right, holder,
        sold=0, valid_from=wall.format_time(venue, right.start), releases_at=None, state=state,
        reason=reason,
    )  # fmt: skip


def _closed_at(replica: Service, book: str, life: bytes) -> int:
    """When the hub closed a life first (epoch seconds)."""
    closings = replica.book(book).closings.values()
    return (min((one.stamp for one in closings if one.closed == life), default=0) >> 16) // 1000


def _item(replica: Service, venue: Venue, right: Right, holder: str, **standing: Any) -> Item:
    return {
        "id": right.id.hex(),
        "venue": venue.id,
        "holder": holder,
        "resources": list(right.resources),
        "quantity": right.quantity,
        "release_minutes": None if right.release_minutes < 0 else right.release_minutes,
        "valid_until": None if right.end >= FOREVER else wall.format_time(venue, right.end),
        **standing,
    }


def _venue(replica: Service, book: str) -> Venue:
    index = replica.book(book).administration.venue
    return _UTC if index is None else index.venue


def _sold(replica: Service, book: str, held: Held) -> int:
    """How much of a right is sold and still lies ahead: units, places or people."""
    rights, since = replica.rights(book), max(_now_s(replica), held.start)
    total = 0
    for resource in held.right.resources:
        for claim in replica.store.projections.claims_of(book, resource, since, held.end):
            if not claim.live:
                continue
            account = rights.account(claim.id, claim.right, claim.end)
            if account is not None and account.right.id == held.right.id:
                total += claim.quantity
    return total


# --- wishes ---------------------------------------------------------------------------------------


def _unfulfilled(replica: Service, book: str, index: VenueIndex) -> Iterator[tuple[int, Item]]:
    """What the venue file wishes and nobody holds for it, with the reasons in words."""
    for number, wish, matching in wishes(index):
        reasons = _why_unfulfilled(replica, book, number, wish, matching)
        if not matching and matched(index, wish.resources):
            reasons = {"earlier lines of the venue file give it away": ()}
        if not reasons:
            continue
        waiting = [one for ids in reasons.values() for one in ids]
        whole = len(waiting) == len(matching)
        yield (
            number,
            {
                "id": f"{index.venue.id}.wish-{number}",
                "venue": index.venue.id,
                "holder": wish.holder,
                "resources": list(wish.resources) if whole else waiting,
                "quantity": wish.quantity,
                "sold": 0,
                "valid_from": None,
                "valid_until": None,
                "releases_at": None,
                "release_minutes": wish.release_minutes,
                "state": WISH,
                "reason": _joined(reasons, whole and len(reasons) == 1),
            },
        )


def _why_unfulfilled(
    replica: Service, book: str, number: int, wish: AllotmentWish, matching: list[Resource]
) -> dict[str, tuple[str, ...]]:
    """The ids that wait, by the reason why."""
    state, rights = replica.book(book), replica.rights(book)
    names = {life: author.info.name for life, author in state.authors.items()}
    lives = lives_of(state, wish.holder)
    found: dict[str, list[str]] = {}
    free: list[str] = []
    for resource in matching:
        holders = {one.holder for one in rights.of_resource(resource.id)}
        others = sorted({names.get(one, one.hex()) for one in holders} - {wish.holder})
        if wish.holder == HUB_HOLDER:
            if others:
                found.setdefault(_anothers(others), []).append(resource.id)
        elif holders & set(lives):
            continue
        elif (lacking := _lacks_a_life(wish.holder, lives, names)) is not None:
            found.setdefault(lacking, []).append(resource.id)
        elif others and not resource.pool:
            found.setdefault(_anothers(others), []).append(resource.id)
        elif any(
            resource.id in right.resources and names.get(right.holder) == wish.holder
            for right in rights.by_id.values()
        ):
            reason = f"{wish.holder} had it once and waits for a person: {AGAIN} at the hub"
            found.setdefault(reason, []).append(resource.id)
        else:
            free.append(resource.id)
    if free:
        reason = _why_not_granted(replica, book, number, free)
        found.setdefault(reason, []).extend(free)
    return {reason: tuple(ids) for reason, ids in found.items()}


def _lacks_a_life(holder: str, lives: Collection[bytes], names: dict[bytes, str]) -> str | None:
    """Why a device cannot be granted anything at all; None where it can."""
    if len(lives) > 1:
        return (
            f"{holder} has several lives, such as those of a copied directory: stop one, or shut "
            f"the device out and let it join again"
        )
    if lives:
        return None
    if holder in names.values():
        return f"{holder} was shut out, or its life has ended and no other was heard yet"
    return f"{holder} has not joined yet"


def _anothers(holders: list[str]) -> str:
    return f"{' and '.join(holders)} must give it back, or it must be revoked, first"


def _why_not_granted(replica: Service, book: str, number: int, resources: list[str]) -> str:
    from holdfast.node.hub import Hub

    if isinstance(replica, Hub):
        if not replica.may_decide(book):
            return "the hub is recovering: `holdfast hub recover`"
        sentences = replica.granting.why_not(book, number, resources)
        if sentences:
            return " ".join(sentences).rstrip(".")
    return "the hub grants it at the device's next exchange, if it can"


def _joined(reasons: dict[str, tuple[str, ...]], bare: bool) -> str:
    """One sentence a reason; `bare`: it is for all of the wish."""
    parts = [
        reason if bare or not ids else f"{', '.join(ids)}: {reason}"
        for reason, ids in reasons.items()
    ]
    return "; ".join(parts)


# --- what this device may sell --------------------------------------------------------------------


class Selling(NamedTuple):
    """What a device may sell by itself: how many resources, how many more once its clock is set,
    and until when (epoch seconds; None: without an end)."""

    resources: int
    unset: int
    until: int | None


def own(node: Node) -> Selling:
    """What a device holds and may sell from now on."""
    with node.lock:
        held, ready = _own_rights(node)
        sold = {resource for one in ready for resource in one.right.resources}
        unset = {resource for one in held for resource in one.right.resources} - sold
        last = max((one.end for one in ready), default=FOREVER)
        return Selling(len(sold), len(unset), None if last >= FOREVER else last)


def _own_rights(node: Node) -> tuple[list[Held], list[Held]]:
    """The rights that a device holds from now on, and those of them that it may sell from. Call
    under the lock."""
    if not node.may_decide(node.home):
        return [], []
    now_s = _now_s(node)
    held = [
        one
        for one in node.rights(node.home).active()
        if one.holder == node.account and one.end > now_s
    ]
    return held, [one for one in held if selling.may_sell(node, one) < one.end]


def own_document(node: Node) -> Item:
    """The same for `node status`, with the places; `until_at_ms` 0: without an end."""
    found = own(node)
    with node.lock:
        _, ready = _own_rights(node)
        index = node.books[node.home].administration.venue if ready else None
    return {
        "resources": found.resources,
        "once_clock_is_set": found.unset,
        "until_at_ms": (found.until or 0) * 1000,
        "places": [
            {
                "resources": list(one.right.resources),
                "quantity": None if one.right.whole else one.right.quantity,
                "until": None
                if one.end >= FOREVER or index is None
                else wall.format_time(index.venue, one.end),
            }
            for one in ready
        ],
    }


# --- doing ----------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """What a person asks the hub to grant; dates as text, None: from today, without an end."""

    venue: str
    holder: str
    resources: list[str]
    quantity: int | None = None
    from_date: str | None = None
    until_date: str | None = None
    release_minutes: int | None = None


def grant(hub: Hub, wanted: Wanted) -> list[bytes]:
    """Hand resources to a device. Returns the rights. Raises NotFound, Invalid, Conflict,
    RuleViolated."""
    index = hub.venue(wanted.venue)
    if not wanted.resources:
        raise Invalid.field("resources", "is required: ids or patterns such as T*")
    for pattern in wanted.resources:
        if not matched(index, [pattern]):
            raise Invalid.field("resources", f"{wanted.venue} has none that is called {pattern!r}")
    single = [one.id for one in matched(index, wanted.resources) if not one.pool]
    if wanted.quantity is not None:
        if not 1 <= wanted.quantity <= PARTY_MAX:
            raise Invalid.field("quantity", f"must be from 1 to {PARTY_MAX}")
        if single and wanted.quantity != 1:
            raise Invalid.field("quantity", f"is for pools; there is one {single[0]}")
    if (
        wanted.release_minutes is not None
        and not 0 <= wanted.release_minutes <= RELEASE_MINUTES_MAX
    ):
        raise Invalid.field("release_minutes", f"must be from 0 to {RELEASE_MINUTES_MAX}")
    for field, date in (("from", wanted.from_date), ("until", wanted.until_date)):
        if date is not None:
            wall.parse_date(date, field)
    # What else the transaction brings about comes at its end, and is nobody's word.
    with hub.transaction(), handing_over():
        granted = hub.granting.grant(
            wanted.venue, wanted.holder, wanted.resources, wanted.quantity, wanted.from_date,
            wanted.until_date, wanted.release_minutes,
        )  # fmt: skip
    return [held.right.id for held in granted]


def grant_again(hub: Hub, venue_id: str, holder: str) -> list[bytes]:
    """Grant a device what the venue file wishes for it, also what it had once. Returns the rights.
    Raises NotFound, Conflict, RuleViolated where nothing of it can be granted."""
    try:
        with hub.transaction(), handing_over():
            granted = hub.granting.again(venue_id, holder)
    except NotFound as error:
        more = former_grants.sentence(hub, venue_id, holder)
        raise NotFound(f"{error.detail}.{more}" if more else error.detail) from error
    if granted:
        return granted
    waiting = [
        item["reason"]
        for _, item in listing(hub, venue_id)
        if item["state"] == WISH and item["holder"] == holder
    ]
    message = (
        f"nothing of what the venue file wishes for {holder} can be granted: {'; '.join(waiting)}."
        if waiting
        else f"{holder} holds all that the venue file wishes for it."
    )
    message += former_grants.sentence(hub, venue_id, holder)
    raise RuleViolated(message, [{"rule": "nothing-to-grant", "message": message}])


def give_back(replica: Service, right: bytes) -> None:
    """Return a right, at the device that holds it. Raises NotFound, Forbidden, RuleViolated."""
    from holdfast.node.node import Node

    held = _require_held(replica, right)
    holder = replica.name_of(_known(replica, right)[0], held.holder)
    if not isinstance(replica, Node):
        raise Forbidden(
            f"{holder} holds it, and returns it there: `holdfast allotments return`; what a device "
            "cannot return any more is taken back here with `holdfast allotments revoke`"
        )
    if held.holder != replica.account:
        raise Forbidden(f"{holder} holds it, not {replica.name}; do this at {holder}")
    with replica.transaction(), handing_over():
        returning.give_back(replica, right)


def revoke(replica: Service, right: bytes, reason: str) -> None:
    """Take a right back, at the hub; what now is the hub's to decide and to end follows at once.
    Raises NotFound, Forbidden, Invalid, RuleViolated."""
    from holdfast.node.hub import Hub

    if not isinstance(replica, Hub):
        raise Forbidden(
            "only the hub revokes; do this there, or return what this device holds with "
            "`holdfast allotments return`"
        )
    _require_held(replica, right)
    with replica.transaction(), handing_over():
        replica.granting.revoke(right, reason)
    replica.settle(_known(replica, right)[0])


def _require_held(replica: Service, right: bytes) -> Held:
    """Raises NotFound for what is no right, RuleViolated for one that has ended."""
    with replica.lock:
        book, known = _known(replica, right)
        held = replica.rights(book).now(right)
        if held is not None:
            return held
        item = _ended(replica, book, known)[1]
    message = f"allotment {right.hex()} of {item['holder']} is {item['state']} already."
    raise RuleViolated(message, [{"rule": "ended", "message": message}])
