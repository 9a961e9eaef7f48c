"""The store in files: permissions, attacks from other users, what is left behind, what fails."""

from __future__ import annotations

import contextlib
import copy
import errno
import os
import pickle
import resource
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import platformdirs
import pytest

from pygen_auth import ConfigurationError
from pygen_auth.stores import FileTokenStore, _file
from pygen_auth.stores._base import LARGEST_VALUE
from tests.support import HandClock

from .forks import NOBODY, as_ordinary_user, in_child

KEY = "6b" * 32


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


@pytest.fixture
def store(directory: Path) -> FileTokenStore:
    return FileTokenStore(directory)


@pytest.fixture
def held(store: FileTokenStore) -> FileTokenStore:
    """With a value under the key."""
    store.save(KEY, b"value", 60)
    return store


def file_of(store: FileTokenStore) -> Path:
    (path,) = store.directory.glob("*.token")
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# -- where, and with which rights


def test_nothing_is_made_before_something_is_saved(store: FileTokenStore) -> None:
    store.load(KEY)
    store.delete(KEY, b"value")
    assert not store.directory.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_whatever_the_umask(directory: Path, umask: int) -> None:
    store = FileTokenStore(directory)
    previous = os.umask(umask)
    try:
        store.save(KEY, b"value", 60)
        with store.lock(KEY, 1):
            pass
    finally:
        os.umask(previous)
    assert mode(directory) == 0o700
    assert {path.suffix: mode(path) for path in directory.iterdir()} == {
        ".token": 0o600,
        ".lock": 0o600,
    }


def test_missing_parents_are_made(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path / "a" / "b" / "c")
    store.save(KEY, b"value", 60)
    assert store.load(KEY) == b"value"


def test_the_default_is_in_the_cache_of_the_user() -> None:
    cache = platformdirs.user_cache_path("pygen-auth", appauthor=False)
    assert FileTokenStore().directory == cache / "tokens"


def _no_home() -> Path:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("found", [lambda: Path("~/.cache/pygen-auth"), _no_home])
def test_a_user_without_a_home_is_asked_for_a_directory(
    monkeypatch: pytest.MonkeyPatch, found: Callable[[], Path]
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: found())
    with pytest.raises(ConfigurationError, match=r"no home directory.*pass FileTokenStore"):
        FileTokenStore()


def test_a_later_chdir_does_not_move_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = FileTokenStore("tokens")
    monkeypatch.chdir("/")
    assert store.directory == tmp_path / "tokens"


@pytest.mark.parametrize("given", ["", 7, b""])
def test_what_is_no_path_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^directory must be the path"):
        FileTokenStore(given)


@pytest.mark.parametrize("library", ["filelock", "platformdirs"])
def test_a_missing_library_is_told_at_once(
    directory: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'pygen-auth\[stores\]'"):
        FileTokenStore(directory)


@pytest.mark.parametrize("library", ["filelock", "platformdirs", "redis"])
def test_importing_the_stores_loads_none_of_their_libraries(library: str) -> None:
    code = f"import pygen_auth.stores, sys; sys.exit({library!r} in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("twin_of", [copy.copy, lambda store: pickle.loads(pickle.dumps(store))])
def test_a_copy_is_the_same_store(held: FileTokenStore, twin_of: Any) -> None:
    twin = twin_of(held)
    assert twin.load(KEY) == b"value"
    twin.save(KEY, b"next", 60)
    with held.lock(KEY, 0), twin.lock(KEY, 0) as had:
        assert not had
    assert held.load(KEY) == b"next"


@pytest.mark.parametrize("key", ["../../escape", "/etc/escape", "a/b", "", "A" * 5000, ".", "ü"])
def test_no_key_names_a_file_elsewhere(store: FileTokenStore, tmp_path: Path, key: str) -> None:
    store.save(key, b"value", 60)
    assert store.load(key) == b"value"
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]
    assert file_of(store).parent == store.directory


def test_keys_that_differ_by_capitals_have_two_files(store: FileTokenStore) -> None:
    store.save("abc", b"one", 60)
    store.save("ABC", b"two", 60)
    assert store.load("abc") == b"one"


# -- what other users can put in the way

Operation = Callable[[FileTokenStore], object]
OPERATIONS: dict[str, Operation] = {
    "load": lambda store: store.load(KEY),
    "save": lambda store: store.save(KEY, b"value", 60),
    "delete": lambda store: store.delete(KEY, b"value"),
    "lock": lambda store: store.lock(KEY, 0).__enter__(),
}
EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
by_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")


@EVERY_OPERATION
@pytest.mark.parametrize("opened", [0o750, 0o705, 0o777, 0o1777, 0o701])
def test_an_open_directory_is_refused(
    held: FileTokenStore, operation: Operation, opened: int
) -> None:
    held.directory.chmod(opened)
    with pytest.raises(ConfigurationError, match=f"chmod 700 {held.directory}$"):
        operation(held)


@by_root
@EVERY_OPERATION
def test_a_directory_of_somebody_else_is_refused(
    held: FileTokenStore, operation: Operation
) -> None:
    os.chown(held.directory, NOBODY, -1)
    with pytest.raises(ConfigurationError, match=f"user with id {NOBODY}.* another directory"):
        operation(held)


@EVERY_OPERATION
def test_a_symbolic_link_for_a_directory_is_refused(
    held: FileTokenStore, tmp_path: Path, operation: Operation
) -> None:
    link = tmp_path / "link"
    link.symlink_to(held.directory)
    with pytest.raises(ConfigurationError, match="link is a symbolic link"):
        operation(FileTokenStore(link))


@EVERY_OPERATION
def test_a_symbolic_link_to_nowhere_is_not_followed(tmp_path: Path, operation: Operation) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="link is a symbolic link"):
        operation(FileTokenStore(tmp_path / "link"))
    assert not (tmp_path / "elsewhere").exists()


@EVERY_OPERATION
def test_a_file_for_a_directory_is_refused(directory: Path, operation: Operation) -> None:
    directory.write_text("a file")
    with pytest.raises(ConfigurationError, match="is no directory"):
        operation(FileTokenStore(directory))


@pytest.mark.parametrize("operation", ["load", "delete"])
@pytest.mark.parametrize("opened", [0o640, 0o604, 0o666])
def test_an_open_file_is_refused(held: FileTokenStore, operation: str, opened: int) -> None:
    file_of(held).chmod(opened)
    with pytest.raises(ConfigurationError, match="open to other users; remove it"):
        OPERATIONS[operation](held)


@by_root
@pytest.mark.parametrize("operation", ["load", "delete"])
def test_a_file_of_somebody_else_is_refused(held: FileTokenStore, operation: str) -> None:
    os.chown(file_of(held), NOBODY, -1)
    with pytest.raises(ConfigurationError, match=f"user with id {NOBODY}.* remove it"):
        OPERATIONS[operation](held)


@pytest.mark.parametrize("operation", ["load", "delete"])
def test_a_symbolic_link_for_a_file_is_not_followed(
    held: FileTokenStore, tmp_path: Path, operation: str
) -> None:
    target = tmp_path / "target"
    file_of(held).rename(target)
    (held.directory / f"{_name(held)}").symlink_to(target)
    with pytest.raises(OSError, match="symbolic") as caught:
        OPERATIONS[operation](held)
    assert caught.value.errno == errno.ELOOP
    assert target.read_bytes() == b"value"


def test_saving_takes_the_place_of_a_symbolic_link_and_leaves_its_target(
    held: FileTokenStore, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    file_of(held).rename(target)
    (held.directory / _name(held)).symlink_to(target)
    held.save(KEY, b"next", 60)
    assert held.load(KEY) == b"next"
    assert target.read_bytes() == b"value"


def test_a_symbolic_link_for_a_lock_is_not_followed(held: FileTokenStore, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    lock = (held.directory / _name(held)).with_suffix(".lock")
    lock.symlink_to(target)
    with pytest.raises(OSError, match="symbolic"), held.lock(KEY, 0):
        pytest.fail("it was followed")
    assert target.read_text() == "precious"


def test_a_pipe_for_a_file_holds_nobody_up(held: FileTokenStore) -> None:
    path = file_of(held)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(ConfigurationError, match="is no file"):
        held.load(KEY)


def test_a_directory_for_a_file_is_refused(held: FileTokenStore) -> None:
    path = file_of(held)
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises((ConfigurationError, IsADirectoryError)):
        held.load(KEY)


def _name(store: FileTokenStore) -> str:
    return store._path(KEY, ".token").name


# -- garbage, and what fails


@pytest.mark.parametrize("garbage", [b"", b"\0" * 1000, bytes(range(256))], ids=len)
def test_garbage_is_given_back_for_others_to_judge(held: FileTokenStore, garbage: bytes) -> None:
    path = file_of(held)
    end = path.stat().st_mtime
    path.write_bytes(garbage)
    os.utime(path, (end, end))
    assert held.load(KEY) == garbage
    held.save(KEY, b"next", 60)
    assert held.load(KEY) == b"next"


def test_a_file_that_is_too_large_is_not_a_value(held: FileTokenStore) -> None:
    path = file_of(held)
    end = path.stat().st_mtime
    with path.open("wb") as file:
        file.truncate(LARGEST_VALUE * 100)  # sparse: it takes no space, and would take memory
    os.utime(path, (end, end))
    assert held.load(KEY) is None


def test_a_directory_that_was_removed_is_made_again(held: FileTokenStore) -> None:
    for path in held.directory.iterdir():
        path.unlink()
    held.directory.rmdir()
    assert held.load(KEY) is None
    held.delete(KEY, b"value")
    with held.lock(KEY, 0) as had:
        assert had
    held.save(KEY, b"next", 60)
    assert held.load(KEY) == b"next"


def test_a_directory_that_is_removed_while_a_lock_is_held_does_not_matter(
    held: FileTokenStore,
) -> None:
    with held.lock(KEY, 0):
        for path in held.directory.iterdir():
            path.unlink()
        held.directory.rmdir()
    assert held.load(KEY) is None


@pytest.fixture
def of_nobody() -> Iterator[Path]:
    """A directory that `as_ordinary_user` owns, with a value in it that has expired."""
    with tempfile.TemporaryDirectory() as name:
        parent = Path(name)
        if os.geteuid() == 0:
            os.chown(parent, NOBODY, NOBODY)
        yield parent / "tokens"
        with contextlib.suppress(FileNotFoundError):
            (parent / "tokens").chmod(0o700)


def test_a_read_only_directory_can_be_read(of_nobody: Path) -> None:
    def check() -> None:
        store = FileTokenStore(of_nobody)
        store.save(KEY, b"value", 60)
        store.save("expired", b"value", -1)
        of_nobody.chmod(0o500)
        assert store.load(KEY) == b"value"
        assert store.load("expired") is None
        for name in ("save", "delete", "lock"):
            with pytest.raises(PermissionError):
                OPERATIONS[name](store)
        assert store.load(KEY) == b"value"

    as_ordinary_user(check)


def test_a_parent_that_cannot_be_written_to_is_told(of_nobody: Path) -> None:
    def check() -> None:
        of_nobody.parent.chmod(0o500)
        store = FileTokenStore(of_nobody)
        assert store.load(KEY) is None
        with pytest.raises(PermissionError):
            store.save(KEY, b"value", 60)
        of_nobody.parent.chmod(0o700)

    as_ordinary_user(check)


def test_a_full_disk_leaves_the_earlier_value_and_nothing_else(held: FileTokenStore) -> None:
    def check() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(OSError, match="too large"):
            held.save(KEY, b"x" * 100_000, 60)

    in_child(check)
    assert held.load(KEY) == b"value"
    assert [path.suffix for path in held.directory.iterdir()] == [".token"]


def test_a_value_that_was_not_put_in_place_leaves_nothing(
    held: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        held.save(KEY, b"next", 60)
    assert held.load(KEY) == b"value"
    assert [path.suffix for path in held.directory.iterdir()] == [".token"]


# -- races


def just_before(
    monkeypatch: pytest.MonkeyPatch, function: str, act: Callable[[], object]
) -> list[str]:
    """Have somebody else be faster: `act` runs once, when `os.<function>` is called."""
    real = getattr(os, function)
    called: list[str] = []

    def first_act(*arguments: Any, **keywords: Any) -> Any:
        if not called:
            called.append(function)
            act()
        return real(*arguments, **keywords)

    monkeypatch.setattr(os, function, first_act)
    return called


def test_a_value_that_another_process_replaces_is_not_deleted(
    held: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = just_before(monkeypatch, "rename", lambda: held.save(KEY, b"next", 60))
    held.delete(KEY, b"value")
    assert called
    assert held.load(KEY) == b"next"
    assert [path.suffix for path in held.directory.iterdir()] == [".token"]


def test_of_two_values_that_others_save_meanwhile_the_newer_one_stays(
    held: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    just_before(monkeypatch, "rename", lambda: held.save(KEY, b"next", 60))
    called = just_before(monkeypatch, "link", lambda: held.save(KEY, b"newest", 60))
    held.delete(KEY, b"value")
    assert called
    assert held.load(KEY) == b"newest"
    assert [path.suffix for path in held.directory.iterdir()] == [".token"]


@pytest.mark.parametrize("function", ["rename", "unlink"])
def test_two_may_delete_the_same_value(
    held: FileTokenStore, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    other = FileTokenStore(held.directory)
    called = just_before(monkeypatch, function, lambda: other.delete(KEY, b"value"))
    held.delete(KEY, b"value")
    assert called
    assert list(held.directory.iterdir()) == []


def test_what_was_taken_aside_may_be_swept_away_by_another(
    held: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sweep() -> None:
        for path in held.directory.iterdir():
            path.unlink()

    called = just_before(monkeypatch, "unlink", lambda: None)
    real_rename = os.rename

    def rename_and_sweep(source: Path, target: Path) -> None:
        real_rename(source, target)
        sweep()

    monkeypatch.setattr(os, "rename", rename_and_sweep)
    held.delete(KEY, b"value")
    assert called
    assert list(held.directory.iterdir()) == []


def test_a_directory_that_another_process_makes_meanwhile_will_do(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_makes_it(path: Path) -> os.stat_result:
        monkeypatch.undo()
        store.directory.mkdir(mode=0o700)
        raise FileNotFoundError

    monkeypatch.setattr(os, "lstat", other_makes_it)
    store.save(KEY, b"value", 60)
    assert store.load(KEY) == b"value"


# -- expiry and what is left behind


def with_clock(store: FileTokenStore, clock: HandClock) -> FileTokenStore:
    store._clock = clock.clock
    return store


def test_a_value_is_there_until_its_last_moment(store: FileTokenStore, clock: HandClock) -> None:
    with_clock(store, clock).save(KEY, b"value", 60)
    clock.wall += 59.9
    assert store.load(KEY) == b"value"
    clock.wall += 0.2
    assert store.load(KEY) is None


def test_what_has_expired_is_removed_when_it_is_seen(
    store: FileTokenStore, clock: HandClock
) -> None:
    with_clock(store, clock).save(KEY, b"value", 60)
    clock.wall += 60
    store.load(KEY)
    assert list(store.directory.iterdir()) == []


def test_what_nobody_asks_for_any_more_is_swept_up(store: FileTokenStore, clock: HandClock) -> None:
    with_clock(store, clock)
    store.save("forgotten", b"value", 60)
    (left,) = store.directory.iterdir()
    with store.lock("forgotten", 0):
        pass
    written = left.with_name(f"{left.name}.abc.tmp")
    theirs = store.directory / "theirs.token"
    for path in (written, theirs, left.with_suffix(".lock")):
        path.touch()
        os.utime(path, (clock.wall, clock.wall))
    clock.wall += 60 + _file.LEFTOVER + 1
    store.save(KEY, b"value", 60)
    assert not left.exists()
    assert not written.exists()
    assert left.with_suffix(".lock").exists()  # somebody may be in it
    clock.wall += _file.UNUSED_LOCK
    store.save(KEY, b"value", 60)
    assert not left.with_suffix(".lock").exists()
    assert theirs.exists()


def test_what_is_in_use_is_not_swept_up(store: FileTokenStore, clock: HandClock) -> None:
    with_clock(store, clock).save("used", b"value", 10 * _file.UNUSED_LOCK)
    with store.lock("used", 0):
        pass
    (lock,) = store.directory.glob("*.lock")
    os.utime(lock, (clock.wall, clock.wall))
    clock.wall += 2 * _file.UNUSED_LOCK
    store.save(KEY, b"value", 60)
    assert lock.exists()
    assert store.load("used") == b"value"


def test_a_sweep_looks_around_once_an_hour(
    store: FileTokenStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    real = Path.iterdir

    def look(path: Path) -> Iterator[Path]:
        looked.append(path)
        return iter(real(path))

    monkeypatch.setattr(Path, "iterdir", look)
    with_clock(store, clock)
    for _ in range(3):
        store.save(KEY, b"value", 60)
    assert len(looked) == 1
    clock.wall += _file.SWEEP_EVERY
    store.save(KEY, b"value", 60)
    assert len(looked) == 2


# -- locks and processes

HOLDER = """
import sys
from pygen_auth.stores import FileTokenStore
with FileTokenStore(sys.argv[1]).lock(sys.argv[2], 60) as had:
    print(had, flush=True)
    sys.stdin.read()
"""


def test_a_lock_excludes_other_processes_and_ends_with_its_own(store: FileTokenStore) -> None:
    command = [sys.executable, "-c", HOLDER, str(store.directory), KEY]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with store.lock(KEY, 0) as had:
            assert not had
        holder.kill()
        holder.wait()
    with store.lock(KEY, 10) as had:
        assert had


def test_a_lock_that_is_held_during_a_fork_stays_the_parents(store: FileTokenStore) -> None:
    lock = store.lock(KEY, 0)
    assert lock.__enter__()

    def check() -> None:
        with store.lock(KEY, 0) as had:
            assert not had
        lock.__exit__(None, None, None)

    in_child(check)
    with store.lock(KEY, 0) as had:
        assert not had
    lock.__exit__(None, None, None)
    with store.lock(KEY, 0) as had:
        assert had


def test_a_lock_left_in_the_parent_is_free_while_a_child_lives(store: FileTokenStore) -> None:
    lock = store.lock(KEY, 0)
    assert lock.__enter__()
    ready, go_on = os.pipe()

    def live_on() -> None:
        os.close(go_on)
        os.read(ready, 1)

    child_thread = threading.Thread(target=in_child, args=(live_on,))
    child_thread.start()
    lock.__exit__(None, None, None)
    with store.lock(KEY, 10) as had:
        os.close(go_on)
        child_thread.join()
        assert had
    os.close(ready)


def test_leaving_a_lock_that_cannot_be_given_back_raises_nothing(
    store: FileTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = filelock.FileLock.release

    def broken(lock: Any, force: bool = False) -> None:
        real(lock, force)
        if not force:  # as it is at the end of the object, which may not raise
            raise OSError(errno.EIO, "the file system is gone")

    monkeypatch.setattr(filelock.FileLock, "release", broken)
    with store.lock(KEY, 0) as had:
        assert had
    monkeypatch.undo()
