"""Installing a server: the only place that calls npm and pip.

Each server is installed once, into a folder under `.servers/` that is named for what is pinned.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".servers"
LIMIT = 120.0
"""Seconds for one installation, which takes about ten; all that fail must fit into make servers."""

NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
       "--fetch-retries=1", "--loglevel=error")  # fmt: skip
PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
       "--no-deps", "--only-binary=:all:", "--retries=1", "--target=site",
       "--requirement=requirements.txt")  # fmt: skip


class UnavailableError(Exception):
    """A server cannot be installed or started on this machine; the text says why, in one line."""


def command_for(folder: str) -> tuple[str, ...]:
    """How the program of an installed server is started, in its folder."""
    if is_of_node(folder):
        return ("node", "program/server.mjs")
    return (sys.executable, "program/server.py")


def is_of_node(folder: str) -> bool:
    """Whether it runs on Node; the others run on Python."""
    return (HERE / folder / "package.json").exists()


def installed(folder: str) -> Path:
    """Where a server is installed, with its program as it is now.

    Raises:
        UnavailableError: it cannot be installed here.
    """
    kinds = ("package.json", "package-lock.json", "requirements.txt")
    pinned = [HERE / folder / name for name in kinds if (HERE / folder / name).exists()]
    digest = hashlib.sha256(b"" if is_of_node(folder) else sys.version.encode())
    for file in pinned:
        digest.update(file.read_bytes())
    place = CACHE / f"{folder}-{digest.hexdigest()[:12]}"
    if not place.exists():
        _install(folder, pinned, place)
    shutil.copy(HERE / "common.mjs", place)
    shutil.copytree(HERE / folder, place / "program", dirs_exist_ok=True)
    return place


def _install(folder: str, pinned: list[Path], place: Path) -> None:
    """Beside its place, and then moved there: one that broke off half way never counts."""
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    building = place.with_name(f"{place.name}.{os.getpid()}")
    building.mkdir(parents=True)
    try:
        for file in pinned:
            shutil.copy(file, building)
        _run(NPM if is_of_node(folder) else PIP, building)
        if not place.exists():
            building.rename(place)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _run(command: tuple[str, ...], folder: Path) -> None:
    tool = "npm" if command is NPM else "pip"
    for needed in ("node", "npm") if command is NPM else ():
        if shutil.which(needed) is None:
            raise UnavailableError(f"{needed} is not on this machine")
    try:
        done = subprocess.run(
            command, cwd=folder, timeout=LIMIT, capture_output=True, text=True, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{tool} was not done after {LIMIT:.0f} s") from None
    if done.returncode:
        raise UnavailableError(f"{tool} failed: {one_line(done.stderr or done.stdout)}")


def one_line(text: str) -> str:
    """The end of what a program wrote, for a reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-4:])[-600:] or "(no output)"
