"""django-oauth-toolkit under /o, as its documentation mounts it, with a database in memory.

python server.py clients.json
"""

# mypy: disable-error-code="import-not-found, import-untyped"
# It runs where Django is, and is checked where it is not.

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

CLIENTS = {
    client["id"]: client for client in json.loads(Path(sys.argv[1]).read_text("utf-8"))["clients"]
}


def lifetime_for(request: Any) -> int:
    return int(CLIENTS[request.client.client_id]["lifetime"])


def signing_key() -> str:
    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


settings.configure(
    SECRET_KEY="of a server for tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "oauth2_provider",
    ],
    # The default one takes half a second for each secret.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    OAUTH2_PROVIDER={
        "SCOPES": {"read": "Reading", "write": "Writing"},
        "DEFAULT_SCOPES": ["read"],
        "EXTRA_SERVER_KWARGS": {"token_expires_in": lifetime_for},
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": signing_key(),
    },
)
django.setup()

from oauth2_provider.models import Application  # noqa: E402  # needs the settings
from oauth2_provider.urls import metadata_urlpatterns  # noqa: E402

urlpatterns = [
    # RFC 8414 wants the document of the issuer /o at the root.
    path("", include((metadata_urlpatterns, "metadata"))),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]


class Handler(WSGIRequestHandler):
    def address_string(self) -> str:
        return str(self.client_address[0])  # the original one looks up a name


def end_with_the_starter() -> None:
    """Which holds standard input open."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    call_command("migrate", verbosity=0)
    for client in CLIENTS.values():
        if client["secret"] is None:
            continue  # it knows no clients with a key or a certificate
        Application.objects.create(
            client_id=client["id"],
            client_secret=client["secret"],
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=client["grant"].replace("_", "-"),
            redirect_uris="https://app.example.com/",
            name=client["id"],
        )
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=end_with_the_starter, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    sys.modules["server"] = sys.modules["__main__"]
    settings.ROOT_URLCONF = "server"
    main()
