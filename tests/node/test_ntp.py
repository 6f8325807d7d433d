"""Time from the network: a real NTP server, and servers that lie, refuse or talk nonsense."""

from __future__ import annotations

import getpass
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from holdfast.model.errors import Invalid
from holdfast.node.ntp import parse_address
from holdfast.node.timekeeping import Timekeeper

NTP_SECONDS_OF_1970 = 2_208_988_800
TWO_HOURS = 7_200.0
TIMEOUT_SECONDS = 0.4


@dataclass
class Responder:
    """A small time server: right in everything but what a test sets."""

    offset_seconds: float = 0.0
    leap: int = 0
    mode: int = 4
    stratum: int = 2
    ref_id: bytes = b"TEST"
    root_delay_seconds: float = 0.001
    root_dispersion_seconds: float = 0.001
    thinking_seconds: float = 0.0
    origin: bytes | None = None
    cut_to_bytes: int = 48
    forged_first: int = 0
    silent: bool = False
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.server = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name=f"responder {self.server}")
        self._thread.start()

    def close(self) -> None:
        """An empty datagram ends the thread."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            question, caller = self._socket.recvfrom(1_024)
            received = time.time()
            if not question:
                return
            self.asked.append(question)
            if self.silent:
                continue
            for _ in range(self.forged_first):
                self._socket.sendto(self._answer(b"forgery!", received, b"DENY", 0), caller)
            origin = question[40:48] if self.origin is None else self.origin
            answer = self._answer(origin, received, self.ref_id, self.stratum)
            self._socket.sendto(answer[: self.cut_to_bytes], caller)

    def _answer(self, origin: bytes, received: float, ref_id: bytes, stratum: int) -> bytes:
        head = bytes([self.leap << 6 | 4 << 3 | self.mode, stratum, 6, 0xEC])
        roots = struct.pack(
            "!II",
            int(self.root_delay_seconds * 65_536),
            int(self.root_dispersion_seconds * 65_536),
        )
        received_at = self._stamp(received)
        answered_at = self._stamp(time.time() + self.thinking_seconds)
        return head + roots + ref_id + received_at + origin + received_at + answered_at

    def _stamp(self, unix_seconds: float) -> bytes:
        seconds = unix_seconds + self.offset_seconds + NTP_SECONDS_OF_1970
        return struct.pack("!II", int(seconds) % 2**32, int(seconds % 1 * 2**32))


@pytest.fixture
def responders() -> Iterator[Any]:
    """Makes responders; they end with the test."""
    made: list[Responder] = []

    def make(**settings: Any) -> Responder:
        made.append(Responder(**settings))
        return made[-1]

    yield make
    for responder in made:
        responder.close()


@pytest.fixture
def keeper() -> Timekeeper:
    return Timekeeper(ntp_timeout_seconds=TIMEOUT_SECONDS)


def results(answer: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Each server's result and reason, in the order of asking."""
    return [(server["result"], server["reason"]) for server in answer["servers"]]


# --- a real server ------------------------------------------------------------------------------

DAEMON = next((found for name in ("chronyd", "ntpd") if (found := shutil.which(name))), None) or (
    next((f"/usr/sbin/{n}" for n in ("chronyd", "ntpd") if Path(f"/usr/sbin/{n}").exists()), None)
)


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def real_server(tmp_path: Path) -> Iterator[str]:
    """A chronyd on loopback that serves this machine's clock and sets nothing (`-x`)."""
    if DAEMON is None:
        pytest.skip("no chronyd on this machine (Debian: apt install chrony)")
    if not DAEMON.endswith("chronyd"):
        pytest.skip(f"{DAEMON} cannot serve without root and port 123; chronyd can")
    port = _free_udp_port()
    configuration = tmp_path / "chrony.conf"
    configuration.write_text(
        f"local stratum 8\nport {port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\ncmdport 0\n"
        f"bindcmdaddress /\npidfile {tmp_path}/chronyd.pid\n"
    )
    with (tmp_path / "chronyd.log").open("w") as output:
        process = subprocess.Popen(
            [DAEMON, "-f", str(configuration), "-d", "-x", "-U", "-u", getpass.getuser()],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def test_a_real_ntp_server_disciplines_the_clock(real_server: str, tmp_path: Path) -> None:
    keeper = Timekeeper()
    deadline = time.monotonic() + 10
    answer = keeper.sample([real_server])
    while not answer["applied"] and time.monotonic() < deadline:  # it may still be starting
        answer = keeper.sample([real_server])
    assert answer["applied"], (answer, (tmp_path / "chronyd.log").read_text())
    assert answer["state"] == "disciplined"
    assert answer["servers"][0]["stratum"] == 8
    assert abs(answer["offset_ms"]) <= answer["uncertainty_ms"] + 1, "it serves our own clock"
    assert answer["uncertainty_ms"] < 1_500
    now = keeper.interval()
    assert now.earliest <= time.time() * 1_000 <= now.latest + 1


def test_a_real_server_and_an_honest_one_out_vote_a_liar(real_server: str, responders: Any) -> None:
    keeper = Timekeeper()
    servers = [responders().server, responders(offset_seconds=TWO_HOURS).server, real_server]
    deadline = time.monotonic() + 10
    answer = keeper.sample(servers)
    while answer["servers"][2]["result"] == "refused" and time.monotonic() < deadline:
        answer = keeper.sample(servers)
    assert [result for result, _ in results(answer)] == ["agrees", "falseticker", "agrees"]
    assert abs(answer["offset_ms"]) < 1_000


# --- liars --------------------------------------------------------------------------------------


def test_a_liar_two_hours_off_is_out_voted_by_two_honest_servers(
    keeper: Timekeeper, responders: Any, caplog: pytest.LogCaptureFixture
) -> None:
    honest, other = responders(), responders(stratum=1)
    liar = responders(offset_seconds=TWO_HOURS)
    answer = keeper.sample([liar.server, honest.server, other.server])
    assert [result for result, _ in results(answer)] == ["falseticker", "agrees", "agrees"]
    assert answer["servers"][0]["offset_ms"] == pytest.approx(TWO_HOURS * 1_000, abs=500)
    assert answer["applied"]
    assert answer["state"] == keeper.status()["state"] == "disciplined"
    assert abs(answer["offset_ms"]) < 500
    assert f"{liar.server} disagrees with the majority" in caplog.text


@pytest.mark.parametrize(
    ("offsets", "reason"),
    [
        ([TWO_HOURS, 0.0], "no-majority"),
        ([TWO_HOURS, -TWO_HOURS, 0.0], "no-majority"),
        ([TWO_HOURS, TWO_HOURS, 0.0, 0.0], "no-majority"),
    ],
    ids=["one against one", "two liars who contradict each other", "two against two"],
)
def test_without_a_majority_nothing_moves(
    keeper: Timekeeper, responders: Any, offsets: list[float], reason: str
) -> None:
    answer = keeper.sample([responders(offset_seconds=offset).server for offset in offsets])
    assert (answer["applied"], answer["reason"]) == (False, reason)
    assert results(answer) == [("undecided", None)] * len(offsets)
    assert answer["state"] == "undisciplined"
    assert answer["offset_ms"] == 0


def test_a_disciplined_clock_stays_where_it_is_when_a_later_round_has_no_majority(
    keeper: Timekeeper, responders: Any
) -> None:
    honest, liar = responders(), responders(offset_seconds=TWO_HOURS)
    assert keeper.sample([honest.server])["applied"]
    before = keeper.interval()
    answer = keeper.sample([honest.server, liar.server])
    assert not answer["applied"]
    assert answer["state"] == "disciplined"
    assert 0 <= keeper.now_ms() - before.best < 60_000


def test_one_server_alone_is_believed_only_if_no_other_was_configured(
    keeper: Timekeeper, responders: Any
) -> None:
    honest, silent = responders(), responders(silent=True)
    answer = keeper.sample([honest.server, silent.server])
    assert (answer["applied"], answer["reason"]) == (False, "one-alone")
    assert results(answer) == [("undecided", None), ("refused", "timeout")]
    assert keeper.sample([honest.server])["applied"]


def test_one_server_under_two_names_has_one_vote(keeper: Timekeeper, responders: Any) -> None:
    liar, honest = responders(offset_seconds=TWO_HOURS), responders()
    port = liar.server.partition(":")[2]
    answer = keeper.sample([liar.server, f" 127.0.0.1:{port}", f"127.1:{port}", honest.server])
    assert not answer["applied"]
    assert [reason for _, reason in results(answer)] == [
        None,
        "same-server-twice",
        "same-server-twice",
        None,
    ]


# --- servers whose answers do not count ---------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"leap": 3}, "not-synchronised"),
        ({"stratum": 16}, "bad-stratum"),
        ({"stratum": 0, "ref_id": b"\0\0\0\0"}, "bad-stratum"),
        ({"stratum": 0, "ref_id": b"RATE"}, "kiss-of-death"),
        ({"mode": 3}, "wrong-mode"),
        ({"origin": b"\0" * 8}, "wrong-origin"),
        ({"origin": b"somebody"}, "wrong-origin"),
        ({"thinking_seconds": 30.0}, "negative-delay"),
        ({"root_dispersion_seconds": 1.6}, "too-far-from-reference"),
        ({"root_delay_seconds": 3.1}, "too-far-from-reference"),
        ({"cut_to_bytes": 47}, "malformed"),
        ({"cut_to_bytes": 0}, "malformed"),
        ({"silent": True}, "timeout"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_an_answer_that_does_not_count_is_listed_with_its_reason_and_moves_nothing(
    keeper: Timekeeper, responders: Any, settings: dict[str, Any], reason: str
) -> None:
    answer = keeper.sample([responders(**settings).server])
    assert results(answer) == [("refused", reason)]
    assert (answer["applied"], answer["reason"]) == (False, "no-answer-believed")
    assert keeper.status()["state"] == "undisciplined"
    assert keeper.status()["sources"][0]["reason"] == reason


def test_refused_servers_have_no_vote_and_do_not_stop_the_others(
    keeper: Timekeeper, responders: Any
) -> None:
    bad = [responders(leap=3), responders(stratum=16), responders(cut_to_bytes=8)]
    honest = [responders(), responders()]
    answer = keeper.sample([responder.server for responder in [*bad, *honest]])
    assert [result for result, _ in results(answer)] == ["refused"] * 3 + ["agrees"] * 2
    assert answer["applied"]


def test_forged_answers_cannot_shut_a_good_server_out(keeper: Timekeeper, responders: Any) -> None:
    """Three kisses of death that do not answer our question arrive before the true answer."""
    answer = keeper.sample([responders(forged_first=3).server])
    assert results(answer) == [("agrees", None)]


def test_a_server_that_asks_to_be_left_alone_is_left_alone(
    keeper: Timekeeper, responders: Any
) -> None:
    tired = responders(stratum=0, ref_id=b"RATE")
    first = keeper.sample([tired.server])
    assert first["servers"][0]["kiss"] == "RATE"
    assert results(keeper.sample([tired.server])) == [("refused", "resting-after-kiss")]
    assert len(tired.asked) == 1


def test_a_question_tells_the_server_nothing_of_our_clock_and_is_never_the_same(
    keeper: Timekeeper, responders: Any
) -> None:
    server = responders()
    for _ in range(3):
        keeper.sample([server.server])
    assert len({question[40:48] for question in server.asked}) == 3
    assert {question[0] for question in server.asked} == {4 << 3 | 3}
    assert {question[4:40] for question in server.asked} == {bytes(36)}


def test_the_second_era_of_ntp_which_begins_in_2036_is_understood(
    keeper: Timekeeper, responders: Any
) -> None:
    in_2040 = 2_208_988_800.0 - time.time()
    answer = keeper.sample([responders(offset_seconds=in_2040).server])
    assert answer["applied"]
    assert keeper.status()["now"].startswith("2040-01-01T")


# --- servers that cannot be asked ---------------------------------------------------------------


def test_servers_that_cannot_be_asked_say_why(keeper: Timekeeper) -> None:
    answer = keeper.sample(["127.0.0.1:99999", f"127.0.0.1:{_free_udp_port()}", "no such name"])
    assert results(answer) == [
        ("refused", "bad-address"),
        ("refused", "unreachable"),
        ("refused", "unknown-host"),
    ]


def test_servers_are_asked_at_once_and_silence_costs_one_timeout(
    keeper: Timekeeper, responders: Any
) -> None:
    began = time.monotonic()
    answer = keeper.sample([responders(silent=True).server for _ in range(6)])
    assert results(answer) == [("refused", "timeout")] * 6
    assert time.monotonic() - began < 4 * TIMEOUT_SECONDS


def test_no_servers_is_no_fault(keeper: Timekeeper, caplog: pytest.LogCaptureFixture) -> None:
    answer = keeper.sample([])
    assert (answer["applied"], answer["reason"], answer["servers"]) == (False, "no-servers", [])
    assert caplog.text == ""


def test_more_servers_than_the_limit_are_refused_before_any_is_asked(keeper: Timekeeper) -> None:
    with pytest.raises(Invalid, match="at most 16"):
        keeper.sample([f"127.0.0.1:{port}" for port in range(1, 18)])


@pytest.mark.parametrize(
    ("server", "place"),
    [
        ("ntp.example", ("ntp.example", 123)),
        ("ntp.example:1123", ("ntp.example", 1123)),
        ("192.0.2.1:1123", ("192.0.2.1", 1123)),
        ("2001:db8::1", ("2001:db8::1", 123)),
        ("[2001:db8::1]", ("2001:db8::1", 123)),
        ("[2001:db8::1]:1123", ("2001:db8::1", 1123)),
        ("", None),
        (":123", None),
        ("ntp.example:", None),
        ("ntp.example:0", None),
        ("ntp.example:65536", None),
        ("ntp.example:ntp", None),
        ("[2001:db8::1", None),
        ("[2001:db8::1]1123", None),
    ],
)
def test_a_server_is_written_as_host_or_host_and_port(
    server: str, place: tuple[str, int] | None
) -> None:
    assert parse_address(server) == place
