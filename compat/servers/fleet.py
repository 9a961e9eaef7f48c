"""The servers of one run: each installed and started when first asked for, stopped at the end."""

from __future__ import annotations

import contextlib
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.support import AnyCredentials, Twin

from .clients import PLAIN, Client, Material, all_clients
from .facts import Facts
from .install import UnavailableError, command_for, installed
from .process import Process
from .resource import ProtectedResource


class Server:
    """A running one, and what the tests ask of it beside tokens."""

    def __init__(self, facts: Facts, process: Process, material: Material) -> None:
        self.facts = facts
        self.process = process
        self.material = material
        self.clients = all_clients(material)
        self.http = httpx.Client(trust_env=False, verify=self.context())
        self.resource_url = self.url("resource") if "resource" in facts.paths else ""

    def context(self) -> ssl.SSLContext:
        """One that trusts the server, where it has TLS."""
        return ssl.create_default_context(cafile=self.material.ca)

    def url(self, name: str) -> str:
        return self.process.url + self.facts.paths[name]

    @property
    def token_url(self) -> str:
        return self.url("token")

    @property
    def issuer(self) -> str:
        return self.url("issuer")

    @property
    def verify(self) -> str | bool:
        """The keyword of that name."""
        return self.material.ca if self.facts.tls else True

    def credentials(self, twin: Twin, client: Client | str, /, **settings: Any) -> AnyCredentials:
        """Those of a registered client, with real clocks and a real sender."""
        known = self.clients[client] if isinstance(client, str) else client
        defaults = {
            "token_url": self.token_url,
            "client_id": known.id,
            "client_secret": known.secret,
            "client_auth": known.client_auth,
            "verify": self.verify,
        }
        return twin.make(**{**defaults, **settings})

    # -- what happens to tokens

    def status(self, authorization: dict[str, str] | str) -> int:
        """What a protected resource answers to these headers, or to this token."""
        if isinstance(authorization, str):
            authorization = {"Authorization": f"Bearer {authorization}"}
        return self.http.get(self.resource_url, headers=authorization).status_code

    def judge(self, token: str) -> bool:
        """Whether a token is good: asked of the server where it can be, else by its keys."""
        if "introspection" in self.facts.paths:
            return bool(self.introspected(token)["active"])
        try:
            claims = self.claims(token)
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(claims)
        except JoseError:
            return False
        return True

    def introspected(self, token: str) -> dict[str, Any]:
        """RFC 7662, asked as the resource server."""
        answer = self.http.post(
            self.url("introspection"), data={"token": token}, auth=("resource-server", PLAIN)
        )
        return dict(answer.raise_for_status().json())

    def claims(self, token: str) -> dict[str, Any]:
        """Of a token that is a JWT signed with a key of the server's."""
        keys = KeySet.import_key_set(self.http.get(self.url("jwks")).raise_for_status().json())
        return dict(jwt.decode(token, keys).claims)

    def revoke(self, client: Client | str, token: str) -> None:
        """RFC 7009, asked as the client itself."""
        known = self.clients[client] if isinstance(client, str) else client
        form = {"token": token, "client_id": known.id, "client_secret": known.secret}
        self.http.post(self.url("revocation"), data=form).raise_for_status()


class Fleet:
    """Gives the servers by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._material = Material(folder)
        self._running: dict[str, tuple[Facts, Server | UnavailableError]] = {}
        self._stack = contextlib.ExitStack()

    def server(self, facts: Facts) -> Server:
        """The server, started unless it runs.

        Raises:
            UnavailableError: it cannot be had here; the same each time.
        """
        if facts.folder not in self._running:
            try:
                self._running[facts.folder] = facts, self._started(facts)
            except UnavailableError as reason:
                self._running[facts.folder] = facts, reason
        _, known = self._running[facts.folder]
        if isinstance(known, UnavailableError):
            raise UnavailableError(*known.args)
        return known

    def _started(self, facts: Facts) -> Server:
        place = installed(facts.folder)
        told = self._folder / f"{facts.folder}.json"
        registrations = [client.registration for client in all_clients(self._material).values()]
        tls = self._material.tls if facts.tls else None
        told.write_text(json.dumps({"clients": registrations, "tls": tls}), "utf-8")
        log = self._folder / f"{facts.folder}.log"
        process = Process((*command_for(facts.folder), str(told)), place, log)
        self._stack.callback(process.stop)
        server = Server(facts, process, self._material)
        self._stack.callback(server.http.close)
        if not server.resource_url:
            resource = self._stack.enter_context(ProtectedResource(server.judge))
            server.resource_url = resource.url
        return server

    def report(self) -> list[str]:
        """A line for each server that was wanted."""
        return [
            f"{facts.folder} {facts.version}: "
            + (f"not here: {known}" if isinstance(known, UnavailableError) else "asked")
            for facts, known in self._running.values()
        ]

    def stop(self) -> None:
        """All that run."""
        self._stack.close()
