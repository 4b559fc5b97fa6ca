"""An app that brings only a status.py is watched, without a line changed elsewhere."""

import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, override_settings

from systemstatus import registry
from systemstatus.collector import collect_snapshot
from systemstatus.models import Snapshot
from tests.costs.factories import make_staff
from tests.systemstatus.factories import this_minute
from tests.systemstatus.watched import only

STATUS = '''
"""What is watched of greenhouses."""
from systemstatus.registry import Layer, Metric, Module, Probe, Reading, register

register(Module(
    name="greenhouse", title="Greenhouses", layer=Layer.APP, core=False, owner="garden",
    probes=(Probe("warmth", lambda: Reading({"garden.warmth": 21.5})),),
    metrics=(Metric("garden.warmth", "°C", "Warmth"),),
))
'''


@pytest.mark.django_db
def test_a_new_app_with_a_status_module_is_collected_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    app = tmp_path / "garden_of_tests"
    app.mkdir()
    (app / "__init__.py").write_text("")
    (app / "status.py").write_text(STATUS)
    monkeypatch.syspath_prepend(str(tmp_path))
    with only(), override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "garden_of_tests"]):
        registry.discover()
        assert [module.name for module in registry.modules()] == ["greenhouse"]
        collect_snapshot(this_minute())
        client.force_login(make_staff())
        page = client.get("/admin/status/health").content.decode()
    assert Snapshot.objects.get(module="greenhouse").values == {"garden.warmth": 21.5}
    assert "Greenhouses" in page
    del sys.modules["garden_of_tests.status"], sys.modules["garden_of_tests"]
