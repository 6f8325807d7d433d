"""The closed lists: everybody finds a word, and the code writes none that is on no list."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from holdfast.model import lifecycle, vocabulary
from holdfast.model.errors import Invalid
from holdfast.node.reasons import COMMON_REASONS, reason_code

ROOT = Path(__file__).parent.parent.parent
REASONS = {
    name: words
    for name, words in vars(vocabulary).items()
    if name.endswith("_REASONS") and not name.startswith("_")
}
PEOPLES = (
    "CANCEL_REASONS", "REVOKE_REASONS", "WITHDRAW_REASONS", "RESOLVE_REASONS", "RESTRICT_REASONS",
    "LIFT_REASONS", "BLOCK_REASONS",
)  # fmt: skip
ORDINARY = {
    "CANCEL_REASONS": "guest request|personal reasons|weather|no answer|duplicate|mistake"
    "|venue closed|overbooked|test|other|Guest cancelled|changed-plans|unknown",
    "REVOKE_REASONS": "stolen|lost|broken|retired|replaced|sold|misused|compromised|test|mistake"
    "|unknown|other|not heard in recovery|Lost or stolen",
    "WITHDRAW_REASONS": "mistake|duplicate|guest request|quarantined|not needed|outdated|test|other"
    "|typing error|entered by mistake",
    "BLOCK_REASONS": "maintenance|repair|broken|deep cleaning|private event|Wedding|no staff|storm"
    "|owner use|visitors|closed|test|other",
    "RESOLVE_REASONS": "handled|called guest|guest called|guest informed|moved|rebooked|refunded"
    "|walked|mistake|duplicate|accepted|no action|seen|guest request|test|other",
    "RESTRICT_REASONS": "No-shows|late cancellations|unpaid|house rules|damage|conduct|complaints"
    "|not qualified|membership ended|guest request|mistake|test|unknown|other",
    "LIFT_REASONS": "paid|settled|apologised|appeal|reviewed|second chance|Wrong guest|qualified"
    "|replaced|mistake|test|unknown|other",
}
WRITTEN_BY = {
    "Verdict": (1, vocabulary.DECISION_REASONS),
    "NodeRevoked": (3, vocabulary.REVOKE_REASONS),
    "ChainClosed": (4, vocabulary.CHAIN_CLOSE_REASONS),
    "_next_life": (0, vocabulary.SUCCESSION_REASONS),
    "_end": (3, vocabulary.CLAIM_END_REASONS),
}
"""Where the code itself gives a reason: which argument it is, and its list."""


@pytest.mark.parametrize("name", sorted(REASONS))
def test_every_word_has_the_form_of_a_code(name: str) -> None:
    dashed = name in ("DECISION_REASONS", "PROGNOSIS_REASONS")
    pattern = r"[a-z]+(-[a-z]+)*" if dashed else r"[a-z]+(_[a-z]+)*"
    assert [w for w in REASONS[name] if not re.fullmatch(pattern, w) or len(w) > 32] == []


@pytest.mark.parametrize("name", PEOPLES)
def test_ordinary_words_are_on_the_list_however_they_are_typed(name: str) -> None:
    words = ORDINARY[name].split("|")
    assert {reason_code(word, REASONS[name]) for word in words} <= REASONS[name]


@pytest.mark.parametrize("name", PEOPLES)
@pytest.mark.parametrize("typed", ["", "_", "mario_rossi", "Mario Rossi", "other!", "ötherr"])
def test_what_is_on_no_list_is_answered_with_common_words(name: str, typed: str) -> None:
    with pytest.raises(Invalid) as said:
        reason_code(typed, REASONS[name])
    assert all(word in said.value.detail for word in COMMON_REASONS[REASONS[name]])
    assert "docs/words.md" in said.value.detail
    assert "rossi" not in said.value.detail.lower()
    assert len(said.value.detail.split()) < 60, "a line that a person can read"


def test_a_word_that_is_nearly_on_the_list_is_answered_with_its_neighbours() -> None:
    with pytest.raises(Invalid, match="nearest: weather"):
        reason_code("wheather", REASONS["CANCEL_REASONS"])


@pytest.mark.parametrize("name", PEOPLES)
def test_the_common_words_are_on_their_list(name: str) -> None:
    assert set(COMMON_REASONS[REASONS[name]]) <= REASONS[name]


@pytest.mark.parametrize("name", sorted(WRITTEN_BY))
def test_every_reason_that_the_code_writes_is_on_its_list(name: str) -> None:
    place, allowed = WRITTEN_BY[name]
    found = set()
    for path in (ROOT / "holdfast").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) <= place:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            given = node.args[place]
            if getattr(called, "id", called) == name and isinstance(given, ast.Constant):
                found.add(given.value)
    assert found and found <= allowed


def test_every_end_that_a_status_or_step_asks_for_has_its_word() -> None:
    asked = {step.name for step in lifecycle.STEPS if step.ends_claims}
    assert asked | lifecycle.ENDS_CLAIMS | {"moved"} <= vocabulary.CLAIM_END_REASONS
