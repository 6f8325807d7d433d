"""TLS of a served replica: its certificate, read anew when its files change.

Owns the context that connections are accepted with. Nobody restarts a desk at noon because a
certificate was renewed: who connects after the files changed meets the new one.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

from holdfast.model.errors import Invalid

log = logging.getLogger("holdfast.tls")


class ServerTls:
    """A certificate (with its chain) and its key as PEM files. Raises Invalid where they cannot be
    used. For several threads: the newest context is replaced as a whole."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._seen = self._state()
        self._newest = self._load()
        self.context = self._newest
        self.context.sni_callback = self._choose

    def _state(self) -> tuple[object, ...]:
        """Changes with the files. Raises Invalid where one is gone."""
        try:
            found = [path.stat() for path in self._files]
        except OSError as error:
            raise Invalid.field("tls_cert", f"cannot be read ({error.strerror})") from error
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)

    def _load(self) -> ssl.SSLContext:
        certificate, key = self._files
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # Without a word of our own an encrypted key would ask at the terminal.
            made.load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            mismatch = "MISMATCH" in (error.reason or "")
            why = (
                f"{key} is not the key of {certificate}"
                if mismatch
                else f"{certificate} and {key} are not a certificate and its unencrypted key in PEM"
            )
            raise Invalid.field("tls_key", why) from error
        except OSError as error:
            raise Invalid.field("tls_cert", f"cannot be read ({error.strerror})") from error
        return made

    def _choose(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        """Called for each connection, whatever name it asks for."""
        connection.context = self._current()

    def _current(self) -> ssl.SSLContext:
        try:
            state = self._state()
            if state != self._seen:
                self._newest, self._seen = self._load(), state
                log.info("%s was read anew", self._files[0])
        except Invalid as error:
            # Between two files that are being replaced they do not fit; the next connection looks
            # again, and until then the old ones are as good as they were.
            log.warning("the TLS certificate is not read anew yet: %s", error.detail)
        return self._newest
