"""Checks of single settings: seconds, hosts, URLs, texts."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Collection
from typing import TypeGuard
from urllib.parse import SplitResult, urlsplit

from ._errors import ConfigurationError

LONGEST = 10 * 365 * 86_400.0
"""Seconds. A time-out or a lifetime above it has a wrong unit or is a wrong number."""

_NO_HOSTS: frozenset[str] = frozenset()  # one for all: services hold thousands of credentials

_BRACKETED = r"\[[0-9a-fA-F:.]+\](:[0-9]*)?$"
_NO_HOST = frozenset("!\"#$%&'()*+,/;<=>?@[\\]^`{|}~")
"""Characters that no host name has; some URL parsers encode them, and others do not."""
_HOST_NAME = r"[^\s/@:*?#\[\]]+"


def check_seconds(setting: str, value: float, *, zero: bool = False, finite: bool = False) -> float:
    """A number of seconds above zero; with `zero` at least zero, with `finite` under ten years."""
    seconds = _float(value)
    if seconds is None or math.isnan(seconds) or seconds < 0 or (seconds == 0 and not zero):
        least = "of at least 0" if zero else "above 0"
        raise ConfigurationError(f"{setting} must be a number of seconds {least}")
    if finite and seconds > LONGEST:
        raise ConfigurationError(f"{setting} must be under ten years")
    return seconds


def _float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # an int beyond all floats
        return math.inf if value > 0 else -math.inf


def check_switch(setting: str, value: object) -> bool:
    """True or False; a text such as "false" counts as true in Python, and is refused."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{setting} must be True or False")
    return value


def check_hosts(hosts: Collection[str], setting: str = "insecure_hosts") -> frozenset[str]:
    """Host names, in lower case."""
    if isinstance(hosts, (str, bytes)) or not isinstance(hosts, Collection):
        raise ConfigurationError(f'{setting} must be a list of host names, as in ("keycloak",)')
    for host in hosts:
        if not isinstance(host, str) or not (_is_address(host) or re.fullmatch(_HOST_NAME, host)):
            raise ConfigurationError(
                f"{setting} takes bare host names without scheme or port, not {host!r}"
            )
    return frozenset(host.lower() for host in hosts) if hosts else _NO_HOSTS


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_url(
    setting: str,
    url: str,
    insecure_hosts: Collection[str] = (),
    *,
    sends: str = "the client secret",
) -> str:
    """An https URL, or http to this machine or to a host in `insecure_hosts`.

    Whatever two URL parsers could read in two ways is refused before either reads it.
    """
    if not _is_text(url, setting):
        raise ConfigurationError(f"{setting} is empty; an https:// URL is wanted")
    if "\\" in url or " " in url or not url.isprintable():  # no other white space is printable
        raise ConfigurationError(f"{setting} holds white space or other characters no URL has")
    parts = _parts(url)
    if parts is None:
        raise ConfigurationError(f"{setting} is not a URL such as https://host/path")
    host = parts.hostname
    if "@" in parts.netloc:
        raise ConfigurationError(f"{setting} must not hold a user name or password")
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigurationError(f"{setting} must start with https:// and a host name")
    if "#" in url:
        raise ConfigurationError(f"{setting} must not have a fragment (RFC 6749 §3.2)")
    if parts.scheme == "http" and not is_loopback(host) and host not in insecure_hosts:
        raise ConfigurationError(
            f"{setting} sends {sends} over plain http to {host}; use https, or list "
            f"the host in insecure_hosts=({host!r},)"
        )
    if not _NO_HOST.isdisjoint(host):
        raise ConfigurationError(f"{setting} is not a URL such as https://host/path")
    return encodable(setting, url)


def _parts(url: str) -> SplitResult | None:
    """None where it cannot be read; the exception would repeat a password in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    bracketed = "[" in parts.netloc and not re.search(_BRACKETED, parts.netloc)
    return None if bracketed or ".." in (host or "") else parts


def is_loopback(host: str) -> bool:
    """Whether the host can only be this machine: localhost, 127.0.0.0/8, ::1."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 4 or address == ipaddress.ip_address("::1"))


def check_text(setting: str, value: object) -> str:
    if not _is_text(value, setting):
        raise ConfigurationError(f"{setting} is empty; a text is wanted")
    if value != value.strip() or not value.isprintable():
        raise ConfigurationError(f"{setting} has white space around it or a line break in it")
    return encodable(setting, value)


def _is_text(value: object, setting: str) -> TypeGuard[str]:
    """Whether there is one: None counts as an empty one, as from an environment."""
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{setting} must be a str, not {type(value).__name__}")
    return bool(value)


def encodable(setting: str, text: str) -> str:
    """Refuse what UTF-8 cannot carry (lone surrogates, as from a badly decoded environment).

    Gives a plain str, also of a member of an enum: else its name would be sent, in some places.
    """
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ConfigurationError(f"{setting} holds characters that no Unicode text has")
    return str.__str__(text)
