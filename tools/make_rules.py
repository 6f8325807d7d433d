"""Writes docs/rules.md from the list of rules: nobody keeps a second copy of it by hand.

    python tools/make_rules.py

A test fails where the page is not what the list says.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holdfast.model.limits import VIOLATIONS_KEPT_DAYS
from holdfast.model.rules import EVERYBODY, IMPORT, RULES, SELF_SERVICE, STEPS, Rule

PAGE: Final = Path(__file__).parent.parent / "docs" / "rules.md"

OPENING: Final = """\
# The rules of a venue

*This page is written by `tools/make_rules.py` from the list in `holdfast/model/rules/engine.py`.
Change that, run the tool, and a test holds both together.*

A rule says what a venue does not want: nobody further ahead than ninety days, no table for an hour
on Saturdays, nothing over Christmas. The venue file sets them ([its keys](venue-file.md#policies)),
and a rule that is not set refuses nothing. Rules are asked where somebody writes, by that device's
clock, the venue file that it has and the reservations that it knows, offline like everything else.
What was written elsewhere stands: no exchange between devices takes a reservation back for a rule.

All rules are asked at once. A refusal is 409 `rule-violated`; its `violations` name each rule that
says no, with a sentence, and its `suggestions` are slots near the one that was asked for which
break none of them: the nearest before and the nearest after, for the nearest length that is
allowed. They are as good as any slot of `GET /availability`, and empty where no other time helps.

What is full has `alternatives` in the same order (409 `not-available`): of that day; where it has
fewer than three, also of the days before and after it, near the same hour, outwards up to a week
(less, where a day has very many starts), as far as the rules let somebody reserve then. Who named
an `area` is offered other times there first; where it has no place at that start, then that start
in the other areas (a slot each, the best fitting first): whose evening is planned may sit
elsewhere. Of nights it is other days of arrival for as many nights, and then the same nights in
rooms of other kinds that have beds for the party (`resource_kind` names the kind).
`waitlist_available` says whether they may wait for that day; for nights there is no waitlist.

Not every refusal is for want of room, and each says which it is:
"""

REFUSALS = (
    ("others have it", "`not-available`, `reason: full`", "`full`"),
    (
        "all that would do is out of use (a [block](operations.md#taking-places-out-of-use))",
        "`not-available`, `reason: blocked`",
        "`blocked`",
    ),
    (
        "the venue is closed, or the slot is",
        "`rule-violated`: `hours`, `closed`, `slot-override`",
        "the rule; `override`",
    ),
    (
        "the venue, or that part of it, takes nobody then",
        "`rule-violated`: `blackouts`",
        "`blackouts`",
    ),
    (
        "nothing of the kind is for such a party at any time",
        "`rule-violated`: `seats`",
        "`party`",
    ),
)

OUT_OF_USE = """
It is `blocked` where blocks alone leave no place that would do, whatever is reserved there besides:
with one table out of use and three taken it is `full`. The house reads by which blocks, what for
and until when (`blocks`); guests and kiosks read that it is out of use, and no more.
"""

BINDING: Final = """\
## Which rules bind whom

*asks ahead* is the kind `guest`, whoever writes it down; *walk-in* and *house* are the kinds of
that name. A kind says what a reservation is, not who may say so: a guest's own token makes no
other kind than `guest`.
"""

NOTES: Final = """\
- **A change** of time, place or size is asked like a new reservation, with these differences: a
  rule about the start (`past`, `cutoff`, `advance`, `closed`, `slot`) says nothing where the start
  stays, `duration` nothing where the length stays, and `blackouts` nothing about a period in which
  the reservation lies already. `slot-override` asks for the size of the party alone where the
  start stays.
- **By guests alone** (`online`, `reschedules`, `rates`): what people ask for by themselves. That
  is every request with a token of the role `guest` or `kiosk`, and a reservation whose `source`
  is {self_service}, whoever's token carries it. A front desk that books twenty times for one
  company is not stopped, and may move what its guest may not move any more.
- **`online`** is asked of the same people. A venue that accepts nobody online (`accepting: false`)
  refuses those who ask ahead, for a place on the waitlist too, and offers them no slot; walk-ins
  at a kiosk go on, and so does everything that the desk does. A place that is kept for the desk
  (`online: false`) is neither offered to them nor had by name; whoever has it already keeps it.
- **`inactive`** (`active: false`) is asked of whoever wants something new, the desk, the house and
  supervisors included, the waitlist and its offers too. What is reserved there can be moved and
  served.
- **`cancel-cutoff`** is asked of everybody but a supervisor or an admin
  ([operations](operations.md#how-late-a-guest-may-cancel)).
- **`seats`** stands in refusals beside these: no table, and no combination of tables, is for so
  many at any time. It is no rule of the venue but what the house has.

## One person

Who somebody is says their agent id. A walk-in without one is somebody new each time.

- **`concurrent`** counts the person's reservations at this venue that are not over: neither called
  off, nor come to nothing, nor ended, with an end still to come. What goes on now is one of them.
- **`reschedules`** counts the moves of one reservation to another start that whoever has it made by
  themself. Another table, more people or a longer stay are none; nor is what the staff moved, nor
  what its holder refused.
- **`rates`** counts reservations by when they were made, in windows that slide: what was made
  exactly an hour ago is not in the hour any more. Nothing is counted but what was made, and that
  also when it was called off since. `per_hour` and `per_day` count all that this device knows, at
  the hub of all venues, `per_venue_day` and `per_venue_week` those of the venue. Records of other
  systems are not counted. Where `rates` alone says no, the answer is 429 `rate-limited`, with
  `Retry-After`; with others it is one of the `violations`.
- Nobody is counted unless the venue file says so. Limits that surprised nobody elsewhere:
  `rates: {{per_hour: 10, per_day: 50, per_venue_day: 3, per_venue_week: 10}}`.
- **Tiers and tags** give more: of what everybody may, what the person's tier may and what each of
  their tags may, the most counts. What the house allows a single person at the most stands above
  all of it.
- `GET /availability` with `agent_id`, and with a guest's own token, offers what that person may
  have; without, and with the token of a kiosk, what anybody may.
- **A kiosk reads nothing of a person** out of a refusal: whatever of this, of a tier or of a
  [limit](operations.md#a-guest-who-may-not-reserve) says no to one person and not to anybody, is
  the one rule `person` there, with one sentence and neither a time nor suggestions. Counted it is
  under its own name.

## What is counted

Every refusal is counted at the device that refused: which rule, which kind, which channel, for
which weekday and hour it was asked, on which day. No person and no reservation stands there. Sums
are kept for {kept} days, belong to this device alone, and no device sends them anywhere.

    holdfast report violations --from 2026-07-01 --data desk
    GET /api/v1/analytics/violations?venue=trattoria&from=2026-07-01&to=2026-08-01

## Rules of your own

A package that is installed beside Holdfast may add rules. It names them under the entry points
`holdfast.rules`, each a `Rule`, or a list of them:

```toml
[project.entry-points."holdfast.rules"]
acme = "acme_rules:no_mondays"
```

```python
from holdfast.model import calendar
from holdfast.model.rules import GUESTS, Rule, Violation


def check(question):
    venue, wanted = question.venue, question.proposal
    if calendar.service_date(venue, wanted.starts_at).weekday() == 0:
        yield Violation("acme.mondays", f"{{venue.name}} sees no guests on Mondays.")


no_mondays = Rule(
    id="acme.mondays",
    asks="It is no Monday.",
    binds=GUESTS,
    elsewhen=True,
    check=check,
)
```

- The id has a namespace of its own (`acme.`), so that it is never taken for one of Holdfast's.
- A rule sees the question and nothing else: the venue, the proposal, what is known of the person,
  the time, the covers of the slot. It must not read files, clocks or networks: it is asked for each
  slot of a day, offline, in the middle of a transaction.
- `elsewhen=True` says that another time may be allowed, so that alternatives are looked for; they
  are asked the same rule.
- Each device asks the rules that are installed on it. Install them on all of them.
- A package that cannot be loaded, or whose rule has an id that is taken, is left out: `node run`
  and `hub run` say so on standard error, the log and `holdfast doctor` too. A rule that fails when
  it is asked refuses nobody, and the log names its package once. A device goes on taking
  reservations.
"""


def page() -> str:
    """The whole page."""
    parts = [
        OPENING, *refusals(), OUT_OF_USE, *table(), "", BINDING, *binding(), "", _notes(),
    ]  # fmt: skip
    return "\n".join(parts)


def refusals() -> list[str]:
    """One row for each way in which something cannot be had."""
    told = "the `reason` of `GET /availability?include=full`"
    return _table(("what stands in the way", "the refusal", told), REFUSALS)


def table() -> list[str]:
    """One row for each rule: its id, what it asks, where the venue sets it."""
    rows = [(f"`{rule.id}`", rule.asks, rule.set_by) for rule in RULES]
    return _table(("rule", "what it asks", "set by"), rows)


def binding() -> list[str]:
    """One row for each rule: whom it binds, and when it is asked."""
    return _table(
        ("rule", "asks ahead", "walk-in", "house", "import", "asked when somebody"),
        [(f"`{rule.id}`", *_bound(rule), _steps(rule)) for rule in RULES],
    )


def _bound(rule: Rule) -> list[str]:
    kinds = ("guest", "walk_in", "house", IMPORT)
    assert set(kinds) == EVERYBODY
    yes = "by guests alone" if rule.by_guest else "yes"
    return [yes if kind in rule.binds else "" for kind in kinds]


def _steps(rule: Rule) -> str:
    words = {"make": "reserves", "move": "changes", "cancel": "cancels"}
    return ", ".join(words[step] for step in STEPS if step in rule.steps)


def _notes() -> str:
    channels = " or ".join(f"`{source}`" for source in sorted(SELF_SERVICE))
    return NOTES.format(self_service=channels, kept=VIOLATIONS_KEPT_DAYS)


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return ["| " + " | ".join(line).strip() + " |" for line in lines]


def main() -> int:
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
