"""Every limit of the product, in one place: what it bounds, its unit, and why that number.

A limit that two sides must agree on is part of the protocol (docs/protocol.md); the others may
differ from machine to machine.
"""

from __future__ import annotations

from typing import Final

# --- the clock (docs/decisions/0003-clock.md) ---------------------------------------------------
STAMP_AHEAD_MS_MAX: Final = 60_000
"""A stamp from further ahead of our clock's `latest` than this moves nobody's clock."""
DRIFT_PPM: Final = 50
"""How fast the uncertainty grows between samples: a cheap crystal over a wide temperature range."""
NTP_SERVERS_MAX: Final = 16
NTP_TIMEOUT_SECONDS: Final = 2.0
NTP_INTERVAL_SECONDS: Final = 256.0
NTP_ROOT_DISTANCE_MS_MAX: Final = 1_500
"""RFC 5905's MAXDIST: a server further from its own reference than this is not believed."""
WALL_STEP_MS: Final = 500
"""A wall clock that moved this much against the monotonic clock was stepped."""
NTP_READING_ERROR_MS: Final = 1.0
"""Added to each sample's error: two honest servers next door must not contradict each other by the
microseconds that reading a clock costs, and nothing here counts in less than a millisecond."""
NTP_HOLDOVER_POLLS: Final = 4
"""Polls that may fail in a row before the clock calls itself `holdover` (about 17 minutes)."""
NTP_KISS_REST_SECONDS: Final = 3_600.0
"""A server that sent a kiss-of-death is left alone for so long (RFC 5905, 7.4)."""
DISCIPLINED_UNCERTAINTY_MS_MAX: Final = 10_000
"""A clock less certain than this is not `disciplined`: a sixth of what a stamp may be ahead."""
UNDISCIPLINED_UNCERTAINTY_MS: Final = 86_400_000
"""What a clock that was never sampled says of itself. One day covers a time zone set as UTC and a
date off by one; a dead clock battery is beyond any figure, hence a state and not only a number."""
HUB_WALL_UNCERTAINTY_MS: Final = 1_000
"""Assumed of a hub that nothing disciplines: there its wall clock *is* the tenant's time."""
WALL_LOOK_MS: Final = 1_000
"""How often a disciplined clock, which does not need the wall clock, looks whether it stepped."""
WALL_STEPS_KEPT: Final = 16
"""Steps of the wall clock that `GET /clock` lists; the log has them all."""

# --- pages and chains (part of the protocol) ----------------------------------------------------
PAGE_ENTRIES: Final = 4_096
"""Entries on a page; then it is frozen and the next begins."""
ENTRY_BYTES_MAX: Final = 262_144
"""The largest entry is a venue file with thousands of resources."""
ASIDE_BYTES_MAX: Final = 1024 * 1024
"""What is kept of a frame that the gate refused, for a person to look at."""
ASIDE_PER_SENDER_MAX: Final = 16
"""Refused frames of one device that are kept, the newest: enough to see what it does."""
ASIDE_MAX: Final = 1_024
"""The same of all chains together."""
SEAL_SPACING: Final = 512
"""Of older seals one is kept for so many entries; PAGE_ENTRIES is a multiple of it."""
CLAIMS_PER_ENTRY_MAX: Final = 64
CLAIM_SECONDS_MAX: Final = 3_700 * 86_400
"""Ten years. What a claim overlaps is looked up day by day, by everyone, for ever."""
CERTIFICATE_BYTES_MAX: Final = 4_096
"""One certificate of ours in DER has about 500 bytes, with the longest names 1,000."""
CODE_PREFIXES: Final = 1_024
"""Two characters of base32: what reservation codes can begin with."""
LIFE_NUMBER_MAX: Final = (1 << 32) - 1
"""Lives of one directory, as their certificates' entries count them."""
FROM_PER_ENTRY_MAX: Final = 64
NESTING_MAX: Final = 32
"""Arrays and maps within each other in a content. Ours stop at 7; a decoder's own end depends on
the stack it has left, and no verdict may."""

# --- exchange -----------------------------------------------------------------------------------
EXCHANGE_BYTES_MAX: Final = 8 * 1024 * 1024
"""A message between replicas as it is on the wire, compressed."""
EXCHANGE_INFLATED_BYTES_MAX: Final = 32 * 1024 * 1024
"""The same after decompression: what a compressed bomb may cost."""
EXCHANGE_ENTRIES: Final = 2_048
"""Entries that one message carries at the most; the rest follows with `more`."""
TRAIL_SPACING: Final = 1_024
"""Entries between two hashes of a head's trail: fewer than one message carries, so that a message
that begins where two branches were last seen alike always brings something new."""
IDLE_ROUNDS_MAX: Final = 16
"""Messages in a row that changed nothing although one side had more to tell: then it is given up
for now, and tried again like after any failure."""
SMALL_ENTRY_BYTES: Final = 2_048
"""Entries below it may lose the seals between them: SEAL_SPACING of them fit a frame."""
FRAME_BYTES_MAX: Final = 4 * 1024 * 1024
"""The largest frame that is taken in: a relay's, whose next seal stands a little further on."""
FRAME_ENTRY_BYTES: Final = 1024 * 1024
"""Bytes of entries after which a frame is cut and sealed, so that anybody can pass it on."""
EXCHANGE_FRAME_BYTES: Final = 2 * 1024 * 1024
"""Bytes of updates after which a message is full: well below EXCHANGE_BYTES_MAX with one more
page."""
FRAMES_PER_MESSAGE_MAX: Final = 4_096
"""More pages than the entries of one message can stand on."""
CARD_KEYS_PER_MESSAGE: Final = 2_000
CHAINS_PER_BOOK_MAX: Final = 4_096
"""Chains of one book, branches included: what everybody must keep track of."""
CHAINS_PER_CERTIFICATE_MAX: Final = 256
"""Of them, those of one certificate. An honest device begins one at a restore or after its clock
was wrong; one that needs more joins again with a new code."""
ENTRIES_PER_RESERVATION_MAX: Final = 512
"""Entries of one device about one reservation, the first ones: each is folded with all others
whenever one more arrives. Those of a holder of rights are not counted."""
DECISIONS_PER_TRANSACTION: Final = 1_024
RIGHTS_PER_ENTRY_MAX: Final = 64
RELEASE_MINUTES_MAX: Final = 10_000_000
HEADS_PER_DECISION_MAX: Final = 64
TOUCHED_EARLY_MAX: Final = 100_000
"""Reservations of an unfinished backlog that are looked at again when it is complete."""
SMALL_MERGE_ENTRIES: Final = 4_096
"""A merge of so few entries is decided in the same transaction: what is touched is folded and
written once, and a live operation costs one fsync less."""
BACKLOG_PATIENCE_SECONDS: Final = 60.0
"""A backlog whose next piece has not come for so long is no longer waited for by decisions."""
RETRY_BASE_SECONDS: Final = 1.0
RETRY_CAP_SECONDS: Final = 25.0
"""With full jitter on top of half of it, a retry comes within 30 s of any cut's end."""
BREAKER_FAILURES: Final = 5
BREAKER_OPEN_SECONDS: Final = 20.0
POLL_SECONDS: Final = 5.0
LIVE_AGAIN_SECONDS: Final = 60.0
"""How long a device that is refused the live channel polls before it tries the channel again: a
proxy's configuration changes seldom, and a try that is swallowed holds polling up for seconds."""
CONNECT_TIMEOUT_SECONDS: Final = 5.0
EXCHANGE_TIMEOUT_SECONDS: Final = 60.0
LIVE_FIRST_MESSAGE_SECONDS: Final = 60.0
"""How long a hub holds a live channel on which nothing has come that opens: a slow device's first
message is a backlog, and a repeated upgrade must not cost a connection for ever."""
KEEP_ALIVE_SECONDS: Final = 10.0
"""How long a live link may be silent before both sides look whether the other is there."""

# --- requests at the faces ----------------------------------------------------------------------
HOSTS_MAX: Final = 64
"""Names that a replica may be called by over HTTP, by its settings."""
BODY_BYTES_MAX: Final = 1024 * 1024
LIST_LIMIT: Final = 50
LIST_LIMIT_MAX: Final = 500
IDEMPOTENCY_HOURS: Final = 48
PREFER_WAIT_SECONDS_MAX: Final = 10
IDEMPOTENCY_KEY_CHARS_MAX: Final = 255
STREAM_CHANGES_KEPT: Final = 4_096
"""Changes that a watcher who comes back with `Last-Event-ID` may have missed."""
STREAM_KEEPALIVE_SECONDS: Final = 15.0
"""A silent stream says so this often: proxies cut what is silent for half a minute."""
RESOURCES_PER_REQUEST_MAX: Final = 64
PARTNER_REFERENCE_CHARS_MAX: Final = 128
METADATA_BYTES_MAX: Final = 4_096
METADATA_DEPTH_MAX: Final = 4
"""Lists and objects within each other below a key of `metadata`."""
METADATA_NUMBER_MAX: Final = 999_999_999
"""Either way: amounts in cents and counts fit; a telephone number with its country code does not,
and stands in `metadata` by accident only."""
CARD_BYTES_MAX: Final = 8_192
JOIN_CODE_TRIES: Final = 5
CERTIFICATES_PER_DAY_MAX: Final = 24
"""Of one device: each is kept for ever, so that it can be shut out, and a fault asks every hour."""
PASSPHRASE_CHARS_MIN: Final = 12
"""Of the passphrase of an exported root key: who finds the file can try for as long as he likes."""
INVITE_SECONDS_MAX: Final = 30 * 86_400
"""A join code is a key to the fleet: one that lies about for longer than a month is a leak."""
QUEUE_KEPT_DAYS: Final = 7
VIOLATION_PATTERNS_PER_DAY_MAX: Final = 2_000
"""Different ones of one day at one venue that are counted: rule, kind, channel, weekday, hour."""
VIOLATIONS_KEPT_DAYS: Final = 400
"""How often each rule refused something: a season can be held against the one a year before."""
REMINDER_KINDS_MAX: Final = 16
"""Different kinds of reminders that are marked of one reservation."""
REMINDERS_KEPT_DAYS: Final = 31
"""After the start that they reminded of; nothing that has begun is reminded of again."""
ENDED_RIGHTS_SHOWN_DAYS: Final = 7

# --- who calls (docs/access.md) -----------------------------------------------------------------
TOKEN_SECONDS_MAX: Final = 3_650 * 86_400
"""The furthest end that a token can be given; what is to last longer has none."""
TOKEN_NOTED_EVERY_MS: Final = 60_000
"""How often it is written down that a token or session is in use: no request waits for it."""
VENUES_PER_TOKEN_MAX: Final = 64
SESSION_IDLE_MS: Final = 12 * 3_600_000
"""A page that nobody used for so long is logged out: longer than any shift's pause."""
SESSION_MS_MAX: Final = 7 * 86_400_000
"""However much it is used: a cookie that was copied is worth a week at the most."""
STAFF_IDLE_MS: Final = 30 * 60_000
"""The same for who logged in by PIN: the device is shared, and people walk away from it."""
STAFF_MS_MAX: Final = 16 * 3_600_000
"""The longest shift."""
SESSIONS_MAX: Final = 256
"""Sessions of one device; the one longest unused makes room for the next."""
GUEST_IDLE_MS: Final = 90 * 86_400_000
"""A guest's own browser is known for so long without a visit: as far ahead as people reserve."""
GUEST_MS_MAX: Final = 400 * 86_400_000
"""No browser keeps a cookie for longer."""
GUEST_SESSIONS_MAX: Final = 5_000
"""Guests' own browsers that one device knows, counted apart: no crowd logs the staff out."""
GUESTS_PER_SECOND: Final = 0.5
GUESTS_AT_ONCE: Final = 60
"""New guests from one address: behind a proxy, or in a hotel's network, many share one."""
GUEST_STREAMS_MAX: Final = 4
GUEST_STREAMS_PER_ADDRESS_MAX: Final = 32
"""Open streams of one guest's session, and of all of one address: each costs the worker something
whenever anything is written."""
TICKET_SECONDS: Final = 60
TICKETS_MAX: Final = 64
"""Tickets that wait to be used; the oldest is worth nothing any more where more are made."""
STAFF_MAX: Final = 500
PIN_DIGITS_MIN: Final = 4
PIN_DIGITS_MAX: Final = 10
PIN_TRIES: Final = 5
"""Wrong PINs of a name before it is locked; after that every wrong one locks it again."""
PIN_TRIES_PER_DEVICE: Final = 20
"""The same of all names together."""
PIN_LOCKED_SECONDS: Final = (60, 300, 900, 3_600)
"""How long, from one time to the next: in the end 24 of 10,000 PINs can be tried in a day."""
PIN_TRIES_FORGOTTEN_MS: Final = 24 * 3_600_000
"""A device on which no PIN was wrong for so long counts anew. A name counts until its PIN was
right."""
PIN_NAMES_MAX: Final = 1_024
"""Names, known or not, of which wrong PINs are counted: those that were tried last."""
REQUESTS_PER_SECOND: Final = 1_000.0
"""Requests of one token or session; a tenth of a second's work of the fastest machine measured is
left to the others. Five seconds' worth may come at once."""
BOOKINGS_PER_MINUTE: Final = 60.0
"""Reservations that a token of role kiosk or guest may ask for: a queue of people at one screen
makes fewer. As many may come at once."""
CONTACTS_AT_ONCE_SHARE: Final = 1 / 6
CONTACTS_PER_MINUTE_SHARE: Final = 1 / 60
"""Of `bookings_per_minute`, how many writes with a telephone number or an e-mail address guests
without a token send from one address, at once and each minute after that: ten, then one. A refusal
tells who is banned, so that many would tell of everybody."""
WRONG_TOKENS_PER_SECOND: Final = 1.0
WRONG_TOKENS_AT_ONCE: Final = 100
"""Wrong tokens, tickets and sessions from one address. They cannot be guessed; this bounds what
guessing costs here."""
SYNC_REQUESTS_PER_SECOND: Final = 500.0
"""Requests of replicas from one address: many devices may stand behind one. Four seconds' worth may
come at once."""
CALLERS_COUNTED_MAX: Final = 4_096
"""Callers and addresses whose requests are counted; who was longest away is forgotten, and begins
with all of it again."""

# --- venues -------------------------------------------------------------------------------------
VENUE_BYTES_MAX: Final = 240 * 1024
RESOURCES_PER_VENUE_MAX: Final = 2_000
NIGHTS_MAX: Final = 365
PARTY_MAX: Final = 100_000
PRIORITY_MAX: Final = 1_000
HOLD_MINUTES_MAX: Final = 30
"""A hold lasts this long at the most, extensions and all."""
HOLD_GRACE_MS: Final = 30_000
"""How long after its time the holder keeps what somebody else held: the reserving may be under
way."""
WAITLIST_DAYS: Final = 7
"""A place on the waitlist that nobody was offered a place for ends after this."""
WAITING_PER_DEVICE_MAX: Final = 200
"""Places in the line of one service date that count of one device at which guests ask by
themselves: more than a busy evening turns away, and too few to crowd all others out."""
OFFERS_UNANSWERED_MAX: Final = 3
"""Who let so many offers go by is offered nothing by itself any more: the house asks them."""
SITTING_SECONDS_MAX: Final = 86_400
"""Who is there for longer is not counted among those who sit there at once."""
NO_SHOW_GRACE_MINUTES: Final = 15
"""How late who has no nights may be, unless the venue says otherwise."""
NO_SHOW_CATCH_UP_DAYS: Final = 7
"""What was due longer ago than this is marked by nobody but a person."""
NO_SHOW_PATIENCE_HOURS: Final = 24
"""How long the hub waits for a device, which may know that they came, before it marks them."""
BULK_ITEMS_MAX: Final = 100
"""Reservations that one request marks."""
OCCURRENCES_MAX: Final = 400
"""Dates of one recurrence, and of all blocks of one request."""
FEATURES_PER_RESOURCE_MAX: Final = 32
FLOORS_PER_VENUE_MAX: Final = 50
PLAN_MAX: Final = 1_000_000
"""Across and down, where something stands on a plan, in whatever the plan counts."""
URL_CHARS_MAX: Final = 500
TEXT_CHARS_MAX: Final = 2_000
"""What a venue says of itself in one piece."""
MEDIA_MAX: Final = 50
INTEGRATIONS_MAX: Final = 50
ALLOTMENTS_PER_VENUE_MAX: Final = 2_000
OVERBOOKING_LIMITS_PER_VENUE_MAX: Final = 2_000
CLOSED_DATES_MAX: Final = 2_000
GUEST_WORDS_PER_VENUE_MAX: Final = 200
"""Tiers, and tags, that a venue file names beside ours."""
BLACKOUTS_PER_VENUE_MAX: Final = 1_000
SLOT_OVERRIDES_PER_VENUE_MAX: Final = 1_000
GROUPS_PER_VENUE_MAX: Final = 100
"""Tiers of a venue's policies, and tags."""
CONCURRENT_MAX: Final = 10_000
RESCHEDULES_MAX: Final = 1_000
RATE_MAX: Final = 10_000
"""What a policy may allow one person: beyond it nobody is limited by it."""
NAME_CHARS_MAX: Final = 200
COMBINED_RESOURCES_MAX: Final = 4
"""Tables that may be put together for one party: more are a private event, which a person plans."""
COMBINATIONS_PER_VENUE_MAX: Final = 4_096
"""Combinations kept per venue, the small ones first: a hall in which every table combines with
every other would otherwise have millions."""
YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2999
"""Instants outside are typing errors, and too near the ends of what `datetime` can hold."""

# --- seating a service better -------------------------------------------------------------------
SEATING_PARTIES_MAX: Final = 400
"""Parties of one proposal: a large house on a full day."""
SEATING_CHOICES_MAX: Final = 64
"""Places that are looked at for each of them, the best first."""
SEATING_PASSES_MAX: Final = 8
SEATING_TRIES_MAX: Final = 200_000
"""How long the search without a solver goes on: some seconds of a slow machine."""
SOLVER_SECONDS: Final = 20.0
"""What a solver may take to prove that a plan is the best."""

# --- memory -------------------------------------------------------------------------------------
PAGES_IN_MEMORY: Final = 32
RESERVATIONS_IN_MEMORY: Final = 16_384
OCCUPANCY_DAYS_IN_MEMORY: Final = 20_000
CALENDAR_ENTRIES_IN_MEMORY: Final = 16_384
"""Offsets, dates and opening hours that the calendar has worked out, for all venues together."""
OFFERS_PER_VENUE_IN_MEMORY: Final = 32
"""Ordered lists of choices kept per venue: one per party size, kind and area asked for."""

# --- the command line and the log ---------------------------------------------------------------
COMMAND_PATIENCE_SECONDS: Final = 10.0
"""How long a command waits for a directory that another command holds, or whose process starts."""
COMMAND_ANSWER_SECONDS: Final = 300.0
"""How long a command waits for an answer: a copy of a large database takes minutes."""
IMPORT_BATCH_RECORDS: Final = 500
"""Records of an import that are one request and one transaction."""
CALENDAR_FILE_BYTES_MAX: Final = 64 * 1024 * 1024
"""A calendar file that is imported: read whole, as a zone may stand behind the events of it."""
CALENDAR_EVENT_LINES_MAX: Final = 10_000
FOUND_COLUMNS_MAX: Final = 16
"""Columns that a mapping finds inside others."""
LOG_FILE_BYTES: Final = 5 * 1024 * 1024
LOG_FILES_KEPT: Final = 5
"""Older log files beside the one that is written: a kiosk's card holds 30 MB of log at the most."""

# --- upkeep -------------------------------------------------------------------------------------
BACKUP_FILE_BYTES_MAX: Final = 1024 * 1024
"""Keys, certificates and settings are far smaller; anything larger in a data directory is no part
of what a backup must bring back."""
DISK_FREE_BYTES_MIN: Final = 100 * 1024 * 1024
"""Below it the doctor complains: about 100,000 reservations fit, and a checkpoint of the log."""
WAL_BYTES_MAX: Final = 64 * 1024 * 1024
"""A write-ahead log of four checkpoints' size: something keeps reading and never ends."""
NONCES_REMEMBERED: Final = 65_536
"""Upgrades to the live channel whose repetition is noticed. An older one leads nowhere either."""
CHALLENGED_SENDERS_MAX: Final = 65_536
"""Certificates whose newest challenge is remembered; beyond it the one silent longest asks anew."""
FLEET_NOTED_EVERY_MS: Final = 5_000
"""How often the fleet view is written for a device that says nothing new of its queue."""

# --- calendars and figures ----------------------------------------------------------------------
CALENDAR_DAYS_BACK: Final = 30
CALENDAR_DAYS_AHEAD: Final = 400
"""Service dates of a calendar feed whose address names none: last month, and as far as anybody
reserves ahead."""
CALENDAR_DAYS_MAX: Final = 800
"""The longest window of a feed: two years of a large hotel are some ten megabytes."""
CALENDAR_CANCELLED_DAYS: Final = 30
"""How long what was called off stays in a feed as cancelled: a program that was away for so long
fetches all of it anew."""
CALENDAR_REFRESH_MINUTES: Final = 15
"""How often a feed asks to be fetched."""
CALENDARS_PER_SECOND: Final = 1.0
CALENDARS_AT_ONCE: Final = 60
"""Feeds of one token: many telephones may have its address, and ask on the hour."""
NO_SHOW_WEEKS: Final = 4
"""Weeks of a report of no-shows that names no dates."""
NO_SHOW_GUESTS_MAX: Final = 200
"""Guests that such a report tells of; how many there are it says in any case."""
FIGURES_BUSINESS_VENUES_MAX: Final = 200
"""Venues of a business whose figures are added up at once."""
FIGURES_DAYS_MAX: Final = 1_100
"""Service dates of one question about figures: three years."""

# --- one thing each -----------------------------------------------------------------------------
SLOT_DAYS_MAX: Final = 62
"""Service dates that one question about availability may cover."""
SUGGESTED_SLOTS_LOOKED_AT_MAX: Final = 600
"""Starts that are tried to find a few that the rules allow, after they refused one: ten full days
of a house that offers one every quarter of an hour."""
LAPSE_SECONDS: Final = 5
"""How often what is held is looked at: a hold lapses this much late at the most."""
OFFER_SECONDS: Final = 5
"""How often who waits is looked at: for what became free elsewhere, or by the clock."""
NO_SHOW_SECONDS: Final = 60
SETTLE_SECONDS: Final = 15
RELEASE_SECONDS: Final = 60
"""How often a hub looks whether a backlog is no longer to be waited for."""
VENUE_KEYS_MAX: Final = 16
"""Private keys of one venue that a desk keeps: each front desk that was cut off at the beginning
may have made one."""
ERASURES_PER_ENTRY_MAX: Final = 1_024
"""Operations that one confirmation names, and cards that one erasure does."""
RESTRICTION_VALUE_MAX: Final = 100_000
"""Reservations at a time, or days ahead, that a restriction may name."""
RESTRICTIONS_PER_GUEST_MAX: Final = 32
"""Restrictions of one person in force that a face adds to: who needs more replaces some."""
TAGS_PER_GUEST_MAX: Final = 32
MERGES_PER_ENTRY_MAX: Final = 64
"""Merges of two agent ids that one entry takes back: each device may have written one."""
AGENTS_PER_PERSON_MAX: Final = 64
"""Agent ids that a face lets be one person: who walked in so often was taken for somebody else."""
AGENTS_FOLLOWED_MAX: Final = 256
"""Agent ids of one person that are looked at, whatever a device in bad hands has written."""
NOTES_PER_GUEST_MAX: Final = 200
"""Notes that stand about one person at a time, as far as a face adds to them."""
SERVICE_NOTES_CHARS_MAX: Final = 20_000
"""Of the notes of one service; what makes them longer is refused where it is written. What two
devices wrote at once may come out longer, and is shown whole."""
NOTE_EDITS_PER_LIFE_MAX: Final = 1_000
"""Edits of the notes of one service that count of one life of a device."""
NOTES_IN_MEMORY: Final = 32
"""Services whose opened notes stay in memory."""
GUEST_CARDS_OPENED_MAX: Final = 1_000
"""Sealed descriptions and notes of one person that are opened for an answer, the newest first."""
AGENTS_PER_CONTACT_MAX: Final = 16
"""A telephone number or an address that more people have tells nobody from another: it makes no
duplicates."""
EXPORT_NOTED_SECONDS: Final = 600
"""So long one entry stands for everything that one caller takes out about one guest."""
CARD_KEY_BYTES_MAX: Final = 512
"""A card's sealed key: 80 bytes with HPKE's X25519, and room for a later suite."""
CARD_KEYS_WAITING_MAX: Final = 4_096
"""Keys of one device's sending whose cards stand in no entry that is known: two megabytes. A sender
of today brings the entries first; an earlier one brings a message full of keys before them."""
CARD_KEYS_AGAIN: Final = 64
"""Of keys that the other side did not take, so many are offered again with each sync."""
WITNESS_EVERY_MS: Final = 1_000
"""How often a busy node writes its witness."""
ROUNDS_MAX: Final = 10_000
"""Messages of one `sync()`: with 2,048 entries each, more than any book holds."""
SEATED_SINCE_SECONDS_MAX: Final = 62 * 86_400
"""Whose visit began longer ago is not compared with those who are here: a stay of two months is,
one that nobody ever marked as completed is not for ever."""
RIVALS_JUDGED_MAX: Final = 64
"""A prognosis judges each of so many that ask for the same place; of more it says: it is open."""
WON_SHOWN_MAX: Final = 8
"""How many of those in the way a decision names; a full pool has hundreds."""
NIGHTS_WRITTEN_MAX: Final = 3_660
"""Nights that an entry may name: ten years, far beyond what a venue lets be asked for."""
DATES_IN_MEMORY: Final = 4_096
"""Service dates whose digests stay in memory."""
NONCE_CHARS_MAX: Final = 128
