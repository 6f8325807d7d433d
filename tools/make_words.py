"""Writes docs/words.md from the closed lists: nobody keeps a second copy by hand.

    python tools/make_words.py

A test fails where the page is not what the lists say.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Final

from holdfast.model import looks, vocabulary

PAGE: Final = Path(__file__).parent.parent / "docs" / "words.md"

OPENING: Final = """\
# The words that stand in for reasons

*This page is written by `tools/make_words.py` from `holdfast/model/vocabulary.py`. Change the
lists, run the tool, and a test holds both together.*

What is written into a book is kept by every device and can never be taken out again. So a reason
is a word of a closed list: a guest's name cannot get in by way of one. Take what comes nearest;
`other` always fits. Capitals, spaces and dashes do not matter: `Guest request` is `guest_request`.
What you want to say in your own words goes into the note of a cancellation (`--note`), which is
sealed for the venue. A guest's health and family are nobody's business for ever: words such as
`illness` are taken, and written as `personal_reasons`.
"""

KNOWN_AS: Final = """\
## What a guest may be known as

For `holdfast guests profile`. A venue may name words of its own in its file.
"""

LOOKS: Final = f"""\
## How kinds look

For a plan or a calendar; over HTTP `GET /vocabulary`. A colour never stands alone: the text or the
icon stands with it. Each of the five colours has a contrast of {looks.CONTRAST_MIN} or more with
its ground ({looks.LIGHT_GROUND} or {looks.DARK_GROUND}; WCAG 2.2, 1.4.3), and any two are
{looks.DISTANCE_MIN:g} or more apart (CIE 1976), {looks.DISTANCE_BLIND_MIN:g} or more for people
who lack a kind of cone (simulated as by Machado and others, 2009). `tests/model/test_looks.py`
measures that.

| kind | text | icon | colour | on light | on dark |
|---|---|---|---|---|---|"""

REPLICAS: Final = """\
## What replicas say to each other

For whoever writes another implementation: the field of an entry's content, and its words. Where a
reason may be left out, the empty text passes as well.
"""

PROGNOSES: Final = """\
## The `reason` of a prognosis

What a device expects of a reservation that nobody has decided yet. `free` and `taken` stand where
those who also ask for the place change nothing; `asked-first` and `asked-later` where the order
counts in which they reach the hub; `contested` where too many ask. It stands in no entry.
"""

PEOPLES: Final = (
    ("`holdfast reservations cancel --reason`", vocabulary.CANCEL_REASONS),
    ("`holdfast hub revoke --reason`", vocabulary.REVOKE_REASONS),
    ("`holdfast allotments revoke --reason`", vocabulary.RIGHT_REVOKE_REASONS),
    ("`holdfast queue withdraw --reason`", vocabulary.WITHDRAW_REASONS),
    ("`holdfast exceptions resolve --reason`", vocabulary.RESOLVE_REASONS),
    (
        "`holdfast reserve --override`, and `exceptions resolve --action overbook --reason`",
        vocabulary.OVERRIDE_REASONS,
    ),
    ("`holdfast guests erase --reason`", vocabulary.ERASE_REASONS),
    ("`holdfast guests restrict --reason`", vocabulary.RESTRICT_REASONS),
    ("`holdfast guests lift --reason`", vocabulary.LIFT_REASONS),
    ("`holdfast blocks add --reason`", vocabulary.BLOCK_REASONS),
)
GUESTS: Final = (("`--tier`", vocabulary.TIERS), ("`--tag`", vocabulary.TAGS))
ROWS: Final[tuple[tuple[str, str, frozenset[str] | str], ...]] = (
    ("reservation.created", "kind", vocabulary.RESERVATION_KINDS),
    ("reservation.created", "source", vocabulary.SOURCES),
    ("reservation.created", "occasion", vocabulary.OCCASIONS),
    ("reservation.created", "outcome", vocabulary.OUTCOMES),
    ("reservation.created", "form.form", vocabulary.FORMS),
    ("reservation.created", "form.use", vocabulary.BLOCK_KINDS),
    ("reservation.created", "form.reason", "as for `blocks add` above"),
    ("reservation.cancelled", "reason", "as for `reservations cancel` above"),
    ("reservation.cancelled", "by", vocabulary.CANCELLED_BY),
    ("claim.decided", "verdict", vocabulary.VERDICTS),
    ("claim.decided", "reason", vocabulary.DECISION_REASONS),
    ("claim.ended", "reason", vocabulary.CLAIM_END_REASONS),
    ("exception.resolved", "exception", vocabulary.EXCEPTION_KINDS),
    ("exception.resolved", "action", vocabulary.ACTIONS),
    ("exception.resolved", "reason", "as for `exceptions resolve` above"),
    ("operation.withdrawn", "reason", "as for `queue withdraw` above"),
    ("chain.succeeded", "reason", vocabulary.SUCCESSION_REASONS),
    ("chain.closed", "reason", vocabulary.CHAIN_CLOSE_REASONS),
    ("node.revoked", "reason", "as for `hub revoke` above"),
    ("right.revoked", "reason", "as for `allotments revoke` above"),
    ("reservation.created", "override", "as for `reserve --override` above"),
    ("reservation.moved", "override", "as for `reserve --override` above"),
    ("guest.erased", "reason", "as for `guests erase` above"),
    ("guest.restricted", "restriction", vocabulary.RESTRICTIONS),
    ("guest.flagged", "flag", vocabulary.GUEST_FLAGS),
    ("guest.restricted", "reason", "as for `guests restrict` above"),
    ("guest.restriction_lifted", "reason", "as for `guests lift` above"),
)
MORE: Final = {
    "exception.resolved.reason": "; with the action `overbook` as for `reserve --override` above",
    "exception.resolved.exception": "; or an operation id in hex and `.quarantined`",
}


def page() -> str:
    """The whole page."""
    parts = [OPENING]
    for heading, choice in PEOPLES:
        parts += [f"## {heading}\n", _filled(choice) + "\n"]
    parts.append(KNOWN_AS)
    for option, choice in GUESTS:
        parts += [f"{option}: {_filled(choice)}\n"]
    parts.append(LOOKS)
    parts += [
        f"| {look.of} `{look.kind}` | {look.text} | {look.icon} | {look.colour.name} "
        f"| `{look.colour.light}` | `{look.colour.dark}` |"
        for look in looks.LOOKS
    ]
    parts.append("")
    parts += [REPLICAS, "| kind | field | words |", "|---|---|---|"]
    for kind, field, words in ROWS:
        shown = words if isinstance(words, str) else _listed(words)
        parts.append(f"| `{kind}` | `{field}` | {shown}{MORE.get(f'{kind}.{field}', '')} |")
    parts += ["", PROGNOSES, _filled(vocabulary.PROGNOSIS_REASONS)]
    return "\n".join(parts) + "\n"


def _listed(words: frozenset[str]) -> str:
    if words > vocabulary.REVOKE_REASONS:
        return f"{_listed(words - vocabulary.REVOKE_REASONS)}, and those for `hub revoke` above"
    return ", ".join(f"`{word}`" for word in sorted(words) if word)


def _filled(words: frozenset[str]) -> str:
    return "\n".join(
        textwrap.wrap(_listed(words), 100, break_long_words=False, break_on_hyphens=False)
    )


def main() -> int:
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
