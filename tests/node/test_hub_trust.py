"""A hub whose TLS certificate no public authority signed: trusted by a file, refused in words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.commands.node import node as node_commands
from holdfast.model.errors import Invalid, Unreachable
from holdfast.node import hub_trust, settings
from holdfast.node.node import Node
from tests.node.certified import Certified, certify
from tests.node.live import QUICK, Devices, RingingNode, reserve

pytestmark = pytest.mark.usefixtures("own_witness")


@pytest.fixture(params=["signed by an authority", "signed by itself"])
def certified(request: pytest.FixtureRequest, tmp_path: Path) -> Certified:
    return certify(tmp_path / "tls", self_signed=request.param == "signed by itself")


@pytest.fixture
def town(tmp_path: Path, certified: Certified) -> Iterator[Devices]:
    with Devices(tmp_path, certified) as made:
        yield made


def test_a_node_that_was_given_the_certificate_syncs_by_request_and_live(
    town: Devices, certified: Certified
):
    node = town.joined("desk", ca=certified.authority)
    assert node.hub_url.startswith("https://127.0.0.1:")
    assert settings.load(node.directory).hub_ca == hub_trust.FILE_NAME
    waiting = reserve(node, "19:30", "T1")
    assert node.sync()["pushed"] > 0
    desk = town.run(node)
    town.until(desk.sees(waiting))
    town.until(desk.connected)
    assert "polling" not in {event for _, event, _ in node.sync_log()}
    at_hub = reserve(town.hub, "21:00", "T1")
    town.until(desk.sees(at_hub))


def test_the_certificate_stays_with_the_directory(town: Devices, certified: Certified):
    node = town.joined("desk", ca=certified.authority)
    node.close()
    certified.authority.unlink()
    elsewhere = shutil.move(node.directory, node.directory.with_name("elsewhere"))
    again = RingingNode.open(elsewhere, **QUICK)
    try:
        assert again.sync()["books_differing"] == []
        again.rejoin(town.hub.invite("trattoria", "front-desk", "desk").code)
        assert again.sync()["books_differing"] == []
    finally:
        again.close()


def test_without_it_a_device_is_told_what_to_do_and_the_code_is_not_used_up(
    town: Devices, certified: Certified
):
    code = town.hub.invite("trattoria", "front-desk", "desk").code
    with pytest.raises(Unreachable, match="TLS certificate is not trusted here") as refused:
        Node.join(town.url, code, town.directory / "desk", **QUICK)
    assert "--ca FILE" in refused.value.detail
    assert "nothing answers" not in refused.value.detail
    assert not (town.directory / "desk").exists()
    Node.join(town.url, code, town.directory / "desk", ca=certified.authority, **QUICK).close()


def test_a_device_that_lost_it_says_so_by_request_and_live(town: Devices, certified: Certified):
    node = town.joined("desk", ca=certified.authority, hub_ca="")
    with pytest.raises(Unreachable, match=r"not trusted here.*the setting hub_ca"):
        node.sync()
    node.last_error = ""
    desk = town.run(node)
    town.until(lambda: "not trusted here" in node.last_error)
    assert "the setting hub_ca" in node.last_error
    assert desk.state != "connected"


def test_a_file_that_is_gone_or_no_certificate_is_named(town: Devices, certified: Certified):
    node = town.joined("desk", ca=certified.authority)
    kept = node.directory / hub_trust.FILE_NAME
    try:
        for content, says in ((b"nothing", "holds no certificate"), (None, "cannot be read")):
            kept.unlink()
            if content is not None:
                kept.write_bytes(content)
            node.reset_peer()
            with pytest.raises(Invalid, match=f"hub-ca.pem {says}.*hub_ca names a PEM file"):
                node.sync()
            assert says in node.last_error
    finally:
        node.close()


def test_a_setting_names_the_file_too(
    town: Devices, certified: Certified, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOLDFAST_HUB_CA", str(certified.authority))
    node = town.joined("desk")
    try:
        assert node.settings.hub_ca == str(certified.authority)
        assert not (node.directory / hub_trust.FILE_NAME).exists()
        assert node.sync()["books_differing"] == []
    finally:
        node.close()


@pytest.mark.parametrize("content", [b"", b"no PEM", "a key"])
def test_what_holds_no_certificate_is_refused_before_the_code_is_used(
    tmp_path: Path, content: bytes | str
):
    certified = certify(tmp_path / "tls")
    file = tmp_path / "ca.pem"
    file.write_bytes(certified.key.read_bytes() if isinstance(content, str) else content)
    with Devices(tmp_path, certified) as town:
        code = town.hub.invite("trattoria", "front-desk", "desk").code
        for named, says in ((file, "holds no certificate"), (tmp_path / "none", "No such file")):
            with pytest.raises(Invalid, match=says):
                Node.join(town.url, code, tmp_path / "desk", ca=named, **QUICK)
        Node.join(town.url, code, tmp_path / "desk", ca=certified.authority, **QUICK).close()


def test_a_key_that_stands_in_the_file_is_not_copied(tmp_path: Path):
    certified = certify(tmp_path / "tls")
    file = tmp_path / "both.pem"
    file.write_bytes(certified.key.read_bytes() + certified.authority.read_bytes())
    with Devices(tmp_path, certified) as town:
        node = town.joined("desk", ca=file)
        kept = (node.directory / hub_trust.FILE_NAME).read_text()
        node.close()
    assert kept == certified.authority.read_text()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"addresses": ()}, "for another name"),
        ({"ends_in_days": -1}, "has expired"),
    ],
)
def test_a_certificate_that_is_not_right_is_refused_in_words(
    tmp_path: Path, wrong: dict[str, object], says: str
):
    certified = certify(tmp_path / "tls", **wrong)  # type: ignore[arg-type]
    with Devices(tmp_path, certified) as town:
        code = town.hub.invite("trattoria", "front-desk", "desk").code
        with pytest.raises(Unreachable, match=f"its TLS certificate.*{says}"):
            Node.join(town.url, code, tmp_path / "desk", ca=certified.authority, **QUICK)


def test_a_hub_without_tls_is_not_taken_for_one_that_is_down(devices: Devices):
    code = devices.hub.invite("trattoria", "front-desk", "desk").code
    url = devices.url.replace("http:", "https:")
    with pytest.raises(Unreachable, match=r"no TLS is spoken there.*http://"):
        Node.join(url, code, devices.directory / "desk", **QUICK)


def test_the_command_line_joins_with_it(town: Devices, certified: Certified):
    from click.testing import CliRunner

    code = town.hub.invite("trattoria", "front-desk", "desk").code
    directory = town.directory / "desk"
    words = ["join", town.url, "--code", code, "--data", str(directory)]
    done = CliRunner().invoke(node_commands, [*words, "--ca", str(certified.authority)])
    assert done.exit_code == 0, done.output
    assert 'hub_ca = "hub-ca.pem"' in (directory / "config.toml").read_text()
    assert (directory / hub_trust.FILE_NAME).read_bytes() == certified.authority.read_bytes()


@pytest.mark.parametrize("way", ["standard input", "environment"])
def test_a_join_code_need_not_stand_in_the_list_of_processes(
    town: Devices, certified: Certified, way: str
):
    from click.testing import CliRunner

    code = town.hub.invite("trattoria", "front-desk", "desk").code
    words = ["join", town.url, "--ca", str(certified.authority)]
    words += ["--data", str(town.directory / "desk")]
    if way == "environment":
        done = CliRunner().invoke(node_commands, words, env={"HOLDFAST_JOIN_CODE": code})
    else:
        done = CliRunner().invoke(node_commands, [*words, "--code", "-"], input=f"{code}\n")
    assert done.exit_code == 0, done.output
    assert code not in done.output


def test_standard_input_without_a_code_is_told(town: Devices):
    from click.testing import CliRunner

    words = ["join", town.url, "--code", "-", "--data", str(town.directory / "desk")]
    done = CliRunner().invoke(node_commands, words, input="")
    assert done.exit_code == 2
    assert "standard input, which is empty" in done.output
    assert not (town.directory / "desk").exists()
