"""The contents of entries: what happened, as small structs with past-tense names.

Owns the closed list of kinds, how a content is read, and the rule that **every text is an id, a
code of a closed list, or sealed** (DESIGN §8). Knows nothing of what an event does to a
reservation (`reservation`) or to a book (`administration`).

The tag of the union is the envelope's `kind`. Contents are MessagePack arrays: a later version
appends fields with defaults and raises the entry's schema only when an older reader would be
misled; a reader ignores what it does not know at the end of an array, once it has seen that no
clear text stands there either.
"""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

import msgspec

from holdfast.model.entries import EPOCH_SECONDS_MAX, SCHEMA, Entry, Malformed
from holdfast.model.limits import (
    CARD_BYTES_MAX,
    LIFE_NUMBER_MAX,
    METADATA_BYTES_MAX,
    NIGHTS_WRITTEN_MAX,
    PARTY_MAX,
    YEAR_MAX,
    YEAR_MIN,
)
from holdfast.model.nesting import nested_too_deeply
from holdfast.model.pseudonyms import is_agent_id
from holdfast.model.vocabulary import (
    CANCEL_REASONS,
    CANCELLED_BY,
    OCCASIONS,
    RESERVATION_KINDS,
    SOURCES,
)


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all contents."""


class SealedCard(
    msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True
):
    """A guest card as it stands on a page: unreadable without its key, which travels elsewhere."""

    id: bytes
    ciphertext: bytes


class ReservationCreated(Event, frozen=True):
    """Somebody asked for a place. Where and when stand in the envelope's claims.

    `service_date` (YYYY-MM-DD) is the writer's reading of the venue's calendar; it is data, so that
    a later change of the venue cannot make two replicas file the reservation under two dates.
    `outcome` is set by imports alone: the status that an existing system says it ended in.
    `made_at_ms` is when it was made there (0: when it was written here).
    """

    agent_id: str
    party_size: int
    code: str
    service_date: str
    kind: str = "guest"
    source: str = "direct"
    may_move: bool = False
    resource_kind: str = ""
    area: str = ""
    occasion: str = ""
    nights: int = 0
    card: SealedCard | None = None
    metadata: dict[str, Any] = {}
    outcome: str = ""
    made_at_ms: int = 0
    starts_at: int = 0
    ends_at: int = 0


class ReservationAmended(Event, frozen=True):
    """Fields that were overwritten; those that are not named stand."""

    fields: dict[str, Any]
    card: SealedCard | None = None


class ReservationMoved(Event, frozen=True):
    """Another time, place or quantity was asked for; `fields` count once its claims do."""

    fields: dict[str, Any] = {}
    card: SealedCard | None = None


class ReservationCancelled(Event, frozen=True):
    """An intent: it wins over every decision, and loses to a guest who sits at the table."""

    reason: str
    by: str
    note: SealedCard | None = None


class ReservationCheckedIn(Event, frozen=True):
    """A fact: the guest is here. `at_ms` is when it was seen; 0: when it was written."""

    actual_party_size: int = 0
    at_ms: int = 0


class ReservationCompleted(Event, frozen=True):
    """A fact: the guest left."""

    at_ms: int = 0


class ReservationMarkedNoShow(Event, frozen=True):
    """A judgement of the house: nobody came."""

    at_ms: int = 0


class ReservationNoShowUndone(Event, frozen=True):
    """The judgement was wrong."""


class ReservationAttendanceConfirmed(Event, frozen=True):
    """The guest said again that they will come."""


class ClaimDecided(Event, frozen=True):
    """The holder's answer to a provisional claim; the envelope repeats or replaces its claims.

    `decides` is the operation that asked; `verdict` one of admitted, moved, displaced; `won` the
    reservations that hold what could not be had; `relied_on` the chain heads that the decider had
    folded, as (incarnation, entries, first 8 bytes of the head).
    """

    decides: bytes
    verdict: str
    reason: str = ""
    won: tuple[bytes, ...] = ()
    relied_on: tuple[tuple[bytes, int, bytes], ...] = ()
    from_resources: tuple[str, ...] = ()


class ClaimEnded(Event, frozen=True):
    """The holder freed what the envelope's `ends` names."""

    reason: str


class ExceptionResolved(Event, frozen=True):
    """A person looked at an exception and did something about it.

    `about` names the decision that displaced; a later displacement is another exception.
    """

    exception: str
    action: str
    reason: str = ""
    about: bytes = b""


class OperationWithdrawn(Event, frozen=True):
    """The way out for an operation of the same writer that cannot count."""

    operation: bytes
    reason: str = ""


class ChainCertified(Event, frozen=True):
    """The first entry of every chain: who writes here, proved by the tenant's root key.

    `certificates` is an X.509 chain, leaf first, in DER; `sealing_key` the node's X25519 public
    key; `number` counts the lives of one directory, for people; `succeeds` names the incarnations
    whose work this one carries on; `nonce` proves that the incarnation's name is the key's own.
    """

    certificates: tuple[bytes, ...]
    sealing_key: bytes
    number: int = 1
    succeeds: tuple[bytes, ...] = ()
    software: str = ""
    nonce: bytes = b""


class ChainKeyChanged(Event, frozen=True):
    """A new certificate and key, sealed by the old one, valid from the next entry."""

    certificates: tuple[bytes, ...]
    sealing_key: bytes = b""


class ChainSucceeded(Event, frozen=True):
    """The last entry of a chain that ends on purpose; `by` carries on with true stamps."""

    by: bytes
    reason: str = ""


class ChainClosed(Event, frozen=True):
    """The hub names the one branch and head of an incarnation up to which its rights count."""

    incarnation: bytes
    branch: bytes
    entries: int
    head: bytes
    reason: str = ""


class NodeRevoked(Event, frozen=True):
    """The hub shut a node out: no certificate with one of the `serials` (20 bytes each, big-endian)
    is served any more; `heads` name where each of its incarnations ends.

    By serial and not by name: the device that takes its place may bear the same name.
    """

    node: str
    serials: tuple[bytes, ...]
    heads: tuple[tuple[bytes, int, bytes], ...] = ()
    reason: str = ""


class VenueConfigured(Event, frozen=True):
    """The venue file as JSON. The newest in the hub's chain is in force."""

    document: bytes


class CodesGranted(Event, frozen=True):
    """Two-character prefixes (0-1023) of reservation codes that one incarnation may use."""

    incarnation: bytes
    prefixes: tuple[int, ...]


class VenueKeyPublished(Event, frozen=True):
    """The venue's X25519 public key, to which guest cards' keys are sealed."""

    public_key: bytes


class VenueKeyAccepted(Event, frozen=True):
    """The hub saw a front desk publish this key: the newest accepted one is in force.

    Without the hub's word a stamp from the past would bring a key into force.
    """

    public_key: bytes


class VenueKeyHanded(Event, frozen=True):
    """The venue's private key, sealed to one node's sealing key; the hub only forwards it."""

    recipient: bytes
    public_key: bytes
    sealed: bytes


class RightGranted(Event, frozen=True):
    """The hub hands a part of a resource's capacity to one incarnation (DESIGN §5.7)."""

    holder: bytes
    resource: str
    quantity: int
    start: int
    end: int
    release_minutes: int = -1
    after: bytes = b""
    handed: tuple[tuple[bytes, int], ...] = ()


class RightReturned(Event, frozen=True):
    """A holder gives a right back, naming the live claims it hands over."""

    right: bytes
    handed: tuple[tuple[bytes, int], ...] = ()


class RightRevoked(Event, frozen=True):
    """The hub takes a right back, counting the holder's entries up to the named head."""

    right: bytes
    entries: int
    head: bytes
    reason: str = ""


EVENT_BY_KIND: Final[dict[str, type[Event]]] = {
    "reservation.created": ReservationCreated,
    "reservation.amended": ReservationAmended,
    "reservation.moved": ReservationMoved,
    "reservation.cancelled": ReservationCancelled,
    "reservation.checked_in": ReservationCheckedIn,
    "reservation.completed": ReservationCompleted,
    "reservation.no_show": ReservationMarkedNoShow,
    "reservation.no_show_undone": ReservationNoShowUndone,
    "reservation.attendance_confirmed": ReservationAttendanceConfirmed,
    "claim.decided": ClaimDecided,
    "claim.ended": ClaimEnded,
    "exception.resolved": ExceptionResolved,
    "operation.withdrawn": OperationWithdrawn,
    "chain.certified": ChainCertified,
    "chain.key_changed": ChainKeyChanged,
    "chain.succeeded": ChainSucceeded,
    "chain.closed": ChainClosed,
    "node.revoked": NodeRevoked,
    "venue.configured": VenueConfigured,
    "venue.key_published": VenueKeyPublished,
    "venue.key_accepted": VenueKeyAccepted,
    "venue.key_handed": VenueKeyHanded,
    "codes.granted": CodesGranted,
    "right.granted": RightGranted,
    "right.returned": RightReturned,
    "right.revoked": RightRevoked,
}
KIND_BY_EVENT: Final = {event: kind for kind, event in EVENT_BY_KIND.items()}

AMENDABLE: Final = frozenset(
    {
        "party_size", "kind", "source", "may_move", "resource_kind", "area", "occasion", "nights",
        "metadata", "service_date", "agent_id", "starts_at", "ends_at",
    }
)  # fmt: skip
"""Fields that an amendment or a move may name."""

SERIAL_BYTES: Final = 20
"""The longest serial number that X.509 allows (RFC 5280, 4.1.2.2)."""

OUTCOMES: Final = frozenset({"", "confirmed", "completed", "cancelled", "no_show"})
VERDICTS: Final = frozenset({"admitted", "moved", "displaced"})

_encoder = msgspec.msgpack.Encoder()
_decoders = {
    kind: msgspec.msgpack.Decoder(event, strict=True) for kind, event in EVENT_BY_KIND.items()
}

_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
_RESOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_RESERVATION_CODE = re.compile(r"RES-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{6}(?:[0-9A-HJKMNP-TV-Z]{2})?\Z")
_METADATA_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,31}){0,3}\Z")
_METADATA_TEXT = re.compile(
    r"(?a:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a UUID
    r"|agent_[0-9a-z]{32}"
    r"|RES-\d{4}-[0-9A-HJKMNP-TV-Z]{6,8}"
    r"|[0-9a-f]{16,128}"  # a hash
    r"|\d{4}-\d\d-\d\d(?:T[0-9:.]{5,15}(?:Z|[+-]\d\d:\d\d))?"
    r"|(?!tel:|mailto:|sms:|name:|phone:|email:)[a-z][a-z0-9-]{1,31}:[A-Za-z0-9_-]{1,64})\Z"
)
"""Text in `metadata`: a UUID, an agent id, a code of ours, a hash, a date, or
`system:identifier`."""


def encode_content(event: Event) -> bytes:
    """The content's bytes. Raises `Malformed` for what MessagePack cannot hold."""
    try:
        return _encoder.encode(event)
    except (OverflowError, TypeError, ValueError, RecursionError) as error:
        raise Malformed("content-unreadable") from error


def decode_content(entry: Entry) -> Event | None:
    """The event of an entry; None where it is of a newer schema or a kind we do not know yet.

    Raises `Malformed` (reason code) where it can never become right: unreadable, or with text that
    is neither an id, nor a code, nor sealed.
    """
    if entry.schema > SCHEMA:
        return None
    decoder = _decoders.get(entry.kind)
    if decoder is None:
        return None
    if nested_too_deeply(entry.content):
        raise Malformed("content-unreadable")
    try:
        event = decoder.decode(entry.content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed("content-unreadable") from error
    if _array_length(entry.content) > len(event.__struct_fields__):
        _check_unknown_fields(entry.content, len(event.__struct_fields__))
    check_content(entry.kind, event)
    return event


def _array_length(content: bytes) -> int:
    """How many members a MessagePack array has, by its first bytes."""
    first = content[0]
    if first & 0xF0 == 0x90:
        return first & 0x0F
    return int.from_bytes(content[1 : 3 if first == 0xDC else 5], "big")


def _check_unknown_fields(content: bytes, known: int) -> None:
    """What a later version appended is not understood here, and holds no clear text all the
    same."""
    try:
        members = msgspec.msgpack.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed("content-unreadable") from error
    for value in members[known:]:
        if not isinstance(value, bytes) and _check_metadata_value("field", value, 0):
            raise Malformed("text-not-an-id:unknown-field")


def check_content(kind: str, event: Event) -> None:
    """The rules on texts and bounds that a content must keep. Raises `Malformed`."""
    check = _CHECKS.get(kind)
    if check is None:
        return
    try:
        check(event)
    except RecursionError as error:
        raise Malformed("content-unreadable") from error


def _date(value: Any) -> bool:
    """Whether a text is a day of the calendar, as entries write it."""
    if not isinstance(value, str) or not _DATE.match(value):
        return False
    try:
        return YEAR_MIN <= datetime.date.fromisoformat(value).year <= YEAR_MAX
    except ValueError:
        return False


def _code(value: str, allowed: frozenset[str], field: str) -> None:
    if value not in allowed:
        raise Malformed(f"text-not-a-code:{field}")


def _identifier(value: str, field: str) -> None:
    if value and not _CODE.match(value):
        raise Malformed(f"text-not-an-id:{field}")


def check_metadata(metadata: Any) -> str | None:
    """Why this metadata may not stand in an entry, as a sentence; None if it may."""
    if not isinstance(metadata, dict):
        return "metadata must be an object"
    for key, value in metadata.items():
        if not isinstance(key, str) or not _METADATA_KEY.match(key):
            return "metadata keys are lower-case and namespaced, such as crm.contact"
        problem = _check_metadata_value(key, value, 0)
        if problem:
            return problem
    # Encoded only now: what is nested without end would cost the encoder its stack.
    try:
        size = len(_encoder.encode(metadata))
    except OverflowError:
        return "metadata holds a number of more than 64 bits"
    if size > METADATA_BYTES_MAX:
        return f"metadata is larger than {METADATA_BYTES_MAX} bytes"
    return None


def _check_metadata_value(key: str, value: Any, depth: int) -> str | None:
    if value is None or isinstance(value, bool | int | float):
        return None
    if isinstance(value, str):
        if _METADATA_TEXT.match(value):
            return None
        return (
            f"metadata.{key}: text must be an id (a UUID, system:identifier, a date); "
            "put what a person wrote into `guest.requests`, which is sealed"
        )
    if depth >= 4:
        return f"metadata.{key} is nested too deeply"
    if isinstance(value, list):
        members: Any = ((key, item) for item in value)
    elif isinstance(value, dict):
        if not all(isinstance(name, str) and _METADATA_KEY.match(name) for name in value):
            return f"metadata.{key}: keys are lower-case and namespaced"
        members = value.items()
    else:
        return f"metadata.{key} has a value that JSON does not know"
    for name, item in members:
        problem = _check_metadata_value(name, item, depth + 1)
        if problem:
            return problem
    return None


def _check_card(card: SealedCard | None) -> None:
    if card is not None and (len(card.id) != 16 or len(card.ciphertext) > CARD_BYTES_MAX + 128):
        raise Malformed("card-out-of-range")


def _check_party(party_size: int) -> None:
    if not 1 <= party_size <= PARTY_MAX:
        raise Malformed("party-size")


def _check_times(*seconds: int) -> None:
    if not all(0 <= value <= EPOCH_SECONDS_MAX for value in seconds):
        raise Malformed("time-out-of-range")


def _check_operation_ids(*operations: bytes) -> None:
    if any(len(operation) != 16 for operation in operations):
        raise Malformed("operation-id-length")


def _check_created(event: ReservationCreated) -> None:
    if not is_agent_id(event.agent_id):
        raise Malformed("text-not-an-id:agent_id")
    if not _RESERVATION_CODE.match(event.code):
        raise Malformed("text-not-a-code:code")
    if not _date(event.service_date):
        raise Malformed("text-not-a-date:service_date")
    _check_party(event.party_size)
    _check_times(event.starts_at, event.ends_at, event.made_at_ms // 1000)
    if not 0 <= event.nights <= NIGHTS_WRITTEN_MAX:
        raise Malformed("nights")
    _code(event.kind, RESERVATION_KINDS, "kind")
    _code(event.source, SOURCES, "source")
    if event.occasion:
        _code(event.occasion, OCCASIONS, "occasion")
    _code(event.outcome, OUTCOMES, "outcome")
    _identifier(event.resource_kind, "resource_kind")
    _identifier(event.area, "area")
    if event.metadata and check_metadata(event.metadata):
        raise Malformed("text-not-an-id:metadata")
    _check_card(event.card)


def _check_changes(event: ReservationAmended | ReservationMoved) -> None:
    _check_card(event.card)
    for field, value in event.fields.items():
        check = _FIELD_CHECKS.get(field)
        if check is None:
            raise Malformed("field-not-amendable")
        if not check(value):
            raise Malformed(f"text-not-a-code:{field}")


def _is_epoch(value: Any) -> bool:
    return type(value) is int and 0 <= value <= EPOCH_SECONDS_MAX


def _among(allowed: frozenset[str]) -> Any:
    return lambda value: isinstance(value, str) and value in allowed


_FIELD_CHECKS: Final[dict[str, Any]] = {
    "party_size": lambda v: type(v) is int and 1 <= v <= PARTY_MAX,
    "kind": _among(RESERVATION_KINDS),
    "source": _among(SOURCES),
    "may_move": lambda v: isinstance(v, bool),
    "resource_kind": lambda v: isinstance(v, str) and (v == "" or bool(_CODE.match(v))),
    "area": lambda v: isinstance(v, str) and (v == "" or bool(_CODE.match(v))),
    "occasion": _among(OCCASIONS | {""}),
    "nights": lambda v: type(v) is int and 0 <= v <= NIGHTS_WRITTEN_MAX,
    "metadata": lambda v: check_metadata(v) is None,
    "service_date": _date,
    "agent_id": lambda v: isinstance(v, str) and is_agent_id(v),
    "starts_at": _is_epoch,
    "ends_at": _is_epoch,
}


def _check_cancelled(event: ReservationCancelled) -> None:
    _code(event.reason, CANCEL_REASONS, "reason")
    _code(event.by, CANCELLED_BY, "by")
    _check_card(event.note)


def _check_decided(event: ClaimDecided) -> None:
    _code(event.verdict, VERDICTS, "verdict")
    _identifier(event.reason, "reason")
    _check_operation_ids(event.decides, *event.won)
    for resource in event.from_resources:
        if not _RESOURCE_ID.match(resource):
            raise Malformed("text-not-an-id:from_resources")


def _check_resolved(event: ExceptionResolved) -> None:
    _identifier(event.exception, "exception")
    _identifier(event.action, "action")
    _identifier(event.reason, "reason")
    if event.about:
        _check_operation_ids(event.about)


def _check_withdrawn(event: OperationWithdrawn) -> None:
    _identifier(event.reason, "reason")
    _check_operation_ids(event.operation)


def _check_certified(event: ChainCertified) -> None:
    if not 1 <= len(event.certificates) <= 4 or len(event.sealing_key) != 32:
        raise Malformed("certificate-out-of-range")
    if not 0 <= event.number <= LIFE_NUMBER_MAX:
        raise Malformed("certificate-out-of-range")
    if len(event.nonce) > 16:
        raise Malformed("certificate-out-of-range")
    _check_operation_ids(*event.succeeds)
    _identifier(event.software, "software")


def _check_key_changed(event: ChainKeyChanged) -> None:
    if not 1 <= len(event.certificates) <= 4 or len(event.sealing_key) not in (0, 32):
        raise Malformed("certificate-out-of-range")


def _check_checked_in(event: ReservationCheckedIn) -> None:
    if not 0 <= event.actual_party_size <= PARTY_MAX:
        raise Malformed("party-size")
    _check_times(event.at_ms // 1000)


def _check_at(event: Any) -> None:
    _check_times(event.at_ms // 1000)


def _check_closed(event: ChainClosed) -> None:
    _identifier(event.reason, "reason")
    if not 0 <= event.entries < 1 << 63:
        raise Malformed("entries-out-of-range")
    _check_operation_ids(event.incarnation)


def _check_revoked(event: NodeRevoked) -> None:
    if any(len(serial) != SERIAL_BYTES for serial in event.serials):
        raise Malformed("serial-length")
    _check_operation_ids(*(head[0] for head in event.heads))
    _identifier(event.node, "node")
    _identifier(event.reason, "reason")


_P: Final = 2**255 - 19
_WEAK_KEYS: Final = frozenset(
    {
        0, 1, _P - 1, _P, _P + 1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
    }
)  # fmt: skip
"""X25519's points of small order (RFC 7748 §6.1): nothing can be sealed to them."""


def _check_venue_key(event: VenueKeyPublished | VenueKeyAccepted | VenueKeyHanded) -> None:
    if len(event.public_key) != 32:
        raise Malformed("key-length")
    if int.from_bytes(event.public_key, "little") & (1 << 255) - 1 in _WEAK_KEYS:
        raise Malformed("key-weak")


def _check_granted(event: RightGranted) -> None:
    if not _RESOURCE_ID.match(event.resource):
        raise Malformed("text-not-an-id:resource")
    if (
        not 0 <= event.start < event.end <= EPOCH_SECONDS_MAX
        or not 1 <= event.quantity <= 1_000_000
    ):
        raise Malformed("right-out-of-range")


def _check_reason(event: Any) -> None:
    _identifier(event.reason, "reason")


_CHECKS: Final[dict[str, Any]] = {
    "reservation.created": _check_created,
    "reservation.amended": _check_changes,
    "reservation.moved": _check_changes,
    "reservation.cancelled": _check_cancelled,
    "claim.decided": _check_decided,
    "claim.ended": _check_reason,
    "exception.resolved": _check_resolved,
    "operation.withdrawn": _check_withdrawn,
    "chain.certified": _check_certified,
    "reservation.checked_in": _check_checked_in,
    "reservation.completed": _check_at,
    "reservation.no_show": _check_at,
    "chain.key_changed": _check_key_changed,
    "chain.succeeded": _check_reason,
    "chain.closed": _check_closed,
    "node.revoked": _check_revoked,
    "venue.key_published": _check_venue_key,
    "venue.key_accepted": _check_venue_key,
    "venue.key_handed": _check_venue_key,
    "right.granted": _check_granted,
    "right.revoked": _check_reason,
}
