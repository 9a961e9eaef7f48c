"""The two shells differ by `await` and by nothing else that could come apart unnoticed."""

from __future__ import annotations

import ast
import inspect

from pygen_auth import AsyncCredentials, AsyncOAuth2ClientCredentials, Credentials
from pygen_auth import OAuth2ClientCredentials as SyncOAuth2ClientCredentials

OWN_WAY = {"_acquire", "_at_hand", "_close", "_lock", "_refresh_behind", "_renew_locks"}
"""Threads and their locks have nothing in common with tasks and the locks of event loops. What is
at hand matters in an event loop only."""

ASYNC_NAMES = {
    "aclose": "close",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "sleep_in_loop": "sleep",
    "AsyncSender": "Sender",
    "within_in_loop": "within",
}


class _WithoutAwait(ast.NodeTransformer):
    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        fields = {name: getattr(node, name) for name in node._fields}
        return self.visit_FunctionDef(ast.copy_location(ast.FunctionDef(**fields), node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.name = ASYNC_NAMES.get(node.name, node.name)
        if ast.get_docstring(node) is not None:
            del node.body[0]
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        return node.value

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = ASYNC_NAMES.get(node.attr, node.attr)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = ASYNC_NAMES.get(node.id, node.id)
        return node


def methods(kind: type) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            plain = _WithoutAwait().visit(node)
            found[plain.name] = ast.unparse(plain)
    return {name: text for name, text in found.items() if name not in OWN_WAY}


def test_shells_differ_by_await_only() -> None:
    synchronous = methods(SyncOAuth2ClientCredentials)
    asynchronous = methods(AsyncOAuth2ClientCredentials)
    assert len(synchronous) >= 9
    assert asynchronous == synchronous


def test_every_public_method_of_the_asynchronous_shell_is_awaited() -> None:
    for name, method in vars(AsyncOAuth2ClientCredentials).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            assert inspect.iscoroutinefunction(method), name


def test_interfaces_have_the_same_methods() -> None:
    assert Credentials.__abstractmethods__ == AsyncCredentials.__abstractmethods__
    public = {name for name in vars(Credentials) if not name.startswith("_")}
    twin = {name for name in vars(AsyncCredentials) if not name.startswith("_")}
    assert public - twin == {"load"}  # see test_settings: that would make it a CredentialProvider
    assert twin <= public
