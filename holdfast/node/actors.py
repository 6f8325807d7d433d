"""Who did something: the pseudonyms of staff and applications, and the names that are known here.

Owns the way from a login or a token's name to the agent id that entries carry as `by`, and back
where this device has that login or token. It reads entries and writes none. A name never leaves the
device by this: it is looked up anew wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from holdfast.model import lifecycle, moments, pseudonyms
from holdfast.model.claims import Seen
from holdfast.model.entries import Malformed, decode
from holdfast.model.reservation import View
from holdfast.node.replica import Replica
from holdfast.store.journal import ChainRow


class Actor(NamedTuple):
    """Who did something: an agent id, and the name of the login or token, if it is known here."""

    agent_id: str
    name: str | None


def of_staff(replica: Replica, login: str) -> str:
    """The agent id of whoever logs in by this name, in the form in which names are compared."""
    return pseudonyms.staff_agent_id(replica.identity.pseudonym_key, login)


def of_application(replica: Replica, token_name: str) -> str:
    """The agent id of a program that calls with a token of this name."""
    return pseudonyms.application_agent_id(replica.identity.pseudonym_key, token_name)


def names(replica: Replica) -> dict[str, str]:
    """The names of this device's staff and tokens, revoked ones too, by their agent ids."""
    with replica.lock:
        staff = replica.store.logins.staff()
        tokens = replica.store.records.tokens()
    known = {of_application(replica, token.name): token.name for token in tokens}
    return known | {of_staff(replica, row.login): row.name for row in staff}


def named(replica: Replica, by: str, known: Mapping[str, str] | None = None) -> Actor | None:
    """Who an entry names, as it is shown; None: nobody. `known`: the names, where they were looked
    up already."""
    if not by:
        return None
    return Actor(by, (names(replica) if known is None else known).get(by))


def shown(replica: Replica, by: str, known: Mapping[str, str] | None = None) -> Any:
    """The same as JSON values."""
    found = named(replica, by, known)
    return None if found is None else found._asdict()


# --- from entries ---------------------------------------------------------------------------------


def maker(replica: Replica, view: View, known: Mapping[str, str] | None = None) -> Actor | None:
    """Who made a reservation, or took a place out of use (V-21); None: nobody is named."""
    with replica.lock:
        record = replica.record(view.id, view.book)
        seen = () if record is None else record.seen
        made = next((one for one in seen if one.operation == view.making), None)
        by = "" if made is None else by_of(replica, view.book, made)
    return named(replica, by, known)


def receivers(replica: Replica, view: View) -> tuple[Actor | None, Actor | None]:
    """Who checked the guests of a reservation in, and who saw them leave (H-13); None: it did not
    happen, or nobody is named."""
    with replica.lock:
        record = replica.record(view.id, view.book)
        seen = () if record is None else record.seen
        came = moments.checking_in(view, seen) if view.checked_in_at_ms else None
        left = moments.completing(seen) if view.status == lifecycle.COMPLETED else None
        by = ["" if one is None else by_of(replica, view.book, one) for one in (came, left)]
    known = names(replica) if any(by) else {}
    return named(replica, by[0], known), named(replica, by[1], known)


def by_of(replica: Replica, book: str, seen: Seen) -> str:
    """Whom an entry about a reservation names; empty: nobody."""
    with replica.lock:
        for chain in replica.store.journal.branches(book, seen.node):
            digest = replica.store.journal.hash_at(chain, seen.n)
            if digest is not None and digest[:16] == seen.operation:
                return by_at(replica, chain, seen.n)
    return ""


def by_at(replica: Replica, chain: ChainRow | int, n: int) -> str:
    """Whom entry n of a chain, or of the chain's row, names; empty: nobody."""
    journal = replica.store.journal
    with replica.lock:
        row = journal.chain_by_id(chain) if isinstance(chain, int) else chain
        found = journal.entries(row, n - 1, n)
    try:
        return decode(found[0]).by if found else ""
    except Malformed:
        return ""
