"""Nothing lost while writing: `kill -9` of a node or a hub at any moment of its own work."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.node.audit import verify_store
from holdfast.node.hub import Hub
from holdfast.node.upkeep import backup_directory, restore
from tests.kill import children
from tests.kill.places import BOOK, VENUE, make_hub
from tests.kill.support import (
    Ledger,
    child,
    dice,
    histories,
    leave,
    reopened,
    work_until_killed,
)

pytestmark = pytest.mark.kill

KILLS_PER_HISTORY = 20


def make_writer(role: str, directory: Path) -> tuple[Path, bytes]:
    """The directory that is written in, and the incarnation that must go on in it."""
    incarnation = make_hub(directory / "hub")
    if role == "hub":
        return directory / "hub", incarnation
    hub = Hub.open(directory / "hub")
    node = children.joined(hub, "desk", "front-desk", directory / "desk")
    node.close()
    hub.close()
    return directory / "desk", node.identity.incarnation


@pytest.mark.parametrize("number", histories(6))
def test_a_killed_writer_has_everything_that_it_answered(number: int, tmp_path: Path):
    rng = dice("killed_writer", number)
    role = "hub" if number % 3 == 2 else "node"
    directory, incarnation = make_writer(role, tmp_path)
    ledger = Ledger()
    for _ in range(KILLS_PER_HISTORY):
        with child(children.write_forever, role, directory, f"{rng.random()}") as writer:
            ledger.hear(work_until_killed(writer, rng, longest_ms=80))
        replica = reopened(role, directory, incarnation, rng)
        ledger.check(replica, alone=True)
        leave(replica, rng)
    assert len(ledger.codes) > KILLS_PER_HISTORY, "the writers hardly wrote: nothing was tested"


@pytest.mark.parametrize("number", histories(1))
def test_a_venue_is_imported_whole_or_not_at_all(number: int, tmp_path: Path):
    rng = dice("imported_whole", number)
    incarnation = make_hub(tmp_path / "hub")
    version, answered = 1, 1
    for _ in range(KILLS_PER_HISTORY):
        with child(children.import_forever, tmp_path / "hub", version + 1) as importer:
            for word, value in work_until_killed(importer, rng, longest_ms=30):
                version = value if word == "ask" else version
                answered = value if word == "answer" else answered
        hub = reopened("hub", tmp_path / "hub", incarnation, rng)
        shown = int(hub.venue(VENUE).venue.name.rpartition(" ")[2])
        assert shown in (answered, version), "neither what was answered nor what was asked"
        answered = version = shown
        leave(hub, rng)
    assert answered > KILLS_PER_HISTORY


@pytest.mark.parametrize("number", histories(1))
def test_under_a_backups_name_stands_a_whole_backup_or_nothing(number: int, tmp_path: Path):
    rng = dice("whole_backup", number)
    incarnation = make_hub(tmp_path / "hub")
    (tmp_path / "safe").mkdir()
    backup, answered = tmp_path / "safe" / "backup", 0
    for kill in range(KILLS_PER_HISTORY // 2):
        with child(children.back_up_forever, tmp_path / "hub", backup) as saver:
            words = work_until_killed(saver, rng, longest_ms=300, most_words=6)
        answered += sum(word[0] == "answer" for word in words)
        leave(reopened("hub", tmp_path / "hub", incarnation, rng), rng)
        assert backup.exists() or not answered, "a backup that was answered is gone"
        if not backup.exists():
            continue
        report = verify_store(backup)
        assert report.ok, report.first_bad
        if kill % 3:
            continue
        again = tmp_path / f"again-{kill}"
        restore(backup, again)
        restored = Hub.open(again)
        assert restored.other_life, "what comes from a backup is another life"
        assert restored.store.check() == []
        assert restored.store.journal.chain(BOOK, incarnation) is not None
        restored.close()
    assert answered > 1
    backup_directory(tmp_path / "hub", backup)
    assert [path.name for path in backup.parent.iterdir()] == ["backup"], "half backups stay behind"
