"""One's reservation by its code and one's address: right together, or nothing is said."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import DAY, booking, calling, venue_document

pytestmark = pytest.mark.anyio
ANN = {"name": "Ann Smith", "email": "Ann.Smith@Example.org", "phone": "+39 06 555 0199"}


async def test_code_and_contact_together_show_it_as_its_guest_sees_it(hub: Hub, desk: Node):
    async with calling(desk) as client:
        code = (await client.post("/reservations", json=booking(guest=ANN))).json()["code"]
        other = (await client.post("/reservations", json=booking(starts_at=f"{DAY}T12:00"))).json()[
            "code"
        ]
        for contact in (
            {"email": "ann.smith@example.org"}, {"phone": "06 5550199"}, {"phone": "+390655 50199"},
        ):  # fmt: skip
            answer = await client.post("/reservations/lookup", json={"reference": code} | contact)
            assert answer.status_code == 200, answer.text
            shown = answer.json()
            assert (shown["code"], shown["agent_id"]) == (code, None)
            assert "guest" not in shown
            assert "visitor" not in shown or shown["visitor"] is None
            assert "Ann" not in answer.text
        refusals = [
            await client.post("/reservations/lookup", json=asked)
            for asked in (
                {"reference": code, "email": "bob@example.org"},
                {"reference": code, "phone": "06 5550198"},
                {"reference": code, "email": ""},
                {"reference": other, "email": "ann.smith@example.org"},
                {"reference": "RES-2027-ZZZZZZ", "email": "ann.smith@example.org"},
            )
        ]
        assert [one.status_code for one in refusals] == [404] * len(refusals)
        said = {one.json()["detail"].replace(code, "").replace(other, "") for one in refusals[:4]}
        assert len(said) == 1, "nobody learns which of the two was wrong"
        for asked in ({"reference": code}, {"reference": code, "email": "a@b.cc", "phone": "1"}):
            answer = await client.post("/reservations/lookup", json=asked)
            assert answer.status_code == 422, answer.text


async def test_what_else_was_asked_must_be_right_and_is_not_told(desk: Node):
    async with calling(desk) as client:
        code = (await client.post("/reservations", json=booking(guest=ANN))).json()["code"]
        both = {"reference": code, "email": "ann.smith@example.org"}
        right: dict[str, object] = {"date": DAY, "party_size": 2, "name": "smith"}
        alone: list[dict[str, object]] = [{name: right[name]} for name in right]
        for answers in ({}, right, *alone):
            answer = await client.post("/reservations/lookup", json=both | answers)
            assert answer.status_code == 200, answers
        said = set()
        wrongs: list[dict[str, object]] = [
            {"date": "2026-01-01"}, {"party_size": 3}, {"name": "Jones"}, {"name": "Ann Jones"},
            {"name": " "}, right | {"party_size": 1},
        ]  # fmt: skip
        for answers in wrongs:
            answer = await client.post("/reservations/lookup", json=both | answers)
            assert answer.status_code == 404, answers
            said.add(answer.json()["detail"])
        other = await client.post("/reservations/lookup", json=both | {"email": "bob@example.org"})
        assert said == {other.json()["detail"]}, "nobody learns what of it was wrong"
        # A date that is none is said before any code is looked up.
        for one in (code, "RES-2027-ZZZZZZ"):
            wrong = await client.post(
                "/reservations/lookup", json=both | {"reference": one, "date": "tomorrow"}
            )
            assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "date")


async def test_a_hub_that_reads_no_cards_says_so_and_not_whether_they_fit(hub: Hub, desk: Node):
    async with calling(desk) as client:
        code = (await client.post("/reservations", json=booking(guest=ANN))).json()["code"]
    desk.sync()
    async with calling(hub) as client:
        asked = {"reference": code, "email": "ann.smith@example.org"}
        assert (await client.post("/reservations/lookup", json=asked)).status_code == 403


@pytest.mark.parametrize("contact", [{}, {"email": "a@example.org", "phone": "06 5550199"}])
async def test_who_gives_neither_contact_or_both_learns_of_no_code(
    desk: Node, contact: dict[str, str]
):
    async with calling(desk) as client:
        made = (await client.post("/reservations", json=booking(guest=ANN))).json()
        answers = [
            await client.post("/reservations/lookup", json={"reference": one} | contact)
            for one in (made["code"], made["id"], "RES-2027-ZZZZZZ")
        ]
        assert [one.status_code for one in answers] == [422] * 3
        assert len({one.json()["detail"] for one in answers}) == 1


async def test_a_device_that_reads_no_cards_says_the_same_of_every_code(hub: Hub, desk: Node):
    async with calling(desk) as client:
        made = (await client.post("/reservations", json=booking(guest=ANN))).json()
    desk.sync()
    async with calling(hub) as client:
        asked = [
            {"reference": one, "email": "ann.smith@example.org"}
            for one in (made["code"], made["id"], "RES-2027-ZZZZZZ")
        ]
        answers = [await client.post("/reservations/lookup", json=one) for one in asked]
        assert (await client.get(f"/reservations/{made['code']}")).status_code == 200
        assert [one.status_code for one in answers] == [403] * 3
        assert len({one.json()["detail"] for one in answers}) == 1


async def test_of_a_venue_whose_cards_it_does_not_read_it_knows_no_code(
    hub: Hub, desk: Node, monkeypatch: pytest.MonkeyPatch
):
    async with calling(desk) as client:
        code = (await client.post("/reservations", json=booking(guest=ANN))).json()["code"]
    desk.sync()
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    bistro, key = hub.book_of("bistro"), X25519PrivateKey.generate()
    reads = lambda book: key if book == bistro else None  # noqa: E731
    monkeypatch.setattr(hub.cards, "reader_in_force", reads)
    async with calling(hub) as client:
        for reference in (code, "RES-2027-ZZZZZZ"):
            asked = {"reference": reference, "email": "ann.smith@example.org"}
            answer = await client.post("/reservations/lookup", json=asked)
            assert answer.status_code == 404
