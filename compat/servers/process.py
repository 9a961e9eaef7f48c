"""The process of a server: started, waited for, and stopped by the id that it was given."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from .install import UnavailableError, one_line

START = 60.0
"""Seconds; the slowest needs six, on a machine that does nothing else."""


class Process:
    """A program that says `listening on <URL>` when it may be asked.

    All that it writes goes into `log`. It ends by itself when we are gone: it waits for the end
    of its standard input, which we hold open.

    Raises:
        UnavailableError: it ended, or said nothing in time.
    """

    def __init__(self, command: tuple[str, ...], folder: Path, log: Path) -> None:
        self.log = log
        self._popen = self._begun(command, folder)
        try:
            self.url = self._wait()
        except BaseException:
            self.stop()
            raise

    def _begun(self, command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": "site", "PYTHONUNBUFFERED": "1"}
        try:
            with self.log.open("wb") as output:
                return subprocess.Popen(
                    command,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        except OSError as error:
            raise UnavailableError(f"{command[0]} does not start: {error.strerror}") from None

    def _wait(self) -> str:
        end = time.monotonic() + START
        while time.monotonic() < end:
            ended = self._popen.poll() is not None
            if said := re.search(r"^listening on (\S+)\n", self.written(), re.MULTILINE):
                return said[1]
            if ended:
                raise UnavailableError(
                    f"it ended with {self._popen.returncode}: {one_line(self.written())}"
                )
            time.sleep(0.02)
        raise UnavailableError(f"it did not listen after {START:.0f} s: {one_line(self.written())}")

    def written(self, start: int = 0) -> str:
        """What it wrote, from this byte on."""
        return self.log.read_bytes()[start:].decode(errors="replace")

    def stop(self) -> None:
        """End it. Can be called twice."""
        self._popen.terminate()
        try:
            self._popen.wait(5)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        if self._popen.stdin:
            self._popen.stdin.close()
