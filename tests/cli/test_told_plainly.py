"""What a host asks at the desk is answered with reasons, names and ways out, in a host's words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.commands.fleet import with_followers
from holdfast.commands.spelling import as_typed
from holdfast.commands.why_not import no_times_words, reason_words, slot_words
from holdfast.commands.words import counted
from holdfast.model.venue import Venue, parse_venue
from tests.cli.support import DAY, VENUE, Run, Running, document, make_hub
from tests.cli.test_story import join

Serve = Callable[[str, Path], Running]


@pytest.fixture
def small() -> Venue:
    return parse_venue(
        {
            "venue": "corner",
            "name": "Corner",
            "kind": "restaurant",
            "time_zone": "Europe/Rome",
            "hours": {"tue": [["18:00", "23:00"]]},
            "closed": ["2026-12-29"],
            "covers_per_slot": 6,
            "covers_at_once": 20,
            "policies": {
                "advance_days": 60,
                "cutoff_minutes": 30,
                "min_party": 2,
                "max_party": 12,
                "min_minutes": 30,
                "max_minutes": 120,
            },
            "resources": [
                {"id": "T1", "kind": "table", "seats": [1, 4], "combines_with": ["T2"]},
                {"id": "T2", "kind": "table", "seats": [1, 4]},
            ],
        }
    )


class TestWhyNothingCanBeHad:
    @pytest.mark.parametrize(
        ("reason", "party", "said"),
        [
            ("past", 2, "already past"),
            ("full", 2, "taken"),
            ("blocked", 2, "out of use"),
            ("party", 13, "for at most 12 people"),
            ("party", 1, "for at least 2 people"),
            ("party", 9, "no place takes 9; the largest takes 8"),
            ("pacing", 2, "too many would come at once: 6 people may start together"),
            ("seated", 2, "too many would be there at once: 20 people may sit here"),
            ("cutoff", 2, "too soon: taken until 30 min before the start"),
            ("advance", 2, "too far ahead: taken 60 days ahead at the most"),
            ("duration", 2, "not for so long: 30 min at least, 120 min at most"),
            ("blackouts", 2, "no reservations are taken then"),
            ("concurrent", 2, "this guest has as many ahead as one may have"),
            ("rates", 2, "too many were made for this guest of late"),
            ("some-new_rule", 2, "some new rule"),
            (None, 2, ""),
        ],
    )
    def test_a_reason_is_a_phrase(self, small: Venue, reason: str, party: int, said: str):
        assert reason_words(reason, small, party) == said

    @pytest.mark.parametrize(
        ("kind", "reason", "said"),
        [
            ("maintenance", "water_damage", "out of use: maintenance – water damage"),
            ("maintenance", "maintenance", "out of use: maintenance"),
            ("private_event", None, "out of use: private event"),
            ("blocked", None, "out of use"),
        ],
    )
    def test_what_is_out_of_use_says_what_for(
        self, small: Venue, kind: str, reason: str | None, said: str
    ):
        slot = {"reason": "blocked", "blocks": [{"kind": kind, "reason": reason}] * 2}
        assert slot_words(slot, small, 2) == said

    def test_a_closed_day_is_called_closed(self, small: Venue):
        assert no_times_words(small, "2026-12-28") == "Corner is closed on Monday 2026-12-28"
        assert no_times_words(small, "2026-12-29") == "Corner is closed on Tuesday 2026-12-29"

    def test_hours_that_are_too_short_are_named(self, small: Venue):
        assert "open 18:00–23:00 on Tuesday 2026-12-22" in no_times_words(small, "2026-12-22")

    def test_the_command_says_it_only_when_asked_and_then_in_full(self, run: Run, hub: Path):
        asked = ["availability", "--venue", "trattoria", "--date", "2026-12-25", "--party", "2"]
        assert "`--full` says why" in run(*asked, "--data", hub).stdout
        full = run(*asked, "--full", "--data", hub).stdout
        assert "closed on Friday 2026-12-25" in full
        assert "--full" not in full


class TestWhatWasTypedIsCalledAsItWasTyped:
    def test_an_error_names_the_options_of_the_command(self, run: Run, hub: Path):
        at = ("--at", f"{DAY}T19:30")
        for typed, said in (
            (("--at", "tomorrow", "--party", "2"), "error: --at: 'tomorrow' is no time"),
            ((*at, "--party", "0"), "error: --party: must be at least 1"),
            ((*at, "--party", "2", "--minutes", "0"), "error: --minutes: must be at least 1"),
            ((*at, "--party", "2", "--resource", "T99"), "error: --resource: trattoria has no"),
            ((*at, "--party", "2", "--key", "k" * 999), "error: --key: must be 1 to"),
            ((*at, "--party", "2", "--area", "Moon"), "error: --area: 'Moon' is none of"),
        ):
            refused = run("reserve", "--venue", "trattoria", *typed, "--data", hub)
            assert refused.exit_code in (1, 2)
            assert refused.stderr.startswith(said)

    def test_a_time_in_an_error_is_shown_as_everywhere(self, run: Run, hub: Path):
        asked = ("--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", "2")
        code = document(run("reserve", *asked, "--data", hub, "--json"))["code"]
        refused = run("reservations", "no-show", code, "--data", hub)
        # With the zone where the reader is in another.
        assert re.search(rf"begins at Tue {DAY} 19:30( \(venue time\))?;", refused.stderr)

    def test_an_error_says_what_there_is_and_what_else_can_be_done(self, run: Run, hub: Path):
        asked = ("reserve", "--at", f"{DAY}T12:30", "--party", "2", "--data", hub)
        unknown = run(*asked, "--resource", "T99")
        assert "no resource 'T99'; there are T1, T2, T3, T4, T5, T6, T7, T8" in unknown.stderr
        assert run(*asked, "--resource", "T1").exit_code == 0
        taken = run(*asked, "--resource", "T1")
        assert "12:30 (Europe/Rome) is not free" in taken.stderr
        assert "`holdfast waitlist add` lets them wait" in taken.stderr
        large = run("reserve", "--at", f"{DAY}T12:30", "--party", "40", "--data", hub)
        assert "12 at most; make several reservations" in large.stderr
        why = run("reservations", "cancel", "RES-2026-ABC123", "--data", hub)
        assert why.exit_code == 2
        assert "Say why, such as guest_request, changed_plans" in why.stderr
        assert "docs/words.md" in why.stderr

    def test_a_refusal_is_a_document_for_a_program_too(self, run: Run, hub: Path):
        asked = ("reserve", "--at", f"{DAY}T13:45", "--resource", "T1", "--data", hub, "--json")
        for party, status, kind in (("2", 1, "not-available"), ("0", 2, "invalid")):
            refused = run(*asked, "--party", party)
            if party == "2":
                assert refused.exit_code == 0, refused.output
                refused = run(*asked, "--party", party)
            assert refused.exit_code == status
            assert json.loads(refused.stdout)["type"] == f"urn:holdfast:error:{kind}"
            assert refused.stderr.startswith("error: ")

    def test_a_status_in_an_error_is_in_plain_words_with_its_code(self, run: Run, hub: Path):
        asked = ("--at", f"{DAY}T22:00", "--party", "2", "--json", "--data", hub)
        code = document(run("holds", "add", *asked))["code"]
        refused = run("reservations", "complete", code, "--data", hub)
        assert "is held for the moment (intent); completed is possible only from: checked in" in (
            refused.stderr
        )

    def test_a_setting_for_tests_is_in_no_list(self, run: Run, hub: Path):
        assert "test_wall" not in run("config", "get", "--data", hub).stdout
        assert "test_wall" in document(run("config", "get", "--json", "--data", hub))

    def test_a_field_of_a_file_and_a_word_in_quotes_stay_what_they_are(self):
        errors = [{"field": "venue", "message": "must be text"}]
        assert as_typed("venue: must be text", errors, {"--data"}) == "venue: must be text"
        assert as_typed("'starts_at' is unknown", [], {"--at"}) == "'starts_at' is unknown"
        quoted = "'2026-07-01T19:30:00+02:00' is no date"
        assert as_typed(quoted, [], {"--at"}) == quoted


class TestOneReservation:
    @pytest.fixture
    def desk(self, run: Run, serve: Serve, tmp_path: Path) -> Path:
        hub = make_hub(tmp_path / "hub")
        return join(run, hub, serve("hub", hub).url, "desk", "front-desk", tmp_path / "desk")

    def test_a_cancelled_one_says_why_by_whom_when_and_the_note_but_no_place(
        self, run: Run, desk: Path
    ):
        asked = ("--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", "2", "--data", desk)
        code = document(run("reserve", *asked, "--json"))["code"]
        run("sync", "now", "--data", desk)
        cancel = ("reservations", "cancel", code, "--reason", "no_staff", "--by", "venue")
        assert run(*cancel, "--note", "the cook is away", "--data", desk).exit_code == 0
        shown = run("reservations", "show", code, "--data", desk).stdout
        for said in ("no staff", "the venue", "the cook is away", "cancelled at"):
            assert said in shown
        assert "where" not in shown

    def test_one_that_could_not_be_had_says_who_has_it(self, run: Run, desk: Path):
        asked = ["--venue", "trattoria", "--at", f"{DAY}T20:00", "--party", "4", "--resource", "T3"]
        lost = document(run("reserve", *asked, "--data", desk, "--json"))["code"]
        hub = desk.parent / "hub"
        won = document(run("reserve", *asked, "--data", hub, "--json"))["code"]
        assert run("sync", "now", "--data", desk).exit_code == 0
        shown = run("reservations", "show", lost, "--data", desk).stdout
        assert f"{won} (confirmed (guaranteed), T3)" in shown
        assert "where" not in shown
        assert run("reservations", "cancel", won, "--reason", "test", "--data", hub).exit_code == 0
        assert run("sync", "now", "--data", desk).exit_code == 0
        verified = run("decision", "verify", lost, "--data", desk).stdout
        assert f"{won} (cancelled)" in verified
        assert "had it first" not in verified


class TestTheFleet:
    def life(self, name: str, number: int | None, seen: str, **more: object) -> dict[str, object]:
        return {"venue": "v", "name": name, "number": number, "last_seen_at": seen,
                "incarnation": f"{name}{number}", **more}  # fmt: skip

    def test_an_ended_life_names_the_one_that_its_device_goes_on_as(self):
        lives = [self.life("desk", 1, "2026-07-01T10"), self.life("desk", 2, "2026-07-02T10")]
        shown = [(one["number"], after and after["number"]) for one, after in with_followers(lives)]
        assert shown == [(2, None), (1, 2)]

    def test_two_devices_of_one_name_are_both_shown(self):
        lives = [
            self.life("desk", 3, "2026-07-01T10"),
            self.life("desk", 1, "2026-07-02T10"),
            self.life("desk", 1, "2026-07-03T10"),
            self.life("desk", None, ""),
        ]
        assert [after for _, after in with_followers(lives)] == [None] * 4

    def test_a_device_that_was_let_in_again_is_one_row(
        self, run: Run, serve: Serve, tmp_path: Path
    ):
        hub = make_hub(tmp_path / "hub")
        kiosk = join(run, hub, serve("hub", hub).url, "kiosk", "kiosk", tmp_path / "kiosk")
        run("sync", "now", "--data", kiosk)
        told = run("hub", "revoke", "kiosk", "--reason", "lost", "--data", hub).stdout
        assert "holdfast node rejoin" in " ".join(told.split())
        run("sync", "now", "--data", kiosk)
        invite = ("hub", "invite", "--venue", "trattoria", "--role", "kiosk", "--name", "kiosk")
        code = run(*invite, "--data", hub).stdout.split()[-1]
        assert run("node", "rejoin", "--code", code, "--data", kiosk).exit_code == 0
        assert run("sync", "now", "--data", kiosk).exit_code == 0
        shown = run("hub", "nodes", "--data", hub)
        assert (shown.stdout.count("kiosk  kiosk"), "1 earlier life" in shown.stderr) == (1, True)
        every = run("hub", "nodes", "--all", "--data", hub).stdout
        assert (every.count("kiosk  kiosk"), "ended, goes on as" in every) == (2, True)
        assert len(document(run("hub", "nodes", "--json", "--data", hub))["items"]) == 2


class TestCare:
    def test_what_is_no_backup_is_called_so(self, run: Run, tmp_path: Path):
        other = tmp_path / "letter.txt"
        other.write_text("Dear Anna")
        refused = run("restore", other, "--data", tmp_path / "new")
        assert f"{other} is no backup of Holdfast" in refused.stderr
        assert "damaged" not in refused.stderr

    def test_a_backup_says_that_it_replaced_the_earlier_one(
        self, run: Run, hub: Path, tmp_path: Path
    ):
        file = tmp_path / "hub.backup"
        assert "replaced" not in run("backup", file, "--data", hub).stdout
        assert "The earlier backup there was replaced" in run("backup", file, "--data", hub).stdout
        wrong = run("audit", "verify", "--data", file)
        assert (wrong.exit_code, f"holdfast audit verify {file}" in wrong.stderr) == (2, True)

    def test_numbers_of_things_have_their_plural(self, run: Run, hub: Path):
        assert counted(1, "chain") == "1 chain"
        assert counted(2, "entry", "entries") == "2 entries"
        assert "1 chain," in run("audit", "verify", "--data", hub).stdout

    def test_a_new_venue_is_told_what_comes_next_and_an_old_one_no_invitation(
        self, run: Run, serve: Serve, tmp_path: Path
    ):
        hub = make_hub(tmp_path / "hub")
        again = ("venue", "import", VENUE, "--data", hub)
        assert "next: holdfast hub run" in run(*again).stdout
        url = serve("hub", hub).url
        assert "next: holdfast hub invite" in run(*again).stdout
        join(run, hub, url, "desk", "front-desk", tmp_path / "desk")
        assert "next" not in run(*again).stdout
