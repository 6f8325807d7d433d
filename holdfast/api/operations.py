"""What each operation of the HTTP API answers: the shape of every success, and its own errors.

Owns this one table, by operation id. Errors that follow from a route's form (a token is needed,
there is a body, a key, a version, something in the path) are added by `documented`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from holdfast.api.shapes import (
    access,
    allotments,
    analytics,
    blocks,
    books,
    bulk,
    fleet,
    floor,
    guest_desk,
    guests,
    holds,
    jobs,
    reminders,
    reservations,
    restrictions,
    seating,
    series,
    service_notes,
    sync,
    venues,
    violations,
    vocabulary,
    waitlist,
)
from holdfast.api.shapes.common import QueueCounts, Shape


class Success(NamedTuple):
    """An answer that is none of an error. `shape` None: it is no JSON. `headers` are its own.
    `table`: it may be asked for as CSV instead."""

    shape: type[Shape] | None
    headers: tuple[str, ...] = ()
    text: str = ""
    table: bool = False


class Operation(NamedTuple):
    """What an operation answers: successes by HTTP status, and errors by their names."""

    successes: dict[int, Success]
    problems: tuple[str, ...] = ()


def _operation(
    shape: type[Shape] | None,
    *problems: str,
    status: int = 200,
    headers: tuple[str, ...] = (),
    text: str = "",
) -> Operation:
    return Operation({status: Success(shape, headers, text)}, problems)


def _figures(shape: type[Shape]) -> Operation:
    return Operation({200: Success(shape, table=True)}, ("not-found",))


_VERSIONED: Final = ("ETag",)
_MARK: Final = _operation(
    reservations.Reservation, "bad-transition", "rule-violated", headers=_VERSIONED
)
_MADE: Final = ("Location", "ETag")
_HOLD_CHANGED: Final = Operation(
    {
        200: Success(holds.Hold, _VERSIONED, "the hold as changed"),
        202: Success(
            holds.Hold,
            _VERSIONED,
            "the hold as before, with the `pending_change` that was asked for",
        ),
    },
    ("not-available", "rule-violated", "bad-transition", "gone"),
)
_SWITCH: Final = _operation(sync.SyncStatus)
_BETWEEN_REPLICAS: Final = _operation(
    None, "unauthorised", "not-found", "rule-violated", text="as docs/protocol.md describes"
)

OPERATIONS: Final[dict[str, Operation]] = {
    # Reservations
    "createReservation": Operation(
        {
            201: Success(reservations.Reservation, _MADE, "the reservation as it is now"),
            200: Success(
                reservations.Reservation,
                _MADE,
                "nothing was made: the reservation that has the `partner_reference`, as it is now",
            ),
        },
        ("not-found", "not-available", "rule-violated"),
    ),
    "createSeries": _operation(
        series.Series,
        *("not-found", "conflict"),
        status=201,
        text="what was made, and what could not be had",
    ),
    "markReservations": _operation(bulk.BulkResults, text="what became of each"),
    "lookUpReservation": _operation(reservations.Reservation, "not-found", "rule-violated"),
    "searchReservations": _operation(reservations.ReservationList, "not-found"),
    "listReservations": _operation(reservations.ReservationList, "not-found"),
    "getReservation": _operation(reservations.Reservation, headers=_VERSIONED),
    "changeReservation": Operation(
        {
            200: Success(reservations.Reservation, _VERSIONED, "the reservation as changed"),
            202: Success(
                reservations.Reservation,
                _VERSIONED,
                "the reservation as before, with the `pending_change` that was asked for",
            ),
        },
        ("not-available", "rule-violated", "bad-transition"),
    ),
    "cancelReservation": _MARK,
    "checkInReservation": _MARK,
    "completeReservation": _MARK,
    "markNoShow": _MARK,
    "undoNoShow": _MARK,
    "confirmAttendance": _MARK,
    "approveReservation": _MARK,
    "listDueReminders": _operation(reminders.DueReminders, "not-found"),
    "listReminders": _operation(reminders.ReminderList),
    "markReminder": _operation(
        reminders.Reminder, *("conflict", "bad-transition", "gone"), status=201, text="the mark"
    ),
    "importReservations": _operation(reservations.ImportResult, "not-found", "rule-violated"),
    # Holds
    "createHold": _operation(
        holds.Hold,
        *("not-found", "not-available", "rule-violated"),
        status=201,
        headers=_MADE,
        text="the hold as it is now",
    ),
    "listHolds": _operation(holds.HoldList, "not-found"),
    "getHold": _operation(holds.Hold, headers=_VERSIONED),
    "changeHold": _HOLD_CHANGED,
    "extendHold": _operation(
        holds.Hold, "rule-violated", "bad-transition", "gone", headers=_VERSIONED
    ),
    "reserveHold": _operation(
        reservations.Reservation,
        *("not-available", "rule-violated", "bad-transition", "gone"),
        status=201,
        headers=_MADE,
        text="the reservation as it is now",
    ),
    "releaseHold": _operation(
        holds.Hold,
        *("bad-transition", "gone", "storage-full"),
        headers=_VERSIONED,
        text="the hold as it is now",
    ),
    # The waitlist
    "joinWaitlist": _operation(
        waitlist.WaitingParty,
        *("not-found", "rule-violated"),
        status=201,
        headers=_MADE,
        text="the party in the line",
    ),
    "listWaitlist": _operation(waitlist.WaitingList, "not-found"),
    "getWaiting": _operation(waitlist.WaitingParty, headers=_VERSIONED),
    "offerPlace": _operation(
        waitlist.WaitingParty,
        *("not-available", "rule-violated", "bad-transition", "gone"),
        headers=_VERSIONED,
        text="the party with the offer",
    ),
    "acceptOffer": _operation(
        reservations.Reservation,
        *("not-available", "rule-violated", "bad-transition", "gone"),
        status=201,
        headers=_MADE,
        text="the reservation as it is now",
    ),
    "linkOffer": _operation(waitlist.OfferLink, "not-available", "gone"),
    "showOffer": _operation(waitlist.OfferedPlace, "not-found", "gone"),
    "takeOffer": _operation(
        waitlist.TakenPlace,
        *("not-found", "not-available", "rule-violated", "bad-transition", "gone"),
        status=201,
        text="the reservation as it is now",
    ),
    "leaveWaitlist": _operation(
        waitlist.WaitingParty,
        *("bad-transition", "gone", "storage-full"),
        headers=_VERSIONED,
        text="the party, which waits no more",
    ),
    # Blocks
    "createBlock": _operation(
        blocks.Block,
        *("not-found", "conflict", "rule-violated"),
        status=201,
        headers=("Location",),
        text="the block of the first date",
    ),
    "createBlocks": _operation(
        blocks.BlockList, *("not-found", "conflict", "rule-violated"), status=201
    ),
    "listBlocks": _operation(blocks.BlockList, "not-found"),
    "getBlock": _operation(blocks.Block),
    "removeBlock": _operation(
        blocks.Block, *("bad-transition", "storage-full"), text="the block as it is now"
    ),
    # Venues
    "getAvailability": _operation(venues.Availability, "not-found"),
    "listVenues": _operation(venues.VenueList),
    "getVenue": _operation(venues.Venue, headers=_VERSIONED),
    "putVenue": Operation(
        {
            200: Success(venues.Venue, _VERSIONED, "the venue as read, with defaults"),
            201: Success(venues.Venue, _VERSIONED, "the same, of a new venue"),
        },
        ("conflict", "rule-violated"),
    ),
    "listResources": _operation(venues.ResourceList, "not-found"),
    "getCalendar": Operation(
        {
            200: Success(None, ("ETag", "Last-Modified"), "the events, as RFC 5545 has them"),
            304: Success(None, ("ETag", "Last-Modified"), "as `If-None-Match` has it; no body"),
        }
    ),
    "getReservationCalendar": _operation(
        None, headers=("Content-Disposition",), text="one event, as RFC 5545 has it"
    ),
    "assignTables": _operation(
        reservations.Reservation,
        *("not-available", "rule-violated", "bad-transition"),
        headers=_VERSIONED,
    ),
    "optimiseService": _operation(seating.SeatingProposal),
    "acceptSeating": _operation(
        reservations.ReservationList,
        *("stale", "conflict", "not-available", "rule-violated", "bad-transition"),
        text="the reservations that moved",
    ),
    "getServiceNotes": _operation(service_notes.ServiceNotes, "rule-violated", headers=_VERSIONED),
    "putServiceNotes": _operation(
        service_notes.ServiceNotes, "rule-violated", headers=_VERSIONED, text="as they are now"
    ),
    "getFloor": _operation(floor.Floor),
    "markResource": _operation(floor.TableState, "bad-transition", text="the table as it is now"),
    "getSlots": _operation(venues.SlotList),
    "listBlackouts": _operation(venues.BlackoutList, "not-found"),
    "listKinds": _operation(vocabulary.KindLooks),
    # Figures
    "reportViolations": _operation(violations.ViolationReport, "not-found"),
    # Allotments
    "listAllotments": _operation(allotments.AllotmentList, "not-found"),
    "grantAllotment": _operation(
        allotments.AllotmentList,
        *("not-found", "conflict", "rule-violated"),
        status=201,
        text="what was granted",
    ),
    "returnAllotment": _operation(allotments.Allotment, "rule-violated"),
    "revokeAllotment": _operation(allotments.Allotment, "rule-violated"),
    # Guests
    "searchGuests": _operation(guests.FoundGuests, "rule-violated"),
    "nameGuests": _operation(guests.NamedGuests),
    "getGuest": _operation(guests.Guest, "rule-violated"),
    "getGuestPattern": _operation(series.GuestPattern, "not-found"),
    "exportGuest": _operation(guests.GuestExport, "rule-violated", "storage-full"),
    "eraseGuest": _operation(
        guests.ErasureList, "rule-violated", "storage-full", text="how it stands now"
    ),
    "listErasures": _operation(guests.ErasureList),
    "listRestrictions": _operation(restrictions.RestrictionList),
    "listGuestRestrictions": _operation(restrictions.RestrictionList),
    "restrictGuest": _operation(restrictions.Restriction, "rule-violated", status=201),
    "liftRestriction": _operation(restrictions.Restriction, "rule-violated"),
    "getGuestProfile": _operation(restrictions.GuestProfile),
    "putGuestProfile": _operation(restrictions.GuestProfile, "rule-violated", text="as it is now"),
    "getGuestHistory": _operation(guest_desk.GuestHistory),
    "listGuestReservations": _operation(reservations.ReservationList),
    "getGuestContext": _operation(guest_desk.GuestContext),
    "getGuestFlags": _operation(guest_desk.GuestFlags),
    "putGuestFlag": _operation(guest_desk.GuestFlags, "storage-full", text="as they are now"),
    "mergeGuests": _operation(guest_desk.SamePerson, "rule-violated", text="who is one now"),
    "unmergeGuests": _operation(guest_desk.SamePerson, "rule-violated", text="who is one now"),
    "listDuplicateGuests": _operation(guest_desk.DuplicateList, "not-found", "rule-violated"),
    "listGuestNotes": _operation(guest_desk.GuestNoteList, "rule-violated"),
    "addGuestNote": _operation(
        guest_desk.GuestNote, "rule-violated", status=201, headers=_VERSIONED
    ),
    "changeGuestNote": _operation(
        guest_desk.GuestNote, "conflict", "rule-violated", headers=_VERSIONED
    ),
    "withdrawGuestNote": _operation(guest_desk.GuestNote, "rule-violated", headers=_VERSIONED),
    "getGuestPreferences": _operation(
        guest_desk.GuestPreferences, "rule-violated", headers=_VERSIONED
    ),
    "patchGuestPreferences": _operation(
        guest_desk.GuestPreferences, "rule-violated", headers=_VERSIONED, text="as they are now"
    ),
    "rotateVenueKey": _operation(guests.RotatedKey, "conflict"),
    "shareVenueKey": _operation(guests.SharedKey, "conflict"),
    # The queue, the exchange, the clock
    "listQueue": _operation(sync.OperationList),
    "getOperation": _operation(sync.Operation),
    "retryOperation": _operation(sync.Operation),
    "withdrawOperation": _operation(sync.Operation, "rule-violated"),
    "getSync": _operation(sync.SyncStatus),
    "getSyncLog": _operation(sync.SyncLog),
    "syncNow": _operation(sync.Exchanged, "unreachable", "rule-violated"),
    "pauseSync": _SWITCH,
    "resumeSync": _SWITCH,
    "setHub": _operation(sync.SyncStatus, "conflict"),
    "rejoin": _operation(sync.SyncStatus, "unreachable", "rule-violated"),
    "getClock": _operation(sync.ClockStatus),
    "sampleClock": _operation(sync.ClockSample),
    # Books, exceptions, the record of changes
    "listBooks": _operation(books.BookList),
    "getBook": _operation(books.Book),
    "getBookOfDate": _operation(books.BookOfDate),
    "listExceptions": _operation(books.NeedsPersonList),
    "getException": _operation(books.NeedsPerson),
    "resolveException": _operation(
        books.Resolved, "rule-violated", "bad-transition", "not-available"
    ),
    "listAudit": _operation(books.ChangeList, "not-found"),
    # Figures
    "getServiceFigures": _figures(analytics.ServiceFigures),
    "getRangeFigures": _figures(analytics.RangeFigures),
    "getTurnover": _figures(analytics.Turnover),
    "getVenueFigures": _figures(analytics.VenueFigures),
    "getVolume": _operation(analytics.Volumes),
    "getNoShows": _figures(analytics.NoShowReport),
    "getBusinessFigures": _figures(analytics.BusinessFigures),
    "getAgentFigures": _operation(analytics.AgentFigures),
    # Administration
    "getStatus": _operation(fleet.ReplicaStatus),
    "getConfig": _operation(fleet.Config),
    "listNodes": _operation(fleet.Fleet),
    "revokeNode": _operation(fleet.NodeRevoked, "rule-violated"),
    "createInvite": _operation(fleet.Invite, "not-found", "rule-violated", status=201),
    "listInvites": _operation(fleet.OpenInvites),
    "withdrawInvites": _operation(fleet.OpenInvites, "not-found", text="what was withdrawn"),
    "renewCertificate": _operation(
        fleet.OwnCertificate, "unreachable", "rule-violated", "rate-limited", "directory"
    ),
    "getRecovery": _operation(fleet.Recovery),
    "recoverHub": _operation(fleet.Recovery, "rule-violated"),
    "createBackup": _operation(fleet.Backup, "conflict", "directory", status=201),
    "listJobs": _operation(jobs.JobList),
    "runJob": _operation(jobs.Job),
    # Access
    "listTokens": _operation(fleet.TokenList),
    "createToken": _operation(fleet.NewToken, "conflict", status=201),
    "revokeToken": _operation(fleet.Token, "storage-full"),
    "logIn": _operation(
        access.SessionState,
        "unauthorised",
        "not-found",
        headers=("Set-Cookie",),
        text="who is logged in",
    ),
    "getSession": _operation(access.SessionState),
    "logOut": _operation(access.SessionEnded, "not-found", "storage-full", headers=("Set-Cookie",)),
    "createTicket": _operation(access.NewTicket, status=201),
    "listStaff": _operation(access.StaffList),
    "addStaff": _operation(access.StaffMember, "conflict", "not-found", "directory", status=201),
    "setPin": _operation(access.StaffMember, "directory"),
    "unlockStaff": _operation(access.StaffMember),
    "removeStaff": _operation(access.StaffRemoved, "storage-full"),
    # The stream, and what stands at the root
    "streamChanges": _operation(None, text="events, as long as they are listened to"),
    "getHealth": _operation(fleet.Health),
    "getReadiness": Operation(
        {
            200: Success(fleet.Readiness, text="ready"),
            503: Success(fleet.Readiness, text="stopping"),
        }
    ),
    "getMetrics": _operation(None, text="the numbers"),
    # Between replicas
    "exchange": _BETWEEN_REPLICAS,
    "join": _BETWEEN_REPLICAS,
    "renew": _BETWEEN_REPLICAS,
}


class QueueNews(Shape, kw_only=True):
    """The queue, in numbers."""

    counts: QueueCounts


EVENTS: Final[dict[str, type[Shape]]] = {
    "reservation": reservations.Reservation,
    "hold": holds.Hold,
    "waitlist": waitlist.WaitingParty,
    "block": blocks.Block,
    "exception": books.NeedsPerson,
    "venue": venues.Venue,
    "queue": QueueNews,
    "sync": sync.SyncStatus,
}
"""What `GET /stream` sends as data, by event; `reset` has an empty object."""


def shapes() -> list[Any]:
    """Every struct that an answer may be."""
    answers = [
        success.shape
        for operation in OPERATIONS.values()
        for success in operation.successes.values()
        if success.shape is not None
    ]
    return [*answers, *EVENTS.values()]
