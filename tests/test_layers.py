"""Imports go one way, and each foreign library has its place. Read from the source, not run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "pygen_auth"
SOURCE = Path(__file__).parents[1] / "src" / PACKAGE
FILES = sorted(SOURCE.rglob("*.py"))
by_file = pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.relative_to(SOURCE).as_posix()) for path in FILES]
)

LAYERS = [
    {"_version"},
    {"_errors", "_wire", "_clock", "_aadsts"},
    {"_token", "_assertion", "_checks", "_worker", "_undivided"}
    | {"_hints", "_steps", "_store_calls"},
    {"_client_secret"},
    {"client_auth", "events"},
    {"_grant", "_provider", "_ways", "_sealed_token"},
    {"_entra"},
    {"providers"},
    {"_clients", "_refusal", "_body", "_sources", "_sealing"},
    {"_protocol", "_http"},
    {"_metadata"},
    {"_discovery", "_keywords"},
    {"_interface"},
    {"stores"},
    {"_settings"},
    {"_keeper", "_token_credentials"},
    {"_attempts"},
    {"_sharing"},
    {"_credentials", "_async_credentials"},
    {"diagnosis"},
    {"_diagnose"},
    {"__init__"},
    {"testing", "auth"},
    {"_demo", "_cli"},
    {"__main__"},
]
"""A module may import from those above it, and from no other of its own layer."""

FOREIGN = {
    "certifi": {"_clients"},
    "authlib": {"_protocol", "_metadata", "testing"},
    "cryptography": {"_assertion", "_sealing", "diagnosis"},
    "filelock": {"stores"},
    "joserfc": {"_assertion", "_sealing", "testing"},
    "httpcore": {"_clients"},
    "httpx": {"_clients", "_demo", "auth", "testing"},
    "httpx2": {"auth"},
    "platformdirs": {"stores"},
    "requests": {"auth"},
    "rich": {"_cli"},
    "shtab": {"_cli"},
    "tomli": {"_cli"},
    "trustme": {"testing"},
    "yaml": {"_sources", "_cli"},
}
"""Who may import what is neither ours nor the standard library's."""

LONGEST_FUNCTION = 40  # lines
LONGEST_FILE = 300  # lines


def unit(path: Path) -> str:
    """The module of ours that a file belongs to; a package counts as one."""
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else path.stem


UNITS = {unit(path) for path in FILES}


def layer(name: str) -> int:
    return next(number for number, names in enumerate(LAYERS) if name in names)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path, node: ast.AST) -> Iterator[str]:
    """The full name of each module, or name in a module, that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = [PACKAGE, *path.relative_to(SOURCE).parent.parts]
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield from (f"{module}.{alias.name}" for alias in node.names)


def imports(path: Path) -> set[str]:
    return {name for node in ast.walk(tree(path)) for name in imported(path, node)}


def ours(path: Path) -> set[str]:
    """The modules of ours that a file imports; a public name counts as the package's own."""
    names = [name.split(".") for name in imports(path) if name.split(".")[0] == PACKAGE]
    return {parts[1] if parts[1:] and parts[1] in UNITS else "__init__" for parts in names} - {
        unit(path)
    }


def foreign(path: Path) -> set[str]:
    tops = {name.partition(".")[0] for name in imports(path)}
    return tops - {PACKAGE, "tomllib"} - set(sys.stdlib_module_names)  # tomllib: from 3.11 on


def test_there_are_modules_to_look_at() -> None:
    assert {"__init__", "_errors", "_protocol", "_credentials"} <= UNITS


def test_each_module_has_its_layer_and_each_layer_its_modules() -> None:
    assert set.union(*LAYERS) == UNITS


@by_file
def test_a_module_imports_only_from_the_layers_below(path: Path) -> None:
    assert {name for name in ours(path) if layer(name) >= layer(unit(path))} == set()


ABOUT_OURS = {"__init__.py", "_clock.py", "_static.py", "_store_contract.py"}
"""Of `testing`: what is about something of the library's. The server is not."""


@pytest.mark.parametrize(
    "path", [path for path in FILES if unit(path) == "testing" and path.name not in ABOUT_OURS]
)
def test_the_testing_server_is_code_that_is_not_the_librarys(path: Path) -> None:
    assert ours(path) == set()


FOR_EVERY_PROGRAM = {"__init__", "providers", "client_auth", "diagnosis", "testing"}


@pytest.mark.parametrize("path", [path for path in FILES if unit(path) == "_cli"])
def test_the_command_line_uses_what_every_program_can_use(path: Path) -> None:
    assert ours(path) <= FOR_EVERY_PROGRAM


@by_file
def test_a_foreign_library_is_imported_only_where_it_belongs(path: Path) -> None:
    assert {name for name in foreign(path) if unit(path) not in FOREIGN.get(name, ())} == set()


@pytest.mark.parametrize("library", FOREIGN)
def test_each_place_of_a_foreign_library_uses_it(library: str) -> None:
    assert {unit(path) for path in FILES if library in foreign(path)} == FOREIGN[library]


@pytest.mark.parametrize("path", [path for path in FILES if unit(path) not in ("_demo", "auth")])
def test_httpx_is_imported_only_when_it_is_used(path: Path) -> None:
    inside = {
        inner
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    }
    at_import = {
        (name, node.lineno)
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in imported(path, node)
        if name.partition(".")[0] == "httpx"
    }
    allowed = {node.lineno for node in inside}
    assert {name for name, line in at_import if line not in allowed} == set()


@by_file
def test_nothing_is_imported_past_these_rules(path: Path) -> None:
    called = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    assert not {"__import__", "import_module"} & called
    assert not {name for name in imports(path) if name.split(".")[0] in ("importlib", "runpy")}


@by_file
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path))


@by_file
def test_a_function_fits_on_a_screen(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: size for name, size in lengths.items() if size > LONGEST_FUNCTION} == {}


@by_file
def test_a_file_can_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
