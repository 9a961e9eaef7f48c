"""`pygen-auth completion`: what a shell completes; the only place that imports shtab."""

from __future__ import annotations

from argparse import Namespace

try:
    import shtab
except ImportError as error:
    raise ImportError(
        "this command needs the extra cli: pip install 'pygen-auth[cli]'", name="shtab"
    ) from error

from .parser import command_line


def run(options: Namespace) -> int:
    """Print the script; the exit status."""
    print(shtab.complete(command_line(), options.shell))
    return 0
