"""What the fields of requests mean, for the OpenAPI document.

A name means the same in every request, in a body and in a query, so that it is said once. Owns the
words only: what is accepted is judged where the request is read, and by the rules behind it.
"""

from __future__ import annotations

from typing import Any, Final

from holdfast.api.permissions import ROLES
from holdfast.api.sessions import ROLE_BY_PAGE
from holdfast.api.shapes.bulk import ACTIONS
from holdfast.api.staff import STAFF_ROLES
from holdfast.model import (
    approval,
    floor,
    geohash,
    guest_details,
    guest_notes,
    lifecycle,
    restrictions,
    vocabulary,
)
from holdfast.model.limits import (
    BULK_ITEMS_MAX,
    CALENDAR_DAYS_AHEAD,
    CALENDAR_DAYS_BACK,
    CALENDAR_DAYS_MAX,
    FIGURES_DAYS_MAX,
    HOLD_MINUTES_MAX,
    INVITE_SECONDS_MAX,
    LIST_LIMIT,
    LIST_LIMIT_MAX,
    NO_SHOW_WEEKS,
    NTP_SERVERS_MAX,
    PARTNER_REFERENCE_CHARS_MAX,
    PARTY_MAX,
    PIN_DIGITS_MAX,
    PIN_DIGITS_MIN,
    PRIORITY_MAX,
    RELEASE_MINUTES_MAX,
    RESTRICTION_VALUE_MAX,
    SERVICE_NOTES_CHARS_MAX,
    SLOT_DAYS_MAX,
    TAGS_PER_GUEST_MAX,
    TOKEN_SECONDS_MAX,
    VENUES_PER_TOKEN_MAX,
)
from holdfast.model.pseudonyms import AGENT_ID_CHARS, BEGINNING_CHARS_MIN
from holdfast.model.roles import NODE_ROLES
from holdfast.model.service_notes import SERVICE_CHARS_MAX
from holdfast.store.queue import STATES

Note = dict[str, Any]

_TIME: Final = "RFC 3339; without an offset it is venue-local (a doubled hour: the first)"
_CODE: Final = "a short code of letters, digits and underscores"

_NOTES: Final[dict[str, Note]] = {
    # What is reserved, and for whom
    "venue": {"description": "id of the venue"},
    "starts_at": {"description": _TIME},
    "ends_at": {"description": f"{_TIME}; instead of `duration_minutes` or `nights`"},
    "party_size": {"description": "people", "minimum": 1, "maximum": PARTY_MAX},
    "duration_minutes": {
        "description": "minutes; left out: the venue's length for the party",
        "minimum": 1,
    },
    "nights": {"description": "nights of a stay", "minimum": 1},
    "partner_reference": {
        "description": "what a partner, named by `source`, calls it; kept as a keyed hash alone",
        "minLength": 1,
        "maxLength": PARTNER_REFERENCE_CHARS_MAX,
    },
    "resources": {"description": "ids, all of them together; empty: the best that fits"},
    "resource_kind": {"description": "such as table; left out: the venue's first"},
    "area": {"description": "only resources of this area"},
    "features": {
        "description": "only resources that have all of these, such as `window`; `accessible` is "
        "one. In a query with commas between"
    },
    "quantity": {"description": "units, of a pool that counts units; by default 1", "minimum": 1},
    "may_move": {
        "description": "the holder may give an equal or larger place instead; left out: only where "
        "no `resources` are asked for"
    },
    "user_id": {"description": "who the guest is, to you: kept as a pseudonym alone"},
    "agent_id": {"description": "pseudonym of the guest, instead of `user_id`"},
    "guest": {
        "description": "the guest's card, sealed for the venue",
        "$ref": "#/components/schemas/GuestCard",
    },
    "occasion": {"enum": sorted(vocabulary.OCCASIONS), "description": "what is celebrated"},
    "source": {"enum": sorted(vocabulary.SOURCES), "description": "the channel; never a name"},
    "kind": {
        "enum": sorted(vocabulary.RESERVATION_KINDS),
        "description": "`walk_in`: stands at the desk; `house`: the venue's own use",
    },
    "metadata": {
        "description": "values by namespaced names, such as `crm.contact`; nothing personal"
    },
    "override": {
        "description": "beyond the capacity, within the venue's limit, if nothing is free; of a "
        "supervisor or an admin alone"
    },
    # What is said about a reservation
    "note": {"description": "free text, sealed for the venue"},
    "actual_party_size": {"description": "people who came, where it differs", "minimum": 1},
    "by": {"enum": sorted(vocabulary.CANCELLED_BY), "description": "on whose side"},
    # What is looked for
    "date": {"description": "a service date", "format": "date"},
    "from": {"description": f"from here on, of the start; {_TIME}"},
    "to": {"description": f"before here, of the start; {_TIME}"},
    "status": {"enum": list(lifecycle.STATUSES), "description": "only with this status"},
    "resource": {"description": "id: only what has a claim on this resource"},
    "order": {
        "enum": ["starts_at", "table"],
        "description": "`table`: in the order of the venue file, of a `venue` on a `date`",
    },
    "include": {"enum": ["full"], "description": "`full` adds what cannot be had, and why"},
    "state": {"enum": list(STATES), "description": "only operations with this fate"},
    "newest": {"description": "the last written first"},
    "reservation": {"description": "id or code: only changes of this reservation"},
    "limit": {
        "description": "how many items",
        "minimum": 1,
        "maximum": LIST_LIMIT_MAX,
        "default": LIST_LIMIT,
    },
    "cursor": {"description": "`next` of the page before"},
    # What is done by those who run a replica
    "reason": {"description": _CODE},
    "action": {"description": "one of the exception's `actions`"},
    "name": {"description": "a name, unique in its list"},
    "role": {"description": "what it may do"},
    "expires_seconds": {
        "description": "how long the code is good for",
        "minimum": 1,
        "maximum": INVITE_SECONDS_MAX,
    },
    "pin": {
        "description": "digits; kept by a slow hash that this device's own key is part of",
        "minLength": PIN_DIGITS_MIN,
        "maxLength": PIN_DIGITS_MAX,
    },
    "proceed": {"description": "go on without the nodes that were not heard: they are revoked"},
    "dry_run": {"description": "only say how it stands, and change nothing"},
    "path": {"description": "absolute, on the machine that serves; the file must not exist"},
    "servers": {
        "description": "time servers, `host[:port]`; left out: those of the settings",
        "maxItems": NTP_SERVERS_MAX,
    },
    "url": {"description": "where the hub is from now on"},
    "code": {"description": "a one-time code, as the hub's `invite` gives it"},
}

_ALL: Final[dict[str, Note]] = {
    "limit": {
        "description": "how many items; left out: all",
        "minimum": 1,
        "maximum": LIST_LIMIT_MAX,
    },
}
"""Of lists that are short by their nature."""

_STANDS: Final[Note] = {
    "enum": list(restrictions.STATES),
    "description": "only those that stand so now",
}

_VENUE: Final[dict[str, Note]] = {
    "venue": {"description": "id of the venue; left out where there is one"}
}
_NOTE: Final[dict[str, Note]] = {
    "kind": {"enum": list(guest_notes.KINDS), "description": "what it is about"},
    "text": {"description": "what it says", "maxLength": guest_notes.TEXT_CHARS_MAX},
    "alert": {"description": "whoever receives the guest is to be told"},
}

_FORM: Final[dict[str, Note]] = {
    "format": {
        "description": "`csv`: a table with a line for each date or venue; left out: as `Accept` "
        "says, else `json`",
        "enum": ["json", "csv"],
    },
}
_DATES: Final[dict[str, Note]] = {
    "from": {"description": "the first service date", "format": "date"},
    "to": {
        "description": f"the last service date, which is counted too; {FIGURES_DAYS_MAX} days at "
        "most",
        "format": "date",
    },
}
_OWN_NOTES: Final[dict[str, dict[str, Note]]] = {
    "PageQuery": _ALL,
    "VenuesListQuery": _ALL
    | {
        "include": {
            "description": "`inactive`: also those that are out of service; left out: without",
            "enum": ["inactive"],
        },
        "geohash": {
            "description": "the beginning of a geohash: venues in that cell; left out: all",
            "pattern": f"^{geohash.WORD.pattern}$",
        },
    },
    "AllotmentQuery": _ALL
    | {
        "venue": {"description": "id of the venue; left out: all"},
        "include": {
            "description": "`rest`: also what is in no allotment, and so the hub's",
            "enum": ["rest"],
        },
    },
    "GrantRequest": {
        "holder": {"description": "name of a device that has joined"},
        "resources": {"description": "ids, or patterns such as `T*`"},
        "quantity": {
            "description": "of a pool; left out: all of it",
            "minimum": 1,
            "maximum": PARTY_MAX,
        },
        "from": {"description": "a service date; left out: today", "format": "date"},
        "until": {
            "description": "a service date, which is in it; left out: without an end",
            "format": "date",
        },
        "release_minutes": {
            "description": "before a start it goes back to the hub; 0: at the start; left out: "
            "never",
            "minimum": 0,
            "maximum": RELEASE_MINUTES_MAX,
        },
        "again": {
            "description": "what the venue file wishes for the device, also what it had once; "
            "instead of `resources`"
        },
    },
    "SearchRequest": {
        "q": {"description": "a name or its beginning, a telephone number, an e-mail address"},
        "limit": {
            "description": "how many guests",
            "minimum": 1,
            "maximum": LIST_LIMIT_MAX,
        },
    },
    "NameQuery": {
        "begins": {
            "description": "`agent_` and 6 to 32 characters of an agent id",
            "minLength": len("agent_") + BEGINNING_CHARS_MIN,
            "maxLength": AGENT_ID_CHARS,
        },
        "limit": {
            "description": "how many guests",
            "minimum": 1,
            "maximum": LIST_LIMIT_MAX,
        },
    },
    "EraseQuery": {
        "reason": {"enum": sorted(vocabulary.ERASE_REASONS), "description": "why"},
    },
    "RestrictionsOfQuery": _ALL | {"state": _STANDS},
    "RestrictionsQuery": _ALL
    | {"state": _STANDS, "agent_id": {"description": "pseudonym; left out: of all"}},
    "RestrictRequest": {
        "venue": {"description": "id of the venue; left out where there is one"},
        "restriction": {
            "enum": list(restrictions.KINDS),
            "description": "`booking-ban`: no reservation; `max-concurrent`: so many to come at a "
            "time; `max-advance-days`: so many days ahead",
        },
        "value": {
            "description": "how many; a ban has none",
            "minimum": 0,
            "maximum": RESTRICTION_VALUE_MAX,
        },
        "until": {
            "description": f"{_TIME}; or a date, for its midnight; left out: until it is lifted"
        },
        "reason": {"enum": sorted(vocabulary.RESTRICT_REASONS), "description": "why"},
    },
    "LiftRequest": {
        "reason": {"enum": sorted(vocabulary.LIFT_REASONS), "description": "why"},
    },
    "ProfileQuery": {"venue": {"description": "id of the venue; left out where there is one"}},
    "ProfileRequest": {
        "venue": {"description": "id of the venue; left out where there is one"},
        "tier": {"description": "a word of ours or of the venue file; left out: none"},
        "tags": {
            "description": "words of ours or of the venue file; left out: none",
            "maxItems": TAGS_PER_GUEST_MAX,
        },
    },
    "GuestVenueQuery": _VENUE,
    "HistoryListQuery": _VENUE
    | {
        "status": {
            "enum": list(lifecycle.STATUSES),
            "description": "only in this status; left out: all",
        },
        "from": {"description": f"{_TIME}: only those that begin then or later"},
        "to": {"description": f"{_TIME}: only those that begin before"},
    },
    "DuplicatesQuery": _VENUE,
    "FlagRequest": _VENUE | {"up": {"description": "false takes the mark away"}},
    "MergeRequest": _VENUE | {"other": {"description": "pseudonym of the same guest"}},
    "UnmergeRequest": _VENUE
    | {"other": {"description": "pseudonym of another guest; left out: all it was merged with"}},
    "NotesQuery": _VENUE | {"withdrawn": {"description": "also those that stand no more"}},
    "NoteRequest": _VENUE | _NOTE,
    "NoteChange": _NOTE,
    "PreferencesRequest": _VENUE
    | {
        "preferences": {"description": "in words", "maxLength": guest_details.TEXTS["preferences"]},
        "dietary": {
            "description": "what the guest does not eat, in words",
            "maxLength": guest_details.TEXTS["dietary"],
        },
        "language": {"description": "a language tag such as it or pt-BR"},
        "time_zone": {"description": "a time zone such as Europe/Rome"},
        "email": {"description": "may be sent e-mail"},
        "sms": {"description": "may be sent text messages"},
        "whatsapp": {"description": "may be sent WhatsApp messages"},
        "marketing": {"description": "agreed to be sent what they did not ask for"},
    },
    "ErasureQuery": _ALL | {"agent_id": {"description": "pseudonym; left out: all"}},
    "HoldRequest": {
        "minutes": {
            "description": "how long it is held; left out: the venue's `hold_minutes`",
            "minimum": 1,
            "maximum": HOLD_MINUTES_MAX,
        },
    },
    "HoldPatch": {
        "resources": {"description": "ids, all of them together"},
        "may_move": {"description": "the holder may give an equal or larger place instead"},
    },
    "HoldQuery": {"venue": {"description": "id of the venue; left out: all"}},
    "ExtendRequest": {
        "minutes": {
            "description": "how much longer",
            "minimum": 1,
            "maximum": HOLD_MINUTES_MAX,
        },
    },
    "BlockRequest": {
        "kind": {
            "enum": sorted(vocabulary.BLOCK_KINDS),
            "description": "what the places are used for; `blocked`: for nothing",
        },
        "reason": {"enum": sorted(vocabulary.BLOCK_REASONS), "description": "why"},
        "resources": {"description": "ids, all of them", "minItems": 1},
        "ends_at": {"description": _TIME},
        "quantity": {"description": "of each, of pools; left out: all of it", "minimum": 1},
        "rrule": {
            "description": "a recurrence of RFC 5545 with an end, such as "
            "`FREQ=WEEKLY;BYDAY=MO;COUNT=10`; each date is a block of its own"
        },
        "force": {"description": "over reservations too, which stay as they are"},
    },
    "BlocksRequest": {
        "items": {"description": "each as `POST /blocks` takes it", "minItems": 1},
    },
    "BlockQuery": {"venue": {"description": "id of the venue; left out: all"}},
    "LeaveQuery": {
        "reason": {"description": "a code, as for cancelling; why who was displaced leaves"}
    },
    "UnblockQuery": {"series": {"description": "with all later dates of its recurrence"}},
    "WaitRequest": {
        "from": {
            "description": "the earliest start that would do: `HH:MM` on the venue's clock, or a "
            "time; left out: the whole day"
        },
        "to": {"description": "the latest start that would do, as `from`"},
        "priority": {
            "description": "of two, the lower goes first",
            "minimum": 0,
            "maximum": PRIORITY_MAX,
        },
    },
    "WaitlistQuery": _ALL
    | {
        "venue": {"description": "id of the venue; left out: all"},
        "date": {"description": "a service date; left out: from today on", "format": "date"},
    },
    "OfferRequest": {
        "starts_at": {"description": f"{_TIME}; left out: the first that fits"},
        "minutes": {
            "description": "how long it is held for them; left out: the venue's "
            "`waitlist_offer_minutes`, and without one 15",
            "minimum": 1,
            "maximum": HOLD_MINUTES_MAX,
        },
    },
    "ReminderRequest": {
        "kind": {"description": f"{_CODE}, such as `day_before`: the sender's own word for it"},
        "at": {"description": f"when it was sent, {_TIME}; left out: now"},
    },
    "DueQuery": _ALL
    | {
        "kind": {"description": "of which kind, such as `day_before`"},
        "due_before": {"description": f"what starts before then: {_TIME}"},
        "venue": {"description": "id of the venue; left out: all, and times have an offset"},
    },
    "OfferSecret": {
        "secret": {"description": "what stands behind the `#` of an offer's address"},
    },
    "RevokeRightRequest": {
        "reason": {"enum": sorted(vocabulary.RIGHT_REVOKE_REASONS), "description": "why"},
    },
    "VenueQuery": _ALL | {"venue": {"description": "id of the venue; left out: all"}},
    "ExceptionsQuery": _ALL | {"venue": {"description": "id of the venue; left out: all"}},
    "ListQuery": {
        "agent_id": {"description": "pseudonym: only reservations of this guest"},
        "series": {"description": "id or code of one of them: all of its series, and nothing else"},
        "approval": {
            "description": "how it stands with the house's word",
            "enum": list(approval.STATES),
        },
    },
    "BulkItem": {
        "action": {"enum": list(ACTIONS), "description": "what is to be done"},
        "reservation": {"description": "id or code"},
        "reason": {"enum": sorted(vocabulary.CANCEL_REASONS), "description": "why it is cancelled"},
        "by": {"enum": sorted(vocabulary.CANCELLED_BY), "description": "who cancels it"},
        "actual_party_size": {"description": "how many came; left out: as reserved", "minimum": 1},
    },
    "BulkRequest": {
        "items": {
            "description": "done in this order, each for itself",
            "minItems": 1,
            "maxItems": BULK_ITEMS_MAX,
        },
    },
    "LookupRequest": {
        "reference": {"description": "code or id"},
        "email": {"description": "the guest's address; this or `phone`"},
        "phone": {"description": "the guest's telephone number, however it is written"},
        "date": {
            "description": "the service date that the guest says; left out: not asked",
            "format": "date",
        },
        "party_size": {"description": "how many the guest says they are; left out: not asked"},
        "name": {
            "description": "the guest's name, or some words of it; left out: not asked",
        },
    },
    "SeriesRequest": {
        "rrule": {
            "description": "a recurrence of RFC 5545 with an end, such as `FREQ=WEEKLY;COUNT=8`; "
            "the first date is that of `starts_at`"
        },
        "each": {"description": "those dates that can be had; left out: all or none"},
    },
    "CancelRequest": {
        "series": {"description": "with all later dates of its series, all of them or none"},
        "reason": {"enum": sorted(vocabulary.CANCEL_REASONS), "description": "why"},
    },
    "Override": {
        "reason": {
            "enum": sorted(vocabulary.OVERRIDE_REASONS),
            "description": "why it may have the place",
        },
    },
    "ResolveRequest": {
        "resources": {
            "description": "for `move`, `walk` and `overbook`: ids, all of them together"
        },
        "starts_at": {"description": f"for `move` and `overbook`: another start; {_TIME}"},
    },
    "PatchRequest": {
        "resources": {"description": "ids, all of them together"},
        "may_move": {"description": "the holder may give an equal or larger place instead"},
    },
    "AssignRequest": {"resources": {"description": "ids, all of them together", "minItems": 1}},
    "ServiceNotesQuery": {
        "service": {
            "description": "an id of the venue's own, such as dinner; left out: the whole day",
            "maxLength": SERVICE_CHARS_MAX,
        }
    },
    "ServiceNotesRequest": {
        "text": {"description": f"{SERVICE_NOTES_CHARS_MAX} characters at the most"}
    },
    "FloorQuery": {"at": {"description": f"an instant; {_TIME}; left out: now"}},
    "MarkRequest": {"state": {"enum": list(floor.MARKS), "description": "how it stands"}},
    "BlackoutQuery": _ALL
    | {
        "venue": {"description": "id of the venue; left out: all"},
        "from": {
            "description": "what is not over here yet: a time, or a date for its midnight; without "
            "an offset on the clock of the venue"
        },
        "to": {"description": "what begins before here, as `from`"},
    },
    "ViolationQuery": _ALL
    | {
        "from": {"description": "refused on this day or later", "format": "date"},
        "to": {"description": "refused before this day", "format": "date"},
    },
    "AvailabilityQuery": {
        "agent_id": {
            "description": "pseudonym: what this person may have; a guest's token: its own"
        },
        "to": {"description": f"before here, of the start; {SLOT_DAYS_MAX} days at most"},
        "resource_kind": {"description": "such as table; left out: the venue's first"},
        "kind": {
            "enum": sorted(vocabulary.RESERVATION_KINDS),
            "description": "what it would be; of a `walk_in` the present minute is the first start",
        },
    },
    "ServiceQuery": _FORM,
    "RangeQuery": _FORM | _DATES,
    "VenuesQuery": _ALL | _FORM | _DATES,
    "VolumeQuery": _ALL,
    "NoShowsQuery": _FORM
    | {
        "from": {
            "description": "the first service date; left out: a Monday, of so many weeks that "
            f"there are {NO_SHOW_WEEKS}",
            "format": "date",
        },
        "to": {
            "description": "the last service date, which is counted too; left out: today's",
            "format": "date",
        },
    },
    "BusinessQuery": _FORM
    | _DATES
    | {"account": {"description": "the `business_account` of its venue files"}},
    "CalendarQuery": {
        "resource": {"description": "id: only its events; left out: of the whole venue"},
        "from": {
            "description": "what ends after here: a time, or a date for its midnight, on the "
            f"venue's clock; left out: {CALENDAR_DAYS_BACK} days ago"
        },
        "to": {
            "description": f"what starts before here, {CALENDAR_DAYS_MAX} days after `from` at "
            f"most; left out: {CALENDAR_DAYS_AHEAD} days ahead"
        },
        "key": {
            "description": "the secret of a token whose only permission is `calendar.read`, "
            "instead of a header; the password of HTTP Basic may be it as well"
        },
    },
    "AuditQuery": {
        "venue": {"description": "id of the venue; left out: all"},
        "from": {
            "description": "written from here on: a time, or a date for its midnight; without an "
            "offset on the clock of the venue"
        },
        "to": {"description": "written before here, as `from`"},
        "newest": {"description": "the last ones, the oldest of them first; `next` goes back"},
    },
    "TokenRequest": {
        "role": {"enum": list(ROLES), "description": "what it may do"},
        "agent_id": {"description": "of role guest alone: whose reservations it may see"},
        "venues": {
            "description": "ids: it is for these alone; empty: for all",
            "maxItems": VENUES_PER_TOKEN_MAX,
        },
        "permissions": {"description": "of its role's it has these alone; empty: all"},
        "expires_seconds": {
            "description": "after which it is worth nothing; left out: it has no end",
            "minimum": 1,
            "maximum": TOKEN_SECONDS_MAX,
        },
    },
    "SessionRequest": {
        "token": {"description": "a token, whose rights the session has"},
        "staff": {"description": "name of a member of staff of this device, with `pin`"},
        "ticket": {"description": "as `holdfast open` makes it: good once, for a minute"},
        "guest": {"description": "true: as somebody who has no token"},
        "venue": {"description": "id of where the guest wants to reserve; left out: anywhere here"},
    },
    "TicketRequest": {"page": {"enum": list(ROLE_BY_PAGE), "description": "which page"}},
    "StaffRequest": {
        "name": {"description": "as they log in; unique on this device, in any case"},
        "role": {"enum": list(STAFF_ROLES), "description": "what they may do"},
    },
    "InviteRequest": {
        "role": {"enum": list(NODE_ROLES), "description": "what the device will be"},
        "name": {"description": "of the device: 1 to 64 of a-z, 0-9 and -"},
    },
    "ImportRecord": {
        "line": {"description": "its number in the file that it came from"},
        "key": {"description": "what makes it the same record again: 64 hexadecimal digits"},
        "starts_at": {"description": "a date or a venue-local time"},
        "ends_at": {"description": "a date or a venue-local time"},
        "resource": {"description": "id; empty: to be chosen"},
        "status": {"description": "where it stood", "enum": list(lifecycle.STATUSES)},
        "status_at": {"description": "since when; empty: not known"},
        "made_at": {"description": "empty: not known"},
        "user_id": {"description": "who the guest is, to you; kept as a pseudonym alone"},
        "guest": {"description": "fields of the guest's card, in pairs of name and text"},
        "sequence": {"description": "how often a calendar's event was changed; null: no event"},
        "notes": {"description": "what was odd about its row"},
    },
    "RowProblem": {
        "line": {"description": "its number in the file that it came from"},
        "rule": {"description": "a code"},
        "message": {"description": "a sentence for a person"},
        "left_out": {"description": "false: it was imported all the same"},
    },
}
OWN: Final = frozenset(_OWN_NOTES)
"""Names of request structs, and of parts of them, in which a field means something of its own."""


def noted(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a request struct with what its fields mean; it takes no other fields."""
    own = _OWN_NOTES.get(kind, {})
    properties = {
        name: value if "description" in value else _with(value, own.get(name, _NOTES.get(name, {})))
        for name, value in schema.get("properties", {}).items()
    }
    return schema | {"properties": properties, "additionalProperties": False}


def _with(schema: dict[str, Any], note: Note) -> dict[str, Any]:
    """What is said of a value belongs beside its type, not beside a null that may stand instead."""
    narrowed = {
        name: value for name, value in note.items() if name not in ("description", "default")
    }
    plain = {name: value for name, value in note.items() if name not in narrowed}
    if "anyOf" not in schema:
        return _narrow(schema, narrowed) | plain
    choices = [
        choice if choice == {"type": "null"} else _narrow(choice, narrowed)
        for choice in schema["anyOf"]
    ]
    return schema | {"anyOf": choices} | plain


def _narrow(choice: dict[str, Any], narrowed: Note) -> dict[str, Any]:
    return dict(narrowed) if "$ref" in narrowed else choice | narrowed
