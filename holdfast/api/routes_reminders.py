"""Reminders over HTTP: who is due, what was sent, and the mark that makes it once.

Owns these routes, for a program that sends reminders for a house. When a mark is refused stands in
`holdfast.node.reminders`.
"""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.bookings import found
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import (
    PageQuery,
    page_of,
    read_body,
    read_cursor,
    read_limit,
    read_query,
    read_time,
    write_cursor,
)
from holdfast.api.render import venue_or_utc, who
from holdfast.api.shapes import reminders as shapes
from holdfast.model import wall
from holdfast.model.errors import Invalid
from holdfast.model.ids import parse_uuid, uuid_text
from holdfast.model.reservation import View
from holdfast.node import actors, reminders
from holdfast.store.reminders import Mark

TAGS = ["reservations"]


class DueQuery(PageQuery, kw_only=True):
    """Of which kind, and before which start."""

    kind: str
    due_before: str
    venue: str | None = None


class ReminderRequest(msgspec.Struct, kw_only=True):
    """Of which kind; `at`: when it was sent, left out: now."""

    kind: str
    at: str | None = None


@get(
    "/reminders",
    operation_id="listDueReminders",
    summary="Whose guests are still to be reminded",
    description=(
        "What is confirmed, starts from now on and before `due_before`, and has no mark of this "
        "kind for its present start at this device. Nothing is sent and nothing is marked by it."
    ),
    tags=TAGS,
    opt={"permission": "reminders.mark", "reach": VENUES},
    operation_class=operation(query=DueQuery),
)
async def list_due_reminders(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), DueQuery)
    if query.venue is not None:
        caller.require(query.venue)

    def listed() -> shapes.DueReminders:
        replica = face.replica
        venue = None if query.venue is None else replica.venue(query.venue).venue
        before = read_time(venue, query.due_before, "due_before")
        if before is None:
            raise Invalid.field("due_before", "is required")
        views, place = reminders.due(
            replica, query.kind, before, query.venue, among=caller.limited_to(),
            limit=read_limit(query.limit), cursor=read_cursor(query.cursor),
        )  # fmt: skip
        return shapes.DueReminders(
            items=[_due(replica, view) for view in views], next=write_cursor(place)
        )

    return answer(await face.run(listed))


@get(
    "/reservations/{reference:str}/reminders",
    operation_id="listReminders",
    summary="Which reminders were marked as sent, when and by whom",
    tags=TAGS,
    opt={"permission": "reminders.mark", "reach": VENUES},
    operation_class=operation(query=PageQuery),
)
async def list_reminders(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), PageQuery)

    def listed() -> shapes.ReminderList:
        view = found(face.replica, caller, reference)
        marks = reminders.marks_of(face.replica, view)
        keyed = [(f"{number:06}", one) for number, one in enumerate(marks)]
        page, place = page_of(keyed, query.limit, query.cursor)
        return shapes.ReminderList(
            items=[_shown(face.replica, view, one) for one in page], next=place
        )

    return answer(await face.run(listed))


@post(
    "/reservations/{reference:str}/reminders",
    operation_id="markReminder",
    summary="Mark a reminder as sent, once",
    description=(
        "201 the first time: then send it. 409 `conflict` ever after, until the reservation is "
        "moved to another start: then send nothing. The mark is of this device alone; another "
        "device knows nothing of it."
    ),
    tags=TAGS,
    opt={"permission": "reminders.mark", "reach": VENUES},
    operation_class=operation(body=ReminderRequest, keyed=True),
)
async def mark_reminder(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def mark() -> str:
        replica = face.replica
        view = found(replica, caller, reference)
        wanted = read_body(body, ReminderRequest)
        venue = venue_or_utc(replica, view.book.partition("/")[2])
        at = read_time(venue, wanted.at, "at")
        at_ms = None if at is None else at * 1000
        made = reminders.mark(replica, uuid_text(view.id), wanted.kind, at_ms)
        return f"{uuid_text(made.reservation)} {made.kind} {made.starts_at}"

    answered = await face.answers.once(request, body, 201, mark)

    def shown() -> shapes.Reminder:
        subject, kind, starts_at = answered.subject.split()
        view = found(face.replica, caller, subject)
        made = face.replica.store.reminders.get(parse_uuid(subject) or b"", kind, int(starts_at))
        assert made is not None, "a mark stays longer than an answer is kept"
        return _shown(face.replica, view, made)

    return answer(await face.run(shown), answered.status, answered.headers)


def _due(replica: Replica, view: View) -> shapes.DueReminder:
    venue_id = view.book.partition("/")[2]
    return shapes.DueReminder(
        id=uuid_text(view.id),
        code=view.code,
        venue=venue_id,
        service_date=view.service_date,
        starts_at=wall.format_time(venue_or_utc(replica, venue_id), view.starts_at),
        party_size=view.party_size,
        agent_id=view.agent_id,
        attendance_confirmed=view.attendance_confirmed,
    )


def _shown(replica: Replica, view: View, mark: Mark) -> shapes.Reminder:
    venue_id = view.book.partition("/")[2]
    venue = venue_or_utc(replica, venue_id)
    by = actors.named(replica, mark.by)
    return shapes.Reminder(
        reservation=uuid_text(view.id),
        code=view.code,
        venue=venue_id,
        kind=mark.kind,
        starts_at=wall.format_time(venue, mark.starts_at),
        at=wall.format_time(venue, mark.at_ms // 1000),
        by=who(by) or None,
    )


ROUTES: list[HTTPRouteHandler] = [list_due_reminders, list_reminders, mark_reminder]
