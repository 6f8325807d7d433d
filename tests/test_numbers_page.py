"""docs/numbers.md has every figure and every column, and counts what the program counts."""

from __future__ import annotations

import re
from pathlib import Path

from holdfast.api.shapes.analytics import FigureLine, Figures
from holdfast.model import limits
from holdfast.model.figures import BOOKED, SEATED

PAGE = (Path(__file__).parent.parent / "docs" / "numbers.md").read_text("utf-8")
FLOWING = " ".join(PAGE.split())


def rows() -> list[list[str]]:
    lines = PAGE[PAGE.index("| figure | is |") :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_figure_has_a_line_in_the_order_of_the_answer():
    named = [re.findall(r"`([a-z_]+)`", cells[0]) for cells in rows()]
    told = [names[0] for names, cells in zip(named, rows(), strict=True) if "…" not in cells[0]]
    assert told == list(Figures.__struct_fields__)


def test_every_column_of_the_table_is_named_once():
    told = [name for cells in rows() for name in re.findall(r"`([a-z_]+)`", cells[2])]
    assert sorted(told) == sorted(FigureLine.__struct_fields__)


def test_it_says_which_statuses_count():
    for word, statuses in (("booked", BOOKED), ("seated", SEATED)):
        found = re.search(rf"\*\*{word}\*\*: [^:]*: ([^.]*)\.", FLOWING)
        assert found is not None
        assert set(re.findall(r"`([a-z_]+)`", found[1])) == statuses


def test_the_numbers_are_those_of_the_limits():
    for said in (
        f"{limits.FIGURES_DAYS_MAX:,} days at most",
        f"{limits.LIST_LIMIT} venues at a time",
        f"first, {limits.NO_SHOW_GUESTS_MAX} at most",
        f"{limits.FIGURES_BUSINESS_VENUES_MAX} venues at most",
    ):
        assert said in FLOWING, said
