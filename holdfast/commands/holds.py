"""`holdfast holds`: keep a place for some minutes, and make a reservation of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import (
    Group,
    data_option,
    guest_options,
    json_option,
    key_option,
    place_options,
    read_guest,
    wait_option,
)
from holdfast.commands.words import hold_words, time_text
from holdfast.commands.writing import change, make
from holdfast.model.limits import HOLD_MINUTES_MAX

if TYPE_CHECKING:
    from holdfast.commands.session import Session


@click.group(cls=Group)
def holds() -> None:
    """Keep a place for some minutes, while a guest pays or types. ID is the id or the code."""


@holds.command("list")
@data_option
@click.option("--venue", metavar="V", help="Only of this one.")
@click.option("--date", metavar="D", help=f"{DATE_HELP}.")
@json_option
def list_(data: Path, as_json: bool, **filters: str | None) -> None:
    """What is held now, by start."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        filters["date"] = date_meant(session, filters["date"], filters["venue"])
        found = session.items("/holds", None, **filters)
    if as_json:
        show_json({"items": found, "next": None})
        return
    several = len({one.get("venue") for one in found}) > 1
    show_table(
        ["when", "code", "party", "where", "state", "held until", Column("made by", drop=1),
         Column("name", drop=2), "venue"],
        (
            [
                one.get("starts_at"),
                one.get("code"),
                one.get("party_size"),
                " + ".join(one.get("resources") or []),
                hold_words(one),
                time_text(one.get("expires_at")),
                one.get("made_by"),
                (one.get("guest") or {}).get("name"),
                one.get("venue") if several else "",
            ]
            for one in found
        ),
        empty="No hold fits; with fewer filters there may be more."
        if any(filters.values())
        else "Nothing is held now: `holdfast holds add` keeps a place for some minutes.",
        by_day="venue",
    )  # fmt: skip


@holds.command()
@data_option
@place_options
@guest_options
@click.option("--source", metavar="S", help="Where it came from, such as phone or website.")
@click.option(
    "--hold-minutes",
    type=int,
    metavar="M",
    help=f"How long it is held, {HOLD_MINUTES_MAX} at most; left out: as the venue says.",
)
@key_option
@wait_option
@json_option
def add(
    data: Path,
    at: str,
    party: int,
    minutes: int | None,
    resources: tuple[str, ...],
    features: tuple[str, ...],
    user: str | None,
    agent: str | None,
    guest_name: str | None,
    guest_phone: str | None,
    guest_email: str | None,
    guest: str | None,
    hold_minutes: int | None,
    key: str | None,
    wait: int | None,
    as_json: bool,
    **same: Any,
) -> None:
    """Hold a place. It is free again by itself, unless somebody reserves it in time.

    \b
    Such as:
      holdfast holds add --venue trattoria --at 2026-07-01T19:30 --party 2 \\
          --data desk
    """
    if minutes is not None and same["nights"] is not None:
        raise click.UsageError("give --minutes or --nights, not both")
    body = {
        "starts_at": at,
        "party_size": party,
        "duration_minutes": minutes,
        "resources": list(resources) or None,
        "features": list(features) or None,
        "user_id": user,
        "agent_id": agent,
        "guest": read_guest(guest, name=guest_name, phone=guest_phone, email=guest_email),
        "minutes": hold_minutes,
        **same,
    }
    make(data, "/holds", body, key=key, wait=wait, as_json=as_json, show=_show)


@holds.command()
@click.argument("hold", metavar="ID")
@data_option
@json_option
def show(hold: str, data: Path, as_json: bool) -> None:
    """Show one hold, and what became of it."""
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/holds/{quoted(hold)}")
        if as_json:
            show_json(found)
        else:
            _show(session, found)


@holds.command()
@click.argument("hold", metavar="ID")
@data_option
@click.option("--minutes", required=True, type=int, metavar="M", help="How much longer.")
@json_option
def extend(hold: str, data: Path, minutes: int, as_json: bool) -> None:
    """Hold it longer; once, and for thirty minutes in all at the most."""
    from holdfast.commands.session import quoted

    path = f"/holds/{quoted(hold)}/extend"
    change(data, "POST", path, {"minutes": minutes}, as_json=as_json, show=_show)


@holds.command()
@click.argument("hold", metavar="ID")
@data_option
@click.option("--at", "at", metavar="T", help="Another start, venue-local.")
@click.option("--resource", "resources", multiple=True, metavar="R", help="May be repeated.")
@click.option("--party", type=int, metavar="N", help="Another number of people.")
@click.option("--minutes", type=int, metavar="M", help="Another length.")
@json_option
def move(
    hold: str,
    data: Path,
    at: str | None,
    resources: tuple[str, ...],
    party: int | None,
    minutes: int | None,
    as_json: bool,
) -> None:
    """Hold another place or time instead; the old one is kept until the new one is certain."""
    from holdfast.commands.session import quoted

    body: dict[str, Any] = {
        "starts_at": at,
        "resources": list(resources) or None,
        "party_size": party,
        "duration_minutes": minutes,
    }
    if all(value is None for value in body.values()):
        raise click.UsageError("say what changes: --at, --resource, --party or --minutes")
    change(data, "PATCH", f"/holds/{quoted(hold)}", body, as_json=as_json, show=_show)


@holds.command()
@click.argument("hold", metavar="ID")
@data_option
@json_option
def release(hold: str, data: Path, as_json: bool) -> None:
    """Give a hold back; its place is free at once where this device has it to give."""
    from holdfast.commands.session import quoted

    change(data, "DELETE", f"/holds/{quoted(hold)}", as_json=as_json, show=_show)


@holds.command()
@click.argument("hold", metavar="ID")
@data_option
@guest_options
@click.option("--source", metavar="S", help="Where it came from, such as phone or website.")
@key_option
@wait_option
@json_option
def reserve(
    hold: str,
    data: Path,
    user: str | None,
    agent: str | None,
    guest_name: str | None,
    guest_phone: str | None,
    guest_email: str | None,
    guest: str | None,
    source: str | None,
    key: str | None,
    wait: int | None,
    as_json: bool,
) -> None:
    """Make a reservation of a hold, at the place that is held; its code stays the same.

    \b
    Such as:
      holdfast holds reserve RES-2026-ABC123 --guest-name "Anna Ricci" \\
          --data desk
    """
    from holdfast.commands.session import quoted

    card = read_guest(guest, name=guest_name, phone=guest_phone, email=guest_email)
    path = f"/holds/{quoted(hold)}/reserve"
    body = {"user_id": user, "agent_id": agent, "guest": card, "source": source}
    make(data, path, body, key=key, wait=wait, as_json=as_json, show=_show_reserved)


def _show(_: Session, hold: dict[str, Any]) -> None:
    from holdfast.commands.output import show_fields
    from holdfast.commands.screens import hold_fields

    show_fields(hold_fields(hold))


def _show_reserved(_: Session, reservation: dict[str, Any]) -> None:
    from holdfast.commands.reservations import show_reservation

    show_reservation(reservation, to_guest=True)
