"""Messages over HTTP: signed requests out, verified answers in.

Owns the dialling side of `POST /sync/v1/exchange`. Every request is signed with the node's key and
carries its certificate; every answer must be signed by a hub whose certificate the tenant's root
issued (DESIGN §7.1).
"""

from __future__ import annotations

import base64
import os
import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx

from holdfast.model.errors import (
    Forbidden,
    HoldfastError,
    Invalid,
    RateLimited,
    TooLarge,
    Unauthorised,
    Unreachable,
)
from holdfast.model.limits import CONNECT_TIMEOUT_SECONDS, EXCHANGE_TIMEOUT_SECONDS
from holdfast.node import hub_trust
from holdfast.node.challenges import CHALLENGE_REASON
from holdfast.node.http_signatures import (
    CERTIFICATE_HEADER,
    CHALLENGE_HEADER,
    sign_request,
    verify_response,
)
from holdfast.node.identity import Identity, key_id, verify_certificate
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.settings import Settings
from holdfast.node.standing import is_other_root, other_root
from holdfast.sync.messages import CONTENT_TYPE, ExchangeRequest, ExchangeResponse, decode, encode

EXCHANGE_PATH: Final = "/sync/v1/exchange"
LIVE_PATH: Final = "/sync/v1/live"
CLOSE_REFUSED: Final = 4401
"""The live channel's closing code, from either side, for a message that does not open and for a
message or a device that is refused, beside the reason."""


def certificate_header(chain: list[bytes]) -> str:
    return ",".join(base64.b64encode(der).decode() for der in chain)


def read_certificate_header(value: str) -> list[bytes]:
    """The DER certificates of the header. Raises Unauthorised."""
    try:
        return [base64.b64decode(part, validate=True) for part in value.split(",") if part][:4]
    except ValueError as error:
        raise Unauthorised("the certificate header is damaged") from error


def signed_headers(
    identity: LocalIdentity,
    method: str,
    url: str,
    body: bytes,
    live_key: str = "",
    challenge: str = "",
) -> dict[str, str]:
    """Headers that prove who sends this request; `live_key` is for the upgrade alone, `challenge`
    what the other side gave last."""
    return sign_request(
        method, url, body, identity.key, key_id(identity.certificates[0]), int(time.time()),
        os.urandom(16).hex(), certificate_header(identity.certificates), live_key, challenge,
    )  # fmt: skip


Answered = TypeVar("Answered")


def converse(
    identity: LocalIdentity,
    url: str,
    body: bytes,
    deliver: Callable[[dict[str, str]], Answered],
    challenge: str = "",
) -> tuple[dict[str, str], Answered]:
    """Sign a POST and deliver it, and once more where the other side asks for another challenge to
    be signed. Returns the headers that were answered, and the answer; raises what `deliver` does.
    """
    headers = signed_headers(identity, "POST", url, body, challenge=challenge)
    try:
        return headers, deliver(headers)
    except Unauthorised as error:
        asked = challenge_of(error)
        if not asked:
            raise
    headers = signed_headers(identity, "POST", url, body, challenge=asked)
    return headers, deliver(headers)


def challenge_of(error: HoldfastError) -> str:
    """What a refused request is to sign instead; empty where it was refused for something else."""
    asked = error.extra.get("challenge")
    wanted = error.extra.get("reason") == CHALLENGE_REASON and isinstance(asked, str)
    return str(asked) if wanted else ""


class _Answer(NamedTuple):
    """A good answer of the hub, whose signature was verified."""

    body: bytes
    challenge: str


class HttpTransport:
    """One keep-alive connection to one address. Not for two threads at once."""

    def __init__(
        self,
        url: str,
        identity: LocalIdentity,
        settings: Settings,
        client: httpx.Client | None = None,
        trust: ssl.SSLContext | None = None,
        verify: Callable[[str], Identity] | None = None,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise Invalid.field("url", f"{url!r} is no address of a hub; it begins with http(s)://")
        self._url = url.rstrip("/")
        self.identity = identity
        self._verify = verify or partial(verify_hub, identity)
        self._compress = settings.sync_compression != "none"
        self._client = client or httpx.Client(
            timeout=httpx.Timeout(EXCHANGE_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
            verify=trust or True,
            trust_env=False,
        )
        self._challenge = ""
        self.bytes_out = 0
        self.bytes_in = 0

    def close(self) -> None:
        self._client.close()

    def exchange(self, request: ExchangeRequest) -> ExchangeResponse:
        """One round. Raises Unreachable and what the other side's answer means."""
        body = encode(request, compress=self._compress)
        return decode(self.post(EXCHANGE_PATH, body), ExchangeResponse)

    def post(self, path: str, body: bytes) -> bytes:
        """The hub's answer to a signed request, proved to be the hub's. Raises as `exchange`."""
        url = self._url + path

        def deliver(headers: dict[str, str]) -> _Answer:
            return self._delivered(url, body, headers)

        _, answer = converse(self.identity, url, body, deliver, self._challenge)
        self._challenge = answer.challenge
        return answer.body

    def _delivered(self, url: str, body: bytes, headers: dict[str, str]) -> _Answer:
        headers["Content-Type"] = CONTENT_TYPE
        if not self._compress:
            headers["Holdfast-Compression"] = "none"
        try:
            answer = self._client.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the hub at {self._url} cannot be reached: {in_words(error)}; "
                "this device goes on alone and tries again"
            ) from error
        self.bytes_out += len(body)
        self.bytes_in += len(answer.content)
        if answer.status_code != 200:
            raise problem_of(answer.status_code, answer.content, self._url)
        hub = self._verify(answer.headers.get(CERTIFICATE_HEADER, ""))
        verify_response(
            answer.status_code, dict(answer.headers), answer.content, headers, hub.public_key
        )
        return _Answer(answer.content, answer.headers.get(CHALLENGE_HEADER, ""))


def in_words(error: Exception) -> str:
    """What a failed connection means, for a person."""
    if tls := hub_trust.fault(error):
        return tls
    if isinstance(error, httpx.ConnectTimeout | httpx.ReadTimeout | TimeoutError):
        return "no answer came in time"
    if isinstance(error, httpx.ConnectError | ConnectionRefusedError):
        return "nothing answers there"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return "that is no address; it begins with http:// or https://"
    if _is_plain(error):
        return "the connection broke; where it speaks TLS the address begins with https://"
    return "the connection broke"


def _is_plain(error: Exception) -> bool:
    """Whether what failed was asked without TLS, and was answered by something."""
    if not isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return False
    try:
        return error.request.url.scheme == "http"
    except RuntimeError:  # the library's own way to say that it does not know
        return False


def verify_hub(identity: LocalIdentity, header: str) -> Identity:
    """The hub that a certificate header names. Raises Unauthorised for any other writer."""
    try:
        hub = verify_certificate(read_certificate_header(header), identity.root)
    except Unauthorised as error:
        raise other_root() if is_other_root(error) else error from None
    if hub.role != "hub" or hub.tenant != identity.tenant:
        raise Unauthorised("the other side is not a hub of this tenant; check the address")
    return hub


def close_reason(error: HoldfastError) -> str:
    """As much of an error as a closing frame holds: 123 bytes (RFC 6455, 5.5)."""
    return error.detail.encode()[:123].decode(errors="ignore")


def problem_of(status: int, body: bytes, url: str) -> HoldfastError:
    """The error that a problem answer stands for."""
    detail = f"{url} answered {status}"
    try:
        problem = httpx.Response(status, content=body).json()
        detail = str(problem.get("detail", detail))
    except (ValueError, AttributeError):
        detail = f"{detail} with something that is no Holdfast answer"
        return Unreachable(detail)
    said = {name: problem.get(name) for name in ("reason", "challenge")}
    extra = {name: value for name, value in said.items() if isinstance(value, str)}
    if status == 401:
        return Unauthorised(detail, **extra)
    if status == 403:
        return Forbidden(detail, **extra)
    if status == 413:
        return TooLarge(detail)
    if status == 422:
        return Invalid(detail)
    if status == 429:
        return RateLimited(detail, 5)
    return Unreachable(detail)
