"""What a calendar is told of a reservation, and how often it says that it changed."""

from __future__ import annotations

import pytest

from holdfast.model import lifecycle
from holdfast.model.claims import DEAD, ENDED, LIVE, PENDING, ClaimView, Seen
from holdfast.model.entries import Claim, ClaimId
from holdfast.model.events import (
    Form,
    ReservationAmended,
    ReservationCancelled,
    ReservationCreated,
    RightGranted,
    RightRevoked,
    encode_content,
)
from holdfast.model.feeds import (
    CANCELLED,
    CONFIRMED,
    STATUS,
    TENTATIVE,
    Standing,
    Window,
    event,
    is_told,
    sequence,
    standing,
)
from holdfast.model.ids import uuid_text
from holdfast.model.offers import VenueIndex
from holdfast.model.reservation import View, fold
from holdfast.model.rights import FOREVER, Rights
from holdfast.model.venue import parse_venue

ID = b"r" * 16
DESK, RIGHT = b"D" * 16, b"g" * 16
START, END = 1_811_924_000, 1_811_929_400
NOTHING = Standing({}, frozenset())
REPAIR, HELD = Form("block", use="maintenance", reason="broken"), Form("hold")
INDEX = VenueIndex(
    parse_venue(
        {
            "venue": "bar", "name": "Bar", "kind": "restaurant", "time_zone": "Europe/Rome",
            "stays": {},
            "resources": [
                {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Main"},
                {"id": "T2", "kind": "table", "seats": [1, 2], "area": "Main"},
                {"id": "B1", "kind": "corner_booth", "seats": [1, 8]},
                {"id": "HALL", "kind": "pool", "capacity": 10, "counts": "people"},
                {"id": "ROOM", "kind": "pool", "capacity": 10, "counts": "units"},
            ],
        }
    )
)  # fmt: skip


class Row:
    def __init__(self, view: View, seen: list[Seen] | None = None) -> None:
        self.view = view
        self.seen = seen or []


def claim(resource: str = "T1", state: str = LIVE, quantity: int = 1, number: int = 0) -> ClaimView:
    return ClaimView(
        ClaimId(bytes([number]) * 16, 0), state, resource, START, END + 600, quantity, 600, "hub",
        False, 1, None,
    )  # fmt: skip


def view(*claims: ClaimView, **changes: object) -> View:
    fields: dict[str, object] = {
        "status": lifecycle.CONFIRMED, "code": "RES-2027-ABC123", "starts_at": START,
        "ends_at": END, "party_size": 4, "claims": claims or (claim(),), "entries": 1,
        "stamp": START * 1000 << 16, "agent_id": "agent_" + "a" * 32, "occasion": "birthday",
        "metadata": {"x.y": "code"},
    }  # fmt: skip
    return View(ID, **(fields | changes))  # type: ignore[arg-type]


# --- which event it is ----------------------------------------------------------------------------


def test_every_status_is_one_of_the_calendars():
    assert set(STATUS) == set(lifecycle.STATUSES)
    by_word = {
        word: {one for one, said in STATUS.items() if said == word} for word in set(STATUS.values())
    }
    assert by_word[TENTATIVE] == {
        "intent", "payment_pending", "payment_confirmed", "commit_pending",
    }  # fmt: skip
    assert by_word[CONFIRMED] == {"confirmed", "checked_in", "completed", "no_show"}
    assert {"cancelled", "expired", "commit_failed"} < by_word[CANCELLED]


@pytest.mark.parametrize(
    ("told", "summary", "location"),
    [
        (view(), "Table T1, party of 4, confirmed", "T1 (Main)"),
        (
            view(claim(), claim("T2", number=1)),
            "Table T1 + Table T2, party of 4, confirmed",
            "T1, T2 (Main)",
        ),
        (
            view(claim(), claim("B1", number=1)),
            "Table T1 + Corner booth B1, party of 4, confirmed",
            "T1, B1",
        ),
        (view(claim("HALL", quantity=4)), "HALL, party of 4, confirmed", "HALL"),
        (view(claim("ROOM", quantity=2)), "2 × ROOM, party of 4, confirmed", "ROOM"),
        (view(claim("GONE")), "GONE, party of 4, confirmed", "GONE"),
        (view(kind="house"), "Table T1, house use, confirmed", "T1 (Main)"),
        (view(kind="house", form=REPAIR), "Table T1, maintenance, confirmed", "T1 (Main)"),
        (view(status="intent", form=HELD), "Table T1, party of 4, held", "T1 (Main)"),
        (view(kind="walk_in"), "Table T1, walk-in, party of 4, confirmed", "T1 (Main)"),
        (view(status="checked_in"), "Table T1, party of 4, here", "T1 (Main)"),
        (view(status="no_show"), "Table T1, party of 4, did not come", "T1 (Main)"),
        (
            view(claim(state=PENDING), status="commit_pending"),
            "Table T1, party of 4, provisional",
            "T1 (Main)",
        ),
        (
            view(claim(state=DEAD), status="commit_failed"),
            "Table T1, party of 4, could not be had",
            "T1 (Main)",
        ),
        (
            view(claim(state=ENDED), status="cancelled"),
            "Table T1, party of 4, cancelled",
            "T1 (Main)",
        ),
    ],
)
def test_an_event_says_where_how_many_and_how_it_stands(told: View, summary: str, location: str):
    found = event(INDEX, Row(told), NOTHING)
    assert (found.summary, found.location) == (summary, location)


def test_an_event_tells_nothing_of_a_person():
    found = event(INDEX, Row(view()), NOTHING)
    assert (found.uid, found.description) == (uuid_text(ID), "RES-2027-ABC123")
    assert not {"agent_", "birthday", "x.y"} & {
        word for text in found if isinstance(text, str) for word in text.split()
    }
    assert "agent" not in str(found) and "birthday" not in str(found)


def test_an_event_lasts_as_long_as_the_guests_are_there_without_the_buffer():
    found = event(INDEX, Row(view()), NOTHING)
    assert (found.start, found.end, found.stay) == (START, END, False)


def test_a_stay_of_nights_is_told_by_its_dates():
    nights = event(INDEX, Row(view(nights=2, ends_at=START + 2 * 86_400)), NOTHING)
    assert nights.stay
    within_a_day = event(INDEX, Row(view(nights=1)), NOTHING)
    assert not within_a_day.stay


# --- what is in the feed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (END, END + 9, False),
        (END - 1, END + 9, True),
        (START - 9, START, False),
        (START - 9, START + 1, True),
        (START + 10, START + 11, True),
    ],
)
def test_a_window_has_what_touches_it(start: int, end: int, told: bool):
    assert is_told(view(), Window(start, end, 0)) is told


def test_what_was_called_off_stays_for_a_while():
    off = view(claim(state=ENDED), status="cancelled")
    changed_ms = off.stamp >> 16
    assert is_told(off, Window(START, END, changed_ms))
    assert not is_told(off, Window(START, END, changed_ms + 1))
    assert is_told(view(), Window(START, END, changed_ms + 1))


def test_a_resources_feed_has_its_events_alone():
    both = view(claim(), claim("T2", number=1))
    told = [is_told(both, Window(START, END, 0, name)) for name in ("T1", "T2", "B1")]
    assert told == [True, True, False]


# --- how often it changed -------------------------------------------------------------------------


def seen(event: object, n: int, kind: str, right: bytes = b"") -> Seen:
    claims = (Claim("T1", START, END, right=right),) if kind == "reservation.created" else ()
    return Seen(
        n.to_bytes(16, "big"), kind, n << 16, DESK, "desk", False, (), claims, (),
        encode_content(event), n,  # type: ignore[arg-type]
    )  # fmt: skip


MADE = ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-ABC123", "2027-06-03")


def test_each_entry_about_it_makes_the_number_grow():
    entries = [
        seen(MADE, 1, "reservation.created"),
        seen(ReservationAmended({"party_size": 3}), 2, "reservation.amended"),
        seen(ReservationCancelled("guest_request", "guest"), 3, "reservation.cancelled"),
    ]
    rows = [Row(fold(ID, entries[:n]), entries[:n]) for n in (1, 2, 3)]
    assert [sequence(row, NOTHING) for row in rows] == [0, 1, 2]
    again = [*entries, entries[0]]
    assert sequence(Row(fold(ID, again), again), NOTHING) == 2


def test_a_late_grant_a_revocation_and_a_closed_chain_make_the_number_grow():
    """Each of them turns what is confirmed into what is not, or back, without a word about it."""
    sale = [seen(MADE, 5, "reservation.created", RIGHT)]
    rights = Rights()
    numbers, statuses = [], []

    def look(closed: tuple[bytes, ...] = ()) -> None:
        row = Row(fold(ID, sale, rights), sale)
        numbers.append(sequence(row, standing(rights, closed)))
        statuses.append(row.view.status)

    look()
    rights.granted(RIGHT, 1, RightGranted(DESK, ("T1",), 1, 0, FOREVER))
    look()
    rights.revoked(9, b"o" * 16, RightRevoked(RIGHT, DESK, 4, bytes(32)))
    look()
    look(closed=(DESK,))
    assert statuses == ["commit_pending", "confirmed", "commit_pending", "commit_pending"]
    assert numbers == sorted(set(numbers)), "each is greater than the one before"


def test_another_reservations_rights_do_not_change_the_number():
    rights = Rights()
    rights.granted(b"x" * 16, 1, RightGranted(DESK, ("T2",), 1, 0, FOREVER))
    sale = [seen(MADE, 5, "reservation.created", RIGHT)]
    row = Row(fold(ID, sale, rights), sale)
    assert sequence(row, standing(rights, (b"K" * 16,))) == 0
