"""A reason as a person types it, to the code that an entry may hold.

Owns what is forgiven (capitals, spaces, dashes), the words that are proposed first, and the answer
to a word that is on no list. The lists stand in `holdfast.model.vocabulary`; the gate holds every
writer to them (`contents`).
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.model.errors import Invalid
from holdfast.model.vocabulary import (
    BLOCK_REASONS,
    CANCEL_REASONS,
    ERASE_REASONS,
    LIFT_REASONS,
    OVERRIDE_REASONS,
    PRIVATE_REASONS,
    RESOLVE_REASONS,
    RESTRICT_REASONS,
    REVOKE_REASONS,
    RIGHT_REVOKE_REASONS,
    WITHDRAW_REASONS,
)

PERSONAL: Final = "personal_reasons"
WORDS_PAGE: Final = "docs/words.md"
_NEAREST: Final = 3


def _dozen(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COMMON_REASONS: Final = {
    CANCEL_REASONS: _dozen(
        "guest_request changed_plans personal_reasons weather no_answer duplicate mistake"
        " venue_closed overbooked staff_shortage test other"
    ),
    REVOKE_REASONS: _dozen(
        "lost stolen broken compromised retired replaced sold misused returned mistake test other"
    ),
    RIGHT_REVOKE_REASONS: _dozen(
        "stranded lost stolen broken retired replaced sold venue_changed misused mistake test other"
    ),
    WITHDRAW_REASONS: _dozen(
        "mistake duplicate guest_request changed_plans quarantined not_needed outdated rebooked"
        " wrong_date wrong_time test other"
    ),
    ERASE_REASONS: _dozen(
        "guest_request consent_withdrawn objection retention inactive no_longer_needed no_consent"
        " wrong_person legal mistake test other"
    ),
    RESTRICT_REASONS: _dozen(
        "no_shows late_cancellations unpaid house_rules conduct damage not_qualified"
        " membership_ended guest_request under_review test other"
    ),
    LIFT_REASONS: _dozen(
        "paid settled apologised appealed reviewed second_chance qualified replaced wrong_guest"
        " mistake test other"
    ),
    OVERRIDE_REASONS: _dozen(
        "vip_guest group regular_guest expected_no_show expected_cancellation goodwill"
        " compensation system_error our_mistake high_demand management other"
    ),
    BLOCK_REASONS: _dozen(
        "maintenance repair cleaning inspection defective renovation private_event staff_training"
        " owner_use staff_shortage test other"
    ),
    RESOLVE_REASONS: _dozen(
        "called_guest moved rebooked refunded walked accepted handled no_action guest_declined"
        " mistake test other"
    ),
}
"""The dozen of each list that comes first where there is no room for all."""


def reason_code(
    typed: str, reasons: frozenset[str], *, has_note: bool = False, field: str = "reason"
) -> str:
    """The code of a reason: "Guest request" is `guest_request`, and illness `personal_reasons`.

    `has_note`: the same request takes a sealed note, which is where own words belong. Raises
    Invalid with the words that come nearest and the common ones; what was typed is not repeated,
    since it may be about a person.
    """
    code = re.sub(r"[\s_-]+", "_", typed.lower()).strip("_")
    if code in PRIVATE_REASONS and PERSONAL in reasons:
        return PERSONAL
    if code in reasons:
        return code
    # Only needed when something is wrong, and not quick to load.
    from difflib import get_close_matches

    near = get_close_matches(code, sorted(reasons), _NEAREST)
    message = "must be a word of the list" + (f" (nearest: {', '.join(near)})" if near else "")
    common = COMMON_REASONS.get(reasons)
    if common is not None:
        message += f", such as {', '.join(common)}; `other` always fits"
    message += f", and `--help` and {WORDS_PAGE} show all"
    if has_note:
        message += ". Your own words go into `note`, which is sealed for the venue"
    raise Invalid.field(field, message)
