"""Pages of the docs whose tables are made of `results.json`; a run writes them anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks._pages import replaced
from benchmarks._result import digits

from ._bench import COMPARISON, PERFORMANCE, Scenario, markdown

PAGES = (PERFORMANCE, COMPARISON)
COMMAND = "make bench-peers"


def written(page: Path, results: Mapping[str, Any], scenarios: Iterable[Scenario]) -> str:
    """The text of the page with what these results say."""
    parts = {"machine": _machine(results), "versions": _versions(results)}
    for scenario in scenarios:
        if scenario.page == page:
            found = results["scenarios"][scenario.name]
            parts[scenario.name] = "\n".join([*scenario.table(found["figures"]), "", _goals(found)])
    text = page.read_text("utf-8")
    for name, part in parts.items():
        text = replaced(text, name, COMMAND, part)
    return text


def _goals(found: Mapping[str, Any]) -> str:
    rows = (
        (
            result["name"],
            result["goal"],
            f"{digits(result['measured'])} {result['unit']}",
            "yes" if result["met"] else "**no**",
        )
        for result in found["results"]
    )
    return "\n".join(markdown(("Goal of pygen-auth", "Bound", "Measured", "Met"), rows))


def _machine(results: Mapping[str, Any]) -> str:
    machine = results["environment"]
    return (
        f"{machine['processor']}, {machine['cpus']} cores, {machine['system']}, "
        f"Python {machine['python']}, {machine['date'][:10]}."
    )


def _versions(results: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in results["versions"].items()) + "."
