"""Many callers at once and no token yet: how many token requests they make, and what they get."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials, RefusedError
from pygen_auth.testing import Answer, AuthorizationServer

from ._result import Figure, Goal, Result, judged

THREADS = 64
TASKS = 500


@dataclass(frozen=True)
class Case:
    """A server, a secret, and what must come of them."""

    name: str
    secret: str
    override: Answer | None
    requests: int
    outcome: str
    """Of every caller: "a token", or the error code or status that the server answered."""


CASES = (
    Case("cold start", "secret", None, 1, "a token"),
    Case("server answers 503", "secret", Answer(503), 3, "503"),  # the attempts of one call
    Case("wrong secret", "wrong", None, 1, "invalid_client"),
)


def results() -> list[Result]:
    """The goals of a start, and of a start that fails."""
    return [
        _judge(case, callers, kind, call_together)
        for case in CASES
        for callers, kind, call_together in (
            (THREADS, "threads", _threads),
            (TASKS, "tasks", _tasks),
        )
    ]


def _judge(
    case: Case, callers: int, kind: str, call_together: Callable[[str, str], list[str]]
) -> Result:
    with AuthorizationServer() as server:
        server.add_client("benchmark", "secret")
        server.override = case.override
        began = time.perf_counter()
        outcomes = Counter(call_together(server.token_url, case.secret))
        seconds = time.perf_counter() - began
        requests = server.token_request_count
    seen = ", ".join(f"{count} got {outcome}" for outcome, count in outcomes.items())
    return judged(
        f"{case.name}: {callers} {kind}",
        Goal("exactly", case.requests, "token requests" if case.requests > 1 else "token request"),
        Figure(requests, f"{seen}; {seconds:.2f} s in all"),
        also=outcomes == {case.outcome: callers},
    )


def _threads(token_url: str, secret: str) -> list[str]:
    credentials = OAuth2ClientCredentials(token_url, "benchmark", secret)
    barrier = threading.Barrier(THREADS)

    def call(_: int) -> str:
        barrier.wait()
        try:
            return _outcome(credentials.get_headers())
        except Exception as error:
            return _outcome(error)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(THREADS)))


def _tasks(token_url: str, secret: str) -> list[str]:
    async def call_together() -> list[str]:
        credentials = AsyncOAuth2ClientCredentials(token_url, "benchmark", secret)
        calls = (credentials.get_headers() for _ in range(TASKS))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        return [_outcome(answer) for answer in answers]

    return asyncio.run(call_together())


def _outcome(answer: dict[str, str] | BaseException) -> str:
    if isinstance(answer, dict):
        return "a token" if answer["Authorization"].startswith("Bearer ") else "no token"
    if isinstance(answer, RefusedError):
        return answer.error or str(answer.status)
    return type(answer).__name__
