"""Promises of the lifecycle: one table, and no order of arrival that changes a fate."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from holdfast.model import lifecycle
from holdfast.model.claims import Seen
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.errors import BadTransition
from holdfast.model.events import (
    Form,
    ReservationAmended,
    ReservationAttendanceConfirmed,
    ReservationCancelled,
    ReservationCheckedIn,
    ReservationCompleted,
    ReservationCreated,
    ReservationExpired,
    ReservationMarkedNoShow,
    ReservationMoved,
    ReservationNoShowUndone,
    ReservationReserved,
    encode_content,
)
from holdfast.model.lifecycle import COLLIDE, FOLD_STATUSES, NEXT, STEP_BY_NAME, STEPS
from holdfast.model.reservation import fold, view_digest

RESERVATION = b"r" * 16
EVENTS = {
    "reserved": ReservationReserved(),
    "expired": ReservationExpired(),
    "amended": ReservationAmended({"occasion": "birthday"}),
    "moved": ReservationMoved({}),
    "attendance_confirmed": ReservationAttendanceConfirmed(),
    "cancelled": ReservationCancelled("guest_request", "guest"),
    "checked_in": ReservationCheckedIn(),
    "completed": ReservationCompleted(),
    "no_show": ReservationMarkedNoShow(),
    "no_show_undone": ReservationNoShowUndone(),
}
CREATED = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03")
HELD = msgspec.structs.replace(CREATED, form=Form("hold", 900_000))
PATHS: tuple[list[str], ...] = (
    [],
    ["held"],
    ["held", "reserved"],
    ["held", "expired"],
    ["held", "cancelled"],
    ["checked_in"],
    ["checked_in", "completed"],
    ["cancelled"],
    ["no_show"],
    ["no_show", "no_show_undone"],
)


def seen(name: str, number: int, follows: tuple[bytes, ...], stamp: int) -> Seen:
    created = name in ("created", "held")
    event = {"created": CREATED, "held": HELD}.get(name) or EVENTS[name]
    places = created or name == "reserved"
    claims = (Claim("T1", 1000, 2000, right=HUB_RIGHT),) if places else ()
    ends = (ClaimId(bytes([1]) * 16, 0),) if name == "reserved" else ()
    kind = f"reservation.{'created' if created else name}"
    return Seen(
        bytes([number]) * 16, kind, stamp << 16, bytes([number]) * 16, "hub", True,
        follows, claims, ends, encode_content(event),
    )  # fmt: skip


def history(path: list[str]) -> list[Seen]:
    """A reservation that was made and then took these steps, each seeing the one before."""
    making = "held" if path[:1] == ["held"] else "created"
    entries = [seen(making, 1, (), 1)]
    for number, name in enumerate([name for name in path if name != "held"], 2):
        entries.append(seen(name, number, (entries[-1].operation,), number))
    return entries


@pytest.mark.parametrize("count", [2, 3])
def test_concurrent_steps_give_one_status_in_every_order_of_arrival_and_of_stamps(count):
    assert set(EVENTS) == set(STEP_BY_NAME), "a step has no event here"
    for path in PATHS:
        before = history(path)
        leaf = (before[-1].operation,)
        for names in itertools.combinations_with_replacement(sorted(EVENTS), count):
            statuses: dict[str, list[object]] = {}
            for stamps in itertools.permutations(range(10, 10 + count)):
                steps = [
                    seen(name, 100 + i, leaf, stamp)
                    for i, (name, stamp) in enumerate(zip(names, stamps, strict=True))
                ]
                digests = {
                    view_digest(fold(RESERVATION, [*order, *before]))
                    for order in itertools.permutations(steps)
                }
                assert len(digests) == 1, f"{path} then {names}: the order of arrival shows"
                status = fold(RESERVATION, [*before, *steps]).status
                statuses.setdefault(status, []).append(stamps)
            assert len(statuses) == 1, f"{path} then {names}: stamps decide a status: {statuses}"


def test_a_pair_of_steps_and_one_that_saw_neither_give_one_status_whatever_the_stamps():
    for path in PATHS:
        before = history(path)
        leaf = (before[-1].operation,)
        status = fold(RESERVATION, before).status
        for one, then, other in itertools.product(sorted(EVENTS), repeat=3):
            if status not in STEP_BY_NAME[one].sources & STEP_BY_NAME[other].sources:
                continue  # nobody honest writes it
            statuses = set()
            for stamps in itertools.permutations(range(10, 13)):
                earlier = seen(one, 100, leaf, stamps[0])
                later = seen(then, 101, (earlier.operation,), stamps[1])
                alone = seen(other, 102, leaf, stamps[2])
                known = fold(RESERVATION, [*before, earlier])
                if known.status not in STEP_BY_NAME[then].sources:
                    continue  # nobody honest writes it
                statuses.add(fold(RESERVATION, [*before, earlier, later, alone]).status)
            assert len(statuses) <= 1, f"{path}, {one} then {then}, beside {other}: {statuses}"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_step_that_saw_everything_leads_where_the_table_says(name):
    step = STEP_BY_NAME[name]
    for path in PATHS:
        before = history(path)
        status = fold(RESERVATION, before).status
        after = fold(RESERVATION, [*before, seen(name, 99, (before[-1].operation,), 99)])
        if status in step.sources:
            wanted = {None: status, lifecycle.OPEN: lifecycle.CONFIRMED}.get(step.to, step.to)
            assert after.status == wanted
            assert after.exceptions == ()
        elif not step.fact:
            led = lifecycle.CONFIRMED if step.to == lifecycle.OPEN else step.to
            assert after.status in (status, led), "an illegal step invented a status"


def test_the_tables_are_total_and_know_no_other_status():
    wanted = {(status, step.kind) for status in FOLD_STATUSES for step in STEPS}
    for table in (NEXT, COLLIDE):
        assert set(table) == wanted
        assert {outcome.status for outcome in table.values()} <= set(FOLD_STATUSES)


def test_facts_are_never_void():
    for table in (NEXT, COLLIDE):
        for (status, kind), outcome in table.items():
            if lifecycle.STEP_BY_KIND[kind].fact:
                assert not outcome.void, f"{kind} is a fact and was dropped at {status}"


def test_a_guest_who_sits_beats_every_paper():
    for paper in ("cancelled", "no_show", "no_show_undone", "amended"):
        outcome = COLLIDE[lifecycle.CHECKED_IN, f"reservation.{paper}"]
        assert outcome.status == lifecycle.CHECKED_IN
    assert COLLIDE[lifecycle.CANCELLED, "reservation.checked_in"].exception == (
        "seated_though_cancelled"
    )


def test_a_void_step_changes_no_field():
    before = history([])
    leaf = (before[0].operation,)
    cancelled, amended = seen("cancelled", 50, leaf, 50), seen("amended", 60, leaf, 60)
    late = fold(RESERVATION, [*before, cancelled, amended])
    assert (late.status, late.occasion) == (lifecycle.CANCELLED, "")
    informed = seen("amended", 60, (cancelled.operation,), 60)
    assert fold(RESERVATION, [*before, cancelled, informed]).occasion == ""


@pytest.mark.parametrize("status", lifecycle.STATUSES)
@pytest.mark.parametrize("name", sorted(STEP_BY_NAME))
def test_a_writer_takes_a_step_only_from_where_the_table_allows_it(name, status):
    step = STEP_BY_NAME[name]
    if status in step.sources:
        assert lifecycle.check_step(name, status, "RES-1") is step
    else:
        with pytest.raises(BadTransition) as refusal:
            lifecycle.check_step(name, status, "RES-1")
        assert refusal.value.present_status == status
        assert "RES-1" in refusal.value.detail


def test_the_diagram_shows_every_step_that_leads_somewhere():
    lines = lifecycle.diagram().splitlines()
    for step in STEPS:
        if step.to is not None:
            assert sum(f": {step.name}" in line for line in lines) >= len(step.sources)


def test_confirmed_is_never_said_without_a_live_claim():
    without = msgspec.structs.replace(seen("created", 1, (), 1), claims=())
    view = fold(RESERVATION, [without])
    assert view.status == lifecycle.COMMIT_FAILED
