"""Files that nobody but their owner can read or swap: the only place that opens a store's files.

A directory of mode 0700 and files of 0600, all of them this process's user's, none of them a
symbolic link. What is otherwise is not read and not written; the error says what to do. Windows
has no such modes; there the directory of the user's profile has to do.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from .._errors import ConfigurationError
from ._base import LARGEST_VALUE

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A symbolic link is refused, and a pipe is not waited for. Windows has neither."""

TEMPORARY = ".tmp"
"""How the names of files end that are being written, or about to be removed; they begin with the
name of the file that it is about."""


def make_directory(directory: Path) -> None:
    """The directory, made if it is missing, checked.

    Raises:
        ConfigurationError: it is somebody else's, or open to others.
        OSError: it cannot be made.
    """
    try:
        os.lstat(directory)
    except FileNotFoundError:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was faster
            directory.mkdir(mode=0o700)
    check_directory(directory)


def check_directory(directory: Path) -> None:
    """Refuse a directory that others can write to or read.

    Raises:
        ConfigurationError: it is one.
        FileNotFoundError: there is none.
    """
    about = os.lstat(directory)
    if not stat.S_ISDIR(about.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(about.st_mode) else "no directory"
        raise ConfigurationError(f"{directory} is {kind}; give the store a directory of its own")
    _check_owner(directory, about, "give the store another directory, such as a new one in it")
    if _is_open(about):
        raise ConfigurationError(
            f"{directory} is open to other users; if nobody else put anything there, close it: "
            f"chmod 700 {directory}"
        )


def read(path: Path) -> tuple[bytes, float] | None:
    """What the file holds, and its time of modification; None where there is no file.

    Raises:
        ConfigurationError: it is somebody else's, open to others, or no file.
        OSError: it is a symbolic link, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        _check_owner(path, about, "remove it")
        if not stat.S_ISREG(about.st_mode) or _is_open(about):
            raise ConfigurationError(f"{path} is no file, or open to other users; remove it")
        return file.read(LARGEST_VALUE + 1), about.st_mtime


def write(path: Path, content: bytes, modified: float) -> None:
    """Put a file in place, whole or not at all; `modified` in seconds since the epoch.

    Raises:
        OSError: it cannot be written; nothing is left of it then.
    """
    descriptor, temporary = tempfile.mkstemp(TEMPORARY, f"{path.name}.", path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.utime(temporary, (modified, modified))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def remove(path: Path, wanted: Callable[[bytes, float], bool]) -> None:
    """Remove the file if `wanted` says so of its content and its time of modification.

    It is taken aside first: then it cannot be replaced between the look and the removal. If it
    was replaced before, and is not to be removed, it is put back, unless there is yet another.
    """
    found = read(path)
    if found is None or not wanted(*found):
        return
    aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}{TEMPORARY}")
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        os.rename(path, aside)
        taken = read(aside)
        if taken is not None and not wanted(*taken):
            with contextlib.suppress(OSError):  # a newer one is there; or no link can be made, and
                os.link(aside, path)  # the value is lost, which costs a token request
        os.unlink(aside)


def _check_owner(path: Path, about: os.stat_result, advice: str) -> None:
    if not hasattr(os, "geteuid"):  # pragma: no cover - Windows
        return
    if about.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{path} belongs to the user with id {about.st_uid}, and this process runs as "
            f"{os.geteuid()}; {advice}"
        )


def _is_open(about: os.stat_result) -> bool:
    """Whether anybody but the owner may do anything. On Windows the mode says nothing."""
    return os.name != "nt" and bool(about.st_mode & 0o077)
