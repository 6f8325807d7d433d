"""Rules that installed packages add, found by their entry points (group `holdfast.rules`).

Owns finding, loading and guarding them. The model is given the rules as values and knows no package
(`model.rules`). What cannot be loaded is left out and told of, and so is what fails when it is
asked: a device goes on taking reservations whatever somebody has installed on it.
"""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import EntryPoint
from typing import Final, NamedTuple

from msgspec.structs import replace

from holdfast.model.rules import RULES, Question, Rule, RuleBook, Violation, fault_of
from holdfast.node.logs import exception_text

log = logging.getLogger("holdfast.rules")

GROUP: Final = "holdfast.rules"


class Installed(NamedTuple):
    """Holdfast's rules with those of the installed packages, and what is wrong with the others, a
    sentence for each."""

    book: RuleBook
    problems: tuple[str, ...]


def installed() -> Installed:
    """What is installed where this program looks for modules; found once for each such place."""
    return _found(tuple(sys.path))


@lru_cache(maxsize=8)
def _found(_: tuple[str, ...]) -> Installed:
    added: list[Rule] = []
    problems: list[str] = []
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=_place):
        try:
            loaded = point.load()
            for rule in [loaded] if isinstance(loaded, Rule) else list(loaded):
                fault = fault_of(rule, {one.id for one in (*RULES, *added)})
                if fault:
                    raise ValueError(fault)
                added.append(guarded(rule, _package(point)))
        except (Exception, SystemExit) as error:  # whatever a foreign module does when it is loaded
            said = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            problem = (
                f"the rules of the package {_package(point)} ({point.name} = {point.value}) are "
                f"left out: {said}; mend or uninstall it"
            )
            problems.append(problem)
            log.error("%s", problem)
    return Installed(RuleBook(added), tuple(problems))


def _place(point: EntryPoint) -> tuple[str, str]:
    return _package(point), point.name


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module


def guarded(rule: Rule, package: str) -> Rule:
    """A rule that speaks for itself alone, and says nothing where its package fails, which is
    logged the first time: a day has dozens of slots."""
    told: list[str] = []

    def check(question: Question) -> Iterator[Violation]:
        try:
            found = [replace(one, rule=rule.id) for one in rule.check(question)]
        except Exception as error:  # of a package that nobody here has read
            if not told:
                told.append(
                    f"the rule {rule.id} of the package {package} failed and is not asked where it "
                    f"does; mend or uninstall it\n{exception_text(error)}"
                )
                log.error("%s", told[0])
            found = []
        yield from found

    return replace(rule, check=check)
