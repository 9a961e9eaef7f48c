"""The table of README.md: a line of each of some scenarios, for those that most users come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks._pages import replaced

from ._bench import Rows, markdown
from ._page import COMMAND

README = Path(__file__).parents[2] / "README.md"
SHOWN = {
    "pygen-auth": "pygen-auth",
    "Pygen's class, rewritten": "Pygen's class",
    "cognite-sdk": "cognite-sdk",
    "Authlib's OAuth2Client": "Authlib",
    "azure-identity": "azure-identity",
    "msal": "msal",
}
"""Candidates, and what they are called there."""

LINES: tuple[tuple[str, str, Callable[[Rows, str], str]], ...] = (
    (
        "Token of 5 s: token requests for 1,000 calls",
        "lifetimes",
        lambda rows, name: f"{rows[name]['5']['requests']:,}",
    ),
    (
        "Outage of up to 60 s while the held token is valid: calls lost",
        "outage",
        lambda rows, name: f"{rows[name]['lost']} of {rows[name]['calls']}",
    ),
    (
        "64 threads without a token: token requests",
        "herd",
        lambda rows, name: f"{rows[f'{name}, threads']['cold requests']}",
    ),
    (
        "Refresh that takes 500 ms: of 16 threads, how many wait",
        "slow-refresh",
        lambda rows, name: f"{rows[name]['waiting']}",
    ),
    (
        "Call with a fresh token, ns",
        "hot-path",
        lambda rows, name: f"{rows[name]['ns']:,.0f}",
    ),
)
"""What is said, the scenario it is from, and the cell of a candidate."""


def written(page: str, results: Mapping[str, Any]) -> str:
    """The README with what these results say."""
    date = results["environment"]["date"][:10]
    return replaced(page, "peers", COMMAND, "\n".join(_table(date, results["scenarios"])))


def _table(date: str, scenarios: Mapping[str, Any]) -> Iterator[str]:
    rows = (
        (said, *(cell(scenarios[scenario]["figures"], name) for name in SHOWN))
        for said, scenario, cell in LINES
    )
    yield from markdown((f"Measured on {date}", *SHOWN.values()), rows)
