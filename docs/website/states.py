"""The diagram of a token's states: its arrows are found by asking the rules, not drawn by hand."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from pygen_auth import OAuth2Error, Token, _token
from pygen_auth._clock import Instant
from pygen_auth._token import Lease, TokenState

FILE = Path(__file__).parents[1] / "assets/states.svg"
LIFETIME, MARGIN, TIMEOUT, CHANCE = 3600.0, 300.0, 30.0, 0.5
START = Instant(1_800_000_000.0, 1_000.0)
MOMENTS = {
    TokenState.FRESH: START.after(60),
    TokenState.DUE: START.after(LIFETIME - MARGIN),
    TokenState.EXPIRED: START.after(LIFETIME),
}

Edges = Mapping[tuple[TokenState, TokenState], tuple[str, ...]]
"""What leads from one state to another."""

FAILS = "request fails"
COLOURS = {
    TokenState.FRESH: "#1e8449",
    TokenState.DUE: "#b9770e",
    TokenState.EXPIRED: "#c0392b",
}
BOX, GAP, TOP, HEIGHT = 180, 100, 110, 96
WIDTH = 3 * BOX + 2 * GAP + 20


def edges() -> Edges:
    """What the rules of `_token` make of a token in each state, event by event."""
    found: dict[tuple[TokenState, TokenState], tuple[str, ...]] = {}
    held = Lease().renewed(_token_at(START), MARGIN, START, CHANCE)
    states = list(TokenState)
    for edge in pairwise(states):
        found[edge] = ("time",)
    for state, now in MOMENTS.items():
        assert held.state(now) is state
        for event, happens in _events(held, now).items():
            edge = (state, happens(held).state(now))
            if edge[0] is not edge[1] or event == FAILS:  # else nothing has changed
                found[edge] = (*found.get(edge, ()), event)
    return found


def _token_at(now: Instant) -> Token:
    return Token.bearer("t0ken", now.after(LIFETIME), LIFETIME)


def _events(held: Lease, now: Instant) -> Mapping[str, Callable[[Lease], Lease]]:
    token, error = held.token, OAuth2Error("", retryable=True)
    assert token is not None
    events: dict[str, Callable[[Lease], Lease]] = {
        "API refuses it": lambda held: held.invalidated(token, now, CHANCE),
        "close()": lambda held: held.dropped(now),
    }
    if held.held(now) is None:  # else no token request is made
        events["renewed"] = lambda held: held.renewed(_token_at(now), MARGIN, now, CHANCE)
        events[FAILS] = lambda held: held.failed(error, now, TIMEOUT, CHANCE)
    return events


def svg() -> str:
    """The diagram."""
    height = TOP + HEIGHT + 92
    arrows = [
        arrow
        for (source, target), names in edges().items()
        for arrow in _arrow(source, target, names)
    ]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="sans-serif" font-size="12" fill="#333333">',
        "<title>The states of a token, and what leads from one to another</title>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#888888"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *(line for state in TokenState for line in _box(state)),
        *arrows,
    ]
    return "\n".join([*lines, "</svg>", ""])


def _left(state: TokenState) -> int:
    return 10 + list(TokenState).index(state) * (BOX + GAP)


def _box(state: TokenState) -> Iterator[str]:
    left, colour = _left(state), COLOURS[state]
    yield (
        f'<rect x="{left}" y="{TOP}" width="{BOX}" height="{HEIGHT}" rx="6" fill="{colour}" '
        f'fill-opacity="0.12" stroke="{colour}" stroke-width="1.5"/>'
    )
    yield (
        f'<text x="{left + 12}" y="{TOP + 24}" font-size="15" font-weight="bold">'
        f"{state.name}</text>"
    )
    for number, line in enumerate(textwrap.wrap(_meaning()[state.name], 27)):
        yield f'<text x="{left + 12}" y="{TOP + 46 + 17 * number}">{line}</text>'


def _meaning() -> dict[str, str]:
    """What the source says below each state."""
    kind = ast.parse(inspect.getsource(_token.TokenState)).body[0]
    assert isinstance(kind, ast.ClassDef)
    return {
        name.targets[0].id: text.value.value
        for name, text in pairwise(kind.body)
        if isinstance(name, ast.Assign)
        and isinstance(name.targets[0], ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _arrow(source: TokenState, target: TokenState, names: tuple[str, ...]) -> Iterator[str]:
    steps = (_left(target) - _left(source)) // (BOX + GAP)
    path, x, y = _way(_left(source), _left(target), steps)
    yield f'<path d="{path}" fill="none" stroke="#888888" marker-end="url(#head)"/>'
    first, *more = names if steps == 1 else (", ".join(names),)
    yield f'<text x="{x}" y="{y}" text-anchor="middle">{first}</text>'
    for number, name in enumerate(more):
        yield f'<text x="{x}" y="{y + 22 + 15 * number}" text-anchor="middle">{name}</text>'


def _way(begin: int, end: int, steps: int) -> tuple[str, int, int]:
    """The path of an arrow, and where its text is: straight to the right, in arcs else."""
    bottom = TOP + HEIGHT
    if steps == 1:
        return f"M{begin + BOX} {TOP + 40}H{end - 2}", begin + BOX + GAP // 2, TOP + 34
    if steps == 0:
        loop = f"M{begin + 64} {bottom}c-6 34 58 34 52 2"
        return loop, begin + BOX // 2, bottom + 42
    if steps > 1:
        low = bottom + 76
        arc = f"M{begin + 60} {bottom}C{begin + 90} {low} {end + 60} {low} {end + 20} {bottom + 2}"
        return arc, (begin + end + BOX) // 2 - 20, bottom + 74
    high = TOP - 30 + 40 * steps
    begin, end = begin + 90, end + 110 + 20 * steps
    arc = f"M{begin} {TOP}C{begin - 40} {high} {end + 40} {high} {end} {TOP - 2}"
    return arc, (begin + end) // 2, (3 * high + TOP) // 4 - 6
