"""Who did it, at the command line: named on purpose, whether the process runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import DAY, Run, Running, document, make_hub

NAME = "Zoë Łukasz"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hub(tmp_path_factory.mktemp("who") / "hub")


@pytest.fixture(params=["running", "stopped"])
def hub(request: pytest.FixtureRequest, run: Run, made: Path) -> Iterator[Path]:
    """A hub at which somebody logs in, with its process and without."""
    if not document(run("staff", "list", "--json", "--data", made))["items"]:
        added = run("staff", "add", NAME, "--role", "staff", "--data", made, stdin="4711\n")
        assert added.exit_code == 0, added.stderr
    if request.param == "stopped":
        yield made
        return
    process = Running("hub", made)
    yield made
    assert process.stop()[0] == 0


def reserved(run: Run, hub: Path, *words: str) -> str:
    done = run(
        "reserve", "--venue", "trattoria", "--at", f"{DAY}T19:30", "--party", 2, "--minutes", 15,
        *words, "--json", "--data", hub,
    )  # fmt: skip
    code: str = document(done)["code"]
    return code


def told(run: Run, hub: Path, code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(
        run("audit", "list", "--reservation", code, "--json", "--data", hub)
    )["items"]
    return found


def test_who_is_named_stands_in_the_audit_and_nobody_else_does(
    run: Run, hub: Path, monkeypatch: pytest.MonkeyPatch
):
    by_name = reserved(run, hub, "--staff", NAME.upper())
    by_device = reserved(run, hub)
    monkeypatch.setenv("HOLDFAST_STAFF", NAME)
    document(run("reservations", "check-in", by_name, "--json", "--data", hub))
    shown = document(run("reservations", "complete", by_name, "--json", "--data", hub))
    assert shown["checked_in_by"]["name"] == shown["completed_by"]["name"] == NAME
    monkeypatch.delenv("HOLDFAST_STAFF")
    assert [one["by_name"] for one in told(run, hub, by_name)] == [NAME] * 3
    screen = run("reservations", "show", by_name, "--data", hub).output
    assert screen.count(NAME) == 2
    (nobody,) = told(run, hub, by_device)
    assert (nobody["by"], nobody["by_name"]) == (None, None)
    table = run("audit", "list", "--reservation", by_name, "--data", hub).output
    assert NAME in table
    assert "hub" in table
    table = run("audit", "list", "--reservation", by_device, "--data", hub).output
    assert NAME not in table
    assert "hub" in table


def test_a_login_that_is_unknown_is_an_error_and_nothing_is_done(run: Run, hub: Path):
    before = document(run("audit", "list", "--json", "--data", hub))["items"]
    words = ("reserve", "--venue", "trattoria", "--at", f"{DAY}T20:30", "--party", 2)
    done = run(*words, "--staff", "Nobody", "--data", hub)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: nobody called Nobody is staff of this device")
    assert done.stderr.count("\n") == 1
    assert run(*words, "--staff", " ", "--data", hub).exit_code == 2
    assert document(run("audit", "list", "--json", "--data", hub))["items"] == before


def test_logins_are_looked_after_whoever_is_named(
    run: Run, hub: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOLDFAST_STAFF", "Nobody yet")
    assert run("staff", "list", "--data", hub).exit_code == 0
    refused = run("reservations", "list", "--data", hub)
    assert refused.exit_code == 1
    assert "staff list" in refused.stderr


def test_who_is_known_at_another_device_alone_is_shown_by_the_beginning(run: Run, hub: Path):
    assert (
        run("staff", "add", "Ugo", "--role", "staff", "--data", hub, stdin="0815\n").exit_code == 0
    )
    code = reserved(run, hub, "--staff", "Ugo")
    assert run("staff", "remove", "Ugo", "--data", hub).exit_code == 0
    (item,) = told(run, hub, code)
    table = run("audit", "list", "--reservation", code, "--data", hub).output
    assert "Ugo" not in table
    assert f"{item['by'][:14]}…" in table
