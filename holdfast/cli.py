"""The command `holdfast`: which commands there are, and how errors become a line and a status.

Owns the list of commands and the exit statuses (0 done, 1 refused or failed, 2 wrong usage, 3 the
other side cannot be reached). What a command does stands in `holdfast.commands`; each module there
is loaded only when its command is called, so that the command line answers at once.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from holdfast import __version__
from holdfast.model.errors import HoldfastError

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

_SECTIONS: Final = {
    "Set up and run": {
        "hub": ("hub", "The centre of a tenant: make it, run it, invite devices."),
        "venue": ("venue", "The venues of a tenant, from their files."),
        "node": ("node", "A device that takes reservations: join a hub, run, status."),
    },
    "Reservations": {
        "reserve": ("reserve", "Make a reservation."),
        "availability": ("availability", "What can be had at a venue."),
        "reservations": ("reservations", "List, show, change them; bring in existing ones."),
        "arrivals": ("arrivals", "Who is still expected today."),
        "holds": ("holds", "Keep a place for some minutes."),
        "waitlist": ("waitlist", "Who waits for a place."),
        "blocks": ("blocks", "Take places out of use."),
        "reminders": ("reminders", "Who is to be reminded, and who was."),
        "tables": ("tables", "How the tables stand in a service."),
        "slots": ("slots", "How full each slot of a service is."),
        "notes": ("notes", "What staff tell each other about a service."),
        "allotments": ("allotments", "Who may sell what."),
        "guests": ("guests", "Find a guest, show, restrict, hand over, forget."),
    },
    "Look": {
        "exceptions": ("exceptions", "What a person must look at."),
        "queue": ("queue", "What was written here, and the fate of each."),
        "sync": ("sync", "The exchange with the hub."),
        "clock": ("clock", "The clock, and how wrong it may be."),
        "report": ("report", "Key figures of services; which rules refuse what."),
        "books": ("books", "What was written about each venue."),
        "audit": ("audit", "Every change; and whether the record is whole."),
        "decision": ("audit", "Why a provisional reservation got or lost its place."),
    },
    "Look after": {
        "doctor": ("upkeep", "Check a data directory, and mend what can be mended."),
        "backup": ("upkeep", "Write a consistent copy, also while the process runs."),
        "restore": ("upkeep", "Make a data directory from a backup."),
        "upgrade": ("upkeep", "Whether this version can use a data directory."),
        "jobs": ("jobs", "What a process does by itself, again and again."),
        "config": ("config", "The settings of a data directory."),
        "token": ("token", "Tokens for the HTTP interface."),
        "staff": ("staff", "Who may log in by PIN at this device."),
        "open": ("pages", "The address of a page, with a ticket that logs it in."),
    },
    "Try": {
        "demo": ("show", "The whole story on this machine: cut, sell, heal."),
        "bench": ("show", "Measure, as ratios to raw SQLite and raw HTTP."),
        "simulate": ("simulate", "Search for a schedule of faults that breaks a promise."),
    },
}
COMMANDS: Final = {name: found for part in _SECTIONS.values() for name, found in part.items()}
"""Each command: its module in `holdfast.commands`, and its line in the list of commands."""


class Commands(click.Group):
    """The commands, each loaded when it is called; the list of them loads none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"holdfast.commands.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for title, part in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in part.items()])

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> Any:
        """Run a command line and end the process with its status; nothing else maps errors."""
        sys.exit(self._status(args))

    def _status(self, args: Sequence[str] | None) -> int:
        _print_what_the_terminal_can()
        # Until a directory's log is open, warnings go nowhere: standard error is for the one line.
        logging.getLogger("holdfast").addHandler(logging.NullHandler())
        try:
            status = super().main(args, "holdfast", standalone_mode=False)
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else "", err=True)
            return WRONG_USAGE
        except click.UsageError as error:
            return _fail(_usage_line(error), WRONG_USAGE)
        except click.ClickException as error:
            return _fail(error.format_message(), FAILED)
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED
        except BrokenPipeError:
            # The reader, such as `head`, has seen enough; a flush at exit must not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        except HoldfastError as error:
            return self._failed(error, sys.argv[1:] if args is None else args)
        except Exception as error:  # the last line of defence: logged, and one line
            from holdfast.commands.failures import log_unexpected
            from holdfast.store.database import explained

            known = explained(error)
            if known is not None:
                return _fail(known.detail, known.exit_status)
            return _fail(log_unexpected(error), FAILED)
        return status if isinstance(status, int) else DONE

    def _failed(self, error: HoldfastError, words: Sequence[str]) -> int:
        """One line in the words of the command line, and for `--json` the problem as a document on
        standard output. What nobody can understand, whatever is in the
        directory, is wrong usage, wherever that was noticed."""
        from holdfast.commands.failures import is_invalid, line_of, problem_of
        from holdfast.commands.spelling import as_typed, called, is_wrong_usage

        if "--json" in words:
            from holdfast.commands.output import show_json

            show_json(problem_of(error))
        path, options = called(self, words)
        faults = error.extra.get("errors")
        line = as_typed(line_of(error), faults, options)
        if is_invalid(error) and is_wrong_usage(faults, options):
            return _fail(f"{line.rstrip('.')}; see `{path} --help`", WRONG_USAGE)
        return _fail(line, error.exit_status)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", message="holdfast %(version)s")
def holdfast() -> None:
    """Reservations that hold when the network does not.

    Every command works on the data directory of a node or hub, given by --data or HOLDFAST_DATA,
    whether its process runs or not. `holdfast demo` shows what it is about.
    """


def main() -> None:
    """The entry point of the program `holdfast`; ends the process."""
    holdfast.main()


def _print_what_the_terminal_can() -> None:
    """A terminal without UTF-8 shows a mark for what it cannot, and nothing fails for that."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _usage_line(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx else "holdfast"
    return f"{error.format_message().rstrip('.')}; see `{path} --help`"


def _fail(line: str, status: int) -> int:
    """Say what failed: one line, which a terminal too narrow for it breaks between words."""
    from holdfast.commands.output import remark

    remark(f"error: {' '.join(line.split())}")
    return status
