"""The list of rules, and the one place where all of them are asked at once.

Owns which rules there are, in which order they speak, and which bind a proposal. A rule is checked
where one writes, never at a merge: what was done elsewhere was done (DESIGN §1, "party, covers").
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any, Final

from holdfast.model.rules import blackouts, online, person, sizes, slots, times
from holdfast.model.rules.question import EVERYBODY, STEPS, Question, Rule, Violation

RULES: Final = (
    online.INACTIVE,
    sizes.DURATION,
    sizes.NIGHTS,
    sizes.PARTY,
    times.PAST,
    times.CUTOFF,
    times.ADVANCE,
    times.CLOSED,
    times.HOURS,
    times.SLOT,
    blackouts.BLACKOUTS,
    slots.SLOT_OVERRIDE,
    online.ONLINE,
    sizes.PACING,
    sizes.SEATED,
    person.CONCURRENT,
    person.RESCHEDULES,
    person.RATES,
    times.CANCEL_CUTOFF,
)
"""Holdfast's own, in the order in which they speak: first what was asked for, then who asks."""

_ADDED_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,31}(\.[a-z][a-z0-9-]{0,31}){1,3}")


def fault_of(rule: object, taken: Container[str]) -> str:
    """Why something that a package adds can be no rule; empty: it can. `taken` are ids of others.

    Its id has a namespace, as all that others add: so it is taken for no rule or refusal of
    Holdfast's own, of this version or a later one.
    """
    if not isinstance(rule, Rule):
        return f"{type(rule).__name__} is no holdfast.model.rules.Rule"
    given: Any = rule  # Nothing has checked what its fields are.
    if not isinstance(given.id, str) or not _ADDED_ID.fullmatch(given.id):
        return f"its id {given.id!r} must have a namespace, such as acme.mondays, of a-z 0-9 -"
    if given.id in taken:
        return f"another package has a rule {given.id} already"
    unknown = sorted((set(given.binds) - EVERYBODY) | (set(given.steps) - set(STEPS)))
    if unknown:
        return f"its rule {given.id} is for {', '.join(unknown)}, which nobody knows"
    return "" if callable(given.check) else f"its rule {given.id} has no check that can be called"


class RuleBook:
    """Holdfast's own rules and those that were added; the ids of all are different."""

    def __init__(self, added: Iterable[Rule] = ()) -> None:
        self.added = tuple(added)
        self.rules = (*RULES, *self.added)
        self._binding = {
            (step, kind): tuple(
                rule for rule in self.rules if step in rule.steps and kind in rule.binds
            )
            for step in STEPS
            for kind in EVERYBODY
        }

    def violations(self, question: Question) -> list[Violation]:
        """Everything that says no, of all rules that bind the proposal; empty: it is allowed."""
        proposal = question.proposal
        by_guest, starts_as_before = proposal.by_guest, proposal.starts_as_before
        found: list[Violation] = []
        for rule in self._binding[proposal.step, proposal.bound_as]:
            if (by_guest or not rule.by_guest) and not (starts_as_before and rule.of_start):
                found.extend(rule.check(question))
        return found

    def may_be_cured(self, found: Iterable[Violation]) -> bool:
        """Whether all of what was found wrong may be right at another time or for another
        length."""
        elsewhen = {rule.id for rule in self.rules if rule.elsewhen}
        return all(violation.rule in elsewhen for violation in found)


OWN: Final = RuleBook()
"""Without any rules that were added."""
