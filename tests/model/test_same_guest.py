"""Who is one person, which notes and preferences stand: the same in whatever order entries come."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import guest_details, guest_flags, guest_notes, same_guest
from holdfast.model.events import (
    Event,
    GuestMerged,
    GuestNoted,
    GuestNoteWithdrawn,
    GuestUnmerged,
    SealedCard,
)
from holdfast.model.guest_details import Said
from holdfast.model.guest_flags import Flag
from holdfast.model.limits import AGENTS_FOLLOWED_MAX

PEOPLE = "abcde"
CARD = SealedCard(bytes(16), b"", bytes(16))


class Entry(NamedTuple):
    """What an entry says, as the folds read it."""

    id: bytes
    said: Event
    stamp: int


def operation(number: int) -> bytes:
    return bytes([number]) * 16


def person(agent: str, written: list[tuple[bytes, Event]]) -> tuple[str, ...]:
    """Who is one with somebody, by all these entries."""

    def others(one: str) -> list[str]:
        about = [
            (named, event)
            for named, event in written
            if isinstance(event, GuestMerged | GuestUnmerged)
            and one in (event.agent_id, event.other)
        ]
        return [tie.other for tie in same_guest.ties(one, about)]

    return same_guest.same_as(agent, others)


PAIR = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)).filter(lambda p: p[0] != p[1])


@given(st.lists(PAIR, max_size=8), st.data())
def test_merges_are_an_equivalence_and_their_order_means_nothing(pairs: Any, data: st.DataObject):
    written: list[tuple[bytes, Event]] = [
        (operation(n), GuestMerged(*pair)) for n, pair in enumerate(pairs)
    ]
    for n in data.draw(st.sets(st.integers(0, max(len(pairs) - 1, 0)), max_size=len(pairs))):
        first, second = data.draw(st.permutations(pairs[n]))
        written.append((operation(100 + n), GuestUnmerged(first, second, (operation(n),))))
    shuffled = data.draw(st.permutations(written))
    groups = {agent: set(person(agent, written)) for agent in PEOPLE}
    for agent in PEOPLE:
        assert set(person(agent, shuffled)) == groups[agent]
        assert person(agent, written)[0] == agent
        for other in groups[agent]:
            assert groups[other] == groups[agent]


def test_a_word_against_a_merge_of_other_people_is_none():
    written: list[tuple[bytes, Event]] = [
        (operation(1), GuestMerged("a", "b")),
        (operation(2), GuestUnmerged("a", "c", (operation(1),))),
    ]
    assert person("a", written) == ("a", "b")
    written.append((operation(3), GuestUnmerged("b", "a", (operation(1),))))
    assert person("a", written) == ("a",)


def test_whatever_a_device_wrote_so_many_are_looked_at():
    written: list[tuple[bytes, Event]] = [
        (n.to_bytes(16, "big"), GuestMerged("a", f"b{n}")) for n in range(2 * AGENTS_FOLLOWED_MAX)
    ]
    assert len(person("a", written)) == AGENTS_FOLLOWED_MAX


NOTED = [
    Entry(operation(1), GuestNoted("a", CARD, False), 10),
    Entry(operation(2), GuestNoted("a", CARD, True, operation(1)), 20),
    Entry(operation(3), GuestNoted("a", CARD, False, operation(1)), 15),
    Entry(operation(4), GuestNoted("a", CARD, True), 12),
    Entry(operation(5), GuestNoteWithdrawn("a", operation(4)), 11),
    Entry(operation(6), GuestNoted("a", CARD, True, operation(9)), 30),
]


@given(st.permutations(NOTED))
def test_of_a_note_the_newest_version_stands_and_a_withdrawn_one_stays_so(written: list[Entry]):
    first, second = guest_notes.notes_of(written)
    assert (first.made.id, first.stands.id, first.withdrawn) == (operation(1), operation(2), None)
    assert [one.stamp for one in first.versions] == [10, 15, 20]
    assert second.withdrawn is not None
    assert second.withdrawn.id == operation(5)


SAID = [
    Said(operation(1), 10, {"sms": True, "language": "it"}),
    Said(operation(2), 20, {"sms": None, "dietary": "vegan"}),
    Said(operation(3), 20, {"dietary": "no nuts", "shoe_size": 42, "language": 7}),
    Said(operation(4), 5, {"email": False, "language": "en"}),
]


@given(st.permutations(SAID))
def test_of_each_field_the_newest_word_stands(said: list[Said]):
    found = guest_details.standing(said)
    assert {field: one.value for field, one in found.items()} == {
        "dietary": "no nuts", "language": "it", "email": False
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "good"),
    [
        ("language", "pt-BR", True), ("language", "Portuguese!", False), ("sms", False, True),
        ("sms", 0, False), ("dietary", "", False), ("dietary", "x" * 1_000, True),
        ("dietary", "x" * 1_001, False), ("dietary", None, True), ("name", "Ann", False),
        ("time_zone", "Europe/Rome", True), ("time_zone", "x" * 65, False),
    ],
)  # fmt: skip
def test_what_may_stand_in_a_field(field: str, value: object, good: bool):
    assert (guest_details.problem(field, value) is None) is good


@given(st.permutations([(1, "vip", True, 10), (2, "vip", False, 20), (3, "issue", True, 15)]))
def test_of_each_flag_the_newest_word_stands(written: list[tuple[int, str, bool, int]]):
    flags = [Flag(operation(n), flag, up, stamp, None) for n, flag, up, stamp in written]
    found = guest_flags.standing(flags)
    assert {flag: one.up for flag, one in found.items()} == {"vip": False, "issue": True}
