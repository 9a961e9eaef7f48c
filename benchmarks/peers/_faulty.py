"""Scenario 11: answers that hold no token, one that does not end, a huge one, and a redirect."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from benchmarks._result import Figure, Goal, Result, judged

from . import _header_peers, _token_peers
from ._answers import DRIPPING, FAULTY, HUGE, REDIRECT
from ._bench import COMPARISON, Bench, Row, Rows, Scenario, markdown
from ._candidates import OWN, PEERS
from ._server import Server

FAMILIES = {
    OWN: "pygen_auth",
    _header_peers.CogniteSdk.name: "cognite",
    _header_peers.RequestsOAuth2Client.name: "requests_oauth2client",
    _header_peers.HttpxAuth.name: "httpx_auth",
    _header_peers.GoogleAuth.name: "google",
    _token_peers.Auth0.name: "auth0",
    _token_peers.Authlib.name: "authlib",
    _token_peers.Databricks.name: "databricks",
    _token_peers.Msal.name: _token_peers.__name__,
    _token_peers.AzureIdentity.name: "azure",
}
"""Those who make the whole request themselves, and the package or module that their own errors come
from. msal returns its errors; our adapter raises them."""

PATIENCE = 60.0
"""Seconds for an answer that does not end; pygen-auth's default `timeout` is half of it."""


def measure(bench: Bench) -> Rows:
    """Of all candidates at once: they share the server, and with it the fault."""
    rows: Rows = {name: {"own": [], "others": {}, "tokens": []} for name in FAMILIES}
    for fault in FAULTY:
        bench.server.behave(fault=fault)
        for name, outcome in bench.at_once(FAMILIES, _outcome, fault).items():
            _count(rows[name], fault, outcome)
    bench.server.behave(fault=HUGE)
    for name, megabytes in bench.at_once(FAMILIES, _memory).items():
        rows[name]["huge_mb"] = megabytes
    for name, row in rows.items():  # one by one, since the server cannot tell them apart
        bench.server.behave(fault=REDIRECT)
        bench.run(name, _outcome, name, REDIRECT)
        row["carried"] = bench.server.carried()
    bench.server.behave(fault=DRIPPING)
    for name, seconds in bench.at_once(FAMILIES, _seconds).items():
        rows[name]["drip_seconds"] = seconds
    return rows


def _count(row: Row, fault: str, outcome: str | None) -> None:
    if outcome is None:
        row["tokens"].append(fault)
    elif outcome:
        row["others"][fault] = outcome
    else:
        row["own"].append(fault)


def _outcome(server: Server, name: str, fault: str) -> str | None:
    """The name of a foreign exception, empty if it is one of the library's; None for a token."""
    try:
        _asked(server, name, fault)
    except Exception as error:
        module = type(error).__module__
        own = module == FAMILIES[name] or module.startswith(f"{FAMILIES[name]}.")
        return "" if own else type(error).__name__
    return None


def _asked(server: Server, name: str, fault: str) -> Any:
    """What an API is sent then; by a client of its own, since some caches serve a whole process."""
    peer = PEERS[name](server.endpoint(f"{name}, {fault}"))
    return peer.access_token(peer.caller()())


def _memory(server: Server, name: str) -> float:
    """Megabytes that the process grows by, at its largest."""
    before = _peak()
    _outcome(server, name, HUGE)
    return (_peak() - before) / 1e6


def _peak() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        (line,) = (line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _seconds(server: Server, name: str) -> float | None:
    """Until the caller is back; None if it is not within `PATIENCE`."""
    began = time.monotonic()
    caller = threading.Thread(target=_outcome, args=(server, name, DRIPPING), daemon=True)
    caller.start()
    caller.join(PATIENCE)
    return None if caller.is_alive() else time.monotonic() - began


def judge(rows: Rows) -> list[Result]:
    """One family of errors, no token out of nothing, and an end to everything."""
    own = rows[OWN]
    seconds = PATIENCE if own["drip_seconds"] is None else own["drip_seconds"]
    of_all, none = f"of {len(FAULTY)} answers", Goal("exactly", 0, "answers")
    return [
        judged("other exceptions", none, Figure(len(own["others"]), of_all)),
        judged("taken for a token", none, Figure(len(own["tokens"]), of_all)),
        judged("secret sent on", Goal("exactly", 0, "requests"), Figure(own["carried"], "")),
        judged("answer of 50 MB", Goal("under", 20, "MB"), Figure(own["huge_mb"], "")),
        judged("answer without an end", Goal("under", 35, "s"), Figure(seconds, "")),
    ]


def table(rows: Rows) -> Iterator[str]:
    """Whoever has the most errors of its own first; then what the answers were."""
    order = sorted(rows, key=lambda name: -len(rows[name]["own"]))
    yield from markdown(
        (f"of {len(FAULTY)} faulty answers", "own errors", "other exceptions", "taken for a token",
         "redirect", "50 MB", "byte by byte"),
        ((name, *_cells(rows[name])) for name in order),
    )  # fmt: skip
    yield from ("", f"The faulty answers: {', '.join(FAULTY)}.")


def _cells(row: Row) -> tuple[str, ...]:
    kinds = ", ".join(sorted(set(row["others"].values())))
    seconds = row["drip_seconds"]
    return (
        str(len(row["own"])),
        f"{len(row['others'])} ({kinds})" if kinds else "0",
        str(len(row["tokens"])),
        "secret sent on" if row["carried"] else "error",
        f"+{row['huge_mb']:.0f} MB",
        "hangs" if seconds is None else f"error after {seconds:.0f} s",
    )


SCENARIO = Scenario("faulty-answers", measure, judge, table, COMPARISON)
