"""Certificates: who a writer is, proved by the tenant's root key, offline.

Owns their form: X.509 with Ed25519 keys, the writer in a URI name
`holdfast://TENANT/VENUE/ROLE/NAME` (a hub's venue is `*`), a chain leaf first, with the hub's
issuer between it and the root. A renewed certificate names the first one of its *line* in its
subject, so that who is shut out by one serial number is shut out with all that came of it, whoever
issued them. Expiry is not judged here: it refuses exchanges, never entries (DESIGN §4.3).
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

HUB_ROLE: Final = roles.HUB
OTHER_ROOT: Final = "other-root"
"""Why a certificate is not believed that another root, or nobody, stands behind."""
ROOT_YEARS: Final = 30
ISSUER_YEARS: Final = 10
NODE_YEARS: Final = 5
RENEWED_FROM_DAYS: Final = 30
"""A certificate is renewed in the last quarter of its life, or when so many days are left."""
BACKDATED: Final = datetime.timedelta(days=1)
"""A certificate is valid from a day before its making: the other side's clock may be behind."""
BACKDATED_MS: Final = BACKDATED // datetime.timedelta(milliseconds=1)
_YEAR: Final = datetime.timedelta(days=365)
_DAY_MS: Final = 86_400_000
_SERIAL_BITS: Final = 160


@dataclass(frozen=True)
class Identity:
    """What a certificate says. `line` is the serial number of the first certificate that this one
    renews; its own where it renews none."""

    tenant: str
    venue: str
    role: str
    name: str
    public_key: Ed25519PublicKey
    serial: int
    not_before_ms: int
    not_after_ms: int
    line: int

    @property
    def serials(self) -> tuple[int, int]:
        """The numbers by which its bearer can be shut out."""
        return self.serial, self.line

    @property
    def writer(self) -> tuple[str, str, str, str]:
        """Whom it is for, whatever its key."""
        return self.tenant, self.venue, self.role, self.name

    def valid_at(self, now_ms: int) -> bool:
        """Whether an exchange at this time may rely on it; entries never ask (DESIGN §4.3)."""
        return self.not_before_ms <= now_ms <= self.not_after_ms

    def is_due(self, now_ms: int) -> bool:
        """Whether it is time to renew it: in the last quarter of its life, or so many days before
        its end, which of a short life is not more than its half."""
        life = self.not_after_ms - self.not_before_ms
        days = min(RENEWED_FROM_DAYS * _DAY_MS, life // 2)
        return self.not_after_ms - now_ms <= max(life // 4, days)


def derive_pseudonym_key(root: Ed25519PrivateKey) -> bytes:
    """The tenant's pseudonym key, from its root key: a rebuilt hub gives people the same ids."""
    seed = root.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    return HKDF(hashes.SHA256(), 32, None, b"holdfast pseudonyms 1").derive(seed)


def _time(now_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC)


def _named(common_name: str, line: int = 0) -> x509.Name:
    # X.509 bounds a common name by 64 bytes of UTF-8; the full name stands in the URI.
    short = common_name.encode()[:64].decode(errors="ignore")
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, short)]
    if line:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{line:x}"))
    return x509.Name(attributes)


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


def make_issuer(
    root_key: Ed25519PrivateKey, root: bytes, tenant: str, key: Ed25519PublicKey, now_ms: int
) -> bytes:
    """The certificate with which a hub issues others while the root key is offline, DER.

    It may issue for writers and for no further issuer. Raises Unauthorised where the root key is
    not the one of `root`.
    """
    anchor = x509.load_der_x509_certificate(root)
    if anchor.public_key() != root_key.public_key():
        raise Unauthorised("that is the root key of another tenant; use this tenant's own")
    now = _time(now_ms)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(f"Holdfast issuer of {tenant}"))
        .issuer_name(anchor.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(min(now + ISSUER_YEARS * _YEAR, anchor.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
    )
    return builder.sign(root_key, None).public_bytes(serialization.Encoding.DER)


def issue(
    issuer_key: Ed25519PrivateKey,
    issuer: bytes,
    tenant: str,
    venue: str,
    role: str,
    name: str,
    public_key: Ed25519PublicKey,
    now_ms: int,
    line: int = 0,
) -> bytes:
    """A hub's or node's certificate, DER, by an issuer or the root itself, which it does not
    outlive; `line` is given where it renews another one."""
    anchor = x509.load_der_x509_certificate(issuer)
    now = _time(now_ms)
    uri = _uri(tenant, venue, role, name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(f"{role} {name} of {tenant}", line))
        .issuer_name(anchor.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(min(now + NODE_YEARS * _YEAR, anchor.not_valid_after_utc))
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
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    return builder.sign(issuer_key, None).public_bytes(serialization.Encoding.DER)


def _uri(tenant: str, venue: str, role: str, name: str) -> str:
    return "holdfast://" + "/".join(quote(part, safe="*") for part in (tenant, venue, role, name))


def verify_certificate(chain: Sequence[bytes], root: bytes) -> Identity:
    """What a certificate chain says, if the root (or what it certified) issued it.

    Raises Unauthorised. Verified chains are remembered: they come with every request.
    """
    return _verified(tuple(bytes(der) for der in chain), bytes(root))


def verify_renewed(before: Identity, certificates: Sequence[bytes], root: bytes) -> Identity | None:
    """What a later certificate in a writer's chain says; None where it is not this tenant's or not
    this writer's, and so changes nothing (DESIGN §4.3)."""
    try:
        found = verify_certificate(certificates, root)
    except Unauthorised:
        return None
    return found if found.writer == before.writer else None


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
            "the certificate was not issued by this tenant's root key", reason=OTHER_ROOT
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
        _line(leaf),
    )  # fmt: skip


def _line(leaf: x509.Certificate) -> int:
    named = [str(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    if not named:
        return leaf.serial_number
    line = int(named[0], 16)
    if len(named) > 1 or f"{line:x}" != named[0] or not 0 < line < 1 << _SERIAL_BITS:
        raise ValueError("no line in the certificate")
    return line


def _key_hash(key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes_raw()).digest()


def fingerprint(key: Ed25519PublicKey) -> bytes:
    """32 bytes that name a key."""
    return _key_hash(key)


def serial_of(certificate: bytes) -> int:
    """A certificate's serial number."""
    return x509.load_der_x509_certificate(certificate).serial_number


def certified_key(certificate: bytes) -> Ed25519PublicKey:
    """The key that a certificate of one's own is for. Raises Unauthorised for another kind."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise Unauthorised("the certificate's key is not Ed25519")
    return key


def key_id(certificate: bytes) -> str:
    """The name of a certificate in a signature's `keyid`: SHA-256 of its DER, in hex."""
    return hashlib.sha256(certificate).hexdigest()
