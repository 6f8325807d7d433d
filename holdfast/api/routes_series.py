"""Recurring reservations over HTTP: make one on every date of a rule, and see who has a habit.

Owns these routes. What a series is stands in `holdfast.node.series`; its reservations are found and
called off where all are (`routes_reservations`).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import BOOKINGS, VENUES
from holdfast.api.bookings import asking_of, found
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import read_body, read_query
from holdfast.api.render import render_reservation, venue_or_utc
from holdfast.api.shapes.series import GuestPattern, RefusedDate, Series
from holdfast.model import series as model
from holdfast.model import wall
from holdfast.model.ids import uuid_text
from holdfast.node import series
from holdfast.node.requests import SeriesRequest

_REFUSED: Final = "!"
_BEFORE: Final = "It could not be had when the series was made."


class PatternQuery(msgspec.Struct, kw_only=True):
    """At which venue."""

    venue: str


@post(
    "/reservations/series",
    operation_id="createSeries",
    summary="Make a reservation on every date of a recurrence",
    description=(
        "Each date is checked for room and by the rules, at the same times by the wall clock. All "
        "of them or none (409 with `refused`); with `each`, every one that can be had."
    ),
    tags=["reservations"],
    opt={"permission": "reservations.series", "reach": VENUES, "counted": BOOKINGS},
    operation_class=operation(body=SeriesRequest, keyed=True),
)
async def create_series(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    told: list[dict[str, Any]] = []

    def make() -> str:
        wanted = read_body(body, SeriesRequest)
        caller.require(wanted.venue)
        made = series.create(face.replica, wanted, asking_of(caller))
        venue = face.replica.venue(wanted.venue)
        told.extend(series.told(venue, one) for one in made.refused)
        return _subject(made)

    answered = await face.answers.once(request, body, 201, make)

    def shown() -> Series:
        return _shown(face.replica, caller, answered.subject, told)

    return answer(await face.run(shown), answered.status, answered.headers)


def _subject(made: series.Made) -> str:
    """What an answer is remembered by: what was made, and which dates were refused, by what."""
    kept = [uuid_text(view.id) for view in made.views]
    kept += [f"{_REFUSED}{one.start}:{one.error.name}" for one in made.refused]
    return " ".join(kept)


def _shown(replica: Replica, caller: Caller, subject: str, told: list[dict[str, Any]]) -> Series:
    words = subject.split()
    views = [found(replica, caller, one) for one in words if not one.startswith(_REFUSED)]
    if not told:
        # The same request again: why was told the first time.
        venue = venue_or_utc(replica, views[0].book.partition("/")[2])
        for one in words:
            if one.startswith(_REFUSED):
                start, _, error = one[1:].partition(":")
                told.append(
                    {
                        "starts_at": wall.format_time(venue, int(start)),
                        "error": error,
                        "detail": _BEFORE,
                        "alternatives": [],
                    }
                )
    return Series(
        series=model.series_of(views[0]),
        items=[
            render_reservation(
                replica,
                view,
                with_guest=caller.may("guests.read"),
                # All are of one guest: who else that may be is said once.
                with_known=caller.told_who_is_known and view is views[0],
            )
            for view in views
        ],
        refused=msgspec.convert(told, list[RefusedDate]),
    )


@get(
    "/guests/{agent_id:str}/pattern",
    operation_id="getGuestPattern",
    summary="Whether a guest comes again and again on the same day",
    description="From the reservations that this replica knows; four in a row make a pattern.",
    tags=["guests"],
    opt={"permission": "guests.profile", "reach": VENUES},
    operation_class=operation(query=PatternQuery),
)
async def get_guest_pattern(request: Asking, agent_id: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    query = read_query(request.query_params.multi_items(), PatternQuery)
    caller.require(query.venue)
    found = await face.run(series.habit, face.replica, query.venue, agent_id)
    return answer(
        GuestPattern(
            agent_id=agent_id,
            venue=query.venue,
            pattern=found.name if found else None,
            dates=found.dates if found else None,
            next=found.next.isoformat() if found else None,
        )
    )


ROUTES: list[HTTPRouteHandler] = [create_series, get_guest_pattern]
