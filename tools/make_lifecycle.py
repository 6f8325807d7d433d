"""Writes docs/lifecycle.md from the tables of the lifecycle and of exceptions.

Nobody keeps a second copy by hand.

    python tools/make_lifecycle.py

A test fails where the page is not what the table says.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from holdfast.model import contradictions, lifecycle
from holdfast.model.lifecycle import COLLIDE, FOLD_STATUSES, STEPS, Outcome, Step

PAGE: Final = Path(__file__).parent.parent / "docs" / "lifecycle.md"

OPENING: Final = """\
# The lifecycle of a reservation

*This page is written by `tools/make_lifecycle.py` from the tables in `holdfast/model/lifecycle.py`
and `holdfast/model/contradictions.py`. Change these, run the tool, and a test holds them together.*

A reservation is **open** from its making until somebody cancels it, seats it or marks it as a
no-show. What an open reservation is called follows from its claims alone: `confirmed` with a live
claim, `commit_pending` while one waits for its decision, `commit_failed` otherwise
([why](decisions/0005-status-from-claims.md)). So nothing below can confirm anything: only the
holder of the capacity can.

A hold and a place on the waitlist are reservations in the making: `intent`, until somebody reserves
them, gives them back or lets them lapse. A block is a making that nobody comes to; it ends by being
cancelled ([why all of them are one thing](decisions/0015-one-lifecycle-from-wish-to-place.md)).
"""

FACTS: Final = """\
A *fact* happened: it is recorded whatever else is known, and never voided. An *intent* can lose.
Capacity is free only when its holder has written the end; a step can but ask for it. A no-show can
be taken back within {hours} hours; its place was given up with it, and is asked for anew
([0024](decisions/0024-no-shows-give-up-their-place.md)).
"""

COLLISIONS: Final = """\
## When two steps did not know of each other

Two devices were cut off, and each did something. The fold takes steps in the order that everybody
agrees on (what a step had seen first, then the least stamp). Where a step had not seen how the
reservation came to its present status, this table says what becomes of it. `open` stands for
`commit_pending`, `confirmed` and `commit_failed`.

- *applies*: the step counts as if it had seen everything.
- *only shown*: it stands in the audit and changes nothing.
- **bold**: a person must look at it; the word is the kind of the exception.

The rule behind it: who sits at the table beats every paper. What stands further right wins:
`{order}`.
"""

ANSWERS: Final = """\
## What a person can do

`holdfast exceptions list` shows what is open, `exceptions resolve` does one of these and records it
in one step. What a status has ruled out is not offered: who has left is not moved. A resolution is
about what its writer saw. Where more contradicts later, or a place that was asked for is refused,
the exception is raised again.
"""

RAISED: Final = {
    contradictions.DISPLACED: "the holder could not give the place",
    contradictions.OVERBOOKED: "the place that is had was sold beyond the capacity, on purpose",
    contradictions.SEATED_WITHOUT_PLACE: "guests are checked in, and no claim of theirs is live or"
    " waits",
    contradictions.TWO_PARTIES: "two reservations are checked in at one unit at one time (found by"
    " comparing reservations whenever somebody looks; stands in no view and no digest)",
    contradictions.PARTNER_TWICE: "two reservations that stand were made under one reference of a"
    " partner, by devices that were apart (found as the one before)",
} | dict.fromkeys(
    (outcome.exception for outcome in COLLIDE.values() if outcome.exception), "see the table above"
)


def page() -> str:
    """The whole page."""
    order = " < ".join(FOLD_STATUSES)
    parts = [
        OPENING,
        "```mermaid\n" + lifecycle.diagram() + "\n```\n",
        "## The steps\n",
        *_table(
            ("step", "from", "to", "what it is", "capacity"), [_step_row(step) for step in STEPS]
        ),
        "",
        FACTS.format(hours=lifecycle.NO_SHOW_REVERSIBLE_HOURS),
        COLLISIONS.format(order=order),
        *_table(
            ("status so far", *(step.name for step in STEPS)),
            [
                (f"`{status}`", *(_outcome(status, step) for step in STEPS))
                for status in FOLD_STATUSES
            ],
        ),
        "",
        ANSWERS,
        *_table(
            ("exception", "raised", "action", "what it does"),
            [
                (
                    f"`{kind}`" if not n else "",
                    RAISED[kind] if not n else "",
                    f"`{one.action}`",
                    one.words,
                )
                for kind, answers in contradictions.ANSWERS.items()
                for n, one in enumerate(answers)
            ],
        ),
        "",
        "## Statuses without a step yet\n",
        f"{', '.join(f'`{status}`' for status in _reserved())}: names\n"
        "that the contract reserves for payments and refunds. No reservation of this version"
        " reaches them.",
    ]
    return "\n".join(parts) + "\n"


def _step_row(step: Step) -> tuple[str, ...]:
    sources = ", ".join(f"`{source}`" for source in lifecycle.STATUSES if source in step.sources)
    to = "stays" if step.to is None else "open again" if step.to == lifecycle.OPEN else step.to
    return (
        f"`{step.name}`",
        sources,
        to,
        "a fact" if step.fact else "an intent",
        "asks for its end" if step.ends_claims else "",
    )


def _outcome(status: str, step: Step) -> str:
    outcome: Outcome = COLLIDE[status, step.kind]
    if outcome.void:
        words = "only shown"
    elif step.to is None:
        words = "applies"
    elif outcome.status == step.to:
        words = "applies" if step.to != status else "the same again"
    else:
        words = f"recorded, stays {outcome.status}"
    return f"{words}, **{outcome.exception}**" if outcome.exception else words


def _reserved() -> list[str]:
    reached = lifecycle.OPEN_STATUSES | {lifecycle.INTENT} | {step.to for step in STEPS}
    return [status for status in lifecycle.STATUSES if status not in reached]


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def main() -> int:
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
