"""What scenarios measure with: the server, a process for each candidate, and turns."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Concatenate, ParamSpec, TypeVar

from benchmarks._result import Result
from benchmarks._server import in_own_process

from ._server import Server

P = ParamSpec("P")
T = TypeVar("T")

Row = dict[str, Any]
"""The figures of one candidate, by what they are."""
Rows = dict[str, Row]
"""By candidate."""

PERFORMANCE, COMPARISON = (
    Path(__file__).parents[2] / "docs" / page for page in ("performance.md", "comparison.md")
)

LONGEST = 180.0
"""Seconds that one turn of one candidate may take; the slowest, a herd that queues up, takes 20."""


class Bench(contextlib.ExitStack):
    """The server and the processes of one run, which end with the block.

    A candidate has a process of its own, so that nothing of the others is loaded there.
    """

    def __init__(self, server: Server, seed: int = 0) -> None:
        super().__init__()
        self.server = server
        self._random = random.Random(seed)
        self._processes: dict[str, Connection] = {}

    def turns(self, names: Iterable[str], rounds: int) -> Iterator[str]:
        """Each name once in every round, in another order each time.

        So whatever else the machine does meets all of them alike.
        """
        for _ in range(rounds):
            yield from self._random.sample(all_names := list(names), len(all_names))

    def run(
        self,
        process: str,
        function: Callable[Concatenate[Server, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """What a function of a module gives for the server and these arguments in that process.

        Raises:
            RuntimeError: it raised something, which the message holds.
            TimeoutError: it does not come to an end.
        """
        self._send(process, function, arguments, keywords)
        return self._received(process, function)

    def at_once(
        self,
        names: Iterable[str],
        function: Callable[Concatenate[Server, str, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> dict[str, T]:
        """The same with the process of each name, in all of them together; the name is the first
        argument.
        """
        processes = list(names)
        for name in processes:
            self._send(name, function, (name, *arguments), keywords)
        return {name: self._received(name, function) for name in processes}

    def _send(self, process: str, function: Callable[..., object], *arguments: object) -> None:
        if process not in self._processes:
            self._processes[process] = self.enter_context(in_own_process(_obey))
        self._processes[process].send((function, self.server, *arguments))

    def _received(self, process: str, function: Callable[..., T]) -> T:
        connection = self._processes[process]
        if not connection.poll(LONGEST):
            raise TimeoutError(f"{process}: {function.__name__} is not done after {LONGEST:.0f} s")
        value, error = connection.recv()
        if error is not None:
            raise RuntimeError(f"{process}: {function.__name__}: {error}")
        return value  # type: ignore[no-any-return]


def _obey(connection: Connection) -> None:
    logging.getLogger().addHandler(logging.NullHandler())  # nothing of theirs goes to the screen
    with contextlib.suppress(EOFError):
        while True:
            function, server, arguments, keywords = connection.recv()
            try:
                value, problem = function(server, *arguments, **keywords), None
            except Exception as error:
                value, problem = None, f"{type(error).__name__}: {error}"
            connection.send((value, problem))


@dataclass(frozen=True)
class Scenario:
    """One question, asked of all candidates."""

    name: str
    """On the command line, in the results, and as the part of the page that it writes."""
    measure: Callable[[Bench], Rows]
    judge: Callable[[Rows], list[Result]]
    """The goals, for our own rows."""
    table: Callable[[Rows], Iterable[str]]
    """Lines of Markdown for the page."""
    page: Path = PERFORMANCE


def medians(rounds: Iterable[Row]) -> Row:
    """Of each figure, over the rounds of one candidate."""
    found = list(rounds)
    return {name: median(row[name] for row in found) for name in found[0]}


def markdown(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A table; the first column is text, the others are figures."""
    first, *others = head
    yield f"| {' | '.join([first, *others])} |"
    yield f"|---|{'---:|' * len(others)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
