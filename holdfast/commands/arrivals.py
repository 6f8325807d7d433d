"""`holdfast arrivals`: who is still expected on a day, as the desk receives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import data_option, json_option, only_venue, venue_option
from holdfast.commands.words import alert_words, status_words, to_be_approved

_EXPECTED: Final = ("confirmed", "commit_pending")
"""Statuses of those who may still come through the door: with a place, or asking for one."""


@click.command()
@data_option
@venue_option
@click.option("--date", default="today", metavar="D", help=f"{DATE_HELP}; left out: today.")
@json_option
def arrivals(data: Path, venue: str | None, date: str, as_json: bool) -> None:
    """Who is expected and has not checked in yet, in the order of their times.

    \b
    Such as:
      holdfast arrivals --date tomorrow --data desk

    Names stand where this device opens guest cards. What staff must know stands with each: VIP, an
    issue before, and the notes with an alert.
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        venue = venue or only_venue(session)
        day = date_meant(session, date, venue)
        listed = session.items("/reservations", None, venue=venue, date=day)
    found = [one for one in listed if one["status"] in _EXPECTED and one["kind"] != "house"]
    if as_json:
        show_json({"items": found, "next": None})
        return
    show_table(
        ["when", "party", "name", "where", "code", "marks", Column("state", drop=1, below=True),
         Column("tell staff", drop=2, below=True)],
        (
            [
                one["starts_at"],
                one["party_size"],
                (one.get("guest") or {}).get("name"),
                " + ".join(one["resources"]),
                one["code"],
                _marks(one.get("visitor") or {}),
                # What is confirmed is as it should be, and needs no word.
                "" if one["status"] == "confirmed" and not one["pending_change"]
                and not to_be_approved(one)
                else status_words(one, brief=True),
                "; ".join(alert_words(one.get("visitor") or {})),
            ]
            for one in found
        ),
        empty=f"Nobody is expected any more on {day}.",
        by_day="venue",
    )  # fmt: skip


def _marks(visitor: dict[str, Any]) -> str:
    """How the house marks whoever comes, in as few letters as a row has room for."""
    words = ["VIP"] * bool(visitor.get("vip")) + ["issue"] * bool(visitor.get("issue"))
    return ", ".join([*words, *(["alert"] if visitor.get("alerts") else [])])
