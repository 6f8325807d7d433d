"""How reminders look: who is to be reminded, and what was marked as sent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Date, Identity, Items, Shape, VenueTime, Who
from holdfast.api.shapes.reservations import Code, VenueId


class DueReminder(Shape, kw_only=True):
    """A reservation whose guest was not reminded yet of its present start, as far as this device
    knows. How to reach the guest, `GET /reservations/{reference}` says where it may."""

    id: Annotated[Identity, Meta(description="of the reservation")]
    code: Code
    venue: VenueId
    service_date: Date
    starts_at: VenueTime
    party_size: Annotated[int, Meta(description="people")]
    agent_id: Annotated[str, Meta(description="pseudonym of the guest")]
    attendance_confirmed: Annotated[
        bool, Meta(description="the guest has said again that they will come")
    ]


class DueReminders(Items[DueReminder], kw_only=True):
    """Who is to be reminded, by start."""


class Reminder(Shape, kw_only=True):
    """A reminder that was marked as sent at this device."""

    reservation: Annotated[Identity, Meta(description="its id")]
    code: Code
    venue: VenueId
    kind: Annotated[str, Meta(description="a code of the sender's own, such as `day_before`")]
    starts_at: Annotated[VenueTime, Meta(description="the start that it reminds of")]
    at: Annotated[VenueTime, Meta(description="when it was sent, as the sender says")]
    by: Annotated[Who | None, Meta(description="who marked it; null: nobody is named")]


class ReminderList(Items[Reminder], kw_only=True):
    """What was marked of one reservation, the oldest first."""
