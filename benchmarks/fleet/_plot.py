"""The plot for the docs: token requests over a day, and in an outage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks._svg import OWN, document

from ._fleet import Day, Kind

WIDTH, HEIGHT = 760, 250
LEFT, RIGHT, TOP, BOTTOM = 60, 30, 46, 40
"""Margins of a panel."""
FLOOR, CEILING = 0.4, 1000.0
"""Of the logarithmic axis, in requests a second."""
COLOURS: dict[Kind, str] = {"naive": "#c0392b", "alone": OWN, "shared": "#1e8449"}
LABELS: dict[Kind, str] = {
    "naive": "naive cache",
    "alone": "pygen-auth",
    "shared": "pygen-auth with a store",
}


@dataclass(frozen=True)
class Panel:
    """One plot: what a stretch of time looked like for several fleets."""

    title: str
    days: Sequence[Day]
    begin: int
    """Seconds from the start, or from the beginning of an outage where there is one."""
    end: int
    bin: int
    """Seconds; of each, the busiest second is drawn."""
    tick: int
    """Seconds between two marks of the axis."""
    unit: str
    """Of the marks."""
    seconds_of_unit: int

    def x(self, second: float) -> float:
        """Where a second is."""
        share = (second - self.begin) / (self.end - self.begin)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def svg(panels: Sequence[Panel]) -> str:
    """The panels one below the other."""
    lines: list[str] = []
    for number, panel in enumerate(panels):
        lines += [f'<g transform="translate(0 {HEIGHT * number})">', *_panel(panel), "</g>"]
    return document(WIDTH, HEIGHT * len(panels), lines)


def _panel(panel: Panel) -> Iterable[str]:
    yield f'<text x="{LEFT}" y="18" font-size="14">{panel.title}</text>'
    yield from _axes(panel)
    for place, day in enumerate(panel.days):
        colour, label = COLOURS[day.plan.kind], LABELS[day.plan.kind]
        yield f'<path d="{_line(panel, day)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        x = LEFT + 140 * place
        yield f'<path d="M{x} 33h16" stroke="{colour}" stroke-width="3"/>'
        yield f'<text x="{x + 21}" y="37">{label}</text>'


def _axes(panel: Panel) -> Iterable[str]:
    right = WIDTH - RIGHT
    for exponent in range(4):
        y = _y(10.0**exponent)
        yield f'<path d="M{LEFT} {y:g}H{right}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:g}" text-anchor="end">{10**exponent}</text>'
    base = _y(FLOOR)
    yield f'<path d="M{LEFT} {base:g}H{right}" stroke="#888888"/>'
    yield f'<text x="{LEFT - 6}" y="{base + 4:g}" text-anchor="end">0</text>'
    for second in range(panel.begin, panel.end + 1, panel.tick):
        x = panel.x(second)
        yield f'<path d="M{x:g} {base:g}v4" stroke="#888888"/>'
        mark = f"{second // panel.seconds_of_unit} {panel.unit}"
        yield f'<text x="{x:g}" y="{base + 18:g}" text-anchor="middle">{mark}</text>'
    for outage in {day.plan.outage for day in panel.days}:
        if outage is not None:
            x, width = panel.x(0), panel.x(outage.seconds) - panel.x(0)
            yield (
                f'<rect x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{base - TOP:g}" '
                'fill="#f5b041" fill-opacity="0.18"/>'
            )


def _line(panel: Panel, day: Day) -> str:
    """Steps: of each bin the busiest second."""
    path: list[str] = []
    last, origin = None, int(day.down_at or 0)
    for begin in range(panel.begin, panel.end, panel.bin):
        peak = max(day.requests[origin + begin + second] for second in range(panel.bin))
        y = round(_y(max(peak, FLOOR)), 1)
        if y != last:
            x = round(panel.x(begin), 1)
            path.append(f"H{x:g}V{y:g}" if path else f"M{x:g} {y:g}")
            last = y
    return "".join([*path, f"H{panel.x(panel.end):g}"])


def _y(requests: float) -> float:
    share = math.log(requests / FLOOR) / math.log(CEILING / FLOOR)
    return round(HEIGHT - BOTTOM - min(share, 1.0) * (HEIGHT - BOTTOM - TOP), 1)
