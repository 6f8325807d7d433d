"""What two replicas say to each other, as bytes: the messages of protocol version 1.

Owns the wire form: MessagePack arrays in the order of the fields, compressed with zlib where that
was agreed. docs/protocol.md describes it for other implementations, docs/vectors.json has examples.
"""

from __future__ import annotations

import zlib
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from holdfast.model import card_ids
from holdfast.model.errors import Invalid, TooLarge
from holdfast.model.limits import (
    CARD_KEYS_PER_MESSAGE,
    CHAINS_PER_BOOK_MAX,
    EXCHANGE_BYTES_MAX,
    EXCHANGE_INFLATED_BYTES_MAX,
    FRAMES_PER_MESSAGE_MAX,
)

PROTOCOL_VERSION: Final = 1
"""1 (2026-11): the first. A side that meets another major version says so and changes nothing."""

CONTENT_TYPE: Final = "application/vnd.holdfast.exchange+msgpack"

Count: TypeAlias = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
"""A number on the wire: what every database and language holds. Counts, positions, milliseconds."""


TRAIL_HASH_BYTES: Final = 16
"""Of each chain hash in a head's trail."""


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A chain as its holder has it: entries counted, the chain hash after the last of them, the
    newest page's document state vector, and a `trail`: the first 16 bytes of the chain hash after
    every TRAIL_SPACING entries, by which two branches find where they part."""

    incarnation: bytes
    entries: Count
    hash: bytes
    vector: bytes = b""
    trail: bytes = b""


class Frame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A page's update behind an entry that both sides hold, and the seal that covers it.

    `base` is the chain hash before the update's first entry; `sealed` how many entries of the chain
    the Ed25519 `seal` covers.
    """

    incarnation: bytes
    page: Count
    base: bytes
    update: bytes
    sealed: Count
    seal: bytes


class CardKeyItem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A guest card's key, sealed to the venue's public key `sealed_to`; it travels beside the
    documents (DESIGN §8).

    The card's two digests name it: so nobody brings other bytes as the first key of a known card.
    """

    text_digest: bytes
    key_digest: bytes
    sealed: bytes
    sealed_to: bytes

    @property
    def card(self) -> bytes:
        """The id of the card."""
        return card_ids.card_id(self.text_digest, self.key_digest)

    @property
    def first(self) -> bool:
        """Whether it is the card's first key; else it is one that was sealed anew, or junk."""
        return card_ids.key_digest(self.sealed_to, self.sealed) == self.key_digest


class Cursor(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a reader stands in a replica's change feed; it holds for one incarnation of it."""

    incarnation: bytes
    seq: Count
    keys: Count = 0


class NodeStatus(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the fleet view shows of a node."""

    queued: Count = 0
    clock_state: Annotated[str, Meta(max_length=32)] = ""
    uncertainty_ms: Count = 0
    software: Annotated[str, Meta(max_length=64)] = ""
    number: Count = 1


class ExchangeRequest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One round's question. `heads` is None where `cursor` says enough.

    `more`: the sender's backlog goes on in a further message, so that nothing of it is to be
    decided yet. `sent_at_ms` is the sender's clock, for the time sample.
    """

    version: Count
    book: str
    sender: Annotated[bytes, Meta(min_length=16, max_length=16)]
    round: Count
    sent_at_ms: Count
    cursor: Cursor | None = None
    heads: Annotated[tuple[Head, ...], Meta(max_length=CHAINS_PER_BOOK_MAX)] | None = None
    frames: Annotated[tuple[Frame, ...], Meta(max_length=FRAMES_PER_MESSAGE_MAX)] = ()
    keys: Annotated[tuple[CardKeyItem, ...], Meta(max_length=CARD_KEYS_PER_MESSAGE)] = ()
    more: bool = False
    status: NodeStatus = NodeStatus()
    pull: bool = True


class ExchangeResponse(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One round's answer, or news on the live channel (round 0).

    `acks` says how many entries of each chain that was sent are durable here; `verdicts` are those
    that did not simply merge, as (incarnation, n, verdict, reason); `refused` the frames that the
    gate refused whole, as (incarnation, page, reason). `heads` is given where the asker must
    compare (no cursor, or a cursor of another life). `digest` is the folded book's, at
    `digest_heads`. `keys_later` are cards whose keys were not taken, since too many of this sender
    wait for their entry: they are to be offered again later.
    """

    version: Count
    sender: Annotated[bytes, Meta(min_length=16, max_length=16)]
    round: Count
    received_at_ms: Count
    sent_at_ms: Count
    uncertainty_ms: Count
    acks: tuple[tuple[bytes, Count, bytes], ...] = ()
    verdicts: tuple[tuple[bytes, Count, str, str], ...] = ()
    refused: tuple[tuple[bytes, Count, str], ...] = ()
    frames: tuple[Frame, ...] = ()
    keys: tuple[CardKeyItem, ...] = ()
    cursor: Cursor | None = None
    heads: tuple[Head, ...] | None = None
    more: bool = False
    digest: bytes = b""
    digest_heads: bytes = b""
    state: str = "serving"
    keys_later: tuple[bytes, ...] = ()


_LEVEL: Final = 6
_SHORT_WINDOW_BITS: Final = 12
_SHORT_MEMORY_LEVEL: Final = 5

Message = TypeVar("Message")

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[type, Any] = {
    kind: msgspec.msgpack.Decoder(kind, strict=True) for kind in (ExchangeRequest, ExchangeResponse)
}


def encode(message: Any, *, compress: bool = True) -> bytes:
    """The message's bytes: one byte that says whether the rest is compressed, then the rest."""
    body = _encoder.encode(message)
    if compress and len(body) > 256:
        return b"\x01" + _deflated(body)
    return b"\x00" + body


def _deflated(body: bytes) -> bytes:
    """The body as a zlib stream. For a short one, such as a live operation's, making the usual
    window of 32 KiB takes longer than compressing does; one of 4 KiB holds it all the same."""
    if len(body) > 1 << _SHORT_WINDOW_BITS:
        return zlib.compress(body, _LEVEL)
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, _SHORT_WINDOW_BITS, _SHORT_MEMORY_LEVEL)
    return deflater.compress(body) + deflater.flush()


def decode(data: bytes, kind: type[Message]) -> Message:
    """Read a message. Raises TooLarge for what exceeds the limits, Invalid for any other bytes."""
    if len(data) > EXCHANGE_BYTES_MAX:
        raise TooLarge(f"an exchange has at most {EXCHANGE_BYTES_MAX} bytes, not {len(data)}")
    body = _inflate(data)
    try:
        message: Message = _decoders[kind].decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid(
            f"these bytes are no {kind.__name__} of protocol {PROTOCOL_VERSION}"
        ) from error
    version: int = message.version  # type: ignore[attr-defined]
    if version != PROTOCOL_VERSION:
        raise Invalid(
            f"the other side speaks protocol {version}, this one {PROTOCOL_VERSION}; "
            "upgrade the older of the two"
        )
    return message


def _inflate(data: bytes) -> bytes:
    if not data or data[0] not in (0, 1):
        raise Invalid("these bytes are no exchange: their first one is neither 0 nor 1")
    if data[0] == 0:
        return data[1:]
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(data[1:], EXCHANGE_INFLATED_BYTES_MAX)
    except zlib.error as error:
        raise Invalid("a compressed exchange is damaged or cut off") from error
    if inflater.unconsumed_tail:
        raise TooLarge(
            f"an exchange has at most {EXCHANGE_INFLATED_BYTES_MAX} bytes after decompression"
        )
    if not inflater.eof or inflater.unused_data:
        raise Invalid("a compressed exchange is damaged or cut off")
    return body
