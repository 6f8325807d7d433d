"""`holdfast guests restrict`, `restrictions`, `lift`, `profile`: a guest's terms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.naming import named_agent, said_of, shown_chars
from holdfast.commands.options import all_reasons, data_option, json_option, reason_option
from holdfast.commands.words import clock_text, code_words, restriction_words
from holdfast.model import restrictions as model
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.limits import RESTRICTION_VALUE_MAX
from holdfast.model.vocabulary import LIFT_REASONS, RESTRICT_REASONS, TAGS, TIERS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_ID_CHARS: Final = 32
_SHOWN_CHARS: Final = 8
"""So many of an id's characters name a restriction, and a narrow list shows them."""
_NAMED_MAX: Final = 5

_venue_option = click.option(
    "--venue", metavar="V", help="At which venue, where there are several."
)


@click.command(epilog=all_reasons(RESTRICT_REASONS))
@click.argument("agent", metavar="AGENT")
@click.option(
    "--restriction",
    required=True,
    type=click.Choice(model.KINDS),
    help="No reservation at all; so many to come at a time; so many days ahead.",
)
@click.option(
    "--value",
    type=click.IntRange(0, RESTRICTION_VALUE_MAX),
    metavar="N",
    help="How many, of the last two.",
)
@click.option(
    "--until",
    metavar="TIME",
    help="When it ends: a time at the venue, or a date for its midnight. Left out: when lifted.",
)
@reason_option(RESTRICT_REASONS)
@_venue_option
@data_option
@json_option
def restrict(
    agent: str,
    restriction: str,
    value: int | None,
    until: str | None,
    reason: str,
    venue: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """Limit what a guest may reserve.

    \b
    Such as:
      holdfast guests restrict agent_… --restriction booking-ban \\
          --reason no_shows --data desk
      holdfast guests restrict RES-2026-ABC123 --restriction max-concurrent \\
          --value 2 --until 2027-01-01 --reason late_cancellations --data desk

    Every device of the venue keeps to it once it has heard of it. What the guest has stays theirs,
    and can be cancelled. At a front desk, a venue's server or the hub.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    body = {"venue": venue, "restriction": restriction, "value": value, "until": until}
    with open_session(data) as session:
        whole = named_agent(session, agent)
        made = session.post(f"/guests/{quoted(whole)}/restrictions", body | {"reason": reason})
        meant = "" if as_json else said_of(session, whole)
    if as_json:
        show_json(made)
        return
    say(f"{meant} at {made['venue']}: {restriction_words(made)}{_until(made)}.")
    say(f"`holdfast guests lift {made['id']} --reason R` ends it.")


@click.command()
@click.argument("agent", metavar="[AGENT]", required=False)
@click.option("--all", "ended", is_flag=True, help="Also those that have ended or were lifted.")
@data_option
@json_option
def restrictions(agent: str | None, ended: bool, data: Path, as_json: bool) -> None:
    """Which guests may not reserve, or not so much; of one guest, or of all."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    state = None if ended else model.IN_FORCE
    with open_session(data) as session:
        whole = None if agent is None else named_agent(session, agent)
        items = session.items("/restrictions", agent_id=whole, state=state)
    if as_json:
        show_json({"items": items, "next": None})
        return
    several = len({one["venue"] for one in items}) > 1
    show_table(
        [
            Column("id", short=_SHOWN_CHARS),
            Column("guest", short=shown_chars([one["agent_id"] for one in items])),
            "may have",
            "until",
            Column("reason", drop=2, below=True),
            Column("state", drop=1, below=True),
            "venue",
            Column("by", drop=3),
            Column("since", drop=4),
        ],
        (
            [
                one["id"],
                one["agent_id"],
                restriction_words(one),
                one["until"] or "it is lifted",
                code_words(one["reason"]),
                _state(one) if ended else "",
                one["venue"] if several else "",
                one["by"],
                one["made_at"],
            ]
            for one in items
        ),
        empty="No guest is restricted."
        if agent is None and not ended
        else "No restriction; with --all those that have ended are listed as well."
        if not ended
        else "There never was a restriction.",
    )


@click.command(epilog=all_reasons(LIFT_REASONS))
@click.argument("restriction", metavar="ID")
@reason_option(LIFT_REASONS)
@data_option
@json_option
def lift(restriction: str, reason: str, data: Path, as_json: bool) -> None:
    """End a restriction now; ID is its id, or the first eight characters of it.

    \b
    Such as:
      holdfast guests restrictions --data desk
      holdfast guests lift 3f2a9c01 --reason paid --data desk
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = _named(session, restriction)
        path = f"/guests/{quoted(found['agent_id'])}/restrictions/{quoted(found['id'])}/lift"
        lifted = session.post(path, {"reason": reason})
        others = session.items("/restrictions", agent_id=lifted["agent_id"], state=model.IN_FORCE)
    if as_json:
        show_json(lifted)
        return
    if found["state"] == model.LIFTED:
        say(f"It was lifted at {lifted['lifted']['by']} before: {_said(lifted)}.")
    else:
        say(f"Lifted for {lifted['agent_id']} at {lifted['venue']}: {restriction_words(lifted)}.")
    still = [restriction_words(one) for one in others if one["venue"] == lifted["venue"]]
    if still:
        say(f"In force still: {', '.join(still)}.")


def _said(item: dict[str, Any]) -> str:
    return str(code_words(item["lifted"]["reason"]))


@click.command(
    epilog=f"Tiers: {', '.join(sorted(TIERS))}. Tags: {', '.join(sorted(TAGS))}. A venue file may "
    "name more."
)
@click.argument("agent", metavar="AGENT")
@click.option("--tier", metavar="T", help="Such as gold or basic.")
@click.option("--tag", "tags", multiple=True, metavar="T", help="Such as member; can be repeated.")
@click.option("--clear", is_flag=True, help="Take tier and tags away.")
@_venue_option
@data_option
@json_option
def profile(
    agent: str,
    tier: str | None,
    tags: tuple[str, ...],
    clear: bool,
    venue: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """What the house knows a guest as; with --tier or --tag, say it.

    \b
    Such as:
      holdfast guests profile agent_… --tier gold --tag member --data desk

    What is said is the whole of it: what is not named again is taken away.
    """
    from holdfast.commands.output import say, show_fields, show_json
    from holdfast.commands.session import open_session, quoted

    if clear and (tier or tags):
        raise click.UsageError("--clear goes with neither --tier nor --tag")
    with open_session(data) as session:
        whole = named_agent(session, agent)
        path = f"/guests/{quoted(whole)}/profile"
        if clear or tier is not None or tags:
            body = {"venue": venue, "tier": tier or None, "tags": list(tags)}
            found = session.request("PUT", path, body=body).data
        else:
            found = session.get(path, venue=venue)
    if as_json:
        show_json(found)
    elif found["tier"] or found["tags"]:
        show_fields(
            [
                ("guest", found["agent_id"]),
                ("venue", found["venue"]),
                ("tier", found["tier"]),
                ("tags", found["tags"]),
                ("set at", found["by"]),
                ("on", found["set_at"]),
            ]
        )
    else:
        say(f"{found['agent_id']} has no tier and no tags at {found['venue']}.")


def terms_of(session: Session, agent: str) -> list[tuple[str, str]]:
    """What binds a guest now, and what the house knows them as, as fields of a screen."""
    from holdfast.commands.session import quoted

    path = f"/guests/{quoted(agent)}"
    binding = session.items(f"{path}/restrictions", state=model.IN_FORCE)
    fields = [
        ("restricted", f"{restriction_words(one)}{_until(one)} ({code_words(one['reason'])})")
        for one in binding
    ]
    venues = {str(one["venue"]) for one in session.items("/venues", include="inactive")}
    for venue in sorted(venues):
        known = session.get(f"{path}/profile", venue=venue)
        words = [*([known["tier"]] if known["tier"] else []), *known["tags"]]
        if words:
            at = f" at {venue}" if len(venues) > 1 else ""
            fields.append((f"known{at} as", ", ".join(words)))
    return fields


def _until(item: dict[str, Any]) -> str:
    return f" until {clock_text(item['until'])}" if item["until"] else " until it is lifted"


def _state(item: dict[str, Any]) -> str:
    """Such as `lifted: paid`."""
    state = code_words(item["state"])
    return f"{state}: {_said(item)}" if item["lifted"] else str(state)


def _named(session: Session, text: str) -> dict[str, Any]:
    """The restriction that a person means. Raises NotFound, Invalid."""
    wanted = text.rstrip("…").lower()
    if not _SHOWN_CHARS <= len(wanted) <= _ID_CHARS:
        raise Invalid.field("ID", f"give {_SHOWN_CHARS} to {_ID_CHARS} characters of the id")
    found = [one for one in session.items("/restrictions") if one["id"].startswith(wanted)]
    if not found:
        raise NotFound(
            f"no restriction {text} is known here; `holdfast guests restrictions --all` lists them"
        )
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found[:_NAMED_MAX])
        raise Invalid(f"several restrictions are meant by {text}; name one: {ids}")
    return found[0]
