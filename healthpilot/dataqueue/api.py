"""A job as JSON: where it is, how far, and what came of it."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from ninja import Path, Router, Schema

from healthpilot.dataqueue import files, queries
from healthpilot.dataqueue.kinds import registered
from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.redaction import redacted
from healthpilot.tokens.access import token_or_role
from healthpilot.tokens.scopes import JOBS_READ
from healthpilot.web.answers import ErrorBody, json_error
from healthpilot.web.roles import Role

router = Router(auth=token_or_role(JOBS_READ, Role.VIEWER), tags=["jobs"])


class Progress(Schema):
    """How far a job is: done of total (null while unknown), in its unit."""

    done: int
    total: int | None
    unit: str
    percent: int | None
    message: str


class JobBody(Schema):
    """One job: succeeded, cancelled and dead are final, parked waits for a person, failed is tried again."""

    id: str
    kind: str
    state: str
    is_finished: bool
    queue_class: str
    tier: str
    user_id: str
    domain: str
    progress: Progress
    attempt: int
    not_before: datetime | None
    reason: str
    error_code: str
    error_message: str
    payload: dict[str, Any]
    result: dict[str, Any] | None
    files: list[str]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.get(
    "/{int:job_id}",
    response={200: JobBody, 202: JobBody, 404: ErrorBody},
    operation_id="job",
    url_name="job",
    summary="One background job",
)
def job(request: HttpRequest, job_id: Annotated[int, Path(..., description="The job's number.")]) -> Any:
    """Return one job; 200 when it has ended, 202 with Retry-After while it has not."""
    one = queries.job(job_id)
    if not one:
        return json_error(
            "not_found", f"There is no job {job_id}.", "Ended jobs are removed in time.", status=404
        )
    body = JobBody(**body_of(one)).model_dump(mode="json")
    return answer(body, is_finished=one.is_finished)


def answer(body: dict[str, Any], *, is_finished: bool) -> HttpResponse:
    """Return the body with the status that says whether it is final."""
    response = JsonResponse(body, status=200 if is_finished else 202)
    response["Cache-Control"] = "no-store"
    if not is_finished:
        response["Retry-After"] = "2"
    return response


def body_of(one: Job) -> dict[str, Any]:
    """Return a job's fields as the API writes them; what is secret is left out."""
    kind = registered.get(one.kind)
    same = (
        "kind", "state", "is_finished", "queue_class", "tier", "user_id", "domain", "attempt", "not_before",
        "error_code", "error_message", "created_at", "started_at", "finished_at",
    )  # fmt: skip
    result = dict(one.result) if one.result is not None else None
    if result:
        result.pop("files", None)
    names = [file.name for file in files.left_by(one) if file.is_there]
    return {name: getattr(one, name) for name in same} | {
        "id": str(one.pk),
        "progress": progress_of(one),
        "reason": one.defer_reason,
        "payload": redacted(one.payload, kind.secret if kind else ()),
        "result": result,
        "files": [reverse("dataqueue:download", args=[one.pk, name]) for name in names],
    }


def progress_of(one: Job) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("done", "total", "unit", "percent", "message")}
