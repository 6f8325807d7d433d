"""An offer by its address: made for whoever sends it, shown and taken by whoever has it.

Owns these routes. The secret comes in bodies alone, since what stands in a URL stands in logs; in
an address it stands behind the `#`, which browsers send to nobody. What it is, and when it is dead,
`holdfast.node.offer_links` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import VENUES
from holdfast.api.bookings import found, wait
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Replica, answer, caller_of, face_of
from holdfast.api.parsing import read_body
from holdfast.api.permissions import PUBLIC
from holdfast.api.rates import address_of
from holdfast.api.render import venue_or_utc
from holdfast.api.shapes.waitlist import OfferedPlace, OfferLink, TakenPlace
from holdfast.model import wall
from holdfast.model.errors import NotFound
from holdfast.model.forms import WAITLIST
from holdfast.model.ids import parse_uuid, uuid_text
from holdfast.model.reservation import View
from holdfast.node import offer_links

TAGS = ["waitlist"]
PAGE = "/offer"


class LinkRequest(msgspec.Struct, kw_only=True):
    """Nothing more needs to be said."""


class OfferSecret(msgspec.Struct, kw_only=True):
    """What stands behind the `#` of an offer's address."""

    secret: str


@post(
    "/waitlist/{reference:str}/link",
    operation_id="linkOffer",
    summary="The address at which a party takes what it is offered, without a login",
    description=(
        "For whoever sends it: Holdfast sends nothing. Of this replica alone, the same until the "
        "offer is taken or lapses, and dead from then on."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": "waitlist.offer", "reach": VENUES},
    operation_class=operation(body=LinkRequest, keyed=True),
)
async def link_offer(request: Asking, reference: FromPath[str]) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()

    def linked() -> str:
        subject = uuid_text(found(face.replica, caller, reference, WAITLIST).id)
        read_body(body, LinkRequest)
        offer_links.secret_of(face.replica, subject)
        return subject

    answered = await face.answers.once(request, body, 200, linked)
    shown = await face.run(_link, face.replica, answered.subject)
    return answer(shown, answered.status, answered.headers)


def _link(replica: Replica, subject: str) -> OfferLink:
    secret = offer_links.secret_of(replica, subject)
    view = offer_links.offered(replica, secret)
    venue = venue_or_utc(replica, view.book.partition("/")[2])
    return OfferLink(
        secret=secret,
        path=f"{PAGE}#{secret}",
        expires_at=wall.format_time(venue, view.expires_at_ms // 1000),
    )


@post(
    "/offer",
    operation_id="showOffer",
    summary="What is offered, to whoever has its address",
    description=(
        "404 for what is the address of no offer here, 410 once the offer was taken, replaced or "
        "has lapsed. A POST, so that no URL holds the secret; it changes nothing."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": PUBLIC},
    operation_class=operation(body=OfferSecret, keyed=True, public=True),
)
async def show_offer(request: Asking) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()
    asked = read_body(body, OfferSecret)

    def look() -> OfferedPlace:
        return _offered(face.replica, offer_links.offered(face.replica, asked.secret))

    with _counting_wrong(request):
        shown = await face.run(look)
    # What was offered is not kept for a replay: it looks again.
    answered = await face.answers.once(request, body, 200, lambda: "")
    return answer(shown, answered.status, answered.headers)


@post(
    "/offer/accept",
    operation_id="takeOffer",
    summary="Take what is offered, with nothing but its address",
    description=(
        "Once: from then on the address is dead (410). The code in the answer is that of the "
        "reservation."
    ),
    tags=TAGS,
    opt={"permission": PUBLIC},
    operation_class=operation(body=OfferSecret, keyed=True, waits=True, public=True),
)
async def take_offer(request: Asking) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def take() -> str:
        asked = read_body(body, OfferSecret)
        return uuid_text(offer_links.accept(face.replica, asked.secret).id)

    with _counting_wrong(request):
        answered = await face.answers.once(request, body, 201, take)
    headers = answered.headers | await wait(face, request, answered.subject)
    shown = await face.run(_taken, face.replica, answered.subject)
    return answer(shown, answered.status, headers)


@contextmanager
def _counting_wrong(request: Asking) -> Iterator[None]:
    """Secrets that are none count like wrong tokens, by address. Raises RateLimited."""
    try:
        yield
    except NotFound:
        rates = face_of(request).access.rates
        rates.wrong.take(address_of(request.scope.get("client")))
        raise


def _offered(replica: Replica, view: View) -> OfferedPlace:
    venue = venue_or_utc(replica, view.book.partition("/")[2])
    return OfferedPlace(
        venue=venue.id,
        venue_name=venue.name,
        code=view.code,
        party_size=view.party_size,
        starts_at=wall.format_time(venue, view.starts_at),
        ends_at=wall.format_time(venue, view.ends_at),
        expires_at=wall.format_time(venue, view.expires_at_ms // 1000),
    )


def _taken(replica: Replica, subject: str) -> TakenPlace:
    view = replica.view(parse_uuid(subject) or b"")
    assert view is not None, "what was just written is there"
    venue = venue_or_utc(replica, view.book.partition("/")[2])
    return TakenPlace(
        venue=venue.id,
        venue_name=venue.name,
        code=view.code,
        party_size=view.party_size,
        starts_at=wall.format_time(venue, view.starts_at),
        ends_at=wall.format_time(venue, view.ends_at),
        status=view.status,
        assurance=view.assurance,
    )


ROUTES: list[HTTPRouteHandler] = [link_offer, show_offer, take_offer]
