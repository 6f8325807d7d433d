"""The simulation's only source of randomness: everything that is drawn follows from the seed.

Owns the one place where what production code takes from the operating system (ids, nonces, keys,
prefixes, sealed secrets) is replaced. Each step draws from a stream of its own, so that a schedule
with fewer steps gives those that remain the same ids.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import random
from collections.abc import Generator
from typing import Any, Final
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from holdfast.node import cards, joining

_KEM_SUITE: Final = b"KEM\x00\x20"
_SUITE: Final = b"HPKE\x00\x20\x00\x01\x00\x02"
_EMPTY: Final = b""


class Chance:
    """A stream of bytes per label, all from one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(f"{seed}")  # noqa: S311 - replayed, not guessed at

    def begin(self, label: str) -> None:
        """From here on the stream of this label is drawn from."""
        self._random = random.Random(f"{self._seed}/{label}")  # noqa: S311

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    @contextlib.contextmanager
    def installed(self) -> Generator[None, None, None]:
        """Inside, the whole process draws from here; what was there before is put back."""
        with contextlib.ExitStack() as exits:
            for target, name, value in (
                (os, "urandom", self.bytes),
                # What `secrets` and `random.SystemRandom` draw from.
                (random, "_urandom", self.bytes),
                (Ed25519PrivateKey, "generate", self._signing_key),
                (X25519PrivateKey, "generate", self._sealing_key),
                (cards, "_SUITE", SeededSealing(self, cards._SUITE)),
                (joining, "_SUITE", SeededSealing(self, joining._SUITE)),
            ):
                exits.enter_context(mock.patch.object(target, name, value))
            yield

    def _signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.bytes(32))

    def _sealing_key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.bytes(32))


class SeededSealing:
    """HPKE (RFC 9180, base mode, single shot) whose one-time key comes from the seed.

    The library draws that key where nobody can reach it. Opening stays the library's: what is
    sealed here is opened by the code that production runs.
    """

    def __init__(self, chance: Chance, suite: Any) -> None:
        self._chance = chance
        self._suite = suite

    def decrypt(self, sealed: bytes, private: X25519PrivateKey, info: bytes) -> bytes:
        opened: bytes = self._suite.decrypt(sealed, private, info)
        return opened

    def encrypt(self, plain: bytes, public: X25519PublicKey, info: bytes) -> bytes:
        once = X25519PrivateKey.from_private_bytes(self._chance.bytes(32))
        encapsulated = once.public_key().public_bytes_raw()
        context = encapsulated + public.public_bytes_raw()
        extracted = _extract(_KEM_SUITE, _EMPTY, b"eae_prk", once.exchange(public))
        shared = _expand(_KEM_SUITE, extracted, b"shared_secret", context, 32)
        schedule = b"\x00" + _extract(_SUITE, _EMPTY, b"psk_id_hash", _EMPTY)
        schedule += _extract(_SUITE, _EMPTY, b"info_hash", info)
        secret = _extract(_SUITE, shared, b"secret", _EMPTY)
        key = _expand(_SUITE, secret, b"key", schedule, 32)
        nonce = _expand(_SUITE, secret, b"base_nonce", schedule, 12)
        return encapsulated + AESGCM(key).encrypt(nonce, plain, _EMPTY)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    labelled = b"HPKE-v1" + suite + label + material
    return hmac.digest(salt or bytes(32), labelled, hashlib.sha256)


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """One block of HKDF is enough for everything here."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labelled + b"\x01", hashlib.sha256)[:length]
