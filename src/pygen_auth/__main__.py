"""The command line: `pygen-auth`, or `python -m pygen_auth`. The core alone runs `demo`."""

from __future__ import annotations

import errno
import io
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence

from ._cli.parser import command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name, by default those of the process; its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # rather a ? than no answer
    try:
        return _run(command_line(), arguments)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the shell goes on below the status line
        return 130
    except BrokenPipeError:  # the reader has left, as `head` does
        _write_no_more()
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _write_no_more()
        print(f"pygen-auth: {error.strerror}", file=sys.stderr)
        return 1


def _write_no_more() -> None:
    """Have the flush at exit go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(parser: ArgumentParser, arguments: Sequence[str] | None) -> int:
    try:
        options = parser.parse_args(arguments)
        if options.command is None:
            parser.print_help()
            return 2
        return _COMMANDS[options.command](options)
    except ImportError as error:
        if "pygen-auth[" not in str(error):
            raise
        print(f"pygen-auth {options.command}: {error}", file=sys.stderr)
        return 2
    finally:
        if sys.stdout is not None:  # it is None where the shell has closed it
            sys.stdout.flush()  # here, where a reader who has left is met, and not at exit


# Each command is imported when it runs: no other needs what it needs.


def _demo(options: Namespace) -> int:
    from . import _demo

    return _demo.run(_demo.Script(), sys.stdout)


def _check(options: Namespace) -> int:
    from ._cli import check

    return check.run(options)


def _token(options: Namespace) -> int:
    from ._cli import token

    return token.run(options)


def _providers(options: Namespace) -> int:
    from ._cli import servers

    return servers.providers(options)


def _discover(options: Namespace) -> int:
    from ._cli import servers

    return servers.discover(options)


def _serve(options: Namespace) -> int:
    from ._cli import serve

    return serve.run(options)


def _completion(options: Namespace) -> int:
    from ._cli import completion

    return completion.run(options)


_COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "check": _check,
    "token": _token,
    "providers": _providers,
    "discover": _discover,
    "serve": _serve,
    "demo": _demo,
    "completion": _completion,
}


if __name__ == "__main__":
    sys.exit(main())
