"""What docs/errors.md has of each class of error: the tree, who means what, and the attributes.

All of it stands in the source: the tree and the texts in docstrings, of which the last paragraph
says what to do.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pygen_auth import OAuth2Error, RefusedError, _errors

PAGE = Path(__file__).parents[1] / "errors.md"
CLASSES = "| Error | means | do |\n|---|---|---|\n"
ATTRIBUTES = "| Attribute | is |\n|---|---|\n"


def tree() -> str:
    """The classes as the module draws them."""
    drawn = re.search(r"^    OAuth2Error\n(?:    \S.*\n)+", str(_errors.__doc__), re.MULTILINE)
    assert drawn, "the docstring of the errors draws no tree"
    return textwrap.dedent(drawn[0])


def classes() -> Iterator[str]:
    """A row for each class, in the order of the source."""
    for kind in vars(_errors).values():
        if OAuth2Error not in getattr(kind, "__bases__", ()):
            continue
        *meaning, todo = re.split(r"\n{2,}", inspect.cleandoc(str(kind.__doc__)))
        assert meaning, f"the docstring of {kind.__name__} does not say what to do"
        yield f"| `{kind.__name__}` | {_cell(' '.join(meaning))} | {_cell(todo)} |\n"


def attributes(kind: type[OAuth2Error]) -> Iterator[str]:
    """A row for each attribute that a class has beyond those of its base."""
    source = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(source, ast.ClassDef)
    for field, text in pairwise(source.body):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(text, ast.Expr), ast.unparse(field)
            types = ast.unparse(field.annotation).replace(" | ", " or ")
            said = _cell(ast.literal_eval(text.value))
            yield f"| `{ast.unparse(field.target)}` | {types}: {said} |\n"


def _cell(text: str) -> str:
    """A sentence of a docstring as the tables have it."""
    line = " ".join(text.split()).removesuffix(".")
    return line[0].lower() + line[1:]


def written(page: str) -> str:
    """The page with all this in its place; the rest of it is written by hand."""
    page = _replaced(page, r"(?<=```text\n)OAuth2Error\n(?:[├└].*\n)+", tree())
    page = _replaced(page, _rows_below(CLASSES), "".join(classes()))
    heads = {"On every error": OAuth2Error, "On `RefusedError` also": RefusedError}
    for opening, kind in heads.items():
        before, found, after = page.partition(f"\n{opening}")
        assert found, f"docs/errors.md does not say: {opening}"
        rows = "".join(attributes(kind))
        page = before + found + _replaced(after, _rows_below(ATTRIBUTES), rows)
    return page


def _rows_below(head: str) -> str:
    return rf"(?<={re.escape(head)})(?:\|.*\n)+"


def _replaced(page: str, pattern: str, made: str) -> str:
    text, found = re.subn(pattern, lambda _: made, page, count=1)
    assert found, f"docs/errors.md has nothing like {pattern}"
    return text
