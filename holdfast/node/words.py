"""Codes in words: why something was refused, decided or needs a person, as a host understands it.

Owns sentences, and how they are joined, and nothing else; the codes stand where they arise. A code
without a sentence is shown as it is, with blanks, so that nothing is ever hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

REASON_SENTENCES: Final = {
    # The gate, on an entry.
    "entry-too-large": "it is larger than an entry may be",
    "entry-unreadable": "its bytes cannot be read",
    "kind-not-namespaced": "its kind has no valid name",
    "stamp-out-of-range": "its time is no possible time",
    "envelope-out-of-range": "a field is out of its bounds",
    "too-many-rights": "it names too many allotments",
    "too-many-predecessors": "it names too many earlier changes",
    "operation-id-length": "an operation that it names has no valid id",
    "too-many-claims": "it asks for too many places at once",
    "claim-interval": "it asks for a time that is no possible time",
    "claim-quantity": "it asks for an impossible quantity",
    "claim-out-of-range": "a claim is out of its bounds",
    "claim-id": "a claim that it names has no valid id",
    "content-unreadable": "its content cannot be read",
    "card-out-of-range": "its guest card is too large, or not sealed as it must be",
    "card-foreign": "its guest card was sealed by another device, or for another guest",
    "party-size": "its party size is not a possible one",
    "restriction-out-of-range": "its restriction has a number that is not a possible one",
    "profile-out-of-range": "it gives a guest more tags than one can have",
    "form-out-of-range": "what it says of a hold, a place on the waitlist or a block cannot be",
    "partner-out-of-range": "what it says of a partner's reference cannot be",
    "certificate-out-of-range": "its certificate is not complete",
    "field-not-amendable": "it changes a field that cannot be changed",
    "role-forbidden": "a device of this role may not write this",
    "outcome-not-imported": "it says how a reservation ended that no other system brought in",
    "id-foreign": "it makes a reservation under an id that another device gave",
    "newer-schema": "a newer version wrote it; it counts once this device is upgraded",
    # The gate, on a whole frame.
    "gap": "earlier entries have not come yet",
    "seal-missing": "no seal covers it",
    "seal-invalid": "its seal does not verify",
    "foreign-page": "it writes on another device's page",
    "chain-start": "it does not begin where a chain begins",
    "certificate-missing": "its writer shows no certificate",
    "certificate-invalid": "its writer's certificate is not the tenant's",
    "certificate-foreign": "its writer's certificate is for another venue",
    "frame-malformed": "it is no valid part of an exchange",
    # Decisions.
    "free": "the place was free",
    "taken": "the place was already taken",
    "not-held": "another device has the right to sell the place",
    "no-such-resource": "there is no such resource any more",
    "superseded": "the reservation had changed in the meantime",
    "resource-repeated": "one resource was asked for twice",
    "quarantined": "what was asked for could not be accepted",
    "override": "it was overbooked on purpose, within the limit of the venue file",
    "over-limit": "the place was taken, and the limit of overbooking was used up",
    # Prognoses.
    "asked-first": "others ask for the same place, and it was asked for here first",
    "asked-later": "others asked for the same place earlier",
    "contested": "many ask for the same place",
    # Exchanges.
    "unreachable": "the hub could not be reached",
    "timeout": "the hub did not answer in time",
    "revoked": "the hub has shut this device out",
    "forbidden": "the hub refuses this device",
    "unauthorised": "the hub does not recognise this device",
    "other-root": "another hub, with another root key, stands at the hub's address",
}

_PREFIX_SENTENCES: Final = (
    ("text-not-an-id:", "{} holds free text, where only an id may stand"),
    ("text-not-a-code:", "{} is not one of the allowed words"),
    ("text-not-a-date:", "{} is no date"),
    ("update-", "its page's update is no plain append ({})"),
)

EXCEPTION_SENTENCES: Final = {
    "displaced": "{subject} could not be given its place{by}. Tell the guest, and offer another"
    " time or place.",
    "seated_without_place": "The guests of {subject} are seated, but no place is held for them:"
    " what they sit at may be promised to somebody else.",
    "seated_though_cancelled": "{subject} was cancelled on one device while its guests were checked"
    " in on another. It counts as seated; make sure that its place was not sold again.",
    "no_show_and_checked_in": "{subject} was marked as a no-show on one device while its guests"
    " were checked in on another. It counts as seated; take back any no-show fee.",
    "no_show_and_cancelled": "{subject} was marked as a no-show on one device and cancelled on"
    " another. It counts as cancelled; take back any no-show fee.",
    "checked_in_twice": "{subject} was checked in more than once{seen}. Look whether two parties"
    " came on one reservation.",
    "overbooked": "{subject} was sold beyond the capacity on purpose{seen}. Until somebody else"
    " leaves or cancels there is one place too few.",
    "two_parties": "{subject} was seated at {place}, where {others} sat already. Give one of them"
    " another place, or say that they share it.",
    "partner_reference_twice": "{subject} and {others} have the same partner reference: devices"
    " that were apart took one booking twice. Ask the partner, and cancel what is too many.",
}

_LOST_BY: Final = {
    "revoked": "revocation of {by}'s allotment",
    "shut_out": "the shutting out of {by}",
    "closed": "the closing of a copied or restored life of {by}",
    "recovered": "the hub's recovery",
}
_LOST: Final = (
    "{subject} {lost}{by}. The guest was told that it is booked: call them first, and offer another"
    " time or place."
)

_BLOCK_REFUSED: Final = (
    "What {subject} was to take out of use is promised to somebody and stays in use. Find them"
    " another place and make the block again, make it with `--force`, or cancel it."
)
_SOLD_ELSEWHERE: Final = (
    "{subject} could not be given {place}: {seller} sells it now, and it may still be free. Ask"
    " {seller} for it (`holdfast exceptions resolve {subject} --action move {options} --reason"
    " called_guest`), or offer another time or place."
)
"""Of a displaced reservation in whose way nobody is."""


def plain_reason(code: str) -> str:
    """A reason code in words; empty for none."""
    known = REASON_SENTENCES.get(code)
    if known is not None:
        return known
    for prefix, sentence in _PREFIX_SENTENCES:
        if code.startswith(prefix):
            return sentence.format(code.removeprefix(prefix).replace("_", " "))
    return code.replace("-", " ").replace("_", " ")


def sentences(parts: Iterable[str], between: str = "; ") -> str:
    """Sentences as parts of one line: of all but the last the full stop goes."""
    given = [part.strip() for part in parts if part.strip()]
    return between.join([*(part.rstrip(".") for part in given[:-1]), *given[-1:]])


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things: `1 chain`, `2 chains`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def exception_sentence(
    kind: str, subject: str, others: Sequence[str], *, place: str = "", seen: str = ""
) -> str:
    """What happened and what to do, for the person who must look at it. `others` have, or sit at,
    the place; `seen` is who saw what."""
    sentence = EXCEPTION_SENTENCES.get(kind)
    if sentence is None:
        return f"{subject} needs a person: {kind.replace('_', ' ')}."
    return sentence.format(
        subject=subject,
        by=_had_by(others),
        others=" and ".join(others),
        place=place,
        seen=f": {seen}" if seen else "",
    )


def lost_words(how: str, by: str) -> str:
    """How a promise was lost that the device `by` had given, as `model.lost_promises` says it:
    such as `was promised, lost by revocation of desk-2's allotment`."""
    return f"was promised, lost by {_LOST_BY[how].format(by=by)}"


def lost_sentence(subject: str, lost: str, others: Sequence[str]) -> str:
    """What happened and what to do where a guest was promised a place and has none. `lost` are the
    words for how; `others` have the place."""
    return _LOST.format(subject=subject, lost=lost, by=_had_by(others))


def _had_by(others: Sequence[str]) -> str:
    has = "has" if len(others) == 1 else "have"
    return f": {' and '.join(others)} {has} it" if others else ""


def block_refused_sentence(subject: str) -> str:
    """What happened and what to do where a block could not have its place."""
    return _BLOCK_REFUSED.format(subject=subject)


def sold_elsewhere_sentence(subject: str, resources: Sequence[str], seller: str) -> str:
    """What happened and what to do where a place could not be given because another, `seller`, has
    the right to sell it. The same place may still be had: from whoever sells it now."""
    return _SOLD_ELSEWHERE.format(
        subject=subject,
        place=" and ".join(resources),
        seller=seller,
        options=" ".join(f"--resource {resource}" for resource in resources),
    )
