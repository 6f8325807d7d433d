"""`holdfast reservations`: list them, change them, bring in existing ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.days import DATE_HELP, date_meant
from holdfast.commands.naming import AGENT_HELP, named_agent
from holdfast.commands.options import (
    Group,
    all_overrides,
    all_reasons,
    data_option,
    file_argument,
    json_option,
    only_venue,
    override_option,
    read_reference,
    reason_option,
)
from holdfast.commands.words import (
    ALONE,
    clock_text,
    guest_words,
    status_words,
    sync_words,
    until_text,
    venue_hint,
    visitor_fields,
    who_words,
)
from holdfast.model.approval import STATES
from holdfast.model.errors import NotFound
from holdfast.model.vocabulary import CANCEL_REASONS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_WITHOUT_PLACE: Final = ("cancelled", "commit_failed", "expired")
"""The statuses in which a reservation holds no place any more."""


@click.group(cls=Group)
def reservations() -> None:
    """List reservations, change them, bring in existing ones. ID is the id or the code."""


@reservations.command("list")
@data_option
@click.option("--venue", metavar="V", help="Only of this one.")
@click.option("--date", metavar="D", help=f"{DATE_HELP}.")
@click.option("--status", metavar="S", help="Such as confirmed or commit_pending.")
@click.option("--agent", metavar="AGENT", help=f"Only of this guest. {AGENT_HELP}")
@click.option("--area", metavar="A", help="Only at the tables of this area.")
@click.option("--series", metavar="ID", help="All of the series that this one belongs to.")
@click.option(
    "--approval", type=click.Choice(STATES), help="What waits for the house's word, or has it."
)
@click.option(
    "--partner-reference",
    metavar="R|-",
    help="What a partner calls it; `-`: read it. With --source.",
)
@click.option("--source", metavar="S", help="With --partner-reference: of this source alone.")
@click.option("--by-table", is_flag=True, help="Table after table, of one service date.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@json_option
def list_(
    data: Path,
    agent: str | None,
    partner_reference: str | None,
    source: str | None,
    by_table: bool,
    limit: int | None,
    as_json: bool,
    **filters: str | None,
) -> None:
    """List by start, or table after table.

    \b
    Such as:
      holdfast reservations list --date 2026-07-01 --area Garden --data desk
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    if by_table and not filters["date"]:
        raise click.UsageError("--by-table is for one service date: give --date too")
    others = (agent, limit, *(value for name, value in filters.items() if name != "venue"))
    if partner_reference is not None and (by_table or any(others)):
        raise click.UsageError("--partner-reference goes with --venue and --source alone")
    if source is not None and partner_reference is None:
        raise click.UsageError("--source is of --partner-reference: give that too")
    with open_session(data) as session:
        whole = None if agent is None else named_agent(session, agent)
        filters["date"] = date_meant(session, filters["date"], filters["venue"])
        if by_table:
            asked = {"venue": filters["venue"] or only_venue(session), "order": "table"}
        else:
            asked = {}
        if partner_reference is not None:
            found = _of_partner(session, filters["venue"], partner_reference, source)
        else:
            found = session.items("/reservations", limit, agent_id=whole, **(filters | asked))
    if as_json:
        show_json({"items": found, "next": None})
        return
    several = len({one.get("venue") for one in found}) > 1
    show_table(
        [
            *("when", "code", "party", "where", "state"),
            Column("exchange", drop=1),
            *("name", "venue"),
        ],
        (
            [
                one.get("starts_at"),
                one.get("code"),
                one.get("party_size"),
                " + ".join(one.get("resources") or []),
                status_words(one, brief=True),
                # What is known to the hub is as it should be, and needs no word.
                "" if one.get("sync") == "merged" else sync_words(one.get("sync")),
                (one.get("guest") or {}).get("name"),
                one.get("venue") if several else "",
            ]
            for one in found
        ),
        empty="No reservation fits; with fewer filters there may be more."
        if whole or partner_reference or any(filters.values())
        else "No reservations yet: `holdfast reserve` makes one, and `holdfast reservations"
        " import` brings in those of another system.",
        # After midnight the day is another one, and a table's evening would be torn apart.
        by_day=None if by_table else "venue",
    )


def _of_partner(
    session: Session, venue: str | None, reference: str, source: str | None
) -> list[dict[str, Any]]:
    """What has a partner's reference; in a body, since what stands in a URL stands in logs."""
    body = {
        "venue": venue or only_venue(session),
        "partner_reference": read_reference(reference),
        "source": source,
    }
    given = {name: value for name, value in body.items() if value is not None}
    found: list[dict[str, Any]] = session.post("/reservations/search", given)["items"]
    return found


@reservations.command()
@click.argument("reservation", metavar="ID")
@data_option
@json_option
def show(reservation: str, data: Path, as_json: bool) -> None:
    """Show one reservation, with its decision and the fate of its operations."""
    from holdfast.commands.known_guests import say_who_is_known
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/reservations/{quoted(reservation)}")
        winners = [] if as_json else _winners(session, found)
    if as_json:
        _show(found, as_json)
    else:
        show_reservation(found, winners)
        say_who_is_known(found)


@reservations.command(epilog=all_reasons(CANCEL_REASONS))
@click.argument("reservation", metavar="ID")
@data_option
@reason_option(CANCEL_REASONS, has_note=True)
@click.option("--by", metavar="WHO", help="guest, venue or system; left out: guest.")
@click.option("--note", metavar="TEXT", help="More about it; sealed for the venue. `-`: read it.")
@click.option("--series", is_flag=True, help="And all later ones of its series.")
@json_option
def cancel(
    reservation: str,
    data: Path,
    reason: str,
    by: str | None,
    note: str | None,
    series: bool,
    as_json: bool,
) -> None:
    """Cancel a reservation; its place is free once its holder has ended the claim."""
    from holdfast.commands.hub_standing import warn_if_shut_out
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session, quoted

    if note == "-":
        note = sys.stdin.read().strip()
    given = {"reason": reason, "by": by, "note": note, "series": series or None}
    with open_session(data) as session:
        before = _series_of(session, reservation) if series and not as_json else []
        path = f"/reservations/{quoted(reservation)}/cancel"
        done = session.post(path, {k: v for k, v in given.items() if v is not None})
        after = _series_of(session, reservation) if before else []
        warn_if_shut_out(session)
    if as_json:
        show_json(done)
    elif after:
        _show_called_off(before, after)
    else:
        show_reservation(done)


def _series_of(session: Session, reservation: str) -> list[dict[str, Any]]:
    """The dates of the series that a reservation belongs to; none where it was made alone."""
    from holdfast.commands.failures import Refused

    try:
        return session.items("/reservations", None, series=reservation)
    except Refused as error:
        if error.http_status != NotFound.status:
            raise
        return []


def _show_called_off(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    """Which dates of a series were called off just now, and how many stay."""
    from holdfast.commands.output import say, show_table
    from holdfast.commands.words import counted

    stood = {one["id"]: one for one in before if one["cancelled"] is None}
    gone = [one for one in after if one["id"] in stood and one["cancelled"] is not None]
    show_table(
        ["when", "code", "party", "had", "state"],
        (
            [
                one.get("starts_at"),
                one.get("code"),
                one.get("party_size"),
                " + ".join(stood[one["id"]].get("resources") or []),
                status_words(one, brief=True),
            ]
            for one in gone
        ),
        by_day="venue",
    )
    left = sum(one["cancelled"] is None for one in after)
    rest = f"; {counted(left, 'other date', 'other dates')} of the series as before" if left else ""
    say(f"{counted(len(gone), 'date', 'dates')} cancelled{rest}.")


@reservations.command("check-in")
@click.argument("reservation", metavar="ID")
@data_option
@click.option("--party", type=int, metavar="N", help="How many came.")
@json_option
def check_in(reservation: str, data: Path, party: int | None, as_json: bool) -> None:
    """The guests are here."""
    _step(reservation, "check-in", data, as_json, actual_party_size=party)


@reservations.command()
@click.argument("reservation", metavar="ID")
@data_option
@json_option
def complete(reservation: str, data: Path, as_json: bool) -> None:
    """The guests have left; the place is free again."""
    _step(reservation, "complete", data, as_json)


@reservations.command("no-show")
@click.argument("reservation", metavar="ID")
@data_option
@json_option
def no_show(reservation: str, data: Path, as_json: bool) -> None:
    """The guests did not come; their place is free for others."""
    _step(reservation, "no-show", data, as_json)


@reservations.command("undo-no-show")
@click.argument("reservation", metavar="ID")
@data_option
@json_option
def undo_no_show(reservation: str, data: Path, as_json: bool) -> None:
    """They came after all: takes a no-show back, within 24 hours, and asks for a place again."""
    _step(reservation, "undo-no-show", data, as_json)


@reservations.command(epilog=all_overrides())
@click.argument("reservation", metavar="ID")
@data_option
@json_option
def approve(reservation: str, data: Path, as_json: bool) -> None:
    """The house agrees to what a guest reserved by themself.

    \b
    What waits for it, where the venue file says `confirmation: manual`:
      holdfast reservations list --approval pending --data desk
    To decline is to cancel it, by the venue:
      holdfast reservations cancel ID --by venue --reason R --data desk
    """
    _step(reservation, "approve", data, as_json)


@reservations.command()
@click.argument("reservation", metavar="ID")
@data_option
@click.option("--at", "at", metavar="T", help="A new start, venue-local.")
@click.option("--resource", "resources", multiple=True, metavar="R", help="May be repeated.")
@click.option("--party", type=int, metavar="N", help="A new number of people.")
@click.option("--minutes", type=int, metavar="M", help="A new length.")
@click.option("--nights", type=click.IntRange(min=1), metavar="N", help="A new number of nights.")
@override_option
@json_option
def move(
    reservation: str,
    data: Path,
    at: str | None,
    resources: tuple[str, ...],
    party: int | None,
    minutes: int | None,
    nights: int | None,
    override: str | None,
    as_json: bool,
) -> None:
    """Move or resize a reservation; the old place is kept until the new one is certain."""
    from holdfast.commands.hub_standing import warn_if_shut_out
    from holdfast.commands.session import open_session, quoted

    body: dict[str, Any] = {
        "starts_at": at,
        "resources": list(resources) or None,
        "party_size": party,
        "duration_minutes": minutes,
        "nights": nights,
    }
    body = {name: value for name, value in body.items() if value is not None}
    if not body:
        raise click.UsageError("say what changes: --at, --resource, --party, --minutes or --nights")
    if override is not None:
        body["override"] = {"reason": override}
    with open_session(data) as session:
        answer = session.request("PATCH", f"/reservations/{quoted(reservation)}", body=body)
        warn_if_shut_out(session)
    _show(answer.data, as_json)


@reservations.command("import")
@file_argument("file")
@data_option
@click.option(
    "--map",
    "mapping",
    metavar="MAP.toml",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Which column means what. A calendar (.ics) can do without.",
)
@click.option("--venue", metavar="V", help="Whose reservations they are, if no mapping says it.")
@json_option
def import_(file: Path, data: Path, mapping: Path | None, venue: str | None, as_json: bool) -> None:
    """Bring in an existing system's reservations; the same file again changes nothing.

    \b
    Such as, with the files in examples/hotels:
      holdfast reservations import excerpt.csv --map hotel-city.toml --data hub
      holdfast reservations import calendar.ics --venue trattoria --data desk

    A mapping says which column means what: docs/import.md.
    """
    from holdfast.commands.importing import import_file, show_summary
    from holdfast.commands.output import show_json

    summary = import_file(data, file, mapping, venue)
    if as_json:
        show_json(summary)
    else:
        show_summary(summary)


def _winners(session: Session, reservation: dict[str, Any]) -> list[dict[str, Any]]:
    """Who has what this one could not have, or stands in its way, as far as it is known here."""
    from holdfast.commands.session import quoted
    from holdfast.model.errors import HoldfastError

    found = []
    told = reservation.get("prognosis") or reservation.get("decision") or {}
    for identity in told.get("won") or []:
        try:
            winner = session.get(f"/reservations/{quoted(identity)}")
        except HoldfastError:
            winner = {"id": identity}
        found.append({**winner, "known": bool(winner.get("code"))})
    return found


def show_reservation(
    reservation: dict[str, Any],
    winners: Sequence[dict[str, Any]] = (),
    *,
    to_guest: bool = False,
    alone: bool = False,
) -> None:
    """One reservation in plain words; `winners` have what it could not have. `to_guest` adds what
    the guest, who waits for it, may be told; `alone`: nobody will hear of it from this device."""
    from holdfast.commands.output import show_fields
    from holdfast.commands.screens import expected_words, winner_words
    from holdfast.node.words import plain_reason

    status = reservation.get("status")
    where = " + ".join(reservation.get("resources") or [])
    decision = reservation.get("decision") or {}
    change = reservation.get("pending_change") or {}
    guest = reservation.get("guest") or {}
    starts = reservation.get("starts_at")
    held = "in the way" if reservation.get("prognosis") else "has it"
    show_fields(
        [
            (
                "tell the guest",
                (ALONE if alone else guest_words(reservation)) if to_guest else None,
            ),
            ("code", reservation.get("code")),
            ("state", status_words(reservation)),
            ("tell staff", _override_words(reservation.get("override"))),
            ("promise", (reservation.get("lost_promise") or {}).get("words")),
            ("venue", reservation.get("venue")),
            ("from", f"{clock_text(starts)}{venue_hint([starts])}"),
            ("until", until_text(starts, reservation.get("ends_at"))),
            ("party", reservation.get("party_size")),
            ("where", "" if status in _WITHOUT_PLACE else where),
            ("sit at", " + ".join(reservation.get("seated_at") or [])),
            ("asked for", where if status == "commit_failed" else _change_words(change)),
            ("said again to come", clock_text(reservation.get("attendance_confirmed_at"))),
            ("came", clock_text(reservation.get("checked_in_at"))),
            ("received by", who_words(reservation.get("checked_in_by"))),
            ("left", clock_text(reservation.get("completed_at"))),
            ("seen off by", who_words(reservation.get("completed_by"))),
            *_cancellation_fields(reservation.get("cancelled") or {}),
            *((name, value) for name, value in guest.items()),
            *visitor_fields(reservation.get("visitor") or {}),
            ("decision", decision.get("verdict")),
            ("decided by", decision.get("by")),
            ("because", plain_reason(decision.get("reason") or "")),
            ("expected", expected_words(reservation.get("prognosis") or {})),
            *((held, winner_words(winner)) for winner in winners),
            ("to the hub", sync_words(reservation.get("sync"))),
            ("source", reservation.get("source")),
            ("made by", reservation.get("made_by")),
            ("agent", reservation.get("agent_id")),
            ("id", reservation.get("id")),
        ]
    )


def _cancellation_fields(cancelled: dict[str, Any]) -> list[tuple[str, Any]]:
    by = cancelled.get("by")
    return [
        ("cancelled for", str(cancelled.get("reason") or "").replace("_", " ")),
        ("cancelled by", f"the {by}" if by else None),
        ("cancelled at", clock_text(cancelled.get("at"))),
        ("note", cancelled.get("note")),
    ]


def _override_words(override: Any) -> str:
    """That it has a place beyond the capacity, and why: for staff; the guest has it all the
    same."""
    reason = str((override or {}).get("reason") or "").replace("_", " ")
    if not reason:
        return ""
    return f"overbooked, ABOVE CAPACITY ({reason}): until somebody leaves, one place is missing"


def _change_words(change: Any) -> str:
    if not isinstance(change, dict):
        return ""
    where = " + ".join(change.get("resources") or [])
    return f"{clock_text(change.get('starts_at'))} {where}".strip()


def show_series(made: dict[str, Any]) -> None:
    """What became of the dates of a series, what the guest may be told of each, and what else
    could be had."""
    from holdfast.commands.failures import free_instead
    from holdfast.commands.output import Column, remark, show_table
    from holdfast.node.words import sentences

    show_table(
        ["when", "code", "where", "state", Column("tell the guest", drop=1, below=True)],
        (
            [
                one.get("starts_at"),
                one.get("code"),
                " + ".join(one.get("resources") or []),
                status_words(one, brief=True),
                guest_words(one),
            ]
            for one in made["items"]
        ),
        by_day="venue",
    )
    for one in made["refused"]:
        said = f"{clock_text(one['starts_at'])} could not be had: {one['detail']}"
        remark(sentences([said, *filter(None, [free_instead(one["alternatives"])])]))


def _step(reservation: str, step: str, data: Path, as_json: bool, **body: Any) -> None:
    from holdfast.commands.hub_standing import warn_if_shut_out
    from holdfast.commands.session import open_session, quoted

    given = {name: value for name, value in body.items() if value is not None}
    with open_session(data) as session:
        answer = session.post(f"/reservations/{quoted(reservation)}/{step}", given)
        warn_if_shut_out(session)
    _show(answer, as_json)


def _show(reservation: dict[str, Any], as_json: bool) -> None:
    from holdfast.commands.output import show_json

    if as_json:
        show_json(reservation)
    else:
        show_reservation(reservation)
