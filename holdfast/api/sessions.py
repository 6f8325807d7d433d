"""Sessions of pages, and the tickets that begin one.

Owns how a session is made, found by its cookie, and ended. It has the rights of what it was made
from, at every request anew: with a token that is revoked or expires, with a member of staff who is
removed, its sessions are over, because there is nobody left whom they stand for. Kept are hashes
alone. A session belongs to one life of the directory: a restored copy has none.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.api.callers import Caller, permissions_of
from holdfast.api.tokens import digest_of
from holdfast.model.capacity import DAY_SECONDS
from holdfast.model.errors import Forbidden, PageShut, Unauthorised
from holdfast.model.limits import (
    GUEST_IDLE_MS,
    GUEST_MS_MAX,
    GUEST_SESSIONS_MAX,
    SESSION_IDLE_MS,
    SESSION_MS_MAX,
    SESSIONS_MAX,
    STAFF_IDLE_MS,
    STAFF_MS_MAX,
    TICKET_SECONDS,
    TICKETS_MAX,
    TOKEN_NOTED_EVERY_MS,
)
from holdfast.store.logins import SessionRow

if TYPE_CHECKING:
    from holdfast.api.face import Replica

STAFF: Final = "staff"
GUEST: Final = "guest"
"""Whoever opened the guests' page and has no token: the subject is an agent id."""
ROLE_BY_PAGE: Final = {"desk": "supervisor", "kiosk": "kiosk", "hub": "admin"}
"""What a page that is opened by ticket may do, where whoever made the ticket may."""
CSRF_HEADER: Final = "x-csrf-token"

Standing = Callable[[str, str], Caller | None]


class Session(NamedTuple):
    """A new session: its cookie's value, which nobody keeps, and who calls by it."""

    secret: str
    caller: Caller
    seconds: int | None
    """How long the browser may keep the cookie; None: until it is closed."""


class Sessions:
    """The sessions of one data directory, in memory by hash.

    `standing` tells whom a kind and a subject stand for now. Spans are measured by a clock that
    begins at the device's time and then runs with the monotonic one: setting the wall clock ends
    no session and prolongs none.
    """

    def __init__(self, replica: Replica, standing: Standing) -> None:
        self._replica = replica
        self._standing = standing
        self._begun_ms = replica.clock.now_ms() - replica.clock.monotonic_ms()
        self._by_hash: dict[bytes, SessionRow] = {}
        # Apart from the rows: whoever is just being let in must not bring a session back that the
        # worker has ended meanwhile.
        self._used_ms: dict[bytes, int] = {}
        self._noted_ms: dict[bytes, int] = {}
        self.reload()

    @property
    def cookie(self) -> str:
        """The cookie's name. Browsers tell hosts apart and no ports, so that each replica has a
        name of its own."""
        return f"holdfast-{self._replica.identity.incarnation.hex()[:12]}"

    def reload(self) -> None:
        """Read them anew: what has ended is left out."""
        with self._replica.lock:
            rows = self._replica.store.logins.sessions()
        self._by_hash = {row.hash: row for row in rows if not self._is_over(row)}
        for times in (self._used_ms, self._noted_ms):
            for digest in set(times) - set(self._by_hash):
                times.pop(digest, None)

    # --- who calls --------------------------------------------------------------------------------

    def authenticate(self, secret: str) -> Caller:
        """The caller that has a cookie; the session is in use. Raises Unauthorised, and its kind
        PageShut for a guest who is known and shut out only as long as guests have no page here."""
        digest = digest_of(secret)
        caller = self.find(digest)
        if caller is None:
            row = self._by_hash.get(digest)
            if row is not None and row.kind == GUEST and not self._is_over(row):
                raise PageShut("guests do not reserve here by themselves at present")
            raise Unauthorised("this session is over; log in again")
        self._used_ms[digest] = self._now_ms()
        return caller

    def find(self, digest: bytes) -> Caller | None:
        """Who calls by a session, which is not in use by that; None where it is over."""
        row = self._by_hash.get(digest)
        return None if row is None or self._is_over(row) else self._caller(row)

    def check_csrf(self, secret: str, header: str | None) -> None:
        """What a page writes carries the session's second secret, which no other site can read.
        Raises Forbidden."""
        # As bytes: texts that are no ASCII, as a header may hold, cannot be compared so.
        given = (header or "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(csrf_of(secret).encode(), given):
            raise Forbidden(
                "a write by cookie needs the header X-CSRF-Token, with `csrf` as GET /session "
                "tells it"
            )

    def _caller(self, row: SessionRow) -> Caller | None:
        base = self._standing(row.kind, row.subject)
        if base is None:
            return None
        role = row.role or base.role
        return base._replace(
            token=f"{base.token} by session",
            role=role,
            permissions=base.permissions & permissions_of(role),
            session=row.hash,
        )

    def _is_over(self, row: SessionRow) -> bool:
        if row.life != self._replica.identity.incarnation:
            return True
        idle_ms, whole_ms = _spans(row.kind)
        now_ms = self._now_ms()
        # What seems to be made later than now was made by a clock that ran ahead: nobody can say
        # how old it is.
        idle = now_ms - self._last_used_ms(row) >= idle_ms
        return idle or not 0 <= now_ms - row.made_at_ms < whole_ms

    def _last_used_ms(self, row: SessionRow) -> int:
        return max(row.used_at_ms, self._used_ms.get(row.hash, 0))

    def _now_ms(self) -> int:
        return int(self._begun_ms + self._replica.clock.monotonic_ms())

    # --- its use ----------------------------------------------------------------------------------

    def used(self, caller: Caller) -> int:
        """When to write down that a session is in use; 0: it was lately."""
        now_ms = self._now_ms()
        if now_ms - self._noted_ms.get(caller.session, 0) < TOKEN_NOTED_EVERY_MS:
            return 0
        self._noted_ms[caller.session] = now_ms
        return now_ms

    def note_use(self, digest: bytes, at_ms: int) -> None:
        with self._replica.transaction(durable=False):
            self._replica.store.logins.used_session(digest, at_ms)

    # --- making and ending ------------------------------------------------------------------------

    def begin(self, origin: tuple[str, str], role: str = "") -> Session:
        """Make a session of whatever `origin` stands for, narrowed to a page's role if one is
        given. Of whoever has the most sessions the one longest unused makes room for it, so that
        nobody who logs in again and again logs others out; guests make room for guests alone.
        Raises Unauthorised."""
        secret = f"hfs_{secrets.token_urlsafe(32)}"
        now_ms = self._now_ms()
        life = self._replica.identity.incarnation
        row = SessionRow(digest_of(secret), life, *origin, role, now_ms, now_ms)
        caller = self._caller(row)
        if caller is None:
            raise Unauthorised("whoever this was made for may do nothing here any more")
        with self._replica.transaction():
            logins = self._replica.store.logins
            for digest in self._to_drop(logins.sessions(), guest=row.kind == GUEST):
                logins.drop_session(digest)
                self._forget(digest)
            logins.put_session(row)
        self._by_hash[row.hash] = row
        kept = None if row.kind == STAFF else _spans(row.kind)[1] // 1_000
        return Session(secret, caller, kept)

    def _to_drop(self, rows: list[SessionRow], *, guest: bool) -> set[bytes]:
        """What is over, and what makes room for one more."""
        dropped = {one.hash for one in rows if self._is_over(one)}
        rest = [one for one in rows if one.hash not in dropped and (one.kind == GUEST) == guest]
        if guest:
            return dropped | self._spared_guests(dropped, len(rest) - GUEST_SESSIONS_MAX + 1)
        while len(rest) >= SESSIONS_MAX:
            spared = self._spared_first(rest)
            dropped.add(spared.hash)
            rest.remove(spared)
        return dropped

    def _spared_guests(self, dropped: set[bytes], number: int) -> set[bytes]:
        """Whoever opens the page a thousand times takes no reservation out of anybody's sight: of
        all who have no reservation here the one longest unused goes, then of those to whom nothing
        is to come, and only then whoever is longest unused."""
        if number <= 0:
            return set()
        # Whoever sits at a table now is not over yet. When a session was last in use the store
        # knows to the minute, which is near enough for months.
        since = self._replica.clock.now_ms() // 1_000 - DAY_SECONDS
        longest = self._replica.store.logins.least_needed(GUEST, since, number + len(dropped))
        return set([one for one in longest if one not in dropped][:number])

    def _spared_first(self, rows: list[SessionRow]) -> SessionRow:
        counts = Counter((row.kind, row.subject) for row in rows)
        most = max(counts.values())
        return min(
            (row for row in rows if counts[row.kind, row.subject] == most), key=self._last_used_ms
        )

    def end(self, digest: bytes) -> None:
        """End one session."""
        with self._replica.transaction():
            self._replica.store.logins.drop_session(digest)
        self._forget(digest)

    def _forget(self, digest: bytes) -> None:
        self._by_hash.pop(digest, None)
        self._used_ms.pop(digest, None)
        self._noted_ms.pop(digest, None)

    def end_of(self, kind: str, subject: str) -> None:
        """End every session of a token or of a member of staff; call in a transaction, and
        `reload` after it."""
        logins = self._replica.store.logins
        for row in logins.sessions():
            if (row.kind, row.subject) == (kind, subject):
                logins.drop_session(row.hash)

    # --- tickets ----------------------------------------------------------------------------------

    def ticket(self, maker: Caller, page: str) -> tuple[str, int]:
        """A ticket for a page, and its end by this device's time; call in a transaction."""
        secret = f"hfo_{secrets.token_urlsafe(32)}"
        now_ms = self._now_ms()
        row = SessionRow(
            digest_of(secret), self._replica.identity.incarnation, *maker.origin,
            ROLE_BY_PAGE[page], now_ms, now_ms,
        )  # fmt: skip
        self._replica.store.logins.put_ticket(row, TICKETS_MAX)
        return secret, self._replica.clock.now_ms() + TICKET_SECONDS * 1_000

    def redeem(self, ticket: str) -> Session:
        """The session that a ticket is for; it is used up, whatever comes of it. Raises
        Unauthorised."""
        with self._replica.transaction():
            row = self._replica.store.logins.take_ticket(digest_of(ticket))
        here = row is not None and row.life == self._replica.identity.incarnation
        if row is None or not here or not 0 <= self._now_ms() - row.made_at_ms < _TICKET_MS:
            raise Unauthorised(
                "this ticket was used, or is older than a minute; `holdfast open` makes another"
            )
        return self.begin((row.kind, row.subject), row.role)


_TICKET_MS: Final = TICKET_SECONDS * 1_000


def csrf_of(secret: str) -> str:
    """The second secret of a session. It follows from the cookie's value, so that nothing more is
    kept; the value does not follow from it."""
    digest = hmac.digest(secret.encode("utf-8", "surrogateescape"), b"holdfast.csrf", "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _spans(kind: str) -> tuple[int, int]:
    """How long a session lives unused, and at the most, in milliseconds."""
    if kind == STAFF:
        return STAFF_IDLE_MS, STAFF_MS_MAX
    if kind == GUEST:
        return GUEST_IDLE_MS, GUEST_MS_MAX
    return SESSION_IDLE_MS, SESSION_MS_MAX
