"""Agent ids: the same person is the same everywhere, and nobody without the key can tell who."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.pseudonyms import (
    agent_id,
    base32,
    beginning_of,
    is_agent_id,
    walk_in_agent_id,
)
from tests.vectors_crypto import vectors

KEY = bytes(range(32))


@pytest.mark.parametrize("known", vectors()["agent_ids"])
def test_a_persons_id_never_changes_with_the_software(known):
    assert agent_id(bytes.fromhex(known["pseudonym_key"]), known["user_id"]) == known["agent_id"]


@pytest.mark.parametrize("known", vectors()["walk_in_agent_ids"])
def test_a_walk_ins_id_is_its_random_bytes(known):
    assert walk_in_agent_id(bytes.fromhex(known["entropy"])) == known["agent_id"]


@given(st.text(), st.text())
def test_two_devices_agree_on_a_person_and_tell_two_people_apart(one, other):
    try:
        ids = agent_id(KEY, one), agent_id(KEY, one), agent_id(KEY, other)
    except UnicodeEncodeError:
        return  # A lone surrogate is no text; the faces refuse it.
    assert ids[0] == ids[1]
    assert (ids[0] == ids[2]) == (one == other)
    assert all(is_agent_id(found) for found in ids)


def test_another_tenants_key_gives_the_same_person_another_id():
    assert agent_id(KEY, "alice") != agent_id(bytes(32), "alice")


@pytest.mark.parametrize("length", [0, 1, 15])
def test_a_key_file_that_was_cut_off_makes_no_ids_that_can_be_guessed(length):
    with pytest.raises(ValueError, match="pseudonym key"):
        agent_id(KEY[:length], "alice")


@pytest.mark.parametrize("length", [0, 19, 21])
def test_a_walk_in_needs_all_of_its_entropy(length):
    with pytest.raises(ValueError, match="20 random bytes"):
        walk_in_agent_id(bytes(length))


@pytest.mark.parametrize(
    "text",
    [
        "", "alice", "agent_", "agent_" + "0" * 31, "agent_" + "0" * 33, "agent_" + "0" * 31 + "i",
        "agent_" + "0" * 31 + "u", "agent_" + "A" * 32, "agent_" + "0" * 32 + "\n",
        "Agent_" + "0" * 32, " agent_" + "0" * 32,
    ],
)  # fmt: skip
def test_what_is_no_agent_id_is_not_taken_for_one(text):
    assert not is_agent_id(text)


@given(st.binary(min_size=5, max_size=40).filter(lambda data: len(data) % 5 == 0))
def test_base32_is_as_crockford_wrote_it_down(data):
    letters = base32(data)
    number = 0
    for letter in letters:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(letter)
    assert len(letters) == len(data) * 8 // 5
    assert number == int.from_bytes(data, "big")


@pytest.mark.parametrize(
    ("typed", "begins"),
    [
        ("agent_ka27te", "agent_ka27te"),
        (" Agent_KA27TE0… ", "agent_ka27te0"),
        ("agent_" + "a" * 32, "agent_" + "a" * 32),
        ("agent_ka27t", None),
        ("agent_" + "a" * 33, None),
        ("agent_ka27to", None),
        ("ka27tew0", None),
        ("", None),
    ],
)
def test_the_beginning_of_an_id_is_long_enough_or_none(typed: str, begins: str | None):
    assert beginning_of(typed) == begins
