"""`holdfast books`: what was written about each venue."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from holdfast.commands.options import (
    Group,
    data_option,
    directory_option,
    json_option,
    target_argument,
)

_ID_CHARS: Final = 16
"""So much of a digest or a hash is enough to compare two by eye."""


@click.group(cls=Group)
def books() -> None:
    """What was written about each venue: heads, pages, digests."""


@books.command("list")
@data_option
@json_option
def list_(data: Path, as_json: bool) -> None:
    """The books held here, each with the digest of what it shows."""
    from holdfast.commands.output import Column, show_json, show_table
    from holdfast.commands.session import open_session

    with open_session(data) as session:
        answer = session.get("/books")
    if as_json:
        show_json(answer)
        return
    show_table(
        [*("venue", "reservations", "entries", "waiting"), Column("digest", short=_ID_CHARS)],
        (
            [
                one.get("venue"),
                one.get("reservations"),
                one.get("entries"),
                one.get("waiting"),
                one.get("digest"),
            ]
            for one in answer["items"]
        ),
        empty="no books yet",
    )


@books.command()
@click.argument("venue")
@click.argument("date", required=False)
@data_option
@json_option
def show(venue: str, date: str | None, data: Path, as_json: bool) -> None:
    """One book, or what of it concerns one service date: digest, heads, pages."""
    from holdfast.commands.output import Column, show_document, show_json, show_table
    from holdfast.commands.session import open_session, quoted

    path = f"/books/{quoted(venue)}" + (f"/{quoted(date)}" if date else "")
    with open_session(data) as session:
        book = session.get(path)
    if as_json:
        show_json(book)
        return
    show_document({name: value for name, value in book.items() if name not in ("pages", "heads")})
    for name in ("pages", "heads"):
        rows = book.get(name) or []
        if not isinstance(rows, list) or not rows:
            continue
        fields = list(dict.fromkeys(field for row in rows for field in row))
        click.echo(f"\n{name}:")
        show_table(
            [
                # A life is an incarnation's first letters wherever people read it.
                Column(
                    "life" if field == "incarnation" else field,
                    {"incarnation": 8, "hash": _ID_CHARS, "branch": 8}.get(field, 0),
                )
                for field in fields
            ],
            ([row.get(field) for field in fields] for row in rows),
        )


@books.command()
@click.argument("venue")
@target_argument("file")
@directory_option
@click.option("--node", required=True, metavar="N", help="Who wrote the page.")
@click.option(
    "--page", default=0, show_default=True, type=click.IntRange(0), metavar="K", help="Which page."
)
@json_option
def export(venue: str, file: Path, data: Path, node: str, page: int, as_json: bool) -> None:
    """Write one page, as `books show` counts them, to a file that plain pycrdt and Yjs open."""
    from holdfast.commands.output import say, show_json
    from holdfast.commands.queue import write_new
    from holdfast.commands.reading import read_replica
    from holdfast.node.inspection import export_page

    with read_replica(data) as replica:
        content = export_page(replica, venue, node, page)
    write_new(file, content)
    if as_json:
        show_json({"file": str(file), "bytes": len(content)})
    else:
        say(f"Page {page} of {node} about {venue} is in {file} ({len(content)} bytes).")
