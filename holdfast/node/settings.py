"""What a person may set: `config.toml` in the data directory, and `HOLDFAST_…` variables.

Owns the names, bounds and defaults of settings, and the file's form. The environment wins over
the file, and an argument of the program over both. Knows nothing of what a setting does. Secrets
are no settings: they are files of their own.

By default no time server is asked: a device that has only the hub takes its time from there, and a
product must not make other people's servers part of every installation.
"""

from __future__ import annotations

import difflib
import json
import logging
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from holdfast.model.errors import DirectoryError, Invalid
from holdfast.model.limits import (
    BOOKINGS_PER_MINUTE,
    HOSTS_MAX,
    NTP_SERVERS_MAX,
    POLL_SECONDS,
    REQUESTS_PER_SECOND,
)
from holdfast.node.files import replace_file
from holdfast.node.ntp import parse_address

log = logging.getLogger("holdfast.settings")

FILE_NAME: Final = "config.toml"
POLL_SECONDS_MIN: Final = 0.1
POLL_SECONDS_MAX: Final = 3_600.0
_SPANS: Final = {
    "poll_seconds": ("a number of seconds", POLL_SECONDS_MIN, POLL_SECONDS_MAX),
    "requests_per_second": ("a number", 1.0, 1_000_000.0),
    "bookings_per_minute": ("a number", 1.0, 1_000_000.0),
}
"""Settings that are numbers: what they are, the least and the most."""

_VARIABLE: Final = "HOLDFAST_"
_URL: Final = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
_URL_EXAMPLE: Final = "an address such as https://hub.example.org:8470"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may be set, checked.

    `ntp` are time servers (`host[:port]`; none: the hub's time alone). `hub_url` is where the hub
    is (empty: where this node joined). `hub_ca` names a PEM file of certificates that are believed
    of the hub beside the system's; a relative path counts from the directory. `synchronous` FULL
    keeps every answered write through a power cut, NORMAL may lose the last ones, after which the
    node starts another life.
    `hosts` are names that this replica is called by, beside those that it knows.
    `requests_per_second` bounds each token or session, `bookings_per_minute` the reservations that
    a token of role kiosk or guest asks for.
    `guest_page` on: whoever reaches this replica may reserve as a guest, at `/book`, without a
    token. Like every setting it is read at the start.
    `sync_compression` is `zlib` or `none`. `poll_seconds` lie between two exchanges where the live
    channel is down. `key_store` says where private keys lie: `file` or the operating system's
    `keyring`. `test_wall` names a test's file of milliseconds added to the wall clock.
    """

    ntp: tuple[str, ...] = ()
    hub_url: str = ""
    hub_ca: str = ""
    synchronous: str = "FULL"
    sync_compression: str = "zlib"
    poll_seconds: float = POLL_SECONDS
    hosts: tuple[str, ...] = ()
    requests_per_second: float = REQUESTS_PER_SECOND
    bookings_per_minute: float = BOOKINGS_PER_MINUTE
    guest_page: str = "off"
    key_store: str = "file"
    log_level: str = "INFO"
    test_wall: str = ""

    def show(self) -> dict[str, Any]:
        """All settings as JSON values, by name."""
        return {name: _plain(getattr(self, name)) for name in self.__struct_fields__}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class _Setting(NamedTuple):
    """How one setting reads; `hint` is its line of comment in a new file."""

    name: str
    hint: str
    choices: tuple[str, ...] = ()
    in_file: bool = True


_SETTINGS: Final = (
    _Setting("ntp", 'time servers, such as ["time.example.org", "10.0.0.1:123"]; none: the hub'),
    _Setting("hub_url", "where the hub is now, if not where this node joined"),
    _Setting(
        "hub_ca", "PEM file of who signed the hub's TLS certificate, if no public authority did"
    ),
    _Setting("synchronous", "FULL: an answered write survives a power cut", ("FULL", "NORMAL")),
    _Setting("sync_compression", "zlib or none", ("zlib", "none")),
    _Setting("poll_seconds", "between two exchanges while the live channel is down"),
    _Setting("hosts", 'names that this is called by over HTTP, such as ["desk.lan"]'),
    _Setting("requests_per_second", "requests of one token or session"),
    _Setting("bookings_per_minute", "reservations asked for by one token of role kiosk or guest"),
    _Setting("guest_page", "on: guests reserve at /book, without a token", ("off", "on")),
    _Setting("key_store", "where private keys lie: file, or keyring", ("file", "keyring")),
    _Setting("log_level", "of the files in log/", ("DEBUG", "INFO", "WARNING", "ERROR")),
    # A clock that is bent for a test must not stay bent because a file was left behind.
    _Setting("test_wall", "", in_file=False),
)
NAMES: Final = tuple(setting.name for setting in _SETTINGS)
_BY_NAME: Final = {setting.name: setting for setting in _SETTINGS}
_OTHER_VARIABLES: Final = frozenset(
    {"HOLDFAST_DATA", "HOLDFAST_KILLS", "HOLDFAST_LOG", "HOLDFAST_STATE", "HOLDFAST_TOKEN"}
)
"""Variables that are read elsewhere and are no settings of a directory."""


def load(
    directory: Path, *, environment: Mapping[str, str] | None = None, **overrides: Any
) -> Settings:
    """The settings of a data directory; `overrides` are arguments of the program, by name.

    Raises Invalid that lists everything wrong, with the file or variable it stands in; a file that
    is missing sets nothing.
    """
    values: dict[str, tuple[str, Any]] = {}
    faults: list[dict[str, str]] = []
    path = directory / FILE_NAME
    for name, value in _read(path).items():
        setting = _BY_NAME.get(name)
        if setting is None:
            faults.append({"field": f"{path}: {name}", "message": _unknown(name)})
        elif not setting.in_file:
            message = f"is not for the file; set {_VARIABLE}{name.upper()} in the environment"
            faults.append({"field": f"{path}: {name}", "message": message})
        else:
            values[name] = (f"{path}: {name}", value)
    values.update(_of_environment(os.environ if environment is None else environment))
    for name, value in overrides.items():
        if name not in _BY_NAME:
            faults.append({"field": name, "message": _unknown(name)})
        elif value is not None:
            values[name] = (name, value)
    return _checked(values, faults)


def set_value(directory: Path, name: str, text: str) -> Settings:
    """Write one setting into the file, which keeps its comments. Returns what then is in force.

    `text` is read as TOML, or else as plain text. Raises Invalid where the setting or its value is
    not allowed, or stands over several lines of the file, and DirectoryError where the file cannot
    be written; the file is then as it was.
    """
    setting = _BY_NAME.get(name)
    if setting is None or not setting.in_file:
        message = _unknown(name) if setting is None else "is set in the environment only"
        raise Invalid.field(name, message)
    value = _plain(getattr(_checked({name: (name, _parsed(name, text))}, []), name))
    path = directory / FILE_NAME
    before = path.read_text("utf-8") if path.exists() else _default_text()
    after = _with_line(before, name, f"{name} = {json.dumps(value, ensure_ascii=False)}")
    try:
        sound = tomllib.loads(after).get(name) == value
    except tomllib.TOMLDecodeError:
        sound = False
    if not sound:
        raise Invalid.field(name, f"stands over several lines in {path}; change it there by hand")
    _write(path, after)
    return load(directory)


def write_default(directory: Path) -> Path:
    """Write a `config.toml` in which every setting is explained and none is set. Returns its path.

    A file that exists is left alone.
    """
    path = directory / FILE_NAME
    if not path.exists():
        _write(path, _default_text())
    return path


def read_hub_url(text: str) -> str:
    """An address of a hub, without a slash at its end. Raises Invalid."""
    if not _URL.fullmatch(text):
        raise Invalid.field("url", f"must be {_URL_EXAMPLE}, not {text!r}")
    return text.rstrip("/")


# --- reading ------------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DirectoryError(f"{path} cannot be read ({error.strerror}); check its mode") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{path} is no TOML: {error}; correct it, or delete it for defaults"
        ) from error


def _of_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    found: dict[str, tuple[str, Any]] = {}
    for variable, text in environment.items():
        if not variable.startswith(_VARIABLE) or variable in _OTHER_VARIABLES:
            continue
        name = variable.removeprefix(_VARIABLE).lower()
        if name in _BY_NAME:
            found[name] = (variable, _parsed(name, text))
        else:
            # Not an error: the environment is also that of other programs and later versions.
            log.warning("%s %s", variable, _unknown(name))
    return found


def _parsed(name: str, text: str) -> Any:
    """A value as a person writes it in a shell: a list by commas or blanks, or as TOML."""
    text = text.strip()
    if name in _LISTS:
        if text.startswith("["):
            try:
                return tomllib.loads(f"value = {text}")["value"]
            except tomllib.TOMLDecodeError:
                # `[::1]:123` is an address in brackets and no list.
                return text.replace(",", " ").split()
        return text.replace(",", " ").split()
    if name in _SPANS:
        try:
            return float(text)
        except ValueError:
            return text
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text


# --- checking -----------------------------------------------------------------------------------


def _checked(values: dict[str, tuple[str, Any]], faults: list[dict[str, str]]) -> Settings:
    accepted: dict[str, Any] = {}
    for name, (where, value) in values.items():
        kept, message = _check(_BY_NAME[name], value)
        if message is not None:
            faults.append({"field": where, "message": message})
        else:
            accepted[name] = kept
    if faults:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Invalid(f"{first['field']} {first['message']}{more}", faults)
    return Settings(**accepted)


def _check(setting: _Setting, value: Any) -> tuple[Any, str | None]:
    """The value as it is kept, and what is wrong with it."""
    if setting.name in _LISTS:
        return _LISTS[setting.name](value)
    if setting.name in _SPANS:
        what, least, most = _SPANS[setting.name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least <= value <= most:
            return None, f"must be {what} from {least:g} to {most:g}, not {value!r}"
        return float(value), None
    if not isinstance(value, str):
        return None, f'must be a text in quotes, not {value!r}: "{value}"'
    if setting.choices:
        for choice in setting.choices:
            if choice.lower() == value.lower():
                return choice, None
        return None, f"must be {' or '.join(setting.choices)}, not {value!r}"
    if setting.name == "hub_url" and value and not _URL.fullmatch(value):
        return None, f"must be {_URL_EXAMPLE}, not {value!r}"
    return value.rstrip("/") if setting.name == "hub_url" else value, None


def _check_ntp(value: Any) -> tuple[Any, str | None]:
    if not isinstance(value, list | tuple):
        return None, f'must be a list such as ["time.example.org"], not {value!r}'
    for server in value:
        if not isinstance(server, str) or parse_address(server) is None:
            return None, f"has {server!r}, which is no host or host:port"
    if len(value) > NTP_SERVERS_MAX:
        return None, f"has {len(value)} servers; at most {NTP_SERVERS_MAX} are used"
    return tuple(value), None


def _check_hosts(value: Any) -> tuple[Any, str | None]:
    if not isinstance(value, list | tuple):
        return None, f'must be a list such as ["desk.lan"], not {value!r}'
    for host in value:
        if not isinstance(host, str) or not _HOST.fullmatch(host):
            return None, f"has {host!r}, which is no host name (leave scheme and port out)"
    if len(value) > HOSTS_MAX:
        return None, f"has {len(value)} names; at most {HOSTS_MAX} are taken"
    return tuple(host.lower() for host in value), None


_LISTS: Final = {"ntp": _check_ntp, "hosts": _check_hosts}


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, NAMES, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMES)}"
    return f"is not a setting; {hint}"


# --- the file -----------------------------------------------------------------------------------


def _default_text() -> str:
    shown = Settings().show()
    lines = [
        "# Settings of this Holdfast directory. HOLDFAST_… variables win over this file, such as",
        "# HOLDFAST_POLL_SECONDS=2. What is not set here has the value that is shown.",
    ]
    for setting in _SETTINGS:
        if setting.in_file:
            value = json.dumps(shown[setting.name])
            lines += ["", f"# {setting.hint}", f"# {setting.name} = {value}"]
    return "\n".join(lines) + "\n"


def _with_line(text: str, name: str, line: str) -> str:
    """The file with one setting's line put in the place of its old or commented-out one."""
    lines = text.splitlines()
    for pattern in (rf"\s*{name}\s*=", rf"\s*#\s*{name}\s*="):
        for index, old in enumerate(lines):
            if re.match(pattern, old):
                lines[index] = line
                return "\n".join(lines) + "\n"
    return "\n".join([*lines, line]) + "\n"


def _write(path: Path, text: str) -> None:
    """Replace the file at once: a reader sees the old or the new one."""
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise DirectoryError(
            f"{path} cannot be written ({error.strerror}); check its mode"
        ) from error
