"""All candidates, in the order of the tables; found by name, since processes pass names along."""

from __future__ import annotations

from . import _async_peers, _header_peers, _own, _pygen, _token_peers
from ._peer import AsyncPeer, Peer

OWN = _own.Own.name

PEERS: dict[str, type[Peer]] = {
    peer.name: peer
    for peer in (
        _own.Own,
        _own.OwnInBackground,
        _pygen.Pygen,
        _header_peers.CogniteSdk,
        _header_peers.RequestsOAuth2Client,
        _header_peers.HttpxAuth,
        _header_peers.GoogleAuth,
        _header_peers.GoogleAuthInBackground,
        _token_peers.Auth0,
        _token_peers.Authlib,
        _token_peers.Botocore,
        _token_peers.Databricks,
        _token_peers.DatabricksInBackground,
        _token_peers.Msal,
        _token_peers.AzureIdentity,
    )
}
ASYNC_PEERS: dict[str, type[AsyncPeer]] = {
    peer.name: peer
    for peer in (
        _own.AsyncOwn,
        _async_peers.AsyncAuth0,
        _async_peers.AsyncAuthlib,
        _async_peers.AsyncAzureIdentity,
    )
}


def others(gives: str) -> list[str]:
    """The names of the peers that hand out a "header", or a bare "token"."""
    peers = (peer for peer in PEERS.values() if peer.distribution != "pygen-auth")
    return [peer.name for peer in peers if peer.gives == gives]
