"""The commands at a terminal: a real one (a pseudo-terminal), and one in this process."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ

import pytest

from pygen_auth.__main__ import main
from pygen_auth.testing import Answer, AuthorizationServer

from ..diagnosis.support import claims, issues, jwt
from .conftest import SECRET

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE = 60.0  # seconds for what takes one or two on a machine with nothing else to do


class Terminal:
    """A program on a pseudo-terminal of 60 columns."""

    def __init__(self, command: list[str], **variables: str) -> None:
        self._main, child = pty.openpty()
        ioctl(child, TIOCSWINSZ, pack("HHHH", 24, 60, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
        environ = {**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **variables}
        self._process = subprocess.Popen(
            command, stdin=child, stdout=child, stderr=child, env=environ, start_new_session=True
        )
        os.close(child)
        self.output = ""

    @property
    def text(self) -> str:
        """Without colours, and without what was taken back."""
        return ESCAPE.sub("", self.output)

    def read(self) -> bool:
        """A piece of output; False where there is no more."""
        if not select.select([self._main], [], [], PATIENCE)[0]:
            raise AssertionError(self.output)
        try:
            piece = os.read(self._main, 65_536)
        except OSError:  # Linux: the other side is closed
            return False
        self.output += piece.decode("utf-8", "replace")
        return bool(piece)

    def wait_for(self, text: str) -> None:
        while text not in self.text:
            assert self.read(), self.output

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())

    def end(self) -> int:
        while self.read():
            pass
        return self._process.wait(PATIENCE)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._main)


@contextmanager
def terminal(*arguments: str, **variables: str) -> Iterator[Terminal]:
    opened = Terminal([sys.executable, "-m", "pygen_auth", *arguments], **variables)
    try:
        yield opened
    finally:
        opened.close()


def test_check_on_a_terminal_is_coloured_and_fits_its_width(
    at: list[str], server: AuthorizationServer
) -> None:
    server.override = Answer(401, {}, {"error": "invalid_client"})
    with terminal("check", *at, IDP_CLIENT_SECRET=SECRET) as screen:
        assert screen.end() == 1
        lines = screen.text.replace("\r\n", "\n").split("\n")
    assert "\x1b[32m✓\x1b[0m" in screen.output
    assert "\x1b[1;31m✗\x1b[0m" in screen.output
    assert max(len(line.rpartition("\r")[2].rstrip()) for line in lines) <= 60
    assert SECRET not in screen.output


def test_no_color(at: list[str]) -> None:
    with terminal("check", *at, IDP_CLIENT_SECRET=SECRET, NO_COLOR="1") as screen:
        assert screen.end() == 0
    assert not re.search(r"\x1b\[[0-9;]*3\d", screen.output)
    assert "✓ settings" in screen.text


def test_a_step_that_takes_its_time_is_shown_while_it_runs(
    at: list[str], server: AuthorizationServer
) -> None:
    server.delay = 2.0
    with terminal("check", *at, IDP_CLIENT_SECRET=SECRET) as screen:
        screen.wait_for("token request …")
        assert "✓ token request" not in screen.text
        assert screen.end() == 0
        assert "✓ token request" in screen.text


def test_secret_is_asked_for_and_not_echoed(at: list[str]) -> None:
    with terminal("check", *at) as screen:
        screen.wait_for("client secret (not shown): ")
        time.sleep(0.1)  # getpass switches the echo off just before it asks
        screen.type(f"{SECRET}\n")
        assert screen.end() == 0
    assert "all well" in screen.text
    assert SECRET not in screen.output


def test_ctrl_c_leaves_no_traceback(at: list[str], server: AuthorizationServer) -> None:
    server.delay = 30.0
    with terminal("check", *at, IDP_CLIENT_SECRET=SECRET) as screen:
        screen.wait_for("token request …")
        screen.interrupt()
        assert screen.end() == 130
    assert "Traceback" not in screen.text


def test_a_token_on_a_terminal_comes_with_a_warning(at: list[str]) -> None:
    with terminal("token", *at, "--bare", IDP_CLIENT_SECRET=SECRET) as screen:
        assert screen.end() == 0
    assert "Whoever sees this token can use it until it expires." in screen.text


def test_a_token_in_a_pipe_comes_alone(at: list[str], server: AuthorizationServer) -> None:
    token = jwt(**claims())
    issues(server, token)
    command = [sys.executable, "-m", "pygen_auth", "token", *at, "--bare"]
    environ = {**os.environ, "IDP_CLIENT_SECRET": SECRET}
    ran = subprocess.run(command, capture_output=True, text=True, env=environ)
    assert (ran.stdout, ran.stderr) == (f"{token}\n", "")


def test_a_reader_who_leaves_ends_it_without_a_traceback(at: list[str]) -> None:
    shell = f"{sys.executable} -m pygen_auth check {' '.join(at)} | head -1"
    environ = {**os.environ, "IDP_CLIENT_SECRET": SECRET}
    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, env=environ)
    assert ran.stdout.startswith("✓ settings")
    assert ran.stderr == ""


@pytest.mark.parametrize("arguments", [["--help"], ["token", "--bare"]])
def test_a_reader_who_has_left_is_no_error(at: list[str], arguments: list[str]) -> None:
    more = at if "token" in arguments else []
    command = [sys.executable, "-m", "pygen_auth", *arguments, *more]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as out:
        ran = subprocess.run(
            command, stdout=out, stderr=subprocess.PIPE, env={**kept, "IDP_CLIENT_SECRET": SECRET}
        )
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_ctrl_d_at_the_prompt(at: list[str]) -> None:
    with terminal("token", *at) as screen:
        screen.wait_for("client secret (not shown): ")
        time.sleep(0.1)
        screen.type("\x04")
        assert screen.end() == 2
    assert "client_secret is missing" in screen.text
    assert "Traceback" not in screen.text


def test_providers_fit_the_width_of_the_terminal() -> None:
    with terminal("providers") as screen:
        assert screen.end() == 0
    assert max(map(len, screen.text.splitlines())) <= 60


def test_what_a_server_says_can_be_copied_whole(server: AuthorizationServer) -> None:
    issuer = f"{server.url}/{'tenant-' * 10}"
    server.documents[f"/.well-known/oauth-authorization-server/{'tenant-' * 10}"] = Answer(
        body={"issuer": issuer, "token_endpoint": f"{issuer}/oauth2/token"}
    )
    with terminal("discover", issuer) as screen:
        assert screen.end() == 0
    assert f"token endpoint   {issuer}/oauth2/token\n" in screen.text.replace("\r", "")


def test_long_options_of_a_provider_are_not_cut() -> None:
    with terminal("providers") as screen:
        assert screen.end() == 0
    assert "[--authorization-serv" in screen.text
    assert "[--authorization-serv…" not in screen.text


# -- in this process


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, *arguments: str, columns: str = "60") -> str:
    """What both outputs show."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("IDP_CLIENT_SECRET", SECRET)
    both = Screen()
    monkeypatch.setattr(sys, "stdout", both)
    monkeypatch.setattr(sys, "stderr", both)
    assert main(list(arguments)) == 0
    return both.getvalue()


def test_check_and_its_progress(monkeypatch: pytest.MonkeyPatch, at: list[str]) -> None:
    text = shown(monkeypatch, "check", *at, "--scopes", "a-scope " * 20)
    lines = ESCAPE.sub("", text).split("\n")
    assert "token request …" in text
    assert max(len(line.rpartition("\r")[2].rstrip()) for line in lines) <= 60


def test_narrow_terminal_shows_all(monkeypatch: pytest.MonkeyPatch, at: list[str]) -> None:
    text = ESCAPE.sub("", shown(monkeypatch, "check", *at, columns="20"))
    assert re.search(r"✓ connection +\d", text)  # not broken by the narrow width
    assert "127.0.0.1 port" in text


def test_file_is_no_terminal_where_colour_is_forced(
    monkeypatch: pytest.MonkeyPatch, at: list[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(Screen, "isatty", lambda self: False)
    text = shown(monkeypatch, "check", *at, "--scopes", "a-scope " * 20)
    assert "\x1b[32m✓\x1b[0m" in text
    assert max(map(len, text.splitlines())) > 160
    assert "…" not in text.replace("my-c…", "")


def test_json_on_a_terminal(monkeypatch: pytest.MonkeyPatch, at: list[str]) -> None:
    assert '"ok": true' in shown(monkeypatch, "check", *at, "--json")


def test_warning_of_a_token(monkeypatch: pytest.MonkeyPatch, at: list[str]) -> None:
    assert "Whoever sees this token" in shown(monkeypatch, "token", *at, "--bare")


def test_table(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cognite_entra" in shown(monkeypatch, "providers")
