"""Renewal: a replica gets a newer certificate without a visit, for its key or for another one.

Owns both sides of `POST /sync/v1/renew` as messages, and the order in which keys and entries are
written. The device signs the request like any other, with the certificate that it has; the new one
becomes an entry of its chain that the old key seals, and counts from the next entry on (DESIGN
§4.3). A certificate is renewed for one key: a device whose answer was lost asks for the same one
again. Who was shut out, or whose certificate has ended, is refused: the way back is a join code.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.model.administration import serial_bytes
from holdfast.model.errors import HoldfastError, Invalid, Unauthorised, Unreachable
from holdfast.node import standing
from holdfast.node.identity import Identity, verify_certificate
from holdfast.node.keys import has_secret, read_signing_keys, write_signing_keys
from holdfast.node.local_identity import FORMER_KEYS, LocalIdentity, save_signing_keys

if TYPE_CHECKING:
    from holdfast.node.hub import Hub
    from holdfast.node.node import Node
    from holdfast.node.replica import Replica

log = logging.getLogger("holdfast.certificates")

RENEW_PATH: Final = "/sync/v1/renew"
RENEW_VERSION: Final = 1
_PROOF: Final = b"holdfast renew 1\x00"
ASKED_KEY: Final = "renewal.asked"
"""The serial number of a certificate, and the new key that is to follow it."""


class RenewRequest(msgspec.Struct, frozen=True, array_like=True):
    """`key` is to be certified, Ed25519 and raw; `proof` is its signature, so that nobody has a key
    certified that is another's."""

    version: int
    key: bytes
    proof: bytes


class RenewAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The new certificate chain, leaf first, without the root."""

    version: int
    certificates: list[bytes]


def proof_message(serial: int, key: bytes) -> bytes:
    """What the key to be certified signs: the certificate that it is to follow, and itself."""
    return _PROOF + serial_bytes(serial) + key


def request_for(present: Identity, key: Ed25519PrivateKey) -> bytes:
    """What a device asks with its present certificate."""
    public = key.public_key().public_bytes_raw()
    proof = key.sign(proof_message(present.serial, public))
    return msgspec.msgpack.encode(RenewRequest(RENEW_VERSION, public, proof))


def read_request(body: bytes, sender: Identity) -> Ed25519PublicKey:
    """The key that a device wants certified. Raises Invalid, Unauthorised."""
    try:
        request = msgspec.msgpack.decode(body, type=RenewRequest)
        key = Ed25519PublicKey.from_public_bytes(request.key)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid("these bytes are no request for a certificate") from error
    if request.version != RENEW_VERSION:
        raise Invalid(f"renewal version {request.version} is unknown; upgrade the older side")
    try:
        key.verify(request.proof, proof_message(sender.serial, request.key))
    except InvalidSignature as error:
        raise Unauthorised("the key to be certified did not sign the request for it") from error
    return key


def answer(hub: Hub, sender: Identity, body: bytes) -> bytes:
    """The hub's side, for a sender that was authenticated. Raises Invalid, Unauthorised, Forbidden,
    RateLimited, RuleViolated, DirectoryError."""
    chain = hub.admission.renew(sender, read_request(body, sender))
    return msgspec.msgpack.encode(RenewAnswer(RENEW_VERSION, chain))


def read_answer(data: bytes, present: Identity, key: Ed25519PrivateKey, root: bytes) -> list[bytes]:
    """The certificate chain that the hub issued for just that. Raises Unreachable, Unauthorised."""
    try:
        found = msgspec.msgpack.decode(data, type=RenewAnswer).certificates
    except msgspec.MsgspecError as error:
        raise Unreachable("the answer to the request for a certificate cannot be read") from error
    made = verify_certificate(found, root)
    if (made.writer, made.line) != (present.writer, present.line) or (
        made.public_key != key.public_key()
    ):
        raise Unauthorised("the hub certified something else than this device asked for")
    return found


# --- at a device ----------------------------------------------------------------------------------


def renew_node(node: Node, *, new_key: bool = False) -> None:
    """Ask the hub for a newer certificate and go on with it; a new key that was asked for before,
    without an answer, first of all. Whoever else has the old key speaks for nobody once a new one
    is in force. Raises Unreachable, and what the hub refuses it with."""
    key = _asked_before(node) or (Ed25519PrivateKey.generate() if new_key else None)
    if key is None:
        _renew_for(node, node.identity.key)
        return
    try:
        _renew_for(node, key)
    except Unauthorised as refused:
        if standing.code_of(refused) != standing.RENEWED:
            raise
        # The answer to an earlier request for the key in use may have been lost: that one is
        # fetched first, and the new key follows it.
        _renew_for(node, node.identity.key)
        _renew_for(node, key)


def _renew_for(node: Node, key: Ed25519PrivateKey) -> None:
    asked = node.identity
    new_key = key is not asked.key
    if new_key:
        _remember(node, key)
    answered = node.transport().post(RENEW_PATH, request_for(asked.proven, key))
    chain = read_answer(answered, asked.proven, key, asked.root)
    with node.lock:
        if node.identity.certificates != asked.certificates:
            raise Unauthorised("this device joined again meanwhile; its certificate is new already")
        _go_on(node, node.identity.renewed(chain, key))
    node.reset_peer()
    node.log_sync("renewed", _words(node.identity.proven, new_key=new_key))


def _remember(node: Node, key: Ed25519PrivateKey) -> None:
    """Keep a key, and that it is to follow the present certificate, before anybody certifies it: a
    kill from here on loses neither key, and the same one is asked for again."""
    own, public = node.identity, key.public_key().public_bytes_raw()
    others = [one for one in own.former if one.public_key() != key.public_key()]
    write_signing_keys(node.directory / "keys" / FORMER_KEYS, (key, *others))
    with node.transaction():
        node.store.records.put(ASKED_KEY, serial_bytes(own.proven.serial) + public)


def _asked_before(node: Node) -> Ed25519PrivateKey | None:
    """The new key that is to follow the present certificate; None where none was asked for."""
    asked, path = node.store.records.get(ASKED_KEY), node.directory / "keys" / FORMER_KEYS
    serial = serial_bytes(node.identity.proven.serial)
    if asked is None or asked[: len(serial)] != serial or not has_secret(path):
        return None
    public = asked[len(serial) :]
    kept = read_signing_keys(path)
    return next((k for k in kept if k.public_key().public_bytes_raw() == public), None)


def is_due(replica: Replica) -> bool:
    """Whether it is time for another certificate, as far as the clock can tell."""
    clock = replica.clock.interval()
    known = clock.state != "undisciplined" or replica.identity.role == "hub"
    return known and replica.identity.proven.is_due(int(clock.best))


def renew_if_due(node: Node) -> bool:
    """Renew where it is time to. A failure is logged and tried again another time: until the
    certificate ends nothing depends on it."""
    if node.paused or not is_due(node):
        return False
    try:
        renew_node(node)
    except HoldfastError as error:
        log.warning("the certificate of %s is not renewed yet: %s", node.name, error.detail)
        return False
    return True


# --- at the hub -----------------------------------------------------------------------------------


def renew_hub(hub: Hub, *, new_key: bool = False) -> None:
    """The hub's own newer certificate, by its issuer. With another key the open join codes are
    void: they name the old one. Raises DirectoryError where it takes the root key, RuleViolated
    where the hub was replaced."""
    with hub.lock:
        own = hub.identity
        present = own.proven
        key = Ed25519PrivateKey.generate() if new_key else own.key
        chain = hub.issuer().issue(
            *present.writer, key.public_key(), hub.clock.now_ms(), present.line
        )
        if new_key:
            write_signing_keys(hub.directory / "keys" / FORMER_KEYS, (key, *own.former))
        _go_on(hub, own.renewed(chain, key))
        if new_key:
            hub.admission.withdraw_all()


def _go_on(replica: Node | Hub, renewed: LocalIdentity) -> None:
    changed = renewed.key is not replica.identity.key
    replica.renew_identity(renewed)
    if changed:
        save_signing_keys(replica.directory, renewed.key, renewed.former)
    log.info("%s", _words(renewed.proven, new_key=changed))


def _words(made: Identity, *, new_key: bool) -> str:
    what = "a new key and certificate" if new_key else "a new certificate"
    return f"{made.name} has {what}, serial number {made.serial:x}"


def certificate_document(replica: Replica) -> dict[str, Any]:
    """What people read of one's own certificate."""
    own = replica.identity.proven
    now_ms = replica.clock.interval().best
    return {
        "serial": f"{own.serial:x}",
        "ends_at_ms": own.not_after_ms,
        "state": "ended" if now_ms > own.not_after_ms else "due" if is_due(replica) else "good",
    }
