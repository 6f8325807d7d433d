"""Every cell of the lifecycle's two tables, by its reason, and as a fold makes it come true.

`NEXT` is for who had seen the status, `COLLIDE` for who had not (DESIGN §4.5, §4.6, §6). What is
expected is written out here and not read from the code: a cell that is added, lost or turned fails.
"""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import pytest

from holdfast.model import lifecycle
from holdfast.model.claims import Seen
from holdfast.model.entries import HUB_RIGHT, Claim, ClaimId
from holdfast.model.events import (
    Event,
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
from holdfast.model.reservation import View, fold, view_digest

ID = b"r" * 16
OPEN, NO_SHOW, CANCELLED, SEATED, GONE = "open", "no_show", "cancelled", "checked_in", "completed"
HELD, EXPIRED = "intent", "expired"
PATHS: Final = {
    HELD: (),
    EXPIRED: ("expired",),
    OPEN: ("no_show", "no_show_undone"),
    NO_SHOW: ("no_show",),
    CANCELLED: ("cancelled",),
    SEATED: ("checked_in",),
    GONE: ("checked_in", "completed"),
}
"""The steps to each status; to an open one by a way that somebody may not have seen."""

EVENTS: Final[dict[str, Event]] = {
    "created": ReservationCreated("agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03"),
    "reserved": ReservationReserved({"source": "website"}),
    "expired": ReservationExpired(),
    "amended": ReservationAmended({"occasion": "birthday"}),
    "moved": ReservationMoved({"source": "phone"}),
    "attendance_confirmed": ReservationAttendanceConfirmed(),
    "cancelled": ReservationCancelled("guest_request", "guest"),
    "checked_in": ReservationCheckedIn(7),
    "completed": ReservationCompleted(),
    "no_show": ReservationMarkedNoShow(),
    "no_show_undone": ReservationNoShowUndone(),
}
HELD_MAKING: Final = ReservationCreated(
    "agent_" + "a" * 32, 2, "RES-2027-AAAAAA", "2027-06-03", form=Form("hold", 900_000)
)
STEPS: Final = tuple(sorted(set(EVENTS) - {"created"}))


class Fate(NamedTuple):
    """What becomes of a step: the status after it, whether it counts, what a person is told."""

    status: str
    counts: bool = True
    exception: str | None = None


def stays(status: str) -> Fate:
    """The status stays, and the step counts."""
    return Fate(status)


def shown(status: str, exception: str | None = None) -> Fate:
    """The step stands in the audit alone."""
    return Fate(status, False, exception)


class Cell(NamedTuple):
    status: str
    step: str
    fate: Fate
    why: str
    unseen: Fate | None = None
    """For who had not seen the status, where that makes a difference."""


BOTH, LATE, PAPER = "no_show_and_checked_in", "no_show_and_cancelled", "seated_though_cancelled"
CELLS: Final = (
    # What is only held takes every step; facts and judgements as if it were reserved.
    Cell(HELD, "reserved", Fate(OPEN), "what a hold is for"),
    Cell(HELD, "expired", Fate(EXPIRED), "nobody came back in time"),
    Cell(HELD, "amended", stays(HELD), "a little longer"),
    Cell(HELD, "moved", stays(HELD), "another place is held, or offered"),
    Cell(HELD, "attendance_confirmed", stays(HELD), "said, and reserved all the same not"),
    Cell(HELD, "cancelled", Fate(CANCELLED), "given back"),
    Cell(HELD, "checked_in", Fate(SEATED), "a fact, though nobody wrote that they reserved"),
    Cell(HELD, "completed", Fate(GONE), "a fact"),
    Cell(HELD, "no_show", Fate(NO_SHOW), "a judgement of the house"),
    Cell(HELD, "no_show_undone", shown(HELD), "that reserves nothing"),
    # What has expired is over, but for who reserved it at that moment.
    Cell(EXPIRED, "reserved", Fate(OPEN), "whether there is a place yet its claims say"),
    Cell(EXPIRED, "expired", stays(EXPIRED), "the same again"),
    Cell(EXPIRED, "amended", shown(EXPIRED), "nobody changes what is over"),
    Cell(EXPIRED, "moved", shown(EXPIRED), "nobody moves what is over"),
    Cell(EXPIRED, "attendance_confirmed", shown(EXPIRED), "words about what is over"),
    Cell(EXPIRED, "cancelled", Fate(CANCELLED), "given back beside it"),
    Cell(EXPIRED, "checked_in", Fate(SEATED), "a fact"),
    Cell(EXPIRED, "completed", Fate(GONE), "a fact"),
    Cell(EXPIRED, "no_show", Fate(NO_SHOW), "a judgement of the house"),
    Cell(EXPIRED, "no_show_undone", shown(EXPIRED), "that reserves nothing"),
    # Beside whatever became of it since, reserving and expiring come too late.
    Cell(OPEN, "reserved", shown(OPEN), "it is reserved, or was never held"),
    Cell(OPEN, "expired", shown(OPEN), "it is reserved"),
    Cell(NO_SHOW, "reserved", shown(NO_SHOW), "nobody reserves what is over"),
    Cell(NO_SHOW, "expired", shown(NO_SHOW), "it is over"),
    Cell(CANCELLED, "reserved", shown(CANCELLED), "a cancel wins over the reserving"),
    Cell(CANCELLED, "expired", shown(CANCELLED), "it was given back"),
    Cell(SEATED, "reserved", shown(SEATED), "they sit there"),
    Cell(SEATED, "expired", shown(SEATED), "they sit there"),
    Cell(GONE, "reserved", shown(GONE), "they were there"),
    Cell(GONE, "expired", shown(GONE), "they were there"),
    # An open reservation takes every step, whatever happened to it meanwhile.
    Cell(OPEN, "amended", stays(OPEN), "a change of words"),
    Cell(OPEN, "moved", stays(OPEN), "a wish for another place; the place itself is its holder's"),
    Cell(OPEN, "attendance_confirmed", stays(OPEN), "the guest said it again"),
    Cell(OPEN, "cancelled", Fate(CANCELLED), "a cancel wins over admitted, moved, displaced"),
    Cell(OPEN, "checked_in", Fate(SEATED), "a fact"),
    Cell(OPEN, "completed", Fate(GONE), "a fact, though nobody wrote that they came"),
    Cell(OPEN, "no_show", Fate(NO_SHOW), "a judgement of the house"),
    Cell(OPEN, "no_show_undone", stays(OPEN), "there is nothing to take back"),
    # A no-show is a judgement: words about the visit come too late, a deed overrules it.
    Cell(NO_SHOW, "amended", shown(NO_SHOW), "nobody changes what is over"),
    Cell(NO_SHOW, "moved", shown(NO_SHOW), "nobody moves what is over"),
    Cell(NO_SHOW, "attendance_confirmed", shown(NO_SHOW), "said and not done"),
    Cell(NO_SHOW, "cancelled", Fate(CANCELLED, True, LATE), "the guest cancelled: is a fee due?"),
    Cell(NO_SHOW, "checked_in", Fate(SEATED, True, BOTH), "who sits there did come"),
    Cell(NO_SHOW, "completed", Fate(GONE, True, BOTH), "who left had come"),
    Cell(NO_SHOW, "no_show", stays(NO_SHOW), "the same judgement twice"),
    Cell(
        NO_SHOW, "no_show_undone", Fate(OPEN), "who saw the judgement takes it back",
        shown(NO_SHOW),
    ),
    # A cancelled one stays so, but for the guest who sits there all the same.
    Cell(CANCELLED, "amended", shown(CANCELLED), "nobody changes what is over"),
    Cell(CANCELLED, "moved", shown(CANCELLED), "a cancel wins over every move"),
    Cell(CANCELLED, "attendance_confirmed", shown(CANCELLED), "a cancel wins over words"),
    Cell(CANCELLED, "cancelled", stays(CANCELLED), "the same again"),
    Cell(CANCELLED, "checked_in", Fate(SEATED, True, PAPER), "seated at the desk stays seated"),
    Cell(CANCELLED, "completed", Fate(GONE, True, PAPER), "who left had been seated"),
    Cell(CANCELLED, "no_show", shown(CANCELLED, LATE), "nobody misses who cancelled"),
    Cell(CANCELLED, "no_show_undone", shown(CANCELLED), "a cancel is not taken back with it"),
    # Who sits at the table beats every paper.
    Cell(SEATED, "amended", stays(SEATED), "more guests, another occasion: while they sit"),
    Cell(SEATED, "moved", stays(SEATED), "they sit elsewhere now"),
    Cell(SEATED, "attendance_confirmed", stays(SEATED), "true, and late"),
    Cell(SEATED, "cancelled", shown(SEATED, PAPER), "the desk's guest stays seated"),
    Cell(SEATED, "checked_in", Fate(SEATED, True, "checked_in_twice"), "two parties on one name?"),
    Cell(SEATED, "completed", Fate(GONE), "a fact"),
    Cell(SEATED, "no_show", shown(SEATED, BOTH), "they are here"),
    Cell(SEATED, "no_show_undone", shown(SEATED), "there is nothing to take back"),
    # What is over and was had stays as it was had; facts are on record all the same.
    Cell(GONE, "amended", shown(GONE), "nobody changes what is over"),
    Cell(GONE, "moved", shown(GONE), "who has left is not moved"),
    Cell(GONE, "attendance_confirmed", shown(GONE), "said and done"),
    Cell(GONE, "cancelled", shown(GONE, PAPER), "who had the table cannot have cancelled it"),
    Cell(GONE, "checked_in", stays(GONE), "recorded: the leaving has been seen since"),
    Cell(GONE, "completed", stays(GONE), "the same again"),
    Cell(GONE, "no_show", shown(GONE, BOTH), "they were here"),
    Cell(GONE, "no_show_undone", shown(GONE), "there is nothing to take back"),
)  # fmt: skip


def entry(
    name: str, number: int, follows: tuple[bytes, ...], stamp: int = 0, event: Event | None = None
) -> Seen:
    places = name in ("created", "reserved")
    claims = (Claim("T1", 1000, 2000, right=HUB_RIGHT),) if places else ()
    ends = (ClaimId(bytes([1]) * 16, 0),) if name == "reserved" else ()
    return Seen(
        bytes([number]) * 16, f"reservation.{name}", (stamp or number) << 16, bytes([number]) * 16,
        "hub", True, follows, claims, ends, encode_content(event or EVENTS[name]),
    )  # fmt: skip


def history(status: str) -> list[Seen]:
    """A reservation that came to a status, each step in sight of the one before."""
    held = status in (HELD, EXPIRED)
    entries = [entry("created", 1, (), event=HELD_MAKING if held else None)]
    for number, name in enumerate(PATHS[status], 2):
        entries.append(entry(name, number, (entries[-1].operation,)))
    return entries


def effect(view: View, step: str, at: int) -> bool:
    """Whether what a step says stands in the view; True for a step that says nothing more."""
    return {
        "amended": view.occasion == "birthday",
        "moved": view.source == "phone",
        "reserved": view.source == "website",
        "attendance_confirmed": view.attendance_confirmed,
        "cancelled": view.cancel_reason == "guest_request",
        "checked_in": (view.checked_in_at_ms, view.actual_party_size) == (at, 7),
        "no_show": view.no_show_at_ms == at,
    }.get(step, True)


def test_every_cell_of_both_tables_has_its_case_and_no_other() -> None:
    wanted = [(cell.status, f"reservation.{cell.step}") for cell in CELLS]
    assert len(wanted) == len(set(wanted)) == 70
    assert set(lifecycle.NEXT) == set(wanted)
    assert set(lifecycle.COLLIDE) == set(wanted)


@pytest.mark.parametrize("table", ["seen", "not seen"])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.status}-{cell.step}")
def test_a_step_meets_the_fate_that_is_written_here(cell: Cell, table: str) -> None:
    before = history(cell.status)
    saw = before[-1] if table == "seen" else before[0]
    fate = cell.fate if table == "seen" else cell.unseen or cell.fate
    rows = lifecycle.NEXT if table == "seen" else lifecycle.COLLIDE
    row = rows[cell.status, f"reservation.{cell.step}"]
    assert (row.status, not row.void, row.exception) == fate, cell.why

    view = fold(ID, [*before, entry(cell.step, 99, (saw.operation,))])
    assert view.status == {OPEN: "confirmed"}.get(fate.status, fate.status), cell.why
    assert [kind for kind, _ in view.exceptions] == [fate.exception] * bool(fate.exception)
    repeated = cell.step in PATHS[cell.status] and not fate.counts
    if not repeated:
        says_something = effect(fold(ID, before), cell.step, 99) is False
        if says_something or fate.counts:
            assert effect(view, cell.step, 99) is fate.counts, cell.why


@pytest.mark.parametrize("status", PATHS)
def test_a_fact_counts_wherever_it_arrives(status: str) -> None:
    """DESIGN §4.6: always recorded, never refused for state."""
    facts = [cell for cell in CELLS if cell.status == status and cell.step in (SEATED, GONE)]
    assert len(facts) == 2
    assert all(cell.fate.counts and cell.unseen is None for cell in facts)


STRONGEST: Final = (
    ("completed", GONE), ("checked_in", SEATED), ("cancelled", CANCELLED), ("no_show", NO_SHOW),
)  # fmt: skip
"""Who sits or sat there beats every paper, and a guest's cancel beats the house's judgement."""
HELD_ONLY: Final = (("reserved", "confirmed"), ("expired", EXPIRED))
"""Of what is only held: who reserved it beats its expiry."""


@pytest.mark.parametrize("making", [None, HELD_MAKING], ids=["reservation", "hold"])
@pytest.mark.parametrize("count", [2, 3])
def test_of_steps_that_knew_nothing_of_each_other_the_strongest_names_the_status(
    count: int,
    making: Event | None,
) -> None:
    """Whatever the order of arrival and whatever the clocks say."""
    made = entry("created", 1, (), event=making)
    ladder = (*STRONGEST, *HELD_ONLY) if making else STRONGEST
    for names in itertools.combinations_with_replacement(STEPS, count):
        otherwise = HELD if making else "confirmed"
        wanted = next((status for step, status in ladder if step in names), otherwise)
        for stamps in itertools.permutations(range(10, 10 + count)):
            steps = [
                entry(name, 100 + number, (made.operation,), stamp)
                for number, (name, stamp) in enumerate(zip(names, stamps, strict=True))
            ]
            views = [fold(ID, order) for order in itertools.permutations([made, *steps])]
            assert {view.status for view in views} == {wanted}, (names, stamps)
            assert len({view_digest(view) for view in views}) == 1, (names, stamps)


@pytest.mark.parametrize("status", PATHS)
def test_steps_hung_on_any_moment_of_a_history_give_one_view_in_every_order(status: str) -> None:
    """Two steps, each of whose writers had seen some beginning of the history."""
    before = history(status)
    for one, other in itertools.product(STEPS, repeat=2):
        for saw in itertools.product(before, repeat=2):
            steps = [
                entry(one, 100, (saw[0].operation,), 100),
                entry(other, 101, (saw[1].operation,), 101),
            ]
            views = {
                view_digest(fold(ID, [*order, *before[::turn]]))
                for order in itertools.permutations(steps)
                for turn in (1, -1)
            }
            assert len(views) == 1, (one, other, [each.kind for each in saw])
