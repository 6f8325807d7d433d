"""The lifecycle of a reservation: every status, every step, and what happens when two collide.

Owns the one table that writers, the fold and the documentation's diagram read (DESIGN §4.5, §6).
Knows nothing of claims: whether an open reservation is confirmed, pending or failed is read from
its claims (`reservation`), so that "confirmed" can never be said without a live claim behind it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from holdfast.model.errors import BadTransition

# Statuses, in the contract's words. OPEN stands in the table for the three that claims decide.
INTENT: Final = "intent"
PAYMENT_PENDING: Final = "payment_pending"
PAYMENT_CONFIRMED: Final = "payment_confirmed"
COMMIT_PENDING: Final = "commit_pending"
COMMIT_FAILED: Final = "commit_failed"
CONFIRMED: Final = "confirmed"
CHECKED_IN: Final = "checked_in"
COMPLETED: Final = "completed"
CANCEL_PENDING: Final = "cancel_pending"
REFUND_PENDING: Final = "refund_pending"
CANCELLED: Final = "cancelled"
NO_SHOW: Final = "no_show"
EXPIRED: Final = "expired"

OPEN: Final = "open"
OPEN_STATUSES: Final = frozenset({COMMIT_PENDING, CONFIRMED, COMMIT_FAILED})
STATUSES: Final = (
    INTENT, PAYMENT_PENDING, PAYMENT_CONFIRMED, COMMIT_PENDING, COMMIT_FAILED, CONFIRMED,
    CHECKED_IN, COMPLETED, CANCEL_PENDING, REFUND_PENDING, CANCELLED, NO_SHOW, EXPIRED,
)  # fmt: skip

NO_SHOW_REVERSIBLE_HOURS: Final = 24


class Step(NamedTuple):
    """One kind of transition: from which statuses a writer may take it, where it leads, what it is.

    `fact`: it happened, so the fold never voids it. `ends_claims`: it asks the holder to free the
    capacity. `to` is None where the status stays.
    """

    name: str
    kind: str
    sources: frozenset[str]
    to: str | None
    fact: bool
    ends_claims: bool


def _step(name: str, sources: set[str], to: str | None, fact: bool, ends: bool) -> Step:
    return Step(name, f"reservation.{name}", frozenset(sources), to, fact, ends)


_BEFORE_ARRIVAL = {COMMIT_PENDING, CONFIRMED, COMMIT_FAILED}
_UNTIL_ARRIVAL = {INTENT, *_BEFORE_ARRIVAL}

STEPS: Final[tuple[Step, ...]] = (
    #     name                    from                                  to          fact   ends
    _step("reserved", {INTENT}, OPEN, False, False),
    _step("expired", {INTENT}, EXPIRED, False, True),
    _step("amended", {*_UNTIL_ARRIVAL, CHECKED_IN}, None, False, False),
    _step("moved", {*_UNTIL_ARRIVAL, CHECKED_IN}, None, False, False),
    _step("attendance_confirmed", {COMMIT_PENDING, CONFIRMED}, None, False, False),
    _step("cancelled", _UNTIL_ARRIVAL, CANCELLED, False, True),
    _step("checked_in", {COMMIT_PENDING, CONFIRMED}, CHECKED_IN, True, False),
    _step("completed", {CHECKED_IN}, COMPLETED, True, True),
    _step("no_show", {COMMIT_PENDING, CONFIRMED}, NO_SHOW, False, True),
    _step("no_show_undone", {NO_SHOW}, OPEN, False, False),
)
STEP_BY_KIND: Final = {step.kind: step for step in STEPS}
STEP_BY_NAME: Final = {step.name: step for step in STEPS}
ENDS_CLAIMS: Final = frozenset({CANCELLED, COMPLETED, NO_SHOW, EXPIRED})
"""Statuses whose capacity is to be freed; it stays occupied until its holder writes the end."""

_RANK: Final = {
    status: rank
    for rank, status in enumerate(
        (INTENT, EXPIRED, OPEN, NO_SHOW, CANCELLED, CHECKED_IN, COMPLETED)
    )
}
"""What wins when two steps did not know of each other: who sits at the table beats every paper, and
who reserved what was only held beats its expiry (whether there is a place, its claims say)."""

_BEFORE_OPEN: Final = frozenset({INTENT, EXPIRED})
BEFORE_OPEN: Final = frozenset({"reservation.reserved", "reservation.expired"})
"""Steps that mean something only while nobody has reserved."""

_CONTRADICTIONS: Final = {
    frozenset({CANCELLED, CHECKED_IN}): "seated_though_cancelled",
    frozenset({CANCELLED, COMPLETED}): "seated_though_cancelled",
    frozenset({NO_SHOW, CHECKED_IN}): "no_show_and_checked_in",
    frozenset({NO_SHOW, COMPLETED}): "no_show_and_checked_in",
    frozenset({NO_SHOW, CANCELLED}): "no_show_and_cancelled",
    frozenset({CHECKED_IN}): "checked_in_twice",
}
"""Pairs that a person must look at, by the two statuses that met."""


class Outcome(NamedTuple):
    """Where the fold goes on, whether the step only shows (void), and the exception it raises."""

    status: str
    void: bool = False
    exception: str | None = None


def _next(status: str, step: Step) -> Outcome:
    """The step was taken by somebody who saw `status`."""
    sources = {OPEN if source in OPEN_STATUSES else source for source in step.sources}
    if status in sources:
        return Outcome(step.to or status)
    return _collide(status, step)


def _collide(status: str, step: Step) -> Outcome:
    """The step was taken by somebody who had not seen how the reservation came to `status`."""
    if step.to is None:
        return Outcome(status, void=status not in (INTENT, OPEN, CHECKED_IN))
    if step.to == OPEN and (status in _BEFORE_OPEN) != (INTENT in step.sources):
        # That a no-show was none does not reserve what nobody reserved, and what is reserved, or
        # was never held, is not reserved again.
        return Outcome(status, void=True)
    exception = _CONTRADICTIONS.get(frozenset({status, step.to}))
    if _RANK[step.to] >= _RANK[status]:
        return Outcome(step.to, exception=exception)
    return Outcome(status, void=not step.fact, exception=exception)


FOLD_STATUSES: Final = tuple(_RANK)
NEXT: Final = {(s, step.kind): _next(s, step) for s in FOLD_STATUSES for step in STEPS}
COLLIDE: Final = {(s, step.kind): _collide(s, step) for s in FOLD_STATUSES for step in STEPS}


_CALLED: Final = {
    INTENT: "held for the moment",
    COMMIT_PENDING: "waiting for an answer",
    COMMIT_FAILED: "could not be had",
    CHECKED_IN: "checked in",
    NO_SHOW: "no-show",
    EXPIRED: "lapsed",
}


def called(status: str) -> str:
    """A status in a sentence: in plain words, with its code where that is another."""
    words = _CALLED.get(status, status.replace("_", " "))
    return words if words == status else f"{words} ({status})"


def check_step(name: str, status: str, reference: str) -> Step:
    """The step, if a writer who sees `status` may take it. Raises BadTransition otherwise."""
    step = STEP_BY_NAME[name]
    if status not in step.sources:
        allowed = ", ".join(called(one) for one in sorted(step.sources))
        raise BadTransition(
            f"{reference} is {called(status)}; {name.replace('_', ' ')} is possible only from: "
            f"{allowed}",
            status,
        )
    return step


def diagram() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", "    [*] --> commit_pending: created (asks the holder)"]
    lines.append("    [*] --> intent: created (as a hold, or on the waitlist)")
    lines.append("    [*] --> confirmed: created (from one's own right)")
    lines.append("    commit_pending --> confirmed: admitted or moved by the holder")
    lines.append("    commit_pending --> commit_failed: displaced by the holder")
    for step in STEPS:
        if step.to is None:
            continue
        target = CONFIRMED if step.to == OPEN else step.to
        mark = " (fact)" if step.fact else ""
        for source in sorted(step.sources):
            lines.append(f"    {source} --> {target}: {step.name}{mark}")
    for end in (COMPLETED, CANCELLED, NO_SHOW, EXPIRED):
        lines.append(f"    {end} --> [*]")
    return "\n".join(lines)
