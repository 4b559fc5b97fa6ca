"""What floors below the trail change arrives in it, within the transaction of the change."""

from typing import Any

import pytest
from django.db import transaction

from healthpilot.dataqueue import actions
from healthpilot.tokens.issuing import issue, revoke
from healthpilot.web import trail
from systemstatus.models import AuditEntry
from tests.healthpilot.dataqueue.jobs import put

pytestmark = pytest.mark.django_db


def entries() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("actor", "action", "target"))


def test_a_token_made_and_revoked_is_told_without_its_secret() -> None:
    issued = issue(name="etl", scopes=["events:write"], created_by="ada")
    shown = issued.token.shown
    assert revoke(issued.token.prefix, revoked_by="bob")
    assert not revoke(issued.token.prefix, revoked_by="eve")
    assert entries() == [
        ("ada", "token.issue", f"etl ({shown})"),
        ("bob", "token.revoke", f"etl ({shown})"),
    ]
    secret = issued.text.removeprefix(f"hp_{issued.token.prefix}_")
    assert len(secret) > 20
    assert not AuditEntry.objects.filter(after__icontains=secret).exists()
    first = AuditEntry.objects.earliest("id")
    assert first.after == {"client": "etl", "scopes": ["events:write"], "expires_at": None}


def test_what_is_done_to_jobs_and_queues_is_told_once() -> None:
    job_id = put()
    for _ in range(2):
        actions.cancel(job_id, actor="ada")
        actions.pause("free", actor="ada", reason="too much")
        actions.resume("paid", actor="ada")
    actions.retry(job_id, actor="bob")
    actions.resume("free", actor="bob")
    assert entries() == [
        ("ada", "job.cancel", f"job {job_id}"),
        ("ada", "queue.pause", "queue free"),
        ("bob", "job.retry", f"job {job_id}"),
        ("bob", "queue.resume", "queue free"),
    ]


def test_a_change_that_is_rolled_back_was_not_told() -> None:
    with transaction.atomic():
        issue(name="etl", scopes=[], created_by="ada")
        transaction.set_rollback(True)
    assert entries() == []


def test_who_asks_twice_hears_once(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(trail, "hearers", [])

    def hearer(**change: Any) -> None:
        heard.append(change)

    trail.hear(hearer)
    trail.hear(hearer)
    trail.tell(actor="ada", action="door.open", target="door")
    assert [change["action"] for change in heard] == ["door.open"]
