"""Who may call, over HTTP: tokens, staff of this device, sessions of pages and tickets for them.

Owns these routes. What is made and checked stands in `tokens`, `staff` and `sessions`.
"""

from __future__ import annotations

import secrets
from typing import Final

import msgspec
from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from holdfast.api.auth import is_secure
from holdfast.api.callers import Caller
from holdfast.api.documented import operation
from holdfast.api.face import Asking, Face, answer, caller_of, face_of
from holdfast.api.parsing import PageQuery, page_of, read_body, read_query
from holdfast.api.permissions import KNOWN, PUBLIC
from holdfast.api.rates import address_of
from holdfast.api.render import render_new_token, render_staff, render_token, utc_text
from holdfast.api.sessions import ROLE_BY_PAGE, Session, csrf_of
from holdfast.api.shapes import access, fleet
from holdfast.api.staff import require_given
from holdfast.api.tokens import TOKEN, Made, Wanted
from holdfast.model.errors import Invalid, NotFound, Unauthorised
from holdfast.node.node import Node
from holdfast.node.pins import check_pin
from holdfast.store.logins import StaffRow

TAGS: Final = ["access"]


class TokenRequest(msgspec.Struct, kw_only=True):
    """`agent_id` for role `guest` alone: whose reservations it may see. `venues` and `permissions`
    narrow the role; `expires_seconds` left out: it has no end."""

    name: str
    role: str
    agent_id: str | None = None
    venues: list[str] = []
    permissions: list[str] = []
    expires_seconds: int | None = None


class SessionRequest(msgspec.Struct, kw_only=True):
    """One of: `token`; `staff` and `pin`; `ticket`; `guest`, perhaps with `venue`."""

    token: str | None = None
    staff: str | None = None
    pin: str | None = None
    ticket: str | None = None
    guest: bool | None = None
    venue: str | None = None


class TicketRequest(msgspec.Struct, kw_only=True):
    """The page that it opens."""

    page: str


class StaffRequest(msgspec.Struct, kw_only=True):
    """Somebody who may log in at this device."""

    name: str
    role: str
    pin: str


class PinRequest(msgspec.Struct, kw_only=True):
    """The new PIN."""

    pin: str


class Nothing(msgspec.Struct, kw_only=True):
    """A request that says all by its path."""


# --- tokens ---------------------------------------------------------------------------------------


@get(
    "/tokens",
    operation_id="listTokens",
    summary="The tokens, without their secrets",
    tags=TAGS,
    opt={"permission": "tokens.change"},
    operation_class=operation(query=PageQuery),
)
async def list_tokens(request: Asking) -> Response[bytes]:
    face = face_of(request)

    def listed() -> list[fleet.Token]:
        with face.replica.lock:
            return [render_token(token) for token in face.replica.store.records.tokens()]

    query = read_query(request.query_params.multi_items(), PageQuery)
    keyed = [(f"{one.made_at} {one.id}", one) for one in await face.run(listed)]
    items, place = page_of(keyed, query.limit, query.cursor)
    return answer(fleet.TokenList(items=items, next=place))


@post(
    "/tokens",
    operation_id="createToken",
    summary="Make a token, which may do no more than whoever makes it",
    description="The secret is shown once: a replay under the same key has `token` null.",
    tags=TAGS,
    opt={"permission": "tokens.change"},
    operation_class=operation(body=TokenRequest, keyed=True),
)
async def create_token(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    shown_once: list[Made] = []

    def create() -> str:
        asked = read_body(body, TokenRequest)
        wanted = Wanted(
            asked.name, asked.role, asked.agent_id or "", asked.venues, asked.permissions,
            asked.expires_seconds,
        )  # fmt: skip
        made = face.access.tokens.create(caller, wanted)
        shown_once.append(made)
        return made.token.id

    answered = await face.answers.once(request, body, 201, create)

    secret = shown_once[0].secret if shown_once else None

    def show() -> fleet.NewToken:
        face.access.tokens.reload()
        with face.replica.lock:
            tokens = face.replica.store.records.tokens()
        made = next(token for token in tokens if token.id == answered.subject)
        return render_new_token(made, secret)

    return answer(await face.run(show), answered.status, answered.headers)


@delete(
    "/tokens/{name:str}",
    operation_id="revokeToken",
    summary="Revoke a token, by name or id: its sessions and streams end with it",
    tags=TAGS,
    status_code=200,
    opt={"permission": "tokens.change"},
    operation_class=operation(),
)
async def revoke_token(request: Asking, name: FromPath[str]) -> Response[bytes]:
    face = face_of(request)

    def revoke() -> fleet.Token:
        with face.replica.transaction():
            token = face.access.tokens.revoke(name)
            face.access.sessions.end_of(TOKEN, token.id)
        face.access.tokens.reload()
        face.access.sessions.reload()
        return render_token(token)

    shown = await face.run(revoke)
    face.changes.look_again()
    return answer(shown)


# --- sessions -------------------------------------------------------------------------------------


@post(
    "/session",
    operation_id="logIn",
    summary="Log a page in: by token, by a name and its PIN, by a one-time ticket, or as a guest",
    description=(
        "Sets the session's cookie, and answers the second secret that writes by cookie carry. "
        "Every time it is another session: an Idempotency-Key is not read here. `guest` makes "
        "somebody new, who sees and touches what they reserve with this session and nothing else: "
        "where the setting `guest_page` is on and the venue takes reservations online."
    ),
    tags=TAGS,
    status_code=200,
    opt={"permission": PUBLIC},
    operation_class=operation(body=SessionRequest, public=True),
)
async def log_in(request: Asking) -> Response[bytes]:
    face = face_of(request)
    asked = read_body(await request.body(), SessionRequest)
    _require_one_way(asked)
    try:
        session = await _begun(face, asked, address_of(request.scope.get("client")))
    except Unauthorised:
        face.access.rates.wrong.take(address_of(request.scope.get("client")))
        raise
    shown = _state(face, session.caller, csrf_of(session.secret))
    return _with_cookie(request, answer(shown), session.secret, session.seconds)


def _require_one_way(asked: SessionRequest) -> None:
    ways = ({"token"}, {"staff", "pin"}, {"ticket"}, {"guest"}, {"guest", "venue"})
    given = {name for name in asked.__struct_fields__ if getattr(asked, name) is not None}
    if given not in ways:
        message = "give `token`, or `staff` and `pin`, or `ticket`, or `guest` (and `venue`)"
        raise Invalid.field("token", message)
    if asked.guest is False:
        raise Invalid.field("guest", "must be true; whoever is no guest logs in another way")


async def _begun(face: Face, asked: SessionRequest, address: str) -> Session:
    sessions = face.access.sessions
    if asked.guest:
        origin = face.access.guests.newcomer(asked.venue)
        # Only now: who may not come in counts for nobody else's room.
        face.access.rates.guests.take(address)
        return await face.run(sessions.begin, origin)
    if asked.token is not None:
        caller = face.access.tokens.authenticate(asked.token)
        return await face.run(sessions.begin, caller.origin)
    if asked.ticket is not None:
        return await face.run(sessions.redeem, asked.ticket)
    assert asked.staff is not None and asked.pin is not None
    return await face.access.staff.log_in(sessions, asked.staff, asked.pin)


@get(
    "/session",
    operation_id="getSession",
    summary="Who is logged in",
    tags=TAGS,
    opt={"permission": KNOWN},
    operation_class=operation(),
)
async def get_session(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    secret = face.access.cookie(request) if caller.session else None
    return answer(_state(face, caller, csrf_of(secret) if secret is not None else None))


@delete(
    "/session",
    operation_id="logOut",
    summary="Log the page out",
    tags=TAGS,
    status_code=200,
    opt={"permission": KNOWN},
    operation_class=operation(answers={200: "the session is over"}),
)
async def log_out(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    if not caller.session:
        raise NotFound("a bearer token has no session; `token revoke` ends the token itself")
    await face.run(face.access.sessions.end, caller.session)
    face.changes.look_again()
    return _with_cookie(request, answer(access.SessionEnded(state="ended")), "", 0)


def _state(face: Face, caller: Caller, csrf: str | None) -> access.SessionState:
    replica = face.replica
    venue = replica.identity.venue if isinstance(replica, Node) else None
    return access.SessionState(
        name=caller.name, role=caller.role, permissions=sorted(caller.permissions), venue=venue,
        node=replica.name, csrf=csrf,
    )  # fmt: skip


def _with_cookie(
    request: Asking, shown: Response[bytes], value: str, seconds: int | None
) -> Response[bytes]:
    """The answer with the session's cookie, for this host and every path of it, out of reach of
    scripts and of what other sites cause to be sent."""
    secure = is_secure(request)
    name = face_of(request).access.cookie_name(secure=secure)
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if secure:
        parts.append("Secure")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    shown.headers["Set-Cookie"] = "; ".join(parts)
    return shown


# --- tickets --------------------------------------------------------------------------------------


@post(
    "/tickets",
    operation_id="createTicket",
    summary="A one-time ticket that opens a page, for a minute",
    description="The ticket is shown once: a replay under the same key has `ticket` null.",
    tags=TAGS,
    opt={"permission": "tickets.create"},
    operation_class=operation(body=TicketRequest, keyed=True),
)
async def create_ticket(request: Asking) -> Response[bytes]:
    face, caller = face_of(request), caller_of(request)
    body = await request.body()
    shown_once: list[str] = []

    def create() -> str:
        page = read_body(body, TicketRequest).page
        if page not in ROLE_BY_PAGE:
            raise Invalid.field("page", f"must be one of {', '.join(ROLE_BY_PAGE)}")
        if page == "hub":
            face.hub()
        ticket, expires_at_ms = face.access.sessions.ticket(caller, page)
        shown_once.append(ticket)
        return f"{page} {utc_text(expires_at_ms)}"

    answered = await face.answers.once(request, body, 201, create)
    page, expires_at = answered.subject.split(" ")
    shown = access.NewTicket(
        page=page,
        role=ROLE_BY_PAGE[page],
        ticket=shown_once[0] if shown_once else None,
        expires_at=expires_at,
    )
    return answer(shown, answered.status, answered.headers)


# --- staff ----------------------------------------------------------------------------------------


@get(
    "/staff",
    operation_id="listStaff",
    summary="Who may log in by PIN at this device",
    tags=TAGS,
    opt={"permission": "staff.unlock"},
    operation_class=operation(query=PageQuery),
)
async def list_staff(request: Asking) -> Response[bytes]:
    face = face_of(request)

    def listed() -> list[tuple[str, access.StaffMember]]:
        return [
            (f"{row.made_at_ms:016} {row.id}", _member(face, row))
            for row in face.access.staff.rows()
        ]

    query = read_query(request.query_params.multi_items(), PageQuery)
    items, place = page_of(await face.run(listed), query.limit, query.cursor)
    return answer(access.StaffList(items=items, next=place))


def _member_of(face: Face, staff_id: str, name: str) -> access.StaffMember:
    for row in face.access.staff.rows():
        if row.id == staff_id:
            return _member(face, row)
    raise NotFound(f"{name} was removed since; whoever it is now asks under a new key")


def _member(face: Face, row: StaffRow) -> access.StaffMember:
    return render_staff(row, face.access.staff.locked_until_ms(row))


@post(
    "/staff",
    operation_id="addStaff",
    summary="Let somebody log in by PIN at this device",
    tags=TAGS,
    opt={"permission": "staff.change"},
    operation_class=operation(body=StaffRequest, keyed=True),
)
async def add_staff(request: Asking) -> Response[bytes]:
    face = face_of(request)
    asked = read_body(await request.body(), StaffRequest)
    require_given(caller_of(request), asked.role)
    check_pin(asked.pin)
    staff_id = secrets.token_hex(8)
    pin = await face.access.staff.hashed(staff_id, asked.pin)
    # A PIN is guessed from any fast hash of it, also from the one that answers are kept by.
    told = msgspec.json.encode({"name": asked.name, "role": asked.role})

    def add() -> str:
        return face.access.staff.add(staff_id, asked.name, asked.role, pin).id

    answered = await face.answers.once(request, told, 201, add)

    def show() -> access.StaffMember:
        face.access.staff.reload()
        return _member_of(face, answered.subject, asked.name)

    return answer(await face.run(show), answered.status, answered.headers)


@put(
    "/staff/{name:str}/pin",
    operation_id="setPin",
    summary="Give somebody another PIN, which logs them out and opens a lock",
    tags=TAGS,
    opt={"permission": "staff.change"},
    operation_class=operation(body=PinRequest),
)
async def set_pin(request: Asking, name: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    asked = read_body(await request.body(), PinRequest)
    staff, sessions = face.access.staff, face.access.sessions
    row = await face.run(staff.row, name)
    require_given(caller_of(request), row.role)
    pin = await staff.hashed(row.id, asked.pin)

    def change() -> access.StaffMember:
        with face.replica.transaction():
            staff.set_pin(sessions, staff.row(name), pin)
        staff.reload()
        sessions.reload()
        return _member(face, staff.row(name))

    shown = await face.run(change)
    face.changes.look_again()
    return answer(shown)


@post(
    "/staff/{name:str}/unlock",
    operation_id="unlockStaff",
    summary="Let somebody try again after wrong PINs, and this device with them",
    tags=TAGS,
    status_code=200,
    opt={"permission": "staff.unlock"},
    operation_class=operation(body=Nothing, keyed=True),
)
async def unlock_staff(request: Asking, name: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    body = await request.body()

    def unlock() -> str:
        read_body(body, Nothing)
        row = face.access.staff.row(name)
        face.access.staff.unlock(row)
        return row.id

    answered = await face.answers.once(request, body, 200, unlock)
    shown = await face.run(_member_of, face, answered.subject, name)
    return answer(shown, answered.status, answered.headers)


@delete(
    "/staff/{name:str}",
    operation_id="removeStaff",
    summary="Let somebody log in here no more, and log them out",
    tags=TAGS,
    status_code=200,
    opt={"permission": "staff.change"},
    operation_class=operation(),
)
async def remove_staff(request: Asking, name: FromPath[str]) -> Response[bytes]:
    face = face_of(request)
    staff, sessions = face.access.staff, face.access.sessions

    def remove() -> str:
        with face.replica.transaction():
            row = staff.row(name)
            staff.remove(sessions, row)
        staff.reload()
        sessions.reload()
        return row.name

    removed = await face.run(remove)
    face.changes.look_again()
    return answer(access.StaffRemoved(name=removed, state="removed"))


ROUTES: list[HTTPRouteHandler] = [
    list_tokens,
    create_token,
    revoke_token,
    log_in,
    get_session,
    log_out,
    create_ticket,
    list_staff,
    add_staff,
    set_pin,
    unlock_staff,
    remove_staff,
]
