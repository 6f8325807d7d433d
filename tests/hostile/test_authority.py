"""What only the hub may say, said by a kiosk: it stands in its chain and counts for nothing."""

from __future__ import annotations

import msgspec
import pytest

from holdfast.model.entries import HUB_RIGHT, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ChainCertified,
    ChainClosed,
    ChainKeyChanged,
    ChainSucceeded,
    ClaimDecided,
    ClaimEnded,
    CodesGranted,
    Event,
    ExceptionResolved,
    GuestFlagged,
    GuestMerged,
    GuestNoteWithdrawn,
    GuestProfiled,
    GuestRestricted,
    GuestRestrictionLifted,
    GuestUnmerged,
    NodeRevoked,
    OperationWithdrawn,
    ReservationApproved,
    ReservationMarkedNoShow,
    RightGranted,
    RightReturned,
    RightRevoked,
    VenueConfigured,
    VenueKeyAccepted,
    VenueKeyPublished,
)
from holdfast.model.ids import import_id, uuid_text
from holdfast.model.limits import LIFE_NUMBER_MAX
from holdfast.node import guest_marks, guest_terms, partnering, restricting, same_guests
from holdfast.node.audit import audit_entries
from holdfast.node.identity import HUB_ROLE
from holdfast.node.requests import CreateRequest
from holdfast.sync import seals
from tests.hostile.builders import AGENT, EVENING, Town, claim, created, entry
from tests.kit import START_MS, TRATTORIA

BARRED = "agent_" + "1" * 32


def administration(town: Town) -> object:
    book = town.hub.book(town.book).administration
    return (
        book.venue.venue if book.venue else None, dict(book.closes), set(book.revoked),
        dict(book.prefixes), book.venue_key,
    )  # fmt: skip


def test_a_kiosk_that_claims_the_hubs_right_sells_nothing(town: Town) -> None:
    """T1 at this time is the desk's: the forged right is a question like any other."""
    taken = town.now(town.sold).live[0]
    subject = town.attacker.new_id()
    stolen = claim("T1", start=taken.start, end=taken.end, right=HUB_RIGHT)
    town.attacker.write(entry(created(), subject=subject, claims=(stolen,), stamp=1 << 16))
    view = town.hub.view(subject)
    assert view is not None and view.status == "commit_failed" and not view.live
    town.fleet.sync(town.desk)
    seen = town.desk.view(subject)
    assert seen is not None and not seen.live
    town.assert_alive()


def test_a_decision_that_a_kiosk_writes_decides_nothing(town: Town) -> None:
    town.fleet.cut("desk")
    taken = town.now(town.sold).live[0]
    subject = town.attacker.new_id()
    asked = entry(
        created(), subject=subject, claims=(claim("T1", start=taken.start, end=taken.end),)
    )
    answer = town.attacker.write(asked)
    operation = answer.acks[0][2][:16]
    decided = ClaimDecided(operation, "admitted", "free")
    ended = ClaimDecided(taken.id.operation, "displaced", "taken", (subject,))
    town.attacker.write(
        entry(decided, subject=subject, claims=(claim("T1"),)),
        entry(ended, subject=town.sold.id),
    )
    view = town.hub.view(subject)
    assert view is not None and not view.live
    assert town.now(town.sold).status == "confirmed"
    town.fleet.heal()
    town.assert_alive()


def test_an_end_that_a_kiosk_writes_ends_nothing(town: Town) -> None:
    taken = town.now(town.sold).live[0]
    town.attacker.write(
        entry(ClaimEnded("cancelled"), subject=town.sold.id, ends=(taken.id,)),
        entry(created(), subject=town.sold.id, ends=(taken.id, ClaimId(bytes(16), 0))),
    )
    assert town.now(town.sold).live == [taken]
    town.assert_alive()


@pytest.mark.parametrize(
    "event",
    [
        ReservationMarkedNoShow(),
        ReservationApproved(),
        ExceptionResolved("displaced", "keep-both", "other"),
    ],
)
def test_what_a_kiosk_may_not_say_is_quarantined_everywhere(town: Town, event: Event) -> None:
    before = town.now(town.sold)
    answer = town.attacker.write(entry(event, subject=town.sold.id, follows=before.leaves))
    assert [(v[2], v[3]) for v in answer.verdicts] == [("quarantined", "role-forbidden")]
    town.fleet.sync(town.desk)
    for replica in (town.hub, town.desk):
        seen = replica.view(town.sold.id)
        assert seen is not None
        assert (seen.status, seen.exceptions) == ("confirmed", before.exceptions)
        replica.refold(town.fleet.book)
        assert replica.view(town.sold.id) == seen
    town.assert_alive()


def test_a_kiosk_that_gives_the_houses_word_to_itself_has_not_got_it(town: Town) -> None:
    """In one delivery with the making, in its place in the same chain, and folded anew."""
    own = town.attacker.new_id()
    made = entry(created(needs_approval=True), subject=own, claims=(claim("T3"),))
    town.attacker.write(made, entry(ReservationApproved(), subject=own))
    town.fleet.sync_all()
    for replica in (town.hub, town.desk):
        for _ in range(2):
            seen = replica.view(own)
            assert seen is not None and seen.approval == "pending"
            replica.refold(town.fleet.book)
    assert town.desk.reservations.approve(uuid_text(own)).approval == "approved"
    town.assert_alive()


def test_a_kiosk_takes_no_partners_booking_away(town: Town) -> None:
    """It has the tenant's key and could work out the digest of any reference that it guesses."""
    wanted = CreateRequest(
        venue="trattoria", starts_at="2027-06-05T13:00", party_size=2, source="partner",
        partner_reference="BK-4711",
    )  # fmt: skip
    forged = partnering.digest_in(town.kiosk, wanted)
    own = town.attacker.new_id()
    event = created(source="partner", partner=forged)
    answer = town.attacker.write(entry(event, subject=own, claims=(claim("T3"),)))
    assert [(v[2], v[3]) for v in answer.verdicts] == [("quarantined", "role-forbidden")]
    town.fleet.sync_all()
    for replica in (town.hub, town.desk):
        for _ in range(2):
            assert partnering.find(replica, "trattoria", "BK-4711") == []
            replica.refold(town.fleet.book)
    made = town.desk.reservations.create(wanted)
    assert made.id != own
    town.assert_alive()


@pytest.mark.parametrize(
    "event",
    [
        GuestRestricted(AGENT, "booking-ban", "no_shows"),
        GuestRestrictionLifted(bytes(16), "paid"),
        GuestProfiled(AGENT, "gold", ("vip",)),
        GuestFlagged(AGENT, "vip", True),
        GuestNoteWithdrawn(AGENT, bytes(16)),
        GuestMerged(AGENT, BARRED),
        GuestUnmerged(AGENT, BARRED, (bytes(16),)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_a_kiosk_says_of_a_person_is_quarantined_and_binds_nobody(
    town: Town, event: Event
) -> None:
    """Whatever reservation it says that it is about; nor does it let in whom the house barred."""
    book = town.fleet.book
    other = guest_terms.restrict(town.desk, BARRED, "booking-ban", "unpaid")
    guest_terms.set_profile(town.desk, AGENT, None, ["member"])
    town.fleet.sync(town.desk)
    if isinstance(event, GuestRestrictionLifted):
        event = msgspec.structs.replace(event, restriction=bytes.fromhex(other))
    answer = town.attacker.write(entry(event), entry(event, subject=town.sold.id))
    assert [(v[2], v[3]) for v in answer.verdicts] == [("quarantined", "role-forbidden")] * 2
    town.fleet.sync(town.desk)
    for replica in (town.hub, town.desk):
        for _ in range(2):
            assert restricting.in_force(replica, book, AGENT) == []
            assert [one.id.hex() for one in restricting.in_force(replica, book, BARRED)] == [other]
            assert guest_terms.profile(replica, AGENT)["tags"] == ["member"]
            assert same_guests.agents_of(replica, book, AGENT) == (AGENT,)
            assert not guest_marks.flags(replica, AGENT)["vip"]["up"]
            replica.refold(book)
        told = audit_entries(replica, limit=500)[0]
        assert {one["counts"] for one in told if one["node"] == "kiosk"} == {True, False}
        said = {one["counts"] for one in told if one["kind"] == KIND_BY_EVENT[type(event)]}
        house = isinstance(event, GuestRestricted | GuestProfiled)
        assert said == ({True, False} if house else {False})
    town.assert_alive()


@pytest.mark.parametrize("outcome", ["no_show", "completed", "cancelled", "confirmed"])
def test_a_kiosk_makes_nobody_out_not_to_have_come(town: Town, outcome: str) -> None:
    """A reservation that begins with its end, as only records of other systems do."""
    own = town.attacker.new_id()
    answer = town.attacker.write(entry(created(outcome=outcome), subject=own))
    assert [(v[2], v[3]) for v in answer.verdicts] == [("quarantined", "outcome-not-imported")]
    town.fleet.sync(town.desk)
    for replica in (town.hub, town.desk):
        view = replica.view(own)
        assert view is None or (view.status, view.agent_id) == ("commit_failed", "")
    town.assert_alive()


def test_a_kiosk_makes_no_record_under_the_id_of_an_imported_one(town: Town) -> None:
    derived = import_id(town.fleet.book, "row 7")
    answer = town.attacker.write(entry(created(), subject=derived, claims=(claim("T2"),)))
    assert [(v[2], v[3]) for v in answer.verdicts] == [("quarantined", "role-forbidden")]
    view = town.hub.view(derived)
    assert view is not None
    assert not view.live
    assert not view.code
    town.assert_alive()


@pytest.mark.parametrize(
    "event",
    [
        VenueConfigured(msgspec.json.encode({**TRATTORIA, "resources": []})),
        VenueConfigured(b"\xff not json"),
        CodesGranted(bytes(16), tuple(range(1024))),
        ChainClosed(bytes(16), b"", 0, bytes(32), "stolen"),
        NodeRevoked("desk", (bytes(20),), (), "stolen"),
        VenueKeyAccepted(bytes(range(32))),
        RightGranted(bytes(16), ("T1",), 1, 0, EVENING),
        RightReturned((bytes(16),)),
        RightRevoked(bytes(16), bytes(16), 0, bytes(32)),
        VenueKeyPublished(bytes(range(32))),
    ],
    ids=lambda event: f"{type(event).__name__}",
)
def test_what_a_kiosk_says_about_the_book_changes_nothing_of_it(town: Town, event: Event) -> None:
    before = administration(town)
    answer = town.attacker.write(entry(event))
    assert answer.refused == ()
    returned = [] if isinstance(event, RightReturned) else [("quarantined", "role-forbidden")]
    assert [(v[2], v[3]) for v in answer.verdicts] == returned
    assert administration(town) == before
    town.assert_alive()


def test_a_kiosk_closes_no_chain_of_the_desk_or_the_hub(town: Town) -> None:
    for incarnation in (town.desk.identity.incarnation, town.hub.identity.incarnation):
        town.attacker.write(entry(ChainClosed(incarnation, b"", 0, bytes(32))))
    assert not town.hub.book(town.book).administration.closes
    assert town.now(town.sold).status == "confirmed"
    town.assert_alive()


@pytest.mark.parametrize("number", [2, 999, LIFE_NUMBER_MAX])
@pytest.mark.parametrize("follows", [False, True])
def test_a_forged_life_costs_the_honest_one_a_life_at_the_most(
    town: Town, number: int, follows: bool
) -> None:
    """Only one that says so takes the place of another; the honest device goes on as a third."""
    succeeds = (town.kiosk.identity.incarnation,) if follows else ()
    certified = ChainCertified(town.attacker.certificates, bytes(32), number, succeeds)
    town.attacker.send(town.attacker.life(certified))
    for _ in range(4):
        town.fleet.sync(town.kiosk)
    authors = town.hub.book(town.book).authors.values()
    lives = [author for author in authors if author.info.name == "kiosk"]
    assert len(lives) == (3 if follows else 2), "the first, the forged, and one that goes on"
    sold = town.fleet.reserve(town.kiosk, "2027-06-06T21:00", ["T4"])
    town.fleet.sync(town.kiosk)
    assert town.now(sold).status == "confirmed"


def test_what_opens_a_chain_says_nothing_in_the_middle_of_it(town: Town) -> None:
    """Neither which life it is, nor whom it follows."""
    own = town.attacker.incarnation
    others = (town.desk.identity.incarnation, town.hub.identity.incarnation)
    certified = ChainCertified(town.attacker.certificates, b"k" * 32, 999, others, "holdfast-9")
    town.attacker.write(entry(certified))
    for _ in range(2):
        book = town.hub.book(town.book).administration
        assert (book.numbers[own], book.succeeds[own]) == (1, ())
        town.hub.refold(town.book)
    town.assert_alive()


def test_a_desk_that_succeeds_the_hub_by_its_own_word_is_no_hub(town: Town) -> None:
    hub = town.hub.identity.incarnation
    certified = ChainCertified(town.attacker.certificates, bytes(32), 999, (hub,), "holdfast-9")
    town.attacker.send(town.attacker.life(certified))
    town.attacker.write(entry(ChainSucceeded(hub)))
    authors = town.hub.book(town.book).authors.values()
    assert [author.info.name for author in authors if author.info.is_hub] == ["hub"]
    assert town.hub.exchange_state == "serving"
    town.assert_alive()


def test_the_hubs_own_certificate_in_a_kiosks_hands_seals_nothing(town: Town) -> None:
    """Certificates are public: they travel with every answer. The key is what counts."""
    hub = town.hub.identity
    assert hub.role == HUB_ROLE
    certified = ChainCertified(tuple(hub.certificates), hub.sealing_public, nonce=bytes(16))
    name = seals.incarnation_of(hub.key.public_key().public_bytes_raw(), bytes(16))
    answer = town.attacker.send(
        town.attacker.life(certified),
        town.attacker.frame_of([entry(certified)], incarnation=name),
    )
    reasons = [reason for _, _, reason in answer.refused]
    assert reasons == ["incarnation-foreign", "seal-invalid"]
    town.assert_alive()


def test_a_key_change_to_anothers_certificate_changes_no_key(town: Town) -> None:
    stranger = town.stranger().identity.certificates
    for certificates in (
        town.hub.identity.certificates, town.desk.identity.certificates, stranger, [b"noise"],
    ):  # fmt: skip
        answer = town.attacker.write(entry(ChainKeyChanged(tuple(certificates))))
        assert answer.refused == ()
    answer = town.attacker.write(
        entry(created(), subject=town.attacker.new_id(), claims=(claim("T4"),))
    )
    assert answer.refused == (), "the old key goes on"
    town.assert_alive()


def test_nobody_withdraws_anothers_operation(town: Town) -> None:
    operation = town.now(town.sold).live[0].id.operation
    town.attacker.write(entry(OperationWithdrawn(operation), subject=town.sold.id))
    assert town.now(town.sold).status == "confirmed"
    town.assert_alive()


def test_a_code_that_another_device_was_granted_hides_nobodys_reservation(town: Town) -> None:
    """The forger can print a code twice, and cannot make the first one disappear."""
    subject = town.attacker.new_id()
    town.attacker.write(entry(created(code=town.sold.code), subject=subject, stamp=START_MS << 16))
    assert town.now(town.sold).code == town.sold.code
    assert town.hub.reservations.find(town.sold.code).id == town.sold.id
    town.assert_alive()
