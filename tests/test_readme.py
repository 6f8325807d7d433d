"""What the README tells people to type works, and prints what the README says it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
RUN = re.compile(r"holdfast (?:hub|node) run --data (\w+)")

SERVE = """
holdfast() { "$PYTHON" -m holdfast "$@"; }
python3() { "$PYTHON" "$@"; }
started=""
trap 'for one in $started; do kill $one; done; wait' EXIT
serve() {  # ROLE DIRECTORY: start its process on a free port, and wait for its ready line
    "$PYTHON" -m holdfast $1 run --data $2 --port 0 > $2.out &
    started="$started $!"
    while ! grep -q '^ready ' $2.out; do
        kill -0 $! || exit 1
        sleep 0.05
    done
}
url() { sed -n 's/^ready //p' $1.out; }
"""
"""Ports are free ones instead of the README's, and `run` goes on in the background; the rest is as
it stands there."""


def blocks(kind: str) -> list[str]:
    found = re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no block of {kind}"
    return [str(one) for one in found]


def commands_and_words(kind: str) -> tuple[list[str], list[str]]:
    lines = "".join(blocks(f"console {kind}")).splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return commands, [line for line in lines if not line.startswith("$ ")]


def script(commands: list[str]) -> str:
    made = ["set -euo pipefail", SERVE]
    for command in commands:
        run = RUN.fullmatch(command)
        line = command if run is None else f"serve {command.split()[1]} {run[1]}"
        line = line.replace("http://127.0.0.1:8471", "$(url desk)")
        made.append(line.replace("http://127.0.0.1:8470", "$(url hub)"))
    return "\n".join(made)


def run(directory: Path, text: str, **more: str) -> str:
    (directory / "examples").symlink_to(ROOT / "examples")
    environment = {
        **os.environ,
        "HOLDFAST_STATE": str(directory / "state"),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        **more,
    }
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_printed_in_order(output: str, expected: list[str]) -> None:
    """Each expected line is printed, in this order; `…` stands for anything, blanks for blanks."""
    place = 0
    for line in expected:
        pattern = re.sub(r"(?:\\ )+", r"[ ]+", re.escape(line.strip("… "))).replace("…", ".*")
        pattern = re.sub(r"http://127\\.0\\.0\\.1:\d+", r"http://127.0.0.1:\\d+", pattern)
        found = re.compile(pattern).search(output, place)
        assert found is not None, f"{line!r} is not printed in:\n{output[place:]}"
        place = found.end()


@pytest.mark.slow
def test_the_tour_of_the_readme_works_as_it_is_written(tmp_path: Path):
    commands, expected = commands_and_words("tour")
    assert len(commands) > 15
    assert_printed_in_order(run(tmp_path, script(commands)), expected)


def test_the_import_of_the_readme_works_and_the_second_one_changes_nothing(tmp_path: Path):
    commands, expected = commands_and_words("hotel")
    output = run(tmp_path, script(commands))
    assert_printed_in_order(output, expected)


@pytest.mark.slow
def test_the_embedded_node_of_the_readme_opens_reserves_and_synchronises(tmp_path: Path):
    commands, _ = commands_and_words("tour")
    join = next(n for n, command in enumerate(commands) if "node join" in command)
    day = next(command for command in commands if command.startswith("export DAY="))
    program = blocks("python")[0]
    text = script([*commands[: join + 1], day, 'python3 -c "$PROGRAM"'])
    output = run(tmp_path, text, PROGRAM=program)
    assert_printed_in_order(
        output, ["RES-… commit_pending", "'pushed': 1, 'pulled': 1", "confirmed"]
    )


def test_what_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert missing == []
