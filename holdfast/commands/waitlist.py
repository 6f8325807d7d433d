"""`holdfast waitlist`: who waits for a place, whose turn it is, and what is offered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import (
    Group,
    all_reasons,
    data_option,
    guest_options,
    json_option,
    key_option,
    read_guest,
    reason_option,
    venue_option,
    wait_option,
)
from holdfast.commands.words import between_text, day_text, span_text, waiting_words
from holdfast.commands.writing import change, make
from holdfast.model.limits import HOLD_MINUTES_MAX
from holdfast.model.vocabulary import CANCEL_REASONS

if TYPE_CHECKING:
    from holdfast.commands.session import Session


@click.group(cls=Group)
def waitlist() -> None:
    """Who waits for a place, and what is offered. ID is the id or the code."""


@waitlist.command("list")
@data_option
@click.option("--venue", metavar="V", help="Only of this one.")
@click.option("--date", metavar="D", help=f"{DATE_HELP}; left out: from today on.")
@json_option
def list_(data: Path, as_json: bool, **filters: str | None) -> None:
    """Who waits, in the order of their turns.

    \b
    Such as:
      holdfast waitlist list --venue trattoria --date 2026-07-01 --data desk
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        filters["date"] = date_meant(session, filters["date"], filters["venue"])
        found = session.items("/waitlist", None, **filters)
    if as_json:
        show_json({"items": found, "next": None})
        return
    several = len({one.get("venue") for one in found}) > 1
    days = len({one.get("date") for one in found}) > 1
    show_table(
        ["no.", "code", "party", "day", "between", "state", Column("about", drop=1),
         Column("name", drop=2), "venue"],
        (
            [
                one.get("position"),
                one.get("code"),
                one.get("party_size"),
                day_text(one.get("date")) if days else "",
                between_text(one.get("from"), one.get("to")),
                waiting_words(one),
                _about(one.get("quoted_minutes")),
                (one.get("guest") or {}).get("name"),
                one.get("venue") if several else "",
            ]
            for one in found
        ),
        empty="Nobody waits: `holdfast waitlist add` puts a party on the list.",
    )  # fmt: skip


@waitlist.command()
@data_option
@venue_option
@click.option("--date", required=True, metavar="D", help=f"{DATE_HELP}.")
@click.option("--party", required=True, type=int, metavar="N", help="How many people come.")
@click.option("--from", "earliest", metavar="HH:MM", help="The earliest start that would do.")
@click.option("--to", "latest", metavar="HH:MM", help="The latest; left out: the whole day.")
@click.option("--area", metavar="A", help="Only a place of this area.")
@click.option("--priority", type=int, metavar="N", help="Of two, the lower goes first; 0.")
@guest_options
@click.option("--source", metavar="S", help="Where it came from, such as phone or website.")
@key_option
@json_option
def add(
    data: Path,
    venue: str | None,
    date: str,
    party: int,
    earliest: str | None,
    latest: str | None,
    area: str | None,
    priority: int | None,
    user: str | None,
    agent: str | None,
    guest_name: str | None,
    guest_phone: str | None,
    guest_email: str | None,
    guest: str | None,
    source: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Put a party on the waitlist of a day.

    \b
    Such as:
      holdfast waitlist add --venue trattoria --date 2026-07-01 --party 2 \\
          --from 19:00 --to 21:00 --guest-name "Anna Ricci" --data desk
    """
    body = {
        "venue": venue,
        "date": date,
        "party_size": party,
        "from": earliest,
        "to": latest,
        "area": area,
        "priority": priority,
        "user_id": user,
        "agent_id": agent,
        "guest": read_guest(guest, name=guest_name, phone=guest_phone, email=guest_email),
        "source": source,
    }
    make(data, "/waitlist", body, key=key, wait=None, as_json=as_json, show=_show)


@waitlist.command()
@click.argument("waiting", metavar="ID")
@data_option
@json_option
def show(waiting: str, data: Path, as_json: bool) -> None:
    """Show one party that waits, or what became of it."""
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/waitlist/{quoted(waiting)}")
        if as_json:
            show_json(found)
        else:
            _show(session, found)


@waitlist.command()
@click.argument("waiting", metavar="ID")
@data_option
@click.option("--at", "at", metavar="TIME", help="This start; left out: the first that fits.")
@click.option("--resource", "resources", multiple=True, metavar="R", help="May be repeated.")
@click.option(
    "--minutes",
    type=int,
    metavar="M",
    help=f"How long it is held for them, {HOLD_MINUTES_MAX} at most; "
    "left out: as the venue says, or 15.",
)
@key_option
@wait_option
@json_option
def offer(
    waiting: str,
    data: Path,
    at: str | None,
    resources: tuple[str, ...],
    minutes: int | None,
    key: str | None,
    wait: int | None,
    as_json: bool,
) -> None:
    """Hold a place for a party that waits; call them, and `accept` for them."""
    from holdfast.commands.session import quoted

    body = {"starts_at": at, "resources": list(resources) or None, "minutes": minutes}
    path = f"/waitlist/{quoted(waiting)}/offer"
    make(data, path, body, key=key, wait=wait, as_json=as_json, show=_show)


@waitlist.command()
@click.argument("waiting", metavar="ID")
@data_option
@click.option(
    "--base",
    metavar="URL",
    help="How guests reach this device, such as https://book.example; left out: as it serves.",
)
@json_option
def link(waiting: str, data: Path, base: str | None, as_json: bool) -> None:
    """Print the address at which they take what is offered, without a login.

    Whoever has it may take the place, once, until the offer lapses. Holdfast sends it to nobody.
    Its secret stands behind the `#`: browsers send that part to no server.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted, running_process
    from holdfast.model.errors import Unreachable

    found = running_process(data)
    if base is None and found is None:
        raise Unreachable(
            f"nothing serves {data}, so that no address leads there; start it with `holdfast hub "
            "run` or `holdfast node run`, or say with --base how guests reach it"
        )
    with open_session(data) as session:
        made = session.post(f"/waitlist/{quoted(waiting)}/link")
    where = base if base is not None else found.url if found is not None else ""
    url = where.rstrip("/") + made["path"]
    if as_json:
        show_json({"url": url, "expires_at": made["expires_at"]})
    else:
        say(url)


@waitlist.command()
@click.argument("waiting", metavar="ID")
@data_option
@guest_options
@click.option("--source", metavar="S", help="Where it came from, such as phone or website.")
@key_option
@wait_option
@json_option
def accept(
    waiting: str,
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
    """Make a reservation of what was offered; its code stays the same."""
    from holdfast.commands.reservations import show_reservation
    from holdfast.commands.session import quoted

    card = read_guest(guest, name=guest_name, phone=guest_phone, email=guest_email)
    make(
        data, f"/waitlist/{quoted(waiting)}/accept",
        {"user_id": user, "agent_id": agent, "guest": card, "source": source},
        key=key, wait=wait, as_json=as_json,
        show=lambda _, made: show_reservation(made, to_guest=True),
    )  # fmt: skip


@waitlist.command(epilog=all_reasons(CANCEL_REASONS))
@click.argument("waiting", metavar="ID")
@data_option
@reason_option(
    CANCEL_REASONS, "Needed for who was displaced, since that case ends with it. Such as",
    required=False,
)  # fmt: skip
@json_option
def remove(waiting: str, data: Path, reason: str | None, as_json: bool) -> None:
    """Take a party off the waitlist; those behind it move up."""
    from holdfast.commands.session import quoted

    params = None if reason is None else {"reason": reason}
    change(
        data, "DELETE", f"/waitlist/{quoted(waiting)}", params=params, as_json=as_json, show=_show
    )


def _about(minutes: Any) -> str:
    return span_text(minutes * 60_000) if isinstance(minutes, int) else ""


def _show(_: Session, party: dict[str, Any]) -> None:
    from holdfast.commands.output import show_fields
    from holdfast.commands.screens import waiting_fields

    show_fields(waiting_fields(party))
