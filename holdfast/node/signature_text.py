"""The one spelling in which Holdfast signs a message, written and read without a general parser.

Owns the text of a signature base (RFC 9421, 2.5) whose parts are all plain: visible ASCII, each
header once, parameters in our order. Every message of ours is such a one, and most of the time that
a signature cost went into parsing lists that never change. What is spelled in any other way is
`None` here, and the library's to judge (`http_signatures`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from http_message_signatures import HTTPSignatureComponentResolver
from http_message_signatures.exceptions import HTTPMessageSignaturesException

URLS_REMEMBERED: Final = 256
DIGEST_HEADER: Final = "Content-Digest"
_VISIBLE: Final = re.compile(r"[!-~]+")
_QUOTED: Final = r"[ !#-\[\]-~]*"
"""The inside of a structured string that needs no escape (RFC 8941, 3.3.3)."""
_STRING: Final = re.compile(_QUOTED)
_RESOLVER: Final[Any] = HTTPSignatureComponentResolver
_METHODS: Final = frozenset({"GET", "POST"})
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class Plain(NamedTuple):
    """The values that a signature covers, in the order of its components."""

    components: tuple[str, ...]
    values: tuple[str, ...]

    def base(self, parameters: str) -> bytes:
        """The signature base under these parameters."""
        names = _quoted(self.components)
        lines = [f"{name}: {value}" for name, value in zip(names, self.values, strict=True)]
        return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


class Parameters(NamedTuple):
    """What a signature says of itself: `text` as it stands in the header and in the base."""

    text: str
    created_s: int
    key_id: str
    nonce: str


def plain(message: Any, components: tuple[str, ...]) -> Plain | None:
    """What the components of a message are; None where one is missing or not plain.

    A message has `headers` and, for a request, `method` and `url`, or for an answer `status_code`
    and its `request`.
    """
    values = [_value(message, component) for component in components]
    found = tuple(value for value in values if value is not None)
    return Plain(components, found) if len(found) == len(values) else None


def _value(message: Any, component: str) -> str | None:
    if component == "@method":
        return message.method if message.method in _METHODS else None
    if component in ("@authority", "@path", "@query"):
        target = _target(message.url)
        return getattr(target, component[1:]) if target is not None else None
    if component == "@status":
        return str(message.status_code)
    if component == '"signature";req':
        return header(message.request.headers, "signature")
    return header(message.headers, component)


def header(headers: Mapping[str, str], name: str) -> str | None:
    """The value of a header that stands there once and is plain."""
    found = [value for key, value in headers.items() if key.lower() == name]
    return found[0] if len(found) == 1 and _VISIBLE.fullmatch(found[0]) else None


class _Target(NamedTuple):
    authority: str
    path: str
    query: str


class _Addressed(NamedTuple):
    method: str
    url: str
    headers: dict[str, str]


@lru_cache(maxsize=URLS_REMEMBERED)
def _target(url: str) -> _Target | None:
    """The parts of an address as the library reads them: a device and its hub use but a few."""
    try:
        resolver = _RESOLVER(_Addressed("GET", url, {}))
        found = _Target(resolver.get_authority(), resolver.get_path(), resolver.get_query())
    except (HTTPMessageSignaturesException, ValueError):
        return None
    return found if all(_VISIBLE.fullmatch(part) for part in found) else None


def parameters(
    components: tuple[str, ...], created_s: int, key_id: str, nonce: str | None, tag: str
) -> Parameters | None:
    """The parameters of a new signature; None where a string of them would need an escape."""
    if not all(_STRING.fullmatch(text) for text in (key_id, nonce or "", tag)) or created_s < 0:
        return None
    once = f';nonce="{nonce}"' if nonce is not None else ""
    text = (
        f'({" ".join(_quoted(components))});created={created_s};keyid="{key_id}";alg="ed25519"'
        f'{once};tag="{tag}"'
    )
    return Parameters(text, created_s, key_id, nonce or "")


def read_parameters(
    headers: Mapping[str, str], components: tuple[str, ...], tag: str
) -> Parameters | None:
    """The parameters of a message's one signature over exactly these components."""
    found = _reading(components, tag).fullmatch(_line(headers, "signature-input"))
    if found is None:
        return None
    text, created, key_id, nonce = found.groups()
    return Parameters(text, int(created), key_id, nonce or "")


def read_signature(headers: Mapping[str, str], tag: str) -> bytes | None:
    """The signature that a message carries under this label."""
    found = re.fullmatch(rf"{tag}=:([A-Za-z0-9+/]{{86}}==):", _line(headers, "signature"))
    return base64.b64decode(found[1]) if found is not None else None


def write_bytes(label: str, data: bytes) -> str:
    """A dictionary of one byte sequence: a digest, a signature."""
    return f"{label}=:{base64.b64encode(data).decode()}:"


def digest(body: bytes) -> str:
    """The Content-Digest of a body (RFC 9530)."""
    return write_bytes("sha-256", hashlib.sha256(body).digest())


def digest_fits(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the message carries this body's digest, in the one spelling."""
    value = header(headers, DIGEST_HEADER.lower()) or ""
    return _DIGEST.fullmatch(value) is not None and hmac.compare_digest(value, digest(body))


def _line(headers: Mapping[str, str], name: str) -> str:
    """The value of a header that stands there once; empty where there is no such one."""
    found = [value for key, value in headers.items() if key.lower() == name]
    return found[0] if len(found) == 1 else ""


@lru_cache(maxsize=16)
def _quoted(components: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one if one.startswith('"') else f'"{one}"' for one in components)


@lru_cache(maxsize=16)
def _reading(components: tuple[str, ...], tag: str) -> re.Pattern[str]:
    listed = re.escape(f"({' '.join(_quoted(components))})")
    return re.compile(
        rf'{tag}=({listed};created=(0|[1-9][0-9]{{0,11}});keyid="({_QUOTED})";alg="ed25519"'
        rf'(?:;nonce="({_QUOTED})")?;tag="{tag}")'
    )
