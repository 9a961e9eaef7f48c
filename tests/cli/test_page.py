"""docs/command-line.md says what the commands are, what they take, and what they show."""

from __future__ import annotations

import re

import pytest

from docs.website.options import HEAD, PAGE, SETTINGS, commands, written
from pygen_auth.diagnosis._report import STEPS
from pygen_auth.testing import Answer, AuthorizationServer

from .conftest import Run

TEXT = PAGE.read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (\w[^\n]*)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))


def test_each_command_has_its_section() -> None:
    assert set(SECTIONS) == {*commands(), SETTINGS}


def test_options_are_as_the_parser_has_them() -> None:
    assert written(TEXT) == TEXT, "make docs writes them"


def test_option_that_is_not_on_the_page_is_written() -> None:
    row = "| `--bare` | the token alone |\n"
    assert written(TEXT.replace(row, "")) == TEXT
    assert written(TEXT.replace(row, row.replace("alone", "and more"))) == TEXT


@pytest.mark.parametrize("tables", ["", f"{HEAD}\n{HEAD}"])
def test_section_with_options_has_one_table(tables: str) -> None:
    with pytest.raises(ValueError, match="token: "):
        written(TEXT.replace(SECTIONS["token"], tables))


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
    block = re.findall(r"^```console\n\$ pygen-auth (.*?)\n(.+?)```", TEXT, re.M | re.S)[0]
    with AuthorizationServer() as server:
        server.override = Answer(401, {}, {"error": "invalid_client"})
        arguments = block[0].replace("http://127.0.0.1:8080", server.url).split()
        ran = run(*arguments)
    assert ran.status == 1
    assert plain(ran.out) == plain(block[1])
