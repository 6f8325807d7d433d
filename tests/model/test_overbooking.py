"""Overbooking on purpose: exactly one may, by the limit of the day, from an account of its own."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.capacity import Held, Occupancy
from holdfast.model.claims import Seen
from holdfast.model.deciding import GrantedStock, HubStock, decide
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    ClaimDecided,
    ReservationAmended,
    ReservationCreated,
    ReservationMoved,
    RightGranted,
    encode_content,
)
from holdfast.model.offers import VenueIndex
from holdfast.model.overbooking import Overbooking, limit, overbooker, override_of
from holdfast.model.reservation import fold
from holdfast.model.rights import FOREVER, HUB, Rights
from holdfast.model.venue import Venue, parse_venue

DESK, BAR = b"D" * 16, b"B" * 16
HOUR, DAY = 3_600, 86_400
DEC_24 = 1_798_070_400  # 2026-12-24T00:00:00Z


def venue(**changes: object) -> Venue:
    document = {
        "venue": "v", "name": "V", "kind": "restaurant", "time_zone": "UTC",
        "resources": [
            {"id": "T1", "kind": "table", "seats": [1, 4]},
            {"id": "T2", "kind": "table", "seats": [1, 4]},
            {"id": "HALL", "kind": "hall", "capacity": 10, "counts": "people"},
        ],
        "overbooking": [
            {"resources": ["T1"], "from": "2026-12-24", "until": "2026-12-25", "limit": 1},
            {"resources": ["T*"], "until": "2026-12-31", "limit": 2},
            {"resources": ["HALL"], "limit": 3},
        ],
    }  # fmt: skip
    return parse_venue(document | changes)


VENUE = VenueIndex(venue())


def rights(*grants: tuple[bytes, str, int, int, int, bool]) -> Rights:
    """(holder, resource, quantity, start, end, whole) of each grant."""
    made = Rights()
    for number, (holder, resource, quantity, start, end, whole) in enumerate(grants):
        event = RightGranted(holder, (resource,), quantity, start, end, whole=whole)
        made.granted(number.to_bytes(16, "big"), number, event)
    return made


def holding(*held: tuple[str, int, int, int, bytes], granted: Rights | None = None) -> Occupancy:
    """(resource, start, end, quantity, account) of each claim."""
    rows: dict[str, list[Held]] = {}
    for number, (resource, start, end, quantity, account) in enumerate(held):
        claim = ClaimId(number.to_bytes(16, "big"), 0)
        one = Held(claim, start, end, quantity, True, b"o" * 16, account)
        rows.setdefault(resource, []).append(one)

    def handed(resource: str) -> Iterable[tuple[int, int, int]]:
        active = [] if granted is None else granted.of_resource(resource)
        return [(one.start, one.end, one.right.quantity) for one in active]

    return Occupancy(
        lambda name, start, end: [h for h in rows.get(name, ()) if h.start < end and h.end > start],
        handed,
    )


# --- the limit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "start", "end", "expected"),
    [
        ("T1", DEC_24, DEC_24 + HOUR, 1),
        ("T1", DEC_24 + 2 * DAY - HOUR, DEC_24 + 2 * DAY, 1),  # `until` is itself among the days
        ("T1", DEC_24 - HOUR, DEC_24, 2),  # before it: the next entry that matches
        ("T1", DEC_24 - HOUR, DEC_24 + HOUR, 1),  # over midnight: the less of both days
        ("T1", DEC_24 + 8 * DAY - HOUR, DEC_24 + 8 * DAY + HOUR, 0),  # one day has none
        ("T2", DEC_24, DEC_24 + HOUR, 2),
        ("T2", DEC_24 + 30 * DAY, DEC_24 + 30 * DAY + HOUR, 0),
        ("HALL", DEC_24 + 3_000 * DAY, DEC_24 + 3_000 * DAY + HOUR, 3),
    ],
)
def test_the_first_that_matches_counts_and_what_matches_nothing_has_none(
    resource: str, start: int, end: int, expected: int
) -> None:
    assert limit(VENUE.venue, resource, start, end) == expected


def test_a_venue_without_limits_has_none() -> None:
    assert limit(venue(overbooking=[]), "T1", DEC_24, DEC_24 + HOUR) == 0


def test_where_nights_are_sold_a_day_is_a_night() -> None:
    """The night of the 25th lasts until the next guests may come: who leaves in the morning of the
    26th has stayed on days with a limit alone."""
    lodging = venue(
        kind="lodging",
        stays={"check_in": "15:00", "check_out": "11:00"},
        overbooking=[
            {"resources": ["T1"], "from": "2026-12-24", "until": "2026-12-25", "limit": 1}
        ],
    )
    arrives = DEC_24 + 15 * HOUR
    assert limit(lodging, "T1", arrives, DEC_24 + 2 * DAY + 11 * HOUR) == 1
    assert limit(lodging, "T1", arrives, DEC_24 + 3 * DAY + 11 * HOUR) == 0
    assert limit(lodging, "T1", arrives - DAY, arrives + HOUR) == 0


# --- who may --------------------------------------------------------------------------------------

EVENING = (DEC_24 + 18 * HOUR, DEC_24 + 20 * HOUR)


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], HUB),
        ([(DESK, "T1", 1, 0, FOREVER, True)], DESK),
        ([(DESK, "T2", 1, 0, FOREVER, True)], HUB),
        ([(DESK, "T1", 1, 0, EVENING[0], True)], HUB),  # over before it
        ([(DESK, "T1", 1, EVENING[1], FOREVER, True)], HUB),  # begins as it ends
        ([(DESK, "T1", 1, *EVENING, True)], DESK),
        ([(DESK, "T1", 1, EVENING[0] + 1, FOREVER, True)], None),
        ([(DESK, "T1", 1, 0, EVENING[1] - 1, True)], None),
        # Two stretches of one table: no right alone is for all of the time.
        ([(DESK, "T1", 1, 0, EVENING[0] + 9, True), (DESK, "T1", 1, EVENING[0] + 9, FOREVER, True)],
         None),
        ([(DESK, "T1", 1, 0, FOREVER, False)], HUB),  # granted before there was such a thing
    ],
)  # fmt: skip
def test_exactly_one_may_overbook_or_nobody(
    grants: list[tuple[bytes, str, int, int, int, bool]], expected: bytes | None
) -> None:
    assert overbooker(rights(*grants), "T1", *EVENING) == expected


@pytest.mark.parametrize(
    ("role", "counts"),
    [("hub", True), ("front-desk", True), ("venue-server", True), ("kiosk", False),
     ("channel", False)],
)  # fmt: skip
def test_whose_word_counts_is_read_from_the_certificate(role: str, counts: bool) -> None:
    made = ReservationCreated("agent", 2, "code", "date", override="vip_guest")
    for event in (made, ReservationMoved(override="vip_guest")):
        assert override_of(event, role) == ("vip_guest" if counts else "")
    for other in (None, ReservationAmended({})):
        assert override_of(other, role) == ""


# --- how much -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sold", "quantity", "admitted"),
    [(10, 3, True), (10, 4, False), (12, 1, True), (13, 1, False), (0, 10, True), (3, 10, True),
     (4, 10, False), (0, 11, False)],
)  # fmt: skip
def test_an_account_goes_below_zero_by_the_limit(sold: int, quantity: int, admitted: bool) -> None:
    occupancy = holding(("HALL", *EVENING, sold, HUB)) if sold else holding()
    beyond = Overbooking(VENUE, Rights(), HUB, occupancy)
    found = beyond.right_for(Claim("HALL", *EVENING, quantity), ())
    assert found == (HUB if admitted else None)


def test_a_device_that_has_all_of_it_sells_beyond_from_its_own_right() -> None:
    held = rights((DESK, "T1", 1, 0, FOREVER, True))
    (right,) = held.of_resource("T1")
    occupancy = holding(("T1", *EVENING, 1, right.right.id), granted=held)
    claim = Claim("T1", *EVENING)
    assert Overbooking(VENUE, held, DESK, occupancy).right_for(claim, ()) == right.right.id
    for other in (HUB, BAR):
        assert Overbooking(VENUE, held, other, occupancy).room(claim) is None
    released = Overbooking(VENUE, held, DESK, occupancy, lambda one: one.end)
    assert released.room(claim) is None, "what is about to go back is sold by nobody"


# --- deciding -------------------------------------------------------------------------------------

ID, OPERATION = b"r" * 16, b"1" * 16


def asking(*claims: Claim, may_move: bool = False, override: str = "vip_guest") -> Seen:
    event = ReservationCreated(
        "agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2026-12-24", may_move=may_move,
        override=override,
    )  # fmt: skip
    return Seen(
        OPERATION, "reservation.created", 1 << 16, DESK, "desk", False, (), claims, (),
        encode_content(event),
    )  # fmt: skip


FULL = ("T1", *EVENING, 1, HUB)


@pytest.mark.parametrize(
    ("held", "asked", "expected"),
    [
        ([], asking(Claim("T1", *EVENING)), ("admitted", "free")),
        ([FULL], asking(Claim("T1", *EVENING)), ("admitted", "override")),
        ([FULL, FULL], asking(Claim("T1", *EVENING)), ("displaced", "over-limit")),
        ([FULL], asking(Claim("T1", *EVENING), may_move=True), ("moved", "taken")),
        ([FULL], asking(Claim("T1", *EVENING), Claim("T2", *EVENING)), ("admitted", "override")),
        ([FULL], asking(Claim("T1", *EVENING), Claim("T1", *EVENING)),
         ("displaced", "resource-repeated")),
        ([FULL], asking(Claim("T9", *EVENING)), ("displaced", "no-such-resource")),
    ],
)  # fmt: skip
def test_a_holder_overbooks_only_where_there_is_no_room_otherwise(
    held: list[tuple[str, int, int, int, bytes]], asked: Seen, expected: tuple[str, str]
) -> None:
    occupancy = holding(*held)
    beyond = Overbooking(VENUE, Rights(), HUB, occupancy)
    verdict = decide(
        fold(ID, [asked]), OPERATION, VENUE, HubStock(VENUE, occupancy), occupancy, (), beyond
    )
    assert (verdict.verdict, verdict.reason) == expected
    plain = decide(fold(ID, [asked]), OPERATION, VENUE, HubStock(VENUE, occupancy), occupancy, ())
    assert plain.reason not in ("override", "over-limit")


def test_a_share_of_a_pool_displaces_what_it_may_not_overbook() -> None:
    held = rights((DESK, "HALL", 4, 0, FOREVER, False))
    (right,) = held.of_resource("HALL")
    occupancy = holding(("HALL", *EVENING, 4, right.right.id), granted=held)
    stock = GrantedStock(held, DESK, occupancy, lambda one: one.start)
    beyond = Overbooking(VENUE, held, DESK, occupancy)
    view = fold(ID, [asking(Claim("HALL", *EVENING, 1))])
    verdict = decide(view, OPERATION, VENUE, stock, occupancy, (), beyond)
    assert (verdict.verdict, verdict.reason) == ("displaced", "taken")


# --- what is marked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "reason", "marked"),
    [("vip_guest", "override", True), ("vip_guest", "free", False), ("", "override", False)],
)
def test_a_place_is_marked_where_it_was_asked_for_and_given_so(
    override: str, reason: str, marked: bool
) -> None:
    claim = Claim("T1", *EVENING)
    decided = Seen(
        b"2" * 16, "claim.decided", 2 << 16, b"H" * 16, "hub", True, (), (claim,), (),
        encode_content(ClaimDecided(OPERATION, "admitted", reason)),
    )  # fmt: skip
    view = fold(ID, [asking(claim, override=override), decided])
    assert [one.override for one in view.live] == [marked]
    assert view.override == ("vip_guest" if marked else "")
    assert [kind for kind, _ in view.exceptions] == (["overbooked"] if marked else [])


def test_what_a_holder_sold_beyond_by_itself_is_marked() -> None:
    wish = asking(Claim("T1", *EVENING, right=HUB_RIGHT))
    view = fold(ID, [msgspec.structs.replace(wish, holder=True)])
    assert (view.status, view.assurance, view.override) == ("confirmed", "guaranteed", "vip_guest")


# --- nobody talks, and the limit holds ------------------------------------------------------------

SLOT = HOUR
MOMENTS = st.integers(0, 11)
GRANTS = st.lists(
    st.tuples(st.sampled_from([DESK, BAR]), MOMENTS, st.integers(1, 12), st.integers(1, 10)),
    max_size=4,
)
WISHES = st.lists(
    st.tuples(
        st.sampled_from([HUB, HUB, DESK, BAR]), st.integers(0, 3), st.integers(1, 3),
        st.integers(1, 4), st.booleans(),
    ),
    min_size=20,
    max_size=40,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(grants=GRANTS, wishes=WISHES, grown=st.integers(0, 4))
def test_no_instant_is_sold_beyond_capacity_and_limit_though_nobody_hears_of_anybody(
    grants: list[tuple[bytes, int, int, int]],
    wishes: list[tuple[bytes, int, int, int, bool]],
    grown: int,
) -> None:
    """Each sells by what it sold itself. The hub has a larger capacity than the devices know of."""
    levels = [0] * 24
    given_out: list[tuple[bytes, str, int, int, int, bool]] = []
    for holder, first, length, quantity in grants:
        span = range(first, min(first + length, 24))
        if max(levels[at] for at in span) + quantity > 10:
            continue
        for at in span:
            levels[at] += quantity
        given_out.append(
            (holder, "HALL", quantity, DEC_24 + first * SLOT, DEC_24 + (span[-1] + 1) * SLOT,
             quantity == 10)
        )  # fmt: skip
    held = rights(*given_out)
    known = {
        HUB: VenueIndex(
            venue(
                resources=[
                    {"id": "T1", "kind": "table"}, {"id": "T2", "kind": "table"},
                    {"id": "HALL", "kind": "hall", "capacity": 10 + grown, "counts": "people"},
                ]
            )
        )
    }  # fmt: skip
    sold: dict[bytes, list[tuple[str, int, int, int, bytes]]] = {HUB: [], DESK: [], BAR: []}
    for seller, first, length, quantity, override in wishes:
        claim = Claim("HALL", DEC_24 + first * SLOT, DEC_24 + (first + length) * SLOT, quantity)
        index = known.get(seller, VENUE)
        occupancy = holding(*sold[seller], granted=held)
        stock = (
            HubStock(index, occupancy)
            if seller == HUB
            else GrantedStock(held, seller, occupancy, lambda one: one.start)
        )
        right = stock.right_for(claim, ())
        if right is None and override:
            right = Overbooking(index, held, seller, occupancy).right_for(claim, ())
        if right is not None:
            sold[seller].append(("HALL", claim.start, claim.end, quantity, right))
    for at in range(24):
        instant = DEC_24 + at * SLOT
        level = sum(
            one[3] for every in sold.values() for one in every if one[1] <= instant < one[2]
        )
        assert level <= 10 + grown + limit(VENUE.venue, "HALL", instant, instant + 1)
