"""What the tests of the credentials share: a clock moved by hand, scripted answers, the twins."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import pickle
import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials, Token
from pygen_auth._clock import Clock, Instant
from pygen_auth._wire import Request, Response
from pygen_auth.testing import FakeClock

TOKEN_URL = "https://idp.example.com/oauth2/token"
SECRET = "Zq8!very+secret/värde"

AnyCredentials = Any  # one of the twins; each test runs for both


class HandClock(FakeClock):
    """The clock that users have, with a start of its own and for single credentials."""

    def __init__(self, wall: float = 1_800_000_000.0, monotonic: float = 5_000.0) -> None:
        super().__init__()
        self.wall = wall
        self.monotonic = monotonic

    @property
    def clock(self) -> Clock:
        return self._clock

    def now(self) -> Instant:
        return self._clock.now()


def answer(status: int = 200, headers: dict[str, str] | None = None, **fields: Any) -> Response:
    """An answer of the token endpoint with a JSON body."""
    return Response(status=status, headers=headers or {}, body=json.dumps(fields).encode())


def granted(access_token: str = "tok-1", expires_in: Any = 3600, **fields: Any) -> Response:
    return answer(access_token=access_token, token_type="Bearer", expires_in=expires_in, **fields)


UNAVAILABLE = Response(status=503, headers={}, body=b"")
WRONG_SECRET = answer(401, error="invalid_client")

Scripted = Response | Exception | Callable[[Request], Response]


class Endpoint:
    """A token endpoint that gives scripted answers, then numbered tokens of 3600 s."""

    def __init__(self, *script: Scripted) -> None:
        self.script = list(script)
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            next_one = self.script.pop(0) if self.script else granted(f"tok-{len(self.requests)}")
        if isinstance(next_one, Exception):
            raise next_one
        return next_one(request) if callable(next_one) else next_one

    async def send_in_loop(self, request: Request) -> Response:
        await asyncio.sleep(0)
        return self.send(request)

    @property
    def count(self) -> int:
        return len(self.requests)


class Twin:
    """Runs one test for the synchronous or the asynchronous credentials."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asynchronous = name == "async"
        self.kind = AsyncOAuth2ClientCredentials if self.asynchronous else OAuth2ClientCredentials

    def make(self, *args: Any, **settings: Any) -> AnyCredentials:
        """Credentials with real clocks and a real sender."""
        if not args:
            settings.setdefault("token_url", TOKEN_URL)
            settings.setdefault("client_id", "the-client")
            settings.setdefault("client_secret", SECRET)
        return self.kind(*args, **settings)

    def scripted(self, endpoint: Endpoint, clock: HandClock, **settings: Any) -> AnyCredentials:
        """Credentials on a clock moved by hand, against scripted answers."""
        credentials = self.make(**settings)
        credentials._begin(clock.clock)
        credentials._send = endpoint.send_in_loop if self.asynchronous else endpoint.send
        return credentials

    def call(self, credentials: AnyCredentials, method: str, *args: Any) -> Any:
        """Call a method; the asynchronous ones each in an event loop of its own."""
        name = "aclose" if self.asynchronous and method == "close" else method
        result = getattr(credentials, name)(*args)
        return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result

    def token(self, credentials: AnyCredentials) -> str:
        token = self.call(credentials, "token")
        assert isinstance(token, Token)
        return token.access_token

    def herd(
        self, credentials: AnyCredentials, size: int, method: str = "get_headers"
    ) -> list[Any]:
        """What `size` callers at once get: results or errors."""
        if self.asynchronous:
            return asyncio.run(_gathered([getattr(credentials, method) for _ in range(size)]))
        return in_threads([getattr(credentials, method)] * size)


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


async def _gathered(calls: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)


def in_threads(calls: list[Callable[[], Any]]) -> list[Any]:
    """Results or errors of calls that start together."""
    results: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = calls[index]()
        except BaseException as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def take_elsewhere(lock: Any) -> None:
    """Have a lock in the hands of another thread, which is gone: also one to be entered again."""
    assert in_threads([lock.acquire]) == [True]


def is_free(lock: Any) -> bool:
    """Whether another thread could have it."""
    (had,) = in_threads([lambda: lock.acquire(blocking=False) and not lock.release()])
    return bool(had)


def all_that_shows(error: BaseException) -> list[str]:
    """What an error prints, alone and with its chain, and what its pickle holds."""
    texts = ["".join(traceback.format_exception(type(error), error, error.__traceback__))]
    link: BaseException | None = error
    while link is not None:
        texts += [str(link), repr(link), repr(link.args), repr(vars(link))]
        with contextlib.suppress(TypeError):  # some foreign errors do not pickle
            texts.append(pickle.dumps(link).decode("latin-1"))
        link = link.__cause__ or link.__context__
    return texts
