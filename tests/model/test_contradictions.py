"""Promises of exceptions: each has its answers, and a resolution is about what its writer saw."""

from __future__ import annotations

import itertools

import pytest

from holdfast.model import contradictions, lifecycle, vocabulary
from holdfast.model.claims import Seen
from holdfast.model.contradictions import ANSWERS, PLACING, answers_to
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    Event,
    ExceptionResolved,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationCreated,
    ReservationMarkedNoShow,
    ReservationMoved,
    encode_content,
)
from holdfast.model.reservation import View, fold, open_exceptions, resolutions, view_digest
from holdfast.model.sitting import is_resolved, seated_at, sitting, two_parties

HUB, DESK, KIOSK, CALLS = b"H" * 16, b"D" * 16, b"K" * 16, b"C" * 16
NAMES = {HUB: "hub", DESK: "desk", KIOSK: "kiosk", CALLS: "calls"}
GONE = ReservationCancelled("guest_request", "guest")


class Story:
    """Entries about one reservation (id: its letter, 16 times), with stamps that count up."""

    def __init__(self, letter: str = "r") -> None:
        self.id = letter.encode() * 16
        self.entries: list[Seen] = []

    def write(
        self,
        event: Event,
        by: bytes = DESK,
        *follows: Seen,
        claims: tuple[Claim, ...] = (),
        ends: tuple[ClaimId, ...] = (),
        stamp: int | None = None,
    ) -> Seen:
        number = len(self.entries) + 1
        entry = Seen(
            self.id[:8] + number.to_bytes(8, "big"), KIND_BY_EVENT[type(event)],
            (number if stamp is None else stamp) << 16, by, NAMES[by], by == HUB,
            tuple(f.operation for f in follows), claims, ends, encode_content(event),
        )  # fmt: skip
        self.entries.append(entry)
        return entry

    def made(
        self, by: bytes = HUB, resource: str = "T1", start: int = 1000, end: int = 2000
    ) -> Seen:
        event = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
        right = HUB_RIGHT if by == HUB else b""
        return self.write(event, by, claims=(Claim(resource, start, end, right=right),))

    def decided(self, entry: Seen, verdict: str, *ends: ClaimId) -> Seen:
        claims = tuple(Claim(c.resource, c.start, c.end) for c in entry.claims)
        event = ClaimDecided(entry.operation, verdict, "taken")
        return self.write(event, HUB, claims=claims, ends=ends)

    def resolved(self, kind: str, by: bytes = DESK, *, action: str = "acknowledge") -> Seen:
        about = open_exceptions(self.id, self.entries)[kind].about
        return self.write(ExceptionResolved(kind, action, "other", about), by)

    @property
    def view(self) -> View:
        return fold(self.id, self.entries)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.view.exceptions]


# --- the table ------------------------------------------------------------------------------------


def test_every_exception_of_the_lifecycle_has_its_answers() -> None:
    outcomes = [*lifecycle.NEXT.values(), *lifecycle.COLLIDE.values()]
    raised = {outcome.exception for outcome in outcomes if outcome.exception}
    found = {"displaced", "overbooked", "seated_without_place", "two_parties"}
    assert raised | found | {"partner_reference_twice"} == set(ANSWERS)
    assert set(ANSWERS) == vocabulary.EXCEPTION_KINDS


def test_the_actions_are_a_closed_list_and_each_is_said_in_words() -> None:
    assert {
        "move", "walk", "overbook", "keep-both", "refund-later", "cancel", "acknowledge",
    } == vocabulary.ACTIONS  # fmt: skip
    for kind, answers in ANSWERS.items():
        assert answers[-1].action == "acknowledge", f"{kind} can always be acknowledged"
        assert len({answer.action for answer in answers}) == len(answers)
        assert all(answer.words.endswith(".") for answer in answers)
        assert all(answer.does == answer.action for answer in answers if answer.action in PLACING)


@pytest.mark.parametrize(
    ("kind", "status", "actions"),
    [
        (
            "displaced",
            "commit_failed",
            ["move", "overbook", "cancel", "refund-later", "acknowledge"],
        ),
        ("overbooked", "confirmed", ["move", "acknowledge"]),
        ("seated_without_place", "checked_in", ["move", "walk", "keep-both", "acknowledge"]),
        ("two_parties", "checked_in", ["move", "walk", "keep-both", "acknowledge"]),
        (
            "seated_though_cancelled",
            "checked_in",
            ["move", "walk", "keep-both", "refund-later", "acknowledge"],
        ),
        ("seated_though_cancelled", "completed", ["keep-both", "refund-later", "acknowledge"]),
        ("no_show_and_checked_in", "checked_in", ["keep-both", "refund-later", "acknowledge"]),
        ("no_show_and_cancelled", "cancelled", ["refund-later", "acknowledge"]),
        ("checked_in_twice", "checked_in", ["move", "walk", "keep-both", "acknowledge"]),
        ("checked_in_twice", "completed", ["keep-both", "acknowledge"]),
        ("partner_reference_twice", "confirmed", ["cancel", "keep-both", "acknowledge"]),
        ("partner_reference_twice", "checked_in", ["keep-both", "acknowledge"]),
    ],
)
def test_what_can_be_done_depends_on_the_kind_and_on_how_it_stands(kind, status, actions) -> None:
    assert [answer.action for answer in answers_to(kind, status)] == actions


# --- what one reservation raises ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (ReservationCheckedIn(2), ReservationCheckedIn(4), "checked_in_twice"),
        (ReservationCheckedIn(), GONE, "seated_though_cancelled"),
        (ReservationCheckedIn(), ReservationMarkedNoShow(), "no_show_and_checked_in"),
        (ReservationMarkedNoShow(), GONE, "no_show_and_cancelled"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_facts_that_contradict_are_raised_and_a_person_answers_once(one, other, kind, turned):
    story = Story()
    made = story.made()
    for event, by in zip((other, one) if turned else (one, other), (DESK, KIOSK), strict=True):
        story.write(event, by, made)
    assert story.kinds == [kind]
    story.resolved(kind)
    assert story.kinds == []


def test_who_saw_the_check_in_and_checks_out_contradicts_nobody() -> None:
    story = Story()
    seated = story.write(ReservationCheckedIn(), DESK, story.made())
    story.write(ReservationCompleted(), KIOSK, seated)
    assert story.kinds == []


def test_a_third_device_that_contradicts_later_is_told_of_again() -> None:
    story = Story()
    made = story.made()
    story.write(ReservationCheckedIn(2), DESK, made)
    story.write(ReservationCheckedIn(2), KIOSK, made)
    story.resolved("checked_in_twice", action="keep-both")
    assert story.kinds == []
    story.write(ReservationCheckedIn(4), CALLS, made)
    assert story.kinds == ["checked_in_twice"]
    story.resolved("checked_in_twice")
    assert story.kinds == []


def test_guests_without_a_place_are_told_of_again_when_another_one_is_refused() -> None:
    story = Story()
    made = story.made(DESK)
    seated = story.write(ReservationCheckedIn(), DESK, made)
    story.decided(made, "displaced")
    assert story.kinds == ["seated_without_place"]
    story.resolved("seated_without_place", action="move")
    moved = story.write(ReservationMoved(), DESK, seated, claims=(Claim("T2", 1000, 2000),))
    assert story.kinds == []
    story.decided(moved, "displaced")
    assert story.kinds == ["seated_without_place"]


def test_a_resolution_of_an_earlier_version_covers_what_there_is_of_its_kind() -> None:
    story = Story()
    made = story.made()
    story.write(ReservationCheckedIn(), DESK, made)
    story.write(GONE, KIOSK, made)
    story.write(ExceptionResolved("seated_though_cancelled", "acknowledge"), DESK)
    assert story.kinds == []


def test_whatever_the_order_of_arrival_the_same_is_open() -> None:
    story = Story()
    made = story.made()
    story.write(ReservationCheckedIn(2), DESK, made)
    story.write(ReservationCheckedIn(4), KIOSK, made)
    story.resolved("checked_in_twice")
    story.write(GONE, CALLS, made)
    story.write(ClaimEnded("cancelled"), HUB, ends=(ClaimId(made.operation, 0),))
    assert story.kinds == ["seated_though_cancelled", "seated_without_place"]
    digests = {view_digest(fold(story.id, some)) for some in itertools.permutations(story.entries)}
    assert len(digests) == 1


# --- where they sit -------------------------------------------------------------------------------


def walk(story: Story, seated: Seen, resource: str = "T2", by: bytes = DESK) -> Seen:
    live = story.view.live
    replaced = live[0].id if live else None
    claims = (Claim(resource, 1000, 2000, replaces=replaced),)
    return story.write(ReservationMoved({}, None, True), by, seated, claims=claims)


def places(story: Story) -> list[str]:
    found = sitting(story.view)
    assert found is not None
    return [place[0] for place in found.places]


def test_a_walk_is_a_fact_whatever_becomes_of_the_place() -> None:
    story = Story()
    seated = story.write(ReservationCheckedIn(), DESK, story.made())
    assert places(story) == ["T1"]
    assert seated_at(story.view) == []
    walked = walk(story, seated)
    assert places(story) == seated_at(story.view) == ["T2"]
    story.decided(walked, "displaced")
    assert places(story) == ["T2"]
    assert [claim.resource for claim in story.view.live] == ["T1"], "no capacity changed by it"


def test_a_move_that_was_granted_after_a_walk_is_where_they_sit() -> None:
    story = Story()
    made = story.made()
    seated = story.write(ReservationCheckedIn(), DESK, made)
    walked = walk(story, seated)
    story.decided(walked, "displaced")
    claim = Claim("T3", 1000, 2000, replaces=ClaimId(made.operation, 0))
    moved = story.write(ReservationMoved(), DESK, walked, claims=(claim,))
    assert places(story) == ["T3"], "somebody is seeing to it"
    story.decided(moved, "admitted", ClaimId(made.operation, 0))
    assert (places(story), seated_at(story.view)) == (["T3"], [])


def test_who_is_not_checked_in_sits_nowhere() -> None:
    story = Story()
    story.made()
    assert sitting(story.view) is None


def seated(letter: str, *, by: bytes = HUB, start: int = 1000, end: int = 2000) -> Story:
    story = Story(letter)
    made = story.made(by, start=start, end=end)
    story.write(ReservationCheckedIn(0, ord(letter)), DESK, made)
    return story


def found(*stories: Story, units: str = "T1 T2"):
    sittings = [one for story in stories if (one := sitting(story.view))]
    results = {
        tuple(two_parties(some, lambda name: name in units.split()))
        for some in itertools.permutations(sittings)
    }
    assert len(results) == 1, "the order of looking shows"
    return results.pop()


@pytest.mark.parametrize("verdict", [None, "displaced"])
def test_two_parties_at_one_table_are_told_of_whoever_was_seated_last(verdict) -> None:
    a, b = seated("a"), seated("b", by=DESK)
    if verdict:
        b.decided(b.entries[0], verdict)
    [pair] = found(a, b)
    assert (pair.later, pair.others, pair.resource, pair.since_ms) == (b.id, (a.id,), "T1", 98)


def test_a_place_that_was_ended_is_where_they_sit_all_the_same() -> None:
    a, b = seated("a"), seated("b")
    b.write(ClaimEnded("cancelled"), HUB, ends=(ClaimId(b.entries[0].operation, 0),))
    [pair] = found(a, b)
    assert pair.resource == "T1"


def test_one_after_the_other_is_no_meeting_and_neither_is_a_hall() -> None:
    assert found(seated("a"), seated("b", start=2000, end=3000)) == ()
    assert found(seated("a"), seated("b"), units="T2") == ()


def test_three_parties_are_told_of_once_for_each_who_came_later() -> None:
    a, b, c = seated("a"), seated("b"), seated("c")
    assert [(pair.later, pair.others) for pair in found(a, b, c)] == [
        (b.id, (a.id,)),
        (c.id, (a.id, b.id)),
    ]


def test_keeping_both_ends_it_and_a_move_does_so_only_by_moving() -> None:
    a, b = seated("a"), seated("b")
    [pair] = found(a, b)
    for action, ends in (("move", False), ("walk", False), ("keep-both", True)):
        b.write(ExceptionResolved("two_parties", action, "other", pair.about), DESK)
        assert is_resolved(pair, resolutions(b.entries)) == ends, action
    c = seated("c")
    [_, another] = found(a, b, c)
    assert not is_resolved(another, resolutions(b.entries))


def test_once_a_place_was_asked_for_somebody_is_seeing_to_it_until_it_is_refused() -> None:
    a, b = seated("a"), seated("b")
    claim = Claim("T2", 1000, 2000, replaces=ClaimId(b.entries[0].operation, 0))
    moved = b.write(ReservationMoved(), DESK, b.entries[-1], claims=(claim,))
    assert found(a, b) == ()
    b.decided(moved, "displaced")
    assert len(found(a, b)) == 1


def test_the_table_names_no_step_that_the_lifecycle_does_not_have() -> None:
    for answers in ANSWERS.values():
        for answer in answers:
            assert answer.does in ("", contradictions.CANCEL, *PLACING)
