"""The screens that say how a device stands: its link, its queue, its clock, all of them together.

Owns which of an answer's fields a person needs and what they are called; `--json` has all of them.
Answers in, names and values out.
"""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from holdfast.commands.words import (
    ago_text,
    between_text,
    block_words,
    clock_text,
    clock_words,
    code_words,
    connection_words,
    counted,
    day_text,
    due_text,
    hold_words,
    operation_words,
    resources_words,
    size_text,
    span_text,
    status_words,
    sync_words,
    until_text,
    venue_hint,
    waiting_words,
    who_words,
)
from holdfast.node.words import plain_reason

Fields = list[tuple[str, Any]]

SHUT_OUT: Final = "revoked"
_UNHEARD: Final = {
    SHUT_OUT: "SHUT OUT by the hub",
    "expired": "NOT HEARD by the hub: the certificate has expired",
}
"""How it stands with the hub where that hears this device no more, by the reason."""
"""The `reason` of `GET /sync` for a device that its hub has shut out."""
_STEPS: Final = 2
_DATES: Final = 6
"""Dates of a recurrence that a screen names."""


def sync_fields(answer: Mapping[str, Any]) -> Fields:
    """How it stands with the hub; of the queue what is not as it should be."""
    differing = answer.get("books_differing") or []
    unheard = _UNHEARD.get(str(answer.get("reason")))
    last = answer.get("last_exchange_at")
    ago = ago_text(last, datetime.datetime.now(datetime.UTC))
    return [
        ("exchange", unheard or connection_words(answer.get("state"))),
        ("which means", answer.get("detail") if unheard else None),
        ("hub", answer.get("hub")),
        ("last exchange", f"{clock_text(last)}, {ago}" if last else "never"),
        ("last problem", None if unheard else answer.get("last_error")),
        ("not sent yet", answer.get("queued")),
        *_unusual(answer.get("queue") or {}),
        ("differs from the hub", differing),
    ]


def way_out_lines(answer: Mapping[str, Any], directory: Path) -> list[str]:
    """What to type on a device that is not heard; lines to be copied, and none for any other."""
    commands = answer.get("way_out") or []
    if answer.get("reason") not in _UNHEARD or len(commands) < _STEPS:
        return []
    invite, rejoin, *_ = commands
    return [
        "",
        "What to do, if it should go on: make a join code at the hub; it is printed last:",
        f"  {invite} --data HUB-DIRECTORY",
        "Here, with that code:",
        f"  {rejoin} --data {shlex.quote(str(directory))}",
        "What waits here to be sent:",
        f"  holdfast queue list --state queued --data {shlex.quote(str(directory))}",
    ]


def round_fields(answer: Mapping[str, Any], *, waiting: int, running: bool) -> Fields:
    """What an exchange did. `waiting`: operations that are not sent after it; `running`: the
    device's own process sends by itself, so that a round by hand often finds nothing to send."""
    sent = str(answer.get("pushed"))
    if not answer.get("pushed") and not waiting:
        sent = "0, nothing was waiting" + (": this device sends by itself" if running else "")
    verdicts = answer.get("verdicts") or {}
    differing = answer.get("books_differing") or []
    return [
        ("sent", sent),
        ("received", answer.get("pulled")),
        *((sync_words(state), count) for state, count in verdicts.items() if state != "merged"),
        ("same as the hub", "no: " + ", ".join(differing) if differing else "yes"),
        (
            "hub",
            "recovering: it decides nothing until `holdfast hub recover` there ends that"
            if _recovering(answer)
            else None,
        ),
    ]


def _recovering(answer: Mapping[str, Any]) -> bool:
    return answer.get("hub_state") == "recovering"


def clock_fields(answer: Mapping[str, Any]) -> Fields:
    """The time, and how wrong it may be."""
    by = {"ntp": "time servers", "hub": "the hub"}.get(str(answer.get("disciplined_by")))
    added = answer.get("test_wall_ms")
    return [
        ("clock", clock_words(answer.get("state"))),
        ("now", answer.get("now")),
        ("set by", by),
        ("this machine is off by", span_text(answer.get("offset_ms")) if by else None),
        ("may be wrong by", span_text(answer.get("uncertainty_ms"))),
        ("jumps noticed", answer.get("steps_noticed") or None),
        ("bent for a test by", span_text(added) if added else None),
    ]


def status_fields(answer: Mapping[str, Any], *, running: bool) -> Fields:
    """One screen: identity, exchange, queue, clock, books, disk."""
    sync = answer.get("sync")
    role = answer.get("node_role") or answer.get("role")
    life = f"{answer.get('number')} ({str(answer.get('incarnation'))[:8]})"
    disk = answer.get("disk") or {}
    venue = answer.get("venue")
    return [
        ("name", f"{answer.get('name')} ({role})"),
        ("tenant", answer.get("tenant")),
        ("venue", None if venue == "*" else venue),
        ("process", "running" if running else "not running"),
        *(sync_fields(sync) if sync else _unusual(answer.get("queue") or {})),
        ("may sell by itself", _sells_words(answer.get("sells"))),
        *(
            ("namely", _places_words(one))
            for one in (answer.get("sells") or {}).get("places") or []
        ),
        *(row for row in clock_fields(answer.get("clock") or {}) if row[0] != "now"),
        *(
            (f"book of {book.get('venue')}", _book_words(book))
            for book in answer.get("books") or []
        ),
        ("database", size_text(disk.get("database_bytes"))),
        ("directory", answer.get("directory")),
        ("certificate", _certificate_words(answer.get("certificate"))),
        ("life", life),
        ("why another life", answer.get("other_life")),
    ]


def _book_words(book: Mapping[str, Any]) -> str:
    """Such as `12 reservations, 1 held, 2 waiting, 1 block`."""
    parts = [counted(book.get("reservations") or 0, "reservation")]
    parts += [f"{book[name]} {words}" for name, words in _BESIDE.items() if book.get(name)]
    if book.get("blocks"):
        parts.append(counted(book["blocks"], "block"))
    return ", ".join(parts)


_BESIDE: Final = {"holds": "held", "waiting": "waiting"}


def _certificate_words(certificate: Any) -> str | None:
    """Such as `until 2031-11-20`."""
    if not isinstance(certificate, Mapping):
        return None
    words = f"until {str(certificate.get('ends_at'))[:10]}"
    state = {"due": ", to be renewed by itself", "ended": ", ENDED"}
    return words + state.get(str(certificate.get("state")), "")


def _sells_words(sells: Any) -> str | None:
    """Such as `8 resources, without an end`; None at a hub, which sells what nobody else may."""
    if not isinstance(sells, Mapping):
        return None
    count, more = sells.get("resources") or 0, sells.get("once_clock_is_set") or 0
    until = sells.get("until_at")
    words = "nothing, it asks who may" if not count else counted(count, "resource")
    if count:
        words += f", until {clock_text(until)}" if until else ", without an end"
    return f"{words} ({more} more once its clock is set)" if more else words


def _places_words(places: Mapping[str, Any]) -> str:
    """Such as `T1, T2`, or `40 of HALL, until Thu 2026-12-31 04:00`."""
    words = resources_words(places)
    return f"{words}, until {clock_text(places['until'])}" if places.get("until") else words


def hold_fields(found: Mapping[str, Any]) -> Fields:
    """One hold, and what became of it."""
    change = found.get("pending_change") or {}
    starts = found.get("starts_at")
    held = found.get("status") == "intent"
    return [
        ("code", found.get("code")),
        ("state", hold_words(dict(found))),
        ("promise", found.get("assurance") if held else None),
        ("held until", clock_text(found.get("expires_at"))),
        ("venue", found.get("venue")),
        ("from", f"{clock_text(starts)}{venue_hint([starts])}"),
        ("until", until_text(starts, found.get("ends_at"))),
        ("party", found.get("party_size")),
        *(found.get("guest") or {}).items(),
        ("where", " + ".join(found.get("resources") or []) if held else None),
        (
            "asked for",
            " ".join([clock_text(change["starts_at"]), *change["resources"]]) if change else None,
        ),
        ("expected", expected_words(found.get("prognosis") or {})),
        ("to the hub", sync_words(found.get("sync"))),
        ("source", found.get("source")),
        ("made by", found.get("made_by")),
        ("agent", found.get("agent_id")),
        ("id", found.get("id")),
    ]


def block_fields(found: Mapping[str, Any], over: Sequence[str] = ()) -> Fields:
    """One block, its dates, and what it stands over; `over` are the codes of the first of these."""
    starts, dates = found.get("starts_at"), found.get("occurrences") or []
    return [
        ("code", found.get("code")),
        ("state", block_words(dict(found))),
        ("for", code_words(found.get("kind"))),
        ("because", code_words(found.get("reason"))),
        ("note", found.get("note")),
        ("venue", found.get("venue")),
        ("from", f"{clock_text(starts)}{venue_hint([starts])}"),
        ("until", until_text(starts, found.get("ends_at"))),
        ("where", " + ".join(_claimed(claim) for claim in found.get("claims") or [])),
        ("dates", ", ".join(clock_text(one["starts_at"]) for one in dates[:_DATES])),
        ("more dates", len(dates) - _DATES if len(dates) > _DATES else None),
        ("find a place for", _found_words(len(found.get("conflicts") or []), over)),
        ("to the hub", sync_words(found.get("sync"))),
        ("made by", found.get("made_by")),
        ("asked for by", who_words(found.get("created_by"))),
        ("id", found.get("id")),
    ]


def _claimed(claim: Mapping[str, Any]) -> str:
    many = f"{claim.get('quantity')} of " if claim.get("quantity") != 1 else ""
    return f"{many}{claim.get('resource')}"


def _found_words(count: int, codes: Sequence[str]) -> str | None:
    """Such as `RES-2026-2XAFW8, RES-2026-2X0EY2 and 3 more`."""
    if not count:
        return None
    more = f" and {count - len(codes)} more" if count > len(codes) else ""
    return ", ".join(codes) + more


def waiting_fields(found: Mapping[str, Any]) -> Fields:
    """One party that waits, or waited."""
    quoted = found.get("quoted_minutes")
    return [
        ("code", found.get("code")),
        ("state", waiting_words(dict(found))),
        ("in the line", found.get("position") or None),
        ("venue", found.get("venue")),
        ("day", day_text(found.get("date"))),
        ("between", between_text(found.get("from"), found.get("to"))),
        ("party", found.get("party_size")),
        ("area", found.get("area")),
        # Of another day the day itself says when.
        (
            "may take about",
            span_text(quoted * 60_000) if quoted is not None and quoted < 300 else None,
        ),
        ("waits until", clock_text(found.get("expires_at"))),
        *((name, value) for name, value in (found.get("guest") or {}).items()),
        ("to the hub", sync_words(found.get("sync"))),
        ("made by", found.get("made_by")),
        ("agent", found.get("agent_id")),
        ("id", found.get("id")),
    ]


def operation_fields(found: Mapping[str, Any]) -> Fields:
    """One operation and its fate."""
    decision = found.get("decision") or {}
    due = due_text(found.get("next_attempt_at"), datetime.datetime.now(datetime.UTC))
    return [
        ("operation", found.get("id")),
        ("what", operation_words(found.get("kind"))),
        ("about", found.get("subject")),
        ("venue", found.get("venue")),
        ("state", sync_words(found.get("state"))),
        ("because", found.get("reason")),
        ("tries", found.get("attempts")),
        ("next try", due),
        ("decision", decision.get("verdict")),
        ("decided by", decision.get("by")),
        ("stamp", found.get("stamp")),
    ]


def decision_fields(found: Mapping[str, Any]) -> Fields:
    """A decision, what it rests on, and whether it may be believed."""
    checks = found.get("checks") or {}
    wrong = [name.replace("_", " ") for name, holds in checks.items() if not holds]
    good = [name.replace("_", " ") for name, holds in checks.items() if holds]
    return [
        ("reservation", found.get("code") or found.get("reservation")),
        ("state", status_words(dict(found))),
        ("promise", (found.get("lost_promise") or {}).get("words")),
        ("decision", found.get("verdict")),
        ("because", found.get("why")),
        ("sold by" if found.get("sold_from") else "decided by", found.get("by")),
        ("sold at" if found.get("sold_from") else "decided at", found.get("decided_at")),
        ("asked by", found.get("asked_by")),
        *(("asked for", _claim_words(claim)) for claim in found.get("asked") or []),
        *(("given", _claim_words(claim)) for claim in found.get("given") or []),
        *(("has it", winner_words(one)) for one in found.get("winners") or []),
        *(
            (
                "it relied on",
                f"{counted(one.get('entries') or 0, 'entry', 'entries')} of {one.get('node')}"
                f" ({str(one.get('head'))[:8]}…)" + ("" if one.get("held") else ", not held here"),
            )
            for one in found.get("relied_on") or []
        ),
        ("checked", ", ".join(good)),
        ("does not hold", ", ".join(wrong)),
        ("result", "it may be believed" if found.get("ok") else "it cannot be confirmed here"),
    ]


def _claim_words(claim: Mapping[str, Any]) -> str:
    starts, ends = claim.get("starts_at"), claim.get("ends_at")
    many = f"{claim.get('quantity')} of " if claim.get("quantity") != 1 else ""
    when = f"{clock_text(starts)} to {until_text(starts, ends)}{venue_hint([starts])}"
    return f"{many}{claim.get('resource')}, {when}"


def winner_words(winner: Mapping[str, Any]) -> str:
    """Who has what could not be had: such as `RES-2026-CB13EX (confirmed, T3)`."""
    if not winner.get("known"):
        return f"{winner.get('id')} (not known here)"
    where = " + ".join(winner.get("resources") or [])
    how = [part for part in (status_words(dict(winner)), where) if part]
    return f"{winner.get('code') or winner.get('id')} ({', '.join(how)})"


_EXPECTED: Final = {
    ("admitted", "likely"): "likely to be had",
    ("moved", "likely"): "another place is likely to be given",
    ("displaced", "likely"): "not likely to be had",
    ("admitted", "open"): "open, would be had in the order of asking",
    ("moved", "open"): "open, another place would be given in the order of asking",
    ("displaced", "open"): "open, would not be had in the order of asking",
}


def expected_words(prognosis: Mapping[str, Any]) -> str:
    """What this device expects: such as `likely to be had (the place was free)`."""
    if not prognosis:
        return ""
    known = (str(prognosis.get("verdict")), str(prognosis.get("certainty")))
    return f"{_EXPECTED.get(known, ' '.join(known))} ({plain_reason(prognosis['reason'])})"


def _unusual(counts: Mapping[str, Any]) -> Fields:
    """States of operations that somebody should know of, where there are any."""
    return [
        (sync_words(state), counts[state])
        for state in ("deferred", "quarantined")
        if counts.get(state)
    ]
