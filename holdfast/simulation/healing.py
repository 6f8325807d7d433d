"""The end of a run: the world is made whole, and then all of it must have come together.

Owns the making whole (network, processes, clocks, a hub that recovers, devices that were shut out)
and the oracles that can be asked only then.
"""

from __future__ import annotations

from typing import Final

from holdfast.model import lifecycle
from holdfast.model.entries import decode
from holdfast.model.errors import Forbidden, HoldfastError, NotFound, RuleViolated, Unauthorised
from holdfast.model.limits import HOLD_GRACE_MS, HOLD_MINUTES_MAX
from holdfast.model.reservation import View, claims_to_end
from holdfast.model.rights import Held
from holdfast.node import returning
from holdfast.node.exchange import Exchange
from holdfast.node.node import Node
from holdfast.simulation import held
from holdfast.simulation.machines import Machine
from holdfast.simulation.oracles import HELD, OVERSOLD, Oracles, check_fresh_fold
from holdfast.simulation.workload import SECRETS
from holdfast.simulation.world import HUB, World
from holdfast.store.queue import MERGED, WITHDRAWN

ROUNDS_MAX: Final = 14
"""Rounds in which every device exchanges once, until nothing moves: a dozen for a few devices."""
_ROUND_MS: Final = 70_000
"""Longer than a hub waits for the rest of a backlog."""
_POLITE: Final = 0.6
"""How often somebody waits for all devices before telling a hub to go on without the rest."""
_LOOKED_AT: Final = 2
_PATIENT_ROUNDS: Final = 4
"""Rounds after which a person tells a hub that still recovers to go on if it has heard everybody,
and then to go on in any case."""


class Answered:
    """What somebody was told: the operations of one call, at which machine; `made` where the call
    made the reservation."""

    def __init__(
        self, machine: str, book: str, reservation: bytes, code: str, *, made: bool
    ) -> None:
        self.machine, self.book, self.reservation, self.code = machine, book, reservation, code
        self.made = made
        self.operations: list[bytes] = []


def heal(world: World, oracles: Oracles) -> None:
    """Make everything whole, and let everybody exchange until nothing moves."""
    world.network.calm()
    for machine in world.machines.values():
        machine.cut = False
        machine.crash_at = 0
        machine.clock.correct(world.elapsed_ms)
    for machine in [world.hub, *world.devices()]:
        if machine.replica is None and machine.directory.exists():
            world.start(machine)
    world.chance.begin("healing")
    polite = world.draw("patience").random() < _POLITE
    looked_at = _LOOKED_AT if polite else _PATIENT_ROUNDS
    # Longer than anything is held, so that all of it is over by clocks that were right.
    world.advance(HOLD_MINUTES_MAX * 60_000)
    for number in range(ROUNDS_MAX):
        world.chance.begin(f"healing {number}")
        world.advance(_ROUND_MS)
        for machine in honest(world):
            held.let_lapse(world, machine)
        if number >= looked_at and world.the_hub.exchange_state != "serving":
            proceed = number >= _PATIENT_ROUNDS
            if proceed:
                oracles.before_proceeding("proceeded without a device")
            else:
                oracles.before_recovering()
            with world.on(world.hub):
                world.the_hub.recover(proceed=proceed)
        if number:
            _take_back(world, oracles)
        if number == _PATIENT_ROUNDS:
            _revoke_what_nobody_has(world, oracles)
        for machine in world.devices():
            if not machine.hostile:
                _exchange(world, machine, oracles, last=number == ROUNDS_MAX - 1)
        with world.on(world.hub):
            for name in sorted(world.the_hub.books):
                world.the_hub.settle(name, [])
        oracles.look()
        waits = number < _PATIENT_ROUNDS and bool(_of_lost_disks(world))
        if number >= 1 and not waits and _quiet(world):
            return
    oracles.report("comes to rest", f"{ROUNDS_MAX} rounds of exchanges were not enough")


def _take_back(world: World, oracles: Oracles) -> None:
    """A person takes back what hostile devices hold: whoever asks those gets no answer."""
    hub = world.the_hub
    names = {machine.name for machine in world.devices() if machine.hostile}
    for book in sorted(hub.books):
        if not hub.may_decide(book):
            continue
        for own in list(hub.rights(book).active()):
            if hub.name_of(book, own.holder) in names:
                oracles.before_revoking(own.right.resources)
                with world.on(world.hub):
                    hub.granting.revoke(own.right.id, "stranded")


def _of_lost_disks(world: World) -> list[Held]:
    """What a life holds that no device goes on with: its disk is lost, and no later life of the
    device knows of it. Until a person takes that back, nobody ends or answers anything from it."""
    lives = {
        machine.replica.identity.incarnation
        for machine in world.running()
        if machine.replica is not None
    }
    hub = world.the_hub
    return [
        own
        for book in sorted(hub.books)
        for own in hub.rights(book).active()
        if own.holder not in lives
    ]


def _revoke_what_nobody_has(world: World, oracles: Oracles) -> None:
    """A person takes back what was lost with a disk."""
    if world.the_hub.exchange_state != "serving":
        return
    with world.on(world.hub):
        for lost in _of_lost_disks(world):
            oracles.before_revoking(lost.right.resources)
            world.the_hub.granting.revoke(lost.right.id, "stranded")


def _exchange(world: World, machine: Machine, oracles: Oracles, *, last: bool) -> None:
    assert isinstance(machine.replica, Node)
    world.network.messages = 0
    try:
        with world.on(machine):
            returning.release(machine.replica)
            machine.replica.sync()
    except (Forbidden, Unauthorised):
        # Shut out, as a device is that a hub went on without.
        try:
            world.rejoin(machine)
        except NotFound as error:
            # A rebuilt hub that nobody has told of this venue yet: whoever stands there lets the
            # devices that it hears come first.
            if last:
                oracles.report("comes to rest", f"{machine.name} cannot rejoin: {error.detail}")
        except HoldfastError as error:
            oracles.report("comes to rest", f"{machine.name} cannot rejoin: {error.detail}")
    except RuleViolated:
        # Two hubs, for a moment: the next rounds must settle it.
        pass
    except HoldfastError as error:
        oracles.report("comes to rest", f"{machine.name} cannot exchange: {error.detail}")


def honest(world: World) -> list[Machine]:
    return [machine for machine in world.running() if not machine.hostile]


def _quiet(world: World) -> bool:
    """Whether everybody holds the same, and nothing waits anywhere."""
    hub = world.the_hub
    if hub.exchange_state != "serving":
        return False
    for book in sorted(hub.books):
        heads = {
            Exchange(machine.replica).heads_digest(book)
            for machine in honest(world)
            if machine.replica is not None and book in machine.replica.books
        }
        if len(heads) > 1 or hub.store.projections.undecided(book):
            return False
    if any(held.waits_to_lapse(world, machine) for machine in honest(world)):
        return False
    return not any(
        machine.replica.store.queue.waiting()
        for machine in honest(world)
        if machine.replica is not None and machine.replica.keeps_queue
    )


# --- the oracles after healing --------------------------------------------------------------------


def judge(world: World, oracles: Oracles, answered: list[Answered]) -> None:
    """Everything that must hold when the world is whole."""
    _agreement(world, oracles)
    oracles.check_capacities()
    _queues(world, oracles)
    _decided(world, oracles)
    _nothing_lost(world, oracles, answered)
    _confirmations(world, oracles)
    _codes(world, oracles, answered)
    _stamps(world, oracles)
    _private(world, oracles)


def _agreement(world: World, oracles: Oracles) -> None:
    for book in sorted(world.the_hub.books):
        heads: dict[bytes, str] = {}
        books: dict[bytes, str] = {}
        for machine in honest(world):
            replica = machine.replica
            if replica is None or book not in replica.books:
                continue
            exchange = Exchange(replica)
            known = exchange.heads_digest(book)
            if known not in heads:
                # Whoever holds the same is compared with this one.
                check_fresh_fold(oracles, machine, replica, book)
            heads.setdefault(known, machine.name)
            books.setdefault(exchange.book_digest(book), machine.name)
        if len(heads) > 1:
            oracles.report("agreement", f"{sorted(heads.values())} hold different entries")
        if len(books) > 1:
            oracles.report("agreement", f"{sorted(books.values())} show different books")


def _queues(world: World, oracles: Oracles) -> None:
    for machine in honest(world):
        replica = machine.replica
        if replica is None or not replica.keeps_queue:
            continue
        for operation in replica.store.queue.select(limit=1_000_000):
            if operation.state not in (MERGED, WITHDRAWN):
                oracles.report(
                    "every operation has a verdict",
                    f"{machine.name}: {operation.kind} is {operation.state} {operation.reason}",
                )


def _decided(world: World, oracles: Oracles) -> None:
    hub_s = world.the_hub.clock.now_ms() // 1000
    for machine in honest(world):
        replica = machine.replica
        if replica is None:
            continue
        for book in sorted(replica.books):
            select = replica.store.projections.select
            for view in select(book=book, form=None, limit=1_000_000):
                if _is_over(view, hub_s * 1000):
                    oracles.report(
                        "what is over has ended", f"{machine.name}: {view.code} is {view.status}"
                    )
                if view.pending:
                    oracles.report(
                        "every claim is decided", f"{machine.name}: {view.code} still waits"
                    )
                if len(view.occupying) != len(view.live):
                    oracles.report(
                        "every move ends", f"{machine.name}: {view.code} keeps a place for a move"
                    )
                # What is past frees nothing any more.
                ending = [claim for claim in claims_to_end(view, hub_s) if claim.end > hub_s]
                if machine.name == HUB and ending:
                    oracles.report("every end is written", f"{view.code} keeps what it gave up")
                if view.waiting:
                    oracles.report(
                        "every claim is decided",
                        f"{machine.name}: {view.code} waits for what it follows",
                    )


def _is_over(view: View, now_ms: int) -> bool:
    """Whether something is held, offered or waits although its time is over."""
    if view.status != lifecycle.INTENT or view.form is None:
        return False
    if view.occupying:
        return now_ms > view.expires_at_ms + HOLD_GRACE_MS + _ROUND_MS
    return now_ms > view.form.expires_at_ms + _ROUND_MS


def _nothing_lost(world: World, oracles: Oracles, answered: list[Answered]) -> None:
    for machine in honest(world):
        known = oracles.shown.get(machine.name, {})
        replica = machine.replica
        for told in answered:
            if replica is None or told.book not in replica.books:
                continue
            missing = [
                operation
                for operation in told.operations
                if operation not in oracles.lost_operations
                and not (
                    (one := known.get((told.book, told.reservation))) is not None
                    and operation in one.operations
                )
            ]
            if missing:
                oracles.report(
                    "nothing answered is lost",
                    f"{machine.name} lacks what {told.machine} answered about {told.code}",
                )
                continue
            one = known.get((told.book, told.reservation))
            lost = any(operation in oracles.lost_operations for operation in told.operations)
            if told.made and not lost and one is not None and one.code != told.code:
                oracles.report(
                    "nothing answered is lost",
                    f"{machine.name} calls {told.code}, as {told.machine} told it, {one.code!r}",
                )


def _confirmations(world: World, oracles: Oracles) -> None:
    """What was shown as confirmed anywhere, ever, is so still or was ended by somebody."""
    final = oracles.shown.get(HUB, {})
    for (key, renewing), where in oracles.held_once.items():
        one = final.get(key)
        if one is not None and one.renewing and one.renewing != renewing:
            # Given up with a no-show; what was had since is asked for by itself.
            continue
        if one is not None and (one.asked or (one.live and one.status in HELD)):
            continue
        if key in oracles.loose:
            oracles.exceptions[oracles.loose[key]] += 1
            continue
        if key in world.oversold:
            oracles.exceptions[OVERSOLD] += 1
            continue
        code, status = (one.code, one.status) if one is not None else (key[1].hex(), "unknown")
        oracles.report("confirmed stands", f"{code}, once confirmed at {where}, is {status}")


def _private(world: World, oracles: Oracles) -> None:
    """Nothing of a guest stands in clear in any entry, nor anywhere else in a database."""
    for machine in honest(world):
        replica = machine.replica
        if replica is None:
            continue
        files = [path.read_bytes() for path in sorted(machine.directory.glob("holdfast.db*"))]
        entries = [row.entry for row in replica.store.journal.walk()]
        for secret in SECRETS:
            if any(secret.encode() in data for data in (*files, *entries)):
                oracles.report("no personal data in clear", f"{machine.name} holds {secret!r}")


def _stamps(world: World, oracles: Oracles) -> None:
    """Along the chain of an honest device no stamp is used twice, and none goes back."""
    hostile = {machine.name for machine in world.devices() if machine.hostile}
    hub = world.the_hub
    for book in sorted(hub.books):
        for chain in hub.store.journal.chains(book):
            if hub.name_of(book, chain.incarnation) in hostile:
                continue
            last = -1
            for data in hub.store.journal.entries(chain, 0, chain.length):
                stamp = decode(data).stamp
                if stamp <= last:
                    name = hub.name_of(book, chain.incarnation)
                    oracles.report("stamps grow", f"{name} wrote {stamp} after {last}")
                last = stamp


def _codes(world: World, oracles: Oracles, answered: list[Answered]) -> None:
    """No two guests were told one code. Two copies of one device that do not know of each other
    count alike; and a hub that a person sent on without a device gives another one prefixes by
    chance, one of 1,024, because nobody knows which that device had. Both are counted apart, and
    whoever looks such a code up is asked which it is."""
    bearers: dict[str, bytes] = {}
    for told in answered:
        if not told.made or bearers.setdefault(told.code, told.reservation) == told.reservation:
            continue
        machine = world.machines.get(told.machine)
        if machine is not None and machine.copied:
            oracles.exceptions["a code given out by both of two hidden copies"] += 1
        elif oracles.proceeded:
            oracles.exceptions["a prefix of codes granted anew by a hub that went on alone"] += 1
        else:
            oracles.report("one code, one reservation", f"{told.code} was given out twice")
