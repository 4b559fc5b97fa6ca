"""Every address of the site; none catches all."""

from allauth.account import views as account
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, reverse_lazy
from django.views.generic import RedirectView

from healthpilot.portals.api import api
from healthpilot.web.access import open_to_all

admin.site.final_catch_all_view = False
admin.site.site_header = admin.site.site_title = "HealthPilot data tables"

to_cost = open_to_all(RedirectView.as_view(url=reverse_lazy("costs:dashboard"), query_string=True))
to_sign_in = open_to_all(RedirectView.as_view(pattern_name="account_login", query_string=True))

accounts: list[URLPattern | URLResolver] = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("2fa/", include("allauth.mfa.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("healthpilot.portals.urls")),
    path("accounts/", include(accounts)),
    path("admin", to_cost, name="admin"),
    path("admin/", to_cost),
    path("admin/", include("costs.urls")),
    path("admin/", include("telemetry.urls")),
    path("admin/", include("healthpilot.tokens.urls")),
    path("admin/", include("healthpilot.dataqueue.urls")),
    path("admin/", include("healthpilot.imports.urls")),
    path("admin/", include("systemstatus.urls")),
    path("admin/django/login/", to_sign_in),
    path("admin/django/", admin.site.urls),
    path("metrics", open_to_all(RedirectView.as_view(pattern_name="api:metrics")), name="metrics"),
    path("api/", api.urls),
]

handler400 = "healthpilot.web.errors.bad_request"
handler403 = "healthpilot.web.errors.permission_denied"
handler404 = "healthpilot.web.errors.not_found"
handler500 = "healthpilot.web.errors.server_error"
