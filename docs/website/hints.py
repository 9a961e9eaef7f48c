"""The tables of docs/errors.md, made of the tables of advice that the library has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pygen_auth import _hints

PAGE = Path(__file__).parents[1] / "errors.md"


def tables() -> Mapping[str, Mapping[str, str]]:
    """By heading: code or wording, and its advice."""
    by_provider: dict[str, dict[str, str]] = {}
    for kind in (_hints.CODES, _hints.WORDINGS):
        for provider, table in kind.items():
            by_provider.setdefault(provider, {}).update(table)
    return {
        **by_provider,
        "The client is refused": _hints.REFUSED_CLIENT,
        "The server names another method": _hints.OTHER_METHOD,
        "Any server": {**_hints.ERROR_CODES, **_hints.STATUSES},
    }


def written(page: str) -> str:
    """The page with these tables below their headings; the rest of it is written by hand."""
    before, found, after = page.partition("\n## Hints\n")
    assert found, "docs/errors.md has no section on hints"
    headings = re.findall(r"^### (.+)$", after, re.MULTILINE)
    assert headings == list(tables()), "a heading for each table of hints, in their order"
    for heading, table in tables().items():
        head = re.search(rf"### {re.escape(heading)}\n(?:.*\n)*?\|---\|---\|\n", after)
        assert head, f"no table below {heading}"
        rest = re.sub(r"\A(?:\|.*\n)*", "", after[head.end() :])
        rows = "".join(f"| `{said}` | {advice} |\n" for said, advice in table.items())
        after = after[: head.end()] + rows + rest
    return before + found + after
