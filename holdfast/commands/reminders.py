"""`holdfast reminders`: whose guests are to be reminded, and what was sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.commands.options import Group, data_option, json_option, key_option
from holdfast.commands.words import who_words
from holdfast.commands.writing import make

if TYPE_CHECKING:
    from holdfast.commands.session import Session


@click.group(cls=Group)
def reminders() -> None:
    """Who is to be reminded, and who was. Holdfast sends nothing: what sends asks here."""


@reminders.command()
@data_option
@click.option("--kind", required=True, metavar="K", help="The sender's word, such as day_before.")
@click.option("--before", required=True, metavar="TIME", help="What starts before then.")
@click.option("--venue", metavar="V", help="Only of this one, whose clock TIME is then read by.")
@json_option
def due(data: Path, kind: str, before: str, venue: str | None, as_json: bool) -> None:
    """What is confirmed, starts before TIME, and has no mark of this kind yet.

    \b
    Such as:
      holdfast reminders due --kind day_before --before 2026-07-02T19:30 \\
          --venue trattoria --data hub
    """
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        found = session.items("/reminders", None, kind=kind, due_before=before, venue=venue)
    if as_json:
        show_json({"items": found, "next": None})
        return
    show_table(
        ["when", "party", "code", "venue", "says they come"],
        (
            [
                one["starts_at"], one["party_size"], one["code"], one["venue"],
                "yes" if one["attendance_confirmed"] else "",
            ]
            for one in found
        ),
        empty="Nobody is to be reminded.",
        by_day="venue",
    )  # fmt: skip


@reminders.command()
@click.argument("reservation", metavar="ID")
@data_option
@click.option("--kind", required=True, metavar="K", help="The sender's word, such as day_before.")
@click.option("--at", metavar="TIME", help="When it was sent; left out: now.")
@key_option
@json_option
def mark(
    reservation: str, data: Path, kind: str, at: str | None, key: str | None, as_json: bool
) -> None:
    """Mark a reminder as sent, before it is sent: refused is whose was marked already."""
    from holdfast.commands.session import quoted

    make(
        data, f"/reservations/{quoted(reservation)}/reminders", {"kind": kind, "at": at},
        key=key, wait=None, as_json=as_json, show=_show,
    )  # fmt: skip


@reminders.command("list")
@click.argument("reservation", metavar="ID")
@data_option
@json_option
def list_(reservation: str, data: Path, as_json: bool) -> None:
    """What was marked of a reservation at this device: kind, when, and by whom."""
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.items(f"/reservations/{quoted(reservation)}/reminders", None)
    if as_json:
        show_json({"items": found, "next": None})
        return
    show_table(
        ["sent", "kind", "of the start", "who"],
        ([one["at"], one["kind"], one["starts_at"], who_words(one["by"])] for one in found),
        empty="Nothing was marked here.",
    )


def _show(_: Session, made: dict[str, Any]) -> None:
    from holdfast.commands.output import show_fields

    show_fields(
        [
            ("code", made["code"]), ("kind", made["kind"]), ("of the start", made["starts_at"]),
            ("sent", made["at"]), ("who", who_words(made["by"])),
        ]
    )  # fmt: skip
