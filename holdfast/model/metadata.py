"""`metadata`: what other programs attach to a reservation, in clear and for ever.

Owns what may stand there: numbers, truth values and the ids of other systems, under lower-case
namespaced keys. This keeps accidents out, such as a name, a note or a telephone number in a field
that nobody can erase. It cannot stop a program that means to write one: `crm:mario-rossi-1` has the
form of an id, and so has a key. What is personal belongs into the guest card.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from holdfast.model.limits import METADATA_BYTES_MAX, METADATA_DEPTH_MAX, METADATA_NUMBER_MAX

_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,31}){0,3}\Z")
_TEXT = re.compile(
    r"(?a:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a UUID
    r"|agent_[0-9a-z]{32}"
    r"|RES-\d{4}-[0-9A-HJKMNP-TV-Z]{6,8}"
    r"|[0-9a-f]{16,128}"  # a hash
    r"|\d{4}-\d\d-\d\d(?:T[0-9:.]{5,15}(?:Z|[+-]\d\d:\d\d))?"
    r"|(?!tel:|mailto:|sms:|name:|phone:|email:)[a-z][a-z0-9-]{1,31}:"
    r"(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{1,64})\Z"
)
"""Text in `metadata`: a UUID, an agent id, a code of ours, a hash, a date, or `system:identifier`.
An identifier has a digit at least, so that no plain name passes for one."""
_encoder = msgspec.msgpack.Encoder()


def check_metadata(metadata: Any) -> str | None:
    """Why this metadata may not stand in an entry, as a sentence; None if it may.

    The sentence never repeats the value that is at fault: it goes into answers and logs.
    """
    if not isinstance(metadata, dict):
        return "metadata must be an object"
    for key, value in metadata.items():
        if not isinstance(key, str) or not _KEY.match(key):
            return "metadata keys are lower-case and namespaced, such as crm.contact"
        problem = _problem(key, value, 0, METADATA_NUMBER_MAX)
        if problem:
            return problem
    # Encoded only now: what is nested without end would cost the encoder its stack.
    if len(_encoder.encode(metadata)) > METADATA_BYTES_MAX:
        return f"metadata is larger than {METADATA_BYTES_MAX} bytes"
    return None


def has_clear_text(value: Any) -> bool:
    """Whether a value whose field is not known here holds text that is no id.

    Its numbers are not bounded: a later version may well have times and counts there.
    """
    return _problem("field", value, 0, None) is not None


def _problem(key: str, value: Any, depth: int, number_max: int | None) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # Asked in this way because no comparison with NaN is true.
        if number_max is None or -number_max <= value <= number_max:
            return None
        return (
            f"metadata.{key}: a number is at most {number_max:,} either way; write a larger id as "
            "system:identifier, such as crm:4711000000, and a time as 2027-06-01T19:30:00Z"
        )
    if isinstance(value, str):
        if _TEXT.match(value):
            return None
        return (
            f"metadata.{key}: text must be an id (a UUID, a date, or system:identifier with a "
            "digit in it, such as crm:4711); "
            "put what a person wrote into `guest.requests`, which is sealed"
        )
    if depth >= METADATA_DEPTH_MAX:
        return f"metadata.{key} is nested too deeply"
    if isinstance(value, list):
        members: Any = ((key, item) for item in value)
    elif isinstance(value, dict):
        if not all(isinstance(name, str) and _KEY.match(name) for name in value):
            return f"metadata.{key}: keys are lower-case and namespaced"
        members = value.items()
    else:
        return f"metadata.{key} has a value that JSON does not know"
    for name, item in members:
        problem = _problem(name, item, depth + 1, number_max)
        if problem:
            return problem
    return None
