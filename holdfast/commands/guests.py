"""`holdfast guests`: find a guest, show, hand over, forget; the group of all about guests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdfast.commands.asking_first import at_a_terminal as _at_a_terminal
from holdfast.commands.guest_notes import (
    change_note,
    note,
    note_text,
    notes,
    preference_fields,
    preferences,
    withdraw_note,
)
from holdfast.commands.naming import named_agent, said_of, shown_chars
from holdfast.commands.options import Group, all_reasons, data_option, json_option, reason_option
from holdfast.commands.restrictions import lift, profile, restrict, restrictions, terms_of
from holdfast.commands.same_guests import (
    duplicates,
    flag,
    history,
    history_fields,
    merge,
    unmerge,
)
from holdfast.commands.words import clock_text, counted, plain, status_words
from holdfast.model import guest_words
from holdfast.model.errors import Forbidden, NotFound, RuleViolated
from holdfast.model.guest_flags import FLAGS
from holdfast.model.vocabulary import ERASE_REASONS

if TYPE_CHECKING:
    from holdfast.commands.session import Session

_DEVICE: Final = {
    "confirmed": "has destroyed what it held",
    "waiting": "has not answered yet",
    "shut_out": "was shut out: it will never answer",
}
_ROLE_OF_HUB: Final = "hub"
_READS_NO_CARD: Final = (Forbidden.status, NotFound.status, RuleViolated.status)
"""How a device answers that does not hold the venue's key, or was restored."""


@click.group(cls=Group)
def guests() -> None:
    """Find a guest, show what is known, restrict, hand over, forget.

    AGENT is the guest's pseudonym (agent_ and 32 characters), its beginning with at least six of
    them, or the code of one of the guest's reservations.
    """


@guests.command()
@click.argument("text", metavar="TEXT")
@data_option
@click.option("--limit", type=click.IntRange(1, 500), metavar="N", help="At most so many.")
@json_option
def find(text: str, data: Path, limit: int | None, as_json: bool) -> None:
    """Find guests by name or its beginning, telephone number or e-mail address.

    \b
    Such as:
      holdfast guests find müller --data desk
      holdfast guests find - --data desk

    With `-` the text is read from standard input: what stands in a command line every user of the
    machine can see.
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    wanted = sys.stdin.read().strip() if text == "-" else text
    body = {"q": wanted} if limit is None else {"q": wanted, "limit": limit}
    with open_session(data) as session:
        found = session.post("/guests/search", body)
    if as_json:
        show_json(found)
        return
    show_table(
        [
            "name",
            "phone",
            "e-mail",
            Column("reservations", drop=1),
            Column("last", drop=2),
            Column("agent", short=shown_chars([one["agent_id"] for one in found["items"]])),
        ],
        (
            [
                one["guest"].get("name"),
                one["guest"].get("phone"),
                one["guest"].get("email"),
                one["reservations"],
                one["last_code"],
                one["agent_id"],
            ]
            for one in found["items"]
        ),
        empty=_nobody(wanted),
    )


@guests.command()
@click.argument("code", metavar="CODE")
@click.argument("contact", metavar="CONTACT")
@click.option(
    "--date", metavar="D", help="Asked: for which service date they reserved, YYYY-MM-DD."
)
@click.option("--party", "party_size", type=int, metavar="N", help="Asked: how many they are.")
@click.option("--name", metavar="NAME", help="Asked: their name, or some words of it.")
@data_option
@json_option
def verify(
    code: str,
    contact: str,
    date: str | None,
    party_size: int | None,
    name: str | None,
    data: Path,
    as_json: bool,
) -> int:
    """Check a caller before anything is said to them: their code, and their address or number.

    \b
    Such as:
      holdfast guests verify RES-2026-7K3M9Q anna@example.org --data desk
      holdfast guests verify RES-2026-7K3M9Q - --date 2026-07-01 --data desk

    Ask one thing more, and give the answer with --date, --party or --name: all of it must be right.
    It says yes or no, and neither what of it is wrong nor anything of the guest. With `-` the
    contact is read from standard input. The exit status is 1 for no.
    """
    from holdfast.commands.failures import Refused
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    text = sys.stdin.read().strip() if contact == "-" else contact
    answers = {"date": date, "party_size": party_size, "name": name}
    asked = {"reference": code, "email" if "@" in text else "phone": text} | {
        question: answer for question, answer in answers.items() if answer is not None
    }
    with open_session(data) as session:
        try:
            session.post("/reservations/lookup", asked)
            fits = True
        except Refused as refused:
            if refused.http_status != NotFound.status:
                raise
            fits = False
    several = any(answer is not None for answer in answers.values())
    what = "the code, the contact and the answer" if several else "the code and the contact"
    if as_json:
        show_json({"verified": fits})
    elif fits:
        say(f"yes: {what} belong together.")
    else:
        say(f"no: {what} do not belong together here.")
    return 0 if fits else 1


@guests.command()
@click.argument("agent", metavar="AGENT")
@data_option
@json_option
def show(agent: str, data: Path, as_json: bool) -> None:
    """Show a guest's card, what else the venue knows of them, and reservations."""
    from holdfast.commands.output import say, show_fields, show_json, show_table
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        found = session.get(f"/guests/{quoted(named_agent(session, agent))}")
        terms = [] if as_json else terms_of(session, found["agent_id"])
    if as_json:
        show_json(found)
        return
    card = found.get("guest")
    if not card:
        say("There is no card of this guest, or it was erased.")
    show_fields(
        [*((card or {}).items()), ("agent", found["agent_id"]), *terms, *_known_fields(found)]
    )
    show_table(
        ["when", "code", "party", "where", "state"],
        (
            [
                one.get("starts_at"),
                one.get("code"),
                one.get("party_size"),
                " + ".join(one.get("resources") or []),
                status_words(one, brief=True),
            ]
            for one in found["reservations"]
        ),
        empty="no reservations",
    )


@guests.command()
@click.argument("agent", metavar="AGENT")
@data_option
@json_option
def export(agent: str, data: Path, as_json: bool) -> None:
    """Print everything that is known of a guest, as one JSON document, for the guest.

    \b
    Such as:
      holdfast guests export agent_… --data desk > guest.json

    That it was taken out stands in the audit from then on. The file is in clear: hand it over, and
    delete it.
    """
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        show_json(session.get(f"/guests/{quoted(named_agent(session, agent))}/export"))


@guests.command(epilog=all_reasons(ERASE_REASONS))
@click.argument("agent", metavar="AGENT")
@data_option
@reason_option(ERASE_REASONS)
@click.option("--yes", is_flag=True, help="Do not ask whether AGENT is who is meant.")
@json_option
def erase(agent: str, data: Path, reason: str, yes: bool, as_json: bool) -> None:
    """Forget a guest: destroy every card of theirs on every device.

    \b
    Such as:
      holdfast guests erase agent_… --reason guest_request --data desk

    It cannot be undone. Every agent id that was merged with this one is forgotten with it. The
    reservations stay, under the pseudonym alone, and so do restrictions. A device that is offline
    follows when it comes back; `holdfast guests erasures` shows who has. Who is not named by the
    whole id is shown first, and you are asked, or say --yes.

    The code or id of a block forgets its note, on all dates of its series.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, quoted

    with open_session(data) as session:
        block = _block_named(session, agent)
        whole = agent if block else named_agent(session, agent)
        if block:
            _confirm_block(block, yes=yes)
        elif whole != agent:
            _confirm(session, whole, agent, yes=yes)
        answer = session.request(
            "DELETE", f"/guests/{quoted(whole)}", params={"reason": reason}
        ).data
    if as_json:
        show_json(answer)
        return
    _show_erasures(answer["items"])
    if block:
        say(f"Forgotten is the note of {_of_block(block)}; the block itself stands as it was.")
    say("Backups made before today hold the card until they are deleted.")


@guests.command()
@click.argument("agent", metavar="[AGENT]", required=False)
@data_option
@json_option
def erasures(agent: str | None, data: Path, as_json: bool) -> None:
    """Who was to be forgotten, and which devices have destroyed what they held."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        whole = None if agent is None else named_agent(session, agent)
        items = session.items("/erasures", agent_id=whole)
    if as_json:
        show_json({"items": items, "next": None})
    elif items:
        _show_erasures(items)
    else:
        say("nobody was erased")


for command in (
    restrict, restrictions, lift, profile, history, flag, note, notes, change_note, withdraw_note,
    preferences, merge, unmerge, duplicates,
):  # fmt: skip
    guests.add_command(command)


def _known_fields(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """What a venue knows of a guest beside the card, as fields of a screen."""
    others = [one for one in found["agent_ids"] if one != found["agent_id"]]
    return [
        ("same as", ", ".join(others)),
        ("forgotten", ", ".join(found["erased"])),
        ("marked", ", ".join(one for one in FLAGS if found["flags"][one]["up"])),
        *preference_fields(found["details"]),
        *(
            (f"{one['kind'] or 'note'}{' (alert)' if one['alert'] else ''}", note_text(one))
            for one in found["notes"]
        ),
        *(history_fields(found["history"]) if found["history"] else ()),
    ]


def _nobody(wanted: str) -> str:
    """What is said where no guest was found; it does not repeat what was looked for."""
    said = "No guest found for that."
    if guest_words.has_short_word(wanted):
        least = guest_words.BEGINNING_LETTERS_MIN
        said += f" The beginning of a name needs at least {least} letters; fewer find only a whole"
        said += " name."
    return said


def _confirm(session: Session, agent: str, typed: str, *, yes: bool) -> None:
    """Show who is meant, and go on only if that is right. Raises click.UsageError where nobody can
    be asked, click.Abort for no."""
    from holdfast.commands.output import remark

    meant = said_of(session, agent)
    if yes:
        remark(f"{typed} is {meant}")
    elif _at_a_terminal():
        named = f"{name}, {meant}" if (name := _name_of(session, agent)) else meant
        click.confirm(f"{typed} is {named}. Forget this guest?", abort=True, err=True)
    else:
        raise click.UsageError(
            f"{typed} is {meant}: give the whole id, or --yes, if that is who is meant"
        )


def _block_named(session: Session, reference: str) -> dict[str, Any]:
    """The block that is meant by its code or id; empty where that is none."""
    from holdfast.commands.failures import Refused
    from holdfast.commands.session import quoted

    if reference.startswith("agent_"):
        return {}
    try:
        found: dict[str, Any] = session.get(f"/blocks/{quoted(reference)}")
    except Refused as error:
        if error.http_status != NotFound.status:
            raise
        return {}
    return found


def _of_block(block: dict[str, Any]) -> str:
    series = ", with all dates of its series" if block["series"] else ""
    places = ", ".join(block["resources"]) or "no place any more"
    return f"the block {block['code']} ({places} on {block['service_date']}{series})"


def _confirm_block(block: dict[str, Any], *, yes: bool) -> None:
    """Say that a note is forgotten and no guest, and go on only if that is right. Raises as
    `_confirm`."""
    from holdfast.commands.output import remark

    meant = f"this is {_of_block(block)}, and no guest"
    if yes:
        remark(meant)
    elif _at_a_terminal():
        click.confirm(f"{meant}. Forget its note?", abort=True, err=True)
    else:
        raise click.UsageError(f"{meant}: say --yes, if its note is to be forgotten")


def _name_of(session: Session, agent: str) -> str:
    """The guest's name, for the person at the terminal alone: what is redirected is kept. Empty
    where this device cannot read the card."""
    from holdfast.commands.failures import Refused
    from holdfast.commands.session import quoted

    try:
        card = session.get(f"/guests/{quoted(agent)}").get("guest") or {}
    except Refused as error:
        if error.http_status not in _READS_NO_CARD:
            raise
        return ""
    return plain(card.get("name"))


def _show_erasures(items: list[dict[str, Any]]) -> None:
    """One paragraph for each guest and venue, as it stands with what was asked for last: that
    covers all that was written before it, what was asked for earlier included."""
    from holdfast.commands.output import Column, say, show_table

    for asked in _by_guest(items):
        item = asked[-1]
        devices = item["devices"]
        done = sum(1 for one in devices if one["state"] == "confirmed")
        again = f" (asked for {len(asked)} times, this was the last)" if len(asked) > 1 else ""
        wish = (
            f"{item['agent_id']} at {item['venue']}, asked for at {item['by']} on "
            f"{clock_text(item['asked_at'])}{again}"
        )
        if item["counts"]:
            have = "have" if done != 1 else "has"
            say(f"{wish}: {done} of {counted(len(devices), 'device')} {have} done it.")
        else:
            say(
                f"{wish}: does not count, since {item['by']} had been shut out before. If the "
                "guest did ask, erase again. Devices that heard of it before they heard that may "
                "have destroyed what they held:"
            )
        show_table(
            ["device", Column("role", drop=1), "state", "confirmed", "last seen"],
            (
                [
                    one["name"],
                    "" if one["role"] == one["name"] == _ROLE_OF_HUB else one["role"],
                    _DEVICE[one["state"]],
                    one["confirmed_at"],
                    one["last_seen_at"] or "never",
                ]
                for one in devices
            ),
            empty="no devices",
        )


def _by_guest(items: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The erasures of each guest at each venue together, the oldest first, where the last one of
    each stood; those that do not count apart."""
    found: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for item in items:
        key = (item["agent_id"], item["venue"], item["counts"])
        found[key] = [*found.pop(key, []), item]
    return list(found.values())
