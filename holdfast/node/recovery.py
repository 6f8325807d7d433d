"""A hub that was restored, rebuilt or replaced: when it may write again, and when never (§5.9).

Owns that judgement, per book, and the closing of the lives before. It asks entries and who was
heard, never a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from holdfast.model.events import ChainClosed

if TYPE_CHECKING:
    from holdfast.node.hub import Hub

REBUILT_KEY: Final = "rebuilt"


class Recovery:
    """Remembers the lives in each book that were heard whole since this process began; those of
    the transaction that is under way count with it and are forgotten with it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._met: set[tuple[str, bytes]] = set()
        self._meeting: set[tuple[str, bytes]] = set()

    def forget(self) -> None:
        """Nobody counts as heard by what was not kept."""
        self._meeting.clear()

    def keep(self) -> None:
        """What was heard in the transaction that ends here is on disk."""
        self._met |= self._meeting
        self._meeting.clear()

    def heard(self, name: str, incarnation: bytes) -> None:
        """A device, in this life, holds nothing of a book that this hub lacks. Call inside
        `transaction`."""
        self._meeting.add((name, incarnation))

    def _silent(self, name: str) -> set[bytes]:
        """Lives of devices that were not heard, and must be before a recovery ends: not those that
        were shut out or closed, or that another life says it goes on for. Names do not count: two
        devices may bear one."""
        book = self._hub.book(name)
        administration = book.administration
        continued = {before for lives in administration.succeeds.values() for before in lives}
        return {
            incarnation
            for incarnation, author in book.authors.items()
            if not author.info.is_hub
            and incarnation not in administration.closes
            and incarnation not in continued
            and not administration.is_revoked(author.bearer)
            and (name, incarnation) not in self._met | self._meeting
        }

    def _names(self, name: str, incarnations: Iterable[bytes]) -> list[str]:
        authors = self._hub.book(name).authors
        return sorted({authors[incarnation].info.name for incarnation in incarnations})

    def may_write(self, name: str) -> bool:
        """Whether this hub sells, grants and decides in a book: neither recovering nor replaced."""
        return not (self.recovering(name) or self.replaced(name))

    def replaced(self, name: str) -> bool:
        """Whether another life of the hub has closed this one: it serves what it holds and writes
        nothing any more, for nothing of it would count (§5.9)."""
        book = self._hub.books.get(name)
        return book is not None and self._hub.identity.incarnation in book.administration.closes

    def recovering(self, name: str) -> bool:
        """Whether another life of the hub wrote in this book and is not closed yet, or may have
        and no device of the book has been heard (§5.9)."""
        with self._hub.lock:
            return bool(self._unclosed_hubs(name)) or self._unheard(name)

    def _unheard(self, name: str) -> bool:
        """Whether this hub was rebuilt from a root key and knows nothing of this book yet."""
        records = self._hub.store.records
        return records.get(REBUILT_KEY) is not None and records.get(_heard_key(name)) is None

    def _unclosed_hubs(self, name: str) -> list[bytes]:
        book = self._hub.books.get(name)
        if book is None:
            return []
        administration = book.administration
        own = self._hub.identity.incarnation
        return [
            life
            for life in administration.hubs
            if life != own and life not in administration.closes
        ]

    @property
    def exchange_state(self) -> str:
        with self._hub.lock:
            if any(self.replaced(name) for name in self._hub.books):
                return "replaced"
            waiting = any(self.recovering(name) for name in self._hub.books) or (
                not self._hub.books and self._hub.store.records.get(REBUILT_KEY) is not None
            )
        return "recovering" if waiting else "serving"

    def recover(self, proceed: bool = False) -> dict[str, Any]:
        """Leave `recovering` in every book whose known devices have all been heard.

        A person says so, never the hub by itself: a device that joined after the backup was made,
        or that no other device has heard of, is known to nobody here, and its sales are.

        With `proceed` a person says to go on without the missing ones: they are revoked first, at
        the head that this hub holds. Returns, per venue, who is still `missing` and who was
        `shut_out`.
        """
        missing: dict[str, list[str]] = {}
        shut_out: dict[str, list[str]] = {}
        if proceed:
            with self._hub.transaction():
                self._hub.store.records.drop(REBUILT_KEY)
        with self._hub.lock:
            names = sorted(self._hub.books)
        for name in names:
            if not self.recovering(name):
                continue
            with self._hub.lock:
                lives = self._silent(name)
                silent = self._names(name, lives)
            heard = any(book == name for book, _ in self._met | self._meeting)
            nobody = self._unheard(name) and not heard
            if not proceed and (silent or nobody or self._rivalled(name)):
                missing[name.partition("/")[2]] = silent
                continue
            with self._hub.transaction():
                self.close_hubs(name)
                self._hub.admission.shut_out_lives(name, lives)
                if silent:
                    shut_out[name.partition("/")[2]] = silent
            self._hub.take_all_back(name)
            self._hub.settle(name)
        return {"state": self.exchange_state, "missing": missing, "shut_out": shut_out}

    def standing(self) -> list[dict[str, Any]]:
        """Of every venue whose book recovers: which devices were `heard` since this process began,
        and who was `not_heard`, with when this hub saw each last (0: never). Changes nothing."""
        found: list[dict[str, Any]] = []
        with self._hub.lock:
            seen = {
                (row.book, row.incarnation): row.last_seen_ms
                for row in self._hub.store.records.fleet()
            }
            for name in sorted(self._hub.books):
                if not self.recovering(name):
                    continue
                authors = self._hub.book(name).authors
                heard = (life for book, life in self._met | self._meeting if book == name)
                last = {
                    authors[life].info.name: seen.get((name, life), 0)
                    for life in sorted(self._silent(name))
                }
                found.append(
                    {
                        "venue": name.partition("/")[2],
                        "heard": self._names(name, [life for life in heard if life in authors]),
                        "not_heard": [
                            {"name": device, "last_seen_at_ms": ms}
                            for device, ms in sorted(last.items())
                        ],
                        "rivals": self._rivalled(name),
                    }
                )
        return found

    def _rivalled(self, name: str) -> bool:
        """Whether another life of the hub claims to follow the one that this one follows: which
        of the two goes on is for a person to say (§5.9)."""
        return bool(self._hub.book(name).administration.rivals)

    def close_hubs(self, name: str) -> None:
        """Close every earlier life of the hub at the head held here: what counts of it is named.

        Of a rival, which went on beside this one, nothing counts but its name: what it sold is
        asked of this hub like anything else, and displaced where the place was sold here too.
        """
        self._hub.store.records.put(_heard_key(name), b"1")
        # Of a rival not even its word counts that closed another one: that one is closed anew.
        while unclosed := sorted(self._unclosed_hubs(name)):
            rivals = self._hub.book(name).administration.rivals
            for incarnation in unclosed:
                chain = self._hub.standing(name, incarnation)
                entries = 1 if incarnation in rivals else chain.length
                head = self._hub.store.journal.hash_at(chain, entries)
                assert head is not None
                self._hub.append(
                    name, ChainClosed(incarnation, b"", entries, head, "hub_recovered")
                )
        self._hub.admission.grant_codes(name, self._hub.identity.incarnation)


def _heard_key(book: str) -> str:
    return f"rebuilt.heard.{book}"
