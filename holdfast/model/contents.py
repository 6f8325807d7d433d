"""Reading contents: the gate's rule that every text is an id, a code, or sealed (DESIGN §8).

Owns that rule, and the bounds of every field: what a content must keep to be believed, whoever
wrote it. Knows nothing of who may write what (the folds judge that).

A content of a newer schema is not read. At the end of an array, where a later version appended
fields, a reader sees only that no clear text stands there. A later version that adds a word to a
closed list raises the schema of the entries that use it, so that older readers wait for an upgrade
instead of setting them aside.
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from holdfast.model import vocabulary
from holdfast.model.card_ids import CARD_ID_BYTES, DIGEST_BYTES, card_id, text_digest
from holdfast.model.entries import EPOCH_SECONDS_MAX, SCHEMA, Entry, Malformed
from holdfast.model.events import (
    EVENT_BY_KIND,
    SERIAL_BYTES,
    ChainCertified,
    ChainClosed,
    ChainKeyChanged,
    ChainSucceeded,
    ClaimDecided,
    ClaimEnded,
    CodesGranted,
    Event,
    ExceptionResolved,
    Form,
    GuestDescribed,
    GuestErased,
    GuestErasureConfirmed,
    GuestExported,
    GuestFlagged,
    GuestMerged,
    GuestNoted,
    GuestNoteWithdrawn,
    GuestProfiled,
    GuestRestricted,
    GuestRestrictionLifted,
    GuestUnmerged,
    NodeRevoked,
    OperationWithdrawn,
    ReservationAmended,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCreated,
    ReservationMoved,
    ResourceCleaned,
    RightGranted,
    RightReturned,
    RightRevoked,
    SealedCard,
    ServiceNotesEdited,
    VenueKeyAccepted,
    VenueKeyHanded,
    VenueKeyPublished,
    card_of,
)
from holdfast.model.limits import (
    CARD_BYTES_MAX,
    CERTIFICATE_BYTES_MAX,
    CLAIMS_PER_ENTRY_MAX,
    CODE_PREFIXES,
    ERASURES_PER_ENTRY_MAX,
    HEADS_PER_DECISION_MAX,
    LIFE_NUMBER_MAX,
    MERGES_PER_ENTRY_MAX,
    NIGHTS_WRITTEN_MAX,
    PARTY_MAX,
    PRIORITY_MAX,
    RELEASE_MINUTES_MAX,
    RESOURCES_PER_VENUE_MAX,
    RESTRICTION_VALUE_MAX,
    RIGHTS_PER_ENTRY_MAX,
    TAGS_PER_GUEST_MAX,
    YEAR_MAX,
    YEAR_MIN,
)
from holdfast.model.metadata import check_metadata, has_clear_text
from holdfast.model.nesting import nested_too_deeply
from holdfast.model.partners import DIGEST_BYTES as PARTNER_DIGEST_BYTES
from holdfast.model.partners import PARTNER_SOURCES
from holdfast.model.pseudonyms import is_agent_id
from holdfast.model.service_notes import is_service

_decoders = {
    kind: msgspec.msgpack.Decoder(event, strict=True) for kind, event in EVENT_BY_KIND.items()
}


_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
_RESOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_RESERVATION_CODE = re.compile(r"RES-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{6}(?:[0-9A-HJKMNP-TV-Z]{2})?\Z")
HASH_BYTES: Final = 32
"""A chain hash, which also names a branch: by its first entry that differs."""
RELIED_ON_BYTES: Final = 8
"""What a decision tells of each head that it was made in sight of."""
SEALED_KEY_BYTES: Final = 80
"""An X25519 private key under HPKE: the encapsulated key, the key, and the tag of AES-GCM."""
CERTIFICATES_MAX: Final = 4
_SEQUENCE: Final = 0x30
"""How every certificate begins in DER (X.690, 8.14)."""
_QUARANTINED = re.compile(r"[0-9a-f]{32}\.quarantined\Z")
"""The exception that a quarantined operation is, named by its id."""


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


def card_in(life: bytes, entry: Entry, event: Event | None) -> tuple[SealedCard, str] | None:
    """The card that an entry of this life's chain carries, and whose it is; None: it has none.

    Also of an entry whose content does not count (`event` None), as far as it can be made out: its
    bytes are in the journal like any other's, and whoever asks to be forgotten means them too.
    A card whose id does not fit is none: else whoever copies one would have a say over the first.
    """
    if event is None:
        decoder = _decoders.get(entry.kind)
        if decoder is None or nested_too_deeply(entry.content):
            return None
        try:
            event = decoder.decode(entry.content)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        assert event is not None
    card, agent = card_of(event)
    return (card, agent) if card is not None and _fits(life, card, agent) else None


def check_card(life: bytes, event: Event) -> None:
    """That a card was sealed by the life in whose chain it stands, for the guest whom its entry
    names. Raises `Malformed`."""
    card, agent = card_of(event)
    if card is not None and not _fits(life, card, agent):
        raise Malformed("card-foreign")


def _fits(life: bytes, card: SealedCard, agent: str) -> bool:
    return is_agent_id(agent) and card.id == card_id(
        text_digest(life, agent, card.ciphertext), card.key_digest
    )


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
        if not isinstance(value, bytes) and has_clear_text(value):
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
    """Whether a value is a day of the calendar, as entries write it."""
    # The length first: what is remembered is never long, whatever somebody sends.
    return isinstance(value, str) and len(value) == len("2026-01-31") and _is_date(value)


@lru_cache(maxsize=1024)
def _is_date(text: str) -> bool:
    if not _DATE.match(text):
        return False
    try:
        return YEAR_MIN <= datetime.date.fromisoformat(text).year <= YEAR_MAX
    except ValueError:
        return False


def _code(value: str, allowed: frozenset[str], field: str) -> None:
    if value not in allowed:
        raise Malformed(f"text-not-a-code:{field}")


def _reason(value: str, allowed: frozenset[str]) -> None:
    """A reason that may be left out."""
    if value:
        _code(value, allowed, "reason")


def _override(value: str) -> None:
    """Why a place beyond the capacity is asked for; empty where it is not."""
    if value:
        _code(value, vocabulary.OVERRIDE_REASONS, "override")


def _identifier(value: str, field: str) -> None:
    if value and not _CODE.match(value):
        raise Malformed(f"text-not-an-id:{field}")


def _check_card(card: SealedCard | None) -> None:
    if card is not None and (
        len(card.id) != CARD_ID_BYTES
        or len(card.ciphertext) > CARD_BYTES_MAX + 128
        or len(card.key_digest) != DIGEST_BYTES
    ):
        raise Malformed("card-out-of-range")


def _check_party(party_size: int) -> None:
    if not 1 <= party_size <= PARTY_MAX:
        raise Malformed("party-size")


def _check_times(*seconds: int) -> None:
    for value in seconds:
        if not 0 <= value <= EPOCH_SECONDS_MAX:
            raise Malformed("time-out-of-range")


def _check_operation_ids(*operations: bytes) -> None:
    for operation in operations:
        if len(operation) != 16:
            raise Malformed("operation-id-length")


def _check_entries(entries: int) -> None:
    if not 0 <= entries < 1 << 63:
        raise Malformed("entries-out-of-range")


def _check_hash(digest: bytes, length: int = HASH_BYTES) -> None:
    """A chain hash, or so many bytes of its beginning."""
    if len(digest) != length:
        raise Malformed("hash-length")


def _check_head(incarnation: bytes, entries: int, digest: bytes, length: int = HASH_BYTES) -> None:
    """Where a chain stands: whose it is, how many entries, and the hash after the last."""
    _check_operation_ids(incarnation)
    _check_entries(entries)
    _check_hash(digest, length)


def _check_form(form: Form) -> None:
    _code(form.form, vocabulary.FORMS, "form")
    _check_times(form.expires_at_ms // 1000, form.earliest, form.latest)
    if form.earliest > form.latest or not 0 <= form.priority <= PRIORITY_MAX:
        raise Malformed("form-out-of-range")
    if (form.form == "block") != bool(form.use):
        raise Malformed("form-out-of-range")
    if form.use:
        _code(form.use, vocabulary.BLOCK_KINDS, "use")
    _reason(form.reason, vocabulary.BLOCK_REASONS)
    if form.series:
        _check_operation_ids(form.series)


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
    _code(event.kind, vocabulary.RESERVATION_KINDS, "kind")
    _code(event.source, vocabulary.SOURCES, "source")
    if event.occasion:
        _code(event.occasion, vocabulary.OCCASIONS, "occasion")
    _code(event.outcome, vocabulary.OUTCOMES, "outcome")
    _identifier(event.resource_kind, "resource_kind")
    _identifier(event.area, "area")
    if event.metadata and check_metadata(event.metadata):
        raise Malformed("text-not-an-id:metadata")
    _check_card(event.card)
    _override(event.override)
    if event.form is not None:
        _check_form(event.form)
    if event.partner and (
        len(event.partner) != PARTNER_DIGEST_BYTES or event.source not in PARTNER_SOURCES
    ):
        raise Malformed("partner-out-of-range")


def _check_moved(event: ReservationMoved) -> None:
    _check_changes(event)
    _override(event.override)


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
    "kind": _among(vocabulary.RESERVATION_KINDS),
    "source": _among(vocabulary.SOURCES),
    "may_move": lambda v: isinstance(v, bool),
    "resource_kind": lambda v: isinstance(v, str) and (v == "" or bool(_CODE.match(v))),
    "area": lambda v: isinstance(v, str) and (v == "" or bool(_CODE.match(v))),
    "occasion": _among(vocabulary.OCCASIONS | {""}),
    "nights": lambda v: type(v) is int and 0 <= v <= NIGHTS_WRITTEN_MAX,
    "metadata": lambda v: check_metadata(v) is None,
    "service_date": _date,
    "agent_id": lambda v: isinstance(v, str) and is_agent_id(v),
    "starts_at": _is_epoch,
    "ends_at": _is_epoch,
    "expires_at_ms": lambda v: type(v) is int and 0 <= v <= EPOCH_SECONDS_MAX * 1000,
}
AMENDABLE: Final = frozenset(_FIELD_CHECKS)
"""Fields that an amendment or a move may name."""


def _check_cancelled(event: ReservationCancelled) -> None:
    _code(event.reason, vocabulary.CANCEL_REASONS, "reason")
    _code(event.by, vocabulary.CANCELLED_BY, "by")
    _check_card(event.note)
    if event.agent_id and not is_agent_id(event.agent_id):
        raise Malformed("text-not-an-id:agent_id")


def _check_decided(event: ClaimDecided) -> None:
    _code(event.verdict, vocabulary.VERDICTS, "verdict")
    _reason(event.reason, vocabulary.DECISION_REASONS)
    _check_operation_ids(event.decides, *event.won)
    if len(event.relied_on) > HEADS_PER_DECISION_MAX:
        raise Malformed("too-many-heads")
    for head in event.relied_on:
        _check_head(*head, RELIED_ON_BYTES)
    _check_named_rights(event.by)
    for resource in event.from_resources:
        if not _RESOURCE_ID.match(resource):
            raise Malformed("text-not-an-id:from_resources")


def _check_resolved(event: ExceptionResolved) -> None:
    if not _QUARANTINED.match(event.exception):
        _code(event.exception, vocabulary.EXCEPTION_KINDS, "exception")
    _code(event.action, vocabulary.ACTIONS, "action")
    _reason(event.reason, vocabulary.resolve_reasons(event.action))
    if event.about:
        _check_operation_ids(event.about)


def _check_withdrawn(event: OperationWithdrawn) -> None:
    _reason(event.reason, vocabulary.WITHDRAW_REASONS)
    _check_operation_ids(event.operation)


def _check_certificates(certificates: tuple[bytes, ...]) -> None:
    """What has the outer form of certificates: each is one DER sequence to its last byte (X.690,
    8.1.3). Whether they are right, who folds them finds out."""
    if not 1 <= len(certificates) <= CERTIFICATES_MAX or not all(map(_is_sequence, certificates)):
        raise Malformed("certificate-out-of-range")


def _is_sequence(data: bytes) -> bool:
    if not 2 <= len(data) <= CERTIFICATE_BYTES_MAX or data[0] != _SEQUENCE:
        return False
    more = data[1] - 0x80
    if more < 0:
        return data[1] == len(data) - 2
    length = data[2 : 2 + more]
    return 1 <= more <= 2 and int.from_bytes(length, "big") == len(data) - 2 - more


def _check_certified(event: ChainCertified) -> None:
    _check_certificates(event.certificates)
    if len(event.sealing_key) != 32:
        raise Malformed("certificate-out-of-range")
    if not 0 <= event.number <= LIFE_NUMBER_MAX:
        raise Malformed("certificate-out-of-range")
    if len(event.nonce) > 16:
        raise Malformed("certificate-out-of-range")
    _check_operation_ids(*event.succeeds)
    _identifier(event.software, "software")


def _check_key_changed(event: ChainKeyChanged) -> None:
    _check_certificates(event.certificates)
    if len(event.sealing_key) not in (0, 32):
        raise Malformed("certificate-out-of-range")


def _check_checked_in(event: ReservationCheckedIn) -> None:
    if not 0 <= event.actual_party_size <= PARTY_MAX:
        raise Malformed("party-size")
    _check_times(event.at_ms // 1000)


def _check_at(event: Any) -> None:
    _check_times(event.at_ms // 1000)


def _check_ended(event: ClaimEnded) -> None:
    _code(event.reason, vocabulary.CLAIM_END_REASONS, "reason")
    if event.favour:
        _check_operation_ids(event.favour)
    _check_named_rights(event.by)


def _check_named_rights(by: tuple[bytes, ...]) -> None:
    if len(by) > CLAIMS_PER_ENTRY_MAX:
        raise Malformed("too-many-rights")
    _check_operation_ids(*(right for right in by if right))


def _check_succeeded(event: ChainSucceeded) -> None:
    _reason(event.reason, vocabulary.SUCCESSION_REASONS)
    _check_operation_ids(event.by)


def _check_closed(event: ChainClosed) -> None:
    _reason(event.reason, vocabulary.CHAIN_CLOSE_REASONS)
    _check_head(event.incarnation, event.entries, event.head)
    if event.branch:
        _check_hash(event.branch)


def _check_node_revoked(event: NodeRevoked) -> None:
    if any(len(serial) != SERIAL_BYTES for serial in event.serials):
        raise Malformed("serial-length")
    for head in event.heads:
        _check_head(*head)
    _identifier(event.node, "node")
    _reason(event.reason, vocabulary.REVOKE_REASONS)


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


def _check_key_published(event: VenueKeyPublished) -> None:
    _check_venue_key(event)
    if len(event.follows) not in (0, 32):
        raise Malformed("key-length")


def _check_key_handed(event: VenueKeyHanded) -> None:
    _check_venue_key(event)
    _check_operation_ids(event.recipient)
    if len(event.sealed) != SEALED_KEY_BYTES:
        raise Malformed("key-length")


def _check_erased(event: GuestErased) -> None:
    if not is_agent_id(event.agent_id):
        raise Malformed("text-not-an-id:agent_id")
    _reason(event.reason, vocabulary.ERASE_REASONS)
    _check_erasure_ids(event.also)


def _check_erasure_ids(named: tuple[bytes, ...]) -> None:
    if len(named) > ERASURES_PER_ENTRY_MAX:
        raise Malformed("erasure-out-of-range")
    _check_operation_ids(*named)


def _check_erasure_confirmed(event: GuestErasureConfirmed) -> None:
    _check_erasure_ids(event.erasures)


def _check_exported(event: GuestExported) -> None:
    if not is_agent_id(event.agent_id):
        raise Malformed("text-not-an-id:agent_id")


def _check_restricted(event: GuestRestricted) -> None:
    if not is_agent_id(event.agent_id):
        raise Malformed("text-not-an-id:agent_id")
    _code(event.restriction, vocabulary.RESTRICTIONS, "restriction")
    _code(event.reason, vocabulary.RESTRICT_REASONS, "reason")
    if not 0 <= event.value <= RESTRICTION_VALUE_MAX:
        raise Malformed("restriction-out-of-range")
    _check_times(event.until_ms // 1000)


def _check_lifted(event: GuestRestrictionLifted) -> None:
    _check_operation_ids(event.restriction)
    _code(event.reason, vocabulary.LIFT_REASONS, "reason")


def _check_profiled(event: GuestProfiled) -> None:
    if not is_agent_id(event.agent_id):
        raise Malformed("text-not-an-id:agent_id")
    if len(event.tags) > TAGS_PER_GUEST_MAX:
        raise Malformed("profile-out-of-range")
    _identifier(event.tier, "tier")
    for tag in event.tags:
        if not _CODE.match(tag):
            raise Malformed("text-not-an-id:tags")


def _check_agent(agent: str) -> None:
    if not is_agent_id(agent):
        raise Malformed("text-not-an-id:agent_id")


def _check_flagged(event: GuestFlagged) -> None:
    _check_agent(event.agent_id)
    _code(event.flag, vocabulary.GUEST_FLAGS, "flag")


def _check_noted(event: GuestNoted) -> None:
    _check_agent(event.agent_id)
    _check_card(event.card)
    if event.note:
        _check_operation_ids(event.note)


def _check_note_withdrawn(event: GuestNoteWithdrawn) -> None:
    _check_agent(event.agent_id)
    _check_operation_ids(event.note)


def _check_described(event: GuestDescribed) -> None:
    _check_agent(event.agent_id)
    _check_card(event.card)


def _check_merged(event: GuestMerged | GuestUnmerged) -> None:
    _check_agent(event.agent_id)
    if not is_agent_id(event.other):
        raise Malformed("text-not-an-id:other")
    if event.agent_id == event.other:
        raise Malformed("guest-merged-with-itself")


def _check_unmerged(event: GuestUnmerged) -> None:
    _check_merged(event)
    if not 1 <= len(event.merges) <= MERGES_PER_ENTRY_MAX:
        raise Malformed("merges-out-of-range")
    _check_operation_ids(*event.merges)


def _check_cleaned(event: ResourceCleaned) -> None:
    if not _RESOURCE_ID.match(event.resource):
        raise Malformed("text-not-an-id:resource")


def _check_notes_edited(event: ServiceNotesEdited) -> None:
    if not _date(event.date):
        raise Malformed("text-not-a-date:date")
    if not is_service(event.service):
        raise Malformed("text-not-an-id:service")
    _check_agent(event.agent_id)
    _check_card(event.card)


def _check_granted(event: RightGranted) -> None:
    if not 1 <= len(event.resources) <= RESOURCES_PER_VENUE_MAX:
        raise Malformed("right-out-of-range")
    for resource in event.resources:
        if not _RESOURCE_ID.match(resource):
            raise Malformed("text-not-an-id:resources")
    if (
        not 0 <= event.start < event.end <= EPOCH_SECONDS_MAX
        or not 1 <= event.quantity <= 1_000_000
        or not -1 <= event.release_minutes <= RELEASE_MINUTES_MAX
        or len(event.handed) > CLAIMS_PER_ENTRY_MAX
        or not 0 <= event.since < 1 << 53
    ):
        raise Malformed("right-out-of-range")
    _check_operation_ids(event.holder)
    if event.after:
        _check_operation_ids(event.after)
    for reservation, operation, index in event.handed:
        _check_operation_ids(reservation, operation)
        if not 0 <= index < CLAIMS_PER_ENTRY_MAX:
            raise Malformed("right-out-of-range")


def _check_returned(event: RightReturned) -> None:
    if not 1 <= len(event.rights) <= RIGHTS_PER_ENTRY_MAX:
        raise Malformed("right-out-of-range")
    _check_operation_ids(*event.rights)
    if not 0 <= event.until <= EPOCH_SECONDS_MAX:
        raise Malformed("right-out-of-range")


def _check_right_revoked(event: RightRevoked) -> None:
    _reason(event.reason, vocabulary.RIGHT_REVOKE_REASONS)
    _check_operation_ids(event.right)
    _check_head(event.holder, event.entries, event.head)


def _check_codes_granted(event: CodesGranted) -> None:
    _check_operation_ids(event.incarnation)
    if len(event.prefixes) > CODE_PREFIXES or not all(
        0 <= prefix < CODE_PREFIXES for prefix in event.prefixes
    ):
        raise Malformed("codes-out-of-range")


_CHECKS: Final[dict[str, Any]] = {
    "reservation.created": _check_created,
    "reservation.amended": _check_changes,
    "reservation.moved": _check_moved,
    "reservation.reserved": _check_moved,
    "reservation.cancelled": _check_cancelled,
    "claim.decided": _check_decided,
    "claim.ended": _check_ended,
    "exception.resolved": _check_resolved,
    "operation.withdrawn": _check_withdrawn,
    "chain.certified": _check_certified,
    "reservation.checked_in": _check_checked_in,
    "reservation.completed": _check_at,
    "reservation.no_show": _check_at,
    "chain.key_changed": _check_key_changed,
    "chain.succeeded": _check_succeeded,
    "chain.closed": _check_closed,
    "node.revoked": _check_node_revoked,
    "venue.key_published": _check_key_published,
    "venue.key_accepted": _check_venue_key,
    "venue.key_handed": _check_key_handed,
    "guest.erased": _check_erased,
    "guest.erasure_confirmed": _check_erasure_confirmed,
    "guest.exported": _check_exported,
    "right.granted": _check_granted,
    "right.returned": _check_returned,
    "right.revoked": _check_right_revoked,
    "guest.restricted": _check_restricted,
    "guest.restriction_lifted": _check_lifted,
    "guest.profiled": _check_profiled,
    "guest.flagged": _check_flagged,
    "guest.noted": _check_noted,
    "guest.note_withdrawn": _check_note_withdrawn,
    "guest.described": _check_described,
    "guest.merged": _check_merged,
    "guest.unmerged": _check_unmerged,
    "resource.cleaned": _check_cleaned,
    "codes.granted": _check_codes_granted,
    "service.notes_edited": _check_notes_edited,
}
