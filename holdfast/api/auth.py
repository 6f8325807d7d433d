"""Who is calling: bearer tokens, compared by hash, and the guard in front of every route.

Owns authentication and the making of tokens. What a role may do stands in `permissions`. Tokens
are kept as SHA-256 only; a token is 256 random bits, so that a plain hash says nothing of it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from holdfast.api.permissions import PUBLIC, ROLES, may
from holdfast.model.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorised
from holdfast.model.pseudonyms import is_agent_id
from holdfast.store.records import Token

if TYPE_CHECKING:
    from holdfast.api.face import Replica

_TOKEN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
ADMIN_NAME: Final = "admin-token"
"""What the log and idempotency keys call the directory's own token."""


class Caller(NamedTuple):
    """Who sent a request. `agent_id` is set for role `guest` alone."""

    token: str
    name: str
    role: str
    agent_id: str

    def may(self, permission: str) -> bool:
        return may(self.role, permission)


class Made(NamedTuple):
    """A new token; `secret` is shown this once and kept nowhere."""

    token: Token
    secret: str


class Tokens:
    """The tokens of one data directory, in memory by hash.

    The directory belongs to this process, so that what is read once stays true until it is changed
    here.
    """

    def __init__(self, replica: Replica, admin_token: str) -> None:
        self._replica = replica
        self._admin = _digest(admin_token)
        self._caller_by_hash: dict[bytes, Caller] = {}
        self.reload()

    def reload(self) -> None:
        with self._replica.lock:
            rows = self._replica.store.records.tokens()
        self._caller_by_hash = {
            row.hash: Caller(row.id, row.name, row.role, row.agent_id)
            for row in rows
            if not row.revoked_at_ms
        }

    def authenticate(self, authorization: str | None) -> Caller:
        """The caller behind an `Authorization` header. Raises Unauthorised."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthorised("send `Authorization: Bearer TOKEN`")
        digest = _digest(secret.strip())
        if hmac.compare_digest(digest, self._admin):
            return Caller(ADMIN_NAME, ADMIN_NAME, "admin", "")
        caller = self._caller_by_hash.get(digest)
        if caller is None:
            raise Unauthorised("this token is not known here, or was revoked; ask for another")
        return caller

    def create(self, name: str, role: str, agent_id: str) -> Made:
        """Make a token; call in a transaction. Raises Invalid and Conflict."""
        problems = []
        if not _TOKEN_NAME.fullmatch(name):
            message = "1 to 64 letters, digits, '.', '_', '-', the first a letter or digit"
            problems.append({"field": "name", "message": message})
        if role not in ROLES:
            problems.append({"field": "role", "message": f"must be one of {', '.join(ROLES)}"})
        if role == "guest" and not is_agent_id(agent_id):
            message = "a guest's token needs the agent id whose reservations it may see"
            problems.append({"field": "agent_id", "message": message})
        elif role != "guest" and agent_id:
            problems.append({"field": "agent_id", "message": "is for role guest only"})
        if problems:
            raise Invalid("; ".join(f"{p['field']}: {p['message']}" for p in problems), problems)
        records = self._replica.store.records
        if name == ADMIN_NAME or any(token.name == name for token in records.tokens()):
            raise Conflict(f"a token named {name} exists or existed; choose another name")
        secret = f"hft_{secrets.token_urlsafe(32)}"
        now_ms = self._replica.clock.now_ms()
        token = Token(secrets.token_hex(8), name, role, agent_id, _digest(secret), now_ms, 0)
        records.put_token(token)
        return Made(token, secret)

    def revoke(self, name: str) -> Token:
        """Revoke by name or id; call in a transaction. Raises NotFound."""
        records = self._replica.store.records
        if not records.revoke_token(name, self._replica.clock.now_ms()):
            raise NotFound(f"no token {name} that is in force; `token list` shows them")
        return next(token for token in records.tokens() if name in (token.name, token.id))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard on every route: a token, and a role that has the route's permission."""
    permission = handler.opt.get("permission")
    if permission == PUBLIC:
        return
    tokens: Tokens = connection.app.state.face.tokens
    caller = tokens.authenticate(connection.headers.get("authorization"))
    connection.scope["state"]["caller"] = caller
    if not isinstance(permission, str) or not caller.may(permission):
        raise Forbidden(f"role {caller.role} may not do this ({permission or 'not permitted'})")
