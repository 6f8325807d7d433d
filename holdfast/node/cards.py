"""Guest cards: what a venue must know of a guest, encrypted so that only the venue reads it.

Owns their form for ever: the card as JSON, padded, under AES-256-GCM with a key of its own; that
key sealed to the venue's X25519 public key with HPKE (RFC 9180: X25519, HKDF-SHA-256, AES-256-GCM).
Ciphertext and sealed key are separate values, because the key travels beside the books and is
destroyed when the guest asks to be forgotten (DESIGN §8). What a card's id is made of stands in
`model.card_ids`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from holdfast.model import card_ids
from holdfast.model.errors import Invalid
from holdfast.model.limits import CARD_BYTES_MAX

FIELDS: Final = {
    "name": 200, "phone": 40, "email": 254, "language": 35, "requests": 2_000, "dietary": 1_000,
    "note": 2_000,
}  # fmt: skip
"""The fields of a card and the most characters of each."""

ENTROPY_BYTES: Final = 44
_PADDED_TO: Final = 64
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_CARD: Final = b"holdfast card 1\x00"
_KEY: Final = b"holdfast card key 1\x00"
_HANDED: Final = b"holdfast venue key 1\x00"


class SealedCard(NamedTuple):
    """`ciphertext` nonce and AES-GCM output; `sealed_key` HPKE output, which is bound to the
    `text_digest`."""

    ciphertext: bytes
    text_digest: bytes
    sealed_key: bytes


def check_card(card: dict[str, Any]) -> dict[str, str]:
    """The card's fields as text: lists joined, what is empty left out.

    Raises Invalid naming every field at fault, and no value: errors are logged.
    """
    problems = []
    cleaned: dict[str, str] = {}
    for field, given in card.items():
        text = _as_text(given)
        problem = _problem(field, text)
        if problem:
            problems.append({"field": f"guest.{field}", "message": problem})
        elif text:
            cleaned[field] = text
    if problems:
        detail = "; ".join(f"{p['field']} {p['message']}" for p in problems)
        raise Invalid(detail, problems)
    return cleaned


def _as_text(value: Any) -> str | None:
    """A field's text; None where it is neither text nor a list of texts, nor left out."""
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value).strip()
    return value.strip() if isinstance(value, str) else None


def _problem(field: str, text: str | None) -> str | None:
    if field not in FIELDS:
        return f"unknown; a guest has {', '.join(FIELDS)}"
    if text is None:
        return "must be text"
    if len(text) > FIELDS[field]:
        return f"has at most {FIELDS[field]} characters"
    if not is_text(text):
        return "has characters that are no text"
    if field == "email" and text and not _EMAIL.fullmatch(text):
        return "is no e-mail address"
    if field == "phone" and text and sum(c.isdigit() for c in text) < 3:
        return "is no telephone number"
    return None


def is_text(text: str) -> bool:
    """Whether it can be shown. Control characters could steer the terminal of whoever lists guests;
    lone surrogates are no text and cannot be encoded."""
    return not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in text)


def _bound(tag: bytes, venue: str, *parts: bytes) -> bytes:
    name = venue.encode()
    return tag + len(name).to_bytes(2, "big") + name + b"".join(parts)


def seal_card(
    card: dict[str, Any],
    venue_key: X25519PublicKey,
    *,
    venue: str,
    agent_id: str,
    life: bytes,
    entropy: bytes | None = None,
) -> SealedCard:
    """Encrypt a card for a venue, as this life of a device. `entropy`: 44 bytes, never used twice;
    left out: drawn here.

    Raises Invalid, and ValueError for entropy of another length.

    Length is hidden to the next 64 bytes; venue and agent are bound, so that a card cannot be shown
    under another reservation's agent; the key is bound to the card.
    """
    return seal_fields(
        check_card(card), venue_key, venue=venue, agent_id=agent_id, life=life, entropy=entropy
    )


def seal_fields(
    fields: dict[str, Any],
    venue_key: X25519PublicKey,
    *,
    venue: str,
    agent_id: str,
    life: bytes,
    entropy: bytes | None = None,
) -> SealedCard:
    """`seal_card` for what is no guest's card and was looked at already: a note, a description."""
    plain = msgspec.json.encode(fields, order="deterministic")
    if len(plain) > CARD_BYTES_MAX:
        raise Invalid.field("guest", f"a guest card has at most {CARD_BYTES_MAX} bytes")
    random = os.urandom(ENTROPY_BYTES) if entropy is None else entropy
    if len(random) != ENTROPY_BYTES:
        raise ValueError(f"a card takes {ENTROPY_BYTES} random bytes")
    key, nonce = random[:32], random[32:]
    padded = plain + b" " * (-len(plain) % _PADDED_TO)
    ciphertext = nonce + AESGCM(key).encrypt(nonce, padded, _bound(_CARD, venue, agent_id.encode()))
    text = card_ids.text_digest(life, agent_id, ciphertext)
    return SealedCard(ciphertext, text, _SUITE.encrypt(key, venue_key, _bound(_KEY, venue, text)))


def open_card(
    sealed: SealedCard, venue_key: X25519PrivateKey, *, venue: str, agent_id: str
) -> dict[str, Any] | None:
    """The card; None where it was sealed for somebody else or changed on the way."""
    try:
        key = _SUITE.decrypt(sealed.sealed_key, venue_key, _bound(_KEY, venue, sealed.text_digest))
        nonce, body = sealed.ciphertext[:12], sealed.ciphertext[12:]
        plain = AESGCM(key).decrypt(nonce, body, _bound(_CARD, venue, agent_id.encode()))
        card: dict[str, Any] = msgspec.json.decode(plain, type=dict[str, Any])
    except (InvalidTag, ValueError, msgspec.MsgspecError):
        return None
    return card


def seal_key_anew(
    sealed_key: bytes,
    venue_key: X25519PrivateKey,
    another: X25519PublicKey,
    venue: str,
    text_digest: bytes,
) -> bytes | None:
    """A card's key sealed to another of the venue's keys; None where this one does not open it."""
    info = _bound(_KEY, venue, text_digest)
    try:
        key = _SUITE.decrypt(sealed_key, venue_key, info)
    except (InvalidTag, ValueError):
        return None
    return _SUITE.encrypt(key, another, info)


def hand_key(venue_private: X25519PrivateKey, recipient: X25519PublicKey, venue: str) -> bytes:
    """Seal the venue's private key to one node's sealing key."""
    return _SUITE.encrypt(venue_private.private_bytes_raw(), recipient, _bound(_HANDED, venue))


def accept_key(sealed: bytes, own: X25519PrivateKey, venue: str) -> X25519PrivateKey | None:
    """The venue's private key that was handed; None if it was not handed to this key."""
    try:
        return X25519PrivateKey.from_private_bytes(
            _SUITE.decrypt(sealed, own, _bound(_HANDED, venue))
        )
    except (InvalidTag, ValueError):
        return None
