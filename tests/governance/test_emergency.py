"""The emergency stop and scheduled work: what changes something is skipped, recording and status go on."""

import logging

import pytest
from celery import Celery, Task

from governance import emergency
from healthpilot import ticks
from tests.governance.repository import Repository


@pytest.fixture
def app(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Celery:
    """An application of ours whose documents are the small repository's."""
    monkeypatch.setattr(emergency, "active", lambda: ACTIVE(repository.path))
    return Celery("small", task_cls=ticks.Tick, set_as_current=False)


ACTIVE = emergency.active


def test_scheduled_work_is_skipped_while_stopped_and_goes_on_after(
    app: Celery, repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def note(task: Task) -> None:
        ran.append(task.name)

    names = ("costs.rollup_due_days", "dataqueue.sweep", "telemetry.keep_partitions", "systemstatus.collect")
    tasks = [app.task(name=name, bind=True)(note) for name in names]
    repository.decide(kind="stop", title="Costs run away")
    with caplog.at_level(logging.WARNING):
        for task in tasks:
            task.apply(throw=True)
    assert ran == ["telemetry.keep_partitions", "systemstatus.collect"]
    assert "costs.rollup_due_days is skipped: EMERGENCY STOP by D-0004: Costs run away" in caplog.text
    repository.decide(kind="resume", title="Mended")
    for task in tasks:
        task.apply(throw=True)
    assert ran[2:] == list(names)


def test_every_task_of_the_project_asks() -> None:
    from healthpilot.celery import app as project

    assert issubclass(project.Task, ticks.Tick)


def test_documents_that_cannot_be_read_stop_nothing(repository: Repository) -> None:
    repository.decide(kind="stop")
    assert emergency.active(repository.path) == "D-0004: A choice"
    (repository.root / "docs/DECISIONS.md").write_bytes(b"\0")
    assert emergency.active(repository.path) == ""
    (repository.root / "docs/DECISIONS.md").unlink()
    assert emergency.active(repository.path) == ""
