"""Who is banned is refused by their number too, wherever it is looked up, and told no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import Forbidden, NotAvailable, RuleViolated
from holdfast.model.limits import AGENTS_PER_CONTACT_MAX
from holdfast.model.pseudonyms import agent_id
from holdfast.model.reservation import View
from holdfast.model.restrictions import BAN, DISCREET, MAX_CONCURRENT
from holdfast.node import guest_terms, holds, known_guests, same_guests, waiting
from holdfast.node.requests import HoldRequest, Override, PatchRequest, ReserveRequest, WaitRequest
from holdfast.node.restricting import Asking
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet

SCREEN = Asking(told=False)
ANN = {"name": "Ann", "phone": "+39 333 1234567", "email": "ann@example.org"}
SAME = {"name": "A. Nother", "phone": "333 123 4567"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Fleet]:
    """A hub, a desk and a kiosk, with a table each to sell; Ann was here before."""
    allotments = [{"holder": "desk", "resources": ["T1"]}, {"holder": "kiosk", "resources": ["T2"]}]
    with Fleet(tmp_path, TRATTORIA | {"allotments": allotments}) as fleet:
        fleet.join("desk")
        fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        fleet.reserve(fleet.nodes["desk"], "09:00", ["T1"], user_id="ann", guest=ANN)
        yield fleet


def agent(town: Fleet, user: str = "ann") -> str:
    return agent_id(town.the_hub.identity.pseudonym_key, user)


def ban(town: Fleet, kind: str = BAN, **more: Any) -> str:
    return guest_terms.restrict(town.nodes["desk"], agent(town), kind, "no_shows", **more)


def reserve(
    town: Fleet, at: str = "desk", time: str = "19:30", asking: Asking = SCREEN, **more: Any
) -> View:
    replica: Service = town.nodes[at]
    wanted = town.request(time, more.pop("resources", ()), **{"guest": SAME} | more)
    return replica.reservations.create(wanted, asking, by_guest=not asking.told)


@pytest.mark.parametrize(
    "guest",
    [SAME, {"phone": "0039 333 1234567"}, {"email": "ANN@Example.org"}, ANN],
    ids=["the number at home", "from abroad", "the address", "both"],
)
def test_whoever_gives_the_contact_of_a_banned_guest_is_refused_by_the_same_words(
    town: Fleet, guest: dict[str, str]
):
    assert reserve(town, time="12:00", guest=guest).status == "confirmed"
    ban(town)
    with pytest.raises(Forbidden) as by_id:
        reserve(town, user_id="ann", guest=None)
    others: list[dict[str, Any]] = [{}, {"user_id": "bob"}]
    for more in others:
        with pytest.raises(Forbidden) as by_contact:
            reserve(town, guest=guest, **more)
        assert by_contact.value.detail == by_id.value.detail == DISCREET
        assert by_contact.value.extra == by_id.value.extra == {}
    # Somebody else is taken, and so is who gives no contact.
    assert reserve(town, guest={"name": "Ann", "phone": "333 7654321"}).status == "confirmed"
    assert reserve(town, time="21:30", guest={"name": "Ann"}).status == "confirmed"


def test_only_a_ban_binds_so_and_only_as_long_as_it_is_in_force(town: Fleet):
    ban(town, MAX_CONCURRENT, value=1)
    assert reserve(town, time="12:00").status == "confirmed"
    found = ban(town)
    with pytest.raises(Forbidden):
        reserve(town)
    guest_terms.lift(town.nodes["desk"], found, "paid")
    assert reserve(town).status == "confirmed"


def test_a_refusal_is_the_last_thing_that_is_said(town: Fleet):
    """Who asks for what nobody gets learns of no number whether it is that of a banned guest."""
    desk = town.nodes["desk"]
    town.reserve(desk, "19:30", ["T1"])
    asks: list[tuple[type[Exception], dict[str, Any]]] = [
        (RuleViolated, {"party": 99}), (NotAvailable, {"resources": ["T1"]}),
    ]  # fmt: skip
    stranger = {"name": "A. Nother", "phone": "333 0000000"}
    for error, more in asks:
        said = []
        for guest in (stranger, SAME):
            if guest is SAME:
                ban(town)
            with pytest.raises(error) as refused:
                reserve(town, guest=guest, **more)
            said.append((str(refused.value), refused.value.extra))  # type: ignore[attr-defined]
        assert said[0] == said[1]


def test_staff_is_told_whose_contact_it_is_and_a_supervisor_may_insist(town: Fleet):
    found = ban(town)
    staff = Asking()
    with pytest.raises(Forbidden) as refused:
        reserve(town, asking=staff)
    assert agent(town) in refused.value.detail and "--override" in refused.value.detail
    assert refused.value.extra["restriction"] == found
    view = reserve(town, asking=staff, override=Override(reason="other"))
    assert (view.status, view.override) == ("confirmed", "")
    # With their own id there is no mistaking them, and lifting is the way out.
    with pytest.raises(Forbidden, match="this guest"):
        reserve(town, "desk", "21:30", staff, user_id="ann", override=Override(reason="other"))


def test_neither_a_hold_nor_the_waitlist_nor_a_change_gets_around_it(town: Fleet):
    ban(town)
    desk = town.nodes["desk"]
    asking: dict[str, Any] = {
        "venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2,
    }  # fmt: skip
    with pytest.raises(Forbidden, match=DISCREET):
        holds.place(desk, HoldRequest(**asking, guest=SAME), SCREEN, by_guest=True)
    hold = holds.place(desk, HoldRequest(**asking), SCREEN, by_guest=True)
    with pytest.raises(Forbidden, match=DISCREET):
        holds.reserve(desk, hold.code, ReserveRequest(guest=SAME), SCREEN, by_guest=True)
    waits = WaitRequest(venue="trattoria", date=DAY, party_size=2, guest=SAME)
    with pytest.raises(Forbidden, match=DISCREET):
        waiting.join(desk, waits, SCREEN, by_guest=True)
    mine = reserve(town, time="12:00", guest={"name": "A. Nother"})
    for patch in (PatchRequest(guest=SAME), PatchRequest(guest=SAME, starts_at=f"{DAY}T14:00")):
        with pytest.raises(Forbidden, match=DISCREET):
            desk.reservations.amend(mine.code, patch, asking=SCREEN, by_guest=True)
    # Who corrects a number at the desk knows whom they have before them.
    desk.reservations.amend(mine.code, PatchRequest(guest=SAME))
    assert desk.reservations.guest(town.now(desk, mine)) == SAME


def test_where_no_contact_is_looked_up_it_is_taken_and_shows_at_the_desk(town: Fleet):
    ban(town)
    town.sync_all()
    at_kiosk = reserve(town, "kiosk")
    at_hub = town.the_hub.reservations.create(town.request("21:30", guest=SAME), SCREEN)
    town.sync_all()
    for view in (at_kiosk, at_hub):
        stands = town.now(town.nodes["desk"], view)
        assert stands.status == "confirmed", "no merge takes it back"
        known = known_guests.known_as(town.nodes["desk"], stands)
        assert [BAN] in [one["restrictions"] for one in known]


def test_a_number_that_very_many_have_refuses_nobody(town: Fleet):
    desk = town.nodes["desk"]
    for number in range(AGENTS_PER_CONTACT_MAX):
        view = reserve(town, user_id=f"user {number}")
        desk.reservations.cancel(view.code, late=True)
    ban(town)
    assert reserve(town).status == "confirmed"


def test_who_was_said_to_be_the_banned_guest_is_refused_as_that_one(town: Fleet):
    ban(town)
    same_guests.merge(town.nodes["desk"], agent(town), agent(town, "bob"))
    with pytest.raises(Forbidden, match="this guest"):
        reserve(town, asking=Asking(), user_id="bob", override=Override(reason="other"))
