"""A device knows that its hub shut it out, for as long as the hub says so."""

from __future__ import annotations

from pathlib import Path

from holdfast.model.errors import Forbidden, Unreachable
from holdfast.node import standing
from holdfast.node.node import Node
from holdfast.node.transport import problem_of
from holdfast.node.witness import state_directory
from tests.kit import Fleet


def test_only_the_hubs_own_word_counts_as_shut_out():
    body = b'{"type": "urn:holdfast:error:forbidden", "detail": "x", "reason": "revoked"}'
    assert standing.code_of(problem_of(403, body, "http://hub")) == standing.REVOKED
    assert standing.code_of(problem_of(403, b'{"detail": "no"}', "http://hub")) == "forbidden"
    assert standing.code_of(problem_of(403, b"[1]", "http://hub")) == "unreachable"
    assert standing.code_of(Unreachable("away")) == "unreachable"


def test_it_is_known_until_the_hub_answers_again(fleet: Fleet):
    desk = fleet.join("desk")
    desk.failed_round(standing.refusal("desk", "trattoria"))
    assert desk.sync_status()["reason"] == standing.REVOKED
    desk.failed_round(Unreachable("away"))
    desk.failed_round(Forbidden("another reason"))
    assert desk.sync_status()["reason"] == standing.REVOKED
    again = fleet.reopen("desk")
    assert isinstance(again, Node)
    assert again.sync_status()["reason"] == standing.REVOKED, "a restart does not forget it"
    again.sync()
    status = again.sync_status()
    assert (status["reason"], status["detail"], status["way_out"]) == (None, None, [])


def test_the_tests_keep_their_witnesses_out_of_the_home_directory():
    assert not state_directory().is_relative_to(Path.home() / ".local")
