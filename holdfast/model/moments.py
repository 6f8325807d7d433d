"""When what happened to a reservation happened, as far as its entries say it. Pure.

Owns the instants that the folded view leaves out, because nothing is decided by them: they are
shown, counted and told to calendars.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from holdfast.model.claims import RENEWED, RESERVED, Seen, order
from holdfast.model.events import (
    OperationWithdrawn,
    ReservationAttendanceConfirmed,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
)
from holdfast.model.reservation import View, content_of


class Told(Protocol):
    """A reservation: what was folded of it, and all that was seen of it."""

    @property
    def view(self) -> View: ...

    @property
    def seen(self) -> Sequence[Seen]: ...


def cancelling(view: View, seen: Sequence[Seen]) -> tuple[Seen, ReservationCancelled] | None:
    """The entry that cancelled a reservation, as its view tells it: the newest with that reason.
    None where none did, as for a cancellation that was imported."""
    found = [
        (entry, event)
        for entry in seen
        if entry.kind == "reservation.cancelled"
        if isinstance(event := content_of(entry), ReservationCancelled)
        and (event.reason, event.by) == (view.cancel_reason, view.cancelled_by)
    ]
    return max(found, key=lambda pair: (pair[0].stamp, pair[0].operation), default=None)


def cancelled_at_ms(view: View, seen: Sequence[Seen]) -> int:
    """When somebody cancelled it, or its writer gave its making up, Unix milliseconds; 0: no entry
    says when."""
    found = cancelling(view, seen)
    if found is not None:
        return found[0].stamp >> 16
    gave_up = [
        entry.stamp >> 16
        for entry in seen
        if entry.kind == "operation.withdrawn"
        if isinstance(event := content_of(entry), OperationWithdrawn)
        and event.operation == view.making
    ]
    return min(gave_up, default=0)


def reserved_at_ms(view: View, seen: Sequence[Seen]) -> int:
    """When what was held or waited for was reserved, Unix milliseconds; 0: nobody did."""
    if not view.reserving:
        return 0
    # After a no-show that was taken back `reserving` is who asked anew.
    renewed = any(one.operation == view.reserving and one.kind == RENEWED for one in seen)
    taking = [
        entry.stamp >> 16
        for entry in seen
        if entry.kind == RESERVED and (renewed or entry.operation == view.reserving)
    ]
    return min(taking, default=0)


def checking_in(view: View, seen: Sequence[Seen]) -> Seen | None:
    """The entry that received the guests, as the view tells it; None: none did that is known."""
    found = [
        entry
        for entry in seen
        if entry.kind == "reservation.checked_in"
        if isinstance(event := content_of(entry), ReservationCheckedIn)
        and (event.at_ms or entry.stamp >> 16) == view.checked_in_at_ms
    ]
    return min(found, key=order, default=None)


def completing(seen: Sequence[Seen]) -> Seen | None:
    """The entry of the first who said that the guests left; None: nobody did."""
    said = [entry for entry in seen if entry.kind == "reservation.completed"]
    for entry in sorted(said, key=order):
        if isinstance(content_of(entry), ReservationCompleted):
            return entry
    return None


def completed_at_ms(seen: Sequence[Seen]) -> int:
    """When the guests left, by the first who said so, Unix milliseconds; 0: nobody did."""
    entry = completing(seen)
    event = content_of(entry) if entry is not None else None
    if entry is None or not isinstance(event, ReservationCompleted):
        return 0
    return event.at_ms or entry.stamp >> 16


def attendance_confirmed_at_ms(seen: Sequence[Seen]) -> int:
    """When the guest said again that they will come, the first time (H-16), Unix milliseconds; 0:
    they did not."""
    said = [
        entry
        for entry in seen
        if entry.kind == "reservation.attendance_confirmed"
        and isinstance(content_of(entry), ReservationAttendanceConfirmed)
    ]
    return min((entry.stamp >> 16 for entry in said), default=0)
