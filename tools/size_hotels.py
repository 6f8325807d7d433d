"""Sizes the pools of a lodging from its reservation data: prints `resources` for its venue file.

    python tools/size_hotels.py hotel_bookings.csv examples/hotels/hotel-city.toml

The capacity of a pool is the largest number of rooms of that type that were occupied in one
night. A completed stay occupied its room for all the nights booked, also where the guest left
early; a no-show held it as well; a cancelled one is not counted. Seats are the largest party that
was ever put into the type. So everything that happened fits, and nothing more.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from holdfast.model.mapping import ImportRecord, RowProblem, read_mapping, read_records


def main() -> int:
    parser = argparse.ArgumentParser(description="Print pools sized from reservation data.")
    parser.add_argument("csv", type=Path, help="the reservation data")
    parser.add_argument("mapping", type=Path, help="the mapping of one hotel (TOML)")
    arguments = parser.parse_args()
    mapping = read_mapping(tomllib.loads(arguments.mapping.read_text(encoding="utf-8")))
    records: list[ImportRecord] = []
    problems: list[RowProblem] = []
    with arguments.csv.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        for found in read_records(mapping, ((reader.line_num, row) for row in reader)):
            if isinstance(found, RowProblem):
                problems.append(found)
            else:
                records.append(found)
                problems.extend(found.notes)
    print(resources_yaml(records))
    print(report(records, problems), file=sys.stderr)
    return 0


def resources_yaml(records: list[ImportRecord]) -> str:
    """The pools as YAML, one line each, by id."""
    rooms_by_night: defaultdict[str, Counter[datetime.date]] = defaultdict(Counter)
    largest_party: Counter[str] = Counter()
    for record in records:
        largest_party[record.resource] = max(largest_party[record.resource], record.party_size)
        if record.status == "cancelled":
            continue
        arrival = datetime.date.fromisoformat(record.starts_at)
        for night in range(record.nights or 0):
            rooms_by_night[record.resource][arrival + datetime.timedelta(days=night)] += 1
    lines = ["resources:"]
    for pool in sorted(largest_party):
        # A type that was only ever cancelled still exists.
        capacity = max(rooms_by_night[pool].values(), default=1)
        lines.append(
            f"  - {{id: {pool}, kind: pool, counts: units, capacity: {capacity}, "
            f"seats: [1, {largest_party[pool]}]}}"
        )
    return "\n".join(lines)


def report(records: list[ImportRecord], problems: list[RowProblem]) -> str:
    """What was read, and what was odd, in words."""
    longest = max((record.nights or 0 for record in records), default=0)
    lines = [f"{len(records)} reservations, the longest of {longest} nights"]
    lines += [f"  {status}: {n}" for status, n in count(record.status for record in records)]
    for left_out, words in ((True, "left out"), (False, "reported, imported")):
        rules = count(problem.rule for problem in problems if problem.left_out is left_out)
        lines += [f"  {words}: {rule}: {n}" for rule, n in rules]
    return "\n".join(lines)


def count(words: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(words).items())


if __name__ == "__main__":
    sys.exit(main())
