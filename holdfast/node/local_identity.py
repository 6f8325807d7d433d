"""Who this directory is: tenant, venue, name, this life's incarnation, and its keys.

Owns what stands in the database under `identity` and in DIR/keys, and how the two become one value:
of the keys that lie there, the one that the newest certificate is for, whatever a kill has left.
Certificates themselves are `identity`'s business.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import DirectoryDamaged
from holdfast.model.limits import LIFE_NUMBER_MAX
from holdfast.node.identity import Identity, certified_key, verify_certificate
from holdfast.node.keys import (
    has_secret,
    read_secret,
    read_signing_key,
    read_signing_keys,
    write_secret,
    write_signing_key,
    write_signing_keys,
)
from holdfast.store.readonly import ReadOnlyStore
from holdfast.store.records import Records
from holdfast.sync.seals import NONCE_BYTES, incarnation_of

META_KEY: Final = "identity"
ROOT_META_KEY: Final = "identity.root"
NODE_KEY: Final = "node.pem"
SEALING_KEY: Final = "sealing.key"
PSEUDONYM_KEY: Final = "pseudonym.key"
FORMER_KEYS: Final = "former.pem"
"""The signing keys that this directory had before, newest first: what they have to seal of the
chains that were begun with them must be sealed by them."""


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
    born: list[bytes] = []


@dataclass(frozen=True)
class LocalIdentity:
    """One life of one directory. `nonce` is what its `incarnation` was made of, with the key that
    it began with, and `born` the certificates of that key where it has others now; `former` are
    keys that it had; `peer` is the hub's certificate chain, at a node."""

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
    born: list[bytes] = field(default_factory=list)
    former: tuple[Ed25519PrivateKey, ...] = ()

    @property
    def proven(self) -> Identity:
        """What the newest certificate says."""
        return verify_certificate(self.certificates, self.root)

    def key_of(self, public: Ed25519PublicKey) -> Ed25519PrivateKey:
        """The private key to a public one that this directory has, or had."""
        for key in (self.key, *self.former):
            if key.public_key() == public:
                return key
        # A chain of an earlier life whose key this directory lost: what it seals, nobody believes.
        return self.key

    @property
    def first_certificates(self) -> list[bytes]:
        """With which this life's chains begin, in whatever book and however late."""
        return self.born or self.certificates

    def renewed(self, certificates: list[bytes], key: Ed25519PrivateKey) -> LocalIdentity:
        """The same life with a newer certificate, for the same key or another one."""
        others = (self.key, *self.former) if key is not self.key else self.former
        others = tuple(one for one in others if one.public_key() != key.public_key())
        return replace(
            self, certificates=certificates, key=key, born=self.first_certificates, former=others
        )

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
            born=[],
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
                    self.certificates, self.succeeds, self.peer, self.nonce, self.born,
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


def save_signing_keys(
    directory: Path, key: Ed25519PrivateKey, others: Sequence[Ed25519PrivateKey]
) -> None:
    """Write the signing keys of a directory: the one in use, and those that it had or may get.

    First all of them beside the one that is there, so that a kill leaves none lost. Raises
    DirectoryError.
    """
    keys = directory / "keys"
    write_signing_keys(keys / FORMER_KEYS, (key, *others))
    write_signing_key(keys / NODE_KEY, key)
    write_signing_keys(keys / FORMER_KEYS, others)


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
    key, former = _signing_keys(keys, value.certificates[0])
    return LocalIdentity(
        value.tenant, value.venue, value.role, value.name, value.incarnation, value.number,
        key, value.certificates, root,
        X25519PrivateKey.from_private_bytes(read_secret(keys / SEALING_KEY)),
        read_secret(keys / PSEUDONYM_KEY), value.succeeds, value.peer, value.nonce, value.born,
        former,
    )  # fmt: skip


def own_lives(store: ReadOnlyStore) -> frozenset[bytes] | None:
    """The incarnations that a directory has had; None where it does not say."""
    stored = store.meta(META_KEY)
    if stored is None:
        return None
    try:
        value = msgspec.msgpack.decode(stored, type=_Stored)
    except msgspec.MsgspecError:
        return None
    return frozenset({value.incarnation, *value.succeeds})


def load_certificate(store: ReadOnlyStore) -> Identity:
    """What the newest certificate of a directory says, without its keys. Raises
    DirectoryDamaged."""
    stored, root = store.meta(META_KEY), store.meta(ROOT_META_KEY)
    if stored is None or root is None:
        raise DirectoryDamaged("the database holds no identity; restore a backup")
    certificates = msgspec.msgpack.decode(stored, type=_Stored).certificates
    return verify_certificate(certificates, root)


def _signing_keys(
    keys: Path, certificate: bytes
) -> tuple[Ed25519PrivateKey, tuple[Ed25519PrivateKey, ...]]:
    """The key that the certificate is for, and the others. Raises DirectoryDamaged."""
    others = read_signing_keys(keys / FORMER_KEYS) if has_secret(keys / FORMER_KEYS) else []
    found = {
        one.public_key().public_bytes_raw(): one
        for one in [read_signing_key(keys / NODE_KEY), *others]
    }
    key = found.pop(certified_key(certificate).public_bytes_raw(), None)
    if key is None:
        raise DirectoryDamaged(
            f"{keys / NODE_KEY} is not the key of this directory's certificate; restore it from a "
            "backup, or join anew"
        )
    return key, tuple(found.values())
