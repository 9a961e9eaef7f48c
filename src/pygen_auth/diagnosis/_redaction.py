"""What a report may show: the only place that covers ids, and that looks for secrets once more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import HIDDEN, repeats

_SHOWN = 4  # characters of an id: enough to compare it with another, too few to be one
_TELLING = 8  # characters of a secret: "secret" itself is one, on many a machine
_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_CUT_GUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]*(?=…)", re.IGNORECASE)


class Redaction:
    """Goes over every text of a report.

    Texts come from errors that are clean already. Secrets are looked for all the same, since one
    that got into the wrong setting is no secret to whoever made the error.
    """

    def __init__(self, *, ids: bool) -> None:
        self._ids = ids
        self._covers: set[str] = set()
        self._kept: set[str] = set()
        self._secrets: set[str] = set()

    def cover(self, ids: Iterable[str | None]) -> None:
        """Texts that are ids of clients, tenants or users."""
        self._covers.update(filter(None, ids))

    def keep(self, ids: Iterable[str | None]) -> None:
        """Ids of requests, which are for the server's support, and tell nothing else."""
        self._kept.update(filter(None, ids))

    def hide(self, secret: str) -> None:
        """A text that must not be shown at all; shorter ones are words of the report, too."""
        if len(secret) >= _TELLING:
            self._secrets.add(secret)

    def text(self, text: str) -> str:
        """The text, as it may be shown."""
        if repeats(text, self._secrets):
            return HIDDEN
        text = _printable(text)
        if not self._ids:
            return text
        for one in sorted(self._covers - self._kept, key=len, reverse=True):
            text = re.sub(rf"(?<![\w-]){re.escape(one)}(?![\w-])", _cover, text)
            text = _without_beginning(text, one)
        return _CUT_GUID.sub(_beginning, _GUID.sub(self._cover_guid, text))

    def value(self, value: Any) -> Any:
        """The same for a value of JSON."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(one) for name, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(one) for one in value]
        return value

    def _cover_guid(self, guid: re.Match[str]) -> str:
        return guid[0] if guid[0] in self._kept else _cover(guid)


def _printable(text: str) -> str:
    """Without what a terminal would obey: claims and certificates are other people's texts."""
    return "".join(one if one.isprintable() else " " for one in text)


def _without_beginning(text: str, one: str) -> str:
    """Where a text is too long to be shown whole, it may end within an id."""
    for end in range(len(one) - 1, _SHOWN, -1):
        text = text.replace(f"{one[:end]}…", f"{one[:_SHOWN]}…")
    return text


def _beginning(match: re.Match[str]) -> str:
    return match[0][:_SHOWN]


def _cover(match: re.Match[str]) -> str:
    text = match[0]
    return f"{text[:_SHOWN]}…" if len(text) > 2 * _SHOWN else "…"
