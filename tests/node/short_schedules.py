"""Random short schedules of two devices and a hub, on the real code: small enough that thousands of
interleavings are played in a minute, where the simulator plays days.

A schedule is a list of steps: what is asked for where (reserve, hold, wait, offer, move, reserve
what was held, cancel, mark who did not come, take that back), who exchanges with whom, and whose
answer is lost. After every step every replica is asked: what was confirmed has a place, what is
held is kept, nothing is sold twice on one replica or on all together, nobody's reservation became
somebody else's. At the end all agree, and nothing waits.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import itertools
import random
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from holdfast.model import lifecycle
from holdfast.model.claims import PENDING, READY, SPARE, STANDBY
from holdfast.model.errors import HoldfastError, Unreachable
from holdfast.model.events import ClaimDecided
from holdfast.model.reservation import View, claims_to_end, content_of, view_digest
from holdfast.node import holds, waiting
from holdfast.node.requests import (
    CreateRequest,
    HoldRequest,
    OfferRequest,
    PatchRequest,
    ReserveRequest,
    WaitRequest,
)
from holdfast.node.service import Service
from tests.kit import WEEK, Fleet, exchange_once

VENUE: Final[dict[str, Any]] = {
    "venue": "trattoria", "name": "Trattoria", "kind": "restaurant", "time_zone": "Europe/Rome",
    "slot_minutes": 30, "seating_minutes": 90, "hours": WEEK, "policies": {"advance_days": 3_000},
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 4]},
        {"id": "T2", "kind": "table", "seats": [1, 4]},
        {"id": "T3", "kind": "table", "seats": [1, 4]},
        {"id": "HALL", "kind": "pool", "capacity": 4, "counts": "people"},
    ],
    "allotments": [
        {"holder": "desk", "resources": ["T1"]},
        {"holder": "bar", "resources": ["T2"]},
        {"holder": "desk", "resources": ["HALL"], "quantity": 2},
    ],
}  # fmt: skip
CAPACITY: Final = {"T1": 1, "T2": 1, "T3": 1, "HALL": 4}
DEVICES: Final = ("desk", "bar")
EVERYBODY: Final = ("hub", *DEVICES)
PLACES: Final = ("T1", "T1", "T2", "T2", "T3", "T3", "HALL")
TIMES: Final = ("19:00", "20:00", "20:30")
PROMISED: Final = frozenset({lifecycle.CONFIRMED, lifecycle.CHECKED_IN})
KEPT: Final = PROMISED | {lifecycle.INTENT, lifecycle.COMMIT_PENDING}
FIRST_DAY: Final = datetime.date(2027, 6, 3)
MARK: Final = "reservation.no_show"
UNDOING: Final = "reservation.no_show_undone"

Step = tuple[Any, ...]


class Broken(AssertionError):
    """A promise that a schedule broke."""


class Known(NamedTuple):
    """What a replica showed of a reservation when it was looked at last: `had` are the operations
    by which it has its place, `marks` those that marked it as a no-show, as far as it knew."""

    promised: bool
    kept: bool
    agent: str
    had: frozenset[bytes]
    marks: frozenset[bytes]


# --- schedules ------------------------------------------------------------------------------------


def draw(seed: int, form: str) -> list[Step]:
    """The schedule of a seed: `form` is what is made first, `plain`, `hold` or `wait`; `late` is a
    plain one whose guests are not there when it begins."""
    by = random.Random(f"{form} {seed}")
    if form == "late":
        return _draw_late(by)
    steps: list[Step] = [_make(by, form)]
    forms = [form]
    if by.random() < 0.7:
        steps += [("sync", one) for one in by.choice((("desk", "bar", "desk"), ("bar", "desk")))]
    for _ in range(by.randint(4, 10)):
        which, who, kind = by.randrange(len(forms)), by.choice(EVERYBODY), by.random()
        if kind < 0.4:
            steps.append(_spread(by))
        elif kind < 0.64:
            if forms[which] == "wait" and by.random() < 0.7:
                steps.append(("offer", who, which, by.choice(PLACES)))
            else:
                place = by.choice(PLACES) if by.random() < 0.8 else None
                time = by.choice(TIMES) if by.random() < 0.4 else None
                steps.append(("move", who, which, place, time))
        elif kind < 0.86 and forms[which] != "plain":
            # Who waits is one person; of a hold two may think that it is theirs.
            guest = "ann" if forms[which] == "wait" else by.choice(("ann", "ben"))
            steps.append(("reserve", who, which, guest))
        elif kind < 0.9 and len(forms) < 2:
            forms.append(by.choice(("plain", "hold")))
            steps.append(_make(by, forms[-1]))
        elif kind < 0.94:
            steps.append(("cancel", who, which))
        else:
            steps.append(_spread(by))
    return steps


def _draw_late(by: random.Random) -> list[Step]:
    steps: list[Step] = [("make", by.choice(EVERYBODY), "plain", by.choice(PLACES), "19:00", False)]
    if by.random() < 0.7:
        steps += [("sync", one) for one in by.choice((("desk", "bar", "desk"), ("bar", "desk")))]
    steps.append(("late",))
    for _ in range(by.randint(7, 15)):
        who, kind = by.choice(EVERYBODY), by.random()
        if kind < 0.36:
            steps.append(_spread(by))
        elif kind < 0.56:
            steps.append(("no_show", who, 0))
        elif kind < 0.78:
            steps.append(("undo_no_show", who, 0))
        elif kind < 0.86:
            steps.append(("walk_in", who, by.choice(PLACES)))
        elif kind < 0.94:
            steps.append(("move", who, 0, by.choice(PLACES), None))
        elif kind < 0.97:
            steps.append(("check_in", who, 0))
        else:
            steps.append(("cancel", who, 0))
    return steps


def _make(by: random.Random, form: str) -> Step:
    return (
        "make",
        by.choice(EVERYBODY),
        form,
        by.choice(PLACES),
        by.choice(TIMES),
        by.random() < 0.3,
    )


def _spread(by: random.Random) -> Step:
    kind = by.random()
    if kind < 0.6:
        return "sync", by.choice(DEVICES)
    if kind < 0.85:
        return "lost", by.choice(DEVICES)
    return "meet", *by.sample(DEVICES, 2)


# --- playing --------------------------------------------------------------------------------------


class Town:
    """A hub and two devices, used for many schedules, each on a day of its own."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        for name in DEVICES:
            fleet.join(name)
        fleet.sync_all()
        self.days = itertools.count(1)

    def replica(self, who: str) -> Any:
        return self.fleet.the_hub if who == "hub" else self.fleet.nodes[who]


class Game:
    """One schedule as it is played. `keeps`: what is held counts too, and not only promises."""

    def __init__(self, town: Town, *, keeps: bool) -> None:
        self._town, self._keeps = town, keeps
        self._date = (FIRST_DAY + datetime.timedelta(days=next(town.days))).isoformat()
        self._made: list[View | None] = []
        self._ended: set[bytes] = set()
        self._known: dict[tuple[str, bytes], Known] = {}

    @property
    def made(self) -> bool:
        """Whether there is anything that could be lost."""
        return any(view is not None for view in self._made)

    def play(self, steps: Sequence[Step]) -> None:
        """Play a schedule to its end. Raises Broken."""
        for step in steps:
            self._town.fleet.clocks.advance(seconds=1)
            # What is refused is no schedule's fault: whoever asked was told.
            with contextlib.suppress(HoldfastError):
                self._do(step)
            self._look()
        self._settle()

    def _do(self, step: Step) -> None:
        what, *rest = step
        fleet, replica = self._town.fleet, self._town.replica
        if what == "sync":
            fleet.sync(replica(rest[0]))
        elif what == "lost":
            fleet.losing_answers[rest[0]] = True
            with contextlib.suppress(Unreachable):
                fleet.sync(replica(rest[0]))
            fleet.losing_answers.pop(rest[0], None)
            replica(rest[0]).reset_peer()
        elif what == "meet":
            exchange_once(replica(rest[0]), replica(rest[1]))
        elif what == "late":
            at = datetime.datetime.fromisoformat(f"{self._date}T19:40+02:00")
            now_ms = fleet.the_hub.clock.now_ms()
            fleet.clocks.advance(seconds=at.timestamp() - now_ms / 1000)
        elif what == "walk_in":
            self._made.append(None)
            self._made[-1] = replica(rest[0]).reservations.create(
                CreateRequest(
                    venue="trattoria", starts_at=f"{self._date}T19:30", party_size=2,
                    resources=[rest[1]], kind="walk_in",
                )
            )  # fmt: skip
        elif what == "make":
            self._made.append(None)
            self._made[-1] = self._make(replica(rest[0]), *rest[1:])
        else:
            who, which, *more = rest
            view = self._made[which]
            if view is not None:
                self._ask(what, replica(who), view, more)

    def _make(self, replica: Service, form: str, place: str, time: str, may_move: bool) -> View:
        at = f"{self._date}T{time}"
        if form == "wait":
            return waiting.join(
                replica,
                WaitRequest(
                    venue="trattoria", date=self._date, party_size=2, earliest="19:00",
                    latest="21:30",
                ),
            )  # fmt: skip
        if form == "hold":
            return holds.place(
                replica,
                HoldRequest(
                    venue="trattoria", starts_at=at, party_size=2, resources=[place],
                    may_move=may_move,
                ),
            )  # fmt: skip
        return replica.reservations.create(
            CreateRequest(
                venue="trattoria", starts_at=at, party_size=2, resources=[place], may_move=may_move
            )
        )

    def _ask(self, what: str, replica: Service, view: View, more: list[Any]) -> None:
        if what == "move":
            patch: dict[str, Any] = {"resources": [more[0]]} if more[0] else {}
            if more[1]:
                patch["starts_at"] = f"{self._date}T{more[1]}"
            replica.reservations.amend(view.code, PatchRequest(**patch))
        elif what == "offer":
            waiting.offer(replica, view.code, OfferRequest(resources=[more[0]], minutes=30))
        elif what == "cancel":
            replica.reservations.cancel(view.code)
            self._ended.add(view.id)
        elif what in ("no_show", "undo_no_show", "check_in"):
            getattr(replica.reservations, what)(view.code)
        else:
            assert what == "reserve", what
            take = waiting.accept if view.form and view.form.form == "waitlist" else holds.reserve
            take(replica, view.code, ReserveRequest(user_id=more[0]))

    # --- asking -------------------------------------------------------------------------------

    def _views(self, who: str) -> Iterable[View]:
        for made in self._made:
            view = None if made is None else self._town.replica(who).view(made.id)
            if view is not None:
                yield view

    def _look(self) -> None:
        shown: dict[bytes, list[dict[Any, Place]]] = {}
        over: set[Any] = set()
        for who in EVERYBODY:
            places: list[Place] = []
            for view in self._views(who):
                places += [_place(claim) for claim in view.occupying]
                over |= {claim.id for claim in view.claims if claim.state in ("ended", "dead")}
                shown.setdefault(view.id, []).append(
                    {claim.id: _place(claim) for claim in view.live}
                )
                if view.id not in self._ended:
                    self._compare(who, view)
            _require_room(places, who)
        # Whichever replica is believed about each reservation, all of it fits.
        choices = [
            [[place for claim, place in one.items() if claim not in over] for one in known]
            for reservation, known in shown.items()
            if reservation not in self._ended
        ]
        for chosen in itertools.product(*choices):
            _require_room(itertools.chain(*chosen), "all together")

    def _compare(self, who: str, view: View) -> None:
        if len({claim.id.operation for claim in view.live}) > 1:
            raise Broken(f"{who}: {view.code} stands at two places")
        before = self._known.get((who, view.id))
        record = self._town.replica(who).record(view.id, view.book)
        marks = frozenset(seen.operation for seen in record.seen if seen.kind == MARK)
        if before is not None and _missed(record, before, marks - before.marks):
            before = None
        stands = bool(view.live) and view.status in PROMISED
        if before is not None and before.promised:
            if not stands:
                raise Broken(f"{who}: {view.code} was confirmed, and is {view.status}")
            if view.agent_id != before.agent:
                raise Broken(f"{who}: {view.code} is somebody else's now")
        if before is not None and before.kept and not view.live and self._keeps:
            raise Broken(f"{who}: {view.code} was kept, and is {view.status} without a place")
        self._known[who, view.id] = Known(
            stands
            and (view.assurance != "provisional" or (before is not None and before.promised)),
            bool(view.live) and view.status in KEPT,
            view.agent_id,
            frozenset(claim.id.operation for claim in view.live),
            marks,
        )

    def _settle(self) -> None:
        fleet = self._town.fleet
        for turn in range(8):
            before = [one.store.journal.last_seq for one in fleet.replicas()]
            for name in DEVICES:
                fleet.sync(fleet.nodes[name])
                self._look()
            fleet.the_hub.settle(fleet.book)
            self._look()
            if turn and before == [one.store.journal.last_seq for one in fleet.replicas()]:
                break
        else:
            raise Broken("the exchanges come to no rest")
        for made in self._made:
            if made is not None:
                self._judge_end(made)
        for name in DEVICES:
            if fleet.nodes[name].store.queue.waiting():
                raise Broken(f"{name}: an operation has no verdict")

    def _judge_end(self, made: View) -> None:
        views = [self._town.replica(who).view(made.id) for who in EVERYBODY]
        if None in views or len({view_digest(view) for view in views}) > 1:
            raise Broken(f"{made.code} is not the same everywhere")
        view = views[0]
        waits = [c.state for c in view.claims if c.state in (READY, SPARE, PENDING, STANDBY)]
        if waits or view.status == lifecycle.COMMIT_PENDING:
            raise Broken(f"{view.code} is {view.status} with claims that are {waits}")
        if claims_to_end(view, self._town.fleet.the_hub.clock.now_ms() // 1000):
            raise Broken(f"{view.code} is {view.status}, and its place is not free")


def _missed(record: Any, before: Known, marks: frozenset[bytes]) -> bool:
    """Whether somebody who knew of the place that was had marked its guests as a no-show, or
    somebody did so and it was not taken back: `marks` are those that were not known before."""
    follows = {seen.operation: seen.follows for seen in record.seen}
    asked_as = {
        seen.operation: event.decides
        for seen in record.seen
        if isinstance(event := content_of(seen), ClaimDecided)
    }
    had = {asked_as.get(operation, operation) for operation in before.had}
    undone = _above(follows, [seen.operation for seen in record.seen if seen.kind == UNDOING])
    return any(mark not in undone or had & _above(follows, [mark]) for mark in marks)


def _above(follows: dict[bytes, tuple[bytes, ...]], below: Iterable[bytes]) -> set[bytes]:
    """All that was written before these, as their writers knew."""
    found: set[bytes] = set()
    todo = [one for operation in below for one in follows[operation]]
    while todo:
        operation = todo.pop()
        if operation not in found:
            found.add(operation)
            todo += follows.get(operation, ())
    return found


Place = tuple[str, int, int, int]


def _place(claim: Any) -> Place:
    return claim.resource, claim.start, claim.end, claim.quantity


def _require_room(places: Iterable[Place], who: str) -> None:
    taken = list(places)
    for resource, capacity in CAPACITY.items():
        here = [one for one in taken if one[0] == resource]
        for at in {start for _, start, _, _ in here}:
            used = sum(amount for _, start, end, amount in here if start <= at < end)
            if used > capacity:
                raise Broken(f"{who}: {used} of {capacity} of {resource}")


# --- searching ------------------------------------------------------------------------------------


def search(town: Town, seeds: Iterable[int], form: str, *, keeps: bool) -> int:
    """Play the schedules of these seeds. Returns in how many something was reserved, held or waited
    for. Raises Broken with the seed and the schedule that broke something."""
    played = 0
    for seed in seeds:
        steps = draw(seed, form)
        game = Game(town, keeps=keeps)
        try:
            game.play(steps)
        except Broken as broken:
            raise Broken(f"{form} {seed}: {broken}\n" + "\n".join(map(str, steps))) from broken
        played += game.made
    return played


def venue() -> dict[str, Any]:
    """A fresh copy of the venue that the schedules are about."""
    return copy.deepcopy(VENUE)
