"""A line of a table of figures: everything that is one number, under a name of its own.

Owns the names of these columns, for tables that other programs read. Pure.
"""

from __future__ import annotations

from typing import Any

from holdfast.model import lifecycle
from holdfast.model.figures import ASSURANCES, CANCELLERS, HELD, KINDS, LIMITED, WAITED


def line(figures: dict[str, Any]) -> dict[str, Any]:
    """The columns of some figures, in their order; what cannot be said of nothing is None."""
    cancelled, no_shows = figures["cancellations"], figures["no_shows"]
    lead, turn, use = figures["lead_minutes"], figures["turn_minutes"], figures["utilisation"]
    return {
        "reservations": figures["reservations"],
        **{status: figures["statuses"].get(status, 0) for status in lifecycle.STATUSES},
        **{f"kind_{kind}": figures["kinds"].get(kind, 0) for kind in KINDS},
        "parties": figures["parties"]["booked"],
        "parties_seated": figures["parties"]["seated"],
        "covers": figures["covers"]["booked"],
        "covers_seated": figures["covers"]["seated"],
        "walk_in_parties": figures["walk_ins"]["parties"],
        "walk_in_covers": figures["walk_ins"]["covers"],
        "repeat_parties": figures["repeats"]["parties"],
        "repeat_rate": figures["repeats"]["rate"],
        "no_show_parties": no_shows["parties"],
        "no_show_covers": no_shows["covers"],
        "no_show_rate": no_shows["rate"],
        "cancellations": cancelled["total"],
        **{f"cancelled_by_{who}": cancelled[f"by_{who}"] for who in CANCELLERS},
        **{f"cancelled_{when}": cancelled[when] for when in ("in_time", "late", "undated")},
        **{f"waitlist_{what}": figures["waitlist"][what] for what in WAITED},
        "waitlist_conversion": figures["waitlist"]["conversion"],
        **{f"limited_{rule}": figures["rate_limits"][rule] for rule in LIMITED},
        **{f"holds_{what}": figures["holds"][what] for what in HELD},
        "holds_conversion": figures["holds"]["conversion"],
        "time_to_book_seconds_median": figures["time_to_book_seconds"]["median"],
        "time_to_book_seconds_mean": figures["time_to_book_seconds"]["mean"],
        "lead_minutes_median": lead["median"],
        "lead_minutes_mean": lead["mean"],
        "turn_parties": turn["parties"],
        "turn_minutes_median": turn["median"],
        "turn_minutes_mean": turn["mean"],
        "turn_planned_minutes_median": turn["planned_median"],
        "turn_planned_minutes_mean": turn["planned_mean"],
        **{f"assurance_{word}": figures["assurances"].get(word, 0) for word in ASSURANCES},
        "overbooked": figures["overbooked"],
        "booked_minutes": use["booked_minutes"],
        "open_minutes": use["open_minutes"],
        "utilisation": use["rate"],
    }
