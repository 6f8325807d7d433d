"""The oracles of what is held and offered (DESIGN §5.10): who lets it lapse, and whose it becomes.

Owns their judgement, asked of each change that a machine shows. That such a thing has its place
until then, and counts like any other, `oracles` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.model import lifecycle
from holdfast.model.claims import ClaimView, Seen
from holdfast.model.entries import ClaimId
from holdfast.model.events import ClaimEnded
from holdfast.model.reservation import View
from holdfast.model.waitlist import is_waiting
from holdfast.node.service import Service
from holdfast.simulation.grants import Grants
from holdfast.simulation.machines import Machine
from holdfast.simulation.world import HUB, World
from holdfast.store.projections import Record

if TYPE_CHECKING:
    from holdfast.simulation.oracles import Key, Shown

EXPIRING: Final = "reservation.expired"
LAPSED: Final = "lapsed"


class Keeping:
    """`loose` are the reservations that an honest exception excuses, `report` takes what is
    wrong."""

    def __init__(
        self, world: World, loose: Collection[Key], report: Callable[[str, str], None]
    ) -> None:
        self._world, self._loose, self._report = world, loose, report
        self._kept_by: dict[str, set[Key]] = {}
        self._reserved_as: dict[tuple[Key, tuple[str, ...]], bytes] = {}

    def keeps(self, machine: Machine) -> bool:
        """Whether a machine shows something that nobody has reserved yet."""
        return bool(self._kept_by.get(machine.name))

    def forget(self, machine: Machine) -> None:
        """What a machine shows is looked at afresh."""
        self._kept_by.pop(machine.name, None)

    def look_at(
        self,
        machine: Machine,
        replica: Service,
        key: Key,
        before: Shown | None,
        now: Shown,
        record: Record,
    ) -> None:
        """Ask everything of one change."""
        kept = self._kept_by.setdefault(machine.name, set())
        (kept.add if now.status == lifecycle.INTENT else kept.discard)(key)
        if now.held and now.reserving and not now.renewing:
            self._reserved_once(key, now, record)
        # What a twin wrote under the same name comes back by the hub.
        if before is not None and not machine.doubled:
            self._who_let_it_lapse(machine, replica, before, now, record)

    def _reserved_once(self, key: Key, now: Shown, record: Record) -> None:
        """Whoever was told, anywhere, that what was held is theirs has it under their own name.
        Somebody who waits may have been offered two places, and have accepted both."""
        if key in self._loose:
            return
        which: tuple[str, ...] = ()
        if is_waiting(record.view):
            which = tuple(place[1] for place in now.live if place[0].operation == now.reserving)
            if not which:
                return
        if self._reserved_as.setdefault((key, which), now.reserving) != now.reserving:
            self._report("reserved once", f"{now.code} is reserved for one and then for another")

    def _who_let_it_lapse(
        self, machine: Machine, replica: Service, before: Shown, now: Shown, record: Record
    ) -> None:
        """What a machine let lapse was over by its own clock, and its own to end: the hub's, or
        sold from a right that it was granted, or nobody had a place for it."""
        own = replica.identity.incarnation
        for seen in record.seen:
            if (
                seen.node != own
                or seen.operation in before.operations
                or not (seen.kind == EXPIRING or _ends_what_lapsed(seen))
            ):
                continue
            form, over_ms = record.view.form, before.until_ms
            if form is not None and not before.occupied:
                # Who waits may have been offered something for longer than they wait.
                over_ms = min(over_ms, form.expires_at_ms)
            with self._world.on(machine):
                early = replica.clock.now_ms() < over_ms
            if early or before.status != lifecycle.INTENT:
                self._report("only what is over lapses", f"{machine.name} let {now.code} lapse")
            had = {claim for claim, *_ in before.occupied}
            held = [claim for claim in record.view.claims if claim.id in had]
            if had and not any(_is_own(machine, replica, record, claim) for claim in held):
                self._report(
                    "its holder lets it lapse", f"{machine.name} let {now.code} of another lapse"
                )

    def converted(self, machine: Machine, kept: list[ClaimView], view: View) -> None:
        """What a machine alone holds for somebody it makes theirs at once, at the same place."""
        if view.status != lifecycle.CONFIRMED or _where(kept) != _where(view.live):
            self._report(
                "reserving keeps the place",
                f"{machine.name} had a place for {view.code}, which is now {view.status}",
            )


def lapsed(record: Record, places: Collection[tuple[ClaimId, str, int, int, int]]) -> bool:
    """Whether somebody let what was kept lapse: all of it, or these places that were offered."""
    had = {claim for claim, *_ in places}
    return any(
        seen.kind == EXPIRING or (_ends_what_lapsed(seen) and not had.isdisjoint(seen.ends))
        for seen in record.seen
    )


def chose_another(view: View, had: Collection[tuple[ClaimId, str, int, int, int]]) -> bool:
    """Whether whoever reserved asked for another place than those that they had: of several offers
    the guest took one, and gave up the others, also where that one is refused in the same look."""
    if view.status not in (lifecycle.COMMIT_PENDING, lifecycle.COMMIT_FAILED) or not had:
        return False
    asked = [claim for claim in view.claims if claim.id.operation == view.reserving]
    return bool(view.reserving) and _where(asked).isdisjoint(place[1:] for place in had)


def _is_own(machine: Machine, replica: Service, record: Record, claim: ClaimView) -> bool:
    if machine.name == HUB:
        active = replica.rights(record.book).active()
        return claim.right not in {held.right.id for held in active}
    own = replica.identity.incarnation
    return Grants(replica, record.book).entitle(own, claim, ending=True)


def _where(claims: Collection[ClaimView]) -> set[tuple[str, int, int, int]]:
    return {(claim.resource, claim.start, claim.end, claim.quantity) for claim in claims}


def _ends_what_lapsed(seen: Seen) -> bool:
    return seen.kind == "claim.ended" and bool(seen.content) and _reason(seen.content) == LAPSED


@lru_cache(maxsize=1_024)
def _reason(content: bytes) -> str:
    return msgspec.msgpack.decode(content, type=ClaimEnded).reason
