"""What a replica shows of itself: books, pages, the queue, and what a person must look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pycrdt import Array, Doc

from holdfast.model.errors import Invalid, NotFound
from holdfast.model.events import ExceptionResolved, OperationWithdrawn
from holdfast.model.ids import uuid_text
from holdfast.node.inspection import (
    book_summary,
    date_summary,
    exceptions,
    export_page,
    list_books,
    parse_exception_id,
    queue_item,
)
from holdfast.node.replica import Replica
from holdfast.node.words import plain_reason
from tests.node.replicas import (
    BOOK,
    VENUE,
    Tenant,
    amend,
    cancel,
    configure,
    decide,
    reserve,
    send,
)

DAY = "2027-01-01"


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    return Tenant.at(tmp_path)


@pytest.fixture
def hub(tenant: Tenant) -> Iterator[Replica]:
    replica = tenant.replica("hub")
    configure(replica)
    yield replica
    replica.close()


@pytest.fixture
def desk(tenant: Tenant) -> Iterator[Replica]:
    replica = tenant.replica("desk")
    yield replica
    replica.close()


def both_ways(hub: Replica, desk: Replica) -> None:
    send(desk, hub)
    send(hub, desk)


# --- books ----------------------------------------------------------------------------------------


def test_a_venue_that_nothing_is_known_of_is_an_empty_book_everywhere(hub: Replica, desk: Replica):
    for replica in (hub, desk):
        for summary in (book_summary(replica, "nowhere"), date_summary(replica, "nowhere", DAY)):
            assert summary["entries"] == 0
            assert summary["digest"] == "0" * 64
            assert summary["pages"] == []


def test_two_replicas_with_the_same_entries_show_the_same_book(hub: Replica, desk: Replica):
    reserve(desk)
    reserve(hub, "RES-2027-BBBBBB")
    both_ways(hub, desk)
    for ours, theirs in (
        (book_summary(hub, VENUE), book_summary(desk, VENUE)),
        (date_summary(hub, VENUE, DAY), date_summary(desk, VENUE, DAY)),
    ):
        assert ours["digest"] == theirs["digest"] != "0" * 64
        assert ours["entries"] == theirs["entries"] > 0
        assert ours["reservations"] == 2


def test_a_difference_on_one_date_shows_in_that_date_alone(hub: Replica, desk: Replica):
    reserve(desk)
    both_ways(hub, desk)
    before = date_summary(hub, VENUE, DAY)
    reserve(hub, "RES-2027-BBBBBB", date="2027-01-02")
    assert date_summary(hub, VENUE, DAY) == before | {
        "pages": date_summary(hub, VENUE, DAY)["pages"]
    }
    assert date_summary(hub, VENUE, "2027-01-02")["entries"] == 1
    assert book_summary(hub, VENUE)["digest"] != book_summary(desk, VENUE)["digest"]


def test_the_pages_of_a_book_name_their_writers_and_what_is_verified(hub: Replica, desk: Replica):
    reserve(desk)
    both_ways(hub, desk)
    pages = {page["node"]: page for page in book_summary(hub, VENUE)["pages"]}
    assert set(pages) == {"hub", "desk"}
    assert pages["desk"]["incarnation"] == desk.identity.incarnation.hex()
    assert (pages["desk"]["page"], pages["desk"]["entries"]) == (0, 2)
    assert all(page["verified"] for page in pages.values())
    summary = book_summary(hub, VENUE)
    assert sum(page["entries"] for page in summary["pages"]) == summary["entries"]


def test_a_date_names_the_pages_of_those_who_wrote_about_it(hub: Replica, desk: Replica):
    reserve(desk)
    both_ways(hub, desk)
    assert [page["node"] for page in date_summary(hub, VENUE, DAY)["pages"]] == ["desk"]


def test_heads_are_equal_where_the_chains_are(hub: Replica, desk: Replica):
    reserve(desk)
    both_ways(hub, desk)
    ours, theirs = (
        {head["node"]: head for head in book_summary(replica, VENUE)["heads"]}
        for replica in (hub, desk)
    )
    assert ours == theirs


def test_what_is_no_date_is_refused(hub: Replica):
    with pytest.raises(Invalid):
        date_summary(hub, VENUE, "tomorrow")


def test_the_list_of_books_has_a_line_for_each(hub: Replica):
    reserve(hub)
    (line,) = list_books(hub)
    assert line["venue"] == VENUE
    assert line["reservations"] == 1
    assert line["forks"] == 0
    assert line["digest"] == book_summary(hub, VENUE)["digest"]


# --- pages ----------------------------------------------------------------------------------------


def test_an_exported_page_is_opened_by_plain_pycrdt(hub: Replica, desk: Replica):
    reserve(desk)
    send(desk, hub)
    document: Doc = Doc()
    document.apply_update(export_page(hub, VENUE, "desk"))
    entries = list(document.get("entries", type=Array))
    chain = desk.store.journal.chain(BOOK, desk.identity.incarnation)
    assert chain is not None
    assert entries == desk.store.journal.entries(chain, 0, chain.length)


def test_the_page_of_the_newest_life_is_exported_unless_another_is_named(
    tenant: Tenant, hub: Replica, desk: Replica
):
    second = tenant.replica("desk", tenant.place / "desk-2", number=2)
    reserve(desk)
    reserve(second, "RES-2027-BBBBBB")
    send(second, hub)
    send(desk, hub)
    first_life = desk.identity.incarnation
    assert export_page(hub, VENUE, "desk") == export_page(second, VENUE, "desk")
    assert export_page(hub, VENUE, "desk", 0, first_life) == export_page(desk, VENUE, "desk")
    second.close()


def test_a_page_that_is_not_there_is_answered_with_who_writes(hub: Replica):
    with pytest.raises(NotFound, match="writers known: hub"):
        export_page(hub, VENUE, "desk")
    with pytest.raises(NotFound):
        export_page(hub, VENUE, "hub", 7)


# --- the queue ------------------------------------------------------------------------------------


def item_of(desk: Replica, operation: bytes) -> dict:
    row = desk.store.queue.get(operation)
    assert row is not None
    return queue_item(desk, row)


def test_a_queue_item_names_the_reservation_by_its_code_and_the_fate_in_words(desk: Replica):
    _, written = reserve(desk)
    item = item_of(desk, written.operation)
    assert item["id"] == written.operation.hex()
    assert item["kind"] == "reservation.created"
    assert item["subject"] == "RES-2027-AAAAAA"
    assert item["stamp"].endswith(desk.identity.incarnation.hex())
    assert (item["state"], item["attempts"]) == ("queued", 0)
    assert item["next_attempt_at"] is item["reason"] is item["decision"] is None
    with desk.transaction():
        desk.store.queue.mark_failed(1_798_761_600_000, "unreachable")
    item = item_of(desk, written.operation)
    assert item["next_attempt_at"] == "2027-01-01T00:00:00.000Z"
    assert item["reason"] == "the hub could not be reached"


def test_a_queue_item_shows_the_decision_about_it_and_no_other(hub: Replica, desk: Replica):
    winner, _ = reserve(hub, "RES-2027-BBBBBB")
    reservation, written = reserve(desk)
    changed = amend(desk, reservation, party_size=3)
    send(desk, hub)
    decide(hub, reservation, written, "displaced", "taken", (winner,))
    send(hub, desk)
    decision = item_of(desk, written.operation)["decision"]
    assert decision["verdict"] == "displaced"
    assert decision["by"] == "hub"
    assert decision["won"] == [uuid_text(winner)]
    assert item_of(desk, changed.operation)["decision"] is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", ""),
        ("text-not-an-id:agent_id", "agent id holds free text, where only an id may stand"),
        ("update-deletes", "its page's update is no plain append (deletes)"),
        ("something-new", "something new"),
    ],
)
def test_every_reason_is_shown_in_words_and_none_is_hidden(code: str, words: str):
    assert plain_reason(code) == words


# --- what a person must look at -------------------------------------------------------------------


def test_a_displaced_reservation_is_an_exception_that_names_who_had_it_first(
    hub: Replica, desk: Replica
):
    winner, _ = reserve(hub, "RES-2027-BBBBBB")
    reservation, written = reserve(desk)
    send(desk, hub)
    decide(hub, reservation, written, "displaced", "taken", (winner,))
    (item,) = exceptions(hub)
    assert item["id"] == f"{uuid_text(reservation)}.displaced"
    assert item["kind"] == "displaced"
    assert item["subject"] == uuid_text(reservation)
    assert item["code"] == "RES-2027-AAAAAA"
    assert "RES-2027-BBBBBB has it" in item["detail"]
    assert "cancel" in item["actions"]
    assert parse_exception_id(item["id"]) == ("displaced", reservation)
    assert exceptions(hub, "nowhere") == []
    assert exceptions(hub, VENUE) == [item]


def quarantine(hub: Replica, desk: Replica) -> tuple[bytes, bytes]:
    """The hub holds a change of the desk's as quarantined: (operation, reservation)."""
    reservation, _ = reserve(desk)
    changed = amend(desk, reservation, party_size=3)
    send(desk, hub)
    chain = hub.store.journal.chain(BOOK, desk.identity.incarnation)
    assert chain is not None
    with hub.transaction():
        row = (changed.operation, chain.id, changed.n, "quarantined", "text-not-an-id:metadata")
        hub.store.journal.put_verdicts([row])
    return changed.operation, reservation


def test_a_quarantined_entry_is_an_exception_with_the_reason(hub: Replica, desk: Replica):
    operation, _ = quarantine(hub, desk)
    (item,) = exceptions(hub)
    assert item["id"] == f"{operation.hex()}.quarantined"
    assert "metadata holds free text" in item["detail"]
    assert "desk" in item["detail"]
    assert parse_exception_id(item["id"]) == ("quarantined", operation)


def test_a_quarantined_entry_that_its_writer_withdrew_is_none_any_more(hub: Replica, desk: Replica):
    operation, reservation = quarantine(hub, desk)
    with desk.transaction():
        desk.append(BOOK, OperationWithdrawn(operation, "mistake"), subject=reservation)
    send(desk, hub)
    assert exceptions(hub) == []


def test_a_quarantined_entry_that_a_person_looked_at_is_none_any_more(hub: Replica, desk: Replica):
    operation, reservation = quarantine(hub, desk)
    with hub.transaction():
        resolved = ExceptionResolved(f"{operation.hex()}.quarantined", "acknowledge")
        hub.append(BOOK, resolved, subject=reservation)
    assert exceptions(hub) == []


def test_an_entry_of_a_newer_version_waits_and_bothers_nobody(hub: Replica, desk: Replica):
    operation, _ = quarantine(hub, desk)
    with hub.transaction():
        chain = hub.store.journal.chain(BOOK, desk.identity.incarnation)
        assert chain is not None
        hub.store.journal.put_verdicts([(operation, chain.id, 3, "deferred", "newer-schema")])
    assert exceptions(hub) == []


def test_two_histories_of_one_device_are_an_exception_and_both_are_listed(
    tenant: Tenant, hub: Replica, desk: Replica
):
    reservation, _ = reserve(desk)
    send(desk, hub)
    clone = fork_of(tenant, desk)
    cancel(desk, reservation)
    amend(clone, reservation, party_size=4)
    send(desk, hub)
    send(clone, hub)
    (item,) = exceptions(hub)
    assert item["id"] == f"{desk.identity.incarnation.hex()}.fork"
    assert "cloned" in item["detail"]
    pages = [page for page in book_summary(hub, VENUE)["pages"] if page["node"] == "desk"]
    assert [page["entries"] for page in pages] == [3, 1]
    assert "branch" in pages[1]
    clone.close()


def fork_of(tenant: Tenant, desk: Replica) -> Replica:
    """A second process on a copy of the desk's directory."""
    from holdfast.node import local_identity
    from holdfast.node.timekeeping import Timekeeper
    from holdfast.store.store import Store

    copy = tenant.place / "clone"
    copy.mkdir()
    desk.store.backup(copy / "holdfast.db")
    desk.identity.save_keys(copy)
    store = Store(copy)
    return Replica(store, local_identity.load(copy, store.records), Timekeeper())


@pytest.mark.parametrize("text", ["", "displaced", "x.displaced", "ab" * 16, "ab" * 15 + ".fork"])
def test_an_id_that_no_list_gave_is_not_found(text: str):
    with pytest.raises(NotFound, match="exceptions list"):
        parse_exception_id(text)
