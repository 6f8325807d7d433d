"""The keys that certificates are issued with: the tenant's root, and this hub's issuer.

Owns `root.pem` and `issuer.pem` in a hub's keys. The root key certifies issuers and nothing else,
so that it can be kept offline; the issuer, whose certificate stands in its file behind the key,
certifies the hub and its devices. A hub of an earlier version has no issuer: it makes one as soon
as it needs it and the root key is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from holdfast.model.errors import DirectoryDamaged, DirectoryError, Invalid
from holdfast.model.limits import PASSPHRASE_CHARS_MIN
from holdfast.node.identity import NODE_YEARS, issue, make_issuer
from holdfast.node.keys import (
    has_secret,
    parse_signing_key,
    read_secret,
    read_signing_key,
    remove_secret,
    signing_key_pem,
    write_secret,
)
from holdfast.node.local_identity import ROOT_META_KEY
from holdfast.store.readonly import ReadOnlyStore

ROOT_KEY: Final = "root.pem"
ISSUER: Final = "issuer.pem"
ISSUER_LEFT_DAYS: Final = NODE_YEARS * 365
"""An issuer with less left than a device's certificate lives would shorten it."""


class Issuer(NamedTuple):
    """Who issues: its key, and its own certificate (DER), which the root issued."""

    key: Ed25519PrivateKey
    certificate: bytes

    @property
    def ends_ms(self) -> int:
        """When what it issues ends at the latest."""
        ends = x509.load_der_x509_certificate(self.certificate).not_valid_after_utc
        return int(ends.timestamp() * 1000)

    def issue(
        self,
        tenant: str,
        venue: str,
        role: str,
        name: str,
        key: Ed25519PublicKey,
        now_ms: int,
        line: int = 0,
    ) -> list[bytes]:
        """A certificate chain for a writer, leaf first, without the root; see `identity.issue`."""
        leaf = issue(self.key, self.certificate, tenant, venue, role, name, key, now_ms, line)
        return [leaf, self.certificate]

    def save(self, directory: Path) -> None:
        """Key and certificate in one file, so that they are never of two. Raises DirectoryError."""
        made = x509.load_der_x509_certificate(self.certificate)
        pem = signing_key_pem(self.key) + made.public_bytes(serialization.Encoding.PEM)
        write_secret(directory / "keys" / ISSUER, pem)


def make(tenant: str, root_key: Ed25519PrivateKey, root: bytes, now_ms: int) -> Issuer:
    """A new issuer. Raises Unauthorised where the key is not that of the root certificate."""
    key = Ed25519PrivateKey.generate()
    return Issuer(key, make_issuer(root_key, root, tenant, key.public_key(), now_ms))


def issuer_of(directory: Path, tenant: str, root: bytes, now_ms: int) -> Issuer:
    """This hub's issuer; made where there is none, or it has ended, if the root key is there.

    Raises DirectoryError with what is to be done where there is neither, DirectoryDamaged.
    """
    place = directory / "keys" / ISSUER
    if has_secret(place):
        found = _read(place)
        short = found.ends_ms - now_ms < ISSUER_LEFT_DAYS * 86_400_000
        # Renewed in good time where that can be done; used to its end where it cannot.
        if not short or (now_ms <= found.ends_ms and not has_secret(directory / "keys" / ROOT_KEY)):
            return found
        lacks = "this hub's issuing certificate has ended"
    else:
        lacks = "this hub has no issuing certificate yet"
    root_key = directory / "keys" / ROOT_KEY
    if not has_secret(root_key):
        raise DirectoryError(
            f"{lacks}, and it takes the root key to make one: bring the file that export-root "
            "wrote, and run `holdfast hub renew-issuer --root FILE`"
        )
    made = make(tenant, read_signing_key(root_key), root, now_ms)
    made.save(directory)
    return made


def _read(path: Path) -> Issuer:
    pem = read_secret(path)
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise DirectoryDamaged(
            f"{path} does not hold a key and its certificate; restore it from a backup, or run "
            "`holdfast hub renew-issuer --root FILE`"
        ) from error
    key = parse_signing_key(pem[: pem.index(b"-----BEGIN CERTIFICATE")], str(path))
    return Issuer(key, certificate.public_bytes(serialization.Encoding.DER))


def issuer_ends_ms(directory: Path) -> int:
    """When a hub's issuer ends; where it has none yet and can make one, as one made now. 0: none
    and no root key to make one with. Raises DirectoryDamaged."""
    keys = directory / "keys"
    if has_secret(keys / ISSUER):
        return _read(keys / ISSUER).ends_ms
    return 1 << 62 if has_secret(keys / ROOT_KEY) else 0


def renew(directory: Path, pem: bytes, passphrase: bytes, now_ms: int) -> Issuer:
    """Make a hub's directory another issuer with the root key, also while the hub runs. What the
    one before has issued stays good.

    Raises Invalid for a file or passphrase that will not do, Unauthorised for another tenant's key,
    DirectoryError.
    """
    key = read_root(pem, passphrase)
    with ReadOnlyStore(directory) as store:
        root, role = store.meta(ROOT_META_KEY), store.meta("role")
    if root is None or role != b"hub":
        raise DirectoryError(f"{directory} is no hub's; only a hub issues certificates")
    made = make(tenant_of(root), key, root, now_ms)
    made.save(directory)
    return made


def tenant_of(root: bytes) -> str:
    """Whose root certificate it is, for people: as much of the name as X.509 has room for."""
    name = x509.load_der_x509_certificate(root).subject.rfc4514_string()
    return name.removeprefix("CN=Holdfast root of ")


# --- the root key in a file -----------------------------------------------------------------------


def is_encrypted(pem: bytes) -> bool:
    """Whether a file that export-root wrote asks for its passphrase."""
    return b"BEGIN ENCRYPTED PRIVATE KEY" in pem


def read_root(pem: bytes, passphrase: bytes = b"") -> Ed25519PrivateKey:
    """The root key from PKCS 8 PEM. Raises Invalid for a wrong passphrase and for other files."""
    if is_encrypted(pem) and not passphrase:
        raise Invalid.field("passphrase", "is needed: the root key's file is encrypted")
    key = None
    try:
        key = serialization.load_pem_private_key(pem, passphrase if is_encrypted(pem) else None)
    except (ValueError, TypeError) as error:
        if is_encrypted(pem):
            raise Invalid.field(
                "passphrase", "does not open the root key's file; type the one it was made with"
            ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid.field("root", "is no root key; name the file that export-root wrote")
    return key


def export_root(
    directory: Path, path: Path, passphrase: bytes = b"", *, remove: bool = False, now_ms: int = 0
) -> None:
    """Copy the root key of a hub's directory into a new file, also while the hub runs; in clear
    where no passphrase is given.

    `remove`: delete the key from the directory once the file is known to hold it, which may have
    been written earlier; the hub then issues with its issuer alone. Raises DirectoryError if the
    file exists or the key is not there, Invalid for a passphrase that is too short or is not the
    one that the file was made with.
    """
    source = directory / "keys" / ROOT_KEY
    if not has_secret(source):
        raise DirectoryError(
            f"{source} is not there: only a hub has a root key, unless it is kept offline already"
        )
    key = read_signing_key(source)
    if not path.exists():
        if 0 < len(passphrase.decode(errors="replace")) < PASSPHRASE_CHARS_MIN:
            message = (
                f"must have {PASSPHRASE_CHARS_MIN} characters at least: who has the file tries"
            )
            raise Invalid.field("passphrase", message)
        write_secret(path, signing_key_pem(key, passphrase))
    elif not remove:
        raise DirectoryError(f"{path} exists; choose another file for the root key")
    if remove:
        _remove_root(directory, path, passphrase, key, now_ms)


def _remove_root(
    directory: Path, path: Path, passphrase: bytes, key: Ed25519PrivateKey, now_ms: int
) -> None:
    with ReadOnlyStore(directory) as store:
        root = store.meta(ROOT_META_KEY)
    if root is None:
        raise DirectoryDamaged(f"{directory} has no root certificate; restore it from a backup")
    # First what goes on without it: an issuer near its end is renewed while that can be done.
    issuer_of(directory, tenant_of(root), root, now_ms)
    copied = read_root(path.read_bytes(), passphrase)
    if copied.private_bytes_raw() != key.private_bytes_raw():
        raise DirectoryError(f"{path} does not hold this hub's root key; nothing was removed")
    remove_secret(directory / "keys" / ROOT_KEY)
