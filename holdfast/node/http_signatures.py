"""Signed requests and answers between replicas: RFC 9421 with Ed25519, RFC 9530 digests.

Owns which parts of a message are covered, and the filter against repeated upgrades. What a message
of ours looks like to the letter stands in `signature_text`; what is spelled otherwise is for the
library (`http-message-signatures`), and so is every refusal.

A request covers its method, authority, path, query, content digest and the sender's certificate. An
answer covers its status, digest and certificate, and the signature of the request that it answers,
so that an answer belongs to its question. A request covers the challenge that it answers besides,
an answer the one for the next request (`challenges`), and the upgrade to the live channel and its
answer the key of the live channel. `created` is written and not judged: a device whose clock is two
hours off must still be heard, or it could never be told the time.
"""

from __future__ import annotations

import datetime
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.algorithms import ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from holdfast.model.errors import Unauthorised
from holdfast.model.limits import (
    NONCE_CHARS_MAX,
    NONCES_REMEMBERED,
)
from holdfast.node import signature_text
from holdfast.sync import signing

CERTIFICATE_HEADER: Final = "Holdfast-Certificate"
LIVE_KEY_HEADER: Final = "Holdfast-Live-Key"
CHALLENGE_HEADER: Final = "Holdfast-Challenge"
SIGNATURE_HEADER: Final = "Signature"
REQUEST_COMPONENTS: Final = (
    "@method", "@authority", "@path", "@query", "content-digest", "holdfast-certificate",
)  # fmt: skip
RESPONSE_COMPONENTS: Final = (
    "@status", "content-digest", "holdfast-certificate", '"signature";req',
)  # fmt: skip
LIVE_COMPONENTS: Final = ("holdfast-live-key",)
"""Covered besides in the upgrade to the live channel and in its answer, and nowhere else."""
CHALLENGE_COMPONENTS: Final = ("holdfast-challenge",)
"""Covered besides wherever the header stands."""
TAG: Final = "holdfast"
NONCE_CHARS_MIN: Final = 16
SENDERS_FAIR: Final = 64
"""Of all nonces that are remembered, no sender's take more than one part in so many."""
_PARAMETERS: Final = frozenset({"created", "keyid", "alg", "nonce", "tag"})
_NO_URL: Final = "http://unused/"
"""An answer covers its request's signature, and through it the address, method and nonce."""


class SignedBy(NamedTuple):
    """Who signed a request, and what makes it one of a kind."""

    key_id: str
    nonce: str
    created_s: int


@dataclass
class _Request:
    method: str
    url: str
    headers: dict[str, str]


@dataclass
class _Response:
    status_code: int
    headers: dict[str, str]
    request: _Request = field(kw_only=True)


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, resolve: Callable[[str], Ed25519PublicKey | Ed25519PrivateKey]) -> None:
        self._resolve = resolve

    def resolve_public_key(self, key_id: str) -> Any:
        return self._resolve(key_id)

    def resolve_private_key(self, key_id: str) -> Any:
        return self._resolve(key_id)


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Instead of judging times by the system's clock: only the parameters that we write."""
        if {*sig_input.params, "nonce"} != _PARAMETERS:
            raise InvalidSignature(f"its parameters must be {', '.join(sorted(_PARAMETERS))}")


def sign_request(
    method: str,
    url: str,
    body: bytes,
    key: Ed25519PrivateKey,
    key_id: str,
    created_s: int,
    nonce: str,
    certificate: str,
    live_key: str = "",
    challenge: str = "",
) -> dict[str, str]:
    """The headers that sign a request: certificate, digest, signature.

    `url` is absolute; `nonce` is never used twice, 16 to 128 characters; `live_key` is for the
    upgrade to the live channel alone; `challenge` is what the other side gave last.
    """
    request = _Request(method, url, _carried(certificate, live_key, challenge))
    components = _covered(REQUEST_COMPONENTS, request.headers, live=bool(live_key))
    return _sign(request, body, components, key, key_id, created_s, nonce)


def _sign(
    message: _Request | _Response,
    body: bytes,
    components: tuple[str, ...],
    key: Ed25519PrivateKey,
    key_id: str,
    created_s: int,
    nonce: str | None,
) -> dict[str, str]:
    headers = message.headers | {signature_text.DIGEST_HEADER: signature_text.digest(body)}
    plain = signature_text.plain(replace(message, headers=headers), components)
    parameters = signature_text.parameters(components, created_s, key_id, nonce, TAG)
    if plain is not None and parameters is not None:
        signature = signing.sign(key, plain.base(parameters.text))
        return headers | {
            "Signature-Input": f"{TAG}={parameters.text}",
            SIGNATURE_HEADER: signature_text.write_bytes(TAG, signature),
        }
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_Keys(lambda _: key)).sign(
        message,
        key_id=key_id,
        created=datetime.datetime.fromtimestamp(created_s, datetime.UTC),
        nonce=nonce,
        tag=TAG,
        label=TAG,
        covered_component_ids=components,
        body=body,
    )
    return message.headers


def _carried(certificate: str, live_key: str, challenge: str) -> dict[str, str]:
    named = {LIVE_KEY_HEADER: live_key, CHALLENGE_HEADER: challenge}
    return {CERTIFICATE_HEADER: certificate, **{k: v for k, v in named.items() if v}}


def _covered(
    components: tuple[str, ...], headers: Mapping[str, str], *, live: bool
) -> tuple[str, ...]:
    if any(name.lower() == CHALLENGE_COMPONENTS[0] for name in headers):
        components += CHALLENGE_COMPONENTS
    return components + LIVE_COMPONENTS if live else components


def verify_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    resolve_key: Callable[[str], Ed25519PublicKey],
    *,
    live: bool = False,
) -> SignedBy:
    """Who signed the request. Raises Unauthorised with the reason.

    `url` is made of the Host header and the path with its query. What the key may do, and whether
    the request comes for the first time (`challenges`, `NonceMemory`), is for the caller to judge.
    A challenge must be covered where there is one. `live` is for the upgrade to the live channel,
    whose key must be covered.
    """
    request = _Request(method, url, dict(headers))
    components = _covered(REQUEST_COMPONENTS, request.headers, live=live)
    return _verify(request, body, resolve_key, components)


def _verify(
    message: _Request | _Response,
    body: bytes,
    resolve_key: Callable[[str], Ed25519PublicKey],
    components: tuple[str, ...],
) -> SignedBy:
    signed = _verified(message, body, resolve_key, components)
    if signed is not None:
        return signed
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=_Keys(resolve_key))
    try:
        results = verifier.verify(
            message, max_age=None, expect_tag=TAG, require_components=components, body=body
        )
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError, KeyError) as error:
        raise Unauthorised(f"the message is not signed as it must be: {error}") from error
    if len(results) != 1:
        raise Unauthorised("the message carries more than one signature of a Holdfast device")
    parameters = results[0].parameters
    return SignedBy(str(parameters["keyid"]), results[0].nonce or "", int(parameters["created"]))


def _verified(
    message: _Request | _Response,
    body: bytes,
    resolve_key: Callable[[str], Ed25519PublicKey],
    components: tuple[str, ...],
) -> SignedBy | None:
    """Who signed a message that is spelled as ours are, and right; None for any other, which the
    library accepts or refuses."""
    parameters = signature_text.read_parameters(message.headers, components, TAG)
    signature = signature_text.read_signature(message.headers, TAG)
    plain = signature_text.plain(message, components)
    if parameters is None or signature is None or plain is None:
        return None
    if not signature_text.digest_fits(message.headers, body):
        return None
    try:
        key = resolve_key(parameters.key_id)
    except Unauthorised:
        return None
    if not signing.holds(key, signature, plain.base(parameters.text)):
        return None
    return SignedBy(parameters.key_id, parameters.nonce, parameters.created_s)


def sign_response(
    status: int,
    body: bytes,
    request_headers: Mapping[str, str],
    key: Ed25519PrivateKey,
    key_id: str,
    created_s: int,
    certificate: str,
    live_key: str = "",
    challenge: str = "",
) -> dict[str, str]:
    """The headers that sign an answer to a signed request, whose headers are given; `challenge` is
    for the next request."""
    response = _Response(
        status,
        _carried(certificate, live_key, challenge),
        request=_Request("POST", _NO_URL, dict(request_headers)),
    )
    components = _covered(RESPONSE_COMPONENTS, response.headers, live=bool(live_key))
    return _sign(response, body, components, key, key_id, created_s, None)


def verify_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    request_headers: Mapping[str, str],
    key: Ed25519PublicKey,
    *,
    live: bool = False,
) -> None:
    """Raises Unauthorised unless `key` signed this answer to that request, and the challenge in it
    where it has one."""
    response = _Response(
        status, dict(headers), request=_Request("POST", _NO_URL, dict(request_headers))
    )
    components = _covered(RESPONSE_COMPONENTS, response.headers, live=live)
    _verify(response, body, lambda _: key, components)


class NonceMemory:
    """Nonces of the newest upgrades to the live channel: one that comes twice is refused, which
    saves the work; without the keys it would lead nowhere. For several threads.

    Time plays no part, because the senders' clocks may be wrong. Of one sender the newest are
    remembered, so that nobody's flood makes another's old upgrades acceptable again; where there
    is no room for all, the sender that was silent longest loses its oldest.
    """

    def __init__(self, size: int = NONCES_REMEMBERED) -> None:
        self._size = size
        self._size_of_one = max(1, size // SENDERS_FAIR)
        self._count = 0
        self._nonces_by_sender: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def accept(self, signed: SignedBy) -> None:
        """Raises Unauthorised for a request with a nonce that was seen, or is too short."""
        if not NONCE_CHARS_MIN <= len(signed.nonce) <= NONCE_CHARS_MAX:
            raise Unauthorised(
                f"a request's nonce has {NONCE_CHARS_MIN} to {NONCE_CHARS_MAX} characters"
            )
        with self._lock:
            own = self._nonces_by_sender.setdefault(signed.key_id, OrderedDict())
            if signed.nonce in own:
                raise Unauthorised("the request was sent before; every request needs its own nonce")
            own[signed.nonce] = None
            self._count += 1
            self._nonces_by_sender.move_to_end(signed.key_id)
            if len(own) > self._size_of_one:
                self._forget_oldest_of(signed.key_id)
            elif self._count > self._size:
                self._forget_oldest_of(next(iter(self._nonces_by_sender)))

    def _forget_oldest_of(self, sender: str) -> None:
        nonces = self._nonces_by_sender[sender]
        nonces.popitem(last=False)
        self._count -= 1
        if not nonces:
            del self._nonces_by_sender[sender]
