"""What every exchange passes on its way in and out, whatever the route: also 404s and refusals.

Owns the check of where a request comes from (Host, Origin, Sec-Fetch-Site), the bound of requests
between replicas, the security headers, and the access log. The log carries the method, the route's
template, the status, milliseconds and the token's name, of staff an id: never a path, a query or a
body, which may name people.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from holdfast.api.auth import SAFE_METHODS, TRACE
from holdfast.api.problems import MEDIA_TYPE, problem_of
from holdfast.api.rates import address_of
from holdfast.model.errors import Forbidden, HoldfastError
from holdfast.node.tracing import Step

if TYPE_CHECKING:
    from holdfast.api.face import Face

log = logging.getLogger("holdfast.api")

BETWEEN_REPLICAS: Final = "/sync/"
"""Requests of replicas are signed over the authority that they were sent to: no page can make one,
and a hub may be reached under a name that it does not know itself."""

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
"""Under TLS alone; for this host and no other of its domain, which is not ours to speak for."""
_API: Final = "/api/"
_OWN_SITE: Final = frozenset({b"same-origin", b"none"})
"""`none`: typed by the person, or no browser's page at all."""


class Shell:
    """ASGI middleware around the whole application, its router's own refusals included."""

    def __init__(self, app: ASGIApp, face: Face) -> None:
        self._app = app
        self._face = face

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._socket(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message["headers"])
                present = {name.lower() for name, _ in headers}
                headers += [pair for pair in _HEADERS if pair[0] not in present]
                steps = scope["state"].get(TRACE)
                if steps is not None:
                    headers.append((b"server-timing", _timing(steps)))
                if scope["scheme"] == "https":
                    headers.append(_HSTS)
                message["headers"] = headers
            await send(message)

        try:
            self._check(scope)
        except HoldfastError as error:
            await _refuse(error, dressed)
        else:
            await self._app(scope, receive, dressed)
        finally:
            self._account(scope, status, time.perf_counter() - started)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Browsers let any page open a socket anywhere, and send cookies along: only the Origin
        tells."""
        try:
            self._check(scope)
        except HoldfastError:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
        else:
            await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        check_origin(scope, self._face.hosts)
        if _is_under(scope, BETWEEN_REPLICAS):
            # Before anything is read: a signature costs more to check than a request to send.
            self._face.access.rates.sync.take(address_of(scope.get("client")))

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        route = str(scope.get("path_template") or "-")
        caller = scope["state"].get("caller")
        name = caller.label if caller is not None else "-"
        method = str(scope.get("method", "-"))
        known = method if method in _METHODS else "-"
        self._face.metrics.count(known, route, status, seconds)
        log.info("%s %s %d %.1f ms %s", known, route, status, seconds * 1_000, name)


def _timing(steps: Iterable[Step]) -> bytes:
    """The steps as the header `Server-Timing` has them: names, milliseconds, and who refused."""
    return ", ".join(
        f"{one.name};dur={one.ms:.2f}" + (';desc="refused"' if one.refused else "") for one in steps
    ).encode()


_POLICY_VIOLATION: Final = 1008
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


async def _refuse(error: HoldfastError, send: Send) -> None:
    problem = problem_of(error)
    body = problem.body()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), one.encode()) for name, one in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def check_origin(scope: Scope, hosts: frozenset[str]) -> None:
    """Refuse foreign Host headers (DNS rebinding) and pages of other sites. Raises Forbidden.

    Of the API any request that a browser says comes from elsewhere is refused, of the rest what
    changes something: a link to a page may stand anywhere.
    """
    if _is_under(scope, BETWEEN_REPLICAS):
        return
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1")
    if not is_own_host(host, hosts):
        raise Forbidden("this host name is not ours; call by address, or by the name bound here")
    origin = headers.get(b"origin")
    if origin is not None and _netloc(origin.decode("latin-1")) != host.lower():
        raise Forbidden("pages of other sites may not call this API")
    site = headers.get(b"sec-fetch-site")
    reads = scope["type"] == ScopeType.HTTP and scope["method"] in SAFE_METHODS
    if site is not None and site not in _OWN_SITE and not (reads and not _is_under(scope, _API)):
        raise Forbidden("pages of other sites may not call this API")


def _is_under(scope: Scope, prefix: str) -> bool:
    """Whether a request is for something under a path, however many slashes it is written with:
    the router takes several for one, and what is asked here must be about the route that runs."""
    return normalize_path(scope["path"]).startswith(prefix)


def is_own_host(header: str, hosts: frozenset[str]) -> bool:
    """Whether a Host header is an address literal, a loopback name, or one of `hosts`."""
    try:
        name = (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if not name or "@" in header:
        return False
    if name == "localhost" or name.endswith(".localhost") or name in hosts:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
