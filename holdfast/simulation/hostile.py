"""A device that was taken over: a valid certificate and key, and software that writes anything.

Owns what it sends. Whatever that is, honest devices must go on; none of it is a mistake of the
product unless an oracle says so.
"""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.model import lifecycle
from holdfast.model.entries import HUB_RIGHT, SCHEMA, Claim, ClaimId, Entry, encode
from holdfast.model.errors import HoldfastError
from holdfast.model.events import (
    KIND_BY_EVENT,
    ChainCertified,
    ChainClosed,
    ClaimDecided,
    ClaimEnded,
    CodesGranted,
    Event,
    NodeRevoked,
    OperationWithdrawn,
    ReservationCreated,
    RightGranted,
    RightReturned,
    VenueConfigured,
    encode_content,
)
from holdfast.model.ids import ENTROPY_BYTES, import_id, reservation_id
from holdfast.model.reservation import View
from holdfast.node import local_identity, transport
from holdfast.node.node import Node
from holdfast.simulation.machines import START_MS, Machine
from holdfast.simulation.wire import HUB_URL, Wire
from holdfast.simulation.workload import IMPORTED_RECORDS, import_key
from holdfast.sync import messages, pages, seals
from holdfast.sync.messages import ExchangeRequest, Frame

if TYPE_CHECKING:
    from holdfast.simulation.world import World

ATTACKS: Final = (
    "forged_right", "forged_decision", "forged_end", "foreign_id", "backdated", "from_the_future",
    "administration", "withdrawal", "garbage", "unsealed", "foreign_chain", "as_the_hub",
    "fork", "taken_import", "misused_right", "returned_right", "foreign_return", "forged_grant",
    "oversold_right",
)  # fmt: skip
_AGENT: Final = "agent_" + "0" * 32


class Attacker:
    """The chain of one hostile device, kept here: it tells its own story from the beginning."""

    def __init__(self, world: World, machine: Machine) -> None:
        assert isinstance(machine.replica, Node)
        self._world = world
        self._machine = machine
        self._node = machine.replica
        self._identity = machine.replica.identity
        self._book = machine.replica.home
        self._round = 1_000_000
        self._life()

    def _life(self) -> None:
        """Begin a chain under a name that its own key may bear."""
        incarnation, nonce = local_identity.new_life(self._identity.key)
        self._incarnation = incarnation
        first = ChainCertified(
            tuple(self._identity.certificates), self._identity.sealing_public, nonce=nonce
        )
        self._entries = [self._entry(first)]

    def attack(self, how: str, pick: float) -> None:
        """Write and send. Raises what the network or the hub answers."""
        draw = random.Random(pick)  # noqa: S311
        # It reads along like any device: what it attacks, it must know.
        self._world.network.messages = 0
        self._node.sync()
        if how in ("misused_right", "returned_right", "oversold_right"):
            self._misuse(how, draw)
            return
        if how == "fork":
            # Another story behind the same beginning.
            self._entries = self._entries[: max(1, len(self._entries) // 2)]
            self._entries.append(self._wish(draw))
        elif how not in ("garbage", "unsealed", "foreign_chain", "as_the_hub"):
            self._entries += self._forged(how, draw)
        frame = self._as_the_hub(draw) if how == "as_the_hub" else self._frame(how, draw)
        if frame is not None:
            self._send(frame)

    # --- what it writes -------------------------------------------------------------------------

    def _forged(self, how: str, draw: random.Random) -> list[bytes]:
        subject = self._id(draw)
        target = self._target(draw)
        live = target.live if target is not None else []
        if how == "forged_right" and live:
            stolen = self._claim(live[0].resource, live[0].start, HUB_RIGHT)
            return [self._entry(self._created(), subject=subject, claims=(stolen,))]
        if how == "forged_decision":
            asked = self._wish(draw)
            _, head = self._chain([*self._entries, asked])
            decided = ClaimDecided(head[:16], "admitted", "free")
            claims = (self._claim("T1", self._soon(draw)),)
            made = [asked, self._entry(decided, subject=subject, claims=claims)]
            if target is not None and live:
                lost = ClaimDecided(live[0].id.operation, "displaced", "taken", (subject,))
                made.append(self._entry(lost, subject=target.id, stamp=1 << 16))
            return made
        if how == "forged_end" and target is not None:
            ends = tuple(claim.id for claim in target.claims)[:8] or (ClaimId(bytes(16), 0),)
            return [self._entry(ClaimEnded("cancelled"), subject=target.id, ends=ends)]
        if how == "foreign_id" and (theirs := self._overheard(draw) or target) is not None:
            claims = (self._claim("T2", self._soon(draw), HUB_RIGHT),)
            return [self._entry(self._created(), subject=theirs.id, claims=claims, stamp=1 << 16)]
        if how == "taken_import":
            # Of a record that desks bring in every device knows the id, and may make it.
            record = import_id(self._book, import_key(draw.randrange(IMPORTED_RECORDS)))
            claims = (self._claim("T2", self._soon(draw)),)
            return [self._entry(self._created(), subject=record, claims=claims, stamp=1 << 16)]
        if how == "administration":
            return [self._entry(self._administration(draw))]
        if how == "foreign_return":
            rights = [held.right.id for held in self._node.rights(self._book).active()]
            return [self._entry(RightReturned((draw.choice(rights),)))] if rights else []
        if how == "forged_grant":
            resource = draw.choice(("T1", "T2", "T3", "T4"))
            event = RightGranted(self._incarnation, (resource,), 1, 0, START_MS // 1000 + 10**7)
            granted = self._entry(event)
            _, head = self._chain([*self._entries, granted])
            claims = (self._claim(resource, self._soon(draw), head[:16]),)
            return [granted, self._entry(self._created(), subject=subject, claims=claims)]
        if how == "withdrawal" and target is not None:
            return [self._entry(OperationWithdrawn(target.making or bytes(16)), subject=target.id)]
        ahead = {"backdated": 1, "from_the_future": (START_MS + 10**10)}.get(how, START_MS)
        return [self._wish(draw, stamp=ahead << 16)]

    def _misuse(self, how: str, draw: random.Random) -> None:
        """Sell from a right of its own what that does not cover: another resource, what lies before
        it, more than it is for; or anything, once it was given back. On its real chain, for that is
        whose right it is."""
        node = self._node
        rights = node.rights(self._book)
        own = [right for right in rights.by_id.values() if right.holder == node.account]
        if not own:
            return
        right = draw.choice(own)
        resource, start, quantity = right.resources[0], self._soon(draw), 1
        if how == "misused_right":
            misuse = draw.choice(("resource", "time", "quantity"))
            if misuse == "resource":
                others = {"T1", "T2", "T3", "T4"} - {resource}
                resource = draw.choice(sorted(others))
            elif misuse == "time":
                start = right.start - 3_600
            else:
                quantity = right.quantity + 1
        with node.transaction():
            if how == "returned_right" and rights.now(right.id) is not None:
                node.append(self._book, RightReturned((right.id,)))
            for _ in range(right.quantity + 1 if how == "oversold_right" else 1):
                made = reservation_id(node.account, START_MS, draw.randbytes(ENTROPY_BYTES))
                claim = Claim(resource, start, start + 5_400, quantity, right=right.id)
                node.append(self._book, self._created(), subject=made, claims=(claim,))
                if how == "oversold_right":
                    self._world.oversold.add((self._book, made))
        node.sync()

    def _administration(self, draw: random.Random) -> Event:
        hub = self._world.hub.replica
        name = hub.identity.incarnation if hub is not None else bytes(16)
        events: tuple[Event, ...] = (
            VenueConfigured(b"{}"),
            CodesGranted(self._incarnation, tuple(range(64))),
            ChainClosed(name, b"", 0, bytes(32), "stolen"),
            NodeRevoked("desk1", (bytes(20),), (), "stolen"),
            RightGranted(self._incarnation, ("T1",), 1, 0, START_MS // 1000 + 10**7),
        )
        return draw.choice(events)

    def _wish(self, draw: random.Random, **changes: Any) -> bytes:
        """A reservation that anybody may ask for."""
        subject = self._id(draw)
        resource = draw.choice(("T1", "T2", "T3", "T4", "NOWHERE"))
        claims = (self._claim(resource, self._soon(draw)),)
        return self._entry(self._created(), subject=subject, claims=claims, **changes)

    def _id(self, draw: random.Random) -> bytes:
        """An id of its own: what it writes under one counts like anybody's."""
        return reservation_id(self._incarnation, START_MS, draw.randbytes(ENTROPY_BYTES))

    def _soon(self, draw: random.Random) -> int:
        half_hours = int(self._world.elapsed_ms // 1_800_000) + draw.randrange(4, 90)
        return START_MS // 1000 + half_hours * 1800

    @staticmethod
    def _created() -> ReservationCreated:
        return ReservationCreated(_AGENT, 2, "RES-2027-AAAAAA", "2027-06-04")

    @staticmethod
    def _claim(resource: str, start: int, right: bytes = b"") -> Claim:
        made = Claim(resource, start, start + 5_400)
        return msgspec.structs.replace(made, right=right) if right else made

    def _entry(self, event: Event, **changes: Any) -> bytes:
        made = Entry(
            KIND_BY_EVENT[type(event)], START_MS << 16, 5, b"", (), (), (), SCHEMA,
            encode_content(event),
        )  # fmt: skip
        return encode(msgspec.structs.replace(made, **changes))

    def _target(self, draw: random.Random) -> View | None:
        """A reservation that it has heard of."""
        found = self._node.store.projections.select(book=self._book, limit=10_000)
        return draw.choice(found) if found else None

    def _overheard(self, draw: random.Random) -> View | None:
        """A reservation that a device made and nobody has answered yet: an id is no secret, it
        stands on screens."""
        found = [
            view
            for machine in self._world.running()
            if machine is not self._machine and machine.replica is not None
            for view in machine.replica.store.projections.select(book=self._book, limit=10_000)
            if view.status == lifecycle.COMMIT_PENDING
        ]
        return draw.choice(found) if found else None

    def _as_the_hub(self, draw: random.Random) -> Frame | None:
        """Behind the hub's last entry that this device knows: an end of somebody's place, under a
        seal of its own key."""
        node, target = self._node, self._target(draw)
        hubs = [i for i, author in node.book(self._book).authors.items() if author.info.is_hub]
        if target is None or not target.live or not hubs:
            return None
        chain = node.store.journal.chain(self._book, hubs[-1])
        assert chain is not None
        ends = tuple(claim.id for claim in target.live)
        entries = node.store.journal.entries(chain, 0, chain.length)
        entries.append(self._entry(ClaimEnded("cancelled"), subject=target.id, ends=ends))
        start = seals.chain_start(self._book, chain.incarnation)
        hashes = [start, *seals.chain_run(start, entries)]
        document = pages.PageDocument(seals.client_id(self._book, chain.incarnation, 0))
        document.append(entries)
        seal = seals.sign_seal(
            self._identity.key, self._book, chain.incarnation, len(entries), hashes[-1]
        )
        return Frame(
            chain.incarnation, 0, hashes[chain.length], document.update_after(chain.length),
            len(entries), seal,
        )  # fmt: skip

    # --- how it sends ---------------------------------------------------------------------------

    def _chain(self, entries: list[bytes]) -> tuple[list[bytes], bytes]:
        start = seals.chain_start(self._book, self._incarnation)
        hashes = [start, *seals.chain_run(start, entries)]
        return hashes, hashes[-1]

    def _frame(self, how: str, draw: random.Random) -> Frame:
        entries = self._entries
        hashes, head = self._chain(entries)
        document = pages.PageDocument(seals.client_id(self._book, self._incarnation, 0))
        document.append(entries)
        seal = seals.sign_seal(
            self._identity.key, self._book, self._incarnation, len(entries), head
        )
        frame = Frame(self._incarnation, 0, hashes[0], document.update_after(0), len(entries), seal)
        if how == "garbage":
            return msgspec.structs.replace(frame, update=draw.randbytes(draw.randrange(1, 400)))
        if how == "unsealed":
            # An entry more than the seal covers, under a seal of noise.
            document.append([self._wish(draw)])
            return msgspec.structs.replace(
                frame, update=document.update_after(0), sealed=len(entries) + 1,
                seal=draw.randbytes(64),
            )  # fmt: skip
        if how == "foreign_chain":
            victims = [m for m in self._world.running() if m is not self._machine]
            victim = draw.choice(victims).replica if victims else None
            if victim is not None:
                return msgspec.structs.replace(frame, incarnation=victim.identity.incarnation)
        return frame

    def _send(self, frame: Frame) -> None:
        self._round += 1
        request = ExchangeRequest(
            1, self._book, self._node.identity.incarnation, self._round, START_MS, None, (),
            (frame,),
        )  # fmt: skip
        body = messages.encode(request)
        url = HUB_URL + transport.EXCHANGE_PATH
        wire = Wire(self._world, self._machine)

        def deliver(headers: dict[str, str]) -> None:
            answer = wire.post(url, body, headers)
            if answer.status_code != 200:
                raise transport.problem_of(answer.status_code, answer.content, url)

        # What the hub refuses it with is nothing to it.
        with contextlib.suppress(HoldfastError):
            transport.converse(self._identity, url, body, deliver)
