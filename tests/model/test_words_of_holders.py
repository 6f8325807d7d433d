"""Whose word about a claim counts: the hub's, and an asked device's by a right that it names.

A right that a device got for something else, or gets later, makes nothing count that it said: no
guest is turned away or sent elsewhere by it, and nothing that was had is lost.
"""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from holdfast.model.claims import Seen
from holdfast.model.deciding import answerer
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    Event,
    ReservationCancelled,
    ReservationCreated,
    ReservationMoved,
    RightGranted,
    RightReturned,
    RightRevoked,
    encode_content,
)
from holdfast.model.reservation import fold
from holdfast.model.rights import HUB as HUB_ACCOUNT
from holdfast.model.rights import Rights

ID: Final = b"r" * 16
HUB, DESK, KIOSK = b"H" * 16, b"D" * 16, b"K" * 16
OWN, LATER, LOST = b"o" * 16, b"l" * 16, b"x" * 16
WISH: Final = Claim("T1", 100, 200, asks=DESK)
ASKED: Final = b"\x05" * 16
FIRST: Final = ClaimId(ASKED, 0)
NAMED: Final = [(), (OWN,), (LOST,), (b"?" * 16,), (HUB_RIGHT,), (OWN, OWN)]


def written(
    number: int, event: Event, by: bytes = DESK, claims: tuple[Claim, ...] = (),
    ends: tuple[ClaimId, ...] = (), follows: tuple[bytes, ...] = (),
) -> Seen:  # fmt: skip
    """An entry whose number is its stamp, its place in its chain and its operation."""
    return Seen(
        bytes([number]) * 16, KIND_BY_EVENT[type(event)], number << 16, by, "somebody", by == HUB,
        follows, claims, ends, encode_content(event), number,
    )  # fmt: skip


MADE: Final = written(
    5, ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03"), KIOSK, (WISH,)
)
ADMITTED: Final = written(
    9, ClaimDecided(ASKED, "admitted", "free"), HUB, (Claim("T1", 100, 200, right=HUB_RIGHT),)
)


def rights() -> Rights:
    """The desk has T2, and had T1 until its sixth entry."""
    found = Rights()
    found.granted(OWN, 1, RightGranted(DESK, ("T2",), 1, 0, 1000))
    found.granted(LOST, 1, RightGranted(DESK, ("T1",), 1, 0, 1000))
    found.revoked(2, b"v" * 16, RightRevoked(LOST, DESK, 6, bytes(32)))
    return found


def answer(number: int, verdict: str, by: tuple[bytes, ...]) -> Seen:
    place = Claim("T2", 100, 200, right=OWN) if verdict == "moved" else WISH
    return written(number, ClaimDecided(ASKED, verdict, "taken", by=by), claims=(place,))


@pytest.mark.parametrize("verdict", ["moved", "displaced"])
@pytest.mark.parametrize("by", NAMED)
def test_nobody_who_has_not_what_was_asked_takes_it_from_a_guest(
    verdict: str, by: tuple[bytes, ...]
) -> None:
    """Not even with a stamp from before the hub's word, and a place of its own to send them to."""
    view = fold(ID, [MADE, answer(8, verdict, by), ADMITTED], rights())
    assert [claim.resource for claim in view.live] == ["T1"]
    assert (view.status, view.assurance) == ("confirmed", "admitted")


@pytest.mark.parametrize("verdict", ["moved", "displaced"])
def test_who_was_asked_and_had_the_right_there_answers_for_good(verdict: str) -> None:
    """Whoever has the place afterwards."""
    view = fold(ID, [MADE, answer(6, verdict, (LOST,))], rights())
    assert [claim.resource for claim in view.live] == (["T2"] if verdict == "moved" else [])


@pytest.mark.parametrize("verdict", ["moved", "displaced"])
def test_a_later_grant_makes_nothing_count_that_was_said_before(verdict: str) -> None:
    """The device did not know that it had lost its right; the hub had not heard it yet."""
    said, known = answer(8, verdict, (LOST,)), rights()
    before = fold(ID, [MADE, said, ADMITTED], known)
    handed = ((ID, FIRST.operation, FIRST.index),)
    grant = RightGranted(DESK, ("T1",), 1, 0, 1000, handed=handed)
    known.granted(LATER, 10, grant)
    handing = Seen(
        LATER, "right.granted", 10 << 16, HUB, "hub", True, (), (WISH,), (), encode_content(grant)
    )
    after = fold(ID, [MADE, said, ADMITTED, handing], known)
    assert before.live == after.live
    assert after.status == "confirmed"


@pytest.mark.parametrize("by", [*NAMED, (LATER,)])
def test_a_wish_is_ended_by_who_may_answer_it_alone(by: tuple[bytes, ...]) -> None:
    known = rights()
    known.granted(LATER, 1, RightGranted(DESK, ("T1",), 1, 0, 1000))
    cancelled = written(7, ReservationCancelled("guest_request", "guest"), KIOSK, follows=(ASKED,))
    ended = written(8, ClaimEnded("cancelled", by=by), ends=(FIRST,))
    view = fold(ID, [MADE, cancelled, ended], known)
    assert bool(view.pending) == (by != (LATER,))


def test_a_word_by_a_right_that_is_not_known_yet_waits_for_it() -> None:
    unknown: set[bytes] = set()
    said = answer(8, "displaced", (LATER,))
    view = fold(ID, [MADE, said], rights(), unknown)
    assert view.pending and unknown == {LATER}
    known = rights()
    known.granted(LATER, 1, RightGranted(DESK, ("T1",), 1, 0, 1000))
    assert fold(ID, [MADE, said], known).status == "commit_failed"


# --- beside others who have the same --------------------------------------------------------------

SHARE, OTHERS = b"p" * 16, b"q" * 16
SEATS: Final = Claim("HALL", 100, 200, 2)
GUEST: Final = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")


def shares() -> Rights:
    """Desk and kiosk have shares of the hall; the kiosk has T2 besides."""
    found = Rights()
    found.granted(OTHERS, 1, RightGranted(DESK, ("HALL",), 3, 0, 1000))
    found.granted(SHARE, 1, RightGranted(KIOSK, ("HALL",), 3, 0, 1000))
    found.granted(OWN, 1, RightGranted(KIOSK, ("T2",), 1, 0, 1000))
    return found


def made(*claims: Claim, by: bytes = DESK) -> Seen:
    return written(5, GUEST, by, claims)


def by_kiosk(number: int, verdict: str, decides: bytes = ASKED) -> Seen:
    """The kiosk's word, by rights that it has: to the seats, and to the table it gives instead."""
    given = {
        "admitted": msgspec.structs.replace(SEATS, right=SHARE),
        "moved": Claim("T2", 100, 200, right=OWN),
        "displaced": SEATS,
    }
    by = () if verdict == "admitted" else (SHARE,)
    return written(number, ClaimDecided(decides, verdict, "taken", by=by), KIOSK, (given[verdict],))


BY_HUB: Final = written(
    9, ClaimDecided(ASKED, "admitted", "free"), HUB, (Claim("HALL", 100, 200, 2, right=HUB_RIGHT),)
)
SOLD: Final = made(Claim("HALL", 100, 200, 2, right=OTHERS))
GRANTED: Final = {
    "sold by the desk": [SOLD],
    "asked of the hub": [made(SEATS), BY_HUB],
    "asked of the desk": [
        made(Claim("HALL", 100, 200, 2, asks=DESK), by=b"C" * 16),
        written(
            9,
            ClaimDecided(ASKED, "admitted"),
            DESK,
            (msgspec.structs.replace(SEATS, right=OTHERS),),
        ),
    ],
    "asked of the kiosk, and answered by the hub": [
        made(Claim("HALL", 100, 200, 2, asks=KIOSK)),
        BY_HUB,
    ],
}


@pytest.mark.parametrize("verdict", ["admitted", "moved", "displaced"])
@pytest.mark.parametrize("number", [7, 11])
@pytest.mark.parametrize("had", GRANTED)
def test_a_share_of_a_pool_makes_nobody_the_judge_of_what_others_gave(
    verdict: str, number: int, had: str
) -> None:
    """Nor, after that, the one who may end it; whatever stamp the words bear."""
    lie = [by_kiosk(number, verdict), written(12, ClaimEnded("cancelled"), KIOSK, ends=(FIRST,))]
    view = fold(ID, [*GRANTED[had], *lie], shares())
    assert view.claims == fold(ID, GRANTED[had], shares()).claims
    assert view.status == "confirmed" and view.live[0].right != SHARE


def test_a_share_of_a_pool_ends_no_wish_that_another_is_asked() -> None:
    wish = made(Claim("HALL", 100, 200, 2, asks=DESK), by=b"C" * 16)
    ended = written(7, ClaimEnded("cancelled", by=(SHARE,)), KIOSK, ends=(FIRST,))
    assert fold(ID, [wish, ended], shares()).pending


@pytest.mark.parametrize("event", [
    ClaimDecided(b"?" * 16, "admitted", "free"), ClaimDecided(b"?" * 16, "moved", "taken"),
    ReservationMoved(),
])  # fmt: skip
@pytest.mark.parametrize("follows", [(), (ASKED,)])
def test_no_place_that_nobody_asked_for_takes_the_place_of_one_that_was_sold(
    event: Event, follows: tuple[bytes, ...]
) -> None:
    """Also with a stamp from before the sale: it stands beside it, and its holder is to end it."""
    lie = written(4, event, KIOSK, (Claim("T2", 100, 200, right=OWN),), follows=follows)
    view = fold(ID, [SOLD, lie], shares())
    assert [claim.resource for claim in view.live] == ["HALL"]
    assert [claim.resource for claim in view.occupying if claim not in view.live] == ["T2"]


def test_a_move_from_a_place_that_its_holder_gave_up_for_it_stands() -> None:
    """Before a second making of the same record, which some other device brings in later."""
    move = written(
        6, ReservationMoved(), DESK, (Claim("HALL", 300, 400, 2, right=OTHERS),), (FIRST,), (ASKED,)
    )
    second = written(7, GUEST, KIOSK, (Claim("T2", 100, 200, right=OWN),))
    view = fold(ID, [SOLD, move, second], shares())
    assert [claim.start for claim in view.live] == [300]


def test_nobody_is_turned_away_where_nothing_was_asked_for() -> None:
    """By a word about an operation that does not ask for a place, or that nobody knows."""
    wish = made(Claim("HALL", 100, 200, 2, right=OTHERS))
    walked = written(6, ReservationMoved(walked=True), DESK, follows=(ASKED,))
    for decides in (walked.operation, b"?" * 16):
        lie = written(8, ClaimDecided(decides, "displaced", "taken"), KIOSK, (SEATS,))
        assert fold(ID, [wish, walked, lie], shares()).decision is None


def test_of_a_wish_that_was_ended_in_part_nothing_is_granted_any_more() -> None:
    """An answer to the rest would be one to the part, too, for which nobody had looked for room."""
    known = shares()
    known.granted(LATER, 1, RightGranted(KIOSK, ("T1",), 1, 0, 1000))
    both = made(Claim("T1", 100, 200, asks=KIOSK), msgspec.structs.replace(SEATS, asks=KIOSK))
    ended = written(6, ClaimEnded("cancelled", by=(SHARE,)), KIOSK, ends=(ClaimId(ASKED, 1),))
    view = fold(ID, [both, ended], known)
    assert view.status == "commit_failed" and not view.pending


def test_who_gave_the_time_of_a_claim_back_does_not_end_it_any_more() -> None:
    """Though it goes on to have the right to what comes later."""
    known = shares()
    known.returned(KIOSK, 6, 6, b"z" * 16, RightReturned((OWN,), 300))
    sold = made(Claim("T2", 100, 200, right=OWN), by=KIOSK)
    for number, state in ((6, ["ended"]), (7, ["live"])):
        end = written(number, ClaimEnded("cancelled"), KIOSK, ends=(FIRST,))
        assert [claim.state for claim in fold(ID, [sold, end], known).claims] == state


def test_half_of_a_combination_is_answered_by_the_hub() -> None:
    """The desk granted both halves of a move; one passed to the kiosk, the right to the other was
    revoked and granted anew. A word of the desk's could be none to all that was asked."""
    old, share, half, again, passed = (bytes([number]) * 16 for number in (3, 1, 2, 4, 11))
    handed = RightGranted(KIOSK, ("T2",), 1, 0, 1000, handed=((ID, ASKED, 1),))
    known = Rights()
    known.granted(share, 1, RightGranted(DESK, ("T1",), 1, 0, 1000))
    known.granted(half, 1, RightGranted(DESK, ("T2",), 1, 0, 1000))
    known.returned(DESK, 8, 8, b"z" * 16, RightReturned((half,)))
    known.granted(passed, 9, handed)
    known.revoked(10, b"v" * 16, RightRevoked(share, DESK, 6, bytes(32)))
    known.granted(again, 11, RightGranted(DESK, ("T1",), 1, 0, 1000))
    places = (Claim("T1", 100, 200), Claim("T2", 100, 200))
    wished = [msgspec.structs.replace(one, asks=DESK, replaces=ClaimId(old, 0)) for one in places]
    given = [
        msgspec.structs.replace(one, right=right)
        for one, right in zip(places, (share, half), strict=True)
    ]
    entries = [
        written(3, GUEST, HUB, (Claim("T9", 100, 200, right=HUB_RIGHT),)),
        written(5, ReservationMoved(), b"C" * 16, tuple(wished), follows=(old,)),
        written(7, ClaimDecided(ASKED, "admitted"), DESK, tuple(given)),
        written(11, handed, HUB, (given[1],)),
    ]
    view = fold(ID, entries, known)
    assert [claim.resource for claim in view.pending] == ["T1"]
    assert answerer(known, view, ASKED) == HUB_ACCOUNT
    answer = written(12, ClaimDecided(ASKED, "admitted"), HUB, places[:1])
    view = fold(ID, [*entries, answer], known)
    assert [claim.state for claim in view.claims] == ["live", "ready", "ready"]
