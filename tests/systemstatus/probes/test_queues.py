"""What waits, and how full the disk is, is seen as it is."""

import shutil
from datetime import timedelta

import pytest
from django.utils import timezone

from healthpilot.dataqueue.models import Job, Pause
from systemstatus.probes import host, queues


@pytest.mark.django_db
def test_waiting_jobs_are_counted_by_class_and_a_paused_class_is_not_late() -> None:
    due_at = timezone.now() - timedelta(seconds=90)
    for name in ("paid", "paid", "free"):
        Job.objects.create(
            kind="t.x", tier="pro", user_id="u", domain="", queue_class=name, due_at=due_at, fair_at=due_at
        )
    Pause.objects.create(queue_class="free", actor="ada")
    values = queues.depth().values
    assert values["queue.depth"] == {"paid": 2, "free": 1, "heavy": 0, "system": 0}
    oldest = values["queue.oldest"]
    assert isinstance(oldest, dict)
    assert 90 <= oldest.pop("paid") < 95
    assert oldest == {"free": 0, "heavy": 0, "system": 0}


def test_the_disk_is_as_full_as_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil._ntuple_diskusage(1000, 900, 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: full)
    assert host.disk().values == {"host.disk": 90.0}


def test_the_spool_tells_what_waits() -> None:
    assert host.spool().values["spool.waiting"] == 0
