"""The oracles: what must be true at every step, asked of what the replicas show.

Owns the judgement and none of the product's: places are added up here anew, and who decided is read
from the entries. What must hold once the world is whole again stands in `healing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from holdfast.model import lifecycle, vocabulary
from holdfast.model.claims import DEAD, ENDED, OCCUPYING, RENEWED, REQUESTS, ClaimView, Seen
from holdfast.model.entries import ClaimId
from holdfast.model.events import ClaimDecided, OperationWithdrawn, RightGranted
from holdfast.model.reservation import BLOCK, View
from holdfast.node.exchange import Exchange
from holdfast.node.hub import Hub
from holdfast.node.replica import Change
from holdfast.node.service import Service
from holdfast.simulation.grants import Grants
from holdfast.simulation.keeping import Keeping, chose_another, lapsed
from holdfast.simulation.machines import Machine
from holdfast.simulation.places import Place, exceeded, most_of_one
from holdfast.simulation.world import HUB, World
from holdfast.store.projections import Record

Key = tuple[str, bytes]
"""(book, reservation)"""
HELD: Final = frozenset({lifecycle.CONFIRMED, lifecycle.CHECKED_IN})
TWO_HUBS: Final = "two hubs had both gone on, and no person had ended one"
OVERSOLD: Final = "a device sold more than its right"
NO_SHOW: Final = "reservation.no_show"
_ASKS: Final = frozenset({"reservation.cancelled", "reservation.completed"})
_DECIDING: Final = REQUESTS | {"claim.decided"}
_KEPT: Final = HELD | {lifecycle.INTENT, lifecycle.COMMIT_PENDING}


class Violation(NamedTuple):
    """`oracle` is its name, `told` what is wrong, `step` after which step it showed."""

    oracle: str
    told: str
    step: int


class Shown(NamedTuple):
    """What a machine shows of a reservation, the rights that its places were given by, and the
    operations that it knows of it. `until_ms`: how long it is kept while nobody has reserved it;
    `reserving`: the operation that did. `promised`: to whom reserved it, its holder has.
    `left`: whoever reserved wants another place instead, or the place was given up with a no-show
    and has not been had anew. `renewing`: the operation that took a no-show back and asked for it
    anew."""

    status: str
    code: str
    live: tuple[tuple[ClaimId, str, int, int, int], ...]
    occupied: tuple[tuple[ClaimId, str, int, int, int], ...]
    ended: frozenset[ClaimId]
    asked: bool
    operations: frozenset[bytes]
    rights: frozenset[bytes]
    until_ms: int
    reserving: bytes
    promised: bool
    left: bool
    renewing: bytes

    @property
    def held(self) -> bool:
        """Somebody was told that they have a place."""
        return bool(self.live) and self.status in HELD and self.promised

    @property
    def kept(self) -> bool:
        """The same, or a place is held for somebody or was offered to them."""
        return bool(self.live) and self.status in _KEPT and not self.left

    def stands_at(self, other: Shown) -> bool:
        """Whether the other shows these places too."""
        return other.kept and set(self.live) <= set(other.live)


class Watch:
    """One machine as it is looked at: what it shows, and what changed since the last look."""

    def __init__(self, replica: Service) -> None:
        self.replica = replica
        self.changed: dict[Key, None] = {}
        self.books: dict[str, None] = {}
        replica.listeners.append(self._note)
        for name in replica.books:
            self.books[name] = None
            for view in replica.store.projections.select(book=name, form=None, limit=1_000_000):
                self.changed[name, view.id] = None

    def _note(self, change: Change) -> None:
        self.books[change.book] = None
        for reservation in change.reservations:
            self.changed[change.book, reservation] = None


class Oracles:
    """Looks at all machines after every step; `violations` says what it found.

    `loose` are the reservations whose confirmation was known to a disk that was lost, and to
    nobody else: the honest exceptions of DESIGN §5.12, by kind. `lost_operations` likewise.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.violations: list[Violation] = []
        self.shown: dict[str, dict[Key, Shown]] = {}
        self.held_once: dict[tuple[Key, bytes], str] = {}
        self.loose: dict[Key, str] = {}
        self.lost_operations: dict[bytes, str] = {}
        self.exceptions: Counter[str] = Counter()
        self.hub_lives: set[bytes] = set()
        self.overridden: set[ClaimId] = set()
        self.forced: set[ClaimId] = set()
        self._watches: dict[str, Watch] = {}
        self._digests: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self._moved: dict[str, None] = {}
        self.keeping = Keeping(world, self.loose, self.report)
        self._two_hubs: set[tuple[str, str]] = set()
        self._rights: dict[str, tuple[tuple[int, int], ...]] = {}
        self._taken_back: dict[str, dict[str, frozenset[bytes]]] = {}
        self.proceeded = self._whole = False
        self._first_hub = b""
        self._went_on: set[tuple[bytes, str]] = set()
        self._told_to_go_on = self._proceeded_now = False
        self._lives: dict[str, bytes] = {}
        self.step = -1

    def on(self, machine: Machine) -> AbstractContextManager[Machine]:
        """Inside, code runs on this machine."""
        return self._world.on(machine)

    def report(self, oracle: str, told: str) -> None:
        self.violations.append(Violation(oracle, told, self.step))

    # --- looking --------------------------------------------------------------------------------

    def look(self) -> None:
        """Ask everything that can be asked at any time."""
        self._watch_recovery()
        # First of all: in one round of healing a right can be taken back and be missed by somebody.
        replicas = [m.replica for m in self._world.running() if m.replica is not None]
        for book in sorted({book for replica in replicas for book in replica.books}):
            self._watch_rights(book)
        for machine in list(self._world.machines.values()):
            if machine.replica is not None and not machine.hostile:
                self._look_at(machine, machine.replica)
        for book in self._moved:
            self._capacity(book)
            self._rights_fit(book)
            self._same_entries_same_book(book)
        self._moved.clear()

    def _watch_recovery(self) -> None:
        """A hub that was restored or rebuilt goes on when a person says so, book by book, and never
        by itself (DESIGN §5.9)."""
        hub = self._world.hub
        if not isinstance(hub.replica, Hub):
            return
        life = hub.replica.identity.incarnation
        if not self._first_hub:
            self._first_hub = life
        for book in sorted(hub.replica.books):
            if (
                life == self._first_hub
                or (life, book) in self._went_on
                # Without the venue nothing is sold, granted or decided.
                or hub.replica.book(book).administration.venue is None
                or not hub.replica.recovery.may_write(book)
            ):
                continue
            self._went_on.add((life, book))
            if not self._told_to_go_on:
                self.report("a hub waits for a person", f"the hub went on with {book} by itself")
            elif not self._proceeded_now:
                self._look_at(hub, hub.replica)
                self._except_the_unheard(hub.replica, book)
        self._told_to_go_on = self._proceeded_now = False

    def _except_the_unheard(self, hub: Hub, book: str) -> None:
        """A hub that has heard all devices that it knows of goes on. What it could not hear may
        end: a device that joined after its backup, a life that was closed or shut out, or what
        only one of two hidden copies knows (§5.12)."""
        known = self.shown.get(HUB, {})
        silent = self._lives.keys() - {HUB}
        administration = hub.book(book).administration
        continued = {before for lives in administration.succeeds.values() for before in lives}
        for name in sorted(silent):
            life, machine = self._lives[name], self._world.machines.get(name)
            author = hub.book(book).authors.get(life)
            if (
                machine is not None
                and not machine.doubled
                and author is not None
                and life not in administration.closes
                and life not in continued
                and not administration.is_revoked(author.serials[-1:])
            ):
                continue
            for key, one in self.shown.get(name, {}).items():
                if key[0] == book and one.kept and not (key in known and one.stands_at(known[key])):
                    self.loose.setdefault(key, "a hub went on without a device that it cannot hear")

    def _look_at(self, machine: Machine, replica: Service) -> None:
        watch = self._watches.get(machine.name)
        if watch is None or watch.replica is not replica:
            watch = self._watches[machine.name] = Watch(replica)
            self._forget_absent(machine.name, watch)
        self._lives[machine.name] = replica.identity.incarnation
        if machine.name == HUB:
            self.hub_lives.add(replica.identity.incarnation)
        known = self.shown.setdefault(machine.name, {})
        for key in watch.changed:
            record = replica.record(key[1], key[0])
            if record is None:
                continue
            now = self._read(replica, record)
            if key in known and known[key].held and known[key].live == now.live:
                # What was promised is so still, whatever else is asked for beside it.
                now = now._replace(promised=True)
            # Also where it was confirmed before and has other places now: a sale is a sale.
            stood = key in known and now.stands_at(known[key])
            if not stood:
                for life in self._doubled_lives():
                    self._note_doubled(key, record, life)
            if machine.name != HUB and now.kept and not stood:
                self._note_taken_back(key, now)
            self._check_step(machine, key, known.get(key), now, record)
            self.keeping.look_at(machine, replica, key, known.get(key), now, record)
            known[key] = now
        for book in watch.books:
            self._moved[book] = None
            exchange = Exchange(replica)
            with self._world.on(machine):
                digests = exchange.heads_digest(book), exchange.book_digest(book)
            self._digests[machine.name, book] = digests
            self._note_two_hubs(machine, replica, book)
        watch.changed.clear()
        watch.books.clear()

    def _forget_absent(self, name: str, watch: Watch) -> None:
        """A process that was started shows what its disk holds, and nothing besides."""
        before = self.shown.get(name, {})
        for key, one in list(before.items()):
            if watch.replica.record(key[1], key[0]) is not None:
                watch.changed[key] = None
                continue
            del before[key]
            if not one.operations <= self.lost_operations.keys():
                self.report("durable", f"{name} was started and does not know {one.code} any more")

    def _doubled_lives(self) -> list[bytes]:
        """Of devices that have a twin which nobody has noticed: also whoever hears of their sales
        before they themselves are looked at shows what may end."""
        machines = self._world.machines.values()
        return [self._lives[m.name] for m in machines if m.doubled and m.name in self._lives]

    def _note_doubled(self, key: Key, record: Record, own: bytes) -> None:
        """What a device sells that has a twin which nobody has noticed may end when the hub closes
        one of the two (§5.12)."""
        sold = {
            seen.operation for seen in record.seen if seen.node == own and seen.kind in _DECIDING
        }
        deciding = {
            decided.decides
            for seen in record.seen
            if seen.operation in sold
            and seen.kind == "claim.decided"
            and (decided := _decoded(seen.content)) is not None
        }
        if any(
            claim.right and claim.id.operation in sold | deciding for claim in record.view.claims
        ):
            self.loose.setdefault(key, "a device and its hidden copy both sold from one right")

    def _note_taken_back(self, key: Key, one: Shown) -> None:
        """What is sold or granted from a right that was taken back, by a person's word or with the
        life that had it, and whose holder has not heard of it, may end (§5.12)."""
        known = self.shown.get(HUB, {}).get(key)
        stands = known is not None and one.stands_at(known)
        replicas = [m.replica for m in self._world.running() if m.replica is not None]
        rights = [each.rights(key[0]) for each in replicas if key[0] in each.books]
        hub = self._world.hub.replica
        of_hub = hub.rights(key[0]) if hub is not None and key[0] in hub.books else None
        for right in one.rights:
            if stands and (of_hub is None or of_hub.taken_back(right)):
                # Whoever took it back counts the sale. A hub of which an older disk was put back
                # may have forgotten that it did.
                continue
            # A hub that went on, if only because nobody had told it of that device.
            went_on = self.proceeded or bool(self._went_on)
            forgotten = went_on and (hub is None or right not in hub.rights(key[0]).by_id)
            # Also whoever is switched off now may have said so.
            said = any(right in books.get(key[0], ()) for books in self._taken_back.values())
            if forgotten or said or any(each.taken_back(right) for each in rights):
                self.loose.setdefault(key, "sold from a right that had been taken back")

    def _watch_rights(self, book: str) -> None:
        """Once somebody knows of one more right that was taken back, all that was sold is looked at
        again, also what a device sold that is switched off: its guests were told."""
        replicas = [m.replica for m in self._world.running() if m.replica is not None]
        state = tuple(
            (one.rights(book).changes, len(one.book(book).administration.closes))
            for one in replicas
            if book in one.books
        )
        if self._rights.get(book) == state:
            return
        self._rights[book] = state
        for machine in self._world.running():
            if machine.replica is not None and book in machine.replica.books:
                rights = machine.replica.rights(book)
                self._taken_back.setdefault(machine.name, {})[book] = frozenset(
                    right for right in rights.by_id if rights.taken_back(right)
                )
        for machine in self._world.devices():
            for key, one in self.shown.get(machine.name, {}).items():
                if key[0] == book and one.kept and key not in self.loose:
                    self._note_taken_back(key, one)

    def _read(self, replica: Service, record: Record) -> Shown:
        view = record.view
        ended = self._check_entitled(replica, record, view)
        over = {claim.id for claim in view.claims if claim.override}
        renewing = _renewing(record)
        promised = not view.reserving or view.assurance != "provisional"
        forced = view.form is not None and view.form.form == BLOCK
        known, told = (
            (self.forced, "blocked over what was sold")
            if forced
            else (self.overridden, "overbooked on purpose")
        )
        if over - known:
            self.exceptions[told] += len(over - known)
            known |= over
        return Shown(
            view.status,
            view.code,
            _places(view.live),
            _places(view.occupying),
            ended,
            _asked(record),
            frozenset(seen.operation for seen in record.seen),
            _given_by(record, view.live),
            view.expires_at_ms,
            view.reserving,
            promised,
            chose_another(view, _places(view.live)) or bool(renewing and not promised),
            renewing,
        )

    # --- a confirmation stands ------------------------------------------------------------------

    def _check_step(
        self, machine: Machine, key: Key, before: Shown | None, now: Shown, record: Record
    ) -> None:
        if now.held:
            self.held_once.setdefault((key, now.renewing), machine.name)
        if before is None or now.asked:
            return
        if now.renewing and now.renewing not in before.operations:
            # The place was given up with a no-show, and asked for anew since.
            return
        # What is held or offered has its place until it lapses, however it is reserved meanwhile.
        ended = not before.held and before.kept and not now.live and not lapsed(record, before.live)
        if not ended and (now.held or not before.held):
            return
        if not before.reserving and chose_another(record.view, before.live):
            return
        if key in self._world.oversold or self._by_an_overseller(machine, key[0], before):
            self.exceptions[OVERSOLD] += 1
            return
        if key in self.loose:
            self.exceptions[self.loose[key]] += 1
            return
        if _behind_a_close(record, before):
            self.loose[key] = "a life was closed before the hub had heard all of it"
            self.exceptions[self.loose[key]] += 1
            return
        if any(key in shown and shown[key].asked for shown in self.shown.values()):
            # The hub's end came before the reason for it, which others hold: a hidden copy is not
            # fed what stands under its own name, and whoever meets it learns no more from it.
            self.exceptions["an end was seen before the reason for it"] += 1
            return
        self.report(
            "kept is kept" if ended else "confirmed stands",
            f"{machine.name} showed {now.code or key[1].hex()} as {before.status} and now as "
            f"{now.status}, which nobody asked for",
        )

    def _by_an_overseller(self, machine: Machine, book: str, before: Shown) -> bool:
        """Whether a place was the word of somebody who lies and has sold one right twice: nothing
        that follows in that chain counts, once the hub says so (§5.1)."""
        replica = machine.replica
        if replica is None:
            return False
        rights, authors = replica.rights(book), replica.book(book).authors
        for right in before.rights:
            ended = rights.ended(right)
            if ended is not None and ended.reason == vocabulary.OVERSOLD:
                author = authors.get(ended.holder)
                liar = None if author is None else self._world.machines.get(author.info.name)
                if liar is not None and (liar.hostile or liar.doubled):
                    return True
        return False

    # --- before something is lost ---------------------------------------------------------------

    def before_loss(self, machine: Machine, why: str) -> None:
        """A disk is about to go back or away: what it alone knew may end, and is counted apart."""
        own = self.shown.get(machine.name, {})
        others = {
            name: shown
            for name, shown in self.shown.items()
            if name != machine.name and name in self._world.machines
        }
        for key, shown in own.items():
            elsewhere = [known[key] for known in others.values() if key in known]
            if not any(shown.stands_at(other) for other in elsewhere):
                self.loose.setdefault(key, why)
            known_operations = set().union(*(other.operations for other in elsewhere))
            for operation in shown.operations - known_operations:
                self.lost_operations.setdefault(operation, why)
        # What goes back to an older state is looked at afresh.
        self.shown[machine.name] = {}
        self.keeping.forget(machine)
        self._watches.pop(machine.name, None)
        self._taken_back.pop(machine.name, None)
        self._two_hubs = {each for each in self._two_hubs if each[0] != machine.name}

    def before_recovering(self) -> None:
        """A person says that the hub may go on if it has heard everybody."""
        self._told_to_go_on = True

    def before_proceeding(self, why: str) -> None:
        """The hub goes on without those that it has not heard: what they alone know may end."""
        self.proceeded = self._proceeded_now = self._told_to_go_on = True
        known = self.shown.get(HUB, {})
        for name, shown in self.shown.items():
            if name == HUB:
                continue
            for key, one in shown.items():
                if one.kept and not (key in known and one.stands_at(known[key])):
                    self.loose.setdefault(key, why)

    def before_revoking(self, resources: Iterable[str]) -> None:
        """A right is taken back at the head that the hub holds: what its holder sold or granted
        since, and nobody told the hub, may end."""
        known, taken = self.shown.get(HUB, {}), set(resources)
        for name, shown in self.shown.items():
            if name == HUB:
                continue
            for key, one in shown.items():
                sold = one.kept and any(place[1] in taken for place in one.live)
                if sold and not (key in known and one.stands_at(known[key])):
                    self.loose.setdefault(key, "a right was revoked")

    # --- two hubs -------------------------------------------------------------------------------

    def _note_two_hubs(self, machine: Machine, replica: Service, book: str) -> None:
        """Whether a machine knows two hubs that both follow one. A person let the second go on
        without hearing the first; until a person ends one of them the sales of both are shown,
        and the hub stops (DESIGN §5.9)."""
        if not replica.book(book).administration.rivals:
            self._two_hubs.discard((machine.name, book))
            return
        self._two_hubs.add((machine.name, book))
        if machine.name == HUB and replica.exchange_state == "serving":
            self.report("two hubs stop", f"{machine.name} goes on beside another hub")

    # --- capacity -------------------------------------------------------------------------------

    def check_capacities(self) -> None:
        """Once the world is whole, a liar's sales count like any other's."""
        self._whole = True
        for book in sorted({key[0] for shown in self.shown.values() for key in shown}):
            self._capacity(book)

    def _capacity(self, book: str) -> None:
        """Neither what one machine shows nor what all of them show exceeds a capacity, but by what
        was overbooked on purpose, or sold by a liar whom the hub has not answered yet."""
        lied = {key for key in self._world.oversold if not self._whole or self._is_over(key)}
        ended: set[ClaimId] = set()
        asked: set[Key] = set()
        for name, shown in self.shown.items():
            own: dict[ClaimId, Place] = {}
            for key, one in shown.items():
                if key[0] != book or key in lied:
                    continue
                ended |= one.ended
                if one.asked:
                    asked.add(key)
                own.update(self._places(one.occupied))
            self._judge_places(book, own.values(), name, two_hubs=(name, book) in self._two_hubs)
        union: dict[ClaimId, Place] = {}
        by_key: dict[Key, list[list[Place]]] = {}
        for shown in self.shown.values():
            for key, one in shown.items():
                if key[0] != book or key in asked or key in self.loose or key in lied:
                    continue
                live = {
                    claim: place
                    for claim, place in self._places(one.live).items()
                    if claim not in ended
                }
                union.update(live)
                by_key.setdefault(key, []).append([*live.values()])
        if not exceeded(book.partition("/")[2], union.values()):
            return
        once = [place for shown in by_key.values() for place in most_of_one(shown)]
        two_hubs = any(known == book for _, known in self._two_hubs)
        self._judge_places(book, once, "all machines together", two_hubs=two_hubs)

    def _is_over(self, key: Key) -> bool:
        """Whether what a liar sold is past: a hub that goes on answers only for what is to come."""
        hub = self._world.the_hub
        shown = self.shown.get(HUB, {}).get(key)
        return shown is not None and all(
            end * 1000 <= hub.clock.now_ms() for _, _, _, end, _ in shown.live
        )

    def _places(self, claims: Iterable[tuple[ClaimId, str, int, int, int]]) -> dict[ClaimId, Place]:
        """Claims as places, with how much of each somebody showed as overbooked on purpose."""
        over, forced = self.overridden, self.forced
        return {
            claim: Place(
                resource, start, end, quantity,
                quantity if claim in over else 0, quantity if claim in forced else 0,
            )
            for claim, resource, start, end, quantity in claims
        }  # fmt: skip

    def _judge_places(
        self, book: str, places: Iterable[Place], who: str, *, two_hubs: bool
    ) -> None:
        too_many = exceeded(book.partition("/")[2], places)
        if too_many and two_hubs:
            self.exceptions[TWO_HUBS] += 1
        elif too_many:
            self.report("capacity", f"{who}: {too_many}")

    def _rights_fit(self, book: str) -> None:
        """What was granted of a resource never exceeds it."""
        if self._world.hub.replica is None or book not in self._world.hub.replica.books:
            return
        replica = self._world.hub.replica
        granted = [
            Place(resource, held.start, held.end, held.right.quantity)
            for held in replica.rights(book).active()
            for resource in held.right.resources
        ]
        rivals = (HUB, book) in self._two_hubs
        self._judge_places(book, granted, "the rights that the hub granted", two_hubs=rivals)

    # --- same entries, same book ----------------------------------------------------------------

    def _same_entries_same_book(self, book: str) -> None:
        by_heads: dict[bytes, tuple[str, bytes]] = {}
        for (name, one), (heads, digest) in self._digests.items():
            if one != book or name not in self._world.machines:
                continue
            other, expected = by_heads.setdefault(heads, (name, digest))
            if digest != expected:
                self.report(
                    "same entries, same book",
                    f"{name} and {other} hold the same entries and show different books",
                )

    def look_afresh(self, turn: int) -> None:
        """What a replica has folded piece by piece, while everything was broken, is what it would
        fold from its journal alone."""
        asked = [m for m in self._world.running() if not m.hostile]
        if not asked:
            return
        machine = asked[turn % len(asked)]
        assert machine.replica is not None
        for book in sorted(machine.replica.books):
            check_fresh_fold(self, machine, machine.replica, book)

    # --- who decided ----------------------------------------------------------------------------

    def _check_entitled(self, replica: Service, record: Record, view: View) -> frozenset[ClaimId]:
        """Every place that counts was sold or granted by the hub or by whom it gave a right to it,
        and every end is its holder's. Returns what its holder ended: also what the fold calls
        dead, because it gave way to what it takes for the older place."""
        grants = Grants(replica, view.book)
        given: dict[bytes, list[Seen]] = {}
        asked_as: dict[bytes, bytes] = {}
        ended: dict[ClaimId, list[Seen]] = {}
        by_hub: set[bytes] = set()
        over: set[ClaimId] = set()
        for seen in record.seen:
            hubs = seen.node in self.hub_lives
            if seen.kind in _DECIDING:
                given.setdefault(seen.operation, []).append(seen)
                if hubs:
                    by_hub.add(seen.operation)
            if seen.kind == "claim.decided":
                decided = _decoded(seen.content)
                if decided is not None:
                    asked_as[seen.operation] = decided.decides
                    given.setdefault(decided.decides, []).append(seen)
                    if hubs:
                        by_hub.add(decided.decides)
            elif seen.kind == "right.granted" and hubs:
                by_hub.update(operation for _, operation, _ in _granted(seen.content).handed)
            for claim_id in seen.ends:
                ended.setdefault(claim_id, []).append(seen)
        if len({claim.id.operation for claim in view.live}) > 1:
            self.report("one place each", f"{view.code} has two sets of places at once")
        for claim in view.live:
            if claim.right and not grants.known(claim.right):
                self.report(
                    "a place names its right",
                    f"a place of {view.code} names a right that nobody was granted",
                )
        for claim in view.claims:
            if claim.state in OCCUPYING and claim.id.operation not in by_hub:
                sellers = given.get(claim.id.operation, ())
                if not any(grants.entitle(seen.node, claim) for seen in sellers):
                    self.report("only a holder decides", f"a place of {view.code} was not given")
            elif claim.state in (ENDED, DEAD):
                # What is known from its decision alone is ended under the name it was asked by.
                named = ClaimId(asked_as.get(claim.id.operation, b""), claim.id.index)
                if any(
                    seen.node in self.hub_lives or grants.entitle(seen.node, claim, ending=True)
                    for seen in (*ended.get(claim.id, ()), *ended.get(named, ()))
                ):
                    over.add(claim.id)
                elif claim.state == ENDED:
                    self.report("only a holder decides", f"a place of {view.code} was not ended")
        last = view.decision
        if last is not None and last.verdict != "admitted" and last.node not in self.hub_lives:
            for claim in view.claims:
                if claim.id.operation == last.decides and not grants.entitle(
                    last.node, claim, ending=True
                ):
                    self.report(
                        "only a holder decides", f"{view.code} was turned away by who may not"
                    )
        return frozenset(over)


def _behind_a_close(record: Record, before: Shown) -> bool:
    """Whether what was shown rested on an entry behind the head where a life was closed: its disk
    went back or was copied, and only somebody whom the hub had not heard yet knew more of it."""
    given = {claim.operation for claim, *_ in before.live}
    return any(
        seen.operation in given
        or (
            seen.kind == "claim.decided"
            and (decided := _decoded(seen.content)) is not None
            and decided.decides in given
        )
        for seen in record.seen
        if not seen.counts
    )


def check_fresh_fold(oracles: Oracles, machine: Machine, replica: Service, book: str) -> None:
    """A fold from the journal gives what the machine shows."""
    exchange = Exchange(replica)
    before = exchange.book_digest(book)
    # A crash that waits for the machine's next commit is not meant for this one.
    crash_at, machine.crash_at = machine.crash_at, 0
    with oracles.on(machine):
        replica.refold(book)
    machine.crash_at = crash_at
    if exchange.book_digest(book) != before:
        oracles.report("fresh fold", f"{machine.name} shows other than its journal says")


def _given_by(record: Record, live: Iterable[ClaimView]) -> frozenset[bytes]:
    """The rights that places were sold from and, where somebody was sent elsewhere, those to what
    they had asked for, by which the device answered that gave them: its word is void with these,
    also where it gave what is its own (§5.7)."""
    rights, given = set(), set()
    for claim in live:
        rights.add(claim.right)
        given.add(claim.id.operation)
    for seen in record.seen:
        if seen.kind == "claim.decided" and seen.operation in given:
            decided = _decoded(seen.content)
            if decided is not None:
                rights.update(decided.by)
    return frozenset(rights - {b""})


def _places(claims: Iterable[ClaimView]) -> tuple[tuple[ClaimId, str, int, int, int], ...]:
    return tuple((c.id, c.resource, c.start, c.end, c.quantity) for c in claims)


def _renewing(record: Record) -> bytes:
    """The operation that took a no-show back and asked for the place anew; empty: none did."""
    reserving = record.view.reserving
    renewed = any(s.operation == reserving and s.kind == RENEWED for s in record.seen)
    return reserving if renewed else b""


def _missed(record: Record) -> bool:
    """Whether somebody marked a no-show that nobody took back in sight of it, or all are taken for
    one still."""
    if record.view.status == lifecycle.NO_SHOW:
        return True
    above = {seen.operation: seen.follows for seen in record.seen}
    todo = [one for seen in record.seen if seen.kind == RENEWED for one in seen.follows]
    undone: set[bytes] = set()
    while todo:
        operation = todo.pop()
        if operation not in undone:
            undone.add(operation)
            todo += above.get(operation, ())
    return any(s.kind == NO_SHOW and s.operation not in undone for s in record.seen)


def _asked(record: Record) -> bool:
    """Whether somebody entitled to it asked for the end of a reservation."""
    writers = {seen.operation: seen.node for seen in record.seen}
    return _missed(record) or any(
        seen.kind in _ASKS
        or (
            seen.kind == "operation.withdrawn"
            and seen.content
            and writers.get(_withdrawing(seen.content).operation) == seen.node
        )
        for seen in record.seen
    )


@lru_cache(maxsize=1024)
def _withdrawing(content: bytes) -> OperationWithdrawn:
    return msgspec.msgpack.decode(content, type=OperationWithdrawn)


@lru_cache(maxsize=4_096)
def _decoded(content: bytes) -> ClaimDecided | None:
    return msgspec.msgpack.decode(content, type=ClaimDecided) if content else None


@lru_cache(maxsize=4_096)
def _granted(content: bytes) -> RightGranted:
    return msgspec.msgpack.decode(content, type=RightGranted)
