"""One process under stress: `python -m tests.stress sender 5 --seed 7`.

Ends with status 1 and a text that names the seed where a call was lost, and with the stacks of
all threads where something hangs.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import json
import logging
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from pygen_auth import OAuth2Error, Token

from ..support import SECRET, Twin
from .world import FASTER, JumpingClock, LocalSender, RealServer

ROUND = 0.3  # seconds; each has credentials of its own
HANGS = 60.0  # seconds that one round may take on a busy machine
THREADS, LOOPS, TASKS = 4, 2, 4
METHODS = ["token", "token", "get_headers", "refresh_if_needed"]


class Round:
    """Callers of both twins, and what disturbs them, for a moment."""

    def __init__(self, server: Any, seed: int, keywords: dict[str, Any]) -> None:
        self.server, self.seed = server, seed
        self.clock = JumpingClock()
        self.over = threading.Event()
        self.lost: list[str] = []
        self.calls = self.errors = 0
        self.given: list[Token] = []
        self.sync, self.asynchronous = (self._made(Twin(n), keywords) for n in ("sync", "async"))

    def _made(self, twin: Twin, keywords: dict[str, Any]) -> Any:
        credentials = twin.make(self.server.token_url, "the-client", SECRET, **keywords)
        credentials._begin(self.clock.clock)
        self.server.serve(credentials, twin.asynchronous)
        return credentials

    def run(self) -> None:
        threads = [threading.Thread(target=self._threads_call, args=(n,)) for n in range(THREADS)]
        threads += [threading.Thread(target=self._tasks_call, args=(n,)) for n in range(LOOPS)]
        threads.append(threading.Thread(target=self._disturb))
        for thread in threads:
            thread.start()
        time.sleep(ROUND)
        self.over.set()
        for thread in threads:
            thread.join()
        self._recover()

    # -- callers

    def _threads_call(self, number: int) -> None:
        chance = random.Random(f"{self.seed} thread {number}")
        while not self.over.is_set():
            judge = self._judge(self.sync)
            try:
                result = getattr(self.sync, chance.choice(METHODS))()
            except BaseException as error:
                judge(error)
            else:
                judge(result)
            time.sleep(chance.choice([0, 0, 0.0005]))

    def _tasks_call(self, number: int) -> None:
        asyncio.run(self._loop(number))

    async def _loop(self, number: int) -> None:
        await asyncio.gather(*(self._task(f"{number} {task}") for task in range(TASKS)))

    async def _task(self, name: str) -> None:
        chance = random.Random(f"{self.seed} task {name}")
        while not self.over.is_set():
            judge = self._judge(self.asynchronous)
            call = asyncio.ensure_future(getattr(self.asynchronous, chance.choice(METHODS))())
            if chance.random() < 0.2:
                asyncio.get_running_loop().call_later(chance.random() / FASTER, call.cancel)
            try:
                result = await call
            except asyncio.CancelledError:
                pass
            except BaseException as error:
                judge(error)
            else:
                judge(result)
            await asyncio.sleep(chance.choice([0, 0, 0.0005]))

    def _judge(self, credentials: Any) -> Callable[[Any], None]:
        """Says of what a call that begins now brought whether it was lost."""
        jumps, before, began = self.clock.jumps, credentials._lease, self.clock.now()

        def judge(result: Any) -> None:
            after, now = credentials._lease, self.clock.now()
            steady = jumps % 2 == 0 and self.clock.jumps == jumps
            self.calls += 1
            if isinstance(result, BaseException):
                self.errors += 1
                held = before.token is after.token and before.usable(began) and after.usable(now)
                if not isinstance(result, OAuth2Error) or (steady and held):
                    self.lost.append("".join(traceback.format_exception(result)))
            elif isinstance(result, Token):
                self.given.append(result)
                if steady and result.expires.reached(began):
                    self.lost.append(f"{result!r} had expired before the call")

        return judge

    # -- what disturbs them

    def _disturb(self) -> None:
        chance = random.Random(f"{self.seed} disturbance")
        disturbances = [
            self._refuse,
            self._refuse,
            self._close,
            self._set_margin,
            self._move_clock,
            self.server.upset,
            self.server.upset,
        ]
        while not self.over.is_set():
            chance.choice(disturbances)(chance)
            time.sleep(chance.choice([0.001, 0.003, 0.01]))

    def _refuse(self, chance: random.Random) -> None:
        if self.given:
            token = self.given[-1]
            self.sync.invalidate(token)
            asyncio.run(self.asynchronous.invalidate(token.access_token))

    def _close(self, chance: random.Random) -> None:
        self.sync.close()
        asyncio.run(self.asynchronous.aclose())

    def _set_margin(self, chance: random.Random) -> None:
        for credentials in (self.sync, self.asynchronous):
            credentials.refresh_margin = chance.choice([0, 1, 10, 300])

    def _move_clock(self, chance: random.Random) -> None:
        seconds = chance.choice([1, 10, 100, 4000])
        self.clock.jump(
            *chance.choice([(seconds, seconds), (seconds, 0), (-seconds, 0), (0, seconds)])
        )

    # -- afterwards

    def _recover(self) -> None:
        """Once the server is well and all pauses are over, both twins work."""
        self.server.calm()
        for thread in threading.enumerate():  # a refresh behind its callers may still be answered
            if thread.name == "pygen-auth refresh":
                thread.join(30)
        self.clock.jump(1000, 1000)
        for call in (self.sync.token, lambda: asyncio.run(_awaited(self.asynchronous.token()))):
            try:
                assert isinstance(call(), Token)
            except BaseException as error:
                self.lost.append("afterwards: " + "".join(traceback.format_exception(error)))
        if self.server.most_in_flight > 1 + LOOPS:
            self.lost.append(f"{self.server.most_in_flight} requests at once")


async def _awaited(coroutine: Any) -> Any:
    return await coroutine


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("server", choices=["sender", "sockets"])
    parser.add_argument("seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keywords", type=json.loads, default={}, help="of the credentials, JSON")
    parser.add_argument("--switch-interval", type=float, default=sys.getswitchinterval())
    options = parser.parse_args()
    sys.setswitchinterval(options.switch_interval)
    logging.getLogger("pygen_auth").setLevel(logging.CRITICAL)  # it warns of each failed refresh
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # in debug mode it warns of what is slow
    end, rounds, calls, errors, requests = time.monotonic() + options.seconds, 0, 0, 0, 0
    while not rounds or time.monotonic() < end:
        faulthandler.dump_traceback_later(HANGS, exit=True)
        seed = options.seed + rounds
        server = (LocalSender if options.server == "sender" else RealServer)(seed)
        one = Round(server, seed, options.keywords)
        one.run()
        server.close()
        faulthandler.cancel_dump_traceback_later()
        rounds, calls, errors = rounds + 1, calls + one.calls, errors + one.errors
        requests += server.requests
        if one.lost:
            print(f"seed {seed}: {len(one.lost)} lost; the first:\n{one.lost[0]}", file=sys.stderr)
            return 1
    print(f"{rounds} rounds, {calls} calls, {errors} errors, {requests} requests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
