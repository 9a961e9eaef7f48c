"""Where a secret comes from: a file, a variable or a prompt, and never an argument."""

from __future__ import annotations

import getpass
import os
import sys
from argparse import Namespace
from pathlib import Path

from pygen_auth import ConfigurationError

VARIABLES = ("IDP_CLIENT_SECRET", "COGNITE_CLIENT_SECRET")


def text_in(option: str, path: str) -> str:
    """What is in a file, without the line break at its end; "-" is the standard input.

    Raises:
        ConfigurationError: it cannot be read, or holds nothing.
    """
    try:
        text = _standard_input(option) if path == "-" else Path(path).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise ConfigurationError(f"{option} cannot be read: {reason}") from None
    if not text.strip():
        raise ConfigurationError(f"{option} holds nothing")
    return text.rstrip("\r\n")


def _standard_input(option: str) -> str:
    if sys.stdin is None:  # the shell has closed it
        return ""
    return _asked_for(option) or "" if sys.stdin.isatty() else sys.stdin.read()


def given_secret(options: Namespace) -> str | None:
    """The client's secret that the options name, or None where they name none."""
    if options.client_secret_file is not None:
        return text_in("--client-secret-file", options.client_secret_file)
    if options.client_secret_env is not None:
        value = os.environ.get(options.client_secret_env)
        if not value:
            raise ConfigurationError("the variable that --client-secret-env names is not set")
        return value
    return None


def _asked_for(what: str) -> str | None:
    """What somebody at the terminal types; None where nobody is there, or nothing is typed."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    try:
        return getpass.getpass(f"{what} (not shown): ")
    except EOFError:  # Ctrl-D
        print(file=sys.stderr)
        return None


def wanted_secret(options: Namespace) -> str:
    """The same where one is needed: else of the environment, else asked for at the terminal.

    Raises:
        ConfigurationError: there is none.
    """
    secret = given_secret(options) or next(filter(None, map(os.environ.get, VARIABLES)), None)
    secret = secret or _asked_for("client secret")
    if not secret:
        raise ConfigurationError(
            "client_secret is missing: set IDP_CLIENT_SECRET, use --client-secret-file or "
            "--client-secret-env, or run on a terminal to be asked"
        )
    return secret
