"""A page that `holdfast books export` wrote is anybody's: plain pycrdt and plain Yjs open it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pycrdt import Array, Doc

from holdfast.node.hub import Hub
from holdfast.node.requests import CreateRequest
from holdfast.node.witness import STATE_VARIABLE
from holdfast.sync.pages import read_append
from tests.cli.support import Running, document, make_hub, program
from tests.conftest import YjsMerge

VENUE = "trattoria"
WEDNESDAY = 2


class Exported(NamedTuple):
    """The same page four times: as it grew, as a command line wrote it."""

    early: Path
    later: Path
    while_running: Path
    after_running: Path
    entries: list[bytes]
    """The page's entries at the end, as the journal has them."""


def next_open_day() -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    days = [today + datetime.timedelta(days=ahead) for ahead in range(2, 9)]
    return next(day.isoformat() for day in days if day.weekday() == WEDNESDAY)


def reserve(directory: Path, time: str, table: str) -> None:
    """Write on the hub's page while nobody serves it."""
    hub = Hub.open(directory)
    view = hub.reservations.create(
        CreateRequest(
            venue=VENUE, starts_at=f"{next_open_day()}T{time}", party_size=2, resources=[table]
        )
    )
    hub.reservations.cancel(view.code, "guest_request", "guest")
    hub.close()


def export(directory: Path, name: str) -> Path:
    file = directory.parent / name
    said = document(
        program("books", "export", VENUE, "--node", "hub", file, "--data", directory, "--json")
    )
    assert said == {"file": str(file), "bytes": file.stat().st_size}
    return file


def journal_entries(directory: Path) -> list[bytes]:
    hub = Hub.open(directory)
    try:
        chain = hub.store.journal.chain(hub.book_of(VENUE), hub.identity.incarnation)
        assert chain is not None
        return hub.store.journal.entries(chain, 0, chain.length)
    finally:
        hub.close()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    place = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_VARIABLE, str(place / "state"))
        directory = make_hub(place / "hub")
        reserve(directory, "19:30", "T1")
        early = export(directory, "early.page")
        reserve(directory, "20:00", "T2")
        later = export(directory, "later.page")
        process = Running("hub", directory)
        try:
            at = f"{next_open_day()}T21:00"
            words = ["--venue", VENUE, "--at", at, "--party", 4, "--data", directory, "--json"]
            document(program("reserve", *words))
            while_running = export(directory, "running.page")
        finally:
            process.stop()
        after_running = export(directory, "after.page")
        yield Exported(early, later, while_running, after_running, journal_entries(directory))


def opened(*files: Path) -> Doc:
    """Plain pycrdt, given the files in this order."""
    page: Doc = Doc()
    for file in files:
        page.apply_update(file.read_bytes())
    return page


def entries_of(page: Doc) -> list[bytes]:
    return [bytes(entry) for entry in page.get("entries", type=Array)]


def test_a_running_process_exports_the_same_page_as_a_stopped_directory(exported: Exported):
    assert exported.while_running.read_bytes() == exported.after_running.read_bytes()
    assert exported.early.read_bytes() != exported.while_running.read_bytes()


def test_plain_pycrdt_shows_the_entries_of_the_journal(exported: Exported):
    assert entries_of(opened(exported.while_running)) == exported.entries
    held = len(entries_of(opened(exported.early)))
    assert 0 < held < len(exported.entries)
    assert entries_of(opened(exported.early)) == exported.entries[:held]


def test_merging_exports_of_any_age_in_any_order_changes_nothing(exported: Exported):
    whole = exported.while_running.read_bytes()
    early, later, running = exported.early, exported.later, exported.while_running
    for files in [
        (early, later, running),
        (running, later, early),
        (later, running, early, running),
        (running, running),
    ]:
        page = opened(*files)
        assert entries_of(page) == exported.entries
        assert page.get_update() == whole


def test_plain_yjs_shows_the_entries_of_the_journal_and_one_writer(
    exported: Exported, yjs_merge: YjsMerge
):
    report = yjs_merge([exported.while_running])
    assert [bytes.fromhex(entry) for entry in report["entries"]] == exported.entries
    assert report["state_vector_length"] == 1


@pytest.mark.parametrize("newest_first", [False, True], ids=["as it grew", "newest first"])
def test_yjs_merges_exports_of_any_age_into_the_same_page(
    exported: Exported, yjs_merge: YjsMerge, newest_first: bool
):
    files = [exported.early, exported.later, exported.while_running]
    report = yjs_merge(files[::-1] if newest_first else files)
    assert [bytes.fromhex(entry) for entry in report["entries"]] == exported.entries
    assert bytes.fromhex(report["update"]) == exported.while_running.read_bytes()


def test_yjs_waits_for_the_piece_that_comes_before(
    exported: Exported, yjs_merge: YjsMerge, tmp_path: Path
):
    """What was added between two exports, alone: useless without the first, whole with it."""
    added = tmp_path / "added.page"
    held = opened(exported.early).get_state()
    added.write_bytes(opened(exported.while_running).get_update(held))
    assert yjs_merge([added])["entries"] == []
    report = yjs_merge([added, exported.early])
    assert [bytes.fromhex(entry) for entry in report["entries"]] == exported.entries


def test_what_yjs_encodes_again_python_takes_back_byte_for_byte(
    exported: Exported, yjs_merge: YjsMerge, tmp_path: Path
):
    whole = exported.while_running.read_bytes()
    returned = bytes.fromhex(yjs_merge([exported.early, exported.while_running])["update"])
    assert returned == whole
    again = tmp_path / "returned.page"
    again.write_bytes(returned)
    page = opened(exported.later, again)
    assert (page.get_update(), entries_of(page)) == (whole, exported.entries)
    # Holdfast's own gate reads it too: one writer, from the first entry on.
    append = read_append(returned)
    assert (append.clock, append.entries) == (0, exported.entries)
