"""The notes of a service: edited by several devices at once, one text on all that may read it."""

from __future__ import annotations

import pytest

from holdfast.model.errors import Forbidden, Invalid, NotFound, RoleForbidden, RuleViolated, Stale
from holdfast.model.events import SealedCard, ServiceNotesEdited
from holdfast.model.limits import SERVICE_NOTES_CHARS_MAX
from holdfast.model.service_notes import notes_agent
from holdfast.node import guest_desk, service_notes, upkeep
from holdfast.node.audit import audit_entries
from holdfast.node.doctor import doctor
from holdfast.node.replica import Change
from holdfast.node.service import Service
from holdfast.node.service_notes import Notes
from tests.kit import DAY, Fleet

FIRST = "Table 4 has a birthday tonight."


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    """A hub, two desks that read what is sealed and a kiosk that does not."""
    fleet.join("desk")
    fleet.join("bar")
    fleet.join("kiosk", "kiosk")
    fleet.sync_all()
    return fleet


def read(town: Fleet, where: str, service: str = "dinner") -> Notes:
    return service_notes.read(town.nodes[where], "trattoria", DAY, service)


def edit(town: Fleet, where: str, text: str, base: Notes | None = None) -> Notes:
    known = base or read(town, where)
    return service_notes.write(
        town.nodes[where], "trattoria", DAY, text, known.tag, service="dinner", author="Mia"
    )


def test_two_desks_that_are_cut_off_edit_one_sentence_and_both_are_heard(town: Fleet):
    edit(town, "desk", FIRST)
    town.sync_all()
    town.cut("desk", "bar")
    edit(town, "desk", "Table 4 has a big birthday tonight.")
    town.clocks.advance(seconds=1)
    edit(town, "bar", "Table 14 has a birthday tonight, at nine.")
    assert read(town, "desk").text == "Table 4 has a big birthday tonight."
    town.heal()
    town.sync_all()
    told = read(town, "desk")
    assert told.text == "Table 14 has a big birthday tonight, at nine."
    assert told == read(town, "bar")
    assert (told.updated_by, told.author, told.edits, told.unplaced) == ("bar", "Mia", 3, ())
    town.assert_agree()


def test_what_others_wrote_since_it_was_read_is_merged_and_not_lost(town: Fleet):
    before = edit(town, "desk", "One.\nTwo.\n")
    edit(town, "desk", "One.\nTwo.\nThree.\n")
    after = edit(town, "desk", "Zero.\nOne.\nTwo.\n", before)
    assert after.text == "Zero.\nOne.\nTwo.\nThree.\n"


def test_the_same_change_asked_for_again_changes_nothing_more(town: Fleet):
    before = edit(town, "desk", "One.\n")
    once = edit(town, "desk", "One.\nTwo.\n", before)
    edit(town, "desk", "Zero.\nOne.\nTwo.\n")
    again = edit(town, "desk", "One.\nTwo.\n", before)
    assert (again.text, again.edits) == ("Zero.\nOne.\nTwo.\n", once.edits + 1)


def test_a_state_is_known_again_after_a_restart_and_on_every_device_that_has_it(town: Fleet):
    before = edit(town, "desk", "One.\n")
    edit(town, "desk", "One.\nTwo.\n")
    town.sync_all()
    town.reopen("desk")
    assert edit(town, "desk", "Zero.\nOne.\n", before).text == "Zero.\nOne.\nTwo.\n"
    assert edit(town, "bar", "Ones.\n", before).text == "Ones.\nTwo.\n"
    town.sync_all()
    told = read(town, "bar")
    assert told.text == "Zero.\nOnes.\nTwo.\n"
    assert told == read(town, "desk")


def test_a_change_of_what_is_not_known_here_is_refused(town: Fleet):
    edit(town, "desk", FIRST)
    for tag in ("", "x", "0" * 16, read(town, "bar").tag + "é"):
        with pytest.raises(Stale, match="read them again") as refused:
            service_notes.write(
                town.nodes["desk"], "trattoria", DAY, "secret", tag, service="dinner"
            )
        assert "secret" not in refused.value.detail
    town.cut("bar")
    with pytest.raises(Stale):
        edit(town, "bar", "new", read(town, "desk"))
    assert read(town, "desk").text == FIRST


def test_each_service_has_its_own_notes_and_the_day_has_too(town: Fleet):
    edit(town, "desk", FIRST)
    assert read(town, "desk", "").text == read(town, "desk", "lunch").text == ""
    now = service_notes.read(town.nodes["desk"], "trattoria")
    assert now.date < DAY and now.updated_by is None and now.edits == 0


def test_who_reads_nothing_sealed_carries_the_notes_unread(town: Fleet):
    edit(town, "desk", FIRST)
    town.sync_all()
    carriers: tuple[Service, ...] = (town.the_hub, town.nodes["kiosk"])
    for replica in carriers:
        assert len(replica.store.service_notes.of(town.book, DAY, "dinner")) == 1
        with pytest.raises(Forbidden, match="key"):
            service_notes.read(replica, "trattoria", DAY, "dinner")
        with pytest.raises(Forbidden, match="key"):
            service_notes.write(replica, "trattoria", DAY, "x", "0" * 16)


def test_a_kiosk_writes_none_and_what_it_forges_counts_nowhere(
    town: Fleet, monkeypatch: pytest.MonkeyPatch
):
    edit(town, "desk", FIRST)
    kiosk = town.nodes["kiosk"]
    agent = read(town, "desk").agent_id
    with kiosk.transaction():
        card = kiosk.cards.seal_fields("trattoria", agent, {"update": "", "salt": ""})
    with pytest.raises(RoleForbidden, match="edit the notes"), kiosk.transaction():
        kiosk.append(town.book, ServiceNotesEdited(DAY, "dinner", agent, card))
    monkeypatch.setattr("holdfast.node.replica.require_write", lambda *_, **__: None)
    with kiosk.transaction():
        kiosk.append(town.book, ServiceNotesEdited(DAY, "dinner", agent, card))
    town.sync_all()
    for where in ("desk", "bar"):
        told = read(town, where)
        assert (told.text, told.edits, told.unreadable) == (FIRST, 1, 0)


def forge(town: Fleet, agent: str | None = None, **fields: object) -> None:
    """What a desk in bad hands may write."""
    bar = town.nodes["bar"]
    whose = agent or read(town, "bar").agent_id
    with bar.transaction():
        card: SealedCard = bar.cards.seal_fields("trattoria", whose, dict(fields))
        bar.append(town.book, ServiceNotesEdited(DAY, "dinner", whose, card))


def test_what_a_desk_in_bad_hands_seals_is_looked_at_before_it_counts(town: Fleet):
    edit(town, "desk", FIRST)
    town.sync_all()
    (honest,) = town.nodes["desk"].store.service_notes.of(town.book, DAY, "dinner")
    copied = town.nodes["desk"].cards.read("trattoria", [honest.said.agent_id], honest.said.card)
    assert copied is not None
    forge(town, **copied)
    forge(town, update="AAAA", salt="")
    forge(town, update=7, salt=None)
    forge(town)
    forge(town, update="é", salt="é")
    other = notes_agent(town.the_hub.identity.pseudonym_key, "trattoria", DAY, "lunch")
    forge(town, other, update="AAA=", salt="")
    town.sync_all()
    for where in ("desk", "bar"):
        told = read(town, where)
        assert (told.text, told.unplaced, told.unreadable) == (FIRST, (), 5)
    assert edit(town, "desk", FIRST + " Yes.").text == FIRST + " Yes."


def test_notes_survive_restarts_refolds_and_what_is_heard_twice(town: Fleet):
    edit(town, "desk", FIRST)
    town.sync_all()
    edit(town, "bar", FIRST + " At nine.")
    town.sync_all()
    whole = read(town, "bar")
    for name in ("desk", "bar"):
        town.nodes[name].refold(town.book)
        assert read(town, name) == whole
        town.reopen(name)
        assert read(town, name) == whole
    town.sync_all()
    assert read(town, "desk") == whole
    for replica in town.replicas():
        replica.close()
        assert next(one for one in doctor(replica.directory) if one.name == "projections").ok


def test_cleared_notes_are_gone_on_every_device_also_after_an_old_backup(town: Fleet):
    edit(town, "desk", FIRST)
    town.sync_all()
    upkeep.backup(town.nodes["bar"], town.directory / "bar.backup")
    town.cut("bar")
    agent = read(town, "desk").agent_id
    (placed,) = town.nodes["desk"].store.cards.placed_of(town.book, agent)
    (key,) = town.nodes["desk"].store.cards.keys(town.book, placed.id)
    report = town.nodes["desk"].forgetting.erase(agent, "retention")
    cleared = read(town, "desk")
    assert (cleared.text, cleared.edits, cleared.unreadable) == ("", 0, 0)
    assert cleared.cleared_at_ms == report[0]["asked_at_ms"]
    with pytest.raises(Stale):
        edit(town, "desk", "x", read(town, "bar"))
    assert edit(town, "desk", "New.").text == "New."
    # Who has not heard of it yet goes on writing into what was cleared: those words are not lost.
    town.clocks.advance(minutes=1)
    edit(town, "bar", FIRST + " At nine.")
    town.heal()
    town.sync_all()
    for where in ("desk", "bar"):
        told = read(town, where)
        assert told.text == "New."
        assert [(one.text, one.by, one.author) for one in told.unplaced] == [
            (" At nine.", "bar", "Mia")
        ]
    for replica in town.replicas():
        assert replica.forgetting.report(agent)[0]["complete"]
        for path in replica.directory.rglob("*"):
            assert not path.is_file() or key.sealed not in path.read_bytes()
    back = restored(town)
    with pytest.raises(RuleViolated, match="restored"):
        service_notes.read(back, "trattoria", DAY, "dinner")
    town.sync_all()
    assert service_notes.read(back, "trattoria", DAY, "dinner").text == "New."


def restored(town: Fleet) -> Service:
    """The bar, from the copy that was made of it before."""
    town.nodes["bar"].close()
    del town.nodes["bar"]
    place = town.directory / "restored"
    upkeep.restore(town.directory / "bar.backup", place)
    return town.open("bar", place)


def test_too_much_is_refused_and_nothing_is_lost(town: Fleet):
    edit(town, "desk", FIRST)
    with pytest.raises(RuleViolated, match="at most 20000 characters"):
        edit(town, "desk", "x" * (SERVICE_NOTES_CHARS_MAX + 1))
    whole = "abcdefghi\n" * (SERVICE_NOTES_CHARS_MAX // 10)
    assert edit(town, "desk", whole).text == whole
    assert edit(town, "desk", "").text == ""
    for text, service in (("\x1b[2J", "dinner"), ("ok", "Dinner!"), ("ok", "x" * 40)):
        with pytest.raises(Invalid):
            service_notes.write(
                town.nodes["desk"], "trattoria", DAY, text, "0" * 16, service=service
            )
    for venue, date, kind in (("nowhere", DAY, NotFound), ("trattoria", "yesterday", Invalid)):
        with pytest.raises(kind):
            service_notes.read(town.nodes["desk"], venue, date)


def test_a_device_edits_a_service_only_so_often(town: Fleet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service_notes, "NOTE_EDITS_PER_LIFE_MAX", 3)
    for n in range(3):
        edit(town, "desk", f"{n} {read(town, 'desk').text}")
    with pytest.raises(RuleViolated, match="edited these notes 3 times"):
        edit(town, "desk", "once more")
    town.sync_all()
    assert edit(town, "bar", "2 1 0 !").text == "2 1 0 !"


def test_what_was_written_before_a_device_was_shut_out_stays(town: Fleet):
    edit(town, "desk", FIRST)
    town.sync_all()
    town.cut("desk")
    edit(town, "desk", FIRST + " Late.")
    town.the_hub.revoke("desk", "stolen")
    town.sync(town.nodes["bar"])
    assert read(town, "bar").text == FIRST


def test_notes_are_nobody_who_is_found_or_exported_as_a_guest(town: Fleet):
    edit(town, "desk", "Anna Ricci sits at T4")
    desk = town.nodes["desk"]
    assert guest_desk.find(desk, "Anna") == []
    items, _ = audit_entries(desk, newest=True)
    audit = [one for one in items if one["kind"] == "service.notes_edited"]
    assert len(audit) == 1
    assert "Anna" not in str(audit)


def test_a_hub_that_was_let_reads_and_edits_too(town: Fleet):
    edit(town, "desk", FIRST)
    town.nodes["desk"].cards.keys.share_with_hub(town.book)
    town.sync_all()
    hub = town.the_hub
    known = service_notes.read(hub, "trattoria", DAY, "dinner")
    assert known == read(town, "desk")
    service_notes.write(hub, "trattoria", DAY, FIRST + " Fine.", known.tag, service="dinner")
    town.sync_all()
    assert (read(town, "bar").text, read(town, "bar").updated_by) == (FIRST + " Fine.", "hub")


def test_who_watches_a_venue_hears_that_its_notes_changed(town: Fleet):
    heard: dict[str, list[Change]] = {"desk": [], "bar": []}
    for name, changes in heard.items():
        town.nodes[name].listeners.append(changes.append)
    edit(town, "desk", FIRST)
    town.sync_all()
    for changes in heard.values():
        assert (town.book, True) in {(one.book, one.venue) for one in changes}
