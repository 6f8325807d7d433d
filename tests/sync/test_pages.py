"""Pages: what honest devices write passes, and nothing else touches a document."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text

from holdfast.model.limits import ENTRY_BYTES_MAX, PAGE_ENTRIES
from holdfast.sync.pages import (
    EMPTY_UPDATE,
    ROOT,
    Append,
    NotAnAppend,
    PageDocument,
    PageKey,
    Pages,
    read_append,
    state_vector,
)

CLIENT = (1 << 53) - 7

entries_of_pages = st.lists(st.binary(max_size=300), min_size=1, max_size=20)


def document(entries: list[bytes], client: int = CLIENT) -> PageDocument:
    made = PageDocument(client)
    made.append(entries)
    return made


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def update(*structs: bytes, clock: int = 0, client: int = CLIENT, deletes: bytes = b"\0") -> bytes:
    head = b"\1" + varint(len(structs)) + varint(client) + varint(clock)
    return head + b"".join(structs) + deletes


def first_struct(*entries: bytes) -> bytes:
    return b"\x08\x01\x07entries" + _contents(entries)


def next_struct(clock: int, *entries: bytes, client: int = CLIENT) -> bytes:
    return b"\x88" + varint(client) + varint(clock - 1) + _contents(entries)


def _contents(entries: tuple[bytes, ...]) -> bytes:
    return varint(len(entries)) + b"".join(b"\x74" + varint(len(e)) + e for e in entries)


# --- what passes ----------------------------------------------------------------------------------


@given(entries_of_pages, st.data())
def test_what_pycrdt_writes_for_an_append_is_read_back(entries, data):
    have = data.draw(st.integers(0, len(entries) - 1))
    written = document(entries).update_after(have)
    assert read_append(written) == Append(CLIENT, have, entries[have:])


@given(entries_of_pages, st.data())
def test_a_page_rebuilt_from_its_entries_is_the_same_bytes(entries, data):
    in_pieces = PageDocument(CLIENT)
    rest = list(entries)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        in_pieces.append(rest[:size])
        rest = rest[size:]
    whole = document(entries)
    assert in_pieces.doc.get_update() == whole.doc.get_update()
    assert in_pieces.doc.get_state() == state_vector(CLIENT, len(entries))


@given(entries_of_pages, st.data())
def test_merged_updates_give_the_same_document_as_appends(entries, data):
    source, target = document(entries), PageDocument(CLIENT)
    have = 0
    while have < len(entries):
        upto = data.draw(st.integers(have + 1, len(entries)))
        cut = document(entries[:upto]).update_after(have)
        assert target.merge(read_append(cut), cut)
        have = upto
    assert target.doc.get_update() == source.doc.get_update()


def test_an_append_in_several_structs_as_yjs_may_write_it_passes():
    several = update(first_struct(b"a", b"b"), next_struct(2, b"c"), next_struct(3, b"d"))
    assert read_append(several) == Append(CLIENT, 0, [b"a", b"b", b"c", b"d"])
    target = PageDocument(CLIENT)
    assert target.merge(read_append(several), several)
    array: Array[bytes] = target.doc.get(ROOT, type=Array)
    assert list(array) == [b"a", b"b", b"c", b"d"]
    assert document([b"a", b"b", b"c", b"d"]).doc.get_state() == target.doc.get_state()


def test_the_largest_entry_and_the_fullest_page_pass():
    largest = [b"x" * ENTRY_BYTES_MAX]
    assert read_append(document(largest).update_after(0)).entries == largest
    full = document([b"e"] * PAGE_ENTRIES)
    assert len(read_append(full.update_after(0)).entries) == PAGE_ENTRIES
    assert read_append(full.update_after(PAGE_ENTRIES - 1)).clock == PAGE_ENTRIES - 1


# --- what does not --------------------------------------------------------------------------------


def a_doc(client: int = CLIENT) -> tuple[Doc[Array[bytes]], Array[bytes]]:
    doc: Doc[Array[bytes]] = Doc(client_id=client)
    array: Array[bytes] = doc.get(ROOT, type=Array)
    return doc, array


def hostile_updates() -> dict[str, bytes]:
    found: dict[str, bytes] = {"empty": EMPTY_UPDATE, "nothing": b""}
    doc, array = a_doc()
    array.append(b"a")
    array.append(b"b")
    before = doc.get_state()
    del array[0]
    found["deletes"] = doc.get_update(before)
    found["deletes and appends"] = doc.get_update()
    doc, array = a_doc()
    array.append(b"b")
    array.insert(0, b"a")
    found["inserts before the end"] = doc.get_update()
    other: Doc[Array[bytes]] = Doc(client_id=CLIENT)
    other.get("elsewhere", type=Array).append(b"a")
    found["another root"] = other.get_update()
    mapped: Doc[Map[object]] = Doc(client_id=CLIENT)
    mapped.get(ROOT, type=Map)["k"] = b"v"
    found["a map"] = mapped.get_update()
    written: Doc[Text] = Doc(client_id=CLIENT)
    written.get(ROOT, type=Text).insert(0, "text")
    found["a text"] = written.get_update()
    for name, value in (("a string", "s"), ("a number", 7), ("a list", [b"a"]), ("null", None)):
        loose: Doc[Array[object]] = Doc(client_id=CLIENT)
        loose.get(ROOT, type=Array).append(value)
        found[name] = loose.get_update()
    nested: Doc[Array[object]] = Doc(client_id=CLIENT)
    nested.get(ROOT, type=Array).append(Array([b"a"]))
    found["a nested array"] = nested.get_update()
    one, first_array = a_doc(1)
    first_array.append(b"a")
    two, second_array = a_doc(2)
    two.apply_update(one.get_update())
    second_array.append(b"b")
    found["two writers"] = two.get_update()
    found["behind another writer"] = two.get_update(one.get_state())
    found["a hole in the page"] = update(first_struct(b"a"), next_struct(5, b"b"))
    found["an origin ahead"] = update(next_struct(9, b"b"), clock=3)
    found["another writer's origin"] = update(next_struct(3, b"b", client=5), clock=3)
    found["garbage collected"] = update(b"\x00\x05")
    found["skipped"] = update(b"\x0a\x05", first_struct(b"a"))
    found["no entries in a struct"] = update(first_struct())
    found["trailing bytes"] = update(first_struct(b"a")) + b"x"
    found["a huge number"] = b"\x01" + b"\xff" * 12
    found["a length of exabytes"] = update(b"\x08\x01\x07entries\x01\x74" + varint(1 << 60))
    found["a count of exabytes"] = update(b"\x08\x01\x07entries" + varint(1 << 60))
    found["structs without end"] = b"\x01" + varint(1 << 40) + varint(CLIENT) + b"\0"
    found["too large an entry"] = update(first_struct(b"x" * (ENTRY_BYTES_MAX + 1)))
    found["more than a page"] = update(
        first_struct(*[b"e"] * PAGE_ENTRIES), next_struct(4096, b"e")
    )
    found["beyond the page"] = update(next_struct(PAGE_ENTRIES, b"e"), clock=PAGE_ENTRIES)
    found["a first item twice"] = update(first_struct(b"a"), first_struct(b"b"))
    return found


@pytest.mark.parametrize("name", sorted(hostile_updates()))
def test_anything_but_an_append_is_refused(name):
    with pytest.raises(NotAnAppend) as refusal:
        read_append(hostile_updates()[name])
    assert str(refusal.value), "a refusal has a reason code"


ENTRIES = [b"first entry", b"", b"\x00\xff" * 20, b"last"]


@pytest.mark.parametrize("have", [0, 2])
def test_every_truncation_of_an_honest_update_is_refused(have):
    honest = document(ENTRIES).update_after(have)
    for cut in range(len(honest)):
        with pytest.raises(NotAnAppend):
            read_append(honest[:cut])


@pytest.mark.parametrize("have", [0, 2])
def test_every_corrupted_byte_is_refused_or_read_as_an_append_that_a_document_takes_as_read(have):
    """What still parses is another append; chain and seal refuse it. The document must not then
    hold anything else than what was read."""
    honest = document(ENTRIES).update_after(have)
    passed = 0
    for position in range(len(honest)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(honest)
            damaged[position] ^= flip
            try:
                read = read_append(bytes(damaged))
            except NotAnAppend:
                continue
            passed += 1
            if read.client != CLIENT or read.clock != have:
                continue
            target = document(ENTRIES[:have])
            if target.merge(read, bytes(damaged)):
                array: Array[bytes] = target.doc.get(ROOT, type=Array)
                assert list(array) == [*ENTRIES[:have], *read.entries]
    assert passed < len(honest) * 3, "every corruption passed"


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(data):
    try:
        read = read_append(data)
    except NotAnAppend:
        return
    assert read.entries


# --- the cache ------------------------------------------------------------------------------------


@given(st.data())
def test_a_page_from_the_cache_is_what_the_journal_says(data):
    journal = {chain: [bytes([chain, n]) for n in range(12)] for chain in (1, 2, 3)}
    reads: list[tuple[int, int, int]] = []

    def read(chain: int, after: int, upto: int) -> list[bytes]:
        reads.append((chain, after, upto))
        return journal[chain][after:upto]

    pages = Pages(read)
    for _ in range(data.draw(st.integers(1, 12))):
        chain = data.draw(st.sampled_from([1, 2, 3]))
        upto = data.draw(st.integers(1, 12))
        have = data.draw(st.integers(0, upto - 1))
        what = data.draw(st.sampled_from(["update", "update", "merged", "forget"]))
        if what == "update":
            sent = pages.update(PageKey(chain, 0), chain, have, upto)
            assert read_append(sent) == Append(chain, have, journal[chain][have:upto])
        elif what == "merged":
            came = document(journal[chain][:upto], chain).update_after(have)
            pages.merged(PageKey(chain, 0), read_append(came), came)
        else:
            pages.forget()
