"""One question to each of several time servers, and their answers as values.

Owns the NTP exchange: addresses, sockets, timeouts, packets (by `ntplib`, loaded when first used).
Judges nothing: whether an answer is believed stands in `model/discipline.py`.

ntplib's own `NTPClient.request` is not used. It sends version 2, stamps with the wall clock (which
may step in between), keeps nothing that an answer's origin could be compared with, and takes the
first datagram of the right address. Here the question carries a random number as its time, which
only the asked server can repeat, and our two readings come from the monotonic clock.
"""

from __future__ import annotations

import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from holdfast.model.discipline import Reply

_PORT: Final = 123
_VERSION: Final = 4
_CLIENT: Final = 3
_PACKET_BYTES_MAX: Final = 1_024
_NONCE_BITS: Final = 53
"""As many as a float carries exactly through ntplib: 32 of seconds, 21 of the fraction."""
_ERA_SECONDS: Final = 1 << 32
_RESOLVE_GRACE_SECONDS: Final = 0.5


class Answer(NamedTuple):
    """What a server at `address` (numeric, with port) said."""

    address: str
    reply: Reply


def ask_all(
    servers: Sequence[str], monotonic: Callable[[], float], timeout_seconds: float
) -> dict[str, Answer | str]:
    """Ask all `servers` (`host[:port]`) at once: each one's answer, or the reason for none.

    Reasons: `bad-address`, `unknown-host`, `unreachable`, `timeout`, `malformed`. Returns within
    about the timeout even where looking names up hangs: such a thread is a daemon and left behind.
    """
    inbox: queue.SimpleQueue[tuple[str, Answer | str]] = queue.SimpleQueue()

    def ask_one(server: str) -> None:
        inbox.put((server, _ask(server, monotonic, timeout_seconds)))

    for server in servers:
        threading.Thread(target=ask_one, args=(server,), name=f"ntp {server}", daemon=True).start()
    answers: dict[str, Answer | str] = dict.fromkeys(servers, "timeout")
    deadline = time.monotonic() + timeout_seconds + _RESOLVE_GRACE_SECONDS
    for _ in servers:
        try:
            server, answer = inbox.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        answers[server] = answer
    return answers


def parse_address(server: str) -> tuple[str, int] | None:
    """Host and port of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6; else None."""
    host, port = server.strip(), str(_PORT)
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return None
        port = rest[1:] if rest else port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65_536:
        return None
    return host, int(port)


def _ask(server: str, monotonic: Callable[[], float], timeout_seconds: float) -> Answer | str:
    place = parse_address(server)
    if place is None:
        return "bad-address"
    try:
        found = socket.getaddrinfo(*place, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return "unknown-host"
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as connection:
                # Connected: the system drops datagrams of others and reports a closed port.
                connection.connect(address)
                heard = _exchange(server, connection, monotonic, timeout_seconds)
        except TimeoutError:
            return "timeout"
        except OSError:
            continue
        return heard if isinstance(heard, str) else Answer(str(address[:2]), heard)
    return "unreachable"


def _exchange(
    server: str,
    connection: socket.socket,
    monotonic: Callable[[], float],
    timeout_seconds: float,
) -> Reply | str:
    """Ask and listen. What does not answer our question is passed over until the time is out:
    who can only forge such datagrams must not be able to shut a good server out."""
    import ntplib

    nonce = secrets.randbits(_NONCE_BITS) / (1 << (_NONCE_BITS - 32))
    question = ntplib.NTPPacket(version=_VERSION, mode=_CLIENT, tx_timestamp=nonce).to_data()
    sent_ms = monotonic()
    connection.send(question)
    passed_over: Reply | str = "timeout"
    for datagram, returned_ms in _listen(connection, monotonic, timeout_seconds):
        packet = ntplib.NTPStats()
        try:
            packet.from_data(datagram)
        except ntplib.NTPException:
            passed_over = "malformed"
            continue
        reply = _reply(server, packet, nonce, sent_ms, returned_ms)
        if reply.origin_matches:
            return reply
        passed_over = reply
    return passed_over


def _listen(
    connection: socket.socket, monotonic: Callable[[], float], timeout_seconds: float
) -> Iterator[tuple[bytes, float]]:
    deadline = time.monotonic() + timeout_seconds
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            datagram = connection.recv(_PACKET_BYTES_MAX)
        except TimeoutError:
            return
        yield datagram, monotonic()


def _reply(server: str, packet: Any, nonce: float, sent_ms: float, returned_ms: float) -> Reply:
    return Reply(
        source=server,
        sent_ms=sent_ms,
        received_ms=_unix_ms(packet.recv_timestamp),
        answered_ms=_unix_ms(packet.tx_timestamp),
        returned_ms=returned_ms,
        origin_matches=packet.orig_timestamp == nonce,
        mode=packet.mode,
        leap=packet.leap,
        stratum=packet.stratum,
        root_delay_ms=packet.root_delay * 1_000,
        root_dispersion_ms=packet.root_dispersion * 1_000,
        kiss=_kiss(packet.ref_id) if packet.stratum == 0 else "",
    )


def _unix_ms(ntp_seconds: float) -> float:
    """Unix milliseconds; 0 for an empty field. ntplib knows only the era that ends in 2036: a
    clear top bit means the next one (RFC 4330, 3), which serves until 2104."""
    import ntplib

    if ntp_seconds == 0:
        return 0.0
    if ntp_seconds < _ERA_SECONDS / 2:
        ntp_seconds += _ERA_SECONDS
    return float(ntplib.ntp_to_system_time(ntp_seconds)) * 1_000


def _kiss(ref_id: int) -> str:
    """The four letters of a stratum-0 answer, with anything that is no letter left out."""
    letters = (chr(byte) for byte in ref_id.to_bytes(4, "big"))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
