"""The authorization server that users start: endpoints, scripted answers, records."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from email.message import Message
from email.utils import formatdate

from authlib.oauth2 import OAuth2Error, rfc6749

from ._http import Answer, HTTPServer
from ._issuer import IssuedToken, Issuer, Validator
from ._request import AUTH_METHODS, SIGNING_ALGORITHMS, Request, TokenRequest, record
from ._tls import Authority, Certificate

_TOKEN_PATH = "/oauth2/token"
_RESOURCE_PATH = "/resource"
_METADATA_PATHS = (
    "/.well-known/oauth-authorization-server",  # RFC 8414
    "/.well-known/openid-configuration",
)


class AuthorizationServer:
    """An OAuth 2.0 authorization server and a protected resource on loopback.

    It listens from its construction on, on `port` of `host` (0 is any free one), until `close`,
    and is its own context manager. Every connection has a thread, every method may be called from
    any thread, and every request and token is kept for as long as the server.

    The resource answers a valid bearer token with the JSON members `access_token`, `client_id`,
    `scope` and `audience`; the metadata is where RFC 8414 and OpenID Connect Discovery put it.
    With `tls`, clients may present certificates that `issue_certificate` made.

    Attributes:
        url: the root, without a slash at the end; also as `issuer`.
        token_url: the token endpoint, for POST.
        resource_url: the protected resource, for GET and POST.
        metadata: what it publishes about itself; may be changed in place. An assertion may be
            meant for the issuer named here, or for `token_url`.
        documents: the answers to GET by path, before any other; may be changed. At first those
            with the metadata.
        lifetime: seconds, finite and not negative; may be set for the tokens issued from then on.
        delay: seconds by which the server's own answers to token requests come late.
        override: while set, the answer to every token request that no scripted answer is left for.
        resource_calls: how many requests the resource saw.
        resource_refusals: how many of those it refused.
        ca_file: path of the PEM file with the CA to trust, removed by `close`; None without `tls`.

    Raises:
        ImportError: `tls` is asked for and trustme is not installed.
        OSError: `host` and `port` are nothing to listen on.
    """

    def __init__(
        self,
        *,
        lifetime: float = 3600,
        tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.lifetime = lifetime
        self.delay = 0.0
        self.override: Answer | None = None
        self.resource_calls = self.resource_refusals = 0
        self.ca_file: str | None = None
        self._lock = threading.Lock()
        self._script: deque[Answer] = deque()
        self._requests: list[tuple[str, str]] = []
        self._token_requests: list[TokenRequest] = []
        self._issuer = Issuer(
            lambda: self.lifetime, lambda: [self.token_url, self.metadata.get("issuer")]
        )
        self._protector = rfc6749.ResourceProtector()
        self._protector.register_token_validator(Validator(self._issuer.tokens))
        with contextlib.ExitStack() as stack:
            context = self._authority = None
            if tls:
                directory = stack.enter_context(tempfile.TemporaryDirectory())
                self._authority = Authority(directory)
                self.ca_file = self._authority.ca_file
                context = self._authority.server_context()
            server = HTTPServer(host, context, self._respond, port)
            stack.callback(server.stop)
            self._resources = stack.pop_all()
        authority = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{authority}:{server.server_address[1]}"
        self.issuer = self.url
        self.token_url = self.url + _TOKEN_PATH
        self.resource_url = self.url + _RESOURCE_PATH
        self.metadata = self._describe()
        self.documents = {path: Answer(body=self.metadata) for path in _METADATA_PATHS}

    def __enter__(self) -> AuthorizationServer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop all connections, whatever is being sent; within a second."""
        self._resources.close()

    def add_client(
        self,
        client_id: str,
        client_secret: str = "",
        *,
        public_key: str | bytes | None = None,
        auth_methods: Iterable[str] | None = None,
        scopes: Iterable[str] | None = None,
    ) -> None:
        """Register a client, or replace the one of that name.

        It may authenticate by `auth_methods`: None stands for client_secret_basic and
        client_secret_post, or with a `public_key` (PEM, or a certificate with it) for
        private_key_jwt. By tls_client_auth it needs a certificate of `issue_certificate`.

        It may ask for `scopes`: None stands for any, and asking for another is answered with
        invalid_scope.

        Raises:
            ValueError: client_secret_jwt with a secret under 32 bytes (RFC 7518, 3.2), or
                private_key_jwt without a public key that can be read.
        """
        self._issuer.add_client(client_id, client_secret, public_key, auth_methods, scopes)

    def issue_certificate(self, client_id: str) -> str:
        """The path of a PEM file with a new private key and a certificate for this client.

        The certificate's common name is the client id. `close` removes the file.

        Raises:
            ValueError: there is no `tls`, or the name is none that a certificate can have.
        """
        if self._authority is None:
            raise ValueError("certificates need AuthorizationServer(tls=True)")
        return self._authority.issue(client_id)

    def script(self, *answers: Answer) -> None:
        """Have the next token requests answered with these, one each, in order."""
        with self._lock:
            self._script.extend(answers)

    def revoke(self, access_token: str) -> None:
        """Have the resource refuse the token with invalid_token, as it does an unknown one."""
        self._issuer.tokens.pop(access_token, None)

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and target of all requests so far, in the order they came; a copy."""
        with self._lock:
            return self._requests.copy()

    @property
    def token_requests(self) -> list[TokenRequest]:
        """The token requests so far, in the order they came; a copy."""
        with self._lock:
            return self._token_requests.copy()

    @property
    def token_request_count(self) -> int:
        """How many token requests there were so far."""
        return len(self._token_requests)

    def _respond(
        self,
        method: str,
        target: str,
        headers: Message,
        body: bytes,
        certificate: Certificate | None,
    ) -> Answer:
        with self._lock:
            self._requests.append((method, target))
        path = target.partition("?")[0]
        document = self.documents.get(path)
        if method == "GET" and document is not None:
            return document
        routes: dict[str, tuple[str, Callable[[Request], Answer]]] = {
            _TOKEN_PATH: ("POST", self._answer_token_request),
            _RESOURCE_PATH: ("GET, POST", self._answer_resource_call),
        }
        if path not in routes:
            return Answer(404)
        allowed, respond = routes[path]
        if method not in allowed:
            return Answer(405, {"Allow": allowed, "Date": formatdate(usegmt=True)})
        return respond(Request(method, path, headers, body, certificate))

    def _answer_token_request(self, request: Request) -> Answer:
        seen = record(request)
        with self._lock:
            self._token_requests.append(seen)
            scripted = self._script.popleft() if self._script else self.override
            delay = self.delay  # that of now: who sees the request counted may set another
        if scripted is not None:
            return scripted
        answer: Answer = self._issuer.create_token_response(request)
        return replace(answer, delay=delay)

    def _answer_resource_call(self, request: Request) -> Answer:
        try:
            token: IssuedToken = self._protector.validate_request(None, request)
        except OAuth2Error as error:
            with self._lock:
                self.resource_calls += 1
                self.resource_refusals += 1
            return self._issuer.handle_response(*error())
        with self._lock:
            self.resource_calls += 1
        names = ("access_token", "client_id", "scope", "audience")
        return Answer(body={name: getattr(token, name) for name in names})

    def _describe(self) -> dict[str, object]:
        methods = [name for name in AUTH_METHODS if self._authority or name != "tls_client_auth"]
        return {
            "issuer": self.issuer,
            "token_endpoint": self.token_url,
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
        }
