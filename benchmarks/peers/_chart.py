"""The chart of docs/performance.md, made of `results.json`: what a call costs beside the peers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._svg import OWN as OWN_COLOUR
from benchmarks._svg import document

from ._bench import Row, Rows
from ._candidates import PEERS

CHART = Path(__file__).parents[2] / "docs/assets/peers.svg"
WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 760, 215, 80, 52, 13, 5
COLOURS = {"header": "#7f8c8d", "token": "#bdc3c7"}
"""Of the peers, by what they hand out."""
LABELS = {"header": "hands out a header", "token": "hands out a bare token"}


@dataclass(frozen=True)
class Panel:
    """One figure of all candidates, on a logarithmic axis."""

    title: str
    rows: Rows
    figure: Callable[[Row], float]
    shown: Callable[[float], str]
    least: float
    """Where the axis begins."""


def chart(results: Mapping[str, Any]) -> str:
    """The panels one below the other."""
    scenarios = results["scenarios"]
    panels = [
        Panel(
            "A header from a fresh token, one thread: nanoseconds (logarithmic)",
            scenarios["hot-path"]["figures"],
            lambda row: float(row["ns"]),
            lambda ns: f"{ns:,.0f}",
            10,
        ),
        Panel(
            "64 threads: microseconds within which 99.9 % of the calls return (logarithmic)",
            scenarios["threads"]["figures"],
            lambda row: float(row["64 p99.9"]) / 1e3,
            lambda us: f"{us:,.1f}" if us < 100 else f"{us:,.0f}",
            0.1,
        ),
    ]
    lines, y = [], 0
    for panel in panels:
        lines += [f'<g transform="translate(0 {y})">', *_panel(panel), "</g>"]
        y += TOP + len(PEERS) * (BAR + GAP) + 16
    return document(WIDTH, y, lines)


def _panel(panel: Panel) -> Iterator[str]:
    figures = {name: panel.figure(panel.rows[name]) for name in PEERS}
    top = max(figures.values())
    yield f'<text x="10" y="20" font-size="14">{panel.title}</text>'
    for number, (kind, label) in enumerate(LABELS.items()):
        x = LEFT + 180 * number
        yield f'<rect x="{x}" y="31" width="12" height="12" fill="{COLOURS[kind]}"/>'
        yield f'<text x="{x + 18}" y="41">{label}</text>'
    for number, name in enumerate(sorted(figures, key=lambda name: figures[name])):
        y = TOP + number * (BAR + GAP)
        share = math.log(figures[name] / panel.least) / math.log(top / panel.least)
        width = share * (WIDTH - LEFT - RIGHT)
        own = PEERS[name].distribution == "pygen-auth"
        colour = OWN_COLOUR if own else COLOURS[PEERS[name].gives]
        yield f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end">{name}</text>'
        yield f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
        yield f'<text x="{LEFT + width + 6:.1f}" y="{y + 11}">{panel.shown(figures[name])}</text>'
