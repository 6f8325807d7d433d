"""What stands on a page: an entry is an envelope and a content, as one byte string.

Owns the one fixed form of the envelope. Knows nothing of what contents mean (`events`), of chains
or pages (`holdfast.sync`), or of what an entry does to a reservation (`reservation`).

The bytes are MessagePack arrays, fields in the order below. The envelope never changes its form:
it counts once chain and seal hold, even where the content is quarantined or of a newer schema. Its
last field is left out where it says nothing (docs/decisions/0021).
An entry's **operation id** is not written into it: it is the first 16 bytes of the chain hash that
ends in the entry, so that it names exactly one entry of exactly one author
(docs/decisions/0004-operation-ids.md).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from holdfast.model.limits import (
    CLAIM_SECONDS_MAX,
    CLAIMS_PER_ENTRY_MAX,
    ENTRY_BYTES_MAX,
    FROM_PER_ENTRY_MAX,
)
from holdfast.model.pseudonyms import is_agent_id

SCHEMA: Final = 1
"""The newest content schema that this version understands; a newer one is `deferred`."""

HUB_RIGHT: Final = b"hub"
"""`Claim.right` of a sale from the hub's own remainder. A grant is named by its operation id."""

OPERATION_ID_BYTES: Final = 16
EPOCH_SECONDS_MAX: Final = 32_503_679_999
"""2999-12-31T23:59:59Z, the end of `YEAR_MAX`: later is a typing error, and so near to the end of
what calendars hold that a time zone's offset could no longer be added."""
STAMP_BITS: Final = 63
"""A stamp stays within a signed 64-bit number (`hlc.MS_READABLE_MAX`), which databases hold."""


class ClaimId(NamedTuple):
    """One claim: the operation that made it, and its place among that operation's claims."""

    operation: bytes
    index: int  # type: ignore[assignment]  # a field, where every tuple has a method


class Claim(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """A use of one resource in [start, end), epoch seconds, buffer included.

    `buffer` is how many of the last seconds are buffer; `right` names the right it is sold from
    (empty: provisional), `asks` the incarnation that is asked to decide (empty: the hub), and
    `replaces` the claim that a standby claim is to take the place of.
    """

    resource: str
    start: int
    end: int
    quantity: int = 1
    buffer: int = 0
    right: bytes = b""
    asks: bytes = b""
    replaces: ClaimId | None = None


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """An envelope (all but `schema` and `content`) and the content that it covers.

    `stamp` is the packed hybrid-logical-clock value (48 bits of milliseconds, 16 of counter), its
    node is the page's author; `uncertainty_ms` is how wrong the author's clock may have been.
    `follows` names the operations that the transition saw as leaves (DESIGN §4.5). `by` is the
    agent id of the person or application that did it, as the author's device says; empty: nobody
    is named. No fold, no right and no decision looks at it.
    """

    kind: str
    stamp: int
    uncertainty_ms: int
    subject: bytes
    follows: tuple[bytes, ...]
    claims: tuple[Claim, ...]
    ends: tuple[ClaimId, ...]
    schema: int
    content: bytes
    by: str = ""


class Malformed(ValueError):
    """Bytes that are no entry, and can never become one. The text is the gate's reason code."""


_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}(?:\.[a-z][a-z0-9_]{0,31}){1,3}\Z")
_RESOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry, strict=True)

_FIELDS: Final = len(Entry.__struct_fields__)
_WITHOUT_BY: Final = 0x90 | (_FIELDS - 1)
"""How the bytes of an entry begin that names nobody: an array with a field less."""
_HEAD: Final = bytes([_WITHOUT_BY])


def encode(entry: Entry) -> bytes:
    """The entry's bytes. Equal entries give equal bytes, so that chains can be rebuilt."""
    data = _encoder.encode(entry)
    # An empty text is one byte, and the last.
    return data if entry.by else _HEAD + data[1:-1]


def decode(data: bytes) -> Entry:
    """Read an entry and check all that its form demands. Raises `Malformed` with a reason code."""
    if len(data) > ENTRY_BYTES_MAX:
        raise Malformed("entry-too-large")
    try:
        entry = _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        # RecursionError: arrays nested beyond the interpreter's depth are no entry either.
        raise Malformed("entry-unreadable") from error
    if not entry.by and data[0] != _WITHOUT_BY and _length_of(data) == _FIELDS:
        # Written out although it says nothing: equal entries would have different bytes.
        raise Malformed("by-written-out")
    check_envelope(entry)
    return entry


def check_envelope(entry: Entry) -> None:
    """The bounds of every envelope field. Raises `Malformed`."""
    kind = entry.kind
    # The length first: what is remembered is never long, whatever somebody sends.
    if len(kind) > 64 or not _is_kind(kind):
        raise Malformed("kind-not-namespaced")
    if not (0 <= entry.stamp < 1 << STAMP_BITS and 0 <= entry.uncertainty_ms < 1 << 48):
        raise Malformed("stamp-out-of-range")
    if len(entry.subject) not in (0, 16) or entry.schema < 1:
        raise Malformed("envelope-out-of-range")
    if len(entry.follows) > FROM_PER_ENTRY_MAX:
        raise Malformed("too-many-predecessors")
    for operation in entry.follows:
        if len(operation) != OPERATION_ID_BYTES:
            raise Malformed("operation-id-length")
    if len(entry.claims) > CLAIMS_PER_ENTRY_MAX or len(entry.ends) > CLAIMS_PER_ENTRY_MAX:
        raise Malformed("too-many-claims")
    for claim in entry.claims:
        _check_claim(claim)
    for ended in entry.ends:
        _check_claim_id(ended)
    if entry.by and not is_agent_id(entry.by):
        raise Malformed("text-not-an-id:by")


def _length_of(data: bytes) -> int:
    """How many members the array has that these bytes are, in whichever of its three forms."""
    head = data[0]
    if head & 0xF0 == 0x90:
        return head & 0x0F
    return int.from_bytes(data[1:3] if head == 0xDC else data[1:5], "big")


@lru_cache(maxsize=256)
def _is_kind(text: str) -> bool:
    """Whether a kind is written as kinds are; of all entries that come in they are a few dozen."""
    return _KIND.match(text) is not None


def _check_claim(claim: Claim) -> None:
    length = claim.end - claim.start
    if claim.start < 0 or not 0 < length <= CLAIM_SECONDS_MAX or claim.end > EPOCH_SECONDS_MAX:
        raise Malformed("claim-interval")
    if not (0 <= claim.buffer < length and 1 <= claim.quantity <= 1_000_000):
        raise Malformed("claim-quantity")
    if len(claim.right) > 16 or len(claim.asks) not in (0, 16):
        raise Malformed("claim-out-of-range")
    if not _RESOURCE_ID.match(claim.resource):
        raise Malformed("text-not-an-id:resource")
    if claim.replaces is not None:
        _check_claim_id(claim.replaces)


def _check_claim_id(claim_id: ClaimId) -> None:
    if (
        len(claim_id.operation) != OPERATION_ID_BYTES
        or not 0 <= claim_id.index < CLAIMS_PER_ENTRY_MAX
    ):
        raise Malformed("claim-id")
