"""What a preset is, and the only place that checks the values it is made of.

A check names the setting and the shape it should have. It never shows the value: somebody's
secret may have got into the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ._errors import ConfigurationError
from .client_auth import ClientAuth

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
NAME = re.compile(_LABEL, re.IGNORECASE | re.ASCII)
"""One part of a host name."""
DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}", re.IGNORECASE | re.ASCII)
"""A host name with a dot in it, without scheme, port and path."""
WORD = re.compile(r"\S+")
TEXT = re.compile(r"\S(?:.*\S)?")
"""One line, without white space around it."""


@dataclass(frozen=True)
class Provider:
    """What a provider wants from its clients. A keyword given to the credentials wins over it.

    The three sequences may be given as lists; of a str its words count.

    Raises:
        ConfigurationError: one of the sequences is neither, or `params` is no mapping.
    """

    name: str
    """As the function that made it: "entra", "auth0", …"""
    token_url: str
    """The token endpoint (RFC 6749 §3.2)."""
    issuer: str | None = None
    """What discovery is asked for (RFC 8414 §2); None where there is nothing to ask."""
    scopes: tuple[str, ...] = ()
    """The scopes that are asked for."""
    audience: str | None = None
    """Sent as the form field `audience`; None sends none."""
    client_auth: str | ClientAuth | None = None
    """How a client proves itself; None where that is not said, so that the library's default
    counts, or what discovery finds."""
    params: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Further form fields."""
    default_lifetime: float | None = None
    """Seconds a token lives where the server does not say; None for the library's default."""
    docs_url: str | None = None
    """The provider's own page about the client credentials grant."""
    issuers: tuple[str, ...] = ()
    """What its metadata may name as issuer instead; "{guid}" stands for any GUID."""
    client_auth_methods: tuple[str, ...] = ()
    """The names of RFC 7591 §2 that the server takes; empty where it is not known to be limited."""

    def __post_init__(self) -> None:
        for name in ("issuers", "scopes", "client_auth_methods"):
            object.__setattr__(self, name, words(name, getattr(self, name)))
        if not isinstance(self.params, Mapping):
            raise ConfigurationError("params must be a mapping of form fields")
        object.__setattr__(self, "params", dict(self.params))


def fitting(setting: str, value: object, form: re.Pattern[str], wanted: str) -> str:
    """The value, if it is a text of this form."""
    if isinstance(value, str) and form.fullmatch(value):
        return value
    raise ConfigurationError(f"{setting} must be {wanted}{_fault(value, form)}")


def _fault(value: object, form: re.Pattern[str]) -> str:
    """What is easily overlooked."""
    if not isinstance(value, str):
        return f"; it is of type {type(value).__name__}"
    if not value.strip():
        return "; it is empty"
    if value != value.strip():
        return "; it has white space around it"
    # Some of these texts may be URLs, or have blanks: then that is not what is wrong.
    for fault, example in _FAULTS.items():
        if fault in value and not form.fullmatch(example):
            return f"; it has {fault!r} in it"
    return ""


_FAULTS = {"://": "https://a.example", "/": "a/b", " ": "a b", ":": "a:1", ",": "a,b"}
"""What is often pasted along, each with a text that shows whether a form takes it."""


def words(setting: str, value: Iterable[str] | str) -> tuple[str, ...]:
    """The words of a list, or of a text with spaces between them."""
    if isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{setting} must be a list of str, or one space-separated str")
    several = value.split() if isinstance(value, str) else value
    return tuple(fitting(setting, word, WORD, "words without white space") for word in several)


def some_scopes(scopes: Iterable[str] | str, example: str) -> tuple[str, ...]:
    """One scope at least."""
    several = words("scopes", scopes)
    if not several:
        raise ConfigurationError(f"scopes must name at least one, as in scopes=[{example!r}]")
    return several
