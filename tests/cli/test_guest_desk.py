"""What a desk knows of a guest, from the command line: with the process running and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import DAYS, Run, asked_both_ways, document, joined_desk

NUTS = "walnuts, has the pen with her"


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front desk that reads cards and sells the tables."""
    return joined_desk(tmp_path_factory.mktemp("cli"))


@pytest.fixture(params=["running", "stopped"])
def desk(request: pytest.FixtureRequest, joined: Path) -> Iterator[Path]:
    """The desk's directory, with its process and without; its hub cannot be reached."""
    with asked_both_ways(request, joined) as directory:
        yield directory


def day(request: pytest.FixtureRequest) -> str:
    """Each way of asking has a day of its own."""
    return DAYS["running" in request.node.name]


def reserve(run: Run, desk: Path, at: str, user: str, **guest: str) -> dict[str, Any]:
    options = [part for name, text in guest.items() for part in (f"--guest-{name}", text)]
    found: dict[str, Any] = document(
        run("reserve", "--venue", "trattoria", "--at", at, "--party", 2, *options,
            "--user", user, "--json", "--data", desk)
    )  # fmt: skip
    return found


def test_a_caller_is_who_they_say_or_is_not_and_nothing_more_is_said(
    run: Run, desk: Path, request: pytest.FixtureRequest
):
    card = {"name": "Anna Ricci", "email": "Anna@Example.org", "phone": "+39 055 1234567"}
    made = reserve(run, desk, f"{day(request)}T19:30", request.node.name, **card)
    code = made["code"]
    for contact, fits in (
        ("anna@example.org", True),
        ("055 1234567", True),
        ("bruno@example.org", False),
        ("055 7654321", False),
    ):
        told = run("guests", "verify", code, "-", "--data", desk, stdin=f"{contact}\n")
        assert (told.exit_code, told.stdout[:3]) == ((0, "yes") if fits else (1, "no:"))
        assert "Ricci" not in told.output
    for question, fits in (
        (("--date", day(request)), True),
        (("--party", 2), True),
        (("--name", "RICCI"), True),
        (("--date", day(request), "--party", 2, "--name", "ricci anna"), True),
        (("--date", "2026-01-01"), False),
        (("--party", 3), False),
        (("--name", "Rossi"), False),
        (("--name", ""), False),
        (("--date", day(request), "--party", 3), False),
    ):
        told = run("guests", "verify", code, "anna@example.org", *question, "--data", desk)
        assert (told.exit_code, told.stdout[:3]) == ((0, "yes") if fits else (1, "no:")), question
        assert "Anna" not in told.output
    wrong = run("guests", "verify", "RES-2027-ZZZZZZ", "anna@example.org", "--data", desk)
    other = run("guests", "verify", code, "bruno@example.org", "--data", desk)
    assert (wrong.exit_code, wrong.stdout) == (1, other.stdout)
    found = run("guests", "verify", code, "anna@example.org", "--json", "--data", desk)
    assert document(found) == {"verified": True}


def test_who_comes_is_told_with_what_staff_noted(
    run: Run, desk: Path, request: pytest.FixtureRequest
):
    user = request.node.name
    first = reserve(run, desk, f"{day(request)}T12:30", user)
    agent, code = first["agent_id"], first["code"]
    noted = run("guests", "note", code, "-", "--kind", "dietary", "--alert", "--data", desk,
                stdin=f"{NUTS}\n")  # fmt: skip
    assert noted.exit_code == 0, noted.output
    assert f"Noted for {agent} at trattoria: dietary; whoever" in " ".join(noted.stdout.split())
    marked = run("guests", "flag", code, "vip", "--data", desk)
    assert marked.stdout == f"{agent} is marked as VIP at trattoria.\n", marked.output
    shown = run("reservations", "show", code, "--data", desk).stdout
    assert "VIP, first visit" in shown and f"dietary: {NUTS}" in " ".join(shown.split())
    made = run("reserve", "--venue", "trattoria", "--at", f"{day(request)}T13:30", "--party", 2,
               "--user", user, "--data", desk)  # fmt: skip
    assert NUTS in " ".join(made.stdout.split()), made.output

    (item,) = document(run("guests", "notes", agent, "--json", "--data", desk))["items"]
    assert (item["text"], item["alert"], item["by"]) == (NUTS, True, "desk")
    listed = run("guests", "notes", agent, "--data", desk).stdout
    assert "dietary" in listed
    changed = run("guests", "change-note", agent, item["id"][:8], "--no-alert", "--text", "nuts",
                  "--data", desk)  # fmt: skip
    assert changed.stdout == "It says now: nuts\n", changed.output
    assert "tell staff" not in run("reservations", "show", code, "--data", desk).stdout
    page = run("guests", "show", agent, "--data", desk).stdout
    assert "marked" in page and "nuts" in page and "visits" in page
    gone = run("guests", "withdraw-note", agent, item["id"], "--data", desk)
    assert gone.exit_code == 0, gone.output
    assert run("guests", "notes", agent, "--data", desk).stdout == (
        "Nothing is noted about this guest.\n"
    )
    assert "withdrawn at desk" in run("guests", "notes", agent, "--all", "--data", desk).stdout
    off = run("guests", "flag", agent, "vip", "--off", "--data", desk)
    assert off.stdout == f"{agent} is marked as nothing at trattoria.\n"
    assert run("guests", "flag", agent, "--off", "--data", desk).exit_code == 2
    audit = run("audit", "list", "--limit", "500", "--data", desk).stdout
    assert "guest marked, or a mark taken away" in " ".join(audit.split())
    assert NUTS not in audit


def test_who_was_here_before_is_told_by_their_number_and_reserved_for_by_agent_id(
    run: Run, desk: Path, request: pytest.FixtureRequest
):
    running = "running" in request.node.name
    phone, number = ("+39 06 555 0101", "06 5550101") if running else ("06 555 0202", "065550202")
    first = reserve(run, desk, f"{day(request)}T12:45", f"{running} a", name="Ann", phone=phone)
    agent, code = first["agent_id"], first["code"]
    assert "known_as" not in first
    run("guests", "note", code, "-", "--kind", "dietary", "--alert", "--data", desk, stdin=NUTS)
    run("guests", "flag", code, "vip", "--data", desk)
    run(
        "guests",
        "restrict",
        code,
        "--restriction",
        "max-advance-days",
        "--value",
        "80",
        "--reason",
        "abuse",
        "--data",
        desk,
    )

    at = f"{day(request)}T13:45"
    made = run("reserve", "--venue", "trattoria", "--at", at, "--party", 2, "--guest-name", "A. R.",
               "--guest-phone", number, "--data", desk)  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "This telephone number is that of a guest who was here before" in made.stderr
    assert "VIP, 0 visits, restricted: max-advance-days" in made.stderr
    assert f"`holdfast guests show {agent}`" in made.stderr and f"dietary: {NUTS}" in made.stderr
    line = next(one for one in made.stderr.split("`") if "guests merge" in one)
    assert line.split()[-1] == agent

    second = line.split()[-2]
    found = document(run("reservations", "show", second, "--json", "--data", desk))
    (known,) = found["known_as"]
    assert (known["agent_id"], known["by"], known["vip"]) == (agent, ["phone"], True)
    assert (known["restrictions"], [one["text"] for one in known["alerts"]]) == (
        ["max-advance-days"], [NUTS],
    )  # fmt: skip
    assert run(*line.split()[1:], "--data", desk).exit_code == 0
    assert "here before" not in run("reservations", "show", second, "--data", desk).stderr

    # From now on they are one, and what binds the one binds both.
    run("guests", "restrict", agent, "--restriction", "booking-ban", "--reason", "abuse",
        "--venue", "trattoria", "--data", desk)  # fmt: skip
    banned = run("reserve", "--venue", "trattoria", "--at", at, "--party", 2, "--agent", second,
                 "--data", desk)  # fmt: skip
    assert banned.exit_code == 1 and "takes no reservation for this guest" in banned.stderr, (
        banned.output
    )


def test_a_known_guest_is_reserved_for_without_typing_anything_again(
    run: Run, desk: Path, request: pytest.FixtureRequest
):
    running = "running" in request.node.name
    mail = f"known-{running}@example.org"
    first = reserve(run, desk, f"{day(request)}T18:15", f"{running} b", name="Bo", email=mail)
    agent = first["agent_id"]

    def made(*words: object) -> dict[str, object]:
        found: dict[str, object] = document(
            run(*words, "--agent", agent[:16], "--json", "--data", desk)
        )
        return found

    at = ("--venue", "trattoria", "--at", f"{day(request)}T22:00", "--party", 2)
    again = made("reserve", *at)
    assert (again["agent_id"], again["guest"]) == (agent, {"name": "Bo", "email": mail})
    assert "known_as" not in again
    assert made("reserve", *at, "--guest-name", "Bob")["guest"] == {"name": "Bob"}
    held = document(run("holds", "add", *at, "--agent", first["code"], "--json", "--data", desk))
    assert (held["agent_id"], held["guest"]) == (agent, {"name": "Bob"})
    assert "Bob" in run("holds", "list", "--date", day(request), "--data", desk).stdout
    kept = made("holds", "reserve", held["id"])
    assert (kept["agent_id"], kept["guest"]) == (agent, {"name": "Bob"})
    waits = made("waitlist", "add", "--venue", "trattoria", "--date", day(request), "--party", 2)
    assert (waits["agent_id"], waits["guest"]) == (agent, {"name": "Bob"})
    both = run("reserve", *at, "--agent", agent, "--user", "x", "--data", desk)
    assert both.exit_code == 2 and "not both" in both.stderr
    nobody = run("reserve", *at, "--agent", "RES-2026-ZZZZZZ", "--data", desk)
    assert nobody.exit_code == 1 and "guests find" in nobody.stderr


def test_history_and_preferences(run: Run, desk: Path, request: pytest.FixtureRequest):
    user = request.node.name
    made = reserve(run, desk, f"{day(request)}T18:30", user)
    for step in ("check-in", "complete"):
        assert run("reservations", step, made["code"], "--data", desk).exit_code == 0
    agent = made["agent_id"]
    found = document(run("guests", "history", agent, "--json", "--data", desk))
    assert (found["visits"], [one["code"] for one in found["items"]]) == (1, [made["code"]])
    shown = run("guests", "history", agent, "--status", "cancelled", "--data", desk).stdout
    assert "no reservations" in shown and "visits" in shown
    assert run("guests", "history", agent, "--status", "gone", "--data", desk).exit_code == 2
    nothing = run("guests", "preferences", agent, "--data", desk).stdout
    assert nothing.startswith("Nothing is known of what agent_")
    said = run("guests", "preferences", agent, "--dietary", "-", "--sms", "no", "--marketing",
               "yes", "--language", "it", "--data", desk, stdin=NUTS)  # fmt: skip
    assert said.exit_code == 0, said.output
    for part in (NUTS, "no, since", "yes, since"):
        assert part in said.stdout
    again = document(run("guests", "preferences", agent, "--dietary", "", "--json", "--data", desk))
    assert (again["dietary"], again["sms"], again["language"]) == (None, False, "it")
    wrong = run("guests", "preferences", agent, "--time-zone", "Moon/Base", "--data", desk)
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "time_zone" in wrong.stderr


def test_two_who_are_one_are_found_merged_and_taken_apart(
    run: Run, desk: Path, request: pytest.FixtureRequest
):
    user = request.node.name
    mail = f"{user.replace('[', '.').replace(']', '')}@example.org"
    at = f"{day(request)}T20:30"
    first = reserve(run, desk, at, f"{user} 1", name="Ann", email=mail)
    second = reserve(run, desk, at, f"{user} 2", name="Anna", email=mail.upper())
    pairs = document(run("guests", "duplicates", "--json", "--data", desk))["items"]
    ids = {first["agent_id"], second["agent_id"]}
    assert [pair["by"] for pair in pairs if {g["agent_id"] for g in pair["guests"]} == ids] == [
        ["email"]
    ]
    assert "Anna" in run("guests", "duplicates", "--data", desk).stdout
    merged = run("guests", "merge", first["code"], second["code"], "--data", desk)
    assert merged.exit_code == 0, merged.output
    assert "are one guest at trattoria, with 2 agent ids" in " ".join(merged.stdout.split())
    history = document(run("guests", "history", first["code"], "--json", "--data", desk))
    assert history["reservations"] == 2
    page = run("guests", "show", first["code"], "--data", desk).stdout
    assert second["agent_id"] in page
    apart = run("guests", "unmerge", first["code"], "--data", desk)
    assert "with 1 agent id: " in " ".join(apart.stdout.split()), apart.output
    itself = run("guests", "merge", first["code"], first["agent_id"], "--data", desk)
    assert itself.exit_code == 2
    assert "is the same agent id" in itself.stderr
