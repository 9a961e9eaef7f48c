"""`pygen-auth demo`: credentials at work while the server behind them misbehaves.

Threads and asyncio tasks call a protected resource on loopback. Meanwhile the resource refuses
their tokens once, and the token endpoint is slow, then down. No call may be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

import httpx

from . import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials, Token
from .testing import Answer, AuthorizationServer

_INTRODUCTION = """\
{0.callers} threads and {0.callers} asyncio tasks call an API, each kind with one object for all.
A token lives {0.lifetime:g} s and is due for a refresh in the middle of its life.

   time   calls/s   token of threads   token of asyncio   refreshes   failures"""


@dataclass(frozen=True)
class Script:
    """What happens when, in seconds from the start.

    A token is due at half its life. The tokens that follow the refused ones are due at 5 s, when
    the token endpoint is slow, and those that follow at 9 s, when it is down.
    """

    lifetime: float = 8.0  #: of a token; its half is longer than the outage
    refused_at: float = 1.0
    slow_at: float = 4.5  #: and until the outage
    slow_by: float = 1.0
    down_at: float = 8.5
    down_until: float = 10.5
    down_status: int = 503
    end: float = 12.5  #: two failures from 9 s on, with their pauses, are over by 12 s
    deadline: float = 17.0  #: callers that have not come back by then are given up
    callers: int = 4  #: that many threads, and as many tasks
    pause: float = 0.015  #: of each caller before each call, so that two cores suffice


class _Side:
    """The callers of one kind: the token they use, and what became of their calls."""

    def __init__(self, margin: float) -> None:
        self.token: Token | None = None
        self.calls = self.calls_repeated = self.calls_refused = 0
        self.tokens = self.failures = 0
        self.longest = 0.0  # seconds
        self.error: Exception | None = None  # the first one
        self._margin = margin
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """One call; it counts as refused if the block fails, for whatever reason."""
        began, error = time.monotonic(), None
        try:
            yield
        except Exception as caught:
            error = caught
        with self._lock:
            self.calls += 1
            self.longest = max(self.longest, time.monotonic() - began)
            self.calls_refused += error is not None
            self.error = self.error or error

    def headers(self, token: Token, *, again: bool = False) -> dict[str, str]:
        """What authorizes a request with this token, the one in use now; `again` after a 401."""
        with self._lock:
            self.token = token
            self.calls_repeated += again
        return {"Authorization": token.authorization}

    def __str__(self) -> str:
        if self.token is None:
            return "none yet"
        now, due = time.time(), self.token.due(self._margin).wall
        state = "fresh" if now < due else "due" if now < self.token.expires_at else "expired"
        return f"{self.token.fingerprint} {state}"


class _Screen:
    """Lines of text; on a terminal the status is one line below them, rewritten in place."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()
        self._status = ""
        self.interval = 0.5 if self._live else 1.0  #: seconds between two status lines

    def line(self, text: str) -> None:
        start = "\r" if self._live else ""
        self._write(f"{start}{text:<{len(self._status)}}\n{self._status}")

    def status(self, text: str) -> None:
        if self._live:
            self._status = text[: shutil.get_terminal_size().columns - 1]  # must not wrap
            self._write(f"\r{self._status}")
        else:
            self.line(text)

    def end_status(self) -> None:
        self._write("\n" if self._status else "")
        self._status = ""

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


class _Log(logging.Handler):
    """Hears what the credentials log. A side is known by the names of its threads."""

    def __init__(self, sides: dict[str, _Side], tell: Callable[[str, str], None]) -> None:
        super().__init__()
        self._sides = sides
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        name, message = str(record.threadName).partition("-")[0], record.getMessage()
        side = self._sides.get(name)
        if side and message.startswith("token refresh failed"):
            side.failures += 1
            self._tell(name, f"refresh failed; still in use: {side}")
        elif side and record.levelno < logging.WARNING:
            side.tokens += 1
            self._tell(name, message.partition(",")[0])  # "token … obtained"


class _Demo:
    """One run: the server, its callers, and the script."""

    def __init__(self, script: Script, server: AuthorizationServer, out: TextIO) -> None:
        self._script, self._server, self._screen = script, server, _Screen(out)
        url, secret = server.token_url, secrets.token_urlsafe()
        for client_id in ("threads", "asyncio"):
            server.add_client(client_id, secret)
        self._sync = OAuth2ClientCredentials(url, "threads", secret)
        self._async = AsyncOAuth2ClientCredentials(url, "asyncio", secret)
        self._threads = _Side(self._sync.refresh_margin)
        self._tasks = _Side(self._async.refresh_margin)
        self._sides = {"threads": self._threads, "asyncio": self._tasks}
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.log = _Log(self._sides, self._tell)
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._shown_at, self._shown_calls = 0.0, 0

    def run(self) -> int:
        """Play the script, then sum up; the exit status."""
        self._screen.line(_INTRODUCTION.format(self._script))
        with httpx.Client(trust_env=False) as http:
            callers = self._start(http)
            try:
                self._play()
            finally:
                self._stop.set()
            for caller in callers:
                caller.join(max(0.0, self._script.deadline - self._elapsed()))
        self._show_news()
        self._screen.end_status()
        return self._sum_up(sum(caller.is_alive() for caller in callers))

    def _start(self, http: httpx.Client) -> list[threading.Thread]:
        runs = {f"threads-{n}": lambda: self._run_thread(http) for n in range(self._script.callers)}
        runs["asyncio"] = lambda: asyncio.run(self._run_tasks())
        callers = [threading.Thread(target=runs[name], name=name, daemon=True) for name in runs]
        for caller in callers:
            caller.start()
        return callers

    def _run_thread(self, http: httpx.Client) -> None:
        while not self._stop.wait(self._script.pause):
            with self._threads.call():
                self._call(http)

    def _call(self, http: httpx.Client) -> None:
        """Call the resource as a program should: after a 401 once more, with another token."""
        url, token = self._server.resource_url, self._sync.token()
        answer = http.get(url, headers=self._threads.headers(token))
        if answer.status_code == 401:
            self._sync.invalidate(token)
            answer = http.get(url, headers=self._threads.headers(self._sync.token(), again=True))
        answer.raise_for_status()

    async def _run_tasks(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            await asyncio.gather(*(self._run_task(http) for _ in range(self._script.callers)))

    async def _run_task(self, http: httpx.AsyncClient) -> None:
        while not self._stop.is_set():
            with self._tasks.call():
                await self._call_async(http)
            await asyncio.sleep(self._script.pause)

    async def _call_async(self, http: httpx.AsyncClient) -> None:
        url, token = self._server.resource_url, await self._async.token()
        answer = await http.get(url, headers=self._tasks.headers(token))
        if answer.status_code == 401:
            await self._async.invalidate(token)
            token = await self._async.token()
            answer = await http.get(url, headers=self._tasks.headers(token, again=True))
        answer.raise_for_status()

    def _play(self) -> None:
        script, server = self._script, self._server
        self._wait_until(script.refused_at, "the resource refuses the tokens in use")
        for token in filter(None, (side.token for side in self._sides.values())):
            server.revoke(token.access_token)
        self._wait_until(script.slow_at, f"the token endpoint takes {script.slow_by:g} s to answer")
        server.delay = script.slow_by
        self._wait_until(script.down_at, f"the token endpoint answers {script.down_status}")
        server.delay, server.override = 0.0, Answer(script.down_status)
        self._wait_until(script.down_until, "the token endpoint is up again")
        server.override = None
        self._wait_until(script.end, "closes")

    def _wait_until(self, moment: float, news: str) -> None:
        """Keep showing what goes on; `news` is what the server does at that moment."""
        while (now := self._elapsed()) < moment:
            self._show_news()
            if now - self._shown_at >= self._screen.interval:
                self._show_status(now)
            time.sleep(0.02)
        self._tell("server", news)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _tell(self, who: str, what: str) -> None:
        """From any thread; the main one shows it."""
        self._news.put(f"{self._elapsed():5.1f} s   {who + ':':<9}{what}")

    def _show_news(self) -> None:
        while not self._news.empty():
            self._screen.line(self._news.get())

    def _show_status(self, now: float) -> None:
        calls = self._sum("calls")
        rate = (calls - self._shown_calls) / (now - self._shown_at)
        self._shown_at, self._shown_calls = now, calls
        refreshes = max(0, self._sum("tokens") - len(self._sides))  # not the first token of each
        self._screen.status(
            f"{now:5.1f} s {rate:9.0f}   {self._threads!s:<16}   {self._tasks!s:<16} "
            f"{refreshes:11} {self._sum('failures'):10}"
        )

    def _sum(self, name: str) -> int:
        return sum(getattr(side, name) for side in self._sides.values())

    def _sum_up(self, given_up: int) -> int:
        sides = self._sides.values()
        refused = self._sum("calls_refused") + given_up
        self._screen.line(f"""
calls made: {self._sum("calls")}
calls made again after a 401: {self._sum("calls_repeated")}
calls refused: {refused}
token requests made: {self._server.token_request_count}
failures survived: {self._sum("failures")}
longest wait of a call: {max(side.longest for side in sides) * 1000:.0f} ms""")
        for error in filter(None, (side.error for side in sides)):
            self._screen.line(f"first error: {error}")
        return int(refused > 0 or not all(side.calls for side in sides))


def run(script: Script, out: TextIO) -> int:
    """Show it on `out`; the exit status, 0 if no call was lost."""
    logger = logging.getLogger("pygen_auth")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            contextlib.closing(AuthorizationServer(lifetime=script.lifetime))
        )
        demo = _Demo(script, server, out)
        stack.callback(logger.setLevel, logger.level)
        stack.callback(logger.removeHandler, demo.log)
        logger.addHandler(demo.log)
        logger.setLevel(logging.INFO)
        return demo.run()
