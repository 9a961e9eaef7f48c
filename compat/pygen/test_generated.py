"""Clients that Pygen generates, with our credentials. More of them is in `compat/cognite_sdk`."""

from __future__ import annotations

import pytest

from compat.cognite_sdk.clients import WHY, config
from compat.cognite_sdk.data_fusion import DataFusion
from pygen_auth import OAuth2ClientCredentials
from pygen_auth.testing import AuthorizationServer

from .generated import generate, generated_package

sdk = pytest.importorskip("cognite.client", reason=WHY)
pytest.importorskip("cognite.pygen", reason=WHY)

# The oldest SDK wonders about every base_url that is not Cognite's.
pytestmark = pytest.mark.filterwarnings("ignore:Given base URL may be invalid:UserWarning")


@pytest.fixture
def credentials(authority: AuthorizationServer) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(authority.token_url, "the-client", "the-secret-of-the-client")


def test_generated_client_hands_out_what_the_api_sent(
    credentials: OAuth2ClientCredentials, data_fusion: DataFusion
) -> None:
    client = generated_package().WindFarmClient(config(credentials, data_fusion))
    (turbine,) = client.turbine.list()
    assert (turbine.external_id, turbine.name, turbine.power) == ("turbine-1", "north", 2.5)


def test_generated_client_takes_a_client_that_has_the_credentials(
    credentials: OAuth2ClientCredentials, data_fusion: DataFusion
) -> None:
    client = sdk.CogniteClient(config(credentials, data_fusion))
    assert len(generated_package().WindFarmClient(client).turbine.list()) == 1


def test_pygen_generates_from_a_model_that_it_fetches_with_the_credentials(
    credentials: OAuth2ClientCredentials, data_fusion: DataFusion, authority: AuthorizationServer
) -> None:
    client = sdk.CogniteClient(config(credentials, data_fusion))
    package = generate(("wind", "WindFarm", "1"), "pygen_auth_fetched_farm", client=client)
    assert len(package.WindFarmClient(client).turbine.list()) == 1
    assert len(data_fusion.tokens) == 2
    assert authority.token_request_count == 1
