"""Rules of DESIGN §3, §4 and §7, each switched off, under a schedule written to need it.

Those that random schedules find soon stand in test_switched_off.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any
from unittest import mock

import pytest

from holdfast.model import hlc
from holdfast.model.capacity import Profile
from holdfast.node.exchange import Exchange
from holdfast.node.replica import Replica
from holdfast.store.projections import Projections
from holdfast.store.queue import Queue
from holdfast.sync import gate
from tests.simulation.scripts import (
    HOUR,
    Script,
    few_entries_a_message,
    replaced,
    scenario,
    wish,
)


def _intervals_without_their_beginning() -> Any:
    peak = Profile.peak
    return mock.patch.object(Profile, "peak", lambda self, start, end: peak(self, start - 1, start))


def _intervals_with_their_end() -> Any:
    peak = Profile.peak
    return mock.patch.object(Profile, "peak", lambda self, start, end: peak(self, start - 1, end))


def _nothing_is_known_yet() -> Any:
    continues = gate._continues

    def anew(*given: Any) -> Any:
        index, _ = continues(*given)
        return index, 0

    return mock.patch.object(gate, "_continues", anew)


def _heard_by_any_cursor() -> Any:
    told_all = Exchange._told_all

    def believing(self: Any, request: Any) -> bool:
        return told_all(self, request) or request.cursor is not None

    return mock.patch.object(Exchange, "_told_all", believing)


def _stamps_begin_anew() -> Any:
    load = Replica._load

    def loading(self: Any) -> None:
        load(self)
        self.last_stamp = 0

    return mock.patch.object(Replica, "_load", loading)


def _nobody_waits_for_a_grant() -> Any:
    moved = Projections.rights_moved
    return mock.patch.object(
        Projections, "rights_moved", lambda self, book, granted=b"": moved(self, book)
    )


@contextlib.contextmanager
def _small_messages_and_no_repair() -> Generator[None, None, None]:
    """The comparison of books at an exchange's end would mend what a fold left out."""
    with few_entries_a_message(1)(), mock.patch.object(Exchange, "_compare", lambda *_: False):
        yield


SCRIPTS = [
    Script("an interval holds its beginning", _intervals_without_their_beginning,
        scenario(
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk0"), ("sync", "desk1"),
        ), {"capacity"}, ends=("confirmed", "commit_failed")),
    Script("an interval does not hold its end", _intervals_with_their_end,
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "hub", wish(2, "21:00", "T1")),
        ), {"as the script says"}, told={"reserve: confirmed": 2}),
    Script("an entry counts once however often it comes", _nothing_is_known_yet,
        scenario(
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("mishaps", "desk0", {"words": ["doubled"], "order": 1}), ("sync", "desk0"),
        ), {"no unforeseen error", "comes to rest"}, ends=("confirmed",)),
    Script("books are compared and made anew", replaced(Exchange, "_compare", lambda *_: False),
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")), ("sync", "desk0"), ("spoil", "desk0"),
            ("sync", "desk0"),
        ), {"fresh fold", "agreement", "same entries, same book"}),
    Script("a cursor of another life says nothing", _heard_by_any_cursor,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"), ("wipe", "hub"),
            ("sync", "desk1"),
            # The new hub asks for its challenge first, so that the third message is the second.
            ("mishaps", "desk0", {"words": ["", "", "lost"], "order": 1}), ("sync", "desk0"),
            ("recover", "hub"), ("reserve", "hub", wish(2, "19:30", "T1")), ("sync", "desk0"),
        ), {"capacity"}, ends=("confirmed",)),
    Script("no restart uses a stamp again", _stamps_begin_anew,
        scenario(
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("stop", "desk0"),
            ("clock", "desk0", {"by_ms": -3 * HOUR}), ("start", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T2")),
        ), {"stamps grow"}, ends=("confirmed", "confirmed")),
    Script("a stamp from the future moves nobody's clock",
        replaced(hlc, "merge", lambda last, remote, now, _: hlc.tick(max(last, remote), now)),
        scenario(
            ("sync", "desk0"), ("attack", "stranger", {"how": "from_the_future", "pick": 0.1}),
            ("sync", "desk0"), ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            stranger=True,
        ), {"comes to rest"}),
    Script("what waits for a grant is folded anew with it", _nobody_waits_for_a_grant,
        scenario(
            ("grant", "hub", {"to": "desk0", "resources": ["T1"]}), ("sync", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("meet", "desk1", {"other": 0.0}),
        ), {"same entries, same book", "fresh fold", "agreement"}, ends=("confirmed",),
        always=_small_messages_and_no_repair),
    Script("an acknowledgement settles the queue", replaced(Queue, "mark_merged", lambda *_: 0),
        scenario(("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0")),
        {"every operation has a verdict", "comes to rest"}, ends=("confirmed",)),
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.rule.replace(" ", "-"))
def test_a_rule_is_needed(script: Script) -> None:
    script.check()
