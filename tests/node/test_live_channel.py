"""The live channel against who sits between: nothing is read, changed, repeated or made up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from holdfast.api import routes_replicas
from holdfast.node.hub import Hub
from holdfast.node.transport import CLOSE_REFUSED
from holdfast.sync.messages import ExchangeResponse, decode, encode
from tests.hostile.builders import contents
from tests.node.between import Between
from tests.node.dialling import Dialled, dialled, knock, upgrade
from tests.node.live import PATIENCE_SECONDS, QUICK, Devices, RingingNode, reserve, served

Joined = Callable[[str], RingingNode]


@pytest.fixture
def joined(devices: Devices) -> Iterator[Joined]:
    """Makes nodes that do not run by themselves, and closes them."""
    with ExitStack() as exits:

        def join(name: str) -> RingingNode:
            node = devices.joined(name)
            exits.callback(node.close)
            return node

        yield join


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), PATIENCE_SECONDS))


def forget_nonces(hub: Hub) -> None:
    """As after a restart of the hub, or 65,536 requests later."""
    assert len(hub.__dict__.pop("nonces")) > 0


async def closed(channel: Any) -> tuple[int, str]:
    """The code and reason with which the hub ends a channel on which it says nothing more."""
    with pytest.raises(ConnectionClosed) as ended:
        await channel.recv()
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


# --- who repeats what was heard -------------------------------------------------------------------


def test_a_repeated_upgrade_changes_nothing_and_gets_no_message(devices: Devices, joined: Joined):
    node = joined("desk")
    asked = upgrade(node.identity, devices.url)

    async def story() -> None:
        async with dialled(asked) as channel:
            first = channel.keys.seal(encode(node.ask(node.peer)))
            await channel.socket.send(first)
            assert decode(await channel.hear(), ExchangeResponse).sender
        with pytest.raises(InvalidStatus, match="403"):
            await knock(asked)
        forget_nonces(devices.hub)
        before = contents(devices.hub, without=set())
        async with knock(asked) as listener:
            await listener.send(first)
            code, reason = await closed(listener)
        assert (code, "does not open" in reason) == (CLOSE_REFUSED, True)
        assert contents(devices.hub, without=set()) == before

    play(story)


def test_what_happens_at_the_hub_is_not_told_to_who_repeats_an_upgrade(
    devices: Devices, joined: Joined
):
    node, bar = joined("desk"), devices.node("bar")
    asked = upgrade(node.identity, devices.url)

    async def story() -> None:
        async with knock(asked) as listener:
            sold = await asyncio.to_thread(reserve, devices.hub, "19:30", "T1")
            await asyncio.to_thread(devices.until, bar.sees(sold))
            await listener.send(b"")
            assert (await closed(listener))[0] == CLOSE_REFUSED

    play(story)


def test_a_channel_on_which_nothing_comes_is_not_held_for_ever(
    devices: Devices, joined: Joined, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(routes_replicas, "LIVE_FIRST_MESSAGE_SECONDS", 0.05)
    node = joined("desk")

    async def story() -> None:
        async with knock(upgrade(node.identity, devices.url)) as listener:
            assert await closed(listener) == (
                CLOSE_REFUSED, "no message followed the upgrade to the live channel",
            )  # fmt: skip

    play(story)


# --- what the hub takes ---------------------------------------------------------------------------

Bent = Callable[[bytes, bytes, bytes, bytes], list[bytes | str]]


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param(lambda said, first, second, _: [said], id="in clear"),
        pytest.param(lambda said, first, second, _: [first[:-1] + b"\x00"], id="altered seal"),
        pytest.param(lambda said, first, second, _: [b"\x00" + first[1:]], id="altered"),
        pytest.param(lambda said, first, second, _: [first[:-1]], id="cut"),
        pytest.param(lambda said, first, second, _: [first + b"\x00"], id="longer"),
        pytest.param(lambda said, first, second, _: [first, first], id="repeated"),
        pytest.param(lambda said, first, second, _: [second], id="dropped"),
        pytest.param(lambda said, first, second, _: [second, first], id="swapped"),
        pytest.param(lambda said, first, second, before: [before], id="said before"),
        pytest.param(lambda said, first, second, _: ["text"], id="text"),
        pytest.param(lambda said, first, second, _: [b""], id="empty"),
    ],
)
def test_a_message_that_is_not_the_next_one_of_this_node_ends_the_channel(
    devices: Devices, joined: Joined, bent: Bent
):
    node = joined("desk")

    async def story() -> None:
        async with dialled(upgrade(node.identity, devices.url)) as channel:
            before = channel.keys.seal(encode(node.ask(node.peer)))
            await channel.socket.send(before)
            await channel.hear()
            said = encode(node.ask(node.peer))
            first, second = channel.keys.seal(said), channel.keys.seal(said)
            for message in bent(said, first, second, before):
                # The hub may have hung up before the last of them.
                with suppress(ConnectionClosed):
                    await channel.socket.send(message)
            code, reason = await ended(channel)
            assert (code, "does not open" in reason) == (CLOSE_REFUSED, True)

    play(story)


async def ended(channel: Dialled) -> tuple[int, str]:
    """How the hub ends the channel, after what it may have answered in order before."""
    with pytest.raises(ConnectionClosed) as closing:
        while True:
            assert decode(await channel.hear(), ExchangeResponse)
    assert closing.value.rcvd is not None
    return closing.value.rcvd.code, closing.value.rcvd.reason


def test_what_the_hub_said_cannot_be_said_back_to_it(devices: Devices, joined: Joined):
    node = joined("desk")

    async def story() -> None:
        async with dialled(upgrade(node.identity, devices.url)) as channel:
            await channel.say(encode(node.ask(node.peer)))
            answer = await channel.socket.recv()
            await channel.socket.send(answer)
            assert (await closed(channel.socket))[0] == CLOSE_REFUSED

    play(story)


# --- what a node takes ----------------------------------------------------------------------------


class Bending:
    """Changes once what the hub says, and holds back no more than it must for it."""

    def __init__(self, how: str) -> None:
        self._how = how
        self._held: bytes | None = None
        self.done = False

    def __call__(self, direction: str, message: bytes) -> list[bytes]:
        if direction != "in" or self.done:
            return [message]
        if self._held is not None:
            self.done = True
            return [message, self._held] if self._how == "swap" else [message]
        if self._how in ("swap", "drop"):
            self._held = message
            return []
        self.done = True
        return {
            "repeat": [message, message],
            "alter": [message[:9] + bytes([message[9] ^ 1]) + message[10:]],
            "cut": [message[:-16]],
            "make up": [b"\x00" * len(message)],
        }[self._how]


def more_than(way: Between, before: int) -> bool:
    return way.frames["in"] > before


@pytest.mark.parametrize("how", ["swap", "drop", "repeat", "alter", "cut", "make up"])
def test_a_node_ends_a_channel_on_which_the_hub_is_not_heard_as_it_speaks(
    devices: Devices, between: Callable[..., Between], soon: None, how: str
):
    way = between()
    desk = devices.node("desk", way.url)
    way.bend = bending = Bending(how)
    for time in ("19:30", "21:00"):
        before = way.frames["in"]
        reserve(devices.hub, time, "T1")
        devices.until(partial(more_than, way, before))
        if way.closed:
            break
    devices.until(lambda: way.closed.get("out") == CLOSE_REFUSED)
    assert bending.done
    # Nothing was taken in of it that the hub had not said, and a new channel brings all of it.
    last = reserve(devices.hub, "12:00", "T1")
    devices.until(desk.sees(last))
    devices.until(desk.connected)
    assert way.upgrades >= 2


@pytest.mark.parametrize("compression", ["zlib", "none"])
def test_who_listens_reads_nothing(
    devices: Devices, between: Callable[..., Between], compression: str
):
    way = between()
    desk = devices.node("desk", way.url, sync_compression=compression)
    view = desk.reserve("19:30", "T1")
    devices.until(desk.sees(view))
    heard = [message for _, message in way.heard]
    assert len(heard) >= 4
    for word in (b"trattoria", b"serving", b"zlib", desk.node.identity.incarnation):
        assert not any(word in message for message in heard)
    # A compressed message in clear would begin with 01 78, another one with 00 and an array.
    assert not all(message[0] in (0, 1) for message in heard)


# --- impostors ------------------------------------------------------------------------------------


def test_a_hub_of_another_tenant_gets_nothing_of_the_queue(devices: Devices, tmp_path: Any):
    other = Hub.init(tmp_path / "other", "acme", **QUICK)
    try:
        with served(other) as url:
            way = Between(url, devices.bell)
            try:
                node = devices.joined("desk")
                node.set_hub(way.url)
                desk = devices.run(node)
                desk.reserve("19:30", "T1")
                devices.until(lambda: desk.node.last_error)
                assert not way.frames
                assert desk.node.sync_status()["queued"] == 1
                assert desk.state != "connected"
            finally:
                way.close()
    finally:
        other.close()


@pytest.mark.parametrize("direction", ["out", "in"])
def test_a_key_that_is_put_in_the_place_of_the_signed_one_opens_no_channel(
    devices: Devices, joined: Joined, between: Callable[..., Between], direction: str
):
    way = between()
    theirs = upgrade(joined("bar").identity, devices.url).headers["Holdfast-Live-Key"]

    def put(where: str, head: bytes) -> bytes:
        lines = head.split(b"\r\n")
        mine = b"holdfast-live-key: "
        return b"\r\n".join(
            mine + theirs.encode() if where == direction and line.lower().startswith(mine) else line
            for line in lines
        )

    way.retell = put
    desk = devices.node("desk", way.url, poll_seconds=0.1)
    # By plain requests, each of which is signed, the device works all the same.
    view = desk.reserve("19:30", "T1")
    devices.until(desk.sees(view))
    assert way.upgrades >= 1
    assert not way.frames
