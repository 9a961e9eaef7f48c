"""`pygen-auth token`: a token in the form that was asked for, and in none unless asked."""

from __future__ import annotations

import shlex
from argparse import Namespace

from pygen_auth import ConfigurationError, OAuth2Error
from pygen_auth.diagnosis import parts_of

from .screen import Screen, as_json
from .settings import credentials_of


def run(options: Namespace) -> int:
    """Print it; the exit status."""
    screen = Screen()
    try:
        credentials = credentials_of(options, screen.waiting).credentials
        with screen.waiting("token request"):
            header = credentials.get_headers()["Authorization"]
        print(_printed(options, header, screen))
    except OAuth2Error as error:
        screen.refuse(str(error))
        return 2 if isinstance(error, ConfigurationError) else 1
    return 0


def _printed(options: Namespace, header: str, screen: Screen) -> str:
    token = header.partition(" ")[2]
    read = parts_of(token)
    if options.decode:
        if read is None:
            raise ConfigurationError("the token is no JWT; only its server and the API can read it")
        return as_json({"header": read[0], "claims": read[1]})
    if not (options.bare or options.headers or options.export):
        kind = "a JWT; --decode shows its claims" if read else "no JWT"
        got = f"got a token of {len(token)} characters, {kind}."
        return f"{got} --bare, --headers and --export print it"
    form = token
    if options.headers:
        form = f"Authorization: {header}"
    if options.export:
        if not (options.export.isidentifier() and options.export.isascii()):
            raise ConfigurationError("--export takes the name of a variable")
        form = f"export {options.export}={shlex.quote(token)}"
    if screen.on_terminal:
        screen.warn("Whoever sees this token can use it until it expires.")
    return form
