"""What a person had granted by hand to an earlier life is named, with what to type."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import RuleViolated
from holdfast.node import allotments, former_grants
from tests.kit import TRATTORIA, Fleet

ALLOTTED: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "allotments": [{"holder": "desk", "resources": ["T1"]}]
}
GRANT = "holdfast allotments grant --venue trattoria --holder desk"


def test_a_grant_by_hand_is_named_after_a_rejoin_until_it_is_made_again(tmp_path: Path):
    with Fleet(tmp_path, ALLOTTED) as fleet:
        desk, hub = fleet.join("desk"), fleet.the_hub
        for wanted in (
            allotments.Wanted("trattoria", "desk", ["T3"], until_date="2027-07-31"),
            allotments.Wanted("trattoria", "desk", ["HALL"], quantity=4, release_minutes=60),
        ):
            allotments.grant(hub, wanted)
        fleet.sync_all()
        assert former_grants.commands(hub, "trattoria", "desk") == []
        hub.revoke("desk", "lost")
        with fleet._clock_of("desk"):
            desk.rejoin(hub.invite("trattoria", "front-desk", "desk").code)
        fleet.sync_all()
        assert len(allotments.grant_again(hub, "trattoria", "desk")) == 1, "what the file wishes"
        assert former_grants.commands(hub, "trattoria", "desk") == [
            f"{GRANT} --resource T3 --until 2027-07-31",
            f"{GRANT} --resource HALL --quantity 4 --release-minutes 60",
        ]
        with pytest.raises(RuleViolated, match="--resource T3 --until 2027-07-31"):
            allotments.grant_again(hub, "trattoria", "desk")
        allotments.grant(hub, allotments.Wanted("trattoria", "desk", ["T3"]))
        assert former_grants.commands(hub, "trattoria", "desk") == [
            f"{GRANT} --resource HALL --quantity 4 --release-minutes 60"
        ]
