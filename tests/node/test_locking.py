"""Several threads use one replica: what one looks through, another does not change meanwhile.

Books, authors and desks come with merges, in whatever thread exchanges; a rollback reads all of
them anew. So whoever iterates over them holds the replica's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.node.hub import Hub
from holdfast.node.replica import Replica
from holdfast.node.runtime import Runtime
from tests.kit import Fleet


class Watched(dict[Any, Any]):
    """A dictionary of a replica that tells who iterates over it without the replica's lock."""

    def __init__(self, name: str, replica: Replica, content: dict[Any, Any]) -> None:
        super().__init__(content)
        self._name = name
        self._replica = replica
        self.unlocked: list[str] = []

    def _look(self) -> None:
        # Whether this thread is the owner: the lock itself says so to nobody but `Condition`.
        if not self._replica.lock._is_owned():  # type: ignore[attr-defined]
            self.unlocked.append(self._name)

    def __iter__(self) -> Iterator[Any]:
        self._look()
        return super().__iter__()

    def items(self) -> Any:
        self._look()
        return super().items()

    def values(self) -> Any:
        self._look()
        return super().values()


def watch(replica: Replica) -> list[Watched]:
    watched = []
    for book in replica.books.values():
        for holder, name in (
            (book, "authors"), (book.administration, "desks"), (book.administration, "handed"),
            (book.administration, "prefixes"), (book.administration, "closes"),
        ):  # fmt: skip
            made = Watched(name, replica, getattr(holder, name))
            setattr(holder, name, made)
            watched.append(made)
    books = Watched("books", replica, replica.books)
    replica._books.by_name = books
    return [*watched, books]


def test_whoever_looks_through_the_books_holds_the_lock(fleet: Fleet):
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    hub = fleet.the_hub
    watched = [*watch(hub), *watch(desk), *watch(kiosk)]
    fleet.reserve(desk, "19:30", guest={"name": "Ann"})
    fleet.reserve(kiosk, "20:00")
    # A second desk is handed the venue's key.
    fleet.join("second")
    fleet.sync_all()
    for replica in (hub, desk, kiosk):
        assert replica.venue_ids() == ["trattoria"]
        assert replica.venue("trattoria").venue.id == "trattoria"
        replica.status()
        runtime = Runtime(replica)
        for name in ("sweep", "witness", "settle"):
            if name in runtime.jobs.seconds_by_name:
                assert runtime.jobs.run(name)["ok"]
    assert hub.exchange_state == "serving"
    hub.invite("trattoria", "kiosk", "third")
    hub.revoke("kiosk", "lost")
    assert hub.recover()["state"] == "serving"
    assert [name for one in watched for name in one.unlocked] == []


def test_a_hub_that_recovers_is_looked_through_under_the_lock(fleet: Fleet):
    desk = fleet.join("desk")
    hub = fleet.wipe_hub()
    fleet.sync(desk)
    watched = watch(hub)
    assert isinstance(hub, Hub)
    hub.recover(proceed=True)
    assert hub.exchange_state == "serving"
    assert [name for one in watched for name in one.unlocked] == []


def test_a_venue_is_not_missing_while_the_books_are_read_anew(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
):
    """A write that fails makes the replica read its books again; another thread waits for that."""
    hub, reading, answers = fleet.the_hub, threading.Event(), []
    true_reload, asked = hub._reload_books, threading.Event()

    def ask() -> None:
        reading.wait(30)
        asked.set()
        answers.append(hub.venue_ids())

    def reload() -> None:
        hub.books.clear()
        reading.set()
        asked.wait(30)
        true_reload()

    monkeypatch.setattr(hub, "_reload_books", reload)
    asking = threading.Thread(target=ask)
    asking.start()
    with pytest.raises(KeyError), hub.transaction():
        hub.store.records.put_int("written", 1)
        raise KeyError
    asking.join(30)
    assert answers == [["trattoria"]]
