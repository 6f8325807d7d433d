"""`holdfast availability`: what can be had at a venue."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.options import (
    data_option,
    json_option,
    only_venue,
    promises_explained,
    venue_option,
)
from holdfast.commands.words import until_text


@click.command(epilog=promises_explained())
@data_option
@venue_option
@click.option("--date", metavar="D", help=f"{DATE_HELP}.")
@click.option("--from", "starts_from", metavar="TIME", help="Instead of a date: starts from …")
@click.option("--to", "starts_to", metavar="TIME", help="… and before.")
@click.option("--party", required=True, type=int, metavar="N", help="How many people come.")
@click.option("--minutes", type=int, metavar="M", help="How long.")
@click.option(
    "--nights", type=click.IntRange(min=1), metavar="N", help="How many nights, at a lodging."
)
@click.option("--area", metavar="A", help="Only this area.")
@click.option("--walk-in", is_flag=True, help="For guests who stand at the desk, from now on.")
@click.option(
    "--feature", "features", multiple=True, metavar="F", help="Only with this; may be repeated."
)
@click.option("--full", is_flag=True, help="Also what cannot be had, and why.")
@json_option
def availability(
    data: Path,
    venue: str | None,
    date: str | None,
    starts_from: str | None,
    starts_to: str | None,
    party: int,
    minutes: int | None,
    nights: int | None,
    area: str | None,
    walk_in: bool,
    features: tuple[str, ...],
    full: bool,
    as_json: bool,
) -> None:
    """What can be had.

    \b
    Such as:
      holdfast availability --venue trattoria --date 2026-07-01 \\
          --party 2 --data desk
    """
    from holdfast.commands.output import show_json, show_table
    from holdfast.commands.session import open_session, quoted
    from holdfast.commands.why_not import no_times_words, slot_words
    from holdfast.model.venue import parse_venue

    if date is None and starts_from is None and starts_to is None:
        raise click.UsageError("say when: --date, or --from and --to")
    if date is not None and (starts_from is not None or starts_to is not None):
        raise click.UsageError("give --date, or --from and --to, not both")
    with open_session(data) as session:
        venue = venue or only_venue(session)
        date = date_meant(session, date, venue)
        answer = session.request(
            "GET",
            "/availability",
            params={
                "venue": venue,
                "date": date,
                "from": starts_from,
                "to": starts_to,
                "party_size": party,
                "duration_minutes": minutes,
                "nights": nights,
                "area": area,
                "kind": "walk_in" if walk_in else None,
                "features": ",".join(features) or None,
                "include": "full" if full else None,
            },
        ).data
        if as_json:
            show_json(answer)
            return
        known = parse_venue(session.get(f"/venues/{quoted(venue)}")) if full else None
    empty = no_times_words(known, date) if known else "nothing can be had then; `--full` says why"
    show_table(
        ["from", "until", "where", "promise", "free", *(["why not"] if full else [])],
        (
            [
                slot.get("starts_at"),
                until_text(slot.get("starts_at"), slot.get("ends_at")),
                " + ".join(slot.get("resources") or []),
                slot.get("assurance"),
                slot.get("remaining"),
                *([slot_words(slot, known, party, area)] if known else []),
            ]
            for slot in answer["slots"]
        ),
        empty=empty,
        by_day="venue",
    )
