"""What the simulator found, as short schedules: those that hold now, and those that do not yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest import mock

import pytest

from holdfast.simulation import Scenario, Step, play
from holdfast.simulation.oracles import TWO_HUBS
from holdfast.simulation.run import Player
from holdfast.simulation.schedule import Device

HOUR = 3_600_000


def wish(day: int, time: str, resource: str) -> dict[str, Any]:
    return {
        "day": day, "time": time, "party": 2, "resource": resource, "nights": 1,
        "may_move": False, "guest": -1,
    }  # fmt: skip


def moved_to(resource: str) -> dict[str, Any]:
    return {"pick": 0.0, "time": "19:30", "resource": resource}


def scenario(
    *steps: tuple[str, str, dict[str, Any]],
    devices: int = 2,
    allotments: Sequence[dict[str, Any]] = (),
) -> Scenario:
    """Three-hourly steps of (what, machine, detail) from ten in the morning."""
    return Scenario(
        seed=1,
        venues=("trattoria",),
        wishes={"trattoria": list(allotments)},
        devices=tuple(Device(f"desk{n}", "front-desk", "trattoria") for n in range(devices)),
        steps=tuple(
            Step(number=n, at_ms=(10 + 3 * n) * HOUR, what=what, machine=machine, detail=detail)
            for n, (what, machine, detail) in enumerate(steps)
        ),
    )


_A_COPY = scenario(
    ("sync", "desk0", {}),
    ("reserve", "desk0", wish(2, "19:30", "T1")),
    ("clone", "desk0", {"to": "desk0-copy", "noticed": False}),
    ("reserve", "desk0", wish(2, "19:30", "T2")),
    ("sync", "desk0", {}),
    ("sync", "desk0-copy", {}),
)


def test_a_copy_that_is_behind_the_original_comes_to_rest() -> None:
    """The copy knows of its own chain less than the hub, which no cursor shows it."""
    result = play(_A_COPY)
    assert not result.violations, result.violations


def test_a_rebuilt_hub_waits_for_a_device_that_nobody_has_told_it_of(tmp_path) -> None:
    """Desk 0 was last in touch before desk 1 joined; the rebuilt hub hears desk 0 alone, and
    sells what desk 1 was told is its guest's."""
    player = Player(
        scenario(
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk1", {}),
            ("wipe", "hub", {}),
            ("sync", "desk0", {}),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("sync", "desk0", {}),
        ),
        tmp_path,
    )
    player.play()
    assert not player.oracles.violations, player.oracles.violations
    assert not player.oracles.exceptions, dict(player.oracles.exceptions)


def test_two_hubs_that_both_went_on_are_shown_until_a_person_ends_one(tmp_path) -> None:
    """The second hub's sale reaches the third one, which a person let go on without it: nobody but
    a person can tell which of the two is right (DESIGN §5.9)."""
    player = Player(
        scenario(
            ("wipe", "hub", {}),
            ("sync", "desk1", {}),
            ("proceed", "hub", {}),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("reserve", "desk0", wish(2, "20:30", "T1")),
            ("sync", "desk1", {}),
            ("wipe", "hub", {}),
            ("sync", "desk0", {}),
            ("proceed", "hub", {}),
        ),
        tmp_path,
    )
    player.play()
    assert not player.oracles.violations, player.oracles.violations
    assert player.oracles.exceptions[TWO_HUBS] > 0
    confirmed = [one for one in player.oracles.shown["hub"].values() if one.held]
    assert len(confirmed) == 1, "a person ended one, and its sale with it"


def test_a_hub_that_goes_on_beside_another_is_found(tmp_path) -> None:
    """The oracle that lets two hubs' sales stand for a while asks that the hub stops meanwhile."""
    player = Player(scenario(("sync", "desk0", {})), tmp_path)
    player.play()
    hub = player.world.machines["hub"]
    assert hub.replica is not None
    administration = mock.Mock(rivals={b"a", b"b"})
    with (
        mock.patch.object(type(hub.replica), "exchange_state", "serving"),
        mock.patch.object(hub.replica, "book", lambda _: mock.Mock(administration=administration)),
    ):
        player.oracles._note_two_hubs(hub, hub.replica, player.world.book("trattoria"))
    assert [violation.oracle for violation in player.oracles.violations] == ["two hubs stop"]


def test_a_device_that_was_shut_out_waits_until_a_rebuilt_hub_has_heard_of_the_venue() -> None:
    """It asks first, at a hub that knows no venue yet; it comes back once others have exchanged."""
    result = play(
        scenario(
            ("wipe", "hub", {}),
            ("sync", "desk1", {}),
            ("proceed", "hub", {}),
            ("sync", "desk1", {}),
            ("meet", "desk1", {"other": 0.3}),
            ("wipe", "hub", {}),
            devices=3,
        )
    )
    assert not result.violations, result.violations


def test_a_move_back_from_where_one_was_moved_while_one_waited_has_one_place() -> None:
    """Desk 0 asks desk 1 for T1. The hub moves it to T4 before desk 1 answers, which is in force
    at once, for nothing is given up; then back to T1. Desk 1 ends what was asked first and grants
    the last move, which must wait until the hub gives T4 up."""
    result = play(
        scenario(
            ("sync", "desk1", {}),
            ("sync", "desk0", {}),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("sync", "desk0", {}),
            ("move", "hub", moved_to("T4")),
            ("move", "hub", moved_to("T1")),
            ("sync", "desk1", {}),
            allotments=[{"holder": "desk1", "resources": ["T1"]}],
        )
    )
    assert not result.violations, result.violations


def test_a_move_that_the_hub_gave_another_up_for_is_in_force() -> None:
    """Desk 0 moves twice, desk 1 once, and neither knows of the other. The hub grants desk 1's,
    turns desk 0's first away and grants its second, for which it ends desk 1's: there they sit."""
    result = play(
        scenario(
            ("reserve", "desk0", wish(2, "12:30", "T1")),
            ("sync", "desk0", {}),
            ("sync", "desk1", {}),
            ("move", "desk0", {"pick": 0.0, "time": "20:00", "resource": ""}),
            ("move", "desk0", {"pick": 0.0, "time": "19:00", "resource": ""}),
            ("move", "desk1", {"pick": 0.0, "time": "21:30", "resource": ""}),
            ("sync", "desk1", {}),
            ("sync", "desk0", {}),
        )
    )
    assert not result.violations, result.violations


def test_a_crash_between_two_lives_leaves_no_right_with_nobody() -> None:
    """Desk 0's clock ran ahead. Its chain names the next life; before that one begins its own, the
    process dies, and after the start it is another life again. T1 is the middle one's."""
    result = play(
        scenario(
            ("sync", "desk0", {}),
            ("stop", "desk0", {}),
            ("clock", "desk0", {"by_ms": 30 * HOUR}),
            ("start", "desk0", {}),
            ("reserve", "desk0", wish(3, "19:30", "T1")),
            ("correct", "desk0", {}),
            ("crash", "desk0", {"commit": 5, "after": False}),
            ("sync", "desk0", {}),
            ("start", "desk0", {}),
            ("reserve", "hub", wish(4, "19:30", "T1")),
            allotments=[{"holder": "desk0", "resources": ["T1"]}],
        )
    )
    assert not result.violations, result.violations


def test_a_disk_set_back_learns_its_own_stamps_from_a_neighbour() -> None:
    """Its clock is wrong by more than a foreign stamp may move it; its own past counts all the
    same, or its chain would go on behind where it was."""
    result = play(
        scenario(
            ("image", "desk0", {}),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("sync", "desk0", {}),
            ("sync", "desk1", {}),
            ("rollback", "desk0", {}),
            ("clock", "desk0", {"by_ms": -30 * HOUR}),
            ("meet", "desk1", {"other": 0.0}),
            ("reserve", "desk0", wish(3, "19:30", "T2")),
        )
    )
    assert not result.violations, result.violations


@pytest.mark.parametrize(
    ("what", "detail"),
    [
        ("cancel", {"pick": 0.0, "reason": "guest_request", "by": "guest"}),
        ("move", moved_to("T2")),
    ],
)
def test_what_a_lost_life_holds_is_taken_back_before_all_is_judged(
    what: str, detail: dict[str, Any]
) -> None:
    """One backup is put back twice, and the second life knows nothing of the first, which has got
    T1. The guest there cancels, or moves: until a person takes the right back, nobody can end that
    place."""
    result = play(
        scenario(
            ("sync", "desk0", {}),
            ("backup", "desk0", {}),
            ("restore", "desk0", {}),
            ("sync", "desk0", {}),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("grant", "hub", {"to": "desk0", "resources": ["T1"]}),
            ("restore", "desk0", {}),
            (what, "hub", detail),
        )
    )
    assert not result.violations, result.violations


def test_the_life_that_carries_on_is_the_one_that_counts() -> None:
    """Desk 0's clock ran ahead, so that it named a next life, which turned desk 1's guest away. Its
    disk goes back, and it names another: the book took that one, which counts nowhere, for the
    life that has T1 now."""
    result = play(
        scenario(
            ("sync", "desk0", {}),
            ("sync", "desk1", {}),
            ("stop", "desk0", {}),
            ("clock", "desk0", {"by_ms": 30 * HOUR}),
            ("start", "desk0", {}),
            ("reserve", "desk0", wish(3, "19:30", "T1")),
            ("reserve", "desk1", wish(3, "19:30", "T1")),
            ("sync", "desk1", {}),
            ("image", "desk0", {}),
            ("correct", "desk0", {}),
            ("sync", "desk0", {}),
            ("rollback", "desk0", {}),
            ("sync", "desk0", {}),
            allotments=[{"holder": "desk0", "resources": ["T1"]}],
        )
    )
    assert not result.violations, result.violations


def test_what_a_device_sold_that_is_switched_off_may_end_with_its_life() -> None:
    """A copy of desk 0 notices what it is and goes on as the life after desk 0's, which the hub
    closes: its T1 is sold to another guest while desk 0 is switched off and has told nobody that it
    sold it too. That is the third honest exception (DESIGN §5.12)."""
    result = play(
        scenario(
            ("sync", "desk0", {}),
            ("sync", "desk1", {}),
            ("clone", "desk0", {"to": "desk0-copy", "noticed": True}),
            ("reserve", "desk0", wish(2, "19:30", "T1")),
            ("stop", "desk0", {}),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk1", {}),
            ("sync", "desk0-copy", {}),
            allotments=[{"holder": "desk0", "resources": ["T1"]}],
        )
    )
    assert not result.violations, result.violations
    assert set(result.exceptions) == {"sold from a right that had been taken back"}


def test_who_was_sent_elsewhere_by_a_right_that_had_been_taken_back_may_lose_that_place() -> None:
    """Desk 0 asks desk 1 for T1, which is taken. The hub takes T1 back from desk 1 and refuses the
    wish; desk 1 has heard of neither, meets desk 0 and answers: T2, which is its own still. It
    answered by a right that it had lost: the first honest exception (DESIGN §5.12, seed 133476)."""
    result = play(
        scenario(
            ("sync", "desk0", {}),
            ("reserve", "desk1", wish(2, "19:30", "T1")),
            ("sync", "desk1", {}),
            ("reserve", "desk0", {**wish(2, "19:30", "T1"), "may_move": True}),
            ("sync", "desk0", {}),
            ("revoke_right", "hub", {"pick": 0.5}),
            ("settle", "hub", {}),
            ("meet", "desk1", {"other": 0.0}),
            ("sync", "desk0", {}),
            allotments=[
                {"holder": "desk1", "resources": ["T1"]},
                {"holder": "desk1", "resources": ["T2"]},
                {"holder": "desk0", "resources": ["T3", "T4"]},
            ],
        )
    )
    assert not result.violations, result.violations
    assert set(result.exceptions) == {"sold from a right that had been taken back"}


def test_a_disk_set_back_learns_at_once_what_it_had_said_before() -> None:
    """Desk 1 ends what it sold, its disk goes back and its chain goes on otherwise, longer than it
    was; after it was shut out and let in, the hub tells it what it sold anew, and took three
    synchronisations to tell it of the end."""
    result = play(
        scenario(
            ("sync", "desk1", {}),
            ("reserve", "desk1", wish(3, "19:30", "T1")),
            ("sync", "desk1", {}),
            ("image", "desk1", {}),
            ("cancel", "desk1", {"pick": 0.0, "reason": "guest_request", "by": "guest"}),
            ("sync", "desk1", {}),
            ("rollback", "desk1", {}),
            ("reserve", "desk1", wish(4, "19:30", "T2")),
            ("reserve", "desk1", wish(4, "19:30", "T3")),
            ("shut_out", "hub", {"to": "desk1"}),
            ("reserve", "hub", wish(3, "19:30", "T1")),
            ("rejoin", "hub", {"to": "desk1"}),
            ("sync", "desk1", {}),
            allotments=[{"holder": "desk1", "resources": ["T1"]}],
        )
    )
    assert not result.violations, result.violations


def test_what_gave_way_to_an_older_wish_is_ended() -> None:
    """Desk 0 asks for T1, and before the answer for T4 instead. The hub moves the first wish to T2;
    desk 1 grants T4, for which the hub ends T2 and sells it anew. Desk 0 shows T2 until it hears of
    that, which is lag: the guest sits at one table."""
    result = play(
        scenario(
            ("sync", "desk0", {}),
            ("sync", "desk1", {}),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", {**wish(2, "19:30", "T1"), "may_move": True}),
            ("move", "desk0", moved_to("T4")),
            ("sync", "desk0", {}),
            ("sync", "desk1", {}),
            ("reserve", "hub", wish(2, "19:30", "T2")),
            allotments=[{"holder": "desk1", "resources": ["T4"]}],
        )
    )
    assert not result.violations, result.violations
    assert not result.exceptions, result.exceptions


def test_a_guest_who_sits_where_they_asked_last_is_not_sent_back(tmp_path) -> None:
    """The hub sends desk 0's wish for T1 to T2, and its answer is lost. Desk 0 asks desk 1 for T4
    instead, which grants it: they were told T4, and the hub's older answer took that back."""
    player = Player(
        scenario(
            ("sync", "desk0", {}),
            ("sync", "desk1", {}),
            ("reserve", "hub", wish(2, "19:30", "T1")),
            ("reserve", "desk0", {**wish(2, "19:30", "T1"), "may_move": True}),
            ("mishaps", "desk0", {"words": ["unanswered"], "order": 1}),
            ("sync", "desk0", {}),
            ("move", "desk0", moved_to("T4")),
            ("meet", "desk0", {"other": 0.0}),
            ("sync", "desk0", {}),
            allotments=[{"holder": "desk1", "resources": ["T4"]}],
        ),
        tmp_path,
    )
    player.play()
    assert not player.oracles.violations, player.oracles.violations
    tables = [one.occupied[0][1] for one in player.oracles.shown["hub"].values()]
    assert sorted(tables) == ["T1", "T4"]


def test_a_hub_that_closes_rivals_closes_what_they_had_closed(tmp_path) -> None:
    """Two hubs that both came from one backup followed one; the third takes of both nothing
    but the name, and so not their word on the hub before them."""
    player = Player(
        scenario(
            ("wipe", "hub", {}),
            ("backup", "hub", {}),
            ("sync", "desk0", {}),
            ("proceed", "hub", {}),
            ("sync", "desk0", {}),
            ("restore", "hub", {}),
            ("sync", "desk2", {}),
            ("proceed", "hub", {}),
            ("sync", "desk2", {}),
            ("restore", "hub", {}),
            devices=3,
        ),
        tmp_path,
    )
    player.play()
    assert not player.oracles.violations, player.oracles.violations
    assert player.world.the_hub.exchange_state == "serving"
