"""Seating over HTTP: give a party tables by name, and seat a whole service better.

Owns these routes. Moves are those of `holdfast.node.amending`, proposals of
`holdfast.node.optimising`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.bookings import asking_of, found, shown_reservation
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, answer, caller_of, face_of
from holdfast.api.parsing import read_body, read_time
from holdfast.api.render import render_reservation
from holdfast.api.routes_reservations import only_override
from holdfast.api.shapes.reservations import ReservationList
from holdfast.api.shapes.seating import (
    SeatingMove,
    SeatingParty,
    SeatingProposal,
    SeatingScore,
    SeatingStay,
)
from holdfast.model import wall
from holdfast.model.errors import Invalid
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.model.seating import Score
from holdfast.model.venue import Venue
from holdfast.node import optimising
from holdfast.node.optimising import Evening, Proposal
from holdfast.node.requests import Override, PatchRequest

TAGS = ["tables"]


class AssignRequest(msgspec.Struct, kw_only=True):
    """The tables that a party gets, all of them together."""

    resources: list[str]
    override: Override | None = None


class OptimiseRequest(
    msgspec.Struct, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """A service date, and of it what starts in a span."""

    date: str
    starts_from: str | None = None
    starts_before: str | None = None


@post(
    "/reservations/{reference:str}/assign",
    operation_id="assignTables",
    summary="Give a party these tables",
    description=(
        "A move to the tables that are named. Refused where they are taken, or too small; with "
        "`override` a supervisor goes beyond the capacity, as the venue file allows, and puts one "
        "chair more to each table. Where the "
        "tables are not held here, `pending_change` waits and the old place stays."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "tables.arrange", "reach": VENUES},
    operation_class=operation(body=AssignRequest, keyed=True),
)
async def assign_tables(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def assign() -> str:
        with face.replica.transaction():
            subject = uuid_text(found(face.replica, caller, reference).id)
            wanted = read_body(body, AssignRequest)
            only_override(caller, wanted.override)
            if not wanted.resources:
                raise Invalid.field("resources", "name at least one table")
            patch = PatchRequest(resources=wanted.resources, override=wanted.override)
            face.replica.reservations.amend(subject, patch, None, asking_of(caller))
        return subject

    answered = await face.answers.once(request, body, 200, assign)
    return await shown_reservation(
        face, caller, answered.subject, answered.status, answered.headers
    )


@post(
    "/venues/{venue:str}/optimise",
    operation_id="optimiseService",
    summary="Propose a better seating of a service",
    description=(
        "More people, then fewer seats that stay empty, then fewer tables, with the fewest moves. "
        "Who sits already, who asked for a table and whose table another device gives stays. "
        "Nothing is moved before the proposal is accepted."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "tables.arrange", "reach": VENUES},
    operation_class=operation(body=OptimiseRequest, keyed=True),
)
async def optimise_service(request: Asking, venue: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    caller.require(venue)
    body = await request.body()

    known, _, made = await _proposed(face, venue, read_body(body, OptimiseRequest))
    # With a key that was used it is worked out again: what can be accepted is what is proposed now.
    answered = await face.answers.once(request, body, 200, lambda: made.id)
    return answer(_proposal(known, made), answered.status, answered.headers)


@post(
    "/venues/{venue:str}/optimise/{proposal:str}/accept",
    operation_id="acceptSeating",
    summary="Do what a proposal says, all of it or nothing",
    description="The body is that of the proposal. 412 `stale`: the service has changed since.",
    tags=TAGS,
    status_code=200,
    opt={"permission": "tables.arrange", "reach": VENUES},
    operation_class=operation(body=OptimiseRequest, keyed=True),
)
async def accept_seating(
    request: Asking, venue: FromPath[str], proposal: FromPath[str]
) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    caller.require(venue)
    body = await request.body()

    _, evening, made = await _proposed(face, venue, read_body(body, OptimiseRequest))

    def accept() -> str:
        moved = optimising.accept(face.replica, evening, made, proposal)
        return " ".join(uuid_text(view.id) for view in moved)

    answered = await face.answers.once(request, body, 200, accept)

    def shown() -> ReservationList:
        views = [found(face.replica, caller, one) for one in answered.subject.split()]
        reads = caller.may("guests.read")
        items = [render_reservation(face.replica, view, with_guest=reads) for view in views]
        return ReservationList(items=items, next=None)

    return answer(await face.run(shown), answered.status, answered.headers)


async def _proposed(
    face: Face, venue: str, wanted: OptimiseRequest
) -> tuple[Venue, Evening, Proposal]:
    """What is proposed now; the solving holds up nobody."""

    def gather() -> tuple[Venue, Evening]:
        known = face.replica.venue(venue).venue
        since = read_time(known, wanted.starts_from, "from")
        before = read_time(known, wanted.starts_before, "to")
        return known, optimising.gather(face.replica, venue, wanted.date, since, before)

    known, evening = await face.run(gather)
    return known, evening, await asyncio.to_thread(optimising.solve, evening)


def _proposal(venue: Venue, made: Proposal) -> SeatingProposal:
    return SeatingProposal(
        id=made.id,
        basis=made.basis,
        venue=venue.id,
        date=made.date,
        solver=made.solver,
        before=_score(made.before),
        after=_score(made.after),
        moves=[
            SeatingMove(
                **_party(venue, one.view),
                origin=list(one.origin),
                target=list(one.target),
                reason=one.gain,
            )
            for one in made.moves
        ],
        stays=[SeatingStay(**_party(venue, view), reason=why) for view, why in made.stays],
        unseated=[SeatingParty(**_party(venue, view)) for view in made.unseated],
    )


def _score(score: Score) -> SeatingScore:
    return SeatingScore(unseated=score.unseated, waste=score.waste, tables=score.tables)


def _party(venue: Venue, view: View) -> dict[str, Any]:
    return {
        "id": uuid_text(view.id),
        "code": view.code,
        "party_size": view.party_size,
        "starts_at": wall.format_time(venue, view.starts_at),
    }


ROUTES: list[HTTPRouteHandler] = [assign_tables, optimise_service, accept_seating]
