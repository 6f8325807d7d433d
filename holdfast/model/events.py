"""The contents of entries: what happened, as small structs with past-tense names.

Owns the closed list of kinds and how a content is written. Knows nothing of what may stand in a
field (`contents`, which reads them), nor of what an event does to a reservation (`reservation`) or
to a book (`administration`).

The tag of the union is the envelope's `kind`. Contents are MessagePack arrays: a later version
appends fields with defaults and raises the entry's schema only when an older reader would be
misled.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from holdfast.model.entries import Malformed


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all contents."""


class SealedCard(
    msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True
):
    """A guest card as it stands on a page: unreadable without its key, which travels elsewhere.

    `key_digest` is that of its first sealed key; `id` says whose and whose writing it is
    (`card_ids`).
    """

    id: bytes
    ciphertext: bytes
    key_digest: bytes = b""


class Form(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """What a making is where it is no plain reservation (`vocabulary.FORMS`).

    A `hold` keeps a place until `expires_at_ms`, while a guest pays or types. A `waitlist` place
    has none: it waits for one that starts in [earliest, latest] (epoch seconds), until
    `expires_at_ms`; of two, the one with the lower `priority` goes first. A `block` takes a place
    out of use: `use` is one of `vocabulary.BLOCK_KINDS`, `reason` a code. `series` names the
    makings that were asked for together, each time of a recurrence one; empty: it is alone.
    """

    form: str
    expires_at_ms: int = 0
    earliest: int = 0
    latest: int = 0
    priority: int = 0
    use: str = ""
    reason: str = ""
    series: bytes = b""


class ReservationCreated(Event, frozen=True):
    """Somebody asked for a place. Where and when stand in the envelope's claims.

    `service_date` (YYYY-MM-DD) is the writer's reading of the venue's calendar; it is data, so that
    a later change of the venue cannot make two replicas file the reservation under two dates.
    `outcome` is set by imports alone: the status that an existing system says it ended in.
    `made_at_ms` is when it was made there (0: when it was written here). `override`: why it may
    have a place beyond the capacity, a code; empty: it may not. `form`: what it is instead of a
    reservation. `needs_approval`: the guest asked by themself, and the house is still to agree
    (`approval`). `partner`: the digest of the reference by which a partner knows it (`partners`);
    empty: there is none.
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
    override: str = ""
    form: Form | None = None
    needs_approval: bool = False
    partner: bytes = b""


class ReservationAmended(Event, frozen=True):
    """Fields that were overwritten; those that are not named stand."""

    fields: dict[str, Any]
    card: SealedCard | None = None


class ReservationMoved(Event, frozen=True):
    """Another time, place or quantity was asked for; `fields` count once its claims do.

    `walked`: the guests sit there already. That is a fact, whatever becomes of the claims.
    `override` as in a making. `by_guest`: whoever has the reservation moved it, and nobody of the
    house.
    """

    fields: dict[str, Any] = {}
    card: SealedCard | None = None
    walked: bool = False
    override: str = ""
    by_guest: bool = False


class ReservationReserved(ReservationMoved, frozen=True):
    """What was held, or waited for, is reserved: the claims take the place of the held ones.

    Its fields count at once, whatever becomes of the claims: who the guest is does not depend on
    whether there is a place.
    """


class ReservationExpired(Event, frozen=True):
    """A hold, or a place on the waitlist, that nobody used in time."""


class ReservationCancelled(Event, frozen=True):
    """An intent: it wins over every decision, and loses to a guest who sits at the table.
    `agent_id` is the guest whom the note is about; empty: there is none."""

    reason: str
    by: str
    note: SealedCard | None = None
    agent_id: str = ""


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
    """The judgement was wrong. Its claims ask for the place anew, where that was given up with the
    judgement; it has none where nothing was left to give up."""


class ReservationAttendanceConfirmed(Event, frozen=True):
    """The guest said again that they will come."""


class ReservationApproved(Event, frozen=True):
    """A fact: the house agreed to what a guest reserved by themself. Of no capacity, and no step of
    a reservation's life: nothing that is written later needs to have seen it."""


class ClaimDecided(Event, frozen=True):
    """The holder's answer to a provisional claim; the envelope repeats or replaces its claims.

    `decides` is the operation that asked; `verdict` one of admitted, moved, displaced; `won` the
    reservations that hold what could not be had; `relied_on` the chain heads that the decider had
    folded, as (incarnation, entries, first 8 bytes of the head). `by` names, for each claim that
    was asked for, the right by which a device answers it, where it does not give just that: so that
    the word rests on what its writer knew it had, and on no later grant. The hub names none.
    """

    decides: bytes
    verdict: str
    reason: str = ""
    won: tuple[bytes, ...] = ()
    relied_on: tuple[tuple[bytes, int, bytes], ...] = ()
    from_resources: tuple[str, ...] = ()
    by: tuple[bytes, ...] = ()


class ClaimEnded(Event, frozen=True):
    """The holder freed what the envelope's `ends` names; `favour` is the operation that a standby
    claim takes its place by (DESIGN §5.6). `by` names, for each of `ends`, the right by which a
    device answers for what was never granted; empty for what was."""

    reason: str
    favour: bytes = b""
    by: tuple[bytes, ...] = ()


class ExceptionResolved(Event, frozen=True):
    """A person looked at an exception and did something about it.

    `about` names what contradicted: the decision that displaced, the place that was asked for last,
    a digest of the steps that collided, or of the two reservations at one place. What contradicts
    later is another exception.
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
    """The venue's X25519 public key, to which guest cards' keys are sealed. `follows` is the key
    whose place it is to take; empty: it is a first one."""

    public_key: bytes
    follows: bytes = b""


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
    """The hub hands a part of its capacity to one incarnation (DESIGN §5.7): the right to sell
    `quantity` of each of the resources at the instants [start, end), epoch seconds.

    `release_minutes` before a start it goes back (-1: never), by the holder's own return. `after`
    is the operation by which it came back to the hub last, if it was granted before. `handed` names
    the live claims that pass to the new holder as (reservation, operation, index); the envelope
    repeats them in the same order. `whole`: it was all that there is of each of the resources, so
    that its holder is the one that may overbook them (`overbooking`). Written here because a
    capacity that grows later, and is known to some before others, must not make two of them.
    `since`: how many entries of the holder's chain the hub held; none of these ends what is handed
    over here.
    """

    holder: bytes
    resources: tuple[str, ...]
    quantity: int
    start: int
    end: int
    release_minutes: int = -1
    after: bytes = b""
    handed: tuple[tuple[bytes, bytes, int], ...] = ()
    whole: bool = False
    since: int = 0


class RightReturned(Event, frozen=True):
    """A holder gives rights back to the hub: the instants before `until`, or (0) all that is left.

    The live claims among them pass to the hub with it. They need no names here: who has the return
    has everything before it in the same chain.
    """

    rights: tuple[bytes, ...]
    until: int = 0


class RightRevoked(Event, frozen=True):
    """The hub takes a right back: `holder` is the incarnation that has it, whose entries count up
    to the named head."""

    right: bytes
    holder: bytes
    entries: int
    head: bytes
    reason: str = ""


class GuestErased(Event, frozen=True):
    """A person is to be forgotten: every card of theirs that is not later than this entry is
    destroyed on every replica (DESIGN §8). `also` are ids of their cards with a later stamp, which
    a clock ahead of the writer's had given."""

    agent_id: str
    reason: str = ""
    also: tuple[bytes, ...] = ()


class GuestErasureConfirmed(Event, frozen=True):
    """This life of a device holds nothing any more of what these operations erase."""

    erasures: tuple[bytes, ...]


class GuestExported(Event, frozen=True):
    """Somebody took all that the venue has of a person out of a device, in clear."""

    agent_id: str


class GuestRestricted(Event, frozen=True):
    """The house limits what a person may reserve; the operation's id is the restriction's.

    `restriction` says in what, `value` is its number where it has one. `until_ms`, Unix
    milliseconds, is the first instant at which it binds no more; 0: it binds until it is lifted.
    """

    agent_id: str
    restriction: str
    reason: str
    value: int = 0
    until_ms: int = 0


class GuestRestrictionLifted(Event, frozen=True):
    """A restriction binds no more, whatever the stamps of both say."""

    restriction: bytes
    reason: str


class GuestProfiled(Event, frozen=True):
    """What the house knows a person as: a document, of which the newest stands whole. `tier` and
    `tags` are ids that the venue file names; empty: none."""

    agent_id: str
    tier: str = ""
    tags: tuple[str, ...] = ()


class GuestFlagged(Event, frozen=True):
    """The house marks a person, or takes the mark away (`up`). `flag` is one of
    `vocabulary.GUEST_FLAGS`; the newest word on each stands."""

    agent_id: str
    flag: str
    up: bool


class GuestNoted(Event, frozen=True):
    """The house noted something about a person: of which kind, what, and who wrote it stand in the
    card. `alert`: whoever receives the person is to be told.

    `note` is the operation of the note that this one takes the place of, whole; empty: it is a new
    one.
    """

    agent_id: str
    card: SealedCard
    alert: bool = False
    note: bytes = b""


class GuestNoteWithdrawn(Event, frozen=True):
    """A note about a person stands no more, whatever the stamps of both say."""

    agent_id: str
    note: bytes


class GuestDescribed(Event, frozen=True):
    """What a person prefers, eats and agrees to: the card has the fields that were said, and which
    those are. Of each field the newest word stands."""

    agent_id: str
    card: SealedCard


class GuestMerged(Event, frozen=True):
    """Two agent ids are one person; which of them is named first means nothing."""

    agent_id: str
    other: str


class GuestUnmerged(Event, frozen=True):
    """Those merges of two agent ids count no more, whatever the stamps say: they are two people."""

    agent_id: str
    other: str
    merges: tuple[bytes, ...]


class ResourceCleaned(Event, frozen=True):
    """A fact: a table that somebody left is clean. Of what was left before this entry's stamp."""

    resource: str


class ServiceNotesEdited(Event, frozen=True):
    """A device edited the notes of a service: the card has the edit of their text. They decide
    nothing. `service` is an id of the venue's own; empty: the whole day. `agent_id` is the
    pseudonym of these notes (`service_notes`), by which they are erased."""

    date: str
    service: str
    agent_id: str
    card: SealedCard


EVENT_BY_KIND: Final[dict[str, type[Event]]] = {
    "reservation.created": ReservationCreated,
    "reservation.amended": ReservationAmended,
    "reservation.moved": ReservationMoved,
    "reservation.reserved": ReservationReserved,
    "reservation.expired": ReservationExpired,
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
    "guest.erased": GuestErased,
    "guest.erasure_confirmed": GuestErasureConfirmed,
    "guest.exported": GuestExported,
    "right.granted": RightGranted,
    "right.returned": RightReturned,
    "right.revoked": RightRevoked,
    "guest.restricted": GuestRestricted,
    "guest.restriction_lifted": GuestRestrictionLifted,
    "guest.profiled": GuestProfiled,
    "guest.flagged": GuestFlagged,
    "guest.noted": GuestNoted,
    "guest.note_withdrawn": GuestNoteWithdrawn,
    "guest.described": GuestDescribed,
    "guest.merged": GuestMerged,
    "guest.unmerged": GuestUnmerged,
    "resource.cleaned": ResourceCleaned,
    "service.notes_edited": ServiceNotesEdited,
    "reservation.approved": ReservationApproved,
}
KIND_BY_EVENT: Final = {event: kind for kind, event in EVENT_BY_KIND.items()}

SERIAL_BYTES: Final = 20
"""The longest serial number that X.509 allows (RFC 5280, 4.1.2.2)."""

_encoder = msgspec.msgpack.Encoder()


_CARRYING: Final = (ReservationCreated, ReservationAmended, ReservationMoved)


def card_of(event: Event) -> tuple[SealedCard | None, str]:
    """The card that an entry carries, if any, and the agent id that the entry names beside it
    (empty: none)."""
    if isinstance(event, ClaimDecided | ClaimEnded):
        # Half of what a hub reads and writes: said first, because it is asked of every entry.
        return None, ""
    if isinstance(event, _CARRYING):
        return event.card, agent_of(event)
    if isinstance(event, ReservationCancelled):
        return event.note, event.agent_id
    if isinstance(event, GuestNoted | GuestDescribed | ServiceNotesEdited):
        return event.card, event.agent_id
    return None, ""


def agent_of(event: Event) -> str:
    """The person that an entry about a reservation names; empty: none."""
    if isinstance(event, ReservationCreated):
        return event.agent_id
    if isinstance(event, ReservationAmended | ReservationMoved):
        return str(event.fields.get("agent_id", ""))
    return ""


def encode_content(event: Event) -> bytes:
    """The content's bytes. Raises `Malformed` for what MessagePack cannot hold."""
    try:
        return _encoder.encode(event)
    except (OverflowError, TypeError, ValueError, RecursionError) as error:
        raise Malformed("content-unreadable") from error
