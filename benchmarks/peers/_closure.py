"""What an installation brings: a distribution and all that it needs, by their metadata."""

from __future__ import annotations

from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pygen_auth


def closure(name: str) -> set[str]:
    """The names of a distribution and of all that it needs here, without extras."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = canonicalize_name(waiting.pop())
        if one not in found:
            found.add(one)
            waiting += _needed(distribution(one))
    return found


def _needed(one: Distribution) -> list[str]:
    requirements = [Requirement(line) for line in one.requires or ()]
    return [
        each.name
        for each in requirements
        if each.marker is None or each.marker.evaluate({"extra": ""})
    ]


def size(name: str) -> int:
    """Bytes of all files that these distributions installed, without bytecode."""
    return sum(_size(distribution(one)) for one in closure(name))


def _size(one: Distribution) -> int:
    files = [Path(str(file.locate())) for file in one.files or ()]
    if one.name == "pygen-auth":  # it is installed from its source, where it is
        files = list(Path(pygen_auth.__file__).parent.rglob("*"))
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")
