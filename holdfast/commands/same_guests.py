"""`holdfast guests flag`, `history`, `merge`, `unmerge`, `duplicates`: who it is that comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.commands.naming import named_agent, said_of, shown_chars
from holdfast.commands.options import data_option, json_option
from holdfast.commands.words import clock_text, code_words, counted, status_words
from holdfast.model.guest_flags import FLAGS

_venue_option = click.option(
    "--venue", metavar="V", help="At which venue, where there are several."
)


@click.command()
@click.argument("agent", metavar="AGENT")
@click.argument("flag", type=click.Choice(FLAGS), required=False)
@click.option("--off", is_flag=True, help="Take the mark away.")
@_venue_option
@data_option
@json_option
def flag(
    agent: str, flag: str | None, off: bool, venue: str | None, data: Path, as_json: bool
) -> None:
    """Mark a guest as VIP or issue; without a flag, show how they are marked.

    \b
    Such as:
      holdfast guests flag RES-2026-ABC123 vip --data desk
      holdfast guests flag RES-2026-ABC123 issue --off --data desk

    Staff sees it at each of their reservations. `audit list` shows who said so.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    if off and flag is None:
        raise click.UsageError(f"--off goes with one of {', '.join(FLAGS)}")
    with open_session(data) as session:
        path = f"/guests/{quoted(named_agent(session, agent))}/flags"
        if flag is None:
            found = session.get(path, venue=venue)
        else:
            body = {"venue": venue, "up": not off}
            found = session.request("PUT", f"{path}/{flag}", body=body).data
    if as_json:
        show_json(found)
        return
    up = [one for one in FLAGS if found[one]["up"]]
    marked = " and ".join(one.upper() if one == "vip" else one for one in up) or "nothing"
    say(f"{found['agent_id']} is marked as {marked} at {found['venue']}.")


@click.command()
@click.argument("agent", metavar="AGENT")
@click.option("--status", metavar="S", help="Only these, such as completed or no_show.")
@click.option("--from", "starts_from", metavar="TIME", help="Only those that begin then or later.")
@click.option("--to", "starts_before", metavar="TIME", help="Only those that begin before.")
@_venue_option
@data_option
@json_option
def history(
    agent: str,
    status: str | None,
    starts_from: str | None,
    starts_before: str | None,
    venue: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """A guest's reservations, and what they say: visits, no-shows, favourites.

    \b
    Such as:
      holdfast guests history RES-2026-ABC123 --status completed --data desk

    The figures are of all of them, whichever are listed.
    """
    from holdfast.commands.output import show_fields, show_json, show_table
    from holdfast.commands.session import open_session, quoted

    between = {"from": starts_from, "to": starts_before}
    with open_session(data) as session:
        path = f"/guests/{quoted(named_agent(session, agent))}"
        figures = session.get(f"{path}/history", venue=venue)
        items = session.items(f"{path}/reservations", None, venue=venue, status=status, **between)
    if as_json:
        show_json(figures | {"items": items})
        return
    show_fields([("guest", figures["agent_id"]), *history_fields(figures)])
    show_table(
        ["when", "code", "party", "where", "state"],
        (
            [
                one["starts_at"],
                one["code"],
                one["party_size"],
                " + ".join(one["resources"]),
                status_words(one, brief=True),
            ]
            for one in items
        ),
        empty="no reservations",
    )


def history_fields(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """What a guest's reservations say, as fields of a screen."""
    late = found["late_cancellations"]
    called_off = found["cancellations"]
    return [
        ("visits", found["visits"]),
        ("did not come", found["no_shows"] or None),
        ("called off", f"{called_off}, {late} of them late" if late else called_off or None),
        ("to come", found["to_come"] or None),
        ("party", found["average_party"]),
        ("last visit", clock_text(found["last_visit"]) if found["last_visit"] else None),
        ("next", clock_text(found["next"]) if found["next"] else None),
        ("likes", _favourites(found["favourite_areas"])),
        ("sits at", _favourites(found["favourite_resources"])),
        ("comes for", _favourites(found["occasions"])),
    ]


def _favourites(found: list[dict[str, Any]]) -> str:
    """Such as `Garden (3), Main (1)`."""
    return ", ".join(f"{code_words(one['name'])} ({one['visits']})" for one in found)


@click.command()
@click.argument("agent", metavar="AGENT")
@click.argument("other", metavar="OTHER")
@_venue_option
@data_option
@json_option
def merge(agent: str, other: str, venue: str | None, data: Path, as_json: bool) -> None:
    """Say that AGENT and OTHER are one guest.

    \b
    Such as:
      holdfast guests duplicates --data desk
      holdfast guests merge RES-2026-ABC123 RES-2026-DEF456 --data desk

    From then on visits, notes, restrictions, export and forgetting are of both, at every device of
    the venue. `holdfast guests unmerge` takes it back.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        first, second = named_agent(session, agent), named_agent(session, other)
        meant = "" if as_json else f"{said_of(session, first)} and {said_of(session, second)}"
        path = f"/guests/{quoted(first)}/merge"
        found = session.post(path, {"venue": venue, "other": second})
    if as_json:
        show_json(found)
        return
    say(f"{meant} are one guest at {found['venue']}, with {_ids(found)}.")


@click.command()
@click.argument("agent", metavar="AGENT")
@click.argument("other", metavar="[OTHER]", required=False)
@_venue_option
@data_option
@json_option
def unmerge(agent: str, other: str | None, venue: str | None, data: Path, as_json: bool) -> None:
    """Say that AGENT is not OTHER after all; without OTHER, that AGENT is nobody else."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        path = f"/guests/{quoted(named_agent(session, agent))}/unmerge"
        second = None if other is None else named_agent(session, other)
        found = session.post(path, {"venue": venue, "other": second})
    if as_json:
        show_json(found)
        return
    say(f"{found['agent_id']} is one guest at {found['venue']}, with {_ids(found)}.")


def _ids(found: dict[str, Any]) -> str:
    ids = found["agent_ids"]
    return f"{counted(len(ids), 'agent id')}: {', '.join(ids)}"


@click.command()
@_venue_option
@click.option("--limit", type=click.IntRange(1, 500), metavar="N", help="At most so many pairs.")
@data_option
@json_option
def duplicates(venue: str | None, limit: int | None, data: Path, as_json: bool) -> None:
    """Guests with the same telephone number or e-mail address, who may be one.

    Families share a telephone: look before you merge. Who is merged already is not listed.
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        pairs = session.items("/guests/duplicates", limit, venue=venue)
    if as_json:
        show_json({"items": pairs, "next": None})
        return
    ids = [one["agent_id"] for pair in pairs for one in pair["guests"]]
    short = shown_chars(ids) if ids else 0
    show_table(
        [
            "same",
            Column("agent", short=short),
            "name",
            Column("and", short=short),
            "name",
            Column("reservations", drop=1),
        ],
        (
            [
                " and ".join(pair["by"]),
                pair["guests"][0]["agent_id"],
                pair["guests"][0]["guest"].get("name"),
                pair["guests"][1]["agent_id"],
                pair["guests"][1]["guest"].get("name"),
                " + ".join(str(one["reservations"]) for one in pair["guests"]),
            ]
            for pair in pairs
        ),
        empty="No two guests have the same number or address.",
    )
