"""`pygen-auth check`: the steps of a diagnosis as they are taken."""

from __future__ import annotations

import contextlib
import logging
from argparse import Namespace
from contextlib import ExitStack

from pygen_auth import ConfigurationError, OAuth2Error, diagnose
from pygen_auth.diagnosis import Check, Diagnosis, diagnose_issuer, refused_settings

from .screen import Screen
from .settings import connection, credentials_of

_NOT_SHOWN = logging.NullHandler()
"""For what the library logs: the report has it, with the ids covered."""


class _View:
    """Shows each step when it ends, and on a terminal which one runs."""

    def __init__(self, screen: Screen, *, quiet: bool) -> None:
        self._screen = screen
        self._quiet = quiet
        self._running = ExitStack()

    def show(self, check: Check) -> None:
        self._running.close()
        if check.outcome == "running":
            self._running.enter_context(self._screen.waiting(check.name))
        elif not self._quiet:
            self._screen.check(check)

    def close(self) -> None:
        self._running.close()


def run(options: Namespace) -> int:
    """Show the report; the exit status."""
    logging.getLogger("pygen_auth").addHandler(_NOT_SHOWN)
    screen = Screen()
    diagnosis = _diagnosis(options, screen)
    if options.json:
        screen.json(diagnosis.as_dict())
        return _status(diagnosis)
    failed = [check.name for check in diagnosis.checks if check.outcome == "failed"]
    warned = [check.name for check in diagnosis.checks if check.outcome == "warning"]
    screen.line()
    if failed:
        screen.line(f"failed: {', '.join(failed)}", "bold red")
    else:
        more = f", but look at: {', '.join(warned)}" if warned else ""
        screen.line(f"all well{more}", "green")
    return _status(diagnosis)


def _diagnosis(options: Namespace, screen: Screen) -> Diagnosis:
    with contextlib.closing(_View(screen, quiet=options.json)) as view:
        shown = {"redact": options.redact, "on_check": view.show}
        try:
            source = credentials_of(options, screen.waiting)
            return diagnose(source.credentials, issuer=source.issuer, call=options.call, **shown)
        except ConfigurationError as error:  # also of --call and --issuer, before any step
            diagnosis = refused_settings(error, redact=options.redact)
        except OAuth2Error as error:
            return diagnose_issuer(options.issuer, error, **shown, **connection(options))
        for check in diagnosis.checks:
            view.show(check)
        return diagnosis


def _status(diagnosis: Diagnosis) -> int:
    """0 if no step failed, 2 if it was the settings, 1 if it was another one."""
    if diagnosis.ok:
        return 0
    first = next(check for check in diagnosis.checks if check.outcome == "failed")
    settings = first.name == "settings" or first.found.get("error") == "ConfigurationError"
    return 2 if settings else 1
