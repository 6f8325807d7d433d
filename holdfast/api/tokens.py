"""Tokens: how they are made, found by their secret, narrowed, and ended.

Owns the tokens of one directory, its own admin token among them. They are kept as SHA-256 only: a
token is 256 random bits, so that a plain hash says nothing of it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.api.callers import NOBODY, Caller, permissions_of
from holdfast.api.permissions import PERMISSIONS, ROLES
from holdfast.model.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorised
from holdfast.model.limits import (
    TOKEN_NOTED_EVERY_MS,
    TOKEN_SECONDS_MAX,
    VENUES_PER_TOKEN_MAX,
)
from holdfast.model.pseudonyms import is_agent_id
from holdfast.store.records import Token

if TYPE_CHECKING:
    from holdfast.api.face import Replica

_TOKEN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
ADMIN_NAME: Final = "admin-token"
"""What the log and idempotency keys call the directory's own token."""
ADMIN: Final = "admin"
TOKEN: Final = "token"  # noqa: S105 - a kind, no secret
"""Kinds of what a session may be made from, beside staff."""


class Made(NamedTuple):
    """A new token; `secret` is shown this once and kept nowhere."""

    token: Token
    secret: str


class Wanted(NamedTuple):
    """A token that is asked for. `venues` and `permissions` empty: all of its role's;
    `expires_seconds` None: it has no end."""

    name: str
    role: str
    agent_id: str = ""
    venues: Sequence[str] = ()
    permissions: Sequence[str] = ()
    expires_seconds: int | None = None


class Tokens:
    """The tokens of one data directory, in memory by hash.

    The directory belongs to this process, so that what is read once stays true until it is changed
    here.
    """

    def __init__(self, replica: Replica, admin_token: str) -> None:
        self._replica = replica
        self._admin = digest_of(admin_token)
        self._by_hash: dict[bytes, Token] = {}
        self._by_id: dict[str, Token] = {}
        self._noted_ms: dict[str, int] = {}
        self.reload()

    def reload(self) -> None:
        """Read them anew: after one was made or revoked."""
        with self._replica.lock:
            rows = self._replica.store.records.tokens()
        standing = [row for row in rows if not row.revoked_at_ms]
        self._by_hash = {row.hash: row for row in standing}
        self._by_id = {row.id: row for row in standing}

    # --- who calls --------------------------------------------------------------------------------

    def authenticate(self, secret: str) -> Caller:
        """The caller that has a secret. Raises Unauthorised, which says so where it expired."""
        digest = digest_of(secret)
        if hmac.compare_digest(digest, self._admin):
            return self._admin_caller()
        token = self._by_hash.get(digest)
        if token is None:
            raise Unauthorised("this token is not known here, or was revoked; ask for another")
        if self._has_expired(token):
            raise Unauthorised(f"the token {token.name} has expired; ask for another")
        return _caller(token)

    def standing(self, kind: str, subject: str) -> Caller | None:
        """Whom a session stands for that was made from a token: nobody any more where the token
        was revoked, expired, or is another one (the directory's own was replaced)."""
        if kind == ADMIN:
            return self._admin_caller() if subject == self.admin_mark else None
        token = self._by_id.get(subject)
        return _caller(token) if token is not None and not self._has_expired(token) else None

    @property
    def admin_mark(self) -> str:
        """Tells the directory's own token from one that it had before, and says nothing of it."""
        return hashlib.sha256(self._admin).hexdigest()[:32]

    def _admin_caller(self) -> Caller:
        return Caller(
            ADMIN_NAME, ADMIN_NAME, ADMIN_NAME, "admin", permissions_of("admin"),
            origin=(ADMIN, self.admin_mark),
        )  # fmt: skip

    def _has_expired(self, token: Token) -> bool:
        return bool(token.expires_at_ms) and self._replica.clock.now_ms() >= token.expires_at_ms

    # --- its use ----------------------------------------------------------------------------------

    def used(self, caller: Caller) -> int:
        """When to write down that a token is in use, Unix milliseconds; 0: it was lately."""
        kind, subject = caller.origin
        now_ms = self._replica.clock.now_ms()
        lately = abs(now_ms - self._noted_ms.get(subject, 0)) < TOKEN_NOTED_EVERY_MS
        if kind != TOKEN or lately:
            return 0
        self._noted_ms[subject] = now_ms
        return now_ms

    def note_use(self, token_id: str, at_ms: int) -> None:
        """Write it down; a power cut may undo it, which costs nobody anything."""
        with self._replica.transaction(durable=False):
            self._replica.store.records.used_token(token_id, at_ms)

    # --- making and ending ------------------------------------------------------------------------

    def create(self, maker: Caller, wanted: Wanted) -> Made:
        """Make a token; call in a transaction. It is given no more than its maker has.

        Raises Invalid, Conflict, and Forbidden for what the maker may not do.
        """
        problems = _problems(wanted) + self._unknown_venues(wanted.venues)
        if problems:
            raise Invalid("; ".join(f"{p['field']}: {p['message']}" for p in problems), problems)
        given = permissions_of(wanted.role, wanted.permissions)
        beyond = sorted(given - maker.permissions)
        if beyond:
            raise Forbidden(f"nobody gives what they have not: {', '.join(beyond)}")
        records = self._replica.store.records
        if wanted.name == ADMIN_NAME or any(one.name == wanted.name for one in records.tokens()):
            raise Conflict(f"a token named {wanted.name} exists or existed; choose another name")
        secret = f"hft_{secrets.token_urlsafe(32)}"
        now_ms = self._replica.clock.now_ms()
        span_s = wanted.expires_seconds
        token = Token(
            secrets.token_hex(8), wanted.name, wanted.role, wanted.agent_id, digest_of(secret),
            now_ms, 0, tuple(sorted(set(wanted.venues))), tuple(sorted(set(wanted.permissions))),
            now_ms + span_s * 1_000 if span_s is not None else 0,
        )  # fmt: skip
        records.put_token(token)
        return Made(token, secret)

    def _unknown_venues(self, venues: Sequence[str]) -> list[dict[str, str]]:
        known = self._replica.venue_ids()
        unknown = sorted(set(venues) - set(known))
        message = f"no venue {', '.join(unknown)} here; known: {', '.join(known) or 'none yet'}"
        return [{"field": "venues", "message": message}] if unknown else []

    def revoke(self, name: str) -> Token:
        """Revoke by name or id; call in a transaction. Raises NotFound."""
        records = self._replica.store.records
        if not records.revoke_token(name, self._replica.clock.now_ms()):
            raise NotFound(f"no token {name} that is in force; `token list` shows them")
        return next(token for token in records.tokens() if name in (token.name, token.id))


def digest_of(secret: str) -> bytes:
    """What is kept of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _caller(token: Token) -> Caller:
    return Caller(
        token.id, token.name, token.name, token.role,
        permissions_of(token.role, token.permissions),
        frozenset(token.venues) if token.venues else NOBODY,
        token.agent_id,
        origin=(TOKEN, token.id),
    )  # fmt: skip


def _problems(wanted: Wanted) -> list[dict[str, str]]:
    """What is wrong with a token that is asked for, field by field."""
    problems = []
    if not _TOKEN_NAME.fullmatch(wanted.name):
        message = "1 to 64 letters, digits, '.', '_', '-', the first a letter or digit"
        problems.append({"field": "name", "message": message})
    if wanted.role not in ROLES:
        problems.append({"field": "role", "message": f"must be one of {', '.join(ROLES)}"})
    if wanted.role == "guest" and not is_agent_id(wanted.agent_id):
        message = "a guest's token needs the agent id whose reservations it may see"
        problems.append({"field": "agent_id", "message": message})
    elif wanted.role != "guest" and wanted.agent_id:
        problems.append({"field": "agent_id", "message": "is for role guest only"})
    if len(wanted.venues) > VENUES_PER_TOKEN_MAX:
        message = f"has more than {VENUES_PER_TOKEN_MAX}; leave it out for all"
        problems.append({"field": "venues", "message": message})
    has = PERMISSIONS.get(wanted.role, NOBODY)
    strange = sorted(set(wanted.permissions) - has)
    if strange and has:
        message = f"{', '.join(strange)}: role {wanted.role} has {', '.join(sorted(has))}"
        problems.append({"field": "permissions", "message": message})
    span_s = wanted.expires_seconds
    if span_s is not None and not 1 <= span_s <= TOKEN_SECONDS_MAX:
        message = f"must be from 1 to {TOKEN_SECONDS_MAX}, or left out"
        problems.append({"field": "expires_seconds", "message": message})
    return problems
