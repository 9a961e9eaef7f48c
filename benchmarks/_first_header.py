"""A cold process to its first header over TLS, against httpx with that one request alone."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import certifi

from pygen_auth.testing import AuthorizationServer

from ._cold_process import ALONE, Start, cold_environment, cpu_ms, in_turns, wall_ms
from ._result import Figure, Goal, Result, best_run

ROUNDS = 25
GOAL = Goal("at most", 1.15, "×")
"""Of the time that goes by on two processors, where CA files are read while httpx is imported."""
GUARD = Goal("at most", 1.3, "×")
"""Of time of processors, which is 1.2 whatever else the machine does; who imports more is beyond.
The time that goes by had 1.04 and 1.49 in two runs, on processors that others used, too; it is
judged by `peers/_start.py`, on a quiet machine."""

BARE, HTTPX, OURS = "bare Python", "httpx with one request", "pygen-auth"

PROGRAMS = {
    BARE: "",
    HTTPX: """
import httpx

form = {"grant_type": "client_credentials", "client_id": "benchmark", "client_secret": "secret"}
with httpx.Client() as client:
    answer = client.post("TOKEN_URL", data=form).raise_for_status().json()
header = {"Authorization": f"Bearer {answer['access_token']}"}
""",
    OURS: """
from pygen_auth import OAuth2ClientCredentials

header = OAuth2ClientCredentials("TOKEN_URL", "benchmark", "secret").get_headers()
""",
}
"""As a user writes them; `TOKEN_URL` is put in."""


def results() -> list[Result]:
    """The goal of a program that needs a header at once, and then ends or goes on."""
    with AuthorizationServer(tls=True) as server:
        assert server.ca_file is not None
        server.add_client("benchmark", "secret")
        programs = {
            name: ALONE + program.replace("TOKEN_URL", server.token_url)
            for name, program in PROGRAMS.items()
        }
        with trusting(server.ca_file) as environment:
            return [
                best_run("first header / httpx alone", GUARD, lambda: _time(programs, environment))
            ]


def _time(programs: Mapping[str, str], environment: Mapping[str, str]) -> Figure:
    starts = in_turns(programs, environment, [*programs] * ROUNDS)
    return _against_httpx(starts)


def _against_httpx(starts: Mapping[str, list[Start]]) -> Figure:
    """Time of processors until the header, both without the bare start of Python."""
    bare, httpx, ours = (cpu_ms(starts[name]) for name in (BARE, HTTPX, OURS))
    wall = [wall_ms(starts[name]) - wall_ms(starts[BARE]) for name in (OURS, HTTPX)]
    detail = (
        f"{ours - bare:.0f} ms / {httpx - bare:.0f} ms of processors over bare Python, "
        f"in {wall[0]:.0f} / {wall[1]:.0f} ms"
    )
    return Figure((ours - bare) / (httpx - bare), detail)


@contextlib.contextmanager
def trusting(ca_file: str) -> Iterator[dict[str, str]]:
    """The environment of processes that trust this CA beside those that certifi lists.

    A program on the internet reads that whole list, which takes it 18 ms; with the one CA of a test
    these would be missing.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "ca.pem")
        file.write_text(f"{certifi.contents()}\n{Path(ca_file).read_text('ascii')}", "ascii")
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        with cold_environment(**dict.fromkeys(names, str(file))) as environment:
            yield environment
