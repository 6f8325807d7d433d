"""A better seating of a service is proposed, and nobody moves before it is accepted."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import RuleViolated, Stale
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View, shown_claims
from holdfast.node import amending, blocks, exact_seating, optimising
from holdfast.node.optimising import Proposal
from holdfast.node.requests import BlockRequest, PatchRequest
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet

TABLES = [
    {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Main"},
    {"id": "T2", "kind": "table", "seats": [1, 4], "area": "Main", "combines_with": ["T3"]},
    {"id": "T3", "kind": "table", "seats": [1, 4], "area": "Main"},
    {"id": "T6", "kind": "table", "seats": [1, 6], "area": "Garden"},
    {"id": "HALL", "kind": "pool", "capacity": 10, "counts": "people"},
]


@pytest.fixture(params=["search", "solver"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    if request.param == "solver" and not exact_seating.installed():
        pytest.skip("holdfast[solver] is not installed")
    venue = copy.deepcopy(TRATTORIA) | {"resources": TABLES}
    venue["allotments"] = [{"holder": "desk", "resources": ["T*"]}]
    with pytest.MonkeyPatch.context() as patch, Fleet(tmp_path, venue) as fleet:
        if request.param == "search":
            patch.setattr(exact_seating, "installed", lambda: False)
        fleet.join("desk")
        fleet.sync_all()
        yield fleet


def book(fleet: Fleet, resource: str, party: int = 2, time: str = "19:00", **more: Any) -> View:
    """A party that the desk put somewhere, and that takes another place as well."""
    more.setdefault("may_move", True)
    return fleet.reserve(fleet.nodes["desk"], time, [resource], party, **more)


def propose(fleet: Fleet, replica: Service | None = None, **span: Any) -> Proposal:
    found = optimising.gather(replica or fleet.nodes["desk"], "trattoria", DAY, **span)
    return optimising.solve(found)


def accept(fleet: Fleet, made: Proposal, replica: Service | None = None) -> list[View]:
    here = replica or fleet.nodes["desk"]
    evening = optimising.gather(here, "trattoria", DAY)
    return optimising.accept(here, evening, optimising.solve(evening), made.id)


def at(fleet: Fleet, view: View, replica: Service | None = None) -> list[str]:
    found = fleet.now(replica or fleet.nodes["desk"], view)
    return sorted(claim.resource for claim in shown_claims(found))


def stays(made: Proposal) -> dict[str, str]:
    return {view.code: why for view, why in made.stays}


def test_two_who_sit_at_large_tables_make_room_and_only_when_it_is_accepted(fleet: Fleet):
    view = book(fleet, "T6")
    made = propose(fleet)
    assert [(one.view.id, one.origin, one.target, one.gain) for one in made.moves] == [
        (view.id, ("T6",), ("T1",), "fits_better")
    ]
    assert (made.before.waste, made.after.waste) == (4, 0)
    assert at(fleet, view) == ["T6"]
    (moved,) = accept(fleet, made)
    assert (moved.status, moved.assurance, moved.may_move) == ("confirmed", "guaranteed", True)
    assert at(fleet, view) == ["T1"]
    assert propose(fleet).moves == ()
    fleet.sync_all()
    fleet.assert_agree()
    assert at(fleet, view, fleet.the_hub) == ["T1"]


def test_somebody_who_lost_their_place_gets_one_because_others_move(fleet: Fleet):
    desk = fleet.nodes["desk"]
    fleet.cut("desk")
    lost = fleet.reserve(fleet.the_hub, "19:00", ["T6"], 6, may_move=True)
    first = book(fleet, "T6", 3)
    book(fleet, "T2", 4)
    book(fleet, "T3", 1)
    fleet.heal("desk")
    fleet.sync_all()
    assert fleet.now(desk, lost).status == "commit_failed"
    made = propose(fleet)
    assert (made.before.unseated, made.after.unseated, made.unseated) == (6, 0, ())
    gains = {one.view.id: one.gain for one in made.moves}
    assert gains[lost.id] == "seated"
    accept(fleet, made)
    assert at(fleet, lost) == ["T6"] and at(fleet, first) == ["T3"]
    fleet.sync_all()
    fleet.assert_agree()
    assert fleet.now(fleet.the_hub, lost).status == "confirmed"


def test_who_sits_well_stays(fleet: Fleet):
    early, late = book(fleet, "T2", 3, "18:00"), book(fleet, "T3", 4, "19:00")
    assert propose(fleet).moves == ()
    assert (at(fleet, early), at(fleet, late)) == (["T2"], ["T3"])


def test_who_is_here_asked_for_a_table_or_is_held_elsewhere_stays(fleet: Fleet):
    desk = fleet.nodes["desk"]
    wants = book(fleet, "T6", may_move=False)
    other = book(fleet, "T2", 1, "13:00")
    hall = fleet.reserve(fleet.the_hub, "19:00", ["HALL"], 4, may_move=True)
    fleet.sync_all()
    assert stays(propose(fleet)) == {wants.code: "asked_for", hall.code: "pool"}
    held = stays(propose(fleet, fleet.the_hub))
    assert held == {
        wants.code: "asked_for", other.code: "held_elsewhere", hall.code: "pool",
    }  # fmt: skip
    fleet.clocks.advance(hours=27)
    desk.reservations.check_in(uuid_text(other.id))
    assert stays(propose(fleet))[other.code] == "seated"


def test_only_who_starts_within_the_span_moves(fleet: Fleet):
    lunch, dinner = book(fleet, "T6", time="12:00"), book(fleet, "T6", time="19:00")
    made = propose(fleet, starts_from=dinner.starts_at)
    assert [one.view.id for one in made.moves] == [dinner.id]
    assert stays(made) == {lunch.code: "elsewhen"}


def test_nobody_is_moved_to_what_is_out_of_use_out_of_the_area_or_not_theirs(fleet: Fleet):
    desk = fleet.nodes["desk"]
    garden = book(fleet, "T6", area="Garden")
    main = book(fleet, "T6", time="21:00")
    blocks.block(
        desk,
        BlockRequest(
            venue="trattoria", kind="blocked", resources=["T1"], starts_at=f"{DAY}T20:00",
            ends_at=f"{DAY}T23:00",
        ),
    )  # fmt: skip
    made = propose(fleet)
    assert [(one.view.id, one.target) for one in made.moves] == [(main.id, ("T2",))]
    accept(fleet, made)
    assert at(fleet, garden) == ["T6"]


def test_a_proposal_is_worth_nothing_once_the_service_changed(fleet: Fleet):
    book(fleet, "T6")
    made = propose(fleet)
    book(fleet, "T1")
    with pytest.raises(Stale, match="has changed since"):
        accept(fleet, made)
    again = propose(fleet)
    assert again.id != made.id
    # Between the solving and the doing somebody may write, too.
    desk = fleet.nodes["desk"]
    evening = optimising.gather(desk, "trattoria", DAY)
    book(fleet, "T1", time="12:00")
    with pytest.raises(Stale):
        optimising.accept(desk, evening, optimising.solve(evening), again.id)
    again = propose(fleet)
    accept(fleet, again)
    with pytest.raises(Stale):
        accept(fleet, again)


def test_the_same_service_gives_the_same_proposal_after_a_restart(fleet: Fleet):
    book(fleet, "T6")
    made = propose(fleet)
    desk = fleet.reopen("desk")
    assert propose(fleet, desk).id == made.id


def test_all_of_it_is_done_or_nothing(fleet: Fleet, monkeypatch: pytest.MonkeyPatch):
    one, other = book(fleet, "T6"), book(fleet, "T2", 1, "13:00")
    made = propose(fleet)
    assert len(made.steps) == 2
    amend, done = amending.amend, list[str]()

    def fails(replica: Service, reference: str, patch: PatchRequest) -> View:
        if done:
            raise RuleViolated("no more", [])
        done.append(reference)
        return amend(replica, reference, patch)

    monkeypatch.setattr(amending, "amend", fails)
    with pytest.raises(RuleViolated):
        accept(fleet, made)
    monkeypatch.undo()
    assert (at(fleet, one), at(fleet, other)) == (["T6"], ["T2"])
    assert propose(fleet).id == made.id


def test_a_cut_off_desk_seats_its_own_tables_better_by_itself(fleet: Fleet):
    fleet.cut("desk")
    view = book(fleet, "T6")
    (moved,) = accept(fleet, propose(fleet))
    assert (moved.id, moved.assurance, at(fleet, view)) == (view.id, "guaranteed", ["T1"])
    fleet.heal("desk")
    fleet.sync_all()
    fleet.assert_agree()
