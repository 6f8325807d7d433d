"""The holder's answer: what fits is admitted, what may move is moved, the rest is displaced."""

from __future__ import annotations

import pytest

from holdfast.model.capacity import Held, Occupancy
from holdfast.model.claims import Seen
from holdfast.model.deciding import HubStock, decide
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    ClaimEnded,
    ReservationCreated,
    ReservationMoved,
    encode_content,
)
from holdfast.model.limits import WON_SHOWN_MAX
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View, fold
from holdfast.model.venue import parse_venue

ID, OTHER = b"r" * 16, b"o" * 16
HUB, DESK = b"H" * 16, b"D" * 16
OPERATION, MOVE = b"1" * 16, b"2" * 16
VENUE = VenueIndex(
    parse_venue(
        {
            "venue": "v", "name": "V", "kind": "restaurant", "time_zone": "UTC",
            "resources": [
                {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Main"},
                {"id": "T2", "kind": "table", "seats": [1, 2], "area": "Garden"},
                {"id": "T3", "kind": "table", "seats": [2, 4], "area": "Main"},
                {"id": "S1", "kind": "table", "seats": [1, 1], "area": "Main"},
                {"id": "HALL", "kind": "hall", "capacity": 10, "counts": "people"},
            ],
        }
    )
)  # fmt: skip


def request(*claims: Claim, may_move: bool = True, party: int = 2) -> Seen:
    event = ReservationCreated(
        "agent_" + "a" * 32, party, "RES-2027-AAAAAA", "2027-06-03", may_move=may_move
    )
    return Seen(
        OPERATION, "reservation.created", 1 << 16, DESK, "desk", False, (), claims, (),
        encode_content(event),
    )  # fmt: skip


def hub(kind: str, event: object, operation: bytes, **parts: object) -> Seen:
    fields = {"follows": (), "claims": (), "ends": (), **parts}
    return Seen(
        operation, kind, 5 << 16, HUB, "hub", True, fields["follows"], fields["claims"],  # type: ignore[arg-type]
        fields["ends"], encode_content(event),  # type: ignore[arg-type]
    )  # fmt: skip


def holding(*held: tuple[str, int, int, int], live: bool = True, by: bytes = OTHER) -> Occupancy:
    rows: dict[str, list[Held]] = {}
    for number, (resource, start, end, quantity) in enumerate(held):
        claim = ClaimId(b"h" * 8 + number.to_bytes(8, "big"), 0)
        rows.setdefault(resource, []).append(Held(claim, start, end, quantity, live, by))
    return Occupancy(
        lambda name, start, end: [h for h in rows.get(name, ()) if h.start < end and h.end > start]
    )


def judged(view: View, occupancy: Occupancy, operation: bytes = OPERATION):
    own = {claim.id for claim in view.live}
    return decide(view, operation, VENUE, HubStock(VENUE, occupancy), occupancy, own)


def test_what_is_free_is_admitted_as_it_was_asked_for():
    view = fold(ID, [request(Claim("T1", 100, 200, 1, 10))])
    verdict = judged(view, holding(("T1", 0, 100, 1), ("T1", 200, 300, 1)))
    assert (verdict.verdict, verdict.claims) == ("admitted", (Claim("T1", 100, 200, 1, 10),))


def test_a_claim_that_waits_itself_stands_in_nobodys_way():
    view = fold(ID, [request(Claim("T1", 100, 200))])
    assert judged(view, holding(("T1", 0, 300, 1), live=False)).verdict == "admitted"


def test_a_taken_table_is_exchanged_for_an_equal_one_of_the_same_area_first():
    view = fold(ID, [request(Claim("T1", 100, 200))])
    verdict = judged(view, holding(("T1", 150, 160, 1)))
    assert (verdict.verdict, verdict.reason) == ("moved", "taken")
    assert [c.resource for c in verdict.claims] == ["T3"], "T2 is equal, but in the garden"
    assert (verdict.from_resources, verdict.won) == (("T1",), (OTHER,))


def test_nobody_is_moved_to_something_smaller_or_who_did_not_allow_it():
    full = holding(("T1", 0, 300, 1), ("T2", 0, 300, 1), ("T3", 0, 300, 1))
    allowed = judged(fold(ID, [request(Claim("T1", 100, 200))]), full)
    assert allowed.verdict == "displaced"
    refused = judged(
        fold(ID, [request(Claim("T1", 100, 200), may_move=False)]), holding(("T1", 0, 300, 1))
    )
    assert (refused.verdict, refused.claims) == ("displaced", (Claim("T1", 100, 200),))


def test_all_tables_of_one_claim_are_had_or_none():
    view = fold(ID, [request(Claim("T1", 100, 200), Claim("T2", 100, 200), may_move=False)])
    verdict = judged(view, holding(("T2", 0, 300, 1)))
    assert (verdict.verdict, verdict.won) == ("displaced", (OTHER,))


@pytest.mark.parametrize(("taken", "verdict"), [(8, "admitted"), (9, "displaced")])
def test_a_pool_admits_as_many_as_it_has(taken, verdict):
    view = fold(ID, [request(Claim("HALL", 100, 200, 2), may_move=False)])
    assert judged(view, holding(("HALL", 0, 300, taken))).verdict == verdict


def test_one_resource_twice_in_one_breath_is_refused():
    view = fold(ID, [request(Claim("HALL", 100, 200, 6), Claim("HALL", 100, 200, 6))])
    assert judged(view, holding()).reason == "resource-repeated"


def test_a_resource_that_the_venue_does_not_have_is_refused():
    view = fold(ID, [request(Claim("X9", 100, 200))])
    assert (judged(view, holding()).verdict, judged(view, holding()).reason) == (
        "displaced", "no-such-resource",
    )  # fmt: skip


def test_of_a_full_pool_a_decision_names_a_few():
    crowd = [("HALL", 0, 300, 1)] * 10
    rows = [
        Held(ClaimId(bytes([n]) * 16, 0), 0, 300, 1, True, bytes([n]) * 16)
        for n, _ in enumerate(crowd)
    ]
    view = fold(ID, [request(Claim("HALL", 100, 200), may_move=False)])
    verdict = judged(view, Occupancy(lambda *_: rows))
    assert len(verdict.won) == WON_SHOWN_MAX


def standing_by(*more: Seen) -> View:
    old = hub(
        "reservation.created",
        ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03"),
        OPERATION,
        claims=(Claim("T1", 100, 200, right=HUB_RIGHT),),
    )
    move = Seen(
        MOVE, "reservation.moved", 3 << 16, DESK, "desk", False, (OPERATION,),
        (Claim("T1", 150, 250, replaces=ClaimId(OPERATION, 0)),), (),
        encode_content(ReservationMoved({})),
    )  # fmt: skip
    return fold(ID, [old, move, *more])


def test_a_standby_is_judged_as_if_its_old_place_were_free_and_ends_it():
    own = Occupancy(lambda *_: [Held(ClaimId(OPERATION, 0), 100, 200, 1, True, ID)])
    verdict = judged(standing_by(), own, MOVE)
    assert (verdict.verdict, verdict.ends) == ("admitted", (ClaimId(OPERATION, 0),))


def test_a_standby_that_does_not_fit_leaves_the_old_place_alone():
    verdict = judged(standing_by(), holding(("T1", 220, 260, 1)), MOVE)
    assert (verdict.verdict, verdict.ends) == ("displaced", ())


def test_a_standby_whose_old_place_was_given_up_for_another_loses():
    other = hub(
        "reservation.moved", ReservationMoved({}), b"3" * 16, follows=(OPERATION,),
        claims=(Claim("T3", 100, 200, right=HUB_RIGHT),), ends=(ClaimId(OPERATION, 0),),
    )  # fmt: skip
    assert judged(standing_by(other), holding(), MOVE).reason == "superseded"


def test_a_standby_whose_old_place_is_simply_gone_may_still_have_the_new_one():
    ended = hub("claim.ended", ClaimEnded("cancelled"), b"4" * 16, ends=(ClaimId(OPERATION, 0),))
    assert judged(standing_by(ended), holding(), MOVE).verdict == "admitted"
