"""A hub and two devices at random, by the product's own stores, signatures and messages.

People reserve, move, cancel and seat, rights go to and fro, networks fail, processes end and die.
At every step the union of what all of them show as confirmed fits, and a confirmation goes only
by somebody's word; once everybody has met, all is decided and everybody shows the same book.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from holdfast.model import lifecycle
from holdfast.model.claims import ClaimView
from holdfast.model.errors import HoldfastError, NotFound
from holdfast.model.reservation import View, claims_to_end, picked
from holdfast.node import allotments
from holdfast.node.allotments import Wanted
from holdfast.node.service import Service
from tests.kit import WEEK, Fleet, every_view, exchange_once
from tests.machines import played

VENUE: dict[str, Any] = {
    "venue": "trattoria", "name": "Trattoria da Mario", "kind": "restaurant",
    "time_zone": "Europe/Rome", "slot_minutes": 30, "seating_minutes": 60,
    "hours": WEEK, "policies": {"advance_days": 365},
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2], "combines_with": ["T2"]},
        {"id": "T2", "kind": "table", "seats": [1, 2]},
        {"id": "HALL", "kind": "pool", "capacity": 3, "counts": "people"},
    ],
    "allotments": [
        {"holder": "desk", "resources": ["T1"]},
        {"holder": "kiosk", "resources": ["HALL"], "quantity": 2},
    ],
}  # fmt: skip
CAPACITY = {"T1": 1, "T2": 1, "HALL": 3}
HELD = (lifecycle.CONFIRMED, lifecycle.CHECKED_IN, lifecycle.NO_SHOW)

everybody = st.sampled_from(["hub", "desk", "kiosk"])
devices = st.sampled_from(["desk", "kiosk"])
tables = st.sampled_from([[], ["T1"], ["T2"], ["T1", "T2"], ["HALL"]])
times = st.sampled_from(["19:00", "19:30", "20:00"])
parties = st.integers(1, 2)
number = st.integers(0, 1 << 16)
calls = st.tuples(everybody, times, tables, parties, st.booleans())

Call = tuple[str, str, list[str], int, bool]
Place = tuple[str, int, int, int]
"""Resource, start, end, quantity."""


class FleetMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="holdfast-fleet-"))
        self.fleet = Fleet(self.directory, VENUE)
        self.asked: set[bytes] = set()
        """Reservations that somebody wanted to end or to stand elsewhere."""
        self.loose: set[bytes] = set()
        """Sold from a right that was taken back before the hub heard of it (DESIGN §5.12)."""
        self.confirmed: dict[str, set[bytes]] = {"hub": set(), "desk": set(), "kiosk": set()}

    @initialize(calls=st.lists(calls, min_size=2, max_size=6))
    def join(self, calls: list[Call]) -> None:
        """An evening that has begun, of which nobody has told the others yet."""
        self.fleet.join("desk")
        self.fleet.join("kiosk", "kiosk")
        self.fleet.sync_all()
        self.reserve_all(calls)

    def teardown(self) -> None:
        try:
            self.come_together()
        finally:
            self.fleet.__exit__()
            shutil.rmtree(self.directory)

    def the(self, name: str) -> Service:
        return self.fleet.the_hub if name == "hub" else self.fleet.nodes[name]

    def one_of(self, name: str, which: int) -> View | None:
        views = every_view(self.the(name), self.fleet.book)
        return views[which % len(views)] if views else None

    # --- work -----------------------------------------------------------------------------------

    @rule(calls=st.lists(calls, min_size=1, max_size=4))
    def reserve(self, calls: list[Call]) -> None:
        """A few people call, here and there; some of them want one place by its name."""
        self.reserve_all(calls)

    def reserve_all(self, calls: list[Call]) -> None:
        for who, time, names, party, may_move in calls:
            wish = self.fleet.request(time, names, party, may_move=may_move)
            self.told(partial(self.the(who).reservations.create, wish))

    @rule(who=everybody, which=number, time=times, names=tables)
    def move(self, who: str, which: int, time: str, names: list[str]) -> None:
        view = self.one_of(who, which)
        if view is not None:
            self.asked.add(view.id)
            more: dict[str, Any] = {"resources": names} if names else {}
            self.told(lambda: self.fleet.move(self.the(who), view, time=time, **more))

    @rule(who=everybody, which=number, what=st.sampled_from(["cancel", "check_in", "complete"]))
    def step(self, who: str, which: int, what: str) -> None:
        view = self.one_of(who, which)
        if view is not None:
            if what != "check_in":
                self.asked.add(view.id)
            self.told(lambda: getattr(self.the(who).reservations, what)(view.code))

    def told(self, work: Any) -> None:
        """Somebody is told that something is not possible: that is an answer as well."""
        try:
            work()
        except NotFound:
            raise
        except HoldfastError as refusal:
            assert refusal.detail

    @rule(to=devices, name=st.sampled_from(["T1", "T2", "HALL"]), quantity=st.integers(1, 2))
    def grant(self, to: str, name: str, quantity: int) -> None:
        share = quantity if name == "HALL" else None
        wanted = Wanted("trattoria", to, [name], quantity=share)
        self.told(lambda: allotments.grant(self.fleet.the_hub, wanted))

    @rule(who=devices, which=number)
    def give_back(self, who: str, which: int) -> None:
        node = self.fleet.nodes[who]
        own = [h for h in node.rights(self.fleet.book).active() if h.holder == node.account]
        if own:
            allotments.give_back(node, own[which % len(own)].right.id)

    @rule(which=number, sure=st.integers(0, 2))
    def revoke(self, which: int, sure: int) -> None:
        hub = self.fleet.the_hub
        held = list(hub.rights(self.fleet.book).active())
        if not held or sure:
            return
        allotments.revoke(hub, held[which % len(held)].right.id, "venue_changed")

    def note_what_was_taken_back(self) -> None:
        """What a device sold or granted from a right that the hub took back, and that the hub does
        not show, may end; nobody may end anything else."""
        hub, book = self.fleet.the_hub, self.fleet.book
        known = {view.id for view in every_view(hub, book) if view.live}
        for node in self.fleet.nodes.values():
            for view in every_view(node, book):
                taken = any(hub.rights(book).taken_back(claim.right) for claim in view.live)
                if taken and view.id not in known:
                    self.loose.add(view.id)

    # --- network and machines -------------------------------------------------------------------

    @rule(who=devices)
    def synchronise(self, who: str) -> None:
        self.fleet.sync(self.fleet.nodes[who])

    @rule(who=devices)
    def lose_the_answer(self, who: str) -> None:
        """The hub takes everything in, and the device does not hear of it."""
        self.fleet.losing_answers[who] = True
        self.told(self.fleet.nodes[who].sync)
        self.fleet.losing_answers.pop(who, None)
        self.fleet.nodes[who].reset_peer()

    @rule(asker=devices)
    def meet(self, asker: str) -> None:
        """Two devices exchange without the hub."""
        other = "kiosk" if asker == "desk" else "desk"
        exchange_once(self.fleet.nodes[asker], self.fleet.nodes[other])

    @rule(who=everybody, dies=st.booleans())
    def restart(self, who: str, dies: bool) -> None:
        if dies:
            self.fleet.crash(who)
        else:
            self.fleet.reopen(who)

    # --- what must be true ----------------------------------------------------------------------

    @invariant()
    def what_all_show_as_confirmed_fits(self) -> None:
        """Together, and each by itself; what somebody wants to end or is loose aside."""
        self.note_what_was_taken_back()
        union: dict[tuple[bytes, int], Place] = {}
        for replica in self.fleet.replicas():
            own: list[Place] = []
            for view in every_view(replica, self.fleet.book):
                if view.status not in HELD:
                    continue
                for claim in view.live:
                    own.append(_place(claim))
                    if view.id not in self.asked | self.loose:
                        union[claim.id] = _place(claim)
            _assert_fits(own, replica.name)
        _assert_fits(list(union.values()), "all together")

    @invariant()
    def a_confirmation_goes_only_by_somebodys_word(self) -> None:
        self.note_what_was_taken_back()
        for name, known in self.confirmed.items():
            if name != "hub" and name not in self.fleet.nodes:
                continue
            views = {view.id: view for view in every_view(self.the(name), self.fleet.book)}
            for reservation in known - self.asked - self.loose:
                assert views[reservation].live, f"{name} does not show a place any more"
            known |= {view.id for view in views.values() if view.live and view.status in HELD}

    def come_together(self) -> None:
        if set(self.fleet.nodes) != {"desk", "kiosk"}:
            return
        self.fleet.heal()
        for _ in range(10):
            before = [r.store.journal.last_seq for r in self.fleet.replicas()]
            self.fleet.clocks.advance(minutes=2)
            self.fleet.sync_all(1)
            self.fleet.the_hub.settle(self.fleet.book)
            if before == [r.store.journal.last_seq for r in self.fleet.replicas()]:
                break
        else:
            raise AssertionError("the replicas do not come to rest")
        self.what_all_show_as_confirmed_fits()
        self.a_confirmation_goes_only_by_somebodys_word()
        self.fleet.assert_agree()
        for node in self.fleet.nodes.values():
            assert node.store.queue.waiting() == 0, "an operation has no verdict"
        hub = self.fleet.the_hub
        assert hub.store.projections.undecided(self.fleet.book) == []
        for view in every_view(hub, self.fleet.book):
            assert not claims_to_end(view, hub.clock.now_ms() // 1000), "a place was never freed"
            assert picked(view) is None
            if view.status in lifecycle.OPEN_STATUSES:
                assert bool(view.live) == (view.status == lifecycle.CONFIRMED)


def _place(claim: ClaimView) -> Place:
    return claim.resource, claim.start, claim.end, claim.quantity


def _assert_fits(places: list[Place], who: str) -> None:
    for resource, capacity in CAPACITY.items():
        here = [place for place in places if place[0] == resource]
        for instant in {place[1] for place in here}:
            taken = sum(q for _, start, end, q in here if start <= instant < end)
            assert taken <= capacity, f"{who}: {resource} is promised to {taken} of {capacity}"


TestFleetMachine = played(FleetMachine, examples=14, steps=20)
