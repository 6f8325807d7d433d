"""The closed lists of codes that entries, the venue file and the faces share (DESIGN §8).

Owns the words and nothing of what they do. A text that is not on its list never enters a book;
what a person wants to say freely goes into a sealed note. A code is never removed or renamed:
old entries carry it for ever. A later version appends.
"""

from __future__ import annotations

from typing import Final

VENUE_KINDS: Final = frozenset({"restaurant", "centre", "lodging", "spot", "event"})

RESERVATION_KINDS: Final = frozenset({"guest", "walk_in", "house"})
"""`guest`: asked for beforehand; `walk_in`: stands at the desk; `house`: the venue's own use."""

SOURCES: Final = frozenset(
    {
        "direct",
        "phone",
        "website",
        "app",
        "walk_in",
        "partner",
        "agency",
        "corporate",
        "group",
        "import",
        "other",
    }
)
"""Where a reservation came from: the channel, never a person or a partner's name."""

OCCASIONS: Final = frozenset(
    {"birthday", "anniversary", "business", "date", "celebration", "other"}
)

CANCELLED_BY: Final = frozenset({"guest", "venue", "system"})

CANCEL_REASONS: Final = frozenset(
    {
        "guest_request",
        "guest_changed_plans",
        "guest_ill",
        "weather",
        "travel",
        "duplicate",
        "entered_by_mistake",
        "venue_closed",
        "maintenance",
        "private_event",
        "overbooked",
        "payment_failed",
        "not_confirmed",
        "displaced",
        "expired",
        "imported",
        "other",
    }
)
"""Why a reservation ended before it began; `imported`: an existing system says so without why."""

BLOCK_KINDS: Final = frozenset({"maintenance", "training", "private_event", "blocked"})

COUNTS: Final = frozenset({"people", "units"})
"""What the capacity of a pool counts: guests, or interchangeable units such as rooms of a type."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of `date.weekday()`."""
