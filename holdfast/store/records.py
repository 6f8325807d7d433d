"""Small keyed records of one replica: settings, answers given, tokens, codes, fleet, log.

Owns those tables. Values that have structure of their own come and go as bytes or as plain
columns; what they mean is the node's business.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlite_utils import Database


class Token(NamedTuple):
    """`venues` and `permissions` narrow what the role may do; empty: they do not. Times are Unix
    milliseconds; 0: never."""

    id: str
    name: str
    role: str
    agent_id: str
    hash: bytes
    made_at_ms: int
    revoked_at_ms: int
    venues: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    expires_at_ms: int = 0
    used_at_ms: int = 0


_COLUMNS_OF_TOKENS = (
    "id, name, role, agent_id, hash, made_at_ms, revoked_at_ms, venues, permissions,"
    " expires_at_ms, used_at_ms"
)


class Answer(NamedTuple):
    """What an idempotency key was answered with: never a card, only the id of what was made."""

    body_hash: bytes
    status: int
    subject: str
    route: str
    at_ms: int


class FleetRow(NamedTuple):
    incarnation: bytes
    book: str
    node: str
    role: str
    first_seen_ms: int
    last_seen_ms: int
    detail: bytes


class CertificateRow(NamedTuple):
    """A certificate that this hub issued or was shown, by its serial number (20 bytes)."""

    serial: bytes
    book: str
    node: str
    role: str
    issued_at_ms: int


class RenewalRow(NamedTuple):
    """What the certificate with this serial number (20 bytes) was renewed for: the public key and,
    packed, the certificates that were issued. `refused` is how often another key was asked for."""

    serial: bytes
    book: str
    node: str
    key: bytes
    certificates: bytes
    refused: int = 0


class Records:
    def __init__(self, db: Database) -> None:
        self._c = db.conn
        self._settings: dict[str, bytes] = {}
        self.reload()

    # --- settings -------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the settings anew: after a rollback memory may run ahead of the disk.

        They are few, this process alone writes them, and every entry that is written asks for one.
        """
        self._settings = dict(self._c.execute("SELECT key, value FROM meta"))

    def get(self, key: str) -> bytes | None:
        return self._settings.get(key)

    def put(self, key: str, value: bytes) -> None:
        self._c.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )
        self._settings[key] = value

    def drop(self, key: str) -> None:
        self._c.execute("DELETE FROM meta WHERE key = ?", (key,))
        self._settings.pop(key, None)

    def get_int(self, key: str, default: int = 0) -> int:
        value = self.get(key)
        return default if value is None else int(value)

    def put_int(self, key: str, value: int) -> None:
        self.put(key, str(value).encode())

    # --- certificates ---------------------------------------------------------------------------

    def put_certificate(self, row: CertificateRow) -> None:
        """Remember a certificate, if it is not known yet."""
        self._c.execute("INSERT OR IGNORE INTO certificates VALUES (?, ?, ?, ?, ?)", row)

    def certificates(self) -> list[CertificateRow]:
        """Every certificate that this hub issued or was shown, the oldest first."""
        return [
            CertificateRow(*row)
            for row in self._c.execute(
                "SELECT serial, book, node, role, issued_at_ms FROM certificates"
                " ORDER BY issued_at_ms, serial"
            )
        ]

    def put_renewal(self, row: RenewalRow) -> None:
        self._c.execute("INSERT INTO renewals VALUES (?, ?, ?, ?, ?, ?)", row)

    def renewal(self, serial: bytes) -> RenewalRow | None:
        """What a certificate was renewed for; None where it was not."""
        row = self._c.execute(
            "SELECT serial, book, node, key, certificates, refused FROM renewals WHERE serial = ?",
            (serial,),
        ).fetchone()
        return RenewalRow(*row) if row else None

    def refuse_renewal(self, serial: bytes) -> None:
        """Count that another key was asked for."""
        self._c.execute("UPDATE renewals SET refused = refused + 1 WHERE serial = ?", (serial,))

    def refused_renewals(self, book: str) -> list[tuple[str, bytes, int]]:
        """The device, the certificate and how often, where another key was ever asked for."""
        rows = self._c.execute(
            "SELECT node, serial, refused FROM renewals WHERE book = ? AND refused > 0", (book,)
        )
        return [tuple(row) for row in rows]

    # --- idempotent answers ---------------------------------------------------------------------

    def answer(self, scope: str, key: str) -> Answer | None:
        row = self._c.execute(
            "SELECT body_hash, status, subject, route, at_ms FROM answers"
            " WHERE scope = ? AND key = ?",
            (scope, key),
        ).fetchone()
        return Answer(*row) if row else None

    def put_answer(
        self,
        scope: str,
        key: str,
        body_hash: bytes,
        status: int,
        subject: str,
        route: str,
        at_ms: int,
    ) -> None:
        self._c.execute(
            "INSERT OR REPLACE INTO answers (scope, key, body_hash, status, subject, route, at_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (scope, key, body_hash, status, subject, route, at_ms),
        )

    def sweep_answers(self, before_ms: int) -> int:
        return self._c.execute("DELETE FROM answers WHERE at_ms < ?", (before_ms,)).rowcount

    # --- tokens ---------------------------------------------------------------------------------

    def put_token(self, token: Token) -> None:
        self._c.execute(
            f"INSERT INTO tokens ({_COLUMNS_OF_TOKENS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            token._replace(
                venues=" ".join(token.venues),  # type: ignore[arg-type]
                permissions=" ".join(token.permissions),  # type: ignore[arg-type]
            ),
        )

    def tokens(self) -> list[Token]:
        return [
            Token(*row)._replace(venues=tuple(row[7].split()), permissions=tuple(row[8].split()))
            for row in self._c.execute(
                f"SELECT {_COLUMNS_OF_TOKENS} FROM tokens ORDER BY made_at_ms, id"  # noqa: S608
            )
        ]

    def revoke_token(self, name: str, at_ms: int) -> bool:
        cursor = self._c.execute(
            "UPDATE tokens SET revoked_at_ms = ? WHERE (name = ? OR id = ?) AND revoked_at_ms = 0",
            (at_ms, name, name),
        )
        return cursor.rowcount > 0

    def used_token(self, token_id: str, at_ms: int) -> None:
        """Remember when a token was last used."""
        self._c.execute("UPDATE tokens SET used_at_ms = ? WHERE id = ?", (at_ms, token_id))

    # --- join codes -----------------------------------------------------------------------------

    def put_offer(self, offer_id: str, offer: bytes) -> None:
        self._c.execute("INSERT OR REPLACE INTO join_offers VALUES (?, ?)", (offer_id, offer))

    def offer(self, offer_id: str) -> bytes | None:
        row = self._c.execute("SELECT offer FROM join_offers WHERE id = ?", (offer_id,)).fetchone()
        return row[0] if row else None

    def offers(self) -> list[bytes]:
        """Every code that was handed out, not used and not dropped."""
        return [row[0] for row in self._c.execute("SELECT offer FROM join_offers ORDER BY id")]

    def drop_offer(self, offer_id: str) -> None:
        self._c.execute("DELETE FROM join_offers WHERE id = ?", (offer_id,))

    # --- the fleet, as the hub saw it -------------------------------------------------------------

    def saw_node(
        self, incarnation: bytes, book: str, node: str, role: str, at_ms: int, detail: bytes
    ) -> None:
        self._c.execute(
            "INSERT INTO fleet VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (incarnation) DO UPDATE SET"
            " last_seen_ms = excluded.last_seen_ms, detail = excluded.detail",
            (incarnation, book, node, role, at_ms, at_ms, detail),
        )

    def fleet(self) -> list[FleetRow]:
        return [
            FleetRow(*row)
            for row in self._c.execute(
                "SELECT incarnation, book, node, role, first_seen_ms, last_seen_ms, detail"
                " FROM fleet ORDER BY book, node, first_seen_ms"
            )
        ]

    # --- what the sync did ------------------------------------------------------------------------

    def log_sync(self, at_ms: int, event: str, detail: str, keep: int = 500) -> None:
        self._c.execute(
            "INSERT INTO sync_log (at_ms, event, detail) VALUES (?, ?, ?)", (at_ms, event, detail)
        )
        self._c.execute(
            "DELETE FROM sync_log WHERE id <= (SELECT max(id) - ? FROM sync_log)", (keep,)
        )

    def sync_log(self, limit: int = 50) -> list[tuple[int, str, str]]:
        rows = self._c.execute(
            "SELECT at_ms, event, detail FROM sync_log ORDER BY id DESC LIMIT ?", (limit,)
        ).fetchall()
        return [(row[0], row[1], row[2]) for row in reversed(rows)]
