"""A node that joins a hub in the same process, by the real messages, without a socket."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.node import joining
from holdfast.node.hub import Hub
from holdfast.node.node import Node


def join(hub: Hub, directory: Path, venue: str, **settings: str) -> Node:
    """Invite, ask, handle, keep: what `Node.join` does over HTTP."""
    code = hub.invite(venue, "front-desk", directory.name).code
    key, sealing, incarnation = (
        Ed25519PrivateKey.generate(),
        X25519PrivateKey.generate(),
        os.urandom(16),
    )
    request = joining.request_for(code, key, sealing, incarnation)
    answer = joining.handle(hub, msgspec.msgpack.encode(request))
    admitted = joining.read_answer(answer, code, key, sealing)
    node = Node.admitted(directory, "", admitted, key, sealing, incarnation, **settings)
    node.prepare()
    return node
