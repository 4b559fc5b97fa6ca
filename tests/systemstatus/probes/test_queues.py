"""What waits, and how full the disk is, is seen as it is."""

import shutil
from datetime import timedelta

import pytest
from django.utils import timezone

from healthpilot.dataqueue.models import Job, Pause
from systemstatus.probes import host, queues
from tests.costs.events import job, store


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


@pytest.mark.django_db
def test_attempts_of_the_last_minutes_are_counted_by_type_with_failures_lengths_and_waits() -> None:
    end = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    store(
        *(
            job(
                f"{end - timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}",
                job_type=job_type,
                success=success,
                **more,
            )
            for job_type, minutes, success, more in (
                ("report", 1, True, {"duration_ms": 100, "queue_wait_ms": 10}),
                ("report", 2, False, {"duration_ms": 300, "queue_wait_ms": 30}),
                ("mail", 14.9, True, {"duration_ms": None, "queue_wait_ms": None}),
                ("too old", 15.1, True, {}),
                ("too new", -0.5, True, {}),
            )
        )
    )
    assert queues.types().detail == {
        "types": [
            {"type": "report", "runs": 2, "failed": 1, "mean_ms": 200.0, "mean_wait_ms": 20.0,
             "longest_wait_ms": 30},
            {"type": "mail", "runs": 1, "failed": 0, "mean_ms": None, "mean_wait_ms": None,
             "longest_wait_ms": None},
        ],
        "types_minutes": 15,
    }  # fmt: skip
    values = queues.outcomes().values
    assert (values["queue.runs"], values["queue.failed"]) == (1, 0)
