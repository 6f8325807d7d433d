"""Every start of a small house, reckoned again from its file: nothing more is refused, and nothing
else is offered (V-14, V-39).

The reckoning below shares nothing with the product but the venue file: minutes of the venue's own
clock, counted from midnight of today, and lists that are gone through one by one.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from holdfast.model.errors import HoldfastError
from holdfast.node import blocks
from holdfast.node.requests import BlockRequest
from holdfast.node.service import Service
from tests.kit import Fleet

TODAY = datetime.datetime(2027, 6, 2)
"""A Wednesday on which no clock changes for weeks; it is 10:13 in Rome when a fleet begins."""
NOW = 10 * 60 + 13
DAYS = 7
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_BEGINS = 4 * 60
EVENINGS: tuple[list[list[int]], ...] = ([], [[18, 23]], [[12, 15], [18, 25]], [[19, 26]])


class Table(NamedTuple):
    name: str
    least: int
    most: int
    area: str


class House(NamedTuple):
    """A venue file, and what has been taken so far: (resources, start, end with its buffer)."""

    file: dict[str, Any]
    tables: tuple[Table, ...]
    pairs: dict[frozenset[str], int]
    taken: list[tuple[frozenset[str], int, int]]
    parties: list[tuple[int, int]]


def moment(minute: int) -> str:
    return f"{TODAY + datetime.timedelta(minutes=minute):%Y-%m-%dT%H:%M}"


def clock(hour: int) -> str:
    return f"{hour if hour <= 24 else hour - 24:02}:00"


def minute_of(text: str) -> int:
    return int((datetime.datetime.fromisoformat(text[:16]) - TODAY).total_seconds()) // 60


def draw_house(draw: random.Random) -> House:
    tables = (
        Table("T1", 1, 2, "Main"), Table("T2", 1, 2, "Main"), Table("T3", 2, 4, "Main"),
        Table("T4", draw.choice((1, 3)), 6, "Garden"),
    )  # fmt: skip
    pairs = {frozenset({"T1", "T2"}): draw.choice((3, 4)), frozenset({"T2", "T3"}): 6}
    shut = draw.randrange(1, 5) * 1440 + draw.choice((17, 18, 19)) * 60 + draw.choice((0, 7))
    first = draw.randrange(4)
    one = draw.randrange(1, 5) * 1440 + 19 * 60
    file: dict[str, Any] = {
        "venue": "osteria", "name": "Osteria", "kind": "restaurant", "time_zone": "Europe/Rome",
        "day_starts_at": "04:00",
        "slot_minutes": draw.choice((15, 30, 45)),
        "seating_minutes": {2: draw.choice((60, 90)), 6: draw.choice((105, 120))},
        "buffer_minutes": draw.choice((0, 10, 15)),
        "hours": {
            day: [[clock(opens), clock(closes)] for opens, closes in EVENINGS[(n + first) % 4]]
            for n, day in enumerate(WEEKDAYS)
        },
        "closed": [f"{TODAY + datetime.timedelta(days=draw.randrange(1, 6)):%Y-%m-%d}"],
        "policies": {
            "advance_days": draw.choice((3, 5)),
            "cutoff_minutes": draw.choice((0, 120, 540)),
            "min_party": draw.choice((1, 2)),
            "max_party": draw.choice((5, 6)),
        },
        "blackouts": [
            {"from": moment(shut), "to": moment(shut + 95), "name": "a wedding"},
            {"from": moment(one), "to": moment(one + 60), "name": "wet", "resources": ["T4"]},
        ],
        "resources": [
            {"id": t.name, "kind": "table", "seats": [t.least, t.most], "area": t.area}
            for t in tables
        ],
    }  # fmt: skip
    file["resources"][1] |= {"combines_with": ["T1", "T3"]}
    if 3 in pairs.values():
        file["resources"][0] |= {"combined_capacity": 3}
    if draw.random() < 0.6:
        file["covers_per_slot"] = draw.choice((4, 6, 8))
    if draw.random() < 0.6:
        file["covers_at_once"] = draw.choice((5, 7, 9))
    return House(file, tables, pairs, [], [])


# --- the reckoning --------------------------------------------------------------------------------


def openings(house: House) -> Iterator[tuple[int, int]]:
    for day in range(-1, DAYS + 2):
        date = TODAY + datetime.timedelta(days=day)
        if f"{date:%Y-%m-%d}" in house.file["closed"]:
            continue
        for opens, closes in house.file["hours"][WEEKDAYS[date.weekday()]]:
            first, last = (int(text[:2]) * 60 for text in (opens, closes))
            yield day * 1440 + first, day * 1440 + (last if last > first else last + 1440)


def length_of(house: House, party: int) -> int:
    lengths = house.file["seating_minutes"]
    return int(lengths[2] if party <= 2 else lengths[6])


def slot_of(house: House, start: int) -> tuple[int, int] | None:
    """Of which opening the start is, and which slot of it."""
    for opens, closes in openings(house):
        if opens <= start < closes:
            return opens, (start - opens) // house.file["slot_minutes"]
    return None


def is_free(house: House, name: str, start: int, end: int) -> bool:
    return not any(name in names and start < e and s < end for names, s, e in house.taken)


def seatings(house: House, start: int, party: int) -> set[frozenset[str]]:
    """Every table and pair at which a party may sit from a start; empty: it may not come."""
    file, rules = house.file, house.file["policies"]
    end = start + length_of(house, party)
    slot = slot_of(house, start)
    days_ahead = (start - DAY_BEGINS) // 1440 - (NOW - DAY_BEGINS) // 1440
    if (
        slot is None
        or (start - slot[0]) % file["slot_minutes"]
        or not any(opens <= start and end <= closes for opens, closes in openings(house))
        or not rules["min_party"] <= party <= rules["max_party"]
        or start - NOW < rules["cutoff_minutes"]
        or days_ahead > rules["advance_days"]
    ):
        return set()
    if "covers_per_slot" in file:
        others = sum(size for at, size in house.parties if slot_of(house, at) == slot)
        if others + party > file["covers_per_slot"]:
            return set()
    if "covers_at_once" in file:
        for minute in range(start, end):
            there = [n for at, n in house.parties if at <= minute < at + length_of(house, n)]
            if sum(there) + party > file["covers_at_once"]:
                return set()
    shut: set[str] = set()
    for one in file["blackouts"]:
        if minute_of(one["from"]) < end and start < minute_of(one["to"]):
            shut |= set(one.get("resources", [t.name for t in house.tables]))
    until = end + file["buffer_minutes"]
    at_table = {
        t.name: t for t in house.tables
        if t.name not in shut and is_free(house, t.name, start, until)
    }  # fmt: skip
    found = {frozenset({t.name}) for t in at_table.values() if t.least <= party <= t.most}
    for pair, seats in house.pairs.items():
        if pair <= at_table.keys() and sum(at_table[one].least for one in pair) <= party <= seats:
            found.add(pair)
    return found


# --- the product beside it ------------------------------------------------------------------------


def take(house: House, fleet: Fleet, replica: Service, start: int, party: int) -> bool:
    """Whether the product gives a party a place, which must be one of those that there are."""
    there = seatings(house, start, party)
    try:
        made = fleet.reserve(replica, moment(start), (), party)
    except HoldfastError:
        assert not there, f"{party} at {moment(start)} were refused, and {there} is free"
        return False
    given = frozenset(claim.resource for claim in made.live)
    assert given in there, f"{party} at {moment(start)} have {set(given)}, of {there}"
    until = start + length_of(house, party) + house.file["buffer_minutes"]
    house.taken.append((given, start, until))
    house.parties.append((start, party))
    return True


def block(house: House, replica: Service, draw: random.Random) -> None:
    name = draw.choice(house.tables).name
    start = draw.randrange(1, 5) * 1440 + draw.randrange(11 * 60, 24 * 60)
    end = start + draw.choice((30, 77, 240))
    if not is_free(house, name, start, end):
        return
    blocks.block(
        replica,
        BlockRequest(
            venue="osteria", kind="maintenance", resources=[name],
            starts_at=moment(start), ends_at=moment(end),
        ),
    )  # fmt: skip
    house.taken.append((frozenset({name}), start, end))


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_refused_that_was_possible_and_nothing_offered_that_is_not(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    house = draw_house(draw)
    with Fleet(tmp_path, house.file) as fleet:
        hub = fleet.the_hub
        step = house.file["slot_minutes"]
        offered_at = [at for opens, closes in openings(house) for at in range(opens, closes, step)]
        given = refused = 0
        for turn in range(60):
            if turn % 12 == 5:
                block(house, hub, draw)
            any_minute = draw.randrange(0, DAYS) * 1440 + draw.randrange(11 * 60, 26 * 60)
            start = any_minute if draw.random() < 0.1 else draw.choice(offered_at)
            if take(house, fleet, hub, start, draw.randint(1, 7)):
                given += 1
            else:
                refused += 1
        assert given > 2 and refused > 5
        compared = 0
        for day in range(DAYS):
            date = f"{TODAY + datetime.timedelta(days=day):%Y-%m-%d}"
            for party in range(1, 8):
                offered = {
                    minute_of(slot["starts_at"]): frozenset(slot["resources"])
                    for slot in fleet.slots(hub, party, date=date)
                    if slot["resources"]
                }
                possible = {
                    start: there
                    for start in range(day * 1440 + DAY_BEGINS, (day + 1) * 1440 + DAY_BEGINS)
                    if (there := seatings(house, start, party))
                }
                assert offered.keys() == possible.keys(), (date, party)
                assert all(offered[start] in possible[start] for start in offered)
                compared += len(possible)
        assert compared > 10
