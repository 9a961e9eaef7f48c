"""The picture of `pygen-auth check` that finds a fault: the command itself, run on this machine."""

from __future__ import annotations

import contextlib
import html
import io
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from pygen_auth.testing import Answer, AuthorizationServer

FILE = Path(__file__).parents[1] / "assets/check.svg"
COLUMNS = 100
EXPIRED = {
    "error": "invalid_client",
    "error_description": "AADSTS7000222: The provided client secret keys for app are expired.",
    "error_codes": [7000222],
}
"""What Entra ID answers once the secret's day has come: the most usual fault at night."""
THEME = TerminalTheme(
    background=(30, 34, 42),
    foreground=(214, 218, 226),
    normal=[
        *((30, 34, 42), (240, 113, 120), (126, 205, 140), (232, 190, 96)),  # black, red, green, …
        *((110, 168, 254), (200, 146, 234), (100, 200, 210), (214, 218, 226)),
    ],
)
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>pygen-auth check finds a client secret that has expired</title>
<style>
.{unique_id}-matrix {{
  font: {char_height}px ui-monospace, Menlo, Consolas, monospace; white-space: pre;
}}
{styles}
</style>
<defs>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own, without the font that it fetches from elsewhere."""


def shown() -> str:
    """What the command writes to a terminal, with its colours."""
    with AuthorizationServer(tls=True) as server, TemporaryDirectory() as folder:
        server.override = Answer(401, body=EXPIRED)
        shutil.copy(str(server.ca_file), Path(folder, "company-ca.pem"))
        ours, its = pty.openpty()  # lines are wrapped for a terminal alone
        command = [sys.executable, "-m", "pygen_auth", "check"]
        with subprocess.Popen(
            command, cwd=folder, env=_environment(server), stdout=its, stderr=subprocess.DEVNULL
        ) as program:
            os.close(its)
            output = b"".join(_read(ours))
        os.close(ours)
    assert program.returncode == 1, output
    return output.decode().replace("\r\n", "\n")


def _read(terminal: int) -> Iterator[bytes]:
    """All that comes until the program has ended."""
    with contextlib.suppress(OSError):  # which says that on Linux
        while some := os.read(terminal, 4096):
            yield some


def _environment(server: AuthorizationServer) -> Mapping[str, str]:
    settings = {
        "IDP_TOKEN_URL": server.token_url,
        "IDP_CLIENT_ID": "2f3a1c5e-0000-4000-8000-00000000000b",
        "IDP_CLIENT_SECRET": "the secret of last year",
        "CDF_CLUSTER": "westeurope-1",
        "SSL_CERT_FILE": "company-ca.pem",
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
        "PYTHONUTF8": "1",
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **settings}


def svg(output: str) -> str:
    """The picture of it."""
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ pygen-auth check", style="bold"))
    console.print(Text.from_ansi(output.rstrip()))
    return console.export_svg(
        title="", theme=THEME, code_format=FORMAT, unique_id="check", font_aspect_ratio=0.61
    )


def told(picture: str) -> list[str]:
    """The words of a picture, without what differs from run to run."""
    text = " ".join(html.unescape(line) for line in re.findall(r">([^<]+)</text>", picture))
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", text)
    text = re.sub(r"\b\d[\d.]*\s+m?s\b", "… ms", text)
    return re.sub(r"\d+", "…", text).split()
