"""Feeds are ordinary calendars: ical.js, which calendar programs are made of, reads every event as
it was told, by nothing but what is in the feed."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from holdfast.api import calendar_text
from holdfast.model.feeds import CONFIRMED, FeedEvent
from holdfast.model.venue import Venue
from holdfast.node import calendars
from tests import calendar_stories

HERE = Path(__file__).parent


def read(*feeds: Path) -> list[dict[str, Any]]:
    """The feeds as ical.js reads them, or a skip that says how to get it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; with node and npm, `make icaljs` brings ical.js")
    if not (HERE / "node_modules" / "ical.js").is_dir():
        pytest.skip("ical.js is not installed: `make icaljs`")
    command = [node, str(HERE / "read.mjs"), *map(str, feeds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"read.mjs failed: {done.stderr}"
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def as_read(told: FeedEvent, zone: str) -> dict[str, Any]:
    def moment(at: int) -> int | str:
        day = datetime.datetime.fromtimestamp(at, ZoneInfo(zone)).date()
        return day.isoformat() if told.stay else at

    changed = told.changed_ms // 1000
    return {
        "uid": told.uid,
        "sequence": told.sequence,
        "status": told.status,
        "summary": told.summary,
        "description": told.description,
        "location": told.location,
        "start": moment(told.start),
        "end": moment(told.end),
        "changed": changed,
        "stamped": changed,
    }


def test_ical_js_reads_every_event_of_every_kind_as_it_was_told(tmp_path: Path):
    fleet = calendar_stories.bar(tmp_path)
    try:
        calendar_stories.hotel(fleet)
        feeds = [calendars.feed(fleet.the_hub, name, None, None, None) for name in ("bar", "hotel")]
    finally:
        fleet.__exit__()
    files = [tmp_path / f"{feed.venue.id}.ics" for feed in feeds]
    for file, feed in zip(files, feeds, strict=True):
        file.write_bytes(calendar_text.calendar(feed.venue, feed.events))
    for found, feed in zip(read(*files), feeds, strict=True):
        assert found["events"] == [as_read(one, "Europe/Rome") for one in feed.events]
        assert len(feed.events) == {"bar": 12, "hotel": 4}[feed.venue.id]


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Rome", "Europe/Dublin", "Africa/Casablanca", "America/St_Johns",
        "Australia/Lord_Howe", "Asia/Kolkata", "UTC",
    ],
)  # fmt: skip
def test_ical_js_finds_every_instant_of_a_year_by_the_zone_in_the_feed(zone: str, tmp_path: Path):
    """Every fifth hour, and every quarter of an hour on days on which some clock changes."""
    begin = int(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp())
    starts = list(range(begin, begin + 366 * 86_400, 5 * 3_600))
    for month, day in ((2, 15), (3, 8), (3, 22), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1)):
        midnight = datetime.datetime(2026, month, day, tzinfo=datetime.UTC).timestamp()
        starts += range(int(midnight) - 43_200, int(midnight) + 86_400, 900)
    events = [
        FeedEvent(f"{n}", 0, 0, CONFIRMED, "T1", "RES", "T1", start, start + 5_400, False)
        for n, start in enumerate(starts)
    ]
    venue = Venue(id="x", name="X", kind="spot", time_zone=zone, resources=())
    file = tmp_path / "x.ics"
    file.write_bytes(calendar_text.calendar(venue, events))
    (found,) = read(file)
    assert [(one["start"], one["end"]) for one in found["events"]] == [
        (one.start, one.end) for one in events
    ]
