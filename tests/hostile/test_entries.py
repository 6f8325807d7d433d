"""Entries that say what nobody may say: each gets its verdict, on a chain that goes on."""

from __future__ import annotations

import os
import tracemalloc
from typing import Any

import msgspec
import pytest

from holdfast.model.contents import AMENDABLE
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.events import (
    ChainClosed,
    ChainKeyChanged,
    ChainSucceeded,
    ClaimDecided,
    CodesGranted,
    ExceptionResolved,
    NodeRevoked,
    OperationWithdrawn,
    ReservationAmended,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationMoved,
    RightGranted,
    RightRevoked,
    SealedCard,
    VenueKeyHanded,
    VenueKeyPublished,
)
from holdfast.model.ids import uuid_text
from holdfast.model.limits import (
    CARD_BYTES_MAX,
    CLAIM_SECONDS_MAX,
    CODE_PREFIXES,
    ENTRIES_PER_RESERVATION_MAX,
    HEADS_PER_DECISION_MAX,
    PARTY_MAX,
)
from holdfast.node import returning
from holdfast.node.exchange import Exchange
from holdfast.sync import seals
from holdfast.sync.messages import ExchangeResponse
from tests.hostile.builders import EVENING, Town, claim, contents, created, entry
from tests.kit import START_MS

HUGE = (1 << 63) - 1
NAME = "Ann Smith"
TEXT = b"Ann Smith, +39 055 123456, no nuts"
FAR = 32_503_680_000
"""The first second of the year 3000."""

BAD: list[tuple[str, bytes, str]] = [
    ("no MessagePack", b"\xc1", "entry-unreadable"),
    ("no bytes", b"", "entry-unreadable"),
    ("64 nested arrays", b"\x91" * 64 + b"\xc0", "entry-unreadable"),
    ("100,000 nested arrays", b"\x91" * 100_000, "entry-unreadable"),
    ("a field more than an envelope has", b"\x9a" + entry(created())[1:] + b"\xc0",
     "entry-unreadable"),
    ("clear text as its kind", entry(created(), kind="guest.Ann Smith +39 055"),
     "kind-not-namespaced"),
    ("a kind without a namespace", entry(created(), kind="reservation"), "kind-not-namespaced"),
    ("a stamp of 64 bits", entry(created(), stamp=(1 << 64) - 1), "stamp-out-of-range"),
    ("a subject of 5 bytes", entry(created(), subject=b"Smith"), "envelope-out-of-range"),
    ("schema 0", entry(created(), schema=0), "envelope-out-of-range"),
    ("65 predecessors", entry(created(), follows=(bytes(16),) * 65), "too-many-predecessors"),
    ("65 claims", entry(created(), claims=(claim(),) * 65), "too-many-claims"),
    ("65 ends", entry(created(), ends=(ClaimId(bytes(16), 0),) * 65), "too-many-claims"),
    ("an end before its start", entry(created(), claims=(claim(end=EVENING - 1),)),
     "claim-interval"),
    ("an end at its start", entry(created(), claims=(claim(end=EVENING),)), "claim-interval"),
    ("a start before 1970", entry(created(), claims=(claim(start=-1),)), "claim-interval"),
    ("an end in the year 3000", entry(created(), claims=(claim(end=FAR),)), "claim-interval"),
    ("a stay of a thousand years", entry(created(), claims=(claim(start=0, end=FAR - 1),)),
     "claim-interval"),
    ("a quantity of nothing", entry(created(), claims=(claim(quantity=0),)), "claim-quantity"),
    ("a negative quantity", entry(created(), claims=(claim(quantity=-5),)), "claim-quantity"),
    ("a huge quantity", entry(created(), claims=(claim(quantity=1_000_001),)), "claim-quantity"),
    ("a buffer longer than the stay", entry(created(), claims=(claim(buffer=5_400),)),
     "claim-quantity"),
    ("a right of 17 bytes", entry(created(), claims=(claim(right=bytes(17)),)),
     "claim-out-of-range"),
    ("a holder of 3 bytes", entry(created(), claims=(claim(asks=b"abc"),)), "claim-out-of-range"),
    ("clear text as a resource", entry(created(), claims=(claim(resource=NAME),)),
     "text-not-an-id:resource"),
    ("a claim that replaces none", entry(created(), claims=(claim(replaces=ClaimId(b"", 0)),)),
     "claim-id"),
    ("a claim's place beyond 63", entry(created(), ends=(ClaimId(bytes(16), 64),)), "claim-id"),
    ("another content", entry(created(), content=b"\x90"), "content-unreadable"),
    ("no content", entry(created(), content=b""), "content-unreadable"),
    ("nested content", entry(created(), content=b"\x91" * 50_000), "content-unreadable"),
    ("clear text as agent", entry(created(agent_id=NAME)), "text-not-an-id:agent_id"),
    ("a longer agent id", entry(created(agent_id="agent_" + "0" * 33)), "text-not-an-id:agent_id"),
    ("clear text as code", entry(created(code="RES-2027-Smith")), "text-not-a-code:code"),
    ("digits of another script", entry(created(code="RES-٢٠٢٧-AAAAAA")), "text-not-a-code:code"),
    ("clear text as a day", entry(created(service_date="tomorrow")),
     "text-not-a-date:service_date"),
    ("a day that no month has", entry(created(service_date="2027-02-30")),
     "text-not-a-date:service_date"),
    ("the year 9999", entry(created(service_date="9999-12-31")), "text-not-a-date:service_date"),
    ("a party of nobody", entry(created(party_size=0)), "party-size"),
    ("a party of everybody", entry(created(party_size=PARTY_MAX + 1)), "party-size"),
    ("a made-up kind of reservation", entry(created(kind=NAME)), "text-not-a-code:kind"),
    ("a made-up source", entry(created(source=NAME)), "text-not-a-code:source"),
    ("a made-up occasion", entry(created(occasion=NAME)), "text-not-a-code:occasion"),
    ("a made-up outcome", entry(created(outcome=NAME)), "text-not-a-code:outcome"),
    ("clear text as area", entry(created(area=NAME)), "text-not-an-id:area"),
    ("clear text as resource kind", entry(created(resource_kind=NAME)),
     "text-not-an-id:resource_kind"),
    ("clear text in metadata", entry(created(metadata={"crm.note": NAME})),
     "text-not-an-id:metadata"),
    ("clear text as metadata's key", entry(created(metadata={NAME: 1})), "text-not-an-id:metadata"),
    ("clear text deep in metadata", entry(created(metadata={"a": [{"b": [NAME]}]})),
     "text-not-an-id:metadata"),
    ("metadata of 5,000 bytes", entry(created(metadata={"a": [1 << 20] * 1_000})),
     "text-not-an-id:metadata"),
    ("a start beyond all numbers", entry(created(starts_at=HUGE)), "time-out-of-range"),
    ("an end before 1970", entry(created(ends_at=-1)), "time-out-of-range"),
    ("made in the year 3000", entry(created(made_at_ms=FAR * 1000)), "time-out-of-range"),
    ("nights beyond all numbers", entry(created(nights=HUGE)), "nights"),
    ("a card without an id", entry(created(card=SealedCard(b"", b"x"))), "card-out-of-range"),
    ("a card as large as a book",
     entry(created(card=SealedCard(bytes(16), bytes(CARD_BYTES_MAX + 129), bytes(16)))),
     "card-out-of-range"),
    ("a card without its key's digest", entry(created(card=SealedCard(bytes(16), b"x"))),
     "card-out-of-range"),
    ("a card under another's id", entry(created(card=SealedCard(bytes(16), b"x", bytes(16)))),
     "card-foreign"),
    ("a card of nobody", entry(ReservationAmended({}, SealedCard(bytes(16), b"x", bytes(16)))),
     "card-foreign"),
    ("a note about nobody",
     entry(ReservationCancelled("weather", "guest", SealedCard(bytes(16), b"x", bytes(16)))),
     "card-foreign"),
    ("a note about a name", entry(ReservationCancelled("weather", "guest", None, NAME)),
     "text-not-an-id:agent_id"),
    ("a made-up reason", entry(ReservationCancelled(NAME, "guest")), "text-not-a-code:reason"),
    ("cancelled by name", entry(ReservationCancelled("weather", NAME)), "text-not-a-code:by"),
    ("a field that cannot change", entry(ReservationAmended({"code": "RES-2027-BBBBBB"})),
     "field-not-amendable"),
    ("a field that is a method", entry(ReservationAmended({"__class__": 1})),
     "field-not-amendable"),
    ("a seat for everybody", entry(ReservationCheckedIn(HUGE)), "party-size"),
    ("seen in the year 3000", entry(ReservationCheckedIn(2, FAR * 1000)), "time-out-of-range"),
    ("left before 1970", entry(ReservationCompleted(-1000)), "time-out-of-range"),
    ("an exception by name", entry(ExceptionResolved(NAME, "acknowledge")),
     "text-not-a-code:exception"),
    ("an action by name", entry(ExceptionResolved("displaced", NAME)), "text-not-a-code:action"),
    ("a withdrawal of 3 bytes", entry(OperationWithdrawn(b"abc")), "operation-id-length"),
    ("a withdrawal with a story", entry(OperationWithdrawn(bytes(16), NAME)),
     "text-not-a-code:reason"),
    ("a decision of no operation", entry(ClaimDecided(b"", "admitted")), "operation-id-length"),
    ("a made-up verdict", entry(ClaimDecided(bytes(16), "perhaps")), "text-not-a-code:verdict"),
    ("a decision with names", entry(ClaimDecided(bytes(16), "moved", from_resources=(NAME,))),
     "text-not-an-id:from_resources"),
    ("a revocation with a name", entry(NodeRevoked(NAME, ())), "text-not-an-id:node"),
    ("a venue's key of 3 bytes", entry(VenueKeyPublished(b"abc")), "key-length"),
    ("a venue's key that nothing fits", entry(VenueKeyPublished(bytes(32))), "key-weak"),
    ("a right of nothing", entry(RightGranted(bytes(16), ("T1",), 0, 0, 1)), "right-out-of-range"),
    ("a certificate change without one", entry(ChainKeyChanged(())), "certificate-out-of-range"),
    ("clear text as a certificate", entry(ChainKeyChanged((TEXT,))), "certificate-out-of-range"),
    ("clear text behind a certificate", entry(ChainKeyChanged((b"\x30\x02\x05\x00" + TEXT,))),
     "certificate-out-of-range"),
    ("a certificate as large as a book",
     entry(ChainKeyChanged((b"\x30\x82\xff\xff" + bytes(0xFFFF),))), "certificate-out-of-range"),
    ("clear text as the next life", entry(ChainSucceeded(TEXT)), "operation-id-length"),
    ("clear text as a head's life",
     entry(ClaimDecided(bytes(16), "admitted", relied_on=((TEXT, 1, bytes(8)),))),
     "operation-id-length"),
    ("clear text as a head",
     entry(ClaimDecided(bytes(16), "admitted", relied_on=((bytes(16), 1, TEXT),))), "hash-length"),
    ("a head before the first entry",
     entry(ClaimDecided(bytes(16), "admitted", relied_on=((bytes(16), -1, bytes(8)),))),
     "entries-out-of-range"),
    ("more heads than a decision names",
     entry(ClaimDecided(bytes(16), "admitted",
                        relied_on=((bytes(16), 1, bytes(8)),) * (HEADS_PER_DECISION_MAX + 1))),
     "too-many-heads"),
    ("clear text as a closed head", entry(ChainClosed(bytes(16), b"", 1, TEXT)), "hash-length"),
    ("clear text as a closed branch", entry(ChainClosed(bytes(16), TEXT, 1, bytes(32))),
     "hash-length"),
    ("clear text as the head of a right", entry(RightRevoked(bytes(16), bytes(16), 1, TEXT)),
     "hash-length"),
    ("clear text as the head of a revocation",
     entry(NodeRevoked("desk", (), ((bytes(16), 1, TEXT),))), "hash-length"),
    ("codes for clear text", entry(CodesGranted(TEXT, (1,))), "operation-id-length"),
    ("codes that are none", entry(CodesGranted(bytes(16), (CODE_PREFIXES,))), "codes-out-of-range"),
    ("a venue's key for clear text",
     entry(VenueKeyHanded(TEXT, bytes(range(32)), bytes(80))), "operation-id-length"),
    ("clear text as a sealed key",
     entry(VenueKeyHanded(bytes(16), bytes(range(32)), TEXT)), "key-length"),
]  # fmt: skip
VALUES: list[Any] = [None, -1, HUGE, 1.5, NAME, b"x", [], [NAME], {}, {NAME: NAME}, True, [[]] * 9]
"""What stands in an amendment where a field has another type, or a range."""


def verdicts(answer: ExchangeResponse) -> list[tuple[str, str]]:
    return [(verdict, reason) for _, _, verdict, reason in answer.verdicts]


@pytest.mark.parametrize(("data", "reason"), [r[1:] for r in BAD], ids=[r[0] for r in BAD])
def test_a_bad_entry_is_quarantined_with_its_reason_and_counts_for_nothing(
    town: Town, data: bytes, reason: str
) -> None:
    before = contents(town.hub)
    answer = town.attacker.write(data)
    assert verdicts(answer) == [("quarantined", reason)]
    assert answer.refused == (), "its chain goes on"
    after = contents(town.hub)
    for table in ("reservations", "claims", "digests", "exceptions", "card_keys"):
        assert after[table] == before[table], table
    town.assert_alive()


def test_all_bad_entries_in_one_message_each_get_their_verdict(town: Town) -> None:
    good = town.attacker.new_id()
    last = entry(created(), subject=good, claims=(claim("T4"),))
    answer = town.attacker.write(*[row[1] for row in BAD], last)
    assert verdicts(answer) == [("quarantined", row[2]) for row in BAD]
    view = town.hub.view(good)
    assert view is not None and view.status == "confirmed", "what was good counts"
    town.assert_alive()


@pytest.mark.parametrize("field", sorted(AMENDABLE))
def test_no_value_of_another_type_gets_into_a_reservation(town: Town, field: str) -> None:
    subject = town.sold.id
    before = town.now(town.sold)
    odd = [
        entry(kind({field: value}), subject=subject, follows=before.leaves)
        for value in VALUES
        if not _belongs(field, value)
        for kind in (ReservationAmended, ReservationMoved)
    ]
    answer = town.attacker.write(*odd)
    assert {verdict for verdict, _ in verdicts(answer)} == {"quarantined"}
    assert len(answer.verdicts) == len(odd)
    after = town.now(town.sold)
    assert getattr(after, field) == getattr(before, field)
    town.assert_alive()


def _belongs(field: str, value: Any) -> bool:
    return (field == "may_move" and value is True) or (field == "metadata" and value == {})


BAD_CONTENTS = [row for row in BAD if row[0] != "clear text as a resource"
                and row[2].startswith(("text", "content"))]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_CONTENTS, ids=lambda row: row[0])
def test_the_envelope_of_a_bad_content_never_takes_a_place(
    town: Town, bad: tuple[str, bytes, str]
) -> None:
    """An envelope counts without its content (DESIGN §4.4), and sells nothing for it."""
    made = msgspec.msgpack.decode(bad[1])
    made[3], made[5] = town.attacker.new_id(), [["T3", EVENING, EVENING + 5_400]]
    town.attacker.write(msgspec.msgpack.encode(made))
    view = town.hub.view(made[3])
    assert view is None or not view.live
    sold = town.fleet.reserve(town.hub, "2027-06-06T18:00", ["T3"])
    assert sold.status == "confirmed"
    town.assert_alive()


def test_entries_of_a_newer_schema_and_of_later_kinds_wait(town: Town) -> None:
    answer = town.attacker.write(
        entry(created(), schema=2, subject=town.attacker.new_id(), content=b"\x93\x01\x02\x03"),
        entry(
            created(),
            kind="payment.received",
            subject=town.attacker.new_id(),
            content=os.urandom(40),
        ),
        entry(created(), kind="chain.renamed", content=b""),
    )
    assert verdicts(answer) == [("deferred", "newer-schema")] * 3
    town.assert_alive()


def test_a_stamp_from_next_year_moves_nobodys_clock(town: Town) -> None:
    next_year = START_MS + 365 * 86_400_000
    subject = town.attacker.new_id()
    before = town.hub.last_stamp
    answer = town.attacker.write(
        entry(created(), stamp=next_year << 16, subject=subject, claims=(claim("T4"),))
    )
    assert answer.verdicts == ()
    assert town.hub.last_stamp >> 16 < START_MS + 60_000
    assert town.hub.last_stamp >= before
    view = town.hub.view(subject)
    assert view is not None and view.status == "confirmed", "the entry counts like any other"
    town.fleet.sync(town.desk)
    assert town.desk.last_stamp >> 16 < START_MS + 60_000
    town.assert_alive()


def test_the_latest_stamp_that_there_is_harms_nobody(town: Town) -> None:
    answer = town.attacker.write(
        entry(created(), stamp=HUGE, subject=town.attacker.new_id(), claims=(claim("T4"),)),
        entry(created(), stamp=0, subject=town.attacker.new_id(), claims=(claim("T4"),)),
        entry(ReservationCancelled("weather", "guest"), stamp=HUGE, subject=town.attacker.new_id()),
    )
    assert answer.verdicts == ()
    town.assert_alive()


def test_one_resource_claimed_many_times_by_one_entry_is_sold_once(town: Town) -> None:
    subject = town.attacker.new_id()
    town.attacker.write(entry(created(), subject=subject, claims=(claim("T4"),) * 64))
    view = town.hub.view(subject)
    assert view is not None and len(view.live) <= 1
    town.assert_alive()


def test_a_claim_of_more_than_there_is_is_displaced(town: Town) -> None:
    subject, unknown, long = town.attacker.new_id(), town.attacker.new_id(), town.attacker.new_id()
    town.attacker.write(
        entry(created(), subject=subject, claims=(claim("T4", quantity=1_000_000),)),
        entry(created(), subject=unknown, claims=(claim("NO-SUCH-TABLE"),)),
        entry(created(), subject=long, claims=(claim("T1", end=EVENING + CLAIM_SECONDS_MAX),)),
    )
    for reservation in (subject, unknown, long):
        view = town.hub.view(reservation)
        assert view is not None and not view.live, view
    town.assert_alive()


def test_of_thousands_of_changes_of_one_reservation_only_so_many_count(town: Town) -> None:
    """Each knows all before it, and each is folded with all others: the first ones stand."""
    attacker, subject = town.attacker, town.sold.id
    head = seals.chain_run(seals.chain_start(town.book, attacker.incarnation), attacker.chain)[-1]
    (leaf,) = town.now(town.sold).leaves
    changes: list[bytes] = []
    last = leaf
    for number in range(2_000):
        changes.append(
            entry(
                ReservationAmended({"party_size": 1 + number % 2}), subject=subject,
                follows=(leaf,), stamp=(START_MS + number) << 16,
            )
        )  # fmt: skip
        head = seals.chain_next(head, changes[-1])
        leaf = head[:16]
        if len(changes) == ENTRIES_PER_RESERVATION_MAX:
            last = leaf
    tracemalloc.start()
    try:
        attacker.write(*changes)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    view = town.now(town.sold)
    assert (view.party_size, view.waiting, view.leaves) == (2, 0, (last,))
    assert view.entries < ENTRIES_PER_RESERVATION_MAX + 10
    assert peak < 40_000_000, f"{peak} bytes"
    town.assert_alive()


def test_predecessors_that_nobody_knows_only_make_the_entry_wait(town: Town) -> None:
    before = Exchange(town.hub).book_digest(town.book)
    loop = os.urandom(16)
    town.attacker.write(
        entry(ReservationCancelled("weather", "guest"), subject=town.sold.id, follows=(loop,)),
        entry(ReservationCheckedIn(2), subject=town.sold.id, follows=(loop, os.urandom(16))),
    )
    view = town.now(town.sold)
    assert view.status == "confirmed" and view.waiting == 2
    assert Exchange(town.hub).book_digest(town.book) != before, "shown as waiting, everywhere"
    town.assert_alive()


def test_a_holder_that_was_made_to_say_all_it_may_goes_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one writer only so many entries about a reservation count. A kiosk asks a desk for that
    many answers: the desk cannot free this one place, and hears and sells everything else."""
    monkeypatch.setattr("holdfast.store.projections.ENTRIES_PER_RESERVATION_MAX", 6)
    town.hub.granting.grant("trattoria", "desk", ["T4"])
    town.fleet.sync_all()
    subject, desk = town.attacker.new_id(), town.desk.identity.incarnation

    def asked(minute: int, **changes: Any) -> tuple[Claim, ...]:
        start = EVENING + minute * 60
        return (claim("T4", start=start, end=start + 3_600, asks=desk, **changes),)

    town.attacker.write(entry(created(), subject=subject, claims=asked(0)))
    made = town.hub.view(subject)
    assert made is not None
    town.attacker.write(
        *(
            entry(
                ReservationMoved(), subject=subject, stamp=(START_MS << 16) + minute,
                claims=asked(minute, replaces=made.pending[0].id),
            )
            for minute in range(1, 6)
        )
    )  # fmt: skip
    town.fleet.sync(town.desk)
    town.hub.reservations.cancel(uuid_text(subject))
    town.fleet.sync(town.desk)
    found = town.desk.view(subject)
    assert found is not None and found.status == "cancelled" and found.live, "held, and shown so"
    town.assert_alive()
    (right,) = town.desk.rights(town.book).of_resource("T4")
    returning.give_back(town.desk, right.right.id)
    town.fleet.sync(town.desk, town.desk)
    found = town.desk.view(subject)
    assert found is not None and not found.live
