"""What protects the live channel: keys agreed in its upgrade, and a seal on every message.

Owns the derivation of the keys and the form of a sealed message (docs/protocol.md §10). Pure: fresh
private keys are arguments, and that the other side's public key comes from whom it should was
proved before, by the signature of the upgrade or of its answer.

Both private keys live no longer than the connection. Who has not made one of them can neither read
a message, nor write one, nor bring an old connection to life again by repeating its upgrade.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from holdfast.model.errors import Unauthorised

KEY_BYTES: Final = 32
_PREFIX: Final = b"holdfast live 1\x00"


class LiveKeys:
    """One side's keys of one connection: what it sends and what it gets, each counted from 0.

    Messages are sealed and opened in the order in which they cross the wire. ChaCha20-Poly1305,
    because small devices have no instructions for AES. Not for two threads at once.
    """

    def __init__(self, sending: bytes, receiving: bytes) -> None:
        self._sending = ChaCha20Poly1305(sending)
        self._receiving = ChaCha20Poly1305(receiving)
        self._sent = self._received = 0

    def seal(self, message: bytes) -> bytes:
        """The next message as it goes out."""
        sealed = self._sending.encrypt(_nonce(self._sent), message, None)
        self._sent += 1
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """The next message that came in. Raises Unauthorised for any other bytes: altered, of
        another connection or direction, or not in their turn. Nothing opens after that."""
        try:
            message = self._receiving.decrypt(_nonce(self._received), sealed, None)
        except InvalidTag as error:
            raise Unauthorised(
                f"message {self._received} of the live channel does not open: it was changed, "
                "repeated, left out or made by somebody else on the way"
            ) from error
        self._received += 1
        return message


def for_node(own: X25519PrivateKey, hub_key: bytes, signature: str) -> LiveKeys:
    """The node's side. `signature` is the `Signature` field of its upgrade request.

    Raises Unauthorised for a `hub_key` with which nothing secret can be agreed.
    """
    node_key = own.public_key().public_bytes_raw()
    to_hub, to_node = derive(agree(own, hub_key), node_key, hub_key, signature)
    return LiveKeys(to_hub, to_node)


def for_hub(own: X25519PrivateKey, node_key: bytes, signature: str) -> LiveKeys:
    """The hub's side, as `for_node`."""
    hub_key = own.public_key().public_bytes_raw()
    to_hub, to_node = derive(agree(own, node_key), node_key, hub_key, signature)
    return LiveKeys(to_node, to_hub)


def agree(own: X25519PrivateKey, other: bytes) -> bytes:
    """The secret that both sides share. Raises Unauthorised for a point of small order, whose
    secret is all zeros and known to everybody."""
    try:
        return own.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError as error:
        raise Unauthorised("the other side's key of the live channel is no key") from error


def derive(secret: bytes, node_key: bytes, hub_key: bytes, signature: str) -> tuple[bytes, bytes]:
    """The keys of both directions, to the hub and to the node; they hold for this upgrade alone."""
    upgrade = hashlib.sha256(signature.strip().encode("latin-1")).digest()
    both = HKDF(SHA256(), 2 * KEY_BYTES, None, _PREFIX + node_key + hub_key + upgrade).derive(
        secret
    )
    return both[:KEY_BYTES], both[KEY_BYTES:]


def write_key(own: X25519PrivateKey) -> str:
    """The public half as the header has it."""
    return base64.b64encode(own.public_key().public_bytes_raw()).decode()


def read_key(text: str) -> bytes:
    """The public key of the header. Raises Unauthorised."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Unauthorised("the upgrade to the live channel carries no key of 32 bytes")
    return key


def _nonce(count: int) -> bytes:
    return count.to_bytes(12, "big")
