"""The picture of `pygen-auth check` that finds a fault: the command itself, run on this machine."""

from __future__ import annotations

import html
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from email.utils import formatdate
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
        server.documents["/oauth2/token"] = Answer(405, {"Date": formatdate(usegmt=True)})
        server.override = Answer(401, body=EXPIRED)
        shutil.copy(str(server.ca_file), Path(folder, "company-ca.pem"))
        ran = subprocess.run(
            [sys.executable, "-m", "pygen_auth", "check"],
            cwd=folder,
            env=_environment(server),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the progress
            text=True,
            encoding="utf-8",
        )
    assert ran.returncode == 1, ran.stdout
    return ran.stdout


def _environment(server: AuthorizationServer) -> Mapping[str, str]:
    settings = {
        "IDP_TOKEN_URL": server.token_url,
        "IDP_CLIENT_ID": "2f3a1c5e-0000-4000-8000-00000000000b",
        "IDP_CLIENT_SECRET": "the secret of last year",
        "CDF_CLUSTER": "westeurope-1",
        "SSL_CERT_FILE": "company-ca.pem",
        "FORCE_COLOR": "1",
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
    return re.sub(r"\d+", "…", text).split()
