"""How often an event changed, at random: whatever is written, by whom, and however late it comes,
each observer's number grows with every change, and the same entries have the same number."""

from __future__ import annotations

import random

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from holdfast.model.claims import Seen
from holdfast.model.feeds import STATUS, sequence, standing
from holdfast.model.reservation import View, shown_claims
from tests.machines import played
from tests.model.holders import Observer
from tests.model.test_holders_machine import HoldersMachine


class Row:
    """A reservation as an observer knows it."""

    def __init__(self, observer: Observer, reservation: bytes) -> None:
        self.view: View = observer.view(reservation)
        self.seen: list[Seen] = observer.seen[reservation]


def numbers(observer: Observer) -> dict[bytes, int]:
    rests_on = standing(observer.rights, ())
    return {one: sequence(Row(observer, one), rests_on) for one in observer.seen}


def what_matters(view: View) -> tuple[object, ...]:
    """Whatever is another revision when it changes (RFC 5546, 2.1.4)."""
    places = {claim.resource for claim in shown_claims(view)}
    return view.starts_at, view.ends_at, places, STATUS[view.status]


class FeedsMachine(HoldersMachine):
    def __init__(self) -> None:
        super().__init__()
        self.told: dict[tuple[int, bytes], tuple[int, tuple[object, ...]]] = {}

    def leak(self, watcher: int, which: list[int]) -> None:
        """Not here: of each chain a device has a prefix, as every exchange brings it."""

    def nobody_honest_sells_beyond_a_capacity(self) -> None:
        """Asked by the machine that this one goes on from, and so is the next."""

    def everybody_reads_what_the_plain_reading_says(self) -> None:
        pass

    @invariant()
    def the_number_grows_with_every_change(self) -> None:
        for place, observer in enumerate(self.everybody):
            for reservation, number in numbers(observer).items():
                now = what_matters(observer.view(reservation))
                before = self.told.get((place, reservation))
                self.told[place, reservation] = number, now
                if before is not None:
                    assert number >= before[0], "it goes back"
                    assert number > before[0] or now == before[1], "a change that nobody is told of"

    @rule(place=st.integers(0, 5), rng=st.randoms(use_true_random=False))
    def the_same_entries_have_the_same_number(self, place: int, rng: random.Random) -> None:
        observer, other = self.everybody[place], Observer()
        words = list(observer.words.values())
        rng.shuffle(words)
        other.receive(words)
        assert numbers(other) == numbers(observer)


TestFeedsMachine = played(FeedsMachine, examples=60, steps=40)
