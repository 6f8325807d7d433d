"""What a person may not reserve: which restrictions bind when, and what follows for a writer."""

from __future__ import annotations

import datetime
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model import lifecycle, restrictions
from holdfast.model.contents import decode_content
from holdfast.model.entries import SCHEMA, Entry, Malformed
from holdfast.model.events import (
    KIND_BY_EVENT,
    Event,
    GuestProfiled,
    GuestRestricted,
    GuestRestrictionLifted,
    encode_content,
)
from holdfast.model.limits import RESTRICTION_VALUE_MAX, TAGS_PER_GUEST_MAX
from holdfast.model.restrictions import (
    BAN,
    EXPIRED,
    IN_FORCE,
    LIFTED,
    MAX_ADVANCE,
    MAX_CONCURRENT,
    Lift,
    Profile,
    Restriction,
)

AGENT = "agent_" + "a" * 32
NOW = 1_811_924_000_000
DAY_MS = 86_400_000


def operation(number: int) -> bytes:
    return number.to_bytes(16, "big")


def restriction(number: int = 1, **changes: object) -> Restriction:
    made = Restriction(operation(number), AGENT, BAN, "no_shows", 0, 0, NOW << 16)
    return made._replace(**changes)  # type: ignore[arg-type]


def lift(number: int, of: int, stamp: int = NOW << 16) -> Lift:
    return Lift(operation(number), operation(of), "paid", stamp)


# --- what is in force -----------------------------------------------------------------------------


def test_a_restriction_binds_up_to_its_end_and_at_that_instant_no_more():
    until = NOW + DAY_MS
    one = restriction(until_ms=until)
    assert restrictions.state_of(one, [], NOW) == IN_FORCE
    assert restrictions.state_of(one, [], until - 1) == IN_FORCE
    assert restrictions.state_of(one, [], until) == EXPIRED
    assert restrictions.in_force([one], [], until - 1) == [one]
    assert restrictions.in_force([one], [], until) == []


def test_one_without_an_end_binds_until_it_is_lifted():
    one = restriction()
    assert restrictions.state_of(one, [], NOW + 10_000 * DAY_MS) == IN_FORCE
    assert restrictions.state_of(one, [lift(2, of=1)], NOW) == LIFTED


@pytest.mark.parametrize("stamp", [0, 1, NOW << 16, 1 << 62])
def test_whether_it_is_lifted_no_stamp_decides(stamp: int):
    """A desk whose clock is wrong lifts as well as any."""
    one = restriction()
    assert restrictions.in_force([one], [lift(2, of=1, stamp=stamp)], NOW) == []


def test_a_lift_of_something_unknown_lifts_nothing_else():
    one = restriction()
    assert restrictions.in_force([one], [lift(2, of=99)], NOW) == [one]


def test_of_several_lifts_the_first_is_named():
    first, second = lift(9, of=1, stamp=5), lift(2, of=1, stamp=6)
    for known in ([first, second], [second, first]):
        assert restrictions.lift_of(restriction(), known) == first
    assert restrictions.lift_of(restriction(7), [first, second]) is None


RESTRICTIONS = st.builds(
    Restriction,
    st.integers(1, 6).map(operation),
    st.just(AGENT),
    st.sampled_from(restrictions.KINDS),
    st.just("other"),
    st.integers(0, 3),
    st.sampled_from([0, NOW - 1, NOW, NOW + 1]),
    st.integers(0, 3),
)
LIFTS = st.builds(
    Lift, st.integers(7, 12).map(operation), st.integers(1, 8).map(operation), st.just("other"),
    st.integers(0, 3),
)  # fmt: skip
PROFILES = st.builds(
    Profile,
    st.integers(13, 18).map(operation),
    st.just(AGENT),
    st.sampled_from(["", "gold"]),
    st.sampled_from([(), ("member",)]),
    st.integers(0, 3),
)


@given(
    st.lists(RESTRICTIONS, max_size=6, unique_by=lambda one: one.id),
    st.lists(LIFTS, max_size=6, unique_by=lambda one: one.id),
    st.lists(PROFILES, max_size=6, unique_by=lambda one: one.id),
    st.randoms(use_true_random=False),
)
def test_the_same_entries_say_the_same_in_whatever_order_they_came(
    made: list[Restriction], lifts: list[Lift], profiles: list[Profile], draw: random.Random
):
    """And what binds is just what is neither over nor lifted; nothing binds less for one more
    restriction, and nothing more for one more lift."""
    binding = restrictions.in_force(made, lifts, NOW)
    lifted = {one.restriction for one in lifts}
    assert {one.id for one in binding} == {
        one.id for one in made if one.id not in lifted and (not one.until_ms or one.until_ms > NOW)
    }
    shuffled, others, papers = list(made), list(lifts), list(profiles)
    for each in (shuffled, others, papers):
        draw.shuffle(each)
    assert restrictions.in_force(shuffled, others, NOW) == binding
    assert restrictions.profile_of(papers) == restrictions.profile_of(profiles)
    for kind in restrictions.KINDS:
        found = restrictions.strictest(binding, kind)
        assert found == restrictions.strictest(reversed(binding), kind)
        assert found is None or all(found.value <= one.value for one in binding if one.kind == kind)
    for known in range(len(lifts)):
        assert set(binding) <= set(restrictions.in_force(made, lifts[:known], NOW))
    for known in range(len(made)):
        assert set(restrictions.in_force(made[:known], lifts, NOW)) <= set(binding)


def test_of_two_bans_the_one_that_lasts_longest_is_told():
    short, long = restriction(1, until_ms=NOW + 1), restriction(2, until_ms=NOW + 2)
    for_good = restriction(3)
    assert restrictions.strictest([short, long], BAN) == long
    assert restrictions.strictest([short, for_good, long], BAN) == for_good
    assert restrictions.strictest([], BAN) is None


def test_the_newest_profile_stands_whole():
    old = Profile(operation(9), AGENT, "gold", ("member",), 1)
    new = Profile(operation(1), AGENT, "", ("pilot",), 2)
    assert restrictions.profile_of([new, old]) == new
    assert restrictions.profile_of([]) is None


# --- rules for whoever writes ---------------------------------------------------------------------


@pytest.mark.parametrize(("to_come", "refused"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_limit_of_two_at_a_time_refuses_the_third(to_come: int, refused: bool):
    binding = [
        restriction(kind=MAX_CONCURRENT, value=2),
        restriction(2, kind=MAX_CONCURRENT, value=9),
    ]
    found = restrictions.concurrent_violations(binding, "guest", to_come)
    assert [one["rule"] for one in found] == (["concurrent"] if refused else [])
    if refused:
        assert "2 at a time" in found[0]["message"]
        assert operation(1).hex() in found[0]["message"]


@pytest.mark.parametrize(("ahead", "refused"), [(0, False), (14, False), (15, True)])
def test_a_limit_of_fourteen_days_refuses_the_fifteenth(ahead: int, refused: bool):
    today = datetime.date(2027, 6, 2)
    binding = [restriction(kind=MAX_ADVANCE, value=14)]
    day = today + datetime.timedelta(days=ahead)
    found = restrictions.advance_violations(binding, "guest", day, today)
    assert [one["rule"] for one in found] == (["advance"] if refused else [])
    if refused:
        assert "Wednesday 2027-06-16" in found[0]["message"]


@pytest.mark.parametrize("kind", ["walk_in", "house"])
def test_a_limit_binds_nobody_who_stands_at_the_desk(kind: str):
    binding = [
        restriction(kind=MAX_CONCURRENT, value=1), restriction(2, kind=MAX_ADVANCE, value=0)
    ]  # fmt: skip
    day = datetime.date(2027, 6, 2)
    assert restrictions.concurrent_violations(binding, kind, 5) == []
    later = day + datetime.timedelta(days=1)
    assert restrictions.advance_violations(binding, kind, later, day) == []


def test_without_a_limit_of_the_kind_nothing_is_refused():
    day = datetime.date(2027, 6, 2)
    for binding in ([], [restriction()]):
        assert restrictions.concurrent_violations(binding, "guest", 99) == []
        far = day + datetime.timedelta(days=999)
        assert restrictions.advance_violations(binding, "guest", far, day) == []


def test_what_counts_against_a_limit_may_still_take_place():
    assert set(restrictions.TAKES_ONE) < set(lifecycle.STATUSES)
    over = {"commit_failed", "completed", "cancelled", "no_show", "expired"}
    assert not over & set(restrictions.TAKES_ONE)


# --- what an entry may say ------------------------------------------------------------------------


def read(event: Event) -> Event | None:
    kind = KIND_BY_EVENT[type(event)]
    return decode_content(Entry(kind, 1, 0, b"", (), (), (), SCHEMA, encode_content(event)))


GOOD = GuestRestricted(AGENT, BAN, "no_shows")
PROFILED = GuestProfiled(AGENT, "gold", ("member",))


@pytest.mark.parametrize(
    "event",
    [
        GOOD,
        GuestRestricted(AGENT, MAX_CONCURRENT, "other", RESTRICTION_VALUE_MAX, NOW),
        GuestRestrictionLifted(operation(1), "paid"),
        PROFILED,
        GuestProfiled(AGENT),
        GuestProfiled(AGENT, "", ("a",) * TAGS_PER_GUEST_MAX),
    ],
)
def test_what_is_said_in_ids_and_codes_is_read(event: Event):
    assert read(event) == event


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (msgspec.structs.replace(GOOD, agent_id="ann"), "text-not-an-id:agent_id"),
        (msgspec.structs.replace(GOOD, restriction="ann smith"), "text-not-a-code:restriction"),
        (msgspec.structs.replace(GOOD, reason="ann smith"), "text-not-a-code:reason"),
        (msgspec.structs.replace(GOOD, reason=""), "text-not-a-code:reason"),
        (msgspec.structs.replace(GOOD, value=-1), "restriction-out-of-range"),
        (
            msgspec.structs.replace(GOOD, value=RESTRICTION_VALUE_MAX + 1),
            "restriction-out-of-range",
        ),
        (msgspec.structs.replace(GOOD, until_ms=-1), "time-out-of-range"),
        (msgspec.structs.replace(GOOD, until_ms=1 << 60), "time-out-of-range"),
        (GuestRestrictionLifted(b"abc", "paid"), "operation-id-length"),
        (GuestRestrictionLifted(operation(1), "Ann paid"), "text-not-a-code:reason"),
        (msgspec.structs.replace(PROFILED, agent_id="ann"), "text-not-an-id:agent_id"),
        (msgspec.structs.replace(PROFILED, tier="Ann Smith"), "text-not-an-id:tier"),
        (msgspec.structs.replace(PROFILED, tags=("Ann Smith",)), "text-not-an-id:tags"),
        (msgspec.structs.replace(PROFILED, tags=("",)), "text-not-an-id:tags"),
        (
            msgspec.structs.replace(PROFILED, tags=("a",) * (TAGS_PER_GUEST_MAX + 1)),
            "profile-out-of-range",
        ),
    ],
)
def test_what_is_not_is_refused(event: Event, reason: str):
    with pytest.raises(Malformed, match=reason):
        read(event)
