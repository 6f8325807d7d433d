"""Every command that the contract names is there, says what it does, and starts fast."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

from holdfast.cli import COMMANDS, holdfast
from holdfast.model import vocabulary
from tests.cli.support import ROOT, Run

NAMED = """
hub init | hub export-root | hub run | hub invite | hub nodes | hub revoke | hub recover
hub invites | hub renew-issuer | hub rotate-key | node rotate-key
report tables | report no-shows | report business
slots
notes show | notes append | notes edit | notes clear
tables assign | tables clean | tables list | tables mark | tables optimise
venue import | venue list | venue show | venue online | venue rotate-key
venue share-key
node join | node rejoin | node set-hub | node run | node status | node unit
reserve
reservations list | reservations show | reservations cancel | reservations check-in
reservations complete | reservations no-show | reservations undo-no-show | reservations move
reservations import | reservations approve
availability | arrivals
holds list | holds add | holds show | holds extend | holds move | holds release | holds reserve
waitlist list | waitlist add | waitlist show | waitlist offer | waitlist link | waitlist accept
waitlist remove
blocks list | blocks add | blocks show | blocks remove
reminders due | reminders mark | reminders list
jobs list | jobs run
guests find | guests verify | guests show | guests export | guests erase | guests erasures
guests restrict | guests restrictions | guests lift | guests profile
guests history | guests flag | guests note | guests notes | guests change-note
guests withdraw-note | guests preferences | guests merge | guests unmerge | guests duplicates
allotments list | allotments grant | allotments return | allotments revoke
queue list | queue show | queue stats | queue retry | queue withdraw | queue export
sync now | sync status | sync pause | sync resume | sync log
clock status | clock sample
books list | books show | books export
exceptions list | exceptions show | exceptions resolve
audit list | audit verify | decision verify
report violations
token create | token list | token revoke | open
staff add | staff list | staff set-pin | staff unlock | staff remove
config get | report day | report range
backup | restore | doctor | upgrade
demo | bench | simulate
"""
NAMES = [name.strip() for line in NAMED.strip().splitlines() for name in line.split("|")]
GROUPS = sorted({name.partition(" ")[0] for name in NAMES if " " in name})
WITHOUT_DATA = {"demo", "bench", "simulate"}
WITHOUT_JSON = {"hub run", "node run", "node unit"}


def command(name: str) -> click.Command:
    """The command behind its words."""
    found: click.Command = holdfast
    for word in name.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None, f"there is no `holdfast {name}`"
        found = inner
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_command_of_the_contract_explains_itself(name: str, run: Run):
    done = run(*name.split(), "--help")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: holdfast {name} ")
    assert (command(name).help or "").strip(), f"`holdfast {name}` says nothing of itself"


@pytest.mark.parametrize("name", ["", *GROUPS, *NAMES])
def test_help_fits_80_columns(name: str, run: Run):
    done = run(*name.split(), "--help", COLUMNS="80")
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


@pytest.mark.parametrize("name", NAMES)
def test_a_command_takes_data_and_json_after_its_name(name: str):
    options = {option for one in command(name).params for option in one.opts}
    assert ("--data" in options) == (name not in WITHOUT_DATA)
    assert ("--json" in options) == (name not in WITHOUT_JSON)


def test_no_command_is_there_that_this_list_does_not_know():
    there = []
    for word in COMMANDS:
        found = command(word)
        inner = list(found.commands) if isinstance(found, click.Group) else []
        there += [f"{word} {one}" for one in inner] or [word]
    assert sorted(there) == sorted(NAMES)


def test_the_list_of_commands_says_what_each_command_says_of_itself():
    for word, (_, line) in COMMANDS.items():
        assert line.endswith(".")
        assert command(word).help, word


def loaded_after(program: str) -> set[str]:
    """The modules that a program has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split())


LISTS = {
    "reservations cancel": vocabulary.CANCEL_REASONS,
    "hub revoke": vocabulary.REVOKE_REASONS,
    "allotments revoke": vocabulary.RIGHT_REVOKE_REASONS,
    "queue withdraw": vocabulary.WITHDRAW_REASONS,
    "exceptions resolve": vocabulary.RESOLVE_REASONS,
    "guests erase": vocabulary.ERASE_REASONS,
    "blocks add": vocabulary.BLOCK_REASONS,
}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_the_help_of_a_reason_names_words_that_are_valid(name: str):
    [option] = [one for one in command(name).params if one.name == "reason"]
    assert isinstance(option, click.Option) and option.help is not None
    named = re.search(r"[Ss]uch as ([a-z_, ]+)\. Any other word of the list below", option.help)
    assert named is not None, option.help
    words = set(named.group(1).split(", "))
    assert {"test", "other"} < words <= LISTS[name]
    assert all(word in (command(name).epilog or "") for word in LISTS[name])


def test_the_help_of_resolving_says_which_actions_there_are_and_what_they_do():
    told = " ".join((command("exceptions resolve").help or "").split())
    for action in vocabulary.ACTIONS:
        assert f"--action {action}" in told
    assert "also cancels that reservation" in told


def test_help_loads_nothing_that_takes_time():
    program = """
import contextlib, io
from holdfast.cli import holdfast
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    holdfast.main(["--help"])
"""
    heavy = {"httpx", "rich", "litestar", "uvicorn", "pycrdt", "sqlite3", "cryptography", "yaml"}
    assert loaded_after(program) & heavy == set()


def test_defining_every_command_loads_nothing_that_takes_time():
    modules = sorted({module for module, _ in COMMANDS.values()})
    program = "\n".join(f"import holdfast.commands.{module}" for module in modules)
    heavy = {"httpx", "rich", "litestar", "uvicorn", "pycrdt", "sqlite3", "cryptography", "yaml"}
    assert loaded_after(program) & heavy == set()
