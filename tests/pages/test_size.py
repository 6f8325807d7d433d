"""What a page costs to load, packed as it is sent: its own files and the largest language."""

from __future__ import annotations

import re

import pytest

from holdfast.api.routes_pages import FOLDER, PAGES, read

MOST_BYTES = 150_000
"""Of one page, with everything that it loads before it can be used."""
LOADED = re.compile(r'(?:src|href)="/(assets/[^"]+)"')


def packed(name: str) -> int:
    file = read(name)
    assert file is not None, name
    return len(file.packed or file.content)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_small(page: str) -> None:
    html = read(f"{page}.html")
    if html is None:
        pytest.skip("the pages are not built: `make web`")
    own = LOADED.findall(html.content.decode())
    assert [name for name in own if name.endswith(".js")], "it loads a script"
    languages = [
        packed(path.relative_to(FOLDER).as_posix())
        for path in (FOLDER / "assets").glob("*.js")
        if re.match(r"(de|es|nl|pt)-", path.name)
    ]
    assert len(languages) == 4
    size = packed(f"{page}.html") + sum(map(packed, own)) + max(languages)
    assert size < MOST_BYTES, f"/{page} loads {size} bytes"
