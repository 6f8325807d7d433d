"""Whether a device was shut out by its hub: noted when the hub says so, until it answers again.

Owns the note, which outlives a restart, and the words about it. Nothing is decided by it: a device
that was shut out goes on writing and trying, so that a mistake at the hub costs nothing here. The
hub's refusals carry no signature, which is one reason more to show this note and do nothing by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.model.errors import Forbidden, HoldfastError

if TYPE_CHECKING:
    from holdfast.node.local_identity import LocalIdentity
    from holdfast.store.records import Records

REVOKED: Final = "revoked"
"""The `reason` of the hub's problem document for a device that was shut out (docs/protocol.md)."""
NOTE_KEY: Final = "sync.revoked_at_ms"


def refusal(name: str, venue: str) -> Forbidden:
    """What a device that was shut out is told."""
    return Forbidden(f"{name} was shut out of {venue}; ask the operator of the hub", reason=REVOKED)


def code_of(error: HoldfastError) -> str:
    """Why an exchange failed, as a code: the queue keeps it with what could not be sent."""
    return str(error.extra.get("reason") or error.name)


def note_failure(records: Records, error: HoldfastError, now_ms: int) -> None:
    """Remember a shutting out, once, and say so in the log of the exchange. In a transaction."""
    if code_of(error) == REVOKED and not is_shut_out(records):
        records.put_int(NOTE_KEY, now_ms)
        records.log_sync(now_ms, "shut-out", "the hub has shut this device out")


def note_answer(records: Records) -> None:
    """The hub has answered an exchange, so that the device is heard. In a transaction."""
    records.drop(NOTE_KEY)


def is_shut_out(records: Records) -> bool:
    return records.get(NOTE_KEY) is not None


SHUT_OUT_WORDS: Final = (
    "The hub has shut this device out: what is written here stays here and reaches nobody, and"
    " nothing new comes in. If it should go on, somebody at the hub makes a new join code for it;"
    " with that, what was never sent goes out."
)


def way_out(identity: LocalIdentity) -> list[str]:
    """The commands that let in again a device that was shut out: at the hub, then here."""
    return [
        f"holdfast hub invite --venue {identity.venue} --role {identity.role} "
        f"--name {identity.name}",
        "holdfast node rejoin --code CODE",
    ]


def shown(records: Records, identity: LocalIdentity, last_error: str) -> dict[str, Any]:
    """The fields of `GET /sync` that say why the state is as it is: a code, words, and commands."""
    if is_shut_out(records):
        return {
            "reason": REVOKED,
            "detail": SHUT_OUT_WORDS,
            "way_out": way_out(identity),
        }
    return {"reason": None, "detail": last_error or None, "way_out": []}
