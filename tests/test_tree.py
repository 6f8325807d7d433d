"""The tree as it is in git: nothing of one machine in it, and locks that pin what they promise."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import build_web

ROOT = Path(__file__).parent.parent
LOCKS = ["requirements.lock", "requirements-dev.lock"]

INDEX = re.compile(
    r"""
    ://(?:[\w-]+\.)*(?:pypi|registry|artifactory|nexus|devpi)\.    # a host that serves packages
    | \b(?:pypi|registry)\.(?:[a-z0-9-]+\.)?(?:org|com|net)\b
    | ://[^\s"'<>]+/simple/                                       # a page of an index
    | ://[^\s"'<>]+\.(?:whl|tgz)\b                               # a package's own address
    | "resolved"\s*:\s*"https?:
    | ^\s*--(?:(?:extra-)?index-url|find-links|trusted-host)[\s=]
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
HOME = re.compile(r"(?<![\w.~-])/(?:home|Users)/[a-z][\w.-]*/|(?<![\w.~-])/root/|[A-Z]:\\Users\\")


def files_of_the_tree() -> list[Path]:
    """What git holds or would hold; ignored files are nobody's concern."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(
        [*git, "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    )
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_index_or_a_place_on_a_machine():
    own = re.escape(f"{ROOT}/") if len(ROOT.parts) > 2 else r"(?!)"
    here = re.compile(f"{HOME.pattern}|{own}")
    findings = []
    for path in files_of_the_tree():
        content = path.read_bytes()
        if path == Path(__file__) or b"\0" in content[:8_000]:
            continue
        text = content.decode("utf-8", "replace")
        findings += [
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}"
            for pattern in (INDEX, here)
            for match in pattern.finditer(text)
        ]
    assert not findings, "name no index and no place; `make lock` writes neither:\n" + "\n".join(
        findings
    )


SECRETS = re.compile(
    r"""
    -----BEGIN[ ](?:[A-Z]+[ ])*PRIVATE[ ]KEY-----\s*[A-Za-z0-9+/=]{40}  # a key, not its name
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bgh[pousr]_[A-Za-z0-9]{36}\b
    | \bxox[abprs]-[A-Za-z0-9-]{10,}
    | \bglpat-[A-Za-z0-9_-]{20}\b
    | \beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.                    # a JSON web token
    | \bBearer[ ][A-Za-z0-9_-]{32,}
    """,
    re.VERBOSE,
)


def secrets_in(text: str) -> list[str]:
    return [f"line {text.count(chr(10), 0, m.start()) + 1}" for m in SECRETS.finditer(text)]


def test_no_secret_stands_in_the_tree():
    found = {
        str(path.relative_to(ROOT)): lines
        for path in files_of_the_tree()
        if (lines := secrets_in(path.read_bytes().decode("utf-8", "replace")))
    }
    assert not found, "a secret that was committed is known to everybody: make a new one"


@pytest.mark.parametrize(
    "planted",
    [
        "-----BEGIN " + "PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEI" * 3,
        "key = AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a1B2" * 9,
        "Authorization: Bearer " + "x" * 43,
    ],
)
def test_a_planted_secret_is_found(planted: str):
    assert secrets_in(f"first line\n{planted}\n") == ["line 2"]


def requirements_of(lock: str) -> list[str]:
    """The lock's requirements, one logical line each, without comments."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_hashes(lock: str):
    loose = [
        line
        for line in requirements_of(lock)
        if not re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+(\s+--hash=sha256:[0-9a-f]{64})+\s*", line)
    ]
    assert requirements_of(lock)
    assert not loose, f"{lock} is written by `make lock`, never by hand: {loose}"


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_hold_what_pyproject_asks_for(lock: str):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = list(project["dependencies"])
    if lock == "requirements-dev.lock":
        wanted += project["optional-dependencies"]["dev"]
    pinned = dict(line.split()[0].split("==") for line in requirements_of(lock))
    wrong = [
        text
        for text in wanted
        for requirement in [Requirement(text)]
        if not requirement.specifier.contains(
            pinned.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
        or canonicalize_name(requirement.name) not in pinned
    ]
    assert not wrong, f"{lock} is behind pyproject.toml, run `make lock`: {wrong}"


def test_both_locks_pin_the_same_versions():
    runtime, development = (
        dict(line.split()[0].split("==") for line in requirements_of(lock)) for lock in LOCKS
    )
    assert runtime.items() <= development.items()


@pytest.mark.parametrize(("directory", "package"), [("yjs", "yjs"), ("icaljs", "ical.js")])
def test_the_locks_of_node_have_hashes_and_no_addresses(directory: str, package: str):
    lock = json.loads((ROOT / "tests" / directory / "package-lock.json").read_text("utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert f"node_modules/{package}" in packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_the_tool_that_builds_the_pages_asks_for_the_node_that_they_name():
    assert build_web.oldest_of_package() == f">={build_web.version_text(build_web.OLDEST)}"
    pinned = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    assert pinned[""]["engines"]["node"] == build_web.oldest_of_package()
