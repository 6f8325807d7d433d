"""`holdfast guests note`, `notes` and the like, `preferences`: what is sealed of a guest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.naming import AGENT_HELP, named_agent
from holdfast.commands.options import data_option, json_option
from holdfast.commands.words import clock_text
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.guest_details import CHANNELS, MARKETING, SWITCHES
from holdfast.model.guest_notes import GENERAL, KINDS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_SHOWN_CHARS: Final = 8
_YES_NO: Final = {"yes": True, "no": False, "unknown": None}
_ERASED: Final = {"erased": "(forgotten)", "unreadable": "(cannot be read here)"}

_venue_option = click.option(
    "--venue", metavar="V", help="At which venue, where there are several."
)
_kind_option = click.option("--kind", type=click.Choice(KINDS), help="What it is about.")


@click.command()
@click.argument("agent", metavar="AGENT")
@click.argument("text", metavar="TEXT")
@_kind_option
@click.option("--alert", is_flag=True, help="Whoever receives the guest is to be told.")
@_venue_option
@data_option
@json_option
def note(
    agent: str,
    text: str,
    kind: str | None,
    alert: bool,
    venue: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """Note something about a guest, sealed for the venue.

    \b
    Such as:
      holdfast guests note RES-2026-ABC123 - --kind dietary --alert --data desk

    With `-` the text is read from standard input: what stands in a command line every user of the
    machine can see. It is forgotten with the guest.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    body = {"venue": venue, "kind": kind or GENERAL, "text": _typed(text), "alert": alert}
    with open_session(data) as session:
        made = session.post(f"/guests/{quoted(named_agent(session, agent))}/notes", body)
    if as_json:
        show_json(made)
        return
    told = "; whoever receives the guest is told" if made["alert"] else ""
    say(f"Noted for {made['agent_id']} at {made['venue']}: {made['kind']}{told}.")
    say(f"`holdfast guests withdraw-note {made['agent_id']} {made['id']}` takes it back.")


@click.command()
@click.argument("agent", metavar="AGENT")
@click.option("--all", "gone", is_flag=True, help="Also those that were withdrawn.")
@_venue_option
@data_option
@json_option
def notes(agent: str, gone: bool, venue: str | None, data: Path, as_json: bool) -> None:
    """What staff noted about a guest, the oldest first."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        items = _notes(session, named_agent(session, agent), venue, gone)
    if as_json:
        show_json({"items": items, "next": None})
        return
    show_table(
        [
            Column("id", short=_SHOWN_CHARS),
            "kind",
            "alert",
            Column("text", below=True, drop=2),
            Column("by", drop=3),
            Column("since", drop=4),
            Column("state", drop=1, below=True),
        ],
        (
            [
                one["id"],
                one["kind"],
                "yes" if one["alert"] else "",
                note_text(one),
                one["author"] or one["by"],
                one["changed_at"] or one["made_at"],
                f"withdrawn at {one['withdrawn']['by']}" if one["withdrawn"] else "",
            ]
            for one in items
        ),
        empty="Nothing is noted about this guest.",
    )


@click.command("change-note")
@click.argument("agent", metavar="AGENT")
@click.argument("note_id", metavar="ID")
@click.option("--text", metavar="TEXT|-", help="What it says from now on; - is standard input.")
@_kind_option
@click.option("--alert/--no-alert", default=None, help="Whether people are to be told.")
@data_option
@json_option
def change_note(
    agent: str,
    note_id: str,
    text: str | None,
    kind: str | None,
    alert: bool | None,
    data: Path,
    as_json: bool,
) -> None:
    """Change a note about a guest; ID is its id, or the first eight characters of it."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    if text is None and kind is None and alert is None:
        raise click.UsageError("say what changes: --text, --kind or --alert")
    body = {"kind": kind, "text": None if text is None else _typed(text), "alert": alert}
    with open_session(data) as session:
        path = _path(session, named_agent(session, agent), note_id, quoted)
        changed = session.request("PATCH", path, body=body).data
    if as_json:
        show_json(changed)
    else:
        say(f"It says now: {note_text(changed)}")


@click.command("withdraw-note")
@click.argument("agent", metavar="AGENT")
@click.argument("note_id", metavar="ID")
@data_option
@json_option
def withdraw_note(agent: str, note_id: str, data: Path, as_json: bool) -> None:
    """Let a note about a guest stand no more; ID as for `change-note`."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        path = _path(session, named_agent(session, agent), note_id, quoted)
        gone = session.post(f"{path}/withdraw", {})
    if as_json:
        show_json(gone)
    else:
        say(f"The note {gone['id']} stands no more.")


@click.command(epilog=f"AGENT: {AGENT_HELP}")
@click.argument("agent", metavar="AGENT")
@click.option("--preferences", metavar="TEXT|-", help="In words; - is standard input.")
@click.option("--dietary", metavar="TEXT|-", help="What they do not eat; - as above.")
@click.option("--language", metavar="TAG", help="Such as it or pt-BR.")
@click.option("--time-zone", metavar="ZONE", help="Such as Europe/Rome.")
@click.option("--email", type=click.Choice(list(_YES_NO)), help="May be sent e-mail.")
@click.option("--sms", type=click.Choice(list(_YES_NO)), help="May be sent text messages.")
@click.option("--whatsapp", type=click.Choice(list(_YES_NO)), help="May be sent WhatsApp.")
@click.option("--marketing", type=click.Choice(list(_YES_NO)), help="Agreed to be advertised to.")
@_venue_option
@data_option
@json_option
def preferences(
    agent: str, venue: str | None, data: Path, as_json: bool, **said: str | None
) -> None:
    """What a guest prefers, eats and agrees to; with options, say it.

    \b
    Such as:
      holdfast guests preferences RES-2026-ABC123 --language it --sms no \\
          --data desk

    What is not named stays; an empty text takes a field away. Sealed for the venue.
    """
    from holdfast.commands.output import say, show_fields, show_json
    from holdfast.commands.session import open_session, quoted

    if [said["preferences"], said["dietary"]] == ["-", "-"]:
        raise click.UsageError("only one text is read from standard input")
    fields = {
        field: _YES_NO[value] if field in SWITCHES else _typed(value) or None
        for field, value in said.items()
        if value is not None
    }
    with open_session(data) as session:
        path = f"/guests/{quoted(named_agent(session, agent))}/preferences"
        if fields:
            found = session.request("PATCH", path, body={"venue": venue} | fields).data
        else:
            found = session.get(path, venue=venue)
    if as_json:
        show_json(found)
    elif shown := preference_fields(found):
        show_fields([("guest", found["agent_id"]), ("venue", found["venue"]), *shown])
    else:
        say(f"Nothing is known of what {found['agent_id']} prefers at {found['venue']}.")


def preference_fields(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """A guest's preferences as fields of a screen; of consent, since when."""
    since = {one["field"]: clock_text(one["said_at"]) for one in found["said"]}
    names = {"time_zone": "time zone", "email": "e-mail"}
    shown: list[tuple[str, Any]] = [
        (names.get(field, field), found[field])
        for field in ("preferences", "dietary", "language", "time_zone")
    ]
    for field in (*CHANNELS, MARKETING):
        if found[field] is not None:
            word = "yes" if found[field] else "no"
            shown.append((names.get(field, field), f"{word}, since {since[field]}"))
    return [(name, value) for name, value in shown if value is not None]


def note_text(one: dict[str, Any]) -> str:
    """What a note says, or why that is not shown."""
    return str(one["text"]) if one["text"] is not None else _ERASED.get(one["state"], "")


def _typed(text: str) -> str:
    """A text of the command line, or of standard input."""
    return sys.stdin.read().strip() if text == "-" else text


def _notes(session: Session, agent: str, venue: str | None, gone: bool) -> list[dict[str, Any]]:
    from holdfast.commands.session import quoted

    withdrawn = "true" if gone else None
    return session.items(f"/guests/{quoted(agent)}/notes", venue=venue, withdrawn=withdrawn)


def _path(session: Session, agent: str, text: str, quoted: Any) -> str:
    """The address of the note that a person means. Raises NotFound, Invalid."""
    wanted = text.rstrip("…").lower()
    if len(wanted) < _SHOWN_CHARS:
        raise Invalid.field("ID", f"give at least {_SHOWN_CHARS} characters of the id")
    found = [one for one in _notes(session, agent, None, True) if one["id"].startswith(wanted)]
    if len(found) != 1:
        raise NotFound(
            f"no note {text} of this guest is known here; `holdfast guests notes` lists them"
        )
    return f"/guests/{quoted(agent)}/notes/{quoted(found[0]['id'])}"
