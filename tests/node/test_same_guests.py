"""Two agent ids of one person: merged, asked for as one, forgotten as one, taken apart again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import Forbidden, Invalid, RoleForbidden, RuleViolated
from holdfast.model.events import GuestMerged
from holdfast.model.limits import AGENTS_PER_CONTACT_MAX, AGENTS_PER_PERSON_MAX
from holdfast.model.pseudonyms import agent_id
from holdfast.model.restrictions import BAN, MAX_CONCURRENT
from holdfast.node import (
    guest_desk,
    guest_details,
    guest_history,
    guest_marks,
    guest_notes,
    guest_terms,
    restricting,
    same_guests,
)
from holdfast.node.audit import audit_entries
from holdfast.node.duplicate_guests import duplicates
from holdfast.node.requests import CreateRequest
from holdfast.node.service import Service
from tests.kit import HOTEL, TRATTORIA, Fleet, exchange_once

MAIL = "ann@example.org"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Fleet]:
    """A hub, two front desks and a kiosk; each desk sells a table of its own."""
    allotments = [{"holder": "desk", "resources": ["T1"]}, {"holder": "bar", "resources": ["T2"]}]
    with Fleet(tmp_path, TRATTORIA | {"allotments": allotments}) as fleet:
        fleet.join("desk")
        fleet.join("bar")
        fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        yield fleet


def person(town: Fleet, user: str) -> str:
    return agent_id(town.the_hub.identity.pseudonym_key, user)


def who(town: Fleet, *users: str) -> tuple[str, ...]:
    return tuple(person(town, user) for user in users)


def one_person(town: Fleet, device: Service, agent: str) -> set[str]:
    with device.lock:
        return set(same_guests.agents_of(device, town.book, agent))


def everywhere(town: Fleet) -> list[Service]:
    return [town.the_hub, *town.nodes.values()]


def visit(town: Fleet, at: Service, time: str, user: str, **more: Any) -> Any:
    table = "T1" if at.name == "desk" else "T2"
    view = town.reserve(at, time, [table], user_id=user, **more)
    at.reservations.check_in(view.code)
    return at.reservations.complete(view.code)


# --- one and the same answer everywhere -----------------------------------------------------------


def test_merged_both_ways_apart_it_is_one_person_everywhere(town: Fleet):
    """A is B at one desk, B is A at the other, offline: nobody is the first."""
    a, b = who(town, "a", "b")
    town.cut("desk", "bar")
    same_guests.merge(town.nodes["desk"], a, b)
    same_guests.merge(town.nodes["bar"], b, a)
    town.heal()
    town.sync_all()
    for device in everywhere(town):
        assert one_person(town, device, a) == one_person(town, device, b) == {a, b}
    shown = [same_guests.person_at(device, town.book, a) for device in everywhere(town)]
    assert all(one == shown[0] for one in shown)
    assert [one["by"] for one in shown[0]["merges"]] in (["desk", "bar"], ["bar", "desk"])
    town.assert_agree()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_chain_of_merges_is_one_person_in_whatever_order_it_comes(
    town: Fleet, order: tuple[int, ...]
):
    a, b, c, d = who(town, "a", "b", "c", "d")
    pairs = [(a, b), (c, d), (d, b)]
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    town.cut("bar")
    for place, at in zip(order, (desk, bar, desk), strict=True):
        same_guests.merge(at, *pairs[place])
    town.heal()
    town.sync_all()
    for device, agent in itertools.product(everywhere(town), (a, b, c, d)):
        assert one_person(town, device, agent) == {a, b, c, d}


def test_taken_back_they_are_two_again_and_a_merge_nobody_knew_of_stands(town: Fleet):
    a, b = who(town, "a", "b")
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    same_guests.merge(desk, a, b)
    before = desk.tip(town.book)
    same_guests.merge(desk, b, a)
    assert desk.tip(town.book) == before
    town.sync_all()
    same_guests.unmerge(bar, b, a)
    town.sync_all()
    for device in everywhere(town):
        assert one_person(town, device, a) == {a}
    # Apart: one takes a merge back, the other says it anew.
    same_guests.merge(desk, a, b)
    town.sync_all()
    town.cut("desk", "bar")
    same_guests.unmerge(desk, a)
    same_guests.unmerge(bar, a)
    same_guests.merge(bar, a, b)
    town.heal()
    town.sync_all()
    for device in everywhere(town):
        assert one_person(town, device, a) == {a, b}


def test_who_is_one_by_way_of_another_is_told_so(town: Fleet):
    a, b, c = who(town, "a", "b", "c")
    desk = town.nodes["desk"]
    same_guests.merge(desk, a, b)
    same_guests.merge(desk, b, c)
    with pytest.raises(RuleViolated, match=b):
        same_guests.unmerge(desk, a, c)
    assert one_person(town, desk, a) == {a, b, c}
    shown = same_guests.unmerge(desk, b)
    assert (shown["agent_ids"], shown["merges"]) == ([b], [])
    assert one_person(town, desk, a) == {a}


def test_who_cannot_be_merged(town: Fleet):
    (a,) = who(town, "a")
    desk = town.nodes["desk"]
    for other in (a, "ann", "", "agent_x"):
        with pytest.raises(Invalid):
            same_guests.merge(desk, a, other)
    for number in range(AGENTS_PER_PERSON_MAX - 1):
        same_guests.merge(desk, a, person(town, f"walk-in {number}"))
    with pytest.raises(RuleViolated, match="64"):
        same_guests.merge(desk, person(town, "one more"), a)


def test_a_kiosk_merges_nobody(town: Fleet):
    kiosk = town.nodes["kiosk"]
    a, b = who(town, "a", "b")
    for ask in (same_guests.merge, same_guests.unmerge):
        with pytest.raises(Forbidden):
            ask(kiosk, a, b)
    with pytest.raises(RoleForbidden), kiosk.transaction():
        kiosk.append(town.book, GuestMerged(a, b))


def test_the_audit_shows_both_and_a_fold_from_the_journal_agrees(town: Fleet):
    a, b = who(town, "a", "b")
    desk = town.nodes["desk"]
    same_guests.merge(desk, a, b)
    same_guests.unmerge(desk, a, b)
    told = [one for one in audit_entries(desk, limit=500)[0] if one["kind"].endswith("merged")]
    assert [one["kind"] for one in told] == ["guest.merged", "guest.unmerged"]
    assert {(one["after"]["agent_id"], one["after"]["other"]) for one in told} == {(a, b)}
    same_guests.merge(desk, a, b)
    desk.refold(town.book)
    assert one_person(town, desk, b) == {a, b}
    assert one_person(town, town.reopen("desk"), b) == {a, b}


def test_what_a_desk_says_after_it_was_shut_out_merges_nobody(town: Fleet):
    a, b, c = who(town, "a", "b", "c")
    bar = town.nodes["bar"]
    same_guests.merge(bar, a, b)
    town.sync_all()
    town.the_hub.admission.revoke("bar", "stolen")
    same_guests.merge(bar, b, c)
    guest_marks.set_flag(bar, c, "issue", True)
    guest_notes.add(bar, c, "general", "said by a thief", alert=True)
    # It is refused itself; somebody passes on what it wrote.
    exchange_once(town.nodes["desk"], bar)
    town.sync(town.nodes["desk"])
    desk = town.nodes["desk"]
    assert guest_notes.alerts_at(desk, town.book, c) == []
    assert not guest_marks.flags(desk, c)["issue"]["up"]
    for device in (town.the_hub, town.nodes["desk"]):
        assert one_person(town, device, c) == {c}
        assert one_person(town, device, a) == {a, b}


# --- what covers both -----------------------------------------------------------------------------


def test_history_notes_flags_and_details_are_of_both(town: Fleet):
    """H-24: and of each alone again when they are taken apart."""
    a, b = who(town, "a", "b")
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    visit(town, desk, "12:00", "a", guest={"name": "Ann Smith", "email": MAIL})
    town.clocks.advance(seconds=1)  # Which card is the newest is not to hang on the devices' ids.
    visit(town, bar, "15:00", "b", guest={"name": "A. Smith", "email": MAIL.upper()})
    guest_notes.add(bar, b, "general", "of b", alert=True)
    guest_marks.set_flag(bar, b, "vip", True)
    guest_details.describe(bar, b, {"language": "it"})
    town.sync_all()
    assert guest_history.history(desk, a)["visits"] == 1
    same_guests.merge(desk, a, b)
    for agent in (a, b):
        assert guest_history.history(desk, agent)["visits"] == 2
        assert len(guest_history.reservations(desk, agent)[0]) == 2
        assert [one["text"] for one in guest_notes.alerts_at(desk, town.book, agent)] == ["of b"]
        assert guest_marks.flags(desk, agent)["vip"]["up"]
        assert guest_details.details(desk, agent)["language"] == "it"
        ((_, card, views),) = guest_desk.show(desk, agent)
        assert (card["name"], len(views)) == ("A. Smith", 2)
        (venue,) = guest_desk.export(desk, agent)["venues"]
        assert {one["guest"]["name"] for one in venue["cards"]} == {"Ann Smith", "A. Smith"}
        assert len(venue["reservations"]) == 2
    # Looked for, they are one guest too.
    (found,) = guest_desk.find(desk, "smith")
    assert found["reservations"] == 2
    same_guests.unmerge(desk, b)
    assert guest_history.history(desk, a)["visits"] == 1
    assert not guest_marks.flags(desk, a)["vip"]["up"]
    assert guest_notes.alerts_at(desk, town.book, a) == []
    assert len(guest_desk.find(desk, "smith")) == 2


def test_the_strictest_restriction_binds_both(town: Fleet):
    a, b = who(town, "a", "b")
    desk, bar, kiosk = (town.nodes[name] for name in ("desk", "bar", "kiosk"))
    guest_terms.restrict(desk, a, MAX_CONCURRENT, "no_shows", value=5)
    guest_terms.restrict(bar, b, MAX_CONCURRENT, "no_shows", value=2)
    town.reserve(desk, "19:30", user_id="a")
    town.reserve(bar, "19:30", user_id="b")
    town.sync_all()
    same_guests.merge(bar, a, b)
    town.sync_all()
    for device in (desk, bar, kiosk, town.the_hub):
        for user in ("a", "b"):
            with pytest.raises(RuleViolated, match="may have 2"):
                town.reserve(device, "21:30", user_id=user)
        assert len(guest_terms.listed(device, a)) == 2
    ban = guest_terms.restrict(desk, b, BAN, "no_shows")
    with pytest.raises(Forbidden):
        town.reserve(desk, "21:30", user_id="a")
    assert guest_terms.lift(desk, ban, "paid", agent=a) == ban
    same_guests.unmerge(desk, a, b)
    assert town.reserve(desk, "21:30", user_id="a").code


def test_a_merge_that_comes_late_binds_from_then_on_and_undoes_nothing(town: Fleet):
    a, b = who(town, "a", "b")
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    guest_terms.restrict(desk, a, BAN, "no_shows")
    town.sync_all()
    town.cut("bar")
    made = town.reserve(bar, "19:30", ["T2"], user_id="b")
    same_guests.merge(desk, a, b)
    town.heal()
    town.sync_all()
    assert set(town.shown(made).values()) == {"confirmed"}
    with pytest.raises(Forbidden):
        town.reserve(bar, "21:30", ["T2"], user_id="b")
    with bar.lock:
        assert [one.agent_id for one in restricting.in_force(bar, town.book, b)] == [a]


# --- forgotten ------------------------------------------------------------------------------------


def test_whoever_is_forgotten_takes_the_other_along(town: Fleet):
    """On every device: cards, notes and details of both, by whichever id was asked for."""
    a, b = who(town, "a", "b")
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    town.reserve(desk, "19:30", user_id="a", guest={"name": "Ann Smith", "email": MAIL})
    town.reserve(bar, "19:30", user_id="b", guest={"name": "A. Smith", "email": MAIL})
    guest_notes.add(bar, b, "general", "of b")
    town.sync_all()
    same_guests.merge(desk, a, b)
    town.sync_all()
    items = town.the_hub.forgetting.erase(a, "guest_request")
    assert {one["agent_id"] for one in items} == {a, b}
    town.sync_all()
    for device in everywhere(town):
        for agent in (a, b):
            placed = device.store.cards.placed_of(town.book, agent)
            assert placed
            assert not any(device.store.cards.keys(town.book, one.id) for one in placed)
    for agent in (a, b):
        assert len(desk.forgetting.report(agent)) == 1
        (venue,) = guest_desk.export(desk, agent)["venues"]
        assert {one["state"] for one in venue["cards"]} == {"erased"}
        assert len(venue["erasures"]) == 2
    assert guest_desk.find(desk, "smith") == []
    assert duplicates(desk, limit=10) == []


def test_at_the_hub_who_was_merged_at_one_venue_is_forgotten_at_all(town: Fleet):
    """Agent ids are the tenant's: whoever the one house knows as two is one person at the other."""
    a, b = who(town, "a", "b")
    town.the_hub.import_venue(HOTEL)
    front = town.join("front", venue="hotel")
    front.sync()
    stay = front.reservations.create(
        CreateRequest(
            venue="hotel", starts_at="2027-06-03", nights=2, party_size=2, user_id="b",
            guest={"name": "A. Smith"},
        )
    )  # fmt: skip
    town.reserve(town.nodes["desk"], "19:30", user_id="a", guest={"name": "Ann Smith"})
    same_guests.merge(town.nodes["desk"], a, b)
    town.sync_all()
    items = town.the_hub.forgetting.erase(a, "guest_request")
    assert {(one["agent_id"], one["venue"]) for one in items} >= {
        (a, "trattoria"), (b, "hotel")
    }  # fmt: skip
    town.sync_all()
    (placed,) = front.store.cards.placed_of(stay.book, b)
    assert front.store.cards.keys(stay.book, placed.id) == []
    assert guest_desk.find(front, "smith") == []


def test_a_merge_that_is_heard_of_after_an_erasure_destroys_nothing(town: Fleet):
    """What is destroyed cannot be brought back, and a merge can be taken back: a person says who
    else is to be forgotten. Until then it is shown that the one was."""
    a, b = who(town, "a", "b")
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    town.reserve(desk, "19:30", user_id="a", guest={"name": "Ann Smith"})
    town.reserve(bar, "19:30", user_id="b", guest={"name": "A. Smith"})
    town.sync_all()
    town.cut("bar")
    same_guests.merge(bar, a, b)
    desk.forgetting.erase(a, "guest_request")
    town.heal()
    town.sync_all()
    for device in (desk, bar):
        ((_, card, _),) = guest_desk.show(device, a)
        assert card == {"name": "A. Smith"}
        assert guest_desk.known_at(device, town.book, b)["erased"] == [a]
    bar.forgetting.erase(b, "guest_request")
    town.sync_all()
    for device in (desk, bar):
        assert guest_desk.known_at(device, town.book, a)["erased"] == sorted([a, b])
        ((_, card, _),) = guest_desk.show(device, b)
        assert card == {}


# --- duplicates -----------------------------------------------------------------------------------


def pairs(device: Service) -> list[tuple[list[str], list[str]]]:
    found = duplicates(device, limit=50)
    return [([one["agent_id"] for one in pair["guests"]], pair["by"]) for pair in found]


def test_the_same_address_from_two_nodes_is_found_and_merged_to_one_guest(town: Fleet):
    """H-24: in any spelling of number and address; a name alone makes nobody the same."""
    a, b, c = who(town, "a", "b", "c")
    desk, bar = town.nodes["desk"], town.nodes["bar"]
    town.cut("desk", "bar")
    town.reserve(desk, "19:30", user_id="a", guest={"name": "Ann Smith", "email": MAIL})
    town.reserve(bar, "19:30", user_id="b", guest={"name": "Anna", "email": "ANN@Example.org"})
    town.reserve(bar, "21:30", user_id="c", guest={"name": "Ann Smith", "phone": "+39 06 123 4567"})
    town.heal()
    town.sync_all()
    town.cut("desk")
    assert pairs(desk) == [(sorted([a, b]), ["email"])]
    same_guests.merge(desk, a, b)
    assert pairs(desk) == []
    same_guests.unmerge(desk, a, b)
    assert pairs(desk) == [(sorted([a, b]), ["email"])]
    town.reserve(desk, "21:30", user_id="b", guest={"phone": "0039 061234567", "email": MAIL})
    both = [(sorted([a, b]), ["email"]), (sorted([b, c]), ["phone"])]
    assert pairs(desk) == sorted(both)
    first = duplicates(desk, limit=1)
    ends = first[0]["guests"]
    rest = duplicates(desk, limit=1, after=(ends[0]["agent_id"], ends[1]["agent_id"]))
    assert len(first) == len(rest) == 1
    assert first != rest
    assert {one["guest"].get("name") for one in first[0]["guests"]} <= {"Ann Smith", "Anna", None}


def test_a_number_that_everybody_has_makes_no_duplicates(town: Fleet):
    desk = town.nodes["desk"]
    for number in range(AGENTS_PER_CONTACT_MAX + 1):
        hour, half = divmod(number, 2)
        town.reserve(
            desk, f"{9 + hour:02d}:{half * 30:02d}", user_id=f"u{number}",
            guest={"phone": "0000000000000001"},
        )  # fmt: skip
    assert pairs(desk) == []


@pytest.mark.parametrize("name", ["hub", "kiosk"])
def test_who_reads_no_card_finds_no_duplicates(town: Fleet, name: str):
    device = town.the_hub if name == "hub" else town.nodes[name]
    with pytest.raises(Forbidden, match="key"):
        duplicates(device, limit=10)
