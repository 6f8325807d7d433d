"""How errors look from outside: RFC 9457 problems, and nothing else, on every path.

Owns the mapping from exceptions to `application/problem+json`. It knows no reservation and no
route. What was not foreseen is logged under an id and answered as `internal` with that id: no
traceback, no message of an exception, ever reaches a client.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec
from litestar.exceptions import HTTPException

from holdfast.model.errors import HoldfastError, PasswordWanted, Unauthorised
from holdfast.store.database import explained

log = logging.getLogger("holdfast.api")

MEDIA_TYPE: Final = "application/problem+json"
_BEARER: Final = 'Bearer realm="holdfast"'
_BASIC: Final = ', Basic realm="holdfast calendar", charset="UTF-8"'
_NAME_BY_STATUS: Final = {
    400: ("invalid", 422),
    401: ("unauthorised", 401),
    403: ("forbidden", 403),
    404: ("not-found", 404),
    405: ("method-not-allowed", 405),
    413: ("payload-too-large", 413),
    429: ("rate-limited", 429),
}


class Problem(NamedTuple):
    """An answer that is an error: its HTTP status, its members, and headers that belong to it."""

    status: int
    members: dict[str, Any]
    headers: dict[str, str]

    def body(self) -> bytes:
        return msgspec.json.encode(self.members)


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is to a client. Logs what nobody foresaw."""
    if isinstance(error, HoldfastError):
        return _own(error)
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_library(error)
    known = explained(error)
    if known is not None:
        log.error("%s", known.detail)
        return _own(known)
    return _unforeseen(error)


def _own(error: HoldfastError) -> Problem:
    headers = {}
    if isinstance(error, Unauthorised):
        also = _BASIC if isinstance(error, PasswordWanted) else ""
        headers["WWW-Authenticate"] = _BEARER + also
    if "retry_after" in error.extra:
        headers["Retry-After"] = str(error.extra["retry_after"])
    return _problem(error.name, error.status, error.detail, headers, error.extra)


def _of_library(error: HTTPException) -> Problem:
    name, status = _NAME_BY_STATUS.get(error.status_code, ("invalid", 422))
    detail = {
        404: "nothing is served at this path; the API is described at /schema/openapi.json",
        405: "this path does not take this method; see /schema/openapi.json",
        413: "the body is too large; send less at a time",
    }.get(status, error.detail)
    extra: dict[str, Any] = {"errors": []} if name == "invalid" else {}
    return _problem(name, status, detail, dict(error.headers or {}), extra)


def _unforeseen(error: Exception) -> Problem:
    error_id = secrets.token_hex(8)
    # The message may quote what a person sent, so that only the type and the places are logged.
    places = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    log.error("internal error %s: %s\n%s", error_id, type(error).__qualname__, places)
    detail = f"something went wrong here; the log has it under {error_id}"
    return _problem("internal", 500, detail, {}, {"error_id": error_id})


def _problem(
    name: str, status: int, detail: str, headers: dict[str, str], extra: dict[str, Any]
) -> Problem:
    members = {
        "type": f"urn:holdfast:error:{name}",
        "title": name.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
    }
    # An error's own members never hide those of RFC 9457.
    return Problem(status, extra | members, headers)
