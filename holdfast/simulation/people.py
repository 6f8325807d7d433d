"""What people do at the hub by command: grant, revoke, shut out, let a recovered hub go on.

Owns the planning and the doing of those steps. What the product answers is an answer, as in
`workload`; what may end by such a command is for the oracles to foresee.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from holdfast.model.rights import Held
from holdfast.node import identity, returning
from holdfast.node.node import Node
from holdfast.simulation.schedule import Step
from holdfast.simulation.venues import VENUES
from holdfast.simulation.workload import service_date

if TYPE_CHECKING:
    from holdfast.simulation.machines import Machine
    from holdfast.simulation.world import World

HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * HOUR_MS

COMMANDS: Final = frozenset(
    {"grant", "grant_again", "revoke_right", "shut_out", "rejoin", "recover", "proceed"}
)
"""Steps that the product may refuse, with the reason."""


def plan_one(draw: random.Random, what: str, at: int, name: str) -> list[Any]:
    return [(at, what, name, {"pick": round(draw.random(), 6)})]


def plan_grant(draw: random.Random, at: int, name: str) -> list[Any]:
    """By name, or what the venue file wishes; now and then a while after a return or a restore."""
    if draw.random() < 0.4:
        return plan_one(draw, "grant_again", at, name)
    day = at // _DAY_MS
    detail: dict[str, Any] = {
        "pick": round(draw.random(), 6),
        "resource": round(draw.random(), 6),
        "quantity": draw.choice((1, 1, 2, 4)),
        "from": draw.choice((None, None, day, day + 1)),
        "until": draw.choice((None, None, day + 2, day + 7)),
        "release": draw.choice((None, None, 0, 60)),
    }
    return [(at, "grant", name, detail)]


def plan_shut_out(draw: random.Random, at: int, name: str) -> list[Any]:
    """A device is shut out, and perhaps comes back with a new code."""
    pick = round(draw.random(), 6)
    planned: list[Any] = [(at, "shut_out", name, {"pick": pick})]
    if draw.random() < 0.6:
        later = at + draw.choice((1, 3, 8)) * HOUR_MS
        planned.append((later, "rejoin", name, {"pick": pick}))
    return planned


def plan_recovery(draw: random.Random, at: int, name: str) -> list[Any]:
    """Somebody looks in now and then, and lets the hub go on if it has heard everybody."""
    hours = (0, 3, 6, draw.choice((10, 16)))
    return [(at + after * HOUR_MS, "recover", name, {}) for after in hours]


def device_of(world: World, step: Step) -> Machine | None:
    """The device that a command is about: by its name, or one that the step picked."""
    if "to" in step.detail:
        return world.machines.get(step.detail["to"])
    devices = [device for device in world.devices() if not device.hostile]
    return devices[int(step.detail["pick"] * len(devices))] if devices else None


def grant(world: World, machine: Machine, step: Step) -> None:
    """A person at the hub hands something to a device by name. Raises what the hub answers."""
    device, detail = device_of(world, step), step.detail
    if machine.replica is None or device is None:
        return
    resources = [resource["id"] for resource in VENUES[device.venue]["resources"]]
    named = detail.get("resources") or [resources[int(detail["resource"] * len(resources))]]
    pool = any(
        resource["id"] in named and resource.get("capacity", 1) > 1
        for resource in VENUES[device.venue]["resources"]
    )
    with world.on(machine):
        world.the_hub.granting.grant(
            device.venue,
            _name(device),
            named,
            detail.get("quantity") if pool else None,
            _date(detail.get("from")),
            _date(detail.get("until")),
            detail.get("release"),
        )


def _name(device: Machine) -> str:
    """What the hub knows it as: a copy bears the name of its original."""
    return device.replica.identity.name if device.replica is not None else device.name


def _date(day: int | None) -> str | None:
    return None if day is None else service_date(day)


def grant_again(world: World, machine: Machine, step: Step) -> None:
    """A person at the hub lets a device have again what the venue file wishes for it. Raises what
    the hub answers."""
    if machine.replica is None:
        return
    wished = {
        world.book(venue.venue.id) + wish.holder
        for venue in world.the_hub.venues()
        for wish in venue.venue.allotments
    }
    devices = [one for one in world.devices() if world.book(one.venue) + one.name in wished]
    if not devices:
        return
    device = devices[int(step.detail["pick"] * len(devices))]
    with world.on(machine):
        world.the_hub.granting.again(device.venue, _name(device))


def give_back(world: World, machine: Machine, step: Step) -> None:
    """Somebody at a device gives a right back."""
    node = machine.replica
    if not isinstance(node, Node):
        return
    own = [held for held in node.rights(node.home).active() if held.holder == node.account]
    if own:
        with world.on(machine):
            returning.give_back(node, own[int(step.detail["pick"] * len(own))].right.id)


def right_of(world: World, step: Step) -> Held | None:
    """The right that a revocation is about, of those that the hub knows to be in force."""
    if world.hub.replica is None:
        return None
    hub = world.the_hub
    active = [held for book in sorted(hub.books) for held in hub.rights(book).active()]
    return active[int(step.detail["pick"] * len(active))] if active else None


def rights_of(world: World, step: Step) -> set[str]:
    """The resources that a device which a command is about has rights to, as the hub knows."""
    device = device_of(world, step)
    if world.hub.replica is None or device is None:
        return set()
    hub, book = world.the_hub, world.book(device.venue)
    if book not in hub.books:
        return set()
    return {
        resource
        for held in hub.rights(book).active()
        if hub.name_of(book, held.holder) == _name(device)
        for resource in held.right.resources
    }


def revoke_right(world: World, machine: Machine, step: Step) -> None:
    """A person at the hub takes a right back. Raises what the hub answers."""
    held = right_of(world, step)
    if held is not None:
        with world.on(machine):
            world.the_hub.granting.revoke(held.right.id, "stranded")


def shut_out(world: World, machine: Machine, step: Step) -> None:
    """A person at the hub revokes a device. Raises what the hub answers."""
    device = device_of(world, step)
    if machine.replica is not None and device is not None:
        with world.on(machine):
            world.the_hub.revoke(_name(device), "stolen")


def rejoin(world: World, machine: Machine, step: Step) -> None:
    """The device comes back with a new code. Raises what either side answers."""
    device = device_of(world, step)
    if machine.replica is None or device is None or device.replica is None or device.cut:
        return
    assert isinstance(device.replica, Node)
    book = world.the_hub.books.get(world.book(device.venue))
    serial = identity.serial_of(device.replica.identity.certificates[0])
    if book is not None and book.administration.is_revoked([serial]):
        world.rejoin(device)


def recover(world: World, machine: Machine, step: Step) -> str:
    """A person says that a hub may go on if it has heard everybody that it knows of."""
    if machine.replica is None:
        return "down"
    before = world.the_hub.exchange_state
    with world.on(machine):
        world.the_hub.recover()
    after = world.the_hub.exchange_state
    return after if before == after else f"{before}, then {after}"


def proceed(world: World, machine: Machine, step: Step) -> None:
    """A person says that a hub is to go on without those that it has not heard."""
    if machine.replica is not None:
        with world.on(machine):
            world.the_hub.recover(proceed=True)
