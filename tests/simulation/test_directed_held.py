"""The rules of DESIGN §5.10, each switched off, under a schedule written to need it.

What is held, offered or out of use is claims like any other, so that most rules of test_directed.py
hold for it too; these are the ones that only such things have. Every process lets lapse what is due
before each step, as its job does every few seconds.
"""

from __future__ import annotations

import contextlib
from typing import Any
from unittest import mock

import pytest

from holdfast.model import deciding, reservation, roles
from holdfast.model.capacity import Occupancy
from holdfast.model.limits import HOLD_GRACE_MS
from holdfast.model.roles import NODE_ROLES
from holdfast.node import holds, lapsing, placing, selling
from tests.simulation import switches as off
from tests.simulation.scripts import HOUR, Script, replaced, scenario, wish
from tests.simulation.scripts import holds as allotted

DESK0_HAS_T1 = [allotted("desk0", "T1")]
TEN = 10.0
MINUTE = 1 / 60


def kept(day: int, time: str, resource: str, **more: Any) -> dict[str, Any]:
    """The detail of a `hold`, for a quarter of an hour unless said otherwise."""
    return {"minutes": None, **wish(day, time, resource), **more}


def wait(day: int, time: str) -> dict[str, Any]:
    """The detail of a `wait`: two people who come at this hour and no other."""
    return {"day": day, "party": 2, "from": time, "to": time}


def offered(resource: str, minutes: int | None = None) -> dict[str, Any]:
    return {"pick": 0.0, "resource": resource, "minutes": minutes}


def out(day: int, resource: str, **more: Any) -> dict[str, Any]:
    """The detail of a `block`: a place is out of use for an evening."""
    return {"day": day, "from": "18:00", "to": "23:00", "resources": [resource], **more}


TAKE = {"pick": 0.0, "guest": -1}


# --- switched off ---------------------------------------------------------------------------------


def anybody_lets_lapse() -> Any:
    """Whoever sees by its own clock that a hold is over ends it."""
    plan = lapsing.plan

    def planned(views: Any, now_ms: int, *_: Any) -> Any:
        return plan(views, now_ms, lambda *_: True, lambda _: True)

    return mock.patch.object(lapsing, "plan", planned)


def what_is_over_is_free() -> Any:
    """A place is given again as soon as the time is over, without a word that ends the hold."""
    stock = selling.stock

    class Eager:
        def __init__(self, replica: Any, book: str, venue: Any) -> None:
            self._stock = stock(replica, book, venue)
            now_ms = replica.clock.now_ms()
            self._over = [
                claim.id
                for view in replica.store.projections.held(book)
                if now_ms >= view.expires_at_ms
                for claim in view.occupying
            ]

        def right_for(self, claim: Any, ignoring: Any) -> bytes | None:
            return self._stock.right_for(claim, [*ignoring, *self._over])

    return mock.patch.object(selling, "stock", Eager)


def the_first_by_the_clock_reserves() -> Any:
    def first(_view: Any, turns: Any, _given: Any, withdrawn: Any) -> bytes:
        return next(
            (
                one.operation
                for one in turns
                if one.kind == "reservation.reserved" and one.operation not in withdrawn
            ),
            b"",
        )

    return mock.patch.object(reservation, "_reserving", first)


def reserving_elsewhere_is_a_promise() -> Any:
    """Whoever reserves what is held tells the guest that it is theirs, whoever holds it."""
    show = reservation._show_place
    return mock.patch.object(
        reservation,
        "_show_place",
        lambda view, _: show(view, {claim.id.operation for claim in view.claims}),
    )


def reserving_asks_like_anybody() -> Any:
    """Whoever reserves a hold takes a place beside it, and not the one that is held."""
    claims_of = placing.claims_of

    def beside(replica: Any, venue: Any, place: Any, choice: Any, view: Any = None) -> Any:
        return claims_of(replica, venue, place, choice)

    fake = mock.Mock(wraps=placing, claims_of=beside)
    return mock.patch.object(holds, "placing", fake)


def a_hold_stands_in_its_own_way() -> Any:
    """The holder answers who reserves as if the hold were somebody else's."""
    decide = deciding.decide

    def strict(view: Any, operation: bytes, *given: Any, **more: Any) -> Any:
        kind = view.reserving
        view.reserving = b""
        claims = view.claims
        view.claims = tuple(
            off.without_turn(claim) if claim.id.operation == operation else claim
            for claim in claims
        )
        try:
            return decide(view, operation, *given, **more)
        finally:
            view.reserving, view.claims = kind, claims

    return mock.patch.object(deciding, "decide", strict)


SCRIPTS = [
    Script("only its holder lets a hold lapse", anybody_lets_lapse,
        scenario(
            ("sync", "desk0"),
            ("hold", "desk0", kept(2, "19:30", "T1"), TEN), ("sync", "desk0"), ("sync", "desk1"),
            ("cut", "desk0"),
            ("jobs", "desk1", {}, TEN + 16 * MINUTE),
            allotments=DESK0_HAS_T1, apart_ms=5_000,
        ), {"its holder lets it lapse"}, ends=("expired",)),
    Script("a clock that runs ahead frees nothing of another's", anybody_lets_lapse,
        scenario(
            ("hold", "desk0", kept(2, "19:30", "T1"), TEN), ("sync", "desk0"), ("sync", "desk1"),
            ("clock", "desk1", {"by_ms": 7 * HOUR}),
            ("jobs", "desk1"),
            ("sync", "desk1"),
            ("reserve_hold", "hub", TAKE),
            apart_ms=5_000,
        ), {"its holder lets it lapse"}, ends=("confirmed",)),
    Script("a time that is over is not an end", what_is_over_is_free,
        scenario(
            ("hold", "desk0", kept(2, "19:30", "T1"), TEN), ("sync", "desk0"),
            # Its time is over, and the reserving may be under way.
            ("reserve", "desk1", wish(2, "19:30", "T1"), TEN + 15 * MINUTE + 5 / 3600),
            ("sync", "desk1"),
            apart_ms=5_000,
        ), {"capacity"}, ends=("expired", "commit_failed")),
    Script("what is under way when the time is over is waited for",
        replaced(lapsing, "HOLD_GRACE_MS", 0),
        scenario(
            ("hold", "desk0", kept(2, "19:30", "T1"), TEN), ("sync", "desk0"),
            ("reserve_hold", "desk0", TAKE, TEN + 15 * MINUTE - 2 / 3600),
            ("sync", "desk0", {}, TEN + 15 * MINUTE + (HOLD_GRACE_MS - 10_000) / HOUR),
            apart_ms=5_000,
        ), {"as the script says"}, ends=("confirmed",)),
    Script("a hold is reserved once", the_first_by_the_clock_reserves,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("hold", "desk1", kept(2, "19:30", "T1"), TEN), ("sync", "desk1"), ("sync", "desk0"),
            ("sync", "desk1"),
            ("cut", "desk0"), ("cut", "desk1"),
            ("reserve_hold", "desk1", TAKE),
            ("reserve_hold", "desk0", TAKE),
            allotments=DESK0_HAS_T1, apart_ms=5_000,
        ), {"kept is kept"}, ends=("confirmed",),
        told={"reserve_hold: confirmed": 1, "reserve_hold: commit_pending": 1}),
    Script("an offer is accepted where its place is held", reserving_elsewhere_is_a_promise,
        scenario(
            ("wait", "hub", wait(2, "19:30"), TEN), ("offer", "hub", offered("T1")),
            ("sync", "desk0"), ("cut", "desk0"),
            ("accept", "desk0", TAKE, TEN + 14 * MINUTE),
            # The hub lets the offer lapse, and somebody else comes.
            ("reserve", "hub", wish(2, "19:30", "T1"), TEN + 17 * MINUTE),
            ("heal", "desk0"), ("sync", "desk0"), ("sync", "desk0"),
            apart_ms=5_000,
        ), {"confirmed stands"}, ends=("commit_failed", "confirmed"),
        told={"accept: commit_pending": 1}),
    Script("who waits gets one place of two offers", off.both_moves_count,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("wait", "hub", wait(2, "19:30"), TEN), ("sync", "desk0"), ("sync", "desk1"),
            ("cut", "desk0"), ("cut", "desk1"),
            ("offer", "desk0", offered("T1", 30)), ("offer", "desk1", offered("T2", 30)),
            ("accept", "desk0", TAKE), ("accept", "desk1", TAKE),
            allotments=[*DESK0_HAS_T1, allotted("desk1", "T2")], apart_ms=5_000,
        ), {"one place each"}, ends=("confirmed",), told={"accept: confirmed": 2}),
    Script("reserving takes the place that is held", reserving_asks_like_anybody,
        scenario(
            ("sync", "desk0"),
            ("hold", "desk0", kept(2, "19:30", "T1"), TEN),
            ("reserve_hold", "desk0", TAKE),
            allotments=DESK0_HAS_T1, apart_ms=5_000,
        ), {"reserving keeps the place"}, ends=("confirmed",)),
    Script("its holder gives who reserves the place that is held", a_hold_stands_in_its_own_way,
        scenario(
            ("hold", "desk0", kept(2, "19:30", "T1"), TEN), ("sync", "desk0"),
            ("reserve_hold", "desk0", TAKE), ("sync", "desk0"),
            apart_ms=5_000,
        ), {"kept is kept"}, ends=("confirmed",)),
    Script("what is held is kept under a block and beside an overbooking",
        replaced(Occupancy, "keeps", lambda *_: False),
        scenario(
            ("sync", "desk0"),
            ("hold", "desk0", kept(2, "19:30", "T1"), TEN), ("sync", "desk0"),
            ("block", "desk0", out(2, "T1", force=True)), ("sync", "desk0"),
            ("reserve_hold", "desk0", TAKE), ("sync", "desk0"),
            ("hold", "desk0", kept(3, "19:30", "T1")), ("sync", "desk0"),
            ("reserve", "desk0", wish(3, "19:30", "T1", override=True)), ("sync", "desk0"),
            ("reserve_hold", "desk0", TAKE), ("sync", "desk0"),
            ("hold", "desk1", kept(2, "19:30", "T2")), ("sync", "desk1"),
            ("block", "hub", out(2, "T2", force=True)),
            ("reserve_hold", "desk1", TAKE), ("sync", "desk1"),
            allotments=DESK0_HAS_T1, apart_ms=5_000,
        ), {"reserving keeps the place"}, ends=("confirmed",) * 6,
        told={"reserve_hold: confirmed": 2, "reserve_hold: commit_pending": 1}),
    Script("only the house takes a place out of use", replaced(roles, "BLOCKERS", NODE_ROLES),
        scenario(
            ("block", "desk0", out(2, "T1")), ("sync", "desk0"),
            kiosks=["desk0"],
        ), {"as the script says"}, told={"block: RoleForbidden": 1}),
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.rule.replace(" ", "-"))
def test_a_rule_that_is_switched_off_is_found(script: Script) -> None:
    script.check()


def test_a_device_that_sells_what_it_let_the_house_block_has_oversold() -> None:
    """The block was not forced: it stands in the place of what was not sold (seed 60604)."""
    blocked = out(0, "T1", rrule="FREQ=DAILY;COUNT=8") | {"from": "00:00", "to": "23:59"}
    script = Script("what is blocked is not sold", contextlib.nullcontext,
        scenario(
            ("sync", "stranger"), ("block", "hub", blocked), ("sync", "stranger"),
            ("attack", "stranger", {"how": "oversold_right", "pick": 0.1}),
            stranger=True, allotments=[allotted("stranger", "T1")],
        ), (), ends=("confirmed",))  # fmt: skip
    assert script.play(off=False) == []
