"""Sending what writes, with what is said around it: the waiting, the answer, the remarks.

Owns the order of these. What is shown of an answer is the command's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.commands.days import date_meant
from holdfast.commands.options import only_venue

if TYPE_CHECKING:
    from holdfast.commands.session import Session

Show = Callable[["Session", dict[str, Any]], None]


def make(
    data: Path,
    path: str,
    body: dict[str, Any],
    *,
    key: str | None,
    wait: int | None,
    as_json: bool,
    show: Show,
    explain: bool = False,
) -> None:
    """POST what is given of a body, under a key, and wait for a decision where that makes sense. A
    venue that was left out is the only one there is, a `date` may be a word such as `today`, a
    guest who is meant by an agent id is named whole, and who may be the same one is told.
    `explain`: with the steps that it went through, on standard error."""
    from holdfast.commands.hub_standing import (
        plan_to_wait,
        say_what_waiting_brought,
        warn_if_shut_out,
    )
    from holdfast.commands.known_guests import as_known, say_who_is_known
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        if "venue" in body:
            body = body | {"venue": body["venue"] or only_venue(session)}
        if "date" in body:
            body = body | {"date": date_meant(session, body["date"], body.get("venue"))}
        body = as_known(session, body)
        waiting = plan_to_wait(session, wait)
        preferred = [f"wait={wait}"] * waiting.patient + ["trace"] * explain
        headers = {"Idempotency_Key": key, "Prefer": ", ".join(preferred) or None}
        try:
            made = session.post(path, _given(body), **_given(headers))
        finally:
            if explain:
                _say_steps(session.steps)
        if as_json:
            show_json(made)
        else:
            show(session, made)
            say_who_is_known(made)
        say_what_waiting_brought(session, waiting, made)
        warn_if_shut_out(session)


def _say_steps(timing: str) -> None:
    """The steps that a `Server-Timing` header names, and which of them refused."""
    from holdfast.commands.output import remark

    words = []
    for one in filter(None, timing.split(", ")):
        name, *more = one.split(";")
        words.append(f"{name} (refused)" if 'desc="refused"' in more else name)
    if words:
        remark(f"steps: {', '.join(words)}")


def change(
    data: Path,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    params: dict[str, Any] | None = None,
    as_json: bool,
    show: Show,
) -> None:
    """Send a change of something that is there."""
    from holdfast.commands.hub_standing import warn_if_shut_out
    from holdfast.commands.output import show_json
    from holdfast.commands.session import open_session

    sent = None if body is None else _given(body)
    with open_session(data) as session:
        changed = session.request(method, path, body=sent, params=params).data
        if as_json:
            show_json(changed)
        else:
            show(session, changed)
        warn_if_shut_out(session)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
