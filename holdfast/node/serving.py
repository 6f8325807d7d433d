"""The answering side of the protocol: authenticate, hand to the replica, sign the answer.

Owns what a replica does with a request between replicas once HTTP has delivered it; routes and
sockets are the API's. Only a certificate of the tenant's root, unrevoked and of this venue, is
heard (DESIGN §7.1).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.discipline import CLOCK_STATES
from holdfast.model.errors import Forbidden, Unauthorised
from holdfast.model.limits import FLEET_NOTED_EVERY_MS
from holdfast.node import joining, renewing, standing
from holdfast.node.challenges import Challenges
from holdfast.node.exchange import Exchange
from holdfast.node.http_signatures import (
    CERTIFICATE_HEADER,
    CHALLENGE_HEADER,
    LIVE_KEY_HEADER,
    SIGNATURE_HEADER,
    NonceMemory,
    sign_response,
    verify_request,
)
from holdfast.node.identity import HUB_ROLE, Identity, key_id, verify_certificate
from holdfast.node.transport import EXCHANGE_PATH, certificate_header, read_certificate_header
from holdfast.sync import live_keys
from holdfast.sync.live_keys import LiveKeys
from holdfast.sync.messages import (
    CONTENT_TYPE,
    Cursor,
    ExchangeRequest,
    ExchangeResponse,
    decode,
    encode,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from holdfast.node.replica import Change
    from holdfast.node.service import Service

SWITCHING_PROTOCOLS: Final = 101
COMPRESSION_HEADER: Final = "Holdfast-Compression"
_SOFTWARE: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def authenticate(
    replica: Service,
    method: str,
    path: str,
    authority: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    live: bool = False,
) -> Identity:
    """Who asks, proved; `live` for the upgrade to the live channel. Raises Unauthorised,
    Forbidden."""
    lowered = {name.lower(): value for name, value in headers.items()}
    chain = read_certificate_header(lowered.get(CERTIFICATE_HEADER.lower(), ""))
    try:
        sender = verify_certificate(chain, replica.identity.root)
    except Unauthorised as error:
        raise standing.other_root() if standing.is_other_root(error) else error from None

    def resolve(name: str) -> Ed25519PublicKey:
        if name != key_id(chain[0]):
            raise Unauthorised("the signature names another certificate than the one it carries")
        return sender.public_key

    url = f"http://{authority}{path}"
    signed = verify_request(method, url, lowered, body, resolve, live=live)
    if sender.tenant != replica.identity.tenant:
        raise Forbidden("the certificate is of another tenant")
    standing.require_current(sender, replica.clock.interval())
    # Last, for it uses the request up. An upgrade needs no challenge: its keys are fresh each time.
    if live:
        _nonces(replica).accept(signed)
    else:
        challenges(replica).use(signed.key_id, lowered.get(CHALLENGE_HEADER.lower(), ""))
    return sender


def _nonces(replica: Service) -> NonceMemory:
    memory = replica.__dict__.get("nonces")
    if not isinstance(memory, NonceMemory):
        memory = replica.__dict__["nonces"] = NonceMemory()
    return memory


def challenges(replica: Service) -> Challenges:
    """What this run of the replica asks others to sign; another run asks for something else."""
    made = replica.__dict__.get("challenges")
    if not isinstance(made, Challenges):
        # Of two threads that come first, one makes it: the dictionary's own step settles which.
        made = replica.__dict__.setdefault("challenges", Challenges())
    return made


def authorise(replica: Service, sender: Identity, request: ExchangeRequest) -> None:
    """A node gets its own venue's book and no other. Raises Forbidden."""
    tenant, _, venue = request.book.partition("/")
    if tenant != replica.identity.tenant or sender.venue not in (venue, "*"):
        raise Forbidden(f"{sender.name} belongs to {sender.venue}, not to {request.book}")
    if replica.identity.venue not in (venue, "*"):
        raise Forbidden(f"this device serves {replica.identity.venue}, not {venue}")
    require_admitted(replica, sender, request.book)
    standing.require_current(sender, replica.clock.interval())
    # Who waits, who was heard and who must be fed follows from the sender: it must be its own.
    with replica.lock:
        book = replica.books.get(request.book)
        author = book.authors.get(request.sender) if book is not None else None
    if author is not None and (author.info.name, author.venue) != (sender.name, sender.venue):
        raise Forbidden(f"{sender.name} cannot speak for {author.info.name}")


def require_admitted(replica: Service, sender: Identity, name: str) -> None:
    """A device that was shut out is told nothing more of a book. Raises Forbidden, Unauthorised."""
    # While another thread reads the books anew, after a rollback, none of them shuts anybody out.
    with replica.lock:
        book = replica.books.get(name)
        if book is not None:
            standing.require_good(book, sender)


def handle_exchange(
    replica: Service,
    method: str,
    path: str,
    authority: str,
    headers: Mapping[str, str],
    body: bytes,
) -> tuple[int, dict[str, str], bytes]:
    """Answer `POST /sync/v1/exchange`. Raises HoldfastError for the face to render."""
    sender = authenticate(replica, method, path, authority, headers, body)
    request = decode(body, ExchangeRequest)
    authorise(replica, sender, request)
    response = Exchange(replica).answer(request, sender.name, sender.role)
    note_fleet(replica, sender, request)
    plain = _header(headers, COMPRESSION_HEADER) == "none"
    return _signed(replica, headers, encode(response, compress=not plain))


def handle_join(
    replica: Service,
    method: str,
    path: str,
    authority: str,
    headers: Mapping[str, str],
    body: bytes,
) -> tuple[int, dict[str, str], bytes]:
    """Answer `POST /sync/v1/join`; the code is the proof, and the answer signs itself."""
    from holdfast.node.hub import Hub

    if not isinstance(replica, Hub):
        raise Forbidden("devices join at the hub, and this is a node")
    return 200, {"Content-Type": "application/octet-stream"}, joining.handle(replica, body)


def handle_renew(
    replica: Service,
    method: str,
    path: str,
    authority: str,
    headers: Mapping[str, str],
    body: bytes,
) -> tuple[int, dict[str, str], bytes]:
    """Answer `POST /sync/v1/renew`: signed like an exchange, and so is the answer."""
    from holdfast.node.hub import Hub

    sender = authenticate(replica, method, path, authority, headers, body)
    if not isinstance(replica, Hub):
        raise Forbidden("the hub issues certificates, and this is a node")
    return _signed(replica, headers, renewing.answer(replica, sender, body))


HANDLERS: Final = {
    EXCHANGE_PATH: handle_exchange,
    joining.JOIN_PATH: handle_join,
    renewing.RENEW_PATH: handle_renew,
}
"""Who answers a POST at which path."""


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((v for k, v in headers.items() if k.lower() == name.lower()), "")


def _signed(
    replica: Service,
    headers: Mapping[str, str],
    body: bytes,
    status: int = 200,
    live_key: str = "",
) -> tuple[int, dict[str, str], bytes]:
    lowered = {name.lower(): value for name, value in headers.items()}
    chain = read_certificate_header(lowered.get(CERTIFICATE_HEADER.lower(), ""))
    challenge = "" if live_key else challenges(replica).issue(key_id(chain[0]))
    identity = replica.identity
    signature = sign_response(
        status, body, lowered, identity.key, key_id(identity.certificates[0]),
        int(time.time()), certificate_header(identity.certificates), live_key, challenge,
    )  # fmt: skip
    return status, {**signature, "Content-Type": CONTENT_TYPE}, body


def note_fleet(replica: Service, sender: Identity, request: ExchangeRequest) -> None:
    """Remember when a node was last heard, and what it said of itself: of its texts what is none
    of the words they are made of is left out, since people read them in terminals."""
    if replica.role != "hub" or sender.role == HUB_ROLE:
        return
    status = request.status
    detail = msgspec.msgpack.encode(
        {
            "queued": status.queued,
            "clock_state": status.clock_state if status.clock_state in CLOCK_STATES else "",
            "uncertainty_ms": status.uncertainty_ms,
            "software": status.software if _SOFTWARE.fullmatch(status.software) else "",
            "number": status.number,
        }
    )
    replica.saw_node(request.sender, request.book, sender, detail)


class LiveSession:
    """One node's live channel at this replica: its requests, and the news for it.

    Until the first message has opened under `keys` nothing is done, noted or told: an upgrade that
    somebody heard and repeats looks just like one.
    """

    def __init__(
        self,
        replica: Service,
        sender: Identity,
        loop: asyncio.AbstractEventLoop,
        keys: LiveKeys,
        plain: bool,
    ) -> None:
        self._r = replica
        self._sender = sender
        self._exchange = Exchange(replica)
        self._loop = loop
        self._plain = plain
        self.keys = keys
        self.turn = asyncio.Lock()
        """Held from sealing a message until it was sent."""
        self._cursor: Cursor | None = None
        self._book = ""
        self._node = b""
        self._wake = asyncio.Event()
        self._queued, self._noted_at = -1, 0.0
        self.upgrade_headers: dict[str, str] = {}
        """What the answer to the upgrade carries: it proves the hub, as every answer does."""
        self.device = (sender.venue, sender.name)
        """Whose channel it is: venue and name."""
        replica.listeners.append(self._changed)

    @classmethod
    def accept(
        cls, replica: Service, method: str, path: str, authority: str, headers: Mapping[str, str]
    ) -> LiveSession:
        """Authenticate the upgrade request, and agree on keys. Raises Unauthorised, Forbidden."""
        sender = authenticate(replica, method, path, authority, headers, b"", live=True)
        own = X25519PrivateKey.generate()
        node_key = live_keys.read_key(_header(headers, LIVE_KEY_HEADER))
        keys = live_keys.for_hub(own, node_key, _header(headers, SIGNATURE_HEADER))
        plain = _header(headers, COMPRESSION_HEADER) == "none"
        session = cls(replica, sender, asyncio.get_running_loop(), keys, plain)
        _, signature, _ = _signed(
            replica, headers, b"", SWITCHING_PROTOCOLS, live_keys.write_key(own)
        )
        session.upgrade_headers = {
            name: value for name, value in signature.items() if name.lower() != "content-type"
        }
        return session

    def _changed(self, change: Change) -> None:
        if change.book == self._book:
            self._loop.call_soon_threadsafe(self._wake.set)

    def receive(self, data: bytes) -> bytes:
        """Answer one opened message of the node. Runs in the writer's thread. Raises
        HoldfastError."""
        request = decode(data, ExchangeRequest)
        authorise(self._r, self._sender, request)
        response = self._exchange.answer(request, self._sender.name, self._sender.role)
        now = self._r.clock.monotonic_ms()
        if request.status.queued != self._queued or now - self._noted_at > FLEET_NOTED_EVERY_MS:
            # What the operator reads must follow the queue, and not cost a commit for each message.
            self._queued, self._noted_at = request.status.queued, now
            note_fleet(self._r, self._sender, request)
        self._book, self._node = request.book, request.sender
        if response.cursor is not None:
            self._cursor = response.cursor
        return encode(response, compress=not self._plain)

    async def wait(self) -> None:
        """Until something may be new for this node."""
        await self._wake.wait()
        self._wake.clear()

    def news(self) -> bytes | None:
        """What is new since the last message to this node; None if nothing is. Runs in the
        writer's thread. Raises Forbidden once the node was shut out."""
        if self._cursor is None:
            return None
        require_admitted(self._r, self._sender, self._book)
        response = self._exchange.news(self._book, self._cursor, self._node)
        if response is None:
            return None
        if response.cursor is not None:
            self._cursor = response.cursor
        if response.more:
            self._loop.call_soon_threadsafe(self._wake.set)
        return encode(response, compress=not self._plain)

    def close(self) -> None:
        if self._changed in self._r.listeners:
            self._r.listeners.remove(self._changed)


__all__ = [
    "ExchangeResponse", "LiveSession", "handle_exchange", "handle_join", "handle_renew",
]  # fmt: skip
