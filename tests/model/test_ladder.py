"""The ladder of a decision, and the ladder of what a guest may be told, rung by rung.

A decider gives what was asked for; else, where the guest allows it, an equal place, a larger one or
several together; else nothing (DESIGN §5.4): same area first, then the smallest waste, the fewest
resources, the lowest priority, the id. Each rung and each tie has a case in which only it decides.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest

from holdfast.model.areas import area_code
from holdfast.model.capacity import Held, Occupancy
from holdfast.model.claims import Seen
from holdfast.model.deciding import GrantedStock, HubStock, Stock, Verdict, decide
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    Event,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationCreated,
    ReservationMarkedNoShow,
    ReservationMoved,
    RightGranted,
    RightRevoked,
    encode_content,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View, fold
from holdfast.model.rights import FOREVER, Rights
from holdfast.model.venue import parse_venue

ID, OTHER = b"r" * 16, b"o" * 16
HUB, DESK = b"H" * 16, b"D" * 16
RIGHT = b"R" * 16
START, END = 100, 200


def venue(*resources: dict[str, Any]) -> VenueIndex:
    return VenueIndex(
        parse_venue(
            {"venue": "v", "name": "V", "kind": "restaurant", "time_zone": "UTC",
             "resources": list(resources)}
        )
    )  # fmt: skip


def table(name: str, most: int = 2, least: int = 1, area: str = "Main", **more: Any) -> Any:
    return {"id": name, "kind": "table", "seats": [least, most], "area": area, **more}


def rooms(name: str, capacity: int, most: int = 2) -> Any:
    return {
        "id": name, "kind": "room", "capacity": capacity, "counts": "units", "seats": [1, most],
    }  # fmt: skip


def hall(name: str, capacity: int) -> Any:
    return {"id": name, "kind": "hall", "capacity": capacity, "counts": "people"}


def asked(*claims: Claim, party: int = 2, may_move: bool = True, area: str = "") -> Seen:
    event = ReservationCreated(
        "agent_" + "a" * 32, party, "RES-2027-AAAAAA", "2027-06-03", may_move=may_move, area=area
    )
    return written(event, 1, claims=claims)


def written(
    event: Event,
    number: int,
    *,
    by: bytes = DESK,
    follows: tuple[bytes, ...] = (),
    claims: tuple[Claim, ...] = (),
    ends: tuple[ClaimId, ...] = (),
    n: int = 0,
) -> Seen:
    return Seen(
        bytes([number]) * 16, KIND_BY_EVENT[type(event)], number << 16, by,
        "hub" if by == HUB else "desk", by == HUB, follows, claims, ends, encode_content(event),
        n or number,
    )  # fmt: skip


def full(*resources: str) -> Occupancy:
    """An occupancy in which these are taken throughout."""

    def load(resource: str, start: int, end: int) -> list[Held]:
        return [
            Held(ClaimId(bytes([number]) * 16, 0), 0, 1000, 1, True, OTHER)
            for number, name in enumerate(resources)
            if name == resource
        ]

    return Occupancy(load)


def judged(of: VenueIndex, view: View, occupancy: Occupancy, stock: Stock | None = None) -> Verdict:
    chosen = stock or HubStock(of, occupancy)
    own = {claim.id for claim in view.live}
    return decide(view, view.pending[0].id.operation, of, chosen, occupancy, own)


# --- the rungs, each in a venue where only it decides ---------------------------------------------


class Rung(NamedTuple):
    """Who asks for the first resource (or for `asks`) and what they get: resources joined by `+`,
    or nothing."""

    why: str
    resources: tuple[Any, ...]
    taken: tuple[str, ...]
    gets: str
    party: int = 2
    asks: tuple[str, ...] = ()
    area: str = ""
    quantity: int = 1


RUNGS: Final = (
    Rung("what was asked for, though something fits better", (table("T1", 6), table("T2")), (),
         "T1"),
    Rung("an equal one", (table("T1"), table("T2")), ("T1",), "T2"),
    Rung("an equal one before a larger", (table("T1"), table("A9", 4), table("T2")), ("T1",),
         "T2"),
    Rung("a larger one where no equal is free", (table("T1"), table("T2"), table("T3", 4)),
         ("T1", "T2"), "T3"),
    Rung("of larger ones the smaller waste", (table("T1"), table("A8", 8), table("T3", 4)),
         ("T1",), "T3"),
    Rung("one before several of the same waste",
         (table("T1", 4), table("A1", combines_with=["A2"]), table("A2"), table("T9", 4)),
         ("T1",), "T9", 4),
    Rung("several where no single one is left",
         (table("T1", 4), table("A1", combines_with=["A2"]), table("A2")), ("T1",), "A1+A2", 4),
    Rung("several that fit before one that wastes",
         (table("T1", 4), table("A1", combines_with=["A2"]), table("A2"), table("T9", 6)),
         ("T1",), "A1+A2", 4),
    Rung("all of several are free or none counts",
         (table("T1", 4), table("A1", combines_with=["A2"]), table("A2"), table("T9", 6)),
         ("T1", "A2"), "T9", 4),
    Rung("fewer together before more",
         (table("T1", 6), table("A1", combines_with=["A2"]), table("A2", combines_with=["A3"]),
          table("A3"), table("B1", 3, combines_with=["B2"]), table("B2", 3)),
         ("T1",), "B1+B2", 6),
    Rung("the lower priority of equals",
         (table("T1"), table("T2", priority=2), table("T3", priority=1)), ("T1",), "T3"),
    Rung("the id of equals", (table("T1"), table("T3"), table("T2")), ("T1",), "T2"),
    Rung("the same area before an equal one elsewhere",
         (table("T1"), table("T2", area="Garden"), table("T3", 4)), ("T1",), "T3"),
    Rung("another area where one's own has none",
         (table("T1"), table("T2", area="Garden")), ("T1",), "T2"),
    Rung("the area that the guest named before that of the place",
         (table("T1"), table("T2", area="Main"), table("T3", 4, area="Garden")), ("T1",), "T3",
         area=area_code("Garden")),
    Rung("two put together that share the area before one that does not",
         (table("T1", 4), table("A1", combines_with=["A2"]), table("A2"),
          table("T9", 4, area="Garden")),
         ("T1",), "A1+A2", 4),
    Rung("nothing smaller, though the party would fit", (table("T1", 4), table("T2", 2)),
         ("T1",), ""),
    Rung("no several that are smaller together",
         (table("T1", 6), table("A1", combines_with=["A2"]), table("A2", 3)), ("T1",), "", 4),
    Rung("nothing that is too large for the party", (table("T1"), table("T2", 8, 4)), ("T1",),
         ""),
    Rung("nothing of another kind", (table("T1"), {"id": "BAY", "kind": "bay"}), ("T1",), ""),
    Rung("nothing where all is taken", (table("T1"), table("T2")), ("T1", "T2"), ""),
    Rung("from two tables to one", (table("T1", combines_with=["T2"]), table("T2"),
         table("T9", 4)), ("T2",), "T9", 4, ("T1", "T2")),
    Rung("a pool with as many units, not one with fewer", (rooms("D1", 2), rooms("D2", 1),
         rooms("D3", 2)), ("D1", "D1"), "D3", 4, quantity=2),
    Rung("a hall that holds the party, not one that does not",
         (hall("H1", 2), hall("H2", 1), hall("H3", 2)), ("H1",), "H3", quantity=2),
)  # fmt: skip


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.why)
def test_the_holder_takes_the_highest_rung_that_is_free(rung: Rung) -> None:
    of = venue(*rung.resources)
    wanted = rung.asks or (rung.resources[0]["id"],)
    claims = [Claim(name, START, END, rung.quantity) for name in wanted]
    view = fold(ID, [asked(*claims, party=rung.party, area=rung.area)])
    verdict = judged(of, view, full(*rung.taken))
    got = tuple(claim.resource for claim in verdict.claims)
    if not rung.gets:
        assert (verdict.verdict, got) == ("displaced", wanted)
    elif got == wanted:
        assert (verdict.verdict, verdict.reason, "+".join(got)) == ("admitted", "free", rung.gets)
    else:
        assert (verdict.verdict, "+".join(got)) == ("moved", rung.gets)
        assert verdict.from_resources == wanted
        assert {(claim.start, claim.end) for claim in verdict.claims} == {(START, END)}


EQUALS: Final = venue(table("T1"), table("T2"))


def test_whoever_did_not_allow_it_is_not_moved() -> None:
    view = fold(ID, [asked(Claim("T1", START, END), may_move=False)])
    assert judged(EQUALS, view, full("T1")).verdict == "displaced"


def test_whoever_sits_is_not_moved_by_a_machine() -> None:
    making = asked(Claim("T1", START, END))
    seated = written(ReservationCheckedIn(), 2, follows=(making.operation,))
    view = fold(ID, [making, seated])
    assert judged(EQUALS, view, full("T1")).verdict == "displaced"


def test_a_wish_for_another_place_is_not_answered_with_a_third() -> None:
    making = written(
        ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03", may_move=True),
        1, by=HUB, claims=(Claim("T1", START, END, right=HUB_RIGHT),),
    )  # fmt: skip
    wish = Claim("T2", START, END, replaces=ClaimId(making.operation, 0))
    move = written(ReservationMoved(), 2, follows=(making.operation,), claims=(wish,))
    of = venue(table("T1"), table("T2"), table("T3"))
    assert judged(of, fold(ID, [making, move]), full("T2")).verdict == "displaced"


@pytest.mark.parametrize(
    ("has", "taken", "fate"),
    [
        (("T1",), (), ("admitted", "free", ("T1",))),
        (("T1", "T2"), ("T1",), ("moved", "taken", ("T2",))),
        (("T1",), ("T1",), ("displaced", "taken", ("T1",))),
        (("T2",), (), ("moved", "taken", ("T2",))),
        (("T3",), (), ("displaced", "not-held", ("T1",))),
    ],
    ids=["its own", "another of its own", "full", "only another", "nothing that fits"],
)
def test_a_device_gives_and_moves_only_from_what_it_holds(
    has: tuple[str, ...], taken: tuple[str, ...], fate: tuple[str, str, tuple[str, ...]]
) -> None:
    """The hub's T2 is free throughout, and it is not the device's to give."""
    rights = Rights()
    rights.granted(RIGHT, 1, RightGranted(DESK, has, 1, 0, FOREVER))
    view = fold(ID, [asked(Claim("T1", START, END))], rights)
    rows = [Held(ClaimId(b"x" * 16, 0), 0, 1000, 1, True, OTHER, RIGHT)]
    occupancy = Occupancy(lambda name, *_: rows if name in taken else [])
    of = venue(table("T1"), table("T2"), table("T3", 1))
    stock = GrantedStock(rights, DESK, occupancy, lambda held: held.start)
    verdict = judged(of, view, occupancy, stock)
    assert (verdict.verdict, verdict.reason) == fate[:2]
    assert tuple(claim.resource for claim in verdict.claims) == fate[2]
    if verdict.verdict != "displaced":
        assert {claim.right for claim in verdict.claims} == {RIGHT}


# --- what a guest may be told ---------------------------------------------------------------------


MADE: Final = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
MAKING: Final = bytes([1]) * 16
FIRST: Final = ClaimId(MAKING, 0)
WISH: Final = Claim("T1", START, END)
ELSEWHERE: Final = Claim("T2", START, END)
MOVE: Final = bytes([2]) * 16
GRANT: Final = RightGranted(DESK, ("T1", "T2"), 1, 0, FOREVER)


def after(event: Event, number: int = 3, **parts: Any) -> Seen:
    return written(event, number, follows=(MAKING,), **parts)


def made(right: bytes = b"", by: bytes = DESK) -> Seen:
    return written(MADE, 1, by=by, claims=(Claim("T1", START, END, right=right),))


def decided(verdict: str, decides: bytes = MAKING, *claims: Claim, **parts: Any) -> Seen:
    return after(
        ClaimDecided(decides, verdict), parts.pop("number", 4), by=HUB, claims=claims, **parts
    )


STANDBY: Final = after(
    ReservationMoved(), 2, claims=(Claim("T2", START, END, replaces=FIRST),)
)  # fmt: skip
CANCEL: Final = after(ReservationCancelled("guest_request", "guest"))


class Told(NamedTuple):
    why: str
    entries: tuple[Seen, ...]
    assurance: str
    status: str


TOLD: Final = (
    Told("sold by the hub from its own", (made(HUB_RIGHT, HUB),), "guaranteed", "confirmed"),
    Told("sold by a device from its right", (made(RIGHT),), "guaranteed", "confirmed"),
    Told("admitted by the holder", (made(), decided("admitted", MAKING, WISH)), "admitted",
         "confirmed"),
    Told("moved by the holder", (made(), decided("moved", MAKING, ELSEWHERE)), "admitted",
         "confirmed"),
    Told("asked for", (made(),), "provisional", "commit_pending"),
    Told("sold from what was not one's own", (made(HUB_RIGHT),), "provisional",
         "commit_pending"),
    Told("sold from a right that nobody granted as far as is known", (made(b"?" * 16),),
         "provisional", "commit_pending"),
    Told("displaced by the holder", (made(), decided("displaced", MAKING, WISH)), "none",
         "commit_failed"),
    Told("cancelled before it was decided", (made(), CANCEL), "none", "cancelled"),
    Told("cancelled and not freed yet", (made(RIGHT), CANCEL), "none", "cancelled"),
    Told("seated at its own place", (made(RIGHT), after(ReservationCheckedIn())), "guaranteed",
         "checked_in"),
    Told("seated and still asking", (made(), after(ReservationCheckedIn())), "provisional",
         "checked_in"),
    Told("gone", (made(RIGHT), after(ReservationCompleted())), "guaranteed", "completed"),
    Told("gone before anybody decided", (made(), after(ReservationCompleted())), "provisional",
         "completed"),
    Told("missed at its own place", (made(RIGHT), after(ReservationMarkedNoShow())),
         "guaranteed", "no_show"),
    Told("missed while it still asked", (made(), after(ReservationMarkedNoShow())),
         "provisional", "no_show"),
    Told("its own place while another is asked for", (made(RIGHT), STANDBY), "guaranteed",
         "confirmed"),
    Told("its own place after another was refused",
         (made(RIGHT), STANDBY, decided("displaced", MOVE, ELSEWHERE)), "guaranteed",
         "confirmed"),
    Told("another that was admitted, and the old one given up for it",
         (made(HUB_RIGHT, HUB), STANDBY, decided("admitted", MOVE, ELSEWHERE, ends=(FIRST,))),
         "admitted", "confirmed"),
)  # fmt: skip


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.why)
def test_a_guest_is_told_what_the_holders_said_and_no_more(told: Told) -> None:
    rights = Rights()
    rights.granted(RIGHT, 1, GRANT)
    view = fold(ID, told.entries, rights)
    assert (view.assurance, view.status) == (told.assurance, told.status)


def test_what_was_sold_behind_a_revoked_head_is_a_wish_again() -> None:
    rights = Rights()
    rights.granted(RIGHT, 1, GRANT)
    rights.revoked(2, b"v" * 16, RightRevoked(RIGHT, DESK, 0, bytes(32)))
    view = fold(ID, [made(RIGHT)], rights)
    assert (view.assurance, view.status) == ("provisional", "commit_pending")
