"""A page is an ordinary CRDT document: plain Yjs opens it, and plain pycrdt takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from pycrdt import Array, Doc

from tests.conftest import YjsMerge

ENTRIES = [b"\x00\xff\x01", b"", b"reserved", bytes(range(256)), "città".encode(), b"\x00"]


def page_in_two_pieces(directory: Path) -> tuple[Path, Path, bytes]:
    """A page that one writer filled, cut in the middle: two files, and the page as a whole."""
    doc: Doc = Doc(client_id=4_217)
    entries = doc.get("entries", type=Array)
    for entry in ENTRIES[:3]:
        entries.append(entry)
    first, held = doc.get_update(), doc.get_state()
    for entry in ENTRIES[3:]:
        entries.append(entry)
    paths = directory / "first.page", directory / "second.page"
    paths[0].write_bytes(first)
    paths[1].write_bytes(doc.get_update(held))
    return *paths, doc.get_update()


@pytest.mark.parametrize("in_order", [True, False], ids=["in order", "second piece first"])
def test_yjs_reads_the_entries_of_a_page_in_any_order_of_arrival(
    tmp_path: Path, yjs_merge: YjsMerge, in_order: bool
):
    first, second, _ = page_in_two_pieces(tmp_path)
    report = yjs_merge([first, second] if in_order else [second, first])
    assert [bytes.fromhex(entry) for entry in report["entries"]] == ENTRIES
    assert report["state_vector_length"] == 1


def test_a_page_comes_back_from_yjs_byte_for_byte(tmp_path: Path, yjs_merge: YjsMerge):
    first, second, whole = page_in_two_pieces(tmp_path)
    returned = bytes.fromhex(yjs_merge([first, second, first])["update"])
    assert returned == whole

    doc: Doc = Doc()
    doc.apply_update(returned)
    assert [bytes(entry) for entry in doc.get("entries", type=Array)] == ENTRIES
