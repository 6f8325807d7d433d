"""`holdfast open`: the address of a page, with a one-time ticket in it."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.commands.options import PAGES, data_option, json_option


@click.command("open")
@data_option
@click.option("--as", "page", type=click.Choice(PAGES), help="Which page; left out: its own.")
@json_option
def open_(data: Path, page: str | None, as_json: bool) -> None:
    """Print the address of a page, with a ticket that logs it in once, within a minute.

    The desk's page may do what a supervisor may, the kiosk's what a kiosk may, the hub's all. The
    ticket stands behind the `#`: browsers send that part to nobody.
    """
    from holdfast.commands.output import say, show_json
    from holdfast.commands.session import open_session, require_directory, running_process
    from holdfast.model.errors import Unreachable

    require_directory(data)
    found = running_process(data)
    if found is None:
        raise Unreachable(
            f"nothing serves {data}, so that there is no page to open; start it with "
            "`holdfast hub run` or `holdfast node run`"
        )
    with open_session(data) as session:
        page = page or _own_page(session.get("/status"))
        made = session.post("/tickets", {"page": page})
    url = f"{found.url}/{page}#ticket={made['ticket']}"
    if as_json:
        show_json({"url": url} | {name: made[name] for name in ("page", "role", "expires_at")})
    else:
        say(url)


def _own_page(status: dict[str, object]) -> str:
    if status["role"] == "hub":
        return "hub"
    return "kiosk" if status["node_role"] == "kiosk" else "desk"
