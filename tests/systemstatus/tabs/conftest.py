"""Who looks at the tabs in their tests."""

import pytest
from django.test import Client

from healthpilot.web.roles import Role
from tests.costs.factories import make_with_role


@pytest.fixture
def operator(client: Client) -> Client:
    """A browser of somebody who may act."""
    client.force_login(make_with_role(Role.OPERATOR))
    return client
