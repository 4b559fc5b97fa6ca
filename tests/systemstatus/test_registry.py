"""Modules come from each app's status.py, and only once."""

import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.test import override_settings

from systemstatus import registry
from systemstatus.collector import collect_snapshot
from systemstatus.models import Snapshot
from tests.systemstatus.test_collector import NOON
from tests.systemstatus.watched import module, only, probe

STATUS = """
from systemstatus.registry import Layer, Module, Probe, Reading, register
register(Module(name="weather", title="Weather", layer=Layer.INTEGRATION, core=False, owner="weather",
                probes=(Probe("look", lambda: Reading({"weather.wind": 12})),)))
"""


@pytest.mark.django_db
def test_a_new_app_with_only_a_status_file_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "weather"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "status.py").write_text(STATUS)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = [config.name for config in apps.get_app_configs()]
    with only(), override_settings(INSTALLED_APPS=[*names, "weather"]):
        registry.discover()
        collect_snapshot(NOON)
    assert Snapshot.objects.get(module="weather").values == {"weather.wind": 12}
    del sys.modules["weather"], sys.modules["weather.status"]


def test_a_name_is_taken_once_and_has_a_length() -> None:
    with only(module("one")):
        with pytest.raises(ValueError, match="registered already"):
            registry.register(module("one"))
        with pytest.raises(ValueError, match="no name"):
            registry.register(module(""))
        with pytest.raises(ValueError, match="two probes of one name"):
            registry.register(module("two", probe({}), probe({})))


def test_modules_come_by_layer_and_then_in_their_order() -> None:
    layers = registry.Layer
    with only(
        module("z", layer=layers.STORAGE), module("b", layer=layers.EDGE), module("a", layer=layers.EDGE)
    ):
        assert [one.name for one in registry.modules()] == ["b", "a", "z"]
