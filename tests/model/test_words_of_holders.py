"""Whose word about a claim counts: the hub's, and a device's by a right that it names.

A right that a device got for something else, or gets later, makes nothing count that it said: no
guest is turned away or sent elsewhere by it, and nothing that was had is lost.
"""

from __future__ import annotations

from typing import Final

import pytest

from holdfast.model.claims import Seen
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    Event,
    ReservationCancelled,
    ReservationCreated,
    RightGranted,
    RightRevoked,
    encode_content,
)
from holdfast.model.reservation import fold
from holdfast.model.rights import Rights

ID: Final = b"r" * 16
HUB, DESK, KIOSK = b"H" * 16, b"D" * 16, b"K" * 16
OWN, LATER, LOST = b"o" * 16, b"l" * 16, b"x" * 16
WISH: Final = Claim("T1", 100, 200)
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
def test_who_had_the_right_there_answers_for_good(verdict: str) -> None:
    view = fold(ID, [MADE, answer(6, verdict, (LOST,)), ADMITTED], rights())
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
