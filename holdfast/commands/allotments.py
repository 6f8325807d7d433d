"""`holdfast allotments`: who may sell what, and how that changes hands."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.asking_first import confirm, device_at_stake, sold_words, yes_option
from holdfast.commands.options import (
    Group,
    all_reasons,
    data_option,
    json_option,
    only_venue,
    reason_option,
    venue_option,
)
from holdfast.commands.words import clock_text, counted, resources_words
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.limits import LIST_LIMIT_MAX
from holdfast.model.vocabulary import RIGHT_REVOKE_REASONS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_ID_CHARS: Final = 8
_WHOLE_ID_CHARS: Final = 32
_LETTERS_MIN: Final = 6
_NAMED_MAX: Final = 5
_NONE: Final = (
    "No allotments: everything is the hub's to sell. `allotments` in the venue file, or `holdfast"
    " allotments grant` at the hub, gives a device what it may sell by itself."
)


@click.group(cls=Group)
def allotments() -> None:
    """Who may sell what, and how that changes hands."""


@allotments.command("list")
@data_option
@click.option("--venue", metavar="V", help="Only of this one.")
@json_option
def list_(data: Path, venue: str | None, as_json: bool) -> None:
    """The allotments, and what the venue file wishes; last what stands in none and is the hub's.

    \b
    Such as:
      holdfast allotments list --venue trattoria --data hub
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/allotments", venue=venue, include="rest", limit=LIST_LIMIT_MAX)
    if as_json:
        show_json(answer)
    elif answer["items"]:
        rest = [_rest_row(one) for one in answer.get("rest") or []]
        _show([*answer["items"], *rest], empty="")
    else:
        say(_NONE)


@allotments.command()
@data_option
@venue_option
@click.option("--holder", required=True, metavar="NAME", help="The device, by its name.")
@click.option(
    "--resource",
    "resources",
    multiple=True,
    metavar="PATTERN",
    help="An id, or a pattern such as 'T*'; may be repeated.",
)
@click.option("--quantity", type=int, metavar="N", help="Of a pool; left out: all of it.")
@click.option("--from", "from_date", metavar="DATE", help="A service date; left out: today.")
@click.option("--until", "until_date", metavar="DATE", help="With this date; left out: no end.")
@click.option(
    "--release-minutes",
    type=int,
    metavar="M",
    help="So long before a start it goes back to the hub; left out: never.",
)
@click.option(
    "--again", is_flag=True, help="What the venue file wishes for it, also what it had once."
)
@json_option
def grant(
    data: Path,
    venue: str | None,
    holder: str,
    resources: tuple[str, ...],
    quantity: int | None,
    from_date: str | None,
    until_date: str | None,
    release_minutes: int | None,
    again: bool,
    as_json: bool,
) -> None:
    """Hand resources to a device, at the hub: it then sells them by itself, offline too.

    \b
    Such as:
      holdfast allotments grant --venue trattoria --holder kiosk \\
          --resource 'T*' --until 2026-07-31 --data hub
    What the venue file wishes, after a device was restored or gave it back:
      holdfast allotments grant --venue trattoria --holder desk --again \\
          --data hub

    With --again you say that nothing was sold from it that only a lost directory knows.
    """
    from holdfast.commands.output import copied, say, show_json
    from holdfast.commands.session import open_session

    wanted = {
        "resources": list(resources) or None,
        "quantity": quantity,
        "from": from_date,
        "until": until_date,
        "release_minutes": release_minutes,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    if again and given:
        raise click.UsageError("--again takes it all from the venue file: leave the rest out")
    if not again and not resources:
        raise click.UsageError("say what: --resource PATTERN, or --again")
    body: dict[str, Any] = {"holder": holder, **(given if given else {"again": True})}
    with open_session(data) as session:
        body["venue"] = venue or only_venue(session)
        answer = session.post("/allotments", body)
    if as_json:
        show_json(answer)
        return
    items = answer["items"]
    count = len({resource for one in items for resource in one["resources"]})
    say(f"{holder} may sell {counted(count, 'resource')} by itself once it has heard of it.")
    _show(items, empty="")
    if answer.get("former"):
        say(
            f"A person had granted more to an earlier life of {holder}, which the venue file does"
            " not name. If nothing was sold from it that only a lost directory knows:"
        )
        copied(f"  {one} --data {shlex.quote(str(data))}" for one in answer["former"])


@allotments.command("return")
@click.argument("allotment", metavar="ID")
@data_option
@json_option
def return_(allotment: str, data: Path, as_json: bool) -> None:
    """Give an allotment back to the hub, at the device that holds it.

    \b
    Such as:
      holdfast allotments return 5b1f09 --data desk

    What was sold from it stays sold; the hub looks after it from then on. ID: its first six letters
    will do.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        answer = session.post(f"/allotments/{quoted(_named(session, allotment))}/return", {})
    if as_json:
        show_json(answer)
    else:
        say(f"{resources_words(answer)} is the hub's again, as soon as the hub hears of it.")


@allotments.command(epilog=all_reasons(RIGHT_REVOKE_REASONS))
@click.argument("allotment", metavar="ID")
@data_option
@reason_option(RIGHT_REVOKE_REASONS, "Why, such as")
@yes_option
@json_option
def revoke(allotment: str, data: Path, reason: str, yes: bool, as_json: bool) -> None:
    """Take an allotment back, at the hub, from a device that does not return it.

    \b
    Such as:
      holdfast allotments revoke 5b1f09 --reason stranded --data hub

    What the device sold and the hub has not heard of is no sale any more: if it turns up, the hub
    decides it anew, and a person is told of what could not be kept. ID: its first six letters will
    do.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        named = _named(session, allotment)
        confirm("Take it back without its holder?", lambda: _at_stake(session, named), yes=yes)
        answer = session.post(f"/allotments/{quoted(named)}/revoke", {"reason": reason})
    if as_json:
        show_json(answer)
    else:
        say(f"{resources_words(answer)} is the hub's again; {answer['holder']} has it no more.")


def _rest_row(rest: dict[str, Any]) -> dict[str, Any]:
    """What is the hub's, as a row beside the allotments; from and until when stands with it, since
    a narrow terminal leaves those columns out, and without them it would seem to be held twice."""
    what = resources_words(rest)
    for word, name in (("from", "valid_from"), ("until", "valid_until")):
        if rest.get(name):
            what += f" {word} {str(rest[name])[:10]}"
    return {"holder": "the hub", "what": what, "state": "rest", "venue": rest["venue"]}


def _at_stake(session: Session, allotment: str) -> list[str]:
    """What is lost where an allotment is taken from its holder, as far as it is known."""
    found = [one for one in session.items("/allotments") if one["id"] == allotment]
    if not found:
        return []
    holder, venue = str(found[0]["holder"]), found[0]["venue"]
    unsent = device_at_stake(session, holder, venue)[:1]
    return [*unsent, sold_words(holder, found)]


def _show(items: list[dict[str, Any]], *, empty: str) -> None:
    from holdfast.commands.output import Column, show_table

    venues = {one.get("venue") for one in items}
    show_table(
        [
            "holder",
            *([Column("venue", drop=3)] if len(venues) > 1 else []),
            "what",
            "sold",
            "state",
            Column("from", drop=4),
            Column("until", drop=1),
            Column("releases", drop=2),
            "why",
            Column("id", short=_ID_CHARS),
        ],
        (
            [
                one.get("holder"),
                *([one.get("venue")] if len(venues) > 1 else []),
                one.get("what") or resources_words(one),
                one.get("sold") if one.get("state") in ("active", "stranded") else "",
                one.get("state"),
                clock_text(one.get("valid_from")),
                clock_text(one.get("valid_until")),
                clock_text(one.get("releases_at")),
                one.get("reason"),
                one.get("id"),
            ]
            for one in items
        ),
        empty=empty,
    )


def _named(session: Any, text: str) -> str:
    """The id of the allotment that a person means: whole, or its first letters as a list shows
    them. Raises NotFound, Invalid."""
    wanted = text.rstrip("…").lower()
    if len(wanted) == _WHOLE_ID_CHARS:
        return wanted
    if len(wanted) < _LETTERS_MIN:
        raise Invalid.field("ID", f"give its first {_LETTERS_MIN} letters at least")
    ids = [str(one["id"]) for one in session.get("/allotments")["items"] if one["state"] != "wish"]
    found = [one for one in ids if one.startswith(wanted)]
    if not found:
        raise NotFound(f"no allotment {text} here; `holdfast allotments list` shows those that are")
    if len(found) > 1:
        some = ", ".join(found[:_NAMED_MAX])
        raise Invalid(f"{len(found)} allotments are meant by {text}; name one: {some}")
    return found[0]
