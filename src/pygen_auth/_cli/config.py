"""Settings in a file: TOML, YAML or JSON, whole or as a table in a file of more."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pygen_auth import ConfigurationError

TABLES = (("tool", "pygen-auth"), ("cognite",), ("pygen-auth",))
"""Where the settings stand in a file that holds others, too; the first that is there counts."""


def settings_in(path: str) -> dict[str, Any]:
    """The settings in a file.

    Raises:
        ConfigurationError: it cannot be read. What is in it is not shown: it may hold a secret.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise ConfigurationError(f"--config {path} cannot be read: {reason}") from None
    read = {".toml": _toml, ".json": _json}.get(Path(path).suffix.lower(), _yaml)
    loaded = read(path, text)
    if not isinstance(loaded, Mapping):
        raise ConfigurationError(f"--config {path} holds no table of settings")
    for table in TABLES:
        found: Any = loaded
        for name in table:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping):
            return dict(found)
    if "tool" in loaded:
        raise ConfigurationError(f"--config {path} has no table [tool.pygen-auth]")
    return dict(loaded)


def _toml(path: str, text: str) -> object:
    if sys.version_info >= (3, 11):  # pragma: no cover - one of the two, by the Python that runs
        import tomllib
    else:  # pragma: no cover
        import tomli as tomllib
    return _parsed(path, "TOML", tomllib.loads, text)


def _json(path: str, text: str) -> object:
    return _parsed(path, "JSON", json.loads, text)


def _yaml(path: str, text: str) -> object:
    try:
        import yaml
    except ImportError as error:
        raise ConfigurationError(
            f"--config {path} is taken for YAML; for that, pip install 'pygen-auth[yaml]'"
        ) from error
    return _parsed(path, "YAML", yaml.safe_load, text)


def _parsed(path: str, form: str, parse: Any, text: str) -> object:
    try:
        return parse(text)
    except Exception as error:  # their messages may quote a line, with a secret in it
        where = _place(error)
    raise ConfigurationError(f"--config {path} is no {form}{where}")


def _place(error: Exception) -> str:
    """Where the text cannot be read, as far as that is told."""
    line = getattr(error, "lineno", None)  # JSON; of TOML since Python 3.14
    if mark := getattr(error, "problem_mark", None):  # YAML
        line = mark.line + 1
    if told := re.search(r"\(at line (\d+),", str(error)):  # TOML
        line = told[1]
    return f": look at line {line}" if line else ""
