"""What somebody's reservations say of them: visits, no-shows, cancellations, what they like.

Owns the figures of one person (features H-20, H-47, S-15). They are counted from reservations and
from nothing else, so that they equal the list of these; nothing is kept. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from holdfast.model import lifecycle, restrictions
from holdfast.model.figures import CALLED_OFF, is_late
from holdfast.model.moments import Told
from holdfast.model.reservation import View, shown_claims
from holdfast.model.sitting import seated_at
from holdfast.model.venue import Venue

FAVOURITES_MAX: Final = 5
"""So many of each are named, the most frequent first."""


def history(
    venue: Venue, told: Iterable[Told], area_of: Callable[[str], str], now_s: int
) -> dict[str, Any]:
    """The figures of one person at a venue, from all of their reservations there.

    `visits` are those that were completed; the party, what is favoured and the last visit are told
    of visits alone. `area_of` gives a resource's area, empty where it has none.
    """
    statuses: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    visits: list[View] = []
    to_come: list[View] = []
    for one in told:
        view = one.view
        statuses[view.status] += 1
        if view.status in CALLED_OFF:
            counts["cancelled"] += 1
            counts["late"] += is_late(venue, one) is True
        elif view.status == lifecycle.COMPLETED:
            visits.append(view)
        elif view.status in restrictions.TAKES_ONE and view.starts_at >= now_s:
            to_come.append(view)
    visits.sort(key=lambda view: (view.starts_at, view.id))
    parties = [party_of(view) for view in visits]
    return {
        "reservations": statuses.total(),
        "statuses": {status: statuses[status] for status in lifecycle.STATUSES if statuses[status]},
        "visits": len(visits),
        "no_shows": statuses[lifecycle.NO_SHOW],
        "cancellations": counts["cancelled"],
        "late_cancellations": counts["late"],
        "to_come": len(to_come),
        "average_party": round(sum(parties) / len(parties), 1) if parties else None,
        "first_visit": visits[0] if visits else None,
        "last_visit": visits[-1] if visits else None,
        "next": min(to_come, key=lambda view: (view.starts_at, view.id), default=None),
        "favourite_areas": favourites(_areas(visits, area_of)),
        "favourite_resources": favourites(_resources(visits)),
        "occasions": favourites(view.occasion for view in visits if view.occasion),
    }


def party_of(view: View) -> int:
    """How many came, or were expected where nobody counted."""
    return view.actual_party_size or view.party_size


def favourites(named: Iterable[str]) -> list[dict[str, Any]]:
    """The most frequent words, with how often each came; of equally frequent ones by name."""
    counts = sorted(Counter(named).items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"name": name, "visits": number} for name, number in counts[:FAVOURITES_MAX]]


def sat_at(view: View) -> Sequence[str]:
    """The resources of a visit, each once."""
    return list(dict.fromkeys(seated_at(view) or [one.resource for one in shown_claims(view)]))


def _resources(visits: Iterable[View]) -> Iterable[str]:
    return (resource for view in visits for resource in sat_at(view))


def _areas(visits: Iterable[View], area_of: Callable[[str], str]) -> Iterable[str]:
    """One of each area for each visit, whatever number of tables was put together there."""
    for view in visits:
        yield from sorted({area for one in sat_at(view) if (area := area_of(one))})
