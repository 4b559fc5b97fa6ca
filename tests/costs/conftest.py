"""What tests of costs share: a client that may change budgets, and counters of their own."""

import pytest
from django.test import Client

from tests.costs.counters import fresh_counters
from tests.costs.factories import make_admin

__all__ = ["fresh_counters"]


@pytest.fixture
def admin(client: Client) -> Client:
    """A signed-in administrator named root."""
    client.force_login(make_admin())
    return client
