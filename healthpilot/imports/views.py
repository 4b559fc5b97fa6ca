"""The import pages: choose a file, see how it begins, say what its columns are, follow the job."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from healthpilot.dataqueue.enqueue import enqueue
from healthpilot.imports import uploads
from healthpilot.imports.forms import MappingForm, UploadForm
from healthpilot.imports.jobs import request_of
from healthpilot.imports.models import Upload, folder
from healthpilot.imports.preview import Preview, Tried, preview, tried
from healthpilot.web.access import role_required
from healthpilot.web.roles import Role
from telemetry.importer.errors import ImportFailedError, ImportRefusedError
from telemetry.mapping import MappingError

CANNOT = (ImportRefusedError, ImportFailedError, MappingError)
FORM_BYTES = 64 * 1024


@role_required(Role.OPERATOR)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponseBase:
    """Take a file and go on to its columns."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.IMPORT_MOST_BYTES + FORM_BYTES:
        # Said before anything of the body is read.
        form = UploadForm()
        said = uploads.too_large("The file", int(request.META["CONTENT_LENGTH"]))
        return page(request, form, problem=said, status=413)
    form = UploadForm(request.POST or None, request.FILES or None)
    if not form.is_valid():
        return page(request, form, status=422 if form.is_bound else 200)
    try:
        kept = uploads.kept(
            form.cleaned_data["file"], kind=form.cleaned_data["kind"], actor=request.user.get_username()
        )
    except uploads.UploadRefusedError as error:
        return page(request, form, problem=str(error), status=422)
    try:
        preview(kept.path, name=kept.name)
    except CANNOT as error:
        kept.path.unlink(missing_ok=True)
        kept.delete()
        return page(request, form, problem=f"{error}.", status=422)
    return redirect("imports:mapping", upload_id=kept.pk)


def page(request: HttpRequest, form: UploadForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    """Render the first step."""
    context = {"form": form, "problem": problem, "most_mib": settings.IMPORT_MOST_BYTES >> 20}
    return render(request, "imports/upload.html", context, status=status)


@role_required(Role.OPERATOR)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mapping(request: HttpRequest, upload_id: UUID) -> HttpResponseBase:
    """Show how the file begins and take its mapping; a POST tries it on the first rows or starts the job."""
    found = Upload.objects.filter(pk=upload_id).first()
    if not found:
        raise Http404
    if found.job_id:
        return redirect("dataqueue:job", job_id=found.job_id)
    data = request.POST if request.method == "POST" else None
    try:
        begins = preview(found.path, name=found.name, delimiter=data.get("delimiter", "") if data else "")
        form = MappingForm(data, upload=found, header=begins.header, delimiter=begins.delimiter)
        if data is None or not form.is_valid():
            return shown(request, found, form, begins, status=422 if data else 200)
        result = tried(request_of(form.payload(), found, folder(), batch_rows=1))
    except CANNOT as error:
        return again(request, found, data, str(error))
    if "start" not in request.POST or not result.fit:
        return shown(request, found, form, begins, result=result, status=200 if result.fit else 422)
    return redirect("dataqueue:job", job_id=started(request, found, form))


def started(request: HttpRequest, found: Upload, form: MappingForm) -> int:
    """Put the job into the queue, once per upload however often the button is pressed."""
    name = request.user.get_username()
    job_id = enqueue(
        "telemetry.import",
        form.payload().model_dump(),
        tier="staff",
        user_id=f"staff:{name}"[:40],
        domain="import",
        unique_key=f"import:{found.pk}",
        actor=name,
    )
    Upload.objects.filter(pk=found.pk).update(job_id=job_id)
    return job_id


def again(request: HttpRequest, found: Upload, data: Any, problem: str) -> HttpResponse:
    """Show the mapping with what is wrong with it, what was typed kept."""
    try:
        begins = preview(found.path, name=found.name)
    except CANNOT:
        begins = Preview("csv", ",", [], [])
    form = MappingForm(data, upload=found, header=begins.header, delimiter=begins.delimiter)
    return shown(request, found, form, begins, problem=problem, status=422)


def shown(
    request: HttpRequest,
    found: Upload,
    form: MappingForm,
    begins: Preview,
    *,
    result: Tried | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the second step."""
    said = problem.replace("--map", "Column").replace("--set", "Value").replace("--timezone", "Time zone")
    context = {"upload": found, "form": form, "preview": begins, "tried": result, "problem": said}
    return render(request, "imports/mapping.html", context, status=status)
