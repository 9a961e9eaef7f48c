"""A real redis-server on loopback, for tests. Stopped by its process id."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

PROGRAM = shutil.which("redis-server")
PATIENCE = 30.0  # seconds; a loaded machine needs some


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """One process. It keeps nothing on disk that outlives it but what `directory` has."""

    def __init__(self, directory: Path, *options: str) -> None:
        assert PROGRAM is not None
        self.directory = directory
        self.options = options
        self.port = free_port()
        self._start()

    def _start(self) -> None:
        settings = {"bind": "127.0.0.1", "port": self.port, "dir": self.directory, "save": ""}
        command = [str(PROGRAM), *self.options]
        for name, value in settings.items():
            command += [f"--{name}", str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with contextlib.closing(self.client()) as client:
                    client.ping()
                    return
            except redis.ConnectionError:
                assert self.process.poll() is None, "redis-server ended at once"
                assert time.monotonic() < end, "redis-server does not answer"
                time.sleep(0.02)

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self._start()


def cluster_of_one(directory: Path) -> RedisServer:
    """A cluster whose one node has all slots."""
    bus = str(free_port())  # by default the port plus 10000, which not every free port allows
    server = RedisServer(directory, "--cluster-enabled", "yes", "--cluster-port", bus)
    with contextlib.closing(server.client()) as client_:
        client: Any = client_  # this method has no type hints
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        end = time.monotonic() + PATIENCE
        while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < end, "the cluster does not come up"
            time.sleep(0.02)
    return server


def sentinel_of(server: RedisServer, directory: Path) -> RedisServer:
    """A sentinel that knows this server as `main`."""
    settings = directory / "sentinel.conf"
    settings.write_text(f"sentinel monitor main 127.0.0.1 {server.port} 1\n")
    return RedisServer(directory, str(settings), "--sentinel")


@contextlib.contextmanager
def stopped_after(server: RedisServer) -> Iterator[RedisServer]:
    try:
        yield server
    finally:
        server.stop()
