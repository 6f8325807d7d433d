"""Guest cards in the hands of a device that was taken over: it can carry them, and show them to
nobody."""

from __future__ import annotations

from holdfast.model.events import SealedCard
from holdfast.node import guest_desk
from holdfast.node.requests import PatchRequest
from tests.hostile.builders import Attacker, Town, claim, created, entry
from tests.node.test_forgetting import ANN, book

OWN_AGENT = "agent_" + "1" * 32


def _write(attacker: Attacker, card: SealedCard) -> bytes:
    """A reservation of the attacker's with a card that it took from somebody else's."""
    own = attacker.new_id()
    made = created(agent_id=OWN_AGENT, code="RES-2027-AAAAAB", card=card)
    answer = attacker.write(entry(made, subject=own, claims=(claim("T3"),)))
    assert answer.verdicts == () and answer.refused == ()
    return own


def test_anothers_card_is_not_shown_in_a_reservation_that_a_kiosk_makes_up(town: Town) -> None:
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.fleet.sync_all()
    assert ann.card is not None
    own = _write(town.attacker, ann.card)
    town.fleet.sync_all()
    copied = town.desk.view(own)
    assert copied is not None and copied.card == ann.card
    assert town.desk.reservations.guest(copied) is None
    assert town.desk.reservations.guest(ann) == ANN
    ((_, shown, _),) = guest_desk.show(town.desk, OWN_AGENT)
    assert shown == {}
    assert [one["agent_id"] for one in guest_desk.find(town.desk, "ann")] == [ann.agent_id]
    ((exported,),) = [one["cards"] for one in guest_desk.export(town.desk, OWN_AGENT)["venues"]]
    assert exported["guest"] is None


def test_who_gets_a_reservation_is_not_shown_the_card_of_who_had_it_before(town: Town) -> None:
    """Any device may pass a reservation on; whoever has it then may have a token and ask."""
    ann = book(town.fleet, "desk", "ann", "19:00")
    town.fleet.sync_all()
    town.kiosk.reservations.amend(ann.code, PatchRequest(agent_id=OWN_AGENT))
    town.fleet.sync_all()
    passed = town.desk.view(ann.id)
    assert passed is not None and passed.agent_id == OWN_AGENT
    assert town.desk.reservations.guest(passed, own=True) is None
    assert town.desk.reservations.guest(passed) == ANN, "the house sees whose card it is"
    assert guest_desk.show(town.desk, OWN_AGENT)[0][1] == {}
