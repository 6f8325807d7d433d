"""Pages that are none, or not their sender's: each is refused with its reason, and harms nobody."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec
import pytest
from pycrdt import Array, Doc

from holdfast.model.errors import NotFound
from holdfast.model.events import ChainCertified, ReservationCheckedIn
from holdfast.model.limits import ENTRY_BYTES_MAX, PAGE_ENTRIES
from holdfast.node.exchange import Exchange
from holdfast.sync import pages, seals
from holdfast.sync.messages import Frame
from tests.hostile.builders import Attacker, Town, claim, contents, created, entry

Make = Callable[[Town], Frame]

NEW = entry(ReservationCheckedIn(2), subject=bytes(16))


def own_client(attacker: Attacker, page: int = 0) -> int:
    return seals.client_id(attacker.book, attacker.incarnation, page)


def deleting(town: Town) -> Frame:
    """What plain pycrdt says of a page whose first entry was removed."""
    attacker = town.attacker
    document = pages.PageDocument(own_client(attacker))
    document.append([*attacker.chain, NEW])
    document.doc.get(pages.ROOT, type=Array).pop(0)
    return attacker.frame(NEW, update=document.doc.get_update())


def other_root(town: Town) -> Frame:
    document: Doc[Array[bytes]] = Doc(client_id=own_client(town.attacker))
    array: Array[bytes] = document.get("reservations", type=Array)
    for written in town.attacker.chain:
        array.append(written)
    return town.attacker.frame(after=0, update=document.get_update())


def inserted(town: Town) -> Frame:
    """An entry put before those that are held."""
    attacker = town.attacker
    document = pages.PageDocument(own_client(attacker))
    document.append(attacker.chain)
    held = document.doc.get_state()
    document.doc.get(pages.ROOT, type=Array).insert(0, NEW)
    return attacker.frame(NEW, update=document.doc.get_update(held))


def desks(town: Town) -> Frame:
    """The desk's page, continued and sealed by the kiosk."""
    journal = town.hub.store.journal
    incarnation = town.desk.identity.incarnation
    row = journal.chain(town.book, incarnation)
    assert row is not None
    held = journal.entries(row, 0, row.length)
    return town.attacker.frame_of([*held, NEW], len(held), incarnation=incarnation)


def foreign_client(town: Town) -> Frame:
    """An append on the attacker's chain, written into the desk's page."""
    client = seals.client_id(town.book, town.desk.identity.incarnation, 0)
    document = pages.PageDocument(client)
    document.append([*town.attacker.chain, NEW])
    return town.attacker.frame(NEW, update=document.update_after(len(town.attacker.chain)))


def oversized(town: Town) -> Frame:
    return town.attacker.frame(entry(created(), content=bytes(ENTRY_BYTES_MAX + 1)))


def named(town: Town, incarnation: bytes) -> Frame:
    return msgspec.structs.replace(town.attacker.frame(NEW), incarnation=incarnation)


def foreign_certificate(town: Town) -> Frame:
    stranger = town.stranger()
    return stranger.another_chain()


BAD: list[tuple[str, Make, str]] = [
    ("no update", lambda t: t.attacker.frame(NEW, update=b"\x00\x00"), "update-empty"),
    ("no bytes", lambda t: t.attacker.frame(NEW, update=b""), "update-truncated"),
    ("cut off", lambda t: t.attacker.frame(NEW, update=t.attacker.frame(NEW).update[:-2]),
     "update-truncated"),
    ("a delete", deleting, "update-not-an-append"),
    ("another root", other_root, "update-foreign-root"),
    ("an insertion", inserted, "update-not-an-append"),
    ("another's chain", desks, "seal-invalid"),
    ("another's page", foreign_client, "foreign-page"),
    ("a page number that it is not of", lambda t: t.attacker.frame(NEW, page=7), "foreign-page"),
    ("a page number of 40 bits", lambda t: t.attacker.frame(NEW, page=1 << 40), "frame-malformed"),
    ("an incarnation of 3 bytes", lambda t: named(t, b"abc"),
     "frame-malformed"),
    ("an incarnation of a megabyte", lambda t: named(t, bytes(1 << 20)),
     "frame-malformed"),
    ("an entry above the limit", oversized, "entry-too-large"),
    ("a forged seal", lambda t: t.attacker.frame(NEW, seal=os.urandom(64)), "seal-invalid"),
    ("a short seal", lambda t: t.attacker.frame(NEW, seal=b""), "seal-invalid"),
    ("a seal beyond the page", lambda t: t.attacker.frame(NEW, sealed=PAGE_ENTRIES),
     "seal-missing"),
    ("a seal before the page", lambda t: t.attacker.frame(NEW, sealed=0), "seal-missing"),
    ("a seal of another length", lambda t: t.attacker.frame(NEW, NEW, sealed=2), "seal-invalid"),
    ("a chain with another start", lambda t: t.attacker.another_chain(base=bytes(32)),
     "chain-start"),
    ("a chain without a certificate",
     lambda t: t.attacker.frame_of([NEW], incarnation=os.urandom(16)), "certificate-missing"),
    ("a foreign certificate", foreign_certificate, "certificate-invalid"),
    ("a gap",
     lambda t: t.attacker.frame_of([*t.attacker.chain, NEW, NEW], len(t.attacker.chain) + 1),
     "gap"),
    ("a base that is not held", lambda t: t.attacker.frame(NEW, base=os.urandom(32)), "gap"),
    ("a base of no bytes", lambda t: t.attacker.frame(NEW, base=b""), "gap"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_page_is_refused_with_its_reason_and_nothing_of_it_counts(
    town: Town, make: Make, reason: str
) -> None:
    frame = make(town)
    before = contents(town.hub)
    seen_by_desk = Exchange(town.desk).book_digest(town.book)
    answer = town.attacker.send(frame)
    assert [refused[2] for refused in answer.refused] == [reason]
    assert answer.acks == () and answer.verdicts == ()
    assert contents(town.hub) == before
    town.fleet.sync(town.desk)
    assert Exchange(town.desk).book_digest(town.book) == seen_by_desk
    town.assert_alive()


def test_every_corrupted_byte_of_an_update_is_noticed(town: Town) -> None:
    """A plain document accepts about one corrupted update in nine; the gate accepts none."""
    frame = town.attacker.frame(entry(created(), subject=town.attacker.new_id(), claims=(claim(),)))
    before = contents(town.hub)
    frames = []
    for position in range(len(frame.update)):
        damaged = bytearray(frame.update)
        damaged[position] ^= 1 << position % 8
        frames.append(
            Frame(frame.incarnation, 0, frame.base, bytes(damaged), frame.sealed, frame.seal)
        )
    answer = town.attacker.send(*frames)
    assert len(answer.refused) == len(frames)
    assert contents(town.hub) == before
    town.assert_alive()


def test_what_no_seal_covers_does_not_count_and_is_kept_aside(town: Town) -> None:
    held = town.attacker.chain
    good, rest = (
        entry(created(), subject=town.attacker.new_id()),
        entry(created(), subject=town.attacker.new_id()),
    )
    start = seals.chain_start(town.book, town.attacker.incarnation)
    hashes = seals.chain_run(start, [*held, good])
    seal = seals.sign_seal(
        town.kiosk.identity.key, town.book, town.attacker.incarnation, len(held) + 1, hashes[-1]
    )
    answer = town.attacker.send(town.attacker.frame(good, rest, sealed=len(held) + 1, seal=seal))
    assert answer.refused == () and answer.acks[0][1] == len(held) + 1
    assert town.attacker.chain == [*held, good]
    town.assert_alive()


def test_any_number_of_branches_of_one_chain_stay_the_attackers_own_trouble(town: Town) -> None:
    """A third branch that leaves the second, and one that leaves the third: all keep order."""
    attacker = town.attacker
    held = attacker.chain
    a, b, c, d, e = (
        entry(created(party_size=i), subject=town.attacker.new_id()) for i in range(1, 6)
    )
    attacker.send(attacker.frame_of([*held, a, b]))
    attacker.send(attacker.frame_of([*held, c, d]))
    attacker.send(attacker.frame_of([*held, c, e, e]))
    answer = attacker.send(attacker.frame_of([*held, c, e, d]))
    assert answer.refused == ()
    journal = town.hub.store.journal
    branches = [
        journal.entries(row, 0, row.length)
        for row in journal.branches(town.book, attacker.incarnation)
    ]
    assert branches == [
        [*held, a, b], [*held, c, d], [*held, c, e, e], [*held, c, e, d]
    ]  # fmt: skip
    start = seals.chain_start(town.book, attacker.incarnation)
    for row, branch in zip(
        journal.branches(town.book, attacker.incarnation), branches, strict=True
    ):
        assert journal.hashes(row, 0, row.length) == seals.chain_run(start, branch)
    town.fleet.sync(town.desk, town.desk)
    assert Exchange(town.desk).heads_digest(town.book) == Exchange(town.hub).heads_digest(town.book)
    town.assert_alive()


def test_a_flood_of_chains_ends_at_the_limit(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.node.books.CHAINS_PER_BOOK_MAX", 5)
    chains = [town.attacker.another_chain() for _ in range(6)]
    answer = town.attacker.send(*chains)
    assert [reason for _, _, reason in answer.refused] == ["too-many-chains"] * 4
    town.assert_alive()


def test_another_chain_may_not_claim_a_number_or_a_predecessor_out_of_range(town: Town) -> None:
    own = tuple(town.kiosk.identity.certificates)
    for certified in (
        ChainCertified(own, bytes(32), 1 << 40),
        ChainCertified(own, bytes(32), nonce=bytes(17)),
        ChainCertified(own, bytes(31)),
        ChainCertified(own, bytes(32), 1, (b"abc",)),
        ChainCertified(own * 5, bytes(32)),
        ChainCertified((), bytes(32)),
    ):
        frame = town.attacker.frame_of([entry(certified)], incarnation=os.urandom(16))
        answer = town.attacker.send(frame)
        assert [reason for _, _, reason in answer.refused] == ["certificate-missing"]
    town.assert_alive()


def test_a_reservation_of_another_venues_book_is_not_found_here(town: Town) -> None:
    with pytest.raises(NotFound):
        town.hub.reservations.find("RES-2027-ZZZZZZ")
