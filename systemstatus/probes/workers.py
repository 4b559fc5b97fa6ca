"""What is asked of Celery: who works, whether the schedule keeps its times, how long a task waits."""

from typing import Any, Final

from systemstatus.probes import redis
from systemstatus.registry import CheckState, Reading
from systemstatus.vitals import canaries, signs

NOBODY: Final = "no worker"


def workers() -> Reading:
    """Return the age in seconds of each worker's last sign of life, and what it works on."""
    known = signs.workers()
    if not known:
        return none_works()
    listed = [
        {"name": one.name, "host": one.host, "pid": one.pid, "started_at": one.started_at,
         "seen_at": one.seen_at, "age_s": round(one.age_s, 1), **one.detail}
        for one in known
    ]  # fmt: skip
    ages = {one.name: round(one.age_s, 1) for one in known}
    alone = sorted(
        set(canaries.queues()) - {queue for one in known for queue in one.detail.get("queues", [])}
    )
    detail: dict[str, Any] = {"workers": listed, "queues_without_worker": alone}
    if alone:
        note = f"No worker takes from {', '.join(alone)}"
        return Reading({"queue.worker_heartbeat": ages}, detail, CheckState.WARNING, note)
    return Reading({"queue.worker_heartbeat": ages}, detail)


def none_works() -> Reading:
    """Return what is known where no worker runs: since when, if there ever was one."""
    last = next(iter(signs.seen("worker")), None)
    if last is None:
        return Reading(state=CheckState.UNKNOWN, note="No worker has been seen yet")
    values = {"queue.worker_heartbeat": {NOBODY: round(last.age_s, 1)}}
    return Reading(values, {"workers": []}, CheckState.FAILED, f"No worker runs; the last was {last.name}")


def schedule() -> Reading:
    """Return how late the schedule is in seconds, by its entry that is the latest."""
    beat = next(iter(signs.seen("beat")), None)
    if beat is None:
        return Reading(state=CheckState.UNKNOWN, note="No scheduler (beat) has been seen yet")
    entries = [late(entry, beat.age_s) for entry in beat.detail.get("entries", [])]
    worst = max(entries, key=lambda entry: entry["late_s"], default=None)
    detail = {
        "beat": {"name": beat.name, "pid": beat.pid, "seen_at": beat.seen_at, "started_at": beat.started_at},
        "schedule": entries,
    }
    return Reading({"queue.beat_lateness": worst["late_s"] if worst else round(beat.age_s, 1)}, detail)


def late(entry: dict[str, Any], age_s: float) -> dict[str, Any]:
    """Return an entry with how late it is by now, so many seconds after beat said how it stands."""
    return entry | {"late_s": round(max(entry["overdue_s"] + age_s, 0), 1)}


def canary() -> Reading:
    """Return the round trip through each queue in seconds, and send the next canaries."""
    names = canaries.queues()
    known = {one.queue: one for one in canaries.standings(names)}
    seconds = {name: round(s, 2) for name, one in known.items() if (s := one.seconds) is not None}
    detail = {
        "canaries": [
            {"queue": name, "seconds": seconds.get(name), "waits": one.waits, "answered_at": one.answered_at}
            for name, one in sorted(known.items())
        ]
    }
    try:
        send_due([name for name in names if name not in known or known[name].is_due])
    except Exception as error:  # whatever the broker's client raises: the round trips are known all the same
        note = f"The broker takes no canary: {type(error).__name__}"
        return Reading({"queue.canary": seconds}, detail, CheckState.FAILED, note)
    return Reading({"queue.canary": seconds}, detail)


def send_due(names: list[str]) -> None:
    """Send canaries, once Redis has shown that it answers: sending waits longer than a probe may."""
    with redis.client() as cache:
        cache.ping()
    for name in names:
        canaries.send(name)
