"""What a person is told of a hub that was restored: who was heard, what was done, what is next.

Owns these sentences, from the answer of `POST /hub/recover`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.commands.asking_first import seen_words
from holdfast.commands.output import say


def waiting_lines(answer: Mapping[str, Any]) -> list[str]:
    """Of each venue that recovers: who was heard, and who was not and when they were seen last."""
    lines = []
    if answer["state"] == "recovering" and not answer["before"]:
        lines.append("This hub was rebuilt and has heard no device yet: it knows no venue.")
    for one in answer["before"]:
        heard = ", ".join(one["heard"]) or "nobody"
        lines.append(f"{one['venue']}: heard since this hub came back: {heard}.")
        lines += [
            f"{one['venue']}: NOT heard: {device['name']}, {seen_words(device['last_seen_at'])}."
            for device in one["not_heard"]
        ]
        if one["rivals"]:
            lines.append(f"{one['venue']}: two hubs claim to follow one; --proceed keeps this one.")
    return lines


def say_recovery(answer: Mapping[str, Any], *, dry_run: bool, proceeded: bool) -> None:
    """How it stood, what was done about it, and what to type next. `proceeded`: it was said to go
    on without whoever was not heard."""
    before = answer["before"]
    for line in waiting_lines(answer):
        say(line)
    for venue in answer["ended"]:
        shut_out = ", ".join(answer["shut_out"].get(venue, ()))
        without = f" Shut out, as they were not heard: {shut_out}." if shut_out else ""
        say(
            f"{venue}: the recovery has ended just now: this hub sells, grants and decides"
            f" again.{without}"
        )
    if answer["state"] == "replaced":
        say("This hub was replaced by another one, and writes nothing any more.")
    elif answer["state"] == "serving":
        if proceeded and not answer["ended"]:
            say("This hub serves, and waits for nobody.")
        elif not answer["ended"]:
            say("This hub is not recovering: there was nothing to end.")
    elif before and all(one["heard"] and not one["not_heard"] for one in before):
        say(
            "Nothing was changed. Every device that is known was heard: `holdfast hub recover` ends"
            " the recovery, if none is missing that only you know of."
        )
    else:
        say(
            "Nothing is sold or decided yet"
            f"{'; nothing was changed' if dry_run or not answer['ended'] else ''}. Let who was not"
            " heard exchange (`holdfast sync now` there), then `holdfast hub recover` ends it; or"
            " go on without them: `holdfast hub recover --proceed`."
        )
