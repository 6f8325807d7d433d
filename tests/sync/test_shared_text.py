"""A text that several edit at once: one text in the end, nobody's words lost, and no bytes that
harm the process."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.service_notes import Replacement, replacements
from holdfast.sync.shared_text import (
    UPDATE_BYTES_MAX,
    Edit,
    NotAnEdit,
    SharedText,
    client_of,
    read_edit,
)

TEXTS = st.text("ab \nñ安😀\r", max_size=30)


def written(edits: Sequence[Edit], text: str, client: int) -> list[Edit]:
    """The edits by which a client turns what these edits say into this text."""
    shared = SharedText(client)
    shared.take(edits)
    updates = shared.change(replacements(str(shared), text))
    assert str(shared) == text
    return [read_edit(update, client) for update in updates]


def text_of(edits: Sequence[Edit]) -> str:
    shared = SharedText()
    assert shared.take(edits) == []
    return str(shared)


def applied(text: str, changes: Sequence[Replacement]) -> str:
    for change in changes:
        text = text[: change.start] + change.text + text[change.end :]
    return text


@given(TEXTS, TEXTS)
def test_replacements_lead_from_one_text_to_the_other(old: str, new: str):
    assert applied(old, replacements(old, new)) == new


def test_what_is_not_touched_stays_as_it_is():
    old = "Table 4 has a birthday.\nThe fish is off.\nStaff at six."
    new = "Table 4 has a big birthday.\nThe fish is off.\nStaff at seven."
    assert [old[one.start : one.end] for one in replacements(old, new)] == ["six", ""]


def test_two_who_edit_one_sentence_are_both_heard():
    first = written([], "Table 4 has a birthday 😀 tonight.", 1)
    one = written(first, "Table 4 has a big birthday 😀 tonight.", 2)
    two = written(first, "Table 14 has a birthday 😀 tonight, at nine.", 3)
    told = {text_of(order) for order in itertools.permutations([*first, *one, *two])}
    assert told == {"Table 14 has a big birthday 😀 tonight, at nine."}


@pytest.mark.parametrize("clients", [(2, 3), (3, 2)])
def test_what_is_put_beside_a_word_does_not_part_what_takes_its_place(clients: tuple[int, int]):
    first = written([], "One.\nTwo.\n", 1)
    one = written(first, "Zero.\nOne.\nTwo.\n", clients[0])
    two = written(first, "Ones.\nTwo!\n", clients[1])
    assert text_of([*first, *one, *two]) == "Zero.\nOnes.\nTwo!\n"


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), TEXTS), max_size=8), st.randoms())
def test_edits_on_three_sides_make_one_text_in_any_order(steps, chance: random.Random):
    """Each side edits what it has heard of; in the end all hear of everything, in any order."""
    sides: list[list[Edit]] = [[], [], []]
    for n, (side, hears, text) in enumerate(steps):
        if hears:
            other = sides[chance.randrange(3)]
            sides[side] += [edit for edit in other if edit not in sides[side]]
        sides[side] += written(sides[side], text, n + 1)
    whole = list({edit.update: edit for side in sides for edit in side}.values())
    texts = set()
    for _ in range(4):
        chance.shuffle(whole)
        texts.add(text_of([*whole, *whole[:2]]))
    assert len(texts) == 1


def test_a_long_text_takes_several_edits_and_none_is_too_large():
    edits = written([], "Ünïcödé wörds 安全 " * 1_200, 1)
    assert len(edits) > 3
    for n in range(300):
        edits += written(edits, text_of(edits)[: n * 7] + "+" + text_of(edits)[n * 7 :], n + 2)
    edits += written(edits, "gone", 999)
    assert max(len(edit.update) for edit in edits) <= UPDATE_BYTES_MAX
    assert text_of(edits) == "gone"


def test_an_edit_of_what_is_not_there_waits_and_keeps_its_words():
    first = written([], "Old news.", 1)
    late = written(first, "Old news. And new ones.", 2)
    shared = SharedText()
    assert shared.take(late) == late
    assert (str(shared), late[0].words) == ("", " And new ones.")


def test_nobody_writes_under_the_client_id_of_another_life():
    (edit,) = written([], "mine", client_of(b"a" * 16, b"salt"))
    with pytest.raises(NotAnEdit):
        read_edit(edit.update, client_of(b"b" * 16, b"salt"))


# --- hostile bytes --------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


FOREIGN = {
    "nothing": b"",
    "another root": b"\x01\x01\x05\x00\x04\x01\x05other\x01a\x00",
    "two writers": b"\x02\x01\x05\x00\x04\x01\x04text\x01a\x01\x06\x00\x04\x01\x04text\x01a\x00",
    "no text": b"\x01\x01\x05\x00\x08\x01\x04text\x01\x77\x01a\x00",
    "a hole": b"\x01\x01\x05\x00\x0a\x01\x00",
    "bytes that are no text": b"\x01\x01\x05\x00\x04\x01\x04text\x01\xff\x00",
    "empty text": b"\x01\x01\x05\x00\x04\x01\x04text\x00\x00",
    "something behind": b"\x01\x01\x05\x00\x04\x01\x04text\x01a\x00\x00",
    "a deletion of nothing": b"\x00\x01\x05\x01\x00\x00",
    "a deletion of too much": b"\x00\x01\x05\x01\x00" + varint(1 << 40),
    "too large": b"\x01\x01\x05\x00\x04\x01\x04text" + varint(6_000) + b"a" * 6_000 + b"\x00",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_edit_is_refused(name: str):
    with pytest.raises(NotAnEdit):
        read_edit(FOREIGN[name], 5)


@given(st.binary(max_size=40))
def test_no_bytes_do_anything_but_be_refused_or_read(data: bytes):
    try:
        edit = read_edit(data, 5)
    except NotAnEdit:
        return
    assert edit.update == data


PLACES = st.none() | st.tuples(st.integers(1, 4), st.integers(0, 8))
INSERTED = st.lists(
    st.tuples(PLACES, PLACES, st.sampled_from(["a", "bc", "😀", "x😀y", "ñ"])), max_size=3
)
DELETED = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 8), st.integers(1, 9)), max_size=2)


def forged(client: int, clock: int, inserted, deleted) -> bytes:
    out = b"\x00"
    if inserted:
        out = varint(1) + varint(len(inserted)) + varint(client) + varint(clock)
    for left, right, text in inserted:
        out += bytes([4 | (0x80 if left else 0) | (0x40 if right else 0)])
        out += b"".join(varint(part) for place in (left, right) if place for part in place)
        out += b"" if left or right else b"\x01\x04text"
        out += varint(len(text.encode())) + text.encode()
    out += varint(len(deleted))
    return out + b"".join(
        varint(of) + varint(1) + varint(first) + varint(count) for of, first, count in deleted
    )


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5), INSERTED, DELETED), max_size=12),
    st.randoms(),
)
def test_edits_that_no_program_writes_end_in_some_text(forgeries, chance: random.Random):
    """Some of them end the process where pycrdt takes them unlooked at."""
    edits = [
        read_edit(forged(client, clock, inserted, deleted), client)
        for client, clock, inserted, deleted in forgeries
    ]
    shared = SharedText()
    left = shared.take(edits)
    assert str(shared).encode().decode() == str(shared)
    assert all(edit in edits for edit in left)
