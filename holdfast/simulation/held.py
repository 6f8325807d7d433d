"""What is held, waited for and blocked on a simulated day: the plan of it, and the doing.

Owns the stories that such a thing has (held and reserved, held and forgotten, waited for, offered
and accepted, taken out of use and put back) and the translation of each step into the product's own
commands. A story's steps find their hold by looking at what the machine shows; one that does not
know it does nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from holdfast.model import lifecycle, waitlist
from holdfast.model.claims import ClaimView
from holdfast.model.errors import BadTransition
from holdfast.model.forms import HOLD
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import BLOCK, View
from holdfast.node import blocks, holding_apart, holds, lapsing, selling, waiting
from holdfast.node.requests import (
    BlockRequest,
    HoldRequest,
    OfferRequest,
    PatchRequest,
    ReserveRequest,
    WaitRequest,
)
from holdfast.simulation.schedule import Step
from holdfast.simulation.workload import (
    arrivals,
    guest_card,
    place_detail,
    room,
    time_of,
    user,
)

if TYPE_CHECKING:
    from holdfast.node.service import Service
    from holdfast.simulation.machines import Machine
    from holdfast.simulation.world import World

Planned = tuple[int, str, str, dict[str, Any]]

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000
_STORIES: Final = {
    "reserved": 40, "kept longer": 9, "swapped": 9, "given up": 10, "forgotten": 22,
    "reserved twice": 10,
}  # fmt: skip
"""What becomes of a hold, relatively."""
_HOLDS: Final = 0.07
_WAITS: Final = 0.03
_BLOCKS: Final = 0.012
"""How many stories there are for each call of a day; a story has some calls of its own."""
_MINUTES: Final = (None, None, 15, 5, 20, 30)
_TABLES: Final = ("T1", "T2", "T3", "T4")
_WINDOWS: Final = (("19:00", "21:00"), ("19:30", "19:30"), ("12:30", "14:00"), (None, None))
MAKING: Final = frozenset({"hold", "wait", "block"})
CONVERTING: Final = frozenset({"reserve_hold", "accept"})
"""Calls that make a reservation of what was kept."""


def plan_day(draw: random.Random, day: int, machines: list[str], calls: int) -> list[Planned]:
    """(at, what, where, detail) of one day's holds, waits and blocks, beside so many calls."""
    hours, weights = zip(*arrivals(), strict=True)
    planned: list[Planned] = []
    for rate, story in ((_HOLDS, _hold), (_WAITS, _wait), (_BLOCKS, _block)):
        expected = rate * calls
        for _ in range(int(expected) + (draw.random() < expected % 1)):
            hour = draw.choices(hours, weights)[0]
            at = (day * 24 + hour) * _HOUR_MS + draw.randrange(_HOUR_MS)
            planned += story(draw, day, at, machines)
    return planned


def _hold(draw: random.Random, day: int, at: int, machines: list[str]) -> list[Planned]:
    where, other = draw.choice(machines), draw.choice(machines)
    minutes = draw.choice(_MINUTES)
    detail = place_detail(draw, day, at // _HOUR_MS % 24) | {"minutes": minutes}
    planned: list[Planned] = [(at, "hold", where, detail)]
    story = draw.choices(list(_STORIES), list(_STORIES.values()))[0]
    if draw.random() < 0.4 or story == "swapped":
        # The live channel tells the others at once; without it, the next exchange does.
        planned += [(at + 20_000, "sync", where, {}), (at + 25_000, "sync", other, {})]
    over = at + (minutes or 15) * _MINUTE_MS
    soon = at + draw.randrange(30_000, over - at)
    if story == "forgotten":
        # Somebody comes back to it when it is nearly, or already, too late.
        late = over + draw.choice((-2_000, 10_000, 40_000))
        if draw.random() < 0.5:
            planned.append((late, "reserve_hold", draw.choice((where, other)), _converted(draw)))
        return [*planned, (over + 36_000, "jobs", where, {})]
    if story == "given up":
        return [*planned, (soon, "give_up", draw.choice((where, where, other)), _pick(draw))]
    if story == "kept longer":
        more = draw.choice((5, 15, 30))
        planned.append((soon, "extend", where, _pick(draw) | {"minutes": more}))
        soon = over + draw.randrange(30_000, 8 * _MINUTE_MS)
    elif story == "swapped":
        # Once it was answered; and reserved before that is, or after.
        planned.append((soon, "swap", where, _pick(draw) | {"resource": draw.choice(_TABLES)}))
        soon += draw.choice((5_000, 60_000))
        if draw.random() < 0.5:
            planned.append((soon - 2_000, "sync", where, {}))
    elif story == "reserved twice":
        planned.append((soon, "reserve_hold", other, _converted(draw)))
        soon += draw.choice((1_000, 120_000))
    planned.append(
        (soon, "reserve_hold", where if draw.random() < 0.8 else other, _converted(draw))
    )
    return [*planned, (over + 36_000, "jobs", where, {})]


def _wait(draw: random.Random, day: int, at: int, machines: list[str]) -> list[Planned]:
    where, other = draw.choice(machines), draw.choice(machines)
    first, last = draw.choice(_WINDOWS)
    detail = {
        "day": day + draw.choice((0, 0, 1, 1, 2)), "party": draw.choice((1, 2, 2, 3, 4)),
        "from": first, "to": last,
    }  # fmt: skip
    planned: list[Planned] = [(at, "wait", where, detail)]
    if draw.random() < 0.15:
        return [*planned, (at + draw.randrange(4 * _HOUR_MS), "leave", where, _pick(draw))]
    planned += [(at + 20_000, "sync", where, {}), (at + 25_000, "sync", other, {})]
    then = at
    for _ in range(draw.choice((1, 1, 2))):
        then += draw.randrange(_MINUTE_MS, 3 * _HOUR_MS)
        minutes = draw.choice((None, 5, 30))
        offered = _pick(draw) | {
            "minutes": minutes, "resource": draw.choice((*_TABLES, "", "", "", "")),
        }  # fmt: skip
        by = draw.choice((where, other))
        planned.append((then, "offer", by, offered))
        over = then + (minutes or 15) * _MINUTE_MS
        if draw.random() < 0.3:
            # Who does not know of that offer makes another.
            again = other if by == where else where
            planned.append((then + 40_000, "offer", again, {**offered, "resource": ""}))
        if draw.random() < 0.6:
            soon = draw.randrange(then + 60_000, over)
            planned.append((soon, "accept", draw.choice((by, by, other)), _converted(draw)))
        planned.append((over + 36_000, "jobs", by, {}))
    return planned


def _block(draw: random.Random, day: int, at: int, machines: list[str]) -> list[Planned]:
    where = draw.choice(machines)
    first, last = draw.choice((("12:00", "15:00"), ("19:00", "22:00"), ("10:00", "23:30")))
    detail = {
        "day": day + draw.choice((0, 1, 1, 2)), "from": first, "to": last,
        "resources": draw.choice((["T1"], ["T2"], ["T3", "T4"], ["T4"], ["HALL"])),
        "force": draw.random() < 0.5,
        "rrule": draw.choice(("", "", "", "FREQ=DAILY;COUNT=3")),
        "also": draw.choice(("", "", "T2")),
    }  # fmt: skip
    planned: list[Planned] = [(at, "block", where, detail)]
    if draw.random() < 0.7:
        later = at + draw.randrange(12 * _HOUR_MS)
        taken = _pick(draw) | {"series": draw.random() < 0.5}
        planned.append((later, "unblock", draw.choice((where, where, *machines)), taken))
    return planned


def _pick(draw: random.Random) -> dict[str, Any]:
    return {"pick": round(draw.random(), 6)}


def _converted(draw: random.Random) -> dict[str, Any]:
    return _pick(draw) | {"guest": draw.randrange(10_000) if draw.random() < 0.3 else -1}


# --- doing ----------------------------------------------------------------------------------------


def perform(replica: Service, venue: str, step: Step) -> View | None:
    """Do what the step says at a replica. None where there is nothing to do it to. Raises what the
    product answers."""
    if step.what == "hold":
        return holds.place(replica, _hold_request(venue, step))
    if step.what == "wait":
        return waiting.join(replica, _wait_request(venue, step))
    if step.what == "block":
        return _blocked(replica, venue, step.detail)
    view = picked(replica, venue, step)
    return _ACTS[step.what](replica, view, step) if view is not None else None


def picked(replica: Service, venue: str, step: Step) -> View | None:
    """What a step is about, of all that this machine shows; none is where something is made."""
    if step.what in MAKING:
        return None
    select, book = replica.store.projections.select, replica.book_of(venue)
    if step.what == "unblock":
        found = select(book=book, form=BLOCK, limit=1_000)
    elif step.what in ("offer", "accept", "leave"):
        state = {"offer": waitlist.WAITING, "accept": waitlist.OFFERED}.get(step.what)
        waits = select(book=book, waiting=True, limit=1_000)
        found = [one for one in waits if waitlist.is_in_line(one)]
        wanted = [one for one in found if waitlist.state_of(one) == state]
        # Who offers or accepts without a look is told so.
        found = wanted or found
    else:
        found = select(book=book, form=HOLD, limit=1_000)
        require = _ALLOWED.get(step.what)
        if require is not None:
            # Whoever is told that it is another's to swap or to reserve looks for one of their own.
            found = [one for one in found if _may(require, replica, one)] or found
    return found[int(step.detail["pick"] * len(found))] if found else None


_ALLOWED: Final[dict[str, Callable[[Service, View], None]]] = {
    "swap": holding_apart.require_swappable,
    "reserve_hold": holding_apart.require_reservable,
}


def _may(require: Callable[[Service, View], None], replica: Service, view: View) -> bool:
    if view.status != lifecycle.INTENT:
        return False
    try:
        require(replica, view)
    except BadTransition:
        return False
    return True


def kept(replica: Service, venue: str, step: Step) -> list[ClaimView]:
    """What a call that makes a reservation of it finds kept, where this machine alone holds all of
    that and may give it; nothing otherwise."""
    view = picked(replica, venue, step) if step.what in CONVERTING else None
    if view is None or view.status != lifecycle.INTENT or not replica.may_decide(view.book):
        return []
    own = all(selling.holds(replica, view.book, claim) for claim in view.live)
    return view.live if own else []


def _hold_request(venue: str, step: Step) -> HoldRequest:
    detail = step.detail
    more: dict[str, Any] = {"resources": [detail["resource"]] if detail["resource"] else []}
    starts, party = time_of(detail["day"], detail["time"]), detail["party"]
    if venue == "hotel":
        more = {"resources": room(party), "nights": detail["nights"]}
        starts, party = starts[:10], min(party, 4)
    return HoldRequest(
        venue=venue, starts_at=starts, party_size=party, may_move=detail["may_move"],
        minutes=detail["minutes"], user_id=user(step), **more,
    )  # fmt: skip


def _wait_request(venue: str, step: Step) -> WaitRequest:
    detail = step.detail
    return WaitRequest(
        venue=venue, date=time_of(detail["day"], "")[:10], party_size=detail["party"],
        earliest=detail["from"], latest=detail["to"], user_id=user(step),
        guest=guest_card(step.number),
    )  # fmt: skip


def _reserve_request(step: Step) -> ReserveRequest:
    number = step.detail["guest"]
    card = guest_card(number) if number >= 0 else None
    return ReserveRequest(user_id=user(step), guest=card)


def _accept_request(step: Step) -> ReserveRequest:
    """Whoever accepts under a name of their own says how they are reached once more."""
    return ReserveRequest(user_id=user(step), guest=guest_card(max(step.detail["guest"], 0)))


def _blocked(replica: Service, venue: str, detail: dict[str, Any]) -> View:
    """The first of what was taken out of use; with `also`, another place in the same request."""
    names = detail["resources"]
    if venue == "hotel":
        names = ["R101" if "T1" in names else "DOUBLE"]

    def request(resources: list[str]) -> BlockRequest:
        return BlockRequest(
            venue=venue, kind="maintenance", resources=resources,
            starts_at=time_of(detail["day"], detail["from"]),
            ends_at=time_of(detail["day"], detail["to"]),
            rrule=detail.get("rrule") or None, force=detail.get("force", False), reason="repair",
        )  # fmt: skip

    also = detail.get("also", "")
    if also and venue != "hotel" and also not in names:
        return blocks.block_all(replica, [request(names), request([also])])[0][0]
    return blocks.block(replica, request(names))[0]


def _swap(replica: Service, view: View, step: Step) -> View:
    resource = step.detail["resource"]
    if view.nights:
        resource = "R101" if resource in ("T1", "T2") else "DOUBLE"
    return holds.change(replica, uuid_text(view.id), PatchRequest(resources=[resource]))


def _offer(replica: Service, view: View, step: Step) -> View:
    detail = step.detail
    resources = [detail["resource"]] if detail["resource"] else []
    request = OfferRequest(resources=resources, minutes=detail["minutes"])
    return waiting.offer(replica, uuid_text(view.id), request)


_ACTS: Final[dict[str, Callable[[Service, View, Step], View]]] = {
    "extend": lambda replica, view, step: holds.extend(
        replica, uuid_text(view.id), step.detail["minutes"]
    ),
    "swap": _swap,
    "give_up": lambda replica, view, step: holds.release(replica, view.code),
    "reserve_hold": lambda replica, view, step: holds.reserve(
        replica, uuid_text(view.id), _reserve_request(step)
    ),
    "offer": _offer,
    "accept": lambda replica, view, step: waiting.accept(
        replica, uuid_text(view.id), _accept_request(step)
    ),
    "leave": lambda replica, view, step: waiting.remove(replica, uuid_text(view.id), "not_needed"),
    "unblock": lambda replica, view, step: blocks.unblock(
        replica, uuid_text(view.id), series=step.detail.get("series", False)
    )[0],
}
KINDS: Final = MAKING | frozenset(_ACTS)


# --- what lapses ----------------------------------------------------------------------------------


def let_lapse(world: World, machine: Machine) -> int:
    """What the runtime's job `lapse` does every few seconds. Where nothing is due it is not run: a
    crash that waits for the machine's next commit is not meant for one that commits nothing."""
    replica = machine.replica
    if replica is None or machine.hostile:
        return 0
    with world.on(machine):
        return sum(lapsing.lapse(replica, name) for name in _due(replica))


def waits_to_lapse(world: World, machine: Machine) -> bool:
    """Whether something is over here, and its end not written yet."""
    with world.on(machine):
        return machine.replica is not None and bool(_due(machine.replica))


def _due(replica: Service) -> list[str]:
    return [name for name in sorted(replica.books) if lapsing.due(replica, name)]
