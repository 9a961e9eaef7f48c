"""docs/moving.md: both sides of each change run as they stand, and ask for the token alike.

The side of Pygen's own class is in `compat/pygen`.
"""

from __future__ import annotations

import pytest

from pygen_auth.testing import AuthorizationServer

from .clients import WHY
from .data_fusion import DataFusion
from .internet import Internet
from .page import CHANGES, SECTIONS, asked_by_both_sides, run

pytest.importorskip("cognite.client", reason=WHY)

FROM_THE_SDK = "From the Cognite SDK's OAuthClientCredentials"


def test_every_change_is_found() -> None:
    assert len(CHANGES) == 7


@pytest.mark.parametrize("heading", sorted(CHANGES.keys() - {"From Pygen"}))
def test_both_sides_ask_for_the_token_alike(
    heading: str, internet: Internet, authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    before, after = asked_by_both_sides(heading, internet, authority)
    assert before == after
    assert data_fusion.refused == authority.resource_refusals == 0


@pytest.mark.parametrize("way", ["named", "class"])
def test_sessions_are_made_with_the_id_and_the_secret(
    way: str, internet: Internet, data_fusion: DataFusion
) -> None:
    _, after, client = CHANGES[FROM_THE_SDK]
    (_, named), (_, own_class) = SECTIONS["Sessions"]
    default = "client.iam.sessions.create()"
    parts = [after, client, named] if way == "named" else [after, own_class, client, default]
    run(internet, "\n".join(parts))
    (asked,) = data_fusion.sent[-1]["items"]
    assert asked == {"clientId": "my-client-id", "clientSecret": "my-client-secret"}
