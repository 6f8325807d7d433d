"""What a desk knows of a guest: visits, flags, notes, details; on every device, offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import (
    Conflict,
    Forbidden,
    HoldfastError,
    Invalid,
    NotFound,
    RoleForbidden,
)
from holdfast.model.events import GuestDescribed, GuestFlagged, GuestMerged, GuestNoted, SealedCard
from holdfast.model.guest_notes import KINDS
from holdfast.model.pseudonyms import agent_id
from holdfast.node import (
    guest_desk,
    guest_details,
    guest_history,
    guest_marks,
    guest_notes,
    visitors,
)
from holdfast.node.audit import audit_entries
from holdfast.node.doctor import doctor
from holdfast.node.service import Service
from tests.kit import TRATTORIA, Fleet, exchange_once

NUTS = "allergic to walnuts, carries a pen"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Fleet]:
    """A hub, two front desks and a kiosk; the first desk sells T1 and T2."""
    allotments = [{"holder": "desk", "resources": ["T1", "T2"]}]
    policies = {"cancel_cutoff_minutes": 120}
    venue = TRATTORIA | {"allotments": allotments, "policies": policies}
    with Fleet(tmp_path, venue) as fleet:
        fleet.join("desk")
        fleet.join("bar")
        fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        yield fleet


def ann(town: Fleet) -> str:
    return agent_id(town.the_hub.identity.pseudonym_key, "ann")


def desk(town: Fleet) -> Service:
    return town.nodes["desk"]


def everywhere(town: Fleet) -> list[Service]:
    return [town.the_hub, *town.nodes.values()]


def visit(town: Fleet, time: str, table: str = "T1", **more: Any) -> Any:
    view = town.reserve(desk(town), time, [table], user_id="ann", **more)
    desk(town).reservations.check_in(view.code)
    return desk(town).reservations.complete(view.code)


# --- visits ---------------------------------------------------------------------------------------


def test_a_second_completed_visit_shows_one_then_two(town: Fleet):
    """H-20: the guest of a first visit is no repeat guest, and the next time is."""
    shown = []
    for time in ("12:00", "15:00"):
        view = town.reserve(desk(town), time, ["T1"], user_id="ann")
        shown.append(visitors.visitor(desk(town), view))
        desk(town).reservations.check_in(view.code)
        shown.append(visitors.visitor(desk(town), desk(town).reservations.complete(view.code)))
    assert [(one["visits"], one["repeat"]) for one in shown if one] == [
        (0, False), (1, False), (1, True), (2, True)
    ]  # fmt: skip
    town.sync_all()
    for device in (town.the_hub, town.nodes["bar"]):
        assert guest_history.history(device, ann(town))["visits"] == 2


def test_the_totals_equal_the_reservations(town: Fleet):
    """H-47, S-15, H-38: figures are counted from the list, and from nothing else."""
    at = desk(town)
    visit(town, "12:00", occasion="birthday")
    visit(town, "14:00", "T2", party=1)
    visit(town, "16:00", occasion="birthday")
    early = town.reserve(at, "20:00", ["T1"], user_id="ann")
    at.reservations.cancel(early.code, "guest_request", "guest")
    late = town.reserve(at, "22:00", ["T2"], user_id="ann")
    town.reserve(at, "18:00", ["T1"], user_id="bob")
    town.clocks.advance(hours=35)
    at.reservations.cancel(late.code, "guest_request", "guest", late=True)
    found = guest_history.history(at, ann(town))
    listed, more = guest_history.reservations(at, ann(town))
    assert more is None
    assert found["reservations"] == len(listed) == 5
    assert sum(found["statuses"].values()) == len(listed)
    for status, number in found["statuses"].items():
        assert len(guest_history.reservations(at, ann(town), status=status)[0]) == number
    assert (found["visits"], found["cancellations"], found["late_cancellations"]) == (3, 2, 1)
    assert found["average_party"] == 1.7
    assert found["favourite_resources"][0] == {"name": "T1", "visits": 2}
    assert found["occasions"] == [{"name": "birthday", "visits": 2}]
    assert found["last_visit"].endswith("T16:00:00+02:00")
    first, place = guest_history.reservations(at, ann(town), limit=2)
    rest, _ = guest_history.reservations(at, ann(town), limit=50, cursor=place)
    assert [one.id for one in first + rest] == [one.id for one in listed]
    between = guest_history.reservations(
        at, ann(town), starts_from=listed[1].starts_at, starts_before=listed[3].starts_at
    )[0]
    assert [one.id for one in between] == [one.id for one in listed[1:3]]


def test_whoever_calls_means_what_is_now_or_next(town: Fleet):
    """V-48: without any contact; nothing where there is nothing to come."""
    at = desk(town)
    assert guest_history.context(at, ann(town)) == (None, None)
    later = town.reserve(at, "21:00", ["T1"], user_id="ann", guest={"name": "Ann Smith"})
    first = town.reserve(at, "19:00", ["T1"], user_id="ann")
    found, minutes = guest_history.context(at, ann(town))
    assert found is not None
    assert (found.id, minutes is not None and minutes > 0) == (first.id, True)
    at.reservations.cancel(first.code, "guest_request", "guest")
    found, _ = guest_history.context(at, ann(town))
    assert found is not None
    assert found.id == later.id


def test_a_kiosk_tells_nothing_of_a_guest(town: Fleet):
    view = visit(town, "12:00")
    guest_marks.set_flag(desk(town), ann(town), "vip", True)
    town.sync_all()
    kiosk = town.nodes["kiosk"]
    heard = kiosk.view(view.id)
    assert heard is not None
    assert visitors.visitor(kiosk, heard) is None
    for ask in (guest_history.history, guest_history.reservations, guest_marks.flags):
        with pytest.raises(Forbidden, match="front desk"):
            ask(kiosk, ann(town))
    for read in (guest_notes.listed, guest_details.details):
        with pytest.raises(Forbidden, match="key"):
            read(kiosk, ann(town))


# --- flags ----------------------------------------------------------------------------------------


def test_a_flag_is_toggled_and_the_audit_says_what_stood_before(town: Fleet):
    """H-48: the newest word stands on every device; the same once more is not written."""
    for up in (True, True, False):
        guest_marks.set_flag(desk(town), ann(town), "vip", up)
    guest_marks.set_flag(desk(town), ann(town), "issue", True)
    told = [
        one for one in audit_entries(desk(town), limit=500)[0] if one["kind"] == "guest.flagged"
    ]
    assert [(one["before"], one["after"]) for one in told] == [
        ({"vip": False}, {"agent_id": ann(town), "vip": True}),
        ({"vip": True}, {"agent_id": ann(town), "vip": False}),
        ({"issue": False}, {"agent_id": ann(town), "issue": True}),
    ]
    town.sync_all()
    for device in (town.the_hub, town.nodes["bar"]):
        found = guest_marks.flags(device, ann(town))
        assert (found["vip"]["up"], found["issue"]["up"]) == (False, True)
        assert found["issue"]["by"] == "desk"
    town.assert_agree()


def test_flags_of_two_devices_apart_come_to_one(town: Fleet):
    town.cut("desk", "bar")
    guest_marks.set_flag(desk(town), ann(town), "vip", True)
    guest_marks.set_flag(town.nodes["bar"], ann(town), "issue", True)
    town.heal()
    town.sync_all()
    for device in (town.the_hub, desk(town), town.nodes["bar"]):
        found = guest_marks.flags(device, ann(town))
        assert (found["vip"]["up"], found["issue"]["up"]) == (True, True)


@pytest.mark.parametrize("wrong", ["VIP", "", "loud"])
def test_a_flag_of_ones_own_is_refused(town: Fleet, wrong: str):
    with pytest.raises(Invalid, match="vip"):
        guest_marks.set_flag(desk(town), ann(town), wrong, True)


# --- notes ----------------------------------------------------------------------------------------


def test_an_alert_shows_when_that_guest_books_on_every_desk(town: Fleet):
    """H-27: to the house; a note without the flag stays in the list."""
    note = guest_notes.add(desk(town), ann(town), "dietary", NUTS, alert=True, author="Mara")
    guest_notes.add(desk(town), ann(town), "compliment", "liked the terrace")
    town.sync_all()
    for device in (desk(town), town.nodes["bar"]):
        view = town.reserve(device, "19:30", user_id="ann")
        found = visitors.visitor(device, view)
        assert found is not None
        assert found["alerts"] == [{"note": note, "kind": "dietary", "text": NUTS}]
        shown = guest_notes.listed(device, ann(town))
        assert [(one["kind"], one["author"], one["by"]) for one in shown] == [
            ("dietary", "Mara", "desk"), ("compliment", None, "desk")
        ]  # fmt: skip
    hub = visitors.visitor(town.the_hub, town.reserve(town.the_hub, "21:30", user_id="ann"))
    assert hub is not None
    # Without the venue's key it knows that there is something, and not what.
    assert hub["alerts"] == [{"note": note, "kind": None, "text": None}]
    bob = visitors.visitor(desk(town), town.reserve(desk(town), "17:00", user_id="bob"))
    assert bob is not None
    assert bob["alerts"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_note_is_changed_and_withdrawn(town: Fleet, kind: str):
    at, bar = desk(town), town.nodes["bar"]
    note = guest_notes.add(at, ann(town), kind, "first words")
    town.sync_all()
    guest_notes.change(bar, note, text="second words", alert=True, agent=ann(town), author="Leo")
    before = bar.tip(town.book)
    guest_notes.change(bar, note, text="second words", agent=ann(town))
    assert bar.tip(town.book) == before
    town.sync_all()
    (shown,) = guest_notes.listed(at, ann(town))
    assert (shown["text"], shown["alert"], shown["by"], shown["author"], shown["kind"]) == (
        "second words", True, "bar", "Leo", kind
    )  # fmt: skip
    guest_notes.withdraw(at, note, agent=ann(town))
    town.sync_all()
    for device in (at, bar):
        assert guest_notes.listed(device, ann(town)) == []
        (gone,) = guest_notes.listed(device, ann(town), withdrawn=True)
        assert gone["withdrawn"]["by"] == "desk"
        with pytest.raises(Conflict):
            guest_notes.change(device, note, text="third", agent=ann(town))
        assert guest_notes.withdraw(device, note, agent=ann(town)) == note


def test_changed_and_withdrawn_apart_it_is_withdrawn_everywhere(town: Fleet):
    at, bar = desk(town), town.nodes["bar"]
    note = guest_notes.add(at, ann(town), "general", "words", alert=True)
    town.sync_all()
    town.cut("desk", "bar")
    guest_notes.withdraw(at, note, agent=ann(town))
    guest_notes.change(bar, note, text="other words", agent=ann(town))
    town.heal()
    town.sync_all()
    for device in (at, bar):
        assert guest_notes.listed(device, ann(town)) == []
        assert guest_notes.alerts_at(device, town.book, ann(town)) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [("gossip", "x"), ("general", " "), ("general", "x" * 2001), ("general", "\x1b")],
)
def test_what_is_no_note_is_refused_and_not_repeated(town: Fleet, kind: str, text: str):
    with pytest.raises(Invalid) as said:
        guest_notes.add(desk(town), ann(town), kind, text)
    assert text.strip() in ("", "x") or text not in said.value.detail


def test_a_note_of_somebody_else_is_not_found(town: Fleet):
    note = guest_notes.add(desk(town), ann(town), "general", "words")
    other = agent_id(town.the_hub.identity.pseudonym_key, "bob")
    with pytest.raises(NotFound, match="guests notes"):
        guest_notes.withdraw(desk(town), note, agent=other)


# --- details --------------------------------------------------------------------------------------


def test_two_devices_apart_merge_field_by_field(town: Fleet):
    """H-24, H-26: of each field the later word stands, the rest stays."""
    at, bar = desk(town), town.nodes["bar"]
    guest_details.describe(at, ann(town), {"language": "it", "sms": True, "dietary": "vegan"})
    town.sync_all()
    town.cut("desk", "bar")
    guest_details.describe(at, ann(town), {"sms": False, "preferences": "by the window"})
    town.clocks.advance(minutes=1)
    guest_details.describe(bar, ann(town), {"sms": None, "marketing": True, "language": "en"})
    town.heal()
    town.sync_all()
    for device in (at, bar):
        found = guest_details.details(device, ann(town))
        assert {name: found[name] for name in ("language", "sms", "marketing", "email")} == {
            "language": "en", "sms": None, "marketing": True, "email": None
        }  # fmt: skip
        assert (found["dietary"], found["preferences"]) == ("vegan", "by the window")
        said = {one["field"]: one["by"] for one in found["said"]}
        assert (said["marketing"], said["dietary"]) == ("bar", "desk")
    before = at.tip(town.book)
    guest_details.describe(at, ann(town), {"language": "en"})
    assert at.tip(town.book) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"sms": "yes"}, {"language": "Italian please"}, {"time_zone": "Moon/Base"},
        {"dietary": "x" * 1_001}, {"shoe_size": 42}, {"preferences": "\x1b[2J"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)  # fmt: skip
def test_what_is_no_detail_is_refused_by_its_field(town: Fleet, wrong: dict[str, Any]):
    with pytest.raises(Invalid) as said:
        guest_details.describe(desk(town), ann(town), wrong)
    assert [one["field"] for one in said.value.extra["errors"]] == list(wrong)


# --- forgotten and handed over --------------------------------------------------------------------


def test_whoever_is_forgotten_takes_notes_and_details_along(town: Fleet):
    """On every device, also what comes later from one that was away; flags are codes, and stay."""
    at, bar = desk(town), town.nodes["bar"]
    note = guest_notes.add(at, ann(town), "dietary", NUTS, alert=True)
    guest_details.describe(at, ann(town), {"dietary": NUTS})
    guest_marks.set_flag(at, ann(town), "vip", True)
    town.sync_all()
    town.cut("bar")
    guest_notes.add(bar, ann(town), "general", "said while away", alert=True)
    at.forgetting.erase(ann(town), "guest_request")
    town.heal()
    town.sync_all()
    for device in (at, bar):
        assert guest_notes.alerts_at(device, town.book, ann(town)) == []
        shown = guest_notes.listed(device, ann(town))
        assert {(one["state"], one["text"], one["kind"]) for one in shown} == {
            ("erased", None, None)
        }
        assert guest_details.details(device, ann(town))["dietary"] is None
        assert guest_marks.flags(device, ann(town))["vip"]["up"]
        assert guest_notes.withdraw(device, note, agent=ann(town)) == note
    for device in everywhere(town):
        placed = device.store.cards.placed_of(town.book, ann(town))
        assert len(placed) == 3
        assert not any(device.store.cards.keys(town.book, one.id) for one in placed)
    assert {one["state"] for one in at.forgetting.report(ann(town))[0]["devices"]} == {"confirmed"}


def test_the_export_has_every_version_of_notes_and_details(town: Fleet):
    at = desk(town)
    town.reserve(at, "19:30", user_id="ann", guest={"name": "Ann Smith"})
    note = guest_notes.add(at, ann(town), "issue", "first words", author="Mara")
    town.clocks.advance(minutes=1)
    guest_notes.change(at, note, text="second words", agent=ann(town))
    guest_details.describe(at, ann(town), {"language": "it"})
    guest_details.describe(at, ann(town), {"language": "en"})
    (venue,) = guest_desk.export(at, ann(town))["venues"]
    assert [one["text"] for one in venue["notes"][0]["versions"]] == ["first words", "second words"]
    assert [one["fields"] for one in venue["descriptions"]] == [
        {"language": "it"}, {"language": "en"}
    ]  # fmt: skip
    assert venue["details"]["language"] == "en"
    assert [one["guest"] for one in venue["cards"]] == [{"name": "Ann Smith"}]


def test_notes_are_found_by_nobody_and_need_no_card(town: Fleet):
    """A guest without any reservation has a page too; the index has no word of a note."""
    guest_notes.add(desk(town), ann(town), "general", "walnuts")
    ((_, card, views),) = guest_desk.show(desk(town), ann(town))
    assert (card, views) == ({}, [])
    assert guest_desk.find(desk(town), "walnuts") == []


# --- who may, and what is kept --------------------------------------------------------------------


def test_a_kiosk_writes_none_of_it(town: Fleet):
    kiosk = town.nodes["kiosk"]
    asked: list[Any] = [
        lambda: guest_marks.set_flag(kiosk, ann(town), "vip", True),
        lambda: guest_notes.add(kiosk, ann(town), "general", "x"),
        lambda: guest_details.describe(kiosk, ann(town), {"sms": True}),
    ]
    before = kiosk.tip(town.book)
    for ask in asked:
        with pytest.raises(HoldfastError):
            ask()
    for event in (
        GuestFlagged(ann(town), "vip", True),
        GuestMerged(ann(town), "agent_" + "0" * 32),
        GuestDescribed(ann(town), SealedCard(bytes(16), b"", bytes(16))),
    ):
        with pytest.raises(RoleForbidden, match="front-desk"), kiosk.transaction():
            kiosk.append(town.book, event)
    assert kiosk.tip(town.book) == before


NONSENSE: list[dict[str, Any]] = [
    {}, {"kind": 7, "note": {"a": 1}, "author": ["x"]}, {"kind": "gossip", "note": None},
    {"language": 7, "sms": "yes", "dietary": "", "shoe_size": 42}, {"name": "Ann Smith"},
]  # fmt: skip


@pytest.mark.parametrize("fields", NONSENSE, ids=str)
def test_what_a_strange_desk_sealed_is_shown_as_far_as_it_is_understood(
    town: Fleet, fields: dict[str, Any]
):
    """It has the venue's key, and seals whatever it likes."""
    bar = town.nodes["bar"]
    with bar.transaction():
        for _ in range(2):
            card = bar.cards.seal_fields("trattoria", ann(town), fields)
            bar.append(town.book, GuestNoted(ann(town), card, True))
            bar.append(town.book, GuestDescribed(ann(town), card))
            bar.append(town.book, GuestNoted(ann(town), card, True, bytes(16)))
    town.sync_all()
    shown = guest_notes.listed(desk(town), ann(town))
    assert [(one["state"], one["kind"], one["text"]) for one in shown] == [
        ("readable", "general", "")
    ] * 2
    found = guest_details.details(desk(town), ann(town))
    assert found["said"] == []
    assert len(guest_notes.alerts_at(desk(town), town.book, ann(town))) == 2
    assert guest_desk.export(desk(town), ann(town))["venues"][0]["cards"] == []
    assert guest_desk.find(desk(town), "smith") == []


def test_a_note_that_a_neighbour_heard_of_and_changed_is_one_note_everywhere(town: Fleet):
    """Its first desk is not heard by the hub before a third desk has it all from the second."""
    at, bar = town.nodes["desk"], town.nodes["bar"]
    note = guest_notes.add(at, ann(town), "general", "first words", alert=True)
    exchange_once(bar, at)
    guest_notes.change(bar, note, text="second words", agent=ann(town))
    town.cut("desk")
    late = town.join("late")
    town.sync_all()
    for device in (bar, late):
        assert [one["text"] for one in guest_notes.listed(device, ann(town))] == ["second words"]
    town.heal()
    town.sync_all()
    for device in (at, bar, late):
        (shown,) = guest_notes.listed(device, ann(town))
        assert (shown["id"], shown["text"], shown["alert"]) == (note, "second words", True)


def test_all_of_it_survives_a_restart_and_a_fold_from_the_journal(town: Fleet):
    at = desk(town)
    note = guest_notes.add(at, ann(town), "general", "words", alert=True)
    guest_details.describe(at, ann(town), {"language": "it"})
    guest_marks.set_flag(at, ann(town), "vip", True)

    def known(device: Service) -> Any:
        return (
            guest_notes.listed(device, ann(town)),
            guest_details.details(device, ann(town)),
            guest_marks.flags(device, ann(town)),
        )

    before = known(at)
    assert before[0][0]["id"] == note
    again = town.reopen("desk")
    assert known(again) == before
    again.refold(town.book)
    assert known(again) == before


def test_the_doctor_finds_what_differs_from_the_journal(town: Fleet):
    at = town.nodes["desk"]
    guest_marks.set_flag(at, ann(town), "vip", True)

    def looked(fix: bool = False) -> Any:
        return next(one for one in doctor(at.directory, fix) if one.name == "projections")

    at.store.db.conn.execute("DELETE FROM guest_entries")
    at.close()
    assert not looked().ok
    assert looked(fix=True).ok
    assert looked().ok


def test_the_hub_opens_no_note_without_the_venues_key(town: Fleet):
    guest_notes.add(desk(town), ann(town), "general", "words", alert=True)
    town.sync_all()
    with pytest.raises(Forbidden, match="share-key"):
        guest_notes.listed(town.the_hub, ann(town))
    desk(town).cards.keys.share_with_hub(town.book)
    town.sync_all()
    assert [one["text"] for one in guest_notes.listed(town.the_hub, ann(town))] == ["words"]
