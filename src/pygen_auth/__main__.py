"""The command line: `pygen-auth`, or `python -m pygen_auth`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from pygen_auth import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name, by default those of the process; its exit status."""
    parser = argparse.ArgumentParser(
        prog="pygen-auth", description="OAuth 2.0 client credentials that stay fresh."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="call an API on this machine while its authorization server is slow, fails and "
        "refuses a token; takes 13 s",
    )
    demo.set_defaults(run=_demo)
    command = parser.parse_args(arguments)
    if "run" not in command:
        parser.print_help()
        return 2
    status: int = command.run()
    return status


def _demo() -> int:
    try:
        from . import _demo  # here: no other command needs a server or asyncio

        return _demo.run(_demo.Script(), sys.stdout)
    except KeyboardInterrupt:
        print()  # the shell goes on below the status line
        return 130
    except BrokenPipeError:  # the reader has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return 1


if __name__ == "__main__":
    sys.exit(main())
