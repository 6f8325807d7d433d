"""A Saturday from the first call to the last guest, with the network unplugged all evening.

150 reservations and 40 walk-ins at two desks, a kiosk and the hub; parties that move, come with
fewer people, stay away or call off; two tables put together; a bay that breaks; a waitlist. From
18:00 to 22:00 no device reaches the hub. Every number is then reckoned a second time by `ledger`,
which knows what the script did and what callers were told, and nothing else.
"""

from __future__ import annotations

import datetime
import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from holdfast.model.errors import HoldfastError, NotAvailable, RuleViolated
from holdfast.model.reservation import View, shown_claims
from holdfast.node import blocks, lapsing, reporting, waiting
from holdfast.node.requests import BlockRequest, OfferRequest, ReserveRequest, WaitRequest
from holdfast.node.service import Service
from tests.kit import START_MS, Fleet
from tests.saturday.ledger import Ledger, Row

DATE: Final = "2027-06-05"
ROME: Final = ZoneInfo("Europe/Rome")
GUESTS, WALK_INS, NO_SHOWS = 150, 40, 12
CUT, HEALED = "18:00", "22:00"
CUTOFF_MINUTES: Final = 120

TABLES: Final = [f"T{number:02d}" for number in range(1, 25)]
BAYS: Final = [f"BAY-{number}" for number in range(1, 5)]
SEATS: Final = [[1, 2]] * 10 + [[2, 4]] * 9 + [[4, 6]] * 5
LEFT_RIGHT: Final = ("left", "right")
LARGE: Final = (("left", ["T11", "T12"]), ("right", ["T13", "T14"]), ("right", ["T20", "T21"]))
"""Parties of eight, and the two tables that a device has for them."""
PAIRS: Final = {"T11": "T12", "T13": "T14", "T20": "T21"}
VENUE: Final[dict[str, Any]] = {
    "venue": "saturday", "name": "Saturday", "kind": "restaurant", "time_zone": "Europe/Rome",
    "slot_minutes": 15, "seating_minutes": {"2": 75, "4": 90, "8": 120}, "buffer_minutes": 0,
    "hours": {day: [["12:00", "24:00"]] for day in ("wed", "thu", "fri", "sat", "sun")},
    "policies": {"advance_days": 30, "max_party": 10, "cancel_cutoff_minutes": CUTOFF_MINUTES},
    "resources": [
        *(
            {"id": table, "kind": "table", "seats": seats}
            | ({"combines_with": [PAIRS[table]]} if table in PAIRS else {})
            for table, seats in zip(TABLES, SEATS, strict=True)
        ),
        *({"id": bay, "kind": "bay", "seats": [1, 4]} for bay in BAYS),
    ],
    "allotments": [
        {"holder": "left", "resources": [f"T{number:02d}" for number in range(1, 13)]},
        {"holder": "right", "resources": [f"T{number:02d}" for number in range(13, 22)]},
        {"holder": "right", "resources": ["BAY-1", "BAY-2"]},
        {"holder": "kiosk", "resources": ["BAY-3", "BAY-4"]},
    ],
}  # fmt: skip


def clock(time: str, date: str = DATE) -> int:
    """The instant of a time on the venue's clock, epoch seconds."""
    local = datetime.datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=ROME)
    return int(local.timestamp())


def wall(at: int) -> str:
    return datetime.datetime.fromtimestamp(at, ROME).strftime("%Y-%m-%dT%H:%M")


class Waiting(NamedTuple):
    """Somebody on the waitlist: their entry, which device wrote it, and when (epoch seconds)."""

    view: View
    device: str
    joined: int


class Saturday:
    """The script: a queue of what happens when, played on a fleet and noted in the ledger."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.draw = random.Random(20270605)
        self.ledger = Ledger((clock("12:00"), clock("23:59") + 60), CUTOFF_MINUTES, TABLES + BAYS)
        self.refused: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.waiting: list[Waiting] = []
        self.asked_for: list[Waiting] = []
        self.asked_to_move: set[str] = set()
        self._queue: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()
        self._sources = {"hub": "website", "left": "phone", "right": "phone", "kiosk": "direct"}

    # --- time -----------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Epoch seconds."""
        return self.now_ms // 1000

    @property
    def now_ms(self) -> int:
        return int(START_MS + self.fleet.clocks.elapsed_ms)

    def at(self, when: int, act: Callable[[], object]) -> None:
        heapq.heappush(self._queue, (when, next(self._order), act))

    def play(self) -> None:
        while self._queue:
            when, _, act = heapq.heappop(self._queue)
            self.fleet.clocks.advance(seconds=max(when - self.now_ms / 1000, 0))
            act()
            for replica in self.fleet.replicas():
                lapsing.lapse(replica, self.fleet.book)
            if self.draw.random() < 0.4:
                self.fleet.sync_all(1)

    def replica(self, name: str) -> Service:
        return self.fleet.the_hub if name == "hub" else self.fleet.nodes[name]

    # --- making ---------------------------------------------------------------------------------

    def call(self, device: str, *, walk_in: bool = False, **wanted: Any) -> Row | None:
        """Somebody asks for a place; None where they are told that there is none."""
        source = "walk_in" if walk_in else self._sources[device]
        bay = wanted.pop("bay", False) or device == "kiosk"
        party = wanted.pop("party", None) or self.draw.choice((1, 2, 2, 2, 2, 3, 4, 4, 5))
        party = min(party, 4) if bay else party
        more: dict[str, Any] = {"kind": "walk_in" if walk_in else "guest", **wanted}
        guest = self._regular(device, walk_in)
        if guest:
            more["user_id"] = guest
        if bay:
            more |= {"resource_kind": "bay", "duration_minutes": 60}
        try:
            view = self.fleet.reserve(
                self.replica(device), wall(more.pop("start")), party=party, source=source,
                guest={"name": "Somebody"}, **more,
            )  # fmt: skip
        except NotAvailable:
            self.refused[device] += 1
            return None
        row = Row(
            view.code, device, self.now, party, walk_in, source, view.starts_at, view.ends_at,
            tuple(sorted(claim.resource for claim in (view.live or view.pending))),
            view.assurance, self.now, view.status, guest=guest,
        )  # fmt: skip
        assert (row.told, row.status) in (
            ("guaranteed", "confirmed"), ("admitted", "confirmed"),
            ("provisional", "commit_pending"),
        )  # fmt: skip
        self.ledger.write(row)
        self._plan_visit(row)
        return row

    def _regular(self, device: str, walk_in: bool) -> str:
        """Each fourth who calls is one of nine who come often."""
        self.done["calls"] += 1
        if walk_in or device == "kiosk" or self.done["calls"] % 4:
            return ""
        return f"regular-{self.done['calls'] // 4 % 9}"

    def next_quarter(self) -> int:
        return self.now - self.now % 900 + 900

    def _plan_visit(self, row: Row) -> None:
        """They come a little early or late; some with fewer; they leave before their time is up."""
        if self.draw.random() < 0.05 and not row.walk_in:
            hours = self.draw.choice((1, 6))
            self.at(max(row.start - hours * 3600, self.now + 60), lambda: self.cancel(row))
        when = row.start + (60 if row.walk_in else self.draw.randrange(0, 600, 60))
        self.at(when, lambda: self.arrive(row))

    def hear_fates(self) -> None:
        """Whoever waited for an answer is called back."""
        for row in self.ledger.rows.values():
            self._can(row)
        for waits in self.asked_for:
            view = self.replica(waits.device).reservations.find(waits.view.code)
            if view.decision is not None and view.decision.verdict == "admitted":
                self.ledger.waited[view.code] = "offered"

    # --- what becomes of them -------------------------------------------------------------------

    def _can(self, row: Row, *statuses: str) -> bool:
        """Whether the device at the door can do it by what it knows: a provisional one is asked."""
        if row.told == "provisional":
            view = self.replica(row.device).reservations.find(row.code)
            row.status = view.status
            if view.decision is not None:
                row.sure = (view.decision.stamp >> 16) // 1000
            row.tables = tuple(sorted(claim.resource for claim in view.live)) or row.tables
        elif row.code in self.asked_to_move:
            view = self.replica(row.device).reservations.find(row.code)
            row.start, row.end = view.starts_at, view.ends_at
            row.tables = tuple(sorted(claim.resource for claim in view.live)) or row.tables
            if view.decision is not None:
                row.sure = max(row.sure, (view.decision.stamp >> 16) // 1000)
        return row.status in statuses

    def cancel(self, row: Row) -> None:
        if not self._can(row, "confirmed") or self.now >= row.start:
            return
        late = self.now > row.start - CUTOFF_MINUTES * 60
        replica = self.replica(row.device)
        if late:
            with pytest.raises(HoldfastError):
                replica.reservations.cancel(row.code)
        replica.reservations.cancel(row.code, "guest_request", "guest", late=late)
        row.status, row.called_off, row.called_off_by = "cancelled", self.now, "guest"
        self.done["cancelled"] += 1

    def arrive(self, row: Row) -> None:
        if self.now < row.start:
            self.at(row.start + 120, lambda: self.arrive(row))  # It was moved to later.
            return
        if not self._can(row, "confirmed"):
            return
        missing = not row.walk_in and row.device != "kiosk"  # where nobody stands who could say so
        if missing and self.done["no_show"] < NO_SHOWS and self.draw.random() < 0.12:
            self.done["no_show"] += 1
            self.at(row.start + 20 * 60, lambda: self.no_show(row))
            return
        came = row.party - 1 if row.party > 2 and self.draw.random() < 0.1 else row.party
        self.replica(row.device).reservations.check_in(row.code, came)
        row.status, row.came_ms, row.came_party = "checked_in", self.now_ms, came
        leave = row.end - self.draw.randrange(60, 1200, 60)
        self.at(max(leave, self.now + 300), lambda: self.leave(row))

    def no_show(self, row: Row) -> None:
        self.replica(row.device).reservations.no_show(row.code)
        row.status, row.called_off = "no_show", self.now

    def leave(self, row: Row) -> None:
        self.replica(row.device).reservations.complete(row.code)
        row.status, row.left, row.left_ms = "completed", self.now, self.now_ms
        self.done["completed"] += 1

    def move(self, row: Row) -> None:
        """To a quarter, half or whole hour later, where the device has a place for that."""
        if not self._can(row, "confirmed") or row.told != "guaranteed" or self.now >= row.start:
            return
        replica = self.replica(row.device)
        before = self.fleet.now(replica, replica.reservations.find(row.code))
        try:
            view = self.fleet.move(
                replica, before, time=wall(row.start + self.draw.choice((900, 1800, 3600)))
            )
        except (NotAvailable, RuleViolated):
            self.refused["move"] += 1
            assert self.fleet.now(replica, before) == before, "a move that failed changed something"
            return
        if view.pending:
            self.asked_to_move.add(row.code)  # The old place stays until the holder has answered.
            return
        row.start, row.end = view.starts_at, view.ends_at
        row.tables = tuple(sorted(claim.resource for claim in view.live))
        row.moves += 1
        self.done["moved"] += 1

    # --- the evening's mishaps --------------------------------------------------------------------

    def break_bay(self, bay: str) -> None:
        """It is out of use until the night; who has it gets the other one, if need be a little
        later, or is called off."""
        replica = self.replica("right")
        blocks.block(
            replica,
            BlockRequest(
                venue="saturday", kind="maintenance", reason="broken", resources=[bay],
                starts_at=wall(self.now), ends_at=f"{DATE}T23:59", force=True,
            ),
        )  # fmt: skip
        self.ledger.out_of_use.append((bay, self.now, clock("23:59")))
        for row in list(self.ledger.rows.values()):
            if bay not in row.tables or row.status != "confirmed" or row.end <= self.now:
                continue
            if not any(self._other_bay(row, later) for later in (0, 1800, 3600)):
                replica.reservations.cancel(row.code, "maintenance", "venue", late=True)
                row.status, row.called_off, row.called_off_by = "cancelled", self.now, "venue"
                self.done["called off for the broken bay"] += 1

    def _other_bay(self, row: Row, later: int) -> bool:
        replica = self.replica("right")
        view = replica.reservations.find(row.code)
        try:
            moved = self.fleet.move(
                replica,
                view,
                resources=["BAY-1"],
                time=wall(row.start + later),
                duration_minutes=60,
            )
        except (NotAvailable, RuleViolated):
            return False
        row.start, row.end = moved.starts_at, moved.ends_at
        row.tables = tuple(sorted(claim.resource for claim in moved.live))
        self.done["moved from the broken bay"] += 1
        return True

    def put_on_waitlist(self, device: str, party: int, first: str, last: str) -> None:
        view = waiting.join(
            self.replica(device),
            WaitRequest(
                venue="saturday", date=DATE, party_size=party, earliest=first, latest=last,
                guest={"name": "Waits"}, source="phone", resource_kind="table",
            ),
        )  # fmt: skip
        self.waiting.append(Waiting(view, device, self.now))
        self.ledger.waited[view.code] = "joined"

    def look_after_waitlist(self) -> None:
        """Whoever waits longest is offered the first place that fits; every third lets it lapse."""
        for waits in list(self.waiting):
            replica = self.replica(waits.device)
            view = self.fleet.now(replica, waits.view)
            if view.status != "intent" or view.occupying or view.pending:
                continue
            try:
                offered = waiting.offer(replica, view.code, OfferRequest(minutes=10))
            except NotAvailable:
                continue
            if not offered.live:
                self.asked_for.append(waits)  # Another has it to give.
                continue
            self.done["offered"] += 1
            self.ledger.waited[view.code] = "offered"
            if self.done["offered"] % 3 != 0:
                self.at(self.now + 240, partial(self.accept, waits))

    def accept(self, waits: Waiting) -> None:
        replica = self.replica(waits.device)
        taken = waiting.accept(replica, waits.view.code, ReserveRequest())
        assert (taken.status, taken.assurance) == ("confirmed", "guaranteed")
        self.waiting.remove(waits)
        self.ledger.waited[taken.code] = "accepted"
        row = Row(
            taken.code, waits.device, waits.joined, taken.party_size, False, "phone",
            taken.starts_at, taken.ends_at, tuple(sorted(c.resource for c in taken.live)),
            "guaranteed", self.now,
        )  # fmt: skip
        self.ledger.write(row)
        self.done["accepted"] += 1
        self.at(row.start + 60, lambda: self.arrive(row))


def script(day: Saturday) -> None:
    """Everything that is to happen, and when."""
    fleet = day.fleet
    for number, (device, _) in enumerate(LARGE):
        start = clock("19:00") + 900 * number
        day.at(day.now + 60, partial(day.call, device, start=start, party=8))
    for bay, time in (
        ("BAY-2", "18:30"),
        ("BAY-2", "19:30"),
        ("BAY-1", "21:00"),
        ("BAY-2", "21:00"),
    ):
        start, named = clock(time), [bay]
        day.at(day.now + 90, partial(day.call, "right", start=start, bay=True, resources=named))
    day.at(day.now + 120, lambda: _calls(day, GUESTS * 2 // 3, (300, 1500)))
    day.at(clock("10:00"), lambda: _calls(day, GUESTS - 15, (30, 240)))
    day.at(clock("18:01"), lambda: _calls(day, GUESTS, (5, 60)))
    day.at(clock("12:10"), lambda: _walk_in(day))
    for minute in range(0, 600, 40):
        day.at(clock("12:01") + minute * 60, lambda: _move_somebody(day))
    for number in range(6):
        day.at(
            clock("17:00") + 1500 * number,
            partial(day.put_on_waitlist, LEFT_RIGHT[number % 2], 2 + number % 3, "19:00", "21:45"),
        )
    for minute in range(0, 300, 12):
        day.at(clock("17:10") + minute * 60, day.look_after_waitlist)
    day.at(clock("19:10"), lambda: day.break_bay("BAY-2"))
    day.at(clock(CUT), lambda: fleet.cut("left", "right", "kiosk"))
    day.at(clock(HEALED), fleet.heal)
    day.at(clock("23:59") + 3600, fleet.sync_all)


def _calls(day: Saturday, wanted: int, between: tuple[int, int]) -> None:
    """Calls at random moments until so many have a reservation: most for the evening, and each
    tenth for a table by its number, whoever may sell that."""
    made = sum(not row.walk_in for row in day.ledger.rows.values()) - day.done["accepted"]
    if made >= wanted or day.now > clock("21:00"):
        return
    draw = day.draw
    device = draw.choice(("hub", "left", "left", "right", "right", "kiosk"))
    starts = [clock("12:00") + 900 * quarter for quarter in range(41)]
    evening = [at for at in starts if clock("18:30") <= at <= clock("21:30")]
    start = draw.choice([at for at in (*starts, *evening) if at > day.now + 1800])
    if device != "kiosk" and draw.random() < 0.1:
        named = [draw.choice(TABLES[10:19])]
        day.call(device, start=start, party=draw.choice((2, 3, 4)), resources=named)
    else:
        day.call(device, start=start, bay=device == "right" and draw.random() < 0.15)
    day.at(day.now + draw.randrange(*between), lambda: _calls(day, wanted, between))


def _walk_in(day: Saturday) -> None:
    device = day.draw.choice((*LEFT_RIGHT, *LEFT_RIGHT, "kiosk"))
    party = day.draw.choice((1, 1, 2, 2))
    row = day.call(device, walk_in=True, start=day.next_quarter(), party=party)
    day.done["walked in"] += row is not None
    if day.done["walked in"] < WALK_INS and day.now < clock("22:15"):
        day.at(day.now + day.draw.randrange(60, 240), lambda: _walk_in(day))


def _move_somebody(day: Saturday) -> None:
    coming = [
        row
        for row in day.ledger.rows.values()
        if row.status == "confirmed" and row.told == "guaranteed" and not row.walk_in
        and row.start > day.now + 1800 and row.device != "hub"
    ]  # fmt: skip
    if coming:
        day.move(day.draw.choice(coming))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saturday]:
    with Fleet(tmp_path_factory.mktemp("saturday"), VENUE) as fleet:
        for name in LEFT_RIGHT:
            fleet.join(name)
        fleet.join("kiosk", "kiosk")
        fleet.sync_all()
        day = Saturday(fleet)
        script(day)
        day.play()
        fleet.assert_agree()
        day.hear_fates()
        yield day


def fate(day: Saturday, row: Row) -> View:
    return day.fleet.the_hub.reservations.find(row.code)


def told(day: Saturday, *assurances: str) -> list[Row]:
    return [row for row in day.ledger.rows.values() if row.told in assurances]


def test_it_was_a_day_as_it_was_meant_to_be(day: Saturday):
    """The script would prove little if half of it had been refused."""
    rows = day.ledger.rows.values()
    assert sum(row.walk_in for row in rows) == WALK_INS
    assert sum(not row.walk_in for row in rows) - day.done["accepted"] == GUESTS
    assert day.done["no_show"] == NO_SHOWS
    mishaps = ("moved from the broken bay", "called off for the broken bay")
    for what in ("moved", "cancelled", "offered", "accepted", *mishaps):
        assert day.done[what], f"nobody was {what}: {day.done}"
    assert day.ledger.figures()["repeats"]["parties"] > 1
    offline = [row for row in rows if clock(CUT) <= row.made < clock(HEALED)]
    assert {row.device for row in offline} >= {"left", "right", "kiosk"}
    assert sum(row.told == "guaranteed" for row in offline) >= 10
    assert any(row.told == "provisional" for row in offline)
    assert {row.tables for row in rows if row.party == 8} == {tuple(pair) for _, pair in LARGE}


def test_whoever_was_told_that_they_have_a_place_had_it(day: Saturday):
    for row in told(day, "guaranteed", "admitted"):
        view = fate(day, row)
        places = tuple(sorted({claim.resource for claim in shown_claims(view)}))
        assert (view.status, view.starts_at, view.ends_at) == (row.status, row.start, row.end)
        if row.booked:
            assert places == row.tables, row
    assert day.ledger.clashes() == []


def test_whoever_was_told_to_wait_for_an_answer_got_one(day: Saturday):
    """A place that nobody had, or the truth: somebody else sits there."""
    fates: Counter[str] = Counter()
    for row in told(day, "provisional"):
        view = fate(day, row)
        assert view.decision is not None
        fates[view.decision.verdict] += 1
        if view.decision.verdict == "displaced":
            assert day.ledger.in_the_way(row), f"{row} was refused a place that nobody had"
    assert fates["admitted"]
    assert fates.total() == len(told(day, "provisional"))


def test_every_number_is_what_the_ledger_says(day: Saturday):
    wanted, minutes = day.ledger.figures(), day.ledger.minutes()
    for replica in day.fleet.replicas():
        found = reporting.of_service(replica, "saturday", DATE)
        assert {name: found[name] for name in wanted} == wanted, replica.name
        use = {one["resource"]: one["booked_minutes"] for one in found["resources"]}
        assert use == minutes
        broken = (clock("23:59") - clock("19:10")) // 60
        assert found["utilisation"]["open_minutes"] == 12 * 60 * len(TABLES + BAYS) - broken
        assert found["utilisation"]["booked_minutes"] == sum(minutes.values())


def test_nobody_waits_for_ever(day: Saturday):
    """Of those on the waitlist each has a table or was let go; every queue is empty."""
    for replica in day.fleet.replicas():
        assert waiting.lines(replica, "saturday") == []
        assert replica.store.queue.counts().get("queued", 0) == 0
