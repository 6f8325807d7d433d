"""The log says what happened and where, rotates, and quotes no guest."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.model.errors import DirectoryError
from holdfast.node import logs


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Path]:
    """The log file of a directory, as it is after what a test logs."""
    yield tmp_path / "log" / "holdfast.log"


def failing() -> None:
    raise ValueError("Ann Smith, +39 06 1234567")


def test_a_line_has_time_level_place_and_words(tmp_path: Path, lines: Path):
    logs.set_up_logging(tmp_path)
    logging.getLogger("holdfast.sync").info("pushed %s", 3, extra={"book": "rome/x"})
    text = lines.read_text("utf-8")
    assert text.endswith("Z INFO holdfast.sync: pushed 3 book=rome/x\n")


def test_json_lines_are_asked_for_by_the_environment(
    tmp_path: Path, lines: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOLDFAST_LOG", "json")
    logs.set_up_logging(tmp_path)
    logging.getLogger("holdfast.sync").warning("cut\noff", extra={"queued": 2})
    record = json.loads(lines.read_text("utf-8"))
    assert record["at"].endswith("Z")
    assert record | {"at": ""} == {
        "at": "",
        "level": "WARNING",
        "logger": "holdfast.sync",
        "message": "cut\noff",
        "queued": 2,
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_logged_by_kind_and_place_without_what_it_quotes(
    form: str, tmp_path: Path, lines: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOLDFAST_LOG", form)
    logs.set_up_logging(tmp_path)
    try:
        try:
            failing()
        except ValueError as error:
            raise RuntimeError("about Ann") from error
    except RuntimeError:
        logging.getLogger("holdfast.api").exception("it broke")
    text = lines.read_text("utf-8")
    assert "Ann" not in text
    assert "RuntimeError" in text
    assert "ValueError" in text
    assert "in failing" in text


def test_an_error_of_the_system_keeps_its_message():
    try:
        Path("/nowhere/at/all").read_text("utf-8")
    except OSError as error:
        assert "No such file or directory" in logs.exception_text(error)


def test_every_line_of_a_message_with_several_belongs_to_one_record(tmp_path: Path, lines: Path):
    logs.set_up_logging(tmp_path)
    logging.getLogger("holdfast.api").error("first\n2026-01-01T00:00:00.000Z ERROR forged: line")
    assert [line[0] for line in lines.read_text("utf-8").splitlines()] == ["2", " "]


def test_libraries_that_log_urls_stay_quiet(tmp_path: Path, lines: Path):
    logs.set_up_logging(tmp_path)
    logging.getLogger("httpx").info("GET http://127.0.0.1/api/v1/…")
    logging.getLogger("holdfast.x").debug("detail")
    assert lines.read_text("utf-8") == ""


def test_the_level_is_a_setting(tmp_path: Path, lines: Path):
    logs.set_up_logging(tmp_path, "DEBUG")
    logging.getLogger("holdfast.x").debug("detail")
    assert "DEBUG holdfast.x: detail" in lines.read_text("utf-8")


def test_only_the_owner_reads_the_log(tmp_path: Path, lines: Path):
    logs.set_up_logging(tmp_path)
    assert lines.stat().st_mode & 0o077 == 0
    assert lines.parent.stat().st_mode & 0o077 == 0


def test_the_log_never_outgrows_its_files(
    tmp_path: Path, lines: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(logs, "LOG_FILE_BYTES", 1_000)
    monkeypatch.setattr(logs, "LOG_FILES_KEPT", 2)
    logs.set_up_logging(tmp_path)
    for number in range(200):
        logging.getLogger("holdfast.x").info("line %s", number)
    files = sorted(path.name for path in lines.parent.iterdir())
    assert files == ["holdfast.log", "holdfast.log.1", "holdfast.log.2"]
    assert all((lines.parent / name).stat().st_size <= 1_000 for name in files)
    assert all((lines.parent / name).stat().st_mode & 0o077 == 0 for name in files)
    assert "line 199" in lines.read_text("utf-8")


def test_setting_up_again_moves_the_log(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        logs.set_up_logging(tmp_path / name)
        logging.getLogger("holdfast.x").info("in %s", name)
    assert "in two" not in (tmp_path / "one" / "log" / "holdfast.log").read_text("utf-8")
    assert "in two" in (tmp_path / "two" / "log" / "holdfast.log").read_text("utf-8")


def test_a_log_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path):
    (tmp_path / "log").write_text("in the way", "utf-8")
    with pytest.raises(DirectoryError, match=f"{tmp_path}/log cannot be written"):
        logs.set_up_logging(tmp_path)
