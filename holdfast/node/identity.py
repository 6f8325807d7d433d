"""Certificates: who a writer is, proved by the tenant's root key, offline.

Owns their form: X.509 with Ed25519 keys, the writer in a URI name
`holdfast://TENANT/VENUE/ROLE/NAME` (a hub's venue is `*`), a chain leaf first. Expiry is not judged
here: it refuses exchanges, never entries (DESIGN §4.3).
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from holdfast.model import roles
from holdfast.model.errors import Unauthorised
from holdfast.node.keys import parse_signing_key

HUB_ROLE: Final = roles.HUB
ROOT_YEARS: Final = 30
NODE_YEARS: Final = 5
BACKDATED: Final = datetime.timedelta(days=1)
"""A certificate is valid from a day before its making: the other side's clock may be behind."""
_YEAR: Final = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Identity:
    """What a certificate says."""

    tenant: str
    venue: str
    role: str
    name: str
    public_key: Ed25519PublicKey
    serial: int
    not_before_ms: int
    not_after_ms: int

    def valid_at(self, now_ms: int) -> bool:
        """Whether an exchange at this time may rely on it; entries never ask (DESIGN §4.3)."""
        return self.not_before_ms <= now_ms <= self.not_after_ms


def load_root_key(pem: bytes) -> Ed25519PrivateKey:
    """The tenant's root key from PKCS 8 PEM. Raises DirectoryDamaged."""
    return parse_signing_key(pem, "the root key")


def derive_pseudonym_key(root: Ed25519PrivateKey) -> bytes:
    """The tenant's pseudonym key, from its root key: a rebuilt hub gives people the same ids."""
    seed = root.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    return HKDF(hashes.SHA256(), 32, None, b"holdfast pseudonyms 1").derive(seed)


def _time(now_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC)


def _named(common_name: str) -> x509.Name:
    # X.509 bounds a common name by 64 bytes of UTF-8; the full name stands in the URI.
    short = common_name.encode()[:64].decode(errors="ignore")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, short)])


def make_root(tenant: str, key: Ed25519PrivateKey, now_ms: int) -> bytes:
    """The tenant's self-signed root certificate, DER.

    Its serial number follows from the key, so that a hub that is rebuilt from the key makes an
    equivalent root: trust is in the key, and certificates issued before stay valid.
    """
    public = key.public_key()
    now = _time(now_ms)
    name = _named(f"Holdfast root of {tenant}")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(int.from_bytes(_key_hash(public)[:16], "big") >> 1)
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + ROOT_YEARS * _YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key, None).public_bytes(serialization.Encoding.DER)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def issue(
    root_key: Ed25519PrivateKey,
    root: bytes,
    tenant: str,
    venue: str,
    role: str,
    name: str,
    public_key: Ed25519PublicKey,
    now_ms: int,
) -> bytes:
    """A hub's or node's certificate, DER."""
    issuer = x509.load_der_x509_certificate(root)
    now = _time(now_ms)
    uri = _uri(tenant, venue, role, name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(f"{role} {name} of {tenant}"))
        .issuer_name(issuer.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + NODE_YEARS * _YEAR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
    )
    return builder.sign(root_key, None).public_bytes(serialization.Encoding.DER)


def _uri(tenant: str, venue: str, role: str, name: str) -> str:
    return "holdfast://" + "/".join(quote(part, safe="*") for part in (tenant, venue, role, name))


def verify_certificate(chain: Sequence[bytes], root: bytes) -> Identity:
    """What a certificate chain says, if the root (or what it certified) issued it.

    Raises Unauthorised. Verified chains are remembered: they come with every request.
    """
    return _verified(tuple(bytes(der) for der in chain), bytes(root))


@lru_cache(maxsize=1024)
def _verified(chain: tuple[bytes, ...], root: bytes) -> Identity:
    if not 1 <= len(chain) <= 4:
        raise Unauthorised("a certificate chain has one to four certificates")
    try:
        found = [_load(der) for der in chain]
        anchor = x509.load_der_x509_certificate(root)
        for depth, (certificate, issuer) in enumerate(
            zip(found, [*found[1:], anchor], strict=True)
        ):
            _check_issued(certificate, issuer, depth)
        return _read(found[0])
    except _NOT_OURS as error:
        raise Unauthorised(
            "the certificate was not issued by this tenant's root key; join with a new code"
        ) from error


def _load(der: bytes) -> x509.Certificate:
    certificate = x509.load_der_x509_certificate(der)
    # The count of unused bits before the signature is neither signed nor judged by the library;
    # with it fixed, no certificate has a second spelling under another `key_id`.
    if not der.endswith(b"\x03\x41\x00" + certificate.signature):
        raise ValueError("the signature is not 64 whole bytes")
    return certificate


_NOT_OURS: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)
"""What reading a stranger's bytes as certificates may raise; several are no ValueErrors."""


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate, depth: int) -> None:
    """One link of the chain, `depth` issuers above the writer's own certificate."""
    if not isinstance(issuer.public_key(), Ed25519PublicKey):
        raise ValueError("the issuer's key is not Ed25519")
    # Unlike a bare check of the signature this also compares the names and the two places where
    # the algorithm is named, one of which nobody signed.
    certificate.verify_directly_issued_by(issuer)
    issuing = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    if not (issuing.ca and usage.key_cert_sign):
        raise ValueError("the issuer may not issue")
    if issuing.path_length is not None and depth > issuing.path_length:
        raise ValueError("more issuers in between than the issuer allowed")
    own = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    if own.ca is not (depth > 0):
        raise ValueError("a writer's certificate is not an issuer's")


def _read(leaf: x509.Certificate) -> Identity:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    key = leaf.public_key()
    if len(uris) != 1 or not isinstance(key, Ed25519PublicKey):
        raise ValueError("no writer in the certificate")
    address = urlsplit(uris[0])
    parts = [unquote(part) for part in address.path.split("/")[1:]]
    tenant = unquote(address.netloc)
    # One writer is written in one way, so that two spellings cannot pass for two writers.
    if len(parts) != 3 or not all((tenant, *parts)) or uris[0] != _uri(tenant, *parts):
        raise ValueError("no writer in the certificate")
    return Identity(
        tenant, parts[0], parts[1], parts[2], key, leaf.serial_number,
        int(leaf.not_valid_before_utc.timestamp() * 1000),
        int(leaf.not_valid_after_utc.timestamp() * 1000),
    )  # fmt: skip


def _key_hash(key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes_raw()).digest()


def fingerprint(key: Ed25519PublicKey) -> bytes:
    """32 bytes that name a key."""
    return _key_hash(key)


def serial_of(certificate: bytes) -> int:
    """A certificate's serial number."""
    return x509.load_der_x509_certificate(certificate).serial_number


def key_id(certificate: bytes) -> str:
    """The name of a certificate in a signature's `keyid`: SHA-256 of its DER, in hex."""
    return hashlib.sha256(certificate).hexdigest()
