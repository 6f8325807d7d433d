"""`holdfast blocks`: take places out of use, look which are, and put them back."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import (
    Group,
    all_reasons,
    data_option,
    json_option,
    key_option,
    read_reason,
    venue_option,
)
from holdfast.commands.words import block_words, code_words, until_text
from holdfast.commands.writing import change, make
from holdfast.model.vocabulary import BLOCK_KINDS, BLOCK_REASONS
from holdfast.node.reasons import COMMON_REASONS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_CODES: Final = 12
"""Reservations in the way that a screen names by their codes."""


@click.group(cls=Group)
def blocks() -> None:
    """Take places out of use: maintenance, training, a private event. ID is the id or the code."""


@blocks.command("list")
@data_option
@click.option("--venue", metavar="V", help="Only of this one.")
@click.option("--date", metavar="D", help=f"{DATE_HELP}.")
@click.option("--from", "since", metavar="TIME", help="Starts from here on …")
@click.option("--to", "before", metavar="TIME", help="… and before.")
@click.option("--resource", metavar="R", help="Only of this one.")
@click.option("--all", "past", is_flag=True, help="Also those that are over.")
@json_option
def list_(
    data: Path,
    since: str | None,
    before: str | None,
    past: bool,
    as_json: bool,
    **filters: str | None,
) -> None:
    """Which places are out of use, by start, and for how many a place must be found.

    \b
    Such as:
      holdfast blocks list --venue trattoria --data desk
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        filters["date"] = date_meant(session, filters["date"], filters["venue"])
        found = session.items("/blocks", None, **filters, **{"from": since, "to": before})
    if not past:
        now = datetime.datetime.now(datetime.UTC)
        found = [one for one in found if datetime.datetime.fromisoformat(one["ends_at"]) > now]
    if as_json:
        show_json({"items": found, "next": None})
        return
    several = len({one.get("venue") for one in found}) > 1
    show_table(
        ["from", "until", "where", "for", Column("because", drop=1), "state", "in the way", "code",
         "venue"],
        (
            [
                one.get("starts_at"),
                until_text(one.get("starts_at"), one.get("ends_at")),
                " + ".join(one.get("resources") or []),
                code_words(one.get("kind")),
                code_words(one.get("reason")),
                block_words(one),
                len(one.get("conflicts") or []) or "",
                one.get("code"),
                one.get("venue") if several else "",
            ]
            for one in found
        ),
        empty="Nothing is out of use: `holdfast blocks add` takes places out.",
        by_day="venue",
    )  # fmt: skip


def _reason(ctx: click.Context, parameter: click.Parameter, typed: str | None) -> str | None:
    return None if typed is None else read_reason(typed, BLOCK_REASONS, has_note=True)


@blocks.command(epilog=all_reasons(BLOCK_REASONS))
@data_option
@venue_option
@click.option(
    "--resource",
    "resources",
    multiple=True,
    required=True,
    metavar="R",
    help="What is out of use; may be repeated.",
)
@click.option("--at", "at", required=True, metavar="TIME", help="Venue-local: 2026-07-01T09:00.")
@click.option("--until", required=True, metavar="TIME", help="The end, as --at.")
@click.option(
    "--kind",
    type=click.Choice(sorted(BLOCK_KINDS)),
    default="blocked",
    show_default=True,
    help="What the places are used for.",
)
@click.option(
    "--reason",
    metavar="R",
    callback=_reason,
    help=f"Why, such as {', '.join(COMMON_REASONS[BLOCK_REASONS])}. Any other word of the list"
    " below is taken as well.",
)
@click.option("--note", metavar="TEXT", help="More about it; sealed for the venue. `-`: read it.")
@click.option("--quantity", type=int, metavar="N", help="Of a pool; left out: all of it.")
@click.option(
    "--rrule",
    metavar="RULE",
    help="Again and again, by RFC 5545: 'FREQ=WEEKLY;BYDAY=MO;COUNT=10'.",
)
@click.option(
    "--force", is_flag=True, help="Over reservations too; find them another place afterwards."
)
@key_option
@json_option
def add(
    data: Path,
    at: str,
    until: str,
    resources: tuple[str, ...],
    note: str | None,
    force: bool,
    key: str | None,
    as_json: bool,
    **same: Any,
) -> None:
    """Take places out of use, all of them and on all dates, or none.

    \b
    Such as:
      holdfast blocks add --venue trattoria --resource T3 --kind maintenance \\
          --at 2026-07-01T09:00 --until 2026-07-01T12:00 --reason repair \\
          --data desk
    """
    body = {
        "resources": list(resources),
        "starts_at": at,
        "ends_at": until,
        "note": sys.stdin.read().strip() if note == "-" else note,
        "force": force or None,
        **same,
    }
    make(data, "/blocks", body, key=key, wait=None, as_json=as_json, show=_show)


@blocks.command()
@click.argument("block", metavar="ID")
@data_option
@json_option
def show(block: str, data: Path, as_json: bool) -> None:
    """Show one block, its dates, and what it stands over."""
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/blocks/{quoted(block)}")
        if as_json:
            show_json(found)
        else:
            _show(session, found)


@blocks.command()
@click.argument("block", metavar="ID")
@data_option
@click.option("--series", is_flag=True, help="With all later dates of its recurrence.")
@json_option
def remove(block: str, data: Path, series: bool, as_json: bool) -> None:
    """Put places back into use."""
    from holdfast.commands.session import quoted

    params = {"series": "true"} if series else None
    path = f"/blocks/{quoted(block)}"
    change(data, "DELETE", path, params=params, as_json=as_json, show=_show)


def _show(session: Session, block: dict[str, Any]) -> None:
    from holdfast.commands.output import show_fields
    from holdfast.commands.screens import block_fields

    over = [_code(session, one) for one in (block.get("conflicts") or [])[:_CODES]]
    show_fields(block_fields(block, over))


def _code(session: Session, identity: str) -> str:
    """What people call a reservation, or a block, that another one stands over."""
    from holdfast.commands.failures import Refused
    from holdfast.commands.session import quoted

    try:
        return str(session.get(f"/reservations/{quoted(identity)}")["code"])
    except Refused:
        return str(session.get(f"/blocks/{quoted(identity)}")["code"])
