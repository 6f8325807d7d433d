"""`holdfast audit` and `holdfast decision`: what was changed, and whether the record is whole."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final

import click

from holdfast.commands.options import Group, data_option, directory_option, json_option
from holdfast.commands.words import (
    clock_text,
    code_words,
    counted,
    plain,
    span_text,
    status_words,
    who_words,
)
from holdfast.model.limits import UNDISCIPLINED_UNCERTAINTY_MS
from holdfast.node.words import sentences

_FOR_MACHINES: Final = frozenset(
    {
        "sealing_key", "nonce", "public_key", "follows", "head", "branch", "entries", "right",
        "operation", "after", "since", "born", "series",
    }
)  # fmt: skip
"""What entries about a book say and nobody reads: `--json` has it."""


@click.group(cls=Group)
def audit() -> None:
    """Every change: who, what, when; and whether the record is whole."""


@audit.command("list")
@data_option
@click.option("--reservation", metavar="ID", help="Only of this one.")
@click.option("--venue", metavar="V", help="Only of this venue, whose clock TIME is then read by.")
@click.option(
    "--from", "since", metavar="TIME", help="Written from then on: 2026-07-02, 2026-07-02T19:30."
)
@click.option("--to", "until", metavar="TIME", help="Written before then; a date: before its day.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The newest N.")
@json_option
def list_(
    data: Path,
    reservation: str | None,
    venue: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Every change, by time: when, who, what, before and after.

    \b
    Such as:
      holdfast audit list --limit 20 --data desk
      holdfast audit list --reservation RES-2026-7KM3QX --data desk
      holdfast audit list --from 2026-07-02 --to 2026-07-03 --data desk

    `who` is the login or token that did it, the beginning of its agent id where that is known at
    another device alone, else the device. TIME is on the venue's clock unless it ends in an offset
    such as +02:00. `clock` says how wrong the clock of whoever wrote may have been. `--json` has
    the ids and keys that a table leaves out.
    """
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    if since is not None and until is not None and since >= until:
        raise click.UsageError("nothing lies between: --to is the first day or time left out")
    filters = {"reservation": reservation, "venue": venue, "from": since, "to": until}
    with open_session(data) as session:
        if limit is None:
            items = session.items("/audit", None, **filters)
        else:
            items = session.newest("/audit", limit, **filters)
    # A device hears of some changes late; by when they were written all devices tell one story.
    items.sort(key=lambda one: str(one.get("at")))
    if as_json:
        show_json({"items": items, "next": None})
        return
    show_table(
        [
            "when",
            Column("clock", drop=1),
            "who",
            Column("device", drop=3),
            "what",
            "about",
            Column("changed", drop=2, below=True, least=40),
        ],
        (
            [
                one.get("at"),
                _trust(one.get("uncertainty_ms")),
                *_who(one),
                one.get("what") or one.get("kind"),
                one.get("code") or one.get("reservation") or one.get("venue"),
                change_words(one.get("before") or {}, one.get("after") or {}),
            ]
            for one in items
        ),
        empty="nothing was changed",
        by_day="here",
    )


@audit.command()
@click.argument(
    "file",
    required=False,
    metavar="[FILE]",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--data",
    "data",
    envvar="HOLDFAST_DATA",
    show_envvar=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The data directory, where no backup file is named.",
)
@json_option
def verify(file: Path | None, data: Path | None, as_json: bool) -> int:
    """Check every chain and seal, also of a backup file; status 1 names the first fault."""
    from holdfast.commands.output import remark, say, show_json
    from holdfast.commands.session import DATABASE_NAME, require_directory
    from holdfast.node.verify import verify_store

    if file is None:
        if data is None:
            raise click.UsageError("name a backup file, or a directory with --data")
        if data.is_file():
            raise click.UsageError(
                f"{data} is a file; to check a backup: "
                f"holdfast audit verify {shlex.quote(str(data))}"
            )
        require_directory(data)
        file = data / DATABASE_NAME
    report = verify_store(file)
    if as_json:
        show_json(as_document(report))
    if report.ok:
        if not as_json:
            say(
                f"{file}: every chain and seal holds "
                f"({counted(report.chains, 'chain')}, {counted(report.entries, 'entry', 'entries')}"
                f", {counted(report.seals, 'seal')})."
            )
        return 0
    remark(f"error: {file} is not whole: {report.first_bad or sentences(report.notes)}")
    return 1


@click.group(cls=Group)
def decision() -> None:
    """The decisions about provisional reservations."""


@decision.command("verify")
@click.argument("reservation", metavar="ID")
@directory_option
@json_option
def verify_decision_of(reservation: str, data: Path, as_json: bool) -> int:
    """Decide again from what the decision names, and compare; status 1 where they differ.

    Of what a device guaranteed by itself it checks the sale: the seller's chain and seal, the hub's
    grant, that the seller had the place then, and that no more was sold of it than there is.
    """
    from holdfast.commands.output import remark, show_fields, show_json
    from holdfast.commands.reading import read_replica
    from holdfast.commands.screens import decision_fields
    from holdfast.node.decisions import verify_decision

    with read_replica(data) as replica:
        found = verify_decision(replica, reservation)
    if as_json:
        show_json(found)
    else:
        show_fields(decision_fields(found))
    if found.get("ok", True):
        return 0
    notes = sentences(map(str, found.get("notes") or []))
    what = "sale of" if found.get("sold_from") else "decision about"
    remark(f"error: the {what} {reservation} cannot be confirmed: {notes}")
    return 1


def _who(item: dict[str, Any]) -> tuple[Any, Any]:
    """Who did something, and at which device if it was not the device itself."""
    if not item.get("by"):
        return item.get("node"), ""
    return who_words({"name": item.get("by_name"), "agent_id": item["by"]}), item.get("node")


def _trust(uncertainty_ms: Any) -> str:
    """How wrong a clock may have been."""
    if not isinstance(uncertainty_ms, int):
        return ""
    if uncertainty_ms >= UNDISCIPLINED_UNCERTAINTY_MS:
        return "not set"
    return f"±{span_text(uncertainty_ms)}"


def change_words(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Such as `status waiting for an answer > confirmed`. Fields that are and were empty say
    nothing, and keys, ids of lives and places in chains are for machines (`--json`)."""
    words = []
    for name, value in after.items():
        if name in _FOR_MACHINES or name.endswith("_incarnation"):
            continue
        if name == "guest_card":
            words.append("guest card changed" if before.get(name) else "guest card written")
            continue
        old, new = _brief(name, before.get(name)), _brief(name, value)
        if old != new:
            words.append(f"{name.replace('_', ' ')} {f'{old} > ' if old else ''}{new or 'none'}")
    return ", ".join(words)


def _brief(name: str, value: Any) -> str:
    """A value in few words; `--json` shows what has parts of its own."""
    if name == "release_minutes" and value == 0:
        return "0"
    if not value or (name == "quantities" and set(value) == {1}):
        return ""
    if name == "status":
        # Whether it is held, or waits, what was done says.
        return "not reserved" if value == "intent" else status_words({name: value}, brief=True)
    if name == "pending_change" and isinstance(value, dict):
        return f"{' + '.join(value['resources'])} at {clock_text(value['starts_at'])}"
    if name == "override" and isinstance(value, dict):
        return code_words(value.get("reason"))
    if isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict)):
        return f"({len(value)})"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(map(code_words, value))
    return code_words(clock_text(plain(value)))


def as_document(report: Any) -> dict[str, Any]:
    """A report of the inspection as JSON values."""
    import msgspec

    document = msgspec.to_builtins(report, str_keys=True)
    return document if isinstance(document, dict) else {"report": document}
