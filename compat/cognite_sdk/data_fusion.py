"""A project of Cognite Data Fusion on loopback, as far as the tests call it.

Every call needs a bearer token that the authorization server has issued and still honours; it is
asked about each. A call without one is answered as Data Fusion does, with 401.
"""

from __future__ import annotations

import gzip
import json
import threading
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from pygen_auth.testing import Answer, AuthorizationServer
from pygen_auth.testing._http import HTTPServer

PROJECT = "my-project"


def _property(name: str, kind: dict[str, Any]) -> dict[str, Any]:
    return {
        "container": {"type": "container", "space": "wind", "externalId": "Turbine"},
        "containerPropertyIdentifier": name,
        "type": {"list": False, **kind},
        "nullable": True,
        "immutable": False,
        "autoIncrement": False,
        "constraintState": {"nullability": "current"},
    }


_VIEW = {"space": "wind", "externalId": "Turbine", "version": "1"}
_TIMES = {"createdTime": 1, "lastUpdatedTime": 1}

MODEL: dict[str, Any] = {
    "space": "wind",
    "externalId": "WindFarm",
    "version": "1",
    "isGlobal": False,
    **_TIMES,
    "views": [
        {
            **_VIEW,
            **_TIMES,
            "writable": True,
            "queryable": True,
            "usedFor": "node",
            "isGlobal": False,
            "mappedContainers": [{"type": "container", "space": "wind", "externalId": "Turbine"}],
            "properties": {
                "name": _property("name", {"type": "text", "collation": "ucs_basic"}),
                "power": _property("power", {"type": "float64"}),
            },
        }
    ],
}
"""A data model with one view, as the API hands it out."""

_ASSET = {"id": 1, "rootId": 1, "name": "the asset", **_TIMES}
_SPACE = {"space": "wind", "isGlobal": False, **_TIMES}
_TURBINE = {
    "instanceType": "node",
    "space": "wind",
    "externalId": "turbine-1",
    "version": 1,
    **_TIMES,
    "properties": {"wind": {"Turbine/1": {"name": "north", "power": 2.5}}},
}

_SESSION = {"id": 1, "status": "READY", "nonce": "a-nonce"}

_ROUTES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", f"/api/v1/projects/{PROJECT}/assets/list"): {"items": [_ASSET]},
    ("POST", f"/api/v1/projects/{PROJECT}/assets"): {"items": [_ASSET]},
    ("POST", f"/api/v1/projects/{PROJECT}/models/instances/list"): {"items": [_TURBINE]},
    ("POST", f"/api/v1/projects/{PROJECT}/models/datamodels/byids"): {"items": [MODEL]},
    ("GET", f"/api/v1/projects/{PROJECT}/models/spaces"): {"items": [_SPACE]},
    ("POST", f"/api/v1/projects/{PROJECT}/sessions"): {"items": [_SESSION]},
    ("GET", "/api/v1/token/inspect"): {"subject": "the-client", "projects": [], "capabilities": []},
}


class DataFusion:
    """The API at `url`, until it is closed.

    Attributes:
        url: the root; what the Cognite SDK calls `base_url`.
        tokens: the access token of each call that was let in, in order.
        sent: what was sent with each of them.
        refused: how many calls were answered with 401.
    """

    def __init__(self, authority: AuthorizationServer) -> None:
        self._judge = urlsplit(authority.resource_url)
        self._lock = threading.Lock()
        self.tokens: list[str] = []
        self.sent: list[Any] = []
        self.refused = 0
        self._server = HTTPServer("127.0.0.1", None, self._respond)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.stop()

    def _respond(
        self, method: str, target: str, headers: Message, body: bytes, certificate: object
    ) -> Answer:
        # Closed after each answer: the oldest SDK has one pool of connections for all event loops.
        close = {"Connection": "close"}
        authorization = headers.get("Authorization", "")
        if not self._let_in(authorization):
            return Answer(401, close, {"error": {"code": 401, "message": "Unauthorized"}})
        known = _ROUTES.get((method, target.partition("?")[0]))
        if known is None:
            return Answer(404, close, {"error": {"code": 404, "message": f"no {method} {target}"}})
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with self._lock:
            self.sent.append(json.loads(body or b"null"))
        return Answer(200, close, known)

    def _let_in(self, authorization: str) -> bool:
        """Whether the authorization server honours what the caller has brought."""
        connection = HTTPConnection(self._judge.netloc, timeout=10)
        try:
            connection.request("GET", self._judge.path, headers={"Authorization": authorization})
            honoured = connection.getresponse().status == 200
        finally:
            connection.close()
        with self._lock:
            if honoured:
                self.tokens.append(authorization.removeprefix("Bearer "))
            else:
                self.refused += 1
        return honoured
