"""Rules of installed packages: found as they are installed, guarded, and no device's downfall."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.model.errors import RuleViolated
from holdfast.model.rules import RULES
from holdfast.node.installed_rules import installed
from holdfast.node.service import Service
from holdfast.node.upkeep import doctor
from tests.kit import TRATTORIA, Fleet

AGENT = "agent_" + "a" * 32
QUIET = """
from holdfast.model.rules import Rule, Violation

def _quiet(question):
    if question.proposal.party_size > 3 and question.standing.ahead:
        yield Violation("acme.quiet", f"No second large party at {question.venue.name}.")

quiet = Rule(
    id="acme.quiet", asks="A large party is a person's only one.",
    binds=frozenset({"guest"}), check=_quiet,
)
"""
BROKEN = """
from holdfast.model.rules import Rule

def _fails(question):
    raise KeyError(question.standing.agent_id)

fails = Rule(id="acme.fails", asks="Nothing that works.", check=_fails)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package where pip would: its modules, and what its metadata says of it."""

    def put(name: str, source: str, entries: str) -> None:
        site = tmp_path / f"site-{name}"
        site.mkdir()
        module = f"{name.replace('-', '_')}_of_{tmp_path.name.replace('-', '_')}"
        (site / f"{module}.py").write_text(source, "utf-8")
        about = site / f"{name.replace('-', '_')}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8"
        )
        (about / "entry_points.txt").write_text(
            f"[holdfast.rules]\n{entries.replace('MODULE', module)}\n", "utf-8"
        )
        monkeypatch.syspath_prepend(site)

    return put


def added(replica: Service) -> list[str]:
    return [rule.id for rule in replica.rules.added]


def test_a_rule_of_an_installed_package_is_asked_with_holdfasts_own(
    tmp_path: Path, install: Install
):
    install("acme-rules", QUIET, "quiet = MODULE:quiet")
    with Fleet(tmp_path / "fleet", TRATTORIA) as fleet:
        desk = fleet.join("desk")
        assert added(desk) == ["acme.quiet"]
        fleet.reserve(desk, "12:00", ["T3"], party=4, agent_id=AGENT)
        with pytest.raises(RuleViolated) as caught:
            fleet.reserve(desk, "07:00", party=4, agent_id=AGENT)
        said = {one["rule"]: one["message"] for one in caught.value.extra["violations"]}
        assert list(said) == ["hours", "acme.quiet"]
        assert said["acme.quiet"] == "No second large party at Trattoria da Mario."
        assert {one["rule"] for one in desk.refusals.report("trattoria")} == set(said)
        fleet.reserve(desk, "19:30", party=2, agent_id=AGENT)


def test_several_rules_may_stand_behind_one_name(install: Install):
    source = QUIET + (
        "import msgspec\n"
        "loud = msgspec.structs.replace(quiet, id='acme.loud')\n"
        "both = [quiet, loud]\n"
    )
    install("acme-rules", source, "all = MODULE:both")
    assert [rule.id for rule in installed().book.added] == ["acme.quiet", "acme.loud"]


@pytest.mark.parametrize(
    ("source", "entries", "said"),
    [
        ("import nothing_of_that_name", "x = MODULE:x", "ModuleNotFoundError: No module named"),
        ("", "x = MODULE:quiet", "AttributeError"),
        ("raise SystemExit('no licence')", "x = MODULE:x", "SystemExit: no licence"),
        ("quiet = 4", "x = MODULE:quiet", "TypeError"),
        ("quiet = [4]", "x = MODULE:quiet", "int is no holdfast.model.rules.Rule"),
        (QUIET.replace('id="acme.quiet"', 'id="party"'), "x = MODULE:quiet", "a namespace"),
    ],
)
def test_a_broken_package_is_named_and_left_out_and_the_device_works(
    tmp_path: Path, install: Install, caplog: pytest.LogCaptureFixture,
    source: str, entries: str, said: str,
):  # fmt: skip
    install("broken-rules", source, entries)
    install("acme-rules", QUIET, "quiet = MODULE:quiet")
    with caplog.at_level(logging.ERROR, "holdfast.rules"), Fleet(tmp_path / "fleet") as fleet:
        assert added(fleet.the_hub) == ["acme.quiet"]
        fleet.reserve(fleet.the_hub, "19:30")
        (problem,) = installed().problems
        for part in ("broken-rules", said, "mend or uninstall it"):
            assert part in problem
        assert problem in caplog.text
        directory = fleet.the_hub.directory
    (check,) = (one for one in doctor(directory) if one.name == "rules")
    assert not check.ok and "broken-rules" in check.detail


def test_the_doctor_says_how_many_rules_were_added(tmp_path: Path, install: Install):
    install("acme-rules", QUIET, "quiet = MODULE:quiet")
    with Fleet(tmp_path / "fleet") as fleet:
        directory = fleet.the_hub.directory
    (check,) = (one for one in doctor(directory) if one.name == "rules")
    assert check.ok and check.detail.startswith("1 rule of")


def test_two_packages_cannot_have_a_rule_of_one_id(install: Install):
    install("acme-rules", QUIET, "quiet = MODULE:quiet")
    install("zebra-rules", QUIET, "quiet = MODULE:quiet")
    found = installed()
    assert [rule.id for rule in found.book.added] == ["acme.quiet"]
    (problem,) = found.problems
    assert "zebra-rules" in problem and "another package has a rule acme.quiet" in problem


def test_a_rule_that_fails_when_it_is_asked_refuses_nobody_and_is_logged_without_names(
    tmp_path: Path, install: Install, caplog: pytest.LogCaptureFixture
):
    install("broken-rules", BROKEN, "fails = MODULE:fails")
    with caplog.at_level(logging.ERROR, "holdfast.rules"), Fleet(tmp_path / "fleet") as fleet:
        fleet.reserve(fleet.the_hub, "19:30", agent_id=AGENT)
        with pytest.raises(RuleViolated, match="is not open"):
            fleet.reserve(fleet.the_hub, "07:00", agent_id=AGENT)
    assert "acme.fails" in caplog.text and "broken-rules" in caplog.text
    assert "KeyError" in caplog.text
    assert AGENT not in caplog.text


def test_without_packages_there_are_holdfasts_own_rules_alone():
    assert installed().book.rules == RULES
    assert installed().problems == ()
