"""Servers are installed, started and stopped, and one that cannot be had is told by its name."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from . import install, process
from .conftest import REQUIRED, pytest_ignore_collect, started
from .facts import every_server
from .fleet import Fleet
from .install import UnavailableError, command_for, installed
from .process import Process

LISTENING = "print('listening on http://127.0.0.1:1', flush=True); import sys; sys.stdin.read()"
ORIZE = next(facts for facts in every_server() if facts.folder == "oauth2orize")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all the tools that there are; and nothing is installed yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(install, "CACHE", tmp_path / "cache")
    return folder


def tool(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def program(log: Path, text: str) -> Process:
    return Process((sys.executable, "-c", text), log.parent, log)


@pytest.mark.parametrize("there", ["", "node"])
def test_machine_without_node_or_npm_is_told(tools: Path, there: str) -> None:
    if there:
        tool(tools, there, "exit 0")
    missing = "npm" if there else "node"
    with pytest.raises(UnavailableError, match=f"{missing} is not on this machine"):
        installed("oauth2orize")


def test_installation_that_fails_is_told_by_its_last_words(tools: Path) -> None:
    tool(tools, "node", "exit 0")
    tool(tools, "npm", "echo one >&2; echo 'no network' >&2; exit 1")
    with pytest.raises(UnavailableError, match="npm failed: one / no network"):
        installed("oauth2orize")
    assert [path.name for path in install.CACHE.iterdir()] == [".gitignore"]


def test_installation_that_takes_too_long_is_left(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tools, "node", "exit 0")
    tool(tools, "npm", "exec /bin/sleep 60")
    monkeypatch.setattr(install, "LIMIT", 0.2)
    with pytest.raises(UnavailableError, match="npm was not done after 0 s"):
        installed("oauth2orize")


def test_server_is_installed_once(tools: Path, tmp_path: Path) -> None:
    tool(tools, "node", "exit 0")
    tool(tools, "npm", f"echo run >> {tmp_path}/runs")
    assert installed("oauth2orize") == installed("oauth2orize")
    assert (tmp_path / "runs").read_text() == "run\n"


def test_installed_program_is_that_of_today(tools: Path) -> None:
    tool(tools, "node", "exit 0")
    tool(tools, "npm", "exit 0")
    (installed("oauth2orize") / "program" / "server.mjs").write_text("old")
    place = installed("oauth2orize")
    today = install.HERE / "oauth2orize" / "server.mjs"
    assert (place / "program" / "server.mjs").read_text() == today.read_text()


def test_installed_server_without_node_is_told(tools: Path, tmp_path: Path) -> None:
    tool(tools, "node", "exit 0")
    tool(tools, "npm", "exit 0")
    place = installed("oauth2orize")
    (tools / "node").unlink()
    with pytest.raises(UnavailableError, match="node does not start: No such file"):
        Process(command_for("oauth2orize"), place, tmp_path / "log")


def test_program_that_ends_is_told_by_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="it ended with 3: no such port"):
        program(tmp_path / "log", "import sys; print('no such port'); sys.exit(3)")


def test_program_that_never_listens_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START", 1.0)
    text = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(UnavailableError, match=r"it did not listen after 1 s: \d+"):
        program(tmp_path / "log", text)
    assert_gone(int((tmp_path / "log").read_text()))


def test_program_is_stopped_twice(tmp_path: Path) -> None:
    running = program(tmp_path / "log", f"import os; print(os.getpid()); {LISTENING}")
    assert running.url == "http://127.0.0.1:1"
    running.stop()
    running.stop()
    assert_gone(int(running.written().split()[0]))


def test_program_ends_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    """As when the whole run is: nobody is left to stop it."""
    text = (
        "from pathlib import Path; from compat.servers.process import Process; import time, sys\n"
        f"Process((sys.executable, '-c', {LISTENING!r} + '; open(\"gone\", \"w\").close()'),"
        f" Path({str(tmp_path)!r}), Path({str(tmp_path / 'log')!r}))\n"
        "print('up', flush=True); time.sleep(60)"
    )
    root = install.HERE.parent.parent
    starter = subprocess.Popen([sys.executable, "-c", text], cwd=root, stdout=subprocess.PIPE)
    assert starter.stdout is not None
    with starter.stdout as said:
        assert said.readline() == b"up\n"
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    end = time.monotonic() + 10
    while not (tmp_path / "gone").exists():
        assert time.monotonic() < end, "it still runs"
        time.sleep(0.02)


def test_server_that_cannot_be_had_is_skipped_by_name(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(REQUIRED, raising=False)
    reason = "oauth2orize is not here: node is not on this machine"
    fleet = Fleet(tmp_path)
    for _ in range(2):
        with pytest.raises(pytest.skip.Exception, match=reason):
            started(fleet, ORIZE)
    assert fleet.report() == [f"oauth2orize {ORIZE.version}: not here: node is not on this machine"]


def test_server_that_is_required_is_a_failure(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="oauth2orize is not here: node is not"):
        started(Fleet(tmp_path), ORIZE)


@pytest.mark.parametrize(
    ("asked", "ignored"),
    [
        ("tests", True),
        ("compat", True),
        ("compat/servers", None),
        ("compat/servers/live/test_life.py::test_token_that_is_not_due_is_kept", None),
    ],
)
def test_live_tests_run_only_when_asked_for(asked: str, ignored: bool | None) -> None:
    invocation = SimpleNamespace(dir=install.HERE.parent.parent)
    config: Any = SimpleNamespace(args=[asked], invocation_params=invocation)
    assert pytest_ignore_collect(install.HERE / "live", config) is ignored
    assert pytest_ignore_collect(install.HERE / "test_page.py", config) is None


def assert_gone(pid: int) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
