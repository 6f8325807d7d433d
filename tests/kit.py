"""A fleet in memory: one hub and its nodes on real directories, joined without sockets.

Owns builders for tests: a `Fleet` with a clock that only the test moves, devices that can be cut
off, restarted, cloned and restored, and helpers that reserve, synchronise and compare. Everything
below
the wire is the product's own code: real stores, real signatures, real messages.

    with Fleet(tmp_path) as fleet:
        desk = fleet.join("desk")
        view = fleet.reserve(desk, "19:30", ["T1"])
        fleet.sync_all()
        fleet.assert_agree()
"""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.errors import Unreachable
from holdfast.model.forms import form_now
from holdfast.model.overbooking import limit
from holdfast.model.reservation import BLOCK, View
from holdfast.node import hub as hub_module
from holdfast.node import identity as certificates
from holdfast.node import joining, serving, transport, witness
from holdfast.node import node as node_module
from holdfast.node.exchange import Exchange
from holdfast.node.http_signatures import CHALLENGE_HEADER
from holdfast.node.hub import Hub
from holdfast.node.issuing import ROOT_KEY
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.node import Node
from holdfast.node.replica import Replica
from holdfast.node.requests import AvailabilityRequest, CreateRequest, PatchRequest
from holdfast.node.service import Service
from holdfast.node.timekeeping import Timekeeper
from holdfast.sync.messages import ExchangeRequest, ExchangeResponse, decode, encode

TENANT = "demo"
URL = "http://hub.test"
START_MS = 1_811_924_000_000
"""2027-06-02 10:13 in Rome, a Wednesday: all days of the sample venues are open."""
DAY = "2027-06-03"
NEXT_DAY = "2027-06-04"

OPEN = [["08:00", "24:00"]]
WEEK = {day: OPEN for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}

TRATTORIA: dict[str, Any] = {
    "venue": "trattoria",
    "name": "Trattoria da Mario",
    "kind": "restaurant",
    "time_zone": "Europe/Rome",
    "slot_minutes": 30,
    "seating_minutes": 90,
    "hours": WEEK,
    "policies": {"advance_days": 365, "max_party": 40},
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Main"},
        {"id": "T2", "kind": "table", "seats": [1, 2], "area": "Main"},
        {"id": "T3", "kind": "table", "seats": [2, 4], "area": "Main", "combines_with": ["T4"]},
        {"id": "T4", "kind": "table", "seats": [2, 4], "area": "Garden", "priority": 1},
        {"id": "HALL", "kind": "pool", "capacity": 10, "counts": "people"},
    ],
}
HOTEL: dict[str, Any] = {
    "venue": "hotel",
    "name": "Hotel Aurora",
    "kind": "lodging",
    "time_zone": "Europe/Rome",
    "stays": {"check_in": "15:00", "check_out": "11:00", "max_nights": 30},
    "policies": {"advance_days": 365},
    "resources": [
        {"id": "DOUBLE", "kind": "room", "capacity": 2, "counts": "units", "seats": [1, 2]},
        {"id": "R101", "kind": "suite", "seats": [1, 4]},
    ],
}


AnyReplica = TypeVar("AnyReplica", bound=Replica)


class Clocks:
    """True time, which only `advance` moves, and what each device's wall clock is off by."""

    def __init__(self) -> None:
        self.elapsed_ms = 0.0
        self.off_ms: dict[str, float] = {}

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        self.elapsed_ms += 1000 * (seconds + 60 * minutes + 3600 * hours)

    def of(self, name: str) -> Timekeeper:
        return Timekeeper(
            wall=lambda: START_MS + self.elapsed_ms + self.off_ms.get(name, 0.0),
            # A reading never stands quite still, as on a real machine.
            monotonic=lambda: 1_000_000 + self.elapsed_ms,
        )


class Wire:
    """The way from one node to the hub: the real bytes, the real signatures, no socket."""

    def __init__(self, fleet: Fleet, node: Node) -> None:
        self._fleet = fleet
        self._node = node

    def exchange(self, request: ExchangeRequest) -> ExchangeResponse:
        fleet, name = self._fleet, self._node.name
        fleet.rounds += 1
        answer = self.post(transport.EXCHANGE_PATH, encode(request))
        if fleet.losing_answers.pop(name, False):
            raise Unreachable("the answer was lost on its way")
        return decode(answer, ExchangeResponse)

    def post(self, path: str, body: bytes) -> bytes:
        """A signed request, answered by the hub of the moment."""
        fleet = self._fleet
        hub = fleet.hub if self._node.name not in fleet.cut_off else None
        return posted(hub, self._node.identity, path, body, fleet.challenges)

    def close(self) -> None:
        """Nothing is held."""


def posted(
    replica: Service | None,
    identity: LocalIdentity,
    path: str,
    body: bytes,
    challenges: dict[str, str] | None = None,
) -> bytes:
    """What a replica answers to bytes that `identity` signs. Raises what it refuses them with.

    `challenges` remembers the newest of each certificate, as a connection does.
    """
    if replica is None:
        raise Unreachable("the hub cannot be reached; this device goes on alone")
    known = {} if challenges is None else challenges
    own = certificates.key_id(identity.certificates[0])

    def deliver(headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return serving.HANDLERS[path](replica, "POST", path, "hub.test", headers, body)

    _, (status, headers, answer) = transport.converse(
        identity, URL + path, body, deliver, known.get(own, "")
    )
    assert status == 200
    known[own] = headers[CHALLENGE_HEADER]
    return answer


class Fleet:
    """One hub and its nodes. `cut_off` holds the names of devices without a network."""

    def __init__(self, directory: Path, venue: dict[str, Any] | None = TRATTORIA) -> None:
        self.directory = directory
        self.clocks = Clocks()
        self.cut_off: set[str] = set()
        self.losing_answers: dict[str, bool] = {}
        self.rounds = 0
        self.challenges: dict[str, str] = {}
        self.nodes: dict[str, Node] = {}
        self.hub: Hub | None = None
        self._exits = contextlib.ExitStack()
        self._exits.enter_context(
            mock.patch.dict(os.environ, {witness.STATE_VARIABLE: str(directory / "state")})
        )
        fleet = self

        class FleetNode(Node):
            def transport(self) -> Any:
                return Wire(fleet, self)

        self._node_class = FleetNode
        with self._clock_of("hub"):
            self.hub = self.quick(Hub.init(directory / "hub", TENANT))
        self.venue_id = ""
        if venue is not None:
            self.hub.import_venue(copy.deepcopy(venue))
            self.venue_id = venue["venue"]

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    # --- devices ----------------------------------------------------------------------------------

    def replicas(self) -> list[Service]:
        hub: list[Service] = [self.hub] if self.hub is not None else []
        return [*hub, *self.nodes.values()]

    @property
    def book(self) -> str:
        return f"{TENANT}/{self.venue_id}"

    @property
    def the_hub(self) -> Hub:
        assert self.hub is not None
        return self.hub

    @contextlib.contextmanager
    def _clock_of(self, name: str) -> Generator[None, None, None]:
        def make() -> Timekeeper:
            return self.clocks.of(name)

        with (
            mock.patch.object(hub_module, "Timekeeper", make),
            mock.patch.object(node_module, "Timekeeper", make),
            mock.patch.object(joining, "ask", self._ask),
        ):
            yield

    def _ask(
        self,
        url: str,
        code_text: str,
        key: Ed25519PrivateKey,
        sealing: X25519PrivateKey,
        incarnation: bytes,
        trust: object = None,
        device: str = "",
    ) -> joining.Admitted:
        """What `joining.ask` does, without the socket."""
        request = joining.request_for(code_text, key, sealing, incarnation, device)
        answer = joining.handle(self.the_hub, msgspec.msgpack.encode(request))
        return joining.read_answer(answer, code_text, key, sealing)

    def quick(self, replica: AnyReplica) -> AnyReplica:
        """Tests of logic need no fsync; what a power cut leaves is tested elsewhere. Its files are
        closed with the fleet, whatever becomes of it before."""
        replica.store.db.conn.execute("PRAGMA synchronous=OFF")
        self._exits.callback(replica.store.close)
        return replica

    def join(self, name: str, role: str = "front-desk", venue: str | None = None) -> Node:
        code = self.the_hub.invite(venue or self.venue_id, role, name).code
        with self._clock_of(name):
            node = self._node_class.join(URL, code, self.directory / name)
        self.nodes[name] = self.quick(node)
        return node

    def reopen(self, name: str) -> Service:
        """Stop a device and start it again in the same directory."""
        replica = self.hub if name == "hub" else self.nodes[name]
        assert replica is not None
        replica.close()
        return self.open(name, replica.directory)

    def crash(self, name: str) -> Service:
        """Let a device die without a word, and start it again."""
        replica = self.hub if name == "hub" else self.nodes[name]
        assert replica is not None
        replica.store.close()
        return self.open(name, replica.directory)

    def open(self, name: str, directory: Path, known_as: str | None = None) -> Service:
        """Open a directory as a device of the fleet."""
        with self._clock_of(name):
            if name == "hub":
                self.hub = self.quick(Hub.open(directory))
                return self.hub
            node = self.quick(self._node_class.open(directory))
        self.nodes[known_as or name] = node
        return node

    def copy(self, name: str, to: str) -> Path:
        """Copy a closed device's directory; the device is opened again afterwards."""
        replica = self.hub if name == "hub" else self.nodes[name]
        assert replica is not None
        replica.close()
        target = self.directory / to
        shutil.copytree(replica.directory, target)
        self.open(name, replica.directory)
        return target

    def clone_unnoticed(self, name: str, known_as: str) -> Node:
        """A copy that believes it is the original: what a machine's snapshot brings about."""
        target = self.copy(name, known_as)
        with mock.patch.object(witness, "check", return_value=[]):
            clone = self.open(name, target, known_as)
        assert isinstance(clone, Node)
        assert clone.identity.incarnation == self.nodes[name].identity.incarnation
        return clone

    def wipe_hub(self) -> Hub:
        """The hub's disk is lost; a new hub is made with the tenant's root key."""
        root = (self.the_hub.directory / "keys" / ROOT_KEY).read_bytes()
        self.the_hub.close()
        fresh = self.directory / f"hub-{len(list(self.directory.iterdir()))}"
        with self._clock_of("hub"):
            self.hub = self.quick(Hub.init(fresh, TENANT, root))
        return self.hub

    def stop_hub(self) -> None:
        self.the_hub.close()
        self.hub = None

    # --- doing ------------------------------------------------------------------------------------

    def request(
        self, time: str, resources: Iterable[str] = (), party: int = 2, **more: Any
    ) -> CreateRequest:
        starts_at = time if "T" in time else f"{DAY}T{time}"
        return CreateRequest(
            venue=more.pop("venue", self.venue_id), starts_at=starts_at, party_size=party,
            resources=list(resources), **more,
        )  # fmt: skip

    def reserve(
        self,
        replica: Service,
        time: str,
        resources: Iterable[str] = (),
        party: int = 2,
        **more: Any,
    ) -> View:
        return replica.reservations.create(self.request(time, resources, party, **more))

    def move(self, replica: Service, view: View, **changes: Any) -> View:
        if "time" in changes:
            time = changes.pop("time")
            changes["starts_at"] = time if "T" in time else f"{DAY}T{time}"
        return replica.reservations.amend(view.code, PatchRequest(**changes))

    def slots(self, replica: Service, party: int = 2, **more: Any) -> list[dict[str, Any]]:
        more.setdefault("date", DAY)
        return replica.reservations.availability(
            AvailabilityRequest(venue=self.venue_id, party_size=party, **more)
        )

    def cut(self, *names: str) -> None:
        self.cut_off |= set(names)

    def heal(self, *names: str) -> None:
        self.cut_off -= set(names) if names else set(self.cut_off)

    def sync(self, *nodes: Node) -> None:
        for node in nodes:
            node.sync()
            self.clocks.advance(seconds=0.01)

    def sync_all(self, times: int = 3) -> None:
        """Every connected node exchanges, a few times round: then all have seen everything."""
        for _ in range(times):
            self.sync(*(n for n in self.nodes.values() if n.name not in self.cut_off))

    # --- looking ----------------------------------------------------------------------------------

    def now(self, replica: Service, view: View) -> View:
        """The same reservation as a replica shows it now."""
        found = replica.view(view.id)
        assert found is not None, f"{replica.name} does not know {view.code}"
        return found

    def shown(self, view: View) -> dict[str, str]:
        """The status of a reservation at every replica that knows it."""
        return {
            name: found.status
            for name, replica in [("hub", self.the_hub), *self.nodes.items()]
            if (found := replica.view(view.id)) is not None
        }

    def assert_agree(self, book: str | None = None) -> None:
        """All replicas hold the same entries, show the same book, and nothing is sold twice."""
        name = book or self.book
        replicas = self.replicas()
        heads = {r.name: Exchange(r).heads_digest(name).hex()[:12] for r in replicas}
        assert len(set(heads.values())) == 1, f"replicas hold different entries: {heads}"
        assert_same_book(replicas, name)
        for replica in replicas:
            assert_no_overlap(replica, name)


def assert_same_book(replicas: Iterable[Replica], book: str) -> None:
    """The folded book is equal everywhere, and equal to a fresh fold of each one's own journal."""
    digests: dict[str, int] = {}
    for number, replica in enumerate(replicas):
        before = replica.store.projections.book_digest(book)
        replica.refold(book)
        after = replica.store.projections.book_digest(book)
        assert before == after, f"{replica.identity.name} shows other than what its journal says"
        digests[f"{replica.identity.name}#{number}"] = before.total
    assert len(set(digests.values())) <= 1, f"replicas show different books: {digests}"


def assert_no_overlap(replica: Service, book: str) -> None:
    """What one replica shows as confirmed never exceeds a capacity, at any instant, but by what was
    overbooked on purpose there, and never by more than the limit."""
    venue = replica.book(book).administration.venue
    assert venue is not None
    steps: dict[str, list[tuple[int, int, int]]] = {}
    for view in every_view(replica, book):
        # A block may stand over what was sold; what is held counts like what is reserved.
        for claim in view.live if form_now(view) != BLOCK else ():
            over = claim.quantity if claim.override else 0
            changes = steps.setdefault(claim.resource, [])
            changes += [
                (claim.start, claim.quantity, over), (claim.end, -claim.quantity, -over)
            ]  # fmt: skip
    for resource, changes in steps.items():
        level = marked = 0
        for at, change, over in sorted(changes):
            level, marked = level + change, marked + over
            most = limit(venue.venue, resource, at, at + 1)
            capacity = venue.resource_by_id[resource].capacity + min(marked, most)
            assert level <= capacity, f"{replica.name} shows {level} of {capacity} of {resource}"


def every_view(replica: Service, book: str) -> list[View]:
    return replica.store.projections.select(book=book, form=None, limit=1_000_000)


def entries_of(replica: Replica, book: str, incarnation: bytes) -> list[list[bytes]]:
    """The entries of every branch of a chain, as one replica holds them."""
    journal = replica.store.journal
    return [
        journal.entries(chain, 0, chain.length) for chain in journal.branches(book, incarnation)
    ]


def exchange_once(asker: Node, other: Service, twist: Callable[[Any], Any] | None = None) -> None:
    """One node exchanges with another replica directly until neither has more to tell."""
    from holdfast.node.exchange import Peer

    exchange, peer = Exchange(asker), Peer(asker.home)
    for _ in range(50):
        request = exchange.request(peer)
        if twist is not None:
            request = twist(request)
        response = Exchange(other).answer(request)
        outcome = exchange.absorb(peer, request, response)
        if not outcome.more and peer.heads is not None:
            return
    raise AssertionError("two replicas do not come to an end")
