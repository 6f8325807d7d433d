"""What a front desk in bad hands has erased after it was shut out is erased nowhere."""

from __future__ import annotations

import itertools

import pytest

from holdfast.model.forgetting import Head, Life, ShutOut, reach
from holdfast.model.reservation import View
from holdfast.node.exchange import Exchange, by_incarnation
from holdfast.node.service import Service
from tests.kit import Fleet
from tests.node.test_forgetting import ANN, BOB, book, holders, read


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    """A hub, two desks and a kiosk; one of the desks is in bad hands, and the kiosk passes on."""
    for name in ("desk", "bar"):
        fleet.join(name)
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    return fleet


def relay(fleet: Fleet, source: Service, target: Service) -> None:
    """One hands the other its own chain, without any hub."""
    others = {c.incarnation for c in source.store.journal.chains(fleet.book)}
    others.discard(source.identity.incarnation)
    frames, _ = Exchange(source).frames_lacking(fleet.book, {}, others)
    with target.transaction():
        target.merge(fleet.book, frames)


def shut_out(fleet: Fleet, name: str = "desk") -> Service:
    """The hub shuts a device out, and everybody else hears of it."""
    stolen = fleet.nodes.pop(name)
    fleet.the_hub.revoke(name, "stolen")
    fleet.sync_all()
    return stolen


def counted(replica: Service, fleet: Fleet) -> set[str]:
    return set(replica.book(fleet.book).administration.erasures)


def erase(replica: Service, view: View) -> None:
    replica.forgetting.erase(view.agent_id, "guest_request")


def test_what_it_erases_after_it_was_shut_out_destroys_nothing_whoever_passes_it_on(town: Fleet):
    ann, bob = book(town, "kiosk", "ann", "19:00"), book(town, "kiosk", "bob", "19:30", BOB)
    town.sync_all()
    erase(town.nodes["desk"], bob)
    town.sync_all()
    stolen = shut_out(town)
    erase(stolen, ann)
    relay(town, stolen, town.nodes["kiosk"])
    town.sync_all()
    assert holders(town, ann) == {"hub", "bar", "kiosk"}
    assert read(town, "bar", ann) == ANN
    for replica in town.replicas():
        # What it had erased before is erased; of the other everybody shows that it does not count.
        assert counted(replica, town) == {bob.agent_id}, replica.name
        said = {one["agent_id"]: one for one in replica.forgetting.report()}
        assert said[bob.agent_id]["counts"] and said[bob.agent_id]["complete"]
        assert not said[ann.agent_id]["counts"] and not said[ann.agent_id]["complete"]
    stolen.close()
    # If the guest did ask, somebody of the house erases again.
    erase(town.nodes["bar"], ann)
    town.sync_all()
    assert holders(town, ann) == set()


def test_nor_in_a_life_that_it_begins_then(town: Fleet):
    """A life that the hub has never heard of is named by no revocation; its certificate is."""
    ann = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    stolen = shut_out(town)
    with stolen.transaction():
        stolen.identity = stolen.identity.next_life()
        stolen.identity.save(stolen.store.records)
    erase(stolen, ann)
    relay(town, stolen, town.nodes["kiosk"])
    town.sync_all()
    stolen.close()
    assert holders(town, ann) == {"hub", "bar", "kiosk"}
    assert all(counted(replica, town) == set() for replica in town.replicas())


def test_nor_on_a_branch_beside_the_one_at_which_it_was_shut_out(town: Fleet):
    """Who has its keys can write its chain anew from any entry on, and date that as he likes."""
    ann = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    town.cut("clone")
    clone = town.clone_unnoticed("desk", "clone")
    del town.nodes["clone"]
    for n in range(4):
        town.reserve(town.nodes["desk"], f"1{n}:00", ["HALL"], 1, user_id=f"guest {n}", guest=BOB)
    town.sync_all()
    stolen = shut_out(town)
    erase(clone, ann)
    relay(town, clone, town.nodes["kiosk"])
    town.sync_all()
    assert clone.tip(town.book)[0] < stolen.tip(town.book)[0]
    branches = town.the_hub.store.journal.branches(town.book, stolen.identity.incarnation)
    assert len(branches) == 2
    for replica in (stolen, clone):
        replica.close()
    assert holders(town, ann) == {"hub", "bar", "kiosk"}
    assert all(counted(replica, town) == set() for replica in town.replicas())


def test_who_was_shut_out_by_mistake_and_was_let_in_again_has_erased_all_the_same(town: Fleet):
    ann = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    desk = shut_out(town)
    erase(desk, ann)
    relay(town, desk, town.nodes["kiosk"])
    town.sync_all()
    assert holders(town, ann) == {"hub", "bar", "kiosk"}
    code = town.the_hub.invite("trattoria", "front-desk", "desk").code
    with town._clock_of("desk"):
        desk.rejoin(code)  # type: ignore[attr-defined]
    town.nodes["desk"] = desk  # type: ignore[assignment]
    town.sync_all()
    assert holders(town, ann) == set()
    for replica in town.replicas():
        assert replica.forgetting.report()[0]["complete"], replica.name


@pytest.mark.parametrize("order", list(itertools.permutations(["head", "erasure", "revocation"])))
def test_what_counts_follows_from_the_entries_in_whatever_order_they_come(
    town: Fleet, order: tuple[str, ...]
):
    """What was destroyed before the revocation came stays destroyed; counted it is by nobody."""
    ann = book(town, "kiosk", "ann", "19:00")
    town.sync_all()
    town.cut("bar")
    bar, desk = town.nodes["bar"], town.nodes["desk"]
    known = {c.incarnation for c in bar.store.journal.chains(town.book)}
    book(town, "desk", "bob", "19:30", BOB)
    town.sync(desk)
    desk_chain, hub_chain = desk.identity.incarnation, town.the_hub.identity.incarnation
    held = by_incarnation(Exchange(bar).heads(town.book))
    upto, _ = Exchange(desk).frames_lacking(town.book, held, known - {desk_chain})
    stolen = town.nodes.pop("desk")
    town.the_hub.revoke("desk", "stolen")
    later = by_incarnation(Exchange(stolen).heads(town.book))
    erase(stolen, ann)
    beyond, _ = Exchange(stolen).frames_lacking(town.book, later, known - {desk_chain})
    whole, _ = Exchange(stolen).frames_lacking(town.book, held, known - {desk_chain})
    said, _ = Exchange(town.the_hub).frames_lacking(town.book, held, known - {hub_chain})
    pieces = {"head": upto, "erasure": beyond, "revocation": said}
    if order.index("erasure") < order.index("head"):
        # Nobody takes the end of a chain without its beginning: both come at once.
        pieces["erasure"] = whole
    for what in order:
        with bar.transaction():
            bar.merge(town.book, pieces[what])
    stolen.close()
    assert counted(bar, town) == set()
    early = order.index("erasure") < order.index("revocation")
    assert ("bar" in holders(town, ann)) is not early
    # The same after it was folded anew, and where it is opened again.
    bar.refold(town.book)
    assert counted(bar, town) == set()
    assert counted(town.reopen("bar"), town) == set()


# --- the rule -------------------------------------------------------------------------------------


def life(serial: str, succeeds: tuple[bytes, ...] = (), name: str = "desk") -> Life:
    return Life(name, "front-desk", frozenset([serial.encode()]), succeeds)


def shut(serial: str, **heads: int) -> ShutOut:
    named = {name.encode(): Head(n, b"") for name, n in heads.items()}
    return ShutOut(frozenset([serial.encode()]), named)


LIVES = {
    b"x": life("1"),
    b"y": life("1", (b"x",)),
    b"z": life("2", (b"x", b"y")),
    b"k": life("9", (b"x",), name="kiosk"),
}
REACHES = {
    "nobody was shut out": (b"x", "xyzk", [], None),
    "shut out": (b"x", "xk", [shut("1", x=7)], {7}),
    "shut out twice: the first head": (b"x", "xk", [shut("1", x=9), shut("3", x=7)], {7}),
    "another life under the same certificate": (b"y", "xyk", [shut("1", x=7)], {0}),
    "by which nobody vouches": (b"x", "xyk", [shut("1", x=7)], {7}),
    "let in again": (b"x", "xyzk", [shut("1", x=7, y=3)], None),
    "and shut out again": (
        b"x", "xyzk", [shut("1", x=7, y=3), shut("2", x=8, y=3, z=2)], {7, 8},
    ),
    "another device vouches for nobody": (b"x", "xk", [shut("1", x=7)], {7}),
}  # fmt: skip


@pytest.mark.parametrize("case", REACHES)
def test_how_far_the_word_of_a_life_reaches(case: str):
    asked, present, shut_outs, expected = REACHES[case]
    lives = {bytes([name]): LIVES[bytes([name])] for name in present.encode()}
    for order in itertools.permutations(shut_outs):
        found = reach(asked, lives, order)
        assert (None if found is None else {head.entries for head in found}) == expected
