"""A reason as a person types it, to the code that an entry may hold.

Owns what is forgiven (capitals, spaces, dashes) and the answer to a word that is on no list. The
lists stand in `holdfast.model.vocabulary`; the gate holds every writer to them (`contents`).
"""

from __future__ import annotations

import re
from typing import Final

from holdfast.model.errors import Invalid
from holdfast.model.vocabulary import PRIVATE_REASONS

PERSONAL: Final = "personal_reasons"


def reason_code(typed: str, reasons: frozenset[str], *, has_note: bool = False) -> str:
    """The code of a reason: "Guest request" is `guest_request`, and illness `personal_reasons`.

    `has_note`: the same request takes a sealed note, which is where own words belong. Raises
    Invalid with the whole list; what was typed is not repeated, since it may be about a person.
    """
    code = re.sub(r"[\s_-]+", "_", typed.lower()).strip("_")
    if code in PRIVATE_REASONS and PERSONAL in reasons:
        return PERSONAL
    if code in reasons:
        return code
    message = f"must be one of {', '.join(sorted(reasons))}; `other` always fits"
    if has_note:
        message += ", and your own words go into `note`, which is sealed for the venue"
    raise Invalid.field("reason", message)
