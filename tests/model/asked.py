"""A restaurant and a hotel, and what the rules say to somebody who asks there."""

from __future__ import annotations

from typing import Any

from holdfast.model.calendar import local_to_epoch, reservation_interval
from holdfast.model.rules import NOBODY, OWN, Proposal, Question, Standing
from holdfast.model.venue import Venue, parse_venue

NOW = "2026-06-30T11:00"  # a Tuesday


def restaurant(**changes: Any) -> Venue:
    return parse_venue(
        {
            "venue": "corner",
            "name": "Corner",
            "kind": "restaurant",
            "time_zone": "Europe/Rome",
            "day_starts_at": "04:00",
            "hours": {"tue": [["12:00", "15:00"], ["18:00", "23:30"]], "wed": [["18:00", "02:00"]]},
            "covers_per_slot": 10,
            "covers_at_once": 40,
            "policies": {"advance_days": 90, "cutoff_minutes": 30, "min_party": 2, "max_party": 8},
            "resources": [{"id": "T1", "kind": "table", "seats": [1, 4]}],
            **changes,
        }
    )


def hotel() -> Venue:
    return restaurant(
        kind="lodging",
        hours=None,
        closed=["2026-12-25"],
        stays={"max_nights": 14},
        resources=[{"id": "DBL", "kind": "pool", "counts": "units", "capacity": 4}],
    )


def said(
    venue: Venue,
    start: str,
    *,
    pacing: int = 0,
    seated: int = 0,
    now: str = NOW,
    nights: int | None = None,
    minutes: int | None = None,
    standing: Standing = NOBODY,
    **proposal: Any,
) -> dict[str, str]:
    """What the rules say of a proposal, by their ids."""
    party = proposal.pop("party_size", 2)
    interval = reservation_interval(venue, start, party, nights=nights, duration_minutes=minutes)
    proposed = Proposal(
        party_size=party, starts_at=interval.start, ends_at=interval.end,
        nights=interval.nights, **proposal,
    )  # fmt: skip
    asked = Question(venue, proposed, local_to_epoch(venue, now), standing, pacing, seated)
    return {one.rule: one.message for one in OWN.violations(asked)}
