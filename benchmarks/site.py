"""The product's site with an empty view, and the cost page made of plotly's own objects."""

import os
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import django
import plotly.graph_objects as go
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthpilot.settings")
django.setup()
settings.ROOT_URLCONF = __name__

from costs import charts, month, panels, views  # noqa: E402 - Django must be set up before
from healthpilot import urls  # noqa: E402 - Django must be set up before
from healthpilot.web.access import role_required  # noqa: E402 - Django must be set up before
from healthpilot.web.roles import Role  # noqa: E402 - Django must be set up before
from healthpilot.wsgi import application  # noqa: E402 - Django must be set up before

__all__ = ["application", "urlpatterns"]

FIGURES = ("cost_by_tier", "jobs_by_domain", "month_to_date", "tokens_and_hits")
ANY_COLOUR = "#336699"


@role_required(Role.VIEWER)
def empty(request: HttpRequest) -> HttpResponse:
    """Answer with nothing, behind the same middleware and sign-in as the page."""
    return HttpResponse()


def with_objects(request: HttpRequest) -> HttpResponseBase:
    """Answer with the cost page whose figures went through plotly.graph_objects."""
    made: dict[str, Any] = {name: through_objects(getattr(charts, name)) for name in FIGURES}
    instead = SimpleNamespace(**{"Timeline": charts.Timeline, **made})
    with replaced(panels, instead), replaced(month, instead):
        return views.dashboard(request)


def replaced(module: ModuleType, instead: SimpleNamespace) -> Any:
    return mock.patch.object(module, "charts", instead)


def through_objects(figure: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the same figure, built and checked as a plotly Figure: what most pages do."""

    def made(*args: Any, **options: Any) -> dict[str, Any]:
        plain = plainly_coloured(figure(*args, **options))
        built = go.Figure(data=plain["data"], layout=plain["layout"])
        return {**built.to_plotly_json(), "narrow": plain["narrow"]}

    return made


def plainly_coloured(value: Any) -> Any:
    """Return a figure with real colours: plotly's objects know no names of CSS tokens."""
    if isinstance(value, str):
        return ANY_COLOUR if value.startswith("token:") else value
    if isinstance(value, list):
        return [plainly_coloured(one) for one in value]
    return {key: plainly_coloured(one) for key, one in value.items()} if isinstance(value, dict) else value


urlpatterns = [
    *urls.urlpatterns,
    path("bench/empty", empty),
    path("bench/objects", with_objects),
]
