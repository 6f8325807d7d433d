"""Who this directory is: tenant, venue, name, this life's incarnation, and its keys.

Owns what stands in the database under `identity` and in DIR/keys, and how the two become one value.
Certificates themselves are `identity`'s business.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import DirectoryDamaged
from holdfast.model.limits import LIFE_NUMBER_MAX
from holdfast.node.keys import read_secret, read_signing_key, write_secret, write_signing_key
from holdfast.store.records import Records
from holdfast.sync.seals import NONCE_BYTES, incarnation_of

META_KEY: Final = "identity"
ROOT_META_KEY: Final = "identity.root"
NODE_KEY: Final = "node.pem"
SEALING_KEY: Final = "sealing.key"
PSEUDONYM_KEY: Final = "pseudonym.key"


class _Stored(msgspec.Struct, array_like=True):
    tenant: str
    venue: str
    role: str
    name: str
    incarnation: bytes
    number: int
    certificates: list[bytes]
    succeeds: list[bytes]
    peer: list[bytes]
    nonce: bytes


@dataclass(frozen=True)
class LocalIdentity:
    """One life of one directory. `nonce` is what its `incarnation` was made of, with the key that
    it began with; `peer` is the hub's certificate chain, at a node."""

    tenant: str
    venue: str
    role: str
    name: str
    incarnation: bytes
    number: int
    key: Ed25519PrivateKey
    certificates: list[bytes]
    root: bytes
    sealing_private: X25519PrivateKey
    pseudonym_key: bytes
    succeeds: list[bytes]
    peer: list[bytes]
    nonce: bytes

    @property
    def sealing_public(self) -> bytes:
        return self.sealing_private.public_key().public_bytes_raw()

    def next_life(self, after: int = 0) -> LocalIdentity:
        """Another incarnation of the same node: same keys, no rights, its own chain (§5.8).

        `after` is the highest number that any life of this name is known to have. A hostile one may
        claim the last there is; two lives of one number close neither.
        """
        incarnation, nonce = new_life(self.key)
        return replace(
            self,
            incarnation=incarnation,
            nonce=nonce,
            number=min(max(self.number, after) + 1, LIFE_NUMBER_MAX),
            succeeds=[*self.succeeds, self.incarnation],
        )

    def save(self, records: Records) -> None:
        """Write it into the database; call inside a transaction."""
        records.put(
            META_KEY,
            msgspec.msgpack.encode(
                _Stored(
                    self.tenant, self.venue, self.role, self.name, self.incarnation, self.number,
                    self.certificates, self.succeeds, self.peer, self.nonce,
                )
            ),
        )  # fmt: skip
        records.put(ROOT_META_KEY, self.root)

    def save_keys(self, directory: Path) -> None:
        save_own_keys(directory, self.key, self.sealing_private)
        write_secret(directory / "keys" / PSEUDONYM_KEY, self.pseudonym_key)


def save_own_keys(directory: Path, key: Ed25519PrivateKey, sealing: X25519PrivateKey) -> None:
    """Write what a device makes for itself before anybody knows it. Raises DirectoryError."""
    keys = directory / "keys"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_signing_key(keys / NODE_KEY, key)
    write_secret(keys / SEALING_KEY, sealing.private_bytes_raw())


def new_life(key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """A new incarnation of a key's owner, and the nonce that it was made of."""
    nonce = os.urandom(NONCE_BYTES)
    return incarnation_of(key.public_key().public_bytes_raw(), nonce), nonce


def load(directory: Path, records: Records) -> LocalIdentity:
    """Read the identity of a directory. Raises DirectoryDamaged where a part is missing."""
    stored, root = records.get(META_KEY), records.get(ROOT_META_KEY)
    if stored is None or root is None:
        raise DirectoryDamaged(
            f"{directory} holds a database without an identity; "
            "it was not made by `holdfast hub init` or `holdfast node join`"
        )
    value = msgspec.msgpack.decode(stored, type=_Stored)
    keys = directory / "keys"
    return LocalIdentity(
        value.tenant, value.venue, value.role, value.name, value.incarnation, value.number,
        read_signing_key(keys / NODE_KEY), value.certificates, root,
        X25519PrivateKey.from_private_bytes(read_secret(keys / SEALING_KEY)),
        read_secret(keys / PSEUDONYM_KEY), value.succeeds, value.peer, value.nonce,
    )  # fmt: skip
