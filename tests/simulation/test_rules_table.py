"""docs/simulation.md names every rule that is switched off somewhere, and none besides."""

from __future__ import annotations

import re
from pathlib import Path

from tests.simulation import (
    test_directed,
    test_directed_held,
    test_directed_merge,
    test_directed_missed,
    test_switched_off,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulation.md"
ROW = re.compile(r"\| (.+?) \| (.+?) \| (directed|random): (.+?) \|")


def test_the_table_of_rules_is_the_tests() -> None:
    written = {
        (rule, kind, frozenset(oracles.split("; ")))
        for rule, _, kind, oracles in ROW.findall(DOCUMENT.read_text())
    }
    directed = [
        *test_directed.SCRIPTS,
        *test_directed_merge.SCRIPTS,
        *test_directed_held.SCRIPTS,
        *test_directed_missed.SCRIPTS,
    ]
    played = {(one.rule, "directed", frozenset(one.oracles)) for one in directed}
    played |= {(rule.what, "random", frozenset(rule.oracles)) for rule in test_switched_off.RULES}
    assert written == played
