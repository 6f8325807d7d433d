"""TLS certificates of a hub, as a venue without a public authority makes them."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Certified(NamedTuple):
    """A certificate with its key as PEM files, and the file of who signed it."""

    certificate: Path
    key: Path
    authority: Path


def certify(
    directory: Path,
    *,
    names: tuple[str, ...] = ("localhost",),
    addresses: tuple[str, ...] = ("127.0.0.1",),
    self_signed: bool = False,
    ends_in_days: float = 30,
) -> Certified:
    """A hub's certificate, signed by an authority made for it or by itself."""
    directory.mkdir()
    key, signing = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _built("venue authority", "venue authority", signing, authority=True).sign(
        signing, hashes.SHA256()
    )
    alternatives = x509.SubjectAlternativeName(
        [x509.DNSName(name) for name in names]
        + [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    )
    issuer = "hub" if self_signed else "venue authority"
    leaf = (
        _built("hub", issuer, key, ends_in_days=ends_in_days)
        .add_extension(alternatives, critical=False)
        .sign(key if self_signed else signing, hashes.SHA256())
    )
    made = Certified(*(directory / name for name in ("hub.pem", "hub.key", "authority.pem")))
    made.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    signer = leaf if self_signed else authority
    made.authority.write_bytes(signer.public_bytes(serialization.Encoding.PEM))
    return made


def _built(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
    ends_in_days: float = 30,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 10 * DAY)
        .not_valid_after(now + ends_in_days * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
