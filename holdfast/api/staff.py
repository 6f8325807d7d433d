"""Staff of this device: who may log in by PIN, and what happens where a PIN is wrong.

Owns adding and removing them, and the lock-out. A name that nobody has is treated in every way as
one whose PIN was wrong: counted, locked, and answered after the same work. A try is counted before
it is judged, so that a process killed in between gives none away; tries are judged one at a time.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from typing import TYPE_CHECKING, Final

from holdfast.api.callers import Caller, permissions_of
from holdfast.api.sessions import STAFF, Session, Sessions
from holdfast.model.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unauthorised,
)
from holdfast.model.limits import (
    PIN_LOCKED_SECONDS,
    PIN_NAMES_MAX,
    PIN_TRIES,
    PIN_TRIES_FORGOTTEN_MS,
    PIN_TRIES_PER_DEVICE,
    STAFF_MAX,
)
from holdfast.node.pins import Pins
from holdfast.store.logins import StaffRow, WrongPins

if TYPE_CHECKING:
    from holdfast.api.face import Replica
    from holdfast.api.idempotency import Run

STAFF_ROLES: Final = ("supervisor", "staff", "read-only")
"""A few digits never make an admin: that takes a token."""
_NAME: Final = re.compile(r"\w(?:[\w .'-]{0,62}\w)?\.?")
_DEVICE: Final = b""


class Staff:
    """The staff of one data directory, in memory by id."""

    def __init__(self, replica: Replica, run: Run) -> None:
        self._replica = replica
        self._run = run
        self._pins = Pins(replica.directory)
        self._turn = asyncio.Lock()
        self._by_id: dict[str, StaffRow] = {}
        # As for sessions: a wall clock that is set forward opens no lock.
        self._begun_ms = replica.clock.now_ms() - replica.clock.monotonic_ms()
        self.reload()

    def reload(self) -> None:
        """Read them anew: after one was added, changed or removed."""
        with self._replica.lock:
            self._by_id = {row.id: row for row in self._replica.store.logins.staff()}

    def standing(self, staff_id: str) -> Caller | None:
        """Whom a session of a member of staff stands for; None: nobody any more."""
        row = self._by_id.get(staff_id)
        if row is None:
            return None
        return Caller(
            f"staff {row.id}", f"staff-{row.id}", row.name, row.role, permissions_of(row.role),
            origin=(STAFF, row.id),
        )  # fmt: skip

    # --- adding and removing ----------------------------------------------------------------------

    def row(self, name: str) -> StaffRow:
        """Somebody by name, in whatever case. Raises NotFound."""
        row = self._find(name)
        if row is None:
            raise NotFound(f"nobody called {name} is staff of this device; `staff list` shows them")
        return row

    def _find(self, name: str) -> StaffRow | None:
        login = login_of(name)
        return next((row for row in self._by_id.values() if row.login == login), None)

    def rows(self) -> list[StaffRow]:
        with self._replica.lock:
            return self._replica.store.logins.staff()

    async def hashed(self, staff_id: str, pin: str) -> str:
        """A PIN as it is kept. Raises Invalid."""
        return await asyncio.to_thread(self._pins.hashed, staff_id, pin)

    def add(self, staff_id: str, name: str, role: str, pin: str) -> StaffRow:
        """Add somebody, with a PIN that is hashed under that id; call in a transaction. Raises
        Invalid and Conflict."""
        # One form of Unicode: keyboards send `ë` as one character or as two.
        name = unicodedata.normalize("NFC", name.strip())
        problems = []
        if not _NAME.fullmatch(name):
            message = "1 to 64 letters, digits, spaces, '.', '_', '-' or an apostrophe"
            problems.append({"field": "name", "message": message})
        if role not in STAFF_ROLES:
            message = f"must be one of {', '.join(STAFF_ROLES)}; an admin has a token"
            problems.append({"field": "role", "message": message})
        if problems:
            raise Invalid("; ".join(f"{p['field']}: {p['message']}" for p in problems), problems)
        logins = self._replica.store.logins
        present = logins.staff()
        if any(row.login == login_of(name) for row in present):
            raise Conflict(f"{name} is staff of this device already; choose another name")
        if len(present) >= STAFF_MAX:
            raise Conflict(f"this device has {STAFF_MAX} staff; remove who is gone first")
        now_ms = self._replica.clock.now_ms()
        row = StaffRow(staff_id, login_of(name), name, role, pin, now_ms, 0)
        logins.put_staff(row)
        logins.forget_wrong_pins(self._who(name))
        return row

    def set_pin(self, sessions: Sessions, row: StaffRow, pin: str) -> None:
        """Give somebody another PIN, which ends their sessions and opens a lock; call in a
        transaction."""
        logins = self._replica.store.logins
        logins.set_pin(row.id, pin)
        logins.forget_wrong_pins(self._who(row.name))
        sessions.end_of(STAFF, row.id)

    def remove(self, sessions: Sessions, row: StaffRow) -> None:
        """Remove somebody, and end their sessions; call in a transaction."""
        self._replica.store.logins.drop_staff(row.id)
        sessions.end_of(STAFF, row.id)

    def unlock(self, row: StaffRow) -> None:
        """Let somebody try again at once, and so this device; call in a transaction."""
        for who in (self._who(row.name), _DEVICE):
            self._replica.store.logins.forget_wrong_pins(who)

    def locked_until_ms(self, row: StaffRow) -> int:
        """Until when somebody cannot log in here, Unix milliseconds; 0: they can."""
        now_ms = self._now_ms()
        with self._replica.lock:
            wrong = self._replica.store.logins.wrong_pins(self._who(row.name))
        return wrong.locked_until_ms if wrong.locked_until_ms > now_ms else 0

    # --- logging in -------------------------------------------------------------------------------

    async def log_in(self, sessions: Sessions, name: str, pin: str) -> Session:
        """A session for whoever knows a name's PIN. Raises RateLimited while it is locked, and
        Unauthorised, which does not say which of the two was wrong."""
        async with self._turn:
            before = await self._run(self._count, name)
            row = self._find(name)
            right = await asyncio.to_thread(
                self._pins.is_right,
                row.id if row is not None else secrets.token_hex(8),
                pin,
                row.pin if row is not None else None,
            )
            if row is None or not right:
                raise Unauthorised("the name or the PIN is wrong")
            session: Session = await self._run(self._let_in, sessions, row, before)
            return session

    def _count(self, name: str) -> WrongPins:
        """Count a try as a wrong one. Returns how the device stood before; raises RateLimited."""
        who = self._who(name)
        with self._replica.transaction():
            logins = self._replica.store.logins
            now_ms = self._now_ms()
            of_name, of_device = logins.wrong_pins(who), logins.wrong_pins(_DEVICE)
            self._require_open(now_ms, of_name)
            self._require_open(now_ms, of_device)
            if now_ms - of_device.last_at_ms >= PIN_TRIES_FORGOTTEN_MS:
                of_device = WrongPins(0, 0, 0)
            for one, wrong, allowed in (
                (who, of_name, PIN_TRIES),
                (_DEVICE, of_device, PIN_TRIES_PER_DEVICE),
            ):
                logins.put_wrong_pins(one, _one_more(wrong, allowed, now_ms), PIN_NAMES_MAX)
        return of_device

    def _require_open(self, now_ms: int, wrong: WrongPins) -> None:
        # A clock that ran ahead before a restart must not lock anybody out for years.
        wait_ms = min(wrong.locked_until_ms - now_ms, PIN_LOCKED_SECONDS[-1] * 1_000)
        if wait_ms > 0:
            seconds = -(-wait_ms // 1_000)
            raise RateLimited(
                f"too many wrong PINs; try again in {seconds} seconds, or have a supervisor unlock "
                "it: `holdfast staff unlock`",
                seconds,
            )

    def _let_in(self, sessions: Sessions, row: StaffRow, before: WrongPins) -> Session:
        if self._by_id.get(row.id) != row:
            raise Unauthorised("the name or the PIN is wrong")  # It was changed meanwhile.
        with self._replica.transaction():
            logins = self._replica.store.logins
            logins.forget_wrong_pins(self._who(row.name))
            logins.put_wrong_pins(_DEVICE, before, PIN_NAMES_MAX)
            logins.logged_in(row.id, self._replica.clock.now_ms())
            # Last: it remembers in memory what only a commit makes true.
            return sessions.begin((STAFF, row.id))

    def _who(self, name: str) -> bytes:
        """What stands for a name in the count: people type PINs into the field of the name."""
        return self._pins.mark(login_of(name))

    def _now_ms(self) -> int:
        return int(self._begun_ms + self._replica.clock.monotonic_ms())


def require_given(maker: Caller, role: str) -> None:
    """Whoever has some permissions of a role alone lets nobody log in with more: whose PIN they
    chose they could be. Raises Forbidden."""
    beyond = sorted(permissions_of(role) - maker.permissions)
    if role in STAFF_ROLES and beyond:
        raise Forbidden(f"nobody gives what they have not: {', '.join(beyond)}")


def login_of(name: str) -> str:
    """A name as it is compared: in one form of Unicode, in small letters."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()


def _one_more(wrong: WrongPins, allowed: int, now_ms: int) -> WrongPins:
    tries = wrong.tries + 1
    if tries < allowed:
        return WrongPins(tries, now_ms, 0)
    step = min(tries - allowed, len(PIN_LOCKED_SECONDS) - 1)
    return WrongPins(tries, now_ms, now_ms + PIN_LOCKED_SECONDS[step] * 1_000)
