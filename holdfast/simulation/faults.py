"""The faults: each one small, named, with a rate of its own, and switched by its name.

A fault plans steps (data, from the seed) and does them when their time comes. A step whose machine
is not there, or down, does nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from holdfast.model.errors import HoldfastError
from holdfast.node import serving, transport
from holdfast.node.exchange import Exchange, Peer
from holdfast.node.node import Node
from holdfast.simulation import people
from holdfast.simulation.hostile import ATTACKS, Attacker
from holdfast.simulation.machines import Crash, Machine
from holdfast.simulation.schedule import Step
from holdfast.simulation.wire import HUB_URL, world_identity
from holdfast.simulation.world import HUB, World
from holdfast.sync.messages import ExchangeResponse, decode, encode

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

Planned = tuple[int, str, str, dict[str, Any]]
"""(at, what, where, detail): a step that has no number yet."""


@dataclass(frozen=True)
class Fault:
    """`rate` is how often a day it happens on the average; `losing` are the steps after which a
    machine may know less than it showed. `apart` draws beside the others, so that what a seed plans
    without it stays as it is."""

    name: str
    rate: float
    plan: Callable[[random.Random, int, str], list[Planned]]
    steps: Mapping[str, Callable[[World, Machine, Step], str | None]]
    hub: bool = False
    apart: bool = False
    losing: frozenset[str] = frozenset()


# --- the network ----------------------------------------------------------------------------------


def _plan_partition(draw: random.Random, at: int, name: str) -> list[Planned]:
    length = draw.choice((1, 2, 4, 9, 26)) * HOUR_MS
    return [(at, "cut", name, {}), (at + length, "heal", name, {})]


def _cut(world: World, machine: Machine, step: Step) -> None:
    machine.cut = step.what == "cut"


def _mishaps(*words: str) -> Callable[[random.Random, int, str], list[Planned]]:
    def plan(draw: random.Random, at: int, name: str) -> list[Planned]:
        several = ["", *words]
        row = [draw.choice(words), *(draw.choice(several) for _ in range(draw.randrange(4)))]
        planned: list[Planned] = [
            (at, "mishaps", name, {"words": row, "order": draw.randrange(1 << 30)}),
            (at + 1000, "sync", name, {}),
        ]
        if "late" in words:
            planned.append((at + draw.choice((1, 3, 8)) * HOUR_MS, "deliver", name, {}))
        return planned

    return plan


def _plan_mishaps(world: World, machine: Machine, step: Step) -> None:
    world.network.plan(machine.name, step.detail["words"], step.detail["order"])


def _deliver(world: World, machine: Machine, step: Step) -> None:
    """What was under way since long arrives, in the reverse order; nobody waits for the answer."""
    held, world.network.held = world.network.held, []
    hub = world.hub
    for name, content in reversed(held):
        sender = world.machines.get(name)
        if sender is None or sender.replica is None or hub.replica is None:
            continue
        try:
            _say(world, sender, hub, content)
        except Crash as crash:
            world.drop(crash.machine)
        except HoldfastError:
            # A message of a life that is over, or of a device that was shut out meanwhile.
            continue


def _say(world: World, speaker: Machine, hearer: Machine, content: bytes) -> bytes:
    """What a machine answers to another's message. Raises Crash, and what it refuses it with."""
    replica = hearer.replica
    assert replica is not None

    def deliver(headers: dict[str, str]) -> bytes:
        with world.on(hearer):
            _, _, answer = serving.handle_exchange(
                replica, "POST", transport.EXCHANGE_PATH, "hub.simulated", headers, content
            )
        return answer

    url = HUB_URL + transport.EXCHANGE_PATH
    with world.on(speaker):
        return transport.converse(world_identity(speaker), url, content, deliver)[1]


def _plan_meet(draw: random.Random, at: int, name: str) -> list[Planned]:
    return [(at, "meet", name, {"other": round(draw.random(), 6)})]


def _meet(world: World, machine: Machine, step: Step) -> None:
    """Two devices of one venue exchange directly, as any two replicas may (DESIGN §7)."""
    others = [
        other
        for other in world.running()
        if other.name not in (machine.name, HUB)
        and other.venue == machine.venue
        and not other.hostile
    ]
    if not others or not isinstance(machine.replica, Node):
        return
    other = others[int(step.detail["other"] * len(others))]
    assert other.replica is not None
    node = machine.replica
    peer = Peer(node.home)
    for _ in range(12):
        with world.on(machine):
            request = Exchange(node).request(peer)
            body = encode(request)
        answer = _say(world, machine, other, body)
        world.trace.add(body, answer)
        world.advance(5)
        with world.on(machine), node.lock:
            outcome = Exchange(node).absorb(peer, request, decode(answer, ExchangeResponse))
        if not outcome.more and peer.heads is not None:
            return


# --- processes ------------------------------------------------------------------------------------


def _plan_crash(draw: random.Random, at: int, name: str) -> list[Planned]:
    detail = {"commit": draw.choice((1, 1, 1, 2, 3, 5)), "after": draw.random() < 0.5}
    down = draw.choice((0, 0, 1, 5)) * HOUR_MS
    return [
        (at, "crash", name, detail),
        (at + 20_000, "sync", name, {}),
        (at + 60_000 + down, "start", name, {}),
    ]


def _crash(world: World, machine: Machine, step: Step) -> None:
    """The process dies at one of its next commits; a step that commits nothing may come first."""
    machine.crash_at, machine.crash_after = step.detail["commit"], step.detail["after"]


def _start(world: World, machine: Machine, step: Step) -> None:
    machine.crash_at = 0
    if machine.replica is None and machine.directory.exists():
        world.start(machine)


def _plan_restart(draw: random.Random, at: int, name: str) -> list[Planned]:
    return [(at, "stop", name, {}), (at + draw.choice((0, 2)) * HOUR_MS, "start", name, {})]


def _stop(world: World, machine: Machine, step: Step) -> None:
    world.stop(machine)


# --- disks ----------------------------------------------------------------------------------------


def _plan_clone(*, noticed: bool) -> Callable[[random.Random, int, str], list[Planned]]:
    def plan(draw: random.Random, at: int, name: str) -> list[Planned]:
        copy = f"{name}-copy"
        planned: list[Planned] = [(at, "clone", name, {"to": copy, "noticed": noticed})]
        for _ in range(draw.randrange(2, 6)):
            then = at + draw.randrange(1, 12) * HOUR_MS
            day = then // DAY_MS
            detail = {
                "day": day + draw.choice((0, 1, 1)), "time": draw.choice(("19:30", "20:00")),
                "party": 2, "resource": draw.choice(("T1", "T2", "")), "nights": 1,
                "may_move": False, "guest": -1,
            }  # fmt: skip
            planned.append((then, "reserve", copy, detail))
        for _ in range(draw.randrange(1, 4)):
            planned.append((at + draw.randrange(1, 20) * HOUR_MS, "sync", copy, {}))
        return planned

    return plan


def _clone(world: World, machine: Machine, step: Step) -> None:
    if step.detail["to"] in world.machines or machine.replica is None:
        return
    copied = world.clone(machine, step.detail["to"], noticed=step.detail["noticed"])
    world.start(machine)
    world.start(copied)


def _plan_restore(draw: random.Random, at: int, name: str) -> list[Planned]:
    return [
        (at, "backup", name, {}),
        (at + draw.choice((2, 5, 11)) * HOUR_MS, "restore", name, {}),
    ]


def _back_up(world: World, machine: Machine, step: Step) -> None:
    if machine.replica is not None:
        world.back_up(machine)


def _restore(world: World, machine: Machine, step: Step) -> None:
    if machine.name in world.backups:
        world.restore(machine)
        world.start(machine)


def _plan_rollback(draw: random.Random, at: int, name: str) -> list[Planned]:
    return [
        (at, "image", name, {}),
        (at + draw.choice((2, 5, 11)) * HOUR_MS, "rollback", name, {}),
    ]


def _image(world: World, machine: Machine, step: Step) -> None:
    if machine.replica is not None:
        world.take_image(machine)
        world.start(machine)


def _roll_back(world: World, machine: Machine, step: Step) -> None:
    if machine.name in world.images:
        world.roll_back(machine)
        machine.copied = machine.doubled = True
        world.start(machine)


def _plan_wipe(draw: random.Random, at: int, name: str) -> list[Planned]:
    planned: list[Planned] = [(at, "wipe", name, {})]
    if draw.random() < 0.4:
        planned.append((at + draw.choice((1, 4)) * HOUR_MS, "proceed", name, {}))
    return planned


def _wipe(world: World, machine: Machine, step: Step) -> None:
    world.wipe_hub()


def _plan_hub_restore(draw: random.Random, at: int, name: str) -> list[Planned]:
    planned = _plan_restore(draw, at, name)
    if draw.random() < 0.4:
        planned.append((planned[-1][0] + draw.choice((1, 4)) * HOUR_MS, "proceed", name, {}))
    return planned


# --- people at the hub ----------------------------------------------------------------------------


def _plan_one(what: str) -> Callable[[random.Random, int, str], list[Planned]]:
    return lambda draw, at, name: people.plan_one(draw, what, at, name)


# --- clocks ---------------------------------------------------------------------------------------


def _plan_clock(kind: str) -> Callable[[random.Random, int, str], list[Planned]]:
    def plan(draw: random.Random, at: int, name: str) -> list[Planned]:
        detail: dict[str, Any] = {}
        if kind == "drift":
            detail["rate"] = draw.choice((0.9, 0.999, 1.001, 1.1))
        elif kind == "jump":
            detail["by_ms"] = draw.choice((-1, 1)) * draw.choice((700, 90_000, 600_000))
        elif kind == "ahead":
            detail["by_ms"] = draw.choice((1, 2, 7)) * HOUR_MS
        else:
            detail["by_ms"] = -draw.choice((1, 3, 30)) * HOUR_MS
        planned: list[Planned] = [(at, "clock", name, detail)]
        if draw.random() < 0.7:
            planned.append((at + draw.choice((1, 5, 20)) * HOUR_MS, "correct", name, {}))
        return planned

    return plan


def _clock(world: World, machine: Machine, step: Step) -> None:
    machine.clock.off_ms += step.detail.get("by_ms", 0)
    machine.clock.rate = step.detail.get("rate", machine.clock.rate)


def _correct(world: World, machine: Machine, step: Step) -> None:
    machine.clock.correct(world.elapsed_ms)
    if isinstance(machine.replica, Node):
        with world.on(machine):
            machine.replica.check_clock()


# --- hostile --------------------------------------------------------------------------------------


def _plan_attack(draw: random.Random, at: int, name: str) -> list[Planned]:
    return [
        (at + number * HOUR_MS // 2, "attack", "stranger",
         {"how": draw.choice(ATTACKS), "pick": round(draw.random(), 6)})
        for number in range(draw.randrange(2, 6))
    ]  # fmt: skip


def _attack(world: World, machine: Machine, step: Step) -> None:
    if machine.replica is None or not machine.hostile:
        return
    with world.on(machine):
        if machine.attacker is None:
            machine.attacker = Attacker(world, machine)
        assert isinstance(machine.attacker, Attacker)
        machine.attacker.attack(step.detail["how"], step.detail["pick"])


# --- all of them ----------------------------------------------------------------------------------

_MISHAPS = {"mishaps": _plan_mishaps}
_CLOCKS = {"clock": _clock, "correct": _correct}
_LOST = frozenset({"restore", "rollback", "wipe", "proceed"})
_PROCEED = {"proceed": people.proceed}
FAULTS: Final[dict[str, Fault]] = {
    fault.name: fault
    for fault in (
        Fault("partition", 1.2, _plan_partition, {"cut": _cut, "heal": _cut}),
        Fault("loss", 1.5, _mishaps("lost", "unanswered"), _MISHAPS),
        Fault("duplication", 1.0, _mishaps("doubled", "replayed"), _MISHAPS),
        Fault("reordering", 1.0, _mishaps("shuffled"), _MISHAPS),
        Fault("delay", 0.8, _mishaps("late"), {**_MISHAPS, "deliver": _deliver}),
        Fault("meeting", 0.8, _plan_meet, {"meet": _meet}),
        Fault("crash", 1.0, _plan_crash, {"crash": _crash, "start": _start}),
        Fault("hub-crash", 0.6, _plan_crash, {"crash": _crash, "start": _start}, hub=True),
        Fault("restart", 0.4, _plan_restart, {"stop": _stop, "start": _start}),
        Fault("clone", 0.12, _plan_clone(noticed=True), {"clone": _clone}),
        Fault("hidden-clone", 0.12, _plan_clone(noticed=False), {"clone": _clone}),
        Fault("restore", 0.2, _plan_restore, {"backup": _back_up, "restore": _restore},
              losing=_LOST),
        Fault("rollback", 0.15, _plan_rollback, {"image": _image, "rollback": _roll_back},
              losing=_LOST),
        Fault("hub-restore", 0.12, _plan_hub_restore,
              {"backup": _back_up, "restore": _restore, **_PROCEED}, hub=True,
              losing=_LOST),
        Fault("hub-wipe", 0.12, _plan_wipe, {"wipe": _wipe, **_PROCEED}, hub=True,
              losing=_LOST),
        Fault("return", 0.3, _plan_one("give_back"), {"give_back": people.give_back}),
        Fault("regrant", 0.6, _plan_one("grant_again"), {"grant_again": people.grant_again},
              hub=True),
        Fault("revocation", 0.15, _plan_one("revoke_right"), {"revoke_right": people.revoke_right},
              hub=True, losing=frozenset({"revoke_right"})),
        Fault("drift", 0.3, _plan_clock("drift"), _CLOCKS),
        Fault("jump", 0.3, _plan_clock("jump"), _CLOCKS),
        Fault("ahead", 0.25, _plan_clock("ahead"), _CLOCKS),
        Fault("backwards", 0.25, _plan_clock("backwards"), _CLOCKS),
        Fault("hostile", 0.8, _plan_attack, {"attack": _attack}),
        Fault("recovery", 1.0, people.plan_recovery, {"recover": people.recover}, hub=True,
              apart=True),
        Fault("grant", 1.2, people.plan_grant,
              {"grant": people.grant, "grant_again": people.grant_again}, hub=True, apart=True),
        Fault("shut-out", 0.12, people.plan_shut_out,
              {"shut_out": people.shut_out, "rejoin": people.rejoin}, hub=True, apart=True),
    )
}  # fmt: skip
DOINGS: Final = {what: do for fault in FAULTS.values() for what, do in fault.steps.items()}
LOSING: Final = _LOST | {"revoke_right", "shut_out", "recover"}
