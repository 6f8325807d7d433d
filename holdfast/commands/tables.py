"""`holdfast tables`: how the tables stand in a service, and saying so of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import (
    Group,
    all_overrides,
    data_option,
    json_option,
    key_option,
    only_venue,
    override_option,
    venue_option,
)
from holdfast.commands.words import code_words, time_text, until_text
from holdfast.commands.writing import make
from holdfast.model.floor import MARKS

if TYPE_CHECKING:
    pass

_STATES: Final = {"available": "free", "inactive": "not in use", "blocked": "out of use"}


@click.group(cls=Group)
def tables() -> None:
    """How the tables stand: free, reserved, occupied, to be cleaned, out of use."""


@tables.command("list")
@data_option
@venue_option
@click.option("--at", metavar="TIME", help="Venue-local: 2026-07-01T19:30; left out: now.")
@click.option("--state", type=click.Choice(MARKS), help="Only tables that stand so.")
@json_option
def list_(data: Path, venue: str | None, at: str | None, state: str | None, as_json: bool) -> None:
    """Every table, and who sits there or comes next.

    \b
    Such as:
      holdfast tables list --data desk
    """
    from holdfast.commands.output import Column, say, show_json, show_table
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        asked = quoted(venue or only_venue(session))
        found = session.request("GET", f"/venues/{asked}/floor", params={"at": at}).data
    if state is not None:
        found["items"] = [one for one in found["items"] if one["state"] == state]
    if as_json:
        show_json(found)
        return
    show_table(
        ["where", "now", "since", "who", "people", "until", Column("next", drop=1),
         Column("seats", drop=2), Column("area", drop=3)],
        (_row(one, found["at"]) for one in found["items"]),
        empty="No table stands so." if state else "The venue has no tables.",
    )  # fmt: skip
    counts = found["totals"]["states"]
    some = ", ".join(
        f"{many} {_STATES.get(word, code_words(word))}" for word, many in counts.items() if many
    )
    say("")
    say(f"{some}; {found['totals']['seats']} seats in all.")


def _row(table: dict[str, Any], at: str) -> list[Any]:
    """A line; what is of another day than `at` says so."""
    sits, due, block = table["party"], table["due"], table["block"]
    shown = [*sits, *due] if sits else due
    first = shown[0] if shown else None
    then = next((one for one in [*due, table["next_party"]] if one and one is not first), None)
    seats = table.get("seats")
    return [
        table["id"],
        _STATES.get(table["state"], code_words(table["state"])),
        time_text(table["since"]) if table["since"] else "",
        first["code"] if first else block["code"] if block else "",
        first["party_size"] if first else "",
        time_text(first["ends_at"]) if first else until_text(at, block["ends_at"]) if block else "",
        f"{until_text(at, then['starts_at'])} for {then['party_size']}" if then else "",
        f"{seats[0]}-{seats[1]}" if seats else "",
        table.get("area", ""),
    ]


@tables.command()
@click.argument("resource")
@click.argument("state", type=click.Choice(MARKS))
@data_option
@venue_option
@key_option
@json_option
def mark(
    resource: str, state: str, data: Path, venue: str | None, key: str | None, as_json: bool
) -> None:
    """Say how a table stands: `occupied` checks in who is due there, `cleaning` ends the visit of
    who sits there, `available` says that it is clean.

    \b
    Such as:
      holdfast tables mark T3 cleaning --data desk
    """
    _mark(data, venue, resource, state, key, as_json)


@tables.command()
@click.argument("resource")
@data_option
@venue_option
@key_option
@json_option
def clean(resource: str, data: Path, venue: str | None, key: str | None, as_json: bool) -> None:
    """Say that a table is clean.

    \b
    Such as:
      holdfast tables clean T3 --data desk
    """
    _mark(data, venue, resource, "available", key, as_json)


@tables.command(epilog=all_overrides())
@click.argument("reservation", metavar="ID")
@click.argument("resources", nargs=-1, required=True, metavar="TABLE…")
@data_option
@override_option
@key_option
@json_option
def assign(
    reservation: str,
    resources: tuple[str, ...],
    data: Path,
    override: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Give a party these tables, all of them together.

    \b
    Such as:
      holdfast tables assign RES-2026-7K3M9Q T3 T4 --data desk
    """
    from holdfast.commands.reservations import show_reservation
    from holdfast.commands.session import quoted

    body = {
        "resources": list(resources),
        "override": None if override is None else {"reason": override},
    }
    make(
        data, f"/reservations/{quoted(reservation)}/assign", body, key=key, wait=None,
        as_json=as_json, show=lambda _, moved: show_reservation(moved),
    )  # fmt: skip


@tables.command()
@data_option
@venue_option
@click.option("--date", required=True, metavar="D", help=f"{DATE_HELP}.")
@click.option("--from", "since", metavar="TIME", help="Only who starts from here on …")
@click.option("--to", "before", metavar="TIME", help="… and before.")
@click.option("--accept", metavar="ID", help="Do what this proposal says, all of it or nothing.")
@key_option
@json_option
def optimise(
    data: Path,
    venue: str | None,
    date: str,
    since: str | None,
    before: str | None,
    accept: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Propose a better seating of a service; nothing is moved before the proposal is accepted.

    \b
    Such as:
      holdfast tables optimise --date 2026-07-01 --data desk
      holdfast tables optimise --date 2026-07-01 --accept ID --data desk
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    body: dict[str, str | None] = {"date": date, "from": since, "to": before}
    with open_session(data) as session:
        venue = venue or only_venue(session)
        body["date"] = date_meant(session, date, venue)
        body = {name: value for name, value in body.items() if value is not None}
        path = f"/venues/{quoted(venue)}/optimise"
        if accept is not None:
            path += f"/{quoted(accept)}/accept"
        done = session.post(path, body, **({} if key is None else {"Idempotency_Key": key}))
    if as_json:
        show_json(done)
    elif accept is not None:
        for one in done["items"]:
            say(f"{one['code']} is at {' + '.join(one['resources'])} now.")
    else:
        _show_proposal(done)


_GAINS: Final = {
    "seated": "gets a place", "fits_better": "fewer empty seats", "makes_room": "makes room",
}  # fmt: skip


def _show_proposal(made: dict[str, Any]) -> None:
    from holdfast.commands.output import copied, say, show_table

    show_table(
        ["code", "at", "people", "from", "to", "because"],
        (
            [
                one["code"],
                time_text(one["starts_at"]),
                one["party_size"],
                " + ".join(one["from"]) or "no place",
                " + ".join(one["to"]),
                _GAINS[one["reason"]],
            ]
            for one in made["moves"]
        ),
        empty="Nothing better was found; everybody stays.",
    )
    before, after = made["before"], made["after"]
    if made["moves"]:
        say(
            f"\nEmpty seats: {before['waste']} now, {after['waste']} then; "
            f"without a place: {before['unseated']} now, {after['unseated']} then."
        )
        copied([f"Do it: holdfast tables optimise --date {made['date']} --accept {made['id']}"])


def _mark(
    data: Path, venue: str | None, resource: str, state: str, key: str | None, as_json: bool
) -> None:
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        asked = quoted(venue or only_venue(session))
        path = f"/venues/{asked}/resources/{quoted(resource)}/state"
        headers = {} if key is None else {"Idempotency_Key": key}
        done = session.post(path, {"state": state}, **headers)
    if as_json:
        show_json(done)
        return
    say(f"{done['id']} is {_STATES.get(done['state'], code_words(done['state']))}.")
