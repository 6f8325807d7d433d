"""How figures look: of a service, of a range of dates, of venues, of a guest.

docs/numbers.md says of each what it counts.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Date, Items, Shape

Count = Annotated[int, Meta(description="how many reservations")]
Refused = Annotated[int, Meta(description="how often that rule said no on that date, here")]
Statuses = Annotated[
    dict[str, int],
    Meta(description="how many reservations there are in each status that there are any in"),
]
Rate = Annotated[float | None, Meta(description="from 0 to 1; null: of nothing")]
Minutes = Annotated[float | None, Meta(description="minutes; null: of nothing")]


class Parties(Shape, kw_only=True):
    """Parties of guests: reservations that are not the house's own."""

    booked: Annotated[int, Meta(description="that have or had their place")]
    seated: Annotated[int, Meta(description="that came")]


class Covers(Shape, kw_only=True):
    """The people of these parties."""

    booked: Annotated[int, Meta(description="as they were reserved")]
    seated: Annotated[
        int, Meta(description="of those that came, as many as were counted, else as reserved")
    ]


class PartySize(Shape, kw_only=True):
    """Parties of one size."""

    party_size: Annotated[int, Meta(description="people")]
    parties: Annotated[int, Meta(description="booked parties of this size")]


class SomeParties(Shape, kw_only=True):
    """Some of the booked parties."""

    parties: Annotated[int, Meta(description="how many")]
    covers: Annotated[int, Meta(description="their people, as they were reserved")]


class NoShows(SomeParties, kw_only=True):
    """Parties that did not come."""

    rate: Annotated[
        float | None,
        Meta(description="of those that came or did not, from 0 to 1; null: nobody was due"),
    ]


class Cancellations(Shape, kw_only=True):
    """Reservations that were called off."""

    total: Count
    by_guest: Count
    by_venue: Count
    by_system: Count
    in_time: Annotated[
        int, Meta(description="before the venue's limit for cancelling; without one, the start")
    ]
    late: Annotated[int, Meta(description="after it")]
    undated: Annotated[int, Meta(description="of which nobody said when: by another system")]


class Repeats(Shape, kw_only=True):
    """Parties that came, of people who had been there before."""

    parties: Annotated[int, Meta(description="how many")]
    rate: Annotated[
        float | None, Meta(description="of all that came, from 0 to 1; null: nobody came")
    ]


class Waited(Shape, kw_only=True):
    """Parties that were put on the waitlist of these dates."""

    joined: Count
    offered: Annotated[int, Meta(description="for whom a place was held at least once")]
    accepted: Annotated[int, Meta(description="who reserved what was offered")]
    lapsed: Annotated[int, Meta(description="who were offered a place and did not take it")]
    removed: Annotated[int, Meta(description="who left the waitlist without one")]
    expired: Annotated[int, Meta(description="whose time was over without one")]
    waiting: Annotated[int, Meta(description="who wait still, or have an offer")]
    conversion: Annotated[
        float | None,
        Meta(description="accepted, of those who wait no more; from 0 to 1; null: of none"),
    ]


class RateLimits(Shape, kw_only=True):
    """What was refused because of how much one person may have: on these dates, at this replica,
    as `GET /analytics/violations` counts it."""

    rates: Annotated[int, Meta(description="too many made within a time (`policies.rates`)")]
    concurrent: Annotated[
        int, Meta(description="too many ahead (`policies.concurrent`, or a guest's own limit)")
    ]
    reschedules: Annotated[int, Meta(description="moved too often (`policies.max_reschedules`)")]


class Held(Shape, kw_only=True):
    """Holds of places on these dates."""

    made: Count
    reserved: Annotated[int, Meta(description="that became a reservation, whatever became of it")]
    given_back: Annotated[int, Meta(description="that were given back")]
    lapsed: Annotated[int, Meta(description="whose time was over")]
    refused: Annotated[int, Meta(description="that their holder had no place for")]
    open: Annotated[int, Meta(description="that are kept still")]
    conversion: Annotated[
        float | None,
        Meta(
            description="reserved, of those that had a place and are not open; from 0 to 1; null: "
            "of none"
        ),
    ]


class TimeToBook(Shape, kw_only=True):
    """From the making of a hold to its reservation."""

    holds: Annotated[int, Meta(description="over how many")]
    median: Annotated[float | None, Meta(description="seconds; null: of none")]
    mean: Annotated[float | None, Meta(description="seconds; null: of none")]


class Spread(Shape, kw_only=True):
    """A length of time, over parties."""

    parties: Annotated[int, Meta(description="over how many")]
    median: Minutes
    mean: Minutes


class TurnTimes(Spread, kw_only=True):
    """From checking in to leaving, of parties of which both were said."""

    planned_median: Annotated[
        float | None, Meta(description="minutes, of the same parties as they were reserved")
    ]
    planned_mean: Annotated[
        float | None, Meta(description="minutes, of the same parties as they were reserved")
    ]


class Hour(SomeParties, kw_only=True):
    """Booked parties that begin within an hour of the day."""

    hour: Annotated[str, Meta(description="`HH:00`, on the venue's clock")]


class Utilisation(Shape, kw_only=True):
    """How much of the open time was booked."""

    booked_minutes: Annotated[
        int, Meta(description="of each unit, or each of a pool's places, within the open time")
    ]
    open_minutes: Annotated[int, Meta(description="in which they were for sale")]
    rate: Rate


class ResourceUse(Utilisation, kw_only=True):
    """How much of a resource's open time was booked."""

    resource: Annotated[str, Meta(description="id of the resource")]
    kind: Annotated[str, Meta(description="such as table")]


class Totals(Shape, kw_only=True):
    """Key figures of some service dates, of one venue or of several."""

    reservations: Annotated[int, Meta(description="that were made, whatever became of them")]
    statuses: Statuses
    kinds: Annotated[dict[str, int], Meta(description="reservations by kind")]
    sources: Annotated[dict[str, int], Meta(description="reservations by source, most first")]
    assurances: Annotated[dict[str, int], Meta(description="reservations by assurance")]
    overbooked: Annotated[int, Meta(description="that had a place beyond the capacity, on purpose")]
    parties: Parties
    covers: Covers
    party_sizes: Annotated[list[PartySize], Meta(description="booked parties, smallest first")]
    walk_ins: SomeParties
    repeats: Repeats
    no_shows: NoShows
    cancellations: Cancellations
    waitlist: Waited
    rate_limits: RateLimits
    holds: Held
    time_to_book_seconds: TimeToBook
    lead_minutes: Annotated[
        Spread, Meta(description="from making to start, of booked parties that asked beforehand")
    ]
    turn_minutes: TurnTimes
    hours: Annotated[list[Hour], Meta(description="in the order of the service day")]
    utilisation: Utilisation


class Figures(Totals, kw_only=True):
    """Key figures of some service dates of a venue."""

    resources: Annotated[list[ResourceUse], Meta(description="in the order of the venue file")]


class ServiceFigures(Figures, kw_only=True):
    """Key figures of one service date."""

    venue: Annotated[str, Meta(description="id of the venue")]
    date: Date


class FigureLine(Shape, kw_only=True):
    """Key figures as one line of a table; the columns of its CSV."""

    reservations: Count
    intent: Count
    payment_pending: Count
    payment_confirmed: Count
    commit_pending: Count
    commit_failed: Count
    confirmed: Count
    checked_in: Count
    completed: Count
    cancel_pending: Count
    refund_pending: Count
    cancelled: Count
    no_show: Count
    expired: Count
    kind_guest: Count
    kind_walk_in: Count
    kind_house: Count
    parties: Annotated[int, Meta(description="booked parties")]
    parties_seated: Annotated[int, Meta(description="parties that came")]
    covers: Annotated[int, Meta(description="people of the booked parties")]
    covers_seated: Annotated[int, Meta(description="people of those that came")]
    walk_in_parties: Annotated[int, Meta(description="booked parties that asked at the desk")]
    walk_in_covers: Annotated[int, Meta(description="their people")]
    repeat_parties: Annotated[int, Meta(description="parties of people who had come before")]
    repeat_rate: Rate
    no_show_parties: Annotated[int, Meta(description="booked parties that did not come")]
    no_show_covers: Annotated[int, Meta(description="their people")]
    no_show_rate: Rate
    cancellations: Count
    cancelled_by_guest: Count
    cancelled_by_venue: Count
    cancelled_by_system: Count
    cancelled_in_time: Count
    cancelled_late: Count
    cancelled_undated: Count
    waitlist_joined: Count
    waitlist_offered: Count
    waitlist_accepted: Count
    waitlist_lapsed: Count
    waitlist_removed: Count
    waitlist_expired: Count
    waitlist_waiting: Count
    waitlist_conversion: Rate
    limited_rates: Refused
    limited_concurrent: Refused
    limited_reschedules: Refused
    holds_made: Count
    holds_reserved: Count
    holds_given_back: Count
    holds_lapsed: Count
    holds_refused: Count
    holds_open: Count
    holds_conversion: Rate
    time_to_book_seconds_median: Annotated[
        float | None, Meta(description="from a hold's making to its reservation")
    ]
    time_to_book_seconds_mean: Annotated[float | None, Meta(description="the same")]
    lead_minutes_median: Minutes
    lead_minutes_mean: Minutes
    turn_parties: Annotated[int, Meta(description="parties whose coming and leaving were said")]
    turn_minutes_median: Minutes
    turn_minutes_mean: Minutes
    turn_planned_minutes_median: Minutes
    turn_planned_minutes_mean: Minutes
    assurance_guaranteed: Count
    assurance_admitted: Count
    assurance_provisional: Count
    assurance_none: Count
    overbooked: Count
    booked_minutes: Annotated[int, Meta(description="of units and of a pool's places")]
    open_minutes: Annotated[int, Meta(description="in which they were for sale")]
    utilisation: Rate


class DayLine(FigureLine, kw_only=True):
    """Key figures of one service date, as a line."""

    date: Date


class RangeFigures(Figures, kw_only=True, rename={"first": "from", "last": "to"}):
    """Key figures of service dates in a row, and a line for each."""

    venue: Annotated[str, Meta(description="id of the venue")]
    first: Annotated[Date, Meta(description="the first service date")]
    last: Annotated[Date, Meta(description="the last service date, which is counted too")]
    days: list[DayLine]


class StayMinutes(Shape, kw_only=True):
    """How long parties stayed, from check-in to leaving."""

    parties: Annotated[int, Meta(description="of which both were said")]
    median: Minutes
    mean: Minutes


class TurnFigures(Shape, kw_only=True):
    """How often a place was taken, and for how long."""

    parties: Annotated[int, Meta(description="parties that came")]
    covers: Annotated[int, Meta(description="their people")]
    turns_per_day: Annotated[
        float | None,
        Meta(description="parties for each table on each open day; null: it was never open"),
    ]
    minutes: StayMinutes


class TableTurns(TurnFigures, kw_only=True):
    """The turn-over of a table."""

    resource: Annotated[str, Meta(description="id of the table")]
    area: Annotated[str | None, Meta(description="where it is")]


class AreaTurns(TurnFigures, kw_only=True):
    """The turn-over of the tables of an area; a party at several of them counts once."""

    area: Annotated[str, Meta(description="its name")]
    tables: Annotated[int, Meta(description="how many there are")]


class Turnover(TurnFigures, kw_only=True, rename={"first": "from", "last": "to"}):
    """The turn-over of a venue's tables on service dates in a row."""

    venue: Annotated[str, Meta(description="id of the venue")]
    first: Annotated[Date, Meta(description="the first service date")]
    last: Annotated[Date, Meta(description="the last service date, which is counted too")]
    open_days: Annotated[int, Meta(description="dates on which the venue was open")]
    tables: Annotated[list[TableTurns], Meta(description="in the order of the venue file")]
    areas: Annotated[list[AreaTurns], Meta(description="in the order of the venue file")]


class NoShowCounts(Shape, kw_only=True):
    """Parties of guests that came or did not."""

    due: Annotated[int, Meta(description="that came or did not")]
    parties: Annotated[int, Meta(description="of these, those that did not")]
    covers: Annotated[int, Meta(description="their people, as they were reserved")]
    rate: Rate


class NoShowWeek(NoShowCounts, kw_only=True, rename={"first": "from", "last": "to"}):
    """The part of a week that lies within the dates."""

    week: Annotated[str, Meta(description="of ISO 8601, such as 2026-W27; it begins on Monday")]
    first: Annotated[Date, Meta(description="its first service date within the dates")]
    last: Annotated[Date, Meta(description="its last one")]


class NoShowGuest(Shape, kw_only=True):
    """A guest who did not come twice or more often within the dates."""

    agent_id: Annotated[str, Meta(description="pseudonym: one of all that the person has")]
    no_shows: Annotated[int, Meta(description="how often they did not come")]
    came: Annotated[int, Meta(description="how often they did")]
    last: Annotated[Date, Meta(description="when they did not come last")]


class NoShowReport(NoShowCounts, kw_only=True, rename={"first": "from", "last": "to"}):
    """Who did not come, week by week."""

    venue: Annotated[str, Meta(description="id of the venue")]
    first: Annotated[Date, Meta(description="the first service date")]
    last: Annotated[Date, Meta(description="the last service date, which is counted too")]
    weeks: list[NoShowWeek]
    repeated_guests: Annotated[int, Meta(description="how many did not come more than once")]
    repeated: Annotated[list[NoShowGuest], Meta(description="of these the first, most first")]


class VenueLine(FigureLine, kw_only=True):
    """Key figures of one venue, as a line."""

    venue: Annotated[str, Meta(description="id of the venue")]
    name: Annotated[str, Meta(description="what people call it")]


class VenueFigures(Items[VenueLine], kw_only=True):
    """Key figures of venues, by id."""


class Volume(Shape, kw_only=True, rename={"first": "from", "last": "to"}):
    """What there is on service dates in a row, those to come too."""

    first: Annotated[Date, Meta(description="the first service date")]
    last: Annotated[Date, Meta(description="the last service date, which is counted too")]
    reservations: Annotated[
        int, Meta(description="that were made for these dates, whatever became of them")
    ]
    parties: Annotated[int, Meta(description="booked parties")]
    covers: Annotated[int, Meta(description="people of the booked parties")]


class VenueVolume(Shape, kw_only=True):
    """What one venue has today, this week and this month."""

    venue: Annotated[str, Meta(description="id of the venue")]
    name: Annotated[str, Meta(description="what people call it")]
    date: Annotated[Date, Meta(description="the venue's service date of now")]
    today: Volume
    week: Annotated[Volume, Meta(description="from the Monday of this date to its Sunday")]
    month: Annotated[Volume, Meta(description="the calendar month of this date")]


class Volumes(Items[VenueVolume], kw_only=True):
    """What venues have today, this week and this month, by id."""


class BusinessFigures(Totals, kw_only=True, rename={"first": "from", "last": "to"}):
    """Key figures of all venues of a business together, and a line for each."""

    business_account: Annotated[str, Meta(description="as the venue files name it")]
    first: Annotated[Date, Meta(description="the first service date")]
    last: Annotated[Date, Meta(description="the last service date, which is counted too")]
    venues: Annotated[list[VenueLine], Meta(description="by id")]


class VenueCount(Shape, kw_only=True):
    """A guest's reservations at one venue."""

    venue: Annotated[str, Meta(description="id of the venue")]
    reservations: Count
    statuses: Statuses


class AgentFigures(Shape, kw_only=True):
    """A guest's reservations, as lists of them show."""

    agent_id: Annotated[str, Meta(description="pseudonym of the guest")]
    reservations: Count
    statuses: Statuses
    venues: Annotated[list[VenueCount], Meta(description="by id")]
