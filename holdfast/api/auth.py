"""Who is calling, and the guard in front of every route.

Owns the way from a request to its caller, by bearer token or by a page's session, and what is
asked before a route runs: how often, with which permission, for which venues, and of a page's
writes the second secret. What a role may do stands in `permissions`.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from holdfast.api.callers import Caller
from holdfast.api.guest_sessions import Guests
from holdfast.api.parsing import prefers_trace
from holdfast.api.permissions import FEED, KNOWN, PUBLIC
from holdfast.api.rates import BOOKING_ROLES, Rates, address_of
from holdfast.api.sessions import CSRF_HEADER, GUEST, STAFF, Sessions
from holdfast.api.staff import Staff, login_of
from holdfast.api.tokens import ADMIN, TOKEN, Tokens
from holdfast.model.errors import (
    Forbidden,
    Invalid,
    NotFound,
    PageShut,
    PasswordWanted,
    Unauthorised,
)
from holdfast.node import actors, tracing
from holdfast.node.node import Node

if TYPE_CHECKING:
    from holdfast.api.face import Face, Replica
    from holdfast.api.idempotency import Run

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
VENUES: Final = "venues"
"""The `reach` of routes that keep to the caller's venues by themselves. A route that does not say
so concerns the whole replica, and is refused to who may see a part of it."""
BOOKINGS: Final = "bookings"
"""The `counted` of routes that ask for reservations. Of a guest without a token every write is."""
CALENDARS: Final = "calendars"
"""The `counted` of calendars. They take the secret of a token that reads calendars alone also in
ways in which programs can send it that set no header."""
KEY: Final = "key"
"""The field of a query that has such a secret."""
STAFF_HEADER: Final = "holdfast-staff"
"""Who of the staff it is that uses the directory's own token, which is the command line's: a login
of this device, percent-encoded."""

TRACE: Final = "trace"
"""Where the steps of a request stand in its scope's state, while whoever asked may have them."""

Connection = ASGIConnection[Any, Any, Any, Any]


class Access:
    """Everybody who may call one replica."""

    def __init__(self, replica: Replica, admin_token: str, run: Run) -> None:
        self._replica = replica
        self.tokens = Tokens(replica, admin_token)
        self.staff = Staff(replica, run)
        self.guests = Guests(replica)
        self.sessions = Sessions(replica, self._standing)
        self.rates = Rates(
            replica.clock.monotonic_ms,
            requests_per_second=replica.settings.requests_per_second,
            bookings_per_minute=replica.settings.bookings_per_minute,
        )

    def _standing(self, kind: str, subject: str) -> Caller | None:
        if kind == STAFF:
            return self.staff.standing(subject)
        if kind == GUEST:
            return self.guests.standing(subject)
        return self.tokens.standing(kind, subject)

    def stands(self, caller: Caller) -> bool:
        """Whether a caller that was let in still may call: a stream asks before each event."""
        if caller.session:
            return self.sessions.find(caller.session) is not None
        return self._standing(*caller.origin) is not None

    def sees_all(self, caller: Caller) -> bool:
        """Whether all of the replica is this caller's business: a node has one venue and never
        another, a hub may get more."""
        if not caller.venues:
            return True
        return isinstance(self._replica, Node) and caller.sees(self._replica.identity.venue)

    def authenticate(self, connection: Connection, *, calendars: bool = False) -> Caller:
        """The caller of a request. Raises Unauthorised; RateLimited for the next of many that were
        wrong; Forbidden for a page's write without its second secret.

        `calendars`: what is asked for takes a feed's secret too, in the address or as a password.
        """
        token = _bearer(connection.headers.get("authorization"))
        cookie = self.cookie(connection)
        key = _feed_key(connection, cookie) if calendars and token is None else None
        if token is None and cookie is None and key is None:
            if calendars:
                raise PasswordWanted("send a feed's secret as `key` in the address or as password")
            raise Unauthorised("send `Authorization: Bearer TOKEN`, or log in at /api/v1/session")
        try:
            if key is not None:
                return self._feed_caller(key)
            # A token that was sent on purpose counts, not a cookie that was sent along.
            if token is not None:
                return self.tokens.authenticate(token)
            assert cookie is not None
            caller = self.sessions.authenticate(cookie)
        except PageShut:
            raise  # No guess: the cookie is a real one of before the switch was off.
        except Unauthorised:
            self.rates.wrong.take(address_of(connection.scope.get("client")))
            raise
        if connection.scope.get("method") not in SAFE_METHODS:
            self.sessions.check_csrf(cookie, connection.headers.get(CSRF_HEADER))
        return caller

    def identified(self, caller: Caller, staff: str | None) -> Caller:
        """The caller with the agent id that its acts are said to be of: a guest's own, else that of
        a login or of a token's name. The directory's own token stands for the device, or for
        whoever `staff` names. Raises Forbidden, Invalid."""
        kind, _ = caller.origin
        if staff is not None:
            # A page that was opened with that token may be a kiosk's, where anybody stands.
            if kind != ADMIN or caller.session:
                raise Forbidden(
                    "only the directory's own token, as the command line has it, says for whom it "
                    "acts (Holdfast-Staff); leave that out, this one is somebody's already"
                )
            try:
                row = self.staff.row(unquote(staff))
            except NotFound as error:
                raise Invalid(error.detail) from None
            return caller._replace(name=row.name, by=actors.of_staff(self._replica, row.login))
        if caller.agent_id:
            return caller._replace(by=caller.agent_id)
        if kind == STAFF:
            return caller._replace(by=actors.of_staff(self._replica, login_of(caller.name)))
        if kind == TOKEN:
            return caller._replace(by=actors.of_application(self._replica, caller.name))
        return caller

    def _feed_caller(self, key: str) -> Caller:
        """Whose a feed's secret is. A token that may do more is not taken: what an address or a
        calendar program knows is soon known to others."""
        try:
            caller = self.tokens.authenticate(key)
        except Unauthorised as error:
            raise PasswordWanted(error.detail) from None
        if caller.permissions != FEED:
            raise Forbidden(
                "here a token is taken that may read calendars and nothing else: make one with "
                "`holdfast token create --role read-only --may calendar.read`; the one that was "
                "sent may do more, so revoke it if others may have seen this address"
            )
        return caller

    def cookie(self, connection: Connection) -> str | None:
        """The value of the session's cookie."""
        return connection.cookies.get(self.cookie_name(secure=is_secure(connection)))

    def cookie_name(self, *, secure: bool) -> str:
        """Under TLS its name forbids the browser to take it from anybody else (`__Host-`)."""
        return f"__Host-{self.sessions.cookie}" if secure else self.sessions.cookie

    def note_use(self, caller: Caller, at_ms: int) -> None:
        """Write down that a token or session is in use; call in the worker."""
        if caller.session:
            self.sessions.note_use(caller.session, at_ms)
        elif caller.origin[0] == TOKEN:
            self.tokens.note_use(caller.origin[1], at_ms)

    def to_note(self, caller: Caller) -> int:
        """When it was in use, Unix milliseconds; 0: that is written down already."""
        return self.sessions.used(caller) if caller.session else self.tokens.used(caller)


def is_secure(connection: Connection) -> bool:
    return connection.scope["scheme"] in ("https", "wss")


def _bearer(authorization: str | None) -> str | None:
    """The token in an `Authorization` header; None for another scheme, as a proxy may ask for."""
    scheme, _, secret = (authorization or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


def _feed_key(connection: Connection, cookie: str | None) -> str | None:
    """A feed's secret: from the address, else the password of HTTP Basic (RFC 7617), whatever the
    user is called. Beside a page's cookie a password is a proxy's own."""
    key = connection.query_params.get(KEY)
    if key:
        return str(key)
    scheme, _, sent = (connection.headers.get("authorization") or "").partition(" ")
    if cookie is not None or scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(sent.strip(), validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        pair = ""
    # What cannot be read is a wrong password, and counted like one.
    return pair.partition(":")[2] or " "


def counted_as(caller: Caller, connection: Connection) -> str:
    """Whose requests these are: of a guest who became one by opening a page, all of the address,
    since whoever wants to be another guest opens it again."""
    if caller.origin[0] == GUEST:
        return f"guests from {address_of(connection.scope.get('client'))}"
    return caller.token


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Litestar's guard on every route. Raises Unauthorised, RateLimited and Forbidden."""
    face: Face = connection.app.state.face
    access, permission = face.access, handler.opt.get("permission")
    # One connection's requests, or one command's, may share a context.
    tracing.stop()
    if permission == PUBLIC:
        if not handler.opt.get("signed"):
            access.rates.requests.take(f"from {address_of(connection.scope.get('client'))}")
        return
    calendars = handler.opt.get("counted") == CALENDARS
    caller = access.authenticate(connection, calendars=calendars)
    staff = connection.headers.get(STAFF_HEADER)
    # Who looks after logins may name one that is not there yet.
    manages = isinstance(permission, str) and permission.startswith("staff.")
    caller = access.identified(caller, None if manages else staff)
    connection.scope["state"]["caller"] = caller
    who = counted_as(caller, connection)
    traced = handler.opt.get("traced") and prefers_trace(connection.headers.get("prefer"))
    # At which step a person is refused is told to whom the reason is told.
    if traced and caller.may("guests.profile"):
        connection.scope["state"][TRACE] = tracing.begin()
    with tracing.step("rate-limit"):
        access.rates.requests.take(who)
    if permission != KNOWN and not (isinstance(permission, str) and caller.may(permission)):
        raise Forbidden(f"role {caller.role} may not do this ({permission or 'not permitted'})")
    if handler.opt.get("reach") != VENUES and permission != KNOWN and not access.sees_all(caller):
        raise Forbidden("this is about all venues, and this token is for some; take another token")
    if caller.origin[0] == GUEST:
        # Whatever they write: a route that marks itself could be forgotten.
        if connection.scope.get("method") not in SAFE_METHODS:
            with tracing.step("rate-limit"):
                access.rates.writes.take(who)
    elif handler.opt.get("counted") == BOOKINGS and caller.role in BOOKING_ROLES:
        with tracing.step("rate-limit"):
            access.rates.bookings.take(who)
    if calendars:
        access.rates.calendars.take(caller.token)
    at_ms = access.to_note(caller)
    if at_ms:
        face.later(access.note_use, caller, at_ms)
