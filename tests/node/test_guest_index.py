"""Guests at the desk: found through an index that keeps no word, shown, handed over."""

from __future__ import annotations

import json

import pytest

from holdfast.model.errors import Forbidden, Invalid, NotFound, RuleViolated, StorageFull
from holdfast.model.guest_words import words_of_card
from holdfast.node import guest_desk, upkeep
from holdfast.node.audit import audit_entries
from holdfast.node.guest_index import index_key, token
from holdfast.node.node import Node
from holdfast.node.requests import PatchRequest
from holdfast.node.service import Service
from tests.kit import Fleet
from tests.node.test_forgetting import book, restored

ANN = {"name": "Ann Smith", "phone": "+44 20 7946 0018", "email": "ann@example.org"}
ANNA = {"name": "Anna Müller", "phone": "055 123456", "requests": "a window"}


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    fleet.join("desk")
    fleet.join("bar")
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    book(fleet, "kiosk", "ann", "19:00", ANN)
    book(fleet, "desk", "anna", "19:30", ANNA)
    fleet.sync_all()
    return fleet


def names(replica: Service, text: str) -> list[str]:
    return [one["guest"]["name"] for one in guest_desk.find(replica, text)]


@pytest.mark.parametrize("where", ["desk", "bar"])
def test_a_guest_is_found_at_every_desk(town: Fleet, where: str):
    desk = town.nodes[where]
    assert names(desk, "ann") == ["Ann Smith", "Anna Müller"], "the exact one first"
    assert names(desk, "MULLER") == ["Anna Müller"]
    assert names(desk, "020 7946 0018") == ["Ann Smith"]
    assert names(desk, "ann@example.org") == ["Ann Smith"]
    assert names(desk, "nobody") == []
    (found,) = guest_desk.find(desk, "+39 055 123456")
    assert found["fit"] == "exact" and found["reservations"] == 1 and found["last_code"]


@pytest.mark.parametrize("where", ["kiosk", "hub"])
def test_who_holds_no_key_finds_and_shows_nobody_and_says_where_to_go(town: Fleet, where: str):
    replica: Service = town.the_hub if where == "hub" else town.nodes[where]
    agent = guest_desk.find(town.nodes["desk"], "ann")[0]["agent_id"]
    for ask in (guest_desk.find, guest_desk.show, guest_desk.export):
        with pytest.raises(Forbidden, match="front desk"):
            ask(replica, agent)
    count = replica.store.db.conn.execute("SELECT count(*) FROM guest_words").fetchone()[0]
    assert count == 0


def test_a_text_without_a_word_is_refused_without_repeating_it(town: Fleet):
    with pytest.raises(Invalid) as caught:
        guest_desk.find(town.nodes["desk"], "¡¿")
    assert "¡" not in str(caught.value)


def test_nothing_in_the_index_can_be_read_or_tried_without_the_venues_key(town: Fleet):
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    names(desk, "ann")
    names(bar, "ann")
    rows = [
        {row[0] for row in r.store.db.conn.execute("SELECT token FROM guest_words")}
        for r in (desk, bar)
    ]
    assert rows[0] == rows[1], "the same key, the same rows"
    private = desk.cards.keys.private_key()
    assert private is not None
    words = words_of_card(ANN) | words_of_card(ANNA)
    key = index_key(private, town.book)
    assert rows[0] == {token(key, word) for word in words}
    assert not rows[0] & {token(index_key(private, "demo/other"), word) for word in words}
    assert not rows[0] & {word.encode()[:8] for word in words}


def test_every_version_of_a_card_finds_and_the_newest_is_shown(town: Fleet):
    desk = town.nodes["desk"]
    (before,) = guest_desk.find(desk, "muller")
    desk.reservations.amend(before["last_code"], PatchRequest(guest={"name": "Anna Rossi"}))
    assert names(desk, "muller") == names(desk, "rossi") == ["Anna Rossi"]
    agent = before["agent_id"]
    ((_, card, views),) = guest_desk.show(desk, agent)
    assert card == {"name": "Anna Rossi"} and len(views) == 1


def test_who_was_forgotten_is_found_no_more(town: Fleet):
    desk = town.nodes["desk"]
    agent = guest_desk.find(desk, "smith")[0]["agent_id"]
    names(town.nodes["bar"], "ann")
    desk.forgetting.erase(agent, "guest_request")
    town.sync_all()
    for where in ("desk", "bar"):
        assert names(town.nodes[where], "ann") == ["Anna Müller"]
        left = town.nodes[where].store.db.conn.execute("SELECT count(*) FROM guest_words")
        assert left.fetchone()[0] == len(words_of_card(ANNA))
    ((_, card, views),) = guest_desk.show(desk, agent)
    assert card == {} and len(views) == 1


def test_the_index_keeps_up_in_bounded_steps_and_a_search_waits_for_the_rest(town: Fleet):
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    for n in range(8):
        book(town, "desk", f"g{n}", f"{8 + n:02}:00", {"name": f"Guest Number{n}"})
    town.sync_all()
    desk.store.cards.clear_words(town.book)
    assert desk.cards.index.keep_up(town.book, 3) == 3
    assert len(names(desk, "guest")) == 8
    assert bar.cards.index.keep_up(town.book) == 0, "what came with exchanges is in it already"


def test_a_card_whose_key_comes_later_is_found_then(town: Fleet):
    desk = town.nodes["desk"]
    view = book(town, "kiosk", "late", "20:00", {"name": "Late Comer"})
    assert view.card is not None
    town.sync_all()
    (key,) = desk.store.cards.keys(town.book, view.card.id)
    with desk.transaction():
        desk.store.cards.destroy_keys(town.book, view.card.id)
        desk.store.cards.clear_words(town.book)
    assert names(desk, "comer") == []
    with desk.transaction():
        assert desk.store.cards.put_key(*key[2:])
        desk.store.cards.try_again(town.book, key.id)
    assert names(desk, "comer") == ["Late Comer"]


def test_another_key_of_the_venue_makes_another_index(town: Fleet):
    desk = town.nodes["desk"]
    names(desk, "ann")
    before = {row[0] for row in desk.store.db.conn.execute("SELECT token FROM guest_words")}
    desk.cards.keys.rotate(town.book)
    town.sync_all()
    assert names(desk, "ann") == names(town.nodes["bar"], "ann") == ["Ann Smith", "Anna Müller"]
    after = {row[0] for row in desk.store.db.conn.execute("SELECT token FROM guest_words")}
    assert len(after) == len(before) and not after & before


def test_a_book_that_is_folded_anew_gets_its_index_anew(town: Fleet):
    desk = town.nodes["desk"]
    names(desk, "ann")
    desk.refold(town.book)
    assert names(desk, "ann") == ["Ann Smith", "Anna Müller"]


def test_the_doctor_finds_an_index_that_is_wrong_and_makes_it_anew(town: Fleet):
    desk = town.nodes["desk"]
    names(desk, "ann")

    def look(fix: bool = False) -> upkeep.Check:
        found = upkeep.doctor(desk.directory, fix)
        return next(check for check in found if check.name == "guest index")

    assert look().ok and "2 cards compared" in look().detail
    desk.store.db.conn.execute("DELETE FROM guest_words WHERE token IN"
                               " (SELECT token FROM guest_words LIMIT 1)")  # fmt: skip
    desk.store.db.conn.execute("INSERT INTO guest_words (token, card) VALUES (x'00', 77)")
    assert not look().ok
    assert "in use" in look(fix=True).detail
    town.nodes.pop("desk").close()
    assert "mended" in look(fix=True).detail
    town.open("desk", desk.directory)
    desk = town.nodes["desk"]
    assert names(desk, "ann") == ["Ann Smith", "Anna Müller"]
    assert "2 cards compared" in look().detail


def test_a_restored_desk_shows_nobody_and_says_what_to_do(town: Fleet):
    upkeep.backup(town.nodes["desk"], town.directory / "desk.backup")
    town.cut("desk")
    desk = restored(town, "desk", town.directory / "desk.backup")
    with pytest.raises(RuleViolated, match="sync now"):
        guest_desk.find(desk, "ann")
    town.heal()
    town.sync_all()
    assert names(desk, "ann") == ["Ann Smith", "Anna Müller"]


def test_what_is_known_of_a_guest_is_handed_over_whole_and_that_is_audited(town: Fleet):
    desk = town.nodes["desk"]
    found = guest_desk.find(desk, "muller")[0]
    agent, code = found["agent_id"], found["last_code"]
    desk.reservations.amend(code, PatchRequest(guest={"name": "Anna Rossi"}, party_size=1))
    desk.reservations.cancel(code, "personal_reasons", note="she is ill")
    ((_, card, _),) = guest_desk.show(desk, agent)
    assert card == {"name": "Anna Rossi"}, "what the house noted is none of the guest's words"
    document = guest_desk.export(desk, agent)
    assert json.loads(json.dumps(document)) == document
    assert (document["format"], document["version"]) == ("holdfast-guest-export", 1)
    (venue,) = document["venues"]
    assert [one["guest"] for one in venue["cards"]] == [
        ANNA, {"name": "Anna Rossi"}, {"note": "she is ill"}
    ]  # fmt: skip
    assert {one["state"] for one in venue["cards"]} == {"readable"}
    (reservation,) = venue["reservations"]
    assert reservation["code"] == code
    assert {"reservation.created", "reservation.amended", "reservation.cancelled"} <= {
        one["kind"] for one in reservation["changes"]
    }
    items, _ = audit_entries(town.the_hub, limit=500)
    assert "guest.exported" not in {one["kind"] for one in items}
    town.sync_all()
    items, _ = audit_entries(town.the_hub, limit=500)
    (noted,) = [one for one in items if one["kind"] == "guest.exported"]
    assert (noted["node"], noted["after"]) == ("desk", {"agent_id": agent})

    desk.forgetting.erase(agent, "guest_request")
    (venue,) = guest_desk.export(desk, agent)["venues"]
    assert {one["state"] for one in venue["cards"]} == {"erased"}
    assert [one["guest"] for one in venue["cards"]] == [None] * 3
    assert venue["erasures"][0]["reason"] == "guest_request"


def exports(node: Node) -> int:
    items, _ = audit_entries(node, limit=500)
    return sum(one["kind"] == "guest.exported" for one in items)


def test_one_entry_stands_for_what_one_caller_takes_out_within_ten_minutes(town: Fleet):
    desk = town.nodes["desk"]
    agent, other = (guest_desk.find(desk, name)[0]["agent_id"] for name in ("muller", "smith"))
    for minutes, entries in ((0, 1), (5, 1), (4, 1), (2, 2), (9, 2), (2, 3)):
        town.clocks.advance(minutes=minutes)
        assert guest_desk.export(desk, agent, "token")["venues"]
        assert exports(desk) == entries, minutes
    guest_desk.export(desk, agent, "another token")
    guest_desk.export(desk, other, "token")
    assert exports(desk) == 5
    # A wall clock that is set back or forth makes no difference, a restart costs an entry.
    town.clocks.off_ms["desk"] = -86_400_000.0
    guest_desk.export(desk, agent, "token")
    assert exports(desk) == 5
    desk = town.reopen("desk")  # type: ignore[assignment]
    guest_desk.export(desk, agent, "token")
    assert exports(desk) == 6


def test_what_could_not_be_noted_is_not_handed_over(town: Fleet, monkeypatch: pytest.MonkeyPatch):
    desk = town.nodes["desk"]
    agent = guest_desk.find(desk, "muller")[0]["agent_id"]

    def full(*_: object, **__: object) -> None:
        raise StorageFull("the disk is full")

    monkeypatch.setattr(desk, "append", full)
    for _ in range(2):
        with pytest.raises(StorageFull):
            guest_desk.export(desk, agent, "token")
    monkeypatch.undo()
    assert guest_desk.export(desk, agent, "token")["venues"]
    assert exports(desk) == 1, "what was refused counts as noted by nobody"


def test_nobody_is_handed_over_of_whom_nothing_is_known(town: Fleet):
    before = town.nodes["desk"].tip(town.book)
    with pytest.raises(NotFound):
        guest_desk.export(town.nodes["desk"], "agent_" + "0" * 32)
    assert town.nodes["desk"].tip(town.book) == before
