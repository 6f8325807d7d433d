"""Bytes at random at the HTTP face and on the live channel: an answer each time, never a failure of
its own, and nothing changes by what was refused.

What reads entries and exchanges is thrown at in test_fuzz.py.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from holdfast.api.parsing import read_wait
from holdfast.model.errors import HoldfastError, Unauthorised
from holdfast.model.limits import PREFER_WAIT_SECONDS_MAX
from holdfast.node import cards, renewing
from holdfast.node.challenges import Challenges
from holdfast.node.hub import Hub
from holdfast.node.identity import verify_certificate
from holdfast.node.serving import HANDLERS
from holdfast.node.transport import EXCHANGE_PATH
from holdfast.sync import live_keys
from holdfast.sync.live_keys import LiveKeys
from tests.api.conftest import ADMIN, bearer, booking, calling, venue_document
from tests.hostile.builders import Town, contents
from tests.hostile.test_fuzz import damaged
from tests.node.dialling import dialled, upgrade
from tests.node.live import PATIENCE_SECONDS, Devices

FEW = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
MANY = settings(FEW, max_examples=150)
HEADER = st.binary(max_size=60).map(
    lambda data: bytes(byte for byte in data if byte not in b"\r\n\x00").strip(b" \t")
)
"""A header's value as a socket may bring it: any bytes but those that end it."""
TEXT = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


# --- the face -------------------------------------------------------------------------------------


class Asked:
    """A hub's face, asked from a test that is no coroutine."""

    def __init__(self, hub: Hub, client: httpx.AsyncClient, portal: BlockingPortal) -> None:
        self.hub, self._client, self._portal = hub, client, portal
        # Who is wrong often is answered 429 before anything is read; that is tested elsewhere.
        app = client._transport.app  # type: ignore[attr-defined]
        for rate in vars(app.state.face.access.rates).values():
            if hasattr(rate, "take"):
                rate.take = lambda *_: None

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.request, method, path, **given))

    def refused(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Ask for what may be refused; if it is, then with a reason, and it has changed nothing."""
        before = contents(self.hub)
        answer = self.ask(method, path, **given)
        assert answer.status_code < 500, (method, path, given, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["type"].startswith("urn:holdfast:error:")
            assert contents(self.hub) == before
        return answer


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    hub = Hub.init(tmp_path / "hub", "acme", synchronous="NORMAL")
    hub.import_venue(venue_document())
    with (
        closing(hub),
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(calling(hub, token=None)) as client,
    ):
        yield Asked(hub, client, portal)


def bodies(*fields: str) -> st.SearchStrategy[bytes]:
    """Bodies of the right fields with anything in them, any JSON, and any bytes."""
    right = st.fixed_dictionaries({}, optional=dict.fromkeys(fields, JSON))
    return st.one_of(right.map(json.dumps), JSON.map(json.dumps)).map(str.encode) | st.binary(
        max_size=80
    )


WRITES = {
    "session": ("POST", "/session", bodies("token", "staff", "pin", "ticket")),
    "tickets": ("POST", "/tickets", bodies("page")),
    "tokens": ("POST", "/tokens", bodies("name", "role", "agent_id", "venues", "may", "expires")),
    "staff": ("POST", "/staff", bodies("name", "role", "pin")),
    "pin": ("PUT", "/staff/nobody/pin", bodies("pin")),
    "invites": ("POST", "/invites", bodies("venue", "role", "name", "expires")),
    "rotate": ("POST", "/certificate/renew", bodies("new_key")),
    "share": ("POST", "/venues/trattoria/share-key", bodies("with")),
    "erase": ("POST", "/guests/search", bodies("q", "limit")),
    "cancel": ("POST", "/reservations/nothing/cancel", bodies("reason", "by", "note")),
}


@pytest.mark.parametrize("name", sorted(WRITES))
def test_a_write_with_anything_in_it_is_answered_and_changes_nothing_if_refused(
    asked: Asked, name: str
) -> None:
    method, path, strategy = WRITES[name]

    @FEW
    @given(strategy)
    def check(body: bytes) -> None:
        asked.refused(method, path, content=body, headers=bearer())

    check()


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Cookie", "X-CSRF-Token", "Prefer", "Idempotency-Key", "If-Match", "Origin"],
)
def test_a_header_with_anything_in_it_is_answered(asked: Asked, name: str) -> None:
    logged_in = asked.ask("POST", "/session", json={"token": ADMIN})
    cookie = logged_in.headers["set-cookie"].partition(";")[0].encode()
    made = asked.ask("POST", "/reservations", json=booking(), headers=bearer()).json()
    session = cookie.partition(b"=")[0]

    @FEW
    @given(HEADER)
    @example(b"\xe4")
    @example(b"wait=" + b"9" * 5_000)
    @example(b"Bearer \xff")
    def check(value: bytes) -> None:
        headers: dict[bytes, bytes] = {b"Authorization": f"Bearer {ADMIN}".encode()}
        if name in ("X-CSRF-Token", "Cookie"):
            headers = {b"Cookie": cookie}
        if name == "Cookie":
            value = session + b"=" + value
        headers[name.encode()] = value
        # What is asked for is refused anyway: the venue takes no such party.
        asked.refused("PATCH", f"/reservations/{made['id']}", headers=headers,
                      json={"party_size": 99})  # fmt: skip
        asked.refused("POST", "/reservations", headers=headers, json=booking(party_size=99))

    check()


LISTS = ("/reservations", "/queue", "/audit", "/exceptions", "/allotments", "/books", "/tokens")


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_list_gave_is_refused_or_read(asked: Asked, path: str) -> None:
    asked.ask("POST", "/reservations", json=booking(), headers=bearer())
    numbers = st.integers(min_value=-(1 << 70), max_value=1 << 70).map(str)
    inner = st.one_of(TEXT, numbers, st.tuples(numbers, TEXT).map(".".join))
    encoded = inner.map(lambda text: base64.urlsafe_b64encode(text.encode("utf-8", "replace")))

    @FEW
    @given(
        st.one_of(
            TEXT.map(str.encode), st.binary(max_size=30), encoded.map(lambda b: b.strip(b"="))
        ),
        st.sampled_from(["", "&limit=3", "&limit=-1", f"&limit={'9' * 5_000}", "&newest=true"]),
    )
    @example(base64.urlsafe_b64encode(b"9" * 30 + b".00").strip(b"="), "")
    @example(base64.urlsafe_b64encode(b"9" * 17 + b"." + b"9" * 17).strip(b"="), "")
    def check(cursor: bytes, more: str) -> None:
        if "newest" in more and path != "/audit":
            more = ""
        asked.refused("GET", f"{path}?cursor={quote(cursor)}{more}", headers=bearer())

    check()


@FEW
@given(st.text(max_size=60))
@example("wait=" + "9" * 10_000)
@example("wait=٣")
def test_a_preference_is_a_number_of_seconds_within_the_limit_or_none(prefer: str) -> None:
    seconds = read_wait(prefer)
    assert seconds is None or 0 <= seconds <= PREFER_WAIT_SECONDS_MAX


# --- messages between replicas that are no exchange -----------------------------------------------


def test_a_request_for_a_certificate_is_read_or_refused_and_proves_its_key(town: Town) -> None:
    own = town.kiosk.identity
    key = Ed25519PrivateKey.generate()
    good = renewing.request_for(own.proven, key)
    assert renewing.read_request(good, own.proven)

    @MANY
    @given(st.one_of(st.binary(max_size=120), damaged([good])))
    def check(body: bytes) -> None:
        try:
            found = renewing.read_request(body, own.proven)
        except HoldfastError:
            return
        assert found.public_bytes_raw() == key.public_key().public_bytes_raw()

    check()


def test_an_answer_with_a_certificate_is_taken_only_for_what_was_asked(town: Town) -> None:
    own, key = town.kiosk.identity, town.kiosk.identity.key
    sender = verify_certificate(own.certificates, own.root)
    good = renewing.answer(town.hub, sender, renewing.request_for(own.proven, key))
    assert renewing.read_answer(good, own.proven, key, own.root)

    @MANY
    @given(st.one_of(st.binary(max_size=120), damaged([good])))
    def check(data: bytes) -> None:
        with suppress(HoldfastError):
            made = verify_certificate(
                renewing.read_answer(data, own.proven, key, own.root), own.root
            )
            assert made.public_key == key.public_key()

    check()


@MANY
@given(
    st.one_of(
        TEXT,
        damaged([Challenges().issue("kiosk").encode()]).map(lambda data: data.decode("latin-1")),
    )
)
def test_no_text_but_an_open_challenge_is_one(text: str) -> None:
    challenges = Challenges()
    challenges.issue("kiosk")
    with pytest.raises(Unauthorised, match="signs no challenge"):
        challenges.use("kiosk", text)
    assert len(challenges) == 0


@pytest.mark.parametrize("path", sorted(set(HANDLERS) - {EXCHANGE_PATH}))
def test_signed_bytes_of_any_kind_at_the_other_paths_change_nothing(town: Town, path: str) -> None:
    """The device's own signature is good; what it says is not."""
    before = contents(town.hub)

    @FEW
    @given(st.binary(max_size=200))
    def check(body: bytes) -> None:
        with pytest.raises(HoldfastError):
            town.kiosk.transport().post(path, body)
        assert contents(town.hub) == before

    check()
    town.assert_alive()


def test_a_handed_key_opens_for_whom_it_was_handed_and_whole_alone() -> None:
    venue_key, own = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    good = cards.hand_key(venue_key, own.public_key(), "acme/trattoria")

    @MANY
    @given(st.one_of(st.binary(max_size=120), damaged([good])))
    def check(sealed: bytes) -> None:
        opened = cards.accept_key(sealed, own, "acme/trattoria")
        assert opened is None or sealed == good

    check()
    assert cards.accept_key(good, own, "acme/bistro") is None
    assert cards.accept_key(good, own, "acme/trattoria") is not None


# --- the live channel -----------------------------------------------------------------------------


@MANY
@given(st.text(max_size=60))
def test_a_live_key_is_32_bytes_or_refused(text: str) -> None:
    with suppress(Unauthorised):
        assert len(live_keys.read_key(text)) == 32


GOOD = [LiveKeys(b"s" * 32, b"r" * 32).seal(b"hello")]


@MANY
@given(st.one_of(st.binary(max_size=60), damaged(GOOD)))
def test_a_frame_opens_whole_and_in_its_turn_alone(sealed: bytes) -> None:
    keys = LiveKeys(b"r" * 32, b"s" * 32)
    try:
        assert keys.open(sealed) == b"hello"
    except Unauthorised:
        assert keys.open(GOOD[0]) == b"hello", "what did not open used nothing up"
    with pytest.raises(Unauthorised):
        keys.open(sealed)


@pytest.mark.slow
def test_frames_of_any_kind_end_the_channel_and_change_nothing(tmp_path: Path) -> None:
    """Sealed with the right keys or not, bytes or text: the hub says no, and serves the next."""
    with Devices(tmp_path) as devices:
        node = devices.joined("desk")
        try:
            node.sync()
            before = contents(devices.hub)

            async def say(data: bytes | str, sealed: bool) -> None:
                async with dialled(upgrade(node.identity, devices.url)) as channel:
                    if isinstance(data, bytes) and sealed:
                        data = channel.keys.seal(data)
                    await channel.socket.send(data)
                    with pytest.raises(ConnectionClosed) as ended:
                        await channel.socket.recv()
                    assert ended.value.rcvd is not None
                    assert ended.value.rcvd.code != 1011, ended.value.rcvd

            @settings(FEW, max_examples=25)
            @given(st.binary(max_size=60) | st.text(max_size=20), st.booleans())
            @example("text", False)
            @example(b"", True)
            def check(data: bytes | str, sealed: bool) -> None:
                asyncio.run(asyncio.wait_for(say(data, sealed), PATIENCE_SECONDS))
                assert contents(devices.hub) == before

            check()
            assert node.sync()["books_differing"] == []
        finally:
            node.close()
