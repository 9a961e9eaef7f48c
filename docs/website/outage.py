"""The diagram of an outage: what credentials did on a clock moved by hand, second by second."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from pygen_auth import OAuth2ClientCredentials
from pygen_auth._clock import Clock
from pygen_auth._token import TokenState
from pygen_auth._wire import Request, Response

from .states import COLOURS

FILE = Path(__file__).parents[1] / "assets/outage.svg"
LIFETIME = 3600
BEGIN, END = 53 * 60, 62 * 60
"""Seconds after the first token: what is shown."""
AWAY = range(54 * 60 + 30, 59 * 60)
"""Seconds in which the token endpoint answers 503: they begin before the token is due."""

WIDTH, LEFT, RIGHT, TOP, LANE = 760, 120, 34, 44, 42


@dataclass
class Record:
    """What happened."""

    requests: list[tuple[int, bool]] = field(default_factory=list)
    """Second, and whether a token came."""
    states: list[TokenState] = field(default_factory=list)
    """In each second that is shown."""
    calls: int = 0
    """That got a header: one a second."""


def played() -> Record:
    """Call once a second, from the first token on until the end."""
    random.seed(8)  # of the pauses; any will do
    record = Record()
    second = 0

    def send(request: Request) -> Response:
        well = second not in AWAY
        record.requests.append((second, well))
        if not well:
            return Response(status=503, headers={}, body=b"")
        token = {"access_token": f"t0ken-{second}", "token_type": "Bearer", "expires_in": LIFETIME}
        return Response(status=200, headers={}, body=json.dumps(token).encode())

    credentials: Any = OAuth2ClientCredentials("https://auth.example.com/token", "id", "secret")
    clock = Clock(lambda: 1.8e9 + second, lambda: 1e3 + second)
    credentials._begin(clock)
    credentials._send = send
    for second in range(END):  # `send` and the clock read it
        credentials.get_headers()
        record.calls += 1
        if second >= BEGIN:
            record.states.append(credentials._lease.state(clock.now()))
    return record


def svg(record: Record) -> str:
    """The diagram."""
    height = TOP + 3 * LANE + 34
    lost = END - record.calls
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="sans-serif" font-size="12" fill="#333333">',
        "<title>An outage of the token endpoint inside the margin</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="14">The token endpoint is away for '
        f"{len(AWAY) / 60:g} minutes: {record.calls:,} calls, one a second, {lost} lost; "
        f"{sum(not well for _, well in record.requests)} requests in vain</text>",
        *_lane(0, "token endpoint"),
        *_bar(0, BEGIN, AWAY.start, "#1e8449", "answers"),
        *_bar(0, AWAY.start, AWAY.stop, "#c0392b", "503"),
        *_bar(0, AWAY.stop, END, "#1e8449", "answers"),
        *_lane(1, "token requests"),
        *_requests(record),
        *_lane(2, "held token"),
        *_states(record),
        *_axis(),
    ]
    return "\n".join([*lines, "</svg>", ""])


def _x(second: float) -> float:
    return round(LEFT + (second - BEGIN) / (END - BEGIN) * (WIDTH - LEFT - RIGHT), 1)


def _lane(number: int, name: str) -> Iterator[str]:
    y = TOP + LANE * number + 18
    yield f'<text x="{LEFT - 10}" y="{y}" text-anchor="end">{name}</text>'


def _bar(lane: int, begin: int, end: int, colour: str, text: str) -> Iterator[str]:
    x, width, y = _x(begin), _x(end) - _x(begin), TOP + LANE * lane
    yield (
        f'<rect x="{x:g}" y="{y}" width="{width:g}" height="28" fill="{colour}" '
        f'fill-opacity="0.18" stroke="{colour}"/>'
    )
    yield f'<text x="{x + width / 2:g}" y="{y + 18}" text-anchor="middle">{text}</text>'


def _requests(record: Record) -> Iterator[str]:
    top = TOP + LANE
    yield f'<path d="M{LEFT} {top + 28}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
    for second, well in record.requests:
        if second >= BEGIN:
            colour = "#1e8449" if well else "#c0392b"
            path = f"M{_x(second):g} {top + 4}v24"
            yield f'<path d="{path}" stroke="{colour}" stroke-width="2"/>'


def _states(record: Record) -> Iterator[str]:
    second = BEGIN
    for state, seconds in groupby(record.states):
        end = second + len(list(seconds))
        yield from _bar(2, second, end, COLOURS[state], state.value)
        second = end


def _axis() -> Iterator[str]:
    y = TOP + 3 * LANE
    yield f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#888888"/>'
    for second in range(BEGIN, END + 1, 60):
        x = _x(second)
        yield f'<path d="M{x:g} {y}v4" stroke="#888888"/>'
        yield f'<text x="{x:g}" y="{y + 18}" text-anchor="middle">{second // 60} min</text>'
