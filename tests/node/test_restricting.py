"""Who may not reserve: banned at one device, refused at the others, and let in again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import (
    Forbidden,
    HoldfastError,
    Invalid,
    NotAvailable,
    NotFound,
    RoleForbidden,
    RuleViolated,
)
from holdfast.model.pseudonyms import agent_id
from holdfast.model.restrictions import BAN, DISCREET, MAX_ADVANCE, MAX_CONCURRENT
from holdfast.node import guest_desk, guest_terms, restricting
from holdfast.node.audit import audit_entries
from holdfast.node.doctor import doctor
from holdfast.node.restricting import Asking
from holdfast.node.service import Service
from tests.kit import DAY, NEXT_DAY, TRATTORIA, Fleet, exchange_once

SCREEN = Asking(told=False)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Fleet]:
    """A hub, a front desk and a kiosk, each with a table of its own to sell."""
    allotments = [{"holder": "desk", "resources": ["T1"]}, {"holder": "kiosk", "resources": ["T2"]}]
    with Fleet(tmp_path, TRATTORIA | {"allotments": allotments}) as fleet:
        fleet.join("desk")
        fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        yield fleet


def ann(town: Fleet) -> str:
    return agent_id(town.the_hub.identity.pseudonym_key, "ann")


def restrict(town: Fleet, at: str = "desk", kind: str = BAN, **more: Any) -> str:
    more.setdefault("reason", "no_shows")
    return guest_terms.restrict(replica(town, at), ann(town), kind, more.pop("reason"), **more)


def replica(town: Fleet, name: str) -> Service:
    return town.the_hub if name == "hub" else town.nodes[name]


def everywhere(town: Fleet) -> list[Service]:
    return [town.the_hub, *town.nodes.values()]


def reserve(town: Fleet, at: Service, time: str = "19:30", user: str = "ann", **more: Any) -> Any:
    return town.reserve(at, time, [], user_id=user, **more)


def refused(town: Fleet, at: Service, time: str = "19:30", **more: Any) -> HoldfastError:
    with pytest.raises((Forbidden, RuleViolated)) as said:
        reserve(town, at, time, **more)
    return said.value


# --- a ban ----------------------------------------------------------------------------------------


def test_banned_at_the_desk_refused_at_every_device_once_it_heard(town: Fleet):
    """Offline as well; somebody else, and a walk-in whom nobody knows, are taken as ever."""
    town.cut("kiosk")
    ban = restrict(town)
    assert refused(town, town.nodes["desk"]).extra["restriction"] == ban
    heard_nothing = reserve(town, town.nodes["kiosk"])
    assert heard_nothing.status == "confirmed"

    town.heal()
    town.sync_all()
    town.cut("desk", "kiosk")
    for device in everywhere(town):
        error = refused(town, device, "21:00")
        assert isinstance(error, Forbidden)
        assert error.extra == {"reason": "no_shows", "restriction": ban, "until": None}
        for part in ("Trattoria da Mario", "no shows", "supervisor", f"guests lift {ban}"):
            assert part in error.detail
        assert reserve(town, device, "21:00", user="bob").code
        with contextlib.suppress(HoldfastError):
            town.reserve(device, "21:00")
    # What the kiosk sold before it heard stands, everywhere.
    town.heal()
    town.sync_all()
    assert set(town.shown(heard_nothing).values()) == {"confirmed"}
    town.assert_agree()


def test_lifted_at_the_hub_let_in_everywhere(town: Fleet):
    ban = restrict(town)
    town.sync_all()
    assert guest_terms.lift(town.the_hub, ban, "paid") == ban
    assert reserve(town, town.the_hub).code
    refused(town, town.nodes["kiosk"])
    town.sync_all()
    for device in everywhere(town):
        assert reserve(town, device, "21:00").code
        (shown,) = guest_terms.listed(device, ann(town))
        assert (shown["state"], shown["by"], shown["reason"]) == ("lifted", "desk", "no_shows")
        assert (shown["lifted"]["by"], shown["lifted"]["reason"]) == ("hub", "paid")
    # Once more changes nothing.
    before = town.the_hub.tip(town.book)
    assert guest_terms.lift(town.the_hub, ban, "other") == ban
    assert town.the_hub.tip(town.book) == before


def test_it_ends_at_its_instant_and_not_before(town: Fleet):
    """On each device by its own clock, whether or not it hears of anything."""
    restrict(town, until=f"{DAY}T12:00:00+02:00")
    town.sync_all()
    town.cut("desk", "kiosk")
    until_ms = restricting.written(town.the_hub, town.book)[0].until_ms
    left_ms = until_ms - town.the_hub.clock.now_ms()
    town.clocks.elapsed_ms += left_ms - 1
    for device in everywhere(town):
        assert refused(town, device, "20:00").extra["until"] == f"{DAY}T12:00:00+02:00"
    town.clocks.elapsed_ms += 1
    for device, time in zip(everywhere(town), ("18:00", "19:30", "21:00"), strict=True):
        assert device.clock.now_ms() == until_ms
        assert reserve(town, device, time).code
        assert [one["state"] for one in guest_terms.listed(device)] == ["expired"]


def test_what_they_have_stays_theirs_and_is_not_moved(town: Fleet):
    """Cancelling, coming and every other change stay possible, and so does a move to nowhere."""
    desk = town.nodes["desk"]
    had = reserve(town, desk)
    restrict(town)
    for changes in ({"time": "21:00"}, {"resources": ["T3"]}, {"party_size": 3}):
        with pytest.raises(Forbidden, match="no reservation for this guest"):
            town.move(desk, had, **changes)
    assert town.move(desk, had, occasion="birthday").occasion == "birthday"
    assert town.move(desk, had, time="19:30", party_size=2).starts_at == had.starts_at
    assert desk.reservations.check_in(had.code).status == "checked_in"
    other = town.reserve(desk, "12:00", user_id="bob")
    with pytest.raises(Forbidden):
        town.move(desk, other, user_id="ann")
    assert desk.reservations.cancel(other.code).status == "cancelled"


def test_who_answers_an_exception_keeps_what_was_promised(town: Fleet):
    """Two devices asked for one table, and who lost it was banned meanwhile."""
    desk, kiosk = town.nodes["desk"], town.nodes["kiosk"]
    town.cut("desk", "kiosk")
    town.reserve(desk, "19:30", ["T3"], user_id="bob")
    town.clocks.advance(minutes=1)
    lost = town.reserve(kiosk, "19:30", ["T3"], user_id="ann")
    restrict(town)
    town.heal()
    town.sync_all()
    assert set(town.shown(lost).values()) == {"commit_failed"}
    with pytest.raises(Forbidden):
        town.move(town.the_hub, lost, resources=["T4"])
    given = town.the_hub.resolve_exception(lost.id, "displaced", "move", "called_guest", ["T4"])
    assert (given.status, [claim.resource for claim in given.live]) == ("confirmed", ["T4"])


def test_a_screen_says_no_more_than_that_one_must_ask(town: Fleet):
    restrict(town)
    desk = town.nodes["desk"]
    with pytest.raises(Forbidden) as said:
        desk.reservations.create(town.request("19:30", user_id="ann"), SCREEN)
    assert (said.value.detail, said.value.extra) == (DISCREET, {})


def test_a_ban_binds_at_the_venue_that_made_it(town: Fleet):
    town.the_hub.import_venue(TRATTORIA | {"venue": "bistro", "name": "Bistro"})
    with pytest.raises(Invalid, match="bistro, trattoria"):
        restrict(town, at="hub")
    restrict(town, at="hub", venue="bistro")
    assert reserve(town, town.the_hub).code
    assert isinstance(refused(town, town.the_hub, venue="bistro"), Forbidden)
    assert guest_terms.listed(town.the_hub, sees=lambda venue: venue == "trattoria") == []


# --- limits ---------------------------------------------------------------------------------------


def test_two_at_a_time_and_the_third_is_refused(town: Fleet):
    limit = restrict(town, kind=MAX_CONCURRENT, value=2)
    town.sync_all()
    desk = town.nodes["desk"]
    first = reserve(town, desk, "12:00")
    reserve(town, desk, "14:00")
    error = refused(town, desk)
    assert [one["rule"] for one in error.extra["violations"]] == ["concurrent"]
    assert limit in error.detail
    assert "2 at a time" in error.detail
    # Moving one is no third; one that was cancelled, or is over, counts no more.
    assert town.move(desk, first, time="10:30").starts_at < first.starts_at
    desk.reservations.cancel(first.code)
    assert reserve(town, desk).code
    refused(town, desk, "16:00")
    # Who stands at the desk asks for nothing to come.
    assert reserve(town, desk, "16:00", kind="walk_in").code
    town.clocks.advance(hours=30)
    # Whoever sits there still has it until its end.
    refused(town, desk, f"{NEXT_DAY}T19:30")
    town.clocks.advance(hours=2)
    assert reserve(town, desk, f"{NEXT_DAY}T19:30").code
    other = town.reserve(desk, f"{NEXT_DAY}T12:00", user_id="bob")
    with pytest.raises(RuleViolated, match="2 at a time"):
        town.move(desk, other, user_id="ann")


def test_so_many_days_ahead_and_not_one_more(town: Fleet):
    restrict(town, kind=MAX_ADVANCE, value=1)
    desk = town.nodes["desk"]
    assert reserve(town, desk, f"{DAY}T19:30").code
    error = refused(town, desk, f"{NEXT_DAY}T19:30")
    assert [one["rule"] for one in error.extra["violations"]] == ["advance"]
    had = reserve(town, desk, f"{DAY}T12:00")
    with pytest.raises(RuleViolated, match="too far ahead for this guest"):
        town.move(desk, had, time=f"{NEXT_DAY}T12:00")
    other = town.reserve(desk, f"{NEXT_DAY}T12:00", user_id="bob")
    with pytest.raises(RuleViolated, match="too far ahead for this guest"):
        town.move(desk, other, user_id="ann")
    town.clocks.advance(hours=24)
    assert reserve(town, desk, f"{NEXT_DAY}T19:30").code


def test_nobody_is_offered_a_day_that_is_too_far_ahead_for_them(town: Fleet):
    restrict(town, kind=MAX_ADVANCE, value=1)
    desk = town.nodes["desk"]
    tables = ["T1", "T2", "T3", "T4"]
    for hour in range(8, 24, 2):
        town.reserve(desk, f"{DAY}T{hour:02}:00", tables, 4, kind="house", duration_minutes=120)
    for user, offered in (("ann", {DAY[:-1] + "2"}), ("bob", {DAY[:-1] + "2", NEXT_DAY})):
        with pytest.raises(NotAvailable) as full:
            reserve(town, desk, "19:30", user)
        slots = full.value.extra["alternatives"]
        assert {slot["starts_at"][:10] for slot in slots} == offered
        assert reserve(town, desk, slots[0]["starts_at"], user).code


def test_a_screen_is_told_no_numbers_either(town: Fleet):
    restrict(town, kind=MAX_ADVANCE, value=0)
    restrict(town, kind=MAX_CONCURRENT, value=1)
    desk = town.nodes["desk"]
    reserve(town, desk, "2027-06-02T19:30")
    with pytest.raises(RuleViolated) as said:
        desk.reservations.create(town.request("19:30", user_id="ann"), SCREEN)
    assert said.value.detail == DISCREET
    assert said.value.extra["violations"] == [{"rule": "person", "message": DISCREET}]


# --- what can be said -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "needs-approval"}, "restriction"),
        ({"value": 3}, "value"),
        ({"kind": MAX_CONCURRENT}, "value"),
        ({"kind": MAX_CONCURRENT, "value": 0}, "value"),
        ({"kind": MAX_ADVANCE, "value": -1}, "value"),
        ({"kind": MAX_ADVANCE, "value": 1 << 40}, "value"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "2027-06-02"}, "until"),
        ({"reason": "Ann Smith"}, "reason"),
    ],
)
def test_what_cannot_be_understood_is_said_by_its_field(
    town: Fleet, changes: dict[str, Any], field: str
):
    with pytest.raises(Invalid) as said:
        restrict(town, **changes)
    assert [one["field"] for one in said.value.extra["errors"]] == [field]
    assert "Ann" not in said.value.detail
    assert guest_terms.listed(town.nodes["desk"]) == []


def test_a_date_stands_for_the_midnight_that_it_begins_with(town: Fleet):
    restrict(town, until=NEXT_DAY)
    (shown,) = guest_terms.listed(town.nodes["desk"], ann(town))
    assert shown["until"] == f"{NEXT_DAY}T00:00:00+02:00"


def test_nobody_has_more_restrictions_than_can_be_read(town: Fleet, monkeypatch):
    monkeypatch.setattr(guest_terms, "RESTRICTIONS_PER_GUEST_MAX", 2)
    first = restrict(town)
    restrict(town)
    with pytest.raises(RuleViolated, match="lift one"):
        restrict(town)
    guest_terms.lift(town.nodes["desk"], first, "replaced")
    assert restrict(town)


@pytest.mark.parametrize("known", ["", "00", "0" * 32, "xyz"])
def test_what_is_not_known_cannot_be_lifted(town: Fleet, known: str):
    with pytest.raises(NotFound, match="guests restrictions"):
        guest_terms.lift(town.nodes["desk"], known, "paid")


def test_only_a_restriction_of_the_person_named_is_lifted(town: Fleet):
    ban = restrict(town)
    with pytest.raises(NotFound):
        guest_terms.lift(town.nodes["desk"], ban, "paid", agent="agent_" + "0" * 32)
    guest_terms.lift(town.nodes["desk"], ban, "paid", agent=ann(town))
    assert reserve(town, town.nodes["desk"]).code


@pytest.mark.parametrize("do", ["restrict", "lift", "profile"])
def test_nobody_at_a_kiosk_makes_anything_of_a_person(town: Fleet, do: str):
    ban = restrict(town)
    town.sync_all()
    kiosk = town.nodes["kiosk"]
    with pytest.raises(RoleForbidden, match="front-desk, venue-server"):
        if do == "restrict":
            restrict(town, at="kiosk")
        elif do == "lift":
            guest_terms.lift(kiosk, ban, "paid")
        else:
            guest_terms.set_profile(kiosk, ann(town), "gold", [])
    assert [one["state"] for one in guest_terms.listed(kiosk)] == ["in_force"]


# --- tier and tags --------------------------------------------------------------------------------


def test_the_newest_profile_stands_whole_everywhere(town: Fleet):
    desk = town.nodes["desk"]
    nothing: dict[str, Any] = {"tier": None, "tags": [], "by": None, "set_at_ms": None}
    who = {"agent_id": ann(town), "venue": "trattoria"}
    assert guest_terms.profile(desk, ann(town)) == who | nothing
    set_ = guest_terms.set_profile(desk, ann(town), "Gold", ["member", "Regular", "member"])
    assert (set_["tier"], set_["tags"], set_["by"]) == ("gold", ["member", "regular"], "desk")
    town.sync_all()
    town.clocks.advance(seconds=1)
    assert guest_terms.profile(town.nodes["kiosk"], ann(town)) == set_
    guest_terms.set_profile(town.the_hub, ann(town), None, ["trained"])
    town.sync_all()
    for device in everywhere(town):
        found = guest_terms.profile(device, ann(town))
        assert (found["tier"], found["tags"], found["by"]) == (None, ["trained"], "hub")
    # The same once more is no entry.
    before = town.the_hub.tip(town.book)
    guest_terms.set_profile(town.the_hub, ann(town), "", ["trained"])
    assert town.the_hub.tip(town.book) == before


def test_a_venue_file_names_words_of_its_own(town: Fleet):
    """What is taken out of it again stays with whoever has it, and nobody else gets it."""
    words = {"tiers": ["circolo"], "tags": ["licence_b", "vip"]}
    town.the_hub.import_venue(TRATTORIA | {"guests": words})
    town.sync_all()
    desk = town.nodes["desk"]
    set_ = guest_terms.set_profile(desk, ann(town), "Circolo", ["licence b", "member"])
    assert (set_["tier"], set_["tags"]) == ("circolo", ["licence_b", "member"])
    town.the_hub.import_venue(TRATTORIA)
    town.sync_all()
    assert guest_terms.profile(town.the_hub, ann(town)) == set_
    with pytest.raises(Invalid, match="a venue file may name more"):
        guest_terms.set_profile(desk, ann(town), "circolo", [])


def test_a_tier_or_tag_that_the_policies_give_something_can_be_given_to_a_guest(town: Fleet):
    policies = TRATTORIA.get("policies", {}) | {
        "concurrent": 2,
        "tiers": {"club-1": {"concurrent": 4}},
        "tags": {"wine.friend": {"concurrent": 5}},
    }
    town.the_hub.import_venue(TRATTORIA | {"policies": policies})
    town.sync_all()
    set_ = guest_terms.set_profile(town.nodes["desk"], ann(town), "club-1", ["wine.friend"])
    assert (set_["tier"], set_["tags"]) == ("club-1", ["wine.friend"])
    town.sync_all()
    assert guest_terms.profile(town.the_hub, ann(town)) == set_


@pytest.mark.parametrize(
    ("tier", "tags", "field"),
    [
        ("ann_smith", [], "tier"),
        ("gold", ["member", "mario_rossi"], "tags[1]"),
        ("gold", ["member"] * 33 + [str(n) for n in range(33)], "tags"),
    ],
)
def test_a_word_of_ones_own_is_no_tag(town: Fleet, tier: str, tags: list[str], field: str):
    with pytest.raises(Invalid) as said:
        guest_terms.set_profile(town.nodes["desk"], ann(town), tier, tags)
    assert [one["field"] for one in said.value.extra["errors"]] == [field]
    assert "rossi" not in said.value.detail
    assert "smith" not in said.value.detail


# --- what stands beside it ------------------------------------------------------------------------


def test_it_outlasts_restarts_and_folding_anew(town: Fleet):
    kept, lifted = restrict(town), restrict(town, kind=MAX_CONCURRENT, value=3)
    guest_terms.lift(town.nodes["desk"], lifted, "paid")
    guest_terms.set_profile(town.nodes["desk"], ann(town), "gold", ["member"])
    town.sync_all()
    shown = guest_terms.listed(town.nodes["desk"])
    known_as = guest_terms.profile(town.nodes["desk"], ann(town))
    assert [one["id"] for one in shown if one["state"] == "in_force"] == [kept]
    for name in ("desk", "kiosk", "hub"):
        device = town.reopen(name)
        for _ in range(2):
            assert guest_terms.listed(device) == shown
            assert guest_terms.profile(device, ann(town)) == known_as
            device.refold(town.book)


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM restrictions", "UPDATE restriction_lifts SET reason = 'other'",
     "UPDATE guest_profiles SET tags = 'staff'"],
)  # fmt: skip
def test_the_doctor_finds_what_the_record_does_not_say(town: Fleet, statement: str):
    guest_terms.lift(town.nodes["desk"], restrict(town), "paid")
    guest_terms.set_profile(town.nodes["desk"], ann(town), "gold", ["member"])
    desk = town.nodes.pop("desk")

    def looked(*, fix: bool = False) -> Any:
        return next(one for one in doctor(desk.directory, fix) if one.name == "projections")

    assert looked().ok
    desk.store.db.conn.execute(statement)
    desk.close()
    assert not looked().ok
    assert looked(fix=True).ok
    assert looked().ok


def test_who_is_forgotten_stays_restricted_and_what_is_known_is_handed_over(town: Fleet):
    """They are about a pseudonym, and hold codes alone."""
    desk = town.nodes["desk"]
    ban = restrict(town)
    guest_terms.set_profile(desk, ann(town), "gold", [])
    exported = guest_desk.export(desk, ann(town))["venues"][0]
    assert [one["id"] for one in exported["restrictions"]] == [ban]
    assert exported["profile"]["tier"] == "gold"
    desk.forgetting.erase(ann(town), "guest_request")
    town.sync_all()
    for device in everywhere(town):
        assert refused(town, device).extra["restriction"] == ban
    again = guest_desk.export(desk, ann(town))["venues"][0]
    assert (again["restrictions"], again["profile"]) == (
        exported["restrictions"], exported["profile"]
    )  # fmt: skip
    assert len(again["erasures"]) == 1


def test_the_audit_says_who_restricted_whom_and_who_lifted_it(town: Fleet):
    desk = town.nodes["desk"]
    ban = restrict(town, until=NEXT_DAY)
    guest_terms.lift(desk, ban, "paid")
    guest_terms.set_profile(desk, ann(town), "gold", ["member"])
    items = {one["kind"]: one for one in audit_entries(desk, limit=500)[0]}
    made = items["guest.restricted"]
    assert (made["node"], made["counts"], made["operation"]) == ("desk", True, ban)
    assert made["after"]["agent_id"] == ann(town)
    assert made["after"]["until"] == f"{NEXT_DAY}T00:00:00+02:00"
    lifted = items["guest.restriction_lifted"]["after"]
    assert lifted == {"restriction": ban, "reason": "paid", "agent_id": ann(town)}
    assert items["guest.profiled"]["after"]["tags"] == ["member"]


def test_whoever_watches_hears_of_it_at_once(town: Fleet):
    """What goes out live goes out by such news: at the writer its own, elsewhere another's."""
    heard: dict[str, list[Any]] = {device.name: [] for device in everywhere(town)}
    for device in everywhere(town):
        device.listeners.append(heard[device.name].append)
    restrict(town)
    assert [(one.book, one.own) for one in heard["desk"]] == [(town.book, True)]
    town.sync(town.nodes["desk"], town.nodes["kiosk"])
    for name in ("hub", "kiosk"):
        assert (town.book, False) in [(one.book, one.own) for one in heard[name]]


def test_what_a_device_says_after_it_was_shut_out_binds_nobody(town: Fleet):
    """And what it said before counts on."""
    bar = town.join("bar")
    town.sync_all()
    before = guest_terms.restrict(bar, ann(town), MAX_CONCURRENT, "no_shows", value=5)
    town.sync_all()
    town.the_hub.admission.revoke("bar", "stolen")
    guest_terms.restrict(bar, ann(town), BAN, "no_shows")
    guest_terms.lift(bar, before, "paid")
    # It is refused itself; somebody passes on what it wrote.
    exchange_once(town.nodes["desk"], bar)
    town.sync(town.nodes["desk"])
    for name in ("hub", "desk"):
        device = replica(town, name)
        assert [one["state"] for one in guest_terms.listed(device)] == ["in_force"], name
        assert [one["id"] for one in guest_terms.listed(device)] == [before]
        device.refold(town.book)
        assert [one["id"] for one in guest_terms.listed(device)] == [before]
    assert reserve(town, town.nodes["desk"]).code
