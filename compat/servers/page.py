"""The tables of docs/servers.md, made of the data.

python -m compat.servers.page     writes them
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .cases import CASES, ENCODINGS
from .clients import SAMPLES
from .facts import Facts, every_server

PAGE = Path(__file__).parent.parent.parent / "docs" / "servers.md"
HEADINGS = ("The servers", "Secrets", "Requests that are not quite right", "Keys and certificates")

_TABLE = re.compile(r"(^\|.*\n)+", re.MULTILINE)
_WAYS = {"post": "in the form", "auto": '"auto"', "form": '"form"', "raw": '"raw"'}
_REVOKED = {
    "RFC 7009": "revocation",
    "of the program": "revocation by a program of ours",
    "no effect": "revocation without effect",
}
_RESOURCE = {
    "claims": "one `resource`",
    "introspection": "several `resource`",
    "ignored": "",
}


def tables() -> dict[str, str]:
    """By the heading that each stands under."""
    servers = every_server()
    alone = [name for name in CASES if sum(name in server.cases for server in servers) == 1]
    shared = [name for name in CASES if name not in alone]
    return dict(
        zip(
            HEADINGS,
            (_servers(servers), _secrets(servers), _cases(servers, shared), _alone(servers, alone)),
            strict=True,
        )
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    first = list(head)
    lines = [first, ["---"] * len(first), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _servers(servers: list[Facts]) -> str:
    head = ("Server", "Version", "Client authentication", "Metadata", "Also")
    return _table(head, (_about(server) for server in servers))


def _about(server: Facts) -> Iterator[str]:
    yield f"[{server.package}](https://github.com/{server.project})"
    yield server.version
    yield ", ".join(_method(*method) for method in server.methods.items())
    yield ", ".join(server.discovery.get("documents", ())) or "none"
    also = ["TLS" if server.tls else "", "introspection" if "introspection" in server.paths else ""]
    also += [_REVOKED[server.revocation], _RESOURCE[server.resource]]
    yield ", ".join(filter(None, also))


def _method(name: str, algorithms: list[str]) -> str:
    return f"`{name}` ({', '.join(algorithms)})" if algorithms else f"`{name}`"


def _secrets(servers: list[Facts]) -> str:
    head = ("Server", "Sent", *(_code(sample.name) for sample in SAMPLES))
    return _table(
        head,
        (
            (server.package, _WAYS[encoding], *_taken(server.secrets[encoding]))
            for server in servers
            if server.secrets
            for encoding in ENCODINGS
        ),
    )


def _taken(refused: Mapping[str, str]) -> list[str]:
    came = [refused.get(sample.name, "yes") for sample in SAMPLES]
    return [re.sub(r"(?<=\d) .*", "", one) for one in came]  # of a refusal the status


def _code(name: str) -> str:
    words = re.fullmatch(r"[a-z]+|.* in the id|. and .", name)
    return name if words else f"`{name}`"


def _cases(servers: list[Facts], names: list[str]) -> str:
    head = ("Request", *(server.package for server in servers))
    return _table(head, ((name, *(s.cases.get(name, "") for s in servers)) for name in names))


def _alone(servers: list[Facts], names: list[str]) -> str:
    head = ("Request", "Server", "Answer")
    cells = ((name, s.package, s.cases[name]) for name in names for s in servers if name in s.cases)
    return _table(head, cells)


def written(page: str) -> str:
    """The page with the tables as they should be: each replaces the one under its heading."""
    for heading, table in tables().items():
        before, title, after = page.partition(f"\n## {heading}\n")
        old = _TABLE.search(after)
        assert old, f"no table under {heading}"
        page = before + title + after[: old.start()] + table + after[old.end() :]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
