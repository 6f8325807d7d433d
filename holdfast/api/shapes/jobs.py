"""How the timed jobs of a replica look."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from holdfast.api.shapes.common import Items, Shape, UtcTime, one_of
from holdfast.node.jobs import NAMES


class JobRun(Shape, kw_only=True):
    """One run of a job."""

    started_at: UtcTime
    ok: Annotated[bool, Meta(description="false: it failed, and runs again when its time comes")]
    count: Annotated[
        int | None, Meta(description="how many things it did; null: it does not count them")
    ]
    detail: Annotated[str | None, Meta(description="why it failed")]


class Job(Shape, kw_only=True):
    """Something that a process that serves does by itself, again and again."""

    name: Annotated[
        str,
        one_of(
            NAMES,
            description=(
                "`lapse`: what is held and not reserved in time; `no-show`: marks who did not "
                "come; `ntp`: asks the time servers; `offer`: who waits is offered what became "
                "free; `release`: gives allotments back; `renew`: the certificate; `settle`: "
                "backlogs that nobody waits for any more; `sweep`: what is kept for a time only; "
                "`witness`: notes how far this life has come"
            ),
        ),
    ]
    every_seconds: Annotated[float, Meta(description="how often")]
    last: Annotated[
        JobRun | None, Meta(description="the last run since this process started; null: none yet")
    ]
    next_at: Annotated[
        UtcTime | None, Meta(description="when it runs next; null: no process runs it here")
    ]


class JobList(Items[Job], kw_only=True):
    """The jobs of this replica, by name."""
