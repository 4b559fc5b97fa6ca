"""Keeps what budget checks answered: equal answers of a minute as one row with their number."""

import atexit
import logging
import os
import threading
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError
from django.utils import timezone

from costs.days import local_today
from costs.models import CostDecision
from costs.throttle import apart
from costs.throttle.verdict import Verdict
from costs.throttle.work import Work

logger = logging.getLogger(__name__)

WRITE_EVERY_S: Final = 1.0
MOST_WAITING: Final = 10_000
KEEP: Final = timedelta(days=30)
BATCH: Final = 5_000

Key = tuple[datetime, str, str, str, str, str, str]


class Waiting:
    """Answers of this process that are not written yet. A kill -9 loses at most the last second of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.lock = threading.Lock()
        self.rows: dict[Key, CostDecision] = {}
        self.timer: threading.Timer | None = None

    def add(self, work: Work, verdict: Verdict) -> None:
        """Count an answer; the newest of equal ones gives the counters that the row shows."""
        row = decision(work, verdict, timezone.now())
        minute = row.decided_at.replace(second=0, microsecond=0)
        key = (minute, row.action, row.tier, row.domain, row.user_id, row.rule_scope, row.rule_place)
        with self.lock:
            if earlier := self.rows.get(key):
                row.checks += earlier.checks
            elif len(self.rows) >= MOST_WAITING:
                return
            self.rows[key] = row
            if self.timer is None:
                self.timer = threading.Timer(WRITE_EVERY_S, self.write)
                self.timer.daemon = True
                self.timer.start()

    def write(self) -> None:
        """Write what waits; what cannot be written is dropped with a line in the log, never the host."""
        with self.lock:
            rows, self.rows, self.timer = list(self.rows.values()), {}, None
        try:
            if rows:
                apart.result(lambda: CostDecision.objects.bulk_create(rows, batch_size=500))
        except (DatabaseError, TimeoutError, RuntimeError) as error:
            logger.warning("%d decisions of budgets were not kept: %s", len(rows), error)


waiting: Final = Waiting()
os.register_at_fork(after_in_child=waiting.reset)
atexit.register(waiting.write)


def decision(work: Work, verdict: Verdict, now: datetime) -> CostDecision:
    """Return the row that explains a verdict; who asked is kept where work was not simply let through."""
    rule = verdict.rule
    row = CostDecision(
        decided_at=now,
        day=local_today(now),
        action=verdict.action,
        tier=work.tier[:16],
        domain=work.domain[:16],
        user_id="" if verdict.action == "run" else work.user_id[:40],
        checks=1,
        rule_scope=rule.scope.name[:64] if rule else "",
        rule_place=rule.place if rule else "",
        reason=verdict.reason,
        release_at=verdict.release_at,
        lease=verdict.lease[:40],
    )
    if rule:
        row.rule_cap, row.rule_limit = rule.cap, rule.limit
        row.used, row.reserved, row.needed = rule.used, rule.reserved, rule.needed
    return row


def prune(now: datetime) -> int:
    """Delete a batch of decisions older than KEEP; returns how many."""
    old = CostDecision.objects.filter(decided_at__lt=now - KEEP).order_by("decided_at").values("pk")[:BATCH]
    return CostDecision.objects.filter(pk__in=old).delete()[0]
