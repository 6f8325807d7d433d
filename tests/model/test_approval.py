"""The house's word on what guests reserve by themselves, in whatever order entries arrive."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from holdfast.model import approval
from holdfast.model.claims import Seen
from holdfast.model.contents import decode_content
from holdfast.model.entries import HUB_RIGHT, SCHEMA, Claim, Entry
from holdfast.model.errors import Invalid
from holdfast.model.events import (
    KIND_BY_EVENT,
    Event,
    Form,
    OperationWithdrawn,
    ReservationApproved,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationCreated,
    ReservationMarkedNoShow,
    ReservationNoShowUndone,
    encode_content,
)
from holdfast.model.reservation import View, fold, view_digest
from holdfast.model.venue import Venue, to_document
from holdfast.model.venue_file import read
from tests.kit import TRATTORIA

RESERVATION = b"r" * 16
CREATED = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
ASKED = msgspec.structs.replace(CREATED, needs_approval=True)
APPROVED = ReservationApproved()
CANCELLED = ReservationCancelled("guest_request", "guest")


def seen(event: Event, number: int, stamp: int, *follows: bytes) -> Seen:
    made = isinstance(event, ReservationCreated)
    claims = (Claim("T1", 1000, 2000, right=HUB_RIGHT),) if made else ()
    node = bytes([number]) * 16
    return Seen(
        node, KIND_BY_EVENT[type(event)], stamp << 16, node, "hub", True, follows, claims, (),
        encode_content(event),
    )  # fmt: skip


def folded(*events: Event) -> View:
    """What comes of a making and of what was written in sight of all before."""
    entries: list[Seen] = []
    leaf: tuple[bytes, ...] = ()
    for number, event in enumerate(events, 1):
        entries.append(seen(event, number, number, *leaf))
        if not isinstance(event, ReservationApproved):
            leaf = (entries[-1].operation,)
    return fold(RESERVATION, entries)


@pytest.mark.parametrize(
    ("events", "status", "shown"),
    [
        ((CREATED,), "confirmed", ""),
        ((CREATED, APPROVED), "confirmed", ""),
        ((ASKED,), "confirmed", "pending"),
        ((ASKED, APPROVED), "confirmed", "approved"),
        ((ASKED, APPROVED, APPROVED), "confirmed", "approved"),
        ((ASKED, CANCELLED), "cancelled", ""),
        ((ASKED, CANCELLED, APPROVED), "cancelled", "approved"),
        ((ASKED, APPROVED, CANCELLED), "cancelled", "approved"),
        ((ASKED, ReservationCheckedIn()), "checked_in", "pending"),
        ((ASKED, ReservationCheckedIn(), ReservationCompleted()), "completed", ""),
        ((ASKED, ReservationMarkedNoShow()), "no_show", ""),
        ((ASKED, ReservationMarkedNoShow(), ReservationNoShowUndone()), "confirmed", "pending"),
        ((msgspec.structs.replace(ASKED, form=Form("hold", 900_000)),), "intent", "pending"),
    ],
)
def test_it_is_asked_for_where_the_making_says_so_and_as_long_as_it_matters(
    events: tuple[Event, ...], status: str, shown: str
):
    view = folded(*events)
    assert (view.status, view.approval) == (status, shown)


def test_the_place_is_the_same_with_and_without_the_houses_word():
    plain, asked, approved = folded(CREATED), folded(ASKED), folded(ASKED, APPROVED)
    for view in (asked, approved):
        assert (view.status, view.assurance, view.live) == ("confirmed", "guaranteed", plain.live)
    assert approved.leaves == asked.leaves == plain.leaves, "nobody follows an approval"


@pytest.mark.parametrize("others", [
    (APPROVED, APPROVED), (APPROVED, CANCELLED), (APPROVED, ReservationCheckedIn()),
    (APPROVED, CANCELLED, ReservationCheckedIn()), (APPROVED, APPROVED, CANCELLED),
    (APPROVED, ReservationMarkedNoShow(), ReservationNoShowUndone()),
])  # fmt: skip
def test_whatever_arrives_first_and_whoevers_clock_is_ahead_it_reads_the_same(
    others: tuple[Event, ...],
):
    """Two desks approve, or one approves while another cancels; and at the third the word arrives
    before the reservation that it is about."""
    made = seen(ASKED, 1, 1)
    told = set()
    for stamps in itertools.permutations(range(2, 2 + len(others))):
        steps = [
            seen(event, n, stamp, made.operation)
            for n, (event, stamp) in enumerate(zip(others, stamps, strict=True), 2)
        ]
        digests = {
            view_digest(fold(RESERVATION, order))
            for order in itertools.permutations([made, *steps])
        }
        assert len(digests) == 1, "the order of arrival shows"
        view = fold(RESERVATION, [made, *steps])
        told.add((view.approval, view.status))
    assert len(told) == 1 and "approved" in told.pop(), "stamps decide what is shown"


def test_a_word_about_what_is_not_here_yet_waits_for_it():
    word = seen(APPROVED, 2, 2)
    assert fold(RESERVATION, [word]).approval == ""
    assert fold(RESERVATION, [word, seen(ASKED, 1, 1)]).approval == "approved"


def test_a_making_that_is_withdrawn_asks_for_nothing():
    made = seen(ASKED, 1, 1)
    gone = msgspec.structs.replace(
        seen(OperationWithdrawn(made.operation, "mistake"), 2, 2), node=made.node
    )
    view = fold(RESERVATION, [made, gone])
    assert (view.status, view.approval) == ("cancelled", "")


def test_an_entry_of_an_earlier_version_needs_no_approval():
    members = msgspec.msgpack.decode(encode_content(CREATED))
    assert members[-2:] == [False, b""], "whether it needs approval, and its partner's reference"
    del members[-2:]
    old = Entry(
        "reservation.created", 1 << 16, 5, RESERVATION, (), (), (), SCHEMA,
        msgspec.msgpack.encode(members),
    )  # fmt: skip
    assert decode_content(old) == CREATED


@pytest.mark.parametrize("word", ["yes", 1, b"\x01"])
def test_what_is_no_truth_value_is_refused(word: object):
    members = msgspec.msgpack.decode(encode_content(CREATED))
    content = msgspec.msgpack.encode([*members[:-2], word, members[-1]])
    entry = Entry("reservation.created", 1 << 16, 5, RESERVATION, (), (), (), SCHEMA, content)
    with pytest.raises(Exception, match="content-unreadable"):
        decode_content(entry)


# --- whom it binds --------------------------------------------------------------------------------


def venue(**policies: object) -> Venue:
    return read(TRATTORIA | {"policies": policies})


@pytest.mark.parametrize(
    ("confirmation", "kind", "by_themself", "needed"),
    [
        ("manual", "guest", True, True),
        ("manual", "guest", False, False),
        ("manual", "walk_in", True, False),
        ("manual", "house", True, False),
        ("instant", "guest", True, False),
    ],
)
def test_the_house_is_asked_of_what_guests_reserve_by_themselves_alone(
    confirmation: str, kind: str, by_themself: bool, needed: bool
):
    file = venue(confirmation=confirmation)
    assert approval.is_needed(file, kind, by_themself=by_themself) is needed


def test_the_venue_file_says_it_where_it_is_no_default():
    assert to_document(venue(confirmation="manual"))["policies"]["confirmation"] == "manual"
    assert venue() == venue(confirmation="instant")
    assert "confirmation" not in to_document(venue())["policies"], "older readers do not know it"
    for wrong in ("partner", "Manual", "", True, 3, ["manual"]):
        with pytest.raises(Invalid, match="confirmation: must be instant or manual"):
            venue(confirmation=wrong)
