"""Idempotency-Key: the same request again gives the first answer again, once only done.

Owns the rule of CONTRACT, "Idempotency-Key": keys are per token and route, survive a restart, and
what is kept is a keyed hash of the body and the name of what was made. A replay shows that thing
as it is now. Only what succeeded is remembered; what failed may be tried again under its key.

The hash of the body is keyed with the request's own Idempotency-Key, which is kept as a hash too:
whoever steals the disk has no key with which to try names and telephone numbers on it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from holdfast.model.errors import HoldfastError, IdempotencyKeyReused, Invalid
from holdfast.model.limits import IDEMPOTENCY_HOURS, IDEMPOTENCY_KEY_CHARS_MAX

if TYPE_CHECKING:
    from holdfast.api.face import Asking, Replica

_HASH_KEY: Final = "api.answer_key"
_ANYBODY: Final = "anybody"
Run = Callable[..., Awaitable[Any]]


class Answered(NamedTuple):
    """What a POST made, by name, with the status of its first answer."""

    subject: str
    status: int
    replayed: bool

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotency-Replayed": "true"} if self.replayed else {}


class Found(str):
    """The name of what was there before: nothing was made, and the answer is 200."""

    __slots__ = ()


class _Asked(NamedTuple):
    """A request under a key: where the answer is kept and what it must match. `plain` is the same
    as an earlier version kept it, which is found until its time is over."""

    scope: str
    key: str
    digest: bytes
    route: str
    plain: tuple[str, bytes]


class Answers:
    """The idempotent answers of one replica."""

    def __init__(self, replica: Replica, run: Run) -> None:
        self._replica = replica
        self._run = run
        self._running: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    async def once(
        self, request: Asking, body: bytes, status: int, work: Callable[[], str]
    ) -> Answered:
        """Do `work` in one transaction with the record of its answer, or find that it was done.

        `work` runs in the worker and returns the name of what it made, or `Found` it.
        """

        def transact(asked: _Asked | None) -> Answered:
            with self._replica.transaction():
                subject = work()
                given = 200 if isinstance(subject, Found) else status
                if asked is not None:
                    self._put(asked, given, str(subject))
            return Answered(str(subject), given, False)

        async def do(asked: _Asked | None) -> Answered:
            done: Answered = await self._run(transact, asked)
            return done

        return await self._guarded(request, body, do)

    async def once_outside(
        self, request: Asking, body: bytes, status: int, work: Callable[[], Awaitable[str]]
    ) -> Answered:
        """The same for work that waits for others, and that no transaction may span."""

        async def do(asked: _Asked | None) -> Answered:
            subject = await work()
            if asked is not None:
                await self._run(self._put_alone, asked, status, subject)
            return Answered(subject, status, False)

        return await self._guarded(request, body, do)

    def sweep(self) -> int:
        """Forget answers older than IDEMPOTENCY_HOURS. Returns how many."""
        before_ms = self._replica.clock.now_ms() - IDEMPOTENCY_HOURS * 3_600_000
        with self._replica.transaction():
            return self._replica.store.records.sweep_answers(before_ms)

    # Inside

    async def _guarded(
        self, request: Asking, body: bytes, do: Callable[[_Asked | None], Awaitable[Answered]]
    ) -> Answered:
        key = _read_key(request.headers.get("idempotency-key"))
        if key is None:
            return await do(None)
        scope, route = _scope(request)
        async with self._alone(scope, key):
            asked: _Asked = await self._run(self._ask, request, scope, key, route, body)
            known: Answered | None = await self._run(self._known, asked)
            return known if known is not None else await do(asked)

    @asynccontextmanager
    async def _alone(self, scope: str, key: str) -> AsyncGenerator[None, None]:
        """A running twin is waited for; locks live as long as somebody waits for them."""
        lock, users = self._running.get((scope, key), (asyncio.Lock(), 0))
        self._running[scope, key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._running.pop((scope, key))
            if users > 1:
                self._running[scope, key] = (lock, users - 1)

    def _ask(self, request: Asking, scope: str, key: str, route: str, body: bytes) -> _Asked:
        # The path and query belong to what was asked: one key for two reservations is reuse.
        parts = (request.scope["path"].encode(), request.scope["query_string"], _canonical(body))
        own = self._hash_key()
        kept = _keyed(own, b"kept as", key.encode()).hex()
        digest = _keyed(_keyed(own, b"hashed with", key.encode()), *parts)
        return _Asked(scope, kept, digest, route, (key, _keyed(own, *parts)))

    def _hash_key(self) -> bytes:
        records = self._replica.store.records
        with self._replica.lock:
            key = records.get(_HASH_KEY)
        if key is None:
            key = secrets.token_bytes(32)
            with self._replica.transaction():
                records.put(_HASH_KEY, key)
        return key

    def _known(self, asked: _Asked) -> Answered | None:
        plain, plain_digest = asked.plain
        with self._replica.lock:
            records = self._replica.store.records
            row, digest = records.answer(asked.scope, asked.key), asked.digest
            if row is None:
                row, digest = records.answer(asked.scope, plain), plain_digest
        if row is None:
            return None
        if not hmac.compare_digest(row.body_hash, digest):
            raise IdempotencyKeyReused(
                "this Idempotency-Key was used for another request; take a new key for a new "
                "request, and the same body for a repeated one"
            )
        return Answered(row.subject, row.status, True)

    def _put(self, asked: _Asked, status: int, subject: str) -> None:
        now_ms = self._replica.clock.now_ms()
        self._replica.store.records.put_answer(
            asked.scope, asked.key, asked.digest, status, subject, asked.route, now_ms
        )

    def _put_alone(self, asked: _Asked, status: int, subject: str) -> None:
        with self._replica.transaction():
            self._put(asked, status, subject)


def _keyed(key: bytes, *parts: bytes) -> bytes:
    hashed = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "big") + part)
    return hashed.digest()


def _read_key(header: str | None) -> str | None:
    if header is None:
        return None
    if not (1 <= len(header) <= IDEMPOTENCY_KEY_CHARS_MAX and header.isascii()):
        raise Invalid.field(
            "Idempotency-Key", f"must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} ASCII characters"
        )
    return header


def _scope(request: Asking) -> tuple[str, str]:
    """Whose keys these are on which route, and the route. Who needs no token shares the keys of a
    route with everybody else who needs none: to meet somebody's one must guess it."""
    route = f"{request.scope['method']} {request.scope['path_template']}"
    caller = request.scope["state"].get("caller")
    return f"{_ANYBODY if caller is None else caller.token} {route}", route


def _canonical(body: bytes) -> bytes:
    """The same JSON with other spaces or in another order is the same body."""
    try:
        return msgspec.json.encode(msgspec.json.decode(body), order="deterministic")
    except (msgspec.MsgspecError, UnicodeError, RecursionError, HoldfastError):
        return body
