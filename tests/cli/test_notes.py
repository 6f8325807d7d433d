"""The notes of a service from the command line: with the process running and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import DAYS, Run, asked_both_ways, document, joined_desk


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front desk, whose hub cannot be reached any more."""
    return joined_desk(tmp_path_factory.mktemp("cli"))


@pytest.fixture(params=["running", "stopped"])
def desk(request: pytest.FixtureRequest, joined: Path) -> Iterator[Path]:
    """The desk's directory, with its process and without."""
    with asked_both_ways(request, joined) as directory:
        yield directory


def test_notes_are_shown_added_to_edited_and_cleared(
    run: Run, desk: Path, request: pytest.FixtureRequest
):
    day = DAYS["running" in request.node.name]
    where = ("trattoria", day)
    end = ("--service", "dinner", "--data", desk)
    empty = run("notes", "show", *where, *end)
    assert (empty.stdout, "nothing is noted" in empty.stderr) == ("", True)
    added = run("notes", "append", *where, "The fish is off.", *end)
    assert added.stdout == "The fish is off.\n"
    assert run("notes", "append", *where, "-", *end, stdin="Staff at six.\n").exit_code == 0
    edited = run("notes", "edit", *where, "-", *end, stdin="The fish is on.\nStaff at six.\n")
    assert edited.exit_code == 0, edited.stderr
    assert edited.stdout == "The fish is on.\nStaff at six.\n"
    shown = document(run("notes", "show", *where, *end, "--json"))
    assert (shown["text"], shown["edits"]) == ("The fish is on.\nStaff at six.\n", 3)
    asked = run("notes", "clear", *where, "--reason", "retention", *end)
    assert (asked.exit_code, "--yes" in asked.stderr) == (2, True)
    cleared = run("notes", "clear", *where, "--reason", "retention", "--yes", *end)
    assert "are destroyed here" in cleared.stdout
    assert "Waiting for hub" in cleared.stdout
    assert document(run("notes", "show", *where, *end, "--json"))["text"] == ""
    again = document(
        run("notes", "clear", "trattoria", "--reason", "retention", "--yes", "--json", *end)
    )
    assert again == {"items": []}


def test_an_editor_changes_today_and_others_words_stay(
    run: Run, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
):  # fmt: skip
    service = "running" if "running" in request.node.name else "stopped"
    end = ("--service", service, "--data", desk)
    run("notes", "append", "trattoria", "today", "One.", *end)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "Two." >> "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    assert run("notes", "edit", "trattoria", *end).stdout == "One.\nTwo.\n"
    editor.write_text("#!/bin/sh\nexit 0\n")
    unchanged = run("notes", "edit", "trattoria", *end)
    assert "nothing was changed" in unchanged.stderr
    for empty in (("append", "trattoria", "today", " "), ("edit", "trattoria", "-")):
        assert run("notes", *empty, *end, stdin="\n").exit_code == 2
    wrong = run("notes", "edit", "trattoria", "today", "words", *end)
    assert (wrong.exit_code, "standard input" in wrong.stderr) == (2, True)
