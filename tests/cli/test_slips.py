"""What docs/operations.md tells a desk to do after a check-in that was a slip, as it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import DAY, Run, document, make_hub


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return make_hub(tmp_path / "hub")


def test_who_was_checked_in_by_mistake_keeps_the_table_until_that_is_given_back(
    run: Run, hub: Path
):
    def do(*words: object) -> Any:
        return document(run(*words, "--json", "--data", hub))

    def reserve(*more: object) -> Any:
        at = f"{DAY}T19:30"
        return run("reserve", "--at", at, "--party", 2, *more, "--json", "--data", hub)

    anna, berta = (document(reserve("--resource", one))["code"] for one in ("T1", "T2"))
    # Berta stands there, and Anna was tapped: nothing takes that back.
    do("reservations", "check-in", anna)
    for words in (("cancel", anna, "--reason", "guest_request"), ("no-show", anna)):
        refused = run("reservations", *words, "--data", hub)
        assert refused.exit_code == 1
        assert "checked in" in refused.stderr
    # So Berta is checked in as well; Anna's table is still hers, and nobody else's.
    assert do("reservations", "check-in", berta)["status"] == "checked_in"
    assert do("reservations", "show", anna)["resources"] == ["T1"]
    assert reserve("--resource", "T1").exit_code == 1
    # Fewer or more than were said, or another table: a move, of who sits there too.
    assert do("reservations", "move", berta, "--resource", "T3")["resources"] == ["T3"]
    assert do("reservations", "move", berta, "--party", 3)["party_size"] == 3
    # Anna does not come: her table is free at once.
    assert do("reservations", "complete", anna)["status"] == "completed"
    assert document(reserve("--resource", "T1"))["status"] == "confirmed"
    kinds = [one["kind"] for one in do("audit", "list", "--reservation", anna)["items"]]
    assert kinds[:3] == ["reservation.created", "reservation.checked_in", "reservation.completed"]
