"""Keeps what budget checks answered: equal answers of a minute as one row with their number."""

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import DatabaseError

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

Key = tuple[int | str, ...]


@dataclass(slots=True)
class Answer:
    """The newest of equal answers, and how many there were in its minute."""

    at: float
    work: Work
    verdict: Verdict
    checks: int

    def row(self) -> CostDecision:
        """Return the row that explains the verdict; who asked is kept where work was not let through."""
        at, work, verdict = datetime.fromtimestamp(self.at, UTC), self.work, self.verdict
        rule = verdict.rule
        row = CostDecision(
            decided_at=at,
            day=local_today(at),
            action=verdict.action,
            tier=work.tier[:16],
            domain=work.domain[:16],
            user_id="" if verdict.action == "run" else work.user_id[:40],
            checks=self.checks,
            reason=verdict.reason,
            release_at=verdict.release_at,
            lease=verdict.lease[:40],
        )
        if rule:
            row.rule_scope, row.rule_place = rule.scope.name[:64], rule.place
            row.rule_cap, row.rule_limit = rule.cap, rule.limit
            row.used, row.reserved, row.needed = rule.used, rule.reserved, rule.needed
        return row


class Waiting:
    """Answers of this process that are not written yet. A kill -9 loses at most the last second of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.lock = threading.Lock()
        self.answers: dict[Key, Answer] = {}
        self.timer: threading.Timer | None = None

    def add(self, work: Work, verdict: Verdict) -> None:
        """Count an answer; the newest of equal ones gives the counters that the row shows."""
        now = time.time()
        rule, who = verdict.rule, "" if verdict.action == "run" else work.user_id
        named = (*rule.scope, rule.place) if rule else ()
        key: Key = (int(now) // 60, verdict.action, work.tier, work.domain, who, *named)
        with self.lock:
            earlier = self.answers.get(key)
            if earlier is None and len(self.answers) >= MOST_WAITING:
                return
            if earlier is None:
                self.answers[key] = Answer(now, work, verdict, 1)
            else:
                earlier.at, earlier.verdict, earlier.checks = now, verdict, earlier.checks + 1
            if self.timer is None:
                self.timer = threading.Timer(WRITE_EVERY_S, self.write)
                self.timer.daemon = True
                self.timer.start()

    def write(self) -> None:
        """Write what waits; what cannot be written is dropped with a line in the log, never the host."""
        with self.lock:
            answers, self.answers, self.timer = list(self.answers.values()), {}, None
        try:
            if answers:
                rows = [answer.row() for answer in answers]
                apart.result(lambda: CostDecision.objects.bulk_create(rows, batch_size=500))
        except (DatabaseError, TimeoutError, RuntimeError) as error:
            logger.warning("%d decisions of budgets were not kept: %s", len(answers), error)


waiting: Final = Waiting()
os.register_at_fork(after_in_child=waiting.reset)
atexit.register(waiting.write)


def prune(now: datetime) -> int:
    """Delete a batch of decisions older than KEEP; returns how many."""
    old = CostDecision.objects.filter(decided_at__lt=now - KEEP).order_by("decided_at").values("pk")[:BATCH]
    return CostDecision.objects.filter(pk__in=old).delete()[0]
