"""The one tree of errors that Holdfast raises on purpose.

Every error names the thing and the way out. The HTTP face turns them into RFC 9457 problems
(`urn:holdfast:error:NAME`), the command line into one line and an exit status; nothing else
maps errors.

    HoldfastError
    ├── Invalid              422  input that cannot be understood, field by field
    │   └── Duplicate        409  understood, but two things in it have one name
    ├── NotFound             404
    ├── NotAvailable         409  this replica knows that it is taken
    ├── RuleViolated         409  a rule of the venue says no
    ├── BadTransition        409  the reservation is not in a state that allows it
    ├── Conflict             409  over existing reservations, without force
    ├── IdempotencyKeyReused 409
    ├── Gone                 410
    ├── Stale                412
    ├── TooLarge             413
    ├── RateLimited          429
    ├── Unauthorised         401
    ├── Forbidden            403
    ├── Unreachable          503  the other side cannot be reached (exit status 3)
    ├── StorageFull          507
    └── DirectoryError       500  the data directory: in use, damaged, read-only, from a newer
    version
        ├── DirectoryInUse
        └── DirectoryDamaged
"""

from __future__ import annotations

from typing import Any, ClassVar


class HoldfastError(Exception):
    """Base of all. `detail` is a sentence for a person; `extra` are the problem's own members."""

    name: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_status: ClassVar[int] = 1

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Invalid(HoldfastError):
    """Input that cannot be understood. `errors` lists every field at fault, not only the first."""

    name = "invalid"
    status = 422

    def __init__(self, detail: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail, errors=errors or [])

    @classmethod
    def field(cls, field: str, message: str) -> Invalid:
        """One field at fault: the common case."""
        return cls(f"{field}: {message}", [{"field": field, "message": message}])


class Duplicate(Invalid):
    """Two things of one document have the same name, and nothing else is wrong with it (H-06).
    Whoever expects a faulty document expects this too."""

    name = "conflict"
    status = 409


class NotFound(HoldfastError):
    name = "not-found"
    status = 404


class NotAvailable(HoldfastError):
    """What this replica knows to be taken; `alternatives` are slots that it believes free.

    `reason` says whether others have it (`full`) or it is out of use (`blocked`, by the `blocks`,
    of which the house alone is told).
    """

    name = "not-available"
    status = 409

    def __init__(
        self,
        detail: str,
        alternatives: list[dict[str, Any]] | None = None,
        waitlist_available: bool = False,
        reason: str = "",
        blocks: list[dict[str, Any]] | None = None,
        discreet: str = "",
    ) -> None:
        super().__init__(
            detail, alternatives=alternatives or [], waitlist_available=waitlist_available,
            **({"reason": reason} if reason else {}), **({"blocks": blocks} if blocks else {}),
        )  # fmt: skip
        self._discreet = discreet

    def without_blocks(self) -> NotAvailable:
        """The same for whoever is not told what a place is out of use for."""
        extra = {name: value for name, value in self.extra.items() if name != "blocks"}
        return NotAvailable(self._discreet or self.detail, **extra)


class RuleViolated(HoldfastError):
    """A rule of the venue says no. `violations` names all of them, not only the first."""

    name = "rule-violated"
    status = 409

    def __init__(
        self,
        detail: str,
        violations: list[dict[str, str]] | None = None,
        suggestions: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail, violations=violations or [], suggestions=suggestions or [])


class BadTransition(HoldfastError):
    """The lifecycle table has no such step from the present status.

    Its own member is not called `status`: that is the HTTP status in every problem (RFC 9457,
    3.1.2), and whoever reads it as a number must find one.
    """

    name = "bad-transition"
    status = 409

    def __init__(self, detail: str, present_status: str) -> None:
        super().__init__(detail, reservation_status=present_status)
        self.present_status = present_status


class BadTableTransition(BadTransition):
    """A table makes no such jump from how it stands (`floor`)."""

    def __init__(self, detail: str, present_state: str) -> None:
        HoldfastError.__init__(self, detail, table_state=present_state)
        self.present_status = present_state


class Conflict(HoldfastError):
    name = "conflict"
    status = 409


class IdempotencyKeyReused(HoldfastError):
    name = "idempotency-key-reused"
    status = 409


class Gone(HoldfastError):
    name = "gone"
    status = 410


class Stale(HoldfastError):
    name = "stale"
    status = 412


class TooLarge(HoldfastError):
    name = "payload-too-large"
    status = 413


class RateLimited(HoldfastError):
    name = "rate-limited"
    status = 429

    def __init__(
        self,
        detail: str,
        retry_after_seconds: int,
        violations: list[dict[str, str]] | None = None,
    ) -> None:
        """`violations` where it is a rule of the venue that says no."""
        told = {"violations": violations} if violations else {}
        super().__init__(detail, retry_after=retry_after_seconds, **told)


class Unauthorised(HoldfastError):
    name = "unauthorised"
    status = 401


class PasswordWanted(Unauthorised):
    """The same where a password does as well as a token, for programs that send nothing else."""


class PageShut(Unauthorised):
    """A session that is known and worth nothing as long as guests have no page here: no guess."""


class Forbidden(HoldfastError):
    name = "forbidden"
    status = 403


class RoleForbidden(Forbidden):
    """What no device of this role may write: no replica would take it for its word."""


class Unreachable(HoldfastError):
    name = "unreachable"
    status = 503
    exit_status = 3


class StorageFull(HoldfastError):
    name = "storage-full"
    status = 507


class DirectoryError(HoldfastError):
    """The data directory cannot be used as it is; nothing in it was changed."""

    name = "directory"


class DirectoryInUse(DirectoryError):
    name = "directory-in-use"


class DirectoryDamaged(DirectoryError):
    name = "directory-damaged"
