"""The simulated network: the real bytes and signatures, and everything that can happen to them.

Stands below the product's own transport in place of an HTTP client. What is done to the next
messages of a machine is a list of the words in `MISHAPS`, one a message; an empty word is none.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec

from holdfast.model.errors import HoldfastError
from holdfast.node import serving, transport
from holdfast.node.http_signatures import CHALLENGE_HEADER
from holdfast.simulation.machines import Crash, Machine
from holdfast.sync.messages import ExchangeRequest, ExchangeResponse, decode, encode

if TYPE_CHECKING:
    from holdfast.simulation.world import World

MISHAPS: Final = ("lost", "unanswered", "doubled", "replayed", "shuffled", "late")
"""`lost`: before the hub took it; `unanswered`: after; `doubled`: the frames in it stand twice and
the hub hears it twice; `replayed`: an older message of the device comes again first; `shuffled`:
frames in another order, both ways; `late`: the device gives up, and it arrives some time later."""

ROUNDS_MAX: Final = 60
"""Messages of one synchronisation: more than any simulated backlog needs. Beyond it the device and
the hub have nothing new to tell each other and do not notice."""

HUB_URL: Final = "http://hub.simulated"
_AUTHORITY: Final = "hub.simulated"


class Endless(Exception):
    """A synchronisation that does not come to an end."""


class Wire:
    """What a device's transport posts through, in place of an HTTP client."""

    def __init__(self, world: World, machine: Machine) -> None:
        self._world = world
        self._machine = machine

    def post(self, url: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        """Deliver a signed request, or what the network makes of it."""
        world, machine = self._world, self._machine
        network = world.network
        mishap = network.next_mishap(machine.name)
        if mishap:
            network.happened[mishap] += 1
        network.messages += 1
        if network.messages > ROUNDS_MAX:
            raise Endless(f"{machine.name} and the hub exchange without end")
        if machine.cut:
            raise httpx.ConnectError("no network")
        if mishap == "lost":
            raise httpx.ConnectTimeout("the request was lost")
        if mishap == "late":
            network.held.append((machine.name, content))
            raise httpx.ReadTimeout("the request is under way")
        if mishap == "replayed" and (older := network.sent.get(machine.name)):
            self._deliver_again(older)
        network.sent[machine.name] = content
        if mishap in ("shuffled", "doubled"):
            content = network.rearranged(content, mishap)
            # In place: the device checks that the answer is to what was sent in its name.
            challenge = headers.get(CHALLENGE_HEADER, "")
            headers.clear()
            headers.update(self._signed(content, challenge))
        answer = self._deliver(url, content, headers)
        if mishap == "doubled":
            self._deliver_again(content)
        if mishap == "unanswered":
            raise httpx.ReadTimeout("the answer was lost")
        if mishap == "shuffled" and answer.status_code == 200:
            # Whoever could put frames into another order after the signature is the hub itself.
            answer = network.answer_shuffled(world, answer, headers)
        return answer

    def close(self) -> None:
        """Nothing is held."""

    def _signed(self, content: bytes, challenge: str) -> dict[str, str]:
        identity = world_identity(self._machine)
        url = HUB_URL + transport.EXCHANGE_PATH
        return transport.signed_headers(identity, "POST", url, content, challenge=challenge)

    def _deliver_again(self, content: bytes) -> None:
        """The device says the same again in a request of its own: the recorded one is refused."""
        url = HUB_URL + transport.EXCHANGE_PATH

        def deliver(headers: dict[str, str]) -> httpx.Response:
            answer = self._deliver(url, content, headers)
            if answer.status_code != 200:
                raise transport.problem_of(answer.status_code, answer.content, url)
            return answer

        with contextlib.suppress(HoldfastError):
            transport.converse(world_identity(self._machine), url, content, deliver)

    def _deliver(self, url: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        world = self._world
        world.trace.add(content)
        hub = world.hub
        if hub.replica is None:
            raise httpx.ConnectError("the hub is down")
        world.advance(5)
        try:
            with world.on(hub):
                status, answered, body = serving.handle_exchange(
                    hub.replica, "POST", transport.EXCHANGE_PATH, _AUTHORITY, headers, content
                )
        except Crash as crash:
            world.drop(crash.machine)
            raise httpx.RemoteProtocolError("the hub died") from crash
        except HoldfastError as error:
            problem = {"detail": error.detail, **error.extra}
            return httpx.Response(error.status, json=problem)
        world.advance(5)
        world.trace.add(body)
        return httpx.Response(status, headers=answered, content=body)


def world_identity(machine: Machine) -> Any:
    """Who signs on a machine; its process must be up."""
    assert machine.replica is not None
    return machine.replica.identity


class Network:
    """What is under way, what was sent last, and what is to happen to the next messages."""

    def __init__(self) -> None:
        self.held: list[tuple[str, bytes]] = []
        self.sent: dict[str, bytes] = {}
        self.messages = 0
        self.happened: Counter[str] = Counter()
        self._mishaps: dict[str, list[str]] = {}
        self._order = random.Random(0)  # noqa: S311

    def plan(self, machine: str, mishaps: list[str], order: int) -> None:
        """What happens to the next messages of a machine, one word each."""
        self._mishaps[machine] = list(mishaps)
        self._order = random.Random(order)  # noqa: S311

    def calm(self) -> None:
        """Nothing more happens to anybody, and what was under way is gone."""
        self._mishaps.clear()
        self.held.clear()

    def next_mishap(self, machine: str) -> str:
        planned = self._mishaps.get(machine)
        return planned.pop(0) if planned else ""

    def rearranged(self, content: bytes, mishap: str) -> bytes:
        request = decode(content, ExchangeRequest)
        frames = list(request.frames)
        if mishap == "doubled":
            frames += frames
        self._order.shuffle(frames)
        return encode(msgspec.structs.replace(request, frames=tuple(frames)))

    def answer_shuffled(
        self, world: World, answer: httpx.Response, headers: dict[str, str]
    ) -> httpx.Response:
        response = decode(answer.content, ExchangeResponse)
        frames = list(response.frames)
        self._order.shuffle(frames)
        body = encode(msgspec.structs.replace(response, frames=tuple(frames)))
        hub = world.hub
        assert hub.replica is not None
        with world.on(hub):
            status, signed, body = serving._signed(hub.replica, headers, body)
        return httpx.Response(status, headers=signed, content=body)
