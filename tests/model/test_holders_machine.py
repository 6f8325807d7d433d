"""Hub, devices and a liar at random: the folds against a plain reading of the rules.

Whatever is sold, asked, decided, ended and handed over, and in whatever order it becomes known: the
set of entries decides, nobody honest sells beyond a capacity, each piece of it has one holder, and
whoever has no right may say what it likes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from holdfast.model import lifecycle
from holdfast.model.claims import DEAD, ENDED, OCCUPYING
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    KIND_BY_EVENT,
    ClaimDecided,
    ClaimEnded,
    NodeRevoked,
    ReservationAmended,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationCreated,
    ReservationMarkedNoShow,
    ReservationMoved,
    ReservationNoShowUndone,
    RightGranted,
    RightReturned,
    RightRevoked,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View, claims_to_end, picked, view_digest
from holdfast.model.venue import parse_venue
from tests.machines import played
from tests.model.holders import Observer, Writer, live_operations
from tests.model.plain import ASKED, HAD, HUB, OVER, Plain, Standing, Word, level
from tests.model.test_conflicts import CELLS, OPEN

DESK, KIOSK, LIAR = b"D" * 16, b"K" * 16, b"M" * 16
HONEST, DEVICES = (HUB, DESK, KIOSK), (DESK, KIOSK, LIAR)
OWN: Final = "M1"
"""What the liar holds: there it may sell as often as it likes, and harms nobody else."""

VENUE: Final = VenueIndex(
    parse_venue(
        {
            "venue": "v", "name": "V", "kind": "restaurant", "time_zone": "UTC",
            "resources": [
                {"id": "T1", "kind": "table", "seats": [1, 2], "combines_with": ["T2"]},
                {"id": "T2", "kind": "table", "seats": [1, 2]},
                {"id": "P", "kind": "hall", "capacity": 3, "counts": "people"},
                {"id": OWN, "kind": "booth", "seats": [1, 2]},
            ],
        }
    )
)  # fmt: skip
BASE: Final = 20_000 * 86_400 - 200
"""Shortly before midnight, so that claims lie in two days."""
SLOT: Final = 100
INSTANTS: Final = range(BASE, BASE + 8 * SLOT, SLOT)

STEPS: Final = {
    "amended": ReservationAmended({"occasion": "date"}),
    "cancelled": ReservationCancelled("guest_request", "guest"),
    "checked_in": ReservationCheckedIn(),
    "completed": ReservationCompleted(),
    "no_show": ReservationMarkedNoShow(),
    "no_show_undone": ReservationNoShowUndone(),
}
STATUS: Final = {(cell.status, cell.step): cell for cell in CELLS}
WORDS_OF_HOLDERS: Final = (ClaimDecided, ClaimEnded, RightGranted, RightRevoked, NodeRevoked)

slots = st.integers(0, 3)
places = st.sampled_from([("T1",), ("T2",), ("P",), ("T1", "T2"), (OWN,)])
writers = st.sampled_from(HONEST)
anyone = st.sampled_from((*HONEST, LIAR))
number = st.integers(0, 1 << 16)


def at(slot: int) -> int:
    return BASE + slot * SLOT


def claims_at(names: Iterable[str], slot: int, length: int, quantity: int) -> list[Claim]:
    return [
        Claim(name, at(slot), at(slot + length), quantity if name == "P" else 1) for name in names
    ]


class HoldersMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000
        self.writers = {node: Writer(node, VENUE) for node in (*HONEST, LIAR)}
        self.watchers = [Observer(), Observer()]
        self.known: dict[int, dict[ClaimId, Standing]] = {}
        self.sizes: dict[int, int] = {}
        self.reservations = 0

    def tick(self, node: bytes) -> int:
        """Clocks that are wrong, each in its own way; no rule of capacity asks them."""
        self.now += 1
        return self.now + {HUB: 0, DESK: 7, KIOSK: -5, LIAR: -900}[node]

    @property
    def everybody(self) -> list[Observer]:
        return [*self.writers.values(), *self.watchers]

    @property
    def log(self) -> list[Word]:
        """All that anybody wrote, chain by chain."""
        return [
            word
            for node, writer in self.writers.items()
            for word in writer.words.values()
            if word.node == node
        ]

    def one_of(self, writer: Writer, pick: int) -> View | None:
        views = [view for view in writer.views() if view.making]
        return views[pick % len(views)] if views else None

    # --- honest work ----------------------------------------------------------------------------

    @initialize(layout=st.integers(0, 3))
    def open_the_house(self, layout: int) -> None:
        """The liar has its booth, and perhaps a share of the pool; the others may have something of
        their own."""
        hub = self.writers[HUB]
        hub.grant(self.tick(HUB), LIAR, OWN, 1, at(0), at(8))
        if layout in (1, 2):
            hub.grant(self.tick(HUB), LIAR, "P", 1, at(0), at(8))
        if layout:
            hub.grant(self.tick(HUB), DESK, "T1", 1, at(0), at(8))
            hub.grant(self.tick(HUB), DESK, "P", max(layout - 1, 1), at(0), at(8))
        if layout > 1:
            hub.grant(self.tick(HUB), KIOSK, "P", 1, at(0), at(8))
            hub.grant(self.tick(HUB), KIOSK, "T2", 1, at(0), at(4))
        for node in DEVICES:
            self.writers[node].receive(hub.chain(HUB))

    @rule(
        who=anyone, names=places, slot=slots, length=st.integers(1, 2), quantity=st.integers(1, 2),
        may_move=st.booleans(),
    )  # fmt: skip
    def reserve(
        self, who: bytes, names: tuple[str, ...], slot: int, length: int, quantity: int,
        may_move: bool,
    ) -> None:  # fmt: skip
        writer = self.writers[who]
        self.reservations += 1
        claims, _ = writer.placed(claims_at(names, slot, length, quantity))
        event = ReservationCreated(
            "agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03", may_move=may_move
        )
        reservation = self.reservations.to_bytes(16, "big")
        writer.write(self.tick(who), event, subject=reservation, claims=claims)

    @rule(who=writers, which=number, names=places, slot=slots)
    def move(self, who: bytes, which: int, names: tuple[str, ...], slot: int) -> None:
        writer = self.writers[who]
        view = self.one_of(writer, which)
        if view is None or view.status not in lifecycle.STEP_BY_NAME["moved"].sources:
            return
        claims, ends = writer.placed(claims_at(names, slot, 1, 1), view)
        writer.write(self.tick(who), ReservationMoved(), subject=view.id, claims=claims, ends=ends)

    @rule(who=anyone, which=number, name=st.sampled_from(sorted(STEPS)))
    def step(self, who: bytes, which: int, name: str) -> None:
        writer = self.writers[who]
        view = self.one_of(writer, which)
        if view is None or view.status not in lifecycle.STEP_BY_NAME[name].sources:
            return
        ends: tuple[ClaimId, ...] = ()
        if name == "cancelled":
            ends = writer.own_ends([*view.occupying, *view.pending])
        elif name == "completed":
            ends = writer.own_ends(view.live)
        writer.write(self.tick(who), STEPS[name], subject=view.id, ends=ends)

    @rule(who=anyone)
    def settle(self, who: bytes) -> None:
        self.writers[who].settle(self.tick(who))

    @rule(
        to=st.sampled_from((DESK, KIOSK)), name=st.sampled_from(["T1", "T2", "P"]), slot=slots,
        length=st.integers(1, 8), quantity=st.integers(1, 2),
    )  # fmt: skip
    def grant(self, to: bytes, name: str, slot: int, length: int, quantity: int) -> None:
        self.writers[HUB].grant(self.tick(HUB), to, name, quantity, at(slot), at(slot + length))

    @rule(who=st.sampled_from(DEVICES), which=number, until=st.none() | slots)
    def give_back(self, who: bytes, which: int, until: int | None) -> None:
        writer = self.writers[who]
        own = [held for held in writer.rights.active() if held.holder == who]
        if own:
            right = own[which % len(own)].right.id
            instant = 0 if until is None else at(until)
            writer.write(self.tick(who), RightReturned((right,), instant))

    @rule(which=number)
    def revoke(self, which: int) -> None:
        hub = self.writers[HUB]
        held = list(hub.rights.active())
        if held:
            one = held[which % len(held)]
            head = len(hub.chain(one.holder))
            event = RightRevoked(one.right.id, one.holder, head, bytes(32))
            hub.write(self.tick(HUB), event)

    @rule(who=st.sampled_from((KIOSK, LIAR)), sure=st.integers(0, 3))
    def shut_out(self, who: bytes, sure: int) -> None:
        if not sure:
            hub = self.writers[HUB]
            head = (who, len(hub.chain(who)), bytes(32))
            hub.write(self.tick(HUB), NodeRevoked("kiosk", (), (head,)))

    # --- who hears what -------------------------------------------------------------------------

    @rule(who=st.sampled_from(DEVICES), settled=st.booleans())
    def meet_the_hub(self, who: bytes, settled: bool) -> None:
        """An exchange: each has what the other knows, and does what it owes."""
        hub, device = self.writers[HUB], self.writers[who]
        hub.receive(list(device.words.values()))
        if settled:
            hub.settle(self.tick(HUB))
        device.receive(list(hub.words.values()))
        if settled:
            device.settle(self.tick(who))

    @rule(who=anyone, other=anyone)
    def tell_all(self, who: bytes, other: bytes) -> None:
        self.writers[other].receive(list(self.writers[who].words.values()))

    @rule(who=anyone, other=anyone, chain=anyone, some=st.integers(1, 3))
    def tell_some(self, who: bytes, other: bytes, chain: bytes, some: int) -> None:
        """A few more entries of one chain, and perhaps some that are known already."""
        known = len(self.writers[other].chain(chain))
        told = self.writers[who].chain(chain)
        self.writers[other].receive(told[max(known - 1, 0) : known + some])

    @rule(watcher=st.integers(0, 1), which=st.lists(number, min_size=1, max_size=6))
    def leak(self, watcher: int, which: list[int]) -> None:
        """Any entries in any order, some of them again."""
        log = self.log
        self.watchers[watcher].receive(log[one % len(log)] for one in which)

    @rule(watcher=st.integers(0, 1), chain=anyone, upto=st.integers(0, 12))
    def leak_a_prefix(self, watcher: int, chain: bytes, upto: int) -> None:
        self.watchers[watcher].receive(self.writers[chain].chain(chain)[:upto])

    # --- lies -----------------------------------------------------------------------------------

    @rule(which=number, right=number, name=st.sampled_from(["T1", "T2", "P", OWN]), slot=slots)
    def sell_what_it_has_not(self, which: int, right: int, name: str, slot: int) -> None:
        """From another's right, the hub's, one that was never granted, or once more its own."""
        liar = self.writers[LIAR]
        rights = [HUB_RIGHT, b"?" * 16, *sorted(liar.rights.by_id)]
        self.reservations += 1
        claim = Claim(name, at(slot), at(slot + 1), right=rights[right % len(rights)])
        event = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-BBBBBB", "2027-06-03")
        reservation = self.reservations.to_bytes(16, "big")
        liar.write(self.tick(LIAR), event, subject=reservation, claims=(claim,))

    @rule(
        which=number, verdict=st.sampled_from(["admitted", "moved", "displaced"]),
        right=number, by=number, end=st.booleans(), home=st.booleans(),
    )  # fmt: skip
    def decide_for_others(
        self, which: int, verdict: str, right: int, by: int, end: bool, home: bool
    ) -> None:
        """It gives what it has not, or what it has (its booth) for what is not its to answer."""
        liar = self.writers[LIAR]
        made = [word for word in liar.words.values() if word.claims and word.subject]
        if not made:
            return
        word = made[which % len(made)]
        rights = [b"", HUB_RIGHT, *sorted(liar.rights.by_id)]
        chosen = rights[right % len(rights)]
        claims = tuple(
            Claim(OWN if home else one.resource, one.start, one.end, one.quantity, right=chosen)
            for one in word.claims
        )
        named = (rights[by % len(rights)],) * len(word.claims)
        ends = (ClaimId(word.operation, 0),) if end else ()
        liar.write(
            self.tick(LIAR), ClaimDecided(word.operation, verdict, by=named), subject=word.subject,
            claims=claims, ends=ends, follows=(),
        )  # fmt: skip

    @rule(which=number, right=number)
    def end_for_others(self, which: int, right: int) -> None:
        liar = self.writers[LIAR]
        claims = [(claim.id, view.id) for view in liar.views() for claim in view.claims]
        if claims:
            claim, reservation = claims[which % len(claims)]
            rights = [b"", *sorted(liar.rights.by_id)]
            event = ClaimEnded("cancelled", by=(rights[right % len(rights)],))
            liar.write(self.tick(LIAR), event, subject=reservation, ends=(claim,), follows=())

    @rule(which=number, how=st.sampled_from(["return", "revoke", "grant", "shut out"]))
    def hand_over_for_others(self, which: int, how: str) -> None:
        liar = self.writers[LIAR]
        rights = sorted(liar.rights.by_id.values())
        if not rights:
            return
        right = rights[which % len(rights)]
        event: RightReturned | RightRevoked | RightGranted | NodeRevoked
        if how == "return":
            event = RightReturned((right.id,))
        elif how == "revoke":
            event = RightRevoked(right.id, right.holder, 0, bytes(32))
        elif how == "grant":
            event = RightGranted(LIAR, right.resources, 1, right.start, right.end)
        else:
            event = NodeRevoked("desk", (), ((DESK, 0, bytes(32)),))
        if how != "return" or right.holder != LIAR:
            liar.write(self.tick(LIAR), event)

    # --- what must be true ----------------------------------------------------------------------

    @invariant()
    def nobody_honest_sells_beyond_a_capacity(self) -> None:
        """Of all that was ever written, whoever knows of it."""
        log = self.log
        if self.sizes.get(-1) == len(log):
            return
        self.sizes[-1] = len(log)
        plain = Plain(log)
        lies = {right for right, grant in plain.grants.items() if grant.holder == LIAR}
        had = {
            one: c for one, c in plain.claims().items() if c.state == HAD and c.right not in lies
        }
        force = plain.in_force()
        accounts = {one: plain.account(one, claim) for one, claim in had.items()}
        for resource in VENUE.venue.resources:
            claims = {one: c for one, c in had.items() if c.resource == resource.id}
            rights = [
                (right, window)
                for right, window in force.items()
                if resource.id in plain.grants[right].resources
            ]
            for instant in INSTANTS:
                covering = {right for right, (start, end) in rights if start <= instant < end}
                shares = {right: plain.grants[right].quantity for right in covering}
                assert sum(shares.values()) <= resource.capacity, "two holders of one piece"
                if resource.id == OWN:
                    continue
                lent = sum(share for right, share in shares.items() if right in lies)
                taken = level(claims.values(), instant) + lent
                assert taken <= resource.capacity, f"{resource.id} is sold {taken} times"
                for right, share in shares.items():
                    own = [c for one, c in claims.items() if accounts[one] == right]
                    assert level(own, instant) <= share, "more is sold from a right than it is"
                hubs = [c for one, c in claims.items() if accounts[one] not in covering]
                left = resource.capacity - sum(shares.values())
                assert level(hubs, instant) <= left, "the hub sold what it had handed out"

    @invariant()
    def everybody_reads_what_the_plain_reading_says(self) -> None:
        for place, observer in enumerate(self.everybody):
            arrived = sum(map(len, observer.seen.values())) + len(observer.words)
            if self.sizes.get(place) == arrived:
                continue
            self.sizes[place] = arrived
            words = list(observer.words.values())
            plain = Plain(words)
            claims = plain.claims()
            for view in observer.views():
                folded = {claim.id: _state(claim.state) for claim in view.claims}
                wanted = {one: claims[one].state for one in folded}
                assert folded == wanted
                _check_status(view, words)
            assert {right: held.start for right in observer.rights.by_id
                    if (held := observer.rights.now(right)) is not None} == {
                right: start for right, (start, _) in plain.in_force().items()
            }  # fmt: skip
            self._check_course(self.known.get(place, {}), claims, words)
            self.known[place] = claims

    def _check_course(
        self, before: dict[ClaimId, Standing], now: dict[ClaimId, Standing], words: list[Word]
    ) -> None:
        """What was had ends by an `end` alone, and what is over stays so; a revocation aside."""
        if any(isinstance(w.event, RightRevoked | NodeRevoked) and w.node == HUB for w in words):
            return
        ended = {one for word in words for one in word.ends}
        lies = {word.operation for word in words if _grants_the_liar(word)}
        for one, was in before.items():
            if {was.right, now[one].right} & lies or LIAR in (was.asks, now[one].asks):
                continue
            if was.state == HAD:
                assert now[one].state == HAD or (now[one].state == OVER and one in ended)
            elif was.state == OVER:
                assert now[one].state == OVER, "an ended claim came back"

    @rule(place=st.integers(0, 5), rng=st.randoms(use_true_random=False))
    def the_same_entries_are_the_same_book(self, place: int, rng: random.Random) -> None:
        """In any order, some twice; and, but for what is its own, without the liar's words."""
        observer = self.everybody[place]
        words = list(observer.words.values())
        again = words + rng.sample(words, len(words) // 2)
        rng.shuffle(again)
        other = Observer()
        other.receive(again)
        assert _book(other) == _book(observer)
        without = Observer()
        without.receive(word for word in words if not _is_a_lie(word))
        for reservation in without.seen:
            if any(
                claim.asks == LIAR or (word.node == LIAR and claim.resource in (OWN, "P"))
                for word in words
                if word.subject == reservation
                for claim in word.claims
            ):
                continue
            assert without.view(reservation).claims == observer.view(reservation).claims

    def teardown(self) -> None:
        """Everybody hears everything and does what it owes: then all is decided."""
        for _ in range(12):
            written = 0
            for node, writer in self.writers.items():
                writer.receive(self.log)
                written += writer.settle(self.tick(node))
            if not written:
                break
        else:
            raise AssertionError("the holders do not come to rest")
        self.nobody_honest_sells_beyond_a_capacity()
        self.everybody_reads_what_the_plain_reading_says()
        assert len({str(_book(writer)) for writer in self.writers.values()}) == 1
        for view in self.writers[HUB].views():
            assert not view.pending, "a claim was never decided"
            assert not claims_to_end(view, 0), "what was given up was never freed"
            assert picked(view) is None
            assert len(live_operations(view)) <= 1
            if view.status in lifecycle.OPEN_STATUSES and view.occupying:
                assert view.status == lifecycle.CONFIRMED, "a place is held that nobody sees"


def _state(state: str) -> str:
    return HAD if state in OCCUPYING else OVER if state in (ENDED, DEAD) else ASKED


def _book(observer: Observer) -> object:
    return (
        [view_digest(view) for view in observer.views()],
        sorted(held.right.id + held.start.to_bytes(8, "big") for held in observer.rights.active()),
    )


def _grants_the_liar(word: Word) -> bool:
    return isinstance(word.event, RightGranted) and word.event.holder == LIAR


def _is_a_lie(word: Word) -> bool:
    if word.node != LIAR:
        return False
    return isinstance(word.event, WORDS_OF_HOLDERS)


def _check_status(view: View, words: list[Word]) -> None:
    """The lifecycle as its table says, step by step, each after all that it saw."""
    left = [word for word in words if word.subject == view.id and _is_a_step(word)]
    done: dict[bytes, set[bytes]] = {}
    status = ""
    moving: set[bytes] = set()
    while ready := [word for word in left if set(word.follows) <= done.keys()]:
        word = min(ready, key=lambda one: one.order)
        left.remove(word)
        saw = set(word.follows).union(*(done[one] for one in word.follows))
        done[word.operation] = saw
        name = KIND_BY_EVENT[type(word.event)].removeprefix("reservation.")
        if name == "created":
            status = OPEN
        elif status:
            cell = STATUS[status, name]
            fate = cell.unseen if cell.unseen is not None and moving - saw else cell.fate
            status = fate.status
            if name not in ("amended", "moved", "attendance_confirmed"):
                moving.add(word.operation)
    shown = OPEN if view.status in lifecycle.OPEN_STATUSES else view.status
    assert shown == (status or OPEN)


def _is_a_step(word: Word) -> bool:
    kind = KIND_BY_EVENT[type(word.event)]
    return kind == "reservation.created" or kind in lifecycle.STEP_BY_KIND


TestHoldersMachine = played(HoldersMachine, examples=120, steps=50)
