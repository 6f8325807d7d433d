"""Settings: the file, the environment over it, and messages that say the way out."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from holdfast.model.errors import DirectoryError, Invalid
from holdfast.node.settings import FILE_NAME, NAMES, Settings, load, set_value, write_default


def write(directory: Path, text: str) -> Path:
    """The directory with a configuration file."""
    (directory / FILE_NAME).write_text(text, "utf-8")
    return directory


def refused(directory: Path, environment: dict[str, str] | None = None, **overrides) -> Invalid:
    """The error that these settings are refused with."""
    with pytest.raises(Invalid) as caught:
        load(directory, environment=environment or {}, **overrides)
    return caught.value


def test_without_a_file_and_variables_no_time_server_is_asked_and_writes_are_durable(
    tmp_path: Path,
):
    settings = load(tmp_path, environment={})
    assert settings == Settings()
    assert settings.ntp == ()
    assert settings.synchronous == "FULL"
    assert settings.sync_compression == "zlib"


def test_the_file_is_read(tmp_path: Path):
    write(tmp_path, 'ntp = ["10.0.0.1:123", "[::1]"]\npoll_seconds = 2\nsynchronous = "normal"\n')
    settings = load(tmp_path, environment={})
    assert settings.ntp == ("10.0.0.1:123", "[::1]")
    assert settings.poll_seconds == 2.0
    assert settings.synchronous == "NORMAL"


def test_the_environment_wins_over_the_file_and_an_argument_over_both(tmp_path: Path):
    write(tmp_path, 'poll_seconds = 2\nlog_level = "ERROR"\nsync_compression = "zlib"\n')
    environment = {
        "HOLDFAST_POLL_SECONDS": "3",
        "HOLDFAST_LOG_LEVEL": "debug",
        "HOLDFAST_SYNC_COMPRESSION": "none",
    }
    settings = load(tmp_path, environment=environment, poll_seconds=4, hub_url=None)
    assert settings.poll_seconds == 4.0
    assert settings.log_level == "DEBUG"
    assert settings.sync_compression == "none"


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("[]", ()),
        ("time.example.org", ("time.example.org",)),
        ("a.example.org, b.example.org:1123", ("a.example.org", "b.example.org:1123")),
        ('["a.example.org", "b.example.org"]', ("a.example.org", "b.example.org")),
        ("[::1]:123", ("[::1]:123",)),
    ],
)
def test_time_servers_are_written_in_the_environment_as_a_person_would(
    tmp_path: Path, text: str, servers: tuple[str, ...]
):
    write(tmp_path, 'ntp = ["from.the.file"]\n')
    assert load(tmp_path, environment={"HOLDFAST_NTP": text}).ntp == servers


def test_a_misspelt_setting_is_an_error_that_names_the_right_one(tmp_path: Path):
    error = refused(write(tmp_path, "pol_seconds = 3\n"))
    assert "pol_seconds" in error.detail
    assert "did you mean poll_seconds?" in error.detail
    assert str(tmp_path / FILE_NAME) in error.detail


def test_a_setting_that_nothing_resembles_is_answered_with_all_there_are(tmp_path: Path):
    error = refused(write(tmp_path, "[wine]\ncellar = 1\n"))
    assert all(name in error.detail for name in NAMES)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("poll_seconds = 0", "from 0.1 to 3600"),
        ("poll_seconds = true", "number of seconds"),
        ("poll_seconds = nan", "number of seconds"),
        ('synchronous = "OFF"', "FULL or NORMAL"),
        ('sync_compression = "brotli"', "zlib or none"),
        ('ntp = "time.example.org"', "must be a list"),
        ('ntp = ["time.example.org:0"]', "no host or host:port"),
        ('hub_url = "hub.example.org"', "an address such as"),
        ('hub_url = "https://user:word@hub.example.org"', "an address such as"),
        ("log_level = 3", "text in quotes"),
    ],
)
def test_a_value_out_of_range_is_refused_with_what_is_allowed(
    tmp_path: Path, line: str, complaint: str
):
    assert complaint in refused(write(tmp_path, f"{line}\n")).detail


def test_everything_wrong_is_listed_and_not_only_the_first(tmp_path: Path):
    write(tmp_path, 'synchronous = "OFF"\nsnychronous = 1\n')
    error = refused(tmp_path, {"HOLDFAST_POLL_SECONDS": "soon"})
    fields = [fault["field"] for fault in error.extra["errors"]]
    assert len(fields) == 3
    assert "HOLDFAST_POLL_SECONDS" in fields


def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path):
    error = refused(write(tmp_path, "poll_seconds: 3\n"))
    assert FILE_NAME in error.detail
    assert "line 1" in error.detail


def test_a_file_that_cannot_be_read_is_an_error_and_not_a_missing_one(tmp_path: Path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(DirectoryError, match="cannot be read"):
        load(tmp_path, environment={})


def test_a_bent_clock_cannot_be_left_behind_in_a_directory(tmp_path: Path):
    error = refused(write(tmp_path, 'test_wall = "wall"\n'))
    assert "HOLDFAST_TEST_WALL" in error.detail
    (tmp_path / FILE_NAME).unlink()
    assert load(tmp_path, environment={"HOLDFAST_TEST_WALL": "wall"}).test_wall == "wall"


def test_variables_of_other_parts_are_no_settings_and_a_misspelt_one_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        load(
            tmp_path,
            environment={"HOLDFAST_DATA": "x", "HOLDFAST_STATE": "y", "HOLDFAST_LOG": "json"},
        )
        assert caplog.text == ""
        load(tmp_path, environment={"HOLDFAST_NTPS": "x"})
    assert "HOLDFAST_NTPS is not a setting; did you mean ntp?" in caplog.text


def test_a_new_file_explains_every_setting_and_sets_none(tmp_path: Path):
    path = write_default(tmp_path)
    text = path.read_text("utf-8")
    assert load(tmp_path, environment={}) == Settings()
    assert all(f"# {name} = " in text for name in NAMES if name != "test_wall")
    uncommented = "\n".join(
        line.removeprefix("# ") for line in text.splitlines() if " = " in line and line[0] == "#"
    )
    write(tmp_path, uncommented)
    assert load(tmp_path, environment={}) == Settings()


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path):
    write(tmp_path, "poll_seconds = 9\n")
    write_default(tmp_path)
    assert load(tmp_path, environment={}).poll_seconds == 9


def test_a_setting_that_is_set_keeps_the_rest_of_the_file(tmp_path: Path):
    write(tmp_path, '# by hand\nlog_level = "ERROR"\npoll_seconds = 2 # slow line\n')
    assert set_value(tmp_path, "poll_seconds", "7").poll_seconds == 7.0
    assert set_value(tmp_path, "ntp", "10.0.0.1 10.0.0.2").ntp == ("10.0.0.1", "10.0.0.2")
    text = (tmp_path / FILE_NAME).read_text("utf-8")
    assert text.startswith("# by hand\n")
    assert load(tmp_path, environment={}).log_level == "ERROR"


def test_a_setting_takes_the_place_of_its_commented_line(tmp_path: Path):
    write_default(tmp_path)
    set_value(tmp_path, "hub_url", "https://hub.example.org:8470/")
    text = (tmp_path / FILE_NAME).read_text("utf-8")
    assert text.count("hub_url = ") == 1
    assert load(tmp_path, environment={}).hub_url == "https://hub.example.org:8470"


@pytest.mark.parametrize(
    ("name", "value"), [("synchronous", "OFF"), ("wine", "red"), ("test_wall", "wall")]
)
def test_what_may_not_be_set_leaves_the_file_as_it_was(tmp_path: Path, name: str, value: str):
    with pytest.raises(Invalid):
        set_value(tmp_path, name, value)
    assert not (tmp_path / FILE_NAME).exists()


def test_a_list_over_several_lines_is_left_for_a_person_to_change(tmp_path: Path):
    text = 'ntp = [\n  "10.0.0.1",\n]\n'
    write(tmp_path, text)
    with pytest.raises(Invalid, match="by hand"):
        set_value(tmp_path, "ntp", "10.0.0.2")
    assert (tmp_path / FILE_NAME).read_text("utf-8") == text


def test_shown_settings_are_json_values():
    shown = Settings(ntp=("a.example.org",)).show()
    assert shown["ntp"] == ["a.example.org"]
    assert list(shown) == list(NAMES)
