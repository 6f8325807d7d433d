"""A guest who may not reserve, from the command line: refused, told the way out, let in again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.support import DAY, DAYS, Run, Running, document, make_hub
from tests.cli.test_story import join

AGENT = "agent_" + "a" * 32


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hub(tmp_path_factory.mktemp("cli") / "hub")


@pytest.fixture(params=["running", "stopped"])
def place(request: pytest.FixtureRequest, hub: Path) -> Iterator[Path]:
    """The hub's directory, with its process and without."""
    if request.param == "stopped":
        yield hub
        return
    process = Running("hub", hub)
    yield hub
    assert process.stop() == (0, "")


def reserve(run: Run, place: Path, time: str, *more: object) -> Result:
    return run("reserve", "--venue", "trattoria", "--at", time, "--party", 2, *more,
               "--data", place)  # fmt: skip


def test_banned_refused_told_the_way_out_and_let_in_again(
    run: Run, place: Path, request: pytest.FixtureRequest
):
    user = request.node.name
    made = document(reserve(run, place, f"{DAY}T19:30", "--user", user, "--json"))
    agent, code = made["agent_id"], made["code"]
    banned = run("guests", "restrict", code, "--restriction", "booking-ban", "--until", DAYS[2],
                 "--reason", "No-shows", "--data", place)  # fmt: skip
    assert banned.exit_code == 0, banned.output
    meant = f"{agent} (1 reservation, the last {code}) at trattoria"
    assert banned.stdout.startswith(f"{meant}: no reservation until "), "who is meant is told"
    (item,) = document(run("guests", "restrictions", code, "--json", "--data", place))["items"]
    assert f"`holdfast guests lift {item['id']} --reason R`" in banned.stdout
    shown = run("guests", "restrictions", "--data", place).stdout
    for part in (item["id"], agent, "no reservation", "no shows", f"{DAYS[2]} 00:00"):
        assert part in shown

    for done in (
        reserve(run, place, f"{DAY}T21:00", "--user", user),
        run("reservations", "move", code, "--at", f"{DAY}T21:00", "--data", place),
    ):
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("error: Trattoria da Mario takes no reservation for this")
        for part in ("no shows", f"{DAYS[2]} 00:00", "supervisor", item["id"]):
            assert part in done.stderr
    done = reserve(run, place, f"{DAY}T21:00", "--user", "somebody else")
    assert done.exit_code == 0, done.output

    lifted = run("guests", "lift", item["id"][:8], "--reason", "paid", "--data", place)
    assert lifted.stdout == f"Lifted for {agent} at trattoria: no reservation.\n", lifted.output
    again = run("guests", "lift", item["id"], "--reason", "other", "--data", place)
    assert again.stdout == "It was lifted at hub before: paid.\n"
    assert reserve(run, place, f"{DAY}T12:30", "--user", user).exit_code == 0
    assert run("guests", "restrictions", "--data", place).stdout == "No guest is restricted.\n"
    assert "lifted: paid" in run("guests", "restrictions", code, "--all", "--data", place).stdout
    for one in document(run("reservations", "list", "--json", "--data", place))["items"]:
        run("reservations", "cancel", one["code"], "--reason", "test", "--data", place)
    audit = run("audit", "list", "--data", place).stdout
    assert "guest restricted in what they may reserve" in " ".join(audit.split())


def test_a_limit_is_told_by_its_rule(run: Run, hub: Path):
    made = document(reserve(run, hub, f"{DAY}T12:30", "--user", "max", "--json"))
    run("guests", "restrict", made["code"], "--restriction", "max-concurrent", "--value", 1,
        "--reason", "new_guest", "--data", hub)  # fmt: skip
    run("guests", "restrict", made["code"], "--restriction", "max-advance-days", "--value", 0,
        "--reason", "new_guest", "--data", hub)  # fmt: skip
    refused = reserve(run, hub, f"{DAY}T14:00", "--user", "max")
    assert refused.exit_code == 1
    assert "1 at a time" in refused.stderr
    assert "0 days ahead" in refused.stderr
    shown = run("guests", "restrictions", made["code"], "--data", hub).stdout
    assert "1 at a time" in shown
    assert "today only" in shown


def test_what_the_house_knows_a_guest_as(run: Run, place: Path):
    profile = ("guests", "profile", AGENT, "--data", place)
    nothing = f"{AGENT} has no tier and no tags at trattoria.\n"
    assert run(*profile).stdout == nothing
    said = run(*profile, "--tier", "Gold", "--tag", "member", "--tag", "regular")
    assert said.exit_code == 0, said.output
    shown = document(run(*profile, "--json"))
    assert (shown["tier"], shown["tags"], shown["by"]) == ("gold", ["member", "regular"], "hub")
    assert document(run(*profile, "--tag", "trained", "--json"))["tier"] is None
    assert run(*profile, "--clear").stdout == nothing
    both = run(*profile, "--clear", "--tier", "gold")
    assert (both.exit_code, "neither --tier nor --tag" in both.stderr) == (2, True)
    wrong = run(*profile, "--tag", "mario_rossi")
    assert (wrong.exit_code, "rossi" in wrong.stderr) == (2, False)
    assert "--tag" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("lift", "0" * 8, "--reason", "paid"), 1, "guests restrictions --all"),
        (("lift", "0" * 7, "--reason", "paid"), 2, "8 to 32 characters"),
        (("lift", "0" * 8, "--reason", "whim"), 2, "--reason"),
        (("restrict", AGENT, "--restriction", "booking-ban"), 2, "--reason"),
        (("restrict", AGENT, "--restriction", "x", "--reason", "test"), 2, "booking-ban"),
        (("restrict", AGENT, "--restriction", "max-concurrent", "--reason", "test"), 2, "--value"),
        (
            ("restrict", AGENT, "--restriction", "booking-ban", "--value", 1, "--reason", "test"),
            2,
            "--value",
        ),
        (
            ("restrict", AGENT, "--restriction", "booking-ban", "--until", "2020-01-01",
             "--reason", "test"),
            2,
            "--until: 2020-01-01 is over",
        ),
        (
            ("restrict", AGENT, "--restriction", "booking-ban", "--venue", "nowhere", "--reason",
             "test"),
            1,
            "no venue 'nowhere'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(
    run: Run, hub: Path, words: tuple[object, ...], status: int, said: str
):
    done = run("guests", *words, "--data", hub)
    assert (done.exit_code, said in done.stderr) == (status, True), done.output
    assert done.stderr.count("\n") == 1


def test_the_desk_shows_what_binds_a_guest_beside_the_card(
    run: Run, tmp_path: Path, serve: Callable[[str, Path], Running]
):
    hub = make_hub(tmp_path / "hub")
    desk = join(run, hub, serve("hub", hub).url, "desk", "front-desk", tmp_path / "desk")
    made = document(reserve(run, desk, f"{DAY}T19:30", "--guest-name", "Zoe Quell", "--json"))
    run("guests", "restrict", made["code"], "--restriction", "booking-ban", "--reason", "unpaid",
        "--data", desk)  # fmt: skip
    run("guests", "profile", made["code"], "--tier", "gold", "--tag", "member", "--data", desk)
    shown = " ".join(run("guests", "show", made["code"], "--data", desk).stdout.split())
    assert "restricted no reservation until it is lifted (unpaid)" in shown
    assert "known as gold, member" in shown
    exported = document(run("guests", "export", made["code"], "--data", desk))["venues"][0]
    assert [one["reason"] for one in exported["restrictions"]] == ["unpaid"]
    assert exported["profile"]["tags"] == ["member"]
