"""A hub and a node served over TLS, on real sockets, with a private authority."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from holdfast.api.server import serve
from holdfast.api.tls import ServerTls
from holdfast.model.errors import Invalid, Unreachable
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.kit import TENANT, TRATTORIA
from tests.node.certified import Certified, certify

PATIENCE_SECONDS = 30.0


class Served:
    """`holdfast … run` with TLS, as a process of its own."""

    def __init__(self, role: str, directory: Path, certified: Certified) -> None:
        words = [
            *("-m", "holdfast", role, "run", "--data", str(directory), "--port", "0"),
            *("--tls-cert", str(certified.certificate), "--tls-key", str(certified.key)),
        ]
        self.process = subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        watchdog = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        watchdog.cancel()
        assert line.startswith("ready https://127.0.0.1:"), line
        self.url = line.removeprefix("ready ").strip()
        self.port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return certify(tmp_path / "tls")


@pytest.fixture
def hub_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOLDFAST_STATE", str(tmp_path / "state"))
    hub = Hub.init(tmp_path / "hub", TENANT)
    hub.import_venue(dict(TRATTORIA))
    hub.close()
    return tmp_path / "hub"


@pytest.fixture
def served(hub_directory: Path, certified: Certified) -> Iterator[Served]:
    running = Served("hub", hub_directory, certified)
    yield running
    running.stop()


def invite(served: Served, directory: Path, certified: Certified) -> str:
    """A join code, by the command line's own way to the running hub."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "holdfast", "hub", "invite", "--data", str(directory)),
            *("--venue", "trattoria", "--role", "front-desk", "--name", "desk"),
        ],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True,
    )  # fmt: skip
    return done.stdout.split()[-1]


def test_a_node_joins_exchanges_and_renews_over_tls_and_is_served_over_it(
    tmp_path: Path, served: Served, hub_directory: Path, certified: Certified
) -> None:
    code = invite(served, hub_directory, certified)
    node = Node.join(served.url, code, tmp_path / "desk", ca=certified.authority)
    node.renew(new_key=True)
    assert node.sync()["books_differing"] == []
    node.close()
    desk = Served("node", tmp_path / "desk", certified)
    try:
        trust = ssl.create_default_context(cafile=certified.authority)
        assert httpx.get(f"{desk.url}/healthz", verify=trust).json()["role"] == "node"
    finally:
        desk.stop()


@pytest.mark.parametrize(
    ("version", "heard"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_what_is_older_than_1_2_is_not_spoken(
    served: Served, certified: Certified, version: ssl.TLSVersion, heard: bool
) -> None:
    trust = ssl.create_default_context(cafile=certified.authority)
    trust.set_ciphers("DEFAULT:@SECLEVEL=0")
    trust.minimum_version = trust.maximum_version = version
    try:
        answer = httpx.get(f"{served.url}/healthz", verify=trust).status_code
    except httpx.ConnectError:
        answer = 0
    assert (answer == 200) is heard


def test_plain_http_to_a_tls_port_says_what_to_type(
    tmp_path: Path, served: Served, hub_directory: Path, certified: Certified
) -> None:
    code = invite(served, hub_directory, certified)
    plain = served.url.replace("https:", "http:")
    with pytest.raises(Unreachable, match="begins with https://"):
        Node.join(plain, code, tmp_path / "desk")
    node = Node.join(served.url, code, tmp_path / "desk", ca=certified.authority)
    try:
        node.set_hub(plain)
        with pytest.raises(Unreachable, match="begins with https://"):
            node.sync()
    finally:
        node.close()


def shown_to_who_connects(port: int) -> int:
    """The serial number of the certificate that a new connection meets."""
    trust = ssl._create_unverified_context()  # noqa: S323 - it is looked at, and believed nothing
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as plain,
        trust.wrap_socket(plain) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


def serial(certified: Certified) -> int:
    return x509.load_pem_x509_certificate(certified.certificate.read_bytes()).serial_number


def put(source: Path, target: Path) -> None:
    """In its place as a whole, as tools that renew certificates do it."""
    fresh = target.with_suffix(".fresh")
    shutil.copy(source, fresh)
    os.replace(fresh, target)


def test_a_renewed_certificate_is_met_without_a_restart(
    tmp_path: Path, served: Served, certified: Certified
) -> None:
    first = serial(certified)
    assert shown_to_who_connects(served.port) == first
    renewed = certify(tmp_path / "renewed")
    put(renewed.certificate, certified.certificate)
    assert shown_to_who_connects(served.port) == first, "its key is not there yet"
    put(renewed.key, certified.key)
    assert shown_to_who_connects(served.port) == serial(renewed) != first
    certified.key.unlink()
    assert shown_to_who_connects(served.port) == serial(renewed)


def encrypted(key: Path) -> bytes:
    opened = serialization.load_pem_private_key(key.read_bytes(), None)
    return opened.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("another key", "is not the key of"),
        ("an encrypted key", "unencrypted key in PEM"),
        ("no key", "unencrypted key in PEM"),
        ("gone", "cannot be read"),
    ],
)
def test_files_that_will_not_do_are_named_before_anything_is_served(
    tmp_path: Path, certified: Certified, wrong: str, said: str
) -> None:
    other = certify(tmp_path / "other")
    certified.key.write_bytes(
        {
            "another key": other.key.read_bytes(),
            "an encrypted key": encrypted(certified.key),
        }.get(wrong, b"nothing")
    )
    if wrong == "gone":
        certified.key.unlink()
    with pytest.raises(Invalid, match=said):
        ServerTls(certified.certificate, certified.key)


def test_a_certificate_without_its_key_is_refused(
    hub_directory: Path, certified: Certified
) -> None:
    hub = Hub.open(hub_directory)
    try:
        with pytest.raises(Invalid, match="a certificate and its key"):
            serve(hub, "127.0.0.1", 0, ready=print, tls_cert=certified.certificate)
    finally:
        hub.close()
