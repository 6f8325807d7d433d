"""Joining: a new device asks the hub for its certificate with a one-time code.

Owns both sides of `POST /sync/v1/join` as messages. The answer is signed by the key whose
fingerprint the code carries, and its secrets are sealed to the device, so that neither an impostor
nor a listener gains anything (DESIGN §7.1).
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import httpx
import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from holdfast.model.errors import Invalid, Unauthorised, Unreachable
from holdfast.model.limits import CONNECT_TIMEOUT_SECONDS, EXCHANGE_TIMEOUT_SECONDS
from holdfast.node import hub_trust, join_codes
from holdfast.node.identity import HUB_ROLE, fingerprint, verify_certificate

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

JOIN_PATH: Final = "/sync/v1/join"
JOIN_VERSION: Final = 1
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO: Final = b"holdfast join secrets 1\x00"
_ANSWER: Final = b"holdfast join answer 1\x00"


class JoinRequest(msgspec.Struct, frozen=True, array_like=True):
    """`key` Ed25519, `sealing_key` X25519, both raw; `fingerprint` as the code has it; `device` is
    VENUE/NAME where it must be this one (a device that rejoins), else empty; `proof` over all
    fields before it."""

    version: int
    code: str
    key: bytes
    sealing_key: bytes
    incarnation: bytes
    fingerprint: bytes
    device: str
    proof: bytes

    @property
    def public_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.key)

    @property
    def transcript(self) -> bytes:
        return (
            bytes([self.version])
            + self.code.encode()
            + self.key
            + self.sealing_key
            + self.incarnation
            + self.fingerprint
            + self.device.encode()
        )


class JoinAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The hub's answer; `sealed` holds the tenant's pseudonym key for the device alone."""

    version: int
    certificates: list[bytes]
    hub_certificates: list[bytes]
    root: bytes
    sealed: bytes


class Admitted(msgspec.Struct, frozen=True):
    """What a device knows once it has joined."""

    tenant: str
    venue: str
    role: str
    name: str
    certificates: list[bytes]
    hub_certificates: list[bytes]
    root: bytes
    pseudonym_key: bytes


class _Signed(msgspec.Struct, frozen=True, array_like=True):
    answer: bytes
    signature: bytes


def ask(
    url: str,
    code_text: str,
    key: Ed25519PrivateKey,
    sealing: X25519PrivateKey,
    incarnation: bytes,
    trust: ssl.SSLContext | None = None,
    device: str = "",
) -> Admitted:
    """Use a code up and get a certificate; `device` is VENUE/NAME where the code must be for that
    one. Raises Unauthorised, Unreachable, Invalid."""
    from holdfast.node.transport import in_words, problem_of

    if not url.startswith(("http://", "https://")):
        raise Invalid.field("url", f"{url!r} is no address of a hub; write http://{url}")
    request = request_for(code_text, key, sealing, incarnation, device)
    try:
        with httpx.Client(
            timeout=httpx.Timeout(EXCHANGE_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
            verify=trust or True,
            trust_env=False,
        ) as client:
            answer = client.post(
                url.rstrip("/") + JOIN_PATH, content=msgspec.msgpack.encode(request)
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        way_out = "" if hub_trust.fault(error) else "; check the address and that the hub runs"
        raise Unreachable(
            f"the hub at {url} cannot be reached: {in_words(error)}{way_out}"
        ) from error
    if answer.status_code != 200:
        raise problem_of(answer.status_code, answer.content, url)
    return read_answer(answer.content, code_text, key, sealing)


def request_for(
    code_text: str,
    key: Ed25519PrivateKey,
    sealing: X25519PrivateKey,
    incarnation: bytes,
    device: str = "",
) -> JoinRequest:
    """What a device asks with a code. Raises Unauthorised for what is no code."""
    code = join_codes.parse(code_text)
    request = JoinRequest(
        JOIN_VERSION, code.id.hex(), key.public_key().public_bytes_raw(),
        sealing.public_key().public_bytes_raw(), incarnation, code.fingerprint, device, b"",
    )  # fmt: skip
    proof = join_codes.proof(code.secret, request.transcript)
    return msgspec.structs.replace(request, proof=proof)


def read_answer(
    data: bytes, code_text: str, key: Ed25519PrivateKey, sealing: X25519PrivateKey
) -> Admitted:
    """What the hub that made the code answered. Raises Unauthorised for any other answer."""
    code = join_codes.parse(code_text)
    impostor = Unauthorised(
        "the hub that answered is not the one that made this code; check the address"
    )
    try:
        signed = msgspec.msgpack.decode(data, type=_Signed)
        answer = msgspec.msgpack.decode(signed.answer, type=JoinAnswer)
    except msgspec.MsgspecError as error:
        raise Unreachable("the answer to the join request cannot be read") from error
    hub = verify_certificate(answer.hub_certificates, answer.root)
    if fingerprint(hub.public_key)[: len(code.fingerprint)] != code.fingerprint:
        raise impostor
    try:
        hub.public_key.verify(signed.signature, _ANSWER + code.id + signed.answer)
        secret = _SUITE.decrypt(answer.sealed, sealing, _INFO + code.id)
    except (InvalidSignature, InvalidTag, ValueError) as error:
        raise impostor from error
    own = verify_certificate(answer.certificates, answer.root)
    if (
        hub.role != HUB_ROLE
        or own.tenant != hub.tenant
        or own.public_key.public_bytes_raw() != key.public_key().public_bytes_raw()
    ):
        raise impostor
    return Admitted(
        own.tenant, own.venue, own.role, own.name, answer.certificates, answer.hub_certificates,
        answer.root, secret,
    )  # fmt: skip


def handle(hub: Hub, body: bytes) -> bytes:
    """The hub's side. Raises Invalid, Unauthorised."""
    try:
        request = msgspec.msgpack.decode(body, type=JoinRequest)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid("these bytes are no join request") from error
    if request.version != JOIN_VERSION:
        raise Invalid(f"join version {request.version} is unknown; upgrade the older side")
    if len(request.key) != 32 or len(request.sealing_key) != 32 or len(request.incarnation) != 16:
        raise Invalid("these bytes are no join request")
    try:
        code_id = bytes.fromhex(request.code)
        # Before the code is used up: a key that nothing can be sealed to is no key.
        sealed = _SUITE.encrypt(
            hub.identity.pseudonym_key,
            X25519PublicKey.from_public_bytes(request.sealing_key),
            _INFO + code_id,
        )
    except ValueError as error:
        raise Invalid("these bytes are no join request") from error
    _, chain = hub.admission.admit(request.code, request.proof, request.transcript, request)
    answer = msgspec.msgpack.encode(
        JoinAnswer(JOIN_VERSION, chain, list(hub.identity.certificates), hub.identity.root, sealed)
    )
    return msgspec.msgpack.encode(
        _Signed(answer, hub.identity.key.sign(_ANSWER + code_id + answer))
    )
