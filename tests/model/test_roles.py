"""Who may write what about reservations and people: the table, written out by reason."""

from __future__ import annotations

import re

import pytest

from holdfast.model import events, roles, vocabulary
from holdfast.model.errors import RoleForbidden
from holdfast.model.ids import import_id, is_derived, reservation_id

OWN = reservation_id(b"l" * 16, 1_811_000_000_000, b"abc")
DERIVED = import_id("town/trattoria", "row 1")

EVERYBODY = {"hub", "front-desk", "venue-server", "kiosk", "channel"}
HOUSE = {"hub", "front-desk", "venue-server"}
EXPECTED = {
    # A guest asks for these, wherever the guest is.
    "reservation.created": EVERYBODY,
    "reservation.amended": EVERYBODY,
    "reservation.moved": EVERYBODY,
    "reservation.reserved": EVERYBODY,
    "reservation.expired": EVERYBODY,
    "reservation.cancelled": EVERYBODY,
    "reservation.attendance_confirmed": EVERYBODY,
    # Who is there, and who left, only those can see who are there too.
    "reservation.checked_in": HOUSE | {"kiosk"},
    "reservation.completed": HOUSE | {"kiosk"},
    # The house judges.
    "reservation.no_show": HOUSE,
    "reservation.no_show_undone": HOUSE,
    "exception.resolved": HOUSE,
    # Nobody gives the house's word to themself.
    "reservation.approved": HOUSE,
    # What rights alone decide: any device may hold one.
    "claim.decided": EVERYBODY,
    "claim.ended": EVERYBODY,
    # One's own operation is one's own to take back; the fold asks whose it was.
    "operation.withdrawn": EVERYBODY,
    # What the house makes of a person.
    "guest.restricted": HOUSE,
    "guest.restriction_lifted": HOUSE,
    "guest.profiled": HOUSE,
    "guest.flagged": HOUSE,
    "guest.noted": HOUSE,
    "guest.note_withdrawn": HOUSE,
    "guest.described": HOUSE,
    "guest.merged": HOUSE,
    "guest.unmerged": HOUSE,
    # Who cleans a table is where it stands.
    "resource.cleaned": HOUSE | {"kiosk"},
    # Every device keeps its own chain, and gives back what it holds.
    "chain.certified": EVERYBODY,
    "chain.key_changed": EVERYBODY,
    "chain.succeeded": EVERYBODY,
    "right.returned": EVERYBODY,
    # What a book says of itself is the hub's word.
    "chain.closed": {"hub"},
    "node.revoked": {"hub"},
    "venue.configured": {"hub"},
    "venue.key_accepted": {"hub"},
    "codes.granted": {"hub"},
    "right.granted": {"hub"},
    "right.revoked": {"hub"},
    # The venue's key is theirs who read cards by it.
    "venue.key_published": {"front-desk", "venue-server"},
    "venue.key_handed": {"front-desk", "venue-server"},
    # What staff tell each other.
    "service.notes_edited": HOUSE,
}
JUDGED_WHERE_THEY_COUNT = {"guest.erased", "guest.erasure_confirmed", "guest.exported"}
"""Anybody may write them, and the fold of erasures asks who did (`forgetting`)."""


def test_every_kind_has_its_row() -> None:
    assert set(EXPECTED) == set(events.EVENT_BY_KIND) - JUDGED_WHERE_THEY_COUNT


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("chain.closed", "do it at the hub$"),
        ("venue.key_published", "do it at a device of the role front-desk, venue-server$"),
        ("guest.flagged", "do it at the hub or at a device of the role front-desk, venue-server$"),
    ],
)
def test_who_may_not_is_told_where_it_is_done(kind: str, where: str) -> None:
    with pytest.raises(RoleForbidden, match=where):
        roles.require_write("kiosk", kind, b"")


@pytest.mark.parametrize("role", sorted(EVERYBODY))
@pytest.mark.parametrize("kind", sorted(EXPECTED))
def test_a_role_writes_what_its_place_lets_it_know(kind: str, role: str) -> None:
    allowed = role in EXPECTED[kind]
    assert roles.may_write(role, kind, OWN) is allowed
    if allowed:
        roles.require_write(role, kind, OWN)
        return
    with pytest.raises(RoleForbidden, match=f"the role {role} may not .*; do it at "):
        roles.require_write(role, kind, OWN)


@pytest.mark.parametrize("role", sorted(EVERYBODY - {"kiosk"}))
def test_a_record_of_another_system_says_of_its_end_what_its_bearer_may_say(role: str) -> None:
    """A channel brings in reservations; that somebody did not come, or did, the house says."""
    judged = {
        outcome
        for outcome in vocabulary.OUTCOMES
        if roles.may_write(role, "reservation.created", DERIVED, outcome)
    }
    plain = {"", "confirmed", "cancelled"}
    assert judged == (plain if role == "channel" else vocabulary.OUTCOMES)
    if role == "channel":
        with pytest.raises(RoleForbidden, match="may not mark a no-show"):
            roles.require_write(role, "reservation.created", DERIVED, "no_show")


@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_a_kiosk_brings_in_no_records_of_other_systems(role: str) -> None:
    assert roles.may_write(role, "reservation.created", DERIVED) is (role != "kiosk")
    if role == "kiosk":
        with pytest.raises(RoleForbidden, match="records of other systems"):
            roles.require_write(role, "reservation.created", DERIVED)
    # What was brought in is a reservation like any other.
    assert roles.may_write(role, "reservation.cancelled", DERIVED)


def test_the_ids_of_imported_records_are_told_from_those_that_a_device_makes() -> None:
    assert is_derived(DERIVED)
    assert not is_derived(OWN)
    assert not is_derived(b"")


def test_an_unknown_role_is_nobody_of_the_house() -> None:
    for kind in roles.RESERVED:
        assert not roles.may_write("janitor", kind, OWN)


def test_the_roles_to_invite_are_all_but_the_hub() -> None:
    assert set(roles.NODE_ROLES) == EVERYBODY - {"hub"}
    assert all(re.fullmatch(r"[a-z-]+", role) for role in roles.NODE_ROLES)
