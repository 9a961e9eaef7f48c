"""Each line of docs/security.md names tests, and there are such tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = [
    line
    for line in (ROOT / "docs" / "security.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| He |", "| For |"))
]
NAMED = sorted({name for line in LINES for name in re.findall(r"`(test_\w+)`", line)})
FUNCTIONS = {
    node.name
    for folder in ("tests", "compat")
    for path in (ROOT / folder).rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, ast.FunctionDef)
}


def test_the_page_has_lines() -> None:
    assert len(NAMED) > 25


@pytest.mark.parametrize("name", NAMED)
def test_test_of_a_line_exists(name: str) -> None:
    assert name in FUNCTIONS


def test_each_line_about_this_library_has_its_test() -> None:
    beyond = ("changes a pickle that is loaded", "the form of a token", "signing,", "HTTP and TLS")
    without = [line for line in LINES if "`test_" not in line]
    assert [line for line in without if not any(text in line for text in beyond)] == []
