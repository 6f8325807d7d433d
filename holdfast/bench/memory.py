"""A node that joins a hub in the same process, by the real messages, without a socket."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.node import joining
from holdfast.node.hub import Hub
from holdfast.node.local_identity import new_life
from holdfast.node.node import Node


def join(hub: Hub, directory: Path, venue: str, **settings: str) -> Node:
    """Invite, ask, handle, keep: what `Node.join` does over HTTP."""
    code = hub.invite(venue, "front-desk", directory.name).code
    key, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    life = new_life(key)
    request = joining.request_for(code, key, sealing, life[0])
    answer = joining.handle(hub, msgspec.msgpack.encode(request))
    admitted = joining.read_answer(answer, code, key, sealing)
    node = Node.admitted(directory, "", admitted, key, sealing, life, **settings)
    node.prepare()
    return node
