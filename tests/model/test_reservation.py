"""Promises of the fold: a reservation is the set of what was written about it, and nothing else."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import lifecycle
from holdfast.model.claims import DEAD, ENDED, LIVE, PENDING, SPARE, STANDBY, Seen
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    Event,
    ExceptionResolved,
    OperationWithdrawn,
    ReservationAmended,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCreated,
    ReservationMoved,
    encode_content,
)
from holdfast.model.limits import FROM_PER_ENTRY_MAX
from holdfast.model.reservation import (
    View,
    claims_to_end,
    fold,
    followed,
    shown_claims,
    version_tag,
    view_digest,
)

ID = b"r" * 16
HUB, DESK, KIOSK = b"H" * 16, b"D" * 16, b"K" * 16
NAMES = {HUB: "hub", DESK: "desk", KIOSK: "kiosk"}


class Story:
    """Writes entries about one reservation, with stamps that count up."""

    def __init__(self) -> None:
        self.entries: list[Seen] = []

    def write(
        self,
        event: Event,
        by: bytes = DESK,
        *,
        follows: tuple[Seen, ...] = (),
        claims: tuple[Claim, ...] = (),
        ends: tuple[ClaimId, ...] = (),
        stamp: int | None = None,
        quarantined: bool = False,
    ) -> Seen:
        number = len(self.entries) + 1
        entry = Seen(
            number.to_bytes(16, "big"), KIND_BY_EVENT[type(event)],
            (number if stamp is None else stamp) << 16, by, NAMES[by], by == HUB,
            tuple(f.operation for f in follows), claims, ends,
            b"" if quarantined else encode_content(event),
        )  # fmt: skip
        self.entries.append(entry)
        return entry

    def created(self, by: bytes = DESK, resource: str = "T1", **more: object) -> Seen:
        right = HUB_RIGHT if by == HUB else b""
        event = ReservationCreated(
            "agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03", starts_at=1000, ends_at=2000,
            may_move=True,
        )  # fmt: skip
        return self.write(event, by, claims=(Claim(resource, 1000, 2000, right=right),), **more)  # type: ignore[arg-type]

    def decided(self, entry: Seen, verdict: str, *claims: Claim, **more: object) -> Seen:
        return self.write(
            ClaimDecided(entry.operation, verdict, "free"), HUB, claims=claims or entry.claims,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def moved(
        self, *follows: Seen, replaces: ClaimId, resource: str = "T2", **more: object
    ) -> Seen:
        claims = (Claim(resource, 5000, 6000, replaces=replaces),)
        event = ReservationMoved({"service_date": "2027-06-04"})
        return self.write(event, follows=follows, claims=claims, **more)  # type: ignore[arg-type]

    @property
    def view(self) -> View:
        return fold(ID, self.entries)


def first(entry: Seen) -> ClaimId:
    return ClaimId(entry.operation, 0)


def states(view: View) -> dict[str, str]:
    return {claim.resource: claim.state for claim in view.claims}


# --- the set and nothing else ---------------------------------------------------------------------


def a_long_story() -> list[Seen]:
    story = Story()
    made = story.created()
    admitted = story.decided(made, "admitted")
    one = story.moved(made, replaces=first(made))
    two = story.moved(made, replaces=first(made), resource="T3", stamp=3)
    story.write(ReservationAmended({"occasion": "date"}), KIOSK, follows=(made,))
    story.decided(one, "displaced")
    story.decided(two, "admitted", ends=(first(made),))
    seated = story.write(ReservationCheckedIn(3), KIOSK, follows=(one, two))
    gone = story.write(ReservationCancelled("guest_request", "guest"), follows=(made,))
    story.write(ClaimEnded("cancelled"), HUB, ends=(first(two),))
    story.write(ExceptionResolved("seated_though_cancelled", "acknowledge"), follows=(seated, gone))
    story.write(OperationWithdrawn(one.operation), follows=(made,))
    assert admitted in story.entries
    return story.entries


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 11), max_size=6))
def test_order_and_repetition_of_what_arrived_do_not_matter(rng: random.Random, doubled):
    entries = a_long_story()
    wanted = view_digest(fold(ID, entries))
    again = [*entries, *(entries[i] for i in doubled)]
    rng.shuffle(again)
    assert view_digest(fold(ID, again)) == wanted


@given(st.sets(st.integers(0, 11)))
def test_folding_what_is_known_so_far_never_fails(known):
    entries = a_long_story()
    view = fold(ID, [entries[i] for i in known])
    assert view.entries == len(known)
    assert view.status in lifecycle.STATUSES
    assert view_digest(view) == view_digest(fold(ID, [entries[i] for i in reversed(sorted(known))]))


def test_the_digest_does_not_see_cards():
    from holdfast.model.events import SealedCard

    story = Story()
    made = story.created()
    plain = story.view
    story.write(ReservationAmended({}, SealedCard(b"c" * 16, b"x")), follows=(made,), stamp=1)
    with_card = story.view
    assert with_card.card is not None
    before = view_digest(with_card)
    with_card.card = None
    assert view_digest(with_card) == before
    assert view_digest(plain) != before, "another entry was folded"


# --- capacity: the holder's word ------------------------------------------------------------------


def test_what_a_device_asks_for_is_pending_until_its_holder_speaks():
    story = Story()
    made = story.created()
    assert (story.view.status, story.view.assurance) == (lifecycle.COMMIT_PENDING, "provisional")
    story.decided(made, "admitted")
    assert (story.view.status, story.view.assurance) == (lifecycle.CONFIRMED, "admitted")


def test_what_the_hub_sells_is_guaranteed_at_once():
    story = Story()
    story.created(HUB)
    assert (story.view.status, story.view.assurance) == (lifecycle.CONFIRMED, "guaranteed")


def test_a_device_that_claims_the_hubs_right_gets_nothing_by_it():
    story = Story()
    story.write(
        ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03"), KIOSK,
        claims=(Claim("T1", 1000, 2000, right=HUB_RIGHT),),
    )  # fmt: skip
    assert states(story.view) == {"T1": PENDING}


@pytest.mark.parametrize("what", ["decision", "end"])
def test_only_the_holder_decides_and_ends(what):
    story = Story()
    made = story.created(HUB)
    if what == "end":
        story.write(ClaimEnded("cancelled"), KIOSK, ends=(first(made),))
    else:
        story.write(ClaimDecided(made.operation, "displaced"), KIOSK, claims=made.claims)
    assert states(story.view) == {"T1": LIVE}


def test_a_decision_that_comes_before_its_claim_occupies():
    story = Story()
    made = story.created()
    decision = story.decided(made, "admitted")
    early = fold(ID, [decision])
    assert [(c.id, c.state) for c in early.claims] == [(first(made), LIVE)]
    assert early.code == ""
    assert states(story.view) == {"T1": LIVE}


def test_a_displaced_claim_fails_and_a_person_is_told():
    story = Story()
    made = story.created()
    story.decided(made, "displaced", stamp=77)
    view = story.view
    assert (view.status, view.assurance, states(view)) == (
        lifecycle.COMMIT_FAILED, "none", {"T1": DEAD},
    )  # fmt: skip
    assert view.exceptions == (("displaced", 77),)
    story.write(ExceptionResolved("displaced", "acknowledge"), stamp=76)
    assert list(story.view.exceptions) == [("displaced", 77)], "said before it happened"
    story.write(ExceptionResolved("displaced", "acknowledge"), stamp=78)
    assert not story.view.exceptions


def test_a_second_displacement_is_told_again_whatever_was_acknowledged_before():
    story = Story()
    made = story.created()
    no = story.decided(made, "displaced", stamp=10)
    story.write(ExceptionResolved("displaced", "acknowledge", "", no.operation), stamp=900)
    story.write(ExceptionResolved("displaced", "acknowledge"), stamp=20)
    assert not story.view.exceptions
    move = story.moved(made, replaces=first(made), stamp=30)
    again = story.decided(move, "displaced", stamp=77)
    assert list(story.view.exceptions) == [("displaced", 77)]
    story.write(ExceptionResolved("displaced", "acknowledge", "", again.operation), stamp=5)
    assert not story.view.exceptions


# --- another making under the same id -------------------------------------------------------------


def taken_over(story: Story, **more: object) -> Seen:
    """Somebody else's making, with a stamp from the past, that says it is over."""
    event = ReservationCreated(
        "agent_" + "b" * 32, 9, "RES-2027-BBBBBB", "2027-06-09", outcome="cancelled"
    )
    return story.write(event, KIOSK, stamp=0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("fate", ["sold by the hub", "admitted", "moved", "displaced"])
def test_a_reservation_cannot_be_taken_over_by_its_id(fate):
    story = Story()
    made = story.created(HUB if fate == "sold by the hub" else DESK)
    if fate != "sold by the hub":
        story.decided(made, fate)
    before = story.view
    other = taken_over(story, claims=(Claim("T7", 1000, 2000),))
    assert story.view.code == before.code
    story.decided(other, "displaced")
    after = story.view
    for field in ("code", "party_size", "made_by", "status", "service_date", "agent_id"):
        assert getattr(after, field) == getattr(before, field), field
    assert set(after.leaves) == {made.operation, other.operation}


@pytest.mark.parametrize("verdict", ["admitted", "displaced"])
def test_of_two_that_were_decided_the_one_decided_first_stands(verdict):
    story = Story()
    made = story.created()
    story.decided(made, verdict, stamp=50)
    other = taken_over(story, claims=(Claim("T7", 1000, 2000),))
    story.decided(other, "admitted", stamp=60)
    assert (story.view.code, story.view.party_size) == ("RES-2027-AAAAAA", 2)


def test_of_two_that_nobody_decided_the_least_stands():
    story = Story()
    story.created()
    taken_over(story)
    assert (story.view.code, story.view.status) == ("RES-2027-BBBBBB", lifecycle.CANCELLED)


def test_steps_after_the_other_making_count_only_where_they_saw_the_one_that_stands():
    story = Story()
    made = story.created()
    story.decided(made, "admitted")
    other = taken_over(story)
    story.write(ReservationCancelled("weather", "guest"), KIOSK, follows=(other,), stamp=0)
    assert story.view.status == lifecycle.CONFIRMED
    story.write(ReservationCheckedIn(2), follows=(made, other))
    assert story.view.status == lifecycle.CHECKED_IN


# --- versions and leaves --------------------------------------------------------------------------


def test_every_change_after_a_clock_that_ran_ahead_is_another_version():
    story = Story()
    made = story.created(HUB)
    ahead = story.write(ReservationAmended({"party_size": 3}), follows=(made,), stamp=10**9)
    before = story.view
    story.write(ReservationAmended({"party_size": 4}), follows=(made, ahead))
    after = story.view
    assert (before.stamp, before.stamp_node) == (after.stamp, after.stamp_node)
    assert version_tag(before) != version_tag(after)
    assert len(version_tag(after)) == 16
    story.write(ClaimEnded("cancelled"), HUB, ends=(first(made),))
    assert version_tag(story.view) != version_tag(after)


def test_a_transition_names_no_more_leaves_than_an_entry_holds():
    story = Story()
    made = story.created()
    for _ in range(FROM_PER_ENTRY_MAX + 1):
        story.write(ReservationAmended({"party_size": 3}), follows=(made,))
    view = story.view
    assert len(view.leaves) == FROM_PER_ENTRY_MAX + 1
    assert followed(view) == view.leaves[:FROM_PER_ENTRY_MAX]


def test_moved_by_the_holder_stands_elsewhere():
    story = Story()
    made = story.created()
    story.decided(made, "moved", Claim("T2", 1000, 2000))
    assert states(story.view) == {"T1": DEAD, "T2": LIVE}
    assert [c.resource for c in shown_claims(story.view)] == ["T2"]
    assert story.view.status == lifecycle.CONFIRMED


@pytest.mark.parametrize("order", range(6))
def test_an_ended_claim_never_comes_back(order):
    story = Story()
    made = story.created()
    story.write(ClaimEnded("cancelled"), HUB, ends=(first(made),))
    story.decided(made, "admitted", stamp=order)
    story.decided(made, "displaced", stamp=3)
    assert states(story.view)["T1"] in (ENDED, DEAD)
    assert story.view.live == story.view.pending == []


def test_of_two_decisions_the_first_by_stamp_stands():
    story = Story()
    made = story.created()
    story.decided(made, "displaced", stamp=20)
    story.decided(made, "admitted", stamp=10)
    assert states(story.view) == {"T1": LIVE}


def test_a_quarantined_content_still_occupies_by_its_envelope():
    story = Story()
    made = story.created(HUB, quarantined=True)
    view = story.view
    assert states(view) == {"T1": LIVE}
    assert view.code == ""
    story.write(ClaimEnded("cancelled"), HUB, ends=(first(made),), quarantined=True)
    assert states(story.view) == {"T1": ENDED}, "an end counts whatever its content says"


# --- moves ----------------------------------------------------------------------------------------


def test_a_move_waits_beside_the_old_place_until_it_is_granted():
    story = Story()
    made = story.created(HUB)
    move = story.moved(made, replaces=first(made))
    view = story.view
    assert states(view) == {"T1": LIVE, "T2": STANDBY}
    assert (view.starts_at, view.service_date) == (1000, "2027-06-03")
    assert view.pending_change == {"starts_at": 5000, "ends_at": 6000, "resources": ["T2"]}
    story.decided(move, "admitted", ends=(first(made),))
    view = story.view
    assert states(view) == {"T1": ENDED, "T2": LIVE}
    assert (view.starts_at, view.service_date, view.pending_change) == (5000, "2027-06-04", None)


@pytest.mark.parametrize("fate", ["displaced", "ended"])
def test_a_move_that_was_not_granted_leaves_nothing_of_itself(fate):
    story = Story()
    made = story.created(HUB)
    move = story.moved(made, replaces=first(made))
    if fate == "ended":
        story.write(ClaimEnded("cancelled"), HUB, ends=(first(move),))
    else:
        story.decided(move, "displaced")
    view = story.view
    assert (view.starts_at, view.service_date, view.pending_change) == (1000, "2027-06-03", None)
    assert view.status == lifecycle.CONFIRMED


@pytest.mark.parametrize("answered", ["before", "after"])
def test_where_a_guest_asked_to_sit_last_stands_over_an_answer_to_the_first_wish(answered):
    """The hub sends the first wish elsewhere; whoever made the second had not seen that."""
    story = Story()
    made = story.created(stamp=10)
    move = story.moved(made, replaces=first(made), stamp=30)
    story.decided(move, "admitted", stamp=50)
    assert states(story.view) == {"T1": PENDING, "T2": LIVE}
    stamp = {"before": 20, "after": 40}[answered]
    sent = story.decided(made, "moved", Claim("T3", 1000, 2000), stamp=stamp)
    assert states(story.view) == {"T1": DEAD, "T2": LIVE, "T3": SPARE}
    assert [claim.resource for claim in claims_to_end(story.view, 0)] == ["T3"]
    story.write(ClaimEnded("superseded", move.operation), HUB, ends=(first(sent),), stamp=60)
    assert [claim.resource for claim in story.view.occupying] == ["T2"]


def test_the_buffer_is_occupied_and_not_shown():
    story = Story()
    story.write(
        ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03"), HUB,
        claims=(Claim("T1", 1000, 2000, buffer=300, right=HUB_RIGHT),),
    )  # fmt: skip
    assert (story.view.ends_at, story.view.claims[0].end) == (1700, 2000)


# --- lifecycle ------------------------------------------------------------------------------------


def test_concurrent_amendments_of_different_fields_both_stand():
    story = Story()
    made = story.created(HUB)
    story.write(ReservationAmended({"occasion": "date"}), DESK, follows=(made,))
    story.write(ReservationAmended({"source": "phone"}), KIOSK, follows=(made,))
    assert (story.view.occasion, story.view.source) == ("date", "phone")
    assert len(story.view.leaves) == 2


@pytest.mark.parametrize("stamps", [(5, 6), (6, 5)])
def test_of_two_amendments_of_one_field_the_later_stamp_stands(stamps):
    story = Story()
    made = story.created(HUB)
    for by, value, stamp in zip((DESK, KIOSK), ("date", "birthday"), stamps, strict=True):
        story.write(ReservationAmended({"occasion": value}), by, follows=(made,), stamp=stamp)
    assert story.view.occasion == ("birthday" if stamps == (5, 6) else "date")


def test_what_follows_counts_after_what_it_saw_whatever_the_clocks_say():
    story = Story()
    made = story.created(HUB, stamp=900)
    amended = story.write(ReservationAmended({"occasion": "date"}), follows=(made,), stamp=800)
    story.write(ReservationAmended({"occasion": "other"}), KIOSK, follows=(amended,), stamp=1)
    assert story.view.occasion == "other"


def test_a_transition_waits_for_what_it_saw():
    story = Story()
    made = story.created(HUB)
    amended = story.write(ReservationAmended({"occasion": "date"}), follows=(made,))
    cancelled = story.write(
        ReservationCancelled("guest_request", "guest"), KIOSK, follows=(amended,)
    )
    early = fold(ID, [made, cancelled])
    assert (early.status, early.waiting) == (lifecycle.CONFIRMED, 1)
    assert (story.view.status, story.view.waiting) == (lifecycle.CANCELLED, 0)


def test_a_circle_of_predecessors_waits_for_ever_and_harms_nothing():
    story = Story()
    story.created(HUB)
    loop = msgspec.structs.replace(
        story.write(ReservationCancelled("guest_request", "guest"), KIOSK), follows=(b"L" * 16,),
        operation=b"L" * 16,
    )  # fmt: skip
    view = fold(ID, [story.entries[0], loop])
    assert (view.status, view.waiting) == (lifecycle.CONFIRMED, 1)


def test_withdrawing_is_the_writers_own_right():
    story = Story()
    made = story.created(DESK)
    story.write(OperationWithdrawn(made.operation), KIOSK, follows=(made,))
    assert story.view.status == lifecycle.COMMIT_PENDING
    story.write(OperationWithdrawn(made.operation), DESK, follows=(made,))
    assert (story.view.status, story.view.cancel_reason) == (lifecycle.CANCELLED, "withdrawn")


def test_ends_are_requested_where_capacity_is_to_be_freed():
    story = Story()
    made = story.created(HUB)
    assert claims_to_end(story.view, 0) == []
    story.write(ReservationCancelled("guest_request", "guest"), follows=(made,))
    assert [c.id for c in claims_to_end(story.view, 0)] == [first(made)]
    story.write(ClaimEnded("cancelled"), HUB, ends=(first(made),))
    assert claims_to_end(story.view, 0) == []


def test_a_card_of_a_created_entry_and_its_fields_round_trip():
    story = Story()
    story.created(HUB)
    view = story.view
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(view), type=View) == view
