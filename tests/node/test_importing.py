"""Promises about another system's reservations: each comes in once, whole, wherever and however
often it is brought in."""

from __future__ import annotations

import csv
import datetime
import hashlib
import re
import tomllib
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.model import ids
from holdfast.model.calendar import format_time
from holdfast.model.errors import NotFound, RuleViolated
from holdfast.model.limits import IMPORT_BATCH_RECORDS
from holdfast.model.mapping import (
    ImportRecord,
    PlacedRecord,
    RowProblem,
    place,
    read_mapping,
    read_records,
)
from holdfast.model.reservation import View
from holdfast.node import replica as replica_module
from holdfast.node.importing import ImportReport
from holdfast.node.service import Service
from tests.kit import DAY, TRATTORIA, Fleet, every_view

ROOT = Path(__file__).parents[2]
HOTELS = ROOT / "examples" / "hotels"
DOCUMENT = (ROOT / "docs" / "import.md").read_text("utf-8")
RULES = {
    rule
    for path in ("model/mapping.py", "model/calendar_file.py", "node/importing.py")
    for rule in re.findall(
        r"(?:_Odd|_Refusal|RowProblem|_tell)\(\s*"
        r'(?:(?:block|record)(?:\.line)?(?:_of\([^)]*\))?, |line, )?"(\w+)"',
        (ROOT / "holdfast" / path).read_text("utf-8"),
    )
}


def excerpt(name: str) -> list[ImportRecord]:
    """The records of one hotel in the excerpt that ships with the project."""
    mapping = read_mapping(tomllib.loads((HOTELS / f"{name}.toml").read_text("utf-8")))
    with (HOTELS / "excerpt.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        found = list(read_records(mapping, ((reader.line_num, row) for row in reader)))
    return [one for one in found if isinstance(one, ImportRecord)]


@pytest.fixture(params=["hotel-resort", "hotel-city"])
def hotel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    venue = yaml.safe_load((HOTELS / f"{request.param}.yaml").read_text("utf-8"))
    with Fleet(tmp_path, venue) as made:
        yield made


def record(name: str = "1", **fields: Any) -> ImportRecord:
    """A party of two at T1 on the fleet's day; `name` tells records apart."""
    given: dict[str, Any] = {
        "line": 2,
        "key": hashlib.sha256(name.encode()).hexdigest(),
        "starts_at": f"{DAY}T19:30",
        "party_size": 2,
        "resource": "T1",
    }
    return ImportRecord(**(given | fields))


def bring(replica: Service, *records: ImportRecord) -> ImportReport:
    (venue_id,) = replica.venue_ids()
    return replica.reservations.import_records(venue_id, records)


def view_of(replica: Service, one: ImportRecord) -> View:
    (venue_id,) = replica.venue_ids()
    found = replica.view(ids.import_id(replica.book_of(venue_id), one.key))
    assert found is not None
    return found


def book_digest(replica: Service, fleet: Fleet) -> int:
    return replica.store.projections.book_digest(fleet.book).total


# --- once -----------------------------------------------------------------------------------------


def test_an_import_at_a_desk_comes_in_once_however_often_and_wherever_it_is_repeated(
    hotel: Fleet,
) -> None:
    records = excerpt(hotel.venue_id)
    desk, other = hotel.join("desk"), hotel.join("other")
    assert bring(desk, *records) == ImportReport(imported=len(records), present=0)
    before = book_digest(desk, hotel)
    assert bring(desk, *records) == ImportReport(imported=0, present=len(records))
    assert book_digest(desk, hotel) == before

    hotel.sync_all()
    hotel.assert_agree()
    assert desk.sync()["books_differing"] == []
    for replica in hotel.replicas():
        assert bring(replica, *records).imported == 0
    assert len(every_view(other, hotel.book)) == len(records)


def test_an_import_on_the_hub_is_found_at_the_desk(hotel: Fleet) -> None:
    records = excerpt(hotel.venue_id)
    assert bring(hotel.the_hub, *records) == ImportReport(imported=len(records), present=0)
    desk = hotel.join("desk")
    assert bring(desk, *records) == ImportReport(imported=0, present=len(records))
    hotel.sync_all()
    hotel.assert_agree()


def test_two_desks_that_import_the_same_file_offline_make_one_of_each_reservation(
    hotel: Fleet,
) -> None:
    records = excerpt(hotel.venue_id)
    first, second = hotel.join("first"), hotel.join("second")
    assert bring(first, *records).imported == bring(second, *records).imported == len(records)
    hotel.sync_all()
    hotel.assert_agree()
    views = every_view(hotel.the_hub, hotel.book)
    assert len(views) == len(records)
    assert {view.status for view in views} == {"completed", "cancelled", "no_show"}


def test_a_record_that_two_devices_imported_offline_occupies_one_place(fleet: Fleet) -> None:
    desk, hub = fleet.join("desk"), fleet.the_hub
    pool = record("a", resource="HALL", party_size=4)
    bring(desk, pool)
    bring(hub, pool)
    fleet.sync_all()
    fleet.assert_agree()
    assert [claim.quantity for claim in view_of(hub, pool).live] == [4]
    assert view_of(desk, pool).decision is None


def test_the_ids_of_imported_records_never_change() -> None:
    """They are compared with books of years ago: another value here doubles everybody's history."""
    found = ids.import_id("demo/trattoria", "ab" * 32)
    assert ids.uuid_text(found) == "a66e3585-b50d-8881-8a94-55f5ced61e6f"
    assert (uuid.UUID(bytes=found).version, uuid.UUID(bytes=found).variant) == (8, uuid.RFC_4122)
    assert ids.import_id("demo/osteria", "ab" * 32) != found


def test_an_import_that_dies_on_the_way_goes_on_where_it_was(fleet: Fleet) -> None:
    records = [
        record(str(n), status="cancelled", starts_at=f"{DAY}T20:00")
        for n in range(IMPORT_BATCH_RECORDS + 100)
    ]

    def dying() -> Iterator[ImportRecord]:
        yield from records[:-50]
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="gone"):
        fleet.the_hub.reservations.import_records("trattoria", dying())
    fleet.crash("hub")
    assert bring(fleet.the_hub, *records) == ImportReport(100, IMPORT_BATCH_RECORDS)


# --- whole ----------------------------------------------------------------------------------------


def test_each_reservation_is_what_its_row_says(hotel: Fleet) -> None:
    hub, records = hotel.the_hub, excerpt(hotel.venue_id)
    bring(hub, *records)
    venue = hub.venue(hotel.venue_id).venue
    for one in records:
        placed = place(venue, one, hub.clock.now_ms() // 1000)
        assert isinstance(placed, PlacedRecord)
        view = view_of(hub, one)
        assert (view.status, view.party_size, view.source) == (
            placed.status, one.party_size, one.source,
        )  # fmt: skip
        assert (view.starts_at, view.ends_at) == (placed.starts_at, placed.ends_at)
        assert view.service_date == one.starts_at
        assert view.made_at_ms == placed.made_at * 1000
        assert view.code[:8] == f"RES-{format_time(venue, placed.made_at)[:4]}"
        taken = [(claim.resource, claim.quantity) for claim in view.live]
        assert taken == ([] if placed.status == "cancelled" else [(one.resource, 1)])
        assert hub.reservations.find(view.code).id == view.id
    codes = Counter(view.code for view in every_view(hub, hotel.book))
    assert max(codes.values()) == 1


def test_when_a_cancelled_reservation_was_cancelled_is_kept(fleet: Fleet) -> None:
    gone = record(status="cancelled", status_at="2027-05-20")
    bring(fleet.the_hub, gone)
    assert view_of(fleet.the_hub, gone).metadata == {"import.status_at": "2027-05-20"}


def test_a_reservation_that_is_still_to_come_waits_for_the_hub_like_any_other(
    fleet: Fleet,
) -> None:
    desk, coming = fleet.join("desk"), record()
    bring(desk, coming)
    assert view_of(desk, coming).status == "commit_pending"
    fleet.sync_all()
    assert fleet.shown(view_of(desk, coming)) == {"hub": "confirmed", "desk": "confirmed"}


def test_a_person_is_the_same_whether_imported_or_reserving(fleet: Fleet) -> None:
    desk, known = fleet.join("desk"), record(user_id="anna@example.org")
    bring(desk, known)
    later = fleet.reserve(desk, "12:00", ["T2"], user_id="anna@example.org")
    assert view_of(desk, known).agent_id == later.agent_id


def test_somebody_without_a_name_has_the_same_agent_id_on_every_device(fleet: Fleet) -> None:
    desk, one, other = fleet.join("desk"), record("a"), record("b", resource="T2")
    bring(desk, one, other)
    bring(fleet.the_hub, one)
    assert view_of(desk, one).agent_id == view_of(fleet.the_hub, one).agent_id
    assert view_of(desk, one).agent_id != view_of(desk, other).agent_id


def test_a_guests_details_are_sealed_and_stand_nowhere_in_clear(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    fleet.sync_all()
    guest = record(
        guest=(("name", "Anna Zanzibar"), ("phone", "+39 055 1234567")), user_id="anna-z"
    )
    bring(desk, guest)
    fleet.sync_all()
    assert desk.reservations.guest(view_of(desk, guest)) == dict(guest.guest)
    assert fleet.the_hub.reservations.guest(view_of(fleet.the_hub, guest)) is None
    for file in (path for path in fleet.directory.rglob("*") if path.is_file()):
        assert not re.search(rb"(?i)zanzibar|1234567|anna-z", file.read_bytes()), file


def test_guest_details_that_nobody_could_read_are_refused_until_a_desk_has_joined(
    fleet: Fleet,
) -> None:
    guest = record(guest=(("name", "Anna"),))
    (problem,) = bring(fleet.the_hub, guest).refused
    assert problem.rule == "no_venue_key"
    fleet.join("desk")
    fleet.sync_all()
    assert bring(fleet.the_hub, guest) == ImportReport(imported=1, present=0)


# --- calendars ------------------------------------------------------------------------------------


def test_what_a_calendar_changed_later_is_told_and_changes_nothing(fleet: Fleet) -> None:
    hub = fleet.the_hub
    first = record(sequence=0)
    assert bring(hub, first) == ImportReport(imported=1, present=0)
    assert view_of(hub, first).metadata["import.sequence"] == 0
    before = book_digest(hub, fleet)
    for later in (
        record(sequence=1),  # changed in a way that is not for us
        record(sequence=0, starts_at=f"{DAY}T20:30"),  # moved, and not counted
    ):
        report = bring(hub, later)
        (told,) = report.left_out
        assert (report.imported, report.present) == (0, 1)
        assert (told.line, told.rule, told.left_out) == (2, "changed", False)
        assert view_of(hub, first).code in told.message
    assert book_digest(hub, fleet) == before
    assert bring(hub, first) == ImportReport(imported=0, present=1)


def test_what_a_calendar_calls_off_is_called_off_once(fleet: Fleet) -> None:
    hub, off = fleet.the_hub, record(sequence=1, status="cancelled")
    (never,) = bring(hub, off).left_out
    assert (never.rule, never.left_out) == ("cancelled", True)
    bring(hub, record(sequence=0))
    assert bring(hub, off) == ImportReport(imported=0, present=0, cancelled=1)
    assert view_of(hub, off).status == "cancelled"
    before = book_digest(hub, fleet)
    assert bring(hub, off, record(sequence=0)) == ImportReport(imported=0, present=2)
    assert book_digest(hub, fleet) == before


def test_what_is_on_again_in_a_calendar_is_told(fleet: Fleet) -> None:
    hub = fleet.the_hub
    bring(hub, record(sequence=0))
    bring(hub, record(sequence=1, status="cancelled"))
    report = bring(hub, record(sequence=2))
    assert (report.imported, report.present, report.left_out[0].rule) == (0, 1, "on_again")
    assert view_of(hub, record()).status == "cancelled", "a person says so, not a file"


def test_a_file_older_than_what_came_before_calls_nothing_off(fleet: Fleet) -> None:
    hub = fleet.the_hub
    bring(hub, record(sequence=5))
    report = bring(hub, record(sequence=1, status="cancelled"))
    assert (report.cancelled, report.left_out[0].rule) == (0, "older")
    assert view_of(hub, record()).status == "confirmed"


def test_guests_who_sit_at_their_table_are_not_called_off_by_a_calendar(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    bring(desk, record(sequence=0))
    fleet.sync_all()
    desk.reservations.check_in(view_of(desk, record()).code)
    (told,) = bring(desk, record(sequence=1, status="cancelled")).left_out
    assert told.rule == "cancelled_there"
    assert view_of(desk, record()).status == "checked_in"


# --- what history need not keep, and what it must ------------------------------------------------


def test_history_needs_no_opening_hours_no_notice_and_no_limit_of_a_party(tmp_path: Path) -> None:
    strict = TRATTORIA | {
        "closed": ["2015-08-15"],
        "hours": {"mon": [["12:00", "15:00"]]},
        "policies": {"advance_days": 1, "cutoff_minutes": 600, "max_party": 2},
    }
    with Fleet(tmp_path, strict) as fleet:
        past = record("a", starts_at="2015-08-15T03:00", party_size=9, status="completed")
        coming = record("b", starts_at="2028-01-01T03:00", party_size=1, resource="T3")
        assert bring(fleet.the_hub, past, coming) == ImportReport(imported=2, present=0)
        assert view_of(fleet.the_hub, past).status == "completed"
        assert view_of(fleet.the_hub, coming).status == "confirmed"


def test_a_place_that_is_full_is_refused_with_its_line_and_the_rest_goes_in(fleet: Fleet) -> None:
    records = [
        record("a", line=2, resource="HALL", party_size=6),
        record("b", line=3, resource="HALL", party_size=5),
        record("c", line=4, resource="HALL", party_size=4),
    ]
    report = bring(fleet.the_hub, *records)
    assert report.imported == 2
    assert report.refused == (
        RowProblem(3, "full", "HALL is full from 2027-06-03 19:30 to 2027-06-03 21:00"),
    )
    fleet.the_hub.reservations.cancel(view_of(fleet.the_hub, records[0]).code)
    assert bring(fleet.the_hub, *records) == ImportReport(imported=1, present=2)


@pytest.mark.parametrize("where", ["hub", "desk"])
def test_an_imported_stay_keeps_others_out_of_its_place(fleet: Fleet, where: str) -> None:
    desk = fleet.join("desk")
    replica: Service = fleet.the_hub if where == "hub" else desk
    bring(replica, record(), record("b", resource="T2", status="no_show"))
    shown = next(s for s in fleet.slots(replica) if s["starts_at"].startswith(f"{DAY}T19:30"))
    assert shown["resources"] == ["T3"]


def test_a_cancelled_reservation_takes_no_place(fleet: Fleet) -> None:
    records = [record(str(n), status="cancelled") for n in range(3)]
    assert bring(fleet.the_hub, *records, record("coming")).imported == 4


def test_a_guest_who_left_early_leaves_the_place_free(fleet: Fleet) -> None:
    now = datetime.datetime.fromisoformat("2027-06-02T10:13")
    began = (now - datetime.timedelta(minutes=30)).isoformat(timespec="minutes")
    left, next_one = record("a", starts_at=began, status="completed"), record("b", starts_at=began)
    assert bring(fleet.the_hub, left, next_one) == ImportReport(imported=2, present=0)
    assert view_of(fleet.the_hub, left).ends_at == view_of(fleet.the_hub, next_one).ends_at


def test_a_place_is_chosen_where_the_other_system_names_none(fleet: Fleet) -> None:
    records = [record(str(n), line=n, resource="") for n in range(5)]
    report = bring(fleet.the_hub, *records, record("large", line=5, resource="", party_size=39))
    chosen = [view_of(fleet.the_hub, one).live[0].resource for one in records[: report.imported]]
    assert chosen == ["T1", "T2", "T3", "T4"]
    assert [(one.line, one.rule) for one in report.refused] == [(4, "full"), (5, "party")]


# --- what cannot come in ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("record", {"key": "1"}),
        ("record", {"party_size": 0}),
        ("record", {"quantity": 0}),
        ("record", {"status": "seated"}),
        ("record", {"source": "somebody told me"}),
        ("record", {"kind": "friend"}),
        ("record", {"starts_at": "1901-02-03T10:00"}),
        ("quantity", {"quantity": 2}),
        ("quantity", {"quantity": 2, "resource": ""}),
        ("guest", {"guest": (("shoe_size", "43"),)}),
    ],
)
def test_a_record_that_makes_no_sense_is_refused_alone(
    fleet: Fleet, rule: str, fields: dict[str, Any]
) -> None:
    desk = fleet.join("desk")
    report = bring(desk, record("bad", line=7, **fields), record("good"))
    assert [(problem.line, problem.rule) for problem in report.refused] == [(7, rule)]
    assert report.imported == 1
    fleet.sync_all()
    fleet.assert_agree()


@pytest.mark.parametrize(
    ("rule", "fields"), [("resource", {"resource": "T99"}), ("date", {"starts_at": "tomorrow"})]
)
def test_what_the_venue_does_not_know_is_left_out_with_the_reason(
    fleet: Fleet, rule: str, fields: dict[str, Any]
) -> None:
    report = bring(fleet.the_hub, record(line=9, **fields))
    assert [(problem.line, problem.rule) for problem in report.left_out] == [(9, rule)]
    assert report.imported == 0


def test_a_venue_that_is_not_here_is_named(fleet: Fleet) -> None:
    with pytest.raises(NotFound, match="osteria"):
        fleet.the_hub.reservations.import_records("osteria", [record()])


def test_a_hub_that_recovers_imports_nothing(fleet: Fleet) -> None:
    desk, other = fleet.join("desk"), fleet.join("other")
    fleet.reserve(other, "12:00", ["T4"])
    fleet.sync_all()
    fleet.wipe_hub()
    desk.sync()
    assert fleet.the_hub.exchange_state == "recovering"
    with pytest.raises(RuleViolated, match="restored"):
        bring(fleet.the_hub, record())


def test_a_second_row_with_the_key_of_an_earlier_one_is_reported_and_not_lost_silently() -> None:
    mapping = read_mapping(
        {
            "name": "desk",
            "venue": "trattoria",
            "key": ["number"],
            "starts_at": {"column": "when"},
            "party": {"columns": ["people"]},
        }
    )
    rows = [
        {"number": number, "when": DAY, "people": people}
        for number, people in (("7", "2"), ("8", "2"), ("7", "4"))
    ]
    found = list(read_records(mapping, enumerate(rows, 2)))
    assert [type(one) for one in found] == [ImportRecord, ImportRecord, RowProblem]
    assert isinstance(found[2], RowProblem)
    assert (found[2].line, found[2].rule, found[2].left_out) == (4, "same_key", True)
    assert "line 2" in found[2].message


def test_the_mapping_in_the_documents_is_one() -> None:
    example, *calendars = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    mapping = read_mapping(tomllib.loads(example))
    for one in calendars:
        read_mapping(tomllib.loads(one), calendar=True)
    row = {
        "booking_number": "7", "customer_number": "12", "branch": "Centre", "date": "03.06.2027",
        "time": "19:30", "duration": "90", "adults": "2", "children": "-", "state": "storno",
        "table": "Window 1", "customer": "Anna", "telephone": "055 1234",
    }  # fmt: skip
    assert set(row) == mapping.columns
    (found,) = read_records(mapping, [(2, row)])
    assert isinstance(found, ImportRecord)
    assert (found.starts_at, found.party_size, found.status, found.resource) == (
        f"{DAY}T19:30", 2, "cancelled", "T1",
    )  # fmt: skip


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_that_an_import_reports_is_in_the_documents(rule: str) -> None:
    assert f"`{rule}`" in DOCUMENT


def test_a_channel_brings_in_reservations_and_never_says_who_came(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by an honest program, nor by one that writes it all the same."""
    channel = fleet.join("portal", "channel")
    shy = [
        record(name, status=name, line=n, starts_at=f"2027-05-27T1{2 + 2 * n}:00")
        for n, name in enumerate(("no_show", "completed"))
    ]
    given_up = record("c", status="cancelled")
    report = bring(channel, record("a"), given_up, *shy)
    assert report.imported == 2
    assert [(one.line, one.rule) for one in report.refused] == [(0, "role"), (1, "role")]
    assert "mark a no-show" in report.refused[0].message
    assert "front-desk" in report.refused[0].message

    monkeypatch.setattr(replica_module, "require_write", lambda *_, **__: None)
    bring(channel, *shy)
    fleet.sync_all()
    reasons = [row[3:] for row in fleet.the_hub.store.journal.quarantined(fleet.book)]
    assert reasons == [("quarantined", "role-forbidden")] * 2
    assert view_of(fleet.the_hub, given_up).status == "cancelled"
    for one in shy:
        found = fleet.the_hub.view(ids.import_id(fleet.book, one.key))
        assert found is None or found.status not in ("no_show", "completed")
