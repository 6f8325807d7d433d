"""The rules of who did not come (decision 0024), each switched off, under a schedule written to
need it."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from holdfast.model import lifecycle, reservation
from holdfast.node import holding, renewing_place
from tests.simulation.scripts import FIRST, Script, replaced, scenario, wish

EVENING = 19.6
"""A little after half past seven, when the guests were to come."""


def nobody_frees_what_was_missed() -> Any:
    to_end = reservation.claims_to_end

    def kept(view: Any, now_s: int) -> Any:
        return [] if view.status == lifecycle.NO_SHOW else to_end(view, now_s)

    return mock.patch.object(holding, "claims_to_end", kept)


def whatever_lives_is_promised() -> Any:
    """Taking a no-show back is forgetting it."""
    return mock.patch.object(renewing_place, "claims_of", lambda *_: ((), ()))


MARKED_UNHEARD = (
    ("reserve", "desk0", wish(0, "19:30", "T1")),
    ("sync", "desk0"),
    ("no_show", "desk0", FIRST, EVENING),
    ("mishaps", "desk0", {"words": ["unanswered"], "order": 1}),
    ("sync", "desk0"),
    ("cut", "desk0"),
)
"""The hub has heard the mark, and the device has not heard what the hub made of it."""

SCRIPTS = [
    Script("a no-show frees what is left of the time", nobody_frees_what_was_missed,
        scenario(
            ("reserve", "desk0", wish(0, "19:30", "T1")),
            ("sync", "desk0"),
            ("no_show", "desk0", FIRST, EVENING),
            ("sync", "desk0"),
            apart_ms=1_000,
        ), {"every end is written"}, ends=("no_show",)),
    Script("who takes a no-show back asks for the place anew", whatever_lives_is_promised,
        scenario(
            *MARKED_UNHEARD,
            ("undo_no_show", "desk0", FIRST),
            ("heal", "desk0"), ("sync", "desk0"),
            apart_ms=1_000,
        ), {"confirmed stands"}, ends=("confirmed",)),
    Script("what was had before a no-show promises nothing after it",
        replaced(reservation, "_renewing", lambda *_: []),
        scenario(
            *MARKED_UNHEARD,
            ("reserve", "hub", wish(0, "20:00", "T1")),
            ("undo_no_show", "desk0", FIRST),
            ("heal", "desk0"), ("sync", "desk0"),
            apart_ms=1_000,
        ), {"confirmed stands"}, ends=("commit_failed", "confirmed")),
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.rule.replace(" ", "-"))
def test_a_rule_that_is_switched_off_is_found(script: Script) -> None:
    script.check()
