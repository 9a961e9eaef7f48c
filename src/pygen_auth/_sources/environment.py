"""Settings from environment variables, as the Cognite Toolkit and the extractors read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._checks import check_url
from .._errors import ConfigurationError
from .._provider import NAME, fitting
from ..providers import cognite, cognite_entra
from .settings import ClientCredentialsSettings, Settings, TokenSettings


@dataclass(frozen=True)
class _Default:
    """What a variable means that is not set; `{}` in the text is the value of `variable`."""

    text: str = ""
    variable: str | None = None
    needed: bool = True


@dataclass(frozen=True)
class _Rules:
    """What the toolkit does for one PROVIDER."""

    token_url: str | None = None
    """In place of IDP_TOKEN_URL, which is not read then."""
    has_tenants: bool = False
    """Whether IDP_TENANT_ID does as well as IDP_TOKEN_URL."""
    scopes: _Default | None = None
    """Where IDP_SCOPES is not set. None: it is not read, and none are asked for."""
    audience: _Default | None = None
    """Likewise for IDP_AUDIENCE."""


_SCOPE_OF_CLUSTER = _Default("https://{}.cognitedata.com/.default", "CDF_CLUSTER")

_PROVIDERS = {
    "entra_id": _Rules(
        has_tenants=True,
        scopes=_SCOPE_OF_CLUSTER,
        audience=_Default("https://{}.cognitedata.com", "CDF_CLUSTER", needed=False),
    ),
    "auth0": _Rules(
        scopes=_Default("IDENTITY user_impersonation"),
        audience=_Default("https://{0}.fusion.cognite.com/{0}", "CDF_PROJECT"),
    ),
    "cdf": _Rules(token_url=cognite().token_url),
    "other": _Rules(scopes=_SCOPE_OF_CLUSTER, audience=_Default()),
}
"""cognitedata/toolkit:cognite_toolkit/_cdf_tk/utils/auth.py; the first is the toolkit's default."""

_OF_EXTRACTORS = {
    "CDF_CLUSTER": "COGNITE_BASE_URL",
    "CDF_PROJECT": "COGNITE_PROJECT",
    "IDP_CLIENT_ID": "COGNITE_CLIENT_ID",
    "IDP_CLIENT_SECRET": "COGNITE_CLIENT_SECRET",
    "IDP_TENANT_ID": "COGNITE_TENANT_ID",
    "IDP_TOKEN_URL": "COGNITE_TOKEN_URL",
    "IDP_SCOPES": "COGNITE_TOKEN_SCOPES",
    "IDP_AUDIENCE": "COGNITE_AUDIENCE",
}
"""cognitedata/python-extractor-utils:cognite/extractorutils/unstable/configuration/models.py, and
cognitedata/dotnet-extractor-utils: README.md, ExtractorUtils/config/remote_config.yml."""

_BASE_URL = re.compile(
    r"https?://(?:[\w-]+\.plink\.)?([\w-]+)\.cognitedata\.com(?::\d+)?/?", re.ASCII
)
_A_PROJECT = (NAME, "the name of a project alone, as in 'my-project'")
_IN_URLS = {
    "CDF_CLUSTER": (
        NAME,
        "the cluster's name alone, as in 'westeurope-1' for https://westeurope-1.cognitedata.com",
    ),
    "COGNITE_BASE_URL": (
        _BASE_URL,
        "a URL such as https://westeurope-1.cognitedata.com; with another one set CDF_CLUSTER, too",
    ),
    "CDF_PROJECT": _A_PROJECT,
    "COGNITE_PROJECT": _A_PROJECT,
}
"""What may become part of a URL, with its form and that form in words."""


def from_environment(environ: Mapping[str, str]) -> Settings:
    """The settings in environment variables, with the names and the meaning of the toolkit.

    The extractors' names count where the toolkit's are not set. A blank variable is not set.

    Raises:
        ConfigurationError: variables are missing (all of them are named), or one cannot be right.
    """
    if not isinstance(environ, Mapping):
        raise ConfigurationError("environ must be a mapping, as os.environ is")
    variables = _Variables(environ)
    if _login_flow(variables) == "token":
        token = variables.need("CDF_TOKEN")
        variables.refuse_missing("LOGIN_FLOW=token")
        return TokenSettings(token)
    provider = variables.read("PROVIDER").lower() or next(iter(_PROVIDERS))
    if provider not in _PROVIDERS:
        raise ConfigurationError(f"PROVIDER must be one of {', '.join(_PROVIDERS)}")
    keywords = _keywords(variables, _PROVIDERS[provider])
    variables.refuse_missing(
        f"PROVIDER={provider} and LOGIN_FLOW=client_credentials; for another provider set PROVIDER "
        f"to one of {', '.join(_PROVIDERS)}"
    )
    return ClientCredentialsSettings(keywords)


class _Variables:
    """The variables that are set, and the names of those that were needed and are not."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._missing: list[str] = []

    def read(self, name: str) -> str:
        """The value of one variable; empty where it is not set, or blank."""
        value = self._environ.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ConfigurationError(f"{name} must be text")
        if value.strip() not in ("", value):
            raise ConfigurationError(f"{name} has white space around its value; remove it")
        return value.strip()

    def find(self, *names: str) -> tuple[str, str]:
        """Name and value of the first that is set; those of the extractors come after them all."""
        for name in (*names, *_extractors_names(names)):
            value = self.read(name)
            if value:
                return name, value
        return "", ""

    def need(self, *names: str) -> str:
        """The value of the first that is set; where none is, that is remembered."""
        _, value = self.find(*names)
        if not value:
            self.lack(*names)
        return value

    def lack(self, *names: str) -> None:
        """Remember that one of these is missing."""
        if any(self._environ.get(name) for name in _OF_EXTRACTORS.values()):
            names = (*names, *_extractors_names(names))
        self._missing.append(" or ".join(names))

    def refuse_missing(self, assumed: str) -> None:
        """Refuse an environment that lacks something, and say what it was taken for."""
        if not self._missing:
            return
        hint = None
        missing = "; ".join(self._missing)
        if "IDP_TOKEN_URL" in missing and self.read("IDP_DISCOVERY_URL"):
            hint = (
                "IDP_DISCOVERY_URL is not used here, since nothing is fetched: set IDP_TOKEN_URL, "
                "or use OAuth2ClientCredentials.discover(...)"
            )
        elif self.read("CDF_TOKEN"):
            hint = "CDF_TOKEN is set; it is used with LOGIN_FLOW=token"
        raise ConfigurationError(
            f"environment variables are not set: {missing}. Assumed: {assumed}", hint=hint
        )


def _extractors_names(names: tuple[str, ...]) -> list[str]:
    return [_OF_EXTRACTORS[name] for name in names if name in _OF_EXTRACTORS]


def _login_flow(variables: _Variables) -> str:
    flow = variables.read("LOGIN_FLOW").lower()
    if flow not in ("", "client_credentials", "token"):
        raise ConfigurationError(
            "LOGIN_FLOW must be client_credentials or token; device_code and interactive, in which "
            "a person logs in, are not supported"
        )
    _, client = variables.find("IDP_CLIENT_ID", "IDP_CLIENT_SECRET")
    if not flow and not client and variables.read("CDF_TOKEN"):
        return "token"
    return flow or "client_credentials"


def _keywords(variables: _Variables, rules: _Rules) -> dict[str, Any]:
    keywords = {
        "token_url": rules.token_url or _token_url(variables, rules.has_tenants),
        "client_id": variables.need("IDP_CLIENT_ID"),
        "client_secret": variables.need("IDP_CLIENT_SECRET"),
        "scopes": _scopes(variables, rules.scopes),
        "audience": _value(variables, "IDP_AUDIENCE", rules.audience),
    }
    return {name: value for name, value in keywords.items() if value}


def _token_url(variables: _Variables, has_tenants: bool) -> str:
    names = ("IDP_TENANT_ID", "IDP_TOKEN_URL") if has_tenants else ("IDP_TOKEN_URL",)
    name, value = variables.find(*reversed(names))
    if not value:
        variables.lack(*names)
        return ""
    if name in ("IDP_TOKEN_URL", "COGNITE_TOKEN_URL"):
        return _url(name, value)
    try:
        token_url = cognite_entra(value, "api").token_url  # is the same for all clusters
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from error
    authority = variables.read("COGNITE_AUTHORITY_URL") if name == "COGNITE_TENANT_ID" else ""
    if authority:  # the extractors' word for Microsoft's host in another cloud
        base = _url("COGNITE_AUTHORITY_URL", authority).rstrip("/")
        return f"{base}/{value}/oauth2/v2.0/token"
    return token_url


def _url(name: str, value: str) -> str:
    try:
        return check_url(name, value)
    except ConfigurationError as error:
        problem = str(error)
    if "insecure_hosts" in problem:
        problem = f"{name} must be https; plain http takes the constructor, with insecure_hosts"
    raise ConfigurationError(problem)


def _scopes(variables: _Variables, default: _Default | None) -> list[str]:
    value = _value(variables, "IDP_SCOPES", default)
    scopes = re.findall(r"[^,\s]+", value)
    if value and not scopes:
        raise ConfigurationError("IDP_SCOPES names no scope; commas or spaces go between them")
    return scopes


def _value(variables: _Variables, name: str, default: _Default | None) -> str:
    """The variable's value, or what it means where it is not set."""
    if default is None:
        return ""
    _, value = variables.find(name)
    value = value or _derived(variables, default)
    if not value and default.needed:
        variables.lack(*filter(None, (default.variable, name)))
    return value


def _derived(variables: _Variables, default: _Default) -> str:
    if default.variable is None:
        return default.text
    name, value = variables.find(default.variable)
    # Extractors send no audience that nobody named, so COGNITE_BASE_URL does not give one.
    if not value or (name != default.variable and not default.needed):
        return ""
    return default.text.format(_BASE_URL.sub(r"\1", fitting(name, value, *_IN_URLS[name])))
