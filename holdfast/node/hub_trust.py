"""Whom a node believes that the hub's TLS certificate is right.

Owns the one TLS context of a node, which its plain requests and the live channel share, the file of
certificates beside the system's, and what a failed handshake means in words. Whether it is the
right *hub* is nothing of TLS's: the tenant's own root says so, whatever carries the bytes.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from holdfast.model.errors import DirectoryError, Invalid
from holdfast.node import settings

FILE_NAME: Final = "hub-ca.pem"
"""Where a node keeps what it was given when it joined."""
_EXPIRED, _NOT_YET, _OTHER_NAME = 10, 9, frozenset({62, 64})
"""OpenSSL's X509_V_ERR_… of a certificate that failed."""
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"})
_CAUSES_MAX: Final = 8


def read(file: Path) -> bytes:
    """The certificates of a PEM file, and nothing else that may stand in it. Raises Invalid."""
    way_out = "hub_ca names a PEM file: the certificate of who signed the hub's, or the hub's own"
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise Invalid.field(
            "hub_ca", f"{file} cannot be read ({error.strerror}); {way_out}"
        ) from error
    except ValueError as error:
        raise Invalid.field("hub_ca", f"{file} holds no certificate; {way_out}") from error
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in found)


def context(url: str, certificates: bytes | None) -> ssl.SSLContext | None:
    """What is believed of a hub at `url`: the system's authorities, and these. None without TLS."""
    if not url.startswith("https://"):
        return None
    made = ssl.create_default_context()
    if certificates:
        made.load_verify_locations(cadata=certificates.decode("ascii"))
        # What was named by hand is believed as it is, even if it is not its own issuer.
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


def context_of(url: str, directory: Path, hub_ca: str) -> ssl.SSLContext | None:
    """The same by the setting; a relative path counts from the data directory. Raises Invalid."""
    certificates = None
    if hub_ca and url.startswith("https://"):
        certificates = read(directory / Path(hub_ca).expanduser())
    return context(url, certificates)


def keep(directory: Path, certificates: bytes) -> None:
    """Put certificates into a node's directory, so that they stay with it. Raises
    DirectoryError."""
    path = directory / FILE_NAME
    try:
        path.write_bytes(certificates)
    except OSError as error:
        raise DirectoryError(f"{path} cannot be written ({error.strerror})") from error
    settings.set_value(directory, "hub_ca", FILE_NAME)


def fault(error: BaseException) -> str:
    """What a failed connection means if TLS is why, and the way out; else nothing."""
    found = _tls_error(error)
    if found is None:
        return ""
    if not isinstance(found, ssl.SSLCertVerificationError):
        if found.reason in _NO_TLS:
            return "no TLS is spoken there; the address may have to begin with http://"
        return f"TLS with it fails ({found.reason or found})"
    if found.verify_code == _EXPIRED:
        return "its TLS certificate has expired, if the date of this device is right; renew it"
    if found.verify_code == _NOT_YET:
        return "its TLS certificate is not valid yet, if the date of this device is right"
    if found.verify_code in _OTHER_NAME:
        return "its TLS certificate is for another name; use a name or address that it is for"
    return (
        f"its TLS certificate is not trusted here ({found.verify_message}); name the PEM file of "
        "who signed it, or of itself: --ca FILE where a node joins, later the setting hub_ca"
    )


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS library's own error among the causes of another one's."""
    for _ in range(_CAUSES_MAX):
        if error is None or isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
