"""One's reservation by its code and one's address: right together, or nothing is said."""

from __future__ import annotations

import pytest

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import DAY, booking, calling

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


async def test_a_hub_that_reads_no_cards_says_so_and_not_whether_they_fit(hub: Hub, desk: Node):
    async with calling(desk) as client:
        code = (await client.post("/reservations", json=booking(guest=ANN))).json()["code"]
    desk.sync()
    async with calling(hub) as client:
        asked = {"reference": code, "email": "ann.smith@example.org"}
        assert (await client.post("/reservations/lookup", json=asked)).status_code == 403
