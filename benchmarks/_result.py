"""Goals, results, and how often a measurement is tried: no other module judges a figure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

ATTEMPTS = 3
"""Runs at most of a timed measurement. Other work on the machine makes a figure worse more often
than better, so a goal that is missed is tried again and the best run counts; every result says how
many it took. Counts are exact and never tried again to make them right."""

TIMED = frozenset({"ns", "µs", "ms", "s", "×", "%"})
"""Units of times and of their ratios, which other work on the machine can make worse."""

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "at most": operator.le,
    "under": operator.lt,
    "at least": operator.ge,
    "exactly": operator.eq,
}


@dataclass(frozen=True)
class Goal:
    """A bound and its unit, such as "at most 50 ms"."""

    relation: Literal["at most", "under", "at least", "exactly"]
    limit: float
    unit: str

    def __str__(self) -> str:
        return f"{self.relation} {digits(self.limit)} {self.unit}"

    def holds(self, measured: float) -> bool:
        """Whether the figure, in the unit of the goal, is within the bound."""
        return _HOLDS[self.relation](measured, self.limit)

    def distance(self, measured: float) -> float:
        """How far along to the bound the figure is, as a ratio; less is better."""
        return self.limit / measured if self.relation == "at least" else measured / self.limit


@dataclass(frozen=True)
class Result:
    """What was measured, and whether it is what it should be."""

    name: str
    measured: float
    unit: str
    goal: str
    met: bool
    detail: str
    runs: int = 1


@dataclass(frozen=True)
class Figure:
    """One run of one measurement: the figure and what it was made of."""

    value: float
    detail: str


def judged(name: str, goal: Goal, figure: Figure, *, also: bool = True, runs: int = 1) -> Result:
    """The result of a figure; `also` is a condition that has to hold besides the goal."""
    met = goal.holds(figure.value) and also
    return Result(name, figure.value, goal.unit, str(goal), met, figure.detail, runs)


def best_run(name: str, goal: Goal, measure: Callable[[], Figure]) -> Result:
    """Measure until the goal is met, `ATTEMPTS` times at most; the best run counts."""
    figures: list[Figure] = []
    while len(figures) < ATTEMPTS and not any(goal.holds(figure.value) for figure in figures):
        figures.append(measure())
    best = min(figures, key=lambda figure: goal.distance(figure.value))
    return judged(name, goal, best, runs=len(figures))


def digits(figure: float) -> str:
    """Three digits of it, or all before the point."""
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.3g}"


def table(results: Iterable[Result]) -> str:
    """The results in aligned columns, for people."""
    rows = [("measurement", "measured", "goal", "met", "detail"), *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_line(row, widths) for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    measured = f"{digits(result.measured)} {result.unit}"
    runs = f"{result.runs} run{'s' if result.runs > 1 else ''}"
    met = "yes" if result.met else "NO"
    return result.name, measured, result.goal, met, f"{result.detail}; {runs}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
