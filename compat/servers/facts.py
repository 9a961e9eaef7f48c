"""What each server is and does, as data: the only place that reads `server.json`.

README.md says what the fields mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .install import HERE

Table = Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """One server."""

    folder: str
    package: str
    project: str
    paths: Table
    methods: Mapping[str, list[str]]
    answer: Mapping[str, Any]
    secrets: Mapping[str, Table]
    cases: Table
    revocation: str
    resource: str
    tls: bool = False
    discovery: Mapping[str, Any] = field(default_factory=dict)
    without_hint: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.folder

    @property
    def version(self) -> str:
        """That is pinned."""
        place = HERE / self.folder
        if (manifest := place / "package.json").exists():
            return str(json.loads(manifest.read_text("utf-8"))["dependencies"][self.package])
        pins = (place / "requirements.txt").read_text("utf-8")
        return str(re.findall(rf"^{re.escape(self.package)}==(\S+)$", pins, re.MULTILINE)[0])


def every_server() -> list[Facts]:
    files = sorted(Path(HERE).glob("*/server.json"))
    return [Facts(file.parent.name, **json.loads(file.read_text("utf-8"))) for file in files]
