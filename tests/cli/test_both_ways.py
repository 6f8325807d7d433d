"""Every command means the same whether the directory's process runs or not.

One hub and one desk serve the whole module: each command is run while its process runs and again
after it was stopped, in the same order, and the two answers are compared: exit status, and the
names in the JSON document. What happened meanwhile may change values, never the form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from holdfast.cli import holdfast
from holdfast.commands import session
from tests.cli.support import DAY, VENUE, Running, document, make_hub

pytestmark = pytest.mark.timeout(480)
"""The fixture gives some five hundred commands, each from the beginning: three quarters of a minute
on a machine that has nothing else to do."""

MAPPING = """
name = "old"
venue = "trattoria"
key = ["number"]
[starts_at]
column = "when"
[party]
columns = ["people"]
"""
BOOKING = f"reserve --venue trattoria --party 2 --at {DAY}"
GRANT = "allotments grant --venue trattoria --holder desk"
COMMON = f"""
0 node status
0 venue list
0 venue show trattoria
0 availability --venue trattoria --date {DAY} --party 2
0 availability --venue trattoria --date {DAY} --party 2 --full
0 slots --venue trattoria --date {DAY}
0 {BOOKING}T{{hour}}:00 --resource {{table}} --source phone --key both-ways-{{n}} --user u1
0 reservations list --venue trattoria --date {DAY} --status confirmed
0 reservations list --area Main --date {DAY} --by-table
2 reservations list --by-table
0 reservations list --partner-reference BK-4711 --source partner
2 reservations list --partner-reference BK-4711 --source phone
2 reservations list --partner-reference BK-4711 --date {DAY}
2 reservations list --source partner
2 {BOOKING}T20:00 --partner-reference BK-4711
1 reservations list --area Cellar
0 reservations show {{code}}
0 reservations move {{code}} --party 3
0 reservations list --approval pending
2 reservations list --approval nonsense
0 reservations approve {{code}}
1 reservations approve RES-2026-000000
0 reservations check-in {{code}}
0 reservations complete {{code}}
0 reservations cancel {{spare}} --reason guest_request
0 reservations import {{directory}}/old.csv --map {{directory}}/map.toml
1 reservations show RES-2026-000000
1 reservations no-show {{spare}}
1 reservations undo-no-show {{spare}}
2 reservations cancel {{spare}} --reason nonsense
2 {BOOKING}T20:00 --minutes 60 --nights 1
1 reserve --venue nowhere --party 2 --at {DAY}T20:00
0 allotments list
0 allotments list --venue trattoria
1 allotments list --venue nowhere
1 allotments return 00000000000000000000000000000000
2 allotments return 0000
1 allotments revoke 00000000000000000000000000000000 --reason stolen
0 guests restrict {{code}} --restriction max-advance-days --value 99 --reason test
1 guests restrict nobody --restriction booking-ban --reason test
2 guests restrict {{code}} --restriction booking-ban --reason he!said!so
2 guests restrict {{code}} --restriction max-concurrent --reason test
2 guests restrict {{code}} --restriction booking-ban --until nonsense --reason test
0 guests restrictions
0 guests restrictions {{code}} --all
1 guests lift 00000000 --reason paid
2 guests lift 0000 --reason paid
0 guests profile {{code}} --tier gold --tag member
0 guests profile {{code}}
0 guests profile {{code}} --clear
2 guests profile {{code}} --tier nonsense
2 guests profile {{code}} --tag nonsense
0 guests history {{code}}
0 guests flag {{code}} issue
0 guests flag {{code}} issue --off
2 guests flag {{code}} nonsense
0 guests unmerge {{code}}
2 guests merge {{code}} {{code}}
0 queue list
0 queue list --state merged
0 queue stats
0 queue retry
0 queue export {{directory}}/queue-{{where}}-{{n}}.json
1 queue show 00000000000000000000000000000000
1 queue withdraw 00000000000000000000000000000000 --reason entered_by_mistake
2 queue list --state nonsense
0 sync status
0 sync log
0 clock status
0 clock sample
0 books list
0 books show trattoria
0 books show trattoria {DAY}
2 books show trattoria nonsense
0 books export trattoria {{directory}}/page-{{where}}-{{n}}.bin --node {{name}}
0 exceptions list
1 exceptions show 00000000000000000000000000000000.quarantined
1 exceptions resolve 00000000000000000000000000000000.fork --action acknowledge --reason seen
0 audit list
0 audit list --reservation {{code}}
0 audit verify
0 decision verify {{decided}}
0 report violations
0 report violations --venue trattoria --from {DAY}
1 report violations --venue nowhere
2 report violations --to nonsense
1 decision verify RES-2026-000000
0 token create --name both-{{n}} --role read-only
0 token list
0 token revoke both-{{n}}
1 token revoke nobody
0 token create --name narrow-{{n}} --role staff --venue trattoria --may queue.read --expires 1h
1 token create --name wrong-{{n}} --role staff --venue nowhere
0 staff list
2 staff add Ida --role staff
2 staff add Ida --role admin
1 staff unlock nobody
1 staff remove nobody
0 config get
0 config get ntp
2 config get nonsense
0 doctor
0 upgrade --check
0 backup {{directory}}/backup-{{where}}-{{n}}
"""
DESK = f"""
{COMMON}
0 guests note {{code}} words --kind general --alert
0 guests notes {{code}} --all
2 guests note {{code}} words --kind nonsense
1 guests withdraw-note {{code}} 00000000
0 guests preferences {{code}} --language it
0 guests duplicates
0 sync now
1 {GRANT} --resource T7
1 allotments revoke {{held}} --reason stolen
0 allotments return {{held}}
1 allotments return {{held}}
0 node set-hub {{url}}
2 node set-hub nonsense
0 node rejoin --code {{join_code}}
1 node rejoin --code nonsense
0 sync pause
3 sync now
3 node rejoin --code {{join_code}}
0 sync resume
0 sync now
0 queue show {{operation}}
0 queue retry {{operation}}
1 queue withdraw {{operation}} --reason entered_by_mistake
1 hub nodes
1 hub export-root {{directory}}/none.pem --plain
1 venue import {VENUE}
"""
HUB = f"""
{COMMON}
1 allotments return {{held}}
2 allotments revoke {{held}} --reason nonsense
0 allotments revoke {{held}} --reason stranded
1 allotments revoke {{held}} --reason stranded
0 {GRANT} --resource T7 --until {DAY}
1 {GRANT} --resource T7
1 allotments grant --venue trattoria --holder nobody --resource T6
1 {GRANT} --resource X*
1 allotments grant --venue trattoria --holder nobody --again
2 {GRANT}
2 {GRANT} --again --quantity 2
0 hub nodes
0 hub invite --venue trattoria --role kiosk --name kiosk-{{n}} --expires 1h
1 hub invite --venue nowhere --role kiosk --name kiosk-1
2 hub invite --venue trattoria --role nonsense --name kiosk-1
0 hub recover
1 hub revoke nobody --reason stolen
2 hub revoke desk --reason he!took!it
0 hub export-root {{directory}}/root-{{n}}.pem --plain
0 hub invites
1 hub invites --withdraw nobody
0 hub rotate-key
1 hub renew-issuer --root {VENUE}
0 venue import {VENUE}
1 sync now
1 sync pause
1 node set-hub http://127.0.0.1:9
"""
ANY_NAMES = frozenset({"verdicts", "before", "after", "reservations", "metadata", "oldest"})
"""Objects whose names are data, not form."""


def commands(listed: str) -> list[tuple[int, str]]:
    lines = [line.split(" ", 1) for line in listed.strip().splitlines() if line]
    return [(int(status), words) for status, words in lines]


class Both(NamedTuple):
    """The answers of one directory, in the order of its commands."""

    running: list[Result]
    stopped: list[Result]


def run(*words: object) -> Result:
    return CliRunner().invoke(holdfast, [str(word) for word in words])


def answers(listed: str, data: Path, **values: object) -> list[Result]:
    """Run every command; what a template asks for is made right before."""
    found = []
    for _, words in commands(listed):
        spoken = words.format(**values)
        done = run(*spoken.split(), "--json", "--data", data)
        if spoken.startswith(BOOKING) and done.exit_code == 0:
            values["code"] = json.loads(done.stdout)["code"]
        found.append(done)
    return found


def around(listed: str, data: Path, process: Running, **values: Any) -> Both:
    """Every command while the process runs, and again after it was stopped."""
    found = []
    for n in (0, 1):
        if n:
            assert process.stop() == (0, "")
        assert (session.running_process(data) is None) == bool(n)
        booked = [f"{BOOKING}T{values['hour']}:00 --resource {t}" for t in values["spares"][n]]
        spare = document(run(*booked[0].split(), "--json", "--data", data))["code"]
        if "hub" in values:
            words = "hub invite --venue trattoria --role front-desk --name desk --json --data"
            values["join_code"] = document(run(*words.split(), values["hub"]))["code"]
            if n:
                # What it returned in the first round.
                document(run(*f"{GRANT} --again".split(), "--json", "--data", values["hub"]))
            document(run("sync", "now", "--json", "--data", data))
            queue = document(run("queue", "list", "--json", "--data", data))
            values["operation"] = queue["items"][0]["id"]
        elif not n:
            document(run(*f"{GRANT} --resource T7".split(), "--json", "--data", data))
        allotted = document(run("allotments", "list", "--json", "--data", data))["items"]
        values["held"] = next(one["id"] for one in allotted if one["state"] == "active")
        found.append(
            answers(listed, data, n=n, table=values["tables"][n], spare=spare, code="", **values)
        )
    return Both(*found)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Both]]:
    directory = tmp_path_factory.mktemp("both-ways")
    (directory / "map.toml").write_text(MAPPING, "utf-8")
    (directory / "old.csv").write_text(f"number,when,people\n7,{DAY}T12:00,2\n", "utf-8")
    hub, desk = make_hub(directory / "hub"), directory / "desk"
    processes = [Running("hub", hub)]
    try:
        url = processes[0].url
        words = "hub invite --venue trattoria --role front-desk --name desk --json --data"
        code = document(run(*words.split(), hub))["code"]
        document(run("node", "join", url, "--code", code, "--json", "--data", desk))
        booked = f"{BOOKING}T12:15 --resource T3 --json --data"
        decided = document(run(*booked.split(), desk))["code"]
        document(run("sync", "now", "--json", "--data", desk))
        processes.append(Running("node", desk))
        shared = {"directory": directory, "decided": decided, "url": url}
        yield {
            "desk": around(
                DESK, desk, processes[1], hour=19, tables=("T1", "T2"), spares=(["T3"], ["T4"]),
                where="desk", name="desk", hub=hub, **shared,
            ),
            "hub": around(
                HUB, hub, processes[0], hour=21, tables=("T1", "T2"), spares=(["T3"], ["T4"]),
                where="hub", name="hub", **shared,
            ),
        }  # fmt: skip
    finally:
        for process in processes:
            if process.process.poll() is None:
                process.stop()


def cases() -> list[Any]:
    return [
        pytest.param(role, n, status, id=f"{role}: {words}")
        for role, listed in (("desk", DESK), ("hub", HUB))
        for n, (status, words) in enumerate(commands(listed))
    ]


@pytest.mark.parametrize(("role", "n", "status"), cases())
def test_a_command_answers_in_the_same_form(role: str, n: int, status: int, told: dict[str, Both]):
    running, stopped = told[role].running[n], told[role].stopped[n]
    assert (running.exit_code, stopped.exit_code) == (status, status), (
        f"running: {running.output}\nstopped: {stopped.output}"
    )
    for done in (running, stopped):
        if status:
            assert done.stderr.startswith("error: ")
            assert done.stderr.count("\n") == 1, "a failure is one line"
        else:
            assert done.stderr == ""
            assert isinstance(json.loads(done.stdout), dict)
    if not status:
        difference = differing(json.loads(running.stdout), json.loads(stopped.stdout), "")
        assert difference is None, difference


def differing(one: Any, other: Any, path: str) -> str | None:
    """Where two documents differ in form; null and an empty list say nothing of it."""
    if one is None or other is None or path.rpartition(".")[2] in ANY_NAMES:
        return None
    if isinstance(one, dict) and isinstance(other, dict):
        if set(one) != set(other):
            return f"{path or 'the document'} has {set(one) ^ set(other)} only once"
        found = (differing(one[name], other[name], f"{path}.{name}") for name in one)
        return next((each for each in found if each), None)
    if isinstance(one, list) and isinstance(other, list):
        return differing(merged(one), merged(other), f"{path}[]")
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return f"{path} is {type(one).__name__} and {type(other).__name__}"
    return None


def merged(items: list[Any]) -> Any:
    """One item that stands for all of a list: every name that any of them has."""
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    whole: dict[str, Any] = {}
    for item in items:
        whole |= {name: value for name, value in item.items() if value is not None}
    return {name: whole.get(name) for item in items for name in item}
