"""What a calendar is told at random: each device's feed only ever goes forward, and in the end all
tell the same."""

from __future__ import annotations

from hypothesis.stateful import invariant

from holdfast.model.feeds import FeedEvent
from holdfast.node import calendars
from holdfast.node.service import Service
from tests.machines import played
from tests.node.test_fleet_machine import FleetMachine


def told(replica: Service) -> dict[str, FeedEvent]:
    feed = calendars.feed(replica, "trattoria", None, None, None)
    return {event.uid: event for event in feed.events}


def what_matters(event: FeedEvent) -> tuple[object, ...]:
    """Whatever is another revision when it changes (RFC 5546, 2.1.4)."""
    return event.start, event.end, event.location, event.status


class CalendarMachine(FleetMachine):
    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, dict[str, FeedEvent]] = {}

    @invariant()
    def the_number_of_an_event_grows_with_every_change(self) -> None:
        names = {"hub", *self.fleet.nodes}
        for name in names:
            before, now = self.last.get(name, {}), told(self.the(name))
            for uid, event in now.items():
                if uid not in before:
                    continue
                assert event.sequence >= before[uid].sequence, f"{name} goes back"
                if what_matters(event) != what_matters(before[uid]):
                    assert event.sequence > before[uid].sequence, f"{name} does not say so"
            self.last[name] = now

    def come_together(self) -> None:
        super().come_together()
        feeds = [told(replica) for replica in self.fleet.replicas()]
        assert all(feed == feeds[0] for feed in feeds)


TestCalendarMachine = played(CalendarMachine, examples=10, steps=20)
