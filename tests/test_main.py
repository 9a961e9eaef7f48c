"""The command line, and the demo: once in full, else in a second and with what can go wrong."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pygen_auth import Token, __version__, _demo
from pygen_auth.__main__ import main
from pygen_auth._clock import Instant
from pygen_auth._demo import Script
from pygen_auth.testing import Answer, AuthorizationServer

DEMO = [sys.executable, "-m", "pygen_auth", "demo"]
SHORT = Script(
    lifetime=30,
    refused_at=0.3,
    slow_at=0.4,
    slow_by=0.1,
    down_at=0.5,
    down_until=0.6,
    end=1.6,
    callers=2,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def play(script: Script, out: io.StringIO | None = None) -> tuple[int, str]:
    out = out or io.StringIO()
    return _demo.run(script, out), out.getvalue()


def rendered(output: str) -> list[str]:
    """The lines a terminal shows: what follows a carriage return is written over the line."""
    lines = []
    for line in output.split("\n"):
        shown = ""
        for text in line.split("\r"):
            shown = text + shown[len(text) :]
        lines.append(shown.rstrip())
    return lines


def figure(name: str, output: str) -> int:
    """The number that the summary gives under that name."""
    match = re.search(rf"^{re.escape(name)}: (\d+)", output, re.MULTILINE)
    assert match, output
    return int(match[1])


# The command line


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])

    assert end.value.code == 0
    assert capsys.readouterr().out == f"pygen-auth {__version__}\n"


def test_without_a_command_it_prints_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2

    assert "demo" in capsys.readouterr().out


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["dance"])

    assert end.value.code == 2
    assert "dance" in capsys.readouterr().err


def test_reads_the_arguments_of_the_process_and_ends_with_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pygen-auth"])
    monkeypatch.delitem(sys.modules, "pygen_auth.__main__")
    # pytest's own importer, by which it imports what is installed with a plugin, runs no module.
    importers = [each for each in sys.meta_path if type(each).__name__ != "AssertionRewritingHook"]
    monkeypatch.setattr(sys, "meta_path", importers)

    with pytest.raises(SystemExit) as end:
        runpy.run_module("pygen_auth", run_name="__main__")

    assert end.value.code == 2
    assert capsys.readouterr().out.startswith("usage: pygen-auth")


@pytest.mark.parametrize("status", [0, 1])
def test_the_status_is_that_of_the_demo(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_demo, "run", lambda script, out: status)

    assert main(["demo"]) == status


def test_ctrl_c_ends_the_demo_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(script: Script, out: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(_demo, "run", interrupted)

    assert main(["demo"]) == 130


def test_a_reader_who_has_left_ends_the_demo_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(script: Script, out: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(_demo, "run", broken)
    with (tmp_path / "stdout").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)

        assert main(["demo"]) == 1


def failing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have the demo fail with this error of the operating system."""

    def fails(script: Script, out: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_demo, "run", fails)


def test_a_disk_that_is_full_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, errno.ENOSPC)
    with (tmp_path / "stdout").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)

        assert main(["demo"]) == 1

    assert capsys.readouterr().err == "pygen-auth: No space left on device\n"


def test_another_error_of_the_system_is_a_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing(monkeypatch, errno.EPERM)

    with pytest.raises(PermissionError):
        main(["demo"])


def test_ctrl_c_leaves_no_traceback() -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        for line in demo.stdout:
            if "obtained" in line:  # so the callers are at work
                break
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate(timeout=20)

    assert demo.returncode == 130
    assert errors == "\n"


def test_a_reader_who_leaves_ends_the_demo_without_a_traceback() -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        assert demo.stdout.readline()
        demo.stdout.close()
        assert demo.stderr
        errors = demo.stderr.read()

    assert demo.returncode == 1
    assert errors == ""


def test_help_loads_neither_a_server_nor_asyncio() -> None:
    code = (
        "import sys; from pygen_auth.__main__ import main; main([]);"
        "sys.exit('pygen_auth._demo' in sys.modules or 'pygen_auth.testing' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


# The demo


def test_the_whole_demo_loses_no_call() -> None:
    began = time.monotonic()
    demo = subprocess.run(DEMO, capture_output=True, text=True, timeout=30)

    assert (demo.returncode, demo.stderr) == (0, ""), demo.stdout
    assert time.monotonic() - began < 20
    assert "calls refused: 0" in demo.stdout
    assert figure("failures survived", demo.stdout) > 0
    assert figure("calls made", demo.stdout) > 100
    assert figure("calls made again after a 401", demo.stdout) > 0
    # Each kind has one at first, one after the 401, and one after it was slow.
    assert demo.stdout.count("obtained") >= 6
    assert figure("token requests made", demo.stdout) >= 6
    assert "\r" not in demo.stdout
    # Tokens and secrets of this server are 43 characters without a space.
    assert not re.search(r"[\w-]{40}", demo.stdout)


def test_shows_the_id_and_the_state_of_the_tokens_and_how_many_calls() -> None:
    status, output = play(SHORT)

    assert status == 0
    row = r"^ +\d+\.\d s +\d+   [0-9a-f]{8} (fresh|due) +[0-9a-f]{8} (fresh|due) +\d+ +\d+$"
    assert re.search(row, output, re.MULTILINE)
    assert figure("longest wait of a call", output) > 0


def test_shows_no_token_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: list[str] = []

    class Server(AuthorizationServer):
        def _answer_token_request(self, request: Any) -> Answer:
            answer = super()._answer_token_request(request)
            assert isinstance(answer.body, Mapping)
            hidden.extend([*request.fields["client_secret"], str(answer.body["access_token"])])
            return answer

    monkeypatch.setattr(_demo, "AuthorizationServer", Server)
    _, output = play(SHORT)

    assert len(hidden) >= 4
    assert not [text for text in hidden if text in output]


def test_on_a_terminal_the_status_stays_on_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    status, output = play(SHORT, Terminal())
    lines = rendered(output)

    assert status == 0
    assert output.count("fresh") > 3
    rows = [line for line in lines if re.match(r" +\d\.\d s +\d", line)]
    assert len(rows) == 1
    assert rows[0].startswith("  1.")
    assert len(rows[0]) <= 59  # at 60 it would wrap
    assert lines.index("calls refused: 0") > lines.index(rows[0])
    assert [line for line in lines if line.endswith("server:  the token endpoint is up again")]


def test_a_terminal_that_never_got_a_status_is_left_as_it_is() -> None:
    _, output = play(replace(SHORT, end=0.2), Terminal())

    assert "calls refused: 0" in rendered(output)


def test_a_failure_that_the_credentials_survive_is_counted() -> None:
    script = replace(SHORT, lifetime=3, refused_at=0, slow_at=0, slow_by=0, down_at=1)
    status, output = play(replace(script, down_until=2.2, end=2.2))

    assert status == 0
    assert figure("failures survived", output) >= 2
    assert re.search(r"threads: refresh failed; still in use: [0-9a-f]{8} due$", output, re.M)
    assert re.search(r"asyncio: refresh failed; still in use: [0-9a-f]{8} due$", output, re.M)


def test_a_lost_call_makes_the_status_1_and_says_why() -> None:
    script = replace(SHORT, lifetime=0.2, refused_at=0, slow_at=0, slow_by=0, down_at=0.1)
    # 400 is not tried again, so that the calls fail at once.
    status, output = play(replace(script, down_status=400, down_until=0.8, end=0.8))

    assert status == 1
    assert figure("calls refused", output) > 0
    assert "first error: Token request failed with status 400" in output


def test_a_caller_that_does_not_come_back_has_lost_its_call() -> None:
    script = replace(SHORT, refused_at=0, slow_at=0, slow_by=30, down_at=0.2, down_until=0.2)
    status, output = play(replace(script, end=0.3, deadline=0.5))

    assert status == 1
    assert figure("calls refused", output) > 0


def test_a_second_401_is_a_lost_call(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server(AuthorizationServer):
        def _answer_resource_call(self, request: Any) -> Answer:
            return Answer(401)

    monkeypatch.setattr(_demo, "AuthorizationServer", Server)
    status, output = play(SHORT)

    assert status == 1
    assert figure("calls refused", output) == figure("calls made", output)
    assert "401 Unauthorized" in output


def test_a_kind_of_caller_that_made_no_call_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(self: object) -> None: ...

    monkeypatch.setattr(_demo._Demo, "_run_tasks", nothing)
    status, output = play(SHORT)

    assert (status, figure("calls refused", output)) == (1, 0)


def test_the_token_in_use_is_shown_as_expired_once_it_is() -> None:
    side = _demo._Side(margin=300)
    assert str(side) == "none yet"

    now = Instant(time.time(), 0)
    side.headers(Token.bearer("abc", expires=now.after(60), lifetime=130))
    assert str(side).endswith(" due")
    side.headers(Token.bearer("abc", expires=now, lifetime=80))
    assert str(side).endswith(" expired")


def test_leaves_logging_as_it_was() -> None:
    logger = logging.getLogger("pygen_auth")
    before = (logger.level, logger.handlers.copy())

    play(replace(SHORT, refused_at=0, slow_at=0, down_at=0, down_until=0, end=0.1))

    assert (logger.level, logger.handlers) == before


def test_what_others_log_meanwhile_is_neither_counted_nor_shown() -> None:
    told: list[str] = []
    side = _demo._Side(margin=300)
    log = _demo._Log({"threads": side}, lambda who, what: told.append(f"{who} {what}"))

    def hear(thread: str, level: int, message: str) -> None:
        record = logging.LogRecord("pygen_auth", level, "", 0, message, None, None)
        record.threadName = thread
        log.emit(record)

    hear("MainThread", logging.INFO, "token 1 obtained, it lives 8 s")
    hear("threads-1", logging.WARNING, "something else")
    assert (told, side.tokens, side.failures) == ([], 0, 0)
    hear("threads-1", logging.INFO, "token 2 obtained, it lives 8 s")
    assert (told, side.tokens, side.failures) == (["threads token 2 obtained"], 1, 0)
