"""What a venue allows: each rule a value with an id, in modules by subject, and the engine.

Owns the rules and which of them bind whom; docs/rules.md lists them. Never capacity: what is free
is another question, and a rule broken by two replicas at once takes nobody's place away. Everything
that a rule may look at is an argument (`Question`), so that a rule which an installed package adds
is asked like Holdfast's own (`RuleBook`).
"""

from __future__ import annotations

from holdfast.model.rules.engine import OWN, RULES, RuleBook, fault_of
from holdfast.model.rules.person import SELF_SERVICE, WEEK_SECONDS, limits_of
from holdfast.model.rules.question import (
    AHEAD,
    CANCEL,
    EVERYBODY,
    GUESTS,
    IMPORT,
    MAKE,
    MOVE,
    NOBODY,
    RESERVING,
    STEPS,
    Made,
    Proposal,
    Question,
    Rule,
    Standing,
    Violation,
)

__all__ = [
    "AHEAD",
    "CANCEL",
    "EVERYBODY",
    "GUESTS",
    "IMPORT",
    "MAKE",
    "MOVE",
    "NOBODY",
    "OWN",
    "RESERVING",
    "RULES",
    "SELF_SERVICE",
    "STEPS",
    "WEEK_SECONDS",
    "Made",
    "Proposal",
    "Question",
    "Rule",
    "RuleBook",
    "Standing",
    "Violation",
    "fault_of",
    "limits_of",
]
