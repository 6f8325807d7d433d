"""`holdfast reserve`: make a reservation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.commands.options import (
    all_overrides,
    data_option,
    guest_options,
    json_option,
    key_option,
    override_option,
    place_options,
    read_guest,
    read_reference,
    wait_option,
)
from holdfast.commands.writing import make


@click.command(epilog=all_overrides())
@data_option
@place_options
@guest_options
@click.option("--source", metavar="S", help="Where it came from, such as phone or website.")
@click.option(
    "--partner-reference",
    metavar="R|-",
    help="What the partner, whom --source names, calls it; `-`: read it. Once taken, it is found.",
)
@click.option(
    "--walk-in", "kind", flag_value="walk_in", default=None, help="The guests stand at the desk."
)
@click.option(
    "--repeat", metavar="RULE", help="And again, by a rule of RFC 5545: FREQ=WEEKLY;COUNT=8."
)
@click.option(
    "--each", is_flag=True, help="With --repeat: the dates that can be had; else all or none."
)
@click.option("--explain", is_flag=True, help="Say which steps it went through, refused or not.")
@override_option
@key_option
@wait_option
@json_option
def reserve(
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
    partner_reference: str | None,
    repeat: str | None,
    each: bool,
    explain: bool,
    override: str | None,
    key: str | None,
    wait: int | None,
    as_json: bool,
    **same: Any,
) -> None:
    """Make a reservation. It is kept here at once, with or without the hub.

    \b
    Such as:
      holdfast reserve --venue trattoria --at 2026-07-01T19:30 --party 2 \\
          --guest-name "Anna Ricci" --wait 5 --data desk
      holdfast reserve --venue trattoria --at 2026-07-03T19:30 --party 2 \\
          --repeat "FREQ=WEEKLY;COUNT=8" --each --data desk
    """
    from holdfast.commands.hub_standing import is_shut_out
    from holdfast.commands.reservations import show_reservation, show_series

    if minutes is not None and same["nights"] is not None:
        raise click.UsageError("give --minutes or --nights, not both")
    if each and repeat is None:
        raise click.UsageError("--each is of --repeat: give a rule too")
    if repeat is not None and (wait is not None or override is not None):
        raise click.UsageError("--repeat goes without --wait and --override")
    if repeat is not None and explain:
        raise click.UsageError("--repeat goes without --explain")
    if repeat is not None and partner_reference is not None:
        raise click.UsageError("--repeat goes without --partner-reference: each date has its own")
    card = read_guest(guest, name=guest_name, phone=guest_phone, email=guest_email)
    body = {
        "starts_at": at,
        "party_size": party,
        "duration_minutes": minutes,
        "resources": list(resources) or None,
        "features": list(features) or None,
        "user_id": user,
        "agent_id": agent,
        "guest": card,
        "override": None if override is None else {"reason": override},
        "partner_reference": read_reference(partner_reference),
        **same,
    }
    if repeat is not None:
        body |= {"rrule": repeat, "each": each or None}
        make(
            data, "/reservations/series", body, key=key, wait=None, as_json=as_json,
            show=lambda _, made: show_series(made),
        )  # fmt: skip
        return
    make(
        data, "/reservations", body, key=key, wait=wait, as_json=as_json, explain=explain,
        show=lambda session, made: show_reservation(
            made, to_guest=True, alone=is_shut_out(session)
        ),
    )  # fmt: skip
