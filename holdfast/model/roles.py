"""The roles of devices: what each may write about reservations and people, and what its word is
worth.

Owns the one table (DESIGN §4.7, §7.1). A role stands in a device's certificate and never changes
within a life, so that everybody judges an entry alike, whenever it arrives. Rights are another
matter: whoever holds one sells, decides and ends what it covers, in any role (`rights`). What
people may do at a device's own faces is the API's table of permissions.
"""

from __future__ import annotations

from typing import Final

from holdfast.model.errors import RoleForbidden
from holdfast.model.ids import is_derived

HUB: Final = "hub"
FRONT_DESK: Final = "front-desk"
VENUE_SERVER: Final = "venue-server"
KIOSK: Final = "kiosk"
CHANNEL: Final = "channel"
NODE_ROLES: Final = (FRONT_DESK, KIOSK, VENUE_SERVER, CHANNEL)
"""The roles that a device can be invited in."""

CARD_READERS: Final = (FRONT_DESK, VENUE_SERVER)
"""Roles that hold the venue's private key and read guest cards (DESIGN §8)."""

READS_BY_LEAVE: Final = HUB
"""The role that reads a venue's cards only where a front desk handed it the key on purpose, and
only until another key follows."""

GUEST_FACING: Final = frozenset({KIOSK, CHANNEL})
"""Where guests ask by themselves, with nobody of the house between."""

_STAFF: Final = frozenset({HUB, FRONT_DESK, VENUE_SERVER})
_PRESENT: Final = _STAFF | {KIOSK}
_HUB_ALONE: Final = frozenset({HUB})
_READERS: Final = frozenset(CARD_READERS)

RESERVED: Final[dict[str, frozenset[str]]] = {
    # Facts that only those can know who are where the guests are.
    "reservation.checked_in": _PRESENT,
    "reservation.completed": _PRESENT,
    # Judgements of the house: no guest alone with a screen, and no channel, passes them.
    "reservation.no_show": _STAFF,
    "reservation.no_show_undone": _STAFF,
    "exception.resolved": _STAFF,
    # What the house makes of a person: nobody at a screen shuts another out, or lets himself in.
    "guest.restricted": _STAFF,
    "guest.restriction_lifted": _STAFF,
    "guest.profiled": _STAFF,
    "guest.flagged": _STAFF,
    "guest.noted": _STAFF,
    "guest.note_withdrawn": _STAFF,
    "guest.described": _STAFF,
    "guest.merged": _STAFF,
    "guest.unmerged": _STAFF,
    # Like who came and who left.
    "resource.cleaned": _PRESENT,
    # What a book says of itself: the hub's word alone, whichever of its lives says it.
    "chain.closed": _HUB_ALONE,
    "node.revoked": _HUB_ALONE,
    "venue.configured": _HUB_ALONE,
    "venue.key_accepted": _HUB_ALONE,
    "codes.granted": _HUB_ALONE,
    "right.granted": _HUB_ALONE,
    "right.revoked": _HUB_ALONE,
    # The venue's private key is made and handed on by those that read cards, never by the hub.
    "venue.key_published": _READERS,
    "venue.key_handed": _READERS,
    # What staff tell each other.
    "service.notes_edited": _STAFF,
    # The house's word on what a guest reserved by themself: nobody gives it to themself.
    "reservation.approved": _STAFF,
}
"""Who may write a kind of entry, where not everybody may. Everybody may ask for a place, change it
and give it up: channels and kiosks act for guests. What stands here for a role counts nowhere from
any other, so that the gate keeps what a device might hide in it out of sight."""

SAYS: Final = {
    "completed": "reservation.completed",
    "cancelled": "reservation.cancelled",
    "no_show": "reservation.no_show",
}
"""How a record of another system says that it ended, and the kind of entry that says so else: who
may not write that one does not bring it in either."""

BLOCKERS: Final = _STAFF
"""Where places are taken out of use."""

OVERRIDERS: Final = _STAFF
"""Where somebody of the house can insist on a place beyond the capacity (`overbooking`)."""

IMPORTERS: Final = _STAFF | {CHANNEL}
"""Who brings in records of other systems, whose ids are derived and anybody's to guess, and says
what a partner calls a reservation: a screen that did could take the partner's booking away."""

_IN_WORDS: Final = {
    "reservation.checked_in": "check guests in",
    "reservation.completed": "end a visit",
    "reservation.no_show": "mark a no-show",
    "reservation.no_show_undone": "take a no-show back",
    "exception.resolved": "resolve exceptions",
    "reservation.created": "bring in records of other systems",
    "guest.restricted": "restrict guests",
    "guest.restriction_lifted": "lift a guest's restriction",
    "guest.profiled": "say what tier and tags a guest has",
    "guest.flagged": "flag guests",
    "guest.noted": "write notes about guests",
    "guest.note_withdrawn": "withdraw notes about guests",
    "guest.described": "say what guests prefer",
    "guest.merged": "say that two guests are one",
    "guest.unmerged": "say that two guests are not one",
    "resource.cleaned": "say that a table is clean",
    "chain.closed": "close a chain",
    "node.revoked": "shut a device out",
    "venue.configured": "configure a venue",
    "venue.key_accepted": "bring a venue's key into force",
    "codes.granted": "grant reservation codes",
    "right.granted": "grant allotments",
    "right.revoked": "revoke allotments",
    "venue.key_published": "publish a venue's key",
    "venue.key_handed": "hand a venue's key on",
    "service.notes_edited": "edit the notes of a service",
    "reservation.approved": "approve what guests reserved by themselves",
}


def may_write(
    role: str,
    kind: str,
    subject: bytes,
    outcome: str = "",
    form: str = "",
    *,
    partner: bool = False,
) -> bool:
    """Whether an entry of this kind about this reservation (of a person: none) counts from a device
    of this role; `outcome` is how a record of another system says that it ended, `form` what it is,
    or what it is about, where that was made as no reservation; `partner`: it has a reference of a
    partner."""
    if (form == "block" and role not in BLOCKERS) or (partner and role not in IMPORTERS):
        return False
    if kind == "reservation.created":
        brings = role in IMPORTERS or not is_derived(subject)
        return brings and (outcome not in SAYS or may_write(role, SAYS[outcome], subject))
    allowed = RESERVED.get(kind)
    return allowed is None or role in allowed


def require_write(
    role: str,
    kind: str,
    subject: bytes,
    outcome: str = "",
    form: str = "",
    *,
    partner: bool = False,
) -> None:
    """Raises RoleForbidden where no replica would take the entry for this device's word."""
    if partner and role not in IMPORTERS:
        raise RoleForbidden(
            f"a device of the role {role} takes no partner's reference; do it at "
            f"{_where(IMPORTERS)}"
        )
    if not may_write(role, kind, subject, outcome, form):
        if form and may_write(role, kind, subject, outcome):
            raise RoleForbidden(
                f"a device of the role {role} takes no place out of use, nor puts it back; "
                f"do it at {_where(BLOCKERS)}"
            )
        if may_write(role, kind, subject):
            kind = SAYS[outcome]
        allowed = IMPORTERS if kind == "reservation.created" else RESERVED[kind]
        raise RoleForbidden(
            f"a device of the role {role} may not {_IN_WORDS[kind]}; do it at {_where(allowed)}"
        )


def _where(allowed: frozenset[str]) -> str:
    devices = ", ".join(sorted(allowed - {HUB}))
    places = ["the hub"] if HUB in allowed else []
    places += [f"a device of the role {devices}"] if devices else []
    return " or at ".join(places)
