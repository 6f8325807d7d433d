"""`holdfast slots`: how full each slot of a service is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import data_option, json_option, only_venue
from holdfast.commands.words import until_text


@click.command()
@data_option
@click.option("--venue", metavar="V", help="The id of the venue; left out where there is only one.")
@click.option("--date", default="today", metavar="D", help=f"{DATE_HELP}; left out: today.")
@json_option
def slots(data: Path, venue: str | None, date: str, as_json: bool) -> None:
    """How many people begin in each slot of a service, and how many more may.

    `pending` is what is not decided yet, held or offered; `available` is what remains of `total`,
    and below 0 it is how many too many begin.

    \b
    Such as:
      holdfast slots --date tomorrow --data desk
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        asked = venue or only_venue(session)
        day = date_meant(session, date, asked)
        where = f"/venues/{quoted(asked)}/slots"
        found = session.request("GET", where, params={"date": day}).data
    if as_json:
        show_json(found)
        return
    show_table(
        [
            "from",
            Column("until", drop=1),
            "total",
            "reserved",
            "pending",
            "available",
            "parties",
            "why",
        ],
        (_row(one) for one in found["items"]),
        empty=f"There are no slots on {day}; `holdfast availability --full` says why.",
        by_day="venue",
    )  # fmt: skip


def _row(slot: dict[str, Any]) -> list[Any]:
    limited = slot["total"] is not None
    return [
        slot["starts_at"],
        until_text(slot["starts_at"], slot["ends_at"]),
        slot["total"] if limited else "any",
        slot["reserved"],
        slot["pending"],
        slot["available"] if limited else "any",
        _parties(slot["min_party"], slot["max_party"]),
        _why(slot),
    ]


def _parties(least: int, most: int | None) -> str:
    """The sizes that may begin; nothing where any may."""
    if most is not None:
        return f"{least}-{most}"
    return f"{least} or more" if least > 1 else ""


def _why(slot: dict[str, Any]) -> str:
    """What closes a slot to guests."""
    kind = "" if slot["override"] == "normal" else slot["override"].replace("_", " ")
    return ", ".join(one for one in (kind, slot["blackout"]) if one)
