"""How a device stands with its hub: heard, shut out, or with a certificate that is good no more.

Owns what a book says of a certificate's bearer; at the device the note that it was shut out, which
outlives a restart and stays until the hub answers again, and the words about it. A device that was
shut out goes on writing and trying, so that a mistake at the hub costs no entry; but it promises
nothing, for what it would promise now the hub's word has made void already (DESIGN §5.12). The
hub's refusals carry no signature: whoever can forge one (TLS keeps strangers from it) turns
promises into questions until the hub answers the next time, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.model.discipline import Interval
from holdfast.model.errors import Forbidden, HoldfastError, Unauthorised
from holdfast.node.identity import HUB_ROLE, OTHER_ROOT, Identity

if TYPE_CHECKING:
    from holdfast.node.books import BookState
    from holdfast.node.local_identity import LocalIdentity
    from holdfast.store.records import Records

REVOKED: Final = "revoked"
"""The `reason` of the hub's problem document for a device that was shut out (docs/protocol.md)."""
NOTE_KEY: Final = "sync.revoked_at_ms"


EXPIRED: Final = "expired"
"""The same for a certificate whose time is over."""
REPLACED: Final = "replaced"
"""The same for one whose key its device has replaced by another."""
RENEWED: Final = "renewed"
"""The same, of a renewal, for one that was renewed for another key already."""


def is_other_root(error: HoldfastError) -> bool:
    """Whether a certificate failed because it is of another root than is believed here."""
    return error.extra.get("reason") == OTHER_ROOT


def other_root() -> Unauthorised:
    """What a device is told where the hub at its address is not the tenant's: made anew, say, with
    a root key of its own. A new code would not help: a device has one root for good."""
    return Unauthorised(
        "this hub has another root key than the one that admitted this device, whose certificate"
        " was therefore not issued by this tenant's root key: another hub stands at the address."
        " Nothing was exchanged or lost. Do not rejoin. Was the hub lost, build it with its old"
        " root key there (`holdfast hub init --root FILE`) or restore its backup; has it moved,"
        " name its address here (`holdfast node set-hub URL`)",
        reason=OTHER_ROOT,
    )


def require_good(book: BookState, bearer: Identity) -> None:
    """Whether a book lets the bearer of a certificate take part. Raises Forbidden for a device that
    was shut out, Unauthorised for a key that was replaced."""
    if bearer.role != HUB_ROLE and book.administration.is_revoked(bearer.serials):
        raise refusal(bearer.name, book.name.partition("/")[2])
    # Of the hub the serial numbers suffice: nobody is issued a certificate of its over the network.
    older = bearer.role != HUB_ROLE and bearer.not_before_ms < book.replaced_ms.get(bearer.line, 0)
    if older or bearer.serial in book.superseded:
        raise Unauthorised(
            f"{bearer.name} has another key by now, and this is the one before it; if that was not "
            "this device, somebody else has its keys: shut it out, and rejoin with a new code",
            reason=REPLACED,
        )


def require_current(bearer: Identity, now: Interval) -> None:
    """Whether a certificate's time has come and is not over. Raises Unauthorised.

    A clock that is behind, as after a dead battery, keeps nobody out.
    """
    if now.earliest > bearer.not_after_ms:
        raise Unauthorised(
            f"the certificate of {bearer.name} has expired; make a new code at the hub, and rejoin "
            "with it: `holdfast node rejoin --code CODE`",
            reason=EXPIRED,
        )
    if now.state == "disciplined" and now.latest < bearer.not_before_ms:
        raise Unauthorised(f"the certificate of {bearer.name} is not valid yet")


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


EXPIRED_WORDS: Final = (
    "The certificate of this device has expired, if the date of this device is right: the hub hears"
    " it no more. What is written here stays here until somebody at the hub makes a new join code"
    " for it; with that, what was never sent goes out."
)


def way_out(identity: LocalIdentity) -> list[str]:
    """The commands that let in again a device that is not heard: at the hub, then here."""
    return [
        f"holdfast hub invite --venue {identity.venue} --role {identity.role} "
        f"--name {identity.name}",
        "holdfast node rejoin --code CODE",
    ]


def shown(
    records: Records, identity: LocalIdentity, last_error: str, now: Interval
) -> dict[str, Any]:
    """The fields of `GET /sync` that say why the state is as it is: a code, words, and commands."""
    if is_shut_out(records):
        return {
            "reason": REVOKED,
            "detail": SHUT_OUT_WORDS,
            "way_out": way_out(identity),
        }
    if now.earliest > identity.proven.not_after_ms:
        return {"reason": EXPIRED, "detail": EXPIRED_WORDS, "way_out": way_out(identity)}
    return {"reason": None, "detail": last_error or None, "way_out": []}
