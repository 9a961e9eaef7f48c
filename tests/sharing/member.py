"""What one process of a fleet does: it calls with credentials of its own, and tells what it saw.

Importing it imports all that a first call would: see `fleet`.
"""

from __future__ import annotations

import asyncio  # noqa: F401 - here, and not within the first call
import http.client
import logging
import os
import pickle
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

import cryptography.hazmat.primitives.kdf.hkdf
import filelock
import httpx
import joserfc.jwe
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2Error
from pygen_auth.stores import RedisTokenStore
from tests.support import Twin

_IMPORTED = cryptography, filelock, httpx, joserfc
_IMPORTED_BY = os.getpid()

DEADLINE = 90.0  # seconds; what has not come by then never will


@dataclass(frozen=True)
class Plan:
    """Until when a process goes on calling, and with what."""

    credentials: Any
    tokens: int = 1
    """How many different ones it is to see, at least."""
    seconds: float = 0.0
    """For how long, at least."""
    pause: float = 0.05
    """Seconds between two calls."""
    resource_url: str | None = None
    """What each call asks with its token; a token that is refused there is invalidated."""
    largest_file: int | None = None
    """Bytes that it may write to a file: the disk is full behind them."""


@dataclass
class Report:
    """What a process saw."""

    tokens: list[str] = field(default_factory=list)
    """Fingerprints, in the order in which they came."""
    lost: list[str] = field(default_factory=list)
    """The errors of calls that got none."""
    refused: int = 0
    """How often the resource refused a token."""
    longest: float = 0.0
    """Seconds that a call took, at most."""
    log: Counter[str] = field(default_factory=Counter)
    """The messages, and how often they came."""


def run(plan: bytes, gate: Connection, reports: Connection) -> None:
    """A whole process: carry the plan out once the gate opens, and send the report.

    Before that it sends a text for each step: that it is ready, and each token that is new to it.
    """
    assert os.getpid() != _IMPORTED_BY, "the fork server has not imported this"
    member = _Member(pickle.loads(plan), reports.send)
    reports.send("ready")
    gate.poll(None)  # it is closed for all at once
    reports.send(member.carry_out())


class _Member(logging.Handler):
    def __init__(self, plan: Plan, tell: Callable[[str], None]) -> None:
        super().__init__()
        self.plan = plan
        self.tell = tell
        self.report = Report()
        kind = "async" if isinstance(plan.credentials, AsyncOAuth2ClientCredentials) else "sync"
        self.twin = Twin(kind)
        if plan.resource_url is not None:
            self.api = http.client.HTTPConnection(urlsplit(plan.resource_url).netloc)
        if plan.largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (plan.largest_file,) * 2)
        log = logging.getLogger("pygen_auth")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.report.log[record.getMessage()] += 1

    def carry_out(self) -> Report:
        begun = time.monotonic()
        while True:
            self._call()
            took = time.monotonic() - begun
            enough = len(self.report.tokens) >= self.plan.tokens and took >= self.plan.seconds
            if enough or took > DEADLINE:
                return self.report
            time.sleep(self.plan.pause)

    def _call(self) -> None:
        begun = time.monotonic()
        try:
            token = self.twin.call(self.plan.credentials, "token")
        except OAuth2Error as error:
            self.report.lost.append(f"{type(error).__name__}: {error}")
            return
        finally:
            self.report.longest = max(self.report.longest, time.monotonic() - begun)
        if token.fingerprint not in self.report.tokens:
            self.report.tokens.append(token.fingerprint)
            self.tell(token.fingerprint)
        if self.plan.resource_url is not None and not self._is_taken(token.access_token):
            self.report.refused += 1
            self.twin.call(self.plan.credentials, "invalidate", token)

    def _is_taken(self, access_token: str) -> bool:
        self.api.request(
            "GET",
            urlsplit(str(self.plan.resource_url)).path,
            headers={"Authorization": f"Bearer {access_token}"},
        )
        with self.api.getresponse() as response:
            response.read()
            return response.status == 200


def redis_store(port: int, prefix: str) -> RedisTokenStore:
    """As `docs/sharing.md` says; its processes make a client each."""
    return RedisTokenStore(partial(_redis_client, port), prefix)


def _redis_client(port: int) -> Any:
    retry = Retry(NoBackoff(), 1)
    return redis.Redis(port=port, socket_timeout=1, socket_connect_timeout=1, retry=retry)
