"""Promises about one person: how many, how far ahead, how often moved, and how fast one after
another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.calendar import local_to_epoch
from holdfast.model.claims import DEAD, LIVE, STANDBY, ClaimView, Seen
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.events import ReservationCreated, ReservationMoved, encode_content
from holdfast.model.reservation import View
from holdfast.model.rules import MOVE, OWN, Made, Proposal, Question, Standing, limits_of
from holdfast.model.rules.history import reschedules
from holdfast.model.venue import PersonLimits
from tests.model.asked import NOW, restaurant, said

AT = "2026-06-30T12:00"
GROUPS: dict[str, Any] = {
    "advance_days": 14,
    "concurrent": 2,
    "max_reschedules": 1,
    "tiers": {"gold": {"advance_days": 30, "concurrent": 4}},
    "tags": {"vip": {"concurrent": 10}, "press": {"advance_days": 60, "max_reschedules": 5}},
}


# --- what somebody may ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "limits"),
    [
        ({}, (14, 2, 1)),
        ({"tier": "gold"}, (30, 4, 1)),
        ({"tier": "of another house"}, (14, 2, 1)),
        ({"tags": ("vip",)}, (14, 10, 1)),
        ({"tier": "gold", "tags": ("vip", "press")}, (60, 10, 5)),
    ],
)
def test_the_most_that_everybody_a_tier_or_a_tag_has_counts(
    known: dict[str, Any], limits: tuple[int, ...]
):
    assert limits_of(restaurant(policies=GROUPS), Standing(**known)) == PersonLimits(*limits)


@pytest.mark.parametrize(
    ("tier", "start", "refused"),
    [
        ("", "2026-07-14T18:00", False),
        ("", "2026-07-15T18:00", True),
        ("gold", "2026-07-29T18:00", False),
        ("gold", "2026-08-04T18:00", True),
    ],
)
def test_a_tier_may_reserve_further_ahead(tier: str, start: str, refused: bool):
    hours = {"tue": [["18:00", "23:00"]], "wed": [["18:00", "23:00"]]}
    at = restaurant(policies=GROUPS, hours=hours)
    found = said(at, start, standing=Standing(tier=tier))
    assert set(found) == ({"advance"} if refused else set())


# --- how many ahead -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "refused"),
    [
        ({"ahead": 1}, False),
        ({"ahead": 2}, True),
        ({"ahead": 3, "tier": "gold"}, False),
        ({"ahead": 4, "tier": "gold"}, True),
    ],
)
def test_one_more_than_a_person_may_have_is_refused(known: dict[str, Any], refused: bool):
    found = said(restaurant(policies=GROUPS), AT, standing=Standing(**known))
    assert set(found) == ({"concurrent"} if refused else set())
    moved = said(restaurant(policies=GROUPS), AT, standing=Standing(**known), step=MOVE)
    assert moved == {}, "a move makes none more"


def test_who_has_too_many_is_told_how_many_and_the_way_out():
    found = said(restaurant(policies=GROUPS), AT, standing=Standing(ahead=2))["concurrent"]
    for part in ("2 reservations ahead", "may have 2", "over or cancelled"):
        assert part in found


# --- how often moved ------------------------------------------------------------------------------


@pytest.mark.parametrize(("moved", "refused"), [(0, False), (1, True), (7, True)])
def test_the_next_move_after_the_last_one_allowed_is_refused(moved: int, refused: bool):
    at = restaurant(policies=GROUPS)
    start = local_to_epoch(at, AT)
    asked: dict[str, Any] = {
        "step": MOVE, "by_guest": True, "standing": Standing(reschedules=moved),
    }  # fmt: skip
    found = said(at, AT, present=(start - 900, start + 4_500), **asked)
    assert set(found) == ({"reschedules"} if refused else set())
    # To stay longer, or to sit elsewhere, is no other time.
    assert said(at, AT, present=(start, start + 3_600), **asked) == {}


def test_where_no_guest_may_move_anything_the_first_move_is_refused():
    at = restaurant(policies={"max_reschedules": 0})
    found = said(at, AT, step=MOVE, by_guest=True, present=(0, 900))
    assert "staff can still move it" in found["reschedules"]


def entry(number: int, event: Any, start: int) -> Seen:
    """One request of a reservation's, in its turn."""
    operation = bytes([number]) * 16
    kind = "reservation.created" if number == 0 else "reservation.moved"
    return Seen(
        operation, kind, number, b"n" * 16, "desk", False, (),
        (Claim("T1", start, start + 3_600),), (), encode_content(event),
    )  # fmt: skip


def claim(number: int, state: str, start: int) -> ClaimView:
    at = ClaimId(bytes([number]) * 16, 0)
    return ClaimView(at, state, "T1", start, start + 3_600, 1, 0, "desk", False, number, None)


def test_only_what_the_guest_moved_to_another_start_and_was_granted_is_counted():
    made = ReservationCreated("agent_" + "a" * 32, 2, "RES-2026-AAAAAA", "2026-06-30")
    by_guest, by_staff = ReservationMoved(by_guest=True), ReservationMoved()
    history = [
        (made, 1_000, LIVE, 0),
        (by_guest, 2_000, LIVE, 1),
        (by_staff, 3_000, LIVE, 1),
        (by_guest, 3_000, LIVE, 1),  # another table
        (by_guest, 4_000, DEAD, 1),  # refused by its holder
        (by_guest, 5_000, STANDBY, 2),  # waits for its decision
    ]
    seen: list[Seen] = []
    view = View(b"r" * 16)
    for number, (event, start, state, expected) in enumerate(history):
        seen.append(entry(number, event, start))
        view.claims += (claim(number, state, start),)
        assert reschedules(view, seen) == expected
        assert reschedules(view, [*seen[::-1], *seen]) == expected, "in any order, twice"


# --- how fast one after another -------------------------------------------------------------------

HERE, ELSEWHERE = "corner", "elsewhere"
RATES = {"per_hour": 10, "per_day": 50, "per_venue_day": 3, "per_venue_week": 10}
HOUR, DAY = 3_600, 86_400
NOW_S = local_to_epoch(restaurant(), NOW)


def made(*ago_s: int, venue: str = HERE) -> tuple[Made, ...]:
    return tuple(Made(NOW_S - ago, venue) for ago in ago_s)


def asked(known: tuple[Made, ...], **changes: Any) -> dict[str, str]:
    changes.setdefault("by_guest", True)
    return said(restaurant(policies={"rates": RATES}), AT, standing=Standing(made=known), **changes)


@pytest.mark.parametrize(
    ("known", "refused"),
    [
        (made(*range(9), venue=ELSEWHERE), False),
        (made(*range(10), venue=ELSEWHERE), True),
        (made(*range(9), HOUR, venue=ELSEWHERE), False),  # exactly an hour ago: over
        (made(*range(9), HOUR - 1, venue=ELSEWHERE), True),
        (made(*range(HOUR, HOUR + 49), venue=ELSEWHERE), False),
        (made(*range(HOUR, HOUR + 50), venue=ELSEWHERE), True),
        (made(*range(HOUR, HOUR + 49), DAY, venue=ELSEWHERE), False),
        (made(HOUR, 2 * HOUR), False),
        (made(HOUR, 2 * HOUR, 3 * HOUR), True),
        (made(HOUR, 2 * HOUR, DAY), False),
        (made(HOUR, 2 * HOUR, DAY - 1), True),
        (made(HOUR, 2 * HOUR) + made(3 * HOUR, venue=ELSEWHERE), False),
        (made(*range(DAY, DAY + 9)), False),
        (made(*range(DAY, DAY + 10)), True),
        (made(*range(DAY, DAY + 9), 7 * DAY), False),
        (made(*range(DAY, DAY + 9), 7 * DAY - 1), True),
    ],
)
def test_each_window_refuses_the_one_too_many_and_not_a_second_longer(
    known: tuple[Made, ...], refused: bool
):
    assert set(asked(known)) == ({"rates"} if refused else set())


@given(st.lists(st.integers(0, 8 * DAY), max_size=14))
def test_it_says_when_to_come_again_and_then_lets_them(ago: list[int]):
    at = restaurant(policies={"rates": RATES}, hours=None, slot_minutes=1)
    known = Standing(made=made(*ago))

    def refused(now_s: int) -> list[int]:
        found = OWN.violations(Question(at, proposal(now_s), now_s, known))
        return [one.retry_after_s for one in found if one.rule == "rates"]

    for wait in refused(NOW_S):
        assert wait > 0
        assert refused(NOW_S + wait - 1)
        assert not refused(NOW_S + wait)


def proposal(now_s: int) -> Proposal:
    start = now_s // 60 * 60 + HOUR
    return Proposal(party_size=2, starts_at=start, ends_at=start + HOUR, by_guest=True)


def test_a_venue_that_says_nothing_counts_nothing():
    at = restaurant(policies={"rates": {"per_venue_day": 3}})
    many = Standing(made=made(*range(500), venue=ELSEWHERE))
    assert said(at, AT, standing=many, by_guest=True) == {}
    assert said(restaurant(policies={}), AT, standing=many, by_guest=True) == {}


def test_the_message_says_how_many_and_when_the_next_is_possible():
    text = asked(made(HOUR, 2 * HOUR, 3 * HOUR))["rates"]
    assert "3 reservations may be made for one guest within 24 hours here" in text
    assert "the next one from 08:00 on Wednesday 2026-07-01" in text
    within = asked(made(*range(600, 610), venue=ELSEWHERE))["rates"]
    assert within.endswith("the next one from 11:50.")
