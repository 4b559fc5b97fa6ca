"""Telemetry among the INSTALLED_APPS of a Django project that is not HealthPilot's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from telemetry.models import JobEvent
from tests.telemetry import commandline

pytestmark = pytest.mark.usefixtures("recording")

SETTINGS = """
import json, os
SECRET_KEY = "own"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "telemetry"]
DATABASES = {"default": json.loads(os.environ["OWN_DATABASE"])}
"""
PROGRAM = """
import django
django.setup()
from telemetry.record import close, dropped_events, with_job_telemetry
with with_job_telemetry("own-job", {"user_id": "u1", "tier": "pro", "domain": "own"}):
    pass
assert close(20), dropped_events()
"""


def run(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the program in a project of its own, which states nothing of telemetry's."""
    (folder / "own_settings.py").write_text(SETTINGS)
    known = connection.settings_dict
    database = {name: known[name] for name in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")}
    extra = {"PYTHONPATH": f"{folder}:{commandline.ROOT}", "DJANGO_SETTINGS_MODULE": "own_settings"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=commandline.environment(OWN_DATABASE=json.dumps(database), **extra, **environment),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_project_that_states_none_of_its_settings_records(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert JobEvent.objects.get().job_type == "own-job"


def test_a_project_without_a_data_folder_is_told_so_at_its_start(tmp_path: Path) -> None:
    done = run(tmp_path, HEALTHPILOT_VAR="")
    assert done.returncode == 1
    assert "telemetry needs HEALTHPILOT_VAR" in done.stderr
