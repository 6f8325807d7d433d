"""The same on the program as it is installed: `holdfast hub run` under `kill -9`, and a second
process on a directory that is in use."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from holdfast.model.errors import DirectoryInUse, Unreachable
from holdfast.node.exchange import Exchange
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.kill import children
from tests.kill.places import BOOK, VENUE, environment, make_hub
from tests.kill.support import Ledger, child, dice, examine, histories, quick, reopened, write
from tests.kit import assert_same_book

pytestmark = pytest.mark.kill

PROGRAM = [sys.executable, "-m", "holdfast"]


class Served:
    """A `hub run` that has said `ready`."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "hub", "run", "--data", str(directory), "--port", str(port)],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        watchdog = threading.Timer(30, self.process.kill)
        watchdog.start()
        self.url = self.process.stdout.readline().removeprefix("ready ").strip()
        watchdog.cancel()
        assert self.url, "the hub did not get ready"

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        assert self.process.poll() is None, "the hub had ended by itself"
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)


@pytest.mark.parametrize("number", histories(1))
def test_a_served_hub_that_is_killed_starts_again_on_its_port_and_the_node_goes_on(
    number: int, tmp_path: Path
):
    rng = dice("starts_again", number)
    incarnation = make_hub(tmp_path / "hub")
    hub = Hub.open(tmp_path / "hub")
    code = hub.invite(VENUE, "front-desk", "desk").code
    hub.close()
    served = Served(tmp_path / "hub")
    node, ledger, port = None, Ledger(), served.port
    try:
        node = quick(Node.join(served.url, code, tmp_path / "desk"))
        for _ in range(5):
            write(node, ledger, rng, 1500)
            killer = threading.Timer(rng.uniform(0, 0.25), served.kill)
            killer.start()
            try:
                while True:
                    node.sync()
                    write(node, ledger, rng, 20)
            except Unreachable:
                killer.join(30)
            served.stop()
            reopened("hub", tmp_path / "hub", incarnation).close()
            served = Served(tmp_path / "hub", port)
        assert node.sync()["books_differing"] == []
        served.kill()
        last = Hub.open(tmp_path / "hub")
        heads = {Exchange(replica).heads_digest(BOOK) for replica in (last, node)}
        assert len(heads) == 1, "the hub had something left to decide, or to free"
        assert_same_book([last, node], BOOK)
        ledger.check(last)
        ledger.check(node)
        assert node.store.queue.waiting() == 0
        examine(node, node.identity.incarnation)
        last.close()
    finally:
        served.stop()
        if node is not None:
            node.close()


def test_a_second_opening_is_refused_with_the_first_ones_pid_and_harms_nothing(tmp_path: Path):
    incarnation = make_hub(tmp_path / "hub")
    with child(children.hold_forever, "hub", tmp_path / "hub") as holder:
        assert holder.receive() == "open"
        with pytest.raises(DirectoryInUse, match=rf"pid {holder.process.pid}\b"):
            Hub.open(tmp_path / "hub")
    reopened("hub", tmp_path / "hub", incarnation).close()


def test_a_served_directory_refuses_a_second_server_with_the_firsts_pid(tmp_path: Path):
    incarnation = make_hub(tmp_path / "hub")
    served = Served(tmp_path / "hub")
    try:
        done = subprocess.run(
            [*PROGRAM, "hub", "run", "--data", str(tmp_path / "hub"), "--port", "0"],
            env=environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert f"pid {served.process.pid}" in line
        assert str(tmp_path / "hub") in line
    finally:
        served.stop()
    reopened("hub", tmp_path / "hub", incarnation).close()
