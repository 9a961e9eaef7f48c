"""What users install: wheel and sdist, as hatchling builds them when pip asks for one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pygen_auth

if sys.version_info >= (3, 11):
    import tomllib
else:  # what pytest itself reads its settings with
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
VERSION = pygen_auth.__version__
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS: list[str] = re.findall(
    r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE
)
"""The versions that are supported, the oldest first."""
EXTRAS = sorted(set(PROJECT["optional-dependencies"]) - {"dev", "docs"})

NEEDS: dict[str, str] = {
    "cli": "import pygen_auth._cli.screen",
    "redis": "from pygen_auth import ConfigurationError\n"
    "from pygen_auth.stores import RedisTokenStore\n"
    "def client():\n"
    "    import redis\n"
    "    return redis.Redis(port=9)\n"
    "try: RedisTokenStore(client).load('key')\n"
    "except ConfigurationError: raise\n"
    "except Exception as error: assert type(error).__name__ == 'ConnectionError'",
    "stores": "from pygen_auth.stores import FileTokenStore\nassert FileTokenStore().directory",
    "testing": "from pygen_auth.testing import AuthorizationServer\n"
    "with AuthorizationServer(tls=True) as server: assert server.ca_file",
    "yaml": "from pygen_auth import Credentials\n"
    "assert Credentials.load('token: abc').get_headers()",
}
"""For each extra, what fails without it, with an error that names it, and works with it."""

WHEEL = f"pygen_auth-{VERSION}-py3-none-any.whl"
SDIST = f"pygen_auth-{VERSION}.tar.gz"


def build(directory: Path) -> Path:
    """Wheel and sdist in this directory; without the network, and within a second or two."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(directory)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return directory
