"""What a host asks at the desk is answered with reasons, names and ways out, in a host's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.commands.spelling import as_typed
from holdfast.commands.why_not import no_times_words, reason_words
from holdfast.model.venue import Venue, parse_venue
from tests.cli.support import DAY, Run, Running, document, make_hub
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
            "policies": {"advance_days": 60, "cutoff_minutes": 30, "min_party": 2, "max_party": 12},
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
            ("party", 13, "for at most 12 people"),
            ("party", 1, "for at least 2 people"),
            ("party", 9, "no place takes 9; the largest takes 8"),
            ("pacing", 2, "too many would come at once: 6 people may start together"),
            ("cutoff", 2, "too soon: taken until 30 min before the start"),
            ("advance", 2, "too far ahead: taken 60 days ahead at the most"),
            ("some-new_rule", 2, "some new rule"),
            (None, 2, ""),
        ],
    )
    def test_a_reason_is_a_phrase(self, small: Venue, reason: str, party: int, said: str):
        assert reason_words(reason, small, party) == said

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
            assert (refused.exit_code, refused.stderr.startswith(said)) == (1, True), refused.stderr

    def test_a_time_in_an_error_is_shown_as_everywhere(self, run: Run, hub: Path):
        asked = ("--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", "2")
        code = document(run("reserve", *asked, "--data", hub, "--json"))["code"]
        refused = run("reservations", "no-show", code, "--data", hub)
        assert f"begins at Tue {DAY} 19:30;" in refused.stderr

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
