"""`manage.py jobs`: looks at background jobs and does to them what the pages can do."""

import getpass
import json
from collections.abc import Callable
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from healthpilot.dataqueue import actions, queries
from healthpilot.dataqueue.api import JobBody, body_of
from healthpilot.dataqueue.models import Job, QueueClass, State
from healthpilot.web.pages import MAX_LIMIT, CursorError, clamped

VERBS = ("list", "show", "retry", "cancel", "run-now", "pause", "resume")


class Command(BaseCommand):
    """Exits 0 when done, 1 when there was nothing to do or no such job, 2 for bad arguments."""

    help = "List and show background jobs; retry or cancel them; pause or resume a queue class."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
        listing = verbs.add_parser("list", help="the newest jobs and how the queues stand")
        listing.add_argument("--state", choices=State.values, default="")
        listing.add_argument("--kind", default="")
        listing.add_argument("--queue", choices=QueueClass.values, default="", dest="queue_class")
        listing.add_argument("--tier", default="")
        listing.add_argument("--limit", type=int, default=20, help=f"at most {MAX_LIMIT}")
        listing.add_argument("--cursor", default="", help="goes on where a list before ended")
        for name in ("show", "retry", "cancel", "run-now"):
            verbs.add_parser(name).add_argument("job_id", type=int)
        for name in ("pause", "resume"):
            verbs.add_parser(name).add_argument("queue_class", choices=QueueClass.values)
        for verb in verbs.choices.values():
            verb.add_argument("--json", action="store_true", help="print one JSON object, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        does: dict[str, Callable[[dict[str, Any]], None]] = {"list": self.list, "show": self.show}
        if verb in does:
            return does[verb](options)
        actor = f"{getpass.getuser()} at the command line"
        if verb in actions.SWITCHES:
            return self.said(actions.SWITCHES[verb](options["queue_class"], actor=actor), options)
        return self.said(actions.ACTIONS[verb](options["job_id"], actor=actor), options)

    def list(self, options: dict[str, Any]) -> None:
        """Print how the queues stand and one page of jobs."""
        filters = {name: options[name] for name in queries.FILTERS}
        try:
            page = queries.jobs(filters, limit=clamped(options["limit"]), cursor=options["cursor"] or None)
        except CursorError as error:
            raise CommandError(f"--cursor: {error}", returncode=2) from None
        if options["json"]:
            rows = [JobBody(**body_of(job)).model_dump(mode="json") for job in page.rows]
            queues = [counts(queue) for queue in queries.queues()]
            return self.stdout.write(
                json.dumps({"queues": queues, "jobs": rows, "next_cursor": page.next_cursor})
            )
        for queue in queries.queues():
            figures = ", ".join(
                f"{value} {name}" for name, value in counts(queue).items() if type(value) is int
            )
            self.stdout.write(f"{queue.name:<7} {figures}{' (paused)' if queue.pause else ''}")
        for job in page.rows:
            self.stdout.write(line(job))
        if page.next_cursor:
            self.stdout.write(f"More: --cursor {page.next_cursor}")
        return None

    def show(self, options: dict[str, Any]) -> None:
        """Print one job and what happened to it."""
        job = queries.job(options["job_id"])
        if not job:
            raise CommandError(f"there is no job {options['job_id']}")
        body = JobBody(**body_of(job)).model_dump(mode="json")
        happened = [
            {
                "at": entry.occurred_at.isoformat(),
                "what": entry.what,
                "actor": entry.actor,
                "detail": entry.detail,
            }
            for entry in queries.entries(job.pk)
        ]
        if options["json"]:
            return self.stdout.write(json.dumps(body | {"entries": happened}))
        for name, value in body.items():
            if value not in (None, "", [], {}):
                self.stdout.write(
                    f"{name:<14} {json.dumps(value) if isinstance(value, dict | list) else value}"
                )
        for entry in happened:
            self.stdout.write(
                f"{entry['at'][:19]}Z {entry['what']}: {entry['actor']} {entry['detail']}".rstrip()
            )
        return None

    def said(self, done: actions.Done, options: dict[str, Any]) -> None:
        """Print what was done; an action that did nothing is an error."""
        if options["json"]:
            self.stdout.write(json.dumps({"ok": done.ok, "said": done.said}))
        elif done.ok:
            self.stdout.write(done.said)
        if not done.ok:
            raise CommandError(done.said)


def counts(queue: queries.Queue) -> dict[str, Any]:
    """Return a class with its counts, as a script reads it."""
    names = ("name", "waiting", "running", "deferred", "failed", "parked")
    return {name: getattr(queue, name) for name in names} | {"paused_by": queue.pause and queue.pause.actor}


def line(job: Job) -> str:
    """Return one line about a job."""
    progress = f"{job.done:,}/{job.total:,} {job.unit}" if job.total else f"{job.done:,} {job.unit}".strip()
    why = job.defer_reason or job.error_code
    return f"{job.pk:>8} {job.state:<9} {job.kind:<24} {progress:<22} {job.tier}/{job.user_id} {why}".rstrip()
