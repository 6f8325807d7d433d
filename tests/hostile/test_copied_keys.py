"""A device's keys were copied, and whoever has them asks the hub for certificates: of two who renew
one certificate the second is refused, and somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.model.errors import Forbidden, Unauthorised
from holdfast.node import renewing, standing
from holdfast.node.local_identity import LocalIdentity
from holdfast.node.renewing import RENEW_PATH
from tests.kit import Fleet, posted
from tests.node.test_renewing import renewals, work


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as made:
        yield made


def renewed_by(fleet: Fleet, copied: LocalIdentity, key: Ed25519PrivateKey) -> LocalIdentity:
    """Whoever copied a directory's keys asks the hub for a certificate, and goes on with it."""
    fleet.clocks.advance(minutes=1)
    answered = posted(fleet.hub, copied, RENEW_PATH, renewing.request_for(copied.proven, key))
    chain = renewing.read_answer(answered, copied.proven, key, copied.root)
    fleet.clocks.advance(minutes=1)
    return copied.renewed(chain, key)


def test_what_a_copied_key_was_certified_with_ends_with_that_key(fleet: Fleet) -> None:
    """Whoever copied the key asked the hub for a certificate at once, and wrote nothing."""
    desk = fleet.join("desk")
    work(fleet, desk)
    thief = renewed_by(fleet, desk.identity, desk.identity.key)
    desk.renew(new_key=True)
    fleet.sync(desk)
    with pytest.raises(Unauthorised, match="has another key by now"):
        renewed_by(fleet, thief, thief.key)
    work(fleet, desk, hour=15)


def test_of_two_that_renew_one_certificate_the_second_is_refused_and_shown(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    """The hub has not heard the owner's new key in its chain; who copied the old one asks too."""
    desk = fleet.join("desk")
    work(fleet, desk)
    copied = desk.identity
    desk.renew(new_key=True)
    assert renewals(fleet) == 0
    for _ in range(2):
        with pytest.raises(Unauthorised, match="renewed for another key already") as refused:
            renewed_by(fleet, copied, Ed25519PrivateKey.generate())
        assert refused.value.extra["reason"] == standing.RENEWED
        assert "node rejoin" in refused.value.detail
    assert renewals(fleet) == 2 and "somebody may have a copy of its keys" in caplog.text
    fleet.reopen("hub")
    with pytest.raises(Unauthorised, match="renewed for another key already"):
        renewed_by(fleet, copied, copied.key)
    assert renewals(fleet) == 3, "it is shown until somebody acts"
    work(fleet, desk, hour=15)
    with pytest.raises(Unauthorised, match="has another key by now"):
        renewed_by(fleet, copied, copied.key)


def test_a_thief_who_is_first_shuts_the_owner_out_of_nothing_and_somebody_looks(
    fleet: Fleet,
) -> None:
    desk, kiosk = fleet.join("desk"), fleet.join("kiosk", "kiosk")
    work(fleet, desk, kiosk)
    thief = renewed_by(fleet, desk.identity, Ed25519PrivateKey.generate())
    for new_key in (True, False):
        with pytest.raises(Unauthorised, match="renewed for another key already"):
            desk.renew(new_key=new_key)
    assert renewals(fleet) > 0 and renewals(fleet, "kiosk") == 0
    work(fleet, desk, kiosk, hour=15)
    # The way out that the refusal names.
    fleet.the_hub.revoke("desk", "stolen")
    code = fleet.the_hub.invite("trattoria", "front-desk", "desk").code
    with fleet._clock_of("desk"):
        desk.rejoin(code)
    desk.renew(new_key=True)
    work(fleet, desk, kiosk, hour=18)
    assert renewals(fleet) == 0
    with pytest.raises(Forbidden, match="shut out"):
        renewed_by(fleet, thief, thief.key)
