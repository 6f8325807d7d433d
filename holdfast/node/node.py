"""A node: a replica at a desk, a kiosk or inside an application, which answers without the hub.

Owns joining, rejoining, and the synchronous round trip `sync()` that an embedding application calls
from its own thread. The background service with its live channel and timers is `runtime`; importing
this module loads no server and no scheduler.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.model.discipline import needs_new_incarnation
from holdfast.model.errors import (
    Conflict,
    HoldfastError,
    RuleViolated,
    Unreachable,
)
from holdfast.model.events import ChainSucceeded
from holdfast.model.limits import (
    QUEUE_KEPT_DAYS,
    ROUNDS_MAX,
    WITNESS_EVERY_MS,
)
from holdfast.node import (
    allotments,
    directories,
    hub_trust,
    joining,
    lapsing,
    lives,
    local_identity,
    renewing,
    returning,
    settings,
    standing,
)
from holdfast.node.exchange import Exchange, Peer, Round, next_idle
from holdfast.node.identity import Identity, certified_key
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.service import Service
from holdfast.node.timekeeping import Timekeeper
from holdfast.node.transport import HttpTransport, verify_hub
from holdfast.store.store import Store
from holdfast.sync.messages import ExchangeRequest

log = logging.getLogger("holdfast.sync")

PAUSED_KEY: Final = "sync.paused"
HUB_KEY: Final = "hub.url"
LAST_EXCHANGE_KEY: Final = "sync.last_exchange_at_ms"


class Node(Service):
    """Made with `Node.join(url, code, directory)`, opened with `Node.open(directory)`.

    Usable from any thread, one call at a time.
    """

    role = "node"
    keeps_queue = True

    # --- life -----------------------------------------------------------------------------------

    @classmethod
    def join(
        cls, url: str, code: str, directory: Path | str, ca: Path | None = None, **overrides: Any
    ) -> Node:
        """Make a node with a one-time code: keys, certificate, and the venue's book so far.

        After a kill at any moment there is a whole node or none. Killed between the hub's answer
        and the end there is none and the code is used up: ask for another, of the same name if you
        like. `ca` is a PEM file of certificates that are believed of the hub from now on, beside
        the system's. Raises Unauthorised for a wrong code, Unreachable, Invalid, DirectoryError.
        """
        key, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        life = local_identity.new_life(key)
        certificates = hub_trust.read(ca) if ca is not None else b""
        with directories.making(Path(directory), **overrides) as store:
            # All that can fail here does so before the code is used up.
            local_identity.save_own_keys(store.directory, key, sealing)
            if certificates:
                hub_trust.keep(store.directory, certificates)
                trust = hub_trust.context(url, certificates)
            else:
                chosen = settings.load(store.directory, **overrides)
                trust = hub_trust.context_of(url, store.directory, chosen.hub_ca)
            answer = joining.ask(url, code, key, sealing, life[0], trust)
            _settle_in(store, url, answer, key, sealing, life)
        node = cls.open(directory, **overrides)
        try:
            node.sync()
            node.prepare()
            node.sync()
        except HoldfastError:
            # Joined all the same: the keys are here and the rest comes with the next exchange.
            log.warning("joined, but the first exchange did not come through; it is tried again")
        return node

    @classmethod
    def admitted(
        cls,
        directory: Path,
        url: str,
        admitted: joining.Admitted,
        key: Ed25519PrivateKey,
        sealing: X25519PrivateKey,
        life: tuple[bytes, bytes],
        **overrides: Any,
    ) -> Node:
        """Make the directory of a device that a hub has admitted; `life` is what
        `local_identity.new_life` gave. Raises DirectoryError."""
        with directories.making(directory, **overrides) as store:
            _settle_in(store, url, admitted, key, sealing, life)
        return cls.open(directory, **overrides)

    @classmethod
    def open(cls, directory: Path | str, **overrides: Any) -> Node:
        """Open an existing node. Raises DirectoryError and its children."""
        directory = Path(directory)
        chosen = settings.load(directory, **overrides)
        directories.require(directory)
        store = Store(directory, synchronous=chosen.synchronous)
        try:
            identity, reasons = lives.identity_at_start(directory, store)
            node = cls(directory, store, identity, Timekeeper(), chosen)
            node.other_life = reasons
            node.keep_witness()
            node.holding.await_backlogs(node.home)
            node.sweep()
        except BaseException:
            store.close()
            raise
        return node

    def __init__(self, *arguments: Any) -> None:
        self.other_life: list[str] = []
        super().__init__(*arguments)
        self.exchange = Exchange(self)
        self.home = self.book_of(self.identity.venue)
        self.peer = self.new_peer()
        self.controls: list[Callable[[str], None]] = []
        self._witnessed_at = float("-inf")
        self.live_state: Callable[[], str] | None = None
        self.last_exchange_at_ms = self.store.records.get_int(LAST_EXCHANGE_KEY)
        self.last_error = ""
        self._exchanged = False
        self._closed = False
        self.differing: list[str] = []
        self.rivals = False
        self._transport: HttpTransport | None = None
        # Held through a whole `sync()`; who holds `lock` never waits for it.
        self._syncing = threading.Lock()
        self._redial = threading.Event()

    def new_peer(self) -> Peer:
        """The other side before anything is known of it: the first round compares heads."""
        return Peer(self.home)

    def _control(self, what: str) -> None:
        # A link joins and leaves in its own thread. The copy is one step of the interpreter, so it
        # needs no lock; who has just left may be told once more, which wakes nobody.
        for listener in list(self.controls):
            listener(what)

    def prepare(self) -> None:
        """Start the own chain, so that the first exchange has something to show."""
        with self.transaction():
            self.begin_chain(self.home)

    def keep_witness(self) -> None:
        with self.lock:
            lives.keep_witness(self.directory, self.store, self.identity.incarnation)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with self._syncing:
            self._hang_up()
        with self.lock:
            # Idle rounds write nothing; what a stopped device shows is written here.
            if self._exchanged:
                with self.transaction():
                    self.store.records.put_int(LAST_EXCHANGE_KEY, self.last_exchange_at_ms)
            self.keep_witness()
            super().close()

    # --- the hub --------------------------------------------------------------------------------

    @property
    def hub_url(self) -> str:
        if self.settings.hub_url:
            return self.settings.hub_url
        value = self.store.records.get(HUB_KEY)
        return value.decode() if value else ""

    def set_hub(self, url: str) -> None:
        """Dial another address from now on: a hub that moved, or was rebuilt.

        Raises Invalid for what is no address, and Conflict where a setting names the hub.
        """
        address = settings.read_hub_url(url)
        if self.settings.hub_url:
            raise Conflict(
                f"the setting hub_url says {self.settings.hub_url}, and wins: change it in "
                f"{self.directory / settings.FILE_NAME} or HOLDFAST_HUB_URL, and start again"
            )
        with self.transaction():
            self.store.records.put(HUB_KEY, address.encode())
        self.reset_peer()

    def rejoin(self, code: str) -> None:
        """Get a new certificate with a new code, keeping the data: what waits to be sent goes out.

        It goes on as another life, whose chain begins with the new certificate, so that everybody
        knows by which one it is to be shut out. Raises Unauthorised, Unreachable (also while
        paused: a pause cuts everything), RuleViolated.
        """
        self._require_network()
        admitted = joining.ask(
            self.hub_url, code, self.identity.key, self.identity.sealing_private,
            self.identity.incarnation, self.trust(),
            f"{self.identity.venue}/{self.identity.name}",
        )  # fmt: skip
        own = self.identity
        # A hub that was rebuilt has another certificate of the same key.
        if certified_key(admitted.root) != certified_key(own.root):
            # What is in the directory was signed under the other root: nothing of it could be read.
            message = (
                f"the hub at {self.hub_url} has another root key than the one that this directory "
                "belongs to, and nothing was changed here; build the hub with its old root key "
                "(`holdfast hub init --root FILE`) or restore its backup, or join that hub in a "
                "new directory"
            )
            raise RuleViolated(message, [{"rule": "other-root", "message": message}])
        for rule, given, needed in (
            ("other-venue", f"{admitted.tenant}/{admitted.venue}", f"{own.tenant}/{own.venue}"),
            ("other-name", admitted.name, own.name),
        ):
            if given != needed:
                message = (
                    f"the code is for {given}, this directory belongs to {needed}; "
                    "invite that one, or join in a new directory"
                )
                raise RuleViolated(message, [{"rule": rule, "message": message}])
        with self.lock:
            with self.transaction():
                self.identity = replace(
                    own, certificates=admitted.certificates, peer=admitted.hub_certificates,
                    root=admitted.root, role=admitted.role,
                )  # fmt: skip
                self.identity.save(self.store.records)
            self._next_life("rejoined", announce=False)
        self.reset_peer()

    def reset_peer(self) -> None:
        """Forget what is known of the other side: the next round dials anew, compares heads."""
        # A round that runs in another thread ends with the connection that it began with.
        self._redial.set()
        self._control("hub")

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # --- the clock ------------------------------------------------------------------------------

    def check_clock(self) -> bool:
        """End this incarnation if its stamps ran ahead of true time (§3). True if it did."""
        with self.lock:
            if not needs_new_incarnation(self.last_stamp, self.clock.interval()):
                return False
            self._next_life("clock_corrected", announce=True)
            return True

    def check_life(self) -> None:
        """Go on as another life where this one cannot: its chain was forked by a copy of this
        directory, or the hub has closed it (§4.3, §5.8)."""
        with self.lock:
            administration = self.book(self.home).administration
            own = self.identity.incarnation
            if len(self.store.journal.branches(self.home, own)) > 1:
                self._next_life("forked", announce=False)
            elif own in administration.closes:
                self._next_life("closed", announce=False)

    def _next_life(self, reason: str, *, announce: bool) -> None:
        """Start a new incarnation; the old chain is sealed to its end and stays as it is.

        `announce` names the successor on the old chain; a forked or closed one is written no more.
        """
        # Beyond every life of this name, or the hub would close the new one as the older.
        authors = self.book(self.home).authors.values()
        successor = self.identity.next_life(
            max((a.info.number for a in authors if a.info.name == self.name), default=0)
        )
        with self.transaction():
            chain = self.store.journal.chain(self.home, self.identity.incarnation)
            if chain is not None and announce:
                self.append(self.home, ChainSucceeded(successor.incarnation, reason))
            successor.save(self.store.records)
        if chain is not None and chain.length:
            self.seal_own(chain, chain.length)
        # Stamps that ran ahead stay in the old chain; the new life starts from its own clock.
        self.identity = successor
        self.last_stamp = 0
        self.peer = self.new_peer()
        with self.transaction():
            self.store.records.put_int("clock.high_water", 0)
            self.begin_chain(self.home)
        self.keep_witness()
        self.other_life = [reason]
        self.log_sync("new-life", f"{reason}: number {successor.number}")
        log.warning("%s goes on as life number %d (%s)", self.name, successor.number, reason)

    # --- exchanging -----------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        return self.store.records.get(PAUSED_KEY) is not None

    def sweep(self) -> None:
        """Drop finished operations and counted refusals that are older than they are kept."""
        with self.transaction():
            self.store.queue.sweep(self.clock.now_ms() - QUEUE_KEPT_DAYS * 86_400_000)
            self.refusals.sweep()

    def pause(self) -> None:
        """Cut hub and NTP as an unplugged network does; survives a restart."""
        with self.transaction():
            self.store.records.put(PAUSED_KEY, b"1")
        self.log_sync("paused", "by hand")
        self._control("pause")

    def resume(self) -> None:
        with self.transaction():
            self.store.records.drop(PAUSED_KEY)
            self.store.queue.retry()
        self.log_sync("resumed", "by hand")
        self._control("resume")

    def retry(self, operation: bytes | None = None) -> int:
        """As any service, and a running link tries at once."""
        count = super().retry(operation)
        self._control("retry")
        return count

    def sync(self) -> dict[str, Any]:
        """Exchange until both sides have the same. Raises Unreachable while paused or cut off.

        Returns `{pushed, pulled, verdicts, books_differing}`. From any thread: a second caller
        waits for the first. A running link may carry entries at the same time, in which case what
        it carried is not counted here.
        """
        done = self.poll()
        if self.live_state is not None and self.live_state() not in ("connected", "paused"):
            # The hub is there: a link that waits before it tries again needs to wait no more.
            self._control("retry")
        return done

    def poll(self) -> dict[str, Any]:
        """The same for a link that finds no live channel, and looks by itself again and again."""
        self._require_network()
        with self._syncing:
            done = self._sync()
            # A program that embeds a node may have no timed jobs.
            renewing.renew_if_due(self)
            return done

    def renew(self, *, new_key: bool = False) -> None:
        """Get a newer certificate from the hub, for the present key or for a new one that takes its
        place: see `renewing`. Raises Unreachable, and what the hub refuses it with."""
        self._require_network()
        with self._syncing:
            # What is queued goes out under the certificate that everybody knows.
            self.prepare()
            renewing.renew_node(self, new_key=new_key)

    def renew_if_due(self) -> bool:
        """Renew the certificate where it nears its end; what fails is tried again later."""
        if not renewing.is_due(self):
            return False
        with self._syncing:
            return renewing.renew_if_due(self)

    def _sync(self) -> dict[str, Any]:
        self.prepare()
        # A program that embeds a node may have no timed jobs.
        lapsing.lapse(self, self.home)
        returning.release(self)
        self.peer.begin_sync()
        total, idle = Round(), 0
        for _ in range(ROUNDS_MAX):
            self._require_network()
            outcome = self._round()
            idle = next_idle(idle, outcome)
            total.pushed += outcome.pushed
            total.pulled += outcome.pulled
            for verdict, count in outcome.verdicts.items():
                total.verdicts[verdict] = total.verdicts.get(verdict, 0) + count
            total.differing = outcome.differing
            total.state = outcome.state
            # What came in may have set the clock, which said nothing of releases before.
            if not outcome.more and not returning.release(self):
                break
        return self.end_round(total, self.peer)

    def _require_network(self) -> None:
        if self.paused:
            raise Unreachable(
                "sync is paused on this device; resume it with `holdfast sync resume`"
            )

    def _round(self) -> Round:
        if self._redial.is_set():
            self._redial.clear()
            self._hang_up()
            self.peer = self.new_peer()
        request = self.ask(self.peer)
        sent = self.clock.monotonic_ms()
        try:
            response = self.transport().exchange(request)
        except HoldfastError as error:
            self.failed_round(error)
            raise
        self.sample_hub(sent, response.received_at_ms, response.sent_at_ms, response.uncertainty_ms)
        # Under the lock as a whole: the live link takes its own answers in meanwhile.
        with self.lock:
            outcome = self.exchange.absorb(self.peer, request, response)
        if self.after_round():
            outcome.more = True
        # After a change of hub, or where heads were asked for, one more round does the work.
        if self.peer.heads is None or (response.heads is not None and not outcome.more):
            outcome.more = outcome.more or self.peer.heads is None
        return outcome

    def transport(self) -> HttpTransport:
        if self._transport is not None and self._transport.identity is not self.identity:
            # A certificate was renewed since: the next request is signed with that one.
            self._hang_up()
        if self._transport is None:
            self._transport = HttpTransport(
                self.hub_url, self.identity, self.settings, trust=self.trust(),
                verify=self.verify_hub,
            )  # fmt: skip
        return self._transport

    def verify_hub(self, header: str) -> Identity:
        """The hub of this tenant that a certificate header names. Raises Unauthorised for any other
        writer, and for a key that the hub has replaced by another."""
        hub = verify_hub(self.identity, header)
        with self.lock:
            standing.require_good(self.book(self.home), hub)
        return hub

    def trust(self) -> ssl.SSLContext | None:
        """Whose TLS certificates are believed of the hub; None without TLS. Raises Invalid."""
        return hub_trust.context_of(self.hub_url, self.directory, self.settings.hub_ca)

    def ask(self, peer: Peer) -> ExchangeRequest:
        """The next request of a round: its seals and what the queue says of it are one commit.

        The disk is not waited for: a seal undone by a power cut is made again, of the same bytes,
        and what had been sent is queued once more."""
        with self.transaction(durable=False):
            request = self.exchange.request(peer)
            self.mark_sent()
        return request

    def mark_sent(self) -> None:
        """What is queued is on its way."""
        with self.transaction():
            chain = self.store.journal.chain(self.home, self.identity.incarnation)
            if chain is not None:
                self.store.queue.mark_sent(chain.id, chain.length, 0)

    def failed_round(self, error: HoldfastError, next_attempt_at_ms: int = 0) -> None:
        """What was on its way is queued again, with the reason, until the next attempt."""
        self.last_error = error.detail
        with self.transaction():
            self.store.queue.mark_failed(next_attempt_at_ms, standing.code_of(error))
            standing.note_failure(self.store.records, error, self.clock.now_ms())

    def sample_hub(self, sent: float, received_ms: int, answered_ms: int, uncertainty: int) -> None:
        """Every exchange is a time sample where NTP gives none (§3)."""
        self.clock.add_hub_sample(
            sent, received_ms, answered_ms, self.clock.monotonic_ms(), uncertainty
        )
        self.check_clock()

    def after_round(self) -> bool:
        """What each round may reveal: that this life is over, a desk that lacks the venue's key.
        True if something was written that is to be sent."""
        # Under the lock as a whole: the other way of exchanging may be taking entries in.
        with self.lock:
            before = self.tip(self.home)
            self.check_life()
            lacking = self.cards.keep_up(self.home)
            self.forgetting.confirm(self.home)
            return lacking or self.tip(self.home) != before

    def _check_hub(self, peer: Peer) -> None:
        """Two successors of one hub: nobody here can tell which is right (§5.9). Both were given
        what is known here, the other's entries too, and decide nothing from then on; so does a hub
        that was replaced."""
        with self.lock:
            administration = self.book(self.home).administration
        self.rivals = bool(administration.rivals)
        if self.rivals:
            raise RuleViolated(
                "two hubs both claim to follow the one this device knew; "
                "stop one of them, then run `holdfast node set-hub` with the other",
                [{"rule": "two-hubs", "message": "Two hubs claim to be the successor."}],
            )
        if peer.incarnation in administration.closes:
            raise RuleViolated(
                f"the hub at {self.hub_url} was replaced by another one; "
                "run `holdfast node set-hub` with the address of the other",
                [{"rule": "hub-replaced", "message": "The hub was replaced by another one."}],
            )

    def may_decide(self, name: str) -> bool:
        """As any replica, but not while the hub says that this device is shut out: its word would
        be void, and the guest misled."""
        return super().may_decide(name) and not standing.is_shut_out(self.store.records)

    def end_round(self, total: Round, peer: Peer) -> dict[str, Any]:
        """Both sides have told each other all they know. Raises RuleViolated where what was told
        shows that this hub is not the one to go on with."""
        self._check_hub(peer)
        now_ms = self.clock.now_ms()
        self.last_exchange_at_ms = now_ms
        self._exchanged = True
        self.last_error = ""
        self.differing = [self.identity.venue] if total.differing else []
        with self.lock:
            # Idle rounds write nothing.
            if standing.is_shut_out(self.store.records):
                with self.transaction():
                    standing.note_answer(self.store.records)
        if total.pushed or total.pulled or total.differing:
            with self.transaction(durable=False):
                self.store.records.put_int(LAST_EXCHANGE_KEY, now_ms)
                self.store.records.log_sync(
                    now_ms, "exchanged", f"pushed {total.pushed}, pulled {total.pulled}"
                )
                if total.differing:
                    self.store.records.log_sync(now_ms, "differing", "the books differ")
        if total.state == "serving":
            # A hub that recovers may itself not know yet who was forgotten.
            self.cards.unlock()
        # Only now is it known whether another desk made the venue's key before.
        self.cards.keys.ensure(self.home)
        if self.clock.monotonic_ms() - self._witnessed_at > WITNESS_EVERY_MS:
            self._witnessed_at = self.clock.monotonic_ms()
            self.keep_witness()
        return {
            "pushed": total.pushed,
            "pulled": total.pulled,
            "verdicts": total.verdicts,
            "books_differing": list(self.differing),
            "hub_state": total.state,
        }

    def log_sync(self, event: str, detail: str) -> None:
        with self.transaction():
            self.store.records.log_sync(self.clock.now_ms(), event, detail)

    def sync_log(self, limit: int = 50) -> list[tuple[int, str, str]]:
        with self.lock:
            return self.store.records.sync_log(limit)

    def sync_status(self) -> dict[str, Any]:
        """What `GET /sync` shows; the runtime adds what only it knows."""
        with self.lock:
            counts = self.store.queue.counts()
            why = standing.shown(
                self.store.records, self.identity, self.last_error, self.clock.interval()
            )
        if self.paused:
            state = "paused"
        elif self.live_state is not None:
            state = self.live_state()
        elif self.last_error or not self._exchanged:
            state = "offline"
        else:
            state = "connected"
        return {
            "state": state,
            **why,
            "hub": self.hub_url,
            "last_exchange_at_ms": self.last_exchange_at_ms,
            "queued": counts["queued"] + counts["sent"],
            "queue": counts,
            "books_differing": list(self.differing),
            "last_error": self.last_error,
        }

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "sync": self.sync_status(),
            "certificate": renewing.certificate_document(self),
            "other_life": self.other_life,
            "sells": allotments.own_document(self),
        }


def _settle_in(
    store: Store,
    url: str,
    admitted: joining.Admitted,
    key: Ed25519PrivateKey,
    sealing: X25519PrivateKey,
    life: tuple[bytes, bytes],
) -> None:
    """Write into a directory that is being made whose it is and where its hub is."""
    identity = LocalIdentity(
        admitted.tenant, admitted.venue, admitted.role, admitted.name, life[0], 1, key,
        admitted.certificates, admitted.root, sealing, admitted.pseudonym_key, [],
        admitted.hub_certificates, life[1],
    )  # fmt: skip
    identity.save_keys(store.directory)
    with store.atomic():
        identity.save(store.records)
        store.records.put("role", b"node")
        store.records.put(HUB_KEY, url.rstrip("/").encode())


__all__ = ["Node", "local_identity"]
