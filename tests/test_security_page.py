"""What docs/security.md tells people to type after a theft can be typed, word by word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from holdfast.cli import holdfast

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "security.md").read_text("utf-8")
STOLEN = PAGE[PAGE.index("## A device was stolen") : PAGE.index("## What is not protected")]
COMMANDS = re.findall(r"(?:^ +|`)(holdfast [^`\n]+)", STOLEN, re.M)


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("line", [one for one in COMMANDS if one != "holdfast backup"])
def test_each_command_after_a_theft_exists_and_says_its_directory(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOLDFAST_DATA", raising=False)
    (tmp_path / "desk.backup").touch()
    command: click.Command = holdfast
    context: click.Context | None = None
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        context = click.Context(command, parent=context)
        found = command.get_command(context, words[0])
        assert found is not None, line
        command, words = found, words[1:]
    # Raises UsageError for an option that there is not, or one that is missing: `--data` too.
    parsed = command.make_context(command.name, words, parent=context)
    assert parsed.params["data"] is not None


def test_the_steps_say_how_to_go_on_without_another_front_desk():
    said = {" ".join(shlex.split(line)[1:3]) for line in COMMANDS}
    assert {"hub revoke", "venue rotate-key", "token list", "token revoke", "hub invite"} <= said
    assert {"node rejoin", "node join", "exceptions list", "audit list"} <= said


def test_what_the_page_links_to_is_there():
    for name, anchor in re.findall(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)", PAGE):
        assert (DOCS / name).exists(), name
        assert not anchor or anchor in anchors(DOCS / name), f"{name}#{anchor}"
