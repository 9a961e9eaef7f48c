"""Commands, help, and what happens without the extra."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

from pygen_auth.__main__ import main
from pygen_auth._cli.parser import command_line

from .conftest import Run

COMMANDS = ["check", "token", "providers", "discover", "serve", "completion"]
MINIMAL = {"discover": ["https://auth.example.com"], "completion": ["bash"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(run: Run, command: str) -> None:
    ran = run(command, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"usage: pygen-auth {command}")
    assert f"examples:\n  pygen-auth {command}" in ran.out


def test_help_lists_the_commands(run: Run) -> None:
    ran = run("--help")
    listed = re.findall(r"^    (\w+)", ran.out, re.MULTILINE)
    assert set(listed) == {*COMMANDS, "demo"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--client-secret", "hunter2-hunter2"],
        ["--client-secret=hunter2-hunter2"],
        ["--client-secret"],
    ],
)
@pytest.mark.parametrize("command", ["check", "token"])
def test_secret_is_no_argument(run: Run, command: str, arguments: list[str]) -> None:
    ran = run(command, *arguments)
    assert ran.status == 2
    assert "a secret is no argument" in ran.err
    assert "hunter2" not in ran.out + ran.err


@pytest.mark.parametrize("arguments", [["--secret", "hunter2"], ["--client-sec=hunter2"]])
def test_arguments_that_are_not_known_are_not_shown(run: Run, arguments: list[str]) -> None:
    ran = run("check", *arguments)
    assert ran.status == 2
    assert "unrecognized arguments; see --help" in ran.err
    assert "hunter2" not in ran.err


def test_other_errors_name_the_argument(run: Run) -> None:
    ran = run("check", "--timeout", "soon")
    assert ran.status == 2
    assert "argument --timeout: invalid float value" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--key-file", "a", "--assertion-file", "b"],
        ["--client-auth", "a", "--tls-certificate", "b"],
        ["--client-secret-file", "a", "--client-secret-env", "b"],
    ],
)
def test_of_two_that_exclude_each_other_none_is_passed_over(run: Run, arguments: list[str]) -> None:
    ran = run("check", *arguments)
    assert ran.status == 2
    assert f"argument {arguments[2]}: not allowed with argument {arguments[0]}" in ran.err


@pytest.mark.parametrize("seconds", ["-5", "nan", "inf", "soon"])
def test_durations_of_serve(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line().parse_args(["serve", f"--lifetime={seconds}"])
    assert "argument --lifetime: invalid number of seconds value" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_without_the_extra_a_command_names_it(command: str) -> None:
    code = (
        "import sys; sys.modules.update(rich=None, shtab=None)\n"
        "from pygen_auth.__main__ import main\n"
        f"sys.exit(main({[command, *MINIMAL.get(command, [])]!r}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"pygen-auth {command}: this command needs the extra cli: pip install 'pygen-auth[cli]'\n"
    )


def test_without_the_extra_there_is_the_demo() -> None:
    code = (
        "import sys; sys.modules.update(rich=None, shtab=None)\n"
        "from pygen_auth import __main__, _demo\n"
        "_demo.run = lambda script, out: 0\n"
        "sys.exit(__main__.main(['demo']))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("module", "package"), [("screen", "rich.console"), ("completion", "shtab")]
)
def test_without_the_extra_a_module_names_it(
    module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, f"pygen_auth._cli.{module}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install 'pygen-auth\[cli\]'"):
        importlib.import_module(f"pygen_auth._cli.{module}")


def test_main_names_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def needs(options: object) -> int:
        raise ImportError("needs pip install 'pygen-auth[cli]'")

    monkeypatch.setitem(main.__globals__["_COMMANDS"], "check", needs)
    ran = run("check")
    assert (ran.status, ran.err) == (2, "pygen-auth check: needs pip install 'pygen-auth[cli]'\n")


def test_another_import_error_is_none_of_a_missing_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(options: object) -> int:
        raise ImportError("cannot import name 'spam'")

    monkeypatch.setitem(main.__globals__["_COMMANDS"], "demo", broken)
    with pytest.raises(ImportError, match="spam"):
        main(["demo"])


def test_help_of_a_command_loads_none_of_what_it_needs() -> None:
    code = (
        "import sys; from pygen_auth.__main__ import main\n"
        "try: main(['check', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('rich', 'shtab', 'httpx', 'asyncio')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    assert ran.returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(run: Run, shell: str) -> None:
    ran = run("completion", shell)
    assert ran.status == 0
    assert "discover" in ran.out


def test_completion_in_a_real_shell(run: Run) -> None:
    script = run("completion", "bash").out
    ask = (
        "COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMPREPLY=()\n"
        "_shtab_pygen_auth {words}; echo ${{COMPREPLY[@]}}\n"
    )
    asked = "".join(ask.format(words=words) for words in ("pygen-auth ch", "pygen-auth check --au"))
    ran = subprocess.run(["bash", "-c", script + asked], capture_output=True, text=True)
    assert ran.stdout.split("\n") == ["check", "--audience --authorization-server", ""]
