"""How the rules of rights and capacity are switched off: one context manager each.

Owns nothing of what follows from it; see test_directed.py.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Generator
from typing import Any
from unittest import mock

import msgspec

from holdfast.model import claims, deciding, lifecycle, overbooking, reservation
from holdfast.model.administration import Administration
from holdfast.model.capacity import Occupancy
from holdfast.model.claims import READY, SPARE, STANDBY, _Judge
from holdfast.model.deciding import GrantedStock
from holdfast.model.events import ChainCertified, RightGranted
from holdfast.model.rights import _NOW, Rights
from holdfast.node import holding, selling
from holdfast.node.books import Books
from holdfast.node.granting import Granting
from holdfast.node.hub import Hub
from holdfast.node.recovery import Recovery
from holdfast.node.service import Service
from holdfast.store.projections import Projections
from holdfast.sync import gate
from tests.simulation.scripts import Off


def free_of_any_account() -> Any:
    """A right sells more than it is for; the hub's remainder is as it is."""
    free = Occupancy.free

    def plenty(self: Any, *given: Any, account: bytes | None = None, **named: Any) -> int:
        left = free(self, *given, account=account, **named)
        return left + 100 if account else left

    return mock.patch.object(Occupancy, "free", plenty)


def a_right_is_always_enough() -> Any:
    def right_for(self: Any, claim: Any, ignoring: Any) -> bytes | None:
        own = self._rights.of_holder(self._node, claim.resource, claim.start, claim.end)
        return own[0].right.id if own else None

    return mock.patch.object(GrantedStock, "right_for", right_for)


def no_account_goes_below_zero() -> Any:
    """What was sold beyond a capacity is forgotten as soon as it is sold."""
    free = Occupancy.free

    def never_negative(self: Any, *given: Any, **named: Any) -> int:
        return max(0, free(self, *given, **named))

    return mock.patch.object(Occupancy, "free", never_negative)


class _Everybody(bytes):
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


def everybody_overbooks() -> Any:
    return mock.patch.object(overbooking, "overbooker", lambda *_: _Everybody())


def granted_is_the_hubs() -> Any:
    init = Occupancy.__init__
    return mock.patch.object(
        Occupancy, "__init__", lambda self, load, granted=None: init(self, load)
    )


def covers_whatever(part: str) -> Off:
    """A right is taken for one to any resource, time or quantity."""

    def off() -> Any:
        covers = Rights.covers

        def anything(self: Any, right: bytes, node: bytes, n: int, claim: Any) -> bool | None:
            known = self.by_id.get(right)
            if known is not None and part == "resource":
                claim = msgspec.structs.replace(claim, resource=known.resources[0])
            elif known is not None and part == "time":
                claim = msgspec.structs.replace(claim, start=known.start, end=known.start + 1)
            elif known is not None:
                claim = msgspec.structs.replace(claim, quantity=1)
            return covers(self, right, node, n, claim)

        return mock.patch.object(Rights, "covers", anything)

    return off


def window_without(*fields: str) -> Off:
    """What ended a right does not end what its holder goes on to sell from it. Who holds it now is
    as it is."""

    def off() -> Any:
        window = Rights._window

        def wider(self: Any, right: Any, node: bytes, n: int) -> Any:
            if n == _NOW:
                return window(self, right, node, n)
            kept = {name: getattr(self, name) for name in fields}
            for name in fields:
                setattr(self, name, {})
            try:
                return window(self, right, node, n)
            finally:
                for name, value in kept.items():
                    setattr(self, name, value)

        return mock.patch.object(Rights, "_window", wider)

    return off


@contextlib.contextmanager
def a_closed_device_goes_on() -> Generator[None, None, None]:
    counts = Books.counts

    def counting(self: Any, book: Any, chain: Any, n: int) -> bool:
        author = book.authors.get(chain.incarnation)
        if author is not None and not author.info.is_hub:
            return True
        return counts(self, book, chain, n)

    with window_without("_closes")(), mock.patch.object(Books, "counts", counting):
        yield


def a_new_life_inherits() -> Any:
    absorb = Administration.absorb

    def inheriting(self: Any, writer: Any, n: int, stamp: int, event: Any, **named: Any) -> None:
        absorb(self, writer, n, stamp, event, **named)
        if isinstance(event, ChainCertified):
            for before in event.succeeds:
                self.rights.succeeded(before, 0, writer.incarnation)

    return mock.patch.object(Administration, "absorb", inheriting)


def any_role_writes() -> Any:
    """The gate keeps from others what only the hub may say; the fold is to keep it out as well."""
    return mock.patch.object(gate, "may_write", lambda *_, **__: True)


@contextlib.contextmanager
def both(*switched: Any) -> Generator[None, None, None]:
    with contextlib.ExitStack() as stack:
        for one in switched:
            stack.enter_context(one)
        yield


def anybody_grants() -> Any:
    absorb = Administration.absorb

    def granting(self: Any, writer: Any, n: int, stamp: int, event: Any, **named: Any) -> None:
        if isinstance(event, RightGranted):
            writer = writer._replace(is_hub=True)
        absorb(self, writer, n, stamp, event, **named)

    return both(mock.patch.object(Administration, "absorb", granting), any_role_writes())


def anybody_returns() -> Any:
    returned = Rights.returned

    def returning(self: Any, node: bytes, n: int, stamp: int, operation: bytes, event: Any) -> None:
        for right in event.rights:
            if right in self.by_id:
                returned(self, self.by_id[right].holder, 0, stamp, operation, event)

    return mock.patch.object(Rights, "returned", returning)


def anybody_sells() -> Any:
    sells = _Judge.sells

    def selling_all(self: Any, entry: Any, claim: Any) -> bool | None:
        return sells(self, entry, claim) or bool(claim.right)

    return mock.patch.object(_Judge, "sells", selling_all)


def both_moves_count() -> Any:
    turns = claims._taken_turns

    def both(found: Any, *more: Any) -> Any:
        after = turns(found, *more)
        return [
            before if now.state == SPARE else now for before, now in zip(found, after, strict=True)
        ]

    return mock.patch.object(claims, "_taken_turns", both)


def nothing_spare_is_ended() -> Any:
    to_end = reservation.claims_to_end

    def kept(view: Any, now_s: int) -> Any:
        return [claim for claim in to_end(view, now_s) if claim.state != SPARE]

    return mock.patch.object(holding, "claims_to_end", kept)


def picks_what_is_not_granted() -> Any:
    picked = reservation.picked

    def eager(view: Any) -> Any:
        waiting = [claim for claim in view.claims if claim.state == STANDBY]
        return (waiting[0].id.operation, view.live) if waiting and view.live else picked(view)

    return mock.patch.object(holding, "picked", eager)


def ends_on_its_own_view() -> Any:
    """The holder of a granted standby ends it as soon as it sees another one."""
    to_end = reservation.claims_to_end

    def own_view(view: Any, now_s: int) -> Any:
        ready = [claim for claim in view.claims if claim.state == READY]
        return [*to_end(view, now_s), *(ready if len(ready) > 1 else ())]

    return mock.patch.object(holding, "claims_to_end", own_view)


def nothing_is_handed_over() -> Any:
    append = Hub.append

    def appending(self: Any, name: str, event: Any, **fields: Any) -> Any:
        if isinstance(event, RightGranted):
            event, fields = msgspec.structs.replace(event, handed=()), {**fields, "claims": ()}
        return append(self, name, event, **fields)

    return mock.patch.object(Hub, "append", appending)


def a_unit_is_granted_again() -> Any:
    """`_whole` sees nobody who holds it."""
    whole = Granting._whole

    def granted(self: Any, *given: Any) -> Any:
        with mock.patch.object(Rights, "of_resource", lambda *_: []):
            return whole(self, *given)

    return mock.patch.object(Granting, "_whole", granted)


@contextlib.contextmanager
def released_by_the_clock() -> Generator[None, None, None]:
    """At the hub a right ends where its release has come, without its holder's return."""
    now = Rights.now
    rights_of = Hub.rights

    def rights(self: Any, name: str) -> Any:
        found = rights_of(self, name)
        if found:
            vars(found)["clock"] = self.clock
        return found

    def less(self: Any, right: bytes) -> Any:
        held = now(self, right)
        clock = vars(self).get("clock")
        if held is None or clock is None or held.right.release_minutes < 0:
            return held
        until = clock.interval().latest // 1000 + held.right.release_minutes * 60
        return held._replace(start=max(held.start, until)) if until < held.end else None

    with (
        mock.patch.object(Hub, "rights", rights),
        mock.patch.object(Rights, "now", less),
    ):
        yield


def sells_without_knowing_the_time() -> Any:
    may_sell = selling.may_sell

    def trusting(replica: Any, held: Any) -> int:
        interval = replica.clock.interval
        sure = interval()._replace(state="disciplined")
        with mock.patch.object(replica.clock, "interval", lambda: sure):
            return may_sell(replica, held)

    return mock.patch.object(selling, "may_sell", trusting)


def a_recovering_hub_grants() -> Any:
    append = Hub.append

    def granting(self: Any, name: str, event: Any, **fields: Any) -> Any:
        if not isinstance(event, RightGranted):
            return append(self, name, event, **fields)
        with mock.patch.object(Recovery, "recovering", lambda *_: False):
            return append(self, name, event, **fields)

    return mock.patch.object(Hub, "append", granting)


def cancelled_or_not_it_is_decided() -> Any:
    blind = types.SimpleNamespace(**{**vars(lifecycle), "CANCELLED": "", "EXPIRED": ""})
    return mock.patch.object(holding, "lifecycle", blind)


@contextlib.contextmanager
def one_of_two_holders_is_asked() -> Generator[None, None, None]:
    terms = selling.terms

    def anybody(replica: Any, venue: Any, claims: Any, *given: Any, **named: Any) -> Any:
        wanted = tuple(claims)
        found = terms(replica, venue, wanted, *given, **named)
        rights = replica.rights(replica.book_of(venue.venue.id))
        holders = [held.holder for held in rights.of_resource(wanted[0].resource)]
        return found if found.guaranteed else found._replace(asks=holders[0])

    def first(rights: Any, view: Any, operation: bytes) -> Any:
        return next(one.asks for one in view.claims if one.id.operation == operation)

    with (
        mock.patch.object(selling, "terms", anybody),
        mock.patch.object(deciding, "answerer", first),
    ):
        yield


def answers_for_anything() -> Any:
    extent = claims._extent
    return mock.patch.object(claims, "_extent", lambda claim: extent(claim)[1:])


def decided_as_it_came() -> Any:
    def unsorted(self: Any, book: str) -> Any:
        self._refold_stale()
        return list(self._pending.get(book, {}).values())

    return mock.patch.object(Projections, "undecided", unsorted)


@contextlib.contextmanager
def pieces_are_wholes() -> Generator[None, None, None]:
    with contextlib.ExitStack() as exits:
        for kind in (Service, Hub):
            real = kind.after_merge

            def whole(
                self: Any, name: str, sender: bytes, more: bool, complete: bool, merged: Any,
                real: Any = real,
            ) -> None:  # fmt: skip
                real(self, name, sender, False, complete, merged)

            exits.enter_context(mock.patch.object(kind, "after_merge", whole))
        yield


def a_hub_goes_on_by_itself() -> Any:
    """Once it has heard everybody that it knows of, and nobody has said so."""
    after_merge = Hub.after_merge

    def eager(self: Any, *given: Any) -> None:
        after_merge(self, *given)
        self.recover()

    return mock.patch.object(Hub, "after_merge", eager)


def whoever_lost_a_place_is_moved() -> Any:
    decide = deciding.decide
    return mock.patch.object(
        deciding,
        "decide",
        lambda view, *given: decide(msgspec.structs.replace(view, may_move=True), *given),
    )


def without_turn(claim: Any) -> Any:
    """A claim that takes the place of nothing."""
    return msgspec.structs.replace(claim, replaces=None)
