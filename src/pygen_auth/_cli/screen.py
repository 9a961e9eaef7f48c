"""What a person sees: the only place that imports rich, and that knows a terminal from a pipe."""

from __future__ import annotations

import contextlib
import json
from contextlib import AbstractContextManager
from typing import Any

from pygen_auth.diagnosis import Check

try:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
except ImportError as error:
    raise ImportError(
        "this command needs the extra cli: pip install 'pygen-auth[cli]'", name="rich"
    ) from error

_MARKS: dict[str, tuple[str, str, str]] = {
    "ok": ("✓", "+", "green"),
    "warning": ("!", "!", "yellow"),
    "failed": ("✗", "x", "bold red"),
    "not run": ("–", "-", "dim"),
}
"""By outcome: the mark, the one for terminals without Unicode, and the style of both."""

_NAME, _TIME = 14, 8  # columns
_NARROWEST = 60  # columns of a terminal in which a column of text is wide enough to be read


class Screen:
    """Standard output for what was asked for, standard error for everything else.

    Colour and progress are for terminals alone; rich heeds NO_COLOR.
    """

    def __init__(self) -> None:
        self._out = _console()
        self._err = _console(stderr=True)

    @property
    def on_terminal(self) -> bool:
        """Whether standard output is read by a person."""
        return self._out.file.isatty()  # FORCE_COLOR makes no terminal of a file

    def line(self, text: str = "", style: str = "") -> None:
        """A line of the answer, whole, however wide the terminal is."""
        self._out.print(Text(text, style), soft_wrap=True)

    def json(self, value: Any) -> None:
        """The answer, for programs."""
        self.line(as_json(value))

    def rows(self, rows: list[tuple[str, ...]]) -> None:
        """Rows of columns, one line each: what stands in them can be copied whole."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.line("   ".join(cells).rstrip())

    def table(self, rows: list[tuple[str, ...]]) -> None:
        """The same to be read; on a terminal as wide as that."""
        if not self.on_terminal:
            return self.rows(rows)
        grid = Table.grid(padding=(0, 3, 0, 0))
        for _ in rows[0]:
            grid.add_column(overflow="fold")
        for row in rows:
            grid.add_row(*map(Text, row))
        return self._out.print(grid)

    def warn(self, text: str) -> None:
        """To whoever looks on; not part of the answer."""
        self._err.print(Text(text, "yellow"), soft_wrap=True)

    def refuse(self, text: str) -> None:
        """Say why there is no answer."""
        self._err.print(Text.assemble(("pygen-auth: ", "bold red"), text), soft_wrap=True)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """While something may take longer than a second; shown on a terminal alone."""
        if not self._err.file.isatty():
            return contextlib.nullcontext()
        return self._err.status(Text(f"{what} …"))

    def check(self, check: Check) -> None:
        """One step of a diagnosis, with its mark, its time and its advice."""
        mark, plain, style = _MARKS[check.outcome]
        unicode = (self._out.encoding or "").lower().startswith("utf")
        time = "" if check.outcome == "not run" else _seconds(check.seconds)
        detail = Text(check.detail, "dim" if check.outcome == "not run" else "")
        rows = [(Text(mark if unicode else plain, style), check.name, time, detail)]
        if check.advice:
            arrow = "→" if unicode else "->"
            rows.append((Text(), "", "", Text(f"{arrow} {check.advice}", style)))
        for first, name, took, text in rows:
            self._row(first, f"{name:<{_NAME}} {took:>{_TIME}}", text)

    def _row(self, mark: Text, columns: str, text: Text) -> None:
        if not self.on_terminal or self._out.width < _NARROWEST:
            return self._out.print(
                Text.assemble(mark or " ", f" {columns}  ", text), soft_wrap=True
            )
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=1)
        grid.add_column(width=_NAME + _TIME + 1, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(mark, columns, text)
        return self._out.print(grid)


def as_json(value: Any) -> str:
    """The value as people and programs read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
