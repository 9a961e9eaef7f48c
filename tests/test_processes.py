"""Forks, pickles, pools, Ctrl-C and the end of the interpreter, with the real processes."""

from __future__ import annotations

import asyncio
import copy
import inspect
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
import httpx
import pytest

from pygen_auth._wire import Request, Response
from pygen_auth.testing import AuthorizationServer

from .support import SECRET, Endpoint, HandClock, Twin, _awaited, granted

SECONDS = 60  # for what takes one; the machine may be busy
START_METHODS = multiprocessing.get_all_start_methods()

needs_fork = pytest.mark.skipif("fork" not in START_METHODS, reason="no fork on this system")
on_purpose = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # with threads
by_method = pytest.mark.parametrize(
    "method", [pytest.param(m, marks=on_purpose if m == "fork" else ()) for m in START_METHODS]
)


@pytest.fixture(scope="module")
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        running.add_client("the-client", SECRET)
        yield running


@pytest.fixture
def credentials(server: AuthorizationServer, twin: Twin) -> Any:
    return twin.make(server.token_url, "the-client", SECRET)


@pytest.fixture
def both(server: AuthorizationServer) -> list[Any]:
    """The two twins at once, where each test starts processes anew."""
    return [Twin(name).make(server.token_url, "the-client", SECRET) for name in ("sync", "async")]


def header_of(credentials: Any) -> str:
    """Also run by other processes."""
    result = credentials.get_headers()
    headers = asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result
    return str(headers["Authorization"])


def is_accepted(server: AuthorizationServer, header: str) -> bool:
    answer = httpx.get(server.resource_url, headers={"Authorization": header}, trust_env=False)
    return answer.status_code == 200


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=Path(__file__).parents[1],
        check=False,
    )


# -- fork


class _Held:
    """A request that another thread has under way until it is let go."""

    def __init__(self) -> None:
        self.under_way, self.go = threading.Event(), threading.Event()

    def __call__(self, request: Request) -> Response:
        self.under_way.set()
        assert self.go.wait(SECONDS)
        return granted("of-the-parent")


@needs_fork
@on_purpose
@pytest.mark.parametrize("held", [False, True], ids=["without a token", "while one is due"])
def test_child_forked_while_a_thread_refreshes_refreshes_on_its_own(
    twin: Twin, clock: HandClock, held: bool
) -> None:
    request = _Held()
    endpoint = Endpoint(*([granted("first")] if held else []), request)
    credentials = twin.scripted(endpoint, clock, timeout=5)
    if held:
        twin.token(credentials)
        clock.advance(3300)
    refresher = threading.Thread(target=twin.token, args=(credentials,))
    refresher.start()
    assert request.under_way.wait(SECONDS)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            ours = f"tok-{endpoint.count + 1}"
            status = 0 if twin.token(credentials) == ours else 2
        finally:
            os._exit(status)
    request.go.set()
    refresher.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert twin.token(credentials) == "of-the-parent"


# -- other processes


def _use(credentials: list[Any], headers: Any) -> None:
    headers.put([header_of(each) for each in credentials])


@by_method
def test_another_process_fetches_a_token_with_the_credentials_it_was_given(
    server: AuthorizationServer, both: list[Any], method: str
) -> None:
    context = multiprocessing.get_context(method)
    headers = context.Queue()
    process = context.Process(target=_use, args=(both, headers))  # type: ignore[attr-defined]
    process.start()
    assert all(is_accepted(server, header) for header in headers.get(timeout=SECONDS))
    process.join(SECONDS)
    assert process.exitcode == 0


@by_method
def test_pool_of_processes_uses_credentials(
    server: AuthorizationServer, both: list[Any], method: str
) -> None:
    for each in both:
        header_of(each)  # the pool starts with a token held
    with multiprocessing.get_context(method).Pool(2) as pool:
        headers = pool.map_async(header_of, both * 2).get(SECONDS)
        assert all(is_accepted(server, header) for header in headers)


@by_method
def test_executor_of_processes_uses_credentials(
    server: AuthorizationServer, both: list[Any], method: str
) -> None:
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        headers = list(pool.map(header_of, both * 2, timeout=SECONDS))
    assert all(is_accepted(server, header) for header in headers)


def test_executor_of_threads_shares_one_token(credentials: Any, twin: Twin) -> None:
    with ThreadPoolExecutor(4) as pool:
        headers = set(pool.map(header_of, [credentials] * 16, timeout=SECONDS))
    # Each call of the asynchronous twin runs in a loop of its own, with a request of its own.
    assert len(headers) == 1 or (twin.asynchronous and len(headers) <= 4)


# -- pickle and copy


def test_unpickled_credentials_fetch_a_token(server: AuthorizationServer, credentials: Any) -> None:
    assert is_accepted(server, header_of(pickle.loads(pickle.dumps(credentials))))


def test_cloudpickle_carries_a_lambda_that_gives_the_secret(
    server: AuthorizationServer, twin: Twin
) -> None:
    secret = SECRET
    credentials = twin.make(server.token_url, "the-client", lambda: secret)
    carried = cloudpickle.loads(cloudpickle.dumps(credentials))
    assert is_accepted(server, header_of(carried))


def test_cloudpickle_carries_a_lambda_that_makes_the_client(
    server: AuthorizationServer, twin: Twin
) -> None:
    make = lambda: httpx.Client(trust_env=False)  # noqa: E731  # it is what is tested
    credentials = twin.make(server.token_url, "the-client", SECRET, client=make)
    carried = cloudpickle.loads(cloudpickle.dumps(credentials))
    assert is_accepted(server, header_of(carried))


def test_deep_copy_made_while_a_thread_refreshes_has_a_life_of_its_own(
    twin: Twin, clock: HandClock
) -> None:
    request = _Held()
    credentials = twin.scripted(Endpoint(request), clock)
    refresher = threading.Thread(target=twin.token, args=(credentials,))
    refresher.start()
    assert request.under_way.wait(SECONDS)
    other = copy.deepcopy(credentials)
    other._begin(clock.clock)
    endpoint = Endpoint(granted("of-the-copy"))
    other._send = endpoint.send_in_loop if twin.asynchronous else endpoint.send
    assert twin.token(other) == "of-the-copy"
    request.go.set()
    refresher.join()
    assert twin.token(credentials) == "of-the-parent"


# -- the end of the interpreter


AT_EXIT = """
import asyncio, sys, threading, time
from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials

def use_synchronous():
    credentials = OAuth2ClientCredentials({url!r}, "the-client", {secret!r})
    while True:
        credentials.get_headers()
        credentials.close()
        used.set()

async def use_in_loop():
    credentials = AsyncOAuth2ClientCredentials({url!r}, "the-client", {secret!r})
    while True:
        await credentials.get_headers()
        await credentials.aclose()
        used.set()

def use():
    try:
        use_synchronous() if {name!r} == "sync" else asyncio.run(use_in_loop())
    except RuntimeError as error:  # asyncio itself, whose loop cannot go on
        if "shutdown" not in str(error):
            raise

used = threading.Event()
threading.Thread(target=use, daemon=True).start()
assert used.wait({seconds})
time.sleep({after})
"""


@pytest.mark.parametrize("after", [0.0, 0.001, 0.002, 0.003])
def test_daemon_thread_that_uses_credentials_does_not_disturb_the_end(
    server: AuthorizationServer, twin: Twin, after: float
) -> None:
    script = AT_EXIT.format(
        url=server.token_url, secret=SECRET, name=twin.name, seconds=SECONDS, after=after
    )
    ended = python("-c", script)
    assert (ended.returncode, ended.stderr) == (0, "")


WHEN_ALL_IS_GONE = """
import builtins
from pygen_auth import OAuth2ClientCredentials, OAuth2Error

class Uploader:
    def __init__(self):
        self.credentials = OAuth2ClientCredentials({url!r}, "the-client", {secret!r})

    def __del__(self):
        try:
            self.credentials.get_headers()
        except OAuth2Error:
            pass
        print("uploaded", flush=True)

builtins.uploader = Uploader()  # what lives there goes last
"""


def test_object_that_uses_credentials_when_it_goes_last_does_not_keep_the_process(
    server: AuthorizationServer,
) -> None:
    """Up to Python 3.11 a thread can be started then, is waited for, and never runs."""
    ended = python("-c", WHEN_ALL_IS_GONE.format(url=server.token_url, secret=SECRET))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "uploaded\n", "")


# -- Ctrl-C


@pytest.mark.parametrize("state", ["none", "due"])
def test_ctrl_c_at_any_moment_leaves_the_credentials_usable(twin: Twin, state: str) -> None:
    """At most one call is lost, where the lock is in nobody's hands; see `_acquire`."""
    ended = python("-W", "ignore::RuntimeWarning", "-m", "tests.interrupted", twin.name, state)
    assert ended.returncode == 0, ended.stderr
    (moments,) = re.findall(r"^(\d+) moments", ended.stdout)
    assert int(moments) >= 30  # CPython 3.13.0 does not trace all that it should
