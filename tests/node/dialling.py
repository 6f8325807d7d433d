"""A node's live channel by hand: its upgrade, its keys, and what is sent on it byte by byte."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect

from holdfast.node.http_signatures import LIVE_KEY_HEADER
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.transport import LIVE_PATH, signed_headers
from holdfast.sync import live_keys
from holdfast.sync.live_keys import LiveKeys


class Upgrade(NamedTuple):
    """What asks for a live channel, and the private key that only the asker has."""

    url: str
    headers: dict[str, str]
    own: X25519PrivateKey


class Dialled(NamedTuple):
    """An open channel; `keys` are the asker's."""

    socket: ClientConnection
    keys: LiveKeys

    async def say(self, message: bytes) -> None:
        await self.socket.send(self.keys.seal(message))

    async def hear(self) -> bytes:
        sealed = await self.socket.recv()
        assert isinstance(sealed, bytes)
        return self.keys.open(sealed)


def upgrade(identity: LocalIdentity, hub_url: str) -> Upgrade:
    own = X25519PrivateKey.generate()
    url = hub_url + LIVE_PATH
    return Upgrade(url, signed_headers(identity, "GET", url, b"", live_keys.write_key(own)), own)


def knock(asked: Upgrade) -> connect:
    """The upgrade as it stands, by its asker or by who has heard it."""
    return connect(asked.url.replace("http", "ws", 1), additional_headers=asked.headers, proxy=None)


@asynccontextmanager
async def dialled(asked: Upgrade) -> AsyncGenerator[Dialled, None]:
    async with knock(asked) as socket:
        assert socket.response is not None
        hub_key = live_keys.read_key(socket.response.headers[LIVE_KEY_HEADER])
        signature = asked.headers["Signature"]
        yield Dialled(socket, live_keys.for_node(asked.own, hub_key, signature))
