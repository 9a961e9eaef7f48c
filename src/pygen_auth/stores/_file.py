"""A store for the processes of one host: a file for each value, and the system's own locks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._clock import SYSTEM_CLOCK
from .._errors import ConfigurationError
from ._base import LARGEST_VALUE, TokenStore
from ._private import TEMPORARY, check_directory, make_directory, read, remove, write

if TYPE_CHECKING:
    from filelock import BaseFileLock

_VALUE, _LOCK = ".token", ".lock"
_OURS = re.compile(rf"[0-9a-f]{{64}}({_VALUE}|{_LOCK})(\..+{TEMPORARY})?")

SWEEP_EVERY = 3600.0
"""Seconds between two looks at all files of the directory: as often as a usual token expires."""
LEFTOVER = 3600.0
"""Seconds after which a file that was being written, or has expired, is nobody's any more."""
UNUSED_LOCK = 86_400.0
"""Seconds after which the lock of a value that is gone is removed. Somebody might just hold it."""


class FileTokenStore(TokenStore):
    """One token for all processes of one user on one host.

    The directory gets mode 0700 and the files 0600. Whatever belongs to somebody else, is open to
    others, or is a symbolic link, is refused with an error that says what to do. A file is put in
    place whole. Locks are those of the system (`flock`), which end with the process that holds
    them. When the value expires is the file's time of modification.

    Args:
        directory: a directory of the store's own, made at the first use. Unless given,
            `pygen-auth/tokens` in the user's cache directory (on Linux `$XDG_CACHE_HOME`, else
            `~/.cache`): that is the same place for a login, a cron job and a service. On a file
            system that several hosts share, take `RedisTokenStore` instead.
        encryption_key: see `TokenStore`.

    Raises:
        ConfigurationError: the extra `stores` is not installed, directory is no path, or there is
            none and the user has no home directory.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        encryption_key: str | bytes | None = None,
    ) -> None:
        super().__init__(encryption_key=encryption_key)
        _, platformdirs = _extra()
        if directory is None:
            directory = _usual_directory(platformdirs)
        self._directory = _checked(directory)
        self._clock = SYSTEM_CLOCK
        self._sweep_at = 0.0

    def __repr__(self) -> str:
        return f"FileTokenStore({str(self._directory)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"encryption_key": self.encryption_key, "_directory": self._directory}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _clock=SYSTEM_CLOCK, _sweep_at=0.0)

    @property
    def directory(self) -> Path:
        """Where the files are."""
        return self._directory

    def load(self, key: str) -> bytes | None:
        """See `TokenStore.load`.

        Raises:
            ConfigurationError: directory or file belong to somebody else, or are open to others.
            OSError: the file is a symbolic link, or cannot be read.
        """
        path = self._path(key, _VALUE)
        try:
            check_directory(self._directory)
        except FileNotFoundError:
            return None
        found = read(path)
        if found is None:
            return None
        value, end = found
        if end <= self._clock.wall():
            with contextlib.suppress(OSError):  # somebody may have made the directory read-only
                remove(path, self._has_expired)
            return None
        return value if len(value) <= LARGEST_VALUE else None

    def save(self, key: str, value: bytes, seconds: float) -> None:
        """See `TokenStore.save`.

        Raises:
            ConfigurationError: the directory belongs to somebody else, or is open to others.
            OSError: the file cannot be written. An earlier value stays then.
        """
        make_directory(self._directory)
        write(self._path(key, _VALUE), value, self._clock.wall() + seconds)
        self._sweep()

    def delete(self, key: str, value: bytes) -> None:
        """See `TokenStore.delete`; it raises what `load` raises."""
        with contextlib.suppress(FileNotFoundError):
            check_directory(self._directory)
            remove(self._path(key, _VALUE), lambda content, _: content == value)

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        """See `TokenStore.lock`; it raises what `save` raises, and when left nothing."""
        filelock, _ = _extra()
        make_directory(self._directory)
        # Not a singleton: two threads of a process exclude each other as two processes do.
        lock: BaseFileLock = filelock.FileLock(
            self._path(key, _LOCK), mode=0o600, thread_local=False, is_singleton=False
        )
        process, had = os.getpid(), False
        with contextlib.suppress(filelock.Timeout):
            lock.acquire(timeout=timeout)
            had = True
        try:
            yield had
        finally:
            # A child of a fork has the parent's open file, and would end the parent's lock.
            if had and os.getpid() == process:
                with contextlib.suppress(OSError):
                    lock.release()

    def _path(self, key: str, kind: str) -> Path:
        # Hashed, so that no key can name a file elsewhere, or two differ by capitals alone.
        return self._directory / (hashlib.sha256(key.encode()).hexdigest() + kind)

    def _has_expired(self, content: bytes, end: float) -> bool:
        return end <= self._clock.wall()

    def _sweep(self) -> None:
        """Now and then, remove what nobody will ask for again. Other people's files stay."""
        now = self._clock.wall()
        if now < self._sweep_at:
            return
        self._sweep_at = now + SWEEP_EVERY
        with contextlib.suppress(OSError):  # another process sweeps as well, or removes it all
            for path in self._directory.iterdir():
                if _OURS.fullmatch(path.name) and _is_leftover(path, now):
                    path.unlink(missing_ok=True)


def _is_leftover(path: Path, now: float) -> bool:
    age = now - path.lstat().st_mtime
    if path.suffix == _LOCK:
        return age > UNUSED_LOCK and not path.with_suffix(_VALUE).exists()
    return age > LEFTOVER


def _usual_directory(platformdirs: Any) -> Path:
    try:
        cache = Path(platformdirs.user_cache_path("pygen-auth", appauthor=False))
    except RuntimeError:  # of newer platformdirs; older ones leave the "~" in it
        cache = Path("~")
    if not cache.is_absolute():
        raise ConfigurationError(
            "this user has no home directory, as in some containers; pass FileTokenStore(directory)"
        )
    return cache / "tokens"


def _checked(directory: str | os.PathLike[str]) -> Path:
    if not isinstance(directory, (str, os.PathLike)) or not os.fspath(directory):
        raise ConfigurationError("directory must be the path of a directory")
    # Absolute now: a later chdir is not to move the store.
    return Path(os.path.abspath(os.fspath(directory)))


def _extra() -> tuple[Any, Any]:
    """Both libraries of the extra; a missing one is told at once, and not at the first token."""
    try:
        import filelock
        import platformdirs
    except ImportError as error:
        raise ConfigurationError(
            "FileTokenStore needs filelock and platformdirs: pip install 'pygen-auth[stores]'"
        ) from error
    return filelock, platformdirs
