"""Plays one fault at one moment, and holds what the call gets against what it should."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from pygen_auth import OAuth2Error
from pygen_auth._clock import Clock
from tests.support import Twin, all_that_shows

from .catalog import FAULTS
from .fault import HANGS, HELD, Fault, Moment
from .server import FaultServer
from .world import MARK, World

PATIENCE = 1.0
"""Seconds by which a call may outlast its time-out."""
LIFETIME = 3600.0
"""Seconds that a good token lives, of which the last 300 are the margin."""
FORWARD = {Moment.FIRST: 0.0, Moment.MARGIN: LIFETIME - 100, Moment.EXPIRED: LIFETIME + 1}
MUCH_LATER = 10 * LIFETIME
"""Seconds after which every pause is over."""
SECOND_ATTEMPT = 4.0
"""Seconds for a call that waits half of them in vain, and then has to get a token."""
AT_ONCE = 8
"""Cells that run at the same time; they wait more than they compute."""


class MovedClock:
    """The real time, moved forward by hand and by whoever would sleep."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.slept = False
        self.on_sleep: Callable[[], None] = lambda: None
        self.clock = Clock(self.wall, self.monotonic, self._sleep, self._sleep_in_loop)

    def wall(self) -> float:
        return time.time() + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def _sleep(self, seconds: float) -> None:
        self.ahead += seconds
        self.slept = True
        self.on_sleep()

    async def _sleep_in_loop(self, seconds: float) -> None:
        self._sleep(seconds)


class Cell(NamedTuple):
    """One fault for one twin, over one transport, at one moment."""

    fault: Fault
    twin: str
    tls: bool
    moment: Moment

    def __str__(self) -> str:
        over = "TLS" if self.tls else "plain"
        return f"{self.fault}, {self.twin}, {over}, {self.moment.value}"


class Result(NamedTuple):
    """What came of a cell that was as it should be."""

    cell: Cell
    label: str
    late: float
    """Seconds past the time-out; below zero where the call was in time."""


class _Stage:
    """Credentials and the server of one cell."""

    def __init__(self, cell: Cell, world: World, server: FaultServer, clock: MovedClock) -> None:
        self.cell = cell
        self.server = server
        self.clock = clock
        self._world = world
        self._twin = Twin(cell.twin)
        self.secret = f"{MARK} {secrets.token_hex(8)}+/é"
        self._credentials = self._twin.make(
            server.url,
            "id",
            self.secret,
            timeout=cell.fault.timeout,
            verify=world.trust(cell.fault.certificate),
            insecure_hosts=[server.host],
        )
        self._credentials._begin(clock.clock)

    def headers(self) -> str:
        """The token in the header that a user gets."""
        header = self._twin.call(self._credentials, "get_headers")["Authorization"]
        kind, _, token = header.partition(" ")
        assert kind == "Bearer"
        return str(token)

    def texts(self) -> list[str]:
        return [repr(self._credentials), repr(self._credentials._lease)]


@contextlib.contextmanager
def _stage(cell: Cell, world: World) -> Iterator[_Stage]:
    """The stage, set for the moment: the server is about to break."""
    clock = MovedClock()
    mark = f"{MARK}{secrets.token_hex(6)}"
    with contextlib.ExitStack() as undo:
        server = FaultServer(cell.fault, cell.tls, world, mark, clock.wall)
        undo.enter_context(server)
        if cell.fault.proxied:
            undo.enter_context(world.proxy(server.proxy))
        stage = _Stage(cell, world, server, clock)
        if cell.moment is not Moment.FIRST:
            assert stage.headers() == server.token(broken=False)
        clock.ahead += FORWARD[cell.moment]
        yield stage


def play(cell: Cell, world: World) -> Result:
    """Break the server at the moment of the cell, call, and then let the server be well again.

    Raises:
        AssertionError: something was not as it should be.
    """
    with _stage(cell, world) as stage:
        stage.server.breaks()
        start = stage.clock.monotonic()
        try:
            got: str | OAuth2Error = stage.headers()
        except OAuth2Error as error:
            got = error
        late = stage.clock.monotonic() - start - cell.fault.timeout
        label = _judged(got, stage)
        assert late < PATIENCE, f"{late:.2f} s late"
        stage.server.heals()
        stage.clock.ahead += MUCH_LATER
        assert stage.headers() == stage.server.token(broken=False), "not well again"
        _check_nothing_travelled(stage.server, world)
        _check_nothing_shows(got, stage, world)
    return Result(cell, label, late)


def play_once(cell: Cell, world: World) -> Cell:
    """The fault passes while the call waits for its second attempt: it gets the right token."""
    patient = replace(cell.fault, timeout=max(cell.fault.timeout, SECOND_ATTEMPT))
    with _stage(cell._replace(fault=patient), world) as stage:
        stage.server.breaks()
        stage.clock.on_sleep = stage.server.heals
        assert stage.headers() == stage.server.token(broken=False)
        assert stage.clock.slept
    return cell


def _judged(got: str | OAuth2Error, stage: _Stage) -> str:
    """The label of what came; raises where it is not what should come."""
    cell, server = stage.cell, stage.server
    outcome = cell.fault.outcome_over(cell.tls)
    if isinstance(got, str):
        right = cell.fault.gives(server.token(broken=True))
        held = server.token(broken=False)
        assert got in (right, held), f"a wrong token: {got[:100]}"
        label = "token" if got == right else HELD
    else:
        assert type(got) is outcome.error, f"{got!r} after {server.attempts} attempts"
        assert outcome.says in str(got), f"the message is: {got}"
        caused = got.__cause__ is not None
        assert outcome.cause in (caused, None), f"the cause is {got.__cause__!r}"
        then = (
            "final" if not got.retryable else "at once" if outcome.then == "at once" else "retried"
        )
        label = f"{type(got).__name__}, {then}"
    assert label == outcome.label(cell.moment)
    if cell.fault.listens:
        _check_attempts(stage, outcome.attempts(cell.moment))
    return label


def _check_attempts(stage: _Stage, wanted: int) -> None:
    """A server that hangs may not see the last one, which has little of a short time-out left."""
    least = min(wanted, 2) if stage.cell.fault.timeout == HANGS else wanted
    deadline = time.monotonic() + 5.0
    while stage.server.attempts < least and time.monotonic() < deadline:
        time.sleep(0.005)  # it learns of a connection after the client does
    assert least <= stage.server.attempts <= wanted, f"{stage.server.attempts} attempts"


def _check_nothing_travelled(server: FaultServer, world: World) -> None:
    """No cookie, no refresh token, no other grant, and nothing to another host."""
    assert world.elsewhere.arrivals == []
    for request in server.requests:
        head, _, form = request.partition(b"\r\n\r\n")
        assert b"\ncookie:" not in head.lower()
        assert parse_qs(form.decode()).keys() == {"grant_type", "client_id", "client_secret"}
        assert b"grant_type=client_credentials" in form


def _check_nothing_shows(got: str | OAuth2Error, stage: _Stage, world: World) -> None:
    texts = [*stage.texts(), *world.leaks.lines]
    if isinstance(got, OAuth2Error):
        texts += all_that_shows(got)
    for text in texts:
        place = text.lower().find(MARK)
        assert place < 0, f"shows a secret: {text[max(0, place - 80) : place + 40]}"


# -- all of them


def cells() -> Iterator[Cell]:
    """The whole matrix."""
    for fault in FAULTS:
        for tls, twin, moment in itertools.product(fault.transports, ("sync", "async"), Moment):
            yield Cell(fault, twin, tls, moment)


def cells_that_pass() -> Iterator[Cell]:
    """Those in which a fault may pass within the call."""
    for cell in cells():
        if cell.moment is Moment.FIRST and cell.fault.outcome_over(cell.tls).then == "retried":
            yield cell


def in_parallel(
    cells: Iterable[Cell], work: Callable[[Cell], Any], report: Callable[[Cell, Exception], None]
) -> list[Any]:
    """What `work` gives for each cell that is as it should be; the others are reported."""

    def run(cell: Cell) -> Any:
        try:
            return work(cell)
        except Exception as error:
            report(cell, error)
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [result for result in pool.map(run, cells) if result is not None]
