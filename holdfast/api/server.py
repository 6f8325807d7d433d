"""Serving a replica: the socket, the web server, its signals, and the file that says where it is.

Owns the process's life as a server. It prints nothing; what is ready is told to the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Final

try:
    import resource
except ImportError:  # Windows, which writes no such file unless it is told to.
    resource = None  # type: ignore[assignment]

import uvicorn
from cryptography import x509
from litestar import Litestar

from holdfast.api.app import close_streams, make_app
from holdfast.api.face import Replica
from holdfast.api.tls import ServerTls
from holdfast.model.errors import DirectoryError, Forbidden, Invalid, Unreachable
from holdfast.model.limits import EXCHANGE_BYTES_MAX
from holdfast.node.files import replace_file
from holdfast.node.runtime import Runtime

RUN_FILE: Final = "holdfast.run"
TOKEN_FILE: Final = "admin-token"  # noqa: S105 - the name of a file
GRACE_SECONDS: Final = 10
_BACKLOG: Final = 2_048


def serve(
    replica: Replica,
    host: str,
    port: int,
    *,
    ready: Callable[[str], None],
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    insecure_lan: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` gets the URL once connections are accepted.

    The link to the hub and the timed jobs run meanwhile. Port 0 takes any free one. The replica
    stays open: it is its caller's. Raises Forbidden for a host beyond loopback without TLS,
    Unreachable where the port cannot be had, Invalid for TLS files that cannot be used,
    DirectoryError where the admin token cannot be read. A certificate whose files change is
    read anew.
    """
    check_host(host, tls=tls_cert is not None, insecure_lan=insecure_lan)
    leave_no_dump()
    if (tls_cert is None) != (tls_key is None):
        raise Invalid.field("tls_key", "give a certificate and its key, or neither")
    tls = ServerTls(tls_cert, tls_key) if tls_cert and tls_key else None
    hosts = [host, *_own_names(), *_certified_names(tls_cert)]
    executor = ThreadPoolExecutor(1, thread_name_prefix="holdfast-store")
    app = make_app(
        replica,
        admin_token=_token(replica.directory),
        runtime=Runtime(replica, executor),
        hosts=hosts,
        executor=executor,
    )
    listening = _bind(host, port)
    scheme = "https" if tls_cert else "http"
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        lifespan="on",
        ws_max_size=EXCHANGE_BYTES_MAX,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=(lambda config, default: tls.context) if tls else None,
    )
    run_file = replica.directory / RUN_FILE

    def accepting() -> None:
        _write_run_file(run_file, listening, scheme, tls_cert)
        ready(f"{scheme}://{_netloc(host, listening)}")

    server = _Server(config, app, accepting)
    try:
        asyncio.run(server.serve(sockets=[listening]))
    finally:
        listening.close()
        run_file.unlink(missing_ok=True)
        executor.shutdown()
    if not server.was_accepting:
        raise Unreachable("the server could not start; the log says why")


def check_host(host: str, *, tls: bool, insecure_lan: bool) -> None:
    """Tokens and names of guests do not cross a network in clear. Raises Forbidden."""
    if tls or insecure_lan or _is_loopback(host):
        return
    raise Forbidden(
        f"{host} can be reached from other machines: give --tls-cert and --tls-key, or "
        "--insecure-lan where everybody on the network may read everything"
    )


def leave_no_dump() -> None:
    """Let the system write no memory of this process to a file when it crashes: keys, and cards
    that were just opened, stand there in clear."""
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Server(uvicorn.Server):
    """uvicorn, told to say when it accepts and to end long answers first when it stops."""

    def __init__(
        self, config: uvicorn.Config, app: Litestar, accepting: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._app = app
        self._accepting = accepting
        self.was_accepting = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            self.was_accepting = True
            self._accepting()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        close_streams(self._app)
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn's, but a signal that ended us in good order is not raised again after."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = (signal.SIGINT, signal.SIGTERM)
        before = {name: signal.signal(name, self._asked_to_stop) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.handle_exit(number, frame)


def _token(directory: Path) -> str:
    path = directory / TOKEN_FILE
    try:
        token = path.read_text("utf-8").strip()
    except OSError as error:
        raise DirectoryError(
            f"{path} cannot be read ({error.strerror}); put a long random text into it, mode 600"
        ) from error
    if not token:
        raise DirectoryError(f"{path} is empty; put a long random text into it, mode 600")
    return token


def _bind(host: str, port: int) -> socket.socket:
    try:
        found: Sequence[tuple[int, int, int, str, tuple[object, ...]]] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
            listening.set_inheritable(False)
        except BaseException:
            listening.close()
            raise
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Unreachable(
            f"cannot listen on {host} port {port} ({why}); name another port with --port"
        ) from (error)
    return listening


def _own_names() -> list[str]:
    """What the machine calls itself: a name that nobody else can hand to a browser for us."""
    name = socket.gethostname().lower()
    return [name, f"{name}.local"]


def _certified_names(tls_cert: Path | None) -> list[str]:
    """The host names that the certificate is for. Raises Invalid where it cannot be read."""
    if tls_cert is None:
        return []
    try:
        certificate = x509.load_pem_x509_certificate(tls_cert.read_bytes())
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    except (OSError, ValueError) as error:
        raise Invalid.field("tls_cert", f"{tls_cert} cannot be read as a certificate") from error
    return extension.value.get_values_for_type(x509.DNSName)


def _netloc(host: str, listening: socket.socket) -> str:
    port = listening.getsockname()[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _write_run_file(
    path: Path, listening: socket.socket, scheme: str, tls_cert: Path | None
) -> None:
    """Where the running process is, for the command line; renamed into place, so never half."""
    address = str(listening.getsockname()[0])
    # Who listens everywhere is called from here by loopback.
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104
    found = {
        "url": f"{scheme}://{_netloc(here, listening)}",
        "pid": os.getpid(),
        "tls_cert": str(tls_cert.resolve()) if tls_cert else "",
    }
    replace_file(path, json.dumps(found).encode(), durable=False)
