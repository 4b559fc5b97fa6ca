"""How the budgets of jobs, workers and System Status itself are driven: by what each leaves in a table."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

from costs import alerting
from costs.models import CostBudget, CostDay, CostGlobalDaily
from healthpilot.dataqueue import kinds
from healthpilot.dataqueue.models import Job
from systemstatus.models import Notification, StatusLease
from systemstatus.probes import workers
from telemetry.models import JobEvent
from tests.costs.factories import make_global_day
from tests.systemstatus.drives.drive import Row, World
from tests.systemstatus.vitals import test_driven as signs

PER_MINUTE = 10


def aged(make: Callable[[float], None], *seconds: float) -> Callable[[World, int], None]:
    """Return what makes something as old as a level asks for; ages are told by PostgreSQL's clock."""
    return lambda world, level: at_the_real_time(world, make, seconds[level])


def at_the_real_time(world: World, make: Callable[[float], None], seconds: float) -> None:
    """Make something old by the clock that PostgreSQL tells its age by."""
    moved = timezone.now
    world.patch.setattr(timezone, "now", world.kept["clock"])
    try:
        make(seconds)
    finally:
        world.patch.setattr(timezone, "now", moved)


def waiting(count: int, due_at: datetime) -> list[Job]:
    given = {"kind": "t.x", "tier": "pro", "user_id": "u", "domain": "", "queue_class": "free"}
    return [Job(**given, due_at=due_at) for _ in range(count)]


def oldest(*seconds: int) -> Callable[[World, int], None]:
    def make(world: World, level: int) -> None:
        Job.objects.all().delete()
        Job.objects.bulk_create(waiting(1, world.at - timedelta(seconds=seconds[level])))

    return make


@contextmanager
def patient_queue(world: World) -> Iterator[None]:
    """The queue of the free tier may be late for longer."""
    world.settings.DATAQUEUE_OLDEST_S = {"free": (600, 1800)}
    yield


def depth(world: World, level: int) -> None:
    count = (5, 101, 1001)[level]
    if Job.objects.count() != count:
        Job.objects.all().delete()
        Job.objects.bulk_create(waiting(count, world.at + timedelta(hours=1)))


def still(*seconds: int) -> Callable[[World, int], None]:
    """Return what makes a job that was last seen to move so long ago, by the clock of the pass."""

    def make(world: World, level: int) -> None:
        signs.job_is(0)
        Job.objects.update(updated_at=world.at - timedelta(seconds=seconds[level]))

    return make


@contextmanager
def slow_kind(world: World) -> Iterator[None]:
    """The kind of the job says that its batches are long."""
    world.patch.setattr(kinds, "registered", dict(kinds.registered))
    kinds.job_kind("t.x", payload=kinds.Payload, progress_s=(600, 900))(still)
    yield


def failures(world: World, level: int) -> None:
    """Ten attempts in each minute that is counted."""
    failed = (0, 1, 4)[level]
    given = {"job_type": "t.x", "user_id": "u", "tier": "pro", "domain": ""}
    ended = world.at - timedelta(seconds=90)
    JobEvent.objects.bulk_create(
        JobEvent(**given, success=n >= failed, created_at=ended) for n in range(PER_MINUTE)
    )


@contextmanager
def no_broker(world: World) -> Iterator[None]:
    """Canaries stay as the row makes them."""
    world.patch.setattr(workers, "send_due", lambda names: None)
    yield


def pass_took(world: World, level: int) -> None:
    """The pass before took so long; what this one takes is told by the next."""
    StatusLease.objects.filter(name="collector").update(took_ms=(800, 31_000, 46_000)[level])


def unsent(world: World, level: int) -> None:
    Notification.objects.all().delete()
    due_at = world.kept["clock"]() - timedelta(seconds=(1, 61, 301)[level])
    Notification.objects.create(
        message_id="m", notice="0" * 32, kind="alert", channel="webhook", next_at=due_at, first_due_at=due_at
    )


def collector_stops(world: World, level: int) -> None:
    """Nothing is collected while it is not well."""


def day_closed(world: World, level: int) -> None:
    CostDay.objects.all().delete()
    CostDay.objects.create(date=world.at.date(), closed_at=world.at - timedelta(hours=(2, 27, 31)[level]))


@contextmanager
def a_cap(world: World) -> Iterator[None]:
    CostBudget.objects.create(apply_scope="global", daily_cost_usd_cap=10, updated_by="t")
    yield


def cap_used(world: World, level: int) -> None:
    CostGlobalDaily.objects.all().delete()
    make_global_day(world.at.date(), ("4", "8.5", "11")[level])


ROWS = (
    Row("queue.oldest", "dataqueue", ("depth",), oldest(5, 61, 301)),
    Row(
        "queue.oldest",
        "dataqueue",
        ("depth",),
        oldest(599, 601, 1801),
        patient_queue,
        name="one queue",
    ),
    Row("queue.depth", "dataqueue", ("depth",), depth),
    Row("queue.failures", "dataqueue", ("outcomes",), failures),
    Row("queue.worker_heartbeat", "workers", ("workers",), aged(signs.worker_is, 2, 31, 61)),
    Row("queue.progress", "dataqueue", ("progress",), still(5, 121, 301)),
    Row(
        "queue.progress",
        "dataqueue",
        ("progress",),
        still(599, 601, 901),
        slow_kind,
        name="one kind",
    ),
    Row("queue.canary", "workers", ("canary",), aged(signs.canary_is, 1, 61, 301), no_broker),
    Row("queue.beat_lateness", "beat", ("schedule",), aged(signs.beat_is, 0, 61, 181)),
    Row("cost.rollup_age", alerting.ROLLUP, ("age",), day_closed, source="costs"),
    Row("cost.budget", alerting.BUDGETS, ("caps",), cap_used, a_cap, source="costs"),
    Row("collector.age", "collector", (), collector_stops, collects=False),
    Row("collector.pass", "collector", ("stages",), pass_took),
    Row("alerts.unsent", "collector", ("unsent",), unsent),
)
