"""A recorded request is answered once, whatever is forgotten and whoever starts again."""

from __future__ import annotations

import threading

import pytest

from holdfast.model.errors import Unauthorised
from holdfast.node import serving, transport
from holdfast.node.challenges import CHALLENGE_REASON, Challenges
from holdfast.node.exchange import Exchange
from holdfast.node.node import Node
from holdfast.sync.messages import encode
from tests.kit import URL, Fleet


def refused(challenges: Challenges, sender: str, text: str) -> str:
    """The challenge that comes with the refusal."""
    with pytest.raises(Unauthorised) as caught:
        challenges.use(sender, text)
    assert caught.value.extra["reason"] == CHALLENGE_REASON
    return transport.challenge_of(caught.value)


def test_a_challenge_is_good_once_and_for_whom_it_was_made() -> None:
    challenges = Challenges()
    first, second = challenges.issue("desk"), challenges.issue("desk")
    refused(challenges, "kiosk", first)
    challenges.use("desk", first)
    refused(challenges, "desk", first)
    challenges.use("desk", second)


def test_what_was_not_used_when_a_newer_one_was_is_good_no_more() -> None:
    challenges = Challenges()
    older, newer = challenges.issue("desk"), challenges.issue("desk")
    challenges.use("desk", newer)
    refused(challenges, "desk", older)


def test_the_refusal_carries_one_that_is_good() -> None:
    challenges = Challenges()
    challenges.use("desk", refused(challenges, "desk", ""))


@pytest.mark.parametrize("text", ["", "x", "ä" * 32, "A" * 32, "=" * 32, "A" * 4000, "AAAA\n"])
def test_what_nobody_issued_is_no_challenge(text: str) -> None:
    refused(Challenges(), "desk", text)


@pytest.mark.parametrize("position", range(24))
def test_a_challenge_with_one_letter_changed_is_none(position: int) -> None:
    challenges = Challenges()
    text = challenges.issue("desk")
    other = "A" if text[position] != "A" else "B"
    refused(challenges, "desk", text[:position] + other + text[position + 1 :])


def test_another_run_of_the_process_accepts_nothing_of_an_earlier_one() -> None:
    before, after = Challenges(), Challenges()
    recorded = [before.issue("desk") for _ in range(3)]
    for _ in range(3):
        after.issue("desk")
    for text in recorded:
        refused(after, "desk", text)


def test_forgetting_a_sender_lets_nothing_of_it_in_again() -> None:
    challenges = Challenges(size=4)
    used = {f"desk-{n}": challenges.issue(f"desk-{n}") for n in range(10)}
    for sender, text in used.items():
        challenges.use(sender, text)
    assert len(challenges) == 4
    for sender, text in used.items():
        refused(challenges, sender, text)
    # Who was forgotten is heard again with a new one.
    challenges.use("desk-0", refused(challenges, "desk-0", used["desk-0"]))


def test_of_many_threads_that_use_one_challenge_one_is_heard() -> None:
    challenges = Challenges()
    text, heard = challenges.issue("desk"), []

    def use() -> None:
        try:
            challenges.use("desk", text)
        except Unauthorised:
            return
        heard.append(1)

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [1]


# --- on the wire ----------------------------------------------------------------------------------


def recorded(fleet: Fleet, desk: Node) -> tuple[dict[str, str], bytes]:
    """A request as somebody heard it on its way, and that was answered."""
    body = encode(Exchange(desk).request(desk.new_peer()))
    url = URL + transport.EXCHANGE_PATH
    headers, _ = transport.converse(
        desk.identity, url, body, lambda signed: exchanged(fleet, signed, body)
    )
    return headers, body


def exchanged(fleet: Fleet, headers: dict[str, str], body: bytes) -> bytes:
    _, _, answer = serving.handle_exchange(
        fleet.the_hub, "POST", transport.EXCHANGE_PATH, "hub.test", headers, body
    )
    return answer


@pytest.mark.parametrize("meanwhile", ["nothing", "many requests", "a restart", "two restarts"])
def test_a_recorded_exchange_is_never_answered_again(fleet: Fleet, meanwhile: str) -> None:
    desk = fleet.join("desk")
    headers, body = recorded(fleet, desk)
    if meanwhile == "many requests":
        # More than were once remembered, of this sender alone.
        for _ in range(1_100):
            desk.sync()
    for _ in range({"a restart": 1, "two restarts": 2}.get(meanwhile, 0)):
        fleet.crash("hub")
    seen = fleet.the_hub.store.records.fleet()
    fleet.clocks.advance(hours=1)
    for _ in range(2):
        with pytest.raises(Unauthorised, match="signs no challenge"):
            exchanged(fleet, headers, body)
    assert fleet.the_hub.store.records.fleet() == seen, "a listener makes nobody look alive"


def test_the_challenge_of_a_refusal_is_worth_nothing_to_who_cannot_sign(fleet: Fleet) -> None:
    headers, body = recorded(fleet, fleet.join("desk"))
    with pytest.raises(Unauthorised) as caught:
        exchanged(fleet, headers, body)
    fresh = transport.challenge_of(caught.value)
    for changed in (
        {**headers, "Holdfast-Challenge": fresh},
        {k: v for k, v in headers.items() if k != "Holdfast-Challenge"},
        {**headers, "holdfast-challenge": fresh},
    ):
        with pytest.raises(Unauthorised):
            exchanged(fleet, changed, body)


def test_only_the_first_exchange_takes_a_round_trip_more(fleet: Fleet) -> None:
    desk = fleet.join("desk")
    asked: list[str] = []
    answer = transport.signed_headers

    def counted(*arguments: object, **more: object) -> dict[str, str]:
        asked.append(str(more.get("challenge")))
        return answer(*arguments, **more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transport, "signed_headers", counted)
        rounds = fleet.rounds
        for _ in range(5):
            desk.sync()
        assert len(asked) == fleet.rounds - rounds
        fleet.crash("hub")
        asked.clear()
        rounds = fleet.rounds
        for _ in range(5):
            desk.sync()
        assert len(asked) == fleet.rounds - rounds + 1
