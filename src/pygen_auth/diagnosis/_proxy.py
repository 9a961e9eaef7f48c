"""Which proxy httpx takes for a URL, by its rules for the environment."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from .._checks import is_loopback

_DEFAULT_PORTS = {"http": 80, "https": 443}


def proxy_for(url: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for it; None where the way is direct.

    Raises:
        ValueError: a variable cannot be read.
    """
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    exempt = [one.strip().lower() for one in proxies.get("no", "").split(",")]
    if not named or is_loopback(url.hostname or "") or "*" in exempt:
        return None
    if any(_covers(one, url) for one in exempt if one):
        return None
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    if not proxy.hostname or proxy.port == 0:
        raise ValueError("no host, or no port")
    return proxy


def _covers(exempt: str, url: SplitResult) -> bool:
    """A name counts for itself and for what is under it; with a dot before it for that alone.

    An address counts for itself, and so does what has a scheme.
    """
    host = url.hostname or ""
    whole = "://" in exempt
    address = not whole and _is_address(exempt.partition("/")[0])
    named = f"[{exempt}]" if address and ":" in exempt else exempt
    parts = urlsplit(named if whole else f"all://{named}")
    port = None if url.port == _DEFAULT_PORTS[url.scheme] else url.port  # as httpx has it
    if parts.scheme not in ("all", url.scheme) or parts.port not in (None, port):
        return False
    name = parts.hostname or ""
    if whole or address or name == "localhost":
        return host == name
    return host.endswith(name) if name.startswith(".") else f".{host}".endswith(f".{name}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
