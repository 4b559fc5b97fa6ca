"""Heavy work on costs as jobs: export of user days, a replay of budgets, repricing, yesterday in words."""

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from costs import insight
from costs.budget_page import checked
from costs.export import FIELDS, HEADS
from costs.models import CostUserDaily
from costs.prices import repricing
from costs.pricing import EXACT
from costs.simulation import page as simulated
from costs.simulation.demand import Span, users_after
from costs.simulation.outcome import Waiting, seconds
from costs.simulation.simulate import Simulation, UserReplay, caps_from, simulate
from costs.simulation.who import waiting_page
from costs.throttle.scopes import EACH_USER, Scope
from costs.usage import fold_pending
from healthpilot.dataqueue.kinds import Payload, job_kind
from healthpilot.dataqueue.work import JobRefusedError, Step, Work
from healthpilot.web.pages import MAX_LIMIT
from healthpilot.web.sheets import BYTE_ORDER_MARK, Cell, Sheet, lines

USER_HEADS: Final = ("user_id", "jobs_that_wait", "ai_calls_that_wait", "first_stopped_at", "longest_wait_s")


class Growing:
    """A file that grows by what each batch adds; its length is part of the checkpoint.

    What a batch wrote that was never committed is cut off when the job is taken up again.
    """

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path, self.draft = folder / name, folder / f".{name}.part"

    def cut(self, length: int) -> None:
        """Forget all beyond a length; raises JobRefusedError where the file is not there any more."""
        if length and (not self.draft.exists() or self.draft.stat().st_size < length):
            raise JobRefusedError("what was written before is not on this machine: start the job again")
        with self.draft.open("ab") as stream:
            stream.truncate(length)

    def add(self, sheet: Sheet, *, with_heads: bool) -> int:
        """Append rows, under their heads at the beginning; returns the length."""
        texts = list(lines(sheet))
        text = "".join([BYTE_ORDER_MARK, *texts] if with_heads else texts[1:])
        with self.draft.open("ab") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
            return stream.tell()

    def finish(self) -> None:
        """Give the file its name."""
        self.draft.replace(self.path)


class ExportPayload(Payload):
    """The local days to export, both included."""

    first_on: date
    last_on: date


@job_kind(
    "costs.export",
    payload=ExportPayload,
    label="Export of every user's days",
    queue="heavy",
    batch_size=2000,
    asks=False,
)
def export(work: Work, asked: ExportPayload) -> Iterator[Step]:
    """Write every user's days to a CSV file, by day and user."""
    rows = CostUserDaily.objects.filter(date__range=(asked.first_on, asked.last_on))
    at = work.checkpoint or {"length": 0, "done": 0, "after": None, "total": rows.count()}
    name = f"user-days-{asked.first_on}-{asked.last_on}.csv"
    file = Growing(work.folder, name)
    file.cut(at["length"])
    while True:
        batch = list(after(rows, at["after"]).values_list(*FIELDS)[: work.batch_size])
        if not batch and at["length"]:
            break
        length = file.add(Sheet(name, HEADS, batch), with_heads=not at["length"])
        last = [batch[-1][0].isoformat(), batch[-1][1]] if batch else at["after"]
        at = {**at, "length": length, "done": at["done"] + len(batch), "after": last}
        yield Step(done=at["done"], total=at["total"], checkpoint=at)
    file.finish()
    work.result |= {"rows": f"{at['done']:,}", "files": [{"name": name, "about": ""}]}


def after(rows: Any, key: list[str] | None) -> Any:
    """Return the rows beyond a day and user, in order."""
    ordered = rows.order_by("date", "user_id")
    if key is None:
        return ordered
    return ordered.extra(where=["(date, user_id) > (%s, %s)"], params=key)


class SimulationPayload(Payload):
    """The caps to try, as they are typed, and the last of the days to replay."""

    scope: str
    key: str = ""
    caps: dict[str, str]
    first_on: date
    last_on: date


@job_kind(
    "costs.simulate",
    payload=SimulationPayload,
    label="Replay of past days against caps",
    queue="heavy",
    batch_size=500,
    asks=False,
)
def replay(work: Work, asked: SimulationPayload) -> Iterator[Step]:
    """Replay days and list all whose work would have waited in a CSV file."""
    limits, errors = checked(asked.caps)
    if errors:
        raise JobRefusedError("; ".join(errors.values()))
    scope, span = Scope(asked.scope, asked.key), Span.of(asked.first_on, asked.last_on)
    file = Growing(work.folder, "who-would-wait.csv")
    steps = of_each_user if scope.key == EACH_USER else of_shared
    yield from steps(work, file, scope, limits, span)
    file.finish()
    about = "all whose work would have waited"
    work.result["files"] = [{"name": file.path.name, "about": about}]


def of_shared(work: Work, file: Growing, scope: Scope, limits: Any, span: Span) -> Iterator[Step]:
    """Replay shared caps, then list the users page by page; the replay itself is one read."""
    at = work.checkpoint or {"length": 0, "done": 0, "cursor": None, "is_last": False}
    file.cut(at["length"])
    found = simulate(scope, caps_from(limits), span)
    while not at["is_last"]:
        page = waiting_page(found, cursor=at["cursor"], limit=MAX_LIMIT)
        users = Sheet("users", USER_HEADS, map(user_row, page.rows))
        length = file.add(users, with_heads=not at["length"])
        done, cursor = at["done"] + len(page.rows), page.next_cursor
        at = {"length": length, "done": done, "cursor": cursor, "is_last": cursor is None}
        yield Step(done=done, checkpoint=at, unit="users")
    work.result |= words(found, limits)


def of_each_user(work: Work, file: Growing, scope: Scope, limits: Any, span: Span) -> Iterator[Step]:
    """Replay the caps of each user, so many users a batch, the sums so far in the checkpoint."""
    replayed = UserReplay(caps_from(limits), span)
    at = work.checkpoint or {"length": 0, "done": 0, "after": "", "sums": replayed.as_json()}
    file.cut(at["length"])
    replayed.go_on_from(at["sums"])
    while users := users_after(at["after"], span, most=work.batch_size):
        waiting = Sheet("users", USER_HEADS, map(user_row, replayed.take(users)))
        length = file.add(waiting, with_heads=not at["length"])
        done = at["done"] + len(users)
        at = {"length": length, "done": done, "after": users[-1], "sums": replayed.as_json()}
        yield Step(done=done, checkpoint=at, unit="users")
    if not at["length"]:
        file.add(Sheet("users", USER_HEADS, ()), with_heads=True)
    work.result |= words(replayed.found, limits)


def words(found: Simulation, limits: Any) -> dict[str, str]:
    """Return the result in the words of the job's page."""
    one = simulated.shown(found, limits, ())
    return {"replayed": one.sentence, "found": one.verdict, "waits": one.detail}


def user_row(one: Waiting) -> tuple[Cell, ...]:
    return (one.user_id, one.jobs, one.calls, one.first_at, seconds(one.longest))


class RepricePayload(Payload):
    """The days that were looked at, each with the version of its preview, and who reprices them."""

    days: dict[date, str]
    actor: str


@job_kind(
    "costs.reprice",
    payload=RepricePayload,
    label="Repricing of closed days",
    queue="heavy",
    asks=False,
)
def reprice(work: Work, asked: RepricePayload) -> Iterator[Step]:
    """Reprice day by day; a day that is not as it was looked at is left as it is and named.

    What waits is folded in a batch of its own: the fold holds the partials until its batch is committed, and
    whoever rolls up another day would wait for them as long as this day takes. The checkpoint says so, or a
    day that kills its worker would begin anew with each fold and never be parked.
    """
    at = work.checkpoint or {"next": 0, "changed": "0", "left": []}
    days = sorted(asked.days)
    for number in range(at["next"], len(days)):
        day, left = days[number], list(at["left"])
        if at.get("folded_for") != number:
            fold_pending()
            at = {**at, "folded_for": number}
            yield Step(done=number, total=len(days), checkpoint=at, unit="days", message=f"{day}")
        found = [one for one in repricing.preview(day, day) if one.version == asked.days[day]]
        changed = Decimal(at["changed"])
        if found:
            list(repricing.apply(found, folds=False))
            repricing.keep(found, actor=asked.actor)
            changed = EXACT.add(changed, found[0].change)
        else:
            left.append(f"{day}")
        at = {"next": number + 1, "changed": repricing.signed(changed), "left": left}
        yield Step(done=number + 1, total=len(days), checkpoint=at, unit="days", message=f"{day}")
    work.result["difference"] = f"{at['changed']} USD"
    if at["left"]:
        work.result["changed since the preview, left as they are"] = ", ".join(at["left"][:31])


class InsightPayload(Payload):
    """The local day to explain."""

    day: date


@job_kind(
    "costs.insight",
    payload=InsightPayload,
    label="Why yesterday's cost changed",
    queue="system",
    estimate=lambda asked: {"input_tokens": 1200, "output_tokens": insight.MOST_TOKENS},
)
def explain(work: Work, asked: InsightPayload) -> Iterator[Step]:
    """Let the model explain a day; unchanged figures are not asked about again."""
    if not insight.is_configured():
        raise JobRefusedError("no model is configured: set OPENAI_API_KEY")
    told = insight.written(asked.day, job_id=work.job_id)
    work.result |= {"day": f"{asked.day}", "text": told.text, "model": told.model}
    yield Step(done=1, total=1, checkpoint={"done": True}, unit="day")
