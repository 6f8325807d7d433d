"""One way to a directory's HTTP interface, whether its process runs or not.

Owns the finding out: a process that holds the directory is asked over HTTP with the directory's
admin token; otherwise the directory is opened here, and the same interface is called in this
process. So each command is written once and means the same in both cases. Knows no command.
"""

from __future__ import annotations

import abc
import fcntl
import json
import logging
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from holdfast.commands.failures import refusal
from holdfast.commands.options import staff_named
from holdfast.model.errors import DirectoryError, DirectoryInUse, HoldfastError, Unreachable
from holdfast.model.limits import (
    COMMAND_ANSWER_SECONDS,
    COMMAND_PATIENCE_SECONDS,
    CONNECT_TIMEOUT_SECONDS,
    LIST_LIMIT_MAX,
)

if TYPE_CHECKING:
    import asyncio

    import httpx

    from holdfast.node.hub import Hub
    from holdfast.node.node import Node

RUN_NAME: Final = "holdfast.run"
TOKEN_NAME: Final = "admin-token"  # noqa: S105  (the name of the file)
LOCK_NAME: Final = "holdfast.lock"
DATABASE_NAME: Final = "holdfast.db"
API: Final = "/api/v1"

_INSIDE_URL: Final = "http://127.0.0.1"
_LOOK_AGAIN_SECONDS: Final = 0.1


class RunFile(NamedTuple):
    """What a running process says of itself in `DIR/holdfast.run`."""

    url: str
    pid: int
    tls_cert: str


class Answer(NamedTuple):
    """A good answer: `data` is the JSON document, None where there is none."""

    status: int
    data: Any
    headers: Mapping[str, str]


class Session:
    """A directory's HTTP interface; use in a `with` statement.

    `running`: the directory's own process answers. `replica` is the opened Node or Hub where it
    does not run.
    """

    def __init__(self, directory: Path, caller: _Caller, replica: Hub | Node | None) -> None:
        self.directory = directory
        self.replica = replica
        self.steps = ""
        """Those of the last call, as its header `Server-Timing` has them; empty: not asked for."""
        self._caller = caller

    @property
    def running(self) -> bool:
        return self.replica is None

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call `/api/v1` and the path. Parameters that are None or empty are left out; `content`
        are the lines of an NDJSON document.

        Raises `Refused` for a problem document, `Unreachable` (exit status 3) where there is no
        answer or the answer says that the other side cannot be reached.
        """
        all_headers = dict(headers or {})
        if content is not None:
            all_headers["Content-Type"] = "application/x-ndjson"
        elif body is not None:
            content = json.dumps(body).encode()
            all_headers["Content-Type"] = "application/json"
        response = self._call(method, path, params or {}, content, all_headers)
        return Answer(response.status_code, _document(response), response.headers)

    def text(self, path: str, **params: Any) -> bytes:
        """What a path answers that is no JSON document. Raises as `request`."""
        return self._call("GET", path, params, None, {}).content

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        given = {k: v for k, v in params.items() if v is not None and v != ""}
        response = self._caller.call(method, API + path, given, content, headers)
        self.steps = response.headers.get("server-timing", "")
        if response.status_code >= 400:
            raise refusal(self._with_place_of_log(_document(response)), response.status_code)
        return response

    def _with_place_of_log(self, problem: Any) -> Any:
        """A problem that nobody foresaw, with the file that says more of it."""
        if isinstance(problem, dict) and problem.get("error_id"):
            log = self.directory / "log" / "holdfast.log"
            detail = f"something went wrong; {log} says where, under {problem['error_id']}"
            return {**problem, "detail": detail}
        return problem

    def get(self, path: str, **params: Any) -> Any:
        """The document at a path."""
        return self.request("GET", path, params=params).data

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """What a POST answers; header names are written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", path, body=body, headers=named).data

    def items(self, path: str, limit: int | None = None, **params: Any) -> list[dict[str, Any]]:
        """All items of a list, page after page, or the first `limit` of them."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            ask = LIST_LIMIT_MAX if limit is None else min(LIST_LIMIT_MAX, limit - len(found))
            page = self.get(path, limit=ask, cursor=cursor, **params)
            found += page["items"]
            cursor = page.get("next")
            if not cursor or (limit is not None and len(found) >= limit):
                return found

    def newest(self, path: str, limit: int, **params: Any) -> list[dict[str, Any]]:
        """The last `limit` items of a list that can be read from its end, in its order."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < limit:
            ask = min(LIST_LIMIT_MAX, limit - len(found))
            page = self.get(path, limit=ask, cursor=cursor, newest="true", **params)
            found = [*page["items"], *found]
            cursor = page.get("next")
            if not cursor:
                break
        return found

    def close(self) -> None:
        """Close the connection, or the directory that was opened here."""
        try:
            self._caller.close()
        finally:
            if self.replica is not None:
                self.replica.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_session(directory: Path) -> Session:
    """Reach the directory's process, or open the directory here.

    Another command that holds the directory, or a process that is just starting, is waited for a
    little. Raises DirectoryError for what is no data directory, DirectoryInUse where somebody holds
    it and does not answer.
    """
    found = _reach(directory)
    if isinstance(found, RunFile):
        return Session(directory, _over_http(directory, found), None)
    return Session(directory, _inside(directory, found), found)


def quoted(text: str) -> str:
    """A value as one segment of a path, whatever stands in it."""
    from urllib.parse import quote

    return quote(text, safe="")


def running_process(directory: Path) -> RunFile | None:
    """The process that holds the directory and answers, if there is one."""
    found = _read_run_file(directory)
    if found is None or not _is_locked(directory) or not _answers(directory, found):
        return None
    return found


def require_directory(directory: Path) -> None:
    """Raises DirectoryError that says how a data directory is made."""
    if not directory.exists():
        problem = "does not exist"
    elif not directory.is_dir():
        problem = "is no directory"
    elif not (directory / DATABASE_NAME).exists():
        problem = "is no data directory of Holdfast"
    else:
        return
    raise DirectoryError(
        f"{directory} {problem}: `holdfast hub init` makes a hub, `holdfast node join` a node"
    )


# --- finding out ----------------------------------------------------------------------------------


def _reach(directory: Path) -> RunFile | Hub | Node:
    """The running process or the opened replica, whichever can be had first."""
    require_directory(directory)
    deadline = time.monotonic() + COMMAND_PATIENCE_SECONDS
    while True:
        found = running_process(directory)
        if found is not None:
            return found
        try:
            return open_replica(directory)
        except DirectoryInUse:
            if time.monotonic() > deadline:
                raise
        # The kernel has no event for "that lock was dropped, or its holder began to answer".
        time.sleep(_LOOK_AGAIN_SECONDS)


def open_replica_patiently(directory: Path) -> Hub | Node:
    """As `open_replica`, but another command that holds the directory is waited for a little."""
    deadline = time.monotonic() + COMMAND_PATIENCE_SECONDS
    while True:
        try:
            return open_replica(directory)
        except DirectoryInUse:
            if time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_AGAIN_SECONDS)


def is_hub(directory: Path) -> bool:
    """Whether a data directory is a hub's; reads it without opening it for work."""
    from holdfast.store.readonly import ReadOnlyStore

    require_directory(directory)
    with ReadOnlyStore(directory) as store:
        return store.meta("role") == b"hub"


def require_role(directory: Path, role: str) -> None:
    """Raises DirectoryError where a hub is asked for and this is a node's directory, or the
    other way round."""
    present = "hub" if is_hub(directory) else "node"
    if present != role:
        raise DirectoryError(f"{directory} belongs to a {present}; name the directory of a {role}")


def open_replica(directory: Path) -> Hub | Node:
    """Open what the directory is, with its log. Raises DirectoryError and its children."""
    from holdfast.node.logs import set_up_logging
    from holdfast.node.settings import load

    set_up_logging(directory)
    logging.getLogger("holdfast").setLevel(load(directory).log_level)
    if is_hub(directory):
        from holdfast.node.hub import Hub

        return Hub.open(directory)
    from holdfast.node.node import Node

    return Node.open(directory)


def _read_run_file(directory: Path) -> RunFile | None:
    """None for a file that is missing or, as while it is being written, not whole."""
    try:
        document = json.loads((directory / RUN_NAME).read_text("utf-8"))
        return RunFile(
            str(document["url"]), int(document["pid"]), str(document.get("tls_cert") or "")
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_locked(directory: Path) -> bool:
    """Whether a living process holds the directory; a run file alone outlives `kill -9`."""
    try:
        with (directory / LOCK_NAME).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def _answers(directory: Path, found: RunFile) -> bool:
    import httpx

    try:
        with _client(found, CONNECT_TIMEOUT_SECONDS) as client:
            return client.get("/healthz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


# --- the two ways ---------------------------------------------------------------------------------


class _Caller(abc.ABC):
    """One HTTP call, however it is carried."""

    @abc.abstractmethod
    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        """Send and wait for the answer."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of what carries the calls."""


class _Network(_Caller):
    def __init__(self, directory: Path, client: httpx.Client) -> None:
        self._directory = directory
        self._client = client

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        import httpx

        try:
            return self._client.request(
                method, path, params=params, content=content, headers=headers
            )
        except httpx.TimeoutException as error:
            raise Unreachable(
                f"the process of {self._directory} did not answer in time; whether it did what was "
                "asked is unknown, look before you repeat it"
            ) from error
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the process of {self._directory} at {self._client.base_url} broke off "
                f"({type(error).__name__}); is it still running?"
            ) from error

    def close(self) -> None:
        self._client.close()


class _Inside(_Caller):
    """The ASGI application in this process, on an event loop that runs while a call does."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        lifespan: Callable[[], AbstractAsyncContextManager[None]],
        runner: asyncio.Runner,
    ) -> None:
        import asyncio

        self._client = client
        self._runner = runner
        self._stop = asyncio.Event()
        # A lifespan must end in the task that began it, so it has one of its own.
        self._life = runner.run(_begun(lifespan, self._stop))

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        return self._runner.run(
            self._client.request(method, path, params=params, content=content, headers=headers)
        )

    def close(self) -> None:
        async def end() -> None:
            await self._client.aclose()
            self._stop.set()
            await self._life

        try:
            self._runner.run(end())
        finally:
            self._runner.close()


async def _begun(
    lifespan: Callable[[], AbstractAsyncContextManager[None]], stop: asyncio.Event
) -> asyncio.Task[None]:
    """A task that keeps an application alive until `stop`; returns once it has started."""
    import asyncio

    started = asyncio.Event()

    async def live() -> None:
        try:
            async with lifespan():
                started.set()
                await stop.wait()
        finally:
            started.set()

    task = asyncio.create_task(live())
    await started.wait()
    if task.done():
        await task
    return task


def _over_http(directory: Path, found: RunFile) -> _Caller:
    client = _client(found, COMMAND_ANSWER_SECONDS)
    client.headers.update(_headers(_admin_token(directory)))
    return _Network(directory, client)


def _inside(directory: Path, replica: Hub | Node) -> _Caller:
    try:
        import asyncio

        import httpx

        from holdfast.api.app import make_app

        # The directory's own token: what is remembered per token is remembered for both ways.
        token = _admin_token(directory, otherwise=secrets.token_urlsafe(32))
        app = make_app(replica, admin_token=token)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(cast(Any, app)),
            base_url=_INSIDE_URL,
            headers=_headers(token),
            timeout=None,  # noqa: S113  (nothing is on a network)
        )
        return _Inside(client, app.lifespan, asyncio.Runner())
    except BaseException:
        replica.close()
        raise


def _client(found: RunFile, answer_seconds: float) -> httpx.Client:
    """A client for the directory's own process: never through a proxy of the environment."""
    import httpx

    return httpx.Client(
        base_url=found.url,
        timeout=httpx.Timeout(answer_seconds, connect=CONNECT_TIMEOUT_SECONDS),
        trust_env=False,
        verify=_trusted(found),
    )


def _trusted(found: RunFile) -> ssl.SSLContext | bool:
    if not found.url.startswith("https:"):
        # Trusts nobody, and spares every command the reading of all the world's authorities.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not found.tls_cert:
        return True
    # The certificate that the process itself serves is the one to expect, whatever name it has.
    context = ssl.create_default_context(cafile=found.tls_cert)
    context.check_hostname = False
    # It may be signed by an authority: what is named is believed as it is.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _headers(token: str) -> dict[str, str]:
    """Who calls: the directory, and whoever is named as being at its command line."""
    headers = {"Authorization": f"Bearer {token}"}
    staff = staff_named()
    return headers if staff is None else headers | {"Holdfast-Staff": quoted(staff)}


def _admin_token(directory: Path, otherwise: str | None = None) -> str:
    path = directory / TOKEN_NAME
    try:
        return path.read_text("utf-8").strip()
    except FileNotFoundError:
        if otherwise is not None:
            return otherwise
        raise DirectoryError(f"{path} is missing; it is needed to reach the process") from None
    except OSError as error:
        raise DirectoryError(
            f"{path} cannot be read ({error.strerror}); use the account that runs the process"
        ) from error


def _document(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        if response.status_code >= 400:
            return {"detail": f"HTTP status {response.status_code} without a reason"}
        raise HoldfastError(
            f"{response.request.url.path} answered something that is no JSON; "
            "is that process an older or newer version?"
        ) from None
