"""`holdfast exceptions`: what a person must look at."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from holdfast.commands.options import (
    Group,
    all_reasons,
    data_option,
    json_option,
    read_reason,
    reason_option,
)
from holdfast.commands.words import ago_text
from holdfast.model.contradictions import ANSWERS
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.vocabulary import ACTIONS, RESOLVE_REASONS, resolve_reasons


@click.group(cls=Group)
def exceptions() -> None:
    """What a person must look at."""


@exceptions.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """What is open: first who was promised a place and lost it, then the oldest."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        items = session.items("/exceptions")
    if as_json:
        show_json({"items": items, "next": None})
        return
    now = datetime.datetime.now(datetime.UTC)
    show_table(
        [
            *("about", "what", "when", "party", Column("where", drop=1, below=True)),
            Column("guest", drop=2, below=True),
            Column("since", drop=5),
            Column("detail", drop=3, below=True, least=30),
            Column("actions", drop=4, below=True),
            Column("id", drop=6),
        ],
        (
            [
                _called(one),
                _what(one),
                one.get("starts_at"),
                one.get("party_size"),
                " + ".join(one.get("resources") or []),
                _guest(one),
                ago_text(one.get("since"), now),
                one.get("detail"),
                one.get("actions"),
                one.get("id"),
            ]
            for one in items
        ),
        empty="Nothing that a person must look at. What cannot be settled by itself, such as a"
        " place that was asked for twice while devices were apart, is listed here, with what can be"
        " done.",
    )


@exceptions.command()
@click.argument("exception", metavar="ID")
@data_option
@json_option
def show(exception: str, data: Path, as_json: bool) -> None:
    """Show one exception, by its id or what it is about, and what can be done about it."""
    from holdfast.commands.output import show_fields, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/exceptions/{quoted(_named(session, exception))}")
    if as_json:
        show_json(found)
        return
    show_fields(
        [
            ("about", _called(found)),
            ("what", _what(found)),
            ("venue", found.get("venue")),
            ("when", found.get("starts_at")),
            ("party", found.get("party_size")),
            ("where", " + ".join(found.get("resources") or [])),
            ("guest", _guest(found)),
            ("since", found.get("since")),
            ("detail", found.get("detail")),
            *((f"--action {one['action']}", one["does"]) for one in found.get("choices") or []),
            ("id", found.get("id")),
        ]
    )


@exceptions.command(epilog=all_reasons(RESOLVE_REASONS))
@click.argument("exception", metavar="ID")
@data_option
@click.option(
    "--action",
    required=True,
    metavar="A",
    type=click.Choice(sorted(ACTIONS)),
    help="What to do about it, as above.",
)
@click.option(
    "--resource",
    "resources",
    multiple=True,
    metavar="R",
    help="For move, walk and overbook: the other place. May be repeated.",
)
@click.option("--at", "at", metavar="T", help="For move and overbook: another start, venue-local.")
@reason_option(RESOLVE_REASONS, "What was done, such as", read=False)
@json_option
def resolve(
    exception: str,
    data: Path,
    action: str,
    resources: tuple[str, ...],
    at: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Do something about an exception, and record that it was done.

    Each kind has actions of its own, which `show` names.

    \b
    --action move          another free place or time: --resource, --at
    --action walk          they sit at --resource now, whoever it belongs to
    --action overbook      the place that was refused, beyond the capacity; the
                           reason says why, such as vip_guest or goodwill
    --action keep-both     leave both as they are
    --action refund-later  money is still to be given back
    --action cancel        cancel the reservation
    --action acknowledge   it was seen to; changes nothing else

    For a displaced reservation, `refund-later` also cancels that reservation.

    \b
    Such as:
      holdfast exceptions resolve RES-2026-ABC123 --action move --resource T2 \\
          --reason guest_called --data desk
    """
    from holdfast.commands.hub_standing import warn_if_shut_out
    from holdfast.commands.output import say, show_json
    from holdfast.commands.reservations import show_reservation
    from holdfast.commands.session import open_session, quoted

    code = read_reason(reason, resolve_reasons(action))
    body: dict[str, Any] = {"action": action, "reason": code}
    if resources:
        body["resources"] = list(resources)
    if at is not None:
        body["starts_at"] = at
    with open_session(data) as session:
        named = _named(session, exception)
        answer = session.post(f"/exceptions/{quoted(named)}/resolve", body)
        warn_if_shut_out(session)
        changed = None
        about, _, kind = named.partition(".")
        if not as_json and _changes(kind, action):
            changed = session.get(f"/reservations/{quoted(about)}")
    if as_json:
        show_json(answer)
        return
    if changed is not None and (changed.get("waits_for") or changed.get("pending_change")):
        say("Asked for. It comes back to this list if it is refused.")
    else:
        say("Resolved.")
    if changed is not None:
        show_reservation(changed, to_guest=True)


def _changes(kind: str, action: str) -> bool:
    """Whether an action does something to the reservation, beside the record of it."""
    return any(one.action == action and one.does for one in ANSWERS.get(kind, ()))


def _what(item: dict[str, Any]) -> str:
    """The kind in words; who was told "it is booked" is told from who only wished at a glance."""
    words = str(item.get("kind", "")).replace("_", " ")
    return f"PROMISED, {words}" if item.get("promised") else words


def _guest(item: dict[str, Any]) -> str:
    """Whom to call, where this device reads the card: `Anna Ricci, +39 06 1234567`."""
    guest = item.get("guest") or {}
    return ", ".join(str(guest[name]) for name in ("name", "phone") if guest.get(name))


def _called(item: dict[str, Any]) -> str:
    """What a person calls it by: the reservation's code, else what it is about."""
    return str(item.get("code") or item.get("subject") or "")


def _named(session: Any, text: str) -> str:
    """The id of the exception that a person means, by its id or by what it is about.

    Raises NotFound, Invalid.
    """
    if "." in text:
        return text
    found = [one["id"] for one in session.items("/exceptions") if _called(one) == text]
    if not found:
        raise NotFound(f"nothing open about {text}; `holdfast exceptions list` shows what is")
    if len(found) > 1:
        raise Invalid(f"{len(found)} are open about {text}; name one: {', '.join(found)}")
    return str(found[0])
