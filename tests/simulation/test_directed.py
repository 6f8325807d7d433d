"""The rules of DESIGN §5, each switched off, under a schedule written to need it.

Random schedules find some of these after hundreds of runs, or never; each of these hits at once.
With the rule on nothing is found.

Not here, because nothing could be found:

- A device frees a place when its cancel is asked for, and not when the holder ended it (§5.5): only
  the holder sells the place again, and that one ends it before it does.
- A grant that does not name the return before it (§5.7): what it follows is read from the chains;
  the name is for people.
- A claim that is known from a handover alone counts as taken (§4.10): a chain is told from its
  beginning, so that whoever has the grant has the decisions before it too.
- The decider of a move gives the old place up in the same entry (§5.6): where it did not, the next
  look would; see test_switched_off.py for the few schedules in which it shows.
"""

from __future__ import annotations

import pytest

from holdfast.model import claims, overbooking
from holdfast.model.administration import Administration
from holdfast.model.claims import _Judge
from holdfast.model.deciding import HubStock
from holdfast.model.rights import HUB, Rights
from holdfast.model.roles import NODE_ROLES
from holdfast.node import holding, overriding, overselling, serving, witness
from holdfast.node.books import Books
from holdfast.node.granting import Granting
from holdfast.node.holding import Holding
from holdfast.node.recovery import Recovery
from tests.simulation import switches as off
from tests.simulation.scripts import (
    FIRST,
    HOUR,
    Script,
    few_entries_a_message,
    holds,
    replaced,
    scenario,
    wish,
)

DESK0_HAS_T1 = [holds("desk0", "T1")]
SOLD_TWICE = {"capacity"}
NO_LIMIT = replaced(overbooking, "limit", lambda *_: 9)
NOBODY_COUNTS = replaced(overselling, "take_back", lambda *_: 0)
"""The hub does not add up what holders sold: what one rule lets through, this one mends."""
ANYBODY_IS_ASKED = replaced(_Judge, "_is_asked", lambda *_: True)

SCRIPTS = [
    Script("the hub admits only where there is room",
        replaced(HubStock, "right_for", lambda *_: HUB),
        scenario(
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk0"), ("sync", "desk1"),
        ), SOLD_TWICE, ends=("confirmed", "commit_failed")),
    Script("a device admits only where there is room",
        off.a_right_is_always_enough,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk1"), ("sync", "desk0"),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("confirmed", "commit_failed"), always=NOBODY_COUNTS),
    Script("a right is sold once", NOBODY_COUNTS,
        scenario(
            ("sync", "stranger"),
            ("attack", "stranger", {"how": "oversold_right", "pick": 0.1}),
            stranger=True, allotments=[holds("stranger", "T1")],
        ), SOLD_TWICE),
    Script("a holder overbooks by the limit, offline too", NO_LIMIT,
        scenario(
            ("sync", "desk0"), ("cut", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "20:00", "T1", override=True)),
            ("reserve", "desk0", wish(2, "19:30", "T1", override=True)),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("confirmed", "confirmed"), told={"reserve: RuleViolated": 1}),
    Script("of two who insist the hub admits by the limit", NO_LIMIT,
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "19:30", "T1", override=True)),
            ("reserve", "desk1", wish(2, "19:30", "T1", override=True)),
            ("sync", "desk0"), ("sync", "desk1"), ("sync", "desk0"),
        ), SOLD_TWICE, ends=("confirmed", "confirmed", "commit_failed")),
    Script("nobody of the house stands at a kiosk",
        replaced(overbooking, "OVERRIDERS", frozenset(NODE_ROLES)),
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "19:30", "T1", override=True)), ("sync", "desk0"),
            kiosks=["desk0"],
        ), {"as the script says"}, ends=("confirmed", "commit_failed"),
        always=replaced(overriding, "reason_of", lambda _, asked: asked.reason if asked else "")),
    Script("an account below zero stays so until a party ends", off.no_account_goes_below_zero,
        scenario(
            ("sync", "desk0"), ("cut", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "19:30", "T1", override=True)),
            ("reserve", "desk0", wish(2, "19:30", "T1", override=True)),
            ("cancel", "desk0", FIRST),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "hub", wish(2, "19:30", "T1", override=True)),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("cancelled", "confirmed", "confirmed"),
        told={"reserve: RuleViolated": 1, "reserve: NotAvailable": 1}),
    Script("one alone overbooks a place", off.everybody_overbooks,
        scenario(
            ("sync", "desk0"), ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("cut", "desk0"),
            ("reserve", "hub", wish(2, "19:30", "T1", override=True)),
            ("reserve", "desk0", wish(2, "19:30", "T1", override=True)),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("confirmed", "commit_failed", "confirmed")),
    Script("what was granted is not the hub's to sell", off.granted_is_the_hubs,
        scenario(
            ("sync", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("confirmed", "commit_failed")),
    Script("a share of a pool has its own limit", off.free_of_any_account,
        scenario(
            ("sync", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "HALL", party=3)),
            ("reserve", "desk0", wish(2, "19:30", "HALL", party=3)),
            ("reserve", "hub", wish(2, "19:30", "HALL", party=6)),
            allotments=[holds("desk0", "HALL", quantity=4)],
        ), SOLD_TWICE, ends=("confirmed", "commit_failed", "confirmed")),
    Script("a return ends the sales", off.window_without("_returns"),
        scenario(
            ("sync", "stranger"), ("give_back", "stranger", FIRST), ("sync", "stranger"),
            ("reserve", "hub", wish(1, "19:30", "T1")),
            ("attack", "stranger", {"how": "returned_right", "pick": 0.25}),
            stranger=True, allotments=[holds("stranger", "T1")],
        ), SOLD_TWICE),
    Script("nothing sold beyond the head of a revocation counts", off.window_without("_revoked"),
        scenario(
            ("sync", "desk0"), ("cut", "desk0"), ("revoke_right", "hub", FIRST),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("confirmed", "commit_failed")),
    Script("nothing sold by a device that was shut out counts", off.window_without("_shut"),
        scenario(
            ("sync", "desk0"), ("cut", "desk0"), ("shut_out", "hub", {"to": "desk0"}),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("confirmed", "commit_failed")),
    Script("nothing sold by a closed incarnation counts", off.a_closed_device_goes_on,
        scenario(
            ("sync", "desk0"), ("clone", "desk0", {"to": "desk0-copy", "noticed": True}),
            ("cut", "desk0"), ("sync", "desk0-copy"),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE, ends=("confirmed", "commit_failed")),
    Script("a restored device has no rights", off.a_new_life_inherits,
        scenario(
            ("sync", "desk0"), ("backup", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("restore", "desk0"), ("cut", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T4")),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), {"only a holder decides", "capacity"}, ends=("confirmed", "confirmed", "commit_failed")),
    Script("a right is for its resources", off.covers_whatever("resource"),
        scenario(
            ("sync", "stranger"),
            ("attack", "stranger", {"how": "misused_right", "pick": 0.0}),
            stranger=True, allotments=[holds("stranger", "T1")],
        ), {"only a holder decides"}, always=NOBODY_COUNTS),
    Script("a right is for its instants", off.covers_whatever("time"),
        scenario(
            ("sync", "stranger"),
            ("attack", "stranger", {"how": "misused_right", "pick": 0.005}),
            stranger=True, allotments=[holds("stranger", "T1")],
        ), {"only a holder decides"}, always=NOBODY_COUNTS),
    Script("a right is for its quantity", off.covers_whatever("quantity"),
        scenario(
            ("sync", "stranger"),
            ("attack", "stranger", {"how": "misused_right", "pick": 0.0075}),
            stranger=True, allotments=[holds("stranger", "T1")],
        ), {"only a holder decides"}, always=NOBODY_COUNTS),
    Script("a claim counts from a right of its writer", off.anybody_sells,
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("attack", "stranger", {"how": "forged_right", "pick": 0.1}),
            stranger=True,
        ), {"only a holder decides", "capacity"}),
    Script("only a holder decides", replaced(_Judge, "decides", lambda *_: True),
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("attack", "stranger", {"how": "forged_decision", "pick": 0.1}),
            stranger=True,
        ), {"only a holder decides", "confirmed stands"}),
    Script("only a holder ends", replaced(_Judge, "ends", lambda *_: True),
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("attack", "stranger", {"how": "forged_end", "pick": 0.1}),
            stranger=True,
        ), {"only a holder decides", "confirmed stands"}),
    Script("only the hub grants", off.anybody_grants,
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("attack", "stranger", {"how": "forged_grant", "pick": 0.1}),
            stranger=True, allotments=[holds("desk0", "T1", "T2", "T3", "T4")],
        ), {"capacity", "only a holder decides"}),
    Script("only its holder returns a right", off.anybody_returns,
        scenario(
            ("sync", "desk0"), ("attack", "stranger", {"how": "foreign_return", "pick": 0.1}),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            stranger=True, allotments=DESK0_HAS_T1,
        ), {"capacity", "confirmed stands"}, ends=("commit_failed", "confirmed")),
    Script("a move takes its place when the old one is given up",
        replaced(claims, "_taken_turns", lambda found, *_: found),
        scenario(
            ("sync", "desk0"), ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("move", "hub", {**FIRST, "resource": "T2", "time": ""}),
            allotments=DESK0_HAS_T1,
        ), {"one place each"}, ends=("confirmed",)),
    Script("of two moves one counts", off.both_moves_count,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"), ("sync", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"), ("sync", "desk1"),
            ("move", "hub", {**FIRST, "resource": "T2", "time": ""}),
            ("move", "desk1", {**FIRST, "resource": "T3", "time": ""}),
            ("sync", "desk1"), ("sync", "desk0"),
            allotments=[holds("desk0", "T1"), holds("desk1", "T3")],
        ), {"one place each"}, ends=("confirmed",)),
    Script("the move that was not picked is ended", off.nothing_spare_is_ended,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"), ("sync", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"), ("sync", "desk1"),
            ("move", "hub", {**FIRST, "resource": "T2", "time": ""}),
            ("move", "desk1", {**FIRST, "resource": "T3", "time": ""}),
            ("sync", "desk1"), ("sync", "desk0"),
            allotments=[holds("desk0", "T1"), holds("desk1", "T3")],
        ), {"every move ends"}, ends=("confirmed",)),
    Script("the old place's holder gives way", replaced(holding, "picked", lambda _: None),
        scenario(
            ("sync", "desk0"), ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("move", "hub", {**FIRST, "resource": "T2", "time": ""}),
            allotments=DESK0_HAS_T1,
        ), {"every move ends"}, ends=("confirmed",)),
    Script("the old place is kept until the new one is granted", off.picks_what_is_not_granted,
        scenario(
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("confirm", "hub", FIRST), ("sync", "desk1"),
            ("reserve", "hub", wish(2, "19:30", "T2")),
            ("move", "desk0", {**FIRST, "resource": "T2", "time": ""}),
            ("meet", "desk0", {"other": 0.0}), ("sync", "desk0"),
            allotments=DESK0_HAS_T1,
        ), {"confirmed stands"}, ends=("confirmed", "confirmed")),
    Script("a standby is not ended on its holder's own view", off.ends_on_its_own_view,
        scenario(
            ("sync", "desk0"), ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("sync", "desk1"),
            ("move", "desk1", {**FIRST, "resource": "T3", "time": ""}),
            ("move", "hub", {**FIRST, "resource": "T2", "time": ""}),
            # It hears of the hub's move and picks it, and cannot say so yet.
            ("mishaps", "desk0", {"words": ["", "lost"], "order": 1}), ("sync", "desk0"),
            ("sync", "desk1"), ("sync", "desk0"),
            allotments=[holds("desk0", "T1"), holds("desk1", "T3")],
        ), {"confirmed stands"}, ends=("confirmed",)),
    Script("the stamps decide, not the order of arrival", off.decided_as_it_came,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"), ("cut", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("meet", "desk1", {"other": 0.0}), ("sync", "desk1"),
        ), {"as the script says"}, ends=("confirmed", "commit_failed")),
    Script("nothing is decided before the rest of a backlog",
        replaced(Holding, "_behind_backlog", lambda *_: set()),
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(3, "19:30", "T1")),
            ("cancel", "desk0", FIRST),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("mishaps", "desk0", {"words": ["", "lost"], "order": 1}), ("sync", "desk0"),
            ("sync", "desk1"), ("sync", "desk0"),
            apart_ms=5_000,
        ), {"as the script says"}, ends=("cancelled", "confirmed", "confirmed"),
        always=few_entries_a_message(2)),
    Script("a piece of a backlog is not the whole", off.pieces_are_wholes,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(3, "19:30", "T1")),
            ("cancel", "desk0", FIRST),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("mishaps", "desk0", {"words": ["", "lost"], "order": 1}), ("sync", "desk0"),
            ("sync", "desk1"), ("sync", "desk0"),
            apart_ms=5_000,
        ), {"as the script says"}, ends=("cancelled", "confirmed", "confirmed"),
        always=few_entries_a_message(2)),
    Script("a grant names the claims that pass with it", off.nothing_is_handed_over,
        scenario(
            ("reserve", "hub", wish(2, "19:30", "T2")),
            ("grant", "hub", {"to": "desk0", "resources": ["T1", "T2"]}),
            ("sync", "desk0"), ("sync", "desk1"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk1", wish(2, "19:30", "T1", may_move=True)),
            ("sync", "desk1"), ("sync", "desk0"),
        ), SOLD_TWICE, ends=("confirmed", "confirmed", "commit_failed")),
    Script("what somebody holds is granted to nobody else", off.a_unit_is_granted_again,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("grant", "hub", {"to": "desk1", "resources": ["T1"]}),
            allotments=DESK0_HAS_T1,
        ), SOLD_TWICE),
    Script("a release is the holder's return and not the clock's", off.released_by_the_clock,
        scenario(
            ("sync", "desk0"), ("cut", "desk0"),
            ("reserve", "desk0", wish(0, "19:30", "T1")),
            ("reserve", "hub", wish(0, "19:30", "T1"), 17),
            allotments=[holds("desk0", "T1", release_minutes=240)],
        ), SOLD_TWICE, ends=("confirmed", "commit_failed")),
    Script("a clock that knows nothing sells nothing that releases",
        off.sells_without_knowing_the_time,
        scenario(
            ("sync", "desk0"), ("stop", "desk0"), ("start", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            allotments=[holds("desk0", "T1", release_minutes=240)],
        ), {"as the script says"}, told={"reserve: commit_pending": 1}),
    Script("a person gives a restored device its rights again",
        replaced(Granting, "_had", lambda *_: False),
        scenario(
            ("sync", "desk0"), ("backup", "desk0"), ("restore", "desk0"), ("sync", "desk0"),
            ("cut", "desk0"), ("reserve", "desk0", wish(2, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), {"as the script says"}, told={"reserve: commit_pending": 1}),
    Script("a recovering hub grants nothing", off.a_recovering_hub_grants,
        scenario(
            ("sync", "desk1"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("wipe", "hub"), ("sync", "desk1"),
            ("grant", "hub", {"to": "desk1", "resources": ["T1"]}), ("sync", "desk1"),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
        ), {"capacity", "only a holder decides"}, ends=("confirmed", "commit_failed")),
    Script("a rebuilt hub waits for every device",
        replaced(Recovery, "recovering", lambda *_: False),
        scenario(
            ("sync", "desk1"), ("sync", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("wipe", "hub"), ("sync", "desk1"),
            ("reserve", "desk1", wish(2, "19:30", "T1")), ("sync", "desk1"), ("sync", "desk0"),
        ), {"a hub waits for a person", "capacity", "confirmed stands"},
        ends=("confirmed", "commit_failed")),
    Script("rights pass to the life that follows a wrong clock",
        replaced(Rights, "lives", lambda _, incarnation: [incarnation]),
        scenario(
            ("sync", "desk0"), ("stop", "desk0"), ("clock", "desk0", {"by_ms": 7 * HOUR}),
            ("start", "desk0"), ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("correct", "desk0"), ("sync", "desk0"), ("cut", "desk0"),
            ("reserve", "desk0", wish(3, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), {"as the script says"}, told={"reserve: confirmed": 2}),
    Script("a decision answers for what was asked", off.answers_for_anything,
        scenario(
            ("sync", "stranger"), ("reserve", "desk0", wish(2, "19:30", "T2")),
            ("reserve", "hub", wish(2, "19:30", "T2")),
            ("meet", "stranger", {"other": 0.0}),
            ("answer_other", "stranger", {"verdict": "admitted"}), ("sync", "stranger"),
            devices=1, stranger=True, allotments=[holds("stranger", "T1")],
        ), {"only a holder decides", "capacity"}, ends=("commit_failed", "confirmed"),
        always=ANYBODY_IS_ASKED),
    Script("nobody is turned away by who has not what they asked for",
        replaced(_Judge, "_answers", lambda *_: True),
        scenario(
            ("sync", "stranger"), ("reserve", "desk0", wish(2, "19:30", "T2")),
            ("meet", "stranger", {"other": 0.0}),
            ("answer_other", "stranger", {"verdict": "displaced"}), ("sync", "stranger"),
            devices=1, stranger=True, allotments=[holds("stranger", "T1")],
        ), {"only a holder decides"}, ends=("confirmed",), always=ANYBODY_IS_ASKED),
    Script("nobody is moved by who has not what they asked for",
        replaced(_Judge, "_answers", lambda *_: True),
        scenario(
            ("sync", "stranger"), ("reserve", "desk0", wish(2, "19:30", "T2")),
            ("meet", "stranger", {"other": 0.0}),
            ("answer_other", "stranger", {"verdict": "moved"}), ("sync", "stranger"),
            devices=1, stranger=True, allotments=[holds("stranger", "T1")],
        ), {"only a holder decides"}, ends=("confirmed",), always=ANYBODY_IS_ASKED),
    Script("of a pool a share makes nobody the judge of what another was asked", ANYBODY_IS_ASKED,
        scenario(
            ("sync", "stranger"), ("reserve", "desk0", wish(2, "19:30", "HALL", party=3)),
            ("meet", "stranger", {"other": 0.0}),
            ("answer_other", "stranger", {"verdict": "displaced"}), ("sync", "stranger"),
            devices=1, stranger=True, allotments=[holds("stranger", "HALL", quantity=4)],
        ), {"as the script says"}, ends=("confirmed",)),
    Script("nothing of a hub counts beyond its close", replaced(Books, "counts", lambda *_: True),
        scenario(
            ("backup", "hub"), ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("restore", "hub"), ("proceed", "hub"), ("reserve", "hub", wish(2, "19:30", "T1")),
        ), SOLD_TWICE, ends=("commit_failed", "confirmed")),
    Script("what was cancelled in time displaces nobody", off.cancelled_or_not_it_is_decided,
        scenario(
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("cancel", "desk0", FIRST),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("meet", "desk1", {"other": 0.0}), ("sync", "desk1"),
        ), {"as the script says"}, ends=("cancelled", "confirmed")),
    Script("two hubs that follow one stop",
        replaced(Administration, "rivals", property(lambda _: set())),
        scenario(
            ("wipe", "hub"), ("sync", "desk1"), ("proceed", "hub"),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "20:30", "T1")), ("sync", "desk1"),
            ("wipe", "hub"), ("sync", "desk0"), ("proceed", "hub"),
        ), {"capacity"}),
    Script("a restored device begins another life", replaced(witness, "check", lambda *_: []),
        scenario(
            ("sync", "desk0"), ("backup", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")), ("sync", "desk0"),
            ("restore", "desk0"), ("cut", "desk0"),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            allotments=DESK0_HAS_T1,
        ), {"capacity", "confirmed stands"}, ends=("confirmed", "commit_failed")),
    Script("a claim is not split over two holders", off.one_of_two_holders_is_asked,
        scenario(
            ("sync", "desk0"), ("sync", "desk1"), ("sync", "desk0"),
            ("reserve", "hub", wish(2, "19:30", "", party=7)), ("sync", "desk0"),
            allotments=[holds("desk0", "T3"), holds("desk1", "T4")],
        ), {"every claim is decided", "comes to rest"}, ends=("commit_failed",)),
    Script("the hub answers for who lost the right",
        replaced(Rights, "asked", lambda self, asks, claim: asks),
        scenario(
            ("sync", "desk0"), ("sync", "desk1"),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("give_back", "desk0", FIRST), ("sync", "desk0"),
            allotments=DESK0_HAS_T1,
        ), {"every claim is decided", "comes to rest"}, ends=("confirmed",)),
    Script("a hub goes on when a person says so", off.a_hub_goes_on_by_itself,
        scenario(("sync", "desk0"), ("sync", "desk1"), ("wipe", "hub"), ("sync", "desk0"),
                 ("sync", "desk1"), ("sync", "desk0")),
        {"a hub waits for a person"}),
    Script("a guest is moved only who allows it", off.whoever_lost_a_place_is_moved,
        scenario(
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk0"), ("sync", "desk1"),
        ), {"as the script says"}, ends=("confirmed", "commit_failed")),
    Script("a capacity is lowered out of the hub's own share",
        replaced(Granting, "require_room", lambda *_: None),
        scenario(
            ("sync", "desk0"),
            ("lower", "hub", {"capacity": 3, "allotments": [holds("desk0", "HALL", quantity=4)]}),
            allotments=[holds("desk0", "HALL", quantity=4)],
        ), {"as the script says"}, told={"lower: RuleViolated": 1}),
    Script("a device that was shut out is told nothing more",
        replaced(serving, "require_admitted", lambda *_: None),
        scenario(("sync", "desk0"), ("shut_out", "hub", {"to": "desk0"}), ("sync", "desk0")),
        {"as the script says"}, told={"sync: Forbidden": 1}),
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.rule.replace(" ", "-"))
def test_a_rule_is_needed(script: Script) -> None:
    script.check()
