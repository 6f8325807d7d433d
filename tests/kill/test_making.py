"""A directory is made whole or not at all: `kill -9` at any moment of `hub init` and `node join`.

Each look at the file system is a moment: a child dies just before the one whose turn it is, and
what it leaves must be a whole directory under the name or none, and no hindrance to the next try.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.node.hub import Hub
from holdfast.node.service import Service
from tests.kill import children
from tests.kill.places import TENANT, VENUE, make_hub
from tests.kill.support import child, dice, histories

pytestmark = pytest.mark.kill

MOMENTS_PER_HISTORY = 16
NEVER = 1_000_000


def killed_at(work: Callable[..., None], *arguments: Any) -> dict[str, Any]:
    """Let a child work until it dies at its moment, or has done; returns what it told."""
    with child(work, *arguments) as one:
        words: list[tuple[str, Any]] = []
        while not words or words[-1][0] != "looks":
            try:
                words.append(one.receive())
            except EOFError:
                break
        one.kill()
        return dict([*words, *one.rest()])


def moments(rng: random.Random, looks: int) -> Iterator[int]:
    """The first and the last ones, which are few and special, and some of those between."""
    special = [1, 2, looks - 1, looks]
    between = range(3, looks - 1)
    yield from special
    yield from rng.sample(between, min(len(between), MOMENTS_PER_HISTORY - len(special)))


def contents(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def assert_whole(replica: Service, told: dict[str, Any], like: set[str]) -> None:
    assert getattr(replica, "other_life", None) == [], "it was made elsewhere and renamed"
    assert told.get("made", replica.identity.incarnation) == replica.identity.incarnation
    assert replica.store.check() == []
    passing = {"holdfast.db-wal", "holdfast.db-shm"}
    assert contents(replica.directory) - passing == like - passing


@pytest.mark.parametrize("number", histories(1))
@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "an empty directory there"])
def test_a_hub_is_made_whole_or_not_at_all(number: int, there: bool, tmp_path: Path):
    rng = dice("whole_or_not", number)
    looks = killed_at(children.init_until, tmp_path / "first", NEVER)["looks"]
    like, whole = contents(tmp_path / "first"), 0
    for moment in moments(rng, looks):
        shelf = tmp_path / f"at-{moment}"
        shelf.mkdir()
        if there:
            (shelf / "hub").mkdir()
        told = killed_at(children.init_until, shelf / "hub", moment)
        assert "looks" not in told, "it was not killed"
        if (shelf / "hub").exists() and list((shelf / "hub").iterdir()):
            whole += 1
            hub = Hub.open(shelf / "hub")
        else:
            assert "made" not in told, "it was answered that the hub was made"
            assert (shelf / "hub").exists() == there
            hub = Hub.init(shelf / "hub", TENANT)
        assert_whole(hub, told, like)
        hub.close()
        assert [path.name for path in shelf.iterdir()] == ["hub"], "something stays behind"
    assert 0 < whole < MOMENTS_PER_HISTORY, "killed on one side of the renaming only"


@pytest.mark.parametrize("number", histories(1))
def test_a_node_joins_whole_or_not_at_all_and_may_ask_again(number: int, tmp_path: Path):
    """With a new code of the same name, in the same place, if the first one was used up."""
    rng = dice("joins_whole", number)
    make_hub(tmp_path / "hub")
    looks = killed_at(children.join_until, tmp_path / "hub", tmp_path / "first", NEVER)["looks"]
    like, whole = contents(tmp_path / "first"), 0
    for moment in moments(rng, looks):
        shelf = tmp_path / f"at-{moment}"
        shelf.mkdir()
        told = killed_at(children.join_until, tmp_path / "hub", shelf / "kiosk", moment)
        assert "looks" not in told, "it was not killed"
        hub = Hub.open(tmp_path / "hub")
        if (shelf / "kiosk").exists():
            whole += 1
            node = children.PipedNode.open(shelf / "kiosk")
            assert isinstance(node, children.PipedNode)
            node.wire = children.Direct(node, hub)
            node.sync()
            node.sync()
        else:
            assert "made" not in told, "it was answered that the node had joined"
            node = children.joined(hub, "kiosk", "kiosk", shelf / "kiosk")
        assert_whole(node, told, like)
        assert node.venue_ids() == [VENUE]
        node.close()
        hub.close()
        assert [path.name for path in shelf.iterdir()] == ["kiosk"], "something stays behind"
    assert 0 < whole < MOMENTS_PER_HISTORY, "killed on one side of the renaming only"


@pytest.mark.parametrize("number", histories(1))
def test_a_start_that_is_killed_leaves_nothing_behind_for_ever(
    number: int, tmp_path: Path, state: Path
):
    rng = dice("nothing_behind", number)
    incarnation = make_hub(tmp_path / "hub")
    looks = killed_at(children.start_until, tmp_path / "hub", NEVER)["looks"]
    for moment in rng.sample(range(1, looks + 1), min(looks, MOMENTS_PER_HISTORY)):
        killed_at(children.start_until, tmp_path / "hub", moment)
    hub = Hub.open(tmp_path / "hub")
    assert (hub.other_life, hub.identity.incarnation) == ([], incarnation)
    hub.close()
    hidden = [path for place in (tmp_path, state) for path in place.rglob(".*")]
    assert hidden == []


@pytest.mark.parametrize("number", histories(1))
def test_a_hub_that_was_killed_after_any_time_is_there_or_can_be_made(number: int, tmp_path: Path):
    """As above, between the looks at the file system, and with a venue."""
    rng = dice("after_any_time", number)
    for kill in range(10):
        directory = tmp_path / f"{kill}" / "hub"
        with child(children.make_hub, directory) as maker:
            words = [maker.receive()]
            deadline = time.monotonic() + rng.uniform(0, rng.choice((0.01, 0.03, 0.1, 0.3)))
            while (left := deadline - time.monotonic()) > 0:
                if maker.pipe.poll(left):
                    words.append(maker.receive())
            maker.kill()
            told = dict([*words, *maker.rest()])
        assert directory.exists() or "made" not in told
        hub = Hub.open(directory) if directory.exists() else Hub.init(directory, TENANT)
        assert told.get("made", hub.identity.incarnation) == hub.identity.incarnation
        assert hub.other_life == []
        assert "imported" not in told or hub.venue_ids() == [VENUE]
        hub.close()
        assert [path.name for path in directory.parent.iterdir()] == ["hub"]
