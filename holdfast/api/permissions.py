"""Who may do what at the HTTP face: one table, deny by default.

Owns the roles and permissions. A permission that a role's row does not name is refused; a route
that names no permission is refused to everybody. It knows no route and no token.
"""

from __future__ import annotations

from typing import Final

PUBLIC: Final = "public"
"""The permission of routes that need no token."""
KNOWN: Final = "known"
"""The permission of routes that take any token or session."""

ROLES: Final = ("admin", "supervisor", "staff", "kiosk", "guest", "read-only")

_READ: Final = frozenset(
    {
        "availability.read", "venues.read", "reservations.read", "reservations.find",
        "queue.read", "sync.read",
        "clock.read", "books.read", "exceptions.read", "allotments.read", "stream.read",
        "status.read", "calendar.read", "analytics.read", "holds.read", "holds.find",
        "blocks.read", "waitlist.read", "waitlist.find", "tables.read",
    }
)  # fmt: skip
_DESK: Final = frozenset(
    {
        "reservations.create", "reservations.change", "reservations.cancel",
        "reservations.check-in", "reservations.complete", "reservations.no-show",
        "reservations.confirm", "reservations.approve", "reservations.series", "guests.read",
        "guests.find", "guests.profile", "guests.merge", "sync.control",
        "holds.change", "waitlist.join", "waitlist.accept", "waitlist.offer",
        "tables.mark", "tables.arrange", "notes.read", "notes.change", "reminders.mark",
    }
)  # fmt: skip
_SUPERVISE: Final = frozenset(
    {
        "exceptions.resolve", "queue.change", "audit.read", "nodes.read", "clock.sample",
        "allotments.change", "reservations.override", "reservations.cancel-late", "staff.unlock",
        "guests.erase", "guests.export", "guests.restrict", "venues.rotate-key", "blocks.change",
        "jobs.read", "jobs.run", "reservations.bulk",
    }
)  # fmt: skip
_ADMINISTER: Final = frozenset(
    {
        "venues.change", "reservations.import", "nodes.change", "tokens.change", "config.read",
        "backup", "sync.change", "staff.change", "tickets.create", "venues.share-key",
    }
)  # fmt: skip

FEED: Final = frozenset({"calendar.read"})
"""All that a token may do whose secret is given to a calendar program: in an address, which such
programs keep, show and pass on, or as a password."""

PERMISSIONS: Final[dict[str, frozenset[str]]] = {
    "admin": _READ | _DESK | _SUPERVISE | _ADMINISTER,
    "supervisor": _READ | _DESK | _SUPERVISE,
    "staff": _READ | _DESK,
    # A kiosk takes reservations and receives guests; it reads no card and cuts no network. Who
    # stands there finds a reservation whose code they have, and no other: nor what is held, or who
    # waits, whose codes are those of reservations to come. It puts people on the waitlist and takes
    # them off; what was offered they accept at the desk.
    "kiosk": frozenset(
        {
            "availability.read", "venues.read", "reservations.find", "reservations.create",
            "reservations.cancel", "reservations.check-in", "reservations.confirm", "sync.read",
            "clock.read", "stream.read", "status.read", "holds.find", "holds.change", "blocks.read",
            "waitlist.find", "waitlist.join",
        }
    ),
    # A guest sees and touches what is of its own agent id alone (bookings).
    "guest": frozenset(
        {
            "availability.read", "venues.read", "reservations.read", "reservations.find",
            "reservations.create", "reservations.change", "reservations.cancel",
            "reservations.confirm", "guests.read", "stream.read", "holds.read", "holds.find",
            "holds.change", "waitlist.read", "waitlist.find", "waitlist.join", "waitlist.accept",
        }
    ),
    "read-only": _READ | {"audit.read", "nodes.read"},
}  # fmt: skip
IMPLIED: Final = {
    "reservations.read": "reservations.find",
    "holds.read": "holds.find",
    "waitlist.read": "waitlist.find",
}
"""Who sees all of them finds one."""
ALL: Final = frozenset().union(*PERMISSIONS.values())


def may(role: str, permission: str) -> bool:
    """Whether a role has a permission; an unknown role has none."""
    return permission in PERMISSIONS.get(role, frozenset())
