"""The rule about single slots, as the venue file overrides them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from holdfast.model.rules.question import GUESTS, Question, Rule, Violation
from holdfast.model.rules.wording import period_text
from holdfast.model.slot_overrides import is_closed, override_at


def _slot_override(question: Question) -> Iterator[Violation]:
    venue, proposal = question.venue, question.proposal
    override = None if proposal.nights is not None else override_at(venue, proposal.starts_at)
    if override is None:
        return
    when = period_text(override.first, override.last)
    if is_closed(override):
        # Who begins there already may have another table, or a chair more.
        if not proposal.starts_as_before:
            reason = override.kind.replace("_", " ")
            yield Violation(
                "slot-override", f"{venue.name} takes nobody who begins {when} ({reason})."
            )
        return
    least, most, party = override.min_party, override.max_party, proposal.party_size
    if least is not None and party < least:
        yield Violation(
            "slot-override", f"A party of {party} is too small {when}: {least} at least."
        )
    if most is not None and party > most:
        yield Violation("slot-override", f"A party of {party} is too large {when}: {most} at most.")


SLOT_OVERRIDE: Final = Rule(
    id="slot-override",
    asks="It starts in no slot that is closed, or kept for an event, and the party has a size that "
    "may start in that slot.",
    set_by="`slot_overrides`",
    binds=GUESTS,
    elsewhen=True,
    check=_slot_override,
)
