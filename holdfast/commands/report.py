"""`holdfast report`: key figures of a service date, or of several.

Each report is a command of this group. Owns how figures are said to a person; what each of them
means stands in docs/numbers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands import report_violations
from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import Command, Group, data_option, json_option, only_venue
from holdfast.commands.words import counted, day_text, status_words

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_BUSIEST: Final = 3
_CONFIRMED: Final = {
    "guaranteed": "by the device that took it",
    "admitted": "by whoever had the place",
    "provisional": "not yet",
    "none": "without a place",
}
_MINUTES: Final = ((2 * 1_440, 1_440, "days"), (2 * 60, 60, "h"), (0, 1, "min"))


@click.group(cls=Group)
def report() -> None:
    """Key figures of a service date, or of several; docs/numbers.md says what each one means."""


report.add_command(report_violations.violations)


def _csv_option(command: Command) -> Command:
    """`--csv`: what another program reads."""
    return click.option(
        "--csv",
        "csv_file",
        metavar="FILE",
        help="Write a table of all figures instead, a line for each date. `-`: print it.",
    )(command)


def _figures_options(command: Command) -> Command:
    """What reports of figures have in common."""
    options: Sequence[Callable[[Command], Command]] = [
        data_option,
        click.option(
            "--venue", metavar="V", help="The id of the venue; left out where there is only one."
        ),
        _csv_option,
        json_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@report.command()
@click.option("--date", metavar="D", help=f"{DATE_HELP}; left out: today.")
@_figures_options
def day(
    date: str | None, data: Path, venue: str | None, csv_file: str | None, as_json: bool
) -> None:
    """One service date.

    \b
    Such as:
      holdfast report day --date 2026-07-01 --data desk
    """
    found = _found("/analytics/service", data, venue, csv_file, as_json, {"date": date})
    if found is not None:
        _show(found, day_text(found["date"]))
        _show_resources(found)


@report.command("range")
@click.option("--from", "first", required=True, metavar="D", help="The first service date.")
@click.option(
    "--to", "last", required=True, metavar="D", help="The last one, which is counted too."
)
@_figures_options
def range_(
    first: str,
    last: str,
    data: Path,
    venue: str | None,
    csv_file: str | None,
    as_json: bool,
) -> None:
    """Service dates in a row: all of them together, and a line for each.

    \b
    Such as:
      holdfast report range --from 2026-07-01 --to 2026-07-31 \\
          --csv july.csv --data desk
    """
    dates = {"from": first, "to": last}
    found = _found("/analytics/range", data, venue, csv_file, as_json, dates)
    if found is not None:
        _show(found, f"{day_text(found['from'])} to {day_text(found['to'])}")
        _show_days(found)


@report.command("tables")
@click.option("--from", "first", required=True, metavar="D", help="The first service date.")
@click.option(
    "--to", "last", required=True, metavar="D", help="The last one, which is counted too."
)
@_figures_options
def tables(
    first: str,
    last: str,
    data: Path,
    venue: str | None,
    csv_file: str | None,
    as_json: bool,
) -> None:
    """How often each table was taken, and for how long.

    \b
    Such as:
      holdfast report tables --from 2026-07-01 --to 2026-07-31 --data desk
    """
    dates = {"from": first, "to": last}
    found = _found("/analytics/turnover", data, venue, csv_file, as_json, dates)
    if found is not None:
        _show_turns(found)


@report.command("no-shows")
@click.option("--from", "first", metavar="D", help="The first service date; left out: a month ago.")
@click.option("--to", "last", metavar="D", help="The last one, counted too; left out: today.")
@_figures_options
def no_shows(
    first: str | None,
    last: str | None,
    data: Path,
    venue: str | None,
    csv_file: str | None,
    as_json: bool,
) -> None:
    """Who did not come, week by week, and which guests again and again, as pseudonyms.

    \b
    Such as:
      holdfast report no-shows --data desk
    """
    dates = {"from": first, "to": last}
    found = _found("/analytics/no-shows", data, venue, csv_file, as_json, dates)
    if found is not None:
        _show_no_shows(found)


@report.command("business")
@click.argument("account", metavar="ACCOUNT")
@click.option("--from", "first", required=True, metavar="D", help="The first service date.")
@click.option(
    "--to", "last", required=True, metavar="D", help="The last one, which is counted too."
)
@data_option
@_csv_option
@json_option
def business(
    account: str, first: str, last: str, data: Path, csv_file: str | None, as_json: bool
) -> None:
    """All venues of a business together, at the hub, and a line for each.

    \b
    Such as, where the venue files have business_account: ba_1042
      holdfast report business ba_1042 --from 2026-07-01 --to 2026-07-31 \\
          --data hub
    """
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        asked = {"account": account, "from": first, "to": last}
        found = _fetched(session, "/analytics/business", asked, csv_file, as_json)
    if found is not None:
        dates = f"{day_text(found['from'])} to {day_text(found['to'])}"
        _show(found, dates, found["business_account"])
        _show_venues(found)


def _found(
    path: str,
    data: Path,
    venue: str | None,
    csv_file: str | None,
    as_json: bool,
    dates: Mapping[str, str | None],
) -> dict[str, Any] | None:
    """The figures that are to be shown in words; None where they went out in another form."""
    from holdfast.commands.session import open_session

    _require_one_form(csv_file, as_json)
    with open_session(data) as session:
        venue = venue or only_venue(session)
        meant = {name: date_meant(session, date, venue) for name, date in dates.items()}
        return _fetched(session, path, {"venue": venue, **meant}, csv_file, as_json)


def _require_one_form(csv_file: str | None, as_json: bool) -> None:
    if csv_file is not None and as_json:
        raise click.UsageError("give --csv or --json, not both")


def _fetched(
    session: Session,
    path: str,
    asked: Mapping[str, str | None],
    csv_file: str | None,
    as_json: bool,
) -> dict[str, Any] | None:
    from holdfast.commands.output import show_json

    _require_one_form(csv_file, as_json)
    if csv_file is not None:
        _write(csv_file, session.text(path, format="csv", **asked))
        return None
    found: dict[str, Any] = session.get(path, **asked)
    if as_json:
        show_json(found)
        return None
    return found


def _write(file: str, table: bytes) -> None:
    from holdfast.commands.output import say
    from holdfast.commands.queue import write_new

    if file == "-":
        click.echo(table, nl=False)
        return
    write_new(Path(file), table)
    lines = table.count(b"\r\n") - 1
    say(f"{counted(lines, 'line')} of figures are in {file}.")


def _show_turns(found: dict[str, Any]) -> None:
    from holdfast.commands.output import Column, say, show_table

    days = counted(found["open_days"], "open day")
    say(f"{found['venue']}, {day_text(found['from'])} to {day_text(found['to'])}, {days}")
    rows = [
        *((one["resource"], one["area"], one) for one in found["tables"]),
        *((one["area"], counted(one["tables"], "table"), one) for one in found["areas"]),
        ("all", "", found),
    ]
    show_table(
        ["where", Column("of", drop=1), "parties", "people", "a day", "stayed", "mostly"],
        (
            [
                name, of, one["parties"], one["covers"], one["turns_per_day"],
                _minutes(one["minutes"]["mean"]), _minutes(one["minutes"]["median"]),
            ]
            for name, of, one in rows
        ),
    )  # fmt: skip


def _show_no_shows(found: dict[str, Any]) -> None:
    from holdfast.commands.output import Column, say, show_table

    say(f"{found['venue']}, {day_text(found['from'])} to {day_text(found['to'])}")
    show_table(
        [Column("week", drop=1), "from", "to", "due", "did not come", "people", "share"],
        (
            [
                name, one["from"], one["to"], one["due"], one["parties"], one["covers"],
                _percent(one["rate"]),
            ]
            for name, one in (*((week["week"], week) for week in found["weeks"]), ("all", found))
        ),
    )  # fmt: skip
    click.echo("")
    show_table(
        ["who did not come again and again", "no-shows", "came", "last"],
        ([one["agent_id"], one["no_shows"], one["came"], one["last"]] for one in found["repeated"]),
        empty="nobody did not come more than once",
    )
    if found["repeated_guests"] > len(found["repeated"]):
        say(f"{found['repeated_guests']} guests in all; ask for fewer dates to see the others.")


def _minutes(minutes: float | None) -> str:
    return "" if minutes is None else _length(minutes)


# --- in words -------------------------------------------------------------------------------------


def _show(found: dict[str, Any], when: str, whose: str | None = None) -> None:
    from holdfast.commands.output import say, show_fields

    say(f"{whose or found['venue']}, {when}")
    if not found["reservations"]:
        say("No reservations.")
        return
    show_fields(_fields(found))


def _fields(found: dict[str, Any]) -> list[tuple[str, str]]:
    parties, covers, walk_ins = found["parties"], found["covers"], found["walk_ins"]
    no_shows, use = found["no_shows"], found["utilisation"]
    return [
        ("reservations", f"{found['reservations']}: {_statuses(found['statuses'])}"),
        ("parties", f"{parties['booked']} booked, {parties['seated']} came"),
        ("people", f"{covers['booked']} booked, {covers['seated']} came"),
        ("walk-ins", _parties(walk_ins) if walk_ins["parties"] else ""),
        (
            "did not come",
            f"{_parties(no_shows)} ({_percent(no_shows['rate'])})" if no_shows["parties"] else "",
        ),
        ("called off", _cancellations(found["cancellations"])),
        ("came before", _repeats(found["repeats"])),
        ("waitlist", _waited(found["waitlist"])),
        ("refused, too many", _limited(found["rate_limits"])),
        ("holds", _held(found["holds"])),
        ("took to book", _to_book(found["time_to_book_seconds"])),
        ("overbooked", str(found["overbooked"] or "")),
        ("booked ahead", _spread(found["lead_minutes"])),
        ("stayed", _stayed(found["turn_minutes"])),
        ("tables taken", f"{_percent(use['rate'])} of the time" if use["open_minutes"] else ""),
        ("busiest", _busiest(found["hours"])),
        (
            "party sizes",
            _listed((f"{one['parties']} of", one["party_size"]) for one in found["party_sizes"]),
        ),
        ("came by", _listed((many, word) for word, many in found["sources"].items())),
        (
            "confirmed",
            _listed(
                (many, _CONFIRMED.get(word, word)) for word, many in found["assurances"].items()
            ),
        ),
    ]


def _show_resources(found: dict[str, Any]) -> None:
    from holdfast.commands.output import show_table

    click.echo("")
    show_table(
        ["where", "taken", "booked", "open"],
        (
            [
                one["resource"],
                _percent(one["rate"]),
                _hours(one["booked_minutes"]),
                _hours(one["open_minutes"]),
            ]
            for one in found["resources"]
        ),
    )


def _show_days(found: dict[str, Any]) -> None:
    _show_lines("date", ((day_text(one["date"]), one) for one in found["days"]))


def _show_venues(found: dict[str, Any]) -> None:
    _show_lines("venue", ((one["venue"], one) for one in found["venues"]))


def _show_lines(of: str, lines: Iterable[tuple[str, dict[str, Any]]]) -> None:
    from holdfast.commands.output import Column, show_table

    click.echo("")
    show_table(
        [
            *(of, "parties", "people", "came"),
            Column("walk-ins", drop=2),
            "no-shows",
            Column("called off", drop=1),
            "of the time",
        ],
        (
            [
                name,
                one["parties"],
                one["covers"],
                one["covers_seated"],
                one["walk_in_parties"],
                one["no_show_parties"],
                one["cancellations"],
                _percent(one["utilisation"]),
            ]
            for name, one in lines
        ),
    )


def _statuses(statuses: dict[str, int]) -> str:
    words = {"commit_pending": "provisional", "checked_in": "here"}
    return _listed(
        (many, words.get(status) or status_words({"status": status}, brief=True))
        for status, many in statuses.items()
    )


def _parties(some: dict[str, Any]) -> str:
    """Such as `2 parties, 5 people`."""
    people = counted(some["covers"], "person", "people")
    return f"{counted(some['parties'], 'party', 'parties')}, {people}"


def _cancellations(found: dict[str, Any]) -> str:
    if not found["total"]:
        return ""
    whom = (("by_guest", "by guests"), ("by_venue", "by the venue"), ("by_system", "by a system"))
    by = _listed((found[name], words) for name, words in whom if found[name])
    late = f"; {found['late']} too late" if found["late"] else ""
    return f"{found['total']}: {by}{late}"


def _repeats(found: dict[str, Any]) -> str:
    if not found["parties"]:
        return ""
    parties = counted(found["parties"], "party", "parties")
    return f"{parties} ({_percent(found['rate'])} of those who came)"


def _waited(found: dict[str, Any]) -> str:
    if not found["joined"]:
        return ""
    words = ("offered", "accepted", "waiting")
    some = _listed((found[word], word) for word in words if found[word])
    share = f" ({_percent(found['conversion'])})" if found["accepted"] else ""
    return f"{found['joined']} joined" + (f": {some}{share}" if some else "")


def _limited(found: dict[str, Any]) -> str:
    whom = (("rates", "made"), ("concurrent", "ahead"), ("reschedules", "moved"))
    return _listed((found[rule], word) for rule, word in whom if found[rule])


def _held(found: dict[str, Any]) -> str:
    if not found["made"]:
        return ""
    words = (
        ("reserved", "reserved"), ("given_back", "given back"), ("lapsed", "lapsed"),
        ("refused", "refused"), ("open", "open"),
    )  # fmt: skip
    share = f" ({_percent(found['conversion'])} reserved)" if found["reserved"] else ""
    return f"{found['made']}: {_listed((found[n], word) for n, word in words if found[n])}{share}"


def _to_book(found: dict[str, Any]) -> str:
    """From a hold to its reservation."""
    if not found["holds"]:
        return ""
    median, mean = (_brief(found[name]) for name in ("median", "mean"))
    return f"half of the holds {median} or more, {mean} on average"


def _brief(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else _length(seconds / 60)


def _spread(found: dict[str, Any]) -> str:
    if not found["parties"]:
        return ""
    return f"half of them {_length(found['median'])} or more, {_length(found['mean'])} on average"


def _stayed(found: dict[str, Any]) -> str:
    if not found["parties"]:
        return ""
    planned = f"{_length(found['planned_mean'])} planned"
    parties = counted(found["parties"], "party", "parties")
    return f"{_length(found['mean'])} on average, {planned} ({parties})"


def _busiest(hours: list[dict[str, Any]]) -> str:
    most = sorted(hours, key=lambda one: -int(one["parties"]))[:_BUSIEST]
    return _listed((one["hour"], f"({one['parties']})") for one in most)


def _listed(pairs: Iterable[tuple[object, object]]) -> str:
    return ", ".join(f"{first} {second}" for first, second in pairs)


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate * 100:.1f} %"


def _length(minutes: float) -> str:
    """Minutes as a person says them: `85 min`, `3.5 h`, `12 days`."""
    size, unit = next((size, unit) for least, size, unit in _MINUTES if minutes >= least)
    return f"{round(minutes / size, 1):g} {unit}"


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.1f} h"
