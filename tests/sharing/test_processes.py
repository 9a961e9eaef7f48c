"""One token for many processes, all of them real: one request for the first, and one for each next.

What they do when something fails is in `test_processes_fail.py`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks._server import SeparateServer
from pygen_auth import OAuth2ClientCredentials

from .conftest import CLIENT_ID, RUNS, SECRET, NewStore, Plans
from .fleet import FAILED, fleet, logged, lost
from .member import DEADLINE

FLEET = 64


def test_one_process_of_64_fetches_the_first_token(
    token_server: SeparateServer, plans: Plans, new_store: NewStore
) -> None:
    requests: Counter[int] = Counter()
    longest = 0.0
    for _ in range(RUNS or 1):
        before = token_server.token_request_count()
        with fleet(plans(FLEET, new_store())) as started:
            reports = started.go().reports()
        assert lost(reports) == []
        count = token_server.token_request_count() - before
        requests[count] += 1
        longest = max(longest, *(report.longest for report in reports))
        if count > 1:
            print(count, "requests;", logged(reports, FAILED).count(1), "processes saw it fail")
    print(f"token requests by runs: {dict(requests)}; the longest wait {longest:.2f} s")
    assert max(requests) <= 2
    assert requests[1] >= 0.99 * (RUNS or 1)


PROGRAM = """
import sys
from pygen_auth import OAuth2ClientCredentials
from pygen_auth.stores import FileTokenStore

token_url, client_id, secret, directory = sys.argv[1:]
store = FileTokenStore(directory)
print("ready", flush=True)
sys.stdin.read()
OAuth2ClientCredentials(token_url, client_id, secret, store=store).token()
"""


def test_one_of_many_programs_that_have_just_been_started_fetches_the_first_token(
    long: None, token_server: SeparateServer, tmp_path: Path
) -> None:
    # Each imports the libraries by itself, when it is first asked for a token.
    about = token_server.token_url, CLIENT_ID, SECRET, str(tmp_path / "tokens")
    with contextlib.ExitStack() as ended:
        programs = [ended.enter_context(program(*about)) for _ in range(64)]
        assert {one.stdout.readline() for one in programs if one.stdout} == {"ready\n"}
        for one in programs:
            assert one.stdin
            one.stdin.close()
        told = {one.stderr.read() for one in programs if one.stderr}
        codes = {one.wait(DEADLINE) for one in programs}
    assert (codes, told) == ({0}, {""})
    assert token_server.token_request_count() == 1


@contextlib.contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def test_each_refresh_is_one_request(
    long: None, token_server: SeparateServer, plans: Plans, new_store: NewStore
) -> None:
    token_server.ask("__setattr__", "lifetime", 10)  # due after 5 s, and 4 s for those who share
    members = plans(16, new_store(), tokens=4, resource_url=token_server.resource_url)
    with fleet(members) as started:
        reports = started.go().reports()
    assert lost(reports) == []
    assert [report.tokens for report in reports] == [reports[0].tokens] * 16
    assert token_server.token_request_count() == 4
    assert [report.refused for report in reports] == [0] * 16


def test_a_token_that_is_refused_is_replaced_once_for_all(
    token_server: SeparateServer, plans: Plans, new_store: NewStore
) -> None:
    store = new_store()
    token = OAuth2ClientCredentials(token_server.token_url, CLIENT_ID, SECRET, store=store).token()
    members = plans(16, store, tokens=2, resource_url=token_server.resource_url)
    with fleet(members) as started:
        assert set(started.go().wait_for_step()) == {token.fingerprint}
        token_server.ask("revoke", token.access_token)
        reports = started.reports()
    assert lost(reports) == []
    assert len({report.tokens[1] for report in reports}) == 1
    assert token_server.token_request_count() == 2
