"""Small houses of other kinds, reckoned again minute by minute and night by night: pools of people,
rooms of a type by the night, and devices that each hold a right (V-14, V-39).

As in `test_brute_force` the reckoning shares nothing with the product but the numbers of the file:
lists that are gone through one by one. Nothing that is offered is refused a moment later, nothing
that is refused was possible, and what a device calls guaranteed is what its own right still has.
"""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from holdfast.model.errors import NotAvailable, RuleViolated
from holdfast.node.service import Service
from tests.kit import DAY, WEEK, Fleet

LENGTH, BUFFER, STEP = 90, 15, 30
OPENS, CLOSES = 8 * 60, 24 * 60
STARTS = range(OPENS, CLOSES - LENGTH + 1, STEP)


class Sale(NamedTuple):
    """So much of a resource from one minute, or night, on and before another, sold by somebody."""

    resource: str
    quantity: int
    start: int
    end: int
    seller: str
    number: int = 0
    """Of two alike both count."""


def most(sales: list[Sale], resource: str, start: int, end: int, seller: str = "") -> int:
    """The most that is sold of a resource at one instant in between."""
    return max(
        sum(
            one.quantity for one in sales
            if one.resource == resource and one.start <= at < one.end
            and seller in ("", one.seller)
        )
        for at in range(start, end)
    )  # fmt: skip


def at(minute: int) -> str:
    return f"{DAY}T{minute // 60:02}:{minute % 60:02}"


def minute_of(text: str) -> int:
    return int(text[11:13]) * 60 + int(text[14:16])


# --- pools of people ------------------------------------------------------------------------------


def hall(draw: random.Random) -> dict[str, Any]:
    return {
        "venue": "trattoria", "name": "Hall", "kind": "restaurant", "time_zone": "Europe/Rome",
        "slot_minutes": STEP, "seating_minutes": LENGTH, "buffer_minutes": BUFFER, "hours": WEEK,
        "policies": {"advance_days": 30, "max_party": 40},
        "resources": [
            {"id": name, "kind": "pool", "capacity": draw.randint(5, 12), "counts": "people"}
            for name in ("HALL", "YARD")
        ],
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_a_pool_of_people_gives_every_chair_it_has_and_no_other(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    file = hall(draw)
    chairs = {one["id"]: one["capacity"] for one in file["resources"]}
    sales: list[Sale] = []

    def possible(start: int, party: int) -> set[str]:
        end = start + LENGTH + BUFFER
        return {
            name for name, all_of_it in chairs.items()
            if most(sales, name, start, end) + party <= all_of_it
        }  # fmt: skip

    with Fleet(tmp_path, file) as fleet:
        hub = fleet.the_hub
        refused = 0
        for _ in range(40):
            start, party = draw.choice(STARTS), draw.randint(1, 7)
            there = possible(start, party)
            try:
                made = fleet.reserve(hub, at(start), (), party)
            except (NotAvailable, RuleViolated):
                assert not there, f"{party} at {at(start)} were refused, and {there} has room"
                refused += 1
                continue
            (claim,) = made.live
            assert claim.resource in there
            assert claim.quantity == party
            end = start + LENGTH + BUFFER
            sales.append(Sale(claim.resource, party, start, end, "hub"))
        assert refused > 5
        for party in range(1, max(chairs.values()) + 1):
            offered = {
                minute_of(slot["starts_at"]): set(slot["resources"])
                for slot in fleet.slots(hub, party)
                if slot["resources"]
            }
            can = {start: there for start in STARTS if (there := possible(start, party))}
            assert offered.keys() == can.keys(), party
            assert all(offered[start] <= can[start] for start in can)


# --- rooms of a type, by the night ----------------------------------------------------------------


FIRST_NIGHT = datetime.date.fromisoformat(DAY)
NIGHTS, SEATS, LONGEST = 8, 2, 5


def lodging(rooms: int) -> dict[str, Any]:
    return {
        "venue": "trattoria", "name": "Hotel", "kind": "lodging", "time_zone": "Europe/Rome",
        "stays": {"check_in": "15:00", "check_out": "11:00", "max_nights": LONGEST},
        "policies": {"advance_days": 30},
        "resources": [
            {"id": "DOUBLE", "kind": "room", "capacity": rooms, "counts": "units",
             "seats": [1, SEATS]},
            {"id": "R101", "kind": "room", "seats": [2, 3]},
        ],
    }  # fmt: skip


def night(number: int) -> str:
    return f"{FIRST_NIGHT + datetime.timedelta(days=number)}"


@pytest.mark.parametrize("seed", range(3))
def test_rooms_of_a_type_are_given_night_by_night(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    rooms = draw.randint(2, 4)
    sales: list[Sale] = []

    def possible(first: int, nights: int, party: int, quantity: int) -> set[str]:
        if not 1 <= nights <= LONGEST:
            return set()
        last = first + nights
        found = set()
        if party <= SEATS * quantity and most(sales, "DOUBLE", first, last) + quantity <= rooms:
            found.add("DOUBLE")
        if quantity == 1 and 2 <= party <= 3 and not most(sales, "R101", first, last):
            found.add("R101")
        return found

    with Fleet(tmp_path, lodging(rooms)) as fleet:
        hub = fleet.the_hub
        refused = 0
        for _ in range(30):
            first, nights = draw.randrange(NIGHTS), draw.randint(1, LONGEST + 1)
            party, quantity = draw.randint(1, 4), draw.choice((1, 1, 2))
            there = possible(first, nights, party, quantity)
            try:
                made = fleet.reserve(
                    hub, f"{night(first)}T15:00", (), party, nights=nights, quantity=quantity
                )
            except (NotAvailable, RuleViolated):
                assert not there, (night(first), nights, party, quantity, there)
                refused += 1
                continue
            (claim,) = made.live
            assert claim.resource in there, (night(first), nights, party, quantity)
            assert claim.quantity == quantity
            sales.append(Sale(claim.resource, quantity, first, first + nights, "hub"))
        assert refused > 3 and len(sales) > 3
        for nights in range(1, LONGEST + 1):
            for quantity in (1, 2):
                for party in range(1, 6):
                    can = {
                        night(first): there for first in range(NIGHTS)
                        if (there := possible(first, nights, party, quantity))
                    }  # fmt: skip
                    offered = {
                        slot["starts_at"][:10]: set(slot["resources"])
                        for first in range(NIGHTS)
                        for slot in fleet.slots(
                            hub, party, date=night(first), nights=nights, quantity=quantity
                        )
                        if slot["resources"]
                    }
                    assert offered.keys() == can.keys(), (nights, quantity, party)
                    assert all(offered[date] <= can[date] for date in can)


# --- devices with rights --------------------------------------------------------------------------


TABLES = {"T1": (1, 2), "T2": (1, 2), "T3": (2, 4), "T4": (3, 6)}
HOLDER = {"T1": "desk", "T2": "bar", "T3": "desk", "T4": "hub"}
CHAIRS = 10
SHARE = {"desk": 4, "bar": 3, "hub": 3}
HELD: dict[str, Any] = {
    "venue": "trattoria", "name": "Trattoria", "kind": "restaurant", "time_zone": "Europe/Rome",
    "slot_minutes": STEP, "seating_minutes": LENGTH, "buffer_minutes": BUFFER, "hours": WEEK,
    "policies": {"advance_days": 30, "max_party": 40},
    "resources": [
        *({"id": name, "kind": "table", "seats": list(seats)} for name, seats in TABLES.items()),
        {"id": "HALL", "kind": "pool", "capacity": CHAIRS, "counts": "people"},
    ],
    "allotments": [
        {"holder": "desk", "resources": ["T1", "T3"]},
        {"holder": "bar", "resources": ["T2"]},
        {"holder": "desk", "resources": ["HALL"], "quantity": SHARE["desk"]},
        {"holder": "bar", "resources": ["HALL"], "quantity": SHARE["bar"]},
    ],
}  # fmt: skip


def possible_at(
    known: list[Sale], who: str, kind: str, start: int, party: int
) -> tuple[set[str], set[str]]:
    """What a device that knows these sales may guarantee from a start on, and what is free at all
    as far as it knows."""
    end = start + LENGTH + BUFFER
    if kind == "pool":
        own = most(known, "HALL", start, end, who) + party <= SHARE[who]
        free = most(known, "HALL", start, end) + party <= CHAIRS
        return ({"HALL"} if own else set()), ({"HALL"} if free else set())
    there = {
        name for name, (least, seats) in TABLES.items()
        if least <= party <= seats and not most(known, name, start, end)
    }  # fmt: skip
    return {name for name in there if HOLDER[name] == who}, there


def check_slots(fleet: Fleet, replica: Service, known: list[Sale], kind: str, party: int) -> None:
    """Every start of the day, by what this device knows and holds."""
    told = {
        minute_of(slot["starts_at"]): (slot["assurance"], set(slot["resources"]))
        for slot in fleet.slots(replica, party, resource_kind=kind)
        if slot["resources"]
    }
    for start in STARTS:
        own, there = possible_at(known, replica.name, kind, start, party)
        case = (replica.name, kind, party, at(start), own, there, told.get(start))
        if not there:
            assert start not in told, case
            continue
        assurance, places = told[start]
        assert (assurance == "guaranteed") == bool(own), case
        assert places <= (own or there), case


@pytest.mark.parametrize("seed", range(3))
def test_a_device_guarantees_here_and_now_what_its_own_right_still_has(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    with Fleet(tmp_path, HELD) as fleet:
        fleet.join("desk")
        fleet.join("bar")
        fleet.sync_all()
        known: dict[str, list[Sale]] = {one.name: [] for one in fleet.replicas()}
        given = impossible = 0
        for turn in range(60):
            replica = draw.choice(fleet.replicas())
            sales = known[replica.name]
            kind, party = draw.choice(("table", "pool")), draw.randint(1, 5)
            if turn % 4 == 0:
                check_slots(fleet, replica, sales, kind, party)
            start = draw.choice(STARTS)
            own, there = possible_at(sales, replica.name, kind, start, party)
            if own:
                made = fleet.reserve(replica, at(start), (), party, resource_kind=kind)
                assert (made.status, made.assurance) == ("confirmed", "guaranteed")
                (claim,) = made.live
                assert claim.resource in own
                end = start + LENGTH + BUFFER
                sales.append(Sale(claim.resource, claim.quantity, start, end, replica.name, turn))
                given += 1
            elif not there:
                with pytest.raises((NotAvailable, RuleViolated)):
                    fleet.reserve(replica, at(start), (), party, resource_kind=kind)
                impossible += 1
            if turn % 20 == 19:
                # Until then nobody knows what the others sold.
                fleet.sync_all()
                everything = [*dict.fromkeys(sale for some in known.values() for sale in some)]
                known = {name: [*everything] for name in known}
        assert given > 15 and impossible > 0
        for one in fleet.replicas():
            for kind, largest in (("table", 6), ("pool", CHAIRS)):
                for party in range(1, largest + 1):
                    check_slots(fleet, one, known[one.name], kind, party)
        fleet.assert_agree()
