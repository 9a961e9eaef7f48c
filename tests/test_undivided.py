"""What a fork and the end of the program wait for: work of threads that a child does not have."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pygen_auth import _undivided
from pygen_auth._clients import Connection, _reading, _ssl_context
from pygen_auth._undivided import Undivided
from pygen_auth.testing import AuthorizationServer

from .support import is_free

SECONDS = 60  # for what takes one; the machine may be busy

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        running.add_client("the-client", "sesame-street")
        yield running


FORKS_WHILE_IMPORTING = """
import os, sys, threading, time, warnings
from pygen_auth import OAuth2ClientCredentials
from pygen_auth.stores import MemoryTokenStore

warnings.simplefilter("ignore")  # of forks with threads
url, module, with_store = sys.argv[1:]
halfway = threading.Event()


class SlowDisk:
    def find_spec(self, name, path=None, target=None):
        if name == module and not halfway.is_set():
            halfway.set()
            time.sleep(0.3)


sys.meta_path.insert(0, SlowDisk())
credentials = OAuth2ClientCredentials(
    url, "the-client", "sesame-street", timeout=4, store=MemoryTokenStore() if with_store else None
)
thread = threading.Thread(target=credentials.get_headers)
thread.start()
assert halfway.wait(30)
child = os.fork()
if not child:
    credentials.get_headers()
    print("the child has a token", flush=True)
    os._exit(0)
thread.join()
os.waitpid(child, 0)
"""


@needs_fork
@pytest.mark.parametrize(
    ("module", "store"),
    [("httpcore._models", ""), ("joserfc._rfc7516.compact", "store"), ("httpx._models", "")],
)
def test_child_forked_while_a_thread_imports_is_none_the_worse(
    server: AuthorizationServer, module: str, store: str
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FORKS_WHILE_IMPORTING, server.token_url, module, store],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert (run.stdout, run.stderr) == ("the child has a token\n", "")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Undivided]:
    """Work that another thread is at."""
    monkeypatch.setattr(_undivided, "_all", [])
    work, at_it, go = Undivided(), threading.Event(), threading.Event()

    def do() -> None:
        with work.alone():
            at_it.set()
            assert go.wait(SECONDS)

    thread = threading.Thread(target=do)
    thread.start()
    assert at_it.wait(SECONDS)
    yield work
    go.set()
    thread.join()


@pytest.mark.usefixtures("work")
def test_neither_fork_nor_end_waits_for_work_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.monotonic()
    monkeypatch.setattr(_undivided, "LONGEST_END", 0.01)
    _undivided._let_all_end()
    _undivided._take_all(0.01)
    _undivided._give_all_back()
    assert time.monotonic() - before < SECONDS


def test_what_a_fork_waited_for_in_vain_can_be_done_in_the_child(work: Undivided) -> None:
    _undivided._renew_locks_in_child()
    with work.alone():
        pass


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Undivided:
    """Work that nobody is at."""
    monkeypatch.setattr(_undivided, "_all", [])
    return Undivided()


def test_who_is_at_it_and_forks_does_not_wait_for_itself(idle: Undivided) -> None:
    before = time.monotonic()
    with idle.alone():
        _undivided._take_all(SECONDS)
        _undivided._give_all_back()
    assert time.monotonic() - before < SECONDS
    assert is_free(idle._lock)


def test_nobody_begins_while_the_process_forks(idle: Undivided) -> None:
    _undivided._take_all()
    assert not is_free(idle._lock)
    _undivided._give_all_back()
    assert is_free(idle._lock)


def test_ca_files_can_be_read_after_a_fork_and_while_the_process_ends() -> None:
    assert _reading in _undivided._all
    _undivided._let_all_end()
    assert isinstance(_ssl_context(Connection()), ssl.SSLContext)
