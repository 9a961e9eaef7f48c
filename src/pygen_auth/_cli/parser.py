"""The commands and their options: the only place that names them. It needs no extra."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from pygen_auth import __version__

SHELLS = ("bash", "zsh", "tcsh")
"""Those that shtab writes a completion for."""

_CHECK = """\
examples:
  pygen-auth check                         with the variables of the Cognite Toolkit
  pygen-auth check --config config.toml --call https://api.example.com/items
  pygen-auth check --provider entra --tenant contoso.onmicrosoft.com \\
      --resource api://my-api --client-id my-client-id --client-secret-file secret.txt
  pygen-auth check --token-url https://auth.example.com/oauth2/token \\
      --client-id my-client-id --json | jq .ok

exit status: 0 all well, 1 a step failed, 2 the settings cannot be right"""
_TOKEN = """\
examples:
  pygen-auth token                         which token there is, but not the token
  pygen-auth token --decode | jq .claims.aud
  eval "$(pygen-auth token --export API_TOKEN)"
  curl -H "$(pygen-auth token --headers)" https://api.example.com/items"""
_PROVIDERS = """\
examples:
  pygen-auth providers
  pygen-auth providers entra"""
_DISCOVER = """\
examples:
  pygen-auth discover https://auth.example.com
  pygen-auth discover https://auth.example.com --json | jq -r .token_endpoint"""
_SERVE = """\
examples:
  pygen-auth serve
  pygen-auth serve --port 8080 --client my-app --client another-app --lifetime 60
  pygen-auth serve --tls"""
_COMPLETION = """\
examples:
  pygen-auth completion bash > ~/.local/share/bash-completion/completions/pygen-auth
  pygen-auth completion zsh > ~/.zsh/completions/_pygen-auth"""

_OF_PROVIDERS = {
    "tenant": "Entra ID: GUID or domain of the tenant",
    "resource": "Entra ID: Application ID URI or client id of the API",
    "cloud": "Entra ID: public, us_government, china, …",
    "cluster": "Cognite: what the host of the project begins with",
    "domain": "Auth0, Okta, Cognito: the domain",
    "organization": "Auth0: name or id",
    "authorization-server": "Okta: its id",
    "base-url": "Keycloak: the URL before /realms",
    "realm": "Keycloak: its name",
    "prefix": "Cognito: what its domain begins with",
    "region": "Cognito: of AWS",
    "user-pool-id": "Cognito: such as eu-west-1_AbCdEf123",
}
PROVIDER_ARGUMENTS = tuple(name.replace("-", "_") for name in _OF_PROVIDERS)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments, but not what they are: one may be a secret."""

    def error(self, message: str) -> NoReturn:
        unknown = message.startswith("unrecognized arguments: ")
        super().error("unrecognized arguments; see --help" if unknown else message)


def _duration(text: str) -> float:
    """Seconds, at least 0."""
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError
    return seconds


_duration.__name__ = "number of seconds"  # as argparse names it in its message


class _NoSecret(argparse.Action):
    """Where somebody is about to put a secret into the history of the shell."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        parser.error(
            "a secret is no argument, since it would stay in the history of the shell: set "
            "IDP_CLIENT_SECRET, or use --client-secret-file, --client-secret-env, or the prompt"
        )


def command_line() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="pygen-auth",
        description="OAuth 2.0 client credentials that stay fresh.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    _add_check(commands)
    _add_token(commands)
    _add_providers(commands)
    _add_discover(commands)
    _add_serve(commands)
    _add(
        commands,
        "demo",
        "call an API on this machine while its authorization server is slow, fails and refuses a "
        "token; takes 13 s",
    )
    completion = _add(commands, "completion", "print the completion for a shell", _COMPLETION)
    completion.add_argument("shell", choices=SHELLS, help="to print it for")
    return parser


def _add(
    commands: Any, name: str, help_: str, examples: str = "", usage: str = ""
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help_,
        description=f"{help_[0].upper()}{help_[1:]}.",
        epilog=examples,
        usage=f"%(prog)s {usage}" if usage else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return command


def _add_check(commands: Any) -> None:
    check = _add(
        commands, "check", "find out why an API or its server says no", _CHECK, "[options]"
    )
    check.add_argument("--call", metavar="URL", help="GET this URL of the API with the token")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.add_argument(
        "--redact",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="cover ids of clients, tenants and users; secrets and tokens are never shown",
    )
    _add_settings(check)


def _add_token(commands: Any) -> None:
    token = _add(
        commands, "token", "get a token, and print it in the form you ask for", _TOKEN, "[options]"
    )
    forms = token.add_argument_group("form").add_mutually_exclusive_group()
    forms.add_argument("--bare", action="store_true", help="the token alone")
    forms.add_argument("--headers", action="store_true", help="Authorization: Bearer …")
    forms.add_argument(
        "--export",
        metavar="NAME",
        nargs="?",
        const="ACCESS_TOKEN",
        help="a line for the shell that sets this variable (ACCESS_TOKEN)",
    )
    forms.add_argument(
        "--decode", action="store_true", help="header and claims of a JWT, without its signature"
    )
    _add_settings(token)


def _add_providers(commands: Any) -> None:
    providers = _add(
        commands, "providers", "list the providers that are known, or tell of one", _PROVIDERS
    )
    providers.add_argument("name", nargs="?", help="of a provider")
    providers.add_argument("--json", action="store_true", help="print JSON")


def _add_discover(commands: Any) -> None:
    discover = _add(
        commands, "discover", "ask a server for its token endpoint (RFC 8414)", _DISCOVER
    )
    discover.add_argument("issuer", help="URL of the issuer, or of its metadata")
    discover.add_argument("--json", action="store_true", help="print JSON")
    discover.add_argument(
        "--any-issuer", action="store_true", help="take metadata that names another issuer"
    )
    _add_connection(discover)


def _add_serve(commands: Any) -> None:
    serve = _add(commands, "serve", "be an authorization server for local development", _SERVE)
    serve.add_argument("--host", default="127.0.0.1", help="to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, default=0, help="to listen on; any free one unless set")
    serve.add_argument("--tls", action="store_true", help="https, with a throw-away CA")
    serve.add_argument(
        "--client",
        metavar="ID",
        action="append",
        help="of a client, can be repeated (my-client-id); its secret is made, and shown",
    )
    serve.add_argument(
        "--client-secret-file", metavar="PATH", help="the secret of all clients, in place of those"
    )
    serve.add_argument("--scopes", metavar="TEXT", help="that clients may ask for; any unless set")
    for name, default, help_ in (
        ("--lifetime", 3600.0, "of tokens"),
        ("--delay", 0.0, "of answers"),
    ):
        serve.add_argument(
            name, type=_duration, default=default, metavar="SECONDS", help=f"{help_} ({default:g})"
        )


def _add_settings(command: argparse.ArgumentParser) -> None:
    """Where the settings come from; without any of these, from the environment."""
    source = command.add_argument_group("where the settings are; in the environment unless set")
    source.add_argument("--config", metavar="PATH", help="TOML, YAML or JSON")
    source.add_argument("--provider", metavar="NAME", help="one that pygen-auth providers lists")
    source.add_argument("--token-url", metavar="URL", help="the token endpoint")
    source.add_argument("--issuer", metavar="URL", help="the server, whose metadata tell the rest")
    source.add_argument("--token-file", metavar="PATH", help="a token from elsewhere; - is stdin")
    client = command.add_argument_group("the client")
    client.add_argument("--client-id", metavar="ID", help="of the client; IDP_CLIENT_ID else")
    secret = client.add_mutually_exclusive_group()
    secret.add_argument("--client-secret-file", metavar="PATH", help="with the secret; - is stdin")
    secret.add_argument("--client-secret-env", metavar="NAME", help="variable with the secret")
    client.add_argument("--client-secret", nargs="?", action=_NoSecret, help=argparse.SUPPRESS)
    proof = client.add_mutually_exclusive_group()
    proof.add_argument("--client-auth", metavar="METHOD", help="such as client_secret_basic")
    proof.add_argument("--key-file", metavar="PATH", help="its private key: private_key_jwt")
    proof.add_argument("--assertion-file", metavar="PATH", help="a JWT of another issuer")
    proof.add_argument("--tls-certificate", metavar="PATH", help="with its key: tls_client_auth")
    client.add_argument("--key-certificate", metavar="PATH", help="for Entra ID, with --key-file")
    client.add_argument("--key-password-file", metavar="PATH", help="of the key; - is stdin")
    asked = command.add_argument_group("what to ask for")
    asked.add_argument("--scopes", metavar="TEXT", help="with spaces between them")
    asked.add_argument("--audience", metavar="TEXT", help="as Auth0 and others want it")
    asked.add_argument(
        "--param", metavar="NAME=VALUE", action="append", help="further form field; repeatable"
    )
    providers = command.add_argument_group("of the provider")
    for name, help_ in _OF_PROVIDERS.items():
        providers.add_argument(f"--{name}", metavar="TEXT", help=help_)
    _add_connection(command)


def _add_connection(command: argparse.ArgumentParser) -> None:
    way = command.add_argument_group("the connection")
    way.add_argument("--ca-file", metavar="PATH", help="CA certificates to trust")
    way.add_argument(
        "--insecure-host", metavar="HOST", action="append", help="that may be spoken to by http"
    )
    way.add_argument("--timeout", type=float, metavar="SECONDS", help="for one call (30)")
