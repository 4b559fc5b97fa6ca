"""Fixtures that every test may use."""

from typing import Any

import pytest

from tests import browser


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Make pytest-playwright use the browser that is here."""
    arguments = [*browser_type_launch_args.get("args", []), *browser.launch_arguments()]
    return browser_type_launch_args | {"executable_path": str(browser.find()), "args": arguments}
