"""Signed requests and answers between replicas: RFC 9421 with Ed25519, RFC 9530 digests.

Owns which parts of a message are covered, and the filter against repeated requests. The signature
base, structured fields and digests are the library's (`http-message-signatures`).

A request covers its method, authority, path, content digest and the sender's certificate. An answer
covers its status and digest, and the signature of the request it answers, so that an answer belongs
to its question. `created` is written and not judged: a device whose clock is two hours off must
still be heard, or it could never be told the time.
"""

from __future__ import annotations

import datetime
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from http_message_signatures.structures import CaseInsensitiveDict

from holdfast.model.errors import Unauthorised
from holdfast.model.limits import NONCES_REMEMBERED

CERTIFICATE_HEADER: Final = "Holdfast-Certificate"
REQUEST_COMPONENTS: Final = (
    "@method", "@authority", "@path", "content-digest", "holdfast-certificate",
)  # fmt: skip
RESPONSE_COMPONENTS: Final = (
    "@status", "content-digest", "holdfast-certificate", '"signature";req',
)  # fmt: skip
TAG: Final = "holdfast"


class SignedBy(NamedTuple):
    """Who signed a request, and what makes it one of a kind."""

    key_id: str
    nonce: str
    created_s: int


@dataclass
class _Request:
    method: str
    url: str
    headers: CaseInsensitiveDict


@dataclass
class _Response:
    status_code: int
    headers: CaseInsensitiveDict
    request: _Request = field(kw_only=True)


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, resolve: Callable[[str], Ed25519PublicKey | Ed25519PrivateKey]) -> None:
        self._resolve = resolve

    def resolve_public_key(self, key_id: str) -> Any:
        return self._resolve(key_id)

    def resolve_private_key(self, key_id: str) -> Any:
        return self._resolve(key_id)


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = datetime.timedelta(days=36_500)


def sign_request(
    method: str,
    url: str,
    body: bytes,
    key: Ed25519PrivateKey,
    key_id: str,
    created_s: int,
    nonce: str,
    certificate: str,
) -> dict[str, str]:
    """The headers that sign a request: certificate, digest, signature. `url` is absolute."""
    request = _Request(method, url, CaseInsensitiveDict({CERTIFICATE_HEADER: certificate}))
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_Keys(lambda _: key)).sign(
        request,
        key_id=key_id,
        created=datetime.datetime.fromtimestamp(created_s, datetime.UTC),
        nonce=nonce,
        tag=TAG,
        label=TAG,
        covered_component_ids=REQUEST_COMPONENTS,
        body=body,
    )
    return dict(request.headers.items())


def verify_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    resolve_key: Callable[[str], Ed25519PublicKey],
) -> SignedBy:
    """Who signed the request. Raises Unauthorised with the reason."""
    request = _Request(method, url, CaseInsensitiveDict(headers))
    return _verify(request, body, resolve_key, REQUEST_COMPONENTS)


def _verify(
    message: _Request | _Response,
    body: bytes,
    resolve_key: Callable[[str], Ed25519PublicKey],
    components: tuple[str, ...],
) -> SignedBy:
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=_Keys(resolve_key))
    try:
        results = verifier.verify(
            message, max_age=None, expect_tag=TAG, require_components=components, body=body
        )
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError, KeyError) as error:
        raise Unauthorised(f"the message is not signed as it must be: {error}") from error
    parameters = results[0].parameters
    return SignedBy(
        str(parameters.get("keyid", "")),
        results[0].nonce or "",
        int(parameters.get("created", 0)),
    )


def sign_response(
    status: int,
    body: bytes,
    request_headers: Mapping[str, str],
    key: Ed25519PrivateKey,
    key_id: str,
    created_s: int,
    certificate: str,
) -> dict[str, str]:
    """The headers that sign an answer to a signed request."""
    response = _Response(
        status,
        CaseInsensitiveDict({CERTIFICATE_HEADER: certificate}),
        request=_Request("POST", "http://unused/", CaseInsensitiveDict(request_headers)),
    )
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_Keys(lambda _: key)).sign(
        response,
        key_id=key_id,
        created=datetime.datetime.fromtimestamp(created_s, datetime.UTC),
        tag=TAG,
        label=TAG,
        covered_component_ids=RESPONSE_COMPONENTS,
        body=body,
    )
    return dict(response.headers.items())


def verify_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    request_headers: Mapping[str, str],
    key: Ed25519PublicKey,
) -> None:
    """Raises Unauthorised unless `key` signed this answer to that request."""
    response = _Response(
        status,
        CaseInsensitiveDict(headers),
        request=_Request("POST", "http://unused/", CaseInsensitiveDict(request_headers)),
    )
    _verify(response, body, lambda _: key, RESPONSE_COMPONENTS)


class NonceMemory:
    """Nonces of the newest requests: one that comes twice is refused."""

    def __init__(self, size: int = NONCES_REMEMBERED) -> None:
        self._size = size
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def accept(self, signed: SignedBy) -> None:
        """Raises Unauthorised for a request without a nonce, or with one that was seen."""
        key = (signed.key_id, signed.nonce)
        if len(signed.nonce) < 16 or key in self._seen:
            raise Unauthorised("the request was sent before; every request needs its own nonce")
        self._seen[key] = None
        if len(self._seen) > self._size:
            self._seen.popitem(last=False)
