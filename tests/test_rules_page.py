"""The page of rules is written from their list, and what it shows can be typed."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.model.calendar import local_to_epoch
from holdfast.model.rules import RULES, Proposal, Question, RuleBook, fault_of
from holdfast.model.venue import parse_venue
from tools.make_rules import PAGE, page

TEXT = PAGE.read_text("utf-8")
VENUE_FILE = (Path(__file__).parent.parent / "docs" / "venue-file.md").read_text("utf-8")


def test_the_page_says_what_the_list_says():
    assert page() == TEXT, "run `python tools/make_rules.py`"


def test_every_rule_stands_in_both_tables_and_in_no_other_order():
    rows = re.findall(r"^\| `([a-z-]+)` \|", TEXT, re.M)
    assert rows == [rule.id for rule in RULES] * 2


def test_every_key_that_sets_a_rule_is_a_key_of_the_venue_file():
    named = {word for rule in RULES for word in re.findall(r"`([a-z_.]+)`", rule.set_by)}
    assert named
    missing = [name for name in named if f"| `{name.rpartition('.')[2]}` |" not in VENUE_FILE]
    assert missing == []


def test_the_rates_that_are_recommended_can_be_written_so():
    (rates,) = re.findall(r"`(rates: \{[^`]*\})`", TEXT)
    venue = parse_venue(
        {"venue": "v", "name": "V", "kind": "spot", "time_zone": "UTC",
         "resources": [{"id": "A", "kind": "table"}], "policies": yaml.safe_load(rates)}
    )  # fmt: skip
    assert venue.policies.rates is not None
    assert venue.policies.rates.per_venue_week == 10


@pytest.mark.parametrize(("day", "refused"), [("2026-06-29", True), ("2026-06-30", False)])
def test_the_rule_of_the_page_works_as_it_is_written(day: str, refused: bool):
    (program,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - what the page tells people to write
    rule = names["no_mondays"]
    assert fault_of(rule, {one.id for one in RULES}) == ""
    venue = parse_venue(
        {"venue": "v", "name": "Corner", "kind": "spot", "time_zone": "Europe/Rome",
         "resources": [{"id": "A", "kind": "table"}]}
    )  # fmt: skip
    assert datetime.date.fromisoformat("2026-06-29").weekday() == 0
    start = local_to_epoch(venue, f"{day}T12:00")
    asked = Question(
        venue, Proposal(party_size=2, starts_at=start, ends_at=start + 3_600), start - 86_400
    )
    found = [one.message for one in RuleBook([rule]).violations(asked)]
    assert found == (["Corner sees no guests on Mondays."] if refused else [])
