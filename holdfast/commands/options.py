"""Options and argument types that many commands share.

Owns the spelling of `--data` and `--json`, and the reading of spans of time and of guests' data.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from holdfast.commands.naming import AGENT_HELP
from holdfast.commands.words import PROMISES
from holdfast.model.errors import Invalid
from holdfast.model.limits import PREFER_WAIT_SECONDS_MAX
from holdfast.model.vocabulary import OVERRIDE_REASONS
from holdfast.node.reasons import COMMON_REASONS, WORDS_PAGE, reason_code

if TYPE_CHECKING:
    from holdfast.commands.session import Session

Command = TypeVar("Command", bound=Callable[..., Any])

_SPAN: Final = re.compile(r"(\d{1,6})\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
TOKEN_ROLES: Final = ("admin", "supervisor", "staff", "kiosk", "guest", "read-only")
STAFF_ROLES: Final = ("supervisor", "staff", "read-only")
_REASONS_NAMED: Final = 4
PAGES: Final = ("desk", "kiosk", "hub")
_STAFF: Final = f"{__name__}.staff"


class Group(click.Group):
    """A group whose list of commands shows first sentences, in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, one.get_short_help_str(limit=200)) for name, one in self.commands.items()]
            )


def data_option(command: Command) -> Command:
    """`--data DIR`, or HOLDFAST_DATA, of a command that goes through the directory's HTTP
    interface; and `--staff NAME`, or HOLDFAST_STAFF: who of the staff is at the command line."""
    named = click.option(
        "--staff",
        envvar="HOLDFAST_STAFF",
        show_envvar=True,
        metavar="NAME",
        expose_value=False,
        callback=_name_staff,
        help="Who does this, a login of this device; it stands in the audit.",
    )
    return directory_option(named(command))


def _name_staff(ctx: click.Context, parameter: click.Parameter, name: str | None) -> None:
    if name is not None and not name.strip():
        raise click.BadParameter("is empty; name a login as `holdfast staff list` shows it")
    ctx.meta[_STAFF] = name


def staff_named() -> str | None:
    """Who the command that runs was told does it; None: nobody is named."""
    ctx = click.get_current_context(silent=True)
    return None if ctx is None else ctx.meta.get(_STAFF)


def directory_option(command: Command) -> Command:
    """`--data DIR`, or HOLDFAST_DATA, of a command that opens the directory by itself."""
    return click.option(
        "--data",
        "data",
        envvar="HOLDFAST_DATA",
        required=True,
        show_envvar=True,
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        help="The data directory.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: one JSON document on standard output and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


class _Reason(click.types.StringParamType):
    """A word of a closed list; where it is missing, some of them are named."""

    name = "reason"

    def __init__(self, common: Sequence[str]) -> None:
        self._common = common

    def get_missing_message(
        self, param: click.Parameter, ctx: click.Context | None = None
    ) -> str | None:
        some = ", ".join(self._common[:_REASONS_NAMED])
        return f"Say why, such as {some} or other; `--help` and {WORDS_PAGE} show all words."


def reason_option(
    reasons: frozenset[str],
    before: str = "Such as",
    *,
    has_note: bool = False,
    read: bool = True,
    required: bool = True,
) -> Callable[[Command], Command]:
    """`--reason`, a word of a closed list; the end of the help shows all of it. `has_note`: own
    words may go into a note; not `read`: the command does that, since the list depends."""

    def code(ctx: click.Context, parameter: click.Parameter, typed: str | None) -> str | None:
        if typed is None:
            return None
        return read_reason(typed, reasons, has_note=has_note) if read else typed

    common = ", ".join(COMMON_REASONS[reasons])
    return click.option(
        "--reason",
        type=_Reason(COMMON_REASONS[reasons]),
        required=required,
        metavar="R",
        callback=code,
        help=f"{before} {common}. Any other word of the list below is taken as well.",
    )


def read_reason(
    typed: str, reasons: frozenset[str], *, has_note: bool = False, hint: str = "--reason"
) -> str:
    """The code of a word of a list, given with the option `hint`. Raises click.BadParameter, which
    names the nearest."""
    try:
        return reason_code(typed, reasons, has_note=has_note)
    except Invalid as error:
        message = error.extra["errors"][0]["message"]
        raise click.BadParameter(message, param_hint=hint) from error


def _read_override(ctx: click.Context, parameter: click.Parameter, typed: str | None) -> str | None:
    return None if typed is None else read_reason(typed, OVERRIDE_REASONS, hint="--override")


def override_option(command: Command) -> Command:
    """`--override`: a place beyond the capacity, with the word of a closed list that says why."""
    common = ", ".join(COMMON_REASONS[OVERRIDE_REASONS])
    return click.option(
        "--override",
        metavar="R",
        callback=_read_override,
        help="If nothing is free, overbook it, within the limit of the venue file. Why, such as "
        f"{common}; the end of this help has all.",
    )(command)


def read_reference(given: str | None) -> str | None:
    """What a partner calls a reservation: as it was typed, or (`-`) from standard input, where no
    other user of the machine sees it."""
    return sys.stdin.readline().strip() if given == "-" else given


def guest_options(command: Command) -> Command:
    """Who the guest is: `--user` or `--agent`, and `--guest…` for `read_guest`."""
    options = (
        *_person_options(),
        click.option(
            "--guest-name", metavar="TEXT", help="The guest's data are sealed for the venue."
        ),
        click.option("--guest-phone", metavar="TEXT", help="See --guest-name."),
        click.option("--guest-email", metavar="TEXT", help="See --guest-name."),
        click.option(
            "--guest", metavar="FILE|-", help="The guest's data as JSON, unseen by other users."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _person_options() -> tuple[Callable[[Command], Command], ...]:
    return (
        click.option("--user", metavar="ID", help="Your id of the person; it is stored nowhere."),
        click.option(
            "--agent",
            metavar="AGENT",
            help="A guest who was here before, with the details of their newest card. "
            f"{AGENT_HELP}",
        ),
    )


def place_options(command: Command) -> Command:
    """Where, when and for how many: what a reservation and a hold ask for alike."""
    options = (
        _venue_option(),
        click.option(
            "--at", "at", required=True, metavar="TIME", help="Venue-local: 2026-07-01T19:30."
        ),
        click.option("--party", required=True, type=int, metavar="N", help="How many people come."),
        click.option(
            "--minutes", type=int, metavar="M", help="How long; left out: as the venue says."
        ),
        click.option(
            "--nights",
            type=click.IntRange(min=1),
            metavar="N",
            help="How many nights, at a lodging.",
        ),
        click.option(
            "--resource", "resources", multiple=True, metavar="R", help="This one; may be repeated."
        ),
        click.option("--area", metavar="A", help="Any resource of this area."),
        click.option(
            "--feature",
            "features",
            multiple=True,
            metavar="F",
            help="Only with this; may be repeated.",
        ),
        click.option(
            "--quantity", type=int, metavar="N", help="Units of a pool, such as rooms of a type."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def venue_option(command: Command) -> Command:
    """`--venue`, which `only_venue` fills in where it is left out."""
    return _venue_option()(command)


def _venue_option() -> Callable[[Command], Command]:
    return click.option(
        "--venue", metavar="V", help="The id of the venue; left out where there is only one."
    )


def key_option(command: Command) -> Command:
    """`--key`: the Idempotency-Key."""
    return click.option(
        "--key", metavar="K", help="The same key and request again make nothing twice."
    )(command)


def wait_option(command: Command) -> Command:
    """`--wait`: how long a decision is waited for."""
    return click.option(
        "--wait",
        type=click.IntRange(0, PREFER_WAIT_SECONDS_MAX),
        metavar="SECONDS",
        help="Wait so long for the decision of who holds the place; without it, answer at once.",
    )(command)


def all_reasons(reasons: frozenset[str]) -> str:
    """The whole list, as the end of a command's help."""
    return f"All reasons: {', '.join(sorted(reasons))}."


def all_overrides() -> str:
    """All reasons of `--override`, as the end of a command's help."""
    return f"All reasons of --override: {', '.join(sorted(OVERRIDE_REASONS))}."


def promises_explained() -> str:
    """What the words of a promise mean to a guest, as the end of a command's help."""
    lines = (f"{word}: {told}" for word, told in PROMISES.items())
    return f"What a guest may be told, by the promise. {' '.join(lines)}"


def file_argument(name: str) -> Callable[[Command], Command]:
    """A file to read, which must exist."""
    return click.argument(
        name, metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
    )


def target_argument(name: str) -> Callable[[Command], Command]:
    """A file to write, which must not exist yet: no command overwrites anything."""
    return click.argument(
        name, metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), callback=_new_file
    )


def _new_file(ctx: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if path.exists():
        raise click.BadParameter(f"{path} exists already; name another file, or remove it first")
    return path


def read_span_if_any(
    ctx: click.Context, parameter: click.Parameter, text: str | None
) -> int | None:
    """As `read_span`, of an option that may be left out."""
    return None if text is None else read_span(ctx, parameter, text)


def read_span(ctx: click.Context, parameter: click.Parameter, text: str) -> int:
    """The seconds of a span of time such as 90s, 30m, 1h, 2d or 1w; an option's callback."""
    match = _SPAN.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(
            f"{text!r} is no span of time such as 30m, 1h or 2d", ctx, parameter
        )
    return int(match[1]) * _SECONDS[match[2]]


def read_guest(source: str | None, **fields: str | None) -> dict[str, Any] | None:
    """A guest's data from a JSON file (`-`: standard input) or from options; None: neither.

    The file keeps personal data out of the list of processes, which every user of a machine sees.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    if source is None:
        return given or None
    if given:
        raise click.UsageError("give --guest or --guest-name and the like, not both")
    try:
        with click.open_file(source, encoding="utf-8") as file:
            guest = json.load(file)
    except OSError as error:
        raise click.BadParameter(f"{source} cannot be read ({error.strerror})") from error
    except ValueError as error:
        # Without the reason: it would quote what stands in the file.
        raise click.BadParameter(f"{source} is no JSON document in UTF-8") from error
    if not isinstance(guest, dict):
        raise click.BadParameter(f'{source} must hold an object such as {{"name": "…"}}')
    return guest


def only_venue(session: Session) -> str:
    """The venue that is meant where none is named. Raises click.UsageError where there is not
    just one."""
    known = [str(one["venue"]) for one in session.items("/venues", include="inactive")]
    if len(known) == 1:
        return known[0]
    some = ", ".join(known) or "none yet"
    raise click.UsageError(f"say which venue: --venue; there are {some}")
