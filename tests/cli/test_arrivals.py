"""The desk's day: who is expected, dates as people say them, and a venue that needs no name."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from holdfast.commands.days import days_ahead
from tests.cli.support import DAY, ROOT, Run, document

TODAY = datetime.date.today()


def plus(day: str) -> str:
    return f"+{(datetime.date.fromisoformat(day) - TODAY).days}"


@pytest.mark.parametrize(
    ("said", "days"),
    [("today", 0), (" Tomorrow ", 1), ("+0", 0), ("+12", 12), ("2026-07-01", None), ("12", None),
     ("+1234", None), ("-1", None)],
)  # fmt: skip
def test_a_date_may_be_said_in_words(said: str, days: int | None):
    assert days_ahead(said) == days


def test_arrivals_are_those_who_are_not_here_yet_in_order_of_time(run: Run, hub: Path):
    def reserve(time: str, *more: object) -> dict[str, str]:
        at = f"{DAY}T{time}"
        words = ("reserve", "--at", at, "--party", 2, *more, "--json", "--data", hub)
        made: dict[str, str] = document(run(*words))
        return made

    later, first, gone = reserve("20:00"), reserve("19:00"), reserve("19:30")
    cancelled = run("reservations", "cancel", gone["code"], "--reason", "other", "--data", hub)
    assert cancelled.exit_code == 0, cancelled.output
    flagged = run("guests", "flag", later["code"], "vip", "--data", hub)
    assert flagged.exit_code == 0, flagged.output
    found = document(run("arrivals", "--date", DAY, "--json", "--data", hub))
    assert [one["code"] for one in found["items"]] == [first["code"], later["code"]]
    shown = run("arrivals", "--date", DAY, "--data", hub).stdout.splitlines()
    assert first["code"] in shown[1] and later["code"] in shown[2] and "VIP" in shown[2]
    nobody = run("arrivals", "--date", "+300", "--data", hub)
    assert nobody.stdout.startswith("Nobody is expected any more on "), nobody.output


def test_words_for_dates_mean_the_venues_service_days_wherever_there_is_a_date(run: Run, hub: Path):
    def listed(date: str, *words: object) -> object:
        return document(run(*words, "--date", date, "--json", "--data", hub))

    run("reserve", "--at", f"{DAY}T13:00", "--party", 2, "--data", hub)
    run("holds", "add", "--at", f"{DAY}T13:00", "--party", 2, "--data", hub)
    waits = ("waitlist", "add", "--party", 2, "--data", hub, "--date")
    assert run(*waits, plus(DAY)).exit_code == 0
    for words in (
        ("reservations", "list"), ("holds", "list"), ("blocks", "list"), ("waitlist", "list"),
        ("availability", "--party", 2), ("arrivals",),
    ):  # fmt: skip
        assert listed(plus(DAY), *words) == listed(DAY, *words), words
    report = run("report", "day", "--date", plus(DAY), "--json", "--data", hub)
    assert document(report)["date"] == DAY
    wrong = run("reservations", "list", "--date", "someday", "--data", hub)
    assert wrong.exit_code != 0


def test_which_venue_is_asked_where_there_are_several(run: Run, tmp_path: Path):
    place = tmp_path / "hub"
    assert run("hub", "init", "--data", place, "--tenant", "rome").exit_code == 0
    for file in ("trattoria.yaml", "hotels/hotel-city.yaml"):
        done = run("venue", "import", ROOT / "examples" / file, "--data", place)
        assert done.exit_code == 0, done.output
    for words in (
        ("reserve", "--at", f"{DAY}T19:00", "--party", 2),
        ("reservations", "list", "--date", "today"),
        ("arrivals",),
    ):
        asked = run(*words, "--data", place)
        assert asked.exit_code == 2 and "--venue; there are" in asked.stderr, asked.output
