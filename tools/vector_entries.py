"""The parts of docs/vectors.json about chains, pages, entries and frames, from fixed keys.

Owns the keys and names that all vectors share. `make_vectors` adds messages and people, and writes
the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Generator, Iterator
from typing import Any, Final
from unittest import mock

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model import card_ids, events, ids, pseudonyms
from holdfast.model.entries import SCHEMA, Claim, ClaimId, Entry, encode
from holdfast.model.limits import ENTRY_BYTES_MAX, METADATA_NUMBER_MAX
from holdfast.node import identity
from holdfast.sync import messages, pages, seals

TENANT: Final = "acme"
VENUE: Final = "trattoria"
BOOK: Final = f"{TENANT}/{VENUE}"
NOW_MS: Final = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""
STAMP: Final = NOW_MS << 16
START: Final = 1_767_294_000
AGENT: Final = pseudonyms.walk_in_agent_id(bytes(range(20)))
OTHER_AGENT: Final = pseudonyms.walk_in_agent_id(bytes(range(20, 40)))

Vectors = dict[str, Any]


def fixed(name: str, length: int = 32) -> bytes:
    """Bytes that stand for randomness: SHA-256 of a name, so that anybody can make them again."""
    seed = b"holdfast vectors 1 " + name.encode()
    made = hashlib.sha256(seed).digest()
    while len(made) < length:
        made += hashlib.sha256(made).digest()
    return made[:length]


def signing_key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(fixed(f"ed25519 {name}"))


def sealed_card(life: bytes, agent: str) -> events.SealedCard:
    """A card as its entry has it, by this life and for this guest."""
    ciphertext, digest = fixed("ciphertext", 32), fixed("key digest", 16)
    text = card_ids.text_digest(life, agent, ciphertext)
    return events.SealedCard(card_ids.card_id(text, digest), ciphertext, digest)


def sealing_key(name: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(fixed(f"x25519 {name}"))


def incarnation(name: str) -> bytes:
    """The life that a key's owner began with the nonce `nonce NAME`."""
    key = signing_key(name).public_key().public_bytes_raw()
    return seals.incarnation_of(key, fixed(f"nonce {name}", seals.NONCE_BYTES))


INCARNATION: Final = incarnation("desk")
HUB: Final = incarnation("hub")
SUBJECT: Final = ids.reservation_id(INCARNATION, NOW_MS, bytes(range(ids.ENTROPY_BYTES)))
FOREIGN: Final = ids.reservation_id(HUB, NOW_MS, bytes(range(ids.ENTROPY_BYTES)))
"""An id that only the hub may give."""
IMPORTED: Final = ids.import_id(BOOK, "sevenrooms:4711")
ROOT_CERTIFICATE: Final = identity.make_root(TENANT, signing_key("root"), NOW_MS)


@contextlib.contextmanager
def fixed_serial(name: str) -> Generator[None, None, None]:
    """Certificates that are made inside have a serial number that follows from a name."""
    serial = int.from_bytes(fixed(f"serial {name}", 16), "big") >> 1
    with mock.patch.object(x509, "random_serial_number", lambda: serial):
        yield


def certificate(
    name: str, role: str = "front-desk", venue: str = VENUE, root: str = "root"
) -> bytes:
    """A certificate with a serial number that follows from its name."""
    issuer = identity.make_root(TENANT, signing_key(root), NOW_MS)
    with fixed_serial(name):
        return identity.issue(
            signing_key(root), issuer, TENANT, venue, role, name,
            signing_key(name).public_key(), NOW_MS,
        )  # fmt: skip


def plain(value: Any) -> Any:
    """A value as JSON: bytes as hex, arrays as the wire has them."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if hasattr(value, "_asdict"):
        return {name: plain(member) for name, member in value._asdict().items()}
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value


# --- chains, seals, pages -------------------------------------------------------------------------


def chain_vectors() -> Vectors:
    entries = [b"", b"first", bytes(range(256))]
    start = seals.chain_start(BOOK, INCARNATION)
    head = start
    steps = []
    for entry in entries:
        head = seals.chain_next(head, entry)
        steps.append({"entry": entry.hex(), "hash": head.hex(), "operation": head[:16].hex()})
    return {
        "book": BOOK,
        "incarnation": INCARNATION.hex(),
        "public_key": signing_key("desk").public_key().public_bytes_raw().hex(),
        "nonce": fixed("nonce desk", seals.NONCE_BYTES).hex(),
        "start": start.hex(),
        "steps": steps,
    }


def seal_vectors() -> list[Vectors]:
    key = signing_key("desk")
    made = []
    for n in (1, 4096, 4097):
        head = fixed(f"head {n}")
        made.append(
            {
                "private_key": key.private_bytes_raw().hex(),
                "public_key": key.public_key().public_bytes_raw().hex(),
                "book": BOOK,
                "incarnation": INCARNATION.hex(),
                "n": n,
                "head": head.hex(),
                "message": seals.seal_message(BOOK, INCARNATION, n, head).hex(),
                "seal": seals.sign_seal(key, BOOK, INCARNATION, n, head).hex(),
            }
        )
    return made


def client_vectors() -> list[Vectors]:
    return [
        {
            "book": BOOK,
            "incarnation": incarnation.hex(),
            "page": page,
            "client_id": seals.client_id(BOOK, incarnation, page),
        }
        for incarnation in (INCARNATION, HUB)
        for page in (0, 1, 65_536)
    ]


def page_vectors() -> Vectors:
    """A page of the first three entries of a chain, as one update and as two."""
    entries = chain_entries()
    client = seals.client_id(BOOK, INCARNATION, 0)
    document = pages.PageDocument(client)
    document.append(entries)
    first = pages.PageDocument(client)
    first.append(entries[:1])
    return {
        "book": BOOK,
        "incarnation": INCARNATION.hex(),
        "page": 0,
        "client_id": client,
        "root": pages.ROOT,
        "entries": plain(entries),
        "update": document.update_after(0).hex(),
        "state_vector": pages.state_vector(client, len(entries)).hex(),
        "first_entry_alone": first.update_after(0).hex(),
        "update_after_first": document.update_after(1).hex(),
        "state_vector_after_first": pages.state_vector(client, 1).hex(),
        "empty_state_vector": pages.state_vector(client, 0).hex(),
    }


def bad_updates() -> list[Vectors]:
    """Updates that are no append, with the reason code of the strict reader."""
    client = 77
    document = pages.PageDocument(client)
    document.append([b"a", b"b"])
    good = document.update_after(0)
    behind = document.update_after(1)
    other = pages.PageDocument(78)
    other.append([b"x"])
    large = pages.PageDocument(client)
    large.append([b"\x00" * (ENTRY_BYTES_MAX + 1)])
    document.doc["entries"].pop(0)
    deleted = document.doc.get_update()
    rows = [
        ("nothing in it", pages.EMPTY_UPDATE, "update-empty"),
        ("no bytes", b"", "update-truncated"),
        ("cut off", good[:-1], "update-truncated"),
        ("bytes after the end", good + b"\x00", "update-trailing-bytes"),
        ("two writers", b"\x02" + good[1:-1] + other.update_after(0)[1:], "update-many-writers"),
        ("a deletion", deleted, "update-not-an-append"),
        ("a deletion of what is held", good[:-1] + b"\x01\x4d\x01\x00\x01", "update-deletes"),
        ("another root", good.replace(b"entries", b"entriez"), "update-foreign-root"),
        (
            "an insertion before the end",
            behind.replace(b"\x88\x4d\x00", b"\x88\x4d\x01"),
            "update-not-at-end",
        ),
        ("text, not bytes", good.replace(b"\x74\x01a", b"\x77\x01a"), "update-not-bytes"),
        ("a number spelt too long", b"\x81\x00" + good[1:], "update-number-too-long"),
        ("no structs", b"\x01\x00\x4d\x00\x00", "update-too-large"),
        ("an entry larger than the limit", large.update_after(0), "entry-too-large"),
    ]
    made = []
    for name, data, reason in rows:
        if len(data) > 1_000:
            shown: Any = {
                "hex_start": data[:32].hex(),
                "then_zeros": len(data) - 33,
                "hex_end": "00",
            }
        else:
            shown = data.hex()
        made.append({"name": name, "update": shown, "reason": reason})
    return made


# --- ids ------------------------------------------------------------------------------------------


def id_vectors() -> Vectors:
    """Ids that a life makes, imported records' ids, and what each life may name."""
    made = [
        {
            "incarnation": INCARNATION.hex(),
            "ms": ms,
            "entropy": entropy.hex(),
            "id": ids.uuid_text(ids.reservation_id(INCARNATION, ms, entropy)),
        }
        for ms, entropy in (
            (0, bytes(3)),
            (NOW_MS, bytes(range(3))),
            (NOW_MS, b"\xff\xff\xff"),
            ((1 << 48) - 1, b"\x12\x34\x56"),
        )
    ]
    imported = [
        {"book": BOOK, "key": key, "id": ids.uuid_text(ids.import_id(BOOK, key))}
        for key in ("sevenrooms:4711", "città")
    ]
    rows = [
        ("its own", SUBJECT, True),
        ("the hub's", FOREIGN, False),
        ("its own, one bit off at the end", SUBJECT[:-1] + bytes([SUBJECT[-1] ^ 1]), False),
        ("its own at another time", SUBJECT[:5] + bytes([SUBJECT[5] ^ 1]) + SUBJECT[6:], False),
        ("an imported record's", IMPORTED, True),
        ("a random one", uuid.UUID(bytes=fixed("id", 16), version=4).bytes, False),
        ("of another variant", bytes([*SUBJECT[:8], SUBJECT[8] | 0xC0, *SUBJECT[9:]]), False),
    ]
    return {
        "made": made,
        "imported": imported,
        "may_name": [
            {
                "name": name,
                "incarnation": INCARNATION.hex(),
                "id": ids.uuid_text(value),
                "may_name": may,
            }
            for name, value, may in rows
        ],
    }


# --- entries --------------------------------------------------------------------------------------


def sample_events() -> Iterator[tuple[events.Event, Vectors]]:
    """One event of each kind, with what its envelope carries."""
    operation = fixed("operation", 16)
    claim = Claim("T1", START, START + 6_300, 1, 900)
    about = {"subject": SUBJECT, "follows": (operation,)}
    card = sealed_card(INCARNATION, AGENT)
    yield (
        events.ReservationCreated(
            AGENT, 2, "RES-2026-7K3M9Q", "2026-01-01", card=card, area="main",
            metadata={"crm.contact": "crm:4711"}, starts_at=START, ends_at=START + 5_400,
        ),
        {"subject": SUBJECT, "claims": (claim,)},
    )  # fmt: skip
    yield (
        events.ReservationCreated(
            AGENT, 1, "RES-2026-7K3M9Q", "2026-01-01", "house",
            metadata={"crm.contact": "crm:4711"},
            form=events.Form(
                "block", use="maintenance", reason="repair", series=fixed("series", 16)
            ),
        ),
        {"subject": SUBJECT, "claims": (claim,)},
    )  # fmt: skip
    yield (
        events.ReservationReserved({"agent_id": AGENT}),
        {**about, "claims": (Claim("T1", START, START + 5_400, replaces=ClaimId(operation, 0)),)},
    )
    yield events.ReservationExpired(), about
    yield events.ReservationAmended({"party_size": 3}), about
    yield (
        events.ReservationMoved(override="vip_guest"),
        {**about, "claims": (Claim("T2", START, START + 5_400, replaces=ClaimId(operation, 0)),)},
    )
    yield events.ReservationCancelled("guest_request", "guest", card, AGENT), about
    yield events.ReservationCheckedIn(2), about
    yield events.ReservationCompleted(NOW_MS), about
    yield events.ReservationMarkedNoShow(), about
    yield events.ReservationNoShowUndone(), about
    yield events.ReservationAttendanceConfirmed(), about
    yield (
        events.ClaimDecided(
            operation, "displaced", "taken", (SUBJECT,), ((INCARNATION, 7, fixed("head", 8)),)
        ),
        {"subject": SUBJECT, "claims": (claim,)},
    )
    yield (
        events.ClaimEnded("cancelled", by=(fixed("right", 16),)),
        {"subject": SUBJECT, "ends": (ClaimId(operation, 0),)},
    )
    yield events.ExceptionResolved("displaced", "acknowledge", "", operation), about
    yield events.OperationWithdrawn(operation, "entered_by_mistake"), about
    leaf, sealing = certificate("desk"), sealing_key("desk").public_key().public_bytes_raw()
    nonce = fixed("nonce desk", seals.NONCE_BYTES)
    yield events.ChainCertified((leaf,), sealing, 1, (), "holdfast-0.1.0", nonce), {}
    yield events.ChainKeyChanged((leaf,), sealing), {}
    yield events.ChainSucceeded(fixed("next", 16), "clock_ahead"), {}
    yield events.ChainClosed(INCARNATION, b"", 7, fixed("head"), "succeeded"), {}
    yield (
        events.NodeRevoked(
            "kiosk", (fixed("serial", 20),), ((INCARNATION, 7, fixed("head")),), "stolen"
        ),
        {},
    )
    yield events.VenueConfigured(b'{"venue":"trattoria"}'), {}
    earlier = sealing_key("hub").public_key().public_bytes_raw()
    yield events.VenueKeyPublished(sealing, earlier), {}
    yield events.VenueKeyAccepted(sealing), {}
    yield events.VenueKeyHanded(INCARNATION, sealing, fixed("sealed key", 80)), {}
    yield events.CodesGranted(INCARNATION, (226,)), {}
    yield events.GuestErased(AGENT, "guest_request", (fixed("card id", 16),)), {}
    yield events.GuestErasureConfirmed((operation,)), {}
    yield events.GuestExported(AGENT), {}
    yield (
        events.RightGranted(
            INCARNATION, ("T1", "T2"), 1, START, START + 86_400, 60, operation,
            ((SUBJECT, operation, 0),),
        ),
        {"claims": (Claim("T1", START, START + 5_400, 1, 900),)},
    )  # fmt: skip
    yield events.RightReturned((operation,), START + 3_600), {}
    yield events.RightRevoked(operation, INCARNATION, 7, fixed("head"), "stranded"), {}
    yield (
        events.GuestRestricted(AGENT, "max-concurrent", "no_shows", 2, NOW_MS + 86_400_000),
        {},
    )
    yield events.GuestRestrictionLifted(operation, "paid"), {}
    yield events.GuestProfiled(AGENT, "gold", ("member", "certified")), {}
    yield events.GuestFlagged(AGENT, "vip", True), {}
    yield events.GuestNoted(AGENT, card, True, operation), {}
    yield events.GuestNoteWithdrawn(AGENT, operation), {}
    yield events.GuestDescribed(AGENT, card), {}
    yield events.GuestMerged(AGENT, OTHER_AGENT), {}
    yield events.GuestUnmerged(AGENT, OTHER_AGENT, (operation,)), {}
    yield events.ResourceCleaned("T1"), {}
    yield events.ServiceNotesEdited("2026-07-01", "dinner", AGENT, card), {}
    yield events.ReservationCheckedIn(2), {"subject": SUBJECT, "follows": (operation,), "by": AGENT}
    yield events.ReservationApproved(), {"subject": SUBJECT}


def entry_of(event: events.Event, number: int = 0, **envelope: Any) -> Entry:
    return Entry(
        events.KIND_BY_EVENT[type(event)],
        STAMP + number,
        250,
        envelope.get("subject", b""),
        envelope.get("follows", ()),
        envelope.get("claims", ()),
        envelope.get("ends", ()),
        SCHEMA,
        events.encode_content(event),
        envelope.get("by", ""),
    )


def entry_vectors() -> list[Vectors]:
    made = []
    for number, (event, envelope) in enumerate(sample_events()):
        entry = entry_of(event, number, **envelope)
        made.append(
            {
                "incarnation": INCARNATION.hex(),
                "envelope": _envelope(entry),
                "content": plain(event),
                "bytes": encode(entry).hex(),
            }
        )
    kinds = {row["envelope"]["kind"] for row in made}
    assert kinds == set(events.EVENT_BY_KIND), set(events.EVENT_BY_KIND) - kinds
    return made


def _envelope(entry: Entry) -> Any:
    """Its fields as the wire has them: whoever did it is left out where nobody is named."""
    fields = plain(entry)
    return fields if entry.by else {name: fields[name] for name in fields if name != "by"}


def judged_entries() -> list[Vectors]:
    """Entries that do not simply merge, with the gate's verdict and reason."""
    created = entry_of(
        events.ReservationCreated(AGENT, 2, "RES-2026-7K3M9Q", "2026-01-01"),
        subject=SUBJECT,
        claims=(Claim("T1", START, START + 5_400),),
    )

    def content(event: events.Event) -> dict[str, Any]:
        return {"content": events.encode_content(event)}

    claim = Claim("T1", START, START + 5_400)
    change = msgspec.structs.replace
    written_out = b"\x9a" + encode(created)[1:] + b"\xa0"
    rows: list[tuple[str, bytes, str, str]] = [
        ("nobody, written out", written_out, "quarantined", "by-written-out"),
        ("no MessagePack", b"\xc1", "quarantined", "entry-unreadable"),
        ("nested arrays", b"\x91" * 64 + b"\x00", "quarantined", "entry-unreadable"),
    ]
    for name, changes, verdict, reason in (
        ("a newer schema", {"schema": 2}, "deferred", "newer-schema"),
        ("an unknown kind", {"kind": "payment.received"}, "deferred", "newer-schema"),
        ("a kind with clear text", {"kind": "for.Ann Smith"}, "", "kind-not-namespaced"),
        ("a stamp of 64 bits", {"stamp": 1 << 63}, "", "stamp-out-of-range"),
        ("a subject of 3 bytes", {"subject": b"abc"}, "", "envelope-out-of-range"),
        ("65 predecessors", {"follows": (bytes(16),) * 65}, "", "too-many-predecessors"),
        ("a short predecessor", {"follows": (b"x",)}, "", "operation-id-length"),
        ("65 claims", {"claims": (claim,) * 65}, "", "too-many-claims"),
        ("an end before its start", {"claims": (change(claim, end=START),)}, "", "claim-interval"),
        ("no quantity", {"claims": (change(claim, quantity=0),)}, "", "claim-quantity"),
        ("a right of 17 bytes", {"claims": (change(claim, right=bytes(17)),)}, "",
         "claim-out-of-range"),
        ("clear text as resource", {"claims": (change(claim, resource="Ann's table"),)}, "",
         "text-not-an-id:resource"),
        ("clear text as whoever did it", {"by": "Ann Smith"}, "", "text-not-an-id:by"),
        ("a pseudonym in capitals", {"by": AGENT.upper()}, "", "text-not-an-id:by"),
        ("a pseudonym that is cut", {"by": AGENT[:-1]}, "", "text-not-an-id:by"),
        ("a claim id of 3 bytes", {"ends": (ClaimId(b"abc", 0),)}, "", "claim-id"),
        ("a content of another form", {"content": b"\x90"}, "", "content-unreadable"),
        ("clear text as agent", content(events.ReservationCreated("Ann Smith", 2,
         "RES-2026-7K3M9Q", "2026-01-01")), "", "text-not-an-id:agent_id"),
        ("clear text as code", content(events.ReservationCreated(AGENT, 2, "Ann", "2026-01-01")),
         "", "text-not-a-code:code"),
        ("a day that is none", content(events.ReservationCreated(AGENT, 2, "RES-2026-7K3M9Q",
         "2026-02-30")), "", "text-not-a-date:service_date"),
        ("nobody", content(events.ReservationCreated(AGENT, 0, "RES-2026-7K3M9Q", "2026-01-01")),
         "", "party-size"),
        ("clear text as metadata", content(events.ReservationCreated(AGENT, 2, "RES-2026-7K3M9Q",
         "2026-01-01", metadata={"crm.name": "Ann Smith"})), "", "text-not-an-id:metadata"),
        ("a name in the form of a foreign id", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", metadata={"crm.contact": "guest:Ann_Smith"})), "",
         "text-not-an-id:metadata"),
        ("a telephone number as metadata", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", metadata={"crm.contact": 39_055_123_456})), "",
         "text-not-an-id:metadata"),
        ("the largest number of metadata", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", metadata={"crm.contact": METADATA_NUMBER_MAX})),
         "merged", ""),
        ("a name in the form of a code", {"kind": "node.revoked", **content(events.NodeRevoked(
         "desk", (), (), "ann_smith"))}, "", "text-not-a-code:reason"),
        ("an override in one's own words", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", override="ann_smith")), "", "text-not-a-code:override"),
        ("a restriction in one's own words", {"kind": "guest.restricted", **content(
         events.GuestRestricted(AGENT, "booking-ban", "ann_smith"))}, "",
         "text-not-a-code:reason"),
        ("a restriction of another kind", {"kind": "guest.restricted", **content(
         events.GuestRestricted(AGENT, "ann_smith", "no_shows"))}, "",
         "text-not-a-code:restriction"),
        ("a negative restriction", {"kind": "guest.restricted", **content(
         events.GuestRestricted(AGENT, "max-concurrent", "no_shows", -1))}, "",
         "restriction-out-of-range"),
        ("clear text as tag", {"kind": "guest.profiled", **content(
         events.GuestProfiled(AGENT, "gold", ("Ann Smith",)))}, "", "text-not-an-id:tags"),
        ("a flag in one's own words", {"kind": "guest.flagged", **content(
         events.GuestFlagged(AGENT, "ann_smith", True))}, "", "text-not-a-code:flag"),
        ("a guest merged with itself", {"kind": "guest.merged", **content(
         events.GuestMerged(AGENT, AGENT))}, "", "guest-merged-with-itself"),
        ("a guest merged with a name", {"kind": "guest.merged", **content(
         events.GuestMerged(AGENT, "Ann Smith"))}, "", "text-not-an-id:other"),
        ("no merge taken back", {"kind": "guest.unmerged", **content(
         events.GuestUnmerged(AGENT, OTHER_AGENT, ()))}, "", "merges-out-of-range"),
        ("a note with another guest's card", {"kind": "guest.noted", **content(
         events.GuestNoted(OTHER_AGENT, sealed_card(INCARNATION, AGENT)))}, "", "card-foreign"),
        ("a name as a table", {"kind": "resource.cleaned", **content(
         events.ResourceCleaned("Ann Smith"))}, "", "text-not-an-id:resource"),
        ("a name as a service", {"kind": "service.notes_edited", **content(
         events.ServiceNotesEdited("2026-07-01", "Ann Smith", AGENT,
         sealed_card(INCARNATION, AGENT)))}, "", "text-not-an-id:service"),
        ("notes of no date", {"kind": "service.notes_edited", **content(
         events.ServiceNotesEdited("tomorrow", "", AGENT, sealed_card(INCARNATION, AGENT)))}, "",
         "text-not-a-date:date"),
        ("a partner's reference in clear", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", source="partner", partner=b"BK-4711")), "",
         "partner-out-of-range"),
        ("a partner's reference of no partner", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", source="phone", partner=bytes(16))), "",
         "partner-out-of-range"),
        ("a partner's reference", content(events.ReservationCreated(AGENT, 2, "RES-2026-7K3M9Q",
         "2026-01-01", source="partner", partner=bytes(16))), "merged", ""),
        ("a card id of 3 bytes", content(events.ReservationCreated(AGENT, 2, "RES-2026-7K3M9Q",
         "2026-01-01", card=events.SealedCard(b"abc", b"", bytes(16)))), "", "card-out-of-range"),
        ("a card without the digest of its key", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", card=events.SealedCard(bytes(16), b"x"))), "",
         "card-out-of-range"),
        ("a card", content(events.ReservationCreated(AGENT, 2, "RES-2026-7K3M9Q", "2026-01-01",
         card=sealed_card(INCARNATION, AGENT))), "merged", ""),
        ("another guest's card", content(events.ReservationCreated(OTHER_AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", card=sealed_card(INCARNATION, AGENT))), "",
         "card-foreign"),
        ("a card that another life sealed", content(events.ReservationCreated(AGENT, 2,
         "RES-2026-7K3M9Q", "2026-01-01", card=sealed_card(HUB, AGENT))), "", "card-foreign"),
        ("a card of nobody's", {"kind": "reservation.amended", **content(
         events.ReservationAmended({}, sealed_card(INCARNATION, AGENT)))}, "", "card-foreign"),
        ("another device's id", {"subject": FOREIGN}, "", "id-foreign"),
        ("no id at all", {"subject": b""}, "", "id-foreign"),
        ("an id of another version", {"subject": uuid.UUID(int=0, version=4).bytes}, "",
         "id-foreign"),
        ("an imported record's id", {"subject": IMPORTED}, "merged", ""),
        ("clear text behind the fields", {"content": _longer(created.content, "Ann Smith")}, "",
         "text-not-an-id:unknown-field"),
        ("a number behind the fields", {"content": _longer(created.content, 7)}, "merged", ""),
    ):  # fmt: skip
        data = encode(change(created, **changes))
        rows.append((name, data, verdict or "quarantined", reason))
    return [
        {
            "name": name,
            "incarnation": INCARNATION.hex(),
            "bytes": data.hex(),
            "verdict": verdict,
            "reason": reason,
        }
        for name, data, verdict, reason in rows
    ]


def _longer(content: bytes, value: Any) -> bytes:
    """A content as a later version might write it, with a field more."""
    return msgspec.msgpack.encode([*msgspec.msgpack.decode(content), value])


# --- frames ---------------------------------------------------------------------------------------


def certified(leaf: bytes, sealing: bytes) -> events.ChainCertified:
    """The first entry of the desk's chain with this certificate."""
    return events.ChainCertified((leaf,), sealing, nonce=fixed("nonce desk", seals.NONCE_BYTES))


def chain_entries() -> list[bytes]:
    """The first three entries of the desk's chain."""
    sealing = sealing_key("desk").public_key().public_bytes_raw()
    claim = Claim("T1", START, START + 5_400)
    return [
        encode(entry_of(certified(certificate("desk"), sealing))),
        encode(
            entry_of(
                events.ReservationCreated(AGENT, 2, "RES-2026-7K3M9Q", "2026-01-01"),
                1, subject=SUBJECT, claims=(claim,),
            )
        ),
        encode(entry_of(events.ReservationCancelled("guest_request", "guest"), 2, subject=SUBJECT)),
    ]  # fmt: skip


def frame_of(
    entries: list[bytes], after: int = 0, *, sealed: int | None = None, key: str = "desk",
    incarnation: bytes = INCARNATION, page: int = 0, **changes: Any,
) -> messages.Frame:  # fmt: skip
    """The frame that sends a chain's entries behind the first `after`."""
    document = pages.PageDocument(seals.client_id(BOOK, incarnation, page))
    document.append(entries)
    start = seals.chain_start(BOOK, incarnation)
    hashes = [start, *seals.chain_run(start, entries)]
    sealed = len(entries) if sealed is None else sealed
    frame = messages.Frame(
        incarnation, page, hashes[after], document.update_after(after), sealed,
        seals.sign_seal(
            signing_key(key), BOOK, incarnation, sealed, hashes[min(sealed, len(entries))]
        ),
    )  # fmt: skip
    return frame_with(frame, **changes)


def frame_with(frame: messages.Frame, **changes: Any) -> messages.Frame:
    return msgspec.structs.replace(frame, **changes)


def frame_vectors() -> list[Vectors]:
    """Frames against what a replica holds of the chain: what passes, and the reason if not."""
    entries = chain_entries()
    stranger = certified(certificate("desk", root="stranger"), bytes(32))
    foreign = certified(certificate("desk", venue="elsewhere"), bytes(32))
    squatter = [encode(entry_of(certified(certificate("kiosk", "kiosk"), bytes(32))))]
    other = [*entries[:2], encode(entry_of(events.ReservationCheckedIn(2), 9, subject=SUBJECT))]
    rows: list[tuple[str, list[bytes], messages.Frame, str]] = [
        ("a chain from its start", [], frame_of(entries), ""),
        ("what follows", entries[:1], frame_of(entries, 1), ""),
        ("what is known already", entries, frame_of(entries), ""),
        ("beyond the seal", [], frame_of(entries, sealed=2), ""),
        ("a second branch", entries, frame_of(other), ""),
        ("a gap", entries[:1], frame_of(entries, 2), "gap"),
        ("nothing held", [], frame_of(entries, 2), "gap"),
        ("another start", [], frame_of(entries, base=bytes(32)), "chain-start"),
        ("another page's update", [], frame_with(frame_of(entries, page=1), page=0),
         "foreign-page"),
        ("no update", [], frame_of(entries, update=b"\x00\x00"), "update-empty"),
        ("a seal of nothing in it", [], frame_of(entries, sealed=4), "seal-missing"),
        ("a seal by another key", [], frame_of(entries, key="stranger"), "seal-invalid"),
        ("a seal cut short", [], frame_of(entries, seal=bytes(63)), "seal-invalid"),
        ("no certificate first", [], frame_of(entries[1:]), "certificate-missing"),
        ("another tenant's root", [], frame_of([encode(entry_of(stranger))]),
         "certificate-invalid"),
        ("another venue's writer", [], frame_of([encode(entry_of(foreign))]),
         "certificate-foreign"),
        ("another device's incarnation", [], frame_of(squatter, key="kiosk"),
         "incarnation-foreign"),
        ("an incarnation of 3 bytes", [], frame_with(frame_of(entries), incarnation=b"abc"),
         "frame-malformed"),
    ]  # fmt: skip
    return [
        {"name": name, "held": plain(held), "frame": plain(frame), "reason": reason}
        for name, held, frame, reason in rows
    ]
