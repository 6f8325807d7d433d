"""What reservations raise for a person, and doing what the person decided.

Owns the shape of these exceptions, the finding of parties at one table, and the one transaction in
which an answer is recorded and carried out. What is raised, and which answers there are, stands in
`model.contradictions` and `model.sitting`; the deeds are those of `amending` and `marking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import UNSET

from holdfast.model import contradictions, lifecycle, overbooking
from holdfast.model.contradictions import (
    CANCEL,
    DISPLACED,
    MOVE,
    OVERBOOK,
    OVERBOOKED,
    PARTNER_TWICE,
    PLACING,
    SEATED_WITHOUT_PLACE,
    TWO_PARTIES,
    WALK,
    Answer,
)
from holdfast.model.deciding import NOT_HELD
from holdfast.model.errors import BadTransition, Invalid, NotFound, RuleViolated
from holdfast.model.events import ExceptionResolved, ReservationCheckedIn
from holdfast.model.forms import form_now
from holdfast.model.ids import uuid_text
from holdfast.model.limits import SEATED_SINCE_SECONDS_MAX
from holdfast.model.partners import SameReference
from holdfast.model.reservation import (
    BLOCK,
    View,
    content_of,
    followed,
    open_exceptions,
    resolutions,
    shown_claims,
)
from holdfast.model.rights import HUB
from holdfast.model.sitting import TwoParties, is_resolved, sitting, two_parties
from holdfast.node import amending, marking, partnering, promised
from holdfast.node.lookup import node_name, rfc3339_ms, subject_of, venue_time
from holdfast.node.recording import refused_as_invalid, view_of
from holdfast.node.replica import Replica
from holdfast.node.requests import Override, PatchRequest
from holdfast.node.restricting import Asking
from holdfast.node.words import (
    block_refused_sentence,
    exception_sentence,
    lost_sentence,
    sold_elsewhere_sentence,
)
from holdfast.store.projections import Record

if TYPE_CHECKING:
    from holdfast.node.service import Service

Item: TypeAlias = dict[str, Any]
Between: TypeAlias = TwoParties | SameReference
"""What no reservation raises alone."""
_SETTLING: Final = Asking(settles=True)
_OF_NO_PLACE: Final = frozenset({DISPLACED, SEATED_WITHOUT_PLACE})
"""Kinds of those who have no place, and may have been promised one."""


# --- looking ------------------------------------------------------------------------------------


def item(
    kind: str, about: str, book: str, subject: str, detail: str, since_ms: int,
    answers: Sequence[Answer],
) -> Item:  # fmt: skip
    """An exception of any kind, as `GET /exceptions` lists it."""
    return {
        "id": f"{about}.{kind}",
        "kind": kind,
        "subject": subject,
        "venue": book.partition("/")[2],
        "detail": detail,
        "since": rfc3339_ms(since_ms),
        "actions": [answer.action for answer in answers],
        "choices": [{"action": answer.action, "does": answer.words} for answer in answers],
    }


def items(replica: Replica, book: str | None = None) -> Iterator[Item]:
    """All that the reservations of a book, or of all books, raise. Call under the lock."""
    for name, reservation, kind, since_ms in replica.store.projections.exceptions(book):
        record = _record(replica, name, reservation)
        yield _item(replica, record, kind, since_ms)
    for name in [book] if book is not None else list(replica.books):
        for found in at_one_table(replica, name):
            record = _record(replica, name, found.later)
            yield _item(replica, record, TWO_PARTIES, found.since_ms, found)
        for same in partnering.twice(replica, name):
            record = _record(replica, name, same.spare)
            yield _item(replica, record, PARTNER_TWICE, same.since_ms, same)


def items_about(replica: Replica, view: View) -> list[Item]:
    """What one reservation raises, alone or with others that sit where it does."""
    with replica.lock:
        record = _record(replica, view.book, view.id)
        found = [_item(replica, record, kind, since) for kind, since in view.exceptions]
        if view.status == lifecycle.CHECKED_IN:
            found += [
                _item(replica, _record(replica, view.book, one.later), TWO_PARTIES, one.since_ms,
                      one)
                for one in at_one_table(replica, view.book)
                if view.id in (one.later, *one.others)
            ]  # fmt: skip
        found += [
            _item(replica, _record(replica, view.book, one.spare), PARTNER_TWICE, one.since_ms, one)
            for one in (partnering.twice(replica, view.book) if view.partner else ())
            if view.id in (one.spare, *one.others)
        ]
    return found


def at_one_table(replica: Replica, book: str) -> list[TwoParties]:
    """Parties that sit at one unit at once, less those of whom a person said that they may."""
    venue = replica.book(book).administration.venue
    if venue is None:
        return []

    def is_unit(resource_id: str) -> bool:
        resource = venue.resource(resource_id)
        return resource is not None and resource.capacity == 1

    since = replica.clock.now_ms() // 1000 - SEATED_SINCE_SECONDS_MAX
    here = replica.store.projections.checked_in(book, since)
    found = two_parties([one for view in here if (one := sitting(view))], is_unit)
    return [
        one
        for one in found
        if not is_resolved(one, resolutions(_record(replica, book, one.later).seen))
    ]


def _record(replica: Replica, book: str, reservation: bytes) -> Record:
    """A reservation that is known to be here."""
    record = replica.record(reservation, book)
    assert record is not None
    return record


def _item(
    replica: Replica, record: Record, kind: str, since_ms: int, found: Between | None = None
) -> Item:
    view = record.view
    about = uuid_text(record.id)
    lost = promised.lost_of(replica, record) if kind in _OF_NO_PLACE else None
    shown = item(
        kind, about, record.book, about, _detail(replica, record, kind, found, lost), since_ms,
        _offered(replica, record, kind),
    )  # fmt: skip
    if found is not None:
        shown["others"] = [uuid_text(other) for other in found.others]
    return shown | {
        "promised": lost is not None,
        "lost_promise": lost,
        "code": view.code or None,
        "service_date": view.service_date or None,
        "starts_at": venue_time(replica, shown["venue"], view.starts_at),
        "party_size": view.party_size,
        "resources": [claim.resource for claim in shown_claims(view)],
    }


def _offered(replica: Replica, record: Record, kind: str) -> list[Answer]:
    """What can be done; without overbooking where the venue sets no limit for the place and time
    that were asked for. Another place may still be named with it."""
    venue = replica.book(record.book).administration.venue
    beyond = venue is not None and all(
        overbooking.limit(venue.venue, claim.resource, claim.start, claim.end)
        for claim in shown_claims(record.view)
    )
    return [
        answer
        for answer in contradictions.answers_to(kind, record.view.status)
        if beyond or answer.does != OVERBOOK
    ]


def _detail(
    replica: Replica, record: Record, kind: str, found: Between | None, lost: Item | None
) -> str:
    """What happened and what to do, in a sentence."""
    subject, decision = subject_of(replica, record.book, record.id), record.view.decision
    if kind == DISPLACED and form_now(record.view) == BLOCK:
        return block_refused_sentence(subject)
    if kind == DISPLACED and lost is not None:
        won = decision.won if decision is not None else ()
        others = [subject_of(replica, record.book, one) for one in won]
        return lost_sentence(subject, lost["words"], others)
    if kind == DISPLACED and decision is not None and decision.reason == NOT_HELD:
        resources = list(dict.fromkeys(claim.resource for claim in shown_claims(record.view)))
        return sold_elsewhere_sentence(subject, resources, _seller(replica, record))
    about = found.others if found is not None else decision.won if decision is not None else ()
    return exception_sentence(
        kind,
        subject,
        [subject_of(replica, record.book, other) for other in about],
        place=found.resource if isinstance(found, TwoParties) else "",
        seen=_SEEN_BY[kind](replica, record) if kind in _SEEN_BY else "",
    )


def _seller(replica: Replica, record: Record) -> str:
    """Who sells now what a reservation asked for: `the hub`, a device by its name, or, where it is
    several's, `somebody else`."""
    rights, holders = replica.rights(record.book), set()
    for claim in shown_claims(record.view):
        touching = [
            held
            for held in rights.of_resource(claim.resource)
            if held.start < claim.end and claim.start < held.end
        ]
        holders |= {held.holder for held in touching}
        if not any(
            held.right.whole and held.covers(claim.resource, claim.start, claim.end)
            for held in touching
        ):
            holders.add(HUB)
    names = {
        "the hub" if holder == HUB else node_name(replica, record.book, holder)
        for holder in holders
    }
    return names.pop() if len(names) == 1 else "somebody else"


def _check_ins(replica: Replica, record: Record) -> str:
    """Who checked them in, when, and how many: `desk at 19:31 for 2 and kiosk at 19:33 for 4`."""
    venue = record.book.partition("/")[2]
    said: dict[bytes, str] = {}
    for entry in sorted(record.seen, key=lambda one: (one.stamp, one.node)):
        event = content_of(entry)
        if isinstance(event, ReservationCheckedIn):
            at_ms = event.at_ms or entry.stamp >> 16
            clock = venue_time(replica, venue, at_ms // 1000)[11:16]
            party = event.actual_party_size or record.view.party_size
            said[entry.operation] = f"{entry.author} at {clock} for {party}"
    return " and ".join(said.values())


def _overbooker(replica: Replica, record: Record) -> str:
    """Which place, where it was asked for, who gave it, and why."""
    for claim in record.view.live:
        asked = next((one for one in record.seen if one.operation == claim.id.operation), None)
        if claim.override and asked is not None:
            place = " and ".join(one.resource for one in record.view.live)
            given = "" if asked.author == claim.holder else f", given by {claim.holder}"
            why = record.view.override.replace("_", " ")
            return f"{place}, asked for at {asked.author}{given} ({why})"
    return ""


_SEEN_BY: Final[dict[str, Callable[[Replica, Record], str]]] = {
    "checked_in_twice": _check_ins,
    OVERBOOKED: _overbooker,
}


# --- answering ----------------------------------------------------------------------------------


def resolve(
    replica: Service,
    book: str,
    reservation: bytes,
    kind: str,
    action: str,
    reason: str,
    resources: Sequence[str] = (),
    starts_at: str | None = None,
) -> View:
    """Do what a person decided about an exception, and record it, in one transaction: both or
    neither. `reason` is a code.

    `resources` and `starts_at` name the place of a move; a walk takes resources alone; who is
    overbooked without any gets what was asked for last, if its holder says so. Raises
    NotFound for what is not open, Invalid, BadTransition for what is over, and what the deed
    raises.
    """
    with replica.transaction():
        record = replica.record(reservation, book)
        about = _open(replica, record, kind) if record is not None else None
        if record is None or about is None:
            raise NotFound(f"no open exception {kind} on that reservation")
        view = record.view
        answer = _answer(view, kind, action)
        _check_place(answer, resources, starts_at)
        with refused_as_invalid():
            replica.append(
                record.book,
                ExceptionResolved(kind, action, reason, about),
                subject=reservation,
                follows=followed(view),
            )
        _do(replica, view, kind, answer, reason, list(resources), starts_at)
        return view_of(replica, reservation, record.book)


def _open(replica: Service, record: Record, kind: str) -> bytes | None:
    """What a resolution names, if the exception is open."""
    if kind == TWO_PARTIES:
        replica.write_projections()
        found = at_one_table(replica, record.book)
        return next((one.about for one in found if one.later == record.id), None)
    if kind == PARTNER_TWICE:
        replica.write_projections()
        same = partnering.twice(replica, record.book)
        return next((one.about for one in same if one.spare == record.id), None)
    raised = open_exceptions(record.id, record.seen, replica.rights(record.book)).get(kind)
    return raised.about if raised is not None else None


def _answer(view: View, kind: str, action: str) -> Answer:
    possible = contradictions.answers_to(kind, view.status)
    for answer in possible:
        if answer.action == action:
            return answer
    allowed = ", ".join(answer.action for answer in possible)
    if any(answer.action == action for answer in contradictions.ANSWERS[kind]):
        raise BadTransition(
            f"{view.code} is {lifecycle.called(view.status)}: {action} is not possible any more; "
            f"what is: {allowed}",
            view.status,
        )
    raise Invalid.field("action", f"must be one of {allowed}")


def _check_place(answer: Answer, resources: Sequence[str], starts_at: str | None) -> None:
    if answer.does == MOVE and not resources and starts_at is None:
        raise Invalid.field("resources", "name the place to move them to, or give starts_at")
    if answer.does == WALK and not resources:
        raise Invalid.field("resources", "name the place at which they sit now")
    if answer.does not in (MOVE, OVERBOOK) and starts_at is not None:
        raise Invalid.field("starts_at", f"is for `{MOVE}` and `{OVERBOOK}` alone")
    if answer.does not in PLACING and resources:
        raise Invalid.field("resources", f"is for `{MOVE}`, `{WALK}` and `{OVERBOOK}` alone")


def _do(
    replica: Service,
    view: View,
    kind: str,
    answer: Answer,
    reason: str,
    resources: list[str],
    starts_at: str | None,
) -> None:
    reference = uuid_text(view.id)
    if answer.does == CANCEL:
        why = "duplicate" if kind == PARTNER_TWICE else "displaced"
        marking.cancel(replica, reference, why, "venue", late=True)
    elif answer.does == WALK:
        amending.walk(replica, reference, resources)
    elif answer.does in (MOVE, OVERBOOK):
        before = view.leaves
        patch = PatchRequest(resources=resources or UNSET, starts_at=starts_at or UNSET)
        if answer.does == OVERBOOK:
            patch.resources = resources or [claim.resource for claim in shown_claims(view)]
            patch.override = Override(reason=reason)
        # A promise that was given is kept, whatever the house made of the guest since.
        if amending.amend(replica, reference, patch, asking=_SETTLING).leaves == before:
            message = f"{view.code} is there already; name another place or time."
            raise RuleViolated(message, [{"rule": "same-place", "message": message}])
