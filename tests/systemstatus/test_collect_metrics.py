"""`manage.py collect_metrics` makes the pass that beat makes."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from systemstatus.models import Snapshot
from tests.systemstatus.watched import module, only, probe


@pytest.mark.django_db
def test_it_says_what_it_saw_and_that_a_minute_is_collected_already() -> None:
    out = StringIO()
    with only(module("one", probe({"a": 1}))):
        call_command("collect_metrics", stdout=out)
        call_command("collect_metrics", "--json", stdout=out)
    first, second = out.getvalue().splitlines()
    assert "1 modules in" in first
    assert first.endswith("all is well")
    assert json.loads(second)["is_busy"] in {True, False}
    assert Snapshot.objects.filter(module="one").exists()
