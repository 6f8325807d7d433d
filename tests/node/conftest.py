"""A fleet for every test of nodes and hubs that asks for one; devices and what lies between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.node.witness import STATE_VARIABLE
from holdfast.sync import retry
from tests.kit import Fleet
from tests.node.between import Between
from tests.node.live import Devices


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as made:
        yield made


@pytest.fixture
def own_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pauses, a hundredth as long: what is tested is that they end by themselves."""
    monkeypatch.setattr(retry, "RETRY_BASE_SECONDS", 0.01)
    monkeypatch.setattr(retry, "RETRY_CAP_SECONDS", 0.25)
    monkeypatch.setattr(retry, "BREAKER_OPEN_SECONDS", 0.2)


@pytest.fixture
def devices(tmp_path: Path, own_witness: None) -> Iterator[Devices]:
    with Devices(tmp_path) as made:
        yield made


@pytest.fixture
def between(devices: Devices) -> Iterator[Callable[..., Between]]:
    made: list[Between] = []

    def start(live: int | str = "pass") -> Between:
        made.append(Between(devices.url, devices.bell, live))
        return made[-1]

    yield start
    for one in made:
        one.close()
