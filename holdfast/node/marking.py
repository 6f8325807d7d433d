"""What happens to a reservation: cancelled, checked in, completed, not shown up, confirmed again,
approved.

Owns the conditions beyond the lifecycle's table, and which claims end with it. Each is one entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.model import approval, lifecycle, rules, vocabulary, wall
from holdfast.model.claims import LIVE
from holdfast.model.errors import BadTransition, Invalid, RuleViolated
from holdfast.model.events import (
    ReservationApproved,
    ReservationAttendanceConfirmed,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationMarkedNoShow,
    ReservationNoShowUndone,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View, standing_claims
from holdfast.node import asking, placing, recording, renewing_place, reserving, selling
from holdfast.node.asking import Asked, Place
from holdfast.node.reasons import reason_code

if TYPE_CHECKING:
    from holdfast.node.service import Service


def cancel(
    replica: Service,
    reference: str,
    reason: str = "guest_request",
    by: str = "guest",
    note: str | None = None,
    *,
    late: bool = False,
    by_guest: bool = False,
) -> View:
    """An intent; the capacity is free when its holder has ended the claim.

    `late`: whoever asks may cancel whatever the rules say. Raises RuleViolated for everybody else;
    what has no place any more can be called off at any time. `by_guest`: whoever has it asks by
    themself.
    """
    code = reason_code(reason, vocabulary.CANCEL_REASONS, has_note=True)
    if by not in vocabulary.CANCELLED_BY:
        allowed = ", ".join(sorted(vocabulary.CANCELLED_BY))
        raise Invalid.field("by", f"must be one of {allowed}")
    with replica.transaction():
        view = _step(replica, "cancelled", reference)
        venue = replica.venue(recording.venue_of(view))
        if not late and view.status != lifecycle.COMMIT_FAILED:
            _check_in_time(replica, venue, view, by_guest)
        sealed = reserving.sealed_card(
            replica, venue, view.agent_id, {"note": note} if note else None
        )
        ends = selling.own_ends(replica, view, [*view.occupying, *view.pending])
        about = view.agent_id if sealed is not None else ""
        event = ReservationCancelled(code, by, sealed, about)
        return recording.write(replica, view, event, ends=ends)


def check_in(
    replica: Service,
    reference: str,
    actual_party_size: int | None = None,
    *,
    by_guest: bool = False,
) -> View:
    """The guests are here, perhaps fewer or more than were expected. `by_guest`: they say so by
    themselves, with nobody of the house between; then the venue's times for that bind them. Raises
    RuleViolated, BadTransition, Invalid."""
    if actual_party_size is not None and actual_party_size < 1:
        raise Invalid.field("actual_party_size", "must be at least 1")
    with replica.transaction():
        view = _step(replica, "checked_in", reference)
        if by_guest:
            _require_open_check_in(replica, view)
        return recording.write(replica, view, ReservationCheckedIn(actual_party_size or 0))


def _require_open_check_in(replica: Service, view: View) -> None:
    """What the venue file says today, whenever the reservation was made."""
    venue = replica.venue(recording.venue_of(view)).venue
    opens, closes = venue.check_in.window(view.starts_at)
    now_s = replica.clock.now_ms() // 1000
    if (opens is None or opens <= now_s) and (closes is None or now_s <= closes):
        return
    bounds = (("from", opens), ("until", closes))
    when = " ".join(
        f"{word} {wall.format_time(venue, at)[11:16]}" for word, at in bounds if at is not None
    )
    message = f"{view.code} can be checked in here {when}; at other times the staff does it."
    raise RuleViolated(message, [{"rule": "check-in", "message": message}])


def complete(replica: Service, reference: str) -> View:
    """The guests have gone; what they had is free from now on, not from the planned end."""
    with replica.transaction():
        view = _step(replica, "completed", reference)
        now_s = replica.clock.now_ms() // 1000
        ends = selling.own_ends(replica, view, [c for c in view.live if c.end > now_s])
        return recording.write(replica, view, ReservationCompleted(), ends=ends)


def no_show(replica: Service, reference: str) -> View:
    """Only after the start: before it nobody can be late, and neither can who asked for a later
    time, whether that is answered or not."""
    with replica.transaction():
        view = _step(replica, "no_show", reference)
        wished = min((claim.start for claim in standing_claims(view)), default=0)
        begins = max(view.starts_at, wished)
        if replica.clock.now_ms() // 1000 < begins:
            venue = replica.venue(recording.venue_of(view))
            start = wall.format_time(venue.venue, begins)
            how = "begins" if begins == view.starts_at else "is to be moved, and begins then"
            message = f"{view.code} {how} at {start}; a no-show can be marked from then on."
            raise RuleViolated(message, [{"rule": "not-started", "message": message}])
        return judge_no_show(replica, view)


def judge_no_show(replica: Service, view: View) -> View:
    """Write that nobody came: what is left of their time is free for others from now on, where it
    is this replica's to end, and asked of its holder elsewhere. Call inside `transaction`."""
    now_s = replica.clock.now_ms() // 1000
    left = [claim for claim in view.occupying if claim.state != LIVE or claim.end > now_s]
    ends = selling.own_ends(replica, view, [*left, *view.pending])
    return recording.write(replica, view, ReservationMarkedNoShow(), ends=ends)


def undo_no_show(replica: Service, reference: str) -> View:
    """They came after all, as far as that can still be said: the place that was given up with the
    mark is asked for anew (`renewing_place`). Raises RuleViolated where it is too late for that,
    NotAvailable, BadTransition, NotFound."""
    with replica.transaction():
        view = _step(replica, "no_show_undone", reference)
        hours = (replica.clock.now_ms() - view.no_show_at_ms) / 3_600_000
        if view.no_show_at_ms and hours > lifecycle.NO_SHOW_REVERSIBLE_HOURS:
            message = (
                f"{view.code} was marked a no-show {int(hours)} hours ago; "
                f"it can be undone for {lifecycle.NO_SHOW_REVERSIBLE_HOURS} hours."
            )
            raise RuleViolated(message, [{"rule": "no-show-final", "message": message}])
        claims, ends = renewing_place.claims_of(replica, view)
        return recording.write(replica, view, ReservationNoShowUndone(), claims=claims, ends=ends)


def confirm(replica: Service, reference: str) -> View:
    """The guest said again that they will come; saying it twice changes nothing."""
    with replica.transaction():
        view = _step(replica, "attendance_confirmed", reference)
        if view.attendance_confirmed:
            return view
        return recording.write(replica, view, ReservationAttendanceConfirmed())


def approve(replica: Service, reference: str) -> View:
    """The house agrees to what a guest reserved by themself, whether its place is certain yet or
    not. Saying it again, or of what needs no word, changes nothing. Raises BadTransition for what
    is over, RoleForbidden where no house is."""
    with replica.transaction():
        view = recording.find(replica, reference)
        if view.approval == approval.PENDING:
            return recording.write(replica, view, ReservationApproved())
        if not view.approval and view.status in (lifecycle.CANCELLED, lifecycle.EXPIRED):
            raise BadTransition(
                f"{view.code} is {lifecycle.called(view.status)}; there is nothing left to "
                "approve: make it anew with the guest",
                view.status,
            )
        return view


def _check_in_time(replica: Service, venue: VenueIndex, view: View, by_guest: bool) -> None:
    asked = Asked(view.kind, view.source, view.agent_id, by_guest, moved=view)
    place = Place(view.starts_at, view.ends_at, view.nights or None, view.party_size, None, 0)
    question = asking.question(
        replica, venue, asking.proposal(place, asked, rules.CANCEL), asked,
        asking.standing(replica, venue, asked),
    )  # fmt: skip
    found = replica.rules.violations(question)
    if found:
        replica.refusals.note(question, [one.rule for one in found])
        raise placing.refusal(found, [], f"{view.code} cannot be cancelled any more.")


def _step(replica: Service, name: str, reference: str) -> View:
    view = recording.find(replica, reference)
    if name == "checked_in" and view.status == lifecycle.CHECKED_IN:
        raise BadTransition(f"{view.code} is checked in already", view.status)
    lifecycle.check_step(name, view.status, view.code)
    return view
