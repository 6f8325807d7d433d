"""A reservation for whoever knows its code and how its guest is reached (H-59, R-22).

Owns this one proof: a code alone is on a slip of paper, and an address alone is no secret. Whoever
answers a caller may ask for more that only the guest knows. The card is opened and looked at;
nothing is searched, and what does not fit says nothing of what would.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from holdfast.model import guest_words, wall
from holdfast.model.errors import Invalid, NotFound
from holdfast.model.reservation import View
from holdfast.node.guest_scope import no_key, require_unlocked

if TYPE_CHECKING:
    from holdfast.node.service import Service


class Answers(NamedTuple):
    """What a caller says of their reservation when they are asked: its service date, how many they
    are, their name; None: nobody asked. All that is said must be right."""

    date: str | None = None
    party_size: int | None = None
    name: str | None = None


NOTHING_ASKED = Answers()


def unknown(reference: str) -> NotFound:
    """What is answered wherever they do not belong together, whatever of them is wrong."""
    return NotFound(f"no reservation {reference} with this address or number here")


def require_answerable(
    replica: Service,
    venues: Sequence[str],
    *,
    email: str | None,
    phone: str | None,
    answers: Answers = NOTHING_ASKED,
) -> None:
    """Whether anything of these venues could be proved here at all. Ask it before a code is looked
    up: said of one that exists alone, it would tell that it does.

    Raises Invalid where neither or both are given and for a date that is none, RuleViolated and
    Forbidden where this device reads the cards of none of them. Where there are none, every code is
    unknown.
    """
    if (email is None) == (phone is None):
        raise Invalid.field("email", "give either the e-mail address or the telephone number")
    if answers.date is not None:
        wall.parse_date(answers.date, "date")
    require_unlocked(replica)
    if venues and not any(_reads(replica, replica.book_of(venue)) for venue in venues):
        raise no_key()


def _reads(replica: Service, book: str) -> bool:
    with replica.lock:
        return replica.cards.reader_in_force(book) is not None


def proved(
    replica: Service,
    view: View,
    *,
    email: str | None,
    phone: str | None,
    answers: Answers = NOTHING_ASKED,
) -> bool:
    """Whether the guest of a reservation has this address, or this telephone number, as their card
    says it: without case, and the number without what stands before it at home and abroad; and
    whether they know what else was asked. Not of a card that this device does not read. Ask
    `require_answerable` first.
    """
    if not _reads(replica, view.book):
        return False
    card = replica.reservations.guest(view, own=True) or {}
    if email is not None:
        reached = guest_words.same_address(email, card.get("email"))
    else:
        reached = guest_words.same_number(phone or "", card.get("phone"))
    return (
        reached
        and answers.date in (None, view.service_date)
        and answers.party_size in (None, view.party_size)
        and (answers.name is None or guest_words.same_name(answers.name, card.get("name")))
    )
