"""Serving a directory: what `hub run` and `node run` share.

Owns the `ready` line and the checks before it. The server itself is `holdfast.api.server`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from holdfast.commands.options import Command
from holdfast.model.errors import DirectoryInUse, HoldfastError, Unreachable


def run_options(port: int) -> Callable[[Command], Command]:
    """Where to listen, and how."""
    existing = click.Path(exists=True, dir_okay=False, path_type=Path)
    options: tuple[Callable[[Any], Any], ...] = (
        click.option(
            "--host", default="127.0.0.1", show_default=True, help="Address to listen on."
        ),
        click.option(
            "--port",
            default=port,
            show_default=True,
            type=click.IntRange(0, 65_535),
            help="Port to listen on; 0: any free one.",
        ),
        click.option("--tls-cert", type=existing, metavar="FILE", help="Certificate (PEM)."),
        click.option("--tls-key", type=existing, metavar="FILE", help="Its private key (PEM)."),
        click.option(
            "--insecure-lan",
            is_flag=True,
            help="Serve other machines without TLS: everybody on that network can read along.",
        ),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def run_directory(
    directory: Path,
    role: str,
    *,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure_lan: bool,
) -> int:
    """Open the directory and serve until the process is told to stop; returns the exit status."""
    from holdfast.commands.session import (
        open_replica_patiently,
        require_role,
        running_process,
    )

    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    require_role(directory, role)
    already = running_process(directory)
    if already is not None:
        raise DirectoryInUse(f"{directory} is served already, at {already.url} (pid {already.pid})")
    replica = open_replica_patiently(directory)
    try:
        from holdfast.api.server import serve
        from holdfast.commands.output import remark
        from holdfast.node.installed_rules import installed

        for problem in installed().problems:
            # It serves all the same; the log has the line too.
            remark(f"warning: {problem}")

        serve(
            replica,
            host,
            port,
            ready=_say_ready,
            tls_cert=tls_cert,
            tls_key=tls_key,
            insecure_lan=insecure_lan,
        )
    except Unreachable as error:
        # A port that is taken is no other side that cannot be reached.
        raise HoldfastError(error.detail) from error
    finally:
        replica.close()
    return 0


def _say_ready(url: str) -> None:
    # Whoever started this process waits for exactly this line.
    click.echo(f"ready {url}")
    sys.stdout.flush()
