"""A calendar program at a served hub, by a key that the command line made and nothing keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import icalendar

from tests.cli.support import DAY, Run, Running, document


def test_a_feed_is_fetched_by_its_key_and_the_key_stands_in_no_file(
    run: Run, hub: Path, serve: Callable[[str, Path], Running]
):
    served = serve("hub", hub)
    made = document(
        run("reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2, "--json",
            "--data", hub)
    )  # fmt: skip
    told = run(
        "token", "create", "--name", "wall", "--role", "read-only", "--venue", "trattoria",
        "--may", "calendar.read", "--data", hub,
    )  # fmt: skip
    key = told.stdout.split()[-1]
    address = f"{served.url}/api/v1/venues/trattoria/calendar.ics"
    by_address = httpx.get(address, params={"key": key})
    by_password = httpx.get(address, auth=("calendar", key))
    assert by_address.content == by_password.content
    (event,) = icalendar.Calendar.from_ical(by_address.content).walk("VEVENT")
    assert str(event["uid"]) == made["id"]
    assert httpx.get(address, params={"key": f"{key}x"}).status_code == 401

    status, errors = served.stop()
    assert status == 0 and key not in errors
    log = (hub / "log" / "holdfast.log").read_text("utf-8")
    assert "GET /api/v1/venues/{venue}/calendar.ics 200" in log
    files = [path for path in hub.rglob("*") if path.is_file()]
    assert not [path for path in files if key.encode() in path.read_bytes()]
