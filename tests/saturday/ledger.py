"""What a clerk with a pencil would know of the day, and the figures worked out from that alone.

Owns a second reckoning: rows of plain values, filled from what the script did and what callers were
told, and sums over them. It imports nothing of the product.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Any

Span = tuple[int, int]


@dataclass
class Row:
    """One reservation. Instants are epoch seconds, but for those in `_ms`; `told` is the assurance
    that the caller was told, `sure` when they were told that they have a place, `called_off` when
    they gave it up, if they did."""

    code: str
    device: str
    made: int
    party: int
    walk_in: bool
    source: str
    start: int
    end: int
    tables: tuple[str, ...]
    told: str
    sure: int
    status: str = "confirmed"
    came_ms: int = 0
    came_party: int | None = None
    left: int | None = None
    left_ms: int = 0
    called_off: int | None = None
    called_off_by: str = ""
    moves: int = 0
    guest: str = ""

    @property
    def booked(self) -> bool:
        return self.status in ("confirmed", "checked_in", "completed", "no_show")

    @property
    def seated(self) -> bool:
        return self.status in ("checked_in", "completed")


class Ledger:
    """All rows, and what follows from them."""

    def __init__(self, opening: Span, cutoff_minutes: int, tables: list[str]) -> None:
        self.rows: dict[str, Row] = {}
        self.waited: dict[str, str] = {}
        """By code, of whoever stood on the waitlist: `joined`, `offered` or `accepted`."""
        self.out_of_use: list[tuple[str, int, int]] = []
        self._opening = opening
        self._cutoff = cutoff_minutes * 60
        self._tables = tables

    def __getitem__(self, code: str) -> Row:
        return self.rows[code]

    def write(self, row: Row) -> None:
        assert row.code not in self.rows, f"{row.code} was given out twice"
        self.rows[row.code] = row

    def booked(self) -> list[Row]:
        return [row for row in self.rows.values() if row.booked]

    # --- figures --------------------------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        """The figures of docs/numbers.md, in the names of `holdfast report`."""
        rows, booked = list(self.rows.values()), self.booked()
        seated = [row for row in booked if row.seated]
        missed = [row for row in booked if row.status == "no_show"]
        walked_in = [row for row in booked if row.walk_in]
        off = [row for row in rows if row.status == "cancelled"]
        late = [row for row in off if (row.called_off or 0) > row.start - self._cutoff]
        again = [row for row in seated if self._came_before(row)]
        stayed = [row for row in booked if row.came_ms and row.left_ms]
        return {
            "reservations": len(rows),
            "statuses": dict(Counter(row.status for row in rows)),
            "sources": dict(Counter(row.source for row in rows)),
            "kinds": dict(Counter("walk_in" if row.walk_in else "guest" for row in rows)),
            "parties": {"booked": len(booked), "seated": len(seated)},
            "covers": {
                "booked": sum(row.party for row in booked),
                "seated": sum(row.came_party or row.party for row in seated),
            },
            "party_sizes": [
                {"party_size": size, "parties": many}
                for size, many in sorted(Counter(row.party for row in booked).items())
            ],
            "walk_ins": {
                "parties": len(walked_in), "covers": sum(row.party for row in walked_in),
            },
            "repeats": {"parties": len(again), "rate": round(len(again) / len(seated), 4)},
            "waitlist": self._waitlist(),
            "no_shows": {
                "parties": len(missed),
                "covers": sum(row.party for row in missed),
                "rate": round(len(missed) / (len(missed) + len(seated)), 4),
            },
            "cancellations": {
                "total": len(off),
                "by_guest": sum(row.called_off_by == "guest" for row in off),
                "by_venue": sum(row.called_off_by == "venue" for row in off),
                "by_system": 0,
                "in_time": len(off) - len(late), "late": len(late), "undated": 0,
            },
            "lead_minutes": _spread([
                (row.start - row.made) // 60 for row in booked if not row.walk_in
            ]),
            "turn_minutes": _spread([(row.left_ms - row.came_ms) // 60_000 for row in stayed])
            | _planned([(row.end - row.start) // 60 for row in stayed]),
        }  # fmt: skip

    def _came_before(self, row: Row) -> bool:
        """The same guest had sat there before, and gone by now."""
        return bool(row.guest) and any(
            other.guest == row.guest and other.status == "completed" and other.start < row.start
            for other in self.rows.values()
        )

    def _waitlist(self) -> dict[str, Any]:
        """At the end of the day, when nobody waits any more, and nobody was sent away."""
        fates = Counter(self.waited.values())
        joined, accepted = fates.total(), fates["accepted"]
        return {
            "joined": joined, "offered": fates["offered"] + accepted, "accepted": accepted,
            "lapsed": fates["offered"], "removed": 0, "expired": joined - accepted, "waiting": 0,
            "conversion": round(accepted / joined, 4),
        }  # fmt: skip

    def minutes(self) -> dict[str, int]:
        """Minutes of the opening for which each table was booked, as planned."""
        found = dict.fromkeys(self._tables, 0)
        for row in self.booked():
            for table in row.tables:
                first, last = max(row.start, self._opening[0]), min(row.end, self._opening[1])
                found[table] += max(last - first, 0) // 60
        return found

    # --- places ---------------------------------------------------------------------------------

    def clashes(self) -> list[tuple[str, str, str]]:
        """Pairs at one table at one instant, of those whose place stood: (table, code, code)."""
        found = []
        rows = sorted(self.booked(), key=lambda row: row.start)
        for at, one in enumerate(rows):
            until = _free_from(one)
            for other in rows[at + 1 :]:
                shared = sorted(set(one.tables) & set(other.tables))
                if shared and _had_from(other) < until and _had_from(one) < _free_from(other):
                    found.append((shared[0], one.code, other.code))
        return found

    def in_the_way(self, row: Row) -> list[str]:
        """Who, or what repair, had one of a party's tables at its time."""
        broken = [
            f"{table} was out of use"
            for table, first, last in self.out_of_use
            if table in row.tables and first < row.end and row.start < last
        ]
        return broken + [
            other.code
            for other in self.rows.values()
            if other.code != row.code
            and other.booked
            and set(other.tables) & set(row.tables)
            and other.start < row.end
            and row.start < other.end
        ]


def _had_from(row: Row) -> int:
    """Whoever got an answer at five past eight never had the table at eight."""
    return max(row.start, row.sure)


def _free_from(row: Row) -> int:
    """When the table is the next party's: the end, or when they left or were given up before."""
    return min([row.end, *(at for at in (row.left, row.called_off) if at is not None)])


def _spread(values: list[int]) -> dict[str, Any]:
    return {
        "parties": len(values),
        "median": float(statistics.median(values)),
        "mean": round(statistics.fmean(values), 1),
    }


def _planned(values: list[int]) -> dict[str, Any]:
    return {
        "planned_median": float(statistics.median(values)),
        "planned_mean": round(statistics.fmean(values), 1),
    }
