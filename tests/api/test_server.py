"""A replica served by a process of its own: ready, found by its file, and gone without a trace."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from holdfast.api.server import check_host, serve
from holdfast.model.errors import DirectoryError, Forbidden, Unreachable
from holdfast.node.hub import Hub

PROGRAM = """
import sys, pathlib
from holdfast.node.hub import Hub
from holdfast.api.server import serve
hub = Hub.open(pathlib.Path(sys.argv[1]))
serve(hub, "127.0.0.1", 0, ready=lambda url: print("ready", url, flush=True))
hub.close()
print("closed", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_when_it_is_ready_and_stops_in_good_order(
    tmp_path: Path, number: signal.Signals
):
    directory = tmp_path / "hub"
    Hub.init(directory, "acme").close()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("ready ").strip()
        run_file = directory / "holdfast.run"
        found = json.loads(run_file.read_text("utf-8"))
        assert (found["url"], found["pid"]) == (url, process.pid)
        assert run_file.stat().st_mode & 0o777 == 0o600
        token = (directory / "admin-token").read_text("utf-8").strip()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers) as client:
            assert client.get("/healthz").json()["role"] == "hub"
            # Whoever still watches does not keep the process from stopping.
            with client.stream("GET", "/api/v1/stream") as stream:
                lines = stream.iter_lines()
                assert next(lines).startswith(":")
                process.send_signal(number)
                list(lines)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out.strip(), err) == (0, "closed", "")
    assert not run_file.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "desk.lan"])  # noqa: S104
def test_nothing_is_served_to_a_network_in_clear_by_accident(host: str):
    with pytest.raises(Forbidden, match="--tls-cert"):
        check_host(host, tls=False, insecure_lan=False)
    check_host(host, tls=True, insecure_lan=False)
    check_host(host, tls=False, insecure_lan=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_this_machine_alone_needs_no_certificate(host: str):
    check_host(host, tls=False, insecure_lan=False)


def test_a_port_that_is_taken_is_named(hub: Hub):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=f"port {port}"):
            serve(hub, "127.0.0.1", port, ready=print)
    assert not (hub.directory / "holdfast.run").exists()


def test_a_directory_without_its_token_is_not_served(hub: Hub):
    os.remove(hub.directory / "admin-token")
    with pytest.raises(DirectoryError, match="admin-token"):
        serve(hub, "127.0.0.1", 0, ready=print)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_server_that_crashes_leaves_no_memory_in_a_file():
    """Keys and cards stand in it in clear. In a process of its own: the limit is a process's."""
    program = (
        "from resource import RLIMIT_CORE, getrlimit, setrlimit;"
        "from holdfast.api.server import leave_no_dump;"
        "setrlimit(RLIMIT_CORE, getrlimit(RLIMIT_CORE)[1:] * 2);"
        "leave_no_dump(); print(getrlimit(RLIMIT_CORE)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"
