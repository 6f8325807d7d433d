"""How sessions, tickets and staff look to whoever logs in, and to those who let them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.permissions import ROLES
from holdfast.api.sessions import ROLE_BY_PAGE
from holdfast.api.shapes.common import Items, Shape, UtcTime, one_of
from holdfast.api.staff import STAFF_ROLES


class SessionState(Shape, kw_only=True):
    """Who is logged in, and where."""

    name: Annotated[str, Meta(description="of the token or the member of staff")]
    role: Annotated[str, one_of(ROLES, description="what it may do")]
    permissions: Annotated[
        list[str], Meta(description="the same, one by one: what a page offers to whoever reads it")
    ]
    venue: Annotated[str | None, Meta(description="id of the node's venue; null at the hub")]
    node: Annotated[str, Meta(description="name of this replica")]
    csrf: Annotated[
        str | None,
        Meta(description="for `X-CSRF-Token` of every write by cookie; null with a bearer token"),
    ]


class SessionEnded(Shape, kw_only=True):
    """The session is over."""

    state: Annotated[str, one_of(("ended",), description="how it stands now")]


class NewTicket(Shape, kw_only=True):
    """A one-time ticket for a page."""

    page: Annotated[str, one_of(tuple(ROLE_BY_PAGE), description="which page")]
    role: Annotated[str, one_of(ROLES, description="what its session may do")]
    ticket: Annotated[str | None, Meta(description="the secret, shown once: null in a replay")]
    expires_at: UtcTime


class StaffMember(Shape, kw_only=True):
    """Somebody who may log in by PIN at this device."""

    name: Annotated[str, Meta(description="as they log in, in any case")]
    role: Annotated[str, one_of(STAFF_ROLES, description="what they may do")]
    made_at: UtcTime
    used_at: Annotated[UtcTime | None, Meta(description="logged in last; null: never")]
    locked_until: Annotated[
        UtcTime | None, Meta(description="after wrong PINs; null: they can log in")
    ]


class StaffList(Items[StaffMember], kw_only=True):
    """The staff of this device."""


class StaffRemoved(Shape, kw_only=True):
    """Somebody who cannot log in here any more."""

    name: Annotated[str, Meta(description="as they logged in")]
    state: Annotated[str, one_of(("removed",), description="how it stands now")]
