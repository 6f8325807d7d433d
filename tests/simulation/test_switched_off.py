"""Each oracle can fail: a rule of the product is switched off, and the simulator finds it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator
from typing import Any
from unittest import mock

import pytest

from holdfast.model import claims, overbooking, reservation
from holdfast.model.capacity import Occupancy
from holdfast.model.deciding import HubStock
from holdfast.model.events import OperationWithdrawn
from holdfast.model.rights import HUB
from holdfast.node import cards, replica, reserving
from holdfast.node.books import Books
from holdfast.node.recovery import Recovery
from holdfast.simulation import Scenario, make_scenario, play, shrink
from holdfast.simulation.machines import Machine
from holdfast.simulation.world import World
from holdfast.store.store import Store
from holdfast.sync import gate
from holdfast.sync.gate import Refused
from tests.simulation.switches import any_role_writes, both

SEEDS_MAX = 40


class Rule:
    """A rule, how it is switched off, where it matters, and which oracles may speak up. `first` is
    the seed at which the search begins: one that finds it soon, so that nobody waits."""

    def __init__(
        self,
        what: str,
        off: Any,
        faults: Collection[str],
        oracles: Collection[str],
        nodes: int = 3,
        first: int = 1,
    ) -> None:
        self.what, self.off, self.faults = what, off, faults
        self.oracles, self.nodes, self.first = oracles, nodes, first


def replaced(target: Any, name: str, value: Any) -> Any:
    return lambda: mock.patch.object(target, name, value)


def every_entry_is_a_holders() -> Any:
    real: Any = claims.Seen

    def seen(*fields: Any) -> Any:
        return real(*fields[:5], True, *fields[6:])  # `holder`

    return mock.patch.object(replica, "Seen", seen)


@contextlib.contextmanager
def answers_come_before_the_commit() -> Generator[None, None, None]:
    """Nothing is committed until the process stops in good order."""
    running: list[Machine] = []
    new_machine = World.new_machine

    def making(world: World, *given: Any) -> Machine:
        running.append(new_machine(world, *given))
        return running[-1]

    @contextlib.contextmanager
    def atomic(store: Store, *, durable: bool = True) -> Generator[None, None, None]:
        if not store.db.conn.in_transaction and store.directory.name[0].isdigit():
            store.db.conn.execute("BEGIN")
        machine = next((m for m in running if m.directory == store.directory), None)
        yield
        if machine is not None:
            machine.committing(done=machine.crash_after)

    close, drop = Store.close, World.drop
    died: list[Store] = []

    def closing(store: Store) -> None:
        if store.db.conn.in_transaction and store not in died:
            store.db.conn.execute("COMMIT")
        close(store)

    def dropping(world: World, machine: Any) -> None:
        if machine.replica is not None:
            died.append(machine.replica.store)
        drop(world, machine)

    with (
        mock.patch.object(World, "_quick", staticmethod(lambda opened: opened)),
        mock.patch.object(Store, "atomic", atomic),
        mock.patch.object(Store, "close", closing),
        mock.patch.object(World, "drop", dropping),
        mock.patch.object(World, "new_machine", making),
    ):
        yield


def a_fork_is_refused() -> Any:
    chain_for = replica.Replica._chain_for

    def refusing(self: Any, book: Any, incarnation: bytes, passed: Any, rows: Any) -> Any:
        if passed.fork:
            raise Refused("fork")
        return chain_for(self, book, incarnation, passed, rows)

    return mock.patch.object(replica.Replica, "_chain_for", refusing)


def cards_stand_in_clear() -> Any:
    class Clear:
        def __init__(self, _key: bytes) -> None:
            pass

        def encrypt(self, _nonce: bytes, plain: bytes, _bound: bytes) -> bytes:
            return plain

        def decrypt(self, _nonce: bytes, written: bytes, _bound: bytes) -> bytes:
            return written

    return mock.patch.object(cards, "AESGCM", Clear)


def one_place_more_than_there_is() -> Any:
    free = Occupancy.free
    return mock.patch.object(
        Occupancy, "free", lambda self, *given, **named: free(self, *given, **named) + 1
    )


def anybody_closes_a_chain() -> Any:
    note = Books._note_closing

    def noting(self: Any, book: Any, chain: Any, judged: Any) -> None:
        author = book.authors[chain.incarnation]
        info = author.info
        author.info = info._replace(is_hub=True)
        try:
            note(self, book, chain, judged)
        finally:
            author.info = info

    return both(mock.patch.object(Books, "_note_closing", noting), any_role_writes())


def anybody_withdraws_anything() -> Any:
    def withdrawn(entries: Any, contents: Any) -> set[bytes]:
        events = (contents[entry.operation] for entry in entries)
        return {event.operation for event in events if isinstance(event, OperationWithdrawn)}

    return mock.patch.object(reservation, "_withdrawn", withdrawn)


def codes_ignore_who_was_granted_what() -> Any:
    def code(made_by: Any, venue: Any, book: str, made_s: int) -> str:
        from holdfast.model import codes

        position = made_by.tip(book)[0] + 1
        return codes.code(2027, 7, position, made_by.identity.pseudonym_key)

    return mock.patch.object(reserving, "next_code", code)


RULES = [
    Rule("a claim is admitted only where there is room",
         replaced(HubStock, "right_for", lambda *_: HUB), ("partition",), {"capacity"}),
    Rule("a pool has as many places as it has", one_place_more_than_there_is, ("partition",),
         {"capacity"}),
    Rule("nothing is overbooked beyond the limit", replaced(overbooking, "limit", lambda *_: 9),
         ("partition",), {"capacity"}, first=12),
    Rule("only a holder's entry decides", every_entry_is_a_holders, ("hostile", "partition"),
         {"only a holder decides", "capacity", "confirmed stands"}, first=2),
    Rule("nothing of a hub counts beyond its close", replaced(Books, "counts", lambda *_: True),
         ("hub-restore", "hub-wipe", "partition", "crash"),
         {"capacity", "same entries, same book", "confirmed stands", "agreement", "fresh fold",
          "one place each"}, 4, first=453),
    Rule("the fold does not depend on arrival",
         replaced(reservation, "order", lambda _: (0, b"", b"")), ("partition", "meeting"),
         {"same entries, same book", "agreement", "fresh fold", "confirmed stands"}),
    Rule("a frame needs a valid seal", replaced(gate, "verify_seal", lambda *_: True),
         ("hostile",), {"only a holder decides", "confirmed stands", "agreement", "comes to rest",
                        "no unforeseen error", "nothing answered is lost"}, first=12),
    Rule("what is answered is on disk", answers_come_before_the_commit, ("crash", "hub-crash"),
         {"durable"}),
    Rule("a rebuilt hub waits", replaced(Recovery, "recovering", lambda *_: False),
         ("hub-wipe", "hub-restore", "partition"),
         {"a hub waits for a person", "capacity", "confirmed stands", "no unforeseen error",
          "agreement", "comes to rest", "same entries, same book"}, first=11),
    Rule("both branches of a fork are kept", a_fork_is_refused, ("hidden-clone", "rollback"),
         {"nothing answered is lost", "comes to rest", "no unforeseen error", "agreement"}),
    Rule("guests stand in sealed cards", cards_stand_in_clear, (), {"no personal data in clear"}),
    Rule("only the hub closes a chain", anybody_closes_a_chain, ("hostile",),
         {"confirmed stands", "comes to rest", "no unforeseen error", "agreement"}, first=29),
    Rule("nobody withdraws another's operation", anybody_withdraws_anything, ("hostile",),
         {"confirmed stands"}, first=15),
    Rule("an id names its maker", replaced(gate, "may_name", lambda *_: True),
         ("hostile", "partition"), {"nothing answered is lost", "confirmed stands"}, first=4),
    Rule("a code is given out once", codes_ignore_who_was_granted_what, ("partition",),
         {"one code, one reservation"}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.what.replace(" ", "-"))
def test_a_rule_that_is_switched_off_is_found(rule: Rule) -> None:
    found = None
    with rule.off():
        for seed in range(rule.first, rule.first + SEEDS_MAX):
            violations = play(make_scenario(seed, rule.nodes, 2, rule.faults)).violations
            if violations:
                found = violations[0]
                break
    assert found is not None, f"{SEEDS_MAX} seeds did not find that {rule.what!r} is off"
    assert found.oracle in rule.oracles, found


@pytest.mark.slow
def test_a_failure_is_made_small() -> None:
    """A double sale takes two wishes and two exchanges, and that is about all that is left."""
    with replaced(HubStock, "right_for", lambda *_: HUB)():

        def fails(scenario: Scenario) -> bool:
            return any(found.oracle == "capacity" for found in play(scenario).violations)

        scenario = next(
            made
            for seed in range(1, SEEDS_MAX)
            if fails(made := make_scenario(seed, 3, 1, ("partition",)))
        )
        small = shrink(scenario, fails)
        assert fails(small)
    assert len(small.steps) <= 8 < len(scenario.steps)
    assert not play(small).violations
