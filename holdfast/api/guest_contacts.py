"""What guests without a token say of themselves: a name and how they are reached, and how often.

Owns both bounds. They are asked of sessions that anybody is given, and of nobody else: who has a
guest's token is known to the program that made it. Nothing is looked up here.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import UnsetType

from holdfast.api.auth import counted_as
from holdfast.api.callers import Caller
from holdfast.api.face import Asking, face_of
from holdfast.api.sessions import GUEST
from holdfast.model import guest_words
from holdfast.model.errors import Invalid

_DIGITS_MIN: Final = guest_words.PHONE_ENDINGS[-1]


def check_contact(
    request: Asking, caller: Caller, card: dict[str, Any] | UnsetType | None, *, needed: bool
) -> None:
    """Whether a guest's session may write this card; call in the worker, before anything is looked
    up. `needed`: there is no card yet, so that one without a name, or without a contact that a ban
    would know again, is not enough. Raises Invalid, RateLimited."""
    if caller.origin[0] != GUEST or not (card or needed):
        return
    _require_whole(card or {})
    face_of(request).access.rates.contacts.take(counted_as(caller, request))


def _require_whole(card: dict[str, Any]) -> None:
    """Raises Invalid with every field that is missing."""
    faults = []
    given = {field: value.strip() for field, value in card.items() if isinstance(value, str)}
    if not given.get("name"):
        faults.append({"field": "guest.name", "message": "say under which name"})
    # Asked of the words by which a ban finds a card: what has none of them binds nobody.
    if not guest_words.words_for_contacts(given):
        said = f"give a telephone number, of {_DIGITS_MIN} digits at least, or an e-mail address"
        faults.append({"field": "guest.phone", "message": said})
    if faults:
        raise Invalid("; ".join(f"{one['field']}: {one['message']}" for one in faults), faults)
