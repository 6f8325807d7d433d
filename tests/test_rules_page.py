"""The page of rules is written from their list, and what it shows can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from holdfast.model.rules import RULES
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
