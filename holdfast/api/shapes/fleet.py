"""How a replica, its settings, its fleet and its tokens look to those who run them."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from holdfast.api.permissions import ROLES
from holdfast.api.shapes.common import Items, Life, Shape, UtcTime, VenueTime, one_of
from holdfast.api.shapes.sync import ClockStatus, SyncStatus
from holdfast.model.roles import NODE_ROLES

ReplicaRole = Annotated[str, one_of(("hub", "node"), description="what kind of replica it is")]


class Health(Shape, kw_only=True):
    """The process answers."""

    status: Annotated[str, one_of(("ok",), description="always ok")]
    role: ReplicaRole
    name: Annotated[str, Meta(description="of the device")]
    version: Annotated[str, Meta(description="of Holdfast")]


class Readiness(Shape, kw_only=True):
    """Whether to send requests here."""

    status: Annotated[
        str, one_of(("ready", "stopping"), description="`stopping`: send nothing more")
    ]


class BookCount(Shape, kw_only=True):
    """How much of a venue's book is held."""

    venue: Annotated[str, Meta(description="id of the venue")]
    reservations: Annotated[int, Meta(description="how many reservations")]
    holds: Annotated[int, Meta(description="how many places are held now")]
    waiting: Annotated[int, Meta(description="how many parties are on the waitlist")]
    blocks: Annotated[int, Meta(description="how many blocks stand, past ones too")]
    chains: Annotated[int, Meta(description="lives of devices that wrote here")]


class Disk(Shape, kw_only=True):
    """What the data take."""

    database_bytes: Annotated[int, Meta(description="bytes of the database, its log included")]


class SoldPlaces(Shape, kw_only=True):
    """Places that a node may sell by itself."""

    resources: Annotated[list[str], Meta(description="ids")]
    quantity: Annotated[int | None, Meta(description="of each; null: all of it")]
    until: Annotated[VenueTime | None, Meta(description="null: without an end")]


class Sells(Shape, kw_only=True):
    """What a node may sell by itself."""

    resources: Annotated[int, Meta(description="how many resources, or shares of them")]
    once_clock_is_set: Annotated[
        int, Meta(description="how many more once its clock is set: they go back by the clock")
    ]
    until_at: Annotated[UtcTime | None, Meta(description="null: without an end")]
    places: Annotated[list[SoldPlaces], Meta(description="which they are")]


class OwnCertificate(Shape, kw_only=True):
    """The certificate with which this replica proves who it is."""

    serial: Annotated[str, Meta(description="its serial number, in hex")]
    ends_at: UtcTime
    state: Annotated[
        str,
        one_of(
            ("good", "due", "ended"),
            description="`due`: it is renewed by itself; `ended`: a device is heard no more",
        ),
    ]


class ReplicaStatus(Shape, kw_only=True):
    """One screen: identity, sync, queue, clock, books, disk."""

    role: ReplicaRole
    name: Annotated[str, Meta(description="of the device")]
    tenant: Annotated[str, Meta(description="whose replica it is")]
    venue: Annotated[str, Meta(description="id of the node's venue; empty at the hub")]
    node_role: Annotated[str, Meta(description="what the device is, such as front-desk")]
    incarnation: Life
    number: Annotated[int, Meta(description="of this life of the directory")]
    directory: Annotated[str, Meta(description="path on the machine that serves")]
    books: list[BookCount]
    queue: Annotated[
        dict[str, int], Meta(description="operations written here by state; empty at the hub")
    ]
    clock: ClockStatus
    disk: Disk
    certificate: OwnCertificate
    sync: Annotated[SyncStatus | UnsetType, Meta(description="at a node")] = UNSET
    sells: Annotated[Sells | UnsetType, Meta(description="at a node")] = UNSET
    other_life: Annotated[
        list[str] | UnsetType,
        Meta(description="at a node: why the directory began another life; empty: it did not"),
    ] = UNSET


class Config(Shape, kw_only=True):
    """The settings in force."""

    ntp: Annotated[list[str], Meta(description="time servers, `host[:port]`; none: the hub")]
    hub_url: Annotated[str, Meta(description="empty: where this node joined")]
    hub_ca: Annotated[
        str, Meta(description="PEM file of who is believed of the hub's TLS certificate")
    ]
    synchronous: Annotated[
        str,
        one_of(("FULL", "NORMAL"), description="`FULL`: an answered write survives a power cut"),
    ]
    sync_compression: Annotated[str, one_of(("zlib", "none"), description="of what is exchanged")]
    poll_seconds: Annotated[
        float, Meta(description="between two exchanges while the live channel is down")
    ]
    hosts: Annotated[list[str], Meta(description="names that it is called by over HTTP")]
    requests_per_second: Annotated[float, Meta(description="of one token or session")]
    bookings_per_minute: Annotated[
        float, Meta(description="reservations asked for by one token of role kiosk or guest")
    ]
    guest_page: Annotated[
        str, one_of(("off", "on"), description="`on`: guests reserve at `/book`, without a token")
    ]
    key_store: Annotated[str, one_of(("file", "keyring"), description="where private keys lie")]
    log_level: Annotated[
        str, one_of(("DEBUG", "INFO", "WARNING", "ERROR"), description="of the files in log/")
    ]
    test_wall: Annotated[str, Meta(description="path of a test's file; empty: no test")]


class Concerns(Shape, kw_only=True):
    """What the hub holds against a device; all zero for a sound one."""

    quarantined: Annotated[int, Meta(description="entries of this life that were set aside")]
    refused: Annotated[int, Meta(description="frames of this device that were refused, and kept")]
    branches: Annotated[int, Meta(description="further histories of this life")]
    oversold: Annotated[int, Meta(description="allotments that it sold more of than it had")]
    keys: Annotated[
        int, Meta(description="keys of guest cards that it sent and that no entry carries")
    ]
    renewals: Annotated[
        int, Meta(description="requests to renew a certificate for a second key; shut out: 0")
    ]


class FleetNode(Shape, kw_only=True):
    """A life of a device, as the hub last saw it."""

    name: Annotated[str, Meta(description="unique in its list")]
    role: Annotated[str, one_of(NODE_ROLES, description="what the device is")]
    venue: Annotated[str, Meta(description="id of its venue")]
    last_seen_at: Annotated[
        UtcTime | None, Meta(description="null: it joined, and was never heard")
    ]
    connected: Annotated[
        bool,
        Meta(description="it has a live channel now; who polls has none, and is seen often"),
    ]
    queued: Annotated[int | None, Meta(description="operations that waited there")]
    clock_state: Annotated[str | None, Meta(description="as the device said of its clock")]
    uncertainty_ms: Annotated[
        int | None, Meta(description="how wrong its clock may have been, milliseconds")
    ]
    version: Annotated[str | None, Meta(description="of Holdfast there")]
    incarnation: Life | None
    number: Annotated[int | None, Meta(description="of this life of its directory")]
    entries: Annotated[int, Meta(description="entries of this life that the hub holds")]
    revoked: Annotated[bool, Meta(description="shut out")]
    concerns: Concerns


class Fleet(Items[FleetNode], kw_only=True):
    """Devices, the newest life of each first."""


class NodeRevoked(Shape, kw_only=True):
    """A node that is shut out."""

    name: Annotated[str, Meta(description="unique in its list")]
    state: Annotated[str, one_of(("revoked",), description="how it stands now")]


class Invite(Shape, kw_only=True):
    """A one-time join code."""

    code: Annotated[str | None, Meta(description="shown once: null in a replay")]
    expires_at: UtcTime


class OpenInvite(Shape, kw_only=True):
    """A join code that is still open; the code itself is kept nowhere."""

    id: Annotated[str, Meta(description="names the code, and opens nothing")]
    name: Annotated[str, Meta(description="of the device that it admits")]
    role: Annotated[str, one_of(NODE_ROLES, description="what the device is")]
    venue: Annotated[str, Meta(description="id of its venue")]
    expires_at: UtcTime
    tries_left: Annotated[int, Meta(description="how many wrong tries it still takes")]


class OpenInvites(Items[OpenInvite], kw_only=True):
    """Join codes, those that end first first."""


class NotHeard(Shape, kw_only=True):
    """A device that has not been heard since the hub came back."""

    name: Annotated[str, Meta(description="of the device")]
    last_seen_at: Annotated[
        UtcTime | None, Meta(description="null: never, as far as this hub knows")
    ]


class Recovering(Shape, kw_only=True):
    """A venue in which the hub sells and decides nothing yet."""

    venue: Annotated[str, Meta(description="id of the venue")]
    heard: Annotated[list[str], Meta(description="names of devices that were heard")]
    not_heard: list[NotHeard]
    rivals: Annotated[
        bool, Meta(description="two hubs claim to follow one: `proceed` keeps this one")
    ]


class Recovery(Shape, kw_only=True):
    """Where the hub stands, and who has not been heard."""

    state: Annotated[
        str,
        one_of(
            ("serving", "recovering", "replaced"),
            description="`recovering`: nothing is sold or decided; `replaced`: nothing ever again",
        ),
    ]
    missing: Annotated[
        dict[str, list[str]], Meta(description="names of devices not heard yet, by venue")
    ]
    shut_out: Annotated[
        dict[str, list[str]],
        Meta(description="names of devices that were not waited for and are shut out now"),
    ]
    before: Annotated[
        list[Recovering], Meta(description="venues that were recovering when this was asked for")
    ]
    ended: Annotated[
        list[str], Meta(description="ids of venues in which the recovery has ended by this")
    ]


class Token(Shape, kw_only=True):
    """A token without its secret, which nobody keeps."""

    id: Annotated[str, Meta(description="unique in its list")]
    name: Annotated[str, Meta(description="unique in its list")]
    role: Annotated[str, one_of(ROLES, description="what it may do")]
    agent_id: Annotated[
        str | None, Meta(description="of role guest: whose reservations it may see")
    ]
    venues: Annotated[list[str], Meta(description="ids: it is for these alone; empty: for all")]
    permissions: Annotated[
        list[str], Meta(description="of its role's it has these alone; empty: all")
    ]
    made_at: UtcTime
    expires_at: Annotated[UtcTime | None, Meta(description="null: it has no end")]
    used_at: Annotated[UtcTime | None, Meta(description="last, to the minute; null: never")]
    revoked_at: UtcTime | None


class TokenList(Items[Token], kw_only=True):
    """The tokens, revoked ones too."""


class NewToken(Token, kw_only=True):
    """A token, with its secret."""

    token: Annotated[str | None, Meta(description="the secret, shown once: null in a replay")]


class Backup(Shape, kw_only=True):
    """A copy of the database."""

    path: Annotated[str, Meta(description="on the machine that serves")]
    bytes: Annotated[int | None, Meta(description="null: it is there no more")]
