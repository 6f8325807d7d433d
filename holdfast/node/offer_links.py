"""The address of one offer: whoever has it sees what is offered and takes it, without a login.

Owns what the secret in such an address is made of, and when it is dead: an HMAC over one offer
with a key that never leaves this directory, so that nothing has to be kept of it: another offer to
the same party has another one, and no other replica takes it. Sending it is somebody else's
business.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from holdfast.model import waitlist
from holdfast.model.errors import Gone, NotAvailable, NotFound
from holdfast.model.ids import uuid_text
from holdfast.model.reservation import View
from holdfast.node import waiting
from holdfast.node.acting import acting
from holdfast.node.requests import ReserveRequest
from holdfast.node.restricting import Asking

if TYPE_CHECKING:
    from holdfast.node.service import Service

_KEY: Final = "waitlist.link_key"
_FOR: Final = b"holdfast: take what is offered\0"
_ID_BYTES: Final = 16
_EXPIRY_BYTES: Final = 8
_NAME_BYTES: Final = _ID_BYTES + _EXPIRY_BYTES
_MAC_BYTES: Final = 24
SECRET_CHARS: Final = (_NAME_BYTES + _MAC_BYTES) * 4 // 3
"""Of base64url without padding."""
_GUEST: Final = Asking(told=False, own=True)


def secret_of(replica: Service, reference: str) -> str:
    """The secret of the offer that somebody who waits has now; the same until it is taken or
    lapses. Raises NotAvailable where nothing is offered, Gone where it has lapsed, NotFound."""
    view = waiting.found(replica, reference)
    if waitlist.state_of(view) != waitlist.OFFERED:
        raise NotAvailable(
            f"nothing is offered to {view.code}, so that there is no address to give; "
            f"`holdfast waitlist offer {view.code}` offers a place"
        )
    if replica.clock.now_ms() >= view.expires_at_ms:
        raise _lapsed(view)
    name = view.id + view.expires_at_ms.to_bytes(_EXPIRY_BYTES)
    return base64.urlsafe_b64encode(name + _mac(replica, name)).decode()


def offered(replica: Service, secret: str) -> View:
    """Who is offered something by this secret. Raises NotFound for what is none of this replica's,
    Gone where the offer was taken, taken back, replaced or has lapsed."""
    reservation, until_ms = _read(replica, secret)
    view = replica.view(reservation)
    if view is None:
        raise _unknown()
    state = waitlist.state_of(view)
    if state == waitlist.ACCEPTED:
        raise Gone(
            f"this offer was taken already; it is reservation {view.code}", taken_as=view.code
        )
    if replica.clock.now_ms() >= until_ms:
        raise _lapsed(view)
    if state != waitlist.OFFERED or view.expires_at_ms != until_ms:
        raise Gone(f"this offer to {view.code} does not stand any more")
    return view


def accept(replica: Service, secret: str) -> View:
    """Take what is offered, as the guest whose place in the line it is. Raises as `offered` and
    `waiting.accept`."""
    with replica.transaction():
        view = offered(replica, secret)
        with acting(view.agent_id):
            # By id: a code of a copied device may name two parties, and says so.
            reference = uuid_text(view.id)
            return waiting.accept(replica, reference, ReserveRequest(), _GUEST, by_guest=True)


def _read(replica: Service, secret: str) -> tuple[bytes, int]:
    """The id and the end, in Unix milliseconds, of the offer that a secret of this replica is for.
    Raises NotFound."""
    try:
        data = base64.b64decode(secret.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error):
        data = b""
    name, mac = data[:_NAME_BYTES], data[_NAME_BYTES:]
    if not hmac.compare_digest(mac, _mac(replica, name)):
        raise _unknown()
    return name[:_ID_BYTES], int.from_bytes(name[_ID_BYTES:])


def _mac(replica: Service, name: bytes) -> bytes:
    made = hmac.new(_link_key(replica), _FOR + name, hashlib.sha256)
    return made.digest()[:_MAC_BYTES]


def _link_key(replica: Service) -> bytes:
    records = replica.store.records
    with replica.lock:
        key = records.get(_KEY)
    if key is None:
        key = secrets.token_bytes(32)
        with replica.transaction():
            records.put(_KEY, key)
    return key


def _unknown() -> NotFound:
    # The secret itself stands in no message: what is answered may be written down.
    return NotFound("this is the address of no offer here; ask the house for it again")


def _lapsed(view: View) -> Gone:
    return Gone(f"the offer to {view.code} has lapsed; ask the house whether you still wait")
