from django.http import HttpRequest, JsonResponse

from telemetry.record import with_job_telemetry


def export_groups(request: HttpRequest) -> JsonResponse:
    user = request.user.get_username()
    who = {"user_id": user, "tier": "pro", "domain": "exports"}
    with with_job_telemetry("export-groups", who):
        rows = list(request.user.groups.values("name"))
    return JsonResponse({"rows": rows})
