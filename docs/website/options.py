"""The tables of docs/command-line.md, made of the parser of the command line.

A table stands where the page has one, in the section of its command. What `check` and `token` have
in common stands once, in a section of its own.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from pygen_auth._cli.parser import command_line

PAGE = Path(__file__).parents[1] / "command-line.md"
SETTINGS = "Where the settings come from"
HEAD = "| Option | is |\n|---|---|\n"

_SECTION = re.compile(r"^## (\w[^\n]*)\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(rf"^{re.escape(HEAD)}(?:\|[^\n]*\n)*", re.MULTILINE)

Row = tuple[str, str]
"""An option with what it takes, and its help."""


def commands() -> dict[str, argparse.ArgumentParser]:
    """By name."""
    kind = argparse._SubParsersAction
    actions = command_line()._actions
    return dict(next(action for action in actions if isinstance(action, kind)).choices)


def sections() -> dict[str, list[Row]]:
    """The options of each section of the page."""
    all_of = {name: list(_options(command)) for name, command in commands().items()}
    common = [row for row in all_of["check"] if row in all_of["token"]]
    own = {name: [row for row in all_of[name] if row not in common] for name in ("check", "token")}
    return {**all_of, **own, SETTINGS: common}


def _options(command: argparse.ArgumentParser) -> Iterator[Row]:
    for action in command._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
            continue
        name = ", ".join(action.option_strings) or action.dest
        value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 else ""
        # Before 3.13, argparse adds the default to what BooleanOptionalAction says.
        help_ = str(action.help).replace(" (default: %(default)s)", "")
        yield (f"{name}{value}" if action.option_strings else name), help_


def written(page: str) -> str:
    """The page with the tables as they should be.

    Raises:
        ValueError: a command has options, and its section no table, or two of them.
    """
    options = sections()

    def section(match: re.Match[str]) -> str:
        rows = options[match[1]]
        table = HEAD + "".join(f"| `{option}` | {help_} |\n" for option, help_ in rows)
        text, tables = _TABLE.subn(lambda _: table, match[0])
        if tables != bool(rows):
            raise ValueError(f"{match[1]}: {tables} tables that begin with {HEAD.splitlines()[0]}")
        return text

    return _SECTION.sub(section, page)
