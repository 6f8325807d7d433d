"""Ed25519, as seals and messages use it: one way to sign, one way to ask whether a signature holds.

Owns nothing but the two calls. The simulator puts a memory before them.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def sign(key: Ed25519PrivateKey, message: bytes) -> bytes:
    """64 bytes; the same key and message give the same ones (RFC 8032)."""
    return key.sign(message)


def holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether this key signed just that. Never raises: all of it may come from a hostile device."""
    try:
        key.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
