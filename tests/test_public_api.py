"""What other people's programs may lean on."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, get_origin

import pytest

import pygen_auth
import pygen_auth.auth
import pygen_auth.client_auth
import pygen_auth.diagnosis
import pygen_auth.events
import pygen_auth.providers
import pygen_auth.stores
import pygen_auth.testing
from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials

REPOSITORY = Path(__file__).parents[1]
TWINS = [OAuth2ClientCredentials, AsyncOAuth2ClientCredentials]
MODULES = [
    pygen_auth,
    pygen_auth.auth,
    pygen_auth.client_auth,
    pygen_auth.diagnosis,
    pygen_auth.events,
    pygen_auth.providers,
    pygen_auth.stores,
    pygen_auth.testing,
]


def test_all_is_what_can_be_imported_in_order() -> None:
    public = [
        name
        for name, value in vars(pygen_auth).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    ]
    assert pygen_auth.__all__ == sorted(public)


def test_the_names_of_the_design_are_there() -> None:
    assert set(pygen_auth.__all__) == {
        "AsyncCredentials",
        "AsyncOAuth2ClientCredentials",
        "AsyncTokenCredentials",
        "ConfigurationError",
        "Credentials",
        "InvalidResponseError",
        "OAuth2ClientCredentials",
        "OAuth2Error",
        "RefusedError",
        "Token",
        "TokenCredentials",
        "UnreachableError",
        "diagnose",
    }


def members(kind: type) -> Iterator[tuple[str, Any]]:
    for name in dir(kind):
        value = inspect.getattr_static(kind, name)
        described = (classmethod, staticmethod, property)
        if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, described)):
            yield name, getattr(kind, name)


def documented() -> Iterator[Any]:
    for module in MODULES:
        yield pytest.param(module, id=module.__name__)
        for name in module.__all__:
            thing = getattr(module, name)
            if get_origin(thing):  # an alias cannot say anything
                continue
            yield pytest.param(thing, id=name)
            if isinstance(thing, type):
                for member, value in members(thing):
                    yield pytest.param(value, id=f"{name}.{member}")


@pytest.mark.parametrize("thing", list(documented()))
def test_everything_public_says_what_it_is(thing: Any) -> None:
    assert (inspect.getdoc(thing) or "").strip()


@pytest.mark.parametrize(
    "kind",
    [
        thing
        for module in MODULES
        for thing in map(vars(module).get, module.__all__)
        if not get_origin(thing)
    ],
)
def test_a_public_class_is_described_by_somebody_and_not_by_its_decorator(kind: type) -> None:
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}(")


@pytest.mark.parametrize(
    "kind",
    [
        thing
        for module in MODULES
        for thing in map(vars(module).get, module.__all__)
        if isinstance(thing, type) and is_dataclass(thing)
    ],
)
def test_each_field_of_a_public_dataclass_is_described(kind: Any) -> None:
    described = set(re.findall(r"^ +(\w+): ", kind.__doc__, re.MULTILINE))
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    for named, text in pairwise(tree.body):
        if isinstance(named, ast.AnnAssign) and isinstance(text, ast.Expr):
            described.add(ast.unparse(named.target))
    own = {field.name for field in fields(kind)} & inspect.get_annotations(kind).keys()
    assert own - described == set()


def test_type_checkers_are_told_that_there_are_types() -> None:
    assert files("pygen_auth").joinpath("py.typed").is_file()


def test_the_version_is_the_newest_in_the_changelog() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+[^\]]*)\]", changelog, re.MULTILINE)
    assert pygen_auth.__version__ == versions[0]


def arguments(kind: type, how: Any) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is how}


@pytest.mark.parametrize("kind", TWINS)
def test_the_arguments_by_position_are_those_of_pygen(kind: type) -> None:
    taken = arguments(kind, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert list(taken.items()) == [
        ("token_url", inspect.Parameter.empty),
        ("client_id", inspect.Parameter.empty),
        ("client_secret", None),
        ("scopes", None),
        ("audience", None),
        ("refresh_margin", 300),
    ]


@pytest.mark.parametrize("kind", TWINS)
def test_all_other_arguments_are_by_name_and_can_be_left_out(kind: type) -> None:
    assert arguments(kind, inspect.Parameter.KEYWORD_ONLY) == {
        "client_auth": "client_secret_post",
        "params": None,
        "store": None,
        "client": None,
        "verify": True,
        "insecure_hosts": (),
        "timeout": 30.0,
        "default_lifetime": 3600.0,
        "background_refresh": False,
        "on_event": None,
    }


def test_the_twins_take_the_same_arguments() -> None:
    first, second = map(inspect.signature, TWINS)
    assert first.parameters == second.parameters


@pytest.mark.parametrize(
    ("kind", "asynchronous"),
    [
        pytest.param(OAuth2ClientCredentials, False, id="sync"),
        pytest.param(AsyncOAuth2ClientCredentials, True, id="async"),
    ],
)
@pytest.mark.parametrize(
    "method", ["get_headers", "authorization_header", "token", "refresh_if_needed", "invalidate"]
)
def test_a_method_is_awaited_in_the_async_twin_alone(
    kind: type, asynchronous: bool, method: str
) -> None:
    assert inspect.iscoroutinefunction(getattr(kind, method)) is asynchronous


def test_the_async_twin_is_not_taken_for_a_provider_that_is_called_synchronously() -> None:
    assert not hasattr(AsyncOAuth2ClientCredentials, "load")
    assert not issubclass(AsyncOAuth2ClientCredentials, pygen_auth.Credentials)


@pytest.mark.parametrize("base", [pygen_auth.Credentials, pygen_auth.AsyncCredentials])
def test_the_two_methods_to_write_are_abstract(base: type) -> None:
    assert inspect.isabstract(base)
    assert base.__abstractmethods__ == {"get_headers", "refresh_if_needed"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "module",
    [
        *("httpx", "httpx2", "asyncio", "requests", "trustme", "joserfc", "rich"),
        *("uuid", "html", "concurrent.futures"),
        *("pygen_auth.stores", "pygen_auth.diagnosis", "pygen_auth.events"),
        *("pygen_auth.client_auth", "pygen_auth._refusal", "pygen_auth._hints"),
    ],
)
def test_importing_the_library_loads_nothing_that_may_never_be_used(module: str) -> None:
    code = f"import pygen_auth, sys; sys.exit({module!r} in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_star_import_brings_the_public_names_alone() -> None:
    names: dict[str, object] = {}
    exec("from pygen_auth import *", names)
    assert sorted(names.keys() - {"__builtins__"}) == pygen_auth.__all__
