"""PINs of staff: how they are kept so that a stolen database alone says nothing of them.

Owns the hash, its parameters and the pepper, a key of this device in DIR/keys. A PIN has four
digits: whatever the hash costs, who has it tries ten thousand in minutes. So the pepper, which is
no part of the database, goes into it; the slow hash is for whoever has both.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import threading
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from holdfast.model.errors import Invalid
from holdfast.model.limits import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from holdfast.node.keys import read_secret, write_secret

PEPPER_FILE: Final = "pin.pepper"
_SCHEME: Final = "scrypt"
_LOG_N: Final = 15
_R: Final = 8
_P: Final = 1
"""32 MiB for the moment, and about 90 ms on one core of a server that is not the fastest."""
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_PEPPER_BYTES: Final = 32


def check_pin(pin: str) -> None:
    """Raises Invalid for anything but 4 to 10 digits, without quoting it."""
    if not (PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX and pin.isascii() and pin.isdigit()):
        raise Invalid.field("pin", f"must be {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")


class Pins:
    """The PINs of one data directory. Hashing is slow by intention: keep it off the event loop."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "keys" / PEPPER_FILE
        self._known: bytes | None = None
        self._lock = threading.Lock()

    def hashed(self, staff_id: str, pin: str) -> str:
        """What is kept of a PIN: scheme, parameters, salt and hash, as text. Raises Invalid and
        DirectoryError."""
        check_pin(pin)
        pepper = self._pepper()
        salt = secrets.token_bytes(_SALT_BYTES)
        digest = _slow(_peppered(pepper, staff_id, pin), salt, _LOG_N, _R, _P)
        return _kept(salt, digest)

    def is_right(self, staff_id: str, pin: str, kept: str | None) -> bool:
        """Whether it is the PIN. `kept` None, for a name that nobody has, takes the same time.

        Where the pepper was lost, another is made, and no PIN is right until it is set anew.
        """
        nobody = _kept(bytes(_SALT_BYTES), b"")
        _, log_n, r, p, salt, digest = (kept or nobody).split("$")
        peppered = _peppered(self._pepper(), staff_id, pin)
        found = _slow(peppered, base64.b64decode(salt), int(log_n), int(r), int(p))
        return hmac.compare_digest(found, base64.b64decode(digest))

    def mark(self, login: str) -> bytes:
        """What stands for a name where it is counted how often its PIN was wrong."""
        said = b"holdfast.name\0" + login.encode("utf-8", "surrogateescape")
        return hmac.digest(self._pepper(), said, "sha256")

    def _pepper(self) -> bytes:
        with self._lock:
            if self._known is None:
                if not self._path.exists():
                    write_secret(self._path, secrets.token_bytes(_PEPPER_BYTES))
                self._known = read_secret(self._path)
            return self._known


def _slow(secret: bytes, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=_HASH_BYTES, n=1 << log_n, r=r, p=p).derive(secret)


def _peppered(pepper: bytes, staff_id: str, pin: str) -> bytes:
    said = f"holdfast.pin\0{staff_id}\0{pin}".encode("utf-8", "surrogateescape")
    return hmac.digest(pepper, said, "sha256")


def _kept(salt: bytes, digest: bytes) -> str:
    return "$".join((_SCHEME, str(_LOG_N), str(_R), str(_P), _text(salt), _text(digest)))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
