"""`pygen-auth providers` and `pygen-auth discover`: what is known of servers, and what they say."""

from __future__ import annotations

import inspect
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from pygen_auth import ConfigurationError, OAuth2Error
from pygen_auth.diagnosis import server_metadata

from .screen import Screen
from .settings import connection, functions


def providers(options: Namespace) -> int:
    """List the presets, or tell of one; the exit status."""
    screen = Screen()
    known = functions()
    if options.name is not None and options.name not in known:
        screen.refuse(f"no provider of that name; known are {', '.join(known)}")
        return 2
    told = [_about(name) for name in ([options.name] if options.name else known)]
    if options.json:
        screen.json(told)
    elif options.name is None:
        screen.table([(one["name"], one["title"], one["options"]) for one in told])
    else:
        screen.line(f"{options.name} {told[0]['options']}\n\n{told[0]['text']}")
    return 0


def _about(name: str) -> dict[str, Any]:
    function = functions()[name]
    text = inspect.getdoc(function) or ""
    arguments = []
    for one, how in inspect.signature(function).parameters.items():
        option = f"--{one.replace('_', '-')} …"
        arguments.append(option if how.default is how.empty else f"[{option}]")
    return {
        "name": name,
        "title": text.partition("\n")[0].rstrip("."),
        "options": " ".join(arguments),
        "text": text,
    }


def discover(options: Namespace) -> int:
    """Show what a server says about itself; the exit status."""
    screen = Screen()
    try:
        with screen.waiting("metadata"):
            found = asdict(
                server_metadata(
                    options.issuer, verify_issuer=not options.any_issuer, **connection(options)
                )
            )
    except OAuth2Error as error:
        screen.refuse(str(error))
        return 2 if isinstance(error, ConfigurationError) else 1
    if options.json:
        screen.json(found)
        return 0
    rows = {name: _listed(value) for name, value in found.items()}
    screen.rows([(name.replace("_", " "), text) for name, text in rows.items() if text])
    return 0


def _listed(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else value or ""
    return "".join(one for one in text if one.isprintable())  # a terminal would obey the rest
