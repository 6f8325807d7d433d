"""`holdfast reserve --repeat`, and what is done with a series."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.support import DAY, Run


def test_a_series_is_made_listed_and_called_off(run: Run, hub: Path):
    where = ("--venue", "trattoria", "--party", 2, "--resource", "T1", "--data", hub)
    taken = run("reserve", "--at", f"{DAY}T19:30", *where)
    assert taken.exit_code == 0, taken.stderr
    rule = ("--at", f"{DAY}T19:30", "--repeat", "FREQ=DAILY;COUNT=3")
    refused = run("reserve", *rule, *where)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: 1 of 3 dates cannot be had")
    made = run("reserve", *rule, "--each", *where)
    assert made.exit_code == 0
    assert made.stdout.count("RES-") == 2
    assert made.stdout.count("It is booked. It is yours.") == 2
    assert made.stderr.count("could not be had") == 1
    assert "; free instead: " in made.stderr
    listed = json.loads(run("reservations", "list", "--json", "--data", hub).stdout)["items"]
    code = listed[-1]["code"]
    series = run("reservations", "list", "--series", code, "--json", "--data", hub)
    found = json.loads(series.stdout)["items"]
    assert [one["code"] for one in found] == [one["code"] for one in listed[1:]]
    gone = run(
        "reservations", "cancel", found[0]["code"], "--reason", "guest_request", "--series",
        "--data", hub,
    )  # fmt: skip
    assert gone.exit_code == 0, gone.stderr
    for one in found:
        assert f"{one['code']}  2      T1   cancelled" in gone.stdout
    assert gone.stdout.endswith("2 dates cancelled.\n")
    left = json.loads(
        run("reservations", "list", "--status", "confirmed", "--json", "--data", hub).stdout
    )
    assert [one["code"] for one in left["items"]] == [listed[0]["code"]]


def test_what_makes_no_series_is_wrong_usage_and_one_that_repeats_is_json(run: Run, hub: Path):
    where = ("--venue", "trattoria", "--at", f"{DAY}T12:00", "--party", 2, "--data", hub)
    for wrong in (("--each",), ("--repeat", "FREQ=DAILY;COUNT=2", "--wait", 1)):
        assert run("reserve", *wrong, *where).exit_code == 2
    assert run("reserve", "--repeat", "fridays", *where).exit_code == 2
    made = json.loads(run("reserve", "--repeat", "FREQ=DAILY;COUNT=2", "--json", *where).stdout)
    assert (len(made["items"]), made["refused"], len(made["series"])) == (2, [], 32)
