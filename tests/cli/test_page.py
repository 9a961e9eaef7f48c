"""docs/command-line.md says what the commands are, what they take, and what they show."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygen_auth._cli.parser import command_line
from pygen_auth.diagnosis._report import STEPS
from pygen_auth.testing import Answer, AuthorizationServer

from ..diagnosis.conftest import tells_time
from .conftest import Run

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (\w[^\n]*)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
SETTINGS = "Where the settings come from"


def commands() -> dict[str, argparse.ArgumentParser]:
    kind = argparse._SubParsersAction
    actions = command_line()._actions
    return dict(next(action for action in actions if isinstance(action, kind)).choices)


def options(command: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Each with its help, as the page lists them."""
    for action in command._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
            continue
        name = ", ".join(action.option_strings) or action.dest
        value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 else ""
        # Before 3.13, argparse adds the default to what BooleanOptionalAction says.
        help_ = str(action.help).replace(" (default: %(default)s)", "")
        yield (f"{name}{value}" if action.option_strings else name), help_


def listed(section: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `(-[^`]+|\w+)` \| (.*) \|$", SECTIONS[section], re.MULTILINE)


def test_each_command_has_its_section() -> None:
    assert set(SECTIONS) == {*commands(), SETTINGS}


@pytest.mark.parametrize("name", ["check", "token"])
def test_options_of_commands_with_settings_are_listed(name: str) -> None:
    assert [*listed(name), *listed(SETTINGS)] == list(options(commands()[name]))


@pytest.mark.parametrize("name", ["providers", "discover", "serve", "demo", "completion"])
def test_options_are_listed(name: str) -> None:
    assert listed(name) == list(options(commands()[name]))


def test_steps_are_listed() -> None:
    steps = re.findall(r"^\| (?!Step|Option)([a-z][a-z ]+) \| ", SECTIONS["check"], re.MULTILINE)
    assert steps == list(STEPS)


def plain(text: str) -> list[str]:
    """Without what differs from run to run."""
    text = re.sub(r" *\d+ ms", " … ms", text)
    text = re.sub(r"127\.0\.0\.1(:| port )\d+", "127.0.0.1:…", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", text)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_check_shows_what_the_page_shows(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_CLIENT_SECRET", "of another client")
    block = re.findall(r"^```console\n\$ pygen-auth (.*?)\n(.+?)```", PAGE, re.M | re.S)[0]
    with AuthorizationServer() as server:
        tells_time(server)
        server.override = Answer(401, {}, {"error": "invalid_client"})
        arguments = block[0].replace("http://127.0.0.1:8080", server.url).split()
        ran = run(*arguments)
    assert ran.status == 1
    assert plain(ran.out) == plain(block[1])
