"""Finding one's reservation without a token of one's own: by its code and one's address.

Owns this route. That code and contact belong together `holdfast.node.contact_lookup` says.
"""

from __future__ import annotations

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from holdfast.api.auth import BOOKINGS, VENUES
from holdfast.api.bookings import found
from holdfast.api.documented import operation
from holdfast.api.face import Asking, answer, caller_of, face_of
from holdfast.api.parsing import read_body
from holdfast.api.render import render_reservation
from holdfast.api.shapes.reservations import Reservation
from holdfast.model.errors import NotFound
from holdfast.model.ids import uuid_text
from holdfast.node import contact_lookup


class LookupRequest(msgspec.Struct, kw_only=True):
    """A code or id, and either contact; and what else the caller was asked."""

    reference: str
    email: str | None = None
    phone: str | None = None
    date: str | None = None
    party_size: int | None = None
    name: str | None = None


@post(
    "/reservations/lookup",
    operation_id="lookUpReservation",
    summary="One reservation, for whoever knows its code and its guest's address or number",
    description=(
        "As its guest sees it, without the card. 404 whatever of it is wrong. A device that "
        "reads no venue's guest cards answers every code with 403. A guest finds so what they "
        "reserved by telephone; to change it they ask the house."
    ),
    tags=["reservations"],
    status_code=200,
    opt={"permission": "reservations.find", "reach": VENUES, "counted": BOOKINGS},
    operation_class=operation(body=LookupRequest, keyed=True),
)
async def look_up_reservation(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def look() -> str:
        wanted = read_body(body, LookupRequest)
        email, phone = wanted.email, wanted.phone
        seen = [one for one in face.replica.venue_ids() if caller.sees(one)]
        answers = contact_lookup.Answers(wanted.date, wanted.party_size, wanted.name)
        contact_lookup.require_answerable(
            face.replica, seen, email=email, phone=phone, answers=answers
        )
        try:
            view = found(face.replica, caller, wanted.reference, proved=True)
        except NotFound:
            raise contact_lookup.unknown(wanted.reference) from None
        fits = contact_lookup.proved(face.replica, view, email=email, phone=phone, answers=answers)
        if not fits:
            raise contact_lookup.unknown(wanted.reference)
        return uuid_text(view.id)

    answered = await face.answers.once(request, body, 200, look)

    def shown() -> Reservation:
        view = found(face.replica, caller, answered.subject, proved=True)
        return render_reservation(
            face.replica, view, with_guest=False, whole=True, to_guest=True, with_agent=False,
            with_others=False,
        )  # fmt: skip

    return answer(await face.run(shown), answered.status, answered.headers)


ROUTES: list[HTTPRouteHandler] = [look_up_reservation]
